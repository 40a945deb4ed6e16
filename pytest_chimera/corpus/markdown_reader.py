"""Numbers in Markdown: tables (also glued to prose or flattened into one line) and values beside their names.

All of them are claims: somebody wrote them down. Numbers within sentences are not read as measurements; how many lines
hold some is said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.corpus.markdown_lines import (
    glued_header,
    glued_heading,
    heading_of,
    is_rule,
    rule_within,
    split_cells,
    without_bullet,
)
from pytest_chimera.corpus.models import model_of
from pytest_chimera.corpus.named import read_named
from pytest_chimera.corpus.rows import Reading, Remark, Row
from pytest_chimera.corpus.table import Ambient, Table
from pytest_chimera.corpus.times import read_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_chimera.corpus.bounds import Bounds
    from pytest_chimera.corpus.markdown_lines import Heading, Rule
    from pytest_chimera.corpus.vocabulary import Vocabulary

_SEVERAL = re.compile(r"\s\|\s|;\s|,\s(?=[A-Z*][^,:]{1,60}:)")
_DIGIT = re.compile(r"\d")
_MARKUP = "*`_ \t"
_SAYS_NOTHING = frozenset({"unknown", "statistic", "environment", "ignored"})
"""Kinds of names beside which no value is read."""
_TOLD_OF_ALL = frozenset({"network", "device", "dtype", "backend"})
_LONGEST_NAME = 80
_LONGEST_TITLE = 400
_LONGEST_RULE = 4096
_VALUE = re.compile(r"[-+\u2212~≈]?\s*\**[\d,]*\.?\d+(?:[eE][-+]?\d+)?\s?(?:[A-Za-zµμ%\u00d7°]+(?:/[A-Za-z]+)?)?")
_TAG = re.compile(
    r"(?<![\w/.:-])([A-Za-z][\w.-]*[A-Za-z0-9]:(?=[\w.-]*[A-Za-z])[\w][\w.-]*|[A-Za-z][\w.-]*:latest)(?![\w/:-])"
)
_MOST_PARTS = 12
"""Values in one line: "Avg speedup: 1.64x | Avg efficiency: 81.9 %"."""


class TableLines(NamedTuple):
    """A table as found in a text."""

    line: int
    """Line of its header, from 1."""
    header: list[str]
    rows: list[tuple[int, list[str]]]
    """(line, cells)."""


class MarkdownReader:
    """Reads one text."""

    def __init__(self, vocabulary: Vocabulary, bounds: Bounds) -> None:
        self._vocabulary = vocabulary
        self._bounds = bounds
        self.reading = Reading("report")
        self._headings: list[str] = []
        self._section: Row | None = None
        self._schema: dict[str, None] = {}
        self._prose = 0
        self._fenced = 0
        self._fence: str | None = None
        self._rows = 0
        self._about: dict[str, str] = {}
        self._about_model: str | None = None
        self._known_labels: dict[str, str] | None = None

    def read(self, text: str) -> Reading:
        """Everything that is understood of a text."""
        self._read_lines(text)
        self._close()
        self.reading.schema = list(self._schema)
        if self._prose:
            why = "lines with numbers in sentences, which are claims to check and not read as measurements"
            self.reading.remarks.append(Remark("", why, "prose", self._prose))
        if self._fenced:
            self.reading.remarks.append(
                Remark("", "lines with numbers in fenced code, not read", "prose", self._fenced)
            )
        return self.reading

    def _read_lines(self, text: str) -> None:
        """Line by line; what most lines hold, which is nothing, is told by tests that cost little."""
        lines = text.split("\n")
        if "\r" in text:
            lines = [line.rstrip("\r") for line in lines]
        longest = self._bounds.line_chars
        after = 0
        for index, line in enumerate(lines):
            if index < after or not line:
                continue
            if (self._fence is not None or "```" in line or "~~~" in line) and self._is_fenced(line):
                continue
            if len(line) > longest:
                self._too_long(line, index + 1)
            elif "|" in line and (table := self._table(lines, index)) is not None:
                self._take_table(table)
                after = max(index, table.rows[-1][0], table.line) if table.rows else index + 2
            elif "#" in line:
                self._line(line, index + 1)
            elif ":" in line:
                self._claims(line, index + 1)
            elif _DIGIT.search(line) is not None:
                self._prose += 1

    def _too_long(self, line: str, number: int) -> None:
        if line.strip():
            self.reading.remarks.append(Remark(f"line {number}", "longer than lines that are read", "refused"))

    def _is_fenced(self, line: str) -> bool:
        """Whether a line is code or a mark around it, as CommonMark has it."""
        stripped = line.lstrip()
        if self._fence is not None:
            if stripped.startswith(self._fence) and not stripped.strip("`~ "):
                self._fence = None
            elif _DIGIT.search(line) is not None:
                self._fenced += 1
            return True
        if stripped.startswith(("```", "~~~")) and "`" not in stripped.lstrip("`"):
            self._fence = stripped[: len(stripped) - len(stripped.lstrip(stripped[0]))]
            return True
        return False

    def _table(self, lines: Sequence[str], index: int) -> TableLines | None:
        """The table whose header stands at (or at the end of) this line."""
        line = lines[index]
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if "|" in following and len(following) < len(line) + _LONGEST_RULE and is_rule(following):
            columns = len(split_cells(following))
            before, header = glued_header(line, columns)
            if header is None:
                return None
            if before.strip():
                self._line(before, index + 1)
            return TableLines(index + 1, header, list(_body(lines, index + 2, columns)))
        rule = rule_within(line) if "--" in line and line.count("|") > 3 else None  # noqa: PLR2004  # a header and a rule
        return None if rule is None else self._flattened(line, rule, index)

    def _flattened(self, line: str, rule: Rule, index: int) -> TableLines | None:
        """A table whose line breaks were lost: cells by number of columns."""
        columns = rule.columns
        before, header = glued_header(line[: rule.start].rstrip(), columns)
        if header is None:
            return None
        if before.strip():
            self._line(before, index + 1)
        cells = [cell.strip() for cell in line[rule.end :].strip().split("|")]
        rows = []
        position = 1 if cells and not cells[0] else 0
        while position + columns <= len(cells):
            rows.append((index + 1, cells[position : position + columns]))
            position += columns + 1
        return TableLines(index + 1, header, rows)

    def _take_table(self, found: TableLines) -> None:
        self._close()
        header = [cell.replace("**", "").strip("*` ") for cell in found.header]
        if len(header) > self._bounds.columns:
            why = f"{len(header)} columns; at most {self._bounds.columns} are read"
            self.reading.remarks.append(Remark(f"line {found.line}", why, "refused"))
            return
        table = Table(header, self._vocabulary)
        for name in header:
            if len(self._schema) < self._bounds.names:
                self._schema.setdefault(name)
        ambient = Ambient(self._model(), labels=self._labels())
        series = f"table at line {found.line}"
        nameless = any(column.at == 0 for column in table.columns.unknown)
        before = ""
        for line, raw in found.rows:
            cells = [cell.replace("**", "").strip("*` ") for cell in raw]
            if cells and not cells[0]:  # a blank first cell repeats the one above
                cells[0] = before
            elif cells:
                before = cells[0]
            self._rows += 1
            row = table.row(f"line {line}", self._rows, cells, ambient, series)
            if nameless and cells[0]:
                self._first_cell(row, header[0], cells[0])
            _by_note(row, cells)
            if row.numbers:
                self._keep(row)
        self.reading.remarks.extend(table.remarks(f"line {found.line}"))

    def _first_cell(self, row: Row, name: str, cell: str) -> None:
        """What the first cell of a row names, where its column has no meaning of its own."""
        tag = _TAG.search(cell) if ":" in cell else None
        if tag is not None and row.model is None:
            row.model, row.quantization, row.size = model_of(tag[1])
        row.labels.setdefault(name.lower()[:40] or "name", cell[: self._bounds.quote])

    def _line(self, line: str, number: int) -> None:
        """A heading, a bullet with named values, or a sentence; also a heading that is glued to the end of one."""
        at = glued_heading(line) if "#" in line else 0
        if at > 0:
            before = line[:at]
            if not (before.startswith("#") and self._heads(before, number)):
                self._claims(before, number)
            line = line[at:]
        if not ("#" in line and self._heads(line, number)):
            self._claims(line, number)

    def _heads(self, line: str, number: int) -> bool:
        heading = heading_of(line)
        if heading is not None:
            self._open(heading, number)
        return heading is not None

    def _claims(self, line: str, number: int) -> None:
        """Named values in a bullet or sentence; one with other numbers is prose."""
        understood = False
        if ":" in line:
            text = without_bullet(line)
            several = "|" in text or ";" in text or text.rfind(":") > text.find(",") >= 0  # or looks like it
            for part in _SEVERAL.split(text)[:_MOST_PARTS] if several else (text,):
                understood = self._named(part, number) or understood
        if not understood and _DIGIT.search(line) is not None:
            self._prose += 1

    def _named(self, text: str, number: int) -> bool:
        """A value beside its name: "Throughput: 48.47 tok/s", "**Mean TTFT (Time to First Token):** 0.165 seconds"."""
        name, _, said = text.partition(":")
        name, said = name.strip(_MARKUP), said.strip(_MARKUP)
        if not said or not 1 < len(name) <= _LONGEST_NAME:
            return False
        kind, canonical = self._vocabulary.plain(name)
        if kind in {"role", "label", "setting"}:
            return self._about_row(kind, canonical, name, said, number)
        value = _VALUE.match(said)
        return value is not None and self._take(name, value[0].replace("~", "").replace("≈", "").strip(), number)

    def _about_row(self, kind: str, canonical: str, name: str, said: str, number: int) -> bool:
        """What holds for the numbers that follow: a model, a time, a label, a setting."""
        if canonical == "model":
            self._about_model_of(said)
            return True
        if canonical == "time":
            found = read_time(said.rstrip("."))
            if found is not None and self.reading.time is None:
                self.reading.time, self.reading.zone = found
            return found is not None
        if kind == "role":
            return False
        self._about[canonical] = said[: self._bounds.quote]
        self._known_labels = None
        return kind == "label" or self._take(name, said, number)

    def _take(self, name: str, value: str, number: int) -> bool:
        if self._vocabulary.meaning(name).kind in _SAYS_NOTHING:
            return False
        if self._section is None:
            self._section = Row(f"line {number}", number=None, series=" / ".join(self._headings[-2:]))
        row = Row(f"line {number}", series=self._section.series)
        understood = read_named(row, name, value, self._vocabulary)
        if row.numbers:
            model = self._model()
            if model is not None:
                row.model, row.quantization, row.size = model_of(model)
            row.labels.update(self._labels())
            row.parameters.update(self._section.parameters)
            self._rows += 1
            row.number = self._rows
            self._keep(row)
        else:
            self._section.parameters.update(row.parameters)
        return understood

    def _keep(self, row: Row) -> None:
        row.provenance = "claim"
        self.reading.rows.append(row)

    def _open(self, heading: Heading, number: int) -> None:
        self._close()
        title = heading.title[:_LONGEST_TITLE]
        self._headings[heading.level - 1 :] = [title]
        self._known_labels = None
        glued = title.find(" - Generated: ")
        if glued >= 0:
            self._named(title[glued + 3 :], number)

    def _close(self) -> None:
        self._section = None

    def _about_model_of(self, said: str) -> None:
        tag = _TAG.search(said)
        if tag is not None:
            self._about_model = tag[1]
        else:
            self._about["network"] = said.split(" ", maxsplit=1)[0].strip("`*,;")[: self._bounds.quote]
            self._known_labels = None

    def _model(self) -> str | None:
        """The model that the nearest heading names, else the one that the text said it is about."""
        for heading in reversed(self._headings):
            tag = _TAG.search(heading) if ":" in heading else None
            if tag is not None:
                return tag[1]
        return self._about_model

    def _labels(self) -> dict[str, str]:
        """What tells the rows here from others; made anew after each heading and each line about all of them."""
        if self._known_labels is None:
            self._known_labels = {name: value for name, value in self._about.items() if name in _TOLD_OF_ALL}
            if self._headings:
                self._known_labels["section"] = self._headings[-1][: self._bounds.quote]
        return self._known_labels


def _body(lines: Sequence[str], start: int, columns: int) -> Iterator[tuple[int, list[str]]]:
    for index in range(start, len(lines)):
        line = lines[index]
        if "|" not in line:
            return
        if not line.lstrip().startswith("|") and line.count("|") < min(columns - 1, 2):  # prose with a bar
            return
        yield index + 1, split_cells(line)


def _by_note(row: Row, cells: Sequence[str]) -> None:
    """A row whose note holds an error failed, whatever its numbers say."""
    if row.failure is None:
        for cell in cells:
            if cell.startswith("error="):
                row.failure = cell[6:306]
                return
