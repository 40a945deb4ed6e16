"""The sections of a report that are tables and lists: performance, metrics, workflow, personas, appendix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_chimera.metrics import METRICS, Metric
from pytest_chimera.report.document import (
    Block,
    Bullets,
    FactTable,
    Fence,
    Form,
    Heading,
    Label,
    Line,
    Number,
    Paragraph,
    Pictures,
    Table,
    cell,
    joined,
)
from pytest_chimera.report.facts import case_name
from pytest_chimera.report.session_facts import CASE_PHASES, SESSION, phase_subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.records import Case, CaseResult
    from pytest_chimera.report.build import ReportInput
    from pytest_chimera.report.facts import FactBook, Measured

_MINOR = ("steps/s", "total", "server_ttft", "transport", "stalls", "prompt_tokens", "output_tokens")
"""Metrics that share one table: variants of others, and counts."""

BLOCK: tuple[tuple[str, str, Form], ...] = (
    ("Throughput", "tok/s", "people"),
    ("TTFT", "ttft", "ms"),
    ("Total Duration", "total", "ms"),
    ("Tokens Generated", "output_tokens", "plain"),
    ("Prompt Eval", "prompt_eval", "ms"),
    ("Eval Duration", "eval", "ms"),
    ("Load Duration", "load", "ms"),
)
"""The Metrics block of each case: (name, metric, form of the number)."""

_COUNTS = {
    "Rounds": "rounds_asked",
    "Warm-up": "warmup_rounds",
    "Counted": "counted_rounds",
    "Failed": "failed_rounds",
    "Cold": "cold_rounds",
    "Left out": "off_start_rounds",
}
_UNMET = "Not as expected"
_TIMES = {
    "Set-up": "setup_time",
    "of it waiting": "waited_time",
    "Warm-up": "warmup_time",
    "Measuring": "measuring_time",
}
_DASH = "-"
_BEFORE_P95 = (
    "Every number is over the counted rounds of a case, failed rounds left out. n is the number of values: one per "
    "round, but for ITL, which has one per gap. A dash stands where n does not resolve a p95, which needs "
)
_BEHIND_P95 = " values. tok/s is the median over the rounds."
_ABOUT_ROUNDS = (
    "Rounds is what was asked for. Cold rounds are those for which the model was loaded, warm-up included; left out "
    "are good rounds whose start, cold or warm, is not the one that the case measures."
)
_ABOUT_PHASES = "Set-up of cases, warm-up and measuring are sums over the cases and lie within the phase of the tests."
ABOUT_FACTS = (
    "Every number above, in the SI unit of what it measures. The JSON file of the same name has these and all others, "
    "with the values of each round."
)
"""What stands above the table of facts."""


def performance(measured: Measured, book: FactBook) -> tuple[Block, ...]:
    """A table for each metric that has a value: case and model against median, p95, n and failed rounds."""
    known = [metric for metric in METRICS.values() if _is_shown(metric, measured, book)]
    if not known:
        return (Paragraph(("No round counted, so there is nothing to analyse.",)),)
    needed = Number(fact=book.get(SESSION, "rounds_for_p95"))
    blocks: list[Block] = [Paragraph((_BEFORE_P95, needed, _BEHIND_P95)), Pictures()]
    for metric in known:
        if metric.yes_or_no:
            blocks += [Heading((metric.title,)), Paragraph((_about(metric),)), _shares(metric, measured, book)]
        elif metric.name not in _MINOR:
            rows = tuple(_row(metric, result, subject, book) for result, subject in measured)
            blocks += [
                Heading((metric.title,)),
                Paragraph((_about(metric),)),
                Table(("Case", "Model", "Median", "p95", "n", "Failed"), rows, (2, 3, 4, 5)),
            ]
    minor = [metric for metric in known if metric.name in _MINOR]
    if minor:
        rows = tuple(
            ((metric.title,), *_row(metric, result, subject, book)) for metric in minor for result, subject in measured
        )
        head = ("Metric", "Case", "Model", "Median", "p95", "n", "Failed")
        blocks += [Heading(("Further metrics",)), Table(head, rows, (3, 4, 5, 6))]
    return tuple(blocks)


def _is_shown(metric: Metric, measured: Measured, book: FactBook) -> bool:
    """Whether a metric has a value; the first answer token also has to differ from the first token."""
    facts = [book.get(subject, metric.name, metric.statistic) for _, subject in measured]
    if metric.name == "answer":
        firsts = [book.get(subject, "ttft", "median") for _, subject in measured]
        return any(fact.n and fact.value != first.value for fact, first in zip(facts, firsts, strict=True))
    return any(fact.n for fact in facts)


def _about(metric: Metric) -> str:
    seen = "Seen by the client" if metric.seen_by == "client" else "Reported by the server"
    better = f"; {metric.better} is better" if metric.better else ""
    return f"{seen}{better}: {metric.formula}."


def _row(metric: Metric, result: CaseResult, subject: Mapping[str, str], book: FactBook) -> tuple[Line, ...]:
    median, p95 = book.get(subject, metric.name, "median"), book.get(subject, metric.name, "p95")
    return (
        (Label(case_name(result)),),
        (Label(result.case.model.name),),
        (Number(fact=median),),
        (_DASH,) if p95.value is None else (Number(fact=p95),),
        (Number(fact=median, form="n"),),
        (Number(fact=book.get(subject, "failed_rounds"), form="plain"),),
    )


def _shares(metric: Metric, measured: Measured, book: FactBook) -> Table:
    """Of the cases that have it, the share of rounds of a metric that is yes or no, and how many were not so."""
    rows: list[tuple[Line, ...]] = []
    for result, subject in measured:
        share = book.get(subject, metric.name, "mean")
        if not share.n:
            continue
        who = (Label(case_name(result)),), (Label(result.case.model.name),)
        counts = ((Number(fact=book.get(subject, each), form="plain"),) for each in ("unmet_rounds", "failed_rounds"))
        rows.append((*who, (Number(fact=share),), (Number(fact=share, form="n"),), *counts))
    return Table(("Case", "Model", "Share", "n", _UNMET, "Failed"), tuple(rows), (2, 3, 4, 5))


def metrics(measured: Measured, book: FactBook) -> tuple[Block, ...]:
    """For each case its seven numbers, medians of the counted rounds."""
    if not measured:
        return (Paragraph(("No case has been measured.",)),)
    blocks: list[Block] = [Paragraph(("Medians of the counted rounds of each case.",))]
    for result, subject in measured:
        lines: tuple[Line, ...] = tuple(
            (f"{name}: ", Number(fact=book.get(subject, metric, "median"), form=form)) for name, metric, form in BLOCK
        )
        blocks += [
            Heading((Label(case_name(result)), " on ", Label(result.case.model.name))),
            Bullets(lines, cite=True),
        ]
    return tuple(blocks)


def workflow(given: ReportInput, measured: Measured, book: FactBook) -> tuple[Block, ...]:
    """How many rounds each case made, and where the time went."""
    counts, times = [], []
    columns = {**_COUNTS, _UNMET: "unmet_rounds"} if any(each.case.expect for each, _ in measured) else _COUNTS
    blocks: list[Block] = []
    for result, subject in measured:
        who = cell(Label(case_name(result))), cell(Label(result.case.model.name))
        numbers = (cell(Number(fact=book.get(subject, name), form="plain")) for name in columns.values())
        counts.append((*who, *numbers, cell("yes" if result.complete else "no")))
        times.append((*who, *(cell(Number(fact=book.get(subject, name, "sum"))) for name in _TIMES.values())))
    if measured:
        blocks = [
            Paragraph((_ABOUT_ROUNDS,)),
            Table(("Case", "Model", *columns, "Complete"), tuple(counts), tuple(range(2, 2 + len(columns)))),
            Heading(("Wall time by case",)),
            Table(("Case", "Model", *_TIMES), tuple(times), tuple(range(2, 6))),
        ]
    phases = tuple(
        (cell(Label(name)), cell(Number(fact=book.get(phase_subject(name), "wall_time", "sum"))))
        for name in (*given.phases, *CASE_PHASES)
    )
    return (
        *blocks,
        Heading(("Wall time by phase",)),
        Paragraph((_ABOUT_PHASES,)),
        Table(("Phase", "Wall time"), phases, (1,)),
    )


def personas(given: ReportInput, measured: Measured) -> tuple[Block, ...]:
    """The text of each persona as it was given to the models."""
    used = list(dict.fromkeys(result.case.persona for result, _ in measured if result.case.persona is not None))
    names = [*(name for name in used if name in given.personas), *(name for name in given.personas if name not in used)]
    blocks: list[Block] = []
    for name in names:
        blocks += [Heading((Label(name),)), *_persona_hash(name, measured), Fence(given.personas[name])]
    missing = [name for name in used if name not in given.personas]
    for name in missing:
        blocks += [Heading((Label(name),)), Paragraph(("Its text is unknown.",))]
    return tuple(blocks) or (Paragraph(("No case used a persona.",)),)


def _persona_hash(name: str, measured: Measured) -> tuple[Block, ...]:
    """By which text of this persona runs are compared."""
    cases = [result.case for result, _ in measured if result.case.persona == name]
    hashes = dict.fromkeys(each.persona_hash for each in cases if each.persona_hash is not None)
    if not hashes:
        return ()
    return (Paragraph(("SHA-256 of its text: ", *joined(tuple((Label(each),) for each in hashes)), ".")),)


def appendix(measured: Measured) -> tuple[Block, ...]:
    """Each case's options and hashes, then every fact that the report cites."""
    blocks = session_cases(measured)
    if not measured:
        blocks.append(Paragraph(("No case has been measured.",)))
    return (*blocks, Heading(("Facts",)), Paragraph((ABOUT_FACTS,)), FactTable())


def session_cases(measured: Measured) -> list[Block]:
    """Each case's options and hashes."""
    blocks: list[Block] = [Heading(("Cases",))]
    for result, _ in measured:
        blocks += [Heading((Label(case_name(result)), " on ", Label(result.case.model.name)), 4), _case(result)]
    return blocks


def _case(result: CaseResult) -> Table:
    case = result.case
    own = sorted(case.options_set)
    options = {
        name: case.options[name] for name in (*own, *sorted(set(case.options) - set(own))) if name in case.options
    }
    said: dict[str, Any] = {
        "id": case.id,
        "prompt hash (SHA-256)": case.prompt_hash,
        "model digest": case.model.digest or "unknown",
        "host": result.host.url,
        "endpoint": f"/api/{case.endpoint}",
        "persona": case.persona or "none",
        **({"expect": _json(case.expect)} if case.expect else {}),
        "options set": _options(options, own),
        "other options": _options(options, [name for name in options if name not in own]),
        "size asked for": _size(case.prompt_tokens, case.output_tokens),
        "prefix": case.prefix,
        "start": case.start,
        "think": "as the model does" if case.think is None else _json(case.think),
        "format": "free text" if case.format is None else json.dumps(case.format, ensure_ascii=False),
        "truncate": _json(case.truncate),
        "timeout": _timeout(case),
        "failed rounds accepted": str(case.max_failed_rounds),
        "limits": "; ".join(case.limits) or "none",
    }
    rows = tuple((cell(name), cell(Label(str(value)))) for name, value in said.items())
    return Table(("Property", "Value"), rows)


def _timeout(case: Case) -> str:
    silence = "" if case.idle_timeout_s is None else f", {case.idle_timeout_s:g} s without a byte"
    return f"{case.timeout_s:g} s{silence}"


def _size(prompt: int | None, output: int | None) -> str:
    """Tokens of prompt and answer, where a case asks for sizes instead of a text."""
    asked = {"prompt_tokens": prompt, "output_tokens": output}
    return ", ".join(f"{name}={value}" for name, value in asked.items() if value is not None) or "none"


def _options(options: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{name}={_json(options[name])}" for name in names) or "none"


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
