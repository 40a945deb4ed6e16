"""`pytest-chimera compare` over saved files: what is printed and written, exit statuses, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

BIG = {"name": "big:latest", "digest": "sha256:ffffffffffffffff", "quantization": "Q4_0"}
ALLOWED = "1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed"
ACCEPTED = "Accepted: a run number or prefix, a path or glob of JSON files, last, last:K, branch:NAME."
DRIFT = (1.0, 1.004, 0.998, 1.003, 1.202, 1.197, 1.2, 1.205)
"""Eight runs, of which the fifth became 20 % slower."""
ORDINARY = {"name": "test_sort", "fullname": "t.py::test_sort", "params": None, "stats": {"median": 1.0, "rounds": 5}}
SVG = "{http://www.w3.org/2000/svg}"


def rounded(value: Any) -> Any:
    """JSON with its numbers to six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return {key: rounded(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.fixture
def two(saved: Any) -> None:
    """`base.json` and `new.json`: one case 20 % slower, one as it was."""
    saved.write("base.json", saved.result(), saved.result("test_sea[toy]"))
    saved.write("new.json", saved.result(slower=1.2), saved.result("test_sea[toy]"), day=2)


@pytest.fixture
def eight(saved: Any) -> None:
    """Eight runs in the storage, those with odd numbers of the branch main."""
    for number, factor in enumerate(DRIFT, 1):
        saved.store(number, saved.result(ttft_ms=50 * factor), branch="main" if number % 2 else "dev")


def baseline(data: dict[str, Any]) -> list[str]:
    """The runs that the only verdict rests on."""
    (verdict,) = data["verdicts"]
    return [each["run"] for each in verdict["baseline"]]


def test_two_files_are_compared(two: None, compare: Any) -> None:
    """Without a wish the four metrics of the gate are compared, each in its table, and nothing fails."""
    done = compare("base.json", "new.json")
    assert (done.status, done.err) == (0, "")
    assert (
        done.out
        == f"""\
new against base

ttft (median, lower is better, allowed 5 %)
case           model          base      new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest  50.0 ms  60.0 ms  1.200  1.134 to 1.270     1    9.18 %  worse
test_sea[toy]  toy:latest  50.0 ms  50.0 ms  1.000  0.945 to 1.059     1    9.18 %  same

prefill (median, higher is better, allowed 5 %)
case           model            base        new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest  500 tok/s  417 tok/s  0.833  0.787 to 0.882     1    8.41 %  worse
test_sea[toy]  toy:latest  500 tok/s  500 tok/s  1.000  0.945 to 1.059     1    8.41 %  same

tok/s (median, higher is better, allowed 5 %)
case           model            base         new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest  100 tok/s  83.3 tok/s  0.833  0.787 to 0.882     1    8.41 %  worse
test_sea[toy]  toy:latest  100 tok/s   100 tok/s  1.000  0.945 to 1.059     1    8.41 %  same

e2e (median, lower is better, allowed 5 %)
case           model         base     new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest  150 ms  180 ms  1.200  1.134 to 1.270     1    9.18 %  worse
test_sea[toy]  toy:latest  150 ms  150 ms  1.000  0.945 to 1.059     1    9.18 %  same

{ALLOWED}
"""
    )


def test_at_80_columns_there_are_fewer(two: None, compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal of 80 characters base, new, ratio, interval and verdict are what stays."""
    monkeypatch.setenv("COLUMNS", "80")
    done = compare("base.json", "new.json", "--fail-on", "tok/s:5%", "--fail-on", "ttft.mean:10%")
    assert (done.status, done.err) == (1, "")
    assert (
        done.out
        == """\
new against base

tok/s (median, higher is better, allowed 5 %)
case                base         new  ratio   95 % interval  verdict
test_sky[toy]  100 tok/s  83.3 tok/s  0.833  0.787 to 0.882  worse
test_sea[toy]  100 tok/s   100 tok/s  1.000  0.945 to 1.059  same

ttft.mean (mean, lower is better, allowed 10 %)
case              base      new  ratio   95 % interval  verdict
test_sky[toy]  50.0 ms  60.0 ms  1.200  1.134 to 1.270  worse
test_sea[toy]  50.0 ms  50.0 ms  1.000  0.945 to 1.058  same

1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed
"""
    )


def test_markdown_is_a_file(two: None, compare: Any) -> None:
    """`--markdown` writes the tables whole, whatever the width of the terminal, and prints what is printed anyway."""
    plain = compare("base.json", "new.json", "--fail-on", "ttft:5%")
    assert compare("base.json", "new.json", "--fail-on", "ttft:5%", "--markdown", "x.md") == plain
    assert (
        Path("x.md").read_text(encoding="utf-8")
        == f"""\
### new against base

**ttft (median, lower is better, allowed 5 %)**

| case | model | base | new | ratio | 95 % interval | runs | resolves | verdict |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| test_sky\\[toy\\] | toy:latest | 50.0 ms | 60.0 ms | 1.200 | 1.134 to 1.270 | 1 | 7.77 % | worse |
| test_sea\\[toy\\] | toy:latest | 50.0 ms | 50.0 ms | 1.000 | 0.945 to 1.059 | 1 | 7.77 % | same |

- {ALLOWED}
"""
    )


def test_json_has_every_verdict(saved: Any, compare: Any) -> None:
    """`--json` writes the runs, each verdict with all its numbers and its trend, and the notes."""
    saved.write("base.json", saved.result(), saved.result("test_old[toy]"))
    saved.write("new.json", saved.result(slower=1.2, host={"version": "0.33.0"}), saved.result("test_new[toy]"), day=2)
    nothing = dict.fromkeys(
        ("now", "before", "ratio", "ratio_low", "ratio_high", "p_value", "margin", "error", "smallest_change",
         "allowance", "noise", "second", "trend", "against")
    )  # fmt: skip
    assert rounded(compare.data("base.json", "new.json", "--fail-on", "ttft:5%")) == {
        "schema": "pytest-chimera-compare",
        "schema_version": 1,
        "base": ["base"],
        "new": ["new"],
        "verdicts": [
            {
                **nothing,
                "case": "test_it.py::test_sky[toy]",
                "name": "test_sky[toy]",
                "model": "toy:latest",
                "metric": "ttft",
                "statistic": "median",
                "threshold": 0.05,
                "gated": True,
                "outcome": "worse",
                "reason": None,
                "now": 0.06,
                "before": 0.05,
                "ratio": 1.2,
                "ratio_low": 1.1336,
                "ratio_high": 1.27028,
                "p_value": 3.42765e-10,
                "margin": 0.0748045,
                "error": 0.0290409,
                "smallest_change": 0.0776735,
                "rounds": 5,
                "baseline": [{"run": "base", "value": 0.05, "rounds": 5}],
                "comparisons": 2,
                "allowance": 0.02,
                "differences": ["Ollama version 0.33.0 instead of 0.32.15"],
                "left_out": [],
            },
            {
                **nothing,
                "case": "test_it.py::test_new[toy]",
                "name": "test_new[toy]",
                "model": "toy:latest",
                "metric": "ttft",
                "statistic": "median",
                "threshold": 0.05,
                "gated": True,
                "outcome": "no baseline",
                "reason": "no earlier run has this case",
                "rounds": 0,
                "baseline": [],
                "comparisons": 0,
                "differences": [],
                "left_out": [],
            },
        ],
        "notes": ["only in the base: test_old[toy]"],
    }


@pytest.mark.parametrize(
    ("new", "arguments", "status"),
    [
        ({"slower": 1.2}, [], 0),
        ({"slower": 1.2}, ["--fail-on", "ttft:5%"], 1),
        ({"slower": 1.2}, ["--fail-on", "ttft:25%"], 0),
        ({"slower": 1.2}, ["--fail-on", "ttft:25%", "--fail-on", "tok/s:5%"], 1),
        ({"slower": 0.8}, ["--fail-on", "ttft:5%"], 0),
        ({"slower": 1.06}, ["--fail-on", "ttft:5%"], 0),
        ({"slower": 1.06}, ["--fail-on", "ttft:5%", "--allowance", "0.5%"], 1),
        ({"slower": 1.2, "case": {"options": {}}}, ["--fail-on", "ttft:5%"], 2),
        ({"slower": 1.2, "case": {"options": {}}}, ["--fail-on", "ttft:5%", "--strict"], 2),
        ({"slower": 1.2, "case": {"options": {}}}, ["--fail-on", "ttft:5%", "--compare-anyway"], 1),
        ({"slower": 1.2, "case": {"gate": ("ttft:40%",)}}, ["--fail-on", "ttft:5%"], 0),
        ({"ended": "stop"}, ["--fail-on", "e2e:5%"], 0),
        ({"ended": "stop"}, ["--fail-on", "e2e:5%", "--strict"], 1),
        ({"rounds": 4}, ["--fail-on", "ttft.p95:5%"], 2),
    ],
)
def test_the_status_tells_fine_worse_and_cannot_compare(
    saved: Any, compare: Any, new: dict[str, Any], arguments: list[str], status: int
) -> None:
    """0 is fine, 1 is worse by --fail-on (with --strict also not judged), 2 is that nothing could be compared."""
    saved.write("base.json", saved.result())
    saved.write("new.json", saved.result(**new), day=2)
    assert compare("base.json", "new.json", *arguments).status == status


def test_eight_runs_have_a_trend_and_a_change_point(eight: None, compare: Any) -> None:
    """Each comparison of three runs or more has a bar per run, its slope over time and the run at which it jumped."""
    done = compare("last:10", "0008", "--fail-on", "ttft:5%")
    assert (done.status, done.err) == (0, "")
    assert (
        done.out
        == """\
0008_run against 0001_run to 0007_run (7 runs)

ttft (median, lower is better, allowed 5 %)
case           model          base      new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest  54.1 ms  60.2 ms  1.114  0.865 to 1.434     7    38.4 %  same
  ▁▁▁▁████ +3.1 % per run (+3.1 % per day), p 0.031; changed by +20.0 % at 0005_run
"""
    )
    trend = "▁▁▁▁████  +3.1 % per run (+3.1 % per day), p 0.031; changed by +20.0 % at 0005_run"
    data = compare.data("last:10", "0008", "--fail-on", "ttft:5%", "--markdown", "x.md")
    assert [each["trend"] for each in data["verdicts"]] == [trend]
    line = f"- test_sky\\[toy\\]: {trend.replace('  ', ' ')}\n"
    assert Path("x.md").read_text(encoding="utf-8").endswith(line)


def test_two_runs_have_no_trend(eight: None, compare: Any) -> None:
    """Of two runs a difference is told and no trend; of three there is one."""
    assert [each["trend"] for each in compare.data("0001", "0002")["verdicts"]] == [None] * 4
    trends = [each["trend"] for each in compare.data("0001", "0002", "0005", "--fail-on", "ttft:5%")["verdicts"]]
    assert trends == ["▁▁█  no trend: +9.6 % per run (+4.7 % per day), p 0.33"]


@pytest.mark.parametrize(
    ("base", "runs"),
    [
        (["last:3"], ["0005_run", "0006_run", "0007_run"]),
        (["last"], ["0007_run"]),
        (["branch:main"], ["0001_run", "0003_run", "0005_run", "0007_run"]),
        (["branch:main", "last:2"], ["0005_run", "0007_run"]),
        (["branch:main,last:2"], ["0005_run", "0007_run"]),
        ([".benchmarks/*/000[1-4]*.json"], ["0001_run", "0002_run", "0003_run", "0004_run"]),
        (["000[2-4]*"], ["0002_run", "0003_run", "0004_run"]),
        ([".benchmarks/"], [f"000{n}_run" for n in range(1, 8)]),
        (["0003", "0002_run", "1"], ["0001_run", "0002_run", "0003_run"]),
        (["Linux-CPython-3.11-64bit/0006"], ["0006_run"]),
        ([".benchmarks/Linux-CPython-3.11-64bit/0006_run.json"], ["0006_run"]),
    ],
)
def test_a_base_is_named_as_a_baseline_is(eight: None, compare: Any, base: list[str], runs: list[str]) -> None:
    """A number, prefix, path, glob, folder, branch or so many of the newest: the runs that a verdict then rests on."""
    assert baseline(compare.data(*base, "0008", "--fail-on", "ttft:5%")) == runs


def test_the_new_side_may_be_a_group(eight: None, compare: Any) -> None:
    """A glob as the last name makes several new runs, whose spread counts too; swapped, worse becomes better."""
    one, other = ".benchmarks/*/000[1-4]*.json", ".benchmarks/*/000[5-8]*.json"
    done = compare(one, other, "--fail-on", "ttft:5%")
    assert (done.status, done.err) == (1, "")
    assert (
        done.out
        == """\
0005_run to 0008_run (4 runs) against 0001_run to 0004_run (4 runs)

ttft (median, lower is better, allowed 5 %)
case           model          base      new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest  50.1 ms  60.0 ms  1.200  1.194 to 1.205     4       5 %  worse
  ▁▁▁▁████ +3.1 % per run (+3.1 % per day), p 0.031; changed by +20.0 % at 0005_run
"""
    )
    swapped = compare(other, one, "--fail-on", "ttft:5%")
    assert swapped.status == 0
    assert "test_sky[toy]  toy:latest  60.0 ms  50.1 ms  0.834  0.830 to 0.838     4       5 %  better" in swapped.out


def test_two_single_runs_can_be_swapped(two: None, compare: Any) -> None:
    """Without saved verdicts, new against base says better where base against new says worse, with the ratio over."""
    forth, back = compare.data("base.json", "new.json"), compare.data("new.json", "base.json")
    mirrored = {"worse": "better", "same": "same"}
    assert [each["outcome"] for each in forth["verdicts"]] == ["worse"] * 4 + ["same"] * 4
    assert [each["outcome"] for each in back["verdicts"]] == [mirrored[each["outcome"]] for each in forth["verdicts"]]
    assert [1 / each["ratio"] for each in back["verdicts"]] == pytest.approx(
        [each["ratio"] for each in forth["verdicts"]]
    )


@pytest.mark.parametrize("runs", [1, 3])
def test_what_the_gate_saved_is_what_is_said(saved: Any, compare: Any, runs: int) -> None:
    """A verdict that was saved with the new run is repeated, as here one that a second measurement did not confirm."""
    for number in range(1, runs + 1):
        saved.store(number, saved.result(slower=1 + number / 500))
    before = [saved.run(f"{number:04d}_run", saved.result(slower=1 + number / 500)) for number in range(1, runs + 1)]
    gate = ("tok/s:5%",)
    saved.store(runs + 1, saved.judged(saved.result(slower=1.2), *before, gate=gate, again=saved.result()))
    saved.store(runs + 2, saved.judged(saved.result(slower=1.2), *before, gate=gate))
    saved.store(runs + 3, saved.result(slower=1.2))
    names = [f"000{number}" for number in range(1, runs + 1)]
    found = [compare(*names, f"000{runs + n}", "--fail-on", "tok/s:5%").status for n in (1, 2, 3)]
    assert found == [0, 1, 1]
    done = compare(*names, f"000{runs + 1}", "--fail-on", "tok/s:5%")
    assert "measured again: 100 tok/s" in done.out
    assert "not confirmed\n  it was worse at first, and not when it was measured again" in done.out


def test_a_gate_of_one_metric_is_not_failed_by_another(saved: Any, compare: Any) -> None:
    """Although the new run was saved with a worse TTFT, `--fail-on tok/s:5%` is about tok/s alone."""
    saved.write("base.json", saved.result())
    judged = saved.judged(saved.result(ttft_ms=80.0), saved.run("base", saved.result()))
    saved.write("new.json", judged, day=2)
    assert compare("base.json", "new.json", "--fail-on", "tok/s:5%").status == 0
    assert compare.outcomes("base.json", "new.json", "--fail-on", "tok/s:5%") == {"test_sky[toy] tok/s": "same"}


def test_models_are_compared_within_one_file(saved: Any, compare: Any) -> None:
    """`--by model` holds each other model of a file against the first, case by case, and needs no second file."""
    saved.store(1, *(saved.result(f"test_{x}[{m}]", **said) for x in ("sky", "sea") for m, said in MODELS.items()))
    done = compare("0001", "--by", "model", "--fail-on", "tok/s:5%")
    assert (done.status, done.err) == (1, "")
    assert (
        done.out
        == f"""\
0001_run against 0001_run

tok/s (median, higher is better, allowed 5 %)
case                                   model            base         new  ratio   95 % interval  runs  resolves  verdict
test_sky[*] (model…ead of toy:latest)  big:latest  100 tok/s  71.4 tok/s  0.714  0.675 to 0.756     1    7.21 %  worse
test_sea[*] (model…ead of toy:latest)  big:latest  100 tok/s  71.4 tok/s  0.714  0.675 to 0.756     1    7.21 %  worse

{ALLOWED}
differs from the baseline: model digest ffffffffffff instead of 0123456789ab
differs from the baseline: quantization Q4_0 instead of Q8_0
"""
    )


MODELS: dict[str, dict[str, Any]] = {"toy": {}, "big": {"slower": 1.4, "model": BIG}}


def test_models_are_compared_across_two_files(saved: Any, compare: Any) -> None:
    """Two files with a model each are paired by it, and the second is held against the first."""
    saved.write("toy.json", saved.result())
    saved.write("big.json", saved.result("test_sky[big]", **MODELS["big"]), day=2)
    data = compare.data("toy.json", "big.json", "--by", "model", "--fail-on", "ttft:5%")
    assert (data["base"], data["new"], baseline(data)) == (["toy"], ["big"], ["toy"])
    assert compare.outcomes("toy.json", "big.json", "--by", "model", "--fail-on", "ttft:5%") == {
        "test_sky[*] (model: big:latest instead of toy:latest) ttft": "worse"
    }


@pytest.mark.parametrize(
    ("key", "cases", "name"),
    [
        (
            "quantization",
            [("toy:1b-q8", {}), ("toy:1b-q4", {"model": {**BIG, "name": "toy:1b-q4"}})],
            "test_sky[*] (quantization: Q4_0 instead of Q8_0)",
        ),
        (
            "options.num_ctx",
            [(f"toy-{n}", {"case": {"options": {"num_ctx": n}}}) for n in (512, 2048)],
            "test_sky[toy-*] (options.num_ctx: 2048 instead of 512)",
        ),
        (
            "host",
            [(f"toy-http://{gpu}:1", {"host": {"url": f"http://{gpu}:1"}}) for gpu in ("gpu1", "gpu2")],
            "test_sky[toy-*] (host: http://gpu2:1 instead of http://gpu1:1)",
        ),
    ],
)
def test_cases_are_paired_by_other_keys(
    saved: Any, compare: Any, key: str, cases: list[tuple[str, dict[str, Any]]], name: str
) -> None:
    """Quantization, host and an option pair the cases of one file that differ in them."""
    first, second = (saved.result(f"test_sky[{param}]", **said) for param, said in cases)
    if key == "quantization":
        first = saved.result("test_sky[toy:1b-q8]", model={"name": "toy:1b-q8"})
    saved.write("one.json", first, second)
    assert compare.outcomes("one.json", "--by", key, "--fail-on", "ttft:5%") == {f"{name} ttft": "same"}


def test_hosts_are_compared_across_two_files(saved: Any, compare: Any) -> None:
    """The same case on two servers is paired by host, and the difference is named."""
    for number, gpu in enumerate(("gpu1", "gpu2"), 1):
        saved.store(number, saved.result(slower=0.8**number, host={"url": f"http://{gpu}:1", "shares_clock": False}))
    done = compare("0001", "0002", "--by", "host", "--fail-on", "ttft:5%")
    assert (done.status, done.err) == (0, "")
    assert (
        done.out
        == f"""\
0002_run against 0001_run

ttft (median, lower is better, allowed 5 %)
case                                        model          base      new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy] (host:…ead of http://gpu1:1)  toy:latest  40.0 ms  32.0 ms  0.800  0.756 to 0.847     1    6.99 %  better
  {ALLOWED}
  differs from the baseline: host gpu2:1 instead of gpu1:1
"""
    )


def test_so_many_of_the_newest_runs_are_paired(saved: Any, compare: Any) -> None:
    """`last:2` means two runs of the base with `--by` as well, and not all that the storage has."""
    for number in range(1, 6):
        saved.store(number, *(saved.result(f"test_sky[{name}]", **said) for name, said in MODELS.items()))
    data = compare.data("last:2", "0005", "--by", "model", "--fail-on", "ttft:5%")
    assert baseline(data) == ["0003_run", "0004_run", "0005_run"]


def test_files_of_one_name_are_told_apart(saved: Any, compare: Any) -> None:
    """`main/bench.json` and `branch/bench.json` are two runs: each has a name and a value of its own."""
    for folder, factor in (("a", 1.0), ("b", 1.2), ("c", 1.4)):
        saved.write(f"{folder}/bench.json", saved.result(slower=factor))
    data = compare.data("a/bench.json", "b/bench.json", "c/bench.json", "--fail-on", "ttft:5%")
    assert len({*data["base"], *data["new"]}) == 3
    assert [each["trend"][:3] for each in data["verdicts"]] == ["▁▄█"]


def test_files_of_one_name_are_paired(saved: Any, compare: Any) -> None:
    """Two files of one name that both have both models are paired by model, and none of their cases is ambiguous."""
    for folder in "ab":
        results = (saved.result(f"test_sky[{name}]", **said) for name, said in MODELS.items())
        saved.write(f"{folder}/bench.json", *results)
    assert compare.outcomes("a/bench.json", "b/bench.json", "--by", "model", "--fail-on", "ttft:5%") == {
        "test_sky[*] (model: big:latest instead of toy:latest) ttft": "worse"
    }


def test_what_cannot_be_compared_is_compared_anyway(saved: Any, compare: Any) -> None:
    """Another option refuses a case with the difference; `--compare-anyway` compares it and names the difference."""
    saved.write("base.json", saved.result())
    saved.write("new.json", saved.result(case={"options": {"num_ctx": 512, "num_predict": 20}}), day=2)
    done = compare("base.json", "new.json", "--fail-on", "ttft:5%")
    assert done.status == 2
    assert (
        done.out
        == """\
new against base

ttft (median, lower is better, allowed 5 %)
case           model       base  new  ratio  95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest                                                   not comparable
  it is not the same case: option num_predict 20 instead of 10
"""
    )
    done = compare("base.json", "new.json", "--fail-on", "ttft:5%", "--compare-anyway")
    assert (done.status, done.err) == (0, "")
    assert (
        done.out
        == f"""\
new against base

ttft (median, lower is better, allowed 5 %)
case           model          base      new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest  50.0 ms  50.0 ms  1.000  0.945 to 1.059     1    6.99 %  same
  {ALLOWED}
  differs from the baseline: option num_predict 20 instead of 10
"""
    )


def test_another_allowance_is_assumed(two: None, compare: Any) -> None:
    """`--allowance` says how much two unchanged runs may differ, here so much that nothing is worse."""
    data = compare.data("base.json", "new.json", "--fail-on", "ttft:5%", "--allowance", "8 %")
    assert [(each["outcome"], each["allowance"]) for each in data["verdicts"]] == [("same", 0.08)] * 2


@pytest.mark.parametrize("uri", ["file://elsewhere", "elsewhere"])
def test_another_storage_is_looked_into(saved: Any, compare: Any, uri: str) -> None:
    """`--storage` names the folder in which numbers are looked up."""
    for number in (1, 2):
        saved.write(f"elsewhere/Any-Machine/000{number}_x.json", saved.result(), day=number)
    data = compare.data("last", "0002", "--storage", uri, "--fail-on", "ttft:5%")
    assert (data["base"], data["new"]) == (["0001_x"], ["0002_x"])


def test_a_damaged_file_among_many_is_passed_over(eight: None, compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a glob or `last` finds and cannot use is named below the tables, and the rest is compared."""
    monkeypatch.setenv("COLUMNS", "1000")
    Path(".benchmarks/0009_bad.json").write_text("{", encoding="utf-8")
    done = compare("last:2", "0008", "--fail-on", "ttft:5%")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[4:] == [
        "test_sky[toy]  toy:latest  59.9 ms  60.2 ms  1.005  0.957 to 1.056     2    6.03 %  same",
        "  2 baseline runs cannot show how much runs differ: an allowance of 2 % is assumed",
        "  ▁▄█ no trend: +0.3 % per run (+0.3 % per day), p 0.33",
        "",
        (
            f"Passed over: The saved run '{Path.cwd()}/.benchmarks/0009_bad.json' is damaged: it is not JSON to its "
            "end (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))."
        ),
    ]


def test_github_benchmark_gets_the_new_run(two: None, compare: Any) -> None:
    """`--format github-benchmark` prints entries of the new run alone, times or rates, and a base may be named."""
    extra = "rounds: 5\nmodel: toy:latest\nquantization: Q8_0\nollama version: 0.32.15"
    done = compare("base.json", "new.json", "--format", "github-benchmark", "--better", "bigger")
    assert (done.status, done.err) == (0, "")
    assert rounded(json.loads(done.out)) == [
        {"name": f"test_it.py::test_{case}[toy] {metric}", "unit": "tok/s", "value": value, "range": spread,
         "extra": extra}
        for case, metric, value, spread in (
            ("sky", "tok/s", 83.3333, "± 0.658875380795"),
            ("sky", "prefill", 416.667, "± 3.29437690397"),
            ("sea", "tok/s", 100.0, "± 0.790650456954"),
            ("sea", "prefill", 500.0, "± 3.95325228477"),
        )
    ]  # fmt: skip
    smaller = compare("new.json", "--format", "github-benchmark")
    assert smaller.status == 0
    assert [(each["name"].partition("::")[2], each["unit"], each["value"]) for each in json.loads(smaller.out)][:6] == [
        ("test_sky[toy] ttft", "ms", 60.0),
        ("test_sky[toy] prompt_eval", "ms", 48.0),
        ("test_sky[toy] eval", "ms", 120.0),
        ("test_sky[toy] time/token", "ms", 12.0),
        ("test_sky[toy] load", "ms", 2.0),
        ("test_sky[toy] e2e", "ms", 180.0),
    ]


def test_bencher_gets_the_new_run(saved: Any, compare: Any) -> None:
    """`--format bencher` prints the new run in Bencher Metric Format: ns and tok/s between smallest and largest."""
    saved.write("new.json", saved.result(slower=2.0))
    done = compare("new.json", "--format", "bencher")
    assert (done.status, done.err) == (0, "")

    def ns(value: float) -> dict[str, float]:
        return {"value": value, "lower_value": value * 0.99, "upper_value": value * 1.01}

    assert rounded(json.loads(done.out)) == {
        "test_it.py::test_sky[toy]": {
            "ttft": ns(100e6),
            "prompt-eval": ns(80e6),
            "eval": ns(200e6),
            "time-token": ns(20e6),
            "load": {"value": 2e6, "lower_value": 2e6, "upper_value": 2e6},
            "e2e": ns(300e6),
            "tok-s": {"value": 50.0, "lower_value": 49.505, "upper_value": 50.5051},
            "prefill": {"value": 250.0, "lower_value": 247.525, "upper_value": 252.525},
        }
    }


def test_the_picture_has_both_sides_of_every_comparison(two: None, compare: Any) -> None:
    """`--svg` writes a well-formed picture with a row for each comparison and a box for either side of it."""
    assert compare("base.json", "new.json", "--fail-on", "ttft:5%", "--svg", "x.svg").status == 1
    root = ET.fromstring(Path("x.svg").read_bytes())
    texts = [node.text for node in root.iter(f"{SVG}text")]
    assert (root.tag, texts[0], texts[-2:]) == (
        f"{SVG}svg",
        "new against base",
        ["test_sky[toy] ttft", "test_sea[toy] ttft"],
    )
    boxes = [node.get("fill") for node in root.iter(f"{SVG}rect") if float(node.get("y", "0")) > 84]
    assert [each for each in boxes if each != "#f5f7f9"] == ["#8c939c", "#0072b2"] * 2


def test_all_files_are_written_at_once(two: None, compare: Any) -> None:
    """Markdown, JSON and picture can be asked for together, and nothing else is left in the folder."""
    compare("base.json", "new.json", "--markdown", "x.md", "--json", "x.out", "--svg", "x.svg")
    assert sorted(path.name for path in Path().iterdir()) == ["base.json", "new.json", "x.md", "x.out", "x.svg"]


@pytest.mark.parametrize("data", [False, True])
def test_pytest_benchmark_compares_the_same_files(saved: Any, compare: Any, data: bool) -> None:
    """The rows of the very files that are compared here are listed by `pytest-benchmark compare`."""
    saved.store(1, saved.result(), data=data)
    saved.store(2, saved.judged(saved.result(slower=1.2), saved.run("0001_run", saved.result())), data=data)
    assert compare("0001", "0002").status == 0
    command = [sys.executable, "-m", "pytest_benchmark", "compare", "0001", "0002", "--columns=median,rounds"]
    done = subprocess.run([*command, "--sort=fullname"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.rsplit(maxsplit=1)[0] for line in done.stdout.splitlines() if line.startswith("test_")] == [
        f"test_sky[toy] {row} ({run})  {value}"
        for row, first, second in (
            ("e2e", "   150.0000 (1.0)  ", "   180.0000 (1.20) "),
            ("eval", "   100.0000 (1.0)  ", "   120.0000 (1.20) "),
            ("load", "   2.0000 (1.0)  ", "   2.0000 (1.0)  "),
            ("prompt_eval", "   40.0000 (1.0)  ", "   48.0000 (1.20) "),
            ("time/token", "   10.0000 (1.0)  ", "   12.0000 (1.20) "),
            ("ttft", "   50.0000 (1.0)  ", "   60.0000 (1.20) "),
        )
        for run, value in (("0001_run", first.rstrip()), ("0002_run", second.rstrip()))
    ]


REFUSED = {
    "no such file": (
        ["nosuch.json", "new.json"],
        (
            "There is no saved run 'nosuch.json'. {accepted} For a first run without a baseline use 'last' or a glob, "
            "which may find nothing."
        ),
    ),
    "no such number": (
        ["0007", "new.json"],
        (
            "No saved run is called '0007' in '{here}/.benchmarks'. The storage is empty or missing. {accepted} Save "
            "one with --benchmark-save=NAME or --benchmark-autosave; a first run may use 'last'."
        ),
    ),
    "no such glob": (["base.json", "x*.json"], "'x*.json' names no saved run. Save one with --benchmark-save=NAME."),
    "nothing before": (["last", "new.json"], "last names no other saved run than new.json. Name an earlier one."),
    "unreadable choice": (
        ["last:none", "new.json"],
        "'last:none' cannot be read. {accepted} Write it as in 'last:10' or 'branch:main'.",
    ),
    "one side": (["new.json"], "There is one side only. Accepted: BASE NEW, or one with --by KEY. Name both."),
    "the same file twice": (
        ["new.json", "new.json"],
        "new.json names no other saved run than new.json. Name an earlier one.",
    ),
    "cut off": (
        ["cut.json", "new.json"],
        (
            "The saved run '{here}/cut.json' is damaged: it is not JSON to its end (Expecting value: line 1 column 17 "
            "(char 16)). Name another file, or leave it out."
        ),
    ),
    "no text": (
        ["base.json", "bytes.json"],
        (
            "The saved run '{here}/bytes.json' is damaged: it is no text of JSON ('utf-8' codec can't decode byte "
            "0xff in position 0: invalid start byte). Name another file, or leave it out."
        ),
    ),
    "a list": (
        ["list.json", "new.json"],
        (
            "'{here}/list.json' is no saved run of pytest-benchmark: it has no list of 'benchmarks'. Accepted: "
            "files written by --benchmark-save, --benchmark-autosave or --benchmark-json. Name another file, or leave "
            "it out."
        ),
    ),
    "a newer schema": (
        ["base.json", "newer.json"],
        (
            "The saved run '{here}/newer.json' was written in schema 2 of a newer pytest-chimera. This version reads "
            "schemas up to 1. Use the version that wrote it, or leave it out."
        ),
    ),
    "broken rows": (
        ["base.json", "rows.json"],
        (
            "The saved run '{here}/rows.json' is damaged: a row is not as it is written by this plugin "
            "(KeyError('case')). Name another file, or leave it out."
        ),
    ),
    "a number beyond floats": (
        ["base.json", "huge.json"],
        (
            "The saved run '{here}/huge.json' is damaged: a row is not as it is written by this plugin "
            "(OverflowError('int too large to convert to float')). Name another file, or leave it out."
        ),
    ),
    "unknown metric": (
        ["base.json", "new.json", "--fail-on", "speed:5%"],
        (
            "The gate 'speed:5%' names no known metric: 'speed'. Known metrics: ttft, answer, prompt_eval, prefill, "
            "eval, tok/s, steps/s, time/token, itl, load, wait, total, e2e, server_ttft, transport, stalls, "
            "prompt_tokens, output_tokens, groundedness, accuracy. Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
        ),
    ),
    "negative threshold": (
        ["base.json", "new.json", "--fail-on", "ttft:-5%"],
        (
            "The gate 'ttft:-5%' has a threshold below zero: '-5%'. Accepted: a percentage from 0, with its %. Write "
            "it as in 'tok/s:5%', 'ttft.p95:20%' or 'tok/s >= 40'."
        ),
    ),
    "no direction": (
        ["base.json", "new.json", "--fail-on", "output_tokens:5%"],
        (
            "The gate 'output_tokens:5%' names output_tokens, of which neither more nor less is better. Accepted: "
            "ttft, answer, prompt_eval, prefill, eval, tok/s, steps/s, time/token, itl, load, wait, total, e2e, "
            "server_ttft, transport, stalls, groundedness, accuracy. "
            "Write it as in 'tok/s:5%', 'ttft.p95:20%' or 'tok/s >= 40'."
        ),
    ),
    "a limit": (
        ["base.json", "new.json", "--fail-on", "ttft:5%", "--fail-on", "tok/s >= 40"],
        (
            "--fail-on of compare takes thresholds, and was given a limit. Accepted: METRIC[.STATISTIC]:PERCENT. Hold "
            "limits with pytest --chimera-fail-on or --chimera-limit, when the model is measured."
        ),
    ),
    "no percentage": (
        ["base.json", "new.json", "--allowance", "2"],
        "'2' is not a percentage. Accepted: a number with %. Write it as in '5%'.",
    ),
    "one value of a key": (
        ["base.json", "new.json", "--by", "model"],
        (
            "Every case has the same model, 'toy:latest': there is nothing to pair. Name a key in which cases differ, "
            "or two runs that differ in it."
        ),
    ),
    "ambiguous pairs": (
        ["models.json", "--by", "quantization"],
        (
            "Cases cannot be paired by 'quantization': a run has several of test_sky[*] (quantization: Q4_0 instead "
            "of Q8_0). Accepted: a key that tells the cases of a run apart. Pair them by another key, or name "
            "runs with one case of each."
        ),
    ),
    "storage of an unknown kind": (
        ["base.json", "last", "--storage", "ftp://me:secret@host/x"],
        (
            "The storage 'ftp://host/x' cannot be read: ArgumentTypeError: Storage must be in form of file://path or "
            "elasticsearch+http[s]://host1,host2/index/doctype. Accepted: file://FOLDER, and "
            "elasticsearch+http(s)://... where pytest-benchmark reads it. Try it with pytest-benchmark itself: "
            "pytest-benchmark --storage URI list"
        ),
    ),
    "nothing for bencher": (
        ["base.json", "none.json", "--format", "bencher"],
        "none has nothing to say in the format bencher. Name another run.",
    ),
}
"""What -> arguments and the whole of stderr, but for {accepted} and the folder, {here}."""


@pytest.mark.parametrize(("arguments", "text"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_in_one_sentence(
    saved: Any, compare: Any, arguments: list[str], text: str, two: None
) -> None:
    """What cannot be read, found or understood is said on stderr, with status 2 and nothing on stdout."""
    Path("cut.json").write_text('{"benchmarks": [', encoding="utf-8")
    Path("bytes.json").write_bytes(b"\xff\xfe\x00")
    Path("list.json").write_text("[]", encoding="utf-8")
    saved.write("newer.json", rows=[{**ORDINARY, "extra_info": {"chimera": {"schema": 2}}}])
    saved.write("rows.json", rows=[{**ORDINARY, "extra_info": {"chimera": {"schema": 1, "kind": "case"}}}])
    saved.write("none.json", rows=[ORDINARY])
    huge = {**ORDINARY, "fullname": "t.py::t ttft", "stats": {"data": [10**400]}}
    saved.write("huge.json", rows=[huge])
    models = {"toy:1b": {"name": "toy:1b"}, "mid:1b": {"name": "mid:1b"}, "big:latest": BIG}
    saved.write("models.json", *(saved.result(f"test_sky[{name}]", model=model) for name, model in models.items()))
    done = compare(*arguments)
    whole = text.replace("{here}", str(Path.cwd())).replace("{accepted}", ACCEPTED)
    assert (done.status, done.out, done.err) == (2, "", f"{whole}\n")


def test_an_unknown_key_is_refused_with_the_recorded_ones(two: None, compare: Any) -> None:
    """A key that is not recorded is answered with those that are, and with the nearest of them."""
    done = compare("base.json", "new.json", "--by", "quantisation")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("No case has a recorded 'quantisation'. Recorded: architecture, branch, commit, cpu, ")
    assert done.err.endswith(" Did you mean 'quantization'?\n")


@pytest.mark.parametrize("percent", ["100000%", "1e300%"])
def test_an_absurd_allowance_is_refused(two: None, compare: Any, percent: str) -> None:
    """An allowance with which no ratio can be computed is refused in a line on stderr."""
    done = compare("base.json", "new.json", "--allowance", percent)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"'{percent}' ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("option", ["--markdown", "--json", "--svg"])
@pytest.mark.parametrize(
    ("target", "why"), [("no/such/file", "No such file or directory"), ("folder", "Is a directory")]
)
def test_a_file_that_cannot_be_written_is_named(two: None, compare: Any, option: str, target: str, why: str) -> None:
    """The comparison is printed all the same, and the status is 2 with the file and the reason on stderr."""
    Path("folder").mkdir()
    plain = compare("base.json", "new.json")
    done = compare("base.json", "new.json", option, target)
    text = f"'{target}' cannot be written: {why}. Accepted: a file in a folder that is there. Name another one.\n"
    assert (done.status, done.out, done.err) == (2, plain.out, text)
    assert sorted(path.name for path in Path().iterdir()) == ["base.json", "folder", "new.json"]


@pytest.mark.parametrize("arguments", [[], ["a.json", "b.json", "--nosuch"], ["a.json", "b.json", "--format", "xml"]])
def test_a_wrong_command_line_has_status_2(compare: Any, arguments: list[str]) -> None:
    """An unknown option or format, or no run at all, ends with the usage on stderr."""
    done = compare(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("usage: pytest-chimera compare [-h] [--fail-on EXPR] [--by KEY] [--strict]")


FOREIGN = [
    "aiperf/loop/profile_export_aiperf.json",
    "aiperf/errors/profile_export.jsonl",
    "guidellm/loop/benchmarks.json",
    "hyperfine/hyperfine.json",
    "llama-bench/llama-bench.json",
    "llama-bench/llama-bench.jsonl",
    "llama-bench/llama-bench.csv",
    "llama-batched-bench/batched-bench.jsonl",
    "ollama-bench/benchstat.txt",
    "pytest-benchmark/full.json",
    "pytest-benchmark/compare.csv",
    "pytest-benchmark/saved/Linux-CPython-3.11-64bit/0002_data.json",
]


@pytest.fixture
def formats(shared: Path) -> Path:
    """Real files of other tools."""
    if not (shared / "formats").is_dir():
        pytest.skip(f"needs {shared / 'formats'}, which is not part of the project")
    return shared / "formats"


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("side", ["base", "new"])
def test_files_of_other_tools_are_refused(two: None, compare: Any, formats: Path, name: str, side: str) -> None:
    """A file of another tool, or of ordinary benchmarks, on either side is one line on stderr and status 2."""
    arguments = [str(formats / name), "new.json"] if side == "base" else ["base.json", str(formats / name)]
    done = compare(*arguments)
    assert done.status == 2
    assert done.err.endswith("\n")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("base", "new"),
    [
        ({"results": ["test_a[toy]"]}, {"results": ["test_b[toy]"]}),
        ({"rows": [ORDINARY]}, {"rows": [ORDINARY]}),
        ({"rows": [{**ORDINARY, "extra_info": {"chimera": {"schema": 1, "kind": "plain"}}}]}, {}),
        ({"results": ["test_a[toy]"]}, {}),
        ({"results": ["test_a[toy]"], "case": {"gate": ()}}, {"results": ["test_a[toy]"], "case": {"gate": ()}}),
    ],
    ids=["no case in common", "ordinary benchmarks", "plain benchmarks", "no rows", "exempt"],
)
def test_why_nothing_could_be_compared_is_on_stderr(
    saved: Any, compare: Any, base: dict[str, Any], new: dict[str, Any]
) -> None:
    """Where no verdict could be given, the status is 2 and a line on stderr says why."""
    for day, (name, side) in enumerate((("base.json", base), ("new.json", new)), 1):
        results = [saved.result(each, case=side.get("case")) for each in side.get("results", ())]
        saved.write(name, *results, day=day, rows=side.get("rows", ()))
    done = compare("base.json", "new.json")
    assert done.status == 2
    assert done.err.endswith(".\n")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_a_terminal_without_the_bars_gets_all_the_rest(eight: None, encoding: str) -> None:
    """Where the encoding of stdout has no bars for the trend, the comparison is printed all the same."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest_chimera", "compare", "last:10", "0008", "--fail-on", "ttft:5%"],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "120"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    out = done.stdout.decode(encoding).splitlines()
    assert out[:5] == [
        "0008_run against 0001_run to 0007_run (7 runs)",
        "",
        "ttft (median, lower is better, allowed 5 %)",
        "case           model          base      new  ratio   95 % interval  runs  resolves  verdict",
        "test_sky[toy]  toy:latest  54.1 ms  60.2 ms  1.114  0.865 to 1.434     7    38.4 %  same",
    ]
    assert out[5].endswith(" +3.1 % per run (+3.1 % per day), p 0.031; changed by +20.0 % at 0005_run")


def test_hostile_names_are_shown_and_not_obeyed(saved: Any, compare: Any) -> None:
    """Escape sequences and pipes in ids, models and names of files reach neither the terminal nor the Markdown."""
    name, model = "test_sky[\x1b[31m|x]", "t\x1b]2;x\x07oy|:1"
    saved.write("a|b.json", saved.result(name, model={"name": model}))
    saved.write("c\x1b[2J.json", saved.result(name, model={"name": model}), day=2)
    done = compare("a|b.json", "c\x1b[2J.json", "--fail-on", "ttft:5%", "--markdown", "x.md")
    assert (done.status, done.err) == (0, "")
    assert (
        done.out
        == f"""\
c\\x1b[2J against a|b

ttft (median, lower is better, allowed 5 %)
case                  model                  base      new  ratio   95 % interval  runs  resolves  verdict
test_sky[\\x1b[31m|x]  t\\x1b]2;x\\x07oy|:1  50.0 ms  50.0 ms  1.000  0.945 to 1.059     1    6.99 %  same
  {ALLOWED}
"""
    )
    row = Path("x.md").read_text(encoding="utf-8").splitlines()[6]
    assert row == (
        r"| test_sky\[\\x1b\[31m\|x\] | t\\x1b\]2;x\\x07oy\|:1 | 50.0 ms | 50.0 ms | 1.000 | 0.945 to 1.059 | 1 "
        "| 6.99 % | same |"
    )


def test_rows_of_other_benchmarks_are_counted(saved: Any, compare: Any) -> None:
    """Beside cases that are compared, rows that are none are counted in a note, one as one row."""
    saved.write("base.json", saved.result(), rows=[ORDINARY])
    saved.write("new.json", saved.result(), day=2)
    done = compare("base.json", "new.json", "--fail-on", "ttft:5%")
    assert done.status == 0
    assert done.out.splitlines()[-1] == (
        "1 row is no case of this plugin: pytest-benchmark compare shows ordinary benchmarks"
    )
