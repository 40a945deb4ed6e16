"""What is said about a session, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.records import Failure
from pytest_chimera.report import ReportInput, build_report
from pytest_chimera.report.document import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pytest_chimera.records import CaseResult, Generation

    Say = Callable[..., list[str]]


@pytest.fixture
def say(created: datetime) -> Say:
    """The findings of one kind on these results, as plain sentences."""

    def sentences(kind: str, *results: CaseResult) -> list[str]:
        report = build_report(ReportInput(results=results, created=created, suite="s"))
        return [plain(each.line) for each in report.findings if each.kind == kind]

    return sentences


def test_a_quiet_session(say: Say, result: Callable[..., CaseResult], generation: Callable[..., Generation]) -> None:
    """One case without anything special gets its medians, and every other kind says that there was nothing."""
    quiet = result(generations=(generation(), generation()))
    assert say("speed", quiet) == ["Median tok/s: test_sky on gemma3:latest at 100 tok/s."]
    assert say("first token", quiet) == ["Median TTFT: test_sky on gemma3:latest at 50.0 ms."]
    assert say("cold starts", quiet) == ["No cold start: the model was never loaded for a round."]
    assert say("failures", quiet) == ["No round failed."]
    assert say("prompts", quiet) == ["Every prompt fitted into num_ctx."]
    assert say("stalls", quiet) == ["No counted round stalled."]
    assert say("waiting", quiet) == [
        "Longest wait within a request (for a slot, template, tokenising): 1.00 ms in test_sky on gemma3:latest."
    ]
    assert say("answers", quiet) == []
    assert say("incomplete", quiet) == []


def test_fastest_and_slowest_are_by_median(
    say: Say, result: Callable[..., CaseResult], generation: Callable[..., Generation]
) -> None:
    """Of several cases the best and the worst median are named, in the metric's own direction."""
    cases = [
        result(f"test_{step}", generations=(generation(step_ms=step, ttft_ms=step * 10),)) for step in (20, 10, 40)
    ]
    assert say("speed", *cases) == [
        "Fastest by median tok/s: test_10 on gemma3:latest at 100 tok/s.",
        "Slowest by median tok/s: test_40 on gemma3:latest at 25.0 tok/s.",
    ]
    assert say("first token", *cases) == [
        "Soonest first token by median TTFT: test_10 on gemma3:latest at 100 ms.",
        "Latest first token by median TTFT: test_40 on gemma3:latest at 400 ms.",
    ]


def test_failures_are_grouped_by_reason(
    say: Say, result: Callable[..., CaseResult], generation: Callable[..., Generation]
) -> None:
    """Failed rounds are counted apart from failed warm-ups, and each reason stands once with its rounds."""
    gone = generation(failure=Failure(kind="cut", message="The stream ended.", cause="no_final_chunk"))
    busy = generation(failure=Failure(kind="http", status=503, message="server busy", cause="busy"))
    assert say("failures", result(generations=(gone, generation(), gone, gone, busy), warmup=(busy,))) == [
        (
            "Failed rounds: test_sky on gemma3:latest, 4 and 1 in the warm-up: "
            "round 5; warm-up 1 HTTP 503 (busy): server busy; rounds 1, 3-4 cut (no_final_chunk): The stream ended."
        )
    ]


def test_no_speed_is_known_when_nothing_counted(
    say: Say, result: Callable[..., CaseResult], generation: Callable[..., Generation]
) -> None:
    """With failed rounds only, no speed is made up and prompts are not said to have fitted."""
    failed = result(generations=(generation(failure=Failure(kind="cut", cause="closed", message="gone")),))
    assert say("speed", failed) == ["No tok/s is known: no counted round has one."]
    assert say("waiting", failed) == ["Waiting within requests is unknown: no counted round reports all durations."]
    assert say("prompts", failed) == ["Whether the whole prompt was read is unknown: test_sky on gemma3:latest."]


def test_answers_that_are_none(
    say: Say, result: Callable[..., CaseResult], generation: Callable[..., Generation]
) -> None:
    """Empty answers, thinking without an answer, and answers that were ended are each counted."""
    rounds = (generation(text=""), generation(text="", thinking="hm"), generation(done_reason="length"))
    assert say("answers", result(generations=rounds, case={"output_tokens": 21})) == [
        "Rounds with an empty answer: test_sky on gemma3:latest (1).",
        "Rounds with thinking and no answer: test_sky on gemma3:latest (1).",
        "Rounds whose answer ended before the size asked for: test_sky on gemma3:latest (3).",
        "Rounds whose answer ended at a limit of tokens: test_sky on gemma3:latest (1).",
    ]


def test_cut_prompts_are_said(
    say: Say, result: Callable[..., CaseResult], generation: Callable[..., Generation]
) -> None:
    """A prompt that the server cut in silence is found by its count; a refused one by its cause."""
    cut = result(generations=(generation(prompt_eval_count=4096),), case={"truncate": True})
    refused = result(
        "test_b", generations=(generation(failure=Failure(kind="http", status=400, message="", cause="too_long")),)
    )
    assert say("prompts", cut, refused) == [
        "Prompts that did not fit into num_ctx and were refused: test_b on gemma3:latest (1).",
        "Prompts that the server cut to num_ctx: test_sky on gemma3:latest (1).",
        "Whether the whole prompt was read is unknown: test_b on gemma3:latest.",
    ]


def test_a_busy_server_is_said(
    say: Say, result: Callable[..., CaseResult], generation: Callable[..., Generation]
) -> None:
    """How often the server was busy before it took a request is counted."""
    busy = result(generations=(generation(),))
    busy = replace(busy, rounds=(replace(busy.rounds[0], busy_answers=3),))
    assert say("waiting", busy)[0] == "Times that the server was busy first: test_sky on gemma3:latest (3)."


def test_a_long_error_is_shortened(
    say: Say, result: Callable[..., CaseResult], generation: Callable[..., Generation]
) -> None:
    """Of an error as long as a page the finding has the beginning."""
    page = generation(failure=Failure(kind="http", cause="server", status=502, message="x" * 10_000))
    (text,) = say("failures", result(generations=(page,)))
    assert text.endswith("x...")
    assert len(text) < 500
