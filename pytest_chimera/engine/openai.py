"""OpenAI's chat route over the same backends, as far as Ollama offers it and measuring clients use it.

Requests are translated into Ollama's and checked there; answers are translated chunk by chunk.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine import requests
from pytest_chimera.engine.answers import Whole
from pytest_chimera.engine.backend import ApiError, StreamCutError
from pytest_chimera.engine.http import EVENT_STREAM_TYPE, JSON_TYPE
from pytest_chimera.wire.encode import encode_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from pytest_chimera.engine.backend import AnswerRequest, Backend, Chunk
    from pytest_chimera.engine.http import Call

_OPTION_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "max_tokens": "num_predict",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
_ERROR_TYPES = {400: "invalid_request_error", 404: "not_found_error"}


class OpenAiAnswering:
    """Answers `/v1/chat/completions` from one backend."""

    def __init__(self, backend: Backend, wall_clock_ns: Callable[[], int]) -> None:
        """`wall_clock_ns` gives `created` and, its last digits, the id."""
        self._backend = backend
        self._wall_clock_ns = wall_clock_ns

    async def chat(self, call: Call) -> None:
        """Answer one request; errors have OpenAI's form."""
        try:
            body, request = self._read(await call.body())
            await call.while_connected(self._answer(call, body, request))
        except ApiError as error:
            kind = _ERROR_TYPES.get(error.status, "api_error")
            shown = {"error": {"message": error.message, "type": kind, "param": None, "code": None}}
            await call.reply_json(shown, error.status)

    def _read(self, raw: bytes) -> tuple[Mapping[str, Any], AnswerRequest]:
        received_ns = time.monotonic_ns()
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise ApiError(400, "the body is not a JSON object")
        translated = requests.decode_answer_body("chat", encode_json(_translated(body)))
        asked = translated.get("model") or ""
        name = requests.answer_model_name("chat", asked)
        card = next((card for card in self._backend.cards() if card.name == name.short), None)
        if card is None:
            raise requests.model_not_found(asked)
        return body, requests.answer_request("chat", translated, name, card, received_ns)

    async def _answer(self, call: Call, body: Mapping[str, Any], request: AnswerRequest) -> None:
        now_ns = self._wall_clock_ns()
        frame = {
            "id": f"chatcmpl-{now_ns % 1000}",
            "object": "chat.completion.chunk" if request.stream else "chat.completion",
            "created": now_ns // 1_000_000_000,
            "model": request.asked_model,
            "system_fingerprint": "fp_ollama",
        }
        chunks = self._backend.answer(request)
        try:
            if request.stream:
                await self._stream(call, chunks, frame, with_usage=_wants_usage(body))
            else:
                await self._whole(call, chunks, frame)
        except StreamCutError:
            return
        finally:
            await chunks.aclose()

    async def _stream(
        self, call: Call, chunks: AsyncGenerator[Chunk, None], frame: Mapping[str, Any], *, with_usage: bool
    ) -> None:
        async for chunk in chunks:
            delta = {} if chunk.get("done") else _message(chunk["message"])
            if not call.started:
                await call.begin(200, {"content-type": EVENT_STREAM_TYPE})
            else:
                delta.pop("role", None)  # said once, with the first piece
            reason = chunk.get("done_reason") if chunk.get("done") else None
            choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": reason}
            await call.write(_event({**frame, "choices": [choice]}))
            if chunk.get("done") and with_usage:
                await call.write(_event({**frame, "choices": [], "usage": _usage(chunk)}))
        await call.write(b"data: [DONE]\n\n")
        await call.end()

    async def _whole(self, call: Call, chunks: AsyncGenerator[Chunk, None], frame: Mapping[str, Any]) -> None:
        whole = Whole()
        async for chunk in chunks:
            whole.add(chunk)
        last = whole.chunk()
        message = _message(last["message"])
        reason = "tool_calls" if "tool_calls" in message else last.get("done_reason")
        choice = {"index": 0, "message": message, "finish_reason": reason}
        answer = {**frame, "choices": [choice], "usage": _usage(last)}
        await call.reply(200, encode_json(answer), JSON_TYPE)


def _translated(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same request as `/api/chat` takes it."""
    options = {ours: body[theirs] for theirs, ours in _OPTION_NAMES.items() if body.get(theirs) is not None}
    stop = body.get("stop")
    if stop is not None:
        options["stop"] = [stop] if isinstance(stop, str) else stop
    response_format = body.get("response_format") or {}
    schema = (response_format.get("json_schema") or {}).get("schema")
    return {
        "model": body.get("model"),
        "messages": [_flat(message) for message in body.get("messages") or []],
        "stream": bool(body.get("stream")),
        "options": options,
        "tools": body.get("tools"),
        "format": schema or ("json" if response_format.get("type") == "json_object" else None),
    }


def _flat(message: Any) -> Any:
    """A message whose content may be a list of parts, as one text."""
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    texts = [part.get("text", "") for part in message["content"] if isinstance(part, dict)]
    return {**message, "content": "".join(texts)}


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"role": "assistant", "content": message.get("content", "")}
    if message.get("thinking"):
        shown["reasoning"] = message["thinking"]
    if message.get("tool_calls"):
        shown["tool_calls"] = [_tool_call(index, call) for index, call in enumerate(message["tool_calls"])]
    return shown


def _tool_call(index: int, call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function", {})
    arguments = encode_json(function.get("arguments", {})).decode()
    return {
        "id": call.get("id", ""),
        "index": index,
        "type": "function",
        "function": {"name": function.get("name", ""), "arguments": arguments},
    }


def _wants_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _usage(chunk: Chunk) -> dict[str, int]:
    prompt, completion = chunk.get("prompt_eval_count", 0), chunk.get("eval_count", 0)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _event(value: Mapping[str, Any]) -> bytes:
    return b"data: " + encode_json(value) + b"\n\n"
