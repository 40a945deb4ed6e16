"""A text without the sentences that do not hold."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_chimera.report.claims.clauses import SENTENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.report.claims.claim import Claim

_OWN_LINE = re.compile(r"\s*(?:[-*+•|#>]|\d{1,3}[.)]\s|$)")


def struck(text: str, claims: Iterable[Claim]) -> tuple[str, int]:
    """The text without the sentences that hold a claim which is not supported, and how many those were.

    A sentence may go over several lines; items of lists, rows of tables and headings end with their line.
    """
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    bad = [
        starts[each.line - 1] + each.start for each in claims
        if each.verdict not in {"supported", "not checkable"} and each.line <= len(lines)
    ]  # fmt: skip
    kept: list[str] = []
    count = 0
    for start, end in _sentences(text, lines, starts):
        if any(start <= place < end for place in bad):
            count += 1
            if text[start:end].endswith("\n") and kept and not kept[-1].endswith("\n"):
                kept.append("\n")
        else:
            kept.append(text[start:end])
    return "".join(kept), count


def _sentences(text: str, lines: Sequence[str], starts: Sequence[int]) -> Iterable[tuple[int, int]]:
    """The sentences of a text with the white space behind them, in order, covering all of it."""
    begin = 0
    for number in range(1, len(lines) + 1):
        over = number == len(lines)
        if over or _OWN_LINE.match(lines[number]) or _OWN_LINE.match(lines[number - 1]):
            yield from _split(text, begin, min(starts[number], len(text)))
            begin = starts[number]


def _split(text: str, begin: int, end: int) -> Iterable[tuple[int, int]]:
    block = text[begin:end]
    edges = [0, *(match.end() for match in SENTENCE.finditer(block)), len(block)]
    for low, high in pairwise(edges):
        if high > low:
            yield begin + low, begin + high
