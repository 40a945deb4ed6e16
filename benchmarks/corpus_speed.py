"""How fast a large corpus is read: ours beside plain json.loads and csv.reader, pandas, polars and duckdb, in one run.

    python benchmarks/corpus_speed.py [--files 110000] [--repeats 3] [--readers plain,stream,pandas,...] [--corpus DIR]

Makes the corpus (corpus_made.py) in a temporary folder, reads it once to warm the system's cache, and then runs every
reader so many times in turn, each in a process of its own (corpus_contenders.py). The least time counts; on a busy
machine the time that all processors spent tells more than that on the clock. Aims: "stream" at most 1.5 x plain reading
with as many processes, and at most 250 MiB. "full", which keeps every row, runs only where it is named.
With `--corpus` a small real folder is read as well, in this process, beside plain reading.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from corpus_contenders import files_below, plain_files
from corpus_made import make

CONTENDERS = Path(__file__).with_name("corpus_contenders.py")
SMALL_REPEATS = 30
OTHERS = ("pandas", "polars", "duckdb")


def run(name: str, folder: Path, processes: int) -> dict[str, Any]:
    """One reader, once."""
    done = subprocess.run(
        [sys.executable, str(CONTENDERS), name, str(folder), str(processes)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"seconds": None, "said": (done.stderr.strip().splitlines() or ["no reason"])[-1][:100]}
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def best(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The least time and the least work of several runs, and the most memory that any took."""
    fine = [each for each in results if each["seconds"] is not None]
    if not fine:
        return results[0]
    least = {name: min(each[name] for each in fine) for name in ("seconds", "cpu")}
    return {**fine[0], **least, "mib": max(each["mib"] for each in fine)}


def compare(folder: Path, repeats: int, readers: list[str]) -> None:
    """The table of all readers."""
    cores = len(os.sched_getaffinity(0))
    wanted = [(name, count) for count in dict.fromkeys((1, cores)) for name in readers if name not in OTHERS]
    for name in readers:
        if name in OTHERS and find_spec(name) is None:
            print(f"{name} is not installed and left out.")
        elif name in OTHERS:
            wanted.append((name, cores))
    run("plain", folder, 1)
    taken: dict[tuple[str, int], list[dict[str, Any]]] = {each: [] for each in wanted}
    for _ in range(repeats):
        for each in wanted:  # in turn, so that a busy moment of the machine does not hit one alone
            taken[each].append(run(each[0], folder, each[1]))
    heads = "".join(f"{head:>9}" for head in ("s", "x plain", "cpu s", "x plain"))
    print(f"{'reader':10} {'processes':>9}{heads} {'MiB':>6}  what came of it")
    for (name, count), results in taken.items():
        found, base = best(results), best(taken["plain", count])
        if found["seconds"] is None:
            print(f"{name:10} {count:>9} failed: {found['said']}")
            continue
        wall, work = (f"{found[each]:8.2f} {found[each] / base[each]:8.2f}" for each in ("seconds", "cpu"))
        print(f"{name:10} {count:>9} {wall} {work} {found['mib']:6.0f}  {found['said']}")


def small(folder: Path) -> None:
    """A real folder: own time after imports, beside plain reading of its CSV and JSON files."""
    from pytest_chimera.corpus import Vocabulary, read_corpus  # noqa: PLC0415  # not needed for the rest

    paths = [path for path in files_below(str(folder)) if path.endswith((".csv", ".json"))]
    vocabulary = Vocabulary.built_in()
    times: dict[str, float] = {"plain": 9e9, "first": 0.0, "ours": 9e9}
    for number in range(SMALL_REPEATS):
        began = time.perf_counter()
        corpus = read_corpus([folder], vocabulary=vocabulary, stream=False, processes=1)
        took = time.perf_counter() - began
        times["first"] = times["first"] or took
        times["ours"] = min(times["ours"], took)
        began = time.perf_counter()
        read = sum(1 for path in paths if plainly(path))
        times["plain"] = min(times["plain"], time.perf_counter() - began)
        if not number:
            print(f"\n{folder.name}: {corpus!r}; plainly read: {read} CSV and JSON files")
    told = ", ".join(f"{name} {each * 1e3:.1f} ms" for name, each in times.items())
    print(f"{told} (ours and plain: the least of {SMALL_REPEATS}; first: ours with nothing learned)")


def plainly(path: str) -> bool:
    """Read a file as its name says; False when it cannot be."""
    try:
        plain_files([path])
    except Exception:  # noqa: BLE001  # real folders hold what is broken in any way
        return False
    return True


def main() -> None:
    """Read what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=110_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--readers", default="plain,stream,pandas,polars,duckdb")
    parser.add_argument("--corpus", type=Path)
    chosen = parser.parse_args()
    if chosen.files:
        with tempfile.TemporaryDirectory(prefix="corpus-") as name:
            made = make(Path(name), chosen.files)
            size = sum(os.stat(path).st_size for path in files_below(name)) / 1024**2  # noqa: PTH116  # quicker
            print(f"{made:,} files, {size:.1f} MiB, {len(os.sched_getaffinity(0))} cores, best of {chosen.repeats}")
            compare(Path(name), chosen.repeats, chosen.readers.split(","))
    if chosen.corpus is not None:
        small(chosen.corpus)


if __name__ == "__main__":
    main()
