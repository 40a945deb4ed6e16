"""From a backend's chunks to the answer of `/api/chat` and `/api/generate`: a stream of lines, or one object.

The server adds `model` and `created_at` here, stamped just before the write. OpenAI's form is engine.openai's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.engine.backend import ApiError, StreamCutError
from pytest_chimera.engine.chunks import final_chunk
from pytest_chimera.engine.http import JSON_TYPE, NDJSON_TYPE
from pytest_chimera.wire.encode import encode_error, encode_line, format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.engine.backend import AnswerRequest, Backend, Chunk
    from pytest_chimera.engine.http import Call


class Answering:
    """Answers requests for text from one backend."""

    def __init__(self, backend: Backend, wall_clock_ns: Callable[[], int]) -> None:
        """`wall_clock_ns` gives `created_at`."""
        self._backend = backend
        self._wall_clock_ns = wall_clock_ns

    async def answer(self, call: Call, request: AnswerRequest) -> None:
        """Load, unload, or answer, as the request says. Raises ApiError before anything was sent."""
        if request.is_empty:
            await call.reply_json(self._stamped(request, await self._load_or_unload(request)))
        elif request.stream:
            await self._stream(call, request)
        else:
            await self._whole(call, request)

    async def _load_or_unload(self, request: AnswerRequest) -> Chunk:
        if request.keep_alive_s == 0:
            await self._backend.unload(request.model)
            return final_chunk(request.endpoint, "unload")
        await self._backend.load(request)
        return final_chunk(request.endpoint, "load")

    async def _stream(self, call: Call, request: AnswerRequest) -> None:
        chunks = self._backend.answer(request)
        try:
            async for chunk in chunks:
                if not call.started:
                    await call.begin(200, {"content-type": NDJSON_TYPE})
                await call.write(encode_line(self._stamped(request, chunk)))
        except ApiError as error:
            if not call.started:
                raise
            await call.write(encode_error(error.message) + b"\n")
        except StreamCutError as cut:
            if not call.started:
                await call.begin(200, {"content-type": NDJSON_TYPE})
            if cut.abrupt:
                return
        finally:
            await chunks.aclose()
        await call.end()

    async def _whole(self, call: Call, request: AnswerRequest) -> None:
        chunks = self._backend.answer(request)
        whole = Whole()
        try:
            async for chunk in chunks:
                whole.add(chunk)
        except StreamCutError as cut:
            if cut.abrupt:
                await call.begin(200, {"content-type": JSON_TYPE})
                return
        finally:
            await chunks.aclose()
        body = whole.chunk()
        if "error" in body:
            await call.reply_json(body, 500)
            return
        await call.reply_json(self._stamped(request, body))

    def _stamped(self, request: AnswerRequest, chunk: Chunk) -> Chunk:
        if "error" in chunk:
            return chunk
        stamped: Chunk = {"model": request.asked_model, "created_at": format_time(self._wall_clock_ns())}
        stamped.update(chunk)
        return stamped


class Whole:
    """Chunks collected into the one object of an answer that is not streamed."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._last: Chunk = {}
        self._texts: dict[str, list[str]] = {"response": [], "content": [], "thinking": []}
        self._lists: dict[str, list[Any]] = {"tool_calls": [], "logprobs": []}

    def add(self, chunk: Chunk) -> None:
        """Take the next chunk in."""
        self._last = chunk
        for part in (chunk, chunk.get("message", {})):
            for name, texts in self._texts.items():
                if part.get(name):
                    texts.append(part[name])
            for name, items in self._lists.items():
                items.extend(part.get(name, ()))

    def chunk(self) -> Chunk:
        """The last chunk with the text, thinking, tool calls and logprobs of all; {} when there was none."""
        if not self._last or "error" in self._last:
            return self._last
        text = {name: "".join(parts) for name, parts in self._texts.items()}
        rest = {
            name: value
            for name, value in self._last.items()
            if name not in {"message", "response", "thinking", *self._lists}
        }
        collected: Chunk = {}
        if "message" in self._last:
            collected["message"] = {**self._last["message"], "content": text["content"]}
            target: Chunk = collected["message"]
        else:
            collected["response"] = text["response"]
            target = collected
        if text["thinking"]:
            target["thinking"] = text["thinking"]
        if "message" in self._last and self._lists["tool_calls"]:
            target["tool_calls"] = self._lists["tool_calls"]
        collected.update(rest)
        if "message" not in self._last and self._lists["tool_calls"]:
            collected["tool_calls"] = self._lists["tool_calls"]
        if self._lists["logprobs"]:
            collected["logprobs"] = self._lists["logprobs"]
        return collected
