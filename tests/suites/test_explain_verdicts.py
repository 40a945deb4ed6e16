"""The whole texts with which a case fails that is worse than before, or that could not be compared."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pytest_chimera.records import BaselinePoint, CaseResult, SecondLook, Verdict
from pytest_chimera.suites import LimitBroken
from pytest_chimera.suites.checking import check
from pytest_chimera.suites.explain import WorseThanBefore, explain_verdicts
from pytest_chimera.suites.gating import Gating

MS = 1_000_000
ESC = "\x1b[31m"
CONDITIONS = """
  model    gemma3:latest, digest a2af6cc3eb7f, 4.3B, Q4_K_M
  host     http://h:1, Ollama 0.32.15
  options  num_ctx=4096 (default), think=default
  loaded   num_ctx 4096, share on the GPU 100 %
  case     test_sky[gemma3], 2 rounds, 1 warm-up, start warm, prefix unique, prompt a32c6059dae4"""


def points(*values: float, rounds: int | None = 3) -> tuple[BaselinePoint, ...]:
    """Earlier runs with these values."""
    return tuple(
        BaselinePoint(run=f"000{number}_base", value=value, rounds=rounds) for number, value in enumerate(values, 1)
    )


def verdict(**changes: Any) -> Verdict:
    """tok/s that fell from 25.0 to 20.0."""
    fields: dict[str, Any] = {
        "case": "test_sky.py::test_sky[gemma3]", "name": "test_sky[gemma3]", "model": "gemma3:latest",
        "metric": "tok/s", "threshold": 0.05, "outcome": "worse", "now": 20.0, "before": 25.0, "ratio": 0.8,
        "ratio_low": 0.77, "ratio_high": 0.831, "p_value": 0.00123, "margin": 0.07, "error": 0.02,
        "smallest_change": 0.068, "rounds": 2, "baseline": points(25.0, 26.0, 24.0), "comparisons": 3,
    }  # fmt: skip
    return Verdict(**{**fields, **changes})


def unjudged(outcome: str = "no baseline", reason: str = "no earlier run has this case", **changes: Any) -> Verdict:
    """tok/s that could not be compared."""
    bare = dict.fromkeys(
        ("now", "before", "ratio", "ratio_low", "ratio_high", "p_value", "margin", "error", "smallest_change")
    )
    return verdict(**bare, outcome=outcome, reason=reason, rounds=0, baseline=(), comparisons=0, **changes)


@pytest.fixture
def result(house: Any) -> CaseResult:
    """A case of two rounds at 20 tok/s."""
    house.server.plan = [{"eval_duration_ns": 500 * MS}] * 3
    found: CaseResult = house.bench()("Why is the sky blue?", rounds=2).result
    return found


def text(result: CaseResult, *verdicts: Verdict, failing: tuple[Verdict, ...] = ()) -> str:
    """The text for a result with these verdicts, of which by default the first fails it."""
    return explain_verdicts(dataclasses.replace(result, verdicts=verdicts), failing or verdicts[:1])


def test_one_metric_that_became_worse(result: CaseResult) -> None:
    """The text has the change with its uncertainty, the baseline's runs, every round, and what it was measured on."""
    assert text(result, verdict()) == (
        """\
tok/s is 20.0 % lower than before: 20.0 tok/s now (median of 2 rounds), 25.0 tok/s before (3 runs)
  tok/s: worse, -20.0 %, 95 % interval -23.0 to -16.9 %, allowed 5 %, noise explains up to 6.76 %, p 0.0012 over 3 \
comparisons

  baseline        tok/s
  0001_base  25.0 tok/s  3 rounds
  0002_base  26.0 tok/s  3 rounds
  0003_base  24.0 tok/s  3 rounds

  round           tok/s     TTFT     E2E
  warm-up 1  20.0 tok/s  50.0 ms  450 ms  not counted
  round 1    20.0 tok/s  50.0 ms  450 ms
  round 2    20.0 tok/s  50.0 ms  450 ms
"""
        + CONDITIONS
    )


def test_several_metrics_of_which_one_is_worse(result: CaseResult) -> None:
    """Each comparison has its line with its remarks below; a run that lacks a metric has a dash in its column."""
    ttft = verdict(
        metric="ttft", statistic="p95", outcome="same", gated=False, now=0.05, before=0.05, ratio=1.0, ratio_low=0.9,
        ratio_high=1.111, p_value=1.0, margin=0.2, baseline=points(0.051, rounds=1), allowance=0.02, comparisons=1,
        differences=("Ollama version 0.33.0 instead of 0.32.15",),
    )  # fmt: skip
    e2e = unjudged("not comparable", "answers differ in length", metric="e2e")
    worse = verdict(
        baseline=(*points(25.0, 26.0), BaselinePoint(run="old", value=24.0)),
        second=SecondLook(value=20.5, ratio=0.82, confirmed=True, rounds=3),
        reason="only the median is known of old",
    )
    assert text(result, ttft, worse, e2e, failing=(worse,)) == (
        """\
tok/s is 20.0 % lower than before: 20.0 tok/s now (median of 2 rounds), 25.0 tok/s before (3 runs); 1 of 3 comparisons
  ttft.p95: same (not gated), +0.0 %, 95 % interval -10.0 to +11.1 %, allowed 5 %, noise explains up to 22.1 %, \
p 1 over 1 comparison
    1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed
    differs from the baseline: Ollama version 0.33.0 instead of 0.32.15
  tok/s: worse, -20.0 %, 95 % interval -23.0 to -16.9 %, allowed 5 %, noise explains up to 6.76 %, p 0.0012 over 3 \
comparisons
    measured again: 20.5 tok/s (-18.0 %), confirmed
    only the median is known of old
  e2e: not comparable: answers differ in length

  baseline   ttft.p95       tok/s
  0001_base   51.0 ms  25.0 tok/s  1 round
  0002_base         -  26.0 tok/s  3 rounds
  old               -  24.0 tok/s

  round         TTFT       tok/s     E2E
  warm-up 1  50.0 ms  20.0 tok/s  450 ms  not counted
  round 1    50.0 ms  20.0 tok/s  450 ms
  round 2    50.0 ms  20.0 tok/s  450 ms
"""
        + CONDITIONS
    )


def test_a_time_that_became_higher(result: CaseResult) -> None:
    """Of a time more is worse, and what noise explains is a share of the time."""
    slower = verdict(
        metric="itl", statistic="max", now=0.05, before=0.04, ratio=1.25, ratio_low=1.2, ratio_high=1.3,
        p_value=0.00004, margin=0.07, comparisons=1, baseline=points(0.04),
    )  # fmt: skip
    assert text(result, slower).partition("\n\n  round ")[0] == (
        "itl.max is 25.0 % higher than before: 50.0 ms now (max of 2 rounds), 40.0 ms before (1 run)\n"
        "  itl.max: worse, +25.0 %, 95 % interval +20.0 to +30.0 %, allowed 5 %, noise explains up to 7.25 %, "
        "p < 0.0001 over 1 comparison\n"
        "\n"
        "  baseline   itl.max\n"
        "  0001_base  40.0 ms  3 rounds"
    )


def test_nothing_to_compare_with(result: CaseResult) -> None:
    """The reason stands in the first line; there is no table of a baseline that is not there."""
    assert text(result, unjudged(reason="no --chimera-baseline was given")) == (
        """\
tok/s cannot be judged: no baseline: no --chimera-baseline was given
  tok/s: no baseline: no --chimera-baseline was given

  round           tok/s     TTFT     E2E
  warm-up 1  20.0 tok/s  50.0 ms  450 ms  not counted
  round 1    20.0 tok/s  50.0 ms  450 ms
  round 2    20.0 tok/s  50.0 ms  450 ms
"""
        + CONDITIONS
    )


def gate_that_asks_nothing(*, strict: bool) -> Gating:
    """A gate without limits of its own, for results that have their verdicts already."""
    return Gating(gate=None, saved=lambda _: None, strict=strict)  # type: ignore[arg-type]  # neither is asked


@pytest.mark.parametrize(
    ("verdicts", "strict", "head"),
    [
        ((verdict(),), False, "tok/s is 20.0 % lower than before"),
        ((verdict(gated=False),), True, None),
        ((unjudged(),), False, None),
        ((unjudged(),), True, "tok/s cannot be judged: no baseline: no earlier run has this case"),
        ((unjudged("not enough samples", "one round"),), True, "tok/s cannot be judged: not enough samples: one round"),
        ((unjudged("not comparable", "another prompt"),), True, "tok/s cannot be judged: not comparable: another"),
        ((unjudged(gated=False),), True, None),
        ((verdict(outcome="same"), verdict(outcome="better")), True, None),
        ((unjudged(), verdict()), False, "tok/s is 20.0 % lower than before"),
    ],
)  # fmt: skip
def test_which_verdicts_fail_a_case(
    result: CaseResult, verdicts: tuple[Verdict, ...], strict: bool, head: str | None
) -> None:
    """Only what is gated fails: `worse` always, what could not be judged under strict; the text begins with it."""
    judged = dataclasses.replace(result, verdicts=verdicts)
    if head is None:
        check(judged, gate_that_asks_nothing(strict=strict))
        return
    with pytest.raises(WorseThanBefore) as caught:
        check(judged, gate_that_asks_nothing(strict=strict))
    assert str(caught.value).startswith(head)
    assert caught.value.result is judged


def test_a_limit_that_fails_mentions_what_is_worse(result: CaseResult) -> None:
    """The text of a broken limit has a line for each verdict that would fail the case as well, and for no other."""
    judged = dataclasses.replace(
        result,
        case=dataclasses.replace(result.case, limits=("tok/s >= 30",)),
        verdicts=(verdict(), verdict(metric="ttft", outcome="same"), unjudged(metric="e2e")),
    )
    with pytest.raises(LimitBroken) as caught:
        check(judged, gate_that_asks_nothing(strict=True))
    assert str(caught.value).partition("\n\n")[0].splitlines() == [
        "tok/s >= 30 does not hold: measured 20.0 tok/s (median of 2 rounds)",
        "  tok/s is 20.0 % lower than before: 20.0 tok/s now (median of 2 rounds), 25.0 tok/s before (3 runs)",
        "  e2e cannot be judged: no baseline: no earlier run has this case",
    ]


def test_what_files_say_cannot_act_on_the_terminal(result: CaseResult) -> None:
    """Names of runs, reasons and differences come from files, and are written out where they could act."""
    rude = verdict(
        reason=f"only the median is known of {ESC}x",
        baseline=(BaselinePoint(run=f"{ESC}x", value=25.0, rounds=3),),
        differences=(f"model digest 1 instead of {ESC}2",),
    )
    shown = text(result, rude, unjudged(reason=f"{ESC}x has no tok/s of this case"))
    assert ESC not in shown
    assert shown.count("\\x1b[31m") == 4
    assert "\\x1b[31mx" in text(result, unjudged(reason=f"{ESC}x: its own gate failed")).splitlines()[0]


def test_what_files_say_cannot_act_on_the_terminal_beside_a_limit(result: CaseResult) -> None:
    """Nor can they where a limit failed and a verdict is mentioned below it."""
    judged = dataclasses.replace(
        result,
        case=dataclasses.replace(result.case, limits=("tok/s >= 30",)),
        verdicts=(unjudged(reason=f"{ESC}x: its own gate failed"),),
    )
    with pytest.raises(LimitBroken) as caught:
        check(judged, gate_that_asks_nothing(strict=True))
    assert "  tok/s cannot be judged: no baseline: \\x1b[31mx: its own gate failed" in str(caught.value).splitlines()
