"""The gate on real times: a server slowed by a fifth is found, and one that did not change is left alone, 50 times."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.client import Client, Connection, SystemClock
from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.expressions import parse_expression, thresholds
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import SavedRun, read_case
from pytest_chimera.hardware import read_hardware
from pytest_chimera.plugin.extra_info import case_infos
from pytest_chimera.suites import Bench, CaseArguments
from pytest_chimera.suites.exclusive import HostLock
from pytest_chimera.suites.explain import WorseThanBefore
from pytest_chimera.suites.gating import Gating
from pytest_chimera.suites.runner import Runner, Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_chimera.gate.saved import SavedCase
    from pytest_chimera.records import CaseResult

INTERVALS_S = {"quick": 0.0015, "middle": 0.002, "steady": 0.0025}
"""Model -> what lies between two tokens."""
JITTER = 0.6
"""Each token is late by up to this share of the interval, another one in each answer: some 2 % of noise between runs.

The engine reports the moments that it planned, so that verdicts on tok/s do not depend on what else the machine does.
"""
SLOWED = "middle"
BASELINE_RUNS = 5
REPEATS = 50
ANSWERS = 1 + 3 * (BASELINE_RUNS + REPEATS)
"""As many different ones as a model is asked for."""


def answers(interval_s: float) -> list[dict[str, Any]]:
    """Answers of eight tokens, none quite like another."""
    fields = {"tokens": "a b c d e f g h", "ttft_s": 0.002, "interval_s": interval_s, "jitter_s": JITTER * interval_s}
    return [{**fields, "seed": round(interval_s * 1e7) + number} for number in range(ANSWERS)]


def saved(result: CaseResult) -> SavedCase:
    """A result as the plugin reads it, and as its file is read."""
    return read_case(case_infos(result), read_hardware())


def passes(chimera: Bench) -> bool:
    """Whether a test that makes one call passes under the gate."""
    try:
        chimera("Why is the sky blue?")
    except WorseThanBefore:
        return False
    return True


class Suite:
    """One case for each model of a server, measured as the plugin does it."""

    def __init__(self, url: str) -> None:
        """With every model in memory."""
        self.client = Client(Connection.resolve(url, {}, {}))
        self.lock = HostLock(url)
        self.runner = Runner(
            self.client, self.client.host_info(), journal=None, observer=Unobserved(), exclusive=self.lock,
            clock=SystemClock(),
        )  # fmt: skip
        self.models = {name: self.client.model(name) for name in INTERVALS_S}
        for name in INTERVALS_S:
            self.bench(name, None, []).once("Hello")

    def bench(self, name: str, gating: Gating | None, results: list[CaseResult]) -> Bench:
        """What the fixture `chimera` is in the test of this model."""
        return Bench(
            self.runner, self.models[name], test_id=f"test_sky.py::test_sky[{name}]",
            test_name=f"test_sky[{name}]", deliver=results.append, marker=CaseArguments(),
            settings=CaseArguments(rounds=3, warmup=0), gating=gating,
        )  # fmt: skip

    def run(self, gating: Gating | None = None) -> tuple[list[CaseResult], list[str]]:
        """Run all tests; what was measured, and which models' tests failed for being worse than before."""
        results: list[CaseResult] = []
        return results, [name for name in INTERVALS_S if not passes(self.bench(name, gating, results))]


@pytest.fixture
def suites() -> Iterator[tuple[Suite, Suite]]:
    """The suite on a server, and on one that is slower by a fifth on one model."""
    with contextlib.ExitStack() as stack:
        made = []
        for factor in (1.0, 1.2):
            intervals = {**INTERVALS_S, SLOWED: INTERVALS_S[SLOWED] * factor}
            models = {name: {"answers": answers(interval_s)} for name, interval_s in intervals.items()}
            suite = Suite(stack.enter_context(EmbeddedEngine.scripted({"models": models})).url)
            stack.callback(suite.lock.discard)
            made.append(suite)
        yield made[0], made[1]


def gating_on(suite: Suite) -> Gating:
    """The gate tok/s:5% on five runs of the suite."""
    runs = []
    for number in range(1, BASELINE_RUNS + 1):
        results, _ = suite.run()
        cases = {each.case.id: saved(each) for each in results}
        runs.append(SavedRun(name=f"{number:04d}_base", source="", number=number, cases=cases))
    gate = Gate(Baseline(runs, last=10, passed_only=True), thresholds([parse_expression("tok/s:5%")]))
    return Gating(gate=gate, saved=saved)


def test_a_fifth_slower_is_found_and_nothing_else(suites: tuple[Suite, Suite]) -> None:
    """Of three cases exactly the slowed one fails; in 50 unchanged runs none does, though some differ by above 5 %."""
    unchanged, slowed = suites
    gating = gating_on(unchanged)
    results, failed = slowed.run(gating)
    assert failed == [SLOWED]
    assert [verdict.outcome for result in results for verdict in result.verdicts].count("worse") == 1
    changes = []
    for repeat in range(REPEATS):
        results, failed = unchanged.run(gating)
        assert (repeat, failed) == (repeat, [])
        changes += [verdict.change for result in results for verdict in result.verdicts]
    assert len(set(changes)) == len(changes) == REPEATS * len(INTERVALS_S)
    assert sum(change < -0.05 for change in changes) >= 3
