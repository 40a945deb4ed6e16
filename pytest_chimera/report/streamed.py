"""The analysis of a corpus that was read as summaries: what they tell, and no more.

Copies and cold rows are told by comparing rows, of which none were kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.analysis.form import Analysis, Count, Finding, Grid, Part, Quoted
from pytest_chimera.records import Fact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.analysis.form import Statement
    from pytest_chimera.corpus import Corpus
    from pytest_chimera.corpus.summaries import Summary

_MOST = 200
"""Rows of the table; the summaries with the most values come first."""
_HEAD = ("Model", "Metric", "Files", "n", "Failed", "Mean", "Median", "p5", "p95", "Smallest", "Largest")
_QUANTILES = (("median", 0.5), ("p5", 0.05), ("p95", 0.95))


def streamed_analysis(corpus: Corpus) -> Analysis:
    """One part: a table of the groups of measured numbers, and what could not be told."""
    raw = [
        each
        for each in corpus.summaries
        if each.group.provenance == "measured" and each.group.role != "other" and each.n + each.failed
    ]
    raw.sort(key=lambda each: (-each.n, each.group.model or "", each.group.metric, each.group.series))
    left = f" The {_MOST} with the most values are shown." if len(raw) > _MOST else ""
    told = (
        "This corpus was read as summaries: copies count as often as they stand, and cold rows are among the warm ones "
        f"unless their file says which they are.{left}"
    )
    finding = Finding(kind="models", statement=(told,))
    grid = Grid(
        title="Numbers by model and metric",
        head=_HEAD,
        rows=tuple(map(_row, raw[:_MOST])),
        right=(3, 4, 5, 6, 7, 8, 9, 10),
    )
    part = Part(name="models", title="Models", findings=(finding,), grids=(grid,) if raw else ())
    return Analysis(parts=(part,))


def models_in(summaries: Sequence[Summary]) -> tuple[str, ...]:
    """The models that were measured."""
    found = (each.group.model for each in summaries if each.group.provenance != "claim")
    return tuple(sorted({model for model in found if model}))


def _row(each: Summary) -> tuple[Statement, ...]:
    group = each.group
    subject = {
        name: str(value)
        for name, value in (
            ("model", group.model), ("kind", group.kind), ("series", group.series), ("dimension", group.dimension),
            ("start", None if group.cold is None else "cold" if group.cold else "warm"),
        )
        if value
    }  # fmt: skip
    error = f"{each.relative_error:.1%} off at most"
    mean = _fact(subject, each, "mean", each.mean, "merged mean")
    quantiles = [_fact(subject, each, name, each.quantile(q), f"merged sketch, {error}") for name, q in _QUANTILES]
    ends = [_fact(subject, each, "min", each.lowest, "smallest"), _fact(subject, each, "max", each.highest, "largest")]
    failed = Fact(
        subject=subject, metric=group.metric, statistic="failed", value=each.failed, dimension="count",
        n=each.n + each.failed, formula="numbers of failed rows", sources=(_source(each),),
    )  # fmt: skip
    about: Sequence[Statement] = (
        (Quoted(group.model),) if group.model else ("none named",),
        (Quoted(group.metric),),
        (Quoted(f"{group.kind} {group.series}".rstrip()),),
    )
    return (*about, (Count(mean),), (failed,), *((fact,) for fact in (mean, *quantiles, *ends)))


def _fact(subject: dict[str, str], each: Summary, statistic: str, value: float | None, formula: str) -> Fact:
    return Fact(
        subject=subject, metric=each.group.metric, statistic=statistic, value=value, dimension=each.group.dimension,
        n=each.n, formula=formula, sources=(_source(each),),
    )  # fmt: skip


def _source(each: Summary) -> str:
    return f"all {each.group.kind} files {each.group.series}".rstrip()
