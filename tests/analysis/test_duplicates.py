"""Files that say the same."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.records import Source

if TYPE_CHECKING:
    from pathlib import Path

    from tests.analysis.conftest import Maker


def test_identical_files_are_one_and_its_copies(make: Maker) -> None:
    """Three files of the same bytes are one and two copies, with what these take."""
    files = [
        make.file("a/x.csv"),
        make.file("b/x.csv", identical_to="a/x.csv"),
        make.file("c/x.csv", identical_to="b/x.csv"),
    ]
    part = make.part("duplicates", artifacts=files)
    assert make.findings(part) == [
        "2 files are copies of another, byte for byte (200 B): 'a/x.csv' = 'b/x.csv' = 'c/x.csv'."
    ]
    assert make.rows(part, "Redundant files") == [
        ["'b/x.csv'", "the same bytes", "'a/x.csv'", "100 B"],
        ["'c/x.csv'", "the same bytes", "'a/x.csv'", "100 B"],
    ]
    assert part.recommendations[0].command == "find /data -type f -exec sha256sum {} + | sort | uniq -w 64 -D"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="the command is one of GNU's tools")
def test_the_command_lists_the_copies_and_removes_nothing(make: Maker, tmp_path: Path) -> None:
    """Run on real files, the advised command names those that are the same, and all files are still there."""
    for name, text in (("one.csv", "x"), ("two.csv", "x"), ("other.csv", "y")):
        (tmp_path / name).write_text(text)
    files = [
        replace(make.file(name), location=str(tmp_path / name), identical_to=same)
        for name, same in (("one.csv", None), ("two.csv", "one.csv"), ("other.csv", None))
    ]
    command = make.part("duplicates", artifacts=files).recommendations[0].command
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert sorted(line.rpartition("/")[2] for line in done.stdout.splitlines()) == ["one.csv", "two.csv"]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_run_in_two_formats_is_redundant_once(make: Maker) -> None:
    """A file all of whose numbers are copies of another's adds nothing; one with a number of its own does."""
    rows = make.row(1, {"tok/s": 50.0, "ttft": 0.1}, file="run.csv")
    rows = [replace(each, copies=(Source("run.json", "/0"), Source("more.json", "/0"))) for each in rows]
    more = make.row(2, {"tok/s": 51.0}, file="more.json")
    part = make.part(
        "duplicates", rows, more, artifacts=[make.file(name) for name in ("run.csv", "run.json", "more.json")]
    )
    assert make.findings(part) == [
        (
            "1 file holds no number that does not stand elsewhere, as of one run in two formats: 'run.json' (in "
            "'run.csv'). Each number was counted once."
        )
    ]


def test_files_that_differ_in_time_alone_are_named(make: Maker) -> None:
    """Equal rows at unequal times are said to be so, and that all of them failed."""
    rows, files = [], []
    for name, time in (("a.csv", "2026-01-01T00:00:00"), ("b.csv", "2026-01-02T00:00:00")):
        rows += make.row(1, {"tok/s": 0.0}, file=name, time=time, failure="refused")
        files.append(make.file(name, digest=name))
    assert make.findings(make.part("duplicates", rows, artifacts=files)) == [
        "2 files hold equal rows and differ in their times alone (all their rows failed): 'a.csv' and 'b.csv'."
    ]


def test_files_whose_text_differs_in_times_alone_are_named(make: Maker) -> None:
    """Texts without a number that are equal once their times are left out are said to be so."""
    files = [
        make.file("a.md", kind="markdown", digest="a", measurements=0),
        make.file("b.md", kind="markdown", digest="b", measurements=0, undated_twin="a.md"),
    ]
    assert make.findings(make.part("duplicates", artifacts=files)) == [
        "2 files are equal but for the times in them: 'a.md' and 'b.md'."
    ]


def test_without_duplicates_nothing_is_advised(make: Maker) -> None:
    """Two unlike files are no finding worth a look."""
    part = make.part(
        "duplicates", artifacts=[make.file("a.csv", digest="1"), make.file("b.csv", digest="2", size_bytes=7)]
    )
    assert [(make.said(each.statement), each.notable) for each in part.findings] == [
        ("No two files say the same.", False)
    ]
    assert part.recommendations == ()
