"""Mappings with a table of fields, which drives both reading them and their JSON Schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.errors import nearest
from pytest_chimera.suites.schema.kinds import refuse
from pytest_chimera.suites.sources import shown

if TYPE_CHECKING:
    from pytest_chimera.errors import SuiteError
    from pytest_chimera.plain_yaml import Node
    from pytest_chimera.suites.schema.kinds import Kind, Schema, SuiteSource

_LONGEST_NAME = 60
"""Characters of a name that one which is known could be meant by."""
_IN_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\[\]]|::")

NAME_SCHEMA: Schema = {"pattern": r"^(?!.*::)[^\[\]\r\n]*\S[^\[\]\r\n]*$"}
"""Of names that stand in the ids of tests."""


class Field(NamedTuple):
    """One field."""

    kind: Kind
    says: str
    """What it says, in the words of the JSON Schema."""


Table = dict[str, Field]


def read_fields(
    node: Node, table: Table, what: str, source: SuiteSource
) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """The values of a mapping by field, and the places of their names.

    Raises SuiteError for what is no mapping ("WHAT is ..."), an unknown field, or a value that its field does not take.
    """
    if not isinstance(node.value, dict):
        raise refuse(node, what, source, f"a mapping of {_listed(table)}", "Give it fields.")
    said: dict[str, Any] = {}
    places: dict[str, tuple[int, int]] = {}
    for name, each in node.value.items():
        field = table.get(name)
        if field is None:
            raise unknown(name, each, table, source, what=what)
        said[name] = field.kind.read(each, name, source)
        places[name] = (each.key_line, each.key_column)
    return said, places


def unknown(name: str, node: Node, table: Table, source: SuiteSource, *, what: str, hint: str = "") -> SuiteError:
    """The error about a field that `what` does not have, with the nearest that it has."""
    near = nearest(name, table) if len(name) <= _LONGEST_NAME else ""
    return source.refuse_key(
        node, f"{what} has the unknown field {shown(name)}.", f"Accepted: {_listed(table)}.", hint or near
    )


def _listed(table: Table) -> str:
    return ", ".join(table)


def object_schema(table: Table) -> dict[str, Any]:
    """A mapping with these fields and no others."""
    properties = {name: {**each.kind.schema, "description": each.says} for name, each in table.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def check_name(name: str, node: Node, what: str, source: SuiteSource) -> None:
    """Raise SuiteError where a name of a case or an arm cannot stand in the id of a test."""
    if name.strip() != name or not name or _IN_NO_ID.search(name):
        raise source.refuse_key(
            node,
            f"the name of {what} is {shown(name)}.",
            "Accepted: a text in one line without '::', '[' and ']', because it stands in the ids of tests.",
            "Call it otherwise.",
        )
