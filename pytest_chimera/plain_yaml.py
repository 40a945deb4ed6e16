"""YAML as people write settings in it: plain values that know their line and column, and nothing else.

Scalars are read by the core schema of YAML 1.2, so that `no`, `on`, `1_000` and `1:30` stay text and `010` is ten.
Aliases (ten lines of them can stand for a billion values), tags, keys that come twice, several documents and deep
nesting are refused. What the values mean is the reader's to say; it puts the file before the text of what is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST_TEXT = 32 * 1024**2
"""Characters of a text that is read."""
MOST_VALUES = 4_000_000
"""Values in it, those of mappings and lists as well."""
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
_NOT_ALLOWED = re.compile("[^\\t\\n\\r -~\\x85\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]")
_LONGEST_SHOWN = 60
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


def read_yaml(text: str, most_values: int = MOST_VALUES) -> Node:
    """The one document of a text; an empty text is a node of None. Raises NotPlainError."""
    import yaml  # noqa: PLC0415  # 30 ms that a run without YAML does not pay

    if len(text) > LARGEST_TEXT:
        raise NotPlainError(
            1, 1, f"the text has {len(text):,} characters.", f"Accepted: {LARGEST_TEXT:,} at most.", "Split it."
        )
    text = text.removeprefix("\ufeff")
    odd = _NOT_ALLOWED.search(text)
    if odd is not None:
        raise _unreadable(odd.start(), text)
    events = loader()(text)
    try:
        return _Builder(events.get_event, most_values).build()
    except yaml.MarkedYAMLError as error:
        raise _broken(error, text) from None
    except ValueError:  # of PyYAML without its C part: a number beyond all measure in a directive or an escape
        raise NotPlainError(1, 1, "it is not YAML.", "Accepted: YAML.", "Correct its numbers and escapes.") from None
    finally:
        events.dispose()


def loader() -> Any:
    """The safe loader of PyYAML, the quicker one where there are two."""
    import yaml  # noqa: PLC0415  # see read_yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Builder:
    """From the events of one text to its nodes."""

    def __init__(self, next_event: Callable[[], Any], most_values: int = MOST_VALUES) -> None:
        self.next_event = next_event
        self.most_values = most_values
        self.depth = 0
        self.count = 0

    def build(self) -> Node:
        """The nodes of the only document."""
        root: Node | None = None
        while True:
            event = self.next_event()
            kind = type(event).__name__  # the C part keeps the classes of the `yaml` that was imported first
            if kind in {"StreamEndEvent", "NoneType"}:
                return root or Node(None, 1, 1)
            if kind == "DocumentStartEvent":
                if root is not None:
                    raise _refused(event, "a second document begins here.", "one document.", "Make it a file.")
                root = self._node(self.next_event(), 0, 0)

    def _node(self, event: Any, key_line: int, key_column: int) -> Node:
        """The value that begins with an event; of one in a mapping with the place of its key."""
        self.count += 1
        if self.count > self.most_values:
            raise _refused(event, f"here are more than {self.most_values:,} values.", "fewer.", "Split the file.")
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        kind = type(event).__name__
        if kind == "AliasEvent":
            raise _refused(event, f"*{event.anchor} is an alias.", "the value itself.", "Write it out.")
        if event.tag is not None:
            raise _refused(event, f"{event.tag!r} is a tag.", "plain values without tags.", "Leave the tag out.")
        if kind == "ScalarEvent":
            text = event.value
            return Node(_scalar(text) if event.implicit[0] else text, line, column, key_line, key_column)
        self.depth += 1
        if self.depth > DEEPEST:
            raise _refused(event, f"it is nested deeper than {DEEPEST} levels.", "plain settings.", "Make it flatter.")
        value = self._mapping() if kind == "MappingStartEvent" else self._list()
        self.depth -= 1
        return Node(value, line, column, key_line, key_column)

    def _list(self) -> list[Node]:
        found: list[Node] = []
        while True:
            event = self.next_event()
            if type(event).__name__ == "SequenceEndEvent":
                return found
            found.append(self._node(event, 0, 0))

    def _mapping(self) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while True:
            key = self.next_event()
            if type(key).__name__ == "MappingEndEvent":
                return found
            if type(key).__name__ != "ScalarEvent" or key.tag is not None or key.value in found:
                raise self._refused_key(key, found)
            mark = key.start_mark
            found[key.value] = self._node(self.next_event(), mark.line + 1, mark.column + 1)

    def _refused_key(self, key: Any, found: Mapping[str, Node]) -> NotPlainError:
        if type(key).__name__ == "ScalarEvent" and key.tag is None:
            what = f"{_short(key.value)} stands here a second time; first in line {found[key.value].key_line}."
            return _refused(key, what, "each key once.", "Leave one of them out.")
        if type(key).__name__ == "ScalarEvent" or type(key).__name__ == "AliasEvent":
            self._node(key, 0, 0)
        return _refused(key, "a key is no plain text.", "a name before each colon.", "Put it into quotes.")


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}...")


def _scalar(text: str) -> Any:
    """The value of a scalar without quotes, by the core schema."""
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
    next_step = "Correct it. In quotes belong texts with ': ' or ' #' in them, or that begin with one of {[>|@`%&*!."
    first = lines[0][column - 1 : column] if lines else ""
    if "expected comment or line break" in problem or "chomping or indentation" in problem or first in {">", "|"}:
        problem = "a text that begins with '>' or '|' is a block of lines"
        next_step = "Put it into quotes, as in '>= 30'."
    return NotPlainError(line, column, f"{problem}.", "Accepted: YAML.", next_step)


def _unreadable(position: int, text: str) -> NotPlainError:
    before = text[:position]
    return NotPlainError(
        before.count("\n") + 1,
        position - before.rfind("\n"),
        "a character stands here that YAML does not allow.",
        "Accepted: printable text.",
        "Take it out, or write it as an escape within double quotes.",
    )
