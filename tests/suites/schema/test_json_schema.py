"""The JSON Schema for editors, and the command that prints it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_chimera.__main__ import main
from pytest_chimera.errors import SuiteError
from pytest_chimera.plain_yaml import read_yaml
from pytest_chimera.suites.persona import BUILT_IN_FOLDER
from pytest_chimera.suites.schema import parse_suite, persona_schema, suite_schema

PATH = Path("a.chimera.yaml")
SUITES = sorted((Path(__file__).parents[3] / "example_suites").rglob("*.chimera.yaml"))


def faults(schema: dict[str, Any], text: str) -> list[str]:
    """What the library says of a text."""
    jsonschema = pytest.importorskip("jsonschema")
    return [each.message for each in jsonschema.Draft202012Validator(schema).iter_errors(read_yaml(text).plain)]


def test_the_schemas_are_schemas() -> None:
    """Both are JSON Schema of the draft that they name."""
    jsonschema = pytest.importorskip("jsonschema")
    for schema in (suite_schema(), persona_schema()):
        assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$schema"]
        jsonschema.Draft202012Validator.check_schema(schema)


def test_what_is_there_fits() -> None:
    """The example suites and the personas that are built in have no fault."""
    assert SUITES
    assert [faults(suite_schema(), each.read_text("utf-8")) for each in SUITES] == [[]] * len(SUITES)
    personas = sorted(BUILT_IN_FOLDER.glob("*.yaml"))
    assert [faults(persona_schema(), each.read_text("utf-8")) for each in personas] == [[]] * len(personas)


@pytest.mark.parametrize(
    "said",
    [
        "promt: x",
        "rounds: 0",
        "rounds: three",
        "rounds: null",
        "prompt: 42",
        "prompt: {fil: x}",
        "system: ''",
        "messages: []",
        "messages: [{role: me, content: x}]",
        "messages: [{role: user}]",
        "images: cat.png",
        "options: {num_ctxx: 1}",
        "options: {num_ctx: big}",
        "format: xml",
        "tools: {a: 1}",
        "think: deep",
        "prefix: any",
        "start: hot",
        "timeout: 0",
        "keep_alive: true",
        "truncate: 1",
        "limits: 3",
        "gate: 3",
        "expect: {contain: x}",
        "expect: {max_words: 0}",
        "expect: {}",
        "sweep: {num_ctx: 5}",
        "sweep: {num_ctx: []}",
        "sweep: {num_ctx: [{}]}",
        "arms: {a: {}}",
        "arms: {a: {}, b: {models: [x]}}",
        "arms: {a: {}, 'b::c': {}}",
        "arms: {a: {}, b: {}}, sweep: {num_ctx: [1, 2]}",
        "prompt_tokens: 5, messages: [{role: user, content: x}]",
        "tags: slow",
        "tags: [skip]",
        "skip: true",
        "xfail: {strict: true}",
        "models: [a, a]",
    ],
)
def test_what_is_refused_by_itself_does_not_fit_either(said: str) -> None:
    """A mistake within one case is one for the schema and for the reader."""
    text = f"cases: {{a: {{{said}}}}}"
    assert faults(suite_schema(), text) != []
    with pytest.raises(SuiteError):
        parse_suite(text if "prompt" in said or "messages" in said else text.replace("{a: {", "{a: {prompt: x, "), PATH)


@pytest.mark.parametrize(
    "text", ["{}", "cases: {}", "cases: {a: 3}", "cases: {'a[b]': x}", "persona: x\ncases: {a: x}"]
)
def test_what_is_no_suite_does_not_fit(text: str) -> None:
    """A mistake around the cases is one for the schema and for the reader."""
    assert faults(suite_schema(), text) != []
    with pytest.raises(SuiteError):
        parse_suite(text, PATH)


@pytest.mark.parametrize(
    "text",
    [
        "name: a",
        "{name: a, system: x, prompt: y}",
        "{name: a, system: x, bounds: {max_words: 0}}",
        "{name: 3, system: x}",
    ],
)
def test_what_is_no_persona_does_not_fit(text: str) -> None:
    """A persona needs name and system, and its fields hold what they are for."""
    assert faults(persona_schema(), text) != []


@pytest.mark.parametrize(
    ("words", "schema"), [([], suite_schema()), (["suite"], suite_schema()), (["persona"], persona_schema())]
)
def test_the_command_prints_a_schema(
    words: list[str], schema: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """`pytest-chimera schema` prints that of a suite, or the one that is named, indented."""
    assert main(["schema", *words]) == 0
    assert capsys.readouterr().out == json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def test_the_command_says_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    """Help stands on standard output; another word is refused with the nearest known one."""
    assert main(["schema", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: pytest-chimera schema [suite | persona]\n")
    assert main(["schema", "personas"]) == 1
    assert main(["schema", "suite", "x"]) == 1
    assert capsys.readouterr().err == (
        "'schema' was given 'personas'. Accepted: one of suite, persona. Did you mean 'persona'?\n"
        "'schema' was given 'x'. Accepted: one of suite, persona.\n"
    )
