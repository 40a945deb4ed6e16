"""What a worker is given to read files with, files in tasks where all rows are wanted, files that it cannot see."""

from __future__ import annotations

import csv
import os
import pickle
import platform
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.corpus.reading import FileReading, read_one
from pytest_chimera.corpus.sinks import Models
from pytest_chimera.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_chimera.corpus.bounds import Bounds
    from pytest_chimera.corpus.plans import Plan
    from pytest_chimera.corpus.vocabulary import Vocabulary
    from pytest_chimera.corpus.walk import Found

READ_TOGETHER = 250
"""Files of a task whose rows are all sent back: some 30 ms of work."""


class Unopened(NamedTuple):
    """A file that a worker could not open."""

    location: str
    why: str
    host: str


class FilesTask(NamedTuple):
    """Files whose rows are wanted."""

    known: bytes
    """Pickled (vocabulary, bounds)."""
    files: tuple[Found, ...]


class FilesRead(NamedTuple):
    """What a task of files came to."""

    readings: list[FileReading]
    unopened: list[Unopened]


class Known(NamedTuple):
    """What a process remembers from task to task."""

    vocabulary: Vocabulary
    bounds: Bounds
    plans: dict[Any, Plan | None]
    models: Models


@lru_cache(maxsize=2)
def known_of(pickled: bytes) -> Known:
    """The vocabulary and bounds of a task, unpickled once in each process, with room for what is learned."""
    vocabulary, bounds = pickle.loads(pickled)  # noqa: S301  # made by the controller of this very run
    # A task may run in any thread of any process, and csv's bound is one for all of them.
    csv.field_size_limit(max(bounds.line_chars, 131_072))
    return Known(vocabulary, bounds, {}, Models(vocabulary.families))


def files_in_tasks(found: Sequence[Found], known: bytes) -> Iterator[FilesTask]:
    """All files in tasks, the same ones whoever works on them."""
    for start in range(0, len(found), READ_TOGETHER):
        yield FilesTask(known, tuple(found[start : start + READ_TOGETHER]))


def read_some(task: FilesTask) -> FilesRead:
    """Read the files of a task."""
    known = known_of(task.known)
    readings = [read_one(each, known.vocabulary, known.bounds) for each in task.files]
    missing = [each.found for each in readings if each.digest is None and each.found.problem is None]
    return FilesRead(readings, [each for found in missing[:1] for each in unopened(found)])


def unopened(found: Found) -> Iterator[Unopened]:
    """A file that cannot be opened where this is called, and why."""
    try:
        os.close(os.open(found.location, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)))
    except OSError as error:
        yield Unopened(found.location, error.strerror or str(error), platform.node())


def refuse_unopened(files: Sequence[Unopened]) -> None:
    """Raise CorpusError for a file that a worker cannot open and this process can."""
    for each in files:
        if os.access(each.location, os.R_OK):
            raise CorpusError(
                f"A worker on {each.host!r} cannot open {each.location!r}, which can be read here: {each.why}.",
                "Accepted: a corpus that every worker sees under the same path, as on a shared file system.",
                "Give its path as the workers see it, or read it here, without a scheduler.",
            )
