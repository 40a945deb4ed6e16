"""Cases as YAML to paste: what is written is what was asked, and it reads back as exactly that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.plain_yaml import read_yaml
from pytest_chimera.suites.cases import Question
from pytest_chimera.suites.pasting import as_yaml, case_name, dumped
from pytest_chimera.suites.schema import parse_suite

if TYPE_CHECKING:
    from pytest_chimera.suites.bench import Bench

LONG = " ".join(["sky"] * 30)
WHOLE = f"""\
cases:
  test_sky:
    # not written here: images
    persona: "Insight-Agent"
    system: "Be brief."
    messages:
    - role: "user"
      content: |-
        {LONG}
    - role: "assistant"
      content: "No."
    - role: "user"
      content: |-
        Why?
        And how?
    output_tokens: 20
    options:
      num_ctx: 512
      temperature: 0.0
    format:
      type: "object"
    think: false
    prefix: "reuse"
    rounds: 3
    timeout: 20.0
    max_failed_rounds: 1
    limits:
    - "ttft <= 1 s"
    expect:
      contains:
      - "blue"
"""


def written(bench: Bench, question: Question, **arguments: Any) -> str:
    """The text below `cases:` for a question."""
    case = bench.case(question, rounds=3, warmup=0, gate=None, **arguments)
    return "cases:\n" + as_yaml("test_sky", case, question) + "\n"


def test_a_prompt_alone_is_a_short_case(house: Any) -> None:
    """Of a case that has nothing special, prompt, rounds and limits are written."""
    text = written(house.bench(), Question(prompt="Why is the sky blue?"), limits=["ttft <= 1 s", "tok/s >= 30"])
    assert text == (
        'cases:\n  test_sky:\n    prompt: "Why is the sky blue?"\n    rounds: 3\n    limits:\n'
        '    - "ttft <= 1 s"\n    - "tok/s >= 30"\n'
    )


def test_everything_that_was_said_is_written_and_is_a_suite(house: Any) -> None:
    """Persona, system text, messages, options, format and the rest stand in the schema's order, and it takes them."""
    messages = [
        {"role": "user", "content": LONG},
        {"role": "assistant", "content": "No."},
        {"role": "user", "content": "Why?\nAnd how?", "images": [b"\0"]},
    ]
    question = Question(messages=messages, system="Be brief.", format={"type": "object"})
    text = written(
        house.bench(),
        question,
        persona="insight-agent",
        output_tokens=20,
        options={"num_ctx": 512, "temperature": 0},
        think=False,
        prefix="reuse",
        timeout=20,
        max_failed_rounds=1,
        limits="ttft <= 1 s",
        expect={"contains": "blue"},
    )
    assert text == WHOLE
    (case,) = parse_suite(text, Path("sky.chimera.yaml")).cases
    assert case.fields["messages"][2]["content"] == "Why?\nAnd how?"


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("test_sky[gemma3:latest]", "test_sky"),
        ("TestSky::test_sky[a::b]", "test_sky"),
        ("test-sky ä", "test_sky_ä"),
        ("", "example"),
    ],
)
def test_a_case_is_called_as_its_test(test: str, name: str) -> None:
    """The name is that of the function, in letters that a file can say without quotes."""
    assert case_name(test) == name


def test_half_of_a_surrogate_pair_is_named(house: Any) -> None:
    """What YAML cannot say stands as the character for it, and a comment tells so; a whole pair is its character."""
    text = written(house.bench(), Question(prompt="a \ud83d b \ud83d\ude42"))
    assert text == (
        "cases:\n  test_sky:\n    # not written here: halves of surrogate pairs\n"
        '    prompt: "a \ufffd b \\U0001F642"\n    rounds: 3\n'
    )


@given(
    st.one_of(st.text(), st.text(alphabet="ab \n\t:#-'\"{}[]|>&*!%@`\\\r\x85\u2028\ufeff\xa0é日🙂\x00", max_size=200))
)
def test_any_text_reads_back_as_itself(text: str) -> None:
    """A prompt of any characters, line ends of all kinds among them, survives."""
    document = dumped({"prompt": text})
    assert read_yaml(document).plain == {"prompt": text}
    assert yaml.safe_load(document) == {"prompt": text}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_any_plain_value_reads_back_as_itself(value: Any) -> None:
    """Options, schemas and messages of any content and names survive, read by the rules of our own files."""
    assert read_yaml(dumped({"value": value})).plain == {"value": value}


@given(st.lists(st.text(alphabet="abc é日🙂{}'\":#", min_size=1), min_size=20, max_size=60).map(" ".join))
def test_no_line_of_a_prompt_is_folded(prompt: str) -> None:
    """However long a line of the prompt is, it stands in one line of the file."""
    assert len(dumped({"prompt": prompt}).splitlines()) <= 2
