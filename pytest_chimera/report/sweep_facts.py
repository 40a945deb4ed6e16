"""Facts of sweeps: each number that `sweeps` finds, with its formula and the rounds that it comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_chimera.records import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_chimera.analysis.factors import Lead
    from pytest_chimera.report.sweeps import Analysed, Swept

EFFECT, LOW, HIGH = "worst against best", "worst against best, lower", "worst against best, upper"
LEAD, LEAD_LOW, LEAD_HIGH = "best against second", "best against second, lower", "best against second, upper"
LEVEL = "geometric mean"
P_LEAD, P_LARGEST, UNDECIDED = "p of the best", "largest p of the best", "undecided"

_FORMULAS = {
    EFFECT: "geometric mean at the worst level / at the best level - 1",
    LOW: "lower end of the 95 % interval of it, for all pairs of levels together",
    HIGH: "upper end of the 95 % interval of it, for all pairs of levels together",
    "eta2": "squares between the means of the levels / all squares, of logarithms",
    "p": "F test of this parameter beside all others, against the spread between {unit}",
    LEAD: "geometric mean of the best point / of the second - 1",
    LEAD_LOW: "lower end of the 95 % interval of it, for these two alone",
    LEAD_HIGH: "upper end of the 95 % interval of it, for these two alone",
    P_LEAD: "t test of the best point against the second",
    P_LARGEST: "largest p of the t tests of the best point against each other",
    UNDECIDED: "points that the best is not told from",
}


def sweep_facts(groups: Sequence[Swept]) -> tuple[Fact, ...]:
    """Every number that is said of sweeps: of each parameter and metric, of the best point; of arms how many."""
    return tuple(
        fact
        for swept in groups
        for fact in (
            *_count_facts(swept),
            *(() if swept.are_arms else (fact for each in swept.analysed for fact in _facts(swept, each))),
        )
    )


def setting_subject(swept: Swept, name: str, level: str | None = None) -> dict[str, str]:
    """Of whom the facts of a parameter, or of one level of it, speak."""
    return {**swept.subject, "setting": name, **({} if level is None else {"level": level})}


def _count_facts(swept: Swept) -> Iterator[Fact]:
    ids = tuple(point.result.case.id for point in swept.points)
    blocks = f"{swept.id} counted rounds block"
    counts = (
        ("points", "count", len(swept.points), "points that were measured", ids),
        ("blocks", "count", len(swept.blocks), "blocks with a counted round", (blocks,)),
        ("blocks", "min", swept.fewest_blocks, "blocks of the point that is in the fewest", (blocks,)),
    )
    for metric, statistic, value, formula, sources in counts:
        yield Fact(
            subject=swept.subject, metric=metric, statistic=statistic, value=value, dimension="count",
            n=len(swept.points), formula=formula, sources=sources,
        )  # fmt: skip


def _facts(swept: Swept, found: Analysed) -> Iterator[Fact]:
    sources = {point.label: point.source(found.metric) for point in swept.values(found.metric)}
    for effect in found.effects:
        subject = setting_subject(swept, effect.name)
        formulas = {**_FORMULAS, "p": _FORMULAS["p"].format(unit=effect.unit)}
        numbers = {
            EFFECT: _less_one(effect.ratio),
            LOW: _less_one(effect.ratio_low),
            HIGH: _less_one(effect.ratio_high),
            "eta2": effect.eta2,
            "p": effect.p,
        }
        for name, value in numbers.items():
            yield _fact(found, subject, name, value, sources=tuple(sources.values()), formula=formulas[name])
        for level, known in effect.levels.items():
            there = (each.label for each in swept.points if each.levels[effect.name] == level)
            fact = _fact(
                found,
                setting_subject(swept, effect.name, level),
                LEVEL,
                known.mean,
                sources=tuple(sources[label] for label in there if label in sources),
                formula=f"geometric mean of {found.metric.formula}, as if each level had met the same of all others",
            )
            yield replace(fact, n=known.n, dimension=found.metric.dimension)
    if found.lead is not None:
        yield from _lead_facts(swept, found, found.lead, sources)


def _lead_facts(swept: Swept, found: Analysed, lead: Lead, sources: Mapping[str, str]) -> Iterator[Fact]:
    everything = tuple(sources.values())
    best, second = (swept.point(levels) for levels in (lead.best, lead.second))
    both = sources[best.label], sources[second.label]
    n = len(best.read(found.metric)) + len(second.read(found.metric))
    numbers = {
        LEAD: lead.ratio - 1,
        LEAD_LOW: _less_one(lead.ratio_low),
        LEAD_HIGH: _less_one(lead.ratio_high),
        P_LEAD: lead.p,
    }
    for name, value in numbers.items():
        yield replace(_fact(found, swept.subject, name, value, sources=both, formula=_FORMULAS[name]), n=n)
    yield _fact(found, swept.subject, P_LARGEST, lead.worst_p, sources=everything, formula=_FORMULAS[P_LARGEST])
    undecided = _fact(
        found, swept.subject, UNDECIDED, len(lead.undecided), sources=everything, formula=_FORMULAS[UNDECIDED]
    )
    yield replace(undecided, dimension="count")
    for point, value in ((best, lead.best_value), (second, lead.second_value)):
        fact = _fact(
            found,
            point.subject,
            LEVEL,
            value,
            sources=(sources[point.label],),
            formula=f"geometric mean of {found.metric.formula}",
        )
        yield replace(fact, n=len(point.read(found.metric)), dimension=found.metric.dimension)


def _fact(
    found: Analysed,
    subject: Mapping[str, str],
    statistic: str,
    value: float | None,
    *,
    sources: tuple[str, ...],
    formula: str,
) -> Fact:
    """A share, over all rounds of the metric."""
    return Fact(
        subject=subject,
        metric=found.metric.name,
        statistic=statistic,
        value=value,
        dimension="ratio",
        n=len(found.observations),
        formula=formula,
        sources=sources,
    )


def _less_one(ratio: float | None) -> float | None:
    return None if ratio is None else ratio - 1
