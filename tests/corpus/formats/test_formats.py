"""All formats together: which document is whose, hostile ones, and what importing them costs."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_chimera.corpus.formats import CSV_FORMATS, JSON_FORMATS, TEXT_FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_chimera.corpus.rows import Reading

NUMBERS = {"p50": 1.0, "mean": 1.0, "median": 1.0, "min": 1.0, "max": 1.0, "std_dev": 0.5, "count": 2, "total_sum": 2.0}
DOCUMENTS = {
    "llama": [
        {
            "build_commit": "c", "build_number": 1, "model_filename": "a-q4_0.gguf", "model_type": "a", "model_size": 3,
            "model_n_params": 5, "n_prompt": 1, "n_gen": 0, "n_depth": 0, "n_batch": 5,
            "test_time": "2026-11-22T09:49:38Z",
            "avg_ns": 1, "stddev_ns": 1, "avg_ts": 1.0, "stddev_ts": 1.0, "samples_ns": [1], "samples_ts": [1.0],
        }
    ],
    "batched": [
        {
            "n_kv_max": 1, "pp": 1, "tg": 1, "pl": 1, "t_pp": 1.0, "speed_pp": 1.0, "t_tg": 1.0, "speed_tg": 1.0,
            "t": 1.0, "speed": 1.0,
        }
    ],
    "hyperfine": {
        "results": [
            {
                "command": "a", "mean": 1.0, "stddev": 1.0, "median": 1.0, "user": 0.0, "system": 0.0, "min": 1.0,
                "max": 1.0, "times": [1.0, 2.0], "exit_codes": [0, 1], "parameters": {"n": "1"},
            }
        ]
    },
    "pytest-benchmark": {
        "machine_info": {"cpu": {"brand_raw": "Toy"}, "chimera": {"gpu": "Toy"}}, "commit_info": {"id": "c"},
        "datetime": "2026-11-22T09:50:31", "version": "5.3.1",
        "benchmarks": [
            {
                "fullname": "t::a", "group": "g", "params": {"n": 1}, "extra_info": {},
                "stats": {"mean": 1.0, "rounds": 2, "data": [1.0], "ops": 1.0, "outliers": "1;1"},
            },
            {
                "fullname": "t::b", "params": None, "stats": {"mean": 1.0, "rounds": 1},
                "extra_info": {
                    "chimera": {
                        "schema": 1, "kind": "plain", "models": [{"model": "a:1b"}],
                        "rounds": [{"round": 1, "value": 1.0, "generations": [{"model": "a:1b", "ttft_s": 1.0}]}],
                    }
                },
            },
        ],
    },
    "aiperf": {
        "aiperf_version": "0.13.0", "benchmark_id": "x", "start_time": "2026-11-22T09:57:36", "is_complete": True,
        "input_config": {
            "models": {"items": [{"name": "a:1b"}]}, "phases": [{"kind": "profiling", "requests": 3}],
            "datasets": [{"prompts": {"isl": {"mean": 3}}}], "endpoint": {"type": "chat"},
        },
        "request_latency": {"unit": "ms", "avg": 1.0, "p50": 1.0, "std": 1.0, "count": 2, "min": 1.0},
        "error_summary": [{"error_details": {"code": 1, "type": "a", "message": "b"}, "count": 1}],
        "warmup_metrics": {"a": {}},
    },
    "slices": {
        "timeslices": [{"start_ns": 1_795_341_497_684_192_000, "request_latency": {"unit": "ms", "avg": 1.0}}],
        "input_config": {},
    },
    "requests": [
        {
            "metadata": {"benchmark_phase": "profiling", "request_start_ns": 1_795_341_497_684_192_000},
            "metrics": {
                "request_latency": {"value": 1.0, "unit": "ms"}, "inter_chunk_latency": {"value": [1], "unit": "ms"},
            },
        },
        {"metadata": {"benchmark_phase": "warmup", "request_start_ns": 1}, "metrics": {}, "error": {"code": 1}},
    ],
    "guidellm": {
        "metadata": {"guidellm_version": "0.8.1"},
        "benchmarks": [
            {
                "config": {
                    "strategy": {"type_": "x", "max_concurrency": 1}, "backend": {"model": "a", "extras": {"body": {}}},
                },
                "start_time": 1795341267.5,
                "metrics": {"request_latency": {"successful": {**NUMBERS, "percentiles": {"p01": 1.0}}}, "text": {}},
                "requests": {
                    "successful": [{"request_latency": 1.0, "request_start_time": 1795341267.5, "output_metrics": {}}],
                    "errored": [{"info": {"error": "x"}}],
                },
            }
        ],
    },
}  # fmt: skip
TABLES = {
    "ollama": [
        ["NAME", "STEP", "COUNT", "NS_PER_COUNT", "TOKEN_PER_SEC"], ["# Model: a:1b | Params: 1B | Size: 5"],
        ["a:1b", "prefill", "5", "5.0", "1.0"], ["a:1b", "ttft", "1", "5", "0"],
    ],
    "llama": [
        ["build_commit", "model_filename", "n_prompt", "n_gen", "avg_ns", "stddev_ns", "avg_ts", "stddev_ts"],
        ["c", "a.gguf", "5", "0", "1", "1", "1.0", "1.0"],
    ],
    "pytest-benchmark": [["name", "param:n", "min", "mean", "ops", "rounds"], ["t::a", "1", "1.0", "1.0", "1.0", "5"]],
    "aiperf": [["Metric", "avg", "min", "max"], ["Request Latency (ms)", "1.0", "1.0", "1.0"], [], ["Metric", "Value"]],
    "guidellm": [
        ["Run Info", "Run Info", "Request Counts", "Request Latency", "Request Latency"],
        ["Run ID", "Backend", "Successful", "Successful Sec", "Successful Sec"], ["", "", "", "Mean", "Percentiles"],
        ["x", '{"model": "a:1b"}', "2", "1.0", "[1,1,1,1,1,1,1,1,1,1,1]"],
    ],
    "hyperfine": [
        ["command", "mean", "stddev", "median", "user", "system", "min", "max", "parameter_n"],
        ["a", "1", "1", "1", "1", "1", "1", "1", "5"],
    ],
}  # fmt: skip
TEXTS = {
    "ollama": "# Model: a:1b | Params: 1B | Size: 5\n"
    "BenchmarkModel/name=a:1b/step=prefill 1 5.0 ns/token 1.0 token/sec\n"
    "BenchmarkModel/name=a:1b/step=ttft 1 5 ns/op\n",
    "sql": "CREATE TABLE IF NOT EXISTS llama_bench (\n);\n\n"
    "INSERT INTO llama_bench (n_prompt, n_gen, avg_ns, stddev_ns, avg_ts, stddev_ts) "
    "VALUES ('5', '0', '1', '0', '1.0', '0');\n",
    "llama": "| model | size | params | backend | threads | test | t/s |\n"
    "| --- | ---: | ---: | --- | ---: | ---: | ---: |\n"
    "| a 1B Q8_0 | 1.00 MiB | 1.00 B | CPU | 2 | pp5 | 5.00 ± 0.10 |\n\nbuild: c (1)\n",
    "batched": "\n\nllama_batched_bench: n_kv_max = 1024, n_batch = 512\n\n"
    "| PP | TG | B | N_KV | T_PP s | S_PP t/s | T_TG s | S_TG t/s | T s | S t/s |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
    "| 5 | 5 | 1 | 10 | 0.1 | 50.0 | 0.1 | 50.0 | 0.2 | 50.0 |\n",
    "hyperfine": "| Command | Mean [ms] | Min [ms] | Max [ms] | Relative |\n|:---|---:|---:|---:|---:|\n"
    "| `a \\| b` | 1.0 ± 0.1 | 0.9 | 1.1 | 1.00 |\n",
}
HOSTILE = st.one_of(
    st.none(), st.booleans(), st.just(math.nan), st.just(math.inf), st.just(10**400), st.integers(), st.floats(),
    st.text(max_size=8), st.just("\ud800"), st.just("²" * 12), st.just("x" * 5000), st.just([]), st.just({}),
    st.just([[[{}]]]), st.just({"count": -1, "mean": {}}), st.just({5: 5, None: []}), st.just(-1), st.just(1e300),
)  # fmt: skip
ANYTHING = st.recursive(
    HOSTILE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
CELLS = st.sampled_from(
    ["", "nan", "1e999", "-1", "²²²²²²²²²²²²", "x" * 5000, "\ud800", "'", "[" * 3000, "{}", "1_0", "±", "|"]
)
MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(document: Any, found: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value below a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield (*found, key)
        yield from places(value, (*found, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a document with another value at one place, or without it where `value` is ...."""
    made = copy.deepcopy(document)
    outer = made
    for key in path[:-1]:
        outer = outer[key]
    if value is ...:
        del outer[path[-1]]
    else:
        outer[path[-1]] = value
    return made


def checked(reading: Reading, most: int) -> None:
    """Whether a reading is bounded and each of its numbers is one."""
    assert len(reading.rows) <= most
    assert len(reading.remarks) <= 201
    for row in reading.rows:
        for each in row.measurements():
            assert each.value is None or math.isfinite(each.value)
            json.dumps(each.as_dict(), allow_nan=False).encode()
            assert len(each.source.place) < 2000
            assert all(len(value) <= 1200 for value in (*each.labels.values(), each.model or "", each.failure or ""))
    for remark in reading.remarks:
        assert len(remark.reason.encode()) < 5000
        assert remark.values >= 0


def read_by_all(formats: Any, content: Any, most: int) -> None:
    """Ask every format, and have those that recognise the content read it."""
    for each in formats:
        if each.recognises(content):
            checked(each.read(content), most)


@pytest.mark.parametrize(
    ("formats", "content"),
    [
        *((JSON_FORMATS, each) for each in DOCUMENTS.values()),
        *((CSV_FORMATS, each) for each in TABLES.values()),
        *((TEXT_FORMATS, each) for each in TEXTS.values()),
    ],
)
def test_each_shape_has_one_reader(formats: Any, content: Any, read: Any, numbers: Any) -> None:
    """Each shape is recognised by one format, which finds numbers in it and nothing broken."""
    assert len([each for each in formats if each.recognises(content)]) == 1
    reading = read(content)
    assert numbers(reading)
    assert "broken" not in {remark.kind for remark in reading.remarks}


@given(ANYTHING)
@MANY
def test_any_document(document: Any) -> None:
    """No document makes a recogniser raise."""
    read_by_all(JSON_FORMATS, document, 50)


@given(data=st.data())
@MANY
def test_broken_documents(data: st.DataObject) -> None:
    """A document with up to three values replaced or removed is read without an error, and stays bounded."""
    document = DOCUMENTS[data.draw(st.sampled_from(sorted(DOCUMENTS)))]
    for _ in range(data.draw(st.integers(1, 3))):
        found = sorted(places(document), key=repr)
        if found:
            value = data.draw(st.one_of(HOSTILE, st.just(...)))
            document = replaced(document, data.draw(st.sampled_from(found)), value)
    read_by_all(JSON_FORMATS, document, 50)


@given(data=st.data())
@MANY
def test_broken_files_of_our_own(data: st.DataObject, own_rows: dict[str, Any], own_report: dict[str, Any]) -> None:
    """So it is with our own files."""
    document = data.draw(st.sampled_from([own_rows, own_report]))
    part = "benchmarks" if "benchmarks" in document else "cases"
    found = sorted(places(document[part], (part,)), key=repr)
    for _ in range(2):
        path = data.draw(st.sampled_from(found))
        try:
            document = replaced(document, path, data.draw(st.one_of(HOSTILE, st.just(...))))
        except (KeyError, IndexError, TypeError):
            continue  # the place went with the value before
    read_by_all(JSON_FORMATS, document, 200)


@given(data=st.data())
@MANY
def test_broken_tables(data: st.DataObject) -> None:
    """A table with a cell replaced, a row cut or a row doubled is read without an error."""
    table = copy.deepcopy(TABLES[data.draw(st.sampled_from(sorted(TABLES)))])
    row = data.draw(st.sampled_from(table))
    if row:
        column = data.draw(st.integers(0, len(row) - 1))
        row[column] = data.draw(CELLS)
        if data.draw(st.booleans()):
            del row[column:]
    table.append(data.draw(st.sampled_from(table)))
    read_by_all(CSV_FORMATS, table, 50)


@given(data=st.data())
@MANY
def test_broken_texts(data: st.DataObject) -> None:
    """A text with a piece cut out or put in is read without an error."""
    text = TEXTS[data.draw(st.sampled_from(sorted(TEXTS)))]
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    read_by_all(TEXT_FORMATS, text[:first] + data.draw(CELLS) + text[last:], 50)


def test_numbers_without_end(read: Any) -> None:
    """A hostile list of unknown names costs a bounded number of remarks with a bounded text."""
    summary = DOCUMENTS["aiperf"] | {f"metric {i}": {"unit": "ms", "avg": "x" * 10_000} for i in range(2000)}
    checked(read(summary), 10)


def test_import_is_light() -> None:
    """Importing the registry imports no reader."""
    code = (
        "import sys, pytest_chimera.corpus.formats as formats\n"
        "print(sorted(name.rpartition('.')[2] for name in sys.modules if name.startswith(formats.__name__ + '.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['recognise']\n"
