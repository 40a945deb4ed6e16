"""docs/suites.md has the fields that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_chimera.plain_yaml import read_yaml
from pytest_chimera.suites.expect import EXPECTATIONS
from pytest_chimera.suites.schema import parse_suite
from pytest_chimera.suites.schema.tables import CASE, PERSONA, SUITE

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "suites.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [SUITE, CASE, PERSONA])
def test_every_table_of_fields_is_the_codes(table: dict) -> None:
    """Each table stands in the page, every field with what the schema says of it."""
    rows = "\n".join(f"| `{name}` | {field.says} |" for name, field in table.items())
    assert f"| field | meaning |\n|---|---|\n{rows}\n\n" in DOCS


def test_every_expectation_is_explained() -> None:
    """The table of expectations has a row for each, in the order of the code, and no others."""
    table = DOCS.partition("| `expect` | holds when |\n")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[1:]]
    assert sorted(name for cell in cells for name in re.findall(r"`(\w+)`", cell)) == sorted(EXPECTATIONS)


def test_the_example_is_a_suite(tmp_path: Path) -> None:
    """The example of the page is read without a complaint."""
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert read_yaml(text).plain["defaults"] == {"rounds": 5}
    suite = parse_suite(text, tmp_path / "page.chimera.yaml")
    assert [(case.name, case.tags) for case in suite.cases] == [("sky", ()), ("summary", ("nightly",))]
