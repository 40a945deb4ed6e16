"""Ollama's answers, read after the fact: stamped body pieces in; chunks, text, metrics or a named failure out.

Pure: no sockets, no clock. Stamps come from the client, HTTP framing is `wire.http`'s, error texts are `wire.faults`'.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pytest_chimera.records import Chunk, Failure
from pytest_chimera.units import NS_PER_S
from pytest_chimera.wire.faults import error_text, http_failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_chimera.records import FailureCause
    from pytest_chimera.wire.http import HttpAnswer, Read

_OK = 200
_NOT_ASKED = {"load": "loaded", "unload": "unloaded"}
_decode = json.JSONDecoder().raw_decode  # json.loads without its look for a byte order mark and for blanks
_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
_COUNTS = ("prompt_eval_count", "prompt_eval_cached_count", "eval_count")
_EXCERPT_CHARS = 60
_NS_UTC_CHARS = len("2026-11-22T09:00:19.033999375Z")


@dataclass(slots=True, kw_only=True)
class Answer:
    """What an answer says, as far as it came; filled by `read_answer` and then left alone."""

    chunks: list[Chunk] = field(default_factory=list)
    text: str = ""
    thinking: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    context: tuple[int, ...] = ()
    done_reason: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    """Field names of `records.Generation` -> what the final chunk reports; absent is None."""
    final_ns: int | None = None
    """Stamp of the final chunk."""
    failure: Failure | None = None


def read_answer(http: HttpAnswer, transport: Failure | None = None) -> Answer:
    """The answer within `http`, whose stamps count from the moment the request was sent.

    `transport`: how the connection failed, if it did; what the server itself said goes before it.
    """
    if http.status is not None and http.status != _OK:
        return Answer(failure=http_failure(http))
    answer = _Reader().read(http.pieces, whole=http.complete)
    if answer.failure is None and answer.final_ns is None:
        answer.failure = transport or _unfinished(http, answer)
    return answer


def unix_ns(created_at: object) -> int | None:
    """RFC 3339 with up to nine digits of fraction, as ns since the epoch; None for anything else."""
    if not isinstance(created_at, str):
        return None
    if len(created_at) == _NS_UTC_CHARS and created_at[19] == "." and created_at[29] == "Z":
        # What nine of ten chunks have: nine digits of fraction, in UTC.
        whole, digits = _whole_seconds(created_at[:19], "+00:00"), created_at[20:29]
        return None if whole is None or not digits.isdecimal() else whole * NS_PER_S + int(digits)
    seconds = _whole_seconds(created_at[:19], _zone(created_at))
    fraction = created_at[20:29]
    if created_at[19:20] != ".":
        return None if seconds is None else seconds * NS_PER_S
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
    if seconds is None or not digits:
        return None
    return seconds * NS_PER_S + int(digits.ljust(9, "0"))


def _zone(created_at: str) -> str:
    return "+00:00" if created_at.endswith("Z") else created_at[-6:]


@lru_cache(maxsize=64)  # the chunks of a stream share a few seconds between them
def _whole_seconds(text: str, zone: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text + zone)
    except ValueError:
        return None
    return None if moment.tzinfo is None else int(moment.astimezone(timezone.utc).timestamp())


def _unfinished(http: HttpAnswer, answer: Answer) -> Failure:
    if http.problem is not None:
        return _protocol("not_http", f"the answer cannot be read: {http.problem}")
    chunks = _counted(len(answer.chunks))
    if http.complete:
        text = f"the stream ended after {chunks} and without its final chunk"
        return Failure(kind="cut", cause="no_final_chunk", message=text, status=http.status)
    text = f"the connection was closed in the middle of the answer, after {chunks}"
    return Failure(kind="cut", cause="closed", message=text, status=http.status)


def _counted(chunks: int) -> str:
    return f"{chunks} chunk{'' if chunks == 1 else 's'}"


def _protocol(cause: FailureCause, message: str) -> Failure:
    return Failure(kind="protocol", cause=cause, message=message, status=None if cause == "not_http" else _OK)


class _MalformedError(Exception):
    """A line that is not Ollama's, with its failure."""

    def __init__(self, cause: FailureCause, message: str) -> None:
        super().__init__(cause, message)
        self.failure = _protocol(cause, message)


class _Reader:
    """Reads lines into an Answer until the final chunk, an error line or a malformed line."""

    def __init__(self) -> None:
        self.answer = Answer()
        self._text: list[str] = []
        self._thinking: list[str] = []

    def read(self, pieces: Sequence[Read], *, whole: bool) -> Answer:
        answer = self.answer
        try:
            for number, (ns, line) in enumerate(_lines(pieces, whole=whole), start=1):
                self._line(ns, _object(line, number), number)
                if answer.final_ns is not None or answer.failure is not None:
                    break
        except _MalformedError as error:
            answer.failure = error.failure
        answer.text, answer.thinking = "".join(self._text), "".join(self._thinking)
        return answer

    def _line(self, ns: int, chunk: dict[str, Any], number: int) -> None:
        answer = self.answer
        if "error" in chunk:
            message = error_text(chunk["error"])
            answer.failure = Failure(kind="stream", cause="error_line", message=message, status=_OK)
            return
        source = chunk.get("message", chunk)
        if not isinstance(source, dict):
            raise _MalformedError("shape", f"line {number} of the answer has a message that is no object")
        text = _typed(source.get("content" if source is not chunk else "response"), str, "", number)
        self._text.append(text)
        thinking_chars = calls = 0
        if "thinking" in source:
            thinking = _typed(source["thinking"], str, "", number)
            self._thinking.append(thinking)
            thinking_chars = len(thinking)
        if "tool_calls" in source:
            called = _typed(source["tool_calls"], list, [], number)
            answer.tool_calls += called
            calls = len(called)
        answer.chunks.append(Chunk(ns, unix_ns(chunk.get("created_at")), thinking_chars, len(text), calls))
        if "logprobs" in chunk:
            answer.logprobs += _typed(chunk["logprobs"], list, [], number)
        if chunk.get("done") is True:
            self._final(ns, chunk, number)

    def _final(self, ns: int, chunk: dict[str, Any], number: int) -> None:
        answer = self.answer
        answer.final_ns = ns
        answer.done_reason = _typed(chunk.get("done_reason"), str, None, number)
        answer.context = tuple(_typed(chunk.get("context"), list, [], number))
        answer.metrics = {
            **{f"{name}_ns": _metric(chunk, name) for name in _DURATIONS},
            **{name: _metric(chunk, name) for name in _COUNTS},
        }
        wrong = _absurd(chunk)
        if wrong is not None:
            answer.failure = _protocol("durations", f"the server reported {wrong}")
        elif answer.done_reason in _NOT_ASKED:
            done = _NOT_ASKED[answer.done_reason]
            answer.failure = _protocol("only_loaded", f"the server {done} the model and did not ask it")


def _lines(pieces: Sequence[Read], *, whole: bool) -> Iterator[tuple[int, bytes]]:
    """Each line with the stamp of the piece that completed it; one cut off by the end of the connection is left out."""
    pending = b""
    for ns, piece in pieces:
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            if bare := line.strip():
                yield ns, bare
    if whole and (bare := pending.strip()):
        yield pieces[-1].ns, bare


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        text = line.decode()
        value, end = _decode(text)
    except UnicodeDecodeError as error:
        raise _MalformedError("utf8", f"line {number} of the answer is not UTF-8 ({error.reason})") from None
    except (ValueError, RecursionError):
        raise _MalformedError("json", f"line {number} of the answer is not JSON: {_excerpt(line)}") from None
    if end != len(text):
        raise _MalformedError("json", f"line {number} of the answer is not JSON: {_excerpt(line)}")
    if not isinstance(value, dict):
        raise _MalformedError("shape", f"line {number} of the answer is no JSON object: {_excerpt(line)}")
    return value


def _typed(value: Any, expected: type, absent: Any, number: int) -> Any:
    if isinstance(value, expected):
        return value
    if value is None:
        return absent
    raise _MalformedError("shape", f"line {number} of the answer has {value!r:.60} where {expected.__name__} belongs")


def _metric(chunk: Mapping[str, Any], name: str) -> int | None:
    value = chunk.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _absurd(chunk: Mapping[str, Any]) -> str | None:
    """What cannot be among the numbers: one that is not whole, a negative one, a part above its whole."""
    for name in (*_DURATIONS, *_COUNTS):
        value = chunk.get(name)
        if value is not None and (_metric(chunk, name) is None or value < 0):
            return f"{name} {value!r}, which cannot be"
    total = _metric(chunk, "total_duration")
    for name in _DURATIONS[1:]:
        part = _metric(chunk, name)
        if total is not None and part is not None and part > total:
            return f"{name} {part} ns, which is more than its total_duration {total} ns"
    cached, prompt = _metric(chunk, "prompt_eval_cached_count"), _metric(chunk, "prompt_eval_count")
    if cached is not None and prompt is not None and cached > prompt:
        return f"prompt_eval_cached_count {cached}, which is more than its prompt_eval_count {prompt}"
    return None


def _excerpt(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text[:_EXCERPT_CHARS]) + ("..." if len(text) > _EXCERPT_CHARS else "")
