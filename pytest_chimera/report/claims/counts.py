"""The verdict of a count: runs attempted and succeeded, configurations, prompts, models, failures."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.records import Fact
from pytest_chimera.report.claims.claim import WEAK
from pytest_chimera.report.claims.clauses import clauses
from pytest_chimera.report.claims.evidence import FACTS, bits
from pytest_chimera.report.claims.judge import claim_of
from pytest_chimera.report.claims.match import agreement, chance_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_chimera.report.claims.case import Case
    from pytest_chimera.report.claims.claim import Claim, ClaimVerdict
    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.claims.inquiry import Inquiry

_FAILING = re.compile(
    r"\b(?:fail\w*|time-?outs?|timed[- ]out|errors?|attempt\w*|succe\w+|usable|crash\w*)\b", re.IGNORECASE
)
_TOTAL = re.compile(r"\b(?:total|all|overall|altogether|in sum|per model|each|every)\b|=|\u00d7", re.IGNORECASE)
TIMED_OUT = re.compile(r"time[d]?[- ]?out", re.IGNORECASE)


_COUNT_NAMES: dict[str, tuple[str, ...]] = {
    "runs": ("rows", "rounds", "runs", "measurements"),
    "failed": ("failed_rows", "failed_rounds", "failed_runs", "failures"),
    "timeouts": ("timeouts", "failed_rows", "failed_rounds"),
    "succeeded": ("counted_rounds", "ok_rows", "good_rows"),
    "files": ("files",),
    "models": ("models",),
}
"""Set -> how facts that count it are called, to their end."""


class Counted(NamedTuple):
    """How many things of a set there are."""

    attempted: int
    succeeded: int
    files: tuple[str, ...]


def judge_count(inquiry: Inquiry, case: Case) -> Claim:
    """The verdict of a number of runs, configurations, prompts, models or failures."""
    counted = list(sets_of(inquiry, case))
    noun = case.sense.noun.strip()
    if not counted:
        return claim_of(case, "unsupported", f"Read as a number of {noun}; the data hold no such set for it.")
    failing = case.sense.counted in {"failed", "timeouts"}
    holding = [each for each in counted if agreement(case.number, each.succeeded) == "yes"]
    tried = [each for each in counted if agreement(case.number, each.attempted) == "yes"]
    chance = chance_of(case.number, {value for each in counted for value in (each.attempted, each.succeeded)})
    speaks = bool(_FAILING.search(case.number.piece.text)) or case.sense.counted == "succeeded"
    weak = chance > WEAK and not any(inquiry.sources.anchored(each.files) for each in (*holding, *tried))
    if (holding or tried) and weak:
        return claim_of(
            case,
            "unsupported",
            f"Read as a number of {noun}; nothing proves that the text speaks of these data.",
            chance=chance,
        )
    if holding:
        return _count_claim(case, "supported", holding[0], chance)
    if tried and (speaks or failing):
        return _count_claim(case, "supported", tried[0], chance)
    if tried:
        note = f", of which {tried[0].succeeded} succeeded: the text does not say which are counted"
        return _count_claim(case, "ambiguous", tried[0], chance, note=note)
    nearest = min(counted, key=lambda each: abs(each.attempted - case.number.value))
    verdict: ClaimVerdict = "contradicted" if _named(inquiry, case, nearest) else "unsupported"
    return _count_claim(case, verdict, nearest, chance, note=f", {nearest.succeeded} of them successful")


def _count_claim(case: Case, verdict: ClaimVerdict, counted: Counted, chance: float, *, note: str = "") -> Claim:
    who = ", ".join((*case.scope.names, *case.scope.settings))
    place = ", ".join(counted.files[:3]) + (" and more" if len(counted.files) > 3 else "")  # noqa: PLR2004  # three are enough to see it
    reason = f"Read as {case.sense.noun.strip()}{f' of {who}' if who else ''}: {counted.attempted} in {place}{note}."
    fact = Fact(
        subject={"file": counted.files[0] if counted.files else "", "scope": who}, metric=case.sense.counted,
        statistic="count", value=float(counted.attempted), dimension="count", n=counted.attempted,
        formula=f"number of {case.sense.counted}", sources=counted.files[:12],
    )  # fmt: skip
    claim = claim_of(case, verdict, reason, chance=chance, cause=counted.files[0] if counted.files else "")
    return claim.changed(found=(fact,), facts=(fact.id,))


def _named(inquiry: Inquiry, case: Case, counted: Counted) -> bool:
    """Whether the set that was counted is named: its file in the section, or a label of it."""
    section = inquiry.sources.named.get(case.number.piece.section.number, frozenset())
    labelled = bool(case.scope.names) and not case.scope.model
    near = section | inquiry.sources.twins
    return case.sense.counted not in {"files", "prompts", "models", "backends"} and (
        any(file in near for file in counted.files) or (labelled and inquiry.sources.anchored(counted.files))
    )


def sets_of(inquiry: Inquiry, case: Case) -> Iterable[Counted]:
    """The sets that a noun may mean: of each file, and of all files of one kind."""
    evidence = inquiry.evidence
    text = case.number.piece.text
    low, high = clauses(text, case.number.start)[1][1:3]
    total = bool(_TOTAL.search(text[low:high])) or bool(_TOTAL.search(case.number.piece.header))
    mask = case.scope.mask
    if total and not any(each.name.dimension == "model" for each in inquiry.scoper.mentions(text)):
        mask = evidence.everything
    told = list(_told(inquiry, case, mask))
    if told or case.sense.counted in {"models", "backends", "files"}:
        yield from told or _things(inquiry, case, mask)
        return
    named = any(each.name.dimension == "model" for each in inquiry.scoper.mentions(text))
    for runs in dict.fromkeys((mask, mask if named else mask | evidence.modelled)):  # a title names one of several
        yield from _sets_among(inquiry, case, runs & inquiry.rows, total=total)


def _sets_among(inquiry: Inquiry, case: Case, rows: int, *, total: bool) -> Iterable[Counted]:
    """The sets among some rows: of each file, of the files of one kind, and where a total is told of all."""
    evidence = inquiry.evidence
    chosen = inquiry.sources.nearest(rows, case.number.piece.section.number, inquiry.layers(case.number))
    if chosen is None:
        return
    count = _COUNTS[case.sense.counted]
    by_file: dict[tuple[str, ...], int] = defaultdict(int)
    for number in bits(chosen.mask):
        by_file[evidence.runs[number].files] |= 1 << number
    kinds: dict[frozenset[str], list[Counted]] = defaultdict(list)
    for files, runs in by_file.items():
        one = Counted(*count(evidence, runs), files)
        yield one
        kinds[inquiry.sources.kind_of(files[0])].append(one)
    yield from (_sum(group) for group in kinds.values() if len(group) > 1)
    if len(by_file) > 1 and total:
        yield _sum([each for group in kinds.values() for each in group])


def _told(inquiry: Inquiry, case: Case, mask: int) -> Iterable[Counted]:
    """The counts among the facts whose name says what is counted."""
    evidence = inquiry.evidence
    words = _COUNT_NAMES.get(case.sense.counted, (case.sense.counted,))
    for number in bits(mask & evidence.by_file.get(FACTS, 0)):
        for (metric, statistic), each in evidence.runs[number].values.items():
            if statistic == "count" and each.value is not None and metric.endswith(words):
                yield Counted(round(each.value), round(each.value), (FACTS,))


def _sum(counted: list[Counted]) -> Counted:
    files = tuple(file for each in counted for file in each.files[:1])
    return Counted(sum(each.attempted for each in counted), sum(each.succeeded for each in counted), files)


def _things(inquiry: Inquiry, case: Case, mask: int) -> Iterable[Counted]:
    """Models, backends and files, counted over the whole scope."""
    evidence = inquiry.evidence
    if case.sense.counted == "files":
        return
    found = evidence.models if case.sense.counted == "models" else evidence.labels.get("backend", {})
    if case.sense.counted == "models" and case.scope.model:
        for model, runs in evidence.models.items():  # "3 variants" of a name are all that share it
            base = model.partition(":")[0]
            mask |= runs if any(name.partition(":")[0] == base for name in case.scope.names) else 0
    chosen = inquiry.sources.nearest(mask, case.number.piece.section.number, ())
    for runs in {case.scope.mask, mask, chosen.mask if chosen else mask}:
        names = [name for name, own in found.items() if own & runs]
        if names:
            files = sorted({evidence.runs[number].files[0] for number in bits(runs)})
            yield Counted(len(names), len(names), tuple(files))


def _runs(evidence: Evidence, mask: int) -> tuple[int, int]:
    return mask.bit_count(), (mask & ~evidence.failed).bit_count()


def _configurations(evidence: Evidence, mask: int) -> tuple[int, int]:
    def distinct(runs: int) -> int:
        return len(
            {
                tuple(sorted((key, str(value)) for key, value in evidence.runs[number].parameters.items()))
                for number in bits(runs)
            }
        )

    attempted, succeeded = distinct(mask), distinct(mask & ~evidence.failed)
    return (attempted, succeeded) if attempted > 1 else _runs(evidence, mask)


def _prompts(evidence: Evidence, mask: int) -> tuple[int, int]:
    def distinct(runs: int) -> int:
        return len({evidence.runs[number].labels.get("prompt", "") for number in bits(runs)} - {""})

    return distinct(mask), distinct(mask & ~evidence.failed)


def _failed(evidence: Evidence, mask: int) -> tuple[int, int]:
    count = (mask & evidence.failed).bit_count()
    return count, count


def _timeouts(evidence: Evidence, mask: int) -> tuple[int, int]:
    count = sum(1 for number in bits(mask & evidence.failed) if TIMED_OUT.search(evidence.runs[number].failure or ""))
    return count, count


def _succeeded(evidence: Evidence, mask: int) -> tuple[int, int]:
    count = (mask & ~evidence.failed).bit_count()
    return count, count


_COUNTS: dict[str, Callable[[Evidence, int], tuple[int, int]]] = {
    "runs": _runs,
    "configurations": _configurations,
    "prompts": _prompts,
    "failed": _failed,
    "timeouts": _timeouts,
    "succeeded": _succeeded,
}
