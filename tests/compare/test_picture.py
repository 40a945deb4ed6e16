"""The picture of two sides: what is drawn where, whatever the values and the names."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.compare.picture import Distribution, draw_distributions

SVG = "{http://www.w3.org/2000/svg}"
LEFT, RIGHT = 316, 936
BASE, NEW = "#8c939c", "#0072b2"
quickly = settings(max_examples=50, deadline=None)

values = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=8).map(tuple)
rows = st.lists(st.builds(Distribution, st.text(max_size=60), values, values), max_size=8)


def parsed(svg: str) -> ET.Element:
    """The picture as a reader has it, who gets UTF-8."""
    return ET.fromstring(svg.encode("utf-8"))


def drawn(svg: str, tag: str, **wanted: str) -> list[ET.Element]:
    """The elements of a kind, with these attributes."""
    return [
        node
        for node in parsed(svg).iter(f"{SVG}{tag}")
        if all(node.get(name.replace("_", "-")) == value for name, value in wanted.items())
    ]


def texts(svg: str) -> list[str]:
    """Every text, in the order in which it is drawn."""
    return [node.text or "" for node in drawn(svg, "text")]


def number(node: ET.Element, name: str) -> float:
    """An attribute as a number."""
    return float(node.get(name, "nan"))


def test_title_legend_axis_and_labels_are_written() -> None:
    """The texts are the title, the legend, each tick above and below, what the axis is, and the label of each row."""
    svg = draw_distributions(
        [Distribution("a ttft", (1.0,), (1.04,)), Distribution("b", (0.98,), ())], "new against old"
    )
    assert texts(svg) == [
        "new against old",
        "base",
        "new",
        "box: quartiles and median; line: 1.5 times the box at most; points: single values",
        *(text for tick in range(97, 105) for text in [f"{tick} %"] * 2),
        "percent of the base's typical value",
        "a ttft",
        "b",
    ]  # fmt: skip


def test_few_values_are_points_about_their_median() -> None:
    """One value is a point of its side's colour alone, and of two the median is marked between them."""
    svg = draw_distributions([Distribution("a", (1.0,), (1.02, 1.0))], "t")
    (tick,) = drawn(svg, "line", stroke_dasharray="4 3")
    assert [node.get("fill") for node in drawn(svg, "circle")] == [BASE, NEW, NEW]
    first, second, third = (number(node, "cx") for node in drawn(svg, "circle"))
    assert first == third == number(tick, "x1") < second
    (mark,) = drawn(svg, "line", stroke_width="2")
    assert mark.get("stroke") == NEW
    assert number(mark, "x1") == pytest.approx((second + third) / 2, abs=1)


def test_many_values_are_a_box_with_its_outlier() -> None:
    """Nine values are a box from quartile to quartile, its median, a line to the last value in reach and a point."""
    base = (0.92, 0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06, 1.5)
    svg = draw_distributions([Distribution("a", base, ())], "t")

    def place(value: float) -> float:
        low, high = 0.92, 1.5
        margin = 0.03 * math.log(high / low)
        share = (math.log(value / low) + margin) / (math.log(high / low) + 2 * margin)
        return pytest.approx(LEFT + share * (RIGHT - LEFT), abs=0.11)

    box = drawn(svg, "rect", fill=BASE)[1]  # the first is the legend's
    assert (number(box, "x"), number(box, "x") + number(box, "width")) == (place(0.96), place(1.04))
    assert [number(node, "x1") for node in drawn(svg, "line", stroke="#ffffff")] == [place(1.0)]
    ends = [(number(node, "x1"), number(node, "x2")) for node in drawn(svg, "line", stroke=BASE)]
    assert ends == [(place(0.92), place(1.06)), (place(0.92), place(0.92)), (place(1.06), place(1.06))]
    assert [number(node, "cx") for node in drawn(svg, "circle")] == [place(1.5)]
    assert [each for each in texts(svg) if each.endswith(" %")][::2] == [
        f"{tick} %" for tick in (100, 110, 120, 130, 140, 150)
    ]


def test_a_box_without_width_keeps_its_median() -> None:
    """Equal values are a mark in the colour of their side, not a white one on nothing."""
    svg = draw_distributions([Distribution("a", (1.0,) * 6, ())], "t")
    assert [node.get("stroke") for node in drawn(svg, "line", stroke_width="2")] == [BASE]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1.0, 1.0, "97 98 99 100 101 102 103"),
        (0.98, 1.09, "98 100 102 104 106 108"),
        (0.75, 2.9, "80 100 125 160 200 250"),
        (0.2, 5, "20 50 100 200 500"),
        (1e-5, 1e5, "0.001 0.01 0.1 1 10 100 1000 10000 100000 1e+06 1e+07"),
        (1e-300, 1e300, "1e-10 1e-05 1 100000 1e+10"),
    ],
)
def test_ticks_are_round_and_have_room(low: float, high: float, ticks: str) -> None:
    """Whatever the range, a few round percents are written, as many as fit beside one another."""
    svg = draw_distributions([Distribution("a", (low,), (high,))], "t")
    shown = [node for node in drawn(svg, "text", text_anchor="middle") if (node.text or "").endswith(" %")][::2]
    assert [(node.text or "").removesuffix(" %") for node in shown] == ticks.split()
    for left, right in pairwise(shown):
        assert number(right, "x") - number(left, "x") > 0.68 * 11 * (len(left.text or "") + len(right.text or "")) / 2


@pytest.mark.parametrize("count", [1, 2, 13, 40])
def test_labels_do_not_overlap(count: int) -> None:
    """However many rows there are, each label has a line of its own, left of the plot, in letters that can be read."""
    svg = draw_distributions([Distribution(f"test_{n}[gemma3:270m] ttft", (1.0,), (1.1,)) for n in range(count)], "t")
    labels = drawn(svg, "text", x="300")
    places = [number(node, "y") for node in labels]
    assert [node.text for node in labels] == [f"test_{n}[gemma3:270m] ttft" for n in range(count)]
    assert all(below - above >= 24 for above, below in pairwise(places))
    assert min(number(node, "font-size") for node in drawn(svg, "text")) >= 11
    assert number(parsed(svg), "height") > places[-1] + 40


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("]]> & \x1b\x00 \u202e", "]]> & \\x1b\\x00 \\u202e"),
        ('" onload="x', '" onload="x'),
        ("\ud800\uffff\ufffe", "\\ud800\\uffff\\ufffe"),
        ("two\nlines", "two lines"),
        ("", ""),
        ("test_long_" * 500 + "[gemma3] tok/s", "test_long_test_lon…ng_[gemma3] tok/s"),
        ("漢" * 100, "漢" * 11 + "…" + "漢" * 10),
    ],
)
def test_names_are_text(text: str, shown: str) -> None:
    """A hostile or long name is drawn as one line of text that stays in its place; it makes no other element."""
    svg = draw_distributions([Distribution(text, (1.0,), (1.0,))], text)
    plain = draw_distributions([Distribution("a", (1.0,), (1.0,))], "a")
    assert [(node.tag, node.keys()) for node in parsed(svg).iter()] == [
        (node.tag, node.keys()) for node in parsed(plain).iter()
    ]
    (label,) = drawn(svg, "text", x="300")
    assert (label.text or "") == shown


def test_the_same_rows_give_the_same_bytes() -> None:
    """Two drawings are equal, and nothing in them is run or loaded."""
    first, second = (draw_distributions([Distribution("a", (1.0, 1.1), (0.9,))], "t") for _ in range(2))
    assert first == second
    assert not [bad for bad in ("<script", "href", "url(", "<!--", "<style") if bad in first]


def test_nothing_is_said_of_nothing() -> None:
    """Without rows there is a title and one line that says so."""
    assert texts(draw_distributions([], "t")) == ["t", "no rounds to show"]


@given(rows)
@quickly
def test_every_picture_is_well_formed_and_within_its_frame(found: list[Distribution]) -> None:
    """Whatever the names and values, the picture can be read and every point and line lies within the plot."""
    svg = draw_distributions(found, "t")
    ends = [("circle", "cx"), ("line", "x1"), ("line", "x2")]
    places = [number(node, name) for tag, name in ends for node in drawn(svg, tag)]
    assert all(LEFT <= place <= RIGHT for place in places)
    assert len(drawn(svg, "circle")) <= sum(len(row.base) + len(row.new) for row in found)
