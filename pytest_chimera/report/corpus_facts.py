"""Facts of a corpus as it was read: files, bytes, rows, numbers, copies, and what was not understood.

What the numbers say is the analysis' business; here they are only counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.analysis.evidence import moment as instant
from pytest_chimera.records import Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pytest_chimera.records import Artifact, Leftover, Measurement
    from pytest_chimera.report.corpus_view import CorpusView
    from pytest_chimera.units import Dimension

ALL: Mapping[str, str] = {"corpus": "all"}
"""The subject of facts that speak of the corpus as a whole."""
MOST_FILES = 500
"""Files whose own numbers become facts; the others are in the totals."""
_MOST_NAMED = 4

_SUMS: dict[str, tuple[Callable[[Artifact], float], Dimension, str]] = {
    "files": (lambda each: each.files, "count", "count of files"),
    "size": (lambda each: each.size_bytes, "bytes", "sum of the files' sizes"),
    "rows": (lambda each: each.rows, "count", "sum of rows that hold numbers, copies and failed ones included"),
    "failed_rows": (lambda each: each.failed_rows, "count", "sum of rows that failed, copies included"),
    "numbers": (lambda each: each.measurements, "count", "sum of numbers understood, copies included"),
}
"""What is summed over files, of the whole, of each type and of each folder."""


class Span(NamedTuple):
    """The first and the last time of a measurement, as written."""

    first: str
    last: str
    zones: tuple[str, ...]
    """What is known of their zones, each once."""


def of_type(kind: str) -> dict[str, str]:
    """Whom facts of all files of a type speak of."""
    return {**ALL, "type": kind}


def of_folder(folder: str) -> dict[str, str]:
    """Whom facts of all files of a folder speak of."""
    return {**ALL, "folder": folder}


def of_file(path: str) -> dict[str, str]:
    """Whom facts of one file speak of."""
    return {**ALL, "file": path}


def of_reason(kind: str) -> dict[str, str]:
    """Whom facts of one kind of things that were not understood speak of."""
    return {**ALL, "not understood": kind}


def folder_of(path: str) -> str:
    """The folder of a file, as shown."""
    return path.rpartition("/")[0] or "."


def by_type(artifacts: Sequence[Artifact]) -> dict[str, list[Artifact]]:
    """The files of each type, the most frequent first."""
    return _grouped(artifacts, lambda each: each.kind)


def by_folder(artifacts: Sequence[Artifact]) -> dict[str, list[Artifact]]:
    """The files of each folder, the fullest first."""
    return _grouped(artifacts, lambda each: folder_of(each.path))


def left_by_file(left: Iterable[Leftover]) -> dict[str, list[Leftover]]:
    """What was not understood, by file."""
    found: dict[str, list[Leftover]] = defaultdict(list)
    for each in left:
        found[each.file].append(each)
    return found


def span_of(measurements: Iterable[Measurement]) -> Span | None:
    """From when to when was measured; None where no time can be read."""
    times = {each.time: each.zone for each in measurements if each.time is not None}
    known = sorted((when, text) for text in times if (when := instant(text)) is not None)
    if not known:
        return None
    zones = Counter(zone for text, zone in times.items() if instant(text) is not None)
    return Span(known[0][1], known[-1][1], tuple(zone for zone, _ in zones.most_common()))


def models_of(view: CorpusView) -> tuple[str, ...]:
    """The models that were measured; of a name that only a report has nobody knows what it means."""
    if view.summarised is not None:
        return view.summarised
    return tuple(sorted({each.model for each in view.measurements if each.model and each.provenance != "claim"}))


def corpus_facts(view: CorpusView) -> tuple[Fact, ...]:
    """Every fact of what was read, each once."""
    left = left_by_file(view.left)
    return (
        *_sums(ALL, view.artifacts, left),
        *_totals(view),
        *(fact for kind, files in by_type(view.artifacts).items() for fact in _sums(of_type(kind), files, left)),
        *(fact for name, files in by_folder(view.artifacts).items() for fact in _sums(of_folder(name), files, left)),
        *_reasons(view.left),
        *_files(view, left),
        *(_time(name, value) for name, value in view.times.items()),
    )


def phase_of(name: str) -> dict[str, str]:
    """Whom the wall time of working on the corpus speaks of."""
    return {**ALL, "phase": name}


def named(paths: Sequence[str]) -> tuple[str, ...]:
    """The first of these files, and how many there are besides."""
    more = len(paths) - _MOST_NAMED
    return (*paths[:_MOST_NAMED], *((f"... and {more} more",) if more > 0 else ()))


def _grouped(artifacts: Sequence[Artifact], key: Callable[[Artifact], str]) -> dict[str, list[Artifact]]:
    found: dict[str, list[Artifact]] = defaultdict(list)
    for each in artifacts:
        found[key(each)].append(each)
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def _sums(
    subject: Mapping[str, str], files: Sequence[Artifact], left: Mapping[str, Sequence[Leftover]]
) -> Iterator[Fact]:
    sources = named([each.path for each in files])
    for metric, (read, dimension, formula) in _SUMS.items():
        value = sum(map(read, files))
        yield _fact(subject, metric, value, formula=formula, sources=sources, n=len(files), dimension=dimension)
    dark = [each.path for each in files if left.get(each.path)]
    values = sum(one.count for path in dark for one in left[path])
    formula = "sum of values that were not understood"
    yield _fact(subject, "not_understood", values, formula=formula, sources=named(dark) or sources, n=len(files))


def _totals(view: CorpusView) -> Iterator[Fact]:
    artifacts, measurements = view.artifacts, view.measurements
    twins = [each for each in artifacts if each.identical_to is not None]
    bare = [each.path for each in artifacts if not each.measurements]
    dark = left_by_file(view.left)
    folders = len(by_folder(artifacts))
    models = set(models_of(view))
    copies = sum(len(each.copies) for each in measurements)
    untimed = sum(each.time is None for each in measurements)
    everything, same = ("all files",), named([each.path for each in twins])
    counts: tuple[tuple[str, float, Dimension, str, tuple[str, ...], int], ...] = (
        ("folders", folders, "count", "count of folders with files", everything, len(artifacts)),
        ("models", len(models), "count", "different models outside of claims", everything, len(measurements)),
        ("measurements", len(measurements), "count", "numbers understood, each once", everything, len(measurements)),
        ("copies", copies, "count", "other places of the same measurements", everything, len(measurements)),
        ("others", len(view.others), "count", "numbers of neither a program's nor a machine's performance", everything,
         len(view.others)),
        ("untimed", untimed, "count", "measurements without a time", everything, len(measurements)),
        ("identical_files", len(twins), "count", "files that are byte for byte another", same, len(artifacts)),
        ("redundant_size", sum(each.size_bytes for each in twins), "bytes", "sum of their sizes", same, len(twins)),
        ("files_without_numbers", len(bare), "count", "files in which no number was understood", named(bare),
         len(artifacts)),
        ("files_not_understood", len(dark), "count", "files with something that was not understood",
         named(list(dark)), len(artifacts)),
        ("left_out_files", max(0, len(artifacts) - MOST_FILES), "count", "files beyond the first of the parse log",
         everything, len(artifacts)),
    )  # fmt: skip
    for metric, value, dimension, formula, sources, n in counts:
        yield _fact(ALL, metric, value, formula=formula, sources=sources, n=n, dimension=dimension)


def _reasons(left: Sequence[Leftover]) -> Iterator[Fact]:
    """How many values, in how many files, of each kind of thing that was not understood."""
    found: dict[str, list[Leftover]] = defaultdict(list)
    for each in left:
        found[each.kind].append(each)
    for kind, members in found.items():
        files = list(dict.fromkeys(each.file for each in members))
        values = sum(each.count for each in members)
        subject, sources, n = of_reason(kind), named(files), len(members)
        yield _fact(subject, "not_understood", values, formula="sum of values", sources=sources, n=n)
        yield _fact(subject, "files", len(files), formula="count of files", sources=sources, n=n)


def _files(view: CorpusView, left: Mapping[str, Sequence[Leftover]]) -> Iterator[Fact]:
    known = {each.path: each for each in view.artifacts[:MOST_FILES]}
    for path, each in known.items():
        numbers = {
            "rows": (each.rows, "rows that hold numbers"),
            "failed_rows": (each.failed_rows, "rows that failed"),
            "numbers": (each.measurements, "numbers understood, copies included"),
        }
        for metric, (value, formula) in numbers.items():
            yield _fact(of_file(path), metric, value, formula=formula, sources=(path,), n=1)
    unread = [path for path in left if path not in known][:MOST_FILES]
    for path in [each for each in (*known, *unread) if left.get(each)]:
        values, formula = sum(each.count for each in left[path]), "values that were not understood"
        subject, n = of_file(path), len(left[path])
        yield _fact(subject, "not_understood", values, formula=formula, sources=(path,), n=n)


def _time(name: str, value: float) -> Fact:
    formula = f"wall time of {name}"
    subject = phase_of(name)
    return _fact(
        subject, "wall_time", value, formula=formula, sources=("clock",), n=1, dimension="time", statistic="sum"
    )


def _fact(
    subject: Mapping[str, str],
    metric: str,
    value: float,
    *,
    formula: str,
    sources: tuple[str, ...],
    n: int,
    dimension: Dimension = "count",
    statistic: str = "count",
) -> Fact:
    return Fact(
        subject=dict(subject),
        metric=metric,
        statistic=statistic,
        value=value,
        dimension=dimension,
        n=n,
        formula=formula,
        sources=sources,
    )
