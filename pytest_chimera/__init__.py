"""Benchmark language models served by Ollama from pytest: measure, record, gate, report.

The public names live here and nothing else; they are imported when asked for, so that an installed but unused plugin
costs a start next to nothing. Floors, from the ground up: units and errors; records; stats, distributions and wire;
metrics and trends; limits; client, engine, gate, hardware, corpus and analysis; suites and report; plugin. A module
imports only from floors below its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_chimera.engine.process import EmbeddedEngine
    from pytest_chimera.errors import ChimeraError
    from pytest_chimera.properties import chimera_given
    from pytest_chimera.records import Case, CaseResult, Generation, Verdict
    from pytest_chimera.report import Report, assert_report
    from pytest_chimera.stats import Statistic
    from pytest_chimera.suites import Run

__version__ = "0.1.0"

__all__ = [
    "Case",
    "CaseResult",
    "ChimeraError",
    "EmbeddedEngine",
    "Generation",
    "Report",
    "Run",
    "Statistic",
    "Verdict",
    "__version__",
    "assert_report",
    "chimera_given",
]

_HOME = {
    "Case": "records",
    "CaseResult": "records",
    "ChimeraError": "errors",
    "EmbeddedEngine": "engine.process",
    "Generation": "records",
    "Report": "report",
    "Run": "suites",
    "Statistic": "stats",
    "Verdict": "records",
    "assert_report": "report",
    "chimera_given": "properties",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its room on first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415  # on first use only, as the docstring above says

    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
