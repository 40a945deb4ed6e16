"""What pytest prints for us: the summary table per case and model, computed as rows first and written as lines after.

Every text that a model, a server or a test name brought is escaped for the terminal. Nothing here measures, and nothing
here writes: the hook passes the lines to pytest's own reporter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.metrics import METRICS, result_statistic
from pytest_chimera.report.columns import Columns, Row, fitted
from pytest_chimera.report.escape import terminal as escape
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.corpus import Corpus
    from pytest_chimera.records import CaseResult

NAME = "chimera"
TITLE = "chimera: median per case and model"
COLUMNS = Columns(
    name="case",
    heads=("TTFT", "prefill", "decode", "E2E", "rounds", "failed", "cold"),
    units=("", "tok/s", "tok/s", "", "", "", ""),  # times have a unit each: they differ by more than a factor of 1000
)
_METRICS = ("ttft", "prefill", "tok/s", "e2e")


def corpus_line(corpus: Corpus) -> str:
    """What was read of old results."""
    failed = sum(each.failed_rows for each in corpus.artifacts)
    read = _plural(len(corpus.measurements), "measurement")
    if corpus.streamed is not None:
        numbers = _plural(sum(each.n for each in corpus.streamed), "number")
        read = f"{numbers} in {_plural(len(corpus.streamed), 'group')}"
    return (
        f"corpus: {_plural(sum(corpus.files.values()), 'file')}, {read}, {_plural(failed, 'failed row')}, "
        f"{_plural(len(corpus.left), 'remark')} on what was not understood"
    )


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
    notes += _expected(result)
    kinds = dict.fromkeys(each.generation.failure.message for each in counted if each.generation.failure is not None)
    notes += [f"failed: {escape(kind)}" for kind in kinds]
    return Row(escape(result.case.name), (*medians, rounds, str(failed), str(cold)), tuple(notes))


def _expected(result: CaseResult) -> list[str]:
    """How many answers are as expected and, by name, what the others do not meet; nothing where nothing is expected."""
    judged = [each.generation.unmet for each in result.counted if each.generation.unmet is not None]
    if not judged:
        return []
    names = dict.fromkeys(text.partition(":")[0] for unmet in judged for text in unmet)
    missed = f"; not met: {escape(', '.join(names))}" if names else ""
    return [f"expected: {sum(not each for each in judged)} of {_plural(len(judged), 'answer')}{missed}"]


def table(rows: Sequence[Row], width: int) -> list[str]:
    """The rows as lines of at most `width` characters."""
    return fitted(COLUMNS, rows, width)


def waiting_line(workers: int, hosts: int) -> str:
    """What is said once when several workers share a host."""
    return (
        f"{_plural(workers, 'worker')}, {_plural(hosts, 'host')}: their requests take turns, "
        "because two at once would measure each other."
    )


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
