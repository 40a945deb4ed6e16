"""Expectations of the words of an answer and of how it ended."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from pytest_chimera.suites.expectations.excerpt import beginning, ending, place, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WORD = re.compile(r"\S+")


def contains(wanted: Sequence[str], text: str) -> Iterator[str]:
    """Every text of `wanted` stands in the answer, letter by letter."""
    for each in wanted:
        if each not in text:
            yield f"contains: {quoted(each)} is not in the answer{_nearly(each, text)}"


def max_words(most: int, text: str) -> Iterator[str]:
    """The answer has so many words at most; a word is what stands between white space."""
    count = len(text.split())
    if count > most:
        where = place(text, *next(islice(_WORD.finditer(text), most, None)).span())
        yield f"max_words: {_words(count)}, and {most} are the most; number {most + 1} is in {where}"


def min_words(fewest: int, text: str) -> Iterator[str]:
    """The answer has so many words at least."""
    count = len(text.split())
    if count < fewest:
        yield f"min_words: {_words(count)}, and {fewest} are the fewest{ending(text)}"


def stop_reason(accepted: Sequence[str], reason: str | None, text: str) -> Iterator[str]:
    """The server ended the answer for one of these reasons, such as "stop" or "length"."""
    if reason not in accepted:
        found = "for a reason that the server did not tell" if reason is None else f"by {quoted(reason)}"
        yield f"stop_reason: it ended {found}, and not by {' or '.join(map(quoted, accepted))}{ending(text)}"


def _nearly(wanted: str, text: str) -> str:
    """Where it stands in other letters or with other spaces; else how the answer begins."""
    words = wanted.split()
    found = re.search(r"\s+".join(map(re.escape, words)), text, re.IGNORECASE) if words else None
    if found is None:
        return beginning(text)
    return f"; in other letters or spaces it is in {place(text, *found.span())}"


def _words(count: int) -> str:
    return "1 word" if count == 1 else f"{count} words"
