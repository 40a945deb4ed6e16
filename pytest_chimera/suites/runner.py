"""One case, measured: warm up, ask as often as wanted, write each round down before the next begins.

Everything it needs is handed to it: client, clock, journal, lock, nonces, and an observer for those who watch. It
decides nothing about limits and prints nothing.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pytest_chimera.errors import HostError, HostUnreachableError
from pytest_chimera.records import Case, CaseResult, Failure, FailureKind, Generation, HostInfo, LoadedModel, Round
from pytest_chimera.suites.coldness import find_loaded, mark_reloads, will_load
from pytest_chimera.suites.expect import Expectations
from pytest_chimera.suites.sizes import calibrate
from pytest_chimera.wire.request import NONCE_DIGITS, format_nonce

if TYPE_CHECKING:
    from collections.abc import Callable

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
        began_ns, started_unix_ns = self.clock.monotonic_ns(), self.clock.unix_ns()
        waits: list[int] = []

        def waiting() -> None:
            waits.append(self.clock.monotonic_ns())
            self.observer.host_busy(case)

        course = _Course(self, CaseResult(case=case, host=self.host, started_unix_ns=started_unix_ns), began_ns)
        try:
            with self.exclusive.turn(waiting):
                self._unload_for(case)
                course.go(waited_ns=self.clock.monotonic_ns() - waits[0] if waits else 0)
        finally:
            self.observer.case_finished(course.result)
        return course.result

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


class _Course:
    """The way of one case through its rounds; the host is held meanwhile."""

    def __init__(self, runner: Runner, result: CaseResult, began_ns: int) -> None:
        self.runner = runner
        self.result = result
        self.began_ns = began_ns
        self.expectations = Expectations(result.case.expect, runner.ground)

    def go(self, *, waited_ns: int) -> None:
        """All rounds, or as many as failures allow; what was measured is in `result`, also after Ctrl-C."""
        runner = self.runner
        runner.observer.case_started(self.result.case)
        case, failed = runner.sized(self.result.case)
        setup_ns = runner.clock.monotonic_ns() - self.began_ns
        self.result = replace(self.result, case=case, setup_ns=setup_ns, waited_ns=waited_ns)
        if runner.journal:
            runner.journal.begin(self.result)
        try:
            if failed is None:
                self._warm_up()
                self._measure()
            else:
                self._add(Round(number=1, warmup=True, cold=None, generation=failed))
                self._stop("its prompt could not be made: the request to count its tokens failed")
            rounds = mark_reloads(self.result.rounds)
            self.result = replace(self.result, rounds=rounds, complete=self.result.stopped is None)
        finally:
            self._note()

    def _warm_up(self) -> None:
        began_ns = self.runner.clock.monotonic_ns()
        try:
            for number in range(1, self.result.case.warmup + 1):
                if not self._round(number, warmup=True).generation.ok:
                    self._stop(f"warm-up round {number} failed")
                    return
        finally:
            self.result = replace(self.result, warmup_ns=self.runner.clock.monotonic_ns() - began_ns)

    def _measure(self) -> None:
        case, failures, began_ns = self.result.case, 0, self.runner.clock.monotonic_ns()
        try:
            for number in range(1, case.rounds + 1):
                if self.result.stopped is not None:
                    return
                failures += not self._round(number, warmup=False).generation.ok
                if failures > case.max_failed_rounds and number < case.rounds:
                    self._stop(f"{failures} of {number} rounds failed and max_failed_rounds={case.max_failed_rounds}")
        finally:
            self.result = replace(self.result, measuring_ns=self.runner.clock.monotonic_ns() - began_ns)

    def _round(self, number: int, *, warmup: bool) -> Round:
        case, runner = self.result.case, self.runner
        try:
            if case.start == "cold" and not warmup:
                runner.client.unload(case.model.name)
        except HostError as error:
            cold, generation, busy = None, self._not_sent(error), 0
        else:
            cold = will_load(case, self._in_memory(), self.result.loaded)
            generation, busy = runner.ask(case)
            generation = replace(generation, unmet=self.expectations.unmet(generation))
        done = Round(number=number, warmup=warmup, cold=cold, generation=generation, busy_answers=busy)
        self._note_loaded(done)
        self._add(done)
        return done

    def _in_memory(self) -> tuple[LoadedModel, ...] | None:
        try:
            return self.runner.client.loaded()
        except HostError:
            return None  # the request itself will tell what is wrong, or that only this question is not answered

    def _not_sent(self, error: HostError) -> Generation:
        """The failed request that could not even be sent."""
        case = self.result.case
        kind: FailureKind = "connect" if isinstance(error, HostUnreachableError) else "http"
        message = f"The model could not be unloaded before this round. {error}"
        return Generation(
            endpoint=case.endpoint,
            host=self.result.host.url,
            model=case.model.name,
            options=case.options,
            think=case.think,
            prompt_hash=case.prompt_hash,
            sent_unix_ns=self.runner.clock.unix_ns(),
            failure=Failure(kind=kind, cause="not_unloaded", message=message),
        )

    def _note_loaded(self, done: Round) -> None:
        """After the first request that went well, keep what the server says of the model in memory."""
        if self.result.loaded is not None or not done.generation.ok:
            return
        with suppress(HostError):
            loaded = find_loaded(self.result.case.model, self.runner.client.loaded())
            self.result = replace(self.result, loaded=loaded)
            self._note()

    def _add(self, done: Round) -> None:
        self.result = replace(self.result, rounds=(*self.result.rounds, done))
        if self.runner.journal:
            self.runner.journal.add(self.result.case.id, done)
        self.runner.observer.round_done(self.result.case, done)

    def _stop(self, why: str) -> None:
        self.result = replace(self.result, stopped=why)

    def _note(self) -> None:
        if self.runner.journal:
            self.runner.journal.note(self.result)
