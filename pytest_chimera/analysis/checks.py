"""Aggregates beside the raw rows that they must have been computed from.

A summary belongs to raw rows of its own file, or of a file beside it whose name is the same but for words such as
"summary" and "runs". Rows must agree with it in model, settings and labels, as far as both state them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import mean, sd
from pytest_chimera.analysis.filenames import folder_of, stem_of, times_in, words_of
from pytest_chimera.stats import quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_chimera.analysis.evidence import Evidence, Group, Row
    from pytest_chimera.records import Measurement

_SUMMARY = frozenset({"summary", "summaries", "aggregate", "aggregated", "aggregates", "agg", "stats", "statistics"})
_RAW = frozenset({"raw", "run", "runs", "result", "results", "data", "row", "rows", "sample", "samples"})
_EXACT = 1e-9
"""Relative difference that the last digits of floats make."""
_DIGITS = 15

STATISTICS: dict[str, Callable[[Sequence[float]], float | None]] = {
    "mean": mean,
    "median": median,
    "min": min,
    "max": max,
    "sd": sd,
    "sum": math.fsum,
    "p5": lambda values: quantile(values, 0.05),
    "p90": lambda values: quantile(values, 0.9),
    "p95": lambda values: quantile(values, 0.95),
    "p99": lambda values: quantile(values, 0.99),
}
"""Aggregates that can be computed again."""

_RATES = {"tok/s": ("output_tokens", "eval"), "words/s": ("words", "latency")}
"""A mean rate may be everything over the whole time: what is divided by what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One stated aggregate and the raw rows that it is of."""

    stated: Measurement
    group: Group
    rows: tuple[Row, ...]
    """Rows that it must be of, failed ones included."""
    computed: float | None
    """From those that succeeded; None where none has a value."""
    note: str = ""
    """What the stated value is instead, where that is known."""

    @property
    def values(self) -> list[Measurement]:
        """The raw values."""
        return [row.values[self.stated.metric] for row in self.rows if self.stated.metric in row.values]

    @property
    def agrees(self) -> bool:
        """Whether the stated value is the computed one, rounded as it is written."""
        if self.stated.value is None or self.computed is None:
            return self.stated.value is None and self.computed is None
        return self.note.startswith("=") or is_rounded(self.stated.value, self.computed, self.slack)

    @property
    def slack(self) -> float:
        """How far the rounding of the raw values can move what is computed from them."""
        halves = [half_unit(each.value) for each in self.values if each.value is not None]
        each = min(halves, default=0.0)  # of the value with most digits: the others lost zeros at their end
        return each * {"sum": len(halves), "sd": 2}.get(self.stated.statistic, 1)


def is_rounded(written: float, exact: float, slack: float = 0.0) -> bool:
    """Whether a value is another one, rounded to the digits that it has; the other may be off by `slack`."""
    return abs(written - exact) <= (half_unit(written) + slack) * (1 + _EXACT) + abs(exact) * _EXACT


def half_unit(written: float) -> float:
    """Half a unit of the last digit that a number has in its shortest form; of 77.29 it is 0.005."""
    digits, _, exponent = f"{written:.{_DIGITS - 1}e}".partition("e")
    decimals = len(digits.rstrip("0").rpartition(".")[2])
    last = int(exponent) - decimals
    return 0.5 * 10.0 ** min(last, 0) if decimals < _DIGITS - 1 else 0.0


def checks(evidence: Evidence) -> list[Check]:
    """Every aggregate for which there are raw rows."""
    matcher = _Matcher(_by_base(evidence))
    found: list[Check] = []
    for each in evidence.aggregates:
        if each.statistic in STATISTICS and each.failure is None and each.role == "performance":
            group = next(iter(_candidates(each, matcher)), None)
            check = None if group is None else _check(each, *group)
            found += [] if check is None else [check]
    return found


def base_of(path: str) -> str:
    """A name without the words that tell summaries from raw files."""
    return "_".join(word for word in words_of(stem_of(path).lower()) if word not in _SUMMARY and word not in _RAW)


def _by_base(evidence: Evidence) -> Mapping[tuple[str, str], list[Group]]:
    """Groups of raw rows by folder and name; a copy of a file in another folder stands for it there."""
    aliases: dict[str, list[str]] = defaultdict(list)
    for artifact in evidence.files:
        if artifact.identical_to is not None:
            aliases[artifact.identical_to].append(artifact.path)
    found: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in evidence.groups:
        for path in (group.file, *aliases[group.file]):
            found[folder_of(path), base_of(path)].append(group)
    return found


def _candidates(each: Measurement, matcher: _Matcher) -> Iterable[tuple[Group, list[Row]]]:
    """Groups whose rows it may be of: those of its own file, else those beside it of the same time or the only ones."""
    file = each.source.file
    groups = matcher.by_base.get((folder_of(file), base_of(file)), [])
    own = [group for group in groups if group.file == file and group.series != each.series]
    beside = [group for group in groups if group.file != file]
    if len({group.file for group in beside}) > 1:
        beside = [group for group in beside if times_in(stem_of(group.file)) == times_in(stem_of(file))]
    for group in own or beside:
        if each.model is None or group.model in {None, each.model}:
            rows = matcher.matching(each, group)
            if any(each.metric in row.values for row in rows) or (rows and not any(row.ok for row in rows)):
                yield group, rows


class _Matcher:
    """Rows that agree with an aggregate in all settings and labels that the rows of the group have."""

    def __init__(self, by_base: Mapping[tuple[str, str], list[Group]]) -> None:
        self.by_base = by_base
        self.names: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self.rows: dict[tuple[int, tuple[str, ...], tuple[str, ...]], dict[tuple[object, ...], list[Row]]] = {}

    def matching(self, each: Measurement, group: Group) -> list[Row]:
        """The rows of a group, looked up by what both sides state."""
        if id(group) not in self.names:
            self.names[id(group)] = (
                frozenset(name for row in group.rows for name in row.parameters),
                frozenset(name for row in group.rows for name in row.labels),
            )
        known, told = self.names[id(group)]
        settings, labels = tuple(sorted(known & set(each.parameters))), tuple(sorted(told & set(each.labels)))
        key = (id(group), settings, labels)
        if key not in self.rows:
            found = self.rows[key] = defaultdict(list)
            for row in group.rows:
                found[_stated(row, settings, labels)].append(row)
        return self.rows[key].get(_stated(each, settings, labels), [])


def _stated(each: Measurement | Row, settings: Sequence[str], labels: Sequence[str]) -> tuple[object, ...]:
    return (*(each.parameters.get(name) for name in settings), *(each.labels.get(name) for name in labels))


def _check(each: Measurement, group: Group, rows: list[Row]) -> Check:
    values = [row.values[each.metric].value or 0.0 for row in rows if each.metric in row.values]
    computed = STATISTICS[each.statistic](values) if values else None
    check = Check(stated=each, group=group, rows=tuple(rows), computed=computed)
    if check.agrees:
        return check
    return Check(stated=each, group=group, rows=tuple(rows), computed=computed, note=_note(each, rows, values))


def _note(each: Measurement, rows: Sequence[Row], values: Sequence[float]) -> str:
    """What a value that disagrees may be instead; one that begins with "=" is another right formula."""
    if each.value is None or not rows:
        return ""
    if not values:
        return "all of these rows failed"
    if each.statistic == "mean" and each.metric in _RATES:
        over, under = (sum(_value(row, name) for row in rows) for name in _RATES[each.metric])
        if under and is_rounded(each.value, over / under):
            return "= everything over the whole time"
    warm = [row.values[each.metric].value or 0.0 for row in rows if each.metric in row.values and not row.cold]
    tries = {
        "failed rows count as zero in it": [*values, *([0.0] * (len(rows) - len(values)))],
        "it leaves cold rows out": warm,
    }
    for text, others in tries.items():
        if len(others) != len(values) and others:
            other = STATISTICS[each.statistic](others)
            if other is not None and is_rounded(each.value, other):
                return text
    return ""


def _value(row: Row, metric: str) -> float:
    found = row.values.get(metric)
    return 0.0 if found is None else found.value or 0.0
