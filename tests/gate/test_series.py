"""The rounds of one metric: its statistics, its cost, and when there is none, each refusal in its words."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.gate.series import FEWEST_TICKS, TICK_S, Series, TooFewError, UnusableError
from pytest_chimera.stats import STATISTICS, Statistic

quickly = settings(max_examples=60, deadline=None)

TIMES = (0.1, 0.4, 0.2, 0.3)
CLOCK = ": a clock ran backwards"


def refusal(series: Series, statistic: str = "median") -> tuple[type[UnusableError], str]:
    """The class and the whole text with which a cost is refused."""
    with pytest.raises(UnusableError) as caught:
        series.log_cost(statistic)
    return caught.type, str(caught.value)


def test_a_series_has_the_values_that_are_there() -> None:
    """A round without a value is left out, whole numbers are floats, and n counts what is left."""
    assert Series.of("ttft", [0.1, None, 2]) == Series(metric="ttft", values=(0.1, 2.0), n=2)
    assert Series.of("ttft", []) == Series(metric="ttft", values=(), n=0)
    assert Series.of("ttft", [None]) == Series(metric="ttft", values=(), n=0)


def test_statistics_that_are_given_are_kept() -> None:
    """Statistics come as they were saved, those that are unknown are left out."""
    series = Series.of("itl", [0.1], statistics={"n": 9, "median": 0.1, "p95": None})
    assert series.statistics == {"n": 9.0, "median": 0.1}


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("median", 0.25), ("p50", 0.25), ("mean", 0.25), ("min", 0.1), ("max", 0.4),
        ("sd", math.sqrt(0.05 / 3)),
    ],
)  # fmt: skip
def test_statistics_are_those_of_stats(statistic: str, value: float) -> None:
    """Each statistic of the values is what `stats` says, and its cost the logarithm of it."""
    series = Series.of("ttft", TIMES)
    assert series.statistic(statistic) == pytest.approx(value, rel=1e-12)
    assert series.log_cost(statistic) == pytest.approx(math.log(value), rel=1e-12)


def test_the_cost_of_a_rate_is_one_over_it() -> None:
    """More tokens a second cost less."""
    assert Series.of("tok/s", [50.0]).log_cost("median") == pytest.approx(math.log(0.02), rel=1e-12)
    assert Series.of("tok/s", [50.0, 40.0]).log_costs() == pytest.approx((-math.log(50), -math.log(40)), rel=1e-12)
    assert Series.of("ttft", [0.5, 0.25]).log_costs() == pytest.approx((math.log(0.5), math.log(0.25)), rel=1e-12)


def test_rounds_without_a_cost_have_none() -> None:
    """Of single rounds those that are zero, negative or endless have no logarithm and are left out."""
    assert Series.of("ttft", [0.5, 0.0, -1.0, math.inf, math.nan]).log_costs() == (math.log(0.5),)
    assert Series(metric="ttft", values=None, n=3).log_costs() == ()


def test_the_inverse_has_the_same_rounds() -> None:
    """Tokens a second are one over the time per token, in each round; a round of no time has an endless rate."""
    series = Series.of("time/token", [0.02, 0.025, 0.0], unit="s").inverse("tok/s")
    assert series == Series(metric="tok/s", values=(50.0, 40.0, math.inf), n=3)


def test_the_inverse_of_statistics_turns_them_round() -> None:
    """Of statistics alone the least becomes the largest; what does not follow (mean, sd) is not known."""
    known = {"median": 0.02, "min": 0.01, "max": 0.04, "mean": 0.02, "sd": 0.01, "p5": 0.0125, "p95": 0.025}
    series = Series(metric="time/token", values=None, statistics=known, n=9).inverse("tok/s")
    assert series == Series(
        metric="tok/s",
        values=None,
        statistics={"median": 50.0, "min": 25.0, "max": 100.0, "p5": 40.0, "p95": 80.0},
        n=9,
    )


def test_the_inverse_of_no_time_is_unknown() -> None:
    """A saved statistic of zero has no inverse."""
    series = Series(metric="time/token", values=None, statistics={"median": 0.0, "max": 0.04}, n=9)
    assert series.inverse("tok/s").statistics == {"min": 25.0}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.0], "its median is 0 s, of which there is no ratio"),
        ([-0.005], f"its median is -5.00 ms, of which there is no ratio{CLOCK}"),
        ([-1.0, 0.5, -0.25], f"its median is -250 ms, of which there is no ratio{CLOCK}"),
        ([0.1, math.inf], "a round of it is not finite"),
        ([math.nan], "a round of it is not finite"),
    ],
)
def test_a_time_that_cannot_be_is_not_compared(values: list[float], said: str) -> None:
    """Zero, negative and endless times are named; of a negative one the clock is."""
    assert refusal(Series.of("ttft", values)) == (UnusableError, said)


def test_a_rate_or_count_of_zero_is_not_compared() -> None:
    """What has no ratio is named with its unit, and no clock is blamed for it."""
    assert refusal(Series.of("tok/s", [0.0])) == (
        UnusableError,
        "its median is 0 tok/s, of which there is no ratio",
    )
    assert refusal(Series.of("stalls", [0.0, 0.0])) == (UnusableError, "its median is 0, of which there is no ratio")
    assert refusal(Series.of("tok/s", [-4.0])) == (
        UnusableError,
        "its median is -4.00 tok/s, of which there is no ratio",
    )


def test_equal_rounds_have_no_spread_to_compare() -> None:
    """A standard deviation of zero has no ratio either."""
    assert refusal(Series.of("ttft", [0.1, 0.1]), "sd") == (
        UnusableError,
        "its sd is 0 s, of which there is no ratio",
    )


def test_another_unit_is_not_compared() -> None:
    """Rounds that are given in another unit than seconds are named with both."""
    said = "it is given in 'ms' and not in 's'"
    assert refusal(Series.of("ttft", [0.1], unit="ms")) == (UnusableError, said)
    assert refusal(Series.of("time/token", [0.1], unit="ms").inverse("tok/s")) == (UnusableError, said)


@pytest.mark.parametrize(
    ("statistic", "rounds", "said"),
    [
        ("p95", 19, "p95 needs 20 rounds and 19 counted"),
        ("p5", 19, "p5 needs 20 rounds and 19 counted"),
        ("p99", 99, "p99 needs 100 rounds and 99 counted"),
        ("p90", 9, "p90 needs 10 rounds and 9 counted"),
        ("sd", 1, "sd needs 2 rounds and 1 counted"),
        ("median", 0, "no counted round has a value for it"),
        ("p95", 0, "no counted round has a value for it"),
    ],
)
def test_too_few_rounds_are_counted(statistic: str, rounds: int, said: str) -> None:
    """A statistic that the rounds cannot resolve says how many it needs; one more and it is there."""
    values = [0.1 + 0.001 * i for i in range(rounds)]
    assert refusal(Series.of("ttft", values), statistic) == (TooFewError, said)
    if rounds:
        assert math.isfinite(Series.of("ttft", [*values, 0.5]).log_cost(statistic))


def test_statistics_without_values_are_all_there_is() -> None:
    """Of a file without values per round only its own statistics can be compared."""
    series = Series(metric="ttft", values=None, statistics={"median": 0.1}, n=30)
    assert series.log_cost("median") == pytest.approx(math.log(0.1), rel=1e-12)
    assert refusal(series, "p95") == (UnusableError, "its file has no values per round and no p95")


def test_a_metric_of_many_values_needs_its_saved_statistics() -> None:
    """Of gaps between tokens the values are medians of rounds: no statistic is computed from them."""
    saved = Series.of("itl", [0.1, 0.2], statistics={"median": 0.12})
    assert saved.statistic("median") == 0.12
    assert refusal(saved, "p99") == (TooFewError, "p99 needs 100 values, which its 2 rounds do not have")
    assert refusal(Series.of("itl", [])) == (TooFewError, "no counted round has a value for it")


@pytest.mark.parametrize(
    ("metric", "coarse", "fine"),
    [("ttft", 99e-9, 101e-9), ("tok/s", 1.01e7, 0.99e7), ("time/token", 5e-9, 1e-6)],
)
def test_a_time_of_few_ticks_is_too_coarse(metric: str, coarse: float, fine: float) -> None:
    """Below a hundred ticks of the clock a time, or one over a rate, is not compared, just above it is."""
    assert refusal(Series.of(metric, [coarse])) == (TooFewError, "its median is below 100 ticks of the clock")
    assert Series.of(metric, [fine]).log_cost("median") < math.log(1e-5)
    assert (FEWEST_TICKS, TICK_S) == (100, 1e-9)


def test_the_tick_is_a_share_of_the_cost() -> None:
    """One nanosecond of a microsecond is a thousandth; a count has no clock."""
    assert Series.of("ttft", [1e-6]).tick("median") == pytest.approx(1e-3, rel=1e-12)
    assert Series.of("tok/s", [1e6]).tick("median") == pytest.approx(1e-3, rel=1e-12)
    assert Series.of("stalls", [3.0]).tick("median") == 0


def test_a_count_has_no_smallest_cost() -> None:
    """A single stall is one, however short a nanosecond is."""
    assert Series.of("stalls", [1.0]).log_cost("median") == 0


@given(
    st.lists(st.floats(min_value=1e-3, max_value=1e3), min_size=1, max_size=120),
    st.sampled_from(["ttft", "tok/s"]),
    st.sampled_from(list(STATISTICS)),
)
@quickly
def test_a_cost_is_a_statistic_or_refused(values: list[float], metric: str, statistic: str) -> None:
    """A series has a cost exactly where `stats` has the statistic and it is no zero."""
    expected: Any = getattr(Statistic(tuple(values), "time"), STATISTICS[statistic].attribute)
    series = Series.of(metric, values)
    if expected:
        sign = -1 if metric == "tok/s" else 1
        assert series.log_cost(statistic) == pytest.approx(sign * math.log(expected), rel=1e-9, abs=1e-12)
    else:
        assert refusal(series, statistic)[0] is (TooFewError if expected is None else UnusableError)


@given(st.lists(st.floats(min_value=1e-3, max_value=1e3), min_size=1, max_size=30))
@quickly
def test_inverting_twice_changes_nothing(values: list[float]) -> None:
    """The time per token of the rate of a time per token is that time."""
    series = Series.of("time/token", values)
    assert series.inverse("tok/s").inverse("time/token").values == pytest.approx(tuple(values), rel=1e-12)
    assert series.inverse("tok/s").log_costs() == pytest.approx(series.log_costs(), rel=1e-9, abs=1e-12)
