"""How people use the public names, written so that a type checker must accept it; `make lint` asks one to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera import Case, CaseResult, ChimeraError, EmbeddedEngine, Generation, Report, Run, Statistic, Verdict

if TYPE_CHECKING:
    from pytest_chimera.suites import Bench


def asserts_on_a_run(chimera: Bench) -> str:
    """What stands in most tests."""
    run: Run = chimera("Why is the sky blue?", persona="insight-agent", options={"num_predict": 32})
    speed: Statistic = run.tok_s
    verdicts: tuple[Verdict, ...] = run.verdicts
    assert all(each.outcome != "worse" and each.change is not None for each in verdicts)
    median: float | None = speed.median
    assert median is not None
    assert median > 1
    first: Generation = run.generations[0]
    return f"{run.text} {first.client_ttft_ns} {speed.unit} {speed.n}"


def looks_into_a_result(result: CaseResult) -> dict[str, float | None]:
    """What stands in tools around it."""
    case: Case = result.case
    rates = [each.generation.decode_tokens_per_s for each in result.counted]
    return {case.name: rates[0]}


def asserts_on_a_report(report: Report) -> tuple[str, ...]:
    """What stands in tests of reports."""
    assert report.section("Metrics").words > 0
    return report.sections


def serves_a_script() -> str:
    """What stands in tests of other tools."""
    try:
        with EmbeddedEngine.scripted({"models": {"toy": {"answers": [{"tokens": "Hello"}]}}}) as engine:
            return engine.url
    except ChimeraError as error:
        return error.next_step
