"""What happens once, when the first case is known and before it runs: the head lines, one engine for all, pulling.

On the controller only; workers print nothing. A run without a case never comes here.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.errors import BaselineError, ChimeraError
from pytest_chimera.plugin.folder import leftovers
from pytest_chimera.plugin.gating import head_lines
from pytest_chimera.plugin.models import described
from pytest_chimera.plugin.naming import suite_name
from pytest_chimera.plugin.terminal import waiting_line
from pytest_chimera.report.escape import terminal

if TYPE_CHECKING:
    from types import FrameType

    from pytest_chimera.plugin.session import ChimeraSession


def open_run(session: ChimeraSession, workers: int = 0) -> None:
    """Say what will be measured and by whom, and make ready what all cases share; the second call does nothing."""
    if session.opened or session.asked is None:
        return
    models = session.asked.models
    session.opened = True
    session.folder.create()
    told = {"suite": suite_name(session.config), "configuration": session.settings.configuration()}
    session.folder.tell("run", told)
    _end_properly_on_sigterm(session.config)
    lines = [*(() if session.raw else session.settings.lines())]
    lines += described(models, session.servers.host_client().url, stood_in=session.asked.stood_in)
    if not models:
        lines.append(f"chimera: the cases are skipped: {session.servers.reason_to_skip()}")
    if models and _is_disabled(session.config):
        lines.append("chimera: --benchmark-disable: one round for each case, no rows, and no limit is judged")
    hosts = len({model.embedded for model in models})
    if workers > 1 and hosts:
        lines.append(f"chimera: {waiting_line(workers, hosts)}")
    if session.settings.baseline and not _is_disabled(session.config):
        lines += _baseline_lines(session)
    lines += [_leftover(str(path)) for path in leftovers(session.folder.path.parent)]
    session.say(lines)
    if workers and any(model.embedded for model in models):
        _start_engine_for_all(session)
    if session.settings.pull:
        from pytest_chimera.plugin.pulling import pull_missing  # noqa: PLC0415  # only where it was asked for

        pull_missing(session, models)


def _start_engine_for_all(session: ChimeraSession) -> None:
    """Start the one engine and leave its address to the workers, or the reason why there is none."""
    try:
        session.folder.tell("engine", {"url": session.servers.engine_url()})
    except ChimeraError as error:
        session.folder.tell("engine", {"error": str(error)})


def _baseline_lines(session: ChimeraSession) -> list[str]:
    try:
        return head_lines(session)
    except BaselineError as error:
        raise pytest.UsageError(terminal(str(error))) from None


def _is_disabled(config: pytest.Config) -> bool:
    from pytest_chimera.plugin.record import benchmark_disabled  # noqa: PLC0415  # record imports pytest-benchmark

    return benchmark_disabled(config)


def _leftover(path: str) -> str:
    return (
        f"chimera: an earlier run was killed before it could report; its finished rounds are in {path}. "
        "Take them in with: pytest-chimera recover"
    )


def _end_properly_on_sigterm(config: pytest.Config) -> None:
    """Let SIGTERM end the run as Ctrl-C does, with what was measured recorded; where nobody else handles it."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def restore() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, interrupt)
    config.add_cleanup(restore)
