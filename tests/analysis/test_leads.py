"""The best point of a sweep: what it is told from, what is said of it, and that chance alone makes no winner."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.analysis.factors import Lead, Observation, best_of

if TYPE_CHECKING:
    from tests.analysis.conftest import SweepMaker

LOADS = ("num_ctx", "num_gpu")

quickly = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def stats() -> Any:
    """scipy's tests."""
    return pytest.importorskip("scipy.stats", reason="scipy is the oracle of tests")


def lead(made: list[Observation], *, metric: str = "ttft", higher: bool = False) -> Lead:
    """The best point of a sweep that has two."""
    found = best_of(made, metric=metric, higher_is_better=higher, loads=LOADS)
    assert found is not None
    return found


def test_two_loads_are_told_by_their_blocks(maker: type[SweepMaker]) -> None:
    """Differences of .1, .2 and .3 in three passes: t = .2 / (.1 / sqrt 3) with 2 degrees of freedom."""
    rows = [
        (block, log, {"num_ctx": level})
        for block, log, level in [
            (1, 0.1, 512), (2, 0.2, 2048), (3, 0.6, 2048), (4, 0.4, 512), (5, 0.7, 512), (6, 1.0, 2048)
        ]
    ]  # fmt: skip
    reach = 4.302652729911275 * 0.1 / math.sqrt(3)
    assert lead(maker.observed(*rows)) == Lead(
        metric="ttft",
        best={"num_ctx": "512"},
        best_value=pytest.approx(math.exp(0.4)),
        second={"num_ctx": "2048"},
        second_value=pytest.approx(math.exp(0.6)),
        ratio=pytest.approx(math.exp(-0.2)),
        ratio_low=pytest.approx(math.exp(-0.2 - reach)),
        ratio_high=pytest.approx(math.exp(-0.2 + reach)),
        p=pytest.approx(0.07417990022744853),
        undecided=({"num_ctx": "2048"},),
        worst_p=pytest.approx(0.07417990022744853),
    )


def test_two_points_of_one_load_are_told_by_their_rounds(maker: type[SweepMaker], stats: Any) -> None:
    """Where both share their loads the test is scipy's of paired rounds."""
    made = maker(levels={"temperature": ("0.2", "0.8")}, passes=3, rounds=4, effects={"temperature=0.8": 0.05})
    rows = made.make(Random(3))
    logs: dict[str, list[float]] = {"0.2": [], "0.8": []}
    for each in rows:
        logs[each.levels["temperature"]].append(math.log(each.value))
    told = stats.ttest_rel(logs["0.2"], logs["0.8"])
    low, high = told.confidence_interval(0.95)
    found = lead(rows)
    assert found.best == {"temperature": "0.2"}
    assert found.p == pytest.approx(float(told.pvalue))
    assert found.ratio_low == pytest.approx(math.exp(low))
    assert found.ratio_high == pytest.approx(math.exp(high))
    assert found.distinguishable


def test_blocks_that_are_not_in_passes_have_spreads_of_their_own(maker: type[SweepMaker], stats: Any) -> None:
    """Where fewer than two passes have every load the test is Welch's."""
    first, second = [0.1, 0.14, 0.11], [0.3, 0.2]
    levels = {512: first, 2048: second, 8192: [0.9]}
    rows = [(1 + number, log, {"num_ctx": level}) for level, logs in levels.items() for number, log in enumerate(logs)]
    numbered = [(number, log, level) for number, (_, log, level) in enumerate(sorted(rows, key=lambda row: row[0]), 1)]
    found = lead(maker.observed(*numbered))
    told = stats.ttest_ind(first, second, equal_var=False)
    assert found.p == pytest.approx(float(told.pvalue))
    low, high = told.confidence_interval(0.95)
    assert (found.ratio_low, found.ratio_high) == (pytest.approx(math.exp(low)), pytest.approx(math.exp(high)))


def said(p: float | None, *others: float | None, ratio: float = 1.041, metric: str = "tok/s") -> str:
    """The sentence on a lead with such p, the further ones of other points."""
    ps = [p, *others]
    return Lead(
        metric=metric, best={"temperature": "0.2", "num_ctx": "512"}, best_value=31.2,
        second={"temperature": "0.8", "num_ctx": "512"}, second_value=31.2 / ratio, ratio=ratio, ratio_low=None,
        ratio_high=None, p=p, worst_p=max((each for each in ps if each is not None), default=None),
        undecided=tuple({"num_ctx": str(number)} for number, each in enumerate(ps) if each is None or each >= 0.05),
    ).sentence  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "end"),
    [
        (said(0.31), ": not distinguishable (p 0.31)."),
        (said(0.31, 0.001), ": not distinguishable (p 0.31)."),
        (said(0.31, 0.001, 0.4), ": not distinguishable (p 0.31), nor from 1 other."),
        (said(0.31, 0.2, 0.4), ": not distinguishable (p 0.31), nor from 2 others."),
        (said(0.00312), ": distinguishable (p 0.0031)."),
        (said(0.000001), ": distinguishable (p < 0.0001)."),
        (said(0.001, 0.2), " (p 0.001), but not distinguishable from num_ctx=1 (p 0.2)."),
        (
            said(0.001, 0.2, 0.3, 0.1, 0.06, 0.9),
            " (p 0.001), but not distinguishable from num_ctx=1; num_ctx=2; num_ctx=3; and 2 more (p 0.9).",
        ),
        (said(None), ": nothing shows how much rounds of one point differ, so that they cannot be told apart."),
    ],
)
def test_what_is_said_of_the_best(sentence: str, end: str) -> None:
    """Value, lead over the second, and whether it is distinguishable from that and from all others."""
    head = "temperature=0.2,num_ctx=512 is best at 31.2 tok/s, 4.1 % above temperature=0.8,num_ctx=512 (30.0 tok/s)"
    assert sentence == head + end


def test_what_is_said_of_a_time() -> None:
    """Of a time the best is below the second; a metric without a table is a bare number."""
    assert said(0.2, ratio=0.5, metric="ttft") == (
        "temperature=0.2,num_ctx=512 is best at 31.2 s, 50.0 % below temperature=0.8,num_ctx=512 (62.4 s): "
        "not distinguishable (p 0.2)."
    )
    assert said(0.2, ratio=0.5, metric="words").startswith("temperature=0.2,num_ctx=512 is best at 31.2, 50.0 % below")


def test_a_near_third_of_another_load_keeps_the_best_undecided(maker: type[SweepMaker]) -> None:
    """A best that rounds tell from the second is still not told from a third that loads hide."""
    made = maker(between=0.03, within=0.001, effects={"temperature=0.8": 0.01}).make(Random(12))
    found = lead(made)
    assert found.p is not None
    assert found.p < 0.05
    assert not found.distinguishable
    assert {each["num_ctx"] for each in found.undecided} == {"512", "2048"} - {found.best["num_ctx"]}
    assert ", but not distinguishable from num_ctx=" in found.sentence


def test_one_point_or_none_has_no_best(maker: type[SweepMaker]) -> None:
    """Nothing is better than nothing, and a zero has no ratio."""
    one = maker.observed((1, 0.0, {"top_k": 1}), (1, 0.1, {"top_k": 1}))
    assert best_of(one, metric="ttft", higher_is_better=False, loads=()) is None
    assert best_of([], metric="ttft", higher_is_better=False, loads=()) is None
    two = [*one, replace(one[0], levels={"top_k": "2"}, value=0.0)]
    assert best_of(two, metric="ttft", higher_is_better=False, loads=()) is None


def test_one_round_of_each_proves_no_winner(maker: type[SweepMaker]) -> None:
    """Without repeats nothing shows noise: neither within a load nor between loads."""
    for name in ("top_k", "num_ctx"):
        found = lead(maker.observed(*((number, number / 10, {name: number}) for number in (1, 2, 3))))
        assert (found.p, found.ratio_low, found.distinguishable) == (None, None, False)
        assert found.ratio == pytest.approx(math.exp(-0.1))


def test_values_that_never_vary_prove_nothing_by_chance(maker: type[SweepMaker]) -> None:
    """Equal values are as far apart as chance sets them; unequal ones without any noise have nothing to be held to."""
    equal = lead(maker.observed(*((1, 0.0, {"top_k": number % 2}) for number in range(6))))
    assert (equal.ratio, equal.p, equal.distinguishable) == (1.0, 1.0, False)
    unequal = lead(maker.observed(*((1, float(number % 2), {"top_k": number % 2}) for number in range(6))))
    assert (unequal.p, unequal.distinguishable) == (None, False)


@given(st.integers(0, 10_000), st.randoms(use_true_random=False), st.floats(1e-6, 1e6), st.booleans())
@quickly
def test_order_and_unit_of_rounds_do_not_matter(
    maker: type[SweepMaker], seed: int, chance: Random, unit: float, higher: bool
) -> None:
    """Rounds in any order and unit have the same best, ratio and p; the values are in the unit."""
    made = maker().make(Random(seed))
    other = [replace(each, value=each.value * unit) for each in made]
    chance.shuffle(other)
    one, same = lead(made, higher=higher), lead(other, higher=higher)
    assert (same.best, same.second, same.undecided) == (one.best, one.second, one.undecided)
    assert (same.ratio, same.ratio_low, same.p) == (
        pytest.approx(one.ratio), pytest.approx(one.ratio_low), pytest.approx(one.p, rel=1e-6),
    )  # fmt: skip
    assert same.best_value == pytest.approx(one.best_value * unit)


def test_a_point_without_its_slow_rounds_is_not_the_best() -> None:
    """Where the later, slower passes of the worse point failed, the other one stays the best."""
    seen = [
        Observation(levels={"temperature": level}, block=1, order=2.0 * number + place, value=0.1 * 1.1**number * worse)
        for number in range(6)
        for place, (level, worse) in enumerate((("0", 1.0), ("1", 1.05 + 0.001 * number)))
        if level == "0" or number < 3
    ]
    found = best_of(seen, metric="ttft", higher_is_better=False, loads=())
    assert found is not None
    assert (found.best, found.second, found.ratio < 1) == ({"temperature": "0"}, {"temperature": "1"}, True)


def test_rounding_is_no_noise() -> None:
    """Values that never vary are not told apart by the last bits of their sums."""
    seen = [
        Observation(levels={"t": level}, block=1, order=float(number), value=value)
        for number in range(7)
        for level, value in (("0", 0.1 + 0.2), ("1", 0.7 / 3))
    ]
    found = best_of(seen, metric="ttft", higher_is_better=False, loads=())
    assert found is not None
    assert (found.p, found.distinguishable) == (None, False)
