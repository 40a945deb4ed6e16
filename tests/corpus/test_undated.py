"""Files that are equal but for the times written in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.corpus import read_corpus

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "# Digest\n\nGenerated: {time}\n\nRuns analysed: 37, and nothing else of note.\n"


def test_texts_that_differ_in_their_times_alone_are_twins(tmp_path: Path) -> None:
    """The later of two reports that were made twice names the earlier, and one that says something else does not."""
    times = ("2026-01-02T03:04:05Z", "2026-01-03T09:08:07Z")
    for name, time in zip(("a.md", "b.md"), times, strict=True):
        (tmp_path / name).write_text(TEXT.format(time=time), encoding="utf-8")
    (tmp_path / "c.md").write_text(TEXT.format(time=times[0]).replace("37", "38"), encoding="utf-8")
    (tmp_path / "d.md").write_text(TEXT.format(time=times[0]), encoding="utf-8")
    found = {each.path: (each.undated_twin, each.identical_to) for each in read_corpus([tmp_path]).artifacts}
    assert found == {"a.md": (None, None), "b.md": ("a.md", None), "c.md": (None, None), "d.md": (None, "a.md")}


def test_texts_without_a_time_are_no_twins(tmp_path: Path) -> None:
    """Two texts of one size that hold no time are compared by their bytes alone."""
    for name, word in (("a.md", "one"), ("b.md", "two")):
        (tmp_path / name).write_text(f"# Notes {word}\n", encoding="utf-8")
    assert [each.undated_twin for each in read_corpus([tmp_path]).artifacts] == [None, None]
