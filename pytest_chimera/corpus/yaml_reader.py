"""YAML from strangers: plain values only, no anchors to blow it up, no tags to run anything, bounded nesting."""

from __future__ import annotations

from typing import Any

import yaml

from pytest_chimera.errors import RecordError
from pytest_chimera.plain_yaml import DEEPEST, loader

_Loader: Any = loader()


def parse_yaml(text: str) -> Any:
    """The content of a YAML text as dicts, lists and primitives.

    Raises RecordError for anything that is not plain YAML: broken, with aliases or tags of programs, nested too deep.
    """
    try:
        _refuse_aliases(text)
        return yaml.load(text, _Loader)  # noqa: S506  # a safe loader, the quicker one where there are two
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, OverflowError) as error:
        first = " ".join(str(error).split())[:200] or type(error).__name__
        accepted = "Accepted: plain YAML without aliases and tags."
        raise RecordError(f"Not readable as YAML: {first}.", accepted) from error


def _refuse_aliases(text: str) -> None:
    """Ten lines of aliases can stand for a billion values; they are seen before anything is built."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*name) is not accepted here")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise yaml.YAMLError(f"it is nested deeper than {DEEPEST} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def parse_words(text: str) -> Any:
    """The content of a YAML text of our own in which all scalars are text or null, without the cost of telling types.

    For the built-in vocabulary, which every run that reads a corpus loads.
    """
    open_: list[list[Any]] = [[]]
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.ScalarEvent):
            open_[-1].append(None if event.value == "null" and event.implicit[0] else event.value)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            open_.append([])
        elif isinstance(event, yaml.MappingEndEvent):
            keys_and_values = iter(open_.pop())
            open_[-1].append(dict(zip(keys_and_values, keys_and_values, strict=True)))
        elif isinstance(event, yaml.SequenceEndEvent):
            items = open_.pop()
            open_[-1].append(items)
    return open_[0][0]
