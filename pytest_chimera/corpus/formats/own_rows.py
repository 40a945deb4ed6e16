"""This project's own measurements: rows in saved files of pytest-benchmark's (docs/recording.md), and requests in them.

A case has a row per metric, and each of them names every round: here a round becomes one row again, with all of its
metrics. Warm-up rounds are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.corpus.formats.fields import (
    Notes,
    clean,
    date,
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
from pytest_chimera.corpus.rows import Row, Term
from pytest_chimera.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_ID = 1100
"""Characters of a case's id that tell its series from others; a longer one ends in a hash in what we save."""

_DIGEST_DIGITS = 12
_INVERSES = {"time/token": "tok/s"}
"""Metric -> the metric without a row of its own that is its inverse."""
_POOLED = {"mean": "mean", "median": "median", "min": "min", "max": "max", "sd": "sd"}
_POOLED |= {name: name for name in ("p5", "p90", "p95", "p99")}
_STATS = {"min": "min", "max": "max", "mean": "mean", "stddev": "sd", "median": "median", "q1": "p25", "q3": "p75"}
_TOKENS = ("prompt_tokens", "cached_tokens", "output_tokens")
_REQUEST = {
    "ttft_s": "ttft", "e2e_s": "e2e", "total_s": "total", "load_s": "load", "prompt_eval_s": "prompt_eval",
    "eval_s": "eval", "tok_s": "tok/s",
}  # fmt: skip
_WARMUP = "warm-up rounds"


class OwnRow(NamedTuple):
    """One row of ours in a file."""

    position: int
    """Among the rows of the file, from 0."""
    info: Mapping[str, Any]
    """`extra_info.chimera`."""
    stats: Mapping[str, Any]


def term_of(metric: str, statistic: str = "value") -> Term | None:
    """The meaning of a number of one of our metrics, in SI; None where it is none."""
    known = METRICS.get(metric)
    return None if known is None else Term(metric, statistic, 1.0, known.dimension)


def read_own_rows(notes: Notes, rows: Sequence[OwnRow]) -> None:
    """All rows of a file, case by case."""
    cases: dict[str, list[OwnRow]] = {}
    for row in rows:
        case, metric = row.info.get("case"), text(row.info.get("metric"))
        if not isinstance(case, str) or metric not in METRICS or row.info.get("unit", "s") != "s":
            notes.broken(f"/benchmarks/{row.position}", "", "a row of a case with a known metric in s")
        else:
            cases.setdefault(case, []).append(row)
    for case, each in cases.items():
        _Case(notes, case, each).read()


def read_request(notes: Notes, row: Row, request: Mapping[str, Any], models: Sequence[Any]) -> None:
    """One request of a plain benchmark; what is known of its model stands in `models`."""
    name = text(request.get("model"))
    info: Mapping[str, Any] = next((mapping(each) for each in models if mapping(each).get("model") == name), {})
    set_own_model(row, name, info)
    notes.reading.rows.append(row)
    failure = text(request.get("failed"))
    if failure is not None:
        fail(row, failure)
        return
    for key, metric in _REQUEST.items():
        put(row, Term(metric, "value", 1.0, METRICS[metric].dimension), request, key, notes)
    for key in _TOKENS:
        put(row, Term(key, "value", 1.0, "tokens"), request, key, notes)


def set_own_model(row: Row, name: str | None, info: Mapping[str, Any]) -> None:
    """The model of a row, with what the server said of it."""
    set_model(row, name)
    row.quantization = text(info.get("quantization")) or row.quantization
    row.size = text(info.get("parameter_size")) or row.size
    digest = text(info.get("digest"))
    if digest is not None:
        row.labels["digest"] = digest.removeprefix("sha256:")[:_DIGEST_DIGITS]


def describe_case(row: Row, case: Mapping[str, Any], model: Mapping[str, Any], name: object) -> None:
    """Model, labels and options that all rounds of a case share."""
    tell(row.labels, case=name, persona=case.get("persona"), prefix=case.get("prefix"), start=case.get("start"))
    tell(row.labels, endpoint=case.get("endpoint"), confirms=case.get("confirms"))
    digest = text(case.get("prompt_hash"))
    if digest is not None:
        row.labels["prompt"] = digest[:_DIGEST_DIGITS]
    set_own_model(row, text(model.get("model") or model.get("name")), model)
    for key, value in named_items(case.get("options")):
        read = setting(value)
        if read is not None:
            row.parameters[clean(key)] = read


class _Case:
    """One case: its rows in the file become its rounds."""

    def __init__(self, notes: Notes, name: str, rows: Sequence[OwnRow]) -> None:
        self._notes = notes
        self._rows = rows
        self._like = Row("/benchmarks", series=clean(f"/benchmarks {name}", LONGEST_ID), joint="/")
        self._rounds: dict[int, Row] = {}
        self._warmups: set[int] = set()
        first = rows[0].info
        describe_case(self._like, first, first, name)
        if "num_ctx" not in self._like.parameters and number(first.get("num_ctx_loaded")) is not None:
            self._like.parameters["num_ctx"] = number(first.get("num_ctx_loaded")) or 0.0
        date(self._like, first.get("started_unix_s"))
        tell(notes.reading.environment, ollama=first.get("ollama_version"), engine=first.get("engine"))

    def read(self) -> None:
        """Its rounds, then the statistics that stand beside them."""
        for row in self._rows:
            for nth, each in enumerate(items(row.info.get("rounds"))):
                place = f"{row.position}/extra_info/chimera/rounds/{nth}"
                if not isinstance(each, dict) or whole(each.get("round")) is None:
                    self._notes.broken(f"/benchmarks/{place}", "", "a round with its number")
                elif each.get("warmup"):
                    self._warmups.add(whole(each["round"]) or 0)
                else:
                    self._read_round(place, each, str(row.info["metric"]))
        if self._warmups:
            self._notes.leave("not performance", _WARMUP, place=self._like.series, count=len(self._warmups))
        self._notes.reading.rows += self._rounds.values()
        for row in self._rows:
            self._read_statistics(row)
        self._read_sizes()

    def _new(self, place: str) -> Row:
        row = Row(place, series=self._like.series, joint="/")
        like = self._like
        row.model, row.quantization, row.size = like.model, like.quantization, like.size
        row.parameters, row.labels, row.time, row.zone = like.parameters, like.labels, like.time, like.zone
        return row

    def _read_round(self, place: str, each: Mapping[str, Any], metric: str) -> None:
        """What one row says of one round."""
        count = whole(each["round"]) or 0
        row = self._rounds.get(count)
        if row is None:
            row = self._rounds[count] = self._new(self._like.place)
            row.number = count
            row.cold = each["cold"] if isinstance(each.get("cold"), bool) else None
            failure = text(each.get("failed"))
            if failure is not None:
                row.place = f"/benchmarks/{place}"
                fail(row, failure)
        if row.failure is not None:
            return
        if not row.numbers:
            for name in _TOKENS:
                put(row, Term(name, "value", 1.0, "tokens"), each, name, self._notes, name=f"{place}/{name}")
        if any(name.endswith("/value") and term.metric == metric for term, _, name in row.numbers):
            self._notes.broken(f"/benchmarks/{place}", metric, "the only row of its metric")
            return
        self._put(row, metric, each, "value", f"{place}/value")
        values = mapping(each.get("metrics"))
        for name, _ in named_items(values):
            self._put(row, name, values, name, f"{place}/metrics/{step(name)}")

    def _put(self, row: Row, metric: str, values: Mapping[str, Any], key: str, place: str) -> None:
        known = METRICS.get(metric)
        if known is None:
            self._notes.leave("unknown name", "no metric of this version", name=metric, place=row.place)
            return
        term = Term(metric, "median" if known.pooled else "value", 1.0, known.dimension)
        if put(row, term, values, key, self._notes, name=place):
            value = number(values.get(key)) or 0.0
            inverse = term_of(_INVERSES.get(metric, ""))
            if inverse is not None and value > 0:
                row.add(inverse, 1 / value, place)

    def _read_statistics(self, own: OwnRow) -> None:
        """The statistics of one row, and of e2e's those of the metrics with many values in a round."""
        term = term_of(str(own.info["metric"]))
        assert term is not None, "rows of other metrics are left out before"
        row = self._new(f"/benchmarks/{own.position}/stats")
        row.n, row.provenance = whole(own.stats.get("rounds")), "aggregate"
        put_summary(row, term, own.stats, _STATS, self._notes)
        self._notes.reading.rows.append(row)
        for metric, statistics in named_items(own.info.get("pooled")):
            pooled, known = term_of(metric), mapping(statistics)
            if pooled is None:
                self._notes.leave("unknown name", "no metric of this version", name=metric, place=row.place)
                continue
            row = self._new(f"/benchmarks/{own.position}/extra_info/chimera/pooled/{step(metric)}")
            row.n, row.provenance = whole(known.get("n")), "aggregate"
            put_summary(row, pooled, known, _POOLED, self._notes)
            self._notes.reading.rows.append(row)

    def _read_sizes(self) -> None:
        """How large the model is, and how much of it was on a GPU."""
        first = self._rows[0]
        row = self._new(f"/benchmarks/{first.position}/extra_info/chimera")
        put(row, Term("model_size", "value", 1.0, "bytes"), first.info, "model_file_bytes", self._notes)
        vram = Term("vram_used", "value", 1.0, "bytes", "resource")
        put(row, vram, first.info, "size_vram_bytes", self._notes)
        if row.numbers:
            self._notes.reading.rows.append(row)
