"""YAML from strangers: plain values only, no anchors to blow it up, no tags to run anything, a bounded size."""

from __future__ import annotations

from typing import Any

import yaml

from pytest_chimera.errors import RecordError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _NoAliasLoader(_Loader):  # type: ignore[misc]  # which of the two it is depends on how PyYAML was built
    """Refuses aliases: ten lines of them can stand for a billion values."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*name) is not accepted here")
        return super().compose_node(parent, index)


def parse_yaml(text: str) -> Any:
    """The content of a YAML text as dicts, lists and primitives.

    Raises RecordError for anything that is not plain YAML: broken, with aliases or tags, or nested too deep.
    """
    try:
        return yaml.load(text, _NoAliasLoader)  # noqa: S506  # a safe loader, made stricter
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, OverflowError) as error:
        first = " ".join(str(error).split())[:200] or type(error).__name__
        raise RecordError(
            f"Not readable as YAML: {first}.", "Accepted: plain YAML without aliases and tags."
        ) from error
