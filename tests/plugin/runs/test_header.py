"""What is said before the first case: the settings, who answers, who takes turns; once, with workers and without."""

from __future__ import annotations

from typing import Any

import pytest

NOBODY_NAMED = (
    "chimera: no model is named, so 'tiny' answers: a very small model on the embedded engine. "
    "Its speed is real, its text makes no sense. Name yours with --chimera-model NAME."
)
SET = (
    "chimera: model spare (--chimera-model), host HOST (--chimera-host), option num_ctx=512 (--chimera-option), "
    "rounds 2 (--chimera-rounds)"
)
TURNS = "chimera: 2 workers, 1 host: their requests take turns, because two at once would measure each other."


def before_tests(lines: list[str]) -> list[str]:
    """Our lines above the summary."""
    return [line for line in lines if line.startswith("chimera:")]


def test_settings_stand_in_the_header_when_any_is_set(one_case: Any, way: tuple[str, ...]) -> None:
    """A set option is shown with who set it in pytest's own header, and then who answers, each once."""
    result = one_case.run(
        *way, "--chimera-rounds=2", "--chimera-option", "num_ctx=512", "-p", "no:benchmark", model="spare"
    )
    shown = one_case.shown(result)
    assert before_tests(one_case.ours(result)) == [
        SET,
        "chimera: spare is answered by Ollama at HOST",
        *([TURNS] if way else []),
    ]
    assert shown.index("chimera: model") < shown.index("rootdir:") < shown.index("chimera: spare")


def test_defaults_are_said_once_before_the_first_case_when_nothing_is_set(one_case: Any, way: tuple[str, ...]) -> None:
    """Without any option the header is silent, and the defaults and the stand-in come after collection."""
    pytest.importorskip("xllamacpp", reason="the stand-in is the embedded engine")
    one_case.pytester.makepyfile(test_sky="def test_sky(chimera):\n    chimera('Hello', rounds=1)\n")
    result = one_case.run(*way, "-p", "no:benchmark", model="")
    assert result.ret == 0
    assert before_tests(one_case.ours(result)) == [
        "chimera: rounds 10, warm-up 1, prefix unique (defaults)",
        NOBODY_NAMED,
        *([TURNS] if way else []),
    ]


def test_each_model_is_answered_by_the_server_that_its_name_means(one_case: Any) -> None:
    """A name goes to the host and `tiny` to the embedded engine, and the head lines say which."""
    pytest.importorskip("xllamacpp", reason="tiny runs on the embedded engine")
    one_case.pytester.makepyfile(test_sky="def test_sky(chimera):\n    chimera('Hello', rounds=1)\n")
    result = one_case.run("-p", "no:benchmark", "-q", model="toy,tiny")
    assert result.ret == 0
    assert before_tests(one_case.ours(result)) == [
        "chimera: toy is answered by Ollama at HOST",
        "chimera: tiny is answered by the embedded engine (llama.cpp in a process of its own)",
    ]


@pytest.mark.parametrize(
    "args", [("--collect-only",), ("-m", "not chimera"), ("-k", "nothing"), ("--benchmark-skip",)], ids=" ".join
)
def test_nothing_is_said_where_no_case_will_run(one_case: Any, args: tuple[str, ...]) -> None:
    """Runs that leave every case out say nothing, measure nothing and write nothing."""
    result = one_case.run(*args, model="")
    assert before_tests(one_case.ours(result)) == []
    assert one_case.reports() == []


def test_values_of_headers_are_not_shown(one_case: Any) -> None:
    """A header may hold a secret: its name is shown, its value is not, neither on the terminal nor in the report."""
    result = one_case.run("--chimera-header", "X-Token=s3cret", "-p", "no:benchmark")
    assert "header X-Token=... (--chimera-header)" in result.stdout.str()
    assert "s3cret" not in result.stdout.str()
    assert "s3cret" not in (one_case.path / ".chimera" / "report.md").read_text(encoding="utf-8")
