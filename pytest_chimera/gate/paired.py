"""Two arms of one session held against each other, pair by pair, so that what drifts touches both sides alike.

A pair is the k-th block (load of the model) of one arm and the k-th of the other; arms that need no load share their
blocks and are paired round by round. The numbers of a verdict are those of the gate's own rule: its margin rests on how
much the differences of the pairs scatter. Method and limits: `docs/gate.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from pytest_chimera.gate.comparison import LENGTHS_DIFFER, per_token
from pytest_chimera.gate.decide import Measured, decided, ratio_of
from pytest_chimera.gate.history import spread_of_share
from pytest_chimera.gate.rule import Margin
from pytest_chimera.gate.series import Series, TooFewError, UnusableError
from pytest_chimera.metrics import METRICS, statistic
from pytest_chimera.records import BaselinePoint, Verdict
from pytest_chimera.stats import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.gate.expressions import Threshold
    from pytest_chimera.records import CaseResult, Generation, Outcome, Round

FEWEST_PAIRS = 3
"""With fewer nothing shows how much the differences scatter."""

_ROUNDING = 1e-12
"""Differences that scatter by less are equal but for the last digits of logarithms."""
_FEW = 6
"""With fewer pairs their number is said beside the verdict."""
_FEWEST_DF = 3
"""Degrees of freedom of noise that must be left where drift is taken out."""
_MANY = 10**12
"""Degrees of freedom of what is known: t is the normal distribution."""
_ARM = "arm"


@dataclass(frozen=True, slots=True)
class _Pair:
    """The counted rounds of two arms that stand side by side."""

    name: str
    """"block 1", "round 1"."""
    base: tuple[Generation, ...]
    other: tuple[Generation, ...]
    gap: int = 0
    """By how many blocks `other` was later; 0 where they share them."""

    @property
    def turn(self) -> int:
        """1 where `other` was measured after `base`, -1 where before, 0 where that cannot be said."""
        if not self.base or not self.other:
            return 0
        before, now = (min(each.sent_unix_ns for each in side) for side in (self.base, self.other))
        return (now > before) - (now < before)


@dataclass(frozen=True, slots=True)
class _Difference:
    """How much more an arm costs, in ln, and how sure that is."""

    mean: float
    spread: float
    """Standard deviation of one pair."""
    scale: float
    """Variance of `mean` in units of `spread` squared."""
    df: int
    freed: bool = False
    """Whether a steady drift was taken out."""


def compare_arms(
    base: CaseResult, other: CaseResult, thresholds: Sequence[Threshold], *, gated: bool, comparisons: int
) -> tuple[Verdict, ...]:
    """The verdicts on an arm, `other`, against the arm `base`, in the order of the thresholds.

    `comparisons` is how many are judged together in the session: each margin is widened for it.
    """
    arms = tuple(dict.fromkeys(thresholds))
    lengths = {_length(each.generation) for result in (base, other) for each in result.counted}
    judged = per_token(arms, one_length=not lengths or (len(lengths) == 1 and None not in lengths))
    pairs = _pairs(base, other)
    found = []
    for each in judged:
        shares = METRICS[each.metric].yes_or_no
        sides = [_whole(base, other)] if shares else pairs
        judge = _share_verdict if shares else _verdict
        found.append(judge(_bare(base, other, each, gated=gated), each, sides, max(comparisons, 1)))
    left = [each for each in arms if each not in judged]
    bare = [replace(_bare(base, other, each, gated=gated), reason=LENGTHS_DIFFER) for each in left]
    return (*found, *(replace(each, outcome="not comparable") for each in bare))


def arm_of(result: CaseResult) -> str:
    """The name of the arm that a case is."""
    return str(result.case.point.get(_ARM, result.case.name))


def _verdict(bare: Verdict, threshold: Threshold, pairs: Sequence[_Pair], comparisons: int) -> Verdict:
    try:
        sides = _series(threshold, pairs)
        costs = {name: _costs(threshold, name, both) for name, both in sides.items()}
    except TooFewError as error:
        return _refused(bare, "not enough samples", str(error))
    except UnusableError as error:
        return _refused(bare, "not comparable", str(error))
    used = [each for each in pairs if each.name in sides]
    centre = fmean(before for before, _ in costs.values())
    found = _difference([now - before for before, now in costs.values()], [each.gap for each in used])
    cost = centre + found.mean
    rounds = sum(now.n for _, now in sides.values())
    new = Measured(log_cost=cost, value=ratio_of(threshold, cost), rounds=rounds)
    points = tuple(
        BaselinePoint(run=f"{bare.against} {name}", value=before.statistic(threshold.statistic), rounds=before.n)
        for name, (before, _) in sides.items()
    )
    margin = Margin(
        centre=centre,
        runs=len(costs),
        comparisons=comparisons,
        own_df=found.df,
        df=found.df,
        spread=max(found.spread, _resolution(threshold, list(sides.values()))),
        scale=found.scale,
    )
    return decided(replace(bare, baseline=points, reason=_remark(bare, used, found)), threshold, new, margin)


def _share_verdict(bare: Verdict, threshold: Threshold, pairs: Sequence[_Pair], comparisons: int) -> Verdict:
    """The verdict on a share of rounds: over all rounds of both arms, as a block has too few to show a share.

    Its noise is that of chance where both arms have one share, and so needs no pairs.
    """
    (whole,) = pairs
    sides = _read(threshold.metric, whole.base), _read(threshold.metric, whole.other)
    if min(each.n for each in sides) < FEWEST_PAIRS:
        few = min(each.n for each in sides)
        return _refused(bare, "not enough samples", f"rounds with a value for it: {few}, and {FEWEST_PAIRS} are needed")
    try:
        before, now = (each.log_cost(threshold.statistic) for each in sides)
    except UnusableError as error:
        return _refused(bare, "not comparable", str(error))
    base, other = sides
    good = math.fsum(value for each in sides for value in each.values or ())
    margin = Margin(
        centre=before,
        runs=1,
        comparisons=comparisons,
        own_df=_MANY,
        df=_MANY,
        spread=spread_of_share(good, base.n + other.n),
        scale=1 / base.n + 1 / other.n,
    )
    new = Measured(log_cost=now, value=other.statistic(threshold.statistic), rounds=other.n)
    point = BaselinePoint(run=bare.against or "", value=base.statistic(threshold.statistic), rounds=base.n)
    return decided(replace(bare, baseline=(point,)), threshold, new, margin)


def _whole(base: CaseResult, other: CaseResult) -> _Pair:
    """All rounds of both arms as one pair."""
    before, now = (tuple(each.generation for each in result.counted) for result in (base, other))
    return _Pair("", before, now)


def _difference(differences: Sequence[float], gaps: Sequence[int]) -> _Difference:
    """What an arm costs more, from the differences of its pairs and how many blocks lay between their sides.

    Where one side was more often the later one, as in shuffled passes over several arms, a steady drift is taken out by
    regression on the gaps, if that leaves enough to tell noise by. Of two arms passes mirror one another.
    """
    count, mean, gap = len(differences), fmean(differences), fmean(gaps)
    spread = stdev(differences)
    squares = math.fsum((each - gap) ** 2 for each in gaps)
    if not squares or abs(sum(gaps)) <= max(map(abs, gaps)) or count - 2 < _FEWEST_DF:
        return _Difference(mean, spread if spread > _ROUNDING else 0.0, 1 / count, count - 1)
    slope = math.fsum((each - gap) * (d - mean) for each, d in zip(gaps, differences, strict=True)) / squares
    rest = [d - mean - slope * (each - gap) for each, d in zip(gaps, differences, strict=True)]
    spread = math.sqrt(math.fsum(each * each for each in rest) / (count - 2))
    scale = 1 / count + gap * gap / squares
    return _Difference(mean - slope * gap, spread if spread > _ROUNDING else 0.0, scale, count - 2, freed=True)


def _remark(bare: Verdict, pairs: Sequence[_Pair], difference: _Difference) -> str | None:
    """What the numbers do not say of themselves."""
    found = []
    if len(pairs) < _FEW:
        found.append(f"only {len(pairs)} pairs: more of them would show smaller changes")
    if difference.freed:
        found.append(f"it and arm {bare.against} did not take turns evenly: a steady drift is taken out")
    elif abs(sum(each.turn for each in pairs)) == len(pairs):
        when = "after" if pairs[0].turn > 0 else "before"
        found.append(f"it was always measured {when} arm {bare.against}, so that drift would pass for a difference")
    return "; ".join(found) or None


def _series(threshold: Threshold, pairs: Sequence[_Pair]) -> dict[str, tuple[Series, Series]]:
    """Pair -> both sides, of the pairs in which both have the metric. Raises UnusableError."""
    found = {}
    for pair in pairs:
        both = _read(threshold.metric, pair.base), _read(threshold.metric, pair.other)
        if all(each.n for each in both):
            found[pair.name] = both
    if len(found) < FEWEST_PAIRS:
        raise TooFewError(f"pairs of rounds or blocks with a value for it: {len(found)}, and {FEWEST_PAIRS} are needed")
    return found


def _costs(threshold: Threshold, name: str, both: tuple[Series, Series]) -> tuple[float, float]:
    """The ln cost of both sides of a pair. Raises UnusableError."""
    try:
        before, now = (each.log_cost(threshold.statistic) for each in both)
    except UnusableError as error:
        raise type(error)(f"of {name}: {error}") from None
    return before, now


def _read(metric: str, generations: Sequence[Generation]) -> Series:
    """One metric of one side of a pair."""
    known = METRICS[metric]
    if not known.pooled:
        return Series.of(metric, [value for each in generations for value in known.read(each)])
    whole = statistic(known, generations)
    medians = [statistic(known, [each]).median for each in generations]
    given: Mapping[str, float | None] = {name: getattr(whole, each.attribute) for name, each in STATISTICS.items()}
    return Series.of(metric, medians, statistics=given)


def _resolution(threshold: Threshold, sides: Sequence[tuple[Series, Series]]) -> float:
    """Standard deviation of a difference that the clock cannot resolve."""
    ticks = [fmean(each[side].tick(threshold.statistic) for each in sides) for side in (0, 1)]
    return math.sqrt(math.fsum(tick * tick for tick in ticks) / 12)


def _pairs(base: CaseResult, other: CaseResult) -> list[_Pair]:
    """What stands side by side: the k-th blocks of both, or rounds of one number where blocks are shared."""
    blocks = [list(dict.fromkeys(sorted(_blocks(each)))) for each in (base, other)]
    if not all(blocks) or set(blocks[0]) & set(blocks[1]):
        rounds = {each.number: each.generation for each in other.counted}
        return [
            _Pair(f"round {each.number}", (each.generation,), (rounds[each.number],))
            for each in base.counted
            if each.number in rounds
        ]
    return [
        _Pair(f"block {number}", _in_block(base.counted, first), _in_block(other.counted, second), second - first)
        for number, (first, second) in enumerate(zip(*blocks, strict=False), 1)  # the last may be missing of one
    ]


def _blocks(result: CaseResult) -> list[int]:
    """The blocks of an arm; one in which nothing counted keeps its place, so that later ones are not moved up."""
    return [each.block for each in result.rounds if each.block is not None]


def _in_block(rounds: Sequence[Round], block: int) -> tuple[Generation, ...]:
    return tuple(each.generation for each in rounds if each.block == block)


def _length(generation: Generation) -> int | None:
    """Tokens of an answer that its length ended; None of another."""
    return generation.eval_count if generation.done_reason == "length" else None


def _bare(base: CaseResult, other: CaseResult, threshold: Threshold, *, gated: bool) -> Verdict:
    """A verdict without numbers."""
    return Verdict(
        case=other.case.id,
        name=other.case.name,
        model=other.case.model.name,
        metric=threshold.metric,
        statistic=threshold.statistic,
        threshold=threshold.share,
        gated=gated,
        outcome="same",
        against=arm_of(base),
    )


def _refused(bare: Verdict, what: Outcome, reason: str) -> Verdict:
    return replace(bare, outcome=what, reason=reason)
