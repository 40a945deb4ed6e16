"""Whether a round was cold: the model had to be loaded or loaded anew for it.

Two signs: what the server said to have in memory just before, and afterwards a load duration that stands out among the
rounds of its case. Of prompts that were seen before (the prefix cache) nothing is said here.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from pytest_chimera.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import Case, LoadedModel, ModelInfo, Round

_STANDS_OUT = 10
_QUICKEST_LOAD_NS = 20 * NS_PER_MS
"""No load is quicker: a model of 100 KB takes 56 ms. Without it a busy machine's 2 ms among 0.2 ms was called cold."""
_OTHERS = 3
"""As many other rounds are needed to say what is usual."""


def find_loaded(model: ModelInfo, in_memory: Sequence[LoadedModel]) -> LoadedModel | None:
    """The entry of `model`, by its name or, because two names can share one model, by its digest."""
    by_name = (each for each in in_memory if each.name.lower() == model.name.lower())
    by_digest = (each for each in in_memory if model.digest is not None and each.digest == model.digest)
    return next(by_name, None) or next(by_digest, None)


def will_load(case: Case, in_memory: Sequence[LoadedModel] | None, as_loaded: LoadedModel | None) -> bool | None:
    """Whether the next request of `case` makes the server load its model; None when the server did not say.

    `as_loaded` is how the model stood in memory after an earlier request of this case: another window than that was
    given to it by somebody else, and asking for ours loads it anew.
    """
    if in_memory is None:
        return None
    found = find_loaded(case.model, in_memory)
    if found is None:
        return True
    window = found.context_length
    if window is None:
        return False
    if as_loaded is not None and as_loaded.context_length is not None:
        return window != as_loaded.context_length
    asked = case.options["num_ctx"]
    return window not in {asked, min(asked, case.model.context_length or asked)}


def mark_reloads(rounds: Sequence[Round]) -> tuple[Round, ...]:
    """The rounds, those marked cold whose load duration stands out though the server had the model just before.

    It stands out when it is above 20 ms, above 10 times the median of the other warm rounds and, where a load of this
    model was seen, at least half of that one. No fixed time is a sign by itself: servers take 0.6 to 300 ms for a
    model that is there.
    """
    seen = [_load(each) for each in rounds if each.cold]
    known_load = min((load for load in seen if load is not None), default=None)
    return tuple(replace(each, cold=True) if _stands_out(each, rounds, known_load) else each for each in rounds)


def _stands_out(judged: Round, rounds: Sequence[Round], known_load: int | None) -> bool:
    load = _load(judged)
    if load is None or judged.cold or load < _QUICKEST_LOAD_NS:
        return False
    others = [_load(each) for each in rounds if each is not judged and not each.cold]
    usual = [each for each in others if each is not None]
    if len(usual) < _OTHERS or load <= _STANDS_OUT * median(usual):
        return False
    return known_load is None or 2 * load >= known_load


def _load(each: Round) -> int | None:
    return each.generation.load_duration_ns if each.generation.ok else None
