"""Runs of one kind over time: which points belong together, and what one run measured of one metric."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from statistics import fmean
from typing import TYPE_CHECKING

from pytest_chimera.analysis.checks import checks
from pytest_chimera.analysis.described import LOADED, mean, sd
from pytest_chimera.analysis.evidence import conditions, is_tag, moment, rank
from pytest_chimera.analysis.filenames import kind_of
from pytest_chimera.analysis.places import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.analysis.evidence import Evidence, Group
    from pytest_chimera.records import Measurement

_COUNTS = ("tokens", "count", "bytes")
_LOCATIONS = ("mean", "median")
"""Aggregates that say where values lie, the better one first."""

SAME_CASES = "runs with the same prompts and settings"
"""In place of a kind of file, where rows carry their prompts."""
_DIGITS = 8

Key = tuple[str, str, str, str, str, str]
"""Metric, model, kind of file, series, settings and labels, which rows or statistic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one run measured of one metric."""

    file: str
    seconds: float
    """When, since 1970."""
    has_zone: bool
    value: float
    """Mean of its values, or the mean or median as its file states it."""
    sd: float | None
    n: int | None
    measurements: tuple[Measurement, ...]

    @property
    def time(self) -> datetime:
        """When, in UTC; a time without a zone is taken for UTC."""
        return datetime.fromtimestamp(self.seconds, timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """One metric over the runs of one kind, oldest first."""

    metric: str
    model: str | None
    kind: str
    """Folder and name of its files without their times."""
    series: str
    of: str
    """Settings and labels that its points share."""
    basis: str
    """ "all rows", "warm rows", "mean as stated", "median as stated"."""
    points: tuple[Point, ...]

    @property
    def subject(self) -> dict[str, str]:
        """Whom facts about it speak of."""
        known = {
            "model": self.model or "",
            "files": self.kind,
            "series": self.series,
            "of": self.of,
            "rows": self.basis,
        }
        return {name: text for name, text in known.items() if text}

    @property
    def stands(self) -> tuple[str, ...]:
        """Where its values stand."""
        return places(each for point in self.points for each in point.measurements)

    @property
    def mixes_zones(self) -> bool:
        """Whether some times have a zone and others none, so that their order may be off by hours."""
        return len({point.has_zone for point in self.points}) > 1


def strands(evidence: Evidence) -> list[Strand]:
    """Metrics that two runs of one kind or more have, each run at a known time."""
    times = {each.path: (each.time, each.zone) for each in evidence.files}
    found: dict[Key, list[Point]] = defaultdict(list)
    checked = {id(check.stated) for check in checks(evidence)}
    stated = [each for each in evidence.aggregates if id(each) not in checked]  # raw rows speak for the others
    for key, point in (*_raw(evidence.groups, times), *_stated(stated, times)):
        found[key].append(point)
    kept = []
    for (metric, model, kind, series, of, basis), points in sorted(found.items(), key=_in_order):
        ordered = sorted(points, key=lambda each: (each.seconds, each.file))
        if len(ordered) > 1 and len({point.file for point in ordered}) == len(ordered):
            kept.append(
                Strand(
                    metric=metric, model=model or None, kind=kind, series=series, of=of, basis=basis,
                    points=tuple(ordered),
                )
            )  # fmt: skip
    return kept


def _in_order(found: tuple[Key, list[Point]]) -> tuple[tuple[int, str], tuple[str, ...]]:
    return rank(found[0][0]), found[0][1:]


def _raw(groups: Iterable[Group], times: Mapping[str, tuple[str | None, str]]) -> Iterable[tuple[Key, Point]]:
    for group in groups:
        for metric in group.metrics():
            warm = metric in LOADED and group.has_cold
            values = group.values(metric, cold=False if warm else None)
            if not values or values[0].dimension in _COUNTS:
                continue
            kind, of = _kind(group)
            basis = "warm rows" if metric in LOADED else "all rows"
            key = (metric, group.model or "", kind, group.series, of, basis)
            numbers = [each.value or 0.0 for each in values]
            point = _point(values, mean(numbers), sd(numbers), len(numbers), times)
            if point is not None:
                yield key, point


def _kind(group: Group) -> tuple[str, str]:
    """What its runs are told by: equal prompts and settings where all rows have prompts, else the names of files."""
    if not is_tag(group.model) or not all("prompt" in row.labels for row in group.rows):
        return kind_of(group.file), ""
    cases = sorted({(row.labels["prompt"], *sorted(map(str, row.parameters.items()))) for row in group.rows})
    return SAME_CASES, hashlib.sha256(repr(cases).encode()).hexdigest()[:_DIGITS]


def _stated(
    aggregates: Sequence[Measurement], times: Mapping[str, tuple[str | None, str]]
) -> Iterable[tuple[Key, Point]]:
    """Means and medians as their files state them, with the spread and number beside them."""
    beside: dict[tuple[str, str, str, str, str], dict[str, list[Measurement]]] = defaultdict(lambda: defaultdict(list))
    for each in aggregates:
        if each.ok and each.role == "performance":
            key = (each.source.file, each.series, conditions(each), each.model or "", each.metric)
            beside[key][each.statistic].append(each)
    for (file, series, of, model, metric), found in beside.items():
        basis = next((name for name in _LOCATIONS if name in found), None)
        if basis is None or len(found[basis]) > 1 or found[basis][0].dimension in _COUNTS:
            continue
        each = found[basis][0]
        spread = found["sd"][0].value if len(found.get("sd", ())) == 1 else None
        point = _point([each], each.value or 0.0, spread, each.n, times)
        if point is not None:
            yield (metric, model, kind_of(file), series, of, f"{basis} as stated"), point


def _point(
    values: Sequence[Measurement], value: float, spread: float | None, n: int | None,
    times: Mapping[str, tuple[str | None, str]],
) -> Point | None:  # fmt: skip
    """A run's point; None where its time is unknown or the value has no logarithm."""
    file = values[0].source.file
    known = sorted(found for each in values if (found := moment(each.time)) is not None)
    text, zone = times.get(file, (None, "unknown"))
    seconds = known[0] if known else moment(text)
    if seconds is None or value <= 0:
        return None
    has_zone = (values[0].zone if known else zone) in {"utc", "offset"}
    return Point(
        file=file, seconds=seconds, has_zone=has_zone, value=value, sd=spread, n=n, measurements=tuple(values),
    )  # fmt: skip


def typical(points: Sequence[Point]) -> float:
    """The mean of the values of some runs."""
    return fmean(point.value for point in points)
