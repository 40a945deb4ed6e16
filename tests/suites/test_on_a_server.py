"""Runner and bench with the real client on the scripted engine: what the seams of the other tests stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.client import Client, Connection, SystemClock
from pytest_chimera.engine.script import Script, ScriptedAnswer, ScriptedModel, split_words
from pytest_chimera.engine.scripted import ScriptedBackend
from pytest_chimera.engine.serve import LocalServer
from pytest_chimera.suites import Bench, CaseArguments, RoundsFailed
from pytest_chimera.suites.exclusive import HostLock
from pytest_chimera.suites.journal import Journal, read_journal
from pytest_chimera.suites.runner import Runner, Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_chimera.records import CaseResult

SKY = ScriptedAnswer(tokens=split_words("The sky is blue because short waves scatter more."), ttft_s=0.005)
PAGE = " ".join(["word"] * 900)


@pytest.fixture
def delivered() -> list[CaseResult]:
    """What the bench handed on."""
    return []


@pytest.fixture
def bench(tmp_path: Any, delivered: list[CaseResult]) -> Iterator[Callable[..., Bench]]:
    """Make a bench on a scripted model; its server lives as long as the test."""
    servers: list[LocalServer] = []

    def make(*answers: ScriptedAnswer, **model: Any) -> Bench:
        script = Script(models={"sky:latest": ScriptedModel(answers=answers or (SKY,), **model)})
        server = LocalServer(ScriptedBackend(script))
        servers.append(server.__enter__())
        client = Client(Connection.resolve(server.url, {}, {}))
        runner = Runner(
            client, client.host_info(), journal=Journal(tmp_path / "j.jsonl"), observer=Unobserved(),
            exclusive=HostLock(server.url, tmp_path), clock=SystemClock(), pause=lambda _: None,
        )  # fmt: skip
        return Bench(
            runner, client.model("sky"), test_id="t.py::test", test_name="test", deliver=delivered.append,
            marker=CaseArguments(), settings=CaseArguments(rounds=3),
        )  # fmt: skip

    yield make
    for server in servers:
        server.__exit__(None, None, None)


def test_a_warm_case_is_measured_whole(bench: Any, delivered: Any, tmp_path: Any) -> None:
    """One cold warm-up, warm rounds, the window as loaded, every server time, and the same in the journal."""
    run = bench(load_s=0.01, warm_load_s=0.001)("Why is the sky blue?", limits="output_tokens >= 5")
    assert run.text == "The sky is blue because short waves scatter more."
    assert [(each.warmup, each.cold) for each in run.result.rounds] == [
        (True, True), (False, False), (False, False), (False, False),
    ]  # fmt: skip
    assert run.result.loaded.context_length == 4096
    assert run.result.host.engine == "embedded"
    assert (run.ttft.n, run.tok_s.n, run.e2e.n, run.load.n, run.wait.n) == (3, 3, 3, 3, 3)
    assert run.itl.n == 3 * 8
    assert read_journal(tmp_path / "j.jsonl") == delivered == [run.result]


def test_a_cold_case_is_measured_cold(bench: Any) -> None:
    """Each round unloads first, so that each has its load; the server says so too."""
    run = bench(load_s=0.01)("Why?", start="cold", rounds=2)
    assert [(each.warmup, each.cold) for each in run.result.rounds] == [(False, True), (False, True)]
    assert run.load.minimum > 0


def test_a_prompt_of_a_fixed_size_is_made(bench: Any) -> None:
    """The server counts exactly the tokens asked for in every round, nonce and all."""
    run = bench()(prompt_tokens=100, output_tokens=4)
    assert run.prompt_tokens.values == (100.0, 100.0, 100.0)
    assert run.output_tokens.values == (4.0, 4.0, 4.0)


def test_an_answer_that_ends_before_its_size_is_flagged(bench: Any) -> None:
    """A round with fewer tokens than asked for is counted and flagged."""
    run = bench()("Why?", output_tokens=50)
    assert [each.number for each in run.result.stopped_early] == [1, 2, 3]


def test_a_prompt_that_does_not_fit_is_a_named_failure(bench: Any) -> None:
    """Truncation is forbidden unless a case allows it, and the 400 of the server is the reason."""
    with pytest.raises(RoundsFailed) as caught:
        bench()(PAGE, options={"num_ctx": 512})
    assert str(caught.value).startswith("The warm-up failed, so nothing was measured: http 400 (too_long): ")


def test_a_prompt_that_was_cut_is_seen(bench: Any) -> None:
    """With truncation allowed the case runs, and the rounds are not said to have fitted."""
    run = bench()(PAGE, options={"num_ctx": 512}, truncate=True)
    assert {run.result.prompt_fit(each) for each in run.generations} <= {"cut", "unknown"}


def test_a_stream_that_is_cut_is_a_failed_round(bench: Any, delivered: Any) -> None:
    """The partial answer is kept, the round is not averaged, and the others go on."""
    cut = ScriptedAnswer(tokens=SKY.tokens, cut_after=3)
    run = bench(SKY, SKY, cut, SKY)("Why?", max_failed_rounds=1)
    assert [each.generation.ok for each in run.result.rounds] == [True, True, False, True]
    assert run.result.failed[0].generation.text == "The sky is"
    assert (run.tok_s.n, delivered) == (2, [run.result])


def test_a_busy_server_is_asked_again(bench: Any) -> None:
    """A 503 before the answer is retried and noted."""
    busy = ScriptedAnswer(error="server busy, please try again.  maximum pending requests exceeded", error_status=503)
    run = bench(SKY, busy, busy, SKY)("Why?", rounds=1)
    assert [each.busy_answers for each in run.result.rounds] == [0, 2]


def test_one_request_can_be_timed_by_others(bench: Any) -> None:
    """`once` gives the Generation of one request."""
    assert bench().once("Why?").text == "The sky is blue because short waves scatter more."
