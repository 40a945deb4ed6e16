"""How many rows there are, how many failed, and for how many the model was loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import COLD_RULE, counted
from pytest_chimera.analysis.places import shortened
from pytest_chimera.records import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.analysis.evidence import Group, Row
    from pytest_chimera.analysis.form import Statement
    from pytest_chimera.records import Fact


@dataclass(frozen=True, slots=True)
class Fate:
    """Counts of rows, each once."""

    rows: Fact
    failed: Fact
    error_rate: Fact
    cold: Fact
    files: Fact

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All of them."""
        return (self.rows, self.failed, self.error_rate, self.cold, self.files)

    def cells(self) -> tuple[Statement, ...]:
        """Rows, failed, error rate, cold."""
        return (self.rows,), (self.failed,), (self.error_rate,), (self.cold,)

    def sentence(self) -> Statement:
        """What failed, as the rest of a sentence."""
        return (
            self.failed, " of ", self.rows, " rows failed (", self.error_rate, "); they enter no mean.",
        )  # fmt: skip


def fate_of(subject: Mapping[str, str], groups: Sequence[Group]) -> Fate:
    """The counts of some groups."""
    rows = [row for group in groups for row in group.rows]
    failed = [row for row in rows if not row.ok]
    cold = [row for row in rows if row.ok and row.cold]
    files = sorted({group.file for group in groups})
    return Fate(
        rows=counted(subject, "rows", len(rows), "rows with numbers, each once, failed ones included", stands(rows)),
        failed=counted(subject, "failed_rows", len(failed), "rows that carry an error", stands(failed)),
        error_rate=counted(
            subject, "error_rate", len(failed) / len(rows), "failed rows / rows", stands(rows),
            statistic="share", dimension="ratio", n=len(rows),
        ),
        cold=counted(subject, "cold_rows", len(cold), f"rows that succeeded and are {COLD_RULE}", stands(cold)),
        files=counted(subject, "files", len(files), "files that hold these rows", stands(rows)),
    )  # fmt: skip


def stands(rows: Iterable[Row]) -> tuple[str, ...]:
    """Where rows stand."""
    return shortened(source_of(row) for row in rows)


def source_of(row: Row) -> Source:
    """The place of a row."""
    file, _, number = row.place
    return Source(file, number if row.number is None else f"row {row.number}")
