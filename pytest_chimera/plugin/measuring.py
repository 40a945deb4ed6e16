"""What the case of a suite does when it runs: its question, sweep or arms, put to a `Bench` as a test in Python would.

The fixture `chimera_case` is the way in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import MarkerError
from pytest_chimera.plugin.asked import OWN_MODELS
from pytest_chimera.plugin.models import NO_MODEL
from pytest_chimera.plugin.runners import bench_for
from pytest_chimera.plugin.session import get_session
from pytest_chimera.suites.sweep import level_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from pytest_chimera.plugin.suites import ChimeraCase
    from pytest_chimera.suites.bench import Bench
    from pytest_chimera.suites.cases import Question
    from pytest_chimera.suites.suite import SuiteCase
    from pytest_chimera.suites.sweep import Arm


def call_of(item: pytest.Item) -> Callable[[], None]:
    """A function that measures the case of `item`, once its model is known to be there.

    Raises MarkerError for a test that is no case of a suite, and HostError, EngineError or ModelError.
    """
    if not hasattr(item, OWN_MODELS):
        raise MarkerError(
            "The fixture 'chimera_case' measures a case of a suite in YAML, and this test is none.",
            "Accepted: 'chimera' in a test in Python.",
            "Use it as in: def test_sky(chimera): chimera('Why is the sky blue?').",
        )
    case: Any = item  # of a class that only collecting a suite imports
    bench = _bench(case)
    return lambda: _measure(case, bench)


def no_parameter() -> MarkerError:
    """The error of a fixture that asks for `chimera_model` where a case of a suite runs."""
    return MarkerError(
        "A fixture asks for 'chimera_model', and what runs is a case of a suite in YAML, whose model is its own.",
        "Accepted: 'chimera_model' in tests in Python and in fixtures that they use.",
        "Keep fixtures with autouse that use it out of folders with suites.",
    )


def _bench(item: ChimeraCase) -> Bench:
    servers = get_session(item.config).servers
    return bench_for(item, servers.planned(item.models[0]) if item.models else servers.model(NO_MODEL))


def _measure(item: ChimeraCase, bench: Bench) -> None:
    __tracebackhide__ = True
    case, folder, variables = item.case, item.path.parent, item.variables

    def at(point: Mapping[str, Any]) -> Question:
        return case.question(folder, {**variables, **{name: level_text(level) for name, level in point.items()}})

    def of(arm: Arm) -> Question:
        return case.with_arm(arm).question(folder, variables)

    if case.sweep is not None:
        bench.measure_sweep(at(case.sweep.points[0]), case.sweep, at, **case.arguments)
    elif case.arms:
        bench.measure_arms(of(case.arms[0]), [_whole(case, arm) for arm in case.arms], of, **case.arguments)
    else:
        bench.measure(bench.case(case.question(folder, variables), **case.arguments))


def _whole(case: SuiteCase, arm: Arm) -> Arm:
    """The arm with what its expectations name by a file."""
    if "expect" not in arm.said:
        return arm
    return replace(arm, said={**arm.said, "expect": case.with_arm(arm).arguments["expect"]})
