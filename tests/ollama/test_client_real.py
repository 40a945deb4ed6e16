"""The client against a real Ollama, named by OLLAMA_HOST and CHIMERA_TEST_MODEL; nothing depends on what it says."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.client import Client, Connection
from pytest_chimera.errors import ModelError
from pytest_chimera.records import Case, Message
from pytest_chimera.wire.names import canonical_model, same_model

if TYPE_CHECKING:
    from pytest_chimera.records import Generation, ModelInfo

MODEL = os.environ.get("CHIMERA_TEST_MODEL", "")
NEEDED = [name for name in ("OLLAMA_HOST", "CHIMERA_TEST_MODEL") if not os.environ.get(name)]
pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"needs a real Ollama: set {' and '.join(NEEDED)}")
TOKENS = 8


@pytest.fixture(scope="module")
def client() -> Client:
    """A client of the server that the environment names."""
    return Client(Connection.resolve(None, {}, os.environ))


@pytest.fixture(scope="module")
def model(client: Client) -> ModelInfo:
    """The model that the environment names."""
    return client.model(MODEL)


@pytest.fixture
def case(model: ModelInfo) -> Case:
    """A short case."""
    return Case(
        id="real", name="real", model=model, messages=(Message(role="user", content="Count to ten."),),
        options={"num_ctx": 512, "num_predict": TOKENS, "seed": 7}, timeout_s=300.0,
    )  # fmt: skip


def check_times(seen: Generation) -> None:
    """What holds of every answer with text, whatever it says."""
    assert seen.failure is None, seen.failure
    assert seen.headers_ns is not None
    assert seen.client_ttft_ns is not None
    assert seen.end_ns is not None
    assert 0 < seen.headers_ns <= seen.client_ttft_ns <= seen.end_ns
    assert [chunk.arrival_ns for chunk in seen.chunks] == sorted(chunk.arrival_ns for chunk in seen.chunks)
    assert seen.done_reason in {"stop", "length"}
    assert seen.eval_count is not None
    assert 0 < seen.eval_count <= TOKENS
    assert seen.prompt_eval_count is not None
    assert seen.total_duration_ns is not None
    assert seen.total_duration_ns <= seen.end_ns + 5_000_000  # the server's clock starts after our sending


def test_the_host(client: Client) -> None:
    """The server tells its version."""
    assert client.host_info().version


def test_the_model(client: Client, model: ModelInfo) -> None:
    """The model is installed, under a canonical name, with its digest and what it was trained for."""
    assert same_model(model.name, MODEL)
    assert model.name in {each.name for each in client.models()}
    assert model.name == canonical_model(model.name)
    assert model.digest
    assert "completion" in model.capabilities
    assert model.context_length


def test_a_missing_model(client: Client, case: Case) -> None:
    """A model that is not installed is refused by name, before and by the request."""
    with pytest.raises(ModelError, match="is not installed at"):
        client.model("nosuch-model-of-anybody")
    missing = replace(case, model=replace(case.model, name="nosuch-model-of-anybody"))
    failure = client.measure(missing, nonce=None).failure
    assert failure is not None
    assert (failure.kind, failure.cause, failure.status) == ("http", "model_missing", 404)


@pytest.mark.parametrize("endpoint", ["chat", "generate"])
def test_an_answer(client: Client, case: Case, endpoint: str) -> None:
    """Both endpoints give an answer whose times and counts fit together."""
    seen = client.measure(replace(case, endpoint=endpoint), nonce="12345678")
    check_times(seen)
    assert seen.text or seen.thinking


def test_nonces_are_of_one_length(client: Client, case: Case) -> None:
    """Prompts that differ in their nonce only have the same number of tokens."""
    counts = {client.measure(case, nonce=nonce).prompt_eval_count for nonce in ("00000000", "12345678", "99999999")}
    assert len(counts) == 1


def test_structured_output(client: Client, case: Case) -> None:
    """A schema and a raw prompt are taken."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    check_times(client.measure(replace(case, format=schema), nonce=None))
    check_times(client.measure(replace(case, endpoint="generate", raw=True), nonce=None))


def test_a_prompt_that_does_not_fit(client: Client, case: Case) -> None:
    """A prompt above num_ctx is refused by name and not cut in silence."""
    long = replace(case, messages=(Message(role="user", content="The quick brown fox. " * 500),))
    seen = client.measure(long, nonce=None)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.cause, seen.failure.status) == ("http", "too_long", 400)


def test_memory(client: Client, case: Case, model: ModelInfo) -> None:
    """The model is in memory with the num_ctx that was asked for, and gone after unloading."""
    check_times(client.measure(case, nonce=None))
    (loaded,) = [each for each in client.loaded() if each.name == model.name]
    assert loaded.context_length == case.options["num_ctx"]
    client.unload(model.name)
    assert model.name not in {each.name for each in client.loaded()}


def test_the_servers_clock(client: Client, case: Case) -> None:
    """On one machine the server's stamp of the first token lies between our sending and its arrival."""
    seen = client.measure(case, nonce=None)
    if not seen.shares_clock:
        pytest.skip("needs a server on this machine")
    assert seen.server_ttft_ns is not None
    assert seen.transport_ns is not None
    assert seen.client_ttft_ns == seen.server_ttft_ns + seen.transport_ns


def test_a_timeout(client: Client, case: Case) -> None:
    """An answer that takes longer than allowed fails as a timeout, and the server goes on answering."""
    endless = replace(case, options={**case.options, "num_predict": -1}, timeout_s=0.02)
    failure = client.measure(endless, nonce=None).failure
    assert failure is None or failure.kind == "timeout"
    check_times(client.measure(case, nonce=None))
