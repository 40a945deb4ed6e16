"""One request and its answer on a socket of its own: stamp first, parse later.

A connection per request: it costs 0.1 to 0.2 ms on loopback, none of it inside any reported time, and no round can fail
because a server had meanwhile closed an idle connection. The loop below does nothing with the bytes but keep them;
`wire` reads them when the answer has ended.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.client.dial import DialError, dial
from pytest_chimera.client.stamps import CONTROL_BYTES, arrived, kernel_stamps, wall_offset_ns
from pytest_chimera.records import Failure
from pytest_chimera.units import NS_PER_S, ns_to_s, s_to_ns
from pytest_chimera.wire.http import HttpAnswer, Read, read_http

if TYPE_CHECKING:
    from pytest_chimera.client.clock import Clock
    from pytest_chimera.client.connection import Connection
    from pytest_chimera.client.stamps import Ancillary
    from pytest_chimera.records import FailureCause, FailureKind

_READ_BYTES = 1 << 14
_LAST_PIECE_BYTES = 1 << 14
_END = b"\r\n\r\n"
# How long a silent read blocks before the deadlines are looked at: a request may overrun its time by this much.
_SLICE_NS = NS_PER_S // 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a server, and for how long."""

    method: str
    path: str
    """Below the base path, with its leading slash."""
    body: bytes | None = None
    timeout_s: float
    """From the start of connecting to the last byte."""
    idle_s: float | None = None
    """Longest silence between two reads; None leaves it to `timeout_s`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What was seen of one request, unread."""

    sent_unix_ns: int
    """Wall clock when the request had been sent, or was given up before."""
    connect_ns: int | None
    reads: tuple[Read, ...] = ()
    """Since the request was sent."""
    end_ns: int | None = None
    """When nothing more was read; None when nothing was sent."""
    http: HttpAnswer
    failure: Failure | None = None
    """How the connection failed; whether what came is an answer is not asked here."""


def exchange(connection: Connection, request: Request, clock: Clock) -> Exchange:
    """Send the request and keep every read with its stamp; failures are returned, not raised.

    KeyboardInterrupt passes through, with the socket closed.
    """
    start = clock.monotonic_ns()
    try:
        sock = dial(connection, request.timeout_s)
    except DialError as error:
        return Exchange(sent_unix_ns=clock.unix_ns(), connect_ns=None, http=HttpAnswer(), failure=error.failure)
    with sock:
        connected = clock.monotonic_ns()
        talk = _Talk(sock, request, clock, deadline_ns=start + s_to_ns(request.timeout_s))
        failure = talk.send(_encode(connection, request)) or talk.receive()
    reads = tuple(Read(ns - talk.sent_ns, data) for ns, data in talk.arrivals())
    http = read_http(reads, closed=talk.closed, head_only=request.method == "HEAD")
    if talk.closed and failure is None and http.status is None and http.problem is None:
        failure = Failure(kind="cut", cause="no_answer", message="the connection was closed without an answer")
    return Exchange(
        sent_unix_ns=talk.sent_unix_ns,
        connect_ns=connected - start,
        reads=reads,
        end_ns=reads[-1].ns if talk.ended else talk.end_ns - talk.sent_ns,
        http=http,
        failure=failure,
    )


def _encode(connection: Connection, request: Request) -> bytes:
    address, proxy = connection.address, connection.proxy
    forwarded = proxy is not None and address.scheme == "http"
    target = (address.url if forwarded else address.base_path) + request.path
    headers = {
        "host": address.netloc,
        "user-agent": "pytest-chimera",
        "accept": "application/x-ndjson, application/json",
        "accept-encoding": "identity",
        "connection": "close",
    }
    if request.body is not None:
        headers |= {"content-type": "application/json", "content-length": str(len(request.body))}
    if proxy is not None and forwarded and proxy.authorization is not None:
        headers["proxy-authorization"] = proxy.authorization
    headers |= connection.headers
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method} {target} HTTP/1.1\r\n{head}\r\n".encode() + (request.body or b"")


class _Talk:
    """A socket in use: what was sent and read on it, and when."""

    def __init__(self, sock: socket.socket, request: Request, clock: Clock, deadline_ns: int) -> None:
        self._sock = sock
        self._request = request
        self._clock = clock
        self._deadline_ns = deadline_ns
        self.sent_ns = self.end_ns = 0
        self.sent_unix_ns = 0
        self.reads: list[Read] = []
        """Stamped by our clock as soon as it can be asked."""
        self.closed = False
        self.ended = False
        """Whether the last read ended the answer."""
        self._ancillary: list[Ancillary] = []
        self._by_kernel = kernel_stamps(sock, clock)
        self._offset_ns = wall_offset_ns(clock) if self._by_kernel else 0

    def send(self, data: bytes) -> Failure | None:
        """Send it all. The request counts as sent when its last piece is handed over.

        Stamped before that call and not after it: it returns when the interpreter's lock is free again, which among
        many threads is milliseconds after the bytes have left.
        """
        try:
            self._sock.settimeout(max(ns_to_s(self._deadline_ns - self._clock.monotonic_ns()), 0.001))
            if len(data) > _LAST_PIECE_BYTES:
                self._sock.sendall(data[:-_LAST_PIECE_BYTES])
            self._stamp_sent()
            self._sock.sendall(data[-_LAST_PIECE_BYTES:])
        except TimeoutError:
            return self._failed("timeout", "total", f"the request could not be sent within {self._allowed()}")
        except OSError:
            if not self.sent_ns:
                self._stamp_sent()
            # The server may have said why before it closed: what it said is still to be read.
        return None

    def _stamp_sent(self) -> None:
        self.sent_ns = self._clock.monotonic_ns()
        self.sent_unix_ns = self.sent_ns + self._offset_ns if self._by_kernel else self._clock.unix_ns()

    def arrivals(self) -> list[Read]:
        """The reads with the best stamps there are."""
        if not self._by_kernel:
            return self.reads
        return arrived(
            self.reads,
            self._ancillary,
            earliest_ns=self.sent_ns,
            offset_ns=self._offset_ns,
            offset_after_ns=wall_offset_ns(self._clock),
        )

    def receive(self) -> Failure | None:
        """Read until the answer ends, fails or takes too long."""
        last_ns = self.sent_ns
        self._limit_silence(min(_SLICE_NS, self._left(last_ns, last_ns)))
        while True:
            try:
                self._read_on()
            except (TimeoutError, BlockingIOError):
                last_ns = self.reads[-1].ns if self.reads else self.sent_ns
                left = self._left(self._clock.monotonic_ns(), last_ns)
                if left <= 0:
                    return self._too_late(last_ns)
                self._limit_silence(min(_SLICE_NS, left))
                continue
            except OSError as error:
                said = error.strerror or str(error)
                total = sum(len(read.data) for read in self.reads)
                return self._failed("cut", "reset", f"the connection was reset after {total} bytes ({said})")
            self.ended = not self.closed and not self._overdue()
            self.end_ns = self._clock.monotonic_ns() if self.closed else self.reads[-1].ns
            return self._too_late(self.end_ns) if self._overdue() else None

    def _read_on(self) -> None:
        """The loop that is timed."""
        receive = self._sock.recvmsg if self._by_kernel else self._receive_alone
        now, keep, keep_ancillary = self._clock.monotonic_ns, self.reads.append, self._ancillary.append
        deadline, head_only = self._deadline_ns, self._request.method == "HEAD"
        chunked = False
        while (got := receive(_READ_BYTES, CONTROL_BYTES))[0]:
            stamp, data = now(), got[0]
            keep(Read(stamp, data))
            keep_ancillary(got[1])
            if stamp > deadline:
                return
            # A chunked body can end only where its framing does; any other is looked at after every read. Of a read
            # shorter than that end the rest of it may have come before.
            if not chunked or data.endswith(_END) or len(data) < len(_END):
                answer = read_http(self.reads, closed=False, head_only=head_only)
                if answer.complete or answer.problem is not None:
                    return
                chunked = answer.chunked
        self.closed = True

    def _receive_alone(self, size: int, _control: int) -> tuple[bytes, Ancillary]:
        """What `recvmsg` returns, of a socket that has none."""
        return self._sock.recv(size), ()

    def _overdue(self) -> bool:
        return bool(self.reads) and self.reads[-1].ns > self._deadline_ns

    def _left(self, now_ns: int, last_ns: int) -> int:
        idle_s = self._request.idle_s
        idle = self._deadline_ns if idle_s is None else last_ns + s_to_ns(idle_s)
        return min(self._deadline_ns, idle) - now_ns

    def _limit_silence(self, left_ns: int) -> None:
        """Let the next silent read end after `left_ns`."""
        left_us = max(left_ns // 1000, 1000)
        if _is_plain(self._sock):
            # A timeout of Python's own costs a poll before every read, and a second wait for the interpreter's lock.
            self._sock.settimeout(None)
            seconds, microseconds = divmod(left_us, 1_000_000)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", seconds, microseconds))
        else:
            self._sock.settimeout(left_us / 1_000_000)

    def _too_late(self, last_ns: int) -> Failure:
        now = self._clock.monotonic_ns()
        if now < self._deadline_ns and self._request.idle_s is not None:
            when = "no byte came" if not self.reads else "no further byte came"
            return self._failed("timeout", "idle", f"{when} for {self._request.idle_s:g} s")
        if not self.reads:
            return self._failed("timeout", "silent", f"no byte came within {self._allowed()}")
        came = f"its last bytes came after {ns_to_s(last_ns - self.sent_ns):.3g} s"
        return self._failed("timeout", "total", f"the answer was not complete within {self._allowed()}; {came}")

    def _allowed(self) -> str:
        return f"the {self._request.timeout_s:g} s allowed"

    def _failed(self, kind: FailureKind, cause: FailureCause, message: str) -> Failure:
        self.end_ns = self._clock.monotonic_ns()
        return Failure(kind=kind, cause=cause, message=message)


def _is_plain(sock: socket.socket) -> bool:
    return type(sock) is socket.socket
