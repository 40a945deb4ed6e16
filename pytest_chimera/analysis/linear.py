"""A linear model of main effects: how much of the spread of values the levels of each factor explain.

Least squares over dummy variables, so that unequal numbers of rows per level are no matter; without interactions the
sums of squares of types II and III are the same, those used here. Pure; numpy is the oracle in the tests.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.distributions import f_tail

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ALIASED = 1e-9
"""A column of which less than this share is left is the sum of others: two factors changed together."""
_NOTHING = 1e-24
"""A share of the squares that only the last digits of floats make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the levels of one factor explain."""

    eta2: float | None
    """Share of all squares that lies between the means of its levels; None where all values are equal."""
    partial: float | None
    """Of what no other factor explains, the share that this one does; None where it cannot be told from others."""
    p: float | None
    """How often chance would explain as much (F test); None without residual degrees of freedom."""
    f: float | None
    df: int
    """Its degrees of freedom beside the other factors; 0 where it cannot be told from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The model of all factors."""

    effects: tuple[Effect, ...]
    """In the order of the factors."""
    residual_sd: float | None
    """Standard deviation of what the model does not explain; None without degrees of freedom for it."""
    residual_df: int
    total: float
    """Sum of the squared deviations from the mean."""


@dataclass(slots=True)
class _Cell:
    """The rows with one combination of levels."""

    levels: tuple[int, ...]
    values: list[float]


def fit_main_effects(levels: Sequence[tuple[str, ...]], values: Sequence[float]) -> Fit:
    """Fit values by the levels of their rows: one tuple per value, with a level per factor; at least one value."""
    factors = len(levels[0])
    centre = math.fsum(values) / len(values)
    cells = _cells(levels, [value - centre for value in values])
    total = _squares(value for cell in cells for value in cell.values)
    every = tuple(range(factors))
    full, rank = _residual(cells, every)
    residual_df = len(values) - 1 - rank
    if full <= total * _NOTHING:
        full = 0.0
    effects = tuple(
        _effect(cells, factor, every, full=full, rank=rank, df=residual_df, total=total) for factor in every
    )
    spread = math.sqrt(full / residual_df) if residual_df > 0 else None
    return Fit(effects=effects, residual_sd=spread, residual_df=residual_df, total=total)


def _effect(
    cells: Sequence[_Cell], factor: int, every: Sequence[int], *, full: float, rank: int, df: int, total: float
) -> Effect:
    alone, _ = _residual(cells, (factor,))
    without, fewer = _residual(cells, tuple(each for each in every if each != factor))
    own, own_df = max(without - full, 0.0), rank - fewer
    eta2 = None if total == 0 else min(max(1 - alone / total, 0.0), 1.0)
    if own_df == 0 or total == 0:
        return Effect(eta2=eta2, partial=None, p=None, f=None, df=own_df)
    if own <= total * _NOTHING:
        own = 0.0
    partial = None if own + full == 0 else own / (own + full)
    if df <= 0 or full == 0:
        return Effect(eta2=eta2, partial=partial, p=None, f=None, df=own_df)
    ratio = own / own_df / (full / df)
    return Effect(eta2=eta2, partial=partial, p=f_tail(ratio, own_df, df), f=ratio, df=own_df)


def _cells(levels: Sequence[tuple[str, ...]], values: Sequence[float]) -> list[_Cell]:
    """Rows by combination, levels as numbers from 0."""
    numbers: list[dict[str, int]] = [
        {level: number for number, level in enumerate(sorted(set(column)))} for column in zip(*levels, strict=True)
    ]
    found: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for combination, value in zip(levels, values, strict=True):
        found[combination].append(value)
    return [
        _Cell(
            tuple(known[level] for known, level in zip(numbers, combination, strict=True)), sorted(found[combination])
        )
        for combination in sorted(found)
    ]


def _residual(cells: Sequence[_Cell], factors: Sequence[int]) -> tuple[float, int]:
    """The squares that these factors leave, and how many degrees of freedom they take beside the mean."""
    columns = {
        (factor, level): number
        for number, (factor, level) in enumerate(
            sorted({(factor, cell.levels[factor]) for cell in cells for factor in factors if cell.levels[factor] > 0}),
            1,
        )
    }
    size = len(columns) + 1
    normal = [[0.0] * (size + 1) for _ in range(size)]
    for cell in cells:
        used = _used(cell, factors, columns)
        count, total = len(cell.values), math.fsum(cell.values)
        for row in used:
            for column in used:
                normal[row][column] += count
            normal[row][size] += total
    weights, rank = _solve(normal)
    left = []
    for cell in cells:
        fitted = math.fsum(weights[column] for column in _used(cell, factors, columns))
        left += [value - fitted for value in cell.values]
    return _squares(left), rank - 1


def _squares(values: Iterable[float]) -> float:
    """The sum of squares; by products, which are the same in any unit to the last digit, as powers are not."""
    return math.fsum(value * value for value in values)


def _used(cell: _Cell, factors: Sequence[int], columns: dict[tuple[int, int], int]) -> list[int]:
    """The columns that are 1 in a row: the mean's, and one per factor that is not at its first level."""
    return [0, *(columns[factor, cell.levels[factor]] for factor in factors if cell.levels[factor] > 0)]


def _solve(normal: list[list[float]]) -> tuple[list[float], int]:
    """The solution of the normal equations by Gauss-Jordan elimination, and their rank; aliased columns weigh 0."""
    size = len(normal)
    scale = [normal[index][index] for index in range(size)]
    used = []
    for pivot in range(size):
        if normal[pivot][pivot] <= _ALIASED * scale[pivot]:
            continue
        used.append(pivot)
        head = normal[pivot]
        share = head[pivot]
        for index, line in enumerate(normal):
            if index != pivot and line[pivot]:
                times = line[pivot] / share
                for column in range(pivot, size + 1):
                    line[column] -= times * head[column]
    chosen = set(used)
    return [normal[i][size] / normal[i][i] if i in chosen else 0.0 for i in range(size)], len(used)
