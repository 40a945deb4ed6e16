"""AIPerf (as of 0.13.0): the summary of a run as JSON and CSV, its time slices, and its requests as JSON Lines.

Warm-up requests stand among the others in JSON Lines only and are left out. TTFT and what follows from it hold the wait
in the server's queue. A metric without statistics is a total or a rate of the run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.formats.aiperf_terms import left_out, term_of
from pytest_chimera.corpus.formats.fields import (
    Notes,
    cell,
    date,
    date_by_rows,
    fail,
    is_no_deviation,
    items,
    mapping,
    named_items,
    number,
    quantile,
    set_model,
    setting,
    step,
    tell,
    text,
    whole,
)
from pytest_chimera.corpus.rows import Reading, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "aiperf"

_STATISTICS = {"avg": "mean", "std": "sd", "min": "min", "max": "max", "sum": "sum"}
_TITLE = re.compile(r"(.{1,120}?)(?: \(([^()]{1,20})\))?")
_ERRORS = ("error_request_count", "errors")
_WARMUP = "warmup"


def read_summary(document: Any) -> Reading:
    """The summary of a run: a row for each metric."""
    known = mapping(document)
    reading = Reading(FORMAT)
    notes = Notes(reading)
    date(reading, known.get("start_time"))
    tell(reading.environment, aiperf=known.get("aiperf_version"))
    if _is_of_warmup(known):
        notes.leave("not performance", "the whole file is of the warm-up")
        return notes.close()
    like = _described(known, reading)
    _read_metrics(notes, "", known, like)
    warmup = mapping(known.get("warmup_metrics"))
    if warmup:
        notes.leave("not performance", "the warm-up", name="warmup_metrics", place="/warmup_metrics", count=len(warmup))
    for index, each in enumerate(items(known.get("error_summary"))):
        error = mapping(each)
        count = whole(error.get("count"))
        why = f"Requests failed and stand in no metric: {_reason(error.get('error_details'))}."
        notes.say("no data", why, place=f"/error_summary/{index}", count=1 if count is None else count)
    return notes.close()


def read_slices(document: Any) -> Reading:
    """The time slices of a run: for each slice a row per metric."""
    known = mapping(document)
    reading = Reading(FORMAT)
    notes = Notes(reading)
    for index, each in enumerate(items(known.get("timeslices"))):
        if not isinstance(each, dict):
            notes.broken(f"/timeslices/{index}", "", "a slice")
            continue
        like = _described(known, reading)
        date(like, each.get("start_ns"))
        like.labels["slice"] = str(index + 1)
        _read_metrics(notes, f"/timeslices/{index}", each, like)
    date_by_rows(reading)
    return notes.close()


def read_requests(document: Any) -> Reading:
    """The requests of JSON Lines; which model each was put to stands in none of them."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    for index, each in enumerate(items(document)):
        request = mapping(each)
        told, metrics = mapping(request.get("metadata")), request.get("metrics")
        row = Row(f"/{index}", number=index + 1, series="requests", joint="/")
        if not told or not isinstance(metrics, dict):
            notes.broken(row.place, "", "a request with its metadata and metrics")
            continue
        if told.get("benchmark_phase") == _WARMUP:
            notes.leave("not performance", "warm-up requests", place=row.place)
            continue
        date(row, told.get("request_start_ns"))
        reading.rows.append(row)
        if request.get("error") is not None or told.get("was_cancelled") is True:
            fail(row, _reason(request.get("error")) if request.get("error") is not None else "cancelled")
        else:
            _read_request(notes, row, metrics)
    date_by_rows(reading)
    return notes.close()


def read_csv(rows: Sequence[Sequence[str]]) -> Reading:
    """The summary as CSV: rounded to two digits, a table of distributions above one of totals and rates."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    header: list[str] = []
    for count, cells in enumerate((row for row in rows if any(row)), 1):
        if cells[0] == "Metric":
            header = list(cells)
            reading.schema += [name for name in header if name not in reading.schema]
            continue
        title = _TITLE.fullmatch(cells[0])
        row = Row(f"row {count}", number=count)
        if title is None or len(cells) != len(header):
            notes.broken(row.place, "", "a metric with its numbers")
            continue
        key = re.sub(r"[^a-z0-9]+", "_", title[1].lower()).strip("_")
        values = {"avg" if name == "Value" else name: value for name, value in zip(header, cells, strict=True) if value}
        numbers = {name: cell(value) for name, value in values.items() if name != "Metric"}
        if key in _ERRORS and numbers.get("avg"):
            notes.say(
                "no data", "Requests failed and stand in no metric.", place=row.place, count=int(numbers["avg"] or 1)
            )
        _read_metric(notes, row, key, {"unit": title[2] or "", **numbers})
        if "Value" in header:
            row.numbers = [(term, value, "Value") for term, value, _ in row.numbers]
    return notes.close()


def _read_metrics(notes: Notes, place: str, known: Mapping[str, Any], like: Row) -> None:
    """Everything in a summary that has a unit."""
    for key, each in named_items(known):
        if not isinstance(each, dict) or "unit" not in each:
            continue
        row = Row(f"{place}/{step(key)}", series=f"/{step(key)}", joint="/")
        row.model, row.quantization, row.size, row.parameters = (
            like.model,
            like.quantization,
            like.size,
            like.parameters,
        )
        row.labels, row.time, row.zone = dict(like.labels), like.time, like.zone
        _read_metric(notes, row, key, each)


def _read_metric(notes: Notes, row: Row, key: str, each: Mapping[str, Any]) -> None:
    """One metric: its distribution, or the one number of a total or a rate."""
    found = term_of(key, each.get("unit"))
    if found is None:
        kind, why = left_out(key)
        notes.leave(kind, why, name=key, place=row.place)
        return
    term, weighted = found
    row.provenance = "aggregate"
    row.n = whole(each.get("count"))
    if weighted is not None:
        row.labels["weighted"] = weighted
    single = not any(name in each for name in ("min", "max", "count"))
    for name, value in each.items():
        statistic = (_STATISTICS.get(name) or quantile(name)) if isinstance(name, str) else None
        if statistic is None or value is None:
            continue
        read = number(value)
        if read is None:
            notes.broken(row.place, f"{key}/{name}")
        elif statistic != "sd" or not is_no_deviation(read, row.n):
            row.add(term._replace(statistic="value" if single else statistic), read, name)
    if row.numbers:
        row.series = row.series or key
        notes.reading.rows.append(row)


def _read_request(notes: Notes, row: Row, metrics: Mapping[str, Any]) -> None:
    """The metrics of one request; one of them is a list."""
    for key, each in named_items(metrics):
        known = mapping(each)
        found = term_of(key, known.get("unit"))
        if found is None:
            kind, why = left_out(key)
            notes.leave(kind, why, name=key, place=row.place)
            continue
        value = known.get("value")
        many = isinstance(value, list)
        for nth, one in enumerate(value if isinstance(value, list) else [value]):
            read = number(one)
            if read is None:
                notes.broken(row.place, key)
            else:
                row.add(found[0], read, f"metrics/{step(key)}/value" + (f"/{nth}" if many else ""))


def _described(known: Mapping[str, Any], reading: Reading) -> Row:
    """A row with what all metrics of a run share: its model where it had one only, its load."""
    row = Row("")
    row.time, row.zone = reading.time, reading.zone
    given = mapping(known.get("input_config"))
    models = [text(mapping(each).get("name")) for each in items(mapping(given.get("models")).get("items"))]
    if len(models) == 1:
        set_model(row, models[0])
    elif models:
        tell(row.labels, models=", ".join(name for name in models if name))
    for each in items(given.get("phases")):
        phase = mapping(each)
        for name in ("concurrency", "request_rate", "requests"):
            value = setting(phase.get(name))
            if phase.get("kind") != _WARMUP and value is not None:
                row.parameters[name] = value
    for each in items(given.get("datasets"))[:1]:
        for name in ("isl", "osl"):
            value = setting(mapping(mapping(mapping(each).get("prompts")).get(name)).get("mean"))
            if value is not None:
                row.parameters[name] = value
    tell(row.labels, endpoint=mapping(given.get("endpoint")).get("type"))
    return row


def _is_of_warmup(known: Mapping[str, Any]) -> bool:
    """Whether this is the summary of the warm-up alone, which only its number of requests tells."""
    phases = [mapping(each) for each in items(mapping(known.get("input_config")).get("phases"))]
    made = number(mapping(known.get("completed_request_count")).get("avg"))
    kinds = {
        phase.get("kind") == _WARMUP for phase in phases if made is not None and number(phase.get("requests")) == made
    }
    return kinds == {True} and known.get("is_complete") is True


def _reason(error: object) -> str:
    """How a request failed: "404 Not Found: ..."."""
    known = mapping(error)
    code, kind, message = number(known.get("code")), text(known.get("type")), text(known.get("message"))
    head = " ".join(part for part in (None if code is None else f"{code:.15g}", kind) if part)
    return ": ".join(part for part in (head, message) if part) or text(error) or "no reason is given"
