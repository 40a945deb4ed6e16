"""Units: reading and writing quantities."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera import units
from pytest_chimera.errors import QuantityError


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("2 s", 2.0, "time"),
        ("250ms", 0.25, "time"),
        ("1.5 min", 90.0, "time"),
        ("30 tok/s", 30.0, "rate"),
        ("5%", 0.05, "ratio"),
        ("64 tokens", 64.0, "tokens"),
        ("2 GiB", 2.0 * 1024**3, "bytes"),
        ("40", 40.0, None),
        (".5", 0.5, None),
        ("1e3 us", 1e-3, "time"),
    ],
)
def test_reads_a_quantity(text: str, value: float, dimension: str | None) -> None:
    """A quantity is read as its value in the SI unit of what its unit measures."""
    assert units.parse_quantity(text) == units.Quantity(pytest.approx(value), dimension)


def test_refuses_an_unknown_unit_with_the_known_ones() -> None:
    """A unit that is not known is refused with the list of those that are, and with how to write one."""
    with pytest.raises(QuantityError) as caught:
        units.parse_quantity("3 fortnights")
    assert str(caught.value) == (
        "'3 fortnights' is not a quantity. Accepted: a number, alone or with one of the units ns, us, µs, ms, s, min, "
        "tok/s, tokens/s, tok, tokens, %, B, KiB, MiB, GiB. Write it as in '2 s', '250 ms' or '30 tok/s'."
    )


@pytest.mark.parametrize("text", ["30 tok/s", "soon"])
def test_refuses_a_duration_that_is_none(text: str) -> None:
    """Where a duration is asked for, all else is refused with the units of time and no others."""
    with pytest.raises(QuantityError) as caught:
        units.parse_seconds(text)
    assert str(caught.value) == f"'{text}' is not a duration. Accepted: seconds, or a number with ns, us, ms, s or min."


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever the text, reading it as a quantity gives a finite number or a QuantityError, nothing else."""
    with contextlib.suppress(QuantityError):
        assert units.parse_quantity(text).value >= 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"),
        (0.0, "0 s"),
        (4e-9, "4.00 ns"),
        (950e-6, "950 us"),
        (0.0482, "48.2 ms"),
        (0.99996, "1.00 s"),
        (1.236, "1.24 s"),
        (119.9, "120 s"),
        (119.96, "2 min 0 s"),
        (200, "3 min 20 s"),
        (-0.002, "-2.00 ms"),
    ],
)
def test_writes_seconds_for_people(value: float | None, text: str) -> None:
    """A duration is written with three significant digits in the unit a person would choose; unknown is said."""
    assert units.format_seconds(value) == text


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (48.46, "rate", "48.5 tok/s"),
        (1234.4, "rate", "1234 tok/s"),
        (0.125, "ratio", "12.5 %"),
        (0.0, "ratio", "0 %"),
        (128.0, "tokens", "128 tokens"),
        (3.0, "count", "3"),
        (2.5, "count", "2.5"),
        (2716206, "bytes", "2.59 MiB"),
        (12.0, "bytes", "12 B"),
        (None, "rate", "unknown"),
        (0.25, "time", "250 ms"),
    ],
)
def test_writes_a_value_with_its_unit(value: float | None, dimension: units.Dimension, text: str) -> None:
    """A value is written with the unit of what it measures."""
    assert units.format_value(value, dimension) == text


@given(st.floats(min_value=1e-9, max_value=1e6))
def test_written_seconds_read_back(value: float) -> None:
    """What is written of a duration below two minutes reads back as the same number to three digits."""
    text = units.format_seconds(value)
    if "min" not in text:
        assert units.parse_seconds(text) == pytest.approx(value, rel=0.006)


def test_rate_of_the_unknown_is_unknown() -> None:
    """A rate is None when count or duration is unknown or the duration is nothing: never zero, never infinite."""
    assert units.rate_per_s(None, 5) is None
    assert units.rate_per_s(5, None) is None
    assert units.rate_per_s(5, 0) is None
    assert units.rate_per_s(5, 500_000_000) == 10.0


@given(st.integers(min_value=0, max_value=10**15))
def test_nanoseconds_survive_the_way_through_seconds(value: int) -> None:
    """Nanoseconds turned into seconds and back are the same for any time below eleven days."""
    assert units.s_to_ns(units.ns_to_s(value)) == pytest.approx(value, rel=1e-15)
