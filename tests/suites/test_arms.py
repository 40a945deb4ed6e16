"""`chimera.arms(...)`: variants of one case in turn, held against the first by the gate's own rule."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_chimera.errors import MarkerError
from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.expressions import parse_expression, thresholds
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import read_case
from pytest_chimera.gate.wording import headline
from pytest_chimera.plugin.extra_info import case_infos
from pytest_chimera.records import Failure
from pytest_chimera.suites import CaseArguments, LimitBroken, RoundsFailed, WorseThanBefore
from pytest_chimera.suites.gating import Gating

TWO = {"a": {"model": "sky"}, "b": {"model": "sea"}}


def outcomes(run: Any) -> list[tuple[str, str, bool, str | None]]:
    """What each verdict of arms says."""
    return [(each.metric, each.outcome, each.gated, each.against) for each in run.verdicts]


def slow(hosted: Any, by: float) -> None:
    """Two models on one server that becomes 30 % slower on the way; one of them is slower by so much."""
    engine = hosted.serve("sky", "sea")
    engine.slowness = lambda number, request: (
        (1 + 0.3 * number / 30 + number % 3 / 1000) * (by if request.model == "sea:latest" else 1)
    )


def test_two_models_are_measured_in_turn(hosted: Any) -> None:
    """Six blocks each, one load for each block, the other model out of memory; each arm is a case of its own."""
    engine = hosted.serve("sky", "sea")
    run = hosted.bench("sky").arms("Why?", arms=TWO, rounds=10)
    assert len(engine.loads) == 12
    assert engine.loads[:4] in (
        [(f"{name}:latest", 4096) for name in names]
        for names in (("sky", "sea", "sea", "sky"), ("sea", "sky", "sky", "sea"))
    )
    assert [(each.case.id, each.case.point, each.case.model.name) for each in hosted.delivered] == [
        ("t.py::test a", {"arm": "a"}, "sky:latest"), ("t.py::test b", {"arm": "b"}, "sea:latest"),
    ]  # fmt: skip
    assert [len({one.block for one in each.result.rounds}) for each in run] == [6, 6]
    assert list(run.arms) == ["a", "b"]
    assert run["b"].model.name == "sea:latest"


def test_without_a_gate_arms_are_compared_for_information(hosted: Any) -> None:
    """The usual metrics are compared, and a slower arm fails nothing; the first arm has no verdict."""
    slow(hosted, 1.2)
    run = hosted.bench("sky").arms("Why?", arms=TWO, rounds=10, output_tokens=9)
    assert ("tok/s", "worse", False, "a") in outcomes(run)
    assert {each.metric for each in run.verdicts} == {"ttft", "prefill", "tok/s", "e2e"}
    assert [len(each.result.verdicts) for each in run] == [0, 4]
    (worse,) = (each for each in run.verdicts if each.metric == "tok/s")
    assert worse.change == pytest.approx(1 / 1.2 - 1, abs=0.01)
    assert f"b: worse: {headline(worse)}" in run.lines


def test_with_a_gate_a_slower_arm_fails(hosted: Any) -> None:
    """It is handed on with its verdict first, and the text says what it was held against, whatever drifts."""
    slow(hosted, 1.2)
    with pytest.raises(WorseThanBefore) as caught:
        hosted.bench("sky").arms("Why?", arms=TWO, rounds=10, gate="tok/s:5%")
    (worse,) = hosted.delivered[1].verdicts
    assert headline(worse).startswith(f"tok/s is {-worse.change * 100:.1f} % lower than arm a: ")
    assert str(caught.value).startswith(f"1 of 2 arms failed; b: {headline(worse)}\n")
    assert [[(each.outcome, each.gated) for each in result.verdicts] for result in hosted.delivered] == [
        [], [("worse", True)],
    ]  # fmt: skip
    assert caught.value.result == hosted.delivered[1]


def test_an_arm_that_drifts_with_the_other_is_the_same(hosted: Any) -> None:
    """What becomes slower for both is no difference between them."""
    slow(hosted, 1.0)
    run = hosted.bench("sky").arms("Why?", arms=TWO, rounds=10, gate="tok/s:2%")
    assert outcomes(run) == [("tok/s", "same", True, "a")]
    assert abs(run.verdicts[0].change) < 0.01


def test_arms_on_one_load_are_paired_round_by_round(house: Any) -> None:
    """Variants that need no load alternate, and each pass is a pair."""
    run = house.bench().arms("Why?", arms={"a": {}, "b": {"options": {"seed": 1}}}, rounds=5, gate="tok/s:5%")
    assert outcomes(run) == [("tok/s", "same", True, "a")]
    assert [each.run for each in run.verdicts[0].baseline] == [f"a round {number}" for number in range(1, 6)]


def test_limits_of_a_gate_hold_for_every_arm(house: Any) -> None:
    """A bound is no comparison: the first arm must hold it too."""
    gate = Gate(None, ())
    judged = Gating(gate=gate, saved=lambda result: read_case(case_infos(result), {}))
    with pytest.raises(LimitBroken) as caught:
        house.bench(gating=judged).arms("Why?", arms={"a": {}, "b": {"options": {"seed": 1}}}, gate="tok/s >= 40")
    assert str(caught.value).startswith("2 of 2 arms failed; a: tok/s >= 40 does not hold: measured 25.0 tok/s ")
    assert [each.gate_broken for each in house.delivered] == [("tok/s >= 40",)] * 2


def test_earlier_runs_are_compared_by_what_the_run_says(house: Any) -> None:
    """The gate of the arms is for the arms: against saved runs an arm has the verdicts that the run asks for."""
    gate = Gate(Baseline([]), thresholds([parse_expression("ttft:20%")]))
    judged = Gating(gate=gate, saved=lambda result: read_case(case_infos(result), {}))
    arms = {"a": {}, "b": {"options": {"seed": 1}}}
    run = house.bench(gating=judged).arms("Why?", arms=arms, rounds=5, gate="tok/s:5%")
    assert [[(each.metric, each.outcome, each.against) for each in one.verdicts] for one in run] == [
        [("ttft", "no baseline", None)],
        [("ttft", "no baseline", None), ("tok/s", "same", "a")],
    ]
    assert [each.case.gate for each in house.delivered] == [("tok/s:5%",)] * 2


def test_an_arm_that_was_stopped_is_not_compared(house: Any) -> None:
    """It fails for its rounds, and nothing is said of the rest."""
    house.server.plan = [{}, Failure(kind="connect", cause="refused", message="Nobody listens at h:1.")]
    with pytest.raises(RoundsFailed):
        house.bench().arms("Why?", arms={"a": {}, "b": {"options": {"seed": 1}}})
    assert [each.verdicts for each in house.delivered] == [(), ()]


def test_an_arm_may_say_any_field(house: Any) -> None:
    """Prompts, personas and rounds may differ; limits of an arm are its own."""
    arms = {"plain": {}, "asked": {"prompt": "So?", "persona": "insight-agent", "rounds": 6, "limits": "tok/s >= 1"}}
    run = house.bench().arms("Why?", arms=arms, rounds=4, limits="e2e <= 9 s")
    assert [(each.case.messages[-1].content, each.case.persona, each.case.rounds) for each in run] == [
        ("Why?", None, 4), ("So?", "Insight-Agent", 6),
    ]  # fmt: skip
    assert [each.case.limits for each in run] == [("e2e <= 9 s",), ("e2e <= 9 s", "tok/s >= 1")]
    assert [len(each.result.counted) for each in run] == [4, 6]


def test_arms_and_a_sweep_do_not_go_together(house: Any) -> None:
    """A marker that says a sweep is for `chimera.sweep`."""
    marker = CaseArguments.parse({"sweep": {"temperature": [0, 1]}})
    with pytest.raises(MarkerError) as caught:
        house.bench(marker).arms("Why?", arms={"a": {}, "b": {}})
    assert str(caught.value) == (
        "chimera.arms(...) has a sweep as well. Accepted: either of them. Leave one of them out."
    )


def test_an_arm_is_asked_for_by_its_name(house: Any) -> None:
    """A misspelt one is hinted at; what pytest shows of a run names its arms."""
    run = house.bench().arms("Why?", arms={"slow": {}, "fast": {"options": {"seed": 1}}})
    with pytest.raises(MarkerError) as caught:
        run["fats"]
    assert str(caught.value) == "There is no arm 'fats'. The arms are: slow, fast. Did you mean 'fast'?"
    assert repr(run) == "<ArmsRun of 2 arms: slow TTFT 50.0 ms, 25.0 tok/s; fast TTFT 50.0 ms, 25.0 tok/s>"


def test_a_persona_that_the_run_says_leaves_none_to_compare(house: Any) -> None:
    """Else two arms would be one and the same."""
    with pytest.raises(MarkerError) as caught:
        house.bench(persona="insight-agent").arms("Why?", arms={"a": {}, "b": {"persona": "technical-writer"}})
    assert str(caught.value) == (
        "chimera.arms(...) varies the persona, and the run says 'insight-agent' for all. Accepted: one of them. "
        "Leave --chimera-persona out, or deselect this test."
    )
