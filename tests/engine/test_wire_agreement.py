"""The embedded engine held against each recorded answer of a real Ollama, by the check that `make wire` runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("xllamacpp", reason="the extra `embedded` is not installed")

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "benchmarks" / "wire_agreement.py"
PUPPETS = 27
"""Recordings of models of our own, which must agree to the last token."""


def run(*arguments: str) -> tuple[int, list[str]]:
    """Exit status and lines of the check."""
    done = subprocess.run(
        [sys.executable, str(CHECK), *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_every_recording_agrees_or_stands_in_the_docs(shared: Path) -> None:
    """All 111 are asked; the one exception is the docs', with its reason."""
    recordings = shared / "ollama-wire"
    status, lines = run("--recordings", str(recordings))
    names = sorted(path.stem for path in (recordings / "0.32.15").glob("*.json"))
    exceptions = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", (ROOT / "docs" / "engine.md").read_text(), re.MULTILINE))
    verdicts = {name: "excepted" if name in exceptions else "matched" for name in names}
    told = [line for line in lines[:-1] if not line.startswith(" ")]
    assert sorted(told, key=lambda line: line[10:]) == [f"{verdicts[name]:<9} {name}" for name in names]
    assert [line.strip() for line in lines if line.startswith(" ")] == list(exceptions.values())
    assert (lines[-1], status) == ("111 recordings: 110 matched, 1 excepted, 0 disagree", 0)


def test_a_recording_that_was_changed_disagrees(shared: Path, tmp_path: Path) -> None:
    """The check sees a token count, a key, a text, a status and a type that are not ours."""
    changes = {
        "generate_stop": ('"eval_count":5', '"eval_count":6'),
        "answer_blank": ('"done_reason"', '"done_raison"'),
        "chat_think_false": ("Let", "Led"),
        "show_missing": ("404 Not Found", "405 Not Found"),
        "version": ('"0.32.15"', "0.3215000"),
    }
    (tmp_path / "models").symlink_to(shared / "ollama-wire" / "models")
    (tmp_path / "0.32.15").mkdir()
    for path in (shared / "ollama-wire" / "0.32.15").glob("*.json"):
        found = json.loads(path.read_text())
        old, new = changes.get(path.stem, ("", ""))
        if old:
            text = "".join(text for _, text in found["arrivals"])
            assert old in text
            found["arrivals"] = [[0.0, text.replace(old, new)]]
        (tmp_path / "0.32.15" / path.name).write_text(json.dumps(found))
    status, lines = run("--recordings", str(tmp_path), "version")
    assert sorted(line[10:] for line in lines if line.startswith("disagree")) == sorted(changes)
    assert status == 1


def test_without_recordings_nothing_is_compared(tmp_path: Path) -> None:
    """It says so and is no failure."""
    assert run("--recordings", str(tmp_path)) == (0, [f"No recordings in {tmp_path}: nothing was compared."])


def test_the_docs_list_at_most_ten_exceptions() -> None:
    """Each with a reason."""
    _, _, section = (ROOT / "docs" / "engine.md").read_text().partition("## Exceptions")
    reasons = re.findall(r"^\| `\w+` \| (.+) \|$", section, re.MULTILINE)
    assert 0 < len(reasons) <= 10
    assert all(len(reason) > 40 for reason in reasons)
