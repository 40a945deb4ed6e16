"""The table of verdicts, worst first, for a terminal and for Markdown: rows as data, lines after.

What a verdict says stands in `gate.wording`; here it is put in order, folded where it would repeat itself, and escaped.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_chimera.gate import wording
from pytest_chimera.gate.shift import shift_line, suite_shift
from pytest_chimera.records import OUTCOMES, UNJUDGED
from pytest_chimera.report.columns import Columns, Row, narrowed, wrapped
from pytest_chimera.report.escape import markdown, markdown_part
from pytest_chimera.report.escape import terminal as escape

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_chimera.records import Verdict

COLUMNS = Columns(
    name="case",
    heads=("metric", "now", "before", "change", "95 % interval", "runs", "resolves", "verdict"),
    left=(0, 7),
)
_NARROWER = (("metric", "now", "change", "95 % interval", "verdict"), ("metric", "change", "95 % interval", "verdict"))
"""What is kept for a terminal of about 80 characters."""
_LONGEST_LEFT_OUT = 3
"""So many runs that were left out are named; of more their number is told."""


def ordered(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Worst first: by outcome, then by how far it is beyond its noise."""
    return sorted(verdicts, key=lambda each: (OUTCOMES.index(each.outcome), -_distance(each)))


def verdict_rows(verdicts: Sequence[Verdict]) -> list[Row]:
    """A row for each verdict, unescaped; those of one case that say the same of nothing are one row."""
    shared = set(common_remarks(verdicts))
    return [_row(members, shared) for members in folded(verdicts)]


def folded(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """Worst first, each alone but for those of one case that could not be judged for one reason."""
    rows: dict[object, list[Verdict]] = {}
    for each in ordered(verdicts):
        unjudged = each.outcome in UNJUDGED
        same = (each.outcome, each.case, each.reason, each.against)
        rows.setdefault(same if unjudged else id(each), []).append(each)
    return list(rows.values())


def common_remarks(verdicts: Sequence[Verdict], *, shift: bool = True, reasons: bool = True) -> list[str]:
    """What holds for several of them and is said once: differences, assumptions, runs left out.

    If wanted also `reasons` why nothing could be judged, and a `shift` of them all.
    """
    told = dict.fromkeys((each.case, each.name, _reason(each)) for each in verdicts)  # of one case its row tells it
    said = [reason for _, _, reason in told if reason] if reasons else []
    said += [remark for each in verdicts for remark in dict.fromkeys(wording.general_remarks(each))]
    common = [remark for remark in dict.fromkeys(said) if said.count(remark) > 1]
    left = list(dict.fromkeys(run for each in verdicts for run in each.left_out))
    shown = "; ".join(left[:_LONGEST_LEFT_OUT])
    more = f"; and {len(left) - _LONGEST_LEFT_OUT} more" if len(left) > _LONGEST_LEFT_OUT else ""
    moved = suite_shift(verdicts) if shift else None
    return [
        *common,
        *([f"left out of the baseline: {shown}{more}"] if left else []),
        *([shift_line(moved)] if moved else []),
    ]


def verdict_lines(verdicts: Sequence[Verdict], width: int) -> list[str]:
    """The table for a terminal, and below it what holds for several."""
    rows = [
        Row(escape(row.name), tuple(map(escape, row.cells)), tuple(map(escape, row.notes)))
        for row in verdict_rows(verdicts)
    ]
    remarks = [line for remark in common_remarks(verdicts) for line in wrapped(escape(remark), width, "")]
    return narrowed(COLUMNS, rows, width, _NARROWER) + remarks


def verdict_markdown(verdicts: Sequence[Verdict], most: int) -> str:
    """The same as a table in Markdown, ready for a comment, with at most so many rows; it ends with a line break."""
    return markdown_table(COLUMNS, verdict_rows(verdicts), common_remarks(verdicts), most)


def markdown_table(columns: Columns, every: Sequence[Row], remarks: Sequence[str], most: int) -> str:
    """Rows as a table in Markdown, at most so many, and below it their notes and remarks; it ends with a line break."""
    heads = [columns.name, *columns.heads]
    align = ["---", *("---" if i in columns.left else "---:" for i in range(len(columns.heads)))]
    rows = every[:most]
    lines = [heads, align, *([markdown_part(cell) for cell in (row.name, *row.cells)] for row in rows)]
    notes = [*(f"{row.name}: {note}" for row in rows for note in row.notes), *remarks]
    notes += [f"{len(every) - most} more comparisons are in the report"] if len(every) > most else []
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    bullets = "\n".join(f"- {markdown(note)}" for note in notes)
    return f"{text}\n\n{bullets}\n" if bullets else f"{text}\n"


def remarks_of(verdict: Verdict, shared: Collection[str]) -> tuple[str, ...]:
    """What is said of one verdict, besides what is `shared` and said once."""
    found = (_reason(verdict) or "",) if verdict.outcome in UNJUDGED else wording.remarks(verdict)
    return tuple(remark for remark in found if remark and remark not in shared)


def _row(members: Sequence[Verdict], shared: Collection[str]) -> Row:
    first = members[0]
    if first.outcome not in UNJUDGED:
        return Row(first.name, cells_of(first), remarks_of(first, shared))
    metrics = ", ".join(wording.subject(each) for each in members)
    return Row(first.name, (metrics, "", "", "", "", "", "", word_of(first)), remarks_of(first, shared))


def _reason(verdict: Verdict) -> str | None:
    return verdict.reason if verdict.outcome in UNJUDGED else None


def _distance(verdict: Verdict) -> float:
    if verdict.ratio is None or not verdict.error:
        return 0.0
    return abs(math.log(verdict.ratio)) / verdict.error


def cells_of(verdict: Verdict) -> tuple[str, ...]:
    """The cells of a verdict that has numbers."""
    return (
        wording.subject(verdict),
        wording.value(verdict, verdict.now),
        wording.value(verdict, verdict.before),
        wording.percent(verdict.change),
        wording.interval(verdict),
        str(len(verdict.baseline)),
        wording.size(verdict.smallest_change),
        word_of(verdict),
    )


def word_of(verdict: Verdict) -> str:
    """Its outcome, and that nothing fails for it where nobody asked for that."""
    return verdict.outcome if verdict.gated or verdict.outcome != "worse" else "worse (not gated)"
