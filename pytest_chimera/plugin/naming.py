"""What a run is called: in the title of its report and in the name of the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def suite_name(config: pytest.Config) -> str:
    """What was run, for the title: the one file or folder that was named, else the root folder."""
    paths = {Path(argument.split("::", maxsplit=1)[0]) for argument in config.args}
    only = (config.invocation_params.dir / paths.pop()).resolve() if len(paths) == 1 else config.rootpath
    return only.stem.removesuffix(".chimera") if only.suffix else only.name or "suite"
