"""Which earlier runs a case is compared with, and what is said of those that are not taken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.gate.baseline import Baseline, Chosen
from pytest_chimera.records import Message, SecondLook, Verdict

if TYPE_CHECKING:
    from pytest_chimera.gate.saved import SavedRun

ID = "test_it.py::test_sky[toy]"
OPTIONS = {"num_ctx": 512, "num_predict": 10, "temperature": 0.5}
HOT = {"case": {"options": {**OPTIONS, "temperature": 0.8}}}
HOTTER = {"case": {"options": {**OPTIONS, "temperature": 1.5}}}
OLD, NEW = {"host": {"version": "0.32.15"}}, {"host": {"version": "0.33.0"}}
WORSE = {"verdicts": (Verdict(case=ID, name="x", model="toy", metric="ttft", threshold=0.05, outcome="worse"),)}
CUT = {"complete": False}


def runs(make: Any, *changes: dict[str, Any]) -> list[SavedRun]:
    """A run with these changes each, called a, b and so on."""
    return [make.run(name, make.result(**each)) for name, each in zip("abcdefgh", changes, strict=False)]


def chosen(make: Any, *changes: dict[str, Any], now: dict[str, Any] | None = None, **wanted: Any) -> Chosen:
    """What a case that is measured with `now` is compared with."""
    case = make.case(make.result(**(now or {})))
    return Baseline(runs(make, *changes), **wanted).choose(ID, case.conditions)


def test_all_runs_of_the_case_are_its_history(make: Any) -> None:
    """Runs that agree with the case are taken, oldest first; nothing is said of them."""
    history = runs(make, {}, {"cost": 1.1}, {"cost": 1.2})
    found = Baseline(history).choose(ID, make.case(make.result()).conditions)
    assert found == Chosen(members=tuple((run, run.cases[ID]) for run in history))
    assert found.runs == ("a", "b", "c")


def test_a_run_without_the_case_is_not_mentioned(make: Any) -> None:
    """Runs that have other cases only are no history and nothing that was left out."""
    other = make.run("x", make.result(name="test_sea[toy]"))
    case = make.case(make.result())
    assert Baseline([other]).choose(ID, case.conditions) == Chosen()
    assert Baseline([]).choose(ID, case.conditions) == Chosen()
    assert Baseline([other, *runs(make, {})]).choose(ID, case.conditions).runs == ("a",)


def test_the_cases_of_a_baseline_are_those_of_its_runs(make: Any) -> None:
    """Each case that some run has is listed once, in the order in which they appear."""
    first = make.run("a", make.result(name="one"), make.result(name="two"))
    second = make.run("b", make.result(name="three"), make.result(name="one"))
    assert Baseline([first, second]).cases == ("test_it.py::one", "test_it.py::two", "test_it.py::three")


@pytest.mark.parametrize(
    ("last", "names"), [(None, ("a", "b", "c")), (1, ("c",)), (2, ("b", "c")), (9, ("a", "b", "c"))]
)
def test_the_last_runs_are_the_newest(make: Any, last: int | None, names: tuple[str, ...]) -> None:
    """`last` takes so many of the newest, all where there are fewer."""
    assert chosen(make, {}, {}, {}, last=last).runs == names


def test_the_last_runs_are_counted_per_case(make: Any) -> None:
    """A case that the newest run does not have, has other runs as its last ones."""
    sky, sea = make.result(), make.result(name="test_sea[toy]")
    baseline = Baseline([make.run("a", sky, sea), make.run("b", sky, sea), make.run("c", sky)], last=1)
    assert baseline.choose(ID).runs == ("c",)
    assert baseline.choose("test_it.py::test_sea[toy]").runs == ("b",)


def test_runs_whose_gate_failed_are_passed_over_by_a_choice(make: Any) -> None:
    """Where runs are chosen, one whose gate failed is none of the last K, and is named; where they are named, it is."""
    found = chosen(make, {}, {}, WORSE, {}, last=2, passed_only=True)
    assert (found.runs, found.left_out) == (("b", "d"), ("c: its own gate failed",))
    assert chosen(make, {}, WORSE).runs == ("a", "b")


def test_a_case_that_was_not_worse_again_is_passed_over_by_a_choice(make: Any) -> None:
    """A case that was found worse and then not, has odd rounds: a choice leaves it out, whoever names it gets it."""
    second = SecondLook(value=0.1, ratio=1.0, confirmed=False, rounds=3)
    odd = {"verdicts": (replace(WORSE["verdicts"][0], outcome="same", second=second),)}
    found = chosen(make, {}, odd, {}, passed_only=True)
    assert (found.runs, found.left_out) == (
        ("a", "c"),
        ("b: it was worse at first, and not when it was measured again",),
    )
    assert chosen(make, {}, odd).runs == ("a", "b")
    other = make.run("b", make.result(), make.result(name="test_sea[toy]", **odd))
    assert Baseline([other], passed_only=True).choose(ID).runs == ("b",), "only that case's"


def test_a_run_fails_as_a_whole(make: Any) -> None:
    """A run whose gate failed on another case is passed over for this one too: something was wrong with it."""
    failed = make.run("b", make.result(), make.result(name="test_sea[toy]", **WORSE))
    found = Baseline([*runs(make, {}), failed], passed_only=True).choose(ID)
    assert (found.runs, found.left_out) == (("a",), ("b: its own gate failed",))


def test_interrupted_cases_are_left_out(make: Any) -> None:
    """A case without all its rounds is no history, named or chosen."""
    for passed_only in (False, True):
        found = chosen(make, CUT, {}, CUT, passed_only=passed_only)
        assert (found.runs, found.left_out) == (
            ("b",),
            ("a: the case was interrupted", "c: the case was interrupted"),
        )


def test_where_none_is_usable_each_reason_is_told(make: Any) -> None:
    """Runs that have the case and are all unusable leave no history and their reasons, and refuse nothing."""
    assert chosen(make, CUT, WORSE, passed_only=True) == Chosen(
        left_out=("a: the case was interrupted", "b: its own gate failed")
    )


def test_another_case_under_the_same_id_is_refused(make: Any) -> None:
    """Where every run defines the case otherwise, it is refused with all differences to the newest."""
    messages = (Message(role="user", content="Why?"),)
    found = chosen(make, {}, HOT, now={"case": {"prefix": "reuse", "think": True}})
    assert found == Chosen(
        refused="it is not the same case: prefix reuse instead of unique; think true instead of default; "
        "option temperature 0.5 instead of 0.8"
    )
    prompts = [make.case(make.result(case=case)).conditions.defining["prompt"] for case in ({"messages": messages}, {})]
    assert chosen(make, {}, now={"case": {"messages": messages}}).refused == (
        f"it is not the same case: prompt {prompts[0]} instead of {prompts[1]}"
    )


def test_runs_from_before_a_case_was_changed_are_left_out(make: Any) -> None:
    """Runs that define the case as it is now are taken, the others are named with each difference."""
    found = chosen(make, {}, HOT, {}, now=HOT)
    assert found == Chosen(
        members=found.members,
        left_out=(
            "a: option temperature 0.5 instead of 0.8",
            "c: option temperature 0.5 instead of 0.8",
        ),
    )
    assert found.runs == ("b",)


def test_anyway_compares_another_case_and_says_so(make: Any) -> None:
    """With `anyway` nothing is refused, and every difference is named."""
    found = chosen(make, {}, {}, now=HOT, anyway=True)
    assert (found.runs, found.refused, found.left_out) == (("a", "b"), None, ())
    assert found.differences == ("option temperature 0.8 instead of 0.5",)


def test_anyway_prefers_runs_of_the_same_case(make: Any) -> None:
    """With `anyway`, too, runs of the same case are taken where there are some."""
    found = chosen(make, {}, HOT, {}, now=HOT, anyway=True)
    assert (found.runs, found.differences) == (("b",), ())


def test_anyway_does_not_mix_different_cases(make: Any) -> None:
    """With `anyway` the members of a history are still runs of one and the same case: all like the newest."""
    found = chosen(make, HOTTER, {}, {}, now=HOT, anyway=True)
    assert found.runs == ("b", "c")
    assert found.left_out == ("a: option temperature 1.5 instead of 0.5",)
    assert found.differences == ("option temperature 0.8 instead of 0.5",)


def test_what_one_wants_to_compare_is_named(make: Any) -> None:
    """A newer server or another model is compared, and each difference to the history is named."""
    found = chosen(make, OLD, OLD, now={**NEW, "model": {"quantization": "F16"}})
    assert (found.runs, found.left_out) == (("a", "b"), ())
    assert found.differences == ("quantization F16 instead of Q8_0", "Ollama version 0.33.0 instead of 0.32.15")


def test_runs_of_different_circumstances_are_not_mixed(make: Any) -> None:
    """The history agrees with the newest run that agrees with this one; others are named with what differs."""
    found = chosen(make, OLD, NEW, OLD, NEW, now=OLD)
    assert (found.runs, found.differences) == (("a", "c"), ())
    assert found.left_out == (
        "b: Ollama version 0.33.0 instead of 0.32.15",
        "d: Ollama version 0.33.0 instead of 0.32.15",
    )


def test_where_none_agrees_the_newest_is_the_history(make: Any) -> None:
    """Where no run agrees with this one, those are taken that agree with the newest, so that one thing is compared."""
    found = chosen(make, OLD, NEW, NEW, now={"host": {"version": "0.34.0"}})
    assert (found.runs, found.differences) == (("b", "c"), ("Ollama version 0.34.0 instead of 0.33.0",))
    assert found.left_out == ("a: Ollama version 0.32.15 instead of 0.33.0",)


def test_the_last_runs_are_counted_among_the_comparable(make: Any) -> None:
    """`last` counts those that can be compared and no others."""
    found = chosen(make, OLD, OLD, OLD, NEW, NEW, {**OLD, **CUT}, now=OLD, last=2)
    assert found.runs == ("b", "c")
    assert found.left_out == (
        "d: Ollama version 0.33.0 instead of 0.32.15",
        "e: Ollama version 0.33.0 instead of 0.32.15",
        "f: the case was interrupted",
    )


@pytest.mark.parametrize(
    ("last", "runs", "left_out"),
    [
        (1, ("d",), ()),
        (2, ("b", "d"), ("c: the case was interrupted",)),
        (3, ("b", "d"), ("a: the case was interrupted", "c: the case was interrupted")),
        (None, ("b", "d"), ("a: the case was interrupted", "c: the case was interrupted")),
    ],
)
def test_of_older_runs_than_were_wanted_nothing_is_said(
    make: Any, last: int | None, runs: tuple[str, ...], left_out: tuple[str, ...]
) -> None:
    """Where so many runs were found as were wanted, those before the oldest of them are no matter."""
    found = chosen(make, CUT, {}, CUT, {}, last=last)
    assert (found.runs, found.left_out) == (runs, left_out)


def test_a_run_of_which_nothing_is_known_is_compared(make: Any) -> None:
    """Rows without `extra_info` are compared, and that nobody knows what they were measured on is the difference."""
    bare = [make.run(name, make.result(), bare=True) for name in "ab"]
    found = Baseline(bare).choose(ID, make.case(make.result()).conditions)
    assert (found.runs, found.refused, found.left_out) == (("a", "b"), None, ())
    assert found.differences == ("nothing is known of what a, b was measured on",)


def test_a_run_of_which_nothing_is_known_does_not_mix_others(make: Any) -> None:
    """Two servers stay two, though a run in between, of which nothing is known, agrees with both."""
    old, new = runs(make, OLD, NEW)
    bare = make.run("c", make.result(), bare=True)
    found = Baseline([old, new, bare]).choose(ID, make.case(make.result(**NEW)).conditions)
    assert (found.runs, found.left_out) == (("b", "c"), ("a: Ollama version 0.32.15 instead of 0.33.0",))
    assert found.differences == ("nothing is known of what c was measured on",)


def test_a_run_of_which_nothing_is_known_is_named_wherever_it_stands(make: Any) -> None:
    """A history in which only an older run says nothing of itself does not pass in silence."""
    bare = make.run("0", make.result(), bare=True)
    found = Baseline([bare, *runs(make, {})]).choose(ID, make.case(make.result()).conditions)
    assert found.runs == ("0", "a")
    assert found.differences == ("nothing is known of what 0 was measured on",)


def test_without_a_case_of_this_run_the_newest_says_what_it_is(make: Any) -> None:
    """For the suite's own margins a case is what its newest run says, in the environment that is given."""
    baseline = Baseline(runs(make, HOT, OLD, NEW, OLD))
    environment = dict(make.case(make.result(**NEW)).conditions.environment)
    here = baseline.choose(ID, environment=environment)
    assert here.runs == ("c",)
    assert here.left_out == (
        "a: option temperature 0.8 instead of 0.5",
        "b: Ollama version 0.32.15 instead of 0.33.0",
        "d: Ollama version 0.32.15 instead of 0.33.0",
    )
    assert (here.refused, here.differences) == (None, ())
    assert baseline.choose(ID).runs == ("b", "d")


def test_a_baseline_keeps_what_it_was_told(make: Any) -> None:
    """Runs and notes are there to be shown."""
    history = runs(make, {}, {})
    baseline = Baseline(history, notes=["Passed over: x"])
    assert (baseline.runs, baseline.notes) == (tuple(history), ("Passed over: x",))
    assert (baseline.last, baseline.passed_only, baseline.anyway) == (None, False, False)
