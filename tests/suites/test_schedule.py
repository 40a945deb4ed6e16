"""The order of the rounds of a sweep, as properties of every schedule and as one written out."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.errors import MarkerError
from pytest_chimera.suites.schedule import Wanted, schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

SEEDS = st.text(max_size=5)
BLOCKS = st.integers(3, 6)


def wanted(*, keys: int, least_keys: int = 1, least: int = 1) -> st.SearchStrategy[list[Wanted]]:
    """Points with up to so many keys, each with rounds of its own."""
    rounds = st.integers(least, 12)
    points = st.lists(st.builds(Wanted, key=st.integers(1, keys), rounds=rounds), min_size=1, max_size=8)
    return points.filter(lambda found: len({each.key for each in found}) >= least_keys)


def counted(order: Sequence[int]) -> dict[int, int]:
    """How often each point is asked."""
    return dict(Counter(order))


@given(wanted(keys=4, least=3), SEEDS, BLOCKS)
def test_each_point_has_exactly_its_rounds(points: list[Wanted], seed: str, blocks: int) -> None:
    """However points are spread over blocks, none has a round more or less, and each only in blocks of its load."""
    made = schedule(points, seed=seed, blocks=blocks)
    assert counted([each for block in made for each in block.order]) == {
        index: each.rounds for index, each in enumerate(points)
    }
    assert all(points[each].key == block.key for block in made for each in block.order)
    assert [each.number for each in made] == list(range(1, len(made) + 1))


@given(wanted(keys=4, least_keys=2, least=3), SEEDS, BLOCKS)
def test_several_loads_take_turns_in_blocks(points: list[Wanted], seed: str, blocks: int) -> None:
    """Every point is in at least three blocks, one in each pass over all loads; neighbours differ in their loads.

    With two loads they do within passes, and each pass mirrors the one before, so that what drifts is no effect.
    """
    made = schedule(points, seed=seed, blocks=blocks)
    keys = {each.key for each in points}
    passes = [made[at : at + len(keys)] for at in range(0, len(made), len(keys))]
    assert all({each.key for each in one} == keys and len(one) == len(keys) for one in passes)
    assert len(passes) == min(blocks, *(each.rounds for each in points)) >= 3
    if len(keys) > 2:
        assert all(first.key != second.key for first, second in pairwise(made))
    else:
        orders = [[each.key for each in one] for one in passes]
        assert all(first == second[::-1] for first, second in pairwise(orders))
    for index in range(len(points)):
        mine = [block.order.count(index) for block in made if block.key == points[index].key]
        assert max(mine) - min(mine) <= 1
        assert min(mine) >= 1


@given(wanted(keys=1), SEEDS)
def test_points_that_share_a_load_alternate_round_by_round(points: list[Wanted], seed: str) -> None:
    """They are one block; at each moment no point is more than a round ahead of its even share."""
    (block,) = schedule(points, seed=seed)
    most = max(each.rounds for each in points)
    ends, at = [], 0
    for number in range(1, most + 1):
        due = {index: number * each.rounds // most for index, each in enumerate(points)}
        at = sum(due.values())
        assert counted(block.order[:at]) == {index: many for index, many in due.items() if many}
        ends.append(at)
    assert (block.number, ends[-1]) == (1, len(block.order))


@given(wanted(keys=4, least=3), SEEDS, BLOCKS)
def test_the_same_seed_gives_the_same_order(points: list[Wanted], seed: str, blocks: int) -> None:
    """A schedule can be repeated, on every worker and in every run."""
    assert schedule(points, seed=seed, blocks=blocks) == schedule(points, seed=seed, blocks=blocks)


@given(st.lists(st.builds(Wanted, key=st.integers(1, 4), rounds=st.integers(1, 6), cold=st.just(True)), min_size=1))
def test_cold_points_need_no_blocks(points: list[Wanted]) -> None:
    """Each round loads, so each is a block of its own, however few there are, and points take turns."""
    made = schedule(points, seed="s")
    assert all(len(each.order) == 1 for each in made)
    assert counted([each.order[0] for each in made]) == {index: each.rounds for index, each in enumerate(points)}


def test_a_schedule_written_out() -> None:
    """Two points on one load and one on another: four rounds of each in three passes that mirror one another."""
    points = [Wanted(key="a", rounds=4), Wanted(key="a", rounds=4), Wanted(key="b", rounds=4)]
    made = schedule(points, seed="0 t.py::test")
    assert [(each.number, each.key, sorted(each.order)) for each in made] == [
        (1, "a", [0, 1]), (2, "b", [2]), (3, "b", [2]), (4, "a", [0, 1]), (5, "a", [0, 0, 1, 1]), (6, "b", [2, 2]),
    ]  # fmt: skip
    assert sorted(made[4].order[:2]) == sorted(made[4].order[2:]) == [0, 1]


def test_orders_differ_between_passes() -> None:
    """A point that is first in one pass is not first in all."""
    (block,) = schedule([Wanted(key=1, rounds=20)] * 3, seed="7")
    assert {block.order[at : at + 3] for at in range(0, 60, 3)} == {
        (0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0),
    }  # fmt: skip


@pytest.mark.parametrize(("rounds", "has"), [(1, "1 round"), (2, "2 rounds")])
def test_too_few_rounds_for_blocks_are_refused(rounds: int, has: str) -> None:
    """Three loads of each point are the least of which anything can be said."""
    with pytest.raises(MarkerError) as caught:
        schedule([Wanted(key=1, rounds=5), Wanted(key=2, rounds=rounds)], seed="")
    assert str(caught.value) == (
        f"Points of the sweep load the model anew, and one of them has {has}. Accepted: 3 rounds or more, because "
        "every point is measured in at least three blocks. Write rounds=3 or more, or vary only what needs no load "
        "(start='cold' measures loads themselves)."
    )


def test_one_round_of_each_is_a_block_of_each_where_that_is_allowed() -> None:
    """To see that a sweep works, one block of each load is enough."""
    made = schedule([Wanted(key=1, rounds=1), Wanted(key=2, rounds=1)], seed="", fewest=1)
    assert sorted(each.order for each in made) == [(0,), (1,)]


@pytest.mark.parametrize("seed", range(20))
def test_two_points_of_one_load_mirror_their_passes(seed: int) -> None:
    """Neither of two points is always the later one: each pass has them in the reverse order of the one before."""
    (block,) = schedule([Wanted(key="k", rounds=4), Wanted(key="k", rounds=4)], seed=str(seed))
    first = list(block.order[:2])
    assert list(block.order) == [*first, *first[::-1], *first, *first[::-1]]
