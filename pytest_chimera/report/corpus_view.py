"""What a report is given of a corpus: its files, their numbers, and the analysis of them; nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_chimera.analysis.form import Analysis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.records import Artifact, Leftover, Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusView:
    """A folder of old results, read and analysed."""

    roots: tuple[str, ...]
    """What was given, as a person wrote it."""
    artifacts: tuple[Artifact, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    """Of the measured programs and of the machine; each once, with its copies."""
    others: tuple[Measurement, ...] = ()
    """Numbers of neither, such as accuracies."""
    left: tuple[Leftover, ...] = ()
    """Everything that was not understood, also of files that could not be opened."""
    analysis: Analysis = field(default_factory=Analysis)
    times: Mapping[str, float] = field(default_factory=dict)
    """Wall time in s of what was done with it: "ingest", "analysis", and "report" where that is known."""
    summarised: tuple[str, ...] | None = None
    """Of a corpus that was read as summaries, its models: it has no measurements. None of any other."""
