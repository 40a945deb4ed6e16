"""A comparison as tables: whole texts, wide and narrow, in the terminal and as Markdown, whatever the names are."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_chimera.compare.sides import Compared, Sides
from pytest_chimera.compare.table import markdown_text, terminal_lines, title
from pytest_chimera.gate.saved import SavedRun
from pytest_chimera.records import BaselinePoint, SecondLook, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTILE = "a|b `c` *d* <img src=x> [e](http://f) \x1b[31m\x1b]2;g\x07 \u202eh\r\n# i"
SHOWN = "a|b `c` *d* <img src=x> [e](http://f) \\x1b[31m\\x1b]2;g\\x07 \\u202eh # i"
"""The same as a terminal gets it."""


def verdict(**fields: Any) -> Verdict:
    """A verdict of `worse`, 40 against 50 tok/s, with these fields changed."""
    known: dict[str, Any] = {
        "case": "t.py::test_sky[toy]", "name": "test_sky[toy]", "model": "toy:latest", "metric": "tok/s",
        "threshold": 0.05, "outcome": "worse", "now": 40.0, "before": 50.0, "ratio": 0.8, "ratio_low": 0.75,
        "ratio_high": 0.85, "p_value": 0.001, "margin": 0.05, "error": 0.02, "smallest_change": 0.06, "rounds": 5,
        "baseline": (BaselinePoint(run="0001", value=50.0, rounds=5),), "comparisons": 1,
    }  # fmt: skip
    return Verdict(**(known | fields))


def unjudged(outcome: str, reason: str | None, **fields: Any) -> Verdict:
    """A verdict without numbers."""
    known = {"case": "t.py::test_sky[toy]", "name": "test_sky[toy]", "model": "toy:latest", "metric": "tok/s"}
    return Verdict(**(known | {"threshold": 0.05, "outcome": outcome, "reason": reason} | fields))


def compared(
    *verdicts: Verdict, base: Sequence[str] = ("0001",), new: Sequence[str] = ("0002",), notes: Sequence[str] = ()
) -> Compared:
    """What came of runs with these names."""
    both = (tuple(SavedRun(name=name, source="", cases={}) for name in side) for side in (base, new))
    before, now = both
    return Compared(sides=Sides(base=before, new=now), verdicts=verdicts, notes=tuple(notes))


def terminal(found: Compared, width: int, trends: dict[int, str] | None = None) -> str:
    """The lines as they are printed."""
    return "\n".join(terminal_lines(found, trends or {}, width)) + "\n"


def several() -> tuple[Compared, dict[int, str]]:
    """Two metrics, every kind of outcome, a trend, remarks of one and of all."""
    better = verdict(
        name="test_sea[toy]", now=60.0, ratio=1.2, ratio_low=1.15, ratio_high=1.25, outcome="better", allowance=0.02
    )
    worse = verdict(allowance=0.02, differences=("host b instead of a",))
    slower = verdict(
        metric="ttft", statistic="p95", threshold=0.2, now=0.05, before=0.05, ratio=1.0, ratio_low=0.9, ratio_high=1.1,
        outcome="same", second=SecondLook(value=0.051, ratio=1.02, confirmed=False, rounds=5),
        reason="it was worse at first, and not when it was measured again",
    )  # fmt: skip
    gone = unjudged("no baseline", "no earlier run has this case", name="test_new[toy]")
    few = unjudged("not enough samples", "p95 needs 20 rounds and 5 counted", metric="ttft", statistic="p95",
                   threshold=0.2)  # fmt: skip
    found = compared(better, gone, worse, slower, few, base=("0001", "0002"), new=("0003",), notes=["only in: x"])
    return found, {id(worse): "▁▂█  +3.1 % per run, p 0.031"}


WIDE = """\
0003 against 0001, 0002

tok/s (median, higher is better, allowed 5 %)
case           model             base         new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest  50.0 tok/s  40.0 tok/s  0.800  0.750 to 0.850     1       6 %  worse
  differs from the baseline: host b instead of a
  ▁▂█ +3.1 % per run, p 0.031
test_new[toy]  toy:latest                                                                 no baseline
  no earlier run has this case
test_sea[toy]  toy:latest  50.0 tok/s  60.0 tok/s  1.200  1.150 to 1.250     1       6 %  better

ttft.p95 (p95, lower is better, allowed 20 %)
case           model          base      new  ratio   95 % interval  runs  resolves  verdict
test_sky[toy]  toy:latest                                                           not enough samples
  p95 needs 20 rounds and 5 counted
test_sky[toy]  toy:latest  50.0 ms  50.0 ms  1.000  0.900 to 1.100     1       6 %  same
  measured again: 51.0 ms (+2.0 %), not confirmed
  it was worse at first, and not when it was measured again

1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed
only in: x
"""
NARROW = """\
0003 against 0001, 0002

tok/s (median, higher is better, allowed 5 %)
case                 base         new  ratio   95 % interval  verdict
test_sky[toy]  50.0 tok/s  40.0 tok/s  0.800  0.750 to 0.850  worse
  differs from the baseline: host b instead of a
  ▁▂█ +3.1 % per run, p 0.031
test_new[toy]                                                 no baseline
  no earlier run has this case
test_sea[toy]  50.0 tok/s  60.0 tok/s  1.200  1.150 to 1.250  better

ttft.p95 (p95, lower is better, allowed 20 %)
case              base      new  ratio   95 % interval  verdict
test_sky[toy]                                           not enough samples
  p95 needs 20 rounds and 5 counted
test_sky[toy]  50.0 ms  50.0 ms  1.000  0.900 to 1.100  same
  measured again: 51.0 ms (+2.0 %), not confirmed
  it was worse at first, and not when it was measured again

1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed
only in: x
"""
NARROWER = """\
0003 against 0001, 0002

tok/s (median, higher is better, allowed 5 %)
case           ratio   95 % interval  verdict
test_sky[toy]  0.800  0.750 to 0.850  worse
  differs from the baseline: host b instead of a
  ▁▂█ +3.1 % per run, p 0.031
test_new[toy]                         no baseline
  no earlier run has this case
test_sea[toy]  1.200  1.150 to 1.250  better

ttft.p95 (p95, lower is better, allowed 20 %)
case           ratio   95 % interval  verdict
test_sky[toy]                         not enough samples
  p95 needs 20 rounds and 5 counted
test_sky[toy]  1.000  0.900 to 1.100  same
  measured again: 51.0 ms (+2.0 %), not confirmed
  it was worse at first, and not when it was measured again

1 baseline run cannot show how much runs differ: an
allowance of 2 % is assumed
only in: x
"""
LISTED = """\
0003 against 0001, 0002

tok/s (median, higher is better, allowed 5 %)
test_sky[toy]
  model toy:latest, base 50.0 tok/s, new
  40.0 tok/s, ratio 0.800, 95 % interval
  0.750 to 0.850, runs 1, resolves 6 %,
  verdict worse
  differs from the baseline: host b
  instead of a
  ▁▂█ +3.1 % per run, p 0.031
test_new[toy]
  model toy:latest, verdict no baseline
  no earlier run has this case
test_sea[toy]
  model toy:latest, base 50.0 tok/s, new
  60.0 tok/s, ratio 1.200, 95 % interval
  1.150 to 1.250, runs 1, resolves 6 %,
  verdict better

ttft.p95 (p95, lower is better, allowed 20 %)
test_sky[toy]
  model toy:latest, verdict not enough
  samples
  p95 needs 20 rounds and 5 counted
test_sky[toy]
  model toy:latest, base 50.0 ms, new
  50.0 ms, ratio 1.000, 95 % interval
  0.900 to 1.100, runs 1, resolves 6 %,
  verdict same
  measured again: 51.0 ms (+2.0 %), not
  confirmed
  it was worse at first, and not when it
  was measured again

1 baseline run cannot show how much runs
differ: an allowance of 2 % is assumed
only in: x
"""
MARKDOWN = """\
### 0003 against 0001, 0002

**tok/s (median, higher is better, allowed 5 %)**

| case | model | base | new | ratio | 95 % interval | runs | resolves | verdict |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| test_sky\\[toy\\] | toy:latest | 50.0 tok/s | 40.0 tok/s | 0.800 | 0.750 to 0.850 | 1 | 6 % | worse |
| test_new\\[toy\\] | toy:latest |  |  |  |  |  |  | no baseline |
| test_sea\\[toy\\] | toy:latest | 50.0 tok/s | 60.0 tok/s | 1.200 | 1.150 to 1.250 | 1 | 6 % | better |

- test_sky\\[toy\\]: differs from the baseline: host b instead of a
- test_sky\\[toy\\]: ▁▂█ +3.1 % per run, p 0.031
- test_new\\[toy\\]: no earlier run has this case

**ttft.p95 (p95, lower is better, allowed 20 %)**

| case | model | base | new | ratio | 95 % interval | runs | resolves | verdict |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| test_sky\\[toy\\] | toy:latest |  |  |  |  |  |  | not enough samples |
| test_sky\\[toy\\] | toy:latest | 50.0 ms | 50.0 ms | 1.000 | 0.900 to 1.100 | 1 | 6 % | same |

- test_sky\\[toy\\]: p95 needs 20 rounds and 5 counted
- test_sky\\[toy\\]: measured again: 51.0 ms (+2.0 %), not confirmed
- test_sky\\[toy\\]: it was worse at first, and not when it was measured again

- 1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed
- only in: x
"""


@pytest.mark.parametrize(("width", "text"), [(120, WIDE), (80, NARROW), (60, NARROWER), (40, LISTED)])
def test_tables_are_fitted_to_the_terminal(width: int, text: str) -> None:
    """A table per metric, worst first, with all columns, with fewer, or as a list where nothing else fits."""
    found, trends = several()
    assert terminal(found, width, trends) == text


def test_markdown_has_every_column() -> None:
    """As Markdown the same tables stand whole, notes of a row and remarks of all as lists below."""
    found, trends = several()
    assert markdown_text(found, trends) == MARKDOWN


def test_what_holds_for_several_is_said_once() -> None:
    """A remark or reason of more than one verdict stands below the tables and not with each of them."""
    gone = [unjudged("no baseline", "no earlier run has this case", name=name) for name in ("a", "b")]
    far = [verdict(name=name, outcome="same", differences=("host b instead of a",)) for name in ("c", "d")]
    left = verdict(name="e", outcome="same", left_out=("0001: its own gate failed",))
    assert terminal(compared(*gone, *far, left), 120).splitlines()[3:] == [
        "case  model             base         new  ratio   95 % interval  runs  resolves  verdict",
        "a     toy:latest                                                                 no baseline",
        "b     toy:latest                                                                 no baseline",
        "c     toy:latest  50.0 tok/s  40.0 tok/s  0.800  0.750 to 0.850     1       6 %  same",
        "d     toy:latest  50.0 tok/s  40.0 tok/s  0.800  0.750 to 0.850     1       6 %  same",
        "e     toy:latest  50.0 tok/s  40.0 tok/s  0.800  0.750 to 0.850     1       6 %  same",
        "",
        "no earlier run has this case",
        "differs from the baseline: host b instead of a",
        "left out of the baseline: 0001: its own gate failed",
    ]


def test_each_threshold_of_a_metric_has_its_table() -> None:
    """Tables follow the order in which metrics were asked for; another statistic or threshold is another table."""
    found = compared(
        verdict(metric="ttft", threshold=0.2),
        verdict(threshold=0.3),
        verdict(metric="ttft", threshold=0.2, name="b"),
        verdict(),
        verdict(metric="stalls", statistic="max", threshold=1.0),
    )
    assert [line for line in terminal(found, 120).splitlines() if "allowed" in line] == [
        "ttft (median, lower is better, allowed 20 %)",
        "tok/s (median, higher is better, allowed 30 %)",
        "tok/s (median, higher is better, allowed 5 %)",
        "stalls.max (max, lower is better, allowed 100 %)",
    ]


@pytest.mark.parametrize(
    ("new", "base", "text"),
    [
        (["b"], ["a"], "b against a"),
        (["c", "d"], ["a", "b"], "c, d against a, b"),
        (["d", "e", "f"], ["a", "b", "c"], "d to f (3 runs) against a to c (3 runs)"),
    ],
)
def test_a_title_names_the_runs(new: list[str], base: list[str], text: str) -> None:
    """One or two runs by name, more by the first and the last of them."""
    assert title(compared(base=base, new=new)) == text


def test_a_comparison_of_nothing_is_its_title_and_its_notes() -> None:
    """Without a verdict there is no table."""
    found = compared(notes=["3 rows are no cases"])
    assert terminal(found, 80) == "0002 against 0001\n\n3 rows are no cases\n"
    assert markdown_text(found, {}) == "### 0002 against 0001\n\n- 3 rows are no cases\n"
    assert terminal(compared(), 80) == "0002 against 0001\n"


def hostile() -> tuple[Compared, dict[int, str]]:
    """A comparison in which everything that comes from files is meant to do harm."""
    first = verdict(name=HOSTILE, model=HOSTILE, differences=(HOSTILE,))
    second = unjudged("not comparable", HOSTILE, name=HOSTILE)
    found = compared(first, second, base=(HOSTILE,), new=("-x", "1. y", "0003"), notes=[HOSTILE])
    return found, {id(first): HOSTILE}


def test_hostile_names_are_shown_in_the_terminal() -> None:
    """Escape sequences, bidirectional marks and line breaks of names, reasons and runs are written out."""
    found, trends = hostile()
    name = "a|b `c` *d* <img src=x> [e](…[31m\\x1b]2;g\\x07 \\u202eh # i"
    assert terminal(found, 120, trends).splitlines() == [
        f"-x to 0003 (3 runs) against {SHOWN}",
        "",
        "tok/s (median, higher is better, allowed 5 %)",
        f"case{' ' * 61}base         new  ratio   95 % interval  verdict",
        f"{name}  50.0 tok/s  40.0 tok/s  0.800  0.750 to 0.850  worse",
        f"  differs from the baseline: {SHOWN}",
        f"  {SHOWN}",
        f"{name}{' ' * 49}not comparable",
        f"  {SHOWN}",
        "",
        SHOWN,
    ]


def test_hostile_names_are_text_in_markdown() -> None:
    """A reader of Markdown finds a table with the cells that it was given, and nothing in them that is active."""
    found, trends = hostile()
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown_text(found, trends))
    texts = [_text(token.children) for token in tokens if token.type == "inline"]
    heads = ["case", "model", "base", "new", "ratio", "95 % interval", "runs", "resolves", "verdict"]
    numbers = ["50.0 tok/s", "40.0 tok/s", "0.800", "0.750 to 0.850", "1", "6 %", "worse"]
    assert texts == [
        f"-x to 0003 (3 runs) against {SHOWN}",
        "tok/s (median, higher is better, allowed 5 %)",
        *heads,
        *(SHOWN, SHOWN, *numbers),
        *(SHOWN, "toy:latest", *[""] * 6, "not comparable"),
        f"{SHOWN}: differs from the baseline: {SHOWN}",
        f"{SHOWN}: {SHOWN}",
        f"{SHOWN}: {SHOWN}",
        SHOWN,
    ]
    assert {token.type for token in tokens if token.type.endswith("_open")} == {
        "heading_open", "paragraph_open", "table_open", "thead_open", "tbody_open", "tr_open", "th_open", "td_open",
        "bullet_list_open", "list_item_open",
    }  # fmt: skip


def _text(children: Sequence[Any] | None) -> str:
    """What a line says; nothing in it may be more than text, but for the bold heads that are ours."""
    kinds = {child.type for child in children or ()} - {"text", "strong_open", "strong_close"}
    assert not kinds
    return "".join(child.content for child in children or ())


anything = st.text(st.characters(), max_size=30)


@given(st.lists(st.tuples(anything, anything, anything), min_size=1, max_size=3), anything, st.integers(20, 140))
@settings(max_examples=60, deadline=None)
def test_whatever_the_names_nothing_acts(rows: list[tuple[str, str, str]], run: str, width: int) -> None:
    """No text of a file puts a control character, a bidirectional mark or a further row into either form."""
    verdicts = [verdict(name=name, model=model, reason=reason) for name, model, reason in rows]
    found = compared(*verdicts, base=(run,), notes=(run,))
    shown, written = terminal(found, width), markdown_text(found, {})
    for char in (shown + written).replace("\n", ""):
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    tables = [token.type for token in MarkdownIt("commonmark").enable("table").parse(written)]
    assert tables.count("td_open") == 9 * len(rows)
    assert tables.count("html_block") == tables.count("fence") == 0


@given(st.lists(st.text("abc[]-", min_size=1, max_size=90), min_size=1, max_size=3), st.integers(20, 140))
@settings(max_examples=60, deadline=None)
def test_rows_and_notes_keep_to_the_width(names: list[str], width: int) -> None:
    """Below the heads of the tables no line is wider than the terminal, however long the names are."""
    found = compared(*(verdict(name=name, reason="so it is " * 9) for name in names))
    lines = terminal(found, width).splitlines()
    assert all(len(line) <= width for line in lines if "against" not in line and "is better" not in line)
