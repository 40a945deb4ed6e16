"""Proposed names."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.analysis import Evidence, rename_plan
from pytest_chimera.analysis.naming import proposals, safe_part
from pytest_chimera.report.files import file_part

if TYPE_CHECKING:
    from tests.analysis.conftest import Maker


def plan(make: Maker, path: str, *rows: Any, **known: Any) -> tuple[str, str]:
    """The proposal for one file, and why."""
    evidence = Evidence(measurements=tuple(each for row in rows for each in row), artifacts=(make.file(path, **known),))
    return proposals(evidence)[path]


@pytest.mark.parametrize(
    ("path", "known", "proposed"),
    [
        (
            "a/gemma3_270m_param_tuning.csv",
            {"model": "gemma3:270m", "time": "2026-01-02T03:04:05+00:00", "zone": "utc"},
            "a/gemma3-270m_270M_param-tuning_20260102-030405.csv",
        ),
        (
            "bench_1759098967.json",
            {"model": None, "time": "2025-09-28T18:36:07", "zone": "unknown"},
            "unknown_unknown_bench_20250928-183607.json",
        ),
        (
            "llama3_q4_runs.csv",
            {"model": "llama3.1:8b-instruct-q4_0", "size": "8.03B"},
            "llama3.1-8b-instruct-q4-0_8.03B_runs_unknown.csv",
        ),
        ("notes_20260102.md", {"model": "toy:a", "time": "2026-01-02"}, "toy-a_unknown_notes_20260102.md"),
        ("toy a!!.csv", {"model": "toy:a"}, "toy-a_unknown_a_unknown.csv"),
    ],
)  # fmt: skip
def test_a_name_is_made_of_what_the_file_says(make: Maker, path: str, known: dict[str, Any], proposed: str) -> None:
    """Model and size of the measurements, what else the name says, and the time of measurement; else "unknown"."""
    assert plan(make, path, make.row(1, {"tok/s": 1.0}, file=path, **known))[0] == proposed


def test_several_models_are_counted(make: Maker) -> None:
    """Two models are joined, three are a number."""
    rows = [make.row(n, {"tok/s": 1.0}, file="x.csv", model=f"toy:{n}b") for n in (1, 2, 3)]
    assert plan(make, "x.csv", *rows[:2])[0] == "toy-1b+toy-2b_1B+2B_x_unknown.csv"
    assert plan(make, "x.csv", *rows)[0] == "3-models_3-sizes_x_unknown.csv"


@pytest.mark.parametrize(
    ("path", "why"),
    [("docs/README.md", "a usual name"), ("toy-a_1.2B_smoke_20260102-030405.md", "it fits the template")],
)
def test_a_good_name_is_kept(make: Maker, path: str, why: str) -> None:
    """What fits the template, or is known to everybody, stays."""
    assert plan(make, path) == (path, why)


def test_four_words_with_a_time_are_not_the_template(make: Maker) -> None:
    """The second part of a name that fits is a size."""
    assert plan(make, "conv_cuda_bench_20260102-030405.json")[0] == "unknown_unknown_conv-cuda-bench_unknown.json"


def test_the_plan_is_a_table_and_says_why(make: Maker) -> None:
    """Each file is a line: path, proposed name, why; two that would meet are numbered."""
    files = (make.file("a b.csv"), make.file("a-b.csv"), make.file("README.md"))
    assert rename_plan(Evidence(artifacts=files)) == (
        "path,proposed,why\n"
        "README.md,README.md,a usual name\n"
        'a b.csv,unknown_unknown_a-b_unknown.csv,"model, size not known; time not known"\n'
        'a-b.csv,unknown_unknown_a-b_unknown-2.csv,"model, size not known; time not known"\n'
    )


names = st.lists(
    st.text(alphabet=st.sampled_from('aB1_- .é/\n,"'), min_size=1, max_size=8), min_size=1, max_size=12, unique=True
)


@given(names)
@settings(max_examples=60, deadline=None)
def test_no_two_files_meet_and_none_leaves_its_folder(make: Maker, found: list[str]) -> None:
    """Whatever the names are, proposals differ on systems that ignore case, and stay in their folders."""
    evidence = Evidence(artifacts=tuple(make.file(name) for name in found))
    rows = list(csv.reader(io.StringIO(rename_plan(evidence), newline="")))[1:]
    assert sorted(path for path, _, _ in rows) == sorted(found)
    assert len({proposed.lower() for _, proposed, _ in rows}) == len(rows)
    assert all(path.rpartition("/")[0] == proposed.rpartition("/")[0] for path, proposed, _ in rows)


@given(st.text(max_size=60))
def test_parts_of_names_follow_the_rule_of_our_reports(text: str) -> None:
    """A part of a proposed name is what a report of ours would be called."""
    assert safe_part(text) == file_part(text)
