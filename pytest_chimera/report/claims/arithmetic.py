"""Whether a comparison is what its two operands, as written, give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.report.claims.match import agreement, step_of, tolerance

if TYPE_CHECKING:
    from pytest_chimera.report.claims.case import Case
    from pytest_chimera.report.claims.operands import Formula

_ROUND = 10


def scale_of(case: Case) -> float:
    """From a share or factor to the unit of the number."""
    return case.sense.unit.scale if case.sense.unit else 1.0


def arithmetic(case: Case, formula: Formula, first: Case, second: Case) -> str:
    """ "yes", "near" (off by one unit), "no"; "other" when the operands cannot be meant."""
    results = []
    left, right = abs(first.number.value), abs(second.number.value)
    for a in _ends(first, left):
        for b in _ends(second, right):
            result = formula.of(a, b)
            if result is not None:
                results.append(result / scale_of(case) if formula.name != "difference" else result)
    if not results:
        return "other"
    low, high = min(results), max(results)
    written = abs(case.number.value) if formula.signless else case.number.value
    if formula.signless:
        low, high = sorted((abs(low), abs(high))) if low * high > 0 else (0.0, max(abs(low), abs(high)))
    half = tolerance(case.number)
    slack = half
    if low - slack - 1e-9 <= written <= high + slack + 1e-9:
        return "yes"
    if case.number.hedge in {"over", "under"} and agreement(case.number, (low + high) / 2) == "yes":
        return "yes"
    fine = case.number.decimals > 0 or written >= _ROUND  # a unit of "3x" is too much to be a slip
    return "near" if fine and low - 3 * half <= written <= high + 3 * half else "no"


def _ends(case: Case, value: float) -> tuple[float, ...]:
    half = step_of(case.number.decimals) / 2
    return (value - half, value + half) if case.number.decimals else (value,)
