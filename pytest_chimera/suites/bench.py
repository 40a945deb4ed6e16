"""The object behind the fixture `chimera`: a call measures one case of a test and judges it.

It puts the parts together (arguments, persona, case, runner, limits) and hands every result on before it may fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pytest_chimera.limits import judge, parse_limit
from pytest_chimera.suites.arguments import CALL, CaseArguments
from pytest_chimera.suites.cases import QUESTION_NAMES, Question, build_case
from pytest_chimera.suites.explain import (
    ExpectationBroken,
    LimitBroken,
    RoundsFailed,
    WorseThanBefore,
    explain_failures,
    explain_limits,
    explain_unmet,
    explain_verdicts,
)
from pytest_chimera.suites.gating import again
from pytest_chimera.suites.persona import find_persona
from pytest_chimera.suites.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_chimera.records import Case, CaseResult, Generation, Message, ModelInfo
    from pytest_chimera.suites.cases import Image
    from pytest_chimera.suites.gating import Gating
    from pytest_chimera.suites.runner import Runner


class Bench:
    """Measures the cases of one test on one model."""

    def __init__(
        self,
        runner: Runner,
        model: ModelInfo,
        *,
        test_id: str,
        test_name: str,
        deliver: Callable[[CaseResult], None],
        marker: CaseArguments,
        settings: CaseArguments,
        gating: Gating | None = None,
        persona: str | None = None,
        persona_folders: Sequence[Path] = (),
        allowed_options: Sequence[str] = (),
    ) -> None:
        """`deliver` gets each result as soon as it is measured, also of a case that then fails.

        `test_id` is the node id, `test_name` the same for people; `marker` stands over `settings`. Without `gating`
        nothing is compared with earlier runs. `persona` stands over whatever marker and call name.
        """
        self.runner = runner
        self.model = model
        self.test_id = test_id
        self.test_name = test_name
        self.deliver = deliver
        self.arguments = marker.over(settings)
        self.gating = gating
        self.persona = persona
        self.persona_folders = tuple(persona_folders)
        self.allowed_options = tuple(allowed_options)
        self._calls = 0

    def __repr__(self) -> str:
        return f"<chimera of {self.test_name} on {self.model.name}>"

    def __call__(
        self,
        prompt: str | None = None,
        *,
        messages: Sequence[Mapping[str, Any] | Message] | None = None,
        system: str | None = None,
        persona: str | None = None,
        format: Any = None,  # noqa: A002  # Ollama's own word
        options: Mapping[str, Any] | None = None,
        images: Sequence[Image] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        suffix: str | None = None,
        raw: bool = False,
        endpoint: Literal["chat", "generate"] | None = None,
        **arguments: Any,
    ) -> Run:
        """Measure one case; `arguments` are those of the marker (rounds, warmup, think, limits, ...) and win over it.

        Raises LimitBroken or RoundsFailed with the whole text for people, and MarkerError, OptionError, LimitError or
        PersonaError, before anything is sent, for what cannot be measured as written.
        """
        __tracebackhide__ = True  # a failing test shows the line that called this, not this
        question = Question(
            prompt=prompt,
            messages=messages,
            system=system,
            format=format,
            images=images,
            tools=tools,
            suffix=suffix,
            raw=raw,
            endpoint=endpoint,
        )
        case = self.case(question, persona=persona, options=options, **arguments)
        self._calls += 1
        return self.measure(case)

    def case(self, question: Question, **arguments: Any) -> Case:
        """The case that the next call would measure; `arguments` are those of the marker."""
        __tracebackhide__ = True
        said = CaseArguments.parse(arguments, where=CALL, beside=QUESTION_NAMES).over(self.arguments)
        persona = None
        if (wanted := self.persona or said.persona) is not None:
            persona = find_persona(wanted, self.persona_folders, allowed_options=self.allowed_options)
        number = f" #{self._calls + 1}" if self._calls else ""
        case = build_case(
            case_id=f"{self.test_id}{number}",
            name=f"{self.test_name}{number}",
            model=self.model,
            question=question,
            arguments=said,
            persona=persona,
            allowed_options=self.allowed_options,
        )
        if self.gating is not None:
            self.gating.check(case)
        return case

    def measure(self, case: Case) -> Run:
        """Measure a case that is ready, hand its result on, and judge it.

        Raises LimitBroken, WorseThanBefore or RoundsFailed.
        """
        __tracebackhide__ = True
        result = self.runner.run(case)
        if self.gating is None:
            self.deliver(result)
        else:
            result = self._gated(result, self.gating)
        check(result, self.gating)
        return Run(result)

    def _gated(self, result: CaseResult, gating: Gating) -> CaseResult:
        """The result with its verdicts, handed on, and before it any second measurement that they rest on."""
        result = gating.judged(result)
        self._note(result)  # Ctrl-C in a second measurement must not make a good run of a bad one
        second = self.runner.run(again(result.case)) if gating.wants_another(result) else None
        if second is not None:
            result = gating.confirmed(result, second)
            self._note(result)
        self.deliver(result)
        if second is not None:
            self.deliver(second)
        return result

    def _note(self, result: CaseResult) -> None:
        """Write the verdicts down, if any: a worker may die before its report."""
        if self.runner.journal and (result.verdicts or result.gate_broken):
            self.runner.journal.note(result)

    def once(self, prompt: str, **arguments: Any) -> Generation:
        """One request and no case: for those who time it themselves, as in `benchmark(chimera.once, "Why?")`."""
        __tracebackhide__ = True
        return self.runner.once(self.case(Question(prompt=prompt), **arguments))


def check(result: CaseResult, gating: Gating | None = None) -> None:
    """Raise what a result makes its case fail with, if anything.

    RoundsFailed when more rounds failed than allowed, LimitBroken when a limit does not hold, ExpectationBroken when an
    answer is not as expected and no limit says how many must be, WorseThanBefore when the gate does not let it pass.
    """
    __tracebackhide__ = True
    case = result.case
    failed = sum(not each.warmup for each in result.failed)
    warmup_failed = any(each.warmup for each in result.failed)
    if warmup_failed or failed > case.max_failed_rounds or failed == case.rounds:
        raise RoundsFailed.of(explain_failures(result), result)
    outcomes = [judge(parse_limit(text), result) for text in case.limits]
    outcomes += gating.outcomes(result) if gating else []
    failing = [each for each in result.verdicts if each.fails(strict=gating is not None and gating.strict)]
    if any(each.state != "held" for each in outcomes):
        raise LimitBroken.of(explain_limits(result, outcomes, failing), result)
    if result.unmet and not _bounds_accuracy(case, gating):
        raise ExpectationBroken.of(explain_unmet(result), result)
    if failing:
        raise WorseThanBefore.of(explain_verdicts(result, failing), result)


def _bounds_accuracy(case: Case, gating: Gating | None) -> bool:
    """Whether a limit says which share of the answers must be as expected; else all must."""
    held = [parse_limit(text) for text in case.limits] + list(gating.held(case) if gating else ())
    return any(each.metric == "accuracy" for each in held)
