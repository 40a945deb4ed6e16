"""The whole analysis: what does not matter, and that every number has one name."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.analysis import Evidence, analyse
from pytest_chimera.records import Source

if TYPE_CHECKING:
    from pytest_chimera.records import Fact, Measurement
    from tests.analysis.conftest import Maker

PARTS = ["models", "effects", "trends", "summaries", "duplicates", "gaps", "environment", "naming"]


@pytest.fixture(scope="module")
def folder(make: Maker) -> Evidence:
    """Sweeps of two models at several times with cold and failed rows, a summary, telemetry, a copy."""
    chance = random.Random(5)
    found: list[Measurement] = []
    for day, model in ((1, "toy:1b"), (2, "toy:1b"), (3, "toy:1b"), (1, "toy:7b")):
        file = f"runs/{model[4:]}_2026010{day}-120000.csv"
        for number in range(1, 25):
            known: dict[str, Any] = {
                "file": file, "model": model, "time": f"2026-01-0{day}T12:{number:02d}:00+00:00", "zone": "utc",
                "parameters": {"num_ctx": 1024.0 * (1 + number % 3), "temperature": 0.2 * (1 + number % 2)},
                "labels": {"prompt": f"p{number % 4}"}, "cold": number % 6 == 0,
            }  # fmt: skip
            failure = "timed out" if number == 7 else None
            values = {
                "tok/s": chance.gauss(50, 1),
                "ttft": chance.uniform(0.1, 0.2),
                "load": 2.0 if known["cold"] else 0.1,
            }
            found += make.row(number, values, failure=failure, **known)
    found += [make.aggregate("tok/s", "mean", 12.3, file="runs/1b_summary_20260101-120000.csv", model="toy:1b")]
    found += [
        each for n in range(1, 4) for each in make.row(n, {"cpu": n / 10}, file="t.json", series="/s", model=None)
    ]
    found[0] = replace(found[0], copies=(Source("runs/copy.json", "/0/tok_s"),))
    files = [make.file(path) for path in sorted({each.source.file for each in found})]
    files += [
        make.file("runs/copy.json"),
        make.file("z/t.json", identical_to="t.json"),
        make.file("README.md", kind="markdown"),
    ]
    return Evidence(measurements=tuple(found), artifacts=tuple(files))


def shuffled(evidence: Evidence, seed: int) -> Evidence:
    """The same in another order."""
    chance = random.Random(seed)
    mixed = {name: list(getattr(evidence, name)) for name in ("measurements", "others", "artifacts", "left")}
    for items in mixed.values():
        chance.shuffle(items)
    return Evidence(**{name: tuple(items) for name, items in mixed.items()})


def every_fact(make: Maker, evidence: Evidence) -> list[Fact]:
    """The facts of all parts, repeated ones again."""
    return [fact for part in analyse(evidence).parts for fact in make.facts(part)]


def test_the_parts_come_in_the_order_of_the_report(folder: Evidence) -> None:
    """Eight parts, each with a title and a finding."""
    analysis = analyse(folder)
    assert [part.name for part in analysis.parts] == PARTS
    assert all(part.title and part.findings for part in analysis.parts)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_measurements_and_files_plays_no_part(folder: Evidence, seed: int) -> None:
    """Shuffled, the analysis is equal to the last digit, sources and sentences too."""
    assert analyse(shuffled(folder, seed)) == analyse(folder)


def test_each_fact_has_an_id_of_its_own(make: Maker, folder: Evidence) -> None:
    """Two facts of one id are one and the same fact."""
    by_id: dict[str, Fact] = {}
    for fact in every_fact(make, folder):
        assert by_id.setdefault(fact.id, fact) == fact
    assert len(by_id) > 300


def test_every_fact_says_where_it_comes_from(make: Maker, folder: Evidence) -> None:
    """Each fact that rests on values has a formula, and names its places or counts none."""
    for fact in every_fact(make, folder):
        assert fact.formula
        assert fact.sources or fact.value == 0 or fact.metric.startswith("tests")


def test_every_recommendation_rests_on_findings_and_ends_in_a_command(folder: Evidence) -> None:
    """No advice without a reason and a way to follow it."""
    advice = analyse(folder).recommendations
    assert len(advice) > 2
    assert all(each.findings and each.command.split()[0] in {"pytest", "pytest-chimera", "find"} for each in advice)
    known = analyse(folder).findings
    assert all(finding in known for each in advice for finding in each.findings)


def test_an_extra_column_changes_nothing_that_was_said(make: Maker, folder: Evidence) -> None:
    """Another metric in every row leaves each fact about the others as it was."""
    extra = [
        replace(each, metric="words", dimension="count", source=Source(each.source.file, f"row {each.row} words"))
        for each in folder.measurements
        if each.metric == "ttft"
    ]
    one = {fact.id: fact for fact in every_fact(make, folder)}
    other = {
        fact.id: fact
        for fact in every_fact(make, Evidence(measurements=(*folder.measurements, *extra), artifacts=folder.artifacts))
    }
    speaking = [fact for fact in one.values() if fact.metric in {"tok/s", "ttft", "load", "rows", "failed_rows", "cpu"}]
    assert [other.get(fact.id) for fact in speaking if fact.subject.get("part") != "gaps"] == [
        fact for fact in speaking if fact.subject.get("part") != "gaps"
    ]


def test_the_unit_changes_no_share(make: Maker, folder: Evidence) -> None:
    """Times and speeds in a unit of another size have the same effects, p-values and changes."""
    scaled = tuple(
        replace(each, value=None if each.value is None else each.value * 1024) if each.metric != "cpu" else each
        for each in folder.measurements
    )
    shares = ("eta2", "partial eta2", "p", "spread", "change", "p of trend", "slope per run")
    one, other = (
        {fact.id: fact.value for fact in every_fact(make, evidence) if fact.statistic in shares}
        for evidence in (folder, Evidence(measurements=scaled, artifacts=folder.artifacts))
    )
    assert one.keys() == other.keys()
    assert all(other[name] == pytest.approx(value, rel=1e-9, abs=1e-12) for name, value in one.items())


def test_nothing_at_all_is_said_so() -> None:
    """An empty folder has parts that say that there is nothing, and no fact but counts of nothing."""
    analysis = analyse(Evidence())
    assert [part.name for part in analysis.parts] == PARTS
    assert all(not finding.notable for finding in analysis.findings)
    assert {fact.value for fact in analysis.facts} <= {0}
    assert analysis.recommendations == ()


def test_ids_stay_the_same_when_rows_are_added(make: Maker, folder: Evidence) -> None:
    """A mean over more rows is the same fact with another value."""
    more = make.row(30, {"tok/s": 55.0}, file="runs/1b_20260101-120000.csv", model="toy:1b")
    one = {fact.id: fact for fact in every_fact(make, folder)}
    other = {
        fact.id: fact
        for fact in every_fact(make, Evidence(measurements=(*folder.measurements, *more), artifacts=folder.artifacts))
    }
    changed = [name for name, fact in one.items() if name in other and other[name].value != fact.value]
    assert one[changed[0]].formula == other[changed[0]].formula
    assert len(set(one) - set(other)) < 20
