"""Files of other tools: real ones beside the checkout, and small ones of our own making in the same shapes."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pytest_benchmark.stats import Metadata

from pytest_chimera.corpus.formats import CSV_FORMATS, JSON_FORMATS, TEXT_FORMATS
from pytest_chimera.metrics import ROW_METRICS, result_statistic
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
from pytest_chimera.report import ReportInput, build_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.corpus.rows import Reading
    from pytest_chimera.records import Measurement

    ReadFile = Callable[[str], Reading]
    ReadContent = Callable[[Any], Reading]

MS = 1_000_000


def _read(content: Any) -> Reading:
    """What the one reader that recognises `content` (a document, rows, or text) makes of it."""
    if isinstance(content, str):
        formats: Any = TEXT_FORMATS
    elif isinstance(content, list) and content and isinstance(content[0], list):
        formats = CSV_FORMATS
    else:
        formats = JSON_FORMATS
    (found,) = [each for each in formats if each.recognises(content)]
    reading: Reading = found.read(content)
    assert reading.format == found.name
    return reading


@pytest.fixture(scope="session")
def read() -> ReadContent:
    """Reads a document, the rows of a CSV, or a text by the one reader that recognises it."""
    return _read


@pytest.fixture
def read_file(shared: Path) -> ReadFile:
    """Reads a file of the folder of real exports, as its suffix says."""
    folder = shared / "formats"
    if not folder.is_dir():
        pytest.skip(f"needs the exports of other tools in {folder}, which are not part of the project")

    def read_one(name: str) -> Reading:
        content = (folder / name).read_text(encoding="utf-8")
        match Path(name).suffix:
            case ".json":
                return _read(json.loads(content))
            case ".jsonl":
                return _read([json.loads(line) for line in content.splitlines() if line])
            case ".yaml":
                return _read(yaml.load(content, yaml.CSafeLoader))
            case ".csv":
                return _read(list(csv.reader(content.splitlines())))
        return _read(content)

    return read_one


@pytest.fixture(scope="session")
def numbers() -> Callable[[Reading], list[Measurement]]:
    """Lists the measurements of a reading."""
    return lambda reading: [each for row in reading.rows for each in row.measurements()]


@pytest.fixture(scope="session")
def told() -> Callable[[Reading], list[tuple[str, str, int]]]:
    """Lists (kind, reason, how many values) of the remarks of a reading."""
    return lambda reading: [(each.kind, each.reason, each.values) for each in reading.remarks]


def _generation(cost: float = 1.0, **fields: Any) -> Generation:
    """TTFT 100 ms, 4 tokens in 80 ms, E2E 200 ms, each `cost` times as long."""
    known: dict[str, Any] = {
        "endpoint": "chat", "host": "http://127.0.0.1:11434", "model": "toy:1m", "options": {"num_ctx": 512},
        "prompt_hash": "ab" * 32, "nonce": "[0123abcd] ", "sent_unix_ns": 1_700_000_000 * 10**9,
        "chunks": tuple(Chunk(round((100 + 20 * i) * MS * cost), None, 0, 3, 0) for i in range(4)),
        "end_ns": round(200 * MS * cost), "done_reason": "length", "total_duration_ns": round(190 * MS * cost),
        "load_duration_ns": round(2 * MS * cost), "prompt_eval_count": 20,
        "prompt_eval_duration_ns": round(80 * MS * cost), "eval_count": 4, "eval_duration_ns": round(80 * MS * cost),
    }  # fmt: skip
    return Generation(**(known | fields))


def _result() -> CaseResult:
    """A warm-up, a warm round, a cold one that does not count, and one that failed."""
    failed = _generation(
        failure=Failure(kind="http", message="out of memory", status=500, cause="server"), chunks=(), end_ns=None,
        eval_count=None, eval_duration_ns=None,
    )  # fmt: skip
    return CaseResult(
        case=Case(
            id="test_it.py::test_sky[toy]", name="test_sky[toy]",
            model=ModelInfo(
                name="toy:1m", digest="sha256:" + "0123456789abcdef" * 4, parameter_size="1.1M", quantization="Q8_0",
                size_bytes=1_200_000,
            ),
            messages=(Message(role="user", content="Why is the sky blue?"),),
            options={"num_ctx": 512, "temperature": 0.5},
        ),
        host=HostInfo(url="http://127.0.0.1:11434", version="0.32.15", shares_clock=True),
        loaded=LoadedModel(name="toy:1m", context_length=512, size_bytes=3_000_000, size_vram_bytes=1_000_000),
        rounds=(
            Round(number=1, warmup=True, cold=True, generation=_generation(6)),
            Round(number=1, warmup=False, cold=False, generation=_generation()),
            Round(number=2, warmup=False, cold=True, generation=_generation(5)),
            Round(number=3, warmup=False, cold=None, generation=failed),
        ),
        started_unix_ns=1_700_000_000 * 10**9, complete=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def own_rows() -> dict[str, Any]:
    """What pytest-benchmark saves of a case of ours, through our recorder, as read back from JSON."""
    result = _result()
    rows = [
        _row(Metadata, _source(result, metric), values).as_dict()
        for metric in ROW_METRICS
        if (values := result_statistic(metric, result).values)
    ]
    document = {
        "machine_info": {"system": "Linux", "chimera": {"cpu": "Toy CPU", "cpu_count": 2, "gpu": "Toy GPU"}},
        "commit_info": {"id": "c0ffee", "branch": "main"},
        "benchmarks": rows, "datetime": "2026-11-22T09:50:31.870979+00:00", "version": "5.3.1",
    }  # fmt: skip
    read_back: dict[str, Any] = json.loads(json.dumps(document))
    return read_back


@pytest.fixture(scope="session")
def own_report() -> dict[str, Any]:
    """The JSON twin of a report on the same case, as read back from JSON."""
    given = ReportInput(
        results=(_result(),), created=datetime(2026, 11, 22, 12, tzinfo=timezone.utc), suite="toy",
        hardware={"cpu": "Toy CPU"}, versions={"Python": "3.13.1", "ollama": "0.6.3"},
    )  # fmt: skip
    read_back: dict[str, Any] = json.loads(json.dumps(build_report(given).as_dict()))
    return read_back
