"""Statistics of a handful of values."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.stats import STATISTICS, Statistic, quantile, rounds_needed

finite = st.floats(min_value=-1e9, max_value=1e9)


def test_p95_of_five_values_is_unknown() -> None:
    """A p95 is None below 20 values and a p99 below 100: fewer cannot resolve it."""
    assert Statistic((1.0,) * 19, "time").p95 is None
    assert Statistic((1.0,) * 20, "time").p95 == 1.0
    assert Statistic((1.0,) * 99, "time").p99 is None
    assert Statistic((1.0,) * 100, "time").p99 == 1.0


def test_statistic_of_nothing_is_unknown() -> None:
    """Without values every statistic is None and n is 0."""
    empty = Statistic((), "rate")
    assert [getattr(empty, each.attribute) for each in STATISTICS.values()] == [None] * len(STATISTICS)
    assert (empty.n, empty.unit) == (0, "tok/s")


def test_named_statistics_say_how_many_values_they_need() -> None:
    """Each named statistic is None one value short of what it needs and known with as many."""
    for name, each in STATISTICS.items():
        assert getattr(Statistic((1.0, 2.0) * each.needs, "time"), each.attribute) is not None, name
        assert getattr(Statistic((1.0,) * (each.needs - 1), "time"), each.attribute) is None, name


@given(st.lists(finite, min_size=20, max_size=60), st.sampled_from([0.05, 0.25, 0.5, 0.75, 0.9, 0.95]))
def test_quantile_agrees_with_the_standard_library(values: list[float], q: float) -> None:
    """Quantiles equal those of the standard library's inclusive method, which interpolates the same way."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    assert quantile(values, q) == pytest.approx(cuts[round(q * 20) - 1], rel=1e-9, abs=1e-6)


@given(st.lists(finite, min_size=1, max_size=40))
def test_order_of_values_does_not_matter(values: list[float]) -> None:
    """Every statistic but the mean's last bits is the same whatever the order of the rounds."""
    one, other = Statistic(tuple(values), "time"), Statistic(tuple(reversed(values)), "time")
    for each in ("median", "minimum", "maximum", "p90", "p95"):
        assert getattr(one, each) == getattr(other, each)


def test_rounds_needed() -> None:
    """The rounds that a quantile needs are one over its tail."""
    assert [rounds_needed(q) for q in (0.5, 0.9, 0.95, 0.99, 0.05)] == [1, 10, 20, 100, 20]
