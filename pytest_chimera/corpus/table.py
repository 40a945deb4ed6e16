"""From a header and lines of cells to rows: what CSV files and Markdown tables have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
    from collections.abc import Mapping, Sequence

    from pytest_chimera.corpus.columns import Column
    from pytest_chimera.corpus.vocabulary import Vocabulary
    from pytest_chimera.records import Zone

_LISTED = 8
"""Unknown names that a remark lists."""
_REMEMBERED = 10_000
"""Different cells of a column whose meaning is kept."""
_WHOLE_NUMBERS = frozenset({"num_ctx", "num_gpu", "num_batch"})


class Ambient(NamedTuple):
    """What holds for every row of a table, from what stands around it."""

    model: str | None = None
    parameters: Mapping[str, float | str] = {}
    labels: Mapping[str, str] = {}
    time: tuple[str, Zone] | None = None


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
        self._cells: dict[tuple[int, str], Any] = {}
        self._role_readers = {
            "model": self._model, "time": set_time, "options": self._settings_in, "n": self._count, "name": self._name,
        }  # fmt: skip
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
        self._roles(row, cells, size)
        zeros = self._numbers(row, cells, size)
        if self.columns.long:
            self._long_number(row, cells)
        for column in self.columns.unknown:
            at = column.at
            if at < size and self._once(at, cells[at], number_value) is not None:
                self._unnamed[at] = self._unnamed.get(at, 0) + 1
        self._resolve(row, cells, zeros=zeros)
        if row.time is None and ambient.time is not None:
            row.time, row.zone = ambient.time
        return row

    def _conditions(self, row: Row, cells: Sequence[str], size: int) -> None:
        """Settings and labels; a column has few different cells, so each is understood once."""
        for column in self.columns.settings:
            if column.at < size:
                value = self._once(column.at, cells[column.at], setting_value)
                if value is None:
                    continue
                if value.__class__ is str and column.meaning.name in _WHOLE_NUMBERS:
                    row.labels[label_value(column.name.lower())] = value  # "Context" may be an event of a game
                else:
                    row.parameters[column.meaning.name] = value
        for column in self.columns.labels:
            if column.at < size:
                value = self._once(column.at, cells[column.at], _label)
                if value is not None:
                    row.labels.setdefault(column.meaning.name, value)

    def _once(self, at: int, cell: str, read: Any) -> Any:
        key = (at, cell)
        if key in self._cells:
            return self._cells[key]
        value = read(cell)
        if len(self._cells) < _REMEMBERED:
            self._cells[key] = value
        return value

    def _roles(self, row: Row, cells: Sequence[str], size: int) -> None:
        """Model, time, options and number of values."""
        for role, columns in self.columns.roles.items():
            read = self._role_readers.get(role)
            if read is not None:
                for column in columns:
                    if column.at < size and cells[column.at]:
                        read(row, cells[column.at])

    def _model(self, row: Row, cell: str) -> None:
        if not settle_foot(row, cell) and not set_model(row, cell):
            row.labels.setdefault("model", label_value(cell))

    def _name(self, row: Row, cell: str) -> None:
        """A "name" without a "value" beside it is that of the row: a model where it has a tag."""
        if self.columns.long or settle_foot(row, cell):
            return
        if not (is_tagged(cell) and set_model(row, cell)):
            row.labels.setdefault("name", label_value(cell))

    def _count(self, row: Row, cell: str) -> None:
        row.n = count_value(cell) or row.n

    def _settings_in(self, row: Row, cell: str) -> None:
        for name, value in self._once(-1, cell, self._options).items():
            row.parameters.setdefault(name, value)

    def _options(self, cell: str) -> dict[str, float | str]:
        known = {}
        for name, value in (options_of(cell) or {}).items():
            setting = setting_value(value)
            if setting is not None:
                meaning = self._vocabulary.meaning(name)
                known[meaning.name if meaning.kind == "setting" else name[:80]] = setting
        return known

    def _numbers(self, row: Row, cells: Sequence[str], size: int) -> bool:
        """The cells under known metrics; whether none of them is anything but zero."""
        zeros = True
        numbers = row.numbers
        for column in self.columns.numbers:
            at, name, _, term = column
            if at >= size:
                continue
            cell = cells[at]
            try:
                value = float(cell)
            except ValueError:
                zeros = not self._number(row, column, cell) and zeros
                continue
            if term is None or value - value != 0 or "_" in cell or self._comma:
                zeros = not self._number(row, column, cell) and zeros
                continue
            numbers.append((term, value * term.scale, name))
            if value != 0 and term.dimension in {"time", "rate"}:
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


def _label(cell: str) -> str | None:
    return None if is_nothing(cell) else label_value(cell)
