"""Scripts are read strictly, and the scripted backend plays them: chunks, reports, failures, loading, slots."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.engine.backend import FOREVER_S, AnswerRequest, ApiError, Message, StreamCutError
from pytest_chimera.engine.loop import PreciseSelector, precise_loop
from pytest_chimera.engine.script import Script, ScriptedAnswer, ScriptedModel, read_script, split_words
from pytest_chimera.engine.scripted import ScriptedBackend, _moments
from pytest_chimera.errors import UserError

TIMED = ("total_duration", "load_duration")
NAME = "m:latest"


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 1_795_338_040_000_000_000

    def __call__(self) -> int:
        return self.now_ns


def request(prompt: str = "one two three", **fields: Any) -> AnswerRequest:
    """A generate for the model `m`."""
    return AnswerRequest(
        endpoint="generate", model=NAME, asked_model="m", received_ns=time.monotonic_ns(), prompt=prompt, **fields
    )


def backend(answer: dict[str, Any] | list[dict[str, Any]], clock: Clock | None = None, **model: Any) -> ScriptedBackend:
    """A backend with the model `m` that gives this answer, or these in turn."""
    answers = answer if isinstance(answer, list) else [answer]
    script = read_script({"models": {"m": {"answers": answers, **model}}})
    return ScriptedBackend(script, wall_clock_ns=clock or Clock())


async def played(backend: ScriptedBackend, asked: AnswerRequest) -> list[Any]:
    """The chunks of one answer, without what is measured; an exception that ends it stands last."""
    chunks: list[Any] = []
    try:
        async with aclosing(backend.answer(asked)) as answer:
            async for chunk in answer:
                chunks.append({k: v for k, v in chunk.items() if k not in TIMED})  # noqa: PERF401  # kept when it fails
    except (ApiError, StreamCutError) as error:
        chunks.append(error)
    return chunks


def play(backend: ScriptedBackend, *requests: AnswerRequest) -> list[list[Any]]:
    """Several answers, one after the other."""

    async def all_of_them() -> list[list[Any]]:
        return [await played(backend, asked) for asked in requests]

    return asyncio.run(all_of_them())


def final(backend: ScriptedBackend, asked: AnswerRequest) -> dict[str, Any]:
    """The last chunk of one answer."""
    chunk: dict[str, Any] = play(backend, asked)[0][-1]
    return chunk


def test_an_answer_is_played_chunk_by_chunk() -> None:
    """Thinking comes first, then tokens, then tool calls; the final chunk reports the planned moments in ns."""
    answer = {
        "thinking": "Let me",
        "tokens": "42.",
        "tool_calls": [{"name": "f", "arguments": {"x": 1}}],
        "ttft_s": 0.002,
        "ttft_per_word_s": 0.001,
        "interval_s": 0.0005,
    }
    assert play(backend(answer), request())[0] == [
        {"response": "", "thinking": "Let", "done": False},
        {"response": "", "thinking": " me", "done": False},
        {"response": "42.", "done": False},
        {
            "response": "",
            "done": False,
            "tool_calls": [{"id": "call_00000000", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}}],
        },
        {
            "response": "",
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 3,
            "prompt_eval_duration": 5_000_000,
            "eval_count": 4,
            "eval_duration": 1_500_000,
        },
    ]


def test_think_false_leaves_the_thinking_out() -> None:
    """A request that does not want thinking gets the tokens alone."""
    chunks = play(backend({"thinking": "hm", "tokens": "42"}), request(think=False))[0]
    assert [chunk["response"] for chunk in chunks] == ["42", ""]


def test_an_empty_answer_is_one_chunk() -> None:
    """A model that says nothing sends its final chunk alone, without an eval duration."""
    assert play(backend({"ttft_s": 0.001}), request())[0] == [
        {
            "response": "",
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 3,
            "prompt_eval_duration": 1_000_000,
        }
    ]


def test_num_predict_cuts_the_answer() -> None:
    """Fewer tokens asked for than scripted end with `length`; as many or more change nothing."""
    script = {"tokens": ["a"], "repeat": 5}
    cut = play(backend(script), request(options={"num_predict": 2}))[0]
    assert (len(cut), cut[-1]["done_reason"], cut[-1]["eval_count"]) == (3, "length", 2)
    for enough in (5, 6, -1):
        assert final(backend(script), request(options={"num_predict": enough}))["done_reason"] == "stop"


def test_one_token_has_no_duration_to_speak_of() -> None:
    """A single token reports 1000 ns, as Ollama does: there is no step to measure."""
    assert final(backend({"tokens": "a", "interval_s": 5}), request())["eval_duration"] == 1000


def test_explicit_moments_go_before_the_interval() -> None:
    """`at_s` places chunks one by one; those beyond it follow at the interval."""
    answer = ScriptedAnswer(tokens=("a",) * 4, at_s=(0.1, 0.15), interval_s=0.01, ttft_s=9)
    assert _moments(answer, 4, new_words=7) == pytest.approx([0.1, 0.15, 0.16, 0.17])


@given(st.integers(0, 99), st.floats(0.0001, 0.1), st.integers(1, 50))
def test_jitter_delays_and_keeps_the_order(seed: int, jitter_s: float, count: int) -> None:
    """With jitter each moment is as planned or up to jitter_s later, never before its forerunner, the same per seed."""
    plain = ScriptedAnswer(tokens=("a",), interval_s=0.005)
    jittered = ScriptedAnswer(tokens=("a",), interval_s=0.005, jitter_s=jitter_s, seed=seed)
    planned, moments = _moments(plain, count, 0), _moments(jittered, count, 0)
    assert moments == sorted(moments) == _moments(jittered, count, 0)
    assert all(plan <= moment <= plan + jitter_s for plan, moment in zip(planned, moments, strict=True))


def test_reports_can_be_put_in_or_left_out() -> None:
    """`report` sets fields of the final chunk by their wire names, and None takes one away."""
    report = {"eval_count": -5, "total_duration": 7, "prompt_eval_count": None}
    chunk = final(backend({"tokens": "a", "report": report}), request())
    assert chunk["eval_count"] == -5
    assert "prompt_eval_count" not in chunk


def test_answers_take_turns() -> None:
    """Answers are given in order; after the last comes the first again, or the last for ever."""
    answers = [{"tokens": "one"}, {"error": "busy", "error_status": 503}]
    first, second, third = play(backend(answers), request(), request(), request())
    assert first == third
    assert (second[0].status, second[0].message) == (503, "busy")
    answers.append({"tokens": "two"})
    said = play(backend(answers, after_last="last"), *[request() for _ in range(5)])
    assert [chunks[0] if isinstance(chunks[0], ApiError) else chunks[0]["response"] for chunks in said][2:] == [
        "two"
    ] * 3


def test_failures_come_after_the_chunks_before_them() -> None:
    """An error or a cut after n chunks lets n chunks through, and one at the end stands in place of the final chunk."""
    error = play(backend({"tokens": "a b c", "error": "oops", "error_after": 2}), request())[0]
    assert ([chunk["response"] for chunk in error[:-1]], error[-1].message) == (["a", " b"], "oops")
    cut = play(backend({"tokens": "a b c", "cut_after": 3, "cut_abrupt": True}), request())[0]
    assert (len(cut), cut[-1].abrupt) == (4, True)


def test_a_prompt_that_does_not_fit_is_cut_or_refused() -> None:
    """With truncate the count is num_ctx, without it the request is Ollama's 400: JSON inside the message."""
    options = {"num_ctx": 2}
    assert final(backend({"tokens": "a"}), request(options=options))["prompt_eval_count"] == 2
    refused = play(backend({"tokens": "a"}), request(options=options, truncate=False))[0][0]
    assert refused.status == 400
    assert json.loads(refused.message)["error"] == {
        "code": 400,
        "message": "request (3 tokens) exceeds the available context size (2 tokens), try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 3,
        "n_ctx": 2,
    }


def test_the_prompt_cache_knows_the_shared_beginning() -> None:
    """With a cache, words shared with the last prompt are reported and cost nothing; one word is always evaluated."""
    engine = backend({"tokens": "a", "ttft_per_word_s": 0.001}, prompt_cache=True)
    said = play(engine, request("a b c d"), request("a b x d"), request("a b x d"))
    assert [chunks[-1]["prompt_eval_cached_count"] for chunks in said] == [0, 2, 3]
    assert [chunks[-1]["prompt_eval_duration"] for chunks in said] == [4_000_000, 2_000_000, 1_000_000]


def test_the_words_of_a_chat_are_counted() -> None:
    """The prompt of a chat is the words of all its messages."""
    asked = AnswerRequest(
        endpoint="chat",
        model=NAME,
        asked_model="m",
        received_ns=time.monotonic_ns(),
        messages=(Message(role="system", content="be kind"), Message(role="user", content="why?")),
    )
    chunks = play(backend({"tokens": "so"}), asked)[0]
    assert chunks[0] == {"message": {"role": "assistant", "content": "so"}, "done": False}
    assert chunks[1]["prompt_eval_count"] == 3


def test_a_model_loads_stays_and_expires() -> None:
    """A model is loaded by a request, with the context it asked for, and gone when its keep_alive is over."""
    clock = Clock()
    engine = backend({"tokens": "a"}, clock, context_length=1000)
    assert engine.running() == []
    play(engine, request(options={"num_ctx": 9999}, keep_alive_s=60.0))
    loaded = engine.running()[0]
    assert (loaded.context_length, loaded.expires_at_ns) == (1000, clock.now_ns + 60_000_000_000)
    clock.now_ns += 60_000_000_000
    assert engine.running() == []
    play(engine, request(keep_alive_s=FOREVER_S))
    clock.now_ns += 10**18
    assert engine.running()[0].expires_at_ns is None
    asyncio.run(engine.unload(NAME))
    assert engine.running() == []


def test_only_a_cold_start_takes_the_loading_time() -> None:
    """load_duration holds load_s when the model is not loaded or its num_ctx changes, and not when it is warm."""
    engine = backend({"tokens": "a"}, load_s=0.02)

    async def load_ns(num_ctx: int) -> int:
        chunks = [chunk async for chunk in engine.answer(request(options={"num_ctx": num_ctx}))]
        duration: int = chunks[-1]["load_duration"]
        return duration

    async def three() -> list[bool]:
        return [await load_ns(num_ctx) >= 20_000_000 for num_ctx in (512, 512, 1024)]

    assert asyncio.run(three()) == [True, False, True]


def test_one_slot_lets_requests_wait_outside_the_durations() -> None:
    """With one slot the second answer begins when the first has ended; its wait is in total_duration alone."""
    order: list[str] = []

    async def listen(engine: ScriptedBackend, name: str) -> dict[str, Any]:
        last: dict[str, Any] = {}
        async for chunk in engine.answer(request()):
            order.append(name)
            last = chunk
        return last

    async def together(slots: int) -> list[dict[str, Any]]:
        engine = backend({"tokens": "a b", "interval_s": 0.01}, slots=slots)
        return list(await asyncio.gather(listen(engine, "1"), listen(engine, "2")))

    finals = asyncio.run(together(1))
    assert "".join(order) == "111222"
    spoken_ns = sum(finals[1].get(name, 0) for name in ("load_duration", "prompt_eval_duration", "eval_duration"))
    assert finals[1]["total_duration"] - spoken_ns >= 10_000_000
    order.clear()
    asyncio.run(together(2))
    assert order[:2] == ["1", "2"]


def test_a_client_that_leaves_frees_its_slot() -> None:
    """When an answer is closed in the middle, the next request gets the slot."""

    async def leave_then_ask() -> int:
        engine = backend({"tokens": "a b", "interval_s": 0.001})
        answer = engine.answer(request())
        await anext(answer)
        await answer.aclose()
        return len(await played(engine, request()))

    assert asyncio.run(leave_then_ask()) == 3


def test_copies_and_deletions_change_the_list() -> None:
    """A copy answers under its name, a deleted model is gone, cards carry what the script says."""
    engine = backend({"tokens": "a"}, family="demo", parameter_size="7B", quantization="Q8_0", capabilities=["tools"])
    asyncio.run(engine.copy(NAME, "n:latest"))
    asyncio.run(engine.delete(NAME))
    (card,) = engine.cards()
    assert (card.name, card.family, card.parameter_size, card.quantization) == ("n:latest", "demo", "7B", "Q8_0")
    assert (len(card.digest), card.capabilities) == (64, ("tools",))


def test_a_script_survives_its_dict_form() -> None:
    """A script written as a dict, through JSON, and read again is the same script."""
    script = Script(
        models={
            "m:7b": ScriptedModel(
                answers=(
                    ScriptedAnswer(
                        tokens=("a", " b"), at_s=(0.5,), report={"eval_count": None}, error_after=1, error="x"
                    ),
                    ScriptedAnswer(tool_calls=({"name": "f"},), jitter_s=0.25, seed=3),
                ),
                after_last="last",
                prompt_cache=True,
                capabilities=("completion", "tools"),
            )
        }
    )
    assert read_script(json.loads(json.dumps(script.as_dict()))) == script


@given(st.text())
def test_split_words_lose_nothing(text: str) -> None:
    """The words of a text, joined, are the text."""
    assert "".join(split_words(text)) == text


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([], "script: [] is not usable. Accepted: a mapping with the keys models."),
        ({}, "script.models: None is not usable. Accepted: a mapping of at least one model name to its answers."),
        (
            {"models": {"a b": {}}},
            "script.models: 'a b' is not usable. Accepted: model names such as 'storyteller' or 'storyteller:7b'.",
        ),
        (
            {"models": {"m": {"answers": []}}},
            "script.models.m.answers: [] is not usable. Accepted: a list of at least one answer.",
        ),
        (
            {"models": {"m": {"answers": [{"at_s": 3}]}}},
            "script.models.m.answers[0].at_s: 3 is not usable. Accepted: a list.",
        ),
        (
            {"models": {"m": {"answers": [{"ttft_s": -1}]}}},
            "script.models.m.answers[0].ttft_s: -1 is not usable. Accepted: a number of seconds from 0.",
        ),
        (
            {"models": {"m": {"answers": [{"cut_after": "3"}]}}},
            "script.models.m.answers[0].cut_after: '3' is not usable. Accepted: a whole number.",
        ),
        (
            {"models": {"m": {"answers": [{"cut_abrupt": 1}]}}},
            "script.models.m.answers[0].cut_abrupt: 1 is not usable. Accepted: true or false.",
        ),
        (
            {"models": {"m": {"answers": [{"tokens": [1]}]}}},
            "script.models.m.answers[0].tokens: 1 is not usable. Accepted: a text.",
        ),
        (
            {"models": {"m": {"answers": [{"report": 1}]}}},
            "script.models.m.answers[0].report: 1 is not usable. Accepted: a mapping.",
        ),
        (
            {"models": {"m": {"answers": [{"report": {"eval_cuont": 1}}]}}},
            (
                "script.models.m.answers[0].report: 'eval_cuont' is not usable. Accepted: total_duration, "
                "load_duration, prompt_eval_count, prompt_eval_cached_count, prompt_eval_duration, eval_count, "
                "eval_duration."
            ),
        ),
        (
            {"models": {"m": {"answers": [{}], "slots": 0}}},
            "script.models.m.slots: 0 is not usable. Accepted: a whole number from 1.",
        ),
        (
            {"models": {"m": {"answers": [{}], "after_last": "stop"}}},
            "script.models.m.after_last: 'stop' is not usable. Accepted: 'first' or 'last'.",
        ),
        (
            {"models": {"m": {"answers": [{}], "capabilities": ["chat"]}}},
            (
                "script.models.m.capabilities: 'chat' is not usable. Accepted: completion, tools, thinking, insert, "
                "vision, embedding."
            ),
        ),
        ({"modles": {}}, "script: unknown key 'modles'. Known keys: models."),
    ],
)
def test_a_script_that_cannot_be_read_is_named(script: Any, message: str) -> None:
    """What is wrong with a script is said with its place and with what is accepted there."""
    with pytest.raises(UserError) as caught:
        read_script(script)
    assert str(caught.value) == message


def test_the_precise_loop_waits_for_sockets_and_timers() -> None:
    """A loop with the precise selector runs timers in order and still notices sockets while it waits for them."""

    async def both() -> list[str]:
        seen: list[str] = []
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            closed = asyncio.create_task(reader.read())
            closed.add_done_callback(lambda _: seen.append("socket"))
            await asyncio.gather(closed, asyncio.sleep(0.002, "late"), asyncio.sleep(0.001, "early"))
            writer.close()
            await writer.wait_closed()
        return seen

    loop = precise_loop()
    try:
        assert isinstance(loop._selector, PreciseSelector)  # type: ignore[attr-defined]
        assert loop.run_until_complete(both()) == ["socket"]
    finally:
        loop.close()
