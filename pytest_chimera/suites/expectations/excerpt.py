"""Where something stands in an answer: its line, and the text around it, in one line of bounded length.

What is shown is a model's: whoever prints it makes it printable.
"""

from __future__ import annotations

AROUND = 60
"""Characters that are shown around a place, half of them before it."""

_LONGEST_QUOTE = 80


def place(text: str, start: int, end: int | None = None) -> str:
    """What stands from `start` to `end`, with its line and what is around it: `line 3: "...because of the..."`.

    Before it only what is in the same line, so that what is shown begins in the line that is named.
    """
    last = min(start if end is None else end, start + AROUND)
    line = text.rfind("\n", 0, start) + 1
    first, behind = max(line, start - AROUND // 2), min(len(text), last + AROUND // 2)
    shown = " ".join(text[first:behind].split())
    before = "..." if text[line:first].strip() else ""
    after = "..." if text[behind:].strip() else ""
    return f'line {text.count(chr(10), 0, start) + 1}: "{before}{shown}{after}"'


def beginning(text: str) -> str:
    """How an answer begins, as the end of a sentence about it."""
    if not text.strip():
        return "; the answer is empty"
    start = len(text) - len(text.lstrip())
    return f"; the answer begins in {place(text, start, start + AROUND // 2)}"


def ending(text: str) -> str:
    """How an answer ends, as the end of a sentence about it."""
    if not text.strip():
        return "; the answer is empty"
    end = len(text.rstrip())
    start = max(len(text) - len(text.lstrip()), end - AROUND // 2)
    return f"; the answer ends in {place(text, start, end)}"


def quoted(text: str) -> str:
    """An expected text, cut where it is long."""
    return repr(text) if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 3]!r}..."


def as_written(text: str) -> str:
    """A pattern, cut where it is long, without doubled backslashes."""
    return f"'{text}'" if len(text) <= _LONGEST_QUOTE else f"'{text[: _LONGEST_QUOTE - 3]}'..."
