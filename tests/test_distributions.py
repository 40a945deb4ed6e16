"""Quantiles of t and normal, tails of t, F and normal, digamma, trigamma: against scipy, closed forms, one another."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera import distributions
from pytest_chimera.distributions import (
    digamma,
    f_tail,
    normal_quantile,
    normal_tail,
    t_tail,
    t_upper_quantile,
    trigamma,
    trigamma_inverse,
)

EXACT = 1e-9
EULER = 0.5772156649015329
DFS = (1, 1.5, 2, 2.7, 3, 4, 5, 7.5, 10, 12, 23.9, 24, 24.1, 30, 57, 100, 333.3, 1e3, 1e4, 123456.7, 1e6)
TAILS = (1e-15, 1e-13, 1e-12, 1e-10, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 0.01, 0.025, 0.05, 0.1, 0.3, 0.49, 0.5)

dfs = st.floats(min_value=0, max_value=6).map(lambda exponent: 10.0**exponent)
tails = st.floats(min_value=-15, max_value=math.log10(0.5)).map(lambda exponent: min(10.0**exponent, 0.5))
arguments = st.floats(min_value=-4, max_value=6).map(lambda exponent: 10.0**exponent)
quickly = settings(max_examples=100, deadline=None)


@pytest.fixture(scope="module")
def stats() -> Any:
    """The distributions of scipy."""
    return pytest.importorskip("scipy.stats", reason="scipy is the oracle of these functions")


@pytest.fixture(scope="module")
def special() -> Any:
    """The special functions of scipy."""
    return pytest.importorskip("scipy.special", reason="scipy is the oracle of these functions")


def exactly(value: float) -> Any:
    """A value that ours must agree with."""
    return pytest.approx(float(value), rel=EXACT, abs=0)


def exactly_at(value: float) -> Any:
    """A quantile that ours must agree with: about the middle, where it is 0, to the last digits of its share."""
    return pytest.approx(float(value), rel=EXACT, abs=1e-14)


def test_the_normal_is_scipys(stats: Any) -> None:
    """Tails and quantiles of the normal are scipy's, out to where a tail is one in 1e15 and beyond."""
    for tail in TAILS:
        assert normal_quantile(tail) == exactly_at(stats.norm.ppf(tail))
        assert normal_quantile(1 - tail) == exactly_at(stats.norm.ppf(1 - tail))
    for x in (-9, -3, -1, -1e-6, 0, 1e-6, 0.3, 1, 1.96, 2.33, 5, 8, 20, 37):
        assert normal_tail(x) == exactly(stats.norm.sf(x))


@pytest.mark.parametrize("df", DFS)
def test_tails_of_t_are_scipys(df: float, stats: Any) -> None:
    """The share above a value is scipy's at values from the middle to far out, on both sides."""
    for x in (0, 1e-9, 1e-3, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 3.7469, 5, 8, 15, 40, 300, 1e6):
        if stats.t.sf(x, df) > 1e-290:
            assert t_tail(x, df) == exactly(stats.t.sf(x, df)), x
        assert t_tail(-x, df) == exactly(stats.t.sf(-x, df)), x


@pytest.mark.parametrize("df", DFS)
def test_quantiles_of_t_are_scipys(df: float, stats: Any) -> None:
    """The value above which a share lies is scipy's for shares from 1e-15 to one half."""
    for tail in TAILS:
        assert t_upper_quantile(tail, df) == exactly_at(stats.t.isf(tail, df)), tail
        assert t_upper_quantile(1 - tail, df) == exactly_at(stats.t.isf(1 - tail, df)), tail
        assert -t_upper_quantile(1 - tail, df) == exactly_at(stats.t.ppf(1 - tail, df)), tail


@pytest.mark.parametrize("df", [1, 4, 7.5, 100])
def test_lower_quantiles_of_t_are_scipys(df: float, stats: Any) -> None:
    """The value below which a share lies is scipy's also where the share is too small for one less it."""
    for tail in (1e-18, *TAILS):
        assert -t_upper_quantile(tail, df) == exactly_at(stats.t.ppf(tail, df)), tail


@given(tails, dfs)
@quickly
def test_any_quantile_of_t_is_scipys(stats: Any, tail: float, df: float) -> None:
    """Whatever the share and the degrees of freedom, the quantile and its tail are scipy's."""
    expected = float(stats.t.isf(tail, df))
    assert t_upper_quantile(tail, df) == exactly_at(expected)
    assert t_tail(expected, df) == exactly(stats.t.sf(expected, df))


@given(arguments)
@quickly
def test_digamma_and_trigamma_are_scipys(special: Any, x: float) -> None:
    """Digamma, its derivative and the second derivative that the inverse steps by are scipy's."""
    assert digamma(x) == pytest.approx(float(special.digamma(x)), rel=EXACT, abs=1e-12)
    assert trigamma(x) == exactly(special.polygamma(1, x))
    assert distributions._tetragamma(x) == exactly(special.polygamma(2, x))


def test_reference_values() -> None:
    """The numbers written down with the rule are found to all their digits."""
    assert t_upper_quantile(0.0005, 7.5) == pytest.approx(5.207725656, rel=EXACT)
    assert t_upper_quantile(0.01, 4) == pytest.approx(3.746947388, rel=EXACT)
    assert [trigamma_inverse(each) for each in (0.1, 1, 10)] == pytest.approx(
        [10.49168182, 1.42625512, 0.3350810444], rel=EXACT
    )


@given(tails)
@quickly
def test_one_and_two_degrees_of_freedom_have_closed_forms(tail: float) -> None:
    """With one degree of freedom t is Cauchy's distribution, with two its quantile is a root."""
    assert t_upper_quantile(tail, 1) == pytest.approx(1 / math.tan(math.pi * tail), rel=EXACT, abs=EXACT)
    assert t_upper_quantile(tail, 2) == pytest.approx(
        (1 - 2 * tail) / math.sqrt(2 * tail * (1 - tail)), rel=EXACT, abs=EXACT
    )


@given(st.floats(min_value=0, max_value=1e8))
@quickly
def test_tails_with_one_and_two_degrees_of_freedom_have_closed_forms(x: float) -> None:
    """The share above a value is an arc tangent with one degree of freedom and a root with two."""
    root = math.sqrt(2 + x * x)
    assert t_tail(x, 1) == pytest.approx(math.atan2(1, x) / math.pi, rel=EXACT)
    assert t_tail(x, 2) == pytest.approx(1 / (root * (root + x)), rel=EXACT)


@given(st.floats(min_value=0, max_value=1e3), dfs | st.just(math.inf))
@quickly
def test_t_is_symmetric(x: float, df: float) -> None:
    """What lies above a value and what lies above its mirror image add up to all."""
    assert t_tail(x, df) + t_tail(-x, df) == pytest.approx(1, abs=1e-14)
    assert t_tail(0, df) == 0.5


@given(st.integers(min_value=1, max_value=1023), dfs | st.just(math.inf))
@quickly
def test_quantiles_are_symmetric(step: int, df: float) -> None:
    """Quantiles of a share and of the rest mirror each other, and the lower is the upper one of the rest."""
    share = step / 1024
    assert t_upper_quantile(1 - share, df) == -t_upper_quantile(share, df)
    assert normal_quantile(1 - share) == pytest.approx(-normal_quantile(share), rel=1e-14, abs=1e-15)


@given(tails, dfs | st.just(math.inf))
@quickly
def test_the_quantile_inverts_the_tail(tail: float, df: float) -> None:
    """The share above the value above which a share lies is that share."""
    assert t_tail(t_upper_quantile(tail, df), df) == pytest.approx(tail, rel=EXACT)
    assert normal_tail(-normal_quantile(tail)) == pytest.approx(tail, rel=EXACT)


@given(st.floats(min_value=-8, max_value=8).map(lambda exponent: 10.0**exponent))
@quickly
def test_the_inverse_of_trigamma_inverts_it(value: float) -> None:
    """Trigamma of its inverse is the value, over sixteen powers of ten, and the inverse of trigamma the argument."""
    assert trigamma(trigamma_inverse(value)) == pytest.approx(value, rel=1e-12)
    assert trigamma_inverse(trigamma(value)) == pytest.approx(value, rel=EXACT)


@given(arguments)
@quickly
def test_digamma_and_trigamma_obey_their_recurrences(x: float) -> None:
    """A step of one changes digamma by 1/x and trigamma by -1/x^2."""
    assert digamma(x + 1) == pytest.approx(digamma(x) + 1 / x, rel=1e-12, abs=1e-11)
    assert trigamma(x + 1) + 1 / x**2 == pytest.approx(trigamma(x), rel=1e-12)


def test_digamma_and_trigamma_at_one_and_a_half() -> None:
    """The classical values at 1 and 1/2 are found."""
    assert digamma(1) == pytest.approx(-EULER, rel=1e-13)
    assert digamma(0.5) == pytest.approx(-EULER - 2 * math.log(2), rel=1e-13)
    assert trigamma(1) == pytest.approx(math.pi**2 / 6, rel=1e-13)
    assert trigamma(0.5) == pytest.approx(math.pi**2 / 2, rel=1e-13)


@given(tails, st.floats(min_value=1, max_value=1e4), st.floats(min_value=1.01, max_value=100))
@quickly
def test_fewer_degrees_of_freedom_reach_further_out(tail: float, df: float, factor: float) -> None:
    """A quantile is the larger the fewer the degrees of freedom, and always beyond the normal's."""
    fewer, more, normal = (t_upper_quantile(tail, each) for each in (df, df * factor, math.inf))
    if tail < 0.499:
        assert fewer > more > normal > 0


@given(st.floats(min_value=-30, max_value=30), st.floats(min_value=1e-3, max_value=10), dfs | st.just(math.inf))
@quickly
def test_tails_fall(x: float, step: float, df: float) -> None:
    """Less lies above a larger value, and no share leaves 0 to 1."""
    near, far = t_tail(x, df), t_tail(x + step, df)
    assert 0 <= far <= near <= 1
    if -5 < x < 30 - step:
        assert far < near


@pytest.mark.parametrize("df", [1e10, 1e15, math.inf])
def test_very_many_degrees_of_freedom_are_the_normal(df: float) -> None:
    """Quantile and tail with so many degrees of freedom are those of the normal itself."""
    assert t_upper_quantile(0.01, df) == -normal_quantile(0.01)
    assert -t_upper_quantile(0.01, df) == pytest.approx(normal_quantile(0.01), rel=1e-14)
    assert t_tail(2.5, df) == normal_tail(2.5)


@pytest.mark.parametrize("df", [1e7, 1e8, 1e9, 9.9e9])
def test_many_degrees_of_freedom_are_nearly_the_normal(df: float) -> None:
    """On the way to the normal nothing jumps: quantiles with 1e7 degrees of freedom and more are within 1e-6 of it."""
    for tail in (1e-6, 1e-4, 0.01, 0.3):
        assert t_upper_quantile(tail, df) == pytest.approx(-normal_quantile(tail), rel=1e-6)
        assert t_tail(t_upper_quantile(tail, df), df) == pytest.approx(tail, rel=EXACT)


@given(st.integers(1, 100), st.integers(1, 10_000), st.floats(-6, 3))
@quickly
def test_the_tail_of_f_is_scipys(stats: Any, df1: int, df2: int, exponent: float) -> None:
    """The share of F above any ratio is scipy's, from next to everything to next to nothing."""
    x = 10.0**exponent
    assert f_tail(x, df1, df2) == pytest.approx(float(stats.f.sf(x, df1, df2)), rel=EXACT, abs=1e-280)


@given(st.floats(0.01, 30), st.integers(1, 10_000))
@quickly
def test_f_of_one_degree_is_the_square_of_t(x: float, df: int) -> None:
    """With one degree above, the tail of F at the square is both tails of t together."""
    assert f_tail(x * x, 1, df) == pytest.approx(2 * t_tail(x, df), rel=EXACT, abs=1e-300)


def test_all_of_f_lies_above_nothing_and_nothing_above_everything() -> None:
    """Above 0 and below lies all of F, above infinity nothing."""
    assert (f_tail(0.0, 2, 3), f_tail(-1.0, 2, 3), f_tail(math.inf, 2, 3)) == (1.0, 1.0, 0.0)
