"""The engine's command and the process that EmbeddedEngine starts, stops and reports on."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.engine.cli import engine_main
from pytest_chimera.engine.process import EmbeddedEngine
from pytest_chimera.engine.script import read_script
from pytest_chimera.errors import EngineError, UserError

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = {"models": {"m": {"answers": [{"tokens": "a b", "report": {"eval_count": None}}]}}}
COMMAND = [sys.executable, "-m", "pytest_chimera.engine"]


def generate(url: str) -> str:
    """What the model says."""
    with closing(HTTPConnection(url.removeprefix("http://"), timeout=10)) as connection:
        connection.request("POST", "/api/generate", json.dumps({"model": "m", "prompt": "x", "stream": False}))
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return str(answer["response"])


def is_alive(pid: int) -> bool:
    """Whether a process of that id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("script", [SCRIPT, read_script(SCRIPT)])
def test_the_engine_runs_in_a_process_of_its_own(script: Any) -> None:
    """Within the context it answers under its address from another process; afterwards that process is gone."""
    with EmbeddedEngine.scripted(script) as engine:
        assert engine.url.startswith("http://127.0.0.1:")
        assert generate(engine.url) == "a b"
        assert engine.is_running
        pid = engine.pid
        assert pid is not None
        assert os.getsid(pid) == pid != os.getpid()
    assert (engine.url, engine.pid, engine.is_running, engine.stderr_tail()) == ("", None, False, "")
    assert not is_alive(pid)


def test_start_and_stop_can_be_called_twice() -> None:
    """Starting what runs and stopping what does not run change nothing; it can be started again."""
    engine = EmbeddedEngine.scripted(SCRIPT)
    engine.stop()
    for _ in range(2):
        engine.start()
        url = engine.url
        engine.start()
        assert engine.url == url
        engine.stop()
        engine.stop()


def test_the_engine_leaves_with_its_parent() -> None:
    """When the process that started it is killed, the engine ends by itself: its standard input ended."""
    parent = (
        "import json, sys, os\n"
        "from pytest_chimera.engine.process import EmbeddedEngine\n"
        "engine = EmbeddedEngine.scripted(json.loads(sys.argv[1]))\n"
        "engine.start()\n"
        "print(engine.url, flush=True)\n"
        "sys.stdin.read()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", parent, json.dumps(SCRIPT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        host, _, port = process.stdout.readline().decode().strip().removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as connection:
            process.stdin.close()
            assert process.wait() == -signal.SIGKILL
            with suppress(ConnectionResetError):  # where it had not been accepted yet
                assert connection.recv(1) == b""


def test_an_engine_that_dies_tells_so() -> None:
    """A killed engine is not running, and stopping it is no error."""
    with EmbeddedEngine.scripted(SCRIPT) as engine:
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        os.waitid(os.P_PID, engine.pid, os.WEXITED | os.WNOWAIT)
        assert not engine.is_running


def test_a_bad_script_is_refused_before_anything_starts() -> None:
    """The script's dict form is read in this process."""
    with pytest.raises(UserError, match=r"^script: unknown key 'modles'\. Known keys: models\.$"):
        EmbeddedEngine.scripted({"modles": {}})


def test_an_engine_that_cannot_start_says_what_a_person_can_do() -> None:
    """The error is the engine's own, without a traceback, when it knew what was wrong."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        engine = EmbeddedEngine.scripted(SCRIPT, port=port)
        with pytest.raises(EngineError) as caught:
            engine.start()
    assert str(caught.value) == (
        f"The embedded engine did not start. Port {port} of 127.0.0.1 cannot be used: Address already in use. "
        "Port 0 takes any free port. Leave --port away, or end what uses the port."
    )
    assert not engine.is_running


def test_an_engine_that_fails_otherwise_shows_its_last_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the child falls over, its status and what it wrote are in the error."""
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")  # the interpreter itself does not start
    with pytest.raises(EngineError) as caught:
        EmbeddedEngine.scripted(SCRIPT).start()
    assert str(caught.value).startswith("The embedded engine did not start: it ended with status 1. It wrote:\n")
    assert "No module named 'encodings'" in str(caught.value)


def test_an_engine_that_says_nothing_is_given_up() -> None:
    """Without an address in time it is stopped, and the error names the time."""
    engine = EmbeddedEngine.scripted(SCRIPT, start_timeout_s=0.0)
    with pytest.raises(
        EngineError, match=r"^The embedded engine did not start: it said nothing for 0 s\. It wrote nothing\.$"
    ):
        engine.start()
    assert not engine.is_running


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_command_quietly(tmp_path: Path, number: signal.Signals) -> None:
    """The command prints one line, its address, and a signal ends it with status 0 and nothing more."""
    script = tmp_path / "script.yaml"
    script.write_text("models: {m: {answers: [{tokens: yes indeed}]}}", encoding="utf-8")
    command = [*COMMAND, "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert generate(url) == "yes indeed"
        process.send_signal(number)
        rest = process.communicate()
    assert (process.returncode, rest) == (0, ("", ""))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("absent.json", None, "Script '{path}' cannot be read: No such file or directory. Name a JSON or YAML file."),
        (
            "broken.json",
            "{",
            (
                "Script '{path}' is neither JSON nor YAML: Expecting property name enclosed in double quotes: "
                "line 1 column 2 (char 1)"
            ),
        ),
        (
            "wrong.yml",
            "models: 3",
            "script.models: 3 is not usable. Accepted: a mapping of at least one model name to its answers.",
        ),
    ],
)
def test_a_script_file_that_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, message: str
) -> None:
    """The command says what is wrong with its script, in one line, with status 2."""
    path = tmp_path / name
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert engine_main(["--script", str(path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "pytest-chimera engine: " + message.format(path=path) + "\n")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ["--port", "99999"],
            1,
            (
                "Port 99999 of 127.0.0.1 cannot be used: there are ports from 0 to 65535. Port 0 takes any free port. "
                "Leave --port away, or end what uses the port."
            ),
        ),
        (["--threads", "0"], 2, "error: argument --threads: '0' is not a whole number from 1"),
        (["--parallel", "-1"], 2, "error: argument --parallel: '-1' is not a whole number from 1"),
        (["--model", "tiny", "--script", "x"], 2, "error: argument --script: not allowed with argument --model"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, message: str
) -> None:
    """The command ends before it serves, with a status that is not 0 and a last line that says why."""
    pytest.importorskip("xllamacpp", reason="--port is looked at when there is something to serve")
    try:
        ended: object = engine_main(arguments)
    except SystemExit as error:  # how argparse ends a command
        ended = error.code
    out, err = capsys.readouterr()
    assert (ended, out) == (status, "")
    assert err.splitlines()[-1].replace("pytest-chimera engine: ", "") == message


def test_a_missing_extra_names_the_pip_line(tmp_path: Path) -> None:
    """Without the packages of the extra the command says what to install, with status 1 and no traceback."""
    (tmp_path / "script.json").write_text(json.dumps(SCRIPT), encoding="utf-8")
    program = (
        "import sys\n"
        "sys.modules['uvicorn'] = None\n"
        "sys.modules['xllamacpp'] = None\n"
        "from pytest_chimera.engine.cli import engine_main\n"
        "sys.exit(engine_main(sys.argv[1:]))\n"
    )
    for arguments, package in ((["--script", str(tmp_path / "script.json")], "uvicorn"), ([], "xllamacpp")):
        command = [sys.executable, "-c", program, *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == (
            f"pytest-chimera engine: The embedded engine needs the package {package!r}, which is not installed. "
            "Install it with: pip install 'pytest-chimera[embedded]'\n"
        )


def test_tiny_is_what_is_served_by_default() -> None:
    """Without arguments the engine serves `tiny`, and what it says comes from real inference."""
    with EmbeddedEngine() as engine, closing(HTTPConnection(engine.url.removeprefix("http://"))) as connection:
        connection.request("GET", "/api/tags")
        models = json.loads(connection.getresponse().read())["models"]
        assert [model["name"] for model in models] == ["tiny:latest"]
        body = {"model": "tiny", "messages": [{"role": "user", "content": "x"}], "stream": False}
        connection.request("POST", "/api/chat", json.dumps(body))
        answer = json.loads(connection.getresponse().read())
    assert (answer["done"], answer["eval_count"] > 0, answer["eval_duration"] > 0) == (True, True, True)
