"""The corpus: all files of some folders as one value, and the way to read it."""

from __future__ import annotations

import pickle
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_chimera.corpus.bounds import Bounds
from pytest_chimera.corpus.coldness import mark_cold, name_models
from pytest_chimera.corpus.copies import mark_copies, mark_identical
from pytest_chimera.corpus.executors import WorkerProcesses, in_order, usable_cores
from pytest_chimera.corpus.folders import size_of
from pytest_chimera.corpus.reading import read_one
from pytest_chimera.corpus.streaming import gather, summarise, tasks_of
from pytest_chimera.corpus.summaries import Tally, summaries_of, tally_rows
from pytest_chimera.corpus.tasks import files_in_tasks, read_some, refuse_unopened
from pytest_chimera.corpus.undated import mark_undated
from pytest_chimera.corpus.vocabulary import Vocabulary
from pytest_chimera.corpus.walk import find_files
from pytest_chimera.records import Artifact, Leftover

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from pytest_chimera.corpus.reading import FileReading
    from pytest_chimera.corpus.rows import Row
    from pytest_chimera.corpus.summaries import Group, Summary
    from pytest_chimera.records import Measurement

PARALLEL_FILES = 10_000
"""Files above which all cores are used: streaming them takes one process 0.5 s, two with their start as long."""
PARALLEL_BYTES = 16 * 1024**2
STREAM_FILES = 20_000
"""Files above which only summaries are kept: the rows of so many small ones take some 350 MiB."""
STREAM_BYTES = 64 * 1024**2
"""Rows take ten to twenty times the bytes of their files."""


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Everything that was understood of some folders, and everything that was not."""

    roots: tuple[str, ...]
    """What was given."""
    artifacts: tuple[Artifact, ...]
    """Every file, in order."""
    rows: tuple[Row, ...]
    """Rows of numbers, copies among them."""
    seconds: float
    """Wall time of reading."""
    streamed: tuple[Summary, ...] | None = None
    """The summaries of a corpus of which no row was kept; None where all were. Then there is one artifact for all files
    of one kind in one folder, and what was not understood stands in `remarks`."""
    remarks: tuple[Leftover, ...] = ()
    """What was not understood, of all files together."""
    files: Mapping[str, int]
    """Kind of file -> how many there are."""

    def __repr__(self) -> str:
        if self.streamed is not None:
            numbers = sum(each.n for each in self.streamed)
            return f"<Corpus of {sum(self.files.values())} files, {numbers} numbers in {len(self.streamed)} summaries>"
        counts = f"{len(self.artifacts)} files, {len(self.measurements)} measurements, {len(self.left)} not understood"
        return f"<Corpus of {counts}>"

    @cached_property
    def _all(self) -> tuple[Measurement, ...]:
        return tuple(each for row in self.rows if row.copy_of is None for each in row.measurements())

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """Every measurement of performance or of the machine, each once, with the places of its copies."""
        return tuple(each for each in self._all if each.role != "other")

    @cached_property
    def others(self) -> tuple[Measurement, ...]:
        """Named numbers that are not about performance, such as accuracies; no analysis uses them."""
        return tuple(each for each in self._all if each.role == "other")

    @cached_property
    def left(self) -> tuple[Leftover, ...]:
        """Everything that was not understood, in the order of the files."""
        return (*self.remarks, *(each for artifact in self.artifacts for each in artifact.left))

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """The numbers in groups of one metric, model and kind of file; copies are left out where they are known."""
        if self.streamed is not None:
            return self.streamed
        kinds = {artifact.path: artifact.kind for artifact in self.artifacts}
        tallies: dict[Group, Tally] = {}
        tally_rows(((row, kinds[row.file]) for row in self.rows if row.copy_of is None), tallies)
        return tuple(summaries_of(tallies))


def read_corpus(
    paths: Sequence[str | Path],
    *,
    vocabulary: Vocabulary | None = None,
    bounds: Bounds | None = None,
    executor: Executor | None = None,
    processes: int | None = None,
    stream: bool | None = None,
) -> Corpus:
    """Read every file below `paths` (folders, files, globs).

    Files are read by the workers of `executor`, else in so many `processes` (1 is this one). By default that is all
    cores above `PARALLEL_FILES` or `PARALLEL_BYTES`, else this process. With `stream`, by default above `STREAM_FILES`
    or `STREAM_BYTES`, no measurement is kept but only `summaries`. Who reads makes no difference to the result.

    Raises CorpusError for a path that is not there, and for a worker that ended or does not see a file; nothing within
    a file raises.
    """
    began = time.perf_counter()
    limits = bounds or Bounds()
    if stream is None or (executor is None and processes is None):
        size = size_of(paths, limits, STREAM_FILES)
        stream = size.exceeds(STREAM_FILES, STREAM_BYTES) if stream is None else stream
        if processes is None:
            processes = usable_cores() if size.exceeds(PARALLEL_FILES, PARALLEL_BYTES) else 1
    workers = WorkerProcesses(processes) if executor is None and processes is not None and processes > 1 else None
    try:
        corpus = _read(paths, vocabulary or Vocabulary.built_in(), limits, executor or workers, stream=stream)
    except BaseException:
        if workers is not None:
            workers.shutdown(cancel_futures=True)
        raise
    if workers is not None:
        workers.shutdown()
    return replace(corpus, seconds=time.perf_counter() - began)


def _read(
    paths: Sequence[str | Path], words: Vocabulary, limits: Bounds, executor: Executor | None, *, stream: bool
) -> Corpus:
    roots = tuple(map(str, paths))
    known = pickle.dumps((words, limits))
    if stream:
        gathered = gather(in_order(executor, summarise, tasks_of(paths, known, limits)))
        return Corpus(
            roots=roots,
            artifacts=gathered.artifacts(),
            rows=(),
            seconds=0.0,
            streamed=tuple(summaries_of(gathered.tallies)),
            remarks=tuple(gathered.left()),
            files=gathered.files(),
        )
    found = find_files(paths, limits)
    if executor is None:
        return assemble(roots, [read_one(each, words, limits) for each in found], words, limits)
    readings: list[FileReading] = []
    for each in in_order(executor, read_some, files_in_tasks(found, known)):
        refuse_unopened(each.unopened)
        readings += each.readings
    return assemble(roots, readings, words, limits)


def assemble(roots: tuple[str, ...], readings: Sequence[FileReading], vocabulary: Vocabulary, bounds: Bounds) -> Corpus:
    """What only all files together can tell: models by name, cold rows, copies."""
    for each in readings:
        for row in each.reading.rows:
            row.file = each.found.shown
    name_models(readings, vocabulary.families)
    mark_cold(row for each in readings for row in each.reading.rows)
    identical = mark_identical(readings)
    mark_copies(readings)
    undated = mark_undated(readings)
    return Corpus(
        roots=roots,
        artifacts=tuple(
            _artifact(each, identical.get(each.found.shown), undated.get(each.found.shown), bounds) for each in readings
        ),
        rows=tuple(row for each in readings for row in each.reading.rows),
        seconds=0.0,
        files=Counter(each.found.kind for each in readings),
    )


def _artifact(each: FileReading, identical: str | None, undated: str | None, bounds: Bounds) -> Artifact:
    reading = each.reading
    return Artifact(
        path=each.found.shown,
        location=each.found.location,
        kind=each.found.kind,  # type: ignore[arg-type]  # the kinds of `walk.READ`
        format=reading.format,
        size_bytes=each.size_bytes,
        digest=each.digest,
        schema=tuple(name[:120] for name in reading.schema[: bounds.names]),
        rows=len(reading.rows),
        failed_rows=sum(row.failure is not None for row in reading.rows),
        measurements=sum(len(row.numbers) for row in reading.rows),
        identical_to=identical,
        undated_twin=undated,
        time=reading.time,
        zone=reading.zone,
        environment=reading.environment,
        left=tuple(_left(each, bounds)),
    )


def _left(each: FileReading, bounds: Bounds) -> Iterator[Leftover]:
    """The remarks on a file, bounded in number."""
    remarks = each.reading.remarks
    path = each.found.shown
    for remark in remarks[: bounds.remarks]:
        yield Leftover(file=path, place=remark.place, reason=remark.reason, kind=remark.kind, count=remark.values)  # type: ignore[arg-type]  # kinds of Leftover
    rest = remarks[bounds.remarks :]
    if rest:
        kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(remark.kind for remark in rest).items())
        total = sum(remark.values for remark in rest)
        yield Leftover(file=path, place="", reason=f"{len(rest)} more remarks: {kinds}", kind="refused", count=total)
