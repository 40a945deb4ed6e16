"""A number that a report may print, with the way back to where it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pytest_chimera.records.base import Record
from pytest_chimera.units import Dimension

_ID_DIGITS = 10
"""Of 10,000 facts two share an id once in 20,000 reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Record):
    """One number: what it says, of what, over how many values, and from which sources it was computed."""

    subject: Mapping[str, str]
    """Whom it speaks of: {"case": ..., "model": ...}."""
    metric: str
    """Canonical name from the metric table."""
    statistic: str
    """"median", "p95", "count", ..."""
    value: float | None
    """In the SI unit of its dimension; None is unknown."""
    dimension: Dimension
    n: int
    """How many values it was computed from."""
    formula: str
    sources: tuple[str, ...] = ()
    """Where the values stand, such as "test_x[gemma3] rounds 1-5 eval_duration"."""

    @property
    def id(self) -> str:
        """A name derived from what the fact speaks of, so that it stays the same from run to run."""
        return _id(tuple(sorted(self.subject.items())), self.metric, self.statistic)


@lru_cache(maxsize=65_536)
def _id(subject: tuple[tuple[str, str], ...], metric: str, statistic: str) -> str:
    content = json.dumps([dict(subject), metric, statistic], sort_keys=True)
    return "F" + hashlib.sha256(content.encode()).hexdigest()[:_ID_DIGITS]
