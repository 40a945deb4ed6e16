"""EmbeddedEngine: the engine in a process of its own, started and stopped from here.

In ours it would share the interpreter lock with the clock that measures it. What it serves is chosen here and read by
engine.cli in the child.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from pytest_chimera.engine.cli import ERROR_PREFIX, TINY
from pytest_chimera.engine.script import Script, read_script
from pytest_chimera.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

_TAIL_BYTES = 2000
_STOP_TIMEOUT_S = 5.0


class EmbeddedEngine:
    """An Ollama-protocol server on loopback, as a context manager or with `start()` and `stop()`.

    It serves `tiny` unless told otherwise; `EmbeddedEngine.scripted(...)` serves a script.
    """

    def __init__(
        self,
        models: Sequence[str | Path] = (TINY,),
        *,
        threads: int = 1,
        parallel: int = 1,
        port: int = 0,
        start_timeout_s: float = 60.0,
    ) -> None:
        """`models`: "tiny" or paths of GGUF files; `threads`: decode threads per model; `parallel`: answers at once."""
        self._arguments = [argument for model in models for argument in ("--model", os.fspath(model))]
        self._arguments += ["--threads", str(threads), "--parallel", str(parallel), "--port", str(port)]
        self._first_line = b""
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self.url = ""
        """Without a slash at its end; "" while it does not run."""

    @classmethod
    def scripted(
        cls, script: Script | Mapping[str, Any], *, port: int = 0, start_timeout_s: float = 60.0
    ) -> EmbeddedEngine:
        """An engine that answers from a script. Raises UserError when the script's dict form is not usable."""
        checked = script if isinstance(script, Script) else read_script(script)
        engine = cls((), port=port, start_timeout_s=start_timeout_s)
        engine._arguments = ["--script", "-", "--port", str(port)]
        engine._first_line = json.dumps(checked.as_dict()).encode() + b"\n"
        return engine

    @property
    def is_running(self) -> bool:
        """Whether it was started and its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Of the server's process; None while it does not run."""
        return self._process.pid if self._process is not None else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers; nothing happens when it runs already.

        Raises EngineError with the last lines that it wrote.
        """
        if self._process is not None:
            return
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # closed in stop(); a pipe could fill up and block it
        command = [sys.executable, "-m", "pytest_chimera.engine", "--until-eof", *self._arguments]
        self._process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C on the terminal is ours: we record what was measured, then stop it
        )
        try:
            self._send_first_line(self._process)
            self.url = self._read_address(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it and wait for its end; nothing happens when it does not run.

        It leaves when its standard input ends, which also happens when this process dies; what does not is killed.
        """
        process, self._process = self._process, None
        self.url = ""
        if process is not None:
            _end(process)
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def stderr_tail(self) -> str:
        """The last that it wrote to standard error; "" while it does not run."""
        if self._stderr is None:
            return ""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _TAIL_BYTES))
        return self._stderr.read().decode("utf-8", "replace").strip()

    def _send_first_line(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None, "opened as a pipe"
        with suppress(BrokenPipeError):  # it died at once: reading its address says why
            process.stdin.write(self._first_line)
            process.stdin.flush()

    def _read_address(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None, "opened as a pipe"
        deadline_s = time.monotonic() + self._start_timeout_s
        line = b""
        while not line.endswith(b"\n"):
            rest_s = deadline_s - time.monotonic()
            if rest_s <= 0 or not select.select([process.stdout], [], [], rest_s)[0]:
                raise self._not_started(f"said nothing for {self._start_timeout_s:g} s")
            piece = os.read(process.stdout.fileno(), 4096)
            if not piece:
                raise self._not_started(f"ended with status {process.wait()}")
            line += piece
        return line.decode().strip()

    def _not_started(self, what: str) -> EngineError:
        written = self.stderr_tail()
        if written.startswith(ERROR_PREFIX):  # it knew what was wrong and said it for people
            return EngineError("The embedded engine did not start.", "", written.removeprefix(ERROR_PREFIX))
        return EngineError(
            f"The embedded engine did not start: it {what}.",
            "",
            f"It wrote:\n{written}" if written else "It wrote nothing.",
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to leave, then insist; the pipes are closed and nothing of its session is left."""
    assert process.stdin is not None, "opened as a pipe"
    assert process.stdout is not None, "opened as a pipe"
    with suppress(BrokenPipeError):
        process.stdin.close()
    process.stdout.close()
    for insist in (process.terminate, lambda: _kill_session(process.pid)):
        if _has_ended(process):
            return
        insist()
    process.wait()


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_session(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
