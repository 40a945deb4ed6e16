"""What was measured of each model: in all, in each file, and how many rows failed or loaded the model.

Only values of rows that succeeded enter, each measurement once, and never a number that somebody had computed from
others. Rows are pooled over files only for models that carry an Ollama tag.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import CONDITIONS, LOADED, described
from pytest_chimera.analysis.evidence import is_tag, rank, subject_of
from pytest_chimera.analysis.fates import Fate, fate_of
from pytest_chimera.analysis.form import Chart, Finding, Grid, Part, Quoted, Series
from pytest_chimera.analysis.levels import levels, varied
from pytest_chimera.analysis.sentences import cell, interval_cell, listed, model_cell, n_cell, number_of, table, title
from pytest_chimera.analysis.written import written_grids
from pytest_chimera.stats import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.analysis.evidence import Evidence, Group
    from pytest_chimera.analysis.form import Statement
    from pytest_chimera.records import Fact, Measurement

_HEAD = ("Model", "Source", "Rows", "n", "Mean", "Median", "p5", "p95", "SD", "95 % interval of the mean")
_RIGHT = (3, 4, 5, 6, 7, 8, 9)
_COUNTS = ("tokens", "count")
_OF_LABELS = ("mean", "median", "sd", "min", "max")


@dataclass(frozen=True, slots=True)
class Pool:
    """Groups whose rows are described together: one group, or all of a model."""

    model: str | None
    source: Statement
    subject: Mapping[str, str]
    groups: tuple[Group, ...]

    def values(self, metric: str, condition: str) -> list[Measurement]:
        """Values of rows that succeeded."""
        return [each for group in self.groups for each in group.values(metric, cold=CONDITIONS[condition])]

    def conditions(self, metric: str) -> tuple[str, ...]:
        """Cold and warm rows apart for times that a load changes, where there are cold ones."""
        apart = metric in LOADED and any(group.has_cold for group in self.groups)
        return ("all", "warm", "cold") if apart else ("all",)


def models(evidence: Evidence) -> Part:
    """The part of the report about models, files and what was measured of each."""
    pools = pools_of(evidence.groups)
    fates = [fate_of(pool.subject, pool.groups) for pool in pools]
    metrics = sorted({name for group in evidence.groups for name in group.metrics()}, key=rank)
    tables = [_Table(metric, pools) for metric in metrics]
    by_label = list(_labelled(evidence.groups))
    kept = [fact for each in tables for fact in each.facts] + [fact for fate in fates for fact in fate.facts]
    kept += [fact for *_, facts in by_label for fact in facts.values()]
    return Part(
        name="models",
        title="Models",
        findings=tuple(_findings(pools, fates, tables)),
        grids=(
            *_fate_grid(pools, fates),
            *(each.grid() for each in tables),
            *_label_grid(by_label),
            *written_grids(evidence),
        ),
        charts=_charts(tables),
        facts=tuple(kept),
    )


def pools_of(groups: Sequence[Group]) -> list[Pool]:
    """Every model with a tag over its files, each followed by its groups; then what has none."""
    by_model: dict[str | None, list[Group]] = defaultdict(list)
    for group in groups:
        if any(each.role == "performance" for row in group.rows for each in row.values.values()) or group.failed:
            by_model[group.model].append(group)
    pools = []
    for model, found in sorted(by_model.items(), key=lambda each: (not is_tag(each[0]), each[0] or "")):
        if is_tag(model):
            pools.append(Pool(model, ("all its files",), subject_of(model), tuple(found)))
        pools += [Pool(model, _source(group), group.subject, (group,)) for group in found]
    return pools


def _source(group: Group) -> Statement:
    return (Quoted(group.file), " ", Quoted(group.series)) if group.series else (Quoted(group.file),)


class _Table:
    """One metric of all pools."""

    def __init__(self, metric: str, pools: Sequence[Pool]) -> None:
        self.metric = metric
        self.rows: list[tuple[Pool, str, dict[str, Fact]]] = []
        for pool in pools:
            for condition in pool.conditions(metric):
                values = pool.values(metric, condition)
                if values:
                    self.rows.append((pool, condition, described(values, pool.subject, condition=condition)))
        self.by_pool = {(id(pool), condition): facts for pool, condition, facts in self.rows}

    @property
    def facts(self) -> list[Fact]:
        """All of them, those that the table shows too."""
        return [fact for _, _, facts in self.rows for fact in facts.values()]

    def of(self, pool: Pool, condition: str = "all") -> dict[str, Fact]:
        """The facts of one pool; none where it has no such rows."""
        return self.by_pool.get((id(pool), condition), {})

    def grid(self) -> Grid:
        """A row per pool and condition."""
        rows = [
            (
                model_cell(pool.model),
                pool.source,
                (condition,),
                n_cell(facts),
                cell(facts, "mean"),
                cell(facts, "median"),
                cell(facts, "p5", "n < 20"),
                cell(facts, "p95", "n < 20"),
                cell(facts, "sd", "n < 2"),
                interval_cell(facts),
            )
            for pool, condition, facts in self.rows
        ]
        return table(f"{title(self.metric)} per model and source", _HEAD, rows, _RIGHT)


def _fate_grid(pools: Sequence[Pool], fates: Sequence[Fate]) -> Iterable[Grid]:
    head = ("Model", "Source", "Rows", "Failed", "Error rate", "Cold")
    rows = [(model_cell(pool.model), pool.source, *fate.cells()) for pool, fate in zip(pools, fates, strict=True)]
    if rows:
        yield table("Rows, failures and cold starts", head, rows, (2, 3, 4, 5))


def _labelled(groups: Sequence[Group]) -> Iterable[tuple[Group, str, str, dict[str, Fact]]]:
    """Group, label, level and facts of each metric at each level of a label that several rows share."""
    for group in groups:
        metrics = [name for name in group.metrics() if group.values(name)[0].dimension not in _COUNTS]
        for name in varied(group, "labels"):
            for level, found in levels(group, name, "labels").items():
                subject = {**group.subject, "label": name, "level": level}
                for metric in metrics:
                    values = [row.values[metric] for row in found if metric in row.values]
                    if values:
                        yield group, name, level, described(values, subject, statistics=_OF_LABELS)


def _label_grid(found: Sequence[tuple[Group, str, str, dict[str, Fact]]]) -> Iterable[Grid]:
    """Means at each level of labels, such as a backend or a scenario."""
    rows = [
        (
            model_cell(group.model), _source(group), (Quoted(name),), (Quoted(level),), (title(facts["mean"].metric),),
            n_cell(facts), cell(facts, "mean"), cell(facts, "median"), cell(facts, "sd", "n < 2"),
        )
        for group, name, level, facts in found
    ]  # fmt: skip
    head = ("Model", "Source", "Label", "Level", "Metric", "n", "Mean", "Median", "SD")
    if rows:
        yield table("Levels of labels", head, rows, range(5, len(head)))


def _findings(pools: Sequence[Pool], fates: Sequence[Fate], tables: Sequence[_Table]) -> Iterable[Finding]:
    """Speed, failures and cold starts of each model with a tag; of all that has none, its failures."""
    speed = next((each for each in tables if each.metric == "tok/s"), None)
    first = next((each for each in tables if each.metric == "ttft"), None)
    whole = [(pool, fate) for pool, fate in zip(pools, fates, strict=True) if set(pool.subject) <= {"model"}]
    for pool, fate in whole:
        model: Statement = (Quoted(pool.model or "unknown"),)
        facts = {} if speed is None else speed.of(pool)
        if facts:
            yield Finding(kind="models", statement=_speed(model, facts, fate))
        if fate.failed.value:
            yield Finding(kind="models", statement=(*model, ": ", *fate.sentence()))
        cold = {} if first is None else first.of(pool, "cold")
        warm = {} if first is None else first.of(pool, "warm")
        if cold and warm:
            yield Finding(kind="models", statement=_cold(model, fate, cold, warm))
    if speed is not None:
        yield from _order(speed)
    for pool, fate in zip(pools, fates, strict=True):
        if not is_tag(pool.model) and fate.failed.value:
            yield Finding(kind="models", statement=("No model named, ", *pool.source, ": ", *fate.sentence()))


def _speed(model: Statement, facts: Mapping[str, Fact], fate: Fate) -> Statement:
    interval: Statement = (", 95 % interval ", *interval_cell(facts)) if "ci95 low" in facts else ()
    return (
        *model, ": mean ", facts["mean"], " over ", facts["count"], " rows in ", *number_of(fate.files, "file"),
        " (median ", facts["median"], *interval, ").",
    )  # fmt: skip


def _cold(model: Statement, fate: Fate, cold: Mapping[str, Fact], warm: Mapping[str, Fact]) -> Statement:
    return (
        *model, ": ", *number_of(fate.cold, "row"), " loaded the model: median TTFT ", cold["median"],
        " there and ", warm["median"], " in the ", warm["count"], " warm rows; a mean over both describes neither.",
    )  # fmt: skip


def _order(speed: _Table) -> Iterable[Finding]:
    """Which model is fastest, where the intervals tell."""
    known = [
        (pool, facts) for pool, said, facts in speed.rows if set(pool.subject) == {"model"} and said == "all" and facts
    ]
    ordered = sorted(known, key=lambda each: -(each[1]["mean"].value or 0))
    if len(ordered) < 2:  # noqa: PLR2004  # an order needs two
        return
    parts = [(Quoted(pool.model or ""), " (", facts["mean"], ")") for pool, facts in ordered]
    yield Finding(
        kind="order",
        statement=("In order of mean tok/s: ", *listed(parts, ", "), ". ", *_doubts(ordered)),
    )


def _doubts(ordered: Sequence[tuple[Pool, Mapping[str, Fact]]]) -> Statement:
    close: list[Statement] = []
    for (one, above), (other, below) in pairwise(ordered):
        low, high = above.get("ci95 low"), below.get("ci95 high")
        if low is None or high is None or (low.value or 0) <= (high.value or 0):
            close.append((Quoted(one.model or ""), " and ", Quoted(other.model or "")))
    if not close:
        return ("The 95 % intervals of neighbours do not overlap; the rows were measured under different conditions.",)
    return ("Not told apart by their 95 % intervals: ", *listed(close, "; "), ".")


def _charts(tables: Sequence[_Table]) -> tuple[Chart, ...]:
    by_metric = {each.metric: each for each in tables}
    found = []
    if "tok/s" in by_metric:
        shown = [(pool, facts) for pool, _, facts in by_metric["tok/s"].rows if set(pool.subject) == {"model"}]
        if shown:
            found.append(Chart(
                name="throughput", title="tok/s per model", unit=UNITS["rate"], kind="dots",
                series=tuple(
                    Series(name=name, points=tuple((pool.model or "", _value(facts, key)) for pool, facts in shown))
                    for name, key in (
                        ("mean", "mean"),
                        ("95 % interval, lower end", "ci95 low"),
                        ("95 % interval, upper end", "ci95 high"),
                    )
                ),
            ))  # fmt: skip
    if "ttft" in by_metric:
        found += _cold_chart(by_metric["ttft"])
    return tuple(found)


def _cold_chart(times: _Table) -> list[Chart]:
    pools = [pool for pool, said, _ in times.rows if said == "cold" and set(pool.subject) == {"model"}]
    if not pools:
        return []
    series = tuple(
        Series(
            name=f"median of {said} rows",
            points=tuple((p.model or "", _value(times.of(p, said), "median")) for p in pools),
        )
        for said in ("cold", "warm")
    )
    return [
        Chart(name="cold-warm", title="TTFT of cold and of warm rows", unit=UNITS["time"], kind="bars", series=series)
    ]


def _value(facts: Mapping[str, Fact], statistic: str) -> float | None:
    fact = facts.get(statistic)
    return None if fact is None else fact.value
