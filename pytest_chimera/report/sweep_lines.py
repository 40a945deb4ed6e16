"""Sweeps for a terminal: of each what its parameters do and which point is best, in a few lines, escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.report.columns import shortened, wrapped
from pytest_chimera.report.document import p_value
from pytest_chimera.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.analysis.factors import FactorEffect, Lead
    from pytest_chimera.records import CaseResult
    from pytest_chimera.report.sweeps import Analysed, Swept

MOST_ROWS = 60
"""Points of one sweep that stand in the table of cases."""
_ENDS = 10
"""Of a larger one: so many from its beginning, and from its end."""
_METRICS = ("tok/s", "ttft")
_MOST_NAMED = 6
_LONGEST_LABEL = 80


def sweep_lines(sweeps: Sequence[Swept], width: int) -> list[str]:
    """Lines of at most `width` characters: per sweep what is said of tok/s, then of TTFT."""
    return [line for swept in sweeps for line in _lines(swept, width)]


def without_middles(results: Sequence[CaseResult], sweeps: Sequence[Swept]) -> list[tuple[CaseResult, int]]:
    """The results whose rows are printed, each with how many points of its sweep are left out behind it."""
    hidden: set[int] = set()
    behind: dict[int, int] = {}
    for swept in sweeps:
        if len(swept.points) > MOST_ROWS:
            middle = swept.points[_ENDS:-_ENDS]
            hidden |= {id(point.result) for point in middle}
            behind[id(swept.points[_ENDS - 1].result)] = len(middle)
    return [(result, behind.get(id(result), 0)) for result in results if id(result) not in hidden]


def _lines(swept: Swept, width: int) -> list[str]:
    on = "" if swept.model is None else f" on {terminal(swept.model)}"
    count = len(swept.points)
    head = f"sweep {terminal(swept.name)}{on}: {count} point{'' if count == 1 else 's'}"
    told = [found for name in _METRICS for found in swept.analysed if found.metric.name == name]
    if not told:
        return wrapped(f"{head}; nothing can be said of its parameters: fewer than two points have values", width, "")
    first, *others = (_told(swept, found) for found in told)
    return [*wrapped(f"{head}; {first}", width, ""), *(line for each in others for line in wrapped(each, width))]


def _told(swept: Swept, found: Analysed) -> str:
    effects = [_effect(each) for each in found.strongest[:_MOST_NAMED]]
    effects += ["..."] if len(found.effects) > _MOST_NAMED else []
    best = "" if found.lead is None else f"; {_best(swept, found.lead)}"
    return f"{found.metric.title}: {', '.join(effects)}{best}"


def _effect(effect: FactorEffect) -> str:
    name = terminal(effect.name)
    why = terminal(effect.why or "unknown")
    if effect.ratio is None:
        return f"{name} ({why})"
    sure = why if effect.p is None else f"p {p_value(effect.p)}"
    return f"{name} {abs(effect.ratio - 1) * 100:.1f} % ({sure})"


def _best(swept: Swept, lead: Lead) -> str:
    best, second = (shortened(terminal(swept.point(each).label), _LONGEST_LABEL) for each in (lead.best, lead.second))
    if lead.p is None:
        return f"best {best}: cannot be told from {second}, because nothing shows how much rounds of one point differ"
    if lead.distinguishable:
        return f"best {best}: distinguishable from every other"
    nearest = shortened(terminal(swept.point(lead.undecided[0]).label), _LONGEST_LABEL)
    left = len(lead.undecided) - 1
    more = f" and {left} other{'' if left == 1 else 's'}" if left else ""
    return f"best {best}: not distinguishable from {nearest}{more}"
