"""Runs that nobody measured, saved as real ones are: results, their rows by our recorder, stats by pytest-benchmark.

A case of `cost` 1 has a TTFT of 100 ms, prefill at 250 tok/s and 10 tokens in 200 ms (50 tok/s); at `cost` 1.07 every
time is 7 % longer, so that the numbers of a verdict can be checked by eye.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.expressions import parse_expression, thresholds
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import KEY, read_case, read_document
from pytest_chimera.metrics import ROW_METRICS, result_statistic
from pytest_chimera.plugin.extra_info import case_infos
from pytest_chimera.plugin.record import _row, _source
from pytest_chimera.records import (
    Case,
    CaseResult,
    Chunk,
    Failure,
    Generation,
    HostInfo,
    LoadedModel,
    Message,
    ModelInfo,
    Round,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pytest_chimera.gate.saved import SavedCase, SavedRun

MS = 1_000_000
MACHINE = {"cpu": "Toy CPU", "cpu_count": 2, "memory_bytes": 4 * 2**30, "architecture": "x86_64", "os": "Linux"}
ROUNDS = (1.0, 0.99, 1.01)
"""Costs of the rounds of a run, in units of the run's: the median is the run's own."""
TTFT_MS, PROMPT_MS, EVAL_MS, LOAD_MS, TOTAL_MS, E2E_MS = 100, 80, 200, 2, 290, 300
TOKENS = 10


class Maker:
    """Makes results, and from them what a saved file holds."""

    machine = MACHINE

    def __init__(self) -> None:
        self._made: dict[str, tuple[SavedRun, ...]] = {}

    def generation(self, cost: float = 1.0, **fields: Any) -> Generation:
        """A request with every time `cost` times as long as the round numbers above."""

        def ns(milliseconds: float) -> int:
            return round(milliseconds * MS * cost)

        chunks = tuple(Chunk(ns(TTFT_MS + 20 * i), None, 0, 3, 0) for i in range(TOKENS))
        known: dict[str, Any] = {
            "endpoint": "chat", "host": "http://127.0.0.1:11434", "model": "toy:latest", "options": {"num_ctx": 512},
            "prompt_hash": "0" * 64, "nonce": "[0123abcd] ", "sent_unix_ns": 1_700_000_000 * 10**9, "chunks": chunks,
            "end_ns": ns(E2E_MS), "text": "la la la", "done_reason": "length", "total_duration_ns": ns(TOTAL_MS),
            "load_duration_ns": ns(LOAD_MS), "prompt_eval_count": 20, "prompt_eval_duration_ns": ns(PROMPT_MS),
            "eval_count": TOKENS, "eval_duration_ns": ns(EVAL_MS),
        }  # fmt: skip
        return Generation(**(known | fields))

    def failed(self) -> Generation:
        """A request that the server refused."""
        return self.generation(
            failure=Failure(kind="http", message="out of memory", status=500, cause="server"),
            chunks=(), done_reason=None, total_duration_ns=None, load_duration_ns=None, prompt_eval_count=None,
            prompt_eval_duration_ns=None, eval_count=None, eval_duration_ns=None,
        )  # fmt: skip

    def result(
        self,
        cost: float = 1.0,
        name: str = "test_sky[toy]",
        *,
        rounds: Sequence[float | Generation] = ROUNDS,
        generation: Mapping[str, Any] | None = None,
        case: Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        host: Mapping[str, Any] | None = None,
        loaded: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> CaseResult:
        """A case whose rounds cost so much: a cold warm-up, and counted rounds with `generation`'s fields."""
        info = {
            "name": "toy:latest", "digest": "sha256:" + "0123456789abcdef" * 4, "family": "llama",
            "parameter_size": "1.1M", "quantization": "Q8_0", "context_length": 2048, "format": "gguf",
            "size_bytes": 1_200_000,
        }  # fmt: skip
        asked: dict[str, Any] = {
            "id": f"test_it.py::{name}", "name": name, "model": ModelInfo(**(info | dict(model or {}))),
            "messages": (Message(role="user", content="Why is the sky blue?"),), "rounds": len(rounds),
            "options": {"num_ctx": 512, "num_predict": TOKENS, "temperature": 0.5}, "options_set": ("num_ctx",),
        }  # fmt: skip
        server = {"url": "http://127.0.0.1:11434", "version": "0.32.15", "shares_clock": True}
        memory = {"name": "toy:latest", "context_length": 512, "size_bytes": 3_000_000, "size_vram_bytes": 0}
        made = [
            each if isinstance(each, Generation) else self.generation(cost * each, **(generation or {}))
            for each in rounds
        ]
        known: dict[str, Any] = {
            "case": Case(**(asked | dict(case or {}))),
            "host": HostInfo(**(server | dict(host or {}))),
            "loaded": LoadedModel(**(memory | dict(loaded or {}))),
            "rounds": (
                Round(number=1, warmup=True, cold=True, generation=self.generation(6 * cost)),
                *(Round(number=i, warmup=False, cold=False, generation=each) for i, each in enumerate(made, 1)),
            ),
            "started_unix_ns": 1_700_000_000 * 10**9,
            "complete": True,
        }
        return CaseResult(**(known | fields))

    def rows(self, *results: CaseResult, data: bool = True, bare: bool = False) -> list[dict[str, Any]]:
        """The rows that our recorder adds, as pytest-benchmark writes them; `bare` ones without `extra_info`."""
        from pytest_benchmark.stats import Metadata  # noqa: PLC0415  # only where a row is made

        found = [
            _row(Metadata, _source(result, metric), values).as_dict(include_data=data)
            for result in results
            for metric in ROW_METRICS
            if (values := result_statistic(metric, result).values)
        ]
        return [each | {"extra_info": {}} for each in found] if bare else found

    def document(
        self,
        *results: CaseResult,
        day: int = 1,
        branch: str = "main",
        machine: Mapping[str, Any] = MACHINE,
        rows: Iterable[Mapping[str, Any]] = (),
        **how: bool,
    ) -> Any:
        """The JSON of a run with these results, on a day of November; `rows` are those of ordinary benchmarks."""
        written = {
            "machine_info": {"node": "pc", "machine": "x86_64", "system": "Linux", KEY: machine},
            "commit_info": {"id": f"{day:040x}", "time": None, "dirty": False, "project": "suite", "branch": branch},
            "benchmarks": [*self.rows(*results, **how), *rows],
            "datetime": f"2026-11-{day:02d}T09:50:32.293875+00:00",
            "version": "5.3.1",
        }
        return json.loads(json.dumps(written))

    def write(self, path: Path, *results: CaseResult, **written: Any) -> Path:
        """A file of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.document(*results, **written), indent=4), encoding="utf-8")
        return path

    def run(self, name: str, *results: CaseResult, **written: Any) -> SavedRun:
        """The same as it is read back."""
        return read_document(self.document(*results, **written), f"{name}.json", name=name)

    def runs(self, *costs: float, **fields: Any) -> list[SavedRun]:
        """A run of one case for each cost, called 0001 and so on; the same ones are made once."""
        key = repr((costs, fields))
        if key not in self._made:
            made = (self.result(cost, **fields) for cost in costs)
            self._made[key] = tuple(self.run(f"{i:04d}", each, day=i) for i, each in enumerate(made, 1))
        return list(self._made[key])

    def case(self, result: CaseResult, machine: Mapping[str, Any] = MACHINE) -> SavedCase:
        """A case of the run that goes on, as the gate gets it."""
        return read_case(case_infos(result), machine)

    def gate(self, runs: Sequence[SavedRun], *expressions: str, **wanted: Any) -> Gate:
        """A gate that holds cases against these runs."""
        held = {name: wanted.pop(name) for name in ("gated", "allowance", "others") if name in wanted}
        return Gate(Baseline(runs, **wanted), thresholds(map(parse_expression, expressions)), **held)


@pytest.fixture(scope="session")
def make() -> Maker:
    """Makes results and saved runs, which are frozen values."""
    return Maker()
