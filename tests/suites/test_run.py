"""What a test holds: answers, statistics, and a repr that helps when an assertion fails."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_chimera.errors import LimitError
from pytest_chimera.metrics import METRICS, result_statistic
from pytest_chimera.suites import AnswerError, Run

MS = 1_000_000


def test_every_metric_is_an_attribute(house: Any) -> None:
    """`run.tok_s` and its fellows are the statistics of the one table, by attribute and by name."""
    run = house.bench()("Why?")
    for name, metric in METRICS.items():
        assert getattr(run, metric.attribute) == result_statistic(metric, run.result)
        assert run[name] == result_statistic(metric, run.result)
    assert (run.tok_s.median, run.tok_s.n, run.tok_s.unit) == (25.0, 3, "tok/s")
    assert run["decode"] == run.tok_s
    with pytest.raises(LimitError):
        run["tokk/s"]


def test_a_run_and_its_statistics_show_what_matters(house: Any) -> None:
    """The reprs, which an assertion that failed prints, hold names, counts and values."""
    house.server.plan = [{}, {"eval_duration_ns": 500 * MS}, {"text": "x" * 99}, {"text": "Rayleigh. " * 9}]
    run = house.bench()("Why?")
    assert repr(run) == (
        "<Run test_sky[gemma3] on gemma3:latest: 3 of 3 rounds, TTFT 50.0 ms, 25.0 tok/s, "
        "'Rayleigh. Rayleigh. Rayleigh. Rayleigh. Rayleigh. Rayleigh. ...'>"
    )
    assert repr(run.tok_s) == "<median 25.0 tok/s of 3: 20.0 tok/s, 25.0 tok/s, 25.0 tok/s>"
    assert repr(run.server_ttft) == "<no value>"


def test_the_answer_is_that_of_the_last_round_that_went_well(house: Any) -> None:
    """Text, thinking and tool calls belong together; the texts of all counted rounds are there too."""
    house.server.plan = [{}, {"text": "one"}, {"text": "two"}, {"text": "three", "thinking": "hm"}]
    run = house.bench()("Why?")
    assert (run.text, run.thinking, run.tool_calls) == ("three", "hm", ())
    assert run.texts == ("one", "two", "three")
    assert [each.text for each in run.generations] == ["one", "two", "three"]


def test_a_run_in_which_only_a_cold_round_was_made_still_has_its_text(house: Any) -> None:
    """A cold round is in no statistic of a warm case, but what it said can be read."""
    run = house.bench()("Why?", rounds=1, warmup=0)
    assert run.text == "Because of Rayleigh scattering."
    assert (run.tok_s.n, run.tok_s.median) == (0, None)


def test_an_empty_result_has_no_text(house: Any) -> None:
    """Where nothing was measured, text and thinking are empty."""
    run = Run(house.runner().run(house.case(rounds=1)))
    empty = Run(run.result.from_dict({**run.result.as_dict(), "rounds": []}))
    assert (empty.text, empty.thinking, empty.tool_calls, empty.texts) == ("", "", (), ())


def test_an_answer_is_read_as_json(house: Any) -> None:
    """`json()` is the parsed text."""
    house.server.plan = [{"text": '{"sky": ["blue"]}'}] * 2
    assert house.bench()("Why?", rounds=1).json() == {"sky": ["blue"]}


def test_json_that_was_asked_for_and_not_given_is_laid_to_the_model(house: Any) -> None:
    """Where the call has a format already, nobody is told to give one."""
    house.server.plan = [{"text": "Sure!"}] * 2
    run = house.bench()("Why?", rounds=1, format="json")
    with pytest.raises(AnswerError, match=r"The model did not keep to the format that was asked for\.$"):
        run.json()


@pytest.mark.parametrize(
    ("planned", "message"),
    [
        (
            {"text": "Sure! {}"},
            (
                "The answer is not JSON (Expecting value: line 1 column 1 (char 0)): 'Sure! {}'. "
                "Ask for JSON with format='json' or a schema."
            ),
        ),
        (
            {"text": '{"sky": ', "done_reason": "length"},
            (
                "The answer is not JSON (Expecting value: line 1 column 9 (char 8)): '{\"sky\": '. "
                "It was cut at num_predict or num_ctx tokens: raise them."
            ),
        ),
    ],
)
def test_an_answer_that_is_no_json_is_refused_in_words(house: Any, planned: dict[str, Any], message: str) -> None:
    """The error shows the answer and says what to change."""
    house.server.plan = [planned] * 2
    run = house.bench()("Why?", rounds=1)
    with pytest.raises(AnswerError) as caught:
        run.json()
    assert str(caught.value) == message
