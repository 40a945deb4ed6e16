"""How often chance passes for an effect, and how often an effect is found: simulated sweeps with fixed seeds."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.analysis.factors import best_of, effects_of

if TYPE_CHECKING:
    from tests.analysis.conftest import SweepMaker

LOADS = ("num_ctx", "num_gpu")

SWEEPS = 400
NAMES = ("num_ctx", "temperature")


def most(share: float) -> float:
    """What a test that errs so often may err in so many sweeps, three standard errors above."""
    return share + 3 * math.sqrt(share * (1 - share) / SWEEPS)


def found(sweep: SweepMaker, seed: int) -> dict[str, float]:
    """How often each parameter is told from chance, effects are said to depend on one another, and intervals miss."""
    chance = Random(seed)
    counts = dict.fromkeys((*NAMES, "interacts", *(f"{name} missed" for name in NAMES)), 0.0)
    for _ in range(SWEEPS):
        effects = effects_of(sweep.make(chance), metric="ttft", higher_is_better=False, loads=LOADS)
        counts["interacts"] += effects[0].interacts / SWEEPS
        for each in effects:
            counts[each.name] += each.is_clear / SWEEPS
            worst, best = (sweep.effects.get(f"{each.name}={level}", 0.0) for level in (each.worst, each.best))
            missed = not math.log(each.ratio_low or 1) <= worst - best <= math.log(each.ratio_high or 1)
            counts[f"{each.name} missed"] += missed / SWEEPS
    return counts


@pytest.mark.parametrize(
    ("said", "seed"),
    [
        ({"between": 0.05, "within": 0.005}, 1),
        ({"between": 0.02, "drift": 0.001}, 2),
        ({"between": 0.0, "within": 0.02, "drift": 0.0005, "passes": 4}, 3),
        ({"levels": {"num_ctx": ("512", "2048", "8192"), "temperature": ("0", "0.4", "0.8")}, "between": 0.03}, 4),
        ({"levels": {"num_ctx": ("512", "2048", "8192"), "temperature": ("0.2", "0.8")}, "drift": 0.02}, 5),
    ],
    ids=["loads differ much", "drift", "rounds differ much", "three levels", "more drift than noise"],
)
def test_chance_is_no_effect(maker: type[SweepMaker], said: dict[str, Any], seed: int) -> None:
    """However much loads differ and times drift, an unchanged parameter passes for one at most as often as it says."""
    counts = found(maker(**said), seed)
    for name in NAMES:
        assert counts[name] <= most(0.05)
        assert counts[f"{name} missed"] <= most(0.05)
    assert counts["interacts"] <= most(0.02)


def test_effects_are_found(maker: type[SweepMaker]) -> None:
    """5 % is found nearly always within loads, and mostly between six loads each that differ by 2 %; intervals hold."""
    effects = {"num_ctx=512": 0.05, "temperature=0.8": 0.05}
    counts = found(maker(passes=6, effects=effects, drift=0.0005), 5)
    assert counts["temperature"] == pytest.approx(1)
    assert counts["num_ctx"] > 0.8
    for name in NAMES:
        assert counts[f"{name} missed"] <= most(0.05)
    assert counts["interacts"] <= most(0.02)


def test_rounds_as_if_they_were_loads_err(maker: type[SweepMaker]) -> None:
    """The same sweeps with every round called a load of its own find effects that are not there in many of them."""
    chance, wrong = Random(6), 0
    for _ in range(100):
        made = maker(between=0.05, within=0.005).make(chance)
        wrong += effects_of(made, metric="ttft", higher_is_better=False, loads=())[0].is_clear
    assert wrong <= 15  # what rounds share their load is known from the blocks, whatever is said of loads
    chance, wrong = Random(6), 0
    for _ in range(100):
        made = [
            type(each)(levels=each.levels, block=None, order=each.order, value=each.value)
            for each in maker(between=0.05, within=0.005).make(chance)
        ]
        wrong += effects_of(made, metric="ttft", higher_is_better=False, loads=())[0].is_clear
    assert wrong >= 30


@pytest.mark.parametrize("between", [0.03, 0.0])
def test_chance_makes_no_winner(maker: type[SweepMaker], between: float) -> None:
    """Of points that are all alike the best is told from every other, or from the second, in at most 5 %."""
    chance, all_told, second_told = Random(7), 0, 0
    sweep = maker(between=between)
    for _ in range(SWEEPS):
        lead = best_of(sweep.make(chance), metric="tok/s", higher_is_better=True, loads=LOADS)
        assert lead is not None
        all_told += lead.distinguishable
        second_told += (lead.p or 0.0) < 0.05
    assert all_told / SWEEPS <= 0.05
    assert second_told / SWEEPS <= most(0.05)


def test_a_winner_is_found(maker: type[SweepMaker]) -> None:
    """A point that is 10 % better than any other, of four, is told from all of them nearly always."""
    chance, told = Random(8), 0
    sweep = maker(passes=6, effects={"num_ctx=512": 0.1, "temperature=0.8": 0.1})
    for _ in range(100):
        lead = best_of(sweep.make(chance), metric="tok/s", higher_is_better=True, loads=LOADS)
        assert lead is not None
        told += lead.distinguishable and lead.best == {"num_ctx": "512", "temperature": "0.8"}
    assert told >= 95
