"""The runner of one case: its order of requests, what it notes, how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import HostAnswerError, MarkerError
from pytest_chimera.records import Failure, LoadedModel
from pytest_chimera.suites.journal import Journal, read_journal

if TYPE_CHECKING:
    from pytest_chimera.records import Case

MS = 1_000_000
REFUSED = Failure(kind="connect", cause="refused", message="Nobody listens at h:1.")
BUSY = Failure(kind="http", cause="busy", status=503, message="server busy, please try again.")


def test_a_warm_case_warms_up_first_and_asks_what_is_loaded_before_each_request(house: Any) -> None:
    """One warm-up round loads the model, the counted rounds find it loaded."""
    result = house.runner().run(house.case())
    assert house.server.calls == [
        "loaded", "measure", "loaded",  # the warm-up round, then the model as it was loaded
        "loaded", "measure", "loaded", "measure", "loaded", "measure",
    ]  # fmt: skip
    assert [(each.warmup, each.number, each.cold) for each in result.rounds] == [
        (True, 1, True),
        (False, 1, False),
        (False, 2, False),
        (False, 3, False),
    ]
    assert result.complete
    assert result.stopped is None
    assert result.loaded == LoadedModel(
        name="gemma3:latest", digest=house.model.digest, context_length=4096, size_bytes=4_000_000,
        size_vram_bytes=4_000_000,
    )  # fmt: skip
    assert house.watcher.seen == [
        "started test_sky[gemma3]", "warm-up 1 True", "round 1 True", "round 2 True", "round 3 True", "finished 3",
    ]  # fmt: skip


def test_the_times_of_the_phases_are_parted(house: Any) -> None:
    """Waiting for the host, warming up and measuring are three times of the result."""
    house.turns.wait_ms = 700
    result = house.runner().run(house.case())
    assert (result.waited_ns, result.setup_ns, result.warmup_ns, result.measuring_ns) == (
        700 * MS, 700 * MS, 500 * MS, 1500 * MS,
    )  # fmt: skip
    assert house.watcher.seen[0] == "busy test_sky[gemma3]"
    assert house.turns.held == 1


def test_a_host_that_is_free_is_not_waited_for(house: Any) -> None:
    """Without a wait, `waited_ns` is 0."""
    assert house.runner().run(house.case()).waited_ns == 0


def test_a_unique_prefix_takes_a_fresh_nonce_for_each_round(house: Any) -> None:
    """Each request has its own nonce, which is kept in its Generation."""
    result = house.runner().run(house.case())
    assert house.server.nonces == ["00000001", "00000002", "00000003", "00000004"]
    assert [each.generation.nonce for each in result.rounds] == house.server.nonces


def test_a_reused_prefix_has_no_nonce(house: Any) -> None:
    """With prefix="reuse" all prompts are the same."""
    house.runner().run(house.case(prefix="reuse"))
    assert house.server.nonces == [None] * 4


def test_a_cold_case_unloads_before_each_round(house: Any) -> None:
    """Each counted round begins with an empty memory, and each counts."""
    result = house.runner().run(house.case(start="cold", warmup=0, rounds=2))
    assert house.server.calls == [
        "unload", "loaded", "measure", "loaded",
        "unload", "loaded", "measure",
    ]  # fmt: skip
    assert [each.cold for each in result.counted] == [True, True]


def test_a_model_that_cannot_be_unloaded_is_a_failed_round(house: Any) -> None:
    """The round is recorded with its reason, and nothing is raised."""
    house.server.memory = None
    result = house.runner().run(house.case(start="cold", warmup=0, rounds=1))
    assert [each.generation.failure for each in result.rounds] == [
        Failure(
            kind="connect",
            cause="not_unloaded",
            message="The model could not be unloaded before this round. "
            "There is no server at http://h:1. Start Ollama.",
        )
    ]
    assert house.server.calls == ["unload"]


def test_a_server_that_does_not_say_what_is_loaded_leaves_cold_unknown(house: Any) -> None:
    """A failing /api/ps fails no round: whether it was cold is None, and it counts."""
    house.server.memory = None
    result = house.runner().run(house.case(rounds=1))
    assert [each.cold for each in result.rounds] == [None, None]
    assert result.loaded is None
    assert len(result.counted) == 1


def test_a_round_that_finds_another_window_is_cold(house: Any) -> None:
    """A model that somebody else loaded with another num_ctx is loaded anew for the request, which does not count."""
    house.server.memory = (LoadedModel(name="gemma3:latest", context_length=512),)
    result = house.runner().run(house.case(warmup=0, rounds=2))
    assert [each.cold for each in result.rounds] == [True, False]
    assert [each.number for each in result.counted] == [2]
    assert [each.number for each in result.off_start] == [1]


def test_a_window_that_the_server_cut_down_is_not_a_reload(house: Any) -> None:
    """num_ctx beyond the model's training is cut down by the server; the next request finds what it asked for."""
    house.server.memory = (LoadedModel(name="gemma3:latest", context_length=8192),)
    result = house.runner().run(house.case(options={"num_ctx": 16384}, warmup=0, rounds=1))
    assert [each.cold for each in result.rounds] == [False]


def test_a_model_under_its_other_name_is_known_by_its_digest(house: Any) -> None:
    """Two tags of one model share its place in memory."""
    house.server.memory = (LoadedModel(name="gemma3:4b", digest=house.model.digest, context_length=4096),)
    result = house.runner().run(house.case(warmup=0, rounds=1))
    assert [each.cold for each in result.rounds] == [False]


def test_a_load_that_stands_out_is_marked_afterwards(house: Any) -> None:
    """A round whose load took 150 times as long as usual is cold though /api/ps had listed the model."""
    house.server.plan = [{}, {}, {}, {"load_duration_ns": 300 * MS}]
    result = house.runner().run(house.case(rounds=5))
    assert [each.cold for each in result.rounds] == [True, False, False, True, False, False]


def test_a_slow_but_usual_load_is_not_a_reload(house: Any) -> None:
    """Loads between 1 and 20 ms do not stand out beside a real load of 300 ms."""
    house.server.plan = [{}, {"load_duration_ns": MS}, {"load_duration_ns": MS}, {"load_duration_ns": 20 * MS}]
    result = house.runner().run(house.case(rounds=5))
    assert [each.cold for each in result.rounds] == [True, False, False, False, False, False]


def test_a_failed_round_is_kept_and_not_counted(house: Any) -> None:
    """With failures allowed the case goes on; the failed round is in the result with its reason."""
    house.server.plan = [{}, {}, REFUSED]
    result = house.runner().run(house.case(max_failed_rounds=1))
    assert [each.generation.ok for each in result.rounds] == [True, True, False, True]
    assert [each.number for each in result.counted] == [1, 3]
    assert result.complete


def test_too_many_failed_rounds_end_the_case(house: Any) -> None:
    """The rounds after the failure too many are not made, and the result says why."""
    house.server.plan = [{}, {}, REFUSED, REFUSED]
    result = house.runner().run(house.case(rounds=10, max_failed_rounds=1))
    assert len(result.rounds) == 4
    assert not result.complete
    assert result.stopped == "2 of 3 rounds failed and max_failed_rounds=1"


def test_a_failed_warm_up_ends_the_case_at_once(house: Any) -> None:
    """No counted round is made after it."""
    house.server.plan = [REFUSED]
    result = house.runner().run(house.case(max_failed_rounds=3))
    assert len(result.rounds) == 1
    assert result.stopped == "warm-up round 1 failed"
    assert house.watcher.seen == ["started test_sky[gemma3]", "warm-up 1 False", "finished 0"]


def test_a_busy_server_is_asked_again_in_growing_steps(house: Any) -> None:
    """A 503 is no failed round while the budget lasts; the attempts are noted, each with its own nonce."""
    house.server.plan = [BUSY, BUSY]
    result = house.runner().run(house.case(warmup=0, rounds=1))
    assert house.pauses == [0.5, 1.0]
    assert [(each.busy_answers, each.generation.ok) for each in result.rounds] == [(2, True)]
    assert result.rounds[0].generation.nonce == "00000003"


def test_a_server_that_stays_busy_fails_the_round(house: Any) -> None:
    """After the budget of 30 s the last refusal is what the round records."""
    house.server.plan = [BUSY] * 20
    result = house.runner().run(house.case(warmup=0, rounds=1))
    assert house.pauses == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert [(each.busy_answers, each.generation.failure) for each in result.rounds] == [(5, BUSY)]


def test_ctrl_c_leaves_a_journal_with_every_finished_round(house: Any, tmp_path: Any) -> None:
    """What was measured before the interrupt can be read back, and says that the case did not end."""
    house.server.plan = [{}, {}, KeyboardInterrupt()]
    with Journal(tmp_path / "j.jsonl") as house.journal, pytest.raises(KeyboardInterrupt):
        house.runner().run(house.case())
    (result,) = read_journal(tmp_path / "j.jsonl")
    assert [(each.warmup, each.number) for each in result.rounds] == [(True, 1), (False, 1)]
    assert (result.warmup_ns, result.measuring_ns) == (500 * MS, 1000 * MS)
    assert house.watcher.seen[-1] == "finished 1"
    assert not result.complete
    assert result.stopped is None
    assert result.loaded is not None


def test_a_finished_case_is_read_back_from_its_journal_as_it_was(house: Any, tmp_path: Any) -> None:
    """The journal holds the whole result, with rounds that were marked cold afterwards."""
    house.server.plan = [{}, {}, {}, {"load_duration_ns": 300 * MS}, REFUSED]
    with Journal(tmp_path / "j.jsonl") as house.journal:
        result = house.runner().run(house.case(rounds=6, max_failed_rounds=1))
    assert read_journal(tmp_path / "j.jsonl") == [result]


def test_a_prompt_of_a_fixed_size_is_found_by_the_servers_count(house: Any, tmp_path: Any) -> None:
    """The prompt of all rounds is the one of which the server counted the tokens asked for."""

    def count(case: Case) -> dict[str, int]:
        return {"prompt_eval_count": 12 + len(case.messages[-1].content.split()) * 5 // 4}

    case = replace(house.case(rounds=1), prompt_tokens=512)
    case = replace(case, messages=(replace(case.messages[0], content=""),))
    house.server.plan = [count] * 4
    with Journal(tmp_path / "j.jsonl") as house.journal:
        runner = house.runner()
        result = runner.run(case)
    sizes = [len(each.split()) for each in house.server.prompts]
    assert sizes == [32, 315, 401, 400, 400, 400]
    assert result.case.messages[0].content == house.server.prompts[-1]
    assert len(result.rounds) == 2
    house.server.prompts.clear()
    runner.run(case)
    assert [len(each.split()) for each in house.server.prompts] == [400, 400]


def test_a_prompt_of_a_fixed_size_is_counted_as_the_rounds_send_it(house: Any) -> None:
    """Where the rounds carry no nonce, the requests that count tokens carry none either."""
    house.server.plan = [{"prompt_eval_count": 512}]
    result = house.runner().run(house.case(rounds=1, prompt_tokens=512, prefix="reuse"))
    assert house.server.nonces == [None, None, None]
    assert len(result.rounds) == 2


def test_a_prompt_size_below_what_the_template_takes_is_refused(house: Any) -> None:
    """A size that even one word goes beyond is a mistake of the person, said in words."""
    house.server.plan = [{"prompt_eval_count": count} for count in (55, 44, 40)]
    with pytest.raises(MarkerError) as caught:
        house.runner().run(house.case(prompt_tokens=16))
    assert str(caught.value) == (
        "chimera(...) has prompt_tokens=16, but the server counts 40 tokens of a prompt of one word. Accepted for "
        "this model and persona: 40 or more. The rest is template, persona and nonce: ask for more, or leave the "
        "persona out."
    )


def test_a_prompt_size_that_cannot_be_counted_stops_the_case(house: Any) -> None:
    """A failed request during calibration is recorded as a warm-up round, and nothing is measured."""
    house.server.plan = [REFUSED]
    result = house.runner().run(house.case(prompt_tokens=512))
    assert [(each.warmup, each.generation.failure) for each in result.rounds] == [(True, REFUSED)]
    assert result.stopped == "its prompt could not be made: the request to count its tokens failed"


def test_one_request_for_those_who_time_it_themselves_takes_a_turn(house: Any) -> None:
    """`once` is one measured request under the lock, and no round."""
    generation = house.runner().once(house.case())
    assert generation.text == "Because of Rayleigh scattering."
    assert house.turns.held == 1
    assert house.watcher.seen == []


def test_a_server_that_answers_ps_with_an_error_is_not_in_the_way(house: Any) -> None:
    """HostAnswerError from /api/ps is as good as no answer."""

    def refuse() -> None:
        raise HostAnswerError("404 page not found", "", "")

    house.server.loaded = refuse
    assert [each.cold for each in house.runner().run(house.case(rounds=1)).rounds] == [None, None]
