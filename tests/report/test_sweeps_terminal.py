"""Sweeps in a terminal: a few lines each, within the width, escaped; and which rows a large one has."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.plugin.swept import rows
from pytest_chimera.plugin.terminal import table
from pytest_chimera.report.facts import subjects
from pytest_chimera.report.sweep_lines import sweep_lines, without_middles
from pytest_chimera.report.sweeps import Swept, sweeps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_chimera.records import CaseResult

    Make = Callable[..., Any]


def grid(**parameters: list[Any]) -> list[dict[str, Any]]:
    """Every combination, the last parameter changing fastest."""
    return [dict(zip(parameters, levels, strict=True)) for levels in itertools.product(*parameters.values())]


def by_num_ctx(point: Mapping[str, Any]) -> float:
    """A tenth slower with the larger window."""
    return 1.1 if point["num_ctx"] == 2048 else 1.0


def found(results: Sequence[CaseResult]) -> tuple[Swept, ...]:
    """The sweeps among results."""
    return sweeps_of(tuple(zip(results, subjects(results), strict=True)))


GRID = grid(num_ctx=[512, 2048], temperature=[0.2, 0.8])


def test_the_lines_of_a_wide_terminal(swept: Make) -> None:
    """A sweep has a line on tok/s and one on TTFT: each parameter, the strongest first, then the best point."""
    assert sweep_lines(found(swept(GRID, by_num_ctx, loads=["num_ctx"])), 400) == [
        (
            "sweep test_sweep on gemma3:latest: 4 points; tok/s: num_ctx 9.8 % (p < 0.0001), temperature 0.5 % "
            "(p 0.08); best num_ctx=512,temperature=0.8: not distinguishable from num_ctx=512,temperature=0.2"
        ),
        (
            "  TTFT: num_ctx 10.7 % (p 0.00088), temperature 0.6 % (p 0.17); best num_ctx=512,temperature=0.2: not "
            "distinguishable from num_ctx=512,temperature=0.8"
        ),
    ]


def test_the_lines_of_80_columns(swept: Make) -> None:
    """At 80 columns the same words are wrapped."""
    assert sweep_lines(found(swept(GRID, by_num_ctx, loads=["num_ctx"])), 80) == [
        "sweep test_sweep on gemma3:latest: 4 points; tok/s: num_ctx 9.8 % (p < 0.0001),",
        "temperature 0.5 % (p 0.08); best num_ctx=512,temperature=0.8: not",
        "distinguishable from num_ctx=512,temperature=0.2",
        "  TTFT: num_ctx 10.7 % (p 0.00088), temperature 0.6 % (p 0.17); best",
        "  num_ctx=512,temperature=0.2: not distinguishable from",
        "  num_ctx=512,temperature=0.8",
    ]


def test_the_lines_of_40_columns(swept: Make) -> None:
    """At 40 columns none is longer."""
    assert sweep_lines(found(swept(GRID, by_num_ctx, loads=["num_ctx"])), 40) == [
        "sweep test_sweep on gemma3:latest: 4",
        "points; tok/s: num_ctx 9.8 % (p <",
        "0.0001), temperature 0.5 % (p 0.08);",
        "best num_ctx=512,temperature=0.8: not",
        "distinguishable from",
        "num_ctx=512,temperature=0.2",
        "  TTFT: num_ctx 10.7 % (p 0.00088),",
        "  temperature 0.6 % (p 0.17); best",
        "  num_ctx=512,temperature=0.2: not",
        "  distinguishable from",
        "  num_ctx=512,temperature=0.8",
    ]


def test_a_clear_best_and_a_single_one(swept: Make) -> None:
    """What is distinguishable is said to be, and without noise nothing is."""
    clear = swept(grid(temperature=[0.2, 0.5]), lambda point: 1 + point["temperature"], rounds=5)
    assert sweep_lines(found(clear), 400)[0].endswith("; best temperature=0.2: distinguishable from every other")
    once = swept(grid(temperature=[0.2, 0.5]), lambda point: 1 + point["temperature"], rounds=1)
    assert sweep_lines(found(once), 400)[0] == (
        "sweep test_sweep on gemma3:latest: 2 points; tok/s: temperature 20.6 % (its 2 rounds are too few to show how "
        "much rounds of one level differ); best temperature=0.2: cannot be told from temperature=0.5, because nothing "
        "shows how much rounds of one point differ"
    )


def test_parameters_that_are_not_told_apart_say_why(swept: Make) -> None:
    """A parameter without a size has its reason in its place."""
    results = swept([{"top_k": 1, "top_p": 0.1}, {"top_k": 2, "top_p": 0.2}], rounds=5)
    told = "it changed only together with {}, so that they cannot be told apart"
    assert sweep_lines(found(results), 400)[0] == (
        f"sweep test_sweep on gemma3:latest: 2 points; tok/s: top_k ({told.format('top_p')}), "
        f"top_p ({told.format('top_k')}); best top_k=1,top_p=0.1: distinguishable from every other"
    )


def test_many_parameters_are_cut(swept: Make) -> None:
    """Of more than six parameters the strongest six are named."""
    names = [f"x{number}" for number in range(8)]
    points = [
        {name: (place >> at) & 1 for at, name in enumerate(names)} for place in (0, *(1 << at for at in range(8)), 255)
    ]
    (line, _) = sweep_lines(found(swept(points, rounds=5)), 1000)
    assert line.count("(p ") == 6
    assert ", ...; best" in line


def test_one_that_says_nothing(swept: Make, failed: Make) -> None:
    """With values of one point only, and of none, a line says so."""
    first, second = swept(GRID[:2])
    assert sweep_lines(found([first, failed(second)]), 400) == [
        (
            "sweep test_sweep on gemma3:latest: 2 points; nothing can be said of its parameters: fewer than two points "
            "have values"
        )
    ]
    assert sweep_lines(found([first]), 30) == [
        "sweep test_sweep on",
        "gemma3:latest: 1 point;",
        "nothing can be said of its",
        "parameters: fewer than two",
        "points have values",
    ]
    assert sweep_lines((), 80) == []


@pytest.mark.parametrize("width", [20, 40, 80])
def test_what_names_say_does_not_act(swept: Make, width: int) -> None:
    """Control characters of parameters, levels, names and models are written out, and no line is wider."""
    evil = "\x1b[31m\u202e\nred"
    model = swept(GRID)[0].case.model
    results = swept(
        grid(**{f"p{evil}": [evil, f"{evil}2"]}), sweep=f"t.py::{evil}", case={"model": replace(model, name=evil)}
    )
    lines = sweep_lines(found(results), width)
    assert max(map(len, lines)) <= width
    assert not any(char in line for line in lines for char in "\x1b\u202e\n")


def test_a_large_sweep_has_the_rows_of_its_ends(swept: Make) -> None:
    """Of more than 60 points the first ten and the last ten are printed, and behind the tenth how many are not."""
    results = [*swept(grid(seed=list(range(61))), rounds=1), *swept(GRID[:2], sweep="t.py::test_other[gemma3:latest]")]
    rows = without_middles(results, found(results))
    assert [result.case.point.get("seed") for result, _ in rows] == [*range(10), *range(51, 61), None, None]
    assert [behind for _, behind in rows if behind] == [41]
    assert rows[9][1] == 41
    few = results[:60]
    assert without_middles(few, found(few)) == [(result, 0) for result in few]


def test_points_stand_below_the_name_of_their_sweep(swept: Make) -> None:
    """The table names a sweep and its parameters once; a row has the levels, and one parameter keeps its name."""
    alone = swept(grid(num_ctx=[512, 2048]), by_num_ctx, loads=["num_ctx"], sweep="t.py::test_one")
    assert table(rows([*swept(GRID, by_num_ctx, loads=["num_ctx"]), *alone]), 100) == [
        "case               TTFT  prefill  decode     E2E  rounds  failed  cold",
        "                           tok/s   tok/s",
        "test_sweep[gemma3:latest] by num_ctx, temperature",
        "  512, 0.2      50.0 ms     2132     100  242 ms       3       0     0",
        "  512, 0.8      50.0 ms     2134     100  242 ms       3       0     0",
        "  2048, 0.2     56.0 ms     1914    90.0  248 ms       3       0     0",
        "  2048, 0.8     55.0 ms     1929    90.7  247 ms       3       0     0",
        "test_one",
        "  num_ctx=512   50.0 ms     2132     100  242 ms       3       0     0",
        "  num_ctx=2048  55.0 ms     1940    91.2  247 ms       3       0     0",
    ]
