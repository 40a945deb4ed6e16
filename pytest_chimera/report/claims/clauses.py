"""What stands around a number in its own text: clause, sentence, and the other number of a pair."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.report.claims.names import Mention
    from pytest_chimera.report.claims.numbers import Number

_CLAUSE = re.compile(
    r"[;,()—]|\s[-\u2013/|]\s|\b(?:and|but|while|whereas|versus|vs)\b|(?<=[.!?])\s+(?=[A-Z(])", re.IGNORECASE
)
SENTENCE = re.compile(
    r"(?<=[\w)%\]\"'][.!?])(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!approx\.)(?<!\bca\.)(?<!\bFig\.)\s+(?=[A-Z(*\"]|[a-z][\w-]*\d)"
)
"""Between two sentences; a point within a number or an abbreviation ends none."""
_OBJECT = re.compile(
    r"(?:\bthan|\bover|\bvs\.?|\bversus|\brelative to|\bcompared (?:to|with)|\bagainst)\s*$", re.IGNORECASE
)
LINKED = re.compile(r"\s*(?:at|with|for|under|using|on|by|in|of|from|@|\()\s*(?:the |a )?", re.IGNORECASE)
"""Between a number and the name or setting behind it that it is of."""
_LINKED_NAME = re.compile(rf"[+\-\u2212]?[\d.,]+\s?[a-zA-Z/%°]{{0,18}}{LINKED.pattern}", re.IGNORECASE)
_PAIR = re.compile(r"\s*(?:vs\.?|versus|->|→|compared (?:to|with)|against)\s*~?\s*", re.IGNORECASE)
_REACH = 400
"""Characters on each side of a number that a sentence may have."""


class Layer(NamedTuple):
    """A text around a number; `anchor` is where the number stands in it, None of another text."""

    text: str
    low: int
    high: int
    anchor: int | None
    narrow: bool


@lru_cache(maxsize=512)  # each number asks several times
def clauses(text: str, place: int) -> tuple[Layer, ...]:
    """The clause and the sentence around a place in a text."""
    low, high = sentence_bounds(text, place)
    edges = [low, *(match.start() for match in _CLAUSE.finditer(text, low, high)), high]
    left = max(edge for edge in edges if edge <= place)
    right = min((edge for edge in edges if edge > place), default=high)
    return (
        Layer(text, left, right, place, narrow=True),
        Layer(text, low, high, place, narrow=True),
        Layer(text, 0, len(text), place, narrow=True),
    )


def sentence_bounds(text: str, place: int) -> tuple[int, int]:
    """Where the sentence around a place begins and ends; cut where it is too long."""
    low, high = max(0, place - _REACH), min(len(text), place + _REACH)
    for match in SENTENCE.finditer(text, low, high):
        if match.end() <= place:
            low = match.end()
        else:
            high = match.start()
            break
    return low, high


def ordered(mentions: Sequence[Mention], layer: Layer) -> list[Mention]:
    """Of the mentions those in a layer: one linked to the number, before it from the nearest, then behind it."""
    inside = [each for each in mentions if layer.low <= each.start < layer.high]
    if layer.anchor is None:
        return inside
    anchor = layer.anchor

    def distance(each: Mention) -> tuple[bool, bool, bool, int]:
        compared = _OBJECT.search(layer.text[max(0, each.start - 16) : each.start]) is not None  # "than X"
        linked = each.start > anchor and _LINKED_NAME.fullmatch(layer.text[anchor : each.start]) is not None
        return compared, not linked, each.start > anchor, abs(each.start - anchor)

    return sorted(inside, key=distance)


def pair_place(number: Number) -> int | None:
    """0 or 1 for the first or second number of "1.0 vs 2.0"; None when it stands in no pair."""
    text = number.piece.text
    if (match := _PAIR.match(text, number.close)) and re.match(r"[\d+-]", text[match.end() :]):
        return 0
    before = text[max(0, number.start - 16) : number.start]
    if (match := re.search(r"(?:vs\.?|versus|->|→|against)\s*~?\s*$", before, re.IGNORECASE)) and re.search(
        r"[\d%a-zA-Z]\s*$", before[: match.start()]
    ):
        earlier = text[: number.start - len(before) + match.start()].rstrip()[-40:]
        return 1 if re.search(r"\d[\d.,]*\s*[a-zA-Z/%]{0,14}$", earlier) else None
    return None
