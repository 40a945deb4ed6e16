"""The console script `pytest-chimera`, the same as `python -m pytest_chimera`: signposts to what does the work."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

USAGE = """\
usage: pytest-chimera COMMAND [ARGUMENTS]

  engine   serve a model on loopback as Ollama does   (pytest-chimera engine --help)
  compare  saved runs: better, same or worse          (pytest-chimera compare --help)
  read     folders of old results: what is in them     (pytest-chimera read --help)
  explain  one fact of a report, back to its sources  (pytest-chimera explain --help)
  schema   the JSON Schema of suites and personas     (pytest-chimera schema --help)
  recover  report on runs that were killed, from what they left in .chimera/runs

Measuring is done by pytest itself: pytest --chimera-model gemma3
"""


def _engine(arguments: Sequence[str]) -> int:
    from pytest_chimera.engine.cli import engine_main  # noqa: PLC0415  # only this command needs the engine

    return engine_main(arguments)


def _recover(arguments: Sequence[str]) -> int:
    from pytest_chimera.plugin.recover import recover_main  # noqa: PLC0415  # only this command needs the report

    return recover_main(arguments)


def _compare(arguments: Sequence[str]) -> int:
    from pytest_chimera.compare.cli import compare_main  # noqa: PLC0415  # only this command reads saved runs
    from pytest_chimera.plugin.storage import storage_folder  # noqa: PLC0415  # same

    return compare_main(arguments, storage_folder)


def _read(arguments: Sequence[str]) -> int:
    from pytest_chimera.report.read import read_main  # noqa: PLC0415  # only this command reads a corpus

    return read_main(arguments)


def _explain(arguments: Sequence[str]) -> int:
    from pytest_chimera.report.explain import explain_main  # noqa: PLC0415  # only this command reads a twin

    return explain_main(arguments)


def _schema(arguments: Sequence[str]) -> int:
    from pytest_chimera.suites.schema.command import schema_main  # noqa: PLC0415  # only this command needs suites

    return schema_main(arguments)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "engine": _engine,
    "compare": _compare,
    "read": _read,
    "explain": _explain,
    "schema": _schema,
    "recover": _recover,
}
"""Command -> what carries it out; each returns the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 (done), 1 (failed) or 2 (not understood)."""
    from pytest_chimera.errors import ChimeraError, nearest  # noqa: PLC0415  # keeps --help quick

    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in {"-h", "--help", "help"}:
        sys.stdout.write(USAGE)
        return 0 if words else 2
    if words[0] not in COMMANDS:
        known = ", ".join(COMMANDS)
        sys.stderr.write(
            f"{words[0]!r} is not a command. Known: {known}. {nearest(words[0], COMMANDS)}".rstrip() + "\n"
        )
        return 2
    try:
        return COMMANDS[words[0]](words[1:])
    except ChimeraError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
