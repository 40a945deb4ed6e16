"""The heat maps of a report: which parameters are axes, and what stands in which cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.metrics import METRICS
from pytest_chimera.report.escape import one_line
from pytest_chimera.report.heatmap import Axis, Cell, HeatMap, Panel, draw_heatmap
from pytest_chimera.report.statements import short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_chimera.report.facts import FactBook
    from pytest_chimera.report.sweeps import Point, Swept

_METRICS = {"tok_s": "tok/s", "ttft": "ttft"}
"""Part of a file's name -> what is drawn."""
_LONGEST = 60
"""Characters of a name in the title of a picture."""
_AXES = 2


def place_of(number: int) -> str:
    """Where the pictures of a sweep, counted from 1, stand in the report."""
    return f"sweep {number}"


def draw_sweeps(sweeps: Sequence[Swept], book: FactBook) -> Iterator[tuple[str, str, str, str]]:
    """(name, title, SVG, place) of each picture that there are values for."""
    for number, swept in enumerate(sweeps, 1):
        for part, metric in _METRICS.items():
            if swept.values(METRICS[metric]):
                whole = heatmap_of(swept, metric, book)
                name = f"sweep.{part}" if len(sweeps) == 1 else f"sweep-{number}.{part}"
                yield name, whole.title, draw_heatmap(whole), place_of(number)


def heatmap_of(swept: Swept, metric: str, book: FactBook) -> HeatMap:
    """The medians of a metric; axes are the two parameters with the largest effects, the others make panels."""
    known = METRICS[metric]
    axes = _axes(swept, metric)
    across = axes[-1]
    down = axes[0] if len(axes) == _AXES else None
    others = [name for name in swept.names if name not in axes]
    panels: dict[str, dict[tuple[str, str], Cell]] = {}
    for point in swept.points:
        title = ", ".join(f"{name}={point.levels[name]}" for name in others)
        place = ("" if down is None else point.levels[down]), point.levels[across]
        panels.setdefault(title, {})[place] = _cell(point, metric, book)
    on = "" if swept.model is None else f" on {short(swept.model, _LONGEST)}"
    by = " and ".join(short(name, _LONGEST) for name in axes)
    return HeatMap(
        title=one_line(f"Median {known.title} of {short(swept.name, _LONGEST)}{on} by {by}"),
        dimension=known.dimension,
        higher_is_better=known.better == "higher",
        across=_axis(swept, across),
        down=None if down is None else _axis(swept, down),
        panels=tuple(Panel(title, cells) for title, cells in panels.items()),
    )


def _axes(swept: Swept, metric: str) -> list[str]:
    """The parameters with the largest effects, in their own order, so that all pictures of a sweep look alike."""
    found = next((each for each in swept.analysed if each.metric.name == metric), None)
    strongest = swept.names if found is None else [effect.name for effect in found.strongest]
    chosen = set(strongest[:_AXES])
    return [name for name in swept.names if name in chosen]


def _axis(swept: Swept, name: str) -> Axis:
    """A parameter with its levels: numbers by size, else in the order in which they were given."""
    levels = swept.levels(name)
    numbers = _numbers(levels)
    return Axis(name, tuple(levels if numbers is None else sorted(levels, key=lambda level: numbers[level])))


def _numbers(levels: Sequence[str]) -> Mapping[str, float] | None:
    try:
        return {level: float(level) for level in levels}
    except ValueError:
        return None


def _cell(point: Point, metric: str, book: FactBook) -> Cell:
    value = book.get(point.subject, metric, "median").value
    if value is not None:
        return Cell(value)
    return Cell(says="failed" if point.result.failed and not point.result.counted else "-")
