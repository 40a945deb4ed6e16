"""Sweeps: effect sizes with and without cold rows, the order of the rows, and the best configuration."""

from __future__ import annotations

import random
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.analysis.conftest import Maker

CONTEXTS, TEMPERATURES = (1024.0, 2048.0, 4096.0), (0.2, 0.8)
FILE = {"model": "toy:a", "file": "runs.csv"}


def sweep(
    make: Maker,
    speed: Callable[[float, float], float],
    *,
    repeats: int = 1,
    cold: bool = False,
    noise: float = 0.01,
    **known: Any,
) -> list[Any]:
    """Nested loops over num_ctx and temperature; where asked, each temperature of 0.2 loads the model."""
    chance, rows = random.Random(3), []
    for number, (_, context, heat) in enumerate(product(range(repeats), CONTEXTS, TEMPERATURES), 1):
        loaded = cold and heat == 0.2
        load = 3.0 + chance.gauss(0, 0.1) if loaded else 0.1
        values = {
            "tok/s": speed(context, heat) + chance.gauss(0, noise),
            "load": load,
            "ttft": load + chance.gauss(0.1, 0.01),
        }
        rows += make.row(number, values, parameters={"num_ctx": context, "temperature": heat}, cold=loaded, **known)
    return rows


def test_the_setting_that_matters_explains_the_variance(make: Maker) -> None:
    """Where num_ctx alone changes the speed, it explains nearly all and temperature nearly nothing."""
    part = make.part("effects", sweep(make, lambda context, _: 80 - context / 1024, repeats=3))
    assert make.value(part, "tok/s", "eta2", **FILE, setting="num_ctx") == pytest.approx(1, abs=0.01)
    assert make.value(part, "tok/s", "p", **FILE, setting="num_ctx") == pytest.approx(0, abs=1e-12)
    assert make.value(part, "tok/s", "eta2", **FILE, setting="temperature") == pytest.approx(0, abs=0.01)
    assert (make.value(part, "tok/s", "p", **FILE, setting="temperature") or 0) > 0.05
    assert make.value(part, "tok/s", "levels", **FILE, setting="num_ctx") == 3
    assert make.value(part, "tok/s", "mean", **FILE, setting="num_ctx", level="2048") == pytest.approx(78, abs=0.05)


def test_the_spread_is_that_of_the_means_of_the_levels(make: Maker) -> None:
    """Levels with means of 82.2 and 81.4 are 0.98 % apart."""
    values = [(1024.0, 82.4), (1024.0, 82.0), (2048.0, 81.6), (2048.0, 81.2)]
    rows = [
        make.row(n, {"tok/s": value}, parameters={"num_ctx": context}) for n, (context, value) in enumerate(values, 1)
    ]
    part = make.part("effects", *rows)
    assert make.value(part, "tok/s", "spread", **FILE, setting="num_ctx") == pytest.approx(0.8 / 81.8)
    assert make.findings(part)[0] == (
        "tok/s of 'toy:a' in 'runs.csv': 'num_ctx' explains 80.0 % of the variance (means of its levels 0.978 % apart, "
        "p 10.6 %)."
    )


def test_a_setting_that_loads_the_model_has_no_effect_of_its_own(make: Maker) -> None:
    """Over all rows temperature seems to drive TTFT, over the warm ones it cannot: they have but one level of it."""
    part = make.part("effects", sweep(make, lambda *_: 80.0, repeats=2, cold=True))
    assert (make.value(part, "ttft", "eta2", **FILE, setting="temperature") or 0) > 0.99
    with pytest.raises(KeyError):
        make.fact(part, "ttft", "eta2", **FILE, setting="temperature", rows="warm")
    assert (make.value(part, "ttft", "eta2", **FILE, setting="num_ctx", rows="warm") or 0) < 0.9
    assert (
        "Among the rows of 'toy:a' in 'runs.csv' the model was loaded only where 'temperature = 0.2': 6 of the 6 rows "
        "there are cold and none elsewhere. Over all rows the effect of 'temperature' on a time that holds the load is "
        "that of loading the model; only warm rows can show its own." in make.findings(part)
    )


def test_rows_in_the_order_of_loops_are_named(make: Maker) -> None:
    """Nested loops are told by the order of rows, and the outer setting as the one that time would pass for."""
    said = next(each for each in make.findings(make.part("effects", sweep(make, lambda *_: 80.0))) if "nested" in each)
    assert said == (
        "The 6 rows of 'toy:a' in 'runs.csv' were run, by their order in the file, in the order of nested loops "
        "('num_ctx, then temperature', the last changing fastest), not at random. What drifts with time, such as heat, "
        "would pass for an effect of 'num_ctx' (91.4 % of the position in the order)."
    )


def test_times_tell_the_order_where_they_stand(make: Maker) -> None:
    """Rows that stand as loops in the file, but were run in another order by their times, are no loops."""
    levels = list(product(CONTEXTS, TEMPERATURES))
    minutes = [3, 0, 5, 1, 4, 2]
    rows = [
        make.row(
            n, {"tok/s": 80.0 + n / 10}, parameters={"num_ctx": context, "temperature": heat},
            time=f"2026-01-01T00:0{minute}:00",
        )
        for n, ((context, heat), minute) in enumerate(zip(levels, minutes, strict=True), 1)
    ]  # fmt: skip
    assert not any("nested" in each for each in make.findings(make.part("effects", *rows)))


def test_one_row_per_configuration_proves_no_winner(make: Maker) -> None:
    """The best of a sweep without repeats is named with how far it leads, and as not distinguishable."""
    part = make.part("effects", sweep(make, lambda *_: 80.0))
    said = next(each for each in make.findings(part) if each.startswith("Best mean tok/s"))
    assert said.endswith(
        " residual standard deviations lie between them, and one row per configuration proves no winner."
    )
    assert part.recommendations[0].command == (
        "pytest --chimera-model toy:a --chimera-rounds 10 --chimera-option num_ctx=2048 --chimera-option "
        "temperature=0.8 --benchmark-save=best && pytest --chimera-model toy:a --chimera-rounds 10 --chimera-option "
        "num_ctx=4096 --chimera-option temperature=0.8 --benchmark-save=second && pytest-chimera compare best second"
    )


def test_repeats_can_prove_a_winner(make: Maker) -> None:
    """With four repeats and a lead of many times their spread the best is distinguishable, and nothing is advised."""
    rows = sweep(make, lambda context, heat: 90.0 if (context, heat) == (2048.0, 0.8) else 80.0, repeats=4)
    part = make.part("effects", rows)
    said = next(each for each in make.findings(part) if each.startswith("Best mean tok/s"))
    assert said.startswith(
        "Best mean tok/s of 'toy:a' in 'runs.csv': 'num_ctx=2048, temperature=0.8' with 90.0 tok/s, "
    )
    assert "They are distinguishable: chance alone would set the best two as far apart in < 0.001 % of cases." in said
    assert part.recommendations == ()


def test_repeats_without_a_difference_prove_none(make: Maker) -> None:
    """With four repeats of equal configurations the best is not told from the second."""
    part = make.part("effects", sweep(make, lambda *_: 80.0, repeats=4))
    said = next(each for each in make.findings(part) if each.startswith("Best mean tok/s"))
    assert "They are not distinguishable: rows of one configuration differ so much" in said


def test_the_test_of_best_against_second_is_scipys(make: Maker) -> None:
    """Two configurations of three rows each are compared as scipy's t test with pooled variance does."""
    stats = pytest.importorskip("scipy.stats", reason="scipy is the oracle of the test")
    values = {1024.0: [80.0, 80.4, 80.9], 2048.0: [79.5, 79.0, 79.9]}
    rows = [
        make.row(n, {"tok/s": value}, parameters={"num_ctx": context})
        for n, (context, value) in enumerate(((c, v) for c, found in values.items() for v in found), 1)
    ]
    part = make.part("effects", *rows)
    p = make.value(part, "tok/s", "p", **FILE, configurations="best and second")
    assert p == pytest.approx(float(stats.ttest_ind(*values.values()).pvalue), rel=1e-9)


def test_failed_rows_are_no_values_of_a_sweep(make: Maker) -> None:
    """A failed row takes part in the order and in nothing else."""
    failed = make.row(7, {"tok/s": 0.0}, parameters={"num_ctx": 1024.0, "temperature": 0.2}, failure="timed out")
    one = make.part("effects", sweep(make, lambda *_: 80.0))
    other = make.part("effects", sweep(make, lambda *_: 80.0), failed)
    assert make.value(one, "tok/s", "eta2", **FILE, setting="num_ctx") == make.value(
        other, "tok/s", "eta2", **FILE, setting="num_ctx"
    )


def test_a_number_in_every_row_is_no_setting(make: Maker) -> None:
    """What took more than thirty values is left out of the levels, and that is said."""
    rows = [make.row(n, {"tok/s": 80.0 + n % 3}, parameters={"seed": float(n)}) for n in range(1, 40)]
    assert make.findings(make.part("effects", *rows)) == [
        "In 'toy:a' in 'runs.csv' 'seed' took too many different values to be looked at level by level."
    ]


def test_without_a_varied_setting_there_is_no_sweep(make: Maker) -> None:
    """Rows of one setting have no effects, which is said and is not notable."""
    part = make.part("effects", make.row(1, {"tok/s": 80.0}, parameters={"num_ctx": 1024.0}))
    assert [(make.said(each.statement), each.notable) for each in part.findings] == [
        ("No file varies a setting.", False)
    ]


def test_tests_are_counted(make: Maker) -> None:
    """How many tests of settings were made stands beside how many chance alone would make small."""
    found = make.findings(make.part("effects", sweep(make, lambda context, _: 80 - context / 1024, repeats=3)))
    assert found[-1] == "Of 4 tests of a setting 1 have a p below 5 %; by chance alone about 0.2."


def test_rows_without_a_varied_setting_are_left_out_and_counted(make: Maker) -> None:
    """A row that does not say its num_ctx belongs to no level, and that is said."""
    odd = make.row(7, {"tok/s": 999.0}, parameters={"temperature": 0.2})
    part = make.part("effects", sweep(make, lambda *_: 80.0), odd)
    assert (
        "1 row of 'toy:a' in 'runs.csv' lacks a setting that others vary, and is left out of its sweep."
        in make.findings(part)
    )
    assert make.fact(part, "tok/s", "eta2", **FILE, setting="temperature").n == 6
