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
from pytest_chimera.gate.wording import subject
from pytest_chimera.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import CommonNoise, Verdict

_NEARLY_ALL = 0.9
_LEFT = 0.5
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
    """The shift of a suite; None where none can be told from noise, or not nearly all moved the same way.

    At least half of it must be left without the case that moved most, or a single slow case would pass for the host.
    """
    judged = [each for each in verdicts if each.ratio and each.error and each.noise]
    if len({each.case for each in judged}) < _FEWEST:
        return None
    moves = [_difference(each) for each in judged]
    middle = median(moves)
    far = max(range(len(judged)), key=lambda i: abs(moves[i] - middle))
    most = max(judged, key=lambda each: abs(_score(each))).case
    mean, rest = (fmean(map(_score, each)) for each in (judged, [one for one in judged if one.case != most]))
    along = sum(move * middle > 0 for move in moves)
    if not _is_common(judged) or along < _NEARLY_ALL * len(moves) or rest / mean < _LEFT:
        return None
    return Shift(
        cases=len({each.case for each in judged}),
        cost=math.expm1(middle),
        farthest=f"{judged[far].name} {subject(judged[far])}",
        rest=math.expm1(moves[far] - middle),
    )


def _is_common(judged: Sequence[Verdict]) -> bool:
    """Whether the mean of their scores is beyond what an unchanged suite shows."""
    noise = next(each.noise for each in judged if each.noise)
    error = _error_of_mean(noise, len(judged))
    return error > 0 and abs(fmean(map(_score, judged))) / error > t_upper_quantile(ALPHA, noise.df)


def _score(verdict: Verdict) -> float:
    return _difference(verdict) / (verdict.error or 1)


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
