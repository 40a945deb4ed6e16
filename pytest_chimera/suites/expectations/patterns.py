"""Regular expressions on texts that a model wrote: searched for in bounded time, whatever the two are.

Python's `re` can take longer than anybody waits ((a+)+b on thirty letters) and cannot be interrupted from within. What
may do so by the shape of the pattern and the length of the text is therefore searched for by a child, which is ended
when its time is up. All of it happens after the last byte of an answer and is in no time that is measured.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from pytest_chimera.suites.expectations.excerpt import as_written, beginning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE_S = 2.0
"""How long one search may take."""

_MOST_STEPS = 10**8
"""About two seconds of `re`."""
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_CHILD = """
import json, re, sys
pattern, text = json.load(sys.stdin)
sys.stdout.write("yes" if re.search(pattern, text) else "no")
"""


class TooSlowError(Exception):
    """The search did not end in time."""


def matches(patterns: Sequence[str], text: str, patience_s: float = PATIENCE_S) -> Iterator[str]:
    """Every pattern is found somewhere in the answer, by `re.search` without flags."""
    for each in patterns:
        try:
            found = search(each, text, patience_s)
        except TooSlowError:
            yield f"matches: {as_written(each)} was given up after {patience_s:g} s of searching{beginning(text)}"
            continue
        if not found:
            yield f"matches: {as_written(each)} is nowhere in the answer{beginning(text)}"


def search(pattern: str, text: str, patience_s: float = PATIENCE_S) -> bool:
    """Whether a valid pattern is found in a text. Raises TooSlowError after `patience_s` seconds."""
    if steps(pattern, len(text)) <= _MOST_STEPS or not sys.executable:
        return re.search(pattern, text) is not None
    try:
        done = subprocess.run(  # noqa: S603  # this Python with a text of ours; pattern and text are data
            [sys.executable, "-I", "-S", "-c", _CHILD],
            input=json.dumps([pattern, text]),
            capture_output=True,
            encoding="ascii",
            timeout=patience_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TooSlowError from None
    if done.returncode:
        return re.search(pattern, text) is not None
    return done.stdout == "yes"


def steps(pattern: str, length: int) -> float:
    """At most about so many steps of a search: each repetition may try every length at every place.

    A repeated group can be worse than any power of the length.
    """
    if _REPEATED_GROUP.search(pattern):
        return float("inf")
    repeats = sum(pattern.count(each) for each in "*+{")
    optional = pattern.count("?") - pattern.count("(?")
    return float(max(length, 1)) ** min(repeats + 1, 30) * 2.0 ** min(optional, 100)
