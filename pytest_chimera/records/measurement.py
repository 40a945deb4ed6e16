"""One number from an artifact of an old run, with everything that its file says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_chimera.records.base import Record
from pytest_chimera.units import Dimension

Provenance = Literal["measured", "aggregate", "claim"]
"""measured: one value of one run. aggregate: computed by somebody from several. claim: written in prose or a report."""

Role = Literal["performance", "resource", "other"]
"""performance: of the measured program. resource: of the machine meanwhile. other: neither, such as an accuracy."""

Zone = Literal["utc", "offset", "local", "unknown"]
"""What is known of a time's zone. utc, offset: stands with it. local: known not to be UTC, offset unknown."""


@dataclass(frozen=True, slots=True)
class Source(Record):
    """Where a number stands."""

    file: str
    """Path as shown to people: relative to the folder that was given, with forward slashes."""
    place: str
    """Within it: "row 3 tokens_s" (data rows count from 1), "/results/0/ttft_s", "line 12"; empty is the whole file."""

    def __str__(self) -> str:
        """As a source of a fact is written."""
        return f"{self.file} {self.place}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement(Record):
    """One number: what it is of, under which conditions, when, and where it stands."""

    metric: str
    """Canonical name, a key of the vocabulary's metrics: "ttft", "tok/s", "load", "gpu_util"."""
    value: float | None
    """In the SI unit of its dimension; None of a failed row and of an empty cell, never 0 in their place."""
    dimension: Dimension
    role: Role = "performance"
    statistic: str = "value"
    """"value" of a measured number; of an aggregate "mean", "median", "sd", "min", "max", "p95", "sum", "delta", ..."""
    n: int | None = None
    """How many values an aggregate says it was made from; None when it does not say."""
    provenance: Provenance = "measured"
    model: str | None = None
    """Canonical tag, "gemma3:latest"; None when neither content nor name says."""
    quantization: str | None = None
    """As in tags: "Q4_0", "Q5_K_M"."""
    size: str | None = None
    """Parameters as in tags: "8B", "270M"."""
    parameters: Mapping[str, float | str]
    """Settings by canonical name: {"num_gpu": 40.0, "num_ctx": 1024.0, "temperature": 0.2}."""
    labels: Mapping[str, str]
    """What else tells its row from others: {"prompt": "...", "config": "g40_c1024", "backend": "onnx"}."""
    time: str | None = None
    """When it was measured, ISO 8601, from the content, else from the name; never a file's mtime."""
    zone: Zone = "unknown"
    row: int | None = None
    """Number of its row or round in its file, from 1."""
    failure: str | None = None
    """Why its row failed; None when it did not."""
    cold: bool | None = None
    """Whether the model was loaded for it; None when that cannot be told."""
    source: Source
    series: str = ""
    """Which numbers of its file belong together: its place without row numbers; two series are never pooled."""
    copies: tuple[Source, ...] = ()
    """All other places where the same measurement stands."""

    @property
    def ok(self) -> bool:
        """Whether it has a value that may enter a statistic."""
        return self.failure is None and self.value is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover(Record):
    """Something in an artifact that was not understood, and why."""

    file: str
    place: str
    reason: str
    """A sentence; what comes from the file stands in it quoted and cut."""
    kind: Literal[
        "broken", "unknown name", "ambiguous", "not performance", "no unit", "empty", "refused", "no data", "prose"
    ]
    count: int = 1
    """How many values it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Record):
    """What was made of one file."""

    path: str
    """As in `Source.file`."""
    location: str
    """As it can be opened on this machine."""
    kind: Literal["csv", "json", "jsonl", "markdown", "text", "yaml", "other"]
    format: str
    """What was recognised: "table", "records", "pytest-benchmark", "llama-bench", "report", ...; "unknown" else."""
    size_bytes: int
    files: int = 1
    """How many files it stands for: all of a kind in one folder, where a corpus was read as summaries."""
    digest: str | None = None
    """SHA-256 (hex) of its bytes; None when it could not be read whole."""
    schema: tuple[str, ...] = ()
    """Names of its columns or keys, in order, each once, cut to a bounded number."""
    rows: int = 0
    """Rows, objects or table lines that hold numbers, failed ones included."""
    failed_rows: int = 0
    measurements: int = 0
    """Numbers that were understood, copies included."""
    identical_to: str | None = None
    """Path of the file before it that has the very same bytes."""
    undated_twin: str | None = None
    """Path of a file before it that is equal but for the times written in it."""
    time: str | None = None
    """From its content, else its name."""
    zone: Zone = "unknown"
    environment: Mapping[str, str]
    """What it says of the machine and the versions: {"gpu": "NVIDIA ...", "python": "3.13.1", "os": "Windows"}."""
    left: tuple[Leftover, ...] = ()
