"""The JSON twin of this project's reports: the rounds of its cases are measurements, its facts follow from them.

Warm-up rounds are left out and counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    step,
    tell,
    text,
    whole,
)
from pytest_chimera.corpus.formats.own_rows import LONGEST_ID, describe_case
from pytest_chimera.corpus.rows import Reading, Row, Term
from pytest_chimera.metrics import METRICS, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "pytest-chimera-report"
SCHEMA_VERSION = 1

_PACKAGES = {"ollama": "ollama client"}


def read_json(document: Any) -> Reading:
    """The cases of a twin."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    known = mapping(document)
    date(reading, known.get("date"))
    for part in ("hardware", "versions"):
        told = {clean(name.lower()): each for name, each in list(named_items(known.get(part)))[:40]}
        # The name of the package that talks to a server is also the name of the server.
        tell(reading.environment, **{_PACKAGES.get(name, name): each for name, each in told.items()})
    version = known.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int) or version > SCHEMA_VERSION:
        notes.leave("refused", "a report of a newer version of this program")
        return notes.close()
    for index, case in enumerate(items(known.get("cases"))):
        if text(mapping(case).get("id")) is None:
            notes.broken(f"/cases/{index}", "", "a case with its id")
            continue
        _read_case(notes, index, mapping(case))
    count = len(items(known.get("facts")))
    if count:
        notes.leave(
            "not performance", "they follow from the rounds of the cases", name="facts", place="/facts", count=count
        )
    return notes.close()


def _read_case(notes: Notes, index: int, case: Mapping[str, Any]) -> None:
    place, reading = f"/cases/{index}", notes.reading
    warmups = 0
    tell(reading.environment, ollama=_ollama(mapping(case.get("host"))))
    for nth, each in enumerate(items(case.get("rounds_made"))):
        known = mapping(each)
        if not isinstance(known.get("values"), dict):
            notes.broken(f"{place}/rounds_made/{nth}", "", "a round with its values")
            continue
        if known.get("warmup"):
            warmups += 1
            continue
        series = clean(f"/cases {case['id']}", LONGEST_ID)
        row = Row(f"{place}/rounds_made/{nth}", number=whole(known.get("number")), series=series, joint="/")
        describe_case(row, case, mapping(case.get("model")), case.get("id"))
        row.time, row.zone = reading.time, reading.zone
        row.cold = known["cold"] if isinstance(known.get("cold"), bool) else None
        failure = _failure(known.get("failure"))
        if failure is None:
            _read_values(notes, row, mapping(known["values"]))
        else:
            fail(row, failure)
        reading.rows.append(row)
    if warmups:
        notes.leave("not performance", "warm-up rounds", place=place, count=warmups)


def _read_values(notes: Notes, row: Row, values: Mapping[str, Any]) -> None:
    """Every metric of a round that went well."""
    for name, value in named_items(values):
        metric = METRICS.get(name)
        if metric is None:
            notes.leave("unknown name", "no metric of this version", name=name, place=row.place)
            continue
        term = Term(name, "value", 1.0, metric.dimension)
        if metric.pooled:
            _read_many(notes, row, metric, value)
        else:
            put(row, term, values, name, notes, name=f"values/{step(name)}")


def _read_many(notes: Notes, row: Row, metric: Metric, values: object) -> None:
    """The values of a metric with many in a round."""
    for nth, value in enumerate(items(values)):
        found = number(value)
        if found is None:
            notes.broken(f"{row.place}/values/{step(metric.name)}/{nth}", metric.name)
        else:
            row.add(Term(metric.name, "value", 1.0, metric.dimension), found, f"values/{step(metric.name)}/{nth}")


def _failure(value: object) -> str | None:
    """How a round failed, in a few words; None of one that did not."""
    if value is None:
        return None
    known = mapping(value)
    kind, message = text(known.get("kind")) or "failed", text(known.get("message"))
    status = number(known.get("status"))
    head = kind if status is None else f"{kind} {status:.15g}"
    return head if message is None else f"{head}: {message}"


def _ollama(host: Mapping[str, Any]) -> object:
    return host.get("version") if host.get("engine") == "ollama" else None
