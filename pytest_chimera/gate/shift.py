"""Whether a whole suite moved together: the host or the engine, which cannot be told apart, and no case of its own.

Computed from verdicts, and never part of one: subtracting it would make a verdict depend on which tests ran.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

from pytest_chimera.distributions import t_upper_quantile
from pytest_chimera.gate.rule import ALPHA
from pytest_chimera.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import CommonNoise, Verdict

_FEWEST = 2
"""Of a single case nobody can say that it moved with others; its metrics do by nature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A move of all comparisons of a suite."""

    cases: int
    cost: float
    """The median change of cost, as a share: 0.05 is 5 % slower."""
    farthest: str
    """The case and metric that moved most beyond it."""
    rest: float
    """The change of cost of that one relative to the others, as a share."""


def suite_shift(verdicts: Sequence[Verdict]) -> Shift | None:
    """The shift of a suite; None where none can be told from noise."""
    judged = [each for each in verdicts if each.ratio and each.error and each.noise]
    if len({each.case for each in judged}) < _FEWEST:
        return None
    moves = [_difference(each) for each in judged]
    scores = [move / (each.error or 1) for move, each in zip(moves, judged, strict=True)]
    noise = next(each.noise for each in judged if each.noise)
    error = _error_of_mean(noise, len(judged))
    if error <= 0 or abs(fmean(scores)) / error <= t_upper_quantile(ALPHA, noise.df):
        return None
    middle = median(moves)
    far = max(range(len(judged)), key=lambda i: abs(moves[i] - middle))
    return Shift(
        cases=len({each.case for each in judged}),
        cost=math.expm1(middle),
        farthest=f"{judged[far].name} {judged[far].metric}",
        rest=math.expm1(moves[far] - middle),
    )


def shift_line(shift: Shift) -> str:
    """The one line of the summary."""
    word = "slower" if shift.cost > 0 else "faster"
    return (
        f"All {shift.cases} cases became {abs(shift.cost) * 100:.1f} % {word} together: host or engine, not one of "
        f"them; relative to that {shift.farthest} moved most, {shift.rest * 100:+.1f} %"
    )


def _error_of_mean(noise: CommonNoise, judged: int) -> float:
    """The s.d. of the mean score of so many comparisons of an unchanged suite: what they share does not average out."""
    return math.sqrt((noise.common - noise.single) / noise.comparisons + noise.single / judged)


def _difference(verdict: Verdict) -> float:
    assert verdict.ratio is not None, "chosen for having one"
    return -math.log(verdict.ratio) if METRICS[verdict.metric].better == "higher" else math.log(verdict.ratio)
