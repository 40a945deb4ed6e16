"""A large corpus of old results, the same on every machine: JSON files of single runs, and CSV files of sweeps.

    python benchmarks/corpus_made.py FOLDER [--files 110000]

Ten JSON files for each CSV file, a thousand files in a folder, of the sizes that such files have: some 1.4 KB of JSON
with settings, machine and answer in it, 3.4 KB of CSV. One in fifty runs failed and says so; one load in ten is cold.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from pathlib import Path
from typing import Any

MODELS = ("gemma3:latest", "gemma3:270m", "llama3.1:8b-instruct-q4_0", "qwen3:4b")
IN_A_FOLDER = 1000
ROWS = 30
"""Rows of a CSV file."""
COLUMNS = (
    "timestamp", "model", "num_gpu", "num_ctx", "temperature", "prompt", "ttft_s", "load_s", "prompt_eval_s", "eval_s",
    "tokens_s", "eval_count", "error",
)  # fmt: skip
SENTENCES = (
    "The sky is blue because air scatters short waves of light more strongly than long ones. ",
    "At sunset the light takes a longer way through the air, and what is left of it is red. ",
    "On the Moon, where there is no air, the sky is black even when the Sun shines. ",
    "Light of the Sun holds all colours; a prism or a drop of rain shows them one beside another. ",
)
MACHINE = {
    "gpu_name": "Some GPU 16 GB", "driver_version": "550.54.14", "cuda_version": "12.4", "cpu_model": "Some CPU",
    "os": "Linux", "python_version": "3.12.3", "ollama_version": "0.12.3", "host": "http://127.0.0.1:11434",
}  # fmt: skip
SETTINGS = {"num_batch": 512, "num_thread": 8, "num_predict": 256, "top_k": 40, "top_p": 0.9, "repeat_penalty": 1.1}


def run(dice: random.Random, model: str, number: int) -> dict[str, Any]:
    """What one run of a model says of itself."""
    failed = dice.random() < 0.02
    scale = dice.lognormvariate(0.0, 0.1)
    load = 2.4 * scale if dice.random() < 1 / 10 else 0.09 * scale
    tokens = dice.randrange(20, 200)
    return {
        "timestamp": f"2025-10-{1 + number % 28:02d}T{number // 28 % 24:02d}:{number % 60:02d}:00Z",
        "model": model,
        "num_gpu": dice.choice((20, 40, 999)),
        "num_ctx": dice.choice((1024, 2048, 4096)),
        "temperature": dice.choice((0.2, 0.8)),
        "prompt": f"question {number % 7}",
        "ttft_s": 0.0 if failed else round(load + 0.06 * scale, 6),
        "load_s": 0.0 if failed else round(load, 6),
        "prompt_eval_s": 0.0 if failed else round(0.05 * scale, 6),
        "eval_s": 0.0 if failed else round(tokens / (101.7 / scale), 6),
        "tokens_s": 0.0 if failed else round(101.7 / scale, 4),
        "eval_count": 0 if failed else tokens,
        "error": "Failed to connect" if failed else "",
    }


def answer(each: dict[str, Any]) -> str:
    """What the model said: some hundred words."""
    return "" if each["error"] else "".join(SENTENCES[at % 4] for at in range(4 + each["eval_count"] // 20))


def flat(each: dict[str, Any]) -> dict[str, Any]:
    """A run as one flat object with its answer."""
    return {**each, **SETTINGS, "response": answer(each), "error": each["error"] or None}


def nested(each: dict[str, Any]) -> dict[str, Any]:
    """A run with objects for its settings, its machine and its numbers."""
    settings = ("num_gpu", "num_ctx", "temperature")
    numbers = ("ttft_s", "load_s", "prompt_eval_s", "eval_s", "tokens_s", "eval_count")
    return {
        "model": each["model"],
        "timestamp": each["timestamp"],
        "options": {**{name: each[name] for name in settings}, **SETTINGS},
        "environment": MACHINE,
        "response": answer(each),
        "metrics": {name: each[name] for name in numbers},
        "success": not each["error"],
        "error": each["error"],
    }


def rounds(dice: random.Random, model: str, number: int) -> dict[str, Any]:
    """Three rounds under what they share."""
    each = [run(dice, model, number + index) for index in range(3)]
    kept = ("ttft_s", "load_s", "tokens_s", "eval_count", "error")
    return {
        "model": model,
        "timestamp": each[0]["timestamp"],
        "options": {"num_gpu": each[0]["num_gpu"], "num_ctx": each[0]["num_ctx"], **SETTINGS},
        "environment": MACHINE,
        "results": [{**{name: one[name] for name in kept}, "response": answer(one)} for one in each],
    }


def make(folder: Path, files: int) -> int:
    """Write the corpus below `folder`; returns how many files it has."""
    csvs = files // 11
    for number in range(files):
        dice = random.Random(number)
        below = folder / f"runs-{number // IN_A_FOLDER:04d}"
        if number % IN_A_FOLDER == 0:
            below.mkdir(parents=True, exist_ok=True)
        model = dice.choice(MODELS)
        if number % 11 == 10 and number // 11 < csvs:
            write_sweep(below / f"sweep-{number:06d}.csv", dice, model)
            continue
        kind = number % 10
        document = (
            rounds(dice, model, number)
            if kind == 9
            else nested(run(dice, model, number))
            if kind > 5
            else flat(run(dice, model, number))
        )
        (below / f"run-{number:06d}.json").write_text(json.dumps(document), encoding="utf-8")
    return files


def write_sweep(path: Path, dice: random.Random, model: str) -> None:
    """A CSV file of as many rows as a sweep has."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(run(dice, model, number) for number in range(ROWS))


def main() -> None:
    """Write the corpus that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=110_000)
    chosen = parser.parse_args()
    print(f"{make(chosen.folder, chosen.files):,} files below {chosen.folder}")


if __name__ == "__main__":
    main()
