"""The sections of a report, in their order, as data: header, environment, summary, findings; the rest in `tables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.report.arms import arms_section
from pytest_chimera.report.comparison import comparison_section
from pytest_chimera.report.document import (
    Block,
    Bullets,
    Label,
    Line,
    Number,
    Paragraph,
    Section,
    Strong,
    Table,
    cell,
    joined,
)
from pytest_chimera.report.session_facts import MACHINE, SESSION, machine_subject
from pytest_chimera.report.sweep_sections import sweep_section
from pytest_chimera.report.tables import appendix, metrics, performance, personas, workflow
from pytest_chimera.units import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.records import CaseResult
    from pytest_chimera.report.build import ReportInput
    from pytest_chimera.report.facts import FactBook, Measured
    from pytest_chimera.report.findings import Finding
    from pytest_chimera.report.sweeps import Swept

DEFAULT = "default"
"""The value of a setting that nobody set."""
_DIGEST_DIGITS = 12
_MOST_MODELS = 20
_MODEL_HEAD = (
    *("Model", "Digest", "Family", "Parameters", "Quantization"),
    *("Trained context", "num_ctx", "Size", "On GPU"),
)


def build_sections(
    given: ReportInput, measured: Measured, book: FactBook, found: Sequence[Finding], groups: Sequence[Swept]
) -> tuple[Section, tuple[Section, ...]]:
    """The header, and the sections below it; `groups` are sweeps and arms."""
    return _header(given), (
        Section("Environment", environment(given, measured, book)),
        Section("Executive Summary", summary(given, measured, book, found)),
        *comparison_section(measured, book),
        *arms_section(groups, book),
        Section("Performance Analysis", performance(measured, book)),
        *sweep_section(groups, book),
        Section("Metrics", metrics(measured, book)),
        Section("Key Findings", (Bullets(tuple(each.line for each in found)),)),
        Section("Workflow Summary", workflow(given, measured, book)),
        Section("Persona Prompts", personas(given, measured)),
        Section("Appendix", appendix(measured)),
    )


def _header(given: ReportInput) -> Section:
    return Section(f"Benchmark report: {given.suite}", (Bullets(header_lines(given)),))


def header_lines(given: ReportInput, read: Sequence[str] = ()) -> tuple[Line, ...]:
    """Date, agent type, model and configuration; `read` are models that no request was sent to, but files speak of."""
    cases = [result.case for result in given.results]
    agents = _labels(_unique(case.persona for case in cases if case.persona is not None)) or ("none (no persona)",)
    asked = _unique(case.model.name for case in cases)
    told = [name for name in read if name not in asked]
    parts = [_labels(asked)] if asked else []
    if told:
        more = " and others" if len(told) > _MOST_MODELS else ""
        parts.append((*_labels(told[:_MOST_MODELS]), more, " (in the files)"))
    models = joined(tuple(parts), "; ") or ("none",)
    when = given.created.isoformat(sep=" ", timespec="seconds")
    return (
        (Strong("Date:"), " ", Label(when)),
        (Strong("Agent Type:"), " ", *agents),
        (Strong("Model:"), " ", *models),
        (Strong("Configuration:"), " ", *_configuration(given)),
    )


def _configuration(given: ReportInput) -> Line:
    """Settings that were set with their values, options of cases, then the settings left at their defaults."""
    settings = [(name, value) for name, value in given.configuration.items() if value != DEFAULT]
    options: dict[str, list[str]] = {}
    for result in given.results:
        for name in result.case.options_set:
            values, value = options.setdefault(name, []), str(result.case.options.get(name))
            values += [] if value in values else [value]
    parts: list[Line] = [(Label(f"{name} = {value}"),) for name, value in settings]
    if options:
        parts.append(("model options ", *_labels(_option(name, values) for name, values in options.items())))
    defaults = [name for name, value in given.configuration.items() if value == DEFAULT]
    if defaults:
        parts.append(("default: ", *_labels(defaults)))
    return joined(tuple(parts), "; ") if parts else (DEFAULT,)


def _option(name: str, values: list[str]) -> str:
    return f"{name}={values[0]}" if len(values) == 1 else f"{name}={' or '.join(values)} by case"


def _labels(names: Iterable[str]) -> Line:
    return joined(tuple((Label(name),) for name in names))


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def environment(given: ReportInput, measured: Measured, book: FactBook) -> tuple[Block, ...]:
    """Tables of hosts, models and the machine; Ollama's names for what Ollama says."""
    hosts = {result.host.url: result.host for result in given.results}
    # One row for each state in which a model was loaded: its num_ctx may differ between cases.
    models: dict[object, tuple[Line, ...]] = {}
    for result, subject in measured:
        models.setdefault((result.host, result.case.model, result.loaded), _model_row(result, subject, book))
    blocks: list[Block] = []
    if hosts:
        rows = tuple(
            (cell(Label(url)), cell(Label(host.engine)), cell(_known(host.version)), cell(_yes(same=host.shares_clock)))
            for url, host in hosts.items()
        )
        blocks.append(Table(("Host", "Server", "Version", "Same machine"), rows))
    if models:
        blocks.append(Table(_MODEL_HEAD, tuple(models.values()), (5, 6, 7, 8)))
    machine = _machine(given, book)
    if machine:
        blocks.append(Table(("Machine and programs", "Value"), machine))
    return tuple(blocks) or (Paragraph(("Nothing is known about the environment.",)),)


def _machine(given: ReportInput, book: FactBook) -> tuple[tuple[Line, ...], ...]:
    """Properties of the machine, numbers among them with their fact, then versions."""
    rows: list[tuple[Line, ...]] = []
    for name, value in given.hardware.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            statistic = "value" if name.endswith("_bytes") else "count"
            rows.append(((Label(name),), (Number(fact=book.get(machine_subject(name), MACHINE, statistic)),)))
        else:
            rows.append(((Label(name),), (UNKNOWN if value is None else Label(str(value)),)))
    rows += [((Label(name),), (Label(version),)) for name, version in given.versions.items()]
    return tuple(rows)


def _model_row(result: CaseResult, subject: Mapping[str, str], book: FactBook) -> tuple[Line, ...]:
    model = result.case.model
    digest = model.digest.removeprefix("sha256:")[:_DIGEST_DIGITS] if model.digest else None
    said = (model.name, digest, model.family, model.parameter_size, model.quantization)
    numbers = ("trained_context", "num_ctx", "size", "gpu_share")
    return (
        *((_known(text),) for text in said),
        *((Number(fact=book.get(subject, name, "value")),) for name in numbers),
    )


def _known(text: str | None) -> Label | str:
    return UNKNOWN if text is None else Label(text)


def _yes(*, same: bool) -> str:
    return "yes" if same else "no"


def summary(given: ReportInput, measured: Measured, book: FactBook, found: Sequence[Finding]) -> tuple[Block, ...]:
    """Computed sentences: how much was measured, how fast each model was, and what a reader must look at."""
    if not measured:
        return (Paragraph(("No case has been measured.",)),)
    names = ("cases", "models", "hosts", "counted_rounds", "failed_rounds")
    cases, models, hosts, counted, failed = (Number(fact=book.get(SESSION, name)) for name in names)
    lines: list[Line] = [
        (
            "Measured ", cases, _plural(cases, " case"), " of ", models, _plural(models, " model"), " on ", hosts,
            _plural(hosts, " host"), ": ", counted, _plural(counted, " round"), " counted, ", failed, " failed.",
        )
    ]  # fmt: skip
    lines += [_model_sentence(name, measured, book) for name in _unique(each.case.model.name for each, _ in measured)]
    notable = _unique(each.kind for each in found if each.notable and each.kind not in {"speed", "first token"})
    lines.append(
        (f"To look at, under Key Findings: {', '.join(notable)}." if notable else "Nothing needs a closer look.",)
    )
    lines += [_note(note) for note in given.notes]
    return tuple(Paragraph(line) for line in lines)


def _note(note: str) -> Line:
    """A note with the names in it, which stand between backquotes, as labels."""
    return tuple(Label(part) if at % 2 else part for at, part in enumerate(note.split("`")) if part)


def _plural(number: Number, noun: str) -> str:
    return noun if number.fact.value == 1 else f"{noun}s"


def _model_sentence(name: str, measured: Measured, book: FactBook) -> Line:
    """Median TTFT and tok/s of one model: of its case, or the range over its cases."""
    subjects = [subject for result, subject in measured if result.case.model.name == name]
    parts: list[Line] = []
    for metric, title in (("ttft", "TTFT"), ("tok/s", "tok/s")):
        facts = [fact for subject in subjects if (fact := book.get(subject, metric, "median")).value is not None]
        facts.sort(key=lambda fact: fact.value or 0)
        if not facts:
            parts.append((f"{title} {UNKNOWN}",))
            continue
        least, most = Number(fact=facts[0]), Number(fact=facts[-1])
        if least.text != most.text:
            parts.append((f"median {title} ", least, " to ", most, " over its cases"))
        else:
            parts.append((f"median {title} ", least, "" if len(facts) == 1 else " over its cases"))
    return (Label(name), ": ", *joined(tuple(parts)), ".")
