"""The gate of a run: its baseline is looked up once, on the controller before the first case; workers read the same.

What a verdict is made of is the gate's; which options ask for it, is in `options`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.expressions import DEFAULT_THRESHOLDS, limits, parse_expression, thresholds
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.rule import ALLOWANCE
from pytest_chimera.gate.saved import read_case, read_run
from pytest_chimera.gate.sources import DEFAULT_STORAGE, Found, Place, Wanted, find_runs, parse_wanted
from pytest_chimera.hardware import read_hardware
from pytest_chimera.plugin.extra_info import case_infos
from pytest_chimera.report.escape import terminal
from pytest_chimera.suites.gating import Gating

if TYPE_CHECKING:
    from pytest_chimera.gate.saved import SavedCase
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.records import CaseResult

_TOLD = "baseline"


def gating_of(session: ChimeraSession) -> Gating:
    """What the options ask of the gate. Raises BaselineError where named runs are missing or cannot be used."""
    settings = session.settings
    expressions = [parse_expression(text) for text in settings.fail_on]
    compared = thresholds(expressions)
    hardware = functools.cache(read_hardware)  # asked only where something is compared

    def saved(result: CaseResult) -> SavedCase:
        return read_case(case_infos(result), hardware())

    gate = Gate(
        _baseline(session),
        compared or (DEFAULT_THRESHOLDS if settings.baseline else ()),
        gated=bool(compared),
        allowance=ALLOWANCE if settings.allowance is None else settings.allowance,
    )
    return Gating(
        gate=gate, saved=saved, must_hold=limits(expressions), confirm=settings.confirm, strict=settings.strict
    )


def head_lines(session: ChimeraSession) -> list[str]:
    """What is said of the baseline before the first case; nothing where none was asked for."""
    baseline = session.gating.gate.baseline
    if baseline is None:
        return []
    wanted = parse_wanted(session.settings.baseline)
    if not baseline.runs:
        found = "there is no saved run yet, so nothing can be compared"
    else:
        first, last = baseline.runs[0].name, baseline.runs[-1].name
        found = f"1 run, {first}" if len(baseline.runs) == 1 else f"{len(baseline.runs)} runs, {first} to {last}"
    return [f"chimera: {terminal(line)}" for line in (f"baseline {wanted}: {found}", *baseline.notes)]


def _baseline(session: ChimeraSession) -> Baseline | None:
    settings = session.settings
    if not settings.baseline:
        return None
    wanted = parse_wanted(settings.baseline)
    found = _told(session) if session.is_worker else _looked_up(session, wanted)
    return Baseline(
        found.runs,
        last=wanted.last,
        passed_only=wanted.passed_only,
        anyway=settings.compare_anyway,
        notes=found.notes,
    )


def _looked_up(session: ChimeraSession, wanted: Wanted) -> Found:
    """Find the runs, and leave their files to the workers."""
    config = session.config
    source = session.settings.given["baseline"].source
    folder = config.rootpath if source.startswith("chimera_") else config.invocation_params.dir
    found = find_runs(wanted, Place(folder=folder, root=_storage(session)))
    runs = [{"path": run.source, "name": run.name, "number": run.number} for run in found.runs]
    session.folder.tell(_TOLD, {"runs": runs, "notes": found.notes})
    return found


def _told(session: ChimeraSession) -> Found:
    told: dict[str, Any] = session.folder.told(_TOLD) or {"runs": (), "notes": ()}
    runs = (read_run(Path(each["path"]), name=each["name"], number=each["number"]) for each in told["runs"])
    return Found(runs=tuple(runs), notes=tuple(told["notes"]))


def _storage(session: ChimeraSession) -> Path:
    """The folder of pytest-benchmark's storage; of one that is no folder, a copy of it."""
    from pytest_chimera.plugin.storage import storage_folder  # noqa: PLC0415  # only where a baseline is given

    uri = session.config.getoption("benchmark_storage", default=DEFAULT_STORAGE)
    return storage_folder(uri, session.config.invocation_params.dir, session.folder.path / "storage")
