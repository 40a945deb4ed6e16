"""How a case fails: with a text for people, without a frame of ours, and as pytest's other failures do."""

from __future__ import annotations

import re
import sys
from typing import Any

LIMITED = """
import pytest

@pytest.mark.chimera(rounds=2, limits={"tok/s": ">= 300", "prefill": ">= 100 tok/s"})
def test_sky(chimera):
    chimera("Why is the sky blue?")
    raise AssertionError("not reached")

def test_plain():
    pass
"""
BROKEN_LIMIT = """\
tok/s >= 300 does not hold: measured 200 tok/s (median of 2 rounds); 1 of 2 limits
  tok/s >= 300: broken, measured 200 tok/s (median of 2 rounds)
  prefill >= 100 tok/s: held, measured 500 tok/s (median of 2 rounds)

  round  tok/s  prefill  TTFT  E2E
  warm-up 1  200 tok/s  500 tok/s  TIME  TIME  not counted
  round 1  200 tok/s  500 tok/s  TIME  TIME
  round 2  200 tok/s  500 tok/s  TIME  TIME
"""


def body(shown: str, name: str) -> str:
    """What pytest prints of the failure called `name`, without workers' names."""
    text = shown.partition(f"{name} ___\n")[2].partition("\n---")[0].partition("\n===")[0].partition("\n___")[0]
    return "\n".join(line for line in text.splitlines() if not line.startswith("[gw")) + "\n"


def test_a_broken_limit_fails_the_test_with_what_was_measured(project: Any, way: tuple[str, ...]) -> None:
    """The failure names the limit, every round, model, host and options; nothing of our code is shown; status 1."""
    project.pytester.makepyfile(test_sky=LIMITED)
    result = project.run(*way, "-p", "no:benchmark")
    result.assert_outcomes(failed=1, passed=1)
    assert result.ret == 1
    text = body(project.shown(result), "test_sky[toy]")
    measured, _, conditions = text.partition("\n  model  ")
    assert measured == BROKEN_LIMIT
    assert re.fullmatch(
        r"toy:latest, digest [0-9a-f]{12}, 1K, F16\n"
        r"  host  HOST, the embedded engine [0-9.]+\S*\n"
        r"  options  num_ctx=4096 \(default\), think=default\n"
        r"  loaded  num_ctx 4096.*\n"
        r"  case  test_sky\[toy\], 2 rounds, 1 warm-up, start warm, prefix unique, prompt [0-9a-f]{12}\n",
        conditions,
    ), conditions


def test_the_rounds_of_a_failed_case_are_recorded(project: Any) -> None:
    """A case that fails its limit stands in the summary with its numbers."""
    project.pytester.makepyfile(test_sky=LIMITED)
    lines = project.ours(project.run("-p", "no:benchmark"))
    assert "test_sky[toy]  TIME  500  200  TIME  2  0  0" in lines


def test_a_failed_round_fails_the_case_by_its_own_words(one_case: Any, way: tuple[str, ...]) -> None:
    """A server's error is named with its status and stands in the summary; no round is averaged; status 1."""
    result = one_case.run(*way, "-p", "no:benchmark", model="broken")
    result.assert_outcomes(failed=1)
    shown = one_case.shown(result)
    assert "llama runner process has terminated" in body(shown, "test_sky[broken]")
    assert "Traceback" not in shown
    assert "pytest_chimera" not in shown
    assert "test_sky[broken]  unknown  unknown  unknown  unknown  0 of 10  0  0" in shown


def test_what_a_server_says_cannot_act_on_the_terminal(one_case: Any) -> None:
    """Escape sequences in an error text are written out, in the failure and in the summary."""
    result = one_case.run("-p", "no:benchmark", "--color=no", model="rude")
    assert "\x1b" not in result.stdout.str()
    assert "\\x1b[31m| <b>boom</b>" in result.stdout.str()


def test_an_unreachable_host_is_an_error_that_says_how_to_go_on(
    one_case: Any, way: tuple[str, ...], no_server: str
) -> None:
    """A named model is never replaced: the test errs, and the text says how to start Ollama or do without."""
    result = one_case.run(*way, "-p", "no:benchmark", "--chimera-model=gemma3", f"--chimera-host={no_server}", model="")
    result.assert_outcomes(errors=1)
    assert result.ret == 1
    address = no_server.removeprefix("http://")
    assert body(one_case.shown(result), "ERROR at setup of test_sky[gemma3]") == (
        f"No Ollama can be reached at {no_server}: nothing listens at {address} (connection refused). "
        "Start Ollama there with 'ollama serve', or name another server with --chimera-host. "
        "Measure without Ollama: pytest --chimera-model tiny\n"
    )


def test_a_missing_model_is_an_error_that_lists_what_is_installed(one_case: Any) -> None:
    """The text has the installed names, the nearest one, and the commands that get the model."""
    result = one_case.run("-p", "no:benchmark", model="toi")
    assert body(one_case.shown(result), "ERROR at setup of test_sky[toi]") == (
        "The model 'toi' is not installed at HOST. Installed: toy:latest, other:latest, spare:latest, slow:latest, "
        "broken:latest, rude:latest. Did you mean 'toy:latest'? Get it with 'ollama pull toi', or run with "
        "--chimera-pull.\n"
    )


def test_xfail_holds_for_limits(project: Any, way: tuple[str, ...]) -> None:
    """A case that is expected to fail its limit is xfailed."""
    project.pytester.makepyfile(test_sky=LIMITED.replace("def test_sky", "@pytest.mark.xfail\ndef test_sky"))
    project.run(*way, "-p", "no:benchmark").assert_outcomes(xfailed=1, passed=1)


def test_exit_first_and_last_failed_work(project: Any) -> None:
    """`-x` stops after the case that failed, and `--lf` runs that one alone."""
    project.pytester.makepyfile(test_sky=LIMITED)
    project.run("-p", "no:benchmark", "-x").assert_outcomes(failed=1)
    project.run("-p", "no:benchmark", "--lf").assert_outcomes(failed=1)


def test_the_debugger_opens_at_the_persons_own_line(project: Any) -> None:
    """`--pdb` stops in the test, not in our code."""
    project.pytester.makepyfile(test_sky=LIMITED)
    command = (sys.executable, "-m", "pytest", "-p", "no:benchmark", "-p", "no:hypothesispytest", "--pdb")
    named = ("--chimera-model=toy", f"--chimera-host={project.host}")
    result = project.pytester.run(*command, *named, stdin=b"q\n")
    at = result.outlines.index('-> chimera("Why is the sky blue?")')
    assert result.outlines[at - 1].endswith("test_sky.py(5)test_sky()")


def test_an_assertion_of_the_persons_own_is_shown_as_pytest_shows_it(project: Any) -> None:
    """An assert on a run is introspected, in the test's own lines."""
    project.pytester.makepyfile("def test_sky(chimera):\n    assert chimera('Hello').tok_s.median > 300\n")
    result = project.run("-p", "no:benchmark")
    result.assert_outcomes(failed=1)
    assert "E  AssertionError: assert 200.0 > 300" in project.shown(result)
