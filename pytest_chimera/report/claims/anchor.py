"""Files that a document must come from, because more of its numbers agree with them than chance allows.

A file of the same kind in the same folder as one of them, the same sweep of another model, belongs to them.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_chimera.report.claims.inquiry import Inquiry

_FEWEST = 3
_SHARE = 0.15
_TELLING = 0.2
"""Numbers that agree with a file by a higher chance tell nothing."""


def anchor(inquiry: Inquiry) -> None:
    """Find the files that agree with the text too often for chance, and make them known as its sources."""
    matched: dict[str, set[tuple[str, str, float]]] = defaultdict(set)
    expected: dict[str, float] = defaultdict(float)
    tried: dict[str, set[tuple[str, str, float]]] = defaultdict(set)
    for case in inquiry.cases:
        if case.sense.sort != "value" or case.chosen is None:
            continue
        key = (case.metric, " ".join(case.scope.names), case.number.value)
        for file in {file for reading in case.defaults for group in reading.groups for file in group[0].files}:
            if key in tried[file]:
                continue
            groups = tuple(
                reading._replace(groups=tuple(group for group in reading.groups if file in group[0].files))
                for reading in case.defaults
            )  # fmt: skip
            chance = inquiry.readings.chance(case, groups)
            if chance > _TELLING:
                continue
            tried[file].add(key)
            expected[file] += chance
            if any(inquiry.readings.agreeing(case, reading)[0] == "yes" for reading in groups if reading.groups):
                matched[file].add(key)
    sure = frozenset(
        file for file, found in matched.items()
        if len(found) >= _FEWEST and len(found) > 2 * expected[file] + 2 and len(found) >= _SHARE * len(tried[file])
    )  # fmt: skip
    kinds = {(str(PurePosixPath(file).parent), inquiry.sources.kind_of(file)) for file in sure}
    inquiry.sources.matched = sure | {
        file for file in inquiry.evidence.by_file
        if (str(PurePosixPath(file).parent), inquiry.sources.kind_of(file)) in kinds
    }  # fmt: skip
