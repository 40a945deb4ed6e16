"""What the gate says of one metric of one case: better, same, worse, or why it cannot be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_chimera.records.base import Record

Outcome = Literal["worse", "better", "same", "no baseline", "not enough samples", "not comparable"]

OUTCOMES: tuple[Outcome, ...] = ("worse", "not comparable", "not enough samples", "no baseline", "better", "same")
"""Every outcome, those first that a person must look at first."""

UNJUDGED: tuple[Outcome, ...] = ("no baseline", "not enough samples", "not comparable")
"""Outcomes that say why nothing could be judged; they fail a test only where that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePoint(Record):
    """One earlier run, as far as a verdict rests on it."""

    run: str
    """Its name: the number and name in pytest-benchmark's storage, or the file."""
    value: float
    """The statistic over its rounds, in the SI unit of the metric."""
    rounds: int | None = None
    """How many rounds; None where its file does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook(Record):
    """What measuring a case again said of a metric that was found worse."""

    value: float | None
    """The same statistic, in the SI unit; None when nothing could be measured."""
    ratio: float | None
    """It divided by the baseline."""
    confirmed: bool
    """Whether it too is beyond the threshold and beyond half of the margin."""
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonNoise(Record):
    """What all comparisons of a suite share, to tell a shift of the whole suite from one of a case."""

    comparisons: int
    df: int
    common: float
    """Mean square of what the runs of the history have in common, in units of each comparison's variance."""
    single: float
    """Mean square of what is each comparison's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Record):
    """One metric of one case against its baseline."""

    case: str
    """Id of the case: the node id of its test, " #2" for its second call and so on."""
    name: str
    """For people."""
    model: str
    metric: str
    """Canonical name, a key of `metrics.METRICS`."""
    statistic: str = "median"
    threshold: float
    """Share by which it may become worse: 0.05 is 5 %."""
    gated: bool = True
    """Whether it was asked for as a gate; else it is information, and fails nothing."""
    outcome: Outcome
    reason: str | None = None
    """Why it could not be judged, or what else the outcome rests on."""
    now: float | None = None
    """The statistic over the counted rounds of this run, in the SI unit."""
    before: float | None = None
    """The geometric mean of the statistics of the baseline runs, in the SI unit."""
    ratio: float | None = None
    """now / before."""
    ratio_low: float | None = None
    """Lower end of the 95 % confidence interval of the ratio, for this comparison alone."""
    ratio_high: float | None = None
    p_value: float | None = None
    """How often an unchanged suite would show a difference this large anywhere, in this direction."""
    margin: float | None = None
    """How far ln cost may differ by noise; fixed by the history before the first round."""
    error: float | None = None
    """Standard deviation of ln cost, new less base, where nothing has changed."""
    smallest_change: float | None = None
    """The smallest worsening that this history could show, as a share."""
    rounds: int = 0
    """How many rounds `now` rests on."""
    baseline: tuple[BaselinePoint, ...] = ()
    """The runs it was judged against, oldest first."""
    comparisons: int = 0
    """How many are judged together, each margin being widened for it."""
    allowance: float | None = None
    """The run-to-run spread that was assumed because one or two runs cannot show it; None where it was measured."""
    noise: CommonNoise | None = None
    differences: tuple[str, ...] = ()
    """What differs between this run and its baseline, each as "Ollama version 0.33.0 instead of 0.32.15"."""
    left_out: tuple[str, ...] = ()
    """Runs that were not used, each with the reason."""
    second: SecondLook | None = None
    against: str | None = None
    """The arm that it was compared with in the same session; None where earlier runs are the baseline."""

    def fails(self, *, strict: bool) -> bool:
        """Whether its test fails for it; `strict` lets what could not be judged fail as well."""
        return self.gated and (self.outcome == "worse" or (strict and self.outcome in UNJUDGED))

    @property
    def change(self) -> float | None:
        """ratio - 1: -0.07 is 7 % less than before."""
        return None if self.ratio is None else self.ratio - 1
