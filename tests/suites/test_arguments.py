"""What a marker or a call may say, and what is refused in which words."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.errors import LimitError, MarkerError
from pytest_chimera.gate.expressions import Threshold
from pytest_chimera.limits import parse_limits
from pytest_chimera.suites.arguments import ARGUMENT_NAMES, BUILT_IN, CaseArguments

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=3)
WHERE = "@pytest.mark.chimera(...)"


def refused(kwargs: dict[str, Any], *args: Any) -> str:
    """The whole text of the refusal."""
    with pytest.raises((MarkerError, LimitError)) as caught:
        CaseArguments.parse(kwargs, args=args)
    return str(caught.value)


def test_everything_that_is_known_is_accepted() -> None:
    """Each argument is kept as it was given, in one form."""
    said = CaseArguments.parse(
        {
            "rounds": 5, "warmup": 0, "options": {"seed": 1}, "persona": "x", "think": "low", "prefix": "reuse",
            "start": "cold", "timeout": "2 min", "idle_timeout": 5, "max_failed_rounds": 1,
            "limits": {"tok/s": ">= 30"}, "keep_alive": "5m", "truncate": True, "prompt_tokens": 512,
            "output_tokens": 128,
        }
    )  # fmt: skip
    assert said == CaseArguments(
        rounds=5, warmup=0, options={"seed": 1}, persona="x", think="low", prefix="reuse", start="cold", timeout=120.0,
        idle_timeout=5.0, max_failed_rounds=1, limits=parse_limits("tok/s >= 30"), keep_alive="5m", truncate=True,
        prompt_tokens=512, output_tokens=128,
    )  # fmt: skip


def test_none_is_not_said() -> None:
    """An argument that is None leaves the decision to the next source; of `gate` it is a word of its own: no gate."""
    silent = [name for name in ARGUMENT_NAMES if name != "gate"]
    assert CaseArguments.parse(dict.fromkeys(silent)) == CaseArguments()
    assert CaseArguments.parse({"gate": None}).gate == ()
    assert CaseArguments.parse({"gate": None}).over(CaseArguments.parse({"gate": "tok/s:5%"})).gate == ()
    assert CaseArguments.parse({}).over(CaseArguments.parse({"gate": "tok/s:5%"})).gate == (
        Threshold(metric="tok/s", share=0.05),
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        (
            {"round": 5},
            (
                f"{WHERE} has the unknown argument 'round'. Known arguments: rounds, warmup, options, persona, think, "
                "prefix, start, timeout, idle_timeout, max_failed_rounds, limits, gate, keep_alive, truncate, "
                "prompt_tokens, output_tokens, expect, sweep. "
                "Did you mean 'rounds'?"
            ),
        ),
        ({"rounds": 0}, f"{WHERE}: rounds=0 is not usable. Accepted: a whole number, 1 or more. Correct rounds."),
        ({"rounds": True}, f"{WHERE}: rounds=True is not usable. Accepted: a whole number, 1 or more. Correct rounds."),
        ({"warmup": -1}, f"{WHERE}: warmup=-1 is not usable. Accepted: a whole number, 0 or more. Correct warmup."),
        (
            {"options": ["seed=1"]},
            (
                f"{WHERE}: options=['seed=1'] is not usable. Accepted: a mapping of model options, as in "
                "{'temperature': 0}. Correct options."
            ),
        ),
        ({"persona": " "}, f"{WHERE}: persona=' ' is not usable. Accepted: a name. Correct persona."),
        (
            {"think": "deep"},
            (
                f"{WHERE}: think='deep' is not usable. Accepted: True, False or one of 'low', 'medium', 'high', 'max'. "
                "Correct think."
            ),
        ),
        (
            {"prefix": "shared"},
            f"{WHERE}: prefix='shared' is not usable. Accepted: 'unique' or 'reuse'. Correct prefix.",
        ),
        ({"start": 1}, f"{WHERE}: start=1 is not usable. Accepted: 'warm' or 'cold'. Correct start."),
        (
            {"timeout": "5 tok"},
            (
                f"{WHERE}: timeout='5 tok' is not usable. Accepted: seconds above 0, or a text such as '90 s' or '2 "
                f"min'. "
                "Correct timeout."
            ),
        ),
        (
            {"timeout": 0},
            (
                f"{WHERE}: timeout=0 is not usable. Accepted: seconds above 0, or a text such as '90 s' or '2 min'. "
                "Correct timeout."
            ),
        ),
        (
            {"keep_alive": 1.5},
            (
                f"{WHERE}: keep_alive=1.5 is not usable. Accepted: seconds as a whole number, or a text such as '10m'. "
                "Correct keep_alive."
            ),
        ),
        (
            {"gate": {"tok/s": 5}},
            (
                f"{WHERE}: gate: {{'tok/s': 5}} is no gate. Accepted: a text, a list of texts, or a mapping such as "
                '{"tok/s": "5%", "ttft.p95": "<= 2 s"}; None for none. '
                "Write it as in 'tok/s:5%', 'ttft.p95:20%' or 'tok/s >= 40'."
            ),
        ),
        ({"truncate": 1}, f"{WHERE}: truncate=1 is not usable. Accepted: True or False. Correct truncate."),
        (
            {"limits": "tok/s"},
            (
                f"{WHERE}: limits: The limit 'tok/s' cannot be read. Accepted: METRIC[.STATISTIC] OPERATOR BOUND "
                f"with one "
                "of the operators <, <=, >, >=. Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
    ],
)
def test_a_wrong_argument_is_refused_in_three_parts(kwargs: dict[str, Any], message: str) -> None:
    """The text says what came in, what is accepted and what to do."""
    assert refused(kwargs) == message


@given(
    st.sampled_from(ARGUMENT_NAMES), st.recursive(VALUES, lambda each: st.lists(each) | st.dictionaries(VALUES, each))
)
def test_any_value_is_accepted_or_refused(name: str, value: Any) -> None:
    """No value of any argument ends in any exception but a refusal in words."""
    with contextlib.suppress(MarkerError, LimitError):
        CaseArguments.parse({name: value})


def test_an_argument_without_a_name_is_refused() -> None:
    """Everything is given by name."""
    assert refused({}, 5) == (
        f"{WHERE} was given 5 without a name. Accepted: keyword arguments only: rounds, warmup, options, persona, "
        "think, prefix, start, timeout, idle_timeout, max_failed_rounds, limits, gate, keep_alive, truncate, "
        "prompt_tokens, output_tokens, expect, sweep. Write it as in rounds=5."
    )


def test_what_is_not_said_comes_from_below() -> None:
    """Options are merged by name; a limit replaces one on the same statistic in the same direction."""
    below = CaseArguments.parse({"rounds": 3, "think": True, "options": {"seed": 1, "top_k": 2},
                                 "limits": ["tok/s >= 1", "tok/s <= 9", "ttft < 1"]})  # fmt: skip
    above = CaseArguments.parse({"think": False, "options": {"seed": 7}, "limits": ["tok/s > 5", "ttft.max < 3"]})
    merged = above.over(below).over(BUILT_IN)
    assert (merged.rounds, merged.warmup, merged.think, merged.timeout) == (3, 1, False, 300.0)
    assert merged.options == {"seed": 7, "top_k": 2}
    assert [str(limit) for limit in merged.limits] == ["tok/s <= 9", "ttft < 1 s", "tok/s > 5", "ttft.max < 3 s"]
