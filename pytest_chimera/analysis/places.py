"""Where the values of a fact stand, in a few short lines: "gemma3/runs.csv rows 1-36 tokens_s"."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_chimera.records import Measurement, Source

MOST_SOURCES = 4
"""How many places a fact names before it only counts the others."""
_MOST_RANGES = 6
_COUNTED = re.compile(r"(row|line) (\d+)(.*)", re.DOTALL)
_POINTER = re.compile(r"(.*/)(\d+)((?:/[^/]*)*)", re.DOTALL)


def places(measurements: Iterable[Measurement]) -> tuple[str, ...]:
    """The places of measurements, those that follow one another as one range, the first few of them named."""
    return shortened(each.source for each in measurements)


def shortened(sources: Iterable[Source]) -> tuple[str, ...]:
    """Places as ranges; what is not named is counted."""
    numbers: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for source in sources:
        before, number, after = _parts(source.place)
        found = numbers[source.file, before, after]
        if number is not None:
            found.append(number)
    lines = [_line(key, sorted(set(found))) for key, found in sorted(numbers.items())]
    more = len(lines) - MOST_SOURCES
    return (*lines[:MOST_SOURCES], f"... and {more} more") if more > 0 else tuple(lines)


def _parts(place: str) -> tuple[str, int | None, str]:
    """A place about its number: ("row", 3, " tokens_s"), ("/results/", 0, "/ttft_s")."""
    match = _COUNTED.fullmatch(place) or _POINTER.fullmatch(place)
    return (place, None, "") if match is None else (match[1], int(match[2]), match[3])


def _line(key: tuple[str, str, str], numbers: list[int]) -> str:
    file, before, after = key
    if not numbers:
        return f"{file} {before}".rstrip()
    word = before if before.startswith("/") else f"{before}{'s' if len(numbers) > 1 else ''} "
    return f"{file} {word}{_ranges(numbers)}{after}"


def _ranges(numbers: list[int]) -> str:
    """ "1-3,5"."""
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), key=lambda each: each[1] - each[0])]
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    more = sum(len(run) for run in runs[_MOST_RANGES:])
    return ",".join(texts[:_MOST_RANGES]) + (f" and {more} more" if more else "")
