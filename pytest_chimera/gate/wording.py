"""A verdict in words and numbers for people, the same for the failed test, the summary, the report and `compare`.

Plain text; what came from files (names of runs, differences) is escaped by whoever prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.gate.decide import worsening
from pytest_chimera.gate.expressions import Threshold
from pytest_chimera.limits import DEFAULT_STATISTIC
from pytest_chimera.metrics import METRICS
from pytest_chimera.units import UNKNOWN, format_value

if TYPE_CHECKING:
    from pytest_chimera.records import Verdict

_ABSURD = 1000.0
_CLEAR = 1e-4
"""A p-value below this is only said to be below."""


def subject(verdict: Verdict) -> str:
    """What is compared: "tok/s", "ttft.p95"."""
    usual = METRICS[verdict.metric].statistic if verdict.metric in METRICS else DEFAULT_STATISTIC
    return verdict.metric if verdict.statistic == usual else f"{verdict.metric}.{verdict.statistic}"


def value(verdict: Verdict, number: float | None) -> str:
    """A value of the verdict's metric with its unit."""
    return format_value(number, METRICS[verdict.metric].dimension)


def percent(share: float | None) -> str:
    """A signed change: "-6.8 %", "+0.2 %"; "unknown" for None."""
    if share is None:
        return UNKNOWN
    # Rounded first, so that there is no signed zero; what is absurdly large has no digits worth showing
    return f"{round(share * 100, 1) + 0.0:+.1f} %" if abs(share) < _ABSURD else f"{share * 100:+.2g} %"


def size(share: float | None) -> str:
    """A share without a sign: "5 %", "4.77 %"."""
    if share is None:
        return UNKNOWN
    return f"{share * 100:.3g} %" if share < 10 or share >= _ABSURD else f"{share * 100:.0f} %"  # noqa: PLR2004  # 1000 %: no powers of ten


def interval(verdict: Verdict) -> str:
    """The 95 % interval of the change: "-8.7 to -4.9 %"."""
    if verdict.ratio_low is None or verdict.ratio_high is None:
        return UNKNOWN
    return f"{percent(verdict.ratio_low - 1).removesuffix(' %')} to {percent(verdict.ratio_high - 1)}"


def p_value(verdict: Verdict) -> str:
    """ "0.0034", "< 0.0001"."""
    if verdict.p_value is None:
        return UNKNOWN
    return f"< {_CLEAR}" if verdict.p_value < _CLEAR else f"{verdict.p_value:.2g}"


def headline(verdict: Verdict) -> str:
    """One sentence, without its full stop, that says what was found or why nothing could be."""
    name = subject(verdict)
    if verdict.change is None:
        beside = "" if verdict.against is None else f" against arm {verdict.against}"
        return f"{name} cannot be judged{beside}: {verdict.outcome}: {verdict.reason}"
    direction = "lower" if verdict.change < 0 else "higher"
    rounds = f"{verdict.statistic} of {plural(verdict.rounds, 'round')}"
    here, there, beside = "now", "before", plural(len(verdict.baseline), "run")
    if verdict.against is not None:
        here, there, beside = "here", f"in {verdict.against}", _pairs(verdict)
    return (
        f"{name} is {percent(abs(verdict.change))[1:]} {direction} than {than(verdict)}: "
        f"{value(verdict, verdict.now)} {here} ({rounds}), {value(verdict, verdict.before)} {there} ({beside})"
    )


def than(verdict: Verdict) -> str:
    """What it was compared with, behind "worse than": "before", "arm a"."""
    return "before" if verdict.against is None else f"arm {verdict.against}"


def certainty(verdict: Verdict) -> str:
    """How sure it is: the interval, what noise can do, what this history could show."""
    parts = [
        f"95 % interval {interval(verdict)}",
        f"allowed {size(verdict.threshold)}",
        f"noise explains up to {size(_noise(verdict))}",
        f"p {p_value(verdict)} over {plural(verdict.comparisons, 'comparison')}",
    ]
    return ", ".join(parts)


def remarks(verdict: Verdict) -> tuple[str, ...]:
    """What else a reader must know, one sentence each without a full stop."""
    return (*own_remarks(verdict), *general_remarks(verdict))


def own_remarks(verdict: Verdict) -> tuple[str, ...]:
    """What holds for this verdict alone."""
    found = []
    if verdict.second is not None and verdict.second.value is not None:
        again = percent(None if verdict.second.ratio is None else verdict.second.ratio - 1)
        state = "confirmed" if verdict.second.confirmed else "not confirmed"
        found.append(f"measured again: {value(verdict, verdict.second.value)} ({again}), {state}")
    if verdict.change is not None and verdict.reason is not None:
        found.append(verdict.reason)
    return tuple(found)


def general_remarks(verdict: Verdict) -> tuple[str, ...]:
    """What may hold for others as well: an assumption, differences of server and machine."""
    found = []
    if verdict.allowance is not None:
        runs = plural(len(verdict.baseline), "baseline run")
        spread = size(verdict.allowance)
        found.append(f"{runs} cannot show how much runs differ: an allowance of {spread} is assumed")
    return (*found, *(f"differs from the baseline: {each}" for each in verdict.differences))


def plural(number: int, noun: str) -> str:
    """ "1 run", "5 runs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _pairs(verdict: Verdict) -> str:
    """What the value of the other arm rests on: pairs, or all its rounds at once."""
    points = verdict.baseline
    if len(points) == 1 and points[0].rounds is not None:
        return plural(points[0].rounds, "round")
    return plural(len(points), "pair")


def _noise(verdict: Verdict) -> float | None:
    """The margin as a share by which the metric would be worse."""
    if verdict.margin is None:
        return None
    threshold = Threshold(metric=verdict.metric, statistic=verdict.statistic, share=verdict.threshold)
    return worsening(threshold, verdict.margin)
