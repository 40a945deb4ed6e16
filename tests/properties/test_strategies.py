"""What properties draw from: the right number of words, shrinking to the fewest, and refusals in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from pytest_chimera.errors import MarkerError, OptionError, UserError
from pytest_chimera.strategies import WORDS, conversations, options, personas, prompts
from pytest_chimera.strategies.words import text
from pytest_chimera.suites.persona import find_persona
from pytest_chimera.wire.options import validate_options

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = settings(database=None, phases=[Phase.generate, Phase.shrink])


def refusal(build: Callable[[], object]) -> str:
    """The whole text with which building a strategy is refused."""
    with pytest.raises(UserError) as caught:
        build()
    return str(caught.value)


@given(st.data(), st.integers(1, 500), st.integers(0, 500))
def test_a_prompt_has_as_many_words_as_allowed(data: st.DataObject, least: int, more: int) -> None:
    """Of every kind of text, words are counted by the single spaces between them."""
    kinds = data.draw(st.lists(st.sampled_from(list(WORDS)), min_size=1))
    prompt = data.draw(prompts(least, least + more, kinds))
    assert least <= len(prompt.split(" ")) <= least + more
    assert prompt.split(" ") == prompt.split()


@given(st.sampled_from(list(WORDS)), st.integers(0, 1000), st.integers(1, 300))
def test_a_longer_prompt_begins_with_the_shorter_one(kind: str, texture: int, words: int) -> None:
    """Of one kind and texture, one more word stands at the end and changes nothing before it."""
    longer = text(words + 1, kind, texture)
    assert longer.rpartition(" ")[0] == text(words, kind, texture)


@pytest.mark.parametrize("kind", WORDS)
def test_every_kind_has_words_enough(kind: str) -> None:
    """No kind of text has fewer than twenty words, and none of them is twice there but in code."""
    words = WORDS[kind]
    assert len(words) >= 20
    assert all(word.strip() == word and word for word in words)


@pytest.mark.parametrize("words", [2, 17, 333, 1499])
def test_a_prompt_shrinks_to_the_word(words: int) -> None:
    """What fails from so many words on shrinks to exactly so many, the simplest ones of the first language."""
    found = find(
        prompts(max_words=2000, languages=["de", "zh"]), lambda each: len(each.split()) >= words, settings=QUIET
    )
    assert found == text(words, "de")


def test_very_long_prompts_are_drawn_as_quickly_as_short_ones() -> None:
    """A prompt of 100,000 words is three draws, and no health check is met."""
    seen = []

    @settings(database=None, max_examples=20, deadline=None)
    @given(prompts(100_000, 100_000))
    def look(prompt: str) -> None:
        seen.append(prompt.count(" "))

    look()
    assert set(seen) == {99_999}


def test_a_prefix_stands_before_every_prompt() -> None:
    """It counts as no word and is not shrunk."""
    assert find(prompts(prefix="Translate: "), lambda _: True, settings=QUIET) == "Translate: the"


@given(conversations(2, 5, max_words=3, languages=["ja", "emoji"]))
def test_a_conversation_alternates_and_ends_with_the_user(messages: list[dict[str, str]]) -> None:
    """n turns are 2 n - 1 messages, from the user to the user."""
    assert len(messages) in {3, 5, 7, 9}
    assert [each["role"] for each in messages] == (["user", "assistant"] * len(messages))[: len(messages)]
    assert all(1 <= len(each["content"].split()) <= 3 for each in messages)


def test_a_conversation_shrinks_to_the_fewest_turns_and_words() -> None:
    """What fails from three messages on is left with three, of a word each."""
    found = find(conversations(), lambda each: len(each) > 1, settings=QUIET)
    assert found == [
        {"role": "user", "content": "the"},
        {"role": "assistant", "content": "the"},
        {"role": "user", "content": "the"},
    ]


@given(
    options(
        "top_k", "use_mmap", num_ctx=[512, 4096], temperature=(0, 0.8), seed=(1, 9), num_batch=64,
        min_p=st.just(0), stop=["END"], num_thread=(2, 4, 8),
    )
)  # fmt: skip
def test_options_are_of_their_values(drawn: dict[str, Any]) -> None:
    """A list is chosen from, a pair is a range, a strategy is drawn from, a single value is itself; types are right."""
    assert validate_options(drawn) == drawn
    assert drawn["num_ctx"] in {512, 4096}
    assert 0 <= drawn["temperature"] <= 0.8
    assert isinstance(drawn["temperature"], float)
    assert 1 <= drawn["seed"] <= 9
    assert drawn["num_batch"] == 64
    assert (drawn["min_p"], drawn["stop"]) == (0.0, ["END"])
    assert drawn["num_thread"] in {2, 4, 8}


def test_options_shrink_to_the_first_value() -> None:
    """The order of a list says what is simplest."""
    assert find(options(num_ctx=[2048, 512]), lambda _: True, settings=QUIET) == {"num_ctx": 2048}


@given(personas())
def test_personas_are_those_that_are_built_in(name: str) -> None:
    """Each name drawn is one that a persona has."""
    assert find_persona(name).system


def test_personas_can_be_named() -> None:
    """A project's own are drawn from, the first as the simplest."""
    assert find(personas(["reviewer", "poet"]), lambda _: True, settings=QUIET) == "reviewer"


@pytest.mark.parametrize(
    ("build", "text_of"),
    [
        (
            lambda: prompts(0),
            "prompts(...) has min_words=0. Accepted: a whole number, 1 or more. Correct min_words.",
        ),
        (
            lambda: prompts(9, 3),
            (
                "prompts(...) has min_words=9 and max_words=3. Accepted: min_words up to max_words. "
                "Exchange them, or correct one."
            ),
        ),
        (
            lambda: prompts(languages=["klingon"]),
            (
                f"prompts(...) has no language 'klingon'. Known languages: {', '.join(WORDS)}. "
                "For a language of your own, use strategies of Hypothesis."
            ),
        ),
        (
            lambda: prompts(languages=["emojis"]),
            f"prompts(...) has no language 'emojis'. Known languages: {', '.join(WORDS)}. Did you mean 'emoji'?",
        ),
        (
            lambda: prompts(languages="en"),
            (
                f"prompts(...) has languages='en'. Accepted: a list of one or more of {', '.join(WORDS)}. "
                "Write it as in languages=['en', 'zh']."
            ),
        ),
        (
            lambda: conversations(3, 2),
            (
                "conversations(...) has min_turns=3 and max_turns=2. Accepted: min_turns up to max_turns. "
                "Exchange them, or correct one."
            ),
        ),
        (
            lambda: personas([]),
            (
                "personas(...) has names=[]. Accepted: a list of names of personas. "
                "Leave it out for those that are built in."
            ),
        ),
        (
            lambda: options(num_ctx=[512, "big"]),
            "options(...): Option 'num_ctx' got 'big'. Accepted: an integer. Write it as in 'num_ctx=4096'.",
        ),
        (
            lambda: options(seed=(9, 1)),
            "options(...) has seed=(9, 1). Accepted: a pair (low, high). Exchange the two.",
        ),
        (
            lambda: options("seed", seed=1),
            "options(...) names 'seed' twice. Accepted: each option once. Leave one out.",
        ),
        (lambda: options(seed=[]), "options(...) has seed=[]. Accepted: one value or more. Correct seed."),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(build: Callable[[], object], text_of: str) -> None:
    """What came in, what is accepted and what to do next, before anything is drawn."""
    assert refusal(build) == text_of


def test_an_unknown_option_is_refused_with_the_nearest() -> None:
    """A misspelt name is not sent to a server that would ignore it."""
    with pytest.raises(OptionError, match=r"'num_ctxt' is not an option .* Did you mean 'num_ctx'\?"):
        options(num_ctxt=[512])


def test_an_option_without_usual_values_needs_some() -> None:
    """`stop` says nothing by its name alone, and no option at all says nothing either."""
    with pytest.raises(MarkerError, match=r"options\(\.\.\.\) has 'stop' without values"):
        options("stop")
    with pytest.raises(MarkerError, match=r"options\(\) names no option\."):
        options()
