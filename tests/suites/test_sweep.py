"""What a person may write as a sweep or as arms, and what is made of its points."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.errors import MarkerError
from pytest_chimera.suites.cases import Question
from pytest_chimera.suites.points import needing_load, of_arms, of_sweep
from pytest_chimera.suites.sweep import Sweep, label, parse_arms, parse_sweep

NAMES = st.text("abcdefgh_", min_size=1, max_size=6).filter(lambda name: name not in {"points", "sample", "seed"})
LEVELS = st.one_of(st.booleans(), st.integers(-9, 9), st.floats(0, 9).filter(lambda each: each % 1), st.text("xyz "))
FORM = "Accepted: parameters with their levels, as in {num_ctx: [512, 2048], temperature: [0.2, 0.8]}, or points."


def refused(value: object) -> str:
    """The text with which a sweep is refused."""
    with pytest.raises(MarkerError) as caught:
        parse_sweep(value, "here")
    return str(caught.value)


def test_a_grid_has_every_combination_in_order() -> None:
    """The last parameter changes fastest, and the order of levels is that of the person."""
    sweep = parse_sweep({"num_ctx": [2048, 512], "temperature": [0.2, 0.8]}, "here")
    assert [label(each) for each in sweep.points] == [
        "num_ctx=2048,temperature=0.2", "num_ctx=2048,temperature=0.8", "num_ctx=512,temperature=0.2",
        "num_ctx=512,temperature=0.8",
    ]  # fmt: skip
    assert sweep.names == ("num_ctx", "temperature")


def test_a_sample_is_drawn_by_its_seed() -> None:
    """The same seed draws the same points of the grid, in the order of the grid."""
    grid = {"seed": [1, 2, 3, 4, 5], "top_k": [1, 2, 3, 4, 5]}
    one, again = (parse_sweep({**grid, "sample": 6}, "here").points for _ in range(2))
    assert one == again
    assert len(one) == 6
    assert list(one) == [each for each in parse_sweep(grid, "here").points if each in one]


def test_points_can_be_listed() -> None:
    """Listed points are measured as they stand."""
    sweep = parse_sweep({"points": [{"num_ctx": 512, "think": True}, {"num_ctx": 2048, "think": "low"}]}, "here")
    assert [label(each) for each in sweep.points] == ["num_ctx=512,think=true", "num_ctx=2048,think=low"]


@given(st.dictionaries(NAMES, st.lists(LEVELS, min_size=1, max_size=4), min_size=1, max_size=3), st.integers(0, 3))
def test_a_sweep_is_read_back_from_its_plain_form(parameters: dict[str, list[Any]], seed: int) -> None:
    """Whatever is accepted as a sweep can be written down and read again."""
    try:
        sweep = parse_sweep({**parameters, "seed": seed}, "here")
    except MarkerError:
        return
    assert parse_sweep(sweep.as_dict(), "there") == sweep


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1], f"here: sweep=[1] is not usable. {FORM} Correct the sweep."),
        ({}, f"here: a sweep has either parameters or points, and at least one of them. {FORM} Correct the sweep."),
        (
            {"num_ctx": 512},
            f"here: the parameter 'num_ctx' of the sweep has 512 and no list of levels. {FORM} Correct the sweep.",
        ),
        (
            {"num_ctx": [512], "sead": 7},
            f"here: the parameter 'sead' of the sweep has 7 and no list of levels. {FORM} Did you mean 'seed'?",
        ),
        (
            {"num_ctx": [512, 512]},
            f"here: the parameter 'num_ctx' of the sweep has the level 512 more than once. {FORM} Correct the sweep.",
        ),
        (
            {"points": [{"a": 1}, {"b": 1}]},
            f"here: the points of the sweep differ in their names: {{'b': 1}}. {FORM} Correct the sweep.",
        ),
        (
            {"num_ctx": [512], "blocks": 2},
            f"here: 'blocks' of the sweep is 2, and a whole number from 3 is wanted. {FORM} Correct the sweep.",
        ),
        (
            {"seed": list(range(50)), "top_k": list(range(50))},
            f"here: the sweep has 2,500 points, and 2,000 are the most. {FORM} Correct the sweep.",
        ),
    ],
)
def test_what_is_no_sweep_is_refused(value: object, text: str) -> None:
    """The message says what came, what is accepted, and what to do."""
    assert refused(value) == text


@pytest.mark.parametrize("value", [None, {"a": {}}, {"a": {}, "b": 1}, {"a": {}, "": {}}])
def test_what_are_no_arms_is_refused(value: object) -> None:
    """Two named variants or more are wanted, each with its fields."""
    with pytest.raises(MarkerError, match="Accepted: two or more named variants"):
        parse_arms(value, "here")


def test_levels_go_where_their_names_belong() -> None:
    """Options, fields, the model and variables of the texts each take their level; null leaves an option out."""
    sweep = Sweep(
        parameters={"num_ctx": (512,), "seed": (None,), "think": ("low",), "model": ("tiny",), "number": (7,)}
    )
    question = Question(
        prompt="Count to {number}, then say {{{think}}}.", system="{model}",
        messages=[{"role": "user", "content": "{number}", "images": []}],
    )  # fmt: skip
    (variant,) = of_sweep(question, sweep, None, where="here")
    assert variant.question == Question(
        prompt="Count to 7, then say {low}.", system="tiny", messages=[{"role": "user", "content": "7", "images": []}]
    )
    assert (dict(variant.said.options), variant.said.think, variant.model) == ({"num_ctx": 512}, "low", "tiny")


def test_texts_that_others_filled_are_left_alone() -> None:
    """Where the question of each point is made elsewhere, braces stay as they are and names are not looked up."""
    sweep = Sweep(parameters={"topic": ("a", "b")})
    variants = of_sweep(Question(), sweep, lambda point: Question(prompt=f"{{{point['topic']}}}"), where="here")
    assert [each.question.prompt for each in variants] == ["{a}", "{b}"]


@pytest.mark.parametrize(
    ("sweep", "prompt", "text"),
    [
        (
            {"temperture": [1]}, "Why?",
            ("here varies 'temperture', which is no model option, and no text has the variable {temperture}. Accepted: "
            "model options, model, persona, think, prompt_tokens, output_tokens, prefix, truncate, keep_alive, and "
            "variables of prompt, system and messages. Did you mean 'temperature'?"),
        ),
        (
            {"xyzzy": [1]}, "Why?",
            ("here varies 'xyzzy', which is no model option, and no text has the variable {xyzzy}. Accepted: model "
            "options, model, persona, think, prompt_tokens, output_tokens, prefix, truncate, keep_alive, and "
            "variables of prompt, system and messages. Write {xyzzy} where its value is to stand."),
        ),
        (
            {"number": [1]}, "Count {number} {numbr}",
            "here, number=1: {numbr} is no variable of this case. Known: number. Did you mean 'number'?",
        ),
        ({"model": [3]}, "Why?", "here, model=3 has the model 3. Accepted: the name of a model. Put it into quotes."),
    ],
)  # fmt: skip
def test_a_parameter_that_says_nothing_is_refused(sweep: dict[str, Any], prompt: str, text: str) -> None:
    """A misspelt option, a variable that no text has and a text with another one are mistakes, each with its hint."""
    with pytest.raises(MarkerError) as caught:
        of_sweep(Question(prompt=prompt), parse_sweep(sweep, "here"), None, where="here")
    assert str(caught.value) == text


def test_an_arm_says_what_differs() -> None:
    """Its fields stand in place of those of the call, and drop what cannot stand beside them."""
    arms = parse_arms({"a": {"prompt": "So?", "rounds": 3}, "b": {"model": "tiny", "options": {"seed": 1}}}, "here")
    first, second = of_arms(Question(messages=[], system="Be brief."), arms, None, where="here")
    assert first.question == Question(prompt="So?", system="Be brief.")
    assert (first.said.rounds, first.model, first.point) == (3, None, {"arm": "a"})
    assert (second.question, second.model) == (Question(messages=[], system="Be brief."), "tiny")
    assert dict(second.said.options) == {"seed": 1}


def test_an_arm_with_an_unknown_field_is_refused() -> None:
    """The nearest known field is named."""
    arms = parse_arms({"a": {}, "b": {"promt": "So?"}}, "here")
    with pytest.raises(MarkerError) as caught:
        of_arms(Question(prompt="Why?"), arms, None, where="here")
    assert str(caught.value).startswith("here, arm b has the unknown field 'promt'. Known fields: model, prompt, ")
    assert str(caught.value).endswith(" Did you mean 'prompt'?")


def test_what_needs_a_load_is_seen_by_points_that_differ_in_it_alone() -> None:
    """A field that changes the window needs a load as num_ctx does; where nothing can be seen the name decides."""
    sizes = parse_sweep({"prompt_tokens": [64, 8000], "temperature": [0, 1]}, "here").points
    assert needing_load(sizes, ["small", "small", "large", "large"]) == ("prompt_tokens",)
    crossed = parse_sweep({"points": [{"num_ctx": 512, "top_k": 1}, {"num_ctx": 1024, "top_k": 2}]}, "here").points
    assert needing_load(crossed, [512, 1024]) == ("num_ctx",)
