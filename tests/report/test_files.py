"""Reports on disk: names, links, no file over another, nothing half written."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.report import ReportInput, build_report
from pytest_chimera.report.files import file_part, file_stem

if TYPE_CHECKING:
    from pathlib import Path

STEM = "gemma3-latest+gemma3-270m_4.3B+268.10M_example-suites_20261122-134705"


def listing(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def without_pictures(text: str) -> str:
    """Markdown less its pictures."""
    return re.sub(r"!\[[^\]]*\]\([^)]*\)\n+", "", text)


def test_what_is_written(session: ReportInput, tmp_path: Path) -> None:
    """A report is Markdown, JSON and pictures under one name, the newest as report.md, and a .gitignore of its own."""
    pytest.importorskip("pygal")
    report = build_report(session)
    files = report.write(tmp_path / ".chimera")
    assert listing(tmp_path) == [
        ".chimera/.gitignore",
        ".chimera/report.md",
        f".chimera/reports/{STEM}.json",
        f".chimera/reports/{STEM}.md",
        f".chimera/reports/{STEM}.tok_s.svg",
        f".chimera/reports/{STEM}.ttft.svg",
    ]
    assert files.newest == tmp_path / ".chimera" / "report.md"
    assert json.loads(files.json.read_text(encoding="utf-8")) == json.loads(json.dumps(report.as_dict()))
    assert (tmp_path / ".chimera/.gitignore").read_text().endswith("\n*\n")
    assert {path.stat().st_mode & 0o777 for path in (files.markdown, files.json)} == {0o644}


def test_a_report_of_somebody_else_stays(session: ReportInput, tmp_path: Path) -> None:
    """In a folder with a report.md that is not ours nothing is written, and the error says why."""
    own = tmp_path / "report.md"
    own.write_text("# Annual report\n", encoding="utf-8")
    with pytest.raises(FileExistsError, match="This file is no report of ours and stays as it is"):
        build_report(session).write(tmp_path)
    assert listing(tmp_path) == ["report.md"]
    assert own.read_text(encoding="utf-8") == "# Annual report\n"


def test_links_lead_to_the_pictures(session: ReportInput, tmp_path: Path) -> None:
    """The pictures are found from the report and from its newest copy; but for them both are the report's text."""
    pytest.importorskip("pygal")
    report = build_report(session)
    files = report.write(tmp_path / ".chimera")
    for path in (files.markdown, files.newest):
        text = path.read_text(encoding="utf-8")
        links = re.findall(r"!\[(.*)\]\((.*)\)", text)
        assert [title for title, _ in links] == ["Median TTFT per case and model", "Median tok/s per case and model"]
        assert all((path.parent / link.replace("%2B", "+")).is_file() for _, link in links)
        assert without_pictures(text) == report.markdown


def test_no_report_over_another(session: ReportInput, tmp_path: Path) -> None:
    """Two reports of one second stand beside each other, and report.md is the later one."""
    first = build_report(session).write(tmp_path)
    before = first.markdown.read_bytes()
    later = build_report(replace(session, notes=("The second.",)))
    second = later.write(tmp_path)
    assert second.markdown.name == f"{STEM}-2.md"
    assert second.json.name == f"{STEM}-2.json"
    assert first.markdown.read_bytes() == before
    assert "The second." in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_folder_of_a_person_gets_no_gitignore(session: ReportInput, tmp_path: Path) -> None:
    """Only a folder that is ours is kept out of version control: a person's docs stay in it."""
    build_report(session).write(tmp_path)
    assert not (tmp_path / ".gitignore").exists()
    build_report(session).write(tmp_path / "new" / "reports")
    assert (tmp_path / "new" / "reports" / ".gitignore").exists()


def test_nothing_is_left_of_a_report_that_cannot_be_written(session: ReportInput, tmp_path: Path) -> None:
    """When a file cannot be put in its place, no part of it and no empty report stays behind."""
    (tmp_path / "reports" / f"{STEM}.json").mkdir(parents=True)
    with pytest.raises(OSError, match=r"\.json"):
        build_report(session).write(tmp_path)
    assert listing(tmp_path) == []


def test_without_the_extra_no_picture_is_linked(
    session: ReportInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pygal is not installed the report is complete and has no link to a picture."""
    monkeypatch.setitem(sys.modules, "pygal", None)
    report = build_report(session)
    files = report.write(tmp_path)
    assert files.pictures == ()
    assert files.markdown.read_text(encoding="utf-8") == report.markdown


def test_the_name_counts_many_models(session: ReportInput) -> None:
    """From three models on, their number stands in the name."""
    many = tuple(
        replace(result, case=replace(result.case, model=replace(result.case.model, name=f"m{number}")))
        for number, result in enumerate(session.results)
    )
    assert file_stem(replace(session, results=many)) == "4-models_4.3B+268.10M_example-suites_20261122-134705"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("gemma3:latest", "gemma3-latest"),
        ("hf.co/user/model:Q4_K_M", "hf.co-user-model-Q4-K-M"),
        ("../../etc/passwd", "etc-passwd"),
        ("a..b", "a.b"),
        ("", "unknown"),
        ("\u202e/\\", "unknown"),
        ("x" * 100, "x" * 48),
    ],
)
def test_parts_of_names(text: str, part: str) -> None:
    """A name is letters, digits, dots and hyphens, of bounded length, and leads nowhere else."""
    assert file_part(text) == part


@given(st.text())
def test_a_part_is_always_a_name(text: str) -> None:
    """Whatever comes in, the part has no separator, no dot in front and is not empty."""
    assert re.fullmatch(r"(?!\.)[A-Za-z0-9.+-]{1,48}", file_part(text))
