"""Who judges in `gate_power.py`: rules that look at one saved run, tests that know the truth, and all on recorded runs.

The rules of pytest-benchmark (`--benchmark-compare-fail=mean:5%`), asv (its rank test at p < 0.002 and `--factor 1.05`;
the default of 1.1 would find none of our slowdowns) and benchstat (rank test at p < 0.05) are written down here for the
direction "slower" only. The oracles know the true spread, which no gate does.
"""

from __future__ import annotations

import functools
import json
import math
import sys
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING, Any

from pytest_chimera.gate.history import History, spread_within, variance_of
from pytest_chimera.gate.rule import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE_RUN = ("mean:5%", "asv", "benchstat")
"""The rules that look at one saved run, in the order of `one_run_verdicts`."""
ALPHA = 0.01
FIELDS = {
    "tok/s": ("eval_duration", "eval_count"),
    "ttft": ("client_ttft_ms", None),
    "prefill": ("prompt_eval_duration", "prompt_eval_count"),
    "e2e": ("client_e2e_ms", None),
}
"""Metric -> the field that is its cost, and the one it is divided by where the metric is a rate."""
_FACTOR = 1.05
"""How much slower counts, for mean:5% and asv."""
_ASV_P, _BENCHSTAT_P = 0.002, 0.05
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Saved:
    """The rounds of one comparison in one run, as costs: times, or inverses of rates."""

    ordered: tuple[float, ...]
    mean: float
    median: float

    @classmethod
    def of(cls, costs: list[float]) -> Saved:
        """From the costs of the rounds, in any order."""
        ordered, half = tuple(sorted(costs)), len(costs) // 2
        return cls(ordered, fmean(ordered), (ordered[half] + ordered[-half - 1]) / 2)

    @property
    def log_cost(self) -> float:
        """What the gate sees of the run."""
        return math.log(self.median)


def one_run_verdicts(base: Saved, new: Saved, factor: float = 1.0) -> tuple[bool, bool, bool]:
    """Whether each of ONE_RUN calls `new` slower than `base`, had all rounds of `new` taken `factor` times as long."""
    difference = rank_p(base.ordered, [cost * factor for cost in new.ordered])
    return (
        new.mean * factor > _FACTOR * base.mean,
        difference < _ASV_P and new.median * factor > _FACTOR * base.median,
        difference < _BENCHSTAT_P and new.median * factor > base.median,
    )


def rank_p(ordered: tuple[float, ...], others: list[float]) -> float:
    """The two-sided p-value of the Mann-Whitney test, exact but for ties, of which each counts a half."""
    twice = sum(bisect_left(ordered, cost) + bisect_right(ordered, cost) for cost in others)
    return _rank_table(len(ordered), len(others))[(min(twice, 2 * len(ordered) * len(others) - twice) + 1) // 2]


@functools.cache
def _rank_table(first: int, second: int) -> list[float]:
    """U -> the two-sided p-value, by the number of orders of the rounds that give each U (a Gaussian binomial)."""
    counts = [1] + [0] * (first * second)
    for size in range(1, second + 1):
        for u in range(first * second, first + size - 1, -1):
            counts[u] -= counts[u - first - size]
        for u in range(size, first * second + 1):
            counts[u] += counts[u - size]
    table, below, total = [], 0, math.comb(first + second, first)
    for count in counts:
        below += count
        table.append(min(1.0, 2 * below / total))
    return table


@functools.cache
def critical(cases: int, correlation: float = 0.0) -> float:
    """What the largest of so many equally correlated standard normals exceeds in a share ALPHA of all suites.

    Without correlation that is Sidak's correction.
    """
    low, high = 0.0, 10.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if _exceeds(cases, correlation, middle) > ALPHA else (low, middle)
    return high


def _exceeds(cases: int, correlation: float, limit: float) -> float:
    """How often the largest of so many equally correlated normals exceeds a limit, by the trapezium rule."""
    step, own = 0.02, math.sqrt(1 - correlation)
    common = [step * index for index in range(-400, 401)]
    within = (
        _NORMAL.pdf(shared) * _NORMAL.cdf((limit - math.sqrt(correlation) * shared) / own) ** cases for shared in common
    )
    return 1 - step * math.fsum(within)


@dataclass(frozen=True, slots=True)
class Truth:
    """What the oracles know: the variances of a run's values, in a suite whose cases may share a part of them."""

    variances: tuple[float, ...]
    """Of each case, the shared part included."""
    common: float = 0.0
    """The part that all cases share; where there is one the cases are alike in all else."""

    def plain(self, scale: float) -> list[float]:
        """The margins of a z test of each case by itself, corrected by Sidak as if the cases were independent."""
        return [critical(len(self.variances)) * math.sqrt(variance * scale) for variance in self.variances]

    def exact(self, scale: float) -> list[float]:
        """The same, but the correction knows how the cases are correlated, so that false alarms are exactly ALPHA."""
        found = critical(len(self.variances), self.common / self.variances[0])
        return [found * math.sqrt(variance * scale) for variance in self.variances]

    def seeing(self, differences: list[float], slowed: float, scale: float) -> tuple[bool, float]:
        """Whether a case is called that the other cases do not explain, and the share found were each one slowed.

        The best there is where one case has slowed: its difference less what the others lead one to expect. No gate
        may do so that must give the same verdict when a single case is run.
        """
        others, variance = len(differences) - 1, self.variances[0]
        slope = self.common / (variance + (others - 1) * self.common)
        limit = critical(others + 1) * math.sqrt((variance - others * slope * self.common) * scale)
        total = math.fsum(differences)
        excess = [each - slope * (total - each) - limit for each in differences]
        return max(excess) > 0, sum(each + slowed > 0 for each in excess) / len(excess)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run that was really made."""

    arm: str
    """`base`, or what was slowed."""
    saved: dict[str, Saved]
    """Metric -> its counted rounds."""
    costs: dict[str, float]
    """Metric -> ln of the median cost."""


def read(path: Path) -> list[Recorded]:
    """The runs of a file; rounds that warm up or lack a field are not counted."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        run = json.loads(line)
        rounds = [each for each in run["rounds"] if not each.get("warmup") and _complete(each)]
        if not rounds:
            print(f"line {number}: no counted round, the run is left out", file=sys.stderr)
            continue
        saved = {metric: Saved.of([_cost(each, *fields) for each in rounds]) for metric, fields in FIELDS.items()}
        found.append(Recorded(run["arm"], saved, {metric: each.log_cost for metric, each in saved.items()}))
    return found


def _complete(measured: dict[str, Any]) -> bool:
    """Whether a round has all fields, none of them zero."""
    return all(measured.get(field) for fields in FIELDS.values() for field in fields if field)


def _cost(measured: dict[str, Any], cost: str, per: str | None) -> float:
    return float(measured[cost]) / (float(measured[per]) if per else 1.0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of judging a run by earlier ones."""

    runs: int
    together: bool = False
    """All metrics are one suite, not each a suite of its own."""
    rival: int | None = None
    """Which of ONE_RUN it is, where it is not the gate."""

    @property
    def label(self) -> str:
        """Its name in the table."""
        if self.rival is not None:
            return f"1 run, {ONE_RUN[self.rival]}"
        return f"{self.runs} run{'s' * (self.runs > 1)}, {'together' if self.together else 'alone'}"


class Judge:
    """Says of recorded runs which are slower than earlier ones, and in which metrics."""

    def __init__(self, recorded: list[Recorded], threshold: float, allowance: float) -> None:
        self.recorded, self.allowance = recorded, allowance
        self.least = {
            metric: -math.log1p(-threshold) if per else math.log1p(threshold) for metric, (_, per) in FIELDS.items()
        }
        self.rounds = {len(saved.ordered) for run in recorded for saved in run.saved.values()}
        self.known: dict[tuple[Rule, int], dict[int, frozenset[str]]] = {}

    def slower(self, rule: Rule, history: tuple[int, ...]) -> dict[int, frozenset[str]]:
        """Run -> the metrics in which it is called slower, for all runs outside the history; `any` if there is one.

        Verdicts by a single run are remembered: there are only as many as runs.
        """
        if len(history) > 1:
            return self._by_gate(rule, history)
        key = (rule, history[0])
        if key not in self.known:
            self.known[key] = self._by_gate(rule, history) if rule.rival is None else self._by_rival(rule, *history)
        return self.known[key]

    def _by_rival(self, rule: Rule, base: int) -> dict[int, frozenset[str]]:
        saved = self.recorded[base].saved
        return {
            index: _called(
                metric for metric, new in run.saved.items() if one_run_verdicts(saved[metric], new)[rule.rival or 0]
            )
            for index, run in enumerate(self.recorded)
            if index != base
        }

    def _by_gate(self, rule: Rule, history: tuple[int, ...]) -> dict[int, frozenset[str]]:
        limits: dict[tuple[str, int], float] = {}
        for metrics in [list(FIELDS)] if rule.together else [[metric] for metric in FIELDS]:
            limits |= self._limits(history, metrics)
        return {
            index: _called(
                metric for metric, cost in run.costs.items() if cost > limits[metric, len(run.saved[metric].ordered)]
            )
            for index, run in enumerate(self.recorded)
            if index not in history
        }

    def _limits(self, history: tuple[int, ...], metrics: list[str]) -> dict[tuple[str, int], float]:
        """(Metric, rounds of the new run) -> the ln cost above which it is called slower; the metrics are one suite."""
        within = {metric: self._within(history, metric) for metric in metrics}
        histories: dict[object, History] = {
            metric: self._history(history, metric, within[metric]) for metric in metrics
        }
        margins, found = Suite(histories, allowance=self.allowance).margins, {}
        for metric in metrics:
            for rounds in self.rounds:
                extra = histories[metric].more_than_before(variance_of("median", rounds, within[metric]))
                limit = max(replace(margins[metric], extra=extra).at(), self.least[metric])
                found[metric, rounds] = margins[metric].centre + limit
        return found

    def _history(self, history: tuple[int, ...], metric: str, within: float) -> History:
        explained = {
            str(run): variance_of("median", len(self.recorded[run].saved[metric].ordered), within) for run in history
        }
        costs = {str(run): self.recorded[run].costs[metric] for run in history}
        return History(group=metric, costs=costs, rounds_variance=explained)

    def _within(self, history: tuple[int, ...], metric: str) -> float:
        """How the rounds scatter; not asked where it has no say: runs of equally many rounds, spread measured."""
        if len(history) > 2 and len(self.rounds) == 1:
            return 0.0
        runs = [[math.log(cost) for cost in self.recorded[run].saved[metric].ordered] for run in history]
        return spread_within(runs) or 0.0


def _called(metrics: Iterator[str]) -> frozenset[str]:
    found = frozenset(metrics)
    return found | {"any"} if found else found
