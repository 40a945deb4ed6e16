"""One comparison: a metric of a case with its threshold, as the numbers that the rule works on.

From the rounds of saved cases to a `History`, or the reason why there is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from pytest_chimera.gate.decide import Measured, ratio_of
from pytest_chimera.gate.history import History, spread_of_share, spread_within, variance_of
from pytest_chimera.gate.moderation import FEWEST_RUNS
from pytest_chimera.gate.series import Series, TooFewError, UnusableError
from pytest_chimera.metrics import METRICS
from pytest_chimera.records import BaselinePoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.gate.baseline import Member
    from pytest_chimera.gate.expressions import Threshold
    from pytest_chimera.gate.saved import SavedCase

LENGTHS_DIFFER = "answers differ in length"
INSTEAD = "time/token"
"""What is judged in place of the duration of a whole answer where answers differ in length."""
_AS_GOOD = (INSTEAD, "tok/s")


@dataclass(frozen=True, slots=True)
class Key:
    """Which comparison."""

    case: str
    metric: str
    statistic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the members of a history say of one comparison."""

    history: History
    points: tuple[BaselinePoint, ...]
    within: float | None
    """Spread of single rounds; None where no file has the values of two."""
    good: float = 0.0
    """Of a share of rounds: how many rounds of the history are 1."""
    others: tuple[BaselinePoint, ...] = ()
    """The runs of the other side, where two groups are compared."""
    note: str | None = None
    """What must be said of the files."""

    def extra_variance(self, threshold: Threshold, new: Measured) -> float:
        """Further variance of a new run; see `History.more_than_before`."""
        if self.within is None or not self.history.rounds_variance or not new.rounds:
            return 0.0
        if METRICS[threshold.metric].yes_or_no and not self.others:
            return self._extra_of_share(new)
        return self.history.more_than_before(variance_of(threshold.statistic, new.rounds, self.within))

    def _extra_of_share(self, new: Measured) -> float:
        """What chance adds where the share is that of old and new rounds together, which it is if nothing changed."""
        before = sum(each.rounds or 0 for each in self.points)
        spread = spread_of_share(self.good + new.value * new.rounds, before + new.rounds)
        together = spread * spread * (1 / new.rounds + 1 / before)
        return max(0.0, together - self.history.scale * self.history.least)


def per_token(expressions: Iterable[Threshold], *, one_length: bool) -> tuple[Threshold, ...]:
    """The thresholds with those of whole answers replaced by one per token where answers have not one length."""
    given = tuple(expressions)
    if one_length:
        return given
    judged = [each for each in given if not METRICS[each.metric].whole_answer]
    have = {(each.metric, each.statistic) for each in judged}
    for each in given:
        if METRICS[each.metric].whole_answer and have.isdisjoint((good, each.statistic) for good in _AS_GOOD):
            judged.append(replace(each, metric=INSTEAD))
            have.add((INSTEAD, each.statistic))
    return tuple(judged)


def one_length(cases: Iterable[SavedCase]) -> bool:
    """Whether every answer of all the cases was ended by the same fixed length."""
    lengths = {case.one_length for case in cases}
    return len(lengths) == 1 and None not in lengths


def expected_otherwise(case: SavedCase, members: Iterable[Member]) -> tuple[str, ...]:
    """Runs in which something else was expected of the answers, so that the share as expected is another thing."""
    now = case.info.get("expect")
    return tuple(run.name for run, each in members if "expect" in each.info and each.info["expect"] != now)


def past_of(threshold: Threshold, members: Sequence[Member], others: Sequence[Member] = ()) -> Past:
    """The history of one comparison; `others` are the runs of a second side, if two groups are compared.

    Raises UnusableError or TooFewError with the reason where there is none.
    """
    costs, series = _costs(threshold, members)
    other_costs, other_series = _costs(threshold, others)
    # Of two single runs each is the other's base: both their rounds say how rounds scatter.
    every = [*series.values(), *other_series.values()]
    within = _spread(threshold, every)
    history = History(
        group=threshold.subject,
        costs=costs,
        others=other_costs,
        rounds_variance=_explained(threshold, series, within),
        others_variance=_explained(threshold, other_series, within),
        tick=fmean(each.tick(threshold.statistic) for each in every),
    )
    if METRICS[threshold.metric].yes_or_no:
        history = replace(history, least=history.mean_rounds_variance)
    bare = [run for run, each in series.items() if each.values is None]
    return Past(
        history=history,
        points=_points(threshold, series),
        within=within,
        good=math.fsum(value for each in series.values() for value in each.values or ()),
        others=_points(threshold, other_series),
        note=f"only the {threshold.statistic} is known of {', '.join(bare)}" if bare else None,
    )


def measured(threshold: Threshold, case: SavedCase, past: Past | None = None) -> Measured:
    """What is judged of a case: its own statistic, or the geometric mean of those of the other side's runs.

    Raises UnusableError or TooFewError.
    """
    if past is not None and past.others:
        costs = past.history.others.values()
        mean = fmean(costs)
        rounds = min(each.rounds or 0 for each in past.others)
        return Measured(log_cost=mean, value=ratio_of(threshold, mean), rounds=rounds)
    series = case.series.get(threshold.metric)
    if series is None:
        raise TooFewError("no counted round has a value for it")
    if past is not None and series.n == 1 and past.within is None and past.history.df < FEWEST_RUNS - 1:
        raise TooFewError("a single round, and earlier runs whose rounds are not known, say nothing of the spread")
    return Measured(
        log_cost=series.log_cost(threshold.statistic), value=series.statistic(threshold.statistic), rounds=series.n
    )


def _spread(threshold: Threshold, series: Iterable[Series]) -> float | None:
    """How far the rounds of a run scatter."""
    every = list(series)
    if METRICS[threshold.metric].yes_or_no:
        known = [value for each in every for value in each.values or ()]
        return spread_of_share(math.fsum(known), len(known)) if known else None
    return spread_within(each.log_costs() for each in every)


def _points(threshold: Threshold, series: Mapping[str, Series]) -> tuple[BaselinePoint, ...]:
    return tuple(
        BaselinePoint(run=run, value=each.statistic(threshold.statistic), rounds=each.n) for run, each in series.items()
    )


def _costs(threshold: Threshold, members: Sequence[Member]) -> tuple[dict[str, float], dict[str, Series]]:
    costs, used = {}, {}
    problems: list[UnusableError] = []
    for run, case in members:
        series = case.series.get(threshold.metric)
        if series is None:
            problems.append(TooFewError(f"{run.name} has no {threshold.metric} of this case"))
            continue
        try:
            costs[run.name] = series.log_cost(threshold.statistic)
            used[run.name] = series
        except UnusableError as error:
            problems.append(type(error)(f"of {run.name}: {error}"))
    _refuse(problems, used, members)
    return costs, used


def _refuse(problems: Sequence[UnusableError], used: Mapping[str, Series], members: Sequence[Member]) -> None:
    """Raise where no run is usable, and where one is not for another reason than too few rounds."""
    worst = [each for each in problems if not isinstance(each, TooFewError)]
    if worst:
        raise worst[0]
    if members and not used:
        raise problems[-1]


def _explained(threshold: Threshold, series: Mapping[str, Series], within: float | None) -> dict[str, float]:
    """Run -> variance that its rounds explain; a file without values per round explains nothing."""
    if within is None:
        return {}
    return {
        run: variance_of(threshold.statistic, each.n, within)
        for run, each in series.items()
        if each.values is not None and each.n
    }
