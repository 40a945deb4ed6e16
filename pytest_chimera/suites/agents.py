"""Personas at work on the facts of a report: each assignment is an ordinary case, its answer graded as it comes in.

What is asked and how an answer is judged is handed in; here it is only put to the model, one round each, so that what
is said stays within its budget of tokens.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from pytest_chimera.errors import HostError
from pytest_chimera.suites.cases import Question
from pytest_chimera.suites.coldness import will_load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_chimera.records import Case, Generation, LoadedModel
    from pytest_chimera.suites.bench import Bench
    from pytest_chimera.suites.run import Run
    from pytest_chimera.suites.runner import MeasuringClient

SEED = 7
_STEADY: Mapping[str, Any] = {"temperature": 0, "seed": SEED}
"""Options of every answer where nobody sets others: the same facts give the same words."""


class Assignment(Protocol):
    """What one persona is asked."""

    @property
    def persona(self) -> str:
        """Its name."""

    @property
    def prompt(self) -> str:
        """The question with its data."""

    @property
    def format(self) -> Mapping[str, Any]:
        """JSON schema of the answer."""

    @property
    def num_predict(self) -> int:
        """Tokens that the answer may have."""


class GradedClient:
    """A client whose answers are graded: a `Generation` gets its groundedness before anybody writes it down."""

    def __init__(self, client: MeasuringClient, grade: Callable[[str], float | None]) -> None:
        """`grade` judges the text of an answer, 0 to 1; it works after the last byte, outside of every time."""
        self.client = client
        self.grade = grade

    def measure(self, case: Case, *, nonce: str | None) -> Generation:
        """One request; the answer of one that failed is not graded."""
        generation = self.client.measure(case, nonce=nonce)
        return replace(generation, groundedness=self.grade(generation.text)) if generation.ok else generation

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory; raises HostError."""
        return self.client.loaded()

    def unload(self, name: str) -> None:
        """Take a model out of memory; raises HostError."""
        self.client.unload(name)


def ask(bench: Bench, assignment: Assignment, grade: Callable[[str], float | None]) -> Run:
    """Measure one assignment as a case of `bench`'s test, of one round and without a warm-up.

    `grade` gives the groundedness of an answer's text. Raises what `bench(...)` raises: RoundsFailed where the request
    failed, LimitBroken or WorseThanBefore where groundedness or anything else is held to a limit.
    """
    __tracebackhide__ = True
    plain = bench.runner
    graded = copy.copy(plain)
    graded.client = GradedClient(plain.client, grade)
    bench.runner = graded
    said = _said(bench, assignment)
    try:
        return bench(assignment.prompt, persona=assignment.persona, format=assignment.format, **said)
    finally:
        bench.runner = plain


def load(bench: Bench, assignment: Assignment) -> None:
    """Load the model, with the options of this assignment and by one token, where it is not in memory.

    Else the first answer would be a cold round, which counts in no statistic of a warm case.
    """
    said = _said(bench, assignment)
    said["options"] = {**said["options"], "num_predict": 1}
    case = bench.case(Question(prompt="Hello."), persona=assignment.persona, **said)
    with suppress(HostError):  # the request of the assignment itself will tell
        if will_load(case, bench.runner.client.loaded(), None):
            bench.runner.once(case)


def _said(bench: Bench, assignment: Assignment) -> dict[str, Any]:
    """How an assignment is measured, whatever marker and settings say of rounds."""
    options = {**_STEADY, **bench.arguments.options, "num_predict": assignment.num_predict}
    thinks = "thinking" in bench.model.capabilities
    return {"rounds": 1, "warmup": 0, "options": options, **({"think": False} if thinks else {})}
