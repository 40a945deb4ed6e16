"""The numbers of a piece of text: value as written, unit, sign, hedge; and those that are no claim, with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from pytest_chimera.report.claims.words import UNIT_AFTER, UNITS, Unit, words_in

if TYPE_CHECKING:
    from pytest_chimera.report.claims.text import Piece

Hedge = Literal["", "about", "over", "under", "lost", "spread"]
"""lost: a lone "=" before the number, which may have been "<=". spread: the number behind a "±"."""

_NUMBER = re.compile(r"(?<![\w.,])[+\-−]?(?:\d{1,3}(?:,\d{3})+(?!\d|,\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d])")
_LONGEST = 24
"""Characters; longer runs of digits are ids."""
_SEPARATED = re.compile(r"-|\s?[–—]\s?|\s(?:to|and)\s")
_ABOUT = re.compile(
    r"(?:[~≈∼]|\b(?:about|around|approx(?:\.|imately)?|roughly|nearly|almost|circa|some|close to|near))\s*[+\-−$]?\s*$",
    re.I,
)
_OVER = re.compile(
    r"(?:(?<!-)>=?|≥|\b(?:over|more than|above|exceed(?:s|ed|ing)?|at least|beyond|greater than|upwards? of|minimum of))\s*(?:an?\s)?$",
    re.I,
)
_UNDER = re.compile(
    r"(?:<=?|≤|\b(?:under|less than|below|up to|at most|within|no more than|fewer than|sub-?|maximum of))\s*(?:an?\s)?$",
    re.I,
)
_LOST = re.compile(r"(?:^|[\s(])=\s?$")
_SPREAD = re.compile(r"(?:±|\+/-|\+-)\s*$")
_BOUND_NAME = re.compile(r"([A-Za-z][\w./%-]*)\s?=\s?~?$")
_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?|\d{1,2}:\d{2}|\d{1,2}/\d{1,2}/\d{2,4}|\d{8}[-_T]\d{4,6}|\b(?:19|20)\d{6}\b")
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s(?:\d{1,2},?\s)?$", re.I)
_VERSION = re.compile(r"\d+\.\d+\.\d+|\bv\d", re.I)
_PATH = re.compile(
    r"://|[\\]|\.(?:csv|jsonl?|md|py|txt|log|ya?ml|html?|svg|png|toml|gguf|onnx|exe|bat|sh)\b|\w[/]\w+[/]\w", re.I
)
_ID_BEFORE = re.compile(
    r"(?:\b(?:tests?|agent|phase|step|figure|fig\.|table|section|sec\.|chapter|appendix|scenario|report|tr|run|round|row|line|case"
    r"|item|regime|architecture|level|part|page|port|build|version|release|python|cuda|driver|rtx|gtx|ryzen|core|windows"
    r"|ubuntu|opset|gen|rank|top|question|option|note|issue|pr|commit|seed|gpu|cpu|layer|day|week|opus|winerror|http"
    r"|error|code|status|id|no\.|number)|#|§)\s?:?#?$",
    re.I,
)
_SOFTWARE = re.compile(
    r"\b(?:python|cuda|cudnn|driver|torch|pytorch|tensorrt|triton|version|release|windows|ubuntu|linux|ollama|llama\.cpp|pcie|directx"
    r"|onnx|transformers|node|go|rust|gcc|build)\s+v?$",
    re.I,
)
_ID_COLUMN = re.compile(
    r"^(?:#|no\.?|nr\.?|rank|id|test id|index|idx|run|round|row|line|step|port|version|seed|date|time|timestamp)$", re.I
)
_SUFFIX = re.compile(r"[A-Za-z_/°µμ×%]+")

_PARAMETERS = (
    ("num_gpu", r"num_gpu|n_gpu_layers|(?:num[_ ])?gpu[_ -]layers?|ngl|gpu(?==)|gpu(?: layers)? offload"),
    ("num_ctx", r"num_ctx|n_ctx|ctx|context(?:[_ ](?:size|window|length))?"),
    ("temperature", r"temperatures?|temps?"),
    ("num_predict", r"num_predict|max_(?:new_)?tokens|n_predict"),
    ("num_batch", r"num_batch|n_batch"),
    ("num_thread", r"num_threads?|n_threads|threads"),
    ("batch_size", r"batch(?:[_ ]size)?"),
    ("concurrency", r"concurrency|parallel(?:ism)?|num_parallel|concurrent (?:users|requests|agents)"),
    ("seed", r"seed"), ("top_p", r"top[_-]p"), ("top_k", r"top[_-]k"), ("min_p", r"min[_-]p"),
    ("repeat_penalty", r"repe(?:at|tition)_penalty"),
)  # fmt: skip
"""Setting -> what people call it."""
_COUNTED_SETTING = re.compile(
    r"\s?-?\s?(?:(?:gpu )?(?P<num_gpu>layers?)|[kK]?[- ]?(?:tokens?[- ])?(?P<num_ctx>contexts?|ctx)"
    r"|(?P<concurrency>(?:concurrent|parallel|simultaneous) (?:users?|requests?|clients?|streams?|sessions?|agents?))"
    r"|(?P<num_thread>threads?))\b",
    re.I,
)


class Setting(NamedTuple):
    """A setting as a text states it."""

    start: int
    end: int
    name: str
    values: tuple[float, ...]
    """One, several ("0.4, 0.8"), or the ends of a range."""
    relation: Literal["=", "range", "<", ">"] = "="


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


@lru_cache(maxsize=256)
def setting_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """The pattern of a setting's name, with those of the data."""
    known = {name for name, _ in _PARAMETERS}
    parts = [f"(?P<{name}>{pattern})" for name, pattern in _PARAMETERS]
    more = [f"(?P<{name}>{re.escape(name)})" for name in names if name not in known and name.isidentifier()]
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join([*more, *parts])})(?![A-Za-z0-9])", re.I)


def setting_of(head: str, names: tuple[str, ...]) -> str | None:
    """The setting that the head of a column names, when it names nothing else."""
    match = setting_pattern(names).search(head)
    if match is None or words_in("metric", head[: match.start()] + " " + head[match.end() :]):
        return None
    rest = re.sub(
        r"[\W\d_]+|\b(?:gpu|layers|size|window|param|parameter|value|sampling|tokens|chimera)\b",
        "",
        head[: match.start()] + head[match.end() :],
        flags=re.I,
    )
    return match.lastgroup if len(rest) <= 2 else None  # noqa: PLR2004  # "GPU 1", "CTX B"


_AFTER_NAME = re.compile(r"[\s`)]*(?:=|:|<=?|>=?|≤|≥|\bof\b|\bto\b|\bat\b|\bis\b|\()?[\s\[({]*")
_VALUES = re.compile(
    r"(\d+(?:\.\d+)?)(?:(\s?[-–]\s?|\sto\s)(\d+(?:\.\d+)?)|((?:\s?(?:,|/|and|or|&)\s?\d+(?:\.\d+)?(?![\w%]))*))"
)


def settings_in(text: str, names: tuple[str, ...]) -> list[Setting]:
    """What a text says of settings: "num_gpu=40", "temperature 0.4-0.8", "4096-token context"."""
    found: list[Setting] = []
    for match in setting_pattern(names).finditer(text):
        between = _AFTER_NAME.match(text, match.end())
        assert between is not None, "it matches nothing, too"
        values = _VALUES.match(text, between.end())
        if values is None:
            continue
        unit = UNIT_AFTER.match(text, values.end())
        if unit and UNITS[unit[2].lower()].kind not in {"tokens"}:
            continue
        name = match.lastgroup
        assert name is not None, "every alternative is named"
        found.append(_setting(values, name, between[0], match.start()))
    found += _counted(text, found)
    return found


def _setting(values: re.Match[str], name: str, between: str, start: int) -> Setting:
    first = float(values[1])
    if values[3]:
        return Setting(start, values.end(), name, (first, float(values[3])), "range")
    if values[4]:
        more = tuple(float(each) for each in re.findall(r"\d+(?:\.\d+)?", values[4])[:20])
        return Setting(start, values.end(), name, (first, *more))
    relation: Literal["=", "<", ">"] = "<" if "<" in between else ">" if ">" in between else "="
    return Setting(start, values.end(), name, (first,), relation)


def _counted(text: str, found: list[Setting]) -> list[Setting]:
    """Settings whose number stands first: "80 layers", "2048 context"."""
    more = []
    for match in _NUMBER.finditer(text):
        noun = _COUNTED_SETTING.match(text, match.end())
        if noun and len(match[0]) <= _LONGEST and not any(each.start <= match.start() < each.end for each in found):
            value = float(match[0].replace(",", "").replace("−", "-"))
            name = noun.lastgroup or ""
            first = re.search(r"(?<![\w.])(\d+)\s?[-–/]$", text[max(0, match.start() - 12) : match.start()])
            if first:
                begin = match.start() - len(first[0])
                more.append(Setting(begin, noun.end(), name, (float(first[1]), value), "range"))
            else:
                more.append(Setting(match.start(), noun.end(), name, (value,)))
    return more


def numbers_in(piece: Piece, settings: list[Setting]) -> list[Number]:
    """Every number of a piece, in order; the ends of a range are one."""
    found: list[Number] = []
    text = piece.text
    position = 0
    while (match := _NUMBER.search(text, position)) is not None:
        position = match.end()
        if len(match[0]) > _LONGEST:
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
    if (unit and unit[2].lower() in {"x", "×"} and re.match(r"\s*\d", text[unit.end() :])) or re.search(
        r"\d\s?[x×]\s$", text[:start][-6:]
    ):
        return None  # a shape: "4 x 256"
    if unit and unit[1].strip() and UNITS[unit[2].lower()].kind in {"tokens", "factor"}:
        unit = None  # "5-token answers": the token is no unit here
    if (
        unit
        and unit[2].lower() in {"times", "fold"}
        and not re.match(r"\W*(?:as|the|more|less|(?!per\b|over\b|after\b|under\b)\w+er)\b", text[unit.end() :], re.I)
    ):
        unit = None  # "5 times" counts repetitions
    token = _token(text, start, end)
    before = text[max(0, start - 40) : start]
    signed = digits[0] in "+-−"
    if signed and start and text[start - 1].isdigit():
        return None
    return Number(
        piece=piece, start=start, end=end, text=digits,
        value=float(digits.replace(",", "").replace("−", "-")),
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
        or re.search(r"\d{1,2}$", before)
        and "/" in token
        and _DATE.search(token)
    ):
        return "a date or time"
    if _VERSION.search(token):
        return "a version"
    if not has_unit and _SOFTWARE.search(before):
        return "a version"
    if _PATH.search(token) and not has_unit:
        return "part of a name"
    if re.match(r"\s*(?:settings?|setup|configuration|options)\s*:", piece.text, re.I) and not has_unit:
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
