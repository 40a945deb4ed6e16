"""What a reader makes of a file: rows of numbers that share a model, settings, labels, time and fate.

Rows are light, for there are many; `Measurement`s are made of them when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.records import Measurement, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_chimera.records import Provenance, Role, Zone
    from pytest_chimera.units import Dimension


class Term(NamedTuple):
    """What a column or key means, when it means a number that is kept."""

    metric: str
    """Canonical name."""
    statistic: str
    """"value", or what an aggregate is: "mean", "p95", "sd", ..."""
    scale: float
    """From the unit as written to the SI unit."""
    dimension: Dimension
    role: Role = "performance"


class Row:
    """Numbers that stand together."""

    __slots__ = (
        "cold", "copies", "copy_of", "doubles", "failure", "file", "foot", "joint", "labels", "model", "n", "number",
        "numbers", "parameters", "place", "provenance", "quantization", "series", "size", "time", "zone",
    )  # fmt: skip

    def __init__(self, place: str, *, number: int | None = None, series: str = "", joint: str = " ") -> None:
        self.file = ""
        """Path as shown; set by whoever reads the file."""
        self.place = place
        """"row 3", "/results/0", "line 12"."""
        self.joint = joint
        """Between `place` and the name of a number."""
        self.number = number
        self.series = series
        self.model: str | None = None
        self.quantization: str | None = None
        self.size: str | None = None
        self.parameters: dict[str, float | str] = {}
        self.labels: dict[str, str] = {}
        self.time: str | None = None
        self.zone: Zone = "unknown"
        self.failure: str | None = None
        self.cold: bool | None = None
        self.foot: str | None = None
        """The statistic that its own name says its numbers are: a line "Average" below others."""
        self.n: int | None = None
        self.provenance: Provenance | None = None
        """None leaves it to each number: measured where its statistic is "value", else aggregate."""
        self.numbers: list[tuple[Term, float | None, str]] = []
        """(meaning, value in SI or None, name of its column or key, or pointer below the row's)."""
        self.doubles: dict[str, list[str]] = {}
        """Name of a number -> other names in the same row under which the same value stands."""
        self.copy_of: Row | None = None
        self.copies: list[Row] = []

    def add(self, term: Term, value: float | None, name: str) -> None:
        """One number as written, in the unit of its term."""
        self.numbers.append((term, None if value is None else value * term.scale, name))

    def source(self, name: str) -> Source:
        """Where one of its numbers stands."""
        return Source(self.file, f"{self.place}{self.joint}{name}" if name else self.place)

    def measurements(self) -> Iterator[Measurement]:
        """Its numbers, each with everything that is known of it; of a failed row without values."""
        shared: dict[str, Any] = {
            "model": self.model,
            "quantization": self.quantization,
            "size": self.size,
            "parameters": self.parameters,
            "labels": self.labels,
            "time": self.time,
            "zone": self.zone,
            "row": self.number,
            "failure": self.failure,
            "cold": self.cold,
            "series": self.series,
        }
        file, start, joint = self.file, self.place, self.joint
        for (metric, plain, _, dimension, role), value, name in self.numbers:
            bare = plain == "value"
            statistic = self.foot if self.foot and bare else plain
            one = statistic == "value"
            yield Measurement(
                metric=metric,
                value=None if self.failure else value,
                dimension=dimension,
                role=role,
                statistic=statistic,
                n=None if one else self.n,
                provenance=self.provenance or ("measured" if one else "aggregate"),
                source=Source(file, f"{start}{joint}{name}" if name else start),
                copies=self._copies_of(metric, statistic, name) if self.copies or self.doubles else (),
                **shared,
            )

    def _copies_of(self, metric: str, statistic: str, name: str) -> tuple[Source, ...]:
        """All other places of one of its numbers."""
        return (
            *(self.source(double) for double in self.doubles.get(name, ())),
            *(copy.source(_named(copy, metric, statistic) or name) for copy in self.copies),
        )


class Remark(NamedTuple):
    """Something that was not understood; the file is added by whoever reads it."""

    place: str
    reason: str
    kind: str
    """A kind of `Leftover`."""
    values: int = 1
    """How many values it stands for."""


class Reading:
    """Everything that a reader made of one file."""

    __slots__ = ("environment", "format", "remarks", "rows", "schema", "time", "zone")

    def __init__(self, format: str) -> None:  # noqa: A002  # the word for it
        self.format = format
        self.rows: list[Row] = []
        self.remarks: list[Remark] = []
        self.schema: list[str] = []
        self.environment: dict[str, str] = {}
        self.time: str | None = None
        self.zone: Zone = "unknown"


def _named(row: Row, metric: str, statistic: str) -> str | None:
    """The name under which a row holds a number of this meaning."""
    for term, _, name in row.numbers:
        if term[0] == metric and term[1] == statistic:
            return name
    return None
