"""The tables of fields as JSON Schema, for editors that complete and check while a person types.

It accepts every suite that is read here. Not everything that it accepts is a suite: what must hold between fields
(a case asks something, a sweep varies what there is) cannot be said in it.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from pytest_chimera.suites.merging import IN_PLACE_OF
from pytest_chimera.suites.schema.fields import object_schema
from pytest_chimera.suites.schema.tables import ARM, CASE, DEFAULTS, PERSONA, SUITE

if TYPE_CHECKING:
    from pytest_chimera.suites.schema.fields import Table

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def suite_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a suite."""
    return {
        "$schema": _DIALECT,
        "title": "A suite of pytest-chimera",
        **object_schema(SUITE),
        "required": ["cases"],
        "$defs": {"case": _alone(CASE), "defaults": _alone(DEFAULTS), "arm": _alone(ARM)},
    }


def persona_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a persona."""
    return {
        "$schema": _DIALECT,
        "title": "A persona of pytest-chimera",
        **object_schema(PERSONA),
        "required": ["name", "system"],
    }


def _alone(table: Table) -> dict[str, Any]:
    """A mapping in which no field stands beside one that it takes the place of."""
    pairs = chain.from_iterable(((one, other) for other in others) for one, others in IN_PLACE_OF.items())
    known = {tuple(sorted(pair)) for pair in pairs if set(pair) <= set(table)}
    return {**object_schema(table), "allOf": [{"not": {"required": list(pair)}} for pair in sorted(known)]}
