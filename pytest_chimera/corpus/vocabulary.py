"""What names mean: the built-in vocabulary, a user's additions, and the grammar of statistics and units in names.

A name is looked up whole, then without its unit ("ttft_ms", "Load (s)"), then without its statistic ("mean_", "_p95"),
then without both. What is known but cannot be resolved is `ambiguous`; what is not known at all is `unknown`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pytest_chimera.corpus.quantities import UNITS, unit_of
from pytest_chimera.corpus.rows import Term

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_chimera.records import Role
    from pytest_chimera.units import Dimension

MeaningKind = Literal[
    "number", "statistic", "setting", "label", "role", "environment", "ignored", "ambiguous", "unknown"
]

_STATISTICS = {
    "mean": "mean", "avg": "mean", "average": "mean", "overall": "mean", "median": "median", "p50": "median",
    "min": "min", "minimum": "min", "lowest": "min", "max": "max", "maximum": "max", "peak": "max", "highest": "max",
    "std": "sd", "stdev": "sd", "stddev": "sd", "sd": "sd", "total": "sum", "sum": "sum",
    "delta": "delta", "diff": "delta", "difference": "delta", "change": "delta",
}  # fmt: skip
_DECIDED = {("throughput", "rate"): "tok/s", ("size", "bytes"): "model_size", ("memory", "bytes"): "ram_used"}
"""(ambiguous name, what its unit measures) -> what it then is."""
_RATES = (("tokens", "s"), ("tok", "s"), ("tokens", "sec"), ("tokens", "second"))
_QUANTILE = re.compile(r"p0*([1-9]\d?)(?:th)?$")
_FILLERS = frozenset({"percentiles", "percentile", "stats", "statistics", "summary", "timing", "the", "of"})
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_LONGEST_NAME = 120


class Meaning(NamedTuple):
    """What a name means."""

    kind: MeaningKind
    name: str
    """Canonical metric, setting, label, role or environment word; of an ambiguous one why it is."""
    statistic: str = "value"
    term: Term | None = None
    """Of a number whose unit is known by its name; None when the value must bring it."""


_UNKNOWN = Meaning("unknown", "")


class _MetricWords(NamedTuple):
    dimension: Dimension
    role: Role
    unit: str | None
    title: str
    better: str | None
    statistic: str


@dataclass(frozen=True)
class Vocabulary:
    """Names and their meanings; immutable, and cheap to send to another process."""

    words: Mapping[str, Any]
    """The content of the YAML form: metrics, within, ambiguous, settings, labels, roles, environment, ignored, ..."""

    @cached_property
    def metrics(self) -> dict[str, _MetricWords]:
        """Canonical metric -> what it measures."""
        return {
            name: _MetricWords(
                each["dimension"],
                each.get("role", "performance"),
                each.get("unit"),
                each["title"],
                each.get("better"),
                each.get("statistic", "value"),
            )
            for name, each in self.words["metrics"].items()
        }

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Families of models that names of files may hold."""
        return tuple(names_in(self.words["families"]))

    @cached_property
    def headers(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(glob of file names, names of their columns) for tables without a header; from a user's file only."""
        return tuple((each["match"], tuple(each["columns"])) for each in self.words.get("headers", ()))

    @cached_property
    def _index(self) -> dict[str, tuple[MeaningKind, str]]:
        return {"_".join(normal(name)[0]): entry for name, entry in _entries(self.words)}

    @cached_property
    def _within(self) -> dict[str, dict[str, str]]:
        within: dict[str, dict[str, str]] = self.words["within"]
        return within

    @cached_property
    def _cache(self) -> dict[tuple[str, str], Meaning]:
        return {}

    @classmethod
    def from_file(cls, path: Path) -> Vocabulary:
        """The built-in vocabulary with what a user's file adds. Raises CorpusError where it cannot be used."""
        from pytest_chimera.corpus.vocabulary_file import read_vocabulary  # noqa: PLC0415  # only where one is given

        return read_vocabulary(path)

    @classmethod
    def built_in(cls) -> Vocabulary:
        """The vocabulary of this package."""
        return cls(built_in_words())

    def __getstate__(self) -> dict[str, Any]:
        return {"words": self.words}

    def place(self, key: str, outer: str = "") -> str:
        """The word of `within` that holds below `key`, or the one that held above it."""
        low = key.lower()
        return next((word for word in self._within if word in low), outer)

    def meaning(self, name: str, place: str = "") -> Meaning:
        """What `name` means below `place` (a word of `within`, or nothing)."""
        key = (name, place)
        found = self._cache.get(key)
        if found is None:
            found = self._look_up(name, place)
            if len(self._cache) < 100_000:  # noqa: PLR2004  # names of hostile files are endless
                self._cache[key] = found
        return found

    def plain(self, name: str) -> tuple[MeaningKind, str]:
        """(kind, canonical word) of a name that stands in the vocabulary as it is, without any grammar."""
        return self._index.get(name.lower().replace(" ", "_").replace("-", "_"), ("unknown", ""))

    def setting_with_prefix(self, name: str) -> str | None:
        """The whole name, in lower case, of a setting with words before it ("agent_a_num_ctx"); None for others."""
        words, _ = normal(name)
        if len(words) < 2 or words[-1] not in self._ends_of_settings:  # noqa: PLR2004  # a word and a setting
            return None
        for start in range(1, len(words)):
            if self._index.get("_".join(words[start:]), ("unknown", ""))[0] == "setting":
                return "_".join(words)
        return None

    @cached_property
    def _ends_of_settings(self) -> frozenset[str]:
        return frozenset(
            name.rpartition("_")[2] for names in self.words["settings"].values() for name in names_in(names)
        )

    def term(self, metric: str, statistic: str, unit: str | None, *, in_name: bool = False) -> Term | None:
        """The meaning of a number of `metric` in `unit`; None when the unit is not one of what the metric measures."""
        words = self.metrics[metric]
        if statistic == "value":
            statistic = words.statistic
        if unit is None:
            unit = words.unit
            if unit is None:
                return None
            in_name = False
        if unit == "" and words.dimension == "count":
            return Term(metric, statistic, 1.0, words.dimension, words.role)
        known = unit_of(unit, in_name=in_name)
        if known is None or known[0] != words.dimension:
            if words.dimension == "rate" and known is not None and known[0] == "ratio" and statistic == "delta":
                return Term(metric, "relative delta", known[1], "ratio", words.role)
            return None
        return Term(metric, statistic, known[1], words.dimension, words.role)

    def _look_up(self, name: str, place: str) -> Meaning:
        if len(name) > _LONGEST_NAME:
            return _UNKNOWN
        words, unit = normal(name)
        whole = "_".join(words)
        if whole not in self._index and _is_rate(words):
            return self._by_unit(words, "tok/s")
        bare_statistic = None
        for statistic, rest in _without_statistic(words):
            for base, suffix in _without_unit(rest, unit):
                if not base:
                    if suffix is None:
                        bare_statistic = bare_statistic or statistic
                        continue
                    metric = "latency" if UNITS.get(suffix, ("", 0))[0] == "time" else ""
                    if metric and statistic != "value":
                        return self._number(metric, statistic, suffix, in_name=unit is None)
                    continue
                hit = self._hit(base, place)
                # Only numbers have a statistic or a unit in their names: "error_count" is no error.
                if hit is not None and (base == whole or hit[0] in {"number", "ambiguous"}):
                    return self._as_meaning(hit, statistic, suffix, in_name=unit is None)
        if bare_statistic is not None and bare_statistic != "value":
            return Meaning("statistic", bare_statistic, bare_statistic)
        return self._by_unit(words, unit)

    def _hit(self, base: str, place: str) -> tuple[MeaningKind, str] | None:
        if place and base in self._within[place]:
            return "number", self._within[place][base]
        return self._index.get(base)

    def _as_meaning(self, hit: tuple[MeaningKind, str], statistic: str, unit: str | None, *, in_name: bool) -> Meaning:
        kind, name = hit
        if kind == "ambiguous":
            dimension = None if unit is None else UNITS.get(unit, ("", 0))[0]
            decided = _DECIDED.get((name, dimension or ""))
            if decided is not None:
                return self._number(decided, statistic, unit, in_name=in_name)
            why: str = self.words["ambiguous"][name]
            return Meaning("ambiguous", f"{name}: {why}", statistic)
        if kind == "number":
            return self._number(name, statistic, unit, in_name=in_name)
        return Meaning(kind, name, statistic)

    def _number(self, metric: str, statistic: str, unit: str | None, *, in_name: bool = False) -> Meaning:
        # A program's "_gb" is 2^30; in brackets, as in prose, it is what is sold as one.
        return Meaning("number", metric, statistic, self.term(metric, statistic, unit, in_name=in_name))

    def _by_unit(self, words: list[str], unit: str | None) -> Meaning:
        """A name that nobody knows, with a unit that only one metric has."""
        if unit is not None and unit_of(unit) == ("rate", 1.0):
            metric = "prefill" if {"prompt", "prefill", "input"} & set(words) else "tok/s"
            statistic = next((known for word in words if (known := statistic_word(word))), "value")
            return self._number(metric, statistic, unit)
        return _UNKNOWN


def normal(name: str) -> tuple[list[str], str | None]:
    """(words in lower case, unit in brackets or None) of a name in any spelling."""
    if name.isascii() and name.replace("_", "a").isalnum() and name.islower():
        return [word for word in name.split("_") if word and word not in _FILLERS], None
    unit = None
    text = name.replace("Δ", " delta ").replace("`", "").replace("*", "")
    for bracket in _IN_BRACKETS.finditer(text):
        if bracket[1].strip().lower() in UNITS:
            unit = bracket[1].strip().lower()
    text = _IN_BRACKETS.sub(" ", text)
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()
    text = text.replace("tokens/s", "tokens_s").replace("tok/s", "tok_s").replace("%", " percent ")
    return [word for word in re.split(r"[^a-z0-9]+", text) if word and word not in _FILLERS], unit


def names_in(value: Sequence[str]) -> Sequence[str]:
    """Several names, written as a list or parted by spaces."""
    return value.split() if isinstance(value, str) else value


def statistic_word(word: str) -> str | None:
    """The statistic that one word names, or None."""
    known = _STATISTICS.get(word)
    if known is not None:
        return known
    match = _QUANTILE.match(word)
    return None if match is None else f"p{match[1]}"


def _is_rate(words: list[str]) -> bool:
    """Whether a name ends in "tokens per second" in some spelling."""
    tail = tuple(word for word in words[-3:] if word != "per")[-2:]
    return tail in _RATES or tail == ("tok", "second")


def _without_statistic(words: list[str]) -> Iterator[tuple[str, list[str]]]:
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


def _without_unit(words: list[str], unit: str | None) -> Iterator[tuple[str, str | None]]:
    """(name, unit) of each way to read the end of a name as a unit; the whole name comes first."""
    yield "_".join(words), unit
    if words and unit is None:
        if words[-1] != "min" and unit_of(words[-1], in_name=True) is not None:  # the smallest, not minutes
            yield "_".join(words[:-1]), words[-1]
        elif words[-1] == "c":
            yield "_".join(words[:-1]), "°c"
        if words[-2:] in (["per", "second"], ["per", "sec"], ["per", "s"]):
            yield "_".join(words[:-2]), "/s"


def _entries(words: Mapping[str, Any]) -> Iterator[tuple[str, tuple[MeaningKind, str]]]:
    """Every name with its meaning; of names that stand twice the later wins."""
    for line in words["ignored"]:
        for name in names_in(line):
            yield name, ("ignored", name)
    groups: tuple[tuple[str, MeaningKind], ...] = (
        ("environment", "environment"), ("labels", "label"), ("settings", "setting"), ("roles", "role")
    )  # fmt: skip
    for group, kind in groups:
        for canonical, names in words[group].items():
            for name in names_in(names):
                yield name, (kind, canonical)
    for canonical, each in words["metrics"].items():
        for name in names_in(each.get("names", ())):
            yield name, ("number", canonical)
    for name in words["ambiguous"]:
        yield name, ("ambiguous", name)


def built_in_text() -> str:
    """The built-in vocabulary as its file says it."""
    return files("pytest_chimera.corpus").joinpath("vocabulary.yaml").read_text(encoding="utf-8")


def built_in_words() -> Any:
    """The built-in vocabulary as YAML holds it."""
    import yaml  # noqa: PLC0415  # only where a corpus is read

    return yaml.load(built_in_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe
