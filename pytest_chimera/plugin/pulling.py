"""`--chimera-pull`: fetch the models that the host lacks before the first case, with a progress bar.

On the controller, because only there is a terminal. What cannot be pulled is said; the cases that need it fail then,
with the reason of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.errors import ChimeraError, ModelError
from pytest_chimera.report.escape import terminal as escape
from pytest_chimera.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from pytest_chimera.client import Client
    from pytest_chimera.plugin.models import PlannedModel
    from pytest_chimera.plugin.session import ChimeraSession

_BAR = 24


class PullBar:
    """Shows how far a pull is: one line that is rewritten on a terminal, one line per step elsewhere."""

    def __init__(self, reporter: pytest.TerminalReporter | None, name: str) -> None:
        self.reporter = reporter
        self.name = escape(name)
        self._step = ""

    def show(self, step: str, done: int | None, total: int | None) -> None:
        """The step that the host is at, with bytes done and in all where it says so."""
        if self.reporter is None:
            return
        if self.reporter.isatty:
            line = bar_line(self.name, escape(step), done, total)
            self.reporter.rewrite(line[: self.reporter._tw.fullwidth - 1], erase=True)  # noqa: SLF001  # pytest's width
        elif step != self._step:
            self.reporter.write_line(f"chimera: pulling {self.name}: {escape(step)}")
        self._step = step

    def end(self) -> None:
        """Leave the line."""
        if self.reporter is not None and self.reporter.isatty and self._step:
            self.reporter.write("\n")


def bar_line(name: str, step: str, done: int | None, total: int | None) -> str:
    """One state of the bar: "chimera: pulling gemma3 [######----] 50 % of 3.11 GiB"."""
    if done is None or not total:
        return f"chimera: pulling {name}: {step}"
    share = min(max(done / total, 0.0), 1.0)
    filled = round(share * _BAR)
    return f"chimera: pulling {name} [{'#' * filled}{'-' * (_BAR - filled)}] {share:.0%} of {format_bytes(total)}"


def pull_missing(session: ChimeraSession, models: Iterable[PlannedModel]) -> None:
    """Pull each of these models that the host answers for and does not have."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for planned in models:
        if planned.embedded:
            continue
        bar = PullBar(reporter, planned.name)
        try:
            client = session.servers.host_client()
            if not _has(client, planned.name):
                client.pull(planned.name, bar.show)
        except ChimeraError as error:
            bar.end()
            session.say([f"chimera: {planned.name} was not pulled: {escape(str(error))}"])
        else:
            bar.end()


def _has(client: Client, name: str) -> bool:
    try:
        client.model(name)
    except ModelError:
        return False
    return True
