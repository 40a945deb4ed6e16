"""What an analysis says, as data: findings and tables whose numbers are facts, and what pictures are drawn from.

Whoever renders it decides how it looks; a string is a sentence of ours, a `Quoted` is text from a file, a `Fact` a
number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pytest_chimera.records import Fact


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text that comes from a file: a name, a label, an error."""

    text: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many values a fact rests on, printed in place of its value."""

    fact: Fact


Said: TypeAlias = str | Quoted | Fact | Count
"""A part of a statement."""

Statement: TypeAlias = tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found, in one or a few sentences."""

    kind: str
    """Of its part: "effects", "duplicates", ..."""
    statement: Statement
    notable: bool = True
    """Whether there is something to see; False of "No two files are the same." and the like."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts it rests on, each once."""
        return facts_in(self.statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to do next, why, and the command that does it."""

    statement: Statement
    findings: tuple[Finding, ...]
    """What it rests on; at least one."""
    command: str
    """A line for a shell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table; the columns named in `right` hold numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Statement, ...], ...]
    right: tuple[int, ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts in its cells, each once."""
        return facts_in(tuple(said for row in self.rows for cell in row for said in cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One named row of points of a chart, in SI units; y may be None where there is no value."""

    name: str
    points: tuple[tuple[str, float | None], ...]
    """(label on the x axis, value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What a picture is drawn from."""

    name: str
    """For the file: "throughput", "effects", "cold-warm", "trend"."""
    title: str
    unit: str
    kind: Literal["bars", "dots", "lines"]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the analysis."""

    name: str
    """"models", "effects", "trends", "duplicates", "summaries", "naming", "gaps", "environment"."""
    title: str
    findings: tuple[Finding, ...] = ()
    grids: tuple[Grid, ...] = ()
    charts: tuple[Chart, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    facts: tuple[Fact, ...] = ()
    """Facts that stand in no finding and no grid, but that others may cite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Everything that was found."""

    parts: tuple[Part, ...] = field(default=())

    def part(self, name: str) -> Part:
        """The part with this name; raises KeyError."""
        return {each.name: each for each in self.parts}[name]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in order."""
        return tuple(each for part in self.parts for each in part.findings)

    @property
    def recommendations(self) -> tuple[Recommendation, ...]:
        """All recommendations, in order."""
        return tuple(each for part in self.parts for each in part.recommendations)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """All charts, in order."""
        return tuple(each for part in self.parts for each in part.charts)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact, each once, in order."""
        found: dict[str, Fact] = {}
        for part in self.parts:
            each: tuple[Fact, ...] = (
                *(fact for finding in part.findings for fact in finding.facts),
                *(fact for grid in part.grids for fact in grid.facts),
                *part.facts,
            )
            found.update((fact.id, fact) for fact in each)
        return tuple(found.values())


def facts_in(statement: Statement) -> tuple[Fact, ...]:
    """The facts of a statement, each once, in order."""
    found: dict[str, Fact] = {}
    for said in statement:
        if isinstance(said, (Fact, Count)):
            fact = said.fact if isinstance(said, Count) else said
            found.setdefault(fact.id, fact)
    return tuple(found.values())
