"""Properties: which example fails, what is asked for it and no more, and what is kept and said of it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from pytest_chimera import chimera_given
from pytest_chimera.errors import MarkerError
from pytest_chimera.properties import PLAN
from pytest_chimera.records import Failure
from pytest_chimera.strategies import options, prompts
from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.cases import Question
from pytest_chimera.suites.journal import Journal, read_journal
from pytest_chimera.suites.probing import BudgetSpent, ExampleFailed, Plan, Property

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pytest_chimera.records import Case

MS = 1_000_000
NOISE = (100, 111, 93, 104, 96, 108, 99, 90, 110, 101, 95)
"""Percent of the usual time that requests take in turn, two properties of which the tests use: least and most."""
LIMIT = "prompt_eval <= 50.5 ms"


class Endless:
    """A plan that has an answer for every request: so much prompt evaluation for each word."""

    def __init__(self, per_word_ms: Iterable[float] = (1.0,), then: Callable[[Case], Any] | None = None) -> None:
        """`per_word_ms` is gone through again and again; `then` may say something else of a case."""
        self.costs: Iterator[float] = itertools.cycle(per_word_ms)
        self.then = then

    def pop(self, _first: int) -> Any:
        """What comes next."""
        cost = next(self.costs)

        def answer(case: Case) -> Any:
            other = self.then(case) if self.then is not None else None
            words = len(case.messages[-1].content.split())
            return {"prompt_eval_duration_ns": round(words * cost * MS)} if other is None else other

        return answer


def asked(house: Any) -> int:
    """Requests that the server got."""
    return int(house.server.calls.count("measure"))


def plain(house: Any, plan: Plan | None = None, **fields: Any) -> Property:
    """A property of which the test itself makes the calls."""
    return Property(house.bench(), plan, **fields)


def drawn(house: Any, seed: int = 0, max_requests: int = 10_000, **given: Any) -> tuple[Property, str]:
    """A property over prompts of up to 1000 words, and the text with which it failed."""
    shape = {"prompt": prompts(max_words=1000), "limits": LIMIT, **given}
    shape.setdefault("settings", hypothesis.settings(database=None))
    held: list[Property] = []

    @hypothesis.seed(seed)
    @chimera_given(**shape)
    def probed(prompt: str) -> None:
        held[0].ask(Question(prompt=prompt))

    held.append(Property(house.bench(), getattr(probed, PLAN), max_requests=max_requests))
    text = ""
    try:
        probed()
    except ExampleFailed as error:
        text = str(error)
    held[0].close()
    return held[0], text


def words(house: Any) -> int:
    """Words of the prompt in the only result that was handed on."""
    (result,) = house.delivered
    return len(result.case.messages[-1].content.split())


TOLD = """\
prompt_eval <= 2 ms does not hold: measured 3.00 ms (median of 2 rounds)

  round      prompt eval     TTFT       tok/s     E2E
  warm-up 1      3.00 ms  50.0 ms  25.0 tok/s  450 ms  not counted
  round 1        3.00 ms  50.0 ms  25.0 tok/s  450 ms
  round 2        3.00 ms  50.0 ms  25.0 tok/s  450 ms

  model    gemma3:latest, digest a2af6cc3eb7f, 4.3B, Q4_K_M
  host     http://h:1, Ollama 0.32.15
  options  num_ctx=4096 (default), think=default
  loaded   num_ctx 4096, share on the GPU 100 %
  case     test_sky[gemma3], 2 rounds, 1 warm-up, start warm, prefix unique, prompt ecc0d091204e

  The example as a case, to paste into a *.chimera.yaml file:

cases:
  test_sky:
    prompt: "Why so blue?"
    rounds: 3
    limits:
    - "prompt_eval <= 2 ms"
"""


def test_a_call_alone_is_one_example(house: Any) -> None:
    """It is asked until two of three agree, after one request that loads; its text ends with a case to paste."""
    house.server.plan = Endless()
    with pytest.raises(ExampleFailed) as caught:
        plain(house).ask(Question(prompt="Why so blue?"), limits="prompt_eval <= 2 ms")
    assert f"{caught.value}\n" == TOLD
    assert asked(house) == 3


def test_the_same_example_is_asked_once(house: Any) -> None:
    """A second call with the same question gives the same run and no request; another option is another example."""
    found = plain(house)
    first = found.ask(Question(prompt="Why?"), limits="e2e <= 1 s")
    again = found.ask(Question(prompt="Why?"), limits="e2e <= 1 s")
    other = found.ask(Question(prompt="Why?"), limits="e2e <= 1 s", options={"seed": 1})
    assert again.result is first.result
    assert other.result is not first.result
    assert asked(house) == found.requests == 1 + 2 + 2


@pytest.mark.parametrize(
    ("values_ms", "repeats", "fails", "requests"),
    [
        ([1, 1], 3, False, 2),
        ([3, 3], 3, True, 2),
        ([3, 1, 3], 3, True, 3),
        ([3, 1, 1], 3, False, 3),
        ([3], 1, True, 1),
        ([3, 3], 2, True, 2),
        ([1, 4], 2, True, 2),
        ([1, 2], 2, False, 2),
        ([3, 3, 3], 4, True, 3),
        ([3, 1, 1, 3, 3], 5, True, 5),
    ],
)
def test_the_median_decides_as_soon_as_it_is_known(
    house: Any, values_ms: list[int], repeats: int, *, fails: bool, requests: int
) -> None:
    """An example fails where the median of its repeats is above the limit, and nothing is asked once that is sure."""
    house.server.plan = [{}, *({"prompt_eval_duration_ns": each * MS} for each in values_ms)]
    found = plain(house)
    raised = ""
    try:
        run = found.ask(Question(prompt="Why?"), repeats=repeats, limits="prompt_eval <= 2 ms")
    except ExampleFailed as error:
        raised, run = str(error), None
    assert bool(raised) is fails
    assert asked(house) == 1 + requests
    assert run is None or len(run.generations) == requests


def test_other_statistics_take_all_repeats(house: Any) -> None:
    """A limit on the largest of them, or an expectation, is held against all."""
    found = plain(house)
    found.ask(Question(prompt="Why?"), limits="e2e.max <= 1 s")
    found.ask(Question(prompt="How?"), limits="e2e <= 1 s", expect={"contains": "Rayleigh"})
    assert asked(house) == 1 + 3 + 3


def test_a_round_that_had_to_load_is_asked_again(house: Any) -> None:
    """A model that somebody else unloads between two requests costs one request more, and no number of it counts."""

    looked, look = itertools.count(1), house.server.loaded

    def unloaded_once() -> Any:
        if next(looked) == 4:  # before the second round
            house.server.memory = ()
        return look()

    house.server.loaded = unloaded_once
    run = plain(house).ask(Question(prompt="Why?"), limits="e2e <= 1 s")
    assert [each.cold for each in run.result.rounds] == [True, False, True, False]
    assert len(run.result.counted) == 2


def test_another_window_costs_a_load_that_does_not_count(house: Any) -> None:
    """An example with another option that needs a load begins with an uncounted request."""
    found = plain(house)
    for size in (512, 512, 1024):
        found.ask(Question(prompt=f"Why {size}?"), limits="e2e <= 1 s", options={"num_ctx": size})
        found.ask(Question(prompt=f"How {size}?"), limits="e2e <= 1 s", options={"num_ctx": size})
    assert asked(house) == 2 * 1 + 4 * 2


def test_without_noise_the_shortest_prompt_is_found_to_the_word(house: Any) -> None:
    """With 1 ms a word and a limit of 50.5 ms the prompt that is left has 51 words, the simplest ones."""
    house.server.plan = Endless()
    found, text = drawn(house)
    assert words(house) == 51
    assert text.startswith("prompt_eval <= 50.5 ms does not hold: measured 51.0 ms (median of 2 rounds)\n")
    assert "prompt: |-\n      the house is old and a dog" in text
    assert found.requests == asked(house) < 100
    assert (
        found.summary() == f"broken by {_failing(found)} of {len(found.examples)} examples in {asked(house)} requests"
    )


def _failing(found: Property) -> int:
    return sum(bool(each.failure) for each in found.examples.values())


@pytest.mark.parametrize("seed", range(20))
def test_with_noise_a_prompt_near_the_limit_is_found(house: Any, seed: int) -> None:
    """With 10 % of noise the run is never flaky, and the prompt left is no further from the limit than the noise."""
    house.server.plan = Endless([each / 100 for each in NOISE])
    found, text = drawn(house, seed)
    assert text.startswith("prompt_eval <= 50.5 ms does not hold")
    assert found.requests == asked(house)
    assert 50.5 / 1.11 < words(house) < 50.5 / 0.90 + 1


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("budget", [6, 20, 40])
def test_no_budget_is_exceeded(house: Any, seed: int, budget: int) -> None:
    """Whenever the budget is spent, the run passes or shows the smallest prompt so far, and says what was spent."""
    house.server.plan = Endless([each / 100 for each in NOISE])
    found, text = drawn(house, seed, budget)
    assert asked(house) == found.requests
    assert found.requests == budget if found.is_spent else found.requests < budget
    if text and found.is_spent:
        assert f"requests of at most {budget};" in text
        assert "  The budget is spent: a smaller example may fail as well. Raise --chimera-max-requests.\n" in text
        assert words(house) > 50.5 / 1.11
    elif found.is_spent:
        assert found.summary() == (
            f"budget of {budget} requests spent after {len(found.examples)} examples, none of which broke a limit"
        )


def test_a_property_that_holds_keeps_the_example_nearest_to_its_limit(house: Any) -> None:
    """Of examples that all hold the slowest is handed on, once."""
    house.server.plan = Endless()
    found, text = drawn(house, limits="prompt_eval <= 2 s")
    assert text == ""
    assert words(house) == max(len(each.case.messages[-1].content.split()) for each in found.examples.values())
    assert found.summary() == f"held for {len(found.examples)} examples in {asked(house)} requests"


def test_a_saved_example_is_replayed_in_a_few_requests(house: Any) -> None:
    """A second run with the same database begins with the prompt that the first left, and leaves the same."""
    database = hypothesis.database.InMemoryExampleDatabase()
    settings = hypothesis.settings(database=database)
    house.server.plan = Endless()
    _, first = drawn(house, settings=settings)
    before = asked(house)
    house.delivered.clear()
    _, second = drawn(house, seed=1, settings=settings)
    assert words(house) == 51
    assert first.splitlines()[0] == second.splitlines()[0]
    assert asked(house) - before < before


@pytest.mark.parametrize("cause", ["refused", "total", "model_missing"])
def test_a_server_that_is_down_ends_the_property(house: Any, cause: Any) -> None:
    """One request fails, its text is shown, and nothing more is asked, whatever Hypothesis still tries."""

    def down(case: Case) -> Any:
        return (
            Failure(kind="connect", message="Connection lost.", cause=cause)
            if len(case.messages[-1].content) > 900
            else None
        )

    house.server.plan = Endless(then=down)
    found, text = drawn(house, limits="prompt_eval <= 9 s")
    assert text.startswith(f"1 of 1 round failed and max_failed_rounds is 0: connect ({cause}): Connection lost.\n")
    assert "  Nothing more was asked after this failure: another example would not change it.\n" in text
    assert found.requests == asked(house)
    assert _failing(found) == 1


def test_a_prompt_that_is_refused_is_an_example_and_shrinks(house: Any) -> None:
    """A prompt that the server takes for too long fails, and the shortest such prompt is found."""

    def refuse(case: Case) -> Any:
        too_long = len(case.messages[-1].content.split()) > 300
        return Failure(kind="http", status=400, message="too long", cause="too_long") if too_long else None

    house.server.plan = Endless(then=refuse)
    _, text = drawn(house, limits="prompt_eval <= 9 s")
    assert text.startswith("1 of 1 round failed and max_failed_rounds is 0: http 400 (too_long): too long\n")
    assert words(house) == 301


def test_an_answer_that_is_not_as_expected_fails_the_example(house: Any) -> None:
    """An expectation is enough; no limit is needed."""
    with pytest.raises(ExampleFailed, match=r"^3 of 3 answers are not as expected"):
        plain(house).ask(Question(prompt="Why?"), expect={"contains": "Newton"})


def test_limits_of_call_decorator_and_marker_are_merged(house: Any) -> None:
    """On one statistic the call stands over the decorator, and that over the marker; others are kept."""
    marker = CaseArguments.parse({"limits": ["e2e <= 9 s", "ttft <= 9 s", "load <= 9 s"]})
    plan = Plan(limits=CaseArguments.parse({"limits": ["ttft <= 8 s", "load <= 8 s"]}).limits)
    run = Property(house.bench(marker), plan).ask(Question(prompt="Why?"), limits="load <= 7 s")
    assert run.case.limits == ("e2e <= 9 s", "ttft <= 8 s", "load <= 7 s")


def test_a_property_without_any_limit_is_refused(house: Any) -> None:
    """Nothing is asked where nothing could fail."""
    with pytest.raises(MarkerError) as caught:
        plain(house).ask(Question(prompt="Why?"))
    assert str(caught.value) == (
        "chimera_probe(...) has no limit, so no example could ever fail. Accepted: limits= of chimera_given(...), of "
        "the call or of the marker, --chimera-limit, or expect=. Write it as in "
        "@chimera_given(prompt=prompts(), limits='ttft <= 400 ms')."
    )
    assert asked(house) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"rounds": 5}, "chimera_probe(...) has rounds=5. Accepted: repeats. Say repeats= instead."),
        (
            {"gate": None},
            "chimera_probe(...) has gate=None. Accepted: repeats. Leave it out: examples differ from run to run.",
        ),
        (
            {"repeats": 0},
            "chimera_probe(...): repeats=0 is not usable. Accepted: a whole number, 1 or more. Correct it.",
        ),
    ],
)
def test_arguments_that_examples_cannot_have_are_refused(house: Any, arguments: dict[str, Any], text: str) -> None:
    """What a case has and an example has not is named, with what to say instead."""
    with pytest.raises(MarkerError) as caught:
        plain(house).ask(Question(prompt="Why?"), limits="e2e <= 1 s", **arguments)
    assert str(caught.value) == text


def test_past_the_budget_a_call_alone_is_refused(house: Any) -> None:
    """A test that draws nothing has no other example to go on with, and is told so."""
    found = plain(house, max_requests=4)
    found.ask(Question(prompt="Why?"), limits="e2e <= 1 s")
    with pytest.raises(MarkerError) as caught:
        found.ask(Question(prompt="How?"), limits="e2e <= 1 s")
    assert str(caught.value) == (
        "chimera_probe(...) has made 4 requests, and no more are allowed. Accepted: as many as --chimera-max-requests "
        "says, in each test. Raise it, or ask less."
    )
    assert asked(house) == 4


def test_past_the_budget_what_is_known_is_still_known(house: Any) -> None:
    """An example that was measured gives its run or its failure; one that was not ends without a request."""
    house.server.plan = Endless()
    found = plain(house, Plan(), max_requests=5)
    found.ask(Question(prompt="a"), limits="prompt_eval <= 2 ms")
    with pytest.raises(ExampleFailed):
        found.ask(Question(prompt="a b c"), limits="prompt_eval <= 2 ms")
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            found.ask(Question(prompt="a b"), limits="prompt_eval <= 2 ms")
        found.ask(Question(prompt="a"), limits="prompt_eval <= 2 ms")
        with pytest.raises(ExampleFailed):
            found.ask(Question(prompt="a b c"), limits="prompt_eval <= 2 ms")
    assert asked(house) == 5


def test_one_round_is_enough_where_benchmarks_are_off(house: Any) -> None:
    """Each example is asked once, and no limit is held."""
    house.server.plan = Endless()
    found = plain(house, smoke=True)
    run = found.ask(Question(prompt="a b c"), limits="prompt_eval <= 1 ms")
    assert len(run.generations) == 1
    assert asked(house) == 2


def test_the_example_kept_stands_in_the_journal(house: Any, tmp_path: Path) -> None:
    """When the property is over its one result is written down with its rounds, for a worker that dies after that."""
    with Journal(tmp_path / "journal") as journal:
        house.journal = journal
        house.server.plan = Endless()
        drawn(house)
    assert read_journal(tmp_path / "journal") == house.delivered


def test_nothing_is_kept_of_a_property_that_asked_nothing(house: Any) -> None:
    """Without an example there is no result."""
    found = plain(house)
    found.close()
    assert house.delivered == []
    assert found.summary() == ""


def test_options_vary_as_prompts_do(house: Any) -> None:
    """A property over options finds the window that breaks a limit."""
    held: list[Property] = []

    def slow(case: Case) -> Any:
        return {"prompt_eval_duration_ns": case.options["num_ctx"] * MS}

    @chimera_given(
        chosen=options("temperature", num_ctx=[512, 1024, 2048]),
        said=st.just("Why?"),
        limits="prompt_eval <= 1000 ms",
        settings=hypothesis.settings(database=None),
    )
    def probed(chosen: dict[str, Any], said: str) -> None:
        held[0].ask(Question(prompt=said), options=chosen)

    house.server.plan = Endless(then=slow)
    held.append(Property(house.bench(), getattr(probed, PLAN)))
    with pytest.raises(ExampleFailed):
        probed()
    held[0].close()
    assert house.delivered[0].case.options == {"num_ctx": 1024, "temperature": 0.0}
