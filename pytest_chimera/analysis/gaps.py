"""What the files do not say: of which model, when, on what machine, whether it failed; and how to close each gap."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import counted
from pytest_chimera.analysis.evidence import is_tag
from pytest_chimera.analysis.failures import clusters, failure_findings, failure_grid, failure_recommendations
from pytest_chimera.analysis.filenames import common_folder, kind_of
from pytest_chimera.analysis.form import Finding, Part, Quoted, Recommendation
from pytest_chimera.analysis.places import places
from pytest_chimera.analysis.sentences import names, number_of, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_chimera.analysis.evidence import Evidence
    from pytest_chimera.analysis.form import Statement
    from pytest_chimera.records import Artifact, Measurement

_FATE = re.compile(r"error|exception|fail|success|status|passed|exit|\bok\b", re.IGNORECASE)
"""Columns or keys that can tell a failed row."""
_MACHINE = ("gpu", "cpu")
_MOST_SENTENCES = 10
_MOST_SOURCES = 4


@dataclass(frozen=True, slots=True)
class _Gap:
    """Something that rows or files can lack."""

    name: str
    said: str
    """The rest of the sentence "N files ..."."""
    lacks: Callable[[Artifact, Sequence[Measurement]], bool]


_GAPS = (
    _Gap(
        "model", "name no model for some of their numbers", lambda _, found: any(each.model is None for each in found)
    ),
    _Gap(
        "time",
        "do not say when they were measured",
        lambda file, found: file.time is None and any(each.time is None for each in found),
    ),
    _Gap(
        "zone",
        "give times without a zone",
        lambda file, found: (
            any(each.time is not None and each.zone in {"unknown", "local"} for each in found)
            or (file.time is not None and file.zone in {"unknown", "local"})
        ),
    ),
    _Gap(
        "machine",
        "name neither the GPU nor the CPU that they were measured on",
        lambda file, _: not any(file.environment.get(name) for name in _MACHINE),
    ),
    _Gap(
        "error",
        "have no column that could tell a failed row from a good one",
        lambda file, _: bool(file.schema) and not any(_FATE.search(name) for name in file.schema),
    ),
    _Gap(
        "n",
        "hold aggregates that do not say of how many values",
        lambda _, found: any(each.statistic != "value" and each.n is None for each in found),
    ),
    _Gap(
        "null",
        "hold aggregates without a value",
        lambda _, found: any(each.statistic != "value" and each.value is None and not each.failure for each in found),
    ),
)


def gaps(evidence: Evidence) -> Part:
    """The part of the report about what is missing, what failed and what to measure next."""
    missing = [each for gap in _GAPS for each in _gap_findings(gap, evidence)]
    drift = list(_drift(evidence.files))
    silent = [*_silent(evidence.files), *_absurd(evidence)]
    found = clusters(evidence.groups)
    failed = list(failure_findings(found))
    findings = [*missing, *drift, *silent, *(finding for _, finding in failed)]
    return Part(
        name="gaps",
        title="Gaps",
        findings=tuple(findings) or (Finding(kind="gaps", statement=("Nothing is missing.",), notable=False),),
        grids=tuple(failure_grid(found)),
        recommendations=(
            *_recommendations(evidence, missing),
            *failure_recommendations(failed),
            *_drift_recommendations(drift, evidence.files),
        ),
    )


def _measured(evidence: Evidence) -> dict[str, list[Measurement]]:
    """Numbers of performance by file, without claims of prose."""
    found: dict[str, list[Measurement]] = defaultdict(list)
    for each in evidence.ordered:
        if each.role == "performance" and each.provenance != "claim":
            found[each.source.file].append(each)
    return found


def _gap_findings(gap: _Gap, evidence: Evidence) -> Iterable[Finding]:
    told = _measured(evidence)
    files = [each for each in evidence.files if each.path in told]
    lacking = [each.path for each in files if gap.lacks(each, told[each.path])]
    if not lacking:
        return
    fact = counted(
        {"part": "gaps", "gap": gap.name}, "files", len(lacking), f"files with measured numbers that {gap.said}",
        tuple(lacking[:_MOST_SOURCES]), n=len(files),
    )  # fmt: skip
    every = counted(
        {"part": "gaps"}, "files_with_numbers", len(files), "files with measured numbers of performance",
        tuple(each.path for each in files[:_MOST_SOURCES]),
    )  # fmt: skip
    said = gap.said if len(lacking) > 1 else _singular(gap.said)
    yield Finding(
        kind="gaps",
        statement=(fact, " of ", *number_of(every, "file"), f" with numbers {said}: ", *names(lacking), "."),
    )


def _singular(said: str) -> str:
    """Of one file: "names no model for some of its numbers"."""
    verb, _, rest = said.partition(" ")
    one = {"do": "does", "have": "has"}.get(verb, f"{verb}s")
    return f"{one} {rest}".replace(" their ", " its ").replace("they were", "it was")


def _drift(files: Sequence[Artifact]) -> Iterable[Finding]:
    """Files of one kind whose columns or keys differ."""
    kinds: dict[str, list[Artifact]] = defaultdict(list)
    for each in files:
        if each.schema and each.kind != "markdown" and each.identical_to is None:
            kinds[kind_of(each.path)].append(each)
    drifting = [found for _, found in sorted(kinds.items()) if len({each.schema for each in found}) > 1]
    for found in drifting[:_MOST_SENTENCES]:
        shared = set.intersection(*(set(each.schema) for each in found))
        odd = sorted({name for each in found for name in each.schema} - shared)
        order = () if odd else (" in another order",)
        fact = counted(
            {"part": "gaps", "kind": kind_of(found[0].path)}, "files_with_drift", len(found),
            "files of one kind that do not all have the same columns or keys",
            tuple(each.path for each in found[:_MOST_SOURCES]),
        )  # fmt: skip
        differ: Statement = ("; not in all of them: ", *names(odd)) if odd else ()
        yield Finding(
            kind="gaps",
            statement=(
                *number_of(fact, "file"), " of one kind, such as ", Quoted(found[0].path),
                ", do not have the same columns or keys", *order, *differ, ".",
            ),
        )  # fmt: skip


def _silent(files: Sequence[Artifact]) -> Iterable[Finding]:
    """Files of which nothing was understood, prose aside."""
    empty = [each.path for each in files if not each.measurements and each.kind not in {"markdown", "text", "other"}]
    if empty:
        fact = counted(
            {"part": "gaps"}, "files_without_numbers", len(empty), "data files in which no number was understood",
            tuple(empty[:_MOST_SOURCES]),
        )  # fmt: skip
        yield Finding(
            kind="gaps",
            statement=(
                *number_of(fact, "data file"), " ", plural(fact.value, "holds", "hold"),
                " no number that was understood: ",
                *names(empty), ".",
            ),
        )  # fmt: skip


def _absurd(evidence: Evidence) -> Iterable[Finding]:
    """Numbers that can be no measurements."""
    if evidence.absurd:
        fact = counted(
            {"part": "gaps"}, "absurd_numbers", len(evidence.absurd), "numbers of no size that is measured anywhere",
            places(evidence.absurd),
        )  # fmt: skip
        yield Finding(
            kind="gaps",
            statement=(
                *number_of(fact, "number"), " ", plural(fact.value, "is", "are"),
                " too large or too small to have been measured, and left out: ",
                *names(sorted({each.source.file for each in evidence.absurd})), ".",
            ),
        )  # fmt: skip


def _recommendations(evidence: Evidence, missing: Sequence[Finding]) -> Iterable[Recommendation]:
    """Runs that carry what is missing."""
    if not missing:
        return
    models = sorted({group.model for group in evidence.groups if group.model and is_tag(group.model)})
    chosen = "".join(f" --chimera-model {shlex.quote(model)}" for model in models)
    yield Recommendation(
        statement=("Measure again with saved runs: they carry model, time, machine, settings, rounds and failures.",),
        findings=tuple(missing),
        command=f"pytest{chosen} --chimera-rounds 10 --benchmark-autosave",
    )


def _drift_recommendations(drift: Sequence[Finding], files: Sequence[Artifact]) -> Iterable[Recommendation]:
    if drift:
        folder = common_folder(each.location for each in files)
        yield Recommendation(
            statement=("See what was understood of each file before files of one kind are compared.",),
            findings=tuple(drift),
            command=f"pytest-chimera read {shlex.quote(folder)}",
        )
