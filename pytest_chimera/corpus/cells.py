"""What names of columns and keys make of their values, the same for tables, JSON and Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.models import read_model
from pytest_chimera.corpus.quantities import Written, is_nothing, parse_written
from pytest_chimera.corpus.times import read_time

if TYPE_CHECKING:
    from pytest_chimera.corpus.rows import Row

_LONGEST_LABEL = 400
_FLOAT32 = 1e-7
"""Relative error of a number that once was a float32."""
_LONGEST_OPTIONS = 10_000
_LARGEST_COUNT = 1e12


def without_noise(value: float) -> float:
    """A setting as it was meant: 0.800000011920929, once a float32, is 0.8."""
    rounded = round(value, 6)
    return rounded if rounded != value and abs(rounded - value) <= _FLOAT32 * abs(value) else value


def setting_value(value: Any) -> float | str | None:
    """A setting as a number, else as text; None when it says nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        number = number_value(value)
        return None if number is None else without_noise(number.value)
    if value is None or is_nothing(str(value)):
        return None
    written = parse_written(str(value))
    if written is not None and written.unit in {None, "tokens", "token"}:
        return without_noise(written.value)
    return label_value(value)


def label_value(value: Any) -> str:
    """A label in one line of bounded length."""
    return " ".join(str(value).split()).strip("*`")[:_LONGEST_LABEL]


def number_value(value: Any, *, comma: bool = False) -> Written | None:
    """A number from a cell of a table or a value of JSON."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        try:
            number = float(value)
        except OverflowError:  # a whole number of hundreds of digits
            return None
        return Written(number, None) if number - number == 0 else None  # neither infinite nor NaN
    if not isinstance(value, str):
        return None
    if comma:
        from pytest_chimera.corpus.quantities import parse_decimal_comma  # noqa: PLC0415  # rare

        return parse_decimal_comma(value)
    return parse_written(value)


def count_value(value: Any) -> int | None:
    """How many values an aggregate was made from; None for what cannot be such a number."""
    written = number_value(value)
    return int(written.value) if written is not None and 1 <= written.value <= _LARGEST_COUNT else None


def set_model(row: Row, text: str) -> bool:
    """Give a row its model; False when the text is no name of one."""
    model = read_model(text)
    if model is None:
        return False
    row.model, row.quantization, row.size = model
    return True


def set_time(row: Row, value: Any) -> bool:
    """Give a row its time; of several the last stands. False when the value is no time."""
    found = read_time(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    if found is None:
        return False
    row.time, row.zone = found
    return True


def options_of(value: Any) -> dict[str, Any] | None:
    """The settings in a cell that holds JSON, or a mapping; None when it holds neither."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or not value.startswith("{") or len(value) > _LONGEST_OPTIONS:
        return None
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
