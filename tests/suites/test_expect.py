"""Expectations of an answer: what is accepted, what is refused, and what is said of an answer that is not so."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest

from pytest_chimera.errors import CorpusError, MarkerError
from pytest_chimera.records import Failure, Generation
from pytest_chimera.suites.expect import (
    LONGEST_UNMET,
    MOST_UNMET,
    Expectations,
    Grounding,
    check_judgeable,
    merged,
    parse_expect,
)
from pytest_chimera.suites.expectations.patterns import matches, steps
from pytest_chimera.suites.expectations.schema import json_schema

NAMES = (
    "contains, matches, max_words, min_words, sections, no_question, stop_reason, grounded_in, json_schema"
)  # fmt: skip
REPORT = """\
# Sky

The sky is blue because the air scatters short waves more.

```text
# Not a heading
```

**Details**
-----------

It takes 5 ms.

### Next ###
"""
THINGS: dict[str, Any] = {
    "type": "object",
    "required": ["things"],
    "properties": {"things": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}},
}


def answer(text: str, **fields: Any) -> Generation:
    """A request that was answered so."""
    known: dict[str, Any] = {
        "endpoint": "chat", "host": "http://h:1", "model": "toy", "options": {}, "prompt_hash": "0" * 64,
        "sent_unix_ns": 1, "done_reason": "stop", "end_ns": 1, "text": text,
    }  # fmt: skip
    return Generation(**{**known, **fields})


def unmet(expect: dict[str, Any], text: str, ground: Any = None, **fields: Any) -> tuple[str, ...] | None:
    """What does not hold of an answer."""
    return Expectations(parse_expect(expect, "here"), ground).unmet(answer(text, **fields))


def refused(value: Any) -> str:
    """The whole text of the refusal."""
    with pytest.raises(MarkerError) as caught:
        parse_expect(value, "here")
    return str(caught.value)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ({"contains": "blue"}, {"contains": ["blue"]}),
        ({"contains": ("a", "b")}, {"contains": ["a", "b"]}),
        ({"matches": r"\d+ ms"}, {"matches": [r"\d+ ms"]}),
        ({"max_words": 5, "min_words": 5}, {"max_words": 5, "min_words": 5}),
        ({"sections": ["Sky", "## Next"]}, {"sections": ["Sky", "## Next"]}),
        ({"no_question": True}, {"no_question": True}),
        ({"no_question": False}, {"no_question": None}),
        ({"stop_reason": "stop"}, {"stop_reason": ["stop"]}),
        ({"grounded_in": True}, {"grounded_in": {"corpus": [], "share": 1.0}}),
        ({"grounded_in": False}, {"grounded_in": None}),
        ({"grounded_in": "old/"}, {"grounded_in": {"corpus": ["old/"], "share": 1.0}}),
        ({"grounded_in": ["a", "b"]}, {"grounded_in": {"corpus": ["a", "b"], "share": 1.0}}),
        ({"grounded_in": {"share": "90 %"}}, {"grounded_in": {"corpus": [], "share": 0.9}}),
        ({"grounded_in": {"corpus": "old", "share": 1}}, {"grounded_in": {"corpus": ["old"], "share": 1.0}}),
        ({"json_schema": {"required": ("a",)}}, {"json_schema": {"required": ["a"]}}),
        ({"contains": None}, {"contains": None}),
        ({}, {}),
    ],
)  # fmt: skip
def test_expectations_have_one_plain_form(said: dict[str, Any], plain: dict[str, Any]) -> None:
    """Each way of writing one is read into the same values, and those are read back as they are."""
    assert parse_expect(said, "here") == plain
    assert parse_expect(plain, "here") == plain


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "blue",
            (
                f"here: expect='blue' is not usable. Accepted: expectations by name: {NAMES}. "
                "Write it as in {'contains': 'blue', 'max_words': 100}."
            ),
        ),
        (
            {"contians": "blue"},
            f"here: expect has the unknown name 'contians'. Known: {NAMES}. Did you mean 'contains'?",
        ),
        (
            {"contains": 5},
            (
                "here: expect contains=5 is not usable. Accepted: a text, or a list of texts; numbers in quotes. "
                "Correct contains."
            ),
        ),
        (
            {"contains": []},
            (
                "here: expect contains=[] is not usable. Accepted: a text, or a list of texts; numbers in quotes. "
                "Correct contains."
            ),
        ),
        (
            {"matches": "a("},
            (
                "here: expect matches='a(' is not usable ('a(': missing ), unterminated subpattern at position 1). "
                "Accepted: a regular expression of Python, or a list of them. Correct matches."
            ),
        ),
        (
            {"matches": "[[a]"},
            (
                "here: expect matches='[[a]' is not usable ('[[a]': Possible nested set at position 1). "
                "Accepted: a regular expression of Python, or a list of them. Correct matches."
            ),
        ),
        (
            {"max_words": True},
            "here: expect max_words=True is not usable. Accepted: a whole number, 1 or more. Correct max_words.",
        ),
        (
            {"min_words": 0},
            "here: expect min_words=0 is not usable. Accepted: a whole number, 1 or more. Correct min_words.",
        ),
        (
            {"min_words": 9, "max_words": 5},
            (
                "here: expect has min_words=9 and max_words=5, and no answer has both. "
                "Accepted: min_words up to max_words. Correct one of them."
            ),
        ),
        (
            {"sections": ["A\nB"]},
            (
                "here: expect sections=['A\\nB'] is not usable. Accepted: a list of headings of one line each, as in "
                "['Summary', '## Details']. Correct sections."
            ),
        ),
        (
            {"no_question": "yes"},
            "here: expect no_question='yes' is not usable. Accepted: true. Correct no_question.",
        ),
        (
            {"grounded_in": {"corpse": "x"}},
            (
                "here: expect grounded_in={'corpse': 'x'} is not usable. Accepted: true for the corpus of the run, a "
                "path or a list of paths, or {corpus: PATH, share: 90%}. Correct grounded_in."
            ),
        ),
        (
            {"grounded_in": {"share": 90}},
            (
                "here: expect grounded_in={'share': 90} is not usable. Accepted: as the share a number above 0 and up "
                "to 1, as in 0.9 or '90%'. Correct grounded_in."
            ),
        ),
        (
            {"json_schema": "schema.json"},
            (
                "here: expect json_schema='schema.json' is not usable. Accepted: a JSON schema as a mapping, as in "
                "{type: object}. Correct json_schema."
            ),
        ),
        (
            {"json_schema": {"type": "objct"}},
            (
                "here: expect json_schema={'type': 'objct'} is not usable (it is none at $.type: 'objct' is not valid "
                "under any of the given schemas). Accepted: a JSON schema as a mapping, as in {type: object}. "
                "Correct json_schema."
            ),
        ),
        (
            {"json_schema": {"pattern": "("}},
            (
                "here: expect json_schema={'pattern': '('} is not usable (it is none at $.pattern: '(' is not a "
                "'regex'). Accepted: a JSON schema as a mapping, as in {type: object}. Correct json_schema."
            ),
        ),
    ],
)
def test_what_is_no_expectation_is_refused_in_three_parts(value: Any, message: str) -> None:
    """Each mistake has its own text."""
    assert refused(value) == message


def test_a_long_value_is_cut_in_its_refusal() -> None:
    """What came in is repeated as far as it helps."""
    assert refused({"max_words": "x" * 5000}) == (
        f"here: expect max_words='{'x' * 196}... is not usable. Accepted: a whole number, 1 or more. Correct max_words."
    )


def test_what_a_case_expects_stands_over_its_persona() -> None:
    """They are merged by name, and None takes one away."""
    below = {"contains": ["a"], "max_words": 5, "no_question": True}
    assert merged({"max_words": 9, "no_question": None}, below) == {"contains": ["a"], "max_words": 9}


@pytest.mark.parametrize(
    ("expect", "text"),
    [
        ({"contains": ["blue", "air"]}, REPORT),
        ({"matches": [r"\d ms", "(?i)SKY"]}, REPORT),
        ({"max_words": 3, "min_words": 3}, " one two\nthree "),
        ({"sections": ["Sky", "Details", "Next"]}, REPORT),
        ({"sections": ["# Sky", "## Details", "### Next"]}, REPORT),
        ({"sections": "Next"}, REPORT),
        ({"no_question": True}, "Why is the sky blue? Because of the air."),
        ({"no_question": True}, 'They ask: "Why?"'),
        ({"no_question": True}, "Is it?\n\nIt is."),
        ({"no_question": True}, "It is.\n\n```\nls ?\n```\n"),
        ({"no_question": True}, "It is.\n\n> Would you like more?\n"),
        ({"no_question": True}, "See http://h/?a=1 for more."),
        ({"no_question": True}, "It is.\n\n## Why?\n"),
        ({"no_question": True}, ""),
        ({"stop_reason": ["stop", "length"]}, ""),
        ({"json_schema": THINGS}, ' {"things": [{"n": 1}, {}]}\n'),
        ({"contains": None}, ""),
    ],
)
def test_an_answer_as_expected_leaves_nothing_unmet(expect: dict[str, Any], text: str) -> None:
    """Each expectation holds of such an answer; where none is left, nothing is judged."""
    assert unmet(expect, text) == (None if expect == {"contains": None} else ())


@pytest.mark.parametrize(
    ("expect", "text", "said"),
    [
        (
            {"contains": ["blue", "red", "the air"]}, "\nThe  AIR is clear and the sky is grey all day.\n",
            (
                ("contains: 'blue' is not in the answer; the answer begins in line 2: "
                '"The AIR is clear and the sky is grey all day."'),
                ("contains: 'red' is not in the answer; the answer begins in line 2: "
                '"The AIR is clear and the sky is grey all day."'),
                ("contains: 'the air' is not in the answer; in other letters or spaces it is in line 2: "
                '"The AIR is clear and the sky is grey..."'),
            ),
        ),
        ({"contains": "x"}, " \n", ("contains: 'x' is not in the answer; the answer is empty",)),
        (
            {"contains": "y" * 100}, "x" * 100,
            (
                f"contains: '{'y' * 77}'... is not in the answer; the answer begins in line 1: \"{'x' * 60}...\"",
            ),
        ),
        (
            {"matches": r"\d+ ms"}, "It takes long.",
            ("matches: '\\d+ ms' is nowhere in the answer; the answer begins in line 1: \"It takes long.\"",),
        ),
        (
            {"max_words": 3}, "one two\nthree four five",
            ('max_words: 5 words, and 3 are the most; number 4 is in line 2: "three four five"',),
        ),
        (
            {"min_words": 3}, "one\ntwo\n",
            ('min_words: 2 words, and 3 are the fewest; the answer ends in line 1: "one two"',),
        ),
        ({"min_words": 1}, "", ("min_words: 0 words, and 1 are the fewest; the answer is empty",)),
        (
            {"sections": ["Details", "Sky", "Not a heading", "next", "It takes 5 ms.", "## Next", "Gone"]}, REPORT,
            (
                "sections: 'Sky' stands before 'Details', in line 1: \"# Sky The sky is blue because the...\"",
                ("sections: there is no heading 'Not a heading'; within code it is in line 6: "
                '"# Not a heading ``` **Details** -----------..."'),
                "sections: there is no heading 'next'; it is written otherwise in line 14: \"### Next ###\"",
                ("sections: there is no heading 'It takes 5 ms.'; as plain text it is in line 12: "
                '"It takes 5 ms. ### Next ###"'),
                "sections: there is no heading '## Next'; it is written otherwise in line 14: \"### Next ###\"",
                ("sections: there is no heading 'Gone' among 'Sky', 'Details', 'Next'; the last one is in line 14: "
                '"### Next ###"'),
            ),
        ),
        (
            {"sections": "Sky"}, "Nothing here.",
            ("sections: there is no heading 'Sky', nor any other; the answer begins in line 1: \"Nothing here.\"",),
        ),
        (
            {"no_question": True}, "It is blue.\n\nThat is all. Would you like more?",
            ('no_question: it ends with a question, in line 3: "That is all. Would you like more?"',),
        ),
        (
            {"no_question": True}, "Which one do you mean?\n\n- a\n\n- b\n\n***\n",
            ('no_question: it ends with a question, in line 1: "Which one do you mean? - a - b ***"',),
        ),
        (
            {"no_question": True}, "**Is that all?**",
            ('no_question: it ends with a question, in line 1: "**Is that all?**"',),
        ),
        (
            {"no_question": True}, "It is.\nLet me know if you\u2019d like more.",
            (
                'no_question: it ends with an offer or a request, in line 2: "Let me know if you\u2019d like more."',
            ),
        ),
        (
            {"json_schema": THINGS}, '{"things": [{"n": 1},\n {"n": "x"}, {"n": 1.5},\n3, 4]}',
            (
                ("json_schema: $.things[1].n: 'x' is not of type 'integer'; line 2: "
                '"{"n": "x"}, {"n": 1.5}, 3, 4]}"'),
                ("json_schema: $.things[2].n: 1.5 is not of type 'integer'; line 2: "
                '"{"n": "x"}, {"n": 1.5}, 3, 4]}"'),
                "json_schema: $.things[3]: 3 is not of type 'object'; line 3: \"3, 4]}\"",
            ),
        ),
        (
            {"json_schema": THINGS}, '\n{"thing": [], "thing": 1}',
            (
                "json_schema: $: 'things' is a required property; line 2: \"{\"thing\": [], \"thing\": 1}\"",
            ),
        ),
        (
            {"json_schema": THINGS}, 'Here it is:\n{"things": []}',
            ('json_schema: it is no JSON (Expecting value); line 1: "Here it is: {"things": []}"',),
        ),
        ({"json_schema": THINGS}, "", ("json_schema: it is no JSON (Expecting value); the answer is empty",)),
        (
            {"json_schema": THINGS}, "[NaN]",
            (
                ("json_schema: it is no JSON that can be judged (NaN is no number of JSON); the answer begins in "
                'line 1: "[NaN]"'),
            ),
        ),
        (
            {"json_schema": {"$ref": "http://nowhere.invalid/s"}}, "[]",
            (
                ("json_schema: it cannot be judged (Unresolvable: http://nowhere.invalid/s); the answer begins in "
                'line 1: "[]"'),
            ),
        ),
    ],
)  # fmt: skip
def test_what_is_not_met_is_said_with_its_place(expect: dict[str, Any], text: str, said: tuple[str, ...]) -> None:
    """What was expected, what stands there, and the text around it with its line."""
    assert unmet(expect, text) == said


def test_how_an_answer_ended_can_be_expected() -> None:
    """The server's word counts, and where it gave none that is said."""
    assert unmet({"stop_reason": "stop"}, "It is", done_reason="length") == (
        "stop_reason: it ended by 'length', and not by 'stop'; the answer ends in line 1: \"It is\"",
    )
    assert unmet({"stop_reason": ["stop", "load"]}, "It is", done_reason=None) == (
        (
            "stop_reason: it ended for a reason that the server did not tell, and not by 'stop' or 'load'; "
            'the answer ends in line 1: "It is"'
        ),
    )


def test_an_answer_is_held_against_facts() -> None:
    """The share of claims that facts support decides; claims that they do not are named, and none at all is all."""
    asked: list[tuple[str, tuple[str, ...]]] = []

    def half(text: str, paths: tuple[str, ...]) -> Grounding:
        asked.append((text, paths))
        return Grounding(share=0.5, against=("5 ms: it is 6 ms", "7: nothing is known", "8: no", "9: no"))

    assert unmet({"grounded_in": "old"}, "5 ms", half) == (
        (
            "grounded_in: facts support 50.0 % of its numeric claims, and 100 % must be: "
            "5 ms: it is 6 ms; 7: nothing is known; 8: no; and 1 more"
        ),
    )
    assert unmet({"grounded_in": {"share": 0.5}}, "5 ms", half) == ()
    assert asked == [("5 ms", ("old",)), ("5 ms", ())]
    assert unmet({"grounded_in": True}, "Blue.", lambda *_: Grounding(share=None)) == ()
    assert unmet({"grounded_in": True}, "5 ms") == ("grounded_in: there are no facts here to hold the answer against",)


def test_a_corpus_that_cannot_be_read_leaves_the_answer_unmet() -> None:
    """The error is said, and nothing raised."""

    def broken(text: str, paths: tuple[str, ...]) -> Grounding:
        raise CorpusError("There is no folder 'old'.", "", "Correct it.")

    assert unmet({"grounded_in": "old"}, "5 ms", broken) == (
        "grounded_in: it cannot be judged: There is no folder 'old'. Correct it.",
    )


def test_only_the_answer_of_a_good_request_is_judged() -> None:
    """Thinking does not count, and a failed request has no answer to judge."""
    assert unmet({"contains": "blue"}, "red", thinking="blue") == (
        "contains: 'blue' is not in the answer; the answer begins in line 1: \"red\"",
    )
    failure = Failure(kind="http", cause="server", message="out of memory", status=500)
    assert unmet({"contains": "blue"}, "blue", failure=failure) is None
    assert unmet({}, "blue") is None


def test_what_is_kept_of_an_answer_is_bounded() -> None:
    """Neither many expectations nor long words make a record large."""
    found = unmet({"contains": [f"{number}" for number in range(100)]}, "x") or ()
    assert len(found) == MOST_UNMET
    assert found[-1] == "contains: and 81 more"
    ground = Grounding(share=0.0, against=("5" * 5000,))
    (long,) = unmet({"grounded_in": True}, "5", lambda *_: ground) or ()
    assert len(long) == LONGEST_UNMET
    assert long.endswith("5...")


def test_a_pattern_that_would_take_for_ever_is_given_up() -> None:
    """A search ends in bounded time whatever the pattern, in `matches` as in a schema."""
    hostile, text = "(a|aa)+$", "a" * 80 + "b"
    assert list(matches([hostile, "a+b"], text, patience_s=0.1)) == [
        f"matches: '{hostile}' was given up after 0.1 s of searching; the answer begins in line 1: \"{'a' * 60}...\"",
    ]
    assert list(json_schema({"pattern": hostile}, f'"{text}"', patience_s=0.1)) == [
        f'json_schema: $: \'{hostile}\' was given up after 0.1 s of searching; line 1: ""{"a" * 80}b""',
    ]


@pytest.mark.parametrize(
    ("pattern", "length", "most"),
    [
        ("blue", 10**6, 10**6),
        (r"\d+ ms", 100, 10**4),
        ("a.*b.*c", 100, 10**6),
        ("(ab)+", 1, math.inf),
        ("a.*?b", 9, 162),
    ],
)
def test_the_steps_of_a_search_are_bounded_by_its_shape(pattern: str, length: int, most: float) -> None:
    """Each repetition is one power of the length; of a repeated group nothing is known."""
    assert steps(pattern, length) == most


@pytest.mark.parametrize("expect", [{"min_words": 9, "max_words": 5}, {"json_schema": {"type": "objct"}}])
def test_what_no_answer_can_meet_is_refused_before_it_is_measured(expect: dict[str, Any]) -> None:
    """Also where it became so by merging, or was read where the library was absent."""
    with pytest.raises(MarkerError):
        check_judgeable(expect, "here")


def test_a_schema_needs_a_library_and_names_how_to_get_it() -> None:
    """Without it a schema is read, and refused before it is measured; nothing else needs it."""
    code = """
import sys
sys.modules["jsonschema"] = None
from pytest_chimera.suites.expect import check_judgeable, parse_expect
expect = parse_expect({"json_schema": {"type": "objct"}, "contains": "x"}, "here")
check_judgeable({"contains": ["x"]}, "here")
try:
    check_judgeable(expect, "here")
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "MissingExtraError The expectation json_schema needs the package 'jsonschema', which is not installed. "
        "Install it with: pip install 'pytest-chimera[schema]'\n"
    )
