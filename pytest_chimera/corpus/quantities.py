"""Numbers as people and programs write them: grouped, signed, with a unit behind, or a word that says "nothing"."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_chimera.units import Dimension

NOTHING = frozenset(
    {"", "-", "--", "—", "\u2013", "n/a", "na", "nan", "null", "none", "nil", "#n/a", "inf", "-inf", "?"}
)
"""Cells that say that there is no value, in lower case."""

_BINARY = {"kb": 1024.0, "mb": 1024.0**2, "gb": 1024.0**3}
"""In names of columns programs mean powers of two: `memory_mb`."""

UNITS: dict[str, tuple[Dimension, float]] = {
    "ns": ("time", 1e-9), "nsec": ("time", 1e-9), "nsecond": ("time", 1e-9), "nanoseconds": ("time", 1e-9),
    "us": ("time", 1e-6), "µs": ("time", 1e-6), "μs": ("time", 1e-6), "usec": ("time", 1e-6),
    "usecond": ("time", 1e-6), "microseconds": ("time", 1e-6),
    "ms": ("time", 1e-3), "msec": ("time", 1e-3), "msecond": ("time", 1e-3), "millisecond": ("time", 1e-3),
    "milliseconds": ("time", 1e-3), "millis": ("time", 1e-3),
    "s": ("time", 1.0), "sec": ("time", 1.0), "secs": ("time", 1.0), "second": ("time", 1.0), "seconds": ("time", 1.0),
    "min": ("time", 60.0), "minute": ("time", 60.0), "minutes": ("time", 60.0), "h": ("time", 3600.0),
    "hours": ("time", 3600.0),
    "tok/s": ("rate", 1.0), "toks/s": ("rate", 1.0), "token/s": ("rate", 1.0), "tokens/s": ("rate", 1.0),
    "tok/sec": ("rate", 1.0), "tokens/sec": ("rate", 1.0), "token/sec": ("rate", 1.0), "tokens/second": ("rate", 1.0),
    "token/second": ("rate", 1.0), "t/s": ("rate", 1.0), "tps": ("rate", 1.0), "tokens per second": ("rate", 1.0),
    "%": ("ratio", 0.01), "percent": ("ratio", 0.01), "pct": ("ratio", 0.01), "x": ("ratio", 1.0),
    "\u00d7": ("ratio", 1.0),
    "b": ("bytes", 1.0), "byte": ("bytes", 1.0), "bytes": ("bytes", 1.0), "kb": ("bytes", 1e3), "mb": ("bytes", 1e6),
    "gb": ("bytes", 1e9), "tb": ("bytes", 1e12), "kib": ("bytes", 1024.0), "mib": ("bytes", 1024.0**2),
    "gib": ("bytes", 1024.0**3),
    "w": ("power", 1.0), "watt": ("power", 1.0), "watts": ("power", 1.0), "mw": ("power", 1e-3),
    "hz": ("frequency", 1.0), "khz": ("frequency", 1e3), "mhz": ("frequency", 1e6), "ghz": ("frequency", 1e9),
    "°c": ("celsius", 1.0), "degc": ("celsius", 1.0), "celsius": ("celsius", 1.0),
    "/s": ("per_second", 1.0), "req/s": ("per_second", 1.0), "requests/s": ("per_second", 1.0),
    "requests/sec": ("per_second", 1.0), "requests/second": ("per_second", 1.0), "words/s": ("per_second", 1.0),
    "token": ("tokens", 1.0), "tokens": ("tokens", 1.0), "tok": ("tokens", 1.0), "words": ("count", 1.0),
    "chars": ("count", 1.0), "characters": ("count", 1.0), "count": ("count", 1.0),
}  # fmt: skip
"""Unit as written, in lower case -> what it measures and its size in the SI unit."""

_NUMBER = re.compile(
    r"(?P<sign>[-+\u2212])?(?P<digits>\d{1,3}(?:,\d{2,3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)(?P<power>[eE][-+]?\d{1,3})?"
)
_LONGEST = 64
"""Characters of a cell that may be a number with its unit."""


class Written(NamedTuple):
    """A number with what stands behind it."""

    value: float
    """As written, in the unit as written."""
    unit: str | None
    """As written, in lower case; None for a bare number."""


def unit_of(text: str, *, in_name: bool = False) -> tuple[Dimension, float] | None:
    """What a unit measures and its size in SI; `in_name` for those in names of columns, where MB is 2^20 bytes."""
    unit = text.strip().lower()
    if in_name and unit in _BINARY:
        return "bytes", _BINARY[unit]
    return UNITS.get(unit)


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is no value."""
    return text.strip().lower() in NOTHING


def parse_written(text: str) -> Written | None:
    """Read "1,234.5", "22,80,000", "920.52 ms", "303.9 tok/s", "**+12 %**", "1.60x"; None for anything else.

    A number with a word behind it that is no unit is none: "q4_0", "8b-instruct", "5 of 6".
    """
    if text[:1].isalpha():  # words, "nan" and "inf" among them
        return None
    try:
        value = float(text)
    except ValueError:
        return _with_unit(text) if len(text) <= _LONGEST else None
    return Written(value, None) if math.isfinite(value) and "_" not in text else None


def _with_unit(text: str) -> Written | None:
    bare = text.strip().strip("*`~ ").lstrip("≈")
    match = _NUMBER.match(bare)
    if match is None:
        return None
    unit = bare[match.end() :].strip().strip("*` ").lower()
    if unit and unit not in UNITS:
        return None
    value = float(match["digits"].replace(",", "") + (match["power"] or ""))
    if not math.isfinite(value):
        return None
    return Written(-value if match["sign"] in {"-", "\u2212"} else value, unit or None)


def parse_decimal_comma(text: str) -> Written | None:
    """Read "1.234,56" and "0,5" as files with ";" between cells write them."""
    return parse_written(text.replace(".", "").replace(",", ".") if "," in text else text)
