"""Answers that are not as expected: what they do to a case, with the whole texts of its failures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_chimera.errors import MarkerError
from pytest_chimera.gate.expressions import parse_gate
from pytest_chimera.records import CaseResult, Failure, Verdict
from pytest_chimera.suites import CaseArguments, LimitBroken, WorseThanBefore
from pytest_chimera.suites.bench import check
from pytest_chimera.suites.cases import Question, build_case
from pytest_chimera.suites.expect import Grounding
from pytest_chimera.suites.explain import ExpectationBroken, explain_unmet
from pytest_chimera.suites.persona import Persona

GOOD, BAD = {"text": "Because of Rayleigh scattering."}, {"text": "Because \x1b[31mit is."}
CONDITIONS = """
  model    gemma3:latest, digest a2af6cc3eb7f, 4.3B, Q4_K_M
  host     http://h:1, Ollama 0.32.15
  options  num_ctx=4096 (default), think=default
  loaded   num_ctx 4096, share on the GPU 100 %
  case     test_sky[gemma3], 3 rounds, 1 warm-up, start warm, prefix unique, prompt a32c6059dae4"""
UNMET = """\
  round 1: contains: 'Rayleigh' is not in the answer; the answer begins in line 1: "Because \\x1b[31mit is."
  round 3: contains: 'Rayleigh' is not in the answer; the answer begins in line 1: "Because \\x1b[31mit is."
"""
ROUNDS = """
  round      accuracy     TTFT       tok/s     E2E
  warm-up 1     100 %  50.0 ms  25.0 tok/s  450 ms  not counted
  round 1         0 %  50.0 ms  25.0 tok/s  450 ms  not as expected
  round 2       100 %  50.0 ms  25.0 tok/s  450 ms
  round 3         0 %  50.0 ms  25.0 tok/s  450 ms  not as expected
"""


def failure(house: Any, kind: type[Exception], **arguments: Any) -> str:
    """The whole text with which a call fails whose first and last answer are not as expected."""
    house.server.plan = [GOOD, BAD, GOOD, BAD]
    with pytest.raises(kind) as caught:
        house.bench()("Why is the sky blue?", expect={"contains": "Rayleigh"}, **arguments)
    return str(caught.value)


def test_an_answer_that_is_not_as_expected_fails_the_case(house: Any) -> None:
    """The text names what is not met in which round, and how to accept a share of it; the result was handed on."""
    assert failure(house, ExpectationBroken) == (
        "2 of 3 answers are not as expected: contains: 'Rayleigh' is not in the answer; the answer begins in line 1: "
        '"Because \\x1b[31mit is."\n'
        + UNMET
        + "  To let a case pass with a share of such answers, say how many: a limit such as 'accuracy >= 80 %'.\n"
        + ROUNDS
        + CONDITIONS
    )
    (result,) = house.delivered
    assert [each.number for each in result.unmet] == [1, 3]
    assert result.case.expect == {"contains": ["Rayleigh"]}


def test_a_limit_says_which_share_must_be_as_expected(house: Any) -> None:
    """A share above it passes; one below it is a broken limit, whose text says what is not met."""
    assert failure(house, LimitBroken, limits="accuracy >= 80%") == (
        "accuracy >= 80 % does not hold: measured 33.3 % (mean of 3 rounds)\n" + UNMET + ROUNDS + CONDITIONS
    )
    house.server.plan = [GOOD, BAD, GOOD, BAD]
    run = house.bench()("Why?", expect={"contains": "Rayleigh"}, limits="accuracy >= 30%", warmup=0)
    assert (run.accuracy.mean, run.accuracy.n) == (2 / 3, 3)


def test_a_limit_of_the_gate_says_it_too(house: Any) -> None:
    """A case that is gated by a limit on accuracy passes with what that lets through."""
    house.server.plan = [GOOD, BAD, GOOD, GOOD]
    result = house.runner().run(house.case(expect={"contains": ["Rayleigh"]}, gate=("accuracy >= 0.5",)))
    with pytest.raises(ExpectationBroken):
        check(result)

    class Half:
        """A gate that holds cases to what they say themselves."""

        strict = False

        def outcomes(self, result: CaseResult) -> list[Any]:
            """None of them is broken."""
            return []

        def held(self, case: Any) -> tuple[Any, ...]:
            """What the case says."""
            return tuple(parse_gate(case.gate))

    check(result, Half())  # type: ignore[arg-type]  # as much of a gate as is asked


def test_a_share_that_the_gate_judged_stands_in_place_of_all(house: Any) -> None:
    """Where earlier runs say how many answers are as expected, that decides; where they cannot, all must be."""
    house.server.plan = [GOOD, BAD, GOOD, BAD]
    result = house.runner().run(house.case(expect={"contains": ["Rayleigh"]}))
    same = Verdict(
        case=result.case.id, name="n", model="m", metric="accuracy", statistic="mean", threshold=0.05, outcome="same",
        now=1 / 3, before=1 / 3, ratio=1.0,
    )  # fmt: skip
    check(replace(result, verdicts=(same,)))
    for other in (
        replace(same, gated=False), replace(same, against="a"), replace(same, metric="ttft"),
        replace(same, outcome="no baseline", ratio=None),
    ):  # fmt: skip
        with pytest.raises(ExpectationBroken):
            check(replace(result, verdicts=(other,)))
    worse = replace(same, outcome="worse", before=1.0, ratio=1 / 3, margin=0.1, p_value=0.001, ratio_low=0.2,
                    ratio_high=0.5, rounds=3, comparisons=1, smallest_change=0.1)  # fmt: skip
    with pytest.raises(WorseThanBefore) as caught:
        check(replace(result, verdicts=(worse,)))
    assert UNMET in str(caught.value)


def test_failed_rounds_are_not_among_those_that_are_not_as_expected(house: Any) -> None:
    """A request that failed has no answer: it counts as failed, and in no share."""
    house.server.plan = [GOOD, Failure(kind="http", cause="server", message="no", status=500), BAD, GOOD]
    run = house.bench()("Why?", expect={"contains": "Rayleigh"}, limits="accuracy >= 50%", max_failed_rounds=1)
    assert (run.accuracy.mean, run.accuracy.n) == (0.5, 2)
    assert [each.generation.unmet is None for each in run.result.rounds] == [False, True, False, False]
    assert ([each.number for each in run.result.unmet], len(run.result.failed)) == ([2], 1)


def test_without_expectations_there_is_no_accuracy(house: Any) -> None:
    """Where nothing is expected nothing is judged, and a limit on it cannot be."""
    run = house.bench()("Why?")
    assert (run.accuracy.n, run.result.unmet) == (0, ())
    with pytest.raises(LimitBroken, match=r"accuracy >= 80 % cannot be judged: no counted round has a value for it"):
        house.bench()("Why?", limits="accuracy >= 80%")


def test_many_rounds_are_named_in_part(house: Any) -> None:
    """Of a hundred answers the first few are explained, and how many more there are is said."""
    house.server.plan = [GOOD, *[BAD] * 13]
    with pytest.raises(ExpectationBroken) as caught:
        house.bench()("Why?", expect={"contains": "Rayleigh"}, rounds=13)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("13 of 13 answers are not as expected: contains: 'Rayleigh' is not in the answer;")
    assert [line.partition(":")[0] for line in lines[1:12]] == [
        *(f"  round {number}" for number in range(1, 11)), "  and 3 more rounds",
    ]  # fmt: skip


def test_one_answer_is_spoken_of_as_one(house: Any) -> None:
    """A single round reads as a single round."""
    house.server.plan = [GOOD, BAD]
    result = house.runner().run(house.case(expect={"contains": ["Rayleigh"]}, rounds=1))
    assert explain_unmet(result).startswith("1 of 1 answer is not as expected: contains: 'Rayleigh'")


def test_marker_call_and_persona_are_merged_by_name(house: Any) -> None:
    """A call stands over the marker, both over the persona, and None takes away what those below expect."""
    marker = CaseArguments.parse({"expect": {"contains": "a", "min_words": 2}})
    persona = Persona(
        name="P", system="Be brief.", bounds={"max_words": 9, "format": "json"},
        expect={"no_question": True, "sections": ["A"]},
    )  # fmt: skip
    said = CaseArguments.parse({"expect": {"contains": "b", "sections": None}}).over(marker)
    bench = house.bench()
    case = build(house, Question(prompt="Why?"), said, persona)
    assert case.expect == {"max_words": 9, "no_question": True, "contains": ["b"], "min_words": 2}
    assert (case.persona, case.persona_hash, case.format) == ("P", persona.hash, "json")
    assert build(house, Question(prompt="Why?", format={"type": "object"}), said, persona).format == {"type": "object"}
    assert bench.case(Question(prompt="Why?")).expect == {}


def test_what_cannot_be_met_together_is_refused_before_anything_is_sent(house: Any) -> None:
    """A persona's longest answer and a case's shortest may contradict each other."""
    persona = Persona(name="P", system="Be brief.", bounds={"max_words": 9})
    with pytest.raises(MarkerError) as caught:
        build(house, Question(prompt="Why?"), CaseArguments.parse({"expect": {"min_words": 10}}), persona)
    assert str(caught.value) == (
        "chimera(...): expect has min_words=10 and max_words=9, and no answer has both. "
        "Accepted: min_words up to max_words. Correct one of them."
    )
    assert house.server.calls == []


def test_facts_are_those_of_the_runner(house: Any) -> None:
    """Where the runner has facts, answers are held against them; where it has none, that is said."""
    asked: list[tuple[str, tuple[str, ...]]] = []

    def ground(text: str, paths: tuple[str, ...]) -> Grounding:
        asked.append((text, paths))
        return Grounding(share=1.0)

    case = house.case(expect={"grounded_in": {"corpus": ["old"], "share": 1.0}}, rounds=1, warmup=0, start="cold")
    runner = house.runner()
    (without,) = runner.run(case).rounds
    assert without.generation.unmet == ("grounded_in: there are no facts here to hold the answer against",)
    runner.ground = ground
    (judged,) = runner.run(case).rounds
    assert (judged.generation.unmet, asked) == ((), [("Because of Rayleigh scattering.", ("old",))])


def build(house: Any, question: Question, said: CaseArguments, persona: Persona) -> Any:
    """The case of a persona."""
    return build_case(case_id="t", name="t", model=house.model, question=question, arguments=said, persona=persona)
