"""A case under the gate: judged before it is handed on, measured again where that was asked for, failed after."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import LimitError
from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.expressions import limits, parse_expression, thresholds
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import SavedCase, SavedRun, read_case
from pytest_chimera.plugin.extra_info import case_infos
from pytest_chimera.records import CaseResult, Failure
from pytest_chimera.suites import LimitBroken, RoundsFailed
from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.explain import WorseThanBefore
from pytest_chimera.suites.gating import Gating, again
from pytest_chimera.suites.journal import Journal, read_journal

if TYPE_CHECKING:
    from pathlib import Path

MS = 1_000_000
FAILED = Failure(kind="http", cause="server", status=500, message="out of memory")
WARMUP_AND_THREE = 4


def at(tok_s: float, requests: int = WARMUP_AND_THREE) -> list[dict[str, Any]]:
    """So many answers of ten tokens at this speed."""
    return [{"eval_duration_ns": round(10_000 * MS / tok_s)}] * requests


def saved(result: CaseResult) -> SavedCase:
    """A result as it is read back from a file."""
    return read_case(case_infos(result), {})


def gating(house: Any, *speeds: float, fail_on: str = "tok/s:5%", anyway: bool = False, **more: Any) -> Gating:
    """A gate whose baseline has a run at each of these speeds; without any there is no run."""
    runs = []
    for number, speed in enumerate(speeds, 1):
        house.server.plan = at(speed)
        result = house.bench()("Why?").result
        runs.append(SavedRun(name=f"000{number}_base", source="", cases={result.case.id: saved(result)}))
    house.server.calls.clear()
    house.delivered.clear()
    house.watcher.seen.clear()
    said = [parse_expression(text) for text in fail_on.split(",")]
    gate = Gate(Baseline(runs, anyway=anyway), thresholds(said))
    return Gating(gate=gate, saved=saved, must_hold=limits(said), **more)


def found(result: CaseResult) -> list[str]:
    """What each verdict of a result says."""
    return [f"{each.metric} {each.outcome}" for each in result.verdicts]


def test_a_case_as_fast_as_before_passes_and_the_test_has_its_verdicts(house: Any) -> None:
    """The run holds the verdicts of the result that was handed on, with the numbers that they rest on."""
    judged = gating(house, 25, 26, 24)
    run = house.bench(gating=judged)("Why?")
    assert house.delivered == [run.result]
    (verdict,) = run.verdicts
    assert (verdict.outcome, verdict.now) == ("same", 25.0)
    assert verdict.before == pytest.approx((25 * 26 * 24) ** (1 / 3), rel=1e-6)
    assert [(each.run, round(each.value, 6), each.rounds) for each in verdict.baseline] == [
        ("0001_base", 25.0, 3), ("0002_base", 26.0, 3), ("0003_base", 24.0, 3),
    ]  # fmt: skip


def test_a_case_that_became_worse_is_handed_on_before_it_fails(house: Any) -> None:
    """The error carries the result with its verdict, which was delivered already, and survives pickling."""
    judged = gating(house, 25, 25)
    house.server.plan = at(20)
    with pytest.raises(WorseThanBefore) as caught:
        house.bench(gating=judged)("Why?")
    assert house.delivered == [caught.value.result]
    assert found(caught.value.result) == ["tok/s worse"]
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.result) == (str(caught.value), caught.value.result)


def test_a_case_that_became_better_passes(house: Any) -> None:
    """A faster run is `better` and fails nothing."""
    judged = gating(house, 25, 25)
    house.server.plan = at(30)
    assert found(house.bench(gating=judged)("Why?").result) == ["tok/s better"]


def test_what_is_not_gated_is_compared_and_fails_nothing(house: Any) -> None:
    """A comparison for information may be as bad as it will, and is not measured again, strict or not."""
    judged = gating(house, 25, 25, confirm=True, strict=True)
    judged.gate.gated = False
    house.server.plan = at(10)
    run = house.bench(gating=judged)("Why?")
    assert [(each.outcome, each.gated) for each in run.verdicts] == [("worse", False)]
    assert house.server.calls.count("measure") == WARMUP_AND_THREE


def test_a_case_with_failed_rounds_is_not_compared(house: Any) -> None:
    """What stopped before its last round fails for that, has no verdict, and breaks no gate."""
    judged = gating(house, 25, fail_on="tok/s:5%,tok/s >= 100", strict=True, confirm=True)
    house.server.plan = [{}, {}, FAILED]
    with pytest.raises(RoundsFailed):
        house.bench(gating=judged)("Why?")
    (result,) = house.delivered
    assert (result.complete, result.verdicts, result.gate_broken) == (False, (), ())


def test_a_failed_round_that_is_allowed_does_not_hinder_the_comparison(house: Any) -> None:
    """The rounds that counted are judged."""
    judged = gating(house, 25, 25)
    house.server.plan = [{}, {}, FAILED, {}]
    run = house.bench(gating=judged)("Why?", max_failed_rounds=1)
    assert [(each.outcome, each.rounds) for each in run.verdicts] == [("same", 2)]


def test_a_limit_of_the_gate_is_noted_in_the_result(house: Any) -> None:
    """What the gate wants to hold and does not is named in the result that was handed on, as the error says it."""
    judged = gating(house, fail_on="tok/s >= 30,ttft <= 1 s")
    with pytest.raises(LimitBroken) as caught:
        house.bench(gating=judged)("Why?")
    (result,) = house.delivered
    assert (result.gate_broken, result.verdicts) == (("tok/s >= 30",), ())
    assert str(caught.value).splitlines()[:3] == [
        "tok/s >= 30 does not hold: measured 25.0 tok/s (median of 3 rounds); 1 of 2 limits",
        "  tok/s >= 30: broken, measured 25.0 tok/s (median of 3 rounds)",
        "  ttft <= 1 s: held, measured 50.0 ms (median of 3 rounds)",
    ]


def test_a_broken_limit_of_the_case_does_not_break_its_gate(house: Any) -> None:
    """`limits=` fail the test, and nothing is noted that would keep the run out of a baseline."""
    judged = gating(house, 25, 25, fail_on="tok/s:5%,ttft <= 1 s")
    with pytest.raises(LimitBroken):
        house.bench(gating=judged)("Why?", limits="tok/s >= 30")
    (result,) = house.delivered
    assert (result.gate_broken, found(result)) == ((), ["tok/s same"])


def test_limits_and_verdicts_fail_together(house: Any) -> None:
    """Where both fail, the error is that of the limit and says what became worse as well."""
    judged = gating(house, 25, 25, fail_on="tok/s:5%,tok/s >= 22")
    house.server.plan = at(20)
    with pytest.raises(LimitBroken) as caught:
        house.bench(gating=judged)("Why?", limits="ttft <= 1 s")
    assert str(caught.value).partition("\n\n")[0].splitlines() == [
        "tok/s >= 22 does not hold: measured 20.0 tok/s (median of 3 rounds); 1 of 2 limits",
        "  tok/s >= 22: broken, measured 20.0 tok/s (median of 3 rounds)",
        "  ttft <= 1 s: held, measured 50.0 ms (median of 3 rounds)",
        "  tok/s is 20.0 % lower than before: 20.0 tok/s now (median of 3 rounds), 25.0 tok/s before (2 runs)",
    ]
    assert caught.value.result.gate_broken == ("tok/s >= 22",)
    assert found(caught.value.result) == ["tok/s worse"]


def test_a_limit_that_the_rounds_cannot_decide_is_refused_at_once(house: Any) -> None:
    """A quantile of the gate that needs more rounds is a mistake, found before anything is sent."""
    judged = gating(house, fail_on="ttft.p95 <= 2 s")
    with pytest.raises(LimitError) as caught:
        house.bench(gating=judged)("Why?")
    assert str(caught.value) == (
        "The limit 'ttft.p95 <= 2 s' cannot be judged: p95 needs 20 rounds, this case has 3. Use rounds=20 or ttft.max."
    )
    assert (house.server.calls, house.delivered) == ([], [])


@pytest.mark.parametrize("strict", [False, True])
def test_what_cannot_be_judged_fails_only_under_strict(house: Any, strict: bool) -> None:
    """Without an earlier run a case passes, and fails with the reason where that was wanted; both hand it on."""
    judged = gating(house, strict=strict)
    if strict:
        with pytest.raises(WorseThanBefore) as caught:
            house.bench(gating=judged)("Why?")
        assert str(caught.value).partition("\n\n")[0].splitlines() == [
            "tok/s cannot be judged: no baseline: no earlier run has this case",
            "  tok/s: no baseline: no earlier run has this case",
        ]
    else:
        house.bench(gating=judged)("Why?")
    assert [found(each) for each in house.delivered] == [["tok/s no baseline"]]


def test_what_cannot_be_judged_is_not_measured_again(house: Any) -> None:
    """A second measurement could not help a case without a baseline, also where its test fails for that."""
    judged = gating(house, strict=True, confirm=True)
    with pytest.raises(WorseThanBefore):
        house.bench(gating=judged)("Why?")
    assert house.server.calls.count("measure") == WARMUP_AND_THREE


def test_gates_of_marker_and_call(house: Any) -> None:
    """A marker's gate stands in place of the run's, a call's in place of the marker's, and None exempts from all."""
    judged = gating(house, 25, 25, fail_on="tok/s:5%,ttft <= 1 ms")
    marked = CaseArguments.parse({"gate": {"tok/s": "90%", "ttft": "<= 40 ms"}})
    with pytest.raises(LimitBroken, match="ttft <= 40 ms does not hold"):
        house.bench(marked, gating=judged)("Why?")
    assert [(each.threshold, each.gated) for each in house.delivered[0].verdicts] == [(0.9, True)]
    run = house.bench(marked, gating=judged)("Why?", gate=["ttft:10%"])
    assert found(run.result) == ["ttft same"]
    run = house.bench(marked, gating=judged)("Why?", gate=None)
    assert (run.result.verdicts, run.result.gate_broken) == ((), ())


def test_a_case_found_worse_is_measured_again_and_may_pass(house: Any) -> None:
    """The model is unloaded, the case measured with a warm-up; both results are handed on in order, and it passes."""
    judged = gating(house, 25, 25, confirm=True)
    house.server.plan = [*at(20), *at(24.9)]
    run = house.bench(gating=judged)("Why?")
    first, second = house.delivered
    assert first == run.result
    (verdict,) = first.verdicts
    assert (verdict.outcome, verdict.reason) == ("same", "it was worse at first, and not when it was measured again")
    assert (verdict.now, round(verdict.second.value, 6), verdict.second.rounds) == (20.0, 24.9, 3)
    assert verdict.second.confirmed is False
    assert (second.case.name, second.case.confirms) == ("test_sky[gemma3] (again)", first.case.id)
    assert (second.verdicts, second.gate_broken) == ((), ())
    assert [(each.warmup, each.cold) for each in second.rounds] == [
        (True, True), (False, False), (False, False), (False, False),
    ]  # fmt: skip
    assert house.server.calls.count("unload") == 1
    assert house.server.calls.count("measure") == 2 * WARMUP_AND_THREE


def test_a_case_found_worse_twice_fails_with_both(house: Any) -> None:
    """Both results are handed on before the failure, whose text says that it was confirmed."""
    judged = gating(house, 25, 25, confirm=True)
    house.server.plan = [*at(20), *at(20.5)]
    with pytest.raises(WorseThanBefore) as caught:
        house.bench(gating=judged)("Why?")
    assert [each.case.id for each in house.delivered] == [
        "test_sky.py::test_sky[gemma3]", "test_sky.py::test_sky[gemma3] (again)",
    ]  # fmt: skip
    assert caught.value.result == house.delivered[0]
    assert "    measured again: 20.5 tok/s (-18.0 %), confirmed" in str(caught.value).splitlines()


def test_a_second_measurement_that_fails_does_not_acquit(house: Any) -> None:
    """A case that cannot be measured again stays worse, and the reason is said."""
    judged = gating(house, 25, 25, confirm=True)
    house.server.plan = [*at(20), FAILED]
    with pytest.raises(WorseThanBefore) as caught:
        house.bench(gating=judged)("Why?")
    (verdict,) = caught.value.result.verdicts
    assert (verdict.outcome, verdict.second.value, verdict.second.confirmed) == ("worse", None, True)
    assert verdict.reason == "it could not be measured again: no counted round has a value for it"
    assert [each.complete for each in house.delivered] == [True, False]


def test_only_what_was_worse_is_looked_at_again(house: Any) -> None:
    """Of two metrics the one that was the same keeps its first numbers, whatever the second measurement says."""
    judged = gating(house, 25, 25, fail_on="tok/s:5%,prefill:5%", confirm=True)
    slow_prompt = [{**each, "prompt_eval_duration_ns": 90 * MS} for each in at(25)]
    house.server.plan = [*at(20), *slow_prompt]
    run = house.bench(gating=judged)("Why?")
    assert [(each.metric, each.outcome, each.second is None) for each in run.verdicts] == [
        ("tok/s", "same", False), ("prefill", "same", True),
    ]  # fmt: skip


@pytest.mark.parametrize(("confirm", "speed"), [(False, 20), (True, 25)], ids=["not asked for", "not worse"])
def test_nothing_is_measured_again_without_need(house: Any, confirm: bool, speed: float) -> None:
    """One measurement is made where nobody asked for confirmation, and where nothing became worse."""
    judged = gating(house, 25, 25, confirm=confirm)
    house.server.plan = at(speed)
    try:
        house.bench(gating=judged)("Why?")
    except WorseThanBefore:
        assert speed == 20
    assert house.server.calls.count("measure") == WARMUP_AND_THREE
    assert len(house.delivered) == 1


def test_the_second_measurement_has_a_warm_up_and_nothing_to_hold(house: Any) -> None:
    """It is the same case under another id, with a warm-up, since its model was unloaded, and without a gate."""
    case = house.case(warmup=0, limits=("tok/s >= 1",), gate=("tok/s:5%",), rounds=7)
    second = again(case)
    assert (second.id, second.name, second.confirms) == (f"{case.id} (again)", f"{case.name} (again)", case.id)
    assert (second.warmup, second.limits, second.gate) == (1, (), ())
    assert (second.rounds, second.prompt_hash, second.options) == (7, case.prompt_hash, case.options)
    assert again(house.case(warmup=3)).warmup == 3


def test_the_verdicts_are_in_the_journal(house: Any, tmp_path: Path) -> None:
    """What reads the journal after a crash finds the verdicts that the test had, and no others."""
    judged = gating(house, 25, 25)
    with Journal(tmp_path / "j.jsonl") as journal:
        house.journal = journal
        house.bench(gating=judged)("Why?")
    (read,) = read_journal(tmp_path / "j.jsonl")
    assert read == house.delivered[0]
    assert found(read) == ["tok/s same"]


def test_a_result_that_is_being_confirmed_is_worse_in_the_journal(house: Any, tmp_path: Path) -> None:
    """A run that ends during the second measurement leaves the first one as what it was found to be: worse."""
    judged = gating(house, 25, 25, confirm=True)
    house.server.plan = [*at(20), KeyboardInterrupt()]
    with Journal(tmp_path / "j.jsonl") as journal:
        house.journal = journal
        with pytest.raises(KeyboardInterrupt):
            house.bench(gating=judged)("Why?")
    first, _second = read_journal(tmp_path / "j.jsonl")
    assert found(first) == ["tok/s worse"]


def test_the_plugin_reads_a_result_as_its_file_will_be_read(house: Any) -> None:
    """A verdict on a result and one on its row after JSON are the same, to the last digit."""
    judged = gating(house, 25, 26, 24)
    house.server.plan = at(24.4321)
    result = house.bench()("Why?").result
    read = read_case(json.loads(json.dumps(case_infos(result))), {})
    assert judged.gate.judge(saved(result)) == judged.gate.judge(read)
    assert judged.gate.judge(read)[0].outcome == "same"
