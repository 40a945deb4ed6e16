"""Numbers that no data judge, and why: settings, ids, versions, dates, requirements, forecasts, questions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.report.claims.clauses import clauses
from pytest_chimera.report.claims.words import COMPARISON, FORECAST, REQUIREMENT, REQUIREMENT_HEADING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.report.claims.numbers import Number
    from pytest_chimera.report.claims.settings import Setting
    from pytest_chimera.report.claims.text import Piece

_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?|\d{1,2}:\d{2}|\d{1,2}/\d{1,2}/\d{2,4}|\d{8}[-_T]\d{4,6}|\b(?:19|20)\d{6}\b")
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s(?:\d{1,2},?\s)?$", re.IGNORECASE)
_VERSION = re.compile(r"\d+\.\d+\.\d+|\bv\d", re.IGNORECASE)
_PATH = re.compile(
    r"://|[\\]|\.(?:csv|jsonl?|md|py|txt|log|ya?ml|html?|svg|png|toml|gguf|onnx|exe|bat|sh)\b|\w[/]\w+[/]\w",
    re.IGNORECASE,
)
_ID_BEFORE = re.compile(
    r"(?:\b(?:tests?|agent|phase|step|figure|fig\.|table|section|sec\.|chapter|appendix|scenario|report|tr|run|round|row|line"
    r"|case|item|regime|architecture|level|part|page|port|build|version|release|python|cuda|driver|rtx|gtx|ryzen|core|windows"
    r"|ubuntu|opset|gen|rank|top|question|option|note|issue|pr|commit|seed|gpu|cpu|layer|day|week|opus|winerror|http"
    r"|error|code|status|id|no\.|number)|#|§)\s?:?#?$",
    re.IGNORECASE,
)
_SOFTWARE = re.compile(
    r"\b(?:python|cuda|cudnn|driver|torch|pytorch|tensorrt|triton|version|release|windows|ubuntu|linux|ollama|llama\.cpp|pcie"
    r"|directx|onnx|transformers|node|go|rust|gcc|build)\s+v?$",
    re.IGNORECASE,
)
_ID_COLUMN = re.compile(
    r"^(?:#|no\.?|nr\.?|rank|id|test id|index|idx|run|round|row|line|step|port|version|seed|date|time|timestamp)$",
    re.IGNORECASE,
)
_OVER_DIGIT = re.compile(r"/\d")
_SETTINGS_LINE = re.compile(r"\s*(?:settings?|setup|configuration|options)\s*:", re.IGNORECASE)


class Place(NamedTuple):
    """A number where it stands."""

    piece: Piece
    start: int
    end: int
    token: str
    """The run of characters without blanks around it."""
    before: str
    """The text before it, cut."""
    has_unit: bool


_RULES: tuple[tuple[str, Callable[[Place], object]], ...] = (
    ("an id", lambda at: at.piece.table and _ID_COLUMN.match(at.piece.header.strip(" #").lower() or "x")),
    ("a date or time", lambda at: _DATE.search(at.token) or _MONTH.search(at.before)),
    ("a version", lambda at: _VERSION.search(at.token)),
    ("a version", lambda at: not at.has_unit and _SOFTWARE.search(at.before)),
    ("part of a name", lambda at: not at.has_unit and _PATH.search(at.token)),
    ("a setting", lambda at: not at.has_unit and _SETTINGS_LINE.match(at.piece.text)),
    ("part of a fraction", lambda at: re.search(r"\d/$", at.before) or _OVER_DIGIT.match(at.piece.text, at.end)),
    ("a price", lambda at: at.before.rstrip().endswith("$")),
    ("an id", lambda at: _is_bare_integer(at) and not at.piece.table and _ID_BEFORE.search(at.before)),
)  # fmt: skip


def _is_bare_integer(at: Place) -> bool:
    return not at.has_unit and "." not in at.piece.text[at.start : at.end]


def no_claim(at: Place, settings: list[Setting]) -> str:
    """Why a number claims nothing, by its form and what stands right before it; empty when it may."""
    if any(each.start <= at.start < each.end for each in settings):
        return "a setting"
    return next((reason for reason, holds in _RULES if holds(at)), "")


_TARGET_HEAD = re.compile(
    r"^\s*(?:target|goal|requirement|threshold|expected|estimate[d]?|limit|minimum required)\b", re.IGNORECASE
)
_FORECAST_START = re.compile(r"^\s*(?:expected|potential|projected|estimated)\b", re.IGNORECASE)
_TARGET_START = re.compile(r"^\s*(?:target|goal|requirement|minimum|recommended|optimal)s?\b[^:]{0,30}:", re.IGNORECASE)
_MILD = re.compile(r"\b(?:recommended|limit)\b", re.IGNORECASE)
_THEN = re.compile(r"[→>-]>?\s*(?:investigate|alert|fail|retry|scale)\b", re.IGNORECASE)
_TARGETS_LEAD = re.compile(r"\b(?:requirements?|targets?|goals?|criteria|thresholds?)\b[^.]{0,30}:$", re.IGNORECASE)
_BRACKET_REACH = 40
_QUESTION_REACH = 60


def not_about_data(number: Number) -> str:
    """Why a number states nothing about data, by the words around it; empty when it may."""
    return next((reason for reason, holds in _MEANINGS if holds(number)), "")


def _is_question(number: Number) -> bool:
    after = number.piece.text[number.close : number.close + _QUESTION_REACH]
    return "?" in after and not re.search(r"[.!]\s", after.split("?")[0])


def _clause(number: Number) -> str:
    """The clause around a number; a remark in brackets is of what stands before it."""
    text = number.piece.text
    low, high = clauses(text, number.start)[0][1:3]
    return text[max(0, low - _BRACKET_REACH) : high] if text[low:high].startswith("(") else text[low:high]


def _before(number: Number) -> str:
    return number.piece.text[clauses(number.piece.text, number.start)[1].low : number.start]


def _is_required(number: Number) -> bool:
    clause = _clause(number)
    if not REQUIREMENT.search(clause) and not _TARGET_START.search(_before(number)):
        return False
    return bool(number.hedge) or not _MILD.search(clause)


def _is_below_a_target(number: Number) -> bool:
    """Whether a heading or lead-in announces requirements or plans."""
    piece = number.piece
    heading = piece.section.headings[-1] if piece.section.headings else ""
    if REQUIREMENT_HEADING.search(heading) and not COMPARISON.search(heading):
        return True
    return bool(piece.leads) and _TARGETS_LEAD.search(piece.leads[-1]) is not None


_MEANINGS: tuple[tuple[str, Callable[[Number], object]], ...] = (
    ("a question", _is_question),
    ("a target or forecast", lambda number: _TARGET_HEAD.search(number.piece.header)),
    ("a forecast", lambda number: FORECAST.search(_clause(number)) or _FORECAST_START.search(_before(number))),
    ("a requirement or threshold", _is_required),
    ("a threshold", lambda number: _THEN.search(number.piece.text[number.close : number.close + _BRACKET_REACH])),
    ("a requirement or plan", _is_below_a_target),
)  # fmt: skip
