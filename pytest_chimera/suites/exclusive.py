"""Turns: only one process at a time measures on a host, because two at once would measure each other.

A file lock in the temp folder, which the system frees when its holder dies, however it dies.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
"""Reading is enough to lock, and follows no link that somebody may have laid in the temp folder."""

_HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104  # names of one machine, nothing is bound


class Exclusive(Protocol):
    """Gives turns on one host."""

    def turn(self, waiting: Callable[[], None]) -> AbstractContextManager[None]:
        """Hold the host; `waiting` is called when another process has it and this one must wait."""


class HostLock:
    """Turns between processes on this machine, of this user and others, by flock on a file named after the host."""

    def __init__(self, url: str, folder: Path | None = None) -> None:
        """`url` is the host's address; two ways to write this machine are one host."""
        self.path = (folder or Path(tempfile.gettempdir())) / f"pytest-chimera-{host_key(url)}.lock"

    @contextlib.contextmanager
    def turn(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the host; Ctrl-C ends the wait at once."""
        file = self._locked(waiting)
        try:
            yield
        finally:
            if file is not None:
                os.close(file)  # frees the lock

    def discard(self) -> None:
        """Remove the file unless somebody holds it: servers on ephemeral ports would leave one each."""
        try:
            import fcntl  # noqa: PLC0415  # see `_locked`

            file = os.open(self.path, _FLAGS)
        except (ImportError, OSError):
            return
        with contextlib.suppress(OSError):  # held, or the file of another user
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_current(file):
                self.path.unlink()
        os.close(file)

    def _locked(self, waiting: Callable[[], None]) -> int | None:
        """The open and locked file; None on systems without flock, where measurements are not serialised."""
        try:
            import fcntl  # noqa: PLC0415  # not on Windows
        except ImportError:
            return None
        while True:
            file = self._open()
            try:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waiting()
                    fcntl.flock(file, fcntl.LOCK_EX)
                if self._is_current(file):
                    return file
            except BaseException:
                os.close(file)
                raise
            os.close(file)  # was discarded while we waited, and who comes now locks another file

    def _open(self) -> int:
        try:
            return os.open(self.path, _FLAGS | os.O_CREAT, 0o644)
        except PermissionError:  # the file of another user, in a sticky folder: O_CREAT is refused, reading is not
            return os.open(self.path, _FLAGS)

    def _is_current(self, file: int) -> bool:
        """Whether the open file is still the one under the path."""
        try:
            return os.path.samestat(os.fstat(file), os.lstat(self.path))
        except FileNotFoundError:
            return False


def host_key(url: str) -> str:
    """A short name for the machine and port of `url`, fit for a file name."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    name = (parts.hostname or "").lower()
    machine = "here" if name in _HERE else name
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    return hashlib.sha256(f"{machine}:{port}".encode()).hexdigest()[:16]
