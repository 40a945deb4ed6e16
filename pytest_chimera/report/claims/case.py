"""One number under inquiry: what was understood of it, and the ways to read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_chimera.report.claims.meaning import Sense
    from pytest_chimera.report.claims.numbers import Number
    from pytest_chimera.report.claims.scope import Scope
    from pytest_chimera.report.claims.sources import Chosen
    from pytest_chimera.report.claims.values import Value


class Reading(NamedTuple):
    """One way to read a number: values of which each (a group: all of it) must agree with it."""

    statistic: str
    condition: str | None
    groups: tuple[tuple[Value, ...], ...]

    @property
    def text(self) -> str:
        """For people: "mean, warm rows"."""
        return f"{self.statistic} of {self.condition} rows" if self.condition else f"{self.statistic} of all rows"


@dataclass(slots=True)
class Case:
    """One number with all that was understood of it."""

    number: Number
    sense: Sense
    scope: Scope
    metric: str = ""
    """The one of its metrics that there are data for."""
    chosen: Chosen | None = None
    defaults: tuple[Reading, ...] = ()
    bases: frozenset[str] | None = None
    """When its row decided on a basis."""
    operand: bool = False
    scales: tuple[float, ...] = (1.0,)
    record: bool = field(default=False)
    """Whether it is judged against single runs."""
