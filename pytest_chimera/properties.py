"""`chimera_given`: `hypothesis.given` with what noise and the price of a request need.

What of Hypothesis is set, and why: no deadline, because a request takes as long as it takes; no second bug is looked
for, because each example costs requests; no phase `explain`, because it traces every call and would slow down what is
measured. Everything else is the person's. How an example is measured is in `suites.probing`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import LimitError, MarkerError, MissingExtraError
from pytest_chimera.limits import parse_limits
from pytest_chimera.suites.probing import DEFAULT_REPEATS, BudgetSpent, Plan, checked_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    import hypothesis
    from hypothesis.strategies import SearchStrategy

__tracebackhide__ = True  # what is refused here is shown at the line of the decorator

GIVEN = "@chimera_given(...)"
PLAN = "chimera_plan"
"""The attribute of a decorated test in which its `Plan` lies."""


def chimera_given(
    *positional: Any,
    settings: hypothesis.settings | None = None,
    repeats: int = DEFAULT_REPEATS,
    limits: Any = None,
    max_requests: int | None = None,
    **strategies: SearchStrategy[Any],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test for many examples that Hypothesis draws, and shrink one that breaks a limit.

        @chimera_given(prompt=prompts(max_words=2000), limits="ttft <= 400 ms")
        def test_ttft(chimera_probe, prompt):
            chimera_probe(prompt)

    `strategies` are by the names of the test's arguments; its other arguments are fixtures. `repeats` is how often each
    example is asked, `limits` what its median must hold (in any form that the marker takes), `max_requests` how many
    requests are made at most (else `--chimera-max-requests`). `settings` are those of Hypothesis; its deadline is
    always off. Raises MarkerError or LimitError for what cannot be done, MissingExtraError without Hypothesis.
    """
    _refuse_positional(positional)
    given, chosen = _hypothesis(settings)
    plan = _plan(repeats, limits, max_requests, strategies)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        if hasattr(test, "_hypothesis_internal_use_settings"):
            raise MarkerError(
                f"{GIVEN}: the test has a decorator @settings as well.",
                "Accepted: settings as an argument.",
                "Write @chimera_given(..., settings=settings(...)) and take the decorator away.",
            )
        property_: Callable[..., None] = chosen(given(**strategies)(_ending_quietly(test)))
        setattr(property_, PLAN, plan)
        return property_

    return decorate


def _refuse_positional(positional: tuple[Any, ...]) -> None:
    if positional:
        raise MarkerError(
            f"{GIVEN} was given {positional[0]!r} without a name.",
            "Accepted: strategies by the names of the test's arguments.",
            "Write it as in @chimera_given(prompt=prompts()).",
        )


def _plan(repeats: Any, limits: Any, max_requests: Any, strategies: dict[str, Any]) -> Plan:
    """How the property is measured, checked."""
    if not strategies:
        raise MarkerError(
            f"{GIVEN} has no strategy, so there is nothing to vary.",
            "Accepted: one or more, by the names of the test's arguments.",
            "Write it as in @chimera_given(prompt=prompts()).",
        )
    return Plan(
        repeats=checked_whole("repeats", repeats, GIVEN),
        limits=_limits(limits),
        max_requests=None if max_requests is None else checked_whole("max_requests", max_requests, GIVEN),
    )


def _ending_quietly(test: Callable[..., None]) -> Callable[..., None]:
    """The test, which passes where nothing more may be asked: any exception would become what Hypothesis shows."""

    @functools.wraps(test)
    def example(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        try:
            test(*args, **kwargs)
        except BudgetSpent:
            return

    shown: Any = example
    code = getattr(test, "__code__", None)
    if code is not None:  # Hypothesis shows where this stands, which is to be where the test does
        place = {"co_filename": code.co_filename, "co_firstlineno": code.co_firstlineno}
        shown.__code__ = shown.__code__.replace(**place)
    return example


def _hypothesis(settings: Any) -> tuple[Callable[..., Any], Any]:
    """`given`, and the person's settings with what a measurement needs."""
    try:
        import hypothesis  # noqa: PLC0415  # an extra, and half a second
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        hypothesis = None  # type: ignore[assignment]  # told below, without this traceback
    if hypothesis is None:
        raise MissingExtraError.of("hypothesis", "hypothesis", GIVEN)
    if settings is not None and not isinstance(settings, hypothesis.settings):
        raise MarkerError(
            f"{GIVEN} has settings={settings!r}.",
            "Accepted: settings(...) of Hypothesis.",
            "Write it as in settings=settings(max_examples=50).",
        )
    base = settings if settings is not None else hypothesis.settings()
    phases = [each for each in base.phases if each is not hypothesis.Phase.explain]
    return hypothesis.given, hypothesis.settings(base, deadline=None, report_multiple_bugs=False, phases=phases)


def _limits(limits: Any) -> Any:
    try:
        return parse_limits(limits)
    except LimitError as error:
        raise LimitError(f"{GIVEN}: limits: {error.what}", error.accepted, error.next_step) from None
