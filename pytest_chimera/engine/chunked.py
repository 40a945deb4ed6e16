"""llama.cpp's answers taken apart as they arrive: HTTP's chunked framing off, server-sent events out.

Pure: bytes in, bytes out; no socket and no clock. Written for one known server on loopback, not as an HTTP client.
"""

from __future__ import annotations

_EVENT = b"data: "


class Unchunker:
    """Takes the chunked framing off a body that arrives in pieces of any size."""

    __slots__ = ("_buffer", "ended")

    def __init__(self) -> None:
        """`ended` becomes true with the final chunk; a connection that closes before it was cut."""
        self._buffer = b""
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The body bytes that `data` completes."""
        buffer = self._buffer + data if self._buffer else data
        position = 0
        parts: list[bytes] = []
        while not self.ended:
            line_end = buffer.find(b"\r\n", position)
            if line_end < 0:
                break
            size = int(buffer[position:line_end].partition(b";")[0], 16)
            start = line_end + 2
            if size == 0:
                self.ended = True
                break
            if len(buffer) < start + size + 2:
                break
            parts.append(buffer[start : start + size])
            position = start + size + 2
        self._buffer = buffer[position:]
        return b"".join(parts)


class EventLines:
    """Joins pieces of a body to the payloads of its server-sent events."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        """Start with nothing read."""
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the events that `data` completes; comments and blank lines are left out."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line[len(_EVENT) :].rstrip(b"\r") for line in lines if line.startswith(_EVENT)]


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and lower-cased headers of an answer's head (without the blank line that ends it)."""
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(status_line.split(" ", 2)[1]), headers
