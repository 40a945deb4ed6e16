"""The routes of engine.server on a real socket, asked by hand, as recorded, and by the ollama package."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from contextlib import closing, contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import ollama
import pytest

from pytest_chimera.engine.backend import ModelCard, RunningModel, StreamCutError, runner_died
from pytest_chimera.engine.chunks import Metrics, final_chunk, text_chunk
from pytest_chimera.engine.script import read_script
from pytest_chimera.engine.scripted import ScriptedBackend
from pytest_chimera.engine.serve import LocalServer, listen
from pytest_chimera.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]
SCRIPT = {
    "models": {
        "gemma3:270m": {"answers": [{"tokens": "It scatters <light>."}], "context_length": 32768},
        "puppet:plain": {"answers": [{"tokens": ["Throughput", " was"]}]},
        "puppet:think": {
            "answers": [{"tokens": "42.", "thinking": "Let me"}],
            "capabilities": ["completion", "thinking"],
        },
        "puppet:tool": {
            "answers": [{"tool_calls": [{"name": "get_metric", "arguments": {"metric": "ttft"}}]}],
            "capabilities": ["completion", "tools"],
        },
        "bert": {"answers": [{}], "capabilities": ["embedding"]},
    }
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with the models above."""
    with LocalServer(ScriptedBackend(read_script(SCRIPT))) as server:
        yield server.url


def ask(url: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[Any, ...]:
    """Status, headers and body of one request; a body that is not bytes goes out as JSON."""
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)) as connection:
        connection.request(method, path, raw, headers or {})
        with connection.getresponse() as response:
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def lines(body: bytes) -> list[Any]:
    """The chunks of a stream without what depends on the clock."""
    timed = ("created_at", "total_duration", "load_duration")
    return [{k: v for k, v in json.loads(line).items() if k not in timed} for line in body.splitlines()]


def recorded(shared: Path, name: str) -> tuple[dict[str, Any], int, dict[str, str], bytes]:
    """Request, status, headers and body of a recording, framing off."""
    recording = json.loads((shared / "ollama-wire" / "0.32.15" / f"{name}.json").read_text(encoding="utf-8"))
    raw = "".join(part for _, part in recording["arrivals"]).encode("latin-1")
    method = recording["request"]["method"]
    with closing(http.client.HTTPResponse(FakeSocket(raw), method=method)) as response:  # type: ignore[arg-type]
        response.begin()
        headers = {key.lower(): value for key, value in response.getheaders()}
        return recording["request"], recording["status"], headers, response.read()


class FakeSocket:
    """What http.client needs to read an answer from memory."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: Any) -> Any:
        """The bytes as a file."""
        return BytesIO(self._raw)


@pytest.mark.parametrize(
    "name",
    [
        "chat_format_bad",
        "chat_think_bad",
        "chat_think_unsupported",
        "chat_tools_unsupported",
        "copy",
        "delete",
        "embed",
        "err_body_empty",
        "err_delete_missing",
        "err_header_host",
        "err_json_broken",
        "err_json_not_object",
        "err_json_type",
        "err_method",
        "err_model_empty_chat",
        "err_model_empty_generate",
        "err_model_missing_chat",
        "err_model_missing_generate",
        "err_model_name_bad",
        "err_option_type",
        "err_route",
        "generate_keep_alive_bad",
        "generate_suffix",
        "head_root",
        "ps_empty",
        "root",
        "show_missing",
    ],
)
def test_fixed_answers_are_the_recorded_ones(url: str, shared: Path, name: str) -> None:
    """Status, content type, framing and body of answers without a model's text are those of a real Ollama."""
    request, status, headers, body = recorded(shared, name)
    if name == "ps_empty":
        for model in json.loads(ask(url, "GET", "/api/ps")[2])["models"]:
            ask(url, "POST", "/api/generate", {"model": model["name"], "keep_alive": 0})
    if name == "delete":
        ask(url, "POST", "/api/copy", {"source": "puppet:plain", "destination": "puppet:copy"})
    payload = request["json"] if "json" in request else request.get("raw", "").encode("latin-1") or None
    got_status, got_headers, got_body = ask(url, request["method"], request["path"], payload, request["headers"])
    assert (got_status, got_body) == (status, body)
    for header in ("content-type", "content-length", "transfer-encoding", "allow"):
        assert got_headers.get(header) == headers.get(header)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"model": 3}', "json: cannot unmarshal number into Go struct field ChatRequest.model of type string"),
        (
            b'{"messages": [{"content": [{"type": "text"}]}]}',
            "json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string",
        ),
        (
            b'{"options": []}',
            "json: cannot unmarshal array into Go struct field ChatRequest.options of type map[string]interface {}",
        ),
        (b'{"stream": "no"}', "json: cannot unmarshal string into Go struct field ChatRequest.stream of type bool"),
        (
            b'{"top_logprobs": 1.5}',
            "json: cannot unmarshal number 1.5 into Go struct field ChatRequest.top_logprobs of type int",
        ),
        (b"nonsense", "invalid character 'n' looking for beginning of value"),
        (b'{"model" "x"}', "invalid character '\"' after object key"),
        (b'{"model": "x" "y"}', "invalid character '\"' after object key:value pair"),
        (b"{model: 1}", "invalid character 'm' looking for beginning of object key string"),
        (b'{"x": NaN}', "invalid character 'N' looking for beginning of value"),
        (b'{"model": "x', "unexpected EOF"),
        (b'{"model": "gemma3:270m", "keep_alive": "5"}', 'time: missing unit in duration "5"'),
        (b'{"model": "gemma3:270m", "keep_alive": "5y"}', 'time: unknown unit "y" in duration "5y"'),
        (b'{"model": "gemma3:270m", "keep_alive": ""}', 'time: invalid duration ""'),
        (b'{"model": "gemma3:270m", "keep_alive": true}', "Unsupported type: 'bool'"),
        (
            b'{"model": "gemma3:270m", "think": 3}',
            'think must be a boolean or string ("high", "medium", "low", "max", true, or false)',
        ),
        (b'{"model": "gemma3:270m", "messages": [{"images": ["?"]}]}', "illegal base64 data at input byte 0"),
        (b'{"model": "gemma3:270m", "top_logprobs": 21}', "top_logprobs must be between 0 and 20"),
        (b'{"model": "bert", "messages": [{}]}', '"bert" does not support chat'),
    ],
)
def test_a_bad_body_is_refused_in_gos_words(url: str, body: bytes, message: str) -> None:
    """A chat with a broken or wrongly typed body is a 400 whose text is what Ollama's server says."""
    status, _, answer = ask(url, "POST", "/api/chat", body)
    assert (status, json.loads(answer)) == (400, {"error": message})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stop": "x"}, 'option "stop" must be of type array'),
        ({"stop": [1]}, 'option "stop" must be of an array of strings'),
        ({"temperature": "hot"}, 'option "temperature" must be of type float32'),
        ({"use_mmap": 1}, 'option "use_mmap" must be of type boolean'),
    ],
)
def test_a_wrong_option_type_is_a_500(url: str, options: dict[str, Any], message: str) -> None:
    """An option of the wrong type is refused as Ollama does, an unknown name beside it is not looked at."""
    body = {"model": "gemma3:270m", "messages": QUESTION, "options": {"num_ctxx": 1, **options}}
    status, _, answer = ask(url, "POST", "/api/chat", body)
    assert (status, json.loads(answer)) == (500, {"error": message})


def test_raw_excludes_a_template(url: str) -> None:
    """`raw` together with a system text is a 400."""
    body = {"model": "gemma3:270m", "prompt": "x", "raw": True, "system": "s"}
    status, _, answer = ask(url, "POST", "/api/generate", body)
    assert (status, json.loads(answer)) == (
        400,
        {"error": "raw mode does not support template, system, or context"},
    )


def test_a_chat_streams_lines_in_ollamas_key_order(url: str) -> None:
    """A streamed chat is one JSON object per line with Ollama's keys in its order and Go's escapes."""
    status, headers, body = ask(url, "POST", "/api/chat", {"model": "gemma3:270m", "messages": QUESTION})
    assert (status, headers["content-type"]) == (200, "application/x-ndjson")
    assert [list(json.loads(line)) for line in body.splitlines()] == [
        *[["model", "created_at", "message", "done"]] * 3,
        [
            "model", "created_at", "message", "done", "done_reason",
            "total_duration", "load_duration", "prompt_eval_count", "eval_count", "eval_duration",
        ],
    ]  # fmt: skip
    assert rb"\u003clight\u003e" in body
    assert lines(body)[0] == {
        "model": "gemma3:270m",
        "message": {"role": "assistant", "content": "It"},
        "done": False,
    }


def test_an_answer_that_is_not_streamed_is_one_object(url: str) -> None:
    """With `stream: false` text and thinking of all chunks stand in one object with the final chunk's numbers."""
    request = {"model": "puppet:think", "messages": QUESTION, "stream": False}
    _, headers, body = ask(url, "POST", "/api/chat", request)
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert lines(body) == [
        {
            "model": "puppet:think",
            "message": {"role": "assistant", "content": "42.", "thinking": "Let me"},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 5,
            "eval_count": 3,
            "eval_duration": 1000,
        }
    ]


def test_thinking_and_tool_calls_have_their_places(url: str) -> None:
    """Thinking stands beside the response of a generate, a tool call in the message of a chat, also when collected."""
    generated = lines(ask(url, "POST", "/api/generate", {"model": "puppet:think", "prompt": "x"})[2])
    assert generated[0] == {"model": "puppet:think", "response": "", "thinking": "Let", "done": False}
    tools = [{"type": "function", "function": {"name": "get_metric"}}]
    request = {"model": "puppet:tool", "messages": QUESTION, "tools": tools, "stream": False}
    called = lines(ask(url, "POST", "/api/chat", request)[2])[0]
    function = {"index": 0, "name": "get_metric", "arguments": {"metric": "ttft"}}
    assert called["message"] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "call_00000000", "function": function}],
    }


@pytest.mark.parametrize("endpoint", ["chat", "generate"])
def test_nothing_asked_loads_and_keep_alive_0_unloads(url: str, endpoint: str) -> None:
    """An empty request loads the model, with keep_alive 0 it unloads it; neither reports durations."""
    others = {model["name"] for model in json.loads(ask(url, "GET", "/api/ps")[2])["models"]} - {"puppet:plain"}
    empty = {"messages": []} if endpoint == "chat" else {"prompt": ""}
    said = {"message": {"role": "assistant", "content": ""}} if endpoint == "chat" else {"response": ""}
    for extra, reason, loaded in (({}, "load", {"puppet:plain"}), ({"keep_alive": 0}, "unload", set())):
        _, headers, body = ask(url, "POST", f"/api/{endpoint}", {"model": "puppet:plain", **empty, **extra})
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert lines(body) == [{"model": "puppet:plain", **said, "done": True, "done_reason": reason}]
        names = {model["name"] for model in json.loads(ask(url, "GET", "/api/ps")[2])["models"]}
        assert names - others == loaded


def test_a_pull_is_refused_in_the_stream_as_an_offline_ollama_does(url: str) -> None:
    """A pull of what is not installed ends with an error line at 200, of what is installed with success."""
    status, _, body = ask(url, "POST", "/api/pull", {"model": "nosuchmodel"})
    assert status == 200
    assert [json.loads(line) for line in body.splitlines()] == [
        {"status": "pulling manifest"},
        {
            "error": "pull model manifest: nosuchmodel:latest: the embedded engine downloads nothing; "
            "start it with --model PATH.gguf, or pull the model with Ollama"
        },
    ]
    _, _, body = ask(url, "POST", "/api/pull", {"model": "bert"})
    assert json.loads(body.splitlines()[-1]) == {"status": "success"}
    assert ask(url, "POST", "/api/pull", {"model": "nosuchmodel", "stream": False})[0] == 500


def test_what_ollama_has_and_the_engine_has_not_is_a_501(url: str) -> None:
    """Creating and pushing models is refused with the reason."""
    status, _, body = ask(url, "POST", "/api/create", {"model": "x"})
    assert (status, json.loads(body)) == (501, {"error": "the embedded engine has no /api/create; use Ollama for it"})


def test_copy_names_what_is_wrong(url: str) -> None:
    """A copy of what is not there and one to an impossible name are refused in Ollama's words."""
    missing = ask(url, "POST", "/api/copy", {"source": "nosuch", "destination": "x"})
    assert (missing[0], missing[2]) == (404, b'{"error":"model \\"nosuch\\" not found"}')
    invalid = ask(url, "POST", "/api/copy", {"source": "bert", "destination": "a b"})
    assert (invalid[0], invalid[2]) == (400, b'{"error":"destination \\"a b\\" is invalid"}')


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "app://obsidian.md"}, 200),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "box.local:11434"}, 200),
    ],
)
def test_foreign_pages_are_kept_out(url: str, headers: dict[str, str], status: int) -> None:
    """A request from another site's page, or to a name that merely resolves to loopback, is a 403 without a body."""
    assert ask(url, "GET", "/api/version", headers=headers)[0] == status


def test_the_version_says_what_is_spoken(url: str) -> None:
    """The version is that of the protocol, marked as not Ollama's own."""
    assert ask(url, "GET", "/api/version")[2] == b'{"version":"0.32.15+chimera"}'


def test_openai_clients_are_answered(url: str) -> None:
    """The OpenAI route streams deltas, a finish reason, the usage that was asked for, and the end mark."""
    request = {"model": "puppet:plain", "messages": QUESTION, "stream": True, "stream_options": {"include_usage": True}}
    _, headers, body = ask(url, "POST", "/v1/chat/completions", request)
    assert headers["content-type"] == "text/event-stream"
    *events, end, _ = body.split(b"\n\n")
    assert end == b"data: [DONE]"
    shown = [json.loads(event.removeprefix(b"data: ")) for event in events]
    assert [event["choices"] for event in shown] == [
        [{"index": 0, "delta": {"role": "assistant", "content": "Throughput"}, "finish_reason": None}],
        [{"index": 0, "delta": {"content": " was"}, "finish_reason": None}],
        [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        [],
    ]
    assert shown[-1]["usage"] == {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    status, _, body = ask(url, "POST", "/v1/chat/completions", {"model": "nosuch", "messages": QUESTION})
    assert (status, json.loads(body)["error"]["message"]) == (404, "model 'nosuch' not found")


# Only what the lowest supported version of the package knows is looked at.
def test_the_ollama_package_works_unchanged(url: str, request: pytest.FixtureRequest) -> None:
    """The synchronous client lists, shows, loads, chats, generates, copies, deletes and reads errors."""
    client = ollama.Client(url)
    request.addfinalizer(client._client.close)
    assert {model.model for model in client.list().models} == {
        "gemma3:270m", "puppet:plain", "puppet:think", "puppet:tool", "bert:latest",
    }  # fmt: skip
    details = client.show("puppet:think").details
    assert details is not None
    assert details.family == "scripted"
    streamed = list(client.chat("gemma3:270m", QUESTION, stream=True, options={"num_ctx": 512}))
    assert "".join(part.message.content or "" for part in streamed) == "It scatters <light>."
    assert (streamed[-1].done_reason, streamed[-1].prompt_eval_count, streamed[-1].eval_count) == ("stop", 5, 3)
    assert client.ps().models[0].model == "gemma3:270m"
    assert client.generate("puppet:think", "x").response == "42."
    assert client.copy("puppet:plain", "puppet:copy").status == "success"
    assert client.delete("puppet:copy").status == "success"
    with pytest.raises(ollama.ResponseError, match="model 'nosuch' not found") as caught:
        client.chat("nosuch", QUESTION)
    assert caught.value.status_code == 404


def test_the_asynchronous_ollama_package_works_unchanged(url: str) -> None:
    """The asynchronous client streams a chat and lists what is loaded."""

    async def talk() -> tuple[str, list[str | None]]:
        client = ollama.AsyncClient(url)
        text = ""
        async for part in await client.chat("gemma3:270m", QUESTION, stream=True):
            text += part.message.content or ""
        loaded = [model.model for model in (await client.ps()).models][:1]
        await client._client.aclose()
        return text, loaded

    assert asyncio.run(talk()) == ("It scatters <light>.", ["gemma3:270m"])


class Puppet:
    """A backend whose one answer is given by the test."""

    def __init__(self, *steps: Any) -> None:
        self.steps = steps
        self.closed = asyncio.Event()
        self.card = ModelCard(
            name="puppet:latest", digest="d", size_bytes=1, modified_at_ns=0, family="f", parameter_size="1",
            quantization="F16", context_length=64, embedding_length=4,
        )  # fmt: skip

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def cards(self) -> list[ModelCard]:
        return [self.card]

    def running(self) -> list[RunningModel]:
        return [RunningModel(card=self.card, size_bytes=1, size_vram_bytes=0, context_length=64, expires_at_ns=None)]

    async def answer(self, request: Any) -> Any:
        try:
            for step in self.steps:
                if isinstance(step, Exception):
                    raise step
                if step == "wait":
                    await asyncio.Event().wait()
                yield step
        finally:
            self.closed.set()

    async def load(self, request: Any) -> None:
        raise runner_died()

    async def unload(self, model: str) -> None: ...

    async def copy(self, source: str, destination: str) -> None: ...

    async def delete(self, model: str) -> None: ...


@contextmanager
def puppet(*steps: Any) -> Iterator[tuple[Puppet, str]]:
    """A server whose model does these steps."""
    backend = Puppet(*steps)
    with LocalServer(backend) as server:
        yield backend, server.url


HALF = text_chunk("chat", "half")
END = final_chunk("chat", "stop", Metrics(eval_count=1))
DIED = "an error was encountered while running the model: unexpected EOF"


def test_an_error_in_the_stream_is_its_last_line() -> None:
    """When the runner dies after a chunk, the status stays 200 and the last line names the error, as recorded."""
    with puppet(HALF, runner_died()) as (_, url):
        status, _, body = ask(url, "POST", "/api/chat", {"model": "puppet", "messages": QUESTION})
    assert status == 200
    assert lines(body)[-1] == {"error": DIED}
    assert len(lines(body)) == 2


def test_an_error_before_the_stream_is_a_status() -> None:
    """When the runner dies before the first chunk, or while nothing is streamed, the answer is a 500."""
    for steps, stream in (((runner_died(),), True), ((HALF, runner_died()), False)):
        with puppet(*steps) as (_, url):
            status, _, body = ask(url, "POST", "/api/chat", {"model": "puppet", "messages": QUESTION, "stream": stream})
        assert (status, json.loads(body)) == (500, {"error": DIED})


def test_a_quiet_cut_ends_the_stream_without_done() -> None:
    """The guard against repetition ends the HTTP answer properly, with no final chunk and no error."""
    with puppet(HALF, StreamCutError()) as (_, url):
        status, _, body = ask(url, "POST", "/api/chat", {"model": "puppet", "messages": QUESTION})
    assert (status, [line["done"] for line in lines(body)]) == (200, [False])


@pytest.mark.parametrize("stream", [True, False])
def test_an_abrupt_cut_closes_the_connection_in_the_middle(stream: bool) -> None:
    """When the server dies, the connection closes before the HTTP answer has ended."""
    with puppet(HALF, StreamCutError(abrupt=True)) as (_, url), pytest.raises(http.client.IncompleteRead):
        ask(url, "POST", "/api/chat", {"model": "puppet", "messages": QUESTION, "stream": stream})


def test_a_failing_backend_is_an_answer_and_a_trace(capfd: pytest.CaptureFixture[str]) -> None:
    """An exception that is no ApiError becomes a 500 for the client and a traceback for whoever runs the engine."""
    with puppet(ZeroDivisionError("oops")) as (_, url):
        status, _, body = ask(url, "POST", "/api/chat", {"model": "puppet", "messages": QUESTION})
    assert (status, json.loads(body)) == (500, {"error": "the engine failed: ZeroDivisionError('oops')"})
    assert "ZeroDivisionError: oops" in capfd.readouterr().err


def test_logprobs_are_collected() -> None:
    """The logprobs of all chunks stand in the one object of an answer that is not streamed."""
    first, second = ({"token": token, "logprob": -0.5} for token in "ab")
    steps = (text_chunk("chat", "a", logprobs=[first]), text_chunk("chat", "b", logprobs=[second]), END)
    with puppet(*steps) as (_, url):
        body = ask(url, "POST", "/api/chat", {"model": "puppet", "messages": QUESTION, "stream": False})[2]
    assert lines(body)[0]["logprobs"] == [first, second]


@pytest.mark.parametrize(("given", "status"), [("one", 501), (["one", "two"], 501), (3, 400)])
def test_embeddings_are_refused(given: Any, status: int) -> None:
    """One text and several are a 501, because models are loaded for completions; what is no text is a 400."""
    with puppet() as (_, url):
        assert ask(url, "POST", "/api/embed", {"model": "puppet", "input": given})[0] == status


def test_a_model_kept_for_ever_expires_in_centuries() -> None:
    """`/api/ps` gives a date 292 years ahead for a model that stays, as Ollama does."""
    with puppet() as (_, url):
        model = json.loads(ask(url, "GET", "/api/ps")[2])["models"][0]
    assert int(model["expires_at"][:4]) > 2300


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_closes_the_answer(stream: bool) -> None:
    """The backend's iterator is closed as soon as the client hangs up, streaming or not."""
    with puppet(HALF, "wait") as (backend, url):
        host, _, port = url.removeprefix("http://").partition(":")
        body = json.dumps({"model": "puppet", "messages": QUESTION, "stream": stream}).encode()
        head = f"POST /api/chat HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head + body)
            if stream:
                assert connection.recv(17) == b"HTTP/1.1 200 OK\r\n"
        # Answered by the same loop after the hang-up: bounded by the test's own patience, not by a time.
        while not backend.closed.is_set():
            ask(url, "GET", "/api/version")


def test_stopping_ends_streams_in_progress() -> None:
    """A server that stops does not wait for a stream without end; its connection closes."""
    with puppet(HALF, "wait") as (backend, url):
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.request("POST", "/api/chat", json.dumps({"model": "puppet", "messages": QUESTION}))
        response = connection.getresponse()
        assert response.readline()
    with closing(connection), response, pytest.raises(http.client.IncompleteRead):
        response.read()
    assert backend.closed.is_set()


def test_chunks_leave_when_they_come() -> None:
    """The first chunk can be read while the backend has not made the second."""
    with puppet(HALF, "wait") as (_, url):
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request("POST", "/api/chat", json.dumps({"model": "puppet", "messages": QUESTION}))
        with closing(connection), connection.getresponse() as response:
            assert lines(response.readline())[0]["message"]["content"] == "half"


def test_a_taken_port_is_named() -> None:
    """A port that is in use is an error for people, with the way out."""
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError) as caught:
            LocalServer(Puppet(), port=port).__enter__()
    assert str(caught.value) == (
        f"Port {port} of 127.0.0.1 cannot be used: Address already in use. Port 0 takes any free port. "
        "Leave --port away, or end what uses the port."
    )


def test_a_backend_that_does_not_start_is_raised_where_the_server_was_started() -> None:
    """An error of the backend's start comes out of the server's thread."""

    class Unwilling(Puppet):
        async def start(self) -> None:
            raise EngineError("no model", "", "")

    with pytest.raises(EngineError, match=r"^no model$"):
        LocalServer(Unwilling()).__enter__()
