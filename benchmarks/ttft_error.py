"""How late each client sees what the server did, and what that costs: ours, the `ollama` package's two, a bare socket.

    python benchmarks/ttft_error.py [--streams 1 8 32] [--samples 64] [--clients chimera ollama ...]

The scripted engine (a process of its own) paces each answer: first token after 50 ms, then one every 5 ms, 128 tokens.
Every chunk carries the server's clock (`created_at`, written just before the chunk is sent); both processes run on one
machine, so a client's error is its own stamp minus that. Each client runs in a process of its own; CPU is user + system
time of that process, from before the first request to after the last answer was read, divided by the tokens.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_chimera.client import Client, Connection
from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.records import Case, Message, ModelInfo
from pytest_chimera.wire.stream import unix_ns

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS, TTFT_S, INTERVAL_S = 128, 0.05, 0.005
CLIENTS = ("bare socket", "chimera", "http.client", "ollama", "ollama async")
SCRIPT = {
    "models": {
        "paced": {
            "answers": [{"tokens": [" token"], "repeat": TOKENS, "ttft_s": TTFT_S, "interval_s": INTERVAL_S}],
            "slots": 1024,
        }
    }
}
BODY = {"model": "paced", "messages": [{"role": "user", "content": "Why is the sky blue?"}], "stream": True}
WARM_UP = 1


@dataclass(frozen=True)
class Seen:
    """One answer as a client saw it: ns between the server's stamp and the client's."""

    ttft_error: int
    e2e_error: int


@dataclass(frozen=True)
class Cost:
    """What a client did with all its answers."""

    ttft_errors: list[int]
    e2e_errors: list[int]
    cpu_us_per_token: float
    cpu_share: float


def chimera(client: Client) -> Seen:
    """One answer through the client that is measured here."""
    case = Case(
        id="bench", name="bench", model=ModelInfo(name="paced"), options={},
        messages=(Message(role="user", content="Why is the sky blue?"),),
    )  # fmt: skip
    seen = client.measure(case, nonce=None)
    if seen.failure is not None or seen.transport_ns is None:
        raise SystemExit(f"chimera failed: {seen.failure}")
    last = seen.chunks[-1]
    assert last.created_unix_ns is not None, "the engine stamps every chunk"
    return Seen(seen.transport_ns, seen.sent_unix_ns + last.arrival_ns - last.created_unix_ns)


def bare_socket(url: str) -> Seen:
    """The floor: a socket, a stamp per read, and no more; lines are found when it is over."""
    parts, body = urlsplit(url), json.dumps(BODY).encode()
    reads = []
    with socket.create_connection((parts.hostname, parts.port)) as sock:
        sock.sendall(
            b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        while data := sock.recv(65536):
            reads.append((time.time_ns(), data))
    stamped = [(stamp, line) for stamp, data in reads for line in data.split(b"\n") if line.startswith(b"{")]
    return seen_of((stamped[0][0], json.loads(stamped[0][1])), (stamped[-1][0], json.loads(stamped[-1][1])))


def http_client(url: str) -> Seen:
    """The standard library: read1, parse every line as it comes."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
    connection.request("POST", "/api/chat", json.dumps(BODY), {"Content-Type": "application/json"})
    chunks, pending = [], b""
    answer = connection.getresponse()
    while data := answer.read1(65536):
        stamp = time.time_ns()
        *lines, pending = (pending + data).split(b"\n")
        chunks += [(stamp, json.loads(line)) for line in lines]
    connection.close()
    return seen_of(chunks[0], chunks[-1])


def ollama_sync(client: Any) -> Seen:
    """The `ollama` client, one per thread pool as its users have it."""
    chunks = [(time.time_ns(), chunk) for chunk in client.chat(**BODY)]
    return seen_of(*[(stamp, {"created_at": chunk.created_at}) for stamp, chunk in (chunks[0], chunks[-1])])


async def ollama_async(client: Any) -> Seen:
    """The `ollama` client's asynchronous twin."""
    chunks = [(time.time_ns(), chunk) async for chunk in await client.chat(**BODY)]
    return seen_of(*[(stamp, {"created_at": chunk.created_at}) for stamp, chunk in (chunks[0], chunks[-1])])


def seen_of(first: tuple[int, dict[str, Any]], last: tuple[int, dict[str, Any]]) -> Seen:
    """Errors from a client's own stamps of its first and last chunk."""
    errors = [stamp - (unix_ns(chunk["created_at"]) or 0) for stamp, chunk in (first, last)]
    return Seen(*errors)


def run_threads(ask: Callable[[], Seen], streams: int, rounds: int) -> list[Seen]:
    """`rounds` answers on each of `streams` threads that start together, round by round."""
    seen: list[Seen] = []
    barrier = threading.Barrier(streams)

    def work() -> None:
        for _ in range(rounds):
            barrier.wait()
            seen.append(ask())

    threads = [threading.Thread(target=work) for _ in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def run_async(url: str, streams: int, rounds: int) -> list[Seen]:
    """The same with tasks of one event loop."""
    import ollama  # noqa: PLC0415  # only the clients that need it pay for it

    client = ollama.AsyncClient(host=url)

    async def work() -> list[Seen]:
        seen: list[Seen] = []
        for _ in range(rounds):
            seen += await asyncio.gather(*(ollama_async(client) for _ in range(streams)))
        return seen

    return asyncio.run(work())


def runner(name: str, url: str, streams: int) -> Callable[[int], list[Seen]]:
    """What runs a number of rounds with the named client."""
    if name == "ollama async":
        return lambda rounds: run_async(url, streams, rounds)
    if name == "ollama":
        import ollama  # noqa: PLC0415  # only the clients that need it pay for it

        client = ollama.Client(host=url)
        return lambda rounds: run_threads(lambda: ollama_sync(client), streams, rounds)
    if name == "chimera":
        ours = Client(Connection.resolve(url, {}, {}))
        return lambda rounds: run_threads(lambda: chimera(ours), streams, rounds)
    ask = {"bare socket": bare_socket, "http.client": http_client}[name]
    return lambda rounds: run_threads(lambda: ask(url), streams, rounds)


def child(name: str, url: str, streams: int, rounds: int) -> None:
    """Measure one client here and print its Cost as JSON."""
    run = runner(name, url, streams)
    run(WARM_UP)
    cpu, wall = time.process_time(), time.perf_counter()
    seen = run(rounds)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    cost = Cost(
        ttft_errors=[each.ttft_error for each in seen],
        e2e_errors=[each.e2e_error for each in seen],
        cpu_us_per_token=cpu * 1e6 / (len(seen) * TOKENS),
        cpu_share=cpu / wall,
    )
    print(json.dumps(asdict(cost)))


def in_a_child(name: str, url: str, streams: int, rounds: int) -> Cost:
    """Cost of one client, measured in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--url", url, "--streams", str(streams)]
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [*command, "--samples", str(rounds)], check=True, stdout=subprocess.PIPE, env=environ, timeout=300
    )
    return Cost(**json.loads(done.stdout))


def p99(values: list[int]) -> float:
    """The 99 % quantile, or the largest of fewer than 100."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def table(costs: dict[tuple[str, int], Cost]) -> str:
    """All clients at all numbers of streams."""
    lines = [
        "client        streams     n   TTFT error ms   E2E error ms   CPU us/token   CPU %",
        "                              median    p99   median    p99",
    ]
    for (name, streams), cost in costs.items():
        ttft, e2e = cost.ttft_errors, cost.e2e_errors
        cells = [statistics.median(ttft) / 1e6, p99(ttft) / 1e6, statistics.median(e2e) / 1e6, p99(e2e) / 1e6]
        lines.append(
            f"{name:<13} {streams:>7} {len(ttft):>5}  "
            + " ".join(f"{cell:>7.3f}" for cell in cells)
            + f" {cost.cpu_us_per_token:>14.1f} {cost.cpu_share * 100:>7.1f}"
        )
    return "\n".join(lines)


def ratios(costs: dict[tuple[str, int], Cost]) -> str:
    """What is aimed at, beside what was measured."""
    lines = []
    for streams in sorted({streams for _, streams in costs}):
        ours = costs.get(("chimera", streams))
        for other in CLIENTS:
            theirs = costs.get((other, streams))
            if ours is None or theirs is None or other == "chimera":
                continue
            late = statistics.median(theirs.ttft_errors) / statistics.median(ours.ttft_errors)
            cpu = theirs.cpu_us_per_token / ours.cpu_us_per_token
            lines.append(f"{streams:>3} streams: {other} is {late:.1f} x as late and costs {cpu:.1f} x the CPU of ours")
    return "\n".join(lines)


def main() -> None:
    """Measure every client at every number of streams against one engine and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--samples", type=int, default=64, help="answers per client and number of streams")
    parser.add_argument("--clients", nargs="+", default=list(CLIENTS), choices=CLIENTS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.url, given.streams[0], given.samples)
        return
    costs: dict[tuple[str, int], Cost] = {}
    with EmbeddedEngine.scripted(SCRIPT) as engine:
        for streams in given.streams:
            rounds = max(2, round(given.samples / streams), 20 if streams == 1 else 0)
            for name in given.clients:
                costs[name, streams] = in_a_child(name, engine.url, streams, rounds)
    print(table(costs))
    print()
    print(ratios(costs))


if __name__ == "__main__":
    main()
