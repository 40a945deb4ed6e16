"""The gate: a case of this run against its history, one verdict for each metric that it is gated by.

What is judged together is fixed by the history alone, so that choosing some tests, stopping early or spreading them
over workers changes no verdict. Nothing here reads files or fails tests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_chimera.errors import LimitError
from pytest_chimera.gate.comparison import (
    LENGTHS_DIFFER,
    Key,
    Past,
    expected_otherwise,
    measured,
    one_length,
    past_of,
    per_token,
)
from pytest_chimera.gate.decide import Measured, confirmed, decided
from pytest_chimera.gate.expressions import Threshold, parse_gate, thresholds
from pytest_chimera.gate.rule import ALLOWANCE, Margin, Suite
from pytest_chimera.gate.series import TooFewError, UnusableError
from pytest_chimera.metrics import METRICS
from pytest_chimera.records import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.gate.baseline import Baseline, Chosen, Member
    from pytest_chimera.gate.saved import SavedCase

NO_BASELINE_NAMED = "no --chimera-baseline was given"
NO_RUN_HAS_IT = "no earlier run has this case"


@dataclass(frozen=True, slots=True)
class _Judged:
    """The comparisons of a suite with their margins."""

    suite: Suite
    pasts: Mapping[Key, Past]


class Gate:
    """Holds cases against a baseline."""

    def __init__(
        self,
        baseline: Baseline | None,
        expressions: Sequence[Threshold],
        *,
        gated: bool = True,
        allowance: float = ALLOWANCE,
        others: Mapping[str, Sequence[Member]] | None = None,
    ) -> None:
        """`expressions` hold for every case that says nothing of its own; where `gated` is False they fail nothing.

        `others` are the runs of each case on a second side, where two groups of runs are compared.
        """
        self.baseline = baseline
        self.expressions = tuple(dict.fromkeys(expressions))
        self.gated = gated
        self.allowance = allowance
        self.others = others or {}
        self._suites: dict[object, _Judged] = {}

    def judge(self, case: SavedCase) -> tuple[Verdict, ...]:
        """The verdicts on a case of this run, in the order of what it is gated by."""
        own = self._said(case)
        if not own:
            return ()
        if self.baseline is None:
            return tuple(self._bare(case, each, "no baseline", NO_BASELINE_NAMED) for each in own)
        chosen = self.baseline.choose(case.id, case.conditions)
        if chosen.refused is not None:
            return tuple(self._bare(case, each, "not comparable", chosen.refused, chosen) for each in own)
        if not chosen.members:
            reason = "; ".join(chosen.left_out) or NO_RUN_HAS_IT
            return tuple(self._bare(case, each, "no baseline", reason, chosen) for each in own)
        sides = (*(each for _, each in chosen.members), *(each for _, each in self.others.get(case.id, ())), case)
        unknown = [run.name for run, each in chosen.members if not each.lengths]
        judged = own if not case.lengths else per_token(own, one_length=one_length(sides))
        reason = f"nothing is known of the length of answers in {', '.join(unknown)}" if unknown else LENGTHS_DIFFER
        verdicts = [self._bare(case, each, "not comparable", reason, chosen) for each in own if each not in judged]
        return (*(self._verdict(case, each, chosen) for each in judged), *verdicts)

    def confirm(self, verdicts: Sequence[Verdict], again: SavedCase) -> tuple[Verdict, ...]:
        """The verdicts after the case was measured again: one that was `worse` stays so only if it is so again."""
        return tuple(_confirmed(each, again) if each.outcome == "worse" else each for each in verdicts)

    def _said(self, case: SavedCase) -> tuple[Threshold, ...]:
        """What a case is gated by: its own words, else those of the run."""
        return self.expressions if case.gate is None else thresholds(parse_gate(case.gate))

    def _verdict(self, case: SavedCase, threshold: Threshold, chosen: Chosen) -> Verdict:
        bare = self._bare(case, threshold, "same", None, chosen)
        others = expected_otherwise(case, chosen.members) if METRICS[threshold.metric].yes_or_no else ()
        if others:
            reason = f"something else was expected of the answers in {', '.join(others)}"
            return replace(bare, outcome="not comparable", reason=reason)
        try:
            past = self._past(threshold, chosen, case.id)
            new = measured(threshold, case, past)
        except TooFewError as error:
            return replace(bare, outcome="not enough samples", reason=str(error))
        except UnusableError as error:
            return replace(bare, outcome="not comparable", reason=str(error))
        margin = self._margin(case, Key(case.id, threshold.metric, threshold.statistic), past, chosen)
        margin = replace(margin, extra=past.extra_variance(threshold, new))
        return decided(replace(bare, reason=past.note, baseline=past.points), threshold, new, margin)

    def _bare(
        self, case: SavedCase, threshold: Threshold, what: Outcome, reason: str | None, chosen: Chosen | None = None
    ) -> Verdict:
        """A verdict without numbers."""
        return Verdict(
            case=case.id,
            name=case.name,
            model=str(case.info.get("model") or ""),
            metric=threshold.metric,
            statistic=threshold.statistic,
            threshold=threshold.share,
            gated=self.gated or case.gate is not None,
            outcome=what,
            reason=reason,
            differences=chosen.differences if chosen else (),
            left_out=chosen.left_out if chosen else (),
        )

    def _past(self, threshold: Threshold, chosen: Chosen, case: str) -> Past:
        return past_of(threshold, chosen.members, self.others.get(case, ()))

    def _margin(self, case: SavedCase, key: Key, past: Past, chosen: Chosen) -> Margin:
        """The margin of one comparison: as the baseline's suite has it, or with its own history where that differs."""
        judged = self._suite(case)
        known = judged.pasts.get(key)
        if known is not None and known.history == past.history:
            return judged.suite.margins[key]
        pasts = {**judged.pasts, key: past}
        own = (key, chosen.runs, tuple(past.history.others), _mark(case))
        if own not in self._suites:
            self._suites[own] = _judged(pasts, self.allowance)
        return self._suites[own].suite.margins[key]

    def _suite(self, case: SavedCase) -> _Judged:
        """All comparisons of the baseline, as chosen for the server and machine of `case`."""
        environment = case.conditions.environment
        mark = _mark(case)
        if mark not in self._suites:
            assert self.baseline is not None, "asked only where there is one"
            pasts: dict[Key, Past] = {}
            for each in self.baseline.cases:
                chosen = self.baseline.choose(each, environment=environment)
                if chosen.members:
                    pasts |= self._pasts(each, chosen)
            self._suites[mark] = _judged(pasts, self.allowance)
        return self._suites[mark]

    def _pasts(self, case: str, chosen: Chosen) -> dict[Key, Past]:
        """What can be judged of one case of the baseline."""
        newest = chosen.members[-1][1]
        try:
            said = self._said(newest)
        except LimitError:
            return {}  # written by a version that knows other metrics
        others = self.others.get(case, ())
        fixed = one_length([each for _, each in (*chosen.members, *others)])
        found: dict[Key, Past] = {}
        for threshold in per_token(said, one_length=fixed):
            try:
                past = self._past(threshold, chosen, case)
            except UnusableError:
                continue
            found[Key(case, threshold.metric, threshold.statistic)] = past
        return found


def _mark(case: SavedCase) -> object:
    """What tells one server and machine from another."""
    return tuple(sorted(case.conditions.environment.items()))


def _confirmed(verdict: Verdict, again: SavedCase) -> Verdict:
    threshold = Threshold(metric=verdict.metric, statistic=verdict.statistic, share=verdict.threshold)
    second: Measured | str
    try:
        second = measured(threshold, again)
    except UnusableError as error:
        second = str(error)
    return confirmed(verdict, second)


def _judged(pasts: Mapping[Key, Past], allowance: float) -> _Judged:
    return _Judged(Suite({key: past.history for key, past in pasts.items()}, allowance=allowance), pasts)
