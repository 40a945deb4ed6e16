"""The journal: what is written, and what is read back from a file that was cut or damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_chimera.suites.journal import Journal, read_journal, scan_journal


@pytest.fixture
def written(house: Any, tmp_path: Any) -> Any:
    """The path of a journal with two cases of one warm-up and two counted rounds each."""
    path = tmp_path / "whole.jsonl"
    with Journal(path) as house.journal:
        house.runner().run(house.case(rounds=2))
        house.runner().run(house.case(id="other", rounds=2))
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(min_value=0, max_value=1))
def test_a_journal_cut_at_any_byte_gives_back_every_whole_line(written: Any, part: float) -> None:
    """However much of the end is missing, all rounds whose line is whole are read, and nothing counts as damage."""
    whole = written.read_bytes()
    kept = whole[: round(part * len(whole))]
    cut = written.with_name("cut.jsonl")
    cut.write_bytes(kept)
    expected: dict[str, int] = {}
    for line in kept.split(b"\n")[:-1]:
        event = json.loads(line)
        if event["event"] == "case":
            expected[event["result"]["case"]["id"]] = 0
        elif event["event"] == "round":
            expected[event["case"]] += 1
    contents = scan_journal(cut)
    assert {each.case.id: len(each.rounds) for each in contents.results} == expected
    assert contents.damaged == ()


def test_a_damaged_line_is_named_and_the_others_are_kept(written: Any) -> None:
    """A line that is not JSON costs that line alone, and is told with its number."""
    lines = written.read_bytes().split(b"\n")
    assert [json.loads(line)["event"] for line in lines[:4]] == ["case", "state", "round", "round"]
    lines[2] = b"\x00" * 10
    written.write_bytes(b"\n".join(lines))
    contents = scan_journal(written)
    assert [len(each.rounds) for each in contents.results] == [2, 3]
    assert contents.damaged == (f"{written}:3: Expecting value: line 1 column 1 (char 0)",)


def test_a_round_of_an_unknown_case_and_an_unknown_event_are_damage(tmp_path: Any) -> None:
    """Lines that fit nowhere are named and nothing is raised."""
    path = tmp_path / "j.jsonl"
    path.write_text('{"event":"round","case":"x","round":{}}\n[]\n"text"\n', encoding="utf-8")
    contents = scan_journal(path)
    assert contents.results == ()
    assert [each.split(":")[-2] for each in contents.damaged] == ["1", "2", "3"]


def test_a_journal_goes_on_after_a_line_that_was_left_half_written(written: Any, house: Any) -> None:
    """A process that continues the file of a killed one loses nothing of its own."""
    half = written.read_bytes()[:-20]
    written.write_bytes(half)
    with Journal(written) as house.journal:
        house.runner().run(house.case(id="third", rounds=1))
    assert [(each.case.id, len(each.rounds)) for each in read_journal(written)] == [
        ("test_sky.py::test_sky[gemma3]", 3), ("other", 3), ("third", 2),
    ]  # fmt: skip


def test_one_case_measured_twice_stands_twice(house: Any, tmp_path: Any) -> None:
    """A test that is run again begins anew and does not add rounds to its first run."""
    with Journal(tmp_path / "j.jsonl") as house.journal:
        first = house.runner().run(house.case(rounds=1))
        second = house.runner().run(house.case(rounds=2))
    assert read_journal(tmp_path / "j.jsonl") == [first, second]


def test_a_journal_that_cannot_be_written_stops_no_measurement(house: Any, tmp_path: Any) -> None:
    """The reason is kept for people, and the case is measured to its end."""
    house.journal = Journal(tmp_path / "nowhere" / "j.jsonl")
    assert house.runner().run(house.case()).complete
    assert house.journal.problem == (
        f"The journal {tmp_path}/nowhere/j.jsonl cannot be written: No such file or directory."
    )


def test_text_that_is_no_unicode_survives(house: Any, tmp_path: Any) -> None:
    """A lone surrogate, which a model can make, is written and read back."""
    house.server.plan = [{"text": "\ud800"}]
    with Journal(tmp_path / "j.jsonl") as house.journal:
        house.runner().run(house.case(rounds=1, warmup=0))
    (result,) = read_journal(tmp_path / "j.jsonl")
    assert result.rounds[0].generation.text == "\ud800"
