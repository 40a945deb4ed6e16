"""Strategies for what is asked: prompts, conversations, and who answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pytest_chimera.errors import MarkerError, nearest
from pytest_chimera.strategies.words import WORDS, text
from pytest_chimera.suites.persona import BUILT_IN_FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

_TEXTURES = 1000
"""Orders of words beside the plain one; enough that two prompts of one length are seldom the same."""


def prompts(
    min_words: int = 1, max_words: int = 200, languages: Sequence[str] = ("en",), *, prefix: str = ""
) -> SearchStrategy[str]:
    """Texts of `min_words` to `max_words` words, separated by single spaces; shrinks to the fewest, then the simplest.

    `languages` are of `WORDS`: en, de, fr, es, ru, el, ar, hi, zh, ja, ko, or code, numbers, emoji; each prompt is of
    one of them, and shrinks towards the first. `prefix` stands before every prompt and counts as no word. Words are
    drawn by their number and not one by one, so that a prompt of 100,000 is drawn as quickly as one of ten.

    Raises MarkerError.
    """
    _check_range("prompts", "words", min_words, max_words, least=1)
    kinds = _checked_languages(languages)

    @st.composite  # and no map: what it gives is shown as the text that it is
    def drawn(draw: DrawFn) -> str:
        words = draw(st.integers(min_words, max_words))
        return prefix + text(words, draw(st.sampled_from(kinds)), draw(st.integers(0, _TEXTURES)))

    return drawn()


def conversations(
    min_turns: int = 1,
    max_turns: int = 4,
    *,
    min_words: int = 1,
    max_words: int = 50,
    languages: Sequence[str] = ("en",),
) -> SearchStrategy[list[dict[str, str]]]:
    """Messages of user and assistant by turns, for `chimera_probe(messages=...)`; a turn is a message of the user.

    The last message is the user's: n turns are 2 n - 1 messages. Each has `min_words` to `max_words` words, of a
    language of its own. Shrinks to the fewest turns, then to the fewest words. Raises MarkerError.
    """
    _check_range("conversations", "turns", min_turns, max_turns, least=1)
    said = prompts(min_words, max_words, languages)

    @st.composite
    def spoken(draw: DrawFn) -> list[dict[str, str]]:
        turns = draw(st.integers(min_turns, max_turns))
        return [
            {"role": "assistant" if number % 2 else "user", "content": draw(said)} for number in range(2 * turns - 1)
        ]

    return spoken()


def personas(names: Sequence[str] | None = None) -> SearchStrategy[str]:
    """Names of personas, for `chimera_probe(persona=...)`: those that are built in, or `names`, your own as well.

    Shrinks towards the first. Raises MarkerError; a name that no persona has is refused by `chimera_probe`.
    """
    found = sorted(path.stem for path in BUILT_IN_FOLDER.glob("*.yaml")) if names is None else names
    if isinstance(found, str) or not found or not all(isinstance(each, str) and each.strip() for each in found):
        raise MarkerError(
            f"personas(...) has names={names!r}.",
            "Accepted: a list of names of personas.",
            "Leave it out for those that are built in.",
        )
    return st.sampled_from(list(found))


def _check_range(where: str, what: str, low: object, high: object, *, least: int) -> None:
    for name, value in ((f"min_{what}", low), (f"max_{what}", high)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise MarkerError(
                f"{where}(...) has {name}={value!r}.", f"Accepted: a whole number, {least} or more.", f"Correct {name}."
            )
    assert isinstance(low, int), "checked above"
    assert isinstance(high, int), "checked above"
    if low > high:
        raise MarkerError(
            f"{where}(...) has min_{what}={low} and max_{what}={high}.",
            f"Accepted: min_{what} up to max_{what}.",
            "Exchange them, or correct one.",
        )


def _checked_languages(languages: object) -> list[str]:
    if isinstance(languages, (list, tuple)) and languages:
        unknown = next((each for each in languages if each not in WORDS), None)
        if unknown is None:
            return list(languages)
        hint = nearest(str(unknown), WORDS) or "For a language of your own, use strategies of Hypothesis."
        raise MarkerError(f"prompts(...) has no language {unknown!r}.", f"Known languages: {', '.join(WORDS)}.", hint)
    raise MarkerError(
        f"prompts(...) has languages={languages!r}.",
        f"Accepted: a list of one or more of {', '.join(WORDS)}.",
        "Write it as in languages=['en', 'zh'].",
    )
