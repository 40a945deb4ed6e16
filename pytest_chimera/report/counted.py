"""Counts that a sentence claims, found among facts: "29 csv files" is the fact that counts files of the type csv.

The claim check judges measured values; what a program has counted (files, rows, models) is told here by its noun.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_chimera.units import parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_chimera.records import Fact

_REACH = 4
"""Words behind a number among which its noun is looked for."""
_WORD = re.compile(r"[A-Za-z][\w./:-]*")
_CLAUSE = re.compile(r"[,;]\s|[.!?](?:\s|$)|\band\b|\bbut\b|\bwith\b")
_UNIT = re.compile(r"\s*(KiB|MiB|GiB|B)\b")
_SAME = {"directories": "folder", "directory": "folder", "copies": "copy", "entries": "row"}


def counted(text: str, start: int, end: int, facts: Sequence[Fact]) -> tuple[Fact, bool] | None:
    """The fact that counts what the number at `start` counts, and whether it has that value.

    None where no fact has its noun, or several have it equally.
    """
    clause, before = _clause_around(text, start)
    number = text[start:end].replace(",", "")
    sized = _UNIT.match(text, end) or _UNIT.search(number)
    if sized is not None:
        return _sized(number, sized[1], [each for each in facts if each.dimension == "bytes"], clause)
    behind = [_stem(word) for word in _WORD.findall(clause[end - before :])[:_REACH]]
    words = {_stem(word) for word in _WORD.findall(clause)}
    fitting = [each for each in facts if each.dimension == "count" and _fits(each, behind, words)]
    # "107 files in 25 folders": the nearest noun is the one that is counted.
    nearest = min((behind.index(_noun(each)) for each in fitting), default=0)
    best = _narrowest([each for each in fitting if behind.index(_noun(each)) == nearest])
    if best is None or not re.fullmatch(r"\d+", number):
        return None
    return best, best.value == float(number)


def _clause_around(text: str, start: int) -> tuple[str, int]:
    """The clause that the character at `start` stands in, and where it begins."""
    cuts = [found.end() for found in _CLAUSE.finditer(text) if found.end() <= start]
    before = cuts[-1] if cuts else 0
    after = next((found.start() for found in _CLAUSE.finditer(text) if found.start() > start), len(text))
    return text[before:after], before


def _fits(fact: Fact, behind: Sequence[str], words: set[str]) -> bool:
    """Whether its noun stands behind the number, and everything else that it says in the same clause."""
    more = (_stem(word) for word in fact.metric.split("_"))
    return _noun(fact) in behind and words.issuperset(more) and words.issuperset(_names(fact))


def _noun(fact: Fact) -> str:
    return _stem(fact.metric.rpartition("_")[2])


def _narrowest(fitting: Sequence[Fact]) -> Fact | None:
    """The one that says most, "csv files" before "files"; None where several say as much."""
    ranked = sorted(fitting, key=_says, reverse=True)
    if not ranked or (len(ranked) > 1 and _says(ranked[0]) == _says(ranked[1])):
        return None
    return ranked[0]


def _says(fact: Fact) -> int:
    return fact.metric.count("_") + len(tuple(_names(fact)))


def _names(fact: Fact) -> Iterator[str]:
    """The words of whom it speaks; the corpus as a whole is not named."""
    return (_stem(value) for name, value in fact.subject.items() if name != "corpus")


def _sized(number: str, unit: str, facts: Sequence[Fact], clause: str) -> tuple[Fact, bool] | None:
    words = {_stem(word) for word in _WORD.findall(clause)}
    best = _narrowest([each for each in facts if words.issuperset(_names(each)) and each.value is not None])
    digits = re.match(r"\d+(?:\.(\d*))?", number)
    if best is None or best.value is None or digits is None:
        return None
    scale = parse_quantity(f"1 {unit}").value
    places = len(digits[1] or "")
    return best, round(best.value / scale, places) == float(digits[0])


def _stem(word: str) -> str:
    """A word as it is compared: lower case, singular."""
    low = word.lower().strip(".:")
    return _SAME.get(low) or (low[:-1] if len(low) > 3 and low.endswith("s") else low)  # noqa: PLR2004  # "os", "gas" stay
