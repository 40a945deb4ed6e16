"""What must hold: the one grammar of limits ("ttft.p95 <= 2 s"), read, written and judged.

A limit names a metric, a statistic (the median where none is named), a direction and a bound. It is used in the same
words by the marker, the call, the command line and YAML. Comparing with saved runs is not done here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_chimera.errors import LimitError, QuantityError, nearest
from pytest_chimera.metrics import METRICS, Metric, find_metric, result_statistic
from pytest_chimera.stats import STATISTICS, UNITS
from pytest_chimera.units import Dimension, format_value, parse_quantity

if TYPE_CHECKING:
    from pytest_chimera.records import CaseResult

Operator = Literal["<", "<=", ">", ">="]
_OPERATORS: dict[str, Operator] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
_EXPRESSION = re.compile(r"\s*([^<>=!≤≥≠\s]+)\s*([<>=!≤≥≠]+)\s*([^<>=!≤≥≠]+?)\s*")
_BOUND = re.compile(r"\s*([<>=!≤≥≠]+)\s*([^<>=!≤≥≠]+?)\s*")
_FORM = "Accepted: METRIC[.STATISTIC] OPERATOR BOUND with one of the operators <, <=, >, >=."
_EXAMPLE = "Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
DEFAULT_STATISTIC = "median"
_TIME_UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))
_UNIT_NAMES: dict[Dimension, str] = {
    "time": "s, ms, us, ns or min",
    "rate": "tok/s",
    "tokens": "tokens",
    "count": "none, a bare number",
    "ratio": "%",
    "bytes": "B, KiB, MiB or GiB",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One thing that must hold; `str()` of it is read back as the same limit."""

    metric: str
    """Canonical name, a key of `metrics.METRICS`."""
    statistic: str = DEFAULT_STATISTIC
    """A key of `stats.STATISTICS`."""
    operator: Operator
    bound: float
    """In the SI unit of the metric."""

    @property
    def subject(self) -> str:
        """What is bound: "tok/s", "ttft.p95"."""
        return self.metric if self.statistic == METRICS[self.metric].statistic else f"{self.metric}.{self.statistic}"

    def allows(self, value: float) -> bool:
        """Whether `value`, in the SI unit, keeps this limit."""
        if self.operator == "<":
            return value < self.bound
        if self.operator == "<=":
            return value <= self.bound
        if self.operator == ">":
            return value > self.bound
        return value >= self.bound

    def __str__(self) -> str:
        return f"{self.subject} {self.operator} {_write_bound(self.bound, METRICS[self.metric])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOutcome:
    """What came of a limit."""

    limit: Limit
    state: Literal["held", "broken", "unknown"]
    """Unknown when there is no value to judge: it is not held, and a case with such a limit does not pass."""
    measured: float | None
    """In the SI unit of the metric; None when it is unknown."""
    n: int
    """How many values it was computed from: rounds, or gaps of all rounds for a metric that has many in each."""
    reason: str = ""
    """Why it is unknown."""

    def __str__(self) -> str:
        if self.state == "unknown":
            return f"{self.limit}: unknown, {self.reason}"
        metric = METRICS[self.limit.metric]
        values = "values" if metric.pooled else "rounds"
        shown = format_value(self.measured, metric.dimension)
        return f"{self.limit}: {self.state}, measured {shown} ({self.limit.statistic} of {self.n} {values})"


def parse_limit(text: str) -> Limit:
    """Read "tok/s >= 30", "ttft.p95 <= 2 s" or "time/token < 20 ms"; a bare number is in the metric's SI unit.

    Raises LimitError with what is accepted, and the nearest name for one that is not known.
    """
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        raise LimitError(f"The limit {text!r} cannot be read.", _FORM, _EXAMPLE)
    metric, statistic = read_subject(match[1], text)
    return Limit(
        metric=metric.name,
        statistic=statistic,
        operator=_read_operator(match[2], text),
        bound=_read_bound(match[3], metric, text),
    )


def parse_limits(value: object) -> tuple[Limit, ...]:
    """Read limits in any accepted form: one text, a list of texts, or a mapping `{"tok/s": ">= 30"}`.

    A value of the mapping may be a list, to bound both sides. None is no limit. Raises LimitError.
    """
    if value is None:
        return ()
    if isinstance(value, (str, Limit)):
        value = [value]
    if isinstance(value, Mapping):
        value = [text for subject, bounds in value.items() for text in _join(subject, bounds)]
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        raise _not_limits(value)
    return tuple(dict.fromkeys(_read_item(item) for item in value))


def check_resolvable(limit: Limit, rounds: int) -> None:
    """Refuse, before anything is measured, a limit that `rounds` rounds cannot decide.

    Metrics with many values per round (ITL) are let through: how many there will be is not known yet.
    Raises LimitError.
    """
    needs = STATISTICS[limit.statistic].needs
    if METRICS[limit.metric].pooled or rounds >= needs:
        return
    raise LimitError(
        f"The limit '{limit}' cannot be judged: {limit.statistic} needs {needs} rounds, this case has {rounds}.",
        "",
        f"Use rounds={needs}{_instead(limit)}.",
    )


def judge(limit: Limit, result: CaseResult) -> LimitOutcome:
    """Hold `limit` against the counted rounds of `result`."""
    values = result_statistic(METRICS[limit.metric], result)
    name = STATISTICS[limit.statistic]
    measured: float | None = getattr(values, name.attribute)
    if measured is None:
        return LimitOutcome(
            limit=limit, state="unknown", measured=None, n=values.n, reason=_why_unknown(limit, values.n)
        )
    state: Literal["held", "broken"] = "held" if limit.allows(measured) else "broken"
    return LimitOutcome(limit=limit, state=state, measured=measured, n=values.n)


def read_subject(subject: str, text: str, kind: str = "limit") -> tuple[Metric, str]:
    """Metric and statistic of "ttft.p95"; where none is named, the one that the metric is known by, mostly the median.

    Raises LimitError for `text`, the expression of this `kind` in which they stand.
    """
    name, dot, statistic = subject.partition(".")
    try:
        metric = find_metric(name.lower())
    except LimitError as error:
        raise LimitError(
            f"The {kind} {text!r} names no known metric: {name!r}.", error.accepted, error.next_step or _EXAMPLE
        ) from None
    if not dot:
        return metric, metric.statistic
    if statistic.lower() not in STATISTICS:
        raise LimitError(
            f"The {kind} {text!r} names no known statistic: {statistic!r}.",
            f"Known statistics: {', '.join(STATISTICS)}.",
            nearest(statistic.lower(), STATISTICS) or _EXAMPLE,
        )
    return metric, statistic.lower()


def _read_operator(operator: str, text: str) -> Operator:
    found = _OPERATORS.get(operator)
    if found is None:
        raise LimitError(f"The limit {text!r} has the unknown operator {operator!r}.", _FORM, _EXAMPLE)
    return found


def _read_bound(bound: str, metric: Metric, text: str) -> float:
    accepted = f"Accepted for {metric.name}: a number in {UNITS[metric.dimension] or 'no unit'}"
    accepted += f", or with a unit ({_UNIT_NAMES[metric.dimension]})." if UNITS[metric.dimension] else "."
    try:
        quantity = parse_quantity(bound)
    except QuantityError:
        raise LimitError(f"The limit {text!r} has no readable bound: {bound!r}.", accepted, _EXAMPLE) from None
    if quantity.dimension not in {None, metric.dimension}:
        raise LimitError(
            f"The limit {text!r} bounds a {_KIND[metric.dimension]} by a {_KIND[quantity.dimension]}.",
            accepted,
            _EXAMPLE,
        )
    if not math.isfinite(quantity.value):
        raise LimitError(f"The limit {text!r} has a bound that is too large.", accepted, _EXAMPLE)
    return quantity.value


_KIND: dict[Dimension | None, str] = {
    "time": "time",
    "rate": "rate",
    "tokens": "number of tokens",
    "count": "count",
    "ratio": "share",
    "bytes": "size",
}


def _write_bound(bound: float, metric: Metric) -> str:
    """The shortest text that reads back as exactly this bound, with its unit where the metric's name is not one."""
    if metric.dimension == "time":
        return _write_time(bound)
    if metric.dimension == "ratio":
        return _write_share(bound)
    unit = UNITS[metric.dimension]
    return f"{_number(bound)} {unit}" if unit and unit != metric.name else _number(bound)


def _write_time(seconds: float) -> str:
    for unit, scale in _TIME_UNITS:
        text = f"{_number(round(seconds / scale, 6))} {unit}"
        if seconds >= scale and parse_quantity(text).value == seconds:
            return text
    return f"{_number(seconds)} s"


def _write_share(share: float) -> str:
    percent = round(share * 100, 9)
    text = f"{_number(percent)} %"
    return text if math.isfinite(percent) and parse_quantity(text).value == share else _number(share)


def _number(value: float) -> str:
    text = repr(value)
    return text.removesuffix(".0")


def _join(subject: object, bounds: object) -> list[str]:
    """The expressions that one entry of a mapping stands for."""
    if not isinstance(subject, str):
        raise _not_limits({subject: bounds})
    if isinstance(bounds, (list, tuple)):
        return [text for bound in bounds for text in _join(subject, bound)]
    if not isinstance(bounds, str) or _BOUND.fullmatch(bounds) is None:
        raise LimitError(
            f"The limit of {subject!r} is {bounds!r}, which is no operator with a bound.",
            "Accepted: one of the operators <, <=, >, >= and a bound.",
            f"Write it as in {{{subject!r}: '<= 30'}}.",
        )
    return [f"{subject} {bounds}"]


def _read_item(item: object) -> Limit:
    if isinstance(item, Limit):
        return item
    if isinstance(item, str):
        return parse_limit(item)
    raise _not_limits(item)


def _not_limits(value: object) -> LimitError:
    return LimitError(
        f"{value!r} is no limit.",
        'Accepted: a text, a list of texts, or a mapping such as {"tok/s": ">= 30", "ttft.p95": "<= 2 s"}.',
        _EXAMPLE,
    )


def _instead(limit: Limit) -> str:
    """A statistic that any number of rounds can decide and that means nearly the same, as the rest of a sentence."""
    quantile = re.fullmatch(r"p(\d+)", limit.statistic)
    if quantile is None:
        return ""
    return f" or {limit.metric}.{'max' if int(quantile[1]) > 50 else 'min'}"  # noqa: PLR2004  # the median


def _why_unknown(limit: Limit, n: int) -> str:
    if n == 0:
        return "no counted round has a value for it"
    return f"{limit.statistic} needs {STATISTICS[limit.statistic].needs} values and {n} counted"
