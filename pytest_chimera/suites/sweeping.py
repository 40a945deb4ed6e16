"""The points of a sweep, or arms, measured together: each by the course of a case, their rounds in scheduled order.

The servers of all are held from the first request to the last, so that nothing but the sweep changes between points.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.errors import HostError
from pytest_chimera.suites.course import Course
from pytest_chimera.suites.exclusive import host_key
from pytest_chimera.suites.points import load_key
from pytest_chimera.suites.schedule import Wanted, schedule

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from pytest_chimera.records import Case, CaseResult
    from pytest_chimera.suites.runner import Runner
    from pytest_chimera.suites.schedule import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A point that is ready to be measured, and who measures it."""

    case: Case
    runner: Runner

    @property
    def key(self) -> Hashable:
        """Points of one key are measured on one load."""
        return load_key(self.case, self.runner.host.url)


class Sweeping:
    """Points on their way."""

    def __init__(self, planned: Sequence[Planned], *, seed: str, blocks: int) -> None:
        """Fix the order of all rounds; nothing is sent. Raises MarkerError where there are too few rounds for it."""
        self.planned = [Planned(case=each.runner.as_measured(each.case), runner=each.runner) for each in planned]
        wanted = [
            Wanted(key=each.key, rounds=each.case.rounds, cold=each.case.start == "cold") for each in self.planned
        ]
        fewest = max(each.runner.fewest_blocks for each in self.planned)
        self.blocks = schedule(wanted, seed=seed, blocks=blocks, fewest=fewest)
        self.loads = len({each.key for each in self.planned})
        self._courses: list[Course] = []
        self._last: Planned | None = None

    @property
    def decides(self) -> bool:
        """Whether enough is measured to compare points; not where one round only shows that a case works."""
        return all(each.runner.fewest_blocks > 1 for each in self.planned)

    def run(self) -> list[CaseResult]:
        """Measure all; failed requests are in the results, and Ctrl-C leaves the finished rounds in the journals."""
        self._courses = [Course(each.runner, each.case) for each in self.planned]
        try:
            with ExitStack() as held:
                setup_ns, waited_ns = self._take_turns(held)
                for number, course in enumerate(self._courses):
                    # The first of them waits for all, so that no wait is counted twice
                    course.begin(setup_ns=0 if number else setup_ns, waited_ns=0 if number else waited_ns)
                for block in self.blocks:
                    self._measure(block)
        finally:
            for course in self._courses:
                course.end()
        return [course.result for course in self._courses]

    def _take_turns(self, held: ExitStack) -> tuple[int, int]:
        """Hold every server, in an order that is the same in every process, so that no two wait for each other.

        Returns the nanoseconds that it took, and of these the wait for others.
        """
        clock = self.planned[0].runner.clock
        began_ns, waits = clock.monotonic_ns(), list[int]()

        def waiting() -> None:
            waits.append(clock.monotonic_ns())
            self.planned[0].runner.observer.host_busy(self.planned[0].case)

        runners = {host_key(each.runner.host.url): each.runner for each in self.planned}
        for _, runner in sorted(runners.items(), key=lambda each: each[0]):
            held.enter_context(runner.exclusive.turn(waiting))
        now_ns = clock.monotonic_ns()
        return now_ns - began_ns, now_ns - waits[0] if waits else 0

    def _measure(self, block: Block) -> None:
        """One block; points that were stopped are left out, and of those alone nothing is loaded."""
        points = dict.fromkeys(block.order)
        if not any(self._courses[each].goes_on for each in points):
            return
        self._switch(self.planned[block.order[0]])
        for each in points:
            self._courses[each].prepare()
        self._warm_up(block)
        for each in block.order:
            if self._courses[each].goes_on:
                self._courses[each].round(block.number)

    def _switch(self, to: Planned) -> None:
        """Take out of memory what the block before was measured on: each block has a load of its own.

        A second model would else stay beside the first and share its memory. Cold rounds unload their own.
        """
        last, self._last = self._last, to
        if last is not None and (to.case.start == "warm" or last.case.model.name != to.case.model.name):
            with suppress(HostError):  # the requests will tell
                last.runner.client.unload(last.case.model.name)

    def _warm_up(self, block: Block) -> None:
        """Uncounted requests of the first point; where they fail it is stopped, and the next one warms up instead."""
        for each in dict.fromkeys(block.order):
            course = self._courses[each]
            case = course.result.case
            if course.goes_on and case.start == "warm":
                course.warm_up(case.warmup if self.loads == 1 else max(case.warmup, 1), block.number)
            if course.goes_on:
                return
