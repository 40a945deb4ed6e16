"""Pictures: data only, the same for the same report, whatever the names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from pytest_chimera.report import ReportInput, build_report
from pytest_chimera.report.plots import can_draw, draw

# Not imported here: its import leaves a finder behind that Python 3.11 warns of in the tests of other rooms.
pytestmark = pytest.mark.skipif(not can_draw(), reason="pygal is not installed")


def texts(svg: str) -> list[str]:
    """Every text that is drawn."""
    return [node.text or "" for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_the_medians_are_drawn(session: ReportInput) -> None:
    """There is a picture of TTFT and one of tok/s, with each case, model and median in it."""
    pictures = {name: svg for name, _, svg in draw(build_report(session))}
    assert list(pictures) == ["ttft", "tok_s"]
    drawn = texts(pictures["ttft"])
    assert {"test_sky", "test_long", "test_stall", "gemma3:latest", "gemma3:270m"} <= set(drawn)
    assert {"60.0 ms", "29.5 ms", "50.0 ms"} <= set(drawn)
    assert {"90.9 tok/s", "250 tok/s", "100 tok/s", "28.6 tok/s"} <= set(texts(pictures["tok_s"]))


def test_a_picture_is_data_only(session: ReportInput) -> None:
    """No script, no address to load from, no date and no random id; two drawings are equal."""
    first, second = ([svg for _, _, svg in draw(build_report(session))] for _ in range(2))
    assert first == second
    for svg in first:
        assert "<script" not in svg
        assert "<!--" not in svg
        assert "href=" not in svg
        assert "url(" not in svg


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "]]> & \x1b\x00 \u202e", '" onload="x', "\ud800", ""])
def test_names_are_text_in_a_picture(session: ReportInput, text: str) -> None:
    """Hostile names are drawn as text, and the picture stays well-formed."""
    results = tuple(
        replace(result, case=replace(result.case, name=f"{text}{number}", model=replace(result.case.model, name=text)))
        for number, result in enumerate(session.results)
    )
    for _, _, svg in draw(build_report(replace(session, results=results))):
        root = ET.fromstring(svg.encode("utf-8"))
        assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
        assert not [name for node in root.iter() for name in node.attrib if name.startswith("on")]


def test_nothing_is_drawn_of_nothing(session: ReportInput) -> None:
    """Without results there is no picture."""
    assert list(draw(build_report(replace(session, results=())))) == []
