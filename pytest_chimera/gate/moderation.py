"""Moderated spreads: what five runs say badly of one case, all cases of the suite together say well (Smyth 2004).

A case's variance between runs is drawn towards the suite's, the more the less the cases differ in it. Nothing here
knows of margins or verdicts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from pytest_chimera.distributions import digamma, trigamma, trigamma_inverse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.gate.history import History

FEWEST_RUNS = 3
"""From so many runs on a spread is measured and has a say in the prior; with fewer an allowance stands for it."""
_CASES_FOR_GROUPS = 5
"""Every metric has a prior of its own only where each has so many cases."""
_NO_SPREAD = 1e-8
"""At most so much the logarithms of the variances may differ beyond chance to be called equal."""
_ROUNDING = 1e-24
"""Equal runs differ by the last digits of a float."""
_FLOOR_SHARE = 1e-5
"""A variance is at least this share of the suite's typical one."""


@dataclass(frozen=True, slots=True)
class Moderated:
    """The variance between runs of one comparison after moderation."""

    square: float
    df: float
    prior: float | None
    """What the suite says alone; None where there is no prior."""


def moderate(histories: Mapping[object, History]) -> dict[object, Moderated]:
    """The moderated variance of each comparison; one without three runs, alone, or of a share keeps its own."""
    squares = _floored(histories)
    known = {key: each.df for key, each in histories.items() if each.df >= FEWEST_RUNS - 1}
    known = {key: df for key, df in known.items() if squares[key] > 0 and not histories[key].least}
    own = {key: Moderated(squares[key], max(each.df, 1), None) for key, each in histories.items()}
    if len(histories) == 1 or len(known) < 2:  # noqa: PLR2004  # a prior of one case is that case
        return own
    prior = _Prior({key: squares[key] for key in known}, known, _groups(histories, known))
    return (
        own
        | {key: prior.moderated(key) for key in known}
        | {
            key: Moderated(squares[key], max(each.df, 1), prior.square_of(each.group))
            for key, each in histories.items()
            if key not in known and not each.least
        }
    )


def _floored(histories: Mapping[object, History]) -> dict[object, float]:
    """The variances, none below what clock or chance leave open or far below the suite's: runs that agree by chance."""
    found = {key: each.square for key, each in histories.items()}
    squares = {key: square if square > _ROUNDING else 0.0 for key, square in found.items()}
    positive = [each for each in squares.values() if each > 0]
    least = _FLOOR_SHARE * median(positive) if positive else 0.0
    return {key: max(squares[key], each.tick**2 / 12, each.least, least) for key, each in histories.items()}


def _groups(histories: Mapping[object, History], known: Mapping[object, int]) -> dict[object, str]:
    """Comparison -> the group whose prior it has: its metric's, or one for all where a metric has too few cases."""
    sizes: dict[str, int] = {}
    for key in known:
        sizes[histories[key].group] = sizes.get(histories[key].group, 0) + 1
    enough = all(size >= _CASES_FOR_GROUPS for size in sizes.values())
    return {key: histories[key].group if enough else "" for key in known}


class _Prior:
    """The prior distribution of the variances, one location per group and one number of degrees of freedom."""

    def __init__(
        self, squares: Mapping[object, float], dfs: Mapping[object, int], groups: Mapping[object, str]
    ) -> None:
        self.squares, self.dfs, self.groups = squares, dfs, groups
        self.cap = float(sum(map(self._cap, set(groups.values()))))
        logs = {key: math.log(squares[key]) - digamma(df / 2) + math.log(df / 2) for key, df in dfs.items()}
        centres = {group: self._mean(logs, group) for group in set(groups.values())}
        excess = self._excess(logs, centres)
        free = 2 * trigamma_inverse(excess) if excess > _NO_SPREAD else math.inf
        self.df = min(free, self.cap)
        if self.df < free:  # at the cap: plainly pooled
            self.locations = {group: self._mean(squares, group) for group in centres}
        else:
            shift = digamma(self.df / 2) - math.log(self.df / 2)
            self.locations = {group: math.exp(centre + shift) for group, centre in centres.items()}

    def moderated(self, key: object) -> Moderated:
        """The variance of one comparison, drawn towards its group's."""
        df, location = self.dfs[key], self.locations[self.groups[key]]
        square = (self.df * location + df * self.squares[key]) / (self.df + df)
        return Moderated(square, min(self.df + df, self.cap), location)

    def square_of(self, group: str) -> float:
        """What the suite says of a comparison that has no spread of its own."""
        return self.locations.get(group, max(self.locations.values()))

    def _cap(self, group: str) -> int:
        """A prior is never worth more than the cases that made it, less the one that is judged."""
        dfs = [df for key, df in self.dfs.items() if self.groups[key] == group]
        return sum(dfs) - max(dfs)

    def _mean(self, values: Mapping[object, float], group: str) -> float:
        chosen = [value for key, value in values.items() if self.groups[key] == group]
        return math.fsum(chosen) / len(chosen)

    def _excess(self, logs: Mapping[object, float], centres: Mapping[str, float]) -> float:
        """How much the logarithms of the variances differ beyond what their few degrees of freedom explain."""
        free = len(logs) - len(centres)
        squares = math.fsum((log - centres[self.groups[key]]) ** 2 for key, log in logs.items())
        chance = math.fsum(trigamma(df / 2) for df in self.dfs.values()) / len(self.dfs)
        return squares / free - chance if free > 0 else 0.0
