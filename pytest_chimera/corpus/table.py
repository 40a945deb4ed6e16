"""From a header and lines of cells to rows: what CSV files and Markdown tables have in common."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pytest_chimera.corpus.cells import (
    count_value,
    label_value,
    number_value,
    options_of,
    set_model,
    set_time,
    setting_value,
)
from pytest_chimera.corpus.columns import Columns
from pytest_chimera.corpus.fate import (
    has_model_metrics,
    judge,
    only_zeros,
    said_error,
    said_success,
    settle_foot,
    settle_tokens,
)
from pytest_chimera.corpus.models import is_tagged
from pytest_chimera.corpus.named import read_named
from pytest_chimera.corpus.quantities import is_nothing, unit_of
from pytest_chimera.corpus.rows import Remark, Row, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_chimera.corpus.columns import Column
    from pytest_chimera.corpus.vocabulary import Vocabulary
    from pytest_chimera.records import Zone

_LISTED = 8
"""Unknown names that a remark lists."""
_REMEMBERED = 10_000
"""Different cells of a column whose meaning is kept."""
_NAN = float("nan")
_TELLING = frozenset({"time", "rate"})
"""Dimensions of which a row of nothing but zeros says that it failed."""
_WHOLE_NUMBERS = frozenset({"num_ctx", "num_gpu", "num_batch"})


class Ambient(NamedTuple):
    """What holds for every row of a table, from what stands around it."""

    model: str | None = None
    parameters: Mapping[str, float | str] = {}
    labels: Mapping[str, str] = {}
    time: tuple[str, Zone] | None = None


class _Once(dict[str, Any]):
    """Cell -> what it says; the different cells of a column are few, so that each is understood once."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: str) -> Any:
        value = self._read(cell)
        if len(self) < _REMEMBERED:
            self[cell] = value
        return value


class Table:
    """One table; `row` reads it line by line."""

    def __init__(
        self, names: Sequence[str], vocabulary: Vocabulary, *, units: Sequence[str] = (), comma: bool = False
    ) -> None:
        self.columns = Columns(names, vocabulary, units)
        self._vocabulary = vocabulary
        self._comma = comma
        self._unnamed: dict[int, int] = {}
        """Columns that hold numbers under names that are not known, and how many."""
        self._remarked: dict[tuple[str, str, str], int] = {}
        self._settings = [(each.at, each.meaning.name, _Once(setting_value)) for each in self.columns.settings]
        self._labels = [(each.at, each.meaning.name, _Once(_label)) for each in self.columns.labels]
        self._unknown = [(each.at, _Once(number_value)) for each in self.columns.unknown]
        self._plain = [
            (each.at, None if comma or each.term is None else each.term.scale, each) for each in self.columns.numbers
        ]
        """(position, scale where a cell may be a bare number, column) of each column of numbers."""
        self._known_options = _Once(partial(_options, vocabulary))
        roles = self.columns.roles
        self._readers = [
            (column.at, self._READERS[role])
            for role, columns in roles.items()
            if role in self._READERS
            for column in columns
        ]
        self._tells_fate = not roles.keys().isdisjoint({"answer", "error", "success"})
        self._held = Row("")
        """What conditions among the lines of a table of names and values say."""
        self._named_rows: list[Row] = []
        metrics = {column.meaning.name for column in self.columns.numbers}
        self._may_be_whole = bool(self.columns.ambiguous) or {"tok/s", "latency"} <= metrics

    def row(self, place: str, number: int, cells: Sequence[str], ambient: Ambient, series: str = "") -> Row:
        """One line of the table; whatever of it is not understood is remembered for `remarks`."""
        row = Row(place, number=number, series=series)
        if ambient.parameters:
            row.parameters.update(ambient.parameters)
        if ambient.labels:
            row.labels.update(ambient.labels)
        if ambient.model is not None:
            set_model(row, ambient.model)
        size = len(cells)
        self._conditions(row, cells, size)
        for at, read in self._readers:
            if at < size and cells[at]:
                read(self, row, cells[at])
        zeros = self._numbers(row, cells, size)
        if self.columns.long:
            self._long_number(row, cells)
        if self._unknown:
            self._count_unnamed(cells, size)
        if zeros or self._may_be_whole or self._tells_fate:
            self._resolve(row, cells, zeros=zeros)
        if row.time is None and ambient.time is not None:
            row.time, row.zone = ambient.time
        return row

    def _count_unnamed(self, cells: Sequence[str], size: int) -> None:
        for at, number_in in self._unknown:
            if at < size and number_in[cells[at]] is not None:
                self._unnamed[at] = self._unnamed.get(at, 0) + 1

    def _conditions(self, row: Row, cells: Sequence[str], size: int) -> None:
        """Settings and labels; a column has few different cells, so each is understood once."""
        for at, name, said_in in self._settings:
            if at < size:
                value = said_in[cells[at]]
                if value is None:
                    continue
                if value.__class__ is str and name in _WHOLE_NUMBERS:
                    written = next(each.name for each in self.columns.settings if each.at == at)
                    row.labels[label_value(written.lower())] = value  # "Context" may be an event of a game
                else:
                    row.parameters[name] = value
        for at, name, said_in in self._labels:
            if at < size:
                value = said_in[cells[at]]
                if value is not None:
                    row.labels.setdefault(name, value)

    def _model(self, row: Row, cell: str) -> None:
        if not settle_foot(row, cell) and not set_model(row, cell):
            row.labels.setdefault("model", label_value(cell))

    def _name(self, row: Row, cell: str) -> None:
        """A "name" without a "value" beside it is that of the row: a model where it has a tag."""
        if self.columns.long or settle_foot(row, cell):
            return
        if not (is_tagged(cell) and set_model(row, cell)):
            row.labels.setdefault("name", label_value(cell))

    def _time(self, row: Row, cell: str) -> None:
        set_time(row, cell)

    def _count(self, row: Row, cell: str) -> None:
        row.n = count_value(cell) or row.n

    def _settings_in(self, row: Row, cell: str) -> None:
        for name, value in self._known_options[cell].items():
            row.parameters.setdefault(name, value)

    def _numbers(self, row: Row, cells: Sequence[str], size: int) -> bool:
        """The cells under known metrics; whether none of them is anything but zero."""
        zeros = True
        numbers = row.numbers
        for at, scale, column in self._plain:
            if at >= size:
                continue
            cell = cells[at]
            try:
                value = float(cell) if cell else _NAN
            except ValueError:
                value = _NAN
            if value - value != 0 or scale is None or "_" in cell:
                zeros = not self._number(row, column, cell) and zeros
                continue
            _, name, _, term = column
            numbers.append((term, value * scale, name))  # type: ignore[arg-type]  # it has a scale, so it is a term
            if zeros and value and term.dimension in _TELLING:  # type: ignore[union-attr]  # same
                zeros = False
        return zeros

    def _number(self, row: Row, column: Column, cell: str) -> bool:
        """A cell that is not simply a number; whether it holds one that is not zero. Empty is a value not there."""
        written = number_value(cell, comma=self._comma)
        name, meaning, term = column.name, column.meaning, column.term
        if written is None:
            if is_nothing(cell):
                term = term or self._vocabulary.term(meaning.name, meaning.statistic, "s")
                if term is not None:
                    row.numbers.append((term, None, name))
            elif not set_time(row, cell):  # "time" may be a time of day
                self._remember("broken", f"{name[: _LISTED * 10]} holds text that is no number", name)
            return False
        if written.unit is not None:
            term = self._vocabulary.term(meaning.name, meaning.statistic, written.unit)
            if term is None and unit_of(written.unit) == ("rate", 1.0):
                term = self._vocabulary.term("tok/s", meaning.statistic, written.unit)
        if term is None:
            self._remember("no unit", f"{name[: _LISTED * 10]} has no unit that fits", name)
            return False
        row.add(term, written.value, name)
        return written.value != 0

    def _long_number(self, row: Row, cells: Sequence[str]) -> None:
        """A line of a table of names and values: "Mean TTFT | 0.165 s"; a condition among them holds for all lines."""
        name, value, unit = (self._text(role, cells) or "" for role in ("name", "value", "unit"))
        held = self._held
        understood = read_named(row, name, f"{value} {unit}".strip(), self._vocabulary, self._remember)
        if not row.numbers:
            if understood:
                held.parameters.update(row.parameters)
                held.labels.update(row.labels)
                held.model, held.quantization, held.size = row.model or held.model, row.quantization, row.size
            elif number_value(value) is not None:
                self._remember("unknown name", f"{label_value(name)[:80]} is not known", label_value(name)[:80])
        self._named_rows.append(row)
        for each in self._named_rows if understood and not row.numbers else (row,):
            for key, setting in held.parameters.items():
                each.parameters.setdefault(key, setting)
            if each.model is None:
                each.model, each.quantization, each.size = held.model, held.quantization, held.size

    def _resolve(self, row: Row, cells: Sequence[str], *, zeros: bool) -> None:
        """What the whole row decides: ambiguous numbers, and whether it failed."""
        roles = self.columns.roles
        answer = self._text("answer", cells) if "answer" in roles else None
        if self._may_be_whole:
            tokens = None
            for column in self.columns.ambiguous:
                if column.at < len(cells):
                    tokens = self._ambiguous(row, column, cells[column.at]) or tokens
            why = settle_tokens(row, tokens, answer, self._vocabulary)
            if why is not None and tokens is not None:
                self._remember("ambiguous", f"{tokens[1]} is ambiguous: {why}", tokens[1])
        error = said_error(self._text("error", cells)) if "error" in roles else None
        success = self._text("success", cells) if "success" in roles else None
        judge(
            row,
            error,
            success=None if success is None else said_success(success),
            answer=answer,
            zeros=zeros and only_zeros(row),
        )

    def _ambiguous(self, row: Row, column: Column, cell: str) -> tuple[float, str, str] | None:
        """Resolve what can be told by unit or neighbours; (value, name, statistic) of a bare "tokens"."""
        written = number_value(cell, comma=self._comma)
        if written is None:
            return None
        name, _, why = column.meaning.name.partition(": ")
        statistic = column.meaning.statistic
        unit = None if written.unit is None else unit_of(written.unit)
        if name == "tokens" and written.unit in {None, "tokens", "tok"}:
            return written.value, column.name, statistic
        if name == "throughput" and (has_model_metrics(row) if unit is None else unit == ("rate", 1.0)):
            row.add(Term("tok/s", statistic, 1.0, "rate"), written.value, column.name)
        elif name in {"size", "memory"} and unit is not None and unit[0] == "bytes":
            term = self._vocabulary.term("model_size" if name == "size" else "ram_used", "value", written.unit)
            if term is not None:
                row.add(term, written.value, column.name)
        else:
            self._remember("ambiguous", f"{column.name} is ambiguous: {why}", column.name)
        return None

    def _text(self, role: str, cells: Sequence[str]) -> str | None:
        for column in self.columns.roles.get(role, ()):
            if column.at < len(cells) and cells[column.at].strip():
                return cells[column.at]
        return None

    def _remember(self, kind: str, reason: str, name: str) -> None:
        key = (kind, reason, name[:80])
        self._remarked[key] = self._remarked.get(key, 0) + 1

    def remarks(self, place: str = "") -> list[Remark]:
        """What was not understood of its columns and cells, a line each."""
        found = [
            Remark(f"{place} {name}".strip(), reason, kind, count)
            for (kind, reason, name), count in self._remarked.items()
        ]
        unnamed = [column for column in self.columns.unknown if column.at in self._unnamed]
        if unnamed:
            names = ", ".join(column.name[:40] for column in unnamed[:_LISTED])
            more = f" and {len(unnamed) - _LISTED} more" if len(unnamed) > _LISTED else ""
            why = f"columns of numbers with names that are not known: {names}{more}"
            found.append(Remark(place, why, "unknown name", sum(self._unnamed.values())))
        return found

    _READERS: ClassVar[Mapping[str, Callable[[Table, Row, str], None]]] = {
        "model": _model, "time": _time, "options": _settings_in, "n": _count, "name": _name,
    }  # fmt: skip
    """Role of a column -> what its cells say of their row; of the class, for of each table it would be a cycle."""


def _options(vocabulary: Vocabulary, cell: str) -> dict[str, float | str]:
    """The settings in a cell that holds JSON."""
    known = {}
    for name, value in (options_of(cell) or {}).items():
        setting = setting_value(value)
        if setting is not None:
            meaning = vocabulary.meaning(name)
            known[meaning.name if meaning.kind == "setting" else name[:80]] = setting
    return known


def _label(cell: str) -> str | None:
    return None if is_nothing(cell) else label_value(cell)
