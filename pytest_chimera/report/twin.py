"""The JSON twin of a report: every number with its fact, every fact with its sources, and what the sources said.

`facts_from` reads it back. Its form is versioned: adding a field keeps the version, removing one does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import RecordError
from pytest_chimera.metrics import METRICS
from pytest_chimera.records import CaseResult, Fact, Round
from pytest_chimera.report.corpus_twin import corpus_twin, finding_twins, recommendation_twins
from pytest_chimera.report.document import plain
from pytest_chimera.report.sweep_twin import sweep_twins

if TYPE_CHECKING:
    from pytest_chimera.report.build import Report
    from pytest_chimera.report.document import Section

SCHEMA = "pytest-chimera-report"
SCHEMA_VERSION = 1


def twin_of(report: Report) -> dict[str, Any]:
    """The report as dicts, lists and primitives, ready for `json.dumps(..., allow_nan=False)`."""
    given = report.given
    view = given.corpus
    twin: dict[str, Any] = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "title": report.header.title,
        "date": given.created.isoformat(),
        "suite": given.suite,
        "agents": list(dict.fromkeys(each.case.persona for each in given.results if each.case.persona is not None)),
        "models": list(dict.fromkeys(each.case.model.name for each in given.results)),
        "configuration": dict(given.configuration),
        "hardware": _finite(given.hardware),
        "versions": dict(given.versions),
        "notes": list(given.notes),
        "sections": [_section(part) for part in (report.header, *report.parts)],
        "findings": [
            {"kind": each.kind, "notable": each.notable, "text": plain(each.line), "facts": [f.id for f in each.facts]}
            for each in report.findings
        ],
        "facts": [{"id": fact.id, **fact.as_dict()} for fact in report.facts],
        "sweeps": _finite(sweep_twins(report.sweeps, report.book)),
        "cases": [_case(result) for result in given.results],
        "personas": dict(given.personas),
    }
    if view is not None:
        twin["findings"] += finding_twins(view.analysis)
        twin["recommendations"] = recommendation_twins(view.analysis)
        twin["corpus"] = _finite(corpus_twin(view))
        twin["narrative"] = None if given.narrative is None else _finite(given.narrative.summary())
    return twin


def facts_from(twin: Mapping[str, Any]) -> tuple[Fact, ...]:
    """The facts of a twin that was read from JSON.

    Raises RecordError when it is none, is of a newer version, or has a fact whose id does not follow from its content.
    """
    if twin.get("schema") != SCHEMA or twin.get("schema_version") != SCHEMA_VERSION:
        raise RecordError(
            f"This is {twin.get('schema')!r}, version {twin.get('schema_version')!r}.",
            f"Accepted: {SCHEMA!r}, version {SCHEMA_VERSION}.",
            "Read it with the version of pytest-chimera that wrote it.",
        )
    facts = []
    for each in twin["facts"]:
        fact = Fact.from_dict({name: value for name, value in each.items() if name != "id"})
        if fact.id != each["id"]:
            raise RecordError(
                f"The fact {each['id']!r} does not have the id that follows from its content, {fact.id!r}.",
                "",
                "The file was edited; write the report anew.",
            )
        facts.append(fact)
    return tuple(facts)


def _section(section: Section) -> dict[str, Any]:
    return {"title": section.title, "text": section.text, "facts": [fact.id for fact in section.facts]}


def _case(result: CaseResult) -> dict[str, Any]:
    case = _finite(result.case.as_dict())
    for message in case["messages"]:
        message["images"] = len(message["images"])  # their bytes would be most of the file
    counted = {id(each) for each in result.counted}
    return {
        **case,
        "prompt_hash": result.case.prompt_hash,
        "host": result.host.as_dict(),
        "loaded": result.loaded.as_dict() if result.loaded else None,
        "complete": result.complete,
        "stopped": result.stopped,
        "verdicts": [_finite(each.as_dict()) for each in result.verdicts],
        "gate_broken": list(result.gate_broken),
        "rounds_made": [{**_round(each, result), "counted": id(each) in counted} for each in result.rounds],
    }


def _round(each: Round, result: CaseResult) -> dict[str, Any]:
    """One round with the value of every metric in SI units; a list where a round has many."""
    generation = each.generation
    values: dict[str, Any] = {}
    for metric in METRICS.values():
        read = metric.read(generation)
        values[metric.name] = list(read) if metric.pooled else (read[0] if read else None)
    return {
        "number": each.number,
        "warmup": each.warmup,
        "cold": each.cold,
        "block": each.block,
        "busy_answers": each.busy_answers,
        "failure": generation.failure.as_dict() if generation.failure else None,
        "done_reason": generation.done_reason,
        "prompt_fit": result.prompt_fit(generation),
        "unmet": None if generation.unmet is None else list(generation.unmet),
        "nonce": generation.nonce,
        "values": _finite(values),
    }


def _finite(value: object) -> Any:
    """`value` as JSON can hold it: None in place of a number that it does not have, text in place of other objects."""
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
