"""What earlier runs say of one comparison: a logarithm of cost per run, and how far the rounds of a run scatter.

Pure numbers; which runs they are, and whether they may be compared at all, is decided elsewhere in this room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist, median
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Run: TypeAlias = tuple[int, str]
"""A run by its side (0 the base, 1 the other) and its name."""

_MAD_TO_SD = 1.4826
"""The s.d. of a normal distribution in units of its median absolute deviation."""
_FEW_ROUNDS = 2
"""The median of so many rounds is their mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The runs of one comparison (a metric of a case), as ln cost: a time, or the inverse of a rate."""

    group: str
    """Which comparisons are alike: the metric and its statistic."""
    costs: Mapping[str, float]
    """Run -> ln cost."""
    rounds_variance: Mapping[str, float] = field(default_factory=dict)
    """Run -> variance of its ln cost that its rounds alone explain; runs whose rounds are not known are absent."""
    tick: float = 0.0
    """Resolution of the clock as a share of the cost."""
    least: float = 0.0
    """Of a share of rounds: the variance of a run's ln cost that chance alone gives it. No spread between runs is
    believed to be less, and it says nothing of how times scatter.
    """
    others: Mapping[str, float] = field(default_factory=dict)
    """Where two groups of runs are compared, the runs of the other side: their spread counts as well."""
    others_variance: Mapping[str, float] = field(default_factory=dict)
    """As `rounds_variance`, of the other side."""

    @property
    def centre(self) -> float:
        """The mean of the ln costs."""
        return _mean(self.costs.values())

    @property
    def df(self) -> int:
        """Degrees of freedom of the spread between runs."""
        return len(self.costs) - 1 + max(len(self.others) - 1, 0)

    @property
    def scale(self) -> float:
        """Variance of new - base in units of the variance of one run."""
        return 1 / len(self.costs) + 1 / max(len(self.others), 1)

    def deviations(self) -> dict[Run, float]:
        """Run -> ln cost less the mean of its side."""
        found = _deviations(0, self.costs)
        return found | _deviations(1, self.others) if self.others else found

    @property
    def square(self) -> float:
        """Variance between the runs; 0 where there is one."""
        return math.fsum(each * each for each in self.deviations().values()) / self.df if self.df else 0.0

    @property
    def mean_rounds_variance(self) -> float:
        """Mean variance that the rounds of one run explain, both sides together."""
        known = math.fsum([*self.rounds_variance.values(), *self.others_variance.values()])
        return known / (len(self.costs) + len(self.others))

    def more_than_before(self, new: float) -> float:
        """Further variance of new - base where the rounds of the new run explain `new`: more than those before did.

        Fewer rounds now than before make the new median less sure than the spread of the earlier ones shows. Of two
        groups the smaller one counts; of two equally large ones neither, so that neither side is favoured.
        """
        if not self.others:
            return max(0.0, new - _mean_known(self.rounds_variance, self.costs))
        sides = (
            (len(self.costs), _mean_known(self.rounds_variance, self.costs)),
            (len(self.others), _mean_known(self.others_variance, self.others)),
        )
        (fewer, of_fewer), (_, of_more) = sorted(sides)  # of equally many the one with less, so that nothing is left
        return max(0.0, of_fewer - of_more) / fewer


def spread_within(runs: Iterable[Sequence[float]]) -> float | None:
    """The s.d. of the ln cost of single rounds, by their distances to the median of their run, so that outliers weigh
    little; None where no run has two rounds.
    """
    distances = [
        abs(cost - middle) * math.sqrt(len(run) / (len(run) - 1))
        for run in runs
        if len(run) > 1
        for middle in (median(run),)
        for cost in run
    ]
    return _MAD_TO_SD * median(distances) if distances else None


def spread_of_share(good: float, rounds: int) -> float:
    """The s.d. of the ln cost of rounds that are 1 or 0, as the mean of n of them has it by w / sqrt(n).

    `good` of so many rounds are 1. It is never 0: half a round is added to either side (Jeffreys), because ten good
    rounds of ten do not say that the next one is good.
    """
    share = (good + 0.5) / (rounds + 1)
    return math.sqrt((1 - share) / share)


def variance_of(statistic: str, rounds: int, within: float) -> float:
    """The variance of the ln of a statistic of so many rounds that scatter by `within` (s.d. of ln cost).

    Large-sample formulas for normal rounds: of the mean w^2/n, of a quantile q q(1-q)/(n phi(z_q)^2) w^2 (the median:
    pi/2 w^2/n), of a standard deviation 1/(2(n-1)).
    """
    if statistic == "sd":
        return 0.5 / max(rounds - 1, 1)
    square = within * within / rounds
    if statistic == "mean" or rounds <= _FEW_ROUNDS:
        return square
    share = _quantile_of(statistic, rounds)
    normal = NormalDist()
    return share * (1 - share) / normal.pdf(normal.inv_cdf(share)) ** 2 * square


def _quantile_of(statistic: str, rounds: int) -> float:
    """The quantile that a statistic estimates; of a largest value one that so many rounds just resolve."""
    edge = 1 / (rounds + 1)
    named = {"median": 0.5, "min": edge, "max": 1 - edge}
    return named[statistic] if statistic in named else int(statistic[1:]) / 100


def _mean_known(variances: Mapping[str, float], runs: Mapping[str, float]) -> float:
    return math.fsum(variances.values()) / len(runs)


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return math.fsum(known) / len(known)


def _deviations(side: int, costs: Mapping[str, float]) -> dict[Run, float]:
    centre = _mean(costs.values())
    return {(side, run): cost - centre for run, cost in costs.items()}
