"""`Client.measure` against servers of one trick: what it makes of good answers, and of everything else."""

from __future__ import annotations

import json
import signal
import socket
import struct
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.client import Client, Connection
from pytest_chimera.records import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import Case, Generation


class CountingClock:
    """A clock that goes on by one millisecond each time that it is asked."""

    def __init__(self) -> None:
        self.now_ms = 0

    def monotonic_ns(self) -> int:
        self.now_ms += 1
        return self.now_ms * 1_000_000

    def unix_ns(self) -> int:
        return 1_795_338_019_000_000_000 + self.now_ms * 1_000_000


def measure(url: str, case: Case, **more: Any) -> Generation:
    """One request without proxies, headers and nonce."""
    return Client(Connection.resolve(url, {}, {}), **more).measure(case, nonce=None)


def test_a_whole_answer(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """A good answer gives text, metrics and stamps, with every time counted from the moment of sending."""
    stand = serve(wire.whole())
    seen = Client(Connection.resolve(stand.url, {}, {}), clock=CountingClock()).measure(case, nonce="12345678")
    assert seen.failure is None
    assert (seen.text, seen.done_reason, seen.eval_count) == ("Blue", "stop", 2)
    assert (seen.host, seen.model, seen.endpoint) == (stand.url, "m:latest", "chat")
    assert (seen.prompt_hash, seen.nonce) == (case.prompt_hash, "12345678")
    assert (seen.connect_ns, seen.headers_ns, seen.client_ttft_ns, seen.end_ns) == (1_000_000,) * 4
    assert [each.size_bytes for each in seen.arrivals] == [len(wire.whole())]
    head, _, body = stand.requests[0].partition(b"\r\n\r\n")
    assert json.loads(body)["messages"] == [{"role": "user", "content": "[12345678] Why?"}]
    assert head.decode() == (
        f"POST /api/chat HTTP/1.1\r\nhost: 127.0.0.1:{stand.port}\r\nuser-agent: pytest-chimera\r\n"
        "accept: application/x-ndjson, application/json\r\naccept-encoding: identity\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}"
    )


def test_clocks_that_disagree_are_not_compared(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """On loopback `created_at` is used, unless it shows that another machine's clock made it."""
    stand = serve(wire.whole())
    clock = CountingClock()
    assert not measure(stand.url, case, clock=clock).shares_clock

    fresh = wire.final.replace(b"2026-11-22T09:00:20Z", b"2026-11-22T09:00:19.005Z")
    near = serve(wire.streamed(wire.line.replace(b"19.5Z", b"19.0045Z"), fresh))
    seen = measure(near.url, case, clock=CountingClock())
    assert (seen.shares_clock, seen.transport_ns) == (True, 500_000)


def test_a_large_body_arrives_whole(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """A request of several MB, as images make it, is sent whole and stamped when its last piece goes out."""
    stand = serve(wire.whole())
    big = replace(case, messages=(replace(case.messages[0], images=("QUJD" * 500_000,)),))
    assert measure(stand.url, big).ok
    assert len(json.loads(stand.requests[0].partition(b"\r\n\r\n")[2])["messages"][0]["images"][0]) == 2_000_000


def test_an_answer_that_is_not_chunked(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """One JSON object with its length, on a connection that stays open, is a whole answer."""

    def trick(connection: socket.socket, request: bytes) -> None:
        connection.sendall(wire.answered(wire.final.rstrip()))
        stand.until_gone(connection)

    stand = serve(trick)
    assert measure(stand.url, case).ok


def test_a_server_that_keeps_the_connection(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """The end of the chunked framing ends the answer, also when the server closes nothing and cuts it anywhere."""

    def trick(connection: socket.socket, request: bytes) -> None:
        whole = wire.whole()
        for start in range(0, len(whole), 7):
            connection.sendall(whole[start : start + 7])
        stand.until_gone(connection)

    stand = serve(trick)
    seen = measure(stand.url, case)
    assert (seen.ok, seen.text) == (True, "Blue")


def test_nobody_listens(serve: Callable[..., Any], case: Case) -> None:
    """A refused connection is named with its address; nothing was sent, so no time is known."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    seen = measure(f"http://127.0.0.1:{port}", case)
    assert seen.failure == Failure(
        kind="connect", cause="refused", message=f"nothing listens at 127.0.0.1:{port} (connection refused)"
    )
    assert (seen.connect_ns, seen.headers_ns, seen.end_ns, seen.arrivals) == (None, None, None, ())


def test_a_name_that_does_not_resolve(case: Case) -> None:
    """A host name without an address is told from a host that does not answer."""
    seen = measure("http://nosuch.invalid", case)
    assert seen.failure == Failure(
        kind="connect", cause="name", message="the name 'nosuch.invalid' could not be resolved"
    )
    long = measure("http://" + "a" * 64 + ".example", case)
    assert long.failure is not None
    assert long.failure.cause == "name"


def test_silence(serve: Callable[..., Any], case: Case) -> None:
    """A server that accepts and says nothing runs into the total time allowed."""

    def trick(connection: socket.socket, request: bytes) -> None:
        stand.until_gone(connection)

    stand = serve(trick)
    seen = measure(stand.url, replace(case, timeout_s=0.05))
    assert seen.failure == Failure(kind="timeout", cause="silent", message="no byte came within the 0.05 s allowed")
    assert seen.end_ns is not None
    assert stand.gone.wait(30)


def test_an_answer_that_takes_too_long(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """An answer that goes on beyond the time allowed fails with what had come; the connection is closed."""

    def trick(connection: socket.socket, request: bytes) -> None:
        connection.sendall(wire.streamed(wire.line, end=False))
        stand.until_gone(connection)

    stand = serve(trick)
    seen = measure(stand.url, replace(case, timeout_s=0.01), clock=CountingClock())
    assert seen.failure == Failure(
        kind="timeout", cause="total", status=200,
        message="the answer was not complete within the 0.01 s allowed; its last bytes came after 0.001 s",
    )  # fmt: skip
    assert (seen.text, len(seen.chunks)) == ("Blue", 1)
    assert stand.gone.wait(30)


def test_an_endless_answer(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """A stream that never falls silent is ended by the total time too."""

    def trick(connection: socket.socket, request: bytes) -> None:
        connection.sendall(wire.streamed(wire.line, end=False))
        while True:
            connection.sendall(b"%x\r\n%b\r\n" % (len(wire.line), wire.line))

    seen = measure(serve(trick).url, replace(case, timeout_s=0.05), clock=CountingClock())
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.cause) == ("timeout", "total")


@pytest.mark.parametrize("begun", [False, True])
def test_no_byte_for_too_long(serve: Callable[..., Any], wire: Any, case: Case, begun: bool) -> None:
    """An idle limit ends a silent answer long before the total time."""

    def trick(connection: socket.socket, request: bytes) -> None:
        if begun:
            connection.sendall(wire.streamed(wire.line, end=False))
        stand.until_gone(connection)

    stand = serve(trick)
    seen = measure(stand.url, replace(case, idle_timeout_s=0.05))
    assert seen.failure == Failure(
        kind="timeout", cause="idle", status=200 if begun else None,
        message="no further byte came for 0.05 s" if begun else "no byte came for 0.05 s",
    )  # fmt: skip


def test_a_server_that_hangs_up_at_once(serve: Callable[..., Any], case: Case) -> None:
    """A connection that is closed without a byte is told from a stream that is cut."""
    seen = measure(serve(b"").url, case)
    assert seen.failure == Failure(kind="cut", cause="no_answer", message="the connection was closed without an answer")


def test_a_reset(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """A reset in the middle keeps what had come."""
    arrived = threading.Event()

    class Clock(CountingClock):
        def monotonic_ns(self) -> int:
            if self.now_ms >= 4:  # asked again after sending: the first read was made
                arrived.set()
            return super().monotonic_ns()

    def trick(connection: socket.socket, request: bytes) -> None:
        connection.sendall(wire.streamed(wire.line, end=False))
        arrived.wait(30)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    seen = measure(serve(trick).url, case, clock=Clock())
    size = len(wire.streamed(wire.line, end=False))
    assert seen.failure == Failure(
        kind="cut", cause="reset", status=200,
        message=f"the connection was reset after {size} bytes (Connection reset by peer)",
    )  # fmt: skip
    assert seen.text == "Blue"


def test_a_cut(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """A connection that closes before the framing ends is a cut, with what had come."""
    seen = measure(serve(wire.streamed(wire.line, wire.line[:20], end=False)).url, case)
    assert seen.failure == Failure(
        kind="cut", cause="closed", status=200,
        message="the connection was closed in the middle of the answer, after 1 chunk",
    )  # fmt: skip
    assert seen.text == "Blue"


def test_something_else_answers(serve: Callable[..., Any], case: Case) -> None:
    """A server that does not speak HTTP is named as such, and not as a fault of the network."""
    seen = measure(serve(b"220 mail.example ESMTP\r\n").url, case)
    assert seen.failure == Failure(
        kind="protocol",
        cause="not_http",
        message="the answer cannot be read: it does not begin as HTTP does: '220 mail.example ESMTP\\r\\n'",
    )


def test_an_early_refusal_of_a_large_body(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """A server that answers with an error status is heard, whatever it was asked."""
    stand = serve(wire.answered(b'{"error":"too large"}', "413 Payload Too Large"))
    assert measure(stand.url, case).failure == Failure(kind="http", cause="status", message="too large", status=413)


def test_ctrl_c_passes_through(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """Ctrl-C in the middle of an answer is not swallowed, and the server sees the connection close."""

    def trick(connection: socket.socket, request: bytes) -> None:
        connection.sendall(wire.streamed(wire.line, end=False))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        stand.until_gone(connection)

    stand = serve(trick)
    with pytest.raises(KeyboardInterrupt):
        measure(stand.url, case)
    assert stand.gone.wait(30)


def test_many_at_once(serve: Callable[..., Any], wire: Any, case: Case) -> None:
    """One client serves several threads."""
    client = Client(Connection.resolve(serve(wire.whole()).url, {}, {}))
    seen: list[Generation] = []
    threads = [threading.Thread(target=lambda: seen.append(client.measure(case, nonce=None))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.text for each in seen] == ["Blue"] * 8


def test_the_system_clock() -> None:
    """Without a clock of its own a client uses those of the machine."""
    from pytest_chimera.client import SystemClock  # noqa: PLC0415  # the only test that needs it

    clock = SystemClock()
    assert (clock.monotonic_ns, clock.unix_ns) == (time.monotonic_ns, time.time_ns)
