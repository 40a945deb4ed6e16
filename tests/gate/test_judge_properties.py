"""What holds of verdicts for any rounds: symmetry, units, order, and that more of a change never counts less."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pytest_chimera.errors import BaselineError
from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import SavedRun, read_document
from pytest_chimera.records import OUTCOMES, UNJUDGED

if TYPE_CHECKING:
    from random import Random

    from pytest_chimera.gate.baseline import Member
    from pytest_chimera.records import Verdict

sparingly = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ORDER = ("better", "same", "worse")
MIRROR = {"better": "worse", "same": "same", "worse": "better"}
EXPRESSIONS = ("ttft:5%", "tok/s:3%", "e2e.mean:0%")
NAMES = ("sky", "sea", "sun")
SURE = 1e-7

steps = st.integers(min_value=-900, max_value=900)
"""Of a cost, in thousandths of a tenth: on a grid, so that no spread is lost in the last digits."""
round_steps = st.lists(st.integers(min_value=-300, max_value=300), min_size=3, max_size=5)


@st.composite
def costs(draw: st.DrawFn) -> tuple[float, ...]:
    """The costs of the rounds of one case in one run."""
    level = 1 + 1e-4 * draw(steps)
    return tuple(level * (1 + 1e-4 * each) for each in draw(round_steps))


@st.composite
def sides(draw: st.DrawFn, *, most: int = 3) -> list[dict[str, tuple[float, ...]]]:
    """Runs of one to three cases each: case -> costs of its rounds."""
    names = NAMES[: draw(st.integers(min_value=1, max_value=3))]
    count = draw(st.integers(min_value=1, max_value=most))
    return [{name: draw(costs()) for name in names} for _ in range(count)]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[dict[str, tuple[float, ...]]], list[dict[str, tuple[float, ...]]]]:
    """Two sides of equally many runs of the same cases."""
    base = draw(sides())
    return base, [{name: draw(costs()) for name in base[0]} for _ in base]


def saved(make: Any, prefix: str, runs: list[dict[str, tuple[float, ...]]]) -> list[SavedRun]:
    """Such runs, called `prefix` and their number, as they are read from their files (see `test_saved`)."""
    return [
        SavedRun(
            name=f"{prefix}{i}",
            source=f"{prefix}{i}.json",
            cases={f"test_it.py::{name}": make.case(make.result(1.0, name, rounds=each)) for name, each in run.items()},
        )
        for i, run in enumerate(runs)
    ]


def members(runs: list[SavedRun]) -> dict[str, list[Member]]:
    """Case -> the runs that have it."""
    return {case: [(run, run.cases[case]) for run in runs] for case in runs[0].cases}


def compared(make: Any, base: list[SavedRun], new: list[SavedRun]) -> list[Verdict]:
    """The verdicts on two groups of runs, neither of which is more the history than the other."""
    gate = Gate(Baseline(base), make.gate([], *EXPRESSIONS).expressions, others=members(new))
    return [each for case in new[-1].cases.values() for each in gate.judge(case)]


def judged(make: Any, base: list[SavedRun], new: SavedRun, *expressions: str) -> list[Verdict]:
    """The verdicts on every case of one new run."""
    gate = make.gate(base, *(expressions or EXPRESSIONS))
    return [each for case in new.cases.values() for each in gate.judge(case)]


def clear(verdict: Verdict) -> bool:
    """Whether a verdict does not hang on the last digits of its numbers."""
    if verdict.ratio is None or verdict.margin is None:
        return True
    size = abs(math.log(verdict.ratio))
    allowed = (math.log1p(verdict.threshold), -math.log1p(-verdict.threshold), verdict.margin)
    return all(abs(size - each) > 1e-9 for each in allowed)


def assert_alike(one: Verdict, other: Verdict) -> None:
    """Both say the same; their ratios, intervals and p agree but for rounding."""
    assert (one.case, one.metric, one.statistic, one.rounds) == (
        other.case,
        other.metric,
        other.statistic,
        other.rounds,
    )
    for name in ("ratio", "ratio_low", "ratio_high", "margin", "error", "smallest_change"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=SURE, abs=1e-12), name
    assert one.p_value == pytest.approx(other.p_value, rel=1e-4, abs=1e-12)
    if clear(one) and clear(other):
        assert one.outcome == other.outcome


@given(pairs())
@sparingly
def test_swapping_the_sides_turns_every_verdict_round(make: Any, both: tuple[Any, Any]) -> None:
    """With equally many runs on both sides the one is worse exactly where the other is better, by the inverse ratio."""
    base, new = saved(make, "b", both[0]), saved(make, "n", both[1])
    there, back = compared(make, base, new), compared(make, new, base)
    assert len(there) == len(back) == len(EXPRESSIONS) * len(both[0][0])
    for one, other in zip(there, back, strict=True):
        assert one.ratio is not None
        assert other.ratio == pytest.approx(1 / one.ratio, rel=SURE)
        assert (one.ratio_low, one.ratio_high) == pytest.approx(
            (1 / (other.ratio_high or 0), 1 / (other.ratio_low or 0)), rel=SURE
        )
        assert one.margin == pytest.approx(other.margin, rel=SURE)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-4, abs=1e-12)
        assert (one.now, one.before) == pytest.approx((other.before, other.now), rel=SURE)
        if clear(one):
            assert other.outcome == MIRROR[one.outcome]


def test_swapping_turns_worse_into_better(make: Any) -> None:
    """A slowdown that is found from one side is a gain from the other, of two single runs and of two groups."""
    for count in (1, 2, 5):
        base = saved(make, "b", [{"sky": (1.0, 1.01, 0.99)} for _ in range(count)])
        new = saved(make, "n", [{"sky": (1.3, 1.31, 1.29)} for _ in range(count)])
        assert [each.outcome for each in compared(make, base, new)] == ["worse"] * 3
        assert [each.outcome for each in compared(make, new, base)] == ["better"] * 3
        assert [each.outcome for each in compared(make, base, base)] == ["same"] * 3


@given(sides(), st.data(), st.randoms(use_true_random=False))
@sparingly
def test_the_order_of_rounds_makes_no_difference(make: Any, runs: Any, data: st.DataObject, source: Random) -> None:
    """Verdicts are the same in whichever order rounds were measured, now and before."""
    new = {name: data.draw(costs()) for name in runs[0]}

    def mixed(run: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        return {name: tuple(source.sample(each, len(each))) for name, each in run.items()}

    before = judged(make, saved(make, "b", runs), saved(make, "n", [new])[0])
    after = judged(make, saved(make, "b", [mixed(run) for run in runs]), saved(make, "n", [mixed(new)])[0])
    for one, other in zip(before, after, strict=True):
        assert_alike(one, other)


@given(sides(), st.data(), st.randoms(use_true_random=False))
@sparingly
def test_the_order_of_cases_makes_no_difference(make: Any, runs: Any, data: st.DataObject, source: Random) -> None:
    """Verdicts are the same in whichever order files hold their cases and cases are judged, or alone."""
    new = {name: data.draw(costs()) for name in runs[0]}
    order = source.sample(list(new), len(new))
    base = saved(make, "b", runs)
    before = {(each.case, each.metric): each for each in judged(make, base, saved(make, "n", [new])[0])}
    turned = saved(make, "b", [{name: run[name] for name in order} for run in runs])
    after = judged(make, turned, saved(make, "n", [{name: new[name] for name in order}])[0])
    assert len(after) == len(before)
    for each in after:
        assert_alike(before[each.case, each.metric], each)
    for name in new:
        for each in judged(make, base, saved(make, "n", [{name: new[name]}])[0]):
            assert each == before[each.case, each.metric]


@given(sides(), st.data(), st.sampled_from([2, 3, 7, 1000]))
@sparingly
def test_units_make_no_difference(make: Any, runs: Any, data: st.DataObject, factor: int) -> None:
    """Where every value of a metric is multiplied by one number, ratios, margins and verdicts stay as they are."""
    new = {name: data.draw(costs()) for name in runs[0]}

    def larger(run: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        return {name: tuple(each * factor for each in many) for name, many in run.items()}

    before = judged(make, saved(make, "b", runs), saved(make, "n", [new])[0])
    after = judged(make, saved(make, "b", [larger(run) for run in runs]), saved(make, "n", [larger(new)])[0])
    for one, other in zip(before, after, strict=True):
        assume((one.error or 0) > 1e-6)  # where runs agree to the last nanosecond, the clock's tick is the spread
        assert (one.case, one.metric, one.rounds) == (other.case, other.metric, other.rounds)
        for name in ("ratio", "ratio_low", "ratio_high", "margin", "error", "smallest_change"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-4, abs=1e-7), name
        if abs(abs(math.log(one.ratio or 1)) - (one.margin or 0)) > 1e-5 and clear(one):
            assert one.outcome == other.outcome


@given(sides(most=5), st.data(), st.floats(min_value=1, max_value=3))
@sparingly
def test_a_larger_change_never_weakens_a_verdict(make: Any, runs: Any, data: st.DataObject, factor: float) -> None:
    """A run all of whose rounds are slower by a factor is never judged more kindly, by the same margin."""
    new = {name: data.draw(costs()) for name in runs[0]}
    slower = {name: tuple(each * factor for each in many) for name, many in new.items()}
    base = saved(make, "b", runs)
    fast, slow = (judged(make, base, saved(make, "n", [run])[0]) for run in (new, slower))
    for one, other in zip(fast, slow, strict=True):
        assert ORDER.index(one.outcome) <= ORDER.index(other.outcome)
        assert one.margin == other.margin
        if one.outcome == "worse":
            assert (other.p_value or 0) <= (one.p_value or 0) * (1 + SURE)


@given(sides(most=5), st.data(), st.sampled_from(["ttft", "tok/s", "e2e"]))
@sparingly
def test_a_larger_threshold_never_finds_more(make: Any, runs: Any, data: st.DataObject, metric: str) -> None:
    """What is worse or better by a larger threshold is so by a smaller one, with the same numbers."""
    new = saved(make, "n", [{name: data.draw(costs()) for name in runs[0]}])[0]
    base = saved(make, "b", runs)
    low, high = (judged(make, base, new, f"{metric}:{share}%") for share in (1, 20))
    for one, other in zip(low, high, strict=True):
        assert other.outcome in {"same", one.outcome}
        assert replace(other, threshold=one.threshold, outcome=one.outcome, smallest_change=one.smallest_change) == one


@given(sides(most=5), st.data())
@sparingly
def test_every_verdict_agrees_with_itself(make: Any, runs: Any, data: st.DataObject) -> None:
    """Outcome, ratio, threshold and margin of a verdict say the same, p and interval agree with them."""
    new = saved(make, "n", [{name: data.draw(costs()) for name in runs[0]}])[0]
    for each in judged(make, saved(make, "b", runs), new):
        assert each.outcome not in UNJUDGED
        assert each.ratio is not None
        assert each.margin is not None
        assert each.ratio == pytest.approx((each.now or 0) / (each.before or 1), rel=SURE)
        assert (each.ratio_low or 0) <= each.ratio <= (each.ratio_high or 0)
        assert len(each.baseline) == len(runs)
        assert each.comparisons == len(EXPRESSIONS) * len(runs[0])
        assert (each.allowance is None) is (len(runs) > 2)
        rate = each.metric == "tok/s"
        cost = -math.log(each.ratio) if rate else math.log(each.ratio)
        allowed = -math.log1p(-each.threshold) if rate else math.log1p(each.threshold)
        if clear(each):
            expected = "same" if abs(cost) <= max(allowed, each.margin) else "worse" if cost > 0 else "better"
            assert each.outcome == expected
        if each.outcome != "same":
            assert each.p_value is not None
            assert each.p_value <= 0.01 * (1 + 1e-6)


HUGE = 10**400
JSON = st.sampled_from([HUGE, float("inf"), float("nan"), -1, 0, [], {}, "", None, True]) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every container within a document with each key or index of its own."""
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    return [(document, key) for key in keys] + [found for key in keys for found in places(document[key])]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_whatever_a_file_holds_it_is_refused_or_judged(make: Any, data: st.DataObject) -> None:
    """A file with any JSON in any place is refused by name, or a case is judged against it without a crash."""
    document = [make.document(make.result(rounds=(1.0, 1.1)), bare=data.draw(st.booleans()))]
    document[0]["benchmarks"] = document[0]["benchmarks"][::5]  # ttft and e2e: what differs from row to row
    for _ in range(data.draw(st.integers(1, 2))):
        container, key = data.draw(st.sampled_from(places(document)))
        container[key] = data.draw(JSON)
    try:
        run = read_document(document[0], "the file", name="x")
    except BaselineError as error:
        assert "'the file'" in str(error)  # noqa: PT017  # either is good
        return
    gate = make.gate([run, *make.runs(1.0, 1.1)], "ttft:5%", "e2e:5%", "prefill:5%", "itl.p95:5%")
    verdicts = gate.judge(make.case(make.result(1.2)))
    assert {each.outcome for each in verdicts} <= set(OUTCOMES)
    assert len(verdicts) >= 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("rounds", [{"counted": True, "value": 1.0, "output_tokens": [1], "done_reason": "length"}]), ("engine", [])],
)
def test_a_value_of_another_kind_is_refused_or_judged(make: Any, name: str, value: Any) -> None:
    """A list where a file of ours has a number or a name is refused by name, or judged without a crash."""
    document = make.document(make.result())
    for row in document["benchmarks"]:
        row["extra_info"]["chimera"][name] = value
    try:
        run = read_document(document, "the file", name="x")
    except BaselineError as error:
        assert "'the file'" in str(error)  # noqa: PT017  # either is good
        return
    assert len(make.gate([run], "ttft:5%").judge(make.case(make.result(1.2)))) == 1
