"""The share of answers that are as expected, held against earlier runs: by chance, and by what was expected."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.conditions import Conditions
from pytest_chimera.gate.expressions import parse_expression, thresholds
from pytest_chimera.gate.history import History, spread_of_share
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.moderation import moderate
from pytest_chimera.gate.rule import Suite
from pytest_chimera.gate.saved import SavedCase, SavedRun, read_document
from pytest_chimera.gate.series import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import CaseResult, Verdict

ROUNDS = 10
RATIO = "its mean is 0 %, of which there is no ratio"


def result(
    make: Any, good: int, expect: Any = None, *, unmet: str = "contains: 'x' is not in the answer"
) -> CaseResult:
    """A case of ten rounds of which so many are as expected."""
    rounds = [make.generation(unmet=() if number < good else (unmet,)) for number in range(ROUNDS)]
    made: CaseResult = make.result(rounds=rounds, case={"expect": {"contains": ["x"]} if expect is None else expect})
    return made


def verdict(make: Any, history: Sequence[int], good: int) -> Verdict:
    """What is said of a run after saved ones, both by how many answers were as expected."""
    runs = [make.run(f"{number:04d}", result(make, each), day=number) for number, each in enumerate(history, 1)]
    (found,) = make.gate(runs, "accuracy:5%").judge(make.case(result(make, good)))
    return found  # type: ignore[no-any-return]  # the maker is not typed here


def test_the_share_is_recorded_and_read_back(make: Any) -> None:
    """A round is 1 or 0, their mean is what is compared, and what was not met stands beside it by name."""
    run = make.run("0001", result(make, 8))
    (case,) = run.cases.values()
    assert case.series["accuracy"] == Series(metric="accuracy", values=(1.0,) * 8 + (0.0,) * 2, n=10)
    assert case.series["accuracy"].statistic("mean") == 0.8
    assert case.info["expect"] == {"contains": ["x"]}
    assert [each["unmet"] for each in case.info["rounds"]] == [None, *[[]] * 8, ["contains"], ["contains"]]


@pytest.mark.parametrize(
    ("history", "worse", "same"),
    [
        ([10], 5, 6),  # Fisher's exact test has p = 0.016 and 0.043
        ([10, 10], 7, 8),
        ([10] * 3, 3, 4),
        ([10] * 5, 7, 8),
        ([9, 10, 8, 9, 10], 5, 6),
        ([5] * 5, 1, 2),
    ],
)
def test_a_share_is_worse_only_beyond_chance(make: Any, history: list[int], worse: int, same: int) -> None:
    """Equal shares of few rounds do not make the next other one a change; one far below them is."""
    assert [verdict(make, history, good).outcome for good in (worse, same, history[0])] == ["worse", "same", "same"]


def test_a_share_of_nothing_is_not_compared(make: Any) -> None:
    """Of 0 there is no ratio, in this run as in an earlier one, and that is said in words."""
    now, before = verdict(make, [10] * 3, 0), verdict(make, [0, 10, 10], 10)
    assert (now.outcome, now.reason) == ("not comparable", RATIO)
    assert (before.outcome, before.reason) == ("not comparable", f"of 0001: {RATIO}")


def test_the_same_must_have_been_expected(make: Any) -> None:
    """A share of answers that had to meet something else is another thing; times are compared all the same."""
    runs = [make.run("0001", result(make, 10, {"max_words": 5})), make.run("0002", result(make, 10))]
    found = make.gate(runs, "accuracy:5%", "ttft:5%").judge(make.case(result(make, 10)))
    assert [(each.metric, each.outcome, each.reason) for each in found] == [
        ("accuracy", "not comparable", "something else was expected of the answers in 0001"),
        ("ttft", "same", None),
    ]


def test_schemas_are_told_apart_by_their_hash(make: Any) -> None:
    """A schema is saved as a hash and not as its text, and another one is another expectation."""
    one, other = ({"json_schema": {"type": kind}} for kind in ("object", "array"))
    (saved,) = make.run("0001", result(make, 10, one)).cases.values()
    assert saved.info["expect"]["json_schema"].startswith("schema sha256:")
    for now, outcome in ((one, "same"), (other, "not comparable")):
        gate = make.gate([make.run("0001", result(make, 10, one))], "accuracy:5%")
        assert [each.outcome for each in gate.judge(make.case(result(make, 10, now)))] == [outcome]


def test_runs_saved_before_expectations_were_known_are_compared(make: Any) -> None:
    """A row without the new names is of the same case; it has no accuracy, and that is said."""
    document = make.document(result(make, 10))
    for row in document["benchmarks"]:
        info = row["extra_info"]["chimera"]
        for name in ("expect", "persona_hash", "sweep", "point"):
            del info[name]
        for each in info["rounds"]:
            del each["unmet"], each["block"]
            each.get("metrics", {}).pop("accuracy", None)
    old = read_document(document, "0001.json", name="0001")
    found = make.gate([old], "ttft:5%", "accuracy:5%").judge(make.case(result(make, 10)))
    assert [(each.outcome, each.reason) for each in found] == [
        ("same", None),
        ("not enough samples", "0001 has no accuracy of this case"),
    ]


def test_chance_is_never_nothing() -> None:
    """Ten good rounds of ten leave open what the next one is, by half a round."""
    assert spread_of_share(10.0, 10) == pytest.approx((0.5 / 10.5) ** 0.5, rel=1e-12)
    assert spread_of_share(5.0, 10) == pytest.approx(1.0, rel=1e-12)
    assert spread_of_share(0.0, 10) == pytest.approx(21**0.5, rel=1e-12)


def test_shares_say_nothing_of_how_times_scatter() -> None:
    """A comparison of shares changes neither the variance of times nor what is assumed of few runs, nor they it."""
    times = {
        name: History(group="ttft", costs={str(run): cost * scale for run, cost in enumerate((0.0, 0.01, -0.01))})
        for name, scale in (("a", 1.0), ("b", 1.3), ("c", 0.8))
    }
    share = History(group="accuracy", costs={"0": 0.0, "1": 0.5, "2": 0.9}, least=0.005)
    alone, together = moderate(times), moderate({**times, "share": share})
    assert {key: together[key] for key in times} == alone
    assert (together["share"].square, together["share"].prior) == (share.square, None)
    few = History(group="ttft", costs={"0": 0.0, "1": 0.001})
    odd = History(group="accuracy", costs={"0": 0.0, "1": 0.9}, least=0.005)
    spreads = [Suite(each).margins["few"].spread for each in ({"few": few}, {"few": few, "odd": odd})]
    assert spreads[0] == spreads[1] == pytest.approx(0.02, rel=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("runs", [1, 3, 5])
def test_false_alarms_are_rare(share: float, runs: int) -> None:
    """Of 400 runs in which nothing changed, at most two in a hundred are called worse."""
    numbers = random.Random(round(1000 * share) + runs)
    worse = 0
    for _ in range(400):
        *history, now = (_saved([numbers.random() < share for _ in range(ROUNDS)]) for _ in range(runs + 1))
        saved = [SavedRun(name=f"{number}", source="", cases={"t": each}) for number, each in enumerate(history)]
        (found,) = Gate(Baseline(saved), thresholds([parse_expression("accuracy:5%")])).judge(now)
        worse += found.outcome == "worse"
    assert worse <= 8


def _saved(rounds: Sequence[bool]) -> SavedCase:
    series = Series.of("accuracy", [float(each) for each in rounds])
    return SavedCase(id="t", name="t", conditions=Conditions(), series={"accuracy": series}, lengths=(None,))
