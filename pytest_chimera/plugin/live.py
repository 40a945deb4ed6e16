"""The live line of a long run: case, model, round, the last numbers, the estimated rest.

On a terminal only, and only where nothing else writes to it: not in a pipe or CI log, not with `-s` or live logs, not
in a worker.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_chimera.report.escape import terminal as escape
from pytest_chimera.suites.runner import Unobserved
from pytest_chimera.units import NS_PER_S, format_seconds, format_value, ns_to_s

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_chimera.records import Case, CaseResult, Round
    from pytest_chimera.suites.runner import Observer

_MINUTES_FROM_S = 120
"""A rest of so many seconds is said in minutes."""
_MARGIN = 1
"""Columns left free, because a full last column wraps on some terminals."""
_ERASE = "\x1b[K"
_UP = "\x1b[A"


@dataclass
class Progress:
    """How far a case is, and the line that says so."""

    case: Case
    began_ns: int
    done: int = 0
    """Rounds finished, warm-up included."""
    last: Round | None = None
    waits: bool = False
    counted_ns: int = 0
    """When the warm-up was over."""

    @property
    def total(self) -> int:
        """Rounds that the case will have, warm-up included."""
        return self.case.warmup + self.case.rounds

    def add(self, case: Case, done: Round, now_ns: int) -> None:
        """Take up a round that is finished."""
        self.done, self.last, self.case = self.done + 1, done, case
        if self.done == case.warmup:
            self.counted_ns = now_ns

    def line(self, now_ns: int) -> str:
        """What is shown now."""
        model = escape(self.case.model.name.removesuffix(":latest"))
        name = escape(self.case.name)
        parts = [name] if f"[{model}" in name else [name, model]
        if self.waits:
            return "  ".join([*parts, "waits for the host, which another process measures"])
        parts.append(self._round())
        if self.last is not None:
            parts += self._numbers(self.last)
            rest_ns = self._rest_ns(now_ns)
            parts += [] if rest_ns is None else [f"about {_whole_seconds(rest_ns)} left"]
        return "  ".join(parts)

    def _rest_ns(self, now_ns: int) -> int | None:
        """What is left, if it goes on as it went: by the counted rounds, once there is one, since a load is slow."""
        counted = self.done - self.case.warmup
        done, since_ns = (counted, self.counted_ns) if counted > 0 else (self.done, self.began_ns)
        return (now_ns - since_ns) * (self.total - self.done) // done

    def _round(self) -> str:
        if self.done < self.case.warmup:
            return f"warm-up {self.done + 1}/{self.case.warmup}"
        return f"round {min(self.done - self.case.warmup + 1, self.case.rounds)}/{self.case.rounds}"

    def _numbers(self, last: Round) -> list[str]:
        if not last.generation.ok:
            return ["last failed"]
        ttft = last.generation.client_ttft_ns
        return [
            f"TTFT {format_seconds(None if ttft is None else ttft / NS_PER_S)}",
            format_value(last.generation.decode_tokens_per_s, "rate"),
        ]


@dataclass
class SweepProgress(Progress):
    """How far the points of a sweep are together; it names the one whose round was the last."""

    points: set[str] = field(default_factory=set)
    """Ids of those that are under way."""
    rounds: int = 0
    """Counted rounds of all."""

    @property
    def total(self) -> int:
        """Counted rounds that the sweep will have: how many warm-up rounds are needed is seen on the way."""
        return self.rounds

    def add(self, case: Case, done: Round, now_ns: int) -> None:  # noqa: ARG002  # its rest counts from the beginning
        """Take up a round of one point."""
        self.done, self.last, self.case = self.done + (not done.warmup), done, case

    def _rest_ns(self, now_ns: int) -> int | None:
        """What is left by all that was done so far: loads and warm-up rounds come again and again."""
        return (now_ns - self.began_ns) * (self.total - self.done) // self.done if self.done else None

    def _round(self) -> str:
        return f"round {min(self.done + 1, self.total)}/{self.total} in all"


class LiveLine:
    """An observer of rounds that keeps one line of the terminal up to date, and leaves none behind."""

    def __init__(self, write: Callable[[str], None], width: Callable[[], int], now_ns: Callable[[], int]) -> None:
        """`write` puts a text at the start of the current line in place of what was there; "" clears it."""
        self.write = write
        self.width = width
        self.now_ns = now_ns
        self._progress: Progress | None = None

    def case_started(self, case: Case) -> None:
        """Show the case; of a sweep all points are started before the first request."""
        progress = self._progress
        if case.sweep is None:
            progress = Progress(case, self.now_ns(), counted_ns=self.now_ns())
        else:
            if not isinstance(progress, SweepProgress):
                progress = SweepProgress(case, self.now_ns())
            progress.points.add(case.id)
            progress.rounds += case.rounds
        self._progress = progress
        self._show()

    def host_busy(self, case: Case) -> None:
        """Show that the case waits for its turn."""
        self._progress = Progress(case, self.now_ns(), waits=True)
        self._show()

    def round_done(self, case: Case, done: Round) -> None:
        """Show the numbers of the round and what is left."""
        progress = self._progress or Progress(case, self.now_ns())
        progress.add(case, done, self.now_ns())
        self._progress = progress
        self._show()

    def case_finished(self, result: CaseResult) -> None:
        """Clear the line, while the test still runs: pytest prints its dot right after."""
        if isinstance(self._progress, SweepProgress):
            self._progress.points.discard(result.case.id)
            if self._progress.points:
                return
        self.clear()

    def clear(self) -> None:
        """Leave an empty line; nothing happens where none was shown."""
        if self._progress is not None:
            self._progress = None
            self.write("")

    def _show(self) -> None:
        assert self._progress is not None, "set by whoever shows"
        line = self._progress.line(self.now_ns())
        room = self.width() - _MARGIN
        self.write(line if len(line) <= room else f"{line[: max(room - 1, 0)]}…")


def _whole_seconds(duration_ns: int) -> str:
    seconds = round(ns_to_s(duration_ns))
    return f"{seconds} s" if seconds < _MINUTES_FROM_S else format_seconds(seconds)


def observer_for(config: pytest.Config) -> Observer:
    """A live line where there is a terminal that pytest captures, else nobody."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    captures = config.pluginmanager.get_plugin("capturemanager")
    if (
        hasattr(config, "workerinput")
        or reporter is None
        or captures is None
        or not reporter.isatty
        or config.getoption("capture") == "no"
        or config.getoption("log_cli_level", None) is not None
        or (config.pluginmanager.hasplugin("logging-plugin") and config.getini("log_cli"))
        or os.environ.get("CI")
        or os.environ.get("TERM") == "dumb"
    ):
        return Unobserved()
    writer = _Writer(reporter, captures)
    return LiveLine(writer.write, writer.width, time.monotonic_ns)


class _Writer:
    """Writes past pytest's capture on the line below pytest's own, and goes back to that one when it is done.

    Not by the reporter's means: it would count our columns among its own, and put its next dot and percentage amiss.
    """

    def __init__(self, reporter: pytest.TerminalReporter, captures: Any) -> None:
        self.reporter = reporter
        self.captures = captures
        self.above: int | None = None
        """Columns that pytest has filled of its line; None while nothing of ours is shown."""

    def width(self) -> int:
        """Of the terminal, asked anew because windows change, and past the capture because that hides the terminal."""
        with self.captures.global_and_fixture_disabled():
            return self.reporter._tw.fullwidth  # noqa: SLF001  # the reporter has no other name for it

    def write(self, text: str) -> None:
        """Show `text`; nothing of ours stays where it is empty."""
        with self.captures.global_and_fixture_disabled():
            tw = self.reporter._tw  # noqa: SLF001  # see above
            begun = "\n" if self.above is None and tw.width_of_current_line else ""
            if self.above is None:
                self.reporter.flush()
                self.above = tw.width_of_current_line
            shown = f"{begun}\r{_ERASE}{text}"
            if not text:
                shown += _back(self.above, tw.fullwidth) if self.above == tw.width_of_current_line else ""
                self.above = None
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(shown.encode(encoding, "replace").decode(encoding))
            sys.stdout.flush()


def _back(column: int, width: int) -> str:
    """From the start of the line below to the end of a text of so many columns; a full line ends where we are."""
    rest = column % width if column > 0 else 0
    return f"{_UP}\x1b[{rest}C" if rest else ""
