"""The same measurement in several places: identical files, one run in several formats, roundings of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from pytest_chimera.corpus.reading import FileReading
    from pytest_chimera.corpus.rows import Row

_FEWEST = 2
"""Numbers that a row needs to be told from another by its values alone: one may agree by chance."""
_MOST_DECIMALS = 7
_MOST_LIKE = 200
"""Rows under one label that are compared with another of it."""
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
    exact: dict[Hashable, list[Row]] = defaultdict(list)
    by_label: dict[Hashable, list[Row]] = defaultdict(list)
    for claims in (False, True):
        for each in readings:
            for row in each.reading.rows:
                if row.copy_of is not None or (row.provenance == "claim") is not claims or row.failure is not None:
                    continue
                values = frozenset([(term[0], term[1], round(value, 12)) for term, value, _ in row.numbers if value])
                if len(values) < _FEWEST:  # too few to tell a row by its values
                    continue
                told = _told_by(row)
                original = _exactly(row, exact.get(values, ())) or _rounded(row, told, by_label)
                if original is not None:
                    _link(original, row)
                elif not claims:
                    exact[values].append(row)
                    for label in told:
                        by_label[label].append(row)


def _exactly(row: Row, candidates: Sequence[Row]) -> Row | None:
    return next((each for each in candidates if each.file != row.file and _compatible(each, row)), None)


def _rounded(row: Row, told: list[Hashable], by_label: dict[Hashable, list[Row]]) -> Row | None:
    for label in told:
        for each in by_label.get(label, ())[:_MOST_LIKE]:
            if each.file != row.file and _rounds_to(each, row) and _compatible(each, row):
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
        if abs(full / term.scale - written) > 0.5000001 * 10.0**-decimals:
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
