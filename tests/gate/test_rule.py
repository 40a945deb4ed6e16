"""The decision rule: written-down numbers, edge cases, and a second implementation of it with numpy and scipy."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.distributions import normal_quantile, t_upper_quantile, trigamma
from pytest_chimera.gate import rule
from pytest_chimera.gate.history import History, variance_of
from pytest_chimera.gate.moderation import moderate
from pytest_chimera.gate.rule import ALLOWANCE, ALPHA, Margin, Suite, SuiteNoise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

EXACT = 1e-9
Z = 2.3263478740408408
"""The normal's quantile for one per cent."""

B_ROWS = ((100, 101, 99, 102, 100), (50, 50.4, 49.8, 50.9, 50.3), (200, 203, 197, 202, 201), (10, 10.05, 9.96, 10.1, 10.02))  # fmt: skip  # noqa: E501  # one table
C_ROWS = ((100, 101, 99), (50, 53, 49), (200, 200.5, 199))


def runs(costs: Iterable[float | None]) -> dict[str, float]:
    """Run -> ln cost; a None leaves the run out."""
    return {f"run {number}": math.log(cost) for number, cost in enumerate(costs) if cost is not None}


def history(*costs: float | None, group: str = "e2e", tick: float = 0.0, new: Iterable[float] = ()) -> History:
    """A comparison whose base runs cost this much, and the other side's `new`."""
    return History(group=group, costs=runs(costs), tick=tick, others=runs(new))


def suite(*rows: Iterable[float | None], tick: float = 0.0) -> Suite:
    """A suite with one comparison per row of costs, numbered from 0."""
    return Suite({number: history(*row, tick=tick) for number, row in enumerate(rows)})


def margins(judged: Suite, alpha: float = ALPHA) -> list[float]:
    """Every margin, in the order of the comparisons."""
    return [each.at(alpha) for each in judged.margins.values()]


def close(*values: float) -> Any:
    """Numbers that ours must agree with."""
    return pytest.approx(list(values), rel=EXACT)


def test_one_case_with_five_runs_is_the_written_example() -> None:
    """A single case has the plain prediction interval: every number of example A of the notes."""
    (margin,) = suite((100, 101, 99, 102, 100)).margins.values()
    difference = math.log(107) - margin.centre
    low, high = margin.interval(difference)
    assert [margin.centre, margin.spread, margin.at(), difference] == close(
        4.60911071, 0.01134155763, 0.04655227631, 0.06371812401
    )
    assert [margin.at() / margin.error, math.exp(difference), math.exp(low), math.exp(high)] == close(
        3.746947388, 1.065791935, 1.029654615, 1.103197551
    )
    assert [margin.p_value(difference), 100 * math.expm1(margin.at())] == close(0.003422552034, 4.765284506)
    assert (margin.runs, margin.comparisons, margin.own_df) == (5, 1, 4)
    assert (margin.suite, margin.allowance, margin.extra) == (None, None, 0)


def test_four_cases_with_five_runs_are_the_written_example() -> None:
    """Spreads, common share, quantiles, margins, interval and p of example B of the notes are found."""
    judged = suite(*B_ROWS)
    first, noise = judged.margins[0], judged.noise
    assert noise is not None
    assert [each.square for each in judged.moderated.values()] == close(
        9.942134348e-05, 8.471576015e-05, 1.004313555e-04, 7.417080017e-05
    )
    assert [each.spread**2 for each in judged.margins.values()] == close(
        9.942134348e-05, 8.471576015e-05, 1.004313555e-04, 7.417080017e-05
    )
    assert [each.prior for each in judged.moderated.values()] == close(*[8.968481483e-05] * 4)
    assert [prior_df(judged, each) for each in judged.histories] == close(12, 12, 12, 12)
    assert [each.df for each in judged.margins.values()] == close(12, 12, 12, 12)
    assert [noise.common, noise.single, noise.share] == close(3.325179625, 0.1620542618, 0.8511836893)
    assert (noise.comparisons, noise.runs) == (4, 5)
    assert margins(judged) == close(0.04332872637, 0.0399961525, 0.04354825645, 0.03742420571)
    assert parts(first) == close(3.428444242, 3.746947388, 0.9981488825, 3.966847332)
    difference = math.log(107) - first.centre
    low, high = first.interval(difference)
    assert [(high - difference) / first.error, math.exp(low), math.exp(high)] == close(
        2.69591163, 1.034865494, 1.097642598
    )
    assert first.p_value(difference) == pytest.approx(0.0022714936, abs=5e-11)


def test_three_cases_with_three_runs_are_the_written_example() -> None:
    """Unequal spreads give a weak prior: every number of example C of the notes, and nothing exceeds its margin."""
    judged = suite(*C_ROWS)
    first, noise = judged.margins[0], judged.noise
    assert noise is not None
    assert [prior_df(judged, each) for each in judged.histories] == close(*[1.129643821] * 3)
    assert trigamma(prior_df(judged, 0) / 2) == pytest.approx(4.018450965, rel=EXACT)
    assert [each.prior for each in judged.moderated.values()] == close(*[7.938367726e-05] * 3)
    assert [each.df for each in judged.margins.values()] == close(*[3.129643821] * 3)
    assert noise.share == pytest.approx(0.882141113, rel=EXACT)
    qe, _, _, q = parts(first)
    assert [qe, q] == close(6.440403359, 7.10126748)
    assert margins(judged) == close(0.07889050673, 0.2706699027, 0.05054704018)
    differences = [
        math.log(new) - each.centre for new, each in zip((107, 60, 203), judged.margins.values(), strict=True)
    ]
    assert differences == pytest.approx([0.0676919835, 0.1696328232, 0.0157271664], abs=5e-11)
    assert all(one < margin for one, margin in zip(differences, margins(judged), strict=True))
    assert all(each.p_value(one) > ALPHA for one, each in zip(differences, judged.margins.values(), strict=True))


def prior_df(judged: Suite, key: object) -> float:
    """The degrees of freedom of the prior, from where between it and the case the moderated variance lies."""
    own, found = judged.histories[key], judged.moderated[key]
    assert found.prior is not None
    return own.df * (found.square - own.square) / (found.prior - found.square)


def parts(margin: Margin) -> list[float]:
    """The quantiles of the notes: qe for a case's own noise, qb for the common one, a and the whole q."""
    qe = replace(margin, suite=None).at() / margin.error
    qb = replace(margin, comparisons=1).at() / margin.error
    return [qe, qb, rule._typical_largest(margin.comparisons), margin.at() / margin.error]


def rounds_of_ten(*costs: float, within: float = 0.01) -> History:
    """A comparison whose runs had ten rounds each."""
    known = runs(costs)
    return History(group="e2e", costs=known, rounds_variance=dict.fromkeys(known, variance_of("median", 10, within)))


def test_one_run_has_the_written_margins() -> None:
    """With one run the allowance and the rounds make the margin: the first numbers of example D of the notes."""
    alone = Suite({0: rounds_of_ten(100)})
    many = Suite({number: rounds_of_ten(100) for number in range(20)})
    assert margins(alone) == close(0.06707857499)
    assert margins(many) == close(*[0.09487998187] * 20)
    assert alone.margins[0].allowance == ALLOWANCE == 0.02
    assert alone.noise is many.noise is None


def test_two_runs_have_the_written_margin() -> None:
    """Two runs that differ by more than the allowance say so themselves: the last number of example D of the notes."""
    assert margins(suite((100, 104))) == close(0.07901704349)


def test_the_allowance_is_what_the_caller_assumes() -> None:
    """A larger allowance widens the margins of few runs in proportion and is named; three runs do not use it."""
    few: dict[object, History] = {0: history(100), 1: history(50)}
    wide = Suite(few, allowance=0.05)
    assert margins(wide) == pytest.approx([2.5 * each for each in margins(Suite(few))], rel=1e-12)
    assert [each.allowance for each in wide.margins.values()] == [0.05, 0.05]
    enough: dict[object, History] = {0: history(100, 101, 99), 1: history(50, 53, 49)}
    assert margins(Suite(enough, allowance=0.05)) == margins(Suite(enough))


def test_an_allowance_has_normal_quantiles() -> None:
    """With few runs margin, interval and p-value are those of a normal with the assumed error, the margin corrected."""
    margin = Suite({number: history(100) for number in range(8)}).margins[3]
    error = 0.02 * math.sqrt(2)
    assert margin.error == pytest.approx(error, rel=1e-12)
    assert margin.at(0.08) == pytest.approx(Z * error, rel=1e-12)
    assert margin.interval(0.1) == pytest.approx((0.1 - 1.959963985 * error, 0.1 + 1.959963985 * error), rel=EXACT)
    assert margin.p_value(-Z * error) == pytest.approx(0.08, rel=EXACT)
    assert margin.p_value(0) == 1


def test_fewer_rounds_now_than_before_widen_the_margin() -> None:
    """What the new rounds leave open beyond those of the history is added to the variance, and more rounds add none."""
    judged: dict[object, History] = {number: rounds_of_ten(*row) for number, row in enumerate(B_ROWS)}
    margin = Suite(judged).margins[0]
    before, now = variance_of("median", 10, 0.01), variance_of("median", 3, 0.01)
    fewer = replace(margin, extra=judged[0].more_than_before(now))
    factor = margin.at() / math.sqrt(1.2 * margin.spread**2)
    assert fewer.at() == pytest.approx(factor * math.sqrt(1.2 * margin.spread**2 + now - before), rel=1e-12)
    assert fewer.at() > margin.at()
    assert judged[0].more_than_before(variance_of("median", 30, 0.01)) == 0
    assert Suite({0: rounds_of_ten(*B_ROWS[0])}).margins[0].at() == suite(B_ROWS[0]).margins[0].at()


def test_equal_runs_leave_the_tick_alone_to_decide() -> None:
    """Where no run differs from another, the margin is that of a clock that rounds to its tick."""
    square = 0.01**2 / 12
    (alone,) = margins(suite((1, 1, 1, 1, 1), tick=0.01))
    assert alone == pytest.approx(t_upper_quantile(0.01, 4) * math.sqrt(1.2 * square), rel=1e-12)
    together = margins(suite(*[(1, 1, 1, 1, 1)] * 4, tick=0.01))
    assert together == pytest.approx([t_upper_quantile(0.0025, 12) * math.sqrt(1.2 * square)] * 4, rel=1e-12)


@pytest.mark.parametrize("comparisons", [1, 4])
def test_equal_runs_on_a_perfect_clock_make_every_change_certain(comparisons: int) -> None:
    """Without any spread and without a tick the margin is 0, and so is the p-value of any change but none."""
    for margin in suite(*[(1, 1, 1, 1, 1)] * comparisons).margins.values():
        assert margin.at() == 0
        assert margin.interval(0.5) == (0.5, 0.5)
        assert [margin.p_value(each) for each in (1e-12, -1e-12, 0)] == [0, 0, 1]


def test_a_case_without_spread_gets_a_share_of_the_suites() -> None:
    """One case whose runs agree by chance counts as having a 1e-5th of the suite's typical variance, or its tick's."""
    rows = [*B_ROWS, (1, 1, 1, 1, 1)]
    squares = sorted(history(*row).square for row in B_ROWS)
    typical = (squares[1] + squares[2]) / 2
    expected = [*[history(*row).square for row in B_ROWS], 1e-5 * typical]
    assert _own_squares(suite(*rows)) == pytest.approx(expected, rel=1e-6)
    with_tick: dict[object, History] = {number: history(*row) for number, row in enumerate(B_ROWS)}
    with_tick[4] = history(1, 1, 1, 1, 1, tick=1e-3)
    assert _own_squares(Suite(with_tick)) == pytest.approx([*expected[:4], 1e-6 / 12], rel=1e-6)


def _own_squares(judged: Suite) -> list[float]:
    """The variances before moderation, solved for from those after it."""
    ratio = prior_df(judged, 0) / 4
    return [each.square * (1 + ratio) - (each.prior or 0.0) * ratio for each in judged.moderated.values()]


def test_cases_that_say_the_same_are_one_event() -> None:
    """Cases with the same deviations, as a time and the rate made of it, have one t test for them all: nothing is left
    to chance between them, whichever way their last bits were rounded.
    """
    source = random.Random(9)
    for _ in range(200):
        count = source.choice([3, 4, 5, 6, 10])
        seconds = [source.randrange(10**9, 2 * 10**9) / 1e9 for _ in range(count)]
        judged = Suite(
            {
                "time/token": History(group="time/token", costs=runs(each / 128 for each in seconds)),
                "tok/s": History(
                    group="tok/s", costs={run: -ln for run, ln in runs(128 / each for each in seconds).items()}
                ),
            }
        )
        assert judged.noise is not None
        assert 1 - 1e-9 < judged.noise.share <= 1
        for margin in judged.margins.values():
            assert margin.at() == pytest.approx(t_upper_quantile(0.01, count - 1) * margin.error, rel=1e-6)
            low, high = margin.interval(0.0)
            assert high == -low == pytest.approx(t_upper_quantile(0.025, count - 1) * margin.error, rel=1e-6)
            assert margin.p_value(margin.at(0.003)) == pytest.approx(0.003, rel=1e-6)


def test_three_identical_rows_are_judged() -> None:
    """Rows whose mean squares leave less than nothing after rounding are judged as one event, as any identical rows."""
    row = (1.483725041, 1.475233068, 1.501846545, 1.502307845, 1.488698965, 1.511335954)
    judged = suite(row, row, row)
    assert margins(judged) == pytest.approx([t_upper_quantile(0.01, 5) * judged.margins[0].error] * 3, rel=1e-6)


def test_the_common_share_runs_from_none_to_all() -> None:
    """With the whole variance common a suite has one t test; with none, each case has its Bonferroni part."""
    margin = suite(*B_ROWS).margins[0]
    whole = replace(margin, suite=SuiteNoise(comparisons=4, runs=5, common=3.0, single=0.0))
    none = replace(margin, suite=SuiteNoise(comparisons=4, runs=5, common=0.0, single=0.0))
    assert whole.suite is not None
    assert none.suite is not None
    assert (whole.suite.share, none.suite.share) == (1, 0)
    assert whole.at() == pytest.approx(t_upper_quantile(0.01, 4) * margin.error, rel=1e-12)
    assert none.at() == pytest.approx(t_upper_quantile(0.0025, 12) * margin.error, rel=1e-12)
    assert whole.interval(0.0)[1] == pytest.approx(t_upper_quantile(0.025, 4) * margin.error, rel=1e-12)
    assert none.interval(0.0)[1] == pytest.approx(t_upper_quantile(0.025, 12) * margin.error, rel=1e-12)


@pytest.mark.parametrize("comparisons", [2, 4, 9, 25])
def test_the_common_share_is_small_where_runs_have_nothing_in_common(comparisons: int) -> None:
    """A common mean square no larger than a case's own leaves the share C^-3/2, and a larger one more."""
    noise = SuiteNoise(comparisons=comparisons, runs=5, common=0.7, single=0.7)
    assert noise.share == pytest.approx(comparisons**-1.5, rel=1e-12)
    assert noise.share < replace(noise, common=0.8).share < replace(noise, common=80).share < 1


def test_runs_with_nothing_in_common_are_not_credited_with_less() -> None:
    """Cases that move against one another, so that their mean stands still, count as independent and not as more."""
    judged = suite((100, 101, 99, 102, 98), (100, 99, 101, 98, 102))
    assert judged.noise is not None
    assert judged.noise.common == judged.noise.single > 0
    assert judged.noise.share == pytest.approx(2**-1.5, rel=1e-12)


@pytest.mark.parametrize("rows", [B_ROWS[:1], B_ROWS, C_ROWS])
@pytest.mark.parametrize("alpha", [1e-12, 1e-4, 0.0022714936, 0.01, 0.05, 0.3])
def test_the_p_value_is_the_alpha_of_the_margin(rows: Sequence[Sequence[float]], alpha: float) -> None:
    """A difference as large as the margin for an alpha has that alpha as its p-value, in either direction."""
    for margin in suite(*rows).margins.values():
        for shape in (
            margin,
            replace(margin, suite=None),
            replace(margin, allowance=0.02),
            replace(margin, extra=1e-4),
        ):
            assert shape.p_value(shape.at(alpha)) == pytest.approx(alpha, rel=EXACT)
            assert shape.p_value(-shape.at(alpha)) == pytest.approx(alpha, rel=EXACT)


@pytest.mark.parametrize("factor", [1e-12, 1e-9, 1e-6, 1, 1e3])
def test_the_p_value_does_not_depend_on_how_large_the_noise_is(factor: float) -> None:
    """A difference so many errors large has one p-value, however quiet the machine: also where ticks alone are left."""
    margin = suite(*B_ROWS).margins[0]
    scaled = replace(margin, spread=margin.spread * factor)
    assert scaled.p_value(factor * math.log(1.07)) == pytest.approx(margin.p_value(math.log(1.07)), rel=EXACT)


def test_the_p_value_has_ends() -> None:
    """No difference is no evidence at all; one far beyond any noise has a p-value that is small and still positive."""
    for margin in (suite(*B_ROWS).margins[0], replace(suite(*B_ROWS).margins[0], suite=None)):
        assert margin.p_value(0) == 1
        assert 0 < margin.p_value(1e3) <= 1e-12


def test_two_runs_of_the_other_side_count_as_runs() -> None:
    """Where two groups of runs are compared, both show their spread and the error of a difference of means shrinks."""
    (margin,) = Suite({0: history(100, 101, 99, new=(107, 105))}).margins.values()
    within = history(100, 101, 99).square * 2 + history(107, 105).square
    assert margin.own_df == 3
    assert margin.centre == pytest.approx(math.log(100 * 101 * 99) / 3, rel=1e-12)
    assert margin.error == pytest.approx(math.sqrt(within / 3 * (1 / 3 + 1 / 2)), rel=1e-12)
    assert margin.at() == pytest.approx(t_upper_quantile(0.01, 3) * margin.error, rel=1e-12)


def test_two_runs_on_each_side_measure_the_spread() -> None:
    """Two against two runs have two degrees of freedom and need no allowance; one against two have one and do."""
    (measured,) = Suite({0: history(100, 101, new=(107, 105))}).margins.values()
    (assumed,) = Suite({0: history(100, new=(107, 105))}).margins.values()
    assert (measured.allowance, measured.own_df) == (None, 2)
    assert assumed.allowance == 0.02
    assert assumed.error == pytest.approx(0.02 * math.sqrt(1.5), rel=1e-12)


def test_one_run_of_the_other_side_says_nothing_of_spread() -> None:
    """Margins with a single new run are those without it: a new run has no say in what it is judged by."""
    without = suite(*B_ROWS)
    within = Suite({number: history(*row, new=(3.0 * (number + 1),)) for number, row in enumerate(B_ROWS)})
    assert margins(within) == pytest.approx(margins(without), rel=1e-12)
    assert margins(Suite({0: history(100, new=(3,))})) == margins(suite((100,)))


def test_a_case_that_is_missing_in_some_runs_has_its_own_numbers() -> None:
    """Its degrees of freedom and error are those of its runs, and the common share comes from the other cases."""
    judged = suite(B_ROWS[0], (50, None, 49.8, 50.9, None), *B_ROWS[2:])
    partial, full = judged.margins[1], judged.margins[0]
    assert (partial.runs, partial.own_df, full.runs, full.own_df) == (3, 2, 5, 4)
    assert partial.error == pytest.approx(partial.spread * math.sqrt(4 / 3), rel=1e-12)
    assert judged.noise is not None
    assert (judged.noise.comparisons, judged.noise.runs) == (3, 5)
    assert judged.noise.share == pytest.approx(_share(judged, range(5), [0, 2, 3]), rel=1e-12)
    assert partial.df == full.df == 4 + 4 + 2


def _share(judged: Suite, names: Iterable[int], keys: Sequence[int]) -> float:
    """The common share by the definition of a two-way table."""
    table = [
        [
            (judged.histories[key].costs[f"run {name}"] - judged.histories[key].centre) / judged.margins[key].spread
            for name in names
        ]
        for key in keys
    ]
    count, free = len(table), len(table[0]) - 1
    between = count * sum(math.pow(sum(column) / count, 2) for column in zip(*table, strict=True))
    single = (sum(value**2 for row in table for value in row) - between) / (free * (count - 1))
    common = max(between / free, single)
    return (common - (1 - 1 / math.sqrt(count)) * single) / (common + (count - 1) * single)


@pytest.mark.parametrize(
    "rows",
    [
        ((100, 101, 99, 102, None), (50, 50.4, 49.8, None, 50.9), (200, 203, None, 202, 201)),
        ((100, 101, 99, 102, 100), (50, 50.4, 49.8, None, 50.9), (200, 203, None, 202, 201)),
        ((100, 101, 99, None, None, None), (None, None, None, 50, 53, 49)),
    ],
)
def test_fewer_than_two_full_cases_leave_bonferroni(rows: Sequence[Sequence[float | None]]) -> None:
    """Where no two cases have all runs, nothing is known of what runs share: t with its part of alpha for each."""
    judged = suite(*rows)
    assert judged.noise is None
    for margin in judged.margins.values():
        factor = t_upper_quantile(0.01 / len(rows), margin.df)
        assert margin.at() == pytest.approx(factor * margin.error, rel=1e-12)
        assert margin.interval(0)[1] == pytest.approx(t_upper_quantile(0.025, margin.df) * margin.error, rel=1e-12)
        assert margin.p_value(margin.error * t_upper_quantile(0.002, margin.df)) == pytest.approx(
            0.002 * len(rows), rel=EXACT
        )


def test_a_single_measured_case_among_new_ones_has_no_prior() -> None:
    """One case with three runs beside others with one keeps its own variance, corrected for all comparisons."""
    judged = suite((100, 101, 99), (50, None, None), (20, None, None))
    measured, assumed = judged.margins[0], judged.margins[1]
    own = history(100, 101, 99)
    assert judged.moderated[0].prior is None
    assert measured.at() == pytest.approx(t_upper_quantile(0.01 / 3, 2) * math.sqrt(own.square * 4 / 3), rel=1e-12)
    assert assumed.at() == pytest.approx(-normal_quantile(0.01 / 3) * 0.02 * math.sqrt(2), rel=1e-12)


@pytest.mark.parametrize(("factor", "prior_decides"), [(1, False), (5, True)])
def test_new_cases_in_a_suite_learn_its_spread(factor: float, prior_decides: bool) -> None:
    """A case with one or two runs has the suite's spread where that is above the allowance, and the allowance else."""
    wide = [[100 * math.exp(factor * math.log(cost / row[0])) for cost in row] for row in B_ROWS]
    judged = suite(*wide, (7, None, None, None, None), (9, 9.01, None, None, None))
    prior = judged.moderated[4].prior
    assert prior is not None
    assert (prior > 0.02**2) is prior_decides
    for key, scale in ((4, 2), (5, 1.5)):
        margin = judged.margins[key]
        assert margin.allowance == 0.02
        assert margin.spread**2 == pytest.approx(max(0.02**2, prior), rel=1e-12)
        assert margin.at() == pytest.approx(-normal_quantile(0.01 / 6) * margin.spread * math.sqrt(scale), rel=1e-12)
    assert judged.margins[0].allowance is None
    assert judged.margins[0].comparisons == 6
    assert judged.noise is not None
    assert judged.noise.comparisons == 4


def test_a_new_case_of_an_unmeasured_metric_has_the_widest_prior() -> None:
    """A metric without measured cases learns from whichever group of the suite scatters most."""
    source = random.Random(5)
    rows: dict[object, History] = {
        (metric, number): history(*[math.exp(source.gauss(0, spread)) for _ in range(5)], group=metric)
        for metric, spread in (("e2e", 0.03), ("ttft", 0.1))
        for number in range(5)
    }
    found = moderate({**rows, "new": history(7, group="load"), "known": history(7, group="e2e")})
    assert found["new"].prior == found["ttft", 0].prior
    assert found["known"].prior == found["e2e", 0].prior
    assert found["ttft", 0].prior > 3 * found["e2e", 0].prior  # type: ignore[operator]  # both have one


def test_a_prior_per_metric_needs_five_cases_of_each() -> None:
    """Metrics have priors of their own with five cases each, and one for all as soon as one metric has four."""
    source = random.Random(6)
    rows: dict[object, History] = {
        (metric, number): history(*[math.exp(source.gauss(0, 0.02)) for _ in range(4)], group=metric)
        for metric in ("e2e", "ttft")
        for number in range(5)
    }
    assert len({each.prior for each in moderate(rows).values()}) == 2
    del rows["ttft", 4]
    assert len({each.prior for each in moderate(rows).values()}) == 1


def test_intervals_cover() -> None:
    """Of 95 % intervals for unchanged single cases 95 in 100 cover, and suites of eight stay within two of it."""
    source = random.Random(7)
    assert _covered(source, suites=3000, cases=1) == pytest.approx(0.95, abs=0.012)
    assert _covered(source, suites=400, cases=8) == pytest.approx(0.95, abs=0.02)


def _covered(source: random.Random, *, suites: int, cases: int) -> float:
    """The share of the intervals of unchanged cases that hold the truth, no change."""
    held = 0
    for _ in range(suites):
        common = [source.gauss(0, 0.01) for _ in range(6)]
        rows = [[shift + source.gauss(0, 0.012) for shift in common] for _ in range(cases)]
        judged = Suite(
            {
                number: History(group="e2e", costs=dict(zip("abcde", row, strict=False)))
                for number, row in enumerate(rows)
            }
        )
        for margin, row in zip(judged.margins.values(), rows, strict=True):
            low, high = margin.interval(row[5] - margin.centre)
            held += low <= 0 <= high
    return held / (suites * cases)


def test_false_alarms_are_as_rare_as_promised() -> None:
    """In at most 2 of 100 unchanged suites of eight cases anything exceeds its margin, and in some something does."""
    source = random.Random(8)
    alarms, suites = 0, 600
    for _ in range(suites):
        common = [source.gauss(0, 0.01) for _ in range(6)]
        rows = [[shift + source.gauss(0, 0.012) for shift in common] for _ in range(8)]
        judged = Suite(
            {
                number: History(group="e2e", costs=dict(zip("abcde", row, strict=False)))
                for number, row in enumerate(rows)
            }
        )
        alarms += any(
            row[5] - judged.margins[number].centre > judged.margins[number].at() for number, row in enumerate(rows)
        )
    assert 1 <= alarms <= 12


# The rule once more, from its description alone, on arrays in which a run that lacks a case is NaN.


@dataclass
class Table:
    """Comparisons as arrays: the runs of both sides, the tick and group of each, the variance its rounds explain."""

    base: Any
    other: Any
    groups: list[str]
    ticks: Any
    rounds: Any

    def histories(self) -> dict[object, History]:
        """The same as the package takes it."""
        return {
            row: History(
                group=self.groups[row],
                costs=_present(self.base[row], "base"),
                rounds_variance=dict.fromkeys(_present(self.base[row], "base"), float(self.rounds[row])),
                tick=float(self.ticks[row]),
                others=_present(self.other[row], "other"),
                others_variance=dict.fromkeys(_present(self.other[row], "other"), float(self.rounds[row])),
            )
            for row in range(len(self.base))
        }


def _present(values: Any, side: str) -> dict[str, float]:
    return {f"{side} {column}": float(value) for column, value in enumerate(values) if not math.isnan(value)}


class Second:
    """What the notes say of a table, with numpy and scipy."""

    def __init__(self, table: Table, np: Any, scipy: Any) -> None:
        self.np, self.scipy, self.table = np, scipy, table
        self.comparisons = len(table.base)
        self.base_runs = (~np.isnan(table.base)).sum(axis=1)
        self.other_runs = (~np.isnan(table.other)).sum(axis=1)
        self.df = self.base_runs - 1 + np.maximum(self.other_runs - 1, 0)
        self.scale = 1 / self.base_runs + 1 / np.maximum(self.other_runs, 1)
        sides = [each - np.nanmean(each, axis=1, keepdims=True) for each in (table.base, table.other) if each.shape[1]]
        self.residuals = np.hstack(sides)
        self.raw = np.nansum(self.residuals**2, axis=1) / np.maximum(self.df, 1)
        positive = self.raw[self.raw > 0]
        least = 1e-5 * np.median(positive) if len(positive) else 0.0
        self.square = np.maximum(np.maximum(self.raw, table.ticks**2 / 12), least)
        self.measured = self.df >= 2
        self.moderated, self.nu, self.prior = self._moderate()
        self.share = self._share()

    def _moderate(self) -> tuple[Any, Any, Any]:
        np, psi = self.np, self.scipy.special.digamma
        chosen = np.flatnonzero(self.measured & (self.square > 0))
        moderated, nu, prior = self.square.copy(), np.maximum(self.df, 1).astype(float), np.zeros(self.comparisons)
        if self.comparisons == 1 or len(chosen) < 2:
            return moderated, nu, prior
        names = np.array(self.table.groups)[chosen]
        if min(np.unique(names, return_counts=True)[1]) < 5:
            names[:] = "all"
        groups = np.unique(names)
        half, square = self.df[chosen] / 2, self.square[chosen]
        e = np.log(square) - psi(half) + np.log(half)
        centre = {group: e[names == group].mean() for group in groups}
        away = e - np.array([centre[name] for name in names])
        u = (away**2).sum() / (len(chosen) - len(groups)) - self._trigamma(half).mean()
        cap = sum(self.df[chosen][names == group].sum() - self.df[chosen][names == group].max() for group in groups)
        d0 = 2 * self._trigamma_inverse(u) if u > 1e-8 else math.inf
        self.capped = bool(d0 > cap)
        if self.capped:
            d0, location = cap, {group: square[names == group].mean() for group in groups}
        else:
            location = {group: math.exp(centre[group] + psi(d0 / 2) - math.log(d0 / 2)) for group in groups}
        own = np.array([location[name] for name in names])
        moderated[chosen] = (d0 * own + self.df[chosen] * square) / (d0 + self.df[chosen])
        nu[chosen] = np.minimum(d0 + self.df[chosen], cap)
        widest = max(location.values())
        prior = np.array([location.get(name, location.get("all", widest)) for name in self.table.groups])
        return moderated, nu, prior

    def _trigamma(self, x: Any) -> Any:
        return self.scipy.special.polygamma(1, x)

    def _trigamma_inverse(self, value: float) -> float:
        def excess(log: float) -> float:
            return float(self.np.log(self._trigamma(math.exp(log))) - math.log(value))

        return math.exp(self.scipy.optimize.brentq(excess, -40, 40, xtol=1e-14, rtol=1e-14))

    def _share(self) -> float | None:
        np = self.np
        columns = ~np.isnan(self.residuals).all(axis=0)
        full = ~np.isnan(self.residuals[:, columns]).any(axis=1)
        count, df = int(full.sum()), int(self.df[full].max(initial=0))
        if count < 2 or df < 2:
            return None
        z = self.residuals[full][:, columns] / np.sqrt(self.moderated[full])[:, None]
        between = count * (z.mean(axis=0) ** 2).sum()
        mse = ((z**2).sum() - between) / (df * (count - 1))
        msr = max(between / df, mse)
        return float((msr - (1 - 1 / math.sqrt(count)) * mse) / (msr + (count - 1) * mse))

    def error(self, row: int, allowance: float) -> float:
        """The standard deviation of an unchanged difference."""
        if self.measured[row]:
            return math.sqrt(self.moderated[row] * self.scale[row])
        two = self.raw[self.df == 1]
        square = max(allowance**2, self.prior[row]) + self.table.rounds[row]
        return math.sqrt(max(square, two.mean() if len(two) else 0.0) * self.scale[row])

    def factor(self, row: int, alpha: float) -> float:
        """The margin in units of the error."""
        t, normal, count = self.scipy.special.stdtrit, self.scipy.special.ndtri, self.comparisons
        if not self.measured[row]:
            return float(-normal(alpha / count))
        qb, qe = -t(self.df[row], alpha), -t(self.nu[row], alpha / count)
        if count == 1:
            return float(qb)
        if self.share is None:
            return float(qe)
        a, p = normal(0.5 ** (1 / count)), self.share
        return float(math.sqrt(qb**2 * p + (qe - a) ** 2 * (1 - p)) + a * math.sqrt(1 - p))

    def half(self, row: int) -> float:
        """Half the 95 % interval in units of the error."""
        t = self.scipy.special.stdtrit
        if not self.measured[row]:
            return float(-self.scipy.special.ndtri(0.025))
        if self.comparisons == 1:
            return float(-t(self.df[row], 0.025))
        p = self.share or 0.0
        return math.sqrt(t(self.df[row], 0.025) ** 2 * p + t(self.nu[row], 0.025) ** 2 * (1 - p))

    def p_value(self, row: int, size: float) -> float:
        """The alpha whose margin is `size`, in units of the error."""

        def excess(log: float) -> float:
            return self.factor(row, math.exp(log)) - size

        return math.exp(self.scipy.optimize.brentq(excess, math.log(1e-15), math.log(0.5), xtol=1e-13))


@pytest.fixture(scope="module")
def np() -> Any:
    """The package numpy, with which the rule is done once more."""
    return pytest.importorskip("numpy", reason="numpy does the rule once more")


@pytest.fixture(scope="module")
def scipy() -> Any:
    """The package scipy, with which the rule is done once more."""
    for name in ("special", "optimize"):
        pytest.importorskip(f"scipy.{name}", reason="scipy does the rule once more")
    return pytest.importorskip("scipy")


SHAPES: Mapping[str, Mapping[str, Any]] = {
    "one case": {"sizes": (1,), "runs": 5},
    "one case, three runs": {"sizes": (1,), "runs": 3},
    "two cases": {"sizes": (2,), "runs": 4},
    "a suite": {"sizes": (20,), "runs": 5},
    "a suite with much in common": {"sizes": (12,), "runs": 6, "common": 0.05},
    "unequal spreads": {"sizes": (12,), "runs": 5, "unequal": 0.9},
    "two metrics": {"sizes": (5, 7), "runs": 5, "unequal": 0.3},
    "four unlike metrics": {"sizes": (6, 5, 8, 5), "runs": 3, "unequal": 0.4},
    "metrics too small for groups": {"sizes": (4, 6), "runs": 5, "unequal": 0.5},
    "runs that lack cases": {"sizes": (8,), "runs": 7, "missing": 0.1},
    "metrics with runs that lack cases": {"sizes": (6, 6), "runs": 7, "missing": 0.05, "unequal": 0.5},
    "hardly a full case": {"sizes": (4,), "runs": 6, "missing": 0.4},
    "new cases": {"sizes": (8,), "runs": 5, "new": 3},
    "new cases in metrics": {"sizes": (7, 8), "runs": 5, "new": 4, "unequal": 0.4},
    "one run": {"sizes": (6,), "runs": 1},
    "two runs": {"sizes": (6,), "runs": 2},
    "three against two": {"sizes": (9,), "runs": 3, "others": 2},
    "four against six in metrics": {"sizes": (5, 6), "runs": 4, "others": 6, "unequal": 0.4},
    "five against one": {"sizes": (5,), "runs": 5, "others": 1},
    "one case, two against two": {"sizes": (1,), "runs": 2, "others": 2},
    "one against two": {"sizes": (3,), "runs": 1, "others": 2},
    "one against one": {"sizes": (2,), "runs": 1, "others": 1},
    "equal runs among others": {"sizes": (9,), "runs": 5, "equal": 2},
}


def made(np: Any, seed: int, shape: Mapping[str, Any]) -> Table:
    """A random table of this shape."""
    source = np.random.default_rng(seed)
    cases, count, others = sum(shape["sizes"]), shape["runs"], shape.get("others", 0)
    spread = 0.015 * np.exp(source.normal(0, shape.get("unequal", 0.1), cases))
    noise = source.normal(size=(cases, count + others)) * spread[:, None]
    noise += source.normal(0, shape.get("common", 0.008), count + others)
    noise[: shape.get("equal", 0)] = 0.0
    level = source.integers(-8, 8, cases)  # whole numbers, so that equal runs stay equal to the last bit
    costs = level[:, None] + noise
    costs[source.random(costs.shape) < shape.get("missing", 0.0)] = np.nan
    costs[:, 0] = level + noise[:, 0]
    for row in range(shape.get("new", 0)):
        costs[row, 1 + row % 2 :] = np.nan
    source.shuffle(costs)
    groups = list(itertools.chain.from_iterable([f"metric {n}"] * size for n, size in enumerate(shape["sizes"])))
    ticks = source.choice([0.0, 1e-6, 1e-3], size=cases)
    rounds = source.choice([0.0, 1e-5, 1e-4], size=cases)
    return Table(costs[:, :count], costs[:, count:], groups, ticks, rounds)


@pytest.mark.parametrize("name", SHAPES)
def test_the_rule_agrees_with_its_description(name: str, np: Any, scipy: Any) -> None:
    """Spreads, shares, margins, intervals and p-values of random suites are those of a second implementation."""
    for seed in range(5):
        table = made(np, seed, SHAPES[name])
        allowance = 0.01 + 0.005 * seed
        judged, second = Suite(table.histories(), allowance=allowance), Second(table, np, scipy)
        assert (judged.noise is None) is (second.share is None)
        assert judged.noise is None or judged.noise.share == pytest.approx(second.share, rel=EXACT)
        for row, margin in judged.margins.items():
            assert isinstance(row, int)
            error = second.error(row, allowance)
            assert margin.error == pytest.approx(error, rel=EXACT)
            for alpha in (1e-6, 0.01, 0.2):
                assert margin.at(alpha) == pytest.approx(second.factor(row, alpha) * error, rel=EXACT)
            assert margin.interval(0.01)[1] - 0.01 == pytest.approx(second.half(row) * error, rel=EXACT)
        size = 1.3 * second.factor(0, 0.01)
        assert judged.margins[0].p_value(-size * second.error(0, allowance)) == pytest.approx(
            second.p_value(0, size), rel=EXACT
        )


def test_the_second_implementation_knows_the_written_examples(np: Any, scipy: Any) -> None:
    """The margins of examples A, B and C of the notes come out of the second implementation too."""
    for rows, expected in (
        (B_ROWS[:1], [0.04655227631]),
        (B_ROWS, [0.04332872637, 0.0399961525, 0.04354825645, 0.03742420571]),
        (C_ROWS, [0.07889050673, 0.2706699027, 0.05054704018]),
    ):
        count = len(rows)
        table = Table(np.log(rows), np.empty((count, 0)), ["e2e"] * count, np.zeros(count), np.zeros(count))
        second = Second(table, np, scipy)
        assert [second.factor(row, 0.01) * second.error(row, 0.02) for row in range(count)] == close(*expected)


def test_the_random_suites_reach_both_sides_of_the_cap(np: Any, scipy: Any) -> None:
    """Among the random suites some have a prior at its cap and some below it, without and with groups."""
    reached = set()
    for shape, seed in itertools.product(SHAPES.values(), range(5)):
        second = Second(made(np, seed, shape), np, scipy)
        if second.comparisons > 1 and second.measured.all():
            grouped = min(shape["sizes"]) >= 5 and len(shape["sizes"]) > 1
            reached.add((grouped, second.capped))
    assert reached == set(itertools.product((False, True), repeat=2))
