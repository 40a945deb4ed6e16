"""Assertions on a report for tests of its users: `assert_report(report).has_sections(...).no_questions()`.

Each method returns the object itself, so that they chain, and raises AssertionError with everything that was found.
They read the Markdown as a person does, and so hold for a `Report` as for a file that was written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import UserError, nearest
from pytest_chimera.report.phrases import ERROR, QUESTION
from pytest_chimera.report.shown import Shown, ShownSection, shown
from pytest_chimera.report.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pytest_chimera.report.build import Report

_MOST_SHOWN = 8
_MEANS = re.compile(r"\b(mean|median|p\d+|sd|ci95|min|max)\b")
_ABSENT = re.compile(
    r"\b(?:no|without|missing|lacks?) (?:\w+ )?(?:data|measurements?|results?|metrics|numbers?)\b|not available|\bN/A\b"
    r"|(?:data|results?|metrics) (?:is|are) (?:missing|unavailable)|nothing (?:to analyse|was (?:read|measured))"
    r"|no case has been measured|no round counted",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"Command: (`+).+?\1$")


def assert_report(report: Report | Path | str) -> ReportAssertion:
    """What can be asserted on a report: a `Report`, or the path of its Markdown or JSON file."""
    return ReportAssertion(shown(report))


class ReportAssertion:
    """A report under test; every method returns it again, or raises AssertionError."""

    def __init__(self, report: Shown, section: ShownSection | None = None) -> None:
        """With a `section`, what is asserted holds for that one."""
        self.report = report
        self._section = section

    def __repr__(self) -> str:
        within = "" if self._section is None else f", section {self._section.title!r}"
        return f"<assertions on {self.report.title!r}{within}>"

    # Structure ------------------------------------------------------------------------------------------------------

    def has_sections(self, *titles: str) -> ReportAssertion:
        """These sections are there, in this order; others may stand between them."""
        __tracebackhide__ = True
        there = [each.title for each in self.report.sections]
        missing = [title for title in titles if title not in there]
        close = " ".join(filter(None, (nearest(title, there) for title in missing)))
        self._hold(not missing, f"The report has no section {_names(missing)}. It has {_names(there)}. {close}")
        places = [there.index(title) for title in titles]
        ordered = ", ".join(title for _, title in sorted(zip(places, titles, strict=True)))
        self._hold(places == sorted(places), f"The sections stand in another order: {ordered}.")
        return self

    def section(self, title: str) -> ReportAssertion:
        """The same assertions for one section; `whole()` leads back."""
        __tracebackhide__ = True
        self.has_sections(title)
        return ReportAssertion(self.report, self.report.by_title[title])

    def whole(self) -> ReportAssertion:
        """Back from a section to the whole report."""
        return ReportAssertion(self.report)

    def words_at_most(self, most: int) -> ReportAssertion:
        """No more words than this, counted without markup."""
        __tracebackhide__ = True
        words = sum(each.words for each in self._sections)
        self._hold(words <= most, f"{self._where} has {words} words, more than {most}.")
        return self

    def words_at_least(self, least: int) -> ReportAssertion:
        """At least as many words as this, counted without markup."""
        __tracebackhide__ = True
        words = sum(each.words for each in self._sections)
        self._hold(words >= least, f"{self._where} has {words} words, fewer than {least}.")
        return self

    def no_empty_sections(self) -> ReportAssertion:
        """Every section says something."""
        __tracebackhide__ = True
        empty = [each.title for each in self._sections if not each.text.strip()]
        self._hold(not empty, f"These sections are empty: {_names(empty)}.")
        return self

    # Contents -------------------------------------------------------------------------------------------------------

    def mentions(self, *texts: str) -> ReportAssertion:
        """Each of these, a model's name say, stands in it."""
        __tracebackhide__ = True
        whole = "\n".join(each.text for each in self._sections)
        if self._section is None:
            whole = f"{self.report.title}\n{self.report.header}\n{whole}"
        missing = [text for text in texts if text not in whole]
        self._hold(not missing, f"{self._where} does not mention {_names(missing)}.")
        return self

    def every_number_has_a_fact(self) -> ReportAssertion:
        """Outside of quoted text no number is printed without the id of its fact."""
        __tracebackhide__ = True
        found = [f"{each.title}: {line}" for each in self._sections for line in each.loose_numbers(self.report.counts)]
        self._hold(not found, f"{self._where} has numbers without a fact:{_listed(found)}")
        return self

    def no_questions(self) -> ReportAssertion:
        """Nothing is asked of the reader, and nothing offered."""
        __tracebackhide__ = True
        found = list(self._matching(QUESTION))
        self._hold(not found, f"{self._where} asks the reader:{_listed(found)}")
        return self

    def no_errors_as_findings(self) -> ReportAssertion:
        """No text of an HTTP or network error stands there as if it were a finding; quoted as a cause it may."""
        __tracebackhide__ = True
        found = list(self._matching(ERROR))
        self._hold(not found, f"{self._where} tells errors as findings:{_listed(found)}")
        return self

    def no_missing_data_where_it_is_there(self) -> ReportAssertion:
        """No section that cites no fact says that data are missing, while the report has facts."""
        __tracebackhide__ = True
        bare = [each for each in self._sections if not each.facts] if self.report.counts else []
        found = [f"{each.title}: {line}" for each in bare for line in each.prose.splitlines() if _ABSENT.search(line)]
        self._hold(not found, f"The report has data, yet these sections say there are none:{_listed(found)}")
        return self

    def no_failed_round_in_a_mean(self) -> ReportAssertion:
        """No mean, median, quantile or spread names a failed row or round among its sources; needs the JSON file."""
        __tracebackhide__ = True
        twin = self._twin("no_failed_round_in_a_mean")
        ways = Ways(twin)
        found = [
            f"{fact['id']}, {fact['statistic']} of {fact['metric']}: {source}, {value.place}"
            for fact in twin["facts"]
            if _MEANS.search(fact["statistic"])
            for source in fact["sources"]
            for value in ways.of(source, fact["metric"]).values
            if value.failed
        ]
        self._hold(not found, f"Failed rounds enter these facts:{_listed(found)}")
        return self

    # Recommendations and the model's part ---------------------------------------------------------------------------

    def recommendations_cite_findings(self) -> ReportAssertion:
        """Every recommendation cites a fact of its findings and ends in a command."""
        __tracebackhide__ = True
        self.has_sections("Recommendations")
        bullets = self.report.by_title["Recommendations"].bullets
        bare = [each for each in bullets if not re.search(r"\[F[0-9a-f]{10}\]", each)]
        self._hold(not bare, f"These recommendations cite no finding:{_listed(bare)}")
        idle = [each for each in bullets if not _COMMAND.search(each)]
        self._hold(not idle, f"These recommendations end in no command:{_listed(idle)}")
        return self

    def at_most_tokens(self, most: int) -> ReportAssertion:
        """All answers of the model for this report together have no more tokens; none without a model."""
        __tracebackhide__ = True
        told = self._narrative("at_most_tokens").get("told", ())
        tokens = sum(each["tokens"] or 0 for each in told)
        self._hold(tokens <= most, f"The model generated {tokens} tokens for the report, more than {most}.")
        return self

    def grounded_at_least(self, least: float) -> ReportAssertion:
        """Of the numeric claims in each answer at least this share (0 to 1) is supported; one without claims passes."""
        __tracebackhide__ = True
        told = self._narrative("grounded_at_least").get("told", ())
        low = [
            f"{each['persona']}: {each['supported']} of {each['claims']}"
            for each in told
            if each["groundedness"] is not None and each["groundedness"] < least
        ]
        self._hold(not low, f"Fewer numeric claims than {least:.0%} are supported:{_listed(low)}")
        return self

    @property
    def _sections(self) -> tuple[ShownSection, ...]:
        return self.report.sections if self._section is None else (self._section,)

    @property
    def _where(self) -> str:
        return "The report" if self._section is None else f"The section {self._section.title!r}"

    def _matching(self, pattern: re.Pattern[str]) -> Iterable[str]:
        for each in self._sections:
            yield from (f"{each.title}: {line}" for line in each.prose.splitlines() if pattern.search(line))

    def _twin(self, method: str) -> Mapping[str, Any]:
        if self.report.twin is None:
            raise UserError(
                f"{method}() needs the JSON file of the report, and only its Markdown was given.",
                "Accepted: a Report, or a file in .chimera/reports, where both lie beside each other.",
                "Give the path of the JSON file.",
            )
        return self.report.twin

    def _narrative(self, method: str) -> Mapping[str, Any]:
        return self._twin(method).get("narrative") or {}

    def _hold(self, holds: bool, text: str) -> None:
        __tracebackhide__ = True
        if not holds:
            raise AssertionError(text.strip())


def _names(titles: Iterable[str]) -> str:
    return ", ".join(map(repr, titles))


def _listed(lines: list[str]) -> str:
    more = [f"... and {len(lines) - _MOST_SHOWN} more"] if len(lines) > _MOST_SHOWN else []
    return "".join(f"\n  {line}" for line in (*lines[:_MOST_SHOWN], *more))
