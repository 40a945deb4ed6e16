"""Claims without a number: the order of execution, a list that is said to be all of them, absence, a best setting."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise, permutations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_chimera.report.claims.claim import Claim
from pytest_chimera.report.claims.clauses import clauses
from pytest_chimera.report.claims.evidence import bits
from pytest_chimera.report.claims.scope import is_telling
from pytest_chimera.report.claims.settings import said
from pytest_chimera.report.claims.wording import said_in
from pytest_chimera.report.claims.words import words_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.report.claims.claim import ClaimVerdict
    from pytest_chimera.report.claims.evidence import Evidence
    from pytest_chimera.report.claims.inquiry import Inquiry
    from pytest_chimera.report.claims.settings import Setting
    from pytest_chimera.report.claims.text import Piece

_RANDOM = re.compile(
    r"\b(?:randomi[sz](?:e[ds]?|ing)|shuffl(?:e[ds]?|ing)|random)\s(?:\w+\s){0,3}orders?\b"
    r"|\borders?\s(?:\w+\s){0,3}(?:randomi[sz]ed|shuffled|random)\b",
    re.IGNORECASE,
)
_LISTING = re.compile(
    r"\b(?:document|show|contain|record|capture|hold|cover|reflect|preserve|list)(?:s|ed)?\b[^.;]{0,40}\b(?:issues?|failures?|errors?|outages?|problems?)\b",
    re.IGNORECASE,
)
_ABSENCE = re.compile(
    r"\b(?:no|zero|without(?: any)?)\s(?:[\w:.-]+\s){0,4}?(?:fail(?:ed|ures?)?|errors?|time-?outs?|crash(?:es|ed)?)\b"
    r"|\bnone\s(?:of\s[\w\s]{0,30})?failed\b|\bnever\s(?:failed|timed out|crashed)\b"
    r"|\ball\s(?:[\w:.-]+\s){0,4}(?:completed|succeeded|passed|executed)(?:\ssuccessfully)?\b",
    re.IGNORECASE,
)
_EVERYTHING = re.compile(r"\b(?:all|no|none|every|zero|any)\b", re.IGNORECASE)
_MAX_SETTINGS = 4
_FEWEST_ORDERS = 200
"""In how many ways runs could have been ordered, for one of them to mean something."""
_MAX_ROWS = 5_000


def statements(inquiry: Inquiry, told: set[int]) -> Iterable[Claim]:
    """Every claim of a text that is no number; `told` are the ids of pieces whose numbers tell the same."""
    for piece in inquiry.pieces:
        if piece.kind == "code":
            continue
        for match in _RANDOM.finditer(piece.text):
            yield _order(inquiry, piece, match)
        listing = _LISTING.search(piece.text)
        if listing:
            yield from _listing(inquiry, piece, listing)
        for match in _ABSENCE.finditer(piece.text):
            yield from _absence(inquiry, piece, match)
        if id(piece) not in told:
            yield from _best_setting(inquiry, piece)


def _claim(
    piece: Piece, start: int, end: int, verdict: ClaimVerdict, reason: str, *, entity: str = "", cause: str = ""
) -> Claim:
    line, column = piece.at(start)
    return Claim(
        line=line, start=column, end=column + max(1, end - start), text=piece.text[start:end].strip(),
        said=said_in(piece), verdict=verdict, reason=reason, kind="statement", entity=entity, cause=cause,
    )  # fmt: skip


def _order(inquiry: Inquiry, piece: Piece, match: re.Match[str]) -> Claim:
    """Whether the times of the runs rise in the order of nested loops over the settings."""
    evidence = inquiry.evidence
    looped: list[str] = []
    mixed: list[str] = []
    for file, mask in evidence.by_file.items():
        runs = [evidence.runs[number] for number in bits(mask & ~inquiry.aggregates)]
        runs = [run for run in runs if run.row is not None and run.time is not None and run.files[0] == file]
        if len(runs) < 4 or len(runs) > _MAX_ROWS or not inquiry.sources.anchored(runs[0].files):  # noqa: PLR2004  # fewer show no order
            continue
        runs.sort(key=lambda run: run.time or "")
        levels = [tuple(sorted((key, str(value)) for key, value in run.parameters.items())) for run in runs]
        order = _loop_order(levels)
        if order is not None:
            (looped if order else mixed).append(file)
    start, end = match.span()
    if looped:
        made = f"by their times the runs of {looped[0]} were made in the order of nested loops"
        reason = f"Read as a random order of execution; {made}."
        return _claim(piece, start, end, "contradicted", reason, cause=looped[0])
    if mixed:
        return _claim(
            piece, start, end, "supported", f"By their times the runs of {mixed[0]} follow no order of loops."
        )
    return _claim(
        piece, start, end, "unsupported", "Read as a random order of execution; no times of runs with settings tell it."
    )


def _loop_order(levels: Sequence[tuple[tuple[str, str], ...]]) -> bool | None:
    """Whether runs follow nested loops over their settings, in some nesting; None when settings do not vary enough."""
    names = sorted({name for each in levels for name, _ in each})
    columns = {name: [dict(each).get(name, "") for each in levels] for name in names}
    varying = [name for name in names if len(set(columns[name])) > 1]
    orders = math.lgamma(len(levels) + 1) - sum(math.lgamma(count + 1) for count in Counter(levels).values())
    if not varying or len(varying) > _MAX_SETTINGS or orders < math.log(_FEWEST_ORDERS):
        return None
    ranks = {name: {value: place for place, value in enumerate(dict.fromkeys(columns[name]))} for name in varying}
    for nesting in permutations(varying):
        keys = [tuple(ranks[name][columns[name][index]] for name in nesting) for index in range(len(levels))]
        if all(one <= two for one, two in pairwise(keys)):
            return True
    return False


def _listing(inquiry: Inquiry, piece: Piece, match: re.Match[str]) -> Iterable[Claim]:
    """Whether the folders or files that are said to document failures are all of those beside them that failed."""
    evidence = inquiry.evidence
    named = {path for path in inquiry.sources.files_in(piece.text) if path in evidence.by_file}
    folders = {str(PurePosixPath(path).parent) for path in named}
    if len(folders) < 2:  # noqa: PLR2004  # one is no list
        return
    parents = {str(PurePosixPath(folder).parent) for folder in folders}
    failed = {
        str(PurePosixPath(path).parent) for path, mask in evidence.by_file.items()
        if mask & evidence.failed and str(PurePosixPath(path).parent.parent) in parents
    }  # fmt: skip
    start, end = match.span()
    sound, missing = sorted(folders - failed), sorted(failed - folders)
    if sound:
        yield _claim(
            piece,
            start,
            end,
            "contradicted",
            f"Read as a list of what failed; nothing failed in {sound[0]}.",
            cause=sound[0],
        )
    elif missing:
        yield _claim(
            piece,
            start,
            end,
            "ambiguous",
            f"Read as a list of what failed; runs failed in {', '.join(missing[:3])}, too.",
        )
    else:
        yield _claim(
            piece, start, end, "supported", f"Runs failed in all {len(folders)} and in no other folder beside them."
        )


def _absence(inquiry: Inquiry, piece: Piece, match: re.Match[str]) -> Iterable[Claim]:
    """Whether one run is a counterexample."""
    evidence, (start, end) = inquiry.evidence, match.span()
    mask, entity = _who(inquiry, piece, match)
    chosen = inquiry.sources.nearest(
        mask & ~inquiry.aggregates, piece.section.number, [*reversed(piece.section.headings)]
    )
    if chosen is None:
        return
    failed = [evidence.runs[number] for number in bits(chosen.mask & evidence.failed)]
    if failed:
        anchored = inquiry.sources.anchored(failed[0].files)
        example = f"{len(failed)} failed, one in {failed[0].files[0]} ({_cut(failed[0].failure or '')})"
        reason = f"Read as no failure{f' of {entity}' if entity else ''}; {example}."
        verdict: ClaimVerdict = "contradicted" if anchored else "unsupported"
        yield _claim(piece, start, end, verdict, reason, entity=entity, cause=failed[0].files[0])
    elif chosen.tier != "any":
        reason = f"None of {chosen.mask.bit_count()} runs failed in {min(chosen.files)}."
        yield _claim(piece, start, end, "supported", reason, entity=entity)
    else:
        yield _claim(piece, start, end, "unsupported", "Read as no failure; nothing says of which runs.", entity=entity)


def _who(inquiry: Inquiry, piece: Piece, match: re.Match[str]) -> tuple[int, str]:
    """Of whom an absence is told: the names of its sentence, else the model of the text around it."""
    evidence = inquiry.evidence
    low, high = clauses(piece.text, match.start())[1][1:3]
    mask, entity = evidence.everything, ""
    for each in inquiry.scoper.mentions(piece.text):
        if low <= each.start < high and mask & each.name.mask and is_telling(each, piece.text):
            mask, entity = mask & each.name.mask, each.name.text
    own = [each for each in inquiry.scoper.mentions(piece.text) if low <= each.start < high]
    wide = [
        each for text in (*reversed(piece.leads), *reversed(piece.section.headings))
        for each in inquiry.scoper.mentions(text)
    ]  # fmt: skip
    for each in (*own, *([] if entity else wide)):
        if each.name.dimension == "model" and each.name.mask:
            family = _family(evidence, each.name.mask, each.name.text, match[0])
            return mask & family or mask, f"{each.name.text} {entity}".strip()
    return mask, entity


def _family(evidence: Evidence, mask: int, name: str, said_of: str) -> int:
    """All models of a name where the text says "all" and gives no tag."""
    base = name.partition(":")[0]
    if not _EVERYTHING.search(said_of) or name in said_of:
        return mask
    if re.search(rf"{re.escape(base)}:", said_of, re.IGNORECASE) or base.lower() not in said_of.lower():
        return mask
    for model, runs in evidence.models.items():
        mask |= runs if model.partition(":")[0] == base else 0
    return mask


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."  # noqa: PLR2004  # enough to know it by


_BEST = re.compile(r"\b(?:best|highest|fastest|optimal|maximum|peak|lowest)\b", re.IGNORECASE)


def _best_setting(inquiry: Inquiry, piece: Piece) -> Iterable[Claim]:
    """Whether a level of a setting that is called the best has the best mean."""
    match = _BEST.search(piece.text)
    settings = inquiry.scoper.stated.settings(piece.text) if match else []
    single = [each for each in settings if each.relation == "=" and len(each.values) == 1]
    metrics = [
        word for word in words_in("metric", piece.text) if match and match.start() <= word.start <= match.end() + 30
    ]
    if match is None or not single or not metrics or match.start() < single[0].start:
        return
    metric = next((name for name in metrics[0].means if name in inquiry.evidence.dimensions), None)
    if metric is None:
        return
    outcome = _compared_levels(inquiry, piece, metric, single[0], [each for each in settings if each is not single[0]])
    if outcome is None:
        return
    best, text, files = outcome
    start, end = single[0].start, match.end()
    verdict: ClaimVerdict = (
        "supported" if best else "contradicted" if inquiry.sources.anchored(files) else "unsupported"
    )
    yield _claim(
        piece, start, end, verdict, f"Read as {said(single[0])} having the best mean {metric}: {text}.", cause=files[0]
    )


def _compared_levels(
    inquiry: Inquiry, piece: Piece, metric: str, setting: Setting, others: Sequence[Setting]
) -> tuple[bool, str, tuple[str, ...]] | None:  # fmt: skip
    evidence = inquiry.evidence
    mask = evidence.everything
    for each in others:
        runs = inquiry.scoper.stated.setting_mask(each)
        mask &= evidence.everything if runs is None else runs
    for text in (piece.text, *reversed(piece.leads), *reversed(piece.section.headings), inquiry.scoper.title):
        models = [
            each for each in inquiry.scoper.mentions(text) if each.name.dimension == "model" and each.name.mask & mask
        ]
        if models:
            mask &= models[0].name.mask
            break
    levels = evidence.settings.get(setting.name, {})
    mask &= inquiry.union(levels.values())
    chosen = inquiry.sources.choose(mask, metric, piece.section.number, [piece.text, *reversed(piece.section.headings)])
    if chosen is None:
        return None
    higher = evidence.dimensions[metric] != "time"
    for basis in sorted({value.basis for value in inquiry.values.of(chosen.mask, metric)}):
        means: dict[float, float] = {}
        files: tuple[str, ...] = ()
        for level, runs in levels.items():
            for value in inquiry.values.of(chosen.mask & runs, metric):
                if value.basis == basis:
                    means[level], files = value.value, value.files
        if len(means) > 1 and setting.values[0] in means:
            top = (max if higher else min)(means, key=lambda level: means[level])
            said_of = ", ".join(f"{level:g}: {mean:.5g}" for level, mean in sorted(means.items()))
            return top == setting.values[0], f"means are {said_of} in {files[0]}", files
    return None
