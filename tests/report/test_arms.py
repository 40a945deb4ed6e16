"""Arms of one session in a report: their section, facts and findings, and never as runs before."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.gate.expressions import DEFAULT_THRESHOLDS
from pytest_chimera.gate.paired import compare_arms
from pytest_chimera.records import BaselinePoint, Verdict
from pytest_chimera.report import Report, ReportInput, assert_report, build_report
from pytest_chimera.report.arms import TITLE, among_arms, arm_table
from pytest_chimera.report.comparison import TITLE as BASELINE
from pytest_chimera.report.comparison import with_baseline
from pytest_chimera.report.document import plain
from pytest_chimera.report.sweep_sections import TITLE as SWEEPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from pytest_chimera.records import CaseResult

    Make = Callable[..., Any]
    MakeReport = Callable[..., Report]

ID = "tests/test_bench.py::test_ab[gemma3:latest]"
HEAD = "Arm | Metric | Value | Against | Its value | Change | 95 % interval | Pairs | Resolves | Verdict"
ABOUT = (
    "The arms were measured in one session, side by side, and are compared pair by pair. Worse and better are beyond "
    "the threshold and beyond what noise explains."
)
PAIRS = tuple(BaselinePoint(run=f"a block {number}", value=40.0, rounds=3) for number in range(1, 7))


def verdict(change: float = -0.07, metric: str = "tok/s", **fields: Any) -> Verdict:
    """A rate that is 7 % below the 40 tok/s of arm a, or a time beside its 50 ms."""
    there = 40.0 if metric == "tok/s" else 0.05
    known: dict[str, Any] = {
        "case": "", "name": "", "model": "gemma3:latest", "metric": metric, "threshold": 0.05, "outcome": "worse",
        "now": there * (1 + change), "before": there, "ratio": 1 + change, "ratio_low": 1 + change - 0.02,
        "ratio_high": 1 + change + 0.02, "p_value": 0.0034, "margin": 0.0477, "error": 0.0124, "smallest_change": 0.05,
        "rounds": 18, "baseline": PAIRS, "comparisons": 4, "against": "a",
    }  # fmt: skip
    return Verdict(**(known | fields))


def unjudged(metric: str = "e2e", **fields: Any) -> Verdict:
    """A verdict without numbers."""
    said = {"outcome": "not comparable", "reason": "answers differ in length", **fields}
    return replace(verdict(metric=metric), now=None, before=None, ratio=None, baseline=(), **said)


@pytest.fixture
def make(created: datetime, swept: Make) -> MakeReport:
    """Makes the report on arms with these verdicts: arm -> verdicts."""

    def report(**arms: tuple[Verdict, ...]) -> Report:
        results: list[CaseResult] = []
        for made in swept([{"arm": name} for name in arms], loads=["arm"], noise=0, sweep=ID):
            own = arms[made.case.point["arm"]]
            verdicts = tuple(replace(each, case=made.case.id, name=made.case.name) for each in own)
            results.append(replace(made, verdicts=verdicts))
        return build_report(ReportInput(results=tuple(results), created=created, suite="s"))

    return report


def said(report: Report) -> list[tuple[str, bool]]:
    """What is found of arms: each sentence, and whether it is notable."""
    return [(plain(each.line), each.notable) for each in report.findings if each.kind == "arms"]


def test_the_whole_section(make: MakeReport) -> None:
    """It has the order of rounds, the arms with their numbers, and the verdicts, worst first."""
    report = make(a=(), b=(verdict(), verdict(0.002, "ttft", outcome="same"), unjudged()))
    assert report.sections[:4] == ("Environment", "Executive Summary", TITLE, "Performance Analysis")
    assert report.section(TITLE).text.splitlines() == [
        "test_ab",
        (
            "2 arms: measured in 6 blocks in shuffled order, each of them one load of the model. Each arm with a "
            "counted round is in at least 3 of them."
        ),
        "Arm | Model | Median TTFT | Median tok/s | n | Failed",
        "a | gemma3:latest | 50.0 ms | 100 tok/s | 3 | 0",
        "b | gemma3:latest | 50.0 ms | 100 tok/s | 3 | 0",
        HEAD,
        "b | tok/s | 37.2 tok/s | a | 40.0 tok/s | -7.0 % | -9.0 % to -5.0 % | 6 | 5.00 % | worse",
        "b | e2e |  | a |  |  |  |  |  | not comparable: answers differ in length",
        "b | ttft | 50.1 ms | a | 50.0 ms | +0.2 % | -1.8 % to +2.2 % | 6 | 5.00 % | same",
        ABOUT,
    ]


def test_an_arm_is_no_run_before(make: MakeReport, tmp_path: Path) -> None:
    """Nowhere in the report or its short form is an arm called a baseline, a run or before, and it is no sweep."""
    report = make(a=(), b=(verdict(), unjudged()))
    assert not {BASELINE, SWEEPS} & set(report.sections)
    assert not [fact for fact in report.facts if any("baseline" in source for source in fact.sources)]
    assert not [fact for fact in report.facts if "against" in fact.subject and "before" in fact.statistic]
    for text in (report.section(TITLE).text, report.short(), "\n".join(text for text, _ in said(report))):
        assert not re.search(r"\b(baseline|before|runs?)\b", text.lower().replace("benchmark report", ""))
    checked = assert_report(report.write(tmp_path).json).every_number_has_a_fact().no_empty_sections()
    checked.no_failed_round_in_a_mean().no_questions()


def test_every_number_is_a_fact_of_both_arms(make: MakeReport) -> None:
    """The numbers of a verdict name the cases of both arms, and stand under the arm that it was held against."""
    report = make(a=(), b=(verdict(),))
    here, there = f"{ID} b counted rounds tok/s", f"{ID} a counted rounds tok/s"
    found = [fact for fact in report.facts if "against" in fact.subject]
    assert {fact.subject["against"] for fact in found} == {"a"}
    assert [(fact.statistic, fact.n, fact.formula, fact.sources) for fact in found] == [
        ("median in this arm", 18, "geometric mean of the medians of this arm in the pairs", (here,)),
        ("median in the other arm", 6, "geometric mean of the medians of the other arm in the pairs", (there,)),
        ("median change", 6, "this arm / the other arm - 1", (here, there)),
        ("median change, lower", 6, "lower end of the 95 % interval of the change", (here, there)),
        ("median change, upper", 6, "upper end of the 95 % interval of the change", (here, there)),
        ("median resolves, allowed 5 %", 6, "smallest worsening that these pairs can show, not below the threshold",
         (there,)),
    ]  # fmt: skip


def test_what_is_found(make: MakeReport) -> None:
    """Each arm that is worse or better is a finding, and otherwise that there is none."""
    better = verdict(-0.2, "ttft", outcome="better")
    some = ("Some comparisons of arms could not be judged; the section on them says why.", True)
    assert said(make(a=(), b=(verdict(), better), c=(unjudged(),))) == [
        ("Worse than in a: tok/s of test_ab b, -7.0 %.", True),
        ("Better than in a: ttft of test_ab b, -20.0 %.", True),
        some,
    ]
    assert said(make(a=(), b=(verdict(outcome="same"),))) == [
        ("No arm is worse or better than the one that it was compared with.", False)
    ]
    assert said(make(a=(), b=(unjudged(),))) == [some]
    assert said(make(a=(), b=())) == []


def test_an_arm_held_against_two_has_numbers_for_each(make: MakeReport) -> None:
    """Verdicts on one metric against different arms do not share their facts."""
    report = make(a=(), b=(), c=(verdict(-0.07), verdict(-0.10, against="b")))
    rows = [line for line in report.section(TITLE).text.splitlines() if line.startswith("c | tok/s")]
    assert (
        rows
        == [
            "c | tok/s | 37.2 tok/s | a | 40.0 tok/s | -7.0 % | -9.0 % to -5.0 % | 6 | 5.00 % | worse",
            "c | tok/s | 36.0 tok/s | b | 40.0 tok/s | -10.0 % | -12.0 % to -8.0 % | 6 | 5.00 % | worse",
        ][::-1]
    )


def test_remarks_stand_once(make: MakeReport) -> None:
    """What holds for several metrics of an arm is said once, below the table."""
    few = "only 3 pairs: more of them would show smaller changes"
    report = make(a=(), b=(verdict(reason=few), verdict(0.1, "ttft", reason=few)))
    assert report.section(TITLE).text.splitlines()[-2:] == [f"b: {few}", ABOUT]


def test_both_kinds_of_verdict_stand_apart(make: MakeReport) -> None:
    """A verdict on an arm and one on earlier runs are each in their own section and table."""
    earlier = verdict(against=None)
    report = make(a=(earlier,), b=(verdict(),))
    assert report.sections[2:4] == (BASELINE, TITLE)
    assert report.section(BASELINE).text.count("worse\n") == 1
    assert report.section(TITLE).text.count("| worse") == 1
    verdicts = [each for result in report.given.results for each in result.verdicts]
    assert [each.against for each in with_baseline(verdicts)] == [None]
    assert [each.against for each in among_arms(verdicts)] == ["a"]
    short = report.short()
    assert short.index(f"### {BASELINE}") < short.index(f"### {TITLE}") < short.index("| Case")


def verdicts_of(report: Report) -> list[Verdict]:
    """Every verdict in a report."""
    return [each for result in report.given.results for each in result.verdicts]


def test_the_table_of_a_wide_terminal(make: MakeReport) -> None:
    """A terminal has a row for each verdict, and one for all metrics of an arm that nothing could be said of."""
    verdicts = verdicts_of(make(a=(), b=(verdict(), unjudged(), unjudged("ttft"))))
    assert [re.split(r"  +", line) for line in arm_table(verdicts, 140)] == [
        ["arm", "metric", "value", "against", "its value", "change", "95 % interval", "pairs", "resolves", "verdict"],
        [
            *("test_ab[gemma3:latest] b", "tok/s", "37.2 tok/s", "a", "40.0 tok/s", "-7.0 %", "-9.0 to -5.0 %"),
            *("6", "5 %", "worse"),
        ],
        ["test_ab[gemma3:latest] b", "e2e, ttft", "a", "not comparable"],
        ["", "answers differ in length"],
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_the_table_of_a_narrow_terminal(make: MakeReport, width: int) -> None:
    """At 80 and 40 columns no line is longer, and the verdict is still there."""
    lines = arm_table(verdicts_of(make(a=(), b=(verdict(),))), width)
    assert max(map(len, lines)) <= width
    assert "worse" in " ".join(lines)


def test_what_arms_are_called_does_not_act(make: MakeReport) -> None:
    """Names of arms and reasons are escaped in Markdown and in the terminal."""
    evil = "<img src=x>|`y`\n## z\x1b[31m"
    report = make(**{"a": (), evil: (verdict(against=evil), unjudged(reason=evil))})
    for text in (report.markdown, report.short()):
        assert not any(line.startswith("## z") for line in text.splitlines())
        assert "\x1b" not in text
        outside = re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        assert not re.search(r"(?<!\\)<img", outside)
    assert not any(char in line for line in arm_table(verdicts_of(report), 80) for char in "\x1b\n")


def test_a_whole_comparison(swept: Make, created: datetime) -> None:
    """From rounds to the section: what the gate said of two arms is what the report shows."""
    base, other = swept([{"arm": "a"}, {"arm": "b"}], lambda point: 1.1 if point["arm"] == "b" else 1.0,
                        loads=["arm"], rounds=6, sweep=ID)  # fmt: skip
    judged = compare_arms(base, other, DEFAULT_THRESHOLDS, gated=True, comparisons=4)
    results = (base, replace(other, verdicts=judged))
    report = build_report(ReportInput(results=results, created=created, suite="s"))
    found = {text.split(" | ")[1]: text.split(" | ")[-1] for text in report.section(TITLE).text.splitlines()
             if text.startswith("b | ") and text.count("|") > 7}  # fmt: skip
    assert found == {
        "ttft": "worse",
        "prefill": "worse",
        "tok/s": "worse",
        "e2e": "not comparable: answers differ in length",
    }
    assert_report(report).every_number_has_a_fact()
