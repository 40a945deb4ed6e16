"""What pytest prints for us: the summary table per case and model, computed as rows first and written as lines after.

Every text that a model, a server or a test name brought is escaped for the terminal. Nothing here measures, and nothing
here writes: the hook passes the lines to pytest's own reporter.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.metrics import METRICS, result_statistic
from pytest_chimera.report.escape import terminal as escape
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import CaseResult

TITLE = "chimera: median per case and model"
HEADS = ("TTFT", "prefill", "decode", "E2E", "rounds", "failed", "cold")
_UNITS = ("", "tok/s", "tok/s", "", "", "", "")
"""Below the heads; times have a unit each, because they differ by more than a factor of 1000."""
_METRICS = ("ttft", "prefill", "tok/s", "e2e")
_GAP = "  "
_SHORTEST_NAME = 20
"""Characters of a name below which a table says less than a list."""


@dataclass(frozen=True)
class Row:
    """One line of the table, every cell as it is printed."""

    name: str
    cells: tuple[str, ...]
    """In the order of HEADS; the first four are medians over the rounds that count."""
    notes: tuple[str, ...]
    """What the numbers do not say, each as one sentence."""


def row(result: CaseResult) -> Row:
    """The line for one case."""
    counted = [each for each in result.rounds if not each.warmup]
    medians = [
        format_value(result_statistic(METRICS[name], result).median, METRICS[name].dimension).removesuffix(" tok/s")
        for name in _METRICS
    ]
    done = len(result.counted)
    rounds = str(done) if done == result.case.rounds else f"{done} of {result.case.rounds}"
    failed = sum(not each.generation.ok for each in counted)
    cold = sum(bool(each.cold) for each in result.rounds)
    notes = []
    if not result.complete:
        why = "interrupted" if result.stopped is None else f"stopped: {escape(result.stopped)}"
        notes.append(f"{why}; {_plural(done, 'round')} of {result.case.rounds} recorded")
    busy = sum(each.busy_answers for each in result.rounds)
    if busy:
        notes.append(f"the server was busy {_plural(busy, 'time')} and was asked again")
    kinds = dict.fromkeys(each.generation.failure.message for each in counted if each.generation.failure is not None)
    notes += [f"failed: {escape(kind)}" for kind in kinds]
    return Row(escape(result.case.name), (*medians, rounds, str(failed), str(cold)), tuple(notes))


def table(rows: Sequence[Row], width: int) -> list[str]:
    """The rows as lines of at most `width` characters: a table where it fits, else a few lines per case."""
    if not rows:
        return []
    sizes = [max(len(head), *(len(each.cells[i]) for each in rows)) for i, head in enumerate(HEADS)]
    longest = max(len("case"), *(len(each.name) for each in rows))
    room = width - sum(len(_GAP) + size for size in sizes)
    if room < min(longest, _SHORTEST_NAME):
        return [line for each in rows for line in _listed(each, width)]
    name_size = min(longest, room)
    lines = [_line("case", HEADS, name_size, sizes), _line("", _UNITS, name_size, sizes).rstrip()]
    for each in rows:
        lines.append(_line(_shortened(each.name, name_size), each.cells, name_size, sizes))
        lines += _noted(each, width)
    return lines


def waiting_line(workers: int, hosts: int) -> str:
    """What is said once when several workers share a host."""
    return (
        f"{_plural(workers, 'worker')}, {_plural(hosts, 'host')}: their requests take turns, "
        "because two at once would measure each other."
    )


def _line(name: str, cells: Sequence[str], name_size: int, sizes: Sequence[int]) -> str:
    return name.ljust(name_size) + "".join(_GAP + cell.rjust(size) for cell, size in zip(cells, sizes, strict=True))


def _listed(each: Row, width: int) -> list[str]:
    text = ", ".join(
        f"{head} {cell} {unit}".rstrip() for head, cell, unit in zip(HEADS, each.cells, _UNITS, strict=True)
    )
    body = textwrap.wrap(text, max(width, _SHORTEST_NAME), initial_indent="  ", subsequent_indent="  ")
    return [_shortened(each.name, max(width, _SHORTEST_NAME)), *body, *_noted(each, width)]


def _noted(each: Row, width: int) -> list[str]:
    size = max(width, _SHORTEST_NAME)
    return [
        line for note in each.notes for line in textwrap.wrap(note, size, initial_indent="  ", subsequent_indent="  ")
    ]


def _shortened(name: str, size: int) -> str:
    """The name within `size` characters; what is cut is its middle, because both ends tell cases apart."""
    if len(name) <= size:
        return name
    head = (size - 1) // 2
    return f"{name[:head]}…{name[len(name) - (size - 1 - head) :]}"


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
