"""Suites in YAML as they are collected: ids, choice, order, models, markers, and files that are refused."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from pytest_chimera.plugin.collecting import is_suite

QUIET = ("-p", "no:cacheprovider", "-p", "no:benchmark")
LATENCY = """
description: How fast is it?
cases:
  sky:
    description: |
      The shortest of all,

      and no more.
    prompt: Why is the sky blue?
    tags: [short, smoke]
  sea: Why is the sea blue?
  long talk:
    messages: [{role: user, content: Tell me all.}]
    skip: takes too long
    tags: [slow]
"""
BROKEN = """
cases:
  sky:
    promt: Why?
"""
REFUSED = (
    "broken.chimera.yaml:4:5: the case 'sky' has the unknown field 'promt'. Accepted: description, models, persona, "
    "prompt, messages, "
)


def write(project: Any, **texts: str) -> None:
    """Write suites; `latency` becomes `latency.chimera.yaml`."""
    for name, text in texts.items():
        (project.path / f"{name}.chimera.yaml").write_text(textwrap.dedent(text), encoding="utf-8")


def ids(project: Any, *args: str, model: str = "toy") -> list[str]:
    """The node ids that are collected, in their order."""
    lines = project.run("--collect-only", "-q", *QUIET, *args, model=model).outlines
    return [line for line in lines if "::" in line and not line.startswith("ERROR")]


def test_each_case_is_an_item_for_each_model(project: Any) -> None:
    """Ids can be typed: the file, the case, the model in brackets; all of one model come before those of the next."""
    write(project, latency=LATENCY)
    assert ids(project, model="other,toy") == [
        "latency.chimera.yaml::sky[other]",
        "latency.chimera.yaml::sea[other]",
        "latency.chimera.yaml::long talk[other]",
        "latency.chimera.yaml::sky[toy]",
        "latency.chimera.yaml::sea[toy]",
        "latency.chimera.yaml::long talk[toy]",
    ]


def test_collect_only_reads_like_the_file(project: Any) -> None:
    """The tree has the file and its cases, and with -v what each is about: its description, or how it begins."""
    write(project, latency=LATENCY)
    shown = project.shown(project.run("--collect-only", "-v", *QUIET)).splitlines()
    begin = shown.index("  <ChimeraFile latency.chimera.yaml>")
    assert [line.strip() for line in shown[begin : begin + 6]] == [
        "<ChimeraFile latency.chimera.yaml>",
        "<ChimeraCase sky[toy]>",
        "The shortest of all,",
        "<ChimeraCase sea[toy]>",
        "Why is the sea blue?",
        "<ChimeraCase long talk[toy]>",
    ]


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("latency.chimera.yaml::sky[toy]",), ["sky[toy]"]),
        (("latency.chimera.yaml::sky",), ["sky[other]", "sky[toy]"]),
        (("latency.chimera.yaml::long talk[other]",), ["long talk[other]"]),
        (("-k", "sea"), ["sea[other]", "sea[toy]"]),
        (("-k", "sea and toy"), ["sea[toy]"]),
        (("-k", "latency and sky and other"), ["sky[other]"]),
        (("-m", "short"), ["sky[other]", "sky[toy]"]),
        (("-m", "slow or smoke", "-k", "toy"), ["sky[toy]", "long talk[toy]"]),
        (("-m", "chimera", "-k", "sky and toy"), ["sky[toy]"]),
        (("-m", "not chimera"), []),
        (("--deselect", "latency.chimera.yaml::sea", "-k", "toy"), ["sky[toy]", "long talk[toy]"]),
        (("--ignore", "latency.chimera.yaml"), []),
    ],
)
def test_cases_are_chosen_as_tests_are(project: Any, args: tuple[str, ...], names: list[str]) -> None:
    """Ids, `-k` by name, file and model, `-m` by tag and by our marker, `--deselect` and `--ignore`."""
    write(project, latency=LATENCY)
    assert [each.partition("::")[2] for each in ids(project, *args, model="other,toy")] == names


def test_tags_are_no_unknown_markers(project: Any, way: tuple[str, ...]) -> None:
    """Where markers must be declared and warnings are errors, the tags of a suite are fine, and pytest lists them."""
    write(project, latency=LATENCY)
    result = project.run(*way, *QUIET, "--strict-markers", "-W", "error", "-m", "short", "--chimera-rounds=1")
    result.assert_outcomes(passed=1)
    assert result.ret == 0


def test_a_tag_that_is_a_marker_of_the_project_stays_its_own(project: Any) -> None:
    """A marker that the ini file declares is not declared a second time."""
    write(project, latency=LATENCY)
    project.pytester.makeini("[pytest]\nmarkers =\n    short(why): mine\n")
    project.pytester.makeconftest(
        """
        def pytest_collection_finish(session):
            lines = [line for line in session.config.getini("markers") if line.startswith(("short", "slow"))]
            print(f"declared {lines}")
        """
    )
    result = project.run("--collect-only", "-q", "-s", *QUIET)
    assert "declared ['short(why): mine', 'slow: a tag of latency.chimera.yaml']" in result.stdout.str()


def test_cases_of_one_model_come_together_over_files(project: Any) -> None:
    """A model is loaded once: all suites ask the first before any asks the next; tests in Python keep their place."""
    write(project, a="cases: {one: Hi, two: Hi}", z="cases: {three: Hi}")
    project.pytester.makepyfile(test_m="def test_plain(): pass\n")
    assert ids(project, model="other,toy") == [
        "a.chimera.yaml::one[other]",
        "a.chimera.yaml::two[other]",
        "z.chimera.yaml::three[other]",
        "a.chimera.yaml::one[toy]",
        "test_m.py::test_plain",
        "a.chimera.yaml::two[toy]",
        "z.chimera.yaml::three[toy]",
    ]


def test_the_run_names_models_before_the_case_and_the_case_before_the_file(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Option, variable or ini line, else the case's own models, else the file's."""
    write(project, latency="models: [other, spare]\ncases: {sky: {prompt: Hi, models: [toy]}, sea: Hi}")
    file = "latency.chimera.yaml"
    assert ids(project, model="") == [f"{file}::sky[toy]", f"{file}::sea[other]", f"{file}::sea[spare]"]
    assert ids(project, model="slow") == [f"{file}::sky[slow]", f"{file}::sea[slow]"]
    project.pytester.makeini("[pytest]\nchimera_model = broken\n")
    assert ids(project, model="") == [f"{file}::sky[broken]", f"{file}::sea[broken]"]
    monkeypatch.setenv("CHIMERA_MODEL", "rude")
    assert ids(project, model="") == [f"{file}::sky[rude]", f"{file}::sea[rude]"]


def test_where_nobody_names_a_model_tiny_stands_in(project: Any) -> None:
    """As for a test in Python; two spellings of one model are one."""
    pytest.importorskip("xllamacpp", reason="the stand-in is the embedded engine")
    write(project, a="cases: {sky: Hi}", b="models: [toy, 'toy:latest']\ncases: {sky: Hi}")
    assert ids(project, model="") == ["a.chimera.yaml::sky[tiny]", "b.chimera.yaml::sky[toy]"]


def test_a_case_that_names_every_model_is_one_item(project: Any) -> None:
    """Arms that each have a model, and a sweep over models, are one item without brackets, whatever the run names."""
    write(
        project,
        ab="""
        models: [other, toy]
        cases:
          models: {prompt: Hi, arms: {a: {model: toy}, b: {model: spare}}}
          options: {prompt: Hi, arms: {a: {options: {top_k: 1}}, b: {model: spare}}}
          varied: {prompt: Hi, sweep: {model: [other, spare]}}
        """,
    )
    for model in ("", "other,toy"):
        assert ids(project, model=model) == [
            "ab.chimera.yaml::options[other]",
            "ab.chimera.yaml::varied",
            "ab.chimera.yaml::models",
            "ab.chimera.yaml::options[toy]",
        ]


def test_a_broken_file_is_a_collection_error_with_its_line(project: Any, way: tuple[str, ...]) -> None:
    """The text stands there once, with file, line and column, and without a traceback."""
    write(project, broken=BROKEN)
    project.pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    result = project.run(*way, *QUIET)
    shown = project.shown(result)
    assert shown.count(REFUSED) == 1
    assert "Did you mean 'prompt'?" in shown
    assert "Traceback" not in shown
    assert ".py" not in shown.partition("ERRORS")[2].partition("short test summary")[0]
    assert result.ret == (1 if way else 2)
    assert result.parseoutcomes() == ({"passed": 1, "errors": 1} if way else {"errors": 1})


def test_the_other_files_run_where_errors_are_passed_over(project: Any) -> None:
    """With --continue-on-collection-errors a broken suite takes no other file with it."""
    write(project, broken=BROKEN, good="cases: {sky: Hi}")
    result = project.run(*QUIET, "--continue-on-collection-errors", "--chimera-rounds=1")
    assert result.parseoutcomes() == {"passed": 1, "errors": 1}


NOT_EMBEDDED = (
    "latency.chimera.yaml:2:21: the embedded engine has no model 'gemma3'. Accepted: 'tiny' or the path of a .gguf "
    "file. Leave --chimera-engine out to ask Ollama for it."
)
NO_FILE = "latency.chimera.yaml:2:21: there is no file 'ROOT/no.gguf'. Check the path."


@pytest.mark.parametrize(
    ("engine", "named", "text"), [("embedded", "gemma3", NOT_EMBEDDED), ("auto", "./no.gguf", NO_FILE)]
)
def test_a_model_that_no_server_can_answer_for_is_refused_at_its_line(
    project: Any, engine: str, named: str, text: str
) -> None:
    """What the suite names and the option forbids, or a file that is not there, is an error of the file."""
    pytest.importorskip("xllamacpp", reason="both are about the embedded engine")
    write(project, latency=f"cases:\n  sea: {{prompt: Hi, models: [{named}]}}\n")
    result = project.run(*QUIET, f"--chimera-engine={engine}", model="")
    assert text in project.shown(result).splitlines()


def test_only_files_with_a_name_of_their_own_are_suites(project: Any) -> None:
    """The endings are .chimera.yaml and .chimera.yml; a file that is named by its ending alone is none."""
    assert [is_suite(name) for name in ("a.chimera.yaml", "a.chimera.yml")] == [True, True]
    assert [is_suite(name) for name in (".chimera.yaml", "chimera.yaml", "a.yaml", "a.chimera.yaml.bak")] == [False] * 4
    (project.path / "short.chimera.yml").write_text("cases: {sky: Hi}", encoding="utf-8")
    (project.path / "other.yaml").write_text("no: suite", encoding="utf-8")
    assert ids(project) == ["short.chimera.yml::sky[toy]"]


def test_the_same_ids_come_from_every_worker(project: Any) -> None:
    """Both workers find the same items in the same order, or xdist would refuse to run."""
    write(project, latency=LATENCY, b="cases: {one: Hi, two: Hi, three: Hi}")
    result = project.run("-n", "2", *QUIET, "--chimera-rounds=1", model="other,toy")
    assert result.parseoutcomes() == {"passed": 10, "skipped": 2}
