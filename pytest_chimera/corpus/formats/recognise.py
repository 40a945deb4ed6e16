"""Which tool wrote a document: by a few keys that no other has, without reading the rest. Nothing here raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_OLLAMA_COLUMNS = ["NAME", "STEP", "COUNT", "NS_PER_COUNT", "TOKEN_PER_SEC"]
_HYPERFINE_COLUMNS = ["command", "mean", "stddev", "median", "user", "system", "min", "max"]
_BENCHMARK_COLUMNS = frozenset({
    "min", "max", "mean", "stddev", "median", "iqr", "q1", "q3", "total", "outliers", "ops", "rounds", "iterations",
    "ld15iqr", "hd15iqr",
})  # fmt: skip
_LEAST_COLUMNS = 2
_HEAD = 4096
"""Characters at the start of a text that are looked at before the rest is."""


def is_llama_bench(document: Any) -> bool:
    """A list of tests of llama-bench."""
    return {"build_commit", "model_filename", "n_prompt", "n_gen", "avg_ts"} <= _first(document).keys()


def is_llama_batched(document: Any) -> bool:
    """A list of rows of llama-batched-bench."""
    return {"n_kv_max", "pp", "tg", "pl", "t_pp", "speed_tg"} <= _first(document).keys()


def is_pytest_benchmark(document: Any) -> bool:
    """What pytest-benchmark saves."""
    known = _mapping(document)
    return isinstance(known.get("benchmarks"), list) and isinstance(known.get("machine_info"), Mapping)


def is_own_report(document: Any) -> bool:
    """The JSON twin of a report of this project."""
    return _mapping(document).get("schema") == "pytest-chimera-report"


def is_aiperf(document: Any) -> bool:
    """AIPerf's summary of a run."""
    known = _mapping(document)
    return isinstance(known.get("aiperf_version"), str) and "benchmark_id" in known


def is_aiperf_slices(document: Any) -> bool:
    """AIPerf's time slices."""
    known = _mapping(document)
    return isinstance(known.get("timeslices"), list) and isinstance(known.get("input_config"), Mapping)


def is_aiperf_requests(document: Any) -> bool:
    """AIPerf's list of requests."""
    first = _first(document)
    return "metrics" in first and {"benchmark_phase", "request_start_ns"} <= _mapping(first.get("metadata")).keys()


def is_guidellm(document: Any) -> bool:
    """GuideLLM's results."""
    known = _mapping(document)
    return isinstance(known.get("benchmarks"), list) and "guidellm_version" in _mapping(known.get("metadata"))


def is_hyperfine(document: Any) -> bool:
    """hyperfine's results."""
    return {"command", "mean", "median", "user", "system"} <= _first(_mapping(document).get("results")).keys()


def is_ollama_csv(rows: Sequence[Sequence[str]]) -> bool:
    """The CSV of Ollama's own benchmark program."""
    return _header(rows) == _OLLAMA_COLUMNS


def is_llama_csv(rows: Sequence[Sequence[str]]) -> bool:
    """The CSV of llama-bench."""
    return {"build_commit", "model_filename", "n_prompt", "n_gen", "avg_ts"} <= set(_header(rows))


def is_benchmark_csv(rows: Sequence[Sequence[str]]) -> bool:
    """The CSV of `pytest-benchmark compare`, with any of its columns."""
    header = _header(rows)
    others = [name for name in header[1:] if not name.startswith("param:")]
    return header[:1] == ["name"] and len(others) >= _LEAST_COLUMNS and _BENCHMARK_COLUMNS.issuperset(others)


def is_aiperf_csv(rows: Sequence[Sequence[str]]) -> bool:
    """The CSV of AIPerf's summary."""
    return _header(rows)[:4] == ["Metric", "avg", "min", "max"]


def is_guidellm_csv(rows: Sequence[Sequence[str]]) -> bool:
    """The CSV of GuideLLM."""
    return len(rows) > 1 and _header(rows)[:1] == ["Run Info"] and list(rows[1][:1]) == ["Run ID"]


def is_hyperfine_csv(rows: Sequence[Sequence[str]]) -> bool:
    """The CSV of hyperfine."""
    header = _header(rows)
    known = len(_HYPERFINE_COLUMNS)
    return header[:known] == _HYPERFINE_COLUMNS and all(name.startswith("parameter_") for name in header[known:])


def is_ollama_text(content: str) -> bool:
    """What Ollama's own benchmark program prints for benchstat."""
    return any(line.startswith("BenchmarkModel/name=") for line in content[:_HEAD].splitlines())


def is_llama_sql(content: str) -> bool:
    """The SQL of llama-bench."""
    return content[:_HEAD].startswith("CREATE TABLE IF NOT EXISTS llama_bench ")


def is_llama_markdown(content: str) -> bool:
    """The table of llama-bench and nothing beside it."""
    first = content[:_HEAD].splitlines()[:1]
    cells = [part.strip() for part in first[0].split("|")] if first else []
    return cells[:2] == ["", "model"] and cells[-3:] == ["test", "t/s", ""] and _is_table(content, "build: ")


def is_batched_markdown(content: str) -> bool:
    """The table of llama-batched-bench and nothing beside it."""
    start = content[:_HEAD].lstrip()
    table = "".join(start[start.find("|") :].split())
    return (
        start.startswith(("llama_batched_bench: ", "|"))
        and table.startswith("|PP|TG|B|N_KV|T_PPs|S_PPt/s|")
        and _is_table(content, "llama_batched_bench: ")
    )


def is_hyperfine_markdown(content: str) -> bool:
    """The table of hyperfine and nothing beside it."""
    return content[:_HEAD].startswith(("| Command | Mean [ms] |", "| Command | Mean [s] |")) and _is_table(content, "|")


def _is_table(content: str, other: str) -> bool:
    """Whether every line is one of a table, empty, or begins with `other`."""
    return all(line.startswith(("|", other)) or not line.strip() for line in content.splitlines())


def _first(document: Any) -> Mapping[str, Any]:
    """The first object of a list; empty where there is none."""
    return _mapping(document[0]) if isinstance(document, list) and document else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, (dict, Mapping)) else {}  # a dict is told so at a tenth of the cost


def _header(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first row that is not empty."""
    return list(next((row for row in rows if any(row)), ()))
