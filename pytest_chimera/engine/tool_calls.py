"""Tool calls found in what a model writes: a JSON object that names a known tool and its arguments. Pure.

For models whose template shows the tools as JSON and asks for JSON back (the generic way, as Ollama has it); the many
private notations of tool calls are not read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Heard:
    """What one piece brought."""

    content: str
    calls: tuple[Mapping[str, Any], ...]
    """`{"index": 0, "name": ..., "arguments": {...}}` each."""


class ToolCallParser:
    """Reads one answer; text before the first brace is content, from there on nothing is until the end."""

    __slots__ = ("_calls", "_names", "_pending", "_reading")

    def __init__(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """`tools` as the request brought them."""
        self._names = {tool.get("function", {}).get("name") for tool in tools}
        self._pending = ""
        self._reading = False
        self._calls = 0

    def feed(self, piece: str) -> Heard:
        """Content and calls that this piece completes."""
        if not self._reading:
            before, brace, after = piece.partition("{")
            if not brace:
                return Heard(piece, ())
            self._reading, self._pending = True, brace + after
            return Heard(before, self._complete())
        self._pending += piece
        return Heard("", self._complete())

    def flush(self) -> str:
        """What was held back and is no call, when the answer has ended without any."""
        rest, self._pending = self._pending, ""
        return "" if self._calls else rest

    def _complete(self) -> tuple[Mapping[str, Any], ...]:
        found = []
        while (start := self._pending.find("{")) >= 0:
            try:
                value, end = _DECODER.raw_decode(self._pending, start)
            except ValueError:
                break
            call = self._call(value)
            if call is None:
                break
            found.append(call)
            self._pending = self._pending[end:]
        return tuple(found)

    def _call(self, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
        name = value.get("name")
        arguments = value.get("parameters", value.get("arguments"))
        if name not in self._names or not isinstance(arguments, Mapping):
            return None
        self._calls += 1
        return {"index": self._calls - 1, "name": name, "arguments": dict(arguments)}
