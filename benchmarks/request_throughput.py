"""What our client adds to a request: 1,000 answers of 128 tokens at 16 at once, beside a bare `http.client` loop.

    python benchmarks/request_throughput.py [--requests 1000] [--at-once 16] [--repeat 3]

Two servers, each a process of its own: `scripted` is the scripted engine with no pauses between its chunks; `canned`
writes one answer of the same size from memory as fast as the kernel takes it, so that nearly all that is left is the
client. The bare loop sends the same request, reads the answer to its end and keeps nothing; ours also stamps, parses
and builds a Generation. One at a time the difference is what is added to each request.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import socket
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_chimera.client import Client, Connection
from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.records import Case, Message, ModelInfo
from pytest_chimera.wire.request import encode_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection as Pipe

TOKENS = 128
CASE = Case(
    id="bench", name="bench", model=ModelInfo(name="fast"), options={"num_ctx": 4096},
    messages=(Message(role="user", content="Why is the sky blue?"),),
)  # fmt: skip
SCRIPT = {"models": {"fast": {"answers": [{"tokens": [" token"], "repeat": TOKENS}], "slots": 1024}}}


def canned_answer() -> bytes:
    """A chunked answer of 128 tokens."""
    created = "2026-11-22T09:00:19.033999375Z"
    lines = [{"model": "fast", "created_at": created, "message": {"role": "assistant", "content": " token"}}] * TOKENS
    final = {"model": "fast", "created_at": created, "message": {"role": "assistant", "content": ""}, "done": True}
    data = [json.dumps(line).encode() + b"\n" for line in [*lines, {**final, "eval_count": TOKENS}]]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(line), line) for line in data) + b"0\r\n\r\n"


def serve_canned(pipe: Pipe) -> None:
    """Answer each connection with the canned bytes, for ever."""
    answer = canned_answer()
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        pipe.send(server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            with connection:
                if connection.recv(65536):
                    connection.sendall(answer)


@contextmanager
def canned() -> Iterator[str]:
    """The URL of a canned server."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve_canned, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


@contextmanager
def scripted() -> Iterator[str]:
    """The URL of a scripted engine."""
    with EmbeddedEngine.scripted(SCRIPT) as engine:
        yield engine.url


def with_chimera(url: str) -> Callable[[], None]:
    """One request through our client."""
    client = Client(Connection.resolve(url, {}, {}))

    def ask() -> None:
        seen = client.measure(CASE, nonce=None)
        if seen.failure is not None or len(seen.chunks) != TOKENS + 1:
            raise SystemExit(f"chimera failed: {seen.failure}")

    return ask


def with_http_client(url: str) -> Callable[[], None]:
    """One request through a bare `http.client`, a connection each."""
    parts, body = urlsplit(url), encode_request(CASE)

    def ask() -> None:
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
        connection.request("POST", "/api/chat", body, {"Content-Type": "application/json", "Connection": "close"})
        answer = connection.getresponse()
        while answer.read1(65536):
            pass
        connection.close()

    return ask


def run(ask: Callable[[], None], requests: int, at_once: int) -> tuple[float, float]:
    """Wall and CPU seconds of so many requests on so many threads."""
    share = [requests // at_once + (number < requests % at_once) for number in range(at_once)]
    threads = [threading.Thread(target=lambda n=n: [ask() for _ in range(n)]) for n in share]  # type: ignore[misc]
    wall, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - wall, time.process_time() - cpu


def each_alone(ask: Callable[[], None], requests: int) -> float:
    """Median milliseconds of one request at a time."""
    times = []
    for _ in range(requests):
        start = time.perf_counter()
        ask()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def main() -> None:
    """Measure both clients on both servers, alternately, and print the best of each with their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    print("server    client        wall s   CPU s   one alone ms")
    for server in (canned, scripted):
        with server() as url:
            asks = {"http.client": with_http_client(url), "chimera": with_chimera(url)}
            walls: dict[str, list[tuple[float, float]]] = {name: [] for name in asks}
            alone = {name: each_alone(ask, 100) for name, ask in asks.items()}
            for _ in range(given.repeat):
                for name, ask in asks.items():
                    walls[name].append(run(ask, given.requests, given.at_once))
        best = {name: min(each) for name, each in walls.items()}
        for name, (wall, cpu) in best.items():
            print(f"{server.__name__:<9} {name:<12} {wall:>7.2f} {cpu:>7.2f} {alone[name]:>14.2f}")
        ratio = best["chimera"][0] / best["http.client"][0]
        added = alone["chimera"] - alone["http.client"]
        print(f"{server.__name__}: ours takes {ratio:.2f} x the bare loop and adds {added:.2f} ms to a request\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
