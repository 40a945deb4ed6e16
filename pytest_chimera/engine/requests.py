"""The body of a request, checked as Ollama checks it and refused in its words.

Bytes go in, an AnswerRequest comes out; what the model can do is read from its card. No sockets, and nothing is
answered here: a refusal is an ApiError.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Literal, cast

from pytest_chimera.engine.backend import DEFAULT_KEEP_ALIVE_S, FOREVER_S, AnswerRequest, ApiError, Message
from pytest_chimera.engine.godecode import Field, ListOf, Struct, decode
from pytest_chimera.wire.encode import encode_json
from pytest_chimera.wire.names import ModelName, parse_name
from pytest_chimera.wire.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.engine.backend import Endpoint, ModelCard, Think

_IMAGES = ListOf(Field("string"), "[]api.ImageData")
_MESSAGE = Struct(
    "api.Message",
    {
        "role": Field("string"),
        "content": Field("string"),
        "thinking": Field("string"),
        "images": _IMAGES,
        "tool_calls": ListOf(Field("api.ToolCall"), "[]api.ToolCall"),
        "tool_name": Field("string"),
        "tool_call_id": Field("string"),
    },
)
_SHARED: Mapping[str, Field | ListOf | Struct] = {
    "model": Field("string"),
    "stream": Field("bool"),
    "options": Field("map[string]interface {}"),
    "truncate": Field("bool"),
    "shift": Field("bool"),
    "logprobs": Field("bool"),
    "top_logprobs": Field("int"),
}
CHAT_BODY = Struct(
    "api.ChatRequest",
    {
        **_SHARED,
        "messages": ListOf(_MESSAGE, "[]api.Message"),
        "tools": ListOf(Field("api.Tool"), "api.Tools"),
    },
)
GENERATE_BODY = Struct(
    "api.GenerateRequest",
    {
        **_SHARED,
        "prompt": Field("string"),
        "suffix": Field("string"),
        "system": Field("string"),
        "template": Field("string"),
        "context": ListOf(Field("int"), "[]int"),
        "raw": Field("bool"),
        "images": _IMAGES,
    },
)
SHOW_BODY = Struct("api.ShowRequest", {"model": Field("string"), "name": Field("string"), "verbose": Field("bool")})
DELETE_BODY = Struct("api.DeleteRequest", {"model": Field("string"), "name": Field("string")})
PULL_BODY = Struct("api.PullRequest", {"model": Field("string"), "name": Field("string"), "stream": Field("bool")})
COPY_BODY = Struct("api.CopyRequest", {"source": Field("string"), "destination": Field("string")})
EMBED_BODY = Struct("api.EmbedRequest", {"model": Field("string"), "truncate": Field("bool")})

_GO_TYPES = {int: "integer", float: "float32", bool: "boolean", list: "array"}
_MAX_TOP_LOGPROBS = 20
_THINK_WORDS = ("high", "medium", "low", "max")
_DURATION_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART = re.compile(r"([0-9]*\.?[0-9]*)([^0-9.]*)")


def decode_answer_body(endpoint: Endpoint, raw: bytes) -> dict[str, Any]:
    """The body of `/api/chat` or `/api/generate`, its types checked. Raises ApiError 400."""
    body = decode(raw, CHAT_BODY if endpoint == "chat" else GENERATE_BODY)
    body["keep_alive"] = parse_keep_alive(body.get("keep_alive"))
    body["think"] = _think(body.get("think"))
    return body


def answer_model_name(endpoint: Endpoint, asked: str) -> ModelName:
    """The model that a chat or generate asks for. Raises ApiError as the endpoint does."""
    if not asked:
        raise ApiError(400, "model is required") if endpoint == "chat" else model_not_found(asked)
    return valid_name(asked)


def valid_name(asked: str) -> ModelName:
    """The parts of the name. Raises ApiError 400."""
    name = parse_name(asked)
    if name is None:
        raise ApiError(400, "invalid model name")
    return name


def model_not_found(asked: str) -> ApiError:
    """What Ollama answers when nothing of that name is installed."""
    return ApiError(404, f"model '{asked}' not found")


def answer_request(
    endpoint: Endpoint, body: Mapping[str, Any], name: ModelName, card: ModelCard, received_ns: int
) -> AnswerRequest:
    """Everything else that Ollama checks, in its order, now that the model is known. Raises ApiError."""
    asked = body["model"]
    raw = bool(body.get("raw"))
    if raw and (body.get("template") or body.get("system") or body.get("context")):
        raise ApiError(400, "raw mode does not support template, system, or context")
    top_logprobs = body.get("top_logprobs") or 0
    if not 0 <= top_logprobs <= _MAX_TOP_LOGPROBS:
        raise ApiError(400, f"top_logprobs must be between 0 and {_MAX_TOP_LOGPROBS}")
    _check_capabilities(endpoint, body, name, card)
    options = checked_options(body.get("options") or {})
    return AnswerRequest(
        endpoint=endpoint,
        model=card.name,
        asked_model=asked,
        received_ns=received_ns,
        messages=tuple(_message(message) for message in body.get("messages") or ()),
        prompt=body.get("prompt") or "",
        system=body.get("system") or "",
        template=body.get("template") or "",
        suffix=body.get("suffix") or "",
        raw=raw,
        context=tuple(body.get("context") or ()),
        images=_images(body.get("images")),
        format=_format(body.get("format")),
        options=options,
        think=body["think"],
        keep_alive_s=body["keep_alive"],
        tools=tuple(body.get("tools") or ()),
        truncate=body.get("truncate") is not False,
        logprobs=bool(body.get("logprobs")),
        top_logprobs=top_logprobs,
        stream=body.get("stream") is not False,
    )


def _check_capabilities(endpoint: Endpoint, body: Mapping[str, Any], name: ModelName, card: ModelCard) -> None:
    if "completion" not in card.capabilities:
        raise ApiError(400, f'"{body["model"]}" does not support {endpoint}')
    if body["think"] and "thinking" not in card.capabilities:
        raise ApiError(400, f'"{body["model"]}" does not support thinking')
    for wanted, capability in (("suffix", "insert"), ("tools", "tools")):
        if body.get(wanted) and capability not in card.capabilities:
            raise ApiError(400, f"{name.full} does not support {capability}")


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The known ones among `options` in Python's types; unknown names are dropped. Raises ApiError 500."""
    checked: dict[str, Any] = {}
    for name, value in options.items():
        if name in OPTIONS and value is not None:
            checked[name] = _option(name, OPTIONS[name], value)
    return checked


def _option(name: str, kind: type, value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in {int, float} and is_number:
        return kind(value)  # 512.5 is taken as 512 for an integer, as Go's conversion does
    if kind is bool and isinstance(value, bool):
        return value
    if kind is list and isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ApiError(500, f'option "{name}" must be of an array of strings')
    raise ApiError(500, f'option "{name}" must be of type {_GO_TYPES[kind]}')


def parse_keep_alive(value: Any) -> float:
    """Seconds: a number of seconds or a Go duration such as "5m"; negative is for ever. Raises ApiError 400."""
    if value is None:
        return DEFAULT_KEEP_ALIVE_S
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        kind = {bool: "bool", list: "[]interface {}", dict: "map[string]interface {}"}[type(value)]
        raise ApiError(400, f"Unsupported type: '{kind}'")
    seconds = _go_duration(value) if isinstance(value, str) else float(value)
    return FOREVER_S if seconds < 0 else seconds


def _go_duration(text: str) -> float:
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text[1:] if text[:1] in {"-", "+"} else text
    if rest == "0":
        return 0.0
    total = 0.0
    if not rest:
        raise ApiError(400, f'time: invalid duration "{text}"')
    while rest:
        match = cast("re.Match[str]", _DURATION_PART.match(rest))  # both halves may be empty: it always matches
        digits, unit = match[1], match[2]
        if digits in {"", "."}:
            raise ApiError(400, f'time: invalid duration "{text}"')
        if not unit:
            raise ApiError(400, f'time: missing unit in duration "{text}"')
        if unit not in _DURATION_UNITS_S:
            raise ApiError(400, f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(digits) * _DURATION_UNITS_S[unit]
        rest = rest[match.end() :]
    return sign * total


def _think(value: Any) -> Think | None:
    if value is None or isinstance(value, bool):
        return value
    words = ", ".join(f'"{word}"' for word in _THINK_WORDS)
    if not isinstance(value, str):
        raise ApiError(400, f"think must be a boolean or string ({words}, true, or false)")
    if value not in _THINK_WORDS:
        raise ApiError(400, f'invalid think value: "{value}" (must be {words}, true, or false)')
    return cast("Literal['low', 'medium', 'high', 'max']", value)


def _format(value: Any) -> Literal["json"] | Mapping[str, Any] | None:
    if value is None or value == "":
        return None
    if value == "json":
        return "json"
    if isinstance(value, dict):
        return cast("Mapping[str, Any]", value)
    shown = encode_json(encode_json(value).decode()).decode()
    raise ApiError(500, f'invalid format: {shown}; expected "json" or a valid JSON Schema object', from_runner=True)


def _message(body: Mapping[str, Any]) -> Message:
    return Message(
        role=body.get("role") or "",
        content=body.get("content") or "",
        thinking=body.get("thinking") or "",
        images=_images(body.get("images")),
        tool_calls=tuple(body.get("tool_calls") or ()),
        tool_name=body.get("tool_name") or "",
        tool_call_id=body.get("tool_call_id") or "",
    )


def _images(values: Any) -> tuple[bytes, ...]:
    try:
        return tuple(base64.b64decode(value, validate=True) for value in values or ())
    except (binascii.Error, ValueError):
        raise ApiError(400, "illegal base64 data at input byte 0") from None
