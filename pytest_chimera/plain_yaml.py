"""YAML as people write settings in it: plain values that know their line and column, and nothing else.

Scalars are read by the core schema of YAML 1.2, so that `no`, `on`, `1_000` and `1:30` stay text and `010` is ten.
Aliases (ten lines of them can stand for a billion values), tags, keys that come twice, several documents and deep
nesting are refused. What the values mean is the reader's to say; it puts the file before the text of what is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_TEXT = 32 * 1024**2
"""Characters of a text that is read."""
DEEPEST = 64
"""Levels of nesting."""

_MOST_DIGITS = 400
"""Beyond, a number is no number of anybody's settings, and costs more time than its length."""
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LOOKS_LIKE_NUMBER = re.compile(r"[-+.0-9]")
_BASES = {"0o": 8, "0x": 16}


class NotPlainError(Exception):
    """A text is not plain YAML; whoever reads a file makes an error of the tree from it."""

    def __init__(self, line: int, column: int, what: str, accepted: str, next_step: str) -> None:
        """Line and column from 1; the three parts of an error, `what` without place."""
        super().__init__(line, column, what, accepted, next_step)
        self.line = line
        self.column = column
        self.what = what
        self.accepted = accepted
        self.next_step = next_step


class Node(NamedTuple):
    """One value and where it stands, both from 1."""

    value: Any
    """A text, number, flag or None; a list of nodes; or a dict of text -> node."""
    line: int
    column: int
    key_line: int = 0
    """Of a value in a mapping: where its key stands."""
    key_column: int = 0

    @property
    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: each.plain for key, each in self.value.items()}
        if isinstance(self.value, list):
            return [each.plain for each in self.value]
        return self.value


def read_yaml(text: str) -> Node:
    """The one document of a text; an empty text is a node of None. Raises NotPlainError."""
    import yaml  # noqa: PLC0415  # 30 ms that a run without YAML does not pay

    if len(text) > LARGEST_TEXT:
        raise NotPlainError(
            1, 1, f"the text has {len(text):,} characters.", f"Accepted: {LARGEST_TEXT:,} at most.", "Split it."
        )
    try:
        return _Builder().build(yaml.parse(text, loader()))
    except yaml.MarkedYAMLError as error:
        raise _broken(error, text) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise _unreadable(getattr(error, "position", 0) or 0, text) from None
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise _unreadable(error.start, text) from None


def loader() -> Any:
    """The safe loader of PyYAML, the quicker one where there are two."""
    import yaml  # noqa: PLC0415  # see read_yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Builder:
    """From the events of one text to its nodes."""

    def __init__(self) -> None:
        self.depth = 0

    def build(self, events: Iterator[Any]) -> Node:
        """The nodes of the only document."""
        import yaml  # noqa: PLC0415  # see read_yaml

        root: Node | None = None
        for event in events:
            if isinstance(event, (yaml.StreamStartEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent)):
                continue
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _refused(event, "a second document begins here.", "one document.", "Make it a file.")
                root = self._node(next(events), events)
        return root or Node(None, 1, 1)

    def _node(self, event: Any, events: Iterator[Any], key: Any = None) -> Node:
        import yaml  # noqa: PLC0415  # see read_yaml

        self._check(event, yaml)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        at_key = (key.start_mark.line + 1, key.start_mark.column + 1) if key is not None else (0, 0)
        if isinstance(event, yaml.ScalarEvent):
            return Node(_scalar(event), line, column, *at_key)
        self.depth += 1
        if self.depth > DEEPEST:
            raise _refused(event, f"it is nested deeper than {DEEPEST} levels.", "plain settings.", "Make it flatter.")
        value = self._mapping(events, yaml) if isinstance(event, yaml.MappingStartEvent) else self._list(events, yaml)
        self.depth -= 1
        return Node(value, line, column, *at_key)

    def _list(self, events: Iterator[Any], yaml: Any) -> list[Node]:
        found = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            found.append(self._node(event, events))
        return found

    def _mapping(self, events: Iterator[Any], yaml: Any) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key in events:
            if isinstance(key, yaml.MappingEndEvent):
                break
            self._check(key, yaml)
            if not isinstance(key, yaml.ScalarEvent):
                raise _refused(key, "a key is no plain text.", "a name before each colon.", "Put it into quotes.")
            if key.value in found:
                first = found[key.value].key_line
                raise _refused(
                    key,
                    f"{key.value!r} stands here a second time; first in line {first}.",
                    "each key once.",
                    "Leave one of them out.",
                )
            found[key.value] = self._node(next(events), events, key)
        return found

    def _check(self, event: Any, yaml: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, f"*{event.anchor} is an alias.", "the value itself.", "Write it out.")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _refused(event, f"{tag!r} is a tag.", "plain values without tags.", "Leave the tag out.")


def _scalar(event: Any) -> Any:
    """The value of a scalar by the core schema; one in quotes or a block is text."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if _LOOKS_LIKE_NUMBER.match(text) and len(text) <= _MOST_DIGITS else text


def _number(text: str) -> int | float | str:
    if _WHOLE.fullmatch(text):
        base = _BASES.get(text[:2])
        return int(text) if base is None else int(text[2:], base)
    if _REAL.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _refused(event: Any, what: str, accepted: str, next_step: str) -> NotPlainError:
    mark = event.start_mark
    return NotPlainError(mark.line + 1, mark.column + 1, what, f"Accepted: {accepted}", next_step)


def _broken(error: Any, text: str) -> NotPlainError:
    """What PyYAML could not read, in one sentence; a tab among the indentation is named as such."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()[line - 1 : line]
    if lines and lines[0][:column].endswith("\t"):
        return NotPlainError(
            line, column, "a tab stands where YAML wants spaces.", "Accepted: spaces.", "Replace the tab by spaces."
        )
    problem = " ".join(str(error.problem or error.context or "it is not YAML").split())
    return NotPlainError(
        line, column, f"{problem}.", "Accepted: YAML.", "Correct it; texts with ': ' or ' #' in them need quotes."
    )


def _unreadable(position: int, text: str) -> NotPlainError:
    before = text[:position]
    return NotPlainError(
        before.count("\n") + 1,
        position - before.rfind("\n"),
        "a character stands here that YAML does not allow.",
        "Accepted: printable text.",
        "Take it out, or write it as an escape within double quotes.",
    )
