"""Kinds of values in a suite: each reads a node, refusing what it is not, and describes itself as JSON Schema.

Numbers, texts, lists and paths are here; what only this package knows (limits, options, sweeps) is in `measured`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.suites.conversations import MESSAGE_FIELDS, ROLES, read_messages, read_paths
from pytest_chimera.suites.sources import Source, shown
from pytest_chimera.wire.options import OPTIONS

if TYPE_CHECKING:
    from pytest_chimera.errors import SuiteError
    from pytest_chimera.plain_yaml import Node

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SuiteSource(Source):
    """A file of cases while it is read."""

    allowed_options: tuple[str, ...] = ()
    """Names beside those of Ollama that options may have."""

    @property
    def options(self) -> tuple[str, ...]:
        """Every name that a model option may have."""
        return (*OPTIONS, *self.allowed_options)


MOST_NAMES = 1_000
"""Items of a list of names, entries of `environment`, limits of a case."""


class Kind(NamedTuple):
    """What a field may hold."""

    read: Callable[[Node, str, SuiteSource], Any]
    """From a node and the name of its field to a plain value; raises SuiteError."""
    schema: Schema
    """The same as JSON Schema, which may be looser but never stricter."""


_QUOTE = "Put it into quotes if it is meant as text."
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

TEXT_SCHEMA: Schema = {"type": "string", "pattern": r"\S"}
FILE_SCHEMA: Schema = {
    "type": "object",
    "properties": {"file": {**TEXT_SCHEMA, "description": "A path that counts from the folder of the suite."}},
    "required": ["file"],
    "additionalProperties": False,
}


def check_few(node: Node, name: str, source: SuiteSource, most: int = MOST_NAMES) -> None:
    """Refuse far more than anybody writes, because some of it is held against each other."""
    if isinstance(node.value, (list, dict)) and len(node.value) > most:
        what = f"{name} has {len(node.value):,} entries."
        raise source.refuse(node, what, f"Accepted: {most:,} at most.", "Leave some out.")


def refuse(node: Node, name: str, source: SuiteSource, accepted: str, next_step: str = "") -> SuiteError:
    """The error about a value that is not what its field takes."""
    step = next_step or f"Correct {name}."
    return source.refuse(node, f"{name} is {shown(node.value)}.", f"Accepted: {accepted}.", step)


def _step(value: object) -> str:
    """What to do about a value that is no text; nothing special for one that is empty."""
    return _QUOTE if isinstance(value, (bool, int, float)) else ""


def _text(node: Node, name: str, source: SuiteSource) -> str:
    value = node.value
    if not isinstance(value, str) or not value.strip():
        raise refuse(node, name, source, "a text", _step(value))
    return value


def _name(node: Node, name: str, source: SuiteSource) -> str:
    value = node.value
    if not isinstance(value, str) or not value.strip() or _LINE_BREAKS.search(value):
        raise refuse(node, name, source, "a name in one line", _step(value))
    return value


def _text_or_file(node: Node, name: str, source: SuiteSource) -> str | dict[str, str]:
    if isinstance(node.value, dict):
        return _file(node, name, source)
    if not isinstance(node.value, str) or not node.value.strip():
        raise refuse(node, name, source, "a text, or {file: path}", _step(node.value))
    return node.value


def _file(node: Node, name: str, source: SuiteSource) -> dict[str, str]:
    if set(node.value) != {"file"}:
        found = ", ".join(repr(each[:40]) for each in list(node.value)[:5])
        raise source.refuse(
            node,
            f"{name} is a mapping with {found or 'nothing in it'}.",
            "Accepted: {file: path} where it is no text.",
            "Put a text with braces or a colon into quotes.",
        )
    return {"file": _text(node.value["file"], f"the file of {name}", source)}


def whole(least: int) -> Kind:
    """A whole number from `least`."""

    def read(node: Node, name: str, source: SuiteSource) -> int:
        value = node.value
        if type(value) is not int or value < least:
            raise refuse(node, name, source, f"a whole number, {least} or more")
        return value

    return Kind(read, {"type": "integer", "minimum": least})


def one_of(*accepted: str) -> Kind:
    """One of a few words."""

    def read(node: Node, name: str, source: SuiteSource) -> str:
        if not isinstance(node.value, str) or node.value not in accepted:
            raise refuse(node, name, source, " or ".join(accepted))
        return node.value

    return Kind(read, {"enum": list(accepted)})


def _flag(node: Node, name: str, source: SuiteSource) -> bool:
    if not isinstance(node.value, bool):
        raise refuse(node, name, source, "true or false")
    return node.value


_THINK: Mapping[str, bool | str] = {
    "on": True,
    "off": False,
    "low": "low",
    "medium": "medium",
    "high": "high",
    "max": "max",
}


def _think(node: Node, name: str, source: SuiteSource) -> bool | str:
    value = node.value
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value not in _THINK:
        raise refuse(node, name, source, f"true, false, {', '.join(_THINK)}")
    return _THINK[value]


def _keep_alive(node: Node, name: str, source: SuiteSource) -> str | int:
    value = node.value
    if type(value) is int or (isinstance(value, str) and value.strip()):
        return value
    raise refuse(node, name, source, "seconds as a whole number, or a text such as 10m")


def names(pattern: str = r"\S", accepted: str = "a list of names") -> Kind:
    """A list of texts, not empty, each once, that `pattern` is found in."""
    fits = re.compile(pattern)

    def read(node: Node, name: str, source: SuiteSource) -> tuple[str, ...]:
        if not isinstance(node.value, list) or not node.value:
            raise refuse(node, name, source, accepted, f"Write it as in {name}: [first, second].")
        check_few(node, name, source)
        found: dict[str, None] = {}
        for each in node.value:
            said = each.value
            if not isinstance(said, str) or not fits.search(said) or _LINE_BREAKS.search(said):
                raise source.refuse(each, f"{name} has {shown(said)}.", f"Accepted: {accepted}.", f"Correct {name}.")
            if said in found:
                raise source.refuse(each, f"{name} has {shown(said)} twice.", "Accepted: each once.", "Leave one out.")
            found[said] = None
        return tuple(found)

    items = {"type": "string", "pattern": pattern}
    return Kind(read, {"type": "array", "minItems": 1, "uniqueItems": True, "items": items})


def _messages(node: Node, name: str, source: SuiteSource) -> list[dict[str, Any]] | dict[str, str]:
    return _file(node, name, source) if isinstance(node.value, dict) else read_messages(node, source)


def _format(node: Node, name: str, source: SuiteSource) -> str | dict[str, Any]:
    value = node.value
    if isinstance(value, dict):
        if set(value) == {"file"} and not isinstance(value["file"].value, dict):
            return _file(node, name, source)
        schema: dict[str, Any] = finite(node, name, source)
        return schema
    if value == "json":
        return "json"
    raise refuse(node, name, source, "json, a JSON schema, or {file: path}", f"Write it as in {name}: json.")


def _tools(node: Node, name: str, source: SuiteSource) -> list[Any]:
    if not isinstance(node.value, list) or not all(isinstance(each.value, dict) for each in node.value):
        raise refuse(node, name, source, "a list of mappings as Ollama's API describes tools")
    found: list[Any] = finite(node, name, source)
    return found


def finite(node: Node, name: str, source: SuiteSource) -> Any:
    """The plain value of a node; numbers that JSON does not know are refused."""
    value = node.value
    if isinstance(value, dict):
        return {key: finite(each, name, source) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each, name, source) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise source.refuse(node, f"{name} has the number {value}.", "Accepted: what JSON knows.", "Write a number.")
    return value


TEXT = Kind(_text, TEXT_SCHEMA)
NAME = Kind(_name, TEXT_SCHEMA)
TEXT_OR_FILE = Kind(_text_or_file, {"anyOf": [TEXT_SCHEMA, FILE_SCHEMA]})
FLAG = Kind(_flag, {"type": "boolean"})
THINK = Kind(_think, {"enum": [True, False, *_THINK]})
KEEP_ALIVE = Kind(_keep_alive, {"type": ["integer", "string"]})
PATHS = Kind(read_paths, {"type": "array", "minItems": 1, "items": TEXT_SCHEMA})
FORMAT = Kind(_format, {"anyOf": [{"const": "json"}, {"type": "object"}]})
TOOLS = Kind(_tools, {"type": "array", "items": {"type": "object"}})
MESSAGES = Kind(
    _messages,
    {
        "anyOf": [
            FILE_SCHEMA,
            {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "role": {"enum": list(ROLES)},
                        "content": {"type": "string"},
                        "file": TEXT_SCHEMA,
                        "images": PATHS.schema,
                    },
                    "propertyNames": {"enum": list(MESSAGE_FIELDS)},
                    "required": ["role"],
                    "oneOf": [{"required": ["content"]}, {"required": ["file"]}],
                },
            },
        ]
    },
)
