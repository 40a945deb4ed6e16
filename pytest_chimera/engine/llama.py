"""The backend that answers from llama.cpp: real inference of `tiny` or of any GGUF file, one child per loaded model.

Here a request is carried through its stations: model loaded, prompt rendered and fitted, slot awaited, answer streamed,
durations reported as llama.cpp measured them. Each station's own rules are in the module named after it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine import prompts, templates
from pytest_chimera.engine.backend import (
    AnswerRequest,
    ApiError,
    Chunk,
    Message,
    ModelCard,
    RunningModel,
    images_unsupported,
    runner_died,
)
from pytest_chimera.engine.child import RUNNER_COMMAND, ChildDiedError, ChildRefusedError, LoadParameters
from pytest_chimera.engine.chunks import Metrics, final_chunk
from pytest_chimera.engine.loaded import Clock, Loaded, LoadedModels
from pytest_chimera.engine.models import Installed, ModelSpec, install, tiny_spec
from pytest_chimera.engine.sampling import DEFAULTS, completion_fields, format_fields
from pytest_chimera.engine.speech import Speech

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

_NS_PER_MS = 1_000_000
_FIELDS = ("content", "stop", "stop_type", "timings", "completion_probabilities")
"""What llama.cpp is to put into the last event; the whole prompt and all settings come back otherwise."""


class LlamaBackend:
    """Answers from llama.cpp. See `engine.backend.Backend` for what each method is asked."""

    def __init__(
        self,
        models: Sequence[ModelSpec] = (),
        *,
        threads: int = 1,
        parallel: int = 1,
        max_loaded: int = 3,
        max_queue: int = 512,
        report_cached: bool = True,
        runner_command: Sequence[str] = RUNNER_COMMAND,
        clock: Clock | None = None,
    ) -> None:
        """`models` (default: tiny) are read at `start`.

        threads: that decode one model; more than one collapses beside a busy neighbour (OpenMP spins), so 1.
        parallel: requests that one model answers at once; the others wait for a slot.
        report_cached: send `prompt_eval_cached_count`, as Ollama does since 0.33; older ones do not.
        """
        self._specs = tuple(models) or (tiny_spec(),)
        self._threads = threads
        self._parallel = parallel
        self._report_cached = report_cached
        self._installed: dict[str, Installed] = {}
        self._loaded = LoadedModels(max_loaded=max_loaded, max_queue=max_queue, command=runner_command, clock=clock)

    async def start(self) -> None:
        """Read headers and digests of the models; ModelError when one of them is no GGUF file."""
        for spec in self._specs:
            installed = await asyncio.to_thread(install, spec)
            self._installed[installed.card.name] = installed

    async def stop(self) -> None:
        """End all children."""
        await self._loaded.stop()

    def cards(self) -> Sequence[ModelCard]:
        """The installed models."""
        return [installed.card for installed in self._installed.values()]

    def running(self) -> Sequence[RunningModel]:
        """The loaded models, most recently used first."""
        return self._loaded.running()

    def sweep(self) -> None:
        """Unload what is due by the clock that was given; with the machine's own a timer does it."""
        self._loaded.sweep()

    async def load(self, request: AnswerRequest) -> None:
        """Load the model and set its keep_alive."""
        installed = self._installed[request.model]
        async with self._loaded.use(installed, self._parameters(installed, request), request.keep_alive_s):
            pass

    async def unload(self, model: str) -> None:
        """Unload the model as soon as nobody uses it."""
        await self._loaded.unload(model)

    async def copy(self, source: str, destination: str) -> None:
        """Install a model under a second name; no file is copied."""
        found = self._installed[source]
        card = replace(found.card, name=destination, modified_at_ns=time.time_ns())
        self._installed[destination] = replace(found, card=card)

    async def delete(self, model: str) -> None:
        """Forget a model and unload it; its file stays."""
        self._installed.pop(model, None)
        await self._loaded.unload(model)

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[Chunk, None]:
        """The chunks of the answer."""
        installed = self._installed[request.model]
        parameters = self._parameters(installed, request)
        async with self._loaded.use(installed, parameters, request.keep_alive_s) as loaded:
            load_ns = time.monotonic_ns() - request.received_ns
            _refuse_images(request)
            try:
                async with aclosing(_Answer(request, loaded, load_ns, self._report_cached).chunks()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except ChildDiedError as error:
                loaded.child.kill()
                await self._loaded.drop(loaded)
                raise runner_died() from error
            except ChildRefusedError as error:
                raise ApiError(error.status, error.body.strip(), from_runner=True) from error

    def _parameters(self, installed: Installed, request: AnswerRequest) -> LoadParameters:
        options = {**installed.spec.options, **request.options}
        gpu_layers = options.get("num_gpu", -1)
        return LoadParameters(
            path=str(installed.spec.path),
            n_ctx=installed.num_ctx(request.options.get("num_ctx")),
            n_parallel=self._parallel,
            n_batch=max(options.get("num_batch", 512), 1),
            n_threads=options.get("num_thread", 0) or self._threads,
            n_gpu_layers=None if gpu_layers < 0 else gpu_layers,
            chat_template=installed.template,
        )


def _refuse_images(request: AnswerRequest) -> None:
    if request.images or any(message.images for message in request.messages):
        raise images_unsupported()


class _Answer:
    """One request in a loaded model."""

    def __init__(self, request: AnswerRequest, loaded: Loaded, load_ns: int, report_cached: bool) -> None:
        self._request = request
        self._loaded = loaded
        self._child = loaded.child
        self._load_ns = load_ns
        self._report_cached = report_cached
        self._num_ctx = loaded.parameters.n_ctx
        self._options = {**loaded.installed.spec.options, **request.options}
        self._thinks = "thinking" in loaded.installed.card.capabilities and request.think is not False

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """All chunks, the last one with its durations."""
        prompt = await self._prompt()
        asked = await self._fitted(prompt)
        speech = Speech(self._request, prompt, parts_thinking=self._thinks)
        last: dict[str, Any] = {}
        async with self._loaded.slots:
            # A model that thinks and is to answer in a format first thinks freely, then a second completion begins.
            formats = [None, self._request.format] if self._thinks and self._request.format else [self._request.format]
            for index, wanted in enumerate(formats):
                said = speech.raw
                question = {**self._question(asked, wanted), "prompt": asked if not said else prompt + said}
                async with aclosing(self._child.stream(question)) as events:
                    async for event in events:
                        if event["stop"]:
                            last = event
                        for chunk in speech.hear(event):
                            yield chunk
                        if speech.thought and index + 1 < len(formats):
                            break
                    else:
                        break
            for chunk in speech.finish():
                yield chunk
            # The slot is free when the last chunk is out, as with Ollama.
            yield await self._final(last, prompt + speech.raw)

    async def _prompt(self) -> str:
        request = self._request
        if request.endpoint == "generate" and request.raw:
            return request.prompt
        system = self._loaded.installed.spec.system
        if request.endpoint == "generate" and request.template:
            return await self._after_context(
                templates.render_request_template(
                    request.template, system=request.system or system, prompt=request.prompt
                )
            )
        messages = templates.conversation(request, system)
        if request.endpoint == "chat":
            return await prompts.fit_messages(
                self._child, messages, self._render, num_ctx=self._num_ctx, truncate=request.truncate
            )
        return await self._after_context(await self._render(messages))

    async def _after_context(self, prompt: str) -> str:
        if not self._request.context:
            return prompt
        return await prompts.detokenize(self._child, self._request.context) + prompt

    async def _render(self, messages: Sequence[Message]) -> str:
        request = self._request
        think = request.think if request.think is not None or not self._thinks else True
        question = templates.template_question(messages, tools=request.tools, think=think)
        answer = await self._child.ask("/apply-template", question)
        prompt: str = answer["prompt"]
        return prompt

    async def _fitted(self, prompt: str) -> str | list[int]:
        return await prompts.fit_prompt(
            self._child,
            prompt,
            num_ctx=self._num_ctx,
            num_keep=self._options.get("num_keep", DEFAULTS["num_keep"]),
            adds_begin=bool(self._loaded.installed.card.model_info.get("tokenizer.ggml.add_bos_token", True)),
            truncate=self._request.truncate,
        )

    def _question(self, prompt: str | list[int], wanted: Any) -> dict[str, Any]:
        question = {
            "prompt": prompt,
            **completion_fields(self._options, self._num_ctx),
            "cache_prompt": True,
            "response_fields": _FIELDS,
        }
        if self._request.logprobs:
            question["n_probs"] = max(self._request.top_logprobs, 1)
        if wanted is not None:
            question |= format_fields(wanted, self._loaded.installed.spec.format_bias)
        return question

    async def _final(self, last: Mapping[str, Any], whole: str) -> Chunk:
        request = self._request
        context: Sequence[int] = ()
        if request.endpoint == "generate" and not request.raw:
            context = await prompts.tokenize(self._child, whole, special=False)
        timings = last["timings"]
        metrics = Metrics(
            total_duration_ns=time.monotonic_ns() - request.received_ns,
            load_duration_ns=self._load_ns,
            prompt_eval_count=timings["prompt_n"] + timings["cache_n"],
            prompt_eval_cached_count=timings["cache_n"] if self._report_cached else None,
            prompt_eval_duration_ns=int(timings["prompt_ms"] * _NS_PER_MS),
            eval_count=timings["predicted_n"],
            eval_duration_ns=int(timings["predicted_ms"] * _NS_PER_MS),
        )
        reason = "length" if last["stop_type"] == "limit" else "stop"
        return final_chunk(request.endpoint, reason, metrics, context=context)
