"""What a gate may say: what is read, what is refused and in which words, and that it is written as it is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.errors import LimitError, QuantityError
from pytest_chimera.gate.expressions import (
    DEFAULT_THRESHOLDS,
    Threshold,
    limits,
    parse_allowance,
    parse_expression,
    parse_gate,
    parse_share,
    thresholds,
)
from pytest_chimera.limits import Limit
from pytest_chimera.metrics import METRICS
from pytest_chimera.stats import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Callable

quickly = settings(max_examples=80, deadline=None)

EXAMPLE = "Write it as in 'tok/s:5%', 'ttft.p95:20%' or 'tok/s >= 40'."
KNOWN = (
    "Known metrics: ttft, answer, prompt_eval, prefill, eval, tok/s, steps/s, time/token, itl, load, wait, total, e2e, "
    "server_ttft, transport, stalls, prompt_tokens, output_tokens, groundedness, accuracy."
)
JUDGED = [name for name, metric in METRICS.items() if metric.better is not None]
LIMIT_EXAMPLE = "Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
DIRECTED = f"Accepted: {', '.join(JUDGED)}. {EXAMPLE}"
FORM = "Accepted: METRIC[.STATISTIC]:PERCENT, or METRIC[.STATISTIC] OPERATOR BOUND."
MAPPING = (
    'Accepted: a text, a list of texts, or a mapping such as {"tok/s": "5%", "ttft.p95": "<= 2 s"}; None for none.'
)
PERCENT = f"Accepted: a percentage from 0, with its %. {EXAMPLE}"
BELOW = f"Accepted where more is better: a percentage from 0 to below 100. {EXAMPLE}"
STATISTIC_NAMES = "Known statistics: median, mean, min, max, sd, p5, p50, p90, p95, p99."


@pytest.mark.parametrize(
    ("text", "metric", "statistic", "share"),
    [
        ("tok/s:5%", "tok/s", "median", 0.05),
        ("ttft.p95:20%", "ttft", "p95", 0.2),
        ("  ttft.p95 : 20 %  ", "ttft", "p95", 0.2),
        ("TTFT.P95:20%", "ttft", "p95", 0.2),
        ("decode:2.5%", "tok/s", "median", 0.025),
        ("throughput.min:1e1%", "tok/s", "min", 0.1),
        ("tpot:5%", "time/token", "median", 0.05),
        ("e2e:0%", "e2e", "median", 0.0),
        ("e2e:150%", "e2e", "median", 1.5),
        ("prefill:99.5%", "prefill", "median", 0.995),
        ("itl.p99:.5%", "itl", "p99", 0.005),
    ],
)
def test_a_threshold_is_read(text: str, metric: str, statistic: str, share: float) -> None:
    """Metric by any of its names, statistic and percentage are read, with blanks and capitals wherever they stand."""
    found = parse_expression(text)
    assert found == Threshold(metric=metric, statistic=statistic, share=found.share if share else 0.0)
    assert isinstance(found, Threshold)
    assert found.share == pytest.approx(share, rel=1e-15)


def test_a_limit_is_read_by_the_grammar_of_limits() -> None:
    """An expression with an operator is a limit in the words of `limits`."""
    assert parse_expression("tok/s >= 40") == Limit(metric="tok/s", operator=">=", bound=40.0)
    assert parse_expression("ttft.p95 <= 2 s") == Limit(metric="ttft", statistic="p95", operator="<=", bound=2.0)


def test_all_but_two_metrics_may_be_gated() -> None:
    """Every metric of which more or less is better can have a threshold; only numbers of tokens cannot."""
    assert [parse_expression(f"{name}:5%").metric for name in JUDGED] == JUDGED
    assert sorted(set(METRICS) - set(JUDGED)) == ["output_tokens", "prompt_tokens"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"The gate '' cannot be read. {FORM} {EXAMPLE}"),
        ("tok/s", f"The gate 'tok/s' cannot be read. {FORM} {EXAMPLE}"),
        ("tok/s:", f"The gate 'tok/s:' cannot be read. {FORM} {EXAMPLE}"),
        (":5%", f"The gate ':5%' cannot be read. {FORM} {EXAMPLE}"),
        ("tok /s:5%", f"The gate 'tok /s:5%' cannot be read. {FORM} {EXAMPLE}"),
        ("nosuch:5%", f"The gate 'nosuch:5%' names no known metric: 'nosuch'. {KNOWN} {LIMIT_EXAMPLE}"),
        ("tft:5%", f"The gate 'tft:5%' names no known metric: 'tft'. {KNOWN} Did you mean 'ttft'?"),
        (
            "ttft.p96:5%",
            f"The gate 'ttft.p96:5%' names no known statistic: 'p96'. {STATISTIC_NAMES} Did you mean 'p99'?",
        ),
        (
            "ttft.:5%",
            f"The gate 'ttft.:5%' names no known statistic: ''. {STATISTIC_NAMES} {LIMIT_EXAMPLE}",
        ),
        (
            "tokens:5%",
            f"The gate 'tokens:5%' names output_tokens, of which neither more nor less is better. {DIRECTED}",
        ),
        ("tok/s:-5%", f"The gate 'tok/s:-5%' has a threshold below zero: '-5%'. {PERCENT}"),
        *(
            (f"ttft:{share}", f"The gate 'ttft:{share}' has no readable threshold: '{share}'. {PERCENT}")
            for share in ("5", "0.05", "5 ms", "five%", "%", "5%%", "nan%", "inf%", "1e999%", "5%,e2e:5%", "5%:5%")
        ),
        *(
            (f"{name}:100%", f"The gate '{name}:100%' would let a rate become less than nothing. {BELOW}")
            for name in ("tok/s", "prefill", "steps/s")
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(text: str, message: str) -> None:
    """Each mistake has its own sentence, with what is accepted and how to write it."""
    with pytest.raises(LimitError) as caught:
        parse_expression(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, []),
        ("tok/s:5%", ["tok/s:5%"]),
        ([], []),
        ({}, []),
        (["tok/s:5%", "ttft <= 2 s", "tok/s : 5 %"], ["tok/s:5%", "ttft <= 2 s"]),
        (("e2e:5%",), ["e2e:5%"]),
        ({"tok/s": "5%", "ttft.p95": "<= 2 s"}, ["tok/s:5%", "ttft.p95 <= 2 s"]),
        ({"tok/s": ["5%", ">= 40"], "e2e": ("5%", None), "ttft": None}, ["tok/s:5%", "tok/s >= 40", "e2e:5%"]),
        (Threshold(metric="tok/s", share=0.05), ["tok/s:5%"]),
        ([Limit(metric="ttft", operator="<", bound=2.0), "tok/s:5%"], ["ttft < 2 s", "tok/s:5%"]),
    ],
)
def test_a_gate_is_read_in_every_form(value: Any, texts: list[str]) -> None:
    """A text, a list and a mapping say the same; None and empty ones gate nothing; what is said twice is one."""
    assert [str(each) for each in parse_gate(value)] == texts


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, "5"),
        (b"tok/s:5%", "b'tok/s:5%'"),
        ([None], "None"),
        ([["tok/s:5%"]], "['tok/s:5%']"),
        ({"tok/s": 5}, "{'tok/s': 5}"),
        ({"tok/s": {"p95": "5%"}}, "{'tok/s': {'p95': '5%'}}"),
        ({"tok/s": ["5%", 0.05]}, "{'tok/s': 0.05}"),
    ],
)
def test_what_is_no_gate_is_refused(value: Any, shown: str) -> None:
    """Any other value is named as it came in."""
    with pytest.raises(LimitError) as caught:
        parse_gate(value)
    assert str(caught.value) == f"{shown} is no gate. {MAPPING} {EXAMPLE}"


def test_a_mistake_within_a_mapping_is_named_as_an_expression() -> None:
    """The subject and what is said of it are put together before they are read."""
    with pytest.raises(LimitError) as caught:
        parse_gate({"tok/s": "-5%"})
    assert str(caught.value) == f"The gate 'tok/s:-5%' has a threshold below zero: '-5%'. {PERCENT}"


def test_thresholds_and_limits_are_told_apart() -> None:
    """Of what a gate says, one part compares with earlier runs and the other must hold whatever was before."""
    said = parse_gate(["tok/s:5%", "ttft <= 2 s", "e2e.p95:15%", "tok/s > 1"])
    assert list(map(str, thresholds(said))) == ["tok/s:5%", "e2e.p95:15%"]
    assert list(map(str, limits(said))) == ["ttft <= 2 s", "tok/s > 1"]


def test_without_words_four_metrics_are_compared() -> None:
    """Where nobody says what, the first token, the prompt, the answer and all of it are compared by 5 %."""
    assert list(map(str, DEFAULT_THRESHOLDS)) == ["ttft:5%", "prefill:5%", "tok/s:5%", "e2e:5%"]


def test_a_threshold_is_a_difference_of_ln_cost() -> None:
    """A time may grow by the share, a rate shrink by it: 50 % of a rate is twice its cost."""
    time, rate = Threshold(metric="e2e", share=0.5), Threshold(metric="tok/s", share=0.5)
    assert time.log_cost == pytest.approx(math.log(1.5), rel=1e-15)
    assert rate.log_cost == pytest.approx(math.log(2), rel=1e-15)
    assert (time.higher_is_better, rate.higher_is_better) == (False, True)
    assert Threshold(metric="e2e", share=0.0).log_cost == 0


def test_a_subject_names_its_statistic_unless_it_is_the_median() -> None:
    """The median goes without saying."""
    assert Threshold(metric="e2e", share=0.5).subject == "e2e"
    assert Threshold(metric="e2e", statistic="p95", share=0.5).subject == "e2e.p95"
    assert Threshold(metric="e2e", statistic="p50", share=0.5).subject == "e2e.p50"


def test_a_share_is_a_number_with_its_sign() -> None:
    """A percentage is read, and nothing else is one."""
    assert parse_share("2.5 %") == 0.025
    for text in ("5", "5 ms", "-5%", "1e999%"):
        with pytest.raises(QuantityError):
            parse_share(text)
    with pytest.raises(QuantityError) as caught:
        parse_share("5")
    assert str(caught.value) == "'5' is not a percentage. Accepted: a number with %. Write it as in '5%'."


@pytest.mark.parametrize(("text", "share"), [("2%", 0.02), ("0.5 %", 0.005), ("99.9%", 0.999)])
def test_an_allowance_is_a_share(text: str, share: float) -> None:
    """The spread that is assumed is a percentage between none and all."""
    assert parse_allowance(text) == pytest.approx(share, rel=1e-12)


@pytest.mark.parametrize("text", ["0%", "100%", "250%"])
def test_an_allowance_of_nothing_or_all_is_refused(text: str) -> None:
    """No spread at all, and one as large as the value, assume what cannot be."""
    with pytest.raises(QuantityError) as caught:
        parse_allowance(text)
    assert str(caught.value) == f"{text!r} is not usable. Accepted: a percentage above 0 and below 100."


def attempted(read: Callable[[Any], Any], value: Any) -> Any:
    """What is read, or the error that refuses it."""
    try:
        return read(value)
    except LimitError as error:
        return error


@given(st.text() | st.text(alphabet="tokse2./:%<>= 0159-", max_size=20))
@quickly
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    """Whatever is given becomes an expression that is written and read as itself, or a LimitError of three parts."""
    found = attempted(parse_expression, text)
    if isinstance(found, LimitError):
        assert all(found.args)
        assert len(found.args) == 3
    else:
        assert parse_expression(str(found)) == found


PERCENTAGES = (
    st.floats(min_value=0, max_value=99.9)
    | st.decimals(min_value=0, max_value=99, places=3).map(float)
    | st.floats(min_value=1e-300, max_value=1e-3)
)


@given(st.sampled_from(JUDGED), st.sampled_from(list(STATISTICS)), PERCENTAGES)
@quickly
def test_every_threshold_is_written_as_it_is_read(metric: str, statistic: str, percentage: float) -> None:
    """The text of a threshold that was read reads back as the very same one."""
    found = parse_expression(f"{metric}.{statistic}:{percentage!r}%")
    assert parse_expression(str(found)) == found


def test_the_largest_percentage_can_be_written() -> None:
    """A threshold near the largest float has a text, too, that is read back as itself."""
    found = parse_expression("ttft:1.7976931348623157e308%")
    assert parse_expression(str(found)) == found


def test_a_short_threshold_is_written_short() -> None:
    """A percentage as people write it is written in the same digits, however its share looks in binary."""
    numbers = ("0.1", "0.7", "1.1", "2.3", "7", "10", "14.3", "20", "29", "57.1", "100", "150")
    texts = [f"ttft:{number}%" for number in numbers]
    assert [str(parse_expression(text)) for text in texts] == texts


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("tok/s:5%"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
@quickly
def test_any_value_is_a_gate_or_refused_in_words(value: Any) -> None:
    """Whatever YAML or a marker gives becomes expressions or a LimitError."""
    found = attempted(parse_gate, value)
    if isinstance(found, LimitError):
        assert all(found.args)
    else:
        assert parse_gate([str(each) for each in found]) == found
