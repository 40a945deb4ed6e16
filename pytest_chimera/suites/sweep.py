"""What a sweep varies and what arms compare, checked: from what a person wrote to the points in their order.

A sweep is a grid, a random sample of one, or listed points; arms are named variants of one case. How points become
cases stands in `points`, in which order their rounds are made in `schedule`.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_chimera.errors import MarkerError, nearest

MOST_POINTS = 2_000
"""Points of one sweep; each has rows of its own."""
LARGEST_GRID = 10**12
"""Points of which a sample is drawn."""

ARM = "arm"
"""The parameter of which arms are the levels, in `Case.point`."""

_HOW = ("points", "sample", "seed", "blocks")
_FORM = "Accepted: parameters with their levels, as in {num_ctx: [512, 2048], temperature: [0.2, 0.8]}, or points."
_FEWEST_BLOCKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Which parameters take which levels."""

    parameters: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Name -> levels of a grid: model options, fields of a case, or variables of its texts."""
    listed: tuple[Mapping[str, Any], ...] = ()
    """Points that were listed, all with the same names; a sweep has these or `parameters`."""
    sample: int | None = None
    """So many points of the grid, drawn at random."""
    seed: int = 0
    """Of the sample and of the order of rounds."""
    blocks: int | None = None
    """In how many blocks, spread over the sweep, each point that needs a load is measured; None is at least three."""

    @property
    def points(self) -> tuple[Mapping[str, Any], ...]:
        """Every point, in the order of the grid with the last parameter changing fastest, or as listed."""
        if self.listed:
            return self.listed
        count = math.prod(len(levels) for levels in self.parameters.values())
        if self.sample is None or self.sample >= count:
            return tuple(dict(zip(self.parameters, levels, strict=True)) for levels in self._grid())
        chosen = random.Random(self.seed).sample(range(count), self.sample)  # noqa: S311  # repeatable, no secret
        return tuple(self._at(each) for each in sorted(chosen))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what varies."""
        return tuple(self.listed[0]) if self.listed else tuple(self.parameters)

    def as_dict(self) -> dict[str, Any]:
        """The form that `parse_sweep` reads back."""
        said: dict[str, Any] = {name: list(levels) for name, levels in self.parameters.items()}
        if self.listed:
            said["points"] = [dict(each) for each in self.listed]
        for name in ("sample", "blocks"):
            if getattr(self, name) is not None:
                said[name] = getattr(self, name)
        return {**said, **({"seed": self.seed} if self.seed else {})}

    def _at(self, index: int) -> dict[str, Any]:
        """One point of the grid, which is not made as a whole: it may be far larger than its sample."""
        found = {}
        for name, levels in reversed(list(self.parameters.items())):
            index, place = divmod(index, len(levels))
            found[name] = levels[place]
        return {name: found[name] for name in self.parameters}

    def _grid(self) -> itertools.product[tuple[Any, ...]]:
        return itertools.product(*self.parameters.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One variant of a case."""

    name: str
    said: Mapping[str, Any]
    """Fields of a case that hold in place of its own."""


def parse_sweep(value: object, where: str) -> Sweep:
    """Read a sweep: parameters with a list of levels each, or `points`; beside them `sample`, `seed` and `blocks`.

    A name with a whole number says how (`seed: 7`), one with a list is a parameter (`seed: [1, 2]`).
    Raises MarkerError.
    """
    if isinstance(value, Sweep):
        return value
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _refuse(where, f"sweep={value!r} is not usable.")
    how = {name: said for name, said in value.items() if name in _HOW and not _are_levels(name, said)}
    parameters = {name: _levels(name, said, where) for name, said in value.items() if name not in how}
    listed = _listed(how.pop("points"), where) if "points" in how else ()
    if bool(listed) == bool(parameters):
        raise _refuse(where, "a sweep has either parameters or points, and at least one of them.")
    found = Sweep(parameters=parameters, listed=listed, **_numbers(how, where))
    count = len(listed) or math.prod(len(levels) for levels in parameters.values())
    made = min(count, found.sample or count)
    if made > MOST_POINTS:
        raise _refuse(where, f"the sweep has {made:,} points, and {MOST_POINTS:,} are the most.")
    if count > LARGEST_GRID:
        raise _refuse(where, f"the sample is drawn from more than {LARGEST_GRID:,} points.", "Vary less.")
    if listed and found.sample is not None:
        raise _refuse(where, "a sample is drawn from parameters, not from listed points.")
    return found


def parse_arms(value: object, where: str) -> tuple[Arm, ...]:
    """Read arms: name -> fields, two or more; the first is the one that the others are held against.

    What the fields may be is checked where cases are made of them. Raises MarkerError.
    """
    accepted = "Accepted: two or more named variants, as in {a: {model: x}, b: {model: y}}."
    if not isinstance(value, Mapping) or len(value) < 2:  # noqa: PLR2004  # nothing to compare with
        raise MarkerError(f"{where}: arms={value!r} is not usable.", accepted, "Name what differs in each.")
    for name, said in value.items():
        if not isinstance(name, str) or not name.strip() or not isinstance(said, Mapping):
            raise MarkerError(f"{where}: the arm {name!r} is {said!r}.", accepted, "Give it the fields that differ.")
    return tuple(Arm(name=name, said=dict(said)) for name, said in value.items())


def label(point: Mapping[str, Any]) -> str:
    """A point for people and for ids: "num_ctx=512,temperature=0.2"; an arm by its name alone."""
    if set(point) == {ARM}:
        return str(point[ARM])
    return ",".join(f"{name}={level_text(level)}" for name, level in point.items())


def level_text(level: object) -> str:
    """One level as people write it: "512", "0.2", "true"."""
    if isinstance(level, bool):
        return "true" if level else "false"
    return "null" if level is None else str(level)


def _are_levels(name: str, said: object) -> bool:
    return name != "points" and isinstance(said, (list, tuple))


def _levels(name: str, said: object, where: str) -> tuple[Any, ...]:
    if not isinstance(said, (list, tuple)) or not said:
        hint = nearest(name, _HOW) if isinstance(said, int) else ""
        raise _refuse(where, f"the parameter {name!r} of the sweep has {said!r} and no list of levels.", hint)
    return _distinct([_level(name, each, where) for each in said], name, where)


def _level(name: str, level: object, where: str) -> Any:
    plain = isinstance(level, (bool, int, float, str))
    if not plain or (isinstance(level, float) and not math.isfinite(level)) or level == "":
        raise _refuse(where, f"the parameter {name!r} of the sweep has the level {level!r}; levels are plain values.")
    return level


def _distinct(levels: Sequence[Any], name: str, where: str) -> tuple[Any, ...]:
    texts = [level_text(each) for each in levels]
    values = [text if isinstance(each, (bool, str)) else each for each, text in zip(levels, texts, strict=True)]
    twice = next((text for each, text in zip(values, texts, strict=True) if values.count(each) > 1), None)
    if twice is not None:
        raise _refuse(where, f"the parameter {name!r} of the sweep has the level {twice} more than once.")
    return tuple(levels)


def _listed(value: object, where: str) -> tuple[Mapping[str, Any], ...]:
    points = value if isinstance(value, (list, tuple)) else ()
    if not points or not all(isinstance(each, Mapping) and each for each in points):
        raise _refuse(where, f"the points of the sweep are {value!r} and no list of mappings.")
    names = list(points[0])
    for each in points:
        if set(each) != set(names):
            raise _refuse(where, f"the points of the sweep differ in their names: {dict(each)!r}.")
    found = [{name: _level(name, each[name], where) for name in names} for each in points]
    _distinct([label(each) for each in found], "points", where)
    return tuple(found)


def _numbers(how: Mapping[str, Any], where: str) -> dict[str, int]:
    least = {"sample": 1, "seed": 0, "blocks": _FEWEST_BLOCKS}
    for name, said in how.items():
        if isinstance(said, bool) or not isinstance(said, int) or said < least[name]:
            raise _refuse(where, f"{name!r} of the sweep is {said!r}, and a whole number from {least[name]} is wanted.")
    return dict(how)


def _refuse(where: str, what: str, next_step: str = "") -> MarkerError:
    return MarkerError(f"{where}: {what}", _FORM, next_step or "Correct the sweep.")
