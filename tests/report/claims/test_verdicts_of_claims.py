"""Verdicts of sentences about an invented corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.report.check import Checked

BASELINE = "Baseline (runs.csv)"
SWEEP = "Sweep (sweep.csv)"


@pytest.mark.parametrize(
    ("text", "heading", "verdict"),
    [
        ("toy:a reaches 80.0 tok/s on average", BASELINE, "supported"),
        ("toy:a averages 66.7 tok/s", BASELINE, "contradicted"),
        ("toy:b averages 80.0 tok/s", BASELINE, "contradicted"),
        ("toy:c averages 80.0 tok/s", BASELINE, "misattributed"),
        ("Mean TTFT of toy:a: 0.114 s", BASELINE, "ambiguous"),
        ("Mean TTFT of toy:a: 0.52 s", BASELINE, "supported"),
        ("Mean warm TTFT of toy:a: 114 ms", BASELINE, "supported"),
        ("Mean warm TTFT of toy:a: 0.52 s", BASELINE, "contradicted"),
        ("toy:a stays <= 0.12 s after warm-up (TTFT)", BASELINE, "ambiguous"),
        ("TTFT of toy:a stays <= 0.12 s after warm-up", BASELINE, "ambiguous"),
        ("TTFT of toy:a stays < 0.125 s after warm-up", BASELINE, "supported"),
        ("toy:a is ~56 % faster than toy:b", BASELINE, "supported"),
        ("toy:a is 1.58x faster than toy:b", BASELINE, "ambiguous"),
        ("toy:a is 2x faster than toy:b", BASELINE, "contradicted"),
        ("toy:b is 36 % slower than toy:a", BASELINE, "supported"),
        ("toy:b is 56 % slower than toy:a", BASELINE, "contradicted"),
        ("toy:a is 60 % faster (82.0 vs 51.2 tok/s) than toy:b", BASELINE, "ambiguous"),
        ("toy:a is 60 % faster (82.0 vs 51.2 tok/s)", BASELINE, "ambiguous"),
        ("Peak of toy:a: 82.4 tok/s", SWEEP, "supported"),
        ("Peak of toy:a: 82.4 tok/s", BASELINE, "contradicted"),
        ("Tuning num_ctx yields 15-20 %", SWEEP, "contradicted"),
        ("Tuning num_ctx yields about 1 %", SWEEP, "supported"),
        ("6 runs of toy:a (1 timeout)", BASELINE, "supported"),
        ("6 runs of toy:a", BASELINE, "ambiguous"),
        ("5 runs of toy:a", BASELINE, "supported"),
        ("no run of toy:b failed", BASELINE, "supported"),
        ("no run failed", BASELINE, "contradicted"),
        ("toy:a: latency_ms=80.0 tokens_per_s=0.521", BASELINE, "contradicted"),
        ("toy:a uses 5.3 GB", BASELINE, "unsupported"),
        ("toy:a must exceed 50 tok/s", BASELINE, "not checkable"),
        ("num_ctx=2048, v1.2.3", BASELINE, "not checkable"),
        ("Mean TTFT of toy:b is under 1 s", BASELINE, "supported"),
        ("TTFT of toy:a averages 0.114 s thereafter", BASELINE, "supported"),
        ("toy:a reaches up to 82.4 tok/s", SWEEP, "supported"),
        ("toy:a reaches up to 90.4 tok/s", SWEEP, "contradicted"),
        ("num_ctx=1024 is 0.98 % faster than num_ctx=2048", SWEEP, "supported"),
        ("num_ctx=2048 is 0.98 % faster than num_ctx=1024", SWEEP, "contradicted"),
    ],
)
def test_a_sentence_gets_the_verdict_that_a_careful_reader_gives(
    judge: Callable[..., Checked], text: str, heading: str, verdict: str
) -> None:
    """A sentence about the invented corpus gets the verdict that the data and the rules of reading demand."""
    checked = judge(text, heading)
    assert checked.verdict_of_lines(3) == verdict, [(each.text, each.verdict, each.reason) for each in checked.claims]
