"""A server in memory, a clock that moves when told, and what a runner needs beside them."""

from __future__ import annotations

from contextlib import aclosing, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.client import Client, Connection, SystemClock
from pytest_chimera.engine.script import Script, ScriptedAnswer, ScriptedModel, split_words
from pytest_chimera.engine.scripted import ScriptedBackend
from pytest_chimera.engine.serve import LocalServer
from pytest_chimera.errors import HostUnreachableError
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
from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.bench import Bench
from pytest_chimera.suites.exclusive import HostLock
from pytest_chimera.suites.journal import Journal
from pytest_chimera.suites.runner import Runner, Unobserved
from pytest_chimera.wire.request import format_nonce

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from pytest_chimera.engine.backend import AnswerRequest

MS = 1_000_000
MODEL = ModelInfo(
    name="gemma3:latest", digest="sha256:a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a",
    family="gemma3", parameter_size="4.3B", quantization="Q4_K_M", context_length=8192, capabilities=("completion",),
)  # fmt: skip


class StillClock:
    """Time that passes only when somebody says so."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * MS

    def monotonic_ns(self) -> int:
        return self.now_ns

    def unix_ns(self) -> int:
        return 1_790_000_000_000_000_000 + self.now_ns

    def pass_ms(self, milliseconds: int) -> None:
        self.now_ns += milliseconds * MS


class MemoryServer:
    """Answers as a server would: one model, loaded on the first request, TTFT and speed as `plan` says."""

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.plan: list[Any] = []
        """What comes next, per request: a Failure, an exception, changes of the usual Generation, or a function that
        makes them of the case."""
        self.memory: tuple[LoadedModel, ...] | None = ()
        """What /api/ps says; None makes it fail."""
        self.calls: list[str] = []
        self.nonces: list[str | None] = []
        self.prompts: list[str] = []

    def measure(self, case: Case, *, nonce: str | None) -> Generation:
        self.calls.append("measure")
        self.nonces.append(nonce)
        self.prompts.append(case.messages[-1].content)
        self.clock.pass_ms(500)
        planned = self.plan.pop(0) if self.plan else {}
        if callable(planned):
            planned = planned(case)
        if isinstance(planned, BaseException):
            raise planned
        cold = not self.memory
        if self.memory is not None and not isinstance(planned, Failure):
            self.memory = (loaded(case.options["num_ctx"]),)
        return self._generation(case, nonce, planned, cold=cold)

    def loaded(self) -> tuple[LoadedModel, ...]:
        self.calls.append("loaded")
        if self.memory is None:
            raise HostUnreachableError("There is no server at http://h:1.", "", "Start Ollama.")
        return self.memory

    def unload(self, name: str) -> None:
        self.calls.append("unload")
        if self.memory is None:
            raise HostUnreachableError("There is no server at http://h:1.", "", "Start Ollama.")
        self.memory = ()

    def _generation(self, case: Case, nonce: str | None, planned: Any, *, cold: bool) -> Generation:
        asked: dict[str, Any] = {
            "endpoint": case.endpoint, "host": "http://h:1", "model": case.model.name, "options": dict(case.options),
            "prompt_hash": case.prompt_hash, "nonce": nonce, "sent_unix_ns": self.clock.unix_ns(),
        }  # fmt: skip
        if isinstance(planned, Failure):
            return Generation(**asked, failure=planned, end_ns=3 * MS)
        answer: dict[str, Any] = {
            "text": "Because of Rayleigh scattering.", "done_reason": "stop", "end_ns": 450 * MS,
            "chunks": tuple(Chunk((50 + 40 * step) * MS, None, 0, 4, 0) for step in range(10)),
            "total_duration_ns": 440 * MS, "load_duration_ns": (300 if cold else 2) * MS, "prompt_eval_count": 20,
            "prompt_eval_duration_ns": 40 * MS, "eval_count": 10, "eval_duration_ns": 400 * MS,
        }  # fmt: skip
        return Generation(**{**asked, **answer, **planned})


class Watcher:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def case_started(self, case: Case) -> None:
        self.seen.append(f"started {case.name}")

    def host_busy(self, case: Case) -> None:
        self.seen.append(f"busy {case.name}")

    def round_done(self, case: Case, done: Round) -> None:
        self.seen.append(f"{'warm-up' if done.warmup else 'round'} {done.number} {done.generation.ok}")

    def case_finished(self, result: CaseResult) -> None:
        self.seen.append(f"finished {len(result.counted)}")


class Turns:
    """A lock that another holds for `wait_ms` before it gives the first turn."""

    def __init__(self, clock: StillClock, wait_ms: int = 0) -> None:
        self.clock = clock
        self.wait_ms = wait_ms
        self.held = 0

    @contextmanager
    def turn(self, waiting: Callable[[], None]) -> Iterator[None]:
        if self.wait_ms:
            waiting()
            self.clock.pass_ms(self.wait_ms)
        self.held += 1
        yield


def loaded(num_ctx: int) -> LoadedModel:
    """The model as /api/ps shows it, all of it on the GPU."""
    return LoadedModel(
        name=MODEL.name, digest=MODEL.digest, context_length=num_ctx, size_bytes=4_000_000, size_vram_bytes=4_000_000
    )


class House:
    """Everything around a runner, to look at and to change before a case is measured."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.server = MemoryServer(self.clock)
        self.watcher = Watcher()
        self.turns = Turns(self.clock)
        self.pauses: list[float] = []
        self.journal: Any = None
        self.delivered: list[CaseResult] = []
        self.host = HostInfo(url="http://h:1", version="0.32.15")
        self.model = MODEL

    def runner(self) -> Runner:
        numbers = count(1)
        return Runner(
            self.server, self.host, journal=self.journal, observer=self.watcher, exclusive=self.turns,
            clock=self.clock, nonces=lambda: format_nonce(next(numbers)), pause=self.pauses.append,
        )  # fmt: skip

    def bench(self, marker: CaseArguments | None = None, **more: Any) -> Bench:
        return Bench(
            self.runner(), self.model, test_id="test_sky.py::test_sky[gemma3]", test_name="test_sky[gemma3]",
            deliver=self.delivered.append, marker=marker or CaseArguments(),
            settings=CaseArguments(rounds=3, warmup=1), **more,
        )  # fmt: skip

    def case(self, **changes: Any) -> Case:
        fields: dict[str, Any] = {
            "id": "test_sky.py::test_sky[gemma3]", "name": "test_sky[gemma3]", "model": self.model,
            "messages": (Message(role="user", content="Why is the sky blue?"),), "options": {"num_ctx": 4096},
            "rounds": 3, "warmup": 1,
        }  # fmt: skip
        return Case(**{**fields, **changes})


@pytest.fixture
def house() -> House:
    """A server in memory with all that a runner needs."""
    return House()


class WatchedBackend(ScriptedBackend):
    """A scripted engine that keeps what it was asked and what it loaded, and reports answers as slow as it is told.

    The reported durations are made up, so that no test waits for them or depends on how busy the machine is.
    """

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.asked: list[AnswerRequest] = []
        self.loads: list[tuple[str, int]] = []
        self.slowness: Callable[[int, AnswerRequest], float] = lambda number, request: 1.0
        """From the number of a request (from 0) and the request to how slow its answer is; 1 is 100 tok/s."""

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[dict[str, Any], None]:
        slow = self.slowness(len(self.asked), request)
        self.asked.append(request)
        async with aclosing(super().answer(request)) as chunks:
            async for chunk in chunks:
                yield {**chunk, **self._reported(chunk["eval_count"], slow)} if chunk.get("done") else chunk

    @staticmethod
    def _reported(tokens: int, slow: float) -> dict[str, int]:
        return {"eval_duration": round(tokens * 10 * MS * slow), "total_duration": 10_000 * MS}

    async def _load(self, state: Any, request: AnswerRequest) -> None:
        if state.loaded_ctx != state.num_ctx(request):
            self.loads.append((request.model, state.num_ctx(request)))
        await super()._load(state, request)


class Hosted:
    """Watched engines on real sockets, a runner for each, and benches on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers: list[LocalServer] = []
        self.delivered: list[CaseResult] = []
        self.engines: dict[str, WatchedBackend] = {}
        self.found: dict[str, tuple[ModelInfo, Runner]] = {}
        """Model -> what its server says of it, and who measures there."""

    def serve(self, *names: str) -> WatchedBackend:
        """Start a server that has these models."""
        answer = ScriptedAnswer(tokens=split_words("The sky is blue because short waves scatter more."))
        model = ScriptedModel(answers=(answer,), context_length=8192)
        engine = WatchedBackend(Script(models={f"{name}:latest": model for name in names}))
        server = LocalServer(engine)
        self.servers.append(server.__enter__())
        client = Client(Connection.resolve(server.url, {}, {}))
        runner = Runner(
            client, client.host_info(), journal=Journal(self.folder / "j.jsonl"), observer=Unobserved(),
            exclusive=HostLock(server.url, self.folder), clock=SystemClock(), pause=lambda _: None,
        )  # fmt: skip
        for name in names:
            self.engines[name] = engine
            self.found[name] = (client.model(name), runner)
        return engine

    def bench(self, name: str, **more: Any) -> Bench:
        """A bench on one of the models, which finds the others."""
        info, runner = self.found[name]
        return Bench(
            runner, info, test_id="t.py::test", test_name="test", deliver=self.delivered.append,
            marker=CaseArguments(), settings=CaseArguments(rounds=3), others=lambda other: self.found[other], **more,
        )  # fmt: skip

    def stop(self) -> None:
        """Stop all servers."""
        for server in self.servers:
            server.__exit__(None, None, None)


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    """Servers that live as long as the test."""
    hosted = Hosted(tmp_path)
    yield hosted
    hosted.stop()
