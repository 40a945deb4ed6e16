"""Sentences about claims, and how a check is shown to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from pytest_chimera.report.claims.case import Case
    from pytest_chimera.report.claims.text import Piece
    from pytest_chimera.report.claims.values import Value
    from pytest_chimera.units import Dimension

_SAID = 160


def said_in(piece: Piece) -> str:
    """The line or row around a claim, cut."""
    text = " | ".join(piece.cells) if piece.table else " ".join(piece.text.split())
    return text if len(text) <= _SAID else f"{text[:_SAID]}..."


def shown(value: float, dimension: Dimension) -> str:
    """A value with more digits than tables show, so that the difference can be seen."""
    if dimension == "rate":
        return f"{value:.6g} tok/s"
    if dimension == "time":
        return f"{value:.5g} s" if abs(value) >= 0.1 else f"{value * 1e3:.5g} ms"  # noqa: PLR2004  # milliseconds read better below
    if dimension == "ratio":
        return f"{value:.5g}"
    return format_value(value, dimension)


def understood(case: Case) -> str:
    """How a number was understood: "mean ttft (warm rows) of toy:a"."""
    parts = [case.sense.statistic or "", case.metric or (case.sense.metrics[0] if case.sense.metrics else "")]
    text = " ".join(part for part in parts if part) or "a number"
    if case.sense.condition:
        text += f" ({case.sense.condition} rows)"
    who = ", ".join((*case.scope.names, *case.scope.settings))
    if who:
        text += f" of {who}"
    if case.chosen is not None:
        files = sorted(case.chosen.files)
        text += f" in {files[0]}" + (f" and {len(files) - 1} more files" if len(files) > 1 else "")
    return text


def compared(value: Value, dimension: Dimension) -> str:
    """What the data say: "mean of 5 rows of toy:a in runs.csv is 80 tok/s"."""
    return f"{value.text} is {shown(value.value, dimension)}"
