"""The expectation that an answer asks its reader nothing.

Looked at is how the answer ends: its last paragraph and, where that is a list, the one before it. Code, headings,
quotations and rules are no paragraphs. Its last sentence, or an item of such a list, must not be a question, and
nowhere in it may stand what models offer or ask for at the end ("Let me know if ...", "Would you like ..."). A question
mark before a closing quotation mark is part of what is quoted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.suites.expectations.excerpt import place
from pytest_chimera.suites.expectations.outline import headings, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKS = "?\uff1f\u061f"
_QUOTES = "\"'\u201d\u2019\u00bb`"
_OFFER = re.compile(
    r"\b(?:would you like|do you want me to|shall i|should i|let me know (?:if|whether|what|which|how)|"
    r"(?:please )?feel free to (?:ask|reach|contact)|(?:happy|glad) to (?:help|assist|elaborate|provide|answer)|"
    r"(?:can|may|could) i (?:help|assist)|if you (?:need|have|want|would like|'d like) (?:any|more|further|me to)|"
    r"please (?:tell me|let me know|provide|specify|clarify|share|confirm)|don't hesitate to)\b",
    re.IGNORECASE,
)
_LIST = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_NOT_PROSE = re.compile(r" {0,3}(?:>|#{1,6}(?:[ \t]|$)|(?:[-*_][ \t]*){3,}$)")
_SENTENCE_ENDS = (".", "!", "?", "\uff1f", "\u061f", "\n")
_NOTHING, _BLANK, _OTHER = range(3)
"""What stands between a line and the last paragraph: nothing, blank lines, or what is no paragraph."""


class _Paragraph(NamedTuple):
    start: int
    end: int
    is_list: bool


def no_question(_: object, text: str) -> Iterator[str]:
    """The answer ends neither with a question nor with an offer."""
    for each in _closing(text):
        prose = text[each.start : each.end].replace("\u2019", "'")
        asked, offered = _question(prose, is_list=each.is_list), _OFFER.search(prose)
        found = (asked, asked + 1) if asked is not None else offered.span() if offered else None
        if found is not None:
            begin = 1 + max(prose.rfind(end, 0, found[0]) for end in _SENTENCE_ENDS)
            start = each.start + begin + (len(prose[begin:]) - len(prose[begin:].lstrip()))
            what = "a question" if asked is not None else "an offer or a request"
            yield f"no_question: it ends with {what}, in {place(text, start, each.start + found[1])}"
            return


def _question(prose: str, *, is_list: bool) -> int | None:
    """Where the question mark stands with which a paragraph, or an item of a list, ends."""
    start = 0
    for part in prose.splitlines(keepends=True) if is_list else (prose,):
        for at in range(len(part) - 1, -1, -1):
            if part[at] in _MARKS:
                return start + at
            if part[at].isalnum() or part[at] in _QUOTES:
                break
        start += len(part)
    return None


def _closing(text: str) -> list[_Paragraph]:
    """The last paragraph, and the one before where the last is a list."""
    paragraphs = _paragraphs(text)
    return paragraphs[-2:] if paragraphs and paragraphs[-1].is_list else paragraphs[-1:]


def _paragraphs(text: str) -> list[_Paragraph]:
    """What is neither code nor heading, quotation or rule, parted by blank lines and by where a list begins or ends."""
    heads = {each.start for each in headings(text)}
    found: list[_Paragraph] = []
    behind = _OTHER
    for line in lines(text):
        if not line.code and not line.text.strip():
            behind = max(behind, _BLANK)
            continue
        if line.code or line.start in heads or _NOT_PROSE.match(line.text):
            behind = _OTHER
            continue
        item, end = _LIST.match(line.text) is not None, line.start + len(line.text)
        within_list = item and bool(found) and found[-1].is_list
        if (behind == _NOTHING and item <= within_list) or (behind == _BLANK and within_list):
            found[-1] = found[-1]._replace(end=end)
        else:
            found.append(_Paragraph(line.start, end, item))
        behind = _NOTHING
    return found
