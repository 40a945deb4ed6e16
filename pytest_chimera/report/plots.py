"""Pictures of a report as SVG: TTFT and tok/s per case and model; nothing without the extra `plots`.

pygal is imported only here and only when a picture is drawn. What it puts into a picture besides the drawing (scripts,
a random id, the date) is taken out: a picture is data, and the same report gives the same bytes.
"""

from __future__ import annotations

import importlib.util
import math
import sys
import xml.etree.ElementTree as ET  # it writes what pygal built; nothing is parsed
from typing import TYPE_CHECKING, Any

from pytest_chimera.metrics import find_metric
from pytest_chimera.report.escape import one_line
from pytest_chimera.report.facts import case_name
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_chimera.metrics import Metric
    from pytest_chimera.report.build import Report

_PICTURES = (("ttft", "ttft", "Median TTFT per case and model"), ("tok_s", "tok/s", "Median tok/s per case and model"))
_LONGEST_LABEL = 48
_ROW_PX = 26
_FRAME_PX = 130
_WIDTH_PX = 900
_ID = "chimera"


def can_draw() -> bool:
    """Whether the package that draws is installed."""
    return importlib.util.find_spec("pygal") is not None


def draw(report: Report) -> Iterator[tuple[str, str, str]]:
    """(name, title, SVG) of each picture that there are values for; none when pygal is not installed."""
    if not can_draw():
        return
    for name, metric, title in _PICTURES:
        bars = _bars(report, metric)
        if any(value is not None for series in bars.values() for value in series.values()):
            yield name, title, _draw(find_metric(metric), title, bars)


def _bars(report: Report, metric: str) -> dict[str, dict[str, float | None]]:
    """Model -> case -> median. A name shared by several cases is numbered."""
    bars: dict[str, dict[str, float | None]] = {}
    for result, subject in report.measured:
        series = bars.setdefault(_label(result.case.model.name), {})
        name = _label(case_name(result))
        while name in series:
            name += "'"
        series[name] = report.book.get(subject, metric, "median").value
    return bars


def _label(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST_LABEL else f"{line[: _LONGEST_LABEL - 1]}…"


def _draw(metric: Metric, title: str, bars: dict[str, dict[str, float | None]]) -> str:
    """A horizontal bar for each case and model."""
    import pygal  # noqa: PLC0415  # an extra
    from pygal.style import CleanStyle  # noqa: PLC0415  # same

    # Importing it leaves a finder for its maps that Python 3.11 warns of at every later import of anything.
    sys.meta_path[:] = [each for each in sys.meta_path if type(each).__module__ != "pygal"]
    cases = list(dict.fromkeys(case for series in bars.values() for case in series))
    ticks = _ticks(max(value or 0 for series in bars.values() for value in series.values()))
    chart: Any = pygal.HorizontalBar(
        title=title,
        style=CleanStyle(background="white", plot_background="white"),
        width=_WIDTH_PX,
        height=_FRAME_PX + _ROW_PX * max(len(cases) * len(bars), 3),
        explicit_size=True,
        js=(),
        legend_at_bottom=True,
        truncate_label=-1,
        truncate_legend=-1,
        print_values=True,
        print_values_position="top",
        value_formatter=lambda value: format_value(value, metric.dimension),
        range=(0, ticks[-1]),
        y_labels=ticks,
    )
    chart.uuid = _ID
    # pygal draws the first label at the bottom.
    chart.x_labels = cases[::-1]
    for model, series in bars.items():
        chart.add(model, [series.get(case) for case in cases[::-1]])
    root = chart.render_tree()
    _tidy(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _ticks(largest: float) -> list[float]:
    """Five or so round numbers from 0 to beyond the largest value, with room for the text at its bar's end."""
    target = (largest or 1) * 1.15
    power = 10.0 ** math.floor(math.log10(target / 4))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power * 5 >= target)
    return [number * step for number in range(math.ceil(target / step) + 1)]


def _tidy(node: ET.Element, *, inner: bool = False) -> None:
    """Take out scripts, comments and hover texts (positions on the page as values); print values beside their bars."""
    for child in list(node):
        tag = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else "comment"
        if tag in {"script", "comment", "desc"} or (tag == "title" and inner):
            node.remove(child)
            continue
        if tag == "text" and child.get("class") == "value":
            child.set("style", "text-anchor:start")
            child.set("dx", "5")
        _tidy(child, inner=inner or tag == "g")
