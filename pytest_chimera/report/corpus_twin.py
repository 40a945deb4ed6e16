"""The corpus in the JSON twin of a report: its files, rows and leftovers, the analysis, the narrative.

Numbers that stand in one row stand in one object here, so that what they share is written once.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from pytest_chimera.report.document import plain
from pytest_chimera.report.statements import facts_behind, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.analysis.form import Analysis, Finding, Recommendation
    from pytest_chimera.records import Measurement
    from pytest_chimera.report.corpus_view import CorpusView

MOST_VALUES = 200_000
"""Measurements up to which the rows stand in the twin: beyond, it would be larger than the corpus itself."""
_OF_A_ROW = (
    *("series", "row", "model", "quantization", "size", "parameters", "labels", "time", "zone", "failure", "cold"),
)
_OF_A_VALUE = {"statistic": "value", "n": None, "provenance": "measured", "role": "performance"}
"""Fields of a value that are written where they are not these."""


def corpus_twin(view: CorpusView) -> dict[str, Any]:
    """Everything that was read, as dicts, lists and primitives."""
    everything = (*view.measurements, *view.others)
    kept = len(everything) <= MOST_VALUES
    return {
        "roots": list(view.roots),
        "times": dict(view.times),
        "artifacts": [{**each.as_dict(), "left": len(each.left)} for each in view.artifacts],
        "left": [each.as_dict() for each in view.left],
        "rows": _rows(everything) if kept else [],
        "rows_left_out": 0 if kept else len(everything),
        "analysis": _analysis(view.analysis),
    }


def finding_twins(analysis: Analysis) -> list[dict[str, Any]]:
    """Every finding, as those of a session are written, with its part."""
    return [
        {
            "kind": each.kind,
            "part": part.name,
            "notable": each.notable,
            "text": _text(each),
            "facts": [fact.id for fact in each.facts],
        }
        for part in analysis.parts
        for each in part.findings
    ]


def recommendation_twins(analysis: Analysis) -> list[dict[str, Any]]:
    """Every recommendation with the findings it rests on and its command."""
    return [
        {
            "text": plain(line_of(each.statement)),
            "command": each.command,
            "findings": [_text(finding) for finding in each.findings],
            "facts": [fact.id for fact in facts_behind(each)],
        }
        for each in analysis.recommendations
    ]


def _text(each: Finding | Recommendation) -> str:
    return plain(line_of(each.statement))


def _analysis(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {
            "name": part.name,
            "title": part.title,
            "tables": [
                {
                    "title": grid.title,
                    "head": list(grid.head),
                    "rows": [[plain(line_of(cell)) for cell in row] for row in grid.rows],
                }
                for grid in part.grids
            ],
        }
        for part in analysis.parts
    ]


def _rows(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    return [_row(list(members)) for _, members in groupby(measurements, _shared)]


def _shared(each: Measurement) -> tuple[object, ...]:
    return (each.source.file, *(getattr(each, name) for name in _OF_A_ROW))


def _row(members: Sequence[Measurement]) -> dict[str, Any]:
    first = members[0]
    shared = {name: getattr(first, name) for name in _OF_A_ROW}
    shown = {name: dict(each) if name in {"parameters", "labels"} else each for name, each in shared.items()}
    return {
        "file": first.source.file,
        **{name: each for name, each in shown.items() if each not in (None, "", {})},
        "values": list(map(_value, members)),
    }


def _value(each: Measurement) -> dict[str, Any]:
    said = {name: getattr(each, name) for name, usual in _OF_A_VALUE.items() if getattr(each, name) != usual}
    copies: Iterable[str] = map(str, each.copies)
    return {
        "metric": each.metric,
        "value": each.value,
        "dimension": each.dimension,
        "place": each.source.place,
        **said,
        **({"copies": list(copies)} if each.copies else {}),
    }
