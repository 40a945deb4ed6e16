"""Saved runs as they are really written, rows by our recorder and numbers by pytest-benchmark; `compare` over them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_benchmark.stats import Metadata

from pytest_chimera.__main__ import main
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
    Generation,
    HostInfo,
    LoadedModel,
    Message,
    ModelInfo,
    Round,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.gate.saved import SavedRun

NS_PER_MS = 1_000_000
STARTED_NS = 1_790_000_000 * 10**9
MACHINE = {"cpu": "Toy CPU", "cpu_count": 2, "memory_bytes": 4 * 2**30, "architecture": "x86_64", "os": "Linux"}
SCATTER = (0.0, 1.0, -1.0, 0.5, -0.5)
"""Of the rounds of a case about their median, in units of `spread`."""
GATE = ("ttft:5%", "prefill:5%", "tok/s:5%", "e2e:5%")
"""What is compared where nobody says what."""


class Saved:
    """Makes results, and files of them below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def result(
        self,
        name: str = "test_sky[toy]",
        *,
        slower: float = 1.0,
        ttft_ms: float = 50.0,
        prefill: float = 500.0,
        tok_s: float = 100.0,
        spread: float = 0.01,
        rounds: int = 5,
        ended: str = "length",
        model: Mapping[str, Any] | None = None,
        case: Mapping[str, Any] | None = None,
        host: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> CaseResult:
        """A case of `rounds` rounds with these medians after a cold warm-up, all of it `slower` by a factor.

        Rounds have 20 tokens of prompt and 10 of answer, and scatter by `spread` at most. `model`, `case` and `host`
        take other fields of theirs, everything else are fields of the result.
        """
        asked = _case(name, rounds, model or {}, case or {})
        server = HostInfo(
            **({"url": "http://127.0.0.1:11434", "version": "0.32.15", "shares_clock": True} | dict(host or {}))
        )
        times_ns = [round(each * NS_PER_MS) for each in (ttft_ms, 20_000 / prefill, 10_000 / tok_s)]
        factors = [6.0, *(slower * (1 + spread * SCATTER[i % len(SCATTER)]) for i in range(rounds))]
        generations = [
            _generation(asked, server.url, [round(each * factor) for each in times_ns], ended) for factor in factors
        ]
        made: dict[str, Any] = {
            "case": asked,
            "host": server,
            "loaded": LoadedModel(
                name=asked.model.name,
                context_length=asked.options.get("num_ctx"),
                size_bytes=3_000_000,
                size_vram_bytes=0,
            ),
            "rounds": tuple(
                Round(number=number or 1, warmup=not number, cold=not number, generation=each)
                for number, each in enumerate(generations)
            ),
            "started_unix_ns": STARTED_NS,
            "complete": True,
        }
        return CaseResult(**(made | fields))

    def judged(
        self,
        result: CaseResult,
        *base: SavedRun,
        gate: Sequence[str] = GATE,
        again: CaseResult | None = None,
    ) -> CaseResult:
        """The result with the verdicts that a gate of these expressions saves, confirmed by `again` if given."""
        held = Gate(Baseline(base), thresholds(map(parse_expression, gate)))
        verdicts = held.judge(read_case(case_infos(result), MACHINE))
        if again is not None:
            verdicts = held.confirm(verdicts, read_case(case_infos(again), MACHINE))
        return replace(result, verdicts=verdicts)

    def write(self, name: str, *results: CaseResult, **said: Any) -> Path:
        """A file below the folder; see `document`."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document(results, **said), indent=4), encoding="utf-8")
        return path

    def store(self, number: int, *results: CaseResult, name: str = "run", **said: Any) -> Path:
        """A file in pytest-benchmark's storage under a number, which is also the day."""
        file = f".benchmarks/Linux-CPython-3.11-64bit/{number:04d}_{name}.json"
        return self.write(file, *results, **{"day": number, **said})

    def run(self, name: str, *results: CaseResult, **said: Any) -> SavedRun:
        """The same as it is read, without a file; `name` is the run's."""
        return read_document(json.loads(json.dumps(document(results, **said))), f"{name}.json", name=name)


def _case(name: str, rounds: int, model: Mapping[str, Any], fields: Mapping[str, Any]) -> Case:
    known = {
        "name": "toy:latest", "digest": "sha256:0123456789abcdef", "family": "llama", "parameter_size": "1.1M",
        "quantization": "Q8_0", "context_length": 2048, "format": "gguf", "size_bytes": 1_200_000,
    }  # fmt: skip
    asked: dict[str, Any] = {
        "id": f"test_it.py::{name}", "name": name, "model": ModelInfo(**(known | dict(model))), "rounds": rounds,
        "messages": (Message(role="user", content="Why is the sky blue?"),),
        "options": {"num_ctx": 512, "num_predict": 10}, "options_set": ("num_ctx",),
    }  # fmt: skip
    return Case(**(asked | dict(fields)))


def _generation(case: Case, url: str, times_ns: Sequence[int], ended: str) -> Generation:
    first, prompt, answer = times_ns
    chunks = tuple(
        Chunk(arrival_ns=first + i * answer // 10, created_unix_ns=None, thinking_chars=0, answer_chars=3, tool_calls=0)
        for i in range(10)
    )
    return Generation(
        endpoint="chat", host=url, model=case.model.name, options=case.options, prompt_hash=case.prompt_hash,
        nonce="[0123abcd] ", sent_unix_ns=STARTED_NS, chunks=chunks, end_ns=first + answer, text="la la la",
        done_reason=ended, total_duration_ns=first + answer, load_duration_ns=2 * NS_PER_MS, prompt_eval_count=20,
        prompt_eval_duration_ns=prompt, eval_count=10, eval_duration_ns=answer,
    )  # fmt: skip


def document(
    results: Sequence[CaseResult],
    *,
    day: int = 1,
    branch: str = "main",
    data: bool = False,
    machine: Mapping[str, Any] | None = None,
    rows: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What a run with these results leaves on a day of November; `rows` are those of other benchmarks.

    With `data` as `--benchmark-json` writes it, else as `--benchmark-save` does.
    """
    ours = [
        _row(Metadata, _source(each, metric), values).as_dict(include_data=data)
        for each in results
        for metric in ROW_METRICS
        if (values := result_statistic(metric, each).values)
    ]
    return {
        "machine_info": {"node": "pc", "machine": "x86_64", "system": "Linux", KEY: dict(machine or MACHINE)},
        "commit_info": {"id": f"{day:040x}", "time": None, "dirty": False, "project": "suite", "branch": branch},
        "benchmarks": [*ours, *rows],
        "datetime": f"2026-11-{day:02d}T09:50:32.293875+00:00",
        "version": "5.3.1",
    }


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """A folder, which is the current one, to write saved runs into."""
    monkeypatch.chdir(tmp_path)
    return Saved(tmp_path)


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left."""

    status: int
    out: str
    err: str


class Compare:
    """Runs `pytest-chimera compare` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        """The status and both outputs."""
        self.capsys.readouterr()
        try:
            status = main(["compare", *arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = self.capsys.readouterr()
        return Done(status, out, err)

    def data(self, *arguments: str) -> dict[str, Any]:
        """What `--json` has, whatever the status."""
        path = Path("data-of-compare.out")  # no file that a folder or glob would take for a saved run
        done = self(*arguments, "--json", str(path))
        assert path.is_file(), done.err
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        return found

    def outcomes(self, *arguments: str) -> dict[str, str]:
        """Case and metric -> outcome."""
        return {f"{each['name']} {each['metric']}": each["outcome"] for each in self.data(*arguments)["verdicts"]}


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Compare:
    """The command, on a terminal of 120 columns."""
    monkeypatch.setenv("COLUMNS", "120")
    return Compare(capsys)
