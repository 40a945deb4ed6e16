"""CSV files of known headers, straight from their columns into summaries."""

from __future__ import annotations

import csv
import io
from itertools import compress
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.cells import number_value
from pytest_chimera.corpus.coldness import FEWEST
from pytest_chimera.corpus.plans import Answer, learn, masked
from pytest_chimera.corpus.quantities import is_nothing
from pytest_chimera.corpus.rows import Row
from pytest_chimera.corpus.sinks import Sink, cold_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_chimera.corpus.gathered import Counts, Gathered
    from pytest_chimera.corpus.plans import Plan, Slot
    from pytest_chimera.corpus.shapes import Ask
    from pytest_chimera.corpus.sinks import Models
    from pytest_chimera.corpus.stream_objects import PlanOf
    from pytest_chimera.corpus.walk import Found

_DELIMITERS = (",", "\t", "|")
"""Not ";": there a comma in a number may be a point."""
_LONGEST_HEADER = 10_000


class _Table:
    """CSV files with one header."""

    def __init__(self, plan: Plan, names: list[str], delimiter: str) -> None:
        self.plan = plan
        self.width = len(names)
        self.delimiter = delimiter
        self.sink = Sink(plan, "csv")


class Tables:
    """Reads the CSV files of one task."""

    def __init__(self, ask: Ask, plan: PlanOf, models: Models, into: Gathered) -> None:
        self._ask = ask
        self._plan = plan
        self._models = models
        self._into = into
        self._tables: dict[str, _Table | None] = {}
        self._once: set[str] = set()
        self._spare = Row("")

    def take(self, text: str, found: Callable[[], Found], counts: Counts) -> bool:
        """Summarise a file's text; False when it is to be read by the readers."""
        end = text.find("\n")
        header = text[:end].rstrip("\r")
        table = self._tables.get(header)
        if table is None:
            table = self._learn(header)
            if table is None:
                return False
        rows = _rows(text, table)
        if rows is None:
            return False
        cells = list(zip(*rows, strict=True))
        columns = self._numbers(table.plan, cells, rows, grouped="_" in text[end:])
        if columns is None:
            return False
        failed = self._failed(table.plan, cells, columns)
        if not self._add(table, cells, columns, failed, found):
            return False
        counts.rows += len(rows)
        counts.failed += sum(failed)
        counts.numbers += len(rows) * len(columns)
        return True

    def finish(self) -> None:
        """Say what was not understood, and count what failed."""
        for table in self._tables.values():
            if table is not None:
                table.sink.finish(self._into)

    def _learn(self, header: str) -> _Table | None:
        if header in self._tables or len(header) > _LONGEST_HEADER or '"' in header:
            return None
        if header not in self._once:
            self._once.add(header)
            return None
        self._tables[header] = None
        subject = _Header(header, self._ask)
        if not subject.numbers:
            return None
        plan = self._plan(header, lambda: learn(subject))
        if plan is None or not plan.slots:
            return None
        table = self._tables[header] = _Table(plan, subject.names, subject.delimiter)
        return table

    def _numbers(
        self, plan: Plan, cells: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], *, grouped: bool
    ) -> list[Sequence[float | None]] | None:
        """The columns that hold numbers, None for those that are missing; None when a cell holds anything else."""
        columns: list[Sequence[float | None]] = []
        for slot in plan.slots:
            texts = cells[slot.at]
            if grouped and "_" in "".join(texts):
                return None
            try:
                column = list(map(float, texts))
                total = sum(column)
            except ValueError:
                total = float("nan")
            if total - total == 0:
                columns.append(column)
                continue
            some = _some_numbers(texts)
            if some is None or not all(any(map(str.strip, row)) for row in rows):
                return None
            columns.append(some)
        return columns

    def _failed(
        self, plan: Plan, cells: Sequence[Sequence[str]], columns: Sequence[Sequence[float | None]]
    ) -> list[bool]:
        """Whether each row failed."""
        failed = [False] * len(columns[0])
        for at, check in plan.checks:
            if any(cells[at]):
                said = {text: check(text) for text in set(cells[at]) if text.strip()}
                if any(said.values()):
                    failed = [one or said.get(text, False) for one, text in zip(failed, cells[at], strict=True)]
        if plan.answer is not None:
            answers = (bool(text.strip()) and masked(text, self._spare) for text in cells[plan.answer])
            failed = [one or other for one, other in zip(failed, answers, strict=True)]
        if plan.telling and all(0.0 in columns[at] or None in columns[at] for at in plan.timed):
            timed = list(zip(*(columns[at] for at in plan.timed), strict=True))
            telling = zip(*(columns[at] for at in plan.telling), strict=True)
            zeros = (not any(one) and any(value is not None for value in two) for one, two in zip(timed, telling))  # noqa: B905  # as long as each other
            failed = [one or other for one, other in zip(failed, zeros, strict=True)]
        return failed

    def _add(
        self,
        table: _Table,
        cells: Sequence[Sequence[str]],
        columns: list[Sequence[float | None]],
        failed: list[bool],
        found: Callable[[], Found],
    ) -> bool:
        """Add rows that are alike together; False when only the readers can tell what one of them means."""
        models = self._models_of(table.plan, cells, found)
        if models is None:
            return False
        whole = self._whole(table.plan, cells, columns)
        if whole is None:
            return False
        cold = _cold(table.plan, columns, models, failed)
        self._note(table, cells, found)
        keys = list(zip(models, cold, whole, strict=True))
        if True in failed:
            for model, of_whole in compress(zip(models, whole, strict=True), failed):
                table.sink.add_failed(model, whole=of_whole)
        for key in dict.fromkeys(key for key, one in zip(keys, failed, strict=True) if not one):
            wanted = [one == key and not other for one, other in zip(keys, failed, strict=True)]
            own = columns if all(wanted) else [list(compress(column, wanted)) for column in columns]
            table.sink.add_columns(key, own, sum(wanted), self._into)
        return True

    def _models_of(
        self, plan: Plan, cells: Sequence[Sequence[str]], found: Callable[[], Found]
    ) -> list[str | None] | None:
        """The model of each row; None when some rows have one and others do not."""
        count = len(cells[0])
        if plan.model is not None:
            texts = cells[plan.model]
            named = {text: self._models.named(text) for text in set(texts)}
            different = set(named.values())
            if None not in different:
                return [named[text] for text in texts]
            if len(different) > 1:
                return None
        return [self._models.of_file(found()) if plan.named else None] * count

    def _whole(
        self, plan: Plan, cells: Sequence[Sequence[str]], columns: Sequence[Sequence[float | None]]
    ) -> list[bool] | None:
        """Whether the rate of each row is that of whole requests; None where its count is of words."""
        count = len(columns[0])
        if plan.whole is None:
            return [False] * count
        whole = [plan.whole.holds(values, plan.slots) for values in zip(*columns, strict=True)]
        if plan.answer is not None and any(
            one and len(text.split()) == tokens
            for one, text, tokens in zip(whole, cells[plan.answer], columns[plan.whole.tokens], strict=True)
        ):
            return None
        return whole

    def _note(self, table: _Table, cells: Sequence[Sequence[str]], found: Callable[[], Found]) -> None:
        """Count a file of the table, and its columns of numbers that are not understood."""
        if not table.sink.files:
            table.sink.first = found().shown
        table.sink.files += 1
        for at, remark in table.plan.unnamed:
            first = next(filter(None, cells[at]), "")
            if number_value(first) is not None:
                self._into.say(remark._replace(values=len(cells[at])), found().shown)


class _Header:
    """A header that can be asked: a table of it with one row."""

    def __init__(self, header: str, ask: Ask) -> None:
        self._header = header
        self._ask = ask
        self.delimiter = max(_DELIMITERS, key=header.count)
        lines = list(csv.reader([header], delimiter=self.delimiter, skipinitialspace=True))
        self.names = [name.strip() for name in lines[0]] if lines else []
        self.numbers: list[Any] = []
        self.texts: list[Any] = []
        self.flags: list[Any] = []
        columns = range(len(self.names))
        values = {at: 1_000_003.5 + 17 * at for at in columns}
        said = self.ask(values) if ";" not in header and len(set(self.names)) == len(self.names) else None
        if said is None or said.row is None:
            return
        known = {name for _, _, name in said.row.numbers}
        self.numbers = [at for at in columns if self.names[at] in known]
        self.texts = [at for at in columns if self.names[at] not in known]

    def ask(self, values: Mapping[Any, Any]) -> Answer | None:
        """Let the readers read a table with a row of these values."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter).writerow([values.get(at, "") for at in range(len(self.names))])
        reading = self._ask(f"{self._header}\n{text.getvalue()}".encode())
        if reading.format != "table" or len(reading.rows) > 1:
            return None
        return Answer(reading.rows[0] if reading.rows else None, tuple(reading.remarks))

    def name(self, at: Any) -> str:
        """The name of a column."""
        name: str = self.names[at]
        return name

    def arranged(self, slots: list[Slot]) -> list[Slot]:
        """As they come."""
        return slots


def _rows(text: str, table: _Table) -> list[list[str]] | None:
    """The lines below the header as cells; None when there is anything among them but full rows."""
    if "\n#" in text or "\0" in text:
        return None
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=table.delimiter, skipinitialspace=True)
    try:
        rows = list(lines)
    except csv.Error:
        return None
    del rows[0]
    return rows if set(map(len, rows)) == {table.width} else None


def _some_numbers(texts: Sequence[str]) -> list[float | None] | None:
    """Numbers among cells that say nothing; None when one says anything else."""
    column: list[float | None] = []
    for text in texts:
        written = number_value(text)
        if written is None:
            if not is_nothing(text):
                return None
            column.append(None)
        elif written.unit is not None:
            return None
        else:
            column.append(written.value)
    return column


def _cold(
    plan: Plan, columns: Sequence[Sequence[float | None]], models: list[str | None], failed: Sequence[bool]
) -> list[bool | None]:
    if plan.load is None or len(failed) < FEWEST:
        return [None] * len(failed)
    scale = plan.slots[plan.load].term.scale
    loads = [
        None if one or value is None else value * scale for value, one in zip(columns[plan.load], failed, strict=True)
    ]
    return cold_rows(models, loads)
