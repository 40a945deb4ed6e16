"""What two personas said of the facts, after every number in it was checked: records, ready to cross processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pytest_chimera.records import Fact
from pytest_chimera.records.base import Record

PassageRole = Literal["inventory", "gap", "summary", "recommendation", "risk", "mitigation"]


class Grounded(NamedTuple):
    """A number in a passage, and the fact that supports it."""

    start: int
    """Index of its first character in the text."""
    end: int
    """Index behind its last one."""
    fact: str
    """Id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage(Record):
    """A few sentences that survived the check."""

    role: PassageRole
    text: str
    facts: tuple[str, ...] = ()
    """Ids of the facts that the model cites."""
    numbers: tuple[Grounded, ...] = ()
    """In the order of the text."""
    action: str | None = None
    """Which computed recommendation it speaks for: "R1"; None of other passages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Record):
    """One persona's answer: what is left of it, what was struck, and how much of it the facts support."""

    persona: str
    passages: tuple[Passage, ...] = ()
    struck: tuple[str, ...] = ()
    """Sentences that were taken out: not supported, a question, an error text, or a number without a fact."""
    claims: int = 0
    """Numeric claims that can be checked, in the whole answer."""
    supported: int = 0
    """Those of them that facts support by more than chance."""
    verdicts: tuple[dict[str, Any], ...] = ()
    """Every claim with its verdict."""
    found: tuple[Fact, ...] = ()
    """Facts that were computed to check it."""
    tokens: int | None = None
    """Generated; None when the server does not say."""
    seconds: float | None = None
    """From the request to the last byte."""
    complete: bool = True
    """Whether it is the JSON that was asked for; False where it was cut or is none."""

    @property
    def groundedness(self) -> float | None:
        """Groundedness = supported / claims; None of an answer without a numeric claim, or silence would score 1."""
        return self.supported / self.claims if self.claims else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrative(Record):
    """The model's part of a report."""

    model: str
    told: tuple[Told, ...]
    """In the order in which the personas were asked."""
    budget_tokens: int
    """Tokens that all answers together may have."""

    def passages(self, *roles: PassageRole) -> tuple[Passage, ...]:
        """The passages of these roles, in order."""
        return tuple(each for told in self.told for each in told.passages if each.role in roles)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that were computed to check it, each once."""
        return tuple({fact.id: fact for told in self.told for fact in told.found}.values())

    def summary(self) -> dict[str, Any]:
        """It as a dict, with the groundedness of each answer, for the JSON twin."""
        told = [{**each.as_dict(), "groundedness": each.groundedness} for each in self.told]
        return {**self.as_dict(), "told": told}
