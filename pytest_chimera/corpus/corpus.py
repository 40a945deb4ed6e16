"""The corpus: all files of some folders as one value, and the way to read it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_chimera.corpus.bounds import Bounds
from pytest_chimera.corpus.coldness import mark_cold, name_models
from pytest_chimera.corpus.copies import mark_copies, mark_identical
from pytest_chimera.corpus.reading import read_one
from pytest_chimera.corpus.vocabulary import Vocabulary
from pytest_chimera.corpus.walk import find_files
from pytest_chimera.records import Artifact, Leftover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_chimera.corpus.reading import FileReading
    from pytest_chimera.corpus.rows import Row
    from pytest_chimera.records import Measurement


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

    def __repr__(self) -> str:
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
        return tuple(each for artifact in self.artifacts for each in artifact.left)


def read_corpus(
    paths: Sequence[str | Path], *, vocabulary: Vocabulary | None = None, bounds: Bounds | None = None
) -> Corpus:
    """Read every file below `paths` (folders, files, globs).

    Raises CorpusError for a path that is not there; nothing within a file raises.
    """
    began = time.perf_counter()
    words = vocabulary or Vocabulary.built_in()
    limits = bounds or Bounds()
    readings = [read_one(found, words, limits) for found in find_files(paths, limits)]
    return assemble(tuple(map(str, paths)), readings, words, limits, began)


def assemble(
    roots: tuple[str, ...], readings: Sequence[FileReading], vocabulary: Vocabulary, bounds: Bounds, began: float
) -> Corpus:
    """What only all files together can tell: models by name, cold rows, copies."""
    for each in readings:
        for row in each.reading.rows:
            row.file = each.found.shown
    name_models(readings, vocabulary.families)
    mark_cold(row for each in readings for row in each.reading.rows)
    identical = mark_identical(readings)
    mark_copies(readings)
    return Corpus(
        roots=roots,
        artifacts=tuple(_artifact(each, identical.get(each.found.shown), bounds) for each in readings),
        rows=tuple(row for each in readings for row in each.reading.rows),
        seconds=time.perf_counter() - began,
    )


def _artifact(each: FileReading, identical: str | None, bounds: Bounds) -> Artifact:
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
