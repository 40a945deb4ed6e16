"""The verdict of a plain value: readings in their order, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.report.claims.case import Case, Reading
from pytest_chimera.report.claims.claim import WEAK, Claim
from pytest_chimera.report.claims.wording import compared, said_in, understood

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.report.claims.claim import ClaimVerdict
    from pytest_chimera.report.claims.inquiry import Inquiry
    from pytest_chimera.report.claims.values import Value

_NEAR = 0.10
_APART = 2.0
_MOST_CHANCE = 0.5
"""Under an unstated condition; cold and warm are so far apart that the choice is plain where one of them fits."""


def claim_of(
    case: Case, verdict: ClaimVerdict, reason: str, *, inquiry: Inquiry | None = None, values: Sequence[Value] = (),
    chance: float | None = None, cause: str = "",
) -> Claim:  # fmt: skip
    """A claim with its verdict."""
    number = case.number
    line, start = number.piece.at(number.start)
    sort = case.sense.sort
    loose = number.low is not None or number.hedge in {"over", "under", "lost"}
    facts = tuple(inquiry.fact(value, case) for value in values[:3]) if inquiry else ()
    return Claim(
        line=line, start=start, end=start + max(1, number.close - number.start),
        text=number.piece.text[number.start : number.close].strip(), said=said_in(number.piece), verdict=verdict,
        weak=verdict == "supported" and chance is not None and chance > WEAK, reason=reason,
        metric=case.metric or (case.sense.metrics[0] if case.sense.metrics else ""),
        entity=", ".join((*case.scope.names, *case.scope.settings)), statistic=case.sense.statistic or "",
        condition=case.sense.condition or "", unit=case.sense.unit.name if case.sense.unit else "", value=number.value,
        chance=chance, facts=tuple(fact.id for fact in facts), found=facts, operand=case.operand, cause=cause,
        kind=sort if sort in {"comparison", "count"} else "bound" if loose else "value",
    )  # fmt: skip


def judge_value(inquiry: Inquiry, case: Case) -> Claim:
    """The verdict of a plain value."""
    if not case.sense.metrics:
        return claim_of(case, "unsupported", "No word names a metric that the data could be asked for.")
    if case.chosen is None or not any(reading.groups for reading in case.defaults):
        return _without_data(inquiry, case)
    if inquiry.sources.lacking(case.number.piece.section.number, [case.metric]) and case.chosen.tier != "facts":
        return claim_of(
            case, "unsupported", f"Read as {understood(case)}; the files that this section names hold no {case.metric}."
        )
    chance = inquiry.readings.chance(case, case.defaults)
    for reading in case.defaults:
        outcome, group = inquiry.readings.agreeing(case, reading)
        if outcome == "yes" and group is not None and (chance <= WEAK or _known(inquiry, case)):
            reason = f"Read as {understood(case)}; {compared(group[-1], inquiry.dimension(case.metric))}."
            return claim_of(case, "supported", reason, inquiry=inquiry, values=group, chance=chance)
    return _disagreeing(inquiry, case, chance) if _known(inquiry, case) else _contradicted(inquiry, case, chance)


def _known(inquiry: Inquiry, case: Case) -> bool:
    """Whether it is proven that the text speaks of the files that a number would be compared with."""
    return inquiry.sources.anchored(
        file
        for reading in case.defaults
        for group in inquiry.readings.groups(case, reading)
        for each in group
        for file in each.files
    )


def _disagreeing(inquiry: Inquiry, case: Case, chance: float) -> Claim:
    """A value that no default reading gives."""
    dimension = inquiry.dimension(case.metric)
    for reading in case.defaults:
        outcome, group = inquiry.readings.agreeing(case, reading)
        if outcome == "near" and group is not None:
            found = f"{compared(group[-1], dimension)}, which holds only under another rounding"
            reason = f"Read as {understood(case)}; {found}."
            return claim_of(case, "ambiguous", reason, inquiry=inquiry, values=group, chance=chance)
    others = inquiry.readings.alternatives(case)
    for reading in others:
        outcome, group = inquiry.readings.agreeing(case, reading)
        most = _MOST_CHANCE if reading.condition and not case.sense.condition else WEAK
        if case.number.low is not None:
            most = _MOST_CHANCE
        elif case.number.hedge in {"over", "under", "lost"}:
            most = 1.0
        if outcome == "yes" and group is not None and inquiry.readings.chance(case, [reading]) <= most:
            only = f"it holds as {reading.text} only, which the text does not say"
            reason = f"Read as {understood(case)}; {only}: {compared(group[-1], dimension)}."
            return claim_of(case, "ambiguous", reason, inquiry=inquiry, values=group, chance=chance)
    close = _close_condition(inquiry, case, others)
    if close is not None:
        open_choice = "cold and warm rows differ by more than a factor of two, and nothing says which are meant"
        reason = f"Read as {understood(case)}; {open_choice}: {compared(close, dimension)}."
        return claim_of(case, "ambiguous", reason, inquiry=inquiry, values=[close], chance=chance)
    return _contradicted(inquiry, case, chance)


def _close_condition(inquiry: Inquiry, case: Case, others: Sequence[Reading]) -> Value | None:
    """A value under an unstated condition that lies within 10 %, where cold and warm differ more than twofold."""
    if case.sense.condition is not None or case.number.low is not None:
        return None
    default = [group[0] for reading in case.defaults for group in inquiry.readings.groups(case, reading)]
    for reading in others:
        if reading.condition is None:
            continue
        for group in inquiry.readings.groups(case, reading):
            for scale in case.scales:
                value = group[0].value / scale
                twin = next((each for each in default if each.basis == group[0].basis), None)
                if value and twin and abs(value - case.number.value) <= _NEAR * abs(value):
                    ratio = max(twin.value, group[0].value) / max(1e-12, min(twin.value, group[0].value))
                    if ratio > _APART:
                        return group[0]
    return None


def nearest(inquiry: Inquiry, case: Case) -> Value | None:
    """The value of the default readings that is nearest to the number."""
    found = [group[-1] for reading in case.defaults for group in inquiry.readings.groups(case, reading)]
    if not found:
        return None
    return min(found, key=lambda value: min(abs(value.value / scale - case.number.value) for scale in case.scales))


def _contradicted(inquiry: Inquiry, case: Case, chance: float) -> Claim:
    """Data in scope disagree: a contradiction where the text is proven to speak of them, else another experiment."""
    assert case.chosen is not None, "only asked when there are data"
    value = nearest(inquiry, case)
    assert value is not None, "only asked when there are values"
    said = f"Read as {understood(case)}; {compared(value, inquiry.dimension(case.metric))}"
    if not _known(inquiry, case):
        reason = f"{said}, but nothing proves that the text speaks of these data: it may be another experiment."
        return claim_of(case, "unsupported", reason, inquiry=inquiry, values=[value], chance=chance)
    note = _note(inquiry, case)
    cause = f"{value.files[0] if value.files else ''}"
    return claim_of(case, "contradicted", f"{said}{note}.", inquiry=inquiry, values=[value], chance=chance, cause=cause)


def _note(inquiry: Inquiry, case: Case) -> str:
    """What else the number is: another entity's value, or a mean with failed rows as zeros; empty when neither."""
    assert case.chosen is not None, "only asked when there are data"
    other = another(inquiry, case)
    if other is not None:
        return f"; the number is the {other.statistic} of {other.model}"
    for value in inquiry.values.of(case.chosen.mask, case.metric, "mean"):
        failed = _failed_beside(inquiry, case, value)
        if failed and any(
            abs(value.value * value.n / (value.n + failed) / scale - case.number.value)
            < 0.5 * 10.0**-case.number.decimals
            for scale in case.scales
        ):
            return f"; the number counts {failed} failed row{'s' if failed > 1 else ''} as zero"
    return ""


def _failed_beside(inquiry: Inquiry, case: Case, value: Value) -> int:
    evidence = inquiry.evidence
    mask = case.scope.mask & evidence.failed & evidence.by_file.get(value.files[0] if value.files else "", 0)
    return mask.bit_count()


def another(inquiry: Inquiry, case: Case) -> Value | None:
    """The value of another entity, under the same metric, statistic and condition, that the number is."""
    evidence = inquiry.evidence
    statistic = case.sense.statistic or "mean"
    own = case.scope.mask
    for metric in case.sense.metrics:
        scales = case.scales if case.metric else inquiry.scales(case.sense, metric)
        values = [
            value
            for model, mask in evidence.models.items() if not mask & own
            for value in inquiry.values.of(mask, metric, statistic, case.sense.condition)
        ]  # fmt: skip
        trial = Case(case.number, case.sense, case.scope, metric, scales=scales)
        reading_groups = tuple((value,) for value in values)
        if not reading_groups:
            continue
        reading = Reading(statistic, case.sense.condition, reading_groups)
        outcome, group = inquiry.readings.agreeing(trial, reading)
        if outcome == "yes" and group is not None and inquiry.readings.chance(trial, [reading]) <= WEAK:
            return group[0]
    return None


def _without_data(inquiry: Inquiry, case: Case) -> Claim:
    """No data for this metric of this entity: misattributed when the number is another's, else unsupported."""
    missing = f"the data hold no {case.scope.unknown}" if case.scope.unknown else "the data hold no such number for it"
    if case.scope.model or case.scope.unknown:
        other = another(inquiry, case)
        if other is not None:
            reason = f"Read as {understood(case)}; {missing}, and {compared(other, inquiry.dimension(other.metric))}."
            return claim_of(case, "misattributed", reason, inquiry=inquiry, values=[other])
    return claim_of(case, "unsupported", f"Read as {understood(case)}; {missing}.")
