"""The gate: cases of a run against saved runs, every verdict with its reason, and whatever else is being run."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import LimitError
from pytest_chimera.gate.decide import NOT_AGAIN
from pytest_chimera.gate.expressions import DEFAULT_THRESHOLDS
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import read_document
from pytest_chimera.gate.wording import subject
from pytest_chimera.metrics import METRICS
from pytest_chimera.records import BaselinePoint, SecondLook, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.gate.saved import SavedRun

ID = "test_it.py::test_sky[toy]"
FIVE = (1.00, 1.01, 0.99, 1.02, 1.00)
"""Costs of example A of the notes."""
CASES = {
    "sky": FIVE,
    "sea": (0.50, 0.504, 0.498, 0.509, 0.503),
    "sun": (2.00, 2.03, 1.97, 2.02, 2.01),
    "fog": (0.10, 0.1005, 0.0996, 0.101, 0.1002),
}
"""Costs of example B of the notes."""
LENGTHS = "answers differ in length"
NOT_HERE = ("server_ttft", "transport", "groundedness", "accuracy")
"""No clock of the server is known in these runs, and nobody checked the answers."""
STOPPED = {"generation": {"done_reason": "stop"}}
HOT = {"case": {"options": {"num_ctx": 512, "num_predict": 10, "temperature": 0.8}}}


def close(value: float, rel: float = 1e-8) -> Any:
    """A number that ours must agree with."""
    return pytest.approx(value, rel=rel)


def bare(metric: str = "ttft", **fields: Any) -> Verdict:
    """A verdict on the one case, without numbers."""
    known: dict[str, Any] = {
        "case": ID, "name": "test_sky[toy]", "model": "toy:latest", "metric": metric, "threshold": 0.05,
        "outcome": "same",
    }  # fmt: skip
    return Verdict(**(known | fields))


def points(costs: Sequence[float], unit: float = 0.1, rounds: int = 3) -> tuple[Any, ...]:
    """The baseline of a verdict: runs of these costs."""
    return tuple(
        BaselinePoint(run=f"{i:04d}", value=close(unit * cost), rounds=rounds) for i, cost in enumerate(costs, 1)
    )


def outcomes(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str | None]]:
    """What was found of each metric."""
    return [(subject(each), each.outcome, each.reason) for each in verdicts]


def suite(make: Any, count: int = 5) -> list[SavedRun]:
    """Runs of four cases, called 0001 and so on."""
    return [
        make.run(f"{i + 1:04d}", *(make.result(costs[i], name) for name, costs in CASES.items())) for i in range(count)
    ]


# With numbers -----------------------------------------------------------------------------------------------------


def test_a_slower_case_is_worse_by_the_written_example(make: Any) -> None:
    """A TTFT of 107 ms after five runs about 100 is worse, with every number of example A of the notes."""
    gate = make.gate(make.runs(*FIVE), "ttft:3%")
    assert gate.judge(make.case(make.result(1.07))) == (
        bare(
            threshold=0.03,
            outcome="worse",
            now=0.107,
            before=close(math.exp(4.60911071) / 1000),
            ratio=close(1.065791935),
            ratio_low=close(1.029654615),
            ratio_high=close(1.103197551),
            p_value=close(0.003422552034, 1e-6),
            margin=close(0.04655227631),
            error=close(0.01134155763 * math.sqrt(1.2)),
            smallest_change=close(0.04765284506),
            rounds=3,
            baseline=points(FIVE),
            comparisons=1,
        ),
    )


def test_a_faster_case_is_better(make: Any) -> None:
    """The same difference in the other direction is better, and fails nothing."""
    (verdict,) = make.gate(make.runs(*FIVE), "ttft:3%").judge(make.case(make.result(0.94)))
    assert (verdict.outcome, verdict.now) == ("better", 0.094)
    assert verdict.ratio == close(0.94 / math.exp(4.60911071 - math.log(100)))
    assert not verdict.fails(strict=True)


def test_a_rate_is_worse_when_it_is_less(make: Any) -> None:
    """Tokens a second are judged by their inverse, and shown as they are."""
    (verdict,) = make.gate(make.runs(*FIVE), "tok/s:3%").judge(make.case(make.result(1.07)))
    assert verdict == bare(
        "tok/s",
        threshold=0.03,
        outcome="worse",
        now=close(50 / 1.07),
        before=close(50 / math.exp(4.60911071 - math.log(100))),
        ratio=close(1 / 1.065791935),
        ratio_low=close(1 / 1.103197551),
        ratio_high=close(1 / 1.029654615),
        p_value=close(0.003422552034, 1e-6),
        margin=close(0.04655227631),
        error=close(0.01134155763 * math.sqrt(1.2)),
        smallest_change=close(-math.expm1(-0.04655227631)),
        rounds=3,
        baseline=tuple(
            BaselinePoint(run=f"{i:04d}", value=close(50 / cost), rounds=3) for i, cost in enumerate(FIVE, 1)
        ),
        comparisons=1,
    )
    (faster,) = make.gate(make.runs(*FIVE), "tok/s:3%").judge(make.case(make.result(0.94)))
    assert faster.outcome == "better"


@pytest.mark.parametrize(
    ("cost", "threshold", "outcome"),
    [
        (1.07, "5%", "worse"),
        (1.07, "6.6%", "same"),  # beyond the margin of 4.77 %, within the threshold
        (1.05, "3%", "same"),  # beyond the threshold, within the margin: 4.58 % above the mean
        (1.0, "0%", "same"),
        (0.95, "3%", "better"),
        (0.95, "6%", "same"),
        (0.96, "3%", "same"),
    ],
)
def test_worse_and_better_need_threshold_and_margin(make: Any, cost: float, threshold: str, outcome: str) -> None:
    """A change counts when it is beyond what was allowed and beyond what noise explains."""
    (verdict,) = make.gate(make.runs(*FIVE), f"ttft:{threshold}").judge(make.case(make.result(cost)))
    assert verdict.outcome == outcome


@pytest.mark.parametrize("metric", [name for name, each in METRICS.items() if each.better is not None])
def test_every_metric_can_be_judged(make: Any, metric: str) -> None:
    """Whichever metric is gated gets a verdict: worse where it is 20 % slower, and a reason where it has no number."""
    (verdict,) = make.gate(make.runs(*FIVE), f"{metric}:5%").judge(make.case(make.result(1.2)))
    if metric in NOT_HERE:
        assert outcomes([verdict]) == [
            (metric, "not enough samples", "of 0005: no counted round has a value for it"),
        ]
    elif metric == "stalls":
        reason = "of 0001: its median is 0, of which there is no ratio"
        assert outcomes([verdict]) == [(metric, "not comparable", reason)]
    else:
        assert outcomes([verdict]) == [(metric, "worse", None)]
        assert verdict.ratio == close((1.2 / math.exp(4.60911071 - math.log(100))) ** (-1 if "/s" in metric or metric == "prefill" else 1), 1e-5)  # fmt: skip  # noqa: E501  # one formula


@pytest.mark.parametrize(("now", "outcome"), [(0.9, "same"), (0.45, "worse"), (0.0, "not comparable")])
def test_groundedness_is_judged_where_it_was_graded(make: Any, now: float, outcome: str) -> None:
    """A share that fell is worse by the same rule as a rate; of a share of 0 there is no ratio, and that is said."""
    runs = make.runs(*FIVE, generation={"groundedness": 0.9})
    (verdict,) = make.gate(runs, "groundedness:5%").judge(make.case(make.result(generation={"groundedness": now})))
    assert verdict.outcome == outcome


def test_verdicts_stand_in_the_order_of_the_gate(make: Any) -> None:
    """Each expression gets its verdict, in the order in which it was said, by the statistic that it names."""
    texts = ("e2e.max:5%", "tok/s:5%", "ttft.mean:5%", "itl.p95:5%")
    verdicts = make.gate(make.runs(*FIVE), *texts).judge(make.case(make.result(1.2)))
    assert [(f"{each.metric}.{each.statistic}", each.outcome) for each in verdicts] == [
        ("e2e.max", "worse"),
        ("tok/s.median", "worse"),
        ("ttft.mean", "worse"),
        ("itl.p95", "worse"),
    ]
    assert verdicts[0].now == close(0.3 * 1.2 * 1.01)


def test_several_comparisons_are_judged_together(make: Any) -> None:
    """Four cases are judged by the margins of example B of the notes, each by what all of them show of noise."""
    gate = make.gate(suite(make), "ttft:3%")
    verdicts = [gate.judge(make.case(make.result(costs[0], name)))[0] for name, costs in CASES.items()]
    assert [each.margin for each in verdicts] == pytest.approx(
        [0.04332872637, 0.0399961525, 0.04354825645, 0.03742420571], rel=1e-7
    )
    assert {each.comparisons for each in verdicts} == {4}
    (slow,) = gate.judge(make.case(make.result(1.07, "sky")))
    assert (slow.outcome, slow.p_value) == ("worse", close(0.0022714936, 1e-6))
    assert (slow.ratio_low, slow.ratio_high) == (close(1.034865494), close(1.097642598))
    assert slow.noise is not None
    assert (slow.noise.comparisons, slow.noise.df) == (4, 4)
    assert (slow.noise.common, slow.noise.single) == (close(3.325179625, 1e-7), close(0.1620542618, 1e-6))


def test_a_new_case_is_in_no_margin(make: Any) -> None:
    """A case that no saved run has is told so, and changes the verdicts of no other."""
    gate = make.gate(suite(make), "ttft:3%")
    assert outcomes(gate.judge(make.case(make.result(name="new")))) == [
        ("ttft", "no baseline", "no earlier run has this case")
    ]
    assert gate.judge(make.case(make.result(1.07, "sky"))) == make.gate(suite(make), "ttft:3%").judge(
        make.case(make.result(1.07, "sky"))
    )


def test_fewer_rounds_now_widen_the_margin(make: Any) -> None:
    """A run of fewer rounds than before is less sure: its margin is wider, and so is its interval."""
    many = (1.0, 0.98, 1.02, 0.99, 1.01, 0.97, 1.03, 0.985, 1.015)
    gate = make.gate(make.runs(*FIVE, rounds=many), "ttft:3%")
    few, as_many = (gate.judge(make.case(make.result(1.06, rounds=each)))[0] for each in (many[:3], many))
    assert few.margin > as_many.margin == close(0.04655227631)
    assert few.ratio_high > as_many.ratio_high
    assert few.smallest_change > as_many.smallest_change
    assert (few.rounds, as_many.rounds) == (3, 9)


# Whatever else is run ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expressions", [("ttft:3%",), ("ttft:3%", "tok/s:3%", "e2e:3%", "itl.p95:5%")])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_case_is_judged_the_same_alone_and_among_others(make: Any, expressions: tuple[str, ...], count: int) -> None:
    """Verdicts of a case are the same alone, with all others in any order, some of them much slower, or twice."""
    history = suite(make, count)
    cases = {name: make.case(make.result(1.07 * costs[0], name)) for name, costs in CASES.items()}
    alone = {name: make.gate(history, *expressions).judge(case) for name, case in cases.items()}
    assert {each.outcome for verdicts in alone.values() for each in verdicts} >= {"worse" if count == 5 else "same"}
    for order in list(itertools.permutations(cases))[::5]:
        gate = make.gate(history, *expressions)
        gate.judge(make.case(make.result(9.0, "new")))
        for name in (*order, *order):
            assert gate.judge(cases[name]) == alone[name]


def test_cases_with_gates_of_their_own_do_not_change_others(make: Any) -> None:
    """What one case is gated by now, or a changed one that is measured first, leaves the verdicts of others alone."""
    history = suite(make)
    sky = make.case(make.result(1.07, "sky"))
    alone = make.gate(history, "ttft:3%").judge(sky)
    others = [
        make.case(make.result(0.5, "sea", case={"gate": ("prefill:5%", "ttft.max:5%")})),
        make.case(make.result(2.0, "sun", **STOPPED)),
        make.case(make.result(0.1, "fog", host={"version": "0.99.0"})),
        make.case(make.result(0.1, "fog", case={"gate": ()})),
    ]
    for order in list(itertools.permutations(others))[::5]:
        gate = make.gate(history, "ttft:3%")
        for each in order:
            gate.judge(each)
        assert gate.judge(sky) == alone


def test_the_margin_is_fixed_by_the_history(make: Any) -> None:
    """Whatever a run measures, its margin is the same: only what was saved before is in it."""
    gate = make.gate(suite(make), "ttft:3%", "tok/s:3%")
    found = {
        tuple((each.margin, each.error, each.smallest_change, each.baseline) for each in gate.judge(make.case(made)))
        for made in (make.result(cost, "sky") for cost in (0.5, 0.99, 1.0, 1.07, 40.0))
    }
    assert len(found) == 1


def test_runs_of_another_server_are_in_no_margin(make: Any) -> None:
    """The margins of a server are those of its own runs, though runs of another one lie between them."""
    old = suite(make)
    newer = {"host": {"version": "0.99"}}
    other = [
        make.run(f"x{i}", *(make.result(3 * i * costs[0], name, **newer) for name, costs in CASES.items()))
        for i in range(1, 4)
    ]
    mixed = [run for pair in itertools.zip_longest(old, other) for run in pair if run is not None]
    sky = make.case(make.result(1.07, "sky"))
    (alone,), (among,) = make.gate(old, "ttft:3%").judge(sky), make.gate(mixed, "ttft:3%").judge(sky)
    assert among == replace(alone, left_out=among.left_out)
    assert among.left_out == tuple(f"x{i}: Ollama version 0.99 instead of 0.32.15" for i in range(1, 4))


def test_a_case_on_two_servers_is_judged_by_the_noise_of_each(make: Any) -> None:
    """A case that is measured on two servers in one run gets on each the verdict that it would get alone."""
    quiet, loud, unknown = ({"host": {"version": version}} for version in ("0.32", "0.33", None))
    history = [
        make.run(f"{name}{i}", make.result(1 + scale * (cost - 1), "sky", **host), make.result(cost, "sea", **unknown))
        for name, host, scale in (("a", quiet, 1), ("b", loud, 9))
        for i, cost in enumerate(FIVE)
    ]
    own = {"case": {"gate": ("prefill:3%",)}}
    cases = [make.case(make.result(1.07, "sea", **own, **host)) for host in (quiet, loud)]
    alone = [make.gate(history, "ttft:3%").judge(case) for case in cases]
    gate = make.gate(history, "ttft:3%")
    assert [gate.judge(case) for case in cases] == alone


# Few runs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowance", [0.02, 0.05])
def test_one_run_is_judged_by_an_allowance(make: Any, allowance: float) -> None:
    """With one earlier run the spread between runs is assumed, and the verdict says how large."""
    gate = make.gate(make.runs(1.0, rounds=(1.0,) * 3), "ttft:5%", allowance=allowance)
    (verdict,) = gate.judge(make.case(make.result(1.5, rounds=(1.0,) * 3)))
    z = 2.3263478740408408
    assert verdict == bare(
        outcome="worse",
        now=0.15,
        before=close(0.1),
        ratio=close(1.5),
        ratio_low=close(1.5 * math.exp(-1.959963984540054 * allowance * math.sqrt(2))),
        ratio_high=close(1.5 * math.exp(1.959963984540054 * allowance * math.sqrt(2))),
        p_value=close(math.erfc(math.log(1.5) / allowance / 2) / 2, 1e-6),
        margin=close(z * allowance * math.sqrt(2)),
        error=close(allowance * math.sqrt(2)),
        smallest_change=close(math.expm1(z * allowance * math.sqrt(2))),
        rounds=3,
        baseline=points([1.0]),
        comparisons=1,
        allowance=allowance,
    )


def test_two_runs_that_differ_more_than_allowed_say_so_themselves(make: Any) -> None:
    """Two runs of 100 and 104 have the margin of example D of the notes, and the allowance is named."""
    (verdict,) = make.gate(make.runs(1.0, 1.04, rounds=(1.0,) * 3), "ttft:5%").judge(
        make.case(make.result(1.0, rounds=(1.0,) * 3))
    )
    assert (verdict.margin, verdict.allowance) == (close(0.07901704349), 0.02)


def test_three_runs_assume_nothing(make: Any) -> None:
    """From three runs on the spread is measured, however large an allowance is."""
    (verdict,) = make.gate(make.runs(1.0, 1.01, 0.99), "ttft:5%", allowance=0.5).judge(make.case(make.result()))
    assert verdict.allowance is None
    assert verdict.margin < 0.2


def test_last_takes_the_newest_runs(make: Any) -> None:
    """With `last` the verdict rests on so many of the newest runs, and says which."""
    gate = make.gate(make.runs(3.0, 2.0, *FIVE), "ttft:5%", last=5)
    (verdict,) = gate.judge(make.case(make.result(1.0)))
    assert [each.run for each in verdict.baseline] == ["0003", "0004", "0005", "0006", "0007"]
    assert (verdict.outcome, verdict.margin) == ("same", close(0.04655227631))


# Without numbers --------------------------------------------------------------------------------------------------


def test_without_a_baseline_every_verdict_says_so() -> None:
    """Where no saved run was named there is no baseline; the reason names the option."""
    gate = Gate(None, DEFAULT_THRESHOLDS)
    from_file = read_document({"benchmarks": [{"fullname": f"{ID} ttft", "stats": {"data": [1.0]}}]}, "x", name="x")
    assert gate.judge(from_file.cases[ID]) == tuple(
        bare(metric, model="", outcome="no baseline", reason="no --chimera-baseline was given")
        for metric in ("ttft", "prefill", "tok/s", "e2e")
    )


@pytest.mark.parametrize(
    ("runs", "reason", "left_out"),
    [
        ([], "no earlier run has this case", ()),
        ([{"name": "other"}], "no earlier run has this case", ()),
        ([{"complete": False}], "0001: the case was interrupted", ("0001: the case was interrupted",)),
        (
            [{"complete": False}, {"gate_broken": ("tok/s >= 40",)}],
            "0001: the case was interrupted; 0002: its own gate failed",
            ("0001: the case was interrupted", "0002: its own gate failed"),
        ),
    ],
)
def test_without_a_usable_run_there_is_no_baseline(
    make: Any, runs: list[dict[str, Any]], reason: str, left_out: tuple[str, ...]
) -> None:
    """Where no run has the case, or none that can be used, the verdict says why."""
    history = [make.run(f"{i:04d}", make.result(**each)) for i, each in enumerate(runs, 1)]
    gate = make.gate(history, "ttft:5%", passed_only=True)
    assert gate.judge(make.case(make.result())) == (bare(outcome="no baseline", reason=reason, left_out=left_out),)


def test_another_case_under_the_same_id_is_not_comparable(make: Any) -> None:
    """A case that was defined otherwise is refused with every difference, unless it is to be compared anyway."""
    case = make.case(make.result(1.5, **HOT))
    reason = "it is not the same case: option temperature 0.8 instead of 0.5"
    gate = make.gate(make.runs(*FIVE), "ttft:5%", "tok/s:5%")
    assert gate.judge(case) == tuple(
        bare(metric, outcome="not comparable", reason=reason) for metric in ("ttft", "tok/s")
    )
    (verdict,) = make.gate(make.runs(*FIVE), "ttft:5%", anyway=True).judge(case)
    assert (verdict.outcome, verdict.differences) == ("worse", ("option temperature 0.8 instead of 0.5",))


def test_what_one_wants_to_compare_is_named_in_the_verdict(make: Any) -> None:
    """Another server, model and driver are compared, and each difference stands in the verdict."""
    gpu = {"gpu": "NVIDIA H100", "gpu_driver": "580.65"}
    history = [make.run(f"{i:04d}", make.result(cost), machine=make.machine | gpu) for i, cost in enumerate(FIVE, 1)]
    now = make.result(1.07, host={"version": "0.33.0"}, model={"digest": "sha256:ffff"})
    (verdict,) = make.gate(history, "ttft:3%").judge(make.case(now, make.machine | gpu | {"gpu_driver": "590.1"}))
    assert (verdict.outcome, verdict.margin) == ("worse", close(0.04655227631))
    assert verdict.differences == (
        "model digest ffff instead of 0123456789ab",
        "Ollama version 0.33.0 instead of 0.32.15",
        "GPU driver 590.1 instead of 580.65",
    )


def test_answers_of_different_lengths_are_judged_per_token(make: Any) -> None:
    """Whole answers are not compared where their lengths differ; the time per token is, by the same threshold."""
    gate = make.gate(make.runs(*FIVE), "ttft:3%", "e2e:3%", "total:3%")
    longer = make.case(make.result(1.07, generation={"eval_count": 20}))
    verdicts = gate.judge(longer)
    assert outcomes(verdicts) == [
        ("ttft", "worse", None),
        ("time/token", "better", None),
        ("e2e", "not comparable", LENGTHS),
        ("total", "not comparable", LENGTHS),
    ]
    assert verdicts[1].threshold == 0.03
    assert verdicts[2].baseline == ()


@pytest.mark.parametrize("base", [STOPPED, {}])
def test_lengths_must_agree_in_every_run(make: Any, base: dict[str, Any]) -> None:
    """One answer that ended by itself, now or before, is enough; where tok/s is gated it stands for the answer."""
    now = {} if base else STOPPED
    gate = make.gate([*make.runs(*FIVE), make.run("0006", make.result(**base))], "eval:5%", "tok/s:5%")
    assert outcomes(gate.judge(make.case(make.result(**now)))) == [
        ("tok/s", "same", None),
        ("eval", "not comparable", LENGTHS),
    ]


def test_answers_of_one_length_are_judged_whole(make: Any) -> None:
    """Where every answer was ended by the same length, the whole durations are judged."""
    gate = make.gate(make.runs(*FIVE), "eval:5%", "e2e:5%", "total:5%")
    assert outcomes(gate.judge(make.case(make.result(1.2)))) == [
        ("eval", "worse", None),
        ("e2e", "worse", None),
        ("total", "worse", None),
    ]


def test_too_few_rounds_are_not_enough(make: Any) -> None:
    """A statistic that this run or those before cannot resolve is not judged, and says of which run."""
    gate = make.gate(make.runs(*FIVE, rounds=(1.0,) * 20), "ttft.p95:5%", "ttft:5%")
    assert outcomes(gate.judge(make.case(make.result()))) == [
        ("ttft.p95", "not enough samples", "p95 needs 20 rounds and 3 counted"),
        ("ttft", "same", None),
    ]
    gate = make.gate(make.runs(*FIVE), "ttft.p95:5%")
    assert outcomes(gate.judge(make.case(make.result(rounds=(1.0,) * 20)))) == [
        ("ttft.p95", "not enough samples", "of 0005: p95 needs 20 rounds and 3 counted"),
    ]


def test_a_case_without_a_counted_round_has_no_samples(make: Any) -> None:
    """A case of which every round failed is not judged, whole answers among it, and never 0."""
    case = make.case(make.result(rounds=(make.failed(), make.failed())))
    none = "no counted round has a value for it"
    gate = make.gate(make.runs(*FIVE), "ttft:5%", "tok/s:5%", "prefill:5%", "e2e:5%")
    assert outcomes(gate.judge(case)) == [
        ("ttft", "not enough samples", none),
        ("tok/s", "not enough samples", none),
        ("prefill", "not enough samples", none),
        ("e2e", "not enough samples", none),
    ]


def test_a_single_round_against_single_rounds_is_not_enough(make: Any) -> None:
    """One round now and one run of one round before say nothing of how rounds scatter."""
    gate = make.gate(make.runs(1.0, rounds=(1.0,)), "ttft:5%")
    reason = "a single round, and earlier runs whose rounds are not known, say nothing of the spread"
    assert outcomes(gate.judge(make.case(make.result(2.0, rounds=(1.0,))))) == [("ttft", "not enough samples", reason)]


def test_times_of_few_ticks_are_not_enough(make: Any) -> None:
    """Durations of some nanoseconds are too coarse to be compared, now or before."""
    coarse = {"generation": {"load_duration_ns": 90}}
    gate = make.gate(make.runs(*FIVE, **coarse), "load:5%")
    reason = "its median is below 100 ticks of the clock"
    assert outcomes(gate.judge(make.case(make.result()))) == [("load", "not enough samples", f"of 0005: {reason}")]
    gate = make.gate(make.runs(*FIVE), "load:5%")
    assert outcomes(gate.judge(make.case(make.result(**coarse)))) == [("load", "not enough samples", reason)]


def test_a_clock_that_ran_backwards_is_not_comparable(make: Any) -> None:
    """Negative and zero durations are named, now and before, and never a ratio."""
    back, zero = ({"generation": {"prompt_eval_duration_ns": ns}} for ns in (-5_000_000, 0))
    said = "its median is -5.00 ms, of which there is no ratio: a clock ran backwards"
    gate = make.gate(make.runs(*FIVE), "prompt_eval:5%")
    assert outcomes(gate.judge(make.case(make.result(**back)))) == [("prompt_eval", "not comparable", said)]
    assert outcomes(gate.judge(make.case(make.result(**zero)))) == [
        ("prompt_eval", "not comparable", "its median is 0 s, of which there is no ratio")
    ]
    gate = make.gate([*make.runs(*FIVE), make.run("0006", make.result(**back))], "prompt_eval:5%", "ttft:5%")
    assert outcomes(gate.judge(make.case(make.result()))) == [
        ("prompt_eval", "not comparable", f"of 0006: {said}"),
        ("ttft", "same", None),
    ]


def test_runs_that_disagree_about_units_are_not_comparable(make: Any) -> None:
    """A run whose rows name another unit is named, and its numbers are not taken for seconds."""
    document = make.document(make.result())
    for row in document["benchmarks"]:
        row["extra_info"]["chimera"]["unit"] = "ms"
    other = read_document(document, "0006.json", name="0006")
    gate = make.gate([*make.runs(*FIVE), other], "ttft:5%", "tok/s:5%")
    reason = "of 0006: it is given in 'ms' and not in 's'"
    assert outcomes(gate.judge(make.case(make.result()))) == [
        ("ttft", "not comparable", reason),
        ("tok/s", "not comparable", reason),
    ]
    alone = make.gate(make.runs(*FIVE), "ttft:5%")
    assert outcomes(alone.judge(other.cases[ID])) == [("ttft", "not comparable", "it is given in 'ms' and not in 's'")]


def test_a_baseline_of_medians_is_judged_and_said_to_be_one(make: Any) -> None:
    """Files without values per round serve medians only; quantiles of them are not judged, and this is said."""
    history = [
        make.run(f"{i:04d}", make.result(cost, rounds=(1.0,) * 20), bare=True, data=False)
        for i, cost in enumerate(FIVE, 1)
    ]
    gate = make.gate(history, "ttft:3%", "tok/s:3%", "ttft.p95:3%", "prefill:3%")
    verdicts = gate.judge(make.case(make.result(1.07, rounds=(1.0,) * 20)))
    names = ", ".join(f"{i:04d}" for i in range(1, 6))
    assert outcomes(verdicts) == [
        ("ttft", "worse", f"only the median is known of {names}"),
        ("tok/s", "worse", f"only the median is known of {names}"),
        ("ttft.p95", "not comparable", "of 0001: its file has no values per round and no p95"),
        ("prefill", "not enough samples", "0005 has no prefill of this case"),
    ]
    assert verdicts[0].ratio == close(1.065791935)
    assert verdicts[0].baseline == points(FIVE, rounds=20)
    assert {each.differences for each in verdicts} == {(f"nothing is known of what {names} was measured on",)}


def test_lengths_that_nobody_knows_are_not_said_to_differ(make: Any) -> None:
    """Whole answers of a file without `extra_info` are not judged, because it does not tell their lengths."""
    history = [make.run("0001", make.result(), bare=True)]
    (first, second) = make.gate(history, "e2e:5%").judge(make.case(make.result()))
    assert (first.metric, first.outcome) == ("time/token", "same")
    assert outcomes([second]) == [("e2e", "not comparable", "nothing is known of the length of answers in 0001")]


# Which gate -------------------------------------------------------------------------------------------------------


def test_a_case_may_say_itself_what_it_is_gated_by(make: Any) -> None:
    """A case's own gate stands over that of the run; an empty one exempts it; limits in it are not compared."""
    gate = make.gate(make.runs(*FIVE), "ttft:5%", gated=False)
    own = make.case(make.result(1.07, case={"gate": ("prefill:3%", "tok/s >= 40")}))
    assert [(each.metric, each.threshold, each.outcome, each.gated) for each in gate.judge(own)] == [
        ("prefill", 0.03, "worse", True)
    ]
    assert gate.judge(make.case(make.result(1.07, case={"gate": ()}))) == ()
    assert gate.judge(make.case(make.result(1.07, case={"gate": ("tok/s >= 40",)}))) == ()
    (verdict,) = gate.judge(make.case(make.result(1.07)))
    assert (verdict.metric, verdict.gated, verdict.outcome) == ("ttft", False, "worse")
    assert not verdict.fails(strict=True)


def test_a_gate_of_a_case_that_cannot_be_read_is_refused_in_words(make: Any) -> None:
    """An unknown metric in what a case says is the error of the expression, with the known ones."""
    gate = make.gate(make.runs(*FIVE), "ttft:5%")
    with pytest.raises(LimitError) as caught:
        gate.judge(make.case(make.result(case={"gate": ("tft:5%",)})))
    assert str(caught.value).startswith("The gate 'tft:5%' names no known metric: 'tft'. Known metrics: ttft, answer, ")


def test_gates_of_saved_runs_that_cannot_be_read_are_no_error(make: Any) -> None:
    """A run that a newer version saved, with a gate on a metric of its own, serves as a baseline all the same."""
    history = make.runs(*FIVE, case={"gate": ("joules:5%",)})
    (verdict,) = make.gate(history, "ttft:3%").judge(make.case(make.result(1.07)))
    assert (verdict.outcome, verdict.margin, verdict.comparisons) == ("worse", close(0.04655227631), 1)


# Measured again ---------------------------------------------------------------------------------------------------


def test_only_what_was_worse_is_measured_again(make: Any) -> None:
    """After a second measurement what was worse is so still, or no more; every other verdict stays as it is."""
    gate = make.gate(make.runs(*FIVE), "ttft:3%", "prefill:3%", "tok/s:30%")
    first = gate.judge(make.case(make.result(1.07)))
    assert [each.outcome for each in first] == ["worse", "worse", "same"]
    prompt = {"generation": {"prompt_eval_duration_ns": 80_000_000}}
    found = gate.confirm(first, make.case(make.result(1.06, **prompt)))
    before = math.exp(4.60911071 - math.log(100))
    assert found == (
        replace(
            first[0],
            second=SecondLook(value=0.106, ratio=close(1.06 / before), confirmed=True, rounds=3),
        ),
        replace(
            first[1],
            outcome="same",
            reason=NOT_AGAIN,
            second=SecondLook(value=close(250), ratio=close(before), confirmed=False, rounds=3),
        ),
        first[2],
    )


def test_what_cannot_be_measured_again_stays_worse(make: Any) -> None:
    """Where every round failed the second time, the verdict stays and says so."""
    gate = make.gate(make.runs(*FIVE), "ttft:3%")
    (first,) = gate.judge(make.case(make.result(1.07)))
    assert gate.confirm([first], make.case(make.result(rounds=(make.failed(),)))) == (
        replace(
            first,
            reason="it could not be measured again: no counted round has a value for it",
            second=SecondLook(value=None, ratio=None, confirmed=True, rounds=0),
        ),
    )


def test_a_verdict_is_read_back_as_it_was_saved(make: Any) -> None:
    """Every verdict of a run, judged or not, confirmed or not, goes through its file unchanged."""
    gate = make.gate(suite(make), "ttft:3%", "e2e:3%", "ttft.p95:3%", "itl:3%", "prefill:3%")
    results = [make.result(1.07 * costs[0], name) for name, costs in CASES.items()]
    judged = [replace(each, verdicts=gate.judge(make.case(each))) for each in results]
    judged[0] = replace(judged[0], verdicts=gate.confirm(judged[0].verdicts, make.case(make.result(name="sky"))))
    run = make.run("0006", *judged)
    for each in judged:
        saved = {Verdict.from_dict(verdict) for verdict in run.cases[each.case.id].verdicts}
        assert saved == set(each.verdicts)
        assert len(saved) == 5
    assert not run.passed
