"""Pictures of a report as SVG: TTFT and tok/s per case and model, and what the analysis of a corpus has to show.

Nothing is drawn without the extra `plots`.

pygal is imported only here and only when a picture is drawn. What it puts into a picture besides the drawing (scripts,
a random id, the date) is taken out: a picture is data, and the same report gives the same bytes.
"""

from __future__ import annotations

import importlib.util
import math
import sys
import xml.etree.ElementTree as ET  # it writes what pygal built; nothing is parsed
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_chimera.metrics import find_metric
from pytest_chimera.report.escape import one_line
from pytest_chimera.report.facts import case_name
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_chimera.analysis.form import Chart
    from pytest_chimera.metrics import Metric
    from pytest_chimera.report.build import Report
    from pytest_chimera.units import Dimension

_Drawn: TypeAlias = "Mapping[str, Mapping[str, float | None]]"
_Formatter: TypeAlias = "Callable[[float | None], str]"
_PICTURES = (("ttft", "ttft", "Median TTFT per case and model"), ("tok_s", "tok/s", "Median tok/s per case and model"))
_LONGEST_LABEL = 48
_ROW_PX = 26
_FRAME_PX = 130
_WIDTH_PX = 900
_ID = "chimera"
_MOST_LABELS = 40
"""Labels on the axis of a chart of the analysis."""
_MOST_SERIES = 12
_LINES_HIGH = 14
"""Height of a picture of lines, in bars."""
_SHORT_LABEL = 34
_FIRST = " (the first of them)"
_DIMENSIONS: dict[str, Dimension] = {
    "s": "time",
    "tok/s": "rate",
    "tokens": "tokens",
    "B": "bytes",
    "W": "power",
    "Hz": "frequency",
    "/s": "per_second",
    "°C": "celsius",
    "share": "ratio",
}
"""SI unit of a chart -> what it measures."""


def can_draw() -> bool:
    """Whether the package that draws is installed."""
    return importlib.util.find_spec("pygal") is not None


def draw(report: Report) -> Iterator[tuple[str, str, str]]:
    """(name, title, SVG) of each picture that there are values for; none when pygal is not installed."""
    if not can_draw():
        return
    yield from _charts(() if report.given.corpus is None else report.given.corpus.analysis.charts)
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


def _draw(metric: Metric, title: str, bars: Mapping[str, Mapping[str, float | None]]) -> str:
    """A horizontal bar for each case and model."""
    cases = list(dict.fromkeys(case for series in bars.values() for case in series))
    return _horizontal(title, cases, bars, lambda value: format_value(value, metric.dimension))


def _charts(charts: Sequence[Chart]) -> Iterator[tuple[str, str, str]]:
    """The charts that have a value, each under a name of its own."""
    seen: Counter[str] = Counter()
    for chart in charts:
        series = _series(chart)
        labels = list(dict.fromkeys(label for points in series.values() for label in points))
        if not any(value is not None for points in series.values() for value in points.values()):
            continue
        cut = len(labels) > _MOST_LABELS or len(chart.series) > _MOST_SERIES
        title = one_line(chart.title) + (_FIRST if cut else "")
        seen[chart.name] += 1
        name = chart.name if seen[chart.name] == 1 else f"{chart.name}-{seen[chart.name]}"
        drawn = _horizontal if chart.kind == "bars" else _points if chart.kind == "dots" else _lines
        yield name, title, drawn(title, labels[:_MOST_LABELS], series, _formatter(chart.unit))


def _series(chart: Chart) -> dict[str, dict[str, float | None]]:
    """Series -> label -> value; names that look the same when cut are told apart."""
    found: dict[str, dict[str, float | None]] = {}
    for each in chart.series[:_MOST_SERIES]:
        name = _label(each.name)
        while name in found:
            name += "'"
        found[name] = {_label(label): _drawable(value) for label, value in each.points}
    return found


def _drawable(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _formatter(unit: str) -> Callable[[float | None], str]:
    """How values of this unit (SI) are written."""
    dimension = _DIMENSIONS.get(unit)
    if unit == "%":
        return lambda value: "" if value is None else f"{value:.3g} %"
    if dimension is None:
        return lambda value: "" if value is None else f"{value:.3g} {unit}".rstrip()
    return lambda value: "" if value is None else format_value(value, dimension)


def _horizontal(title: str, labels: Sequence[str], series: _Drawn, formatter: _Formatter) -> str:
    """A bar for each label and series, the first on top."""
    ticks = _ticks(_largest(series, labels))
    chart: Any = _pygal().HorizontalBar(
        **_looks(title, len(labels) * len(series), formatter),
        print_values=True,
        print_values_position="top",
        range=(0, ticks[-1]),
        y_labels=ticks,
    )
    # pygal draws the first label at the bottom.
    return _svg(chart, labels[::-1], series)


def _lines(title: str, labels: Sequence[str], series: _Drawn, formatter: _Formatter, *, stroke: bool = True) -> str:
    """A line for each series over the labels."""
    ticks = _ticks(_largest(series, labels))
    looks = {**_looks(title, _LINES_HIGH, formatter), "x_label_rotation": 45, "truncate_label": _SHORT_LABEL}
    chart: Any = _pygal().Line(**looks, stroke=stroke, dots_size=3, range=(0, ticks[-1]), y_labels=ticks)
    return _svg(chart, labels, series)


def _points(title: str, labels: Sequence[str], series: _Drawn, formatter: _Formatter) -> str:
    """A dot for each label and series."""
    return _lines(title, labels, series, formatter, stroke=False)


def _largest(series: _Drawn, labels: Sequence[str]) -> float:
    return max((series_[label] or 0 for series_ in series.values() for label in labels if label in series_), default=0)


def _pygal() -> Any:
    import pygal  # noqa: PLC0415  # an extra

    # Importing it leaves a finder for its maps that Python 3.11 warns of at every later import of anything.
    sys.meta_path[:] = [each for each in sys.meta_path if type(each).__module__ != "pygal"]
    return pygal


def _looks(title: str, rows: int, formatter: _Formatter) -> dict[str, Any]:
    from pygal.style import CleanStyle  # noqa: PLC0415  # an extra

    return {
        "title": title,
        "style": CleanStyle(background="white", plot_background="white"),
        "width": _WIDTH_PX,
        "height": _FRAME_PX + _ROW_PX * max(rows, 3),
        "explicit_size": True,
        "js": (),
        "legend_at_bottom": True,
        "truncate_label": -1,
        "truncate_legend": -1,
        "value_formatter": formatter,
    }


def _svg(chart: Any, labels: Sequence[str], series: _Drawn) -> str:
    chart.uuid = _ID
    chart.x_labels = list(labels)
    for name, points in series.items():
        chart.add(name, [points.get(label) for label in labels])
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
