"""A case and its gate: judge a result, measure again where that was asked for, and say what does not hold.

The statistics are the gate's; what it gets is the result in the form in which it is saved, so that a verdict of a run
and one of its file cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_chimera.gate.expressions import DEFAULT_THRESHOLDS, limits, parse_gate, thresholds
from pytest_chimera.limits import check_resolvable, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_chimera.gate.expressions import Threshold
    from pytest_chimera.gate.judge import Gate
    from pytest_chimera.gate.saved import SavedCase
    from pytest_chimera.limits import Limit, LimitOutcome
    from pytest_chimera.records import Case, CaseResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Gating:
    """What a run wants of its gate."""

    gate: Gate
    saved: Callable[[CaseResult], SavedCase]
    """A result as it will be read back from a saved file."""
    must_hold: tuple[Limit, ...] = ()
    """Limits among what the run is gated by."""
    confirm: bool = False
    """Whether a case found worse is measured again."""
    strict: bool = False
    """Whether what could not be judged fails its test."""

    def judged(self, result: CaseResult) -> CaseResult:
        """The result with its verdicts; without any where not all its rounds were made."""
        if not result.complete:
            return result
        said = self.gate.expressions if result.case.gate is None else result.case.gate
        verdicts = self.gate.judge(self.saved(result)) if said else ()
        return replace(result, verdicts=verdicts, gate_broken=self._broken(result))

    def judged_arm(self, result: CaseResult) -> CaseResult:
        """The same of an arm, whose own gate is for comparing arms: earlier runs are compared by what the run says."""
        if not result.case.gate:  # none of its own, or exempt
            return self.judged(result)
        bare = self.judged(replace(result, case=replace(result.case, gate=None)))
        return replace(bare, case=result.case, gate_broken=self._broken(result) if result.complete else ())

    def _broken(self, result: CaseResult) -> tuple[str, ...]:
        return tuple(str(each.limit) for each in self.outcomes(result) if each.state != "held")

    def check(self, case: Case) -> None:
        """Refuse, before anything is measured, a limit that the rounds of the case cannot decide. Raises LimitError."""
        for limit in self.held(case):
            check_resolvable(limit, case.rounds)

    def outcomes(self, result: CaseResult) -> list[LimitOutcome]:
        """What came of the limits that the case is gated by."""
        return [judge(limit, result) for limit in self.held(result.case)]

    def held(self, case: Case) -> tuple[Limit, ...]:
        """The limits among what the case is gated by."""
        return self.must_hold if case.gate is None else limits(parse_gate(case.gate))

    def wants_another(self, result: CaseResult) -> bool:
        """Whether the case is to be measured again."""
        return self.confirm and any(each.fails(strict=False) for each in result.verdicts)

    def confirmed(self, result: CaseResult, again: CaseResult) -> CaseResult:
        """The result with verdicts that hold after the second measurement."""
        return replace(result, verdicts=self.gate.confirm(result.verdicts, self.saved(again)))


def compared(arms: Sequence[CaseResult]) -> list[CaseResult]:
    """Arms, each but the first with its verdicts against the first, by its own gate; without one for information.

    An arm that was stopped is not compared.
    """
    from pytest_chimera.gate.paired import compare_arms  # noqa: PLC0415  # only where arms are measured

    first, *others = arms
    if not first.complete:
        return list(arms)
    said = [_by_what(each.case) for each in others]
    comparisons = sum(len(by) for by, _ in said)
    found = [first]
    for other, (by, gated) in zip(others, said, strict=True):
        new = compare_arms(first, other, by, gated=gated, comparisons=comparisons) if other.complete else ()
        found.append(replace(other, verdicts=(*other.verdicts, *new)))
    return found


def _by_what(case: Case) -> tuple[tuple[Threshold, ...], bool]:
    """By what an arm is compared, and whether that fails it."""
    own = thresholds(parse_gate(case.gate))
    return (own, True) if own else (DEFAULT_THRESHOLDS, False)


def again(case: Case) -> Case:
    """The case as it is measured to confirm what was found: on a model loaded anew, so that it needs a warm-up."""
    return replace(
        case,
        id=f"{case.id} (again)",
        name=f"{case.name} (again)",
        warmup=max(case.warmup, 1),
        limits=(),
        gate=(),
        confirms=case.id,
    )
