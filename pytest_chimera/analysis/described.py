"""Values of one metric as facts: how many, their mean and median, how far they spread, how sure the mean is.

What n values cannot resolve is no fact: there is no p95 of five rows.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from pytest_chimera.analysis.places import places
from pytest_chimera.distributions import t_upper_quantile
from pytest_chimera.records import Fact
from pytest_chimera.stats import quantile, rounds_needed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.records import Measurement
    from pytest_chimera.units import Dimension

COLD_RULE = "cold: its load is above 3 x the median load of the same model and file"
"""When a row counts as one for which the model was loaded."""
LOADED = ("ttft", "load", "total", "e2e", "prompt_eval")
"""Times that the loading of a model changes."""
FEWEST_FOR_SPREAD = 2
CONDITIONS: dict[str, bool | None] = {"all": None, "warm": False, "cold": True}
"""Which rows are meant -> whether the model was loaded for them."""

_FORMULAS = {
    "count": "number of values of rows that succeeded",
    "mean": "arithmetic mean",
    "median": "median",
    "min": "smallest value",
    "max": "largest value",
    "p5": "5 % quantile by linear interpolation",
    "p95": "95 % quantile by linear interpolation",
    "sd": "sample standard deviation (n - 1)",
    "ci95 low": "mean - t(0.975, n - 1) x sd / sqrt(n)",
    "ci95 high": "mean + t(0.975, n - 1) x sd / sqrt(n)",
}
STATISTICS = tuple(_FORMULAS)
"""Everything that is computed of a set of values, in the order of reports."""


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean, in any order of the values the same to the last digit."""
    return math.fsum(values) / len(values)


def sd(values: Sequence[float]) -> float | None:
    """Sample standard deviation (n - 1), in any order the same; None below two values."""
    if len(values) < FEWEST_FOR_SPREAD:
        return None
    centre = mean(values)
    off = [each - centre for each in values]
    return math.sqrt(math.fsum(each * each for each in off) / (len(values) - 1))


def described(
    measurements: Sequence[Measurement],
    subject: Mapping[str, str],
    *,
    condition: str = "all",
    statistics: Sequence[str] = STATISTICS,
) -> dict[str, Fact]:
    """Facts by statistic; those that these values cannot give are absent. There is at least one value."""
    values = sorted(each.value for each in measurements if each.value is not None)
    first = measurements[0]
    stands = places(measurements)
    who = conditioned(subject, condition)
    note = "" if condition == "all" else f", {condition} rows only ({COLD_RULE})"
    return {
        name: Fact(
            subject=who,
            metric=first.metric,
            statistic=name,
            value=value,
            dimension="count" if name == "count" else first.dimension,
            n=len(values),
            formula=_FORMULAS[name] + note,
            sources=stands,
        )
        for name, value in _computed(values).items()
        if name in statistics and value is not None
    }


def conditioned(subject: Mapping[str, str], condition: str) -> dict[str, str]:
    """A subject of cold or of warm rows; all rows are not mentioned."""
    return dict(subject) if condition == "all" else {**subject, "rows": condition}


def counted(
    subject: Mapping[str, str],
    metric: str,
    value: float,
    formula: str,
    sources: tuple[str, ...] = (),
    *,
    statistic: str = "count",
    dimension: Dimension = "count",
    n: int | None = None,
) -> Fact:
    """A fact that is a number of things, or computed from such numbers."""
    return Fact(
        subject=dict(subject),
        metric=metric,
        statistic=statistic,
        value=value,
        dimension=dimension,
        n=int(value) if n is None else n,
        formula=formula,
        sources=sources,
    )


def _computed(values: list[float]) -> dict[str, float | None]:
    n, centre, spread = len(values), mean(values), sd(values)
    half = None if spread is None else t_upper_quantile(0.025, n - 1) * spread / math.sqrt(n)
    return {
        "count": float(n),
        "mean": centre,
        "median": median(values),
        "min": values[0],
        "max": values[-1],
        "p5": quantile(values, 0.05) if n >= rounds_needed(0.05) else None,
        "p95": quantile(values, 0.95) if n >= rounds_needed(0.95) else None,
        "sd": spread,
        "ci95 low": None if half is None else centre - half,
        "ci95 high": None if half is None else centre + half,
    }
