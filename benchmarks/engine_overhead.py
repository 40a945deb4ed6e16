"""What the embedded engine adds to llama.cpp: to the first token, to each token, to a load; and what memory it takes.

    python benchmarks/engine_overhead.py [--rounds 40]

Every round asks `tiny` a new prompt over a bare socket. What llama.cpp itself measured (prompt evaluation, generation)
is taken from the answer's final chunk; the rest is the engine's and the transport's. For comparison the same question
goes straight to the child's own HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import time
from pathlib import Path
from statistics import median
from typing import Any

from pytest_chimera.engine.child import Child, LoadParameters
from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.engine.tiny import PATH

TOKENS = 64
WARM_UP = 5
LEAST = 6
"""An answer of fewer tokens says nothing of the time that one takes."""


def resident_mb(pid: int) -> float:
    """Memory that a process holds now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def ask(url: str, index: int) -> tuple[list[float], dict[str, Any]]:
    """Stamps in s since the request was sent, one for each chunk with text and the last, and the final chunk."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    body = json.dumps(
        {
            "model": "tiny",
            "prompt": f"[{index:08d}] Tell me a story.",
            "raw": True,
            "options": {"num_predict": TOKENS, "seed": index},
        }
    )
    head = f"POST /api/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    stamps, raw = [], b""
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall((head + body).encode())
        sent = time.perf_counter()
        seen = 0
        while data := connection.recv(65536):
            now = time.perf_counter() - sent
            raw += data
            lines = raw.count(b'"done":')
            stamps += [now] * (lines - seen)
            seen = lines
    last = next(line for line in reversed(raw.split(b"\n")) if b'"done":true' in line)
    return stamps, json.loads(last)


async def ask_child(child: Child, index: int) -> tuple[list[float], dict[str, Any]]:
    """The same of the child alone."""
    question = {
        "prompt": f"[{index:08d}] Tell me a story.",
        "n_predict": TOKENS,
        "seed": index,
        "response_fields": ["content", "stop", "timings"],
    }
    stamps = []
    sent = time.perf_counter()
    timings: dict[str, Any] = {}
    async for event in child.stream(question):
        stamps.append(time.perf_counter() - sent)
        timings = event.get("timings", timings)
    return stamps, timings


def line(name: str, values: list[float], unit: str) -> None:
    """One row: median and 95th percentile."""
    ordered = sorted(values)
    print(f"{name:<52} {median(ordered):9.3f} {ordered[int(0.95 * (len(ordered) - 1))]:9.3f} {unit}")


async def child_rows(rounds: int) -> None:
    """Rows of the child alone."""
    started = time.perf_counter()
    child = await Child.start(LoadParameters(path=str(PATH), n_ctx=16384))
    load_ms = 1e3 * (time.perf_counter() - started)
    try:
        found = [await ask_child(child, index) for index in range(rounds + WARM_UP)][WARM_UP:]
        first = [1e3 * stamps[0] - timings["prompt_ms"] for stamps, timings in found]
        line("child alone: first token beyond prompt evaluation", first, "ms")
        print(f"{'child alone: started, model loaded':<52} {load_ms:9.1f}           ms")
    finally:
        await child.stop()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    print(f"{'':<52} {'median':>9} {'p95':>9}")
    started = time.perf_counter()
    with EmbeddedEngine() as engine:
        print(f"{'engine process: started':<52} {1e3 * (time.perf_counter() - started):9.1f}           ms")
        _, cold = ask(engine.url, 0)
        print(f"{'load_duration of tiny, cold':<52} {cold['load_duration'] / 1e6:9.1f}           ms")
        found = [ask(engine.url, index) for index in range(1, rounds + 1)]
        found = [(stamps, last) for stamps, last in found if last["eval_count"] >= LEAST]
        first = [1e3 * stamps[0] - last["prompt_eval_duration"] / 1e6 for stamps, last in found]
        line("first token beyond prompt evaluation", first, "ms")
        steps = [last["eval_count"] - 1 for _, last in found]
        took = [1e3 * (stamps[-2] - stamps[0]) for stamps, _ in found]
        llama = [last["eval_duration"] / 1e6 for _, last in found]
        line("each token, as the client sees it", [a / n for a, n in zip(took, steps, strict=True)], "ms")
        line("each token, as llama.cpp measured it", [a / n for a, n in zip(llama, steps, strict=True)], "ms")
        added = [(a - b) / n for a, b, n in zip(took, llama, steps, strict=True)]
        line("each token beyond llama.cpp", added, "ms")
        spoken = [
            1e3 * stamps[-1] - (last["prompt_eval_duration"] + last["eval_duration"]) / 1e6 for stamps, last in found
        ]
        line("whole request beyond llama.cpp", spoken, "ms")
        line("load_duration of tiny, warm", [last["load_duration"] / 1e6 for _, last in found], "ms")
        assert engine.pid is not None
        print(f"{'memory: server process':<52} {resident_mb(engine.pid):9.1f}           MB")
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == engine.pid:
                print(f"{'memory: child with tiny':<52} {resident_mb(int(path.parent.name)):9.1f}           MB")
    asyncio.run(child_rows(rounds))


if __name__ == "__main__":
    main()
