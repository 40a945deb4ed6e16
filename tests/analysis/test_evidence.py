"""Rows put together again from their numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.analysis.evidence import Evidence, moment, shown_setting
from pytest_chimera.analysis.filenames import common_folder, kind_of
from pytest_chimera.records import Source

if TYPE_CHECKING:
    from tests.analysis.conftest import Maker


def test_numbers_of_one_row_stand_together(make: Maker) -> None:
    """Two metrics of two rows are two rows of one group, in the order of the file."""
    found = make.row(2, {"tok/s": 2.0, "ttft": 0.2}) + make.row(1, {"ttft": 0.1, "tok/s": 1.0})
    (group,) = Evidence(measurements=tuple(found)).groups
    assert [(row.number, sorted(row.values)) for row in group.rows] == [(1, ["tok/s", "ttft"]), (2, ["tok/s", "ttft"])]


def test_rows_without_numbers_are_told_apart_by_labels(make: Maker) -> None:
    """Numbers of one series and one set of labels are a row; a second number of the same name is another row."""
    found = make.row(None, {"latency": 1.0, "words": 2.0}, labels={"backend": "x"})
    found += make.row(None, {"latency": 3.0}, labels={"backend": "y"})
    again = replace(found[0], value=4.0, source=Source("runs.csv", "/other/latency"))
    (group,) = Evidence(measurements=(*found, again)).groups
    assert sorted(sorted(row.values) for row in group.rows) == [["latency"], ["latency"], ["latency", "words"]]
    assert sorted(each.value or 0 for each in group.values("latency")) == [1.0, 3.0, 4.0]


@pytest.mark.parametrize("provenance", ["claim", "aggregate"])
def test_only_measured_values_are_raw(make: Maker, provenance: str) -> None:
    """What prose claims, and what somebody computed, is no row."""
    found = make.row(1, {"tok/s": 2.0}, provenance=provenance)
    assert Evidence(measurements=tuple(found)).groups == ()


@pytest.mark.parametrize(
    ("value", "text"), [(40.0, "40"), (0.2, "0.2"), ("q4", "q4"), (131072.0, "131072"), (2e6, "2000000")]
)
def test_settings_read_as_people_write_them(value: float | str, text: str) -> None:
    """No point where there is nothing behind it, and no exponent."""
    assert shown_setting(value) == text


def test_times_are_compared_as_moments() -> None:
    """With a zone, without one and as dates; what is no time is none."""
    assert moment("2026-01-01T00:00:00Z") == moment("2026-01-01T01:00:00+01:00") == moment("2026-01-01") == 1767225600
    assert (moment("soon"), moment(None)) == (None, None)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/20251002-151204/prompt_runs.csv", "a/prompt_runs.csv"),
        ("a/bench_1759098967.json", "a/bench.json"),
        ("bench-2026-01-02T03-04-05Z.json", "bench.json"),
        ("transformer_cuda_2508.json", "transformer_cuda_2508.json"),
        ("run_12345678.csv", "run_12345678.csv"),
    ],
)
def test_the_kind_of_a_file_is_its_name_without_times(path: str, kind: str) -> None:
    """Dates, times and epochs are taken out of folders and names, other numbers stay."""
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("paths", "folder"),
    [(["/a/b/c.csv", "/a/d.csv"], "/a"), (["a.csv", "b/c.csv"], "."), (["/a.csv", "/b/c.csv"], "/"), ([], ".")],
)
def test_the_folder_of_all_files(paths: list[str], folder: str) -> None:
    """The deepest folder that holds every file."""
    assert common_folder(paths) == folder
