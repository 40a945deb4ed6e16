"""From the text of a fact's source back to the rows of a corpus or the rounds of a case, within a JSON twin.

Nothing is run and no other file is read: what a source names stands in the twin, or is said not to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_chimera.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_chimera.units import Dimension

_RANGES = r"\d+(?:-\d+)?(?:, ?\d+(?:-\d+)?)*"
_ROWS = re.compile(rf"(row|line)s? ({_RANGES})(?: and (\d+) more)?(.*)", re.DOTALL)
_POINTERS = re.compile(rf"(.*/)({_RANGES})(?: and (\d+) more)?((?:/[^/]*)*)", re.DOTALL)
_ROW = re.compile(r"(row|line) (\d+)(.*)", re.DOTALL)
_POINTER = re.compile(r"(.*/)(\d+)((?:/[^/]*)*)", re.DOTALL)
_ROUNDS = re.compile(rf"rounds? ({_RANGES})")
_WARMUPS = re.compile(rf"warm-up ({_RANGES})")
_LARGEST_RANGE = 1_000_000
"""A source that names more is none of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundValue:
    """One value that a source names."""

    place: str
    """Within its file or case: "row 3 tokens_s", "round 2"."""
    value: float | None
    """In the SI unit of its dimension."""
    dimension: Dimension
    failed: str | None
    """Why its row or round failed; None when it did not."""
    conditions: Mapping[str, str]
    """What else is known of its row: settings, labels, time, whether it was cold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What one source leads to."""

    source: str
    values: tuple[FoundValue, ...] = ()
    unnamed: int = 0
    """Values that the source counts without naming them."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the twin says of a file that is named as a whole."""


class Ways:
    """A twin, prepared to be asked for many sources."""

    def __init__(self, twin: Mapping[str, Any]) -> None:
        """`twin` as read from JSON."""
        self.twin = twin
        self.corpus: Mapping[str, Any] = twin.get("corpus") or {}

    def of(self, source: str, metric: str) -> Way:
        """The rows or rounds that a source names, with their values of this metric."""
        case = self._case(source)
        if case is not None:
            return Way(source=source, values=tuple(_rounds(case, source[len(case["id"]) :], metric)))
        file = self._file(source)
        if file is None:
            return Way(source=source)
        place = source[len(file) :].strip()
        if not place:
            return Way(source=source, about=self._artifacts.get(file, {}))
        key, numbers, unnamed = _named(place)
        held = self._places.get((file, *key), {})
        wanted = sorted(held) if numbers is None else numbers
        values = tuple(held[number] for number in wanted if number in held)
        return Way(source=source, values=values, unnamed=unnamed)

    @cached_property
    def _artifacts(self) -> dict[str, Mapping[str, Any]]:
        return {each["path"]: each for each in self.corpus.get("artifacts", ())}

    @cached_property
    def _places(self) -> dict[tuple[str, str, str], dict[int, FoundValue]]:
        """(file, place before its number, place behind it) -> number -> value; -1 where there is no number."""
        found: dict[tuple[str, str, str], dict[int, FoundValue]] = {}
        for row in self.corpus.get("rows", ()):
            conditions = _conditions(row)
            for each in row["values"]:
                (before, after), number = _split(each["place"])
                found.setdefault((row["file"], before, after), {})[number] = FoundValue(
                    place=each["place"],
                    value=each["value"],
                    dimension=each["dimension"],
                    failed=row.get("failure"),
                    conditions=conditions,
                )
        return found

    def _case(self, source: str) -> Mapping[str, Any] | None:
        """The case that a source begins with: the longest that fits, because ids of points begin with their sweep's."""
        fitting = (each for each in self.twin.get("cases", ()) if source.startswith(f"{each['id']} "))
        return max(fitting, key=lambda each: len(each["id"]), default=None)

    def _file(self, source: str) -> str | None:
        """The file that a source begins with; names may have spaces, so the longest that fits."""
        fitting = (path for path in self._artifacts if source == path or source.startswith(f"{path} "))
        return max(fitting, key=len, default=None)


def _split(place: str) -> tuple[tuple[str, str], int]:
    match = _ROW.fullmatch(place) or _POINTER.fullmatch(place)
    return ((place, ""), -1) if match is None else ((match[1], match[3]), int(match[2]))


def _named(place: str) -> tuple[tuple[str, str], Sequence[int] | None, int]:
    """The key of places, the numbers that are named, and how many are only counted."""
    match = _ROWS.fullmatch(place) or _POINTERS.fullmatch(place)
    if match is None:
        return (place, ""), None, 0
    return (match[1], match[4]), tuple(_numbers(match[2])), int(match[3] or 0)


def _numbers(ranges: str) -> Iterator[int]:
    for part in ranges.split(","):
        first, _, last = part.strip().partition("-")
        if int(last or first) - int(first) <= _LARGEST_RANGE:
            yield from range(int(first), int(last or first) + 1)


def _conditions(row: Mapping[str, Any]) -> dict[str, str]:
    said = {name: row[name] for name in ("model", "quantization", "series", "time") if name in row}
    settings = {**row.get("parameters", {}), **row.get("labels", {})}
    return {name: _text(value) for name, value in {**said, **_start(row.get("cold")), **settings}.items()}


def _start(cold: object) -> dict[str, str]:
    """Whether the model was loaded for it, where that is known."""
    return {} if cold is None else {"start": "cold" if cold else "warm"}


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rounds(case: Mapping[str, Any], named: str, metric: str) -> Iterator[FoundValue]:
    wanted = {
        warmup: set(_numbers(match[1])) if (match := pattern.search(named)) else set()
        for warmup, pattern in ((False, _ROUNDS), (True, _WARMUPS))
    }
    for each in case["rounds_made"]:
        if each["number"] in wanted[each["warmup"]]:
            value = each["values"].get(metric)
            failure = each["failure"]
            cold = _start(each["cold"])
            yield FoundValue(
                place=f"{'warm-up' if each['warmup'] else 'round'} {each['number']}",
                value=value if isinstance(value, (int, float)) else None,
                dimension=METRICS[metric].dimension if metric in METRICS else "count",
                failed=None if failure is None else failure["message"],
                conditions=cold if not isinstance(value, list) else {**cold, "values": str(len(value))},
            )
