"""Measurements, files and sweeps that nobody made, and statements as plain text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.analysis import Evidence, analyse
from pytest_chimera.analysis.factors import Observation
from pytest_chimera.analysis.form import Count, Quoted, facts_in
from pytest_chimera.records import Artifact, Fact, Measurement, Source
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from random import Random

    from pytest_chimera.analysis.form import Analysis, Part, Statement
    from pytest_chimera.units import Dimension

DIMENSIONS: dict[str, Dimension] = {
    "tok/s": "rate",
    "ttft": "time",
    "load": "time",
    "eval": "time",
    "latency": "time",
    "output_tokens": "tokens",
    "speedup": "ratio",
    "cpu": "ratio",
    "words": "count",
    "words/s": "per_second",
}


class Maker:
    """Makes rows of numbers and files, and says statements in words."""

    evidence = Evidence

    @staticmethod
    def row(
        number: int | None,
        values: Mapping[str, float | None],
        *,
        file: str = "runs.csv",
        series: str = "",
        parameters: Mapping[str, float | str] | None = None,
        labels: Mapping[str, str] | None = None,
        **known: Any,
    ) -> list[Measurement]:
        """The measurements of one row; of a failed one without values."""
        failed = known.get("failure") is not None
        return [
            Measurement(
                metric=metric,
                value=None if failed else value,
                dimension=DIMENSIONS[metric],
                role="resource" if metric == "cpu" else "performance",
                parameters=parameters or {},
                labels=labels or {},
                row=number,
                series=series,
                source=Source(file, f"row {number} {metric}" if number is not None else f"/{metric}"),
                **{"model": "toy:a", **known},
            )
            for metric, value in values.items()
        ]

    @staticmethod
    def aggregate(
        metric: str, statistic: str, value: float | None, *, file: str = "runs_summary.csv", row: int = 1, **known: Any
    ) -> Measurement:
        """A number that somebody computed."""
        return Measurement(
            metric=metric,
            value=value,
            dimension=DIMENSIONS[metric],
            statistic=statistic,
            provenance="aggregate",
            row=row,
            source=Source(file, f"row {row} {statistic}_{metric}"),
            **{"model": "toy:a", "parameters": {}, "labels": {}, **known},
        )

    @staticmethod
    def file(path: str, **known: Any) -> Artifact:
        """A file."""
        fields = {"kind": "csv", "format": "table", "size_bytes": 100, "measurements": 1, "environment": {}, **known}
        return Artifact(path=path, location=f"/data/{path}", **fields)

    @staticmethod
    def analysis(*rows: Iterable[Measurement], artifacts: Iterable[Artifact] = ()) -> Analysis:
        """The analysis of these rows and files."""
        return analyse(Evidence(measurements=tuple(each for row in rows for each in row), artifacts=tuple(artifacts)))

    def part(self, name: str, *rows: Iterable[Measurement], artifacts: Iterable[Artifact] = ()) -> Part:
        """One part of the analysis."""
        return self.analysis(*rows, artifacts=artifacts).part(name)

    @staticmethod
    def said(statement: Statement) -> str:
        """A statement as text, with text from files in quotes."""
        return "".join(map(_said, statement))

    def findings(self, part: Part) -> list[str]:
        """All findings as text."""
        return [self.said(each.statement) for each in part.findings]

    def rows(self, part: Part, title: str) -> list[list[str]]:
        """The cells of a grid as text."""
        grid = next(each for each in part.grids if each.title == title)
        return [[self.said(cell) for cell in row] for row in grid.rows]

    @staticmethod
    def facts(part: Part) -> Iterator[Fact]:
        """Every fact of a part, repeated ones again."""
        for finding in part.findings:
            yield from facts_in(finding.statement)
        for grid in part.grids:
            yield from (fact for row in grid.rows for cell in row for fact in facts_in(cell))
        for each in part.recommendations:
            yield from facts_in(each.statement)
        yield from part.facts

    def value(self, part: Part, metric: str, statistic: str, **subject: str) -> float | None:
        """The value of the fact with exactly this subject; raises KeyError where there is none."""
        return self.fact(part, metric, statistic, **subject).value

    def fact(self, part: Part, metric: str, statistic: str, **subject: str) -> Fact:
        """The fact with exactly this subject; raises KeyError where there is none."""
        for fact in self.facts(part):
            if (fact.metric, fact.statistic, dict(fact.subject)) == (metric, statistic, subject):
                return fact
        raise KeyError((metric, statistic, subject))


def _said(piece: str | Quoted | Fact | Count) -> str:
    if isinstance(piece, Quoted):
        return f"'{piece.text}'"
    if isinstance(piece, Count):
        return str(piece.fact.n)
    return piece if isinstance(piece, str) else format_value(piece.value, piece.dimension)


@pytest.fixture(scope="session")
def make() -> Maker:
    """Makes measurements and files."""
    return Maker()


LOADS = ("num_ctx", "num_gpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepMaker:
    """A sweep as it is scheduled: passes of shuffled blocks, in each its rounds, in each round its points at random."""

    levels: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {"num_ctx": ("512", "2048"), "temperature": ("0.2", "0.8")}
    )
    passes: int = 3
    rounds: int = 3
    between: float = 0.02
    """Standard deviation of ln between loads."""
    within: float = 0.01
    drift: float = 0.0
    """Change of ln from one request to the next."""
    effects: Mapping[str, float] = field(default_factory=dict)
    """"num_ctx=512" -> change of ln."""

    def make(self, chance: Random) -> list[Observation]:
        """The observations of one sweep."""
        loads = {name: levels for name, levels in self.levels.items() if name in LOADS}
        others = {name: levels for name, levels in self.levels.items() if name not in LOADS}
        made: list[Observation] = []
        block = 0
        keys = _shuffled(chance, _grid(loads))
        for _ in range(self.passes):
            # As `suites.schedule` does it: of two keys every pass mirrors the one before
            keys = keys[::-1] if len(keys) == 2 else _shuffled(chance, keys)
            for key in keys:
                block += 1
                load = chance.gauss(0, self.between)
                for _ in range(self.rounds):
                    for point in _shuffled(chance, _grid(others)):
                        levels = {name: {**key, **point}[name] for name in self.levels}
                        effect = sum(self.effects.get(f"{name}={level}", 0.0) for name, level in levels.items())
                        noise = load + chance.gauss(0, self.within) + self.drift * len(made)
                        made.append(
                            Observation(
                                levels=levels, block=block, order=float(len(made)), value=math.exp(effect + noise)
                            )
                        )
        return made

    @staticmethod
    def observed(*rows: tuple[int | None, float, Mapping[str, Any]]) -> list[Observation]:
        """Observations in the order in which they are written: block, ln of the value, levels."""
        return [
            Observation(
                levels={name: str(level) for name, level in levels.items()},
                block=block,
                order=order,
                value=math.exp(log),
            )
            for order, (block, log, levels) in enumerate(rows)
        ]


def _grid(levels: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    return [dict(zip(levels, each, strict=True)) for each in product(*levels.values())]


def _shuffled(chance: Random, points: list[dict[str, str]]) -> list[dict[str, str]]:
    return chance.sample(points, len(points))


@pytest.fixture(scope="session")
def maker() -> type[SweepMaker]:
    """Makes sweeps."""
    return SweepMaker
