"""The end of a run, on the controller: complete what was interrupted, record rows, write the report, print the table.

Each step stands for itself: a report that cannot be written does not take the rows with it, and the reason is printed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.errors import ChimeraError
from pytest_chimera.plugin import probing, swept, terminal
from pytest_chimera.report.comparison import with_baseline
from pytest_chimera.report.verdicts import verdict_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.plugin.session import ChimeraSession


VERDICTS_TITLE = "chimera: against the baseline"


def finish(session: ChimeraSession, pytest_session: pytest.Session) -> None:
    """Record and report what was measured; before pytest-benchmark saves and pytest prints its summary."""
    session.stamp()
    if session.is_worker:
        return
    if session.folder.path.exists():
        _attempt(session, session.complete, "the journals were not read")
        _fail_for_lost_reports(session, pytest_session)
    if session.results or session.buildings:
        _attempt(session, lambda: _record(session), "the rows were not recorded")
    _finish_corpus(session)
    old = session.corpora.reported if session.uses_corpora else ()
    if (session.results or old) and not session.settings.no_report:
        hint = "Name another folder with --chimera-report."
        _attempt(session, lambda: _report(session), "the report was not written", hint)


def _finish_corpus(session: ChimeraSession) -> None:
    """Write what was asked for of old results, or say that nobody used them."""
    settings, corpora = session.settings, session.corpora
    if session.config.option.collectonly:
        return
    if settings.rename_plan is not None:
        named = corpora.of(corpora.given or corpora.reported)
        plan = corpora.path("rename_plan", settings.rename_plan)
        _attempt(session, lambda: named.write_rename_plan(plan), "the rename plan was not written")
    elif settings.corpus and not (corpora.is_asked or settings.audit or _is_ground(session)):
        session.problems.append(
            "--chimera-corpus is set, but no test that ran uses 'chimera_corpus' or 'chimera_report': nothing was "
            "read. Run one that does, or see what is there with: pytest-chimera read PATH"
        )
    if settings.audit and settings.audit_json is not None:
        from pytest_chimera.plugin.audit import audit_as_text  # noqa: PLC0415  # only where it is asked for
        from pytest_chimera.report.files import write_whole  # noqa: PLC0415  # same

        file = corpora.path("audit_json", settings.audit_json)
        _attempt(session, lambda: write_whole(file, audit_as_text(session.audited)), "the audit was not written")


def _is_ground(session: ChimeraSession) -> bool:
    """Whether answers were held against the corpus of the run."""
    expected = (result.case.expect.get("grounded_in") for result in session.results)
    return any(each is not None and not each["corpus"] for each in expected)


def summarise(session: ChimeraSession, reporter: pytest.TerminalReporter) -> None:
    """Print the table, the way to the report and what went wrong; nothing when no case ran."""
    reporter.write_sep("-", terminal.TITLE if session.results else terminal.NAME)
    width: int = reporter._tw.fullwidth  # noqa: SLF001  # the width by which pytest itself prints
    if session.uses_corpora and session.corpora.read_here is not None:
        reporter.write_line(terminal.corpus_line(session.corpora.read_here.corpus))
    for line in (*terminal.table(swept.rows(session.results), width), *swept.lines(session.results, width)):
        reporter.write_line(line)
    verdicts = with_baseline([each for result in session.results for each in result.verdicts])
    baseline = verdict_lines(verdicts, width) if verdicts else []
    for title, lines in ((VERDICTS_TITLE, baseline), (swept.ARMS_TITLE, swept.arms(session.results, width))):
        if lines:
            reporter.write_sep("-", title)
        for line in lines:
            reporter.write_line(line)
    for line in probing.lines(reporter):
        reporter.write_line(line)
    for problem in session.problems:
        reporter.write_line(f"chimera: {problem}", red=True)
    if session.report_path is not None:
        reporter.write_line(f"report: {session.shown_path(session.report_path)}")


def _fail_for_lost_reports(session: ChimeraSession, pytest_session: pytest.Session) -> None:
    """Make a run fail that looks well only because the report of a test was lost between a worker and here."""
    lost = sorted(session.underway)
    if lost and pytest_session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        pytest_session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        session.problems.append(
            f"no report came back from {', '.join(lost)}: a worker could not send it. Run without -n to see why."
        )


def _notes(session: ChimeraSession) -> tuple[str, ...]:
    if not session.recovered:
        return ()
    names = ", ".join(f"`{result.case.name.replace('`', chr(39))}`" for result in session.recovered)
    return (f"The run was interrupted or lost a worker; the finished rounds of {names} come from its journal.",)


def _attempt(session: ChimeraSession, step: Callable[[], object], failed: str, hint: str = "") -> None:
    try:
        step()
    except ChimeraError as error:
        session.problems.append(str(error))
    except OSError as error:
        name = error.filename2 or error.filename  # of a file that was not put in its place: that place
        where = "" if name is None else f": {name}"
        session.problems.append(f"{failed}: {error.strerror or error}{where}. {hint}".rstrip())


def _record(session: ChimeraSession) -> None:
    if not session.config.pluginmanager.hasplugin("benchmark"):
        return
    from pytest_chimera.plugin.record import record_building, record_rows  # noqa: PLC0415  # imports pytest-benchmark

    record_rows(session.config, session.results)
    for nodeid, times in session.buildings:
        record_building(session.config, nodeid, times)


def _report(session: ChimeraSession) -> None:
    from pytest_chimera.plugin.reporting import build  # noqa: PLC0415  # only where a case ran

    old = session.corpora.of(session.corpora.reported) if session.uses_corpora and session.corpora.reported else None
    report = build(session, session.results, old=old, notes=_notes(session))
    session.report_path = report.write(session.reports).markdown
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        step = lambda: _append(Path(summary), report.short())  # noqa: E731  # a call of its own would say no more
        _attempt(session, step, "the short report was not written to GITHUB_STEP_SUMMARY")


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
