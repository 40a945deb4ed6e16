"""The decorator: what it sets of Hypothesis, what it leaves, and what it refuses in words."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from pytest_chimera import chimera_given
from pytest_chimera.errors import UserError
from pytest_chimera.properties import PLAN
from pytest_chimera.suites.probing import BudgetSpent, Plan

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = st.integers(0, 9)
QUIET = hypothesis.settings(database=None, max_examples=7)


def used(test: Any) -> hypothesis.settings:
    """The settings with which Hypothesis runs a decorated test."""
    found: hypothesis.settings = test._hypothesis_internal_use_settings
    return found


def test_deadline_second_bug_and_explaining_are_off() -> None:
    """Of the person's settings everything else stays."""

    @chimera_given(words=WORDS, settings=hypothesis.settings(QUIET, deadline=100, derandomize=True))
    def probed(words: int) -> None:
        pass

    found = used(probed)
    assert (found.deadline, found.report_multiple_bugs, found.max_examples) == (None, False, 7)
    assert (found.derandomize, found.database) == (True, None)
    assert hypothesis.Phase.explain not in found.phases
    assert {hypothesis.Phase.reuse, hypothesis.Phase.generate, hypothesis.Phase.shrink} <= set(found.phases)


def test_fixtures_are_left_to_pytest() -> None:
    """Arguments without a strategy stay in the signature; those with one are gone from it."""

    @chimera_given(words=WORDS)
    def probed(chimera_probe: Any, words: int, tmp_path_factory: Any) -> None:
        pass

    assert list(inspect.signature(probed).parameters) == ["chimera_probe", "tmp_path_factory"]
    assert probed.__name__ == "probed"


def test_the_plan_goes_with_the_test() -> None:
    """Repeats, limits in the one grammar and the budget are found on the function."""

    @chimera_given(words=WORDS, repeats=5, limits={"ttft": "<= 400 ms"}, max_requests=60)
    def probed(words: int) -> None:
        pass

    plan: Plan = getattr(probed, PLAN)
    assert (plan.repeats, [str(each) for each in plan.limits], plan.max_requests) == (5, ["ttft <= 400 ms"], 60)


@pytest.mark.parametrize("above", [True, False])
def test_examples_of_ones_own_are_tried_first(*, above: bool) -> None:
    """`@example` works above and below."""
    seen: list[int] = []

    def probed(words: int) -> None:
        seen.append(words)

    own, given = hypothesis.example(words=77), chimera_given(words=WORDS, settings=QUIET)
    (own(given(probed)) if above else given(own(probed)))()
    assert seen[0] == 77
    assert set(seen[1:]) <= set(range(10))


def test_methods_are_decorated_as_functions_are() -> None:
    """`self` is handed on."""
    seen: list[Any] = []

    class Methods:
        @chimera_given(words=WORDS, settings=QUIET)
        def probed(self, words: int) -> None:
            seen.append(self)

    test = Methods()
    test.probed()
    assert seen[0] is test
    assert len(seen) == 7


def test_an_example_without_budget_passes() -> None:
    """What ends with the budget is neither a failure nor an example that does not fit."""
    seen: list[int] = []

    @chimera_given(words=WORDS, settings=QUIET)
    def probed(words: int) -> None:
        seen.append(words)
        raise BudgetSpent

    probed()
    assert len(seen) == 7


def test_any_other_failure_is_that_of_the_test() -> None:
    """An assertion of the person's own fails as ever."""

    @chimera_given(words=WORDS, settings=QUIET)
    def probed(words: int) -> None:
        assert words < 0, "own"

    with pytest.raises(AssertionError, match="own") as caught:
        probed()
    files = {
        str(each.path) for each in caught.traceback if not each.ishidden(caught) and "hypothesis" not in str(each.path)
    }
    assert files == {__file__}


def _under_settings() -> None:
    @chimera_given(words=WORDS)
    @hypothesis.settings(max_examples=3)
    def probed(words: int) -> None:
        pass


@pytest.mark.parametrize(
    ("decorate", "text"),
    [
        (
            lambda: chimera_given("Why?"),
            (
                "@chimera_given(...) was given 'Why?' without a name. Accepted: strategies by the names of the test's "
                "arguments. Write it as in @chimera_given(prompt=prompts())."
            ),
        ),
        (
            lambda: chimera_given(limits="ttft <= 1 s"),
            (
                "@chimera_given(...) has no strategy, so there is nothing to vary. Accepted: one or more, by the "
                "names of the test's arguments. Write it as in @chimera_given(prompt=prompts())."
            ),
        ),
        (
            lambda: chimera_given(words=WORDS, repeats=0),
            "@chimera_given(...): repeats=0 is not usable. Accepted: a whole number, 1 or more. Correct it.",
        ),
        (
            lambda: chimera_given(words=WORDS, max_requests=True),
            "@chimera_given(...): max_requests=True is not usable. Accepted: a whole number, 1 or more. Correct it.",
        ),
        (
            lambda: chimera_given(words=WORDS, settings="fast"),  # type: ignore[arg-type]  # that is the test
            (
                "@chimera_given(...) has settings='fast'. Accepted: settings(...) of Hypothesis. Write it as in "
                "settings=settings(max_examples=50)."
            ),
        ),
        (
            lambda: chimera_given(words=WORDS, limits="ttft ~ 1 s"),
            (
                "@chimera_given(...): limits: The limit 'ttft ~ 1 s' cannot be read. Accepted: METRIC[.STATISTIC] "
                "OPERATOR BOUND with one of the operators <, <=, >, >=. "
                "Write it as in 'tok/s >= 30' or 'ttft.p95 <= 2 s'."
            ),
        ),
        (
            _under_settings,
            (
                "@chimera_given(...): the test has a decorator @settings as well. Accepted: settings as an argument. "
                "Write @chimera_given(..., settings=settings(...)) and take the decorator away."
            ),
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(decorate: Callable[[], object], text: str) -> None:
    """What came in, what is accepted and what to do next, where the decorator stands."""
    with pytest.raises(UserError) as caught:
        decorate()
    assert str(caught.value) == text


def test_settings_above_are_refused_by_hypothesis() -> None:
    """A decorator `@settings` above ours is refused in the words of Hypothesis."""

    @chimera_given(words=WORDS)
    def probed(words: int) -> None:
        pass

    with pytest.raises(InvalidArgument, match="already been decorated with a settings object"):
        hypothesis.settings(max_examples=3)(probed)
