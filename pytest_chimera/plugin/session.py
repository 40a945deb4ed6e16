"""What one pytest process knows of its chimera run: settings, number of cases, results; the one object hooks ask.

On the controller (and without xdist) `results` fills from the reports of tests and, for what Ctrl-C or a dead worker
left without a report, from the journals. It measures nothing and prints nothing.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import ChimeraError
from pytest_chimera.plugin import settings as options
from pytest_chimera.plugin.folder import RUNS, RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_chimera.plugin.settings import Raw, Settings
    from pytest_chimera.records import CaseResult

NAME = "chimera-session"
FIXTURES = ("chimera", "chimera_model", "ollama_client", "chimera_persona", "chimera_engine", "chimera_report")
MARKER = (
    "chimera(rounds, warmup, options, persona, think, prefix, start, timeout, max_failed_rounds, limits, ...): "
    "measure a language model, and how; every test that uses a chimera fixture has this marker"
)
MEASURED = pytest.StashKey[list[str]]()
"""On an item: what was measured since its last report, one JSON text per case."""


class ChimeraSession:
    """One run as this process sees it; `get_session(config)` is the only way to it."""

    def __init__(self, config: pytest.Config, raw: Raw, folder: RunFolder) -> None:
        """Raises SettingError when an option cannot be used."""
        self.config = config
        self.raw = raw
        self.settings: Settings = options.resolve(raw)
        self.folder = folder
        self.cases = 0
        """Tests of this process that use a fixture of ours; on the controller of workers those of one worker."""
        self.results: list[CaseResult] = []
        """On the controller and without xdist: every case with a finished round, in the order of their reports."""
        self.recovered: list[CaseResult] = []
        """Those of `results` that came without a report, from a journal."""
        self.started_unix_ns = time.time_ns()
        self.report_path: Path | None = None
        """The newest report, once it is written."""

    @property
    def is_worker(self) -> bool:
        """Whether this process is a worker of xdist."""
        return bool(self.folder.worker)

    @property
    def reports(self) -> Path:
        """The folder for reports; a relative one of the command line counts from where pytest was called."""
        source = self.settings.given.get("report")
        from_file = source is None or source.source.startswith("chimera_")
        return (self.config.rootpath if from_file else self.config.invocation_params.dir) / self.settings.report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect what came with a report (a hook on this object, because a report does not know its config)."""
        payload: str | None = getattr(report, "_chimera", None)
        if payload and not self.is_worker:
            self.take(payload)

    def take(self, payload: str) -> None:
        """Add the results that came with a test's report."""
        from pytest_chimera.records import CaseResult  # noqa: PLC0415  # only where a case ran

        self.results.extend(CaseResult.from_dict(each) for each in json.loads(payload))

    def complete(self) -> None:
        """Add the cases that have rounds in a journal but came with no report: interrupted, or in a dead worker."""
        from pytest_chimera.suites.journal import read_journal  # noqa: PLC0415  # only where a case ran

        known = {result.case.id for result in self.results}
        for path in self.folder.journals():
            self.recovered.extend(each for each in read_journal(path) if each.case.id not in known and each.rounds)
        self.results.extend(self.recovered)


def get_session(config: pytest.Config) -> ChimeraSession:
    """The session of this process."""
    session = config.pluginmanager.get_plugin(NAME)
    assert isinstance(session, ChimeraSession), "registered in pytest_configure, before anything can ask"
    return session


def start(config: pytest.Config) -> None:
    """Read the settings and register the session.

    Raises pytest.UsageError with the text for people when an option cannot be used.
    """
    config.addinivalue_line("markers", MARKER)
    sent: dict[str, Any] | None = getattr(config, "workerinput", {}).get("chimera")
    try:
        session = _of_worker(config, sent) if sent else _of_controller(config)
    except ChimeraError as error:
        raise pytest.UsageError(str(error)) from None
    config.pluginmanager.register(session, NAME)
    if not session.is_worker and config.pluginmanager.hasplugin("xdist"):
        from pytest_chimera.plugin.workers import WorkerHooks  # noqa: PLC0415  # hooks that only xdist calls

        config.pluginmanager.register(WorkerHooks(session), "chimera-workers")


def _of_controller(config: pytest.Config) -> ChimeraSession:
    raw = options.gather(config, os.environ)
    name = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}"
    session = ChimeraSession(config, raw, RunFolder(config.rootpath / name))
    session.folder = RunFolder(session.reports / RUNS / name)
    return session


def _of_worker(config: pytest.Config, sent: dict[str, Any]) -> ChimeraSession:
    from pathlib import Path  # noqa: PLC0415  # see the annotation above

    return ChimeraSession(config, options.from_plain(sent["settings"]), RunFolder(Path(sent["folder"]), sent["worker"]))


def measured(item: pytest.Item) -> list[str]:
    """Where results of `item` wait for its next report."""
    return item.stash.setdefault(MEASURED, [])


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put what `item` measured since its last report on this one, as one str: all that execnet surely packs."""
    waiting = item.stash.get(MEASURED, [])
    if waiting:
        report._chimera = f"[{','.join(waiting)}]"  # type: ignore[attr-defined]  # noqa: SLF001  # the transport
        waiting.clear()
