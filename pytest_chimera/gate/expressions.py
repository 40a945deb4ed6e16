"""What a gate may say: "tok/s:5%" (not worse than before by more than that), "tok/s >= 40" (must hold).

The second form is a limit, read by `limits`; metrics and statistics have the same names in both. What a threshold is
held against is decided elsewhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_chimera.errors import LimitError, QuantityError
from pytest_chimera.limits import DEFAULT_STATISTIC, Limit, parse_limit, read_subject
from pytest_chimera.metrics import METRICS
from pytest_chimera.units import parse_quantity

_RELATIVE = re.compile(r"\s*([^\s:<>=!≤≥≠]+)\s*:\s*(\S.*?)\s*")
_HAS_OPERATOR = re.compile(r"[<>=!≤≥≠]")
_BOUND_BEGINS = re.compile(r"\s*[<>=!≤≥≠]")
_ENOUGH_DIGITS = 18
"""With 17 significant digits every number is read back as itself."""
_FORM = "Accepted: METRIC[.STATISTIC]:PERCENT, or METRIC[.STATISTIC] OPERATOR BOUND."
_EXAMPLE = "Write it as in 'tok/s:5%', 'ttft.p95:20%' or 'tok/s >= 40'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """By how much a metric may become worse; `str()` of it is read back as the same threshold."""

    metric: str
    """Canonical name, a key of `metrics.METRICS`; one that has a better direction."""
    statistic: str = DEFAULT_STATISTIC
    """A key of `stats.STATISTICS`."""
    share: float
    """0.05 is 5 %; below 1 where more is better."""

    @property
    def subject(self) -> str:
        """What is compared: "tok/s", "ttft.p95"."""
        return self.metric if self.statistic == METRICS[self.metric].statistic else f"{self.metric}.{self.statistic}"

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the metric is an improvement."""
        return METRICS[self.metric].better == "higher"

    @property
    def log_cost(self) -> float:
        """The threshold as a difference of ln cost: ln(1 + share) of a time, -ln(1 - share) of a rate."""
        return -math.log1p(-self.share) if self.higher_is_better else math.log1p(self.share)

    def __str__(self) -> str:
        return f"{self.subject}:{_percentage(self.share)}"


Expression = Threshold | Limit

DEFAULT_THRESHOLDS: tuple[Threshold, ...] = tuple(
    Threshold(metric=name, share=0.05) for name in ("ttft", "prefill", "tok/s", "e2e")
)
"""What is compared where nobody says what: the first token, the prompt, the answer, and all of it."""


def parse_expression(text: str) -> Expression:
    """Read "tok/s:5%", "ttft.p95 : 20 %" or a limit such as "tok/s >= 40".

    Raises LimitError with what is accepted.
    """
    if _HAS_OPERATOR.search(text):
        return parse_limit(text)
    match = _RELATIVE.fullmatch(text)
    if match is None:
        raise LimitError(f"The gate {text!r} cannot be read.", _FORM, _EXAMPLE)
    metric, statistic = read_subject(match[1], text, "gate")
    if metric.better is None:
        gated = ", ".join(each.name for each in METRICS.values() if each.better is not None)
        raise LimitError(
            f"The gate {text!r} names {metric.name}, of which neither more nor less is better.",
            f"Accepted: {gated}.",
            _EXAMPLE,
        )
    return Threshold(metric=metric.name, statistic=statistic, share=_share(match[2], text, metric.better == "higher"))


def parse_gate(value: object) -> tuple[Expression, ...]:
    """Read a gate in any accepted form: one text, a list of texts, or a mapping `{"tok/s": "5%", "ttft": "<= 2 s"}`.

    None and an empty one gate nothing. Raises LimitError.
    """
    if value is None:
        return ()
    if isinstance(value, (str, Threshold, Limit)):
        value = [value]
    if isinstance(value, Mapping):
        value = [text for subject, said in value.items() for text in _join(subject, said)]
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        raise _no_gate(value)
    return tuple(dict.fromkeys(_read_item(item) for item in value))


def thresholds(expressions: Iterable[Expression]) -> tuple[Threshold, ...]:
    """Those that compare with earlier runs."""
    return tuple(each for each in expressions if isinstance(each, Threshold))


def limits(expressions: Iterable[Expression]) -> tuple[Limit, ...]:
    """Those that must hold whatever was before."""
    return tuple(each for each in expressions if isinstance(each, Limit))


def parse_share(text: str) -> float:
    """Read "5%" or "2.5 %" as a share.

    Raises QuantityError.
    """
    quantity = parse_quantity(text)
    if quantity.dimension != "ratio" or not math.isfinite(quantity.value):
        raise QuantityError(f"{text!r} is not a percentage.", "Accepted: a number with %.", "Write it as in '5%'.")
    return quantity.value


def parse_allowance(text: str) -> float:
    """Read the run-to-run spread that is assumed, "2%", as a share. Raises QuantityError."""
    share = parse_share(text)
    if not 0 < share < 1:
        raise QuantityError(f"{text!r} is not usable.", "Accepted: a percentage above 0 and below 100.", "")
    return share


def _percentage(share: float) -> str:
    """The shortest text that is read back as this share."""
    near = share * 100
    beside = [near + step * math.ulp(near) for step in (0, 1, -1, 2, -2)]  # the last digit may be lost on the way back
    texts = [f"{repr(round(each, digits)).removesuffix('.0')}%" for each in beside for digits in range(_ENOUGH_DIGITS)]
    texts += [f"{each!r}%" for each in beside]
    return next((text for text in texts if _reads_as(text, share)), texts[-1])


def _reads_as(text: str, share: float) -> bool:
    try:
        return parse_share(text) == share
    except QuantityError:
        return False


def _share(text: str, expression: str, higher: bool) -> float:
    try:
        share = parse_share(text)
    except QuantityError:
        below = text.lstrip().startswith("-")
        what = f"has a threshold below zero: {text!r}" if below else f"has no readable threshold: {text!r}"
        raise LimitError(
            f"The gate {expression!r} {what}.", "Accepted: a percentage from 0, with its %.", _EXAMPLE
        ) from None
    if higher and share >= 1:
        raise LimitError(
            f"The gate {expression!r} would let a rate become less than nothing.",
            "Accepted where more is better: a percentage from 0 to below 100.",
            _EXAMPLE,
        )
    return share


def _join(subject: object, said: object) -> list[str]:
    """The expressions that one entry of a mapping stands for."""
    if said is None:
        return []
    if isinstance(said, (list, tuple)):
        return [text for each in said for text in _join(subject, each)]
    if not isinstance(said, str):
        raise _no_gate({subject: said})
    return [f"{subject} {said}" if _BOUND_BEGINS.match(said) else f"{subject}:{said}"]


def _read_item(item: object) -> Expression:
    if isinstance(item, (Threshold, Limit)):
        return item
    if isinstance(item, str):
        return parse_expression(item)
    raise _no_gate(item)


def _no_gate(value: object) -> LimitError:
    return LimitError(
        f"{value!r} is no gate.",
        'Accepted: a text, a list of texts, or a mapping such as {"tok/s": "5%", "ttft.p95": "<= 2 s"}; None for none.',
        _EXAMPLE,
    )
