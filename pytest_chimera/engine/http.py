"""HTTP as the engine speaks it, over ASGI: one Call per request, whole answers and streams with Ollama's headers.

What is answered is engine.server's; bytes on the socket are uvicorn's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_chimera.wire.encode import encode_error, encode_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON_TYPE = "application/json; charset=utf-8"
RUNNER_JSON_TYPE = "application/json"
NDJSON_TYPE = "application/x-ndjson"
EVENT_STREAM_TYPE = "text/event-stream"
TEXT_TYPE = "text/plain; charset=utf-8"
PLAIN_TYPE = "text/plain"
_GO_BUFFER_BYTES = 2048
"""Go's net/http knows the length of an answer that fits its buffer; a longer one is sent chunked."""


class Call:
    """One request and the way back: everything a handler needs of HTTP."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap the three arguments of an ASGI application."""
        self._scope = scope
        self._receive = receive
        self._send = send
        self.started = False
        """Whether the status has been sent, after which only more body can follow."""

    @property
    def method(self) -> str:
        """GET, POST, ..."""
        return str(self._scope["method"])

    @property
    def path(self) -> str:
        """Without the query."""
        return str(self._scope["path"])

    def header(self, name: bytes) -> str:
        """The first header of that (lower-case) name, "" when it is absent."""
        for key, value in self._scope["headers"]:
            if key == name:
                return bytes(value).decode("latin-1")
        return ""

    async def body(self) -> bytes:
        """The whole body of the request."""
        parts = []
        more = True
        while more:
            message = await self._receive()
            parts.append(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
        return b"".join(parts)

    async def reply(
        self,
        status: int,
        body: bytes = b"",
        content_type: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        chunked: bool = False,
    ) -> None:
        """Send a whole answer."""
        fields = dict(headers or {})
        if content_type:
            fields["content-type"] = content_type
        if not chunked and len(body) <= _GO_BUFFER_BYTES:
            fields["content-length"] = str(len(body))
        await self.begin(status, fields)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def reply_json(self, value: Any, status: int = 200) -> None:
        """Send a JSON answer."""
        await self.reply(status, encode_json(value), JSON_TYPE)

    async def reply_error(self, status: int, message: str, *, from_runner: bool = False) -> None:
        """Send `{"error": message}`; see ApiError for `from_runner`."""
        content_type = RUNNER_JSON_TYPE if from_runner else JSON_TYPE
        await self.reply(status, encode_error(message), content_type, chunked=from_runner)

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status and headers."""
        self.started = True
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})

    async def write(self, data: bytes) -> None:
        """Send a piece of the body at once; waits while the client does not read."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """Send the end of a stream. A handler that returns without it leaves a stream cut: the connection closes."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def while_connected(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` to its end, or cancel it as soon as the client has left. The body must have been read."""
        working = asyncio.ensure_future(work)
        watching = asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            if not working.done():
                working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
