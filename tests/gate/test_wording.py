"""Verdicts in words: every sentence whole, in the units of the metric, and nothing of it a bare number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_chimera.gate import wording
from pytest_chimera.gate.decide import NOT_AGAIN
from pytest_chimera.records import BaselinePoint, SecondLook, Verdict

FIVE = tuple(BaselinePoint(run=f"{i:04d}", value=40.0, rounds=10) for i in range(1, 6))


def verdict(**fields: Any) -> Verdict:
    """A rate that fell from 40 to 37.2 tok/s."""
    known: dict[str, Any] = {
        "case": "a.py::test_sky[toy]", "name": "test_sky[toy]", "model": "toy:latest", "metric": "tok/s",
        "threshold": 0.05, "outcome": "worse", "now": 37.2, "before": 40.0, "ratio": 0.93, "ratio_low": 0.913,
        "ratio_high": 0.9512, "p_value": 0.00342, "margin": 0.0477, "error": 0.0124, "smallest_change": 0.05,
        "rounds": 10, "baseline": FIVE, "comparisons": 4,
    }  # fmt: skip
    return Verdict(**(known | fields))


def unjudged(**fields: Any) -> Verdict:
    """A verdict without numbers."""
    known: dict[str, Any] = {
        "case": "a.py::test_sky[toy]", "name": "test_sky[toy]", "model": "toy:latest", "metric": "ttft",
        "threshold": 0.05, "outcome": "no baseline", "reason": "no earlier run has this case",
    }  # fmt: skip
    return Verdict(**(known | fields))


def test_the_headline_says_what_was_found() -> None:
    """Metric, change, both values with their units, and how much each rests on."""
    assert wording.headline(verdict()) == (
        "tok/s is 7.0 % lower than before: 37.2 tok/s now (median of 10 rounds), 40.0 tok/s before (5 runs)"
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"metric": "ttft", "statistic": "p95", "now": 0.0535, "before": 0.05, "ratio": 1.07, "rounds": 20},
            "ttft.p95 is 7.0 % higher than before: 53.5 ms now (p95 of 20 rounds), 50.0 ms before (5 runs)",
        ),
        (
            {"metric": "e2e", "now": 3.3, "before": 3.0, "ratio": 1.1, "rounds": 1, "baseline": FIVE[:1]},
            "e2e is 10.0 % higher than before: 3.30 s now (median of 1 round), 3.00 s before (1 run)",
        ),
        (
            {"metric": "stalls", "now": 3.0, "before": 1.5, "ratio": 2.0},
            "stalls is 100.0 % higher than before: 3 now (median of 10 rounds), 1.5 before (5 runs)",
        ),
        (
            {"ratio": 1.0, "now": 40.0, "outcome": "same"},
            "tok/s is 0.0 % higher than before: 40.0 tok/s now (median of 10 rounds), 40.0 tok/s before (5 runs)",
        ),
    ],
)
def test_headlines_of_other_metrics(fields: dict[str, Any], text: str) -> None:
    """Times, counts, other statistics, one round and one run are said as they are."""
    assert wording.headline(verdict(**fields)) == text


@pytest.mark.parametrize("outcome", ["no baseline", "not enough samples", "not comparable"])
def test_the_headline_of_what_cannot_be_judged(outcome: str) -> None:
    """Where nothing could be judged the outcome and its reason are the sentence."""
    assert wording.headline(unjudged(outcome=outcome, reason="answers differ in length")) == (
        f"ttft cannot be judged: {outcome}: answers differ in length"
    )
    assert wording.headline(unjudged(statistic="p95")) == (
        "ttft.p95 cannot be judged: no baseline: no earlier run has this case"
    )


def test_how_sure_it_is() -> None:
    """Interval, threshold, what noise explains and p stand in one line; noise of a rate is a share of the rate."""
    assert wording.certainty(verdict()) == (
        "95 % interval -8.7 to -4.9 %, allowed 5 %, noise explains up to 4.66 %, p 0.0034 over 4 comparisons"
    )
    assert wording.certainty(verdict(metric="ttft", comparisons=1, p_value=1e-9)) == (
        "95 % interval -8.7 to -4.9 %, allowed 5 %, noise explains up to 4.89 %, p < 0.0001 over 1 comparison"
    )
    assert wording.certainty(unjudged()) == (
        "95 % interval unknown, allowed 5 %, noise explains up to unknown, p unknown over 0 comparisons"
    )


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.913, 0.9512, "-8.7 to -4.9 %"),
        (1.029654615, 1.103197551, "+3.0 to +10.3 %"),
        (0.97, 1.02, "-3.0 to +2.0 %"),
        (0.0, 12.0, "-100.0 to +1100.0 %"),
        (None, 1.1, "unknown"),
        (1.0, None, "unknown"),
    ],
)
def test_an_interval_has_signs(low: float | None, high: float | None, text: str) -> None:
    """Both ends are changes with their sign, and an interval that is not known is said to be unknown."""
    assert wording.interval(verdict(ratio_low=low, ratio_high=high)) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, "unknown"), (0.00342, "0.0034"), (0.0001, "0.0001"), (9.9e-5, "< 0.0001"), (1e-15, "< 0.0001"),
     (0.0, "< 0.0001"), (0.25, "0.25"), (1.0, "1")],
)  # fmt: skip
def test_p_has_two_digits(p: float | None, text: str) -> None:
    """A p-value has two digits, and one that is tiny is only said to be below."""
    assert wording.p_value(verdict(p_value=p)) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "unknown"), (-0.068, "-6.8 %"), (0.002, "+0.2 %"), (0.0, "+0.0 %"), (-0.0, "+0.0 %"), (-4e-5, "+0.0 %"),
        (1.5, "+150.0 %"), (999.0, "+99900.0 %"), (1e9, "+1e+11 %"),
    ],
)  # fmt: skip
def test_a_change_has_a_sign(share: float | None, text: str) -> None:
    """A change is a percentage with its sign, zero has a plus, and what is absurdly large no digits."""
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "unknown"), (0.05, "5 %"), (0.04765284506, "4.77 %"), (0.0, "0 %"), (0.333, "33.3 %"), (1.0, "100 %"),
        (2.0, "200 %"), (0.0004, "0.04 %"),
    ],
)  # fmt: skip
def test_a_size_has_none(share: float | None, text: str) -> None:
    """A threshold, a margin or a smallest change is a percentage of three digits."""
    assert wording.size(share) == text


@pytest.mark.parametrize(("share", "text"), [(12.5, "1250 %"), (104.0, "10400 %")])
def test_a_large_size_is_no_power_of_ten(share: float, text: str) -> None:
    """What a noisy history can show at best may be more than tenfold, and is written as a number that people read."""
    assert wording.size(share) == text


def test_values_have_the_unit_of_the_metric() -> None:
    """A value is printed with the unit of its metric, unknown without one."""
    assert wording.value(verdict(), 37.25) == "37.2 tok/s"
    assert wording.value(verdict(metric="ttft"), 0.0535) == "53.5 ms"
    assert wording.value(verdict(metric="stalls"), 2.0) == "2"
    assert wording.value(verdict(), None) == "unknown"


def test_the_subject_is_the_metric_with_its_statistic() -> None:
    """The median goes without saying."""
    assert wording.subject(verdict()) == "tok/s"
    assert wording.subject(verdict(statistic="p95")) == "tok/s.p95"


def test_a_plain_verdict_needs_no_remark() -> None:
    """Where nothing was assumed, differs or was measured again, nothing more is said."""
    assert wording.remarks(verdict()) == wording.own_remarks(verdict()) == wording.general_remarks(verdict()) == ()
    assert wording.remarks(unjudged()) == (), "its reason is the headline"


@pytest.mark.parametrize(("runs", "text"), [(1, "1 baseline run"), (2, "2 baseline runs")])
def test_an_allowance_is_said(runs: int, text: str) -> None:
    """That a spread was assumed is said, and how large."""
    found = wording.general_remarks(verdict(allowance=0.02, baseline=FIVE[:runs]))
    assert found == (f"{text} cannot show how much runs differ: an allowance of 2 % is assumed",)


def test_differences_are_said_one_by_one() -> None:
    """Each difference to the baseline is a remark of its own, after what was assumed."""
    differences = ("Ollama version 0.33.0 instead of 0.32.15", "GPU driver 590.1 instead of 580.65")
    assert wording.remarks(verdict(differences=differences, allowance=0.05, baseline=FIVE[:1])) == (
        "1 baseline run cannot show how much runs differ: an allowance of 5 % is assumed",
        "differs from the baseline: Ollama version 0.33.0 instead of 0.32.15",
        "differs from the baseline: GPU driver 590.1 instead of 580.65",
    )


@pytest.mark.parametrize(
    ("second", "outcome", "reason", "said"),
    [
        (
            SecondLook(value=37.0, ratio=0.925, confirmed=True, rounds=10),
            "worse",
            None,
            ("measured again: 37.0 tok/s (-7.5 %), confirmed",),
        ),
        (
            SecondLook(value=39.5, ratio=0.9875, confirmed=False, rounds=10),
            "same",
            NOT_AGAIN,
            (
                "measured again: 39.5 tok/s (-1.2 %), not confirmed",
                "it was worse at first, and not when it was measured again",
            ),
        ),
        (
            SecondLook(value=None, ratio=None, confirmed=True, rounds=0),
            "worse",
            "it could not be measured again: no counted round has a value for it",
            ("it could not be measured again: no counted round has a value for it",),
        ),
    ],
)
def test_a_second_measurement_is_said(second: SecondLook, outcome: str, reason: str | None, said: Any) -> None:
    """What measuring again said stands with its value, whether it confirmed or could not be done."""
    assert wording.own_remarks(verdict(second=second, outcome=outcome, reason=reason)) == said


def test_remarks_begin_with_the_verdicts_own() -> None:
    """What holds for this verdict alone comes first, then what may hold for others."""
    one = verdict(reason="only the median is known of 0001", differences=("family a instead of b",))
    assert wording.remarks(one) == (
        "only the median is known of 0001",
        "differs from the baseline: family a instead of b",
    )
    assert wording.remarks(one) == (*wording.own_remarks(one), *wording.general_remarks(one))


def test_plurals() -> None:
    """One is one, nothing and several are many."""
    assert [wording.plural(number, "run") for number in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


def test_a_real_verdict_in_words(make: Any) -> None:
    """The words of a verdict that the gate gave are those of its numbers."""
    gate = make.gate(make.runs(1.0, 1.01, 0.99, 1.02, 1.0), "tok/s:3%", "e2e:3%")
    rate, whole = gate.judge(make.case(make.result(1.07)))
    assert wording.headline(rate) == (
        "tok/s is 6.2 % lower than before: 46.7 tok/s now (median of 3 rounds), 49.8 tok/s before (5 runs)"
    )
    assert wording.headline(whole) == (
        "e2e is 6.6 % higher than before: 321 ms now (median of 3 rounds), 301 ms before (5 runs)"
    )
    alone = make.gate(make.runs(1.0, 1.01, 0.99, 1.02, 1.0), "e2e:3%").judge(make.case(make.result(1.07)))[0]
    assert wording.certainty(alone) == (
        "95 % interval +3.0 to +10.3 %, allowed 3 %, noise explains up to 4.77 %, p 0.0034 over 1 comparison"
    )
    assert wording.remarks(replace(alone, second=None)) == ()
