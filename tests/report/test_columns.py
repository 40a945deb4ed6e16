"""A table in a terminal: columns where they fit, some of them where not all do, a list where none do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.report.columns import Columns, Row, fits, fitted, narrowed, shortened, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

quickly = settings(max_examples=40, deadline=None)

COLUMNS = Columns(name="case", heads=("metric", "now", "verdict"), units=("", "ms", ""), left=(0, 2))
BARE = Columns(name="case", heads=("metric", "now", "verdict"), left=(0, 2))
ROWS = (
    Row("test_sky[toy]", ("tok/s", "37.2", "worse")),
    Row("test_a_case_with_a_long_name[toy]", ("ttft", "1.5", "not comparable"), ("answers differ in length",)),
)


def lines(text: str) -> list[str]:
    """The lines of a table that stands in a test."""
    return text.strip("\n").split("\n")


def test_a_table_has_its_columns() -> None:
    """Names stand left, numbers right and words left; units stand below the heads, a note below its row."""
    assert fitted(COLUMNS, ROWS, 100) == lines("""
case                               metric   now  verdict
                                             ms
test_sky[toy]                      tok/s   37.2  worse
test_a_case_with_a_long_name[toy]  ttft     1.5  not comparable
  answers differ in length
""")


def test_a_unit_may_be_wider_than_its_column() -> None:
    """A column is as wide as its unit, so that what follows stands below its head."""
    columns = Columns(name="case", heads=("now", "verdict"), units=("tokens/s", ""), left=(1,))
    assert fitted(columns, [Row("test_sky", ("37.2", "worse"))], 100) == lines("""
case           now  verdict
          tokens/s
test_sky      37.2  worse
""")


def test_without_units_there_is_no_line_for_them() -> None:
    """A table whose columns have no units has one line of heads."""
    assert fitted(BARE, ROWS[:1], 100) == lines("""
case           metric   now  verdict
test_sky[toy]  tok/s   37.2  worse
""")


def test_a_long_name_is_cut_in_its_middle() -> None:
    """Where the width does not suffice for the names they are shortened, never below twenty characters."""
    assert fitted(BARE, ROWS, 52) == lines("""
case                    metric   now  verdict
test_sky[toy]           tok/s   37.2  worse
test_a_cas…g_name[toy]  ttft     1.5  not comparable
  answers differ in length
""")


def test_a_table_that_does_not_fit_is_a_list() -> None:
    """Where not even twenty characters are left for a name, each row is its name and its cells by their heads."""
    assert not fits(COLUMNS, ROWS, 45)
    assert fitted(COLUMNS, ROWS, 45) == lines("""
test_sky[toy]
  metric tok/s, now 37.2 ms, verdict worse
test_a_case_with_a_long_name[toy]
  metric ttft, now 1.5 ms, verdict not
  comparable
  answers differ in length
""")


def test_a_list_leaves_empty_cells_out() -> None:
    """A cell without anything in it is not named in a list, and a name that is too long is cut."""
    row = Row("test_a_case_with_a_long_name[toy]", ("ttft", "", "no baseline"))
    assert fitted(BARE, [row, ROWS[0]], 30) == lines("""
test_a_case_wi…_long_name[toy]
  metric ttft, verdict no
  baseline
test_sky[toy]
  metric tok/s, now 37.2,
  verdict worse
""")


def test_a_short_name_is_enough() -> None:
    """A table fits as soon as there is room for its longest name, however short that is."""
    rows = [Row("a", ("b", "1", "c"))]
    assert fits(BARE, rows, 4 + 8 + 5 + 9)
    assert not fits(BARE, rows, 4 + 8 + 5 + 8)


def test_no_rows_are_no_lines() -> None:
    """A table of nothing is nothing, heads neither."""
    assert fitted(COLUMNS, [], 80) == []
    assert narrowed(COLUMNS, [], 80, ()) == []


TIERS = (("metric", "verdict"), ("verdict",))


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (70, """
case                               metric   now  verdict
                                             ms
test_sky[toy]                      tok/s   37.2  worse
test_a_case_with_a_long_name[toy]  ttft     1.5  not comparable
  answers differ in length
"""),
        (46, """
case                    metric  verdict
test_sky[toy]           tok/s   worse
test_a_cas…g_name[toy]  ttft    not comparable
  answers differ in length
"""),
        (38, """
case                    verdict
test_sky[toy]           worse
test_a_cas…g_name[toy]  not comparable
  answers differ in length
"""),
        (30, """
test_sky[toy]
  metric tok/s, now 37.2 ms,
  verdict worse
test_a_case_wi…_long_name[toy]
  metric ttft, now 1.5 ms,
  verdict not comparable
  answers differ in length
"""),
    ],
)  # fmt: skip
def test_columns_are_dropped_before_a_list_is_made(width: int, text: str) -> None:
    """The first set of columns that fits is shown; where none does the list has all of them."""
    assert narrowed(COLUMNS, ROWS, width, (("metric", "verdict"), ("verdict",))) == lines(text)


def test_what_is_kept_is_in_the_order_of_the_tier() -> None:
    """A narrower table has its columns as they are named, words at the left and numbers at the right."""
    assert narrowed(COLUMNS, ROWS[:1], 33, [("verdict", "now")]) == lines("""
case           verdict   now
                          ms
test_sky[toy]  worse    37.2
""")


@pytest.mark.parametrize(
    ("name", "size", "text"),
    [
        ("test_sky", 8, "test_sky"),
        ("test_sky", 9, "test_sky"),
        ("test_sky", 7, "tes…sky"),
        ("test_sky", 6, "te…sky"),
        ("test_sky", 3, "t…y"),
        ("test_sky", 2, "…y"),
        ("test_sky", 1, "…"),
        ("", 1, ""),
    ],
)
def test_a_name_is_shortened_in_its_middle(name: str, size: int, text: str) -> None:
    """Both ends of a name tell cases apart, so its middle is cut."""
    assert shortened(name, size) == text
    assert len(shortened(name, size)) <= size


def test_a_sentence_is_wrapped_and_indented() -> None:
    """Lines break between words, options and paths stay whole, each line is indented."""
    text = "1 baseline run cannot show how much runs differ: see --chimera-allowance"
    assert wrapped(text, 40) == [
        "  1 baseline run cannot show how much",
        "  runs differ: see --chimera-allowance",
    ]
    assert wrapped(text, 400, "") == [text]
    assert wrapped("", 40) == []
    assert wrapped("x" * 30, 5) == ["  " + "x" * 18, "  " + "x" * 12], "never narrower than twenty"


WORDS = st.text(alphabet="abc-[]./ ", min_size=1, max_size=30).map(str.strip)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Columns, list[Row]]:
    """A table of up to four columns."""
    heads = draw(st.lists(st.sampled_from(["metric", "now", "before", "verdict"]), min_size=1, max_size=4, unique=True))
    units = tuple(draw(st.lists(st.sampled_from(["", "ms"]), min_size=len(heads), max_size=len(heads))))
    columns = Columns(name="case", heads=tuple(heads), units=draw(st.sampled_from([(), units])), left=(0,))
    cells = st.lists(st.text(alphabet="ab1. ", max_size=8).map(str.strip), min_size=len(heads), max_size=len(heads))
    rows = draw(st.lists(st.builds(Row, WORDS, cells.map(tuple), st.lists(WORDS, max_size=2).map(tuple)), max_size=4))
    return columns, rows


@given(tables(), st.integers(min_value=20, max_value=120))
@quickly
def test_no_line_is_wider_than_the_terminal(table: tuple[Columns, Sequence[Row]], width: int) -> None:
    """Table or list, no line is longer than the width."""
    columns, rows = table
    found = fitted(columns, rows, width)
    assert all(len(line) <= width for line in found)
    assert all(line == line.rstrip() for line in found)
    if rows:
        assert all(len(line) <= width for line in narrowed(columns, rows, width, [columns.heads[:1]]))


@given(tables())
@quickly
def test_what_fits_has_every_cell(table: tuple[Columns, Sequence[Row]]) -> None:
    """In a terminal that is wide enough each row is one line with all that it has, in its order."""
    columns, rows = table
    found = fitted(columns, [Row(row.name, row.cells) for row in rows], 200)
    head = (1 + any(columns.units)) if rows else 0
    assert len(found) == head + len(rows)
    for row, line in zip(rows, found[head:], strict=True):
        assert line.split() == " ".join((row.name, *row.cells)).split()
