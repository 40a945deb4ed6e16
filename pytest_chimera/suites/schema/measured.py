"""Kinds of values that say how a case is measured: options, limits, expectations, sweeps and arms.

Each is read by the code that a marker uses; what that refuses is refused here at the place of the value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import ChimeraError, OptionError, SuiteError
from pytest_chimera.suites import expect
from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.schema.kinds import (
    FLAG,
    KEEP_ALIVE,
    NAME,
    TEXT_SCHEMA,
    THINK,
    Kind,
    Schema,
    SuiteSource,
    check_few,
    one_of,
    refuse,
    whole,
)
from pytest_chimera.suites.sources import shown
from pytest_chimera.suites.sweep import LARGEST_GRID, MOST_POINTS, Sweep, parse_sweep
from pytest_chimera.wire.options import OPTIONS, validate_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.plain_yaml import Node

_LONGEST_EXPRESSION = 500
"""Characters of a limit or a quantity."""
_LONGEST_MESSAGE = 600
_LONGEST_REMEMBERED = 80
_MOST_REMEMBERED = 8
_MOST_PARAMETERS = 100

PREFIX = one_of("unique", "reuse")
START = one_of("warm", "cold")

SWEPT: Mapping[str, Kind] = {
    "model": NAME,
    "persona": NAME,
    "think": THINK,
    "prompt_tokens": whole(1),
    "output_tokens": whole(1),
    "prefix": PREFIX,
    "truncate": FLAG,
    "keep_alive": KEEP_ALIVE,
}
"""Fields that a sweep may vary, beside options and variables."""


def as_argument(node: Node, name: str, source: SuiteSource) -> Any:
    """The plain value of an argument that a marker takes as well, checked as there. Raises SuiteError."""
    simple = _simple(node.value)
    if simple is not None and _is_fine(name, simple):
        return node.plain
    check_few(node, name, source)
    _check_lengths(node, name, source)
    value = node.plain
    try:
        CaseArguments.parse({name: value}, where=source.at(node))
    except ChimeraError as error:
        _find_entry(node, name, source)
        raise placed(error) from None
    return value


def _simple(value: Any) -> str | tuple[tuple[str, str], ...] | None:
    """A short text, or a mapping of a few, in a form that can be remembered; None for anything else."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_REMEMBERED else None
    if not isinstance(value, dict) or not 0 < len(value) <= _MOST_REMEMBERED:
        return None
    found = tuple((key, each.value) for key, each in value.items())
    texts = all(isinstance(text, str) and len(key) + len(text) <= _LONGEST_REMEMBERED for key, text in found)
    return found if texts else None


@lru_cache(maxsize=1024)
def _is_fine(name: str, simple: str | tuple[tuple[str, str], ...]) -> bool:
    """Whether an argument is usable; thousands of cases with the same limits ask once."""
    try:
        CaseArguments.parse({name: simple if isinstance(simple, str) else dict(simple)})
    except ChimeraError:
        return False
    return True


def _find_entry(node: Node, name: str, source: SuiteSource) -> None:
    """Raise SuiteError at the first entry of limits or of a gate that is wrong by itself."""
    if not isinstance(node.value, (dict, list)):
        return
    entries = node.value.items() if isinstance(node.value, dict) else enumerate(node.value)
    for key, each in entries:
        said = {key: each.plain} if isinstance(node.value, dict) else [each.plain]
        try:
            CaseArguments.parse(
                {name: said}, where=source.at((each.key_line or each.line, each.key_column or each.column))
            )
        except ChimeraError as error:
            raise placed(error) from None


def placed(error: ChimeraError) -> SuiteError:
    """The same error as one about a suite; its first part has a place already, and is cut where it is long."""
    what = error.what if len(error.what) <= _LONGEST_MESSAGE else f"{error.what[:_LONGEST_MESSAGE]} ..."
    return SuiteError(what, error.accepted, error.next_step)


def _check_lengths(node: Node, name: str, source: SuiteSource) -> None:
    """Refuse long texts before anything reads them as expressions, which takes more time than their length."""
    value = node.value
    if isinstance(value, str) and len(value) > _LONGEST_EXPRESSION:
        raise refuse(node, name, source, f"{_LONGEST_EXPRESSION} characters at most", "Make it shorter.")
    if isinstance(value, dict):
        long = next((key for key in value if len(key) > _LONGEST_EXPRESSION), None)
        if long is not None:
            what = f"{name} has {shown(long)}."
            raise source.refuse_key(value[long], what, f"Accepted: {_LONGEST_EXPRESSION} characters at most.")
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            _check_lengths(each, name, source)


def _said(node: Node, name: str, source: SuiteSource) -> Any:
    """An argument of which None is no value."""
    if node.value is None:
        raise refuse(node, name, source, "a value", f"Leave {name} out to say nothing.")
    return as_argument(node, name, source)


def _options(node: Node, name: str, source: SuiteSource) -> dict[str, Any]:
    if not isinstance(node.value, dict):
        raise refuse(node, name, source, "a mapping of model options", "Write it as in options: {temperature: 0.2}.")
    plain: dict[str, Any] = node.plain
    try:
        validate_options(plain, source.allowed_options)
    except OptionError:
        for option, each in node.value.items():
            check_option(option, each, source)
    return plain


def check_option(name: str, node: Node, source: SuiteSource) -> None:
    """Raise SuiteError at a value that its model option does not take, or at the name of an unknown one."""
    if len(name) > _LONGEST_EXPRESSION:
        raise source.refuse_key(node, f"{shown(name)} is no model option.")
    try:
        validate_options({name: node.plain}, source.allowed_options)
    except OptionError as error:
        known = name in source.options
        place = node if known else (node.key_line or node.line, node.key_column or node.column)
        raise placed(source.refuse(place, error.what, error.accepted, error.next_step)) from None


def _expect(node: Node, name: str, source: SuiteSource) -> dict[str, Any]:
    if not isinstance(node.value, dict) or not node.value:
        raise refuse(node, name, source, "expectations by name", "Write it as in expect: {contains: Paris}.")
    try:
        return expect.parse_expect(node.plain, source.at(node))
    except ChimeraError as error:
        for each, value in node.value.items():
            _check_expectation(each, value, source)
        raise placed(error) from None


def _check_expectation(name: str, node: Node, source: SuiteSource) -> None:
    place = (node.key_line, node.key_column)
    try:
        expect.parse_expect({name[:_LONGEST_EXPRESSION]: node.plain}, source.at(place))
    except ChimeraError as error:
        raise placed(error) from None


def _sweep(node: Node, name: str, source: SuiteSource) -> Sweep:
    if not isinstance(node.value, dict):
        raise refuse(
            node, name, source, "parameters with their levels", "Write it as in sweep: {num_ctx: [512, 2048]}."
        )
    _check_count(node, source)
    said = {key: _parameter(key, each, source) for key, each in node.value.items()}
    try:
        return parse_sweep(said, source.at(node))
    except ChimeraError as error:
        raise placed(error) from None


def _check_count(node: Node, source: SuiteSource) -> None:
    """Refuse far too many levels before anything counts points."""
    check_few(node, "sweep", source, _MOST_PARAMETERS)
    points = 1
    for each in node.value.values():
        levels = len(each.value) if isinstance(each.value, list) else 1
        points *= max(levels, 1)
        if levels > MOST_POINTS or points > LARGEST_GRID:
            raise source.refuse_key(
                each, "the sweep has far too many points.", f"Accepted: {MOST_POINTS:,} in all.", "Vary less."
            )


def _parameter(name: str, node: Node, source: SuiteSource) -> Any:
    """The levels of one parameter, or the points, each level checked where it is one of an option or field."""
    if name == "points" and isinstance(node.value, list):
        return [
            {key: _level(key, each, source) for key, each in point.value.items()}
            if isinstance(point.value, dict)
            else point.plain
            for point in node.value
        ]
    return [_level(name, each, source) for each in node.value] if isinstance(node.value, list) else node.plain


def _level(name: str, node: Node, source: SuiteSource) -> Any:
    if name in SWEPT:
        return SWEPT[name].read(node, name, source)
    if name in source.options:
        check_option(name, node, source)
    return node.plain


_LEVELS: Schema = {"type": "array", "minItems": 1, "items": {"type": ["boolean", "number", "string"]}}


def _or_levels(schema: Schema) -> Schema:
    return {"anyOf": [schema, _LEVELS]}


_EXPRESSIONS: Schema = {
    "anyOf": [
        TEXT_SCHEMA,
        {"type": "array", "items": TEXT_SCHEMA},
        {"type": "object", "additionalProperties": {"anyOf": [TEXT_SCHEMA, {"type": "array"}]}},
    ]
}
_TYPES: Mapping[type, Schema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    list: {"type": "array", "items": {"type": "string"}},
}
_TEXTS: Schema = {
    "anyOf": [
        {"type": ["string", "null"], "minLength": 1},
        {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
    ]
}
_WORDS: Schema = {"type": ["integer", "null"], "minimum": 1}
_EXPECTATIONS: Mapping[str, Schema] = {
    "contains": {**_TEXTS, "description": "Each of these texts is in the answer."},
    "matches": {**_TEXTS, "description": "Each of these regular expressions is found in the answer."},
    "max_words": {**_WORDS, "description": "The most words of the answer."},
    "min_words": {**_WORDS, "description": "The fewest words of the answer."},
    "sections": {**_TEXTS, "description": "Headings of Markdown that the answer has."},
    "no_question": {"type": ["boolean", "null"], "description": "The answer asks nothing back."},
    "stop_reason": {**_TEXTS, "description": "Why the answer ended: stop, length."},
    "grounded_in": {
        "type": ["boolean", "string", "array", "object", "null"],
        "description": "Facts that support the numbers of the answer: true for the corpus of the run, paths, or "
        "{corpus, share}.",
    },
    "json_schema": {
        "type": ["object", "null"],
        "description": "The answer is JSON of this schema, or of {file: path}.",
    },
}

SECONDS = Kind(_said, {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, TEXT_SCHEMA]})
LIMITS = Kind(_said, _EXPRESSIONS)
GATE = Kind(as_argument, {"anyOf": [*_EXPRESSIONS["anyOf"], {"type": "null"}]})
OPTIONS_KIND = Kind(
    _options,
    {
        "type": "object",
        "properties": {name: _TYPES[each] for name, each in OPTIONS.items()},
        "additionalProperties": False,
    },
)
EXPECT = Kind(
    _expect,
    {
        "type": "object",
        "minProperties": 1,
        "properties": {name: _EXPECTATIONS.get(name, {}) for name in expect.EXPECTATIONS},
        "additionalProperties": False,
    },
)
SWEEP = Kind(
    _sweep,
    {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "points": {"type": "array", "minItems": 1, "items": {"type": "object", "minProperties": 1}},
            "sample": _or_levels({"type": "integer", "minimum": 1}),
            "seed": _or_levels({"type": "integer", "minimum": 0}),
            "blocks": _or_levels({"type": "integer", "minimum": 3}),
        },
        "additionalProperties": _LEVELS,
    },
)
