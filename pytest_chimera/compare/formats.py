"""One saved run in the formats that other tools read: github-action-benchmark's custom ones and bencher's.

Plain JSON in fixed units, so that one run's numbers can be held against another's. Comparing is left to those tools;
what a run does not have is left out and never 0.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, Any, Literal

from pytest_chimera.gate.series import KNOWN_UNIT, UnusableError
from pytest_chimera.metrics import METRICS, ROW_METRICS
from pytest_chimera.report.escape import one_line, visible
from pytest_chimera.stats import STATISTICS, UNITS
from pytest_chimera.units import NS_PER_S, s_to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.gate.saved import SavedCase, SavedRun
    from pytest_chimera.gate.series import Series
    from pytest_chimera.metrics import Metric

TIMES = ROW_METRICS
"""Smaller is better."""

RATES = (METRICS["tok/s"], METRICS["prefill"])
"""Bigger is better."""

LONGEST_NAME_BYTES = 1024
"""Of a benchmark's name: with one longer name bencher refuses the whole file."""

_HASH_DIGITS = 12
_DIGITS = 12
"""All that a float has but the last ones, which are noise of the arithmetic."""
_BMF = {"value": "median", "lower_value": "min", "upper_value": "max"}


def github_benchmark(run: SavedRun, better: Literal["smaller", "bigger"]) -> list[dict[str, Any]]:
    """The entries of a file for the tool customSmallerIsBetter or customBiggerIsBetter of github-action-benchmark.

    Times in ms or rates in tok/s, each the median over the rounds; the range is one standard deviation, in the same
    unit, and left out for a single round. The action refuses a file without any entry.
    """
    return [
        entry
        for case in run.cases.values()
        for metric in (TIMES if better == "smaller" else RATES)
        if (entry := _entry(case, metric)) is not None
    ]


def bencher(run: SavedRun) -> dict[str, Any]:
    """The run in Bencher Metric Format, for `bencher run --adapter json`.

    Times in ns, as bencher's built-in latency is, and rates in tok/s; BMF itself names no units. Each value is the
    median over the rounds, its lower and upper value the smallest and the largest round; a single round has neither.
    """
    found = {}
    for case in run.cases.values():
        measures = {_slug(metric.name): measure for metric in (*TIMES, *RATES) if (measure := _measure(case, metric))}
        if measures:
            found[_name(case.id)] = measures
    return found


def _entry(case: SavedCase, metric: Metric) -> dict[str, Any] | None:
    series = case.series.get(metric.name)
    unit, scale = ("ms", s_to_ms(1)) if metric.dimension == "time" else (UNITS[metric.dimension], 1.0)
    value = _statistic(series, "median", scale)
    if series is None or value is None:
        return None
    spread = _statistic(series, "sd", scale)
    # A number and nothing else behind the sign: only that does the action read.
    ranged = {} if spread is None else {"range": f"± {spread}"}
    name = visible(f"{case.id} {metric.name}")
    return {"name": name, "unit": unit, "value": value, **ranged, "extra": "\n".join(_extra(case.info, series))}


def _extra(info: Mapping[str, Any], series: Series) -> list[str]:
    """Lines for the hover text of a chart, of what is known."""
    version = f"{info.get('engine') or 'server'} version"
    facts = {"model": "model", "quantization": "quantization", "server_version": version}
    known = [f"{name}: {info[key]}" for key, name in facts.items() if info.get(key) is not None]
    return [f"rounds: {series.n}", *map(one_line, known)]


def _measure(case: SavedCase, metric: Metric) -> dict[str, float]:
    series = case.series.get(metric.name)
    scale = NS_PER_S if metric.dimension == "time" else 1
    found = {key: _statistic(series, name, scale) for key, name in _BMF.items()}
    return {} if found["value"] is None else {key: value for key, value in found.items() if value is not None}


def _statistic(series: Series | None, name: str, scale: float) -> float | None:
    """A statistic in a unit of which the SI unit has `scale`.

    None where it is unknown or no measurement: not finite, of a clock that ran backwards, the spread of one round.
    """
    if series is None or series.unit != KNOWN_UNIT or not all(map(math.isfinite, series.values or ())):
        return None
    if name != "median" and series.n < STATISTICS["sd"].needs:
        return None
    try:
        value = series.statistic(name) * scale
    except UnusableError:
        return None
    good = 0 < value < math.inf or (value == 0 and name == "sd")
    return float(f"{value:.{_DIGITS}g}") if good else None


def _slug(name: str) -> str:
    """As bencher's slugs are: lower-case letters and digits, joined by single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


def _name(case: str) -> str:
    """The id of a case; one that is too long (a prompt as parameter) ends in a hash of itself."""
    whole = visible(case).encode()
    if len(whole) > LONGEST_NAME_BYTES:
        digest = hashlib.sha256(whole).hexdigest()[:_HASH_DIGITS]
        whole = whole[: LONGEST_NAME_BYTES - _HASH_DIGITS - 1] + f"~{digest}".encode()
    return whole.decode("utf-8", "ignore")
