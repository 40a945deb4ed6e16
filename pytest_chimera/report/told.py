"""A persona's answer, read and checked: sentences whose numbers the facts do not support are struck out and counted.

The claim check is handed in, so that nothing here knows how a number is judged.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from pytest_chimera.report.counted import counted
from pytest_chimera.report.narrative import Grounded, Passage, PassageRole, Told
from pytest_chimera.report.phrases import ERROR, QUESTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_chimera.records import Fact


class CheckedClaim(Protocol):
    """A number that a text claims, judged."""

    @property
    def verdict(self) -> str:
        """ "supported", "contradicted", ..., "not checkable"."""

    @property
    def weak(self) -> bool:
        """Whether chance alone would support it as well."""

    @property
    def numeric(self) -> bool:
        """Whether it is a number."""

    @property
    def start(self) -> int:
        """Column of its first character."""

    @property
    def end(self) -> int:
        """Column behind its last one."""

    @property
    def facts(self) -> tuple[str, ...]:
        """Ids of the facts that support it."""

    @property
    def found(self) -> tuple[Fact, ...]:
        """Facts that were computed on demand."""

    def as_dict(self) -> dict[str, Any]:
        """It as primitives."""


class CheckedText(Protocol):
    """A text with its claims."""

    @property
    def claims(self) -> Sequence[CheckedClaim]:
        """Every claim, in the order of the text."""


Checker: TypeAlias = "Callable[[str, Sequence[Fact]], CheckedText]"
"""Finds and judges the numeric claims of a text."""

_SUPPORTED, _NOT_CHECKABLE = "supported", "not checkable"
_LONGEST = 600
"""Characters of one text of an answer; a schema bounds them too, but not every server keeps to it."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\s\d])")
_LOOSE = re.compile(r"(?<![\w.:/-])\d[\d.,]*")
"""A number that is no part of a name such as "q4_0", "gemma3:270m" or "p95"."""
_MOST_CUTS = 200
"""Places at which an answer that was cut is tried to be closed."""


def read_answer(persona: str, answer: str, facts: Sequence[Fact], checker: Checker) -> Told:
    """What is left of an answer in the form that was asked for, and how much of it `facts` support."""
    content, complete = _parsed(answer)
    passages: list[Passage] = []
    struck: list[str] = []
    judged: list[_Judged] = []
    known = {fact.id for fact in facts}
    for role, text, said in _texts(content):
        claims = [_judged(claim, text, role, facts) for claim in checker(text, facts).claims]
        judged += claims
        kept, numbers, gone = _survivors(text, claims)
        struck += gone
        if kept and not _is_said(kept, role, said, passages):
            ids = tuple(str(each) for each in _list(said.get("facts")) if each in known)
            action = said.get("action") if role == "recommendation" else None
            passages.append(Passage(role=role, text=kept, facts=ids, numbers=numbers, action=action))
    found = {fact.id: fact for each in judged for fact in each.found if fact.id not in known}
    return Told(
        persona=persona,
        passages=tuple(passages),
        struck=tuple(struck),
        claims=sum(each.is_numeric and each.verdict != _NOT_CHECKABLE for each in judged),
        supported=sum(each.is_numeric and each.is_supported for each in judged),
        verdicts=tuple(each.told for each in judged),
        found=tuple(found.values()),
        complete=complete,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A claim with its verdict, counts looked up among the facts."""

    start: int
    end: int
    verdict: str
    is_supported: bool
    """By more than chance."""
    is_numeric: bool
    fact: str | None
    """The fact that supports it."""
    found: tuple[Fact, ...]
    told: dict[str, Any]
    """For the JSON twin."""


def _judged(claim: CheckedClaim, text: str, role: PassageRole, facts: Sequence[Fact]) -> _Judged:
    verdict, ids, found = claim.verdict, tuple(claim.facts), claim.found
    supported = verdict == _SUPPORTED and not claim.weak
    told = {name: each for name, each in claim.as_dict().items() if name != "found"}
    if not supported and claim.numeric and (count := counted(text, claim.start, claim.end, facts)) is not None:
        fact, supported = count
        verdict, ids, found = (_SUPPORTED if supported else "contradicted"), (fact.id,), ()
        said = f"Read as the number of {fact.metric.replace('_', ' ')}, which is {fact.value:g}."
        told |= {"verdict": verdict, "weak": False, "facts": [fact.id], "reason": said}
    return _Judged(
        start=claim.start,
        end=claim.end,
        verdict=verdict,
        is_supported=supported,
        is_numeric=claim.numeric,
        fact=ids[0] if ids and supported else None,
        found=found,
        told={**told, "role": role},
    )


def salvaged(text: str) -> Any:
    """JSON that was cut: what is whole of it, closed; None where nothing is."""
    for end in [found.end() for found in re.finditer(r"[}\]\"\d]", text)][::-1][:_MOST_CUTS]:
        closed = text[:end] + _closing(text[:end])
        try:
            return json.loads(closed)
        except (ValueError, RecursionError):
            continue
    return None


def _is_said(text: str, role: PassageRole, said: Mapping[str, Any], passages: Sequence[Passage]) -> bool:
    """Whether an earlier passage has the same words, or speaks for the same action."""
    if role in {"risk", "mitigation"}:  # they are told apart by their pair
        return False
    acted = role == "recommendation" and any(each.action == said.get("action") for each in passages if each.action)
    return acted or any(each.text == text and each.role == role for each in passages)


def _parsed(answer: str) -> tuple[Mapping[str, Any], bool]:
    try:
        content, complete = json.loads(answer), True
    except (ValueError, RecursionError):
        content, complete = salvaged(answer), False
    return (content, complete) if isinstance(content, dict) else ({}, False)


def _closing(text: str) -> str:
    """The brackets that are open at the end of `text`, closed."""
    stack, quoted, escaped = [], False, False
    for char in text:
        if quoted:
            escaped, quoted = (char == "\\" and not escaped), not (char == '"' and not escaped)
        elif char == '"':
            quoted = True
        elif char in "{[":
            stack.append("}" if char == "{" else "]")
        elif char in "}]" and stack:
            stack.pop()
    return ('"' if quoted else "") + "".join(reversed(stack))


def _texts(content: Mapping[str, Any]) -> Iterator[tuple[PassageRole, str, Mapping[str, Any]]]:
    """Each text of an answer with its role, one line long, and the object it stands in."""
    listed: dict[str, dict[str, PassageRole]] = {
        "inventory": {"text": "inventory"},
        "gaps": {"text": "gap"},
        "recommendations": {"text": "recommendation"},
        "risks": {"risk": "risk", "mitigation": "mitigation"},
    }
    summary = content.get("summary")
    if isinstance(summary, dict) and (text := _line(summary.get("text"))):
        yield "summary", text, summary
    for key, roles in listed.items():
        for each in _list(content.get(key)):
            for name, role in roles.items():
                if isinstance(each, dict) and (text := _line(each.get(name))):
                    yield role, text, each


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _line(value: object) -> str:
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""


def _survivors(text: str, claims: Sequence[_Judged]) -> tuple[str, tuple[Grounded, ...], list[str]]:
    """The sentences that may stand in a report, the facts of their numbers, and the sentences that may not."""
    kept, numbers, struck = "", [], []
    for start, sentence in _placed(text):
        end = start + len(sentence)
        within = [each for each in claims if start <= each.start < end]
        if not _may_stand(sentence, start, within):
            struck.append(sentence)
            continue
        moved = len(kept) + bool(kept) - start
        kept = f"{kept} {sentence}" if kept else sentence
        numbers += [Grounded(each.start + moved, each.end + moved, each.fact) for each in within if each.fact]
    return kept, tuple(numbers), struck


def _may_stand(sentence: str, start: int, claims: Sequence[_Judged]) -> bool:
    """Whether it asks nothing, tells no error, and has no number but those that a fact supports.

    A number that is no claim (a threshold, a date) has no fact either, and none stands in a report without one.
    """
    if QUESTION.search(sentence) or ERROR.search(sentence):
        return False
    good = [each for each in claims if each.is_supported]
    loose = any(
        not any(each.start <= start + found.start() < each.end for each in good) for found in _LOOSE.finditer(sentence)
    )
    return not loose and all(each.is_supported or each.verdict == _NOT_CHECKABLE for each in claims)


def _placed(text: str) -> Iterator[tuple[int, str]]:
    """Each sentence with the index at which it begins."""
    start = 0
    for each in _SENTENCE.split(text) if text else ():
        start = text.index(each, start)
        yield start, each
        start += len(each)
