"""A plain `benchmark(model.generate, prompt)`: which of its requests the row counted, and those in its `extra_info`.

pytest-benchmark calls the function to calibrate, to warm up, in the counted rounds, once more for the return value, and
under its profiler; only the counted rounds enter the row. They are told apart by the clock: it reads its timer just
before and just after each timed run, and the counted runs are the last ones that it times. So a test that uses both
fixtures gets a timer (through the public marker) that reads the same clock and remembers when it was read.
Uses public names of pytest-benchmark only: the marker's `timer`, the fixture's `stats` and its `params`, `extra_info`.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.plugin.extra_info import KEY, SCHEMA, generation_info, host_info, model_info, plain, row_params

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import Generation, HostInfo, ModelInfo


@dataclass(slots=True)
class PlainCalls:
    """The requests of one test's `benchmark` call in order, with the readings of its timer between them."""

    timer: Callable[[], float]
    """The clock that pytest-benchmark would have read."""
    generations: list[Generation] = field(default_factory=list)
    models: dict[str, ModelInfo] = field(default_factory=dict)
    host: HostInfo | None = None
    marks: list[int] = field(default_factory=list)
    """For each reading of the timer, how many requests had been made by then."""

    def add(self, generation: Generation, model: ModelInfo, host: HostInfo) -> None:
        """Report a request that has ended, well or not; the model object calls it before it returns or raises."""
        self.generations.append(generation)
        self.models[model.name] = model
        self.host = host

    def read_timer(self) -> float:
        """What pytest-benchmark calls in place of its timer."""
        self.marks.append(len(self.generations))
        return self.timer()

    def counted(self, rounds: int) -> list[list[Generation]] | None:
        """The requests of each of the last `rounds` timed runs; None when the timer was not read for them."""
        if rounds < 1 or len(self.marks) < 2 * rounds:
            return None
        marks = self.marks[-2 * rounds :]
        pairs = zip(marks[::2], marks[1::2], strict=True)
        return [self.generations[first:last] for first, last in pairs]

    def clear(self) -> None:
        """Forget all: pytest-benchmark keeps every timer it has ever seen."""
        self.generations.clear()
        self.models.clear()
        self.marks.clear()


PLAIN = pytest.StashKey[PlainCalls]()


def watch(item: pytest.Item) -> None:
    """Before the fixtures of `item` are set up: have its `benchmark` fixture read our timer.

    Does nothing for a test that does not use both `benchmark` and a fixture of ours, or where pytest-benchmark is off.
    """
    uses_both = "benchmark" in getattr(item, "fixturenames", ()) and item.get_closest_marker("chimera") is not None
    if not uses_both or PLAIN in item.stash or not item.config.pluginmanager.hasplugin("benchmark"):
        return
    marker = item.get_closest_marker("benchmark")
    if marker is not None and marker.args:
        return  # pytest-benchmark refuses it in words of its own
    given = dict(marker.kwargs) if marker else {}
    calls = PlainCalls(given.get("timer") or _timer_of(item.config))
    item.stash[PLAIN] = calls
    item.add_marker(pytest.mark.benchmark(**given | {"timer": _named(calls)}), append=False)


def calls_of(item: pytest.Item) -> PlainCalls | None:
    """Where a model object reports the requests that it makes while `item` runs; None for a test without benchmark."""
    return item.stash.get(PLAIN, None)


def fill(item: pytest.Item) -> None:
    """After the call of `item`: put the requests that its row counted, and no others, into `benchmark.extra_info`.

    The row also gets the params that ours have: pytest-benchmark ends in a KeyError where `--benchmark-group-by` names
    one that a single row of the run lacks.
    """
    calls = item.stash.get(PLAIN, None)
    fixture: Any = getattr(item, "funcargs", {}).get("benchmark")
    if calls is None or fixture is None:
        return
    stats: Any = getattr(fixture, "stats", None)
    if stats and calls.generations:  # it has none when it was disabled, or its function failed before a round ended
        saved = stats.as_dict()["stats"]
        rounds = calls.counted(len(saved["data"]))
        if rounds is not None:
            fixture.extra_info[KEY] = _info(calls, saved["data"], saved["iterations"], rounds)
        only = next(iter(calls.models.values())) if len(calls.models) == 1 else None
        stats.params = row_params(model=only) | (stats.params or {})
    calls.clear()


def _timer_of(config: pytest.Config) -> Callable[[], float]:
    """The function that `--benchmark-timer` names, "module.attribute" as pytest-benchmark has checked it."""
    found: Any = pkgutil.resolve_name(config.getoption("benchmark_timer"))
    assert callable(found), "pytest-benchmark would have refused it"
    return found  # type: ignore[no-any-return]  # found by name, so its type is not known


def _named(calls: PlainCalls) -> Callable[[], float]:
    """Our timer under the name of the one that it reads, which is the name that is saved with the row."""

    def timer() -> float:
        return calls.read_timer()

    named: Any = getattr(calls.timer, "func", calls.timer)  # of a partial the function within
    timer.__name__ = getattr(named, "__name__", str(named))
    return timer


def _info(calls: PlainCalls, data: list[float], iterations: int, rounds: list[list[Generation]]) -> dict[str, Any]:
    """Our part of `extra_info`; `value` of a round is what the row has for it, seconds per call of the function."""
    return {
        "schema": SCHEMA,
        "kind": "plain",
        "unit": "s",
        "iterations": iterations,
        "models": [plain(model_info(each)) for each in calls.models.values()],
        **(plain(host_info(calls.host)) if calls.host else {}),
        "rounds": [
            {"round": number, "value": value, "generations": [plain(generation_info(each)) for each in made]}
            for number, (value, made) in enumerate(zip(data, rounds, strict=True), 1)
        ],
    }
