"""Sweeps with the real client on scripted engines: what a server sees of them, and what is told apart of drift."""

from __future__ import annotations

import random
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pytest_chimera.suites.journal import read_journal

if TYPE_CHECKING:
    from pytest_chimera.engine.backend import AnswerRequest

NOISE = 0.002
DRIFT = 0.3
"""From the first request to the last, answers become slower by so much."""


def drifting(requests: int) -> Any:
    """Slowness that grows over so many requests, with a little noise of its own."""
    dice = random.Random(7)
    return lambda number, request: 1 + DRIFT * number / requests + dice.uniform(-NOISE, NOISE)


def test_a_server_sees_blocks_of_one_load_each(hosted: Any) -> None:
    """It loads once per block and never within one; each block begins with an uncounted request; all is delivered."""
    engine = hosted.serve("sky")
    run = hosted.bench("sky").sweep(
        "Why is the sky blue?", sweep={"num_ctx": [512, 1024, 2048], "temperature": [0.0, 1.0]}, rounds=3
    )
    windows = [request.options["num_ctx"] for request in engine.asked]
    blocks = [(window, len(list(group))) for window, group in groupby(windows)]
    assert [many for _, many in blocks] == [3] * 9  # a warm-up round and one round of both points
    assert [("sky:latest", window) for window, _ in blocks] == engine.loads
    assert [{window for window, _ in blocks[at : at + 3]} for at in (0, 3, 6)] == [{512, 1024, 2048}] * 3
    assert all(each.result.complete and len(each.result.counted) == 3 for each in run)
    assert [each.result for each in run] == hosted.delivered == read_journal(hosted.folder / "j.jsonl")
    counted = {(each.point["num_ctx"], one.block) for each in run for one in each.result.counted}
    assert counted == {(window, number) for number, (window, _) in enumerate(blocks, 1)}


def test_a_server_sees_points_of_one_load_in_turn(hosted: Any) -> None:
    """One load for all of them; each pass asks every point once."""
    engine = hosted.serve("sky")
    hosted.bench("sky").sweep("Why?", sweep={"temperature": [0.0, 0.5, 1.0]}, rounds=4)
    asked = [request.options["temperature"] for request in engine.asked]
    assert asked[0] == asked[1]
    assert [sorted(asked[at : at + 3]) for at in (1, 4, 7, 10)] == [[0.0, 0.5, 1.0]] * 4
    assert engine.loads == [("sky:latest", 4096)]


def test_two_windows_take_turns_that_mirror_one_another(hosted: Any) -> None:
    """ABBA: neither is always the later one, and where two blocks of one window meet it is loaded anew."""
    engine = hosted.serve("sky")
    hosted.bench("sky").sweep("Why?", sweep={"num_ctx": [512, 1024], "blocks": 4}, rounds=4)
    first, second = (window for _, window in engine.loads[:2])
    assert [window for _, window in engine.loads] == [first, second, second, first, first, second, second, first]
    assert {first, second} == {512, 1024}


def test_drift_does_not_look_like_an_effect(hosted: Any) -> None:
    """Answers that become 30 % slower on the way are laid to no parameter, whether it needs a load or not."""
    engine = hosted.serve("sky")
    engine.slowness = drifting(2 * 6 * 6)
    run = hosted.bench("sky").sweep("Why?", sweep={"num_ctx": [512, 1024], "temperature": [0, 1]}, rounds=12)
    found = {each.name: each for each in run.effects["tok/s"]}
    assert run.loads == ("num_ctx",)
    assert {name: (each.is_clear, each.why) for name, each in found.items()} == {
        "num_ctx": (False, None), "temperature": (False, None),
    }  # fmt: skip
    assert not run.best("tok/s").distinguishable


def test_an_effect_is_seen_through_the_same_drift(hosted: Any) -> None:
    """A temperature that costs 5 % is told from a drift of 30 %, with an interval that holds what it costs."""
    engine = hosted.serve("sky")
    drift = drifting(2 * 6 * 6)

    def slowness(number: int, request: AnswerRequest) -> float:
        return drift(number, request) * (1.05 if request.options["temperature"] else 1.0)

    engine.slowness = slowness
    run = hosted.bench("sky").sweep("Why?", sweep={"num_ctx": [512, 1024], "temperature": [0, 1]}, rounds=12)
    window, temperature = run.effects["tok/s"]
    assert not window.is_clear
    assert temperature.is_clear
    assert temperature.best == "0"
    assert temperature.ratio_low < 1 / 1.05 < temperature.ratio_high < 1


def test_a_sweep_over_models_on_two_servers_holds_both(hosted: Any) -> None:
    """Each model is asked where it is, its rows name it, and the lines for people name the parameter."""
    hosted.serve("sky")
    hosted.serve("sea")
    hosted.engines["sea"].slowness = lambda number, request: 2.0
    run = hosted.bench("sky").sweep("Why?", sweep={"model": ["sky", "sea"]}, rounds=3)
    assert [(each.model.name, each.tok_s.median) for each in run] == [("sky:latest", 100.0), ("sea:latest", 50.0)]
    assert [len(hosted.engines[name].loads) for name in ("sky", "sea")] == [3, 3]
    assert run[{"model": "sea"}].result.host.url != run[{"model": "sky"}].result.host.url
    assert run.loads == ("model",)
    assert any(
        line.startswith("  model: sky is best at 100 tok/s, sea worst at 50.0 tok/s (-50.0 %") for line in run.lines
    )
