"""A session that never was: results with round numbers, from which every number of a report can be checked by eye."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

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
from pytest_chimera.report import ReportInput

MS = 1_000_000
START = 1_763_800_000_000_000_000

SWEEP = "tests/test_bench.py::test_sweep[gemma3:latest]"

MakeGeneration = Callable[..., Generation]
MakeResult = Callable[..., CaseResult]
MakeSweep = Callable[..., list[CaseResult]]


def _generation(
    *,
    ttft_ms: int = 50,
    tokens: int = 20,
    step_ms: int = 10,
    load_ms: int = 2,
    wait_ms: int = 1,
    stall_ms: int = 0,
    **changes: Any,
) -> Generation:
    """One request: first token at `ttft_ms`, one every `step_ms`, the last one `stall_ms` late."""
    times = [ttft_ms + step_ms * number for number in range(tokens)]
    times[-1] += stall_ms
    prompt_ms = ttft_ms - load_ms - wait_ms
    eval_ms = step_ms * tokens + stall_ms
    fields: dict[str, Any] = {
        "endpoint": "chat",
        "host": "http://localhost:11434",
        "model": "gemma3:latest",
        "options": {"num_ctx": 4096},
        "prompt_hash": "0" * 64,
        "nonce": "n",
        "sent_unix_ns": START,
        "chunks": tuple(Chunk(time * MS, None, 0, 4, 0) for time in times),
        "end_ns": (times[-1] + 2) * MS,
        "text": "word " * tokens,
        "done_reason": "stop",
        "total_duration_ns": (load_ms + prompt_ms + eval_ms + wait_ms) * MS,
        "load_duration_ns": load_ms * MS,
        "prompt_eval_count": 100,
        "prompt_eval_duration_ns": prompt_ms * MS,
        "eval_count": tokens,
        "eval_duration_ns": eval_ms * MS,
    }
    return Generation(**{**fields, **changes})


def _result(
    name: str = "test_sky[gemma3:latest]",
    *,
    generations: tuple[Generation, ...] = (),
    warmup: tuple[Generation, ...] = (),
    cold: tuple[int, ...] = (),
    case: dict[str, Any] | None = None,
    **changes: Any,
) -> CaseResult:
    """A case with these rounds; `cold` are the numbers of the counted rounds that loaded the model, 0 is warm-up 1."""
    fields: dict[str, Any] = {
        "id": f"tests/test_bench.py::{name}",
        "name": name,
        "model": ModelInfo(
            name="gemma3:latest",
            digest="sha256:" + "c0ffee" * 10,
            family="gemma3",
            parameter_size="4.3B",
            quantization="Q4_K_M",
            context_length=131_072,
        ),
        "messages": (Message(role="user", content="Why is the sky blue?"),),
        "options": {"num_ctx": 4096, "seed": 7},
        "options_set": ("num_ctx",),
        "rounds": len(generations),
        "warmup": len(warmup),
    }
    rounds = [
        Round(number=number, warmup=True, cold=0 in cold, generation=each) for number, each in enumerate(warmup, 1)
    ]
    rounds += [
        Round(number=number, warmup=False, cold=number in cold, generation=each)
        for number, each in enumerate(generations, 1)
    ]
    values: dict[str, Any] = {
        "case": Case(**{**fields, **(case or {})}),
        "host": HostInfo(url="http://localhost:11434", version="0.32.15", shares_clock=False),
        "loaded": LoadedModel(
            name="gemma3:latest", context_length=4096, size_bytes=4 * 2**30, size_vram_bytes=3 * 2**30
        ),
        "rounds": tuple(rounds),
        "started_unix_ns": START,
        "setup_ns": 100 * MS,
        "warmup_ns": 900 * MS,
        "measuring_ns": 3000 * MS,
        "complete": True,
    }
    return CaseResult(**{**values, **changes})


def _swept(
    points: Sequence[Mapping[str, Any]],
    slower: Callable[[Mapping[str, Any]], float] = lambda _point: 1.0,
    *,
    loads: Sequence[str] = (),
    rounds: int = 3,
    noise: float = 0.01,
    sweep: str = SWEEP,
    case: dict[str, Any] | None = None,
    **changes: Any,
) -> list[CaseResult]:
    """The points of a sweep, each so many times slower than 50 ms to the first token and 10 ms for each.

    Rounds of points with the same levels of `loads` share blocks, one for each round; without any there is one block.
    The noise, a share, is from a fixed seed.
    """
    chance = random.Random(7)  # repeatable, no secret
    keys = list(dict.fromkeys(tuple(point[name] for name in loads) for point in points))
    found = []
    for number, point in enumerate(points):
        said = ",".join(f"{name}={_level(level)}" for name, level in point.items())
        label = point["arm"] if set(point) == {"arm"} else said
        factors = [slower(point) * (1 + noise * chance.gauss(0, 1)) for _ in range(rounds)]
        answers = tuple(_slower(factor, at * len(points) + number) for at, factor in enumerate(factors))
        known = {"id": f"{sweep} {label}", "sweep": sweep, "point": dict(point), **(case or {})}
        made = _result(f"{sweep.rpartition('::')[2]} {label}", generations=answers, case=known, **changes)
        place = keys.index(tuple(point[name] for name in loads))
        blocks = [1 + (at * len(keys) + place if loads else 0) for at in range(rounds)]
        in_blocks = (replace(each, block=block) for each, block in zip(made.rounds, blocks, strict=True))
        found.append(replace(made, rounds=tuple(in_blocks)))
    return found


def _slower(factor: float, order: int) -> Generation:
    made = _generation(ttft_ms=round(50 * factor), sent_unix_ns=START + order * 1000 * MS)
    return replace(made, eval_duration_ns=round(200 * factor * MS), prompt_eval_duration_ns=round(47 * factor * MS))


def _level(level: object) -> str:
    return str(level).lower() if isinstance(level, bool) else str(level)


def _failed(made: CaseResult) -> CaseResult:
    """The same case, with every round failed."""
    failure = Failure(kind="http", cause="server", status=500, message="out of memory")
    gone: dict[str, Any] = {"failure": failure, "chunks": (), "end_ns": None, "eval_count": None}
    return replace(
        made, rounds=tuple(replace(each, generation=replace(each.generation, **gone)) for each in made.rounds)
    )


@pytest.fixture
def swept() -> MakeSweep:
    """Makes the results of a sweep, or of arms."""
    return _swept


@pytest.fixture
def failed() -> Callable[[CaseResult], CaseResult]:
    """Makes a result of which every round failed."""
    return _failed


@pytest.fixture
def generation() -> MakeGeneration:
    """Makes a Generation."""
    return _generation


@pytest.fixture
def result() -> MakeResult:
    """Makes a CaseResult."""
    return _result


@pytest.fixture
def created() -> datetime:
    """When the report was made."""
    return datetime(2026, 11, 22, 13, 47, 5, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def session(created: datetime) -> ReportInput:
    """Four cases of two models: one as it should be, one long, one with failures, one that was interrupted."""
    small = ModelInfo(name="gemma3:270m", family="gemma3", parameter_size="268.10M", quantization="Q8_0")
    full = "request (2010 tokens) exceeds the available context size (512 tokens), try increasing it"
    failed = (
        _generation(
            failure=Failure(kind="http", cause="too_long", status=400, message=full),
            chunks=(),
            end_ns=None,
            eval_count=None,
        ),
        _generation(
            failure=Failure(kind="cut", cause="no_final_chunk", message="the stream ended after | 3 chunks"),
            end_ns=None,
        ),
    )
    results = (
        _result(
            generations=(_generation(), _generation(ttft_ms=60, step_ms=12), _generation(ttft_ms=70, step_ms=11)),
            warmup=(_generation(ttft_ms=1050, load_ms=1000),),
            cold=(0,),
            case={"persona": "insight-agent", "limits": ("tok/s >= 30",)},
        ),
        _result(
            "test_sky[gemma3:270m]",
            generations=tuple(_generation(ttft_ms=20 + n, step_ms=4, model="gemma3:270m") for n in range(20)),
            case={"model": small, "persona": "insight-agent"},
            loaded=None,
        ),
        _result(
            "test_long[gemma3:latest]",
            generations=(_generation(), *failed),
            case={"options": {"num_ctx": 8192}, "max_failed_rounds": 2, "format": {"type": "object"}},
            loaded=LoadedModel(
                name="gemma3:latest", context_length=512, size_bytes=3 * 2**30, size_vram_bytes=3 * 2**30
            ),
        ),
        _result(
            "test_stall[gemma3:latest]",
            generations=(_generation(stall_ms=500), _generation(ttft_ms=900, load_ms=850)),
            cold=(2,),
            case={"rounds": 10, "output_tokens": 32},
            complete=False,
            stopped="interrupted by the keyboard",
        ),
    )
    return ReportInput(
        results=results,
        created=created,
        suite="example_suites",
        personas={"insight-agent": "You analyse.\n\n```\nno | table\n```"},
        configuration={"model": "gemma3,gemma3:270m", "rounds": "default", "option": "num_ctx=4096", "host": "default"},
        hardware={"cpu": "Some CPU", "cpu_count": 2, "memory_bytes": 8 * 2**30, "gpu": None},
        versions={"python": "3.11.9", "pytest-chimera": "0.1.0"},
        phases={"collection": 0.25},
        notes=("Interrupted by Ctrl-C: the rounds finished before are in this report.",),
    )
