"""Numbers that stand together are of one record: the basis of a row is what agrees with most of its cells."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from pytest_chimera.report.claims.case import Case, Reading
    from pytest_chimera.report.claims.inquiry import Inquiry

_AT = re.compile(r"\s*@\s*~?$")


def settle(inquiry: Inquiry) -> None:
    """Decide on the basis of every row and of every "A @ B", and on what the lists that rank go by."""
    _settle_rankings(inquiry)
    for group in _together(inquiry.cases):
        votes: dict[str, list[int]] = defaultdict(list)
        for place, case in enumerate(group):
            agreeing = {
                values[0].basis
                for reading in case.defaults for values in reading.groups
                if inquiry.readings.agreeing(case, reading._replace(groups=(values,)))[0] == "yes"
            }  # fmt: skip
            for basis in agreeing:
                votes[basis].append(place)
        if votes:
            best = max(votes.values(), key=lambda places: (len(places), [-place for place in places]))
            for case in group:
                case.bases = frozenset(basis for basis, places in votes.items() if places == best)


def _settle_rankings(inquiry: Inquiry) -> None:
    """The items of a list that ranks mean all the same: their best values, or their means."""
    lists: dict[int, list[Case]] = defaultdict(list)
    for case in inquiry.cases:
        if case.sense.sort == "value" and case.sense.statistic == "best" and case.number.piece.siblings:
            lists[id(case.number.piece.siblings)].append(case)
    for cases in lists.values():
        found = [(case, *_best_and_mean(inquiry, case)) for case in cases if case.chosen is not None]
        bests = sum(inquiry.readings.agreeing(case, best)[0] == "yes" for case, best, _ in found)
        means = sum(inquiry.readings.agreeing(case, mean)[0] == "yes" for case, _, mean in found)
        if means > bests:
            for case, _, mean in found:
                case.defaults = (mean,)


def _best_and_mean(inquiry: Inquiry, case: Case) -> tuple[Reading, Reading]:
    assert case.chosen is not None, "only asked when there are data"
    mask, condition = case.chosen.mask, case.sense.condition
    best, mean = (inquiry.readings.reading(mask, case.metric, name, condition) for name in ("best", "mean"))
    return best, mean


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
