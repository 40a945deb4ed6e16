"""The options: one table that declares each with its ini and environment twin, and the frozen `Settings` read from it.

Nothing else asks pytest for an option. Raw strings are gathered once, on the controller; workers get the same strings,
so that no worker can resolve them differently. What the values mean for a case or a host is decided elsewhere, and
this module imports nothing that a run without a chimera case could do without.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pytest_chimera.errors import ChimeraError, SettingError
from pytest_chimera.plugin.parsing import (
    parse_choice,
    parse_flag,
    parse_headers,
    parse_limits,
    parse_models,
    parse_names,
    parse_report,
    parse_text,
    parse_texts,
    parse_think,
    parse_timeout,
    parse_whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

ENV_SEPARATORS = ";\n"
"""Between the values of a repeatable option in an environment variable; names may also be parted by commas."""


@dataclass(frozen=True)
class Setting:
    """One option with its twins."""

    name: str
    """As in `--chimera-NAME`, `chimera_NAME` and `CHIMERA_NAME`."""
    parse: Callable[[list[str]], Any]
    """From the strings of one source to the value; raises ChimeraError whose text goes on after the source's name."""
    help: str
    metavar: str | None = None
    many: bool = False
    """Whether it may be given more than once."""
    is_flag: bool = False

    @property
    def option(self) -> str:
        """On the command line."""
        return f"--chimera-{self.name}"

    @property
    def field(self) -> str:
        """The field of `Settings` and pytest's `dest`, less its prefix."""
        return self.name.replace("-", "_")

    @property
    def ini(self) -> str:
        """In the ini file."""
        return f"chimera_{self.field}"

    @property
    def env(self) -> str:
        """In the environment."""
        return self.ini.upper()


TABLE: tuple[Setting, ...] = (
    Setting("model", parse_models, "Model to measure; may be repeated, or hold several parted by commas. "
            "'tiny' or the path of a .gguf file is answered by the embedded engine", "NAME", many=True),
    Setting("host", parse_text, "Ollama server (default: OLLAMA_HOST, else http://localhost:11434)", "URL"),
    Setting("option", parse_texts, "Model option such as num_ctx=4096; may be repeated", "K=V", many=True),
    Setting("allow-option", parse_names, "Let a model option through that this version does not know; may be repeated",
            "NAME", many=True),
    Setting("header", parse_headers, "HTTP header sent with every request to the host; may be repeated", "K=V",
            many=True),
    Setting("rounds", parse_whole(1), "Counted rounds per case (default: 10)", "N"),
    Setting("warmup", parse_whole(0), "Warm-up rounds per case, never counted (default: 1)", "N"),
    Setting("timeout", parse_timeout, "Longest time for one request, such as '90 s' or '5 min' (default: 300 s)",
            "TIME"),
    Setting("prefix", parse_choice("unique", "reuse"), "'unique' starts each prompt differently, so that prefill is "
            "measured whole; 'reuse' sends it unchanged (default: unique)", "unique|reuse"),
    Setting("think", parse_think, "Let the model think before it answers, or not (default: as the model does)",
            "on|off|low|medium|high|max"),
    Setting("limit", parse_limits, "What must hold in every case, such as 'tok/s >= 30'; may be repeated", "LIMIT",
            many=True),
    Setting("pull", parse_flag, "Pull models that the host lacks, with a progress bar", is_flag=True),
    Setting("engine", parse_choice("auto", "ollama", "embedded"), "Who answers: by the model's name (auto), always the "
            "host (ollama), or always the engine in this package (embedded) (default: auto)", "auto|ollama|embedded"),
    Setting("report", parse_report, "Folder for the reports (default: .chimera in the root folder)", "DIR"),
    Setting("no-report", parse_flag, "Write no report", is_flag=True),
)  # fmt: skip


@dataclass(frozen=True)
class Given:
    """The strings that one source gave for one setting."""

    values: tuple[str, ...]
    source: str
    """For people: "--chimera-rounds", "CHIMERA_ROUNDS" or "chimera_rounds in pytest.ini"."""


Raw = dict[str, list[Given]]
"""Field name -> what was given, the strongest source first; settings that nobody set are absent."""


@dataclass(frozen=True)
class Settings:
    """What a person set, command line before environment before ini file before default; picklable."""

    model: tuple[str, ...] = ()
    host: str | None = None
    option: Mapping[str, Any] = field(default_factory=dict)
    allow_option: tuple[str, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)
    rounds: int = 10
    warmup: int = 1
    timeout: float = 300.0
    """Seconds."""
    prefix: Literal["unique", "reuse"] = "unique"
    think: bool | str | None = None
    limit: tuple[str, ...] = ()
    pull: bool = False
    engine: Literal["auto", "ollama", "embedded"] = "auto"
    report: Path = Path(".chimera")
    no_report: bool = False
    given: Mapping[str, Given] = field(default_factory=dict)
    """Field name -> the strongest source, for each setting that a person set."""

    def configuration(self) -> dict[str, str]:
        """Every setting as a person would write it, "default" where nobody set it; values of headers are left out."""
        return {each.name: self._shown(each) for each in TABLE}

    def lines(self) -> list[str]:
        """For pytest's header: what was set, and by whom."""
        shown = [
            f"{each.name} {self._shown(each)} ({self.given[each.field].source})"
            for each in TABLE
            if each.field in self.given
        ]
        return ["chimera: " + (", ".join(shown) if shown else self._defaults())]

    def _defaults(self) -> str:
        return f"rounds {self.rounds}, warm-up {self.warmup}, prefix {self.prefix} (defaults)"

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


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin."""
    group = parser.getgroup("chimera", "benchmarks of language models (pytest-chimera)")
    for each in TABLE:
        dest = f"chimera_{each.field}"
        if each.is_flag:
            group.addoption(each.option, dest=dest, action="store_true", default=None, help=each.help)
        else:
            action = "append" if each.many else "store"
            group.addoption(each.option, dest=dest, action=action, metavar=each.metavar, default=None, help=each.help)
        kind: Literal["linelist", "string"] = "linelist" if each.many else "string"
        parser.addini(each.ini, f"{each.help} (also {each.env})", kind, default=None)


def gather(config: pytest.Config, environ: Mapping[str, str]) -> Raw:
    """Every string that was given for a setting, strongest source first; parses nothing."""
    raw: Raw = {}
    file = config.inipath.name if config.inipath else "the ini file"
    for each in TABLE:
        found = [
            _given(config.getoption(f"chimera_{each.field}"), each.option),
            _given(_split(each, environ.get(each.env)), each.env),
            _given(config.getini(each.ini), f"{each.ini} in {file}"),
        ]
        if any(found):
            raw[each.field] = [given for given in found if given is not None]
    return raw


def resolve(raw: Raw) -> Settings:
    """The settings of `raw`.

    Raises SettingError, whose text starts with the source of the value that cannot be used.
    """
    values: dict[str, Any] = {}
    for each in TABLE:
        parsed = [_said_by(given, each.parse, list(given.values)) for given in raw.get(each.field, [])]
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


def _given(value: object, source: str) -> Given | None:
    """What one source gave, as strings; None when it gave nothing."""
    if value is None or value in ([], ""):
        return None
    if value is True:
        return Given(("on",), source)
    values = cast("list[str]", value) if isinstance(value, list) else [str(value)]
    return Given(tuple(values), source)


def _split(setting: Setting, text: str | None) -> list[str] | None:
    if not text or not setting.many:
        return [text] if text else None
    for separator in ENV_SEPARATORS[1:]:
        text = text.replace(separator, ENV_SEPARATORS[0])
    return [part.strip() for part in text.split(ENV_SEPARATORS[0]) if part.strip()]


def to_plain(raw: Raw) -> dict[str, list[list[Any]]]:
    """`raw` as lists and strings, to send to a worker."""
    return {name: [[list(given.values), given.source] for given in sources] for name, sources in raw.items()}


def from_plain(plain: Mapping[str, list[list[Any]]]) -> Raw:
    """What `to_plain` wrote."""
    return {name: [Given(tuple(values), source) for values, source in sources] for name, sources in plain.items()}


assert {each.field for each in TABLE} == {each.name for each in fields(Settings)} - {"given"}, "one field per option"
