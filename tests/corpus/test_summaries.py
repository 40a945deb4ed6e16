"""Summaries of numbers: merging, moments, quantiles, and what never enters them."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.corpus.rows import Row, Term
from pytest_chimera.corpus.sketch import MOST_BUCKETS, Sketch
from pytest_chimera.corpus.summaries import MOST_GROUPS, Group, Summary, Tally, merge_tallies, summaries_of, tally_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

TTFT = Term("ttft", "value", 1.0, "time")
GROUP = Group("ttft", "value", "time", "performance", "measured", "gemma3:270m", None, "csv", "")
ANY = st.lists(st.floats(-1e100, 1e100, allow_subnormal=False), max_size=40)
TIMES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=200)


def summary(values: Sequence[float], *, failed: int = 0, missing: int = 0) -> Summary:
    """The summary of values."""
    tally = Tally()
    tally.failed, tally.missing = failed, missing
    tally.take(values)
    return tally.summary(GROUP)


def alike(one: Summary, other: Summary) -> None:
    """Two summaries of the same values, whose sums may have been rounded differently."""
    exact = ("group", "n", "failed", "missing", "lowest", "highest", "sketch")
    assert [getattr(one, name) for name in exact] == [getattr(other, name) for name in exact]
    size = max(abs(one.lowest or 0), abs(one.highest or 0))
    assert (one.mean or 0.0) == pytest.approx(other.mean or 0.0, rel=1e-9, abs=1e-9 * size)
    # Below 1e-300 the squares of distances have fewer digits than other numbers.
    assert one.m2 == pytest.approx(other.m2, rel=1e-6, abs=1e-9 * size * size + 1e-300)


def test_a_summary_says_what_there_is() -> None:
    """Number, mean, spread, range and failures of six numbers are those that one counts by hand."""
    found = summary([1.0, 2.0, 3.0, 4.0], failed=2, missing=1)
    assert (found.n, found.failed, found.missing, found.mean, found.m2) == (4, 2, 1, 2.5, pytest.approx(5.0))
    assert (found.lowest, found.highest, found.total, found.sd) == (1.0, 4.0, 10.0, pytest.approx(math.sqrt(5 / 3)))
    assert [found.quantile(share) for share in (0, 0.5, 1)] == [1.0, pytest.approx(2.5, rel=0.004), 4.0]


def test_a_summary_of_nothing_has_no_values() -> None:
    """Where every row failed, mean, spread, range and quantiles are unknown and not zero."""
    found = summary([], failed=3)
    assert (found.n, found.failed, found.mean, found.sd, found.lowest, found.highest) == (0, 3, None, None, None, None)
    assert found.quantile(0.5) is None


@given(ANY, ANY)
def test_a_merge_is_as_if_all_had_been_seen_at_once(one: list[float], other: list[float]) -> None:
    """Two merged summaries are the summary of all values, the buckets exactly, the moments but for rounding."""
    alike(summary(one, failed=1).merge(summary(other, missing=2)), summary(one + other, failed=1, missing=2))


@given(ANY, ANY, ANY)
def test_the_order_of_merges_makes_no_difference(one: list[float], two: list[float], three: list[float]) -> None:
    """Merging is commutative and associative."""
    a, b, c = summary(one), summary(two), summary(three)
    alike(a.merge(b), b.merge(a))
    alike(a.merge(b).merge(c), a.merge(b.merge(c)))


def test_a_merge_leaves_its_parts_as_they_are() -> None:
    """Merging changes neither of the two."""
    one, two = summary([1.0, 2.0]), summary([8.0])
    one.merge(two)
    alike(one, summary([1.0, 2.0]))
    alike(two, summary([8.0]))


@given(TIMES)
def test_moments_are_those_of_the_standard_library(values: list[float]) -> None:
    """Mean and standard deviation agree with the module statistics."""
    found = summary(values)
    assert found.mean == pytest.approx(statistics.fmean(values))
    if len(values) > 1:
        assert found.sd == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-9 * max(values))


@given(TIMES, st.floats(0, 1))
def test_a_quantile_is_off_by_no_more_than_it_says(values: list[float], share: float) -> None:
    """A quantile lies within the stated relative error of the one of the sorted values."""
    found = summary(values)
    rank = share * (len(values) - 1)
    low, high = sorted(values)[math.floor(rank)], sorted(values)[math.ceil(rank)]
    exact = low + (high - low) * (rank - math.floor(rank))
    assert found.relative_error <= 0.0625
    assert found.quantile(share) == pytest.approx(exact, rel=found.relative_error * 1.001)


def test_a_narrow_range_has_the_finest_buckets() -> None:
    """Values within eight powers of two are told apart to 0.4 %."""
    found = summary([1.001**step for step in range(5_000)])
    assert found.relative_error == 1 / 256
    assert found.quantile(0.5) == pytest.approx(1.001**2499.5, rel=1 / 256)


def test_a_wide_range_does_not_cost_more() -> None:
    """Values of all sizes and both signs share a bounded number of buckets, and the error says what that costs."""
    sketch = Sketch()
    sketch.take([sign * 1.07**step for sign in (-1, 1) for step in range(-1_000, 1_000)])
    assert len(sketch.buckets) <= MOST_BUCKETS
    assert sketch.relative_error == 1 / 4
    assert sketch.quantile(0.75) == pytest.approx(1, rel=1 / 4)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_is_no_value(value: float) -> None:
    """Infinity and NaN are missing and enter nothing."""
    alike(summary([1.0, value, 3.0]), summary([1.0, 3.0], missing=1))


def test_very_large_values_do_not_overflow() -> None:
    """Values whose sum is beyond a double have a mean all the same, and those beyond a float32 the right range."""
    found = summary([1.5e308, 1.7e308])
    assert found.mean == pytest.approx(1.6e308)
    assert (found.lowest, found.highest) == (1.5e308, 1.7e308)


def test_a_failed_row_never_enters_a_mean() -> None:
    """What is written in a row that failed is counted as failed and is no value; an empty cell is missing."""
    rows = [Row(f"row {number}") for number in range(4)]
    for row, value in zip(rows, (1.0, 0.0, None, 3.0), strict=True):
        row.add(TTFT, value, "ttft_s")
    rows[1].failure = "Failed to connect"
    rows[1].cold = True
    tallies: dict[Group, Tally] = {}
    tally_rows(((row, "csv") for row in rows), tallies)
    (found,) = summaries_of(tallies)
    assert (found.n, found.failed, found.missing, found.mean, found.group.cold) == (2, 1, 1, 2.0, None)


def test_groups_are_bounded() -> None:
    """Beyond the bound numbers are counted without model and series, none is lost, and how many is returned."""
    into: dict[Group, Tally] = {}
    beyond = 0
    for number in range(MOST_GROUPS + 5):
        tally = Tally()
        tally.take([1.0])
        beyond += merge_tallies(into, {GROUP._replace(model=f"model:{number}b"): tally})
    assert beyond == 5
    assert len(into) == MOST_GROUPS + 1
    assert into[GROUP._replace(model=None)].n == 5
