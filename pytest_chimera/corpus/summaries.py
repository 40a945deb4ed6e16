"""Summaries of numbers that can be merged: of each group of them how many, mean, spread, range and quantiles.

Where a corpus is too large for a `Measurement` per number they are all that is kept; where it is not, they are computed
from the same rows by the same code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.corpus.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping

    from pytest_chimera.corpus.rows import Row, Term
    from pytest_chimera.records import Provenance, Role
    from pytest_chimera.units import Dimension

_PENDING = 4096
"""Values that wait to be counted together: enough for the loops in C, 128 KiB."""
MOST_GROUPS = 2000
"""Groups of one corpus, some 20 KiB each. Beyond, numbers are counted under no model and no series."""


class Group(NamedTuple):
    """What the numbers of one summary have in common."""

    metric: str
    """Canonical name."""
    statistic: str
    """"value" of measured numbers; aggregates are summarised by what they are, never with raw numbers."""
    dimension: Dimension
    role: Role
    provenance: Provenance
    model: str | None
    """Canonical tag; None when neither content nor name says."""
    cold: bool | None
    """Whether the model was loaded for it; None when that cannot be told, as of every failed row."""
    kind: str
    """Kind of file, as in `Artifact.kind`."""
    series: str
    """As in `Measurement.series`."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is known of the numbers of one group. Values are in the SI unit of the dimension."""

    group: Group
    n: int
    """Values."""
    failed: int
    """Numbers of failed rows, whatever was written there; none of them is a value."""
    missing: int
    """Empty cells, nulls and what is no finite number, of rows that did not fail."""
    mean: float | None
    """None without values, as all below."""
    m2: float
    """Sum of the squared distances from the mean."""
    lowest: float | None
    highest: float | None
    sketch: Sketch

    @property
    def total(self) -> float:
        """Sum of the values."""
        return self.n * (self.mean or 0.0)

    @property
    def sd(self) -> float | None:
        """Standard deviation of a sample (n - 1); None below two values."""
        return math.sqrt(self.m2 / (self.n - 1)) if self.n > 1 else None

    @property
    def relative_error(self) -> float:
        """What `quantile` may be off by, as a share of the value."""
        return self.sketch.relative_error

    def quantile(self, share: float) -> float | None:
        """The quantile of a `share` from 0 to 1, off by `relative_error` at most; 0 and 1 are exact."""
        found = self.sketch.quantile(share)
        if found is None or self.lowest is None or self.highest is None:
            return None
        if share in {0, 1}:
            return self.highest if share else self.lowest
        return min(max(found, self.lowest), self.highest)

    def merge(self, other: Summary) -> Summary:
        """The summary of both; which of them comes first makes no difference beyond rounding."""
        tally = Tally.of(self)
        tally.merge(Tally.of(other))
        return tally.summary(self.group)


class Tally:
    """A summary in the making."""

    __slots__ = ("failed", "highest", "lowest", "m2", "mean", "missing", "n", "pending", "sketch")

    def __init__(self) -> None:
        self.n = self.failed = self.missing = 0
        self.mean = self.m2 = 0.0
        self.lowest, self.highest = math.inf, -math.inf
        self.sketch = Sketch()
        self.pending: list[float] = []
        """Values that are not counted yet."""

    @classmethod
    def of(cls, summary: Summary) -> Tally:
        """One that goes on from a summary."""
        tally = cls()
        tally.n, tally.failed, tally.missing = summary.n, summary.failed, summary.missing
        tally.mean, tally.m2 = summary.mean or 0.0, summary.m2
        if summary.lowest is not None and summary.highest is not None:
            tally.lowest, tally.highest = summary.lowest, summary.highest
        tally.sketch = Sketch(dict(summary.sketch.buckets), summary.sketch.shift)
        return tally

    def take(self, values: Iterable[float]) -> None:
        """Count values; infinite ones and those that are no number at all are missing."""
        self.pending.extend(values)
        if len(self.pending) >= _PENDING:
            self.settle()

    def settle(self) -> None:
        """Count what is pending."""
        values = self.pending
        if not values:
            return
        self.pending = []
        mean = sum(values) / len(values)
        if not math.isfinite(mean):  # one of them is not, or their sum is too large
            some = [value for value in values if math.isfinite(value)]
            self.missing += len(values) - len(some)
            values = some
            if not values:
                return
            mean = sum(value / len(values) for value in values)
        distance = math.dist(values, (mean,) * len(values))
        self._merge_moments(len(values), mean, distance * distance)
        lowest, highest = self.sketch.take(values)
        if lowest < self.lowest:
            self.lowest = min(self.lowest, *values)
        if highest > self.highest:
            self.highest = max(self.highest, *values)

    def merge(self, other: Tally) -> None:
        """Take in what another has counted."""
        self.settle()
        other.settle()
        self.failed += other.failed
        self.missing += other.missing
        if other.n:
            self._merge_moments(other.n, other.mean, other.m2)
            self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)
            self.sketch.merge(other.sketch)

    def summary(self, group: Group) -> Summary:
        """What it comes to."""
        self.settle()
        some = self.n > 0
        return Summary(
            group=group,
            n=self.n,
            failed=self.failed,
            missing=self.missing,
            mean=self.mean if some else None,
            m2=self.m2,
            lowest=self.lowest if some else None,
            highest=self.highest if some else None,
            sketch=self.sketch,
        )

    def _merge_moments(self, n: int, mean: float, m2: float) -> None:
        """Chan, Golub and LeVeque (1979): moments of two samples together, without a sum of squares to cancel in."""
        both = self.n + n
        distance = mean - self.mean
        self.m2 += m2 + distance * distance * (self.n * n / both)
        self.mean = mean if not self.n else self.mean + distance * (n / both)
        self.n = both


def group_of(term: Term, row: Row, kind: str, cold: bool | None) -> Group:
    """The group of a number of `row`."""
    provenance = row.provenance or ("measured" if term.statistic == "value" else "aggregate")
    return Group(
        term.metric, term.statistic, term.dimension, term.role, provenance, row.model, cold, kind, row.series
    )  # fmt: skip


def tally_rows(rows: Iterable[tuple[Row, str]], tallies: MutableMapping[Group, Tally]) -> None:
    """Count the numbers of rows, each with the kind of its file."""
    for row, kind in rows:
        cold = None if row.failure is not None else row.cold
        for term, value, _ in row.numbers:
            group = group_of(term, row, kind, cold)
            tally = tallies.get(group)
            if tally is None:
                tally = tallies[group] = Tally()
            if row.failure is not None:
                tally.failed += 1
            elif value is None:
                tally.missing += 1
            else:
                tally.take((value,))


def merge_tallies(into: MutableMapping[Group, Tally], more: Mapping[Group, Tally]) -> int:
    """Merge groups into those that are there; returns how many numbers lost their model and series for the bound."""
    beyond = 0
    for group, tally in more.items():
        place = group
        if group not in into and len(into) >= MOST_GROUPS:
            place = group._replace(model=None, series="")
            tally.settle()
            beyond += tally.n
        known = into.get(place)
        if known is None:
            into[place] = tally
        else:
            known.merge(tally)
    return beyond


def summaries_of(tallies: Mapping[Group, Tally]) -> Iterator[Summary]:
    """All summaries, in the order of their groups' names."""
    for group in sorted(tallies, key=_by_name):
        yield tallies[group].summary(group)


def _by_name(group: Group) -> tuple[str, ...]:
    return tuple("" if part is None else str(part) for part in group)
