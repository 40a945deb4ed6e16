"""The settings of a run: the frozen `Settings`, read from the strings that command line, environment and ini file gave.

Which options there are stands in `options`. What the values mean for a case or a host is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_chimera.errors import ChimeraError, SettingError
from pytest_chimera.plugin.options import TABLE, Given, Raw, Setting
from pytest_chimera.plugin.parsing import PARSERS
from pytest_chimera.records import DEFAULT_PREFIX, DEFAULT_ROUNDS, DEFAULT_WARMUP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


_DEFAULTS = f"rounds {DEFAULT_ROUNDS}, warm-up {DEFAULT_WARMUP}, prefix {DEFAULT_PREFIX} (defaults)"


@dataclass(frozen=True)
class Settings:
    """What a person set, command line before environment before ini file before default; picklable."""

    model: tuple[str, ...] = ()
    host: str | None = None
    option: Mapping[str, Any] = field(default_factory=dict)
    allow_option: tuple[str, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)
    rounds: int | None = None
    """As with the next three, None leaves it to the marker, the call and what holds where nobody says anything."""
    warmup: int | None = None
    timeout: float | None = None
    """Seconds."""
    prefix: Literal["unique", "reuse"] | None = None
    think: bool | str | None = None
    persona: str | None = None
    """Stands over the persona of every case."""
    limit: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    fail_on: tuple[str, ...] = ()
    strict: bool = False
    confirm: bool = False
    compare_anyway: bool = False
    allowance: float | None = None
    """As a share; None leaves it to the rule."""
    max_requests: int = 1000
    """Of one property."""
    pull: bool = False
    engine: Literal["auto", "ollama", "embedded"] = "auto"
    list: bool = False
    report: Path = Path(".chimera")
    no_report: bool = False
    corpus: tuple[str, ...] = ()
    """As written; whoever reads it resolves it."""
    vocabulary: Path | None = None
    corpus_stream: bool = False
    """False leaves it to the size of the corpus."""
    scheduler: str | None = None
    no_narrative: bool = False
    rename_plan: Path | None = None
    audit: bool = False
    audit_glob: tuple[str, ...] = ("*.md",)
    audit_fail: tuple[str, ...] = ("contradicted",)
    audit_json: Path | None = None
    given: Mapping[str, Given] = field(default_factory=dict)
    """Field name -> the strongest source, for each setting that a person set."""

    def configuration(self) -> dict[str, str]:
        """Every setting as a person would write it, "default" where nobody set it; values of headers are left out."""
        return {each.name: self._shown(each) for each in TABLE}

    def lines(self) -> Sequence[str]:
        """For pytest's header: what was set, and by whom."""
        shown = [
            f"{each.name} {self._shown(each)} ({self.given[each.field].source})"
            for each in TABLE
            if each.field in self.given
        ]
        return ["chimera: " + (", ".join(shown) if shown else _DEFAULTS)]

    def _shown(self, setting: Setting) -> str:
        given = self.given.get(setting.field)
        if given is None:
            return "default"
        if setting.is_flag:
            return "on" if getattr(self, setting.field) else "off"
        if setting.name == "header":
            return ", ".join(f"{name}=..." for name in self.header)
        if setting.name == "option":
            return ", ".join(f"{name}={value}" for name, value in self.option.items())
        return ", ".join(given.values)


def resolve(raw: Raw) -> Settings:
    """The settings of `raw`.

    Raises SettingError, whose text starts with the source of the value that cannot be used.
    """
    values: dict[str, Any] = {}
    for each in TABLE:
        parsed = [_said_by(given, PARSERS[each.kind], list(given.values)) for given in raw.get(each.field, [])]
        if parsed and isinstance(parsed[0], dict):  # by key, so that a command line adds to what a project set
            values[each.field] = {key: value for one in reversed(parsed) for key, value in one.items()}
        elif parsed:
            values[each.field] = parsed[0]
    if "option" in values:
        values["option"] = _model_options(raw["option"], values.get("allow_option", ()))
    if "host" in values or "header" in values:
        from pytest_chimera.client.connection import Connection  # noqa: PLC0415  # only where one of the two was given

        given = (raw.get("host") or raw["header"])[0]
        _said_by(given, Connection.resolve, values.get("host"), values.get("header", {}), {})
    return Settings(**values, given={name: sources[0] for name, sources in raw.items()})


def _model_options(sources: list[Given], allowed: tuple[str, ...]) -> dict[str, Any]:
    """Model options by name, checked against what Ollama knows and what was let through besides."""
    from pytest_chimera.wire.options import parse_option  # noqa: PLC0415  # only where an option was given

    found: dict[str, Any] = {}
    for given in reversed(sources):
        found.update(_said_by(given, parse_option, text, allowed) for text in given.values)
    return found


def _said_by(given: Given, parse: Callable[..., Any], *arguments: Any) -> Any:
    """What `parse` makes of the arguments; its error begins with the source that gave them."""
    try:
        return parse(*arguments)
    except ChimeraError as error:
        raise SettingError(f"{given.source}: {error.what}", error.accepted, error.next_step) from None


assert {each.field for each in TABLE} == {each.name for each in fields(Settings)} - {"given"}, "one field per option"
