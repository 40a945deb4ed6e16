"""What a model says, parted as Ollama parts it: thinking, tool calls, repetition."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.engine.repeat_guard import RepeatGuard
from pytest_chimera.engine.thinking import ThinkingParser
from pytest_chimera.engine.tool_calls import ToolCallParser

TOOLS = [{"type": "function", "function": {"name": "get_metric", "parameters": {"type": "object"}}}]
CUTS = st.lists(st.integers(0, 200), max_size=12)


def cut(text: str, cuts: list[int]) -> list[str]:
    """The text cut at these places."""
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(places)]


def part(text: str, cuts: list[int], *, inside: bool = False) -> tuple[str, str]:
    """Thinking and content of the whole text, fed in pieces."""
    parser = ThinkingParser(inside=inside)
    parted = [*map(parser.feed, cut(text, cuts)), parser.flush()]
    return "".join(each.thinking for each in parted), "".join(each.content for each in parted)


@pytest.mark.parametrize(
    ("text", "thinking", "content"),
    [
        ("<think>Let me look.</think>\n\nThe answer is 42. ", "Let me look.", "The answer is 42. "),
        ("\n <think>\n a < b and </thin air\n</think>x", "a < b and </thin air", "x"),
        ("<think>never closed", "never closed", ""),
        ("<think></think>at once", "", "at once"),
        ("no tag, <think>not here</think>", "", "no tag, <think>not here</think>"),
        ("<thin ice", "", "<thin ice"),
        ("  blanks before", "", "  blanks before"),
    ],
)
@given(cuts=CUTS)
def test_thinking_is_parted_wherever_the_pieces_are_cut(
    text: str, thinking: str, content: str, cuts: list[int]
) -> None:
    """Tags split over pieces are found, blanks around them dropped, and text without a tag is left alone."""
    assert part(text, cuts) == (thinking, content)


@given(cuts=CUTS)
def test_a_prompt_that_ends_with_the_tag_begins_in_thought(cuts: list[int]) -> None:
    """A template that opens the thinking itself needs no tag from the model."""
    assert part(" first this</think>\nthen that", cuts, inside=True) == ("first this", "then that")


@given(cuts=CUTS)
def test_a_tool_call_comes_out_once_and_whole(cuts: list[int]) -> None:
    """However it is cut, the call is one, with its arguments, and nothing of it is content."""
    parser = ToolCallParser(TOOLS)
    heard = [
        parser.feed(piece) for piece in cut('Well: {"name": "get_metric", "parameters": {"metric": "ttft {"}} ', cuts)
    ]
    calls = [call for each in heard for call in each.calls]
    assert calls == [{"index": 0, "name": "get_metric", "arguments": {"metric": "ttft {"}}]
    assert "".join(each.content for each in heard) + parser.flush() == "Well: "


@given(cuts=CUTS)
def test_what_is_no_call_stays_content(cuts: list[int]) -> None:
    """An object that names no known tool comes out as it was said, when the answer has ended."""
    text = 'Such as {"name": "other", "parameters": {}} or {1}'
    parser = ToolCallParser(TOOLS)
    heard = [parser.feed(piece) for piece in cut(text, cuts)]
    assert "".join(each.content for each in heard) + parser.flush() == text


def test_the_guard_lets_31_of_the_same_pass() -> None:
    """As recorded: 31 chunks of one token are sent, the next trips; another token begins the count anew."""
    guard = RepeatGuard()
    trips = [guard.trips(piece) for piece in ["ha"] * 31 + ["x"] + ["ha "] * 31 + ["ha"]]
    assert trips == [False] * 63 + [True]
