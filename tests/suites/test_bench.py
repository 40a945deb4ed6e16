"""What a test calls: cases from calls, results handed on before a failure, and the whole texts of failures."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from pytest_chimera.errors import LimitError, MarkerError, OptionError, PersonaError
from pytest_chimera.records import Failure
from pytest_chimera.suites import CaseArguments, LimitBroken, RoundsFailed

MS = 1_000_000
REFUSED = Failure(kind="connect", cause="refused", message="Nobody listens at h:1.\x1b[31m")
CONDITIONS = """
  model    gemma3:latest, digest a2af6cc3eb7f, 4.3B, Q4_K_M
  host     http://h:1, Ollama 0.32.15
  options  num_ctx=4096 (default), think=default
  loaded   num_ctx 4096, share on the GPU 100 %
"""


def failure(house: Any, kind: type[Exception], **arguments: Any) -> str:
    """The whole text with which a call fails."""
    with pytest.raises(kind) as caught:
        house.bench()("Why is the sky blue?", **arguments)
    return str(caught.value)


def test_a_call_measures_a_case_and_hands_its_result_on(house: Any) -> None:
    """The run holds the same result that was delivered."""
    run = house.bench()("Why is the sky blue?")
    assert house.delivered == [run.result]
    assert run.text == "Because of Rayleigh scattering."
    assert run.case.id == "test_sky.py::test_sky[gemma3]"


def test_it_names_test_and_model_in_a_failed_assert(house: Any) -> None:
    """What pytest shows of the fixture says what it measures, and not where it lies in memory."""
    assert repr(house.bench()) == "<chimera of test_sky[gemma3] on gemma3:latest>"


def test_several_calls_in_one_test_are_several_cases(house: Any) -> None:
    """The second call is "#2", the third "#3"."""
    bench = house.bench()
    for _ in range(3):
        bench("Why is the sky blue?")
    assert [each.case.id.partition("::")[2] for each in house.delivered] == [
        "test_sky[gemma3]", "test_sky[gemma3] #2", "test_sky[gemma3] #3",
    ]  # fmt: skip
    assert [each.case.name for each in house.delivered] == [
        "test_sky[gemma3]", "test_sky[gemma3] #2", "test_sky[gemma3] #3",
    ]  # fmt: skip


def test_a_call_stands_over_the_marker_and_the_marker_over_the_settings(house: Any) -> None:
    """Rounds come from the call, warm-up from the marker, options from both."""
    marker = CaseArguments.parse(
        {"warmup": 0, "rounds": 7, "options": {"seed": 1, "temperature": 1}, "limits": "e2e<9"}
    )
    run = house.bench(marker)("Why?", rounds=2, options={"temperature": 0}, limits=["tok/s > 1", "e2e < 5 s"])
    assert (run.case.rounds, run.case.warmup) == (2, 0)
    assert run.case.options == {"num_ctx": 4096, "seed": 1, "temperature": 0.0}
    assert run.case.options_set == ("seed", "temperature")
    assert run.case.limits == ("tok/s > 1", "e2e < 5 s")


def test_a_limit_that_does_not_hold_fails_with_what_was_measured(house: Any) -> None:
    """The text names limit, measured value, each round, model, host and options; the result was handed on before."""
    house.server.plan = [{}, {"eval_duration_ns": 500 * MS}, {"eval_duration_ns": 1000 * MS}]
    text = failure(
        house, LimitBroken, limits={"tok/s": ">= 30", "ttft.max": "<= 2 s"}, options={"temperature": 0},
        persona="insight-agent", warmup=1,
    )  # fmt: skip
    assert text == (
        """\
tok/s >= 30 does not hold: measured 20.0 tok/s (median of 3 rounds); 1 of 2 limits
  tok/s >= 30: broken, measured 20.0 tok/s (median of 3 rounds)
  ttft.max <= 2 s: held, measured 50.0 ms (max of 3 rounds)

  round           tok/s     TTFT     E2E
  warm-up 1  25.0 tok/s  50.0 ms  450 ms  not counted
  round 1    20.0 tok/s  50.0 ms  450 ms
  round 2    10.0 tok/s  50.0 ms  450 ms
  round 3    25.0 tok/s  50.0 ms  450 ms

  model    gemma3:latest, digest a2af6cc3eb7f, 4.3B, Q4_K_M
  host     http://h:1, Ollama 0.32.15
  options  num_ctx=4096 (default), temperature=0.0, think=default
  loaded   num_ctx 4096, share on the GPU 100 %
  case     test_sky[gemma3], 3 rounds, 1 warm-up, start warm, prefix unique, persona Insight-Agent, \
prompt """
        + house.delivered[0].case.prompt_hash[:12]
    )


def test_a_limit_that_cannot_be_judged_fails_too(house: Any) -> None:
    """A case with a limit on something that no round has does not pass."""
    house.server.plan = [{}, {"eval_duration_ns": None, "chunks": ()}]
    assert failure(house, LimitBroken, limits="tok/s >= 30", rounds=1) == (
        """\
tok/s >= 30 cannot be judged: no counted round has a value for it

  round           tok/s     TTFT     E2E
  warm-up 1  25.0 tok/s  50.0 ms  450 ms  not counted
  round 1             -        -  450 ms  empty answer
"""
        + CONDITIONS
        + "  case     test_sky[gemma3], 1 round, 1 warm-up, start warm, prefix unique, prompt a32c6059dae4"
    )


def test_rounds_that_had_to_load_do_not_count_and_the_text_says_what_to_do(house: Any) -> None:
    """Without a warm-up a single round is cold; the text names the two ways out."""
    assert failure(house, LimitBroken, limits="tok/s >= 1", rounds=1, warmup=0) == (
        """\
tok/s >= 1 cannot be judged: no counted round has a value for it
  No round counts: the model was loaded for each of them: use warmup=1, or start='cold' to measure just that.

  round         tok/s     TTFT     E2E
  round 1  25.0 tok/s  50.0 ms  450 ms  cold, not counted
"""
        + CONDITIONS
        + "  case     test_sky[gemma3], 1 round, 0 warm-up, start warm, prefix unique, prompt a32c6059dae4"
    )


def test_too_many_failed_rounds_fail_with_all_their_reasons(house: Any) -> None:
    """The text names each failed round, printable, and how many rounds were made."""
    cut = {
        "failure": Failure(kind="cut", cause="reset", message="The connection was reset."), "end_ns": 300 * MS,
        "eval_count": None, "eval_duration_ns": None,
    }  # fmt: skip
    house.server.plan = [{}, {}, REFUSED, cut]
    assert failure(house, RoundsFailed, max_failed_rounds=1, rounds=9) == (
        """\
2 of 3 rounds failed and max_failed_rounds is 1: connect (refused): Nobody listens at h:1.\\x1b[31m
  round 2: connect (refused): Nobody listens at h:1.\\x1b[31m
  round 3: cut (reset): The connection was reset. (10 chunks had arrived and are kept)
  Stopped after 3 of 9 rounds; 1 counted.

  round         TTFT       tok/s     E2E
  warm-up 1  50.0 ms  25.0 tok/s  450 ms  not counted
  round 1    50.0 ms  25.0 tok/s  450 ms
  round 2          -           -       -  failed
  round 3    50.0 ms           -       -  failed
"""
        + CONDITIONS
        + "  case     test_sky[gemma3], 9 rounds, 1 warm-up, start warm, prefix unique, prompt a32c6059dae4"
    )
    assert len(house.delivered) == 1


def test_a_failed_warm_up_fails_the_case_with_its_error(house: Any) -> None:
    """The error of the warm-up is the first line, whatever max_failed_rounds allows."""
    missing = Failure(kind="http", cause="model_missing", status=404, message="model 'gemma3' not found")
    house.server.plan = [missing]
    assert (
        failure(house, RoundsFailed, max_failed_rounds=5)
        == """\
The warm-up failed, so nothing was measured: http 404 (model_missing): model 'gemma3' not found

  round      TTFT  tok/s  E2E
  warm-up 1     -      -    -  failed

  model    gemma3:latest, digest a2af6cc3eb7f, 4.3B, Q4_K_M
  host     http://h:1, Ollama 0.32.15
  options  num_ctx=4096 (default), think=default
  case     test_sky[gemma3], 3 rounds, 1 warm-up, start warm, prefix unique, prompt a32c6059dae4"""
    )


def test_a_case_in_which_every_round_failed_fails_however_many_are_allowed(house: Any) -> None:
    """There is nothing to pass with."""
    house.server.plan = [{}, REFUSED]
    assert failure(house, RoundsFailed, max_failed_rounds=5, rounds=1).splitlines()[0] == (
        "1 of 1 round failed and max_failed_rounds is 5: connect (refused): Nobody listens at h:1.\\x1b[31m"
    )


def test_what_is_special_about_a_round_stands_beside_it(house: Any) -> None:
    """Cold rounds, a server that was busy, an early end and a prompt that was cut are noted."""
    busy = Failure(kind="http", cause="busy", status=503, message="server busy")
    cut = {"prompt_eval_count": 4096}
    house.server.plan = [{}, busy, cut, {"load_duration_ns": 400 * MS}]
    text = failure(house, LimitBroken, limits="tok/s > 99", output_tokens=12, truncate=True, rounds=4)
    assert (
        text.split("\n\n")[1]
        == """\
  round           tok/s     TTFT     E2E
  warm-up 1  25.0 tok/s  50.0 ms  450 ms  not counted
  round 1    25.0 tok/s  50.0 ms  450 ms  the server was busy 1 time before, ended after 10 of 12 tokens, \
its prompt was cut
  round 2    25.0 tok/s  50.0 ms  450 ms  cold, not counted
  round 3    25.0 tok/s  50.0 ms  450 ms  ended after 10 of 12 tokens
  round 4    25.0 tok/s  50.0 ms  450 ms  ended after 10 of 12 tokens"""
    )
    assert "options  num_ctx=4096 (default), num_predict=12, think=default" in text


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (
            LimitError,
            {"limits": "ttft.p95 < 1 s"},
            (
                "The limit 'ttft.p95 < 1 s' cannot be judged: p95 needs 20 rounds, this case has 3. "
                "Use rounds=20 or ttft.max."
            ),
        ),
        (MarkerError, {"round": 3}, None),
        (OptionError, {"options": {"num_ctxx": 3}}, None),
        (PersonaError, {"persona": "nobody"}, None),
    ],
)
def test_a_mistake_is_refused_before_anything_is_sent(
    house: Any, kind: type[Exception], arguments: dict[str, Any], message: str | None
) -> None:
    """No request is made for a call that cannot be measured as written."""
    text = failure(house, kind, **arguments)
    assert message is None or text == message
    assert house.server.calls == []
    assert house.delivered == []


def test_a_failure_survives_the_way_between_processes(house: Any) -> None:
    """Text and result are the same after pickling."""
    house.server.plan = [REFUSED]
    with pytest.raises(RoundsFailed) as caught:
        house.bench()("Why?")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.result == caught.value.result


def test_one_request_can_be_made_without_a_case(house: Any) -> None:
    """`once` measures one request with the arguments of the marker and hands no result on."""
    generation = house.bench(CaseArguments(options={"seed": 3})).once("Why?")
    assert generation.options == {"num_ctx": 4096, "seed": 3}
    assert house.delivered == []
