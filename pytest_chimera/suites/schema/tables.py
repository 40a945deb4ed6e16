"""The fields of a suite, of a case, of an arm and of a persona: the one table for reading them and for their schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.suites.schema.fields import NAME_SCHEMA, Field, Table, check_name, object_schema, read_fields
from pytest_chimera.suites.schema.kinds import (
    FLAG,
    FORMAT,
    KEEP_ALIVE,
    MESSAGES,
    NAME,
    PATHS,
    TEXT,
    TEXT_OR_FILE,
    THINK,
    TOOLS,
    Kind,
    SuiteSource,
    check_few,
    refuse,
    whole,
)
from pytest_chimera.suites.schema.marks import ENVIRONMENT, MODELS, SKIP, TAGS, XFAIL
from pytest_chimera.suites.schema.measured import EXPECT, GATE, LIMITS, OPTIONS_KIND, PREFIX, SECONDS, START, SWEEP
from pytest_chimera.suites.sources import shown

if TYPE_CHECKING:
    from pytest_chimera.plain_yaml import Node

_MOST_ARMS = 100
Said = tuple[dict[str, Any], dict[str, tuple[int, int]]]
"""Values by field, and the places of their names."""

ASKED: Table = {
    "persona": Field(NAME, "Who the model is asked to be: the name of a persona."),
    "prompt": Field(TEXT_OR_FILE, "What is asked: a text, or {file: path}."),
    "messages": Field(MESSAGES, "A conversation in place of a prompt, or {file: path} of one."),
    "system": Field(TEXT_OR_FILE, "System text, after that of the persona."),
    "images": Field(PATHS, "Images that go with the prompt: paths that count from the folder of the suite."),
    "prompt_tokens": Field(whole(1), "The size of a prompt that is made for it, in tokens."),
    "output_tokens": Field(whole(1), "The size of the answer, in tokens."),
    "options": Field(OPTIONS_KIND, "Model options, such as num_ctx and temperature."),
    "format": Field(FORMAT, "The form of the answer: json, a JSON schema, or {file: path} of one."),
    "tools": Field(TOOLS, "Tools that the model may call, as Ollama's API describes them."),
    "think": Field(THINK, "Whether, or how hard, the model thinks before it answers."),
    "prefix": Field(PREFIX, "unique: no round finds its prompt in the prefix cache; reuse: it may."),
    "start": Field(START, "cold: the model is taken out of memory before each round."),
    "rounds": Field(whole(1), "Requests that count."),
    "warmup": Field(whole(0), "Requests before them that do not."),
    "timeout": Field(SECONDS, "For one request: seconds, or a text such as 2 min."),
    "idle_timeout": Field(SECONDS, "The longest silence within an answer: seconds, or a text."),
    "max_failed_rounds": Field(whole(0), "So many rounds may fail before the case does."),
    "keep_alive": Field(KEEP_ALIVE, "How long the server keeps the model: seconds, or a text such as 10m."),
    "truncate": Field(FLAG, "Whether the server may cut a prompt that does not fit."),
    "limits": Field(LIMITS, "What must hold, as in {ttft.p95: <= 2 s, tok/s: '>= 30'}."),
    "gate": Field(GATE, "By how much it may become worse than earlier runs, as in {tok/s: 5%}; null exempts it."),
    "expect": Field(EXPECT, "What must hold of each answer."),
}
"""What a case, `defaults` and an arm may say alike."""

ARM: Table = {"model": Field(NAME, "The model of this variant."), **ASKED}


def _arms(node: Node, name: str, source: SuiteSource) -> dict[str, Said]:
    if not isinstance(node.value, dict) or len(node.value) < 2:  # noqa: PLR2004  # nothing to compare with
        example = f"Write it as in {name}: {{small: {{model: x}}, large: {{model: y}}}}."
        alone = len(node.value) == 1 if isinstance(node.value, dict) else False
        accepted = "Accepted: two or more named variants of the case."
        what = "is a single one" if alone else f"is {shown(node.value)}"
        raise source.refuse(node, f"{name} {what}.", accepted, example)
    check_few(node, name, source, _MOST_ARMS)
    found = {}
    for each, arm in node.value.items():
        check_name(each, arm, "an arm", source)
        found[each] = read_fields(arm, ARM, f"the arm {shown(each)}", source)
    return found


CASE: Table = {
    "description": Field(TEXT, "For people."),
    "models": Field(MODELS, "With which models it is measured, in place of those of the suite."),
    **ASKED,
    "sweep": Field(SWEEP, "Parameters and the levels that they take: {num_ctx: [512, 2048]}."),
    "arms": Field(
        Kind(
            _arms,
            {
                "type": "object",
                "minProperties": 2,
                "propertyNames": NAME_SCHEMA,
                "additionalProperties": {"$ref": "#/$defs/arm"},
            },
        ),
        "Variants of the case by name, measured in turn and compared; the first is what the others are held against.",
    ),
    "tags": Field(TAGS, "Markers, to be chosen with -m."),
    "skip": Field(SKIP, "Why it is not measured; {models, reason} for some models only."),
    "xfail": Field(XFAIL, "Why it is known not to pass."),
}
DEFAULTS: Table = {name: each for name, each in CASE.items() if name != "description"}
"""What holds for every case that says nothing else."""


def _defaults(node: Node, name: str, source: SuiteSource) -> Said:
    return read_fields(node, DEFAULTS, name, source)


def _cases(node: Node, name: str, source: SuiteSource) -> Node:
    """The mapping itself: a case is read together with what holds for all."""
    if not isinstance(node.value, dict) or not node.value:
        example = f"Write it as in {name}: {{sky: 'Why is the sky blue?'}}."
        raise refuse(node, name, source, "a mapping of names and cases", example)
    return node


SUITE: Table = {
    "description": Field(TEXT, "For people."),
    "models": Field(MODELS, "Models with which every case is measured where the run names none (--chimera-model)."),
    "environment": Field(
        ENVIRONMENT, "Environment variables that texts may use as {NAME}: a list, or what holds where one is not set."
    ),
    "defaults": Field(Kind(_defaults, {"$ref": "#/$defs/defaults"}), "What holds for cases that say nothing else."),
    "cases": Field(
        Kind(
            _cases,
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": NAME_SCHEMA,
                "additionalProperties": {"anyOf": [TEXT.schema, {"$ref": "#/$defs/case"}]},
            },
        ),
        "The cases by name; a case that is a text is its prompt.",
    ),
}

_BOUNDS_TABLE: Table = {
    "max_words": Field(whole(1), "The most words of an answer."),
    "format": Field(FORMAT, "The form of an answer: json, or a JSON schema."),
}
_BOUNDS = Kind(
    lambda node, name, source: read_fields(node, _BOUNDS_TABLE, name, source)[0], object_schema(_BOUNDS_TABLE)
)
PERSONA: Table = {
    "name": Field(NAME, "What it is called."),
    "description": Field(TEXT, "For people."),
    "system": Field(TEXT, "The system text, before everything else that is said."),
    "options": Field(OPTIONS_KIND, "Model options that belong to it."),
    "bounds": Field(_BOUNDS, "What its answers keep to."),
    "expect": Field(EXPECT, "What must hold of each answer."),
}
"""What a persona may say; its file is read by `suites.persona`."""
