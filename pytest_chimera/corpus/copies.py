"""The same measurement in several places: identical files, one run in several formats, roundings of it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from pytest_chimera.corpus.reading import FileReading
    from pytest_chimera.corpus.rows import Row

_FEWEST = 2
"""Numbers that a row needs to be told from another by its values alone: one may agree by chance."""
_MOST_DECIMALS = 7
_HALF = 0.5000001
"""Half a unit of the last digit, and what computing leaves."""
_TELLING = ("prompt", "test", "config", "backend", "name", "tag")


def mark_identical(readings: Sequence[FileReading]) -> dict[str, str]:
    """Path -> path of the file before it with the very same bytes; rows of the later are copies of the earlier's."""
    first: dict[str, FileReading] = {}
    same: dict[str, str] = {}
    for each in readings:
        if each.digest is None:
            continue
        before = first.setdefault(each.digest, each)
        if before is each or not each.size_bytes:
            continue
        same[each.found.shown] = before.found.shown
        if len(before.reading.rows) == len(each.reading.rows):
            for original, row in zip(before.reading.rows, each.reading.rows, strict=True):
                _link(original, row)
    return same


def mark_copies(readings: Sequence[FileReading]) -> None:
    """Link rows of different files that are one measurement: equal numbers, or the roundings of them.

    Equal or rounded alike in all numbers that both have, and in nothing that both say (model, time, settings, labels)
    different. A claim in Markdown can be a copy of a row, never the other way round.
    """
    rows = [
        row
        for each in readings
        for row in each.reading.rows
        if row.copy_of is None and row.failure is None and row.numbers
    ]
    measured = [row for row in rows if row.provenance != "claim"]
    exact: dict[Hashable, list[Row]] = defaultdict(list)
    originals = [row for row in measured if not _is_exact_copy(row, exact, keep=True)]
    claims = [row for row in rows if row.provenance == "claim" and not _is_exact_copy(row, exact, keep=False)]
    index: dict[Hashable, list[tuple[float, int]]] = defaultdict(list)
    for number, row in enumerate(originals):
        for label in _told_by(row):
            for term, value, _ in row.numbers:
                if value:
                    index[label, term.metric].append((value, number))
    for places in index.values():
        places.sort()
    for row in (*originals, *claims):
        original = _rounded(row, index, originals)
        if original is not None:
            _link(original, row)


def _is_exact_copy(row: Row, exact: dict[Hashable, list[Row]], *, keep: bool) -> bool:
    """Link a row to one before it with the very same numbers; else remember it, if it is to be found by later ones."""
    values = frozenset([(term[0], term[1], round(value, 12)) for term, value, _ in row.numbers if value])
    if len(values) < _FEWEST:  # too few to tell a row by its values
        return False
    known = exact[values]
    original = next((each for each in known if each.file != row.file and _compatible(each, row)), None)
    if original is not None:
        _link(original, row)
    elif keep:
        known.append(row)
    return original is not None


def _rounded(row: Row, index: dict[Hashable, list[tuple[float, int]]], originals: Sequence[Row]) -> Row | None:
    """The row that this one is a rounding of, looked for by its number with the most digits."""
    written = [(_decimals(value / term.scale), term, value) for term, value, _ in row.numbers if value]
    if len(written) < _FEWEST:
        return None
    decimals, term, value = max(written, key=lambda each: each[0])
    within = _HALF * 10.0**-decimals * term.scale
    for label in _told_by(row):
        places = index.get((label, term.metric), [])
        for at in range(bisect_left(places, (value - within, -1)), len(places)):
            full, number = places[at]
            if full > value + within:
                break
            each = originals[number]
            if each.file != row.file and each.copy_of is None and _rounds_to(each, row) and _compatible(each, row):
                return each
    return None


def _told_by(row: Row) -> list[Hashable]:
    """Labels and settings by which the same row is looked for in another file."""
    told: list[Hashable] = [(name, row.labels[name]) for name in _TELLING if name in row.labels]
    if row.parameters:
        told.append((row.model, frozenset(row.parameters.items())))
    return told


def _compatible(one: Row, other: Row) -> bool:
    """Whether two rows say nothing different of when, what and how."""
    if one.model is not None and other.model is not None and one.model != other.model:
        return False
    if one.time is not None and other.time is not None and one.zone == other.zone and _apart(one.time, other.time):
        return False
    if any(other.parameters.get(name, value) != value for name, value in one.parameters.items()):
        return False
    return all(
        other.labels.get(name, value) == value for name, value in one.labels.items() if name not in {"section", "run"}
    )


def _apart(one: str, other: str) -> bool:
    """Whether two times differ as far as both say them."""
    size = min(len(one), len(other), 19)
    return one[:size] != other[:size]


def _rounds_to(row: Row, rounded: Row) -> bool:
    """Whether every number of `rounded` is the one in `row`, as written there; at least two that are not whole."""
    known = {term[:2]: value for term, value, _ in row.numbers}
    told = 0
    for term, value, _ in rounded.numbers:
        full = known.get(term[:2])
        if full is None and term.statistic == "value":
            full = known.get((term.metric, "mean"))
        if value is None or full is None:
            return False
        written = value / term.scale
        decimals = _decimals(written)
        if abs(full / term.scale - written) > _HALF * 10.0**-decimals:
            return False
        told += decimals > 0 and value != 0
    return told >= _FEWEST


def _decimals(value: float) -> int:
    text = f"{value:.{_MOST_DECIMALS}f}".rstrip("0")
    return len(text.partition(".")[2])


def _link(original: Row, row: Row) -> None:
    row.copy_of = original
    original.copies.append(row)
    for each in row.copies:
        each.copy_of = original
    original.copies.extend(row.copies)
    row.copies = []
