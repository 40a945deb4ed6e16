"""The plugin against a real Ollama, named by OLLAMA_HOST and CHIMERA_TEST_MODEL; nothing depends on what it says."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest

MODEL = os.environ.get("CHIMERA_TEST_MODEL", "")
NEEDED = [name for name in ("OLLAMA_HOST", "CHIMERA_TEST_MODEL") if not os.environ.get(name)]
pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"needs a real Ollama: set {' and '.join(NEEDED)}")

SUITE = """
import pytest

@pytest.mark.chimera(rounds=3, options={"num_ctx": 512, "num_predict": 8, "seed": 7})
def test_warm(chimera):
    run = chimera("Count to ten.")
    assert run.ttft.n == 3
    assert run.ttft.median < run.e2e.median

@pytest.mark.chimera(rounds=1, start="cold", options={"num_ctx": 512, "num_predict": 4})
def test_cold(chimera):
    run = chimera("Count to ten.")
    assert [each.cold for each in run.result.rounds] == [True]

@pytest.mark.chimera(rounds=1, warmup=0, options={"num_ctx": 64, "num_predict": 4})
def test_prompt_too_long(chimera):
    chimera("word " * 400)
"""


@pytest.fixture(params=[(), ("-n", "2")], ids=["alone", "n2"])
def rows(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> dict[str, Any]:
    """The rows of a run of the suite, by name, with what was printed under ""."""
    pytester.makepyfile(test_real=SUITE)
    done = pytester.runpytest_subprocess("--chimera-model", MODEL, "--benchmark-json=out.json", *request.param)
    done.assert_outcomes(passed=2, failed=1)
    saved = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert (pytester.path / ".chimera" / "report.md").is_file()
    return {"": done.stdout.str(), **{row["name"]: row for row in saved["benchmarks"]}}


def test_a_real_model_is_measured(rows: dict[str, Any]) -> None:
    """Each time of the warm case is a row of three rounds, with what identifies model and server."""
    names = [name for name in rows if name.startswith("test_warm")]
    assert [name.rpartition(" ")[2] for name in names] == ["ttft", "prompt_eval", "eval", "time/token", "load", "e2e"]
    for name in names:
        info = rows[name]["extra_info"]["chimera"]
        assert len(rows[name]["stats"]["data"]) == 3
        assert re.fullmatch(r"[0-9a-f]{64}", info["digest"])
        assert (info["engine"], info["num_ctx_loaded"]) == ("ollama", 512)


def test_a_prompt_that_does_not_fit_fails_in_words(rows: dict[str, Any]) -> None:
    """A prompt longer than num_ctx is a failed test that says so, and not a short prompt measured in its place."""
    assert not [name for name in rows if name.startswith("test_prompt_too_long")]
    assert "Traceback" not in rows[""]
    assert "context" in rows[""].partition("test_prompt_too_long")[2]
