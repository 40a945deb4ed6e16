"""Values to the bytes that Ollama's Go server writes: compact JSON, Go's escapes and numbers, RFC 3339 with ns.

No sockets and no clock; reading the same bytes is `wire.stream`'s. Key order is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from time import gmtime, strftime
from typing import Any

_NS_PER_S = 1_000_000_000  # of the wire format itself: RFC 3339 fractions are decimal digits of a second
# encoding/json escapes these so that its output can stand inside HTML and JavaScript.
_HTML = re.compile("[<>&\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_GO_EXPONENT_MIN, _GO_EXPONENT_MAX = 1e-6, 1e21


def encode_json(value: Any) -> bytes:
    """`value` (dicts, lists, tuples, str, numbers, bool, None) as encoding/json writes it.

    Raises ValueError for NaN and infinities, TypeError for other types.
    """
    return _text(value).encode()


def encode_line(value: Any) -> bytes:
    """One line of an NDJSON stream, newline included."""
    return (_text(value) + "\n").encode()


def encode_error(message: str) -> bytes:
    """The body of an error answer: `{"error":"..."}`."""
    return encode_json({"error": message})


def format_time(epoch_ns: int) -> str:
    """Wall clock ns as Go's RFC3339Nano in UTC: trailing zeros of the fraction are dropped, and with it the point."""
    seconds, fraction = divmod(epoch_ns, _NS_PER_S)
    if not fraction:
        return _whole_seconds(seconds) + "Z"
    return f"{_whole_seconds(seconds)}.{fraction:09d}".rstrip("0") + "Z"


@lru_cache(maxsize=4)
def _whole_seconds(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (dict, Mapping)):
        return "{" + ",".join([_string(key) + ":" + _text(item) for key, item in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([_text(item) for item in value]) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _string(value: str) -> str:
    text = encode_basestring(value)
    if text.isascii():
        if "<" in text or ">" in text or "&" in text:
            return _HTML.sub(_escape, text)
        return text
    # A lone surrogate stands for bytes that were no UTF-8; Go writes the replacement character for them.
    return _SURROGATE.sub(r"\\ufffd", _HTML.sub(_escape, text))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _number(value: float) -> str:
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124  # NaN is what differs from itself
        raise ValueError(f"{value} has no JSON form")
    if value == 0:
        return "0" if str(value) == "0.0" else "-0"
    text = float.__repr__(value)
    if _GO_EXPONENT_MIN <= abs(value) < _GO_EXPONENT_MAX:
        return _plain_number(text)
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    return f"{mantissa.removesuffix('.0')}e{'-' if power < 0 else '+'}{abs(power)}"


def _plain_number(text: str) -> str:
    """The shortest digits of repr without an exponent and without an empty fraction."""
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    power = int(exponent)
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{whole}{fraction.removesuffix('0') if fraction == '0' else fraction}"
    return f"{sign}{whole}{fraction.ljust(power, '0')}" if fraction != "0" else f"{sign}{whole}{'0' * power}"
