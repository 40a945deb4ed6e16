"""The one table of metrics: names, units, direction, formula, and how each is read from a Generation.

Limits, the gate, the command line, tables, saved rows and the report all look names up here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_chimera.errors import LimitError, nearest
from pytest_chimera.stats import Statistic
from pytest_chimera.units import NS_PER_S, Dimension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_chimera.records import CaseResult, Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One thing that is measured in every round."""

    name: str
    """Canonical name, as in "tok/s >= 30"."""
    attribute: str
    """Python name, as in `run.tok_s`."""
    title: str
    """For the heads of tables."""
    dimension: Dimension
    better: Literal["lower", "higher"] | None
    """Which direction is an improvement; None when neither is."""
    seen_by: Literal["client", "server"]
    formula: str
    read: Callable[[Generation], tuple[float, ...]]
    """Values of one round in the SI unit: one or none, several where a round has many (ITL)."""
    row: bool = False
    """Whether it becomes a row of pytest-benchmark."""
    pooled: bool = False
    """Whether one round has many values, so that n is not bound by the number of rounds."""
    statistic: str = "median"
    """What is meant where an expression names no statistic."""
    yes_or_no: bool = False
    """Whether a round is 1 or 0, so that only the share of them says anything."""
    whole_answer: bool = False
    """Whether it grows with the length of the answer, so that it can be compared only between answers of one length."""
    aliases: tuple[str, ...] = ()


def _one(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value,)


def _ns(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value / NS_PER_S,)


_TABLE: tuple[Metric, ...] = (
    Metric(
        name="ttft", attribute="ttft", title="TTFT", dimension="time", better="lower", seen_by="client", row=True,
        formula="arrival of the first chunk with output - request sent",
        read=lambda g: _ns(g.client_ttft_ns), aliases=("client_ttft",),
    ),
    Metric(
        name="answer", attribute="answer", title="first answer token", dimension="time", better="lower",
        seen_by="client", formula="arrival of the first chunk with content or a tool call - request sent",
        read=lambda g: _ns(g.client_answer_ns), aliases=("time_to_answer",),
    ),
    Metric(
        name="prompt_eval", attribute="prompt_eval", title="prompt eval", dimension="time", better="lower",
        seen_by="server", row=True, formula="prompt_eval_duration",
        read=lambda g: _ns(g.prompt_eval_duration_ns),
    ),
    Metric(
        name="prefill", attribute="prefill", title="prefill", dimension="rate", better="higher", seen_by="server",
        formula="uncached prompt tokens / prompt_eval_duration",
        read=lambda g: _one(g.prefill_tokens_per_s), aliases=("prefill_tok/s",),
    ),
    Metric(
        name="eval", attribute="eval", title="eval", dimension="time", better="lower", seen_by="server", row=True,
        formula="eval_duration", whole_answer=True, read=lambda g: _ns(g.eval_duration_ns),
    ),
    Metric(
        name="tok/s", attribute="tok_s", title="tok/s", dimension="rate", better="higher", seen_by="server",
        formula="eval_count / eval_duration", read=lambda g: _one(g.decode_tokens_per_s),
        aliases=("tok_s", "decode", "throughput"),
    ),
    Metric(
        name="steps/s", attribute="steps_s", title="steps/s", dimension="rate", better="higher", seen_by="server",
        formula="(eval_count - 1) / eval_duration", read=lambda g: _one(g.decode_steps_per_s), aliases=("steps_s",),
    ),
    Metric(
        name="time/token", attribute="time_per_token", title="time/token", dimension="time", better="lower",
        seen_by="server", row=True, formula="eval_duration / eval_count",
        read=lambda g: _ns(g.tpot_ns), aliases=("tpot", "time_per_token"),
    ),
    Metric(
        name="itl", attribute="itl", title="ITL", dimension="time", better="lower", seen_by="client",
        formula="gaps between successive chunks with output, of all counted rounds together",
        read=lambda g: tuple(gap / NS_PER_S for gap in g.itl_ns), pooled=True,
    ),
    Metric(
        name="load", attribute="load", title="load", dimension="time", better="lower", seen_by="server", row=True,
        formula="load_duration", read=lambda g: _ns(g.load_duration_ns),
    ),
    Metric(
        name="wait", attribute="wait", title="wait", dimension="time", better="lower", seen_by="server",
        formula="total_duration - load_duration - prompt_eval_duration - eval_duration",
        read=lambda g: _ns(g.wait_ns),
    ),
    Metric(
        name="total", attribute="total", title="total", dimension="time", better="lower", seen_by="server",
        formula="total_duration", whole_answer=True, read=lambda g: _ns(g.total_duration_ns),
    ),
    Metric(
        name="e2e", attribute="e2e", title="E2E", dimension="time", better="lower", seen_by="client", row=True,
        formula="arrival of the final chunk - request sent", whole_answer=True, read=lambda g: _ns(g.client_e2e_ns),
    ),
    Metric(
        name="server_ttft", attribute="server_ttft", title="server TTFT", dimension="time", better="lower",
        seen_by="server", formula="created_at of the first chunk with output - request sent, on one machine",
        read=lambda g: _ns(g.server_ttft_ns),
    ),
    Metric(
        name="transport", attribute="transport", title="transport", dimension="time", better="lower",
        seen_by="client", formula="arrival - created_at of the first chunk with output, on one machine",
        read=lambda g: _ns(g.transport_ns),
    ),
    Metric(
        name="stalls", attribute="stalls", title="stalls", dimension="count", better="lower", seen_by="client",
        formula="gaps above 10 x the median gap and above 100 ms", read=lambda g: _one(g.stalls),
    ),
    Metric(
        name="prompt_tokens", attribute="prompt_tokens", title="prompt tokens", dimension="tokens", better=None,
        seen_by="server", formula="prompt_eval_count", read=lambda g: _one(g.prompt_eval_count),
    ),
    Metric(
        name="output_tokens", attribute="output_tokens", title="output tokens", dimension="tokens", better=None,
        seen_by="server", formula="eval_count", read=lambda g: _one(g.eval_count), aliases=("tokens",),
    ),
    Metric(
        name="groundedness", attribute="groundedness", title="groundedness", dimension="ratio", better="higher",
        seen_by="client", formula="numeric claims of the answer that facts support / its numeric claims",
        read=lambda g: _one(g.groundedness),
    ),
    Metric(
        name="accuracy", attribute="accuracy", title="accuracy", dimension="ratio", better="higher", statistic="mean",
        yes_or_no=True, seen_by="client", formula="counted rounds whose answer is as expected / counted rounds",
        read=lambda g: () if g.unmet is None else (float(not g.unmet),), aliases=("expect", "held"),
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.name: metric for metric in _TABLE}
"""Canonical name -> metric, in the order in which tables show them."""

ROW_METRICS: tuple[Metric, ...] = tuple(metric for metric in _TABLE if metric.row)
"""The metrics that become rows of pytest-benchmark: times, one value per round."""

_BY_ANY_NAME = {name: metric for metric in _TABLE for name in (metric.name, *metric.aliases)}


def find_metric(name: str) -> Metric:
    """The metric called `name`, by its canonical name or an alias.

    Raises LimitError with the known names.
    """
    found = _BY_ANY_NAME.get(name)
    if found is None:
        raise LimitError(
            f"{name!r} is not a metric.",
            f"Known metrics: {', '.join(METRICS)}.",
            nearest(name, _BY_ANY_NAME),
        )
    return found


def statistic(metric: Metric, generations: Iterable[Generation]) -> Statistic:
    """The values of `metric` over `generations`, which are expected to be the ones that count."""
    return Statistic(tuple(value for each in generations for value in metric.read(each)), metric.dimension)


def result_statistic(metric: Metric, result: CaseResult) -> Statistic:
    """The values of `metric` over the counted rounds of a case."""
    return statistic(metric, (each.generation for each in result.counted))
