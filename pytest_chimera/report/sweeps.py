"""Sweeps among the results of a session: which cases are points of one, what its parameters do, which point is best.

The statistics are those of `analysis.factors`; here they get their observations from rounds.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_chimera.analysis.factors import Observation, best_of, effects_of
from pytest_chimera.metrics import METRICS
from pytest_chimera.report.facts import numbers_of
from pytest_chimera.wire.options import LOAD_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_chimera.analysis.factors import FactorEffect, Lead
    from pytest_chimera.metrics import Metric
    from pytest_chimera.records import CaseResult, Round
    from pytest_chimera.report.facts import Measured

METRICS_OF_SWEEPS = ("tok/s", "ttft", "prefill", "e2e")
"""What is analysed, where it has values."""
ARM = "arm"
"""The only name in the point of an arm."""
MODEL = "model"
"""A parameter that is no option."""


@dataclass(frozen=True)
class Point:
    """One point of a sweep, or an arm, with what was measured of it."""

    result: CaseResult
    subject: Mapping[str, str]
    """Of its facts."""
    label: str
    """As people write it: "num_ctx=512,temperature=0.2"."""
    levels: Mapping[str, str]

    def read(self, metric: Metric) -> list[tuple[Round, float]]:
        """The counted rounds with a finite value of a metric that has one per round."""
        found = ((each, metric.read(each.generation)) for each in self.result.counted)
        return [(each, values[0]) for each, values in found if values and math.isfinite(values[0])]

    def source(self, metric: Metric) -> str:
        """Where its values of a metric stand."""
        return f"{self.result.case.id} {numbers_of(each for each, _ in self.read(metric))} {metric.name}"


@dataclass(frozen=True)
class Analysed:
    """What a sweep says of one metric."""

    metric: Metric
    observations: tuple[Observation, ...]
    effects: tuple[FactorEffect, ...]
    lead: Lead | None

    @property
    def strongest(self) -> tuple[FactorEffect, ...]:
        """The effects, the largest first; those that nothing is known of last."""
        return tuple(sorted(self.effects, key=lambda each: -abs(math.log(each.ratio)) if each.ratio else 1.0))


@dataclass(frozen=True)
class Swept:
    """A sweep on one model, or on several where the model varies; arms are one of a single parameter."""

    id: str
    name: str
    """For people."""
    model: str | None
    """None where the model varies."""
    points: tuple[Point, ...]
    subject: Mapping[str, str]
    """Of the facts that speak of it as a whole."""

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that vary."""
        return tuple(self.points[0].levels)

    @property
    def are_arms(self) -> bool:
        """Whether its points are the arms of a comparison."""
        return self.names == (ARM,)

    def levels(self, name: str) -> tuple[str, ...]:
        """The levels of a parameter, in the order in which points were given."""
        return tuple(dict.fromkeys(point.levels[name] for point in self.points))

    def point(self, levels: Mapping[str, str]) -> Point:
        """The point with these levels."""
        return self._by_levels[tuple(levels[name] for name in self.names)]

    @cached_property
    def _by_levels(self) -> dict[tuple[str, ...], Point]:
        return {tuple(each.levels[name] for name in self.names): each for each in self.points}

    @cached_property
    def blocks(self) -> Mapping[int, frozenset[str]]:
        """Number of each block in which a counted round was made -> labels of the points that it has one of."""
        found: dict[int, set[str]] = defaultdict(set)
        for point in self.points:
            for each in point.result.counted:
                if each.block is not None:
                    found[each.block].add(point.label)
        return {number: frozenset(found[number]) for number in sorted(found)}

    @property
    def fewest_blocks(self) -> int:
        """In how many blocks the point that is in the fewest has a counted round; points without any left out."""
        counts = [sum(point.label in labels for labels in self.blocks.values()) for point in self.points]
        return min((count for count in counts if count), default=0)

    @cached_property
    def analysed(self) -> tuple[Analysed, ...]:
        """What it says of each metric that at least two points have values of."""
        return tuple(found for name in METRICS_OF_SWEEPS if (found := _analysed(self, METRICS[name])) is not None)

    def values(self, metric: Metric) -> tuple[Point, ...]:
        """The points that have a value of a metric."""
        return tuple(point for point in self.points if point.read(metric))


def sweeps_of(measured: Measured) -> tuple[Swept, ...]:
    """Every sweep, in the order of their first points; arms are not among them."""
    return tuple(each for each in _grouped(measured) if not each.are_arms)


def arms_of(measured: Measured) -> tuple[Swept, ...]:
    """Every comparison of arms."""
    return tuple(each for each in _grouped(measured) if each.are_arms)


def _grouped(measured: Measured) -> Iterator[Swept]:
    """Points by their sweep, and by model, where the model does not vary."""
    groups: dict[tuple[Any, ...], list[tuple[CaseResult, Mapping[str, str]]]] = {}
    for result, subject in measured:
        case = result.case
        # A case that was measured again because it was found worse is no further point.
        if case.sweep is not None and case.point and case.confirms is None:
            model = None if MODEL in case.point or set(case.point) == {ARM} else case.model.name
            key = case.sweep, model, frozenset(case.point), subject.get("occurrence")
            groups.setdefault(key, []).append((result, subject))
    for (sweep, model, _, occurrence), members in groups.items():
        names = tuple(members[0][0].case.point)
        points = tuple(_point(result, subject, names) for result, subject in members)
        subject = {"sweep": sweep}
        subject |= {} if model is None else {"model": model}
        subject |= {} if occurrence is None else {"occurrence": occurrence}
        name = _name(points[0])
        yield Swept(id=sweep, name=name, model=model, points=points, subject=subject)


def _point(result: CaseResult, subject: Mapping[str, str], names: Sequence[str]) -> Point:
    levels = {name: level_text(result.case.point[name]) for name in names}
    return Point(result, subject, _label(result) or ",".join(f"{name}={said}" for name, said in levels.items()), levels)


def level_text(level: object) -> str:
    """A level as people write it: "512", "0.2", "true"."""
    return level if isinstance(level, str) else json.dumps(level)


def _label(result: CaseResult) -> str:
    """What stands behind the id of the sweep in that of the case."""
    case = result.case
    return case.id[len(case.sweep or "") :].strip() if case.id.startswith(case.sweep or "") else ""


def _name(point: Point) -> str:
    """The name that all points begin with, less the model's in brackets, which stands beside it."""
    case = point.result.case
    name = case.name.removesuffix(f" {point.label}")
    model = case.model.name
    return name.replace(f"[{model}]", "").replace(f"[{model.removesuffix(':latest')}]", "")


def _analysed(swept: Swept, metric: Metric) -> Analysed | None:
    observations = tuple(
        Observation(levels=point.levels, block=each.block, order=float(each.generation.sent_unix_ns), value=value)
        for point in swept.points
        for each, value in point.read(metric)
    )
    if len(swept.values(metric)) < 2:  # noqa: PLR2004  # nothing to compare
        return None
    loads = [name for name in swept.names if name in LOAD_OPTIONS or name == MODEL]
    higher = metric.better == "higher"
    return Analysed(
        metric=metric,
        observations=observations,
        effects=effects_of(observations, metric=metric.name, higher_is_better=higher, loads=loads),
        lead=best_of(observations, metric=metric.name, higher_is_better=higher, loads=loads),
    )
