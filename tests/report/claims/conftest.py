"""Measurements of an invented corpus, and a way to judge one sentence against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.records import Measurement, Source
from pytest_chimera.report.check import Checked, Evidence, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_chimera.units import Dimension

UNITS: dict[str, Dimension] = {"tok/s": "rate", "ttft": "time", "load": "time", "output_tokens": "tokens"}

TOY_A = ((78.4, 2.150, 2.0), (80.2, 0.112, 0.0), (81.0, 0.108, 0.0), (79.6, 0.121, 0.0), (80.8, 0.115, 0.0))
TOY_B = ((50.1, 0.210, 0.0), (52.3, 0.198, 0.0), (51.2, 0.205, 0.0), (50.8, 0.201, 0.0), (51.6, 0.196, 0.0))
SWEEP = ((1024, 82.4), (1024, 82.0), (2048, 81.6), (2048, 81.2))


def row(file: str, number: int, values: dict[str, float], **more: Any) -> list[Measurement]:
    """The measurements of one row of a table."""
    return [
        Measurement(
            metric=metric, value=None if more.get("failure") else value, dimension=UNITS[metric],
            parameters=more.get("parameters", {}), labels=more.get("labels", {}), model=more.get("model"),
            failure=more.get("failure"), cold=more.get("cold"), time=more.get("time"), row=number,
            source=Source(file, f"row {number} {metric}"),
        )
        for metric, value in values.items()
    ]  # fmt: skip


def invented(a: str = "toy:a", b: str = "toy:b", *, scale: float = 1.0) -> list[Measurement]:
    """`runs.csv` with two models and a run that timed out, and `sweep.csv` with two levels of num_ctx."""
    found: list[Measurement] = []
    for number, (rate, ttft, load) in enumerate(TOY_A, 1):
        found += row("runs.csv", number, {"tok/s": rate * scale, "ttft": ttft, "load": load}, model=a, cold=load > 1)
    zeros = {"tok/s": 0.0, "ttft": 0.0, "load": 0.0}
    found += row("runs.csv", 6, zeros, model=a, failure="timed out")
    for number, (rate, ttft, load) in enumerate(TOY_B, 7):
        found += row("runs.csv", number, {"tok/s": rate * scale, "ttft": ttft, "load": load}, model=b, cold=False)
    for number, (context, rate) in enumerate(SWEEP, 1):
        found += row("sweep.csv", number, {"tok/s": rate}, model=a, parameters={"num_ctx": float(context)})
    return found


@pytest.fixture(name="invented")
def invented_fixture() -> list[Measurement]:
    """The measurements of the invented corpus."""
    return invented()


@pytest.fixture
def make_rows() -> Callable[..., list[Measurement]]:
    """Makes the measurements of one row."""
    return row


@pytest.fixture
def make_invented() -> Callable[..., list[Measurement]]:
    """Makes the invented corpus with other names."""
    return invented


@pytest.fixture
def judge(invented: list[Measurement]) -> Callable[..., Checked]:
    """Checks a text below a heading that names its file, against the invented corpus or given measurements."""

    def judged(
        text: str, heading: str = "Baseline (runs.csv)", measurements: Iterable[Measurement] | None = None
    ) -> Checked:
        evidence = Evidence.of(invented if measurements is None else list(measurements))
        return check(f"## {heading}\n\n{text}\n" if heading else text, evidence)

    return judged
