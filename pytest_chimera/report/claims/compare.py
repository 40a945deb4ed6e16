"""The verdict of a comparison: its arithmetic and its operands, or the values of the two things that it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.report.claims.arithmetic import arithmetic, scale_of
from pytest_chimera.report.claims.claim import WEAK, Claim
from pytest_chimera.report.claims.clauses import clauses
from pytest_chimera.report.claims.evidence import FACTS
from pytest_chimera.report.claims.judge import claim_of, judge_value
from pytest_chimera.report.claims.match import agreement, chance_of
from pytest_chimera.report.claims.meaning import dimension_of
from pytest_chimera.report.claims.operands import (
    Sides,
    conditions_of,
    formula_of,
    levels_of,
    own_operands,
    sides_of,
)
from pytest_chimera.report.claims.settings import setting_pattern
from pytest_chimera.report.claims.values import LOADED
from pytest_chimera.report.claims.words import FASTER, SLOWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.report.claims.case import Case
    from pytest_chimera.report.claims.claim import ClaimVerdict
    from pytest_chimera.report.claims.inquiry import Inquiry
    from pytest_chimera.report.claims.sources import Chosen
    from pytest_chimera.report.claims.values import Value

OTHER_BASIS = "on another basis"
"""How the reason of a comparison says that it holds for other values than a text means that says nothing more."""
_SPEEDS = (
    "tok/s",
    "latency",
    "ttft",
    "total",
    "e2e",
    "load",
    "compile",
    "prompt_eval",
    "eval",
    "words/s",
    "request_rate",
)
"""What may be fast; of a comparison that names no metric the first two are asked."""
_WORD = 16
_FURTHER = re.compile(r"\b(?:another|further|additional)\s+[~≈]?$", re.IGNORECASE)
_ALL = re.compile(r"\b(?:all|every|each|always|across)\b", re.IGNORECASE)


class Pair(NamedTuple):
    """Two values and what their comparison gives, in the unit of the number."""

    result: float
    first: Value
    second: Value
    default: bool
    """Whether it is what a text means that says nothing more."""


def judge_comparison(inquiry: Inquiry, case: Case) -> Claim:
    """The verdict of a percentage, factor or difference."""
    operands = own_operands(inquiry, case)
    if operands is not None:
        claim = _by_operands(inquiry, case, operands)
        if claim is not None:
            return claim
    stored = _stored(inquiry, case)
    if stored is not None:
        return stored
    if _FURTHER.search(case.number.piece.text[max(0, case.number.start - 16) : case.number.start]):
        return claim_of(case, "unsupported", "A further step of a comparison; nothing says from where it counts.")
    sides = levels_of(inquiry, case) or sides_of(inquiry, case) or conditions_of(inquiry, case)
    if sides is not None:
        return _by_data(inquiry, case, sides)
    name = _setting_named(inquiry, case)
    if name is not None:
        return _spread_of_levels(inquiry, case, name)
    return claim_of(case, "unsupported", "A comparison of which nothing says what is compared with what.")


def _stored(inquiry: Inquiry, case: Case) -> Claim | None:
    """A difference that the data hold as such."""
    if case.sense.unit is None or case.sense.unit.kind not in {"rate", "time"}:
        return None
    for metric in case.sense.metrics:
        chosen = inquiry.choose(case, case.scope.mask, metric)
        if chosen is None:
            continue
        reading = inquiry.readings.reading(chosen.mask, metric, "delta", None)
        if reading.groups and case.scope.record:
            case.metric, case.chosen, case.defaults = metric, chosen, (reading,)
            case.scales = inquiry.scales(case.sense, metric)
            return judge_value(inquiry, case)
    return None


def _metrics(inquiry: Inquiry, case: Case) -> tuple[str, ...]:
    own = tuple(each for each in case.sense.metrics if each not in {"speedup", "efficiency"})
    behind = case.number.piece.text[case.number.close : case.number.close + _WORD]
    if (FASTER.search(behind) or SLOWER.search(behind)) and not any(each in _SPEEDS for each in own):
        return _SPEEDS  # "faster" is of no size
    if any(each in inquiry.evidence.dimensions for each in own):
        return own
    before = [each.metric for each in inquiry.in_piece(case.number.piece) if each.number.start < case.number.start]
    told = [metric for metric in before if metric]
    return (told[-1],) if told else own[:1] + _SPEEDS[:2]  # "709 tokens, 15 % more" is of tokens


def _is_time(inquiry: Inquiry, metric: str) -> bool:
    return dimension_of(metric, inquiry.evidence.dimensions) == "time"


def _by_operands(inquiry: Inquiry, case: Case, operands: tuple[Case, Case]) -> Claim | None:
    """Two tests: the arithmetic on the operands as written, and each operand."""
    first, second = operands
    metrics = first.sense.metrics or _metrics(inquiry, case)
    formula = formula_of(case, time=bool(metrics) and _is_time(inquiry, metrics[0]))
    outcome = arithmetic(case, formula, first, second)
    if outcome == "other":
        return None
    claims = [judge_value(inquiry, each) for each in operands if each.sense.sort == "value"]
    both = f"{first.number.text} and {second.number.text}"
    if outcome == "no":
        if any(each.grounded or each.verdict == "contradicted" for each in claims):
            return claim_of(case, "contradicted", f"It is not what {both} give.")
        return claim_of(case, "unsupported", f"It is not what {both} give, and the data hold neither.")
    for each in operands:
        each.operand = True
    if outcome == "near":
        return claim_of(case, "ambiguous", f"It is one unit of its last digit from what {both} give.")
    found = [fact for each in claims for fact in each.found]
    if len(claims) == 2 and all(each.verdict == "supported" for each in claims):  # noqa: PLR2004  # both operands
        claim = claim_of(case, "supported", f"It is what {both} give, and the data give both.", chance=0.0)
    elif all(each.verdict == "unsupported" for each in claims):
        claim = claim_of(case, "unsupported", f"It is what {both} give, but the data hold neither.")
    else:
        wrong = "; ".join(each.reason for each in claims if each.verdict != "supported")
        claim = claim_of(case, "ambiguous", f"It is what {both} give, but the data do not give both: {wrong}")
    return claim.changed(found=tuple(found), facts=tuple(each.id for each in found))


def _by_data(inquiry: Inquiry, case: Case, sides: Sides) -> Claim:
    """Against the values of the two things that are named."""
    missing = next((each.name.text for each in sides if not each.name.mask), None)
    who = f"{sides.first.name.text} against {sides.second.name.text}"
    if missing is not None:
        return claim_of(case, "unsupported", f"Read as {who}; the data hold no {missing}.")
    for metric in _metrics(inquiry, case):
        pairs = list(pairs_of(inquiry, case, sides, metric))
        if pairs:
            case.metric = metric
            return _of_pairs(inquiry, case, pairs, who)
    return claim_of(
        case,
        "unsupported",
        f"Read as {who}; the data hold no {_metrics(inquiry, case)[0]} of both.",
    )


def pairs_of(inquiry: Inquiry, case: Case, sides: Sides, metric: str) -> Iterable[Pair]:
    """The values of both sides in pairs: those of one file or of one kind of file are meant by default."""
    scope = inquiry.scoper.scope(case.number, (metric,), without=sides.dimension)
    masks = [scope.mask & each.name.mask for each in sides]
    if sides.dimension.startswith("setting ") and not all(masks):
        whole = inquiry.scoper.scope(case.number, (metric,), without="settings")
        masks = [whole.mask & each.name.mask for each in sides]
    if not all(masks):
        masks = [each.name.mask for each in sides]
    chosen = _chosen(inquiry, case, masks, metric)
    if chosen[0] is None or chosen[1] is None:
        return
    stated = case.sense.statistic if case.sense.statistic not in {None, "sum"} else None
    condition = None if sides.dimension == "condition" else case.sense.condition
    default = (stated or "mean", stated or "mean", condition)
    options = [default]
    if stated is None:
        options += [("best", "best", None), ("best", "mean", None), ("mean", "best", None)]
    if case.sense.condition is None and metric in LOADED and sides.dimension != "condition":
        options.append((default[0], default[1], "warm"))
    if chosen[0].tier == "facts":
        options = [(name, name, None) for name in ("median", "mean", "value", "max", "min", "p95")]
    meant = (chosen[0].mask, chosen[1].mask)
    if chosen[0].tier == "facts" and not scope.settings and case.sense.condition is None:
        meant = (inquiry.evidence.bare(meant[0]), inquiry.evidence.bare(meant[1]))
    yield from _paired(inquiry, case, meant, metric, options)


def _chosen(inquiry: Inquiry, case: Case, masks: Sequence[int], metric: str) -> list[Chosen | None]:
    """The files of both sides: those that hold both where that is known to be meant, else those of each."""
    evidence = inquiry.evidence
    good = [evidence.having(mask, metric) & ~evidence.failed for mask in masks]
    shared = inquiry.union(runs for runs in evidence.by_file.values() if all(runs & mask for mask in good))
    together = [inquiry.choose(case, mask & shared, metric) if mask & shared else None for mask in masks]
    apart = [inquiry.choose(case, mask, metric) for mask in masks]
    if all(each is not None and inquiry.sources.anchored(each.files) for each in together):
        return together
    return apart if all(apart) else together


def _paired(
    inquiry: Inquiry, case: Case, masks: tuple[int, int], metric: str, options: Sequence[tuple[str, str, str | None]]
) -> Iterable[Pair]:
    scale, formula = scale_of(case), formula_of(case, time=_is_time(inquiry, metric))
    for index, (left, right, condition) in enumerate(options):
        ones = inquiry.values.of(masks[0], metric, left, condition)
        twos = inquiry.values.of(masks[1], metric, right, condition)
        same = {(a.files, b.files) for a in ones for b in twos if set(a.files) & set(b.files)}
        kin = {
            (a.files, b.files)
            for a in ones
            for b in twos
            if inquiry.sources.kind_of(a.files[0]) & inquiry.sources.kind_of(b.files[0])
        }
        meant = same or kin or {(a.files, b.files) for a in ones for b in twos}
        for a in ones:
            for b in twos:
                result = formula.of(a.value, b.value)
                if result is not None and not (a.series != b.series and a.files == b.files and a.files[0] != FACTS):
                    default = (index == 0 or a.files[0] == FACTS) and (a.files, b.files) in meant
                    yield Pair(result / scale, a, b, default)


def _of_pairs(inquiry: Inquiry, case: Case, pairs: Sequence[Pair], who: str) -> Claim:
    """The verdict over pairs: one default pair suffices, all of them where the text says "all"."""
    formula = formula_of(case, time=_is_time(inquiry, case.metric))
    outcome = {id(pair): agreement(case.number, pair.result, signless=formula.signless) for pair in pairs}
    default = [pair for pair in pairs if pair.default]
    agreeing = [pair for pair in default if outcome[id(pair)] == "yes"]
    chance = chance_of(case.number, [abs(pair.result) if formula.signless else pair.result for pair in default])
    known = inquiry.sources.anchored(file for pair in default or pairs for value in pair[1:3] for file in value.files)
    low, high = clauses(case.number.piece.text, case.number.start)[0][1:3]
    everything = bool(_ALL.search(case.number.piece.text[low:high])) and len(default) > 1
    read = f"Read as {case.metric}, {who}:"
    if agreeing and (known or chance <= WEAK) and (not everything or len(agreeing) == len(default)):
        reason = f"{read} {_said(case, agreeing[0])}."
        return _pair_claim(inquiry, case, "supported", agreeing[0], reason, chance=chance)
    shown = [pair for pair in default if pair not in agreeing] or list(pairs)
    nearest = min(shown, key=lambda pair: abs(pair.result - case.number.value))
    reason = f"{read} {_said(case, nearest)}"
    if not known:
        reason += ", but nothing proves that the text speaks of these data."
        return claim_of(case, "unsupported", reason, chance=chance)
    near = [pair for pair in default if outcome[id(pair)] == "near"]
    if near and not agreeing:
        reason = f"{read} {_said(case, near[0])}, which holds only under another rounding."
        return _pair_claim(inquiry, case, "ambiguous", near[0], reason, chance=chance)
    others = [pair for pair in pairs if not pair.default and outcome[id(pair)] == "yes"]
    if others and not agreeing and chance_of(case.number, [pair.result for pair in pairs]) <= 3 * WEAK:
        reason = f"{read} it holds only {OTHER_BASIS}, {_said(case, others[0])}."
        return _pair_claim(inquiry, case, "ambiguous", others[0], reason, chance=chance)
    return _pair_claim(inquiry, case, "contradicted", nearest, f"{reason}.", chance=chance)


def _pair_claim(
    inquiry: Inquiry, case: Case, verdict: ClaimVerdict, pair: Pair, reason: str, *, chance: float
) -> Claim:  # fmt: skip
    cause = pair.first.files[0] if verdict == "contradicted" and pair.first.files else ""
    return claim_of(case, verdict, reason, inquiry=inquiry, values=pair[1:3], chance=chance, cause=cause)


def _said(case: Case, pair: Pair) -> str:
    unit = case.sense.unit.name if case.sense.unit else ""
    both = ", ".join(f"{value.text} {value.value:.6g}" for value in (pair.first, pair.second))
    return f"{pair.result:.4g} {unit}".rstrip() + f" ({both})"


def _setting_named(inquiry: Inquiry, case: Case) -> str | None:
    """The setting whose effect a sentence tells, when the data hold several of its levels."""
    text = case.number.piece.text
    low, high = clauses(text, case.number.start)[1][1:3]
    stated = [(each.start, each.end) for each in inquiry.scoper.stated.settings(text)]
    for match in setting_pattern(inquiry.evidence.setting_names).finditer(text, low, high):
        name = match.lastgroup or ""
        if any(start <= match.start() < end for start, end in stated):
            continue
        if len(inquiry.evidence.settings.get(name, ())) > 1:
            return name
    return None


def _spread_of_levels(inquiry: Inquiry, case: Case, name: str) -> Claim:
    """Between the means of the levels of a setting, each file by itself."""
    scope = inquiry.scoper.scope(case.number, _metrics(inquiry, case))
    levels = inquiry.evidence.settings[name]
    for metric in _metrics(inquiry, case):
        chosen = inquiry.choose(case, scope.mask & inquiry.union(levels.values()), metric)
        if chosen is None:
            continue
        case.metric = metric
        by_file: dict[str, list[Value]] = {}
        for mask in levels.values():
            for value in inquiry.values.of(chosen.mask & mask, metric, "mean", case.sense.condition):
                by_file.setdefault(value.basis, []).append(value)
        pairs = []
        for values in by_file.values():
            top, bottom = max(values, key=lambda each: each.value), min(values, key=lambda each: each.value)
            if len(values) > 1 and bottom.value:
                result = (
                    top.value / bottom.value
                    if scale_of(case) == 1.0
                    else (top.value / bottom.value - 1) / scale_of(case)
                )
                pairs.append(Pair(result, top, bottom, default=True))
        if pairs:
            return _of_pairs(inquiry, case, pairs, f"the means of the levels of {name}")
    missing = f"the data hold no {_metrics(inquiry, case)[0]} at several of its levels"
    return claim_of(case, "unsupported", f"Read as the effect of {name}; {missing}.")


def settle_siblings(inquiry: Inquiry, judged: dict[int, Claim]) -> None:
    """Comparisons of one row must hold on one basis: a support and an ambiguity beside each other contradict."""
    rows: dict[tuple[int, int], list[Case]] = {}
    for case in inquiry.cases:
        piece = case.number.piece
        if case.sense.sort == "comparison" and piece.table is not None:
            rows.setdefault((piece.table.number, piece.row), []).append(case)
    for cases in rows.values():
        claims = [judged[id(case)] for case in cases]
        held = [claim for claim in claims if claim.verdict == "supported"]
        if not held:
            continue
        for case, claim in zip(cases, claims, strict=True):
            if claim.verdict == "ambiguous" and OTHER_BASIS in claim.reason:
                reason = f"{claim.reason} The number beside it holds on the usual basis, and both must share one."
                judged[id(case)] = claim.changed(verdict="contradicted", reason=reason)
