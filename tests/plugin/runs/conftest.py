"""What tests of whole runs share: a scripted server, and a project whose runs of pytest ask it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from typing import TYPE_CHECKING, Any

import httpx  # noqa: F401  # runs in this process forget what they imported: what is here already is not read again
import ollama
import pytest
import yaml  # noqa: F401  # as httpx: its C part keeps the classes of the first import

from pytest_chimera.engine.process import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

with contextlib.suppress(ImportError):  # of pygal's: it switches off the standard finder, and must outlive a run here
    import importlib_metadata  # noqa: F401

MS = 1_000_000
ANSWER = {
    "tokens": "Because of its molecules.",
    "report": {
        "total_duration": 100 * MS, "load_duration": 2 * MS, "prompt_eval_count": 20,
        "prompt_eval_duration": 40 * MS, "eval_count": 10, "eval_duration": 50 * MS,
    },
}  # fmt: skip
SCRIPT = {
    "models": {
        "toy": {"answers": [ANSWER]},
        "other": {"answers": [ANSWER]},
        "spare": {"answers": [ANSWER]},
        "slow": {"answers": [{**ANSWER, "ttft_s": 0.05, "interval_s": 0.05}]},
        "broken": {"answers": [{"error": "llama runner process has terminated", "error_status": 500}]},
        "rude": {"answers": [{"error": "\u001b[31m| <b>boom</b>", "error_status": 500}]},
    }
}
SCRUBBED = ("CI", "BUILD_NUMBER", "OLLAMA_HOST", "OLLAMA_API_KEY", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER",
            "PYTEST_XDIST_AUTO_NUM_WORKERS", "GITHUB_STEP_SUMMARY", "HTTP_PROXY", "http_proxy", "NO_COLOR",
            "FORCE_COLOR", "PY_COLORS")  # fmt: skip
ONE_CASE = """
def test_sky(chimera):
    run = chimera("Why is the sky blue?")
    assert run.text == "Because of its molecules."
"""

_TIME = re.compile(r"\b\d[\d.]*(?:s| (?:ns|us|ms|s|min))\b")
_STAMP = re.compile(r"\d{8}-\d{6}")


class Project:
    """A folder with tests, and runs of pytest over it."""

    def __init__(self, pytester: pytest.Pytester, host: str) -> None:
        """With no test yet."""
        self.pytester = pytester
        self.path = pytester.path
        self.host = host

    def run(self, *args: str, model: str = "toy", process: bool = False) -> pytest.RunResult:
        """Run pytest on `model` at the scripted server ("" names neither); in a process of its own with workers."""
        named = ("--chimera-model", model, "--chimera-host", self.host) if model else ()
        run = self.pytester.runpytest_subprocess if process or "-n" in args else self.pytester.runpytest_inprocess
        return run("-p", "no:hypothesispytest", "-p", "no:anyio", *named, *args)

    def shown(self, result: pytest.RunResult) -> str:
        """What a run printed, with times, stamps, addresses and paths replaced, and runs of blanks and rules cut."""
        text = result.stdout.str()
        for found, name in ((self.host, "HOST"), (str(self.path), "ROOT")):
            text = text.replace(found, name)
        text = _STAMP.sub("STAMP", _TIME.sub("TIME", text))
        text = re.sub(r"([-=_])\1{3,}", r"\1\1\1", re.sub(r"[ ]{2,}", "  ", text))
        return "\n".join(line.rstrip() for line in text.splitlines())

    def ours(self, result: pytest.RunResult) -> list[str]:
        """The lines that the plugin printed: before the tests and in the summary, without the rest of pytest's."""
        lines = self.shown(result).splitlines()
        begin = next((i for i, line in enumerate(lines) if line.startswith("--- chimera")), len(lines))
        end = next((i for i, line in enumerate(lines) if i > begin and line[:3] in {"===", "!!!"}), len(lines))
        summary = [line for line in lines[begin:end] if not re.match(r"\d+ (passed|failed)", line)]
        return [line for line in lines[:begin] if line.startswith("chimera")] + summary

    def reports(self) -> list[str]:
        """The names of the files below `.chimera`, stamps replaced; none when there is no such folder."""
        root = self.path / ".chimera"
        return sorted(_STAMP.sub("STAMP", str(each.relative_to(root))) for each in root.rglob("*") if each.is_file())


@pytest.fixture(scope="session")
def host() -> Iterator[str]:
    """A server that answers as its script says, with exact durations, and has every model in memory already."""
    with EmbeddedEngine.scripted(SCRIPT) as engine:
        client = ollama.Client(host=engine.url)
        for name in SCRIPT["models"]:
            client.generate(name, keep_alive=-1, options={"num_ctx": 4096})
        client._client.close()
        yield engine.url


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine on which the tests run shows in what they print."""
    for name in (*SCRUBBED, *(each for each in os.environ if each.startswith("CHIMERA_"))):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def project(pytester: pytest.Pytester, host: str) -> Project:
    """An empty project."""
    return Project(pytester, host)


@pytest.fixture
def one_case(project: Project) -> Project:
    """A project with one case."""
    project.pytester.makepyfile(test_sky=ONE_CASE)
    return project


@pytest.fixture(params=[(), ("-n", "2")], ids=["alone", "n2"])
def way(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Without xdist and with two workers."""
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture
def no_server() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as taken:  # bound and not listening: a connection is refused, and nobody else can take it
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def pytest_make_parametrize_id(val: Any) -> str | None:
    """Command lines as ids."""
    return " ".join(val) if isinstance(val, tuple) and all(isinstance(each, str) for each in val) else None
