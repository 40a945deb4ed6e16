"""The numbers of a piece of text: value as written, unit, sign, hedge; and those that are no claim, with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pytest_chimera.report.claims.words import LONGEST_NUMBER, NUMBER, UNIT_AFTER, UNITS, Unit

if TYPE_CHECKING:
    from pytest_chimera.report.claims.settings import Setting
    from pytest_chimera.report.claims.text import Piece

Hedge = Literal["", "about", "over", "under", "lost", "spread"]
"""lost: a lone "=" before the number, which may have been "<=". spread: the number behind a "±"."""

_SEPARATED = re.compile(r"-|\s?[\u2013—]\s?|\s(?:to|and)\s")
_ABOUT = re.compile(
    r"(?:[~≈\u223c]|\b(?:about|around|approx(?:\.|imately)?|roughly|nearly|almost|circa|some|close to|near))\s*[+\-\u2212$]?\s*$",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:(?<!-)>=?|≥|\b(?:over|more than|above|exceed(?:s|ed|ing)?|at least|beyond|greater than|upwards? of|minimum of))\s*(?:an?\s)?$",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"(?:<=?|≤|\b(?:under|less than|below|up to|at most|within|no more than|fewer than|sub-?|maximum of))\s*(?:an?\s)?$",
    re.IGNORECASE,
)
_LOST = re.compile(r"(?:^|[\s(])=\s?$")
_SPREAD = re.compile(r"(?:±|\+/-|\+-)\s*$")
_BOUND_NAME = re.compile(r"([A-Za-z][\w./%-]*)\s?=\s?~?$")
_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?|\d{1,2}:\d{2}|\d{1,2}/\d{1,2}/\d{2,4}|\d{8}[-_T]\d{4,6}|\b(?:19|20)\d{6}\b")
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s(?:\d{1,2},?\s)?$", re.IGNORECASE)
_VERSION = re.compile(r"\d+\.\d+\.\d+|\bv\d", re.IGNORECASE)
_PATH = re.compile(
    r"://|[\\]|\.(?:csv|jsonl?|md|py|txt|log|ya?ml|html?|svg|png|toml|gguf|onnx|exe|bat|sh)\b|\w[/]\w+[/]\w",
    re.IGNORECASE,
)
_ID_BEFORE = re.compile(
    r"(?:\b(?:tests?|agent|phase|step|figure|fig\.|table|section|sec\.|chapter|appendix|scenario|report|tr|run|round|row|line|case"
    r"|item|regime|architecture|level|part|page|port|build|version|release|python|cuda|driver|rtx|gtx|ryzen|core|windows"
    r"|ubuntu|opset|gen|rank|top|question|option|note|issue|pr|commit|seed|gpu|cpu|layer|day|week|opus|winerror|http"
    r"|error|code|status|id|no\.|number)|#|§)\s?:?#?$",
    re.IGNORECASE,
)
_SOFTWARE = re.compile(
    r"\b(?:python|cuda|cudnn|driver|torch|pytorch|tensorrt|triton|version|release|windows|ubuntu|linux|ollama|llama\.cpp|pcie|directx"
    r"|onnx|transformers|node|go|rust|gcc|build)\s+v?$",
    re.IGNORECASE,
)
_ID_COLUMN = re.compile(
    r"^(?:#|no\.?|nr\.?|rank|id|test id|index|idx|run|round|row|line|step|port|version|seed|date|time|timestamp)$",
    re.IGNORECASE,
)
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
    if unit is None and _SUFFIX.match(text, end):
        return None  # a name: "4th", "3x128"
    if (unit and unit[2].lower() in {"x", "\u00d7"} and re.match(r"\s*\d", text[unit.end() :])) or re.search(
        r"\d\s?[x\u00d7]\s$", text[:start][-6:]
    ):
        return None  # a shape: "4 x 256"
    if unit and unit[1].strip() and UNITS[unit[2].lower()].kind in {"tokens", "factor"}:
        unit = None  # "5-token answers": the token is no unit here
    if (
        unit
        and unit[2].lower() in {"times", "fold"}
        and not re.match(
            r"\W*(?:as|the|more|less|(?!per\b|over\b|after\b|under\b)\w+er)\b", text[unit.end() :], re.IGNORECASE
        )
    ):
        unit = None  # "5 times" counts repetitions
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
        hedge=_hedge(before, text[unit.end() if unit else end :][:2]),
        signed=signed,
        name=bound[1] if (bound := _BOUND_NAME.search(before)) else "",
        reason=_no_claim(piece, match, token, before, settings, unit is not None),
    )  # fmt: skip


def _token(text: str, start: int, end: int) -> str:
    """The run of characters without blanks around a number, cut to 80 on each side."""
    left = max(text.rfind(" ", 0, start) + 1, start - 80)
    right = text.find(" ", end)
    return text[left : min(len(text) if right < 0 else right, end + 80)]


def _hedge(before: str, after: str) -> Hedge:
    if after[:1] == "+" and after[1:2] in {"", " ", ",", ".", ")", "|"}:
        return "over"
    for pattern, hedge in ((_SPREAD, "spread"), (_ABOUT, "about"), (_OVER, "over"), (_UNDER, "under"), (_LOST, "lost")):
        if pattern.search(before):
            return hedge  # type: ignore[return-value]  # each is one of Hedge
    return ""


def _no_claim(
    piece: Piece, match: re.Match[str], token: str, before: str, settings: list[Setting], has_unit: bool
) -> str:  # fmt: skip
    """Why a number claims nothing; empty when it may."""
    start = match.start()
    if any(each.start <= start < each.end for each in settings):
        return "a setting"
    if piece.table and _ID_COLUMN.match(piece.header.strip(" #").lower() or "x"):
        return "an id"
    if (
        _DATE.search(token)
        or _MONTH.search(before)
        or (re.search(r"\d{1,2}$", before) and "/" in token and _DATE.search(token))
    ):
        return "a date or time"
    if _VERSION.search(token):
        return "a version"
    if not has_unit and _SOFTWARE.search(before):
        return "a version"
    if _PATH.search(token) and not has_unit:
        return "part of a name"
    if re.match(r"\s*(?:settings?|setup|configuration|options)\s*:", piece.text, re.IGNORECASE) and not has_unit:
        return "a setting"
    if re.search(r"\d/$", before) or re.match(r"/\d", piece.text[match.end() :]):
        return "part of a fraction"
    if before.endswith("$") or before.endswith("$ "):
        return "a price"
    if not has_unit and "." not in match[0] and _ID_BEFORE.search(before) and not piece.table:
        return "an id"
    return ""


def _is_range(text: str, first: Number, second: Number) -> bool:
    between = text[first.close : second.start]
    if not _SEPARATED.fullmatch(between) or second.signed or first.reason != second.reason:
        return False
    if between.strip() == "and":
        return text[max(0, first.start - 9) : first.start].lower().rstrip().endswith("between")
    if first.unit is not None and first.unit != second.unit:
        return False
    if between.strip() == "to":
        return not text[max(0, first.start - 6) : first.start].lower().rstrip("~ ").endswith("from")
    return first.low is None and (first.unit is None or first.unit == second.unit) and first.value <= second.value


def _joined(first: Number, second: Number) -> Number:
    return Number(
        piece=first.piece, start=first.start, end=second.end, text=first.piece.text[first.start : second.end],
        value=second.value, decimals=second.decimals, unit=second.unit, close=second.close, hedge=first.hedge,
        low=first.value, low_decimals=first.decimals, name=first.name, reason=first.reason,
    )  # fmt: skip
