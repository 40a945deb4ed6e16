"""What each parameter of a sweep does to a metric: its size with an interval, and whether it is told from chance.

A parameter that needs a load of the model is held against the spread between loads, every other against that of rounds
within one. Main effects only: where an effect of one parameter depends on another, that is said and not modelled.
Pure. Method, formulas, references and limits: `docs/sweeps.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pytest_chimera.analysis.contrasts import Model, lack_of_fit, mean
from pytest_chimera.analysis.leads import SURE, Lead, best_of
from pytest_chimera.analysis.strata import MOST_LEVELS, Layout, Observation, is_usable
from pytest_chimera.distributions import t_upper_quantile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_chimera.analysis.contrasts import Contrast

__all__ = ["SURE", "FactorEffect", "Lead", "LevelMean", "Observation", "best_of", "effects_of"]

_TAIL = 0.025
"""Beyond each end of an interval: 95 % lie within."""
_CLEARLY = 0.01
"""Effects depend on one another where chance alone would make them look so less often than this."""
_NO_LOGARITHM = "some of its values are not above 0, of which there is no ratio"

Unit = Literal["blocks", "rounds"]
"""What a parameter is tested on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMean:
    """The values at one level of a parameter."""

    mean: float
    """Geometric mean in the SI unit, as if each level had met the same levels of all other parameters."""
    n: int
    """How many rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEffect:
    """What one parameter did to one metric."""

    name: str
    levels: Mapping[str, LevelMean] = field(default_factory=dict)
    """Numbers by size, then texts."""
    best: str | None = None
    """The level with the best mean; None where the parameter cannot be told from another."""
    worst: str | None = None
    ratio: float | None = None
    """Mean of the worst level / mean of the best: of a time 1.05 is 5 % slower, of a rate 0.95 is 5 % slower."""
    ratio_low: float | None = None
    """Lower end of its 95 % interval, which holds for all pairs of levels together; None where noise is not known."""
    ratio_high: float | None = None
    eta2: float | None = None
    """Share of all squares (of logarithms) that lies between the means of the levels; None where all are equal."""
    p: float | None = None
    """How often chance alone would explain as much (F test); None where `why` says why."""
    df: int = 0
    """Its own degrees of freedom, beside all other parameters."""
    error_df: int = 0
    """Those of the noise it is held against."""
    unit: Unit = "rounds"
    """Whether it is held against the spread between blocks (loads of the model) or between rounds of one."""
    units: int = 0
    """How many of them there are."""
    interacts: bool = False
    """Whether effects of the parameters depend on one another, beyond chance; the same for all of one metric."""
    why: str | None = None
    """Why there is no p."""

    @property
    def is_clear(self) -> bool:
        """Whether it is told from chance."""
        return self.p is not None and self.p < SURE


def effects_of(
    observations: Sequence[Observation], *, metric: str, higher_is_better: bool, loads: Collection[str]
) -> tuple[FactorEffect, ...]:
    """The effect of each parameter on a metric, in the order of the levels of the first observation.

    `loads` are the parameters that need a load of the model. `metric` is not looked at: values are ratios.
    """
    del metric
    if not observations:
        return ()
    if not is_usable(observations):
        return tuple(FactorEffect(name=name, why=_NO_LOGARITHM) for name in observations[0].levels)
    return _Analysis(Layout(observations, loads), higher_is_better=higher_is_better).effects()


class _Analysis:
    """The effects of one layout."""

    def __init__(self, layout: Layout, *, higher_is_better: bool) -> None:
        self.layout = layout
        self.sign = -1 if higher_is_better else 1
        self.centre = mean(layout.values)
        self.total = math.fsum((each - self.centre) ** 2 for each in layout.values)
        self.grid = Model(layout.grid)
        self.models = {"blocks": Model(layout.between), "rounds": Model(layout.within)}

    def effects(self) -> tuple[FactorEffect, ...]:
        """One per parameter."""
        found = [self._effect(at, name) for at, name in enumerate(self.layout.names)]
        depends = len(found) > 1 and self._depends()
        return tuple(replace(each, interacts=depends) for each in found)

    def _effect(self, at: int, name: str) -> FactorEffect:
        layout = self.layout
        blocked = name in layout.fixed
        bare = FactorEffect(
            name=name,
            eta2=self._eta2(at),
            unit="blocks" if blocked else "rounds",
            units=len(layout.by_block) if blocked else len(layout.rows),
            levels=self._means(at, {}),
        )
        why = self._untold(at)
        if why is not None:
            return replace(bare, why=why)
        contrast = self.models[bare.unit].contrast((layout.still if blocked else layout.moving).index(name))
        if not contrast.told or (blocked and not self._moving_told):
            return replace(bare, df=contrast.df, why="the blocks that were measured do not part its levels")
        return self._sized(replace(bare, levels=self._means(at, contrast.weights)), contrast)

    def _sized(self, bare: FactorEffect, contrast: Contrast) -> FactorEffect:
        """The effect with its sizes, interval and p."""
        ordered = sorted(bare.levels, key=lambda level: self.sign * contrast.weights[level])
        best, worst = ordered[0], ordered[-1]
        difference = contrast.weights[worst] - contrast.weights[best]
        found = replace(
            bare, best=best, worst=worst, ratio=math.exp(difference), df=contrast.df, error_df=contrast.error_df
        )
        if not contrast.error:
            return replace(found, why=_no_noise(found))
        pairs = len(ordered) * (len(ordered) - 1) / 2
        error = contrast.error * math.sqrt(contrast.variances[worst, best])
        reach = t_upper_quantile(_TAIL / pairs, contrast.error_df) * error
        return replace(
            found, ratio_low=math.exp(difference - reach), ratio_high=math.exp(difference + reach), p=contrast.p
        )

    def _untold(self, at: int) -> str | None:
        """Why nothing can be told of a parameter, whatever its values are; None where something may be."""
        layout, name = self.layout, self.layout.names[at]
        levels = {point[at] for point in layout.points}
        if len(levels) == 1:
            return f"it has one level, {levels.pop()}"
        if name in layout.crowded:
            return f"it has {len(levels)} levels, and {MOST_LEVELS} are the most that can be looked at one by one"
        if name in layout.loads and name not in layout.fixed:
            told = None not in layout.by_block
            known = "its levels changed within one" if told else "nothing says which rounds shared one"
            return f"it needs a load of the model, and {known}"
        return None if self.grid.contrast(at).told else self._aliased(at)

    def _aliased(self, at: int) -> str:
        """With which others the points change a parameter."""
        layout = self.layout
        together = [other for to, other in enumerate(layout.names) if to != at and self._together(at, to)]
        if together:
            return f"it changed only together with {', '.join(together)}, so that they cannot be told apart"
        return "the points that were measured do not tell it from the other parameters"

    def _together(self, one: int, other: int) -> bool:
        """Whether the level of one parameter says that of the other."""
        pairs = {(point[one], point[other]) for point in self.layout.points}
        first, second = ({pair[side] for pair in pairs} for side in (0, 1))
        return min(len(first), len(second)) > 1 and len(pairs) == max(len(first), len(second))

    @cached_property
    def _moving_told(self) -> bool:
        """Whether the means of blocks can be freed of what the moving parameters did."""
        model = self.models["rounds"]
        return all(model.contrast(at).told for at in range(len(self.layout.moving)))

    def _means(self, at: int, weights: Mapping[str, float]) -> dict[str, LevelMean]:
        """Geometric means by level: adjusted by the weights, or plain ones where there are none."""
        by_level: dict[str, list[float]] = {}
        for point, value in zip(self.layout.points, self.layout.values, strict=True):
            by_level.setdefault(point[at], []).append(value)
        typical = mean(weights[point[at]] for point in self.layout.points) if weights else 0.0
        return {
            level: LevelMean(
                mean=math.exp(self.centre + weights[level] - typical if weights else mean(by_level[level])),
                n=len(by_level[level]),
            )
            for level in _in_order(by_level)
        }

    def _eta2(self, at: int) -> float | None:
        if not self.total:
            return None
        by_level: dict[str, list[float]] = {}
        for point, value in zip(self.layout.points, self.layout.values, strict=True):
            by_level.setdefault(point[at], []).append(value)
        between = math.fsum(len(each) * (mean(each) - self.centre) ** 2 for each in by_level.values())
        return min(between / self.total, 1.0)

    def _depends(self) -> bool:
        """Whether main effects miss the values of points, or of loads, beyond chance."""
        layout = self.layout
        if layout.crowded:
            return False
        found = (lack_of_fit(layout.within, layout.points), lack_of_fit(layout.between, list(layout.keys.values())))
        return any(p is not None and p < _CLEARLY for p in found)


def _no_noise(effect: FactorEffect) -> str:
    if effect.error_df > 0:
        return "nothing varies beside it, so that there is no noise to hold it against"
    what = "block" if effect.unit == "blocks" else "round"
    return f"its {effect.units} {what}s are too few to show how much {what}s of one level differ"


def _in_order(levels: Iterable[str]) -> list[str]:
    """Numbers by size, then texts."""

    def key(level: str) -> tuple[bool, float, str]:
        try:
            number = float(level)
        except ValueError:
            return True, 0.0, level
        return (True, 0.0, level) if math.isnan(number) else (False, number, level)

    return sorted(levels, key=key)
