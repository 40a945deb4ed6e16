"""The grammar of names: words, statistics ("mean_", "_p95") and units ("_ms", "(s)") of columns and keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_chimera.corpus.quantities import UNITS, unit_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STATISTICS = {
    "mean": "mean", "avg": "mean", "average": "mean", "overall": "mean", "median": "median", "p50": "median",
    "min": "min", "minimum": "min", "lowest": "min", "max": "max", "maximum": "max", "peak": "max", "highest": "max",
    "std": "sd", "stdev": "sd", "stddev": "sd", "sd": "sd", "total": "sum", "sum": "sum",
    "delta": "delta", "diff": "delta", "difference": "delta", "change": "delta",
}  # fmt: skip
"""Word of a name -> the statistic it names."""
_RATES = (("tokens", "s"), ("tok", "s"), ("tokens", "sec"), ("tokens", "second"))
_SECONDS = frozenset({"s", "sec", "second", "per"})
_QUANTILE = re.compile(r"p0*([1-9]\d?)(?:th)?$")
_FILLERS = frozenset({"percentiles", "percentile", "stats", "statistics", "summary", "timing", "the", "of"})
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_WITHIN_A_WORD = re.compile(r"([a-z0-9])([A-Z])")
_WORD = re.compile(r"[a-z0-9]+")


def normal(name: str) -> tuple[list[str], str | None]:
    """(words in lower case, unit in brackets or None) of a name in any spelling."""
    if name.isascii() and name.replace("_", "a").isalnum() and name.islower():
        return [word for word in name.split("_") if word and word not in _FILLERS], None
    unit = None
    text = name.replace("Δ", " delta ").replace("`", "").replace("*", "")
    if "(" in text or "[" in text:
        for bracket in _IN_BRACKETS.finditer(text):
            if bracket[1].strip().lower() in UNITS:
                unit = bracket[1].strip().lower()
        text = _IN_BRACKETS.sub(" ", text)
    if not text.islower():
        text = _WITHIN_A_WORD.sub(r"\1_\2", text).lower()
    if "%" in text:
        text = text.replace("%", " percent ")
    return [word for word in _WORD.findall(text) if word not in _FILLERS], unit


def statistic_word(word: str) -> str | None:
    """The statistic that one word names, or None."""
    known = STATISTICS.get(word)
    if known is not None:
        return known
    match = _QUANTILE.match(word)
    return None if match is None else f"p{match[1]}"


def is_rate(words: list[str]) -> bool:
    """Whether a name ends in "tokens per second" in some spelling."""
    if not words or words[-1] not in _SECONDS:
        return False
    tail = tuple(word for word in words[-3:] if word != "per")[-2:]
    return tail in _RATES or tail == ("tok", "second")


def without_statistic(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """(statistic, the words left) of each way to read a name; the whole name comes first."""
    yield "value", words
    first = statistic_word(words[0]) if words else None
    last = statistic_word(words[-1]) if words else None
    if first is not None:
        second = statistic_word(words[1]) if len(words) > 1 else None
        if second is not None:  # "overall_mean"
            yield second, words[2:]
        yield first, words[1:]
    if last is not None:
        yield last, words[:-1]
    if len(words) > 2 and (inner := statistic_word(words[-2])) is not None:  # noqa: PLR2004  # "ttft_mean_ms"
        yield inner, [*words[:-2], words[-1]]


def without_unit(words: list[str], unit: str | None) -> Iterator[tuple[str, str | None]]:
    """(name, unit) of each way to read the end of a name as a unit; the whole name comes first."""
    yield "_".join(words), unit
    if words and unit is None:
        if words[-1] != "min" and unit_of(words[-1], in_name=True) is not None:  # the smallest, not minutes
            yield "_".join(words[:-1]), words[-1]
        elif words[-1] == "c":
            yield "_".join(words[:-1]), "°c"
        if words[-2:] in (["per", "second"], ["per", "sec"], ["per", "s"]):
            yield "_".join(words[:-2]), "/s"
