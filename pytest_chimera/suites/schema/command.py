"""`pytest-chimera schema`: the JSON Schema of a suite or a persona, for editors."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pytest_chimera.errors import SettingError, nearest
from pytest_chimera.suites.schema.json_schema import persona_schema, suite_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS = {"suite": suite_schema, "persona": persona_schema}
_HELP = """\
usage: pytest-chimera schema [suite | persona]

Prints the JSON Schema (2020-12) of a suite (the default) or of a persona, for editors:

  pytest-chimera schema > chimera.schema.json

and as the first line of a suite:

  # yaml-language-server: $schema=chimera.schema.json
"""


def schema_main(arguments: Sequence[str]) -> int:
    """Print a schema; the exit status is 0. Raises SettingError for what is none."""
    words = list(arguments) or ["suite"]
    if words[0] in {"-h", "--help"}:
        sys.stdout.write(_HELP)
        return 0
    for word in (*words[1:], *(each for each in words[:1] if each not in _KINDS)):
        raise SettingError(
            f"'schema' was given {word!r}.", f"Accepted: one of {', '.join(_KINDS)}.", nearest(word, _KINDS)
        )
    sys.stdout.write(json.dumps(_KINDS[words[0]](), indent=2, ensure_ascii=False) + "\n")
    return 0
