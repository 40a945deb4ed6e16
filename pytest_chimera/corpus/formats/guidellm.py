"""GuideLLM (as of 0.8.1): JSON and YAML with every request and with distributions, CSV with the distributions.

Only requests that came to their end are measurements; those that failed or were cut off at the end of the run are
failed rows. Where there was no request, the file says 0. Its rates are weighted by time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.corpus.formats.fields import (
    Notes,
    cell,
    clean,
    date,
    date_by_rows,
    fail,
    items,
    mapping,
    named_items,
    number,
    put,
    put_summary,
    set_model,
    setting,
    step,
    tell,
    text,
    whole,
)
from pytest_chimera.corpus.rows import Reading, Row, Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "guidellm"


class _Kind(NamedTuple):
    """What one of its distributions is of."""

    term: Term
    section: str
    """Of its CSV: the first two lines of the head of its columns."""
    group: str
    weighted: str | None = None
    """None is by requests; by tokens or by time its n is none of requests."""


_METRICS = {
    "request_latency": _Kind(Term("e2e", "value", 1.0, "time"), "Request Latency", "Sec"),
    "time_to_first_token_ms": _Kind(Term("ttft", "value", 1e-3, "time"), "Time to First Token", "ms"),
    "time_to_first_output_token_ms": _Kind(Term("answer", "value", 1e-3, "time"), "Time to First Output Token", "ms"),
    "time_per_output_token_ms": _Kind(
        Term("e2e/token", "value", 1e-3, "time"), "Time per Output Token", "ms", "output tokens"
    ),
    "inter_token_latency_ms": _Kind(Term("itl", "value", 1e-3, "time"), "Inter Token Latency", "ms", "output tokens"),
    "prompt_token_count": _Kind(Term("prompt_tokens", "value", 1.0, "tokens"), "Token Metrics", "Input Tokens"),
    "output_token_count": _Kind(Term("output_tokens", "value", 1.0, "tokens"), "Token Metrics", "Output Tokens"),
    "total_token_count": _Kind(Term("total_tokens", "value", 1.0, "tokens"), "Token Metrics", "Total Tokens"),
    "requests_per_second": _Kind(
        Term("request_rate", "value", 1.0, "per_second"), "Server Throughput", "Requests/Sec", "time"
    ),
    "prompt_tokens_per_second": _Kind(
        Term("prompt_throughput", "value", 1.0, "rate"), "Token Throughput", "Input Tokens/Sec", "time"
    ),
    "output_tokens_per_second": _Kind(
        Term("output_throughput", "value", 1.0, "rate"), "Token Throughput", "Output Tokens/Sec", "time"
    ),
    "tokens_per_second": _Kind(
        Term("total_throughput", "value", 1.0, "rate"), "Token Throughput", "Total Tokens/Sec", "time"
    ),
}
_REQUEST = {
    "request_latency": Term("e2e", "value", 1.0, "time"),
    "time_to_first_token_ms": Term("ttft", "value", 1e-3, "time"),
    "time_to_first_output_token_ms": Term("answer", "value", 1e-3, "time"),
    "time_per_output_token_ms": Term("e2e/token", "value", 1e-3, "time"),
    "inter_token_latency_ms": Term("itl", "value", 1e-3, "time"),
    "output_tokens_per_second": Term("tok/s_e2e", "value", 1.0, "rate"),
    "tokens_per_second": Term("total_tok/s_e2e", "value", 1.0, "rate"),
    "prompt_tokens": Term("prompt_tokens", "value", 1.0, "tokens"),
    "cached_tokens": Term("cached_tokens", "value", 1.0, "tokens"),
    "output_tokens": Term("output_tokens", "value", 1.0, "tokens"),
    "total_tokens": Term("total_tokens", "value", 1.0, "tokens"),
}
_STATISTICS = {"mean": "mean", "median": "median", "std_dev": "sd", "min": "min", "max": "max"}
_PERCENTILES = {
    "p001": "p0.1", "p01": "p1", "p05": "p5", "p10": "p10", "p25": "p25", "p75": "p75", "p90": "p90", "p95": "p95",
    "p99": "p99", "p999": "p99.9",
}  # fmt: skip
"""Without p50, which is the median."""
_LISTED = ("min", "p0.1", "p1", "p5", "p10", "p25", "p75", "p90", "p95", "p99", "max")
"""What the list in one cell of its CSV holds: neither the median nor the last percentile of the JSON."""
_CSV_STATISTICS = {"Mean": "mean", "Median": "median", "Std Dev": "sd"}
_CSV_METRICS = {(kind.section, f"Successful {kind.group}"): kind for kind in _METRICS.values()}
_LONGEST_CELL = 4096
_FATES = {"successful": None, "errored": "failed", "incomplete": "cut off at the end of the run"}
_CHARACTERS = "text_characters"
_NOT_KEPT = "not performance", "load, delays of the tool's own, and contents of texts"


def read_json(document: Any) -> Reading:
    """The document of a JSON or YAML file."""
    known = mapping(document)
    reading = Reading(FORMAT)
    notes = Notes(reading)
    metadata = mapping(known.get("metadata"))
    tell(reading.environment, guidellm=metadata.get("guidellm_version"), python=metadata.get("python_version"))
    tell(reading.environment, os=metadata.get("platform"))
    for index, each in enumerate(items(known.get("benchmarks"))):
        benchmark = mapping(each)
        if not isinstance(benchmark.get("metrics"), dict):
            notes.broken(f"/benchmarks/{index}", "", "a benchmark with its metrics")
            continue
        like = _described(benchmark)
        _read_metrics(notes, f"/benchmarks/{index}/metrics", mapping(benchmark["metrics"]), like)
        for group, fate in _FATES.items():
            requests = items(mapping(benchmark.get("requests")).get(group))
            for nth, request in enumerate(requests):
                place = f"/benchmarks/{index}/requests/{group}/{nth}"
                _read_request(notes, _like(like, place, "/benchmarks/requests", nth + 1), mapping(request), fate)
    date_by_rows(reading)
    return notes.close()


def read_csv(rows: Sequence[Sequence[str]]) -> Reading:
    """One row per benchmark under three lines of head."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    if len(rows) < len(("section", "group", "statistic")):
        notes.broken("", "", "three lines of head")
        return notes.close()
    head = list(zip(*rows[:3], strict=False))
    reading.schema = [" ".join(part for part in each if part) for each in head]
    for index, cells in enumerate(rows[3:], 1):
        if any(cells) and len(cells) != len(head):
            notes.broken(f"row {index}", "", f"a row of {len(head)} cells")
        elif any(cells):
            _read_row(notes, index, [(each, value) for each, value in zip(head, cells, strict=True) if value])
    date_by_rows(reading)
    return notes.close()


def _read_metrics(notes: Notes, place: str, metrics: Mapping[str, Any], like: Row) -> None:
    """The distributions over the requests that came to their end."""
    for key, each in named_items(metrics):
        kind = _METRICS.get(key)
        if kind is None:
            if each is not None and key != "request_totals":
                notes.leave(*_NOT_KEPT, name=key, place=f"{place}/{key}")
            continue
        values = mapping(mapping(each).get("successful"))
        count = whole(values.get("count"))
        if not count:
            if each is not None:
                notes.leave(
                    "no data", "no request came to its end, and 0 stands there", name=key, place=f"{place}/{key}"
                )
            continue
        row = _like(like, f"{place}/{step(key)}/successful", f"/benchmarks/metrics/{step(key)}")
        row.n = None if kind.weighted == "time" else count
        _weigh(row, kind)
        put_summary(row, kind.term, values, _STATISTICS, notes)
        percentiles = mapping(values.get("percentiles"))
        for name, statistic in _PERCENTILES.items():
            put(row, kind.term._replace(statistic=statistic), percentiles, name, notes, name=f"percentiles/{name}")
        if kind.weighted is None:
            put(row, kind.term._replace(statistic="sum"), values, "total_sum", notes)
        notes.reading.rows.append(row)


def _read_request(notes: Notes, row: Row, request: Mapping[str, Any], fate: str | None) -> None:
    """One request, or how it failed."""
    if not request:
        notes.broken(row.place, "", "a request")
        return
    date(row, request.get("request_start_time"))
    notes.reading.rows.append(row)
    if fate is not None:
        told = text(mapping(request.get("info")).get("error"))
        fail(row, fate if told is None else f"{fate}: {told}")
        return
    for key, term in _REQUEST.items():
        put(row, term, request, key, notes)
    characters = Term("answer_chars", "value", 1.0, "count")
    put(
        row,
        characters,
        mapping(request.get("output_metrics")),
        _CHARACTERS,
        notes,
        name=f"output_metrics/{_CHARACTERS}",
    )


def _read_row(notes: Notes, index: int, cells: Sequence[tuple[tuple[str, ...], str]]) -> None:
    """One benchmark of a CSV file."""
    told = {(section, group): value for (section, group, statistic), value in cells if not statistic}
    like = Row("")
    backend = _parsed(told.get(("Run Info", "Backend"), ""))
    set_model(like, mapping(backend).get("model"))
    strategy, _, streams = told.get(("Benchmark", "Strategy"), "").partition("@")
    tell(like.labels, strategy=strategy)
    if cell(streams) is not None:
        like.parameters["concurrency"] = cell(streams) or 0.0
    date(like, told.get(("Timings", "Start Time")))
    counts = {name: whole(cell(told.get(("Request Counts", name)))) for name in ("Successful", "Incomplete", "Errored")}
    for name in ("Incomplete", "Errored"):
        if counts[name]:
            why = f"{name} requests stand in no metric."
            notes.say("no data", why, place=f"row {index} Request Counts {name}", count=counts[name] or 0)
    rows: dict[_Kind, Row] = {}
    for (section, group, statistic), value in cells:
        kind = _CSV_METRICS.get((section, group))
        if kind is not None and counts["Successful"]:
            row = rows.setdefault(kind, _like(like, f"row {index}", f"{section} {group}"))
            row.joint, row.number = f" {section} {group} ", index
            row.n = counts["Successful"] if kind.weighted is None else None
            _weigh(row, kind)
            _read_cell(notes, row, kind, statistic, value)
        elif kind is None and statistic in _CSV_STATISTICS:
            notes.leave(*_NOT_KEPT, name=f"{section} {group}", place=f"row {index}")
    notes.reading.rows += rows.values()


def _read_cell(notes: Notes, row: Row, kind: _Kind, statistic: str, value: str) -> None:
    """One statistic, or the list of all percentiles."""
    if statistic == "Percentiles":
        listed = items(_parsed(value))
        if len(listed) != len(_LISTED):
            notes.broken(row.place, f"{kind.section} Percentiles", "a list of percentiles")
            return
        for name, each in zip(_LISTED, listed, strict=True):
            read = number(each)
            if read is not None:
                row.add(kind.term._replace(statistic=name), read, f"Percentiles {name}")
        return
    known, found = _CSV_STATISTICS.get(statistic), cell(value)
    if known is None:
        return
    if found is None:
        notes.broken(row.place, f"{kind.section} {statistic}")
    elif known != "sd" or row.n != 1:
        row.add(kind.term._replace(statistic=known), found, statistic)


def _weigh(row: Row, kind: _Kind) -> None:
    row.provenance = "aggregate"
    if kind.weighted is not None:
        row.labels = {**row.labels, "weighted": kind.weighted}


def _described(benchmark: Mapping[str, Any]) -> Row:
    """A row with what all numbers of one benchmark share."""
    row = Row("")
    config = mapping(benchmark.get("config"))
    backend, strategy = mapping(config.get("backend")), mapping(config.get("strategy"))
    set_model(row, backend.get("model"))
    tell(row.labels, strategy=strategy.get("type_"))
    body = mapping(mapping(backend.get("extras")).get("body"))
    wanted = (
        ("concurrency", strategy.get("max_concurrency")),
        ("request_rate", strategy.get("rate")),
        ("num_predict", body.get("max_tokens")),
        ("temperature", body.get("temperature")),
    )
    for name, value in wanted:
        read = setting(value)
        if read is not None:
            row.parameters[name] = read
    date(row, benchmark.get("start_time"))
    return row


def _like(like: Row, place: str, series: str, count: int | None = None) -> Row:
    row = Row(clean(place), number=count, series=series, joint="/")
    row.model, row.quantization, row.size = like.model, like.quantization, like.size
    row.parameters, row.labels, row.time, row.zone = like.parameters, like.labels, like.time, like.zone
    return row


def _parsed(value: str) -> Any:
    """The JSON that a cell holds; None of anything else."""
    if len(value) > _LONGEST_CELL:
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
