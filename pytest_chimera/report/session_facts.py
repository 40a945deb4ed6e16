"""Facts of the whole session: how much was measured, how long it took, on what machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_chimera.records import CaseResult, Fact
from pytest_chimera.stats import rounds_needed
from pytest_chimera.units import ns_to_s

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.units import Dimension

SESSION: Mapping[str, str] = {}
"""The subject of facts that speak of the session as a whole."""
MACHINE = "machine"
"""The metric of numbers among the properties of the machine, whose names come from elsewhere: they are subjects."""


def session_facts(
    results: Sequence[CaseResult], phases: Mapping[str, float], hardware: Mapping[str, object]
) -> tuple[Fact, ...]:
    """Counts over all cases, the wall time of each phase (s), and the numbers among the hardware's properties."""
    return (*_totals(results), *_phases(results, phases), *_hardware(hardware), _p95_rule())


def machine_subject(name: str) -> dict[str, str]:
    """Whom a number among the hardware's properties speaks of."""
    return {"machine": name}


def phase_subject(name: str) -> dict[str, str]:
    """Whom the wall time of a phase speaks of."""
    return {"phase": name}


def _totals(results: Sequence[CaseResult]) -> list[Fact]:
    failed = [sum(not each.warmup for each in result.failed) for result in results]
    counts = {
        "cases": (len(results), "count of cases"),
        "models": (len({result.case.model.name for result in results}), "count of different model names"),
        "hosts": (len({result.host.url for result in results}), "count of different host addresses"),
        "counted_rounds": (sum(len(result.counted) for result in results), "sum of counted rounds"),
        "failed_rounds": (sum(failed), "sum of failed rounds without the warm-up"),
        "incomplete_cases": (sum(not result.complete for result in results), "count of cases without all their rounds"),
    }
    facts = [
        _fact(SESSION, name, value, formula=formula, source="all cases", dimension="count")
        for name, (value, formula) in counts.items()
    ]
    return [replace(fact, n=len(results)) for fact in facts]


def _phases(results: Sequence[CaseResult], phases: Mapping[str, float]) -> list[Fact]:
    """The phases given (s), then those that the cases themselves know."""
    facts = [_phase(name, value, f"wall time of {name}", "session clock") for name, value in phases.items()]
    for name, field in CASE_PHASES.items():
        total = ns_to_s(sum(getattr(result, field) for result in results))
        facts.append(_phase(name, total, f"sum of {field}", f"all cases {field}"))
    return facts


def _phase(name: str, value: float, formula: str, source: str) -> Fact:
    fact = _fact(phase_subject(name), "wall_time", value, formula=formula, source=source, dimension="time")
    return replace(fact, statistic="sum")


CASE_PHASES = {"set-up of cases": "setup_ns", "warm-up": "warmup_ns", "measuring": "measuring_ns"}
"""Phases that every case times itself: name -> field of CaseResult."""


def _hardware(hardware: Mapping[str, object]) -> list[Fact]:
    return [
        _fact(
            machine_subject(name),
            MACHINE,
            value,
            formula=name,
            source="hardware",
            dimension="bytes" if name.endswith("_bytes") else "count",
        )
        for name, value in hardware.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]


def _p95_rule() -> Fact:
    return _fact(
        SESSION, "rounds_for_p95", rounds_needed(0.95), formula="1 / (1 - 0.95)", source="rule", dimension="count"
    )


def _fact(
    subject: Mapping[str, str], metric: str, value: float | None, *, formula: str, source: str, dimension: Dimension
) -> Fact:
    return Fact(
        subject=dict(subject),
        metric=metric,
        statistic="count" if dimension == "count" else "value",
        value=value,
        dimension=dimension,
        n=0 if value is None else 1,
        formula=formula,
        sources=(source,),
    )
