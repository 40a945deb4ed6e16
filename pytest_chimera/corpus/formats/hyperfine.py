"""hyperfine (as of 1.15.0): JSON with every run, CSV and Markdown with their summaries.

A run whose exit code was not 0 took its time without doing its work: it failed, and so did every summary over it.
CSV and Markdown do not tell.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.formats.fields import (
    Notes,
    cell,
    clean,
    is_no_deviation,
    items,
    mapping,
    named_items,
    number,
    plus_minus,
    put_summary,
    records,
    table_cells,
    text,
    written_setting,
)
from pytest_chimera.corpus.rows import Reading, Row, Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "hyperfine"
COLUMNS = ["command", "mean", "stddev", "median", "user", "system", "min", "max"]
"""Of its CSV files, before those of the parameters."""
PARAMETER = "parameter_"
"""How the name of a parameter's column begins."""

_LATENCY = Term("latency", "value", 1.0, "time")
_SUMMARY = {"mean": "mean", "stddev": "sd", "median": "median", "min": "min", "max": "max"}
_PROCESSOR = {
    "user": Term("cpu_user", "mean", 1.0, "time", "resource"),
    "system": Term("cpu_system", "mean", 1.0, "time", "resource"),
}
_HEAD = re.compile(r"(Mean|Min|Max) \[(ms|s)\]")
_CLIPPED = "A run of 0 s was shorter than the start of a shell, which is subtracted; it is kept."
_SCALES = {"s": 1.0, "ms": 1e-3}


def read_json(document: Any) -> Reading:
    """The results: of each command its runs, and what was computed from them."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    for index, result in enumerate(items(mapping(document).get("results"))):
        known = mapping(result)
        if text(known.get("command")) is None:
            notes.broken(f"/results/{index}", "", "a result with its command")
            continue
        _read_result(notes, f"/results/{index}", index + 1, known)
    return notes.close()


def read_csv(rows: Sequence[Sequence[str]]) -> Reading:
    """One row per command."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    for index, known in records(rows, notes):
        row = _row(f"row {index}", index, known["command"], " ")
        row.provenance = "aggregate"
        for name, value in known.items():
            setting = written_setting(value)
            if name.startswith(PARAMETER) and setting is not None:
                row.parameters[clean(name.removeprefix(PARAMETER))] = setting
        numbers = {name: cell(known[name]) for name in COLUMNS[1:]}
        for name, read in numbers.items():
            if read is None:
                notes.broken(row.place, name)
        _summarise(notes, row, numbers)
    reading.schema = list(next(iter(filter(any, rows)), ()))
    return notes.close()


def read_markdown(content: str) -> Reading:
    """The table that it prints; rounded, and without medians."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    header: list[str] = []
    found = 0
    for count, line in enumerate(content.splitlines(), 1):
        if not line.startswith("|") or set(line) <= set("|-: "):
            continue
        cells = table_cells(line)
        if not header:
            header = cells
            continue
        found += 1
        if len(cells) != len(header):
            notes.broken(f"line {count}", "", f"a row of {len(header)} cells")
            continue
        row = _row(f"line {count}", found, cells[0].strip("`"), " ")
        row.provenance = "aggregate"
        _read_cells(notes, row, dict(zip(header, cells, strict=True)))
    reading.schema = header
    return notes.close()


def _read_cells(notes: Notes, row: Row, known: Mapping[str, str]) -> None:
    """The cells of one line of the table."""
    for name, value in known.items():
        head = _HEAD.fullmatch(name)
        if name == "Relative":
            notes.leave("not performance", "computed from the means", name=name, place=row.place)
        if head is None:
            continue
        term = Term("latency", head[1].lower(), _SCALES[head[2]], "time")
        read, deviation = plus_minus(value)
        if read is None:
            notes.broken(row.place, name)
            continue
        row.add(term, read, name)
        if deviation is not None and not is_no_deviation(deviation, None):
            row.add(term._replace(statistic="sd"), deviation, name)
    notes.reading.rows.append(row)


def _read_result(notes: Notes, place: str, index: int, known: Mapping[str, Any]) -> None:
    """The runs of one command, each with its own fate, and their summary."""
    times, codes = items(known.get("times")), items(known.get("exit_codes"))
    told = len(codes) == len(times)
    failed = sum(code != 0 for code in codes) if told else 0
    parameters = {
        clean(name): value
        for name, each in named_items(known.get("parameters"))
        if (value := written_setting(each)) is not None
    }
    summary = _row(place, index, known["command"], "/")
    summary.parameters = parameters
    summary.n = len(times) or None
    summary.provenance = "aggregate"
    if failed:
        summary.failure = f"{failed} of {len(codes)} runs ended with another exit code than 0"
    _summarise(notes, summary, known)
    for nth, time in enumerate(times):
        value = number(time)
        if value is None:
            notes.broken(f"{place}/times/{nth}", "times")
            continue
        run = _row(place, nth + 1, known["command"], "/")
        run.parameters = parameters
        run.failure = _fate(codes[nth]) if told else None
        run.add(_LATENCY, value, f"times/{nth}")
        if value == 0:
            notes.say("ambiguous", _CLIPPED, place=f"{place}/times")
        notes.reading.rows.append(run)


def _summarise(notes: Notes, row: Row, known: Mapping[str, Any]) -> None:
    """What was computed from all runs of a command."""
    put_summary(row, _LATENCY, known, _SUMMARY, notes)
    for name, term in _PROCESSOR.items():
        value = number(known.get(name))
        if value is not None:
            row.add(term, value, name)
    notes.reading.rows.append(row)


def _row(place: str, count: int, command: str, joint: str) -> Row:
    told = clean(command)
    row = Row(place, number=count, series=told, joint=joint)
    row.labels["command"] = told
    return row


def _fate(code: object) -> str | None:
    """Why a run failed, by its exit code; it is null of one that a signal ended."""
    found = number(code)
    if found == 0:
        return None
    return "ended by a signal" if found is None else f"exit code {found:.15g}"
