"""Expectations of the Markdown of an answer: its headings, in their order.

A heading is a line that begins with one to six "#" and a space, or one that is underlined by "=" or "-". Lines within a
code fence are none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.suites.expectations.excerpt import beginning, place, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t](.*))?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_NO_TITLE = re.compile(r"[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]|[>|]|$)")
"""Begins a line that underlining makes no heading of: a list, a quotation, a table, nothing."""
_EMPHASIS = "*_ \t"
_MOST_NAMED = 10


class Line(NamedTuple):
    """One line of a text."""

    text: str
    start: int
    code: bool
    """Whether it is part of a code fence."""


class Head(NamedTuple):
    """One heading."""

    title: str
    """Without "#" and emphasis."""
    level: int
    start: int
    end: int


def sections(wanted: Sequence[str], text: str) -> Iterator[str]:
    """Each of `wanted` is a heading, in this order and in these letters; others may stand between them.

    One that is written with "#" has that level, one without any.
    """
    found = headings(text)
    behind = 0
    for each in wanted:
        at = next((i for i in range(behind, len(found)) if _is(found[i], each)), None)
        if at is None:
            yield f"sections: {_missing(each, found, behind, text)}"
        else:
            behind = at + 1


def lines(text: str) -> Iterator[Line]:
    """The lines of a text, and which of them are code."""
    fence, start = "", 0
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        opened = fence
        if not fence and mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
        elif fence and mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""
        yield Line(line, start, bool(opened or fence))
        start += len(line) + 1


def headings(text: str) -> tuple[Head, ...]:
    """The headings of a Markdown text."""
    found: list[Head] = []
    before: Line | None = None
    for line in lines(text):
        head = None if line.code else _heading(line, before)
        if head is not None:
            found.append(head)
        before = None if line.code or head is not None else line
    return tuple(found)


def _heading(line: Line, before: Line | None) -> Head | None:
    mark = _ATX.match(line.text)
    if mark:
        return Head(_title(mark[2] or ""), len(mark[1]), line.start, line.start + len(line.text))
    under = _UNDERLINE.match(line.text)
    if under and before is not None and not _NO_TITLE.match(before.text):
        level = 1 if under[1][0] == "=" else 2
        return Head(before.text.strip().strip(_EMPHASIS), level, before.start, before.start + len(before.text))
    return None


def _title(text: str) -> str:
    """The title without a closing row of "#", and without emphasis."""
    whole = text.strip()
    open_ = whole.rstrip("#")
    if open_ != whole and (not open_ or open_[-1] in " \t"):
        whole = open_
    return whole.strip(_EMPHASIS)


def _is(head: Head, wanted: str, *, fold: bool = False) -> bool:
    """Whether a heading is the wanted one; with `fold` in any letters and of any level."""
    mark = _ATX.match(wanted.strip())
    title = _title(mark[2] or "") if mark else wanted.strip().strip(_EMPHASIS)
    if fold:
        return head.title.casefold() == title.casefold()
    return head.title == title and (mark is None or len(mark[1]) == head.level)


def _missing(wanted: str, found: Sequence[Head], behind: int, text: str) -> str:
    early = next((each for each in found[:behind] if _is(each, wanted)), None)
    if early is not None:
        last = found[behind - 1]
        return f"{quoted(wanted)} stands before {quoted(last.title)}, in {place(text, early.start, early.end)}"
    said = f"there is no heading {quoted(wanted)}"
    other = next((each for each in found if _is(each, wanted, fold=True)), None)
    if other is not None:
        return f"{said}; it is written otherwise in {place(text, other.start, other.end)}"
    plain = next((each for each in lines(text) if _says(each.text, wanted)), None)
    if plain is not None:
        where = place(text, plain.start, plain.start + len(plain.text))
        return f"{said}; {'within code' if plain.code else 'as plain text'} it is in {where}"
    if not found:
        return f"{said}, nor any other{beginning(text)}"
    named = ", ".join(quoted(each.title) for each in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return f"{said} among {named}{more}; the last one is in {place(text, found[-1].start, found[-1].end)}"


def _says(line: str, wanted: str) -> bool:
    """Whether a line says no more than the title."""
    bare = "#*_: \t"
    return line.strip(bare).casefold() == wanted.strip(bare).casefold()
