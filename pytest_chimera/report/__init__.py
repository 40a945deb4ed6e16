"""Reports on what was measured: facts first, then sections as data, then Markdown, JSON, pictures and files.

`build_report(ReportInput(...))` gives a `Report`. Nothing here measures, and nothing here knows pytest.
"""

from __future__ import annotations

from pytest_chimera.report.asserting import ReportAssertion, assert_report
from pytest_chimera.report.build import Report, ReportInput, build_report
from pytest_chimera.report.corpus_view import CorpusView
from pytest_chimera.report.document import Section
from pytest_chimera.report.facts import facts_of
from pytest_chimera.report.files import ReportFiles
from pytest_chimera.report.findings import Finding
from pytest_chimera.report.narrative import Narrative

__all__ = [
    "CorpusView",
    "Finding",
    "Narrative",
    "Report",
    "ReportAssertion",
    "ReportFiles",
    "ReportInput",
    "Section",
    "assert_report",
    "build_report",
    "facts_of",
]
