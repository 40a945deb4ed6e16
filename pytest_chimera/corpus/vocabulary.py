"""What names mean: the built-in vocabulary and a user's additions.

A name is looked up whole, then without its unit ("ttft_ms", "Load (s)"), then without its statistic ("mean_", "_p95"),
then without both. What is known but cannot be resolved is `ambiguous`; what is not known at all is `unknown`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pytest_chimera.corpus.grammar import (
    STATISTICS,
    is_rate,
    normal,
    statistic_word,
    without_statistic,
    without_unit,
)
from pytest_chimera.corpus.quantities import UNITS, unit_of
from pytest_chimera.corpus.rows import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_chimera.records import Role
    from pytest_chimera.units import Dimension

MeaningKind = Literal[
    "number", "statistic", "setting", "label", "role", "environment", "ignored", "ambiguous", "unknown"
]

_DECIDED = {("throughput", "rate"): "tok/s", ("size", "bytes"): "model_size", ("memory", "bytes"): "ram_used"}
"""(ambiguous name, what its unit measures) -> what it then is."""
_LONGEST_NAME = 120


class Meaning(NamedTuple):
    """What a name means."""

    kind: MeaningKind
    name: str
    """Canonical metric, setting, label, role or environment word; of an ambiguous one why it is; of an unknown one all
    of it where it ends as a setting does."""
    statistic: str = "value"
    term: Term | None = None
    """Of a number whose unit is known by its name; None when the value must bring it."""


_UNKNOWN = Meaning("unknown", "")
_NOT_KNOWN: tuple[MeaningKind, str] = ("unknown", "")
_OF_UNITS = frozenset({"per", "c"})
_REMEMBERED = 100_000
"""Names whose meaning is kept: those of hostile files are endless."""


class _Meanings(dict[tuple[str, str], Meaning]):
    """(name, place) -> meaning, looked up when it is first asked for."""

    def __init__(self, look_up: Callable[[str, str], Meaning]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, key: tuple[str, str]) -> Meaning:
        found = self._look_up(*key)
        if len(self) < _REMEMBERED:
            self[key] = found
        return found


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
    def _telling(self) -> set[str]:
        """Words of names that mean something, but for quantiles: with any other word in it a name is not known."""
        names = [*self._index, *(name for each in self._within.values() for name in each)]
        known = {word for name in names for word in name.split("_")}
        return known.union(STATISTICS, UNITS, _OF_UNITS)

    @cached_property
    def _within(self) -> dict[str, dict[str, str]]:
        within: dict[str, dict[str, str]] = self.words["within"]
        return within

    @cached_property
    def meanings(self) -> Mapping[tuple[str, str], Meaning]:
        """(name, word of `within` or nothing) -> what it means; each is looked up once."""
        return _Meanings(self._look_up)

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
        for word in self._within:
            if word in low:
                return word
        return outer

    def meaning(self, name: str, place: str = "") -> Meaning:
        """What `name` means below `place` (a word of `within`, or nothing)."""
        return self.meanings[name, place]

    def plain(self, name: str) -> tuple[MeaningKind, str]:
        """(kind, canonical word) of a name that stands in the vocabulary as it is, without any grammar."""
        known = self._index.get(name)
        if known is None:
            known = self._index.get(name.lower().replace(" ", "_").replace("-", "_"), _NOT_KNOWN)
        return known

    def setting_with_prefix(self, name: str) -> str | None:
        """The whole name, in lower case, of a setting with words before it that nobody knows ("agent_a_num_ctx")."""
        meaning = self.meaning(name)
        return meaning.name or None if meaning.kind == "unknown" else None

    def _unknown(self, words: list[str]) -> Meaning:
        if len(words) > 1 and words[-1] in self._ends_of_settings:
            for start in range(1, len(words)):
                if self._index.get("_".join(words[start:]), _NOT_KNOWN)[0] == "setting":
                    return Meaning("unknown", "_".join(words))
        return _UNKNOWN

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
        words, unit = normal(name)
        if len(name) > _LONGEST_NAME:
            return self._unknown(words)
        whole = "_".join(words)
        if whole not in self._index and is_rate(words):
            return self._by_unit(words, "tok/s")
        telling = self._telling
        for word in words:
            if word not in telling and word[0] != "p":  # which may be a quantile
                return self._by_unit(words, unit)
        hit = self._hit(whole, place) if words else None
        if hit is not None:
            return self._as_meaning(hit, "value", unit, in_name=unit is None)
        return self._by_parts(words, unit, place) or self._by_unit(words, unit)

    def _by_parts(self, words: list[str], unit: str | None, place: str) -> Meaning | None:
        """What a name means without its statistic or its unit; None when it is not known so either."""
        bare_statistic = None
        for statistic, rest in without_statistic(words):
            for base, suffix in without_unit(rest, unit):
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
                if hit is not None and hit[0] in {"number", "ambiguous"}:
                    return self._as_meaning(hit, statistic, suffix, in_name=unit is None)
        if bare_statistic is not None and bare_statistic != "value":
            return Meaning("statistic", bare_statistic, bare_statistic)
        return None

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
        return self._unknown(words)


def names_in(value: Sequence[str]) -> Sequence[str]:
    """Several names, written as a list or parted by spaces."""
    return value.split() if isinstance(value, str) else value


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
    return Path(__file__).with_name("vocabulary.yaml").read_text(encoding="utf-8")


def built_in_words() -> Any:
    """The built-in vocabulary as YAML holds it."""
    from pytest_chimera.corpus.yaml_reader import parse_words  # noqa: PLC0415  # PyYAML only where a corpus is read

    return parse_words(built_in_text())
