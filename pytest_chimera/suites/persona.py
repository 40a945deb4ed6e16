"""Personas: who the model is asked to be, read from small YAML files, some of them built in.

A persona is a system text with a name, and perhaps model options. Which folders of a project are searched is the
plugin's to say.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import OptionError, PersonaError, nearest
from pytest_chimera.wire.options import validate_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import yaml

BUILT_IN_FOLDER = Path(__file__).with_name("personas")

_FIELDS = ("name", "description", "system", "options")
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
    source: str = ""
    """The file it was read from."""

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of its system text."""
        return hashlib.sha256(self.system.encode()).hexdigest()


def find_persona(name: str, search_paths: Sequence[Path] = (), *, allowed_options: Sequence[str] = ()) -> Persona:
    """The persona called `name`, by its file's name or its own, from `search_paths` (folders of YAML) or built in.

    Upper and lower case, spaces, '-' and '_' make no difference; the first folder that has it wins. Raises
    PersonaError that lists what there is, or says with file and line what is wrong in a file.
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

    Raises PersonaError with file and line.
    """
    import yaml  # noqa: PLC0415  # 30 ms that a run without personas does not pay

    try:
        return _persona(path, yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), allowed_options)
    except OSError as error:
        raise PersonaError(f"The persona file {path} cannot be read: {error.strerror}.", "", "Correct it.") from None
    except UnicodeDecodeError:
        raise PersonaError(
            f"The persona file {path} is not UTF-8.", "Accepted: YAML in UTF-8.", "Save it so."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise PersonaError(f"{path}{line}: {problem}.", _accepted(), "Correct the YAML.") from None
    except ValueError as error:  # a value that looks like a date and is none
        raise PersonaError(f"{path}: {error}.", _accepted(), "Put the value into quotes.") from None


def _persona(path: Path, root: yaml.Node | None, allowed_options: Sequence[str]) -> Persona:
    nodes = _fields(path, root)
    for required in ("name", "system"):
        if required not in nodes:
            raise PersonaError(f"{path}:1: the persona has no {required!r}.", _accepted(), f"Add {required!r}.")
    texts = {key: _text(path, key, nodes[key]) for key in nodes if key != "options"}
    options = _options(path, nodes["options"], allowed_options) if "options" in nodes else {}
    return Persona(options=options, source=str(path), **texts)


def _fields(path: Path, root: yaml.Node | None) -> dict[str, yaml.Node]:
    """The nodes by field name, each name known and given once."""
    import yaml  # noqa: PLC0415  # see read_persona

    if not isinstance(root, yaml.MappingNode):
        line = root.start_mark.line + 1 if root is not None else 1
        raise PersonaError(f"{path}:{line}: a persona is a mapping of fields.", _accepted(), "Write name: and system:.")
    nodes: dict[str, yaml.Node] = {}
    for key, value in root.value:
        if key.value not in _FIELDS:
            raise PersonaError(
                f"{path}:{key.start_mark.line + 1}: unknown field {key.value!r}.",
                _accepted(),
                nearest(str(key.value), _FIELDS),
            )
        if key.value in nodes:
            raise PersonaError(
                f"{path}:{key.start_mark.line + 1}: the field {key.value!r} stands here a second time.",
                "Accepted: each field once.",
                "Leave one of them out.",
            )
        nodes[key.value] = value
    return nodes


def _text(path: Path, key: str, node: yaml.Node) -> str:
    value = _construct(node)
    if not isinstance(value, str) or not value.strip():
        found = "empty" if value is None else repr(value)
        raise PersonaError(
            f"{path}:{node.start_mark.line + 1}: {key!r} is {found}.", "Accepted: a text.", "Put it into quotes."
        )
    return value.strip()


def _options(path: Path, node: yaml.Node, allowed: Sequence[str]) -> dict[str, Any]:
    value = _construct(node)
    line = node.start_mark.line + 1
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise PersonaError(
            f"{path}:{line}: 'options' is {value!r}.", "Accepted: a mapping such as temperature: 0.2.", ""
        )
    try:
        return validate_options(value, allowed)
    except OptionError as error:
        raise PersonaError(f"{path}:{line}: {error.what}", error.accepted, error.next_step) from None


def _construct(node: yaml.Node) -> Any:
    """The plain value of a node, by the safe rules."""
    import yaml  # noqa: PLC0415  # see read_persona

    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())


def _accepted() -> str:
    return f"Accepted: {', '.join(_FIELDS)}; name and system must be there."


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
