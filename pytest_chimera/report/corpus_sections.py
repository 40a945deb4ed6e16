"""The sections of a report on a corpus, in their order; what a session measured besides stands in the same sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.report.arms import arms_blocks
from pytest_chimera.report.corpus_facts import models_of, phase_of
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
    Table,
    cell,
)
from pytest_chimera.report.ingestion import appendix, ingestion, reading
from pytest_chimera.report.narrated import (
    collected,
    narrated_recommendations,
    narrated_summary,
    narrated_workflow,
    risks,
)
from pytest_chimera.report.sections import environment, header_lines, summary
from pytest_chimera.report.statements import finding_blocks, grid_blocks, line_of, recommendation_line
from pytest_chimera.report.sweep_sections import TITLE as SWEEPS
from pytest_chimera.report.sweep_sections import sweep_blocks
from pytest_chimera.report.tables import BLOCK, metrics, performance, personas, session_cases, workflow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_chimera.analysis.form import Finding as AnalysisFinding
    from pytest_chimera.report.build import ReportInput
    from pytest_chimera.report.corpus_view import CorpusView
    from pytest_chimera.report.facts import FactBook, Measured
    from pytest_chimera.report.findings import Finding
    from pytest_chimera.report.sweeps import Swept

TITLES = (
    *("Executive Summary", "Data Ingestion Summary", "Performance Analysis", "Key Findings", "Recommendations"),
    *("Appendix", "Workflow Summary", "Metrics", "Persona Prompts"),
)
"""The sections, in order; the first six are numbered."""
_NUMBERED = 6
_OF_FILES = ("duplicates", "summaries", "naming", "gaps")
"""Parts of the analysis that speak of files: their tables stand in the appendix."""
_MOST_IN_SUMMARY = 10
_MOST_OF_MODELS = 4
_MANY = 1000
"""A finding without any number comes last."""
_SESSION = "Measured in this session"
_NOTHING_FOUND = "Nothing stands out in the files."
_NOTHING_TO_DO = "The findings call for nothing."
_NO_NUMBERS = "The files hold no number that could be analysed; the appendix says why for each of them."
_NO_REQUEST = "No request was sent to a model in this session, and no file says so much of one model."


def build_corpus_sections(
    given: ReportInput,
    view: CorpusView,
    measured: Measured,
    book: FactBook,
    found: Sequence[Finding],
    *,
    groups: Sequence[Swept],
) -> tuple[Section, tuple[Section, ...]]:
    """The header, and the sections below it; `found`, `groups` (sweeps and arms) are those of the session itself."""
    blocks: tuple[Sequence[Block], ...] = (
        _summary(given, view, measured, book, found),
        (*ingestion(view, book), *collected(given.narrative, book)),
        (*_performance(view, measured, book), *_groups(groups, book)),
        _findings(view, found),
        _recommendations(given, view, book),
        _appendix(given, view, measured, book),
        _workflow(given, view, measured, book),
        _metrics(view, measured, book),
        personas(given, measured),
    )
    sections = (
        Section(title, tuple(each), number if number <= _NUMBERED else None)
        for number, (title, each) in enumerate(zip(TITLES, blocks, strict=True), 1)
    )
    models = models_of(view)
    header = Section(f"Technical report: {given.suite}", (Bullets(header_lines(given, models)),))
    return header, tuple(sections)


def _summary(
    given: ReportInput, view: CorpusView, measured: Measured, book: FactBook, found: Sequence[Finding]
) -> list[Block]:
    """How much was read, what stands out in each part of the analysis, then the session and the model's words."""
    blocks: list[Block] = [Paragraph(line) for line in reading(view, book)]
    lines = [line_of(each.statement) for each in _foremost(view)][:_MOST_IN_SUMMARY]
    blocks.append(Bullets(tuple(lines)) if lines else Paragraph((_NOTHING_FOUND,)))
    if measured:
        blocks += [Heading((_SESSION,)), *summary(given, measured, book, found)]
    else:
        blocks += [Paragraph((note,)) for note in given.notes]
    return [*blocks, *narrated_summary(given.narrative, book)]


def _foremost(view: CorpusView) -> Iterator[AnalysisFinding]:
    """What stands out: the models in order of speed, and of each part the finding with the fewest numbers."""
    for part in sorted(view.analysis.parts, key=lambda part: part.name in _OF_FILES):
        notable = [each for each in part.findings if each.notable]
        if part.name == "models":
            yield from sorted(notable, key=lambda each: each.kind != "order")[:_MOST_OF_MODELS]
        elif notable:
            yield min(notable, key=lambda each: len(each.facts) or _MANY)


def _performance(view: CorpusView, measured: Measured, book: FactBook) -> list[Block]:
    blocks: list[Block] = [Pictures()]
    for part in view.analysis.parts:
        if part.name not in _OF_FILES and part.grids:
            blocks.append(Heading((part.title,)))
            blocks += [block for grid in part.grids for block in grid_blocks(grid)]
    if len(blocks) == 1 and not measured:
        blocks.append(Paragraph((_NO_NUMBERS,)))
    if measured:
        blocks += [Heading((_SESSION,)), *(each for each in performance(measured, book) if each != Pictures())]
    return blocks


def _groups(groups: Sequence[Swept], book: FactBook) -> list[Block]:
    """Arms and sweeps of the session, below their titles."""
    swept = sweep_blocks(groups, book)
    return [*arms_blocks(groups, book), *((Heading((SWEEPS,)), *swept) if swept else ())]


def _findings(view: CorpusView, found: Sequence[Finding]) -> list[Block]:
    blocks: list[Block] = []
    for part in view.analysis.parts:
        if part.findings:
            blocks += [Heading((part.title,)), *finding_blocks(part.findings)]
    if found:
        blocks += [Heading((_SESSION,)), Bullets(tuple(each.line for each in found))]
    return blocks or [Paragraph((_NOTHING_FOUND,))]


def _recommendations(given: ReportInput, view: CorpusView, book: FactBook) -> list[Block]:
    lines = tuple(recommendation_line(each) for each in view.analysis.recommendations)
    blocks: list[Block] = [Bullets(lines) if lines else Paragraph((_NOTHING_TO_DO,))]
    return [
        *blocks,
        *narrated_recommendations(given.narrative, view.analysis.recommendations, book),
        *risks(given.narrative, book),
    ]


def _appendix(given: ReportInput, view: CorpusView, measured: Measured, book: FactBook) -> list[Block]:
    tables: list[Block] = []
    for part in view.analysis.parts:
        if part.name in _OF_FILES and part.grids:
            tables.append(Heading((part.title,)))
            tables += [block for grid in part.grids for block in grid_blocks(grid)]
    session: list[Block] = []
    if measured:
        session = [
            Heading(("Environment of this session",)),
            *environment(given, measured, book),
            *session_cases(measured),
        ]
    return [*tables, *session, *appendix(view, book)]


def _workflow(given: ReportInput, view: CorpusView, measured: Measured, book: FactBook) -> list[Block]:
    """Ingest, analysis, narration, report: how long each took, and what the model was allowed to say."""
    rows: list[tuple[Line, ...]] = [
        (cell(Label(name)), cell(Number(fact=book.get(phase_of(name), "wall_time", "sum")))) for name in view.times
    ]
    told, more = narrated_workflow(given.narrative, book)
    blocks: list[Block] = [Table(("Step", "Wall time"), (*rows, *told), (1,))] if rows or told else []
    return [*blocks, *more, *workflow(given, measured, book)]


def _metrics(view: CorpusView, measured: Measured, book: FactBook) -> list[Block]:
    """The same few numbers of each model of the files, as medians, and of each case of the session."""
    blocks: list[Block] = []
    for model in models_of(view):
        found = {
            name: (fact, form)
            for name, metric, form in BLOCK
            if (fact := book.find({"model": model}, metric, "median")) is not None
        }
        lines = tuple((f"{name}: ", Number(fact=fact, form=form)) for name, (fact, form) in found.items())
        if lines:
            blocks += [Heading((Label(model), " in the files")), Bullets(lines, cite=True)]
    if blocks:
        about = "Medians over the distinct rows of the files that succeeded, by model; the appendix has n and sources."
        blocks.insert(0, Paragraph((about,)))
    if measured:
        blocks += metrics(measured, book)
    return blocks or [Paragraph((_NO_REQUEST,))]
