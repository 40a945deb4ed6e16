"""What a result makes its case fail with: failed rounds, limits, expectations, the gate, in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.limits import judge, parse_limit
from pytest_chimera.suites.explain import (
    CaseFailed,
    ExpectationBroken,
    LimitBroken,
    RoundsFailed,
    WorseThanBefore,
    explain_failures,
    explain_limits,
    explain_unmet,
    explain_verdicts,
    printable,
)
from pytest_chimera.suites.sweep import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import CaseResult
    from pytest_chimera.suites.gating import Gating

MOST_TEXTS = 3
"""Of several failing points so many are explained; the others are named."""


def check(result: CaseResult, gating: Gating | None = None) -> None:
    """Raise what a result makes its case fail with, if anything.

    RoundsFailed when more rounds failed than allowed, LimitBroken when a limit does not hold, ExpectationBroken when an
    answer is not as expected and neither a limit nor the gate says how many must be, WorseThanBefore when the gate does
    not let it pass.
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
    if result.unmet and not _bounds_accuracy(result, gating):
        raise ExpectationBroken.of(explain_unmet(result), result)
    if failing:
        raise WorseThanBefore.of(explain_verdicts(result, failing), result)


def check_together(results: Sequence[CaseResult], gating: Gating | None, what: str) -> None:
    """Raise what the first failing one of several results makes its case fail with, its text telling of all.

    `what` they are: "point", "arm".
    """
    __tracebackhide__ = True
    failed: list[CaseFailed] = []
    for each in results:
        try:
            check(each, gating)
        except CaseFailed as error:  # noqa: PERF203  # each point for itself
            failed.append(error)
    if failed:
        raise type(failed[0]).of(_together(failed, len(results), what), failed[0].result) from None


def _together(failed: Sequence[CaseFailed], among: int, what: str) -> str:
    """The texts of several failures as one: how many, the first whole, a few more, and who else."""
    points = [printable(label(each.result.case.point)) for each in failed]
    head = f"{len(failed)} of {among} {what}s failed; {points[0]}: {failed[0]}"
    more = [f"{point}: {error}" for point, error in zip(points[1:MOST_TEXTS], failed[1:MOST_TEXTS], strict=True)]
    left = points[MOST_TEXTS:]
    if left:
        more.append(f"and {len(left)} more: {'; '.join(left)}")
    return "\n\n".join([head, *more])


def _bounds_accuracy(result: CaseResult, gating: Gating | None) -> bool:
    """Whether a limit says which share of the answers must be as expected, or the gate has judged that share by earlier
    runs; else all must.
    """
    held = [parse_limit(text) for text in result.case.limits] + list(gating.held(result.case) if gating else ())
    judged = [each for each in result.verdicts if each.gated and each.change is not None and each.against is None]
    return "accuracy" in [*(each.metric for each in held), *(each.metric for each in judged)]
