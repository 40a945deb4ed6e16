"""Counts in sentences, found among facts by their nouns."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.records import Fact
from pytest_chimera.report.counted import counted


def fact(metric: str, value: float, dimension: Any = "count", **subject: str) -> Fact:
    """A count of a corpus."""
    return Fact(
        subject={"corpus": "all", **subject}, metric=metric, statistic="count", value=value, dimension=dimension, n=1,
        formula="count",
    )  # fmt: skip


FACTS = (
    fact("files", 107), fact("files", 29, type="csv"), fact("files", 47, type="json"),
    fact("files", 16, folder="reports/gemma3"), fact("folders", 25), fact("rows", 1117), fact("failed_rows", 96),
    fact("copies", 992), fact("models", 10), fact("size", 461_722, "bytes"), fact("size", 2048, "bytes", type="csv"),
)  # fmt: skip


def read(text: str) -> list[tuple[str, bool] | None]:
    """What each number of a text counts, with whom its fact speaks of, and whether that is so."""
    found = []
    for number in re.finditer(r"(?<!\w)(?:\d[\d,.]*\d|\d)", text):
        one = counted(text, number.start(), number.end(), FACTS)
        named = "" if one is None else " ".join(filter(None, [one[0].metric, *list(one[0].subject.values())[1:]]))
        found.append(None if one is None else (named, one[1]))
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("There are 107 files in 25 folders.", [("files", True), ("folders", True)]),
        ("There are 107 files, in 25 folders.", [("files", True), ("folders", True)]),
        ("There are 108 files.", [("files", False)]),
        ("29 csv files and 47 JSON files.", [("files csv", True), ("files json", True)]),
        ("28 CSV files.", [("files csv", False)]),
        ("1,117 rows, 96 failed rows.", [("rows", True), ("failed_rows", True)]),
        ("96 rows failed.", [("failed_rows", True)]),
        ("In reports/gemma3 there are 16 files.", [("files reports/gemma3", True)]),
        ("25 directories with 992 copies.", [("folders", True), ("copies", True)]),
        ("It has 450.9 KiB.", [("size", True)]),
        ("It has 451 KiB, the csv files 2 KiB.", [("size", True), ("size csv", True)]),
        ("It has 460 KiB.", [("size", False)]),
        ("The mean is 107 tok/s.", [None]),
        ("107 is a number.", [None]),
        ("29.5 csv files.", [None]),
        ("107 of the many large old unread dusty files.", [None]),
        ("10 days.", [None]),
    ],
)
def test_a_count_is_found_by_its_noun(text: str, found: list[Any]) -> None:
    """The noun right behind a number, and what stands beside it, name the fact; other numbers name none."""
    assert read(text) == found


def test_two_facts_that_fit_equally_are_none() -> None:
    """Where the words of a sentence fit two facts of different things, neither is taken."""
    facts = (fact("files", 1, type="csv"), fact("files", 2, folder="old"))
    assert counted("1 old csv files", 0, 1, facts) is None


@given(st.text(max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_any_text_is_bounded_and_raises_nothing(text: str, start: int, length: int) -> None:
    """Whatever stands in a text and wherever a number is said to be, there is a fact or none."""
    assert counted(text, start, start + length, FACTS) is None or len(text) > 0
