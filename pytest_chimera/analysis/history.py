"""How measured values moved from run to run: trends and jumps over several, differences between two.

Two runs have a difference and no trend. A difference counts when it is beyond the noise within the runs and, where
there are enough earlier ones, beyond what these differ from one another.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import counted, mean, sd
from pytest_chimera.analysis.form import Chart, Finding, Part, Quoted, Recommendation, Series
from pytest_chimera.analysis.order import has_times, in_order
from pytest_chimera.analysis.places import places
from pytest_chimera.analysis.runs import SAME_CASES, strands
from pytest_chimera.analysis.sentences import better, model_cell, number_of, plural, table, title, who
from pytest_chimera.distributions import t_tail
from pytest_chimera.records import Fact
from pytest_chimera.stats import UNITS
from pytest_chimera.trends import FEWEST_RUNS, trend_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.analysis.evidence import Evidence, Group
    from pytest_chimera.analysis.form import Grid, Statement
    from pytest_chimera.analysis.runs import Point, Strand
    from pytest_chimera.trends import Trend

SURE = 0.05
SURE_OF_DIFFERENCE = 0.01
"""Stricter: there are many pairs."""
_MOST_POINTS = 200
"""Slopes between any two points are many; of more points the newest are looked at."""
_FEWEST_ROWS = 10
"""Rows of one file from which a drift within it is looked for."""
_FEWEST_EARLIER = 3


def trends(evidence: Evidence) -> Part:
    """The part of the report about time."""
    found = strands(evidence)
    findings: list[Finding] = []
    facts: list[Fact] = []
    pairs: list[tuple[Strand, Point, Point, dict[str, Fact]]] = []
    for strand in found:
        findings += _trend_findings(strand)
        points = strand.points[-_MOST_POINTS:]
        for number, (earlier, later) in enumerate(pairwise(points), 1):
            difference = _difference(strand, points[:number], earlier, later)
            pairs.append((strand, earlier, later, difference))
            facts += difference.values()
    differences = [each for pair in pairs for each in _difference_findings(*pair)]
    findings += differences
    findings += _counted(pairs, len(differences))
    findings += [each for group in evidence.groups for each in _drift(group)]
    if not found:
        findings.append(_nothing(len({group.file for group in evidence.groups})))
    return Part(
        name="trends",
        title="Changes over time",
        findings=tuple(findings),
        grids=tuple(_grids(pairs)),
        charts=_charts(found),
        recommendations=tuple(_recommendations(found, findings, measured=bool(evidence.groups))),
        facts=tuple(facts),
    )


def _nothing(files: int) -> Finding:
    said = "No two files hold runs of one kind at known times, so nothing can be said of changes over time: of "
    read = counted({"part": "trends"}, "files_with_rows", files, "files with rows that were measured")
    return Finding(kind="trends", statement=(said, *number_of(read, "file"), " with measured rows none has a fellow."),
                   notable=False)  # fmt: skip


def _named(strand: Strand) -> Statement:
    """A metric of a kind of runs, as sentences name it."""
    model: Statement = (" of ", Quoted(strand.model)) if strand.model else ()
    if strand.kind == SAME_CASES:
        return (f"{title(strand.metric)}", *model, f" in {SAME_CASES}")
    series: Statement = (" ", Quoted(strand.series)) if strand.series else ()
    return (f"{title(strand.metric)}", *model, " in ", Quoted(strand.kind), *series)


def _trend_findings(strand: Strand) -> Iterable[Finding]:
    points = strand.points[-_MOST_POINTS:]
    if len(points) < FEWEST_RUNS:
        return
    found = trend_of([point.value for point in points], [point.time for point in points])
    slope, p = _trend_facts(strand, found, len(points))
    is_trend = found.p_value < SURE
    zones: Statement = (" Some times carry no zone, so their order may be off by hours.",) if strand.mixes_zones else ()
    word = "a trend of " if is_trend else "no trend: "
    yield Finding(
        kind="trends",
        statement=(
            *_named(strand), ", over ", _runs(strand, len(points)), f" runs: {word}", slope,
            " per run (chance alone gives an order as steady in ", p, " of cases).", *_jump(strand, found), *zones,
        ),
        notable=is_trend or found.change_point is not None,
    )  # fmt: skip


def _runs(strand: Strand, count: int) -> Fact:
    return counted(strand.subject, strand.metric, count, "runs at known times", strand.stands, statistic="runs")


def _trend_facts(strand: Strand, found: Trend, count: int) -> tuple[Fact, Fact]:
    subject, metric, stands = strand.subject, strand.metric, strand.stands
    slope = Fact(
        subject=subject, metric=metric, statistic="slope per run", value=found.slope_per_run, dimension="ratio",
        n=count, formula="Theil-Sen slope of the logarithms over the number of the run, as a share", sources=stands,
    )  # fmt: skip
    p = Fact(
        subject=subject, metric=metric, statistic="p of trend", value=found.p_value, dimension="ratio", n=count,
        formula="Mann-Kendall test, two-sided", sources=stands,
    )  # fmt: skip
    return slope, p


def _jump(strand: Strand, found: Trend) -> Statement:
    if found.change_point is None or found.change_ratio is None:
        return ()
    change = Fact(
        subject=strand.subject, metric=strand.metric, statistic="change", value=found.change_ratio - 1,
        dimension="ratio", n=len(strand.points),
        formula="geometric mean from the change on / the one before it - 1, at the split that explains most",
        sources=strand.stands,
    )  # fmt: skip
    return (" It jumped by ", change, " at ", Quoted(strand.points[found.change_point].file), ".")


def _difference(strand: Strand, before: Sequence[Point], earlier: Point, later: Point) -> dict[str, Fact]:
    """The change from one run to the next, and how often chance alone gives one as large."""
    subject = {**strand.subject, "from": earlier.file, "to": later.file}
    stands = places((*earlier.measurements, *later.measurements))
    count = (earlier.n or 0) + (later.n or 0)
    change = Fact(
        subject=subject, metric=strand.metric, statistic="change", value=later.value / earlier.value - 1,
        dimension="ratio", n=count, formula=f"later / earlier - 1, {strand.basis}", sources=stands,
    )  # fmt: skip
    known = [(p, how) for p, how in (_within(earlier, later), _between(before, later)) if p is not None]
    if not known:
        return {"change": change}
    p, how = max(known)
    sure = Fact(
        subject=subject, metric=strand.metric, statistic="p", value=p, dimension="ratio", n=count, formula=how,
        sources=stands,
    )  # fmt: skip
    return {"change": change, "p": sure}


def _within(earlier: Point, later: Point) -> tuple[float | None, str]:
    """Welch's test of the means by the spread within both runs."""
    how = "Welch's t test of the two means, two-sided"
    if earlier.sd is None or later.sd is None or not earlier.n or not later.n or min(earlier.n, later.n) < 2:  # noqa: PLR2004  # no spread of one value
        return None, how
    one, other = earlier.sd**2 / earlier.n, later.sd**2 / later.n
    if one + other == 0:
        return (1.0 if earlier.value == later.value else 0.0), how
    df = (one + other) ** 2 / (one**2 / (earlier.n - 1) + other**2 / (later.n - 1))
    return min(1.0, 2 * t_tail(abs(later.value - earlier.value) / math.sqrt(one + other), df)), how


def _between(before: Sequence[Point], later: Point) -> tuple[float | None, str]:
    """How far the run is from the earlier ones, by what these differ among themselves."""
    how = "t test of the run against the spread of all earlier runs, on logarithms, two-sided"
    logs = [math.log(point.value) for point in before]
    spread = sd(logs)
    if len(logs) < _FEWEST_EARLIER or not spread:
        return None, how
    t = abs(math.log(later.value) - mean(logs)) / (spread * math.sqrt(1 + 1 / len(logs)))
    return min(1.0, 2 * t_tail(t, len(logs) - 1)), how


def _difference_findings(strand: Strand, earlier: Point, later: Point, facts: dict[str, Fact]) -> Iterable[Finding]:
    """Only what is beyond noise; the table has the others."""
    p = facts.get("p")
    if p is None or (p.value or 0.0) >= SURE_OF_DIFFERENCE:
        return
    change = facts["change"].value or 0.0
    direction = better(strand.metric)
    verdict = "" if direction is None else ", better" if (change > 0) == (direction == "higher") else ", worse"
    yield Finding(
        kind="trends",
        statement=(
            *_named(strand), " changed by ", facts["change"], f"{verdict}, from ", Quoted(earlier.file), " to ",
            Quoted(later.file), "; chance alone gives as much in ", p, " of cases. ", *_caution(strand, later),
        ),
    )  # fmt: skip


def _counted(pairs: Sequence[tuple[Strand, Point, Point, dict[str, Fact]]], clear: int) -> Iterable[Finding]:
    """How many pairs of runs there are, and how many of them differ beyond noise."""
    if pairs:
        stands = pairs[0][0].stands
        told = [each for each in pairs if "p" in each[3]]
        subject = {"part": "trends"}
        every = counted(subject, "successive_runs", len(pairs), "pairs of successive runs of one kind", stands)
        judged = counted(subject, "judged_pairs", len(told), "of these, those that state how much they vary", stands)
        beyond = counted(
            subject, "differences", clear, "of these, those beyond noise (p below 1 %)", stands, n=len(told)
        )
        yield Finding(
            kind="trends",
            statement=(
                "Of ", *number_of(every, "change"), " from one run to the next ", judged, " can be judged, and ",
                beyond, f" {plural(clear, 'is', 'are')} beyond noise.",
            ),
            notable=False,
        )  # fmt: skip


def _caution(strand: Strand, later: Point) -> Statement:
    if strand.points.index(later) >= _FEWEST_EARLIER:
        return ("Earlier runs differ less from one another.",)
    return ("How much runs differ when nothing was changed is not known from so few.",)


def _drift(group: Group) -> Iterable[Finding]:
    """A steady rise or fall of speed within one file, in the order in which its rows were run."""
    metric = "tok/s"
    ran = [row for row in in_order(group.rows) if metric in row.values and not row.cold]
    values = [row.values[metric].value or 0.0 for row in ran][-_MOST_POINTS:]
    if len(values) < _FEWEST_ROWS or min(values) <= 0:
        return
    found = trend_of(values, [None] * len(values))
    if found.p_value >= SURE_OF_DIFFERENCE:
        return
    stands = places(row.values[metric] for row in ran)
    slope = Fact(
        subject={**group.subject, "rows": "warm"}, metric=metric, statistic="slope per row", value=found.slope_per_run,
        dimension="ratio", n=len(values), formula="Theil-Sen slope of the logarithms over the rows in order",
        sources=stands,
    )  # fmt: skip
    p = Fact(
        subject={**group.subject, "rows": "warm"}, metric=metric, statistic="p of trend", value=found.p_value,
        dimension="ratio", n=len(values), formula="Mann-Kendall test over the rows in order, two-sided", sources=stands,
    )  # fmt: skip
    told = "their times" if has_times(group.rows) else "their order in the file"
    yield Finding(
        kind="trends",
        statement=(
            "Within ", *who(group.model, group.file, group.series), f" {title(metric)} drifts by ", slope,
            f" per row, by {told} (chance alone in ", p, " of cases): what was varied along with time shares in it.",
        ),
    )  # fmt: skip


def _grids(pairs: Sequence[tuple[Strand, Point, Point, dict[str, Fact]]]) -> Iterable[Grid]:
    rows: list[tuple[Statement, ...]] = [
        (
            (title(strand.metric),), model_cell(strand.model), (Quoted(earlier.file),), (Quoted(later.file),),
            (strand.basis,), (facts["change"],), (facts["p"],) if "p" in facts else ("unknown",),
        )
        for strand, earlier, later, facts in pairs
    ]  # fmt: skip
    if rows:
        head = ("Metric", "Model", "From", "To", "Basis", "Change", "p")
        yield table("From run to run", head, rows, (5, 6))


def _charts(found: Sequence[Strand]) -> tuple[Chart, ...]:
    """The metric that most runs have, over time."""
    known = [strand for strand in found if len(strand.points) >= FEWEST_RUNS]
    if not known:
        return ()
    first = known[0]
    shown = [strand for strand in known if strand.metric == first.metric][:_MOST_LINES]
    series = tuple(
        Series(
            name=" ".join(filter(None, (strand.model, strand.kind, strand.series))),
            points=tuple(
                (point.time.strftime("%Y-%m-%d %H:%M"), point.value) for point in strand.points[-_MOST_POINTS:]
            ),
        )
        for strand in shown
    )
    unit = UNITS[first.points[0].measurements[0].dimension]
    return (Chart(name="trend", title=f"{title(first.metric)} over time", unit=unit, kind="lines", series=series),)


_MOST_LINES = 6


def _recommendations(
    found: Sequence[Strand], findings: Sequence[Finding], *, measured: bool
) -> Iterable[Recommendation]:
    """Saved runs, which the gate can compare, where runs are too few for a trend."""
    if not findings:
        return
    few = [strand for strand in found if len(strand.points) < _FEWEST_EARLIER + 1]
    if few or (measured and not found):
        yield Recommendation(
            statement=(
                "Save each run, so that the next one is compared with several earlier ones under the same conditions.",
            ),
            findings=tuple(findings[:1]),
            command="pytest --benchmark-autosave --chimera-rounds 10 --chimera-baseline last:5",
        )
