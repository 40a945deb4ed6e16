"""A Markdown text in pieces: each a cell, a heading or a line of prose that knows what stands around it.

Reports are written by people and by programs that lose line breaks, so a heading or the head of a table may be glued
to the end of a line of prose. Marks of emphasis are blanked and not removed: every column stays where it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from pytest_chimera.report.claims.tables import (
    FLAT_SEPARATOR,
    Table,
    columns_of,
    end_of_row,
    is_separator,
    split_row,
    start_of_head,
)

MAX_LINE = 20_000
"""Characters of a line that are read; no report has such a line, and every step stays linear."""
MAX_PIECE = 2_000
"""Characters of a piece; longer text is read in parts, so that no number has more around it than this."""

_HEADING = re.compile(r"(?:^\s{0,3}|(?<=\S)\s)(#{1,6})\s+(?=\S)")
_BULLET = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)\s*([\w+#.-]*)")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*")
_RULER = re.compile(r"\s*(?:[-*_=]\s*){3,}")
_TEXT_FENCES = frozenset({"", "text", "txt", "console", "output", "log", "plain", "plaintext"})
_SETTING_FENCES = frozenset({"yaml", "yml", "json", "toml", "ini"})
_CONFIG_LINE = re.compile(r"\s*(?:\w+\s)?(?:config\w*|settings?|options|parameters)\s*:", re.IGNORECASE)
_CODE_LINE = re.compile(r"(?:def|class|import|from|for|if|return|with|try|except)\s")

_MOST_LEADS = 6
"""Texts that introduce a piece; a list is indented no deeper."""
_WRAPPED = 50
"""Characters of a line that was broken because it was full; shorter lines were ended on purpose."""
_KEY = re.compile(r"\W*[\w ()/-]{1,40}:(?:\s|$)")

Kind = Literal["prose", "cell", "heading", "code"]


@dataclass(frozen=True, slots=True)
class Section:
    """The text below one heading, up to the next of any level."""

    number: int
    headings: tuple[str, ...]
    """From the title down to its own."""
    lines: list[str] = field(default_factory=list)
    fences: list[str] = field(default_factory=list)
    """Lines of blocks that hold settings."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is read as one."""

    line: int
    """From 1."""
    column: int
    """Of its first character in its line, from 0."""
    text: str
    """Marks of emphasis and of lists are blanks."""
    kind: Kind
    section: Section
    leads: tuple[str, ...] = ()
    """What introduces it: the line that ends in a colon above it, then the items that it is indented under."""
    siblings: tuple[str, ...] = ()
    """Lines of the same list."""
    table: Table | None = None
    row: int = 0
    cell: int = 0
    breaks: tuple[tuple[int, int], ...] = ()
    """Where its further lines begin in `text`, each with the column of its first character."""

    def at(self, place: int) -> tuple[int, int]:
        """Line and column of a place in `text`."""
        line, begin, column = self.line, 0, self.column
        for number, (start, first) in enumerate(self.breaks, 1):
            if start > place:
                break
            line, begin, column = self.line + number, start, first
        return line, column + place - begin

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of its row; empty where it is no cell."""
        return self.table.rows[self.row] if self.table else ()

    @property
    def header(self) -> str:
        """The head of its column."""
        return self.table.header[self.cell] if self.table and self.cell < len(self.table.header) else ""


def blanked(text: str) -> str:
    """`text` without its marks of emphasis, at the same length."""
    return text.replace("**", "  ").replace("__", "  ").replace("`", " ").replace("\\|", "  ").replace("\t", " ")


class Reader:
    """Cuts one text into pieces; made once and used once."""

    def __init__(self, text: str) -> None:
        self.lines = [line[:MAX_LINE] for line in re.split(r"\r\n|\r|\n", text)]
        self.pieces: list[Piece] = []
        self.sections = [Section(0, ())]
        self._stack: list[tuple[int, str]] = []
        self._lead = ""
        self._items: list[tuple[int, str]] = []
        self._list: list[str] = []
        self._fence: str | None = None
        self._fence_kind = ""
        self._fence_lead = ""
        self._table: Table | None = None
        self._tables = 0
        self._table_lead = ""
        self._last = ""

    def read(self) -> list[Piece]:
        """All pieces, in order."""
        for index, line in enumerate(self.lines):
            if not self._inside_fence(line, index + 1):
                self._line(index, line)
        return self.pieces

    @property
    def title(self) -> str:
        """The first heading; empty when there is none."""
        return next((section.headings[0] for section in self.sections if section.headings), "")

    def _inside_fence(self, line: str, number: int) -> bool:
        match = _FENCE.match(line)
        if self._fence is not None:
            if match and match[1].startswith(self._fence):
                self._fence = None
            else:
                self._fenced(line, number)
            return True
        if not match or line.count("`") > len(match[1]):
            return False
        self._fence, self._fence_kind, self._fence_lead = match[1], match[2].lower(), ""
        self._table = None
        return True

    def _fenced(self, line: str, number: int) -> None:
        if self._fence_kind in _SETTING_FENCES:
            self.sections[-1].fences.append(line)
            return
        if self._fence_kind not in _TEXT_FENCES or _CODE_LINE.match(line.strip()):
            return
        text = blanked(line)
        self.sections[-1].lines.append(text)
        leads = tuple(each for each in (self._lead, self._fence_lead) if each)
        self._add(number, 0, _without_bullet(text), "code", leads)
        if text.rstrip().endswith(":") or _CONFIG_LINE.match(text):
            self._fence_lead = text.strip()

    def _line(self, index: int, line: str) -> None:
        """One line outside of fences, which may hold the ends and beginnings of several things."""
        following = self.lines[index + 1] if index + 1 < len(self.lines) else ""
        head = is_separator(following) and "|" in line
        if is_separator(line):
            return
        rest, column = line, 0
        if head:
            self._table = None
        if self._table is not None:
            rest, column = self._row(index + 1, line)
            if not rest.strip():
                return
        flat = FLAT_SEPARATOR.search(rest)
        if flat:
            self._flat(index + 1, rest, column, flat)
            return
        if head:
            count = columns_of(following)
            start = start_of_head(rest, count)
            self._prose(index + 1, rest[:start], column)
            self._open(tuple(text for _, text in split_row(blanked(rest[start:]), count)))
            return
        if _underlined(rest, following):
            rest = f"# {rest}"
            column -= 2
        self._prose(index + 1, rest, column)

    def _open(self, header: tuple[str, ...]) -> None:
        self._tables += 1
        self._table_lead = next((each for each in (self._last, self._lead) if each.endswith(":")), "")
        self._table = Table(self._tables, tuple(each.strip() for each in header))

    def _row(self, number: int, line: str) -> tuple[str, int]:
        """Take a row of the open table; what remains of the line and where it begins."""
        table = self._table
        assert table is not None, "only asked for with a table open"
        if "|" not in line or not line.lstrip().startswith("|"):
            self._table = None
            return line, 0
        glued = _HEADING.search(line, 1)
        row = line[: glued.start()] if glued else line
        self._cells(number, split_row(blanked(row), len(table.header)), 0)
        end = min(end_of_row(row, len(table.header)), len(row))
        rest = line[end:]
        if rest.strip():
            self._table = None
        return rest, end

    def _cells(self, number: int, cells: list[tuple[int, str]], column: int) -> None:
        table = self._table
        assert table is not None, "only asked for with a table open"
        texts = [text.strip() for _, text in cells]
        if texts and not texts[0] and table.rows:
            texts[0] = table.rows[-1][0]
        table.rows.append(tuple(texts))
        self.sections[-1].lines.append(" | ".join(texts))
        leads = (self._table_lead,) if self._table_lead else ()
        for place, (start, text) in enumerate(cells):
            self._add(number, column + start, text, "cell", leads, table=table, row=len(table.rows) - 1, cell=place)

    def _flat(self, number: int, line: str, column: int, separator: re.Match[str]) -> None:
        """A whole table on one line."""
        count = columns_of(separator[0])
        before = line[: separator.start()].rstrip().removesuffix("|").rstrip() + " |"
        start = start_of_head(before, count)
        self._prose(number, line[:start], column)
        self._open(tuple(text for _, text in split_row(blanked(before[start:]), count)))
        body, offset = line[separator.end() :], separator.end()
        while body.lstrip().startswith("|"):
            skipped = len(body) - len(body.lstrip())
            self._cells(number, split_row(blanked(body[skipped:]), count), column + offset + skipped)
            end = skipped + end_of_row(body[skipped:], count)
            body, offset = body[end:], offset + end
        self._table = None
        self._prose(number, body, column + offset)

    def _prose(self, number: int, line: str, column: int) -> None:
        """Prose in which headings may be glued to the end of sentences."""
        marks = list(_HEADING.finditer(line))
        edges = [0, *(mark.start() for mark in marks), len(line)]
        for start, end, mark in zip(edges, edges[1:], [None, *marks], strict=False):
            text = line[start:end]
            if mark is None:
                self._sentence(number, text, column + start)
            else:
                self._heading(number, text, column + start, len(mark[1]))

    def _heading(self, number: int, text: str, column: int, level: int) -> None:
        clean = re.sub(r"#", " ", blanked(text))
        clean = re.sub(r"^(\s*)(\d+(?:\.\d+)*[.)]?)(?=\s)", lambda match: match[1] + " " * len(match[2]), clean)
        self._stack = [each for each in self._stack if each[0] < level]
        self._stack.append((level, clean.strip()))
        self.sections.append(Section(len(self.sections), tuple(each for _, each in self._stack)))
        self._lead, self._last, self._items, self._list, self._table = "", "", [], [], None
        self._add(number, column, clean, "heading", ())

    def _sentence(self, number: int, line: str, column: int) -> None:
        text = blanked(line)
        if not text.strip() or _RULER.fullmatch(text):
            return
        self.sections[-1].lines.append(text)
        bullet = _BULLET.match(text)
        if not bullet and self._continues(number, text, column):
            return
        indent = len(text) - len(text.lstrip())
        said = _without_bullet(text)
        self._last = said.strip()
        if bullet or (indent and self._items):
            self._items = [each for each in self._items if each[0] < indent]
            every = (self._lead, *(each for _, each in self._items))
            leads = tuple(each for each in every if each)[-_MOST_LEADS:]
            self._list.append(said.strip())
            self._add(number, column, said, "prose", leads, siblings=self._list)
            if bullet:
                self._items.append((indent, said.strip()))
            return
        self._items, self._list = [], []
        self._add(number, column, said, "prose", ())
        self._lead = said.strip() if said.rstrip().endswith(":") else _paragraph_lead(said)

    def _continues(self, number: int, text: str, column: int) -> bool:
        """Whether a line goes on with the paragraph or item before it, which it is then joined to."""
        last = self.pieces[-1] if self.pieces else None
        if last is None or last.kind != "prose" or column or last.line + len(last.breaks) != number - 1:
            return False
        before = self.lines[number - 2]
        if (
            len(before) < _WRAPPED
            or before.endswith(("  ", "\\", ":"))
            or _KEY.match(text)
            or len(last.text) > MAX_PIECE - len(text)
        ):
            return False
        start = len(last.text) + 1
        object.__setattr__(last, "text", f"{last.text} {text}")  # nobody has seen it yet
        object.__setattr__(last, "breaks", (*last.breaks, (start, 0)))
        self._last = text.strip()
        if not last.siblings:
            self._lead = text.strip() if text.rstrip().endswith(":") else ""
        return True

    def _add(
        self, number: int, column: int, text: str, kind: Kind, leads: tuple[str, ...],
        *, siblings: list[str] | None = None, table: Table | None = None, row: int = 0, cell: int = 0,
    ) -> None:  # fmt: skip
        while len(text) > MAX_PIECE and kind != "cell":
            end = text.rfind(" ", MAX_PIECE // 2, MAX_PIECE) + 1 or MAX_PIECE
            self.pieces.append(Piece(number, column, text[:end], kind, self.sections[-1], leads))
            text, column = text[end:], column + end
        text = text[:MAX_PIECE]
        piece = Piece(number, column, text, kind, self.sections[-1], leads, (), table, row, cell)
        if siblings is not None:
            object.__setattr__(piece, "siblings", siblings)  # the list grows until its last item has been read
        self.pieces.append(piece)


def _without_bullet(text: str) -> str:
    match = _BULLET.match(text)
    return " " * match.end() + text[match.end() :] if match else text


def _paragraph_lead(text: str) -> str:
    """A paragraph introduces what follows where it is short, as "Settings: 10 timed runs" is."""
    return text.strip() if re.search(r":\s|:$", text) and len(text) < 160 else ""  # noqa: PLR2004  # about two lines


def _underlined(line: str, following: str) -> bool:
    """Whether the next line makes a heading of this one."""
    return bool(
        line.strip()
        and _UNDERLINE.fullmatch(following)
        and len(following.strip()) > 2  # noqa: PLR2004  # "--" is a dash
        and not _BULLET.match(line)
        and "|" not in line
        and ("=" in following or (len(line.strip()) < _WRAPPED and not line.rstrip().endswith((".", ":", ";", ","))))
    )
