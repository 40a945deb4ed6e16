"""The summary as text: whole tables at several widths, notes, and what is unknown or untrusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_chimera.plugin.terminal import row, table, waiting_line
from pytest_chimera.records import Round

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import CaseResult, Generation

LONG = "TestGroup::test_a_case_with_a_name_that_is_longer_than_any_terminal[hf.co/someone/some-model-GGUF:Q4_K_M]"


def test_a_case_is_one_line_of_medians(make_result: Callable[..., CaseResult]) -> None:
    """Medians over the rounds that count, how many those are, failed and cold ones, and what else must be said."""
    assert table([row(make_result())], 100) == [
        "case              TTFT  prefill  decode     E2E  rounds  failed  cold",
        "                          tok/s   tok/s",
        "test_sky[toy]  55.0 ms      500     100  155 ms  2 of 3       1     1",
        "  the server was busy 2 times and was asked again",
        "  failed: out of memory",
    ]


def test_a_long_name_is_cut_in_its_middle(make_result: Callable[..., CaseResult]) -> None:
    """Both ends tell cases apart, so both stay, and no line is wider than the terminal."""
    lines = table([row(make_result(case={"name": LONG}))], 80)
    assert lines == [
        "case                         TTFT  prefill  decode     E2E  rounds  failed  cold",
        "                                     tok/s   tok/s",
        "TestGroup::…GGUF:Q4_K_M]  55.0 ms      500     100  155 ms  2 of 3       1     1",
        "  the server was busy 2 times and was asked again",
        "  failed: out of memory",
    ]


def test_what_is_unknown_is_said(make_result: Callable[..., CaseResult]) -> None:
    """A case without a counted round has no numbers and no zeros in their place."""
    assert table([row(make_result(ttfts_ms=()))], 100)[2] == (
        "test_sky[toy]  unknown  unknown  unknown  unknown  0 of 3       1     1"
    )


def test_a_narrow_terminal_gets_a_list(make_result: Callable[..., CaseResult]) -> None:
    """Where the table does not fit, each case is a name and a few lines with the units in them."""
    assert table([row(make_result(complete=False))], 40) == [
        "test_sky[toy]",
        "  TTFT 55.0 ms, prefill 500 tok/s,",
        "  decode 100 tok/s, E2E 155 ms, rounds 2",
        "  of 3, failed 1, cold 1",
        "  interrupted; 2 rounds of 3 recorded",
        "  the server was busy 2 times and was",
        "  asked again",
        "  failed: out of memory",
    ]


def test_a_stopped_case_says_why(make_result: Callable[..., CaseResult]) -> None:
    """What stopped it stands below its line."""
    stopped = make_result(complete=False, stopped="warm-up round 1 failed")
    assert "  stopped: warm-up round 1 failed; 2 rounds of 3 recorded" in table([row(stopped)], 100)


def test_answers_are_counted_apart_from_failures(
    make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """Where something was expected, how many answers are so and what the others do not meet stands below the line."""
    rounds = [
        Round(number=number, warmup=False, cold=False, generation=make_generation(unmet=unmet))
        for number, unmet in enumerate([(), ("contains: 'x' is not there", "max_words: 9 words"), ("contains: 'y'",)])
    ]
    result = make_result(case={"expect": {"contains": ["x"]}}, rounds=tuple(rounds))
    assert row(result).notes == ("expected: 1 of 3 answers; not met: contains, max_words",)
    assert row(make_result(rounds=tuple(rounds[:1]))).notes == ("expected: 1 of 1 answer",)


def test_names_and_errors_cannot_act_on_the_terminal(
    make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """Escape sequences in the name of a test or in what a server said are written out."""
    result = make_result(case={"name": "test[\x1b[31m]"})
    assert table([row(result)], 100)[2].startswith("test[\\x1b[31m]")


def test_nothing_measured_is_no_table() -> None:
    """Without a case there is no head either."""
    assert table([], 80) == []


@pytest.mark.parametrize("width", range(20, 120, 7))
def test_no_line_is_wider_than_the_terminal(width: int, make_result: Callable[..., CaseResult]) -> None:
    """At every width from 20 on all lines fit."""
    results = [make_result(), make_result(case={"name": LONG}), make_result(complete=False)]
    assert [line for line in table([row(each) for each in results], width) if len(line) > width] == []


def test_turns_are_said_in_the_singular_and_plural() -> None:
    """The line about waiting workers counts them."""
    assert waiting_line(4, 1) == (
        "4 workers, 1 host: their requests take turns, because two at once would measure each other."
    )
