"""Collecting: models as parameters, which items are cases, and what `--benchmark-only` and `--benchmark-skip` see."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.plugin.session import get_session

if TYPE_CHECKING:
    from collections.abc import Generator

MEASURING = "chimera_model"
"""The fixture that every measuring test has, `chimera` included, since that one asks for it."""
OF_SUITES = "chimera_case"
"""The fixture that every case of a suite has."""
_MEASURED = {MEASURING, OF_SUITES}
_CONNECTED = {*_MEASURED, "ollama_client"}
_SUITES = (".chimera.yaml", ".chimera.yml")


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Make the test one per model; of session scope, so that tests of a model come together and it stays loaded."""
    if MEASURING not in metafunc.fixturenames:
        return
    from pytest_chimera.plugin.models import NO_MODEL  # noqa: PLC0415  # only where a case was found

    ids = [model.id for model in get_session(metafunc.config).models] or [NO_MODEL]
    metafunc.parametrize(MEASURING, ids, ids=ids, indirect=True, scope="session")


def is_suite(name: str) -> bool:
    """Whether a file of this name is a suite."""
    return name.endswith(_SUITES) and name not in _SUITES


def is_case(item: pytest.Item) -> bool:
    """Whether the item talks to a server of ours; one that is skipped as it stands does not."""
    return item.get_closest_marker("skip") is None and not _CONNECTED.isdisjoint(getattr(item, "fixturenames", ()))


def is_measured(item: pytest.Item) -> bool:
    """Whether the item is a benchmark in the sense of pytest-benchmark's options."""
    return not _MEASURED.isdisjoint(getattr(item, "fixturenames", ()))


@contextlib.contextmanager
def named_as_benchmarks(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """While it lasts, measuring items name the fixture `benchmark`, by which pytest-benchmark chooses.

    Longer than that it would be asked for in earnest. Under xdist, where pytest-benchmark would warn that it is off,
    only what remains of the choice is made here.
    """
    if not config.pluginmanager.hasplugin("benchmark"):
        yield
        return
    ours = [item for item in items if isinstance(item, pytest.Function) and is_measured(item)]
    if hasattr(config, "workerinput") or config.getoption("dist", "no") != "no":
        _skip_where_asked(config, ours)
        yield
        return
    before = [(item, item.fixturenames) for item in ours]
    for item, names in before:
        item.fixturenames = [*names, "benchmark"]  # a new list: parameter sets of a function share theirs
    try:
        yield
    finally:
        for item, names in before:
            item.fixturenames = names


def _skip_where_asked(config: pytest.Config, items: list[pytest.Function]) -> None:
    if config.getoption("benchmark_skip", default=False):
        for item in items:
            item.add_marker(pytest.mark.skip(reason="Skipping benchmark (--benchmark-skip active)."))
