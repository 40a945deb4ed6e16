"""A table for a terminal, fitted to its width: columns where they fit, else a few lines for each row. Plain layout."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = "  "
_SHORTEST_NAME = 20
"""Characters of a name below which a table says less than a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The heads of a table; the first column is the name of a row."""

    name: str
    heads: tuple[str, ...]
    units: tuple[str, ...] = ()
    """Below the heads; empty where no column has one."""
    left: tuple[int, ...] = ()
    """Cells that hold words and begin at the left; numbers end at the right."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table, every cell as it is printed."""

    name: str
    cells: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What the cells do not say, each as one sentence."""
    heading: str = ""
    """What this row and those below it have in common, in a line before it."""


def fitted(columns: Columns, rows: Sequence[Row], width: int) -> list[str]:
    """The rows as lines of at most `width` characters, as a table if it fits, else a few lines for each."""
    if not rows:
        return []
    if not fits(columns, rows, width):
        return [line for each in rows for line in _listed(columns, each, width)]
    sizes = _sizes(columns, rows)
    name_size = min(_longest_name(columns, rows), _room(sizes, width))
    lines = [_line(columns, columns.name, columns.heads, name_size, sizes)]
    if any(columns.units):
        lines.append(_line(columns, "", columns.units, name_size, sizes))
    for each in rows:
        lines += _headed(each, width)
        lines.append(_line(columns, shortened(each.name, name_size), each.cells, name_size, sizes))
        lines += _noted(each.notes, width)
    return lines


def narrowed(columns: Columns, rows: Sequence[Row], width: int, tiers: Sequence[Sequence[str]]) -> list[str]:
    """The rows with all columns where they fit, else with the first of `tiers` (heads to keep) that does.

    Where none does they are a list, which has room for all.
    """
    if not rows:
        return []
    tables = [_only(columns, rows, heads) for heads in (columns.heads, *tiers)]
    return fitted(*next((table for table in tables if fits(*table, width)), tables[0]), width)


def _only(columns: Columns, rows: Sequence[Row], heads: Sequence[str]) -> tuple[Columns, list[Row]]:
    """The table with some of its columns."""
    places = [columns.heads.index(head) for head in heads]
    left = tuple(i for i, place in enumerate(places) if place in columns.left)
    units = tuple(columns.units[place] for place in places) if columns.units else ()
    narrow = Columns(name=columns.name, heads=tuple(heads), units=units, left=left)
    return narrow, [replace(row, cells=tuple(row.cells[place] for place in places)) for row in rows]


def fits(columns: Columns, rows: Sequence[Row], width: int) -> bool:
    """Whether the columns leave enough of the width for the names."""
    return _room(_sizes(columns, rows), width) >= min(_longest_name(columns, rows), _SHORTEST_NAME)


def shortened(name: str, size: int) -> str:
    """The name within `size` characters; what is cut is its middle, because both ends tell cases apart."""
    if len(name) <= size:
        return name
    head = (size - 1) // 2
    return f"{name[:head]}…{name[len(name) - (size - 1 - head) :]}"


def wrapped(text: str, width: int, indent: str = "  ") -> list[str]:
    """A sentence in lines of at most `width` characters, all indented."""
    width = max(width, _SHORTEST_NAME)
    # Options and paths have hyphens
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _sizes(columns: Columns, rows: Sequence[Row]) -> list[int]:
    units = columns.units or ("",) * len(columns.heads)
    heads = [max(len(head), len(unit)) for head, unit in zip(columns.heads, units, strict=True)]
    return [max([size, *(len(each.cells[i]) for each in rows)]) for i, size in enumerate(heads)]


def _longest_name(columns: Columns, rows: Sequence[Row]) -> int:
    return max([len(columns.name), *(len(each.name) for each in rows)])


def _room(sizes: Sequence[int], width: int) -> int:
    return width - sum(len(_GAP) + size for size in sizes)


def _line(columns: Columns, name: str, cells: Sequence[str], name_size: int, sizes: Sequence[int]) -> str:
    aligned = [
        cell.ljust(size) if i in columns.left else cell.rjust(size)
        for i, (cell, size) in enumerate(zip(cells, sizes, strict=True))
    ]
    return (name.ljust(name_size) + "".join(_GAP + cell for cell in aligned)).rstrip()


def _listed(columns: Columns, each: Row, width: int) -> list[str]:
    units = columns.units or ("",) * len(columns.heads)
    cells = zip(columns.heads, each.cells, units, strict=True)
    text = ", ".join(f"{head} {cell} {unit}".rstrip() for head, cell, unit in cells if cell)
    name = shortened(each.name, max(width, _SHORTEST_NAME))
    return [*_headed(each, width), name, *wrapped(text, width), *_noted(each.notes, width)]


def _headed(each: Row, width: int) -> list[str]:
    return wrapped(each.heading, width, "") if each.heading else []


def _noted(notes: Sequence[str], width: int) -> list[str]:
    return [line for note in notes for line in wrapped(note, width)]
