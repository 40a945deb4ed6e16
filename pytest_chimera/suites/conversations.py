"""Messages of a conversation, read from a suite or from a file of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import nearest
from pytest_chimera.suites.sources import shown

if TYPE_CHECKING:
    from pytest_chimera.plain_yaml import Node
    from pytest_chimera.suites.sources import Source

ROLES = ("system", "user", "assistant", "tool")
MESSAGE_FIELDS = ("role", "content", "file", "images")

_ACCEPTED = (
    f"Accepted: a list of messages, each with role ({', '.join(ROLES)}), content (a text) or file (a path), "
    "and images (paths)."
)
_EXAMPLE = "Write it as in [{role: user, content: Hello}]."


def read_messages(node: Node, source: Source) -> list[dict[str, Any]]:
    """Messages as plain mappings, not empty. Raises SuiteError."""
    if not isinstance(node.value, list) or not node.value:
        what = "there is no message" if node.value == [] else f"messages are {shown(node.value)} and no list"
        raise source.refuse(node, f"{what}.", _ACCEPTED, _EXAMPLE)
    return [_message(each, source) for each in node.value]


def _message(node: Node, source: Source) -> dict[str, Any]:
    said = node.value
    if not isinstance(said, dict):
        raise source.refuse(node, f"a message is {shown(said)}.", _ACCEPTED, _EXAMPLE)
    for name, each in said.items():
        if name not in MESSAGE_FIELDS:
            hint = nearest(name[:60], MESSAGE_FIELDS) or _EXAMPLE
            raise source.refuse_key(each, f"a message has the unknown field {shown(name)}.", _ACCEPTED, hint)
    role = said.get("role")
    if role is None or role.value not in ROLES:
        what = "a message has no role" if role is None else f"the role of a message is {shown(role.value)}"
        raise source.refuse(role or node, f"{what}.", f"Accepted: {', '.join(ROLES)}.", _EXAMPLE)
    if ("content" in said) == ("file" in said):
        raise source.refuse(node, "a message has one of content and file.", _ACCEPTED, _EXAMPLE)
    for name in ("content", "file"):
        if name in said and (not isinstance(said[name].value, str) or (name == "file" and not said[name].value)):
            hint = (
                "Write it as in {role: user, file: question.txt}."
                if isinstance(said[name].value, dict)
                else "Quote it."
            )
            what = f"the {name} of a message is {shown(said[name].value)}."
            raise source.refuse(said[name], what, "Accepted: a text.", hint)
    if "images" in said:
        read_paths(said["images"], "images", source)
    return {name: each.plain for name, each in said.items()}


def read_paths(node: Node, name: str, source: Source) -> list[str]:
    """A list of paths, not empty. Raises SuiteError."""
    found = [each.value for each in node.value] if isinstance(node.value, list) else []
    if not found or not all(isinstance(each, str) and each.strip() for each in found):
        shown_as = shown(node.value) if not found else "no list of texts"
        raise source.refuse(
            node, f"{name} is {shown_as}.", "Accepted: a list of paths.", f"Write it as in {name}: [cat.png]."
        )
    return found
