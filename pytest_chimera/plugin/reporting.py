"""From a session to a report: everything that `report.build_report` asks for, gathered from pytest and this machine."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_chimera.hardware import read_hardware
from pytest_chimera.plugin.naming import suite_name
from pytest_chimera.plugin.session import BUILDING, get_session
from pytest_chimera.report.build import Report, ReportInput, build_report
from pytest_chimera.units import ns_to_s

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pytest

    from pytest_chimera.plugin.corpora import OldResults
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.records import CaseResult

_PACKAGES = ("pytest-chimera", "pytest", "pytest-benchmark", "ollama", "xllamacpp")


def build(
    session: ChimeraSession,
    results: Iterable[CaseResult],
    *,
    old: OldResults | None = None,
    notes: tuple[str, ...] = (),
) -> Report:
    """The report on `results`, and on old results."""
    shown = tuple(results)
    given = ReportInput(
        results=shown,
        created=datetime.now().astimezone(),
        suite=suite_name(session.config),
        personas=personas_of(shown),
        configuration=session.settings.configuration(),
        hardware=read_hardware(),
        versions=versions(),
        phases=session.phases(),
        notes=notes,
        corpus=None if old is None else old.view,
        narrative=None if old is None else session.corpora.narrative_on(old.paths),
    )
    if old is None or given.corpus is None:
        return build_report(given)
    if "report" not in old.seconds:  # it says how long it took to build, which is known when it has been built once
        began = time.perf_counter()
        build_report(given)
        old.note("report", time.perf_counter() - began)
    return build_report(replace(given, corpus=replace(given.corpus, times=old.seconds)))


def build_in_test(item: pytest.Item, paths: Sequence[str | Path]) -> Report:
    """The report on what was measured before this test, in every worker; its times go along with the test's report."""
    session = get_session(item.config)
    results = session.measured_so_far()
    old = session.corpora.ask(paths) if paths else None
    before = {} if old is None else old.view.times  # read and analysed, which is no part of building
    timed = old is None or "report" in old.seconds
    began = time.monotonic_ns()
    report = build(session, results, old=old)
    built = time.monotonic_ns()
    rendered = (report.markdown, time.monotonic_ns())[1]
    json.dumps(report.as_dict())
    ended = time.monotonic_ns()
    item.stash[BUILDING] = {
        **before,
        "build": ns_to_s(built - began) if old is None or timed else old.seconds["report"],
        "markdown": ns_to_s(rendered - built),
        "json": ns_to_s(ended - rendered),
    }
    return report


def versions() -> dict[str, str]:
    """Python and the packages that take part, as installed."""
    found = {"Python": platform.python_version()}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def personas_of(results: Iterable[CaseResult]) -> dict[str, str]:
    """Name -> system text, of the cases that had a persona."""
    return {
        result.case.persona: result.case.messages[0].content for result in results if result.case.persona is not None
    }
