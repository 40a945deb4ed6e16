"""On what it was measured, and what the machine did meanwhile: per file, and never two series of telemetry together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import counted, described
from pytest_chimera.analysis.form import Finding, Part, Quoted
from pytest_chimera.analysis.sentences import cell, listed, n_cell, names, number_of, table, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.analysis.evidence import Evidence, Group
    from pytest_chimera.analysis.form import Grid, Statement
    from pytest_chimera.records import Artifact, Fact

_MOST_SOURCES = 4
_STATISTICS = ("count", "mean", "median", "min", "max", "p95", "sd")
_TOLD = ("gpu", "cpu")
_WHERE = {"host"}
"""Addresses say where a server was reached, not what it ran on."""


def environment(evidence: Evidence) -> Part:
    """The part of the report about machines and their resources."""
    machines = _machines(evidence.files)
    resources = [(group, metric, _facts(group, metric)) for group in evidence.groups for metric in _metrics(group)]
    return Part(
        name="environment",
        title="Environment and resources",
        findings=(*_machine_findings(machines, evidence.files), *_resource_findings(resources)),
        grids=(*_machine_grid(machines), *_resource_grid(resources)),
        facts=tuple(fact for *_, facts in resources for fact in facts.values()),
    )


def _metrics(group: Group) -> list[str]:
    return group.metrics("resource")


def _facts(group: Group, metric: str) -> dict[str, Fact]:
    return described(group.values(metric), group.subject, statistics=_STATISTICS)


def _machines(files: Sequence[Artifact]) -> dict[tuple[tuple[str, str], ...], list[Artifact]]:
    """Files by what they say of the machine and the versions."""
    found: dict[tuple[tuple[str, str], ...], list[Artifact]] = defaultdict(list)
    for each in files:
        if each.environment:
            found[tuple(sorted(each.environment.items()))].append(each)
    return dict(sorted(found.items(), key=lambda each: each[1][0].path))


def _machine_findings(
    machines: dict[tuple[tuple[str, str], ...], list[Artifact]], files: Sequence[Artifact]
) -> Iterable[Finding]:
    telling = [each for found in machines.values() for each in found]
    subject = {"part": "environment"}
    every = counted(subject, "files", len(files), "files", tuple(each.path for each in files[:_MOST_SOURCES]))
    told = counted(
        subject, "files_with_environment", len(telling), "files that say something of the machine or the versions",
        tuple(each.path for each in telling[:_MOST_SOURCES]), n=len(files),
    )  # fmt: skip
    yield Finding(
        kind="environment",
        statement=(told, " of ", *number_of(every, "file"), " say something of the machine or the versions."),
        notable=bool(telling),
    )
    names_of = sorted({name for machine in machines for name, _ in machine} - _WHERE)
    for name in names_of:
        values = sorted({text for machine in machines for key, text in machine if key == name})
        if len(values) > 1:
            yield Finding(
                kind="environment",
                statement=(
                    "Not all files were made with one ", Quoted(name), ": ", *names(values),
                    "; what was measured under one is not to be compared with the other unseen.",
                ),
            )  # fmt: skip
        elif name in _TOLD:
            yield Finding(kind="environment", statement=("One ", Quoted(name), " is named: ", Quoted(values[0]), "."))


def _machine_grid(machines: dict[tuple[tuple[str, str], ...], list[Artifact]]) -> Iterable[Grid]:
    rows: list[tuple[Statement, ...]] = [
        (
            listed([(Quoted(name), " ", Quoted(text)) for name, text in machine], ", "),
            names([each.path for each in found]),
        )
        for machine, found in machines.items()
    ]
    if rows:
        yield table("Machines and versions", ("What is said", "By"), rows, ())


def _resource_findings(resources: Sequence[tuple[Group, str, dict[str, Fact]]]) -> Iterable[Finding]:
    """How busy the machine was, of each series that says so."""
    by_series: dict[tuple[str, str], list[tuple[str, dict[str, Fact]]]] = defaultdict(list)
    for group, metric, facts in resources:
        by_series[group.file, group.series].append((metric, facts))
    for (file, series), found in sorted(by_series.items()):
        parts: list[Statement] = [
            (f"{title(metric)} ", facts["mean"], " on average and ", facts["max"], " at most")
            for metric, facts in found
            if metric in _SHOWN
        ]
        if parts:
            where: Statement = (Quoted(file), " ", Quoted(series)) if series else (Quoted(file),)
            first = found[0][1]["count"]
            yield Finding(
                kind="environment",
                statement=("Over ", *number_of(first, "sample"), " in ", *where, ": ", *listed(parts), "."),
            )
    if not by_series:
        said = "No file holds measurements of the machine's resources."
        yield Finding(kind="environment", statement=(said,), notable=False)


_SHOWN = ("cpu", "gpu_util", "vram_used", "ram_used", "power", "gpu_temp", "process_cpu", "process_ram")
"""Resources that a sentence names; the table has all."""


def _resource_grid(resources: Sequence[tuple[Group, str, dict[str, Fact]]]) -> Iterable[Grid]:
    rows: list[tuple[Statement, ...]] = [
        (
            (Quoted(group.file), " ", Quoted(group.series)) if group.series else (Quoted(group.file),),
            (title(metric),),
            n_cell(facts), cell(facts, "mean"), cell(facts, "median"), cell(facts, "min"), cell(facts, "max"),
            cell(facts, "p95", "n < 20"),
        )
        for group, metric, facts in resources
    ]  # fmt: skip
    if rows:
        head = ("Series", "Resource", "n", "Mean", "Median", "Min", "Max", "p95")
        yield table("Resources", head, rows, range(2, len(head)))
