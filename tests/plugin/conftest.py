"""What tests of the plugin share: results of cases that nobody measured, and runs of pytest that record them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import pytest

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
    from collections.abc import Sequence

MS = 1_000_000


class ResultMaker(Protocol):
    """Builds a CaseResult; see `make_result`."""

    def __call__(self, **fields: Any) -> CaseResult:
        """A result with these fields changed."""


class GenerationMaker(Protocol):
    """Builds a Generation; see `make_generation`."""

    def __call__(self, ttft_ms: int = 50, **fields: Any) -> Generation:
        """A generation with this TTFT and these fields changed."""


@pytest.fixture
def make_generation() -> GenerationMaker:
    """Requests that answer 10 tokens in 100 ms after a TTFT of choice; `error=` makes one that failed."""

    def make(ttft_ms: int = 50, *, error: str | None = None, **fields: Any) -> Generation:
        chunks = [Chunk(arrival_ns=(ttft_ms + 10 * i) * MS, created_unix_ns=None, thinking_chars=0, answer_chars=3,
                        tool_calls=0) for i in range(10)]  # fmt: skip
        known: dict[str, Any] = {
            "endpoint": "chat", "host": "http://127.0.0.1:11434", "model": "toy:latest", "options": {"num_ctx": 512},
            "prompt_hash": "0" * 64, "nonce": "[0123abcd] ", "sent_unix_ns": 1_700_000_000 * 10**9,
            "chunks": tuple(chunks), "end_ns": (ttft_ms + 100) * MS, "text": "la la la", "done_reason": "stop",
            "total_duration_ns": (ttft_ms + 99) * MS, "load_duration_ns": 2 * MS, "prompt_eval_count": 20,
            "prompt_eval_duration_ns": 40 * MS, "eval_count": 10, "eval_duration_ns": 100 * MS,
        }  # fmt: skip
        if error is not None:
            known |= {
                "failure": Failure(kind="http", message=error, status=500, cause="server"),
                "done_reason": None,
                "chunks": (),
            }
            known |= dict.fromkeys(("total_duration_ns", "load_duration_ns", "prompt_eval_count", "eval_count",
                                    "prompt_eval_duration_ns", "eval_duration_ns"))  # fmt: skip
        return Generation(**(known | fields))

    return make


@pytest.fixture
def make_result(make_generation: GenerationMaker) -> ResultMaker:
    """Results of one case: a cold warm-up of 300 ms, two counted rounds of 50 and 60 ms, a failed one.

    `case=` takes fields of the case, `ttfts_ms=` other counted rounds, everything else fields of the result.
    """

    def make(*, case: dict[str, Any] | None = None, ttfts_ms: Sequence[int] = (50, 60), **fields: Any) -> CaseResult:
        model = ModelInfo(
            name="toy:latest", digest="sha256:abc", family="llama", parameter_size="1.1M", quantization="Q8_0",
            context_length=2048, format="gguf", size_bytes=1_200_000,
        )  # fmt: skip
        asked: dict[str, Any] = {
            "id": "test_it.py::test_sky[toy]", "name": "test_sky[toy]", "model": model, "persona": "insight-agent",
            "messages": (Message(role="user", content="Why is the sky blue?"),), "rounds": 3,
            "options": {"num_ctx": 512, "temperature": 0.5}, "options_set": ("num_ctx",),
        }  # fmt: skip
        warmup = Round(number=1, warmup=True, cold=True, generation=make_generation(300))
        counted = [
            Round(number=number, warmup=False, cold=False, generation=make_generation(ms))
            for number, ms in enumerate(ttfts_ms, 1)
        ]
        broken = make_generation(error="out of memory")
        failed = Round(number=len(counted) + 1, warmup=False, cold=None, generation=broken, busy_answers=2)
        known: dict[str, Any] = {
            "case": Case(**(asked | (case or {}))),
            "host": HostInfo(url="http://127.0.0.1:11434", version="0.32.15", shares_clock=True),
            "loaded": LoadedModel(name="toy:latest", context_length=512, size_bytes=3_000_000, size_vram_bytes=0),
            "rounds": (warmup, *counted, failed),
            "started_unix_ns": 1_700_000_000 * 10**9,
            "complete": True,
        }
        return CaseResult(**(known | fields))

    return make


RECORDING = """
import json
from pathlib import Path
import pytest
from pytest_chimera.errors import ChimeraError
from pytest_chimera.plugin import record
from pytest_chimera.records import CaseResult

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    given = json.loads(Path(__file__).with_name("results.json").read_text(encoding="utf-8"))
    try:
        record.record_rows(session.config, [CaseResult.from_dict(each) for each in given])
    except ChimeraError as error:
        session.config.pluginmanager.getplugin("terminalreporter").write_line("\\nproblem: " + str(error))
    return (yield)

@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config, machine_info):
    record.update_machine_info(config, machine_info)

@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_benchmark_compare_machine_info(machine_info, compared_benchmark):
    record.match_machine_info(machine_info, compared_benchmark)
"""


@pytest.fixture
def recording(pytester: pytest.Pytester) -> Recording:
    """A project whose runs record given results, whatever its tests do."""
    return Recording(pytester)


class Recording:
    """See the fixture `recording`."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        """With one test that passes."""
        self.pytester = pytester
        pytester.makeconftest(RECORDING)
        pytester.makepyfile(test_it="def test_it():\n    pass\n")

    def run(self, results: Sequence[CaseResult], *args: str, subprocess: bool = False) -> pytest.RunResult:
        """Run pytest over the project, which then records `results`.

        xdist and Ctrl-C need a process of their own, and so does pygal: a package that it imports takes the entry
        points from under every later run in this process.
        """
        text = json.dumps([each.as_dict() for each in results])
        (self.pytester.path / "results.json").write_text(text, encoding="utf-8")
        run = self.pytester.runpytest_subprocess if subprocess or "-n" in args else self.pytester.runpytest_inprocess
        return run("-p", "no:hypothesispytest", "-p", "no:cacheprovider", *args)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows in a JSON file that a run wrote."""
        data = json.loads((self.pytester.path / name).read_text(encoding="utf-8"))
        rows: list[dict[str, Any]] = data["benchmarks"]
        return rows
