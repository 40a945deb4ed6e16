"""JSON request bodies decoded as Go's encoding/json decodes them into typed structs, with its words for what is wrong.

Only shapes and types live here; which fields a route has and what their values mean is engine.requests'.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine.backend import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "bool": (bool,),
    "int": (int,),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a Go type; a type other than string, bool and int is an object (a map or a struct of Go's)."""

    go_type: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A slice, with its Go type."""

    item: Field | Struct
    go_type: str


@dataclass(frozen=True, slots=True)
class Struct:
    """A Go struct; fields that it does not list are taken as they are."""

    go_type: str
    fields: Mapping[str, Field | ListOf | Struct]

    @property
    def short_name(self) -> str:
        """The type without its package, as errors name the root of a path."""
        return self.go_type.partition(".")[2]


def decode(raw: bytes, root: Struct) -> dict[str, Any]:
    """The object in `raw`; what follows it is not looked at, null leaves a field out. Raises ApiError 400."""
    text = raw.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        raise ApiError(400, "missing request body")
    try:
        value, _ = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode(text)
    except json.JSONDecodeError as error:
        raise ApiError(400, _syntax_error(error, text)) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(400, f"json: cannot unmarshal {_json_kind(value)} into Go value of type {root.go_type}")
    _check_struct(value, root, root.short_name, "")
    return {key: item for key, item in value.items() if item is not None}


def _check_struct(value: Mapping[str, Any], struct: Struct, root: str, path: str) -> None:
    for name, item in value.items():
        shape = struct.fields.get(name)
        if shape is not None and item is not None:
            _check(item, shape, root, f"{path}.{name}")


def _check(value: Any, shape: Field | ListOf | Struct, root: str, path: str) -> None:
    if isinstance(shape, ListOf):
        if not isinstance(value, list):
            raise _mismatch(value, shape.go_type, root, path)
        for item in value:
            if item is not None:
                _check(item, shape.item, root, path)
    elif isinstance(shape, Struct):
        if not isinstance(value, dict):
            raise _mismatch(value, shape.go_type, root, path)
        _check_struct(value, shape, root, path)
    elif not _fits(value, shape.go_type):
        raise _mismatch(value, shape.go_type, root, path)


def _fits(value: Any, go_type: str) -> bool:
    if isinstance(value, bool):
        return go_type == "bool"
    return isinstance(value, _KINDS.get(go_type, (dict,)))


def _mismatch(value: Any, go_type: str, root: str, path: str) -> ApiError:
    kind = _json_kind(value)
    if kind == "number" and isinstance(value, float):
        kind = f"number {json.dumps(value)}"
    return ApiError(400, f"json: cannot unmarshal {kind} into Go struct field {root}{path} of type {go_type}")


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "number", float: "number", list: "array", dict: "object"}[type(value)]


def _refuse_constant(name: str) -> Any:
    """Python reads NaN and Infinity; JSON and Go do not."""
    raise ApiError(400, f"invalid character '{name.lstrip('-')[0]}' looking for beginning of value")


def _syntax_error(error: json.JSONDecodeError, text: str) -> str:
    at_end = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    if at_end:
        return "unexpected EOF"
    character = text[error.pos]
    if error.msg.startswith("Invalid control character"):
        return f"invalid character {character!r} in string literal"
    if error.msg.startswith("Invalid \\"):
        following = text[error.pos + 1 : error.pos + 2]
        return f"invalid character '{following}' in string escape code" if following else "unexpected EOF"
    expectation = {
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Expecting ',' delimiter": "after object key:value pair",
    }.get(error.msg, "looking for beginning of value")
    return f"invalid character '{character}' {expectation}"
