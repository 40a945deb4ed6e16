"""Numbers that stand together are of one record: the basis of a row is what agrees with most of its cells."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from pytest_chimera.report.claims.case import Case
    from pytest_chimera.report.claims.inquiry import Inquiry

_AT = re.compile(r"\s*@\s*~?$")


def settle(inquiry: Inquiry) -> None:
    """Decide on the basis of every row and of every "A @ B"."""
    for group in _together(inquiry.cases):
        votes: Counter[str] = Counter()
        for case in group:
            agreeing = {
                values[0].basis
                for reading in case.defaults for values in reading.groups
                if inquiry.readings.agreeing(_alone(case), type(reading)(reading.statistic, reading.condition, (values,)))[0] == "yes"
            }  # fmt: skip
            votes.update(agreeing)
        if votes:
            most = max(votes.values())
            for case in group:
                case.bases = frozenset(basis for basis, count in votes.items() if count == most)


def _alone(case: Case) -> Case:
    case.bases = None
    return case


def _together(cases: Iterable[Case]) -> Iterable[list[Case]]:
    """The plain values of each row, and those joined by "@"."""
    groups: dict[Hashable, list[Case]] = defaultdict(list)
    last: Case | None = None
    for case in cases:
        if case.sense.sort != "value" or not case.defaults:
            last = None
            continue
        piece = case.number.piece
        if piece.table is not None:
            groups[piece.table.number, piece.row].append(case)
        elif (
            last is not None
            and last.number.piece is piece
            and _AT.search(piece.text[last.number.close : case.number.start])
        ):
            groups[id(last)] = [last, case]
        last = case
    return [group for group in groups.values() if len(group) > 1]
