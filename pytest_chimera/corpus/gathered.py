"""What is kept of a corpus that is only summarised: counts per folder, remarks by what they say, and the summaries."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_chimera.corpus.summaries import Tally, merge_tallies
from pytest_chimera.records import Artifact, Leftover

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_chimera.corpus.rows import Remark
    from pytest_chimera.corpus.summaries import Group
    from pytest_chimera.corpus.tasks import Unopened

MOST_FOLDERS = 1000
"""Folders whose files are counted for themselves; beyond, the deepest are counted with the folder around them."""
MOST_REASONS = 200
"""Different remarks that are kept; beyond, they are counted by their kind."""


class Counts:
    """Files of one kind in one folder."""

    __slots__ = ("failed", "files", "numbers", "rows", "size")

    def __init__(self) -> None:
        self.files = self.size = self.rows = self.failed = self.numbers = 0
        """Files, their bytes, rows with numbers, those of them that failed, and numbers that were understood."""

    def add(self, other: Counts) -> None:
        """Count another's files too."""
        self.files += other.files
        self.size += other.size
        self.rows += other.rows
        self.failed += other.failed
        self.numbers += other.numbers


class Said:
    """One remark, wherever it was made."""

    __slots__ = ("file", "files", "place", "values")

    def __init__(self, file: str, place: str) -> None:
        self.file, self.place = file, place
        """The first place."""
        self.files = self.values = 0


class Gathered:
    """What one task, or all of them together, came to."""

    def __init__(self) -> None:
        self.tallies: dict[Group, Tally] = {}
        self.counts: dict[tuple[str, str], Counts] = {}
        """(folder as shown, kind of file) -> its files."""
        self.said: dict[tuple[str, str], Said] = {}
        """(reason, kind of leftover) -> where."""
        self.unopened: list[Unopened] = []
        self.beyond = 0
        """Numbers that lost their model and series to the bound on groups."""

    def count(self, folder: str, kind: str) -> Counts:
        """The counts to add to."""
        key = folder, kind
        found = self.counts.get(key)
        if found is None:
            found = self.counts[key] = Counts()
        return found

    def say(self, remark: Remark, file: str, *, times: int = 1) -> None:
        """Count a remark, made of so many files of which `file` is the first."""
        key = remark.reason, remark.kind
        said = self.said.get(key)
        if said is None:
            said = self.said[key] = Said(file, remark.place)
        said.files += times
        said.values += remark.values * times

    def merge(self, other: Gathered) -> None:
        """Take in what came after."""
        self.beyond += merge_tallies(self.tallies, other.tallies)
        self.unopened += other.unopened
        for key, counts in other.counts.items():
            self.count(*key).add(counts)
        if len(self.counts) > 2 * MOST_FOLDERS:
            self._fold()
        for (reason, kind), said in other.said.items():
            key = reason, kind
            if key not in self.said and len(self.said) >= MOST_REASONS:
                key = "other remarks", kind
            known = self.said.setdefault(key, Said(said.file, said.place))
            known.files += said.files
            known.values += said.values

    def artifacts(self) -> tuple[Artifact, ...]:
        """An artifact for the files of each kind in each folder: "runs/*.json", its format "900 files"."""
        self._fold()
        return tuple(_artifact(folder, kind, counts) for (folder, kind), counts in sorted(self.counts.items()))

    def left(self) -> Iterator[Leftover]:
        """The remarks, each once, most frequent first."""
        for (reason, kind), said in sorted(self.said.items(), key=lambda each: -each[1].values):
            more = f" (here and in {said.files - 1:,} more files)" if said.files > 1 else ""
            yield Leftover(file=said.file, place=said.place, reason=reason + more, kind=kind, count=said.values)  # type: ignore[arg-type]  # kinds of Leftover

    def files(self) -> Counter[str]:
        """How many files there are of each kind."""
        files: Counter[str] = Counter()
        for (_, kind), counts in self.counts.items():
            files[kind] += counts.files
        return files

    def _fold(self) -> None:
        """Count the deepest folders with those around them until few enough are left."""
        while len(self.counts) > MOST_FOLDERS:
            deepest = max(folder.count("/") + bool(folder) for folder, _ in self.counts)
            if not deepest:
                return
            folded = Gathered()
            for (folder, kind), counts in self.counts.items():
                deep = folder.count("/") + bool(folder) == deepest
                folded.count(folder.rpartition("/")[0] if deep else folder, kind).add(counts)
            self.counts = folded.counts


def _artifact(folder: str, kind: str, counts: Counts) -> Artifact:
    path = f"{folder}/*" if folder else "*"
    return Artifact(
        path=path,
        location=path,
        kind=kind,  # type: ignore[arg-type]  # the kinds of `walk.READ`
        format="summaries",
        files=counts.files,
        size_bytes=counts.size,
        rows=counts.rows,
        failed_rows=counts.failed,
        measurements=counts.numbers,
        environment={},
    )
