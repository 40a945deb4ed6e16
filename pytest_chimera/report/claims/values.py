"""What the data say: the value of a metric under a statistic and a condition, one for each basis it may have."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.report.claims.evidence import FACTS, Evidence, Run, bits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MAX_SOURCES = 12
_HIGHER_IS_BETTER = frozenset(
    {"tok/s", "tok/s_e2e", "prefill", "words/s", "request_rate", "speedup", "efficiency", "accuracy"}
)
LOADED = frozenset({"ttft", "load", "total", "e2e", "latency", "prompt_eval"})
"""Metrics that a cold start changes."""


class Value(NamedTuple):
    """One value that the data give, and how."""

    value: float
    metric: str
    statistic: str
    condition: str | None
    basis: str
    """What a row of claims must share: file, series and model, or one run."""
    files: tuple[str, ...]
    model: str | None
    runs: tuple[int, ...]
    n: int
    series: str = ""

    @property
    def text(self) -> str:
        """For people: "mean of 5 warm rows of toy:a in runs.csv"."""
        rows = f"{self.condition + ' ' if self.condition else ''}row{'s' if self.n != 1 else ''}"
        name = {"value": "value", "best": "best", "sd": "standard deviation"}.get(self.statistic, self.statistic)
        of = f" of {self.model}" if self.model else ""
        if self.files and self.files[0] == FACTS:
            return f"{name} of {self.metric}{of} among the facts"
        return f"{name} of {self.n} {rows}{of} in {self.files[0] if self.files else '?'}"


def ranked_higher(metric: str) -> bool:
    """Whether the best value of a metric is its largest."""
    return metric in _HIGHER_IS_BETTER


class _Asked(NamedTuple):
    """What a value is asked of."""

    metric: str
    condition: str | None
    basis: str
    files: tuple[str, ...]
    model: str | None


_STORED_NAMES: dict[str, tuple[str, ...]] = {"best": ("max",), "sd": ("sd", "stdev", "std")}
"""Statistics that files store under other names."""


class Values:
    """Computes values over sets of runs, each once."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._cache: dict[tuple[int, str, str, str | None], tuple[Value, ...]] = {}

    def of(self, mask: int, metric: str, statistic: str = "mean", condition: str | None = None) -> tuple[Value, ...]:
        """The values of a metric over runs, one for each file, series and model; none where there is no number."""
        key = (mask, metric, statistic, condition)
        if key not in self._cache:
            self._cache[key] = tuple(self._computed(*key))
        return self._cache[key]

    def groups(self, mask: int, metric: str) -> dict[tuple[tuple[str, ...], str, str | None], list[int]]:
        """The runs that have a metric and did not fail, by file, series and model."""
        found: dict[tuple[tuple[str, ...], str, str | None], list[int]] = defaultdict(list)
        for number in bits(self.evidence.having(mask, metric) & ~self.evidence.failed):
            run = self.evidence.runs[number]
            found[run.files, run.series, run.model].append(number)
        return found

    def _computed(self, mask: int, metric: str, statistic: str, condition: str | None) -> Iterable[Value]:
        for (files, series, model), numbers in self.groups(mask, metric).items():
            chosen = self._under(numbers, condition)
            asked = _Asked(metric, condition, f"{files[0]} {series} {model or ''}", files, model)
            yield from self._stored(chosen, asked, statistic)
            if files[0] == FACTS:
                continue
            raw = self._held(chosen, metric, "value")
            means = [] if raw else self._held(chosen, metric, "mean")
            pairs = raw or (means if statistic in {"max", "min", "best", "worst"} or len(means) == 1 else [])
            value = self._statistic(pairs, metric, statistic) if pairs else None
            if value is not None:
                used = tuple(number for number, _ in pairs)
                yield Value(value, metric, statistic, condition, asked.basis, files, model, used, len(pairs), series)

    def _stored(self, numbers: Sequence[int], asked: _Asked, statistic: str) -> Iterable[Value]:
        """Aggregates that a file holds as such."""
        if statistic == "value":
            return
        facts = asked.files[0] == FACTS
        for name in _STORED_NAMES.get(statistic, (statistic,)):
            found = self._held(numbers, asked.metric, name)
            if found and (len(found) == 1 or facts or statistic == "sd"):
                for number, value in found:
                    basis = f"{asked.basis} #{number}" if len(found) > 1 else asked.basis
                    yield Value(
                        value, asked.metric, statistic, asked.condition, basis, asked.files, asked.model, (number,), 1
                    )  # fmt: skip

    def _held(self, numbers: Sequence[int], metric: str, statistic: str) -> list[tuple[int, float]]:
        runs = self.evidence.runs
        return [(each, value) for each in numbers if (value := runs[each].value(metric, statistic)) is not None]

    def _under(self, numbers: Sequence[int], condition: str | None) -> list[int]:
        """The runs under a condition; where a file cannot tell cold from warm, the first row is the cold one."""
        if condition is None:
            return list(numbers)
        cold, warm = self.evidence.cold, self.evidence.warm
        if numbers and self.evidence.runs[numbers[0]].files[0] == FACTS:  # each says itself what it is of
            wanted = cold if condition == "cold" else warm
            return [number for number in numbers if wanted >> number & 1]
        known = [number for number in numbers if (cold | warm) >> number & 1]
        if any(cold >> number & 1 for number in known):
            wanted = cold if condition == "cold" else warm
            return [number for number in known if wanted >> number & 1]
        if len(numbers) < 2 or any(self.evidence.runs[number].row is None for number in numbers):  # noqa: PLR2004  # no first of one
            return []
        first = min(numbers, key=lambda number: self.evidence.runs[number].row or 0)
        return [first] if condition == "cold" else [number for number in numbers if number != first]

    def _statistic(self, pairs: Sequence[tuple[int, float]], metric: str, statistic: str) -> float | None:
        values = [value for _, value in pairs]
        if statistic == "worst":
            return min(values) if ranked_higher(metric) else max(values)
        if statistic == "best":
            return self._best(pairs, metric)
        compute = _STATISTICS.get(statistic)
        return compute(values) if compute else None

    def _best(self, pairs: Sequence[tuple[int, float]], metric: str) -> float:
        """The best value; of a time that of the row with the highest rate, if the rows have rates."""
        values = [value for _, value in pairs]
        if ranked_higher(metric):
            return max(values)
        rates = [(rate, value) for number, value in pairs if (rate := _rate(self.evidence.runs[number])) is not None]
        return max(rates)[1] if rates else min(values)

    def run(self, number: int, metric: str) -> Value | None:
        """The value of a metric in one run; its mean where it holds no single value."""
        run = self.evidence.runs[number]
        for name in ("value", "mean"):
            value = run.value(metric, name)
            if value is not None:
                return Value(value, metric, name, None, f"run {number}", run.files, run.model, (number,), 1)
        return None

    def sources(self, value: Value) -> tuple[str, ...]:
        """Where the numbers behind a value stand."""
        found = []
        for number in value.runs[:_MAX_SOURCES]:
            run = self.evidence.runs[number]
            held = next((each for (metric, _), each in run.values.items() if metric == value.metric), None)
            if held is not None:
                found.append(str(held.source))
        if len(value.runs) > _MAX_SOURCES:
            found.append(f"and {len(value.runs) - _MAX_SOURCES} more")
        return tuple(found)


def _rate(run: Run) -> float | None:
    rate = run.value("tok/s")
    return run.value("tok/s", "mean") if rate is None else rate


def _percentile(q: float) -> Callable[[Sequence[float]], float | None]:
    """By linear interpolation, as other tools do it also for few values."""

    def computed(values: Sequence[float]) -> float | None:
        ordered = sorted(values)
        place = q * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return computed


_STATISTICS: dict[str, Callable[[Sequence[float]], float | None]] = {
    "mean": statistics.fmean,
    "value": lambda values: values[0] if len(values) == 1 else None,
    "median": statistics.median,
    "max": max,
    "min": min,
    "sum": math.fsum,
    "sd": lambda values: statistics.stdev(values) if len(values) > 1 else None,
    "p5": _percentile(0.05),
    "p10": _percentile(0.10),
    "p90": _percentile(0.90),
    "p95": _percentile(0.95),
    "p99": _percentile(0.99),
}
