"""What must not change a verdict, and what must: order of rows, units, names, other files, wrong digits."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import Measurement
    from pytest_chimera.report.check import Checked

TEXTS = (
    "toy:a reaches 80.0 tok/s on average",
    "toy:b averages 80.0 tok/s",
    "Mean TTFT of toy:a: 0.114 s",
    "Mean warm TTFT of toy:a: 114 ms",
    "TTFT of toy:a stays <= 0.12 s after warm-up",
    "toy:a is ~56 % faster than toy:b",
    "toy:b is 36 % slower than toy:a",
    "6 runs of toy:a (1 timeout)",
    "no run of toy:b failed",
    "Peak of toy:a: 82.4 tok/s",
)


def verdicts(checked: Checked) -> list[str]:
    """The verdicts of a text's claims, in order."""
    return [each.verdict for each in checked.claims]


@pytest.mark.parametrize("text", TEXTS)
def test_shuffled_rows_change_no_verdict(
    judge: Callable[..., Checked], invented: list[Measurement], text: str
) -> None:  # fmt: skip
    """The order in which measurements come says nothing."""
    shuffled = random.Random(1).sample(invented, len(invented))
    assert verdicts(judge(text, measurements=shuffled)) == verdicts(judge(text))


@pytest.mark.parametrize("text", TEXTS)
def test_a_renamed_model_changes_no_verdict(
    judge: Callable[..., Checked], make_invented: Callable[..., list[Measurement]], text: str
) -> None:
    """A model that has another name in data and text gets the same verdicts."""
    renamed = text.replace("toy:a", "zebra:7b-q4_0").replace("toy:b", "okapi:1b")
    other = make_invented(a="zebra:7b-q4_0", b="okapi:1b")
    assert verdicts(judge(renamed, measurements=other)) == verdicts(judge(text))


@pytest.mark.parametrize("text", TEXTS)
def test_an_unrelated_file_changes_no_verdict(
    judge: Callable[..., Checked], invented: list[Measurement], make_rows: Callable[..., list[Measurement]], text: str
) -> None:
    """Measurements of another model in another file say nothing of these."""
    more = [each for n in range(1, 9) for each in make_rows("far/away.csv", n, {"tok/s": 80.0 + n}, model="gnu:3b")]
    assert verdicts(judge(text, measurements=[*invented, *more])) == verdicts(judge(text))


@pytest.mark.parametrize("text", TEXTS)
def test_a_value_that_only_a_text_claims_is_no_evidence(
    judge: Callable[..., Checked], invented: list[Measurement], text: str
) -> None:
    """What was read from prose supports and contradicts nothing."""
    claims = [replace(each, provenance="claim", value=80.0, failure=None) for each in invented if each.model == "toy:b"]
    assert verdicts(judge(text, measurements=[*invented, *claims])) == verdicts(judge(text))


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("toy:a reaches 80.0 tok/s on average", "toy:b reaches 80.0 tok/s on average"),
        ("toy:a is ~56 % faster than toy:b", "toy:b is ~56 % faster than toy:a"),
        ("toy:b is 36 % slower than toy:a", "toy:a is 36 % slower than toy:b"),
        ("Mean warm TTFT of toy:a: 114 ms", "Mean warm TTFT of toy:b: 114 ms"),
        ("toy:a reaches 80.0 tok/s on average", "toy:a reaches 80.2 tok/s on average"),
        ("Mean TTFT of toy:a: 0.52 s", "Mean TTFT of toy:a: 0.54 s"),
        ("Mean warm TTFT of toy:a: 114 ms", "Mean warm TTFT of toy:a: 114 s"),
    ],
)
def test_a_supported_sentence_with_names_digits_or_units_changed_is_not(
    judge: Callable[..., Checked], text: str, swapped: str
) -> None:
    """The other model's name, two units of the last digit or another unit make a true sentence untrue."""
    assert judge(text).verdict_of_lines(3) == "supported"
    assert judge(swapped).verdict_of_lines(3) != "supported"


def test_milliseconds_for_seconds_change_no_verdict(judge: Callable[..., Checked]) -> None:
    """0.521 s and 521 ms are one claim."""
    assert verdicts(judge("Mean TTFT of toy:a: 0.521 s")) == verdicts(judge("Mean TTFT of toy:a: 521 ms"))


def test_random_numbers_are_hardly_ever_supported(judge: Callable[..., Checked]) -> None:
    """Of 400 numbers within 25 % of a true one at most 2 % are supported by more than chance."""
    rng = random.Random(20260101)
    numbers = [f"{80.0 * rng.uniform(0.75, 1.25):.1f}" for _ in range(400)]
    text = "\n".join(f"- toy:a averages {number} tok/s" for number in numbers if number != "80.0")
    checked = judge(text)
    assert sum(each.grounded for each in checked.claims) <= 8
    assert all(each.chance is not None and each.chance < 0.1 for each in checked.claims)
