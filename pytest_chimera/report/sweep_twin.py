"""Sweeps in the JSON twin of a report: parameters, effects, best point and points, each number with its fact.

The form is described in `docs/recording.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.report.document import plain
from pytest_chimera.report.sweep_facts import (
    EFFECT,
    HIGH,
    LEAD,
    LEAD_HIGH,
    LEAD_LOW,
    LEVEL,
    LOW,
    P_LARGEST,
    P_LEAD,
    setting_subject,
)
from pytest_chimera.report.sweep_sections import lead_line
from pytest_chimera.report.sweeps import METRICS_OF_SWEEPS
from pytest_chimera.stats import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.analysis.factors import FactorEffect, Lead
    from pytest_chimera.report.facts import FactBook
    from pytest_chimera.report.sweeps import Analysed, Point, Swept

_EFFECT = {"change": EFFECT, "low": LOW, "high": HIGH, "eta2": "eta2", "p": "p"}
_LEAD = {"change": LEAD, "low": LEAD_LOW, "high": LEAD_HIGH, "p": P_LEAD, "largest_p": P_LARGEST}
_COUNTS = {"n": "counted_rounds", "failed": "failed_rounds", "unmet": "unmet_rounds"}


def sweep_twins(sweeps: Sequence[Swept], book: FactBook) -> list[dict[str, Any]]:
    """Every sweep as dicts, lists and primitives."""
    return [
        {
            "sweep": swept.id,
            "name": swept.name,
            "model": swept.model,
            "parameters": {name: list(swept.levels(name)) for name in swept.names},
            "blocks": _number(book, swept.subject, "blocks", "count"),
            "blocks_per_point": _number(book, swept.subject, "blocks", "min"),
            "points": [_point(point, book) for point in swept.points],
            "metrics": {found.metric.name: _metric(swept, found, book) for found in swept.analysed},
        }
        for swept in sweeps
    ]


def _number(book: FactBook, subject: Mapping[str, str], metric: str, statistic: str) -> dict[str, Any]:
    fact = book.get(subject, metric, statistic)
    return {"value": fact.value, "fact": fact.id}


def _point(point: Point, book: FactBook) -> dict[str, Any]:
    return {
        "case": point.result.case.id,
        "model": point.result.case.model.name,
        "label": point.label,
        "levels": dict(point.levels),
        **{name: _number(book, point.subject, name, "median") for name in METRICS_OF_SWEEPS},
        **{name: _number(book, point.subject, count, "count") for name, count in _COUNTS.items()},
    }


def _metric(swept: Swept, found: Analysed, book: FactBook) -> dict[str, Any]:
    return {
        "unit": UNITS[found.metric.dimension],
        "better": found.metric.better,
        "rounds": len(found.observations),
        "effects": [_effect(swept, found, effect, book) for effect in found.effects],
        "best": None if found.lead is None else _lead(swept, found, found.lead, book),
    }


def _effect(swept: Swept, found: Analysed, effect: FactorEffect, book: FactBook) -> dict[str, Any]:
    metric, subject = found.metric.name, setting_subject(swept, effect.name)
    return {
        "parameter": effect.name,
        "levels": [
            {"level": level, "n": known.n, **_number(book, setting_subject(swept, effect.name, level), metric, LEVEL)}
            for level, known in effect.levels.items()
        ],
        "best": effect.best,
        "worst": effect.worst,
        **{name: _number(book, subject, metric, statistic) for name, statistic in _EFFECT.items()},
        "df": effect.df,
        "error_df": effect.error_df,
        "held_against": effect.unit,
        "interacts": effect.interacts,
        "why_unknown": effect.why,
    }


def _lead(swept: Swept, found: Analysed, lead: Lead, book: FactBook) -> dict[str, Any]:
    best, second = swept.point(lead.best), swept.point(lead.second)
    metric = found.metric.name
    return {
        "case": best.result.case.id,
        **_number(book, best.subject, metric, LEVEL),
        "second": {"case": second.result.case.id, **_number(book, second.subject, metric, LEVEL)},
        **{name: _number(book, swept.subject, metric, statistic) for name, statistic in _LEAD.items()},
        "distinguishable": lead.distinguishable,
        "undecided": [swept.point(levels).result.case.id for levels in lead.undecided],
        "text": plain(lead_line(swept, found, lead, book)),
    }
