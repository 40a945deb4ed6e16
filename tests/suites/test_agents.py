"""Personas at work: each assignment an ordinary case, its answer graded, its tokens within the budget."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.client import Client, Connection, SystemClock
from pytest_chimera.engine.script import Script, ScriptedAnswer, ScriptedModel, split_words
from pytest_chimera.engine.scripted import ScriptedBackend
from pytest_chimera.engine.serve import LocalServer
from pytest_chimera.gate.expressions import parse_gate
from pytest_chimera.records import Failure
from pytest_chimera.suites import Bench, CaseArguments, LimitBroken, RoundsFailed
from pytest_chimera.suites.agents import SEED, ask, load
from pytest_chimera.suites.exclusive import HostLock
from pytest_chimera.suites.journal import Journal, read_journal
from pytest_chimera.suites.runner import Runner, Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA = {"type": "object", "properties": {"summary": {"type": "string", "maxLength": 20}}, "required": ["summary"]}


@dataclass(frozen=True)
class Task:
    """An assignment of its own."""

    persona: str = "data-collector-9000"
    prompt: str = "Write the inventory."
    format: Mapping[str, Any] = field(default_factory=lambda: SCHEMA)
    num_predict: int = 239


def graded(_text: str) -> float:
    """Everybody is half right."""
    return 0.5


def test_an_assignment_is_a_case_like_any_other(house: Any) -> None:
    """It is one round without a warm-up, of that persona and schema, steady and bounded; its answer is graded."""
    load(bench := house.bench(), Task())
    run = ask(bench, Task(), graded)
    case = run.case
    assert (case.persona, case.rounds, case.warmup, case.format) == ("DataCollector-9000", 1, 0, SCHEMA)
    assert dict(case.options) == {"num_ctx": 4096, "temperature": 0, "seed": SEED, "num_predict": 239}
    assert case.messages[-1].content == "Write the inventory."
    assert (run.groundedness.median, run.groundedness.n) == (0.5, 1)
    assert (run.ttft.n, run.tok_s.n, run.eval.n) == (1, 1, 1)
    assert house.delivered == [run.result]


def test_two_assignments_of_one_test_have_ids_of_their_own(house: Any) -> None:
    """Collector and analyst, and what the test asks besides, are numbered as calls are; only theirs are graded."""
    bench = house.bench()
    load(bench, Task())
    ask(bench, Task(), graded)
    ask(bench, Task(persona="insight-agent"), graded)
    bench("Why?")
    assert [(each.case.id, each.case.persona) for each in house.delivered] == [
        ("test_sky.py::test_sky[gemma3]", "DataCollector-9000"),
        ("test_sky.py::test_sky[gemma3] #2", "Insight-Agent"),
        ("test_sky.py::test_sky[gemma3] #3", None),
    ]
    assert [each.counted[0].generation.groundedness for each in house.delivered] == [0.5, 0.5, None]


def test_a_model_that_is_not_in_memory_is_loaded_by_one_token(house: Any) -> None:
    """The first answer is a warm round and counts; a model that is loaded already is not asked before."""
    bench = house.bench()
    load(bench, Task())
    assert house.server.prompts == ["Hello."]
    ask(bench, Task(), graded)
    load(bench, Task())
    assert house.server.prompts == ["Hello.", "Write the inventory."]
    assert house.delivered[0].rounds[0].cold is False


def test_a_server_that_does_not_say_what_is_loaded_is_asked_all_the_same(house: Any) -> None:
    """Where the memory of a server is unknown, nothing is loaded beforehand and nothing fails for it."""
    house.server.memory = None
    bench = house.bench()
    load(bench, Task())
    assert ask(bench, Task(), graded).text == "Because of Rayleigh scattering."


def test_options_of_a_person_stay(house: Any) -> None:
    """Temperature, seed and num_ctx that somebody set win; rounds of the settings do not."""
    bench = house.bench(marker=CaseArguments(options={"temperature": 0.7, "num_ctx": 2048}, rounds=5))
    options = ask(bench, Task(), graded).case.options
    assert (options["temperature"], options["num_ctx"], options["seed"], options["num_predict"]) == (
        0.7,
        2048,
        SEED,
        239,
    )
    assert len(house.delivered[0].rounds) == 1


def test_a_model_that_thinks_is_asked_not_to(house: Any) -> None:
    """Thinking would eat the budget of the answer."""
    house.model = replace(house.model, capabilities=("completion", "thinking"))
    assert ask(house.bench(), Task(), graded).case.think is False


def test_a_failed_request_fails_the_test_and_is_not_graded(house: Any) -> None:
    """The result of a failed answer is handed on without a grade, and the bench measures plainly afterwards."""
    bench = house.bench()
    load(bench, Task())
    house.server.plan = [Failure(kind="http", cause="server", status=500, message="out of memory")]
    with pytest.raises(RoundsFailed, match="out of memory"):
        ask(bench, Task(), graded)
    assert house.delivered[0].rounds[0].generation.groundedness is None
    assert bench("Why?").generations[0].groundedness is None


@pytest.mark.parametrize("grade", [0.5, None])
def test_groundedness_can_be_held_to_a_limit(house: Any, grade: float | None) -> None:
    """A limit on groundedness fails an answer below it, and one without any numeric claim."""
    (limit,) = CaseArguments.parse({"limits": "groundedness >= 80 %"}).limits
    bench = house.bench(marker=CaseArguments(limits=(limit,)))
    load(bench, Task())
    with pytest.raises(LimitBroken, match="groundedness"):
        ask(bench, Task(), lambda _text: grade)


def test_groundedness_can_be_gated() -> None:
    """The grammar of the gate takes it, relative to earlier runs and as a bound."""
    assert [str(each) for each in parse_gate(["groundedness:10%", "groundedness >= 80 %"])] == [
        "groundedness:10%",
        "groundedness >= 80 %",
    ]


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A scripted model."""
    answer = ScriptedAnswer(tokens=split_words('{"summary": "All is well."}'), ttft_s=0.005)
    with LocalServer(ScriptedBackend(Script(models={"sky:latest": ScriptedModel(answers=(answer,))}))) as running:
        yield running


def test_on_a_server_it_is_measured_whole_and_journalled(server: LocalServer, tmp_path: Any) -> None:
    """With the real client every server time and the grade are in the result, and the same in the journal."""
    client = Client(Connection.resolve(server.url, {}, {}))
    delivered: list[Any] = []
    runner = Runner(
        client, client.host_info(), journal=Journal(tmp_path / "j.jsonl"), observer=Unobserved(),
        exclusive=HostLock(server.url, tmp_path), clock=SystemClock(), pause=lambda _: None,
    )  # fmt: skip
    bench = Bench(
        runner, client.model("sky"), test_id="t.py::test", test_name="test", deliver=delivered.append,
        marker=CaseArguments(), settings=CaseArguments(),
    )  # fmt: skip
    load(bench, Task())
    run = ask(bench, Task(), graded)
    assert run.json() == {"summary": "All is well."}
    assert (run.ttft.n, run.eval.n, run.tok_s.n, run.groundedness.median) == (1, 1, 1, 0.5)
    assert read_journal(tmp_path / "j.jsonl") == delivered == [run.result]
