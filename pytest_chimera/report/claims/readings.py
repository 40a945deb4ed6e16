"""The ways to read a number: what holds without a further word, what only with one, and how often chance agrees."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_chimera.report.claims.case import Case, Reading
from pytest_chimera.report.claims.clauses import clauses
from pytest_chimera.report.claims.evidence import bits
from pytest_chimera.report.claims.match import agreement, chance_of, ends_agree, exact_ends
from pytest_chimera.report.claims.values import LOADED, Value, Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.claims.match import Agreement
    from pytest_chimera.report.claims.numbers import Number

_EVERY = re.compile(r"\b(?:all|every|each|always|never|consistent\w*|stays?|stayed|remain\w*)\b", re.IGNORECASE)
_EVERYONE = re.compile(r"\b(?:all|every|each|both)\b", re.IGNORECASE)
_ORDER: tuple[Agreement, ...] = ("no", "near", "yes")
_OF_ENTITY = re.compile(
    r"\s(?:with|by|using|from)\s|\b(?:is|was|are|were|remains?)\b[^.;]{0,24}\b(?:best|fastest|quickest|slowest|worst|top)\b"
)
_PER_RUN = (
    "prompt", "run", "case", "sample", "task", "query", "question", "iteration", "round", "scenario", "test",
)  # fmt: skip
"""What the first column of a table of single runs is called."""


_FACT_NAMES: dict[str, tuple[str, ...]] = {
    "": ("mean", "median", "value"),
    "mean": ("mean",),
    "median": ("median",),
    "best": ("max", "min", "median", "mean"),
    "worst": ("min", "max", "median", "mean"),
    "max": ("max",),
}
"""Statistic as stated -> those of facts that it may mean."""
_NO_VALUES = frozenset({"count", "sd", "p", "eta2", "partial eta2", "levels", "spread", "share", "slope per run"})
"""Statistics of facts that are no value of their metric; they count only where the text states them."""


class Readings:
    """Reads numbers as values that the data give."""

    def __init__(self, evidence: Evidence, values: Values) -> None:
        self.evidence = evidence
        self.values = values

    def is_record(self, case: Case) -> bool:
        """Whether the row of a table is one run, though nothing says which."""
        piece = case.number.piece
        if (
            piece.table is None
            or case.chosen is None
            or case.sense.statistic not in {None, "best", "worst"}
            or case.scope.record
        ):
            return False
        head = piece.table.header[0].lower().strip(" #") if piece.table.header else ""
        return head.startswith(_PER_RUN) and len(list(bits(case.chosen.mask))) > 1

    def defaults(self, case: Case) -> tuple[Reading, ...]:
        """The readings under which a number holds without a further word."""
        assert case.chosen is not None, "only asked when there are data"
        mask, metric, sense = case.chosen.mask, case.metric, case.sense
        if case.record:
            values = (self.values.run(number, metric) for number in bits(mask & ~self.evidence.failed))
            return (Reading("value", sense.condition, tuple((value,) for value in values if value is not None)),)
        if case.chosen.tier == "facts":
            return self._of_facts(case)
        number, statistic = case.number, sense.statistic
        if statistic is None and number.low is not None:
            return (self._spread(mask, metric, sense.condition),)
        if statistic is None and number.hedge in {"over", "under", "lost"}:
            return (self.reading(mask, metric, "min" if number.hedge == "over" else "max", sense.condition),)
        names: tuple[str, ...] = (statistic or "mean",)
        if statistic in {"best", "worst"} and (metric in LOADED or self._best_of_several(number)):
            names = (statistic, "mean")
        return tuple(self.reading(mask, metric, name, sense.condition) for name in names)

    def _best_of_several(self, number: Number) -> bool:
        """Whether "best ... with X" ranks entities by their means rather than runs by their values."""
        before = number.piece.text[: number.start].lower()
        return number.piece.table is None and _OF_ENTITY.search(before) is not None

    def _of_facts(self, case: Case) -> tuple[Reading, ...]:
        """Facts state their statistic; a number that states none is a mean, a median or a single value."""
        assert case.chosen is not None, "only asked when there are facts"
        mask, metric, condition = case.chosen.mask, case.metric, case.sense.condition
        if condition is None and not case.scope.settings:
            mask = self.evidence.bare(mask)
        held = {name for number in bits(mask) for own, name in self.evidence.runs[number].values if own == metric}
        wanted = _FACT_NAMES.get(case.sense.statistic or "", (case.sense.statistic or "",))
        if case.number.hedge in {"over", "under", "lost"} and case.sense.statistic is None:
            wanted = ("min", *wanted) if case.number.hedge == "over" else ("max", *wanted)
        names = [name for name in wanted if name in held] or sorted(held - _NO_VALUES)
        return tuple(self.reading(mask, metric, name, condition) for name in names)

    def reading(self, mask: int, metric: str, statistic: str, condition: str | None) -> Reading:
        """The values of one statistic under one condition."""
        return Reading(
            statistic, condition, tuple((value,) for value in self.values.of(mask, metric, statistic, condition))
        )

    def _spread(self, mask: int, metric: str, condition: str | None) -> Reading:
        """All values of each file, by their smallest and largest."""
        high = {value.basis: value for value in self.values.of(mask, metric, "max", condition)}
        low = self.values.of(mask, metric, "min", condition)
        groups = tuple((value, high[value.basis]) for value in low if value.basis in high)
        means = sorted(self.values.of(mask, metric, "mean", condition), key=lambda value: value.value)
        models = {value.model for value in means}
        if len(models) > 1 and len(means) == len(models):  # "all of them (135-142 ms)": from entity to entity
            groups = (*groups, (means[0], means[-1]))
        return Reading("range", condition, groups)

    def alternatives(self, case: Case) -> list[Reading]:
        """Readings under which a number holds only with a further word."""
        if case.chosen is None or case.record or case.chosen.tier == "facts":
            return []
        sense, mask, metric = case.sense, case.chosen.mask, case.metric
        statistics = [sense.statistic or ("max" if case.number.hedge == "under" else "mean")]
        if sense.statistic in {"best", "worst"}:
            statistics.append("mean")
        found: list[Reading] = []
        if sense.condition is None and metric in LOADED:
            for condition in ("warm", "cold"):
                if case.number.low is not None and sense.statistic is None:
                    found.append(self._spread(mask, metric, condition))
                else:
                    found += [self.reading(mask, metric, name, condition) for name in statistics]
        loose = case.number.low is not None or case.number.hedge in {"over", "under", "lost"}
        if sense.statistic is None and loose and not _EVERY.search(case.number.piece.text):
            found.append(self.reading(mask, metric, "mean", sense.condition))
        if sense.statistic is None and not loose and not case.number.hedge:
            found += [self.reading(mask, metric, name, sense.condition) for name in ("median", "best")]
        if sense.statistic in {"best", "worst"}:
            found.append(self.reading(mask, metric, "mean", sense.condition))
        return found

    def agreeing(self, case: Case, reading: Reading) -> tuple[Agreement, tuple[Value, ...] | None]:
        """How a number agrees with a reading, and the group of values that agrees best, or first fails to."""
        outcomes = [(self._agreement(case, group), group) for group in self.groups(case, reading)]
        if not outcomes:
            return "no", None
        if len(outcomes) > 1 and self._is_of_every(case):
            return min(outcomes, key=lambda each: _ORDER.index(each[0]))
        return max(outcomes, key=lambda each: _ORDER.index(each[0]))

    def _agreement(self, case: Case, group: tuple[Value, ...]) -> Agreement:
        """How a number agrees with all values of a group, in the scale that fits best."""
        best: Agreement = "no"
        for scale in case.scales:
            parts: list[Agreement] = [agreement(case.number, value.value / scale) for value in group]
            if len(group) == 2 and exact_ends(case.number):  # noqa: PLR2004  # the smallest and the largest
                parts = ["yes" if ends_agree(case.number, *(value.value / scale for value in group)) else "no"]
            best = max(best, min(parts, key=_ORDER.index), key=_ORDER.index)
        return best

    def _is_of_every(self, case: Case) -> bool:
        """Whether a bound or range is stated of every entity, so that one counterexample is enough."""
        loose = case.number.low is not None or case.number.hedge in {"over", "under"}
        if not loose or case.scope.model or case.bases is not None:
            return False
        text = case.number.piece.text
        low, high = clauses(text, case.number.start)[1][1:3]
        return _EVERYONE.search(text[low:high]) is not None

    def groups(self, case: Case, reading: Reading) -> list[tuple[Value, ...]]:
        """The groups of a reading, of the basis that the row of the number decided on."""
        if case.bases is None:
            return list(reading.groups)
        on_basis = [group for group in reading.groups if group[0].basis in case.bases]
        return on_basis or list(reading.groups)

    def chance(self, case: Case, readings: Sequence[Reading]) -> float:
        """The share of random numbers in the place of this one that would be supported by these readings."""
        values = [
            value.value / scale
            for reading in readings for group in self.groups(case, reading) for value in group for scale in case.scales
        ]  # fmt: skip
        return chance_of(case.number, values)
