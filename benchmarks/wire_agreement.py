"""Answers each recorded request of a real Ollama on the embedded engine, and says where the two disagree.

    python benchmarks/wire_agreement.py [--recordings FOLDER] [--docs docs/engine.md] [NAME ...]

FOLDER is that of the recordings: it holds `models/` and `0.32.15/`. Recordings of puppet models must agree in status,
keys, types, text, done_reason and counts; the others are asked of a puppet in the recorded model's place, and must
agree in all but text and counts. What may differ stands with its reason in the exceptions table of the docs, and only
there. A state that a recording needs (a killed runner, a full queue) is made first. Exit status 1 when something
disagrees that is not excepted, or agrees and is excepted.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wire_compare import Answer, disagreements
from wire_scenes import Recording, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
VERSION = "0.32.15"
MOST_EXCEPTIONS = 10
_ROW = re.compile(r"^\| `([a-z0-9_]+)` \| (.+) \|$", re.MULTILINE)


def recordings_of(folder: Path) -> dict[str, Recording]:
    """The recordings of one server, by name."""
    found = (Recording.read(path) for path in sorted(folder.glob("*.json")))
    return {recording.name: recording for recording in found}


def exceptions_of(docs: Path) -> dict[str, str]:
    """Name of a recording to the reason why it may disagree, from the table in the docs."""
    if not docs.is_file():
        return {}
    _, _, section = docs.read_text(encoding="utf-8").partition("## Exceptions")
    return dict(_ROW.findall(section.partition("\n## ")[0]))


def verdicts(recordings: dict[str, Recording], models: Path, wanted: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Name and disagreements of each recording; those that no scene plays disagree."""
    left = dict(recordings)
    with tempfile.TemporaryDirectory() as folder:
        for scene in scenes(recordings, models, Path(folder)):
            if wanted and not wanted & set(scene.names):
                continue
            for name, ours in scene.play():
                recording = left.pop(name)
                yield name, disagreements(Answer.of_bytes(recording.raw), ours, exact=recording.of_puppet)
    for name in left:
        if not wanted or name in wanted:
            yield name, ["no scene asks it"]


def main() -> int:
    """Print a line for each recording and the totals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--recordings", type=Path, default=ROOT.parent / "shared" / "ollama-wire")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs" / "engine.md")
    parser.add_argument("names", nargs="*", help="only the scenes that play these")
    arguments = parser.parse_args()
    if not (arguments.recordings / VERSION).is_dir():
        print(f"No recordings in {arguments.recordings}: nothing was compared.")
        return 0
    recordings = recordings_of(arguments.recordings / VERSION)
    excepted = exceptions_of(arguments.docs)
    totals = {"matched": 0, "excepted": 0, "disagree": 0}
    for name, differences in verdicts(recordings, arguments.recordings / "models", set(arguments.names)):
        lines = differences
        if not differences:
            verdict = "disagree" if name in excepted else "matched"
            lines = ["it agrees, but the docs list it as an exception"] if name in excepted else []
        else:
            verdict = "excepted" if name in excepted else "disagree"
            lines = [excepted[name]] if name in excepted else differences
        totals[verdict] += 1
        print(f"{verdict:<9} {name}", flush=True)
        for line in lines:
            print(f"          {line}")
    print(f"{sum(totals.values())} recordings: " + ", ".join(f"{count} {word}" for word, count in totals.items()))
    if len(excepted) > MOST_EXCEPTIONS:
        print(f"{len(excepted)} exceptions are in the docs, at most {MOST_EXCEPTIONS} are allowed.")
        return 1
    return 1 if totals["disagree"] else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        from wire_scenes import serve

        serve(Path(sys.argv[2]), json.loads(sys.argv[3]))
    else:
        sys.exit(main())
