"""Server-sent events, in which llama.cpp's server streams its answers. Pure: bytes in, bytes out."""

from __future__ import annotations

_EVENT = b"data: "


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
