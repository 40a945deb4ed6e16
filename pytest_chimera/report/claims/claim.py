"""What a check gives: claims with their verdicts, counts of them, and the verdict of a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable  # noqa: TC003  # the dict form resolves every name of this module
from dataclasses import dataclass, replace
from typing import Literal

from pytest_chimera.records import Fact, Record
from pytest_chimera.report.claims.strike import struck

ClaimVerdict = Literal["supported", "contradicted", "misattributed", "unsupported", "ambiguous", "not checkable"]
"""supported: the data give the number as written. contradicted: data in scope disagree. misattributed: nothing in
scope, and the number is another's. unsupported: no data. ambiguous: holds under one of several readings."""

VERDICTS: tuple[ClaimVerdict, ...] = (
    "contradicted", "misattributed", "ambiguous", "supported", "unsupported", "not checkable",
)  # fmt: skip
"""In order of weight: the first of those in a line speaks for it."""

WEAK = 0.1
"""A support that a random number has with a higher chance than this counts for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Record):
    """One claim of a text and what the data say to it."""

    line: int
    """From 1."""
    start: int
    """Column of its first character, from 0."""
    end: int
    text: str
    """The number, or the words of a claim that has none, as written."""
    said: str
    """The line or cell it stands in, cut."""
    verdict: ClaimVerdict
    weak: bool = False
    """Whether it is supported only as a random number would be."""
    reason: str
    """One sentence: how the claim was understood and what the data say."""
    metric: str = ""
    """Canonical name; empty where no metric was understood."""
    entity: str = ""
    """Names and settings as understood."""
    statistic: str = ""
    condition: str = ""
    """"warm", "cold" or empty."""
    unit: str = ""
    """As written."""
    value: float | None = None
    """As written; None of a claim without a number."""
    chance: float | None = None
    """The share of random numbers within 25 % that would be supported, too; None where nothing could be compared."""
    facts: tuple[str, ...] = ()
    """Ids of the facts it was compared with."""
    found: tuple[Fact, ...] = ()
    """The facts themselves, the nearest first."""
    operand: bool = False
    """Whether a comparison beside it speaks for it in the verdict of its line."""
    kind: Literal["value", "bound", "comparison", "count", "statement"] = "value"
    """bound: with "over", "under" or a range. statement: of order, completeness or absence, without a number."""
    cause: str = ""
    """What it was compared with, in words; claims of one cause are shown together."""

    def changed(self, **changes: object) -> Claim:
        """This claim with other values."""
        return replace(self, **changes)  # type: ignore[arg-type]  # names of its own fields

    @property
    def numeric(self) -> bool:
        """Whether it is a number."""
        return self.kind != "statement"

    @property
    def grounded(self) -> bool:
        """Whether it is supported by more than chance."""
        return self.verdict == "supported" and not self.weak


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Record):
    """All claims of a text."""

    claims: tuple[Claim, ...]
    """In order of place."""

    @property
    def counts(self) -> dict[str, int]:
        """How many claims have each verdict, all verdicts present."""
        counted = Counter(each.verdict for each in self.claims)
        return {verdict: counted[verdict] for verdict in VERDICTS}

    @property
    def numbers(self) -> int:
        """How many numeric claims can be judged."""
        return sum(1 for each in self.claims if each.numeric and each.verdict != "not checkable")

    @property
    def groundedness(self) -> float | None:
        """The share of numeric claims that are supported by more than chance; None when there is none."""
        if not self.numbers:
            return None
        return sum(1 for each in self.claims if each.numeric and each.grounded) / self.numbers

    def struck(self, text: str) -> tuple[str, int]:
        """The text without the sentences that hold a claim which is not supported, and how many were struck."""
        return struck(text, self.claims)

    def verdict_of_lines(self, first: int, last: int | None = None) -> ClaimVerdict:
        """The verdict of lines `first` to `last`, both included, from 1."""
        end = first if last is None else last
        return speaking(each for each in self.claims if first <= each.line <= end)

    def verdict_of_span(self, line: int, start: int, last: int, end: int) -> ClaimVerdict:
        """The verdict of what stands between column `start` of `line` and column `end` of line `last`."""
        return speaking(
            each
            for each in self.claims
            if (line, start) <= (each.line, each.end - 1) and (each.line, each.start) < (last, end)
        )


def speaking(claims: Iterable[Claim]) -> ClaimVerdict:
    """The verdict that speaks for several claims: the gravest, operands of a comparison that holds left out."""
    held = list(claims)
    judged = [each for each in held if not each.operand]
    if any(each.verdict == "unsupported" for each in judged) and all(
        each.verdict in {"unsupported", "not checkable"} for each in judged
    ):
        judged = held
    if not judged:
        judged = held
    found = {each.verdict for each in judged}
    return next((verdict for verdict in VERDICTS if verdict in found), "not checkable")
