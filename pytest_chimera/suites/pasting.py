"""A case as a person would write it in a `*.chimera.yaml` file, ready to paste below `cases:`.

What is written reads back as the same values: every text stands in double quotes, or as a block where it is long and
has nothing that a block would change; nothing is folded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_chimera.records import DEFAULT_PREFIX, DEFAULT_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.records import Case
    from pytest_chimera.suites.cases import Question

_LONG = 80
"""Characters from which on a text stands as a block."""
_INDENT = "  "
_REPLACED = "\ufffd"


def case_name(test_name: str) -> str:
    """A name for the case from that of a test: "TestIt::test_brief[toy]" -> "test_brief"."""
    return re.sub(r"\W+", "_", test_name.partition("[")[0].rpartition("::")[2]) or "example"


def as_yaml(name: str, case: Case, question: Question) -> str:
    """The case called `name` that asks `question` as `case` was measured, indented to stand below `cases:`.

    What a file cannot say (raw, suffix, images, half of a surrogate pair) is named in a comment.
    """
    text = dumped({name: _fields(case, question)})
    lines = [f"{_INDENT}{line}" for line in text.split("\n")]
    left_out = [each for each in ("raw", "suffix", "endpoint") if getattr(question, each)]
    if any(message.images for message in case.messages):
        left_out.append("images")
    if _REPLACED in text and not any(_REPLACED in message.content for message in case.messages):
        left_out.append("halves of surrogate pairs")
    if left_out:
        lines.insert(1, f"{_INDENT}{_INDENT}# not written here: {', '.join(left_out)}")
    return "\n".join(lines)


def dumped(value: Mapping[str, Any]) -> str:
    """Plain values as YAML that reads back the same, without a line feed at its end where no text has one."""
    import yaml  # noqa: PLC0415  # only where something fails

    class Writer(yaml.SafeDumper):
        """Texts in double quotes or as blocks, and no aliases."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # nothing is written once for two
            return True

    def text(writer: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
        style = "|" if _fits_block(data) else '"'
        return writer.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def mapping(writer: yaml.SafeDumper, data: dict[str, Any]) -> yaml.MappingNode:
        node = yaml.MappingNode("tag:yaml.org,2002:map", [], flow_style=False)
        for key, each in data.items():
            style = None if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) and key.lower() not in _WORDS else '"'
            name = writer.represent_scalar("tag:yaml.org,2002:str", key, style=style)
            node.value.append((name, writer.represent_data(each)))
        return node

    Writer.add_representer(str, text)
    Writer.add_representer(dict, mapping)
    written: str = yaml.dump(value, Dumper=Writer, allow_unicode=True, sort_keys=False, width=float("inf"))
    return written.removesuffix("\n")


_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
"""Keys that some readers take for something else than a text."""


def _fits_block(text: str) -> bool:
    """Whether a text is long and a block holds it exactly: printable lines, none of which begins or ends blank."""
    if len(text) < _LONG and "\n" not in text:
        return False
    lines = text.split("\n")
    return all(line and line.isprintable() and line == line.strip() for line in lines) and "\ufeff" not in text


def _fields(case: Case, question: Question) -> dict[str, Any]:
    """What a file says of the case, in the order in which a person writes it; what holds anyway is left out."""
    fields: dict[str, Any] = {"persona": case.persona, "system": question.system}
    if question.messages is not None:
        spoken = case.messages[len(case.messages) - len(question.messages) :]
        fields["messages"] = [{"role": each.role, "content": each.content} for each in spoken]
    fields |= {
        "prompt": question.prompt,
        "prompt_tokens": case.prompt_tokens,
        "output_tokens": case.output_tokens,
        "options": _options(case),
        "format": dict(case.format) if case.format is not None and not isinstance(case.format, str) else case.format,
        "tools": [dict(each) for each in case.tools],
        "think": case.think,
        "prefix": None if case.prefix == DEFAULT_PREFIX else case.prefix,
        "start": None if case.start == "warm" else case.start,
        "rounds": case.rounds,
        "timeout": None if case.timeout_s == DEFAULT_TIMEOUT_S else case.timeout_s,
        "idle_timeout": case.idle_timeout_s,
        "max_failed_rounds": case.max_failed_rounds,
        "keep_alive": case.keep_alive,
        "truncate": case.truncate or None,
        "limits": list(case.limits),
        "expect": dict(case.expect),
    }
    return {name: _plain(value) for name, value in fields.items() if not _is_silent(value)}


def _options(case: Case) -> dict[str, Any]:
    sized = "num_predict" if case.output_tokens is not None else None
    return {name: case.options[name] for name in sorted(case.options_set) if name != sized}


def _is_silent(value: Any) -> bool:
    """Whether saying it would say nothing; `think: false` does say something."""
    return value is None or (not isinstance(value, bool) and not value)


def _plain(value: Any) -> Any:
    """The value of lists, dicts and whole characters alone, which is all that is written."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if hasattr(value, "items"):
        return {str(key): _plain(each) for key, each in value.items()}
    return value
