"""What a number means: metric, statistic and condition, each by the word that stands nearest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_chimera.report.claims.clauses import clauses
from pytest_chimera.report.claims.reasons import not_about_data
from pytest_chimera.report.claims.words import (
    UNIT_IN_HEAD,
    UNITS,
    Unit,
    Word,
    unit_of_name,
    words_in,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.report.claims.numbers import Number
    from pytest_chimera.units import Dimension

Sort = Literal["value", "comparison", "count", "none"]

_OF_DIMENSION: dict[str, frozenset[str]] = {
    "time": frozenset({"time"}), "rate": frozenset({"rate"}), "bytes": frozenset({"bytes"}),
    "power": frozenset({"power"}),
    "tokens": frozenset({"tokens"}), "characters": frozenset({"count"}), "words": frozenset({"count"}),
    "ratio": frozenset({"ratio"}), "celsius": frozenset({"celsius"}), "frequency": frozenset({"frequency"}),
    "per_second": frozenset({"per_second"}), "factor": frozenset({"ratio"}),
}  # fmt: skip
_DERIVED_HEAD = re.compile(
    r"[ΔδΔ]|\b(?:delta|diff(?:erence)?|change|ratio|vs\.?|versus|gain|improvement|relative|penalty)\b", re.IGNORECASE
)
_REACH_BEHIND = {"condition": 40, "statistic": 24}
_RIGHT_BEHIND = 12
"""Characters between a number and a word behind it that still belongs to it."""


@dataclass(frozen=True, slots=True)
class Sense:
    """What a number means."""

    sort: Sort
    metrics: tuple[str, ...] = ()
    """That it may be of, the likeliest first; empty when no word names one."""
    word: str = ""
    """By which the metric is named, as written."""
    statistic: str | None = None
    """None when none is stated."""
    condition: str | None = None
    unit: Unit | None = None
    """Of the number, its column, or its name."""
    counted: str = ""
    """The set, of a count."""
    noun: str = ""
    reason: str = ""
    """Why no data judge it."""


def sense_of(number: Number, dimensions: Mapping[str, Dimension]) -> Sense:
    """What a number means, given the metrics of the data with their dimensions."""
    unit = _unit(number)
    reason = number.reason or not_about_data(number)
    if reason:
        return Sense("none", unit=unit, reason=reason)
    word, metrics = _metric(number, unit, dimensions)
    derived = _is_comparison(number, unit, metrics, dimensions)
    if not derived and (counted := _counted(number, unit)):
        return Sense("count", unit=unit, counted=counted.means[0], noun=counted.means[0])
    if not derived and unit is None and not number.piece.table and not _is_bare_value(number, metrics, dimensions):
        return Sense("none", unit=unit, reason="a number without a unit and with no metric right beside it")
    if not derived and not metrics and (unit is None or unit.kind in {"tokens", "factor"}):
        return Sense("none", unit=unit, reason="no unit, no metric and no counted thing beside it")
    statistic = "sd" if number.hedge == "spread" else _nearest_word("statistic", number)
    condition = _nearest_word("condition", number)
    return Sense(
        "comparison" if derived else "value", metrics, word, statistic, condition, unit,
    )  # fmt: skip


_JOINT = re.compile(r"[\s:=~≈(*]*(?:(?!and\b|or\b|but\b|with\b|for\b|by\b|in\b)\w+\s){0,2}[\s~≈<>=≤≥]*")


def _beside(number: Number) -> bool:
    """Whether a metric word stands right before or behind a number."""
    if number.name:
        return True
    text = number.piece.text
    words = words_in("metric", text)
    before = [word for word in words if word.end <= number.start]
    after = [word for word in words if word.start >= number.end]
    if before and _JOINT.fullmatch(text[before[-1].end : number.start]):
        return True
    return bool(after) and not text[number.end : after[0].start].strip()


def _is_bare_value(number: Number, metrics: Sequence[str], dimensions: Mapping[str, Dimension]) -> bool:
    """Whether a number without a unit is of a metric: of the word beside it, or of one that has no unit itself."""
    plain = bool(metrics) and _dimension(metrics[0], dimensions) in {"count", "ratio"}
    return _beside(number) or (plain and not number.whole)


def _unit(number: Number) -> Unit | None:
    if number.unit is not None:
        return number.unit
    if number.name and (named := unit_of_name(number.name)):
        return named
    header = number.piece.header
    if header and _PER.search(header):
        return None
    if header:
        match = UNIT_IN_HEAD.search(header)
        if match:
            return UNITS.get((match[1] or match[2]).lower())
        return unit_of_name(re.sub(r"\s*\(.*?\)", "", header))
    return None


_TOKENS_HEAD = re.compile(r"(?:#\s?)?(?:output |generated |new )?tokens?(?: out| generated)?(?: count)?")
_ANSWER = re.compile(
    r"\b(?:answers?|responses?|outputs?|repl(?:y|ies)|completions?|generat\w+|writes?|wrote|produc\w+|emit\w*)\b",
    re.IGNORECASE,
)
_PER = re.compile(r"\bper\s+(?!sec|s\b|token|output|word|request)\w+", re.IGNORECASE)


def _metric(number: Number, unit: Unit | None, dimensions: Mapping[str, Dimension]) -> tuple[str, tuple[str, ...]]:
    """The metrics that the nearest fitting word names."""
    if number.piece.table and (per := _PER.search(number.piece.header)):
        return per[0], (f"something {per[0].lower()}",)
    if number.piece.table and _TOKENS_HEAD.fullmatch(number.piece.header.strip().lower()):
        return number.piece.header, ("output_tokens", "total_tokens", "words")
    for text, words in _zones("metric", number):
        for word in words:
            fitting = _fitting(word.means, unit, dimensions)
            if fitting:
                return text[word.start : word.end].strip(), _of_device(fitting, number)
    if unit is not None and unit.metrics:
        return unit.name, unit.metrics
    if unit is not None and unit.kind == "tokens" and _ANSWER.search(number.piece.text):
        return unit.name, ("output_tokens", "total_tokens")
    return "", ()


def _of_device(metrics: tuple[str, ...], number: Number) -> tuple[str, ...]:
    """ "Utilization" below "CPU metrics:" is that of the CPU."""
    if metrics[:2] != ("gpu_util", "cpu"):
        return metrics
    for text in (number.piece.text, *reversed(number.piece.leads), *reversed(number.piece.section.headings)):
        device = re.search(r"\b(cpu|gpu)\b", text, re.IGNORECASE)
        if device:
            return ("cpu", "process_cpu") if device[0].lower() == "cpu" else ("gpu_util",)
    return metrics


def _fitting(means: Sequence[str], unit: Unit | None, dimensions: Mapping[str, Dimension]) -> tuple[str, ...]:
    """Of the metrics that a word may mean those that the unit allows; those that the data lack are kept."""
    if unit is None or unit.kind in {"points", "factor"}:
        return tuple(means)
    if unit.metrics:
        return tuple(each for each in means if each in unit.metrics)
    if unit.kind == "ratio":  # a percentage is of a ratio or compares anything
        own = tuple(each for each in means if _dimension(each, dimensions) == "ratio")
        return own or tuple(means)
    allowed = _OF_DIMENSION.get(unit.kind, frozenset())
    return tuple(each for each in means if _dimension(each, dimensions) in allowed)


_KNOWN: dict[str, str] = {
    "cpu": "ratio", "process_cpu": "ratio", "gpu_util": "ratio", "gpu_membw": "ratio", "efficiency": "ratio",
    "speedup": "ratio", "accuracy": "ratio", "loss": "count", "cv": "ratio", "ram": "ratio", "disk": "ratio",
    "vram_used": "bytes", "vram_total": "bytes", "vram_free": "bytes", "ram_used": "bytes", "ram_total": "bytes",
    "process_ram": "bytes", "model_size": "bytes", "disk_used": "bytes", "power": "power", "power_limit": "power",
    "gpu_temp": "celsius", "gpu_clock": "frequency", "clock": "frequency", "tok/s": "rate",
    "tok/s_e2e": "rate", "prefill": "rate",
    "words/s": "per_second", "request_rate": "per_second", "output_tokens": "tokens", "prompt_tokens": "tokens",
    "total_tokens": "tokens", "words": "count", "answer_chars": "count",
}  # fmt: skip


def _dimension(metric: str, dimensions: Mapping[str, Dimension]) -> str:
    return dimensions.get(metric) or _KNOWN.get(metric, "time")


def dimension_of(metric: str, dimensions: Mapping[str, Dimension]) -> str:
    """The dimension of a metric, also of one that the data lack."""
    return _dimension(metric, dimensions)


def _zones(which: str, number: Number) -> list[tuple[str, Sequence[Word]]]:
    """Texts around a number with their words of one kind, the likeliest first."""
    piece, text = number.piece, number.piece.text
    if number.name:
        named = words_in(which, number.name)
        if named:
            return [(number.name, named)]
    found = words_in(which, text)
    zones: list[tuple[str, Sequence[Word]]] = []
    adjacent = [word for word in found if number.end <= word.start <= number.close + 1]
    if adjacent and not re.match(r"\s*[:=]|\s*~?\d", text[adjacent[0].end :]):
        zones.append((text, adjacent[:1]))
    for layer in clauses(text, number.start)[:2]:
        before = [word for word in found if layer.low <= word.start and word.end <= number.start]
        after = [word for word in found if number.end <= word.start < layer.high]
        zones += [(text, before[::-1]), (text, after)]
    if piece.table:
        zones.append((piece.header, words_in(which, piece.header)))
        zones += [(cell, words_in(which, cell)) for cell in piece.cells[: piece.cell][:1]]
    zones += [(lead, words_in(which, lead)[::-1]) for lead in reversed(piece.leads)]
    zones += [(head, words_in(which, head)) for head in reversed(piece.section.headings[1:] or piece.section.headings)]
    return zones


def _nearest_word(which: str, number: Number) -> str | None:
    """The statistic or condition that a number is stated with; words that belong to another number do not count."""
    piece, text = number.piece, number.piece.text
    metric_words = [(word.start, word.end) for word in words_in("metric", text)]
    found = [
        word for word in words_in(which, text)
        if not any(low <= word.start and word.end <= high for low, high in metric_words) or which == "condition"
    ]  # fmt: skip
    low, high = clauses(text, number.start)[1][1:3]
    behind = [
        word for word in found
        if number.close <= word.start < high
        and word.start - number.close <= _REACH_BEHIND[which]
        and not re.search(r"(?<![\w:.-])\d|[;,]", text[number.close : word.start])
    ]  # fmt: skip
    note = re.match(r"\s*\(([^)]*)\)", text[number.close :])
    if note and re.search(r"\d", note[1]):
        behind = []  # what follows in brackets are other numbers
    if behind and (text[number.close : behind[0].start].strip(" (") == "" or which == "condition"):
        return behind[0].means[0]
    before = [
        word for word in found
        if low <= word.start and word.end <= number.start and not _owned(text, word.end, number.start)
    ]  # fmt: skip
    if before:
        return before[-1].means[0]
    if behind and which == "statistic" and len(text[number.close : behind[0].start]) <= _RIGHT_BEHIND:
        return behind[0].means[0]
    texts = [piece.header, *piece.cells[:1]] if piece.table else []
    texts += [*reversed(piece.leads), *piece.section.headings[-1:]]
    for other in texts:
        words = _plain_words(which, other)
        if words:
            return words[-1].means[0]
    return None


def _plain_words(which: str, text: str) -> list[Word]:
    metric_words = [(word.start, word.end) for word in words_in("metric", text)]
    return [
        word for word in words_in(which, text)
        if which == "condition" or not any(low <= word.start and word.end <= high for low, high in metric_words)
    ]  # fmt: skip


def _owned(text: str, end: int, start: int) -> bool:
    """Whether a number with a unit stands between a word and the number, so that the word belongs to that one."""
    return bool(re.search(r"\d[\d.,]*\s?(?:%|[a-zA-Zµ]+)?.*[;,/(]|[;]", text[end:start]))


_ADDED = re.compile(
    r"\b(?:adds?|added|adding|saves?|saved|saving|extra|additional|costs? an extra"
    r"|(?:higher|lower|faster|slower|longer) by)"
    r"\s+(?:about |around |roughly |up to )?[~≈]?\s*$",
    re.IGNORECASE,
)


def is_added(number: Number) -> bool:
    """Whether a number is what one thing adds to another: "a cold start adds 2.2 s"."""
    return _ADDED.search(number.piece.text[max(0, number.start - 40) : number.start]) is not None


def _is_comparison(
    number: Number, unit: Unit | None, metrics: Sequence[str], dimensions: Mapping[str, Dimension]
) -> bool:
    """Whether a number compares two things: a percentage or factor of no ratio metric, or a signed difference."""
    kind = unit.kind if unit is not None else ""
    own = any(_dimension(each, dimensions) == "ratio" for each in metrics)
    if number.hedge == "spread":
        return kind == "ratio" and not own
    piece = number.piece
    if kind in {"ratio", "factor", "points"}:
        return not own or (number.signed and kind == "ratio")
    within = number.hedge == "under" and piece.text[: number.start].rstrip("~ ").endswith("within")
    return bool(
        (is_added(number) and kind in {"rate", "time", "bytes"})
        or (within and kind == "rate")
        or (number.signed and kind in {"rate", "time", "bytes"})
        or (piece.table and _DERIVED_HEAD.search(piece.header))
        or re.match(r"[\s)]*(?:difference|gap)\b", piece.text[number.close :])
    )


def _counted(number: Number, unit: Unit | None) -> Word | None:
    """The thing that an integer counts."""
    if not number.whole or number.signed or (unit is not None and unit.kind != "factor"):
        return None
    text = number.piece.text
    low, high = clauses(text, number.start)[0][1:3]
    words = words_in("counted", text)
    after = [word for word in words if number.close <= word.start < max(high, number.close + 30)]
    if after and re.fullmatch(r"\+?\s?(?:[a-z-]+\s){0,2}", text[number.close : after[0].start], re.IGNORECASE):
        return after[0]
    before = [word for word in words if word.end <= number.start and word.start >= low]
    if before and re.fullmatch(r"\w*\s*(?:\([^)]*\))?\s*[:=]\s*~?", text[before[-1].end : number.start]):
        return before[-1]
    return _counted_in_table(number)


def _counted_in_table(number: Number) -> Word | None:
    """What the head of a column or the label of a row counts, in the plural: "Failures", "Number of runs"."""
    piece = number.piece
    if piece.table is None or number.piece.text[number.close :].strip(" *"):
        return None
    for label in (piece.header, *piece.cells[: min(piece.cell, 1)]):
        plain = re.sub(r"^\s*(?:#|n|no\.?|number of|total|count of)\s+", "", label.strip(), flags=re.IGNORECASE)
        words = words_in("counted", plain)
        if words and words[0].end - words[0].start >= len(plain) - 2 and plain.rstrip().endswith("s"):
            return words[0]
    return None
