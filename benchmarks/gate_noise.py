"""The suites that `gate_power.py` simulates: how runs scatter in each scenario, and what each test says of them.

All tests see the same data. Of the runs before the last only medians are needed: they come from a pool of medians of
simulated rounds. Ten earlier runs are met by several new ones, as a history costs more to judge by than a run does.
"""

from __future__ import annotations

import functools
import math
import random
from dataclasses import dataclass
from statistics import fmean, median, pvariance, stdev
from typing import TypeAlias

from gate_rivals import ONE_RUN, Saved, Truth, one_run_verdicts

from pytest_chimera.gate.history import History, spread_within, variance_of
from pytest_chimera.gate.rule import Suite

RUNS = (1, 3, 5, 10)
"""How many of the earlier runs the gate is shown."""
SHARED_RUNS = (5, 10)
"""Where cases share noise, the oracles that know it are tried with so many."""
ROUNDS = 10
NEW_RUNS = 10
"""How many new runs meet each history."""
_POOL = 8192
_ODD_RUN, _ODD_ROUND = math.log(1.1), math.log(1.3)
_COLD = (math.log(1.1), math.log(1.6))
"""How much slower a cold round may be: anything between the two."""

Tally: TypeAlias = dict[str, list[tuple[float, float]]]
"""Test -> for each history the share of unchanged suites with a false alarm, and the share of slowed cases found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One kind of noise, and what is asked of a test under it."""

    name: str
    cases: int = 20
    spreads: tuple[float, ...] = (0.012,)
    """Between runs (s.d. of logarithms), one for each metric; the cases are divided among them."""
    within: float = 0.01
    slowdown: float = 0.07
    threshold: float = 0.03
    share: float = 0.0
    """The share of the variance between runs that all cases have in common."""
    unequal: float = 0.0
    """The s.d. of the logarithms of the cases' spreads."""
    heavy: bool = False
    """Student's t with 4 degrees of freedom in place of the normal, with the same s.d."""
    odd_runs: float = 0.0
    """The share of runs in which everything takes 10 % longer."""
    odd_values: float = 0.0
    """The share of (run, case) in which all rounds take 10 % longer."""
    odd_rounds: float = 0.0
    """The share of rounds that take 30 % longer."""
    drift: float = 0.0
    """How much slower each run is than the one before (ln)."""
    cold: int = 0
    """The first so many rounds of a run take 10 to 60 % longer."""
    aim: float | None = None
    """At most so many false alarms in 100 suites are aimed at, from 5 runs on."""

    @property
    def about(self) -> str:
        """The numbers in words."""
        spreads = " / ".join(f"{100 * spread:g}" for spread in self.spreads)
        special = {
            f"common share {self.share:g}": self.share,
            f"s.d. of ln spread {self.unequal:g}": self.unequal,
            "t4 tails": self.heavy,
            f"{100 * self.odd_runs:g} % of runs 10 % slow": self.odd_runs,
            f"{100 * self.odd_values:g} % of (run, case) 10 % slow": self.odd_values,
            f"{100 * self.odd_rounds:g} % of rounds 30 % slow": self.odd_rounds,
            f"{100 * self.drift:g} % slower from run to run": self.drift,
            f"first {self.cold} of {ROUNDS} rounds slow": self.cold,
        }
        return ", ".join([
            f"C = {self.cases:<2}  {spreads} % between runs, {100 * self.within:g} % within",
            f"+{100 * self.slowdown:g} %, threshold {100 * self.threshold:g} %",
            *[text for text, value in special.items() if value],
        ])  # fmt: skip


def _noisy(name: str, cases: int = 20, share: float = 0.0) -> Scenario:
    aim = 1.0 if cases == 20 else None
    return Scenario(
        name=name, cases=cases, spreads=(0.03,), within=0.02, slowdown=0.1, threshold=0.05, share=share, aim=aim
    )


_disturbed = functools.partial(Scenario, spreads=(0.02,), slowdown=0.1, threshold=0.05)

SCENARIOS = (
    Scenario(name="cases-1", cases=1),
    Scenario(name="cases-5", cases=5),
    Scenario(name="cases-20", aim=1.0),
    _noisy("noisy-1", 1),
    _noisy("noisy-5", 5),
    _noisy("noisy-20"),
    Scenario(name="share-0.4", share=0.4, aim=1.0),
    Scenario(name="share-0.8", share=0.8, aim=1.0),
    _noisy("noisy-share-0.8", share=0.8),
    Scenario(name="unequal-0.3", unequal=0.3, aim=2.0),
    Scenario(name="unequal-0.6", unequal=0.6, aim=2.0),
    Scenario(name="metrics-4", spreads=(0.012, 0.019, 0.013, 0.0095), aim=2.0),
    _disturbed(name="undisturbed", aim=1.0),
    _disturbed(name="tails-t4", heavy=True),
    _disturbed(name="odd-runs", odd_runs=0.03),
    _disturbed(name="odd-values", odd_values=0.01),
    _disturbed(name="odd-rounds", odd_rounds=0.05),
    _disturbed(name="drift", drift=0.003),
    _disturbed(name="cold", cold=1),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share in percent with its Monte-Carlo standard error, from one value for each history."""

    value: float
    error: float

    @classmethod
    def of(cls, shares: list[float]) -> Rate:
        """The mean of the histories' shares."""
        return cls(100 * fmean(shares), 100 * stdev(shares) / math.sqrt(len(shares)))


def simulate(scenario: Scenario, seed: str, histories: int) -> Tally:
    """What each test says in so many histories."""
    found: Tally = {}
    rng = random.Random(seed)
    for _ in range(histories):
        for test, outcome in _Bench(scenario, rng).outcomes().items():
            found.setdefault(test, []).append(outcome)
    return found


def _rounds(scenario: Scenario, rng: random.Random) -> list[float]:
    """The ln costs of the rounds of one run about the run's own level."""
    rounds = [rng.gauss(0, scenario.within) for _ in range(ROUNDS)]
    for index in range(scenario.cold):
        rounds[index] += rng.uniform(*_COLD)
    if scenario.odd_rounds:
        rounds = [each + _ODD_ROUND * (rng.random() < scenario.odd_rounds) for each in rounds]
    return rounds


@functools.cache
def _pool(scenario: Scenario) -> tuple[list[float], float]:
    """Medians of simulated rounds, and their variance."""
    rng = random.Random(f"pool {scenario.name}")
    medians = [median(_rounds(scenario, rng)) for _ in range(_POOL)]
    return medians, pvariance(medians)


class _Bench:
    """One suite on one machine: its earlier runs, and the new ones that are judged by them."""

    def __init__(self, scenario: Scenario, rng: random.Random) -> None:
        self.scenario, self.rng = scenario, rng
        self.medians, explained = _pool(scenario)
        sizes = [scenario.spreads[case * len(scenario.spreads) // scenario.cases] for case in range(scenario.cases)]
        self.groups = [str(size) for size in sizes]
        self.spreads = [size * math.exp(rng.gauss(0, scenario.unequal)) for size in sizes]
        self.truth = Truth(
            tuple(spread**2 + explained for spread in self.spreads), scenario.share * self.spreads[0] ** 2
        )
        earlier = [[level + rng.choice(self.medians) for level in self._levels(run)] for run in range(max(RUNS) - 1)]
        self.last = self._measured(max(RUNS) - 1)
        self.costs = list(zip(*earlier, [each.log_cost for each in self.last], strict=True))

    def outcomes(self) -> dict[str, tuple[float, float]]:
        """Test -> share of the new runs with a false alarm, and share of the slowed cases found."""
        new = [self._measured(max(RUNS)) for _ in range(NEW_RUNS)]
        logs = [[each.log_cost for each in run] for run in new]
        found = {test: self._beyond(limits, logs) for test, limits in self._limits().items()}
        return found | self._by_one_run(new) | self._by_seeing(logs)

    def _levels(self, run: int) -> list[float]:
        """The ln cost of each case in one run, before its rounds scatter."""
        scenario, gauss, random_ = self.scenario, self.rng.gauss, self.rng.random
        level = scenario.drift * run + _ODD_RUN * (random_() < scenario.odd_runs)
        common, own = math.sqrt(scenario.share) * gauss(0, 1), math.sqrt(1 - scenario.share)
        levels = [level + spread * (common + own * gauss(0, 1) * self._tail()) for spread in self.spreads]
        if scenario.odd_values:
            levels = [each + _ODD_RUN * (random_() < scenario.odd_values) for each in levels]
        return levels

    def _tail(self) -> float:
        """What makes a normal value one of t with 4 degrees of freedom and s.d. 1."""
        if not self.scenario.heavy:
            return 1.0
        return 1 / math.sqrt(-math.log((1 - self.rng.random()) * (1 - self.rng.random())))

    def _measured(self, run: int) -> list[Saved]:
        """All rounds of one run."""
        return [
            Saved.of([math.exp(level + each) for each in _rounds(self.scenario, self.rng)])
            for level in self._levels(run)
        ]

    def _limits(self) -> dict[str, list[float]]:
        """Test -> the ln cost above which each case is called slower."""
        found = {}
        for runs in RUNS:
            centres = [fmean(costs[-runs:]) for costs in self.costs]
            margins = self._margins(runs)
            least = math.log1p(self.scenario.threshold)
            named = {"margin": margins, "ours": [max(margin, least) for margin in margins]}
            named["oracle"] = self.truth.plain(1 + 1 / runs)
            if self.truth.common and runs in SHARED_RUNS:
                named["exact"] = self.truth.exact(1 + 1 / runs)
            for name, each in named.items():
                found[f"{name} {runs}"] = [centre + margin for centre, margin in zip(centres, each, strict=True)]
        return found

    def _margins(self, runs: int) -> list[float]:
        """The margins of the gate, which is shown the last so many runs."""
        names = [str(run) for run in range(runs)]
        histories: dict[object, History] = {
            case: History(
                group=self.groups[case],
                costs=dict(zip(names, costs[-runs:], strict=True)),
                rounds_variance={"0": self._explained(case)} if runs == 1 else {},
            )
            for case, costs in enumerate(self.costs)
        }
        margins = Suite(histories).margins
        return [margins[case].at() for case in histories]

    def _explained(self, case: int) -> float:
        """The variance of the last run that its rounds explain."""
        within = spread_within([[math.log(cost) for cost in self.last[case].ordered]])
        return variance_of("median", ROUNDS, within or 0.0)

    def _beyond(self, limits: list[float], logs: list[list[float]]) -> tuple[float, float]:
        """Shares of the new runs with a case above its limit, and of cases above it once slowed."""
        slowed = math.log1p(self.scenario.slowdown)
        excesses = [[cost - limit for cost, limit in zip(run, limits, strict=True)] for run in logs]
        alarms = sum(max(run) > 0 for run in excesses)
        return alarms / len(logs), fmean(each + slowed > 0 for run in excesses for each in run)

    def _by_one_run(self, new: list[list[Saved]]) -> dict[str, tuple[float, float]]:
        """The same by the rules that look at the last run only."""
        unchanged = [[one_run_verdicts(*pair) for pair in zip(self.last, run, strict=True)] for run in new]
        factor = 1 + self.scenario.slowdown
        slowed = [one_run_verdicts(*pair, factor) for run in new for pair in zip(self.last, run, strict=True)]
        return {
            test: (
                fmean(any(case[index] for case in run) for run in unchanged),
                fmean(case[index] for case in slowed),
            )
            for index, test in enumerate(ONE_RUN)
        }

    def _by_seeing(self, logs: list[list[float]]) -> dict[str, tuple[float, float]]:
        """The same by the oracle that sees what the other cases of a run did."""
        found = {}
        slowed = math.log1p(self.scenario.slowdown)
        for runs in SHARED_RUNS if self.truth.common else ():
            centres = [fmean(costs[-runs:]) for costs in self.costs]
            differences = [[cost - centre for cost, centre in zip(run, centres, strict=True)] for run in logs]
            verdicts = [self.truth.seeing(run, slowed, 1 + 1 / runs) for run in differences]
            found[f"seeing {runs}"] = (fmean(each[0] for each in verdicts), fmean(each[1] for each in verdicts))
        return found
