"""Ways to read a large corpus, each run in a process of its own by corpus_speed.py.

    python benchmarks/corpus_contenders.py NAME FOLDER PROCESSES

Prints seconds after imports, on the clock and of all processors together, and the peak memory in MiB: of this process
and, of its workers, that of the largest times their number. Every library but the plain one ends with the mean of
tokens_s per model, as far as it gets there.
"""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 2500


def files_below(folder: str) -> Iterator[str]:
    """The path of every file, folder by folder."""
    for below, _, names in os.walk(folder):
        for name in sorted(names):
            yield f"{below}/{name}"


def plain_files(paths: list[str]) -> int:
    """Read files with json.loads and csv.reader, and nothing else."""
    values = 0
    for path in paths:
        with open(path, "rb") as file:  # noqa: PTH123  # as fast as a plain program is
            data = file.read()
        if path.endswith(".csv"):
            values += len(list(csv.reader(io.StringIO(data.decode(), newline=""))))
        else:
            values += len(json.loads(data))
    return values


def plain(folder: str, processes: int) -> str:
    """Everything that plain reading has to do."""
    paths = list(files_below(folder))
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    if processes == 1:
        values = sum(map(plain_files, chunks))
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
            values = sum(pool.map(plain_files, chunks))
    return f"{len(paths)} files, {values} keys and lines"


def ours(folder: str, processes: int, *, stream: bool) -> str:
    """This project's reader."""
    from pytest_chimera.corpus import read_corpus  # noqa: PLC0415  # its import is not timed: see `main`

    return repr(read_corpus([folder], processes=processes, stream=stream))


def with_pandas(folder: str, _: int) -> str:
    """json.loads for JSON, flattened at once; read_csv for each CSV."""
    import pandas as pd  # noqa: PLC0415  # only where it is measured

    paths = list(files_below(folder))
    documents = []
    for path in paths:
        if path.endswith(".json"):
            with open(path, "rb") as file:  # noqa: PTH123  # as above
                documents.append(json.load(file))
    runs = pd.json_normalize(documents)
    sweeps = pd.concat([pd.read_csv(path) for path in paths if path.endswith(".csv")])
    means = pd.concat([runs, sweeps]).groupby("model")["tokens_s"].mean()
    return f"{len(runs) + len(sweeps)} rows, {len(means)} models"


def with_polars(folder: str, _: int) -> str:
    """All JSON as lines of one file; scan_csv for all CSV."""
    import polars as pl  # noqa: PLC0415  # only where it is measured

    lines = []
    for path in files_below(folder):
        if path.endswith(".json"):
            with open(path, "rb") as file:  # noqa: PTH123  # as above
                lines.append(file.read())
    runs = pl.read_ndjson(b"\n".join(lines), infer_schema_length=None)
    sweeps = pl.scan_csv(f"{folder}/**/*.csv", glob=True).collect()
    both = pl.concat([runs.select("model", "tokens_s"), sweeps.select("model", "tokens_s")])
    return f"{runs.height + sweeps.height} rows, {both.group_by('model').mean().height} models"


def with_duckdb(folder: str, processes: int) -> str:
    """read_json_auto and read_csv_auto over globs."""
    import duckdb  # noqa: PLC0415  # only where it is measured

    base = duckdb.connect()
    base.execute(f"set threads to {processes}")
    found = []
    for ending in ("json", "csv"):
        table = f"read_{ending}_auto('{folder}/**/*.{ending}', union_by_name=true)"
        found += base.execute(f"select model, avg(tokens_s), count(*) from {table} group by 1").fetchall()
    return f"{sum(each[2] for each in found)} rows, {len({each[0] for each in found})} models"


CONTENDERS: dict[str, Callable[[str, int], str]] = {
    "plain": plain,
    "stream": lambda folder, processes: ours(folder, processes, stream=True),
    "full": lambda folder, processes: ours(folder, processes, stream=False),
    "pandas": with_pandas,
    "polars": with_polars,
    "duckdb": with_duckdb,
}
IMPORTS = {"stream": "pytest_chimera.corpus", "full": "pytest_chimera.corpus"}


def main() -> None:
    """Run one, and print what it took."""
    name, folder, processes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    __import__(IMPORTS.get(name, name if name != "plain" else "json"))
    began, before = time.perf_counter(), sum(os.times()[:4])
    said: Any = CONTENDERS[name](folder, processes)
    seconds = time.perf_counter() - began
    cpu = sum(os.times()[:4]) - before
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024 * processes
    print(json.dumps({"seconds": seconds, "cpu": cpu, "mib": own + (workers if processes > 1 else 0), "said": said}))


if __name__ == "__main__":
    main()
