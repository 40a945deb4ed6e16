"""Statistics of a handful of values: medians, quantiles, spread. Pure functions and one value.

A quantile that n values cannot resolve is None: a p95 of five rounds would be their maximum under another name.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.units import Dimension

_SHOWN_VALUES = 10
"""How many values the repr of a Statistic lists: the default number of rounds."""

UNITS: dict[str, str] = {
    "time": "s",
    "rate": "tok/s",
    "tokens": "tokens",
    "count": "",
    "ratio": "",
    "bytes": "B",
    "power": "W",
    "frequency": "Hz",
    "per_second": "/s",
    "celsius": "°C",
}


def rounds_needed(quantile: float) -> int:
    """The smallest n that resolves a quantile: one value in n lies beyond it, so p95 needs 20 and p99 100."""
    tail = min(quantile, 1 - quantile)
    return 1 if tail <= 0 else math.ceil(round(1 / tail, 9)) if tail < 0.5 else 1  # noqa: PLR2004  # the median


def quantile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile by linear interpolation between order statistics; None when n cannot resolve it."""
    if not values or len(values) < rounds_needed(q):
        return None
    ordered = sorted(values)
    position = q * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


@dataclass(frozen=True, slots=True)
class Statistic:
    """The values of one metric over the counted rounds, to assert on: `run.tok_s.median > 30`.

    Every statistic is None when there is no value to compute it from.
    """

    values: tuple[float, ...]
    """One per counted round that has a value, in order, in `unit`."""
    dimension: Dimension

    def __repr__(self) -> str:
        """What an assertion that failed should show: "<median 24.1 tok/s of 3: 23.9, 24.1, 24.3>"."""
        if not self.values:
            return "<no value>"
        shown = ", ".join(format_value(value, self.dimension) for value in self.values[:_SHOWN_VALUES])
        more = ", ..." if self.n > _SHOWN_VALUES else ""
        return f"<median {format_value(self.median, self.dimension)} of {self.n}: {shown}{more}>"

    @property
    def unit(self) -> str:
        """SI unit of the values: "s", "tok/s", "tokens" or "" for plain counts."""
        return UNITS[self.dimension]

    @property
    def n(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def median(self) -> float | None:
        """The median."""
        return statistics.median(self.values) if self.values else None

    @property
    def mean(self) -> float | None:
        """The arithmetic mean."""
        return statistics.fmean(self.values) if self.values else None

    @property
    def minimum(self) -> float | None:
        """The smallest value."""
        return min(self.values, default=None)

    @property
    def maximum(self) -> float | None:
        """The largest value."""
        return max(self.values, default=None)

    @property
    def sd(self) -> float | None:
        """Sample standard deviation (n - 1); None below two values."""
        return statistics.stdev(self.values) if self.n > 1 else None

    @property
    def p5(self) -> float | None:
        """The 5 % quantile; None below 20 values."""
        return quantile(self.values, 0.05)

    @property
    def p50(self) -> float | None:
        """The median, under its name among the quantiles."""
        return self.median

    @property
    def p90(self) -> float | None:
        """The 90 % quantile; None below 10 values."""
        return quantile(self.values, 0.9)

    @property
    def p95(self) -> float | None:
        """The 95 % quantile; None below 20 values."""
        return quantile(self.values, 0.95)

    @property
    def p99(self) -> float | None:
        """The 99 % quantile; None below 100 values."""
        return quantile(self.values, 0.99)


@dataclass(frozen=True, slots=True)
class StatisticName:
    """A statistic that an expression may name, and how many values it needs."""

    attribute: str
    needs: int


STATISTICS: dict[str, StatisticName] = {
    "median": StatisticName("median", 1),
    "mean": StatisticName("mean", 1),
    "min": StatisticName("minimum", 1),
    "max": StatisticName("maximum", 1),
    "sd": StatisticName("sd", 2),
    "p5": StatisticName("p5", rounds_needed(0.05)),
    "p50": StatisticName("p50", 1),
    "p90": StatisticName("p90", rounds_needed(0.9)),
    "p95": StatisticName("p95", rounds_needed(0.95)),
    "p99": StatisticName("p99", rounds_needed(0.99)),
}
"""The names of statistics in expressions ("ttft.p95"); without one, the median is meant."""
