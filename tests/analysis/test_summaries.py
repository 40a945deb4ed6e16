"""Summaries checked against the raw rows that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.analysis.checks import is_rounded

if TYPE_CHECKING:
    from tests.analysis.conftest import Maker


def raw(make: Maker, **known: Any) -> list[Any]:
    """Three rows of 10, 20 and 30 tok/s, and one that failed."""
    rows = [make.row(n, {"tok/s": 10.0 * n}, **known) for n in (1, 2, 3)]
    return [each for row in rows for each in row] + make.row(4, {"tok/s": 0.0}, failure="timed out", **known)


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("mean", 20.0), ("median", 20.0), ("min", 10.0), ("max", 30.0), ("sum", 60.0), ("sd", 10.0)],
)
def test_a_right_summary_is_no_finding(make: Maker, statistic: str, value: float) -> None:
    """Each statistic that is what the good rows give agrees."""
    part = make.part("summaries", raw(make), [make.aggregate("tok/s", statistic, value)])
    assert make.findings(part) == [
        "0 of 1 pair of a summary and its raw rows disagree (1 value checked, each as rounded)."
    ]
    assert not part.findings[0].notable


def test_a_wrong_summary_is_named_with_both_values(make: Maker) -> None:
    """A mean that counts the failed row as zero is 15, not 20, and that is said."""
    part = make.part("summaries", raw(make), [make.aggregate("tok/s", "mean", 15.0)])
    assert make.findings(part)[1] == (
        "'runs_summary.csv' states 1 value of 'toy:a' that 'runs.csv' does not give, foremost the mean of tok/s: 15.0 "
        "tok/s stated, 20.0 tok/s computed from 3 rows: failed rows count as zero in it."
    )
    assert make.rows(part, "Stated values that the raw rows do not give") == [
        ["'runs_summary.csv row 1 mean_tok/s'", "'runs.csv'", "tok/s", "mean", "15.0 tok/s", "20.0 tok/s", "3",
         "failed rows count as zero in it"]
    ]  # fmt: skip


def test_a_summary_of_rows_that_all_failed_is_wrong(make: Maker) -> None:
    """A mean of nothing but failed rows is a disagreement, a missing one is not."""
    rows = make.row(1, {"tok/s": 0.0}, failure="masked: ...")
    wrong = make.part("summaries", rows, [make.aggregate("tok/s", "mean", 1.5)])
    assert "1.50 tok/s stated, while 1 row of which it must be failed." in make.findings(wrong)[1]
    right = make.part("summaries", rows, [make.aggregate("tok/s", "mean", None)])
    assert len(right.findings) == 1


def test_rows_are_told_apart_by_settings_labels_and_model(make: Maker) -> None:
    """A summary of one configuration is compared with its rows alone."""
    rows = [
        each
        for n, (context, model, value) in enumerate(
            [(1.0, "toy:a", 10.0), (2.0, "toy:a", 20.0), (1.0, "toy:b", 99.0)], 1
        )
        for each in make.row(
            n, {"tok/s": value}, parameters={"num_ctx": context}, model=model, labels={"prompt": f"p{n}"}
        )
    ]
    right = [
        make.aggregate("tok/s", "mean", value, parameters={"num_ctx": context}, row=n, labels={"tag": "x"})
        for n, (context, value) in enumerate([(1.0, 10.0), (2.0, 20.0)], 1)
    ]
    assert make.findings(make.part("summaries", rows, right))[0].startswith("0 of 1 pair")


def test_a_configuration_that_a_summary_leaves_out_is_named(make: Maker) -> None:
    """Of three configurations one timed out and is missing from the summary, which does not say so."""
    rows = [
        each
        for n, context in enumerate((1.0, 2.0, 4.0), 1)
        for each in make.row(
            n, {"tok/s": 10.0}, parameters={"num_ctx": context}, failure="timed out" if context == 4 else None
        )
    ]
    stated = [make.aggregate("tok/s", "mean", 10.0, parameters={"num_ctx": c}, row=n) for n, c in ((1, 1.0), (2, 2.0))]
    assert make.findings(make.part("summaries", rows, stated))[1] == (
        "'runs_summary.csv' leaves out 1 of the 3 rows of 'runs.csv', which all failed, and does not say so: "
        "'num_ctx=4'."
    )


@pytest.mark.parametrize("file", ["other_summary.csv", "elsewhere/runs_summary.csv"])
def test_a_summary_of_other_files_is_not_compared(make: Maker, file: str) -> None:
    """Another name, or another folder, is another run."""
    part = make.part("summaries", raw(make), [make.aggregate("tok/s", "mean", 999.0, file=file)])
    assert make.findings(part) == ["No file holds a summary whose raw rows are there to check it."]


@pytest.mark.parametrize("file", ["runs.json", "runs_stats.csv", "RUNS_Summary.csv"])
def test_a_summary_beside_its_rows_is_found_by_name(make: Maker, file: str) -> None:
    """Words such as "summary" and "runs", endings and case do not matter."""
    part = make.part("summaries", raw(make), [make.aggregate("tok/s", "mean", 999.0, file=file)])
    assert make.findings(part)[0].startswith("1 of 1 pair")


def test_of_several_runs_the_one_of_the_same_time_is_meant(make: Maker) -> None:
    """Beside the rows of two runs, a summary belongs to those with the time that its name carries."""
    one, two = "runs_20260101-000000.csv", "runs_20260102-000000.csv"
    rows = make.row(1, {"tok/s": 1.0}, file=one) + make.row(1, {"tok/s": 2.0}, file=two)
    stated = make.aggregate("tok/s", "mean", 2.0, file="runs_summary_20260103-000000.csv")
    assert make.findings(make.part("summaries", rows, [stated])) == [
        "No file holds a summary whose raw rows are there to check it."
    ]
    stated = make.aggregate("tok/s", "mean", 2.0, file="runs_summary_20260102-000000.csv")
    assert make.findings(make.part("summaries", rows, [stated]))[0].startswith("0 of 1 pair")


def test_a_copy_of_the_raw_file_stands_for_it_in_its_folder(make: Maker) -> None:
    """A summary beside a byte-identical copy of the raw file is checked against the rows that were counted."""
    files = [make.file("a/runs.csv"), make.file("b/runs.csv", identical_to="a/runs.csv")]
    stated = make.aggregate("tok/s", "mean", 15.0, file="b/runs_summary.csv")
    part = make.part("summaries", raw(make, file="a/runs.csv"), [stated], artifacts=files)
    assert make.findings(part)[0].startswith("1 of 1 pair")


def test_a_rate_over_the_whole_time_is_no_disagreement(make: Maker) -> None:
    """Words over seconds of all rows together is another mean rate than that of the rates, and as right."""
    rows = make.row(1, {"words": 10.0, "latency": 1.0, "words/s": 10.0}, series="/results", file="a.json")
    rows += make.row(2, {"words": 10.0, "latency": 4.0, "words/s": 2.5}, series="/results", file="a.json")
    for value, said in ((4.0, "0 of 1 pair"), (6.25, "0 of 1 pair"), (5.0, "1 of 1 pair")):
        part = make.part("summaries", rows, [make.aggregate("words/s", "mean", value, file="a.json")])
        assert make.findings(part)[0].startswith(said)


@pytest.mark.parametrize(
    ("written", "exact", "agrees"),
    [
        (77.29, 77.2949, True),
        (77.29, 77.2951, False),
        (77.3, 77.349, True),
        (77.0, 77.49, True),
        (0.0878, 0.08784, True),
        (3.08902, 3.0890190601, True),
        (102.20086, 102.2008576, True),
        (1.0, 2.0, False),
        (187.1752905464622, 187.1752905464622, True),
        (187.1752905464622, 187.1752905465622, True),
        (187.1752905464622, 187.1753, False),
    ],
)
def test_a_value_is_compared_as_it_is_rounded(written: float, exact: float, agrees: bool) -> None:
    """Half a unit of the last digit may lie between a value as written and the exact one."""
    assert is_rounded(written, exact) is agrees


@given(st.floats(1e-3, 1e6), st.integers(0, 6))
def test_whatever_is_rounded_agrees(value: float, digits: int) -> None:
    """A number rounded to any number of digits agrees with the number."""
    assert is_rounded(round(value, digits), value)
