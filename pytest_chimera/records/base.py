"""The dict form of every record: primitives only, so that it crosses processes and files as JSON.

One generic pair (`as_dict`, `from_dict`) driven by the field types, so that no record writes its own.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from pytest_chimera.errors import RecordError

R = TypeVar("R", bound="Record")


class Record:
    """Base of the frozen, slotted, keyword-only dataclasses of this package."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """This record as dicts, lists and primitives, ready for `json.dumps`."""
        return {name: _plain(getattr(self, name)) for name in _hints(type(self))}

    @classmethod
    def from_dict(cls: type[R], data: Mapping[str, Any]) -> R:  # noqa: PYI019  # typing.Self is newer than Python 3.10
        """The record that `as_dict` wrote; fields that were added later take their defaults.

        Raises RecordError when `data` is not the dict form of this class.
        """
        hints = _hints(cls)
        unknown = sorted(set(data) - set(hints))
        if unknown:
            raise RecordError(
                f"A saved {cls.__name__} has the unknown fields {', '.join(unknown)}.",
                f"Known fields: {', '.join(hints)}.",
                "It was written by a newer pytest-chimera: use that version to read it.",
            )
        try:
            return cls(**{name: _decode(hints[name], value) for name, value in data.items()})
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise RecordError(
                f"A saved {cls.__name__} cannot be read back: {error}.",
                f"Expected fields: {', '.join(hints)}.",
                "The file was cut or edited; make it anew.",
            ) from error


def _hints(cls: type[Record]) -> dict[str, Any]:
    """Field name -> resolved type, in order of declaration."""
    key: Any = cls  # mypy takes this class for unhashable
    return _hints_of(key)


@functools.cache
def _hints_of(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _plain(value: object) -> Any:
    if isinstance(value, Record):
        return value.as_dict()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _decode(hint: Any, value: Any) -> Any:
    """`value` as its type says; primitives pass as they are."""
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        return _decode_union(hint, value)
    if origin is tuple:
        item = typing.get_args(hint)[0]
        return tuple(_decode(item, each) for each in value)
    if origin in {dict, Mapping}:
        if not isinstance(value, Mapping):
            raise TypeError(f"{value!r} is not a mapping")
        item = typing.get_args(hint)[1]
        return {key: _decode(item, each) for key, each in value.items()}
    return _checked(hint, value) if isinstance(hint, type) else value


def _decode_union(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    members = [member for member in typing.get_args(hint) if member is not type(None)]
    return _decode(members[0], value) if len(members) == 1 else value


def _checked(hint: type, value: Any) -> Any:
    if issubclass(hint, Record):
        return hint.from_dict(value)
    if issubclass(hint, tuple):  # a NamedTuple: written as a plain list to stay compact
        return hint(*value)
    accepted: tuple[type, ...] = (int, float) if hint is float else (hint,)
    if hint in {str, int, float, bool} and not isinstance(value, accepted):
        raise TypeError(f"{value!r} is not of type {hint.__name__}")
    return value
