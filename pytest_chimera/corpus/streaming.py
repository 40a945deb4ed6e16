"""Corpora that are too large for a `Measurement` per number: read once, summarised, and not kept.

Files of a shape that was seen before are taken apart by its plan; all others, and all that are unusual in any way, go
through the same readers as in a small corpus. What only all rows of all files together could tell is not told here.
"""

from __future__ import annotations

import gc
import json
import os
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.corpus.coldness import mark_cold, name_models
from pytest_chimera.corpus.folders import Folder, scan
from pytest_chimera.corpus.gathered import Gathered
from pytest_chimera.corpus.reading import read_one
from pytest_chimera.corpus.rows import Reading, Remark
from pytest_chimera.corpus.stream_objects import Objects
from pytest_chimera.corpus.stream_tables import Tables
from pytest_chimera.corpus.summaries import tally_rows
from pytest_chimera.corpus.tasks import known_of, refuse_unopened, unopened
from pytest_chimera.corpus.walk import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pytest_chimera.corpus.bounds import Bounds
    from pytest_chimera.corpus.gathered import Counts
    from pytest_chimera.corpus.plans import Plan
    from pytest_chimera.corpus.tasks import Known

FILES_OF_A_TASK = 5000
"""Some 0.2 s of work. What each task costs beside (its sketches, some 20 ms) is the more the smaller it is."""
_PIECE = 16_384
_MOST_PLANS = 2000
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""As in `reading`: a pipe that took a file's place must not be waited for."""
NOT_TOLD = (
    "the corpus was streamed: copies are counted as often as they stand there, rows are cold or warm by the rows of"
    " their own file, and models are named by contents and by names of files alone"
)


class Task(NamedTuple):
    """Some files, and what to read them with."""

    known: bytes
    """Pickled (vocabulary, bounds)."""
    folders: tuple[Folder, ...]
    others: tuple[Found, ...]
    """Entries of folders that are not simply regular files, and files that were given by their paths."""


def tasks_of(paths: Sequence[str | Path], known: bytes, bounds: Bounds) -> Iterator[Task]:
    """All files below the paths in tasks, the same ones whoever works on them."""
    folders: list[Folder] = []
    others: list[Found] = []
    files = 0
    for each in scan(paths, bounds, FILES_OF_A_TASK):
        size = 1 if isinstance(each, Found) else len(each.names)
        if files and files + size > FILES_OF_A_TASK:
            yield Task(known, tuple(folders), tuple(others))
            folders, others, files = [], [], 0
        if isinstance(each, Found):
            others.append(each)
        else:
            folders.append(each)
        files += size
    if files:
        yield Task(known, tuple(folders), tuple(others))


def summarise(task: Task) -> Gathered:
    """Read the files of a task; what is wrong with one is a remark, as ever."""
    collects = gc.isenabled()
    gc.disable()  # parsed files are no garbage that refers to itself, and there are many
    try:
        return _Reader(known_of(task.known)).read(task)
    finally:
        if collects:
            gc.enable()


class _Reader:
    """Reads the files of one task."""

    def __init__(self, known: Known) -> None:
        self._vocabulary = known.vocabulary
        self._bounds = known.bounds
        self._plans = known.plans
        self._into = Gathered()
        self._objects = Objects(self._asker("json"), self._plan, known.models, self._into)
        self._tables = Tables(self._asker("csv"), self._plan, known.models, self._into)
        self._scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # what `json.loads` calls, after a look at options that are not used here

    def read(self, task: Task) -> Gathered:
        """Everything in a task."""
        for found in task.others:
            self._by_readers(found)
        for folder in task.folders:
            self._folder(folder)
        self._objects.finish()
        self._tables.finish()
        for tally in self._into.tallies.values():
            tally.settle()
        self._into.counts = {key: counts for key, counts in self._into.counts.items() if counts.files}
        return self._into

    def _folder(self, folder: Folder) -> None:
        kinds = {"json": "json", "csv": "csv"} if not self._vocabulary.headers else {"json": "json"}
        counted = {kind: self._into.count(folder.path, kind) for kind in ("json", "csv")}
        most = self._bounds.file_bytes
        location = folder.location
        for name in folder.names:
            kind = kinds.get(name.rpartition(".")[2].lower())
            if kind is not None:
                data = _bytes_of(f"{location}/{name}", most)
                if data and self._understood(kind, data, folder, name, counted[kind]):
                    counts = counted[kind]
                    counts.files += 1
                    counts.size += len(data)
                    continue
            self._by_readers(folder.found(name))
        for name in self._objects.settle(folder, counted["json"]):
            self._by_readers(folder.found(name), again=True)

    def _understood(self, kind: str, data: bytes, folder: Folder, name: str, counts: Counts) -> bool:
        try:
            text = data.decode()
            if kind == "csv":
                return self._tables.take(text, partial(folder.found, name), counts)
            if len(data) > self._bounds.json_values:  # each value takes at least two characters
                return False
            document, end = self._scan(text, 0)
        except (ValueError, StopIteration, RecursionError):
            return False
        if end != len(text) and text[end:].strip(" \t\r\n"):
            return False
        return self._objects.take(document, folder, name, counts)

    def _by_readers(self, found: Found, *, again: bool = False) -> None:
        """A file as it is read in a small corpus; `again` is one that is counted already."""
        each = read_one(found, self._vocabulary, self._bounds)
        rows = each.reading.rows
        for row in rows:
            row.file = found.shown
        name_models([each], self._vocabulary.families)
        mark_cold(rows)
        tally_rows(((row, found.kind) for row in rows), self._into.tallies)
        counts = self._into.count(found.shown.rpartition("/")[0], found.kind)
        if not again:
            counts.files += 1
            counts.size += each.size_bytes
        counts.rows += len(rows)
        counts.failed += sum(row.failure is not None for row in rows)
        counts.numbers += sum(len(row.numbers) for row in rows)
        for remark in each.reading.remarks:
            self._into.say(remark, found.shown)
        if found.problem is None and each.digest is None and not self._into.unopened:
            self._into.unopened.extend(unopened(found))

    def _plan(self, key: Any, make: Callable[[], Plan | None]) -> Plan | None:
        """A plan by the shape, from task to task."""
        try:
            return self._plans[key]
        except KeyError:
            plan = make()
        if len(self._plans) >= _MOST_PLANS:  # other threads may learn and forget meanwhile
            self._plans.clear()
        self._plans[key] = plan
        return plan

    def _asker(self, kind: str) -> Callable[[bytes], Reading]:
        """What the readers make of a made-up file."""

        def ask(data: bytes) -> Reading:
            with tempfile.NamedTemporaryFile() as file:
                file.write(data)
                file.flush()
                return read_one(Found("", file.name, kind, None), self._vocabulary, self._bounds).reading

        return ask


def _bytes_of(location: str, most: int) -> bytes | None:
    """What is in a file; None when it is too large or cannot be read, which the readers then say."""
    try:
        file = os.open(location, _FLAGS)
    except OSError:
        return None
    try:
        data = os.read(file, _PIECE)
        if len(data) < _PIECE:
            return data
        if os.fstat(file).st_size > most:
            return None
        pieces = [data]
        while piece := os.read(file, 64 * _PIECE):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError:
        return None
    finally:
        os.close(file)


def gather(results: Iterator[Gathered]) -> Gathered:
    """All results together. Raises CorpusError for a file that a worker cannot open and this process can."""
    whole = Gathered()
    for each in results:
        refuse_unopened(each.unopened)
        whole.merge(each)
    whole.say(Remark("", NOT_TOLD, "refused", 0), "")
    if whole.beyond:
        why = "more models and series than are kept apart; the numbers of the rest are counted without them"
        whole.say(Remark("", why, "refused", whole.beyond), "")
    return whole
