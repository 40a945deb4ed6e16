"""JUnit: the six properties of a case, and what a test with several calls has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.plugin.junit import junit_properties
from pytest_chimera.records import Round

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import CaseResult, Generation


def test_six_numbers_are_properties(make_result: Callable[..., CaseResult]) -> None:
    """A case has six scalar properties, medians over its counted rounds."""
    assert junit_properties(make_result()) == [
        ("ttft_ms", 55),
        ("tok_s", 100),
        ("prefill_tok_s", 500),
        ("e2e_ms", 155),
        ("output_tokens", 10),
        ("rounds", 2),
    ]


def test_later_calls_of_a_test_have_a_number_before_their_names(make_result: Callable[..., CaseResult]) -> None:
    """The properties of the second call do not have the names of the first."""
    names = [name for name, _ in junit_properties(make_result(case={"id": "t.py::test_a[toy] #2"}))]
    assert names == [
        "call2_ttft_ms",
        "call2_tok_s",
        "call2_prefill_tok_s",
        "call2_e2e_ms",
        "call2_output_tokens",
        "call2_rounds",
    ]


def test_what_is_unknown_is_left_out(
    make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """A server that reports nothing leaves what the client saw, and no zero; without a round only their number."""
    silent = dict.fromkeys(["prompt_eval_duration_ns", "eval_duration_ns", "eval_count"])
    one = Round(number=1, warmup=False, cold=None, generation=make_generation(51, **silent, end_ns=123_456_789))
    assert junit_properties(make_result(rounds=(one,))) == [("ttft_ms", 51), ("e2e_ms", 123.457), ("rounds", 1)]
    assert junit_properties(make_result(rounds=())) == [("rounds", 0)]
