"""What varied settings did to speeds and times: effect size first, then how sure it is, then what hides it.

Each sweep is looked at twice where the model was loaded for some of its rows: over all rows, and over the warm ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.analysis.best import lead_finding, lead_of, lead_recommendation
from pytest_chimera.analysis.described import LOADED, counted
from pytest_chimera.analysis.evidence import shown_setting
from pytest_chimera.analysis.fates import stands
from pytest_chimera.analysis.form import Chart, Count, Finding, Part, Quoted, Recommendation, Series
from pytest_chimera.analysis.levels import overfull
from pytest_chimera.analysis.order import cold_levels, has_times, in_order, loops, share_of_order
from pytest_chimera.analysis.sentences import (
    cell,
    listed,
    model_cell,
    n_cell,
    names,
    number_of,
    plural,
    table,
    title,
    who,
)
from pytest_chimera.analysis.sweeps import measured_of, sweeps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.analysis.evidence import Evidence
    from pytest_chimera.analysis.form import Grid, Statement
    from pytest_chimera.analysis.sweeps import Measured, Sweep
    from pytest_chimera.records import Fact

SURE = 0.05
"""An effect is told from chance when chance alone would explain as much less often than this."""
_MUCH = 0.5
"""A setting of which the order of the rows is told by more than this share cannot be parted from time."""


def effects(evidence: Evidence) -> Part:
    """The part of the report about settings that were varied."""
    sweeps = sweeps_of(evidence.groups)
    by_sweep = [(sweep, measured_of(sweep)) for sweep in sweeps]
    every = [each for _, found in by_sweep for each in found]
    findings: list[Finding] = []
    recommendations: list[Recommendation] = []
    for sweep, found in by_sweep:
        findings += _effect_findings(found)
        findings += _incomplete(sweep)
        findings += _cold_findings(sweep)
        findings += _order_findings(sweep)
        leads, advice = _leads(found)
        findings += leads
        recommendations += advice
    findings += _tests(every)
    findings += _left_out(evidence)
    return Part(
        name="effects",
        title="Effects of settings",
        findings=tuple(findings) or (_nothing(),),
        grids=tuple(_grids(every)),
        charts=_charts(every),
        recommendations=tuple(recommendations),
        facts=tuple(_facts(every)),
    )


def _nothing() -> Finding:
    return Finding(kind="effects", statement=("No file varies a setting.",), notable=False)


def _facts(every: Sequence[Measured]) -> Iterable[Fact]:
    for each in every:
        for name, facts in each.effects.items():
            yield from facts.values()
            for level in each.levels[name].values():
                yield from level.values()


def _effect_findings(found: Sequence[Measured]) -> Iterable[Finding]:
    """One per metric: what each setting explains, over all rows and over the warm ones where they differ."""
    warm = {each.metric: each for each in found if each.condition == "warm"}
    for each in found:
        if each.condition != "all":
            continue
        apart = each.metric in LOADED and each.metric in warm
        shown = (each, warm[each.metric]) if apart else (each,)
        group = each.sweep.group
        parts = [part for one in shown for part in _explained(one, said=apart)]
        yield Finding(
            kind="effects",
            statement=(
                f"{title(each.metric)} of ",
                *who(group.model, group.file, group.series),
                ": ",
                *listed(parts, "; ", "; "),
                ".",
            ),
            notable=any(
                (facts["p"].value or 0.0) < SURE for one in shown for facts in one.effects.values() if "p" in facts
            ),
        )


def _explained(each: Measured, *, said: bool) -> list[Statement]:
    """ "num_ctx explains 10 % of the variance (means of its levels 0.72 % apart, p 14 %)", of each setting."""
    parts: list[Statement] = []
    for name, facts in each.effects.items():
        if "eta2" in facts:
            spread: Statement = ("means of its levels ", facts["spread"], " apart, ") if "spread" in facts else ()
            parts.append((Quoted(name), " explains ", facts["eta2"], " of the variance (", *spread, *_sure(facts), ")"))
    if said and parts:
        parts[0] = (f"over {each.condition} rows ", *parts[0])
    return parts


def _sure(facts: Mapping[str, Fact]) -> Statement:
    if "p" in facts:
        return ("p ", facts["p"])
    return ("too few rows for a test",) if "partial eta2" in facts else ("not to be told from the other settings",)


def _incomplete(sweep: Sweep) -> Iterable[Finding]:
    """Rows that do not say one of the settings that others vary: no level of it is theirs."""
    left = [row for row in sweep.group.rows if any(name not in row.parameters for name in sweep.settings)]
    if left:
        out = counted(
            sweep.group.subject, "rows_without_setting", len(left), "rows that lack a varied setting", stands(left)
        )
        yield Finding(
            kind="effects",
            statement=(
                *number_of(out, "row"), " of ", *who(sweep.group.model, sweep.group.file, sweep.group.series),
                " ", plural(out.value, "lacks", "lack"), " a setting that others vary, and ",
                plural(out.value, "is", "are"), " left out of its sweep.",
            ),
            notable=False,
        )  # fmt: skip


def _cold_findings(sweep: Sweep) -> Iterable[Finding]:
    """A setting at one level of which alone the model was loaded: its effect is that of loading."""
    rows = [row for row in sweep.complete if row.ok]
    cold = [row for row in rows if row.cold]
    for name in sweep.settings:
        found = cold_levels(rows, name)
        if len(found) != 1:
            continue
        at = [row for row in rows if found[0] == shown_setting(row.parameters[name])]
        subject = {**sweep.group.subject, "setting": name, "level": found[0]}
        formula = "rows that succeeded at this level"
        there = counted(subject, "rows", len(at), formula, stands(at))
        loaded = counted(subject, "cold_rows", len(cold), f"{formula} and for which the model was loaded", stands(cold))
        yield Finding(
            kind="effects",
            statement=(
                "Among the rows of ", *who(sweep.group.model, sweep.group.file, sweep.group.series),
                " the model was loaded only where ", Quoted(f"{name} = {found[0]}"), ": ", loaded, " of the ", there,
                " rows there are cold and none elsewhere. Over all rows the effect of ", Quoted(name),
                " on a time that holds the load is that of loading the model; only warm rows can show its own.",
            ),
        )  # fmt: skip


def _order_findings(sweep: Sweep) -> Iterable[Finding]:
    """Rows that were run in the order of nested loops: the outer settings cannot be told from time."""
    rows = in_order(sweep.complete)
    order = loops(rows, sweep.settings)
    shares = {name: share_of_order(rows, name) for name in sweep.settings}
    tied = [name for name in sweep.settings if (shares[name] or 0.0) > _MUCH]
    if order is None and not tied:
        return
    told = "their times" if has_times(rows) else "their order in the file"
    facts = {
        name: counted(
            {**sweep.group.subject, "setting": name}, "order", shares[name] or 0.0,
            "squares of the positions in the order between levels / all squares", stands(rows),
            statistic="eta2", dimension="ratio", n=len(rows),
        )
        for name in sweep.settings
    }  # fmt: skip
    looped: Statement = ()
    if order is not None:
        nested = ", then ".join(order)
        looped = (" in the order of nested loops (", Quoted(nested), ", the last changing fastest), not at random")
    hidden = [(Quoted(name), " (", facts[name], " of the position in the order)") for name in tied]
    with_time: Statement = (
        (". What drifts with time, such as heat, would pass for an effect of ", *listed(hidden)) if hidden else ()
    )
    first = next(iter(facts.values()))
    yield Finding(
        kind="effects",
        statement=(
            "The ", Count(first), " rows of ", *who(sweep.group.model, sweep.group.file, sweep.group.series),
            f" were run, by {told},", *(looped or (" with settings tied to time",)), *with_time, ".",
        ),
    )  # fmt: skip


def _leads(found: Sequence[Measured]) -> tuple[list[Finding], list[Recommendation]]:
    """The best configuration by each metric, of warm rows where a load changes it; advice for the first metric."""
    leads = [lead for each in found if each.speaks and (lead := lead_of(each)) is not None]
    findings = [lead_finding(lead) for lead in leads]
    advice = lead_recommendation(leads[0], findings[0]) if leads else None
    return findings, [] if advice is None else [advice]


def _tests(every: Sequence[Measured]) -> Iterable[Finding]:
    """How many tests were made: of many, some are below 0.05 by chance."""
    tests = [facts["p"] for each in every if each.speaks for facts in each.effects.values() if "p" in facts]
    if not tests:
        return
    small = [fact for fact in tests if (fact.value or 0.0) < SURE]
    formula = "F tests of settings, of all sweeps and metrics, of times that a load changes over warm rows"
    made = counted({"part": "effects"}, "tests", len(tests), formula)
    below = counted(
        {"part": "effects"}, "tests_below_5_percent", len(small), f"{formula}, with p below 0.05", n=len(tests)
    )
    chance = counted({"part": "effects"}, "tests_by_chance", len(tests) * SURE, f"5 % of {formula}", n=len(tests))
    yield Finding(
        kind="effects",
        statement=(
            "Of ", made, " tests of a setting ", below, " have a p below 5 %; by chance alone about ", chance, ".",
        ),
        notable=False,
    )  # fmt: skip


def _left_out(evidence: Evidence) -> Iterable[Finding]:
    for group in evidence.groups:
        found = overfull(group)
        if found:
            yield Finding(
                kind="effects",
                statement=(
                    "In ", *who(group.model, group.file, group.series), " ", *names(found),
                    " took too many different values to be looked at level by level.",
                ),
                notable=False,
            )  # fmt: skip


def _grids(every: Sequence[Measured]) -> Iterable[Grid]:
    rows: list[tuple[Statement, ...]] = []
    for each in every:
        for name, facts in each.effects.items():
            rows.append((
                model_cell(each.sweep.group.model), (Quoted(each.sweep.group.file),), (title(each.metric),),
                (each.condition,), (Quoted(name),), cell(facts, "levels"), (Count(facts["levels"]),),
                cell(facts, "eta2", "-"), cell(facts, "partial eta2", "-"), cell(facts, "spread", "-"),
                cell(facts, "p", "-"),
            ))  # fmt: skip
    head = (
        "Model", "Source", "Metric", "Rows", "Setting", "Levels", "n", "eta^2", "partial eta^2", "Spread of means", "p",
    )  # fmt: skip
    if rows:
        yield table("Effects of settings", head, rows, range(5, len(head)))
    levels = [
        (
            model_cell(each.sweep.group.model), (Quoted(each.sweep.group.file),), (title(each.metric),),
            (each.condition,), (Quoted(name),), (Quoted(level),), n_cell(facts), cell(facts, "mean"),
            cell(facts, "median"), cell(facts, "sd", "n < 2"),
        )
        for each in every
        if each.speaks or each.condition == "all"
        for name, by_level in each.levels.items()
        for level, facts in by_level.items()
    ]  # fmt: skip
    columns = ("Model", "Source", "Metric", "Rows", "Setting", "Level", "n", "Mean", "Median", "SD")
    if levels:
        yield table("Levels of settings", columns, levels, range(6, len(columns)))


def _charts(every: Sequence[Measured]) -> tuple[Chart, ...]:
    """Of each metric that sweeps have most: eta^2 per setting and sweep, all rows beside warm ones."""
    charts = []
    for metric in ("tok/s", "ttft"):
        shown = [each for each in every if each.metric == metric]
        points: dict[str, dict[str, float | None]] = {"all": {}, "warm": {}}
        for each in shown:
            for name, facts in each.effects.items():
                where = f"{each.sweep.group.model or each.sweep.group.file} {name}"
                fact = facts.get("eta2")
                points[each.condition].setdefault(where, None if fact is None else fact.value)
        series = tuple(
            Series(name=f"{condition} rows", points=tuple((where, found.get(where)) for where in points["all"]))
            for condition, found in points.items()
            if found
        )
        if series:
            charts.append(Chart(
                name=f"effects-{metric.replace('/', '_')}", title=f"Variance of {title(metric)} that settings explain",
                unit="share", kind="bars", series=series,
            ))  # fmt: skip
    return tuple(charts)
