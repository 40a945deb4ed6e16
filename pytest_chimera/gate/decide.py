"""From numbers to a verdict: one new run, its margin, its threshold.

Pure. Which runs the margin comes from, and which comparisons are judged together, is `judge`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_chimera.gate.expressions import Threshold
from pytest_chimera.records import CommonNoise, Outcome, SecondLook, Verdict

if TYPE_CHECKING:
    from pytest_chimera.gate.rule import Margin

LARGEST_LOG = 700.0
"""e to a little more is beyond a float: values of a file may be anything."""

NOT_AGAIN = "it was worse at first, and not when it was measured again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is judged: a statistic over the rounds of the new run."""

    log_cost: float
    value: float
    """In the SI unit of the metric."""
    rounds: int


def outcome(difference: float, margin: float, threshold: float) -> Outcome:
    """Worse or better needs both: beyond the threshold, and not explained by noise. All three of ln cost."""
    if abs(difference) > margin and abs(difference) > threshold:
        return "worse" if difference > 0 else "better"
    return "same"


def decided(bare: Verdict, threshold: Threshold, new: Measured, margin: Margin) -> Verdict:
    """The verdict, with its numbers, on a comparison of which `bare` says whose it is."""
    difference, size = new.log_cost - margin.centre, margin.at()
    ends = sorted(ratio_of(threshold, end) for end in margin.interval(difference))
    noise = margin.suite
    return replace(
        bare,
        outcome=outcome(difference, size, threshold.log_cost),
        now=new.value,
        before=ratio_of(threshold, margin.centre),
        ratio=ratio_of(threshold, difference),
        ratio_low=ends[0],
        ratio_high=ends[1],
        p_value=margin.p_value(difference),
        margin=size,
        error=margin.error,
        smallest_change=max(worsening(threshold, size), threshold.share),
        rounds=new.rounds,
        comparisons=margin.comparisons,
        allowance=margin.allowance,
        noise=None
        if noise is None
        else CommonNoise(comparisons=noise.comparisons, df=margin.own_df, common=noise.common, single=noise.single),
    )


def confirmed(verdict: Verdict, again: Measured | str) -> Verdict:
    """A verdict that was `worse` after a second measurement: it stays so only if that one too is beyond the threshold
    and beyond half of the margin. Where it could not be measured again, `again` says why, and it stays.
    """
    assert verdict.before is not None, "a verdict that is worse has numbers"
    assert verdict.margin is not None, "same"
    if isinstance(again, str):
        second = SecondLook(value=None, ratio=None, confirmed=True, rounds=0)
        return replace(verdict, reason=_also(verdict, f"it could not be measured again: {again}"), second=second)
    threshold = Threshold(metric=verdict.metric, statistic=verdict.statistic, share=verdict.threshold)
    difference = again.log_cost - log_cost(threshold, verdict.before)
    persists = difference > max(threshold.log_cost, verdict.margin / 2)
    second = SecondLook(
        value=again.value, ratio=ratio_of(threshold, difference), confirmed=persists, rounds=again.rounds
    )
    reason = verdict.reason if persists else _also(verdict, NOT_AGAIN)
    return replace(verdict, outcome="worse" if persists else "same", reason=reason, second=second)


def _also(verdict: Verdict, reason: str) -> str:
    """A further reason behind what was said of the files."""
    return reason if verdict.reason is None else f"{verdict.reason}; {reason}"


def ratio_of(threshold: Threshold, difference: float) -> float:
    """The ratio of the metric's values at a difference of ln cost; of the metric's value itself at a ln cost."""
    return math.exp(min(-difference if threshold.higher_is_better else difference, LARGEST_LOG))


def log_cost(threshold: Threshold, value: float) -> float:
    """The ln cost of a value of the metric."""
    return -math.log(value) if threshold.higher_is_better else math.log(value)


def worsening(threshold: Threshold, difference: float) -> float:
    """By which share a metric is worse at a difference of ln cost."""
    return -math.expm1(-difference) if threshold.higher_is_better else math.expm1(min(difference, LARGEST_LOG))
