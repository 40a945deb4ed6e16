"""One request to an Ollama server: what was asked, what came back and when, or how it failed, and what follows.

Client times (`*_ns` offsets) are monotonic and count from the moment the request had been sent. Server times are the
six durations and counts of Ollama's last chunk as reported. The two are different things and are never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Literal, NamedTuple

from pytest_chimera.errors import CAUSES, HostError
from pytest_chimera.records.base import Record
from pytest_chimera.units import NS_PER_MS, rate_per_s

STALL_FACTOR = 10
STALL_MINIMUM_NS = 100 * NS_PER_MS
_GAPS_FOR_A_STALL = 3

FailureKind = Literal["connect", "timeout", "http", "stream", "cut", "protocol"]
"""connect: no connection. timeout: longer than allowed. http: an error status. stream: an error line after the stream
had begun. cut: the stream ended without its final chunk. protocol: bytes that are not Ollama's."""

FailureCause = Literal[
    # connect
    "refused", "name", "unreachable", "connect_timeout", "tls", "proxy",
    # connect or http: a cold round was not begun, because the model could not be taken out of memory
    "not_unloaded",
    # timeout: no byte at all, no further byte, bytes but too slowly
    "silent", "idle", "total",
    # http
    "bad_request", "too_long", "unauthorized", "forbidden", "model_missing", "not_found", "method", "busy", "server",
    "redirect", "status",
    # stream
    "error_line",
    # cut: an answer that ended properly but without its final chunk, or a connection that did not
    "no_final_chunk", "closed", "reset", "no_answer",
    # protocol
    "not_http", "utf8", "json", "shape", "durations", "only_loaded",
]  # fmt: skip
"""What exactly happened: one word for each fault that people must be able to tell from the others."""


class Arrival(NamedTuple):
    """One read from the socket."""

    ns: int
    """Since the request was sent."""
    size_bytes: int


class Chunk(NamedTuple):
    """One JSON line of a stream, reduced to what timing needs."""

    arrival_ns: int
    """Stamp of the read that completed the line, since the request was sent."""
    created_unix_ns: int | None
    """The server's own clock when it made the chunk (`created_at`); None when absent or unreadable."""
    thinking_chars: int
    answer_chars: int
    """Characters of `response` or `message.content`."""
    tool_calls: int

    @property
    def carries_output(self) -> bool:
        """Whether anything the model said is in it: Ollama also sends empty chunks, which are no token."""
        return bool(self.thinking_chars or self.answer_chars or self.tool_calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Record):
    """How a request failed."""

    kind: FailureKind
    cause: FailureCause
    message: str
    """What the server said, or what happened, in one sentence."""
    status: int | None = None
    """HTTP status; None when there was none."""

    @property
    def error(self) -> type[HostError]:
        """The exception class of this fault."""
        return CAUSES[self.cause]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation(Record):
    """Everything known about one request."""

    endpoint: Literal["chat", "generate"]
    host: str
    """Address of the server, without credentials."""
    model: str
    options: Mapping[str, Any]
    think: bool | str | None = None
    prompt_hash: str
    """SHA-256 (hex) of the case's messages before any nonce."""
    nonce: str | None = None
    """What was put before the prompt so that no prefix cache could serve it; None when nothing was."""
    sent_unix_ns: int
    """Wall clock when the request had been sent."""
    shares_clock: bool = False
    """Whether server and client run on one machine, so that `created_at` and our clock can be compared."""

    connect_ns: int | None = None
    """Time to connect, before the request was sent; in no other time."""
    headers_ns: int | None = None
    arrivals: tuple[Arrival, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    end_ns: int | None = None
    """Arrival of the final chunk; of a failed request the moment it failed."""
    text: str = ""
    thinking: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    logprobs: tuple[dict[str, Any], ...] = ()
    context: tuple[int, ...] = ()
    done_reason: str | None = None

    total_duration_ns: int | None = None
    load_duration_ns: int | None = None
    prompt_eval_count: int | None = None
    """Prompt tokens, those found in the prefix cache included."""
    prompt_eval_cached_count: int | None = None
    """Prompt tokens found in the prefix cache; None from servers that do not say."""
    prompt_eval_duration_ns: int | None = None
    """For the uncached part of the prompt only."""
    eval_count: int | None = None
    eval_duration_ns: int | None = None

    failure: Failure | None = None
    groundedness: float | None = None
    """Share of the answer's numeric claims that facts support, 0 to 1, set by whoever checked them; None of an answer
    that makes none or was not checked."""
    unmet: tuple[str, ...] | None = None
    """What was expected of the answer and does not hold, each in words; empty when all holds, None where nothing was
    expected or no answer came."""

    @property
    def ok(self) -> bool:
        """Whether the request came to its proper end."""
        return self.failure is None

    @property
    def client_ttft_ns(self) -> int | None:
        """Client TTFT = arrival of the first chunk with non-empty response, content, thinking or tool call."""
        return next((chunk.arrival_ns for chunk in self.chunks if chunk.carries_output), None)

    @property
    def client_answer_ns(self) -> int | None:
        """Time to first answer token = arrival of the first chunk with content or a tool call, after any thinking."""
        return next((chunk.arrival_ns for chunk in self.chunks if chunk.answer_chars or chunk.tool_calls), None)

    @property
    def client_e2e_ns(self) -> int | None:
        """E2E = arrival of the final chunk; None when there was none."""
        return self.end_ns if self.ok else None

    @property
    def itl_ns(self) -> tuple[int, ...]:
        """Inter-token latencies = gaps between successive chunks that carry output; chunks are not always tokens."""
        times = [chunk.arrival_ns for chunk in self.chunks if chunk.carries_output]
        return tuple(later - earlier for earlier, later in pairwise(times))

    @property
    def stalls(self) -> int | None:
        """Stalls = gaps above 10 x the median gap and above 100 ms; None with fewer than 3 gaps."""
        gaps = self.itl_ns
        if len(gaps) < _GAPS_FOR_A_STALL:
            return None
        bound = max(STALL_FACTOR * median(gaps), STALL_MINIMUM_NS)
        return sum(gap > bound for gap in gaps)

    @property
    def server_ttft_ns(self) -> int | None:
        """Server TTFT = `created_at` of the first chunk with output - wall clock at sending; only on one machine."""
        first = self._first_stamped()
        return None if first is None else first[1] - self.sent_unix_ns

    @property
    def transport_ns(self) -> int | None:
        """Transport share of TTFT = arrival - `created_at` of the first chunk with output; only on one machine."""
        first = self._first_stamped()
        return None if first is None else self.sent_unix_ns + first[0] - first[1]

    def _first_stamped(self) -> tuple[int, int] | None:
        """(arrival_ns, created_unix_ns) of the first chunk with output, where the clocks can be compared."""
        first = next((chunk for chunk in self.chunks if chunk.carries_output), None)
        if not self.shares_clock or first is None or first.created_unix_ns is None:
            return None
        return first.arrival_ns, first.created_unix_ns

    @property
    def uncached_prompt_tokens(self) -> int | None:
        """Prompt tokens that were evaluated = prompt_eval_count - cached; all of them when a nonce broke the prefix.

        None when the server does not say how many it found in its cache and nothing kept it from finding them. With a
        nonce and without the server's word, the few tokens that a template puts before the nonce count as evaluated.
        """
        if self.prompt_eval_count is None:
            return None
        if self.prompt_eval_cached_count is not None:
            return self.prompt_eval_count - self.prompt_eval_cached_count
        return self.prompt_eval_count if self.nonce is not None else None

    @property
    def prefill_tokens_per_s(self) -> float | None:
        """Prefill = uncached prompt tokens / prompt_eval_duration; None when all were cached: there was none."""
        return rate_per_s(self.uncached_prompt_tokens or None, self.prompt_eval_duration_ns)

    @property
    def decode_tokens_per_s(self) -> float | None:
        """Decode = eval_count / eval_duration; None below 2 tokens, where the duration covers no step."""
        if self.eval_count is None or self.eval_count < 2:  # noqa: PLR2004  # the clock starts at the first token
            return None
        return rate_per_s(self.eval_count, self.eval_duration_ns)

    @property
    def decode_steps_per_s(self) -> float | None:
        """Decode by steps = (eval_count - 1) / eval_duration: the clock starts when the first token is ready."""
        if self.eval_count is None or self.eval_count < 2:  # noqa: PLR2004  # one token is no step
            return None
        return rate_per_s(self.eval_count - 1, self.eval_duration_ns)

    @property
    def tpot_ns(self) -> float | None:
        """Time per output token = eval_duration / eval_count, the inverse of decode; None where decode is."""
        if self.eval_duration_ns is None or self.eval_count is None or self.decode_tokens_per_s is None:
            return None
        return self.eval_duration_ns / self.eval_count

    @property
    def wait_ns(self) -> int | None:
        """Wait = total - load - prompt_eval - eval: the wait for a slot, template, tokenising, transport.

        None when one of the four is absent, or when the three overlap, so that they exceed the total.
        """
        total, load = self.total_duration_ns, self.load_duration_ns
        prompt, answer = self.prompt_eval_duration_ns, self.eval_duration_ns
        if total is None or load is None or prompt is None or answer is None:
            return None
        wait = total - load - prompt - answer
        return wait if wait >= 0 else None
