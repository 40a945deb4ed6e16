"""Personas: found by any spelling of their name, refused with file and line."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_chimera.errors import PersonaError
from pytest_chimera.suites.persona import BUILT_IN_FOLDER, find_persona, read_persona

ACCEPTED = "Accepted: name, description, system, options; name and system must be there."


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
        "There is no persona 'insigt-agent'. Known personas: DataCollector-9000, Insight-Agent. "
        "Did you mean 'Insight-Agent'?"
    )
    assert refused("zzz") == (
        "There is no persona 'zzz'. Known personas: DataCollector-9000, Insight-Agent. "
        "Add it as personas/NAME.yaml with the fields name and system."
    )


def test_a_file_that_cannot_be_read_is_named_where_a_persona_is_missing(tmp_path: Any) -> None:
    """Perhaps the persona stands in the file with the mistake: the text says so."""
    (tmp_path / "broken.yaml").write_text("name: x\n", encoding="utf-8")
    assert refused("zzz", tmp_path) == (
        "There is no persona 'zzz'. Known personas: DataCollector-9000, Insight-Agent. "
        "Add it as personas/NAME.yaml with the fields name and system. "
        f"This file could not be read: {tmp_path}/broken.yaml:1: the persona has no 'system'."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nsytem: y\n", f":2: unknown field 'sytem'. {ACCEPTED} Did you mean 'system'?"),
        ("name: x\n", f":1: the persona has no 'system'. {ACCEPTED} Add 'system'."),
        ("", f":1: a persona is a mapping of fields. {ACCEPTED} Write name: and system:."),
        ("\n- a\n", f":2: a persona is a mapping of fields. {ACCEPTED} Write name: and system:."),
        (
            "name: x\nsystem: y\nname: z\n",
            ":3: the field 'name' stands here a second time. Accepted: each field once. Leave one of them out.",
        ),
        ("name: 5\nsystem: y\n", ":1: 'name' is 5. Accepted: a text. Put it into quotes."),
        ("name: x\nsystem:\n", ":2: 'system' is empty. Accepted: a text. Put it into quotes."),
        (
            "name: x\nsystem: y\noptions: 3\n",
            ":3: 'options' is 3. Accepted: a mapping such as temperature: 0.2.",
        ),
        (
            "name: x\nsystem: [\n",
            f":3: expected the node content, but found '<stream end>'. {ACCEPTED} Correct the YAML.",
        ),
        (
            "name: x\nsystem: !!python/object:os.system y\n",
            (
                ":2: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object:os.system'. "
                f"{ACCEPTED} Correct the YAML."
            ),
        ),
        ("name: x\nsystem: 2001-99-99\n", f": month must be in 1..12. {ACCEPTED} Put the value into quotes."),
    ],
)
def test_a_malformed_persona_is_refused_with_file_and_line(tmp_path: Any, text: str, message: str) -> None:
    """Each mistake has its own text."""
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    assert refused("mine", tmp_path) == f"{path}{message}"


def test_an_option_of_a_persona_is_checked_by_name(tmp_path: Any) -> None:
    """An unknown option is refused with the nearest name, unless it was let through."""
    path = tmp_path / "mine.yaml"
    path.write_text("name: x\nsystem: y\noptions:\n  num_ctxx: 3\n", encoding="utf-8")
    text = refused("mine", tmp_path)
    assert text.startswith(f"{path}:4: 'num_ctxx' is not an option that Ollama knows")
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
