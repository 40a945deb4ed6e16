"""The fixtures, each the one line that pytest needs over a class that does the work.

What they need is imported when a test asks for one: a run without a case pays for none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_chimera.plugin.probing import Probe
from pytest_chimera.plugin.session import get_session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    import ollama

    from pytest_chimera.corpus import Corpus
    from pytest_chimera.plugin.engines import Engines
    from pytest_chimera.plugin.model import ChimeraModel
    from pytest_chimera.plugin.narrating import Narrate
    from pytest_chimera.report.build import Report
    from pytest_chimera.suites.bench import Bench
    from pytest_chimera.suites.persona import Persona


@pytest.fixture(scope="session")
def chimera_model(request: pytest.FixtureRequest) -> ChimeraModel:
    """The model under test; a test that uses it, or `chimera`, runs once for each model that was named."""
    if not hasattr(request, "param"):
        from pytest_chimera.plugin.measuring import no_parameter  # noqa: PLC0415  # only where somebody did so

        raise no_parameter()
    return get_session(request.config).servers.model(request.param)


@pytest.fixture
def chimera(request: pytest.FixtureRequest, chimera_model: ChimeraModel) -> Bench:
    """Measure: `run = chimera("Why is the sky blue?")`, then `assert run.tok_s.median > 30`."""
    from pytest_chimera.plugin.runners import bench_for  # noqa: PLC0415  # only where a case runs

    return bench_for(request.node, chimera_model)


@pytest.fixture
def chimera_case(request: pytest.FixtureRequest) -> Callable[[], None]:
    """What a case of a suite in YAML calls to be measured; tests in Python use `chimera`."""
    from pytest_chimera.plugin.measuring import call_of  # noqa: PLC0415  # only where a case runs

    return call_of(request.node)


@pytest.fixture(scope="session")
def ollama_client(request: pytest.FixtureRequest) -> ollama.Client:
    """The public client of the `ollama` package, connected to the server that answers for the first model."""
    return get_session(request.config).servers.ollama_client()


@pytest.fixture
def chimera_persona(request: pytest.FixtureRequest) -> Callable[[str], Persona]:
    """Find a persona by name: `chimera_persona("insight-agent").system`; built in, or any `personas/*.yaml`."""
    from pytest_chimera.plugin.runners import persona_finder  # noqa: PLC0415  # only where it is asked for

    return persona_finder(request.node)


@pytest.fixture(scope="session")
def chimera_probe(request: pytest.FixtureRequest, chimera_model: ChimeraModel) -> Probe:
    """Ask for one example of a property, in a test under `@chimera_given(prompt=prompts(), limits="ttft <= 1 s")`."""
    return Probe(get_session(request.config), chimera_model)


@pytest.fixture
def chimera_engine() -> Generator[Engines]:
    """Servers for your own tests: `chimera_engine.scripted(...)` or `.llama("tiny")`; stopped afterwards."""
    from pytest_chimera.plugin.engines import Engines  # noqa: PLC0415  # only where it is asked for

    with Engines() as engines:
        yield engines


@pytest.fixture(scope="session")
def chimera_corpus_paths(request: pytest.FixtureRequest) -> Sequence[str | Path]:
    """Where the old results are: what `--chimera-corpus` names. Override it to give a suite a corpus of its own."""
    session = get_session(request.config)
    return session.corpora.given if session.raw.get("corpus") else ()


@pytest.fixture
def chimera_corpus(request: pytest.FixtureRequest, chimera_corpus_paths: Sequence[str | Path]) -> Corpus:
    """The old results, read once: `chimera_corpus.measurements`, `.artifacts`, `.left` (what was not understood).

    Of function scope, because folders of tests may each have a `chimera_corpus_paths` of their own.
    """
    return get_session(request.config).corpora.ask(chimera_corpus_paths).corpus


@pytest.fixture
def chimera_report(request: pytest.FixtureRequest, chimera_corpus_paths: Sequence[str | Path]) -> Report:
    """The report on everything measured so far, as an object to assert on; building it is recorded as rows."""
    from pytest_chimera.plugin.reporting import build_in_test  # noqa: PLC0415  # only where it is asked for

    return build_in_test(request.node, chimera_corpus_paths)


@pytest.fixture
def chimera_narrate(
    request: pytest.FixtureRequest, chimera: Bench, chimera_corpus_paths: Sequence[str | Path]
) -> Narrate:
    """Let two personas write on the corpus: `collector, analyst = chimera_narrate()`; both are cases of this test."""
    from pytest_chimera.plugin.narrating import Narrate  # noqa: PLC0415  # only where it is asked for

    return Narrate(request.node, chimera, get_session(request.config).corpora.ask(chimera_corpus_paths))
