"""Every numeric claim of a text against the data: what holds, what does not, and what nobody can tell.

`check(text, facts)` is what a report uses on a model's prose and an audit uses on files. What a number is about is
worked out from the words around it; each verdict names everything as it was understood, so that a wrong understanding
is seen at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.report.claims.anchor import anchor
from pytest_chimera.report.claims.claim import VERDICTS, Checked, Claim, ClaimVerdict
from pytest_chimera.report.claims.compare import judge_comparison, settle_siblings
from pytest_chimera.report.claims.counts import judge_count
from pytest_chimera.report.claims.evidence import Evidence
from pytest_chimera.report.claims.inquiry import MAX_NUMBERS, Inquiry
from pytest_chimera.report.claims.judge import claim_of, judge_value
from pytest_chimera.report.claims.rows import settle
from pytest_chimera.report.claims.show import line_of, lines
from pytest_chimera.report.claims.statements import statements
from pytest_chimera.report.claims.text import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.records import Fact
    from pytest_chimera.report.claims.case import Case

__all__ = ["VERDICTS", "Checked", "Claim", "ClaimVerdict", "Evidence", "check", "line_of", "lines"]


def check(text: str, facts: Evidence | Sequence[Fact], *, document: str | None = None) -> Checked:
    """Judge every claim of a text, against an index of measurements or against the facts of a report.

    `document` is the path of the text as in `Artifact.path`; files beside it are then taken for its sources. No text
    makes it raise; of a text with more numbers than are read the last claim says so.
    """
    evidence = facts if isinstance(facts, Evidence) else Evidence.of((), facts=facts)
    reader = Reader(text)
    inquiry = Inquiry(evidence, reader, reader.read(), document)
    anchor(inquiry)
    inquiry.look_up_again()
    settle(inquiry)
    judged = {id(case): judge_comparison(inquiry, case) for case in inquiry.cases if case.sense.sort == "comparison"}
    settle_siblings(inquiry, judged)
    claims = [judged.get(id(case)) or _judged(inquiry, case) for case in inquiry.cases]
    told = {id(case.number.piece) for case in inquiry.cases if case.sense.sort in {"value", "comparison"}}
    claims += statements(inquiry, told)
    if inquiry.cut_at is not None:
        claims.append(_rest(inquiry.cut_at))
    return Checked(claims=tuple(sorted(claims, key=lambda claim: (claim.line, claim.start))))


def _judged(inquiry: Inquiry, case: Case) -> Claim:
    if case.sense.sort == "none":
        return claim_of(case, "not checkable", f"Not about data: {case.sense.reason}.")
    return judge_value(inquiry, case) if case.sense.sort == "value" else judge_count(inquiry, case)


def _rest(line: int) -> Claim:
    return Claim(
        line=line, start=0, end=1, text="", said="", verdict="not checkable", kind="statement",
        reason=f"Only the first {MAX_NUMBERS} numbers of a text are read; from here on nothing was.",
    )  # fmt: skip
