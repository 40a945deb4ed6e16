"""Thinking parted from the answer: what a model says between `<think>` and `</think>`, piece by piece. Pure.

As Ollama does it: blanks around the tags are dropped, a tag may be split over pieces, and a model that does not begin
with the tag does not think.
"""

from __future__ import annotations

from dataclasses import dataclass

OPEN_TAG = "<think>"
CLOSE_TAG = "</think>"


@dataclass(frozen=True, slots=True)
class Parted:
    """What one piece brought."""

    thinking: str
    content: str


class ThinkingParser:
    """Parts one answer; `inside` says that the prompt itself ended with the opening tag."""

    __slots__ = ("_fresh", "_pending", "_stage")

    def __init__(self, *, inside: bool = False) -> None:
        self._stage = "thinking" if inside else "before"
        self._pending = ""
        self._fresh = True  # blanks are dropped until something else comes

    @property
    def thinks(self) -> bool:
        """Whether the closing tag is still awaited."""
        return self._stage == "thinking"

    @property
    def thought(self) -> bool:
        """Whether a closing tag has been seen."""
        return self._stage == "after"

    def feed(self, piece: str) -> Parted:
        """Thinking and content that this piece completes; what may be the start of a tag is held back."""
        self._pending += piece
        if self._stage == "before":
            self._open()
        thinking = self._thinking() if self._stage == "thinking" else ""
        return Parted(thinking, self._content() if self._stage in ("after", "none") else "")

    def flush(self) -> Parted:
        """What was held back when the answer ended."""
        rest, self._pending = self._pending, ""
        if self._stage == "thinking":
            return Parted(rest, "")
        return Parted("", rest if self._stage == "before" and rest.strip() else "")

    def _open(self) -> None:
        text = self._pending.lstrip()
        if text.startswith(OPEN_TAG):
            self._stage, self._pending = "thinking", text[len(OPEN_TAG) :]
        elif not OPEN_TAG.startswith(text):
            self._stage, self._fresh = "none", False

    def _thinking(self) -> str:
        text = self._drop_blanks(self._pending)
        before, tag, after = text.partition(CLOSE_TAG)
        if tag:
            self._stage, self._pending, self._fresh = "after", after, True
            return before.rstrip()
        # Blanks before a closing tag are dropped, so trailing ones wait with whatever may begin the tag.
        held = _tag_start(text)
        kept = text[: len(text) - held].rstrip()
        self._pending = text[len(kept) :]
        return kept

    def _content(self) -> str:
        text, self._pending = self._drop_blanks(self._pending), ""
        return text

    def _drop_blanks(self, text: str) -> str:
        if self._fresh:
            text = text.lstrip()
            self._fresh = not text
        return text


def _tag_start(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of the closing tag."""
    for size in range(min(len(CLOSE_TAG) - 1, len(text)), 0, -1):
        if text.endswith(CLOSE_TAG[:size]):
            return size
    return 0
