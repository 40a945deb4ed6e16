"""Levels of factors held against one another within groups of rows: differences, their noise, and tests of them.

The groups (blocks, passes through all points) are taken out before anything is compared, so that what differs between
them, such as a load of the model or drift, is nobody's effect. Least squares, so that unequal numbers of rows are no
matter. Pure; numpy and `linear` are the oracles in the tests.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_chimera.distributions import f_tail

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

_ALIASED = 1e-9
"""A column of which less than this share is left is the sum of others."""
_NOTHING = 1e-24
"""A share of the squares that only the last digits of floats make."""
_ROUNDING = 1e-14
"""A share of the largest value that is no difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Values, each with a level per factor and the group that it is compared within."""

    levels: Sequence[tuple[str, ...]]
    groups: Sequence[Hashable]
    values: Sequence[float]
    times: Sequence[float] | None = None
    """When each was measured, where a steady drift within groups is to be taken out as well."""

    def chosen(self, numbers: Sequence[int]) -> Rows:
        """Some of the rows, without their times."""
        return Rows(
            levels=[self.levels[each] for each in numbers],
            groups=[self.groups[each] for each in numbers],
            values=[self.values[each] for each in numbers],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The levels of one factor beside all other factors and the groups."""

    weights: Mapping[str, float]
    """Level -> its value less that of the first level."""
    df: int
    """Degrees of freedom of the factor that no other factor and no group takes."""
    squares: float
    """What the factor explains that nothing else does."""
    error_df: int
    error_squares: float
    """What the model leaves."""
    variances: Mapping[tuple[str, str], float]
    """Of the differences between two levels, in units of the variance of a row; empty where they cannot be told."""

    @property
    def told(self) -> bool:
        """Whether every level can be told from every other."""
        return self.df == len(self.weights) - 1

    @property
    def error(self) -> float | None:
        """Standard deviation of a row; None without degrees of freedom for it."""
        return math.sqrt(self.error_squares / self.error_df) if self.error_df > 0 else None

    @property
    def p(self) -> float | None:
        """How often chance alone would explain as much (F test); None where it cannot be told, or nothing varies."""
        if not self.df or not self.error:
            return None
        return f_tail(self.squares / self.df / (self.error_squares / self.error_df), self.df, self.error_df)


class Model:
    """Main effects of all factors, groups taken out."""

    def __init__(self, rows: Rows) -> None:
        """At least one row."""
        self.rows = rows
        self.known = [sorted(set(column)) for column in zip(*rows.levels, strict=True)]
        self.columns = {
            key: number
            for number, key in enumerate((i, level) for i, known in enumerate(self.known) for level in known[1:])
        }
        self.drift = [] if rows.times is None else [len(self.columns)]
        self.used = [self._used(number) for number in range(len(rows.values))]
        self.centred = _centred(rows.values, rows.groups)
        self.total = math.fsum(each * each for each in self.centred)
        self._cross = self._products()
        self._contrasts: dict[int, Contrast] = {}

    def contrast(self, factor: int) -> Contrast:
        """One factor, by its number, beside the others."""
        if factor not in self._contrasts:
            self._contrasts[factor] = self._contrast(factor)
        return self._contrasts[factor]

    def _contrast(self, factor: int) -> Contrast:
        own = [self.columns[factor, level] for level in self.known[factor][1:]]
        others = [each for each in self.columns.values() if each not in set(own)]
        solved = _Solved(self._cross, [*self.drift, *others, *own], inverted=own)
        error = self._left(solved.weights)
        weights = {level: solved.weights[self.columns[factor, level]] for level in self.known[factor][1:]}
        found = [each for each in own if each in solved.pivots]
        told = len(found) == len(own)
        return Contrast(
            weights={self.known[factor][0]: 0.0, **weights},
            df=len(found),
            squares=_cut(math.fsum(solved.explained[each] for each in found), self.total),
            error_df=len(self.rows.values) - len(set(self.rows.groups)) - len(solved.pivots),
            error_squares=_cut(error, self.total),
            variances=self._variances(factor, solved.inverse) if told else {},
        )

    def weights(self) -> dict[tuple[int, str], float]:
        """(Factor, level) -> its value less that of the factor's first level; those that cannot be told weigh 0."""
        return {key: self._solved.weights[number] for key, number in self.columns.items()}

    def left(self) -> tuple[float, int]:
        """The squares that the model leaves, and their degrees of freedom."""
        df = len(self.rows.values) - len(set(self.rows.groups)) - len(self._solved.pivots)
        return _cut(self._left(self._solved.weights), self.total), df

    @cached_property
    def _solved(self) -> _Solved:
        return _Solved(self._cross, [*self.drift, *self.columns.values()])

    def _used(self, number: int) -> dict[int, float]:
        """The columns that are not 0 in a row."""
        found = {self.columns[key]: 1.0 for key in enumerate(self.rows.levels[number]) if key in self.columns}
        if self.rows.times is not None:
            found[self.drift[0]] = self.rows.times[number]
        return found

    def _products(self) -> list[list[float]]:
        """Products of the columns within groups, the last one being the values."""
        size = len(self.columns) + len(self.drift)
        found = [[0.0] * (size + 1) for _ in range(size)]
        sums: dict[Hashable, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        sizes: dict[Hashable, int] = defaultdict(int)
        for used, group, value in zip(self.used, self.rows.groups, self.centred, strict=True):
            sizes[group] += 1
            for row, times in used.items():
                sums[group][row] += times
                found[row][size] += times * value
                for column, other in used.items():
                    found[row][column] += times * other
        for group, of in sums.items():
            for row, times in of.items():
                for column, other in of.items():
                    found[row][column] -= times * other / sizes[group]
        return found

    def _left(self, weights: Sequence[float]) -> float:
        """The squares of what the weights do not explain within groups."""
        fitted = [math.fsum(weights[column] * times for column, times in used.items()) for used in self.used]
        rest = [value - fit for value, fit in zip(self.centred, _centred(fitted, self.rows.groups), strict=True)]
        return math.fsum(each * each for each in rest)

    def _variances(self, factor: int, inverse: Mapping[tuple[int, int], float]) -> dict[tuple[str, str], float]:
        numbers = {level: self.columns.get((factor, level)) for level in self.known[factor]}

        def product(one: int | None, other: int | None) -> float:
            return 0.0 if one is None or other is None else inverse[one, other]

        return {
            (one, other): product(a, a) + product(b, b) - 2 * product(a, b)
            for one, a in numbers.items()
            for other, b in numbers.items()
        }


class _Solved:
    """Normal equations solved by sweeping their columns out in a given order; the inverse of those asked for."""

    def __init__(self, cross: Sequence[Sequence[float]], order: Sequence[int], *, inverted: Sequence[int] = ()) -> None:
        size = len(cross)
        work = [[*line[:size], *(float(i == j) for j in inverted), line[size]] for i, line in enumerate(cross)]
        self.explained: dict[int, float] = {}
        """Pivot -> squares that it explains beside those before it."""
        for pivot in order:
            head = work[pivot]
            if head[pivot] <= _ALIASED * cross[pivot][pivot] or head[pivot] <= 0:
                continue
            self.explained[pivot] = head[-1] * head[-1] / head[pivot]
            share = head[pivot]
            work[pivot] = head = [each / share for each in head]
            for number, line in enumerate(work):
                times = line[pivot]
                if number != pivot and times:
                    work[number] = [each - times * above for each, above in zip(line, head, strict=True)]
        self.pivots = set(self.explained)
        self.weights = [work[i][-1] if i in self.pivots else 0.0 for i in range(size)]
        self.inverse = {(i, j): work[i][size + at] for i in inverted for at, j in enumerate(inverted)}


def additive_rest(rows: Rows, cells: Sequence[Hashable]) -> tuple[list[int], float, int]:
    """What groups and cells together leave, where groups hold the same cells once each: the noise, whatever the cells'
    values depend on. The numbers of the rows that could be used, the squares, their degrees of freedom.
    """
    members: dict[Hashable, dict[Hashable, int]] = defaultdict(dict)
    twice = set()
    for number, (group, cell) in enumerate(zip(rows.groups, cells, strict=True)):
        if cell in members[group]:
            twice.add(group)
        members[group][cell] = number
    families: dict[frozenset[Hashable], list[Hashable]] = defaultdict(list)
    for group, of in members.items():
        if group not in twice:
            families[frozenset(of)].append(group)
    used: list[int] = []
    squares, df = 0.0, 0
    for family, groups in families.items():
        if len(groups) > 1 and len(family) > 1:
            numbers = [members[group][cell] for group in groups for cell in family]
            rest = _centred([rows.values[each] for each in numbers], [rows.groups[each] for each in numbers])
            rest = _centred(rest, [cells[each] for each in numbers])
            used += numbers
            squares += math.fsum(each * each for each in rest)
            df += (len(groups) - 1) * (len(family) - 1)
    return sorted(used), squares, df


def lack_of_fit(rows: Rows, cells: Sequence[Hashable]) -> float | None:
    """How often chance alone would let main effects miss the values of the cells by as much (F test).

    None where nothing is left to test, or with.
    """
    used, pure, pure_df = additive_rest(rows, cells)
    if not pure_df:
        return None
    model = Model(rows.chosen(used))
    main, main_df = model.left()
    if main_df <= pure_df or pure <= model.total * _NOTHING:
        return None
    return f_tail(max(main - pure, 0.0) / (main_df - pure_df) / (pure / pure_df), main_df - pure_df, pure_df)


def mean(values: Iterable[float]) -> float:
    """The arithmetic mean of at least one value, the same in any order."""
    known = list(values)
    return math.fsum(known) / len(known)


def _centred(values: Sequence[float], groups: Sequence[Hashable]) -> list[float]:
    """Each value less the mean of its group."""
    members: dict[Hashable, list[float]] = defaultdict(list)
    for value, group in zip(values, groups, strict=True):
        members[group].append(value)
    means = {group: mean(each) for group, each in members.items()}
    least = _ROUNDING * max(map(abs, values))
    rest = (value - means[group] for value, group in zip(values, groups, strict=True))
    return [each if abs(each) > least else 0.0 for each in rest]


def _cut(squares: float, total: float) -> float:
    """Squares, or 0 where only the last digits of floats made them."""
    return squares if squares > total * _NOTHING else 0.0
