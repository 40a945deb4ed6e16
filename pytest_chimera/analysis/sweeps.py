"""Sweeps: rows of one model and file in which settings were varied, and what the levels of each explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import COLD_RULE, LOADED, conditioned, described, mean
from pytest_chimera.analysis.evidence import shown_setting
from pytest_chimera.analysis.levels import varied
from pytest_chimera.analysis.linear import fit_main_effects
from pytest_chimera.analysis.places import places
from pytest_chimera.records import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.analysis.evidence import Group, Row
    from pytest_chimera.analysis.linear import Effect, Fit

_PARTS = ("load", "prompt_eval", "eval", "compile", "model_size")
"""Times that are parts of others, and sizes: they are described, but no sweep is made for them."""
_FEWEST_ROWS = 4
"""Fewer cannot show the effect of anything."""
_COUNTS = ("tokens", "count", "bytes")


@dataclass(frozen=True, slots=True)
class Sweep:
    """Rows of one model in one series of one file, and the settings that vary in them."""

    group: Group
    settings: tuple[str, ...]

    def rows(self, metric: str, *, warm: bool) -> list[Row]:
        """Rows that have a value, all or the warm ones only, each with all settings."""
        return [row for row in self.complete if metric in row.values and not (warm and row.cold)]

    @property
    def complete(self) -> list[Row]:
        """Rows in which each setting has a level, failed ones included."""
        return [row for row in self.group.rows if all(name in row.parameters for name in self.settings)]

    @property
    def metrics(self) -> list[str]:
        """What a sweep is made for: speeds, times of whole things, ratios."""
        return [
            name
            for name in self.group.metrics()
            if name not in _PARTS and self.group.values(name)[0].dimension not in _COUNTS
        ]


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of one sweep, over all rows or over the warm ones."""

    sweep: Sweep
    metric: str
    condition: str
    rows: tuple[Row, ...]
    fit: Fit
    effects: dict[str, dict[str, Fact]]
    """By setting, then by statistic."""
    levels: dict[str, dict[str, dict[str, Fact]]]
    """By setting, by level, by statistic."""

    @property
    def speaks(self) -> bool:
        """Whether its rows are those to judge by: the warm ones for a time that a load changes, else all."""
        apart = self.metric in LOADED and self.sweep.group.has_cold
        return self.condition == ("warm" if apart else "all")


def sweeps_of(groups: Iterable[Group]) -> list[Sweep]:
    """Every group in which a setting has two levels."""
    found = [Sweep(group, tuple(varied(group))) for group in groups]
    return [each for each in found if each.settings and each.metrics]


def measured_of(sweep: Sweep) -> list[Measured]:
    """Each metric over all rows, and over the warm ones where some row is cold."""
    conditions = ("all", "warm") if sweep.group.has_cold else ("all",)
    found = (_measured(sweep, metric, condition) for metric in sweep.metrics for condition in conditions)
    return [each for each in found if each is not None]


def _measured(sweep: Sweep, metric: str, condition: str) -> Measured | None:
    rows = sweep.rows(metric, warm=condition == "warm")
    names = [name for name in sweep.settings if len({_level(row, name) for row in rows}) > 1]
    if len(rows) < _FEWEST_ROWS or not names:
        return None
    values = [row.values[metric].value or 0.0 for row in rows]
    fit = fit_main_effects([tuple(_level(row, name) for name in names) for row in rows], values)
    levels = {name: _levels(sweep, name, metric, rows, condition) for name in names}
    stands = places(row.values[metric] for row in rows)
    note = "" if condition == "all" else f", {condition} rows only ({COLD_RULE})"
    effects = {
        name: _facts(
            conditioned({**sweep.group.subject, "setting": name}, condition), metric, effect, levels[name],
            beside=_beside(names, name), note=note, stands=stands, n=len(rows), middle=mean(values),
        )
        for name, effect in zip(names, fit.effects, strict=True)
    }  # fmt: skip
    return Measured(sweep, metric, condition, tuple(rows), fit, effects, levels)


def _beside(names: Sequence[str], name: str) -> str:
    others = ", ".join(each for each in names if each != name)
    return f"beside {others}" if others else "alone"


def _level(row: Row, name: str) -> str:
    return shown_setting(row.parameters[name])


def _levels(sweep: Sweep, name: str, metric: str, rows: Sequence[Row], condition: str) -> dict[str, dict[str, Fact]]:
    """Facts of the values at each level."""
    by_level: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: _sortable(row.parameters[name])):
        by_level.setdefault(_level(row, name), []).append(row)
    subject = {**sweep.group.subject, "setting": name}
    return {
        level: described(
            [row.values[metric] for row in found],
            {**subject, "level": level},
            condition=condition,
            statistics=("count", "mean", "median", "sd"),
        )
        for level, found in by_level.items()
    }


def _sortable(value: float | str) -> tuple[bool, float, str]:
    return (True, 0.0, value) if isinstance(value, str) else (False, value, "")


def _facts(
    subject: Mapping[str, str],
    metric: str,
    effect: Effect,
    levels: dict[str, dict[str, Fact]],
    *,
    beside: str,
    note: str,
    stands: tuple[str, ...],
    n: int,
    middle: float,
) -> dict[str, Fact]:
    """Effect sizes and p of one setting."""
    means = [facts["mean"].value or 0.0 for facts in levels.values()]
    spread = (max(means) - min(means)) / abs(middle) if middle else None
    numbers: dict[str, tuple[float | None, str]] = {
        "eta2": (effect.eta2, "squares between the means of the levels / all squares"),
        "partial eta2": (
            effect.partial, f"squares of this setting {beside} / (the same + residual squares), main effects only",
        ),
        "p": (effect.p, f"F test of this setting {beside} in a linear model of main effects"),
        "spread": (spread, "(largest mean of a level - smallest) / mean of all rows"),
        "levels": (len(levels), "levels that have a value"),
    }  # fmt: skip
    return {
        statistic: Fact(
            subject=subject, metric=metric, statistic=statistic, value=value,
            dimension="count" if statistic == "levels" else "ratio", n=n, formula=formula + note, sources=stands,
        )
        for statistic, (value, formula) in numbers.items()
        if value is not None
    }  # fmt: skip


def mean_of(rows: Sequence[Row], metric: str) -> float:
    """The mean of a metric over rows that have it."""
    return mean([row.values[metric].value or 0.0 for row in rows])
