"""Personas: found by any spelling of their name, refused with file and line."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_chimera.errors import PersonaError
from pytest_chimera.suites.persona import BUILT_IN_FOLDER, find_persona, read_persona

ACCEPTED = "Accepted: name, description, system, options, bounds, expect; name and system must be there."
BUILT_IN = "DataCollector-9000, Insight-Agent, Technical-Writer"


def refused(name: str, *folders: Any) -> str:
    """The whole text of the PersonaError."""
    with pytest.raises(PersonaError) as caught:
        find_persona(name, folders)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["data-collector-9000", "DataCollector-9000", "DATA_COLLECTOR_9000", "data collector 9000"]
)
def test_a_built_in_persona_is_found_by_any_spelling(name: str) -> None:
    """Case, spaces, '-' and '_' make no difference."""
    persona = find_persona(name)
    assert persona.name == "DataCollector-9000"
    assert persona.source == str(BUILT_IN_FOLDER / "data-collector-9000.yaml")
    assert persona.system.startswith("You are DataCollector-9000.")


def test_a_project_persona_stands_before_a_built_in_one(tmp_path: Any) -> None:
    """The first folder that has the name wins, and options are read with their types."""
    (tmp_path / "insight-agent.yaml").write_text(
        "name: insight-agent\nsystem: |\n  Be brief.\noptions:\n  temperature: 0\n  stop: [END]\n", encoding="utf-8"
    )
    persona = find_persona("Insight Agent", [tmp_path / "absent", tmp_path])
    assert persona.system == "Be brief."
    assert persona.options == {"temperature": 0.0, "stop": ["END"]}
    assert persona.description == ""


def test_a_persona_is_found_by_the_name_inside_its_file(tmp_path: Any) -> None:
    """The name of the file need not be that of the persona, and another broken file is not in the way."""
    (tmp_path / "a-broken.yaml").write_text("name: [", encoding="utf-8")
    (tmp_path / "file.yml").write_text("name: Mr. X\nsystem: You are X.\n", encoding="utf-8")
    assert find_persona("mr. x", [tmp_path]).system == "You are X."


def test_an_unknown_persona_is_refused_with_the_nearest_one() -> None:
    """The refusal lists what there is."""
    assert refused("insigt-agent") == (
        f"There is no persona 'insigt-agent'. Known personas: {BUILT_IN}. Did you mean 'Insight-Agent'?"
    )
    assert refused("zzz") == (
        f"There is no persona 'zzz'. Known personas: {BUILT_IN}. "
        "Add it as personas/NAME.yaml with the fields name and system."
    )


def test_a_file_that_cannot_be_read_is_named_where_a_persona_is_missing(tmp_path: Any) -> None:
    """Perhaps the persona stands in the file with the mistake: the text says so."""
    (tmp_path / "broken.yaml").write_text("name: x\n", encoding="utf-8")
    assert refused("zzz", tmp_path) == (
        f"There is no persona 'zzz'. Known personas: {BUILT_IN}. "
        "Add it as personas/NAME.yaml with the fields name and system. "
        f"This file could not be read: {tmp_path}/broken.yaml:1:1: the persona has no 'system'."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nsytem: y\n", f":2:1: unknown field 'sytem'. {ACCEPTED} Did you mean 'system'?"),
        ("name: x\n", f":1:1: the persona has no 'system'. {ACCEPTED} Add 'system'."),
        ("", f":1:1: a persona is a mapping of fields. {ACCEPTED} Write name: and system:."),
        ("\n- a\n", f":2:1: a persona is a mapping of fields. {ACCEPTED} Write name: and system:."),
        (
            "name: x\nsystem: y\nname: z\n",
            ":3:1: 'name' stands here a second time; first in line 1. Accepted: each key once. Leave one of them out.",
        ),
        ("name: 5\nsystem: y\n", ":1:7: 'name' is 5. Accepted: a text. Put it into quotes."),
        ("name: x\nsystem:\n", ":2:8: 'system' is empty. Accepted: a text. Put it into quotes."),
        ("name: x\nsystem: [a]\n", ":2:9: 'system' is ['a']. Accepted: a text. Put it into quotes."),
        (
            "name: x\nsystem: y\noptions: 3\n",
            ":3:10: 'options' is 3. Accepted: a mapping such as temperature: 0.2.",
        ),
        (
            "name: x\nsystem: !!python/object:os.system y\n",
            (
                ":2:9: 'tag:yaml.org,2002:python/object:os.system' is a tag. Accepted: plain values without tags. "
                "Leave the tag out."
            ),
        ),
        (
            "name: &n x\nsystem: *n\n",
            ":2:9: *n is an alias. Accepted: the value itself. Write it out.",
        ),
        (
            "name: x\nsystem: y\nbounds: json\n",
            ":3:9: 'bounds' is 'json'. Accepted: max_words, format. Write max_words: 300 below it.",
        ),
        (
            "name: x\nsystem: y\nbounds:\n  max_word: 3\n",
            ":4:3: unknown field 'max_word'. Accepted: max_words, format. Did you mean 'max_words'?",
        ),
        (
            "name: x\nsystem: y\nbounds:\n  max_words: many\n",
            (":4:3: expect max_words='many' is not usable. Accepted: a whole number, 1 or more. Correct max_words."),
        ),
        (
            "name: x\nsystem: y\nbounds: {format: xml}\n",
            ":3:18: 'format' is 'xml'. Accepted: json, or a JSON schema as a mapping. Correct it.",
        ),
        (
            "name: x\nsystem: y\nexpect:\n  contains: a\n  matches: '('\n",
            (
                ":5:3: expect matches='(' is not usable ('(': missing ), unterminated subpattern at position 0). "
                "Accepted: a regular expression of Python, or a list of them. Correct matches."
            ),
        ),
        (
            "name: x\nsystem: y\nexpect: {min_words: 5, max_words: 2}\n",
            (
                ":3:9: expect has min_words=5 and max_words=2, and no answer has both. "
                "Accepted: min_words up to max_words. Correct one of them."
            ),
        ),
    ],
)
def test_a_malformed_persona_is_refused_with_file_and_line(tmp_path: Any, text: str, message: str) -> None:
    """Each mistake has its own text."""
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    assert refused("mine", tmp_path) == f"{path}{message}"


def test_what_is_no_yaml_is_refused_with_its_place(tmp_path: Any) -> None:
    """The words are those of the reader of YAML."""
    path = tmp_path / "mine.yaml"
    path.write_text("name: x\nsystem: [\n", encoding="utf-8")
    assert refused("mine", tmp_path).startswith(f"{path}:3:1: did not find expected node content. Accepted: YAML. ")


def test_an_option_of_a_persona_is_checked_by_name(tmp_path: Any) -> None:
    """An unknown option is refused with the nearest name, unless it was let through."""
    path = tmp_path / "mine.yaml"
    path.write_text("name: x\nsystem: y\noptions:\n  num_ctxx: 3\n", encoding="utf-8")
    text = refused("mine", tmp_path)
    assert text.startswith(f"{path}:4:3: 'num_ctxx' is not an option that Ollama knows")
    assert text.endswith("Did you mean 'num_ctx'?")
    assert read_persona(path, ["num_ctxx"]).options == {"num_ctxx": 3}


def test_a_persona_file_that_is_no_text_is_refused(tmp_path: Any) -> None:
    """Bytes that are not UTF-8, and a file that is none, are refused in words."""
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe")
    assert refused("mine", tmp_path) == f"The persona file {path} is not UTF-8. Accepted: YAML in UTF-8. Save it so."
    path.unlink()
    path.mkdir()
    assert refused("mine", tmp_path) == f"The persona file {path} cannot be read: Is a directory. Correct it."


def test_bounds_and_expectations_are_read(tmp_path: Any) -> None:
    """Both are plain values; the longest answer of the bounds is an expectation like any other, and yields to one."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: x\nsystem: y\nbounds:\n  max_words: 300\n  format: {type: object}\n"
        "expect:\n  sections: [Summary, Details]\n  no_question: true\n",
        encoding="utf-8",
    )
    persona = read_persona(path)
    assert persona.bounds == {"max_words": 300, "format": {"type": "object"}}
    assert persona.expect == {"sections": ["Summary", "Details"], "no_question": True}
    assert persona.expected == {"max_words": 300, "sections": ["Summary", "Details"], "no_question": True}
    path.write_text("name: x\nsystem: y\nbounds: {max_words: 9}\nexpect: {max_words: 5}\n", encoding="utf-8")
    assert read_persona(path).expected == {"max_words": 5}


def test_words_that_other_readers_take_for_values_are_text(tmp_path: Any) -> None:
    """A date, a time and a no are texts, as they were written."""
    path = tmp_path / "mine.yaml"
    path.write_text("name: no\nsystem: 2001-99-99\ndescription: 1:30\n", encoding="utf-8")
    persona = read_persona(path)
    assert (persona.name, persona.system, persona.description) == ("no", "2001-99-99", "1:30")


def test_the_built_in_personas_bind_nobody_who_asks_little() -> None:
    """They can be read, and only the writer of reports has a bound, far beyond a short answer."""
    found = {path.stem: read_persona(path) for path in sorted(BUILT_IN_FOLDER.iterdir())}
    assert {name: (dict(each.expected), dict(each.options)) for name, each in found.items()} == {
        "data-collector-9000": ({}, {}),
        "insight-agent": ({}, {}),
        "technical-writer": ({"max_words": 2500}, {}),
    }


@given(st.text(max_size=200) | st.text(alphabet="abcdef:-{}[]&*!|> \n'\"#", max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_a_persona_or_is_refused_with_its_place(tmp_path: Any, text: str) -> None:
    """No text ends in any exception but a refusal that begins with file, line and column."""
    path = tmp_path / "any.yaml"
    path.write_text(f"name: x\nsystem: y\n{text}", encoding="utf-8", errors="replace")
    try:
        read_persona(path)
    except PersonaError as error:
        assert re.match(rf"{re.escape(str(path))}:\d+:\d+: ", str(error))  # noqa: PT017  # one of two is true
