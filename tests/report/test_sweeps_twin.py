"""Sweeps in the JSON twin of a report: read back from the file, each number with its fact."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.corpus import read_corpus
from pytest_chimera.report import ReportInput, build_report
from pytest_chimera.report.twin import facts_from
from pytest_chimera.report.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    Make = Callable[..., Any]
    Read = Callable[..., dict[str, Any]]

ID = "tests/test_bench.py::test_sweep[gemma3:latest]"
BEST, SECOND = "num_ctx=512,temperature=0.8", "num_ctx=512,temperature=0.2"


def grid(**parameters: list[Any]) -> list[dict[str, Any]]:
    """Every combination, the last parameter changing fastest."""
    return [dict(zip(parameters, levels, strict=True)) for levels in itertools.product(*parameters.values())]


def by_num_ctx(point: Mapping[str, Any]) -> float:
    """A tenth slower with the larger window."""
    return 1.1 if point["num_ctx"] == 2048 else 1.0


GRID = grid(num_ctx=[512, 2048], temperature=[0.2, 0.8])


@pytest.fixture
def read(created: datetime, tmp_path: Path) -> Read:
    """Writes the report on results and reads its JSON file back."""

    def twin(*results: Any) -> dict[str, Any]:
        files = build_report(ReportInput(results=results, created=created, suite="s")).write(tmp_path / ".chimera")
        found: dict[str, Any] = json.loads(files.json.read_text(encoding="utf-8"))
        return found

    return twin


def numbers(part: Any) -> Iterator[Mapping[str, Any]]:
    """Every object with a fact, at any depth."""
    if isinstance(part, dict):
        if "fact" in part:
            yield part
        for each in part.values():
            yield from numbers(each)
    elif isinstance(part, list):
        for each in part:
            yield from numbers(each)


def test_every_number_is_the_value_of_its_fact(swept: Make, failed: Make, read: Read) -> None:
    """Each value stands beside the id of a fact of the same file that has this value."""
    results = swept(GRID, by_num_ctx, loads=["num_ctx"])
    twin = read(*results[:-1], failed(results[-1]))
    facts = {fact.id: fact for fact in facts_from(twin)}
    found = list(numbers(twin["sweeps"]))
    assert len(found) > 80
    assert [
        (each["value"], facts[each["fact"]].value) for each in found if each["value"] != facts[each["fact"]].value
    ] == []


def test_what_a_sweep_says_of_itself(swept: Make, read: Read) -> None:
    """It has its name, model, parameters with levels, and its points with their cases."""
    (sweep,) = read(*swept(GRID, by_num_ctx, loads=["num_ctx"]))["sweeps"]
    assert {name: sweep[name] for name in ("sweep", "name", "model", "parameters")} == {
        "sweep": ID,
        "name": "test_sweep",
        "model": "gemma3:latest",
        "parameters": {"num_ctx": ["512", "2048"], "temperature": ["0.2", "0.8"]},
    }
    assert (sweep["blocks"]["value"], sweep["blocks_per_point"]["value"]) == (6, 3)
    first = sweep["points"][0]
    assert {name: each["value"] for name, each in first.items() if isinstance(each, dict) and "fact" in each} == {
        "tok/s": pytest.approx(100, abs=1), "ttft": 0.05, "prefill": pytest.approx(2130, abs=20), "e2e": 0.242,
        "n": 3, "failed": 0, "unmet": 0,
    }  # fmt: skip
    assert (first["case"], first["label"], first["levels"]) == (
        f"{ID} {SECOND}",
        SECOND,
        {"num_ctx": "512", "temperature": "0.2"},
    )


def test_what_it_says_of_a_metric(swept: Make, read: Read) -> None:
    """A metric has each parameter's effect with its levels, and the best point beside the second."""
    (sweep,) = read(*swept(GRID, by_num_ctx, loads=["num_ctx"]))["sweeps"]
    assert list(sweep["metrics"]) == ["tok/s", "ttft", "prefill", "e2e"]
    found = sweep["metrics"]["tok/s"]
    assert (found["unit"], found["better"], found["rounds"]) == ("tok/s", "higher", 12)
    effect = found["effects"][0]
    assert {name: effect[name] for name in ("parameter", "best", "worst", "held_against", "why_unknown")} == {
        "parameter": "num_ctx",
        "best": "512",
        "worst": "2048",
        "held_against": "blocks",
        "why_unknown": None,
    }
    assert [(each["level"], each["n"]) for each in effect["levels"]] == [("512", 6), ("2048", 6)]
    assert effect["low"]["value"] < effect["change"]["value"] < effect["high"]["value"] < 0
    best = found["best"]
    assert (best["case"], best["second"]["case"], best["distinguishable"], best["undecided"]) == (
        f"{ID} {BEST}",
        f"{ID} {SECOND}",
        False,
        [f"{ID} {SECOND}"],
    )
    assert best["text"].startswith(f"Highest tok/s: {BEST} at 100 tok/s, +0.5 % against {SECOND}")


def test_what_is_unknown_is_null(swept: Make, read: Read) -> None:
    """Without noise there is no p and no interval, and why stands beside them."""
    (sweep,) = read(*swept(grid(top_k=[1, 2]), rounds=1))["sweeps"]
    (effect,) = sweep["metrics"]["tok/s"]["effects"]
    assert (effect["p"]["value"], effect["low"]["value"]) == (None, None)
    assert effect["why_unknown"] == "its 2 rounds are too few to show how much rounds of one level differ"
    (alone,) = read(*swept(grid(top_k=[1])))["sweeps"]
    assert alone["metrics"] == {}


def test_rounds_say_in_which_block_they_were_made(swept: Make, read: Read) -> None:
    """Each round of a case has the number of its block, and the case its sweep and point."""
    case = read(*swept(GRID, loads=["num_ctx"]))["cases"][3]
    assert (case["sweep"], case["point"]) == (ID, {"num_ctx": 2048, "temperature": 0.8})
    assert [each["block"] for each in case["rounds_made"]] == [2, 4, 6]


def test_a_source_leads_to_the_rounds_of_its_point(swept: Make, result: Make, generation: Make, read: Read) -> None:
    """Where the id of one case begins that of another, a source leads to the rounds of the right one."""
    plain = result(generations=(generation(ttft_ms=500),), case={"id": ID})
    ways = Ways(read(plain, *swept(grid(top_k=[1, 2]))))
    way = ways.of(f"{ID} top_k=1 rounds 1-3 chunks.arrival_ns", "ttft")
    assert [each.value for each in way.values] == [0.05, 0.05, 0.05]


def test_the_corpus_reader_reads_it(swept: Make, read: Read, tmp_path: Path) -> None:
    """A report on a sweep is read as a source of measurements, like any other."""
    read(*swept(GRID))
    corpus = read_corpus([tmp_path / ".chimera" / "reports"])
    rounds = [each for each in corpus.measurements if each.source.file.endswith(".json")]
    values = [each for each in rounds if each.metric == "tok/s"]
    assert len(values) == 12
