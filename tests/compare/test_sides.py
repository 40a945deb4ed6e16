"""Two sides of saved runs: the numbers of a verdict by formulas of our own, swapped sides, saved verdicts, pairs."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist, fmean, median
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.compare.sides import Compared, Sides, Wish, compare_sides, paired_by
from pytest_chimera.errors import BaselineError
from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.conditions import Conditions
from pytest_chimera.gate.expressions import DEFAULT_THRESHOLDS, parse_expression, thresholds
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import SavedCase, SavedRun
from pytest_chimera.gate.series import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import Verdict

MIRRORED = {"worse": "better", "better": "worse", "same": "same"}
BIG = {"name": "big:latest", "digest": "sha256:ffffffffffffffff", "quantization": "Q4_0"}
costs = st.lists(st.floats(min_value=0.5, max_value=2.0), min_size=1, max_size=5)


def wish(*expressions: str, **said: Any) -> Wish:
    """Thresholds, gated unless there are none, and what else is wished."""
    found = thresholds(map(parse_expression, expressions))
    return Wish(**({"expressions": found or DEFAULT_THRESHOLDS, "gated": bool(found), "allowance": 0.02} | said))


def sides(base: Sequence[SavedRun], new: Sequence[SavedRun], **said: Any) -> Sides:
    """Both sides."""
    return Sides(base=tuple(base), new=tuple(new), **said)


def only(compared: Compared) -> Verdict:
    """The one verdict."""
    (verdict,) = compared.verdicts
    return verdict


def outcomes(compared: Compared) -> dict[str, str]:
    """Case and metric -> outcome."""
    return {f"{each.name} {each.metric}": each.outcome for each in compared.verdicts}


def group(side: str, ttfts: Sequence[float], rounds: int = 1) -> list[SavedRun]:
    """A run for each TTFT, with as many rounds of that one value."""
    return [
        SavedRun(
            name=f"{side}{number}",
            source=f"{side}{number}.json",
            cases={
                "t": SavedCase(
                    id="t",
                    name="t",
                    conditions=Conditions(),
                    series={"ttft": Series.of("ttft", [value * (1 + 0.001 * i) for i in range(rounds)])},
                )
            },
        )
        for number, value in enumerate(ttfts, 1)
    ]


@pytest.fixture(scope="module")
def stats() -> Any:
    """The statistics of scipy."""
    return pytest.importorskip("scipy.stats", reason="scipy is the oracle of these numbers")


@pytest.mark.parametrize(("k", "j"), [(3, 3), (5, 2), (2, 4), (1, 3), (4, 1)])
def test_runs_against_runs_are_judged_by_the_spread_of_both(saved: Any, stats: Any, k: int, j: int) -> None:
    """J new runs against K of the base: means of logarithms, both spreads pooled with J + K - 2 degrees of freedom."""
    factors = [1.0, 1.02, 0.99, 1.01, 0.97]
    before, now = (
        [saved.run(f"{side}{n}", saved.result(ttft_ms=ms * factors[n])) for n in range(count)]
        for side, ms, count in (("base", 50.0, k), ("new", 56.0, j))
    )
    found = only(compare_sides(sides(before, now), wish("ttft:5%")))
    logs = [[math.log(ms * factors[n] / 1000) for n in range(count)] for ms, count in ((50.0, k), (56.0, j))]
    difference = fmean(logs[1]) - fmean(logs[0])
    square = math.fsum((each - fmean(side)) ** 2 for side in logs for each in side)
    error = math.sqrt(square / (k + j - 2) * (1 / k + 1 / j))
    half = stats.t.ppf(0.975, k + j - 2) * error
    assert {
        "before": found.before,
        "now": found.now,
        "ratio": found.ratio,
        "low": found.ratio_low,
        "high": found.ratio_high,
        "error": found.error,
        "margin": found.margin,
        "p": found.p_value,
        "runs": [each.run for each in found.baseline],
        "rounds": found.rounds,
        "comparisons": found.comparisons,
        "allowance": found.allowance,
    } == {
        "before": pytest.approx(math.exp(fmean(logs[0]))),
        "now": pytest.approx(math.exp(fmean(logs[1]))),
        "ratio": pytest.approx(math.exp(difference)),
        "low": pytest.approx(math.exp(difference - half)),
        "high": pytest.approx(math.exp(difference + half)),
        "error": pytest.approx(error),
        "margin": pytest.approx(stats.t.ppf(0.99, k + j - 2) * error),
        "p": pytest.approx(stats.t.sf(difference / error, k + j - 2)),
        "runs": [f"base{n}" for n in range(k)],
        "rounds": 5,
        "comparisons": 1,
        "allowance": None,
    }


def test_two_single_runs_are_judged_by_the_allowance_and_the_rounds_of_both(saved: Any) -> None:
    """One run against one: the allowance and what the rounds explain, by normal quantiles over all comparisons."""
    before, now = (
        [saved.run(name, *(saved.result(f"test_{x}[toy]", tok_s=rate, spread=spread) for x in "ab"))]
        for name, rate, spread in (("base", 100.0, 0.01), ("new", 80.0, 0.03))
    )
    found = compare_sides(sides(before, now), wish("tok/s:5%", allowance=0.03)).verdicts[0]
    scatter = [math.log(1 + spread * each) for spread in (0.01, 0.03) for each in (0.0, 1.0, -1.0, 0.5, -0.5)]
    middles = [0.0] * 10
    distances = [abs(each - middle) * math.sqrt(5 / 4) for each, middle in zip(scatter, middles, strict=True)]
    of_rounds = math.pi / 2 * (1.4826 * median(distances)) ** 2 / 5
    error = math.sqrt(2 * (0.03**2 + of_rounds))
    normal = NormalDist()
    assert (found.ratio, found.error, found.margin, found.comparisons, found.allowance) == (
        pytest.approx(0.8),
        pytest.approx(error, rel=1e-3),  # rounds are whole nanoseconds
        pytest.approx(-normal.inv_cdf(0.01 / 2) * error, rel=1e-3),
        2,
        0.03,
    )
    assert found.ratio_low == pytest.approx(0.8 * math.exp(normal.inv_cdf(0.025) * error), rel=1e-3)


@given(costs, costs)
@settings(max_examples=100, deadline=None)
def test_sides_of_one_size_can_be_swapped(before: list[float], now: list[float]) -> None:
    """Two groups with as many runs each, swapped: better for worse, one over the ratio and its interval, the same p."""
    size = min(len(before), len(now))
    base, new = group("base", before[:size], rounds=3), group("new", now[:size], rounds=3)
    one = only(compare_sides(sides(base, new), wish("ttft:5%")))
    other = only(compare_sides(sides(new, base), wish("ttft:5%")))
    assert other.outcome == MIRRORED[one.outcome]
    assert (one.ratio, one.ratio_low, one.ratio_high) != (None, None, None)
    assert (1 / (other.ratio or 0), 1 / (other.ratio_high or 0), 1 / (other.ratio_low or 0)) == (
        pytest.approx(one.ratio),
        pytest.approx(one.ratio_low),
        pytest.approx(one.ratio_high),
    )
    assert (other.now, other.before, other.margin, other.p_value) == (
        pytest.approx(one.before),
        pytest.approx(one.now),
        pytest.approx(one.margin, abs=1e-8),  # the clock resolves no more
        pytest.approx(one.p_value, abs=1e-9),
    )


def test_a_single_run_against_a_history_is_judged_as_the_gate_does(saved: Any) -> None:
    """A verdict on one run without saved ones is, field for field, what the gate would have saved in it."""
    before = [
        saved.run(f"base{n}", saved.result(slower=1 + n / 100), saved.result("test_sea[toy]", slower=1 - n / 200))
        for n in range(3)
    ]
    results = saved.result(slower=1.3), saved.result("test_sea[toy]")
    found = compare_sides(sides(before, [saved.run("new", *results)]), wish())
    by_gate = [each for result in results for each in saved.judged(result, *before).verdicts]
    assert found.verdicts == tuple(replace(each, gated=False) for each in by_gate)
    assert [each.outcome for each in found.verdicts] == ["worse"] * 4 + ["same"] * 4


@pytest.mark.parametrize("runs", [1, 2, 5])
def test_saved_verdicts_are_repeated(saved: Any, runs: int) -> None:
    """What the gate saved in the new file is what is said of it, also of one base run and after a second look."""
    before = [saved.run(f"base{n}", saved.result(slower=1 + n / 100)) for n in range(runs)]
    slow = saved.result(slower=1.3)
    judged = saved.judged(slow, *before, again=saved.result())
    assert [each.outcome for each in judged.verdicts] == ["same"] * 4
    found = compare_sides(sides(before, [saved.run("new", judged)]), wish())
    assert {each.metric: each for each in found.verdicts} == {
        each.metric: replace(each, gated=False) for each in judged.verdicts
    }
    afresh = compare_sides(sides(before, [saved.run("new", slow)]), wish())
    assert [each.outcome for each in afresh.verdicts] == ["worse"] * 4


def test_saved_verdicts_stand_in_the_order_in_which_they_were_asked_for(saved: Any) -> None:
    """The rows of a file have an order of their own, which is not that of the tables."""
    before = [saved.run("base", saved.result())]
    found = compare_sides(sides(before, [saved.run("new", saved.judged(saved.result(), *before))]), wish())
    assert [each.metric for each in found.verdicts] == ["ttft", "prefill", "tok/s", "e2e"]


@pytest.mark.parametrize(
    ("said", "drop"),
    [
        ({"expressions": ("ttft:4%",)}, 0),
        ({"expressions": ("ttft.mean:5%",)}, 0),
        ({"allowance": 0.03}, 0),
        ({}, 1),
    ],
    ids=["threshold", "statistic", "allowance", "runs"],
)
def test_saved_verdicts_on_something_else_are_not_repeated(saved: Any, said: dict[str, Any], drop: int) -> None:
    """Another threshold, statistic, allowance or base is judged afresh, whatever a second look had said."""
    before = [saved.run(f"base{n}", saved.result(slower=1 + n / 100)) for n in range(2)]
    judged = saved.judged(saved.result(slower=1.3), *before, gate=("ttft:5%",), again=saved.result())
    expressions = said.pop("expressions", ("ttft:5%",))
    found = compare_sides(sides(before[drop:], [saved.run("new", judged)]), wish(*expressions, **said))
    assert [each.outcome for each in judged.verdicts] == ["same"]
    assert [each.outcome for each in found.verdicts] == ["worse"]


def test_saved_verdicts_of_a_group_are_not_repeated(saved: Any) -> None:
    """Several new runs are judged together, and none of them by what was once said of it alone."""
    before = [saved.run("base", saved.result())]
    judged = saved.judged(saved.result(slower=1.3), *before, again=saved.result())
    found = compare_sides(sides(before, [saved.run("new1", judged), saved.run("new2", judged)]), wish("ttft:5%"))
    assert [each.outcome for each in judged.verdicts] == ["same"] * 4
    assert outcomes(found) == {"test_sky[toy] ttft": "worse"}


def test_verdicts_that_cannot_be_read_are_not_repeated(saved: Any) -> None:
    """Saved verdicts of another shape are passed over, and the case is judged."""
    before = [saved.run("base", saved.result())]
    new = saved.run("new", saved.judged(saved.result(slower=1.3), *before, again=saved.result()))
    (case,) = new.cases.values()
    broken = replace(new, cases={case.id: replace(case, verdicts=({"outcome": "great"},))})
    assert outcomes(compare_sides(sides(before, [broken]), wish("ttft:5%"))) == {"test_sky[toy] ttft": "worse"}


def test_only_what_was_asked_for_is_said_of_a_saved_run(saved: Any) -> None:
    """Of four saved verdicts the one that was asked for is repeated, so that no other metric fails the comparison."""
    before = [saved.run("base", saved.result())]
    judged = saved.judged(saved.result(ttft_ms=80.0), *before)
    found = compare_sides(sides(before, [saved.run("new", judged)]), wish("tok/s:5%"))
    assert outcomes(found) == {"test_sky[toy] tok/s": "same"}


def test_a_saved_verdict_on_another_file_of_that_name_is_not_repeated(saved: Any) -> None:
    """A base of the same name with other values is another one: the verdict is on the files that are named now."""
    judged = saved.judged(saved.result(ttft_ms=80.0), saved.run("base", saved.result()), gate=("ttft:5%",))
    found = compare_sides(
        sides([saved.run("base", saved.result(ttft_ms=80.0))], [saved.run("new", judged)]), wish("ttft:5%")
    )
    assert [each.outcome for each in judged.verdicts] == ["worse"]
    assert outcomes(found) == {"test_sky[toy] ttft": "same"}


def test_the_saved_verdict_of_a_case_with_a_gate_of_its_own_is_repeated(saved: Any) -> None:
    """A case gated by its marker keeps what the gate said of it after a second look, whatever compare asks for."""
    own = {"gate": ("tok/s:3%",)}
    before = [saved.run("base", saved.result(case=own))]
    judged = saved.judged(saved.result(slower=1.2, case=own), *before, again=saved.result(case=own))
    found = compare_sides(sides(before, [saved.run("new", judged)]), wish())
    assert [each.outcome for each in judged.verdicts] == ["same"]
    assert outcomes(found) == {"test_sky[toy] tok/s": "same"}


def test_an_expression_given_twice_is_compared_once(saved: Any) -> None:
    """The same threshold twice gives one verdict, as it does in a gate."""
    runs = [saved.run(name, saved.result()) for name in ("base", "new")]
    found = compare_sides(sides(runs[:1], runs[1:]), wish("ttft:5%", "ttft:5%"))
    assert [each.metric for each in found.verdicts] == ["ttft"]


def test_a_case_s_own_gate_stands_over_the_command_line(saved: Any) -> None:
    """A case gated by its marker is judged by that, an exempt one not at all, any other by what was asked for."""
    results = [
        saved.result("test_own[toy]", case={"gate": ("ttft:40%",)}),
        saved.result("test_free[toy]", case={"gate": ()}),
        saved.result("test_any[toy]"),
    ]
    slow = [saved.result(each.case.name, slower=1.3, case={"gate": each.case.gate}) for each in results]
    found = compare_sides(sides([saved.run("base", *results)], [saved.run("new", *slow)]), wish("tok/s:5%"))
    assert {(each.name, each.metric, each.threshold, each.gated, each.outcome) for each in found.verdicts} == {
        ("test_own[toy]", "ttft", 0.4, True, "same"),
        ("test_any[toy]", "tok/s", 0.05, True, "worse"),
    }


def test_what_is_on_one_side_only_is_said(saved: Any) -> None:
    """A new case has no baseline, an old one that is gone is named, and rows of other benchmarks are counted."""
    ordinary = {"name": "test_sort", "fullname": "t.py::test_sort", "stats": {"median": 1.0}}
    base = saved.run("base", saved.result(), saved.result("test_old[toy]"), rows=[ordinary, ordinary])
    new = saved.run("new", saved.result(), saved.result("test_new[toy]"), rows=[ordinary])
    found = compare_sides(sides([base], [new], notes=("first",)), wish("ttft:5%"))
    assert outcomes(found) == {"test_sky[toy] ttft": "same", "test_new[toy] ttft": "no baseline"}
    assert found.notes == (
        "first",
        "only in the base: test_old[toy]",
        "3 rows are no cases of this plugin: pytest-benchmark compare shows ordinary benchmarks",
    )


def test_answers_of_unlike_lengths_are_judged_per_token(saved: Any) -> None:
    """Where answers end as they like, the time of a whole answer gives way to the time per token."""
    base, new = (saved.run(name, saved.result(ended="stop")) for name in ("base", "new"))
    found = compare_sides(sides([base], [new]), wish("e2e:5%"))
    assert [(each.metric, each.outcome, each.reason) for each in found.verdicts] == [
        ("time/token", "same", None),
        ("e2e", "not comparable", "answers differ in length"),
    ]


def test_so_many_of_the_newest_runs_are_taken(saved: Any) -> None:
    """Of a base that is chosen and not named, the last K count whose own gate passed and whose case is whole."""
    failed = saved.judged(saved.result(slower=1.5), saved.run("older", saved.result()))
    runs = [
        saved.run("one", saved.result()),
        saved.run("two", saved.result()),
        saved.run("failed", failed),
        saved.run("cut", saved.result(complete=False)),
        saved.run("five", saved.result()),
    ]
    found = only(
        compare_sides(sides(runs, [saved.run("new", saved.result())], last=2, passed_only=True), wish("ttft:5%"))
    )
    assert [each.run for each in found.baseline] == ["two", "five"]
    assert found.left_out == ("failed: its own gate failed", "cut: the case was interrupted")


def test_another_prompt_is_compared_only_when_that_is_wished(saved: Any) -> None:
    """A case with another option is refused with the difference; wished for anyway, it is compared and named."""
    base = saved.run("base", saved.result(case={"options": {"num_ctx": 512, "num_predict": 10}}))
    new = saved.run("new", saved.result(case={"options": {"num_ctx": 2048, "num_predict": 10}}))
    refused = only(compare_sides(sides([base], [new]), wish("ttft:5%")))
    assert (refused.outcome, refused.reason) == (
        "not comparable",
        "it is not the same case: option num_ctx 2048 instead of 512",
    )
    taken = only(compare_sides(sides([base], [new]), wish("ttft:5%", anyway=True)))
    assert (taken.outcome, taken.differences) == (
        "same",
        ("option num_ctx 2048 instead of 512", "num_ctx as loaded 2048 instead of 512"),
    )


def names(paired: Sides) -> tuple[list[list[str]], list[list[str]]]:
    """The names of the cases of each run of either side."""
    base, new = ([[case.name for case in run.cases.values()] for run in side] for side in (paired.base, paired.new))
    return base, new


def test_cases_of_one_run_are_paired_by_model(saved: Any) -> None:
    """Every other model is held against the first one found, case by case, with the value of the key in the name."""
    run = saved.run(
        "one",
        *(
            saved.result(f"{test}[{model}]", model={**BIG, "name": model})
            for test in ("test_sky", "test_sea")
            for model in ("toy:1b", "mid:7b", "big:latest")
        ),
        saved.result("test_hue[big]", model=BIG),
    )
    paired = paired_by("model", sides([], [run], last=3, passed_only=True, notes=("said",)))
    pairs = [
        f"{test}[*] (model: {model} instead of toy:1b)"
        for test in ("test_sky", "test_sea")
        for model in ("mid:7b", "big:latest")
    ]
    assert names(paired) == ([pairs], [[*pairs, "test_hue[*] (model: big:latest instead of toy:1b)"]])
    assert (paired.base[0].name, paired.new[0].name, paired.notes) == ("one", "one", ("said",))
    assert outcomes(compare_sides(paired, wish("ttft:5%"))) == {
        **dict.fromkeys((f"{pair} ttft" for pair in pairs), "same"),
        "test_hue[*] (model: big:latest instead of toy:1b) ttft": "no baseline",
    }


@pytest.mark.parametrize(
    ("key", "said", "pair"),
    [
        ("quantization", {"model": {"quantization": "Q4_0"}}, "[*] (quantization: Q4_0 instead of Q8_0)"),
        ("digest", {"model": {"digest": "sha256:ff"}}, "[*] (digest: ff instead of 0123456789abcdef)"),
        ("host", {"host": {"url": "http://gpu:1"}}, "[toy] (host: http://gpu:1 instead of http://127.0.0.1:11434)"),
        ("server_version", {"host": {"version": "0.33.0"}}, "[toy] (server_version: 0.33.0 instead of 0.32.15)"),
        ("think", {"case": {"think": True}}, "[toy] (think: True instead of False)"),
        ("prefix", {"case": {"prefix": "reuse"}}, "[toy] (prefix: reuse instead of unique)"),
        ("options.num_ctx", {"case": {"options": {"num_ctx": 2048}}}, "[toy] (options.num_ctx: 2048 instead of 512)"),
        ("num_ctx_asked", {"case": {"options": {"num_ctx": 2048}}}, "[toy] (num_ctx_asked: 2048 instead of 512)"),
    ],
)
def test_the_same_case_of_two_runs_is_paired_by_any_recorded_key(
    saved: Any, key: str, said: dict[str, Any], pair: str
) -> None:
    """What a case is paired by may differ, although it would else define the case."""
    fields = {"options": {"num_ctx": 512}, "think": False}
    base = saved.run("base", saved.result(case=fields))
    new = saved.run("new", saved.result(slower=1.3, **{**said, "case": fields | said.get("case", {})}))
    found = compare_sides(paired_by(key, sides([base], [new])), wish("ttft:5%"))
    assert outcomes(found) == {f"test_sky{pair} ttft": "worse"}


@pytest.mark.parametrize("key", ["branch", "commit", "cpu"])
def test_cases_are_paired_by_what_is_known_of_their_run(saved: Any, key: str) -> None:
    """Branch, commit and the machine are keys as well."""
    machine = {"cpu": "New CPU"}
    base, new = (
        saved.run("base", saved.result()),
        saved.run("new", saved.result(), day=2, branch="dev", machine=machine),
    )
    values = {
        "branch": "dev instead of main",
        "commit": f"{'0' * 12} instead of {'0' * 12}",
        "cpu": "New CPU instead of Toy CPU",
    }
    found = compare_sides(paired_by(key, sides([base], [new])), wish("ttft:5%"))
    assert outcomes(found) == {f"test_sky[toy] ({key}: {values[key]}) ttft": "same"}


def test_a_value_is_taken_out_of_the_brackets_only_as_a_whole(saved: Any) -> None:
    """An option's value that is a part of another word of the id stays, and so does the name of the test."""
    run = saved.run(
        "one",
        *(saved.result(f"test_512[toy-{ctx}-x512-5120]", case={"options": {"num_ctx": ctx}}) for ctx in (512, 2048)),
    )
    pair = "test_512[toy-*-x512-5120] (options.num_ctx: 2048 instead of 512)"
    assert names(paired_by("options.num_ctx", sides([], [run]))) == ([[pair]], [[pair]])


def test_runs_of_both_sides_are_paired_together(saved: Any) -> None:
    """The base of a pair is the first value in all named runs, the new side every run that has another."""
    models = saved.result("test_sky[toy]"), saved.result("test_sky[big]", slower=1.3, model=BIG)
    runs = [saved.run(f"run{n}", *models, day=n) for n in (1, 2, 3)]
    found = only(compare_sides(paired_by("model", sides(runs[:2], runs[2:])), wish("ttft:5%")))
    assert ([each.run for each in found.baseline], found.outcome, found.allowance) == (
        ["run1", "run2", "run3"],
        "worse",
        None,
    )


def test_pairs_are_judged_and_not_taken_from_saved_verdicts(saved: Any) -> None:
    """What was saved with a case is no verdict on its pair, even where both are held against the same run."""
    base = saved.run("base", saved.result())
    elsewhere = {"url": "http://gpu:1"}
    judged = saved.judged(saved.result(slower=1.3, host=elsewhere), base, gate=("ttft:5%",), again=saved.result())
    found = only(compare_sides(paired_by("host", sides([base], [saved.run("new", judged)])), wish("ttft:5%")))
    assert [each.outcome for each in judged.verdicts] == ["same"]
    assert (found.outcome, found.case) == (
        "worse",
        "test_it.py::test_sky[toy] (host: http://gpu:1 instead of http://127.0.0.1:11434)",
    )


def test_a_key_that_nobody_recorded_is_refused_with_those_that_are(saved: Any) -> None:
    """An unknown key is answered with every recorded one, and with the one that it may have been."""
    with pytest.raises(BaselineError) as raised:
        paired_by("modle", sides([], [saved.run("one", saved.result())]))
    assert str(raised.value) == (
        "No case has a recorded 'modle'. Recorded: architecture, branch, commit, cpu, cpu_count, digest, endpoint, "
        "engine, family, host, memory_bytes, model, model_file_bytes, model_format, nonce_form, num_ctx_asked, "
        "num_ctx_loaded, ollama_version, options.num_ctx, options.num_predict, os, parameter_size, prefix, "
        "prompt_hash, quantization, raw, rounds_asked, server_version, shares_clock, size_bytes, size_vram_bytes, "
        "start, timeout_s, tools, trained_context_tokens, truncate, waited_s, warmup_asked. Did you mean 'model'?"
    )


def test_a_key_with_one_value_is_refused(saved: Any) -> None:
    """Where every case has the same value, there is nothing to pair."""
    with pytest.raises(BaselineError) as raised:
        paired_by("model", sides([saved.run("one", saved.result())], [saved.run("two", saved.result())]))
    assert str(raised.value) == (
        "Every case has the same model, 'toy:latest': there is nothing to pair. "
        "Name a key in which cases differ, or two runs that differ in it."
    )


def test_pairs_that_are_not_unique_are_refused(saved: Any) -> None:
    """A key that leaves two cases of a run under one name is refused, and both keep their numbers to themselves."""
    run = saved.run(
        "one",
        saved.result("test_sky[a-Q8_0]"),
        saved.result("test_sky[toy-Q8_0]"),
        saved.result("test_sky[toy:latest-Q8_0]"),
        saved.result("test_sky[big-Q4_0]", model=BIG),
    )
    with pytest.raises(BaselineError) as raised:
        paired_by("quantization", sides([], [run]))
    assert str(raised.value) == (
        "Cases cannot be paired by 'quantization': a run has several of "
        "test_sky[*-*] (quantization: Q4_0 instead of Q8_0). Accepted: a key that tells the cases of a run apart. "
        "Pair them by another key, or name runs with one case of each."
    )


def test_gate_and_compare_share_their_defaults(saved: Any) -> None:
    """Without a threshold the four of the gate are compared and fail nothing."""
    runs = [saved.run(name, saved.result(slower=factor)) for name, factor in (("base", 1.0), ("new", 2.0))]
    found = compare_sides(sides(runs[:1], runs[1:]), wish())
    gate = Gate(Baseline(runs[:1]), DEFAULT_THRESHOLDS, gated=False)
    (case,) = runs[1].cases.values()
    assert [(each.metric, each.outcome, each.gated) for each in found.verdicts] == [
        (each.metric, each.outcome, each.gated) for each in gate.judge(case)
    ]
    assert not any(each.fails(strict=True) for each in found.verdicts)
