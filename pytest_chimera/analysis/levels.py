"""The rows of a group at each level of a setting or of a label: "num_ctx 1024", "num_ctx 2048"."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from pytest_chimera.analysis.evidence import shown_setting

if TYPE_CHECKING:
    from pytest_chimera.analysis.evidence import Group, Row

MOST_LEVELS = 30
"""Beyond, a number is a measured thing of its own rather than a setting that somebody chose."""
FEWEST_ROWS = 2
"""A label that differs from row to row is the name of a row."""

Kind = Literal["parameters", "labels"]
"""Where levels are looked for."""


def levels(group: Group, name: str, kind: Kind = "parameters") -> dict[str, list[Row]]:
    """The rows at each level, smallest number first, failed ones included; rows without it are left out."""
    found: dict[float | str, list[Row]] = defaultdict(list)
    for row in group.rows:
        value = getattr(row, kind).get(name)
        if value is not None:
            found[value].append(row)
    return {shown_setting(level): found[level] for level in sorted(found, key=_in_order)}


def varied(group: Group, kind: Kind = "parameters") -> list[str]:
    """Names with two levels or more, and not so many that each row is a level of its own."""
    names = sorted({name for row in group.rows for name in getattr(row, kind)})
    return [name for name in names if _is_varied(levels(group, name, kind), kind)]


def overfull(group: Group) -> list[str]:
    """Settings with more levels than an analysis of levels can use."""
    names = sorted({name for row in group.rows for name in row.parameters})
    return [name for name in names if len(levels(group, name)) > MOST_LEVELS]


def _is_varied(found: dict[str, list[Row]], kind: Kind) -> bool:
    if not 1 < len(found) <= MOST_LEVELS:
        return False
    return kind == "parameters" or all(len(rows) >= FEWEST_ROWS for rows in found.values())


def _in_order(level: float | str) -> tuple[bool, float, str]:
    """Numbers by size, then texts."""
    return (True, 0.0, level) if isinstance(level, str) else (False, level, "")
