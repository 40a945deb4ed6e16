"""The numbers of a piece of text: value as written, unit, sign, hedge; and those that are no claim, with the reason."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pytest_chimera.report.claims.reasons import Place, no_claim
from pytest_chimera.report.claims.words import LONGEST_NUMBER, NUMBER, UNIT_AFTER, UNITS, Unit

if TYPE_CHECKING:
    from pytest_chimera.report.claims.settings import Setting
    from pytest_chimera.report.claims.text import Piece

Hedge = Literal["", "about", "over", "under", "lost", "spread"]
"""lost: a lone "=" before the number, which may have been "<=". spread: the number behind a "±"."""

_SEPARATED = re.compile(r"-|\s?[\u2013—]\s?|\s(?:to|and)\s")
_ABOUT = re.compile(
    r"(?:[~≈\u223c]|\b(?:about|around|approx(?:\.|imately)?|roughly|nearly|almost|circa|some|close to|near))"
    r"\s*[+\-\u2212$]?\s*$",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:(?<!-)>=?|≥|\b(?:over|more than|above|exceed(?:s|ed|ing)?|at least|beyond|greater than|upwards? of"
    r"|minimum of|(?:higher|larger|longer|hotter|bigger) than))\s*(?:an?\s)?$",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"(?:<=?|≤|\b(?:under|less than|below|at most|within|no more than|fewer than|sub-?"
    r"|maximum of|(?:lower|smaller|shorter|cooler) than))\s*(?:an?\s)?$",
    re.IGNORECASE,
)
_MORE = frozenset({"more", "above", "higher", "longer", "over", "greater"})
_OR_MORE = re.compile(
    r"\s*(?:or|and)\s(more|above|higher|longer|over|greater|less|fewer|lower|below|under|shorter)\b", re.IGNORECASE
)
_BEHIND = 20
_NEVER = re.compile(r"\b(?:never|not|none|no)\b[^.;]{0,24}$", re.IGNORECASE)
"""Turns a bound round: what never fell below 26 stayed above it."""
_LOST = re.compile(r"(?:^|[\s(])=\s?$")
_SPREAD = re.compile(r"(?:±|\+/-|\+-)\s*$")
_BOUND_NAME = re.compile(r"([A-Za-z][\w./%-]*)\s?=\s?~?$")
_COMPARED = re.compile(r"\W*(?:as|the|more|less|(?!per\b|over\b|after\b|under\b)\w+er)\b", re.IGNORECASE)
_SUFFIX = re.compile(r"[A-Za-z_/°µμ\u00d7%]+")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    piece: Piece
    start: int
    end: int
    """Of the digits with their sign, in the text of the piece."""
    text: str
    value: float
    """As written, sign included."""
    decimals: int
    unit: Unit | None
    close: int
    """Behind the unit."""
    hedge: Hedge = ""
    low: float | None = None
    """The lower end of a range, whose upper end is `value`."""
    low_decimals: int = 0
    signed: bool = False
    name: str = ""
    """Of name=value."""
    reason: str = ""
    """Why it is no claim; empty of a claim."""

    @property
    def whole(self) -> bool:
        """Whether it was written as an integer."""
        return self.decimals == 0 and self.low is None


def numbers_in(piece: Piece, settings: list[Setting]) -> list[Number]:
    """Every number of a piece, in order; the ends of a range are one."""
    found: list[Number] = []
    text = piece.text
    position = 0
    while (match := NUMBER.search(text, position)) is not None:
        position = match.end()
        if len(match[0]) > LONGEST_NUMBER:
            continue
        number = _number(piece, match, settings)
        if number is None:
            continue
        if found and _is_range(text, found[-1], number):
            found[-1] = _joined(found[-1], number)
        else:
            found.append(number)
    return [_with_unit_of(number, following) for number, following in zip(found, [*found[1:], None], strict=False)]


_SHARED = re.compile(r"\s*(?:vs\.?|versus|->|→|/|,|and|or|to)\s*[~≈]?\s*", re.IGNORECASE)


def _with_unit_of(number: Number, following: Number | None) -> Number:
    """A number without a unit shares that of the number it stands with: "102.85 vs 76.59 tok/s"."""
    if (
        following is None
        or number.unit is not None
        or following.unit is None
        or number.reason
        or number.name
        or number.piece.table
    ):
        return number
    between = number.piece.text[number.close : following.start]
    same = number.decimals == following.decimals or "vs" in between or "->" in between or "→" in between
    if not same or not _SHARED.fullmatch(between):
        return number
    return replace(number, unit=following.unit)


def _number(piece: Piece, match: re.Match[str], settings: list[Setting]) -> Number | None:
    text = piece.text
    start, end = match.span()
    if start and text[start - 1] in "-_" and start > 1 and text[start - 2].isalpha() and match[0][0].isdigit():
        return None  # the number of a name: "gpt-4"
    digits = match[0]
    unit = UNIT_AFTER.match(text, end)
    if (unit is None and _SUFFIX.match(text, end)) or _is_shape(text, start, unit):
        return None  # a name: "4th", "3x128"; a shape: "4 x 256"
    if unit is not None and not _is_unit(unit):
        unit = None
    token = _token(text, start, end)
    before = text[max(0, start - 40) : start]
    signed = digits[0] in "+-\u2212"
    if signed and start and text[start - 1].isdigit():
        return None
    return Number(
        piece=piece, start=start, end=end, text=digits,
        value=float(digits.replace(",", "").replace("\u2212", "-")),
        decimals=len(digits.lower().split("e")[0].partition(".")[2]),
        unit=UNITS[unit[2].lower()] if unit else None,
        close=unit.end() if unit else end,
        hedge=_hedge(before, text[end : end + 2], text[unit.end() if unit else end :][:_BEHIND]),
        signed=signed,
        name=bound[1] if (bound := _BOUND_NAME.search(before)) else "",
        reason=no_claim(Place(piece, start, end, token, before, unit is not None), settings),
    )  # fmt: skip


def _is_shape(text: str, start: int, unit: re.Match[str] | None) -> bool:
    """Whether a number is a side of "4 x 256"."""
    times = unit is not None and unit[2].lower() in {"x", "\u00d7"}
    if times and unit is not None and re.match(r"\s*\d", text[unit.end() : unit.end() + 4]):
        return True
    return re.search(r"\d\s?[x\u00d7]\s$", text[max(0, start - 6) : start]) is not None


def _is_unit(unit: re.Match[str]) -> bool:
    """Whether what reads like a unit is one: not in "5-token answers", nor in "measured 5 times"."""
    name = unit[2].lower()
    if "-" in unit[1] and UNITS[name].kind in {"tokens", "factor"}:
        return False
    return name not in {"times", "fold"} or _COMPARED.match(unit.string, unit.end()) is not None


def _token(text: str, start: int, end: int) -> str:
    """The run of characters without blanks around a number, cut to 80 on each side."""
    left = max(text.rfind(" ", 0, start) + 1, start - 80)
    right = text.find(" ", end)
    return text[left : min(len(text) if right < 0 else right, end + 80)]


def _hedge(before: str, sign: str, after: str) -> Hedge:
    if sign[:1] == "+" and sign[1:2] in {"", " ", ",", ".", ")", "|"}:
        return "over"
    if behind := _OR_MORE.match(after):
        return "over" if behind[1].lower() in _MORE else "under"
    if _NEVER.search(before):
        return "over" if _UNDER.search(before) else "under" if _OVER.search(before) else ""
    for pattern, hedge in ((_SPREAD, "spread"), (_ABOUT, "about"), (_OVER, "over"), (_UNDER, "under"), (_LOST, "lost")):
        if pattern.search(before):
            return hedge  # type: ignore[return-value]  # each is one of Hedge
    return ""


def _is_range(text: str, first: Number, second: Number) -> bool:
    between = text[first.close : second.start]
    if not _SEPARATED.fullmatch(between) or second.signed or first.reason != second.reason:
        return False
    kinds = {each.unit.kind for each in (first, second) if each.unit is not None}
    if len(kinds) > 1:
        return False
    if between.strip() == "and":
        return text[max(0, first.start - 9) : first.start].lower().rstrip(" ~").endswith("between")
    if first.unit is not None and first.unit != second.unit:
        return False
    if between.strip() == "to":
        return not text[max(0, first.start - 6) : first.start].lower().rstrip("~ ").endswith("from")
    return first.low is None and (first.unit is None or first.unit == second.unit) and first.value <= second.value


def _joined(first: Number, second: Number) -> Number:
    """Both as one range, in the unit of the second."""
    share = first.unit.scale / second.unit.scale if first.unit and second.unit else 1.0
    moved = round(math.log10(1 / share)) if share else 0
    return Number(
        piece=first.piece, start=first.start, end=second.end, text=first.piece.text[first.start : second.end],
        value=second.value, decimals=second.decimals, unit=second.unit, close=second.close, hedge=first.hedge,
        low=first.value * share, low_decimals=first.decimals + moved, name=first.name, reason=first.reason,
    )  # fmt: skip
