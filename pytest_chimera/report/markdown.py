"""A report as Markdown (GitHub's): the only place where the document's blocks become text of that form.

Each number links to its fact in the appendix by a reference, `[48.2 ms][F1a2b3c4d]`, so that the id is seen in the raw
text and stays out of the way of a reader of the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_chimera.report.arms import TITLE as ARMS
from pytest_chimera.report.arms import among_arms, arm_markdown
from pytest_chimera.report.comparison import TITLE, with_baseline
from pytest_chimera.report.document import (
    Block,
    Bullets,
    FactTable,
    Fence,
    Heading,
    Label,
    Line,
    Number,
    Paragraph,
    Pictures,
    Prose,
    Section,
    Span,
    Strong,
    Table,
    cell,
)
from pytest_chimera.report.escape import markdown, markdown_code, markdown_fence, markdown_part
from pytest_chimera.report.facts import case_name
from pytest_chimera.report.sweep_sections import TITLE as SWEEPS
from pytest_chimera.report.sweep_sections import lead_bullets
from pytest_chimera.report.verdicts import verdict_markdown
from pytest_chimera.stats import UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import Fact
    from pytest_chimera.report.build import Report

_WIDEST_PAD = 40
"""Cells are padded to the width of their column up to here, so that one long name does not widen every row."""
_MOST_PADDED = 1000
"""Rows of a table beyond which cells are not padded: nobody reads them raw, and they would be half spaces."""
_SHORT_SECTIONS = ("Executive Summary", "Key Findings")
_SHORT_METRICS = (("TTFT", "ttft"), ("tok/s", "tok/s"))
_SHORT_ROWS = 50
_MOST_SOURCES = 8
"""Sources that the table of facts names of each."""
_MOST_SOURCES_OF_MANY = 2
"""The same in a report on a corpus, which has facts by the thousand."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that has been written."""

    title: str
    """Words of ours."""
    path: str
    """Relative to the folder of the Markdown file."""
    place: str = ""
    """Which place of the document it belongs to."""


def render(report: Report, pictures: Sequence[Picture] = ()) -> str:
    """The whole report; `pictures` are linked where the document has a place for them."""
    cited = tuple({fact.id: fact for part in (report.header, *report.parts) for fact in part.facts}.values())
    writer = _Writer(links=True, pictures=tuple(pictures), cited=cited)
    parts = [writer.section(report.header, level=1), *(writer.section(part, level=2) for part in report.parts)]
    targets = [f'[{fact.id}]: #{_anchor(fact)} "{fact.statistic} of {fact.metric}, n = {fact.n}"' for fact in cited]
    return "\n\n".join(parts) + "\n\n" + "\n".join(sorted(targets)) + "\n"


def render_short(report: Report) -> str:
    """Title, summary, one table of TTFT and tok/s, findings; without links, because it stands on a page of its own."""
    writer = _Writer(links=False)
    title = f"## {markdown(report.header.title)}"
    summary, found = (writer.section(report.section(name), level=3) for name in _SHORT_SECTIONS)
    verdicts = [verdict for result in report.given.results for verdict in result.verdicts]
    earlier, arms = with_baseline(verdicts), among_arms(verdicts)
    compared = [f"### {TITLE}", verdict_markdown(earlier, _SHORT_ROWS).rstrip()] if earlier else []
    compared += [f"### {ARMS}", arm_markdown(arms, _SHORT_ROWS).rstrip()] if arms else []
    best = [writer.block(block) for block in lead_bullets(report.sweeps, report.book)]
    swept = [f"### {SWEEPS}", *best] if best else []
    return "\n\n".join([title, summary, *compared, *swept, *_short_table(report, writer), found]) + "\n"


def _short_table(report: Report, writer: _Writer) -> list[str]:
    """Median TTFT and tok/s of each case."""
    rows = []
    for result, subject in report.measured:
        medians = [report.book.get(subject, metric, "median") for _, metric in _SHORT_METRICS]
        counts = [report.book.get(subject, name) for name in ("counted_rounds", "failed_rounds")]
        rows.append(
            (
                cell(Label(case_name(result))),
                cell(Label(result.case.model.name)),
                *(cell(Number(fact=fact)) for fact in medians),
                *(cell(Number(fact=fact, form="plain")) for fact in counts),
            )
        )
    if not rows:
        return []
    head = ("Case", "Model", *(f"{title} (median)" for title, _ in _SHORT_METRICS), "Rounds", "Failed")
    table = writer.block(Table(head, tuple(rows[:_SHORT_ROWS]), (2, 3, 4, 5)))
    return [table] if len(rows) <= _SHORT_ROWS else [table, "The report has the other cases."]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Blocks to text."""

    links: bool
    """Whether numbers link to their facts."""
    pictures: tuple[Picture, ...] = ()
    cited: tuple[Fact, ...] = ()

    def section(self, section: Section, level: int) -> str:
        """A section under a heading of this level."""
        blocks = [self.block(block) for block in section.blocks]
        number = "" if section.number is None else f"{section.number} "
        heading = f"{'#' * level} {number}{markdown(section.title)}"
        return "\n\n".join([heading, *(text for text in blocks if text)])

    def block(self, block: Block) -> str:
        """The text of one block."""
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, FactTable):
            return self.table(_fact_table(self.cited, subjects=block.subjects), anchors=self.cited)
        return "\n".join(self._lines(block))

    def _lines(self, block: Paragraph | Heading | Bullets | Fence | Pictures) -> list[str]:
        if isinstance(block, Fence):
            return [markdown_fence(block.text)]
        if isinstance(block, Pictures):
            return [
                f"![{markdown(each.title)}]({quote(each.path)})" for each in self.pictures if each.place == block.of
            ]
        if isinstance(block, Bullets):
            return [f"- {self.line(line, cite=block.cite)}" for line in block.lines]
        mark = f"{'#' * block.level} " if isinstance(block, Heading) else ""
        return [mark + self.line(block.line)]

    def line(self, line: Line, *, cite: bool = False, in_table: bool = False) -> str:
        """Spans to text; with `cite` the ids of facts stand behind the line."""
        text = "".join(self.span(span, linked=self.links and not cite, in_table=in_table) for span in line)
        if cite and self.links:
            text += "".join(f" [{span.fact.id}]" for span in line if isinstance(span, Number))
        return text

    def span(self, span: Span, *, linked: bool, in_table: bool) -> str:
        """One span to text."""
        if isinstance(span, Label):
            return markdown_code(span.text, in_table=in_table)
        if isinstance(span, Number):
            text = markdown_part(span.text)
            # In tables n stands beside the median, whose fact carries it.
            return f"[{text}][{span.fact.id}]" if linked and not (span.form == "n" and in_table) else text
        if isinstance(span, Prose):
            return markdown_part(span.text)
        return f"**{markdown(span.text)}**" if isinstance(span, Strong) else markdown_part(span)

    def table(self, table: Table, anchors: Sequence[Fact] = ()) -> str:
        """A table, its columns padded; `anchors` are the facts of its rows, if those are what links lead to."""
        rows = [[self.line(cell, in_table=True) for cell in row] for row in table.rows]
        for row, fact in zip(rows, anchors, strict=False):  # no anchors: an ordinary table
            row[0] = f'<a id="{_anchor(fact)}"></a>{row[0]}'
        rows.insert(0, [markdown(title) for title in table.head])
        widest = 3 if len(rows) > _MOST_PADDED else _WIDEST_PAD
        widths = [
            max([3, *(len(row[index]) for row in rows if len(row[index]) <= widest)])
            for index in range(len(table.head))
        ]
        marks = ["-" * (width - 1) + ":" if index in table.right else "-" * width for index, width in enumerate(widths)]
        lines = [_padded(row, widths, table.right) for row in rows]
        return "\n".join([lines[0], _padded(marks, widths, ()), *lines[1:]])


def _padded(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if index in right else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"


def _fact_table(facts: Sequence[Fact], *, subjects: bool) -> Table:
    """Id, metric, value in SI units, statistic, n, formula and sources of each fact, and of whom it speaks."""
    rows = tuple(
        (
            (fact.id,),
            (fact.metric,),
            (_si(fact),),
            (fact.statistic,),
            (str(fact.n),),
            (Label(fact.formula),),
            (Label(_sources(fact, _MOST_SOURCES_OF_MANY if subjects else _MOST_SOURCES)),),
            *(((Label(_of(fact)),),) if subjects else ()),
        )
        for fact in facts
    )
    head = ("Fact", "Metric", "Value", "Statistic", "n", "Formula", "Sources", *(("Of",) if subjects else ()))
    return Table(head, rows, (2, 4))


def _of(fact: Fact) -> str:
    """Of whom it speaks."""
    return ", ".join(f"{name} {who}" for name, who in fact.subject.items()) or "the session"


def _sources(fact: Fact, most: int) -> str:
    """Where its values stand, the first of many; the JSON file has them all."""
    more = len(fact.sources) - most
    return "; ".join((*fact.sources[:most], *((f"... and {more} more",) if more > 0 else ())))


def _si(fact: Fact) -> str:
    """The value, whole numbers exactly and others with nine digits, and its unit."""
    if fact.value is None:
        return "unknown"
    digits = f"{fact.value:.0f}" if fact.value == round(fact.value) else f"{fact.value:.9g}"
    return f"{digits} {UNITS[fact.dimension]}".rstrip()


def _anchor(fact: Fact) -> str:
    return fact.id.lower()
