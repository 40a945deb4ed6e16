"""Rows for building a report: one per phase, beside the rows of cases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

CONFTEST = """
import pytest
from pytest_chimera.plugin.record import record_building

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    times = {"facts": 0.25, "markdown": [0.5, 0.75], "lost": float("nan"), "endless": [float("inf")]}
    record_building(session.config, "test_it.py::test_report", times)
    return (yield)
"""


def test_each_phase_of_building_a_report_is_a_row(pytester: pytest.Pytester) -> None:
    """Phases become rows in seconds, several values of one become its rounds, and what is no number is left out."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it="def test_report():\n    pass\n")
    pytester.runpytest_inprocess("-p", "no:hypothesispytest", "--benchmark-json=x.json")
    rows = json.loads((pytester.path / "x.json").read_text(encoding="utf-8"))["benchmarks"]
    assert [(row["name"], row["fullname"], row["group"], row["params"], row["stats"]["data"]) for row in rows] == [
        (
            f"test_report report {phase}",
            f"test_it.py::test_report report {phase}",
            f"report {phase}",
            {
                "model": "",
                "metric": f"report {phase}",
                "quantization": "",
                "parameter_size": "",
                "persona": "",
                "prefix": "",
            },
            values,
        )
        for phase, values in (("facts", [0.25]), ("markdown", [0.5, 0.75]))
    ]
    assert rows[0]["extra_info"] == {
        "chimera": {
            "schema": 1,
            "kind": "report",
            "case": "test_it.py::test_report",
            "metric": "facts",
            "unit": "s",
        }
    }
