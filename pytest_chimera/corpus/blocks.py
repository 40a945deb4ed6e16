"""Many rows of one plan at a time, column by column: which failed, and what their rates are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.plans import masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.corpus.plans import Plan
    from pytest_chimera.corpus.rows import Row

    Column = Sequence[float | None]
    Fields = Mapping[Any, Sequence[Any]]
    """Place -> what the rows have there, of the places that a plan asks for."""


def failed_rows(plan: Plan, fields: Fields, columns: Sequence[Column], spare: Row) -> set[int]:
    """Which rows failed: by an error, by `success`, by an answer that is an error, by nothing but zeros."""
    failed: set[int] = set()
    for at, check in plan.checks:
        values = fields[at]
        bad = {value for value in set(values) if check(value)}
        if bad:
            failed.update([row for row, value in enumerate(values) if value in bad])
    if plan.answer is not None:
        failed.update([row for row, answer in enumerate(fields[plan.answer]) if answer and masked(answer, spare)])
    if plan.telling and not all(columns[plan.timed[0]]):
        zeros = [row for row, value in enumerate(columns[plan.timed[0]]) if not value and row not in failed]
        for row in zeros:
            nothing = not any(columns[at][row] for at in plan.timed)
            if nothing and any(columns[at][row] is not None for at in plan.telling):
                failed.add(row)
    return failed


def whole_rows(plan: Plan, columns: Sequence[Column]) -> list[bool]:
    """Whether the rate of each row is that of whole requests; empty where no row has such a rate."""
    if plan.whole is None:
        return []
    whole = [plan.whole.holds(values, plan.slots) for values in zip(*columns, strict=True)]
    return whole if True in whole else []


def rows_of_words(plan: Plan, fields: Fields, columns: Sequence[Column], whole: Sequence[bool]) -> list[int]:
    """Rows of whole requests whose count is of the words of their answer: all numbers of their file change with it."""
    if not whole or plan.answer is None or plan.whole is None:
        return []
    counts = columns[plan.whole.tokens]
    answers = fields[plan.answer]
    return [row for row, one in enumerate(whole) if one and len(answers[row].split()) == counts[row]]
