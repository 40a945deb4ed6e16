"""Rows of Markdown tables, also where a whole table or its head stands on a line with other text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_CELLS = 64
"""Cells of a row that are read; what stands further right is passed over."""

SEPARATOR = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?\s*)?\|?\s*")
FLAT_SEPARATOR = re.compile(r"\|(?:\s*:?-{2,}:?\s*\|)+")


@dataclass(frozen=True, slots=True)
class Table:
    """What the cells of a table share."""

    number: int
    header: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    """Blank first cells hold what stands above them."""


def is_separator(line: str) -> bool:
    """Whether a line is the one below the head of a table."""
    return "|" in line and "-" in line and SEPARATOR.fullmatch(line.strip()) is not None


def columns_of(separator: str) -> int:
    """How many columns the line below a head announces, at most `MAX_CELLS`."""
    return min(MAX_CELLS, sum(1 for each in separator.split("|") if each.strip()))


def split_row(line: str, count: int) -> list[tuple[int, str]]:
    """At most `count` cells of a row, each with the column where it begins."""
    start = line.find("|") + 1 if line.lstrip().startswith("|") else 0
    cells: list[tuple[int, str]] = []
    while len(cells) < count and start < len(line):
        end = line.find("|", start)
        end = len(line) if end < 0 else end
        cells.append((start, line[start:end]))
        start = end + 1
    return cells


def end_of_row(line: str, count: int) -> int:
    """Just behind the bar that closes the last of `count` cells."""
    place = line.find("|")
    for _ in range(count):
        place = line.find("|", place + 1)
        if place < 0:
            return len(line)
    return place + 1


def start_of_head(line: str, count: int) -> int:
    """Where the last `count` cells of a line begin, their first bar included."""
    text = line.rstrip()
    place = len(text) if not text.endswith("|") else len(text) - 1
    for _ in range(count):
        place = text.rfind("|", 0, place)
        if place < 0:
            return 0
    return place
