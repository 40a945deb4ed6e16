"""Measurements -> findings: pure functions, whose every number is a Fact.

`analyse` is the way in, with an `Evidence` of what was read; `rename_plan` writes better names for files as CSV.
Nothing here reads a file, prints, or knows how a report looks.
"""

from __future__ import annotations

from pytest_chimera.analysis.analyse import analyse
from pytest_chimera.analysis.evidence import Evidence
from pytest_chimera.analysis.naming import rename_plan

__all__ = ["Evidence", "analyse", "rename_plan"]
