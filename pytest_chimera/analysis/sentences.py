"""Pieces of sentences: names in quotes of the report, lists, plurals, cells of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.analysis.form import Count, Grid, Quoted
from pytest_chimera.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_chimera.analysis.form import Said, Statement
    from pytest_chimera.records import Fact

MOST_NAMES = 5
"""How many names a sentence lists before it only says that there are others."""
MOST_ROWS = 200
"""How many rows a table shows; the facts of the others are kept."""

_TITLES = {
    "cpu": "CPU",
    "process_cpu": "CPU of a process",
    "gpu_util": "GPU",
    "gpu_membw": "GPU memory controller",
    "gpu_temp": "GPU temperature",
    "gpu_clock": "GPU clock",
    "ram": "RAM",
    "ram_used": "RAM used",
    "ram_total": "RAM in all",
    "process_ram": "RAM of a process",
    "vram_used": "GPU memory used",
    "vram_free": "GPU memory free",
    "vram_total": "GPU memory in all",
    "tok/s_e2e": "tok/s of whole requests",
}
_HIGHER = {"speedup", "efficiency", "words/s", "request_rate", "tok/s_e2e"}
_LOWER = {"latency", "compile", "kernel"}


def title(metric: str) -> str:
    """A metric as tables name it."""
    known = METRICS.get(metric)
    return _TITLES.get(metric, metric.replace("_", " ")) if known is None else known.title


def better(metric: str) -> str | None:
    """Which direction is an improvement, "higher" or "lower"; None when neither is, or it is not known."""
    known = METRICS.get(metric)
    if known is not None:
        return known.better
    return "higher" if metric in _HIGHER else "lower" if metric in _LOWER else None


def listed(items: Iterable[Statement], last: str = " and ", joint: str = ", ") -> Statement:
    """ "a, b and c"."""
    parts = [part for part in items if part]
    found: list[Said] = []
    for number, part in enumerate(parts, 1):
        found += part
        if number < len(parts):
            found.append(last if number == len(parts) - 1 else joint)
    return tuple(found)


def names(texts: Sequence[str]) -> Statement:
    """Names from files, the first few of them, and whether there are others."""
    shown: list[Statement] = [(Quoted(text),) for text in texts[:MOST_NAMES]]
    return listed([*shown, ("others",)] if len(texts) > MOST_NAMES else shown)


def plural(count: float | None, noun: str, several: str | None = None) -> str:
    """The noun for so many things, without the number: "row", "rows"."""
    return noun if count == 1 else several or f"{noun}s"


def number_of(fact: Fact, noun: str, several: str | None = None) -> Statement:
    """ "3 rows"."""
    return (fact, f" {plural(fact.value, noun, several)}")


def cell(facts: Mapping[str, Fact], statistic: str, instead: str = "") -> Statement:
    """A cell with a fact, or what stands in its place."""
    fact = facts.get(statistic)
    return (instead,) if fact is None else (fact,)


def model_cell(model: str | None) -> Statement:
    """The name of a model, or that there is none."""
    return ("unknown",) if model is None else (Quoted(model),)


def interval_cell(facts: Mapping[str, Fact]) -> Statement:
    """ "76.1 tok/s to 77.2 tok/s"."""
    if "ci95 low" not in facts:
        return ("n < 2",)
    return (facts["ci95 low"], " to ", facts["ci95 high"])


def n_cell(facts: Mapping[str, Fact]) -> Statement:
    """How many values there are."""
    return (Count(facts["mean"]),) if "mean" in facts else ("0",)


def who(model: str | None, file: str, series: str = "") -> Statement:
    """A model in a file, as sentences name them."""
    place: Statement = (Quoted(file), " ", Quoted(series)) if series else (Quoted(file),)
    return place if model is None else (Quoted(model), " in ", *place)


def table(heading: str, head: tuple[str, ...], rows: Sequence[tuple[Statement, ...]], right: Sequence[int]) -> Grid:
    """A grid that is not longer than people read; its heading says where it was cut."""
    cut = " (the first rows; the appendix has the facts of all)" if len(rows) > MOST_ROWS else ""
    return Grid(title=heading + cut, head=head, rows=tuple(rows[:MOST_ROWS]), right=tuple(right))
