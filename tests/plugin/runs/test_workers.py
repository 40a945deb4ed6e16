"""With workers: one engine for all, one request at a time on a host, the same results as without."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

SIX = """
import pytest

@pytest.mark.parametrize("n", range(6))
def test_it(chimera, n):
    chimera(f"Hello {n}", rounds=2)
"""


def results(project: Any) -> list[dict[str, Any]]:
    """The rows of TTFT that a run saved."""
    rows = json.loads((project.path / "x.json").read_text(encoding="utf-8"))["benchmarks"]
    return [row for row in rows if row["group"] == "ttft"]


def test_the_same_cases_come_back_from_workers(project: Any) -> None:
    """Names, keys, groups and numbers of values of all rows are the same with two workers as without."""
    project.pytester.makepyfile(test_it=SIX)
    seen = []
    for way in ((), ("-n", "2")):
        assert project.run(*way, "--benchmark-json=x.json").ret == 0
        seen.append(sorted((row["fullname"], len(row["stats"]["data"])) for row in results(project)))
    assert seen[0] == seen[1]
    assert seen[0] == [(f"test_it.py::test_it[toy-{n}] ttft", 2) for n in range(6)]


def test_one_engine_serves_all_workers_and_is_stopped_by_the_controller(project: Any) -> None:
    """Every worker measures on the address that the controller started, and nobody starts another."""
    pytest.importorskip("xllamacpp", reason="tiny runs on the embedded engine")
    project.pytester.makepyfile(
        test_it="""
        import os, pathlib, pytest

        @pytest.mark.parametrize("n", range(4))
        def test_it(chimera_model, n, tmp_path_factory, request):
            where = request.config.rootpath / f"seen-{os.environ['PYTEST_XDIST_WORKER']}"
            where.write_text(chimera_model.host)
            children = pathlib.Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
            assert not children.exists() or children.read_text() == ""
        """
    )
    result = project.run("-n", "2", "-p", "no:benchmark", model="tiny")
    result.assert_outcomes(passed=4)
    seen = {each.read_text(encoding="utf-8") for each in project.path.glob("seen-*")}
    assert len(seen) == 1


def test_requests_to_one_host_take_turns(project: Any) -> None:
    """No round of one worker overlaps a round of another, by the clocks of the rounds themselves."""
    project.pytester.makepyfile(test_it=SIX.replace("range(6)", "range(4)"))
    project.pytester.makeconftest(
        """
        def pytest_runtest_logreport(report):
            if hasattr(report, "_chimera") and hasattr(report, "node"):
                with open("payloads", "a") as file:
                    file.write(report._chimera + "\\n")
        """
    )
    assert project.run("-n", "2", "-p", "no:benchmark", model="slow").ret == 0
    payloads = (project.path / "payloads").read_text(encoding="utf-8").splitlines()
    spans = sorted(span for payload in payloads for span in rounds_of(json.loads(payload)))
    assert len(spans) == 12
    assert [(ended, sent) for (_, ended), (sent, _) in pairwise(spans) if sent < ended] == []


def rounds_of(value: Any) -> list[tuple[int, int]]:
    """(sent, ended) in ns of every request anywhere in a payload."""
    if isinstance(value, dict):
        own = [(value["sent_unix_ns"], value["sent_unix_ns"] + value["end_ns"])] if "sent_unix_ns" in value else []
        return own + [each for inner in value.values() for each in rounds_of(inner)]
    return [each for inner in value for each in rounds_of(inner)] if isinstance(value, list) else []


def test_an_engine_that_cannot_start_is_an_error_of_each_case(project: Any, way: tuple[str, ...]) -> None:
    """What the engine said is in the error, with workers as without, and nothing hangs."""
    (project.path / "broken.gguf").write_bytes(b"not a model")
    project.pytester.makepyfile(test_it="def test_it(chimera):\n    chimera('Hello', rounds=1)\n")
    pytest.importorskip("xllamacpp", reason="files run on the embedded engine")
    result = project.run(*way, "-p", "no:benchmark", "--chimera-model=broken.gguf", model="")
    result.assert_outcomes(errors=1)
    shown = project.shown(result)
    assert (
        "\nThe embedded engine did not start. ROOT/broken.gguf cannot be used as a model: begins with b'not ', "
        "not with b'GGUF'. The embedded engine takes GGUF files, the format of llama.cpp. Give the path of such a "
        "file, or `tiny` for the model that ships with the package.\n"
    ) in shown
    assert "pytest_chimera/" not in shown


def test_a_gguf_file_is_measured_under_the_name_of_the_file(project: Any) -> None:
    """A path is answered by the embedded engine, and stands in node ids as the file's name."""
    pytest.importorskip("xllamacpp", reason="files run on the embedded engine")
    from pytest_chimera.engine import tiny  # noqa: PLC0415  # only where it can run

    (project.path / "Mine.gguf").write_bytes(tiny.PATH.read_bytes())
    project.pytester.makepyfile(
        test_it="""
        def test_it(chimera, chimera_model):
            assert chimera_model.name == "mine:latest"
            assert chimera("Hello", rounds=1).generations[0].ok
        """
    )
    result = project.run("-v", "-p", "no:benchmark", "--chimera-model=Mine.gguf", model="")
    result.assert_outcomes(passed=1)
    assert "test_it.py::test_it[Mine.gguf] PASSED" in result.stdout.str()
