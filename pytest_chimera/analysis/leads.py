"""The best point of a sweep, and which others it can be told from.

That the best is chosen after looking needs no correction: at any level the test of the best against another errs no
more often than it says (Gutmann and Maymin 1987), and "better than every other" holds where each of the tests says so.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.analysis.contrasts import additive_rest, mean
from pytest_chimera.analysis.strata import Layout, is_usable
from pytest_chimera.distributions import t_tail, t_upper_quantile
from pytest_chimera.metrics import METRICS
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence

    from pytest_chimera.analysis.strata import Observation

SURE = 0.05
"""Two points are told apart when chance alone sets them as far apart less often than this."""
_TAIL = 0.025
_CLEAR = 1e-4
"""A p-value below this is only said to be below."""
_MOST_NAMED = 3
_ROUNDING = 1e-12
"""Of a mean of logarithms, what only the last bits of floats make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The best point of a sweep beside the second."""

    metric: str
    best: Mapping[str, str]
    """Parameter -> level."""
    best_value: float
    """Geometric mean in the SI unit."""
    second: Mapping[str, str]
    second_value: float
    ratio: float
    """Best / second."""
    ratio_low: float | None
    """Lower end of its 95 % interval, for these two alone; None where noise is not known."""
    ratio_high: float | None
    p: float | None
    """How often chance alone sets the two as far apart; None where noise is not known."""
    undecided: tuple[Mapping[str, str], ...]
    """Every point that the best cannot be told from, the nearest first."""
    worst_p: float | None
    """The largest p of the best against any other point."""

    @property
    def distinguishable(self) -> bool:
        """Whether the best can be told from every other point."""
        return not self.undecided

    @property
    def sentence(self) -> str:
        """What a person may conclude, with its full stop."""
        best, second = _text(self.best), _text(self.second)
        share = abs(self.ratio - 1) * 100
        side = "above" if self.ratio >= 1 else "below"
        head = (
            f"{best} is best at {self._value(self.best_value)}, {share:.1f} % {side} {second} "
            f"({self._value(self.second_value)})"
        )
        if self.distinguishable:
            return f"{head}: distinguishable ({_p_text(self.p)})."
        if self.p is None:
            return f"{head}: nothing shows how much rounds of one point differ, so that they cannot be told apart."
        if self.p >= SURE:
            others = len(self.undecided) - 1
            more = f", nor from {others} other{'' if others == 1 else 's'}" if others else ""
            return f"{head}: not distinguishable ({_p_text(self.p)}){more}."
        named = "; ".join(_text(each) for each in self.undecided[:_MOST_NAMED])
        left = len(self.undecided) - _MOST_NAMED
        named += f"; and {left} more" if left > 0 else ""
        return f"{head} ({_p_text(self.p)}), but not distinguishable from {named} ({_p_text(self.worst_p)})."

    def _value(self, number: float) -> str:
        known = METRICS.get(self.metric)
        return f"{number:.3g}" if known is None else format_value(number, known.dimension)


def best_of(
    observations: Sequence[Observation], *, metric: str, higher_is_better: bool, loads: Collection[str]
) -> Lead | None:
    """The best point of a sweep; None where there are fewer than two, or values without a logarithm."""
    if not is_usable(observations):
        return None
    layout = Layout(observations, loads)
    points = _Points(layout)
    if len(points.means) < 2:  # noqa: PLR2004  # nothing to be better than
        return None
    sign = -1 if higher_is_better else 1
    best = _best(points, sign)
    tests = {other: points.compared(best, other) for other in points.means if other != best}
    others = sorted(tests, key=lambda other: (-sign * tests[other].difference, sign * points.means[other], other))
    second = tests[others[0]]
    undecided = [each for each in others if not tests[each].tells(sign)]
    known = [each.p for each in tests.values() if each.p is not None]
    names = layout.names
    return Lead(
        metric=metric,
        best=dict(zip(names, best, strict=True)),
        best_value=math.exp(points.means[best]),
        second=dict(zip(names, others[0], strict=True)),
        second_value=math.exp(points.means[best] - second.difference),
        ratio=math.exp(second.difference),
        ratio_low=second.end(-1),
        ratio_high=second.end(1),
        p=second.p,
        undecided=tuple(dict(zip(names, each, strict=True)) for each in undecided),
        worst_p=max(known, default=None),
    )


def _best(points: _Points, sign: int) -> tuple[str, ...]:
    """The point that no other beats where both were measured.

    Rounds that failed are not the same for all: the mean of a point without its slow rounds is none of its merits.
    """
    best, *others = sorted(points.means, key=lambda point: (sign * points.means[point], point))
    for other in others:
        if sign * points.compared(best, other).difference > 0:
            best = other
    return best


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two points."""

    difference: float
    error: float | None
    df: float

    @property
    def p(self) -> float | None:
        if self.error is None or self.df <= 0:
            return None
        if self.error <= _ROUNDING:  # values that never vary differ in their last bits at most
            return 1.0 if abs(self.difference) <= _ROUNDING else None
        return min(1.0, 2 * t_tail(abs(self.difference) / self.error, self.df))

    def tells(self, sign: int) -> bool:
        """Whether the first is the better one, and not by chance."""
        return self.p is not None and self.p < SURE and sign * self.difference < 0

    def end(self, side: int) -> float | None:
        if self.error is None or self.error <= _ROUNDING or self.df <= 0:
            return None
        return math.exp(self.difference + side * t_upper_quantile(_TAIL, self.df) * self.error)


class _Points:
    """The points of a sweep: their means, and the noise of the difference between two."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        cells: dict[tuple[tuple[str, ...], int | None], list[float]] = defaultdict(list)
        for point, block, value in zip(layout.points, layout.blocks, layout.values, strict=True):
            cells[point, block].append(value)
        self.by_point: dict[tuple[str, ...], dict[int | None, float]] = defaultdict(dict)
        """Point -> block -> mean of its rounds there."""
        for (point, block), values in cells.items():
            self.by_point[point][block] = mean(values)
        self.by_group: dict[tuple[str, ...], dict[Hashable, list[float]]] = defaultdict(lambda: defaultdict(list))
        for point, group, value in zip(layout.points, layout.groups, layout.values, strict=True):
            self.by_group[point][group].append(value)
        self.means = {point: mean(each.values()) for point, each in self.by_point.items()}
        self.keys = {point: layout.keys[next(iter(each))] for point, each in self.by_point.items()}
        _, squares, df = additive_rest(layout.within, layout.points)
        if not df:
            squares = math.fsum((value - mean(each)) ** 2 for each in cells.values() for value in each)
            df = len(layout.values) - len(cells)
        self.of_rounds = (squares / df, df) if df > 0 else None
        self.of_blocks = self._between()

    def compared(self, one: tuple[str, ...], other: tuple[str, ...]) -> _Compared:
        """Two points: by rounds where they shared their loads, else by blocks."""
        return self._by_rounds(one, other) if self.keys[one] == self.keys[other] else self._by_blocks(one, other)

    def _by_rounds(self, one: tuple[str, ...], other: tuple[str, ...]) -> _Compared:
        """The mean of the differences within groups that have both."""
        first_groups, second_groups = self.by_group[one], self.by_group[other]
        both = [(values, second_groups[group]) for group, values in first_groups.items() if group in second_groups]
        if not both:
            return _Compared(self.means[one] - self.means[other], None, 0)
        difference = mean(mean(first) - mean(second) for first, second in both)
        if self.of_rounds is None:
            return _Compared(difference, None, 0)
        share = math.fsum(1 / len(first) + 1 / len(second) for first, second in both) / len(both) ** 2
        return _Compared(difference, math.sqrt(self.of_rounds[0] * share), self.of_rounds[1])

    def _by_blocks(self, one: tuple[str, ...], other: tuple[str, ...]) -> _Compared:
        """The mean of the differences within passes that have both, else between the means of all blocks of each."""
        passes = self.layout.passes
        first = {passes[block]: value for block, value in self.by_point[one].items()}
        second = {passes[block]: value for block, value in self.by_point[other].items()}
        both = [number for number in first if number in second]
        if self.of_blocks is None or not both:
            return _welch(list(first.values()), list(second.values()))
        difference = mean(first[each] - second[each] for each in both)
        return _Compared(difference, math.sqrt(2 * self.of_blocks[0] / len(both)), self.of_blocks[1])

    def _between(self) -> tuple[float, int] | None:
        """The variance of the mean of a point in one block, passes taken out; each key weighs the same.

        Points of one key share its blocks, so that the degrees of freedom are those of the keys alone.
        """
        keys = sorted(set(self.keys.values()))
        complete = self._complete(len(keys))
        if len(complete) < 2 or len(keys) < 2:  # noqa: PLR2004  # nothing to compare
            return None
        number = {block: at for at, blocks in enumerate(complete) for block in blocks}
        rest: dict[tuple[str, ...], list[list[float]]] = defaultdict(list)
        for point, values in self.by_point.items():
            row = [values[block] for block in sorted(values.keys() & number, key=lambda each: number[each])]
            if len(row) == len(complete):
                rest[self.keys[point]].append([each - mean(row) for each in row])
        if len(rest) < len(keys):
            return None
        typical = [mean(mean(row[at] for row in rows) for rows in rest.values()) for at in range(len(complete))]
        squares = math.fsum(
            (each - usual) ** 2 / len(rows)
            for rows in rest.values()
            for row in rows
            for each, usual in zip(row, typical, strict=True)
        )
        df = (len(complete) - 1) * (len(keys) - 1)
        return squares / df, df

    def _complete(self, keys: int) -> list[list[int | None]]:
        """The blocks of each pass that has every key."""
        members: dict[int, list[int | None]] = defaultdict(list)
        for block, number in self.layout.passes.items():
            members[number].append(block)
        return [members[number] for number in sorted(members) if len(members[number]) == keys]


def _welch(first: Sequence[float], second: Sequence[float]) -> _Compared:
    """Two means with spreads of their own."""
    difference = mean(first) - mean(second)
    if min(len(first), len(second)) < 2:  # noqa: PLR2004  # one value has no spread
        return _Compared(difference, None, 0)
    parts = [math.fsum((x - mean(each)) ** 2 for x in each) / (len(each) - 1) / len(each) for each in (first, second)]
    square = math.fsum(parts)
    if not square:
        return _Compared(difference, 0.0, 1)
    df = square**2 / math.fsum(p * p / (len(each) - 1) for p, each in zip(parts, (first, second), strict=True))
    return _Compared(difference, math.sqrt(square), df)


def _text(point: Mapping[str, str]) -> str:
    return ",".join(f"{name}={level}" for name, level in point.items())


def _p_text(p: float | None) -> str:
    if p is None:
        return "p unknown"
    return f"p < {_CLEAR}" if p < _CLEAR else f"p {p:.2g}"
