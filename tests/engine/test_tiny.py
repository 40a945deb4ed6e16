"""The model that ships with the package: made anew byte for byte, and what it says through a whole engine."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import ollama
import pytest

from pytest_chimera.engine import tiny
from pytest_chimera.engine.models import install, tiny_spec

pytest.importorskip("xllamacpp", reason="the extra `embedded` is not installed")

from pytest_chimera.engine.llama import LlamaBackend
from pytest_chimera.engine.serve import LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCHEMA = {
    "type": "object",
    "properties": {
        "metric": {"type": "string"},
        "value": {"type": "number"},
        "ok": {"type": "boolean"},
        "notes": {"type": "array", "items": {"type": "string"}},
        "unit": {"enum": ["ms", "tok/s"]},
    },
    "required": ["metric", "value", "ok", "notes", "unit"],
}
AT_ZERO = "The miller opens a gate, and one old wheel turns slow grain to fine flour for every baker by morning."


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of an engine that serves tiny."""
    with LocalServer(LlamaBackend()) as server:
        yield server.url


def test_the_file_is_made_anew_byte_for_byte(tmp_path: Path) -> None:
    """The script gives the file that ships, which is far below the 2 MB that a package may carry."""
    out = tmp_path / "tiny.gguf"
    subprocess.run([sys.executable, "-m", "pytest_chimera.engine.tiny.build", str(out)], check=True)
    assert out.read_bytes() == tiny.PATH.read_bytes()
    assert tiny.PATH.stat().st_size < 120_000


def test_its_card_says_what_it_is() -> None:
    """Name, family, size, quantization and contexts are those of a small llama."""
    installed = install(tiny_spec())
    card = installed.card
    found = (card.name, card.family, card.parameter_size, card.quantization, card.context_length, card.capabilities)
    assert found == ("tiny:latest", "llama", "93K", "Q8_0", 32768, ("completion",))
    assert (installed.num_ctx(None), installed.num_ctx(512), installed.num_ctx(10**9)) == (16384, 512, 32768)
    assert len(card.digest) == 64


def test_at_temperature_0_it_says_the_first_sentence_of_its_prose(url: str, ask: Callable[..., Any]) -> None:
    """Greedy sampling ends by itself, with and without the penalty that would break a loop."""
    for penalty in (1.0, 1.1):
        options = {"temperature": 0, "repeat_penalty": penalty}
        reply = ask(url, "/api/chat", model="tiny", messages=[{"role": "user", "content": "?"}], options=options)
        assert (reply.said, reply.last["done_reason"]) == (AT_ZERO, "stop")


def test_its_text_varies_with_the_seed_and_ends(url: str, ask: Callable[..., Any]) -> None:
    """Twenty seeds give many texts, each of sentences, each ended by the model; the same seed gives the same text."""

    def say(seed: int) -> str:
        options = {"seed": seed, "num_predict": 400}
        reply = ask(url, "/api/generate", model="tiny", prompt="Tell me a story.", options=options)
        assert reply.last["done_reason"] == "stop"
        return str(reply.said)

    texts = [say(seed) for seed in range(20)]
    assert [say(seed) for seed in range(5)] == texts[:5]
    assert len(set(texts)) > 12
    assert all(text[0].isupper() and text.endswith(".") and text.isascii() for text in texts)


def test_a_prompt_that_ends_with_a_full_stop_is_answered(url: str, ask: Callable[..., Any]) -> None:
    """Also raw, where nothing stands between the prompt's last byte and the answer."""
    for ending in (".", ",", "?", "\n", " a", "é", "."):
        options = {"seed": 1}
        assert ask(url, "/api/generate", model="tiny", prompt=f"A story{ending}", raw=True, options=options).said


@pytest.mark.parametrize("temperature", [0.8, 0])
@pytest.mark.parametrize("wanted", [SCHEMA, "json"])
def test_it_answers_in_a_format(url: str, ask: Callable[..., Any], wanted: Any, temperature: float) -> None:
    """Twenty of twenty answers are whole JSON objects, with exactly the schema's keys where there is one."""
    for seed in range(20):
        options = {"seed": seed, "temperature": temperature, "num_predict": 600}
        reply = ask(url, "/api/generate", model="tiny", prompt="x", format=wanted, options=options)
        value = json.loads(reply.said)
        assert isinstance(value, dict)
        assert wanted == "json" or list(value) == SCHEMA["required"]


def test_the_ollama_package_works_on_it_unchanged(url: str, request: pytest.FixtureRequest) -> None:
    """List, show, chat (whole and streaming) and generate of the sync and the async client."""
    client = ollama.Client(host=url)
    request.addfinalizer(client._client.close)
    assert [model.model for model in client.list().models] == ["tiny:latest"]
    assert client.show("tiny").capabilities == ["completion"]
    messages = [{"role": "user", "content": "x"}]
    options = {"temperature": 0}
    assert client.chat("tiny", messages, options=options).message.content == AT_ZERO
    streamed = client.chat("tiny", messages, options=options, stream=True)
    assert "".join(part.message.content or "" for part in streamed) == AT_ZERO

    async def generate() -> str:
        asynchronous = ollama.AsyncClient(host=url)
        answer = await asynchronous.generate("tiny", "x", options=options)
        await asynchronous._client.aclose()
        return answer.response

    assert asyncio.run(generate()) == AT_ZERO
    assert [model.model for model in client.ps().models] == ["tiny:latest"]
