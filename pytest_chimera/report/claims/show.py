"""A check as lines for a person: contradictions first, by what they disagree with, weak supports apart."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.report.claims.claim import Checked, Claim

_SHOWN = 5
"""Claims of one cause that are shown; the rest is named by its lines."""
_TITLES = {
    "contradicted": "Contradicted by the data",
    "misattributed": "True of something else",
    "ambiguous": "Depends on a choice that the text does not state",
}


def lines(checked: Checked, document: str) -> tuple[str, ...]:
    """The whole check, one line each."""
    shown = [_head(checked, document)]
    for verdict, title in _TITLES.items():
        claims = [each for each in checked.claims if each.verdict == verdict]
        if claims:
            shown += ["", f"{title} ({len(claims)}):", *_by_cause(claims, document)]
    weak = [each for each in checked.claims if each.verdict == "supported" and each.weak]
    if weak:
        shown += ["", f"Supported, but a random number would be, too ({len(weak)}): lines {_places(weak)}."]
    held = [each for each in checked.claims if each.grounded]
    if held:
        shown += ["", f"Supported ({len(held)}): lines {_places(held)}."]
    without = [each for each in checked.claims if each.verdict == "unsupported"]
    if without:
        shown += ["", f"No data judge it ({len(without)}): lines {_places(without)}."]
    return tuple(shown)


def _head(checked: Checked, document: str) -> str:
    every = sum(1 for each in checked.claims if each.numeric)
    grounded = checked.groundedness
    share = "" if grounded is None else f", grounded: {100 * grounded:.0f} %"
    return f"{document}: checkable: {checked.numbers} of {every} numbers{share}"


def line_of(claim: Claim, document: str) -> str:
    """One claim: where it stands, its number, its verdict and why."""
    facts = f" [{', '.join(claim.facts[:3])}]" if claim.facts else ""
    return f'{document}:{claim.line}: "{claim.text}" {claim.verdict}: {claim.reason}{facts}'


def _by_cause(claims: Sequence[Claim], document: str) -> Iterable[str]:
    """Claims that disagree with one file together, said once where there are many."""
    groups: dict[str, list[Claim]] = defaultdict(list)
    for each in claims:
        groups[each.cause].append(each)
    for cause, group in sorted(groups.items(), key=lambda each: (-len(each[1]), each[0])):
        if not cause or len(group) <= _SHOWN:
            yield from (f"  {line_of(each, document)}" for each in group)
            continue
        yield f"  {len(group)} claims disagree with {cause}; was it written anew after the text?"
        yield from (f"    {line_of(each, document)}" for each in group[:_SHOWN])
        yield f"    and {len(group) - _SHOWN} more in lines {_places(group[_SHOWN:])}"


def _places(claims: Iterable[Claim]) -> str:
    """Line numbers, runs of them as ranges: "3, 7-9"."""
    numbers = sorted({each.line for each in claims})
    parts: list[str] = []
    begin = last = numbers[0]
    for number in [*numbers[1:], numbers[-1] + 2]:
        if number > last + 1:
            parts.append(str(begin) if begin == last else f"{begin}-{last}")
            begin = number
        last = number
    return ", ".join(parts)
