"""What each parameter of a sweep does: by hand, against scipy and numpy, and where nothing can be told."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.analysis.factors import FactorEffect, LevelMean, Observation, effects_of

if TYPE_CHECKING:
    from tests.analysis.conftest import SweepMaker

LOADS = ("num_ctx", "num_gpu")

quickly = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def stats() -> Any:
    """scipy's distributions and tests."""
    return pytest.importorskip("scipy.stats", reason="scipy is the oracle of tests")


@pytest.fixture(scope="module")
def np() -> Any:
    """numpy, which comes with scipy."""
    return pytest.importorskip("numpy", reason="numpy is the oracle of least squares")


def effects(observations: list[Observation], *, higher: bool = False) -> dict[str, FactorEffect]:
    """The effects by parameter; num_ctx and num_gpu need a load."""
    found = effects_of(observations, metric="ttft", higher_is_better=higher, loads=LOADS)
    return {each.name: each for each in found}


TWO_LOADS = (
    (1, 0.0, {"num_ctx": 512}), (1, 0.2, {"num_ctx": 512}), (2, 0.2, {"num_ctx": 2048}), (2, 0.2, {"num_ctx": 2048}),
    (3, 0.5, {"num_ctx": 2048}), (3, 0.7, {"num_ctx": 2048}), (4, 0.3, {"num_ctx": 512}), (4, 0.5, {"num_ctx": 512}),
    (5, 0.7, {"num_ctx": 512}), (5, 0.7, {"num_ctx": 512}), (6, 0.9, {"num_ctx": 2048}), (6, 1.1, {"num_ctx": 2048}),
)  # fmt: skip
"""Means of blocks .1 and .2, .4 and .6, .7 and 1.0: differences .1, .2, .3 on a drift of .3. All squares are 1.2, those
between the levels 12 * .1^2.
"""


def test_a_parameter_that_needs_a_load_is_told_by_its_loads(maker: type[SweepMaker]) -> None:
    """Three passes with differences of .1, .2 and .3 have t = .2 / (.1 / sqrt 3) with 2 degrees of freedom."""
    found = effects(maker.observed(*TWO_LOADS))["num_ctx"]
    reach = 4.302652729911275 * 0.1 / math.sqrt(3)
    assert found == FactorEffect(
        name="num_ctx",
        levels={
            "512": LevelMean(mean=pytest.approx(math.exp(0.4)), n=6),
            "2048": LevelMean(mean=pytest.approx(math.exp(0.6)), n=6),
        },
        best="512",
        worst="2048",
        ratio=pytest.approx(math.exp(0.2)),
        ratio_low=pytest.approx(math.exp(0.2 - reach)),
        ratio_high=pytest.approx(math.exp(0.2 + reach)),
        eta2=pytest.approx(0.1),
        p=pytest.approx(0.07417990022744853),
        df=1,
        error_df=2,
        unit="blocks",
        units=6,
    )
    assert not found.is_clear


def test_of_a_rate_the_higher_level_is_the_better(maker: type[SweepMaker]) -> None:
    """Where more is better the best level is the other one, and the ratio its inverse."""
    found = effects(maker.observed(*TWO_LOADS), higher=True)["num_ctx"]
    assert (found.best, found.worst) == ("2048", "512")
    assert found.ratio == pytest.approx(math.exp(-0.2))
    assert found.p == pytest.approx(0.07417990022744853)


def test_two_levels_are_told_as_a_paired_t_test_tells_them(maker: type[SweepMaker], stats: Any) -> None:
    """Of two levels the parameter with loads is scipy's test of paired block means, the other that of paired rounds."""
    made = maker(drift=0.01, effects={"temperature=0.8": 0.02}).make(Random(5))
    found = effects(made)
    blocks: dict[tuple[int, str], list[float]] = {}
    rounds: dict[str, list[float]] = {"0.2": [], "0.8": []}
    for each in made:
        assert each.block is not None
        blocks.setdefault(((each.block - 1) // 2, each.levels["num_ctx"]), []).append(math.log(each.value))
        rounds[each.levels["temperature"]].append(math.log(each.value))
    means = {key: sum(values) / len(values) for key, values in blocks.items()}
    one, other = ([means[number, level] for number in range(3)] for level in ("512", "2048"))
    assert found["num_ctx"].p == pytest.approx(float(stats.ttest_rel(one, other).pvalue), rel=1e-9)
    told = stats.ttest_rel(rounds["0.8"], rounds["0.2"])
    assert found["temperature"].p == pytest.approx(float(told.pvalue), rel=1e-9)
    low, high = told.confidence_interval(0.95)
    assert (found["temperature"].ratio_low, found["temperature"].ratio_high) == (
        pytest.approx(math.exp(low)), pytest.approx(math.exp(high)),
    )  # fmt: skip
    assert (found["temperature"].unit, found["temperature"].units) == ("rounds", 36)


def dummies(np: Any, columns: list[list[Any]]) -> Any:
    """A design of ones, of columns of floats as they are, and of others a dummy for every value but the first."""
    design = [[1.0] * len(columns[0])]
    design += [column for column in columns if isinstance(column[0], float)]
    for column in columns:
        if isinstance(column[0], float):
            continue
        design += [[float(each == value) for each in column] for value in sorted(set(column))[1:]]
    return np.array(design).T


def least_squares(np: Any, columns: list[list[Any]], values: list[float]) -> tuple[float, int]:
    """Residual squares and rank."""
    design = dummies(np, columns)
    solution, _, rank, _ = np.linalg.lstsq(design, np.array(values), rcond=None)
    return float(((np.array(values) - design @ solution) ** 2).sum()), int(rank)


@given(st.integers(0, 10_000), st.sets(st.integers(0, 71), max_size=25))
@quickly
def test_rounds_that_failed_leave_least_squares(
    maker: type[SweepMaker], np: Any, stats: Any, seed: int, lost: set[int]
) -> None:
    """With any rounds missing, parameters without a load are told as numpy and scipy tell them within their groups."""
    levels = {"num_ctx": ("512", "2048"), "temperature": ("0.2", "0.8"), "top_k": ("1", "40", "80")}
    every = maker(levels=levels, passes=3, rounds=2).make(Random(seed))
    made = [each for number, each in enumerate(every) if number not in lost]
    found = effects(made)
    values = [math.log(each.value) for each in made]
    groups = expected_groups(made)
    columns = {name: [each.levels[name] for each in made] for name in ("temperature", "top_k")}
    full, rank = least_squares(np, [groups, *columns.values()], values)
    for name, other in (("temperature", "top_k"), ("top_k", "temperature")):
        less, fewer = least_squares(np, [groups, columns[other]], values)
        if rank - fewer < len(set(columns[name])) - 1 or len(values) == rank or len(set(columns[name])) == 1:
            assert found[name].p is None
            continue
        ratio = (less - full) / (rank - fewer) / (full / (len(values) - rank))
        assert found[name].error_df == len(values) - rank
        assert found[name].p == pytest.approx(float(stats.f.sf(ratio, rank - fewer, len(values) - rank)), rel=1e-6)


def expected_groups(made: list[Observation]) -> list[str]:
    """Passes through the points of each block, as one reads them off: a new one where a point comes again."""
    found: list[str] = []
    for block in sorted({each.block or 0 for each in made}):
        rows = [each for each in made if each.block == block]
        points = [tuple(each.levels.values()) for each in rows]
        number, seen, cuts = 0, set(), []
        for point in points:
            if point in seen:
                number, seen = number + 1, set()
            seen.add(point)
            cuts.append(number)
        most = max(map(points.count, points))
        found += [f"{block} {cut if number < most else 0}" for cut in cuts]
    return found


def test_blocks_that_failed_leave_least_squares(maker: type[SweepMaker], np: Any, stats: Any) -> None:
    """With blocks missing, parameters with loads are told as numpy tells them from block means within passes, a steady
    drift within passes taken out.
    """
    levels = {"num_ctx": ("512", "2048", "8192"), "num_gpu": ("0", "99"), "seed": ("1", "2")}
    every = maker(levels=levels, passes=4, effects={"num_ctx=512": 0.05}).make(Random(8))
    made = [each for each in every if each.block not in {2, 13, 23}]
    blocks = sorted({each.block or 0 for each in made})
    means = [
        sum(found) / len(found)
        for block in blocks
        for found in ([math.log(each.value) for each in made if each.block == block],)
    ]
    key = {each.block: each.levels for each in made}
    passes = [(block - 1) // 6 for block in blocks]
    columns = {name: [key[block][name] for block in blocks] for name in LOADS}
    times = [float(block) for block in blocks]
    full, rank = least_squares(np, [passes, times, *columns.values()], means)
    found = effects(made)
    for name, other in (("num_ctx", "num_gpu"), ("num_gpu", "num_ctx")):
        less, fewer = least_squares(np, [passes, times, columns[other]], means)
        ratio = (less - full) / (rank - fewer) / (full / (len(means) - rank))
        assert found[name].p == pytest.approx(float(stats.f.sf(ratio, rank - fewer, len(means) - rank)), rel=1e-8)
        assert (found[name].unit, found[name].units, found[name].error_df) == ("blocks", 21, len(means) - rank)


def test_the_interval_holds_for_all_pairs_of_levels(maker: type[SweepMaker], np: Any, stats: Any) -> None:
    """Of three levels the interval is t at 5 % / 3, with the variance that least squares gives the difference."""
    levels = {"temperature": ("0.2", "0.5", "0.8"), "top_k": ("1", "40")}
    made = maker(levels=levels, passes=1, rounds=4).make(Random(2))[:-3]
    found = effects(made)["temperature"]
    groups = expected_groups(made)
    heat, top = ([each.levels[name] for each in made] for name in levels)
    values = np.array([math.log(each.value) for each in made])
    design = dummies(np, [groups, top, heat])
    solution, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    df = len(values) - rank
    square = float(((values - design @ solution) ** 2).sum()) / df
    weights = dict(zip(("0.5", "0.8"), solution[-2:], strict=True)) | {"0.2": 0.0}
    best, worst = min(weights, key=lambda each: weights[each]), max(weights, key=lambda each: weights[each])
    which = np.zeros(design.shape[1])
    for level, sign in ((worst, 1.0), (best, -1.0)):
        if level != "0.2":
            which[-2 + ("0.5", "0.8").index(level)] = sign
    error = math.sqrt(square * float(which @ np.linalg.inv(design.T @ design) @ which))
    reach = float(stats.t.isf(0.025 / 3, df)) * error
    difference = weights[worst] - weights[best]
    assert (found.best, found.worst) == (best, worst)
    assert found.ratio == pytest.approx(math.exp(difference))
    assert found.ratio_low == pytest.approx(math.exp(difference - reach))
    assert found.ratio_high == pytest.approx(math.exp(difference + reach))


def test_levels_are_as_if_each_had_met_the_same_others(maker: type[SweepMaker]) -> None:
    """Where one level lost its slow rounds, its mean is not the better for it."""
    values = {("a", "x"): 0.0, ("a", "y"): 1.0, ("b", "x"): 0.1, ("b", "y"): 1.1}
    rows = [
        (number + 1, log, {"top_k": one, "seed": other})
        for number in range(3)
        for (one, other), log in values.items()
        if (number, one, other) != (2, "a", "y")
    ]
    found = effects(maker.observed(*rows))["top_k"]
    assert found.ratio == pytest.approx(math.exp(0.1))
    assert found.levels["a"].n == 5
    assert found.levels["b"].mean / found.levels["a"].mean == pytest.approx(math.exp(0.1))


def test_drift_is_taken_out(maker: type[SweepMaker]) -> None:
    """A drift of three times the effect, over the whole sweep, hides neither effect where each pass has all of it."""
    made = maker(
        between=0.0005, within=0.0005, drift=0.001, passes=6, effects={"num_ctx=512": 0.04, "temperature=0.2": 0.02}
    ).make(Random(4))
    found = effects(made)
    assert found["num_ctx"].is_clear
    assert found["num_ctx"].ratio == pytest.approx(math.exp(0.04), rel=0.01)
    assert found["temperature"].is_clear
    assert found["temperature"].ratio == pytest.approx(math.exp(0.02), rel=0.002)


def test_a_level_that_was_measured_late_is_not_slow_for_it(maker: type[SweepMaker]) -> None:
    """Where a level comes last in two of three passes, a steady drift within them is not its effect."""
    order = ["512", "2048", "8192", "2048", "512", "8192", "8192", "2048", "512"]
    noise = [0.001, -0.001, 0.0, 0.001, 0.0, -0.001, 0.0, 0.001, -0.001]
    rows = [
        (block, 0.1 * block + each, {"num_ctx": level})
        for block, (level, each) in enumerate(zip(order, noise, strict=True), 1)
    ]
    found = effects(maker.observed(*rows))["num_ctx"]
    assert found.error_df == 3
    assert found.ratio == pytest.approx(1, abs=0.003)
    assert not found.is_clear


def test_numbers_stand_before_texts_by_size(maker: type[SweepMaker]) -> None:
    """Levels are in the order of their numbers, not of their digits; texts come after."""
    levels = {"temperature": ("true", "10", "9", "null", "0.5")}
    found = effects(maker(levels=levels).make(Random(1)))["temperature"]
    assert list(found.levels) == ["0.5", "9", "10", "null", "true"]


def whys(maker: type[SweepMaker], *rows: tuple[int | None, float, dict[str, Any]]) -> dict[str, str | None]:
    """Why nothing can be told, by parameter."""
    found = effects(maker.observed(*rows))
    assert all(each.p is None for each in found.values() if each.why is not None)
    return {name: each.why for name, each in found.items()}


def test_a_single_level_has_no_effect(maker: type[SweepMaker]) -> None:
    """A parameter of which one level was measured is named as such, and the other is told as usual."""
    rows = [(1, 0.01 * (n * n % 7) + 0.1 * (n % 2), {"top_k": 40, "seed": n % 2}) for n in range(8)]
    assert whys(maker, *rows) == {"top_k": "it has one level, 40", "seed": None}
    assert effects(maker.observed(*rows))["top_k"] == FactorEffect(
        name="top_k", levels={"40": LevelMean(mean=pytest.approx(math.exp(0.0675)), n=8)}, eta2=0.0, units=8,
        why="it has one level, 40",
    )  # fmt: skip


def test_parameters_that_changed_together_cannot_be_told_apart(maker: type[SweepMaker]) -> None:
    """Two that go hand in hand name one another, across loads too; what is beside them is told."""
    rows = [
        (number + 1, 0.01 * (number * 7 % 5) + 0.003 * (seed * number), {"num_ctx": a, "temperature": b, "seed": seed})
        for number, (a, b) in enumerate([(512, 0.2), (2048, 0.8), (512, 0.2), (2048, 0.8)])
        for seed in (1, 2)
    ]
    assert whys(maker, *rows) == {
        "num_ctx": "it changed only together with temperature, so that they cannot be told apart",
        "temperature": "it changed only together with num_ctx, so that they cannot be told apart",
        "seed": None,
    }
    found = effects(maker.observed(*rows))["num_ctx"]
    assert (found.best, found.ratio, list(found.levels)) == (None, None, ["512", "2048"])


def test_points_that_part_nothing(maker: type[SweepMaker]) -> None:
    """Three parameters of which any two say the third are not told from one another."""
    rows = [
        (1, 0.01 * number, {"top_k": a, "seed": b, "stop": a * 2 + b})
        for number, (a, b) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)] * 2)
    ]
    assert whys(maker, *rows) == {
        "top_k": "it changed only together with stop, so that they cannot be told apart",
        "seed": "it changed only together with stop, so that they cannot be told apart",
        "stop": "it changed only together with top_k, seed, so that they cannot be told apart",
    }
    latin = [
        (1, 0.01 * number, {"top_k": a, "seed": b, "stop": c})
        for number, (a, b, c) in enumerate([(0, 0, 0), (0, 1, 1), (1, 0, 1), (2, 1, 0), (2, 1, 0)])
    ]
    assert set(whys(maker, *latin).values()) == {
        "the points that were measured do not tell it from the other parameters"
    }


def test_one_pass_is_too_little(maker: type[SweepMaker]) -> None:
    """A block for each level says nothing of how much loads differ, however many rounds it has; sizes are given."""
    rows = [(block, 0.01 * n * block, {"num_ctx": 512 * block}) for block in (1, 2) for n in range(10)]
    found = effects(maker.observed(*rows))["num_ctx"]
    assert found.why == "its 2 blocks are too few to show how much blocks of one level differ"
    assert (found.best, found.worst, found.ratio_low, found.p) == ("512", "1024", None, None)
    assert found.ratio == pytest.approx(math.exp(0.045))


def test_a_round_of_each_is_too_little(maker: type[SweepMaker]) -> None:
    """So is one round of each point where no load is needed."""
    found = whys(maker, (None, 0.0, {"top_k": 1}), (None, 0.1, {"top_k": 2}))
    assert found == {"top_k": "its 2 rounds are too few to show how much rounds of one level differ"}


def test_a_load_needs_a_block(maker: type[SweepMaker]) -> None:
    """A parameter that needs a load is not told where loads are not known, or where it changed within one."""
    rows = [(None, 0.1 * n, {"num_ctx": 512 * (1 + n % 2)}) for n in range(6)]
    assert whys(maker, *rows) == {"num_ctx": "it needs a load of the model, and nothing says which rounds shared one"}
    within = [(1, log, levels) for _, log, levels in rows]
    assert whys(maker, *within) == {"num_ctx": "it needs a load of the model, and its levels changed within one"}


def test_rounds_that_each_load_the_model_are_blocks(maker: type[SweepMaker]) -> None:
    """Where every round is a load of its own, each parameter is held against the spread between loads."""
    levels = {"num_ctx": ("512", "2048"), "num_gpu": ("0", "99")}
    made = maker(levels=levels, passes=6, rounds=1, effects={"num_gpu=0": 0.2}).make(Random(7))
    renamed = [
        replace(each, levels={"num_ctx": each.levels["num_ctx"], "temperature": each.levels["num_gpu"]})
        for each in made
    ]
    one, other = effects(made), effects(renamed)
    assert (one["num_gpu"].unit, one["num_gpu"].units) == ("blocks", 24)
    assert one["num_gpu"].is_clear
    assert replace(other["temperature"], name="num_gpu") == one["num_gpu"]


def test_what_never_varies_has_no_noise(maker: type[SweepMaker]) -> None:
    """Counts that say the same in every round of a level have a ratio and no p; equal ones have no share either."""
    rows = [(1, float(n % 2), {"top_k": n % 2}) for n in range(6)]
    found = effects(maker.observed(*rows))["top_k"]
    assert found.why == "nothing varies beside it, so that there is no noise to hold it against"
    assert (found.ratio, found.eta2, found.p) == (pytest.approx(math.e), 1.0, None)
    equal = effects(maker.observed(*((block, 1.0, levels) for block, _, levels in rows)))["top_k"]
    assert (equal.ratio, equal.eta2, equal.p) == (1.0, None, None)


def test_values_without_a_logarithm(maker: type[SweepMaker]) -> None:
    """A zero has no ratio to anything, and no parameter is told."""
    made = [*maker.observed((1, 0.0, {"top_k": 1}), (1, 0.0, {"top_k": 2}))]
    found = effects([*made, replace(made[0], value=0.0)])
    assert found == {
        "top_k": FactorEffect(name="top_k", why="some of its values are not above 0, of which there is no ratio")
    }


def test_nothing_has_no_effects() -> None:
    """Without observations there are no parameters."""
    assert effects([]) == {}


def test_too_many_levels(maker: type[SweepMaker]) -> None:
    """A parameter of more than 100 levels is not looked at level by level, and the others are told beside it."""
    rows = [(1, 0.01 * (n * 37 % 11), {"seed": n, "top_k": n % 2}) for n in range(202)]
    found = whys(maker, *rows)
    assert found["seed"] == "it has 202 levels, and 100 are the most that can be looked at one by one"


def interplay(maker: type[SweepMaker], chance: Random, size: float, *, loads: bool) -> list[Observation]:
    """A grid in which one combination of levels is slower than its main effects say."""
    levels = {"num_ctx": ("512", "2048"), "num_gpu": ("0", "99")} if loads else maker().levels
    made = maker(levels=levels, passes=4, between=0.005).make(chance)
    odd = {name: found[0] for name, found in levels.items()}
    return [replace(each, value=each.value * math.exp(size * (each.levels == odd))) for each in made]


@pytest.mark.parametrize("loads", [True, False])
def test_effects_that_depend_on_one_another_are_flagged(maker: type[SweepMaker], loads: bool) -> None:
    """A combination that is 10 % slower than its parts say is noticed, between loads and within them."""
    assert all(each.interacts for each in effects(interplay(maker, Random(3), 0.1, loads=loads)).values())
    assert not any(each.interacts for each in effects(interplay(maker, Random(3), 0.0, loads=loads)).values())


grids = st.tuples(st.integers(0, 10_000), st.integers(2, 3), st.integers(1, 3))


def grid(maker: type[SweepMaker], drawn: tuple[int, int, int]) -> list[Observation]:
    """A sweep over three parameters: its seed, its passes and its rounds."""
    levels = {"num_ctx": ("512", "2048"), "temperature": ("0.2", "0.5", "0.8"), "top_k": ("1", "40")}
    return maker(levels=levels, passes=drawn[1], rounds=drawn[2]).make(Random(drawn[0]))


@given(grids, st.randoms(use_true_random=False), st.floats(1e-6, 1e6))
@quickly
def test_order_and_unit_do_not_matter(
    maker: type[SweepMaker], drawn: tuple[int, int, int], chance: Random, unit: float
) -> None:
    """Observations in any order and any unit have the same p, ratios and shares; only the means are in the unit."""
    made = grid(maker, drawn)
    other = [replace(each, value=each.value * unit) for each in made]
    chance.shuffle(other)
    for one, same in zip(effects(made).values(), effects(other).values(), strict=True):
        assert (same.name, same.best, same.worst, same.interacts) == (one.name, one.best, one.worst, one.interacts)
        for field in ("ratio", "ratio_low", "ratio_high", "eta2", "p"):
            assert getattr(same, field) == pytest.approx(getattr(one, field), rel=1e-6)
        for level, each in one.levels.items():
            assert same.levels[level].mean == pytest.approx(each.mean * unit)


@given(grids)
@quickly
def test_names_do_not_matter(maker: type[SweepMaker], drawn: tuple[int, int, int]) -> None:
    """Levels by other names, that sort the other way round, have the same effects."""
    made = grid(maker, drawn)
    names = {"512": "z", "2048": "a", "0.2": "m", "0.5": "x", "0.8": "b", "1": "q", "40": "c"}
    other = [replace(each, levels={name: names[level] for name, level in each.levels.items()}) for each in made]
    for one, same in zip(effects(made).values(), effects(other).values(), strict=True):
        assert (same.best, same.worst) == (names[one.best or ""], names[one.worst or ""])
        assert same.p == pytest.approx(one.p, rel=1e-7)
        assert same.ratio_high == pytest.approx(one.ratio_high, rel=1e-9)


@given(grids)
@quickly
def test_the_other_direction_is_the_inverse(maker: type[SweepMaker], drawn: tuple[int, int, int]) -> None:
    """Where more is better instead of less, best and worst change places and nothing else happens."""
    made = grid(maker, drawn)
    for one, other in zip(effects(made).values(), effects(made, higher=True).values(), strict=True):
        assert (other.best, other.worst, other.p) == (one.worst, one.best, one.p)
        assert (other.ratio or 0) * (one.ratio or 0) == pytest.approx(1)
        assert (other.ratio_low or 0) * (one.ratio_high or 0) == pytest.approx(1)


def test_points_in_another_order_of_parameters_are_the_same(maker: type[SweepMaker]) -> None:
    """A grid of every combination needs none of its parameters to come first."""
    levels = {"temperature": ("0.2", "0.8"), "num_ctx": ("512", "2048")}
    points = list(product(*levels.values()))
    assert len(points) == 4
    made = maker(levels=levels).make(Random(9))
    turned = [replace(each, levels=dict(reversed(each.levels.items()))) for each in made]
    one, other = effects(made), effects(turned)
    assert list(other) == ["num_ctx", "temperature"]
    assert {name: each.p for name, each in other.items()} == pytest.approx({name: each.p for name, each in one.items()})
