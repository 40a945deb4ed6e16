"""Where values stand, in few words."""

from __future__ import annotations

import pytest

from pytest_chimera.analysis.places import shortened
from pytest_chimera.records import Source


def at(file: str, *found: str) -> list[Source]:
    """Places of one file."""
    return [Source(file, place) for place in found]


@pytest.mark.parametrize(
    ("sources", "lines"),
    [
        (at("a.csv", "row 1 x", "row 2 x", "row 3 x"), ("a.csv rows 1-3 x",)),
        (at("a.csv", "row 3 x", "row 1 x"), ("a.csv rows 1,3 x",)),
        (at("a.csv", "row 1 x", "row 1 x"), ("a.csv row 1 x",)),
        (at("a.csv", "row 2 mean (ms)"), ("a.csv row 2 mean (ms)",)),
        (at("a.csv", "row 1 x", "row 1 y"), ("a.csv row 1 x", "a.csv row 1 y")),
        (at("a.json", "/r/0/t", "/r/1/t", "/r/5/t"), ("a.json /r/0-1,5/t",)),
        (
            at("a.json", "/r/0/gpu/0/t", "/r/0/gpu/1/t", "/r/1/gpu/0/t"),
            ("a.json /r/0/gpu/0-1/t", "a.json /r/1/gpu/0/t"),
        ),
        (at("a.json", "/total"), ("a.json /total",)),
        (at("a.md", "line 12", "line 13"), ("a.md lines 12-13",)),
        (at("a.md", ""), ("a.md",)),
        (at("a.csv", *(f"row {n} x" for n in range(1, 20, 2))), ("a.csv rows 1,3,5,7,9,11 and 4 more x",)),
        (
            [each for n in range(1, 8) for each in at(f"{n}.csv", "row 1 x")],
            ("1.csv row 1 x", "2.csv row 1 x", "3.csv row 1 x", "4.csv row 1 x", "... and 3 more"),
        ),
        ([], ()),
    ],
)
def test_places_that_follow_one_another_are_one(sources: list[Source], lines: tuple[str, ...]) -> None:
    """Rows, lines and items of lists become ranges, few of them, and whatever is not named is counted."""
    assert shortened(sources) == lines
    assert shortened(sources[::-1]) == lines
