"""What llama.cpp says, turned into the chunks that Ollama sends: thinking parted, tool calls read, repetition stopped.

One `Speech` is one answer. It sees no socket; how llama.cpp is asked is `engine.llama`'s.
"""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine.backend import AnswerRequest, Chunk, StreamCutError
from pytest_chimera.engine.chunks import text_chunk
from pytest_chimera.engine.repeat_guard import RepeatGuard
from pytest_chimera.engine.thinking import OPEN_TAG, ThinkingParser
from pytest_chimera.engine.tool_calls import ToolCallParser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ID_LETTERS = string.ascii_lowercase + string.digits


class Speech:
    """One answer on its way."""

    def __init__(self, request: AnswerRequest, prompt: str, *, parts_thinking: bool) -> None:
        """`parts_thinking`: the model can think and was not told not to."""
        self._endpoint = request.endpoint
        self._top = request.top_logprobs
        self._guard = RepeatGuard()
        inside = prompt.rstrip().endswith(OPEN_TAG)
        self._thinking = ThinkingParser(inside=inside) if parts_thinking else None
        self._tools = ToolCallParser(request.tools) if request.tools else None
        self.raw = ""
        """All that llama.cpp said, tags and calls too."""

    @property
    def thought(self) -> bool:
        """Whether the thinking has come to its end."""
        return self._thinking is not None and self._thinking.thought

    def hear(self, event: Mapping[str, Any]) -> Iterator[Chunk]:
        """The chunks that one event of llama.cpp gives; raises StreamCutError when the guard against repetition trips.

        On generate an event that says nothing yet is an empty chunk, on chat it is none, as with Ollama.
        """
        piece: str = event["content"]
        if self._guard.trips(piece):
            raise StreamCutError
        if not piece:
            return
        self.raw += piece
        logprobs = logprobs_of(event, self._top)
        thinking, content = "", piece
        if self._thinking is not None:
            parted = self._thinking.feed(piece)
            thinking, content = parted.thinking, parted.content
        calls: tuple[Mapping[str, Any], ...] = ()
        if self._tools is not None:
            heard = self._tools.feed(content)
            content, calls = heard.content, heard.calls
        if self._endpoint == "generate" or thinking or content or calls or logprobs:
            yield text_chunk(
                self._endpoint,
                content,
                thinking=thinking,
                tool_calls=[_wire_call(call) for call in calls],
                logprobs=logprobs,
            )

    def finish(self) -> Iterator[Chunk]:
        """The chunks of what was held back until the answer had ended."""
        thinking, content = "", ""
        if self._thinking is not None:
            parted = self._thinking.flush()
            thinking, content = parted.thinking, parted.content
        if self._tools is not None:
            content = self._tools.feed(content).content + self._tools.flush() if content else self._tools.flush()
        if thinking or content:
            yield text_chunk(self._endpoint, content, thinking=thinking)


def logprobs_of(event: Mapping[str, Any], top: int) -> list[dict[str, Any]]:
    """The `logprobs` of a chunk from those of llama.cpp; `top` alternatives were asked for."""
    found = []
    for token in event.get("completion_probabilities", ()):
        entry = _logprob(token)
        if top:
            entry["top_logprobs"] = [_logprob(other) for other in token.get("top_logprobs", ())]
        found.append(entry)
    return found


def _logprob(token: Mapping[str, Any]) -> dict[str, Any]:
    entry = {"token": token["token"], "logprob": token["logprob"]}
    if token.get("bytes"):
        entry["bytes"] = token["bytes"]
    return entry


def _wire_call(call: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "call_" + "".join(secrets.choice(_ID_LETTERS) for _ in range(8)), "function": dict(call)}
