"""Files that say the same: byte for byte, the same numbers in another format, or all but the time.

Nothing is removed or changed here; the commands list what was found.
"""

from __future__ import annotations

import hashlib
import shlex
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import counted
from pytest_chimera.analysis.evidence import conditions
from pytest_chimera.analysis.filenames import common_folder
from pytest_chimera.analysis.form import Finding, Part, Quoted, Recommendation
from pytest_chimera.analysis.sentences import listed, names, number_of, plural, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.analysis.evidence import Evidence
    from pytest_chimera.analysis.form import Grid, Statement
    from pytest_chimera.records import Artifact, Fact, Measurement

_SUBJECT = {"part": "duplicates"}
_MOST_SENTENCES = 20


def duplicates(evidence: Evidence) -> Part:
    """The part of the report about what stands in the corpus more than once."""
    identical = _identical(evidence.files)
    contained = _contained(evidence)
    but_for_time = _but_for_time(evidence)
    findings = [
        *_identical_findings(identical),
        *_contained_findings(contained),
        *_time_findings(but_for_time),
        *_undated_findings(evidence, but_for_time),
    ]
    return Part(
        name="duplicates",
        title="Duplicates",
        findings=tuple(findings)
        or (Finding(kind="duplicates", statement=("No two files say the same.",), notable=False),),
        grids=tuple(_grids(identical, contained)),
        recommendations=tuple(_recommendations(evidence, identical, findings)),
    )


def _identical(files: Sequence[Artifact]) -> dict[str, list[Artifact]]:
    """Files with the very same bytes, by the path of the first of them."""
    found: dict[str, list[Artifact]] = defaultdict(list)
    by_path = {each.path: each for each in files}
    for each in files:
        if each.identical_to is not None:
            first = each.identical_to
            while (known := by_path.get(first)) is not None and known.identical_to not in {None, first}:
                first = known.identical_to or first
            found[first].append(each)
    return {first: ([by_path[first]] if first in by_path else []) + found[first] for first in sorted(found)}


def _identical_findings(identical: dict[str, list[Artifact]]) -> Iterable[Finding]:
    if not identical:
        return
    spare = [each for first, group in identical.items() for each in group if each.path != first]
    stands = tuple(each.path for each in spare[:4])
    files = counted(
        _SUBJECT, "identical_files", len(spare), "files whose bytes are those of a file before them", stands
    )
    size = counted(
        _SUBJECT, "redundant_bytes", sum(each.size_bytes for each in spare), "sizes of these files", stands,
        statistic="sum", dimension="bytes", n=len(spare),
    )  # fmt: skip
    groups: list[Statement] = [
        listed([(Quoted(each.path),) for each in group], " = ", " = ")
        for group in list(identical.values())[:_MOST_SENTENCES]
    ]
    yield Finding(
        kind="duplicates",
        statement=(
            *number_of(files, "file"), " ", plural(files.value, "is a copy", "are copies"),
            " of another, byte for byte (", size, "): ", *listed(groups, "; ", "; "), ".",
        ),
    )  # fmt: skip


def _contained(evidence: Evidence) -> list[tuple[Artifact, list[str]]]:
    """Files of which every number that was understood is a copy of one elsewhere, and where these stand."""
    own: Counter[str] = Counter()
    elsewhere: dict[str, Counter[str]] = defaultdict(Counter)
    for each in (*evidence.measurements, *evidence.others):
        own[each.source.file] += 1
        for copy in {source.file for source in each.copies} - {each.source.file}:
            elsewhere[copy][each.source.file] += 1
    return [
        (artifact, sorted(elsewhere[artifact.path]))
        for artifact in evidence.files
        if artifact.identical_to is None and elsewhere[artifact.path] and not own[artifact.path]
    ]


def _contained_findings(contained: Sequence[tuple[Artifact, list[str]]]) -> Iterable[Finding]:
    if not contained:
        return
    files = counted(
        _SUBJECT, "files_of_copies", len(contained), "files whose every number understood is a copy of one elsewhere",
        tuple(each.path for each, _ in contained[:4]),
    )  # fmt: skip
    parts: list[Statement] = [
        (Quoted(each.path), " (in ", *names(homes), ")") for each, homes in contained[:_MOST_SENTENCES]
    ]
    yield Finding(
        kind="duplicates",
        statement=(
            *number_of(files, "file"), " ", plural(files.value, "holds", "hold"),
            " no number that does not stand elsewhere, as of one run in two formats: ", *listed(parts, "; ", "; "),
            ". Each number was counted once.",
        ),
    )  # fmt: skip


def _but_for_time(evidence: Evidence) -> list[list[list[Measurement]]]:
    """Groups of files of one size and schema with equal rows; the numbers of each."""
    told: dict[str, list[Measurement]] = defaultdict(list)
    for each in (*evidence.ordered, *evidence.others):
        told[each.source.file].append(each)
    groups: dict[tuple[object, ...], list[list[Measurement]]] = defaultdict(list)
    for artifact in evidence.files:
        found = told.get(artifact.path)
        if found:
            rows = "\n".join(sorted(_but_time(each) for each in found))
            content = hashlib.sha256(rows.encode("utf-8", "replace")).hexdigest()
            groups[artifact.kind, artifact.schema, artifact.size_bytes, content].append(found)
    return [files for files in groups.values() if len(files) > 1]


def _but_time(each: Measurement) -> str:
    """A number and everything that its row says but for its time and file."""
    parts = (each.metric, each.statistic, each.value, each.n, each.model, conditions(each), each.row, each.failure)
    return repr(parts)


def _time_findings(groups: Sequence[Sequence[Sequence[Measurement]]]) -> Iterable[Finding]:
    for group in groups[:_MOST_SENTENCES]:
        files = [found[0].source.file for found in group]
        fact = counted(
            {**_SUBJECT, "first": files[0]}, "files_equal_but_for_time", len(files),
            "files of one size and schema with equal rows but for time and place", tuple(files[:4]),
        )  # fmt: skip
        failed = all(each.failure is not None for found in group for each in found)
        yield Finding(
            kind="duplicates",
            statement=(
                fact, " files hold equal rows and differ in their times alone",
                " (all their rows failed): " if failed else ": ", *names(files), ".",
            ),
        )  # fmt: skip


def _undated_findings(evidence: Evidence, known: Sequence[Sequence[Sequence[Measurement]]]) -> Iterable[Finding]:
    """Files whose text is equal but for the times in it, beside those of which the rows tell as much."""
    told = {found[0].source.file for group in known for found in group}
    twins: dict[str, list[str]] = defaultdict(list)
    for each in evidence.files:
        if each.undated_twin is not None and each.path not in told:
            twins[each.undated_twin].append(each.path)
    for first, others in sorted(twins.items())[:_MOST_SENTENCES]:
        fact = counted(
            {**_SUBJECT, "first": first}, "files_equal_but_for_time", len(others) + 1,
            "files whose text is equal once times are left out", (first, *others[:3]),
        )  # fmt: skip
        yield Finding(
            kind="duplicates",
            statement=(fact, " files are equal but for the times in them: ", *names([first, *others]), "."),
        )


def _grids(identical: dict[str, list[Artifact]], contained: Sequence[tuple[Artifact, list[str]]]) -> Iterable[Grid]:
    rows: list[tuple[Statement, ...]] = []
    for first, group in identical.items():
        spare = [each for each in group if each.path != first]
        rows += [((Quoted(each.path),), ("the same bytes",), (Quoted(first),), (_size(each),)) for each in spare]
    rows += [((Quoted(each.path),), ("the same numbers",), names(homes), (_size(each),)) for each, homes in contained]
    if rows:
        yield table("Redundant files", ("File", "Holds", "As in", "Size"), rows, (3,))


def _size(each: Artifact) -> Fact:
    return counted(
        {"file": each.path}, "file_size", each.size_bytes, "size of the file", (each.path,), statistic="value",
        dimension="bytes", n=1,
    )  # fmt: skip


def _recommendations(
    evidence: Evidence, identical: dict[str, list[Artifact]], findings: Sequence[Finding]
) -> Iterable[Recommendation]:
    if identical:
        folder = common_folder(each.location for each in evidence.files)
        yield Recommendation(
            statement=("Keep one of each set of identical files; this lists them and removes nothing.",),
            findings=(findings[0],),
            command=f"find {shlex.quote(folder)} -type f -exec sha256sum {{}} + | sort | uniq -w 64 -D",
        )
