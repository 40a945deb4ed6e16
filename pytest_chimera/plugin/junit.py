"""The six numbers of a case that go into JUnit's XML as properties of its test; everything else stays out of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_chimera.metrics import METRICS, result_statistic
from pytest_chimera.units import s_to_ms

if TYPE_CHECKING:
    from pytest_chimera.records import CaseResult

_CALL = re.compile(r" #(\d+)$")


def junit_properties(result: CaseResult) -> list[tuple[str, object]]:
    """(name, value) of the six, medians over the counted rounds; one that is unknown is left out and never 0.

    `ttft_ms`, `tok_s`, `prefill_tok_s`, `e2e_ms`, `output_tokens`, `rounds`. The second call of a test has "call2_"
    before each name, the third "call3_": a test has one list of properties, and equal names in it are one to many
    readers. Append them to `item.user_properties` in the call phase; later they are lost.
    """
    found = _CALL.search(result.case.id)
    prefix = f"call{found[1]}_" if found else ""
    known: list[tuple[str, float | None]] = [
        ("ttft_ms", _ms(_median(result, "ttft"))),
        ("tok_s", _median(result, "tok/s")),
        ("prefill_tok_s", _median(result, "prefill")),
        ("e2e_ms", _ms(_median(result, "e2e"))),
        ("output_tokens", _median(result, "output_tokens")),
        ("rounds", len(result.counted)),
    ]
    return [(prefix + name, _rounded(value)) for name, value in known if value is not None]


def _median(result: CaseResult, metric: str) -> float | None:
    return result_statistic(METRICS[metric], result).median


def _ms(value: float | None) -> float | None:
    return None if value is None else s_to_ms(value)


def _rounded(value: float) -> float | int:
    """Three decimals, which is 1 us where the unit is ms; whole numbers without any."""
    return round(value) if value == round(value) else round(value, 3)
