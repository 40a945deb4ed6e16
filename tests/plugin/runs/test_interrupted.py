"""Runs that do not come to their end: Ctrl-C, SIGTERM, a dead worker, a killed run; what was measured is kept."""

from __future__ import annotations

import json
import os
import select
from typing import Any

import pytest

from pytest_chimera.__main__ import main

INTERRUPTED = """
import os, signal
from pytest_chimera.plugin.session import get_session

def test_first(chimera):
    chimera("Hello", rounds=2)

def test_second(chimera, request):
    chimera("Hello", rounds=2)
    chimera.runner.observer = Watcher(chimera.runner.observer)
    chimera("Hello again", rounds=5)

class Watcher:
    def __init__(self, observer):
        self.observer = observer

    def __getattr__(self, name):
        return getattr(self.observer, name)

    def round_done(self, case, done):
        if done.number == 3:
            END
"""
KILLED = INTERRUPTED.replace("END", "os._exit(7)")
ROWS = [
    "test_first[toy]  TIME  500  200  TIME  2  0  0",
    "test_second[toy]  TIME  500  200  TIME  2  0  0",
    "test_second[toy] #2  TIME  500  200  TIME  3 of 5  0  0",
    "  interrupted; 3 rounds of 5 recorded",
]


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_an_interrupted_case_keeps_its_finished_rounds(project: Any, signal: str) -> None:
    """After Ctrl-C or SIGTERM finished rounds are rows, in the summary and in the report, which says so; status 2."""
    end = f"os.kill(os.getpid(), signal.{signal})"
    project.pytester.makepyfile(test_it=INTERRUPTED.replace("END", end))
    result = project.run("--benchmark-json=x.json", process=True)
    assert result.ret == 2
    assert [line for line in project.ours(result) if line in ROWS] == ROWS
    saved = json.loads((project.path / "x.json").read_text(encoding="utf-8"))["benchmarks"]
    assert {row["name"]: len(row["stats"]["data"]) for row in saved if row["group"] == "eval"} == {
        "test_first[toy] eval": 2,
        "test_second[toy] eval": 2,
        "test_second[toy] #2 eval": 3,
    }
    report = (project.path / ".chimera" / "report.md").read_text(encoding="utf-8")
    assert "The run was interrupted or lost a worker" in report
    assert not (project.path / ".chimera" / "runs").exists()


def test_a_dead_worker_loses_no_finished_round(project: Any) -> None:
    """The controller takes the rounds of a crashed worker from its journal; the test is one failed test, status 1."""
    project.pytester.makepyfile(test_it=KILLED)
    result = project.run("-n", "2", "-p", "no:benchmark")
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    assert [line for line in sorted(project.ours(result)) if line in ROWS] == sorted(ROWS)


def test_a_killed_run_is_named_by_the_next_and_can_be_taken_in(
    project: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing could run any more the journal stays, the next run says so, and `recover` makes its report."""
    project.pytester.makepyfile(test_it=KILLED)
    assert project.run(process=True).ret == 7
    (left,) = (project.path / ".chimera" / "runs").iterdir()
    again = project.run("-k", "first", "-p", "no:benchmark", "--chimera-no-report")
    assert (
        f"chimera: an earlier run was killed before it could report; its finished rounds are in {left}. "
        "Take them in with: pytest-chimera recover"
    ) in again.outlines
    monkeypatch.chdir(project.path)
    capsys.readouterr()
    assert main(["recover"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(".chimera/reports/toy-latest_1K_test-a-killed-run")
    report = (project.path / ".chimera" / "report.md").read_text(encoding="utf-8")
    assert "The run was killed before it could report; what is shown was read back from its journals." in report
    assert not left.exists()
    assert main(["recover"]) == 0
    assert capsys.readouterr().out == "No run was left unfinished in .chimera/runs.\n"


def test_recovering_from_a_folder_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped folder is not one without unfinished runs."""
    with pytest.raises(SystemExit) as ended:
        main(["recover", "chimra"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(
        "error: there is no folder 'chimra'; name the one that was given with --chimera-report\n"
    )


def test_a_report_that_a_worker_cannot_send_does_not_end_well(project: Any) -> None:
    """Another plugin's unsendable value on a report loses it between worker and controller: the status is not 0."""
    project.pytester.makepyfile(test_it="def test_it(chimera):\n    chimera('Hello', rounds=1)\n")
    project.pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            if call.when == "call":
                report.user_properties.append(("bad", object()))
            return report
        """
    )
    result = project.run("-n", "1", "-p", "no:benchmark")
    assert result.ret == 3
    assert any("no report came back from test_it.py::test_it[toy]" in line for line in result.outlines)
    assert "test_it[toy]  TIME  500  200  TIME  1  0  0" in project.ours(result)


def test_a_report_that_cannot_be_written_does_not_take_the_rows_with_it(project: Any, way: tuple[str, ...]) -> None:
    """The reason is printed in the summary, and the numbers too; with workers as without."""
    project.pytester.makepyfile(test_it="def test_it(chimera):\n    chimera('Hello', rounds=1)\n")
    (project.path / "taken").write_text("a file", encoding="utf-8")
    result = project.run("--chimera-report=taken", "--benchmark-json=x.json", *way)
    assert result.ret == 0
    assert (project.path / "x.json").exists()
    assert project.ours(result)[-2:] == [
        "test_it[toy]  TIME  500  200  TIME  1  0  0",
        "chimera: the report was not written: File exists: ROOT/taken. Name another folder with --chimera-report.",
    ]


def test_a_step_summary_that_cannot_be_written_does_not_take_the_report_with_it(
    one_case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is printed above the way to the report."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "missing/summary.md")
    result = one_case.run("--chimera-rounds=1", "-p", "no:benchmark")
    assert result.ret == 0
    problem, way = one_case.ours(result)[-2:]
    assert problem == (
        "chimera: the short report was not written to GITHUB_STEP_SUMMARY: "
        "No such file or directory: missing/summary.md."
    )
    assert way.startswith("report: .chimera/reports/toy-latest_1K_")


def test_the_engine_is_gone_after_every_end(project: Any) -> None:
    """No process of the embedded engine outlives a run, whether it ends, is interrupted or is killed."""
    pytest.importorskip("xllamacpp", reason="tiny runs on the embedded engine")
    for end in ("pass", "os.kill(os.getpid(), signal.SIGINT)", "os._exit(7)"):
        project.pytester.makepyfile(test_it="import os\n" + INTERRUPTED.replace("END", f"print_pid(case); {end}") + PID)
        project.run("-p", "no:benchmark", "-p", "no:xdist", "--chimera-model=tiny", model="", process=True)
        pid = int((project.path / "pid").read_text(encoding="utf-8"))
        assert wait_gone(pid), end


PID = """
def print_pid(case):
    from pathlib import Path
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    Path("pid").write_text(children[0])
"""


def wait_gone(pid: int) -> bool:
    """Whether a process ends within a few seconds; it leaves when the pipe from its parent closes."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)
