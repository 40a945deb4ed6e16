"""The table of verdicts, whole: for a terminal of any width and for Markdown, worst first, and nothing said twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.gate.decide import NOT_AGAIN
from pytest_chimera.records import OUTCOMES, BaselinePoint, CommonNoise, SecondLook, Verdict
from pytest_chimera.report.verdicts import (
    common_remarks,
    ordered,
    verdict_lines,
    verdict_markdown,
    verdict_rows,
)

quickly = settings(max_examples=30, deadline=None)

FIVE = tuple(BaselinePoint(run=f"{i:04d}", value=40.0, rounds=10) for i in range(1, 6))
MOST = 20
"""Rows of a comment."""
NONE = "no earlier run has this case"


def verdict(name: str = "test_sky[toy]", metric: str = "tok/s", change: float = -0.07, **fields: Any) -> Verdict:
    """A rate that fell from 40 tok/s by 7 %, or a time of 50 ms that changed."""
    before = 40.0 if metric == "tok/s" else 0.05
    known: dict[str, Any] = {
        "case": f"a.py::{name}", "name": name, "model": "toy:latest", "metric": metric, "threshold": 0.05,
        "outcome": "worse", "now": before * (1 + change), "before": before, "ratio": 1 + change,
        "ratio_low": 1 + change - 0.02, "ratio_high": 1 + change + 0.02, "p_value": 0.0034, "margin": 0.0477,
        "error": 0.0124, "smallest_change": 0.05, "rounds": 10, "baseline": FIVE, "comparisons": 4,
    }  # fmt: skip
    return Verdict(**(known | fields))


def unjudged(name: str, metric: str = "tok/s", outcome: str = "no baseline", **fields: Any) -> Verdict:
    """A verdict without numbers."""
    known: dict[str, Any] = {
        "case": f"a.py::{name}", "name": name, "model": "toy:latest", "metric": metric, "threshold": 0.05,
        "outcome": outcome, "reason": NONE,
    }  # fmt: skip
    return Verdict(**(known | fields))


def lines(text: str) -> list[str]:
    """The lines of a table that stands in a test."""
    return text.strip("\n").split("\n")


SESSION = (
    verdict("test_sea[toy]", "ttft", 0.002, outcome="same"),
    verdict(),
    verdict("test_sky[toy]", "ttft", 0.31, statistic="p95"),
    verdict("test_sun[toy]", "ttft", -0.2, outcome="better", reason="only the median is known of 0001"),
    unjudged("test_new[toy]"),
    unjudged("test_new[toy]", "ttft"),
    unjudged("test_newer[toy]"),
    unjudged("test_long[toy]", "e2e", "not comparable", reason="answers differ in length"),
    verdict("test_fog[toy]", "e2e", 0.09, gated=False),
)


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (120, """
case             metric              now      before   change     95 % interval  runs  resolves  verdict
test_sky[toy]    ttft.p95        65.5 ms     50.0 ms  +31.0 %  +29.0 to +33.0 %     5       5 %  worse
test_fog[toy]    e2e             54.5 ms     50.0 ms   +9.0 %   +7.0 to +11.0 %     5       5 %  worse (not gated)
test_sky[toy]    tok/s        37.2 tok/s  40.0 tok/s   -7.0 %    -9.0 to -5.0 %     5       5 %  worse
test_long[toy]   e2e                                                                             not comparable
  answers differ in length
test_new[toy]    tok/s, ttft                                                                     no baseline
test_newer[toy]  tok/s                                                                           no baseline
test_sun[toy]    ttft            40.0 ms     50.0 ms  -20.0 %  -22.0 to -18.0 %     5       5 %  better
  only the median is known of 0001
test_sea[toy]    ttft            50.1 ms     50.0 ms   +0.2 %    -1.8 to +2.2 %     5       5 %  same
no earlier run has this case
"""),
        (100, """
case             metric              now   change     95 % interval  verdict
test_sky[toy]    ttft.p95        65.5 ms  +31.0 %  +29.0 to +33.0 %  worse
test_fog[toy]    e2e             54.5 ms   +9.0 %   +7.0 to +11.0 %  worse (not gated)
test_sky[toy]    tok/s        37.2 tok/s   -7.0 %    -9.0 to -5.0 %  worse
test_long[toy]   e2e                                                 not comparable
  answers differ in length
test_new[toy]    tok/s, ttft                                         no baseline
test_newer[toy]  tok/s                                               no baseline
test_sun[toy]    ttft            40.0 ms  -20.0 %  -22.0 to -18.0 %  better
  only the median is known of 0001
test_sea[toy]    ttft            50.1 ms   +0.2 %    -1.8 to +2.2 %  same
no earlier run has this case
"""),
        (80, """
case             metric        change     95 % interval  verdict
test_sky[toy]    ttft.p95     +31.0 %  +29.0 to +33.0 %  worse
test_fog[toy]    e2e           +9.0 %   +7.0 to +11.0 %  worse (not gated)
test_sky[toy]    tok/s         -7.0 %    -9.0 to -5.0 %  worse
test_long[toy]   e2e                                     not comparable
  answers differ in length
test_new[toy]    tok/s, ttft                             no baseline
test_newer[toy]  tok/s                                   no baseline
test_sun[toy]    ttft         -20.0 %  -22.0 to -18.0 %  better
  only the median is known of 0001
test_sea[toy]    ttft          +0.2 %    -1.8 to +2.2 %  same
no earlier run has this case
"""),
    ],
)  # fmt: skip
def test_the_table_of_a_terminal(width: int, text: str) -> None:
    """Worst first, each row with its numbers, what cannot be judged with its reason; columns go as the width does."""
    assert verdict_lines(SESSION, width) == lines(text)


def test_a_narrow_terminal_gets_a_list() -> None:
    """Where no table fits, each verdict is its case and a sentence of all that it has."""
    assert verdict_lines([verdict(), *SESSION[4:8]], 44) == lines("""
test_sky[toy]
  metric tok/s, now 37.2 tok/s, before 40.0
  tok/s, change -7.0 %, 95 % interval -9.0
  to -5.0 %, runs 5, resolves 5 %, verdict
  worse
test_long[toy]
  metric e2e, verdict not comparable
  answers differ in length
test_new[toy]
  metric tok/s, ttft, verdict no baseline
test_newer[toy]
  metric tok/s, verdict no baseline
no earlier run has this case
""")


def test_the_table_of_a_comment() -> None:
    """The same as Markdown: one table, below it a list of what the cells do not say, and a line break at the end."""
    assert (
        verdict_markdown(SESSION, MOST)
        == """\
| case | metric | now | before | change | 95 % interval | runs | resolves | verdict |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| test_sky\\[toy\\] | ttft.p95 | 65.5 ms | 50.0 ms | +31.0 % | +29.0 to +33.0 % | 5 | 5 % | worse |
| test_fog\\[toy\\] | e2e | 54.5 ms | 50.0 ms | +9.0 % | +7.0 to +11.0 % | 5 | 5 % | worse (not gated) |
| test_sky\\[toy\\] | tok/s | 37.2 tok/s | 40.0 tok/s | -7.0 % | -9.0 to -5.0 % | 5 | 5 % | worse |
| test_long\\[toy\\] | e2e |  |  |  |  |  |  | not comparable |
| test_new\\[toy\\] | tok/s, ttft |  |  |  |  |  |  | no baseline |
| test_newer\\[toy\\] | tok/s |  |  |  |  |  |  | no baseline |
| test_sun\\[toy\\] | ttft | 40.0 ms | 50.0 ms | -20.0 % | -22.0 to -18.0 % | 5 | 5 % | better |
| test_sea\\[toy\\] | ttft | 50.1 ms | 50.0 ms | +0.2 % | -1.8 to +2.2 % | 5 | 5 % | same |

- test_long\\[toy\\]: answers differ in length
- test_sun\\[toy\\]: only the median is known of 0001
- no earlier run has this case
"""
    )
    assert (
        verdict_markdown([verdict()], MOST)
        == """\
| case | metric | now | before | change | 95 % interval | runs | resolves | verdict |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| test_sky\\[toy\\] | tok/s | 37.2 tok/s | 40.0 tok/s | -7.0 % | -9.0 to -5.0 % | 5 | 5 % | worse |
"""
    )


def test_a_comment_has_so_many_rows_and_no_more() -> None:
    """A long table is cut to its worst rows and says how many there are beyond; a short one says nothing."""
    found = [verdict(f"c{i}", "ttft", 0.1 + 0.01 * i) for i in range(5)]
    text = verdict_markdown(found, 2)
    assert text.splitlines()[2:] == [
        "| c4 | ttft | 57.0 ms | 50.0 ms | +14.0 % | +12.0 to +16.0 % | 5 | 5 % | worse |",
        "| c3 | ttft | 56.5 ms | 50.0 ms | +13.0 % | +11.0 to +15.0 % | 5 | 5 % | worse |",
        "",
        "- 3 more comparisons are in the report",
    ]
    assert "more comparisons" not in verdict_markdown(found, 5)


def test_no_verdicts_are_no_table() -> None:
    """A session without a verdict has no line in a terminal."""
    assert verdict_lines([], 80) == []
    assert common_remarks([]) == []
    assert verdict_rows([]) == []


def test_worst_come_first() -> None:
    """Verdicts stand by outcome, worse ones before what could not be judged, then by how far beyond noise they are."""
    found = ordered(
        [
            verdict("same", outcome="same"),
            verdict("better", "ttft", -0.2, outcome="better"),
            unjudged("none"),
            unjudged("few", outcome="not enough samples"),
            unjudged("other", outcome="not comparable"),
            verdict("small", change=-0.06),
            verdict("noisy", change=-0.3, error=0.2),
            verdict("large", "ttft", 0.3),
        ]
    )
    assert [each.name for each in found] == ["large", "small", "noisy", "other", "few", "none", "better", "same"]
    assert [each.outcome for each in found] == sorted((each.outcome for each in found), key=OUTCOMES.index)


def test_what_says_the_same_of_nothing_is_one_row() -> None:
    """Metrics of one case that cannot be judged for one reason are one row, of two reasons or cases they are two."""
    few = {"outcome": "not enough samples", "reason": "p95 needs 20 rounds and 3 counted"}
    rows = verdict_rows(
        [
            unjudged("a", "ttft"),
            unjudged("a", "tok/s"),
            unjudged("a", "e2e", reason="0001: the case was interrupted"),
            unjudged("b", "ttft", statistic="p95", **few),
        ]
    )
    assert [(row.name, row.cells) for row in rows] == [
        ("b", ("ttft.p95", "", "", "", "", "", "", "not enough samples")),
        ("a", ("ttft, tok/s", "", "", "", "", "", "", "no baseline")),
        ("a", ("e2e", "", "", "", "", "", "", "no baseline")),
    ]
    assert (rows[0].notes, rows[2].notes) == (
        ("p95 needs 20 rounds and 3 counted",),
        ("0001: the case was interrupted",),
    )


def test_a_reason_of_one_case_stands_below_its_row() -> None:
    """A reason that several metrics of one case share is that case's: it is told below its row and not at the end."""
    refused = {"outcome": "not comparable", "reason": "it is not the same case: prefix reuse instead of unique"}
    found = [unjudged("a", "ttft"), unjudged("a"), unjudged("b", "ttft", **refused), unjudged("b", **refused)]
    assert verdict_lines(found, 120) == lines("""
case  metric       now  before  change  95 % interval  runs  resolves  verdict
b     ttft, tok/s                                                      not comparable
  it is not the same case: prefix reuse instead of unique
a     ttft, tok/s                                                      no baseline
  no earlier run has this case
""")


def test_metrics_of_one_case_are_one_row_wherever_they_stand() -> None:
    """Two metrics of a case with one reason are one row also where one with another reason stands between them."""
    found = [unjudged("a", "ttft"), unjudged("a", "itl", reason="other"), unjudged("a", "tok/s")]
    assert [row.cells[0] for row in verdict_rows(found)] == ["ttft, tok/s", "itl"]


def test_remarks_of_several_are_said_once() -> None:
    """A difference or an assumption that several verdicts share stands below the table, one of a single one in it."""
    shared = ("Ollama version 0.33.0 instead of 0.32.15",)
    found = [
        verdict("a", differences=shared),
        verdict("b", differences=(*shared, "num_ctx as loaded 256 instead of 512")),
        verdict("c", allowance=0.02, baseline=FIVE[:1]),
    ]
    assert common_remarks(found) == ["differs from the baseline: Ollama version 0.33.0 instead of 0.32.15"]
    assert verdict_lines(found, 120) == lines("""
case  metric         now      before  change   95 % interval  runs  resolves  verdict
a     tok/s   37.2 tok/s  40.0 tok/s  -7.0 %  -9.0 to -5.0 %     5       5 %  worse
b     tok/s   37.2 tok/s  40.0 tok/s  -7.0 %  -9.0 to -5.0 %     5       5 %  worse
  differs from the baseline: num_ctx as loaded 256 instead of 512
c     tok/s   37.2 tok/s  40.0 tok/s  -7.0 %  -9.0 to -5.0 %     1       5 %  worse
  1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed
differs from the baseline: Ollama version 0.33.0 instead of 0.32.15
""")


def test_an_assumption_of_all_is_said_once() -> None:
    """That one run cannot show a spread holds for every case and stands once."""
    found = [verdict(name, allowance=0.02, baseline=FIVE[:1]) for name in "abc"]
    assert common_remarks(found) == ["1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed"]
    assert [row.notes for row in verdict_rows(found)] == [(), (), ()]


def test_a_second_measurement_is_told_with_its_row() -> None:
    """What measuring again said stands below its row, the same text of two rows below both."""
    second = SecondLook(value=39.5, ratio=0.9875, confirmed=False, rounds=10)
    found = [verdict(name, outcome="same", reason=NOT_AGAIN, second=second) for name in "ab"]
    note = ("measured again: 39.5 tok/s (-1.2 %), not confirmed", NOT_AGAIN)
    assert [row.notes for row in verdict_rows(found)] == [note, note]
    assert common_remarks(found) == []


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "left out of the baseline: 0001: its own gate failed"),
        (3, "left out of the baseline: " + "; ".join(f"{i:04d}: its own gate failed" for i in range(1, 4))),
        (5, "left out of the baseline: " + "; ".join(f"{i:04d}: its own gate failed" for i in range(1, 4))
            + "; and 2 more"),
    ],
)  # fmt: skip
def test_runs_that_were_left_out_are_told_once(count: int, text: str) -> None:
    """Runs that were not used are named with their reasons, of more than three their number."""
    left = tuple(f"{i:04d}: its own gate failed" for i in range(1, count + 1))
    assert common_remarks([verdict("a", left_out=left), verdict("b", left_out=left)]) == [text]


def test_a_shift_of_the_suite_is_the_last_line() -> None:
    """That all cases moved together is said below all else, and left to others where it is not wanted."""
    noise = CommonNoise(comparisons=2, df=4, common=1.0, single=0.5)
    found = [
        verdict(name, "ttft", change, noise=noise, differences=("family a instead of b",))
        for name, change in (("a", 0.5), ("b", 0.52))
    ]
    line = (
        "All 2 cases became 51.0 % slower together: host or engine, not one of them; "
        "relative to that a ttft moved most, -0.7 %"
    )
    assert common_remarks(found) == ["differs from the baseline: family a instead of b", line]
    assert common_remarks(found, shift=False) == ["differs from the baseline: family a instead of b"]
    assert verdict_lines(found, 200)[-1] == line


HOSTILE = "test|<b>x</b>\x1b[31m`\n# y"


def test_what_files_say_does_not_act() -> None:
    """Names, reasons, runs and differences are escaped for a terminal and for Markdown."""
    found = [
        verdict(HOSTILE, reason=f"only the median is known of {HOSTILE}"),
        unjudged(HOSTILE, reason=HOSTILE),
        verdict("b", left_out=(f"{HOSTILE}: the case was interrupted",), differences=(f"cpu {HOSTILE} instead of x",)),
    ]
    shown = "test|<b>x</b>\\x1b[31m` # y"
    assert verdict_lines(found, 160) == lines(f"""
{"case".ljust(len(shown))}  metric         now      before  change   95 % interval  runs  resolves  verdict
{shown}  tok/s   37.2 tok/s  40.0 tok/s  -7.0 %  -9.0 to -5.0 %     5       5 %  worse
  only the median is known of {shown}
{"b".ljust(len(shown))}  tok/s   37.2 tok/s  40.0 tok/s  -7.0 %  -9.0 to -5.0 %     5       5 %  worse
  differs from the baseline: cpu {shown} instead of x
{shown}  tok/s                                                                   no baseline
  {shown}
left out of the baseline: {shown}: the case was interrupted
""")
    escaped = r"test\|\<b\>x\</b\>\\x1b\[31m\` \# y"
    assert (
        verdict_markdown(found, MOST)
        == f"""\
| case | metric | now | before | change | 95 % interval | runs | resolves | verdict |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| {escaped} | tok/s | 37.2 tok/s | 40.0 tok/s | -7.0 % | -9.0 to -5.0 % | 5 | 5 % | worse |
| b | tok/s | 37.2 tok/s | 40.0 tok/s | -7.0 % | -9.0 to -5.0 % | 5 | 5 % | worse |
| {escaped} | tok/s |  |  |  |  |  |  | no baseline |

- {escaped}: only the median is known of {escaped}
- b: differs from the baseline: cpu {escaped} instead of x
- {escaped}: {escaped}
- left out of the baseline: {escaped}: the case was interrupted
"""
    )


NAMES = st.text(max_size=30)


@given(st.lists(st.tuples(NAMES, NAMES, st.sampled_from(OUTCOMES)), min_size=1, max_size=4), st.integers(20, 140))
@quickly
def test_any_names_make_a_table(drawn: list[tuple[str, str, Any]], width: int) -> None:
    """Whatever cases and reasons are called, no line acts or is too long, and the Markdown has a row for each."""
    found = [
        unjudged(f"{i}{name}", outcome=outcome, reason=reason)
        if outcome in OUTCOMES[1:4]
        else verdict(f"{i}{name}", outcome=outcome, reason=reason)
        for i, (name, reason, outcome) in enumerate(drawn)
    ]
    shown = verdict_lines(found, width)
    assert all(line.isprintable() or not line.isascii() for line in shown)
    assert all(len(line) <= width for line in shown)
    table = verdict_markdown(found, MOST).split("\n\n")[0].splitlines()
    assert len(table) == 2 + len(found)
    assert all(line.startswith("| ") and line.endswith(" |") for line in table)
