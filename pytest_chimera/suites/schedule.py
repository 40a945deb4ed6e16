"""In which order the rounds of a sweep are made, so that neither reloads nor drift look like a parameter's effect.

Points that share a load alternate round by round in random order. Others are measured in blocks, one load each, that
are shuffled and spread over the sweep. Pure: the same seed gives the same order.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.errors import MarkerError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

FEWEST_BLOCKS = 3
"""With fewer loads of each point nothing can be said of how much loads differ."""

SWEEP_BLOCKS = 3
"""Blocks of each point of a sweep, where nobody says otherwise; at most as many as it has rounds."""

ARM_BLOCKS = 6
"""The same of arms: their blocks are compared in pairs, few pairs decide nothing, and an even number cancels drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one point asks of the order."""

    key: Hashable
    """Points of one key are measured on one load of the model."""
    rounds: int
    cold: bool = False
    """Whether each of its rounds loads the model anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rounds that share one load, made one after the other."""

    number: int
    """From 1, over the whole sweep."""
    key: Hashable
    order: tuple[int, ...]
    """Whose round it is, each as the index of its point."""


def schedule(
    wanted: Sequence[Wanted], *, seed: str, blocks: int = SWEEP_BLOCKS, fewest: int = FEWEST_BLOCKS
) -> tuple[Block, ...]:
    """The blocks of a sweep in their order; each point has exactly its rounds in them.

    One key is one block. Of several, each has `blocks` blocks, at most the fewest rounds of a point, one in each pass
    over all keys. Where all points start cold, each round is a block. Raises MarkerError where a point has fewer rounds
    than `fewest` and there are several keys.
    """
    dice = random.Random(seed)  # noqa: S311  # repeatable on purpose, no secret
    keys = list(dict.fromkeys(each.key for each in wanted))
    rounds = {index: each.rounds for index, each in enumerate(wanted)}
    if all(each.cold for each in wanted):
        order = _alternating(rounds, dice)
        return tuple(Block(number=at, key=wanted[each].key, order=(each,)) for at, each in enumerate(order, 1))
    if len(keys) == 1:
        return (Block(number=1, key=keys[0], order=_alternating(rounds, dice)),)
    _refuse_too_few(min(rounds.values()), fewest)
    passes = min(blocks, *rounds.values())
    made: list[Block] = []
    for number in range(passes):
        for key in _ordered(keys, [each.key for each in made[-len(keys) :]], dice):
            due = {at: _share(rounds[at], number, passes) for at, each in enumerate(wanted) if each.key == key}
            made.append(Block(number=len(made) + 1, key=key, order=_alternating(due, dice)))
    return tuple(made)


def _ordered(keys: Sequence[Hashable], last: Sequence[Hashable], dice: random.Random) -> list[Hashable]:
    """All keys in random order, not begun with the one that `last`, the order of the pass before, ended with.

    Of two keys that would leave turns (ABAB) in which the second is always the later one, and whatever drifts would
    look like its effect: their passes mirror one another instead (ABBA).
    """
    if len(keys) == 2 and last:  # noqa: PLR2004  # see above
        return list(reversed(last))
    first = dice.choice([each for each in keys if not last or each != last[-1]])
    rest = [each for each in keys if each != first]
    dice.shuffle(rest)
    return [first, *rest]


def _alternating(rounds: Mapping[int, int], dice: random.Random) -> tuple[int, ...]:
    """Passes over all points, each in a new random order; one with fewer rounds is in as many passes, evenly spread.

    Of two points each pass mirrors the one before (ABBA): three shuffled passes have one order in a quarter of all
    sweeps, and what drifts would look like an effect.
    """
    passes = max(rounds.values())
    order: list[int] = []
    due: list[int] = []
    for number in range(passes):
        before = due
        due = [index for index, many in rounds.items() if _share(many, number, passes)]
        if len(due) == 2 and set(due) == set(before):  # noqa: PLR2004  # see above
            due = before[::-1]
        else:
            dice.shuffle(due)
        order += due
    return tuple(order)


def _share(total: int, part: int, parts: int) -> int:
    """How many of `total` fall into one of `parts` parts, counted from 0, where they are split evenly."""
    return (part + 1) * total // parts - part * total // parts


def _refuse_too_few(rounds: int, fewest: int) -> None:
    if rounds >= fewest:
        return
    has = "1 round" if rounds == 1 else f"{rounds} rounds"
    raise MarkerError(
        f"Points of the sweep load the model anew, and one of them has {has}.",
        f"Accepted: {fewest} rounds or more, because every point is measured in at least three blocks.",
        f"Write rounds={fewest} or more, or vary only what needs no load (start='cold' measures loads themselves).",
    )
