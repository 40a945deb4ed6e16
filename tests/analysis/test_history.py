"""Changes over time: trends of several runs, differences of two, drift within one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.analysis.conftest import Maker


def run(make: Maker, day: int, values: list[float], **known: Any) -> list[Any]:
    """The rows of one run, named and timed by its day."""
    fields = {
        "file": f"bench_202601{day:02d}-120000.csv",
        "time": f"2026-01-{day:02d}T12:00:00+00:00",
        "zone": "utc",
        **known,
    }
    return [each for n, value in enumerate(values, 1) for each in make.row(n, {"latency": value}, **fields)]


def test_a_steady_rise_over_runs_is_a_trend(make: Maker) -> None:
    """Six runs that grow by 2 % each are a trend, with its slope and how often chance alone gives such an order."""
    part = make.part("trends", *(run(make, day, [1.02**day]) for day in range(1, 7)))
    assert make.findings(part)[0] == (
        "latency of 'toy:a' in 'bench.csv', over 6 runs: a trend of 2.00 % per run (chance alone gives an order as "
        "steady in 0.278 % of cases)."
    )
    assert part.charts[0].series[0].points[0] == ("2026-01-01 12:00", pytest.approx(1.02))


def test_three_runs_are_no_trend(make: Maker) -> None:
    """However steady, three runs cannot show a trend, and that is not notable."""
    part = make.part("trends", *(run(make, day, [1.5**day]) for day in (1, 2, 3)))
    assert make.findings(part)[0] == (
        "latency of 'toy:a' in 'bench.csv', over 3 runs: no trend: 50.0 % per run (chance alone gives an order as "
        "steady in 33.3 % of cases)."
    )
    assert not part.findings[0].notable


def test_a_jump_is_named_with_its_run(make: Maker) -> None:
    """Five even runs and five slower ones: the first of those is where it jumped, by how much."""
    levels = [1.0, 1.001, 0.999, 1.002, 1.0, 1.2, 1.201, 1.199, 1.202, 1.2]
    part = make.part("trends", *(run(make, day, [value]) for day, value in enumerate(levels, 1)))
    assert "It jumped by 20.0 % at 'bench_20260106-120000.csv'." in make.findings(part)[0]


def test_two_runs_differ_beyond_the_noise_within_them(make: Maker) -> None:
    """The p of a difference is Welch's by scipy; 30 % in tight runs is worse, with the doubt that two runs leave."""
    stats = pytest.importorskip("scipy.stats", reason="scipy is the oracle of Welch's test")
    one, other = [1.0, 1.01, 0.99, 1.0], [1.3, 1.31, 1.29, 1.28]
    part = make.part("trends", run(make, 1, one), run(make, 2, other))
    assert make.findings(part) == [
        (
            "latency of 'toy:a' in 'bench.csv' changed by 29.5 %, worse, from 'bench_20260101-120000.csv' to "
            "'bench_20260102-120000.csv'; chance alone gives as much in < 0.001 % of cases. How much runs differ when "
            "nothing was changed is not known from so few."
        ),
        "Of 1 change from one run to the next 1 can be judged, and 1 is beyond noise.",
    ]
    p = next(fact for fact in make.facts(part) if fact.statistic == "p")
    assert p.value == pytest.approx(float(stats.ttest_ind(one, other, equal_var=False).pvalue), rel=1e-9)


def test_a_difference_within_noise_stands_in_the_table_only(make: Maker) -> None:
    """Two runs that overlap are no finding."""
    part = make.part("trends", run(make, 1, [1.0, 1.2, 0.8]), run(make, 2, [1.1, 1.3, 0.9]))
    assert make.findings(part) == ["Of 1 change from one run to the next 1 can be judged, and 0 are beyond noise."]
    assert make.rows(part, "From run to run")[0][4:6] == ["all rows", "10.0 %"]


def test_runs_that_differ_anyway_make_a_difference_less_sure(make: Maker) -> None:
    """After four runs 10 % apart, one that is 12 % away from the last is no finding, however tight it is within."""
    values = [1.0, 1.1, 0.95, 1.08, 0.95]
    part = make.part("trends", *(run(make, day, [v - 0.001, v, v + 0.001]) for day, v in enumerate(values, 1)))
    changes = [fact for fact in make.facts(part) if fact.subject.get("to") == "bench_20260105-120000.csv"]
    assert {fact.statistic for fact in changes} == {"change", "p"}
    assert all("bench_20260105" not in each.split(" to ")[-1] for each in make.findings(part) if "changed by" in each)


def test_aggregates_are_compared_by_what_stands_beside_them(make: Maker) -> None:
    """Of saved statistics the mean is compared, by the deviation and the number of rounds stated with it."""
    found = []
    for day, value in ((1, 1.0), (2, 1.5)):
        known = {
            "file": f"run_2026010{day}.json",
            "time": f"2026-01-0{day}T00:00:00Z",
            "zone": "utc",
            "n": 20,
            "labels": {"test": "t"},
        }
        found += [make.aggregate("latency", "mean", value, **known), make.aggregate("latency", "sd", 0.1, **known)]
        found.append(make.aggregate("latency", "max", 9.0, **known))
    part = make.part("trends", found)
    assert make.rows(part, "From run to run")[0][4:6] == ["mean as stated", "50.0 %"]
    assert len(part.grids[0].rows) == 1
    assert "worse" in make.findings(part)[0]


def test_runs_without_a_time_are_not_ordered(make: Maker) -> None:
    """Files that do not say when they were made have no history."""
    part = make.part("trends", run(make, 1, [1.0], time=None), run(make, 2, [2.0], time=None))
    assert make.findings(part) == [
        (
            "No two files hold runs of one kind at known times, so nothing can be said of changes over time: of 2 "
            "files with measured rows none has a fellow."
        )
    ]


def test_the_time_of_the_file_stands_in_for_that_of_its_rows(make: Maker) -> None:
    """Where rows have no time, that of their file orders the runs."""
    rows = [run(make, day, [float(day)], time=None) for day in (2, 1)]
    files = [
        make.file(f"bench_2026010{day}-120000.csv", time=f"2026-01-0{day}T12:00:00Z", zone="utc") for day in (1, 2)
    ]
    part = make.part("trends", *rows, artifacts=files)
    assert make.rows(part, "From run to run")[0][2:6] == [
        "'bench_20260101-120000.csv'", "'bench_20260102-120000.csv'", "all rows", "100 %",
    ]  # fmt: skip


def test_runs_of_the_same_prompts_are_compared_under_any_name(make: Maker) -> None:
    """Two files of other names are runs of one kind where model, prompts and settings are the same, and not else."""

    def asked(file: str, day: int, prompt: str) -> list[Any]:
        known = {"file": file, "time": f"2026-01-0{day}T00:00:00Z", "zone": "utc", "parameters": {"temperature": 0.3}}
        return make.row(1, {"tok/s": 10.0 * day}, labels={"prompt": prompt}, **known)

    part = make.part("trends", asked("one.csv", 1, "Why?"), asked("two.csv", 2, "Why?"), asked("three.csv", 3, "How?"))
    assert [row[2:4] for row in make.rows(part, "From run to run")] == [["'one.csv'", "'two.csv'"]]


def test_warm_rows_alone_are_compared_for_times_that_a_load_changes(make: Maker) -> None:
    """A run that was cold once is not slower for it: its TTFT is that of its warm rows."""
    found = []
    for day, times in ((1, [0.1, 0.1, 0.1]), (2, [9.0, 0.1, 0.1])):
        known = {"file": f"b_2026010{day}.csv", "time": f"2026-01-0{day}T00:00:00Z", "zone": "utc"}
        for n, value in enumerate(times, 1):
            found += make.row(n, {"ttft": value}, cold=value > 1, **known)
    part = make.part("trends", found)
    assert make.rows(part, "From run to run")[0][4] == "warm rows"
    assert next(fact.value for fact in make.facts(part) if fact.statistic == "change") == pytest.approx(0)


def test_a_drift_within_a_file_is_named(make: Maker) -> None:
    """A speed that falls row by row is a drift, told by the order in the file."""
    rows = [make.row(n, {"tok/s": 80.0 * 0.99**n}) for n in range(1, 13)]
    assert make.findings(make.part("trends", *rows))[0] == (
        "Within 'toy:a' in 'runs.csv' tok/s drifts by -1.00 % per row, by their order in the file (chance alone in "
        "0.001 % of cases): what was varied along with time shares in it."
    )
