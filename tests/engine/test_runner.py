"""The child process of a loaded model: its parameters, its handshake, how it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.engine import tiny
from pytest_chimera.engine.child import RUNNER_COMMAND, LoadParameters, ending
from pytest_chimera.engine.runner import PARAMETERS, common_params

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

xllamacpp = pytest.importorskip("xllamacpp", reason="the extra `embedded` is not installed")

REQUEST: dict[str, Any] = {
    "path": str(tiny.PATH),
    "n_ctx": 512,
    "n_parallel": 2,
    "n_batch": 256,
    "n_threads": 1,
    "n_gpu_layers": 0,
    "chat_template": "{{ messages[0].content }}",
    "api_key": "secret",
}


@contextmanager
def runner(**changes: Any) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """A runner and the line it answered with."""
    with subprocess.Popen(RUNNER_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({**REQUEST, **changes}).encode() + b"\n")
            process.stdin.flush()
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def status_of(address: str, key: str) -> int:
    """The HTTP status of a question to the runner."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        headers = {"Authorization": f"Bearer {key}"}
        connection.request("POST", "/tokenize", json.dumps({"content": "x"}), headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_installed_xllamacpp_has_every_parameter(name: str) -> None:
    """Names move between releases: each that is set exists in the version that is installed."""
    found = xllamacpp.CommonParams()
    for part in name.split("."):
        assert hasattr(found, part)
        found = getattr(found, part)


def test_the_parameters_are_set_for_measuring() -> None:
    """One decode thread in both pools, no warm-up, no fitting, no cache in RAM, a free port behind a key."""
    params = common_params(REQUEST)
    assert (params.n_ctx, params.n_parallel, params.n_batch, params.n_ubatch) == (1024, 2, 256, 256)
    assert (params.cpuparams.n_threads, params.cpuparams_batch.n_threads) == (1, 1)
    assert (params.port, params.ui, list(params.api_keys), params.verbosity) == (0, False, ["secret"], -1)
    assert (params.warmup, params.fit_params, params.ctx_shift, params.cache_ram_mib) == (False, False, True, 0)


def test_it_listens_on_loopback_behind_a_key_until_its_input_ends() -> None:
    """Its one line is its address; a stranger is refused; when standard input ends it leaves with status 0."""
    with runner() as (process, answer):
        assert answer["address"].startswith("http://127.0.0.1:")
        assert [status_of(answer["address"], key) for key in ("secret", "guess")] == [200, 401]
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_it_outlives_the_ctrl_c_of_its_group() -> None:
    """SIGINT reaches the whole foreground group, but when the runner ends is for the server to say."""
    with runner() as (process, answer):
        process.send_signal(signal.SIGINT)
        assert status_of(answer["address"], "secret") == 200


def test_it_ends_with_the_process_that_started_it() -> None:
    """Killed without a chance to clean up, the parent leaves no runner behind."""
    parent = (
        "import json, subprocess, sys\n"
        f"child = subprocess.Popen({list(RUNNER_COMMAND)!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        f"child.stdin.write(json.dumps({REQUEST!r}).encode() + b'\\n'); child.stdin.flush()\n"
        "child.stdout.readline(); print(child.pid, flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        watch = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        process.kill()
    if watch is None:
        pytest.skip("this system cannot watch a process that is not its child")
    readable, _, _ = select.select([watch], [], [], 10)
    os.close(watch)
    assert readable


def test_a_file_that_cannot_be_loaded_is_an_answer(tmp_path: Path) -> None:
    """llama.cpp gives no reason; the line names the file and the process ends with status 1."""
    path = tmp_path / "broken.gguf"
    path.write_bytes(tiny.PATH.read_bytes()[:5000])
    with runner(path=str(path)) as (process, answer):
        assert answer == {
            "error": f"unable to load model: {path} (Failed to init server, please check the input params.)"
        }
        assert process.wait(timeout=10) == 1


def test_equal_parameters_need_no_reload() -> None:
    """What a model is loaded with is a value: the same twice is equal, another context is not."""
    one = LoadParameters(path="a", n_ctx=512)
    assert one == LoadParameters(path="a", n_ctx=512)
    assert one != LoadParameters(path="a", n_ctx=1024)


@pytest.mark.parametrize(
    ("status", "text"),
    [(1, "exit status 1"), (-signal.SIGILL, "signal: illegal instruction"), (-signal.SIGKILL, "signal: killed")],
)
def test_how_a_runner_ended_is_said_as_ollama_says_it(status: int, text: str) -> None:
    """Exit statuses and signals have Go's words."""
    assert ending(status) == text
