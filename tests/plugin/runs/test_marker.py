"""The marker: who bears it, what it sets, and how a wrong one is refused, with workers and without."""

from __future__ import annotations

from typing import Any

import pytest

KNOWN = (
    "Known arguments: rounds, warmup, options, persona, think, prefix, start, timeout, idle_timeout, "
    "max_failed_rounds, limits, gate, keep_alive, truncate, prompt_tokens, output_tokens, expect, sweep."
)
POSITIONAL = (
    f"@pytest.mark.chimera(...) was given 3 without a name. Accepted: keyword arguments only: {KNOWN[17:]} "
    "Write it as in rounds=5."
)


def test_every_test_with_a_fixture_of_ours_bears_the_marker(one_case: Any, way: tuple[str, ...]) -> None:
    """`-m 'not chimera'` leaves out whatever uses one of our fixtures, under --strict-markers too, and nothing else."""
    one_case.pytester.makepyfile(
        test_all="""
        def test_a(chimera): pass
        def test_b(chimera_model): pass
        def test_c(ollama_client): pass
        def test_d(chimera_persona): pass
        def test_e(chimera_engine): pass
        def test_f(chimera_report): pass
        def test_plain(): pass
        """
    )
    result = one_case.run(*way, "-m", "not chimera", "--strict-markers")
    result.assert_outcomes(passed=1, deselected=0 if way else 7)


def test_the_nearest_marker_wins_and_a_call_wins_over_it(project: Any) -> None:
    """Function stands over class, class over module, module over settings, and the call over all of them."""
    project.pytester.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.chimera(rounds=2, warmup=0, options={"num_ctx": 512})

        @pytest.mark.chimera(rounds=3, options={"seed": 1})
        class TestIt:
            @pytest.mark.chimera(rounds=4)
            def test_it(self, chimera):
                case = chimera("Hello").result.case
                assert (case.rounds, case.warmup, case.timeout_s) == (4, 0, 7.0)
                assert case.options == {"num_ctx": 512, "seed": 1}
                assert chimera("Hello", rounds=5).result.case.rounds == 5
        """
    )
    result = project.run("--chimera-rounds=9", "--chimera-timeout=7 s", "-p", "no:benchmark", model="spare")
    assert result.ret == 0, result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("roundz=3", f"@pytest.mark.chimera(...) has the unknown argument 'roundz'. {KNOWN} Did you mean 'rounds'?"),
        ("3", POSITIONAL),
        (
            "rounds=0",
            "@pytest.mark.chimera(...): rounds=0 is not usable. Accepted: a whole number, 1 or more. Correct rounds.",
        ),
        (
            "prefix='none'",
            "@pytest.mark.chimera(...): prefix='none' is not usable. Accepted: 'unique' or 'reuse'. Correct prefix.",
        ),
    ],
)
def test_a_wrong_marker_is_an_error_at_its_line(project: Any, way: tuple[str, ...], arguments: str, text: str) -> None:
    """It fails the setup of that test alone, with file and line, without a traceback, with status 1."""
    project.pytester.makepyfile(
        test_bad=f"""
        import pytest

        @pytest.mark.chimera({arguments})
        def test_bad(chimera):
            raise AssertionError("not reached")

        def test_good():
            pass
        """
    )
    result = project.run(*way, "-p", "no:benchmark", "-p", "no:cacheprovider")
    result.assert_outcomes(errors=1, passed=1)
    assert result.ret == 1
    shown = project.shown(result)
    place = "[gw0] linux" if way else "test_bad.py:3: "
    body = shown.partition("ERROR at setup of test_bad[toy] ")[2].partition("===")[0].splitlines()[1:]
    assert [line for line in body if not line.startswith("[gw")] == [f"test_bad.py:3: {text}"], place


def test_a_wrong_argument_of_a_call_is_a_failure_at_its_line(project: Any) -> None:
    """The text begins with file and line of the call, and no frame of ours is shown."""
    project.pytester.makepyfile(test_bad="def test_bad(chimera):\n    chimera('Hello', roundz=3)\n")
    result = project.run("-p", "no:benchmark")
    body = project.shown(result).partition("test_bad[toy] ___")[2].partition("===")[0].splitlines()[1:]
    known = KNOWN.replace(
        "rounds,", "prompt, messages, system, format, images, tools, suffix, raw, endpoint, rounds,", 1
    )
    assert body == [f"test_bad.py:2: chimera(...) has the unknown argument 'roundz'. {known} Did you mean 'rounds'?"]


def test_a_skipped_test_is_skipped_even_where_its_marker_is_wrong(project: Any) -> None:
    """pytest's own skip comes first."""
    project.pytester.makepyfile(
        """
        import pytest

        @pytest.mark.skip(reason="later")
        @pytest.mark.chimera(roundz=1)
        def test_bad(chimera): pass
        """
    )
    project.run("-p", "no:benchmark").assert_outcomes(skipped=1)


def test_limits_that_nothing_would_be_held_against_are_refused(project: Any) -> None:
    """A test with limits that does not use the measuring fixture is an error, not a pass."""
    project.pytester.makepyfile(
        test_bad="""
        import pytest

        @pytest.mark.chimera(limits=["tok/s >= 30"])
        def test_bad(chimera_model): pass
        """
    )
    result = project.run("-p", "no:benchmark")
    result.assert_outcomes(errors=1)
    assert (
        "test_bad.py:3: @pytest.mark.chimera(...) has limits, but the test measures no case with the fixture "
        "'chimera'. Accepted: limits on tests that call chimera(...). Use the fixture 'chimera', or leave limits out."
    ) in result.stdout.str()


def test_a_gate_that_nothing_would_be_held_against_is_refused(project: Any) -> None:
    """A test with a gate that does not use the measuring fixture is an error; one that is exempt is not."""
    project.pytester.makepyfile(
        test_bad="""
        import pytest

        @pytest.mark.chimera(gate="tok/s:5%")
        def test_bad(chimera_model): pass

        @pytest.mark.chimera(gate=None)
        def test_exempt(chimera_model): pass
        """
    )
    result = project.run("-p", "no:benchmark")
    result.assert_outcomes(errors=1, passed=1)
    assert (
        "test_bad.py:3: @pytest.mark.chimera(...) has gate, but the test measures no case with the fixture 'chimera'. "
        "Accepted: gate on tests that call chimera(...). Use the fixture 'chimera', or leave gate out."
    ) in result.stdout.str()


def test_the_marker_is_listed_with_its_arguments(project: Any) -> None:
    """`pytest --markers` tells what it takes."""
    assert (
        "@pytest.mark.chimera(rounds=, warmup=, options=, persona=, think=, prefix=, start=, timeout=, "
        "max_failed_rounds=, limits=, gate=, ...): measure a language model, and how; every test that uses a chimera "
        "fixture bears this marker"
    ) in project.run("--markers").outlines
