"""The journal: every finished round is written down before the next begins, so that nothing measured is lost.

One file per process, one JSON object per line: a case begins, rounds follow, the case ends. What was cut at any byte is
read back up to its last whole line. Where journals are kept and when they are removed is the plugin's business.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import RecordError
from pytest_chimera.records import CaseResult, Round
from pytest_chimera.suites.coldness import mark_reloads

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Journal:
    """A file to which rounds are appended; each line is one write, which a killed process cannot take back."""

    def __init__(self, path: Path) -> None:
        """Begin or continue the journal at `path`, whose folder must exist."""
        self.path = path
        self.problem: str | None = None
        """Why nothing more could be written, such as a full disk; measuring goes on without."""
        self._file: int | None = None

    def begin(self, result: CaseResult) -> None:
        """Write that a case begins; `result` holds what is known before its first round."""
        self._append({"event": "case", "result": result.as_dict()})

    def add(self, case_id: str, finished: Round) -> None:
        """Write one finished round of the case."""
        self._append({"event": "round", "case": case_id, "round": finished.as_dict()})

    def note(self, result: CaseResult) -> None:
        """Write what is known of the case now, without its rounds: its end, or how its model was loaded."""
        self._append({"event": "state", "case": result.case.id, "result": replace(result, rounds=()).as_dict()})

    def close(self) -> None:
        """Close the file; more can be appended later."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Journal:  # noqa: PYI034  # typing.Self is newer than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, event: dict[str, Any]) -> None:
        if self.problem is not None:
            return
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        try:
            if self._file is None:
                self._file = self._open()
            while line:  # a nearly full disk may take only a part
                line = line[os.write(self._file, line) :]
        except OSError as error:
            self.problem = f"The journal {self.path} cannot be written: {error.strerror}."
            self.close()

    def _open(self) -> int:
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")  # what a killed process left half written must not swallow our first line
        return file


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalContents:
    """What stands in a journal."""

    results: tuple[CaseResult, ...] = ()
    """In the order in which the cases began; one that did not end is not `complete`."""
    damaged: tuple[str, ...] = ()
    """What could not be read, each as one sentence with its line; a last line without its end is no damage."""


def scan_journal(path: Path) -> JournalContents:
    """Read a journal up to its last whole line; raises OSError when there is no such file."""
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    found: list[CaseResult] = []
    damaged: list[str] = []
    newest: dict[str, int] = {}
    for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
        try:
            _take(line, found, newest)
        except (RecordError, ValueError, KeyError, TypeError, RecursionError) as error:  # noqa: PERF203  # each line for itself
            damaged.append(f"{path}:{number}: {error}")
    # Which loads stand out is seen only among all rounds, so no line of a single one can say it.
    results = tuple(replace(each, rounds=mark_reloads(each.rounds)) for each in found)
    return JournalContents(results=results, damaged=tuple(damaged))


def read_journal(path: Path) -> list[CaseResult]:
    """The cases in a journal with all their whole rounds, in the order in which they began."""
    return list(scan_journal(path).results)


def _take(line: bytes, found: list[CaseResult], newest: dict[str, int]) -> None:
    """Apply one line to what was found so far; `newest` tells where each case id began last."""
    event = json.loads(line.decode())
    kind = event["event"]
    if kind == "case":
        result = CaseResult.from_dict(event["result"])
        newest[result.case.id] = len(found)
        found.append(result)
        return
    at = newest[event["case"]]
    if kind == "round":
        found[at] = replace(found[at], rounds=(*found[at].rounds, Round.from_dict(event["round"])))
    elif kind == "state":
        found[at] = replace(CaseResult.from_dict(event["result"]), rounds=found[at].rounds)
    else:
        raise ValueError(f"unknown event {kind!r}")
