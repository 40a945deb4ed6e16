"""Questions to a server about itself and its models, on the scripted engine and on servers of one trick."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.client import Client, Connection
from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.errors import HostAnswerError, HostError, HostUnreachableError, ModelError
from pytest_chimera.records import HostInfo, LoadedModel, ModelInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_chimera.records import Case

SCRIPT = {
    "models": {
        "story:7b": {"answers": [{"tokens": ["Once", " upon"]}], "capabilities": ["completion", "thinking"]},
        "chat": {"answers": [{"tokens": ["Hi"]}]},
    }
}
START = (
    "Start Ollama with 'ollama serve', name another host with --chimera-host or OLLAMA_HOST, or measure without one: "
    "--chimera-model tiny."
)


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    """A scripted engine with two models."""
    with EmbeddedEngine.scripted(SCRIPT) as running:
        yield running


@pytest.fixture
def client(engine: EmbeddedEngine) -> Client:
    """A client of that engine."""
    return Client(Connection.resolve(engine.url, {}, {}))


def test_who_answers(client: Client) -> None:
    """Address, version and kind of the server are known."""
    assert client.host_info() == HostInfo(
        url=client.url, version="0.32.15+chimera", engine="embedded", shares_clock=True
    )


def test_installed_models(client: Client) -> None:
    """The installed models are listed under their canonical names."""
    assert sorted(each.name for each in client.models()) == ["chat:latest", "story:7b"]


def test_a_model(client: Client) -> None:
    """What is known of a model includes what it can do and how far it was trained, whatever the spelling."""
    model = client.model("library/Story:7B")
    assert model == ModelInfo(
        name="story:7b", digest=model.digest, family="scripted", parameter_size="1K", quantization="F16",
        context_length=4096, capabilities=("completion", "thinking"), format="gguf", size_bytes=1024,
    )  # fmt: skip
    assert len(model.digest or "") == 64
    assert client.model("chat").name == "chat:latest"


def test_a_missing_model(client: Client) -> None:
    """A model that is not installed is refused with what is, the nearest name, and the command that gets it."""
    with pytest.raises(ModelError) as caught:
        client.model("stori:7b")
    installed = ", ".join(each.name for each in client.models())
    assert str(caught.value) == (
        f"The model 'stori:7b' is not installed at {client.url}. Installed: {installed}. Did you mean 'story:7b'? Get "
        "it with 'ollama pull stori:7b', or run with --chimera-pull."
    )
    with pytest.raises(ModelError, match="is not a model name"):
        client.model("no name")


def test_no_model_at_all(serve: Callable[..., Any], wire: Any) -> None:
    """A server without models says so."""
    url = serve(wire.answered(b'{"models":[]}')).url
    with pytest.raises(ModelError) as caught:
        Client(Connection.resolve(url, {}, {})).model("gemma3")
    assert str(caught.value) == (
        f"The model 'gemma3' is not installed at {url}. No model is installed there. Get it with 'ollama pull gemma3', "
        "or run with --chimera-pull."
    )


def test_loading_and_unloading(client: Client, case: Case) -> None:
    """A model is in memory after a request and gone after unloading it."""
    client.unload("chat")
    assert client.loaded() == ()
    plain = client.ollama()
    with plain._client:  # older ones are no context manager themselves
        plain.generate(model="chat", options={"num_ctx": 512})
    (loaded,) = client.loaded()
    assert loaded == LoadedModel(
        name="chat:latest", digest=loaded.digest, context_length=512, size_bytes=1024, size_vram_bytes=0
    )
    client.unload("chat")
    assert client.loaded() == ()


def test_unloading_waits(serve: Callable[..., Any], wire: Any) -> None:
    """Unloading returns when the server no longer lists the model, and gives up when it never stops."""
    listed = {"models": [{"name": "m:latest", "model": "m:latest", "digest": "d", "size": 1, "size_vram": 0}]}
    left = [listed, listed, {"models": []}]

    def trick(connection: socket.socket, request: bytes) -> None:
        answer = left.pop(0) if request.startswith(b"GET") else {"model": "m", "response": "", "done": True}
        connection.sendall(wire.answered(json.dumps(answer).encode()))

    client = Client(Connection.resolve(serve(trick).url, {}, {}))
    client.unload("m")
    assert left == []

    class Hasty:
        """A clock on which every look is 20 s later."""

        now_ns = 0

        def monotonic_ns(self) -> int:
            self.now_ns += 20 * 10**9
            return self.now_ns

        def unix_ns(self) -> int:
            return 0

    left += [listed] * 9
    hasty = Client(client.connection, clock=Hasty())
    with pytest.raises(HostAnswerError) as caught:
        hasty.unload("m")
    assert str(caught.value) == (
        f"The request to {client.url} failed: it still has m in memory 30 s after unloading it. Look into the server's "
        "log, or check that it is an Ollama."
    )


def pulled(*lines: dict[str, Any]) -> list[bytes]:
    """Lines of a pull."""
    return [json.dumps(line).encode() + b"\n" for line in lines]


def test_pulling(serve: Callable[..., Any], wire: Any) -> None:
    """Progress is told step by step, with bytes where there are any."""
    lines = pulled({"status": "pulling x", "total": 9, "completed": 3}, {"status": "success"})
    steps: list[Any] = []
    Client(Connection.resolve(serve(wire.streamed(*lines)).url, {}, {})).pull("m", lambda *step: steps.append(step))
    assert steps == [("pulling x", 3, 9), ("success", None, None)]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (pulled({"status": "pulling manifest"}), "pulling m ended with 'pulling manifest'"),
        (pulled({"error": "no such host"}), "no such host"),
        ([], "pulling m ended with 'nothing'"),
    ],
)
def test_a_pull_that_fails(serve: Callable[..., Any], wire: Any, lines: list[bytes], why: str) -> None:
    """A pull that does not end with success is an error, also when the stream just ends."""
    client = Client(Connection.resolve(serve(wire.streamed(*lines)).url, {}, {}))
    with pytest.raises(HostAnswerError) as caught:
        client.pull("m", lambda *_: None)
    assert str(caught.value) == (
        f"The request to {client.url} failed: {why}. Look into the server's log, or check that it is an Ollama."
    )


def ask_everything(client: Client) -> list[HostError]:
    """The error of every question."""
    errors = []
    for ask in (
        client.host_info, client.models, lambda: client.model("m"), client.loaded, lambda: client.unload("m"),
        lambda: client.pull("m", lambda *_: None),
    ):  # fmt: skip
        with pytest.raises(HostError) as caught:
            ask()
        errors.append(caught.value)
    return errors


def test_nobody_there() -> None:
    """Every question to a server that does not exist says so and how to start one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    errors = ask_everything(Client(Connection.resolve(url, {}, {})))
    assert all(isinstance(error, HostUnreachableError) for error in errors)
    texts = {str(error) for error in errors}
    place = url.removeprefix("http://")
    assert texts == {
        f"No Ollama can be reached at {url}: nothing listens at {place} (connection refused). {START}",
        f"No Ollama can be reached at {url}: [Errno 111] Connection refused. {START}",
    }


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"",
    ],
)
def test_something_else_there(serve: Callable[..., Any], answer: bytes) -> None:
    """Whatever a server answers that is not Ollama's, each question ends with an error of ours."""
    errors = ask_everything(Client(Connection.resolve(serve(answer).url, {}, {})))
    assert all(isinstance(error, HostAnswerError) for error in errors)
