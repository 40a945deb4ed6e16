"""How often a sweep finds effects that are not there, and those that are, by blocks and by single rounds.

    python benchmarks/sweep_power.py [--sweeps 500] [--seed 1]

Sweeps are simulated: num_ctx needs a load of the model, temperature does not; loads differ from one another, rounds of
one load differ less, and times drift. "ours" is `analysis.factors` on the schedule of `suites.schedule`; "rounds" is
the usual analysis of variance over all rounds of the same sweep; "loops" is that analysis on the schedule that one
writes first: nested loops, a load for each point. "False" is the share of sweeps in which an unchanged parameter has
p < 5 %, "found" that in which one of 5 % has. Arms: `gate.paired` at 1 %, beside Welch's t test of all rounds at 1 %.
Standard errors are about one point at 5 % and two at 50 %. Results go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from statistics import fmean, variance
from typing import TypeAlias

from pytest_chimera.analysis.factors import Observation, best_of, effects_of
from pytest_chimera.analysis.linear import fit_main_effects
from pytest_chimera.distributions import t_tail
from pytest_chimera.gate.expressions import Threshold
from pytest_chimera.gate.paired import compare_arms
from pytest_chimera.records import Case, CaseResult, Generation, HostInfo, Message, ModelInfo, Round
from pytest_chimera.suites.schedule import Wanted, schedule

LOADS = ("num_ctx",)
EFFECT = math.log(1.05)
SLOWER = math.log(1.07)
SURE = 0.05
ALPHA = 0.01
NS = 1e9
Levels: TypeAlias = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A sweep and its noise, in standard deviations of ln."""

    name: str
    levels: int = 2
    """Of num_ctx."""
    passes: int = 3
    rounds: int = 3
    """Of each point in each block."""
    between: float = 0.02
    within: float = 0.01
    drift: float = 0.0
    """Change of ln per request."""

    @property
    def points(self) -> list[dict[str, str]]:
        """The grid."""
        contexts = [str(512 * 2**each) for each in range(self.levels)]
        return [{"num_ctx": a, "temperature": b} for a, b in product(contexts, ("0.2", "0.8"))]


SCENARIOS = (
    Scenario(name="loads alike", between=0.0),
    Scenario(name="loads 2 %, rounds 1 %"),
    Scenario(name="the same, six passes", passes=6),
    Scenario(name="the same, four levels", levels=4),
    Scenario(name="loads 5 %", between=0.05),
    Scenario(name="drift 0.1 % a request", drift=0.001),
    Scenario(name="drift 1 % a request, three levels", levels=3, drift=0.01),
)


def scheduled(scenario: Scenario, chance: Random, effects: dict[str, float]) -> list[Observation]:
    """A sweep in the order in which ours are made."""
    points = scenario.points
    wanted = [Wanted(key=each["num_ctx"], rounds=scenario.passes * scenario.rounds) for each in points]
    blocks = schedule(wanted, seed=str(chance.random()), blocks=scenario.passes)
    return _measured(scenario, [(each.number, [points[at] for at in each.order]) for each in blocks], chance, effects)


def looped(scenario: Scenario, chance: Random, effects: dict[str, float]) -> list[Observation]:
    """The same number of rounds in nested loops, with a load for each point."""
    many = scenario.passes * scenario.rounds
    order = [(number, [point] * many) for number, point in enumerate(scenario.points, 1)]
    return _measured(scenario, order, chance, effects)


def _measured(
    scenario: Scenario, order: list[tuple[int, list[dict[str, str]]]], chance: Random, effects: dict[str, float]
) -> list[Observation]:
    made: list[Observation] = []
    for number, points in order:
        load = chance.gauss(0, scenario.between)
        for point in points:
            own = sum(effects.get(f"{name}={level}", 0.0) for name, level in point.items())
            log = load + own + chance.gauss(0, scenario.within) + scenario.drift * len(made)
            made.append(Observation(levels=point, block=number, order=len(made), value=math.exp(log)))
    return made


def ours(made: list[Observation]) -> list[bool]:
    """Whether num_ctx and temperature are told from chance."""
    return [each.is_clear for each in effects_of(made, metric="ttft", higher_is_better=False, loads=LOADS)]


def by_rounds(made: list[Observation]) -> list[bool]:
    """The same by an analysis of variance over all rounds."""
    fit = fit_main_effects([tuple(each.levels.values()) for each in made], [math.log(each.value) for each in made])
    return [each.p is not None and each.p < SURE for each in fit.effects]


def sweeps(scenario: Scenario, many: int, seed: int) -> str:
    """A line of the table."""
    counts: dict[str, list[int]] = {}
    for changed in (False, True):
        chance = Random(f"{seed} {scenario.name} {changed}")
        effects = {"num_ctx=512": EFFECT, "temperature=0.2": EFFECT} if changed else {}
        for _ in range(many):
            one, other = scheduled(scenario, chance, effects), looped(scenario, chance, effects)
            lead = best_of(one, metric="ttft", higher_is_better=False, loads=LOADS)
            told = {"ours": ours(one), "rounds": by_rounds(one), "loops": by_rounds(other)}
            told["best"] = [lead is not None and lead.distinguishable]
            for name, found in told.items():
                known = counts.setdefault(f"{name} {changed}", [0] * len(found))
                counts[f"{name} {changed}"] = [a + b for a, b in zip(known, found, strict=True)]
    columns = ("ours False", "ours True", "rounds False", "loops False", "best False")
    cells = ["/".join(f"{100 * each / many:.0f}" for each in counts[name]) for name in columns]
    return f"{scenario.name:<36}" + "".join(f"{cell:>12}" for cell in cells)


# --- arms ---


def arm(name: str, costs: list[tuple[int, list[float]]]) -> CaseResult:
    """An arm with the costs (ln) of the rounds of each of its blocks."""
    case = Case(
        id=f"a.py::test_x {name}", name=f"test_x {name}", model=ModelInfo(name="toy:latest"), point={"arm": name},
        messages=(Message(role="user", content="Why?"),), options={},
    )  # fmt: skip
    bare = Generation(
        endpoint="chat", host="", model="toy:latest", options={}, prompt_hash="", nonce=None, sent_unix_ns=0, chunks=(),
        end_ns=1, text="", done_reason="length", eval_count=100,
    )  # fmt: skip
    flat = [(block, cost) for block, of in costs for cost in of]
    rounds = tuple(
        Round(
            number=number, warmup=False, cold=False, block=block,
            generation=replace(bare, eval_duration_ns=round(NS * math.exp(cost)), sent_unix_ns=block),
        )
        for number, (block, cost) in enumerate(flat, 1)
    )  # fmt: skip
    return CaseResult(case=case, host=HostInfo(url=""), rounds=rounds, started_unix_ns=0, complete=True)


def welch(one: list[float], other: list[float]) -> bool:
    """Whether the rounds of the other arm are slower at 1 %, one-sided."""
    parts = [variance(each) / len(each) for each in (one, other)]
    df = sum(parts) ** 2 / sum(part**2 / (len(each) - 1) for part, each in zip(parts, (one, other), strict=True))
    return t_tail((fmean(other) - fmean(one)) / math.sqrt(sum(parts)), df) < ALPHA


def arms(pairs: int, between: float, drift: float, many: int, seed: int) -> str:
    """A line of the table: how often the second arm is called slower, where it is not and where it is by 7 %."""
    threshold = Threshold(metric="tok/s", share=0.01)
    counts = [0, 0, 0, 0]
    chance = Random(f"{seed} {pairs} {between} {drift}")
    for _ in range(many):
        wanted = [Wanted(key=name, rounds=5 * pairs) for name in "ab"]
        blocks = schedule(wanted, seed=str(chance.random()), blocks=pairs)
        costs: dict[str, list[tuple[int, list[float]]]] = {"a": [], "b": []}
        for block in blocks:
            load = chance.gauss(0, between) + drift * block.number
            costs[str(block.key)].append((block.number, [load + chance.gauss(0, 0.01) for _ in block.order]))
        base = arm("a", costs["a"])
        for at, more in enumerate((0.0, SLOWER)):
            moved = [(block, [each + more for each in of]) for block, of in costs["b"]]
            (verdict,) = compare_arms(base, arm("b", moved), (threshold,), gated=True, comparisons=1)
            counts[2 * at] += verdict.outcome == "worse"
            flat = [[each for _, of in side for each in of] for side in (costs["a"], moved)]
            counts[2 * at + 1] += welch(*flat)
    name = f"{pairs} pairs, loads {100 * between:g} %, drift {100 * drift:g} % a block"
    return f"{name:<48}" + "".join(f"{100 * each / many:>12.1f}" for each in counts)


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("percent; num_ctx/temperature, or of the best point: called distinguishable where all are alike")
    heads = ("ours false", "ours found", "rounds false", "loops false", "best false")
    print(f"{'sweep':<36}" + "".join(f"{head:>12}" if len(head) < 12 else f" {head:>11}" for head in heads))
    for scenario in SCENARIOS:
        print(f"{scenario.name} ...", file=sys.stderr)
        print(sweeps(scenario, given.sweeps, given.seed), flush=True)
    print()
    heads = ("ours false", "Welch false", "ours found", "Welch found")
    print(f"{'arms, threshold 1 %':<48}" + "".join(f"{head:>12}" for head in heads))
    for pairs, between, drift in ((3, 0.02, 0.0), (5, 0.02, 0.0), (10, 0.02, 0.0), (10, 0.02, 0.01), (10, 0.05, 0.0)):
        print(f"{pairs} pairs ...", file=sys.stderr)
        print(arms(pairs, between, drift, given.sweeps, given.seed), flush=True)


if __name__ == "__main__":
    main()
