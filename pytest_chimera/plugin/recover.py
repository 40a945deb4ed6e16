"""`pytest-chimera recover`: make reports of runs that were killed, from the journals that they left.

It needs no pytest run; it lives here because the plugin decides where journals are.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_chimera.hardware import read_hardware
from pytest_chimera.plugin.folder import RUNS, RunFolder, leftovers
from pytest_chimera.plugin.reporting import personas_of, versions
from pytest_chimera.report.build import ReportInput, build_report
from pytest_chimera.suites.journal import read_journal
from pytest_chimera.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTE = "The run was killed before it could report; what is shown was read back from its journals."


def recover_main(arguments: Sequence[str]) -> int:
    """Recover each run that was left, print where its report is, and remove its journals; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="pytest-chimera recover",
        description="Write the reports of runs that were killed, from the journals of their finished rounds.",
    )
    parser.add_argument("reports", nargs="?", default=".chimera", help="folder of the reports (default: .chimera)")
    reports = Path(parser.parse_args(arguments).reports)
    if not reports.is_dir() and str(reports) != parser.get_default("reports"):
        parser.error(f"there is no folder {str(reports)!r}; name the one that was given with --chimera-report")
    left = leftovers(reports / RUNS)
    if not left:
        sys.stdout.write(f"No run was left unfinished in {reports / RUNS}.\n")
        return 0
    for path in left:
        sys.stdout.write(f"{recover(path, reports)}\n")
    return 0


def recover(path: Path, reports: Path) -> Path:
    """Write the report of the run whose folder is `path`, then remove that folder; returns the report's path."""
    folder = RunFolder(path)
    results = tuple(each for journal in folder.journals() for each in read_journal(journal) if each.rounds)
    told = folder.told("run") or {}
    began_s = min((each.started_unix_ns for each in results), default=0) // NS_PER_S
    report = build_report(
        ReportInput(
            results=results,
            created=datetime.fromtimestamp(began_s, timezone.utc).astimezone(),
            suite=told.get("suite", "recovered"),
            personas=personas_of(results),
            configuration=told.get("configuration", {}),
            hardware=read_hardware(),
            versions=versions(),
            notes=(NOTE,),
        )
    )
    written = report.write(reports).markdown
    shutil.rmtree(path)
    return written
