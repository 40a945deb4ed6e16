"""`pytest-chimera read`: whole outputs for people and for programs, and what it says of what it cannot use."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.__main__ import main
from pytest_chimera.corpus.vocabulary import built_in_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Read = Callable[..., list[str]]

RUNS = """\
model,prompt,ttft_s,tokens_s,load_s,power_w,error
hare:1b,hello,2.150,78.4,2.000,120,
hare:1b,why,0.112,80.2,0.011,130,
hare:1b,sum,0.108,81.0,0.010,125,
hare:1b,list,0.121,79.6,0.012,,
hare:1b,poem,0.000,0.0,0.000,0,timed out
snail:7b,hello,0.210,50.1,0.012,,
snail:7b,why,0.198,52.3,0.011,,
snail:7b,sum,0.205,51.2,0.013,,
"""
SUMMARY = '{"model": "hare:1b", "mean_tok_s": 79.8, "accuracy": 0.5, "frobs": 3}'
NOTES = "# Notes\n\nhare:1b reaches 79.8 tok/s.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `results`: a table, a copy of it, a summary, and prose; commands are called from it."""
    results = tmp_path / "results"
    results.mkdir()
    (results / "runs.csv").write_text(RUNS, encoding="utf-8")
    (results / "runs_copy.csv").write_text(RUNS, encoding="utf-8")
    (results / "summary.json").write_text(SUMMARY, encoding="utf-8")
    (results / "notes.md").write_text(NOTES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def read(folder: Path, capsys: pytest.CaptureFixture[str]) -> Read:
    """Calls the command, sees that it ends well and gives the lines of its output, times replaced."""

    def call(*arguments: str) -> list[str]:
        assert main(["read", *arguments]) == 0
        return re.sub(r"read in [\d.]+ (s|ms)", "read in TIME", capsys.readouterr().out).splitlines()

    return call


def test_what_was_understood_and_what_not(read: Read) -> None:
    """Files, rows and copies are counted, each metric of each model is one line, and every remark has its place."""
    assert "\n".join(read("results")) == (
        """\
4 files (2 csv, 1 json, 1 markdown), 756 B, read in TIME
17 rows, 2 of them failed; 33 measurements, and 32 copies of them

Performance (rows that were measured: copies counted once, failed rows in no statistic, cold rows in
none of a time that loading changes)
metric  model     n  failed  cold      median    smallest     largest
load    hare:1b   3       1     1     11.0 ms     10.0 ms     12.0 ms
load    snail:7b  3       0     0     12.0 ms     11.0 ms     13.0 ms
tok/s   hare:1b   4       1     1  79.9 tok/s  78.4 tok/s  81.0 tok/s
tok/s   snail:7b  3       0     0  51.2 tok/s  50.1 tok/s  52.3 tok/s
ttft    hare:1b   3       1     1      112 ms      108 ms      121 ms
ttft    snail:7b  3       0     0      205 ms      198 ms      210 ms

Machine (likewise)
metric  model    n  failed  cold  median  smallest  largest
power   hare:1b  3       1     1   125 W     120 W    130 W

In no table, because it was not measured: 1 aggregate.
Numbers that are not about performance: 1 (accuracy).

Not understood: 1 x prose, 1 x unknown name
  notes.md: lines with numbers in sentences, which are claims to check and not read as measurements
  summary.json: numbers with names that are not known: frobs"""
    )


def test_a_narrow_terminal_gets_fewer_columns(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 40 columns as many columns are left as fit, n and the median at least, and no line is longer."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = read("results/runs.csv")
    assert max(map(len, lines)) <= 40
    assert "\n".join(lines) == (
        """\
1 file (1 csv), 325 B, read in TIME
8 rows, 1 of them failed; 32
measurements, and 0 copies of them

Performance (rows that were measured:
copies counted once, failed rows in no
statistic, cold rows in none of a time
that loading changes)
metric  model     n      median
load    hare:1b   3     11.0 ms
load    snail:7b  3     12.0 ms
tok/s   hare:1b   4  79.9 tok/s
tok/s   snail:7b  3  51.2 tok/s
ttft    hare:1b   3      112 ms
ttft    snail:7b  3      205 ms

Machine (likewise)
metric  model    n  failed  cold  median
power   hare:1b  3       1     1   125 W

Everything was understood."""
    )


def test_summaries_alone(read: Read) -> None:
    """A streamed corpus has the same table by kind of file, copies counted, and says what could not be told."""
    lines = read("--stream", "results")
    assert lines[:3] == [
        "4 files (2 csv, 1 json, 1 markdown), 756 B, read in TIME",
        "17 rows, 2 of them failed; 50 numbers in 18 groups, of which only summaries were kept",
        "",
    ]
    assert lines[3] == "Performance (numbers that were measured, copies among them; failed rows in no statistic)"
    cells = [line.split()[:6] for line in lines[4:11]]
    assert cells == [
        ["metric", "model", "n", "failed", "cold", "median"],
        ["load", "hare:1b", "(csv)", "6", "2", "2"],
        ["load", "snail:7b", "(csv)", "6", "0", "0"],
        ["tok/s", "hare:1b", "(csv)", "8", "2", "2"],
        ["tok/s", "snail:7b", "(csv)", "6", "0", "0"],
        ["ttft", "hare:1b", "(csv)", "6", "2", "2"],
        ["ttft", "snail:7b", "(csv)", "6", "0", "0"],
    ]


def test_an_empty_folder_is_said_to_be_empty(read: Read, folder: Path) -> None:
    """Nothing was understood of nothing, and nothing is claimed."""
    (folder / "empty").mkdir()
    assert read("empty") == ["There is no file below empty."]


@pytest.mark.parametrize("everything", [(), ("--all",)], ids=["first", "all"])
def test_remarks_of_one_kind_are_named_or_counted(read: Read, folder: Path, everything: tuple[str, ...]) -> None:
    """Three of a kind are named, or all on demand."""
    for number in range(5):
        (folder / f"{number}.json").write_text('{"frobs": 3}', encoding="utf-8")
    named = [line for line in read("[0-9].json", *everything) if "frobs" in line or "more of" in line]
    said = [f"  {number}.json: numbers with names that are not known: frobs" for number in range(5)]
    assert named == (said if everything else [*said[:3], "  ... and 2 more of unknown name; --all names them"])


def test_everything_as_json(read: Read) -> None:
    """The JSON holds each file, each measurement with its copies, and everything that was not understood."""
    data = json.loads("\n".join(read("--json", "results")))
    assert {name: len(value) for name, value in data.items() if isinstance(value, list)} == {
        "roots": 1,
        "artifacts": 4,
        "measurements": 33,
        "others": 1,
        "not_understood": 2,
    }
    assert (data["schema"], data["schema_version"], data["summaries"]) == ("pytest-chimera-corpus", 1, None)
    first = data["measurements"][0]
    assert (first["metric"], first["value"], first["model"], first["row"]) == ("ttft", 2.15, "hare:1b", 1)
    assert (first["source"], [each["file"] for each in first["copies"]]) == (
        {"file": "runs.csv", "place": "row 1 ttft_s"},
        ["runs_copy.csv"],
    )
    assert (first["failure"], first["cold"], first["labels"]) == (None, True, {"prompt": "hello"})
    failed = [each for each in data["measurements"] if each["failure"] is not None]
    assert {(each["row"], each["failure"], each["value"]) for each in failed} == {(5, "timed out", None)}


def test_summaries_as_json(read: Read) -> None:
    """A streamed corpus has its summaries in the JSON in place of measurements."""
    data = json.loads("\n".join(read("--json", "--stream", "results")))
    assert data["measurements"] == []
    (cold,) = [each for each in data["summaries"] if (each["metric"], each["cold"]) == ("ttft", True)]
    assert {name: cold[name] for name in ("model", "kind", "n", "failed", "smallest", "largest", "mean")} == {
        "model": "hare:1b", "kind": "csv", "n": 2, "failed": 0, "smallest": 2.15, "largest": 2.15, "mean": 2.15,
    }  # fmt: skip


def test_a_vocabulary_adds_names(read: Read, folder: Path) -> None:
    """What only the user's file knows is read, and no longer a remark."""
    (folder / "words.yaml").write_text("metrics:\n  tok/s: {names: [frobs]}\n", encoding="utf-8")
    lines = read("results/summary.json", "--vocabulary", "words.yaml")
    assert lines[-1] == "Everything was understood."
    assert "tok/s   hare:1b  1       0     0  3.00 tok/s  3.00 tok/s  3.00 tok/s" in lines


def test_the_form_of_a_vocabulary_is_printed(read: Read) -> None:
    """It is the built-in vocabulary, comments and all, and needs no path."""
    assert read("--vocabulary-form") == built_in_text().splitlines()


FORM = "Accepted: the form of the built-in vocabulary; 'pytest-chimera read --vocabulary-form' prints it."
REFUSED = {
    "nothing": ((), 2, "No path was given. Accepted: folders, files, globs. pytest-chimera read reports/\n"),
    "path": (
        ("resluts",),
        1,
        "There is no corpus at 'resluts'. Accepted: a folder, a file or a glob of files. Did you mean 'results'?\n",
    ),
    "vocabulary": (
        ("results", "--vocabulary", "gone.yaml"),
        1,
        f"The vocabulary gone.yaml cannot be read: No such file or directory. {FORM} Check the path.\n",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """No path, a wrong one and a wrong vocabulary are said in three parts, with a status of their own."""
    arguments, status, text = REFUSED[case]
    assert main(["read", *arguments]) == status
    assert capsys.readouterr() == ("", text)


def test_names_do_not_act_on_the_terminal(read: Read, folder: Path) -> None:
    """Control characters of contents and of names of files are printed as escapes."""
    (folder / "r\x1b[2Jude.csv").write_text("model,tokens_s,x\x07yz\nto\x1b[31my:1b,5,1\nb:1b,6,2\n", encoding="utf-8")
    text = "\n".join(read(".", "--all"))
    assert sorted(char for char in set(text) if not char.isprintable()) == ["\n"]


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("arguments", [["results"], ["results", "--json"]], ids=" ".join)
def test_a_pipe_that_was_closed_is_no_error(folder: Path, closed_pipe: int, arguments: list[str]) -> None:
    """Behind `| head` the command ends well and says nothing, however little it had to write."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done: Any = subprocess.run(
        [sys.executable, "-m", "pytest_chimera", "read", *arguments],
        env=clean, stdout=closed_pipe, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
