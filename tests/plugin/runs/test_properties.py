"""Properties in whole runs: the shortest prompt that breaks a limit, budgets, saved examples, and Hypothesis's own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.plain_yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD_MS = 0.2
"""What a word of the prompt costs; the engine reports exactly so much, however busy the machine is."""
NOISE = (1.0, 1.1, 0.93, 1.04, 0.96, 1.08, 0.9)
BUDGET = 20
FINE: dict[str, Any] = {"tokens": "Because of it.", "ttft_per_word_s": WORD_MS / 1000}
SPENT = {"error": "this is a request too many", "error_status": 418}
SCRIPT = {
    "models": {
        "steady": {"answers": [FINE]},
        "noisy": {"answers": [{**FINE, "ttft_per_word_s": WORD_MS / 1000 * each} for each in NOISE]},
        **{name: {"answers": [FINE] * BUDGET + [SPENT], "after_last": "last"} for name in ("counted", "counted-n2")},
        "gone": {"answers": [FINE] * 9 + [{"error": "no such model", "error_status": 404}], "after_last": "last"},
    }
}
HEAD = """
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase
from pytest_chimera import chimera_given
from pytest_chimera.strategies import prompts

ALONE = settings(database=None)
"""
BREAKS = """
@chimera_given(prompt=prompts(max_words=600), limits="prompt_eval <= 20.1 ms", settings=ALONE)
def test_brief(chimera_probe, prompt):
    chimera_probe(prompt)
"""
"""One word more than 99 and the nonce breaks it."""
HOLDS = """
@chimera_given(prompt=prompts(max_words=30), limits="prompt_eval <= 1 s", settings=ALONE)
def test_brief(chimera_probe, prompt):
    chimera_probe(prompt)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server whose answers take the longer the longer the prompt is."""
    with EmbeddedEngine.scripted(SCRIPT) as engine:
        yield engine.url


class Properties:
    """A project with one file of properties, and runs of pytest over it, with Hypothesis's own plugin."""

    def __init__(self, pytester: pytest.Pytester, url: str) -> None:
        self.pytester = pytester
        self.url = url

    def write(self, *parts: str) -> None:
        """The tests of the project."""
        self.pytester.makepyfile(test_it="\n".join((HEAD, *parts)))

    def run(self, *args: str, model: str = "steady") -> tuple[pytest.RunResult, str]:
        """A run in a process of its own, and what it printed."""
        named = ("--chimera-model", model, "--chimera-host", self.url)
        result = self.pytester.runpytest_subprocess("-p", "no:anyio", "-p", "no:benchmark", *named, *args)
        return result, result.stdout.str()


@pytest.fixture
def properties(pytester: pytest.Pytester, server: str) -> Properties:
    """A project that has no test yet."""
    return Properties(pytester, server)


def pasted(text: str) -> Any:
    """The case that a failure gives to paste."""
    lines = text.partition("\ncases:\n")[2].splitlines()
    block = [line for number, line in enumerate(lines) if all(each.startswith("  ") for each in lines[: number + 1])]
    return read_yaml("\n".join(("cases:", *block))).plain["cases"]


def summary(text: str) -> list[str]:
    """How properties went, from the summary."""
    return re.findall(r"^property .*$", text, re.MULTILINE)


def test_the_shortest_prompt_is_found_to_the_word(properties: Properties, way: tuple[str, ...]) -> None:
    """With and without workers the failure shows the prompt of 100 words, and one row of that prompt is recorded."""
    properties.write(BREAKS)
    result, text = properties.run(*way, "-v")
    result.assert_outcomes(failed=1)
    assert result.ret == 1
    case = pasted(text)["test_brief"]
    assert {name: value for name, value in case.items() if name != "prompt"} == {
        "rounds": 3,
        "limits": ["prompt_eval <= 20.1 ms"],
    }
    assert len(case["prompt"].split(" ")) == 100
    assert "prompt_eval <= 20.1 ms does not hold: measured 20.2 ms (median of 2 rounds)\n" in text
    assert "Traceback" not in text
    assert "probing.py" not in text
    assert "Failing test case: test_brief(" in text or "Falsifying example: test_brief(" in text
    (line,) = summary(text)
    found = re.fullmatch(r"property test_brief\[steady\]: broken by \d+ of (\d+) examples in (\d+) requests", line)
    assert found is not None
    assert f"Asked: {found[1]} examples in {found[2]} requests of at most 1000;" in text
    assert len(re.findall(r"^test_brief\[steady\]  ", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_noise_it_is_found_within_the_noise(properties: Properties, seed: int) -> None:
    """Whatever the seed, nothing is flaky, and the prompt is no further from the limit than requests differ."""
    properties.write(BREAKS)
    result, text = properties.run(f"--hypothesis-seed={seed}", model="noisy")
    result.assert_outcomes(failed=1)
    assert "Flaky" not in text
    words = len(pasted(text)["test_brief"]["prompt"].split(" ")) + 1  # and the nonce
    assert 20.1 / WORD_MS / max(NOISE) < words <= 20.1 / WORD_MS / min(NOISE) + 1


def test_the_budget_is_kept_to_the_request(properties: Properties, way: tuple[str, ...]) -> None:
    """The server gets exactly so many requests, the test passes, and the summary and JUnit say what was spent."""
    properties.write(HOLDS)
    model = "counted-n2" if way else "counted"
    result, text = properties.run(*way, f"--chimera-max-requests={BUDGET}", "--junit-xml=out.xml", model=model)
    result.assert_outcomes(passed=1)
    said = r"budget of 20 requests spent after \d+ examples, none of which broke a limit"
    assert re.fullmatch(rf"property test_brief\[{model}\]: {said}", *summary(text))
    (told,) = ET.parse(properties.pytester.path / "out.xml").findall(".//property[@name='chimera_property']")
    assert re.fullmatch(said, told.get("value", ""))
    _, next_one = properties.run("--chimera-max-requests=1", model=model)
    assert "request too many" in next_one


def test_a_saved_example_is_replayed(properties: Properties) -> None:
    """A second run with the database that the first filled takes fewer requests and shows the same prompt."""
    properties.write(BREAKS.replace("ALONE", "settings(database=DirectoryBasedExampleDatabase('examples'))"))
    (_, first), (_, second) = properties.run(), properties.run()
    assert pasted(first) == pasted(second)
    took = [int(re.findall(r"in (\d+) requests", text)[0]) for text in (first, second)]
    assert took[1] < took[0]
    assert "Flaky" not in first + second


def test_a_server_that_stops_answering_ends_the_property(properties: Properties) -> None:
    """One failed request is shown in its words, and no other is made."""
    properties.write(HOLDS)
    result, text = properties.run(model="gone")
    result.assert_outcomes(failed=1)
    assert "Asked: 5 examples in 10 requests of at most 1000; 1 of them failed.\n" in text
    assert "Nothing more was asked after this failure: another example would not change it.\n" in text


def test_options_and_health_checks_of_hypothesis_behave(properties: Properties) -> None:
    """Statistics and profiles work; methods, parameters and fixtures too; a fixture of a function is refused by it."""
    properties.write(
        """
import pytest
settings.register_profile("brief", max_examples=4)

@pytest.fixture
def each_time(): return 1

@pytest.mark.chimera(limits="prompt_eval <= 1 s")
class TestMethods:
    @pytest.mark.parametrize("system", ["Be brief.", "Be kind."])
    @chimera_given(prompt=prompts(max_words=50))
    def test_method(self, chimera_probe, system, prompt, tmp_path_factory):
        run = chimera_probe(prompt, system=system)
        assert run.text == "Because of it."

@chimera_given(prompt=prompts(), limits="e2e <= 9 s")
def test_function_scope(chimera_probe, prompt, each_time):
    chimera_probe(prompt)

def test_plain(chimera_probe):
    assert chimera_probe("a b c", limits="prompt_eval <= 1 s", repeats=1).prompt_eval.median < 1
"""
    )
    properties.pytester.makeconftest(
        "from hypothesis import settings\nsettings.register_profile('brief', max_examples=4, database=None)\n"
    )
    result, text = properties.run("--hypothesis-show-statistics", "--hypothesis-profile=brief")
    result.assert_outcomes(passed=3, failed=1)
    assert "function-scoped fixture" in text
    assert "4 passing" in text or "Stopped because settings.max_examples=4" in text
    assert [line.rpartition(": ")[0] for line in summary(text)] == [
        "property TestMethods::test_method[steady-Be brief.]",
        "property TestMethods::test_method[steady-Be kind.]",
        "property test_plain[steady]",
    ]


def test_what_cannot_be_measured_is_refused_at_its_line(properties: Properties) -> None:
    """A probe without a limit, under `@given`, or with a wrong argument fails in words at the person's own line."""
    properties.write(
        """
from hypothesis import given

@chimera_given(prompt=prompts(), settings=ALONE)
def test_no_limit(chimera_probe, prompt):
    chimera_probe(prompt)

@given(prompt=prompts())
def test_given(chimera_probe, prompt):
    chimera_probe(prompt)

@chimera_given(prompt=prompts(), settings=ALONE, limits="ttft <= 9 s")
def test_rounds(chimera_probe, prompt):
    chimera_probe(prompt, rounds=3)

@chimera_given(prompt=prompts(), limits="ttft <= 9 s")
def test_idle(prompt):
    pass
"""
    )
    result, text = properties.run("-q")
    result.assert_outcomes(failed=3, errors=1)
    assert "\nThe test is under @chimera_given(...), but asks nothing with the fixture 'chimera_probe', so " in text
    assert "test_it.py:13: chimera_probe(...) has no limit, so no example could ever fail. Accepted: " in text
    assert "test_it.py:17: The test uses chimera_probe under @given. Accepted: @chimera_given, " in text
    assert "test_it.py:21: chimera_probe(...) has rounds=3. Accepted: repeats. Say repeats= instead.\n" in text
    assert "Traceback" not in text


def test_without_hypothesis_the_words_name_the_pip_line(properties: Properties) -> None:
    """A file that imports strategies, or decorates, is an error with the line to type and no traceback."""
    properties.pytester.makeconftest("import sys\nsys.modules['hypothesis'] = None\n")
    properties.pytester.makepyfile(
        test_strategies="from pytest_chimera.strategies import prompts\n",
        test_given="from pytest_chimera import chimera_given\n\n@chimera_given(a=1)\ndef test_it(a): pass\n",
    )
    result, text = properties.run("-p", "no:hypothesispytest")
    result.assert_outcomes(errors=2)
    line = "needs the package 'hypothesis', which is not installed. Install it with: "
    line += "pip install 'pytest-chimera[hypothesis]'"
    assert f"pytest_chimera.strategies {line}" in text
    assert f"@chimera_given(...) {line}" in text
    assert "test_strategies.py:1: in <module>" in text
    assert "test_given.py:3: in <module>" in text
    assert "pytest_chimera/" not in text
