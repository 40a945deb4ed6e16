"""Summaries beside their raw rows: every value that is not what the rows give, and every row that was left out."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_chimera.analysis.checks import checks
from pytest_chimera.analysis.described import counted
from pytest_chimera.analysis.evidence import conditions, shown_setting
from pytest_chimera.analysis.fates import stands
from pytest_chimera.analysis.form import Count, Finding, Part, Quoted
from pytest_chimera.analysis.places import places
from pytest_chimera.analysis.sentences import names, number_of, plural, table, title
from pytest_chimera.analysis.written import Stated
from pytest_chimera.records import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.analysis.checks import Check
    from pytest_chimera.analysis.evidence import Evidence, Row
    from pytest_chimera.analysis.form import Grid, Statement

Pair = tuple[str, str, str]
"""Summary file, raw file, model."""


def summaries(evidence: Evidence) -> Part:
    """The part of the report about what was computed by others."""
    found = checks(evidence)
    pairs: dict[Pair, list[Check]] = defaultdict(list)
    for each in found:
        pairs[each.stated.source.file, each.group.file, each.group.model or ""].append(each)
    wrong = {pair: bad for pair, of in pairs.items() if (bad := [each for each in of if not each.agrees])}
    stated = Stated(evidence)
    return Part(
        name="summaries",
        title="Summaries against raw rows",
        findings=(
            *_overall(pairs, wrong),
            *(_finding(pair, pairs[pair], bad, stated) for pair, bad in sorted(wrong.items())),
            *(each for pair in sorted(pairs) for each in _dropped(pair, pairs[pair])),
        ),
        grids=tuple(_grids(wrong, stated)),
    )


def _overall(pairs: dict[Pair, list[Check]], wrong: dict[Pair, list[Check]]) -> Iterable[Finding]:
    if not pairs:
        said = "No file holds a summary whose raw rows are there to check it."
        yield Finding(kind="summaries", statement=(said,), notable=False)
        return
    subject = {"part": "summaries"}
    every = [each.stated for of in pairs.values() for each in of]
    bad = [each.stated for of in wrong.values() for each in of]
    made = counted(
        subject, "checked_pairs", len(pairs), "pairs of a summary and its raw rows, per model", places(every)
    )
    off = counted(
        subject, "disagreeing_pairs", len(wrong), "pairs in which a stated value is not what the raw rows give",
        places(bad), n=len(pairs),
    )  # fmt: skip
    values = counted(subject, "checked_values", len(every), "stated values for which there are raw rows", places(every))
    yield Finding(
        kind="summaries",
        statement=(
            off, " of ", *number_of(made, "pair"), " of a summary and its raw rows ",
            plural(off.value, "disagrees", "disagree"),
            " (", *number_of(values, "value"), " checked, each as rounded).",
        ),
        notable=bool(wrong),
    )  # fmt: skip


def _finding(pair: Pair, of: Sequence[Check], bad: Sequence[Check], stated: Stated) -> Finding:
    """One pair that disagrees, with the value that is off most."""
    summary, raw, model = pair
    worst = max(bad, key=lambda each: (_off(each), each.stated.source.place))
    subject = {"part": "summaries", "summary": summary, "raw": raw, **({"model": model} if model else {})}
    count = counted(
        subject, "disagreeing_values", len(bad), "stated values that the raw rows do not give",
        places(each.stated for each in bad), n=len(of),
    )  # fmt: skip
    of_model: Statement = (" of ", Quoted(model)) if model else ()
    beside: Statement = ("its own raw rows",) if summary == raw else (Quoted(raw),)
    return Finding(
        kind="summaries",
        statement=(
            Quoted(summary), " states ", *number_of(count, "value"), *of_model, " that ", *beside, " ",
            "do" if summary == raw else "does", f" not give, foremost the {worst.stated.statistic} of ",
            f"{title(worst.stated.metric)}: ", stated.fact(worst.stated), " stated, ", *_given(worst), ".",
        ),
    )  # fmt: skip


def _given(check: Check) -> Statement:
    """What the raw rows give instead."""
    fact = _computed(check)
    if fact is None:
        failed = counted(
            _subject(check), "failed_rows", len(check.rows), "rows that it must be of, all failed", stands(check.rows)
        )
        return ("while ", *number_of(failed, "row"), " of which it must be failed")
    note: Statement = (f": {check.note}",) if check.note else ()
    return (fact, " computed from ", Count(fact), f" {plural(fact.n, 'row')}", *note)


def _off(check: Check) -> float:
    """How far a stated value is from the computed one, as a share; where one is missing, as far as can be."""
    if check.stated.value is None or not check.computed:
        return float("inf")
    return abs(check.stated.value / check.computed - 1)


def _subject(check: Check) -> dict[str, str]:
    said = conditions(check.stated)
    return {
        **check.group.subject,
        "summary": check.stated.source.file,
        "place": check.stated.source.place,
        **({"of": said} if said else {}),
    }


def _computed(check: Check) -> Fact | None:
    if check.computed is None:
        return None
    each = check.stated
    return Fact(
        subject={**_subject(check), "as": "computed"},
        metric=each.metric,
        statistic=each.statistic,
        value=check.computed,
        dimension=each.dimension,
        n=len(check.values),
        formula=f"{each.statistic} of the raw rows that succeeded",
        sources=places(check.values),
    )


def _dropped(pair: Pair, of: Sequence[Check]) -> Iterable[Finding]:
    """Configurations that the raw rows have and the summary leaves out."""
    summary, raw, model = pair
    group = of[0].group
    names_of = sorted({name for each in of for name in each.stated.parameters} & _settings(group.rows))
    told = {_configuration(each.stated.parameters, names_of) for each in of}
    if len(told) < 2:  # noqa: PLR2004  # one configuration is a summary of all rows, not a list of them
        return
    left = [row for row in group.rows if _configuration(row.parameters, names_of) not in told]
    if not left:
        return
    subject = {"part": "summaries", "summary": summary, "raw": raw, **({"model": model} if model else {})}
    out = counted(
        subject, "rows_left_out", len(left), "raw rows whose configuration the summary does not have", stands(left)
    )
    rows = counted(subject, "rows", len(group.rows), "raw rows, failed ones included", stands(group.rows))
    failed = all(not row.ok for row in left)
    which = [_shown(row, names_of) for row in left]
    yield Finding(
        kind="summaries",
        statement=(
            Quoted(summary), " leaves out ", out, " of the ", rows, " rows of ", Quoted(raw),
            ", which all failed, and does not say so: " if failed else ": ", *names(which), ".",
        ),
    )  # fmt: skip


def _settings(rows: Sequence[Row]) -> set[str]:
    return {name for row in rows for name in row.parameters}


def _shown(row: Row, chosen: Sequence[str]) -> str:
    return ", ".join(f"{name}={shown_setting(row.parameters[name])}" for name in chosen if name in row.parameters)


def _configuration(parameters: Mapping[str, float | str], chosen: Sequence[str]) -> tuple[float | str | None, ...]:
    return tuple(parameters.get(name) for name in chosen)


def _grids(wrong: dict[Pair, list[Check]], stated: Stated) -> Iterable[Grid]:
    rows: list[tuple[Statement, ...]] = []
    for _, bad in sorted(wrong.items()):
        for each in bad:
            computed = _computed(each)
            rows.append((
                (Quoted(str(each.stated.source)),), (Quoted(each.group.file),), (title(each.stated.metric),),
                (each.stated.statistic,), (stated.fact(each.stated),),
                ("unknown",) if computed is None else (computed,),
                ("0",) if computed is None else (Count(computed),), (each.note,),
            ))  # fmt: skip
    if rows:
        head = ("Stated in", "Raw rows", "Metric", "Statistic", "Stated", "Computed", "n", "Note")
        yield table("Stated values that the raw rows do not give", head, rows, (4, 5, 6))
