"""`--chimera-pull`: the bar, and what is said of a model that cannot be pulled."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_chimera.plugin.pulling import PullBar, bar_line

GIB = 1024**3


class Reporter:
    """What a bar needs of pytest's reporter."""

    def __init__(self, *, isatty: bool) -> None:
        self.isatty = isatty
        self.lines: list[str] = []
        self._tw = self
        self.fullwidth = 80

    def rewrite(self, line: str, *, erase: bool) -> None:
        assert erase
        self.lines.append(line)

    def write_line(self, line: str) -> None:
        self.lines.append(line)

    def write(self, text: str) -> None:
        self.lines.append(text)


@pytest.mark.parametrize(
    ("done", "total", "line"),
    [
        (None, None, "chimera: pulling gemma3: verifying"),
        (0, 4 * GIB, "chimera: pulling gemma3 [------------------------] 0% of 4.00 GiB"),
        (GIB, 4 * GIB, "chimera: pulling gemma3 [######------------------] 25% of 4.00 GiB"),
        (5 * GIB, 4 * GIB, "chimera: pulling gemma3 [########################] 100% of 4.00 GiB"),
    ],
)
def test_the_bar_shows_how_far_a_pull_is(done: int | None, total: int | None, line: str) -> None:
    """Where the server says sizes there is a bar, else the step it is at."""
    assert bar_line("gemma3", "verifying", done, total) == line


def test_a_terminal_gets_one_line_and_a_log_one_per_step() -> None:
    """On a terminal the line is rewritten and left at the end; elsewhere a step is said once, without a bar."""
    screen, log = Reporter(isatty=True), Reporter(isatty=False)
    for reporter in (screen, log):
        bar = PullBar(reporter, "m\x1b")  # type: ignore[arg-type]  # a stand-in for pytest's reporter
        for step, done in (("pulling x", 1), ("pulling x", 2), ("success", None)):
            bar.show(step, done, 2)
        bar.end()
    assert screen.lines == [
        "chimera: pulling m\\x1b [############------------] 50% of 2 B",
        "chimera: pulling m\\x1b [########################] 100% of 2 B",
        "chimera: pulling m\\x1b: success",
        "\n",
    ]
    assert log.lines == ["chimera: pulling m\\x1b: pulling x", "chimera: pulling m\\x1b: success"]


def test_a_model_that_is_there_is_not_pulled(one_case: Any) -> None:
    """Nothing is said and nothing is asked for."""
    result = one_case.run("--chimera-pull", "-p", "no:benchmark")
    assert result.ret == 0
    assert "pulling" not in result.stdout.str()


def test_a_model_that_cannot_be_pulled_is_said_before_its_case_fails(one_case: Any, way: tuple[str, ...]) -> None:
    """The server's reason comes once in the head lines; the case then errs with what is installed."""
    result = one_case.run("--chimera-pull", "-p", "no:benchmark", *way, model="absent")
    result.assert_outcomes(errors=1)
    lines = [line for line in one_case.ours(result) if "was not pulled" in line]
    assert len(lines) == 1
    assert lines[0].startswith("chimera: absent was not pulled: ")
    assert "The model 'absent' is not installed at HOST." in one_case.shown(result)
