"""The one grammar of what must hold: read, written, refused in words, judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.errors import LimitError
from pytest_chimera.limits import Limit, check_resolvable, judge, parse_limit, parse_limits
from pytest_chimera.metrics import METRICS
from pytest_chimera.records import Case, CaseResult, Chunk, Generation, HostInfo, ModelInfo, Round
from pytest_chimera.stats import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = st.builds(
    Limit,
    metric=st.sampled_from(sorted(METRICS)),
    statistic=st.sampled_from(sorted(STATISTICS)),
    operator=st.sampled_from(["<", "<=", ">", ">="]),
    bound=st.floats(min_value=0, allow_nan=False, allow_infinity=False),
)


def refused(action: Callable[[], object]) -> str:
    """The whole text of the LimitError that `action` raises."""
    with pytest.raises(LimitError) as caught:
        action()
    return str(caught.value)


def result(ttft_ms: list[int], *, gaps_ms: int = 10) -> CaseResult:
    """A case whose rounds had these TTFT and three chunks each."""
    case = Case(id="t", name="t", model=ModelInfo(name="tiny:latest"), messages=(), options={}, rounds=len(ttft_ms))
    generations = [
        Generation(
            endpoint="chat", host="h", model="tiny:latest", options={}, prompt_hash="", sent_unix_ns=0,
            chunks=tuple(Chunk((ms + step * gaps_ms) * 1_000_000, None, 0, 1, 0) for step in range(3)),
        )
        for ms in ttft_ms
    ]  # fmt: skip
    rounds = tuple(
        Round(number=number, warmup=False, cold=False, generation=each) for number, each in enumerate(generations, 1)
    )
    return CaseResult(case=case, host=HostInfo(url="h"), rounds=rounds, started_unix_ns=0)


@pytest.mark.parametrize(
    ("text", "read", "written"),
    [
        ("tok/s >= 30", Limit(metric="tok/s", operator=">=", bound=30), "tok/s >= 30"),
        ("tok_s>30tok/s", Limit(metric="tok/s", operator=">", bound=30), "tok/s > 30"),
        ("ttft.p95 <= 2 s", Limit(metric="ttft", statistic="p95", operator="<=", bound=2), "ttft.p95 <= 2 s"),
        ("TTFT.P95 <= 2000ms", Limit(metric="ttft", statistic="p95", operator="<=", bound=2), "ttft.p95 <= 2 s"),
        ("time/token < 20 ms", Limit(metric="time/token", operator="<", bound=0.02), "time/token < 20 ms"),
        ("tpot < 0.02", Limit(metric="time/token", operator="<", bound=0.02), "time/token < 20 ms"),
        ("e2e.max<=10 s", Limit(metric="e2e", statistic="max", operator="<=", bound=10), "e2e.max <= 10 s"),
        ("load < 1.5 min", Limit(metric="load", operator="<", bound=90), "load < 90 s"),
        ("prefill >= 500", Limit(metric="prefill", operator=">=", bound=500), "prefill >= 500 tok/s"),
        ("output_tokens>=128", Limit(metric="output_tokens", operator=">=", bound=128), "output_tokens >= 128 tokens"),
        ("stalls <= 0", Limit(metric="stalls", operator="<=", bound=0), "stalls <= 0"),
    ],
)
def test_an_expression_is_read_and_written_in_one_form(text: str, read: Limit, written: str) -> None:
    """Aliases, units and spaces make no difference: each limit has one text."""
    assert parse_limit(text) == read
    assert str(read) == written


@given(LIMITS)
def test_what_is_written_is_read_back_exactly(limit: Limit) -> None:
    """The text of any limit is read as the same limit, to the last bit of its bound."""
    assert parse_limit(str(limit)) == limit


@given(st.text() | st.builds("".join, st.lists(st.sampled_from([*METRICS, ".p95", " ", "<", ">=", "2", "e9", " s"]))))
def test_any_text_is_a_limit_or_refused(text: str) -> None:
    """No text ends in any exception but LimitError."""
    try:
        parse_limit(text)
    except LimitError as error:
        assert error.what.startswith("The limit ")  # noqa: PT017  # most texts are refused, some are not


@given(st.recursive(st.none() | st.text() | st.integers() | st.binary(), st.lists))
def test_any_value_is_limits_or_refused(value: Any) -> None:
    """No value in the place of limits ends in any exception but LimitError."""
    try:
        parse_limits(value)
    except LimitError as error:
        assert error.accepted  # noqa: PT017  # see above


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tok/s",
            (
                "The limit 'tok/s' cannot be read. Accepted: METRIC[.STATISTIC] OPERATOR BOUND with one of the "
                "operators "
                "<, <=, >, >=. Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
        (
            "tok/s = 30",
            (
                "The limit 'tok/s = 30' has the unknown operator '='. Accepted: METRIC[.STATISTIC] OPERATOR BOUND "
                "with one "
                "of the operators <, <=, >, >=. Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
        (
            "tokk/s >= 30",
            (
                "The limit 'tokk/s >= 30' names no known metric: 'tokk/s'. Known metrics: ttft, answer, prompt_eval, "
                "prefill, eval, tok/s, steps/s, time/token, itl, load, wait, total, e2e, server_ttft, transport, "
                "stalls, "
                "prompt_tokens, output_tokens, groundedness, accuracy. Did you mean 'tok/s'?"
            ),
        ),
        (
            "ttft.p96 < 2 s",
            (
                "The limit 'ttft.p96 < 2 s' names no known statistic: 'p96'. Known statistics: median, mean, min, "
                "max, sd, "
                "p5, p50, p90, p95, p99. Did you mean 'p99'?"
            ),
        ),
        (
            "ttft < 30 tok/s",
            (
                "The limit 'ttft < 30 tok/s' bounds a time by a rate. Accepted for ttft: a number in s, or with a unit "
                "(s, ms, us, ns or min). Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
        (
            "stalls < 2 s",
            (
                "The limit 'stalls < 2 s' bounds a count by a time. Accepted for stalls: a number in no unit. "
                "Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
        (
            "ttft < -2 s",
            (
                "The limit 'ttft < -2 s' has no readable bound: '-2 s'. Accepted for ttft: a number in s, or with a "
                "unit "
                "(s, ms, us, ns or min). Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
        (
            "ttft < 1e999",
            (
                "The limit 'ttft < 1e999' has a bound that is too large. Accepted for ttft: a number in s, or with a "
                "unit "
                "(s, ms, us, ns or min). Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
    ],
)
def test_an_expression_is_refused_in_three_parts(text: str, message: str) -> None:
    """The refusal says what came in, what is accepted and what to write."""
    assert refused(lambda: parse_limit(text)) == message


def test_a_mapping_a_list_and_a_text_say_the_same() -> None:
    """All accepted forms give the same limits, each once, in their order."""
    expected = (parse_limit("tok/s >= 30"), parse_limit("ttft.p95 <= 2 s"), parse_limit("tok/s <= 90"))
    assert parse_limits(["tok/s >= 30", "ttft.p95 <= 2 s", "tok/s <= 90", "tok/s >= 30"]) == expected
    assert parse_limits({"tok/s": (">= 30",), "ttft.p95": "<= 2 s", "tok_s": ["<= 90"]}) == expected
    assert parse_limits("tok/s >= 30") == expected[:1]
    assert parse_limits(expected) == expected
    assert parse_limits(None) == ()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"tok/s": 30},
            (
                "The limit of 'tok/s' is 30, which is no operator with a bound. Accepted: one of the operators <, "
                "<=, >, "
                ">= and a bound. Write it as in {'tok/s': '<= 30'}."
            ),
        ),
        (
            30,
            (
                '30 is no limit. Accepted: a text, a list of texts, or a mapping such as {"tok/s": ">= 30", '
                '"ttft.p95": '
                "\"<= 2 s\"}. Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
        (
            ["tok/s >= 30", None],
            (
                'None is no limit. Accepted: a text, a list of texts, or a mapping such as {"tok/s": ">= 30", '
                '"ttft.p95": '
                "\"<= 2 s\"}. Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
    ],
)
def test_what_is_no_limit_is_refused(value: object, message: str) -> None:
    """A value of another form is refused with the accepted ones."""
    assert refused(lambda: parse_limits(value)) == message


@pytest.mark.parametrize(
    ("text", "rounds", "message"),
    [
        (
            "ttft.p95 <= 2 s",
            5,
            (
                "The limit 'ttft.p95 <= 2 s' cannot be judged: p95 needs 20 rounds, this case has 5. "
                "Use rounds=20 or ttft.max."
            ),
        ),
        (
            "tok/s.p5 >= 20",
            19,
            (
                "The limit 'tok/s.p5 >= 20' cannot be judged: p5 needs 20 rounds, this case has 19. "
                "Use rounds=20 or tok/s.min."
            ),
        ),
        (
            "ttft.sd <= 1 ms",
            1,
            "The limit 'ttft.sd <= 1 ms' cannot be judged: sd needs 2 rounds, this case has 1. Use rounds=2.",
        ),
    ],
)
def test_a_limit_that_the_rounds_cannot_decide_is_refused_before_measuring(
    text: str, rounds: int, message: str
) -> None:
    """The refusal names the rounds that it needs, or a statistic that any number of rounds decides."""
    assert refused(lambda: check_resolvable(parse_limit(text), rounds)) == message


@pytest.mark.parametrize(("text", "rounds"), [("ttft.p95 < 1", 20), ("tok/s > 1", 1), ("itl.p99 < 1", 1)])
def test_a_limit_that_can_be_decided_is_let_through(text: str, rounds: int) -> None:
    """Enough rounds, a median, or a metric with many values in each round are no reason to refuse."""
    check_resolvable(parse_limit(text), rounds)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("ttft <= 2 s", "ttft <= 2 s: held, measured 200 ms (median of 3 rounds)"),
        ("ttft < 200 ms", "ttft < 200 ms: broken, measured 200 ms (median of 3 rounds)"),
        ("ttft > 200 ms", "ttft > 200 ms: broken, measured 200 ms (median of 3 rounds)"),
        ("ttft.max >= 300 ms", "ttft.max >= 300 ms: held, measured 300 ms (max of 3 rounds)"),
        ("ttft.p95 < 1 s", "ttft.p95 < 1 s: unknown, p95 needs 20 values and 3 counted"),
        ("tok/s > 1", "tok/s > 1: unknown, no counted round has a value for it"),
        ("itl.max < 20 ms", "itl.max < 20 ms: held, measured 10.0 ms (max of 6 values)"),
        ("itl.p95 < 20 ms", "itl.p95 < 20 ms: unknown, p95 needs 20 values and 6 counted"),
    ],
)
def test_a_limit_is_held_broken_or_unknown(text: str, outcome: str) -> None:
    """Judging says what was measured over how many, or why nothing can be said."""
    assert str(judge(parse_limit(text), result([100, 200, 300]))) == outcome
