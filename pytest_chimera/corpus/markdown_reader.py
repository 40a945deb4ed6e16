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

    def read(self, text: str) -> Reading:
        """Everything that is understood of a text."""
        lines = text.split("\n")
        after = 0
        for index, raw in enumerate(lines):
            line = raw.rstrip("\r")
            if index < after or self._is_fenced(line) or not line.strip():
                continue
            if len(line) > self._bounds.line_chars:
                self.reading.remarks.append(Remark(f"line {index + 1}", "longer than lines that are read", "refused"))
                continue
            table = self._table(lines, index) if "|" in line else None
            if table is None:
                self._line(line, index + 1)
                continue
            self._take_table(table)
            after = max(index, *(number for number, _ in table.rows), table.line) if table.rows else index + 2
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
        line = lines[index].rstrip("\r")
        following = lines[index + 1].rstrip("\r") if index + 1 < len(lines) else ""
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
        before = ""
        for line, raw in found.rows:
            cells = [cell.replace("**", "").strip("*` ") for cell in raw]
            if cells and not cells[0]:  # a blank first cell repeats the one above
                cells[0] = before
            elif cells:
                before = cells[0]
            self._rows += 1
            row = table.row(f"line {line}", self._rows, cells, ambient, f"table at line {found.line}")
            self._first_cell(row, header, cells, table)
            _by_note(row, cells)
            if row.numbers:
                self._keep(row)
        self.reading.remarks.extend(table.remarks(f"line {found.line}"))

    def _first_cell(self, row: Row, header: Sequence[str], cells: Sequence[str], table: Table) -> None:
        """What the first cell of a row names, where its column has no meaning of its own."""
        unknown = {column.at for column in table.columns.unknown}
        if cells and 0 in unknown and cells[0]:
            tag = _TAG.search(cells[0])
            if tag is not None and row.model is None:
                row.model, row.quantization, row.size = model_of(tag[1])
            row.labels.setdefault(header[0].lower()[:40] or "name", cells[0][: self._bounds.quote])

    def _line(self, line: str, number: int) -> None:
        """A heading, a bullet with named values, or a sentence."""
        if "#" in line:
            at = glued_heading(line)
            if at > 0:
                self._plain(line[:at], number)
                line = line[at:]
            heading = heading_of(line)
            if heading is not None:
                self._open(heading, number)
                return
        self._plain(line, number)

    def _plain(self, line: str, number: int) -> None:
        """A line that is no heading, or one that stands before another in its line."""
        heading = heading_of(line) if line.startswith("#") else None
        if heading is not None:
            self._open(heading, number)
            return
        understood = False
        if ":" in line:
            text = without_bullet(line)
            parts = _SEVERAL.split(text)[:_MOST_PARTS] if "|" in text or "," in text or ";" in text else (text,)
            for part in parts:
                understood = self._named(part, number) or understood
        if not understood and _DIGIT.search(line) is not None:
            self._prose += 1

    def _named(self, text: str, number: int) -> bool:
        """A value beside its name: "Throughput: 48.47 tok/s", "**Mean TTFT (Time to First Token):** 0.165 seconds"."""
        name, colon, said = text.partition(":")
        name, said = name.strip(_MARKUP), said.strip(_MARKUP)
        if not colon or not said or not 1 < len(name) <= _LONGEST_NAME:
            return False
        value = _VALUE.match(said)
        kind, canonical = self._vocabulary.plain(name)
        if kind in {"role", "label", "setting"}:
            return self._about_row(kind, canonical, name, said, number)
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
        return kind == "label" or self._take(name, said, number)

    def _take(self, name: str, value: str, number: int) -> bool:
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

    def _model(self) -> str | None:
        """The model that the nearest heading names, else the one that the text said it is about."""
        for heading in reversed(self._headings):
            tag = _TAG.search(heading)
            if tag is not None:
                return tag[1]
        return self._about_model

    def _labels(self) -> dict[str, str]:
        labels = {
            name: value for name, value in self._about.items() if name in {"network", "device", "dtype", "backend"}
        }
        if self._headings:
            labels["section"] = self._headings[-1][: self._bounds.quote]
        return labels


def _body(lines: Sequence[str], start: int, columns: int) -> Iterator[tuple[int, list[str]]]:
    for index in range(start, len(lines)):
        line = lines[index].rstrip("\r")
        if "|" not in line:
            return
        if not line.lstrip().startswith("|") and line.count("|") < min(columns - 1, 2):  # prose with a bar
            return
        yield index + 1, split_cells(line)


def _by_note(row: Row, cells: Sequence[str]) -> None:
    """A row whose note holds an error failed, whatever its numbers say."""
    if row.failure is None:
        note = next((cell for cell in cells if cell.startswith("error=")), None)
        if note is not None:
            row.failure = note[6:306]
