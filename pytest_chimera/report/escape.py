"""Untrusted text made harmless on its way out: for Markdown, HTML and the terminal.

Model output, model names, prompts, errors and file contents come from elsewhere. Characters that act instead of being
seen (control, escape sequences, bidirectional overrides, invisible ones) are always written out, as in `\\x1b`.
Nothing here knows what a report is.
"""

from __future__ import annotations

import html as _html
import re
import unicodedata

_JOINERS = "\u200c\u200d"
"""Invisible, but part of the spelling of many languages and of emoji: they stay."""

_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of characters that are not seen: control, format (with bidi), surrogates, separators of lines."""

_NO_CHARACTER = 0xFFFE
"""U+FFFE and U+FFFF, and their like in each plane, are no characters: XML with one of them cannot be read."""

_MARKDOWN = re.compile(r"[\\`*\[\]<>|#~&$@]|(?<![^\W_])_|_(?![^\W_])")
"""What can be active within a line; an underscore inside a word is not."""
_BLOCK_START = re.compile(r"^([-+=]|\d+(?=[.)]))")
"""What would begin a list, a rule or an underlined heading if it stood first in a line."""
_LINK = re.compile(r"(?i)(?<=www)\.|(?<=[a-z]):(?=//)|(?<=mailto):|(?<=xmpp):")
"""What makes a bare address a link in GitHub's Markdown."""


def visible(text: str, *, keep: str = "") -> str:
    r"""`text` with each character that acts instead of being seen as its escape (`\x1b`), but those in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(char) if char not in keep else char for char in text)


def one_line(text: str) -> str:
    """`visible` text in one line: each run of white space is a single space."""
    return visible(" ".join(text.split()))


def markdown(text: str) -> str:
    """`text` as one line of plain Markdown in which nothing is active: no emphasis, code, link, image, table, HTML."""
    escaped = markdown_part(" ".join(text.split()))
    return _BLOCK_START.sub(lambda match: "\\" + match[0] if match[0] in "-+=" else match[0] + "\\", escaped)


def markdown_part(text: str) -> str:
    """As `markdown`, for a part within a line: white space at its ends is kept."""
    escaped = _MARKDOWN.sub(lambda match: "\\" + match[0], visible(re.sub(r"\s+", " ", text)))
    return _LINK.sub(lambda match: "\\" + match[0], escaped)


def markdown_code(text: str, *, in_table: bool = False) -> str:
    """`text` as a code span of one line; empty text is shown as such.

    Within a table a pipe is escaped, which GitHub's Markdown undoes before it reads the span.
    """
    line = one_line(text)
    if not line:
        return "*empty*"
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    if in_table:
        # Parsers of tables do not agree on what a pipe behind two backslashes is: that one is written out.
        line = re.sub(r"(?<=\\)\|", r"\\x7c", line).replace("|", "\\|")
    return f"{fence}{pad}{line}{pad}{fence}"


def markdown_fence(text: str, info: str = "text") -> str:
    """`text` as a fenced block of its own lines, behind a fence longer than any in it; `info` is trusted."""
    lines = [
        visible(line, keep="\t").rstrip() for line in re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", text.strip("\r\n"))
    ]
    fence = "`" * max(3, max(map(_longest_run, lines)) + 1)
    return "\n".join([fence + info, *lines, fence])


def html(text: str) -> str:
    """`text` for an HTML element or a quoted attribute."""
    return _html.escape(visible(text, keep="\n\t"), quote=True)


def terminal(text: str, *, keep_lines: bool = False) -> str:
    """`text` for a terminal, without any control sequence; in one line unless `keep_lines`."""
    if not keep_lines:
        return one_line(text)
    return visible(text.replace("\r\n", "\n"), keep="\n\t")


def _seen(char: str) -> str:
    code = ord(char)
    if (unicodedata.category(char) not in _ACTING and code & 0xFFFE != _NO_CHARACTER) or char in _JOINERS:
        return char
    if code <= 0xFF:  # noqa: PLR2004  # as Python writes it: two, four or eight digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  # same


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
