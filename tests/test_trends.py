"""Trends: slopes and p-values against scipy, changes against every split tried."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta, timezone
from itertools import permutations
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_chimera.trends import Trend, trend_of

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
quickly = settings(max_examples=60, deadline=None)

values = st.floats(min_value=1e-6, max_value=1e3)
several = st.lists(values, min_size=3, max_size=14)
distinct = st.lists(values, min_size=3, max_size=10, unique=True)
tied = st.lists(st.integers(min_value=1, max_value=4).map(float), min_size=3, max_size=30)


@pytest.fixture(scope="module")
def stats() -> Any:
    """The statistics of scipy."""
    return pytest.importorskip("scipy.stats", reason="scipy is the oracle of these functions")


def trend(found: Sequence[float], days: Sequence[float] | None = None) -> Trend:
    """The trend of values, at these days or at unknown times."""
    times = [None] * len(found) if days is None else [START + timedelta(days=day) for day in days]
    return trend_of(found, times)


def step(before: int, after: int, ratio: float, noise: float = 0.002, seed: int = 1) -> list[float]:
    """Runs with some noise that jump once."""
    chance = random.Random(seed)
    return [ratio ** (n >= before) * math.exp(chance.gauss(0, noise)) for n in range(before + after)]


def logs(found: Sequence[float]) -> list[float]:
    """The natural logarithms."""
    return [math.log(each) for each in found]


def test_a_steady_rise_is_measured_exactly() -> None:
    """Runs that grow by 2 % each, two a day, have that slope, the square of it a day, and a p of 2 in 5!."""
    found = trend([1.02**n for n in range(5)], [0, 0.5, 1, 1.5, 2])
    assert found == Trend(
        sparkline="▁▃▄▆█",
        slope_per_run=pytest.approx(0.02),
        slope_per_day=pytest.approx(1.02**2 - 1),
        p_value=2 / 120,
        change_point=None,
        change_ratio=None,
    )


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█"),
        ([3.0, 3.0, 3.0], "▄▄▄"),
        ([1, 1.0001, 1], "▁█▁"),
        ([5e-324, 1e308, 4e307], "▁█▄"),
        ([1] * 20 + [9] * 20, "▁" * 20 + "█" * 20),
        ([1, 1, 1, 9] * 10 + [1], "▁▁▁█" * 9 + "▁▁▁▅"),
        ([1, 1, 9] * 40, "▄" * 40),
        ([1, 2, 3] * 20 + [8, 9, 9] * 20, "▁" * 20 + "█" * 20),
    ],
)
def test_a_sparkline_has_a_bar_per_run(found: Sequence[float], line: str) -> None:
    """Bars span smallest to largest, equal values stand in the middle, more than 40 runs are medians of groups."""
    assert trend([float(each) for each in found]).sparkline == line


@given(several)
@quickly
def test_the_slope_per_run_is_theil_and_sens(stats: Any, found: list[float]) -> None:
    """The slope of the logarithms over the number of the run is scipy's."""
    expected = stats.theilslopes(logs(found), range(len(found)))[0]
    assert math.log1p(trend(found).slope_per_run) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(distinct, st.lists(st.sampled_from([1, 7, 30]), min_size=10, max_size=10))
@quickly
def test_the_slope_per_day_is_theil_and_sens(stats: Any, found: list[float], gaps: list[int]) -> None:
    """The slope over the days since the first run is scipy's, where it is not too steep to be said of a day."""
    days = [sum(gaps[:n]) for n in range(len(found))]
    expected = stats.theilslopes(logs(found), days)[0]
    shown = trend(found, days).slope_per_day
    if abs(expected) > math.log(10):
        assert shown is None
    else:
        assert shown is not None
        assert math.log1p(shown) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_runs_at_one_time_have_no_slope_between_them() -> None:
    """Of two runs at one time and a later one, the slope is between those that are apart."""
    found = trend([1.0, 2.0, 2.2], [0, 0, 10])
    assert found.slope_per_day == pytest.approx(math.sqrt(2.2 * 1.1) ** 0.1 - 1)


@given(distinct)
@quickly
def test_few_orders_are_counted(stats: Any, found: list[float]) -> None:
    """Up to ten values without ties, p is that of Kendall's tau by all orders, as scipy has it."""
    expected = stats.kendalltau(range(len(found)), found, method="exact").pvalue
    assert trend(found).p_value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [(1, 2, 3, 4, 5), (2, 1, 4, 3, 5), (3, 1, 2, 5, 4), (5, 4, 2, 3, 1)])
def test_p_is_the_share_of_orders_that_are_as_steady(order: tuple[int, ...]) -> None:
    """Of all 120 orders of five values, p is the share with at least as many rises less falls, or as few."""

    def steadiness(each: Sequence[int]) -> int:
        return abs(sum((b > a) - (b < a) for n, a in enumerate(each) for b in each[n + 1 :]))

    share = sum(steadiness(each) >= steadiness(order) for each in permutations(order)) / 120
    assert trend([float(each) for each in order]).p_value == pytest.approx(share, rel=1e-12)


@given(tied)
@quickly
def test_ties_and_many_runs_use_the_normal(stats: Any, found: list[float]) -> None:
    """With ties, and above ten runs, p is that of Kendall's tau by the normal with the correction for ties."""
    assume(len(found) > 10 or len(set(found)) < len(found))
    expected = 1.0 if len(set(found)) == 1 else stats.kendalltau(range(len(found)), found, method="asymptotic").pvalue
    assert trend(found).p_value == pytest.approx(expected, rel=1e-9)


@given(st.integers(1, 12), st.integers(5, 12), st.floats(0.7, 1.5), st.integers(0, 10**6))
@quickly
def test_a_change_is_the_best_of_all_splits(stats: Any, before: int, after: int, ratio: float, seed: int) -> None:
    """The change is at the split that scipy's t test of both sides likes best, where it is sure, large enough, and
    explains more than a steady slope does.
    """
    found = step(before, after, ratio, noise=0.05, seed=seed)
    splits = range(2, len(found) - 1)
    tests = {split: stats.ttest_ind(logs(found[:split]), logs(found[split:])) for split in splits}
    best = max(tests, key=lambda split: abs(tests[split].statistic))
    jump = fmean(logs(found[best:])) - fmean(logs(found[:best]))
    shown = trend(found)
    t = tests[best].statistic
    share_of_step = t * t / (t * t + len(found) - 2)
    share_of_line = stats.linregress(range(len(found)), logs(found)).rvalue ** 2
    assume(abs(share_of_step - share_of_line) > 1e-9)
    sure = tests[best].pvalue * len(tests) < 0.01 and share_of_step > share_of_line
    if sure and abs(jump) >= math.log(1.01):
        assert (shown.change_point, shown.change_ratio) == (best, pytest.approx(math.exp(jump)))
    else:
        assert (shown.change_point, shown.change_ratio) == (None, None)


@pytest.mark.parametrize(("ratio", "after"), [(1.07, 5), (0.93, 5), (1.07, 2), (2, 30)])
def test_a_jump_is_found_where_it_is(ratio: float, after: int) -> None:
    """Seven even runs and some that differ: the first of those is the change, and its size is theirs."""
    found = trend(step(7, after, ratio))
    assert (found.change_point, found.change_ratio) == (7, pytest.approx(ratio, rel=0.005))


def test_two_levels_without_noise_are_a_change() -> None:
    """Where no run of a level differs from another, the jump between them is as sure as can be."""
    found = trend([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    assert (found.change_point, found.change_ratio) == (3, pytest.approx(2))


@pytest.mark.parametrize(
    "found",
    [step(3, 2, 2), step(10, 10, 1.005, noise=1e-6), step(5, 5, 1), step(1, 9, 3), [1.0] * 30],
    ids=["too few", "too small", "noise", "the first alone", "equal"],
)
def test_what_is_no_change(found: list[float]) -> None:
    """Five runs, half a percent, noise, a single odd run at an end and equal runs have none."""
    assert (trend(found).change_point, trend(found).change_ratio) == (None, None)


@pytest.mark.parametrize("runs", [6, 10, 30])
def test_noise_is_rarely_a_change(runs: int) -> None:
    """Of 400 histories of pure noise, four or so may show a change, and fewer than ten do."""
    chance = random.Random(7)
    histories = [[math.exp(chance.gauss(0, 0.1)) for _ in range(runs)] for _ in range(400)]
    assert sum(trend(each).change_point is not None for each in histories) < 10


@given(several, st.integers(min_value=-8, max_value=8))
@quickly
def test_the_unit_does_not_matter(found: list[float], power: int) -> None:
    """Values in another unit have the same trend."""
    one, other = trend(found), trend([each * 2.0**power for each in found])
    exact = ("sparkline", "p_value", "change_point")
    assert [getattr(one, name) for name in exact] == [getattr(other, name) for name in exact]
    assert one.slope_per_run == pytest.approx(other.slope_per_run, rel=1e-9, abs=1e-12)
    assert (one.change_ratio or 1) == pytest.approx(other.change_ratio or 1, rel=1e-9)


@given(several)
@quickly
def test_the_other_way_round_it_falls_as_it_rose(found: list[float]) -> None:
    """Read from its end, a history has the slopes with the other sign, and is as sure."""
    days = range(len(found))
    one, other = trend(found, days), trend(found[::-1], days)
    assert math.log1p(one.slope_per_run) == pytest.approx(-math.log1p(other.slope_per_run), rel=1e-9, abs=1e-12)
    assert (one.slope_per_day is None) == (other.slope_per_day is None)
    assert one.p_value == pytest.approx(other.p_value)


@pytest.mark.parametrize(
    "times",
    [
        [START, None, START + timedelta(days=2)],
        [START, START + timedelta(days=2), START + timedelta(days=1)],
        [START, START + timedelta(seconds=30), START + timedelta(seconds=60)],
        [START, START + timedelta(minutes=2), START + timedelta(minutes=4)],
    ],
    ids=["unknown", "not in order", "within a minute", "a thousand times as much a day"],
)
def test_there_is_no_slope_per_day_without_days(times: list[datetime | None]) -> None:
    """Unknown times, times out of order and too short ones give none; the slope per run stays."""
    found = trend_of([1.0, 1.1, 1.21], times)
    assert (found.slope_per_day, found.slope_per_run) == (None, pytest.approx(0.1))


def test_numbers_of_any_size_have_a_trend() -> None:
    """The smallest and the largest floats neither overflow nor end in an error."""
    found = trend([5e-324] * 3 + [1.7e308] * 3)
    assert (found.sparkline, found.change_point) == ("▁▁▁███", 3)
    assert math.isfinite(found.slope_per_run)
    assert found.change_ratio == math.exp(700)


@pytest.mark.parametrize(
    ("found", "times", "text"),
    [
        ([1.0, 2.0], [None, None], "2 values and 2 times: a trend needs 3 of each"),
        ([1.0, 2.0, 3.0], [None], "3 values and 1 times: a trend needs 3 of each"),
        ([1.0, 2.0, 0.0], [None] * 3, "a trend is one of finite values above 0"),
        ([1.0, 2.0, math.inf], [None] * 3, "a trend is one of finite values above 0"),
        ([1.0, 2.0, math.nan], [None] * 3, "a trend is one of finite values above 0"),
    ],
)
def test_what_has_no_trend_is_refused(found: list[float], times: list[None], text: str) -> None:
    """Too few values, and values without a logarithm, are an error that says so."""
    with pytest.raises(ValueError) as caught:
        trend_of(found, times)
    assert str(caught.value) == text
