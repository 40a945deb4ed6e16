"""Which models a run measures and which server answers for each, from the settings alone: no connection is made here.

There is no silent substitute: a named model is answered by the server that its name means, or by an error.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_chimera.errors import MissingExtraError, SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_chimera.plugin.settings import Settings

TINY = "tiny"
NO_MODEL = "no-model"
"""What stands in a node id where no model is named and none can stand in."""

NOBODY_NAMED = (
    "chimera: no model is named, so 'tiny' answers: a very small model on the embedded engine. "
    "Its speed is real, its text makes no sense. Name yours with --chimera-model NAME."
)


@dataclass(frozen=True)
class PlannedModel:
    """A model to measure, before anything is known of it."""

    name: str
    """As it is asked for: "gemma3", "tiny" or the absolute path of a .gguf file."""
    id: str
    """As it stands in node ids."""
    embedded: bool
    """Whether the engine of this package answers; else the host."""


def plan(settings: Settings, folder: Path) -> tuple[PlannedModel, ...]:
    """The models of a run, in order; none when nobody named one and the embedded engine is not there to stand in.

    Paths count from `folder`. Raises SettingError or MissingExtraError when a name and `--chimera-engine` cannot go
    together.
    """
    if settings.engine == "embedded" and not engine_is_installed():
        raise MissingExtraError.of("xllamacpp", "embedded", f"{settings.given['engine'].source} embedded")
    names = settings.model or ((TINY,) if stands_in(settings) else ())
    source = settings.given["model"].source if settings.model else "--chimera-engine"
    return plan_named(names, settings, folder, source)


def plan_named(names: Iterable[str], settings: Settings, folder: Path, source: str) -> tuple[PlannedModel, ...]:
    """These models, in order; `source` says who named them, and paths count from `folder`.

    Raises SettingError or MissingExtraError when a name and `--chimera-engine` cannot go together.
    """
    return tuple(_distinct([_planned(name, settings, folder, source) for name in names]))


def stands_in(settings: Settings) -> bool:
    """Whether `tiny` answers where no model is named: wherever the embedded engine may be used and is installed."""
    return settings.engine != "ollama" and engine_is_installed()


def engine_is_installed() -> bool:
    """Whether the packages of the extra `embedded` are here; imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in ("xllamacpp", "uvicorn"))


def described(models: Iterable[PlannedModel], host: str, *, stood_in: bool) -> list[str]:
    """Who answers for which model, a line each, for the head of a run; `tiny` may have `stood_in` for a name."""
    lines = [NOBODY_NAMED] if stood_in else []
    return lines + [
        f"chimera: {each.id} is answered by "
        + ("the embedded engine (llama.cpp in a process of its own)" if each.embedded else f"Ollama at {host}")
        for each in models
        if not (stood_in and each.name == TINY)
    ]


def _planned(name: str, settings: Settings, folder: Path, source: str) -> PlannedModel:
    is_file = name.endswith(".gguf")
    embedded = settings.engine != "ollama" and (is_file or name in {TINY, f"{TINY}:latest"})
    if settings.engine == "embedded" and not embedded:
        raise SettingError(
            f"{source}: the embedded engine has no model {name!r}.",
            "Accepted: 'tiny' or the path of a .gguf file.",
            "Leave --chimera-engine out to ask Ollama for it.",
        )
    if is_file and settings.engine == "ollama":
        raise SettingError(
            f"{source}: {name!r} is a file, and Ollama answers for names.",
            "Accepted: a name that 'ollama list' shows.",
            "Leave --chimera-engine out to run the file on the embedded engine.",
        )
    if not embedded:
        return PlannedModel(name, name.removesuffix(":latest"), embedded=False)
    if not engine_is_installed():
        raise MissingExtraError.of("xllamacpp", "embedded", f"{source} {name}")
    path = folder / Path(name).expanduser()
    if is_file and not path.is_file():
        raise SettingError(f"{source}: there is no file {str(path)!r}.", "", "Check the path.")
    return PlannedModel(str(path) if is_file else TINY, path.name if is_file else TINY, embedded=True)


def _distinct(planned: list[PlannedModel]) -> list[PlannedModel]:
    """The same with ids told apart: files of one name get their path."""
    ids = [each.id for each in planned]
    return [
        each if ids.count(each.id) == 1 else PlannedModel(each.name, each.name, embedded=each.embedded)
        for each in planned
    ]
