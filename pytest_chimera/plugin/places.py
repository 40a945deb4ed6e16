"""From where relative paths of settings count, and whether pytest took the root from one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_chimera.plugin.options import Given, Raw

_OF_FILES = ("corpus", "vocabulary")
"""Options that name what is there already."""


def base(config: pytest.Config, given: Given | None) -> Path:
    """The root for what stands in the ini file or nowhere, else the folder in which pytest was called."""
    from_file = given is None or given.source.startswith("chimera_")
    return config.rootpath if from_file else config.invocation_params.dir


def is_moved(config: pytest.Config, raw: Raw) -> bool:
    """Whether a path after an option of ours may have become the root.

    pytest looks for its root before it knows our options: of `--chimera-corpus /old/results` it sees a path of tests,
    of `--chimera-corpus=/old/results` it does not.
    """
    if config.getoption("rootdir", None) or not any(name in raw for name in _OF_FILES):
        return False
    words = (*config.invocation_params.args, *os.environ.get("PYTEST_ADDOPTS", "").split())
    if not any(f"--chimera-{name}" in words for name in _OF_FILES):
        return False
    return config.inipath is None or not config.invocation_params.dir.is_relative_to(config.rootpath)


def root_lines(config: pytest.Config, raw: Raw) -> list[str]:
    """What is said where the root is another folder than this one and may be so by mistake."""
    if config.rootpath == config.invocation_params.dir or not is_moved(config, raw):
        return []
    said = (
        f"chimera: the root is {config.rootpath}, perhaps because pytest took a path after an option for one of tests; "
        "with an equals sign, as in --chimera-corpus=PATH, it does not"
    )
    return [said]
