"""What one pytest process knows of its chimera run: settings, number of cases, results; the one object hooks ask.

On the controller (and without xdist) `results` fills from the reports of tests and, for what Ctrl-C or a dead worker
left without a report, from the journals. It measures nothing; what needs more than this is imported when a case runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.plugin import marker, options

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pytest_chimera.plugin.asked import Asked
    from pytest_chimera.plugin.corpora import Corpora
    from pytest_chimera.plugin.folder import RunFolder
    from pytest_chimera.plugin.models import PlannedModel
    from pytest_chimera.plugin.options import Raw
    from pytest_chimera.plugin.servers import Servers
    from pytest_chimera.plugin.settings import Settings
    from pytest_chimera.records import CaseResult
    from pytest_chimera.suites.gating import Gating
    from pytest_chimera.suites.journal import Journal
    from pytest_chimera.suites.runner import Observer

NAME = "chimera-session"
MEASURED = pytest.StashKey[list[str]]()
"""On an item: what was measured since its last report, one JSON text per case."""
BUILDING = pytest.StashKey[dict[str, float]]()
"""On an item: seconds that each phase of building its report took."""
NARRATED = pytest.StashKey[str]()
"""On an item: what two personas said of the corpus, as JSON, until its report takes it along."""
AUDITED = pytest.StashKey[str]()
"""On an item: what was found in its file, as JSON, until its report takes it along."""


class ChimeraSession:
    """One run as this process sees it; `get_session(config)` is the only way to it."""

    def __init__(self, config: pytest.Config, raw: Raw, sent: Mapping[str, str] | None = None) -> None:
        """`sent` is what the controller told a worker of xdist."""
        self.config = config
        self.raw = raw
        self._sent = sent
        self.is_worker = sent is not None
        """Whether this process is a worker of xdist."""
        self.asked: Asked | None = None
        """Whom the cases of this process ask; on the controller of workers those of one worker. None before any."""
        self.has_suites = False
        """Whether a suite in YAML was found."""
        self.opened = False
        """Whether the run was announced and prepared."""
        self.item: pytest.Item | None = None
        """The test that runs now."""
        self.results: list[CaseResult] = []
        """On the controller and without xdist: every case with a finished round, in the order of their reports."""
        self.recovered: list[CaseResult] = []
        """Those of `results` that came without a report, from a journal."""
        self.buildings: list[tuple[str, Mapping[str, float]]] = []
        """Node id and seconds per phase of each report that a test asked for."""
        self.problems: list[str] = []
        """What went wrong at the end, for the summary."""
        self.report_path: Path | None = None
        """The newest report, once it is written."""
        self.audited: list[str] = []
        """What the audit of each file found, as JSON, where that is to be written."""
        self.underway: set[str] = set()
        """Tests that were begun and did not end; under xdist what is here at the end was lost on its way."""
        self.clear_line: Callable[[], None] = lambda: None
        """Removes the live line, where one is shown."""
        self._stamps_ns = [time.monotonic_ns()]

    @cached_property
    def settings(self) -> Settings:
        """What was set. Raises SettingError when an option cannot be used."""
        from pytest_chimera.plugin.settings import resolve  # noqa: PLC0415  # only where one is set or a case runs

        return resolve(self.raw)

    @cached_property
    def models(self) -> tuple[PlannedModel, ...]:
        """What the settings name. Raises SettingError or MissingExtraError when no server can answer for a name."""
        from pytest_chimera.plugin.models import plan  # noqa: PLC0415  # same

        return plan(self.settings, self.config.invocation_params.dir)

    @cached_property
    def folder(self) -> RunFolder:
        """The folder of this run; on disk only once a case is known."""
        from pytest_chimera.plugin.folder import RUNS, RunFolder  # noqa: PLC0415  # only where a case runs

        if self._sent is not None:
            return RunFolder(Path(self._sent["folder"]), self._sent["worker"])
        name = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}"
        return RunFolder(self.reports / RUNS / name)

    @property
    def reports(self) -> Path:
        """The folder for reports; a relative one of the ini file counts from the root, else from where pytest runs."""
        from pytest_chimera.plugin.places import base, is_moved  # noqa: PLC0415  # only where a case runs

        moved = "corpus" in self.raw and is_moved(self.config, self.raw)
        here = self.config.invocation_params.dir
        return (here if moved else base(self.config, self.settings.given.get("report"))) / self.settings.report

    @cached_property
    def servers(self) -> Servers:
        """The servers of this process."""
        from pytest_chimera.plugin.servers import Servers  # noqa: PLC0415  # only where a case runs

        return Servers(self)

    @cached_property
    def gating(self) -> Gating:
        """What is asked of the gate. Raises BaselineError where the saved runs that were named cannot be used."""
        from pytest_chimera.plugin.gating import gating_of  # noqa: PLC0415  # only where a case runs

        return gating_of(self)

    @cached_property
    def corpora(self) -> Corpora:
        """The old results that are read."""
        from pytest_chimera.plugin.corpora import Corpora  # noqa: PLC0415  # only where a corpus is read

        return Corpora(self)

    @property
    def uses_corpora(self) -> bool:
        """Whether a test asked for old results, here or in a worker."""
        return "corpora" in vars(self) and self.corpora.is_asked

    @cached_property
    def observer(self) -> Observer:
        """Whoever watches the rounds: the live line, or nobody."""
        from pytest_chimera.plugin.live import observer_for  # noqa: PLC0415  # only where a case runs

        observer = observer_for(self.config)
        self.clear_line = getattr(observer, "clear", self.clear_line)
        return observer

    def speaking(self, item: pytest.Item) -> AbstractContextManager[None]:
        """Around a phase of a test: what is raised here fails it in words for people."""
        if item.get_closest_marker("chimera") is None:
            return contextlib.nullcontext()
        from pytest_chimera.plugin.failing import spoken  # noqa: PLC0415  # only where a case runs

        return spoken(item)

    def take(self, payload: str) -> None:
        """Add the results that came with a test's report."""
        from pytest_chimera.records import CaseResult  # noqa: PLC0415  # only where a case ran

        self.results.extend(CaseResult.from_dict(each) for each in json.loads(payload))

    def complete(self) -> None:
        """Add the cases that have rounds in a journal but came with no report: interrupted, or in a dead worker."""
        known = {result.case.id for result in self.results}
        self.recovered = [each for each in self._journalled() if each.case.id not in known]
        self.results.extend(self.recovered)

    def note_problem(self, journal: Journal | None) -> None:
        """Keep for the summary, once, why a journal cannot be written."""
        if journal is not None and journal.problem is not None and journal.problem not in self.problems:
            self.problems.append(journal.problem)

    def measured_so_far(self) -> list[CaseResult]:
        """What is known here and now; a worker looks into the journals of all."""
        return self._journalled() if self.is_worker else list(self.results)

    @property
    def cases(self) -> int:
        """Tests of this process that talk to a server; on the controller of workers those of one worker."""
        return self.asked.cases if self.asked else 0

    def count(self, cases: Sequence[pytest.Item]) -> None:
        """Note the cases of this process and whom they ask; a worker leaves it where the controller finds it."""
        self.stamp()
        if not cases:
            return
        from pytest_chimera.plugin.asked import asked_by  # noqa: PLC0415  # only where a case runs

        self.asked = asked_by(self, cases)
        if self.is_worker:
            self.folder.tell(f"cases-{self.folder.worker}", self.asked.to_plain())

    def open_alone(self) -> None:
        """Announce and prepare a run without workers; with workers the controller does it, the second call nothing."""
        if self.cases and not self.opened and not self.is_worker:
            from pytest_chimera.plugin.opening import open_run  # noqa: PLC0415  # only where a case runs

            open_run(self)

    @contextlib.contextmanager
    def ending(self, pytest_session: pytest.Session) -> Generator[None]:
        """Around everybody else's end of the run: record and report before, tidy up after."""
        if not (self.cases or self.opened or self.uses_corpora or {"corpus", "rename_plan", "audit"} & set(self.raw)):
            yield
            return
        from pytest_chimera.plugin.closing import finish  # noqa: PLC0415  # only where a case ran

        finish(self, pytest_session)  # where this fails, the journals stay for `recover`
        try:
            yield
        finally:
            self.folder.close()

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """Print the summary where there is anything to say."""
        if self.results or self.problems or (self.uses_corpora and self.corpora.read_here):
            from pytest_chimera.plugin.closing import summarise  # noqa: PLC0415  # only where a case ran

            summarise(self, reporter)

    def say(self, lines: Iterable[str]) -> None:
        """Write lines by way of pytest's reporter, where there is one; workers have none."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self.is_worker:
            return
        if reporter.isatty and self.config.getoption("dist", "no") != "no":
            reporter.rewrite("", erase=True)  # xdist counts its workers in a line that it rewrites
            reporter.write("\r")
        else:
            reporter.ensure_newline()
        for line in lines:
            reporter.write_line(line)

    def shown_path(self, path: Path) -> str:
        """A path as short as it can be written from where pytest was called."""
        here = self.config.invocation_params.dir
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

    def stamp(self) -> None:
        """Note that a phase of the run has ended: collection, then the tests."""
        self._stamps_ns.append(time.monotonic_ns())

    def phases(self) -> dict[str, float]:
        """Wall time in s of each phase that has ended."""
        from pytest_chimera.units import ns_to_s  # noqa: PLC0415  # only where a report is built

        ends = zip(("collection", "tests"), self._stamps_ns, self._stamps_ns[1:], strict=False)
        return {name: ns_to_s(end - begin) for name, begin, end in ends}

    def _journalled(self) -> list[CaseResult]:
        from pytest_chimera.suites.journal import read_journal  # noqa: PLC0415  # only where a case ran

        return [each for path in self.folder.journals() for each in read_journal(path) if each.rounds]


class SessionHooks:
    """The session as a registered plugin, with the hooks that pytest calls without a config.

    Not the session itself: older pytest looks at every attribute of a plugin, and would build all that is made late.
    """

    def __init__(self, session: ChimeraSession) -> None:
        self.session = session

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a test was begun."""
        self.session.underway.add(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note that all reports of a test have come."""
        self.session.underway.discard(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect what came with a report."""
        if self.session.is_worker:
            return
        if payload := getattr(report, "_chimera", None):
            self.session.take(payload)
        if payload := getattr(report, "_chimera_building", None):
            self.session.buildings.append((report.nodeid, json.loads(payload)))
        if payload := getattr(report, "_chimera_corpus", None):
            self.session.corpora.is_asked = True
            self.session.corpora.report_on(json.loads(payload))
        if payload := getattr(report, "_chimera_narrative", None):
            self.session.corpora.take_narrative(payload)
        if payload := getattr(report, "_chimera_audit", None):
            self.session.audited.append(payload)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before any fixture and after pytest's own skips: refuse a marker that cannot be used."""
        self.session.item = item
        if item.get_closest_marker("chimera") is not None:
            marker.check(item)
            from pytest_chimera.plugin.plain import watch  # noqa: PLC0415  # only where a case runs

            watch(item)


def get_session(config: pytest.Config) -> ChimeraSession:
    """The session of this process."""
    registered = config.pluginmanager.get_plugin(NAME)
    assert isinstance(registered, SessionHooks), "registered in pytest_configure, before anything can ask"
    return registered.session


def start(config: pytest.Config) -> None:
    """Read the settings and register the session.

    Raises pytest.UsageError with the text for people when an option cannot be used.
    """
    config.addinivalue_line("markers", marker.MARKER)
    sent: dict[str, Any] | None = getattr(config, "workerinput", {}).get("chimera")
    raw = options.from_plain(sent["settings"]) if sent else options.gather(config, os.environ)
    session = ChimeraSession(config, raw, sent)
    if raw and not session.is_worker:
        _check(session)
    config.pluginmanager.register(SessionHooks(session), NAME)
    if not session.is_worker and config.pluginmanager.hasplugin("xdist"):
        from pytest_chimera.plugin.workers import WorkerHooks  # noqa: PLC0415  # hooks that only xdist calls

        config.pluginmanager.register(WorkerHooks(session), "chimera-workers")


def _check(session: ChimeraSession) -> None:
    from pytest_chimera.errors import ChimeraError  # noqa: PLC0415  # only where an option is set

    try:
        assert session.models is not None, "planned without an error"
        session.corpora.check()
    except ChimeraError as error:
        raise pytest.UsageError(str(error)) from None


def measured(item: pytest.Item) -> list[str]:
    """Where results of `item` wait for its next report."""
    return item.stash.setdefault(MEASURED, [])
