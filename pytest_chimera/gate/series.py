"""The rounds of one metric of one case in one run, and what they can be compared by."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_chimera.metrics import METRICS
from pytest_chimera.stats import STATISTICS, Statistic
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KNOWN_UNIT = "s"
"""Of every row of pytest-benchmark."""

TICK_S = 1e-9
"""Resolution of durations: Ollama and our own clock count nanoseconds."""

FEWEST_TICKS = 100
"""A time shorter than so many ticks is too coarse to be compared."""

_SAME = {"p50": "median"}
_INVERSE = {"median": "median", "min": "max", "max": "min", "p5": "p95", "p95": "p5"}
"""Statistic of 1/x -> statistic of x from which it follows."""


class UnusableError(Exception):
    """These rounds cannot be compared by this statistic; the text says why."""


class TooFewError(UnusableError):
    """There are too few of them, or they are too coarse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one run recorded of one metric of a case, in the SI unit of the metric."""

    metric: str
    values: tuple[float, ...] | None
    """One per counted round (of a metric that has many in each, their median); None where the file has none."""
    statistics: Mapping[str, float] = field(default_factory=dict)
    """Statistics that do not follow from `values`."""
    n: int
    """How many rounds they rest on."""
    unit: str = KNOWN_UNIT
    """The unit that the row names for times."""

    @classmethod
    def of(
        cls, metric: str, values: Sequence[Any], *, unit: str = KNOWN_UNIT, statistics: Mapping[str, Any] | None = None
    ) -> Series:
        """From the values of counted rounds, None for one that has none."""
        known = tuple(float(value) for value in values if value is not None)
        given = {name: float(value) for name, value in (statistics or {}).items() if value is not None}
        return cls(metric=metric, values=known, statistics=given, n=len(known), unit=unit)

    def inverse(self, metric: str) -> Series:
        """The same rounds as the metric that is one over this one: tok/s from time per token."""
        values = self.values
        inverted = None if values is None else tuple(1 / each if each else math.inf for each in values)
        statistics = {
            name: 1 / self.statistics[source] for name, source in _INVERSE.items() if self.statistics.get(source, 0) > 0
        }
        return Series(metric=metric, values=inverted, statistics=statistics, n=self.n, unit=self.unit)

    def statistic(self, name: str) -> float:
        """One statistic over the rounds. Raises UnusableError where they do not have it."""
        metric = METRICS[self.metric]
        name = _SAME.get(name, name)
        if self.values and not all(map(math.isfinite, self.values)):
            raise UnusableError("a round of it is not finite")
        found = self.statistics.get(name)
        if found is None and self.values and not metric.pooled:
            found = getattr(Statistic(self.values, metric.dimension), STATISTICS[name].attribute)
        if found is not None:
            return found
        if not self.n:
            raise TooFewError("no counted round has a value for it")
        if self.values is None:
            raise UnusableError(f"its file has no values per round and no {name}")
        if metric.pooled:
            raise TooFewError(f"{name} needs {STATISTICS[name].needs} values, which its {self.n} rounds do not have")
        raise TooFewError(f"{name} needs {STATISTICS[name].needs} rounds and {self.n} counted")

    def log_cost(self, name: str) -> float:
        """The ln cost of a statistic: of a time, or of one over a rate. Raises UnusableError."""
        metric = METRICS[self.metric]
        value = self.statistic(name)
        if self.unit != KNOWN_UNIT:
            raise UnusableError(f"it is given in {self.unit!r} and not in {KNOWN_UNIT!r}")
        if not math.isfinite(value) or value <= 0:
            shown = format_value(value, metric.dimension) if math.isfinite(value) else str(value)
            clock = ": a clock ran backwards" if metric.dimension == "time" and value < 0 else ""
            raise UnusableError(f"its {name} is {shown}, of which there is no ratio{clock}")
        cost = 1 / value if metric.better == "higher" else value
        if metric.dimension in {"time", "rate"} and cost < FEWEST_TICKS * TICK_S:
            raise TooFewError(f"its {name} is below {FEWEST_TICKS} ticks of the clock")
        return math.log(cost)

    def tick(self, name: str) -> float:
        """The resolution of the clock as a share of the cost."""
        return TICK_S / math.exp(self.log_cost(name)) if METRICS[self.metric].dimension in {"time", "rate"} else 0.0

    def log_costs(self) -> tuple[float, ...]:
        """The ln cost of each round, of those that have one."""
        rate = METRICS[self.metric].better == "higher"
        usable = [each for each in self.values or () if math.isfinite(each) and each > 0]
        return tuple(-math.log(each) if rate else math.log(each) for each in usable)
