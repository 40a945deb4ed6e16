"""Model options by name and type, refused here because Ollama ignores unknown names and answers a wrong type with 500.

The table is that of Ollama 0.32 (`api/types.go`, Options and Runner). Which options a case has is decided elsewhere.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import OptionError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LOAD_OPTIONS = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread", "draft_num_predict")
"""Taken up when the model is loaded: a change of one of them loads it anew; every other is taken up by each request."""

OPTIONS: dict[str, type] = {
    # Those of LOAD_OPTIONS.
    "num_ctx": int,
    "num_batch": int,
    "num_gpu": int,
    "main_gpu": int,
    "use_mmap": bool,
    "num_thread": int,
    "draft_num_predict": int,
    # Taken up by each request.
    "num_keep": int,
    "seed": int,
    "num_predict": int,
    "top_k": int,
    "top_p": float,
    "min_p": float,
    "typical_p": float,
    "repeat_last_n": int,
    "temperature": float,
    "repeat_penalty": float,
    "presence_penalty": float,
    "frequency_penalty": float,
    "stop": list,
}
"""Name -> type of every option that Ollama knows; `list` is a list of strings."""

_TYPE_NAMES = {int: "an integer", float: "a number", bool: "true or false", list: "a list of texts"}
_TRUE, _FALSE = {"true", "1"}, {"false", "0"}
_INT64 = 1 << 63


def validate_options(options: Mapping[str, Any], allowed: Collection[str] = ()) -> dict[str, Any]:
    """The options as they are sent: known names with values of their types, and any value under an `allowed` name.

    Raises OptionError that names the nearest known name, or the type that is expected.
    """
    return {name: _checked(name, value, allowed) for name, value in options.items()}


def parse_option(text: str, allowed: Collection[str] = ()) -> tuple[str, Any]:
    """Name and value of "num_ctx=512", the value in the option's type; of an `allowed` name as JSON or else as text.

    Raises OptionError.
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise OptionError(
            f"{text!r} is not a model option.", "Accepted: NAME=VALUE.", "Write it as in 'num_ctx=4096' or 'seed=7'."
        )
    if name not in OPTIONS:
        _checked(name, value, allowed)
        return name, _json_or_text(value)
    return name, _checked(name, _typed(name, value), allowed)


def _checked(name: str, value: Any, allowed: Collection[str]) -> Any:
    expected = OPTIONS.get(name)
    if expected is None:
        if name in allowed:
            return value
        raise OptionError(
            f"{name!r} is not an option that Ollama knows; it would ignore it without a word.",
            f"Known options: {', '.join(sorted(OPTIONS))}.",
            nearest(name, OPTIONS) or f"If your server is newer, let it through with --chimera-allow-option {name}.",
        )
    if not _fits(expected, value):
        raise OptionError(
            f"Option {name!r} got {value!r}.",
            f"Accepted: {_TYPE_NAMES[expected]}.",
            f"Write it as in {_example(name)}.",
        )
    if expected is float:
        return float(value)
    return list(value) if expected is list else value


def _fits(expected: type, value: Any) -> bool:
    if expected is bool:
        return isinstance(value, bool)
    if expected is list:
        return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if expected is int:
        return isinstance(value, int) and -_INT64 <= value < _INT64
    return isinstance(value, int) or math.isfinite(value)


def _typed(name: str, text: str) -> Any:
    """The text as a value of the option's type, or the text itself where it is none: the check then refuses it."""
    expected, plain = OPTIONS[name], text.strip()
    if expected is bool:
        return True if plain.lower() in _TRUE else False if plain.lower() in _FALSE else text
    if expected is list:
        found = _json_or_text(text)
        return found if isinstance(found, list) else [text]
    try:
        return expected(plain)
    except ValueError:
        return text


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _example(name: str) -> str:
    values = {int: "4096" if name == "num_ctx" else "8", float: "0.7", bool: "true", list: '["END"]'}
    return f"'{name}={values[OPTIONS[name]]}'"
