"""Trends over runs as lines of text."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_chimera.compare.trend import trend_line
from pytest_chimera.trends import Trend


def made(**changes: Any) -> Trend:
    """A trend as it stands in the lines below."""
    known = {"slope_per_run": 0.008, "slope_per_day": 0.004, "p_value": 0.03, "change_point": 4, "change_ratio": 1.071}
    return Trend(sparkline="▂▂▃▂▇▇", **{**known, **changes})


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (made(), "▂▂▃▂▇▇  +0.8 % per run (+0.4 % per day), p 0.03; changed by +7.1 % at 0005_fix"),
        (
            made(change_point=None, change_ratio=None, slope_per_day=None),
            "▂▂▃▂▇▇  +0.8 % per run, p 0.03",
        ),
        (
            made(slope_per_run=-0.00034, slope_per_day=-1e-9, p_value=0.44, change_point=None, change_ratio=None),
            "▂▂▃▂▇▇  no trend: -0.03 % per run (+0.00 % per day), p 0.44",
        ),
        (
            made(p_value=0.05, slope_per_day=None, change_ratio=0.929),
            "▂▂▃▂▇▇  no trend: +0.8 % per run, p 0.05; changed by -7.1 % at 0005_fix",
        ),
        (
            made(p_value=3e-9, slope_per_run=-0.123, slope_per_day=None, change_point=None, change_ratio=None),
            "▂▂▃▂▇▇  -12.3 % per run, p < 0.0001",
        ),
    ],
    ids=["all", "less", "none", "changed", "sure"],
)
def test_a_trend_is_one_line(found: Trend, line: str) -> None:
    """The line has bars, slopes, how sure they are, and the change with its run; what is unknown is left out."""
    assert trend_line(found, [f"000{n}_{'fix' if n == 5 else 'x'}" for n in range(1, 7)]) == line
