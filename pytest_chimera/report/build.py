"""From everything a session knows to a `Report`: its facts and sections as data, its text and files on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import UserError, nearest
from pytest_chimera.report.arms import arm_facts
from pytest_chimera.report.comparison import comparison_facts
from pytest_chimera.report.corpus_facts import corpus_facts
from pytest_chimera.report.corpus_sections import build_corpus_sections
from pytest_chimera.report.document import Section, plain
from pytest_chimera.report.escape import terminal
from pytest_chimera.report.facts import FactBook, Measured, facts_of, subjects
from pytest_chimera.report.files import ReportFiles, write_report
from pytest_chimera.report.findings import Finding, findings
from pytest_chimera.report.markdown import render, render_short
from pytest_chimera.report.narrated import narrative_facts
from pytest_chimera.report.sections import build_sections
from pytest_chimera.report.session_facts import session_facts
from pytest_chimera.report.sweep_facts import sweep_facts
from pytest_chimera.report.sweeps import Swept, arms_of, sweeps_of
from pytest_chimera.report.twin import twin_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pytest_chimera.analysis.form import Analysis
    from pytest_chimera.records import CaseResult, Fact
    from pytest_chimera.report.corpus_view import CorpusView
    from pytest_chimera.report.narrative import Narrative


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """Everything that a report is made from; the same input gives the same bytes."""

    results: tuple[CaseResult, ...]
    created: datetime
    """When it was made, with its zone."""
    suite: str
    """What was run, for the title and the file's name."""
    personas: Mapping[str, str] = field(default_factory=dict)
    """Name -> text, of the personas that the cases used."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    """Setting -> value as a person would write it, "default" where nobody set it."""
    hardware: Mapping[str, object] = field(default_factory=dict)
    """Property -> text or number; sizes have `_bytes` in their name."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Program or package -> version."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Phase of the session -> wall time in s."""
    notes: tuple[str, ...] = ()
    """What a reader must know about the session as a whole, in full sentences: that it was interrupted, say.
    Names in them stand between backquotes."""
    corpus: CorpusView | None = None
    """Old results that were read and analysed; with them the report is the technical report on them."""
    narrative: Narrative | None = None
    """What a model said of the facts of the corpus; None makes a report of computed sentences alone."""


@dataclass(frozen=True)
class Report:
    """A report as data; `markdown`, `as_dict()`, `short()`, `lines` and `write()` show it."""

    given: ReportInput
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    header: Section
    """Title, date, agent type, model, configuration."""
    parts: tuple[Section, ...]
    """The sections below the header."""
    measured: Measured
    """Each result with the subject of its facts."""
    sweeps: tuple[Swept, ...] = ()
    """Its sweeps: their parameters, effects and points."""
    arms: tuple[Swept, ...] = ()
    """Its comparisons of arms."""

    def __repr__(self) -> str:
        return f"<Report of {len(self.given.results)} cases: {', '.join(self.sections)}>"

    @cached_property
    def book(self) -> FactBook:
        """The facts, found by whom and what they speak of."""
        return FactBook(self.facts)

    @property
    def sections(self) -> tuple[str, ...]:
        """The titles of all sections, in order."""
        return tuple(part.title for part in self.parts)

    @property
    def analysis(self) -> Analysis:
        """What was found in the corpus, part by part; raises UserError in a report without one."""
        if self.given.corpus is None:
            raise UserError(
                "This report has no analysis: no corpus was read.",
                "Accepted: a session with --chimera-corpus, or with the fixture chimera_corpus_paths.",
                "Name the folder with your old results.",
            )
        return self.given.corpus.analysis

    def section(self, title: str) -> Section:
        """The section with this title, to assert on its `text`, `words` and `facts`.

        Raises UserError with the titles there are.
        """
        found = next((part for part in self.parts if part.title == title), None)
        if found is None:
            raise UserError(
                f"The report has no section {title!r}.",
                f"It has: {', '.join(self.sections)}.",
                nearest(title, self.sections),
            )
        return found

    @property
    def text(self) -> str:
        """All of it without markup."""
        parts = (self.header, *self.parts)
        return "\n\n".join(f"{part.title}\n{part.text}" for part in parts)

    @cached_property
    def markdown(self) -> str:
        """The whole report, without pictures."""
        return render(self)

    def as_dict(self) -> dict[str, Any]:
        """The JSON twin: every number with its fact."""
        return twin_of(self)

    def short(self) -> str:
        """The short form in Markdown, for the summary page of a CI job; it has no links."""
        return render_short(self)

    @property
    def lines(self) -> tuple[str, ...]:
        """The summary and what was found, for a terminal."""
        summary = self.section("Executive Summary").text.splitlines()
        return tuple(terminal(line) for line in (*summary, *(plain(each.line) for each in self.findings)))

    def write(self, directory: Path) -> ReportFiles:
        """Write it below `directory` (`.chimera` of a project), each file whole or not at all, and none over another.

        Raises OSError where the folder cannot be written.
        """
        return write_report(self, directory)


def build_report(given: ReportInput) -> Report:
    """The report on everything in `given`."""
    measured = tuple(zip(given.results, subjects(given.results), strict=True))
    sweeps, arms = sweeps_of(measured), arms_of(measured)
    facts = _all_facts(given, measured, (*sweeps, *arms))
    book = FactBook(facts)
    # Of a session without a case there is nothing to say beside a corpus.
    found = findings(measured, book) if measured or given.corpus is None else ()
    if given.corpus is None:
        header, parts = build_sections(given, measured, book, found, (*sweeps, *arms))
    else:
        header, parts = build_corpus_sections(given, given.corpus, measured, book, found, groups=(*sweeps, *arms))
    return Report(
        given=given,
        facts=facts,
        findings=found,
        header=header,
        parts=parts,
        measured=measured,
        sweeps=sweeps,
        arms=arms,
    )


def _all_facts(given: ReportInput, measured: Measured, groups: Sequence[Swept]) -> tuple[Fact, ...]:
    """Every fact that there is: of the session, of the corpus, and of the analysis; each once."""
    facts = (
        *session_facts(given.results, given.phases, given.hardware),
        *facts_of(given.results),
        *comparison_facts(measured),
        *sweep_facts(groups),
        *arm_facts(groups),
        *(() if given.corpus is None else (*corpus_facts(given.corpus), *given.corpus.analysis.facts)),
        *narrative_facts(given.narrative),
    )
    return tuple({fact.id: fact for fact in facts}.values())
