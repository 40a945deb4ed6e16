"""The comparison with earlier runs as facts, a section and findings; a report of a run without a gate has none of them.

What a verdict says in words is `gate.wording`'s, and its table for terminals and comments `verdicts`'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.gate import wording
from pytest_chimera.gate.shift import Shift, suite_shift
from pytest_chimera.metrics import METRICS
from pytest_chimera.records import UNJUDGED, Fact
from pytest_chimera.report.document import Block, Bullets, Label, Line, Number, Paragraph, Section, Table, cell
from pytest_chimera.report.facts import case_name
from pytest_chimera.report.session_facts import SESSION
from pytest_chimera.report.verdicts import common_remarks, ordered, remarks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_chimera.records import CaseResult, Verdict
    from pytest_chimera.report.facts import FactBook, Measured
    from pytest_chimera.units import Dimension

TITLE = "Comparison with the Baseline"
_HEAD = ("Case", "Model", "Metric", "Now", "Before", "Change", "95 % interval", "Runs", "Resolves", "Verdict")
HERE, THERE, CHANGE, LOW, HIGH, RESOLVES = "now", "before", "change", "change, lower", "change, upper", "resolves"
"""The numbers of a verdict; of an arm "before" is the other arm."""
_OF_ARMS = {HERE: "in this arm", THERE: "in the other arm"}
_FORMULAS = {
    HERE: "{statistic} of the counted rounds",
    THERE: "geometric mean of the {statistic}s of the baseline runs",
    CHANGE: "now / before - 1",
    LOW: "lower end of the 95 % interval of the change",
    HIGH: "upper end of the 95 % interval of the change",
    RESOLVES: "smallest worsening that these baseline runs can show, not below the threshold",
}
_SHIFT = {
    "median change": "median change of cost over all comparisons",
    "farthest": "change of cost of the comparison that moved most, relative to that median",
}


def with_baseline(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that earlier runs are the baseline of; the others hold arms of one session against each other."""
    return [each for each in verdicts if each.against is None]


def comparison_facts(measured: Measured) -> tuple[Fact, ...]:
    """The facts of every verdict that has numbers, and of a shift of them all."""
    facts = [
        fact
        for result, subject in measured
        for verdict in with_baseline(result.verdicts)
        if verdict.change is not None
        for fact in _facts(verdict, subject)
    ]
    facts = list({fact.id: fact for fact in facts}.values())  # two thresholds on one metric share most of theirs
    shift = suite_shift([verdict for result, _ in measured for verdict in with_baseline(result.verdicts)])
    return (*facts, *(() if shift is None else _shift_facts(shift, measured)))


def comparison_section(measured: Measured, book: FactBook) -> tuple[Section, ...]:
    """The section, where there is any verdict."""
    verdicts = [each for result, _ in measured for each in with_baseline(result.verdicts)]
    if not verdicts:
        return ()
    of = {id(verdict): (result, subject) for result, subject in measured for verdict in result.verdicts}
    rows = tuple(_row(verdict, *of[id(verdict)], book) for verdict in ordered(verdicts))
    common = common_remarks(verdicts, shift=False, reasons=False)
    judged = [each for each in verdicts if each.outcome not in UNJUDGED]
    remarks = [(*_who(of[id(each)][0]), ": ", Label(text)) for each in judged for text in remarks_of(each, common)]
    blocks: list[Block] = [Table(_HEAD, rows, (3, 4, 5, 6, 7, 8))]
    notes: list[Line] = [*remarks, *((Label(text),) for text in common)]
    if notes:
        blocks.append(Bullets(tuple(notes)))
    blocks.append(Paragraph(("Worse and better are beyond the threshold and beyond what noise explains.",)))
    return (Section(TITLE, tuple(blocks)),)


def comparison_lines(measured: Measured, book: FactBook) -> list[tuple[Line, bool]]:
    """What the comparison found, each line with whether it is notable."""
    verdicts = [(each, result, subject) for result, subject in measured for each in with_baseline(result.verdicts)]
    if not verdicts:
        return []
    lines: list[tuple[Line, bool]] = []
    for word in ("worse", "better"):
        for verdict, result, subject in verdicts:
            if verdict.outcome == word:
                fact = book.get(subject, verdict.metric, _statistic(verdict, CHANGE))
                change = Number(fact=fact, form="change")
                name = wording.subject(verdict)
                lines.append(((f"{word.capitalize()} than before: {name} of ", *_who(result), ", ", change, "."), True))
    judged = sum(each.outcome not in UNJUDGED for each, _, _ in verdicts)
    if not lines and judged:
        lines.append((("No comparison with the baseline is worse or better than before.",), False))
    if judged < len(verdicts):
        lines.append((("Some comparisons with the baseline could not be judged; the section on it says why.",), True))
    return [*lines, *_shift_lines([each for each, _, _ in verdicts], book)]


def _shift_lines(verdicts: Sequence[Verdict], book: FactBook) -> list[tuple[Line, bool]]:
    """That all cases moved together, where they did."""
    shift = suite_shift(verdicts)
    if shift is None:
        return []
    numbers = [Number(fact=book.get(SESSION, "suite_shift", name), form="change") for name in _SHIFT]
    line: Line = (
        "All cases changed together, their cost by ",
        numbers[0],
        ": host or engine, not one of them. Relative to that ",
        Label(shift.farthest),
        " moved most, by ",
        numbers[1],
        ".",
    )
    return [(line, True)]


def _shift_facts(shift: Shift, measured: Measured) -> Iterator[Fact]:
    cases = tuple(result.case.id for result, _ in measured if with_baseline(result.verdicts))
    for (name, formula), value in zip(_SHIFT.items(), (shift.cost, shift.rest), strict=True):
        yield Fact(
            subject=SESSION,
            metric="suite_shift",
            statistic=name,
            value=value,
            dimension="ratio",
            n=shift.cases,
            formula=formula,
            sources=cases,
        )


def _facts(verdict: Verdict, subject: Mapping[str, str]) -> Iterator[Fact]:
    runs = ", ".join(point.run for point in verdict.baseline)
    here = f"{verdict.case} counted rounds {verdict.metric}"
    return verdict_facts(verdict, subject, here, f"baseline {runs}: {verdict.metric}", _FORMULAS)


def verdict_facts(
    verdict: Verdict, subject: Mapping[str, str], here: str, before: str, formulas: Mapping[str, str]
) -> Iterator[Fact]:
    """Its six numbers: where those of this side stand and those of the other, and what each is called."""
    dimension = METRICS[verdict.metric].dimension
    numbers: tuple[tuple[str, float | None, Dimension, int, tuple[str, ...]], ...] = (
        (HERE, verdict.now, dimension, verdict.rounds, (here,)),
        (THERE, verdict.before, dimension, len(verdict.baseline), (before,)),
        (CHANGE, verdict.change, "ratio", len(verdict.baseline), (here, before)),
        (LOW, _less_one(verdict.ratio_low), "ratio", len(verdict.baseline), (here, before)),
        (HIGH, _less_one(verdict.ratio_high), "ratio", len(verdict.baseline), (here, before)),
        (RESOLVES, verdict.smallest_change, "ratio", len(verdict.baseline), (before,)),
    )
    for name, value, of, n, sources in numbers:
        yield Fact(
            subject=subject,
            metric=verdict.metric,
            statistic=_statistic(verdict, name),
            value=value,
            dimension=of,
            n=n,
            formula=formulas[name].format(statistic=verdict.statistic),
            sources=sources,
        )


def _row(verdict: Verdict, result: CaseResult, subject: Mapping[str, str], book: FactBook) -> tuple[Line, ...]:
    who = (cell(Label(case_name(result))), cell(Label(result.case.model.name)), cell(wording.subject(verdict)))
    if verdict.change is None:
        why = verdict.outcome if verdict.reason is None else f"{verdict.outcome}: {verdict.reason}"
        return (*who, *((("",),) * 6), (Label(why),))
    number = numbers_of_verdict(verdict, subject, book)
    runs = Number(fact=number[THERE].fact, form="n")
    return (
        *who,
        *((number[name],) for name in (HERE, THERE, CHANGE)),
        (number[LOW], " to ", number[HIGH]),
        (runs,),
        (number[RESOLVES],),
        (verdict.outcome,),
    )


def numbers_of_verdict(verdict: Verdict, subject: Mapping[str, str], book: FactBook) -> dict[str, Number]:
    """The six numbers of a verdict that has them, as they are printed."""
    return {
        name: Number(
            fact=book.get(subject, verdict.metric, _statistic(verdict, name)),
            form="change" if name in {CHANGE, LOW, HIGH} else "people",
        )
        for name in _FORMULAS
    }


def _who(result: CaseResult) -> Line:
    return Label(case_name(result)), " on ", Label(result.case.model.name)


def _statistic(verdict: Verdict, name: str) -> str:
    """The name of a fact of this verdict: two statistics of one metric may be compared, and by two thresholds."""
    allowed = f", allowed {wording.size(verdict.threshold)}" if name == RESOLVES else ""
    name = name if verdict.against is None else _OF_ARMS.get(name, name)
    return f"{verdict.statistic} {name}{allowed}"


def _less_one(ratio: float | None) -> float | None:
    return None if ratio is None else ratio - 1
