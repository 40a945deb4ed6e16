"""From numbers to a verdict: outcome, ratio, interval, smallest change, and what a second measurement makes of it."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.gate.decide import (
    NOT_AGAIN,
    Measured,
    confirmed,
    decided,
    log_cost,
    outcome,
    ratio_of,
    worsening,
)
from pytest_chimera.gate.expressions import Threshold
from pytest_chimera.gate.rule import Margin, SuiteNoise
from pytest_chimera.records import CommonNoise, SecondLook, Verdict

quickly = settings(max_examples=80, deadline=None)

TIME, RATE = Threshold(metric="ttft", share=0.05), Threshold(metric="tok/s", share=0.05)
ORDER = ("better", "same", "worse")
EXACT = 1e-9
CENTRE = fmean(map(math.log, (100, 101, 99, 102, 100)))


def close(value: float) -> Any:
    """A number that ours must agree with."""
    return pytest.approx(value, rel=EXACT)


def bare(threshold: Threshold) -> Verdict:
    """A verdict without numbers."""
    return Verdict(
        case="a::b",
        name="b",
        model="toy",
        metric=threshold.metric,
        statistic=threshold.statistic,
        threshold=threshold.share,
        outcome="same",
    )


def margin(**fields: Any) -> Margin:
    """Example A of the notes: five runs of 100, 101, 99, 102, 100, judged alone."""
    known: dict[str, Any] = {
        "centre": CENTRE, "runs": 5, "comparisons": 1, "own_df": 4, "df": 4.0, "spread": 0.01134155763,
        "scale": 1.2,
    }  # fmt: skip
    return Margin(**(known | fields))


@pytest.mark.parametrize(
    ("difference", "noise", "threshold", "what"),
    [
        (0.06, 0.05, 0.05, "worse"),
        (-0.06, 0.05, 0.05, "better"),
        (0.06, 0.07, 0.05, "same"),
        (0.06, 0.05, 0.07, "same"),
        (-0.06, 0.07, 0.05, "same"),
        (-0.06, 0.05, 0.07, "same"),
        (0.0, 0.0, 0.0, "same"),
        (1e-9, 0.0, 0.0, "worse"),
        (0.05, 0.05, 0.01, "same"),
        (0.05, 0.01, 0.05, "same"),
    ],
)
def test_worse_and_better_need_both(difference: float, noise: float, threshold: float, what: str) -> None:
    """Only what is beyond the threshold and beyond the margin is worse or better; what reaches one is not."""
    assert outcome(difference, noise, threshold) == what


def test_a_slower_run_is_the_written_example() -> None:
    """107 after five runs about 100 is worse by 5 %, with every number of example A of the notes."""
    verdict = decided(bare(TIME), TIME, Measured(log_cost=math.log(107), value=107.0, rounds=30), margin())
    assert verdict == replace(
        bare(TIME),
        outcome="worse",
        now=107.0,
        before=close(math.exp(CENTRE)),
        ratio=close(1.065791935),
        ratio_low=close(1.029654615),
        ratio_high=close(1.103197551),
        p_value=pytest.approx(0.003422552034, rel=1e-6),
        margin=close(0.04655227631),
        error=close(0.01134155763 * math.sqrt(1.2)),
        smallest_change=0.05,
        rounds=30,
        comparisons=1,
    )


def test_a_faster_run_is_better() -> None:
    """The same difference in the other direction is better, with the inverse ratio and the same p."""
    worse = decided(bare(TIME), TIME, Measured(log_cost=math.log(107), value=107.0, rounds=30), margin())
    cost = 2 * CENTRE - math.log(107)
    better = decided(bare(TIME), TIME, Measured(log_cost=cost, value=math.exp(cost), rounds=30), margin())
    assert (worse.ratio, worse.ratio_low, worse.ratio_high, worse.p_value) != (None,) * 4
    assert better == replace(
        worse,
        outcome="better",
        now=math.exp(cost),
        ratio=close(1 / 1.065791935),
        ratio_low=close(1 / 1.103197551),
        ratio_high=close(1 / 1.029654615),
        p_value=close(worse.p_value or 0),
    )


def test_a_rate_turns_the_ratio_round() -> None:
    """Of a rate the ratio is of the rates: what costs 6.6 % more is 6.2 % fewer tokens a second."""
    threshold = replace(RATE, share=0.03)
    new = Measured(log_cost=math.log(107), value=1 / 107, rounds=30)
    verdict = decided(bare(threshold), threshold, new, margin())
    assert (verdict.outcome, verdict.now) == ("worse", 1 / 107)
    assert verdict.before == close(math.exp(-CENTRE))
    assert (verdict.ratio, verdict.ratio_low, verdict.ratio_high) == (
        close(1 / 1.065791935),
        close(1 / 1.103197551),
        close(1 / 1.029654615),
    )
    assert verdict.smallest_change == close(-math.expm1(-0.04655227631))
    assert verdict.change == pytest.approx(1 / 1.065791935 - 1, rel=1e-8)


def test_the_smallest_change_is_not_below_the_threshold() -> None:
    """What a history could show is its margin as a share, or the threshold where that is larger."""
    new = Measured(log_cost=math.log(100), value=100.0, rounds=30)
    found = [
        decided(bare(each), each, new, margin()).smallest_change
        for each in (replace(TIME, share=0.0), replace(TIME, share=0.2), replace(RATE, share=0.0))
    ]
    assert found == [close(0.04765284506), 0.2, close(-math.expm1(-0.04655227631))]


def test_a_verdict_says_what_its_margin_rests_on() -> None:
    """Comparisons, a spread that was assumed, and what all cases share stand in the verdict."""
    new = Measured(log_cost=math.log(100), value=100.0, rounds=30)
    noise = SuiteNoise(comparisons=4, runs=5, common=3.3, single=0.16)
    with_suite = decided(bare(TIME), TIME, new, margin(comparisons=8, suite=noise, df=12.0))
    assert (with_suite.comparisons, with_suite.allowance) == (8, None)
    assert with_suite.noise == CommonNoise(comparisons=4, df=4, common=3.3, single=0.16)
    assumed = decided(bare(TIME), TIME, new, margin(runs=1, own_df=1, df=math.inf, scale=2.0, allowance=0.02))
    assert (assumed.allowance, assumed.noise) == (0.02, None)


def test_costs_ratios_and_worsenings() -> None:
    """A difference of ln cost is a ratio and a share of the metric's own, upside down for a rate."""
    assert (ratio_of(TIME, math.log(2)), ratio_of(RATE, math.log(2))) == (close(2), close(0.5))
    assert (log_cost(TIME, 4.0), log_cost(RATE, 4.0)) == (close(math.log(4)), close(-math.log(4)))
    assert (worsening(TIME, math.log(2)), worsening(RATE, math.log(2))) == (close(1), close(0.5))
    assert (worsening(TIME, -math.log(2)), worsening(RATE, -math.log(2))) == (close(-0.5), close(-1))


def test_no_difference_is_beyond_a_float() -> None:
    """Values of a file may be anything: the largest ratio is a number still."""
    for threshold in (TIME, RATE):
        assert 1e300 < ratio_of(threshold, -1e6 if threshold is RATE else 1e6) < math.inf
        assert ratio_of(threshold, 1e6 if threshold is RATE else -1e6) == 0
    assert 1e300 < worsening(TIME, 1e6) < math.inf
    assert worsening(RATE, 1e6) == 1


# Measured again ---------------------------------------------------------------------------------------------------


def worse(threshold: Threshold = TIME, noise: float = 0.08, before: float = 0.1) -> Verdict:
    """A verdict that was worse, with a margin."""
    return replace(bare(threshold), outcome="worse", before=before, margin=noise, now=0.12, ratio=1.2, rounds=3)


def again(threshold: Threshold, value: float) -> Measured:
    """A second measurement."""
    return Measured(log_cost=log_cost(threshold, value), value=value, rounds=3)


@pytest.mark.parametrize(
    ("threshold", "noise", "value", "stays"),
    [
        (TIME, 0.08, 0.12, True),
        (TIME, 0.08, 0.106, True),  # below the margin of 8 %, beyond its half and beyond 5 %
        (TIME, 0.08, 0.104, False),  # beyond half the margin and within the threshold
        (TIME, 0.14, 0.107, False),  # beyond the threshold and within half the margin
        (TIME, 0.14, 0.1073, True),
        (TIME, 0.08, 0.1, False),
        (TIME, 0.08, 0.08, False),
        (RATE, 0.08, 0.09, True),
        (RATE, 0.08, 0.096, False),
        (RATE, 0.08, 0.12, False),
    ],
)
def test_worse_stays_only_if_it_is_so_again(threshold: Threshold, noise: float, value: float, stays: bool) -> None:
    """A second measurement confirms by the threshold and half the margin; the first numbers stay as they are."""
    first = worse(threshold, noise)
    ratio = value / 0.1
    assert confirmed(first, again(threshold, value)) == replace(
        first,
        outcome="worse" if stays else "same",
        reason=None if stays else NOT_AGAIN,
        second=SecondLook(value=value, ratio=close(ratio), confirmed=stays, rounds=3),
    )
    assert NOT_AGAIN == "it was worse at first, and not when it was measured again"


def test_what_cannot_be_measured_again_stays_worse() -> None:
    """Where the second measurement failed the verdict stays, and says why."""
    assert confirmed(worse(), "no counted round has a value for it") == replace(
        worse(),
        reason="it could not be measured again: no counted round has a value for it",
        second=SecondLook(value=None, ratio=None, confirmed=True, rounds=0),
    )


def test_what_was_said_of_the_files_stays_said() -> None:
    """That only medians are known of a baseline is still told after the second measurement, whatever it found."""
    first = replace(worse(), reason="only the median is known of 0001")
    for second in (again(TIME, 0.12), again(TIME, 0.1), "no counted round has a value for it"):
        assert "only the median is known of 0001" in (confirmed(first, second).reason or "")


FINITE = st.floats(min_value=-2, max_value=2)
MARGINS = st.floats(min_value=0, max_value=1)


@given(FINITE, FINITE, MARGINS, MARGINS)
@quickly
def test_a_larger_change_is_never_a_weaker_outcome(one: float, other: float, noise: float, threshold: float) -> None:
    """Along the differences of cost outcomes go from better over same to worse and never back."""
    less, more = sorted((one, other))
    assert ORDER.index(outcome(less, noise, threshold)) <= ORDER.index(outcome(more, noise, threshold))


@given(FINITE, MARGINS, MARGINS)
@quickly
def test_outcomes_mirror(difference: float, noise: float, threshold: float) -> None:
    """The opposite difference has the opposite outcome."""
    there, back = outcome(difference, noise, threshold), outcome(-difference, noise, threshold)
    assert ORDER.index(there) + ORDER.index(back) == 2


@given(
    st.floats(min_value=1e-3, max_value=1e3), st.floats(min_value=1e-3, max_value=1e3), st.sampled_from([TIME, RATE])
)
@quickly
def test_every_number_agrees_with_the_others(before: float, now: float, threshold: Threshold) -> None:
    """The ratio is now by before and lies in the middle of its interval; worse is beyond, p below one per cent."""
    found = decided(
        bare(threshold),
        threshold,
        Measured(log_cost=log_cost(threshold, now), value=now, rounds=3),
        margin(centre=log_cost(threshold, before)),
    )
    assert found.before == close(before)
    assert found.ratio == close(now / before)
    assert found.ratio is not None
    assert found.ratio_low is not None
    assert found.ratio_high is not None
    assert found.ratio_low < found.ratio < found.ratio_high
    assert found.ratio_high / found.ratio == close(found.ratio / found.ratio_low)
    if found.outcome != "same":
        assert found.p_value is not None
        assert found.p_value < 0.01
        assert (found.ratio > 1) is ((found.outcome == "worse") is not threshold.higher_is_better)


@given(st.floats(min_value=0.01, max_value=10), st.floats(min_value=0.01, max_value=10), MARGINS)
@quickly
def test_a_worse_second_measurement_never_clears(one: float, other: float, noise: float) -> None:
    """Of two second measurements the slower one confirms if the faster one does."""
    fast, slow = (confirmed(worse(noise=noise), again(TIME, value)) for value in sorted((one, other)))
    assert fast.second is not None
    assert slow.second is not None
    assert slow.second.confirmed >= fast.second.confirmed
