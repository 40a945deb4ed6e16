"""Cases of suites as they run: failures with their line, skips and known failures, fixtures, neighbours, servers."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest

QUIET = ("-p", "no:cacheprovider", "-p", "no:benchmark")
QUICK = (*QUIET, "--chimera-rounds=1")
ENGINE = "the embedded engine (llama.cpp in a process of its own)"
TURNS = "chimera: 2 workers, 2 hosts: their requests take turns, because two at once would measure each other."


def write(project: Any, **texts: str) -> None:
    """Write suites; `latency` becomes `latency.chimera.yaml`."""
    for name, text in texts.items():
        (project.path / f"{name}.chimera.yaml").write_text(textwrap.dedent(text), encoding="utf-8")


def failure(project: Any, result: pytest.RunResult, name: str) -> str:
    """What stands below the head line of a failure or error."""
    text = project.shown(result).partition(f" {name} ___")[2].partition("\n")[2]
    ends = [text.find(end) for end in ("\n___", "\n---", "\n===") if end in text]
    lines = text[: min(ends)].strip("\n").splitlines()
    return "\n".join(lines[1:] if lines[0].startswith("[gw") else lines)


def asked(project: Any) -> list[dict[str, Any]]:
    """The cases of the newest report."""
    newest = max((project.path / ".chimera" / "reports").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    return list(json.loads(newest.read_text(encoding="utf-8"))["cases"])


def test_a_case_is_measured_as_a_test_in_python_is(project: Any, way: tuple[str, ...]) -> None:
    """It has its row in the table, its report, and the arguments of the file."""
    write(project, latency="defaults: {rounds: 2}\ncases: {sky: Why is the sky blue?}")
    result = project.run(*way, *QUIET)
    result.assert_outcomes(passed=1)
    assert project.ours(result)[-2] == "sky[toy]  TIME  500  200  TIME  2  0  0"
    assert "reports/toy-latest_1K" in project.ours(result)[-1]


def test_a_broken_limit_shows_its_line(project: Any, way: tuple[str, ...]) -> None:
    """The text is that of a test in Python, and below it the line in which the limits stand; no traceback."""
    write(project, latency="cases:\n  sky:\n    prompt: Hi\n    limits: {tok/s: '>= 1000'}\n")
    text = failure(project, project.run(*way, *QUICK), "sky[toy]").splitlines()
    assert text[0] == "tok/s >= 1000 does not hold: measured 200 tok/s (median of 1 rounds)"
    assert text[-1] == "  where  latency.chimera.yaml:4, limits"
    assert not [line for line in text if ".py" in line]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            ["prompt: Hi", "persona: nobody"],
            "latency.chimera.yaml:4: There is no persona 'nobody'. Known personas: ",
        ),
        (
            ["prompt: {file: no.txt}"],
            "latency.chimera.yaml:3:5: the file '",
        ),
    ],
    ids=["persona", "file"],
)
def test_a_mistake_that_only_the_run_shows_begins_with_its_line(
    project: Any, way: tuple[str, ...], lines: list[str], text: str
) -> None:
    """Such a case fails by itself, with file and line before the text and without a traceback; the others run."""
    write(project, latency="\n".join(["cases:", "  sky:", *(f"    {line}" for line in lines), "  sea: Hi"]))
    result = project.run(*way, *QUICK)
    shown = failure(project, result, "sky[toy]")
    assert shown.startswith(text)
    assert ".py" not in shown
    assert result.parseoutcomes() == {"failed": 1, "passed": 1}


def test_skip_and_xfail_have_their_reasons(project: Any, way: tuple[str, ...]) -> None:
    """A skip may be for some models only; a known failure is one, and a strict one that passes fails."""
    write(
        project,
        latency="""
        cases:
          sky: {prompt: Hi, skip: not today}
          sea: {prompt: Hi, skip: {models: [toy], reason: too small}}
          known: {prompt: Hi, limits: {tok/s: '>= 1000'}, xfail: slow box}
          strict: {prompt: Hi, xfail: {reason: once slow, strict: true}}
          lax: {prompt: Hi, xfail: {reason: at times, strict: false}}
        """,
    )
    result = project.run(*way, *QUICK, "-rsxX", model="toy,other")
    lines = sorted(
        line for line in project.shown(result).splitlines() if line.startswith(("SKIPPED", "XFAIL", "XPASS"))
    )
    assert lines == [
        "SKIPPED [1] latency.chimera.yaml: too small",
        "SKIPPED [2] latency.chimera.yaml: not today",
        "XFAIL latency.chimera.yaml::known[other] - slow box",
        "XFAIL latency.chimera.yaml::known[toy] - slow box",
        "XPASS latency.chimera.yaml::lax[other] - at times",
        "XPASS latency.chimera.yaml::lax[toy] - at times",
    ]
    assert failure(project, result, "strict[toy]") == "[XPASS(strict)] once slow"
    assert result.parseoutcomes() == {"passed": 1, "skipped": 3, "xfailed": 2, "xpassed": 2, "failed": 2}


def test_a_run_in_which_all_is_skipped_says_nothing(project: Any) -> None:
    """No head line, no server, no file, as for tests in Python."""
    write(project, latency="models: [gemma3]\ncases: {sky: {prompt: Hi, skip: not today}}")
    result = project.run(*QUIET, model="")
    assert (project.ours(result), project.reports()) == ([], [])


def test_a_marker_of_the_project_holds_below_the_case(project: Any) -> None:
    """What conftest adds stands below what the file says and above the settings."""
    write(project, latency="cases: {sky: Hi, sea: {prompt: Hi, rounds: 3}}")
    project.pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.chimera(rounds=2, options={"top_k": 3}))
        """
    )
    project.run(*QUIET, "--chimera-rounds=4")
    told = [(each["name"], each["rounds"], each["options"]["top_k"]) for each in asked(project)]
    assert told == [("sky[toy]", 2, 3), ("sea[toy]", 3, 3)]


@pytest.mark.parametrize("option", ["--benchmark-only", "--benchmark-skip"])
def test_cases_are_benchmarks(project: Any, option: str) -> None:
    """`--benchmark-only` keeps them and `--benchmark-skip` leaves them out."""
    write(project, latency="cases: {sky: Hi}")
    project.pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    result = project.run(option, "-v", "--chimera-rounds=1", "-W", "error")
    assert result.parseoutcomes() == {"passed": 1, "skipped": 1}
    lines = [line.split()[:2] for line in result.outlines if line.startswith(("latency.chimera.yaml::", "test_plain"))]
    kept = "PASSED" if option == "--benchmark-only" else "SKIPPED"
    assert ["latency.chimera.yaml::sky[toy]", kept] in lines


@pytest.mark.parametrize(
    "absent", [("-p", "no:xdist"), ("-p", "no:benchmark"), ("-p", "no:xdist", "-p", "no:benchmark")]
)
def test_neither_xdist_nor_benchmark_is_needed(project: Any, absent: tuple[str, ...]) -> None:
    """Cases run where one of the two is switched off, or both are."""
    write(project, latency="cases: {sky: Hi}")
    project.run(*absent, "--chimera-rounds=1").assert_outcomes(passed=1)


def test_fixtures_with_autouse_run(project: Any) -> None:
    """Those of conftest are set up around a case, and get a request as around any test."""
    write(project, latency="cases: {sky: Hi}")
    project.pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def around(request):
            print("before", request.node.name)
            yield
            print("after")
        """
    )
    result = project.run(*QUICK, "-s")
    result.assert_outcomes(passed=1)
    assert "before sky[toy]" in result.stdout.str()
    assert "after" in result.stdout.str()


def test_a_fixture_with_autouse_cannot_have_the_model_of_a_case(project: Any) -> None:
    """It is told so in words, as an error of the case."""
    write(project, latency="cases: {sky: Hi}")
    project.pytester.makeconftest(
        "import pytest\n@pytest.fixture(autouse=True)\ndef mine(chimera_model):\n    return chimera_model.name\n"
    )
    result = project.run(*QUICK)
    assert failure(project, result, "ERROR at setup of sky[toy]") == (
        "latency.chimera.yaml:1: A fixture asks for 'chimera_model', and what runs is a case of a suite in YAML, whose "
        "model is its own. Accepted: 'chimera_model' in tests in Python and in fixtures that they use. Keep fixtures "
        "with autouse that use it out of folders with suites."
    )


def test_the_fixture_of_cases_is_theirs_alone(project: Any) -> None:
    """A test in Python that asks for it is told which one to take."""
    project.pytester.makepyfile(test_it="def test_it(chimera_case):\n    chimera_case()\n")
    result = project.run(*QUICK)
    assert failure(project, result, "ERROR at setup of test_it") == (
        "The fixture 'chimera_case' measures a case of a suite in YAML, and this test is none. Accepted: 'chimera' in "
        "a test in Python. Use it as in: def test_sky(chimera): chimera('Why is the sky blue?')."
    )


def test_models_that_only_a_suite_names_are_announced_and_served(project: Any, way: tuple[str, ...]) -> None:
    """Each is answered by the server that its name means, and no model stands in that no case asks."""
    pytest.importorskip("xllamacpp", reason="tiny runs on the embedded engine")
    write(project, a="models: [toy, tiny]\ncases: {sky: Hi}", b="cases: {sea: {prompt: Hi, models: [tiny]}}")
    result = project.run(*way, *QUICK, f"--chimera-host={project.host}", model="")
    result.assert_outcomes(passed=3)
    assert [line for line in project.ours(result) if line.startswith("chimera:")][1:] == [
        "chimera: toy is answered by Ollama at HOST",
        f"chimera: tiny is answered by {ENGINE}",
        *([TURNS] if way else []),
    ]


def test_a_stand_in_is_announced_beside_models_that_are_named(project: Any) -> None:
    """Where one case names no model, the run says that `tiny` answers, and who answers for the others."""
    pytest.importorskip("xllamacpp", reason="tiny runs on the embedded engine")
    write(project, a="cases: {sky: Hi, sea: {prompt: Hi, models: [toy]}}")
    result = project.run(*QUICK, f"--chimera-host={project.host}", model="")
    result.assert_outcomes(passed=2)
    lines = [line for line in project.ours(result) if line.startswith("chimera:")][1:]
    assert lines[0].startswith("chimera: no model is named, so 'tiny' answers: ")
    assert lines[1:] == ["chimera: toy is answered by Ollama at HOST"]


def test_a_model_that_is_not_installed_is_an_error_of_its_case(project: Any) -> None:
    """The text lists what the host has."""
    write(project, a="cases: {sky: {prompt: Hi, models: [toy, nosuch]}}")
    result = project.run(*QUICK, f"--chimera-host={project.host}", model="")
    assert result.parseoutcomes() == {"passed": 1, "errors": 1}
    assert "'nosuch'" in failure(project, result, "ERROR at setup of sky[nosuch]")


def test_texts_are_filled_from_the_sweep_and_the_environment(
    project: Any, way: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only variables that the file names are read; a sweep is one item, and each point a case of its own."""
    monkeypatch.setenv("CITY", "Rome")
    write(
        project,
        latency="""
        environment: {CITY: Oslo, COLOUR: blue}
        cases:
          sky: {prompt: 'Is the sky of {CITY} {COLOUR}?', sweep: {top_k: [1, 2]}}
        """,
    )
    result = project.run(*way, *QUICK)
    result.assert_outcomes(passed=1)
    told = [(each["name"], each["messages"][0]["content"]) for each in asked(project)]
    assert told == [
        ("sky[toy] top_k=1", "Is the sky of Rome blue?"),
        ("sky[toy] top_k=2", "Is the sky of Rome blue?"),
    ]


def test_a_variable_without_a_value_is_named(project: Any) -> None:
    """An environment variable that is not set and has no default fails the case at its text."""
    write(
        project, latency="environment: [CHIMERA_TEST_NOWHERE]\ncases:\n  sky:\n    prompt: Hi {CHIMERA_TEST_NOWHERE}\n"
    )
    text = failure(project, project.run(*QUICK), "sky[toy]")
    assert text.startswith("latency.chimera.yaml:4:5: prompt: {CHIMERA_TEST_NOWHERE} has no value: ")


def test_arms_are_measured_on_their_own_models(project: Any, way: tuple[str, ...]) -> None:
    """Arms of a host and of the embedded engine are measured in one item, whatever --chimera-model says."""
    pytest.importorskip("xllamacpp", reason="tiny runs on the embedded engine")
    write(
        project,
        ab="cases: {ab: {prompt: Hi, rounds: 5, arms: {a: {model: toy}, b: {model: tiny, options: {num_predict: 2}}}}}",
    )
    result = project.run(*way, *QUIET, model="other")
    result.assert_outcomes(passed=1)
    told = [(each["name"], each["model"]["name"]) for each in asked(project)]
    assert told == [("ab a", "toy:latest"), ("ab b", "tiny:latest")]
    heads = [line for line in project.ours(result) if line.startswith("chimera:")]
    assert f"chimera: tiny is answered by {ENGINE}" in heads
    assert not [line for line in heads if "other is answered" in line]


def test_a_sweep_in_python_asks_further_models_of_the_host(project: Any) -> None:
    """`model` is a parameter; one that only the embedded engine has, and nobody named before, is refused in words."""
    project.pytester.makepyfile(
        test_it="""
        def test_host(chimera):
            run = chimera.sweep("Hi", sweep={"model": ["toy", "other"]}, rounds=3)
            assert [each.result.case.model.name for each in run] == ["toy:latest", "other:latest"]

        def test_engine(chimera):
            chimera.sweep("Hi", sweep={"model": ["toy", "tiny"]}, rounds=3)
        """
    )
    pytest.importorskip("xllamacpp", reason="tiny runs on the embedded engine")
    result = project.run(*QUIET)
    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    assert failure(project, result, "test_engine[toy]").endswith(
        "model: 'tiny' is answered by the embedded engine, which serves what was known before it began. Accepted: "
        "models that --chimera-model or a suite in YAML names. Name it there as well: --chimera-model tiny"
    )


def test_answers_are_held_against_the_corpus(project: Any, way: tuple[str, ...]) -> None:
    """`grounded_in` takes a folder beside the suite, or the corpus of the run; each says what does not agree."""
    folder = project.path / "old"
    folder.mkdir()
    (folder / "a.csv").write_text("model,tok/s\ngemma3,41.5\ngemma3,41.7\n", encoding="utf-8")
    write(
        project,
        latency="""
        cases:
          beside: {prompt: Hi, expect: {grounded_in: old}}
          run: {prompt: Hi, expect: {grounded_in: true}}
        """,
    )
    project.run(*way, *QUICK, f"--chimera-corpus={folder}").assert_outcomes(passed=2)
    result = project.run(*way, *QUICK)
    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    assert "grounded_in: it cannot be judged: No corpus is named." in failure(project, result, "run[toy]")


def test_what_failed_last_is_found_again(project: Any) -> None:
    """`--lf` runs the case that failed and no other, `--ff` runs it first."""
    write(project, latency="cases:\n  sky: Hi\n  sea: {prompt: Hi, expect: {contains: nothing of the kind}}\n")
    quick = ("-p", "no:benchmark", "--chimera-rounds=1")
    project.run(*quick).assert_outcomes(passed=1, failed=1)
    project.run(*quick, "--lf").assert_outcomes(failed=1)
    listed = project.shown(project.run(*quick, "--ff", "--collect-only", "-q"))
    assert listed.index("::sea[toy]") < listed.index("::sky[toy]")


def test_one_round_decides_nothing_of_a_share(project: Any) -> None:
    """Under --benchmark-disable a case that lets a share of its answers fail is not held to its only one."""
    case = "prompt: Hi, expect: {contains: nothing of the kind}"
    write(project, latency=f"cases:\n  share: {{{case}, limits: {{accuracy: '>= 0 %'}}}}\n  every: {{{case}}}\n")
    result = project.run("-p", "no:cacheprovider", "--benchmark-disable")
    result.assert_outcomes(passed=1, failed=1)
    assert "every[toy]" in project.shown(result).partition("FAILURES")[2]
