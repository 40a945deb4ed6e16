"""`pytest-chimera engine`: serve on loopback until told to leave, with one line of output, the address.

Also what EmbeddedEngine starts in its child; arguments are read here, nothing is answered here.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import ChimeraError, MissingExtraError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.engine.backend import Backend
    from pytest_chimera.engine.serve import EngineServer

TINY = "tiny"
"""The model that ships inside the package."""
ERROR_PREFIX = "pytest-chimera engine: "
"""How a line on standard error begins that says what a person can do; anything else there is a traceback of ours."""
_STDIN = "-"
_PURPOSE = "The embedded engine"


def engine_main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0 when told to leave, 2 for what a person asked for, 1 otherwise."""
    arguments = _parser().parse_args(argv)
    try:
        _serve(arguments)
    except ChimeraError as error:
        print(f"{ERROR_PREFIX}{error}", file=sys.stderr)  # noqa: T201  # a command speaks to its terminal
        return 2 if isinstance(error, UserError) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pytest-chimera engine",
        description="An Ollama-protocol server on loopback. Prints its address and serves until Ctrl-C.",
    )
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument(
        "--model",
        action="append",
        metavar="NAME|PATH.gguf",
        help="'tiny' (the default, inside the package) or a GGUF file; repeatable",
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    answers.add_argument("--script", metavar="FILE", help="answer from this JSON or YAML script instead of a model")
    parser.add_argument("--threads", type=_positive, default=1, help="decode threads per model (default 1)")
    parser.add_argument("--parallel", type=_positive, default=1, help="answers at once per model (default 1)")
    parser.add_argument("--until-eof", action="store_true", help="leave when standard input ends")
    return parser


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return number


def _serve(arguments: argparse.Namespace) -> None:
    backend = _backend(arguments)
    try:
        from pytest_chimera.engine.serve import EngineServer, address, listen  # noqa: PLC0415  # needs the extra
    except ModuleNotFoundError as error:
        if error.name != "uvicorn":
            raise
        raise MissingExtraError.of("uvicorn", "embedded", _PURPOSE) from None
    listening = listen(arguments.port)
    url = address(listening)
    server = EngineServer(backend, listening)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises what it caught once more when it has ended: this makes Ctrl-C quiet.
        signal.signal(number, lambda *_: server.stop())
    if arguments.until_eof:
        threading.Thread(target=_stop_at_eof, args=(server,), daemon=True).start()
    server.run(lambda: print(url, flush=True))  # noqa: T201  # the one line


def _backend(arguments: argparse.Namespace) -> Backend:
    if arguments.script is not None:
        from pytest_chimera.engine.script import read_script  # noqa: PLC0415  # only what is asked for is loaded
        from pytest_chimera.engine.scripted import ScriptedBackend  # noqa: PLC0415  # same

        return ScriptedBackend(read_script(_load_script(arguments.script)))
    if importlib.util.find_spec("xllamacpp") is None:  # only asked for: it is imported by the children that load models
        raise MissingExtraError.of("xllamacpp", "embedded", _PURPOSE)
    from pytest_chimera.engine.llama import LlamaBackend  # noqa: PLC0415  # only what is asked for is loaded
    from pytest_chimera.engine.models import model_spec  # noqa: PLC0415  # same

    models = [model_spec(named) for named in arguments.model or (TINY,)]
    return LlamaBackend(models, threads=arguments.threads, parallel=arguments.parallel)


def _load_script(source: str) -> Any:
    if source == _STDIN:
        return json.loads(sys.stdin.buffer.readline())
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return json.loads(text)
        import yaml  # noqa: PLC0415  # only for YAML

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from None
    except OSError as error:
        raise UserError(
            f"Script {source!r} cannot be read: {error.strerror}.", "", "Name a JSON or YAML file."
        ) from None
    except ValueError as error:
        raise UserError(f"Script {source!r} is neither JSON nor YAML: {error}", "", "") from None


def _stop_at_eof(server: EngineServer) -> None:
    """Not through sys.stdin: its lock, held here, would stop the interpreter from ending for another reason."""
    descriptor = sys.stdin.fileno()
    while os.read(descriptor, 4096):
        pass
    server.stop()
