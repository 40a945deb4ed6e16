"""What a report is made of before it is text: sections of blocks, blocks of spans.

A number is a `Number` with its fact, text from elsewhere a `Label` or a `Fence`, and only sentences of ours are plain
strings: so whoever renders it can neither lose a source nor let foreign text act. Nothing here computes or escapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_chimera.gate.wording import percent
from pytest_chimera.units import UNKNOWN, format_value, s_to_ms

if TYPE_CHECKING:
    from pytest_chimera.records import Fact


Form = Literal["people", "ms", "n", "plain", "change", "p"]
"""How a number is printed. people: three digits and a fitting unit. ms: always milliseconds. n: how many values.
plain: no unit. change: a percentage with its sign. p: two digits, and that it is small where it is."""


_TIMES = frozenset({"speedup"})
_CLEAR = 1e-4
"""A p-value below this is only said to be below."""
_SHARES = frozenset({"eta2", "partial eta2", "p", "p of trend", "spread", "change", "share"})


@dataclass(frozen=True, slots=True)
class Label:
    """Text from elsewhere in one line: a name, an option, an error."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words of ours that stand out."""

    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Words of a model that were checked: escaped as any text from elsewhere, but read as a sentence."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number as it is printed, with the fact it comes from."""

    fact: Fact
    form: Form = "people"
    written: str | None = None
    """The number as somebody else wrote it, where it was checked against the fact and is printed so."""

    @property
    def text(self) -> str:
        """The digits and the unit."""
        if self.written is not None or self.form == "n":
            return self.written or str(self.fact.n)
        value = self.fact.value
        if value is None:
            return UNKNOWN
        if self.form in {"change", "p"}:
            return percent(value) if self.form == "change" else p_value(value)
        if self.form == "ms":
            return f"{s_to_ms(value):.2f} ms"
        if self.form == "plain" and value == round(value):
            return f"{value:.0f}"
        return f"{value:.2f}x" if self._is_times else format_value(value, self.fact.dimension)

    @property
    def _is_times(self) -> bool:
        """Whether it is a ratio that people write as "1.85x"."""
        fact = self.fact
        return fact.metric in _TIMES and fact.dimension == "ratio" and fact.statistic not in _SHARES


Span: TypeAlias = str | Strong | Label | Prose | Number
"""A part of a line; a plain string is a sentence of ours."""

Line: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    line: Line


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    lines: tuple[Line, ...]
    cite: bool = False
    """Whether the facts are named behind each line instead of being linked from its numbers."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section."""

    line: Line
    level: Literal[3, 4] = 3


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the columns named in `right` hold numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    right: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fence:
    """Text from elsewhere in lines of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """The place of pictures, if any are drawn."""

    of: str = ""
    """Which of them; those that belong to no other place stand here if it is empty."""


@dataclass(frozen=True, slots=True)
class FactTable:
    """The place of the table of all facts that the document cites."""

    subjects: bool = False
    """Whether it says of whom each fact speaks."""


Block: TypeAlias = Paragraph | Bullets | Heading | Table | Fence | Pictures | FactTable


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the report."""

    title: str
    blocks: tuple[Block, ...]
    number: int | None = None
    """Printed before its title where sections are numbered."""

    @property
    def text(self) -> str:
        """Its words and numbers without any markup, a line for each paragraph, list item and row of a table."""
        return "\n".join(line for block in self.blocks for line in _block_lines(block))

    @property
    def words(self) -> int:
        """How many words its text has."""
        return len(self.text.split())

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that its numbers come from, each once, in order."""
        found = {
            span.fact.id: span.fact
            for block in self.blocks
            for line in block_spans(block)
            for span in line
            if isinstance(span, Number)
        }
        return tuple(found.values())


def block_spans(block: Block) -> tuple[Line, ...]:
    """The lines of spans in a block; of a table its cells."""
    if isinstance(block, (Paragraph, Heading)):
        return (block.line,)
    if isinstance(block, Bullets):
        return block.lines
    if isinstance(block, Table):
        return tuple(cell for row in block.rows for cell in row)
    return ()


def cell(*spans: Span) -> Line:
    """Spans as one line, such as a cell of a table."""
    return spans


def p_value(value: float) -> str:
    """How often chance alone does as much: "0.62", "0.0034", "< 0.0001"."""
    return f"< {_CLEAR}" if value < _CLEAR else f"{value:.2g}"


def plain(line: Line) -> str:
    """A line without any markup."""
    return "".join(span if isinstance(span, str) else span.text for span in line)


def joined(lines: tuple[Line, ...], separator: str = ", ") -> Line:
    """Several lines as one, with a separator between."""
    spans: list[Span] = []
    for line in lines:
        if spans:
            spans.append(separator)
        spans.extend(line)
    return tuple(spans)


def _block_lines(block: Block) -> list[str]:
    if isinstance(block, Fence):
        return block.text.splitlines()
    if isinstance(block, Table):
        rows = [" | ".join(plain(cell) for cell in row) for row in block.rows]
        return [" | ".join(block.head), *rows]
    return [plain(line) for line in block_spans(block)]
