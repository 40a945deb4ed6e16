"""Holding an answer against the facts of a corpus, for cases that expect `grounded_in`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_chimera.suites.expect import Grounding

if TYPE_CHECKING:
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.suites.expect import Ground


def ground_for(session: ChimeraSession) -> Ground:
    """A function that checks the claims of a text; nothing is read before the first text comes.

    Relative paths count from the folder of the test or suite that runs.
    """

    def ground(text: str, paths: tuple[str, ...]) -> Grounding:
        """Raises SettingError where no corpus is named, CorpusError where it cannot be used."""
        from pytest_chimera.report.check import check  # noqa: PLC0415  # only where claims are checked

        folder = session.config.rootpath if session.item is None else session.item.path.parent
        named = [str(folder / Path(path).expanduser()) for path in paths] or session.corpora.given
        checked = check(text, session.corpora.of(named).evidence)
        against = tuple(
            f'"{each.text}" {each.verdict}: {each.reason}'
            for each in checked.claims
            if each.numeric and each.verdict != "not checkable" and not each.grounded
        )
        return Grounding(share=checked.groundedness, against=against)

    return ground
