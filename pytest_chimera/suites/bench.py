"""The object behind the fixture `chimera`: a call measures one case of a test and judges it.

It puts the parts together (arguments, persona, case, runner, limits) and hands every result on before it may fail.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pytest_chimera.errors import MarkerError
from pytest_chimera.records import ModelInfo
from pytest_chimera.suites.arguments import CALL, CaseArguments
from pytest_chimera.suites.cases import QUESTION_NAMES, Question, build_case
from pytest_chimera.suites.checking import check, check_together
from pytest_chimera.suites.gating import again, compared
from pytest_chimera.suites.persona import find_persona
from pytest_chimera.suites.points import needing_load, of_arms, of_sweep
from pytest_chimera.suites.run import Run
from pytest_chimera.suites.runner import Runner
from pytest_chimera.suites.schedule import ARM_BLOCKS, SWEEP_BLOCKS
from pytest_chimera.suites.sweep import Arm, Sweep, label, parse_arms, parse_sweep
from pytest_chimera.suites.sweep_run import ArmsRun, SweepRun
from pytest_chimera.suites.sweeping import Planned, Sweeping

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_chimera.records import Case, CaseResult, Generation, Message
    from pytest_chimera.suites.cases import Image
    from pytest_chimera.suites.gating import Gating
    from pytest_chimera.suites.points import Variant

Others = Callable[[str], tuple[ModelInfo, Runner]]
"""From the name of a model to what its server says of it, and to who measures there; raises a ChimeraError."""

SWEEP, ARMS = "chimera.sweep(...)", "chimera.arms(...)"


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
        others: Others | None = None,
    ) -> None:
        """`deliver` gets each result as soon as it is measured, also of a case that then fails.

        `test_id` is the node id, `test_name` the same for people; `marker` stands over `settings`. Without `gating`
        nothing is compared with earlier runs. `persona` stands over whatever marker and call name. `others` finds the
        further models of sweeps and arms.
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
        self.others = others
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
        _refuse_sweep(self.arguments, arguments)
        case = self.case(question, persona=persona, options=options, **arguments)
        self._calls += 1
        return self.measure(case)

    def sweep(self, prompt: str | None = None, *, sweep: object = None, **asked: Any) -> SweepRun:
        """Measure one case at each point of a sweep, all in turn, so that neither loads nor drift look like an effect.

        `sweep` is said here or by the marker: `{"num_ctx": [512, 2048], "temperature": [0.2, 0.8]}`. Parameters are
        model options, fields (`points.FIELDS`) and variables of the texts, as in "Count to {number}." `asked` is what a
        call takes. Every point is handed on and judged as a case of its own, but none is measured a second time to
        confirm what the gate found. Raises CaseFailed where points fail, of the kind of the first that does.
        """
        __tracebackhide__ = True
        question, arguments = _parted(prompt, asked)
        wanted = self.arguments.sweep if sweep is None else parse_sweep(sweep, SWEEP)
        if wanted is None:
            raise MarkerError(
                f"{SWEEP} varies nothing.",
                "Accepted: parameters with their levels, here or at the marker.",
                "Write it as in chimera.sweep('Why?', sweep={'num_ctx': [512, 2048]}).",
            )
        return self.measure_sweep(question, wanted, **arguments)

    def measure_sweep(
        self,
        question: Question,
        sweep: Sweep,
        make: Callable[[Mapping[str, Any]], Question] | None = None,
        **arguments: Any,
    ) -> SweepRun:
        """The same for a question that is ready; `make` gives that of a point, its texts filled already."""
        __tracebackhide__ = True
        said = CaseArguments.parse(arguments, where=SWEEP, beside=(*QUESTION_NAMES, "sweep")).over(self.arguments)
        self._refuse_overridden(sweep.names, SWEEP)
        variants = of_sweep(question, sweep, make, where=SWEEP, allowed_options=self.allowed_options)
        sweeping = self._together(variants, said, seed=sweep.seed, blocks=sweep.blocks or SWEEP_BLOCKS)
        results = sweeping.run()
        if self.gating is not None:
            results = [self.gating.judged(each) for each in results]
        self._hand_on(results, sweeping)
        check_together(results, self.gating, "point")
        loads = needing_load(sweep.points, [each.key for each in sweeping.planned])
        return SweepRun([Run(each) for each in results], loads)

    def arms(self, prompt: str | None = None, *, arms: object = None, **asked: Any) -> ArmsRun:
        """Measure variants of one case in turn, and hold each against the first: what drifts, drifts for all.

        `arms` maps names to fields that differ: `{"a": {"model": "x"}, "b": {"model": "y"}}`. They are compared by the
        thresholds of `gate`, and one that is worse fails; without a gate they are compared for information. Raises
        CaseFailed where arms fail, of the kind of the first that does.
        """
        __tracebackhide__ = True
        question, arguments = _parted(prompt, asked)
        return self.measure_arms(question, parse_arms(arms, ARMS), **arguments)

    def measure_arms(
        self,
        question: Question,
        arms: Sequence[Arm],
        make: Callable[[Arm], Question] | None = None,
        **arguments: Any,
    ) -> ArmsRun:
        """The same for a question that is ready; `make` gives that of an arm."""
        __tracebackhide__ = True
        said = CaseArguments.parse(arguments, where=ARMS, beside=(*QUESTION_NAMES, "arms")).over(self.arguments)
        if said.sweep is not None:
            raise MarkerError(f"{ARMS} has a sweep as well.", "Accepted: either of them.", "Leave one of them out.")
        self._refuse_overridden([name for arm in arms for name in arm.said], ARMS)
        sweeping = self._together(of_arms(question, arms, make, where=ARMS), said, seed=0, blocks=ARM_BLOCKS)
        results = sweeping.run()
        if self.gating is not None:
            results = [self.gating.judged_arm(each) for each in results]
        if sweeping.decides:
            results = compared(results)
        self._hand_on(results, sweeping)
        check_together(results, self.gating, "arm")
        return ArmsRun({arm.name: Run(each) for arm, each in zip(arms, results, strict=True)})

    def case(self, question: Question, **arguments: Any) -> Case:
        """The case that the next call would measure; `arguments` are those of the marker."""
        __tracebackhide__ = True
        said = CaseArguments.parse(arguments, where=CALL, beside=QUESTION_NAMES).over(self.arguments)
        return self._case(question, said, self.model)

    def _case(self, question: Question, said: CaseArguments, model: ModelInfo, name: str = "") -> Case:
        persona = None
        if (wanted := self.persona or said.persona) is not None:
            persona = find_persona(wanted, self.persona_folders, allowed_options=self.allowed_options)
        number = f"{self._number()} {name}" if name else self._number()
        case = build_case(
            case_id=f"{self.test_id}{number}",
            name=f"{self.test_name}{number}",
            model=model,
            question=question,
            arguments=said,
            persona=persona,
            allowed_options=self.allowed_options,
        )
        if self.gating is not None:
            self.gating.check(case)
        return case

    def _number(self) -> str:
        return f" #{self._calls + 1}" if self._calls else ""

    def _together(self, variants: Sequence[Variant], said: CaseArguments, *, seed: int, blocks: int) -> Sweeping:
        """Points or arms, ready to be measured together; everything is refused here that can be before a request."""
        shared = f"{self.test_id}{self._number()}"
        planned = []
        for each in variants:
            model, runner = self._on(each.model)
            case = self._case(each.question, each.over(said), model, label(each.point))
            planned.append(Planned(case=dataclasses.replace(case, sweep=shared, point=each.point), runner=runner))
        sweeping = Sweeping(planned, seed=f"{seed} {shared}", blocks=blocks)
        self._calls += 1
        return sweeping

    def _on(self, name: str | None) -> tuple[ModelInfo, Runner]:
        """The model of that name and who measures it."""
        own = self.model.name.removesuffix(":latest")
        if name is None or name.removesuffix(":latest") == own:
            return self.model, self.runner
        if self.others is None:
            raise MarkerError(
                f"The model {name!r} is asked for, and only {own!r} can be measured here.", f"Accepted: {own!r}.", ""
            )
        return self.others(name)

    def _refuse_overridden(self, names: Sequence[str], where: str) -> None:
        if self.persona is not None and "persona" in names:
            raise MarkerError(
                f"{where} varies the persona, and the run says {self.persona!r} for all.",
                "Accepted: one of them.",
                "Leave --chimera-persona out, or deselect this test.",
            )

    def _hand_on(self, results: Sequence[CaseResult], sweeping: Sweeping) -> None:
        for result, planned in zip(results, sweeping.planned, strict=True):
            _note(result, planned.runner)
        for result in results:
            self.deliver(result)

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
        _note(result, self.runner)  # Ctrl-C in a second measurement must not make a good run of a bad one
        second = self.runner.run(again(result.case)) if gating.wants_another(result) else None
        if second is not None:
            result = gating.confirmed(result, second)
            _note(result, self.runner)
        self.deliver(result)
        if second is not None:
            self.deliver(second)
        return result

    def once(self, prompt: str, **arguments: Any) -> Generation:
        """One request and no case: for those who time it themselves, as in `benchmark(chimera.once, "Why?")`."""
        __tracebackhide__ = True
        return self.runner.once(self.case(Question(prompt=prompt), **arguments))


def _refuse_sweep(marker: CaseArguments, arguments: Mapping[str, Any]) -> None:
    if marker.sweep is not None or arguments.get("sweep") is not None:
        raise MarkerError(
            f"{CALL} measures one case, and a sweep is said for it.",
            f"Accepted: {SWEEP}, which measures every point.",
            "Write chimera.sweep in place of chimera, or leave the sweep out.",
        )


def _parted(prompt: str | None, asked: Mapping[str, Any]) -> tuple[Question, dict[str, Any]]:
    """What a call asks, and how it is measured."""
    question = {name: value for name, value in asked.items() if name in QUESTION_NAMES}
    return Question(**{**question, "prompt": prompt}), {
        name: value for name, value in asked.items() if name not in QUESTION_NAMES
    }


def _note(result: CaseResult, runner: Runner) -> None:
    """Write the verdicts down, if any: a worker may die before its report."""
    if runner.journal and (result.verdicts or result.gate_broken):
        runner.journal.note(result)
