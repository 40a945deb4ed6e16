"""A backend that answers from a script: these tokens at these moments, these durations, this error.

Moments are absolute (one late chunk does not delay the next), a model has slots, loads and expires like a real one.
What can be said in a script is engine.script's.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_chimera.engine.backend import (
    FOREVER_S,
    ApiError,
    ModelCard,
    RunningModel,
    StreamCutError,
    prompt_too_long,
)
from pytest_chimera.engine.chunks import Metrics, final_chunk, text_chunk
from pytest_chimera.units import s_to_ns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from pytest_chimera.engine.backend import AnswerRequest, Chunk
    from pytest_chimera.engine.script import Script, ScriptedAnswer, ScriptedModel

_DEFAULT_NUM_CTX = 4096
_ONE_TOKEN_NS = 1000
"""eval_duration of a single token: no step lies between the first and the last, Ollama says 1000 ns."""


class ScriptedBackend:
    """Plays a Script; see engine.backend.Backend for the methods."""

    def __init__(self, script: Script, *, wall_clock_ns: Callable[[], int] = time.time_ns) -> None:
        """`wall_clock_ns` says when a model expires and when it was "installed"."""
        self._wall_clock_ns = wall_clock_ns
        installed_ns = wall_clock_ns()
        self._models = {name: _State(model, _card(name, model, installed_ns)) for name, model in script.models.items()}

    async def start(self) -> None:
        """Nothing to get ready."""

    async def stop(self) -> None:
        """Nothing to free."""

    def cards(self) -> Sequence[ModelCard]:
        """The models of the script, and copies of them."""
        return [state.card for state in self._models.values()]

    def running(self) -> Sequence[RunningModel]:
        """The loaded ones."""
        now_ns = self._wall_clock_ns()
        loaded = [state for state in self._models.values() if state.is_loaded(now_ns)]
        loaded.sort(key=lambda state: state.used_ns, reverse=True)
        return [state.running() for state in loaded]

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[Chunk, None]:
        """Play the model's next answer."""
        state = self._models[request.model]
        answer = state.next_answer()
        if answer.error and answer.error_after is None:
            raise ApiError(answer.error_status, answer.error)
        num_ctx = state.num_ctx(request)
        words = _words(request)
        if len(words) > num_ctx and not request.truncate:
            raise prompt_too_long(len(words), num_ctx)
        await self._load(state, request)
        load_ns = time.monotonic_ns() - request.received_ns
        async with state.slots:
            cached = state.cached_words(words)
            play = _Play(request, answer, prompt_count=min(len(words), num_ctx), cached=cached, load_ns=load_ns)
            async with aclosing(play.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        self._used(state, request)

    async def load(self, request: AnswerRequest) -> None:
        """Take the model's loading time, when it is not loaded as the request wants it."""
        await self._load(self._models[request.model], request)

    async def unload(self, model: str) -> None:
        """Forget that it is loaded."""
        self._models[model].loaded_ctx = 0

    async def copy(self, source: str, destination: str) -> None:
        """The same answers under a second name, begun anew."""
        model = self._models[source].model
        self._models[destination] = _State(model, _card(destination, model, self._wall_clock_ns()))

    async def delete(self, model: str) -> None:
        """Take it out of the list."""
        del self._models[model]

    async def _load(self, state: _State, request: AnswerRequest) -> None:
        num_ctx = state.num_ctx(request)
        async with state.loading:
            is_warm = state.is_loaded(self._wall_clock_ns()) and state.loaded_ctx == num_ctx
            await asyncio.sleep(state.model.warm_load_s if is_warm else state.model.load_s)
            if not is_warm:
                state.last_words = ()
            state.loaded_ctx = num_ctx
            self._used(state, request)

    def _used(self, state: _State, request: AnswerRequest) -> None:
        now_ns = self._wall_clock_ns()
        state.used_ns = now_ns
        is_forever = request.keep_alive_s == FOREVER_S
        state.expires_at_ns = None if is_forever else now_ns + s_to_ns(request.keep_alive_s)


@dataclass(slots=True)
class _State:
    """What changes about a model while it is served."""

    model: ScriptedModel
    card: ModelCard
    loaded_ctx: int = 0
    """num_ctx as loaded; 0 is not loaded."""
    expires_at_ns: int | None = None
    used_ns: int = 0
    turn: int = 0
    last_words: tuple[str, ...] = ()
    loading: asyncio.Lock = field(default_factory=asyncio.Lock)
    slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.model.slots)

    def is_loaded(self, now_ns: int) -> bool:
        """Whether it was loaded and has not expired since."""
        return self.loaded_ctx > 0 and (self.expires_at_ns is None or now_ns < self.expires_at_ns)

    def running(self) -> RunningModel:
        """Its row of `/api/ps`."""
        return RunningModel(
            card=self.card,
            size_bytes=self.card.size_bytes,
            size_vram_bytes=0,
            context_length=self.loaded_ctx,
            expires_at_ns=self.expires_at_ns,
        )

    def num_ctx(self, request: AnswerRequest) -> int:
        """The context that the request gets."""
        wanted = request.options.get("num_ctx", _DEFAULT_NUM_CTX)
        return max(1, min(int(wanted), self.model.context_length))

    def next_answer(self) -> ScriptedAnswer:
        """The answer whose turn it is."""
        answers = self.model.answers
        index = min(self.turn, len(answers) - 1) if self.model.after_last == "last" else self.turn % len(answers)
        self.turn += 1
        return answers[index]

    def cached_words(self, words: tuple[str, ...]) -> int | None:
        """How many words from the start the last prompt shares (one is always evaluated); None without a cache."""
        last, self.last_words = self.last_words, words
        if not self.model.prompt_cache:
            return None
        shared = next(
            (i for i, (old, new) in enumerate(zip(last, words, strict=False)) if old != new), min(len(last), len(words))
        )
        return max(0, min(shared, len(words) - 1))


class _Play:
    """One answer being given."""

    def __init__(
        self, request: AnswerRequest, answer: ScriptedAnswer, *, prompt_count: int, cached: int | None, load_ns: int
    ) -> None:
        self._request = request
        self._answer = answer
        self._prompt_count = prompt_count
        self._cached = cached
        self._load_ns = load_ns
        self._pieces = _pieces(answer, request)
        limit = request.options.get("num_predict", -1)
        self._is_cut_short = 0 < limit < len(self._pieces)
        if self._is_cut_short:
            self._pieces = self._pieces[:limit]
        self._moments = _moments(answer, len(self._pieces), prompt_count - (cached or 0))

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """The chunks at their moments, then the final one or the failure."""
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        answer = self._answer
        for index, (piece, moment_s) in enumerate(zip(self._pieces, self._moments, strict=True)):
            self._fail_at(index)
            # Also when late: others must get their turn, and a client that has left must be noticed.
            await asyncio.sleep(max(0.0, begin_s + moment_s - loop.time()))
            yield piece
        self._fail_at(len(self._pieces))
        if not self._pieces:
            await asyncio.sleep(max(0.0, begin_s + _ttft_s(answer, self._prompt_count) - loop.time()))
        yield self._final()

    def _fail_at(self, chunks_sent: int) -> None:
        answer = self._answer
        if answer.error and answer.error_after is not None and chunks_sent >= answer.error_after:
            raise ApiError(answer.error_status, answer.error)
        if answer.cut_after is not None and chunks_sent >= answer.cut_after:
            raise StreamCutError(abrupt=answer.cut_abrupt)

    def _final(self) -> Chunk:
        reason = "length" if self._is_cut_short else self._answer.done_reason
        chunk = final_chunk(self._request.endpoint, reason, self._metrics())
        for name, value in self._answer.report.items():
            if value is None:
                chunk.pop(name, None)
            else:
                chunk[name] = value
        return chunk

    def _metrics(self) -> Metrics:
        count = len(self._pieces)
        first_s = self._moments[0] if self._moments else _ttft_s(self._answer, self._prompt_count)
        last_s = self._moments[-1] if self._moments else first_s
        return Metrics(
            total_duration_ns=time.monotonic_ns() - self._request.received_ns,
            load_duration_ns=self._load_ns,
            prompt_eval_count=self._prompt_count,
            prompt_eval_cached_count=self._cached,
            prompt_eval_duration_ns=s_to_ns(first_s),
            eval_count=count,
            eval_duration_ns=max(s_to_ns(last_s - first_s), _ONE_TOKEN_NS) if count else None,
        )


def _pieces(answer: ScriptedAnswer, request: AnswerRequest) -> list[Chunk]:
    endpoint = request.endpoint
    thinking = () if request.think is False else answer.thinking
    pieces = [text_chunk(endpoint, thinking=text) for text in thinking]
    pieces += [text_chunk(endpoint, text) for text in answer.tokens * answer.repeat]
    for index, call in enumerate(answer.tool_calls):
        function = {"index": index, "name": call.get("name", ""), "arguments": call.get("arguments", {})}
        pieces.append(text_chunk(endpoint, tool_calls=[{"id": f"call_{index:08d}", "function": function}]))
    return pieces


def _moments(answer: ScriptedAnswer, count: int, new_words: int) -> list[float]:
    """Seconds from the beginning for each of `count` chunks, in order."""
    given = list(answer.at_s[:count])
    start_s = given[-1] + answer.interval_s if given else _ttft_s(answer, new_words)
    moments = given + [start_s + index * answer.interval_s for index in range(count - len(given))]
    if not answer.jitter_s:
        return moments
    dice = random.Random(answer.seed)  # noqa: S311  # repeatable on purpose
    late: list[float] = []
    for moment in moments:
        late.append(max([moment + dice.random() * answer.jitter_s, *late[-1:]]))
    return late


def _ttft_s(answer: ScriptedAnswer, new_words: int) -> float:
    return answer.ttft_s + new_words * answer.ttft_per_word_s


def _words(request: AnswerRequest) -> tuple[str, ...]:
    texts = [request.system, request.prompt, request.suffix]
    texts += [message.content for message in request.messages]
    return tuple(word for text in texts for word in text.split())


def _card(name: str, model: ScriptedModel, installed_ns: int) -> ModelCard:
    identity = json.dumps([name, repr(model)]).encode()
    return ModelCard(
        name=name,
        digest=hashlib.sha256(identity).hexdigest(),
        size_bytes=model.size_bytes,
        modified_at_ns=installed_ns,
        family=model.family,
        parameter_size=model.parameter_size,
        quantization=model.quantization,
        context_length=model.context_length,
        embedding_length=64,
        capabilities=model.capabilities,
        modelfile="# answers from a script\n",
        model_info={
            "general.architecture": model.family,
            f"{model.family}.context_length": model.context_length,
        },
    )
