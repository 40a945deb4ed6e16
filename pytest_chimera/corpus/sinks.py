"""Rows of one plan on their way into summaries: values wait in their columns until there are enough to count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.cells import set_model
from pytest_chimera.corpus.coldness import FACTOR, FEWEST, name_models
from pytest_chimera.corpus.reading import FileReading
from pytest_chimera.corpus.rows import Reading, Row, Term
from pytest_chimera.corpus.summaries import Group, Tally

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from pytest_chimera.corpus.gathered import Gathered
    from pytest_chimera.corpus.plans import Plan
    from pytest_chimera.corpus.walk import Found

    Key = tuple[str | None, bool | None, bool]
    """(model, cold, whether the rate is that of whole requests): rows that are counted together."""

_PENDING = 2048
"""Rows that wait."""
_MOST_MODELS = 10_000
"""Names that are remembered."""


class Sink:
    """The rows of one plan."""

    def __init__(self, plan: Plan, kind: str) -> None:
        self.plan = plan
        self._kind = kind
        self._rows: dict[Key, list[tuple[Any, ...]]] = {}
        self._tallies: dict[Key, list[Tally]] = {}
        self._failed: dict[Key, int] = {}
        self._kept: dict[Key, int] = {}
        self.files = 0
        self.first = ""
        """The first file."""

    def add_row(self, key: Key, values: tuple[Any, ...], into: Gathered) -> None:
        """One row that did not fail: its values, as written, in the order of the slots."""
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = []
        rows.append(values)
        if len(rows) >= _PENDING:
            self._settle(key, into)

    def add_columns(self, key: Key, columns: Sequence[Sequence[float | None]], rows: int, into: Gathered) -> None:
        """Many rows that did not fail; None is a value that is missing."""
        self._kept[key] = self._kept.get(key, 0) + rows
        for tally, column, slot in zip(self._of(key, into), columns, self.plan.slots, strict=True):
            scale = slot.term.scale
            present: Sequence[Any] = column
            if None in column:
                present = [value for value in column if value is not None]
                tally.missing += len(column) - len(present)
            tally.take(present if scale == 1 else [value * scale for value in present])

    def add_failed(self, model: str | None, *, whole: bool) -> None:
        """A row that failed: its values are not looked at."""
        key = (model, None, whole)
        self._failed[key] = self._failed.get(key, 0) + 1

    def finish(self, into: Gathered) -> None:
        """Count all that waits, and say what was not understood."""
        for key in self._rows:
            self._settle(key, into)
        for key, rows in self._kept.items():
            for term in self.plan.empty:
                self._tally(term, key, into).missing += rows
        for key, rows in self._failed.items():
            for tally in self._of(key, into):
                tally.failed += rows
            for term in self.plan.empty:
                self._tally(term, key, into).failed += rows
        for remark in self.plan.remarks if self.files else ():
            into.say(remark, self.first, times=self.files)

    def _settle(self, key: Key, into: Gathered) -> None:
        rows = self._rows[key]
        if rows:
            self._rows[key] = []
            self.add_columns(key, list(zip(*rows, strict=True)), len(rows), into)

    def _of(self, key: Key, into: Gathered) -> list[Tally]:
        tallies = self._tallies.get(key)
        if tallies is None:
            terms = [slot.term for slot in self.plan.slots]
            if key[2] and self.plan.whole is not None:
                terms[self.plan.whole.rate] = self.plan.whole.term
            tallies = self._tallies[key] = [self._tally(term, key, into) for term in terms]
        return tallies

    def _tally(self, term: Term, key: Key, into: Gathered) -> Tally:
        provenance = "measured" if term.statistic == "value" else "aggregate"
        group = Group(
            term.metric, term.statistic, term.dimension, term.role, provenance, key[0], key[1], self._kind,
            self.plan.series,
        )  # fmt: skip
        found = into.tallies.get(group)
        if found is None:
            found = into.tallies[group] = Tally()
        return found


class Models:
    """Models by the texts that name them."""

    def __init__(self, families: tuple[str, ...]) -> None:
        self._families = families
        self._known: dict[Any, str | None] = {}

    def named(self, text: Any) -> str | None:
        """The canonical tag of the model that a cell or value names; None when it names none."""
        try:
            return self._known[text]
        except KeyError:
            pass
        row = Row("")
        model = row.model if isinstance(text, str) and text.strip() and set_model(row, text) else None
        if len(self._known) >= _MOST_MODELS:
            self._known.clear()
        self._known[text] = model
        return model

    def of_file(self, found: Found) -> str | None:
        """The model that a file's name says."""
        row = Row("")
        row.add(Term("latency", "value", 1.0, "time"), 1.0, "")
        reading = Reading("records")
        reading.rows.append(row)
        name_models([FileReading(found, 0, None, reading)], self._families)
        return row.model


def cold_rows(groups: Sequence[Hashable], loads: Sequence[float | None]) -> list[bool | None]:
    """Whether each row of a file is cold, as `coldness.mark_cold` has it; `groups` tells its models apart."""
    cold: list[bool | None] = [None] * len(loads)
    different = dict.fromkeys(groups)
    if len(different) == 1 and None not in loads:
        bound = _bound(sorted(loads))  # type: ignore[type-var]  # none of them is None
        return cold if bound is None else [value > bound for value in loads]  # type: ignore[operator]  # same
    for group in different:
        own = [value for value, other in zip(loads, groups, strict=True) if other == group and value is not None]
        bound = _bound(sorted(own))
        for at, (value, other) in enumerate(zip(loads, groups, strict=True)):
            if other == group and value is not None and bound is not None:
                cold[at] = value > bound
    return cold


def _bound(loads: Sequence[float]) -> float | None:
    """The load, of those of one model in order, from above which on a row is cold."""
    if len(loads) < FEWEST:
        return None
    middle = len(loads) // 2
    return FACTOR * (loads[middle] if len(loads) % 2 else (loads[middle - 1] + loads[middle]) / 2)
