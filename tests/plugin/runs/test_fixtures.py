"""The fixtures in people's hands: what each gives, alone and with workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PERSONA = """
name: Old Sailor
system: You speak as an old sailor does.
"""


def passes(project: Any, source: str, *args: str, model: str = "toy") -> pytest.RunResult:
    """Run one file and see that it passes."""
    project.pytester.makepyfile(test_it=source)
    result: pytest.RunResult = project.run("-p", "no:benchmark", *args, model=model)
    assert result.ret == 0, result.stdout.str()
    return result


def test_a_run_has_text_generations_and_a_statistic_per_metric(project: Any, way: tuple[str, ...]) -> None:
    """What a call returns is what the README promises to assert on."""
    passes(
        project,
        """
        def test_it(chimera):
            run = chimera("Why is the sky blue?", rounds=3)
            assert run.text == "Because of its molecules."
            assert [each.eval_count for each in run.generations] == [10, 10, 10]
            assert (run.tok_s.median, run.tok_s.n, run.tok_s.unit) == (200.0, 3, "tok/s")
            assert run.prefill.mean == 500.0
            assert run.ttft.unit == "s" and 0 < run.ttft.median < 5 and run.ttft.p95 is None
        """,
        *way,
    )


def test_the_model_says_what_it_is(project: Any) -> None:
    """`chimera_model` carries what the server says of the model."""
    passes(
        project,
        """
        def test_it(chimera_model):
            assert (chimera_model.name, str(chimera_model)) == ("toy:latest", "toy:latest")
            assert len(chimera_model.digest) == 64
            assert (chimera_model.family, chimera_model.parameter_size, chimera_model.quantization) == (
                "scripted", "1K", "F16")
            assert chimera_model.context_length == 4096
            assert chimera_model.capabilities == ("completion",)
            assert repr(chimera_model) == f"<ChimeraModel toy:latest at {chimera_model.host}>"
        """,
    )


def test_the_model_can_be_timed_by_a_plain_benchmark(project: Any) -> None:
    """A row of `benchmark(model.generate, prompt)` carries the requests that it counts, and no others."""
    project.pytester.makepyfile(
        test_it="""
        def test_it(benchmark, chimera_model):
            assert benchmark.pedantic(chimera_model.generate, ("Hello",), rounds=3).text == "Because of its molecules."

        def test_chat(chimera_model):
            assert chimera_model.chat([{"role": "user", "content": "Hello"}], options={"seed": 1}).eval_count == 10
            assert chimera_model.chat("Hello", system="Be brief.").endpoint == "chat"
        """
    )
    result = project.run("--benchmark-json=x.json")
    result.assert_outcomes(passed=2)
    (row,) = json.loads((project.path / "x.json").read_text(encoding="utf-8"))["benchmarks"]
    assert [len(each["generations"]) for each in row["extra_info"]["chimera"]["rounds"]] == [1, 1, 1]


def test_a_request_that_fails_outside_a_case_fails_the_test_in_words(project: Any) -> None:
    """`chimera_model.generate` on a broken model is a failure with the server's words, without a traceback."""
    project.pytester.makepyfile(test_it="def test_it(chimera_model):\n    chimera_model.generate('Hello')\n")
    result = project.run("-p", "no:benchmark", model="broken")
    result.assert_outcomes(failed=1)
    body = project.shown(result).partition("test_it[broken] ___")[2].partition("===")[0]
    assert "The request to broken:latest at HOST failed: " in body
    assert "llama runner process has terminated" in body
    assert "Traceback" not in body


def test_the_ollama_client_is_connected_to_the_host(project: Any, way: tuple[str, ...]) -> None:
    """The public client lists the models of the host that the settings name, and closes without a warning."""
    passes(
        project,
        """
        def test_it(ollama_client):
            assert "toy:latest" in [each.model for each in ollama_client.list().models]
        """,
        *way,
        "-W",
        "error",
    )


def test_personas_are_found_beside_the_test_and_above_and_built_in(project: Any) -> None:
    """A project's own persona is found by any spelling of its name, and speaks first in a case."""
    (project.path / "personas").mkdir()
    (project.path / "personas" / "old-sailor.yaml").write_text(PERSONA, encoding="utf-8")
    folder = project.path / "deep" / "down"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(
        "def test_it(chimera, chimera_persona):\n"
        "    assert chimera_persona('old sailor').system == 'You speak as an old sailor does.'\n"
        "    assert chimera_persona('insight-agent').system\n"
        "    run = chimera('Hello', persona='Old_Sailor', rounds=1)\n"
        "    assert run.result.case.messages[0].content == 'You speak as an old sailor does.'\n",
        encoding="utf-8",
    )
    result = project.run("-p", "no:benchmark")
    assert result.ret == 0, result.stdout.str()
    assert "You speak as an old sailor does." in (project.path / ".chimera" / "report.md").read_text(encoding="utf-8")


def test_an_unknown_persona_is_a_failure_that_lists_the_known(project: Any) -> None:
    """The text has file and line, the names there are, and where to put a new one."""
    project.pytester.makepyfile(test_it="def test_it(chimera):\n    chimera('Hello', persona='nobody')\n")
    result = project.run("-p", "no:benchmark")
    body = project.shown(result).partition("test_it[toy] ___")[2].partition("===")[0].splitlines()[1:]
    assert "\n".join(body) == (
        "test_it.py:2: There is no persona 'nobody'. Known personas: DataCollector-9000, Insight-Agent, "
        "Technical-Writer. "
        "Add it as personas/NAME.yaml with the fields name and system."
    )


def test_engines_of_a_test_are_stopped_with_it(project: Any) -> None:
    """A scripted engine answers while the test runs and is gone afterwards."""
    passes(
        project,
        """
        import ollama, pytest
        ENGINES = []

        def test_it(chimera_engine):
            engine = chimera_engine.scripted({"models": {"parrot": {"answers": [{"tokens": "Polly wants it."}]}}})
            ENGINES.append(engine)
            client = ollama.Client(host=engine.url)
            assert client.generate("parrot", "Hello").response == "Polly wants it."
            client._client.close()

        def test_after():
            assert not ENGINES[0].is_running
        """,
        model="",
    )


def test_the_report_so_far_can_be_asserted_on_and_its_building_is_recorded(project: Any, way: tuple[str, ...]) -> None:
    """`chimera_report` has what earlier tests measured, in any worker, and building it makes rows of its own."""
    project.pytester.makepyfile(
        test_it="""
        def test_a(chimera):
            chimera("Hello", rounds=2)

        def test_b(chimera_report):
            assert "Executive Summary" in chimera_report.sections
            assert "test_a[toy]" in chimera_report.text
        """
    )
    result = project.run(*way, *(["--dist=loadfile"] if way else []), "--benchmark-json=x.json")
    assert result.ret == 0, result.stdout.str()
    rows = json.loads((project.path / "x.json").read_text(encoding="utf-8"))["benchmarks"]
    assert [row["name"] for row in rows if row["group"].startswith("report")] == [
        "test_b report build",
        "test_b report markdown",
        "test_b report json",
    ]
