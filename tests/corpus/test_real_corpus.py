"""The folder of real artifacts beside the checkout: its counts and means, to all digits that are known."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import mean, median
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.corpus import read_corpus

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_chimera.corpus import Corpus
    from pytest_chimera.corpus.rows import Row
    from pytest_chimera.records import Measurement

MODELS = {
    "gemma3:latest": (51, 5, 46, "100.5937", "101.9781"),
    "gemma3:270m": (41, 2, 39, "286.1591", "290.0033"),
    "gemma3:1b-it-qat": (41, 0, 41, "183.6526", "183.9490"),
    "llama3.1:8b-instruct-q4_0": (76, 25, 51, "77.6716", "77.6100"),
    "llama3.1:8b-instruct-q5_K_M": (35, 25, 10, "65.1450", "65.0950"),
    "llama3.1:8b-instruct-q8_0": (30, 20, 10, "46.4850", "46.5900"),
}


@pytest.fixture(scope="module")
def corpus(request: pytest.FixtureRequest) -> Corpus:
    """The corpus of the folder, read once."""
    folder = request.config.rootpath.parent / "shared" / "corpus" / "chimera"
    if not folder.is_dir():
        pytest.skip(f"needs the artifacts in {folder}, which are not part of the project")
    return read_corpus([folder])


def of_models(corpus: Corpus) -> list[Row]:
    """Rows in which a rate of tokens was measured."""
    return [
        row
        for row in corpus.rows
        if row.provenance != "claim" and any(term[:2] == ("tok/s", "value") for term, _, _ in row.numbers)
    ]


def rates(corpus: Corpus) -> list[Measurement]:
    """Distinct measured rates of tokens, failed ones among them."""
    return [
        each
        for each in corpus.measurements
        if (each.metric, each.statistic, each.provenance) == ("tok/s", "value", "measured")
    ]


def test_files(corpus: Corpus) -> None:
    """All 107 files are read: 29 CSV, 47 JSON, 31 Markdown."""
    assert Counter(each.kind for each in corpus.artifacts) == {"csv": 29, "json": 47, "markdown": 31}
    assert {each.path.partition("/")[0] for each in corpus.artifacts} == {"artifacts", "csv_data", "reports"}
    assert len({each.path for each in corpus.artifacts}) == 107


def test_two_folders_of_it(shared: Path) -> None:
    """Two of its folders, given by name, are 101 files: 28 CSV, 44 JSON, 29 Markdown."""
    folder = shared / "corpus" / "chimera"
    if not folder.is_dir():
        pytest.skip(f"needs the artifacts in {folder}, which are not part of the project")
    found = read_corpus([folder / "reports", folder / "csv_data"])
    assert Counter(each.kind for each in found.artifacts) == {"csv": 28, "json": 44, "markdown": 29}
    assert {each.path.partition("/")[0] for each in found.artifacts} == {"csv_data", "reports"}


def test_rows(corpus: Corpus) -> None:
    """340 rows of language models, 274 of them distinct, of which 77 failed and 197 succeeded."""
    rows = of_models(corpus)
    distinct = [row for row in rows if row.copy_of is None]
    assert (len(rows), len(distinct), sum(row.failure is not None for row in distinct)) == (340, 274, 77)
    assert (len(rates(corpus)), sum(each.ok for each in rates(corpus))) == (274, 197)


def test_table_of_models(corpus: Corpus) -> None:
    """Rows, failed ones, mean and median of the rate of each model are those that were found with two other tools."""
    found = defaultdict(list)
    for each in rates(corpus):
        found[each.model].append(each)
    told = {}
    for model, rows in found.items():
        values = [each.value for each in rows if each.ok and each.value is not None]
        failed = sum(each.failure is not None for each in rows)
        told[model] = (len(rows), failed, len(values), f"{mean(values):.4f}", f"{median(values):.4f}")
    assert told == MODELS


def test_cold_rows(corpus: Corpus) -> None:
    """53 distinct rows carry a model load."""
    assert sum(bool(row.cold) for row in of_models(corpus) if row.copy_of is None) == 53


def test_cold_rows_of_sweeps(corpus: Corpus) -> None:
    """In sweeps with three temperatures the cold rows are those of the lowest."""
    swept = [row for row in of_models(corpus) if row.cold and row.copy_of is None and "temperature" in row.parameters]
    assert swept
    assert Counter(row.parameters["temperature"] for row in swept).most_common(1)[0][0] == 0.2


def test_masked_failures(corpus: Corpus) -> None:
    """No failed row has a value, failures behind a success are found, and no zero time or rate is left."""
    assert [each for each in corpus.measurements if each.failure is not None and each.value is not None] == []
    assert any((each.failure or "").startswith("masked: ") for each in corpus.measurements)
    zeros = [each for each in corpus.measurements if each.ok and each.value == 0 and each.dimension in {"time", "rate"}]
    assert {each.metric for each in zeros} <= {"compile"}


def test_copies(corpus: Corpus) -> None:
    """Byte-identical files are known, and every copy of a measurement stands in a file that is there."""
    paths = {each.path for each in corpus.artifacts}
    identical = [each for each in corpus.artifacts if each.identical_to]
    assert identical
    assert {each.identical_to for each in identical} <= paths
    assert {copy.file for each in corpus.measurements for copy in each.copies} <= paths
    assert sum(len(each.copies) for each in rates(corpus)) >= 66


def test_nothing_of_it_is_absurd(corpus: Corpus) -> None:
    """No rate, time or temperature is beyond what a machine can do, nothing is NaN, and every name is printable."""
    for each in corpus.measurements:
        if each.value is None or each.statistic == "delta":
            continue
        assert each.value - each.value == 0
        assert each.metric != "tok/s" or 0 < each.value < 1000
        assert each.dimension != "time" or 0 <= each.value < 3600 * 24
        assert each.metric != "gpu_temp" or 0 < each.value < 120
    assert all(each.source.file.isprintable() and each.source.place.isprintable() for each in corpus.measurements)


def test_what_is_left(corpus: Corpus) -> None:
    """Every file without a measurement says why."""
    assert [each.path for each in corpus.artifacts if not each.measurements and not each.left] == []
    assert all(each.reason and each.count >= 1 for each in corpus.left)
