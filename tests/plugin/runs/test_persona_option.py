"""`--chimera-persona`: one persona for every case, but for those whose personas are part of the task."""

from __future__ import annotations

import json
from typing import Any

QUICK = ("-p", "no:cacheprovider", "-p", "no:benchmark", "--chimera-rounds=1")
CLERK = "name: Clerk\nsystem: You are a clerk.\n"
UNKNOWN = (
    "--chimera-persona: There is no persona 'clark'. Known personas: Clerk, Poet, DataCollector-9000, Insight-Agent, "
    "Technical-Writer. Did you mean 'Clerk'?"
)
POET = "name: Poet\nsystem: You are a poet.\n"


def spoken(project: Any) -> dict[str, tuple[str | None, str]]:
    """Name of each case in the newest report -> its persona and the first words that were sent."""
    newest = max((project.path / ".chimera" / "reports").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    cases = json.loads(newest.read_text(encoding="utf-8"))["cases"]
    return {each["name"]: (each["persona"], each["messages"][0]["content"]) for each in cases}


def two_personas(project: Any) -> None:
    """A project with two personas, a suite and a test in Python."""
    folder = project.path / "personas"
    folder.mkdir()
    (folder / "clerk.yaml").write_text(CLERK, encoding="utf-8")
    (folder / "poet.yaml").write_text(POET, encoding="utf-8")
    (project.path / "talk.chimera.yaml").write_text("cases: {own: {prompt: Hi, persona: poet}, none: Hi}")
    project.pytester.makepyfile(test_talk="def test_talk(chimera):\n    chimera('Hi', persona='poet')\n")


def test_it_stands_over_every_persona(project: Any, way: tuple[str, ...]) -> None:
    """Over the one of a suite and of a call, and where none is named; without it each speaks as its own."""
    two_personas(project)
    project.run(*way, *QUICK).assert_outcomes(passed=3)
    poet, clerk = ("Poet", "You are a poet."), ("Clerk", "You are a clerk.")
    assert spoken(project) == {"own[toy]": poet, "none[toy]": (None, "Hi"), "test_talk[toy]": poet}
    project.run(*way, *QUICK, "--chimera-persona=clerk").assert_outcomes(passed=3)
    assert spoken(project) == {"own[toy]": clerk, "none[toy]": clerk, "test_talk[toy]": clerk}


def test_a_name_that_nobody_has_fails_each_case_in_words(project: Any, way: tuple[str, ...]) -> None:
    """The text names the option, not a line of the suite, and lists the personas that there are."""
    two_personas(project)
    result = project.run(*way, *QUICK, "--chimera-persona=clark")
    assert result.parseoutcomes() == {"errors": 3}
    lines = {line for line in result.outlines if line.startswith("--chimera-persona")}
    assert lines == {UNKNOWN}


def test_who_collects_and_who_concludes_is_part_of_the_task(project: Any) -> None:
    """The two personas that write on a corpus keep theirs; the next call of the test has that of the run."""
    two_personas(project)
    (project.path / "old").mkdir()
    (project.path / "old" / "a.csv").write_text("model,tok/s\ngemma3,41.5\ngemma3,41.7\n", encoding="utf-8")
    project.pytester.makepyfile(
        test_talk="def test_talk(chimera, chimera_narrate):\n    chimera_narrate()\n    chimera('Hi')\n"
    )
    result = project.run(*QUICK, "--chimera-persona=clerk", "--chimera-corpus=old", "test_talk.py")
    result.assert_outcomes(passed=1)
    assert [each[0] for each in spoken(project).values()] == ["DataCollector-9000", "Insight-Agent", "Clerk"]
