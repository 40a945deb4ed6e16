"""The backend that answers from llama.cpp: loading, leaving, slots, prompts, thinking, faults. No time is asserted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("xllamacpp", reason="the extra `embedded` is not installed")

from pytest_chimera.engine.backend import FOREVER_S, AnswerRequest, ApiError, Chunk, Message, StreamCutError
from pytest_chimera.engine.llama import LlamaBackend
from pytest_chimera.engine.models import ModelSpec, model_spec, tiny_spec
from pytest_chimera.engine.tiny import FORMAT_BIAS
from pytest_chimera.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

THINK = "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ '\\n' }}{% endfor %}{{ 'assistant: ' }}"
SLOW = {"feed_forward": 4096, "last": "again"}
"""A model without end, at some milliseconds a token."""


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic_s(self) -> float:
        """The time that was set."""
        return self.now_s

    def wall_ns(self) -> int:
        """The same on the wall."""
        return int(self.now_s * 1e9)


def asks(prompt: str = "x", model: str = "m:latest", **changes: Any) -> AnswerRequest:
    """A generate request."""
    fields: dict[str, Any] = {"endpoint": "generate", "model": model, "asked_model": model, "prompt": prompt}
    return AnswerRequest(**{**fields, "received_ns": time.monotonic_ns(), **changes})


def chats(*contents: str, **changes: Any) -> AnswerRequest:
    """A chat request; the speakers take turns, beginning with the user."""
    roles = ("user", "assistant") * len(contents)
    messages = tuple(Message(role=role, content=text) for role, text in zip(roles, contents, strict=False))
    return asks(endpoint="chat", prompt="", messages=messages, **changes)


async def answer(backend: LlamaBackend, request: AnswerRequest) -> list[Chunk]:
    """All chunks."""
    return [chunk async for chunk in backend.answer(request)]


def text(chunks: list[Chunk], key: str = "content") -> str:
    """What was said (or thought), all chunks joined."""
    return "".join(chunk.get("message", {}).get(key, "") or chunk.get("response", "") for chunk in chunks)


def play(scene: Callable[[LlamaBackend], Awaitable[None]], *specs: ModelSpec, **settings: Any) -> None:
    """Run a scene with a backend that is stopped whatever happens."""

    async def run() -> None:
        backend = LlamaBackend(specs, **settings)
        try:
            await backend.start()
            await scene(backend)
        finally:
            await backend.stop()

    asyncio.run(run())


def child_of(backend: LlamaBackend, model: str = "m:latest") -> Any:
    """The child process of a loaded model."""
    return backend._loaded._models[model].child


@pytest.fixture
def plain(puppet_file: Callable[..., Path]) -> ModelSpec:
    """A model `m` that says "one two three"."""
    return ModelSpec(name="m", path=puppet_file("one", " two", " three"))


@pytest.fixture
def slow(puppet_file: Callable[..., Path]) -> ModelSpec:
    """A model `m` that does not end."""
    return ModelSpec(name="m", path=puppet_file("again", " and", **SLOW))


def test_a_model_is_loaded_once_and_again_for_another_context(plain: ModelSpec) -> None:
    """num_ctx reloads, temperature does not; /api/ps says what was loaded, cut to what the model was trained for."""

    async def scene(backend: LlamaBackend) -> None:
        assert backend.running() == []
        await answer(backend, asks(options={"num_ctx": 512}))
        first = child_of(backend).pid
        await answer(backend, asks(options={"num_ctx": 512, "temperature": 1.0}))
        assert child_of(backend).pid == first
        await answer(backend, asks(options={"num_ctx": 100_000}))
        assert child_of(backend).pid != first
        (running,) = backend.running()
        assert (running.card.name, running.context_length, running.size_vram_bytes) == ("m:latest", 4096, 0)
        assert running.size_bytes > running.card.size_bytes

    play(scene, plain)


def test_the_final_chunk_reports_what_llama_cpp_measured(plain: ModelSpec) -> None:
    """Counts are exact, all durations are there, the second time the prompt is found in the cache."""

    async def scene(backend: LlamaBackend) -> None:
        last = [(await answer(backend, asks()))[-1] for _ in range(2)]
        assert list(last[0]) == [
            "response", "done", "done_reason", "context", "total_duration", "load_duration", "prompt_eval_count",
            "prompt_eval_cached_count", "prompt_eval_duration", "eval_count", "eval_duration",
        ]  # fmt: skip
        assert [chunk["prompt_eval_count"] for chunk in last] == [3, 3]
        assert [chunk["prompt_eval_cached_count"] for chunk in last] == [0, 2]
        assert [chunk["eval_count"] for chunk in last] == [4, 4]
        for chunk in last:
            parts = (chunk[f"{part}_duration"] for part in ("load", "prompt_eval", "eval"))
            assert 0 < sum(parts) <= chunk["total_duration"]

    play(scene, plain)


def test_the_cached_count_can_be_left_out(plain: ModelSpec) -> None:
    """As Ollama up to 0.32 does."""

    async def scene(backend: LlamaBackend) -> None:
        assert "prompt_eval_cached_count" not in (await answer(backend, asks()))[-1]

    play(scene, plain, report_cached=False)


def test_an_idle_model_leaves_when_its_time_is_over(plain: ModelSpec) -> None:
    """keep_alive counts from the last use; 0 leaves at once, without end stays."""
    clock = HandClock()

    async def scene(backend: LlamaBackend) -> None:
        await backend.load(asks("", keep_alive_s=300.0))
        clock.now_s += 299
        await backend.load(asks("", keep_alive_s=300.0))
        assert backend.running()[0].expires_at_ns == int((1299 + 300) * 1e9)
        clock.now_s += 299
        backend.sweep()
        assert len(backend.running()) == 1
        clock.now_s += 1
        backend.sweep()
        assert backend.running() == []
        await backend.load(asks("", keep_alive_s=FOREVER_S))
        clock.now_s += 10**9
        backend.sweep()
        assert backend.running()[0].expires_at_ns is None
        await answer(backend, asks(keep_alive_s=0.0))
        assert backend.running() == []

    play(scene, plain, clock=clock)


def test_unloading_and_stopping_end_the_children(plain: ModelSpec) -> None:
    """Unloaded by name, and at the end of the engine, no process is left."""
    children = []

    async def scene(backend: LlamaBackend) -> None:
        await backend.unload("m:latest")
        await backend.load(asks(""))
        children.append(child_of(backend))
        await backend.unload("m:latest")
        assert not children[0].alive
        await backend.load(asks(""))
        children.append(child_of(backend))

    play(scene, plain)
    assert [child.alive for child in children] == [False, False]


def test_the_least_recently_used_model_makes_room(plain: ModelSpec) -> None:
    """Two may be loaded: the third takes the place of the one that was not used for longest."""
    specs = [ModelSpec(name=name, path=plain.path) for name in "abc"]

    async def scene(backend: LlamaBackend) -> None:
        for name in "abac":
            await backend.load(asks("", model=f"{name}:latest"))
        assert [running.card.name for running in backend.running()] == ["c:latest", "a:latest"]

    play(scene, *specs, max_loaded=2)


def test_one_slot_answers_one_after_the_other(slow: ModelSpec) -> None:
    """With one slot the second request's first token comes after the first one's last, with two before."""

    async def order(backend: LlamaBackend) -> list[str]:
        seen = []

        async def run(name: str) -> None:
            async for _ in backend.answer(asks(options={"num_predict": 40})):
                seen.append(name)  # noqa: PERF401  # in the order of both, not one after the other

        await backend.load(asks(""))
        await asyncio.gather(run("a"), run("b"))
        return seen

    async def alone(backend: LlamaBackend) -> None:
        assert await order(backend) in (["a"] * 41 + ["b"] * 41, ["b"] * 41 + ["a"] * 41)

    async def together(backend: LlamaBackend) -> None:
        seen = await order(backend)
        assert seen not in (sorted(seen), sorted(seen, reverse=True))

    play(alone, slow)
    play(together, slow, parallel=2)


def test_a_client_that_leaves_frees_its_slot(slow: ModelSpec) -> None:
    """Left while decoding and left while queued: the next request does not wait for 40,000 tokens."""

    async def scene(backend: LlamaBackend) -> None:
        async with aclosing(backend.answer(asks(options={"num_predict": 40_000}))) as decoding:
            await anext(decoding)
            queued = asyncio.ensure_future(answer(backend, asks(options={"num_predict": 40_000})))
            await asyncio.sleep(0)
            queued.cancel()
            await asyncio.wait([queued])
        chunks = await asyncio.wait_for(answer(backend, asks(options={"num_predict": 2})), 15)
        assert text(chunks) == "again and"

    play(scene, slow)


def test_a_full_queue_is_a_503(plain: ModelSpec) -> None:
    """One loads, one waits; the third that needs a load is turned away in Ollama's words."""
    specs = [ModelSpec(name=name, path=plain.path) for name in "abc"]

    async def scene(backend: LlamaBackend) -> None:
        loads = [backend.load(asks("", model=f"{name}:latest")) for name in "abc"]
        results = await asyncio.gather(*loads, return_exceptions=True)
        assert results[:2] == [None, None]
        assert isinstance(results[2], ApiError)
        assert (results[2].status, results[2].message) == (
            503,
            "server busy, please try again.  maximum pending requests exceeded",
        )

    play(scene, *specs, max_queue=1)


def test_a_killed_runner_is_an_error_and_then_replaced(slow: ModelSpec) -> None:
    """In the middle of an answer its end is Ollama's error; the next request loads anew."""

    async def scene(backend: LlamaBackend) -> None:
        chunks = backend.answer(asks(options={"num_predict": 1000}))
        await anext(chunks)
        os.kill(child_of(backend).pid, signal.SIGKILL)
        with pytest.raises(ApiError) as error:
            [chunk async for chunk in chunks]
        assert (error.value.status, error.value.message) == (
            500,
            "an error was encountered while running the model: unexpected EOF",
        )
        assert text(await answer(backend, asks(options={"num_predict": 2}))) == "again and"

    play(scene, slow)


def test_a_runner_killed_between_two_requests_is_noticed(plain: ModelSpec) -> None:
    """The next request starts a new one, and nothing is said of it."""

    async def scene(backend: LlamaBackend) -> None:
        await backend.load(asks(""))
        child = child_of(backend)
        os.kill(child.pid, signal.SIGKILL)
        await child._process.wait()
        assert backend.running() == []
        assert text(await answer(backend, asks())) == "one two three"

    play(scene, plain)


def test_a_runner_that_cannot_run_here_is_a_500(plain: ModelSpec) -> None:
    """Its signal is named as Ollama names it, and the engine goes on."""
    dies = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")

    async def scene(backend: LlamaBackend) -> None:
        with pytest.raises(ApiError) as error:
            await backend.load(asks(""))
        assert (error.value.status, error.value.message) == (
            500,
            "llama-server process has terminated: signal: illegal instruction",
        )
        assert backend.running() == []

    play(scene, plain, runner_command=dies)


def test_a_missing_model_file_stops_the_start(tmp_path: Path) -> None:
    """The engine does not start with a model that is not there."""
    with pytest.raises(ModelError) as error:
        play(lambda _: asyncio.sleep(0), model_spec(str(tmp_path / "My Model.gguf")))
    assert str(error.value).startswith(f"{tmp_path}/My Model.gguf cannot be used as a model: No such file")


def test_a_file_gives_its_model_a_name() -> None:
    """Letters that a name cannot have become dashes; tiny is tiny."""
    assert [model_spec(named).name for named in ("/x/Qwen3 0.6B (Q4).gguf", "tiny", "tiny:latest")] == [
        "qwen3-0.6b-q4",
        "tiny",
        "tiny",
    ]


def test_a_long_prompt_is_cut_or_refused(plain: ModelSpec) -> None:
    """600 tokens into num_ctx 512 leave 259, as recorded for 2,010; with truncate false it is a 400 with the counts."""

    async def scene(backend: LlamaBackend) -> None:
        options = {"num_ctx": 512}
        cut = await answer(backend, asks("x" * 600, options=options))
        assert (cut[-1]["prompt_eval_count"], text(cut)) == (259, "one two three")
        assert len(cut[-1]["context"]) == 601 + len("onetwothree") + 2 * 3
        with pytest.raises(ApiError) as error:
            await answer(backend, asks("x" * 600, options=options, truncate=False))
        assert (error.value.status, error.value.from_runner) == (400, True)
        assert json.loads(error.value.message)["error"] == {
            "code": 400,
            "message": "request (602 tokens) exceeds the available context size (512 tokens), try increasing it",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 602,
            "n_ctx": 512,
        }
        fits = await answer(backend, asks("x" * 509, options=options, truncate=False))
        assert fits[-1]["prompt_eval_count"] == 511

    play(scene, plain)


def test_a_context_below_llama_cpps_own_step_is_kept(plain: ModelSpec) -> None:
    """llama.cpp rounds num_ctx up to 256; here 64 stays 64: prompts are cut to it, answers end at ten times it."""

    async def scene(backend: LlamaBackend) -> None:
        last = (await answer(backend, asks("x" * 100, options={"num_ctx": 64})))[-1]
        assert last["prompt_eval_count"] == 64 - (64 - 5) // 2

    play(scene, plain)


def test_the_oldest_messages_of_a_chat_go_first(plain: ModelSpec) -> None:
    """What is left is whole messages, and the last one always."""

    async def scene(backend: LlamaBackend) -> None:
        chunks = await answer(backend, chats("a" * 300, "b" * 300, "c" * 99, options={"num_ctx": 512}))
        assert chunks[-1]["prompt_eval_count"] == 1 + 301 + 100
        assert "context" not in chunks[-1]

    play(scene, plain)


def test_context_goes_before_the_prompt(plain: ModelSpec) -> None:
    """What an answer gave back as `context` is what the next one begins with."""

    async def scene(backend: LlamaBackend) -> None:
        first = (await answer(backend, asks()))[-1]
        second = (await answer(backend, asks("y", context=tuple(first["context"]))))[-1]
        assert second["context"][: len(first["context"])] == first["context"]
        assert second["prompt_eval_count"] == 1 + len(first["context"]) + 2

    play(scene, plain)


def test_system_raw_and_template_make_the_prompt(plain: ModelSpec) -> None:
    """A system text stands before the prompt, raw takes it as it is and gives no context, a template is filled in."""

    async def scene(backend: LlamaBackend) -> None:
        async def count(**changes: Any) -> Any:
            return (await answer(backend, asks("x", **changes)))[-1]

        assert (await count(system="be"))["prompt_eval_count"] == 1 + len("be\n\nx\n")
        raw = await count(raw=True)
        assert (raw["prompt_eval_count"], "context" in raw) == (2, False)
        assert (await count(template="<{{ .Prompt }}>"))["prompt_eval_count"] == 1 + len("<x>")

    play(scene, plain)


def test_images_are_refused_as_recorded(plain: ModelSpec) -> None:
    """A model without eyes answers a 400 of its runner."""

    async def scene(backend: LlamaBackend) -> None:
        with pytest.raises(ApiError) as error:
            await answer(backend, asks(images=(b"png",)))
        assert (error.value.status, error.value.from_runner) == (400, True)

    play(scene, plain)


def test_repetition_cuts_the_stream(puppet_file: Callable[..., Path]) -> None:
    """As recorded: 31 chunks, then the end without a final one."""
    spec = ModelSpec(name="m", path=puppet_file("ha", last="ha"))
    chunks: list[Chunk] = []

    async def listen(backend: LlamaBackend) -> None:
        async for chunk in backend.answer(asks(options={"num_predict": 200})):
            chunks.append(chunk)  # noqa: PERF401  # what came before the cut counts

    async def scene(backend: LlamaBackend) -> None:
        with pytest.raises(StreamCutError):
            await listen(backend)

    play(scene, spec)
    assert [chunk["response"] for chunk in chunks] == ["ha"] * 31


def test_thinking_comes_first_and_then_the_format(puppet_file: Callable[..., Path]) -> None:
    """A model that thinks does so freely; a second completion is held to the format, and is what is counted."""
    path = puppet_file("<think>", "Let", " me", " see", ".", "</think>", "\n", "42")
    bias = [(token, 10 * weight) for token, weight in FORMAT_BIAS]
    spec = ModelSpec(name="m", path=path, template=THINK, capabilities=("thinking",), format_bias=bias)

    async def scene(backend: LlamaBackend) -> None:
        plain = await answer(backend, chats("x"))
        assert (text(plain, "thinking"), text(plain), plain[-1]["eval_count"]) == ("Let me see.", "42", 9)
        off = await answer(backend, chats("x", think=False))
        assert text(off) == "<think>Let me see.</think>\n42"
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        held = await answer(backend, chats("x", format=schema, options={"temperature": 0, "num_predict": 50}))
        assert text(held, "thinking") == "Let me see."
        assert list(json.loads(text(held))) == ["n"]
        assert held[-1]["done_reason"] == "stop"

    play(scene, spec)


def test_logprobs_and_stop_words_pass(plain: ModelSpec) -> None:
    """Each chunk carries its token's probabilities; a stop word ends the answer and is not said."""

    async def scene(backend: LlamaBackend) -> None:
        options = {"stop": ("th",), "temperature": 0}
        chunks = await answer(backend, asks(options=options, logprobs=True, top_logprobs=2))
        assert (text(chunks), chunks[-1]["done_reason"]) == ("one two ", "stop")
        (token,) = chunks[0]["logprobs"]
        assert (token["token"], token["bytes"], len(token["top_logprobs"])) == ("one", list(b"one"), 2)

    play(scene, plain)


def test_a_copy_is_listed_and_a_deleted_model_forgotten() -> None:
    """Both change the list alone: the file of the package stays."""

    async def scene(backend: LlamaBackend) -> None:
        await backend.copy("tiny:latest", "mine:v1")
        assert [card.name for card in backend.cards()] == ["tiny:latest", "mine:v1"]
        assert text(await answer(backend, asks(model="mine:v1")))
        await backend.delete("mine:v1")
        assert ([card.name for card in backend.cards()], backend.running()) == (["tiny:latest"], [])
        assert tiny_spec().path.exists()

    play(scene)
