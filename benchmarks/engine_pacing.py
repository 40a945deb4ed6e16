"""How exactly and how cheaply the scripted engine paces its chunks: lateness to its own schedule, chunks/s, CPU.

    python benchmarks/engine_pacing.py

Lateness is read from `created_at`, which the engine stamps just before each write: its distance from the schedule of
its stream, whose beginning is the stream's least late chunk. A busy machine shows in the last two figures first.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.wire.stream import unix_ns

TTFT_S = 0.05
INTERVAL_S = 0.005
TOKENS = 400


def main() -> None:
    """Measure at 1, 8 and 32 streams, and with no interval at 8."""
    print(
        f"{'streams':>7} {'interval':>9} {'chunks/s':>9} {'CPU':>5} {'us/chunk':>9} {'late median, p99, max (ms)':>28}"
    )
    for streams, interval_s in ((1, INTERVAL_S), (8, INTERVAL_S), (32, INTERVAL_S), (8, 0.0)):
        print(measure(streams, interval_s), flush=True)


def measure(streams: int, interval_s: float) -> str:
    """One row of the table."""
    answer = {"tokens": [" token"], "repeat": TOKENS, "ttft_s": TTFT_S, "interval_s": interval_s}
    with EmbeddedEngine.scripted({"models": {"m": {"answers": [answer], "slots": streams}}}) as engine:
        bodies: list[bytes] = []
        read(engine.url, [])
        threads = [threading.Thread(target=read, args=(engine.url, bodies)) for _ in range(streams)]
        cpu_s, begin_s = cpu_time_s(engine.pid), time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cpu_s, wall_s = cpu_time_s(engine.pid) - cpu_s, time.monotonic() - begin_s
    late_ms = sorted(late for body in bodies for late in lateness_ms(body, interval_s))
    chunks = streams * TOKENS
    shown = f"{statistics.median(late_ms):.3f} {late_ms[int(len(late_ms) * 0.99)]:.3f} {late_ms[-1]:.3f}"
    return (
        f"{streams:>7} {interval_s * 1e3:>6g} ms {chunks / wall_s:>9.0f} {cpu_s / wall_s:>5.0%} "
        f"{cpu_s / chunks * 1e6:>9.0f} {shown if interval_s else '-':>28}"
    )


def read(url: str, bodies: list[bytes]) -> None:
    """One request over a bare socket."""
    host, _, port = url.removeprefix("http://").partition(":")
    body = json.dumps({"model": "m", "prompt": "x"}).encode()
    head = f"POST /api/generate HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    received = []
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        while data := connection.recv(65536):
            received.append(data)
    bodies.append(b"".join(received))


def lateness_ms(body: bytes, interval_s: float) -> list[float]:
    """Of each chunk but the final one."""
    chunks: list[Any] = [json.loads(line) for line in body.split(b"\n") if line.startswith(b'{"model"')]
    stamps_ns = [unix_ns(chunk["created_at"]) or 0 for chunk in chunks if not chunk["done"]]
    relative_ms = [stamp / 1e6 - index * interval_s * 1e3 for index, stamp in enumerate(stamps_ns)]
    return [moment - min(relative_ms) for moment in relative_ms]


def cpu_time_s(pid: int | None) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
