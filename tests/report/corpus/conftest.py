"""A corpus that never was: files, measurements and an analysis with round numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.analysis.form import (
    Analysis,
    Chart,
    Count,
    Finding,
    Grid,
    Part,
    Quoted,
    Recommendation,
    Series,
)
from pytest_chimera.records import Artifact, Fact, Leftover, Measurement, Source
from pytest_chimera.report import CorpusView, Report, ReportInput, build_report

if TYPE_CHECKING:
    from datetime import datetime

BIG = "big:8b-q4_0"
SMALL = "small:latest"
RUNS = "reports/runs.csv"
COPY = "csv_data/runs.csv"
NOTES = "reports/notes.md"
BROKEN = "reports/broken.json"
SPEEDS = {BIG: (70.0, 74.0, 78.0), SMALL: (280.0, 290.0, 300.0)}


def artifact(path: str, kind: str, **changes: Any) -> Artifact:
    """A file of 1 KiB with nothing in it."""
    fields: dict[str, Any] = {
        "path": path, "location": f"/somewhere/{path}", "kind": kind, "format": "table", "size_bytes": 1024,
        "digest": f"{len(path):064x}", "environment": {},
    }  # fmt: skip
    return Artifact(**{**fields, **changes})


def measurement(model: str, row: int, metric: str, value: float | None, **changes: Any) -> Measurement:
    """One number of a row of the runs, which stands in the copy of that file, too."""
    fields: dict[str, Any] = {
        "metric": metric, "value": value, "dimension": "rate" if metric == "tok/s" else "time", "model": model,
        "size": "8B" if model == BIG else None, "parameters": {"num_gpu": 40.0}, "labels": {"prompt": "sky"},
        "time": f"2025-10-0{row}T08:00:00", "row": row, "source": Source(RUNS, f"row {row} {metric}"),
        "copies": (Source(COPY, f"row {row} {metric}"),),
    }  # fmt: skip
    return Measurement(**{**fields, **changes})


def measurements() -> tuple[Measurement, ...]:
    """Six rows that went well, each with two numbers, and one that failed."""
    found = []
    for number, (model, speed) in enumerate(((m, s) for m, many in SPEEDS.items() for s in many), 1):
        found.append(measurement(model, number, "tok/s", speed, cold=number == 1))
        found.append(measurement(model, number, "ttft", 0.9 if number == 1 else 0.05, cold=number == 1))
    failed = {"failure": "HTTP 500: model runner has stopped", "time": None, "copies": ()}
    return (*found, measurement(BIG, 7, "tok/s", None, **failed))


def mean(model: str, **changes: Any) -> Fact:
    """The mean throughput of a model."""
    rows = "rows 1-3" if model == BIG else "rows 4-6"
    values = SPEEDS.get(model, (1.0,))
    fields: dict[str, Any] = {
        "subject": {"model": model}, "metric": "tok/s", "statistic": "mean", "value": sum(values) / len(values),
        "dimension": "rate", "n": len(values), "formula": "arithmetic mean", "sources": (f"{RUNS} {rows} tok/s",),
    }  # fmt: skip
    return Fact(**{**fields, **changes})


def median(model: str) -> Fact:
    """The median throughput of a model."""
    return mean(model, statistic="median", formula="median")


FAILED = mean(
    BIG, metric="failed_rows", statistic="count", value=1.0, dimension="count", n=1, formula="rows that failed",
    sources=(f"{RUNS} row 7 tok/s",),
)  # fmt: skip
FASTER = Finding(
    kind="models",
    statement=(
        Quoted(SMALL), " has a higher mean throughput, ", mean(SMALL), ", than ", Quoted(BIG), ", ", mean(BIG),
        ", over ", Count(mean(BIG)), " rows each.",
    ),
)  # fmt: skip
CAUSE = Finding(
    kind="gaps",
    statement=(FAILED, " row of ", Quoted(BIG), " failed with ", Quoted("HTTP 500: model runner has stopped"), "."),
)
CALM = Finding(kind="gaps", statement=("Every file says its unit.",), notable=False)
REPEAT = Recommendation(
    statement=(
        "Measure ",
        Quoted(BIG),
        " again, because a row failed.",
    ),
    findings=(CAUSE,),
    command="pytest reports --chimera-model big:8b-q4_0",
)


def analysis() -> Analysis:
    """Two models and a failed row."""
    throughput = Grid(
        title="Throughput",
        head=("Model", "n", "Mean"),
        rows=tuple(((Quoted(model),), (Count(mean(model)),), (mean(model),)) for model in SPEEDS),
        right=(1, 2),
    )
    chart = Chart(
        name="throughput",
        title="Throughput per model",
        unit="tok/s",
        kind="bars",
        series=(Series(name="mean", points=tuple((model, mean(model).value) for model in SPEEDS)),),
    )
    named = Grid(title="Names", head=("File", "Better"), rows=(((Quoted(RUNS),), (Quoted("big_8b_runs.csv"),)),))
    return Analysis(
        parts=(
            Part(
                name="models", title="Models", findings=(FASTER,), grids=(throughput,), charts=(chart,),
                facts=tuple(median(model) for model in SPEEDS),
            ),
            Part(name="gaps", title="Gaps", findings=(CALM, CAUSE), recommendations=(REPEAT,)),
            Part(name="naming", title="Names of files", grids=(named,)),
        )
    )  # fmt: skip


def view(**changes: Any) -> CorpusView:
    """Four files of two folders: runs, their copy, notes of which a part was not understood, and a broken one."""
    left = (
        *(Leftover(file=NOTES, place=f"line {n}", reason=f"'speed {n}' has no unit", kind="no unit") for n in range(9)),
        Leftover(file=BROKEN, place="", reason="it ends within an object", kind="broken", count=3),
    )
    numbers = {"schema": ("model", "tok/s", "ttft"), "rows": 7, "failed_rows": 1, "measurements": 13}
    fields: dict[str, Any] = {
        "roots": ("results",),
        "artifacts": (
            artifact(COPY, "csv", identical_to=RUNS, **numbers),
            artifact(BROKEN, "json", format="unknown", left=left[9:]),
            artifact(NOTES, "markdown", format="report", left=left[:9]),
            artifact(RUNS, "csv", **numbers),
        ),
        "measurements": measurements(),
        "others": (measurement(SMALL, 4, "accuracy", 0.5, dimension="ratio", role="other"),),
        "left": left,
        "analysis": analysis(),
        "times": {"ingest": 0.025, "analysis": 0.125},
    }
    return CorpusView(**{**fields, **changes})


class Corpora:
    """What the tests of this folder ask for."""

    BIG, SMALL, RUNS, COPY, NOTES, BROKEN = BIG, SMALL, RUNS, COPY, NOTES, BROKEN
    FAILED, FASTER, CAUSE, CALM, REPEAT = FAILED, FASTER, CAUSE, CALM, REPEAT
    artifact = staticmethod(artifact)
    measurement = staticmethod(measurement)
    mean = staticmethod(mean)
    view = staticmethod(view)


@pytest.fixture
def corpora() -> Corpora:
    """The corpus and its parts."""
    return Corpora()


@pytest.fixture
def given(created: datetime, corpora: Corpora) -> ReportInput:
    """A corpus alone: no case, no model."""
    return ReportInput(results=(), created=created, suite="technical_report", corpus=corpora.view())


@pytest.fixture
def report(given: ReportInput) -> Report:
    """The report on it."""
    return build_report(given)


class SmallClaim:
    """A number of a text, supported where a fact has the very same value."""

    def __init__(self, number: str, start: int, facts: list[Fact]) -> None:
        self.text, self.start, self.end, self.weak, self.numeric = number, start, start + len(number), False, True
        self.found: tuple[Fact, ...] = ()
        same = [fact.id for fact in facts if fact.value is not None and fact.value == float(number)]
        self.facts = tuple(same)
        self.verdict = "supported" if same else "unsupported"

    def as_dict(self) -> dict[str, Any]:
        """Enough to be told apart."""
        return {"text": self.text, "verdict": self.verdict, "facts": list(self.facts), "found": []}


class SmallCheck:
    """The smallest claim check there is: every number is a claim but those behind "by", which are dates."""

    def __init__(self, text: str, facts: Any) -> None:
        found = re.finditer(r"(?<!by )(?<![\w.:])\d+(?:\.\d+)?", text)
        self.claims = [SmallClaim(each[0], each.start(), list(facts)) for each in found]


@pytest.fixture
def checker() -> type[SmallCheck]:
    """A claim check that can be followed by eye."""
    return SmallCheck
