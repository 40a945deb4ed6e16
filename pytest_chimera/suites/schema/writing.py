"""From a suite to the text of a file that reads back as the same suite."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.suites.suite import Skip, Suite, SuiteCase, Xfail

_WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./%() -]*[A-Za-z0-9_./%()])?")
"""Texts that are read as themselves without quotes, if they are none of the next."""
_NO_TEXT = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
"""Words that YAML takes, or once took, for something else."""


def write_suite(suite: Suite) -> str:
    """The text of a suite: what `defaults` said stands in each case. `parse_suite` reads it back."""
    said: dict[str, Any] = {}
    if suite.description:
        said["description"] = suite.description
    if suite.models:
        said["models"] = list(suite.models)
    if suite.environment:
        said["environment"] = _environment(suite.environment)
    said["cases"] = {case.name: _case(case, suite) for case in suite.cases}
    return write_yaml(said)


def write_yaml(value: Any) -> str:
    """Plain values as YAML that `plain_yaml` reads back; texts over several lines as blocks where that can be."""
    import yaml  # noqa: PLC0415  # 30 ms that a run without YAML does not pay

    class Dumper(yaml.SafeDumper):
        """Quotes each text that could be read as something else."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the signature is PyYAML's
            """Whether a value that is there twice is written twice."""
            return True

    Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(_STR, text, style=_style(text)))
    return yaml.dump(value, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)


_STR = "tag:yaml.org,2002:str"


def _style(text: str) -> str | None:
    if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT:
        return None
    return "|" if "\n" in text and _is_block(text) else '"'


def _is_block(text: str) -> bool:
    """Whether a block of YAML says this text without doubt: printable lines without blanks at their ends."""
    lines = text.removesuffix("\n").split("\n")
    return bool(lines[0]) and all(line == line.strip() and line.isascii() and line.isprintable() for line in lines)


def _environment(said: Mapping[str, str | None]) -> Any:
    return list(said) if all(each is None for each in said.values()) else dict(said)


def _case(case: SuiteCase, suite: Suite) -> Any:
    said: dict[str, Any] = {}
    if case.description:
        said["description"] = case.description
    if case.models != suite.models:
        said["models"] = list(case.models)
    said.update(case.fields)
    if case.sweep is not None:
        said["sweep"] = case.sweep.as_dict()
    if case.arms:
        said["arms"] = {arm.name: dict(arm.said) for arm in case.arms}
    if case.tags:
        said["tags"] = list(case.tags)
    if case.skips is not None:
        said["skip"] = _skip(case.skips)
    if case.xfail is not None:
        said["xfail"] = _xfail(case.xfail)
    return said["prompt"] if list(said) == ["prompt"] and isinstance(said["prompt"], str) else said


def _skip(skip: Skip) -> Any:
    return {"models": list(skip.models), "reason": skip.reason} if skip.models else skip.reason


def _xfail(xfail: Xfail) -> Any:
    return xfail.reason if xfail.strict is None else {"reason": xfail.reason, "strict": xfail.strict}
