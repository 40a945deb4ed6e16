"""Whom the cases of a run ask: what is announced, served and pulled, and told to the controller by workers of xdist.

A test in Python asks every model of the settings; a case of a suite may name others, which nobody knows before its file
was read.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.plugin.models import PlannedModel, stands_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.plugin.session import ChimeraSession

OWN_MODELS = "chimera_models"
"""The attribute of an item that has models of its own: a tuple of `PlannedModel`."""
NAMED = "chimera_named"
"""The attribute of such an item that says whether somebody named them; else `tiny` stands in."""


@dataclass(frozen=True)
class Asked:
    """The models that the cases of one process ask."""

    cases: int = 0
    models: tuple[PlannedModel, ...] = ()
    """Those of the settings first, in their order."""
    stood_in: bool = False
    """Whether `tiny` answers for a case because nobody named a model."""

    def to_plain(self) -> dict[str, Any]:
        """Lists, strings and numbers."""
        return asdict(self)


def from_plain(plain: Mapping[str, Any]) -> Asked:
    """What `to_plain` made, also after a way through JSON."""
    models = tuple(PlannedModel(**each) for each in plain["models"])
    return Asked(cases=plain["cases"], models=models, stood_in=plain["stood_in"])


def asked_by(session: ChimeraSession, cases: Sequence[object]) -> Asked:
    """Whom these items ask. Raises what `session.models` raises."""
    if not cases:
        return Asked()
    of_settings = session.models
    nobody = not session.settings.model and stands_in(session.settings)
    found: dict[PlannedModel, None] = {}
    stood_in = False
    for item in cases:
        own: tuple[PlannedModel, ...] | None = getattr(item, OWN_MODELS, None)
        stood_in = stood_in or (nobody and (own is None or not getattr(item, NAMED, True)))
        found.update(dict.fromkeys(of_settings if own is None else own))
    first = [each for each in of_settings if each in found] if session.settings.model else []
    return Asked(len(cases), tuple(dict.fromkeys([*first, *found])), stood_in)
