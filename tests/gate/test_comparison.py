"""One comparison as numbers: what is judged in place of what, the history of its runs, and why there may be none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.gate.comparison import Past, measured, one_length, past_of, per_token
from pytest_chimera.gate.decide import Measured
from pytest_chimera.gate.expressions import parse_expression
from pytest_chimera.gate.history import History, spread_within, variance_of
from pytest_chimera.gate.saved import read_document
from pytest_chimera.gate.series import TooFewError, UnusableError
from pytest_chimera.records import BaselinePoint

if TYPE_CHECKING:
    from pytest_chimera.gate.baseline import Member
    from pytest_chimera.gate.expressions import Threshold

ID = "test_it.py::test_sky[toy]"


def gate(*texts: str) -> list[Any]:
    """Thresholds."""
    return [parse_expression(text) for text in texts]


def threshold(text: str) -> Threshold:
    """One of them."""
    found: Threshold = gate(text)[0]
    return found


def members(make: Any, *results: Any, **written: Any) -> list[Member]:
    """The runs of a history: one for each result, called a, b and so on."""
    found = [make.run(name, each, **written) for name, each in zip("abcdefgh", results, strict=False)]
    return [(run, case) for run in found for case in run.cases.values()]


def refusal(text: str, history: list[Member], others: list[Member] | None = None) -> tuple[type[Exception], str]:
    """The class and the text with which a history is refused."""
    with pytest.raises(UnusableError) as caught:
        past_of(threshold(text), history, others or [])
    return caught.type, str(caught.value)


# Answers of different lengths -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "judged"),
    [
        (["ttft:5%", "tok/s:5%"], ["ttft:5%", "tok/s:5%"]),
        (["e2e:5%"], ["time/token:5%"]),
        (["eval:3%"], ["time/token:3%"]),
        (["total:3%"], ["time/token:3%"]),
        (["e2e:5%", "tok/s:7%"], ["tok/s:7%"]),
        (["time/token:2%", "eval:5%"], ["time/token:2%"]),
        (["ttft:5%", "e2e:5%", "eval:3%", "total:2%"], ["ttft:5%", "time/token:5%"]),
        (["e2e.p95:15%"], ["time/token.p95:15%"]),
        (["e2e.p95:15%", "tok/s:5%"], ["tok/s:5%", "time/token.p95:15%"]),
        (["wait:5%", "load:5%", "prompt_eval:5%"], ["wait:5%", "load:5%", "prompt_eval:5%"]),
        ([], []),
    ],
)
def test_whole_answers_of_different_lengths_are_judged_per_token(given: list[str], judged: list[str]) -> None:
    """What grows with the answer is replaced by the time per token, unless that or tok/s is judged anyway."""
    assert list(map(str, per_token(gate(*given), one_length=False))) == judged
    assert list(map(str, per_token(gate(*given), one_length=True))) == given


def test_answers_of_one_length_are_those_of_every_run(make: Any) -> None:
    """All answers of all runs must have been ended by the same length; one case without any has not one."""
    ten, more = make.case(make.result()), make.case(make.result(generation={"eval_count": 11}))
    stopped = make.case(make.result(generation={"done_reason": "stop"}))
    assert one_length([ten, ten])
    assert not one_length([ten, more])
    assert not one_length([ten, stopped])
    assert not one_length([stopped, stopped])
    assert not one_length([])


# The history ------------------------------------------------------------------------------------------------------


def test_a_history_has_the_costs_of_its_runs(make: Any) -> None:
    """Costs, what the rounds of each run explain, the clock's tick and what is shown come from the files."""
    past = past_of(threshold("ttft:5%"), members(make, make.result(), make.result(1.5, rounds=(1.0, 1.02))))
    within = spread_within([[math.log(0.1 * each) for each in (1, 0.99, 1.01)], [math.log(0.15), math.log(0.153)]])
    assert within is not None
    assert past.within == pytest.approx(within, rel=1e-12)
    assert past.history.costs == pytest.approx({"a": math.log(0.1), "b": math.log(0.1515)}, rel=1e-12)
    assert past.history.rounds_variance == pytest.approx(
        {"a": variance_of("median", 3, within), "b": variance_of("median", 2, within)}, rel=1e-12
    )
    assert past.history.tick == pytest.approx((1e-9 / 0.1 + 1e-9 / 0.1515) / 2, rel=1e-12)
    assert (past.history.group, past.history.others, past.others, past.note) == ("ttft", {}, (), None)
    assert past.points == (
        BaselinePoint(run="a", value=0.1, rounds=3),
        BaselinePoint(run="b", value=pytest.approx(0.1515, rel=1e-12), rounds=2),
    )


def test_a_rate_has_the_cost_of_its_inverse(make: Any) -> None:
    """What is shown of a rate are tokens a second, what is compared is one over them."""
    past = past_of(threshold("tok/s.min:5%"), members(make, make.result()))
    assert past.points == (BaselinePoint(run="a", value=1 / 0.0202, rounds=3),)
    assert past.history.costs == pytest.approx({"a": math.log(0.0202)}, rel=1e-12)
    assert past.history.group == "tok/s.min"


def test_the_other_side_is_a_history_of_its_own(make: Any) -> None:
    """Where two groups are compared, both have costs and points, and the rounds of both say how rounds scatter."""
    base, new = members(make, make.result(rounds=(1.0,))), members(make, make.result(1.2), make.result(1.4))
    past = past_of(threshold("e2e:5%"), base, new)
    assert past.history.costs == pytest.approx({"a": math.log(0.3)}, rel=1e-12)
    assert past.history.others == pytest.approx({"a": math.log(0.36), "b": math.log(0.42)}, rel=1e-12)
    assert past.history.rounds_variance.keys() == {"a"}
    assert past.history.others_variance.keys() == {"a", "b"}
    assert past.others == (
        BaselinePoint(run="a", value=0.36, rounds=3),
        BaselinePoint(run="b", value=0.42, rounds=3),
    )


def test_a_file_of_medians_explains_nothing_and_says_so(make: Any) -> None:
    """Of a file without values per round the median is a cost like any other; how rounds scatter is not known of it."""
    full, bare = members(make, make.result()), members(make, make.result(), make.result(), bare=True, data=False)
    past = past_of(threshold("ttft:5%"), bare)
    assert (past.within, past.history.rounds_variance, past.note) == (None, {}, "only the median is known of a, b")
    assert past.points[0] == BaselinePoint(run="a", value=0.1, rounds=3)
    mixed = past_of(threshold("ttft.mean:5%"), [*full, bare[1]])
    assert (list(mixed.history.rounds_variance), mixed.note) == (["a"], "only the mean is known of b")


def test_a_run_without_the_metric_is_not_in_its_history(make: Any) -> None:
    """Runs with too few rounds for a statistic, or without any value of the metric, are left to others."""
    short, long = make.result(), make.result(rounds=(1.0,) * 20)
    past = past_of(threshold("ttft.p95:5%"), members(make, short, long, short))
    assert list(past.history.costs) == ["b"]
    no_load = make.result(generation={"load_duration_ns": None})
    assert list(past_of(threshold("load:5%"), members(make, no_load, short)).history.costs) == ["b"]


def test_where_no_run_has_enough_the_last_reason_is_told(make: Any) -> None:
    """A history of runs that are all too short has no cost, and the newest says why."""
    history = members(make, make.result(), make.result(rounds=(1.0, 2.0)))
    assert refusal("ttft.p95:5%", history) == (TooFewError, "of b: p95 needs 20 rounds and 2 counted")
    assert refusal("server_ttft:5%", history) == (TooFewError, "of b: no counted round has a value for it")
    bare = members(make, make.result(), bare=True)
    assert refusal("prefill:5%", bare) == (TooFewError, "a has no prefill of this case")


def test_numbers_that_cannot_be_refuse_the_comparison(make: Any) -> None:
    """One run whose clock ran backwards, or in another unit, is not passed over: something is wrong with the files."""
    good, back = make.result(), make.result(generation={"prompt_eval_duration_ns": -5_000_000})
    assert refusal("prompt_eval:5%", members(make, good, back, good)) == (
        UnusableError,
        "of b: its median is -5.00 ms, of which there is no ratio: a clock ran backwards",
    )
    history = members(make, good, good)
    document = make.document(good)
    for row in document["benchmarks"]:
        row["extra_info"]["chimera"]["unit"] = "ms"
    other = read_document(document, "c.json", name="c")
    assert refusal("ttft:5%", [*history, (other, other.cases[ID])]) == (
        UnusableError,
        "of c: it is given in 'ms' and not in 's'",
    )


def test_the_other_side_is_refused_in_the_same_words(make: Any) -> None:
    """What is wrong with a run of the other side is told with its name."""
    history, few = members(make, make.result(rounds=(1.0,) * 20)), members(make, make.result())
    assert refusal("ttft.p95:5%", history, few) == (TooFewError, "of a: p95 needs 20 rounds and 3 counted")


# What is judged ---------------------------------------------------------------------------------------------------


def test_a_case_is_judged_by_its_own_statistic(make: Any) -> None:
    """The statistic of the rounds, its cost and their number are judged."""
    case = make.case(make.result(1.1))
    assert measured(threshold("ttft:5%"), case) == Measured(
        log_cost=pytest.approx(math.log(0.11), rel=1e-12), value=0.11, rounds=3
    )
    rate = measured(threshold("tok/s:5%"), case)
    assert (rate.value, rate.log_cost) == pytest.approx((1 / 0.022, math.log(0.022)), rel=1e-12)


def test_a_group_is_judged_by_its_geometric_mean(make: Any) -> None:
    """Where two groups are compared, the other side's mean of ln costs is judged, by the fewest rounds of a run."""
    new = members(make, make.result(1.0), make.result(1.21, rounds=(1.0, 1.0)))
    for text, value in (("ttft:5%", 0.11), ("tok/s:5%", 50 / 1.1)):
        past = past_of(threshold(text), members(make, make.result()), new)
        found = measured(threshold(text), new[-1][1], past)
        assert found == Measured(
            log_cost=pytest.approx(math.log(value if text.startswith("ttft") else 1 / value), rel=1e-12),
            value=pytest.approx(value, rel=1e-12),
            rounds=2,
        )


def test_what_a_case_does_not_have_is_not_judged(make: Any) -> None:
    """A metric that no counted round has, or too few, is refused without a run's name: it is this run."""
    case = make.case(make.result(rounds=(make.failed(), 1.0)))
    for text, said in (
        ("server_ttft:5%", "no counted round has a value for it"),
        ("ttft.p95:5%", "p95 needs 20 rounds and 1 counted"),
    ):
        with pytest.raises(TooFewError) as caught:
            measured(threshold(text), case)
        assert str(caught.value) == said
    bare = members(make, make.result(), bare=True)[0][1]
    with pytest.raises(TooFewError) as caught:
        measured(threshold("prefill:5%"), bare)
    assert str(caught.value) == "no counted round has a value for it"


def test_a_single_round_needs_a_history_that_shows_a_spread(make: Any) -> None:
    """One round against one or two runs of one round each, or of medians alone, says nothing; more of either does."""
    one, three = make.result(rounds=(1.0,)), make.result()
    ttft, case = threshold("ttft:5%"), make.case(one)
    said = "a single round, and earlier runs whose rounds are not known, say nothing of the spread"
    for history in (members(make, one), members(make, one, one), members(make, three, bare=True, data=False)):
        with pytest.raises(TooFewError) as caught:
            measured(ttft, case, past_of(ttft, history))
        assert str(caught.value) == said
        assert measured(ttft, make.case(three), past_of(ttft, history)).rounds == 3
    assert measured(ttft, case, past_of(ttft, members(make, one, one, one))).rounds == 1
    assert measured(ttft, case, past_of(ttft, members(make, three))).rounds == 1


# Fewer rounds -----------------------------------------------------------------------------------------------------


def past(history: History, within: float | None) -> Past:
    """What the members of a history say, without points."""
    return Past(history=history, points=(), within=within)


def of_rounds(rounds: int) -> Measured:
    """A new run with so many rounds."""
    return Measured(log_cost=0.0, value=1.0, rounds=rounds)


def test_fewer_rounds_now_are_further_variance() -> None:
    """The median of fewer rounds is less sure than those before: by the difference of what rounds explain."""
    before = variance_of("median", 30, 0.02)
    history = History(group="ttft", costs={"a": 0.0, "b": 0.1}, rounds_variance={"a": before, "b": before})
    known = past(history, 0.02)
    five = variance_of("median", 5, 0.02) - before
    assert known.extra_variance(threshold("ttft:5%"), of_rounds(5)) == pytest.approx(five, rel=1e-12)
    assert known.extra_variance(threshold("ttft:5%"), of_rounds(30)) == pytest.approx(0, abs=1e-18)
    assert known.extra_variance(threshold("ttft:5%"), of_rounds(300)) == 0


def test_where_rounds_are_not_known_there_is_no_further_variance() -> None:
    """Without a spread of rounds, in a history of medians alone, or without a round, nothing is added."""
    history = History(group="ttft", costs={"a": 0.0, "b": 0.1}, rounds_variance={"a": 1e-6})
    assert past(history, None).extra_variance(threshold("ttft:5%"), of_rounds(5)) == 0
    assert past(History(group="ttft", costs={"a": 0.0}), 0.02).extra_variance(threshold("ttft:5%"), of_rounds(5)) == 0
    assert past(history, 0.02).extra_variance(threshold("ttft:5%"), of_rounds(0)) == 0
    assert past(history, 0.02).extra_variance(threshold("ttft:5%"), of_rounds(5)) > 0
