"""Two sides of saved runs: which case of one is held against which of the other, and the verdicts on them.

The rule is the gate's; here runs are put on their sides and, with `--by`, cases are paired that differ in one key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import BaselineError, RecordError, nearest
from pytest_chimera.gate.baseline import Baseline
from pytest_chimera.gate.conditions import OPTION
from pytest_chimera.gate.judge import Gate
from pytest_chimera.gate.saved import short_name
from pytest_chimera.records import UNJUDGED, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.gate.baseline import Member
    from pytest_chimera.gate.expressions import Threshold
    from pytest_chimera.gate.saved import SavedCase, SavedRun

_OF_RUN = ("branch", "commit")
_OF_MODEL = ("model", "digest", "family", "parameter_size", "quantization", "model_format", "model_file_bytes")
"""Keys in which cases differ that run on different models, whose names stand in their ids."""
_STANDS_FOR = {
    "num_ctx_asked": "options.num_ctx",
    "num_ctx_loaded": "options.num_ctx",
    "output_tokens_asked": "options.num_predict",
    "prompt_tokens_asked": "prompt",
    "prompt_hash": "prompt",
    "persona": "prompt",
    "nonce_form": "nonce",
}
"""Recorded key -> what else of a case differs with it."""
_LONGEST_VALUE = 30
_HEAD_OF_LONG = 12
_NOT_KEYS = ("schema", "kind", "metric", "formula", "seen_by", "unit", "case", "complete", "stopped", "started_unix_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared: runs oldest first."""

    base: tuple[SavedRun, ...]
    new: tuple[SavedRun, ...]
    last: int | None = None
    """Per case, so many of the newest comparable runs of the base; None for all."""
    passed_only: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How it is compared."""

    expressions: tuple[Threshold, ...]
    gated: bool
    allowance: float
    anyway: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What came of it."""

    sides: Sides
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()


def compare_sides(sides: Sides, wish: Wish) -> Compared:
    """The verdicts on every case of the new side."""
    groups = _cases_of(sides.new)
    # A single run is judged as the gate does it, by a margin of the history alone; of two groups, or of two single
    # runs, neither is more the history than the other.
    alone = len(sides.new) == 1 and len(sides.base) != 1
    baseline = Baseline(sides.base, last=sides.last, passed_only=sides.passed_only, anyway=wish.anyway)
    gate = Gate(
        baseline,
        wish.expressions,
        gated=wish.gated,
        allowance=wish.allowance,
        others={} if alone else groups,
    )
    verdicts: list[Verdict] = []
    for members in groups.values():
        fresh = gate.judge(members[-1][1])
        verdicts += fresh if len(members) > 1 else _as_saved(fresh, members[-1][1])
    missing = [case for case in baseline.cases if case not in groups]
    notes = [f"only in the base: {', '.join(map(short_name, missing))}"] if missing else []
    foreign = sum(run.foreign_rows for run in (*sides.base, *sides.new))
    if foreign:
        rows = "1 row is no case" if foreign == 1 else f"{foreign} rows are no cases"
        notes.append(f"{rows} of this plugin: pytest-benchmark compare shows ordinary benchmarks")
    return Compared(sides=sides, verdicts=tuple(verdicts), notes=(*sides.notes, *notes))


def paired_by(key: str, sides: Sides) -> Sides:
    """The same runs with their cases paired by the values of `key`: the first value found is the base.

    Raises BaselineError where the key is not recorded, or has one value only.
    """
    found = [(run, case, _value(key, run, case)) for run in (*sides.base, *sides.new) for case in run.cases.values()]
    values = list(dict.fromkeys(value for _, _, value in found if value is not None))
    if not values:
        known = dict.fromkeys(name for run, case, _ in found for name in _keys(run, case))
        raise BaselineError(
            f"No case has a recorded {key!r}.", f"Recorded: {', '.join(sorted(known))}.", nearest(key, known)
        )
    if len(values) == 1:
        raise BaselineError(
            f"Every case has the same {key}, {values[0]!r}: there is nothing to pair.",
            "",
            "Name a key in which cases differ, or two runs that differ in it.",
        )
    return replace(sides, **_paired(key, found, values), last=None, passed_only=False)


def _paired(key: str, found: Sequence[tuple[SavedRun, SavedCase, str | None]], values: Sequence[str]) -> dict[str, Any]:
    """The runs of both sides, each with its cases under the names of their pairs."""
    first, *rest = values
    base: dict[str, dict[str, SavedCase]] = {}
    new: dict[str, dict[str, SavedCase]] = {}
    runs = {run.name: run for run, _, _ in found}
    twice: dict[str, None] = {}
    for run, case, value in found:
        if value is None:
            continue
        pair = _without(case, key, value)
        for other in rest if value == first else [value]:
            name = f"{pair} ({key}: {_short(other)} instead of {_short(first)})"
            side = (base if value == first else new).setdefault(run.name, {})
            if name in side:
                twice[name] = None
            side[name] = _renamed(case, name, key)
    if twice:
        raise BaselineError(
            f"Cases cannot be paired by {key!r}: a run has several of {', '.join(map(short_name, twice))}.",
            "Accepted: a key that tells the cases of a run apart.",
            "Pair them by another key, or name runs with one case of each.",
        )
    return {
        "base": tuple(replace(runs[name], cases=cases) for name, cases in base.items()),
        "new": tuple(replace(runs[name], cases=cases) for name, cases in new.items()),
    }


def _short(value: str) -> str:
    """A value within a name; of a digest its beginning, by which people tell them apart."""
    text = value.removeprefix("sha256:")
    return text if len(text) <= _LONGEST_VALUE else text[:_HEAD_OF_LONG]


def _renamed(case: SavedCase, name: str, key: str) -> SavedCase:
    """The case under the name of its pair; what it is paired by does not define it."""
    conditions = case.conditions
    option = _STANDS_FOR.get(key, key).removeprefix("options.")
    dropped = (_STANDS_FOR.get(key, key), f"{OPTION}{option}")
    defining = {name: value for name, value in conditions.defining.items() if name not in dropped}
    return replace(case, id=name, name=short_name(name), conditions=replace(conditions, defining=defining), verdicts=())


def _without(case: SavedCase, key: str, value: str) -> str:
    """The id of a case less what `key` puts into its brackets, so that the cases of a pair have one name."""
    head, bracket, tail = case.id.partition("[")
    texts = [value]
    if key in _OF_MODEL:
        model = str(case.info.get("model") or "")
        texts += [model, model.removesuffix(":latest")]
    for text in sorted(filter(None, texts), key=len, reverse=True):
        tail = re.sub(rf"(?<![^-\[]){re.escape(text)}(?![^-\]])", "*", tail)
    return f"{head}{bracket}{tail}"


def _value(key: str, run: SavedRun, case: SavedCase) -> str | None:
    """The value of a key as text; None where it is unknown."""
    if key in _OF_RUN:
        return run.branch if key == "branch" else run.commit
    options = case.info.get("options")
    if key.startswith("options.") and isinstance(options, Mapping):
        found = options.get(key.removeprefix("options."))
    else:
        found = case.info.get(key, run.machine.get(key))
    return None if found is None or isinstance(found, (Mapping, list)) else str(found)


def _keys(run: SavedRun, case: SavedCase) -> list[str]:
    """What cases can be paired by."""
    scalars = [
        name
        for name, value in {**case.info, **run.machine}.items()
        if value is not None and not isinstance(value, (Mapping, list)) and name not in _NOT_KEYS
    ]
    options = case.info.get("options")
    return [*_OF_RUN, *scalars, *(f"options.{name}" for name in (options if isinstance(options, Mapping) else ()))]


def _cases_of(runs: Sequence[SavedRun]) -> dict[str, list[Member]]:
    """Case -> the runs that have it."""
    found: dict[str, list[Member]] = {}
    for run in runs:
        for case in run.cases.values():
            found.setdefault(case.id, []).append((run, case))
    return found


def _as_saved(fresh: Sequence[Verdict], case: SavedCase) -> tuple[Verdict, ...]:
    """The verdicts, each as it was saved when the case was measured, where that one rests on the very same runs."""
    try:
        saved = [Verdict.from_dict(each) for each in case.verdicts]
    except RecordError:
        return tuple(fresh)
    found = {_basis(each): each for each in saved if each.outcome not in UNJUDGED}
    return tuple(replace(found.get(_basis(each), each), gated=each.gated) for each in fresh)


def _basis(verdict: Verdict) -> object:
    """What a verdict rests on besides the run that is judged."""
    return verdict.metric, verdict.statistic, verdict.threshold, verdict.allowance, verdict.baseline
