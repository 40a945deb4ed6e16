"""`pytest --chimera-list`: the models, personas and suites that there are, in place of a run.

Rows are computed first and written as lines after. No test is imported or run, and what a server or a file says is
escaped.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.errors import ChimeraError, HostError, HostUnreachableError, ModelError
from pytest_chimera.plugin import options
from pytest_chimera.plugin.collecting import is_suite
from pytest_chimera.plugin.models import engine_is_installed
from pytest_chimera.plugin.runners import PERSONAS
from pytest_chimera.plugin.servers import INSTALL
from pytest_chimera.plugin.session import ChimeraSession
from pytest_chimera.report.columns import Columns, Row, fitted, wrapped
from pytest_chimera.report.escape import terminal
from pytest_chimera.suites.persona import BUILT_IN_FOLDER, read_persona
from pytest_chimera.suites.schema import read_suite
from pytest_chimera.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_chimera.client import Client
    from pytest_chimera.engine.backend import ModelCard
    from pytest_chimera.records import ModelInfo

_MODELS = Columns(
    name="model", heads=("parameters", "quantization", "size", "capabilities"), left=(3,),
)  # fmt: skip
_FILES = (".yaml", ".yml")
_MOST_CASES = 8
"""Names of cases that are shown of one suite."""
_LONGEST_NAME = 40


def show(config: pytest.Config) -> int | None:
    """Print the list and give the exit status; None where the option says that none is wanted.

    Raises pytest.UsageError where an option cannot be used or a path is not there.
    """
    session = ChimeraSession(config, options.gather(config, os.environ))
    try:
        if not session.settings.list:
            return None
        lines = list(_lines(session, shutil.get_terminal_size().columns))
    except ChimeraError as error:
        raise pytest.UsageError(str(error)) from None
    sys.stdout.write("\n".join(lines) + "\n")
    return pytest.ExitCode.OK


def _lines(session: ChimeraSession, width: int) -> Iterator[str]:
    config = session.config
    named = [Path(argument.split("::", maxsplit=1)[0]) for argument in config.args]
    roots = [config.invocation_params.dir / each for each in named]
    for root in roots:
        if not root.exists():
            raise pytest.UsageError(f"file or directory not found: {session.shown_path(root)}")
    folders, files = _walked(roots, config.getini("norecursedirs"))
    yield from _of_host(session.servers.host_client(), width)
    yield ""
    yield from _of_engine(width)
    yield ""
    yield "personas"
    above = [parent for root in roots for parent in root.parents if parent.is_relative_to(config.rootpath)]
    places = [each / PERSONAS for each in dict.fromkeys((*above, *folders, config.rootpath))]
    for place in [each for each in places if each.is_dir()]:
        yield from _personas(session, place, session.shown_path(place), width)
    yield from _personas(session, BUILT_IN_FOLDER, "built in", width)
    yield ""
    yield "suites"
    if not files:
        yield from wrapped("no file *.chimera.yaml here", width)
    for path in files:
        yield from _suite(session, path, width)


def _walked(roots: Sequence[Path], ignored: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """The folders and the suites below some paths, each once, in order; as pytest does, some folders are left out."""
    folders: dict[Path, None] = {}
    files: dict[Path, None] = {}
    for root in roots:
        if root.is_file():
            folders[root.parent] = None
            files.update({root: None} if is_suite(root.name) else {})
        for folder, below, names in os.walk(root):
            below[:] = sorted(each for each in below if not any(fnmatch.fnmatch(each, glob) for glob in ignored))
            folders[Path(folder)] = None
            files.update(dict.fromkeys(Path(folder, name) for name in sorted(names) if is_suite(name)))
    return list(folders), list(files)


def _of_host(client: Client, width: int) -> Iterator[str]:
    """What is installed on the host, or why nobody knows."""
    yield f"models of Ollama at {terminal(client.url)}"
    try:
        found = client.models()
    except HostUnreachableError:
        yield from wrapped("no Ollama answers there", width)
        return
    except HostError as error:
        yield from wrapped(terminal(str(error)), width)
        return
    if not found:
        yield from wrapped("none; get one: ollama pull gemma3", width)
    yield from _table([_model(_whole(client, each)) for each in found], width)


def _whole(client: Client, listed: ModelInfo) -> ModelInfo:
    """All that the server says of a model; what the list says where it says no more."""
    with suppress(HostError, ModelError):
        return client.model(listed.name)
    return listed


def _of_engine(width: int) -> Iterator[str]:
    yield "models of the embedded engine"
    if not engine_is_installed():
        yield from wrapped(f"none: it is not installed. {INSTALL}", width)
        return
    from pytest_chimera.engine.models import install, tiny_spec  # noqa: PLC0415  # only where it can be used

    yield from _table([_model(install(tiny_spec()).card)], width)


def _model(model: ModelInfo | ModelCard) -> Row:
    size = "" if model.size_bytes is None else format_bytes(model.size_bytes)
    cells = (model.parameter_size or "", model.quantization or "", size, ", ".join(model.capabilities))
    return Row(terminal(model.name.removesuffix(":latest")), tuple(map(terminal, cells)))


def _table(rows: Sequence[Row], width: int) -> list[str]:
    return [f"  {line}" for line in fitted(_MODELS, rows, width - 2)]


def _personas(session: ChimeraSession, folder: Path, origin: str, width: int) -> Iterator[str]:
    for path in sorted(each for each in folder.iterdir() if each.suffix in _FILES):
        where = origin if folder == BUILT_IN_FOLDER else session.shown_path(path)
        try:
            persona = read_persona(path, session.settings.allow_option)
        except ChimeraError as error:
            yield from _item(where, _short(error, path, session), width)
        else:
            about = f"{persona.description} ({where})" if persona.description else f"({where})"
            yield from _item(persona.name, about, width)


def _suite(session: ChimeraSession, path: Path, width: int) -> Iterator[str]:
    try:
        suite = read_suite(path)
    except ChimeraError as error:
        yield from _item(session.shown_path(path), _short(error, path, session), width)
        return
    count = len(suite.cases)
    told = f"{count} case" if count == 1 else f"{count:,} cases"
    names = [_cut(terminal(each.name)) for each in suite.cases[:_MOST_CASES]]
    more = [f"and {count - _MOST_CASES:,} more"] if count > _MOST_CASES else []
    yield from _item(session.shown_path(path), f"{told}: {'; '.join([*names, *more])}", width)


def _item(name: str, about: str, width: int) -> Iterator[str]:
    """A name, and below it what is said of it."""
    yield from wrapped(terminal(name), width)
    yield from wrapped(terminal(about), width, indent="    ")


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."


def _short(error: ChimeraError, path: Path, session: ChimeraSession) -> str:
    return str(error).replace(str(path), session.shown_path(path))
