"""The scenes in which recorded requests are asked again: the models, the state that is made first, the order.

What is compared is wire_compare's, what is printed wire_agreement's.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puppets import puppet
from wire_compare import Answer

from pytest_chimera.engine.llama import LlamaBackend
from pytest_chimera.engine.models import ModelSpec
from pytest_chimera.engine.serve import EngineServer, LocalServer, address, listen
from pytest_chimera.engine.tiny import FORMAT_BIAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAND_IN = "gemma3:270m"
DIES_OF_SIGILL = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
"""A runner as it is on a machine that lacks an instruction it was built with."""
STAND_IN_BIAS = tuple((token, 10 * bias) for token, bias in FORMAT_BIAS)
"""A puppet is surer of itself than tiny is: it needs a stronger word to close a string."""
SILENCE_S = 1.0
SOON_LINES = 20
GAP_S = 0.02
MIDDLE_S = 0.1
"""When a whole answer of 300 tokens is well under way."""

# The templates of the recorded Modelfiles, in Jinja.
PLAIN = "{% for m in messages %}{{ m.content }}{{ '\\n\\n' if m.role == 'system' else '\\n' }}{% endfor %}"
THINK = (
    "{% for m in messages %}{{ m.role }}: "
    "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
    "{{ m.content }}{{ '\\n' }}{% endfor %}{{ 'assistant: ' }}"
)
TOOL = (
    "{% if tools_json %}Tools: {{ tools_json }}{{ '\\n' }}{% endif %}"
    "{% for m in messages %}{{ m.role }}: {{ m.content }}{% for call in m.tool_calls or [] %}"
    "{{ {'name': call.function.name, 'parameters': call.function.arguments} | tojson }}{% endfor %}"
    "{{ '\\n' }}{% endfor %}{{ 'assistant: ' }}"
)
GEMMA = (
    "{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else 'user' }}{{ '\\n' }}"
    "{{ m.content }}<end_of_turn>{{ '\\n' }}{% endfor %}<start_of_turn>model{{ '\\n' }}"
)
TEMPLATES = {"think": THINK, "thinkonly": THINK, "openthink": THINK, "tool": TOOL}


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recorded exchange."""

    name: str
    request: dict[str, Any]
    raw: bytes
    ended: str

    @classmethod
    def read(cls, path: Path) -> Recording:
        """Read one file."""
        found = json.loads(path.read_text(encoding="utf-8"))
        raw = "".join(text for _, text in found["arrivals"]).encode("latin-1")
        return cls(name=path.stem, request=found["request"], raw=raw, ended=found["ended"])

    @property
    def of_puppet(self) -> bool:
        """Whether the recorded model is one of ours, known to the last token."""
        body = self.request.get("json")
        return isinstance(body, dict) and str(body.get("model", "")).startswith("puppet:")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Recordings that are asked of one server, one after the other."""

    names: list[str]
    play: Callable[[], Iterator[tuple[str, Answer]]]


def specs_in(folder: Path, scripts: dict[str, Any]) -> list[ModelSpec]:
    """The recorded models, made in `folder` if they are not there: the puppets, and one in Gemma's place."""
    specs = []
    for name, script in scripts.items():
        path = folder / f"{name}.gguf"
        if not path.exists():
            path.write_bytes(puppet(name=f"puppet-{name}", **script))
        capabilities = {"tool": ("tools",)}.get(name)
        specs.append(
            ModelSpec(name=f"puppet:{name}", path=path, template=TEMPLATES.get(name, PLAIN), capabilities=capabilities)
        )
    path = folder / "stand-in.gguf"
    if not path.exists():
        # No end, as the base model that was recorded has none, and slow enough to be stopped in the middle.
        path.write_bytes(puppet(["again", " and"], last="again", feed_forward=4096))
    options = {"stop": ["<end_of_turn>"], "temperature": 0.7}
    specs.append(ModelSpec(name=STAND_IN, path=path, template=GEMMA, options=options, format_bias=STAND_IN_BIAS))
    return specs


def exchange(
    url: str, request: dict[str, Any], *, soon: Callable[[], None] | None = None, give_up_s: float = 60.0
) -> Answer:
    """Send a recorded request and read until the connection ends; `soon` is called once in the middle of the stream."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    raw = b""
    with socket.create_connection((host, int(port)), timeout=give_up_s) as connection:
        connection.sendall(_request_bytes(request))
        try:
            while data := connection.recv(65536):
                raw += data
                if soon is not None and raw.count(b"\n{") + raw.count(b'"done":false') > SOON_LINES:
                    soon()
                    soon = None
        except (TimeoutError, ConnectionError):
            pass
    return Answer.of_bytes(raw)


def hang_up(url: str, request: dict[str, Any]) -> Answer:
    """Send a recorded request and close the connection in the middle of the answer."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    raw = b""
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(_request_bytes(request))
        while raw.count(b'"done":false') < SOON_LINES:
            raw += connection.recv(4096)
    return Answer.of_bytes(raw)


def _request_bytes(request: dict[str, Any]) -> bytes:
    body = json.dumps(request["json"]) if request.get("json") is not None else request.get("raw") or ""
    headers = {"Host": "127.0.0.1", "Connection": "close", **(request.get("headers") or {})}
    if request["method"] in ("POST", "DELETE"):
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
    head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    return f"{request['method']} {request['path']} HTTP/1.1\r\n{head}\r\n{body}".encode()


def runners(parent: int) -> list[int]:
    """The process ids of the runners that a server has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"pytest_chimera.engine.runner" in command:
            found.append(int(status.parent.name))
    return found


def _kill(number: signal.Signals) -> None:
    for pid in runners(os.getpid()):
        os.kill(pid, number)


class Stage:
    """Builds the scenes."""

    def __init__(self, recordings: dict[str, Recording], models: Path, folder: Path) -> None:
        """Makes the models in `folder`."""
        self._recordings = recordings
        self._folder = folder
        self._scripts = models / "scripts.json"
        self._specs = specs_in(folder, json.loads(self._scripts.read_text(encoding="utf-8")))

    def _server(self, **settings: Any) -> LocalServer:
        # 0.32.15 does not send the cached count that newer servers do.
        return LocalServer(LlamaBackend(self._specs, report_cached=False, **settings))

    def _ask(self, server: LocalServer, name: str, **how: Any) -> Answer:
        return exchange(server.url, self._recordings[name].request, **how)

    def ordinary(self, names: list[str]) -> Iterator[tuple[str, Answer]]:
        """One server, one request after the other."""
        with self._server() as server:
            for name in names:
                if name == "ps_keep_alive":
                    self._three_loaded(server)
                if name == "cut_by_client":
                    yield name, hang_up(server.url, self._recordings[name].request)
                else:
                    yield name, self._ask(server, name)

    def _three_loaded(self, server: LocalServer) -> None:
        self._ask(server, "chat_unload")
        for name in ("chat_think_default", "chat_tools"):
            self._ask(server, name)
        body = {"model": "puppet:plain", "prompt": "", "keep_alive": "10m", "options": {"num_ctx": 512}}
        exchange(server.url, {"method": "POST", "path": "/api/generate", "json": body})

    def together(self, names: list[str], **settings: Any) -> Iterator[tuple[str, Answer]]:
        """Requests sent 20 ms apart to one loaded model."""
        with self._server(**settings) as server:
            self._ask(server, "generate_cold_stream")
            yield from self._at_once(server, names)

    def _at_once(self, server: LocalServer, names: list[str]) -> list[tuple[str, Answer]]:
        answers: list[tuple[str, Answer]] = []

        def ask(name: str) -> None:
            answers.append((name, self._ask(server, name)))

        threads = [threading.Thread(target=ask, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
            time.sleep(GAP_S)
        for thread in threads:
            thread.join()
        return answers

    def other_model(self) -> Iterator[tuple[str, Answer]]:
        """One model may be loaded, and it is busy when the second is asked for."""
        with self._server(max_loaded=1) as server:
            answers = self._at_once(server, ["queue_parallel1_0", "queue_other_model"])
        yield from (found for found in answers if found[0] == "queue_other_model")

    def queue_full(self) -> Iterator[tuple[str, Answer]]:
        """One may be loaded, one may wait, seven are asked for: one of those turned away."""
        name = "fault_queue_full"
        request = self._recordings[name].request
        others = ["puppet:plain", "puppet:loop", "puppet:think", "puppet:tool", "puppet:space", "puppet:empty"]
        answers: list[Answer] = []
        with self._server(max_loaded=1, max_queue=1) as server:
            self._ask(server, "generate_cold_stream")

            def ask(model: str) -> None:
                answers.append(exchange(server.url, {**request, "json": {**request["json"], "model": model}}))

            threads = [threading.Thread(target=ask, args=(model,)) for model in [STAND_IN, *others]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        turned_away = [answer for answer in answers if answer.status != 200]
        yield name, turned_away[0] if turned_away else answers[-1]

    def crashing_runner(self, names: list[str]) -> Iterator[tuple[str, Answer]]:
        """The runner dies while it loads."""
        with self._server(runner_command=DIES_OF_SIGILL) as server:
            for name in names:
                yield name, self._ask(server, name)

    def runner_faults(self) -> Iterator[tuple[str, Answer]]:
        """The runner is killed or frozen in the middle."""
        with self._server() as server:
            name = "fault_runner_killed_mid_stream"
            yield name, self._ask(server, name, soon=lambda: _kill(signal.SIGKILL))
            yield "fault_after_runner_killed", self._ask(server, "fault_after_runner_killed")
            timer = threading.Timer(MIDDLE_S, _kill, (signal.SIGKILL,))
            timer.start()
            yield "fault_runner_killed_nostream", self._ask(server, "fault_runner_killed_nostream")
            timer.join()
            name = "fault_runner_stopped_mid_stream"
            try:
                yield name, self._ask(server, name, soon=lambda: _kill(signal.SIGSTOP), give_up_s=SILENCE_S)
            finally:
                _kill(signal.SIGCONT)

    def server_fault(self, name: str, number: signal.Signals) -> Iterator[tuple[str, Answer]]:
        """The server itself gets a signal in the middle."""
        with _process(self._folder, self._scripts) as (process, url):
            yield name, exchange(url, self._recordings[name].request, soon=lambda: process.send_signal(number))


@contextmanager
def _process(folder: Path, scripts: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    script = Path(__file__).with_name("wire_agreement.py")
    command = [sys.executable, str(script), "--serve", str(folder), json.dumps(str(scripts))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().decode().strip()
        finally:
            process.kill()


def serve(folder: Path, scripts: str) -> None:
    """Serve the recorded models until a signal comes."""
    listening = listen(0)
    specs = specs_in(folder, json.loads(Path(scripts).read_text(encoding="utf-8")))
    server = EngineServer(LlamaBackend(specs, report_cached=False), listening)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.run(lambda: print(address(listening), flush=True))


def scenes(recordings: dict[str, Recording], models: Path, folder: Path) -> Iterator[Scene]:
    """All scenes; every recording is in one of them."""
    stage = Stage(recordings, models, folder)
    first = ["tags", "show", "show_think", "show_tools", "ps_empty", "generate_cold_stream", "ps_loaded"]
    last = ["ps_keep_alive", "cut_by_client", "after_cut"]
    crash = [name for name in recordings if name.startswith("err_runner_crash")]
    apart = [name for name in recordings if name.startswith(("queue_", "fault_"))] + crash
    rest = [name for name in recordings if name not in {*first, *last, *apart}]
    names = [*first, *rest, *last]
    yield Scene(names=names, play=lambda: stage.ordinary(names))
    for parallel in (1, 4):
        four = [f"queue_parallel{parallel}_{index}" for index in range(4)]
        yield Scene(names=four, play=lambda f=four, p=parallel: stage.together(f, parallel=p))  # type: ignore[misc]
    yield Scene(names=["queue_other_model"], play=stage.other_model)
    yield Scene(names=["fault_queue_full"], play=stage.queue_full)
    yield Scene(names=crash, play=lambda: stage.crashing_runner(crash))
    faults = [name for name in recordings if name.startswith(("fault_runner", "fault_after"))]
    yield Scene(names=faults, play=stage.runner_faults)
    for name, number in (
        ("fault_server_killed_mid_stream", signal.SIGKILL),
        ("fault_server_terminated_mid_stream", signal.SIGTERM),
    ):
        yield Scene(names=[name], play=lambda n=name, s=number: stage.server_fault(n, s))  # type: ignore[misc]
