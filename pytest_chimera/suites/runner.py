"""What measures on one host: its client, journal, lock and observer, and how a request is made of a case.

The way of a case through its rounds is in `course`, that of the points of a sweep in `sweeping`. Everything is handed
in; nothing is decided here about limits, and nothing printed.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from pytest_chimera.errors import HostError
from pytest_chimera.suites.course import Course
from pytest_chimera.suites.schedule import FEWEST_BLOCKS
from pytest_chimera.suites.sizes import calibrate
from pytest_chimera.wire.request import NONCE_DIGITS, format_nonce

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import Case, CaseResult, Generation, HostInfo, LoadedModel, Round
    from pytest_chimera.suites.exclusive import Exclusive
    from pytest_chimera.suites.expect import Ground
    from pytest_chimera.suites.journal import Journal

BUSY_BUDGET_S = 30.0
"""A server that answers 503 (its queue is full) is asked again, for so long at most."""

_FIRST_STEP_S = 0.5


class MeasuringClient(Protocol):
    """What measuring needs of a client."""

    def measure(self, case: Case, *, nonce: str | None) -> Generation:
        """One request; a failed one is returned, not raised."""

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory; raises HostError."""

    def unload(self, name: str) -> None:
        """Take a model out of memory and wait until it is gone; raises HostError."""


class Clock(Protocol):
    """Where time comes from."""

    def monotonic_ns(self) -> int:
        """A clock that never goes back."""

    def unix_ns(self) -> int:
        """The wall clock."""


class Observer(Protocol):
    """Is told how a case goes on, for a live line."""

    def case_started(self, case: Case) -> None:
        """The host is ours; the first request comes next."""

    def host_busy(self, case: Case) -> None:
        """Another process measures on the host; the case waits for its turn."""

    def round_done(self, case: Case, done: Round) -> None:
        """A round, warm-up included, is finished and written down."""

    def case_finished(self, result: CaseResult) -> None:
        """Nothing more will be asked."""


class Unobserved:
    """Nobody watches."""

    def case_started(self, case: Case) -> None:
        """Say nothing."""

    def host_busy(self, case: Case) -> None:
        """Say nothing."""

    def round_done(self, case: Case, done: Round) -> None:
        """Say nothing."""

    def case_finished(self, result: CaseResult) -> None:
        """Say nothing."""


def random_nonce() -> str:
    """A nonce in its fixed form that no earlier prompt began with, as good as surely."""
    return format_nonce(secrets.randbelow(10**NONCE_DIGITS))


class Runner:
    """Measures cases on one host, one after the other."""

    fewest_blocks = FEWEST_BLOCKS
    """In how many loads each point of a sweep is measured at least, where its points need several."""

    def __init__(
        self,
        client: MeasuringClient,
        host: HostInfo,
        *,
        journal: Journal | None,
        observer: Observer,
        exclusive: Exclusive,
        clock: Clock,
        nonces: Callable[[], str] = random_nonce,
        pause: Callable[[float], None] = time.sleep,
        ground: Ground | None = None,
    ) -> None:
        """`pause` is called with seconds to wait before a busy server is asked again; `ground` holds answers against
        facts, for cases that expect it.
        """
        self.client = client
        self.host = host
        self.journal = journal
        self.observer = observer
        self.exclusive = exclusive
        self.clock = clock
        self.nonces = nonces
        self.pause = pause
        self.ground = ground
        self._calibrated: dict[object, str] = {}

    def run(self, case: Case) -> CaseResult:
        """Measure `case`; failed requests are in the result, and Ctrl-C leaves the finished rounds in the journal."""
        course = Course(self, self.as_measured(case))
        began_ns = self.clock.monotonic_ns()
        waits: list[int] = []

        def waiting() -> None:
            waits.append(self.clock.monotonic_ns())
            self.observer.host_busy(case)

        try:
            with self.exclusive.turn(waiting):
                self._unload_for(case)
                now_ns = self.clock.monotonic_ns()
                course.begin(setup_ns=now_ns - began_ns, waited_ns=now_ns - waits[0] if waits else 0)
                course.go()
        finally:
            course.end()
        return course.result

    def as_measured(self, case: Case) -> Case:
        """The case as this runner measures it: as it is."""
        return case

    def _unload_for(self, case: Case) -> None:
        """Before a second measurement the model leaves memory: what one loaded model keeps does not average out."""
        if case.confirms is not None:
            with suppress(HostError):  # the requests will tell
                self.client.unload(case.model.name)

    def once(self, case: Case) -> Generation:
        """One request of `case` in a turn of its own, outside any round: for those who time it themselves."""
        with self.exclusive.turn(lambda: self.observer.host_busy(case)):
            return self.ask(case)[0]

    def ask(self, case: Case) -> tuple[Generation, int]:
        """One request and how often the server was busy before it took it; each attempt is timed for itself.

        After about `BUSY_BUDGET_S` seconds of waiting in growing steps the last refusal is the answer.
        """
        waited_s, step_s, busy = 0.0, _FIRST_STEP_S, 0
        while True:
            generation = self.client.measure(case, nonce=self.nonce(case))
            failure = generation.failure
            if failure is None or failure.cause != "busy" or waited_s + step_s > BUSY_BUDGET_S:
                return generation, busy
            self.pause(step_s)
            waited_s, step_s, busy = waited_s + step_s, step_s * 2, busy + 1

    def nonce(self, case: Case) -> str | None:
        """A fresh nonce, or None where the prefix cache is meant to be used."""
        return self.nonces() if case.prefix == "unique" else None

    def sized(self, case: Case) -> tuple[Case, Generation | None]:
        """The case with a prompt of the size it asks for, found once per model, and the request that failed, if any."""
        if case.prompt_tokens is None:
            return case, None
        return calibrate(case, lambda each: self.ask(each)[0], self._calibrated)
