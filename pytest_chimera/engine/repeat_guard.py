"""The guard that ends an answer in which one token comes again and again, as Ollama 0.32 has it. Pure."""

from __future__ import annotations

REPEATS = 30
"""How often the same piece may follow itself: the 32nd in a row is never sent."""


class RepeatGuard:
    """Watches the pieces of one answer."""

    __slots__ = ("_last", "_repeats")

    def __init__(self) -> None:
        """Start with nothing seen; blank pieces count as repetitions from the first on, as they do there."""
        self._last = ""
        self._repeats = 0

    def trips(self, piece: str) -> bool:
        """Whether this piece is one repetition too many."""
        stripped = piece.strip()
        if stripped == self._last:
            self._repeats += 1
        else:
            self._last, self._repeats = stripped, 0
        return self._repeats > REPEATS
