"""What is missing, what failed, and what to measure next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.analysis.conftest import Maker

WHOLE = {"time": "2026-01-01T00:00:00Z", "zone": "utc"}


def told(make: Maker, path: str = "runs.csv", **known: Any) -> Any:
    """A file that says everything."""
    fields = {
        "schema": ("tokens_s", "error"),
        "environment": {"gpu": "Toy GPU"},
        **WHOLE,
        **known,
    }
    return make.file(path, **fields)


def test_a_file_that_says_everything_has_no_gap(make: Maker) -> None:
    """Model, time with zone, machine and error column leave nothing to ask for."""
    part = make.part("gaps", make.row(1, {"tok/s": 50.0}, **WHOLE), artifacts=[told(make)])
    assert [(make.said(each.statement), each.notable) for each in part.findings] == [("Nothing is missing.", False)]
    assert part.recommendations == ()


@pytest.mark.parametrize(
    ("row", "file", "said"),
    [
        ({"model": None}, {}, "names no model for some of its numbers"),
        ({"time": None}, {"time": None, "zone": "unknown"}, "does not say when it was measured"),
        ({"zone": "unknown"}, {}, "gives times without a zone"),
        ({}, {"environment": {"os": "Toy OS"}}, "names neither the GPU nor the CPU that it was measured on"),
        ({}, {"schema": ("tokens_s",)}, "has no column that could tell a failed row from a good one"),
    ],
    ids=["model", "time", "zone", "machine", "error"],
)
def test_each_gap_is_named(make: Maker, row: dict[str, Any], file: dict[str, Any], said: str) -> None:
    """What one file does not say is a finding that names the file, and measuring again closes it."""
    part = make.part("gaps", make.row(1, {"tok/s": 50.0}, **{**WHOLE, **row}), artifacts=[told(make, **file)])
    assert f"1 of 1 file with numbers {said}: 'runs.csv'." in make.findings(part)
    models = "" if row.get("model", "toy:a") is None else " --chimera-model toy:a"
    assert part.recommendations[0].command == f"pytest{models} --chimera-rounds 10 --benchmark-autosave"


def test_aggregates_that_say_too_little_are_gaps(make: Maker) -> None:
    """A mean of unknown n and a mean without a value are two gaps of one file."""
    stated = [make.aggregate("tok/s", "mean", 5.0, file="runs.csv", **WHOLE)]
    stated.append(make.aggregate("ttft", "mean", None, file="runs.csv", n=0, **WHOLE))
    assert make.findings(make.part("gaps", stated, artifacts=[told(make)])) == [
        "1 of 1 file with numbers holds aggregates that do not say of how many values: 'runs.csv'.",
        "1 of 1 file with numbers holds aggregates without a value: 'runs.csv'.",
    ]


def test_files_of_one_kind_with_other_columns_drift(make: Maker) -> None:
    """Two runs of one kind whose keys differ are named with the key that one lacks."""
    files = [
        told(make, "sum_20260101.json", schema=("mean", "error")),
        told(make, "sum_20260102.json", schema=("mean", "error", "host")),
    ]
    part = make.part("gaps", artifacts=files)
    assert make.findings(part) == [
        (
            "2 files of one kind, such as 'sum_20260101.json', do not have the same columns or keys; not in all of "
            "them: 'host'."
        )
    ]
    assert part.recommendations[0].command == "pytest-chimera read /data"


def test_a_data_file_without_numbers_is_named(make: Maker) -> None:
    """An empty export is a gap, prose without numbers is none."""
    files = [
        told(make, "export.json", kind="json", measurements=0),
        told(make, "notes.md", kind="markdown", measurements=0),
    ]
    assert make.findings(make.part("gaps", artifacts=files)) == [
        "1 data file holds no number that was understood: 'export.json'."
    ]


def test_failed_rows_are_grouped_by_cause(make: Maker) -> None:
    """Messages that differ in numbers and quoted words are one cause, with its files, models and times."""
    rows = [
        make.row(
            n,
            {"tok/s": 0.0},
            failure=f"connection to '10.0.0.{n}' refused after {n} s",
            time=f"2026-01-0{n}T00:00:00Z",
            zone="utc",
        )
        for n in (1, 2, 3)
    ]
    rows.append(make.row(4, {"tok/s": 0.0}, failure="timed out", **WHOLE, file="more.csv"))
    rows.append(make.row(5, {"tok/s": 50.0}, **WHOLE, file="more.csv"))
    part = make.part("gaps", *rows, artifacts=[told(make), told(make, "more.csv")])
    assert make.findings(part) == [
        (
            "3 rows failed with 'connection to '10.0.0.1' refused after 1 s' in 'runs.csv', '2026-01-01T00:00:00Z' to "
            "'2026-01-03T00:00:00Z'. No row succeeded in 'runs.csv'."
        ),
        "1 row failed with 'timed out' in 'more.csv', '2026-01-01T00:00:00Z'.",
    ]
    assert [each.command for each in part.recommendations] == [
        "pytest --chimera-model toy:a --chimera-host http://127.0.0.1:11434 --benchmark-autosave"
    ]


def test_a_masked_failure_is_said_to_be_one(make: Maker) -> None:
    """Rows that claim success are named as such."""
    part = make.part(
        "gaps", make.row(1, {"tok/s": 9.0}, failure="masked: the answer is 'Error'", **WHOLE), artifacts=[told(make)]
    )
    assert make.findings(part)[0].endswith("These rows say of themselves that they succeeded.")


def test_numbers_that_nobody_can_have_measured_are_left_out(make: Maker) -> None:
    """A value beyond all measures enters no statistic, and is counted with its file."""
    analysis = make.analysis(
        make.row(1, {"tok/s": 50.0}, **WHOLE), make.row(2, {"tok/s": 1e308}, **WHOLE), artifacts=[told(make)]
    )
    assert make.value(analysis.part("models"), "tok/s", "mean", model="toy:a") == 50.0
    assert make.findings(analysis.part("gaps")) == [
        "1 number is too large or too small to have been measured, and left out: 'runs.csv'."
    ]
