"""In which order the rows of a sweep were run, and which settings that order, or the loading of the model, hides."""

from __future__ import annotations

import math
from itertools import groupby, pairwise, product
from typing import TYPE_CHECKING

from pytest_chimera.analysis.evidence import moment, shown_setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.analysis.evidence import Row

_FEWEST = 2
"""One combination has no order."""


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Rows as they were run: by their times where all have one, rows of one time as they stand in the file."""
    times = {id(row): moment(row.time) for row in rows}
    if any(time is None for time in times.values()):
        return list(rows)
    return sorted(rows, key=lambda row: times[id(row)] or 0.0)


def has_times(rows: Sequence[Row]) -> bool:
    """Whether the order is told by times, not only by the file."""
    known = {moment(row.time) for row in rows}
    return None not in known and len(known) > 1


def loops(rows: Sequence[Row], settings: Sequence[str]) -> tuple[str, ...] | None:
    """The settings from the outermost loop to the innermost, when nested loops ran these rows in this order.

    Rows of one combination may follow one another, and the whole may be run several times.
    """
    ran = [tuple(shown_setting(row.parameters.get(name, "")) for name in settings) for row in rows]
    once = [combination for combination, _ in groupby(ran)]
    levels = [list(dict.fromkeys(column)) for column in zip(*once, strict=True)]
    size = math.prod(len(each) for each in levels)
    if size < _FEWEST or len(once) % size:
        return None
    changes = [sum(one[n] != other[n] for one, other in pairwise(once)) for n in range(len(settings))]
    outer_first = sorted(range(len(settings)), key=lambda n: (changes[n], settings[n]))
    looped = product(*(levels[n] for n in outer_first))
    expected = [tuple(combination[outer_first.index(n)] for n in range(len(settings))) for combination in looped]
    return tuple(settings[n] for n in outer_first) if expected * (len(once) // size) == once else None


def share_of_order(rows: Sequence[Row], name: str) -> float | None:
    """The share (eta^2) of the spread of positions in the order that lies between the levels of a setting."""
    positions: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        positions.setdefault(shown_setting(row.parameters.get(name, "")), []).append(position)
    middle = (len(rows) - 1) / 2
    total = sum((position - middle) ** 2 for position in range(len(rows)))
    between = math.fsum(len(found) * (sum(found) / len(found) - middle) ** 2 for found in positions.values())
    return between / total if total else None


def cold_levels(rows: Sequence[Row], name: str) -> list[str]:
    """The levels of a setting at which the model was loaded; of rows that succeeded."""
    return sorted({shown_setting(row.parameters.get(name, "")) for row in rows if row.ok and row.cold})
