"""Model options by name and type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.errors import OptionError
from pytest_chimera.wire.options import OPTIONS, parse_option, validate_options

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = (
    "Known options: draft_num_predict, frequency_penalty, main_gpu, min_p, num_batch, num_ctx, num_gpu, num_keep, "
    "num_predict, num_thread, presence_penalty, repeat_last_n, repeat_penalty, seed, stop, temperature, top_k, top_p, "
    "typical_p, use_mmap."
)


@given(
    st.sampled_from(sorted(OPTIONS)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            {
                int: st.integers(-(2**63), 2**63 - 1),
                float: st.floats(allow_nan=False, allow_infinity=False),
                bool: st.booleans(),
                list: st.lists(st.text(max_size=5), max_size=3),
            }[OPTIONS[name]],
        )
    )
)
def test_every_value_of_the_type_is_taken_and_read_back(option: tuple[str, Any]) -> None:
    """A value of an option's type passes, and its text gives it back."""
    name, value = option
    assert validate_options({name: value}) == {name: value}
    if not isinstance(value, list):
        assert parse_option(f"{name}={value}") == (name, value)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("num_ctx=512", ("num_ctx", 512)),
        (" seed = 7 ", ("seed", 7)),
        ("temperature=1", ("temperature", 1.0)),
        ("use_mmap=False", ("use_mmap", False)),
        ("use_mmap=1", ("use_mmap", True)),
        ("stop=END", ("stop", ["END"])),
        ("stop=a=b", ("stop", ["a=b"])),
        ('stop=["a", "b"]', ("stop", ["a", "b"])),
    ],
)
def test_an_option_as_text(text: str, option: tuple[str, Any]) -> None:
    """NAME=VALUE becomes a value of the option's type."""
    assert parse_option(text) == option


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "num_ctxx=512",
            (
                f"'num_ctxx' is not an option that Ollama knows; it would ignore it without a word. {KNOWN} "
                "Did you mean 'num_ctx'?"
            ),
        ),
        (
            "mirostat_tau=5",
            (
                f"'mirostat_tau' is not an option that Ollama knows; it would ignore it without a word. {KNOWN} "
                "If your server is newer, let it through with --chimera-allow-option mirostat_tau."
            ),
        ),
        (
            "num_ctx=big",
            "Option 'num_ctx' got 'big'. Accepted: an integer. Write it as in 'num_ctx=4096'.",
        ),
        ("num_ctx=1.5", "Option 'num_ctx' got '1.5'. Accepted: an integer. Write it as in 'num_ctx=4096'."),
        (
            "num_ctx=9223372036854775808",
            "Option 'num_ctx' got 9223372036854775808. Accepted: an integer. Write it as in 'num_ctx=4096'.",
        ),
        ("top_p=nan", "Option 'top_p' got nan. Accepted: a number. Write it as in 'top_p=0.7'."),
        ("use_mmap=maybe", "Option 'use_mmap' got 'maybe'. Accepted: true or false. Write it as in 'use_mmap=true'."),
        (
            "stop=[1]",
            "Option 'stop' got [1]. Accepted: a list of texts. Write it as in 'stop=[\"END\"]'.",
        ),
        (
            "num_ctx",
            "'num_ctx' is not a model option. Accepted: NAME=VALUE. Write it as in 'num_ctx=4096' or 'seed=7'.",
        ),
        ("=5", "'=5' is not a model option. Accepted: NAME=VALUE. Write it as in 'num_ctx=4096' or 'seed=7'."),
    ],
)
def test_a_refusal(text: str, message: str) -> None:
    """What cannot be sent is refused with what is accepted and what to do."""
    with pytest.raises(OptionError) as caught:
        parse_option(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [None, "512", True, 1.0, [512]])
def test_a_value_of_another_type(value: Any) -> None:
    """Nothing but an integer is an integer: Ollama would answer with 500, or cut a fraction off in silence."""
    with pytest.raises(OptionError):
        validate_options({"num_ctx": value})


def test_an_allowed_name_takes_any_value() -> None:
    """A name let through is sent as it is, read as JSON where it is JSON."""
    assert validate_options({"new": {"a": 1}}, allowed=("new",)) == {"new": {"a": 1}}
    assert parse_option("new=3", allowed=("new",)) == ("new", 3)
    assert parse_option("new=three", allowed=("new",)) == ("new", "three")


def test_known_options_are_those_of_the_recorded_server(shared: Path) -> None:
    """Every option that was sent to the recorded servers, but the one unknown on purpose, is in the table."""
    sent: set[str] = set()
    for path in (shared / "ollama-wire").glob("0.*/*.json"):
        for options in re.findall(r'"options": \{(.*?)\}', path.read_text(encoding="utf-8"), re.DOTALL):
            sent |= set(re.findall(r'"(\w+)":', options))
    assert sent - set(OPTIONS) == {"num_ctxx"}
