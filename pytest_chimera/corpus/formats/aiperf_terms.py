"""What AIPerf's metrics mean, by its own keys; its CSV writes the same names as titles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_chimera.corpus.rows import Term

if TYPE_CHECKING:
    from pytest_chimera.units import Dimension

_UNITS: dict[str, tuple[Dimension, float]] = {
    "ns": ("time", 1e-9), "us": ("time", 1e-6), "ms": ("time", 1e-3), "sec": ("time", 1.0), "tokens": ("tokens", 1.0),
    "tokens/sec": ("rate", 1.0), "tokens/sec/user": ("rate", 1.0), "requests/sec": ("per_second", 1.0),
}  # fmt: skip
_BY_TIME, _BY_BUSY_TIME = "time", "time in which there was any"
_METRICS: dict[str, tuple[str, Dimension, str | None]] = {
    "request_latency": ("e2e", "time", None),
    "time_to_first_token": ("ttft", "time", None),
    "time_to_first_output_token": ("answer", "time", None),
    "time_to_second_token": ("ttst", "time", None),
    "inter_token_latency": ("itl", "time", None),
    "inter_chunk_latency": ("inter_chunk", "time", None),
    "decode_duration": ("eval", "time", None),
    "benchmark_duration": ("duration", "time", None),
    "output_token_throughput_per_user": ("tok/s", "rate", None),
    "e2e_output_token_throughput": ("tok/s_e2e", "rate", None),
    "output_token_throughput": ("output_throughput", "rate", None),
    "input_token_throughput": ("prompt_throughput", "rate", None),
    "total_token_throughput": ("total_throughput", "rate", None),
    "request_throughput": ("request_rate", "per_second", None),
    "goodput": ("goodput", "per_second", None),
    "input_sequence_length": ("prompt_tokens", "tokens", None),
    "output_sequence_length": ("output_tokens", "tokens", None),
    "usage_total_tokens": ("total_tokens", "tokens", None),
    "effective_decode_throughput": ("output_throughput", "rate", _BY_TIME),
    "effective_prefill_throughput": ("prompt_throughput", "rate", _BY_TIME),
    "effective_total_throughput": ("total_throughput", "rate", _BY_TIME),
    "effective_decode_throughput_per_user": ("tok/s", "rate", _BY_TIME),
    "active_decode_throughput": ("output_throughput", "rate", _BY_BUSY_TIME),
    "active_prefill_throughput": ("prompt_throughput", "rate", _BY_BUSY_TIME),
    "active_total_throughput": ("total_throughput", "rate", _BY_BUSY_TIME),
    "active_decode_throughput_per_user": ("tok/s", "rate", _BY_BUSY_TIME),
}
"""Key -> metric, what it measures, and by what it is weighted where it is no distribution of requests."""

_LEFT = (
    (r"http_.*", "not performance", "steps of the HTTP exchange within the times that are kept"),
    (
        r"usage_.*|total_.*|output_token_count",
        "not performance",
        "counts and sums of tokens that are kept by other names",
    ),
    (r"adj_.*|.*_error_adjusted|effective_latency.*", "ambiguous", "failed requests are counted in them"),
    (r".*prefill_throughput_per_user", "ambiguous", "prompt tokens by TTFT, which holds the wait in the queue"),
    (r".*concurrency|tokens_in_flight", "not performance", "the load that the run had"),
    (
        r".*_count|.*_fraction|goodrequestfraction|.*_rate|osl_.*|completed_.*",
        "not performance",
        "counts and shares of requests",
    ),
    (r"credit_to_start_latency", "not performance", "a delay of the tool's own"),
)
_NO_UNIT = "unknown name", "no metric with this unit is known"


def term_of(key: str, unit: object) -> tuple[Term, str | None] | None:
    """(what a metric means, by what it is weighted); None where it is not kept or its unit is not its own."""
    known = _METRICS.get(key)
    written = _UNITS.get(unit) if isinstance(unit, str) else None
    if known is None or written is None or written[0] != known[1]:
        return None
    return Term(known[0], "value", written[1], written[0]), known[2]


def left_out(key: str) -> tuple[str, str]:
    """(kind, why) a metric is not kept."""
    if key not in _METRICS:
        for pattern, kind, why in _LEFT:
            if re.fullmatch(pattern, key[:200]):
                return kind, why
    return _NO_UNIT
