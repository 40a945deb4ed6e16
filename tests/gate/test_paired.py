"""Arms of one session held against each other: pairs, the gate's own numbers, and what cannot be judged."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.gate import wording
from pytest_chimera.gate.expressions import parse_expression, thresholds
from pytest_chimera.gate.paired import arm_of, compare_arms
from pytest_chimera.gate.saved import read_case
from pytest_chimera.plugin.extra_info import case_infos
from pytest_chimera.records import BaselinePoint, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import CaseResult
    from tests.gate.conftest import Maker

quickly = settings(max_examples=60, deadline=None)
FIRST, SECOND = [1, 4, 5, 8, 9, 12, 13, 16, 17, 20], [2, 3, 6, 7, 10, 11, 14, 15, 18, 19]
"""Numbers of the blocks of two arms whose passes mirror one another."""
STOPPED = {"generation": {"done_reason": "stop"}}


@pytest.fixture(scope="module")
def stats() -> Any:
    """scipy's tests."""
    return pytest.importorskip("scipy.stats", reason="scipy is the oracle of tests")


def arm(make: Maker, name: str, blocks: Sequence[Sequence[float]], *, numbers: Sequence[int], **fields: Any) -> Any:
    """An arm with the costs of the rounds of each of its blocks, which have these numbers."""
    case = {"id": f"test_it.py::test_sky[toy] {name}", "point": {"arm": name}, "sweep": "test_it.py::test_sky[toy]"}
    costs = [cost for block in blocks for cost in block]
    whole = make.result(rounds=costs, case=case | fields.pop("case", {}), **fields)
    of = [number for number, block in zip(numbers, blocks, strict=True) for _ in block]
    warmup, *rounds = whole.rounds
    placed = [
        replace(each, block=at, generation=replace(each.generation, sent_unix_ns=at * 10**9))
        for each, at in zip(rounds, of, strict=True)
    ]
    return replace(whole, rounds=(replace(warmup, block=numbers[0]), *placed))


def in_blocks(make: Maker, base: Sequence[float], other: Sequence[float], **fields: Any) -> tuple[Any, Any]:
    """Two arms a and b that need loads: a block each, of one cost and three rounds, in the order abbaabba."""

    def rounds(costs: Sequence[float]) -> list[list[float]]:
        return [[cost, 0.99 * cost, 1.01 * cost] for cost in costs]

    return (
        arm(make, "a", rounds(base), numbers=FIRST[: len(base)], **fields),
        arm(make, "b", rounds(other), numbers=SECOND[: len(other)], **fields),
    )


def compared(
    arms: tuple[CaseResult, CaseResult], *expressions: str, gated: bool = True, comparisons: int = 1
) -> tuple[Verdict, ...]:
    """The verdicts on the second arm."""
    return compare_arms(*arms, thresholds(map(parse_expression, expressions)), gated=gated, comparisons=comparisons)


BASE, SLOWER = (1.0, 1.1, 1.05, 1.2, 1.15, 1.3), (1.08, 1.2, 1.12, 1.31, 1.24, 1.4)
"""Costs of six blocks of each arm: both drift, and b is about 8 % slower."""


def test_a_slower_arm_is_worse(make: Maker, stats: Any) -> None:
    """The ratio is the mean of those of the pairs, interval and p are those of scipy's one-sample t on them."""
    logs = [math.log(other / base) for base, other in zip(BASE, SLOWER, strict=True)]
    told = stats.ttest_1samp(logs, 0.0)
    low, high = told.confidence_interval(0.95)
    mean = sum(logs) / 6
    error = (sum((each - mean) ** 2 for each in logs) / 5 / 6) ** 0.5
    margin = 3.364929998907217 * error  # t with 5 degrees of freedom, one-sided 1 %
    before = math.exp(sum(map(math.log, BASE)) / 6) * 0.1

    def near(value: float) -> Any:
        return pytest.approx(value, rel=1e-6)

    assert compared(in_blocks(make, BASE, SLOWER), "ttft:3%") == (
        Verdict(
            case="test_it.py::test_sky[toy] b", name="test_sky[toy]", model="toy:latest", metric="ttft",
            threshold=0.03, gated=True, outcome="worse", against="a", now=near(before * math.exp(mean)),
            before=near(before), ratio=near(math.exp(mean)), ratio_low=near(math.exp(low)),
            ratio_high=near(math.exp(high)), p_value=near(float(told.pvalue) / 2), margin=near(margin),
            error=near(error), smallest_change=near(0.03), rounds=18, comparisons=1,
            baseline=tuple(
                BaselinePoint(run=f"a block {number}", value=near(0.1 * cost), rounds=3)
                for number, cost in enumerate(BASE, 1)
            ),
        ),
    )  # fmt: skip


def test_the_other_way_round_is_better(make: Maker) -> None:
    """Base and other exchanged turn worse into better, and the ratio into its inverse; of a rate too."""
    base, other = in_blocks(make, BASE, SLOWER)
    for metric in ("ttft", "tok/s"):
        (worse,), (better,) = compared((base, other), f"{metric}:3%"), compared((other, base), f"{metric}:3%")
        assert (worse.outcome, better.outcome, better.against, better.case) == ("worse", "better", "b", base.case.id)
        assert (worse.ratio or 0) * (better.ratio or 0) == pytest.approx(1)
        assert (better.p_value, better.margin) == (pytest.approx(worse.p_value), pytest.approx(worse.margin))


def test_more_comparisons_widen_the_margin(make: Maker) -> None:
    """Judged beside nine others p is ten times as large, at most 1, and the interval is the same."""
    arms = in_blocks(make, BASE, SLOWER)
    (alone,), (among,) = compared(arms, "ttft:3%"), compared(arms, "ttft:3%", comparisons=10)
    assert among.p_value == pytest.approx(10 * (alone.p_value or 0))
    assert (among.margin or 0) > (alone.margin or 0)
    assert (among.ratio_low, among.ratio_high) == (pytest.approx(alone.ratio_low), pytest.approx(alone.ratio_high))
    assert (among.comparisons, among.noise) == (10, None)


def test_rounds_of_shared_blocks_are_paired_by_their_number(make: Maker) -> None:
    """Arms that need no load are compared round by round; a round that failed in one is left out of both."""
    failed = make.failed()
    base = arm(make, "a", [[1.0, 1.1, 1.2, 1.3, 1.4]], numbers=[1])
    other = arm(make, "b", [[1.1, 1.2, failed, 1.45, 1.5]], numbers=[1])
    (found,) = compared((base, other), "ttft:3%")
    assert [(point.run, point.value) for point in found.baseline] == [
        ("a round 1", pytest.approx(0.1)), ("a round 2", pytest.approx(0.11)), ("a round 4", pytest.approx(0.13)),
        ("a round 5", pytest.approx(0.14)),
    ]  # fmt: skip
    logs = [math.log(each) for each in (1.1, 1.2 / 1.1, 1.45 / 1.3, 1.5 / 1.4)]
    assert found.ratio == pytest.approx(math.exp(sum(logs) / 4), rel=1e-6)
    assert found.reason == "only 4 pairs: more of them would show smaller changes"


def test_rounds_without_blocks_are_paired_by_their_number(make: Maker) -> None:
    """Results that say nothing of blocks are paired as those of one."""
    base, other = (make.result(rounds=[cost, 1.1 * cost, 1.3 * cost], case={"name": cost}) for cost in (1.0, 1.02))
    (found,) = compared((base, other), "ttft:1%")
    assert [point.run for point in found.baseline] == ["1.0 round 1", "1.0 round 2", "1.0 round 3"]
    assert found.ratio == pytest.approx(1.02, rel=1e-6)


def test_a_block_in_which_all_failed_keeps_its_place(make: Maker) -> None:
    """Where the second block of b gave nothing, its third is still held against the third of a."""
    failed = make.failed()
    base = arm(make, "a", [[1.0], [2.0], [3.0], [4.0]], numbers=[1, 3, 5, 7])
    other = arm(make, "b", [[1.1], [failed], [3.3], [4.4]], numbers=[2, 4, 6, 8])
    (found,) = compared((base, other), "ttft:3%")
    assert [point.run for point in found.baseline] == ["a block 1", "a block 3", "a block 4"]
    assert found.ratio == pytest.approx(1.1, rel=1e-6)


def test_drift_touches_both_arms(make: Maker) -> None:
    """Ten blocks that become twice as slow hide no difference of 3 %."""
    drift = [1 + number / 10 for number in range(10)]
    noise = [1, 1.002, 0.999, 1.001, 1, 0.998, 1.002, 1, 0.999, 1.001]
    (found,) = compared(in_blocks(make, drift, [1.03 * a * b for a, b in zip(drift, noise, strict=True)]), "ttft:1%")
    assert found.outcome == "worse"
    assert found.ratio == pytest.approx(1.03, rel=1e-3)


@pytest.mark.parametrize(("numbers", "when"), [([2, 4, 6, 8, 10, 12], "after"), ([0, 2, 4, 6, 8, 10], "before")])
def test_an_arm_that_was_always_the_later_one(make: Maker, numbers: list[int], when: str) -> None:
    """Where one arm was measured after the other in every pair, it is said that drift may be the difference."""
    base = arm(make, "a", [[each] for each in BASE], numbers=[1, 3, 5, 7, 9, 11])
    other = arm(make, "b", [[each] for each in SLOWER], numbers=numbers)
    (found,) = compared((base, other), "ttft:3%")
    assert found.reason == f"it was always measured {when} arm a, so that drift would pass for a difference"


def test_arms_that_did_not_take_turns_evenly_are_freed_of_drift(make: Maker, stats: Any) -> None:
    """Among three arms one may be the later one more often: the difference is scipy's regression on the gaps at 0."""
    first, second = [1, 4, 8, 11, 13, 16], [3, 6, 7, 12, 15, 18]
    drift = {number: math.exp(0.03 * number) for number in range(19)}
    noise = [1.001, 0.998, 1.002, 1.0, 0.999, 1.001]
    base = arm(make, "a", [[drift[number]] for number in first], numbers=first)
    costs = [1.05 * drift[number] * each for number, each in zip(second, noise, strict=True)]
    other = arm(make, "b", [[each] for each in costs], numbers=second)
    gaps = [b - a for a, b in zip(first, second, strict=True)]
    logs = [math.log(cost / drift[number]) for cost, number in zip(costs, first, strict=True)]
    line = stats.linregress(gaps, logs)
    reach = float(stats.t.isf(0.025, 4)) * line.intercept_stderr
    (found,) = compared((base, other), "ttft:3%")
    assert found.ratio == pytest.approx(math.exp(line.intercept), rel=1e-6)
    assert found.ratio_low == pytest.approx(math.exp(line.intercept - reach), rel=1e-6)
    assert found.ratio_high == pytest.approx(math.exp(line.intercept + reach), rel=1e-6)
    assert found.p_value == pytest.approx(float(stats.t.sf(line.intercept / line.intercept_stderr, 4)), rel=1e-4)
    assert found.ratio == pytest.approx(1.05, rel=0.003)
    assert found.reason == "it and arm a did not take turns evenly: a steady drift is taken out"
    (few,) = compared(
        (arm(make, "a", [[1.0]] * 4, numbers=first[:4]), arm(make, "b", [[1.1]] * 4, numbers=[3, 6, 9, 12])), "ttft:3%"
    )
    assert few.reason == (
        "only 4 pairs: more of them would show smaller changes; it was always measured after arm a, so that drift "
        "would pass for a difference"
    )


def test_fewer_than_three_pairs_are_too_few(make: Maker) -> None:
    """Two pairs have no scatter to speak of, and a metric that nobody has has no pair at all."""
    (found,) = compared(in_blocks(make, BASE[:2], SLOWER[:2]), "ttft:3%", gated=False)
    assert found == Verdict(
        case="test_it.py::test_sky[toy] b", name="test_sky[toy]", model="toy:latest", metric="ttft", threshold=0.03,
        gated=False, outcome="not enough samples", against="a",
        reason="pairs of rounds or blocks with a value for it: 2, and 3 are needed",
    )  # fmt: skip
    (absent,) = compared(in_blocks(make, BASE, SLOWER), "groundedness:3%")
    assert (absent.outcome, absent.reason) == (
        "not enough samples", "pairs of rounds or blocks with a value for it: 0, and 3 are needed",
    )  # fmt: skip


def test_a_statistic_that_a_pair_cannot_show(make: Maker) -> None:
    """A p95 needs twenty rounds in each block."""
    (found,) = compared(in_blocks(make, BASE, SLOWER), "ttft.p95:3%")
    assert (found.outcome, found.reason) == (
        "not enough samples", "of block 1: p95 needs 20 rounds and 3 counted",
    )  # fmt: skip


def test_statistics_other_than_the_median(make: Maker) -> None:
    """The largest of each block is compared where that was asked for."""
    (found,) = compared(in_blocks(make, BASE, SLOWER), "ttft.max:3%")
    assert (found.statistic, found.outcome) == ("max", "worse")
    assert found.baseline[0].value == pytest.approx(0.101)


def test_gaps_of_a_block_are_taken_together(make: Maker) -> None:
    """Of a metric with many values in a round the statistic is over all of the block."""
    (found,) = compared(in_blocks(make, BASE, SLOWER), "itl.p90:3%")
    assert (found.outcome, found.baseline[0].rounds) == ("worse", 3)


def answers(make: Maker, name: str, good: int, bad: int, number: int) -> Any:
    """An arm of so many answers as expected, and so many that were not."""
    rounds = [make.generation(unmet=())] * good + [make.generation(unmet=("no",))] * bad
    return arm(make, name, [rounds], numbers=[number])


def test_a_share_is_compared_over_all_rounds(make: Maker, stats: Any) -> None:
    """Of 40 answers each 38 and 20 are as expected: the ratio of the shares against what chance does to one share."""
    base, other = answers(make, "a", 38, 2, 1), answers(make, "b", 20, 20, 2)
    (found,) = compared((base, other), "accuracy:10%")
    share = 58.5 / 81
    error = math.sqrt((1 - share) / share * 2 / 40)
    assert (found.outcome, found.statistic, found.rounds) == ("worse", "mean", 40)
    assert (found.before, found.now, found.ratio) == (
        pytest.approx(0.95), pytest.approx(0.5), pytest.approx(0.5 / 0.95),
    )  # fmt: skip
    assert found.baseline == (BaselinePoint(run="a", value=0.95, rounds=40),)
    assert wording.headline(found) == (
        "accuracy is 47.4 % lower than arm a: 50.0 % here (mean of 40 rounds), 95.0 % in a (40 rounds)"
    )
    assert found.error == pytest.approx(error)
    assert found.p_value == pytest.approx(float(stats.norm.sf(math.log(0.95 / 0.5) / error)))


def test_a_few_answers_less_are_chance(make: Maker) -> None:
    """Nine good answers of nine beside six are not told apart, and none at all is no share to compare."""
    perfect = answers(make, "a", 9, 0, 1)
    assert compared((perfect, answers(make, "b", 6, 3, 2)), "accuracy:1%")[0].outcome == "same"
    assert compared((perfect, answers(make, "b", 9, 0, 2)), "accuracy:1%")[0].ratio == 1
    (none,) = compared((perfect, answers(make, "b", 0, 9, 2)), "accuracy:1%")
    assert (none.outcome, none.reason) == ("not comparable", "its mean is 0 %, of which there is no ratio")
    (few,) = compared((perfect, answers(make, "b", 1, 1, 2)), "accuracy:1%")
    assert (few.outcome, few.reason) == ("not enough samples", "rounds with a value for it: 2, and 3 are needed")


def test_an_impossible_value_cannot_be_compared(make: Maker) -> None:
    """Where no stall was seen there is no ratio of stalls, and the block is named."""
    (found,) = compared(in_blocks(make, BASE, SLOWER), "stalls:3%")
    assert (found.outcome, found.reason) == (
        "not comparable", "of block 1: its median is 0, of which there is no ratio",
    )  # fmt: skip


def test_answers_of_other_lengths_are_judged_per_token(make: Maker) -> None:
    """Where answers ended by themselves a duration of the whole is not comparable, and time per token stands for it."""
    arms = in_blocks(make, BASE, SLOWER, **STOPPED)
    found = compared(arms, "ttft:3%", "e2e:4%")
    assert [(each.metric, each.threshold, each.outcome, each.reason) for each in found] == [
        ("ttft", 0.03, "worse", None),
        ("time/token", 0.04, "worse", None),
        ("e2e", 0.04, "not comparable", "answers differ in length"),
    ]
    fixed = compared(in_blocks(make, BASE, SLOWER), "e2e:4%")
    assert [(each.metric, each.outcome) for each in fixed] == [("e2e", "worse")]


def test_an_arm_whose_answers_are_longer(make: Maker) -> None:
    """Lengths that are fixed, but not the same in both arms, are different lengths."""
    base, _ = in_blocks(make, BASE, SLOWER)
    _, other = in_blocks(make, BASE, SLOWER, generation={"eval_count": 20})
    found = compared((base, other), "eval:4%", "tok/s:3%")
    assert [(each.metric, each.outcome) for each in found] == [("tok/s", "better"), ("eval", "not comparable")]


def test_nothing_counted(make: Maker) -> None:
    """An arm in which every round failed has no pair."""
    failed = make.failed()
    base, _ = in_blocks(make, BASE, SLOWER)
    other = arm(make, "b", [[failed]] * 6, numbers=range(2, 13, 2))
    assert {each.outcome for each in compared((base, other), "ttft:3%", "e2e:3%")} == {"not enough samples"}


def test_equal_differences_are_held_to_the_clock(make: Maker) -> None:
    """Pairs whose differences agree to the last digit are judged by the resolution of the clock, and not by nothing."""
    (found,) = compared(in_blocks(make, (1.0,) * 4, (1.0,) * 4), "ttft:3%")
    assert (found.outcome, found.p_value, found.ratio) == ("same", pytest.approx(0.5), pytest.approx(1))
    assert 0 < (found.error or 0) < 1e-8


def test_an_arm_that_is_worse_keeps_no_run_out_of_a_history(make: Maker) -> None:
    """That an arm is slower than another does not say that it became slower: its case is a baseline like any other."""
    base, other = in_blocks(make, BASE, SLOWER)
    judged = replace(other, verdicts=compared((base, other), "ttft:3%"))
    assert judged.verdicts[0].fails(strict=False)
    assert not read_case(case_infos(judged), make.machine).gate_failed
    earlier = replace(judged, verdicts=(replace(judged.verdicts[0], against=None),))
    assert read_case(case_infos(earlier), make.machine).gate_failed


def test_the_name_of_an_arm(make: Maker) -> None:
    """An arm is called by its name, and a case that is none by its own."""
    assert arm_of(in_blocks(make, BASE, SLOWER)[1]) == "b"
    assert arm_of(make.result()) == "test_sky[toy]"


def test_what_is_said_of_arms(make: Maker) -> None:
    """The headline names the other arm in place of the past."""
    (found,) = compared(in_blocks(make, BASE, SLOWER), "ttft:3%")
    assert wording.headline(found) == (
        "ttft is 8.1 % higher than arm a: 122 ms here (median of 18 rounds), 113 ms in a (6 pairs)"
    )
    assert wording.than(found) == "arm a"
    assert wording.remarks(found) == ()
    (few,) = compared(in_blocks(make, BASE[:3], SLOWER[:3]), "ttft:3%")
    assert wording.remarks(few) == ("only 3 pairs: more of them would show smaller changes",)
    (none,) = compared(in_blocks(make, BASE[:1], SLOWER[:1]), "ttft:3%")
    assert wording.headline(none) == (
        "ttft cannot be judged against arm a: not enough samples: pairs of rounds or blocks with a value for it: 1, "
        "and 3 are needed"
    )


@given(st.lists(st.tuples(st.floats(0.5, 2), st.floats(0.5, 2)), min_size=3, max_size=6), st.randoms())
@quickly
def test_order_of_pairs_does_not_matter(make: Maker, costs: list[tuple[float, float]], chance: Random) -> None:
    """Pairs in any order give the same verdict but for the names of the pairs."""
    shuffled = chance.sample(costs, len(costs))
    one, other = (
        compared(in_blocks(make, [a for a, _ in each], [b for _, b in each]), "ttft:3%", "tok/s:3%")
        for each in (costs, shuffled)
    )
    for first, second in zip(one, other, strict=True):
        assert first.outcome == second.outcome
        assert second.ratio == pytest.approx(first.ratio)
        assert second.p_value == pytest.approx(first.p_value, rel=1e-5)


@pytest.mark.parametrize("drift", [0.0, 0.02])
def test_unchanged_arms_are_seldom_worse(make: Maker, drift: float) -> None:
    """Arms that are alike are called worse in about 1 % of sessions, however much both drift."""
    chance, worse = Random(11), 0
    for _ in range(200):
        worse += simulated(make, chance, 1.0, drift)
    assert worse <= 6  # 1 %, with three standard errors


def test_of_three_arms_none_is_worse_for_its_turns(make: Maker) -> None:
    """Arms that are alike, in shuffled passes with more drift than noise, are called worse in about 1 % of sessions."""
    chance, worse = Random(13), 0
    for _ in range(200):
        turns = [chance.sample("abc", 3) for _ in range(6)]
        order = [name for turn in turns for name in turn]
        costs = {
            name: {at: math.exp(chance.gauss(0, 0.003) + 0.01 * at) for at, each in enumerate(order, 1) if each == name}
            for name in "ab"
        }
        base, other = (arm(make, name, [[each] for each in of.values()], numbers=[*of]) for name, of in costs.items())
        worse += compared((base, other), "ttft:1%")[0].outcome == "worse"
    assert worse <= 6  # 1 %, with three standard errors


def test_a_slow_arm_is_found(make: Maker) -> None:
    """An arm that is 7 % slower is found by ten pairs of loads that differ by 2 %, mostly."""
    chance = Random(12)
    assert sum(simulated(make, chance, 1.07, 0.02) for _ in range(50)) >= 40


def simulated(make: Maker, chance: Random, ratio: float, drift: float) -> bool:
    """Whether the second arm of a session is called worse, with ten blocks each that differ by 2 %."""
    costs = [math.exp(chance.gauss(0, 0.02) + drift * number) for number in range(20)]
    made = arm(make, "a", [[costs[number - 1]] for number in FIRST], numbers=FIRST)
    slower = arm(make, "b", [[ratio * costs[number - 1]] for number in SECOND], numbers=SECOND)
    return compared((made, slower), "ttft:1%")[0].outcome == "worse"
