"""All parts of the analysis, in the order of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.analysis.duplicates import duplicates
from pytest_chimera.analysis.effects import effects
from pytest_chimera.analysis.environment import environment
from pytest_chimera.analysis.form import Analysis
from pytest_chimera.analysis.gaps import gaps
from pytest_chimera.analysis.history import trends
from pytest_chimera.analysis.models import models
from pytest_chimera.analysis.naming import naming
from pytest_chimera.analysis.summaries import summaries

if TYPE_CHECKING:
    from pytest_chimera.analysis.evidence import Evidence

_PARTS = (models, effects, trends, summaries, duplicates, gaps, environment, naming)


def analyse(evidence: Evidence) -> Analysis:
    """Everything that measurements and artifacts tell; the order in which they came plays no part."""
    return Analysis(parts=tuple(part(evidence) for part in _PARTS))
