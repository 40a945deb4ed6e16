"""The best configuration of a sweep, and whether the rows can tell it from the second.

That the best mean is compared with the second only, after looking, needs no correction: at any level the test of the
two errs no more often than it says (Gutmann and Maymin 1987).
"""

from __future__ import annotations

import math
import shlex
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import conditioned, described, sd
from pytest_chimera.analysis.evidence import is_tag, shown_setting
from pytest_chimera.analysis.form import Finding, Quoted, Recommendation
from pytest_chimera.analysis.places import places
from pytest_chimera.analysis.sentences import better, title, who
from pytest_chimera.analysis.sweeps import mean_of
from pytest_chimera.distributions import t_tail
from pytest_chimera.records import Fact
from pytest_chimera.wire.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.analysis.evidence import Row
    from pytest_chimera.analysis.form import Statement
    from pytest_chimera.analysis.sweeps import Measured

SURE = 0.05
"""The best is told from the second when chance alone sets them as far apart less often than this."""
_FEWEST = 2
_ROUNDS = 10
"""Rounds of each that the command asks for."""


@dataclass(frozen=True, slots=True)
class Lead:
    """The two best configurations of one metric of one sweep."""

    measured: Measured
    best: tuple[tuple[str, ...], tuple[Row, ...]]
    second: tuple[tuple[str, ...], tuple[Row, ...]]
    noise: float | None
    """One standard deviation of a row; None where nothing shows it."""
    df: int
    replicated: bool
    """Whether the noise is that of rows with the very same configuration."""

    @property
    def apart(self) -> float | None:
        """How many standard deviations of a row lie between the two means."""
        first, other = (mean_of(rows, self.measured.metric) for _, rows in (self.best, self.second))
        return abs(first - other) / self.noise if self.noise else None

    @property
    def p(self) -> float | None:
        """How often chance alone sets the two as far apart; None without replicates."""
        if self.apart is None or not self.replicated:
            return None
        return min(1.0, 2 * t_tail(self.apart / math.sqrt(1 / len(self.best[1]) + 1 / len(self.second[1])), self.df))


def lead_of(measured: Measured) -> Lead | None:
    """The two best configurations; None where no direction is better, or there are fewer."""
    direction = better(measured.metric)
    by_configuration: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in measured.rows:
        by_configuration[tuple(shown_setting(row.parameters[name]) for name in measured.sweep.settings)].append(row)
    if direction is None or len(by_configuration) < _FEWEST:
        return None
    sign = -1 if direction == "higher" else 1
    ordered = sorted(by_configuration.items(), key=lambda each: (sign * mean_of(each[1], measured.metric), each[0]))
    df = len(measured.rows) - len(by_configuration)
    (first, best), (other, second) = ordered[0], ordered[1]
    replicated = len(best) > 1 and len(second) > 1
    noise = _pooled(list(by_configuration.values()), measured.metric) if replicated else measured.fit.residual_sd
    return Lead(
        measured, (first, tuple(best)), (other, tuple(second)), noise, df if replicated else measured.fit.residual_df,
        replicated,
    )  # fmt: skip


def _pooled(configurations: Sequence[Sequence[Row]], metric: str) -> float | None:
    """The standard deviation within configurations."""
    squares, df = [], 0
    for rows in configurations:
        spread = sd([row.values[metric].value or 0.0 for row in rows])
        if spread is not None:
            squares.append(spread * spread * (len(rows) - 1))
            df += len(rows) - 1
    return math.sqrt(math.fsum(squares) / df) if df else None


def lead_finding(lead: Lead) -> Finding:
    """Which configuration is best, which is second, and whether they can be told apart."""
    measured = lead.measured
    group = measured.sweep.group
    best, second = _mean_fact(lead, "best"), _mean_fact(lead, "second")
    condition = " over warm rows" if measured.condition == "warm" else ""
    return Finding(
        kind="effects",
        statement=(
            f"Best mean {title(measured.metric)}{condition} of ", *who(group.model, group.file, group.series), ": ",
            Quoted(_settings(lead, "best")), " with ", best, ", then ", Quoted(_settings(lead, "second")), " with ",
            second, ". ", *_verdict(lead),
        ),
    )  # fmt: skip


def _verdict(lead: Lead) -> Statement:
    apart = _apart_fact(lead)
    if apart is None:
        return ("They cannot be told apart: nothing shows how much rows of one configuration differ.",)
    p = _p_fact(lead)
    if p is None:
        return (
            "They are not distinguishable: ", apart,
            " residual standard deviations lie between them, and one row per configuration proves no winner.",
        )  # fmt: skip
    if (p.value or 0.0) >= SURE:
        spread = "rows of one configuration differ so much that chance sets the best two as far apart in "
        return (f"They are not distinguishable: {spread}", p, " of cases.")
    return ("They are distinguishable: chance alone would set the best two as far apart in ", p, " of cases.")


def lead_recommendation(lead: Lead, finding: Finding) -> Recommendation | None:
    """Measuring the two again, with rounds enough, where the settings are options of Ollama."""
    measured = lead.measured
    names, model = measured.sweep.settings, measured.sweep.group.model
    is_clear = lead.p is not None and lead.p < SURE
    if is_clear or not is_tag(model) or any(name not in OPTIONS for name in names):
        return None
    runs = [
        f"pytest --chimera-model {shlex.quote(model or '')} --chimera-rounds {_ROUNDS}"
        + "".join(
            f" --chimera-option {shlex.quote(f'{name}={level}')}" for name, level in zip(names, levels, strict=True)
        )
        + f" --benchmark-save={word}"
        for word, levels in (("best", lead.best[0]), ("second", lead.second[0]))
    ]
    return Recommendation(
        statement=(
            "Measure the two best configurations of ", *who(model, measured.sweep.group.file),
            " again, with several rounds of each, before one of them is chosen.",
        ),
        findings=(finding,),
        command=" && ".join((*runs, "pytest-chimera compare best second")),
    )  # fmt: skip


def _settings(lead: Lead, which: str) -> str:
    levels = (lead.best if which == "best" else lead.second)[0]
    return ", ".join(f"{name}={level}" for name, level in zip(lead.measured.sweep.settings, levels, strict=True))


def _mean_fact(lead: Lead, which: str) -> Fact:
    measured = lead.measured
    rows = (lead.best if which == "best" else lead.second)[1]
    subject = {**measured.sweep.group.subject, "configuration": _settings(lead, which)}
    values = [row.values[measured.metric] for row in rows]
    return described(values, subject, condition=measured.condition, statistics=("mean",))["mean"]


def _subject(lead: Lead) -> dict[str, str]:
    subject = {**lead.measured.sweep.group.subject, "configurations": "best and second"}
    return conditioned(subject, lead.measured.condition)


def _apart_fact(lead: Lead) -> Fact | None:
    if lead.apart is None:
        return None
    of = "rows of one configuration" if lead.replicated else "what a linear model of main effects leaves"
    return Fact(
        subject=_subject(lead), metric=lead.measured.metric, statistic="difference / sd", value=lead.apart,
        dimension="count", n=len(lead.measured.rows),
        formula=f"(mean of the best - mean of the second) / standard deviation of {of}",
        sources=places(row.values[lead.measured.metric] for row in (*lead.best[1], *lead.second[1])),
    )  # fmt: skip


def _p_fact(lead: Lead) -> Fact | None:
    if lead.p is None:
        return None
    return Fact(
        subject=_subject(lead), metric=lead.measured.metric, statistic="p", value=lead.p, dimension="ratio",
        n=len(lead.measured.rows), formula="t test of the best against the second, pooled spread within configurations",
        sources=places(row.values[lead.measured.metric] for row in (*lead.best[1], *lead.second[1])),
    )  # fmt: skip
