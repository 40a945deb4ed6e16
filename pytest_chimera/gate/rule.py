"""The decision rule of the gate: from the costs of earlier runs to how large a difference noise alone can make.

Pure statistics on natural logarithms of cost (a time, or the inverse of a rate), so that larger is worse. Two runs of
the same code differ by more than the rounds within one do, so the unit of evidence is the run. Method, formulas and
references: `docs/gate.md`. What a metric, a threshold or a file is, is not known here.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.distributions import normal_quantile, normal_tail, t_tail, t_upper_quantile
from pytest_chimera.gate.moderation import FEWEST_RUNS, moderate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_chimera.gate.history import History, Run

ALPHA = 0.01
"""How often a suite in which nothing changed may have a false `worse`, all its comparisons together."""

ALLOWANCE = 0.02
"""Run-to-run spread (one standard deviation of logarithms) assumed where one or two runs cannot show it."""

_CONFIDENCE_TAIL = 0.025
"""Beyond each end of an interval: 95 % lie within."""
_SMALLEST_P = 1e-15
_ALPHA_PRECISION = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteNoise:
    """What a history shows of noise that all comparisons of a run share."""

    comparisons: int
    runs: int
    common: float
    """Mean square of what the runs have in common (MSR)."""
    single: float
    """Mean square of what is each comparison's own (MSE)."""

    @property
    def share(self) -> float:
        """The share of the variance that is treated as common to a whole run, 0 to 1."""
        if self.common + (self.comparisons - 1) * self.single <= 0:
            return 0.0
        lead = self.common - (1 - 1 / math.sqrt(self.comparisons)) * self.single
        return min(1.0, lead / (self.common + (self.comparisons - 1) * self.single))


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How large a difference of ln cost noise alone can make in one comparison."""

    centre: float
    """Mean ln cost of the base."""
    runs: int
    comparisons: int
    """How many are judged together (C)."""
    own_df: int
    """Degrees of freedom of the comparison's own spread."""
    df: float
    """The same after moderation by the suite."""
    spread: float
    """Standard deviation between runs, moderated."""
    scale: float
    """Variance of new - base in units of `spread` squared, without `extra`."""
    extra: float = 0.0
    """Further variance where the new run has fewer rounds than the earlier ones."""
    suite: SuiteNoise | None = None
    """None where nothing is known of what runs have in common."""
    allowance: float | None = None
    """The run-to-run spread that was assumed; None where it was measured."""

    @property
    def error(self) -> float:
        """Standard deviation of new - base where nothing has changed."""
        return math.sqrt(self.scale * self.spread * self.spread + self.extra)

    def at(self, alpha: float = ALPHA) -> float:
        """The margin: above it a difference is not explained by noise, but in a share `alpha` of unchanged suites."""
        each = alpha / self.comparisons
        if self.allowance is not None:
            return -normal_quantile(each) * self.error
        if self.comparisons == 1:
            return t_upper_quantile(alpha, self.own_df) * self.error
        if self.suite is None:
            return t_upper_quantile(each, self.df) * self.error
        share, typical = self.suite.share, _typical_largest(self.comparisons)
        common = t_upper_quantile(alpha, self.own_df)
        single = t_upper_quantile(each, self.df) - typical
        factor = math.sqrt(common * common * share + single * single * (1 - share)) + typical * math.sqrt(1 - share)
        return factor * self.error

    def interval(self, difference: float) -> tuple[float, float]:
        """The 95 % confidence interval of a difference, for this comparison alone."""
        if self.allowance is not None:
            factor = -normal_quantile(_CONFIDENCE_TAIL)
        elif self.comparisons == 1:
            factor = t_upper_quantile(_CONFIDENCE_TAIL, self.own_df)
        else:
            share = self.suite.share if self.suite else 0.0
            own = t_upper_quantile(_CONFIDENCE_TAIL, self.own_df)
            moderated = t_upper_quantile(_CONFIDENCE_TAIL, self.df)
            factor = math.sqrt(own * own * share + moderated * moderated * (1 - share))
        return difference - factor * self.error, difference + factor * self.error

    def p_value(self, difference: float) -> float:
        """The alpha at which a difference of this size, in its direction, would just exceed the margin; 1 at most.

        It is corrected for all comparisons of the suite.
        """
        size = abs(difference)
        if self.error == 0:
            return 0.0 if size else 1.0
        if self.allowance is not None:
            return min(1.0, self.comparisons * normal_tail(size / self.error))
        if self.comparisons == 1:
            return t_tail(size / self.error, self.own_df)
        if self.suite is None:
            return min(1.0, self.comparisons * t_tail(size / self.error, self.df))
        return _alpha_at(lambda alpha: (self.at(alpha) - size) / self.error)


class Suite:
    """All comparisons that are judged together, and what each learns from the others."""

    def __init__(self, histories: Mapping[object, History], *, allowance: float = ALLOWANCE) -> None:
        """`histories` has one entry for each comparison, whichever keys the caller tells them apart by."""
        self.histories = histories
        self.allowance = allowance
        self.moderated = moderate(histories)
        self.noise = self._noise()
        self.margins = {key: self._margin(key) for key in histories}

    def _margin(self, key: object) -> Margin:
        """The margin of one comparison."""
        history, found = self.histories[key], self.moderated[key]
        if history.df < FEWEST_RUNS - 1:
            return self._assumed(history, found.prior)
        return Margin(
            centre=history.centre,
            runs=len(history.costs),
            comparisons=len(self.histories),
            own_df=history.df,
            df=found.df,
            spread=math.sqrt(found.square),
            scale=history.scale,
            suite=self.noise,
        )

    def _assumed(self, history: History, prior: float | None) -> Margin:
        """The margin where so few runs cannot show their spread: the allowance stands for it."""
        alike = [each for each in self.histories.values() if bool(each.least) == bool(history.least)]
        few = [each.square for each in alike if 0 < each.df < FEWEST_RUNS - 1]
        square = self.allowance**2 if prior is None else max(self.allowance**2, prior)
        square = max(square + history.mean_rounds_variance, math.fsum(few) / len(few) if few else 0.0)
        return Margin(
            centre=history.centre,
            runs=len(history.costs),
            comparisons=len(self.histories),
            own_df=max(history.df, 1),
            df=math.inf,
            spread=math.sqrt(square),
            scale=history.scale,
            allowance=self.allowance,
        )

    def _noise(self) -> SuiteNoise | None:
        """How much of the noise all comparisons of a run share; None where fewer than two have all the runs."""
        deviations = {key: each.deviations() for key, each in self.histories.items()}
        every = {run for each in deviations.values() for run in each}
        full = [key for key, each in deviations.items() if each.keys() == every]
        df = max((self.histories[key].df for key in full), default=0)
        if len(full) < 2 or df < FEWEST_RUNS - 1:  # noqa: PLR2004  # a single one has nothing in common with others
            return None
        scores = [self._scores(key, deviations[key]) for key in full]
        means = [math.fsum(each[run] for each in scores) / len(scores) for run in every]
        between = len(scores) * math.fsum(mean * mean for mean in means)
        total = math.fsum(value * value for each in scores for value in each.values())
        # Rows that say the same leave nothing for each alone, or by rounding less than nothing
        single = max(0.0, total - between) / (df * (len(scores) - 1))
        return SuiteNoise(
            comparisons=len(scores),
            runs=len(every),
            common=max(between / df, single),
            single=single,
        )

    def _scores(self, key: object, deviations: Mapping[Run, float]) -> Mapping[Run, float]:
        spread = math.sqrt(self.moderated[key].square)
        return {run: each / spread if spread else 0.0 for run, each in deviations.items()}


@functools.cache
def _typical_largest(comparisons: int) -> float:
    """The median of the largest of so many standard normals."""
    return normal_quantile(0.5 ** (1 / comparisons))


def _alpha_at(excess: Callable[[float], float]) -> float:
    """The alpha at which a decreasing function of it is 0; 1 where it stays above.

    By the Illinois variant of false position on the logarithm of alpha, in which the function is nearly straight.
    """
    low, high = math.log(_SMALLEST_P), math.log(0.5)
    at_low, at_high = excess(_SMALLEST_P), excess(0.5)
    if at_high > 0:
        return 1.0
    if at_low < 0:
        return _SMALLEST_P
    for _ in range(100):
        if high - low < _ALPHA_PRECISION or at_low == at_high:
            break
        middle = low + (high - low) * at_low / (at_low - at_high)
        found = excess(math.exp(middle))
        if abs(found) < _ALPHA_PRECISION:
            return math.exp(middle)
        if found > 0:
            low, at_low, at_high = middle, found, at_high / 2
        else:
            high, at_high, at_low = middle, found, at_low / 2
    return math.exp((low + high) / 2)
