"""What is said of each model: which rows count, which do not, and what they give."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.analysis.conftest import Maker

quickly = settings(max_examples=40, deadline=None)
WARM = [0.112, 0.108, 0.121, 0.115]


def runs(make: Maker, **known: Any) -> list[Any]:
    """Five rows, the first of which loaded the model, and a sixth that failed."""
    speeds, loads = [78.4, 80.2, 81.0, 79.6, 80.8], [2.0, 0.05, 0.05, 0.05, 0.05]
    found: list[Any] = []
    for number, (speed, first, load) in enumerate(zip(speeds, [2.15, *WARM], loads, strict=True), 1):
        values = {"tok/s": speed, "ttft": first, "load": load}
        found += make.row(number, values, cold=load > 1, **known)
    return found + make.row(6, {"tok/s": 0.0, "ttft": 0.0, "load": 0.0}, failure="timed out", **known)


def test_a_failed_row_is_counted_and_enters_no_mean(make: Maker) -> None:
    """Of six rows one failed: the mean is of five, and the error rate one in six."""
    part = make.part("models", runs(make))
    assert make.value(part, "tok/s", "mean", model="toy:a") == pytest.approx(80.0)
    assert make.value(part, "tok/s", "count", model="toy:a") == 5
    assert make.value(part, "rows", "count", model="toy:a") == 6
    assert make.value(part, "failed_rows", "count", model="toy:a") == 1
    assert make.value(part, "error_rate", "share", model="toy:a") == pytest.approx(1 / 6)
    assert "'toy:a': 1 of 6 rows failed (16.7 %); they enter no mean." in make.findings(part)


def test_cold_rows_stand_apart_for_times_that_a_load_changes(make: Maker) -> None:
    """TTFT has three facts of each kind, of all, of warm and of cold rows; speed has one; the rule stands in each."""
    part = make.part("models", runs(make))
    assert make.value(part, "ttft", "mean", model="toy:a") == pytest.approx((2.15 + sum(WARM)) / 5)
    assert make.value(part, "ttft", "mean", model="toy:a", rows="warm") == pytest.approx(sum(WARM) / 4)
    assert make.value(part, "ttft", "mean", model="toy:a", rows="cold") == 2.15
    assert make.value(part, "cold_rows", "count", model="toy:a") == 1
    assert make.fact(part, "ttft", "mean", model="toy:a", rows="warm").formula == (
        "arithmetic mean, warm rows only (cold: its load is above 3 x the median load of the same model and file)"
    )
    with pytest.raises(KeyError):
        make.fact(part, "tok/s", "mean", model="toy:a", rows="warm")
    assert (
        "'toy:a': 1 row loaded the model: median TTFT 2.15 s there and 114 ms in the 4 warm rows; a mean over both "
        "describes neither." in make.findings(part)
    )


def test_without_cold_rows_there_is_one_condition(make: Maker) -> None:
    """Where no row loaded the model, nothing is said of warm rows."""
    part = make.part("models", [each for n in (1, 2, 3) for each in make.row(n, {"ttft": n / 10}, cold=False)])
    assert {fact.subject.get("rows") for fact in make.facts(part)} == {None}


def test_aggregates_and_claims_enter_no_mean(make: Maker) -> None:
    """A mean that a file states, and a number of prose, change no statistic of the raw rows."""
    rows = runs(make)
    one = make.part("models", rows)
    stated = make.aggregate("tok/s", "mean", 500.0, file="other.csv")
    claim = make.row(1, {"tok/s": 900.0}, file="report.md", provenance="claim")
    other = make.part("models", rows, [stated], claim)
    for statistic in ("count", "mean", "median", "min", "max", "sd"):
        assert make.value(one, "tok/s", statistic, model="toy:a") == make.value(
            other, "tok/s", statistic, model="toy:a"
        )
    assert make.rows(other, "tok/s as files without raw rows state it") == [
        ["'toy:a'", "'other.csv'", "''", "unknown", "500 tok/s", "-", "-", "-", "-", "-"]
    ]


def test_a_model_is_pooled_over_files_only_where_it_has_a_tag(make: Maker) -> None:
    """Rows of toy:a in two files have a common mean; those of "conv", which is no tag, one per file."""
    tagged = make.row(1, {"tok/s": 10.0}, file="a.csv") + make.row(1, {"tok/s": 20.0}, file="b.csv")
    other = [
        each
        for file, value in (("a.json", 1.0), ("b.json", 3.0))
        for each in make.row(1, {"latency": value}, file=file, model="conv")
    ]
    part = make.part("models", tagged, other)
    assert make.value(part, "tok/s", "mean", model="toy:a") == 15.0
    assert make.value(part, "tok/s", "mean", model="toy:a", file="b.csv") == 20.0
    assert make.value(part, "latency", "mean", model="conv", file="b.json") == 3.0
    with pytest.raises(KeyError):
        make.fact(part, "latency", "mean", model="conv")


def test_two_series_of_a_file_are_never_pooled(make: Maker) -> None:
    """Numbers of one name under two paths of a JSON file are two things."""
    rows = make.row(1, {"latency": 1.0}, file="a.json", series="/inner", model=None)
    rows += make.row(1, {"latency": 9.0}, file="a.json", series="/outer", model=None)
    part = make.part("models", rows)
    assert make.value(part, "latency", "mean", file="a.json", series="/inner") == 1.0
    assert make.value(part, "latency", "mean", file="a.json", series="/outer") == 9.0
    with pytest.raises(KeyError):
        make.fact(part, "latency", "mean", file="a.json")


def test_what_n_cannot_resolve_is_not_there(make: Maker) -> None:
    """Nineteen values have no p95, twenty have; one value has no spread; the table says why a cell is empty."""
    rows = [make.row(n, {"tok/s": 50.0 + n}) for n in range(1, 21)]
    title = "tok/s per model and source"
    assert make.rows(make.part("models", *rows), title)[0][6:8] == ["52.0 tok/s", "69.0 tok/s"]
    assert make.rows(make.part("models", *rows[1:]), title)[0][6:8] == ["n < 20", "n < 20"]
    assert make.rows(make.part("models", rows[0]), title)[0][6:] == ["n < 20", "n < 20", "n < 2", "n < 2"]


def test_levels_of_a_label_that_rows_share_are_described(make: Maker) -> None:
    """Two backends of two rows each have means; a prompt that differs in every row has none."""
    rows = [
        each
        for n, (backend, value) in enumerate([("x", 1.0), ("x", 3.0), ("y", 5.0), ("y", 6.0)], 1)
        for each in make.row(n, {"latency": value}, labels={"backend": backend, "prompt": f"p{n}"})
    ]
    assert make.rows(make.part("models", rows), "Levels of labels") == [
        ["'toy:a'", "'runs.csv'", "'backend'", "'x'", "latency", "2", "2.00 s", "2.00 s", "1.41 s"],
        ["'toy:a'", "'runs.csv'", "'backend'", "'y'", "latency", "2", "5.50 s", "5.50 s", "707 ms"],
    ]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (
            [50.1, 52.3, 51.2],
            (
                "In order of mean tok/s: 'toy:a' (80.0 tok/s), 'toy:b' (51.2 tok/s). The 95 % intervals of neighbours "
                "do not overlap; the rows were measured under different conditions."
            ),
        ),
        (
            [79.0, 81.2],
            (
                "In order of mean tok/s: 'toy:b' (80.1 tok/s), 'toy:a' (80.0 tok/s). Not told apart by their 95 % "
                "intervals: 'toy:b' and 'toy:a'."
            ),
        ),
    ],
)
def test_an_order_of_models_says_what_it_cannot_tell(make: Maker, second: list[float], said: str) -> None:
    """Models are listed by their means, with those whose intervals overlap named as not told apart."""
    others = [make.row(n, {"tok/s": value}, model="toy:b", file="b.csv") for n, value in enumerate(second, 1)]
    assert said in make.findings(make.part("models", runs(make), *others))


@given(st.lists(st.floats(0.1, 1e3), min_size=2, max_size=60))
@quickly
def test_statistics_are_those_of_scipy(make: Maker, values: list[float]) -> None:
    """Mean, median, sd and the t interval are those of the standard library and scipy."""
    stats = pytest.importorskip("scipy.stats", reason="scipy is the oracle of the interval")
    part = make.part("models", *(make.row(n, {"tok/s": value}) for n, value in enumerate(values, 1)))
    found = {name: make.value(part, "tok/s", name, model="toy:a") for name in ("mean", "median", "sd")}
    assert found["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert found["median"] == statistics.median(values)
    assert found["sd"] == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-9)
    low, high = (make.value(part, "tok/s", f"ci95 {end}", model="toy:a") for end in ("low", "high"))
    assert low is not None
    assert high is not None
    if statistics.stdev(values) > 1e-6:
        scale = statistics.stdev(values) / len(values) ** 0.5
        expected = stats.t.interval(0.95, len(values) - 1, loc=statistics.fmean(values), scale=scale)
        assert (low, high) == (pytest.approx(expected[0], rel=1e-8), pytest.approx(expected[1], rel=1e-8))


def test_pictures_are_drawn_from_means_and_medians(make: Maker) -> None:
    """One picture shows each model's mean with its interval, another the medians of cold and of warm rows."""
    charts = {chart.name: chart for chart in make.part("models", runs(make)).charts}
    speed = {series.name: series.points for series in charts["throughput"].series}
    assert speed["mean"] == (("toy:a", pytest.approx(80.0)),)
    assert list(speed) == ["mean", "95 % interval, lower end", "95 % interval, upper end"]
    times = {series.name: series.points for series in charts["cold-warm"].series}
    assert times == {
        "median of cold rows": (("toy:a", 2.15),),
        "median of warm rows": (("toy:a", pytest.approx(0.1135)),),
    }
