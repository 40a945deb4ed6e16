"""What the gate costs: reading saved runs, fixing all margins, judging one case, beside plainly parsing the files.

    python benchmarks/gate_cost.py [--cases 5,50,200] [--runs 10]

Files are as this plugin saves them: six rows a case, ten rounds, every round in `extra_info`.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.expressions import DEFAULT_THRESHOLDS
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import KEY
from pytest_chimera.gate.sources import Place, find_runs, parse_wanted
from pytest_chimera.metrics import ROW_METRICS, result_statistic
from pytest_chimera.plugin.extra_info import row_info
from pytest_chimera.records import Case, CaseResult, Chunk, Generation, HostInfo, Message, ModelInfo, Round

MS = 1_000_000
ROUNDS = 10


def result(number: int, dice: random.Random) -> CaseResult:
    """A case that somebody measured: ten rounds that differ by 1 %."""
    case = Case(
        id=f"test_speed.py::test_{number}[gemma3]", name=f"test_{number}[gemma3]",
        model=ModelInfo(name="gemma3:latest"),
        messages=(Message(role="user", content="Why?"),), options={"num_ctx": 4096, "num_predict": 40},
    )  # fmt: skip
    rounds = [
        Round(number=each, warmup=False, cold=False, generation=generation(dice)) for each in range(1, ROUNDS + 1)
    ]
    host = HostInfo(url="http://127.0.0.1:11434", version="0.32.15", shares_clock=True)
    return CaseResult(case=case, host=host, rounds=tuple(rounds), started_unix_ns=0, complete=True)


def generation(dice: random.Random) -> Generation:
    """One answer of 40 tokens."""
    scale = dice.gauss(1, 0.01)
    gap = round(20 * MS * scale)
    chunks = [Chunk(100 * MS + step * gap, None, 0, 4, 0) for step in range(40)]
    return Generation(
        endpoint="chat", host="http://127.0.0.1:11434", model="gemma3:latest", options={}, prompt_hash="0" * 64,
        nonce="[00000000] ", sent_unix_ns=0, chunks=tuple(chunks), end_ns=chunks[-1].arrival_ns, done_reason="length",
        total_duration_ns=40 * gap + 100 * MS, load_duration_ns=MS, prompt_eval_count=38,
        prompt_eval_duration_ns=round(90 * MS * scale), eval_count=40, eval_duration_ns=40 * gap,
    )  # fmt: skip


def document(cases: int, dice: random.Random) -> dict[str, Any]:
    """A saved run, as far as it is read."""
    results = [result(number, dice) for number in range(cases)]
    rows = [
        {"fullname": f"{each.case.id} {metric.name}", "stats": {"rounds": ROUNDS}, "extra_info": row_info(each, metric)}
        for each in results
        for metric in ROW_METRICS
        if result_statistic(metric, each).n
    ]
    return {
        "benchmarks": rows,
        "machine_info": {KEY: {"cpu": "any"}},
        "commit_info": {},
        "datetime": "2026-11-22T10:00",
    }


def measure(cases: int, runs: int, folder: Path) -> str:
    """One line of the table."""
    dice = random.Random(cases)
    for number in range(1, runs + 1):
        file = folder / "machine" / f"{number:04d}_run.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(document(cases, dice)), encoding="utf-8")
    files = sorted(folder.glob("*/*.json"))
    began = time.perf_counter()
    for file in files:
        json.loads(file.read_text(encoding="utf-8"))
    parsed = time.perf_counter()
    found = find_runs(parse_wanted([f"last:{runs}"]), Place(folder=folder, root=folder))
    read = time.perf_counter()
    gate = Gate(Baseline(found.runs, last=runs, passed_only=True), DEFAULT_THRESHOLDS)
    first, *rest = found.runs[-1].cases.values()
    gate.judge(first)
    fixed = time.perf_counter()
    for case in rest:
        gate.judge(case)
    judged = time.perf_counter()
    size = sum(file.stat().st_size for file in files) / 1e6
    each = (judged - fixed) / max(1, len(rest)) * 1e3
    plain, ours = parsed - began, read - parsed
    return (
        f"{cases:>6} {size:>8.1f} {plain * 1e3:>11.0f} {ours * 1e3:>12.0f} {ours / plain:>6.1f} "
        f"{(fixed - read) * 1e3:>17.0f} {each:>15.2f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="5,50,200")
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    print(f"{options.runs} saved runs, 4 metrics each")
    print(" cases       MB  json.loads  the gate ms  ratio  all margins, once  judging one, ms")
    for cases in map(int, options.cases.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            print(measure(cases, options.runs, Path(folder)))


if __name__ == "__main__":
    main()
