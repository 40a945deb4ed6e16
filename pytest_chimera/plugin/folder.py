"""The folder of one run: its journals, and what the controller and its workers must tell each other without messages.

It is made when the first case is known, holds a lock for as long as the run lives, and is removed at a proper end. One
that is found without a holder was left by a run that was killed: its journals are what that run had measured.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any

RUNS = "runs"
_LOCK = "alive.lock"
_MAIN = "main"


class RunFolder:
    """One folder under `<reports>/runs`; nothing is on disk before `create`."""

    def __init__(self, path: Path, worker: str = "") -> None:
        """`worker` is the id of the xdist worker that uses it, empty in the controller and without xdist."""
        self.path = path
        self.worker = worker
        self._lock: IO[bytes] | None = None
        self._parents: tuple[Path, ...] = (path.parent, path.parent.parent)

    def create(self) -> None:
        """Make the folder; where that is forbidden, one in the system's temporary folder takes its place."""
        base = self.path.parent.parent
        ours = base.name == ".chimera" or not base.exists()  # in a person's own folder nothing is hidden from git
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError:
            self.path, self._parents = self._instead, ()
            self.path.mkdir(parents=True, exist_ok=True)
        else:
            ignore = base / ".gitignore"
            if ours and not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        if not self.worker and self._lock is None:
            self._lock = _locked(self.path / _LOCK)

    @property
    def _instead(self) -> Path:
        """The folder in the system's temporary folder; each process of a run comes to the same one by itself."""
        return Path(tempfile.gettempdir(), self.path.name)

    @property
    def journal(self) -> Path:
        """Where this process appends its rounds."""
        return self.path / f"{self.worker or _MAIN}.jsonl"

    def journals(self) -> list[Path]:
        """The journals of every process of this run, in a fixed order."""
        return sorted(self.path.glob("*.jsonl"))

    def tell(self, name: str, content: Any) -> None:
        """Leave `content` (JSON) under `name`, whole or not at all."""
        self.create()
        target = self.path / f"{name}.json"
        part = target.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(target)

    def told(self, name: str) -> Any:
        """What was left under `name`, also by a process that had to take the other folder; None when nothing was."""
        for folder in (self.path, self._instead):
            file = folder / f"{name}.json"
            if file.is_file():
                return json.loads(file.read_text(encoding="utf-8"))
        return None

    def close(self) -> None:
        """Remove the folder and, where they are empty then, those above it that hold only runs."""
        if self._lock is None:
            return
        self._lock.close()
        self._lock = None
        shutil.rmtree(self.path, ignore_errors=True)
        for parent in self._parents:
            _remove_if_bare(parent)


def leftovers(runs: Path) -> list[Path]:
    """Folders of runs that ended without a proper end and have something in their journals, oldest first."""
    return [path for path in sorted(runs.glob("*")) if _is_left(path)]


def _is_left(path: Path) -> bool:
    if not any(journal.stat().st_size for journal in path.glob("*.jsonl")):
        return False
    lock = _locked(path / _LOCK)
    if lock is None:
        return False
    lock.close()
    return True


def _locked(path: Path) -> IO[bytes] | None:
    """The file, open and locked until it is closed or the process dies; None when another process holds it."""
    import fcntl  # noqa: PLC0415  # POSIX; only where a case runs

    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _remove_if_bare(path: Path) -> None:
    """Remove a folder that holds nothing, or nothing but the `.gitignore` that came with it."""
    try:
        if [each.name for each in path.iterdir()] == [".gitignore"] and path.name != RUNS:
            (path / ".gitignore").unlink()
        path.rmdir()
    except OSError:
        return  # something else lives there
