"""From a header and lines of cells to rows: what CSV files and Markdown tables have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.corpus.cells import label_value, number_value, options_of, set_model, set_time, setting_value
from pytest_chimera.corpus.fate import has_model_metrics, judge, said_error, said_success, settle_tokens
from pytest_chimera.corpus.quantities import is_nothing, unit_of
from pytest_chimera.corpus.rows import Remark, Row, Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.corpus.vocabulary import Meaning, Vocabulary


_LISTED = 8
"""Unknown names that a remark lists."""


class Ambient(NamedTuple):
    """What holds for every row of a table, from what stands around it."""

    model: str | None = None
    parameters: Mapping[str, float | str] = {}
    labels: Mapping[str, str] = {}
    time: tuple[str, str] | None = None


class _Column(NamedTuple):
    index: int
    name: str
    meaning: Meaning
    term: Term | None


class Table:
    """The columns of one table, understood once; `row` then reads line by line."""

    def __init__(
        self, names: Sequence[str], vocabulary: Vocabulary, *, units: Sequence[str] = (), comma: bool = False
    ) -> None:
        self._vocabulary = vocabulary
        self._comma = comma
        self.numbers: list[_Column] = []
        self.settings: list[_Column] = []
        self.labels: list[_Column] = []
        self.roles: dict[str, list[_Column]] = {}
        self.ambiguous: list[_Column] = []
        self.unknown: list[_Column] = []
        self.environment: list[_Column] = []
        for index, name in enumerate(names):
            if name.strip():
                self._place(index, name.strip(), units[index].strip() if index < len(units) else "")
        self._unnamed: set[int] = set()
        """Columns that hold numbers under names that are not known."""
        self._remarked: dict[str, list[int | str]] = {}
        self._long = self._is_long()

    def _place(self, index: int, name: str, unit: str) -> None:
        meaning = self._vocabulary.meaning(name)
        term = meaning.term
        if meaning.kind == "number" and unit:
            term = self._vocabulary.term(meaning.name, meaning.statistic, unit.lower(), in_name=True) or term
        column = _Column(index, name, meaning, term)
        if meaning.kind == "number":
            self.numbers.append(column)
        elif meaning.kind == "setting":
            self.settings.append(column)
        elif meaning.kind == "label":
            self.labels.append(column)
        elif meaning.kind == "role":
            self.roles.setdefault(meaning.name, []).append(column)
        elif meaning.kind == "ambiguous":
            self.ambiguous.append(column)
        elif meaning.kind == "environment":
            self.environment.append(column)
        elif meaning.kind in {"unknown", "statistic"}:
            self._place_unknown(column)

    def _place_unknown(self, column: _Column) -> None:
        """A setting with a word before it ("agent_a_num_ctx") keeps its whole name; all else stays unknown."""
        words = [word for word in column.name.lower().replace(" ", "_").split("_") if word]
        for start in range(1, len(words)):
            if self._vocabulary.meaning("_".join(words[start:])).kind == "setting":
                self.settings.append(column._replace(meaning=column.meaning._replace(name="_".join(words))))
                return
        self.unknown.append(column)

    @property
    def speaks_of_performance(self) -> bool:
        """Whether any column can hold a number that is kept."""
        return bool(self.numbers or self.ambiguous or self._long)

    def _is_long(self) -> bool:
        return "name" in self.roles and "value" in self.roles

    def row(self, place: str, number: int, cells: Sequence[str], ambient: Ambient, series: str = "") -> Row:
        """One line of the table; whatever of it is not understood is remembered for `remarks`."""
        row = Row(place, number=number, series=series)
        row.parameters.update(ambient.parameters)
        row.labels.update(ambient.labels)
        if ambient.model is not None:
            set_model(row, ambient.model)
        self._conditions(row, cells)
        for column in self.numbers:
            if column.index < len(cells):
                self._number(row, column, cells[column.index])
        if self._long:
            self._long_number(row, cells)
        for column in self.unknown:
            if column.index < len(cells) and column.index not in self._unnamed and number_value(cells[column.index]):
                self._unnamed.add(column.index)
        self._resolve(row, cells)
        if row.time is None and ambient.time is not None:
            row.time, row.zone = ambient.time  # type: ignore[assignment]  # read_time returns nothing but zones
        return row

    def _conditions(self, row: Row, cells: Sequence[str]) -> None:
        size = len(cells)
        for column in self.settings:
            if column.index < size and (value := setting_value(cells[column.index])) is not None:
                if isinstance(value, str) and column.meaning.name in {"num_ctx", "num_gpu", "num_batch"}:
                    row.labels[label_value(column.name.lower())] = value  # "Context" may be an event of a game
                else:
                    row.parameters[column.meaning.name] = value
        for column in self.labels:
            if column.index < size and not is_nothing(cells[column.index]):
                row.labels.setdefault(column.meaning.name, label_value(cells[column.index]))
        for column in self.roles.get("model", ()):
            if column.index < size and cells[column.index].strip() and not set_model(row, cells[column.index]):
                row.labels.setdefault("model", label_value(cells[column.index]))
        for column in self.roles.get("time", ()):
            if column.index < size and cells[column.index]:
                set_time(row, cells[column.index])
        for column in self.roles.get("options", ()):
            if column.index < size:
                self._options(row, cells[column.index])
        for column in self.roles.get("n", ()):
            if column.index < size and (written := number_value(cells[column.index])) is not None:
                row.n = int(written.value)

    def _options(self, row: Row, cell: str) -> None:
        for name, value in (options_of(cell) or {}).items():
            known = setting_value(value)
            if known is not None:
                meaning = self._vocabulary.meaning(name)
                row.parameters.setdefault(meaning.name if meaning.kind == "setting" else name, known)

    def _number(self, row: Row, column: _Column, cell: str) -> None:
        """One cell under a known metric; empty is a value that is not there."""
        written = number_value(cell, comma=self._comma)
        if written is None:
            if is_nothing(cell):
                term = column.term or self._vocabulary.term(column.meaning.name, column.meaning.statistic, "s")
                if term is not None:
                    row.numbers.append((term, None, column.name))
            else:
                self._remember("broken", f"{column.name} holds text that is no number", column.name)
            return
        term = column.term
        if written.unit is not None:
            term = self._vocabulary.term(column.meaning.name, column.meaning.statistic, written.unit)
            if term is None and unit_of(written.unit) == ("rate", 1.0):
                term = self._vocabulary.term("tok/s", column.meaning.statistic, written.unit)
        if term is None:
            self._remember("no unit", f"{column.name} has no unit that fits", column.name)
            return
        row.add(term, written.value, column.name)

    def _long_number(self, row: Row, cells: Sequence[str]) -> None:
        """A line of a table of names and values: "Mean TTFT | 0.165 s"."""
        name, value = (
            cells[self.roles[role][0].index] if self.roles[role][0].index < len(cells) else ""
            for role in ("name", "value")
        )
        unit_column = self.roles.get("unit", [None])[0]
        unit = cells[unit_column.index] if unit_column is not None and unit_column.index < len(cells) else ""
        read_named(row, name, f"{value} {unit}".strip(), self._vocabulary, self._remember)

    def _resolve(self, row: Row, cells: Sequence[str]) -> None:
        """What the whole row decides: ambiguous numbers, and whether it failed."""
        answer = self._text("answer", cells)
        tokens = None
        for column in self.ambiguous:
            written = number_value(cells[column.index], comma=self._comma) if column.index < len(cells) else None
            if written is None:
                continue
            name = column.meaning.name.partition(":")[0]
            if name == "tokens" and written.unit in {None, "tokens", "tok"}:
                tokens = (written.value, column.name, column.meaning.statistic)
            elif name == "throughput" and (
                has_model_metrics(row) if written.unit is None else unit_of(written.unit) == ("rate", 1.0)
            ):
                row.add(Term("tok/s", column.meaning.statistic, 1.0, "rate"), written.value, column.name)
            elif name in {"size", "memory"} and written.unit is not None and (known := unit_of(written.unit)):
                if known[0] == "bytes":
                    metric = "model_size" if name == "size" else "ram_used"
                    row.add(self._vocabulary.term(metric, "value", written.unit) or Term(metric, "value", 1.0, "bytes"),
                            written.value, column.name)  # fmt: skip
            else:
                self._remember(
                    "ambiguous", f"{column.name} is ambiguous: {column.meaning.name.partition(': ')[2]}", column.name
                )
        why = settle_tokens(row, tokens, answer, self._vocabulary)
        if why is not None and tokens is not None:
            self._remember("ambiguous", f"{tokens[1]} is ambiguous: {why}", tokens[1])
        success = self._text("success", cells)
        judge(
            row,
            said_error(self._text("error", cells)),
            success=None if success is None else said_success(success),
            answer=answer,
        )

    def _text(self, role: str, cells: Sequence[str]) -> str | None:
        for column in self.roles.get(role, ()):
            if column.index < len(cells) and cells[column.index].strip():
                return cells[column.index]
        return None

    def _remember(self, kind: str, reason: str, name: str) -> None:
        seen = self._remarked.setdefault(f"{kind}\n{reason}", [0, name])
        seen[0] = int(seen[0]) + 1

    def remarks(self, place: str = "", *, rows: int = 0) -> list[Remark]:
        """What was not understood of its columns and cells, a line each."""
        found = [
            Remark(f"{place} {names[1]}".strip(), reason.partition("\n")[2], reason.partition("\n")[0], int(names[0]))
            for reason, names in self._remarked.items()
        ]
        unnamed = [column for column in self.unknown if column.index in self._unnamed]
        if unnamed:
            names = ", ".join(column.name[:40] for column in unnamed[:_LISTED])
            more = f" and {len(unnamed) - _LISTED} more" if len(unnamed) > _LISTED else ""
            why = f"columns of numbers with names that are not known: {names}{more}"
            found.append(Remark(place, why, "unknown name", len(unnamed) * max(rows, 1)))
        return found


def read_named(row: Row, name: str, value: str, vocabulary: Vocabulary, remember: object = None) -> bool:
    """Read a value that stands beside its name, "Mean TTFT: 0.165 s", into `row`; whether anything was understood."""
    meaning = vocabulary.meaning(name)
    if meaning.kind == "setting":
        known = setting_value(value)
        if known is not None:
            row.parameters[meaning.name] = known
        return known is not None
    if meaning.kind == "role":
        return (meaning.name == "model" and set_model(row, value)) or (meaning.name == "time" and set_time(row, value))
    if meaning.kind == "label":
        row.labels.setdefault(meaning.name, label_value(value))
        return True
    written = number_value(value)
    if written is None:
        return False
    term = None
    if meaning.kind == "number":
        term = vocabulary.term(meaning.name, meaning.statistic, written.unit) if written.unit else meaning.term
    if term is None and written.unit is not None and unit_of(written.unit) == ("rate", 1.0):
        if meaning.kind in {"ambiguous", "unknown"} and not meaning.name.startswith("throughput"):
            return False
        term = vocabulary.term("tok/s", meaning.statistic, written.unit)
    if term is None:
        if callable(remember) and meaning.kind in {"number", "ambiguous"}:
            remember("no unit", f"{label_value(name)} has no unit that fits", label_value(name))
        return False
    row.add(term, written.value, label_value(name))
    return True
