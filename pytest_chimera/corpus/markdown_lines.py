"""What one line of Markdown is: a heading, a bullet, the rule of a table, cells; in time linear in the line."""

from __future__ import annotations

import re
from typing import NamedTuple

_BULLET = re.compile(r"[ \t]{0,40}(?:[-*+]|\d{1,9}[.)])[ \t]+")
_DEEPEST = 6


class Heading(NamedTuple):
    """A heading as it stands in a line."""

    level: int
    title: str


class Rule(NamedTuple):
    """The rule of a table within a line."""

    start: int
    end: int
    columns: int


def heading_of(line: str) -> Heading | None:
    """The heading that a line is, without the marks that may close it; None of any other line."""
    text = line.strip()
    level = len(text) - len(text.lstrip("#"))
    if not 1 <= level <= _DEEPEST or text[level : level + 1] not in {" ", "\t"}:
        return None
    title = text[level:].strip()
    opened = title.rstrip("#")
    return Heading(level, opened.rstrip() if opened != title and opened[-1:] in {"", " ", "\t"} else title)


def glued_heading(line: str) -> int:
    """Where a heading begins that is glued to the end of other text; -1 where none is."""
    start = 0
    while (at := line.find(" ##", start)) >= 0:
        if heading_of(line[at + 1 : at + 256]) is not None and line[:at].strip():
            return at + 1
        start = at + 3
        while line[start : start + 1] == "#":
            start += 1
    return -1


def without_bullet(line: str) -> str:
    """A line without the mark that makes it an item of a list."""
    match = _BULLET.match(line)
    return line if match is None else line[match.end() :]


def is_rule(line: str) -> bool:
    """Whether a line is the rule below the header of a table: "| --- | :-: |"."""
    return "-" in line and all(_is_rule_cell(cell) for cell in split_cells(line))


def rule_within(line: str) -> Rule | None:
    """The first rule of two or more columns within a line whose breaks were lost."""
    at = 0
    first = last = -1
    columns = 0
    for part in line.split("|"):
        if "--" in part and _is_rule_cell(part):
            first = at if first < 0 else first
            columns += 1
            last = at + len(part)
        elif columns > 1:
            break
        else:
            first, columns = -1, 0
        at += len(part) + 1
    return Rule(max(first - 1, 0), min(last + 1, len(line)), columns) if columns > 1 else None


def split_cells(line: str) -> list[str]:
    """The cells of a line of a table, without the outer bars; an escaped bar is part of its cell."""
    text = line.strip().removeprefix("|")
    if text.endswith("|") and not text.endswith("\\|"):
        text = text[:-1]
    if "\\|" in text:
        return [cell.replace("\0", "|").strip() for cell in text.replace("\\|", "\0").split("|")]
    return [cell.strip() for cell in text.split("|")]


def glued_header(line: str, columns: int) -> tuple[str, list[str] | None]:
    """(prose before, header) of a line that ends in the header of a table with so many columns."""
    cells = split_cells(line)
    if len(cells) == columns and line.lstrip().startswith("|"):
        return "", cells
    parts = line.rstrip().split("|")
    if not line.rstrip().endswith("|") or len(parts) < columns + 2:
        return ("", cells) if len(cells) == columns else (line, None)
    header = [cell.strip() for cell in parts[-columns - 1 : -1]]
    return "|".join(parts[: -columns - 1]), header


def _is_rule_cell(cell: str) -> bool:
    text = cell.strip()
    dashes = text.removeprefix(":").removesuffix(":")
    return bool(dashes) and not dashes.strip("-")
