"""The language model that ships with the package: where it lies, and what its size asks for.

`build.py` makes `tiny.gguf` from `prose.txt`. It is real inference over a table of word successors: its text looks like
language, varies with the seed and ends by itself, and means nothing.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

NAME = "tiny"
PATH = Path(__file__).with_name("tiny.gguf")
NUM_CTX = 16384
"""Context unless a request says otherwise: a prompt takes a token for each byte, so a page of it is 3,000 tokens."""
OPTIONS = MappingProxyType({"num_ctx": NUM_CTX, "repeat_penalty": 1.1})
"""What holds unless a request says otherwise; unpunished, a successor table can go in circles in a string."""


def _byte(character: str) -> int:
    return 3 + ord(character)


FORMAT_BIAS: tuple[tuple[int, float], ...] = (
    (_byte('"'), 10.0),
    (_byte(","), 3.0),
    (_byte("}"), 3.0),
    (_byte("]"), 4.0),
    *((_byte(blank), -50.0) for blank in " \t\n\r"),
    # An exponent makes a valid number that no one can use: 1e9999.
    *((_byte(letter), -50.0) for letter in "eE"),
)
"""Token and what its logit gains while a JSON grammar holds: a table of successors never closes a string by itself."""
