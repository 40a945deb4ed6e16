"""Whether a whole suite moved together: what is called, what is not, and the line that says so."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean, median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.distributions import t_upper_quantile
from pytest_chimera.gate.shift import Shift, shift_line, suite_shift
from pytest_chimera.records import CommonNoise, Verdict

quickly = settings(max_examples=60, deadline=None)

CASES = {
    "sky": (1.00, 1.01, 0.99, 1.02, 1.00),
    "sea": (0.50, 0.504, 0.498, 0.509, 0.503),
    "sun": (2.00, 2.03, 1.97, 2.02, 2.01),
    "fog": (0.10, 0.1005, 0.0996, 0.101, 0.1002),
}
"""Costs of example B of the notes."""
NOISE = CommonNoise(comparisons=4, df=4, common=4.0, single=1.0)


def judged(make: Any, factors: dict[str, float], *expressions: str) -> list[Verdict]:
    """The verdicts on these cases, each slower than its five runs by a factor."""
    runs = [make.run(f"{i}", *(make.result(costs[i], name) for name, costs in CASES.items())) for i in range(5)]
    gate = make.gate(runs, *(expressions or ("ttft:5%",)))
    cases = (make.case(make.result(factor * math.exp(fmean(map(math.log, CASES[name]))), name)) for name, factor in factors.items())  # fmt: skip  # noqa: E501  # one line of sums
    return [each for case in cases for each in gate.judge(case)]


def verdict(case: str, cost: float, *, metric: str = "ttft", error: float = 0.01, **fields: Any) -> Verdict:
    """A verdict whose cost changed by this difference of logarithms."""
    known: dict[str, Any] = {
        "case": case, "name": case, "model": "toy", "metric": metric, "threshold": 0.05, "outcome": "same",
        "ratio": math.exp(-cost if metric == "tok/s" else cost), "error": error, "noise": NOISE,
    }  # fmt: skip
    return Verdict(**(known | fields))


def test_a_suite_that_moved_together_is_called(make: Any) -> None:
    """Four cases that became about 10 % slower moved together; the one that moved most beyond it is named."""
    shift = suite_shift(judged(make, {"sky": 1.10, "sea": 1.10, "sun": 1.10, "fog": 1.13}))
    assert shift is not None
    assert (shift.cases, shift.farthest) == (4, "fog ttft")
    assert (shift.cost, shift.rest) == (pytest.approx(0.10, rel=1e-4), pytest.approx(1.13 / 1.10 - 1, rel=1e-3))
    assert shift_line(shift) == (
        "All 4 cases became 10.0 % slower together: host or engine, not one of them; "
        "relative to that fog ttft moved most, +2.7 %"
    )


def test_a_suite_that_became_faster_is_called(make: Any) -> None:
    """A gain of all is one too, of rates as of times."""
    shift = suite_shift(judged(make, dict.fromkeys(CASES, 0.9), "ttft:5%", "tok/s:5%"))
    assert shift is not None
    assert (shift.cases, shift.cost) == (4, pytest.approx(-0.1, rel=1e-4))
    assert shift_line(shift).startswith("All 4 cases became 10.0 % faster together: host or engine, not one of them; ")


def test_one_slow_case_is_no_shift(make: Any) -> None:
    """A single case that is slower says nothing of the suite, and neither does an unchanged suite."""
    assert suite_shift(judged(make, {"sky": 1.05, "sea": 1.0, "sun": 1.0, "fog": 1.0})) is None
    assert suite_shift(judged(make, dict.fromkeys(CASES, 1.0))) is None
    assert suite_shift(judged(make, {"sky": 1.05, "sea": 0.95, "sun": 1.05, "fog": 0.95})) is None


def bound(noise: CommonNoise, judged: int) -> float:
    """What the mean score of so many comparisons of an unchanged suite stays below in 99 of 100 runs."""
    single = noise.single / judged
    return t_upper_quantile(0.01, noise.df) * math.sqrt((noise.common - noise.single) / noise.comparisons + single)


def test_a_shift_is_called_by_the_noise_of_whole_runs(make: Any) -> None:
    """The mean of all moves in units of their errors is held against what runs have in common, with its t quantile."""
    verdicts = judged(make, dict.fromkeys(CASES, 1.02))
    noise = verdicts[0].noise
    assert noise is not None
    assert bound(noise, 4) == pytest.approx(t_upper_quantile(0.01, 4) * math.sqrt(noise.common / 4), rel=1e-12)
    factor = bound(noise, 4) / fmean(math.log(each.ratio or 1) / (each.error or 1) for each in verdicts)
    for share, called in ((0.999, False), (1.001, True)):
        moved = math.exp(math.log(1.02) * factor * share)
        assert (suite_shift(judged(make, dict.fromkeys(CASES, moved))) is not None) is called


@pytest.mark.parametrize("cases", [2, 3, 4])
def test_cases_that_did_not_run_leave_more_noise(cases: int) -> None:
    """Of fewer verdicts than the history has comparisons, what each has of its own averages out less."""
    for share, called in ((0.999, False), (1.001, True)):
        verdicts = [verdict(f"c{i}", bound(NOISE, cases) * share * 0.01) for i in range(cases)]
        assert (suite_shift(verdicts) is not None) is called


@pytest.mark.parametrize(("far", "called"), [(0.49, True), (0.51, False), (50.0, False)])
def test_one_case_that_moved_far_does_not_pass_for_all(far: float, called: bool) -> None:
    """At least half of the mean move is left without the case that moved most, all its metrics, or it was that case."""
    others = [verdict(f"c{i}", 0.1) for i in range(3)]
    shift = suite_shift([verdict("a", far, metric=metric) for metric in ("ttft", "e2e")] + others * 2)
    assert (shift is not None) is called


@pytest.mark.parametrize(("along", "called"), [(18, True), (17, False)])
def test_nearly_all_must_move_the_same_way(along: int, called: bool) -> None:
    """Nine of ten moved the same way, or it was not the host that slowed them."""
    moves = [1.0] * along + [-0.001] * (20 - along)
    shift = suite_shift([verdict(f"c{i}", move) for i, move in enumerate(moves)])
    assert (shift is not None) is called


@pytest.mark.parametrize(
    "verdicts",
    [
        [],
        [verdict("a", 1.0)],
        [verdict("a", 1.0, metric="ttft"), verdict("a", 1.0, metric="e2e")],
        [verdict("a", 1.0, noise=None), verdict("b", 1.0, noise=None)],
        [verdict("a", 1.0), verdict("b", 1.0, ratio=None)],
        [verdict("a", 1.0), verdict("b", 1.0, error=None)],
        [verdict("a", 1.0), verdict("b", 1.0, error=0.0)],
        [replace(verdict(name, 1.0), noise=replace(NOISE, common=0.0, single=0.0)) for name in "ab"],
    ],
)
def test_where_nothing_can_be_told_nothing_is(verdicts: list[Verdict]) -> None:
    """One case, whatever its metrics, or verdicts without numbers or known noise, have no shift."""
    assert suite_shift(verdicts) is None


def test_what_could_not_be_judged_is_no_part_of_it() -> None:
    """Verdicts without a ratio are left out, and only the others' cases are counted."""
    unknown = Verdict(case="z", name="z", model="toy", metric="ttft", threshold=0.05, outcome="no baseline")
    moved = [verdict("a", 0.5), verdict("b", 0.5), verdict("b", 0.5, metric="tok/s")]
    assert suite_shift([unknown, *moved]) == suite_shift(moved)
    shift = suite_shift(moved)
    assert shift is not None
    assert shift.cases == 2


def test_the_farthest_is_named_with_its_statistic() -> None:
    """Of two statistics of one metric the one that moved most is told from the other."""
    verdicts = [verdict("a", 0.5), verdict("b", 0.5), verdict("b", 0.9, statistic="p95")]
    shift = suite_shift(verdicts)
    assert shift is not None
    assert shift.farthest == "b ttft.p95"


def test_the_line_has_signs() -> None:
    """A move in the other direction than all others has its sign."""
    assert shift_line(Shift(cases=2, cost=-0.052, farthest="a tok/s", rest=-0.003)) == (
        "All 2 cases became 5.2 % faster together: host or engine, not one of them; "
        "relative to that a tok/s moved most, -0.3 %"
    )


@given(st.lists(st.floats(min_value=-1, max_value=1), min_size=2, max_size=12))
@quickly
def test_a_shift_is_the_median_move(moves: list[float]) -> None:
    """Where a shift is called it is the median change of cost, in the direction of the mean, and mirrors."""
    shift = suite_shift([verdict(f"c{i}", move) for i, move in enumerate(moves)])
    mirrored = suite_shift([verdict(f"c{i}", -move) for i, move in enumerate(moves)])
    assert (shift is None) is (mirrored is None)
    if shift is not None and mirrored is not None:
        assert shift.cost == pytest.approx(math.expm1(median(moves)), rel=1e-9, abs=1e-12)
        assert math.log1p(mirrored.cost) == pytest.approx(-math.log1p(shift.cost), rel=1e-9, abs=1e-12)
        farthest = max(abs(move - median(moves)) for move in moves)
        assert abs(math.log1p(shift.rest)) == pytest.approx(farthest, rel=1e-6, abs=1e-9)
