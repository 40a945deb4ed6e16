"""The comparison with earlier runs in a report: its section, its facts and what is said of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.decide import NOT_AGAIN
from pytest_chimera.gate.expressions import DEFAULT_THRESHOLDS
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import SavedRun, read_case
from pytest_chimera.plugin.extra_info import case_infos
from pytest_chimera.records import BaselinePoint, CommonNoise, SecondLook, Verdict
from pytest_chimera.report import Report, ReportInput, build_report
from pytest_chimera.report.comparison import TITLE
from pytest_chimera.report.document import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pytest_chimera.records import CaseResult

    Make = Callable[..., Report]

FIVE = tuple(BaselinePoint(run=f"{i:04d}", value=40.0, rounds=10) for i in range(1, 6))
HEAD = "Case | Model | Metric | Now | Before | Change | 95 % interval | Runs | Resolves | Verdict"
END = "Worse and better are beyond the threshold and beyond what noise explains."
SKY = "test_sky | gemma3:latest"
TOGETHER = "All cases changed together, their cost by +51.0 %: host or engine, not one of them."
ID = "tests/test_bench.py::test_sky[gemma3:latest]"


def verdict(change: float = -0.07, metric: str = "tok/s", **fields: Any) -> Verdict:
    """A rate that fell from 40 tok/s by 7 %, or a time of 50 ms that changed."""
    before = 40.0 if metric == "tok/s" else 0.05
    known: dict[str, Any] = {
        "case": "", "name": "", "model": "gemma3:latest", "metric": metric, "threshold": 0.05, "outcome": "worse",
        "now": before * (1 + change), "before": before, "ratio": 1 + change, "ratio_low": 1 + change - 0.02,
        "ratio_high": 1 + change + 0.02, "p_value": 0.0034, "margin": 0.0477, "error": 0.0124, "smallest_change": 0.05,
        "rounds": 10, "baseline": FIVE, "comparisons": 4,
    }  # fmt: skip
    return Verdict(**(known | fields))


def unjudged(metric: str = "tok/s", outcome: str = "no baseline", reason: str | None = None) -> Verdict:
    """A verdict without numbers."""
    said = reason or "no earlier run has this case"
    return replace(verdict(metric=metric, outcome=outcome, reason=said), now=None, before=None, ratio=None, baseline=())


@pytest.fixture
def make(created: datetime, result: Callable[..., CaseResult], generation: Callable[..., Any]) -> Make:
    """Makes the report of cases that have these verdicts: case -> verdicts."""

    def report(**cases: tuple[Verdict, ...]) -> Report:
        results = []
        for name, verdicts in cases.items():
            made = result(f"{name}[gemma3:latest]", generations=(generation(), generation()))
            own = (replace(each, case=made.case.id, name=made.case.name) for each in verdicts)
            results.append(replace(made, verdicts=tuple(own)))
        return build_report(ReportInput(results=tuple(results), created=created, suite="s"))

    return report


def said(report: Report) -> list[tuple[str, bool]]:
    """What is found of the comparison: each sentence, and whether it is notable."""
    return [(plain(each.line), each.notable) for each in report.findings if each.kind == "comparison"]


def test_a_report_without_verdicts_has_no_comparison(make: Make) -> None:
    """A run without a gate has no section, no fact and no sentence about a baseline."""
    report = make(test_sky=())
    assert TITLE not in report.sections
    assert said(report) == []
    assert not any("baseline" in source for fact in report.facts for source in fact.sources)


def test_the_section_has_a_row_for_each_verdict(make: Make) -> None:
    """The section stands after the summary: worst first, what could not be judged with its reason."""
    report = make(
        test_sea=(verdict(0.002, "ttft", outcome="same"), verdict(-0.2, "ttft", outcome="better", statistic="p95")),
        test_sky=(verdict(),),
        test_new=(unjudged(), unjudged("e2e", "not comparable", "answers differ in length")),
    )
    assert report.sections[:3] == ("Environment", "Executive Summary", TITLE)
    assert TITLE == "Comparison with the Baseline"
    assert report.section(TITLE).text.splitlines() == [
        HEAD,
        f"{SKY} | tok/s | 37.2 tok/s | 40.0 tok/s | -7.0 % | -9.0 % to -5.0 % | 5 | 5.00 % | worse",
        "test_new | gemma3:latest | e2e |  |  |  |  |  |  | not comparable: answers differ in length",
        "test_new | gemma3:latest | tok/s |  |  |  |  |  |  | no baseline: no earlier run has this case",
        "test_sea | gemma3:latest | ttft.p95 | 40.0 ms | 50.0 ms | -20.0 % | -22.0 % to -18.0 % | 5 | 5.00 % | better",
        "test_sea | gemma3:latest | ttft | 50.1 ms | 50.0 ms | +0.2 % | -1.8 % to +2.2 % | 5 | 5.00 % | same",
        END,
    ]


def test_every_number_has_its_fact(make: Make) -> None:
    """Six numbers of each verdict are facts, with value, n, formula and the runs they come from."""
    report = make(test_sky=(verdict(),), test_new=(unjudged(),))
    facts = report.section(TITLE).facts
    case, base = f"{ID} counted rounds tok/s", "baseline 0001, 0002, 0003, 0004, 0005: tok/s"
    assert [(fact.statistic, fact.value, fact.dimension, fact.n, fact.formula, fact.sources) for fact in facts] == [
        ("median now", pytest.approx(37.2), "rate", 10, "median of the counted rounds", (case,)),
        ("median before", 40.0, "rate", 5, "geometric mean of the medians of the baseline runs", (base,)),
        ("median change", pytest.approx(-0.07), "ratio", 5, "now / before - 1", (case, base)),
        (
            "median change, lower",
            pytest.approx(-0.09),
            "ratio",
            5,
            "lower end of the 95 % interval of the change",
            (case, base),
        ),
        (
            "median change, upper",
            pytest.approx(-0.05),
            "ratio",
            5,
            "upper end of the 95 % interval of the change",
            (case, base),
        ),
        (
            "median resolves, allowed 5 %",
            0.05,
            "ratio",
            5,
            "smallest worsening that these baseline runs can show, not below the threshold",
            (base,),
        ),
    ]
    assert {fact.metric for fact in facts} == {"tok/s"}
    assert {tuple(fact.subject.items()) for fact in facts} == {(("case", ID), ("model", "gemma3:latest"))}


def test_every_number_is_linked_to_its_fact(make: Make) -> None:
    """In the Markdown each number of the section is a link to a fact that stands in the appendix."""
    text = make(test_sky=(verdict(), verdict(0.3, "ttft", statistic="p95"))).markdown
    section = text[text.index(f"## {TITLE}") : text.index("## Performance Analysis")]
    links = re.findall(r"\[[^\[\]]+\]\[(F[0-9a-f]{10})\]", section)
    assert len(links) == len(set(links)) == 12
    for name in links:
        assert f'<a id="{name.lower()}"></a>{name} |' in text
        assert f"[{name}]: #{name.lower()} " in text


def test_two_gates_on_one_metric_have_their_own_facts(make: Make) -> None:
    """Two thresholds on one metric are two rows, each with its own numbers, and no fact stands twice."""
    report = make(test_sky=(verdict(), verdict(threshold=0.2, smallest_change=0.2, outcome="same")))
    assert len({fact.id for fact in report.facts}) == len(report.facts)
    rows = report.section(TITLE).text.splitlines()[1:3]
    assert [row.split(" | ")[-2:] for row in rows] == [["5.00 %", "worse"], ["20.0 %", "same"]]


def test_what_was_found_is_said(make: Make) -> None:
    """Each worse and each better verdict is a sentence with its change, worse ones first, and notable."""
    report = make(
        test_sea=(verdict(-0.2, "ttft", outcome="better"),),
        test_sky=(verdict(0.3, "ttft", statistic="p95"), verdict(outcome="same")),
    )
    assert said(report) == [
        ("Worse than before: ttft.p95 of test_sky on gemma3:latest, +30.0 %.", True),
        ("Better than before: ttft of test_sea on gemma3:latest, -20.0 %.", True),
    ]


def test_a_run_that_is_as_before_is_said_to_be(make: Make) -> None:
    """Where nothing changed one sentence says so; where nothing could be judged it is not claimed."""
    assert said(make(test_sky=(verdict(outcome="same"),))) == [
        ("No comparison with the baseline is worse or better than before.", False)
    ]
    some = ("Some comparisons with the baseline could not be judged; the section on it says why.", True)
    assert said(make(test_sky=(verdict(outcome="same"), unjudged("ttft")))) == [
        ("No comparison with the baseline is worse or better than before.", False),
        some,
    ]
    assert said(make(test_sky=(unjudged(), unjudged("ttft")))) == [some]
    assert said(make(test_sky=(verdict(), unjudged("ttft")))) == [
        ("Worse than before: tok/s of test_sky on gemma3:latest, -7.0 %.", True),
        some,
    ]


def test_a_shift_of_all_cases_is_said(make: Make) -> None:
    """That all cases moved together is a sentence whose two numbers are facts of the session."""
    noise = CommonNoise(comparisons=2, df=4, common=1.0, single=0.5)
    report = make(
        test_sky=(verdict(0.5, "ttft", noise=noise, outcome="same"),),
        test_sea=(verdict(0.52, "ttft", noise=noise, outcome="same"),),
    )
    assert said(report)[1:] == [
        (f"{TOGETHER} Relative to that test_sky[gemma3:latest] ttft moved most, by -0.7 %.", True)
    ]
    facts = [fact for fact in report.facts if fact.metric == "suite_shift"]
    assert [(fact.statistic, fact.value, fact.n, fact.sources) for fact in facts] == [
        ("median change", pytest.approx(0.51, rel=1e-3), 2, (ID, ID.replace("sky", "sea"))),
        ("farthest", pytest.approx(-0.0066, rel=1e-2), 2, (ID, ID.replace("sky", "sea"))),
    ]


def test_remarks_stand_below_the_table(make: Make) -> None:
    """What measuring again said is told with its case, what several share once, runs that were left out at the end."""
    second = SecondLook(value=39.5, ratio=0.9875, confirmed=False, rounds=10)
    shared: dict[str, Any] = {
        "differences": ("Ollama version 0.33.0 instead of 0.32.15",),
        "left_out": ("0007: its own gate failed",),
    }
    report = make(
        test_sky=(verdict(outcome="same", reason=NOT_AGAIN, second=second, **shared),),
        test_sea=(verdict(outcome="same", **shared),),
    )
    assert report.section(TITLE).text.splitlines()[3:] == [
        "test_sky on gemma3:latest: measured again: 39.5 tok/s (-1.2 %), not confirmed",
        "test_sky on gemma3:latest: it was worse at first, and not when it was measured again",
        "differs from the baseline: Ollama version 0.33.0 instead of 0.32.15",
        "left out of the baseline: 0007: its own gate failed",
        END,
    ]


@pytest.mark.parametrize(
    ("fields", "remark"),
    [
        (
            {"differences": ("Ollama version 0.33.0 instead of 0.32.15",)},
            "differs from the baseline: Ollama version 0.33.0 instead of 0.32.15",
        ),
        (
            {"allowance": 0.02, "baseline": FIVE[:1]},
            "1 baseline run cannot show how much runs differ: an allowance of 2 % is assumed",
        ),
    ],
)
def test_what_holds_for_a_single_verdict_is_told_too(make: Make, fields: dict[str, Any], remark: str) -> None:
    """A difference or an assumption of one verdict stands in the section as it does in the terminal."""
    assert remark in make(test_sky=(verdict(**fields),), test_sea=(verdict(),)).section(TITLE).text


def test_a_reason_that_several_share_is_told_in_each_row_only(make: Make) -> None:
    """Why two metrics could not be judged stands in their rows, and not below the table a third time."""
    text = make(test_new=(unjudged(), unjudged("ttft"))).section(TITLE).text
    assert text.count("no earlier run has this case") == 2


def test_what_files_say_does_not_act(make: Make) -> None:
    """Names of runs, differences and reasons are escaped in the Markdown."""
    evil = "<img src=x>|`y`\n## z"
    report = make(
        test_sky=(verdict(differences=(evil,), baseline=(BaselinePoint(run=evil, value=40.0),)),),
        test_sea=(verdict(differences=(evil,), left_out=(f"{evil}: its own gate failed",)),),
        test_new=(unjudged(reason=evil),),
    )
    lines = report.markdown.splitlines()
    assert not any(line.startswith("## z") for line in lines)
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", report.markdown)
    assert "<img" not in re.sub(r"\\<", "", outside)


def test_a_whole_comparison(result: Callable[..., Any], generation: Callable[..., Any], created: datetime) -> None:
    """From results and earlier runs to the section: what the gate said of real rounds is what the report shows."""
    hardware = {"cpu": "Some CPU", "cpu_count": 2}

    def case(step: int) -> CaseResult:
        made: CaseResult = result(generations=tuple(generation(step_ms=step, ttft_ms=5 * step + n) for n in (0, 1, 2)))
        return made

    runs = [
        SavedRun(name=f"{i:04d}", source=f"{i:04d}.json", cases={ID: read_case(case_infos(case(step)), hardware)})
        for i, step in enumerate((100, 101, 99, 102, 100), 1)
    ]
    now = case(107)
    judged = replace(now, verdicts=Gate(Baseline(runs), DEFAULT_THRESHOLDS).judge(read_case(case_infos(now), hardware)))
    report = build_report(ReportInput(results=(judged,), created=created, suite="s"))
    assert report.section(TITLE).text.splitlines() == [
        HEAD,
        f"{SKY} | prefill | 188 tok/s | 200 tok/s | -6.2 % | -9.4 % to -2.9 % | 5 | 5.00 % | worse",
        f"{SKY} | tok/s | 9.35 tok/s | 9.96 tok/s | -6.2 % | -9.4 % to -2.9 % | 5 | 5.00 % | worse",
        f"{SKY} | ttft | 536 ms | 503 ms | +6.6 % | +3.0 % to +10.3 % | 5 | 5.00 % | worse",
        f"{SKY} | e2e |  |  |  |  |  |  | not comparable: answers differ in length",
        END,
    ]
    assert said(report) == [
        ("Worse than before: ttft of test_sky on gemma3:latest, +6.6 %.", True),
        ("Worse than before: prefill of test_sky on gemma3:latest, -6.2 %.", True),
        ("Worse than before: tok/s of test_sky on gemma3:latest, -6.2 %.", True),
        ("Some comparisons with the baseline could not be judged; the section on it says why.", True),
    ]
