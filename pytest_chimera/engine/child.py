"""One runner process from the outside: started, asked over its HTTP, killed. Knows nothing of Ollama.

Each question gets a connection of its own: on loopback that costs 0.1 ms, and closing it is how llama.cpp is told to
stop decoding.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine.events import EventLines
from pytest_chimera.wire.http import Chunks, read_head

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

RUNNER_COMMAND = (sys.executable, "-m", "pytest_chimera.engine.runner")
_READ_BYTES = 65536
_GRACE_S = 2.0


class ChildDiedError(Exception):
    """The runner ended, or closed the connection, before it had answered."""


class ChildLoadError(Exception):
    """The runner could not load the model; its text says why, as far as llama.cpp tells."""


class ChildRefusedError(Exception):
    """The runner answered with an error status."""

    def __init__(self, status: int, body: str) -> None:
        """`body` is llama.cpp's own answer, JSON as a rule."""
        super().__init__(status, body)
        self.status = status
        self.body = body

    @property
    def error(self) -> dict[str, Any]:
        """The error object in the body; empty when there is none."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            found = json.loads(self.body)["error"]
            if isinstance(found, dict):
                return found
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadParameters:
    """What a model is loaded with; two of them that are equal need no reload."""

    path: str
    n_ctx: int
    """Tokens of one slot."""
    n_parallel: int = 1
    n_batch: int = 512
    n_threads: int = 1
    n_keep: int = 0
    n_gpu_layers: int | None = None
    chat_template: str = ""


class Child:
    """A runner process that has loaded its model."""

    def __init__(self, process: asyncio.subprocess.Process, address: str, api_key: str) -> None:
        """Made by `start`."""
        self._process = process
        self._host, _, port = address.removeprefix("http://").rpartition(":")
        self._port = int(port)
        self._head = f"Host: {self._host}\r\nAuthorization: Bearer {api_key}\r\nContent-Type: application/json\r\n"

    @classmethod
    async def start(cls, parameters: LoadParameters, command: Sequence[str] = RUNNER_COMMAND) -> Child:
        """Start a runner and wait until the model is loaded; a start that is cancelled leaves no process."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        api_key = secrets.token_urlsafe(24)
        try:
            answer = await cls._handshake(process, {**asdict(parameters), "api_key": api_key})
        except BaseException:
            _kill(process)
            await process.wait()
            raise
        return cls(process, answer["address"], api_key)

    @staticmethod
    async def _handshake(process: asyncio.subprocess.Process, request: dict[str, Any]) -> dict[str, str]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise ChildLoadError(f"llama-server process has terminated: {ending(await process.wait())}")
        answer: dict[str, str] = json.loads(line)
        if "error" in answer:
            await process.wait()
            raise ChildLoadError(answer["error"])
        return answer

    @property
    def pid(self) -> int:
        """The process id of the runner."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.returncode is None

    @property
    def resident_bytes(self) -> int | None:
        """Memory that the process holds now; None where the system does not tell."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def ask(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        """The whole JSON answer to one question."""
        reader, writer = await self._send(path, question)
        try:
            status, headers = await _read_head(reader)
            body = await _read_body(reader, headers)
        finally:
            writer.transport.abort()
        if status >= 400:  # noqa: PLR2004  # where HTTP's errors begin
            raise ChildRefusedError(status, body.decode())
        answer: dict[str, Any] = json.loads(body)
        return answer

    async def stream(self, question: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Events of a `/completion` as they come; closing the generator makes llama.cpp stop and free the slot."""
        reader, writer = await self._send("/completion", {**question, "stream": True})
        try:
            status, headers = await _read_head(reader)
            if status >= 400:  # noqa: PLR2004  # where HTTP's errors begin
                raise ChildRefusedError(status, (await _read_body(reader, headers)).decode())
            chunks, events = Chunks(), EventLines()
            while not chunks.complete:
                data = await _read_some(reader)
                for payload in events.feed(chunks.feed(data)):
                    yield json.loads(payload)
        finally:
            writer.transport.abort()

    async def _send(self, path: str, question: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        body = json.dumps(question, separators=(",", ":")).encode()
        head = f"POST {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            raise ChildDiedError(str(error)) from error
        writer.write(head.encode() + body)
        return reader, writer

    async def stop(self) -> None:
        """End the process and wait until it is gone; one that does not leave in time is killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE_S)
        except asyncio.TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """End the process at once, without waiting for it."""
        _kill(self._process)


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill it by its pid.

    `process.kill()` first asks whether it still runs; where it has just died that takes its status away from asyncio,
    which then complains on stderr of an unknown child.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


async def _read_some(reader: asyncio.StreamReader) -> bytes:
    try:
        data = await reader.read(_READ_BYTES)
    except ConnectionError as error:
        raise ChildDiedError(str(error)) from error
    if not data:
        raise ChildDiedError("unexpected EOF")
    return data


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        raise ChildDiedError("unexpected EOF") from error
    status, _, headers = read_head(head[:-4])
    if status is None:
        raise ChildDiedError("its answer is not HTTP")
    return status, headers


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        chunks, parts = Chunks(), []
        while not chunks.complete:
            parts.append(chunks.feed(await _read_some(reader)))
        return b"".join(parts)
    try:
        return await reader.readexactly(int(headers.get("content-length", "0")))
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        raise ChildDiedError("unexpected EOF") from error


def ending(status: int) -> str:
    """How a process ended, in Ollama's words: `exit status 1`, `signal: illegal instruction`."""
    if status >= 0:
        return f"exit status {status}"
    return f"signal: {(signal.strsignal(-status) or f'signal {-status}').lower()}"
