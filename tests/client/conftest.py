"""Servers on loopback that answer, stall, cut and speak TLS as a test wants it."""

from __future__ import annotations

import socket
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.records import Case, Message, ModelInfo

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

LINE = (
    b'{"model":"m","created_at":"2026-11-22T09:00:19.5Z",'
    b'"message":{"role":"assistant","content":"Blue"},"done":false}\n'
)
FINAL = (
    b'{"model":"m","created_at":"2026-11-22T09:00:20Z","message":{"role":"assistant","content":""},"done":true,'
    b'"done_reason":"stop","total_duration":9,"load_duration":1,"prompt_eval_count":3,"prompt_eval_duration":2,'
    b'"eval_count":2,"eval_duration":4}\n'
)
PATIENCE_S = 30.0


class Stand:
    """A server of one trick: `trick(connection, request)` is called for each connection."""

    def __init__(
        self,
        trick: Callable[[socket.socket, bytes], None],
        read_request: Callable[[socket.socket], bytes],
        *,
        host: str = "127.0.0.1",
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.trick = trick
        self.read_request = read_request
        self.tls: ssl.SSLContext | None = None
        self.listens = True
        """Whether a whole request is read before the trick is played."""
        self.requests: list[bytes] = []
        self.gone = threading.Event()
        """Set when a client has closed a connection on which a trick was waiting with `until_gone`."""
        self._closing = False
        self._socket = socket.create_server((host, 0), family=family)
        self.host, self.port = self._socket.getsockname()[:2]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def close(self) -> None:
        """Stop it and wait for its threads."""
        self._closing = True
        with socket.create_connection((self.host, self.port)):
            pass  # so that accept() returns
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._socket.close()

    def until_gone(self, connection: socket.socket) -> None:
        """Silence until the client closes the connection."""
        connection.settimeout(PATIENCE_S)
        with suppress(OSError):
            while connection.recv(65536):
                pass
        self.gone.set()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._closing:
                connection.close()
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(PATIENCE_S)
            if self.tls is None:
                self._talk(connection)
            else:
                with self.tls.wrap_socket(connection, server_side=True) as secured:
                    self._talk(secured)

    def _talk(self, connection: socket.socket) -> None:
        request = self.read_request(connection) if self.listens else b""
        self.requests.append(request)
        self.trick(connection, request)


def answered(body: bytes, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """An answer with its length."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def streamed(*lines: bytes, end: bool = True) -> bytes:
    """A chunked answer of lines."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(line), line) for line in lines) + (b"0\r\n\r\n" if end else b"")


class Wire:
    """What tests put on the wire, so that they need not import this file."""

    line, final = LINE, FINAL
    answered, streamed = staticmethod(answered), staticmethod(streamed)

    @staticmethod
    def whole() -> bytes:
        """A whole streamed answer."""
        return streamed(LINE, FINAL)


@pytest.fixture
def wire() -> type[Wire]:
    """Answers as bytes."""
    return Wire


@pytest.fixture
def serve(read_request: Callable[[socket.socket], bytes]) -> Iterator[Callable[..., Stand]]:
    """Start a server of one trick: a function, or the bytes to answer with."""
    stands: list[Stand] = []

    def start(trick: bytes | Callable[[socket.socket, bytes], None], **more: Any) -> Stand:
        act = (lambda s, _: s.sendall(trick)) if isinstance(trick, bytes) else trick
        stands.append(Stand(act, read_request, **more))
        return stands[-1]

    yield start
    for stand in stands:
        stand.close()


@pytest.fixture
def case() -> Case:
    """A case of one prompt."""
    return Case(
        id="t", name="t", model=ModelInfo(name="m:latest"), messages=(Message(role="user", content="Why?"),),
        options={"num_ctx": 512}, timeout_s=PATIENCE_S,
    )  # fmt: skip


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key, in one PEM file, of an authority that is itself."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    try:
        subprocess.run(
            [*command, *names, "-keyout", str(path), "-out", str(path.with_suffix(".crt"))],
            check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("needs the command 'openssl' to make a certificate")
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path
