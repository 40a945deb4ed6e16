"""Two reports, and tests of their structure: one that a model writes, and the one that pytest-chimera writes.

pytest example_suites/report_structure --chimera-model gemma3
"""

import re

import pytest

SECTIONS = ["summary", "method", "findings", "recommendation"]

# The model has to answer in this form. `maxLength` and `maxItems` see to it that the answer ends.
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 8, "maxLength": 60},
        "sections": {
            "type": "object",
            "properties": {name: {"type": "string", "minLength": 40, "maxLength": 300} for name in SECTIONS},
            "required": SECTIONS,
        },
        "confidence": {"enum": ["low", "medium", "high"]},
    },
    "required": ["title", "sections", "confidence"],
}

# Suites with sweeps or arms add sections of their own between these.
REPORT = [
    "Environment",
    "Executive Summary",
    "Performance Analysis",
    "Metrics",
    "Key Findings",
    "Workflow Summary",
    "Persona Prompts",
    "Appendix",
]

QUESTION = """Write a technical report on this benchmark for an engineer.

gemma3:270m, 10 rounds: median TTFT 62 ms, median 286 tok/s.
gemma3:1b, 10 rounds: median TTFT 95 ms, median 184 tok/s.
"""


@pytest.mark.chimera(rounds=3, options={"num_predict": 1024, "num_ctx": 4096, "temperature": 0, "seed": 7})
def test_structure(chimera):
    """The answer is the report that was asked for: its sections in order, none empty, none too long."""
    run = chimera(QUESTION, format=SCHEMA)
    report = run.json()

    assert list(report) == ["title", "sections", "confidence"]
    assert list(report["sections"]) == SECTIONS
    for name, text in report["sections"].items():
        assert text.strip(), f"the section {name} is empty"
        assert len(text.split()) <= 80, f"the section {name} is too long"


@pytest.mark.chimera(
    persona="insight-agent", rounds=1, options={"num_predict": 1024, "num_ctx": 4096, "temperature": 0, "seed": 7}
)
def test_content(chimera, chimera_model):
    """The report says something: enough words, no error text of a server, no question back to the reader."""
    if chimera_model.name.startswith("tiny"):
        pytest.skip("judges what the text says, and the text of 'tiny' has no sense: name a model to run it")
    sections = chimera(QUESTION, format=SCHEMA).json()["sections"]
    text = "\n".join(sections.values())

    assert 40 <= len(text.split()) <= 320
    assert not re.search(r"HTTP(/1\.\d)? \d{3}|404|500 Internal|Not Found|Connection refused|Traceback", text)
    assert "?" not in text
    assert not re.search(r"would you like|let me know|please provide", text, re.IGNORECASE)
    assert "286" in text, "the report does not use the numbers that it was given"


def test_session_report(chimera_report):
    """The report on this very session, as it stands so far: its sections in order, none empty, each number sourced."""
    there = [title for title in chimera_report.sections if title in REPORT]
    assert there == REPORT
    for title in chimera_report.sections:
        assert chimera_report.section(title).words > 2, f"the section {title} is empty"
    assert chimera_report.section("Executive Summary").words < 300
    assert all(fact.sources for fact in chimera_report.facts)
