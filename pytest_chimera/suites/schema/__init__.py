"""Suites in YAML: read into `suites.suite`, written back, and described for editors as JSON Schema.

kinds, measured, marks  values, each with its reader and its JSON Schema    fields    mappings of them
tables                  which fields there are                             checking  what must hold between them
reading, writing        text to suite and back                             json_schema  the tables as JSON Schema
"""

from __future__ import annotations

from pytest_chimera.suites.schema.json_schema import persona_schema, suite_schema
from pytest_chimera.suites.schema.reading import parse_suite, read_suite
from pytest_chimera.suites.schema.writing import write_suite

__all__ = ["parse_suite", "persona_schema", "read_suite", "suite_schema", "write_suite"]
