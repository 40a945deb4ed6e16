"""Whether a number as written agrees with a value, and how often a random number would."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.report.claims.numbers import Number

Agreement = Literal["yes", "near", "no"]
"""near: true under another rounding, or of a bound only after rounding."""

_EPSILON = 1e-9
_SPREAD = 0.25
_MOST = 5_000
"""Numbers of one place that are counted one by one."""


def step_of(decimals: int) -> float:
    """One unit of the last digit."""
    return 10.0**-decimals


def tolerance(number: Number) -> float:
    """How far a value may be from a number as written."""
    step = step_of(number.decimals)
    if number.decimals == 0 and number.unit is not None and number.unit.kind == "factor":
        return min(step / 2, abs(number.value) * (0.2 if number.hedge == "about" else 0.12))  # 1.56x is no "2x"
    if number.hedge != "about":
        return step / 2
    if number.decimals == 0 and number.value and number.value % 10 == 0:
        digits = str(int(abs(number.value)))
        unit = 10.0 ** (len(digits) - len(digits.rstrip("0")))
        return min(unit / 2, abs(number.value) * 0.15)  # "around 30" is rounded to tens
    return step


def agreement(number: Number, value: float, *, signless: bool = False) -> Agreement:
    """Whether a value, in the unit of the number, is what was written."""
    written = abs(number.value) if signless else number.value
    value = abs(value) if signless else value
    if number.low is not None:
        return _in_range(number, value)
    close = abs(value - written) <= tolerance(number) + abs(written) * _EPSILON
    if number.hedge == "over":
        return _bound(
            value > written or (value == written and "+" in number.piece.text[number.close : number.close + 1]),
            rounds=close,
        )
    if number.hedge == "under":
        return _bound(value <= written + abs(written) * _EPSILON, rounds=close)
    if number.hedge == "lost":
        below = value <= written
        return "yes" if close and below else "near" if close or below else "no"
    if close:
        return "yes"
    return "near" if truncated(number, value) else "no"


def truncated(number: Number, value: float) -> bool:
    """Whether a value was cut where it should have been rounded: 187.98 as 187.9."""
    step = step_of(number.decimals)
    return (
        number.decimals > 0 and number.hedge == "" and math.trunc(value / step + _EPSILON) == round(number.value / step)
    )


def _bound(holds: bool, *, rounds: bool) -> Agreement:
    return "yes" if holds else "near" if rounds else "no"


def _in_range(number: Number, value: float) -> Agreement:
    assert number.low is not None, "only asked of ranges"
    low = number.low - step_of(number.low_decimals) / 2
    high = number.value + step_of(number.decimals) / 2
    slack = 1.0 if number.hedge == "about" else 0.0
    low, high = low - slack * step_of(number.low_decimals) / 2, high + slack * step_of(number.decimals) / 2
    return "yes" if low - _EPSILON <= value <= high + _EPSILON else "no"


_EXACT_DIGITS = 3


def exact_ends(number: Number) -> bool:
    """Whether a range is written so exactly that its ends must be the smallest and the largest value."""
    if number.low is None or number.hedge:
        return False
    return all(len(f"{end:g}".replace(".", "").strip("0")) >= _EXACT_DIGITS for end in (number.low, number.value))


def ends_agree(number: Number, low: float, high: float) -> bool:
    """Whether the ends of a range are these values, as written."""
    assert number.low is not None, "only asked of ranges"
    return (
        abs(low - number.low) <= step_of(number.low_decimals) / 2 + _EPSILON
        and abs(high - number.value) <= step_of(number.decimals) / 2 + _EPSILON
    )


def chance_of(number: Number, values: Iterable[float]) -> float:
    """The share of numbers within 25 % with as many decimals that would agree with one of some values."""
    found = list(values)
    if not found:
        return 0.0
    if number.low is not None:
        return _chance_of_range(number, found)
    step = step_of(number.decimals)
    ends = sorted((number.value * (1 - _SPREAD), number.value * (1 + _SPREAD)))
    low, high = math.ceil(ends[0] / step - _EPSILON), math.floor(ends[1] / step + _EPSILON)
    total = high - low + 1
    if total <= 0 or not math.isfinite(number.value):
        return 1.0
    if number.hedge in {"over", "under", "lost"}:
        return _chance_of_bound(number, found, low, high, step)
    agreeing: set[int] = set()
    width = tolerance(number)
    for value in found:
        if not math.isfinite(value):
            continue
        first = max(low, math.ceil((value - width) / step - _EPSILON))
        last = min(high, math.floor((value + width) / step + _EPSILON))
        agreeing.update(range(first, min(last, first + _MOST) + 1))
    return min(1.0, len(agreeing) / total)


def _chance_of_bound(number: Number, values: Sequence[float], low: int, high: int, step: float) -> float:
    if number.hedge == "over":
        edge = max(values)
        return min(1.0, max(0.0, (min(high, edge / step) - low + 1) / (high - low + 1)))
    edge = min(values)
    return min(1.0, max(0.0, (high - max(low, edge / step) + 1) / (high - low + 1)))


def _chance_of_range(number: Number, values: Sequence[float]) -> float:
    """Of the same range moved by up to 25 %."""
    assert number.low is not None, "only asked of ranges"
    tries = [1 - _SPREAD + _SPREAD * 2 * index / 40 for index in range(41)]
    good = 0
    for factor in tries:
        low = number.low * factor - step_of(number.low_decimals) / 2
        high = number.value * factor + step_of(number.decimals) / 2
        good += any(low <= value <= high for value in values)
    return good / len(tries)
