"""A trend over runs as the line of text that `pytest-chimera compare` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.gate.wording import percent
from pytest_chimera.trends import SURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.trends import Trend

_CLEAR = 1e-4
"""A p-value below this is only said to be below."""


def trend_line(trend: Trend, names: Sequence[str]) -> str:
    """The trend as one line of plain text; `names` are those of the runs, escaped by whoever prints the line."""
    per_day = "" if trend.slope_per_day is None else f" ({_slope_percent(trend.slope_per_day)} per day)"
    sure = f"p {trend.p_value:.2g}" if trend.p_value >= _CLEAR else f"p < {_CLEAR}"
    slope = f"{_slope_percent(trend.slope_per_run)} per run{per_day}, {sure}"
    if trend.p_value >= SURE:
        slope = f"no trend: {slope}"
    if trend.change_point is None or trend.change_ratio is None:
        return f"{trend.sparkline}  {slope}"
    return f"{trend.sparkline}  {slope}; changed by {percent(trend.change_ratio - 1)} at {names[trend.change_point]}"


def _slope_percent(share: float) -> str:
    """With two digits after the point where one would show next to nothing; never a signed zero."""
    digits = 1 if abs(share) >= 0.00095 else 2  # noqa: PLR2004  # 0.1 % as it would print
    return f"{round(share * 100, digits) + 0.0:+.{digits}f} %"
