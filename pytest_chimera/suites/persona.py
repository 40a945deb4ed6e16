"""Personas: who the model is asked to be, read from small YAML files, some of them built in.

A persona is a system text with a name, and perhaps model options, bounds and expectations of what it says. Which
folders of a project are searched is the plugin's to say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import MarkerError, OptionError, PersonaError, nearest
from pytest_chimera.plain_yaml import Node, NotPlainError, read_yaml
from pytest_chimera.suites.expect import parse_expect
from pytest_chimera.wire.options import validate_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUILT_IN_FOLDER = Path(__file__).with_name("personas")

FIELDS = ("name", "description", "system", "options", "bounds", "expect")
"""What a file may say; `name` and `system` must be there."""
BOUNDS = ("max_words", "format")
"""What `bounds` may say: the longest answer, and the format of a case that names none."""

_TEXTS = ("name", "description", "system")
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Who the model is asked to be."""

    name: str
    system: str
    """The system text, before everything else that is said."""
    description: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Model options that belong to it; whatever settings, marker or call say stands over them."""
    bounds: Mapping[str, Any] = field(default_factory=dict)
    """`max_words` of an answer, and its `format` ("json" or a JSON schema), where a case says no other."""
    expect: Mapping[str, Any] = field(default_factory=dict)
    """What must hold of its answers, as `parse_expect` gives it; those of a case stand over it name by name."""
    source: str = ""
    """The file it was read from."""

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of its system text."""
        return hashlib.sha256(self.system.encode()).hexdigest()

    @property
    def expected(self) -> Mapping[str, Any]:
        """Its expectations, with the longest answer of its bounds among them."""
        words = {"max_words": self.bounds["max_words"]} if "max_words" in self.bounds else {}
        return {**words, **self.expect}


def find_persona(name: str, search_paths: Sequence[Path] = (), *, allowed_options: Sequence[str] = ()) -> Persona:
    """The persona called `name`, by its file's name or its own, from `search_paths` (folders of YAML) or built in.

    Upper and lower case, spaces, '-' and '_' make no difference; the first folder that has it wins. Raises
    PersonaError that lists what there is, or says with file, line and column what is wrong in a file.
    """
    wanted = _key(name)
    files = list(_files((*search_paths, BUILT_IN_FOLDER)))
    for path in files:
        if _key(path.stem) == wanted:
            return read_persona(path, allowed_options)
    known: list[str] = []
    broken: list[PersonaError] = []
    for path in files:
        try:
            persona = read_persona(path, allowed_options)
        except PersonaError as error:
            broken.append(error)
            continue
        if _key(persona.name) == wanted:
            return persona
        known.append(persona.name)
    raise _unknown(name, known, broken)


def read_persona(path: Path, allowed_options: Sequence[str] = ()) -> Persona:
    """The persona in one YAML file.

    Raises PersonaError with file, line and column.
    """
    try:
        return _Reader(path, allowed_options).persona(read_yaml(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise PersonaError(f"The persona file {path} cannot be read: {error.strerror}.", "", "Correct it.") from None
    except UnicodeDecodeError:
        raise PersonaError(
            f"The persona file {path} is not UTF-8.", "Accepted: YAML in UTF-8.", "Save it so."
        ) from None
    except NotPlainError as error:
        where = f"{path}:{error.line}:{error.column}"
        raise PersonaError(f"{where}: {error.what}", error.accepted, error.next_step) from None


class _Reader:
    """From the nodes of one file to a persona; what is wrong is said with its place."""

    def __init__(self, path: Path, allowed_options: Sequence[str]) -> None:
        self.path = path
        self.allowed_options = allowed_options

    def persona(self, root: Node) -> Persona:
        nodes = self._mapping(
            root, FIELDS, "a persona is a mapping of fields.", _accepted(), "Write name: and system:."
        )
        for required in ("name", "system"):
            if required not in nodes:
                raise self._refuse(root, f"the persona has no {required!r}.", _accepted(), f"Add {required!r}.")
        return Persona(
            source=str(self.path),
            options=self._options(nodes["options"]) if "options" in nodes else {},
            bounds=self._bounds(nodes["bounds"]) if "bounds" in nodes else {},
            expect=self._expect(nodes["expect"]) if "expect" in nodes else {},
            **{name: self._text(name, nodes[name]) for name in _TEXTS if name in nodes},
        )

    def _text(self, name: str, node: Node) -> str:
        if not isinstance(node.value, str) or not node.value.strip():
            found = "empty" if node.value is None else repr(node.plain)
            raise self._refuse(node, f"{name!r} is {found}.", "Accepted: a text.", "Put it into quotes.")
        return node.value.strip()

    def _options(self, node: Node) -> dict[str, Any]:
        if not isinstance(node.value, dict):
            accepted = "Accepted: a mapping such as temperature: 0.2."
            raise self._refuse(node, f"'options' is {node.plain!r}.", accepted, "")
        return dict(self._option(name, each) for name, each in node.value.items())

    def _option(self, name: str, node: Node) -> tuple[str, Any]:
        try:
            return name, validate_options({name: node.plain}, self.allowed_options)[name]
        except OptionError as error:
            raise self._refuse_key(node, error.what, error.accepted, error.next_step) from None

    def _bounds(self, node: Node) -> dict[str, Any]:
        accepted = f"Accepted: {', '.join(BOUNDS)}."
        nodes = self._mapping(node, BOUNDS, f"'bounds' is {node.plain!r}.", accepted, "Write max_words: 300 below it.")
        found: dict[str, Any] = {}
        if "max_words" in nodes:
            found |= self._expect(node._replace(value={"max_words": nodes["max_words"]}))
        if "format" in nodes:
            asked = nodes["format"].plain
            if asked != "json" and not isinstance(asked, Mapping):
                accepted = "Accepted: json, or a JSON schema as a mapping."
                raise self._refuse(nodes["format"], f"'format' is {asked!r}.", accepted, "Correct it.")
            found["format"] = asked
        return {name: each for name, each in found.items() if each is not None}

    def _expect(self, node: Node) -> dict[str, Any]:
        """Each expectation on its own, so that what is wrong has its place."""
        where = f"{self.path}:{node.line}:{node.column}"
        if not isinstance(node.value, dict):
            return self._parsed(node.plain, where)
        found: dict[str, Any] = {}
        for name, each in node.value.items():
            found |= self._parsed({name: each.plain}, f"{self.path}:{each.key_line}:{each.key_column}")
        return self._parsed(found, where)

    def _parsed(self, said: object, where: str) -> dict[str, Any]:
        try:
            return parse_expect(said, where)
        except MarkerError as error:
            raise PersonaError(error.what, error.accepted, error.next_step) from None

    def _mapping(
        self, node: Node, known: Sequence[str], what: str, accepted: str, next_step: str
    ) -> Mapping[str, Node]:
        """The nodes by name, each of them known."""
        if not isinstance(node.value, dict):
            raise self._refuse(node, what, accepted, next_step)
        for name, each in node.value.items():
            if name not in known:
                raise self._refuse_key(each, f"unknown field {name!r}.", accepted, nearest(name, known))
        return node.value

    def _refuse(self, node: Node, what: str, accepted: str, next_step: str) -> PersonaError:
        return PersonaError(f"{self.path}:{node.line}:{node.column}: {what}", accepted, next_step)

    def _refuse_key(self, node: Node, what: str, accepted: str, next_step: str) -> PersonaError:
        return PersonaError(f"{self.path}:{node.key_line}:{node.key_column}: {what}", accepted, next_step)


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())


def _accepted() -> str:
    return f"Accepted: {', '.join(FIELDS)}; name and system must be there."


def _unknown(name: str, known: list[str], broken: list[PersonaError]) -> PersonaError:
    by_key = {_key(each): each for each in known}
    close = nearest(_key(name), by_key)
    for key, spelt in by_key.items():
        close = close.replace(repr(key), repr(spelt))
    unread = f"This file could not be read: {broken[0].what}" if broken else ""
    step = close or "Add it as personas/NAME.yaml with the fields name and system."
    return PersonaError(
        f"There is no persona {name!r}.",
        f"Known personas: {', '.join(dict.fromkeys(known))}.",
        f"{step} {unread}".strip(),
    )
