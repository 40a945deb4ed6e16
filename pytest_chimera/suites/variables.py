"""Variables in the texts of a suite: `{name}` stands for a value, `{{` and `}}` for braces.

Only a case that has variables (parameters of its sweep, or the suite's `environment`) is read in this way; every other
text is sent as it stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_chimera.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a variable may be called."""

_LONGEST_NAME = 60
_BRACES = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")


class NotFilledError(Exception):
    """A text cannot be filled: `args` are the three parts of an error, the first without place."""


def names_in(text: str) -> Iterator[str]:
    """The variables that a text uses, as often as it does."""
    for match in _BRACES.finditer(text):
        if match[1]:
            yield match[1]


def problem(text: str, known: Collection[str]) -> tuple[str, str, str] | None:
    """The three parts of an error where a text uses a variable that is not known, or a brace that is not doubled."""
    found = (_problem(match, known) for match in _BRACES.finditer(text)) if "{" in text or "}" in text else ()
    return next((each for each in found if each is not None), None)


def fill(text: str, values: Mapping[str, str], known: Collection[str]) -> str:
    """The text with its variables replaced; `known` are those that it may use, of which some may have no value.

    Raises NotFilledError.
    """
    if "{" not in text and "}" not in text:
        return text
    return _BRACES.sub(lambda match: _value(match, values, known), text)


def _value(match: re.Match[str], values: Mapping[str, str], known: Collection[str]) -> str:
    wrong = _problem(match, known)
    if wrong is not None:
        raise NotFilledError(*wrong)
    name = match[1]
    if not name:
        return match[0][0]
    if name not in values:
        raise NotFilledError(
            f"{{{name}}} has no value: there is no environment variable {name!r}.",
            "Accepted: variables that are set, or that have a default in 'environment'.",
            f"Set it, or write environment: {{{name}: default}}.",
        )
    return values[name]


def _problem(match: re.Match[str], known: Collection[str]) -> tuple[str, str, str] | None:
    name = match[1]
    if name and name not in known:
        return (
            f"{{{name[:_LONGEST_NAME]}}} is no variable of this case.",
            f"Known: {', '.join(known)}.",
            nearest(name, known) if len(name) <= _LONGEST_NAME else "",
        )
    if not name and len(match[0]) == 1:
        return (
            f"it has a single {match[0]!r}, and this case has variables ({', '.join(known)}).",
            "Accepted: {name} for a variable, {{ and }} for braces.",
            f"Write it twice: {match[0] * 2!r}.",
        )
    return None
