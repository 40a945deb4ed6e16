"""The same measurement in several places: identical files, one run in several formats, roundings of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from pytest_chimera.corpus.reading import FileReading
    from pytest_chimera.corpus.rows import Row

_FEWEST = 2
"""Numbers that a row needs to be told from another by its values alone: one may agree by chance."""
_MOST_DECIMALS = 7
_DIGITS = 12
"""After the point; what is beyond was left by computing."""
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
    exact: dict[Hashable, list[Row]] = {}
    originals = [row for row in measured if not _is_exact_copy(row, exact, keep=True)]
    claims = [row for row in rows if row.provenance == "claim" and not _is_exact_copy(row, exact, keep=False)]
    groups: dict[Hashable, _Group] = {}
    told = [_told_by(row) for row in originals]
    for row, labels in zip(originals, told, strict=True):
        for label in labels:
            group = groups.get(label)
            if group is None:
                groups[label] = group = _Group()
            group.add(row)
    told.extend(_told_by(row) for row in claims)
    for row, labels in zip((*originals, *claims), told, strict=True):
        near = [groups[label] for label in labels if label in groups and groups[label].is_beyond(row.file)]
        original = _rounded(row, near) if near else None
        if original is not None:
            _link(original, row)


class _Group:
    """Rows under one label, among which the one is looked for that another is a rounding of."""

    __slots__ = ("_by_metric", "_file", "_rows", "_several")

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._file: str | None = None
        self._several = False
        self._by_metric: dict[str, tuple[list[float], list[Row]]] = {}

    def add(self, row: Row) -> None:
        """One row more; none is added after the first search."""
        self._several = self._several or (self._file is not None and row.file != self._file)
        self._file = row.file
        self._rows.append(row)

    def is_beyond(self, file: str) -> bool:
        """Whether it has rows of another file."""
        return self._several or self._file != file

    def between(self, metric: str, least: float, most: float) -> Sequence[Row]:
        """Rows with a number of a metric from `least` to `most`, the smallest first."""
        places = self._by_metric.get(metric)
        if places is None:
            found = sorted([
                (value, at)
                for at, row in enumerate(self._rows)
                for term, value, _ in row.numbers
                if value and term[0] == metric
            ])  # fmt: skip
            places = [value for value, _ in found], [self._rows[at] for _, at in found]
            self._by_metric[metric] = places
        values, rows = places
        return rows[bisect_left(values, least) : bisect_right(values, most)]


def _is_exact_copy(row: Row, exact: dict[Hashable, list[Row]], *, keep: bool) -> bool:
    """Link a row to one before it with the very same numbers; else remember it, if it is to be found by later ones."""
    values = [round(value, _DIGITS) for _, value, _ in row.numbers if value]
    if len(values) < _FEWEST:  # too few to tell a row by its values
        return False
    key = frozenset(values)
    known = exact.get(key)
    if known is None:
        if keep:
            exact[key] = [row]
        return False
    its = _rounded_values(row)
    for each in known if len(its) >= _FEWEST else ():
        if each.file != row.file and _compatible(each, row) and _rounded_values(each) == its:
            _link(each, row)
            return True
    if keep:
        known.append(row)
    return False


def _rounded_values(row: Row) -> frozenset[tuple[str, str, float]]:
    """What a row holds besides zeros, without what computing leaves in the last digits."""
    return frozenset([(term[0], term[1], round(value, _DIGITS)) for term, value, _ in row.numbers if value])


def _rounded(row: Row, groups: Sequence[_Group]) -> Row | None:
    """The row that this one is a rounding of, looked for by its number with the most digits."""
    most, digits = None, -1
    count = 0
    for number in row.numbers:
        term, value, _ = number
        if value:
            count += 1
            decimals = _decimals(value / term.scale)
            if decimals > digits:
                most, digits = number, decimals
            if digits == _MOST_DECIMALS and count >= _FEWEST:
                break
    if most is None or count < _FEWEST:
        return None
    term, value, _ = most
    assert value is not None, "it was chosen among those that are there"
    within = _HALF * 10.0**-digits * term.scale
    for group in groups:
        for each in group.between(term.metric, value - within, value + within):
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
    its = other.parameters
    if any(its.get(name, value) != value for name, value in one.parameters.items()):
        return False
    said = other.labels
    return all(said.get(name, value) == value for name, value in one.labels.items() if name not in {"section", "run"})


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
    text = f"{value:.7f}"
    return _MOST_DECIMALS - len(text) + len(text.rstrip("0"))


def _link(original: Row, row: Row) -> None:
    row.copy_of = original
    original.copies.append(row)
    for each in row.copies:
        each.copy_of = original
    original.copies.extend(row.copies)
    row.copies = []
