"""Numbers as they are written, and those that claim nothing."""

from __future__ import annotations

import pytest

from pytest_chimera.report.claims.numbers import Number, numbers_in
from pytest_chimera.report.claims.settings import settings_in
from pytest_chimera.report.claims.text import Reader


def numbers(text: str) -> list[Number]:
    """The numbers of a line."""
    (piece,) = Reader(text).read()
    return numbers_in(piece, settings_in(piece.text, ()))


@pytest.mark.parametrize(
    ("text", "value", "low", "unit", "hedge"),
    [
        ("took 1,024.5 ms", 1024.5, None, "ms", ""),
        ("took ~1.5s", 1.5, None, "s", "about"),
        ("about 17 %", 17.0, None, "%", "about"),
        ("more than 60% gain", 60.0, None, "%", "over"),
        ("102+ tokens/second", 102.0, None, "tokens/second", "over"),
        ("<= 0.12 s", 0.12, None, "s", "under"),
        ("stayed =0.14 s", 0.14, None, "s", "lost"),
        ("99.2 ± 0.3 tok/s", 0.3, None, "tok/s", "spread"),
        ("65-70 tok/s", 70.0, 65.0, "tok/s", ""),
        ("5-10x lower", 10.0, 5.0, "x", ""),
        ("between 2 and 3 s", 3.0, 2.0, "s", ""),
        ("at -11.4 tok/s", -11.4, None, "tok/s", ""),
        ("46.57 -> 65.18 ms", 65.18, None, "ms", ""),
    ],
)
def test_a_number_is_read_as_it_was_written(
    text: str, value: float, low: float | None, unit: str, hedge: str
) -> None:  # fmt: skip
    """Value, range, unit and hedge of a number are those that stand there."""
    number = numbers(text)[-1]
    assert (number.value, number.low, number.unit and number.unit.name, number.hedge) == (value, low, unit, hedge)


def test_two_numbers_share_the_unit_behind_the_second() -> None:
    """In "102.85 vs 76.59 tok/s" both are throughputs."""
    assert [each.unit and each.unit.name for each in numbers("it won (102.85 vs 76.59 tok/s)")] == ["tok/s", "tok/s"]


@pytest.mark.parametrize("text", ["q4_0", "llama3.1:8b-instruct", "the 4th run", "3x128x128", "4 x 256 wide", "gpt-4"])
def test_the_digits_of_names_and_shapes_are_no_numbers(text: str) -> None:
    """Digits that are part of a name are not taken for numbers."""
    assert numbers(text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("on 2025-10-08", "a date or time"),
        ("at 12:30", "a date or time"),
        ("torch 2.8.0", "a version"),
        ("Python 3.12 was used", "a version"),
        ("num_ctx=2048", "a setting"),
        ("temperature 0.4-0.8", "a setting"),
        ("with 80 layers", "a setting"),
        ("4096-token context", "a setting"),
        ("Figure 3 shows", "an id"),
        ("costs $12", "a price"),
        ("in 3/5 runs", "part of a fraction"),
    ],
)
def test_a_number_that_claims_nothing_says_why(text: str, reason: str) -> None:
    """Dates, versions, settings, ids and prices carry the reason why no data judge them."""
    assert {each.reason for each in numbers(text)} == {reason}
