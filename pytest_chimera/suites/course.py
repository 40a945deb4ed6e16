"""The way of one case through its rounds: warm up, ask, write each round down before the next begins.

A single case makes its rounds one after the other; the points of a sweep make theirs in turn, by the same means. When
each is due is not decided here, nor are limits.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_chimera.errors import HostError, HostUnreachableError
from pytest_chimera.records import CaseResult, Failure, FailureKind, Generation, LoadedModel, Round
from pytest_chimera.suites.coldness import find_loaded, mark_reloads, will_load
from pytest_chimera.suites.expect import Expectations

if TYPE_CHECKING:
    from pytest_chimera.records import Case
    from pytest_chimera.suites.runner import Runner


class Course:
    """One case on its way; the host is held meanwhile."""

    def __init__(self, runner: Runner, case: Case) -> None:
        """Nothing is written down or sent before `begin`."""
        self.runner = runner
        self.result = CaseResult(case=case, host=runner.host, started_unix_ns=runner.clock.unix_ns())
        self.expectations = Expectations(case.expect, runner.ground)
        self._is_begun = False
        self._is_prepared = case.prompt_tokens is None
        self._warmups = 0
        self._made = 0
        self._failures = 0

    @property
    def goes_on(self) -> bool:
        """Whether a further counted round is wanted."""
        return self.result.stopped is None and self._made < self.result.case.rounds

    def begin(self, *, setup_ns: int = 0, waited_ns: int = 0) -> None:
        """The host is ours: tell the observer and the journal. `setup_ns` is what it took, `waited_ns` a part of it."""
        self.result = replace(self.result, setup_ns=setup_ns, waited_ns=waited_ns)
        self.runner.observer.case_started(self.result.case)
        self._is_begun = True
        if self.runner.journal:
            self.runner.journal.begin(self.result)

    def go(self) -> None:
        """Everything that a single case does."""
        self.prepare()
        self.warm_up(self.result.case.warmup)
        while self.goes_on:
            self.round()

    def prepare(self) -> None:
        """Find the prompt where only its size is known, once; a request that fails meanwhile stops the case."""
        if self._is_prepared:
            return
        began_ns = self.runner.clock.monotonic_ns()
        case, failed = self.runner.sized(self.result.case)
        took_ns = self.runner.clock.monotonic_ns() - began_ns
        self.result = replace(self.result, case=case, setup_ns=self.result.setup_ns + took_ns)
        self._is_prepared = True
        self._note()
        if failed is not None:
            self._add(Round(number=1, warmup=True, cold=None, generation=failed))
            self._stop("its prompt could not be made: the request to count its tokens failed")

    def warm_up(self, times: int, block: int | None = None) -> None:
        """So many uncounted requests, each only if all before went well; the first that fails stops the case."""
        for _ in range(times):
            if self.result.stopped is not None:
                return
            self._warmups += 1
            if not self._round(self._warmups, warmup=True, block=block).generation.ok:
                self._stop(f"warm-up round {self._warmups} failed")

    def round(self, block: int | None = None) -> None:
        """One counted round; a failure too many stops the case."""
        case = self.result.case
        self._made += 1
        self._failures += not self._round(self._made, warmup=False, block=block).generation.ok
        if self._failures > case.max_failed_rounds and self._made < case.rounds:
            failures = f"{self._failures} of {self._made} rounds failed"
            self._stop(f"{failures} and max_failed_rounds={case.max_failed_rounds}")

    def end(self) -> None:
        """Say what came of it, also after Ctrl-C: it is complete only if all its rounds were made."""
        if self._is_begun:
            made = sum(not each.warmup for each in self.result.rounds)
            complete = self.result.stopped is None and made == self.result.case.rounds
            self.result = replace(self.result, rounds=mark_reloads(self.result.rounds), complete=complete)
            self._note()
        self.runner.observer.case_finished(self.result)

    def _round(self, number: int, *, warmup: bool, block: int | None) -> Round:
        began_ns = self.runner.clock.monotonic_ns()
        try:
            done = replace(self._asked(number, warmup=warmup), block=block)
            self._note_loaded(done)
            self._add(done)
        finally:
            took_ns = self.runner.clock.monotonic_ns() - began_ns
            if warmup:
                self.result = replace(self.result, warmup_ns=self.result.warmup_ns + took_ns)
            else:
                self.result = replace(self.result, measuring_ns=self.result.measuring_ns + took_ns)
        return done

    def _asked(self, number: int, *, warmup: bool) -> Round:
        case, runner = self.result.case, self.runner
        try:
            if case.start == "cold" and not warmup:
                runner.client.unload(case.model.name)
        except HostError as error:
            return Round(number=number, warmup=warmup, cold=None, generation=self._not_sent(error))
        cold = will_load(case, self._in_memory(), self.result.loaded)
        generation, busy = runner.ask(case)
        generation = replace(generation, unmet=self.expectations.unmet(generation))
        return Round(number=number, warmup=warmup, cold=cold, generation=generation, busy_answers=busy)

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
