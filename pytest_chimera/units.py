"""Units: the only place where nanoseconds become anything else, and where quantities are read and written.

Values inside the package are SI (seconds, bytes, tokens/s) or integers of nanoseconds with `_ns` in their name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pytest_chimera.errors import QuantityError

Dimension = Literal["time", "rate", "tokens", "count", "ratio", "bytes", "power", "frequency", "per_second", "celsius"]
"""What a value measures. SI unit of each: s, tokens/s, tokens, 1, 1, bytes, W, Hz, 1/s; and degrees Celsius."""

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

UNKNOWN = "unknown"
"""How a value that is None is printed. It is never 0."""

_UNIT_SCALE: dict[str, tuple[Dimension, float]] = {
    "ns": ("time", 1e-9),
    "us": ("time", 1e-6),
    "µs": ("time", 1e-6),
    "ms": ("time", 1e-3),
    "s": ("time", 1.0),
    "min": ("time", 60.0),
    "tok/s": ("rate", 1.0),
    "tokens/s": ("rate", 1.0),
    "tok": ("tokens", 1.0),
    "tokens": ("tokens", 1.0),
    "%": ("ratio", 0.01),
    "B": ("bytes", 1.0),
    "KiB": ("bytes", 1024.0),
    "MiB": ("bytes", 1024.0**2),
    "GiB": ("bytes", 1024.0**3),
}
_OWN_UNITS: dict[str, tuple[float, str]] = {
    "rate": (1.0, "tok/s"),
    "ratio": (0.01, "%"),
    "power": (1.0, "W"),
    "frequency": (1e6, "MHz"),
    "per_second": (1.0, "/s"),
    "celsius": (1.0, "°C"),
}
"""Dimensions that are always printed in one unit: its scale and name."""
_TINY = 0.0005 / 100
_LEAST = "< 0.001"
"""What is printed of a share above zero that would read 0.000 %."""
_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)\s*(\S*)\s*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what it measures; `dimension` is None for a bare number."""

    value: float
    """In the SI unit of the dimension."""
    dimension: Dimension | None


def parse_quantity(text: str) -> Quantity:
    """Read "2 s", "250ms", "30 tok/s", "5%" or a bare "40".

    Raises QuantityError with the known units.
    """
    match = _NUMBER.fullmatch(text)
    if match is None or (match[2] and match[2] not in _UNIT_SCALE):
        raise QuantityError(
            f"{text!r} is not a quantity.",
            f"Accepted: a number, alone or with one of the units {', '.join(_UNIT_SCALE)}.",
            "Write it as in '2 s', '250 ms' or '30 tok/s'.",
        )
    if not match[2]:
        return Quantity(float(match[1]), None)
    dimension, scale = _UNIT_SCALE[match[2]]
    return Quantity(float(match[1]) * scale, dimension)


def parse_seconds(text: str) -> float:
    """Read a duration, "90", "90 s", "1500 ms" or "2 min", as seconds.

    Raises QuantityError.
    """
    try:
        quantity = parse_quantity(text)
    except QuantityError:
        quantity = None
    if quantity is None or quantity.dimension not in {None, "time"}:
        raise QuantityError(
            f"{text!r} is not a duration.", "Accepted: seconds, or a number with ns, us, ms, s or min.", ""
        )
    return quantity.value


def ns_to_s(value: int) -> float:
    """Nanoseconds to seconds."""
    return value / NS_PER_S


def s_to_ns(value: float) -> int:
    """Seconds to whole nanoseconds."""
    return round(value * NS_PER_S)


def s_to_ms(value: float) -> float:
    """Seconds to milliseconds."""
    return value * 1e3


def rate_per_s(count: int | None, duration_ns: int | None) -> float | None:
    """`count` per second over `duration_ns`; None when either is unknown or the duration is not positive."""
    if count is None or duration_ns is None or duration_ns <= 0:
        return None
    return count * NS_PER_S / duration_ns


def format_seconds(value: float | None) -> str:
    """A duration for people, three significant digits: "950 us", "48.2 ms", "1.24 s", "3 min 20 s", "unknown"."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    if size == 0:
        return "0 s"
    if size >= 119.95:  # noqa: PLR2004  # two minutes as it would print: the switch to minutes
        minutes, seconds = divmod(round(value), 60)
        return f"{minutes} min {seconds} s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if size >= scale * 0.9995:
            return f"{_three_digits(value / scale)} {unit}"
    return f"{_three_digits(value / 1e-9)} ns"


def format_value(value: float | None, dimension: Dimension) -> str:
    """A value of the dimension for people, with its unit; "unknown" for None."""
    if value is None:
        return UNKNOWN
    if dimension == "time":
        return format_seconds(value)
    if dimension == "bytes":
        return format_bytes(value)
    if dimension == "ratio" and 0 < abs(value) < _TINY:
        return f"{_LEAST} %"
    if dimension in _OWN_UNITS:
        scale, unit = _OWN_UNITS[dimension]
        return f"{_three_digits(value / scale)} {unit}"
    text = f"{value:.0f}" if value == round(value) else f"{value:.1f}"
    return f"{text} tokens" if dimension == "tokens" else text


def format_bytes(value: float | None) -> str:
    """A size for people in binary units: "2.59 MiB"; "unknown" for None."""
    if value is None:
        return UNKNOWN
    for unit, scale in (("GiB", 1024.0**3), ("MiB", 1024.0**2), ("KiB", 1024.0)):
        if abs(value) >= scale:
            return f"{_three_digits(value / scale)} {unit}"
    return f"{value:.0f} B"


def _three_digits(value: float) -> str:
    """Three significant digits without an exponent: 1240, 124, 12.4, 1.24, 0.124."""
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 99.95:  # noqa: PLR2004  # as it would print: 99.95 is 100, not 99.9
        return f"{value:.0f}"
    if size >= 9.995:  # noqa: PLR2004  # same
        return f"{value:.1f}"
    if size >= 0.9995:  # noqa: PLR2004  # same
        return f"{value:.2f}"
    return f"{value:.3f}"
