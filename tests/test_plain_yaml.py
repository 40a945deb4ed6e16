"""YAML as people write settings in it: which values come of it, where they stand, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera import plain_yaml
from pytest_chimera.plain_yaml import DEEPEST, LARGEST_TEXT, Node, NotPlainError, read_yaml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ODD_TEXT = st.text(max_size=80) | st.text("{}[]:-#&*!|>'\"%@`,?\\\n\t abux019.~<", max_size=50)


def refused(text: str) -> tuple[Any, ...]:
    """Line, column and the three parts of the refusal."""
    with pytest.raises(NotPlainError) as caught:
        read_yaml(text)
    return caught.value.args


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("on", "on"),
        ("010", 10),
        ("0o17", 15),
        ("0xff", 255),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("3.", 3.0),
        ("-.inf", float("-inf")),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("0b1", "0b1"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
        ("9" * 401, "9" * 401),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    """A scalar is what the core schema of YAML 1.2 says; all else is text."""
    found = read_yaml(f"a: {text}" if text else "").plain
    assert found == ({"a": value} if text else None)
    assert not text or type(found["a"]) is type(value)


def test_each_value_knows_its_place() -> None:
    """Line and column of values and of their keys count from 1, whatever the line ends are and with a mark of order."""
    expected = Node(
        {"a": Node([Node(1, 1, 5), Node({}, 1, 8)], 1, 4, 1, 1), "ä": Node("x\n", 2, 4, 2, 1)},
        1,
        1,
    )
    text = "a: [1, {}]\nä: |\n  x\n"
    assert read_yaml(text) == expected
    assert read_yaml(text.replace("\n", "\r\n")) == expected
    assert read_yaml(f"\ufeff{text}") == expected


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("a: &x 1\nb: *x", (2, 4, "*x is an alias.", "Accepted: the value itself.", "Write it out.")),
        ("*x : 1", (1, 1, "*x is an alias.", "Accepted: the value itself.", "Write it out.")),
        ("a: !x 1", (1, 4, "'!x' is a tag.", "Accepted: plain values without tags.", "Leave the tag out.")),
        (
            "!!python/name:os.system a: 1",
            (
                1,
                1,
                "'tag:yaml.org,2002:python/name:os.system' is a tag.",
                "Accepted: plain values without tags.",
                "Leave the tag out.",
            ),
        ),
        (
            "a: 1\nb: 2\na: 3",
            (
                3,
                1,
                "'a' stands here a second time; first in line 1.",
                "Accepted: each key once.",
                "Leave one of them out.",
            ),
        ),
        ("a: 1\n---\nb: 2", (2, 1, "a second document begins here.", "Accepted: one document.", "Make it a file.")),
        ("[a]: 1", (1, 1, "a key is no plain text.", "Accepted: a name before each colon.", "Put it into quotes.")),
        (
            "a:\n\tb: 1",
            (2, 1, "a tab stands where YAML wants spaces.", "Accepted: spaces.", "Replace the tab by spaces."),
        ),
        (
            "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
            (1, DEEPEST + 1, "it is nested deeper than 64 levels.", "Accepted: plain settings.", "Make it flatter."),
        ),
        (
            "ä: \0",
            (
                1,
                4,
                "a character stands here that YAML does not allow.",
                "Accepted: printable text.",
                "Take it out, or write it as an escape within double quotes.",
            ),
        ),
        (
            "a: 1\nb: \ud800",
            (
                2,
                4,
                "a character stands here that YAML does not allow.",
                "Accepted: printable text.",
                "Take it out, or write it as an escape within double quotes.",
            ),
        ),
        (
            "tok/s: >= 30",
            (
                1,
                9,
                "a text that begins with '>' or '|' is a block of lines.",
                "Accepted: YAML.",
                "Put it into quotes, as in '>= 30'.",
            ),
        ),
        (
            "{tok/s: >= 30}",
            (
                1,
                9,
                "a text that begins with '>' or '|' is a block of lines.",
                "Accepted: YAML.",
                "Put it into quotes, as in '>= 30'.",
            ),
        ),
        (
            "a: b: c",
            (
                1,
                5,
                "mapping values are not allowed in this context.",
                "Accepted: YAML.",
                "Correct it. In quotes belong texts with ': ' or ' #' in them, or that begin with one of {[>|@`%&*!.",
            ),
        ),
    ],
)
def test_what_is_not_plain_is_refused_at_its_place(text: str, args: tuple[Any, ...]) -> None:
    """Bombs, tags, doubled keys, tabs and the like are refused with line, column and what to do."""
    assert refused(text) == args


def test_what_is_too_large_is_refused() -> None:
    """A text beyond the largest is not looked at, and a key of any length is shown by its beginning."""
    assert refused(" " * (LARGEST_TEXT + 1))[2:] == (
        "the text has 33,554,433 characters.",
        "Accepted: 33,554,432 at most.",
        "Split it.",
    )
    key = "k" * 1000
    assert refused(f"? {key}\n: 1\n? {key}\n: 2")[2] == f"'{'k' * 60}...' stands here a second time; first in line 1."


def test_too_many_values_are_refused() -> None:
    """A text of more values than anybody writes is given up where the last of them stands."""
    assert read_yaml("[1, 2]", most_values=3).plain == [1, 2]
    with pytest.raises(NotPlainError) as caught:
        read_yaml("[1, 2, 3]", most_values=3)
    assert caught.value.args == (1, 8, "here are more than 3 values.", "Accepted: fewer.", "Split the file.")


@given(VALUES)
@settings(deadline=None)
def test_plain_values_are_read_as_they_were_written(value: Any) -> None:
    """Whatever plain values another writes, with texts in quotes, is read back."""

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
    assert read_yaml(yaml.dump(value, Dumper=Dumper)).plain == value


def outcome(text: str) -> Node | NotPlainError:
    """What came of a text."""
    try:
        return read_yaml(text)
    except NotPlainError as error:
        return error


@given(ODD_TEXT)
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    """Every text either has plain values or is refused at a line and column that it has."""
    found = outcome(text)
    if isinstance(found, NotPlainError):
        assert 1 <= found.line <= len(text.splitlines()) + 1
        assert 1 <= found.column <= len(text) + 1
        assert found.what.endswith(".")


@given(ODD_TEXT)
@settings(deadline=None, max_examples=200)
def test_both_parsers_of_pyyaml_are_refused_in_the_same_way(text: str) -> None:
    """Without the C part of PyYAML, too, nothing comes of a text but values or the one error."""
    odd = plain_yaml._NOT_ALLOWED.search(text.removeprefix("\ufeff"))
    if odd is not None:
        return
    events = yaml.SafeLoader(text)
    try:
        plain_yaml._Builder(events.get_event).build()
    except (NotPlainError, yaml.MarkedYAMLError, ValueError):
        pass
    finally:
        events.dispose()
