"""The two things that a comparison compares: numbers beside it, or names whose values the data give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.report.claims.clauses import clauses, pair_place
from pytest_chimera.report.claims.meaning import is_added
from pytest_chimera.report.claims.names import Mention, Name
from pytest_chimera.report.claims.words import FASTER, LOWER, SLOWER, words_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.report.claims.case import Case
    from pytest_chimera.report.claims.inquiry import Inquiry
    from pytest_chimera.report.claims.numbers import Number
    from pytest_chimera.report.claims.settings import Setting

_AGAINST = re.compile(
    r"\b(?:than|over|versus|vs\.?|compared (?:to|with)|relative to|against|beats?|outperforms?|behind|ahead of"
    r"|as (?:fast|slow|many|much|high|low|long|large) as)\b",
    re.IGNORECASE,
)
_AGAINST_LEVEL = re.compile(
    r"\b(?:than|over|versus|vs\.?|compared (?:to|with)|relative to|against)\s(?:at\s|with\s|for\s|under\s)?(?:a\s)?$",
    re.IGNORECASE,
)
_BASELINE = re.compile(r"\b(?:baseline|reference|base)\b", re.IGNORECASE)
_BEFORE_VERSUS = re.compile(
    r"(?:\bvs\.?|\bversus|\bthan|\bover|\brelative to|\bagainst|\bcompared (?:to|with))\s*$", re.IGNORECASE
)


class Sides(NamedTuple):
    """What is compared with what."""

    first: Mention
    second: Mention

    @property
    def dimension(self) -> str:
        """Of both names."""
        return self.second.name.dimension


class Formula(NamedTuple):
    """How two values make the number."""

    name: str
    signless: bool

    def of(self, first: float, second: float) -> float | None:
        """The comparison of two values, as a factor, a share or a difference."""
        if self.name == "difference":
            return first - second
        if not first or not second:
            return None
        return {
            "first/second": first / second,
            "second/first": second / first,
            "first/second-1": first / second - 1,
            "1-first/second": 1 - first / second,
            "second/first-1": second / first - 1,
        }[self.name]


def formula_of(case: Case, *, time: bool) -> Formula:
    """The formula that the words around a number ask for; `time`: less is faster."""
    number = case.number
    kind = case.sense.unit.kind if case.sense.unit else ""
    words = _words_around(number)
    lower = bool(LOWER.search(words))
    faster, slower = bool(FASTER.search(words)), bool(SLOWER.search(words))
    directed = (
        lower
        or faster
        or slower
        or bool(re.search(r"\b(?:higher|more|greater|larger|increase|gain|improve)", words, re.IGNORECASE))
    )
    if kind in {"rate", "time", "bytes", "points"} or re.search(r"\bdiff", words, re.IGNORECASE):
        return Formula("difference", signless=not number.signed)
    if kind == "ratio":
        share = (lower and not (slower and time)) or (faster and time)
        name = "1-first/second" if share else "first/second-1"
        return Formula(name, signless=share or directed or not number.signed)
    if kind == "factor":
        inverse = (lower and not (time and slower)) or (time and (faster or not directed))
        return Formula("second/first" if inverse else "first/second", signless=False)
    if not number.signed and re.search(r"\bratio\b|\bspeed", number.piece.header, re.IGNORECASE):
        return Formula("second/first" if time else "first/second", signless=False)
    return Formula("difference", signless=not number.signed)


def _words_around(number: Number) -> str:
    """The words that say how a number compares: right behind it, else before it in its clause, else its column's."""
    text = number.piece.text
    low, high = clauses(text, number.start)[0][1:3]
    behind = text[number.close : min(max(high, number.close + 1), number.close + 40)]
    if (
        LOWER.search(behind)
        or FASTER.search(behind)
        or re.search(r"\b(?:higher|more|greater|larger|gain)\b", behind, re.IGNORECASE)
    ):
        return behind
    before = text[low : number.start]
    return f"{behind} {before} {number.piece.header}"


def own_operands(inquiry: Inquiry, case: Case) -> tuple[Case, Case] | None:
    """The two numbers beside a comparison that it was computed from."""
    piece = case.number.piece
    beside = inquiry.in_piece(piece)
    low, high = clauses(piece.text, case.number.start)[1][1:3]
    firsts = [
        index for index, each in enumerate(beside)
        if low <= each.number.start < high and pair_place(each.number) == 0 and index + 1 < len(beside)
        and not each.number.reason and each is not case
    ]  # fmt: skip
    if firsts:
        index = min(firsts, key=lambda index: abs(beside[index].number.start - case.number.start))
        first, second = beside[index], beside[index + 1]
        if second is not case:
            change = re.search(r"->|→", piece.text[first.number.close : second.number.start])
            return (second, first) if change else (first, second)
    if piece.table is None:
        return None
    row = [each for each in inquiry.in_row(piece) if each.sense.sort == "value" and each.number.piece is not piece]
    kinds = {each.sense.unit.kind if each.sense.unit else each.metric for each in row}
    same = {" ".join(each.sense.metrics) for each in row}
    return (row[0], row[1]) if len(row) == 2 and len(kinds) == 1 and len(same) == 1 else None  # noqa: PLR2004  # two operands


def sides_of(inquiry: Inquiry, case: Case) -> Sides | None:
    """The names that a comparison compares."""
    piece = case.number.piece
    scoper = inquiry.scoper
    low, high = clauses(piece.text, case.number.start)[1][1:3]
    inside = [each for each in scoper.mentions(piece.text) if low <= each.start < high]
    seconds = _against(piece.text, inside, case.number)
    for second in seconds:
        first = _other(piece.text, inside, second, case.number) or _wider(inquiry, case, second)
        if first is not None:
            return Sides(first, second)
    if seconds:
        return None
    for text in (*reversed(piece.leads), *reversed(piece.section.headings)):
        sides = _of_text(inquiry, case, text)
        if sides is not None:
            return sides
    return _of_table(inquiry, case)


def levels_of(inquiry: Inquiry, case: Case) -> Sides | None:
    """The two levels of a setting that a sentence compares: "from concurrency 1 to 8", "batch 8 versus batch 1"."""
    text = case.number.piece.text
    low, high = clauses(text, case.number.start)[1][1:3]
    stated = [each for each in inquiry.scoper.stated.settings(text) if low <= each.start < high]
    for each in stated:
        if each.relation == "range" and re.search(r"\b(?:to|and)\b", text[each.start : each.end]):
            return _levels(inquiry, each, each.values[1], each.values[0])
        if _AGAINST_LEVEL.search(text[max(0, each.start - 24) : each.start]):
            other = next((own for own in stated if own.name == each.name and own.values != each.values), None)
            if other is not None:
                return _levels(inquiry, each, other.values[0], each.values[0])
    if len(stated) == 2 and stated[0].name == stated[1].name:  # noqa: PLR2004  # "33 layers is faster than 0 layers"
        first, second = stated
        if len(first.values) == len(second.values) == 1 and _AGAINST.search(text, first.end, second.start):
            return _levels(inquiry, second, first.values[0], second.values[0])
    return None


def conditions_of(inquiry: Inquiry, case: Case) -> Sides | None:
    """Cold and warm, where a sentence tells what the one adds to the other."""
    text = case.number.piece.text
    low, high = clauses(text, case.number.start)[1][1:3]
    told = {word.means[0] for word in words_in("condition", text) if low <= word.start < high}
    evidence = inquiry.evidence
    if not (evidence.cold and evidence.warm) or not (len(told) == 2 or (told == {"cold"} and is_added(case.number))):  # noqa: PLR2004  # both
        return None
    names = [
        Name("condition", name, mask) for name, mask in (("cold rows", evidence.cold), ("warm rows", evidence.warm))
    ]
    return Sides(Mention(low, high, names[0]), Mention(low, high, names[1]))


def _levels(inquiry: Inquiry, setting: Setting, first: float, second: float) -> Sides | None:
    masks = [inquiry.evidence.with_setting(setting.name, value) for value in (first, second)]
    names = [
        Name(f"setting {setting.name}", f"{setting.name}={value:g}", mask)
        for value, mask in zip((first, second), masks, strict=True)
    ]
    place = setting.start, setting.end
    return Sides(Mention(*place, names[0]), Mention(*place, names[1])) if all(masks) else None


def _against(text: str, inside: Sequence[Mention], number: Number) -> list[Mention]:
    """The name behind "than", "over" or "vs", in each of its meanings."""
    for match in sorted(
        _AGAINST.finditer(text), key=lambda match: (match.start() < number.start, abs(match.start() - number.start))
    ):
        after = [each for each in inside if match.end() <= each.start <= match.end() + 24]
        if after:
            same = [each for each in after if each.start == after[0].start]
            return sorted(same, key=lambda each: each.name.dimension != "model")
    return []


def _other(text: str, inside: Sequence[Mention], second: Mention, number: Number) -> Mention | None:
    """The other name of the same kind in a sentence: the last before the number, else any before the second."""

    def fits(each: Mention) -> bool:
        same = each.name.dimension == second.name.dimension and each.name.mask != second.name.mask
        placed = each.start < second.start or second.end < each.start < number.start
        return same and placed and not _BEFORE_VERSUS.search(text[max(0, each.start - 24) : each.start])

    same = [each for each in inside if fits(each)]
    before = [each for each in same if each.end <= number.start]
    others = before or same
    return others[-1] if others else None


def _wider(inquiry: Inquiry, case: Case, second: Mention) -> Mention | None:
    """The first name of a comparison that the sentence leaves out: its row's, its heading's, its document's."""
    for layer in inquiry.scoper.layers(case.number)[3:]:
        for each in inquiry.scoper.mentions(layer.text):
            if (
                each.name.dimension == second.name.dimension
                and not each.name.mask & second.name.mask
                and each.name.mask
            ):
                return each
    return None


def _of_text(inquiry: Inquiry, case: Case, text: str) -> Sides | None:
    """The names of a heading or lead-in that compares: "A vs B", or "vs B (baseline)" with A beside the number."""
    mentions = inquiry.scoper.mentions(text)
    for match in _AGAINST.finditer(text):
        after = [each for each in mentions if match.end() <= each.start <= match.end() + 24]
        if not after:
            continue
        second = after[0]
        own = _own_name(inquiry, case, second)
        before = [
            each for each in mentions if each.end <= match.start() and each.name.dimension == second.name.dimension
        ]
        first = own or (before[-1] if before else _wider(inquiry, case, second))
        return Sides(first, second) if first is not None else None
    return None


def _own_name(inquiry: Inquiry, case: Case, second: Mention) -> Mention | None:
    piece = case.number.piece
    texts = [*piece.cells[: piece.cell]] if piece.table else [piece.text]
    for text in texts:
        for each in inquiry.scoper.mentions(text):
            if each.name.dimension == second.name.dimension and each.name.mask != second.name.mask:
                return each
    return None


def _of_table(inquiry: Inquiry, case: Case) -> Sides | None:
    """A row compared with the row of its table that is marked as the baseline."""
    piece = case.number.piece
    if piece.table is None:
        return None
    own = [each for cell in piece.cells[: piece.cell] for each in inquiry.scoper.mentions(cell)]
    for index in range(piece.row, -1, -1):
        cells = piece.table.rows[index]
        if index == piece.row or not any(_BASELINE.search(cell) for cell in cells[1:]):
            continue
        marked = [each for cell in cells for each in inquiry.scoper.mentions(cell)]
        for second in marked:
            for first in own:
                if first.name.dimension == second.name.dimension and first.name.text != second.name.text:
                    return Sides(first, second)
    return None
