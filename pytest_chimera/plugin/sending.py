"""What goes to the controller along with the report of a test: each part as one str, all that execnet surely packs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_chimera.plugin.session import AUDITED, BUILDING, MEASURED, NARRATED, get_session

if TYPE_CHECKING:
    import pytest


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put what `item` measured since its last report on this one."""
    if report.when == "call" and item.get_closest_marker("chimera") is not None:
        from pytest_chimera.plugin.plain import fill  # noqa: PLC0415  # only where a case ran

        fill(item)
    waiting = item.stash.get(MEASURED, [])
    if waiting:
        report._chimera = f"[{','.join(waiting)}]"  # type: ignore[attr-defined]  # noqa: SLF001  # the transport
        waiting.clear()
    if (session := get_session(item.config)).uses_corpora:
        report._chimera_corpus = json.dumps(session.corpora.reported)  # type: ignore[attr-defined]  # noqa: SLF001  # same
    for key, name in ((AUDITED, "_chimera_audit"), (NARRATED, "_chimera_narrative")):
        if report.when == "call" and (found := item.stash.get(key, None)):
            setattr(report, name, found)
    if building := item.stash.get(BUILDING, None):
        report._chimera_building = json.dumps(building)  # type: ignore[attr-defined]  # noqa: SLF001  # same
        del item.stash[BUILDING]
