"""Reports on what was measured: facts first, then sections as data, then Markdown, JSON, pictures and files.

`build_report(ReportInput(...))` gives a `Report`. Nothing here measures, and nothing here knows pytest. Names are
imported when asked for: whoever escapes one text for a terminal needs none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOME = {
    "CorpusView": "corpus_view",
    "Finding": "findings",
    "Narrative": "narrative",
    "Report": "build",
    "ReportAssertion": "asserting",
    "ReportFiles": "files",
    "ReportInput": "build",
    "Section": "document",
    "assert_report": "asserting",
    "build_report": "build",
    "facts_of": "facts",
}


def __getattr__(name: str) -> Any:
    """Import a name from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415  # on first use only, as the docstring above says

    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
