"""Rows of one plan on their way into summaries: values wait in their columns until there are enough to count."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.cells import set_model
from pytest_chimera.corpus.coldness import FACTOR, FEWEST, name_models
from pytest_chimera.corpus.reading import FileReading
from pytest_chimera.corpus.rows import Reading, Row, Term
from pytest_chimera.corpus.summaries import Tally, group_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from pytest_chimera.corpus.gathered import Gathered
    from pytest_chimera.corpus.plans import Plan
    from pytest_chimera.corpus.walk import Found

    Key = tuple[str | None, bool | None, bool, bool]
    """(model, whether cold, whether the rate is that of whole requests, whether failed): rows counted together."""

_PENDING = 4096
"""Rows that wait."""
_MOST_MODELS = 10_000
"""Names that are remembered."""


class Sink:
    """The rows of one plan."""

    def __init__(self, plan: Plan, kind: str) -> None:
        self.plan = plan
        self._kind = kind
        self._rows: dict[Key, list[tuple[Any, ...]]] = {}
        self._columns: list[list[Any]] = [[] for _ in plan.slots]
        self._keyed: dict[Key, list[int]] = {}
        """Rows of the columns that are counted together."""
        self._waiting = 0
        self._gaps = False
        self._tallies: dict[Key, list[Tally]] = {}
        self.files = 0
        self.first = ""
        """The first file."""

    def add_row(self, key: Key, values: tuple[Any, ...], into: Gathered) -> None:
        """One row: its values, as written, in the order of the slots."""
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = []
        rows.append(values)
        if len(rows) >= _PENDING:
            self._settle_rows(key, into)

    def add_columns(
        self,
        rows: Mapping[Key, Sequence[int]],
        columns: Sequence[Sequence[float | None]],
        count: int,
        into: Gathered,
        *,
        gaps: bool,
    ) -> None:
        """So many rows, column by column, and which of them belong together; with `gaps` None is a missing value."""
        self._gaps = self._gaps or gaps
        before = self._waiting
        for key, members in rows.items():
            known = self._keyed.get(key)
            if known is None:
                known = self._keyed[key] = []
            known += [before + row for row in members] if before else members
        for pending, column in zip(self._columns, columns, strict=True):
            pending.extend(column)
        self._waiting += count
        if self._waiting >= _PENDING:
            self._settle_columns(into)

    def finish(self, into: Gathered) -> None:
        """Count all that waits, and say what was not understood."""
        for key in self._rows:
            self._settle_rows(key, into)
        self._settle_columns(into)
        for remark in self.plan.remarks if self.files else ():
            into.say(remark, self.first, times=self.files)

    def _settle_rows(self, key: Key, into: Gathered) -> None:
        rows = self._rows[key]
        if rows:
            self._rows[key] = []
            self._take(key, list(zip(*rows, strict=True)), len(rows), into)

    def _settle_columns(self, into: Gathered) -> None:
        keyed, columns = self._keyed, self._columns
        self._keyed, self._columns, self._waiting = {}, [[] for _ in columns], 0
        for key, rows in keyed.items():
            if len(rows) > 1:
                pick = itemgetter(*rows)
                self._take(key, [pick(column) for column in columns], len(rows), into)
            elif rows:
                self._take(key, [(column[rows[0]],) for column in columns], 1, into)

    def _take(self, key: Key, columns: Sequence[Sequence[Any]], rows: int, into: Gathered) -> None:
        """Count the rows of one key; the values of failed ones are not looked at."""
        tallies = self._tallies.get(key)
        if tallies is None:
            tallies = self._tallies[key] = [self._tally(term, key, into) for term in self._terms(whole=key[2])]
        if key[3]:
            for tally in tallies:
                tally.failed += rows
            return
        for tally, slot, column in zip(tallies, self.plan.slots, columns, strict=False):
            present, scale = column, slot.term.scale
            if self._gaps and None in column:
                present = [value for value in column if value is not None]
                tally.missing += len(column) - len(present)
            tally.take(present if scale == 1 else [value * scale for value in present])
        for tally in tallies[len(self.plan.slots) :]:
            tally.missing += rows

    def _terms(self, *, whole: bool) -> list[Term]:
        """What the numbers of a row are: those in slots, then those that are null."""
        terms = [slot.term for slot in self.plan.slots]
        if whole and self.plan.whole is not None:
            terms[self.plan.whole.rate] = self.plan.whole.term
        return [*terms, *self.plan.empty]

    def _tally(self, term: Term, key: Key, into: Gathered) -> Tally:
        row = Row("", series=self.plan.series)
        row.model = key[0]
        return into.tallies.setdefault(group_of(term, row, self._kind, key[1]), Tally())


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
    different = set(groups)
    for group in different if len(different) == 1 else dict.fromkeys(groups):
        own = [(at, load) for at, load in enumerate(loads) if groups[at] == group and load is not None]
        bound = cold_bound([load for _, load in own])
        if bound is not None:
            for at, load in own:
                cold[at] = load > bound
    return cold


def cold_bound(loads: list[float]) -> float | None:
    """The load above which a row of a model in a file is cold, in the unit of `loads`; None when they are too few."""
    count = len(loads)
    if count < FEWEST:
        return None
    loads = sorted(loads)
    return FACTOR * (loads[count // 2] if count % 2 else (loads[count // 2 - 1] + loads[count // 2]) / 2)
