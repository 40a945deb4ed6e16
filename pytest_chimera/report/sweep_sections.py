"""The section on sweeps: what each parameter does, which point is best and whether that can be told, all points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.analysis.factors import SURE
from pytest_chimera.report.document import (
    Block,
    Bullets,
    Heading,
    Label,
    Line,
    Number,
    Paragraph,
    Pictures,
    Section,
    Span,
    Table,
    cell,
    joined,
)
from pytest_chimera.report.statements import short
from pytest_chimera.report.sweep_facts import (
    EFFECT,
    HIGH,
    LEAD,
    LEAD_HIGH,
    LEAD_LOW,
    LEVEL,
    LOW,
    P_LARGEST,
    P_LEAD,
    UNDECIDED,
    setting_subject,
)
from pytest_chimera.report.sweep_maps import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.analysis.factors import FactorEffect, Lead
    from pytest_chimera.report.facts import FactBook
    from pytest_chimera.report.sweeps import Analysed, Point, Swept

TITLE = "Parameter Sweeps"
MOST_POINTS = 200
"""Rows of a table of points."""
_MOST_LEVELS = 8
_MOST_NAMED = 3
_HEAD = ("Parameter", "Levels", "Best level", "Worst level", "Worst against best", "95 % interval", "eta^2", "p")
_DASH = "-"
_IN_SHORT = ("tok/s", "ttft")
_ABOUT = (
    "Each parameter is looked at beside all others. Worst against best compares the geometric means of two levels; its "
    "interval holds for all pairs of levels of the parameter together. eta^2 is the share of all squares of logarithms "
    "that lies between the levels. p is of this parameter alone: among many parameters and metrics some are small by "
    "chance. A parameter that needs a load of the model is held against the spread between loads, every other against "
    "that of rounds within one."
)
_INTERACTS = (
    "Effects of the parameters depend on one another here, beyond chance: a mean over the levels of the others is not "
    "what each of them gives."
)
_MORE = "The JSON file of the same name has the further points."
_UNKNOWN = "What its parameters do is unknown: fewer than two points have a value of any metric that is analysed."


def sweep_section(groups: Sequence[Swept], book: FactBook) -> tuple[Section, ...]:
    """The section, where there is any sweep."""
    blocks = sweep_blocks(groups, book)
    return (Section(TITLE, tuple(blocks)),) if blocks else ()


def sweep_blocks(groups: Sequence[Swept], book: FactBook) -> list[Block]:
    """What is said of all sweeps among these; nothing where there is none."""
    sweeps = [each for each in groups if not each.are_arms]
    blocks: list[Block] = [Paragraph((_ABOUT,))] if sweeps else []
    for number, swept in enumerate(sweeps, 1):
        blocks += [Heading(swept_name(swept)), Paragraph(order_line(swept, book)), Pictures(place_of(number))]
        for found in swept.analysed:
            blocks += _metric_blocks(swept, found, book)
        if not swept.analysed:
            blocks.append(Paragraph((_UNKNOWN,)))
        blocks += [Heading(("Points of ", *swept_name(swept)), 4), *point_blocks(swept, book, "Point")]
    return blocks


def lead_bullets(sweeps: Sequence[Swept], book: FactBook) -> tuple[Block, ...]:
    """The best points of every sweep by tok/s and TTFT, a sentence each; nothing where none is known."""
    lines = tuple(
        (*swept_name(swept), ": ", *lead_line(swept, found, found.lead, book))
        for swept in sweeps
        for found in swept.analysed
        if found.lead is not None and found.metric.name in _IN_SHORT
    )
    return (Bullets(lines),) if lines else ()


def swept_name(swept: Swept) -> Line:
    """A sweep as sentences name it."""
    return (Label(swept.name), *((" on ", Label(swept.model)) if swept.model is not None else ()))


def order_line(swept: Swept, book: FactBook) -> Line:
    """In which order its rounds were made."""
    noun = "arm" if swept.are_arms else "point"
    points = Number(fact=book.get(swept.subject, "points"), form="plain")
    start: Line = (points, f" {noun}{'' if len(swept.points) == 1 else 's'}: ")
    if not swept.blocks:
        return (*start, "in which order their rounds were made is unknown.")
    if len(swept.blocks) < 2:  # noqa: PLR2004  # everything on one load
        return (*start, "their rounds alternated in random order, and nothing was loaded between them.")
    blocks = Number(fact=book.get(swept.subject, "blocks"), form="plain")
    fewest = Number(fact=book.get(swept.subject, "blocks", "min"), form="plain")
    within = any(len(labels) > 1 for labels in swept.blocks.values())
    return (
        *start,
        "measured in ",
        blocks,
        " blocks in shuffled order, each of them one load of the model",
        f", within which {noun}s that share it alternated round by round" if within else "",
        f". Each {noun} with a counted round is in at least ",
        fewest,
        " of them.",
    )


# Effects --------------------------------------------------------------------------------------------------------------


def _metric_blocks(swept: Swept, found: Analysed, book: FactBook) -> list[Block]:
    """The effects on one metric, then its best point."""
    rows = tuple(_effect_row(swept, found, effect, book) for effect in found.effects)
    blocks: list[Block] = [Heading((found.metric.title, " of ", *swept_name(swept)), 4)]
    blocks.append(Table(_HEAD, rows, (4, 5, 6, 7)))
    if any(effect.interacts for effect in found.effects):
        blocks.append(Paragraph((_INTERACTS,)))
    if found.lead is not None:
        blocks.append(Paragraph(lead_line(swept, found, found.lead, book)))
    return blocks


def _effect_row(swept: Swept, found: Analysed, effect: FactorEffect, book: FactBook) -> tuple[Line, ...]:
    subject, metric = setting_subject(swept, effect.name), found.metric.name
    numbers = {name: book.get(subject, metric, name) for name in (EFFECT, LOW, HIGH, "eta2", "p")}
    change, low, high = (Number(fact=numbers[name], form="change") for name in (EFFECT, LOW, HIGH))
    why = Label(effect.why or "unknown")
    return (
        cell(Label(effect.name)),
        _levels(swept.levels(effect.name)),
        _level(swept, found, effect, effect.best, book),
        _level(swept, found, effect, effect.worst, book),
        cell(_DASH) if effect.ratio is None else cell(change),
        cell(_DASH) if effect.ratio_low is None else cell(low, " to ", high),
        cell(_DASH) if effect.eta2 is None else cell(Number(fact=numbers["eta2"])),
        cell(why) if effect.p is None else cell(Number(fact=numbers["p"], form="p")),
    )


def _levels(levels: Sequence[str]) -> Line:
    shown = joined(tuple((Label(short(level)),) for level in levels[:_MOST_LEVELS]))
    return (*shown, ", ...") if len(levels) > _MOST_LEVELS else shown


def _level(swept: Swept, found: Analysed, effect: FactorEffect, level: str | None, book: FactBook) -> Line:
    """A level with its mean."""
    if level is None:
        return cell(_DASH)
    fact = book.get(setting_subject(swept, effect.name, level), found.metric.name, LEVEL)
    return cell(Label(short(level)), " (", Number(fact=fact), ")")


def lead_line(swept: Swept, found: Analysed, lead: Lead, book: FactBook) -> Line:
    """Which point is best, and from which others it can be told."""
    best, second = swept.point(lead.best), swept.point(lead.second)
    word = "Highest" if found.metric.better == "higher" else "Lowest"
    metric = found.metric.name
    number = {name: Number(fact=book.get(swept.subject, metric, name), form="p") for name in (P_LEAD, P_LARGEST)}
    line: Line = (
        f"{word} {found.metric.title}: ",
        Label(short(best.label)),
        " at ",
        Number(fact=book.get(best.subject, metric, LEVEL)),
        ", ",
        Number(fact=book.get(swept.subject, metric, LEAD), form="change"),
        " against ",
        Label(short(second.label)),
        *_interval(swept, metric, book),
        ". ",
    )
    if lead.p is None:
        return (*line, "They cannot be told apart: nothing shows how much rounds of one point differ.")
    if lead.distinguishable:
        return (*line, "It is distinguishable from every other point (p ", number[P_LARGEST], " at most).")
    if lead.p >= SURE:
        return (*line, "They are not distinguishable (p ", number[P_LEAD], ")", *_nor(swept, lead, metric, book), ".")
    others: tuple[Line, ...] = tuple((Label(short(swept.point(each).label)),) for each in lead.undecided[:_MOST_NAMED])
    more = ", among others" if len(lead.undecided) > _MOST_NAMED else ""
    return (
        *line, "They are distinguishable (p ", number[P_LEAD], "), but the best is not distinguishable from ",
        *joined(others), f"{more} (p up to ", number[P_LARGEST], ").",
    )  # fmt: skip


def _interval(swept: Swept, metric: str, book: FactBook) -> Line:
    facts = [book.get(swept.subject, metric, name) for name in (LEAD_LOW, LEAD_HIGH)]
    if any(fact.value is None for fact in facts):
        return ()
    low, high = (Number(fact=fact, form="change") for fact in facts)
    return (" (95 % interval ", low, " to ", high, ")")


def _nor(swept: Swept, lead: Lead, metric: str, book: FactBook) -> Line:
    """That there are more points that the best is not told from."""
    if len(lead.undecided) < 2:  # noqa: PLR2004  # the second alone
        return ()
    undecided = Number(fact=book.get(swept.subject, metric, UNDECIDED), form="plain")
    return (", and the best is not told from ", undecided, " of the other points")


# Points ---------------------------------------------------------------------------------------------------------------


def point_blocks(swept: Swept, book: FactBook, noun: str, *, models: bool = False) -> list[Block]:
    """A table of points, or of arms: what was measured of each."""
    unmet = [_unmet(point, book) for point in swept.points]
    has_unmet = any(each is not None for each in unmet)
    rows = []
    for point, found in list(zip(swept.points, unmet, strict=True))[:MOST_POINTS]:
        numbers: list[Span] = [
            Number(fact=book.get(point.subject, "ttft", "median")),
            Number(fact=book.get(point.subject, "tok/s", "median")),
            Number(fact=book.get(point.subject, "counted_rounds"), form="plain"),
            Number(fact=book.get(point.subject, "failed_rounds"), form="plain"),
        ]
        if has_unmet:
            numbers.append(_DASH if found is None else found)
        names = (short(point.label), *((point.result.case.model.name,) if models else ()))
        rows.append((*(cell(Label(name)) for name in names), *(cell(each) for each in numbers)))
    first = (noun, *(("Model",) if models else ()))
    head = (*first, "Median TTFT", "Median tok/s", "n", "Failed", *(("Unmet",) if has_unmet else ()))
    blocks: list[Block] = [Table(head, tuple(rows), tuple(range(len(first), len(head))))]
    return [*blocks, Paragraph((_MORE,))] if len(swept.points) > MOST_POINTS else blocks


def _unmet(point: Point, book: FactBook) -> Number | None:
    """How many counted rounds are not as expected; None where nothing was expected of them."""
    fact = book.find(point.subject, "unmet_rounds", "count")
    return Number(fact=fact, form="plain") if fact is not None and point.result.case.expect else None
