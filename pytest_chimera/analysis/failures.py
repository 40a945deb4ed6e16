"""Rows that failed, by their cause: how many, where, when, and whether anything in the same files succeeded."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import counted
from pytest_chimera.analysis.evidence import is_tag, moment
from pytest_chimera.analysis.fates import stands
from pytest_chimera.analysis.form import Finding, Quoted, Recommendation
from pytest_chimera.analysis.sentences import listed, names, number_of, plural, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.analysis.evidence import Group, Row
    from pytest_chimera.analysis.form import Grid, Statement
    from pytest_chimera.records import Fact

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NUMBER = re.compile(r"\d+(?:[.,:\-]\d+)*")
_MASKED = "masked:"
"""So begins the failure of a row that says of itself that it succeeded."""
_CONNECTION = re.compile(r"connect|refused|unreachable|address|url|host|protocol", re.IGNORECASE)
_MOST_CLUSTERS = 20
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rows that failed with one cause."""

    reason: str
    """Of its first row, cut."""
    rows: tuple[Row, ...]
    spoilt: tuple[str, ...]
    """Files in which every row failed."""

    @property
    def files(self) -> list[str]:
        """Files in which rows failed so."""
        return sorted({row.place[0] for row in self.rows})

    @property
    def models(self) -> list[str]:
        """Models whose rows failed so."""
        return sorted({row.model for row in self.rows if row.model})

    @property
    def times(self) -> list[str]:
        """The first and the last time, as they stand there; one where they are the same."""
        known = sorted({row.time for row in self.rows if row.time}, key=lambda text: (moment(text) or 0.0, text))
        return [known[0], known[-1]] if len(known) > 1 else known

    @property
    def fact(self) -> Fact:
        """How many rows."""
        return counted(
            {"part": "gaps", "cause": normal(self.reason)}, "failed_rows", len(self.rows),
            "rows that failed with one cause; numbers and quoted words in it do not matter", stands(self.rows),
        )  # fmt: skip


def normal(reason: str) -> str:
    """A reason without what differs from row to row: numbers and quoted words."""
    return " ".join(_NUMBER.sub("N", _QUOTED.sub("'...'", reason)).split())[:_LONGEST_REASON]


def clusters(groups: Iterable[Group]) -> list[Cluster]:
    """Failed rows by cause, the most frequent first."""
    by_cause: dict[str, list[Row]] = defaultdict(list)
    alive: dict[str, bool] = {}
    for group in groups:
        for row in group.rows:
            alive[group.file] = alive.get(group.file, False) or row.ok
            if row.failure is not None:
                by_cause[normal(row.failure)].append(row)
    found = [
        Cluster(
            (rows[0].failure or "")[:_LONGEST_REASON],
            tuple(rows),
            tuple(sorted({row.place[0] for row in rows if not alive[row.place[0]]})),
        )
        for rows in by_cause.values()
    ]
    return sorted(found, key=lambda each: (-len(each.rows), each.reason))


def failure_findings(found: Sequence[Cluster]) -> Iterable[tuple[Cluster, Finding]]:
    """One finding per cause, in the words of whoever wrote it."""
    for each in found[:_MOST_CLUSTERS]:
        times: Statement = ()
        if each.times:
            times = (", ", *listed([(Quoted(text),) for text in each.times], " to "))
        spoilt: Statement = (". No row succeeded in ", *names(each.spoilt)) if each.spoilt else ()
        masked = ". These rows say of themselves that they succeeded" if each.reason.startswith(_MASKED) else ""
        yield each, Finding(
            kind="gaps",
            statement=(
                *number_of(each.fact, "row"), " failed with ", Quoted(each.reason), " in ", *names(each.files), *times,
                *spoilt, f"{masked}.",
            ),
        )  # fmt: skip


def failure_grid(found: Sequence[Cluster]) -> Iterable[Grid]:
    """Causes, rows, files, models and times."""
    rows = [
        (
            (Quoted(each.reason),), (each.fact,), names(each.files), names(each.models) or ("unknown",),
            listed([(Quoted(text),) for text in each.times], " to ") or ("unknown",),
        )
        for each in found
    ]  # fmt: skip
    if rows:
        yield table("Why rows failed", ("Cause", "Rows", "Files", "Models", "Time"), rows, (1,))


def failure_recommendations(found: Iterable[tuple[Cluster, Finding]]) -> Iterable[Recommendation]:
    """Measure again what failed, once per set of models; a host is named where no connection was made."""
    taken: set[str] = set()
    for each, finding in found:
        models = [model for model in each.models if is_tag(model)]
        if not models or not each.spoilt:
            continue
        chosen = "".join(f" --chimera-model {shlex.quote(model)}" for model in models)
        lost = _CONNECTION.search(each.reason) is not None
        command = f"pytest{chosen}{' --chimera-host http://127.0.0.1:11434' if lost else ''} --benchmark-autosave"
        if command in taken:
            continue
        taken.add(command)
        word = plural(len(each.spoilt), "a file that holds", "files that hold")
        why = ", with a host that can be reached" if lost else ""
        yield Recommendation(
            statement=("Measure ", *names(models), f" again in place of {word} no row that succeeded{why}."),
            findings=(finding,),
            command=command,
        )
