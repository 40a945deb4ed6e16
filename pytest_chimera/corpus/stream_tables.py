"""CSV files of known headers, straight from their columns into summaries."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.blocks import failed_rows, rows_of_words, whole_rows
from pytest_chimera.corpus.cells import number_value
from pytest_chimera.corpus.plans import Answer, learn
from pytest_chimera.corpus.quantities import is_nothing
from pytest_chimera.corpus.rows import Row
from pytest_chimera.corpus.sinks import Sink, cold_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_chimera.corpus.blocks import Column, Fields
    from pytest_chimera.corpus.gathered import Counts, Gathered
    from pytest_chimera.corpus.plans import Plan, Slot
    from pytest_chimera.corpus.shapes import Ask
    from pytest_chimera.corpus.sinks import Key, Models
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
        wanted = {slot.at for slot in plan.slots} | {at for at, _ in plan.checks} | {at for at, _ in plan.unnamed}
        self.wanted = sorted(wanted | {at for at in (plan.model, plan.answer) if at is not None})
        """Columns that are looked at."""


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
        fields = _columns(text, table)
        if fields is None:
            return False
        numbers = self._numbers(table, fields, grouped="_" in text[end:])
        if numbers is None:
            return False
        columns, gaps = numbers
        failed = failed_rows(table.plan, fields, columns, self._spare)
        rows = self._keyed(table.plan, fields, columns, failed, found)
        if rows is None:
            return False
        self._note(table, fields, found)
        table.sink.add_columns(rows, columns, len(columns[0]), self._into, gaps=gaps)
        counts.rows += len(columns[0])
        counts.failed += len(failed)
        counts.numbers += len(columns[0]) * len(columns)
        return True

    def finish(self) -> None:
        """Say what was not understood, and count what failed."""
        for table in self._tables.values():
            if table is not None:
                table.sink.finish(self._into)

    def _learn(self, header: str) -> _Table | None:
        if header in self._tables or len(header) > _LONGEST_HEADER or '"' in header or "\r" in header:
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

    def _numbers(self, table: _Table, fields: Fields, *, grouped: bool) -> tuple[list[Column], bool] | None:
        """(columns that hold numbers, whether any is missing); None when a cell holds anything else."""
        columns: list[Column] = []
        gaps = False
        for slot in table.plan.slots:
            texts = fields[slot.at]
            if grouped and "_" in "".join(texts):
                return None
            try:
                column = list(map(float, texts))
                total = sum(column)
            except ValueError:
                total = math.nan
            if total - total == 0:
                columns.append(column)
                continue
            some = _some_numbers(texts)
            if some is None or not all(any(map(str.strip, row)) for row in zip(*fields.values(), strict=True)):
                return None
            columns.append(some)
            gaps = True
        return columns, gaps

    def _keyed(
        self,
        plan: Plan,
        fields: Fields,
        columns: Sequence[Column],
        failed: set[int],
        found: Callable[[], Found],
    ) -> dict[Key, Sequence[int]] | None:
        """The rows that are counted together; None when only the readers can tell what one of them means."""
        whole = whole_rows(plan, columns)
        models = self._by_model(plan, fields, len(columns[0]), found)
        if models is None or rows_of_words(plan, fields, columns, whole):
            return None
        loads = None if plan.load is None else columns[plan.load]
        rows: dict[Key, Sequence[int]] = {}
        for model, own in models.items():
            fine = own
            if failed:
                rows[model, None, False, True] = [row for row in own if row in failed]
                fine = [row for row in own if row not in failed]
            if loads is None:
                rows[model, None, False, False] = fine
            else:
                rows |= _by_load(model, fine, loads)
        return _by_whole(rows, whole) if whole else rows

    def _by_model(
        self, plan: Plan, fields: Fields, count: int, found: Callable[[], Found]
    ) -> dict[str | None, Sequence[int]] | None:
        """The rows of each model; None when some rows have one and others do not."""
        if plan.model is not None:
            texts = fields[plan.model]
            if texts.count(texts[0]) == count and (model := self._models.named(texts[0])) is not None:
                return {model: range(count)}
            rows: dict[str | None, list[int]] = {}
            for row, text in enumerate(texts):
                rows.setdefault(self._models.named(text), []).append(row)
            if None not in rows:
                return dict(rows)
            if len(rows) > 1:
                return None
        return {self._models.of_file(found()) if plan.named else None: range(count)}

    def _note(self, table: _Table, fields: Fields, found: Callable[[], Found]) -> None:
        """Count a file of the table, and its columns of numbers that are not understood."""
        if not table.sink.files:
            table.sink.first = found().shown
        table.sink.files += 1
        for at, remark in table.plan.unnamed:
            known = {text: number_value(text) is not None for text in set(fields[at])}
            count = sum(map(known.__getitem__, fields[at]))
            if count:
                self._into.say(remark._replace(values=count), found().shown)


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


def _columns(text: str, table: _Table) -> Fields | None:
    """The columns below the header that matter; None when there is anything among them but full rows."""
    if "\n#" in text or "\0" in text:
        return None
    if '"' not in text:  # then there is little for csv to do
        width, delimiter = table.width + 1, table.delimiter
        # The ends of lines become cells, which stand where they should when all rows are full.
        flat = text.replace("\r\n" if "\r" in text else "\n", f"{delimiter}\0{delimiter}")
        if "\n" in flat or "\r" in flat:
            return None
        cells = flat.split(delimiter)
        if cells[-1]:
            cells.append("\0")
        else:
            cells.pop()
        lines = len(cells) // width
        if lines * width != len(cells) or cells[table.width :: width].count("\0") != lines or lines == 1:
            return None
        return {at: cells[width + at :: width] for at in table.wanted}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=table.delimiter, skipinitialspace=True)
    try:
        rows = list(reader)
    except csv.Error:
        return None
    del rows[0]
    return dict(enumerate(zip(*rows, strict=True))) if set(map(len, rows)) == {table.width} else None


def _by_load(model: str | None, rows: Sequence[int], loads: Column) -> dict[Key, Sequence[int]]:
    """Rows of one model of a file, none of which failed: cold, warm, and those of which that cannot be told."""
    own = loads if len(rows) == len(loads) else [loads[row] for row in rows]
    some = [load for load in own if load is not None] if None in own else own
    bound = cold_bound(some)  # type: ignore[arg-type]  # none of them is None
    if bound is None:
        return {(model, None, False, False): rows} if rows else {}
    told = zip(rows, own, strict=True)
    if some is own:
        cold = [row for row, load in told if load > bound]  # type: ignore[operator]  # same
        warm: Sequence[int] = rows
        if cold:
            warm = [row for row in rows if loads[row] <= bound]  # type: ignore[operator]  # same
        return {(model, False, False, False): warm, (model, True, False, False): cold}
    found: dict[Key, Sequence[int]] = {}
    for row, load in told:
        found.setdefault((model, None if load is None else load > bound, False, False), []).append(row)  # type: ignore[attr-defined]  # lists all
    return found


def _by_whole(rows: Mapping[Key, Sequence[int]], whole: Sequence[bool]) -> dict[Key, Sequence[int]]:
    """The same, with rows apart whose rate is that of whole requests."""
    apart: dict[Key, list[int]] = {}
    for (model, cold, _, failed), members in rows.items():
        for row in members:
            apart.setdefault((model, cold, whole[row], failed), []).append(row)
    return dict(apart)


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
