"""The files that a suite is read from: errors that name file, line and column, and what `{file: path}` stands for.

What the values of a suite may be is said in `schema`.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import SuiteError
from pytest_chimera.plain_yaml import LARGEST_TEXT, Node, NotPlainError, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_SHOWN = 60
_LONGEST_PATH = 300
_PATHS = "Accepted: a path that counts from the folder of the suite."
_BYTES_PER_CHARACTER = 4
"""At most, in UTF-8."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file in which every value knows its place."""

    path: Path

    def refuse(self, place: Node | tuple[int, int], what: str, accepted: str = "", next_step: str = "") -> SuiteError:
        """The error about a value, or about (line, column); `what` goes on after "FILE:LINE:COLUMN: "."""
        return SuiteError(f"{self.at(place)}: {what}", accepted, next_step)

    def refuse_key(self, node: Node, what: str, accepted: str = "", next_step: str = "") -> SuiteError:
        """The error about a value, at the key before it."""
        return self.refuse((node.key_line, node.key_column) if node.key_line else node, what, accepted, next_step)

    def at(self, place: Node | tuple[int, int]) -> str:
        """ "FILE:LINE:COLUMN"."""
        line, column = (place.line, place.column) if isinstance(place, Node) else place
        return f"{self.path}:{line}:{column}"

    def read(self, text: str) -> Node:
        """The nodes of this file, of which `text` is the content. Raises SuiteError."""
        try:
            return read_yaml(text)
        except NotPlainError as error:
            raise self.refuse((error.line, error.column), error.what, error.accepted, error.next_step) from None


class Places(Mapping[str, tuple[int, int]]):
    """Field -> line and column, in a third of the memory of a dict: a suite may have ten thousand cases."""

    __slots__ = ("_names", "_numbers")

    def __init__(self, names: tuple[str, ...], places: Iterable[tuple[int, int]]) -> None:
        self._names = names
        self._numbers = array("Q", [number for place in places for number in place])

    def __getitem__(self, name: str) -> tuple[int, int]:
        """Raises KeyError for a field that is not there."""
        if name not in self._names:
            raise KeyError(name)
        at = 2 * self._names.index(name)
        return self._numbers[at], self._numbers[at + 1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def shown(value: object) -> str:
    """A value as people call it, short: "empty", "a list", "'text'"."""
    if value is None or isinstance(value, bool):
        return "empty" if value is None else str(value).lower()
    if isinstance(value, (dict, list)):
        kind = "mapping" if isinstance(value, dict) else "list"
        return f"a {kind}" if value else f"an empty {kind}"
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]!r} and more"
    return str(value)


def read_text(path: Path, place: str) -> str:
    """The text of a file that is named at `place` ("FILE:LINE:COLUMN"), line ends as "\\n". Raises SuiteError."""
    problem = missing(path)
    if problem:
        raise _unreadable(path, place, problem)
    try:
        if path.stat().st_size > LARGEST_TEXT * _BYTES_PER_CHARACTER:
            raise _unreadable(path, place, f"it is larger than {LARGEST_TEXT:,} characters")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, place, error.strerror or "no reason given") from None
    except UnicodeDecodeError:
        raise SuiteError(f"{place}: {path} is not UTF-8.", "Accepted: text in UTF-8.", "Save it so.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def missing(path: Path) -> str:
    """Why a path is no file, in words; empty for one that is."""
    try:
        if path.is_file():
            return ""
        return "it is no file" if path.exists() else "there is no such file"
    except (OSError, ValueError):  # a name that is too long, or with a NUL
        return "this is no path"


def check_file(path: Path, place: str) -> None:
    """Raise SuiteError where the file that is named at `place` is not there."""
    problem = missing(path)
    if problem:
        raise _unreadable(path, place, problem)


def read_nodes(path: Path, place: str) -> tuple[Node, Source]:
    """The values of a file of JSON (`.json`) or YAML that is named at `place`, and where their places are.

    Values from JSON all stand at 1:1. Raises SuiteError.
    """
    text = read_text(path, place)
    source = Source(path)
    if path.suffix.lower() != ".json":
        return source.read(text), source
    try:
        return _node(json.loads(text)), source
    except ValueError as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        problem = getattr(error, "msg", "a number has too many digits")
        raise source.refuse((line, column), f"{problem}.", "Accepted: JSON.", "Correct it.") from None
    except RecursionError:
        raise source.refuse((1, 1), "it is nested too deeply.", "Accepted: JSON.", "Make it flatter.") from None


def _node(value: Any) -> Node:
    if isinstance(value, dict):
        return Node({name: _node(each) for name, each in value.items()}, 1, 1)
    if isinstance(value, list):
        return Node([_node(each) for each in value], 1, 1)
    return Node(value, 1, 1)


def _unreadable(path: Path, place: str, problem: str) -> SuiteError:
    name = str(path) if len(str(path)) <= _LONGEST_PATH else f"{str(path)[:_LONGEST_PATH]}..."
    return SuiteError(f"{place}: the file {name!r} cannot be read: {problem}.", _PATHS, "Correct the path.")
