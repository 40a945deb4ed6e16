"""What `chimera.sweep(...)` and `chimera.arms(...)` give back: a run for each point, and what can be said of all.

The statistics are those of `analysis` and `gate`; nothing is computed here.
"""

from __future__ import annotations

from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import LimitError, MarkerError, nearest
from pytest_chimera.gate import wording
from pytest_chimera.metrics import METRICS, find_metric
from pytest_chimera.suites.sweep import label, level_text
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pytest_chimera.analysis.factors import FactorEffect, Lead, Observation
    from pytest_chimera.metrics import Metric
    from pytest_chimera.records import Verdict
    from pytest_chimera.suites.run import Run

EFFECT_METRICS = ("ttft", "prefill", "tok/s", "e2e")
"""What the effects of a sweep are told of: the first token, the prompt, the answer, and all of it."""

_CLEAR = 1e-4
"""A p-value below this is only said to be below."""


class SweepRun:
    """One measured sweep: `run[{"num_ctx": 512}].tok_s.median`, `run.best("tok/s").sentence`, `run.effects["ttft"]`."""

    def __init__(self, runs: Sequence[Run], loads: Collection[str] = ()) -> None:
        """`runs` in the order of the points; `loads` are the parameters of which a change loads the model anew."""
        self.points = tuple(runs)
        self.loads = tuple(loads)

    def __getitem__(self, point: Mapping[str, Any]) -> Run:
        """The run of a point by its parameters, or by those of them that no other point shares. Raises MarkerError."""
        wanted = {name: level_text(level) for name, level in point.items()}
        found = [each for each in self.points if wanted.items() <= _levels(each).items()]
        if len(found) == 1:
            return found[0]
        known = [label(each.point) for each in self.points]
        many = f"{len(found)} points have" if found else "no point has"
        raise MarkerError(
            f"{many} {label(point)}.",
            f"The points are: {'; '.join(known)}.",
            nearest(label(point), known) or "Name a level of each parameter.",
        )

    def __iter__(self) -> Iterator[Run]:
        """The runs in the order of the points."""
        return iter(self.points)

    def __len__(self) -> int:
        """How many points there are."""
        return len(self.points)

    @cached_property
    def effects(self) -> Mapping[str, tuple[FactorEffect, ...]]:
        """What each parameter did, by metric; without metrics of which no round has a value."""
        from pytest_chimera.analysis.factors import effects_of  # noqa: PLC0415  # only where somebody asks

        found = {}
        for metric in (METRICS[name] for name in EFFECT_METRICS):
            seen = self._observations(metric)
            if seen:
                higher = metric.better == "higher"
                found[metric.name] = effects_of(seen, metric=metric.name, higher_is_better=higher, loads=self.loads)
        return found

    def best(self, metric: str) -> Lead | None:
        """The best point by a metric, beside the second; None where fewer than two points have values of it.

        Raises LimitError for a metric of which there is no best, or that has no name here.
        """
        from pytest_chimera.analysis.factors import best_of  # noqa: PLC0415  # only where somebody asks

        known = find_metric(metric)
        if known.better is None:
            gated = ", ".join(each.name for each in METRICS.values() if each.better is not None)
            raise LimitError(
                f"Neither more nor less {known.title} is better, so no point is best.", f"Accepted: {gated}.", ""
            )
        seen = self._observations(known)
        return best_of(seen, metric=known.name, higher_is_better=known.better == "higher", loads=self.loads)

    @property
    def lines(self) -> tuple[str, ...]:
        """For people: of each metric its best point and what each parameter did."""
        found: list[str] = []
        for name, effects in self.effects.items():
            lead = self.best(name)
            if lead is not None:
                found.append(f"{METRICS[name].title}: {lead.sentence}")
            found += [f"  {effect_line(METRICS[name], each)}" for each in effects]
        return tuple(found)

    def __repr__(self) -> str:
        """What an assertion that failed should show."""
        shown = "; ".join(f"{label(each.point)} {_speed(each)}" for each in self.points)
        return f"<SweepRun of {len(self.points)} points: {shown}>"

    def _observations(self, metric: Metric) -> list[Observation]:
        from pytest_chimera.analysis.factors import Observation  # noqa: PLC0415  # only where somebody asks

        seen = []
        for run in self.points:
            for each in run.result.counted:
                values = metric.read(each.generation)
                sent = float(each.generation.sent_unix_ns)  # points begin at different times: not since their beginning
                if values:  # a round with many, such as gaps between tokens, is one observation
                    value = median(values)
                    seen.append(Observation(levels=_levels(run), block=each.block, order=sent, value=value))
        return seen


class ArmsRun:
    """Measured arms: `run["b"].tok_s.median`, `run.verdicts`; the first arm is the one that others are held against."""

    def __init__(self, runs: Mapping[str, Run]) -> None:
        """`runs` by the names of the arms, in their order."""
        self.arms = dict(runs)

    def __getitem__(self, name: str) -> Run:
        """The run of an arm. Raises MarkerError with the known names."""
        if name in self.arms:
            return self.arms[name]
        known = tuple(self.arms)
        raise MarkerError(f"There is no arm {name!r}.", f"The arms are: {', '.join(known)}.", nearest(name, known))

    def __iter__(self) -> Iterator[Run]:
        """The runs in the order of the arms."""
        return iter(self.arms.values())

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """How the other arms are, held against the first."""
        found = (each for run in self.arms.values() for each in run.verdicts)
        return tuple(each for each in found if each.against is not None)

    @property
    def lines(self) -> tuple[str, ...]:
        """For people: a sentence for each verdict."""
        return tuple(
            f"{name}: {each.outcome}: {wording.headline(each)}"
            for name, run in self.arms.items()
            for each in run.verdicts
            if each.against is not None
        )

    def __repr__(self) -> str:
        """What an assertion that failed should show."""
        shown = "; ".join(f"{name} {_speed(run)}" for name, run in self.arms.items())
        return f"<ArmsRun of {len(self.arms)} arms: {shown}>"


def effect_line(metric: Metric, effect: FactorEffect) -> str:
    """What one parameter did to a metric, for people, without a full stop."""
    if effect.best is None or effect.worst is None or effect.ratio is None:
        return f"{effect.name}: unknown: {effect.why}"
    best, worst = effect.levels[effect.best].mean, effect.levels[effect.worst].mean
    text = (
        f"{effect.name}: {effect.best} is best at {format_value(best, metric.dimension)}, {effect.worst} worst at "
        f"{format_value(worst, metric.dimension)} ({wording.percent(effect.ratio - 1)}"
    )
    if effect.p is None or effect.ratio_low is None or effect.ratio_high is None:
        return f"{text}); {effect.why}"
    low, high = wording.percent(effect.ratio_low - 1).removesuffix(" %"), wording.percent(effect.ratio_high - 1)
    chance = f"p < {_CLEAR}" if effect.p < _CLEAR else f"p {effect.p:.2g}"
    told = "" if effect.is_clear else ", not told from chance"
    return f"{text}, 95 % interval {low} to {high}, {chance}{told})"


def _levels(run: Run) -> dict[str, str]:
    return {name: level_text(level) for name, level in run.point.items()}


def _speed(run: Run) -> str:
    return f"TTFT {format_value(run.ttft.median, 'time')}, {format_value(run.tok_s.median, 'rate')}"
