"""One request of a case as a Generation: sent by `exchange`, read by `wire`, put together here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.client.exchange import Exchange, Request, exchange
from pytest_chimera.records import Arrival, Failure, Generation
from pytest_chimera.units import NS_PER_MS
from pytest_chimera.wire.request import encode_request, request_path
from pytest_chimera.wire.stream import Answer, read_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.client.clock import Clock
    from pytest_chimera.client.connection import Connection
    from pytest_chimera.records import Case

# How far a server's clock may seem off before it is taken for another machine's, reached through a forwarded port.
_CLOCK_SLACK_NS = NS_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a Generation repeats of what was asked."""

    case: Case
    nonce: str | None

    @property
    def fields(self) -> Mapping[str, Any]:
        """Fields of a Generation."""
        return {
            "endpoint": self.case.endpoint,
            "model": self.case.model.name,
            "options": dict(self.case.options),
            "think": self.case.think,
            "prompt_hash": self.case.prompt_hash,
            "nonce": self.nonce,
        }


def measure(connection: Connection, case: Case, *, nonce: str | None, clock: Clock) -> Generation:
    """One request of `case`; whatever goes wrong after it was encoded is the Generation's `failure`.

    Raises MarkerError for a case that its endpoint cannot say.
    """
    request = Request(
        method="POST",
        path=request_path(case),
        body=encode_request(case, nonce),
        timeout_s=case.timeout_s,
        idle_s=case.idle_timeout_s,
    )
    return generation_of(connection, Asked(case=case, nonce=nonce), exchange(connection, request, clock))


def generation_of(connection: Connection, asked: Asked, seen: Exchange) -> Generation:
    """What was asked and what was seen as one Generation."""
    answer = read_answer(seen.http, seen.failure)
    failure = answer.failure
    return Generation(
        **asked.fields,
        **answer.metrics,
        host=connection.url,
        sent_unix_ns=seen.sent_unix_ns,
        shares_clock=connection.shares_clock and _clocks_agree(seen.sent_unix_ns, answer),
        connect_ns=seen.connect_ns,
        headers_ns=seen.http.headers_ns,
        arrivals=tuple(Arrival(read.ns, len(read.data)) for read in seen.reads),
        chunks=tuple(answer.chunks),
        end_ns=answer.final_ns if answer.final_ns is not None else seen.end_ns,
        text=answer.text,
        thinking=answer.thinking,
        tool_calls=tuple(answer.tool_calls),
        logprobs=tuple(answer.logprobs),
        context=answer.context,
        done_reason=answer.done_reason,
        failure=failure if failure is None else _with_status(failure, seen),
    )


def _with_status(failure: Failure, seen: Exchange) -> Failure:
    """The failure of a connection with the status that had come before it."""
    if failure.status is not None or seen.http.status is None:
        return failure
    return Failure(kind=failure.kind, cause=failure.cause, message=failure.message, status=seen.http.status)


def _clocks_agree(sent_unix_ns: int, answer: Answer) -> bool:
    """Whether every chunk was made between our sending and its arrival, by the server's clock compared with ours."""
    return all(
        -_CLOCK_SLACK_NS <= chunk.created_unix_ns - sent_unix_ns <= chunk.arrival_ns + _CLOCK_SLACK_NS
        for chunk in answer.chunks
        if chunk.created_unix_ns is not None
    )
