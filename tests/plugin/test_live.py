"""The live line: what it says at each moment, and where there is one."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.plugin.live import LiveLine
from pytest_chimera.records import Round

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import CaseResult, Generation

S = 1_000_000_000


class Screen:
    """A terminal line that remembers what it showed, and a clock that is set by hand."""

    def __init__(self, width: int = 100) -> None:
        self.shown: list[str] = []
        self.now_ns = 0
        self.live = LiveLine(self.shown.append, lambda: width, lambda: self.now_ns)


def done(number: int, generation: Generation, *, warmup: bool = False) -> Round:
    """A finished round."""
    return Round(number=number, warmup=warmup, cold=False, generation=generation)


def test_the_line_follows_a_case(make_result: Callable[..., CaseResult], make_generation: Any) -> None:
    """Case, round, last TTFT and tok/s, and the rest as estimated by the counted rounds; then nothing is left of it."""
    result = make_result(case={"rounds": 3, "warmup": 1})
    screen = Screen()
    screen.live.case_started(result.case)
    for at_s, one in ((30, done(1, make_generation(900), warmup=True)), (40, done(1, make_generation(50)))):
        screen.now_ns = at_s * S
        screen.live.round_done(result.case, one)
    screen.now_ns = 50 * S
    screen.live.round_done(result.case, done(2, make_generation(error="out of memory")))
    screen.live.case_finished(result)
    assert screen.shown == [
        "test_sky[toy]  warm-up 1/1",
        "test_sky[toy]  round 1/3  TTFT 900 ms  100 tok/s  about 90 s left",
        "test_sky[toy]  round 2/3  TTFT 50.0 ms  100 tok/s  about 20 s left",
        "test_sky[toy]  round 3/3  last failed  about 10 s left",
        "",
    ]


def test_the_line_follows_a_sweep(make_result: Callable[..., CaseResult], make_generation: Any) -> None:
    """Its rounds are counted over all points, warm-up rounds are in the estimate, and it goes with the last point."""
    one, two = (make_result(case={"id": f"t {name}", "name": f"t {name}", "rounds": 2, "sweep": "t"}) for name in "ab")
    screen = Screen()
    for each in (one, two):
        screen.live.case_started(each.case)
    warm = done(1, make_generation(900), warmup=True)
    screen.live.round_done(one.case, warm)
    for at_s, each in ((30, one), (40, two)):
        screen.now_ns = at_s * S
        screen.live.round_done(each.case, done(1, make_generation(50)))
    screen.live.case_finished(one)
    screen.live.case_finished(two)
    assert screen.shown == [
        "t a  toy  round 1/2 in all",
        "t a  toy  round 1/4 in all",
        "t a  toy  round 1/4 in all  TTFT 900 ms  100 tok/s",
        "t a  toy  round 2/4 in all  TTFT 50.0 ms  100 tok/s  about 90 s left",
        "t b  toy  round 3/4 in all  TTFT 50.0 ms  100 tok/s  about 40 s left",
        "",
    ]


def test_a_model_that_the_name_does_not_tell_is_shown(make_result: Callable[..., CaseResult]) -> None:
    """A case that is named without its model has the model beside it, both harmless."""
    screen = Screen()
    screen.live.case_started(make_result(case={"name": "sky\x1b[31m", "warmup": 0}).case)
    assert screen.shown == ["sky\\x1b[31m  toy  round 1/3"]


def test_waiting_for_the_host_is_shown(make_result: Callable[..., CaseResult]) -> None:
    """While another process measures there, the line says so."""
    screen = Screen()
    screen.live.host_busy(make_result().case)
    assert screen.shown == ["test_sky[toy]  waits for the host, which another process measures"]


def test_a_line_never_wraps(make_result: Callable[..., CaseResult]) -> None:
    """It is cut one column before the edge, with a sign that it was."""
    screen = Screen(width=20)
    screen.live.case_started(make_result().case)
    assert screen.shown == ["test_sky[toy]  war…"]


def test_clearing_twice_writes_once(make_result: Callable[..., CaseResult]) -> None:
    """What is not shown is not cleared, so that pytest's own dots stay where they are."""
    screen = Screen()
    screen.live.clear()
    screen.live.case_started(make_result().case)
    screen.live.clear()
    screen.live.clear()
    assert screen.shown[1:] == [""]


ON_A_TERMINAL = """
import pty, sys
pytest = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-p", "no:benchmark", *sys.argv[1:]]
status = pty.spawn(["sh", "-c", 'stty cols 60; exec "$@"', "sh", *pytest])
sys.exit(status >> 8)
"""


def seen(text: str) -> list[str]:
    """What a terminal shows in the end that got this text: the lines, without blanks on their right."""
    lines, row, column = [""], 0, 0
    for sign in re.findall(r"\x1b\[\d*[A-Z]|[^\x1b]", text):
        if sign == "\n":
            row += 1
            lines += [""] if row == len(lines) else []
        elif sign == "\r":
            column = 0
        elif sign == "\x1b[K":
            lines[row] = lines[row][:column]
        elif sign == "\x1b[A":
            row -= 1
        elif sign.startswith("\x1b["):
            column += int(sign[2:-1])
        else:
            lines[row] = f"{lines[row][:column].ljust(column)}{sign}{lines[row][column + 1 :]}"
            column += 1
    return [line.rstrip() for line in lines]


@pytest.mark.skipif(not hasattr(__import__("os"), "openpty"), reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("args", "live", "lines"),
    [
        ((), True, ["test_it.py ..".ljust(53) + "[100%]"]),
        (("--log-cli-level=INFO",), False, ["PASSED".ljust(53) + "[ 50%]"]),
        (("-o", "log_cli=true"), False, ["test_it.py::test_it[tiny] PASSED".ljust(53) + "[ 50%]"]),
        (("-q",), True, ["..".ljust(53) + "[100%]"]),
        (
            ("-v",),
            True,
            [
                "test_it.py::test_it[tiny] PASSED                     [ 50%]",
                "test_it.py::test_more[tiny] PASSED                   [100%]",
            ],
        ),
        (("-s",), False, ["test_it.py .."]),
        (("-n", "2"), False, ["..".ljust(53) + "[100%]"]),
    ],
)
def test_there_is_a_line_on_a_terminal_that_pytest_captures(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], live: bool, lines: list[str]
) -> None:
    """On a terminal the line comes, never wraps, and goes, and pytest's own lines are then as they are without it."""
    pytest.importorskip("xllamacpp", reason="tiny runs on the embedded engine")
    for name in ("CI", "BUILD_NUMBER", "OLLAMA_HOST", "COLUMNS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    cases = "".join(f"def test_{name}(chimera):\n    chimera('Hello', rounds=2)\n" for name in ("it", "more"))
    pytester.makepyfile(test_it=cases)
    script = pytester.makepyfile(terminal=ON_A_TERMINAL)
    result = pytester.run(sys.executable, script, "test_it.py", "--color=no", "--chimera-model=tiny", *args)
    assert result.ret == 0
    text = (pytester.path / "stdout").read_bytes().decode()  # read as text, every \r would be a \n
    shown = re.findall(r"\x1b\[K([^\r\x1b]+)", text)
    assert any("round 1/2" in line for line in shown) is live
    assert max(map(len, shown), default=0) < 60
    screen = seen(text)
    begin = screen.index(lines[0])
    assert screen[begin : begin + len(lines)] == lines
    assert not any(re.search(r"round \d|warm-up", line) for line in screen)
