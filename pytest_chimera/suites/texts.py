"""Texts of a sweep in Python, filled by the rules of `variables`, which suites in YAML go by as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.errors import MarkerError
from pytest_chimera.suites import variables as rules

if TYPE_CHECKING:
    from collections.abc import Mapping


def fill(text: str, variables: Mapping[str, str], where: str) -> str:
    """`text` with each `{name}` replaced by its value, and `{{`, `}}` by braces.

    Raises MarkerError, begun with `where`, for a name without a value and for a single brace.
    """
    try:
        return rules.fill(text, variables, tuple(variables))
    except rules.NotFilledError as error:
        what, accepted, next_step = error.args
        raise MarkerError(f"{where}: {what}", accepted, next_step) from None


def variables_of(text: str) -> set[str]:
    """The names that a text uses."""
    return set(rules.names_in(text))
