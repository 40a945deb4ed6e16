"""A comparison as tables, one per metric: for the terminal, and as Markdown for a comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.gate import wording
from pytest_chimera.metrics import METRICS
from pytest_chimera.records import UNJUDGED
from pytest_chimera.report.columns import Columns, Row, narrowed, wrapped
from pytest_chimera.report.escape import markdown, markdown_part
from pytest_chimera.report.escape import terminal as escape
from pytest_chimera.report.verdicts import common_remarks, ordered, remarks_of
from pytest_chimera.units import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.compare.sides import Compared
    from pytest_chimera.records import Verdict

COLUMNS = Columns(
    name="case",
    heads=("model", "base", "new", "ratio", "95 % interval", "runs", "resolves", "verdict"),
    left=(0, 7),
)
_NARROWER = (("base", "new", "ratio", "95 % interval", "verdict"), ("ratio", "95 % interval", "verdict"))
"""What is kept for a terminal of about 80 characters."""


_LARGE = 1e5
"""A ratio above this is a mistake of somebody's, and not worth its digits."""


def terminal_lines(compared: Compared, trends: Mapping[int, str], width: int) -> list[str]:
    """Title, a table per metric and what holds for all; `trends` are lines by the `id` of their verdict."""
    lines, shared = [escape(title(compared))], common_remarks(compared.verdicts)
    for head, verdicts in _by_metric(compared.verdicts).items():
        rows = [_row(each, trends.get(id(each)), shared) for each in verdicts]
        shown = [Row(escape(row.name), tuple(map(escape, row.cells)), tuple(map(escape, row.notes))) for row in rows]
        lines += ["", head, *narrowed(COLUMNS, shown, width, _NARROWER)]
    remarks = [*shared, *compared.notes]
    return [
        *lines,
        *([""] if remarks else []),
        *(line for each in remarks for line in wrapped(escape(each), width, "")),
    ]


def markdown_text(compared: Compared, trends: Mapping[int, str]) -> str:
    """The same as Markdown."""
    parts, shared = [f"### {markdown(title(compared))}"], common_remarks(compared.verdicts)
    for head, verdicts in _by_metric(compared.verdicts).items():
        rows = [_row(each, trends.get(id(each)), shared) for each in verdicts]
        marks = ["---", *("---" if i in COLUMNS.left else "---:" for i in range(len(COLUMNS.heads)))]
        cells = [[COLUMNS.name, *COLUMNS.heads], marks]
        cells += [[markdown_part(cell) for cell in (row.name, *row.cells)] for row in rows]
        parts.append(f"**{markdown(head)}**")
        parts.append("\n".join(f"| {' | '.join(each)} |" for each in cells))
        notes = [f"- {markdown(f'{row.name}: {note}')}" for row in rows for note in row.notes]
        parts += ["\n".join(notes)] if notes else []
    remarks = [f"- {markdown(each)}" for each in (*shared, *compared.notes)]
    return "\n\n".join([*parts, *(["\n".join(remarks)] if remarks else [])]) + "\n"


def title(compared: Compared) -> str:
    """Which runs are compared."""
    base = [run.name for run in compared.sides.base]
    if compared.sides.last is not None:  # of all that were looked at, those that were chosen
        chosen = {point.run for verdict in compared.verdicts for point in verdict.baseline}
        base = [name for name in base if name in chosen] or base
    new = [run.name for run in compared.sides.new]
    return f"{_listed(new)} against {_listed(base)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 3 else f"{names[0]} to {names[-1]} ({len(names)} runs)"  # noqa: PLR2004  # two names are shorter than a range


def _by_metric(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Head of a table -> its verdicts, worst first; metrics in the order in which they were asked for."""
    found: dict[str, list[Verdict]] = {}
    for each in verdicts:
        metric = METRICS[each.metric]
        better = f"{metric.better} is better" if metric.better else ""
        head = f"{wording.subject(each)} ({each.statistic}, {better}, allowed {wording.size(each.threshold)})"
        found.setdefault(head, []).append(each)
    return {head: ordered(group) for head, group in found.items()}


def _row(verdict: Verdict, trend: str | None, shared: Sequence[str]) -> Row:
    remarks = remarks_of(verdict, shared)
    if verdict.outcome in UNJUDGED:
        return Row(verdict.name, (verdict.model, "", "", "", "", "", "", verdict.outcome), remarks)
    return Row(
        verdict.name,
        (
            verdict.model,
            wording.value(verdict, verdict.before),
            wording.value(verdict, verdict.now),
            _ratio(verdict.ratio),
            f"{_ratio(verdict.ratio_low)} to {_ratio(verdict.ratio_high)}",
            str(len(verdict.baseline)),
            wording.size(verdict.smallest_change),
            verdict.outcome,
        ),
        (*remarks, *([trend] if trend else [])),
    )


def _ratio(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.3f}" if value < _LARGE else f"{value:.3g}"
