"""Arms that were compared within one session: their facts, section and findings, and their table of verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.gate import wording
from pytest_chimera.records import UNJUDGED
from pytest_chimera.report.columns import Columns, Row, narrowed, wrapped
from pytest_chimera.report.comparison import CHANGE, HERE, HIGH, LOW, RESOLVES, THERE, numbers_of_verdict, verdict_facts
from pytest_chimera.report.document import Block, Bullets, Heading, Label, Line, Number, Paragraph, Section, Table, cell
from pytest_chimera.report.escape import terminal as escape
from pytest_chimera.report.facts import case_name
from pytest_chimera.report.sweep_sections import order_line, point_blocks, swept_name
from pytest_chimera.report.sweeps import ARM
from pytest_chimera.report.verdicts import (
    cells_of,
    common_remarks,
    folded,
    markdown_table,
    ordered,
    remarks_of,
    word_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_chimera.records import Fact, Verdict
    from pytest_chimera.report.facts import FactBook, Measured
    from pytest_chimera.report.sweeps import Point, Swept

TITLE = "Arms"
COLUMNS = Columns(
    name="arm",
    heads=("metric", "value", "against", "its value", "change", "95 % interval", "pairs", "resolves", "verdict"),
    left=(0, 2, 8),
)
_NARROWER = (
    ("metric", "against", "change", "95 % interval", "verdict"),
    ("metric", "change", "95 % interval", "verdict"),
)
_HEAD = ("Arm", "Metric", "Value", "Against", "Its value", "Change", "95 % interval", "Pairs", "Resolves", "Verdict")
_FORMULAS = {
    HERE: "geometric mean of the {statistic}s of this arm in the pairs",
    THERE: "geometric mean of the {statistic}s of the other arm in the pairs",
    CHANGE: "this arm / the other arm - 1",
    LOW: "lower end of the 95 % interval of the change",
    HIGH: "upper end of the 95 % interval of the change",
    RESOLVES: "smallest worsening that these pairs can show, not below the threshold",
}
_ABOUT = (
    "The arms were measured in one session, side by side, and are compared pair by pair. Worse and better are beyond "
    "the threshold and beyond what noise explains."
)


def among_arms(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that hold an arm against another."""
    return [each for each in verdicts if each.against is not None]


def arm_facts(groups: Sequence[Swept]) -> tuple[Fact, ...]:
    """The facts of every verdict on an arm that has numbers."""
    found = (
        fact
        for swept in groups
        for point in swept.points
        for verdict in among_arms(point.result.verdicts)
        if verdict.change is not None
        for fact in verdict_facts(
            verdict,
            _subject(point.subject, verdict),
            f"{verdict.case} counted rounds {verdict.metric}",
            f"{_other(swept, verdict)} counted rounds {verdict.metric}",
            _FORMULAS,
        )
    )
    return tuple({fact.id: fact for fact in found}.values())


def arms_section(groups: Sequence[Swept], book: FactBook) -> tuple[Section, ...]:
    """The section, where there are arms."""
    blocks = arms_blocks(groups, book, heading=False)
    return (Section(TITLE, tuple(blocks)),) if blocks else ()


def arms_blocks(groups: Sequence[Swept], book: FactBook, *, heading: bool = True) -> list[Block]:
    """What was measured of each arm, and the verdicts; nothing where there are none."""
    arms = [each for each in groups if each.are_arms]
    blocks: list[Block] = []
    for swept in arms:
        title: Line = ("Arms of ", *swept_name(swept)) if heading else swept_name(swept)
        blocks += [Heading(title), Paragraph(order_line(swept, book))]
        blocks += point_blocks(swept, book, "Arm", models=True)
        blocks += _verdict_blocks(swept, book)
    return [*blocks, Paragraph((_ABOUT,))] if blocks else []


def arm_lines(measured: Measured, book: FactBook) -> list[tuple[Line, bool]]:
    """What comparing arms found, each line with whether it is notable."""
    verdicts = [(each, result, subject) for result, subject in measured for each in among_arms(result.verdicts)]
    lines: list[tuple[Line, bool]] = []
    for word in ("worse", "better"):
        for verdict, result, subject in verdicts:
            if verdict.outcome == word:
                number = numbers_of_verdict(verdict, _subject(subject, verdict), book)[CHANGE]
                name = wording.subject(verdict)
                head: Line = (f"{word.capitalize()} than in ", Label(verdict.against or ""), f": {name} of ")
                lines.append(((*head, Label(case_name(result)), ", ", number, "."), True))
    judged = sum(each.outcome not in UNJUDGED for each, _, _ in verdicts)
    if not lines and judged:
        lines.append((("No arm is worse or better than the one that it was compared with.",), False))
    if judged < len(verdicts):
        lines.append((("Some comparisons of arms could not be judged; the section on them says why.",), True))
    return lines


def arm_table(verdicts: Sequence[Verdict], width: int) -> list[str]:
    """The table for a terminal, unescaped verdicts in, and below it what holds for several."""
    rows = [
        Row(escape(row.name), tuple(map(escape, row.cells)), tuple(map(escape, row.notes))) for row in _rows(verdicts)
    ]
    remarks = [line for remark in common_remarks(verdicts) for line in wrapped(escape(remark), width, "")]
    return narrowed(COLUMNS, rows, width, _NARROWER) + remarks


def arm_markdown(verdicts: Sequence[Verdict], most: int) -> str:
    """The same as a table in Markdown with at most so many rows; it ends with a line break."""
    return markdown_table(COLUMNS, _rows(verdicts), common_remarks(verdicts), most)


def _rows(verdicts: Sequence[Verdict]) -> list[Row]:
    notes = _notes(verdicts, set(common_remarks(verdicts)))
    return [Row(each[0].name, _cells(each), notes.get(id(each[0]), ())) for each in folded(verdicts)]


def _notes(verdicts: Sequence[Verdict], shared: Collection[str]) -> dict[int, tuple[str, ...]]:
    """id() of a verdict -> what is said of it; what holds for several metrics of an arm is said of the first alone."""
    said: set[tuple[str, str]] = set()
    found = {}
    for each in ordered(verdicts):
        found[id(each)] = tuple(remark for remark in remarks_of(each, shared) if (each.case, remark) not in said)
        said |= {(each.case, remark) for remark in found[id(each)]}
    return found


def _cells(members: Sequence[Verdict]) -> tuple[str, ...]:
    first = members[0]
    against = first.against or ""
    if first.outcome in UNJUDGED:
        return (", ".join(wording.subject(each) for each in members), "", against, *[""] * 5, word_of(first))
    metric, value, *rest = cells_of(first)
    return (metric, value, against, *rest)


def _verdict_blocks(swept: Swept, book: FactBook) -> list[Block]:
    """The table of verdicts, worst first, and what else is to be known of them."""
    of = {id(verdict): point for point in swept.points for verdict in among_arms(point.result.verdicts)}
    verdicts = ordered([each for point in swept.points for each in among_arms(point.result.verdicts)])
    if not verdicts:
        return []
    rows = tuple(_row(each, of[id(each)], book) for each in verdicts)
    common = common_remarks(verdicts, shift=False, reasons=False)
    remarks = _notes([each for each in verdicts if each.outcome not in UNJUDGED], common)
    notes: list[Line] = [(Label(of[each].label), ": ", Label(said)) for each, told in remarks.items() for said in told]
    notes += [(Label(said),) for said in common]
    table = Table(_HEAD, rows, (2, 4, 5, 6, 7, 8))
    return [table, Bullets(tuple(notes))] if notes else [table]


def _row(verdict: Verdict, point: Point, book: FactBook) -> tuple[Line, ...]:
    arm, metric, against = cell(Label(point.label)), cell(wording.subject(verdict)), cell(Label(verdict.against or ""))
    if verdict.change is None:
        why = verdict.outcome if verdict.reason is None else f"{verdict.outcome}: {verdict.reason}"
        return (arm, metric, ("",), against, *((("",),) * 5), (Label(why),))
    number = numbers_of_verdict(verdict, _subject(point.subject, verdict), book)
    return (
        *(arm, metric, (number[HERE],), against, (number[THERE],), (number[CHANGE],)),
        (number[LOW], " to ", number[HIGH]),
        (Number(fact=number[THERE].fact, form="n"),),
        (number[RESOLVES],),
        (verdict.outcome,),
    )


def _subject(subject: Mapping[str, str], verdict: Verdict) -> dict[str, str]:
    """An arm may be held against several others."""
    return {**subject, "against": verdict.against or ""}


def _other(swept: Swept, verdict: Verdict) -> str:
    """Id of the case of the arm that it was compared with."""
    found = (each.result.case.id for each in swept.points if each.levels[ARM] == verdict.against)
    return next(found, f"{swept.id} {verdict.against}") if swept.are_arms else verdict.case
