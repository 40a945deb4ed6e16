"""A server that plays recordings, and a clock that goes with it.

The recordings are answers of two real Ollama servers, byte for byte, each read of the recorder with its moment
(`arrivals`: milliseconds since the request was sent, bytes as latin-1).
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDINGS = Path(__file__).with_name("recordings.json.gz")
PATIENCE_S = 30.0


class StageClock:
    """A clock that stands at the moment of the recording that is being played.

    The client asks it after each read; by that the player knows that a read was stamped and goes on. So every stamp is
    the recorded one, whatever the machine is doing meanwhile.
    """

    def __init__(self) -> None:
        self.now_ns = 0
        self.asked = threading.Event()

    def monotonic_ns(self) -> int:
        now = self.now_ns
        self.asked.set()
        return now

    def unix_ns(self) -> int:
        return 1_000_000_000 * 10**9


class Player:
    """A server on loopback that answers every request with one recording."""

    def __init__(self, recording: dict[str, Any], read_request: Callable[[socket.socket], bytes]) -> None:
        self.recording = recording
        self.read_request = read_request
        self.clock: StageClock | None = None
        """Set: play in step with this clock. None: send everything at once."""
        self.requests: list[bytes] = []
        self._closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        with socket.create_connection(self._socket.getsockname()[:2]):
            pass  # so that accept() returns
        self._thread.join(PATIENCE_S)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if self._closing.is_set():
                    return
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.requests.append(self.read_request(connection))
                with suppress(OSError):  # the client has left
                    self._play(connection)

    def _play(self, connection: socket.socket) -> None:
        clock = self.clock
        for moment_ms, text in self.recording["arrivals"]:
            if clock is not None:
                clock.asked.clear()
                clock.now_ns = round(moment_ms * 1e6)
            connection.sendall(text.encode("latin-1"))
            if clock is not None:
                clock.asked.wait(PATIENCE_S)
        if clock is not None:
            clock.now_ns = round(self.recording["end_ms"] * 1e6)
        if self.recording["ended"].startswith("timeout"):
            connection.recv(1)  # silence, until the client has had enough


def load_recordings() -> dict[str, dict[str, Any]]:
    """ "version/name" -> recording."""
    loaded: dict[str, dict[str, Any]] = json.loads(gzip.decompress(RECORDINGS.read_bytes()))
    return loaded


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that asks for a `recording` runs once for each recording that its module is about."""
    if "recording" in metafunc.fixturenames:
        wanted: Callable[[dict[str, Any]], bool] = metafunc.module.wanted
        found = {name: each for name, each in load_recordings().items() if wanted(each)}
        metafunc.parametrize("recording", list(found.values()), ids=list(found))


@pytest.fixture
def version(request: pytest.FixtureRequest) -> str:
    """The version of the server that was recorded."""
    return str(request.node.callspec.id).split("/")[0]


@pytest.fixture
def player(recording: dict[str, Any], read_request: Callable[[socket.socket], bytes]) -> Iterator[Player]:
    """A server that answers with the recording."""
    server = Player(recording, read_request)
    yield server
    server.close()


@pytest.fixture
def stage(player: Player) -> StageClock:
    """The clock that the player keeps in step with."""
    player.clock = StageClock()
    return player.clock


@pytest.fixture(scope="session")
def recordings() -> dict[str, dict[str, Any]]:
    """All of them."""
    return load_recordings()


@pytest.fixture
def expected(request: pytest.FixtureRequest, version: str) -> Callable[[dict[str, Any]], None]:
    """Compare with what was reviewed for this recording, or write it down when --write-transcripts is given."""
    path = Path(__file__).parent / "expected" / f"{version}.json"
    name = str(request.node.callspec.id).split("/")[1]

    def check(seen: dict[str, Any]) -> None:
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        plain = json.loads(json.dumps(seen))
        if request.config.getoption("write_transcripts", default=False):
            path.write_text(dump_expected({**known, name: plain}), encoding="utf-8")
        else:
            assert plain == known[name]

    return check


def pytest_addoption(parser: pytest.Parser) -> None:
    """The way to write the expected files anew; their diff is then to be reviewed."""
    parser.addoption("--write-transcripts", action="store_true", help="write tests/transcripts/expected anew")


def dump_expected(expected: dict[str, Any]) -> str:
    """JSON in which each field stands on a line of its own, so that a diff can be read."""
    parts = [
        f"{json.dumps(name)}: {{\n"
        + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in seen.items())
        + "\n}"
        for name, seen in sorted(expected.items())
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"
