"""From what was measured to numbers that a report may print: each a `Fact` with its formula and its sources.

Facts of one case are made here; those of the session and the machine in `session_facts`. A failed round enters
no fact but the counts of failed rounds.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from pytest_chimera.metrics import METRICS, Metric, find_metric
from pytest_chimera.records import CaseResult, Fact, LoadedModel, Round
from pytest_chimera.stats import Statistic
from pytest_chimera.units import ns_to_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_chimera.units import Dimension

STATISTICS = {"median": "median", "p95": "p95", "min": "minimum", "max": "maximum"}
"""Statistics of each metric that become facts: name -> attribute of `Statistic`."""

SHARE = {"mean": "mean"}
"""The same of a metric of which each round is 1 or 0."""

_FIELDS = {
    "ttft": "chunks.arrival_ns",
    "answer": "chunks.arrival_ns",
    "prompt_eval": "prompt_eval_duration_ns",
    "prefill": "prompt_eval_count, prompt_eval_cached_count, prompt_eval_duration_ns",
    "eval": "eval_duration_ns",
    "tok/s": "eval_count, eval_duration_ns",
    "steps/s": "eval_count, eval_duration_ns",
    "time/token": "eval_count, eval_duration_ns",
    "itl": "chunks.arrival_ns",
    "load": "load_duration_ns",
    "wait": "total_duration_ns, load_duration_ns, prompt_eval_duration_ns, eval_duration_ns",
    "total": "total_duration_ns",
    "e2e": "end_ns",
    "server_ttft": "chunks.created_unix_ns, sent_unix_ns",
    "transport": "chunks.arrival_ns, chunks.created_unix_ns, sent_unix_ns",
    "stalls": "chunks.arrival_ns",
    "prompt_tokens": "prompt_eval_count",
    "output_tokens": "eval_count",
    "groundedness": "groundedness",
    "accuracy": "unmet",
}
"""Metric -> the fields of a Generation that it is computed from."""


@dataclass(frozen=True, slots=True)
class _Count:
    """A fact of a case that is not a statistic of a metric: how it is counted and where from."""

    metric: str
    formula: str
    field: str
    rounds: Callable[[CaseResult], tuple[Round, ...]]


def _said(each: Round) -> str:
    """What came back: "answer", "thinking" or nothing."""
    generation = each.generation
    if generation.text or generation.tool_calls:
        return "answer"
    return "thinking" if generation.thinking else ""


def _cause(each: Round) -> str | None:
    failure = each.generation.failure
    return failure.cause if failure else None


_COUNTS: tuple[_Count, ...] = (
    _Count("counted_rounds", "rounds that enter the statistics", "failure", lambda r: r.counted),
    _Count(
        "failed_rounds", "failed rounds without the warm-up", "failure",
        lambda r: tuple(each for each in r.failed if not each.warmup),
    ),
    _Count(
        "failed_warmups", "failed warm-up rounds", "failure", lambda r: tuple(each for each in r.failed if each.warmup)
    ),
    _Count("warmup_rounds", "warm-up rounds made", "warmup", lambda r: tuple(each for each in r.rounds if each.warmup)),
    _Count(
        "cold_rounds", "rounds for which the model was loaded, warm-up included", "cold",
        lambda r: tuple(each for each in r.rounds if each.cold),
    ),
    _Count("off_start_rounds", "rounds left out because of their start, cold or warm", "cold", lambda r: r.off_start),
    _Count(
        "refused_prompts", "rounds refused because the prompt does not fit into num_ctx", "failure.cause",
        lambda r: tuple(each for each in r.failed if _cause(each) == "too_long"),
    ),
    _Count(
        "cut_prompts", "rounds whose prompt filled num_ctx", "prompt_eval_count",
        lambda r: tuple(each for each in r.rounds if r.prompt_fit(each.generation) == "cut"),
    ),
    _Count(
        "stalled_rounds", "counted rounds with a stall", "chunks.arrival_ns",
        lambda r: tuple(each for each in r.counted if each.generation.stalls),
    ),
    _Count(
        "empty_answers", "counted rounds without any output", "text, thinking, tool_calls",
        lambda r: tuple(each for each in r.counted if not _said(each)),
    ),
    _Count(
        "only_thinking", "counted rounds with thinking and no answer", "text, thinking, tool_calls",
        lambda r: tuple(each for each in r.counted if _said(each) == "thinking"),
    ),
    _Count(
        "length_limited", "counted rounds that ended at a limit of tokens", "done_reason",
        lambda r: tuple(each for each in r.counted if each.generation.done_reason == "length"),
    ),
    _Count("unmet_rounds", "counted rounds whose answer is not as expected", "unmet", lambda r: r.unmet),
    _Count("short_answers", "counted rounds that ended before output_tokens", "eval_count", lambda r: r.stopped_early),
)  # fmt: skip


Measured: TypeAlias = "Sequence[tuple[CaseResult, Mapping[str, str]]]"
"""Results, each with the subject of its facts."""


class FactBook:
    """Facts, found by whom and what they speak of."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        """`facts` in the order in which they are listed."""
        self.facts = tuple(facts)
        self._found = {(_key(fact.subject), fact.metric, fact.statistic): fact for fact in self.facts}

    def get(self, subject: Mapping[str, str], metric: str, statistic: str = "count") -> Fact:
        """The fact; asking for one that was not made is a mistake of the program: KeyError."""
        return self._found[_key(subject), metric, statistic]

    @cached_property
    def _by_id(self) -> dict[str, Fact]:
        return {fact.id: fact for fact in self.facts}

    def named(self, name: str) -> Fact | None:
        """The fact with this id, where there is one."""
        return self._by_id.get(name)

    def find(self, subject: Mapping[str, str], metric: str, statistic: str) -> Fact | None:
        """The fact, where it was made."""
        return self._found.get((_key(subject), metric, statistic))


def subjects(results: Sequence[CaseResult]) -> tuple[dict[str, str], ...]:
    """Whom the facts of each result speak of; a case that stands twice is told apart by its place."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for result in results:
        key = result.case.id, result.case.model.name
        seen[key] += 1
        subject = {"case": key[0], "model": key[1]}
        found.append(subject if seen[key] == 1 else {**subject, "occurrence": str(seen[key])})
    return tuple(found)


def facts_of(results: Sequence[CaseResult]) -> tuple[Fact, ...]:
    """Every fact of every case, in the order of the cases and of the table of metrics."""
    return tuple(
        fact
        for result, subject in zip(results, subjects(results), strict=True)
        for fact in (
            *_metric_facts(result, subject),
            *_count_facts(result, subject),
            *_time_facts(result, subject),
            *_loaded_facts(result, subject),
        )
    )


def case_name(result: CaseResult) -> str:
    """The case's name for people, less the model's in brackets (with or without ":latest"), which stands beside it."""
    name, model = result.case.name, result.case.model.name
    return name.replace(f"[{model}]", "").replace(f"[{model.removesuffix(':latest')}]", "")


def numbers_of(rounds: Iterable[Round]) -> str:
    """Which rounds, in words: "rounds 1-3, 5; warm-up 1"."""
    parts = []
    for warmup, name in ((False, "round"), (True, "warm-up")):
        numbers = sorted({each.number for each in rounds if each.warmup is warmup})
        runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
        if runs:
            plural = "s" if len(numbers) > 1 and not warmup else ""
            shown = (str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
            parts.append(f"{name}{plural} {', '.join(shown)}")
    return "; ".join(parts) or "no round"


def _key(subject: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(subject.items()))


def _metric_facts(result: CaseResult, subject: Mapping[str, str]) -> list[Fact]:
    facts = []
    for metric in METRICS.values():
        read = _read(metric, result, result.counted)
        wanted = SHARE if metric.yes_or_no else STATISTICS
        facts += [_statistic_fact(subject, metric, name, read, attribute) for name, attribute in wanted.items()]
    cold = tuple(each for each in result.rounds if each.cold and each.generation.ok)
    for metric in (find_metric("load"), find_metric("ttft")):
        facts.append(_statistic_fact(subject, metric, "median of cold", _read(metric, result, cold), "median"))
    return facts


def _read(metric: Metric, result: CaseResult, rounds: Iterable[Round]) -> tuple[tuple[float, ...], str]:
    """All finite values of a metric over rounds, and where they stand."""
    read = [(each, metric.read(each.generation)) for each in rounds]
    values = tuple(value for _, found in read for value in found if math.isfinite(value))
    return values, f"{result.case.id} {numbers_of(each for each, found in read if found)} {_FIELDS[metric.name]}"


def _statistic_fact(
    subject: Mapping[str, str], metric: Metric, name: str, read: tuple[tuple[float, ...], str], attribute: str
) -> Fact:
    values, source = read
    statistic = Statistic(values, metric.dimension)
    return Fact(
        subject=subject,
        metric=metric.name,
        statistic=name,
        value=getattr(statistic, attribute),
        dimension=metric.dimension,
        n=statistic.n,
        formula=f"{name} of {metric.formula}",
        sources=(source,),
    )


def _count_facts(result: CaseResult, subject: Mapping[str, str]) -> list[Fact]:
    asked = result.case.rounds
    facts = [_count_fact(subject, "rounds_asked", asked, "rounds asked for", f"{result.case.id} rounds")]
    for each in _COUNTS:
        rounds = each.rounds(result)
        source = f"{result.case.id} {numbers_of(rounds)} {each.field}"
        fact = _count_fact(subject, each.metric, len(rounds), f"count of {each.formula}", source)
        facts.append(replace(fact, n=len(result.rounds)))
    busy = sum(each.busy_answers for each in result.rounds)
    fact = _count_fact(subject, "busy_answers", busy, "sum of busy_answers", f"{result.case.id} busy_answers")
    facts.append(replace(fact, statistic="sum", n=len(result.rounds)))
    stalls = find_metric("stalls")
    values, source = _read(stalls, result, result.counted)
    total = _count_fact(subject, "stalls", sum(values), f"sum of {stalls.formula}", source)
    return [*facts, replace(total, statistic="sum", n=len(values))]


def _count_fact(subject: Mapping[str, str], metric: str, value: float, formula: str, source: str) -> Fact:
    return Fact(
        subject=subject,
        metric=metric,
        statistic="count",
        value=value,
        dimension="count",
        n=1,
        formula=formula,
        sources=(source,),
    )


_TIMES = {
    "setup_time": ("setup_ns", "wall time before the first request"),
    "warmup_time": ("warmup_ns", "wall time of the warm-up rounds"),
    "measuring_time": ("measuring_ns", "wall time of the counted rounds with what lies between them"),
    "waited_time": ("waited_ns", "wall time waiting for other processes that measure on the same host"),
}


def _time_facts(result: CaseResult, subject: Mapping[str, str]) -> list[Fact]:
    return [
        Fact(
            subject=subject,
            metric=metric,
            statistic="sum",
            value=ns_to_s(getattr(result, field)),
            dimension="time",
            n=1,
            formula=text,
            sources=(f"{result.case.id} {field}",),
        )
        for metric, (field, text) in _TIMES.items()
    ]


def _loaded_facts(result: CaseResult, subject: Mapping[str, str]) -> list[Fact]:
    """What the server said of the model as it was loaded for this case."""
    loaded = result.loaded or LoadedModel(name="")
    said: tuple[tuple[str, float | None, Dimension, str, str], ...] = (
        ("trained_context", result.case.model.context_length, "tokens", "context_length", "/api/show"),
        ("num_ctx", loaded.context_length, "tokens", "context_length", "/api/ps"),
        ("size", loaded.size_bytes, "bytes", "size", "/api/ps"),
        ("gpu_share", loaded.gpu_share, "ratio", "size_vram / size", "/api/ps"),
    )
    return [
        Fact(
            subject=subject,
            metric=metric,
            statistic="value",
            value=value,
            dimension=dimension,
            n=0 if value is None else 1,
            formula=formula,
            sources=(f"{result.case.id} {route}",),
        )
        for metric, value, dimension, formula, route in said
    ]
