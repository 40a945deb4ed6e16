"""How values move over time: a sparkline, Theil-Sen's slope, Mann-Kendall's p, and where they jumped.

Pure: values and times in, one value out. Which runs belong together and in which order is decided by whoever calls;
whether a single run is worse than others is the gate's matter.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

from pytest_chimera.distributions import normal_tail, t_tail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

FEWEST_RUNS = 3
"""Two runs have a difference, but no trend."""

SURE = 0.05
"""A trend is one when chance gives its order of runs less often than this."""

SURE_OF_CHANGE = 0.01
"""Stricter than SURE: a change is looked for wherever it would show most."""

SMALLEST_JUMP = math.log(1.01)
"""A smaller change is none that anybody would look for."""

_BARS = "▁▂▃▄▅▆▇█"
_MIDDLE = "▄"
_MOST_BARS = 40
_EXACT_RUNS = 10
"""Up to so many runs without ties the orders are counted; beyond, the normal approximation is good."""
_FEWEST_FOR_CHANGE = 6
_FEWEST_PER_SIDE = 2
_SHORTEST_S = 60.0
_DAY_S = 86_400.0
_STEEPEST_PER_DAY = math.log(10)
"""What would be ten times as much within a day is minutes, extrapolated."""
_LARGEST_LOG = 700.0
"""e to a little more is beyond a float: values of a file may be anything."""
_DIGITS = 9
_LARGEST_SHARE = 1 - 1e-12
"""Two steps without any noise would have an infinite t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One metric of one case over the runs."""

    sparkline: str
    """A bar per run from the smallest to the largest value; of many runs, medians of equal groups."""
    slope_per_run: float
    """As a share: 0.01 is 1 % more with each run."""
    slope_per_day: float | None
    """The same per day; None where times are unknown, not in order or too close to one another."""
    p_value: float
    """How often chance alone would give a trend as steady, up or down (Mann-Kendall)."""
    change_point: int | None
    """Index of the first run after the one clear jump; None where there is none."""
    change_ratio: float | None
    """Typical value from the change on, divided by the one before it."""


def trend_of(values: Sequence[float], times: Sequence[datetime | None]) -> Trend:
    """The trend of three or more values, each above 0 in any one unit, oldest first.

    `times` has one entry per value. Raises ValueError where there are fewer values, or a value has no logarithm.
    """
    if len(values) < FEWEST_RUNS or len(values) != len(times):
        raise ValueError(f"{len(values)} values and {len(times)} times: a trend needs {FEWEST_RUNS} of each")
    if not all(0 < value < math.inf for value in values):
        raise ValueError("a trend is one of finite values above 0")
    logs = [math.log(value) for value in values]
    days = _days(times)
    per_day = None if days is None else _slope(logs, days)
    change = _change(logs)
    return Trend(
        sparkline=_sparkline(values),
        slope_per_run=math.expm1(min(_slope(logs, range(len(logs))), _LARGEST_LOG)),
        slope_per_day=None if per_day is None or abs(per_day) > _STEEPEST_PER_DAY else math.expm1(per_day),
        p_value=_monotone_p(values),
        change_point=None if change is None else change[0],
        change_ratio=None if change is None else math.exp(min(change[1], _LARGEST_LOG)),
    )


def _sparkline(values: Sequence[float]) -> str:
    count = min(len(values), _MOST_BARS)
    edges = [index * len(values) // count for index in range(count + 1)]
    shown = [median(values[start:end]) for start, end in pairwise(edges)]
    low, high = min(shown), max(shown)
    if low == high:
        return _MIDDLE * count
    return "".join(_BARS[round((each - low) / (high - low) * (len(_BARS) - 1))] for each in shown)


def _days(times: Sequence[datetime | None]) -> list[float] | None:
    """Days since the first; None where they cannot be the axis of a slope."""
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return None
    seconds = [(time - known[0]).total_seconds() for time in known]
    if seconds[-1] <= _SHORTEST_S or any(later < earlier for earlier, later in pairwise(seconds)):
        return None
    return [each / _DAY_S for each in seconds]


def _slope(logs: Sequence[float], positions: Sequence[float]) -> float:
    """Theil-Sen: the median of the slopes between any two, so that one odd run does not turn it."""
    pairs = combinations(zip(positions, logs, strict=True), 2)
    return median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in pairs if x2 > x1)


def _monotone_p(values: Sequence[float]) -> float:
    """Mann-Kendall's two-sided p: how often `values` in a random order rise or fall as steadily."""
    n = len(values)
    falls = sum(first > second for first, second in combinations(values, 2))
    rises = sum(first < second for first, second in combinations(values, 2))
    ties = [count for count in Counter(values).values() if count > 1]
    if n <= _EXACT_RUNS and not ties:
        orders = _orders_by_falls(n)
        return min(1.0, 2 * sum(orders[: min(rises, falls) + 1]) / math.factorial(n))
    square = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    return 1.0 if square == 0 else min(1.0, 2 * normal_tail(abs(rises - falls) / math.sqrt(square)))


def _orders_by_falls(n: int) -> list[int]:
    """How many orders of n values have 0, 1, 2, ... pairs of which the later one is smaller."""
    orders = [1]
    for size in range(2, n + 1):  # the largest of `size` values is passed by 0 to size - 1 others
        longer = len(orders) + size - 1
        orders = [sum(orders[max(0, falls - size + 1) : falls + 1]) for falls in range(longer)]
    return orders


def _change(logs: Sequence[float]) -> tuple[int, float] | None:
    """Where the two sides differ most, and the ln of by how much; None where that may be chance or is too little."""
    n, centre = len(logs), fmean(logs)
    sums = list(accumulate(log - centre for log in logs))
    square = sum((log - centre) ** 2 for log in logs)
    if n < _FEWEST_FOR_CHANGE or not square:
        return None
    splits = range(_FEWEST_PER_SIDE, n - _FEWEST_PER_SIDE + 1)
    # Student's t grows with the share of the squares that lies between the sides.
    shares = {split: sums[split - 1] ** 2 * n / (split * (n - split)) / square for split in splits}
    # Rounded, so that of two splits that differ by the last digits of a float the earlier one is taken.
    at = max(splits, key=lambda split: round(shares[split], _DIGITS))
    share = min(shares[at], _LARGEST_SHARE)
    p = 2 * t_tail(math.sqrt((n - 2) * share / (1 - share)), n - 2) * len(splits)
    jump = fmean(logs[at:]) - fmean(logs[:at])
    is_step = share > _share_of_line(logs, square)
    return (at, jump) if is_step and p < SURE_OF_CHANGE and abs(jump) >= SMALLEST_JUMP else None


def _share_of_line(logs: Sequence[float], square: float) -> float:
    """The share of the squares that a straight line explains: a steady trend looks like a jump in its middle."""
    middle = (len(logs) - 1) / 2
    slope = sum((i - middle) * log for i, log in enumerate(logs))
    return slope * slope / sum((i - middle) ** 2 for i in range(len(logs))) / square
