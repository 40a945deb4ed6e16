"""Whatever stands in files, the analysis ends, in numbers that JSON can carry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_chimera.analysis import Evidence, analyse, rename_plan
from pytest_chimera.records import Measurement, Source

if TYPE_CHECKING:
    from tests.analysis.conftest import Maker

numbers = st.one_of(
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.7e308, -1.7e308, 5e-324, 1.0, 2.0]),
)
texts = st.text(max_size=6)
times = st.one_of(
    st.none(),
    texts,
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "2026-01-02T03:04:05Z"]),
)
files = st.sampled_from(
    ["a.csv", "a_summary.csv", "x/b_20260101.json", "x/b_20260102.json", "x/b_20260103.json", "\u202e/..", ""]
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "metric": st.sampled_from(["tok/s", "tok/s", "ttft", "cpu", "x\n"]),
            "value": numbers,
            "statistic": st.sampled_from(["value", "value", "value", "mean", "sd", "p95", "sum", "odd"]),
            "n": st.one_of(st.none(), st.integers(-5, 10)),
            "provenance": st.sampled_from(["measured", "measured", "aggregate", "claim"]),
            "model": st.sampled_from([None, "toy:a", "toy", ":", ""]),
            "parameters": st.dictionaries(
                st.sampled_from("pq"), st.one_of(st.sampled_from([1.0, 2.0, "x"]), numbers.filter(bool))
            ),
            "labels": st.dictionaries(st.sampled_from(["prompt", "k"]), st.sampled_from(["u", "v"])),
            "time": times,
            "zone": st.sampled_from(["utc", "unknown"]),
            "row": st.one_of(st.none(), st.integers(0, 9)),
            "failure": st.sampled_from([None, None, None, "timed out", "masked: '"]),
            "cold": st.sampled_from([None, True, False]),
            "file": files,
            "place": st.sampled_from(["row 1 x", "row 2 x", "/a/1/b", "/a/2/b", "", "line 3"]),
            "series": st.sampled_from(["", "/s"]),
        }
    ),
    max_size=40,
    unique_by=lambda row: tuple(row[name] for name in ("file", "series", "row", "place", "metric", "statistic")),
)


@given(rows, st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_analysis_never_raises(make: Maker, found: list[dict[str, Any]], known: bool) -> None:
    """Values of any size, times that are none, names of any text: all parts are made, and all numbers are finite."""
    measurements = tuple(
        Measurement(
            dimension="rate",
            role="resource" if row["metric"] == "cpu" else "performance",
            source=Source(row["file"], row["place"]),
            **{name: value for name, value in row.items() if name not in {"file", "place"}},
        )
        for row in found
    )
    artifacts = tuple(make.file(path) for path in sorted({row["file"] for row in found}) if known)
    evidence = Evidence(measurements=measurements, artifacts=artifacts)
    analysis = analyse(evidence)
    assert all(
        fact.value is not None and math.isfinite(fact.value) for fact in analysis.facts if fact.statistic != "mean"
    )
    assert rename_plan(evidence).count("path,proposed,why") == 1
    assert analysis == analyse(Evidence(measurements=measurements[::-1], artifacts=artifacts[::-1]))
