"""A sweep as what its rounds share: loads of the model (blocks), passes through all points, and time.

Rounds of one block share one load, so that they say one thing of a parameter that needs a load, however many they are:
such a parameter is held against the spread between blocks, every other against that of rounds within them (a split-plot
design). On natural logarithms, so that differences are ratios. Method: `docs/sweeps.md`.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_chimera.analysis.contrasts import Model, Rows, mean

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence


MOST_LEVELS = 100
"""Of one parameter; with more, level by level nothing can be told."""

_FEWEST_DF = 3
"""Degrees of freedom of noise that must be left where drift within passes is taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One round of a point."""

    levels: Mapping[str, str]
    """Parameter -> its level as text; every round of a sweep has the same parameters."""
    block: int | None
    """Number of the block, from 1 over all points; rounds of one share one load. None where nothing says it."""
    order: float
    """When it was made, in any unit."""
    value: float
    """In the SI unit of the metric, above 0."""


def is_usable(observations: Sequence[Observation]) -> bool:
    """Whether there are values, and each has a logarithm."""
    return bool(observations) and all(math.isfinite(each.value) and each.value > 0 for each in observations)


class Layout:
    """Observations in the order of time, with what each shares with others."""

    def __init__(self, observations: Sequence[Observation], loads: Collection[str]) -> None:
        """At least one observation, all with a value above 0."""
        self.rows = sorted(observations, key=lambda each: (each.block or 0, each.order, sorted(each.levels.items())))
        self.names = tuple(self.rows[0].levels)
        self.values = [math.log(each.value) for each in self.rows]
        self.points = [tuple(each.levels[name] for name in self.names) for each in self.rows]
        self.blocks = [each.block for each in self.rows]
        self.loads = frozenset(loads)
        self.by_block: dict[int | None, list[int]] = defaultdict(list)
        for number, block in enumerate(self.blocks):
            self.by_block[block].append(number)

    @cached_property
    def crowded(self) -> frozenset[str]:
        """Parameters with too many levels to be looked at level by level."""
        return frozenset(
            name for name, levels in zip(self.names, zip(*self.points, strict=True), strict=True)
            if len(set(levels)) > MOST_LEVELS
        )  # fmt: skip

    @cached_property
    def still(self) -> tuple[str, ...]:
        """Parameters that are fixed in blocks, in their order."""
        return tuple(name for name in self.names if name in self.fixed)

    @cached_property
    def grid(self) -> Rows:
        """Every point once, to see which parameters its points tell apart."""
        points = sorted(set(self.points))
        levels = [self._only(point, self.names, whole=False) for point in points]
        return Rows(levels=levels, groups=[None] * len(points), values=[0.0] * len(points))

    @cached_property
    def fixed(self) -> frozenset[str]:
        """Parameters that have one level in each of several blocks: no round within a block tells of them."""
        if len(self.by_block) == 1:
            return frozenset()
        return frozenset(
            name
            for at, name in enumerate(self.names)
            if all(len({self.points[each][at] for each in of}) == 1 for of in self.by_block.values())
        )

    @cached_property
    def moving(self) -> tuple[str, ...]:
        """Parameters that change within blocks."""
        return tuple(name for name in self.names if name not in self.fixed)

    @cached_property
    def keys(self) -> dict[int | None, tuple[str, ...]]:
        """Block -> the levels of the parameters that are fixed in it."""
        return {block: self._only(self.points[of[0]], self.fixed) for block, of in self.by_block.items()}

    @cached_property
    def passes(self) -> dict[int | None, int]:
        """Block -> which pass through all keys it belongs to, from 0.

        By its number, which counts blocks that gave nothing as well; where that puts a key twice into a pass, or
        makes passes that nothing else is in, by how many of its key came before.
        """
        keys = len(set(self.keys.values()))
        by_number = {block: ((block or 1) - 1) // keys for block in self.keys}
        distinct = {(by_number[block], key) for block, key in self.keys.items()}
        most = max(Counter(self.keys.values()).values())
        if len(distinct) == len(self.keys) and len(set(by_number.values())) <= most + 1:
            return by_number
        seen: dict[tuple[str, ...], int] = defaultdict(int)
        found = {}
        for block, key in self.keys.items():
            found[block] = seen[key]
            seen[key] += 1
        return found

    @cached_property
    def groups(self) -> list[Hashable]:
        """Of each row what it is compared within: its pass through the points of its block, else its block."""
        found: list[Hashable] = [None] * len(self.rows)
        for block, of in self.by_block.items():
            cuts = _rounds([self.points[each] for each in of])
            for number, cut in zip(of, cuts, strict=True):
                found[number] = (block, cut)
        return found

    @cached_property
    def within(self) -> Rows:
        """Every round with the levels of the parameters that change within blocks."""
        levels = [self._only(point, self.moving, whole=False) for point in self.points]
        return Rows(levels=levels, groups=self.groups, values=self.values)

    @cached_property
    def between(self) -> Rows:
        """A row for each block, compared within passes: its mean without what the moving parameters explain.

        A steady drift within passes is taken out too, where that leaves enough to tell noise by: what few passes
        happened to measure late would pass for slow.
        """
        levels = [self._only(self.points[of[0]], self.fixed, whole=False) for of in self.by_block.values()]
        groups = [self.passes[block] for block in self.by_block]
        free = len(levels) - len(set(groups)) - sum(len(set(column)) - 1 for column in zip(*levels, strict=True))
        numbered = free > _FEWEST_DF and None not in self.by_block
        return Rows(
            levels=levels,
            groups=groups,
            values=self.block_values(self._adjusted()),
            times=[float(block or 0) for block in self.by_block] if numbered else None,
        )

    def block_values(self, values: Sequence[float]) -> list[float]:
        """The mean of each block, in the order of `by_block`."""
        return [mean(values[each] for each in of) for of in self.by_block.values()]

    def label(self, point: Sequence[str]) -> str:
        """A point for people: "num_ctx=512,temperature=0.2"."""
        return ",".join(f"{name}={level}" for name, level in zip(self.names, point, strict=True))

    def _adjusted(self) -> list[float]:
        if not self.moving:
            return self.values
        weights = Model(self.within).weights()
        return [
            value - math.fsum(weights.get(key, 0.0) for key in enumerate(levels))
            for value, levels in zip(self.values, self.within.levels, strict=True)
        ]

    def _only(self, point: Sequence[str], names: Collection[str], *, whole: bool = True) -> tuple[str, ...]:
        """The levels of some parameters; where not `whole`, those of crowded ones are one level."""
        return tuple(
            level if whole or name not in self.crowded else ""
            for name, level in zip(self.names, point, strict=True)
            if name in names
        )


def _rounds(points: Sequence[Hashable]) -> list[int]:
    """Of rounds in their order, which pass through all points each belongs to: a pass ends where a point comes again.

    All 0 where that makes more passes than a point has rounds: then they were not made pass by pass.
    """
    found, seen, number = [], set[object](), 0
    for point in points:
        if point in seen:
            number, seen = number + 1, set()
        seen.add(point)
        found.append(number)
    return found if number < max(Counter(points).values()) else [0] * len(points)
