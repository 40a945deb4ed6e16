"""Properties: many examples of one question, each asked a few times, until one breaks a limit or the budget is spent.

Who draws the examples (Hypothesis) is not known here. What makes it work in spite of noise is: an example fails only
if the statistic of its repeats breaks a limit, what came of it is kept for the length of the property, so that the same
example fails or passes again, and past the budget nothing is asked any more.
"""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import MarkerError
from pytest_chimera.limits import Limit, LimitOutcome, judge, parse_limit
from pytest_chimera.metrics import METRICS
from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.checking import check
from pytest_chimera.suites.explain import CaseFailed, RoundsFailed
from pytest_chimera.suites.pasting import as_yaml, case_name
from pytest_chimera.suites.run import Run
from pytest_chimera.wire.options import LOAD_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.records import Case, CaseResult, Generation, LoadedModel
    from pytest_chimera.suites.bench import Bench
    from pytest_chimera.suites.cases import Question
    from pytest_chimera.suites.runner import MeasuringClient

PROBE = "chimera_probe(...)"
DEFAULT_REPEATS = 3
DEFAULT_MAX_REQUESTS = 1000

_OF_THE_EXAMPLE = ("too_long", "bad_request", "server", "error_line")
"""Causes of a failed request that another prompt may not have. Every other ends the property: what is down stays so,
and a smaller prompt for it would only be asked for nothing."""
_NOT_HERE = {
    "rounds": "Say repeats= instead.",
    "warmup": "Leave it out: the model is loaded once, before the first example.",
    "gate": "Leave it out: examples differ from run to run.",
    "sweep": "Leave it out, and draw what should vary.",
}


class ExampleFailed(CaseFailed):
    """An example of a property breaks a limit, or could not be measured; `str()` is the whole text for people."""


class BudgetSpent(BaseException):  # no error: nothing may take it for a failure of the example
    """Nothing more is asked, so that nothing can be said of this example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a property is measured, as `chimera_given` says."""

    repeats: int = DEFAULT_REPEATS
    """How often each example is asked."""
    limits: tuple[Limit, ...] = ()
    max_requests: int | None = None
    """None leaves it to the settings of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One example and what came of it."""

    case: Case
    question: Question
    result: CaseResult
    failure: str = ""
    """The text for people; empty for one that holds."""
    nearness: float | None = None
    """How near its worst limit is, 1 at the limit; None where nothing could be told."""


@dataclass
class Property:
    """The examples of one test on one model."""

    bench: Bench
    plan: Plan | None
    """None for a test that draws nothing, whose calls are examples of their own."""
    max_requests: int = DEFAULT_MAX_REQUESTS
    smoke: bool = False
    """Whether one round of each has to do, and no limit is held."""
    examples: dict[str, Example] = field(default_factory=dict)
    reported: Example | None = None
    """The failing example that was shown last, which is what stays when all shrinking is done."""
    is_spent: bool = False
    is_ended: bool = False
    """Whether a request failed for a reason that no other example would change."""

    def __post_init__(self) -> None:
        if self.plan is not None:
            self.bench.arguments = CaseArguments(limits=self.plan.limits).over(self.bench.arguments)
        self.bench.gating = None
        self._client = _Counted(self.bench.runner.client, self)
        self._runner = copy.copy(self.bench.runner)
        self._runner.client = self._client
        self._runner.journal = None  # one result is kept, and written down at the end
        self._loaded: Mapping[str, Any] | None = None

    @property
    def requests(self) -> int:
        """How many were made."""
        return self._client.requests

    def ask(self, question: Question, *, repeats: int | None = None, **arguments: Any) -> Run:
        """What was measured of this example, now or before.

        Raises ExampleFailed, BudgetSpent, and what `Bench.case` raises for what cannot be measured as written.
        """
        __tracebackhide__ = True
        case = self._case(question, repeats, arguments)
        key = hashlib.sha256(json.dumps(case.as_dict(), sort_keys=True).encode()).hexdigest()
        found = self.examples.get(key)
        if found is None:
            if self.is_ended:
                raise BudgetSpent
            found = self.examples[key] = self._measured(case, question)
        if not found.failure:
            return Run(found.result)
        self.reported = found
        raise ExampleFailed.of(self._told(found), found.result)  # one line for all: Hypothesis tells failures by it

    def close(self) -> None:
        """Hand on one example: the failing one that was reported, or the one that came nearest to its limit."""
        kept = self.reported or max(self.examples.values(), key=_nearness, default=None)
        if kept is None:
            return
        journal = self.bench.runner.journal
        if journal is not None:
            journal.begin(replace(kept.result, rounds=()))
            for each in kept.result.rounds:
                journal.add(kept.result.case.id, each)
            journal.note(kept.result)
        self.bench.deliver(kept.result)

    def summary(self) -> str:
        """One sentence on how it went; empty where nothing was asked."""
        if not self.examples:
            return ""
        made = f"{_plural(len(self.examples), 'example')} in {_plural(self.requests, 'request')}"
        failing = sum(bool(each.failure) for each in self.examples.values())
        if self.reported is not None:
            cut = f"; the budget of {_plural(self.max_requests, 'request')} was spent" if self.is_spent else ""
            return f"broken by {failing} of {made}{cut}"
        if self.is_spent:
            return (
                f"budget of {_plural(self.max_requests, 'request')} spent after "
                f"{_plural(len(self.examples), 'example')}, none of which broke a limit"
            )
        return f"no limit was judged in {made}" if self.smoke else f"held for {made}"

    def _case(self, question: Question, repeats: int | None, arguments: dict[str, Any]) -> Case:
        __tracebackhide__ = True
        for name, instead in _NOT_HERE.items():
            if name in arguments:
                raise MarkerError(f"{PROBE} has {name}={arguments[name]!r}.", "Accepted: repeats.", instead)
        times = repeats if repeats is not None else self.plan.repeats if self.plan is not None else DEFAULT_REPEATS
        times = checked_whole("repeats", times, PROBE)
        rounds = 1 if self.smoke else times
        case = self.bench.case(question, rounds=rounds, warmup=0, gate=None, **arguments)
        if self.smoke:
            return replace(case, limits=(), expect={})
        if not case.limits and not case.expect:
            raise MarkerError(
                f"{PROBE} has no limit, so no example could ever fail.",
                "Accepted: limits= of chimera_given(...), of the call or of the marker, --chimera-limit, or expect=.",
                "Write it as in @chimera_given(prompt=prompts(), limits='ttft <= 400 ms').",
            )
        return case

    def _measured(self, case: Case, question: Question) -> Example:
        result = self._rounds(case)
        made = sum(not each.warmup for each in result.rounds)
        result = replace(result, case=replace(result.case, rounds=made or case.rounds, warmup=_warmups(result)))
        outcomes = [judge(parse_limit(text), result) for text in case.limits]
        failure = ""
        try:
            check(result)
        except CaseFailed as error:
            failure = str(error)
            causes = [each.generation.failure.cause for each in result.rounds if each.generation.failure is not None]
            if isinstance(error, RoundsFailed):
                self.is_ended = any(cause not in _OF_THE_EXAMPLE for cause in causes)
        near = max((near for each in outcomes if (near := _near(each)) is not None), default=None)
        return Example(case=case, question=question, result=result, failure=failure, nearness=near)

    def _rounds(self, case: Case) -> CaseResult:
        """The repeats of an example: as many as decide, and one more for each that had to load the model."""
        load = {name: case.options.get(name) for name in LOAD_OPTIONS}
        warmup = int(case.start == "warm" and load != self._loaded)
        limits = [parse_limit(text) for text in case.limits]
        least = case.rounds // 2 + 1 if _decides_early(case, limits) else case.rounds
        result = self._runner.run(replace(case, rounds=least, warmup=warmup))
        self._loaded = load
        while result.stopped is None and not _is_decided(result, limits, case):
            result = _joined(result, self._runner.run(replace(case, rounds=1, warmup=0)))
        return result

    def _told(self, example: Example) -> str:
        """The whole text for a failing example."""
        lines = []
        if self.plan is not None:
            failing = sum(bool(each.failure) for each in self.examples.values())
            made = f"{_plural(len(self.examples), 'example')} in {_plural(self.requests, 'request')}"
            lines.append(f"  Asked: {made} of at most {self.max_requests}; {failing} of them failed.")
        if self.is_spent:
            own = self.plan is not None and self.plan.max_requests is not None
            raised = "max_requests of chimera_given" if own else "--chimera-max-requests"
            lines.append(f"  The budget is spent: a smaller example may fail as well. Raise {raised}.")
        if self.is_ended and not self.is_spent:
            lines.append("  Nothing more was asked after this failure: another example would not change it.")
        pasted = as_yaml(case_name(example.case.name), example.case, example.question)
        head = "  The example as a case, to paste into a *.chimera.yaml file:"
        how = ["\n".join(lines)] if lines else []
        return "\n\n".join([example.failure, *how, head, f"cases:\n{pasted}"])


class _Counted:
    """A client that counts the requests that measure, and makes none beyond the budget."""

    def __init__(self, client: MeasuringClient, of: Property) -> None:
        self.client = client
        self.requests = 0
        self._of = of

    def measure(self, case: Case, *, nonce: str | None) -> Generation:
        """One request. Raises BudgetSpent, or MarkerError in a test that draws nothing."""
        if self.requests >= self._of.max_requests:
            self._of.is_spent = self._of.is_ended = True
            if self._of.plan is None:
                raise MarkerError(
                    f"{PROBE} has made {self.requests} requests, and no more are allowed.",
                    "Accepted: as many as --chimera-max-requests says, in each test.",
                    "Raise it, or ask less.",
                )
            raise BudgetSpent
        self.requests += 1
        return self.client.measure(case, nonce=nonce)

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory."""
        return self.client.loaded()

    def unload(self, name: str) -> None:
        """Take a model out of memory."""
        self.client.unload(name)


def checked_whole(name: str, value: object, where: str) -> int:
    """`value` where it is a whole number of 1 or more; raises MarkerError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise MarkerError(
        f"{where}: {name}={value!r} is not usable.", "Accepted: a whole number, 1 or more.", "Correct it."
    )


def _decides_early(case: Case, limits: list[Limit]) -> bool:
    """Whether most of the repeats alone may decide: of medians of one value each, and of nothing else."""
    of_medians = all(each.statistic == "median" and not METRICS[each.metric].pooled for each in limits)
    return of_medians and bool(limits) and not case.expect


def _is_decided(result: CaseResult, limits: list[Limit], case: Case) -> bool:
    """Whether no further repeat can change what is said of a limit, or there are enough of them."""
    made = sum(not each.warmup for each in result.rounds)
    done = made - len(result.off_start)
    if done >= case.rounds or made >= 2 * case.rounds:  # a server that loads again and again must not be asked for ever
        return True
    if not _decides_early(case, limits):
        return False
    sides = [_sides(result, limit) for limit in limits]
    if any(2 * broken > case.rounds for _, broken in sides):
        return True
    return all(2 * held > case.rounds for held, _ in sides)


def _sides(result: CaseResult, limit: Limit) -> tuple[int, int]:
    """How many counted rounds hold the limit, and how many break it."""
    read = METRICS[limit.metric].read
    values = [value for each in result.counted for value in read(each.generation)]
    held = sum(limit.allows(value) for value in values)
    return held, len(values) - held


def _joined(first: CaseResult, more: CaseResult) -> CaseResult:
    """One result with the rounds of both, numbered through."""
    number = sum(not each.warmup for each in first.rounds)
    added = tuple(replace(each, number=number + each.number) for each in more.rounds)
    return replace(
        first,
        rounds=(*first.rounds, *added),
        stopped=more.stopped,
        complete=more.complete,
        setup_ns=first.setup_ns + more.setup_ns,
        measuring_ns=first.measuring_ns + more.measuring_ns,
        waited_ns=first.waited_ns + more.waited_ns,
    )


def _warmups(result: CaseResult) -> int:
    return sum(each.warmup for each in result.rounds)


def _near(outcome: LimitOutcome) -> float | None:
    """What was measured as a share of the limit, or the other way round where more is better."""
    measured, bound = outcome.measured, outcome.limit.bound
    if measured is None:
        return None
    above, below = (measured, bound) if outcome.limit.operator.startswith("<") else (bound, measured)
    return above / below if below > 0 else float("inf")


def _nearness(example: Example) -> float:
    return example.nearness if example.nearness is not None else float("-inf")


def _plural(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
