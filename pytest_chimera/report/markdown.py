"""A report as Markdown (GitHub's): the only place where the document's blocks become text of that form.

Each number links to its fact in the appendix by a reference, `[48.2 ms][F1a2b3c4d]`, so that the id is seen in the raw
text and stays out of the way of a reader of the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_chimera.report.comparison import TITLE
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
    Section,
    Strong,
    Table,
    cell,
)
from pytest_chimera.report.escape import markdown, markdown_code, markdown_fence, markdown_part
from pytest_chimera.report.facts import case_name
from pytest_chimera.report.verdicts import verdict_markdown
from pytest_chimera.stats import UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import Fact
    from pytest_chimera.report.build import Report

_WIDEST_PAD = 40
"""Cells are padded to the width of their column up to here, so that one long name does not widen every row."""
_SHORT_SECTIONS = ("Executive Summary", "Key Findings")
_SHORT_METRICS = (("TTFT", "ttft"), ("tok/s", "tok/s"))
_SHORT_ROWS = 50


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that has been written."""

    title: str
    """Words of ours."""
    path: str
    """Relative to the folder of the Markdown file."""


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
    compared = [f"### {TITLE}", verdict_markdown(verdicts, _SHORT_ROWS).rstrip()] if verdicts else []
    return "\n\n".join([title, summary, *compared, *_short_table(report, writer), found]) + "\n"


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
        return "\n\n".join([f"{'#' * level} {markdown(section.title)}", *(text for text in blocks if text)])

    def block(self, block: Block) -> str:
        """The text of one block."""
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, FactTable):
            return self.table(_fact_table(self.cited), anchors=self.cited)
        return "\n".join(self._lines(block))

    def _lines(self, block: Paragraph | Heading | Bullets | Fence | Pictures) -> list[str]:
        if isinstance(block, Fence):
            return [markdown_fence(block.text)]
        if isinstance(block, Pictures):
            return [f"![{markdown(each.title)}]({quote(each.path)})" for each in self.pictures]
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

    def span(self, span: str | Strong | Label | Number, *, linked: bool, in_table: bool) -> str:
        """One span to text."""
        if isinstance(span, Label):
            return markdown_code(span.text, in_table=in_table)
        if isinstance(span, Number):
            # In tables n stands beside the median, whose fact carries it.
            return f"[{span.text}][{span.fact.id}]" if linked and span.form != "n" else span.text
        return f"**{markdown(span.text)}**" if isinstance(span, Strong) else markdown_part(span)

    def table(self, table: Table, anchors: Sequence[Fact] = ()) -> str:
        """A table, its columns padded; `anchors` are the facts of its rows, if those are what links lead to."""
        rows = [[self.line(cell, in_table=True) for cell in row] for row in table.rows]
        for row, fact in zip(rows, anchors, strict=False):  # no anchors: an ordinary table
            row[0] = f'<a id="{_anchor(fact)}"></a>{row[0]}'
        rows.insert(0, [markdown(title) for title in table.head])
        widths = [
            max(3, *(len(row[index]) for row in rows if len(row[index]) <= _WIDEST_PAD))
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


def _fact_table(facts: Sequence[Fact]) -> Table:
    """Id, metric, value in SI units, statistic, n, formula and sources of each fact."""
    rows = tuple(
        (
            (fact.id,),
            (fact.metric,),
            (_si(fact),),
            (fact.statistic,),
            (str(fact.n),),
            (Label(fact.formula),),
            (Label("; ".join(fact.sources)),),
        )
        for fact in facts
    )
    return Table(("Fact", "Metric", "Value", "Statistic", "n", "Formula", "Sources"), rows, (2, 4))


def _si(fact: Fact) -> str:
    """The value, whole numbers exactly and others with nine digits, and its unit."""
    if fact.value is None:
        return "unknown"
    digits = f"{fact.value:.0f}" if fact.value == round(fact.value) else f"{fact.value:.9g}"
    return f"{digits} {UNITS[fact.dimension]}".rstrip()


def _anchor(fact: Fact) -> str:
    return fact.id.lower()
