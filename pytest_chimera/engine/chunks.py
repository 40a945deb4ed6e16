"""Chunk dicts in Ollama's key order, with its rule that a zero or empty optional field is left out.

Pure values for every backend; `model` and `created_at` are the server's, bytes are `wire.encode`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.engine.backend import Chunk, Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What a final chunk reports; None and 0 are left out, as Go's omitempty does."""

    total_duration_ns: int | None = None
    """From the handler's entry."""
    load_duration_ns: int | None = None
    prompt_eval_count: int | None = None
    """With the cached ones."""
    prompt_eval_cached_count: int | None = None
    """Sent only where it is known; 0 is sent, because a known zero is what makes prefill rates computable."""
    prompt_eval_duration_ns: int | None = None
    eval_count: int | None = None
    """With the end-of-text token."""
    eval_duration_ns: int | None = None


def text_chunk(
    endpoint: Endpoint,
    content: str = "",
    *,
    thinking: str = "",
    tool_calls: Sequence[Mapping[str, Any]] = (),
    logprobs: Sequence[Mapping[str, Any]] = (),
) -> Chunk:
    """A chunk that is not the last.

    `tool_calls` as sent on the wire: `{"id": "call_...", "function": {"index": 0, "name": ..., "arguments": {...}}}`.
    """
    chunk = _body(endpoint, content, thinking, tool_calls)
    chunk["done"] = False
    if endpoint == "generate" and tool_calls:
        chunk["tool_calls"] = list(tool_calls)
    if logprobs:
        chunk["logprobs"] = list(logprobs)
    return chunk


def final_chunk(
    endpoint: Endpoint,
    done_reason: str,
    metrics: Metrics | None = None,
    *,
    context: Sequence[int] = (),
    content: str = "",
) -> Chunk:
    """The last chunk; without metrics it is the answer to a load or unload. `context` is generate's token list."""
    chunk = _body(endpoint, content, "", ())
    chunk["done"] = True
    if done_reason:
        chunk["done_reason"] = done_reason
    if endpoint == "generate" and context:
        chunk["context"] = list(context)
    if metrics is not None:
        chunk.update(_metrics(metrics))
    return chunk


def _body(endpoint: Endpoint, content: str, thinking: str, tool_calls: Sequence[Mapping[str, Any]]) -> Chunk:
    if endpoint == "generate":
        return {"response": content, "thinking": thinking} if thinking else {"response": content}
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if thinking:
        message["thinking"] = thinking
    if tool_calls:
        message["tool_calls"] = list(tool_calls)
    return {"message": message}


def _metrics(metrics: Metrics) -> dict[str, int]:
    fields = {
        "total_duration": metrics.total_duration_ns,
        "load_duration": metrics.load_duration_ns,
        "prompt_eval_count": metrics.prompt_eval_count,
        "prompt_eval_cached_count": metrics.prompt_eval_cached_count,
        "prompt_eval_duration": metrics.prompt_eval_duration_ns,
        "eval_count": metrics.eval_count,
        "eval_duration": metrics.eval_duration_ns,
    }
    return {name: value for name, value in fields.items() if value or (name.endswith("cached_count") and value == 0)}
