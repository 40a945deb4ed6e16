"""pytest-benchmark (as of 5.3.1): what it saves and what `compare --csv` writes, and rows of our own in what it saves.

Everything is in seconds per iteration. A test whose assertion failed after it was measured stands in a file as if it
had passed, and one that raised does not stand in it at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.formats.fields import (
    Notes,
    cell,
    clean,
    date,
    items,
    mapping,
    named_items,
    number,
    put,
    put_summary,
    records,
    setting,
    tell,
    text,
    whole,
    written_setting,
)
from pytest_chimera.corpus.formats.own_rows import OwnRow, read_own_rows
from pytest_chimera.corpus.rows import Reading, Row, Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "pytest-benchmark"
STATISTICS = {
    "min": "min", "max": "max", "mean": "mean", "stddev": "sd", "median": "median", "iqr": "iqr", "q1": "p25",
    "q3": "p75", "total": "sum",
}  # fmt: skip
"""Its names of statistics, as far as they are in seconds."""
PARAMETER = "param:"
"""How the name of a parameter's column begins."""
COLUMNS = frozenset({*STATISTICS, "outliers", "ops", "rounds", "iterations"})
"""Of its CSV files, besides the name and the parameters."""

_KEY = "chimera"
"""Of our part within `extra_info` and `machine_info` (docs/recording.md)."""
_SCHEMA = 1
_LATENCY = Term("latency", "value", 1.0, "time")
_OPS = Term("ops", "harmonic mean", 1.0, "per_second")
"""It is 1 / mean of the times."""
_COUNTS = ("iqr_outliers", "stddev_outliers", "outliers", "ld15iqr", "hd15iqr")
_NO_COMMIT = "unversioned"
"""What it writes outside of a repository."""
_NO_NUMBERS = "counts and whiskers of a box plot"


def read_json(document: Any) -> Reading:
    """A saved file: of each test its rounds where they were saved, and its statistics; rows of ours by case."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    known = mapping(document)
    date(reading, known.get("datetime"))
    if reading.zone == "unknown" and reading.time is not None:
        reading.zone = "utc"  # what it writes without a zone is UTC
    _tell_environment(reading, known)
    own: list[OwnRow] = []
    for index, each in enumerate(items(known.get("benchmarks"))):
        place, row = f"/benchmarks/{index}", mapping(each)
        if text(row.get("fullname")) is None or not mapping(row.get("stats")):
            notes.broken(place, "", "a row with its fullname and stats")
            continue
        info = mapping(mapping(row.get("extra_info")).get(_KEY))
        schema = info.get("schema")
        if info and (isinstance(schema, bool) or not isinstance(schema, int) or schema > _SCHEMA):
            notes.leave("refused", "a row of a newer version of this program", place=place)
        elif info.get("kind") == "case":
            own.append(OwnRow(index, info, mapping(row["stats"])))
        else:
            _read_test(notes, index, row, info)
    read_own_rows(notes, own)
    for each in reading.rows:
        if each.time is None:
            each.time, each.zone = reading.time, reading.zone
    return notes.close()


def read_csv(rows: Sequence[Sequence[str]]) -> Reading:
    """The rows of a comparison; which run each is of stands nowhere."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    for index, known in records(rows, notes):
        row = Row(f"row {index}", number=index, series=clean(known["name"]))
        row.provenance = "aggregate"
        tell(row.labels, test=known["name"])
        for name, value in known.items():
            read = written_setting(value)
            if name.startswith(PARAMETER) and read is not None:
                row.parameters[clean(name.removeprefix(PARAMETER))] = read
        numbers = {name: cell(known[name]) for name in (*STATISTICS, "ops", "rounds") if name in known}
        for name, found in numbers.items():
            if found is None:
                notes.broken(row.place, name)
        if "outliers" in known:
            notes.leave("not performance", _NO_NUMBERS, name="outliers", place=row.place)
        _summarise(notes, row, numbers)
    reading.schema = list(next(iter(filter(any, rows)), ()))
    return notes.close()


def _read_test(notes: Notes, index: int, known: Mapping[str, Any], info: Mapping[str, Any]) -> None:
    """A test that is no case of ours: what it took, round by round and in sum."""
    place, stats = f"/benchmarks/{index}/stats", mapping(known["stats"])
    summary = _row(place, None, known)
    summary.provenance = "aggregate"
    for nth, value in enumerate(items(stats.get("data"))):
        found = number(value)
        if found is None:
            notes.broken(f"{place}/data/{nth}", "data")
            continue
        row = _row(place, nth + 1, known)
        row.add(_LATENCY, found, f"data/{nth}")
        notes.reading.rows.append(row)
    for name in _COUNTS:
        if name in stats:
            notes.leave("not performance", _NO_NUMBERS, name=name, place=place)
    _summarise(notes, summary, stats)
    if info.get("kind") == "plain":
        read_requests(notes, f"/benchmarks/{index}/extra_info/{_KEY}/rounds", summary, info)


def read_requests(notes: Notes, place: str, like: Row, info: Mapping[str, Any]) -> None:
    """The requests that a plain benchmark of ours timed, with the labels of its row."""
    from pytest_chimera.corpus.formats.own_rows import read_request  # noqa: PLC0415  # only where there is one

    for nth, each in enumerate(items(info.get("rounds"))):
        for which, request in enumerate(items(mapping(each).get("generations"))):
            row = Row(f"{place}/{nth}/generations/{which}", number=nth + 1, series=f"{like.series} requests", joint="/")
            row.labels, row.parameters = like.labels, like.parameters
            read_request(notes, row, mapping(request), items(info.get("models")))


def _summarise(notes: Notes, row: Row, stats: Mapping[str, Any]) -> None:
    row.n = whole(stats.get("rounds"))
    put_summary(row, _LATENCY, stats, STATISTICS, notes)
    put(row, _OPS, stats, "ops", notes)
    notes.reading.rows.append(row)


def _row(place: str, count: int | None, known: Mapping[str, Any]) -> Row:
    name = text(known["fullname"]) or ""
    row = Row(place, number=count, series=name, joint="/")
    tell(row.labels, test=name, group=text(known.get("group")))
    for key, value in named_items(known.get("params")):
        read = setting(value)
        if read is not None:
            row.parameters[clean(key)] = read
    return row


def _tell_environment(reading: Reading, known: Mapping[str, Any]) -> None:
    """The machine and the commit, ours before pytest-benchmark's where both say something."""
    machine, commit = mapping(known.get("machine_info")), mapping(known.get("commit_info"))
    ours, processor = mapping(machine.get(_KEY)), mapping(machine.get("cpu"))
    system = " ".join(part for name in ("system", "release") if (part := text(machine.get(name))))
    told = reading.environment
    tell(told, cpu=processor.get("brand_raw"), cpu_count=processor.get("count"), architecture=machine.get("machine"))
    tell(told, os=system, python=machine.get("python_version"), pytest_benchmark=known.get("version"))
    if commit.get("id") != _NO_COMMIT:
        tell(told, commit=commit.get("id"), branch=commit.get("branch"))
    tell(told, **{clean(name): value for name, value in list(named_items(ours))[:40]})
