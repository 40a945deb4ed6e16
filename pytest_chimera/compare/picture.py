"""Two distributions side by side for each comparison, as one SVG: base and new, in percent of what was typical before.

Written with the standard library: a picture is data without scripts, and the same rows give the same bytes. Which rows
there are and what their values are divided by is decided by whoever calls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from typing import TYPE_CHECKING

from pytest_chimera.report.svg import BOLDER, INK, TEXT, TITLE, add, shortened, svg, text, written

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterable, Sequence

_WIDTH = 960
_LEFT, _RIGHT = 316, 936
"""Of the plot; labels stand left of it."""
_TOP, _ROW, _BOTTOM = 84, 36, 54
_LANES = (11.0, 25.0)
"""Middles of a row's two boxes, from its top."""
_BOX = 10.0
_COLOURS = ("#8c939c", "#0072b2")
"""Grey and blue: told apart by every eye, and in print."""
_FAINT, _BAND = "#d8dde3", "#f5f7f9"
_FEWEST_FOR_BOX = 5
"""Fewer values are shown themselves: their quartiles would be values between them."""
_WHISKER = 1.5
"""Tukey's: in interquartile ranges from the box; what lies beyond is a point."""
_NARROWEST = 0.03
"""The axis reaches at least so far to both sides of 1, so that noise does not fill it."""
_FARTHEST = 1e12
"""Where something that far away is drawn: no two times on one clock are farther apart."""
_AS_BEFORE = 100.0
_TICK_GAP = 58.0
_MOST_TICKS = 40
_TENTHS = (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8)
"""Preferred numbers (ISO 3): evenly stepped on this axis."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One comparison; values are divided by the base's typical value, so 1.0 is as before."""

    label: str
    base: tuple[float, ...]
    new: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis: half and twice are equally far from 1, and one row that changed much leaves others room."""

    low: float
    high: float

    def at(self, value: float) -> float:
        share = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return _LEFT + share * (_RIGHT - _LEFT)


def draw_distributions(rows: Sequence[Distribution], title: str) -> str:
    """An SVG with a row for each comparison and a box, or points where there are few values, for either side.

    Values that are not finite or not above 0 are not drawn.
    """
    bottom = _TOP + _ROW * len(rows)
    root = svg(_WIDTH, bottom + _BOTTOM)
    text(root, 16, 28, shortened(title, (_WIDTH - 32) / BOLDER, TITLE), size=TITLE)
    if not rows:
        text(root, 16, 60, "no rounds to show")
        return written(root)
    _legend(root)
    axis = _axis(_drawable(value for row in rows for value in (*row.base, *row.new)))
    for number in range(0, len(rows), 2):
        add(root, "rect", x=0, y=_TOP + _ROW * number, width=_WIDTH, height=_ROW, fill=_BAND)
    _grid(root, axis, bottom)
    for number, row in enumerate(rows):
        top = _TOP + _ROW * number
        label = shortened(row.label, _LEFT - 32, TEXT)
        text(root, _LEFT - 16, top + _ROW / 2 + 4, label, anchor="end")
        for values, lane, colour in zip((row.base, row.new), _LANES, _COLOURS, strict=True):
            _draw(root, axis, _drawable(values), top + lane, colour)
    return written(root)


def _legend(root: ET.Element) -> None:
    for x, name, colour in zip((_LEFT, _LEFT + 80), ("base", "new"), _COLOURS, strict=True):
        add(root, "rect", x=x, y=44, width=14, height=_BOX, fill=colour)
        text(root, x + 20, 53, name)
    explained = "box: quartiles and median; line: 1.5 times the box at most; points: single values"
    text(root, _RIGHT, 53, explained, anchor="end", size=11)


def _grid(root: ET.Element, axis: _Axis, bottom: float) -> None:
    for tick in _ticks(axis):
        x, typical = axis.at(tick / _AS_BEFORE), tick == _AS_BEFORE
        line = add(root, "line", x1=x, y1=_TOP, x2=x, y2=bottom, stroke=INK if typical else _FAINT)
        if typical:
            line.set("stroke-dasharray", "4 3")
        for y in (_TOP - 6, bottom + 16):
            text(root, x, y, f"{tick:g} %", anchor="middle", size=11)
    text(root, (_LEFT + _RIGHT) / 2, bottom + 40, "percent of the base's typical value", anchor="middle")


def _draw(root: ET.Element, axis: _Axis, values: Sequence[float], y: float, colour: str) -> None:
    """One side of a row."""
    points = values
    if len(values) >= _FEWEST_FOR_BOX:
        low, middle, high = quantiles(values, n=4, method="inclusive")
        reach = _WHISKER * (high - low)
        inside = [value for value in values if low - reach <= value <= high + reach]
        points = [value for value in values if not low - reach <= value <= high + reach]
        add(root, "line", x1=axis.at(min(inside)), y1=y, x2=axis.at(max(inside)), y2=y, stroke=colour)
        for end in (min(inside), max(inside)):
            add(root, "line", x1=axis.at(end), y1=y - 3, x2=axis.at(end), y2=y + 3, stroke=colour)
        start, width = axis.at(low), axis.at(high) - axis.at(low)
        add(root, "rect", x=start, y=y - _BOX / 2, width=width, height=_BOX, fill=colour)
        _middle(root, axis.at(middle), y, colour if width < _BOX else "#ffffff")
    elif len(values) > 1:
        _middle(root, axis.at(median(values)), y, colour)
    for value in points:
        add(root, "circle", cx=axis.at(value), cy=y, r=3, fill=colour, fill_opacity="0.75")


def _middle(root: ET.Element, x: float, y: float, colour: str) -> None:
    add(root, "line", x1=x, y1=y - _BOX / 2, x2=x, y2=y + _BOX / 2, stroke=colour, stroke_width=2)


def _drawable(values: Iterable[float]) -> list[float]:
    return [min(max(value, 1 / _FARTHEST), _FARTHEST) for value in values if 0 < value < math.inf]


def _axis(values: Sequence[float]) -> _Axis:
    low, high = min([*values, 1 - _NARROWEST]), max([*values, 1 + _NARROWEST])
    margin = (high / low) ** 0.03
    return _Axis(low / margin, high * margin)


def _ticks(axis: _Axis) -> list[float]:
    """Round percents on the axis: as many as have room beside one another, evenly stepped where that goes."""
    low, high = axis.low * _AS_BEFORE, axis.high * _AS_BEFORE
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    choices = [[10.0**power * digit for power in powers for digit in digits] for digits in (_TENTHS, (1, 2, 5), (1,))]
    choices += [[10.0**power for power in powers if power % step == 0] for step in (2, 5, 10, 50, 100)]
    for step in (factor * 10.0**power for power in powers for factor in (0.1, 0.2, 0.5, 1, 2, 5)):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < _MOST_TICKS:
            choices.append([number * step for number in range(first, last + 1)])
    fitting = [shown for choice in choices if _have_room(axis, shown := [t for t in choice if low <= t <= high])]
    return max(fitting, key=lambda shown: (len(shown), _AS_BEFORE in shown))


def _have_room(axis: _Axis, ticks: Sequence[float]) -> bool:
    places = [axis.at(tick / _AS_BEFORE) for tick in ticks]
    return all(right - left >= _TICK_GAP for left, right in pairwise(places))
