"""Properties in a run: the fixture's object, the property of the test that runs, and what is said of it at the end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from pytest_chimera.plugin.model import ChimeraModel
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.records import Message
    from pytest_chimera.suites.probing import Property
    from pytest_chimera.suites.run import Run

PROPERTY = pytest.StashKey["Property"]()
"""On an item: its examples so far."""
TOLD = "chimera_property"
"""The user property by which a report tells how its property went; JUnit has it too."""


class Probe:
    """Asks a model for an example of a property; what the fixture `chimera_probe` gives."""

    def __init__(self, session: ChimeraSession, model: ChimeraModel) -> None:
        self.model = model
        self._session = session

    def __call__(
        self,
        prompt: str | None = None,
        *,
        messages: Sequence[Mapping[str, Any] | Message] | None = None,
        repeats: int | None = None,
        **arguments: Any,
    ) -> Run:
        """What came of asking so, `repeats` times (3 where nobody says otherwise), now or earlier in this property.

        `arguments` are those of a `chimera(...)` call (system, persona, options, limits, expect, think, ...) but for
        rounds, warmup, gate and sweep. Raises ExampleFailed with the whole text for people where the median of the
        repeats breaks a limit, an answer is not as expected or a request fails, and MarkerError, OptionError,
        LimitError or PersonaError, before anything is sent, for what cannot be measured as written.
        """
        __tracebackhide__ = True  # a failing test shows the line that called this, not this
        from pytest_chimera.suites.cases import QUESTION_NAMES, Question  # noqa: PLC0415  # only where a case runs

        asked = {name: arguments.pop(name) for name in QUESTION_NAMES if name in arguments}
        question = Question(prompt=prompt, messages=messages, **asked)
        return self._property().ask(question, repeats=repeats, **arguments)

    def __repr__(self) -> str:
        return f"<chimera_probe of {self.model.name}>"

    def _property(self) -> Property:
        item = self._session.item
        assert item is not None, "a fixture of a running test gave this object"
        if PROPERTY not in item.stash:
            item.stash[PROPERTY] = _begun(item, self.model, self._session)
        return item.stash[PROPERTY]


def _begun(item: pytest.Item, model: ChimeraModel, session: ChimeraSession) -> Property:
    from pytest_chimera.errors import MarkerError  # noqa: PLC0415  # only where a case runs
    from pytest_chimera.plugin.record import benchmark_disabled  # noqa: PLC0415  # same
    from pytest_chimera.plugin.runners import bench_for  # noqa: PLC0415  # same
    from pytest_chimera.properties import PLAN  # noqa: PLC0415  # same
    from pytest_chimera.suites.probing import Property  # noqa: PLC0415  # same

    test = getattr(item, "obj", None)
    plan = getattr(test, PLAN, None)
    if plan is None and getattr(test, "is_hypothesis_test", False):
        raise MarkerError(
            "The test uses chimera_probe under @given.",
            "Accepted: @chimera_given, which measures each example more than once and bounds the requests.",
            "Write @chimera_given(...) from pytest_chimera in place of @given(...).",
        )
    return Property(
        bench_for(item, model),
        plan,
        max_requests=(plan.max_requests if plan is not None else None) or session.settings.max_requests,
        smoke=benchmark_disabled(item.config),
    )


@contextlib.contextmanager
def closed(item: pytest.Item) -> Generator[None]:
    """Around the call of a test: when it is over, keep one example of its property and say how it went."""
    try:
        yield
    finally:
        found = item.stash.get(PROPERTY, None)
        if found is not None:
            found.close()
            if told := found.summary():
                item.user_properties.append((TOLD, told))


def lines(reporter: pytest.TerminalReporter) -> Iterator[str]:
    """How each property of the run went, a line each, for the summary."""
    for reports in reporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                name = report.nodeid.split("::", maxsplit=1)[-1]
                yield from (f"property {name}: {text}" for key, text in report.user_properties if key == TOLD)
