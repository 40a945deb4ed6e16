"""Aggregates as their files state them, where no raw rows are there to compute them from."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from pytest_chimera.analysis.checks import checks
from pytest_chimera.analysis.evidence import conditions, place_of, rank, subject_of
from pytest_chimera.analysis.form import Count, Quoted
from pytest_chimera.analysis.places import places
from pytest_chimera.analysis.sentences import cell, model_cell, table, title
from pytest_chimera.records import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_chimera.analysis.evidence import Evidence, Place
    from pytest_chimera.analysis.form import Grid, Statement
    from pytest_chimera.records import Measurement

_COLUMNS = ("mean", "median", "sd", "min", "max", "p95")
_TITLES = ("Mean", "Median", "SD", "Min", "Max", "p95")


def written_grids(evidence: Evidence) -> Iterable[Grid]:
    """A table per metric of aggregates that cannot be checked against raw rows."""
    checked = {id(check.stated) for check in checks(evidence)}
    stated = Stated(evidence)
    rows: dict[str, dict[Place, list[Measurement]]] = defaultdict(lambda: defaultdict(list))
    for each in evidence.aggregates:
        if each.ok and each.role == "performance" and each.statistic in _COLUMNS and id(each) not in checked:
            rows[each.metric][place_of(each)].append(each)
    for metric in sorted(rows, key=rank):
        lines = [_line(found, stated) for found in rows[metric].values()]
        head = ("Model", "Source", "Of", "n", *_TITLES)
        yield table(f"{title(metric)} as files without raw rows state it", head, lines, range(3, len(head)))


def _line(found: list[Measurement], stated: Stated) -> tuple[Statement, ...]:
    facts: dict[str, Fact] = {}
    for each in found:
        facts.setdefault(each.statistic, stated.fact(each))
    first = found[0]
    return (
        model_cell(first.model),
        (Quoted(first.source.file), *((" ", Quoted(first.series)) if first.series else ())),
        (Quoted(conditions(first)),),
        ("unknown",) if first.n is None else (Count(facts[first.statistic]),),
        *(cell(facts, name, "-") for name in _COLUMNS),
    )


class Stated:
    """Aggregates as facts; two that look the same in one series are told apart by their places."""

    def __init__(self, evidence: Evidence) -> None:
        self.alike = Counter(_look(each) for each in evidence.aggregates)

    def fact(self, each: Measurement) -> Fact:
        """An aggregate as its file states it."""
        subject = subject_of(each.model, each.source.file, each.series)
        said = conditions(each)
        subject |= {"of": said} if said else {}
        subject |= {"place": each.source.place} if self.alike[_look(each)] > 1 else {}
        return Fact(
            subject={**subject, "as": "stated"},
            metric=each.metric,
            statistic=each.statistic,
            value=each.value,
            dimension=each.dimension,
            n=each.n or 0,
            formula="as its file states it" + ("; of how many values it does not say" if each.n is None else ""),
            sources=places([each]),
        )


def _look(each: Measurement) -> tuple[str | None, ...]:
    return (each.source.file, each.series, each.model, each.metric, each.statistic, conditions(each))
