"""Two HTTP answers held against each other: what was recorded from a real Ollama, and ours.

Pure. `exact` is for the same model on both sides: then texts, token counts and the token list of `context` must be
equal too, line by line. Without it the model is another one: then how often a kind of line comes may differ, and so may
what a model's file says of itself (the keys of `model_info`, the list of tensors, names, digests, sizes).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from pytest_chimera.wire.http import Chunks, read_head

COUNTS = ("prompt_eval_count", "eval_count", "context")
OF_THE_MODEL = ("model_info", "tensors")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool
    """Whether it ended as its framing says, not by a connection that closed or fell silent."""

    @classmethod
    def of_bytes(cls, raw: bytes) -> Answer:
        """Taken apart from everything that came over the connection."""
        head, _, rest = raw.partition(b"\r\n\r\n")
        status, _, headers = read_head(head)
        assert status is not None, "recordings and our engine speak HTTP"
        if headers.get("transfer-encoding") == "chunked":
            chunks = Chunks()
            body = chunks.feed(rest)
            return cls(status=status, headers=headers, body=body, whole=chunks.complete)
        length = int(headers.get("content-length", "0"))
        return cls(status=status, headers=headers, body=rest, whole=len(rest) in (0, length))

    @property
    def lines(self) -> list[Any]:
        """The body's JSON values (of a stream, of server-sent events, of one object), or its text."""
        text = self.body.decode()
        kind = self.headers.get("content-type", "")
        if kind == "text/event-stream":
            events = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
            return [event if event == "[DONE]" else json.loads(event) for event in events]
        if "json" in kind:
            # A stream that was cut may end inside a line.
            return [json.loads(line) for line in text.split("\n") if line and (self.whole or line.endswith("}"))]
        return [text] if text else []


def disagreements(recorded: Answer, ours: Answer, *, exact: bool) -> list[str]:
    """What differs, one sentence each; empty when the two agree."""
    found = []
    for name, theirs, mine in (
        ("status", recorded.status, ours.status),
        ("content type", recorded.headers.get("content-type"), ours.headers.get("content-type")),
        ("allow", recorded.headers.get("allow"), ours.headers.get("allow")),
        ("properly ended", recorded.whole, ours.whole),
    ):
        if theirs != mine:
            found.append(f"{name}: recorded {theirs!r}, ours {mine!r}")
    if found:
        return [*found, f"our body: {ours.body[:300]!r}"]
    if exact:
        found += _exact(recorded.lines, ours.lines)
    return found + _shapes(recorded.lines, ours.lines, exact=exact) + _reasons(recorded.lines, ours.lines)


def _shapes(recorded: list[Any], ours: list[Any], *, exact: bool) -> list[str]:
    theirs = [shape(line, exact=exact) for line in recorded]
    mine = [shape(line, exact=exact) for line in ours]
    if not exact:
        theirs, mine = list(dict.fromkeys(theirs)), list(dict.fromkeys(mine))
    return [] if theirs == mine else [f"keys and types: recorded {theirs[-3:]}, ours {mine[-3:]}"]


def shape(value: Any, *, exact: bool) -> str:
    """Keys in their order and types of a JSON value as text; a list is the set of its elements' shapes."""
    if isinstance(value, dict):
        parts = []
        for key, inner in value.items():
            opaque = key in OF_THE_MODEL and not exact
            parts.append(f"{key}:{type(inner).__name__ if opaque else shape(inner, exact=exact)}")
        return "{" + " ".join(parts) + "}"
    if isinstance(value, list):
        return "[" + "|".join(sorted({shape(each, exact=exact) for each in value})) + "]"
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def _reasons(recorded: list[Any], ours: list[Any]) -> list[str]:
    """How it ended: `done_reason` and error texts, whose numbers are the model's."""
    found = []
    for key in ("done_reason", "error"):
        theirs = [_masked(line[key]) for line in recorded if isinstance(line, dict) and key in line]
        mine = [_masked(line[key]) for line in ours if isinstance(line, dict) and key in line]
        if theirs != mine:
            found.append(f"{key}: recorded {theirs}, ours {mine}")
    return found


def _masked(text: str) -> str:
    return re.sub(r"\d+ tokens|n_prompt_tokens\":\d+", "N", text)


def _exact(recorded: list[Any], ours: list[Any]) -> list[str]:
    theirs = [_telling(line) for line in recorded]
    mine = [_telling(line) for line in ours]
    if len(theirs) != len(mine):
        return [f"lines: recorded {len(theirs)}, ours {len(mine)}"]
    pairs = [(a, b) for a, b in zip(theirs, mine) if a != b]  # noqa: B905  # of one length, see above
    return [f"text or counts: recorded {a}, ours {b}" for a, b in pairs[:3]]


def _telling(line: Any) -> Any:
    """What must be equal when the model is the same: texts, calls and counts, without clocks and identities."""
    if not isinstance(line, dict):
        return line
    kept = {key: line[key] for key in ("response", "thinking", "done", "error", *COUNTS) if key in line}
    message = line.get("message", {})
    kept["message"] = {key: message[key] for key in ("role", "content", "thinking") if key in message}
    kept["calls"] = [call["function"] for call in message.get("tool_calls", ())]
    kept["logprobs"] = [_probabilities(entry) for entry in line.get("logprobs", ())]
    return kept


def _probabilities(entry: dict[str, Any]) -> Any:
    numbers = [round(other["logprob"], 3) for other in entry.get("top_logprobs", ())]
    return entry["token"], round(entry["logprob"], 3), numbers
