"""Pictures of an analysis: bars, dots and lines, bounded, data only."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.analysis.form import Analysis, Chart, Part, Series
from pytest_chimera.report import Report, ReportInput, build_report
from pytest_chimera.report.plots import can_draw, draw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(not can_draw(), reason="pygal is not installed")


@pytest.fixture
def charted(given: ReportInput, corpora: Any) -> Callable[..., Report]:
    """A report on an analysis with these charts."""

    def make(*charts: Chart) -> Report:
        analysis = Analysis(parts=(Part(name="trends", title="Trends", charts=charts),))
        return build_report(replace(given, corpus=corpora.view(analysis=analysis)))

    return make


def chart(kind: Any = "bars", *, labels: int = 3, count: int = 1, **changes: Any) -> Chart:
    """A chart of so many points."""
    points = tuple((f"p{number}", float(number)) for number in range(1, labels + 1))
    rows = tuple(Series(name=f"s{number}", points=points) for number in range(count))
    fields: dict[str, Any] = {"name": "trend", "title": "Over time", "unit": "s", "kind": kind, "series": rows}
    return Chart(**{**fields, **changes})


def texts(svg: str) -> list[str]:
    """Every text that is drawn."""
    return [node.text or "" for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_the_charts_of_the_analysis_are_drawn(report: Report, corpora: Any, tmp_path: Path) -> None:
    """The throughput of each model is drawn with its value, written beside the report and linked in it."""
    ((name, title, svg),) = draw(report)
    assert (name, title) == ("throughput", "Throughput per model")
    assert {corpora.BIG, corpora.SMALL, "74.0 tok/s", "290 tok/s"} <= set(texts(svg))
    files = report.write(tmp_path)
    assert [path.name.rpartition("_")[2].partition(".")[2] for path in files.pictures] == ["throughput.svg"]
    assert "![Throughput per model](" in files.markdown.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["bars", "dots", "lines"])
def test_every_kind_is_data_only(charted: Any, kind: str) -> None:
    """Each kind of chart is drawn the same twice, without scripts or addresses, with its labels and unit."""
    (first,), (second,) = (list(draw(charted(chart(kind)))) for _ in range(2))
    assert first == second
    for forbidden in ("<script", "<!--", "href=", "url("):
        assert forbidden not in first[2]
    drawn = texts(first[2])
    assert {"p1", "p2", "p3", "s0"} <= set(drawn)
    assert any(text.endswith(" s") for text in drawn)


def test_a_long_chart_is_cut(charted: Any) -> None:
    """Of many labels and series the first are drawn, and the title says so."""
    ((_, title, svg),) = draw(charted(chart(labels=100, count=30)))
    assert title == "Over time (the first of them)"
    drawn = set(texts(svg))
    assert {"p1", "p40", "s0", "s11"} <= drawn
    assert not {"p41", "s12"} & drawn


def test_charts_of_one_name_are_told_apart(charted: Any) -> None:
    """Two charts of the same name get files of their own."""
    assert [name for name, _, _ in draw(charted(chart(), chart("lines")))] == ["trend", "trend-2"]


def test_nothing_is_drawn_of_nothing(charted: Any) -> None:
    """A chart without a value is left out; one with a gap, or a number that is none, is drawn with the gap."""
    empty = chart(series=(Series(name="s", points=(("a", None), ("b", float("nan")))),))
    gap = chart(series=(Series(name="s", points=(("a", 1.0), ("b", None), ("c", float("inf")))),))
    assert len(list(draw(charted(empty, gap, chart(series=()))))) == 1


@pytest.mark.parametrize("unit", ["s", "tok/s", "tokens", "B", "W", "Hz", "/s", "°C", "%", "share", ""])
def test_every_unit_is_written(charted: Any, unit: str) -> None:
    """Values are written in the unit of the chart, whichever it is."""
    ((_, _, svg),) = draw(charted(chart(unit=unit)))
    assert any("2" in text for text in texts(svg))


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "]]> & \x1b\x00 \u202e", '" onload="x', "\ud800", ""])
def test_names_are_text_in_a_picture(charted: Any, text: str) -> None:
    """Hostile names of series, labels and charts are drawn as text, and the picture stays well-formed."""
    rows = tuple(Series(name=text, points=((text, 1.0), (f"{text}1", 2.0))) for _ in range(2))
    for kind in ("bars", "dots", "lines"):
        for _, _, svg in draw(charted(chart(kind, series=rows, title=text))):
            root = ET.fromstring(svg.encode("utf-8"))
            assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
            assert not [name for node in root.iter() for name in node.attrib if name.startswith("on")]
