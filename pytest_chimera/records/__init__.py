"""Frozen values that travel between rooms, processes and files, with their form as plain JSON.

Nothing here measures, sends or prints. `Generation` is one request; `CaseResult` is one case with all its rounds;
`Verdict` is what the gate says of it; `Measurement` is one number of an old artifact; `Fact` is a number that a report
may print. What is unknown is None and never 0.
"""

from __future__ import annotations

from pytest_chimera.records.base import Record
from pytest_chimera.records.case import (
    DEFAULT_PREFIX,
    DEFAULT_ROUNDS,
    DEFAULT_TIMEOUT_S,
    DEFAULT_WARMUP,
    Case,
    CaseResult,
    HostInfo,
    LoadedModel,
    Message,
    ModelInfo,
    PromptFit,
    Round,
)
from pytest_chimera.records.fact import Fact
from pytest_chimera.records.generation import Arrival, Chunk, Failure, FailureCause, FailureKind, Generation
from pytest_chimera.records.measurement import Artifact, Leftover, Measurement, Provenance, Role, Source, Zone
from pytest_chimera.records.verdict import (
    OUTCOMES,
    UNJUDGED,
    BaselinePoint,
    CommonNoise,
    Outcome,
    SecondLook,
    Verdict,
)

__all__ = [
    "DEFAULT_PREFIX",
    "DEFAULT_ROUNDS",
    "DEFAULT_TIMEOUT_S",
    "DEFAULT_WARMUP",
    "OUTCOMES",
    "UNJUDGED",
    "Arrival",
    "Artifact",
    "BaselinePoint",
    "Case",
    "CaseResult",
    "Chunk",
    "CommonNoise",
    "Fact",
    "Failure",
    "FailureCause",
    "FailureKind",
    "Generation",
    "HostInfo",
    "Leftover",
    "LoadedModel",
    "Measurement",
    "Message",
    "ModelInfo",
    "Outcome",
    "PromptFit",
    "Provenance",
    "Record",
    "Role",
    "Round",
    "SecondLook",
    "Source",
    "Verdict",
    "Zone",
]
