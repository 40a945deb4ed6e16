"""A heat map as SVG: one value for each pair of levels, brighter where it is better, on one scale over all panels.

The colours are those of viridis, told apart by every eye and in print; the value stands in each cell, so that nobody
has to read a colour. What is drawn is decided by whoever calls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.report.svg import BOLDER, TEXT, TITLE, add, shortened, svg, text, width_of, written
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Mapping, Sequence

    from pytest_chimera.units import Dimension

MOST_ACROSS, MOST_DOWN, MOST_PANELS = 12, 16, 8
"""Levels and panels that are drawn; of more the picture says how many there are."""
_COLOURS = (
    *("#440154", "#482173", "#433e85", "#38588c", "#2d708e", "#25858e"),
    *("#1e9b8a", "#2ab07f", "#52c569", "#86d549", "#c2df23", "#fde725"),
)
"""Viridis in twelve steps, worst first."""
_LEAST_SPAN = 1.1
"""Largest by smallest value that the scale covers at least, so that noise does not fill it."""
_BLACK, _PAPER, _PALE, _FAINT = "#000000", "#ffffff", "#f1f3f5", "#adb5bd"
_WIDTH, _EDGE, _GAP = 960.0, 16.0, 28.0
_CELL, _ROW, _HEAD = 76.0, 30.0, 46.0
_WIDEST_CELL = 180.0
_WIDEST_LABEL = 150.0
_SCALE, _SCALE_TOP = 168.0, 48.0
_TOP = 84.0
_SMALL = 11
_HATCH = 8.0
_LINEAR = 0.04045
"""Below this share sRGB is a straight line."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one point has."""

    value: float | None = None
    """In the SI unit; None where no round counted."""
    says: str = "-"
    """What stands in it where there is no value: "failed", or "-" of a point that was not measured."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter with its levels, in order."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """All cells of one combination of the parameters that are no axis."""

    title: str
    """Empty where there is none."""
    cells: Mapping[tuple[str, str], Cell]
    """(level down, level across) -> cell; without a parameter down the first is ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """A picture as data."""

    title: str
    dimension: Dimension
    higher_is_better: bool
    across: Axis
    down: Axis | None
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Equal ratios are equally far apart: a parameter that doubles a time does not hide one that adds a tenth."""

    low: float
    high: float
    higher_is_better: bool

    def at(self, value: float) -> float:
        """0 is the worst, 1 the best."""
        share = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return min(max(share if self.higher_is_better else 1 - share, 0.0), 1.0)

    @property
    def ends(self) -> tuple[float, float]:
        """The worst value and the best."""
        return (self.low, self.high) if self.higher_is_better else (self.high, self.low)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where everything stands: sizes in px."""

    whole: HeatMap
    drawn: HeatMap
    """The part of it that there is room for."""
    scale: _Scale
    label: float
    """Width of the labels left of the cells."""
    cell: float
    each: tuple[float, float]
    """Width and height of a panel."""
    beside: int
    """Panels in a row."""

    @property
    def size(self) -> tuple[float, float]:
        """Of the whole picture, without the lines at its foot."""
        rows = math.ceil(len(self.drawn.panels) / self.beside)
        return max(_WIDTH, self.each[0]), _TOP + rows * (self.each[1] + _GAP)

    def corner(self, number: int) -> tuple[float, float]:
        """Where a panel begins."""
        row, column = divmod(number, self.beside)
        return column * self.each[0], _TOP + row * (self.each[1] + _GAP)


def draw_heatmap(whole: HeatMap) -> str:
    """The picture; what is not finite or not above 0 is drawn as a cell without a value."""
    drawn, left_out = _bounded(whole)
    plan = _planned(drawn, whole)
    width, height = plan.size
    root = svg(width, height + 18 * len(left_out), title=whole.title, described=_described(whole))
    text(root, _EDGE, 28, shortened(whole.title, (width - 2 * _EDGE) / BOLDER, TITLE), size=TITLE)
    _legend(root, whole, plan.scale)
    for number, panel in enumerate(drawn.panels):
        _draw_panel(root, plan, panel, plan.corner(number))
    for number, line in enumerate(left_out):
        text(root, _EDGE, height + 18 * number, shortened(line, width - 2 * _EDGE, _SMALL), size=_SMALL)
    return written(root)


def is_drawable(value: float | None) -> bool:
    """Whether a value has a place on a scale of ratios."""
    return value is not None and 0 < value < math.inf


def _bounded(whole: HeatMap) -> tuple[HeatMap, list[str]]:
    """The part that is drawn, and what is said of the rest."""
    said = []
    axes: list[Axis | None] = []
    for axis, most in ((whole.across, MOST_ACROSS), (whole.down, MOST_DOWN)):
        if axis is not None and len(axis.levels) > most:
            said.append(f"The first {most} of {len(axis.levels)} levels of {axis.name} are shown.")
        axes.append(None if axis is None else Axis(axis.name, axis.levels[:most]))
    if len(whole.panels) > MOST_PANELS:
        said.append(f"The first {MOST_PANELS} of {len(whole.panels)} combinations of the other parameters are shown.")
    across, down = axes
    assert across is not None, "a picture has one axis at least"
    drawn = HeatMap(
        title=whole.title,
        dimension=whole.dimension,
        higher_is_better=whole.higher_is_better,
        across=across,
        down=down,
        panels=whole.panels[:MOST_PANELS],
    )
    return drawn, said


def _planned(drawn: HeatMap, whole: HeatMap) -> _Plan:
    down = drawn.down
    names = () if down is None else (down.name, *down.levels)
    label = min(max((width_of(each, TEXT) for each in names), default=0.0), _WIDEST_LABEL) + 10
    widest = max((width_of(each, _SMALL) for each in drawn.across.levels), default=0.0) + 12
    fair = (_WIDTH - 2 * _EDGE - label) / (len(drawn.across.levels) + 1)
    cell = max(_CELL, min(widest, fair, _WIDEST_CELL))
    cells = len(drawn.across.levels) + (drawn.across != whole.across)
    head = _HEAD + (20 if any(panel.title for panel in drawn.panels) else 0)
    rows = max(1, 0 if down is None else len(down.levels)) + (down != whole.down)
    each = _EDGE + label + cells * cell + _EDGE, head + rows * _ROW
    return _Plan(whole, drawn, _scale(whole), label, cell, each, max(1, int(_WIDTH // each[0])))


def _scale(whole: HeatMap) -> _Scale:
    values = _values(whole)
    low, high = min(values, default=1.0), max(values, default=1.0)
    if high / low < _LEAST_SPAN:
        middle = math.sqrt(low) * math.sqrt(high)
        low, high = middle / math.sqrt(_LEAST_SPAN), middle * math.sqrt(_LEAST_SPAN)
    return _Scale(low, high, whole.higher_is_better)


def _values(whole: HeatMap) -> list[float]:
    cells = (cell for panel in whole.panels for cell in panel.cells.values())
    return [cell.value for cell in cells if cell.value is not None and is_drawable(cell.value)]


def _described(whole: HeatMap) -> str:
    """In words: the axes, the best and the worst cell, and how many have no value."""
    axes = f"{whole.across.name} from left to right"
    if whole.down is not None:
        axes += f", {whole.down.name} from top to bottom"
    found = [
        (cell.value, _place(whole, panel, key))
        for panel in whole.panels
        for key, cell in panel.cells.items()
        if cell.value is not None and is_drawable(cell.value)
    ]
    if not found:
        return f"A table with {axes}; no cell has a value."
    ends = max(found, key=lambda each: each[0]), min(found, key=lambda each: each[0])
    best, worst = ends if whole.higher_is_better else ends[::-1]
    told = [f"{word} {format_value(value, whole.dimension)} at {where}" for word, (value, where) in
            (("best", best), ("worst", worst))]  # fmt: skip
    without = sum(len(panel.cells) for panel in whole.panels) - len(found)
    return f"A table with {axes}: {', '.join(told)}; {without} cell{'' if without == 1 else 's'} without a value."


def _place(whole: HeatMap, panel: Panel, key: tuple[str, str]) -> str:
    parts = [f"{whole.across.name}={key[1]}"]
    if whole.down is not None:
        parts.insert(0, f"{whole.down.name}={key[0]}")
    return ", ".join([*parts, *([panel.title] if panel.title else [])])


def _legend(root: ET.Element, whole: HeatMap, scale: _Scale) -> None:
    """The scale between the values at its ends; without a value there is nothing to show."""
    if not _values(whole):
        return
    worst, best = (shortened(format_value(end, whole.dimension), _SCALE, _SMALL) for end in scale.ends)
    said = f"worse {worst}"
    text(root, _EDGE, _SCALE_TOP + 11, said, size=_SMALL)
    left = _EDGE + width_of(said, _SMALL) + 8
    step = _SCALE / len(_COLOURS)
    for number, colour in enumerate(_COLOURS):
        add(root, "rect", x=left + number * step, y=_SCALE_TOP, width=step + 0.3, height=14.0, fill=colour)
    text(root, left + _SCALE + 8, _SCALE_TOP + 11, f"{best} better", size=_SMALL)


def _draw_panel(root: ET.Element, plan: _Plan, panel: Panel, corner: tuple[float, float]) -> None:
    """A title, the levels around the cells, the cells."""
    drawn, left, top = plan.drawn, corner[0] + _EDGE + plan.label, corner[1]
    if any(each.title for each in drawn.panels):
        text(root, corner[0] + _EDGE, top + 12, shortened(panel.title, plan.each[0] - 2 * _EDGE, TEXT))
        top += 20
    _draw_levels(root, plan, left, top)
    if drawn.down is not None:
        text(root, left - 8, top + 36, shortened(drawn.down.name, plan.label, TEXT), anchor="end")
    top += _HEAD
    rows = ("",) if drawn.down is None else drawn.down.levels
    for row, down in enumerate(rows):
        text(root, left - 8, top + row * _ROW + 19, shortened(down, plan.label - 8, _SMALL), anchor="end", size=_SMALL)
        for column, across in enumerate(drawn.across.levels):
            cell = panel.cells.get((down, across), Cell())
            _draw_cell(root, plan, cell, (left + column * plan.cell, top + row * _ROW))
    if drawn.down != plan.whole.down:
        text(root, left - 8, top + len(rows) * _ROW + 15, "...", anchor="end", size=_SMALL)


def _draw_levels(root: ET.Element, plan: _Plan, left: float, top: float) -> None:
    """The name of the parameter across, and its levels above their columns."""
    axis = plan.drawn.across
    wide = len(axis.levels) * plan.cell
    text(root, left + wide / 2, top + 14, shortened(axis.name, wide, TEXT), anchor="middle")
    for column, level in enumerate(axis.levels):
        label = shortened(level, plan.cell - 6, _SMALL)
        text(root, left + (column + 0.5) * plan.cell, top + 36, label, anchor="middle", size=_SMALL)
    if axis != plan.whole.across:
        text(root, left + wide + 8, top + 36, "...", size=_SMALL)


def _draw_cell(root: ET.Element, plan: _Plan, cell: Cell, corner: tuple[float, float]) -> None:
    """A value on its colour, or on hatched ground why there is none."""
    x, y = corner
    middle, foot, width, height = x + plan.cell / 2, y + _ROW / 2 + 4, plan.cell - 2, _ROW - 2
    if cell.value is None or not is_drawable(cell.value):
        add(root, "rect", x=x + 1, y=y + 1, width=width, height=height, fill=_PALE)
        _hatch(root, x + 1, y + 1, width, height)
        wide = width_of(cell.says, _SMALL) + 8
        add(root, "rect", x=middle - wide / 2, y=y + 7, width=wide, height=_ROW - 14, fill=_PAPER)
        text(root, middle, foot, cell.says, anchor="middle", size=_SMALL)
        return
    fill = _colour(plan.scale.at(cell.value))
    add(root, "rect", x=x + 1, y=y + 1, width=width, height=height, fill=fill)
    said = shortened(format_value(cell.value, plan.drawn.dimension).removesuffix(" tok/s"), plan.cell - 4, TEXT)
    text(root, middle, foot, said, anchor="middle", fill=_on(fill))


def _hatch(root: ET.Element, x: float, y: float, width: float, height: float) -> None:
    """Lines from lower left to upper right within a rectangle."""
    start = _HATCH
    while start < width + height:
        x1, y1 = (x + start - height, y + height) if start > height else (x, y + start)
        x2, y2 = (x + start, y) if start < width else (x + width, y + start - width)
        add(root, "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=_FAINT)
        start += _HATCH


def _colour(share: float) -> str:
    """The colour between the two nearest steps."""
    place = share * (len(_COLOURS) - 1)
    below = min(int(place), len(_COLOURS) - 2)
    pairs = zip(_parts(_COLOURS[below]), _parts(_COLOURS[below + 1]), strict=True)
    return "#" + "".join(f"{round(low + (high - low) * (place - below)):02x}" for low, high in pairs)


def _parts(colour: str) -> Sequence[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _on(fill: str) -> str:
    """Black or white, whichever contrasts more with the fill: one of them always has 4.5, as WCAG wants (AA)."""
    return max((_BLACK, _PAPER), key=lambda each: contrast(each, fill))


def contrast(one: str, other: str) -> float:
    """How much two colours differ in luminance, 1 to 21, as WCAG defines it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    shares = (part / 255 for part in _parts(colour))
    red, green, blue = (each / 12.92 if each <= _LINEAR else ((each + 0.055) / 1.055) ** 2.4 for each in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
