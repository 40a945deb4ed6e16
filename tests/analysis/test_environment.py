"""Machines, versions and resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.analysis.conftest import Maker


def test_files_made_with_several_versions_are_told_apart(make: Maker) -> None:
    """One GPU is named; two versions of Python are a warning; a file that says nothing is counted."""
    files = [
        make.file("a.json", environment={"gpu": "Toy GPU", "python": "3.11.9"}),
        make.file("b.json", environment={"gpu": "Toy GPU", "python": "3.13.1"}),
        make.file("c.json"),
    ]
    part = make.part("environment", artifacts=files)
    assert make.findings(part) == [
        "2 of 3 files say something of the machine or the versions.",
        "One 'gpu' is named: 'Toy GPU'.",
        (
            "Not all files were made with one 'python': '3.11.9' and '3.13.1'; what was measured under one is not to "
            "be compared with the other unseen."
        ),
        "No file holds measurements of the machine's resources.",
    ]
    assert make.rows(part, "Machines and versions") == [
        ["'gpu' 'Toy GPU', 'python' '3.11.9'", "'a.json'"],
        ["'gpu' 'Toy GPU', 'python' '3.13.1'", "'b.json'"],
    ]


def test_resources_are_described_per_series(make: Maker) -> None:
    """The CPU of the system and that of a process are two things, even in one file, and enter no model's numbers."""
    rows = [
        each
        for n, (system, process) in enumerate([(0.1, 0.9), (0.3, 0.7)], 1)
        for series, value in (("/system", system), ("/process", process))
        for each in make.row(n, {"cpu": value}, file="t.json", series=series, model=None)
    ]
    analysis = make.analysis(rows)
    part = analysis.part("environment")
    assert make.value(part, "cpu", "mean", file="t.json", series="/system") == pytest.approx(0.2)
    assert make.value(part, "cpu", "max", file="t.json", series="/process") == 0.9
    assert "Over 2 samples in 't.json' '/process': CPU 80.0 % on average and 90.0 % at most." in make.findings(part)
    assert list(make.facts(analysis.part("models"))) == []
