"""Which rounds had to load the model, by the load durations that real servers were seen to report."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.records import Generation, Round
from pytest_chimera.suites.coldness import mark_reloads

MS = 1_000_000


def rounds(*loads_ms: float | None, cold_ms: float | None = None) -> list[Round]:
    """A cold warm-up round, if its load is given, and warm rounds with these loads."""
    loads = [(cold_ms, True)] if cold_ms is not None else []
    return [
        Round(
            number=number, warmup=cold, cold=cold,
            generation=Generation(
                endpoint="chat", host="h", model="m", options={}, prompt_hash="", sent_unix_ns=0,
                load_duration_ns=None if load is None else round(load * MS),
            ),
        )
        for number, (load, cold) in enumerate([*loads, *((load, False) for load in loads_ms)], 1)
    ]  # fmt: skip


def marked(given: list[Round]) -> list[float]:
    """The loads (ms) of the rounds that were marked though they were thought to be warm."""
    pairs = zip(given, mark_reloads(given), strict=True)
    return [(each.generation.load_duration_ns or 0) / MS for each, after in pairs if after.cold and not each.cold]


@pytest.mark.parametrize(
    ("loads_ms", "cold_ms", "expected"),
    [
        pytest.param((0.5, 0.8, 0.9, 3.7, 1.1), 1323.0, [], id="0.32: a warm model"),
        pytest.param((90.6, 178.2, 110.3, 297.8, 172.1), 622.0, [], id="0.24: a warm model takes 90 to 300 ms"),
        pytest.param((1.0, 1.2, 1.3, 90.6, 1.2), 622.0, [], id="0.24: both kinds in one case"),
        pytest.param((0.5, 0.8, 1088.0, 0.9, 1.1), 1323.0, [1088.0], id="0.32: a reload"),
        pytest.param((0.5, 0.8, 1088.0, 0.9, 1.1), None, [1088.0], id="0.32: a reload, no load seen before"),
        pytest.param((0.2, 0.2, 0.2, 2.4, 0.2), None, [], id="a busy machine"),
        pytest.param((0.5, 20.0, 0.5), None, [], id="two others do not tell what is usual"),
        pytest.param((None, None, 9.0, None), 5.0, [], id="a server that reports none"),
    ],
)
def test_only_a_load_that_stands_out_is_marked(loads_ms: Any, cold_ms: Any, expected: list[float]) -> None:
    """What a warm model was seen to take is left alone; a reload among warm rounds is found."""
    assert marked(rounds(*loads_ms, cold_ms=cold_ms)) == expected


@given(st.lists(st.none() | st.floats(min_value=0, max_value=1e4), max_size=12), st.none() | st.floats(1, 1e4))
def test_marking_only_ever_adds(loads_ms: list[float | None], cold_ms: float | None) -> None:
    """No cold round becomes a warm one, and nothing but the mark is changed."""
    given_rounds = rounds(*loads_ms, cold_ms=cold_ms)
    for before, after in zip(given_rounds, mark_reloads(given_rounds), strict=True):
        assert after.cold or not before.cold
        assert (after.number, after.generation) == (before.number, before.generation)


@given(st.lists(st.floats(min_value=1, max_value=10), min_size=1, max_size=12))
def test_loads_within_a_factor_of_ten_never_stand_out(loads_ms: list[float]) -> None:
    """Ordinary noise marks nothing."""
    assert marked(rounds(*loads_ms)) == []
