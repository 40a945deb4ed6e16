"""Faults change a stream of bytes as they say, alone and together, and the proxy puts them before a real server."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.engine.faults import (
    Answer,
    Clump,
    Cut,
    Delay,
    Drip,
    EditLines,
    End,
    EndAfterLines,
    Fault,
    Garble,
    Gzip,
    InsertLine,
    Pause,
    Stall,
    apply_all,
    error_answer,
)
from pytest_chimera.engine.proxy import FaultProxy, SeenRequest
from pytest_chimera.engine.script import read_script
from pytest_chimera.engine.scripted import ScriptedBackend
from pytest_chimera.engine.serve import LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
FIRST, SECOND, LAST = b'c\r\n{"n":"one"}\n\r\n', b'c\r\n{"n":"two"}\n\r\n', b"0\r\n\r\n"
STREAM = HEAD + FIRST + SECOND + LAST


def through(*faults: Fault, data: bytes = STREAM, size: int = 1 << 20) -> list[Any]:
    """The actions when the answer comes from the server in pieces of `size`; neighbouring bytes are joined."""
    pieces = (data[start : start + size] for start in range(0, len(data), size))
    joined: list[Any] = []
    for action in apply_all(faults, pieces):
        if isinstance(action, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += action
        else:
            joined.append(action)
    return joined


def body(*faults: Fault) -> bytes:
    """The whole bytes of the answer with these faults."""
    return b"".join(action for action in through(*faults) if isinstance(action, bytes))


FAULTS: list[Fault] = [
    Delay(seconds=1, after_bytes=50),
    Stall(after_bytes=50),
    Cut(after_bytes=50),
    Garble(at_byte=48, data=b"\xff\xfe\xfd"),
    Drip(size=7, interval_s=0),
    Clump(size=30),
    EditLines(find=b"two", replace=b"three"),
    InsertLine(data=b"{}", after_lines=1),
    EndAfterLines(after_lines=1),
    Gzip(),
]


@given(st.sampled_from(FAULTS), st.integers(1, len(STREAM)))
def test_a_fault_does_not_depend_on_packets(fault: Fault, size: int) -> None:
    """However the server's bytes are split over packets, the bytes, ends and delays with a fault are the same."""

    def shape(actions: list[Any]) -> list[Any]:
        kept = [action for action in actions if action != Pause(0)]
        data = b"".join(action for action in kept if isinstance(action, bytes))
        return [_unpacked(data) if isinstance(fault, Gzip) else data, [a for a in kept if not isinstance(a, bytes)]]

    assert shape(through(fault, size=size)) == shape(through(fault))


def _unpacked(data: bytes) -> bytes:
    """The content of a compressed chunked body; the compressor's blocks depend on the lines, which stay whole."""
    _, _, rest = data.partition(b"\r\n\r\n")
    packed = b""
    while rest:
        length, _, rest = rest.partition(b"\r\n")
        packed += rest[: int(length, 16)]
        rest = rest[int(length, 16) + 2 :]
    return gzip.decompress(packed)


def test_a_delay_stands_at_its_place() -> None:
    """The pause comes between byte n and the next, once."""
    assert through(Delay(seconds=2, after_bytes=10)) == [STREAM[:10], Pause(2), STREAM[10:]]
    assert through(Delay(seconds=2)) == [Pause(2), STREAM]


def test_nothing_follows_a_stall_or_a_cut() -> None:
    """After n bytes comes the end, of its kind; beyond the answer's length nothing happens."""
    assert through(Stall(after_bytes=9)) == [STREAM[:9], End("silence")]
    assert through(Cut(after_bytes=9)) == [STREAM[:9], End("close")]
    assert through(Cut(after_bytes=9, reset=True)) == [STREAM[:9], End("reset")]
    assert through(Cut(after_bytes=1000)) == [STREAM]


def test_garbled_bytes_replace_others() -> None:
    """The length stays, the bytes from the place on are the given ones."""
    assert body(Garble(at_byte=3, data=b"\xff\xff")) == STREAM[:3] + b"\xff\xff" + STREAM[5:]


def test_drip_and_clump_cut_the_packets_otherwise() -> None:
    """Drip sends small pieces with a pause before each; clump holds bytes until there are enough."""
    assert list(apply_all((Drip(size=2, interval_s=0.5),), iter((b"abc",)))) == [Pause(0.5), b"ab", Pause(0.5), b"c"]
    assert list(apply_all((Clump(size=4),), iter((b"ab", b"cd", b"e", Pause(1))))) == [b"abcd", b"e", Pause(1)]


def test_lines_are_edited_within_the_framing() -> None:
    """An edited line gets a chunk of its new length, in all lines or in the one that is numbered."""
    edit = EditLines(find=rb'"(\w+)"}', replace=rb"-\1}", line=1)
    assert body(edit) == HEAD + FIRST + b'b\r\n{"n":-two}\n\r\n' + LAST


def test_a_line_can_be_put_in() -> None:
    """An inserted line is a chunk at its place; with `ends` it is the last, beyond the end it is appended."""
    error = b'11\r\n{"error":"oops"}\n\r\n'
    data = b'{"error":"oops"}'
    assert body(InsertLine(data=data, after_lines=1)) == HEAD + FIRST + error + LAST
    assert body(InsertLine(data=data, after_lines=1, ends=False)) == HEAD + FIRST + error + SECOND + LAST
    assert body(InsertLine(data=data, after_lines=9)) == HEAD + FIRST + SECOND + error + LAST


def test_a_stream_can_end_early() -> None:
    """After n lines the HTTP answer ends properly."""
    assert body(EndAfterLines(after_lines=1)) == HEAD + FIRST + LAST


def test_an_answer_with_a_length_can_be_edited() -> None:
    """An answer that is not chunked becomes so when its body is edited, because its length changes."""
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}'
    assert through(EditLines(find=b"1", replace=b"-10"), data=plain) == [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b'9\r\n{"a":-10}\r\n' + b"0\r\n\r\n"
    ]


def test_faults_compose() -> None:
    """The first fault is nearest to the server: an error line, then a cut inside it."""
    inserted = body(InsertLine(data=b'{"error":"x"}', after_lines=0))
    cut = Cut(after_bytes=len(HEAD) + 5)
    assert through(InsertLine(data=b'{"error":"x"}', after_lines=0), cut) == [inserted[: len(HEAD) + 5], End("close")]


def test_an_answer_of_ones_own_is_a_whole_one() -> None:
    """`Answer` and `error_answer` are HTTP answers with a length."""
    fields = b"Content-Type: application/json; charset=utf-8\r\nContent-Length: 23\r\nConnection: close\r\n\r\n"
    whole = b"HTTP/1.1 503 Fault\r\n" + fields + b'{"error":"server busy"}'
    assert through(error_answer(503, "server busy"), data=b"") == [whole]
    assert through(Answer(status=403), data=b"") == [
        b"HTTP/1.1 403 Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A scripted server that says "a b"."""
    with LocalServer(ScriptedBackend(read_script({"models": {"m": {"answers": [{"tokens": "a b"}]}}}))) as server:
        yield server.url


def ask(url: str, path: str = "/api/generate", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body of a generate, or of a GET of another path."""
    base, _, prefix = url.removeprefix("http://").partition("/")
    request = json.dumps({"model": "m", "prompt": "x"}) if path == "/api/generate" else None
    with closing(http.client.HTTPConnection(base, timeout=10)) as connection:
        full_path = f"/{prefix}{path}" if prefix else path
        connection.request("POST" if request else "GET", full_path, request, headers or {})
        with connection.getresponse() as response:
            return response.status, response.read()


def said(raw: bytes) -> list[Any]:
    """What the lines of a stream say."""
    return [json.loads(line).get("response") for line in raw.splitlines()]


def test_without_faults_the_proxy_is_not_noticed(url: str) -> None:
    """An answer comes through whole, and the request is kept as it came."""
    with FaultProxy(url) as proxy:
        assert said(ask(proxy.url, headers={"X-Key": "v"})[1]) == ["a", " b", ""]
    (seen,) = proxy.requests
    assert isinstance(seen, SeenRequest)
    assert (seen.method, seen.path, seen.headers["x-key"], json.loads(seen.body)) == (
        "POST",
        "/api/generate",
        "v",
        {"model": "m", "prompt": "x"},
    )


def _partial(url: str) -> bytes:
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(url)
    return caught.value.partial


def _reset(url: str) -> bytes:
    with pytest.raises(ConnectionResetError):
        ask(url)
    return b""


def _silence(url: str) -> bytes:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /api/generate HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    return b""


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Cut(after_bytes=170), _partial),
        (Cut(reset=True), _reset),
        (Stall(), _silence),
    ],
)
def test_connections_end_as_the_fault_says(url: str, fault: Fault, outcome: Callable[[str], bytes]) -> None:
    """A cut is an incomplete answer, a reset a reset, a stall silence on an open connection."""
    with FaultProxy(url, fault) as proxy:
        outcome(proxy.url)


def test_faults_are_for_their_paths_and_times(url: str) -> None:
    """Other routes pass, and after `times` requests the faults are over."""
    with FaultProxy(url, error_answer(503, "busy"), times=1) as proxy:
        assert ask(proxy.url, "/api/version")[0] == 200
        assert ask(proxy.url) == (503, b'{"error":"busy"}')
        assert ask(proxy.url)[0] == 200
    with FaultProxy(url, error_answer(503, "busy"), paths=None) as proxy:
        assert ask(proxy.url, "/api/version")[0] == 503


def test_a_server_behind_a_prefix_and_a_key(url: str) -> None:
    """Under its prefix and with its key the server is reached; without, the answers are 404 and 401."""
    with FaultProxy(url, prefix="/ollama", require_header=("Authorization", "Bearer k")) as proxy:
        key = {"Authorization": "Bearer k"}
        assert said(ask(proxy.url, headers=key)[1]) == ["a", " b", ""]
        assert ask(proxy.url) == (401, b'{"error":"unauthorized"}')
        assert ask(proxy.url.removesuffix("/ollama"), headers=key) == (404, b"404 page not found")


def test_a_compressed_answer_can_be_read(url: str) -> None:
    """With gzip in between the body is compressed and says so."""
    with FaultProxy(url, Gzip(), Drip(size=9, interval_s=0)) as proxy:
        status, raw = ask(proxy.url)
    assert (status, said(gzip.decompress(raw))) == (200, ["a", " b", ""])


def test_a_proxy_stops_under_waiting_clients(url: str) -> None:
    """Leaving the proxy ends delays, silences and idle connections at once."""
    with FaultProxy(url, Delay(seconds=3600)) as proxy:
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        idle, waiting = (socket.create_connection((host, int(port))) for _ in range(2))
        request = b'{"model":"m","prompt":"x"}'
        waiting.sendall(b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 26\r\n\r\n" + request)
    with closing(idle), closing(waiting):
        for left in (idle, waiting):
            with suppress(ConnectionResetError):  # where it had not been accepted yet
                assert left.recv(1) == b""
