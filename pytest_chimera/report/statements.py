"""What an analysis says, as blocks of a report: statements to lines, grids to tables, findings to bullets.

Long lists are cut here, and only here: the JSON file of a report has all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.analysis.form import Count, Quoted
from pytest_chimera.records import Fact
from pytest_chimera.report.document import Block, Bullets, Heading, Label, Line, Number, Paragraph, Span, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.analysis.form import Finding, Grid, Recommendation, Said, Statement

MOST_FINDINGS = 40
MOST_ROWS = 20
"""Rows of a table of numbers: each has a fact, and each fact a row in the appendix."""
MOST_ROWS_OF_WORDS = 200
MOST_CITED = 8
"""Facts that a recommendation names; its findings have the others."""
_LONGEST_NAME = 160
"""Characters of a text from a file that a sentence repeats."""
_MORE_ROWS = "The JSON file of the same name has the further rows."
_MORE_FINDINGS = "The JSON file of the same name has the further findings."


def short(text: str, size: int = _LONGEST_NAME) -> str:
    """Text of bounded length, its end left out."""
    return text if len(text) <= size else f"{text[: size - 3]}..."


def line_of(statement: Statement) -> Line:
    """A statement as a line: facts become numbers, what comes from files labels."""
    return tuple(map(_span, statement))


def grid_blocks(grid: Grid) -> list[Block]:
    """A grid below its title, its first rows."""
    most = MOST_ROWS if grid.facts else MOST_ROWS_OF_WORDS
    rows = tuple(tuple(line_of(cell) for cell in row) for row in grid.rows[:most])
    blocks: list[Block] = [Heading((grid.title,), 4), Table(grid.head, rows, grid.right)]
    return [*blocks, Paragraph((_MORE_ROWS,))] if len(grid.rows) > most else blocks


def finding_blocks(found: Sequence[Finding]) -> list[Block]:
    """Findings as bullets, the notable ones first."""
    ordered = sorted(found, key=lambda each: not each.notable)
    bullets: Block = Bullets(tuple(line_of(each.statement) for each in ordered[:MOST_FINDINGS]))
    return [bullets, Paragraph((_MORE_FINDINGS,))] if len(ordered) > MOST_FINDINGS else [bullets]


def recommendation_line(each: Recommendation) -> Line:
    """What to do, the facts that its findings rest on, and the command that does it."""
    return (*line_of(each.statement), *cited(facts_behind(each)), " Command: ", Label(each.command))


def facts_behind(each: Recommendation) -> tuple[Fact, ...]:
    """The facts of its findings, each once."""
    found = {fact.id: fact for finding in each.findings for fact in finding.facts}
    return tuple(found.values())


def cited(facts: Sequence[Fact]) -> Line:
    """Facts named as a source in brackets: " (from 5 and 12)"; nothing where there is none."""
    if not facts:
        return ()
    spans: list[Span] = [" (from "]
    for each in facts[:MOST_CITED]:
        spans += [", "] if len(spans) > 1 else []
        spans.append(Number(fact=each))
    return (*spans, " and others)" if len(facts) > MOST_CITED else ")")


def _span(said: Said) -> Span:
    if isinstance(said, Fact):
        return Number(fact=said)
    if isinstance(said, Count):
        return Number(fact=said.fact, form="n")
    return Label(short(said.text)) if isinstance(said, Quoted) else said
