"""Heat maps: what is drawn where, on what colour, whatever the levels and values; and which parameters are axes."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.report import ReportInput, build_report
from pytest_chimera.report.heatmap import (
    MOST_ACROSS,
    MOST_DOWN,
    MOST_PANELS,
    Axis,
    Cell,
    HeatMap,
    Panel,
    contrast,
    draw_heatmap,
)
from pytest_chimera.report.sweep_maps import draw_sweeps, heatmap_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pytest_chimera.report import Report

    Make = Callable[..., Any]

SVG = "{http://www.w3.org/2000/svg}"
WORST, BEST = "#440154", "#fde725"
quickly = settings(max_examples=50, deadline=None)

values = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
levels = st.lists(st.text(max_size=20), min_size=1, max_size=5, unique=True).map(tuple)


def heatmap(**changes: Any) -> HeatMap:
    """Two parameters with two levels each; one point was not measured, one failed."""
    cells = {
        ("0", "512"): Cell(20.0),
        ("0", "2048"): Cell(10.0),
        ("99", "512"): Cell(40.0),
        ("99", "2048"): Cell(says="failed"),
    }
    known: dict[str, Any] = {
        "title": "Median tok/s of test_sweep on gemma3:latest by num_gpu and num_ctx",
        "dimension": "rate",
        "higher_is_better": True,
        "across": Axis("num_ctx", ("512", "2048")),
        "down": Axis("num_gpu", ("0", "99")),
        "panels": (Panel("", cells),),
    }
    return HeatMap(**(known | changes))


def parsed(svg: str) -> ET.Element:
    """The picture as a reader has it, who gets UTF-8."""
    return ET.fromstring(svg.encode("utf-8"))


def texts(svg: str) -> list[str]:
    """Every text, in the order in which it is drawn."""
    return [node.text or "" for node in parsed(svg).iter(f"{SVG}text")]


def fills(svg: str) -> dict[str, str]:
    """Text of a cell -> the fill of the rectangle drawn before it."""
    found, fill = {}, ""
    for node in parsed(svg):
        if node.tag == f"{SVG}rect":
            fill = node.get("fill", "")
        elif node.tag == f"{SVG}text":
            found[node.text or ""] = fill
    return found


def test_every_text_is_drawn() -> None:
    """The texts are the title, the ends of the scale, both axes with their levels, and each cell's value."""
    assert texts(draw_heatmap(heatmap())) == [
        "Median tok/s of test_sweep on gemma3:latest by num_gpu and num_ctx",
        "worse 10.0 tok/s",
        "40.0 tok/s better",
        *("num_ctx", "512", "2048", "num_gpu"),
        *("0", "20.0", "10.0"),
        *("99", "40.0", "failed"),
    ]


def test_better_is_brighter() -> None:
    """The best value has the brightest colour and the worst the darkest, for rates as for times."""
    found = fills(draw_heatmap(heatmap()))
    assert (found["10.0"], found["40.0"]) == (WORST, BEST)
    assert contrast(found["20.0"], "#000000") > contrast(WORST, "#000000")
    times = fills(draw_heatmap(heatmap(higher_is_better=False, dimension="time")))
    assert (times["10.0 s"], times["40.0 s"]) == (BEST, WORST)


def test_equal_ratios_are_equally_far_apart() -> None:
    """Half of the best and twice the worst have one colour: the scale is one of ratios."""
    cells = {("", "a"): Cell(1.0), ("", "b"): Cell(2.0), ("", "c"): Cell(4.0)}
    one, other = (
        fills(draw_heatmap(heatmap(across=Axis("x", ("a", "b", "c")), down=None, panels=(Panel("", cells),), **each)))
        for each in ({"higher_is_better": True}, {"higher_is_better": False})
    )
    assert one["2.00"] == other["2.00"]


def test_noise_does_not_fill_the_scale() -> None:
    """Values within one percent have nearly one colour, from the middle of the scale."""
    cells = {("0", "512"): Cell(100.0), ("0", "2048"): Cell(101.0)}
    found = fills(draw_heatmap(heatmap(panels=(Panel("", cells),), down=Axis("num_gpu", ("0",)))))
    assert not {found["100"], found["101"]} & {WORST, BEST}
    assert contrast(found["100"], found["101"]) < 1.5


def test_a_value_is_read_on_its_colour() -> None:
    """Whatever the colour of a cell, its text contrasts with it at least as WCAG asks of texts (AA)."""
    names = tuple(f"{number}" for number in range(12))
    cells = {("", name): Cell(1.5 ** int(name)) for name in names}
    svg = draw_heatmap(heatmap(across=Axis("x", names), down=None, panels=(Panel("", cells),)))
    fill, ratios = "", []
    for node in parsed(svg):
        fill = node.get("fill", "") if node.tag == f"{SVG}rect" else fill
        if node.tag == f"{SVG}text" and node.get("font-size") == "12" and node.text != "x":
            ratios.append(contrast(node.get("fill", ""), fill))
    assert len(ratios) == 12
    assert min(ratios) > 4.5


def test_a_cell_without_a_value_is_hatched() -> None:
    """A point that failed and one that was not measured have a pale ground with lines, and say which they are."""
    drawn = draw_heatmap(heatmap(panels=(Panel("", {("0", "512"): Cell(20.0), ("0", "2048"): Cell(says="failed")}),)))
    assert texts(drawn)[-5:] == ["20.0", "failed", "99", "-", "-"]
    root = parsed(drawn)
    assert sum(node.get("fill") == "#f1f3f5" for node in root.iter(f"{SVG}rect")) == 3
    edges = list(root.iter(f"{SVG}line"))
    assert edges
    for line in edges:
        (x1, y1), (x2, y2) = ((float(line.get(f"x{at}", "")), float(line.get(f"y{at}", ""))) for at in "12")
        assert x2 - x1 == pytest.approx(y1 - y2, abs=0.11)


def test_who_cannot_see_it_is_told() -> None:
    """The picture has a title and a description that names axes, best, worst and how many cells are empty."""
    root = parsed(draw_heatmap(heatmap()))
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title desc")
    said = {node.tag.removeprefix(SVG): (node.get("id"), node.text) for node in list(root)[:2]}
    assert said == {
        "title": ("title", "Median tok/s of test_sweep on gemma3:latest by num_gpu and num_ctx"),
        "desc": (
            "desc",
            (
                "A table with num_ctx from left to right, num_gpu from top to bottom: best 40.0 tok/s at num_gpu=99, "
                "num_ctx=512, worst 10.0 tok/s at num_gpu=0, num_ctx=2048; 1 cell without a value."
            ),
        ),
    }


def test_nothing_to_see_is_said() -> None:
    """Without any value there is no scale, and the description says so."""
    root = parsed(draw_heatmap(heatmap(panels=(Panel("", {("0", "512"): Cell(says="failed")}),))))
    assert not [node for node in root.iter(f"{SVG}text") if (node.text or "").startswith("worse")]
    (desc,) = root.iter(f"{SVG}desc")
    assert desc.text == "A table with num_ctx from left to right, num_gpu from top to bottom; no cell has a value."


def test_a_single_parameter_is_one_row() -> None:
    """Without a parameter down there is one row of cells without a label."""
    cells = {("", "512"): Cell(20.0), ("", "2048"): Cell(10.0)}
    found = texts(draw_heatmap(heatmap(down=None, panels=(Panel("", cells),))))
    assert found[3:] == ["num_ctx", "512", "2048", "", "20.0", "10.0"]


def test_large_grids_are_cut_and_it_is_said() -> None:
    """Of many levels and panels the first are drawn, dots stand for the others, and lines at the foot count them."""
    across, down = (tuple(str(number) for number in range(most + 5)) for most in (MOST_ACROSS, MOST_DOWN))
    cells = {key: Cell(1.0 + int(key[0])) for key in itertools.product(down, across)}
    panels = tuple(Panel(f"top_k={number}", cells) for number in range(MOST_PANELS + 1))
    svg = draw_heatmap(heatmap(across=Axis("seed", across), down=Axis("top_p", down), panels=panels))
    found = texts(svg)
    assert found[-3:] == [
        f"The first {MOST_ACROSS} of {MOST_ACROSS + 5} levels of seed are shown.",
        f"The first {MOST_DOWN} of {MOST_DOWN + 5} levels of top_p are shown.",
        f"The first {MOST_PANELS} of {MOST_PANELS + 1} combinations of the other parameters are shown.",
    ]
    assert found.count("...") == 2 * MOST_PANELS
    assert sum(text.startswith("top_k=") for text in found) == MOST_PANELS
    root = parsed(svg)
    assert float(root.get("width", "")) < 1400
    assert float(root.get("height", "")) < 5000


@given(
    title=st.text(max_size=30),
    across=levels,
    down=st.one_of(st.none(), levels),
    given_values=st.lists(values, min_size=1, max_size=40),
    higher=st.booleans(),
)
@quickly
def test_whatever_comes_is_a_picture(
    title: str, across: tuple[str, ...], down: tuple[str, ...] | None, given_values: list[float | None], higher: bool
) -> None:
    """Any texts and values make well-formed SVG without scripts, links or anything outside it, twice the same."""
    keys = itertools.product(down or ("",), across)
    cells = {key: Cell(value) for key, value in zip(keys, itertools.cycle(given_values))}
    whole = heatmap(
        title=title,
        higher_is_better=higher,
        across=Axis(title, across),
        down=None if down is None else Axis("d", down),
        panels=(Panel("", cells), Panel(title, cells)),
    )
    svg = draw_heatmap(whole)
    assert svg == draw_heatmap(whole)
    root = parsed(svg)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    for node in root.iter():
        assert node.tag.removeprefix(SVG) in {"svg", "title", "desc", "rect", "text", "line"}
        assert not [name for name in node.attrib if name.startswith("on") or "href" in name]
        for name, most in (("x", width), ("y", height), ("x2", width), ("y2", height)):
            assert 0 <= float(node.get(name, 0)) <= most
    assert "url(" not in svg.partition("<rect")[2].replace(title, "")


# From sweeps ----------------------------------------------------------------------------------------------------------


def grid(**parameters: list[Any]) -> list[dict[str, Any]]:
    """Every combination, the last parameter changing fastest."""
    return [dict(zip(parameters, levels, strict=True)) for levels in itertools.product(*parameters.values())]


@pytest.fixture
def report_of(created: datetime) -> Callable[..., Report]:
    """Makes the report on results."""
    return lambda results: build_report(ReportInput(results=tuple(results), created=created, suite="s"))


def test_the_strongest_parameters_are_axes(swept: Make, report_of: Make) -> None:
    """Of three parameters the two with the largest effects are axes in their own order, and the third makes panels."""

    def slower(point: Mapping[str, Any]) -> float:
        return (1 + point["num_gpu"] / 100) * (1.001 if point["top_k"] > 1 else 1) * (1 + point["temperature"])

    report = report_of(swept(grid(num_gpu=[99, 0], top_k=[1, 40], temperature=[0.2, 0.8]), slower, loads=["num_gpu"]))
    drawn = heatmap_of(report.sweeps[0], "tok/s", report.book)
    assert drawn.title == "Median tok/s of test_sweep on gemma3:latest by num_gpu and temperature"
    assert (drawn.down, drawn.across) == (Axis("num_gpu", ("0", "99")), Axis("temperature", ("0.2", "0.8")))
    assert [panel.title for panel in drawn.panels] == ["top_k=1", "top_k=40"]
    assert set(drawn.panels[0].cells) == {("0", "0.2"), ("0", "0.8"), ("99", "0.2"), ("99", "0.8")}
    medians = {fact.value for fact in report.facts if (fact.metric, fact.statistic) == ("tok/s", "median")}
    assert {cell.value for panel in drawn.panels for cell in panel.cells.values()} == medians


def test_levels_that_are_no_numbers_keep_their_order(swept: Make, report_of: Make) -> None:
    """Names of models or texts stand as they were given."""
    report = report_of(swept(grid(style=["short", "long", "brief"])))
    drawn = heatmap_of(report.sweeps[0], "ttft", report.book)
    assert (drawn.across, drawn.down) == (Axis("style", ("short", "long", "brief")), None)


def test_failed_points_are_told_from_those_that_were_left_out(swept: Make, failed: Make, report_of: Make) -> None:
    """Of a sample of a grid, what was not drawn is no cell; what failed says so."""
    first, second, third = swept(grid(num_ctx=[1, 2], top_k=[1, 2])[:3])
    report = report_of([first, second, failed(third)])
    (panel,) = heatmap_of(report.sweeps[0], "tok/s", report.book).panels
    assert {key: cell.says for key, cell in panel.cells.items() if cell.value is None} == {("2", "1"): "failed"}
    assert ("2", "2") not in panel.cells


def test_each_sweep_has_its_pictures(swept: Make, report_of: Make) -> None:
    """One sweep has two pictures; of several they are numbered; without values there is none."""
    one, other = swept(grid(top_k=[1, 2])), swept(grid(top_p=[0.1, 0.2]), sweep="t.py::test_other[gemma3:latest]")
    assert [name for name, *_ in drawn(report_of(one))] == ["sweep.tok_s", "sweep.ttft"]
    assert [(name, place) for name, _, _, place in drawn(report_of([*one, *other]))] == [
        ("sweep-1.tok_s", "sweep 1"),
        ("sweep-1.ttft", "sweep 1"),
        ("sweep-2.tok_s", "sweep 2"),
        ("sweep-2.ttft", "sweep 2"),
    ]


def test_nothing_is_drawn_of_failures(swept: Make, failed: Make, report_of: Make) -> None:
    """A sweep of which every round failed has no picture."""
    assert drawn(report_of([failed(each) for each in swept(grid(top_k=[1, 2]))])) == []


def drawn(report: Report) -> list[tuple[str, str, str, str]]:
    """The pictures of a report's sweeps."""
    return list(draw_sweeps(report.sweeps, report.book))
