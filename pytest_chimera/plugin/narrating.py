"""Two personas at work on the corpus of a run: the collector, then the analyst, as cases of the test that asks."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from pytest_chimera.plugin.session import NARRATED, get_session
from pytest_chimera.report.check import check
from pytest_chimera.report.narrate import DEFAULT_BUDGET, Narration
from pytest_chimera.suites.agents import ask, load
from pytest_chimera.units import ns_to_s

if TYPE_CHECKING:
    from collections.abc import Generator

    import pytest

    from pytest_chimera.plugin.corpora import OldResults
    from pytest_chimera.report.narrate import Assignment
    from pytest_chimera.report.narrative import Told
    from pytest_chimera.suites import Bench, Run


class Narrate:
    """The object behind the fixture `chimera_narrate`."""

    def __init__(self, item: pytest.Item, bench: Bench, results: OldResults) -> None:
        self._item = item
        self._bench = bench
        self._results = results

    def __repr__(self) -> str:
        return f"<chimera_narrate on {self._bench.model.name}>"

    def __call__(self, budget_tokens: int = DEFAULT_BUDGET) -> tuple[Run, Run]:
        """Ask the collector, then the analyst: two cases of this test; their words, checked, go into the report.

        Both answers together have at most `budget_tokens` tokens. Raises what `chimera(...)` raises.
        """
        __tracebackhide__ = True
        narration = Narration(self._results.view, checker=check, budget_tokens=budget_tokens)
        with self._own_personas():
            collect = narration.collector()
            load(self._bench, collect)
            collector = ask(self._bench, collect, lambda text: narration.grade(collect, text))
            conclude = narration.analyst(collector.text)
            analyst = ask(self._bench, conclude, lambda text: narration.grade(conclude, text))
        told = (_told(narration, collect, collector), _told(narration, conclude, analyst))
        narrative = narration.narrative(self._bench.model.name, told)
        payload = json.dumps({"paths": self._results.paths, "narrative": narrative.as_dict()})
        get_session(self._item.config).corpora.take_narrative(payload)
        self._item.stash[NARRATED] = payload
        return collector, analyst

    @contextlib.contextmanager
    def _own_personas(self) -> Generator[None]:
        """While it lasts, `--chimera-persona` does not hold: who collects and who concludes is part of the task."""
        of_run, self._bench.persona = self._bench.persona, None
        try:
            yield
        finally:
            self._bench.persona = of_run


def _told(narration: Narration, assignment: Assignment, run: Run) -> Told:
    generation = run.result.rounds[-1].generation
    end_ns = generation.client_e2e_ns
    return narration.told(
        assignment, run.text, tokens=generation.eval_count, seconds=None if end_ns is None else ns_to_s(end_ns)
    )
