"""The expectation that an answer is JSON of a given schema, judged by the library `jsonschema` (extra `schema`).

The answer must be one JSON value with nothing around it but white space. References are followed within the schema and
to the published meta-schemas, never over the network.
"""

from __future__ import annotations

import json
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_chimera.errors import MissingExtraError
from pytest_chimera.suites.expectations.excerpt import beginning, place
from pytest_chimera.suites.expectations.patterns import PATIENCE_S, TooSlowError, search

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MOST_ERRORS = 3
_LONGEST_MESSAGE = 200
_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder()


class UnusableSchemaError(Exception):
    """The schema is none; the text says where and why."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises UnusableSchemaError for what is no JSON schema, and MissingExtraError where the library is absent."""
    kind = _kind(schema)
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415  # see _kind

    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise UnusableSchemaError(f"at {error.json_path}: {_short(error.message)}") from None


def is_installed() -> bool:
    """Whether schemas can be judged here."""
    try:
        import jsonschema  # noqa: F401, PLC0415  # whether it is there is the question
    except ImportError:
        return False
    return True


def json_schema(schema: Mapping[str, Any], text: str, patience_s: float = PATIENCE_S) -> Iterator[str]:
    """The answer is JSON of this schema; the first few things that are not so, each with its path."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        where = place(text, error.pos) if text.strip() else "the answer is empty"
        yield f"json_schema: it is no JSON ({error.msg}); {where}"
        return
    except (ValueError, RecursionError) as error:
        yield f"json_schema: it is no JSON that can be judged ({_reason(error)}){beginning(text)}"
        return
    try:
        errors = list(islice(_errors(schema, value, patience_s), _MOST_ERRORS))
    except Exception as error:  # noqa: BLE001  # whatever the library stumbles over: the answer is not judged to fit
        yield f"json_schema: it cannot be judged ({_reason(error)}){beginning(text)}"
        return
    for each in errors:
        start, end = span(text, list(each.absolute_path))
        yield f"json_schema: {each.json_path}: {_short(each.message)}; {place(text, start, end)}"


def span(text: str, path: Sequence[str | int]) -> tuple[int, int]:
    """Where the value at `path` stands in a text of JSON; its beginning where it cannot be found."""
    try:
        start = _skip(text, 0)
        for each in path:
            start = _item(text, start, each) if isinstance(each, int) else _member(text, start, each)
        return start, _DECODER.raw_decode(text, start)[1]
    except (ValueError, IndexError, KeyError, RecursionError):
        return 0, 0


def _errors(schema: Mapping[str, Any], value: Any, patience_s: float) -> Iterator[Any]:
    """What does not fit, of alternatives the one that comes nearest."""
    kind = _kind(schema)
    from jsonschema.exceptions import best_match  # noqa: PLC0415  # see _kind
    from jsonschema.validators import extend  # noqa: PLC0415  # same
    from jsonschema_specifications import REGISTRY  # noqa: PLC0415  # same

    patient = extend(kind, {"pattern": partial(_pattern, patience_s)})  # type: ignore[no-untyped-call]  # types of others, not whole
    for each in patient(schema, registry=REGISTRY).iter_errors(value):
        yield best_match([each])


def _kind(schema: Mapping[str, Any]) -> Any:
    """The class of the library that judges by this schema's draft; the newest where it names none."""
    try:
        from jsonschema import Draft202012Validator  # noqa: PLC0415  # an extra, and a tenth of a second to import
        from jsonschema.validators import validator_for  # noqa: PLC0415  # same
    except ImportError:
        raise MissingExtraError.of("jsonschema", "schema", "The expectation json_schema") from None
    return validator_for(schema, default=Draft202012Validator)


def _pattern(patience_s: float, validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[Any]:
    """The keyword "pattern", in bounded time."""
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415  # see _kind

    if not validator.is_type(instance, "string"):
        return
    try:
        if not search(pattern, instance, patience_s):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")
    except TooSlowError:
        yield ValidationError(f"{pattern!r} was given up after {patience_s:g} s of searching")


def _member(text: str, start: int, name: str) -> int:
    """Where the value of a member begins, of several with one name the last, as the value has it."""
    found = None
    position = _skip(text, start + 1)
    while text.startswith('"', position):
        key, position = _DECODER.raw_decode(text, position)
        position = _skip(text, _skip(text, position) + 1)
        if key == name:
            found = position
        position = _skip(text, _DECODER.raw_decode(text, position)[1])
        position = _skip(text, position + 1)
    if found is None:
        raise KeyError(name)
    return found


def _item(text: str, start: int, index: int) -> int:
    position = _skip(text, start + 1)
    for _ in range(index):
        position = _skip(text, _skip(text, _DECODER.raw_decode(text, position)[1]) + 1)
    return position


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _reason(error: Exception) -> str:
    return _short(str(error).splitlines()[0]) if str(error) else type(error).__name__


def _short(text: str) -> str:
    """What the library says may hold a whole value of the answer."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 3]}..."
