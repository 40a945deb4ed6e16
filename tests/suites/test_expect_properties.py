"""Whatever a model answers and whatever a person writes: expectations are judged, or refused in words."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.errors import MarkerError
from pytest_chimera.records import Generation
from pytest_chimera.suites.expect import EXPECTATIONS, LONGEST_UNMET, MOST_UNMET, Expectations, Grounding, parse_expect
from pytest_chimera.suites.expectations.excerpt import place
from pytest_chimera.suites.expectations.outline import headings
from pytest_chimera.suites.expectations.schema import span

quickly = settings(max_examples=150, deadline=None)

MARKDOWN = st.lists(
    st.sampled_from(
        ["# A", "## B ##", "B", "===", "---", "```", "~~~~", "- a?", "1. b", "> c?", "    # D", "Would you like it?",
         "", "Is it so?", "It is.", "**C**", "\t", "| a |"]
    ),
    max_size=12,
).map("\n".join)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=3), each, max_size=4),
    max_leaves=12,
)
ANSWERS = (
    st.text()
    | st.text(alphabet=st.characters(), max_size=50)
    | MARKDOWN
    | JSON.map(json.dumps)
    | st.sampled_from(["[" * 5000, "1" * 5000, "\ud800", "\x00", '{"a": 1e999}', "{" * 9, '"\\ud800"'])
)
EXPECTED = st.fixed_dictionaries(
    {},
    optional={
        "contains": st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3),
        "matches": st.sampled_from(["a+", r"^\s*#", "(?s)b.*a", r"\d{2}", "[^a]$"]),
        "max_words": st.integers(5, 9),
        "min_words": st.integers(1, 5),
        "sections": st.lists(st.sampled_from(["A", "## B", "C", "# D", "b"]), min_size=1, max_size=4),
        "no_question": st.just(True),  # a value
        "stop_reason": st.sampled_from(["stop", ["length", "load"]]),
        "grounded_in": st.sampled_from([True, "old", {"share": "50%"}]),
        "json_schema": st.sampled_from(
            [
                {"type": "object", "properties": {"a": {"pattern": "^a*$"}}, "additionalProperties": False},
                {"multipleOf": 0.1},
                {"type": "array", "uniqueItems": True, "items": {"$ref": "#"}},
                {"anyOf": [{"type": "integer"}, {"items": {"type": "string"}, "minItems": 1}]},
                {"$ref": "#/nowhere"},
            ]
        ),
    },
)


def answer(text: str) -> Generation:
    """A request that was answered so."""
    return Generation(
        endpoint="chat", host="http://h:1", model="toy", options={}, prompt_hash="0" * 64, sent_unix_ns=1,
        done_reason="stop", end_ns=1, text=text,
    )  # fmt: skip


def ground(text: str, paths: tuple[str, ...]) -> Grounding:
    """Facts that support what they are asked for as far as its length says."""
    return Grounding(share=None if not text else 1 / len(text), against=(text, *paths))


@given(EXPECTED, ANSWERS)
@quickly
def test_any_answer_is_judged(expect: dict[str, Any], text: str) -> None:
    """No text of an answer raises, what is said of it is bounded, and each sentence begins with a known name."""
    found = Expectations(parse_expect(expect, "here"), ground).unmet(answer(text))
    if not expect:
        assert found is None
        return
    assert found is not None
    assert len(found) <= MOST_UNMET
    assert all(each.partition(":")[0] in expect and len(each) <= LONGEST_UNMET for each in found)


@given(
    st.dictionaries(
        st.sampled_from(EXPECTATIONS) | st.text(max_size=9), JSON | st.binary() | st.just(float("nan")), max_size=4
    )
)
@quickly
def test_any_value_is_an_expectation_or_is_refused(value: dict[str, Any]) -> None:
    """What is accepted is plain JSON that is read back as it is; all else is refused in words."""
    with contextlib.suppress(MarkerError):
        read = parse_expect(value, "here")
        assert json.loads(json.dumps(read)) == read
        assert parse_expect(read, "here") == read


@given(EXPECTED)
@quickly
def test_what_was_read_is_read_back(expect: dict[str, Any]) -> None:
    """Parsing twice is parsing once."""
    read = parse_expect(expect, "here")
    assert parse_expect(read, "here") == read == json.loads(json.dumps(read))


@given(st.text(), st.integers(0, 500), st.integers(0, 500))
def test_a_place_is_one_short_line(text: str, start: int, length: int) -> None:
    """Whatever is shown of an answer has one line, a bounded length and the number of its line."""
    start = min(start, len(text))
    shown = place(text, start, min(start + length, len(text)))
    assert len(shown) < 200
    assert len(shown.split("\n")) == 1
    assert shown.startswith(f"line {text[:start].count(chr(10)) + 1}: ")


@given(MARKDOWN)
def test_headings_stand_where_they_are_said_to(text: str) -> None:
    """Each heading is in the text at its place, behind the one before."""
    found = headings(text)
    assert all(each.title in text[each.start : each.end] for each in found)
    assert [each.start for each in found] == sorted(each.start for each in found)
    assert all(1 <= each.level <= 6 for each in found)


@given(JSON, st.data())
@quickly
def test_a_value_is_found_by_its_path(value: Any, data: st.DataObject) -> None:
    """Of any path within a JSON value, what stands at its place in the text is that value."""
    path: list[Any] = []
    at = value
    while isinstance(at, (list, dict)) and at and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else list(range(len(at)))))
        path.append(key)
        at = at[key]
    text = json.dumps(value, indent=data.draw(st.sampled_from([None, 1])))
    start, end = span(text, path)
    assert json.loads(text[start:end]) == at
