"""Rows: their names, values, parameters and extra_info, and the table that pytest-benchmark prints of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.metrics import METRICS
from pytest_chimera.plugin.extra_info import plain, row_info
from pytest_chimera.plugin.record import LONGEST_KEY_BYTES, row_key
from pytest_chimera.records import Round

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import CaseResult, Generation

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)


def test_each_time_of_a_case_is_a_row_of_its_own(recording: Any, make_result: Callable[..., CaseResult]) -> None:
    """A case has six rows grouped by metric, in seconds, with warm-up, cold and failed rounds left out."""
    recording.run([make_result()], "--benchmark-json=x.json")
    assert [
        (row["name"], row["fullname"], row["group"], row["param"], row["stats"]["data"])
        for row in recording.rows("x.json")
    ] == [
        ("test_sky[toy] ttft", "test_it.py::test_sky[toy] ttft", "ttft", "toy:latest", [0.05, 0.06]),
        ("test_sky[toy] prompt_eval", "test_it.py::test_sky[toy] prompt_eval", "prompt_eval", "toy:latest", [0.04] * 2),
        ("test_sky[toy] eval", "test_it.py::test_sky[toy] eval", "eval", "toy:latest", [0.1] * 2),
        ("test_sky[toy] time/token", "test_it.py::test_sky[toy] time/token", "time/token", "toy:latest", [0.01] * 2),
        ("test_sky[toy] load", "test_it.py::test_sky[toy] load", "load", "toy:latest", [0.002] * 2),
        ("test_sky[toy] e2e", "test_it.py::test_sky[toy] e2e", "e2e", "toy:latest", [0.15, 0.16]),
    ]


def test_every_row_has_the_same_parameters_as_strings(
    recording: Any, make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """A row's params are strings under the same keys, also where the model says little about itself."""
    known = make_result()
    bare = make_result(
        case={"id": "t.py::test_b", "name": "test_b", "model": type(known.case.model)(name="b:1"), "persona": None}
    )
    recording.run([known, bare], "--benchmark-json=x.json")
    assert {row["fullname"]: row["params"] for row in recording.rows("x.json") if row["group"] == "ttft"} == {
        "test_it.py::test_sky[toy] ttft": {
            "model": "toy:latest",
            "metric": "ttft",
            "quantization": "Q8_0",
            "parameter_size": "1.1M",
            "persona": "insight-agent",
            "prefix": "unique",
        },
        "t.py::test_b ttft": {
            "model": "b:1",
            "metric": "ttft",
            "quantization": "",
            "parameter_size": "",
            "persona": "",
            "prefix": "unique",
        },
    }


def test_extra_info_holds_all_that_an_honest_comparison_needs(make_result: Callable[..., CaseResult]) -> None:
    """The extra_info of a row is this, whole: the model, the server, what was asked, how it was loaded, each round."""
    round_info = {
        "failed": None,
        "cause": None,
        "busy_answers": 0,
        "prompt_tokens": 20,
        "cached_tokens": None,
        "output_tokens": 10,
        "done_reason": "stop",
        "prompt_fit": "fitted",
        "unmet": None,
        "nonce": "[0123abcd] ",
        "block": None,
    }
    assert row_info(make_result(), METRICS["ttft"]) == {
        "chimera": {
            "schema": 1,
            "kind": "case",
            "case": "test_it.py::test_sky[toy]",
            "metric": "ttft",
            "formula": "arrival of the first chunk with output - request sent",
            "seen_by": "client",
            "unit": "s",
            "model": "toy:latest",
            "digest": "sha256:abc",
            "family": "llama",
            "parameter_size": "1.1M",
            "quantization": "Q8_0",
            "model_format": "gguf",
            "model_file_bytes": 1_200_000,
            "trained_context_tokens": 2048,
            "host": "http://127.0.0.1:11434",
            "engine": "ollama",
            "server_version": "0.32.15",
            "ollama_version": "0.32.15",
            "shares_clock": True,
            "endpoint": "chat",
            "raw": False,
            "persona": "insight-agent",
            "persona_hash": None,
            "prompt_hash": make_result().case.prompt_hash,
            "options": {"num_ctx": 512, "temperature": 0.5},
            "options_set": ["num_ctx"],
            "think": None,
            "format": None,
            "tools": 0,
            "keep_alive": None,
            "truncate": False,
            "prefix": "unique",
            "start": "warm",
            "rounds_asked": 3,
            "warmup_asked": 1,
            "timeout_s": 300.0,
            "idle_timeout_s": None,
            "limits": [],
            "expect": {},
            "sweep": None,
            "point": {},
            "prompt_tokens_asked": None,
            "output_tokens_asked": None,
            "num_ctx_asked": 512,
            "num_ctx_loaded": 512,
            "size_bytes": 3_000_000,
            "size_vram_bytes": 0,
            "complete": True,
            "stopped": None,
            "started_unix_s": 1_700_000_000.0,
            "waited_s": 0.0,
            "nonce_form": "[xxxxxxxx] ",
            "gate": None,
            "gate_broken": [],
            "confirms": None,
            "verdicts": [],
            "rounds": [
                {"round": 1, "value": 0.3, "counted": False, "warmup": True, "cold": True, **round_info},
                {"round": 1, "value": 0.05, "counted": True, "warmup": False, "cold": False, **round_info},
                {"round": 2, "value": 0.06, "counted": True, "warmup": False, "cold": False, **round_info},
                {
                    "round": 3,
                    "value": None,
                    "counted": False,
                    "warmup": False,
                    "cold": None,
                    "failed": "http 500: out of memory",
                    "cause": "server",
                    "busy_answers": 2,
                    "prompt_tokens": None,
                    "cached_tokens": None,
                    "output_tokens": None,
                    "done_reason": None,
                    "prompt_fit": "unknown",
                    "unmet": None,
                    "nonce": "[0123abcd] ",
                    "block": None,
                },
            ],
        }
    }


def test_what_a_point_and_its_expectations_are_stands_in_its_rows(
    make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """The sweep and what varies, what was expected, and by name what an answer did not meet, without its words."""
    unmet = ("contains: 'x' is not in the answer: secret", "contains: 'y' is not", "max_words: 9")
    case = {
        "expect": {"contains": ["x", "y"], "max_words": 5, "json_schema": {"type": "object"}},
        "sweep": "test_it.py::test_sky[toy]",
        "point": {"num_ctx": 512},
        "persona_hash": "ab" * 32,
    }
    judged = Round(number=1, warmup=False, cold=False, generation=make_generation(unmet=unmet), block=2)
    info = row_info(make_result(case=case, rounds=(judged,)), METRICS["e2e"])["chimera"]
    assert {name: info[name] for name in ("expect", "sweep", "point", "persona_hash")} == {
        "expect": {
            "contains": ["x", "y"],
            "max_words": 5,
            "json_schema": "schema sha256:ff419ebbeba438f66900abe77818ce940702bdfe70fa173cb94beecee8d3f112",
        },
        "sweep": "test_it.py::test_sky[toy]",
        "point": {"num_ctx": 512},
        "persona_hash": "ab" * 32,
    }
    (one,) = info["rounds"]
    assert (one["unmet"], one["block"], one["metrics"]["accuracy"]) == (["contains", "max_words"], 2, 0.0)
    assert "secret" not in json.dumps(info)


def test_no_text_of_prompt_answer_or_schema_is_recorded(make_result: Callable[..., CaseResult]) -> None:
    """Of prompt, answer and schema only hashes are kept, and a different schema has a different one."""
    schemas = [{"type": "object", "title": "Sky"}, {"type": "object", "title": "Rain"}]
    infos = [row_info(make_result(case={"format": schema}), METRICS["e2e"])["chimera"] for schema in schemas]
    text = json.dumps(infos)
    assert not [word for word in ("Why is", "la la", "Sky", "Rain", "title") if word in text]
    assert infos[0]["format"] != infos[1]["format"]
    assert infos[0]["format"].startswith("schema sha256:")


def test_a_cold_round_of_a_warm_case_is_marked_and_not_in_the_row(
    recording: Any, make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """A counted round in which the model was reloaded stands in extra_info as cold, and not among the row's values."""
    reloaded = Round(number=3, warmup=False, cold=True, generation=make_generation(900))
    result = make_result()
    recording.run([make_result(rounds=(*result.rounds[:3], reloaded))], "--benchmark-json=x.json")
    row = recording.rows("x.json")[0]
    assert row["stats"]["data"] == [0.05, 0.06]
    assert [
        (each["value"], each["counted"], each["warmup"], each["cold"])
        for each in row["extra_info"]["chimera"]["rounds"]
    ] == [(0.3, False, True, True), (0.05, True, False, False), (0.06, True, False, False), (0.9, False, False, True)]


def test_a_case_without_a_counted_round_has_no_row(recording: Any, make_result: Callable[..., CaseResult]) -> None:
    """Where every round failed there is no row, no table, and pytest-benchmark rightly says that it saves nothing."""
    done = recording.run([make_result(ttfts_ms=())], "--benchmark-json=x.json")
    assert "benchmark '" not in done.stdout.str()
    assert not (recording.pytester.path / "x.json").exists()


def test_a_metric_that_no_round_has_is_no_row(
    recording: Any, make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """A server that reports no durations leaves the rows that only the client sees."""
    silent = dict.fromkeys(["load_duration_ns", "prompt_eval_duration_ns", "eval_duration_ns"])
    one = Round(number=1, warmup=False, cold=None, generation=make_generation(**silent))
    recording.run([make_result(rounds=(one,))], "--benchmark-json=x.json")
    assert [row["group"] for row in recording.rows("x.json")] == ["ttft", "e2e"]


def test_a_duration_of_zero_is_a_value(
    recording: Any, make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """A row whose values are all zero is saved and printed, with 0 operations per second as pytest-benchmark has it."""
    one = Round(number=1, warmup=False, cold=False, generation=make_generation(load_duration_ns=0))
    done = recording.run([make_result(rounds=(one,))], "--benchmark-json=x.json")
    assert done.ret == 0
    load = next(row for row in recording.rows("x.json") if row["group"] == "load")
    assert (load["stats"]["data"], load["stats"]["ops"]) == ([0.0], 0)


def test_the_second_call_of_a_test_has_rows_of_its_own(recording: Any, make_result: Callable[..., CaseResult]) -> None:
    """Two calls in one test are two cases, whose rows differ by the number in their names."""
    second = {"id": "test_it.py::test_sky[toy] #2", "name": "test_sky[toy] #2"}
    recording.run([make_result(), make_result(case=second)], "--benchmark-json=x.json")
    assert [row["fullname"] for row in recording.rows("x.json") if row["group"] == "ttft"] == [
        "test_it.py::test_sky[toy] ttft",
        "test_it.py::test_sky[toy] #2 ttft",
    ]


def test_the_table_shows_tokens_per_second_as_operations(
    recording: Any, make_result: Callable[..., CaseResult]
) -> None:
    """pytest-benchmark's table of time per token has this text, and its OPS column is tok/s."""
    done = recording.run([make_result()], "--benchmark-columns=median,ops,rounds", "--benchmark-sort=name")
    lines = done.stdout.lines
    start = next(number for number, line in enumerate(lines) if "benchmark 'time/token'" in line)
    assert lines[start : start + 5] == [
        "---------- benchmark 'time/token': 1 tests -----------",
        "Name (time in ms)             Median       OPS  Rounds",
        "------------------------------------------------------",
        "test_sky[toy] time/token     10.0000  100.0000       2",
        "------------------------------------------------------",
    ]


@given(JSON_VALUES)
def test_whatever_is_recorded_is_json_for_every_reader(value: Any) -> None:
    """Any value becomes JSON without NaN, infinity or lone surrogates, and a second pass changes nothing."""
    once = plain(value)
    text = json.dumps(once, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert json.loads(text) == once == plain(once)


@given(st.text(max_size=10).map(lambda text: text * 300), st.sampled_from(["ttft", "time/token"]))
def test_the_key_of_a_row_is_never_too_long(nodeid: str, metric: str) -> None:
    """However long a node id is, the key keeps within the limit and ends in its metric."""
    key = row_key(nodeid, metric)
    assert len(key.encode()) <= LONGEST_KEY_BYTES
    assert key.endswith(f" {metric}")


def test_long_node_ids_that_differ_at_the_end_have_different_keys() -> None:
    """Two long prompts as parameters that part late are still two rows, and a short id is kept as it is."""
    assert row_key("t.py::test[" + "x" * 2000 + "1]", "e2e") != row_key("t.py::test[" + "x" * 2000 + "2]", "e2e")
    assert row_key("t.py::test[a]", "e2e") == "t.py::test[a] e2e"


@pytest.mark.parametrize("long", ["x" * 5000, "\ud800" * 5000])
def test_long_text_from_outside_is_cut(long: str) -> None:
    """A long message or list is cut to a bounded size."""
    assert len(plain(long)) <= 300
    assert len(plain([long] * 1000)) == 100
