"""Numbers in reports: tables in any state, and values beside their names."""

from __future__ import annotations

from typing import Any

import pytest

ROW = [("ttft", "value", 0.1), ("tok/s", "value", 50.0)]


@pytest.mark.parametrize(
    "text",
    [
        "| TTFT (ms) | Throughput (tok/s) |\n|---|---|\n| 100 | 50 |\n",
        "| TTFT (ms) | Throughput (tok/s) |\r\n|:--|--:|\r\n| 100 | 50 |\r\n",
        "| **TTFT** | `Throughput` |\n| --- | :-: |\n| **100 ms** | `50 tok/s` |\n",
        "TTFT (ms) | Throughput (tok/s) | Note\n---|---|---\n100 | 50 | fine\n",
        "TTFT (ms) | Throughput (tok/s)\n---|---\n100 | 50\n",
        "We measured this: | TTFT (s) | Tok/s |\n|---|---|\n| 0.1 | 50 |\n",
        "Text. | TTFT (s) | Tok/s | |---|---| | 0.1 | 50 |\n",
        "# Report\n\nSome words.\n\n| TTFT (ms) | Throughput (tok/s) |\n|---|---|\n| 100 | 50 |\n\nMore words.\n",
        "| TTFT (ms) | Throughput (tok/s) |\n|---|---|\n| 100 | 50 |\nno row of a table\n",
        "- TTFT: 100 ms\n- Throughput: 50 tok/s\n",
        "* **TTFT:** 100 ms\n* **Throughput**: 50 tok/s\n",
        "1. TTFT (s): 0.1\n2. Tokens/s: 50\n",
        "TTFT: 100 ms | Throughput: 50 tok/s\n",
        "**Mean TTFT (Time to First Token):** 0.1 seconds\n\nTokens per second: 50\n".replace("Mean ", ""),
        "| Metric | Value |\n|---|---|\n| TTFT | 0.1 s |\n| Tokens/s | 50 |\n",
        "\ufeff| TTFT (ms) | Throughput (tok/s) |\n|---|---|\n| 100 | 50 |\n",
    ],
)
def test_every_form(told: Any, text: str) -> None:
    """The same two numbers are read from every form of a report."""
    assert [each[1:] for each in told("report.md", text)] == ROW


def test_claims(corpus_of: Any) -> None:
    """What a report says is a claim, in its line."""
    found = corpus_of("report.md", "# mini:1b\n\n| TTFT (s) |\n|---|\n| 1 |\n\n- Load Time (s): 2\n").measurements
    assert [(each.provenance, str(each.source)) for each in found] == [
        ("claim", "report.md line 5 TTFT (s)"), ("claim", "report.md line 7 Load Time (s)"),
    ]  # fmt: skip


def test_rows_of_a_flattened_table(told: Any) -> None:
    """A table whose line ends were lost has as many rows as its cells make."""
    text = "Text. | Model | TTFT (s) | Tok/s | |---|---|---| | mini:1b | 0.1 | 50 | | mini:2b | 0.2 | 40 |\n"
    assert [each[3] for each in told("report.md", text)] == [0.1, 50.0, 0.2, 40.0]


def test_prose_before_a_glued_header(told: Any) -> None:
    """What stands before a header that is glued to it is read as a line of its own."""
    text = "TTFT: 3 s | Load (s) | Tok/s |\n|---|---|\n| 0.1 | 50 |\n"
    assert [each[1:] for each in told("report.md", text)] == [
        ("ttft", "value", 3.0), ("load", "value", 0.1), ("tok/s", "value", 50.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("| Model | TTFT (s) |\n|---|---|\n| mini:1b | 1 |\n| mini:2b | 2 |\n", ["mini:1b", "mini:2b"]),
        ("# mini:1b\n\nTTFT: 1 s\n\n# mini:2b\n\nTTFT: 2 s\n", ["mini:1b", "mini:2b"]),
        ("# mini:1b\n\n## Metrics\n\nTTFT: 1 s\n\n## More\n\nTTFT: 2 s\n", ["mini:1b", "mini:1b"]),
        ("Model: mini:1b\n\nTTFT: 1 s\n\nTTFT: 2 s\n", ["mini:1b", "mini:1b"]),
        ("| Model | Config | TTFT (s) |\n|---|---|---|\n| mini:1b | a | 1 |\n| | b | 2 |\n", ["mini:1b", "mini:1b"]),
        ("# Report\n\nTTFT: 1 s\n\nTTFT: 2 s\n", [None, None]),
    ],
    ids=["column", "headings", "outer heading", "line", "blank first cell", "none"],
)
def test_models(corpus_of: Any, text: str, models: list[str | None]) -> None:
    """The model of a number is its row's, else that of the nearest heading or line that names one."""
    assert [each.model for each in corpus_of("report.md", text).measurements] == models


def test_sections_and_settings(corpus_of: Any) -> None:
    """A number knows its section, and the settings that stand before it there."""
    text = "# Report\n\n## First\n- num_ctx: 2048\n- TTFT: 1 s\n\n## Second\n- TTFT: 2 s\n"
    first, second = corpus_of("report.md", text).measurements
    assert (first.labels["section"], dict(first.parameters)) == ("First", {"num_ctx": 2048.0})
    assert (second.labels["section"], dict(second.parameters)) == ("Second", {})


def test_time_of_a_report(corpus_of: Any) -> None:
    """The time that a report says it is from is that of its numbers."""
    corpus = corpus_of("report.md", "**Generated:** 2025-10-01 10:00:00\n\nTTFT: 5 s\n")
    assert corpus.artifacts[0].time == corpus.measurements[0].time == "2025-10-01T10:00:00"
    assert corpus.measurements[0].zone == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "```\nTTFT: 5 s\n| TTFT (s) |\n|---|\n| 5 |\n```\nTTFT: 6 s\n",
        "~~~text\nTTFT: 5 s\n~~~\nTTFT: 6 s\n",
        "```\n~~~\nTTFT: 5 s\n```\nTTFT: 6 s\n",
        "````\n```\nTTFT: 5 s\n````\nTTFT: 6 s\n",
        "```inline``` code\nTTFT: 6 s\n",
    ],
)
def test_fences(told: Any, text: str) -> None:
    """Blocks of code hold no measurements, and end where they end."""
    assert [each[3] for each in told("report.md", text)] == [6.0]


def test_notes_that_hold_errors(corpus_of: Any) -> None:
    """A row whose note says an error failed."""
    text = "| TTFT (s) | Notes |\n|---|---|\n| 0.1 | error=timeout after 5 |\n| 0.2 | fine |\n"
    assert [(each.value, each.failure) for each in corpus_of("report.md", text).measurements] == [
        (None, "timeout after 5"), (0.2, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The TTFT was 5 s in the test.\nWe saw 50 tok/s.\n", [("prose", 2)]),
        ("| Tokens |\n|---|\n| 5 |\n", [("ambiguous", 1)]),
        ("| TTFT (s) |\n|---|\n| fast |\n", [("broken", 1)]),
        ("| Weird | TTFT (s) |\n|---|---|\n| 7 | 1 |\n", [("unknown name", 1)]),
        ("| Metric | Value |\n|---|---|\n| Weird | 7 |\n", [("unknown name", 1)]),
        ("Weird: 7 s\n", [("prose", 1)]),
        ("Words without any.\n", []),
        ("", [("empty", 1)]),
    ],
)
def test_what_is_left(left: Any, text: str, expected: list[tuple[str, int]]) -> None:
    """What a report holds and nobody reads is counted."""
    assert [each[1:] for each in left("report.md", text)] == expected


def test_escaped_bars(corpus_of: Any) -> None:
    """An escaped bar belongs to its cell."""
    (only,) = corpus_of("report.md", "| a \\| b | TTFT (s) |\n|:--|--:|\n| x \\| y | 1 |\n").measurements
    assert (only.value, dict(only.labels)) == (1.0, {"a | b": "x | y"})


def test_statistics_and_ratios(told: Any) -> None:
    """Several values in one line, statistics in words, and percentages are read as written."""
    text = "Avg speedup: 1.5x | Avg efficiency: 80 %\n- P95 TTFT: 1.25 s\n- TTFT delta: -5 ms\n- Eval Count: 1,234\n"
    assert [each[1:] for each in told("report.md", text)] == [
        ("speedup", "mean", 1.5), ("efficiency", "mean", 0.8), ("ttft", "p95", 1.25), ("ttft", "delta", -0.005),
        ("output_tokens", "value", 1234.0),
    ]  # fmt: skip
