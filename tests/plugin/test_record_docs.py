"""The page about recording names what is recorded, and nothing that is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_chimera.metrics import METRICS, ROW_METRICS
from pytest_chimera.plugin.extra_info import SCHEMA, generation_info, row_info
from pytest_chimera.plugin.junit import junit_properties

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import CaseResult, Generation

PAGE = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")


def table(head: str) -> list[str]:
    """The names in the first column of the table with this head, in order."""
    rows = PAGE.partition(f"| name | {head} |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_rows_of_the_page_are_the_rows(make_result: Callable[..., CaseResult]) -> None:
    """The first table has every metric that becomes a row, with the formula of the one table of metrics."""
    rows = re.findall(r"^\| `test_x\[gemma3\] (\S+)` \| ([^;|]+?)(?:;[^|]*)? \|$", PAGE, re.MULTILINE)
    assert rows == [(metric.name, metric.formula) for metric in ROW_METRICS]


def test_every_name_in_extra_info_is_described(
    make_result: Callable[..., CaseResult], make_generation: Callable[..., Generation]
) -> None:
    """The tables list exactly the names that a row, a round and a plain request have, and the schema in force."""
    info = row_info(make_result(), METRICS["e2e"])["chimera"]
    assert sorted(table("of a row of a case")) == sorted(info)
    assert sorted(table("of a round")) == sorted(info["rounds"][0])
    assert sorted(table("of a request of a plain benchmark")) == sorted(generation_info(make_generation()))
    assert f"`schema` is {SCHEMA};" in PAGE


def test_the_properties_for_junit_are_described(make_result: Callable[..., CaseResult]) -> None:
    """The section about JUnit names all six properties in their order."""
    section = PAGE.partition("## JUnit\n")[2].partition("## ")[0]
    names = [name for name, _ in junit_properties(make_result())]
    assert [name for name in re.findall(r"`(\w+)`", section) if name in names] == names
