"""`chimera.sweep(...)`: its points as cases, the order of their rounds, what is written down, and how it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import MarkerError, OptionError
from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.expressions import parse_expression, thresholds
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import SavedCase, SavedRun, read_case
from pytest_chimera.plugin.extra_info import case_infos
from pytest_chimera.plugin.runners import OneRound
from pytest_chimera.records import Failure
from pytest_chimera.suites import CaseArguments, LimitBroken, RoundsFailed, WorseThanBefore
from pytest_chimera.suites.cases import Question
from pytest_chimera.suites.gating import Gating
from pytest_chimera.suites.journal import Journal, read_journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import Case, CaseResult

MS = 1_000_000
REFUSED = Failure(kind="connect", cause="refused", message="Nobody listens at h:1.")
CONTEXTS = {"num_ctx": [512, 1024, 2048]}


class Endless:
    """A plan that makes what comes next of each case."""

    def __init__(self, make: Callable[[Case], dict[str, Any]]) -> None:
        self.make = make

    def pop(self, at: int) -> Callable[[Case], dict[str, Any]]:
        return self.make

    def __bool__(self) -> bool:
        return True


def rows(result: CaseResult) -> list[tuple[str, int, int | None, bool | None]]:
    """What each round of a point is: its kind, number, block, and whether it loaded."""
    return [("warm-up" if one.warmup else "round", one.number, one.block, one.cold) for one in result.rounds]


def saved(result: CaseResult) -> SavedCase:
    """A result as it is read back from a file."""
    return read_case(case_infos(result), {})


def test_points_on_one_load_alternate_after_one_warm_up(house: Any) -> None:
    """Each pass has every point once; the warm-up round is the first point's, and all stand in one block."""
    run = house.bench().sweep("Count to {number}.", sweep={"number": [3, 5]})
    assert house.server.prompts == [f"Count to {number}." for number in (3, 3, 5, 5, 3, 3, 5)]
    first, second = house.delivered
    assert rows(first) == [("warm-up", 1, 1, True), *(("round", number, 1, False) for number in (1, 2, 3))]
    assert rows(second) == [("round", number, 1, False) for number in (1, 2, 3)]
    assert (first.warmup_ns, first.measuring_ns, second.warmup_ns) == (500 * MS, 1500 * MS, 0)
    assert [each.complete for each in house.delivered] == [True, True]
    assert "unload" not in house.server.calls
    assert [each.result for each in run.points] == house.delivered


def test_each_point_is_a_case_of_its_own(house: Any) -> None:
    """Its id begins with that of the sweep, which all share, and it keeps its parameters; the next sweep is "#2"."""
    bench = house.bench()
    bench.sweep("Why?", sweep={"temperature": [0.2], "top_k": [1, 2]})
    bench.sweep("Why?", sweep={"think": [True]})
    test = "test_sky.py::test_sky[gemma3]"
    assert [(each.case.sweep, each.case.id, dict(each.case.point)) for each in house.delivered] == [
        (test, f"{test} temperature=0.2,top_k=1", {"temperature": 0.2, "top_k": 1}),
        (test, f"{test} temperature=0.2,top_k=2", {"temperature": 0.2, "top_k": 2}),
        (f"{test} #2", f"{test} #2 think=true", {"think": True}),
    ]  # fmt: skip
    assert house.delivered[2].case.name == "test_sky[gemma3] #2 think=true"


def test_points_that_need_a_load_are_measured_in_blocks(house: Any) -> None:
    """Each block is unloaded before, warmed up once, and holds a share of the rounds; three blocks for each point."""
    house.bench().sweep("Why?", sweep={**CONTEXTS, "temperature": [0, 1]}, rounds=4)
    made = sorted((one.block, each.case.options["num_ctx"]) for each in house.delivered for one in each.rounds)
    windows = dict(made)
    assert sorted(windows) == list(range(1, 10))
    assert all({windows[at], windows[at + 1], windows[at + 2]} == {512, 1024, 2048} for at in (1, 4, 7))
    assert all(windows[at] != windows[at + 1] for at in range(1, 9))
    for each in house.delivered:
        counted = [one.block for one in each.rounds if not one.warmup]
        assert (len(counted), len(set(counted)), len(each.counted)) == (4, 3, 4)
    warm_ups = [one for each in house.delivered for one in each.rounds if one.warmup]
    assert sorted(one.block for one in warm_ups) == list(range(1, 10))
    assert all(one.cold for one in warm_ups)
    assert house.server.calls.count("unload") == 8


def test_cold_points_take_turns_without_blocks(house: Any) -> None:
    """Every round loads anyway and is a block of its own, so that even one round is enough."""
    run = house.bench().sweep("Why?", sweep=CONTEXTS, rounds=2, start="cold")
    made = {one.block: each.case.options["num_ctx"] for each in house.delivered for one in each.rounds}
    assert [{made[at] for at in span} for span in ((1, 2, 3), (4, 5, 6))] == [{512, 1024, 2048}] * 2
    assert all(one.cold and not one.warmup for each in house.delivered for one in each.rounds)
    assert house.server.calls.count("unload") == 6
    assert run.loads == ("num_ctx",)


def test_the_order_is_that_of_its_seed(house: Any) -> None:
    """The same sweep is made in the same order; another seed gives another."""
    orders = []
    for seed in (0, 0, 1):
        house.server.prompts.clear()
        house.bench().sweep("{number}", sweep={"number": [1, 2, 3, 4, 5], "seed": seed})
        orders.append(list(house.server.prompts))
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


def test_the_marker_may_say_the_sweep(house: Any) -> None:
    """Then the call says only what is asked, and `chimera(...)` itself is refused."""
    marker = CaseArguments.parse({"sweep": {"temperature": [0, 1]}})
    assert len(house.bench(marker).sweep("Why?")) == 2
    with pytest.raises(MarkerError) as caught:
        house.bench(marker)("Why?")
    assert str(caught.value) == (
        "chimera(...) measures one case, and a sweep is said for it. Accepted: chimera.sweep(...), which measures "
        "every point. Write chimera.sweep in place of chimera, or leave the sweep out."
    )


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        (
            {},
            MarkerError,
            (
                "chimera.sweep(...) varies nothing. Accepted: parameters with their levels, here or at the marker. "
                "Write it as in chimera.sweep('Why?', sweep={'num_ctx': [512, 2048]})."
            ),
        ),
        (
            {"sweep": {"num_ctx": [512, 1024]}, "rounds": 2},
            MarkerError,
            (
                "Points of the sweep load the model anew, and one of them has 2 rounds. Accepted: 3 rounds or more, "
                "because every point is measured in at least three blocks. Write rounds=3 or more, or vary only what "
                "needs no load (start='cold' measures loads themselves)."
            ),
        ),
        (
            {"sweep": {"num_ctx": ["big"]}},
            OptionError,
            "Option 'num_ctx' got 'big'. Accepted: an integer. Write it as in 'num_ctx=4096'.",
        ),
        (
            {"sweep": {"model": ["gemma3", "qwen3"]}},
            MarkerError,
            "The model 'qwen3' is asked for, and only 'gemma3' can be measured here. Accepted: 'gemma3'.",
        ),
        (
            {"sweep": {"think": ["hard"]}},
            MarkerError,
            (
                "chimera.sweep(...), think=hard: think='hard' is not usable. Accepted: True, False or one of 'low', "
                "'medium', 'high', 'max'. Correct think."
            ),
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_sent(
    house: Any, arguments: dict[str, Any], kind: type[Exception], text: str
) -> None:
    """No request goes out for a sweep that is wrong in one of its points."""
    with pytest.raises(kind) as caught:
        house.bench().sweep("Why?", **arguments)
    assert str(caught.value) == text
    assert house.server.calls == []


def test_a_persona_that_the_run_says_leaves_none_to_vary(house: Any) -> None:
    """Else points with different names would be measured alike."""
    with pytest.raises(MarkerError) as caught:
        house.bench(persona="insight-agent").sweep("Why?", sweep={"persona": ["insight-agent"]})
    assert str(caught.value) == (
        "chimera.sweep(...) varies the persona, and the run says 'insight-agent' for all. Accepted: one of them. "
        "Leave --chimera-persona out, or deselect this test."
    )


def test_a_point_whose_warm_up_fails_is_stopped_and_the_next_one_warms_up(house: Any) -> None:
    """The others are measured whole, and the error is that of the point that failed."""
    house.server.plan = [REFUSED]
    with pytest.raises(RoundsFailed) as caught:
        house.bench().sweep("{number}", sweep={"number": [1, 2, 3]})
    states = {each.case.point["number"]: (len(each.counted), each.stopped) for each in house.delivered}
    assert sorted(states.values(), key=str) == [(0, "warm-up round 1 failed"), (3, None), (3, None)]
    assert str(caught.value).startswith(
        f"1 of 3 points failed; number={caught.value.result.case.point['number']}: The warm-up failed, so nothing was "
        "measured: connect (refused): Nobody listens at h:1.\n\n  round"
    )


def test_a_point_with_too_many_failed_rounds_is_stopped_and_the_others_go_on(house: Any) -> None:
    """Its further rounds are left out of every pass."""

    house.server.plan = Endless(lambda case: {"failure": REFUSED} if case.options["temperature"] else {})
    with pytest.raises(RoundsFailed):
        house.bench().sweep("Why?", sweep={"temperature": [0, 1]}, rounds=5, max_failed_rounds=1, warmup=0)
    good, bad = house.delivered
    assert (len(good.rounds), good.complete, good.stopped) == (5, True, None)
    assert (len(bad.rounds), bad.complete) == (2, False)
    assert bad.stopped == "2 of 2 rounds failed and max_failed_rounds=1"


def test_limits_hold_for_every_point_and_the_text_tells_of_all(house: Any) -> None:
    """All points are handed on; the first failing ones are explained and the rest are named."""
    with pytest.raises(LimitBroken) as caught:
        house.bench().sweep("{number}", sweep={"number": [1, 2, 3, 4, 5]}, limits="tok/s >= 30")
    text = str(caught.value)
    assert text.startswith(
        "5 of 5 points failed; number=1: tok/s >= 30 does not hold: measured 25.0 tok/s (median of 3 rounds)\n"
    )
    assert text.endswith("\n\nand 2 more: number=4; number=5")
    assert [text.count(f"number={number}: tok/s >= 30 does") for number in range(1, 6)] == [1, 1, 1, 0, 0]
    assert (len(house.delivered), caught.value.result) == (5, house.delivered[0])


def test_points_are_gated_like_any_case(house: Any) -> None:
    """Each is held against its own earlier runs; none is measured a second time to confirm what was found."""
    sweep = {"number": [1, 2]}
    earlier = {each.case.id: saved(each.result) for each in house.bench().sweep("{number}", sweep=sweep)}
    house.delivered.clear()
    gate = Gate(
        Baseline([SavedRun(name="0001_base", source="", cases=earlier)]),
        thresholds([parse_expression("tok/s:5%")]),
    )

    house.server.plan = Endless(lambda case: {"eval_duration_ns": (800 if case.point["number"] == 2 else 400) * MS})
    house.server.calls.clear()
    with pytest.raises(WorseThanBefore) as caught:
        house.bench(gating=Gating(gate=gate, saved=saved, confirm=True)).sweep("{number}", sweep=sweep)
    assert str(caught.value).startswith("1 of 2 points failed; number=2: tok/s is 50.0 % lower than before: ")
    assert [[verdict.outcome for verdict in each.verdicts] for each in house.delivered] == [["same"], ["worse"]]
    assert house.server.calls.count("measure") == 7


def test_ctrl_c_leaves_a_journal_with_every_finished_round_of_every_point(house: Any, tmp_path: Any) -> None:
    """What was measured before the interrupt is read back point by point, and none says that it was complete."""
    house.server.plan = [{}, {}, {}, {}, KeyboardInterrupt()]
    with Journal(tmp_path / "j.jsonl") as house.journal, pytest.raises(KeyboardInterrupt):
        house.bench().sweep("{number}", sweep={"number": [1, 2]})
    results = read_journal(tmp_path / "j.jsonl")
    assert [each.case.point for each in results] == [{"number": 1}, {"number": 2}]
    assert sorted(sum(not one.warmup for one in each.rounds) for each in results) == [1, 2]
    assert [(each.complete, each.stopped) for each in results] == [(False, None)] * 2
    assert house.watcher.seen[-2:] == [f"finished {len(each.counted)}" for each in results]
    assert house.delivered == []


def test_a_finished_sweep_is_read_back_from_its_journal_as_it_was(house: Any, tmp_path: Any) -> None:
    """Points that are interleaved in one file come apart again."""
    with Journal(tmp_path / "j.jsonl") as house.journal:
        house.bench().sweep("Why?", sweep=CONTEXTS)
    assert read_journal(tmp_path / "j.jsonl") == house.delivered


def test_the_wait_for_the_host_is_counted_once(house: Any) -> None:
    """The sweep takes one turn, and the first point bears the wait."""
    house.turns.wait_ms = 700
    house.bench().sweep("{number}", sweep={"number": [1, 2, 3]})
    assert [each.waited_ns for each in house.delivered] == [700 * MS, 0, 0]
    assert house.turns.held == 1
    assert house.watcher.seen[0] == "busy test_sky[gemma3] number=1"


def test_each_point_finds_a_prompt_of_its_size(house: Any) -> None:
    """Sizes are levels like others; those that need a wider window need a load of their own."""

    house.server.plan = Endless(lambda case: {"prompt_eval_count": len(case.messages[-1].content.split())})
    run = house.bench().sweep(sweep={"prompt_tokens": [64, 7000]}, output_tokens=10)
    assert [each.prompt_tokens.values for each in run] == [(64.0,) * 3, (7000.0,) * 3]
    assert [each.case.options["num_ctx"] for each in run] == [4096, 7266]
    assert run.loads == ("prompt_tokens",)


def test_one_round_of_each_point_shows_that_a_sweep_works(house: Any) -> None:
    """Under --benchmark-disable each load is one block with one round of each of its points, and no limit is held."""
    usual = house.runner()
    bench = house.bench()
    bench.runner = OneRound(
        usual.client, usual.host, journal=None, observer=usual.observer, exclusive=usual.exclusive, clock=usual.clock
    )
    run = bench.sweep("Why?", sweep={**CONTEXTS, "temperature": [0, 1]}, limits="tok/s >= 99")
    assert [[one.number for one in each.result.rounds if not one.warmup] for each in run] == [[1]] * 6
    assert sorted({one.block for each in run for one in each.result.rounds}) == [1, 2, 3]


def test_a_run_of_a_sweep_is_asked_by_its_points(house: Any) -> None:
    """A point is found by all its parameters or by those that tell it from others, and misspelt ones are hinted at."""
    run = house.bench().sweep("Why?", sweep={"temperature": [0.2, 0.8], "top_k": [1, 2]})
    assert run[{"temperature": 0.8, "top_k": 1}].case.options["top_k"] == 1
    assert run[{"temperature": 0.8, "top_k": 1}].point == {"temperature": 0.8, "top_k": 1}
    with pytest.raises(MarkerError) as caught:
        run[{"temperature": 0.8}]
    assert str(caught.value) == (
        "2 points have temperature=0.8. The points are: temperature=0.2,top_k=1; temperature=0.2,top_k=2; "
        "temperature=0.8,top_k=1; temperature=0.8,top_k=2. Did you mean 'temperature=0.8,top_k=2'?"
    )
    assert repr(run).startswith("<SweepRun of 4 points: temperature=0.2,top_k=1 TTFT 50.0 ms, 25.0 tok/s; ")


def test_the_texts_of_suites_in_yaml_come_filled(house: Any) -> None:
    """`measure_sweep` takes a question for each point from whoever made it."""

    def make(point: Any) -> Question:
        return Question(prompt=f"{{kept}} {point['topic']}")

    sweep = CaseArguments.parse({"sweep": {"topic": ["sea", "sky"]}}).sweep
    run = house.bench().measure_sweep(make({"topic": "sea"}), sweep, make, rounds=1)
    assert [each.case.messages[0].content for each in run] == ["{kept} sea", "{kept} sky"]
