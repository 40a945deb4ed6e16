"""Runs the application on a loopback port: in this thread until told to stop, or in a thread of its own.

The routes are engine.server's; a server in a process of its own is engine.process's.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from pytest_chimera.engine.loop import precise_loop
from pytest_chimera.engine.server import EngineApp
from pytest_chimera.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    from typing_extensions import Self

    from pytest_chimera.engine.backend import Backend

LOOPBACK = "127.0.0.1"
_KEEP_ALIVE_S = 3600
"""Go's server never closes an idle connection; uvicorn's five seconds would race with a pause between requests."""


def listen(port: int) -> socket.socket:
    """A socket bound to loopback; port 0 takes a free one. Raises EngineError when the port is taken."""
    # Named as TCP, because asyncio switches Nagle's algorithm off only where a socket says so itself.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "there are ports from 0 to 65535"
        raise EngineError(
            f"Port {port} of {LOOPBACK} cannot be used: {reason}.",
            "Port 0 takes any free port.",
            "Leave --port away, or end what uses the port.",
        ) from None
    listening.listen(2048)
    return listening


def address(listening: socket.socket) -> str:
    """The URL of a listening socket, without a slash at its end."""
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"


class EngineServer:
    """One backend served on one socket."""

    def __init__(self, backend: Backend, listening: socket.socket) -> None:
        """Takes the socket over and closes it in the end."""
        self._backend = backend
        self._listening = listening
        config = uvicorn.Config(
            EngineApp(backend),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # a stream that is cut on purpose is an error to uvicorn; ours go to stderr
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=0,  # streams in progress end with us, as Ollama's do
        )
        self._server = _PromptServer(config)

    def stop(self) -> None:
        """Ask for the end; safe from any thread and from a signal handler."""
        self._server.leave()

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve on this thread until `stop`; `on_ready` is called once, when requests will be answered."""
        loop = precise_loop()
        try:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(self._run(on_ready))
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            loop.close()
            self._listening.close()

    async def _run(self, on_ready: Callable[[], None]) -> None:
        try:
            await self._backend.start()
            on_ready()  # the socket listens since it was made: what connects now waits for the first accept
            await self._server.serve(sockets=[self._listening])
        finally:
            await self._backend.stop()


class _PromptServer(uvicorn.Server):
    """uvicorn's server, which looks ten times a second whether it is to end, made to wait for that instead."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """End soon."""
        self.should_exit = True
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has been closed meanwhile: it has ended
                loop.call_soon_threadsafe(self._leaving.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As uvicorn, at once."""
        super().handle_exit(sig, frame)
        self.leave()

    async def main_loop(self) -> None:
        """Wait for the end; once a second the Date header is brought up to date."""
        self._loop = asyncio.get_running_loop()
        while not self.should_exit:
            await self.on_tick(0)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 1.0)


class LocalServer:
    """A backend served from a thread of this process, as a context manager.

    For tests of what is served. What is to be *measured* belongs in a process of its own (`EmbeddedEngine`): here it
    shares the interpreter lock with the clock.
    """

    def __init__(self, backend: Backend, *, port: int = 0) -> None:
        """Nothing is opened before the context is entered."""
        self._backend = backend
        self._port = port
        self._server: EngineServer | None = None
        self._thread: threading.Thread | None = None
        self._failure: list[BaseException] = []
        self.url = ""
        """Without a slash at its end; "" while it does not run."""

    def __enter__(self) -> Self:
        listening = listen(self._port)
        self.url = address(listening)
        ready = threading.Event()
        self._server = EngineServer(self._backend, listening)
        self._thread = threading.Thread(target=self._run, args=(self._server, ready), name="engine", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure:
            self.__exit__(None, None, None)
            raise self._failure[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
        self._server = self._thread = None
        self.url = ""

    def _run(self, server: EngineServer, ready: threading.Event) -> None:
        try:
            server.run(ready.set)
        except BaseException as error:  # noqa: BLE001  # it belongs to the thread that waits for `ready`
            self._failure.append(error)
        finally:
            ready.set()
