"""Reports on what was measured: facts first, then sections as data, then Markdown, JSON, pictures and files.

`build_report(ReportInput(...))` gives a `Report`. Nothing here measures, and nothing here knows pytest.
"""

from __future__ import annotations

from pytest_chimera.report.build import Report, ReportInput, build_report
from pytest_chimera.report.document import Section
from pytest_chimera.report.facts import facts_of
from pytest_chimera.report.files import ReportFiles
from pytest_chimera.report.findings import Finding

__all__ = ["Finding", "Report", "ReportFiles", "ReportInput", "Section", "build_report", "facts_of"]
