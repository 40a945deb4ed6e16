"""What a person writes as the value of an expectation, read into one plain form; each raises NotUsableError."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Mapping
from typing import Any

from pytest_chimera.suites.expectations.schema import UnusableSchemaError, check_schema, is_installed

_PERCENT = re.compile(r"\s*(\d{1,3}(?:\.\d{1,9})?)\s*%\s*")
_GROUNDED = ("corpus", "share")


class NotUsableError(Exception):
    """A value is not usable: what is accepted, and perhaps what is wrong with this one."""

    def __init__(self, accepted: str, wrong: str = "") -> None:
        """`wrong` is put behind the value."""
        super().__init__(accepted, wrong)
        self.accepted = accepted
        self.wrong = wrong


def texts(value: object) -> list[str]:
    """One text or several."""
    many = [value] if isinstance(value, str) else value
    if not isinstance(many, (list, tuple)) or not many or not all(isinstance(each, str) and each for each in many):
        raise NotUsableError("a text, or a list of texts; numbers in quotes")
    return list(many)


def titles(value: object) -> list[str]:
    """Headings, each of one line."""
    found = texts(value)
    if any("\n" in each or not each.strip("#*_ \t") for each in found):
        raise NotUsableError("a list of headings of one line each, as in ['Summary', '## Details']")
    return found


def patterns(value: object) -> list[str]:
    """Regular expressions that Python can read."""
    return [_pattern(each) for each in texts(value)]


def _pattern(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a pattern that Python warns of will mean something else in a later one
            re.compile(text)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise NotUsableError("a regular expression of Python, or a list of them", f"{text!r}: {error}") from None
    return text


def count(value: object) -> int:
    """A number of words."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise NotUsableError("a whole number, 1 or more")
    return value


def true(value: object) -> bool | None:
    """True; False is the same as saying nothing."""
    if not isinstance(value, bool):
        raise NotUsableError("true")
    return value or None


def grounding(value: object) -> dict[str, Any] | None:
    """Which facts an answer is held against, and which share of its claims they must support.

    True is the corpus of the run; a text or list of texts are paths; a mapping has `corpus`, `share` or both.
    """
    if isinstance(value, bool):
        return {"corpus": [], "share": 1.0} if value else None
    said = value if isinstance(value, Mapping) else {"corpus": value}
    accepted = "true for the corpus of the run, a path or a list of paths, or {corpus: PATH, share: 90%}"
    if not said or any(name not in _GROUNDED for name in said):
        raise NotUsableError(accepted)
    corpus = said.get("corpus", True)
    try:
        paths = [] if corpus is True or corpus == [] else texts(corpus)
    except NotUsableError:
        raise NotUsableError(accepted) from None
    return {"corpus": paths, "share": share(said.get("share", 1.0))}


def share(value: object) -> float:
    """0.9 or "90%"."""
    mark = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    number = float(mark[1]) / 100 if mark else value
    usable = isinstance(number, (int, float)) and not isinstance(number, bool)
    if not usable or not math.isfinite(number) or not 0 < number <= 1:  # type: ignore[arg-type, operator]  # checked
        raise NotUsableError("as the share a number above 0 and up to 1, as in 0.9 or '90%'")
    return float(number)  # type: ignore[arg-type]  # same


def schema(value: object) -> dict[str, Any]:
    """A JSON schema as a mapping; whether it is one is looked at where the library is installed."""
    accepted = "a JSON schema as a mapping, as in {type: object}"
    if not isinstance(value, Mapping):
        raise NotUsableError(accepted)
    try:
        plain: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
        if is_installed():
            check_schema(plain)
    except UnusableSchemaError as error:
        raise NotUsableError(accepted, f"it is none {error}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise NotUsableError(accepted, f"it cannot be written as JSON: {error}") from None
    return plain
