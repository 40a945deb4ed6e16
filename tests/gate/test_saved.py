"""A file of pytest-benchmark's as a saved run: what is read of it, and in which words the rest is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.errors import BaselineError
from pytest_chimera.gate.conditions import Conditions
from pytest_chimera.gate.saved import read_document, read_run
from pytest_chimera.gate.series import Series
from pytest_chimera.metrics import METRICS
from pytest_chimera.records import SecondLook, Verdict

quickly = settings(max_examples=60, deadline=None)

FORMATS = Path(__file__).resolve().parents[3] / "shared" / "formats"
ID = "test_it.py::test_sky[toy]"
GO_ON = "Name another file, or leave it out."
ACCEPTED = "Accepted: files written by --benchmark-save, --benchmark-autosave or --benchmark-json."


@pytest.fixture
def formats() -> Path:
    """The folder of real files of other tools, and of pytest-benchmark; skipped where it is absent."""
    if not FORMATS.is_dir():
        pytest.skip(f"needs the files in {FORMATS}, which are not part of the project")
    return FORMATS


def refusal(document: Any) -> str:
    """The whole text with which a document is refused."""
    with pytest.raises(BaselineError) as caught:
        read_document(document, "runs/0001.json", name="0001")
    return str(caught.value)


# What is read -----------------------------------------------------------------------------------------------------


def test_a_case_reads_the_same_from_its_file(make: Any, tmp_path: Path) -> None:
    """What the gate gets of a case of this run equals what is later read from the file that the run saved."""
    results = [
        make.result(),
        make.result(1.5, "test_sea[toy]", rounds=(1.0, make.failed(), 2.0), case={"gate": ("tok/s:5%", "ttft <= 2 s")}),
        make.result(1.1, "test_long[toy]", generation={"done_reason": "stop"}, case={"start": "cold", "gate": ()}),
        make.result(name="test_cut[toy]", complete=False, stopped="interrupted", host={"shares_clock": False}),
    ]
    for data in (True, False):
        run = read_run(make.write(tmp_path / "0001_x.json", *results, data=data), name="0001_x")
        assert run.cases == {each.case.id: make.case(each) for each in results if each.counted}
    assert results[2].case.id not in run.cases, "it asks for cold rounds and has warm ones"


def test_everything_of_a_case_is_read(make: Any) -> None:
    """Series, lengths, gate, conditions and the rest stand in the case with the values that were measured."""
    run = make.run("0001", make.result(case={"gate": ("tok/s:5%",)}), day=3, branch="topic")
    (case,) = run.cases.values()
    assert (case.id, case.name, case.complete, case.gate, case.gate_failed) == (
        ID, "test_sky[toy]", True, ("tok/s:5%",), False,
    )  # fmt: skip
    assert case.verdicts == ()
    assert (case.lengths, case.one_length) == ((10, 10, 10), 10)
    assert case.series["ttft"] == Series(metric="ttft", values=(0.1, 0.099, 0.101), n=3)
    assert case.series["e2e"].values == (0.3, 0.297, 0.303)
    assert case.series["time/token"].values == (0.02, 0.0198, 0.0202)
    assert case.series["tok/s"].values == (1 / 0.02, 1 / 0.0198, 1 / 0.0202)
    assert case.series["prefill"].values == pytest.approx((250, 250 / 0.99, 250 / 1.01), rel=1e-12)
    assert case.series["wait"].values == pytest.approx((0.008, 0.00792, 0.00808), rel=1e-9)
    assert case.series["stalls"].values == (0.0, 0.0, 0.0)
    assert case.series["itl"].values == pytest.approx((0.02, 0.0198, 0.0202), rel=1e-9)
    assert case.series["itl"].statistics["p95"] == pytest.approx(0.0202, rel=1e-9)
    assert case.series["itl"].statistics["n"] == 27
    assert list(case.series) == [
        "ttft", "prompt_eval", "eval", "time/token", "tok/s", "load", "e2e", "answer", "prefill", "steps/s", "itl",
        "wait", "total", "server_ttft", "transport", "stalls", "groundedness", "accuracy",
    ]  # fmt: skip
    assert case.conditions == Conditions(
        defining={
            "prompt": case.info["prompt_hash"][:12], "endpoint": "chat", "raw": "false", "prefix": "unique",
            "start": "warm", "tools": "0", "think": "default", "format": "default", "persona": "none",
            "nonce": "[xxxxxxxx] ",
            "option num_ctx": "512", "option num_predict": "10", "option temperature": "0.5",
            "names of options": "num_ctx, num_predict, temperature",
        },
        model={
            "model digest": "0123456789ab", "quantization": "Q8_0", "family": "llama", "parameters": "1.1M",
            "num_ctx as loaded": "512", "share on the GPU": "0 %",
        },
        environment={
            "server": "ollama", "Ollama version": "0.32.15", "host": "this machine", "cpu": "Toy CPU",
            "cpu count": "2", "architecture": "x86_64", "memory": "4.00 GiB",
        },
    )  # fmt: skip
    assert replace(run, cases={}) == replace(
        make.run("0001"),
        time=datetime(2026, 11, 3, 9, 50, 32, 293875, tzinfo=timezone.utc),
        branch="topic",
        commit=f"{3:040x}",
    )
    assert (run.name, run.source, run.number, run.machine) == ("0001", "0001.json", None, make.machine)
    assert (run.passed, run.foreign_rows) == (True, 0)


def test_only_counted_rounds_are_read(make: Any) -> None:
    """Warm-up, failed and cold rounds are in no series, and not in the lengths."""
    result = make.result(rounds=(1.0, make.failed(), 1.1))
    cold = replace(result.rounds[1], cold=True)
    (case,) = make.run("0001", replace(result, rounds=(*result.rounds, replace(cold, number=4)))).cases.values()
    assert case.series["ttft"].values == (0.1, 0.11)
    assert case.lengths == (10, 10)


def test_an_answer_that_ended_by_itself_has_no_length(make: Any) -> None:
    """Only an answer that was ended by its length has one; answers of several lengths have not one length."""
    stopped = make.generation(done_reason="stop")
    longer = make.generation(eval_count=11)
    for rounds, lengths in (
        ((1.0, stopped), (10, None)),
        ((1.0, longer), (10, 11)),
        ((stopped, stopped), (None, None)),
    ):
        case = make.case(make.result(rounds=rounds))
        assert (case.lengths, case.one_length) == (lengths, None)
    assert make.case(make.result(rounds=(longer, longer))).one_length == 11
    assert make.case(make.result(rounds=())).one_length is None


def test_a_case_without_a_counted_round_is_known_all_the_same(make: Any) -> None:
    """A case of which every round failed has conditions and no value; it stands in no file."""
    result = make.result(rounds=(make.failed(), make.failed()))
    case = make.case(result)
    assert case.conditions == make.case(make.result()).conditions
    assert {(series.values, series.n) for series in case.series.values()} == {((), 0)}
    assert make.run("0001", result).cases == {}


def test_a_run_whose_gate_failed_has_not_passed(make: Any) -> None:
    """A gated `worse` or a broken limit of the gate fails a run; information and what could not be judged do not."""
    verdict = Verdict(case=ID, name="x", model="toy", metric="tok/s", threshold=0.05, outcome="worse")

    def passed(**fields: Any) -> bool:
        run = make.run("0001", make.result(name="test_other"), make.result(**fields))
        assert run.passed is not run.cases[ID].gate_failed
        assert not run.cases["test_it.py::test_other"].gate_failed
        return bool(run.passed)

    assert passed()
    assert not passed(verdicts=(verdict,))
    assert not passed(gate_broken=("tok/s >= 40",))
    assert passed(verdicts=(replace(verdict, gated=False),))
    for outcome in ("better", "same", "no baseline", "not enough samples", "not comparable"):
        assert passed(verdicts=(replace(verdict, outcome=outcome),))


def test_a_case_that_was_not_worse_again_is_remembered(make: Any) -> None:
    """A case that was found worse and then not, is told from one that was confirmed or never worse."""
    verdict = Verdict(case=ID, name="x", model="toy", metric="tok/s", threshold=0.05, outcome="same")

    def unconfirmed(second: SecondLook | None) -> bool:
        case = make.run("0001", make.result(verdicts=(replace(verdict, second=second),))).cases[ID]
        return bool(case.unconfirmed)

    assert unconfirmed(SecondLook(value=50.0, ratio=1.0, confirmed=False, rounds=3))
    assert not unconfirmed(SecondLook(value=40.0, ratio=0.8, confirmed=True, rounds=3))
    assert not unconfirmed(None)


@pytest.mark.parametrize("metric", [name for name, each in METRICS.items() if each.better is not None])
def test_a_verdict_is_saved_with_some_row(make: Any, metric: str) -> None:
    """Whichever metric a verdict is on, it stands in the file once and is read back as it was."""
    verdict = Verdict(case=ID, name="x", model="toy", metric=metric, threshold=0.05, outcome="worse", ratio=1.1)
    (case,) = make.run("0001", make.result(verdicts=(verdict,))).cases.values()
    assert [Verdict.from_dict(each) for each in case.verdicts] == [verdict]


def test_what_was_measured_again_is_in_no_baseline(make: Any) -> None:
    """The second measurement that confirmed a verdict is a row that no baseline takes."""
    again = make.result(name="test_sky[toy] (again)", case={"confirms": ID})
    assert list(make.run("0001", make.result(), again).cases) == [ID]


def test_other_rows_are_counted_and_not_taken(make: Any) -> None:
    """An ordinary benchmark is a foreign row; rows of ours that are no case are neither that nor a case."""
    ordinary = {"fullname": "test_small.py::test_dumps[10]", "stats": {"median": 1.0}, "extra_info": {"rows": 10}}
    plain, building = (
        ordinary | {"extra_info": {"chimera": {"schema": 1, "kind": kind}}} for kind in ("plain", "report")
    )
    run = make.run("0001", make.result(), rows=[ordinary, plain, building, ordinary])
    assert (list(run.cases), run.foreign_rows) == ([ID], 2)


def test_a_round_without_the_other_metrics_leaves_those_of_others(make: Any) -> None:
    """A round that says nothing of the metrics without a row, or not of one of them, has none; other rounds do."""
    document = make.document(make.result())
    rounds = document["benchmarks"][-1]["extra_info"]["chimera"]["rounds"]
    rounds[1]["metrics"] = None
    del rounds[2]["metrics"]["wait"]
    series = read_document(document, "x", name="x").cases[ID].series
    assert series["wait"].values == pytest.approx((0.00808,), rel=1e-9)
    assert series["prefill"].values == pytest.approx((250 / 0.99, 250 / 1.01), rel=1e-9)
    assert series["e2e"].n == 3


def test_rows_without_our_part_serve_by_their_name(make: Any) -> None:
    """A file whose rows lost their `extra_info` has the values, where they were saved, and no conditions."""
    run = make.run("0001", make.result(), bare=True)
    (case,) = run.cases.values()
    assert (case.id, case.name, case.conditions.known, case.lengths, case.info) == (ID, "test_sky[toy]", False, (), {})
    assert case.series["ttft"] == Series(metric="ttft", values=(0.1, 0.099, 0.101), n=3)
    assert case.series["tok/s"].values == (1 / 0.02, 1 / 0.0198, 1 / 0.0202)
    assert list(case.series) == ["ttft", "prompt_eval", "eval", "time/token", "tok/s", "load", "e2e"]
    assert run.foreign_rows == 0


def test_rows_without_values_serve_medians_only(make: Any) -> None:
    """A file without values per round has the statistics that pytest-benchmark wrote, and their inverse for tok/s."""
    (case,) = make.run("0001", make.result(), bare=True, data=False).cases.values()
    ttft, rate = case.series["ttft"], case.series["tok/s"]
    assert (ttft.values, ttft.n, rate.values, rate.n) == (None, 3, None, 3)
    names = ("median", "p50", "mean", "min", "max", "sd")
    assert [ttft.statistic(name) for name in names] == pytest.approx([0.1, 0.1, 0.1, 0.099, 0.101, 0.001])
    names = ("median", "p50", "min", "max")
    assert [rate.statistic(name) for name in names] == pytest.approx([50, 50, 1 / 0.0202, 1 / 0.0198])


def test_a_row_of_ours_stands_over_a_bare_one(make: Any) -> None:
    """Where a case has rows with and without `extra_info`, those that say more are taken."""
    bare = make.rows(make.result(2.0), bare=True)
    assert make.run("0001", make.result(), rows=bare).cases == make.run("0001", make.result()).cases


def test_a_later_row_of_the_same_metric_stands(make: Any) -> None:
    """Of two rows of one metric and case, as after two runs in one file, the last one is read and nothing breaks."""
    run = make.run("0001", make.result(1.0), rows=make.rows(make.result(2.0)))
    assert run.cases[ID].series["ttft"].values == (0.2, 0.198, 0.202)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T09:50:32+00:00", datetime(2026, 11, 22, 9, 50, 32, tzinfo=timezone.utc)),
        ("2026-11-22T09:50:32", datetime(2026, 11, 22, 9, 50, 32, tzinfo=timezone.utc)),
        ("2026-11-22T09:50:32-05:30", datetime(2026, 11, 22, 15, 20, 32, tzinfo=timezone.utc)),
        ("yesterday", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_a_time_is_read_or_unknown(text: Any, time: datetime | None) -> None:
    """A time without a zone is in UTC; one that cannot be read is unknown and no error."""
    found = read_document({"benchmarks": [], "datetime": text}, "x", name="x").time
    assert found == time
    assert found is None or isinstance(found.utcoffset(), timedelta)


def test_a_file_of_pytest_benchmark_with_nothing_else_in_it() -> None:
    """A run without any row, machine, commit or time is a run that has nothing."""
    run = read_document({"benchmarks": []}, "x.json", name="x")
    assert (run.name, run.source, run.cases, run.time, run.branch, run.commit) == ("x", "x.json", {}, None, None, None)
    assert (run.number, run.machine, run.foreign_rows, run.passed) == (None, {}, 0, True)
    odd = {"benchmarks": [], "machine_info": [], "commit_info": 5, "datetime": {}}
    assert read_document(odd, "x.json", name="x") == run
    assert read_document({**odd, "commit_info": {"branch": 7, "id": []}}, "x.json", name="x") == run


@pytest.mark.parametrize(
    ("file", "rows", "branch"),
    [
        ("full.json", None, "master"),
        ("edge.json", None, "master"),
        ("saved/Linux-CPython-3.11-64bit/0001_stats.json", None, "master"),
        ("saved/Linux-CPython-3.11-64bit/0002_data.json", None, "master"),
        (
            "saved/Linux-CPython-3.11-64bit/0003_9bd4be7428572684cc6480f8c83d56dab0071c48_20261122_095032.json",
            None,
            "master",
        ),
    ],
)
def test_real_files_of_pytest_benchmark_are_read(formats: Path, file: str, rows: int | None, branch: str) -> None:
    """Real files of ordinary benchmarks are runs without a case, each row of which is counted as foreign."""
    path = formats / "pytest-benchmark" / file
    run = read_run(path, name="real", number=7)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert (run.cases, run.foreign_rows) == ({}, len(written["benchmarks"]))
    assert run.foreign_rows > 0
    assert (run.name, run.number, run.source, run.branch) == ("real", 7, str(path), branch)
    assert run.commit == written["commit_info"]["id"]
    assert run.time is not None
    assert run.time.isoformat() == written["datetime"]
    assert (run.machine, run.passed) == ({}, True)


# What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    [
        "aiperf/gemma/inputs.json", "aiperf/gemma/profile_export_aiperf.json", "guidellm/loop/benchmarks.json",
        "hyperfine/hyperfine.json", "hyperfine/failing.json", "llama-bench/llama-bench.json",
    ],
)  # fmt: skip
def test_files_of_other_tools_are_refused(formats: Path, file: str) -> None:
    """Real JSON of another tool is refused by the name of the file, with what is accepted, and not half read."""
    path = formats / file
    with pytest.raises(BaselineError) as caught:
        read_run(path, name="x")
    assert str(caught.value) == (
        f"{str(path)!r} is no saved run of pytest-benchmark: it has no list of 'benchmarks'. {ACCEPTED} {GO_ON}"
    )


@pytest.mark.parametrize(
    "file",
    ["aiperf/gemma/profile_export.jsonl", "llama-bench/llama-bench.jsonl", "hyperfine/hyperfine.csv", "README.md"],
)
def test_real_files_that_are_no_json_are_refused(formats: Path, file: str) -> None:
    """Lines of JSON, CSV and Markdown are refused as not being one JSON document."""
    path = formats / file
    with pytest.raises(BaselineError) as caught:
        read_run(path, name="x")
    what = re.escape(f"The saved run {str(path)!r} is damaged: it is not JSON to its end (")
    assert re.fullmatch(
        rf"{what}(Extra data|Expecting value): line \d+ column \d+ \(char \d+\)\)\. {GO_ON}", str(caught.value)
    )


@pytest.mark.parametrize(
    "document",
    [
        None,
        5,
        "x",
        [],
        {},
        {"benchmarks": {}},
        {"benchmarks": None},
        {"benchmarks": [5]},
        {"benchmarks": [{"stats": {}}]},
    ],
)
def test_other_json_is_refused(document: Any) -> None:
    """A document without a list of rows is no saved run."""
    assert refusal(document) == (
        f"'runs/0001.json' is no saved run of pytest-benchmark: it has no list of 'benchmarks'. {ACCEPTED} {GO_ON}"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not JSON to its end (Expecting value: line 1 column 1 (char 0))"),
        (b'{"benchmarks": [', "it is not JSON to its end (Expecting value: line 1 column 17 (char 16))"),
        (b'{"benchmarks": []} []', "it is not JSON to its end (Extra data: line 1 column 20 (char 19))"),
        (
            b"\xff\xfe\x00\x01",
            "it is no text of JSON ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte)",
        ),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    """A file that is empty, cut, continued or binary is named with what is wrong with it."""
    path = tmp_path / "0001_x.json"
    path.write_bytes(content)
    with pytest.raises(BaselineError) as caught:
        read_run(path, name="0001_x")
    assert str(caught.value) == f"The saved run {str(path)!r} is damaged: {why}. {GO_ON}"


def test_a_file_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    """A hundred thousand brackets are damage, and no crash."""
    path = tmp_path / "0001_x.json"
    for text in ("[" * 100_000, '{"benchmarks": ' + "[" * 100_000 + "]" * 100_000 + "}"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BaselineError) as caught:
            read_run(path, name="0001_x")
        said = str(caught.value)
        assert said.startswith(f"The saved run {str(path)!r} is damaged: it is no text of JSON (")
        assert said.endswith(f"). {GO_ON}")


def test_nesting_of_any_depth_is_read_or_refused(make: Any, tmp_path: Path) -> None:
    """An option nested as deep as JSON can just be read is no crash either."""
    document = make.document(make.result(rounds=(1.0,), case={"options": {"stop": "@"}}))
    text = json.dumps(document | {"benchmarks": document["benchmarks"][:1]})
    path = tmp_path / "0001_x.json"
    for depth in (*range(100, 800, 100), *range(800, 1010)):
        path.write_text(text.replace('"@"', "[" * depth + "]" * depth), encoding="utf-8")
        try:
            assert list(read_run(path, name="x").cases) == [ID]
        except BaselineError:
            assert depth > 100


def test_a_file_cut_anywhere_is_refused(make: Any, tmp_path: Path) -> None:
    """Wherever the writing of a file broke off, it is refused by name and not read in part."""
    whole = make.write(tmp_path / "whole.json", make.result()).read_text(encoding="utf-8")
    path = tmp_path / "0001_x.json"
    for end in range(1, len(whole) - 1, len(whole) // 60):
        path.write_text(whole[:end], encoding="utf-8")
        with pytest.raises(BaselineError) as caught:
            read_run(path, name="0001_x")
        assert str(caught.value).startswith(f"The saved run {str(path)!r} is damaged: it is not JSON to its end (")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file and a folder are refused in the words of the system."""
    for path, why in ((tmp_path / "missing.json", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(BaselineError) as caught:
            read_run(path, name="x")
        assert str(caught.value) == f"The saved run {str(path)!r} cannot be read: {why}. {GO_ON}"


@pytest.mark.parametrize("schema", [2, 99, None, "1", 1.5])
def test_a_file_of_the_future_is_refused(make: Any, schema: Any) -> None:
    """A row in a schema that this version does not know refuses the file, with the way out."""
    document = make.document(make.result())
    document["benchmarks"][-1]["extra_info"]["chimera"]["schema"] = schema
    assert refusal(document) == (
        f"The saved run 'runs/0001.json' was written in schema {schema!r} of a newer pytest-chimera. "
        "This version reads schemas up to 1. Use the version that wrote it, or leave it out."
    )


def test_names_that_a_newer_version_adds_are_skipped(make: Any) -> None:
    """Names that this version does not know change nothing: in the file, in a row, in a round."""
    document = make.document(make.result())
    known = read_document(document, "x", name="x").cases[ID]
    document["new"] = {"x": 1}
    for row in document["benchmarks"]:
        row["new"] = row["extra_info"]["chimera"]["new"] = {"x": [1]}
        for each in row["extra_info"]["chimera"]["rounds"]:
            each["new"] = 5
            each.setdefault("metrics", {})["joules"] = 3.0
    found = read_document(document, "x", name="x").cases[ID]
    assert replace(found, info={}) == replace(known, info={})


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("rounds", None, "TypeError(\"'NoneType' object is not iterable\")"),
        ("rounds", [5], "TypeError(\"'int' object is not subscriptable\")"),
        ("rounds", [{"value": 1.0}], "KeyError('counted')"),
        ("rounds", [{"counted": True}], "KeyError('value')"),
        ("rounds", [{"counted": True, "value": "fast"}], "ValueError(\"could not convert string to float: 'fast'\")"),
        ("case", [], "TypeError(\"unhashable type: 'list'\")"),
        ("verdicts", [5], "AttributeError(\"'int' object has no attribute 'get'\")"),
        ("gate", 5, "TypeError(\"'int' object is not iterable\")"),
        ("options", {"temperature": float("nan")}, "ValueError('cannot convert float NaN to integer')"),
    ],
)
def test_a_damaged_row_is_refused(make: Any, name: str, value: Any, why: str) -> None:
    """A row that is not as this plugin writes it is damage, named with the file."""
    document = make.document(make.result())
    for row in document["benchmarks"]:
        row["extra_info"]["chimera"][name] = value
    assert refusal(document) == (
        f"The saved run 'runs/0001.json' is damaged: a row is not as it is written by this plugin ({why}). {GO_ON}"
    )


@pytest.mark.parametrize(
    ("stats", "why"),
    [({}, "KeyError('stats')"), ({"stats": None}, "AttributeError(\"'NoneType' object has no attribute 'get'\")")],
)
def test_a_row_without_our_part_and_without_stats_is_damaged(stats: dict[str, Any], why: str) -> None:
    """A row that is one of ours by its name must have pytest-benchmark's numbers."""
    ordinary = {"fullname": "test_small.py::test_dumps", "stats": {"median": 1.0}}
    assert refusal({"benchmarks": [ordinary, {"fullname": f"{ID} ttft", **stats}]}) == (
        f"The saved run 'runs/0001.json' is damaged: a row is not as it is written by this plugin ({why}). {GO_ON}"
    )


HUGE = 10**400
"""JSON has no largest number; a float has."""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rounds", [{"counted": True, "value": HUGE}]),
        ("rounds", [{"counted": True, "value": 1.0, "metrics": {"prefill": HUGE}}]),
        ("pooled", {"itl": {"median": HUGE}}),
        ("options", {"temperature": float("inf")}),
        ("size_vram_bytes", HUGE),
    ],
    ids=["value", "metric", "pooled", "option", "size"],
)
def test_a_number_beyond_every_float_is_damage(make: Any, name: str, value: Any) -> None:
    """A number that no float can hold, or that is infinite, refuses the file and is no crash."""
    document = make.document(make.result())
    for row in document["benchmarks"]:
        row["extra_info"]["chimera"][name] = value
    said = refusal(document)
    assert said.startswith("The saved run 'runs/0001.json' is damaged: a row is not as it is written by this plugin (")


@pytest.mark.parametrize("stats", [{"median": HUGE}, {"median": 1.0, "rounds": float("inf")}, {"data": [HUGE]}])
def test_a_bare_number_beyond_every_float_is_damage(stats: Any) -> None:
    """The same holds for pytest-benchmark's own numbers."""
    said = refusal({"benchmarks": [{"fullname": f"{ID} ttft", "stats": stats}]})
    assert said.startswith("The saved run 'runs/0001.json' is damaged: a row is not as it is written by this plugin (")


@pytest.mark.parametrize("machine", [{"memory_bytes": HUGE}, {"gpu_memory_bytes": HUGE}, {"cpu_count": float("inf")}])
def test_a_machine_beyond_every_float_is_damage(make: Any, machine: Any) -> None:
    """The same holds for the sizes of a machine."""
    said = refusal(make.document(make.result(), machine=machine))
    assert said.startswith("The saved run 'runs/0001.json' is damaged: a row is not as it is written by this plugin (")


def test_a_gate_that_is_one_text_is_not_taken_apart(make: Any) -> None:
    """A row whose gate is a text instead of a list is read as that one expression, not letter by letter."""
    document = make.document(make.result())
    for row in document["benchmarks"]:
        row["extra_info"]["chimera"]["gate"] = "tok/s:5%"
    assert read_document(document, "runs/0001.json", name="0001").cases[ID].gate == ("tok/s:5%",)


JSON = st.sampled_from([HUGE, -HUGE, float("inf"), -1, [], {}, ""]) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every container within a document with each key or index of its own."""
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    return [(document, key) for key in keys] + [found for key in keys for found in places(document[key])]


@given(st.data())
@quickly
def test_any_document_is_read_or_refused(make: Any, data: st.DataObject) -> None:
    """Whatever JSON stands in whichever place of a file, it is a saved run or refused by an error that names it."""
    bare = data.draw(st.booleans())
    document = [make.document(make.result(rounds=(1.0,)), bare=bare, data=data.draw(st.booleans()))]
    document[0]["benchmarks"] = document[0]["benchmarks"][::5]  # ttft and e2e: what differs from row to row
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(document)))
        container[key] = data.draw(JSON)
    try:
        said = repr(read_document(document[0], "the file", name="x").source)
    except BaselineError as error:
        said = str(error)
    assert "'the file'" in said


@given(JSON | st.fixed_dictionaries({"benchmarks": JSON}))
@quickly
def test_any_other_document_is_read_or_refused(document: Any) -> None:
    """A document that is nothing like a saved run is refused by name, or has no case."""
    try:
        run = read_document(document, "the file", name="x")
    except BaselineError as error:
        said = str(error)
    else:
        said = f"{run.source!r}"
        assert run.cases == {}
    assert "'the file'" in said
