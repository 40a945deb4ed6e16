"""FaultProxy: a TCP proxy on loopback, before any Ollama server, that lets its answers go wrong.

One request per connection, a thread each. What goes wrong is engine.faults'; here are the sockets.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_chimera.engine.faults import Answer, End, Fault, Pause, apply_all, error_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from pytest_chimera.engine.faults import Actions

_SEND_TIMEOUT_S = 10.0
"""A client that does not read for so long has left, as far as a thread that must end is concerned."""
ANSWER_PATHS = ("/api/chat", "/api/generate")
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes close() send a reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """A request as it reached the proxy."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes


class FaultProxy:
    """A proxy with faults, as a context manager; `requests` is what has come through it."""

    def __init__(
        self,
        upstream: str,
        *faults: Fault,
        paths: Sequence[str] | None = ANSWER_PATHS,
        times: int | None = None,
        prefix: str = "",
        require_header: tuple[str, str] | None = None,
    ) -> None:
        """`upstream` is an http URL.

        paths: the faults are for these alone (None: for all); everything else passes.
        times: the faults are for the first so many requests to those paths.
        prefix: the server is reached under this path only, as behind a reverse proxy.
        require_header: name and value without which a request gets a 401.
        """
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._faults = faults
        self._paths = None if paths is None else tuple(paths)
        self._times_left = times
        self._prefix = prefix.rstrip("/")
        self._require_header = require_header
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listening: socket.socket | None = None
        self.requests: list[SeenRequest] = []
        """In order of arrival."""
        self.url = ""
        """With the prefix, without a slash at its end."""

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        # Read by every waiting thread and by none consumed: closing its other end wakes them all.
        self._wake, self._wake_source = socket.socketpair()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}{self._prefix}"
        self._start(self._accept, self._listening)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._wake_source.close()
        while self._threads:
            self._threads.pop().join()
        assert self._listening is not None, "entered"
        self._listening.close()
        self._wake.close()

    def _start(self, target: Callable[[socket.socket], None], argument: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(argument,), name="fault-proxy", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self, listening: socket.socket) -> None:
        while self._wait_for(listening) is listening:
            client, _ = listening.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(_SEND_TIMEOUT_S)
            self._start(self._serve, client)

    def _wait_for(self, *sockets: socket.socket) -> socket.socket | None:
        """The first of the sockets that can be read; None when the proxy stops."""
        ready, _, _ = select.select([self._wake, *sockets], [], [])
        return None if self._wake in ready else ready[0]

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):  # a side that left in the middle is what this is for
            raw = self._read_request(client)
            if raw is None:
                return
            request, forwarded = _parse(raw, self._prefix)
            with self._lock:
                self.requests.append(request)
                faults = self._faults_for(request)
            refusal = self._refusal(request)
            if refusal is not None:
                self._play(client, refusal.apply(iter(())))
            elif any(isinstance(fault, Answer) for fault in faults):
                self._play(client, apply_all(faults, iter(())))
            else:
                with socket.create_connection(self._upstream) as server:
                    server.sendall(forwarded)
                    self._play(client, apply_all(faults, self._received(client, server)))

    def _read_request(self, client: socket.socket) -> bytes | None:
        """Head and body of one request; None when the client leaves before its end."""
        raw = b""
        while _is_incomplete(raw):
            data = client.recv(65536) if self._wait_for(client) else b""
            if not data:
                return None
            raw += data
        return raw

    def _faults_for(self, request: SeenRequest) -> tuple[Fault, ...]:
        path = request.path.removeprefix(self._prefix)
        if self._paths is not None and path not in self._paths:
            return ()
        if self._times_left is None:
            return self._faults
        self._times_left -= 1
        return self._faults if self._times_left >= 0 else ()

    def _refusal(self, request: SeenRequest) -> Answer | None:
        if self._prefix and not request.path.startswith(self._prefix + "/"):
            return Answer(status=404, body=b"404 page not found", content_type="text/plain")
        if self._require_header is not None:
            name, value = self._require_header
            if request.headers.get(name.lower()) != value:
                return error_answer(401, "unauthorized")
        return None

    def _received(self, client: socket.socket, server: socket.socket) -> Actions:
        """What the server sends, until it ends or the client leaves (which then ends the server's side too)."""
        while self._wait_for(server, client) is server:
            data = server.recv(65536)
            if not data:
                return
            yield data

    def _play(self, client: socket.socket, actions: Actions) -> None:
        for action in actions:
            if isinstance(action, bytes):
                client.sendall(action)
            elif isinstance(action, Pause):
                if self._stopping.wait(action.seconds):
                    return
            else:
                self._end(client, action)
                return

    def _end(self, client: socket.socket, end: End) -> None:
        if end.how == "silence":
            self._wait_for(client)
        elif end.how == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _is_incomplete(raw: bytes) -> bool:
    head, blank, body = raw.partition(b"\r\n\r\n")
    if not blank:
        return True
    length = re.search(rb"\r\ncontent-length:[ \t]*([0-9]+)", head, re.IGNORECASE)
    return length is not None and len(body) < int(length[1])


def _parse(raw: bytes, prefix: str) -> tuple[SeenRequest, bytes]:
    """The request, and the bytes to send on: without the prefix, and one request per connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, path, version = request_line.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    kept = [f"{name}: {value}" for name, value in headers.items() if name != "connection"]
    own_path = path.removeprefix(prefix) or "/"
    sent = "\r\n".join([f"{method} {own_path} {version}", *kept, "connection: close"])
    seen = SeenRequest(method=method, path=path, headers=headers, body=body)
    return seen, sent.encode("latin-1") + b"\r\n\r\n" + body
