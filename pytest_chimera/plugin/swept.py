"""Sweeps and arms in the summary of a run: which of their points have rows, what is said of them, their verdicts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_chimera.plugin import terminal
from pytest_chimera.report.arms import among_arms, arm_table
from pytest_chimera.report.escape import terminal as escape
from pytest_chimera.report.facts import subjects
from pytest_chimera.report.sweep_lines import sweep_lines, without_middles
from pytest_chimera.report.sweeps import sweeps_of
from pytest_chimera.suites.sweep import label, level_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import CaseResult
    from pytest_chimera.report.columns import Row

ARMS_TITLE = "chimera: arms against each other"


def rows(results: Sequence[CaseResult]) -> list[Row]:
    """A row for each case, those of a sweep below a line with its name.

    Of a large sweep those in the middle are left out and counted.
    """
    sweeps = sweeps_of(tuple(zip(results, subjects(results), strict=True)))
    found = []
    above = ""
    for result, behind in without_middles(results, sweeps):
        row = terminal.row(result)
        note = (f"... {behind:,} further points of this sweep are left out here, not in the report",) if behind else ()
        name, heading = _point(result) if result.case.point else (row.name, "")
        found.append(replace(row, name=name, notes=(*row.notes, *note), heading="" if heading == above else heading))
        above = heading
    return found


def _point(result: CaseResult) -> tuple[str, str]:
    """A point by what is its own, and the line above all points: of several parameters it has the names."""
    point, name = result.case.point, result.case.name.removesuffix(f" {label(result.case.point)}")
    if len(point) == 1:
        return f"  {escape(label(point))}", escape(name)
    levels = ", ".join(level_text(level) for level in point.values())
    return f"  {escape(levels)}", escape(f"{name} by {', '.join(point)}")


def lines(results: Sequence[CaseResult], width: int) -> list[str]:
    """What is said of the sweeps."""
    return sweep_lines(sweeps_of(tuple(zip(results, subjects(results), strict=True))), width)


def arms(results: Sequence[CaseResult], width: int) -> list[str]:
    """The verdicts on arms, as a table; nothing where there are none."""
    verdicts = among_arms([each for result in results for each in result.verdicts])
    return arm_table(verdicts, width) if verdicts else []
