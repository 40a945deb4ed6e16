"""`pytest --chimera-list`: models, personas and suites that there are, and nothing is run."""

from __future__ import annotations

from typing import Any

import pytest

CLERK = "name: Clerk\ndescription: Counts things.\nsystem: You are a clerk.\n"
BUILT_IN = """
  DataCollector-9000
    Collects what is there, names each thing once, and says what is missing. (built in)
  Insight-Agent
    Explains what measurements mean, and how sure one can be. (built in)
  Technical-Writer
    Writes reports that an engineer can check, from what it was given and nothing else. (built in)
"""


@pytest.fixture
def full(project: Any) -> Any:
    """A project with personas and suites, some of them broken, and a test that must not be imported."""
    for path, text in {
        "personas/clerk.yaml": CLERK,
        "personas/odd.yaml": "name: Odd\n",
        "a.chimera.yaml": "cases: {sky: Hi, 'a, b': Hi}",
        "deep/b.chimera.yaml": "cases: {one: Hi}",
        "deep/personas/poet.yml": "name: Poet\nsystem: You are a poet.\n",
        "node_modules/x.chimera.yaml": "cases: {no: Hi}",
        "many.chimera.yaml": "cases:\n" + "".join(f"  case {number}: Hi\n" for number in range(1, 13)),
        "wrong.chimera.yaml": "cases: {sky: {promt: Hi}}",
        "test_it.py": "raise RuntimeError('imported')",
    }.items():
        (project.path / path).parent.mkdir(exist_ok=True)
        (project.path / path).write_text(text, encoding="utf-8")
    return project


def listed(project: Any, *args: str, host: str = "") -> list[str]:
    """The lines that are printed by a run that succeeds."""
    result = project.run("--chimera-list", f"--chimera-host={host or project.host}", *args, model="", process=True)
    assert (result.ret, result.stderr.str()) == (0, "")
    return list(result.stdout.str().replace(project.host, "HOST").splitlines())


def part(lines: list[str], head: str) -> list[str]:
    """The lines below one heading."""
    begin = next(index for index, line in enumerate(lines) if line.startswith(head))
    rest = lines[begin + 1 :]
    return rest[: rest.index("")] if "" in rest else rest


def test_personas_are_listed_with_their_files(full: Any, way: tuple[str, ...]) -> None:
    """Those of the project, below the paths and above them, then the built-in ones; a broken one with its error."""
    assert part(listed(full, *way), "personas") == [
        "  Clerk",
        "    Counts things. (personas/clerk.yaml)",
        "  personas/odd.yaml",
        "    personas/odd.yaml:1:1: the persona has no 'system'. Accepted: name, description, system,",
        "    options, bounds, expect; name and system must be there. Add 'system'.",
        "  Poet",
        "    (deep/personas/poet.yml)",
        *BUILT_IN.strip("\n").splitlines(),
    ]


def test_suites_are_listed_with_their_cases(full: Any, way: tuple[str, ...]) -> None:
    """Below the given paths, less the folders that pytest leaves out; a broken file with its line."""
    found = part(listed(full, *way), "suites")
    assert found[:6] == [
        "  a.chimera.yaml",
        "    2 cases: sky; a, b",
        "  many.chimera.yaml",
        "    12 cases: case 1; case 2; case 3; case 4; case 5; case 6; case 7; case 8; and 4 more",
        "  wrong.chimera.yaml",
        "    wrong.chimera.yaml:1:15: the case 'sky' has the unknown field 'promt'. Accepted: description,",
    ]
    assert found[-2:] == ["  deep/b.chimera.yaml", "    1 case: one"]
    assert [line for line in found if "node_modules" in line] == []


def test_paths_choose_suites(full: Any) -> None:
    """A folder, a file, or the id of a test; personas of folders above a path belong to it."""
    lines = listed(full, "deep")
    assert part(lines, "suites") == ["  deep/b.chimera.yaml", "    1 case: one"]
    assert part(lines, "personas")[0] == "  Clerk"
    assert part(listed(full, "a.chimera.yaml::sky"), "suites") == ["  a.chimera.yaml", "    2 cases: sky; a, b"]


def test_testpaths_of_the_ini_file_hold(full: Any) -> None:
    """Without a path on the command line, it is those of the ini file."""
    full.pytester.makeini("[pytest]\ntestpaths = deep\n")
    assert part(listed(full), "suites") == ["  deep/b.chimera.yaml", "    1 case: one"]


def test_models_of_the_host_are_listed(project: Any, way: tuple[str, ...]) -> None:
    """With what the host says of each: parameters, quantization, size and capabilities."""
    lines = part(listed(project, *way), "models of Ollama at HOST")
    assert lines[0].split() == ["model", "parameters", "quantization", "size", "capabilities"]
    assert [line.split()[0] for line in lines[1:]] == ["toy", "other", "spare", "slow", "broken", "rude"]
    assert lines[1].split()[1:3] == ["1K", "F16"]
    assert lines[1].endswith("completion")


def test_what_the_embedded_engine_has_is_listed(project: Any) -> None:
    """The model that comes with it; where the extra is not installed, how to get it."""
    pytest.importorskip("xllamacpp", reason="it is listed where it can be used")
    assert part(listed(project), "models of the embedded engine") == [
        "  model  parameters  quantization     size  capabilities",
        "  tiny          93K          Q8_0  108 KiB  completion",
    ]
    project.pytester.makeconftest(
        "import pytest_chimera.plugin.models as models\nmodels.engine_is_installed = lambda: False\n"
    )
    assert part(listed(project), "models of the embedded engine") == [
        "  none: it is not installed. Measure without Ollama: pip install 'pytest-chimera[embedded]'"
    ]


def test_where_no_server_answers_it_says_so(project: Any, no_server: str) -> None:
    """A machine without Ollama is no error."""
    assert part(listed(project, host=no_server), f"models of Ollama at {no_server}") == ["  no Ollama answers there"]


def test_a_project_without_suites_says_so(project: Any) -> None:
    """Nothing is there, and that is said."""
    assert part(listed(project), "suites") == ["  no file *.chimera.yaml here"]


def test_narrow_terminals_get_short_lines(full: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is longer than the terminal is wide, where its words allow it."""
    monkeypatch.setenv("COLUMNS", "50")
    lines = [line.replace("HOST", full.host) for line in listed(full)]
    assert [line for line in lines if len(line) > 50] == []


def test_what_files_say_is_escaped(project: Any) -> None:
    """Control sequences in names and descriptions are written out."""
    (project.path / "personas").mkdir()
    (project.path / "personas" / "red.yaml").write_text(
        'name: "\\e[31mRed"\ndescription: "\\e[2J"\nsystem: x\n', encoding="utf-8"
    )
    lines = listed(project)
    assert "\x1b" not in "".join(lines)
    assert "  \\x1b[31mRed" in lines


def test_nothing_is_run_or_imported(full: Any) -> None:
    """The test file that would raise is not touched, no report is written, and pytest's own lines are missing."""
    text = "\n".join(listed(full))
    assert "imported" not in text
    assert "test session starts" not in text
    assert full.reports() == []


def test_a_path_that_is_not_there_is_a_usage_error(project: Any) -> None:
    """As for a run of tests: status 4 and one line."""
    result = project.run("--chimera-list", "nowhere", model="", process=True)
    assert result.ret == 4
    assert [line for line in result.errlines if line] == ["ERROR: file or directory not found: nowhere"]


def test_it_can_be_set_and_switched_off_elsewhere(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable and the ini line are its twins, and "off" runs the tests."""
    project.pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    project.pytester.makeini("[pytest]\nchimera_list = on\n")
    assert "suites" in project.run(f"--chimera-host={project.host}", model="").outlines
    monkeypatch.setenv("CHIMERA_LIST", "off")
    project.run(model="").assert_outcomes(passed=1)
