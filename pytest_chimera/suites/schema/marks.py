"""Kinds of values that say for pytest what a case is: models, tags, skip and xfail; and the variables of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.suites.schema.fields import Field, Table, object_schema, read_fields
from pytest_chimera.suites.schema.kinds import FLAG, TEXT_SCHEMA, Kind, SuiteSource, check_few, names, refuse
from pytest_chimera.suites.sources import shown
from pytest_chimera.suites.suite import Skip, Xfail
from pytest_chimera.suites.variables import NAME as VARIABLE

if TYPE_CHECKING:
    from pytest_chimera.plain_yaml import Node
    from pytest_chimera.suites.schema.kinds import Schema


def _skip(node: Node, name: str, source: SuiteSource) -> Skip:
    if not isinstance(node.value, dict):
        return Skip(reason=_reason(node, name, source))
    said, _ = read_fields(node, _SKIP, name, source)
    if "reason" not in said:
        raise refuse(node, f"the reason of {name}", source, "a text", "Say why.")
    return Skip(**said)


def _xfail(node: Node, name: str, source: SuiteSource) -> Xfail:
    if not isinstance(node.value, dict):
        return Xfail(reason=_reason(node, name, source))
    said, _ = read_fields(node, _XFAIL, name, source)
    if "reason" not in said:
        raise refuse(node, f"the reason of {name}", source, "a text", "Say why.")
    return Xfail(**said)


def _reason(node: Node, name: str, source: SuiteSource) -> str:
    if isinstance(node.value, str) and node.value.strip():
        return node.value
    raise refuse(node, name, source, "a reason, as a text", f"Write it as in {name}: needs a GPU.")


def _tags(node: Node, name: str, source: SuiteSource) -> tuple[str, ...]:
    tags: tuple[str, ...] = _TAG_NAMES.read(node, name, source)
    for each in node.value:
        if each.value in _TAKEN:
            what = f"{name} has {each.value!r}, which means something else to pytest."
            raise source.refuse(each, what, "Accepted: names of your own.", _TAKEN[each.value])
    return tags


def _environment(node: Node, name: str, source: SuiteSource) -> dict[str, str | None]:
    accepted = "a list of names, or a mapping of names and what holds where they are not set (a text)"
    if isinstance(node.value, list):
        return dict.fromkeys(_VARIABLES.read(node, name, source))
    if not isinstance(node.value, dict) or not node.value:
        raise refuse(node, name, source, accepted, f"Write it as in {name}: [LANGUAGE].")
    check_few(node, name, source)
    for key, each in node.value.items():
        if not VARIABLE.fullmatch(key):
            raise source.refuse_key(each, f"{name} has {shown(key)}.", "Accepted: letters, digits and '_'.")
        if each.value is not None and not isinstance(each.value, str):
            raise refuse(each, f"{key[:60]} in {name}", source, "a text", "Put it into quotes.")
    return {key: each.value for key, each in node.value.items()}


def _with_reason(table: Table) -> Schema:
    return {"anyOf": [TEXT_SCHEMA, {**object_schema(table), "required": ["reason"]}]}


MODELS = names(accepted="a list of models")
_VARIABLES = names(rf"^{VARIABLE.pattern}$", "a list of names of letters, digits and '_'")
_TAG_NAMES = names(
    r"^(?!(and|or|not|True|False|None)$)[A-Za-z][A-Za-z0-9_-]*$",
    "a list of names for -m: letters, digits, '_' and '-', beginning with a letter",
)
_TAKEN = {
    "skip": "Write it as in skip: reason.",
    "skipif": "Write it as in skip: reason.",
    "xfail": "Write it as in xfail: reason.",
    "parametrize": "Write a sweep instead.",
    "usefixtures": "Leave it out.",
    "filterwarnings": "Leave it out.",
    "chimera": "Every case has it.",
    "benchmark": "Call it otherwise.",
}
"""Markers with a meaning of their own -> what to do instead."""
_SKIP: Table = {
    "reason": Field(Kind(_reason, TEXT_SCHEMA), "Why it is skipped."),
    "models": Field(MODELS, "Skipped with these models only; a name without a tag means any tag of it."),
}
_XFAIL: Table = {
    "reason": Field(Kind(_reason, TEXT_SCHEMA), "Why it does not pass."),
    "strict": Field(FLAG, "Whether passing is a failure; else pytest's xfail_strict decides."),
}

SKIP = Kind(_skip, _with_reason(_SKIP))
XFAIL = Kind(_xfail, _with_reason(_XFAIL))
TAGS = Kind(_tags, {**_TAG_NAMES.schema, "items": {**_TAG_NAMES.schema["items"], "not": {"enum": list(_TAKEN)}}})
ENVIRONMENT = Kind(
    _environment,
    {
        "anyOf": [
            _VARIABLES.schema,
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": rf"^{VARIABLE.pattern}$"},
                "additionalProperties": {"type": ["string", "null"]},
            },
        ]
    },
)
