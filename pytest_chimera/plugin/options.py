"""The options: one table that declares each with its ini and environment twin, and what was given for them.

Nothing else asks pytest for an option. Raw strings are gathered once, on the controller; workers get the same strings,
so that no worker can resolve them differently. What they mean is read by `settings`, and only where one was given: this
module is imported by every run, used or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

ENV_SEPARATORS = ";\n"
"""Between the values of a repeatable option in an environment variable; names may also be parted by commas."""


class Setting(NamedTuple):
    """One option with its twins."""

    name: str
    """As in `--chimera-NAME`, `chimera_NAME` and `CHIMERA_NAME`."""
    kind: str
    """Which of `parsing.PARSERS` reads it."""
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
    Setting("model", "models", "Model to measure; may be repeated, or hold several parted by commas. "
            "'tiny' or the path of a .gguf file is answered by the embedded engine", "NAME", many=True),
    Setting("host", "text", "Ollama server (default: OLLAMA_HOST, else http://localhost:11434)", "URL"),
    Setting("option", "texts", "Model option such as num_ctx=4096; may be repeated", "K=V", many=True),
    Setting("allow-option", "names", "Let a model option through that this version does not know; may be repeated",
            "NAME", many=True),
    Setting("header", "headers", "HTTP header sent with every request to the host; may be repeated", "K=V",
            many=True),
    Setting("rounds", "positive", "Counted rounds per case (default: 10)", "N"),
    Setting("warmup", "count", "Warm-up rounds per case, never counted (default: 1)", "N"),
    Setting("timeout", "timeout", "Longest time for one request, such as '90 s' or '5 min' (default: 300 s)",
            "TIME"),
    Setting("prefix", "prefix", "Start each prompt differently (unique), so that prefill is "
            "measured whole, or send it unchanged (reuse) (default: unique)", "unique|reuse"),
    Setting("think", "think", "Let the model think before it answers, or not (default: as the model does)",
            "on|off|low|medium|high|max"),
    Setting("persona", "text", "Persona that every case speaks as, in place of its own; a file in personas/ "
            "or a built-in one", "NAME"),
    Setting("limit", "limits", "What must hold in every case, such as 'tok/s >= 30'; may be repeated", "LIMIT",
            many=True),
    Setting("baseline", "baseline", "Saved runs to compare with: a run number or prefix, a path or glob of JSON files, "
            "last, last:K (per case the newest K whose gate passed), branch:NAME; may be repeated", "RUNS", many=True),
    Setting("fail-on", "gates", "What fails a test: 'tok/s:5%' (worse than the baseline by more, beyond noise) or "
            "'tok/s >= 40'; may be repeated", "EXPR", many=True),
    Setting("strict", "flag", "Fail also what could not be compared: no baseline, not enough samples, not comparable",
            is_flag=True),
    Setting("confirm", "flag", "Measure a case that was found worse again, on a freshly loaded model, before it fails",
            is_flag=True),
    Setting("compare-anyway", "flag", "Compare also where prompt, options, prefix or think differ", is_flag=True),
    Setting("allowance", "share", "How much unchanged runs are assumed to differ where one or two baseline runs "
            "cannot show it, as one standard deviation (default: 2%)", "PERCENT"),
    Setting("max-requests", "positive", "Most requests that one property may make (default: 1000)", "N"),
    Setting("pull", "flag", "Pull models that the host lacks, with a progress bar", is_flag=True),
    Setting("engine", "engine", "Who answers: by the model's name (auto), always the "
            "host (ollama), or always the engine in this package (embedded) (default: auto)", "auto|ollama|embedded"),
    Setting("list", "flag", "Show models, personas and suites that there are, and run nothing", is_flag=True),
    Setting("report", "path", "Folder for the reports (default: .chimera in the root folder)", "DIR"),
    Setting("no-report", "flag", "Write no report", is_flag=True),
    Setting("corpus", "texts", "Old results to read and report on: a folder, a file or a glob; may be repeated", "PATH",
            many=True),
    Setting("vocabulary", "path", "Names in old results and what they mean, added to the built-in ones (YAML)", "FILE"),
    Setting("corpus-stream", "flag", "Read a corpus as summaries only, in bounded memory (by itself when it is large)",
            is_flag=True),
    Setting("scheduler", "text", "Address of a Dask scheduler whose workers read the corpus "
            "(default: the cores of this machine)", "ADDRESS"),
    Setting("no-narrative", "flag", "Let no model write in the report on a corpus", is_flag=True),
    Setting("rename-plan", "path", "Write better names for the files of the corpus to this file (CSV); "
            "nothing is renamed", "FILE"),
    Setting("audit", "flag", "Make a test of each Markdown file: its numbers against the corpus", is_flag=True),
    Setting("audit-glob", "texts", "Names of the files to audit; may be repeated (default: *.md)", "GLOB", many=True),
    Setting("audit-fail", "verdicts", "Verdicts that fail an audit (default: contradicted)", "VERDICTS", many=True),
    Setting("audit-json", "path", "Write every audited claim to this file", "FILE"),
)  # fmt: skip


class Given(NamedTuple):
    """The strings that one source gave for one setting."""

    values: tuple[str, ...]
    source: str
    """For people: "--chimera-rounds", "CHIMERA_ROUNDS" or "chimera_rounds in pytest.ini"."""


Raw = dict[str, list[Given]]
"""Field name -> what was given, the strongest source first; settings that nobody set are absent."""


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


def wants_list(config: pytest.Config, environ: Mapping[str, str]) -> bool:
    """Whether somebody set `--chimera-list`, be it to "off"; asked in every run, before anything else."""
    setting = next(each for each in TABLE if each.name == "list")
    return bool(config.getoption("chimera_list") or environ.get(setting.env) or config.getini(setting.ini))


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
