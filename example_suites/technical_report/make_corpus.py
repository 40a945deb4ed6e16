"""Make a small folder of benchmark results, as messy as such folders are: `python make_corpus.py FOLDER`.

Three models that do not exist, in numbers that follow from formulas, so that the folder is the same on every machine.
What is wrong with it is meant to be: cold rows among warm ones, failed rows written as zeros, a summary that does not
say what its raw file says, one run in three formats, a copy, a file that ends too early, and a report in which one
number is wrong.
"""

import csv
import json
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

BEGAN = datetime(2026, 9, 14, 8, 30, tzinfo=timezone.utc)
SWEEP = ("timestamp", "model", "num_gpu", "num_ctx", "temperature", "ttft_s", "load_s", "tokens_per_s", "error")


def wobble(number, size):
    """A number between -size and size that looks as if chance had made it."""
    return ((number * 7919) % 101 / 50 - 1) * size


def stamp(minutes):
    """A time of the folder, in UTC."""
    return (BEGAN + timedelta(minutes=minutes)).isoformat()


def sweep_rows():
    """Throughput grows with num_gpu and with nothing else; the first row of each num_ctx loads the model."""
    rows = []
    for gpu in (0, 20, 40):
        for context in (1024, 4096):
            for temperature in (0.2, 0.6, 1.0):
                number = len(rows)
                cold = temperature == 0.2
                load = 1.4 + wobble(number, 0.1) if cold else 0.05 + wobble(number, 0.01)
                speed = 60 + gpu * 1.5 + wobble(number, 2)
                values = (gpu, context, temperature, round(0.08 + load, 4), round(load, 4), round(speed, 2), "")
                rows.append(dict(zip(SWEEP, (stamp(number), "brook:1b", *values), strict=True)))
    return rows


def baseline_rows():
    """Twelve rows of a larger model; while its server was away, four were written as zeros."""
    rows = []
    for number in range(12):
        if 4 <= number < 8:
            values = (0, 0, 0, "Failed to connect to the server")
        else:
            values = (round(0.31 + wobble(number, 0.02), 4), round(0.06 + wobble(number, 0.004), 4))
            values = (*values, round(24 + wobble(number, 0.6), 2), "")
        head = ("timestamp", "model", "prompt", "ttft_s", "load_s", "tokens_per_s", "error")
        row = (stamp(100 + number), "river:8b-q4_0", ("short", "long")[number % 2], *values)
        rows.append(dict(zip(head, row, strict=True)))
    return rows


def lake_rows():
    """A third model by another program: milliseconds, other names, and no model but in the name of the file."""
    return [
        {
            "run": number + 1,
            "TTFT (ms)": round(140 + wobble(number, 9), 1),
            "Throughput": round(41 + wobble(number, 1), 2),
        }
        for number in range(8)
    ]


def write_csv(path, rows):
    """Rows as a table with their keys as its head."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_json(path, content):
    """Indented, as people keep it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def make_corpus(folder):
    """Write the files below `folder` and give its path."""
    folder = Path(folder)
    sweep, baseline = sweep_rows(), baseline_rows()
    reports, tables = folder / "reports", folder / "csv_data"
    write_csv(reports / "brook" / "brook_1b_sweep_20260914-083000.csv", sweep)
    write_json(reports / "brook" / "brook_1b_sweep_20260914-083000.json", {"results": sweep})
    speeds = [row["tokens_per_s"] for row in sweep]
    summary = {
        "model": "brook:1b",
        "runs": len(sweep),
        "tokens_per_s": {"mean": round(sum(speeds) / len(speeds) + 5, 2), "max": max(speeds), "min": min(speeds)},
    }
    write_json(reports / "brook" / "brook_1b_sweep_20260914-083000_summary.json", summary)
    write_csv(reports / "river" / "river_8b_baseline.csv", baseline)
    tables.mkdir(exist_ok=True)
    shutil.copyfile(reports / "river" / "river_8b_baseline.csv", tables / "river_8b_baseline_copy.csv")
    write_csv(tables / "lake-4b_runs.csv", lake_rows())
    write_csv(tables / "accuracy.csv", [{"model": "brook:1b", "task": "sums", "accuracy": 0.82}])
    (reports / "brook" / "broken.json").write_text('{"model": "brook:1b", "tokens_per_s": [61.2, ', encoding="utf-8")
    (reports / "river" / "REPORT.md").write_text(report(baseline), encoding="utf-8")
    return folder


def report(baseline):
    """What somebody wrote about the baseline: the failed rows are in its mean."""
    good = [row["tokens_per_s"] for row in baseline if not row["error"]]
    rows = "\n".join(f"| {row['prompt']} | {row['ttft_s']} | {row['tokens_per_s']} |" for row in baseline[:4])
    return (
        "# Baseline of river:8b-q4_0\n\n"
        "Measured with `river_8b_baseline.csv`.\n\n"
        f"The mean throughput is {sum(good) / len(baseline):.1f} tok/s.\n\n"
        f"| Prompt | TTFT (s) | tok/s |\n| --- | --- | --- |\n{rows}\n\n"
        f"## Metrics\n\n- Throughput: {max(good):.2f} tok/s\n"
    )


if __name__ == "__main__":
    sys.stdout.write(f"{make_corpus(sys.argv[1] if len(sys.argv) > 1 else 'corpus')}\n")
