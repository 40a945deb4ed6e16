"""What must hold of an answer: read from what a person wrote, and held against the text of each round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import MarkerError, nearest

if TYPE_CHECKING:
    from pytest_chimera.records import Generation

EXPECTATIONS = ("contains",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """How the numbers of a text are held against facts."""

    share: float | None
    """Of the numeric claims, those that the facts support, 0 to 1; None of a text that makes none."""
    against: tuple[str, ...] = ()
    """The claims that they do not support, each with what is known, in words."""


Ground = Callable[[str, tuple[str, ...]], Grounding]
"""From the text of an answer and the paths of a corpus (none: the one of the run) to what came of its claims."""


def parse_expect(value: object, where: str) -> dict[str, Any]:
    """Expectations by name, checked and as plain values. Raises MarkerError."""
    if not isinstance(value, Mapping):
        raise MarkerError(f"{where}: expect={value!r} is not usable.", "Accepted: expectations by name.", "")
    for name in value:
        if name not in EXPECTATIONS:
            raise MarkerError(
                f"{where}: expect has the unknown name {name!r}.",
                f"Known: {', '.join(EXPECTATIONS)}.",
                nearest(str(name), EXPECTATIONS),
            )
    return dict(value)


class Expectations:
    """What one case expects of its answers."""

    def __init__(self, said: Mapping[str, Any], ground: Ground | None = None) -> None:
        """`said` as `parse_expect` gave it; `ground` is asked for `grounded_in`."""
        self.said = said
        self.ground = ground

    def unmet(self, generation: Generation) -> tuple[str, ...] | None:
        """What does not hold of an answer, each in words; None where nothing is expected or no answer came."""
        if not self.said or not generation.ok:
            return None
        return tuple(f"contains {each!r}" for each in [self.said["contains"]] if each not in generation.text)
