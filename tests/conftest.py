"""Fixtures that tests of several rooms share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


@pytest.fixture
def shared() -> Path:
    """The folder of reference material beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "ollama-wire").is_dir():
        pytest.skip(f"needs the recordings in {folder}, which are not part of the project")
    return folder


@pytest.fixture(scope="session")
def read_request() -> Callable[[socket.socket], bytes]:
    """Reads one whole HTTP request from a connection, for servers that tests make."""
    return _read_request


def _read_request(connection: socket.socket) -> bytes:
    """One whole HTTP request."""
    data = b""
    while True:
        head, separator, body = data.partition(b"\r\n\r\n")
        if separator:
            lengths = [
                line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
            ]
            if len(body) >= int(lengths[0] if lengths else 0):
                return data
        more = connection.recv(65536)
        if not more:
            return data
        data += more
