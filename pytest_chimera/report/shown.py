"""A report as a reader sees it, read back from its Markdown: titles, text, numbers with and without a fact.

It knows the form that `markdown` writes and nothing else, so that a test of it holds for the file that people open.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import UserError
from pytest_chimera.report.build import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FACTS_HEADING = "### Facts"
_HEADING = re.compile(r"^(#{1,2}) (?:(\d+) )?(.+)$")
_FENCE = re.compile(r"^(`{3,})text\n.*?^\1$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)(.*?)(?<!`)\1(?!`)")
_LINKED = re.compile(r"\[((?:[^\[\]\\]|\\.)*)\]\[(F[0-9a-f]{10})\]")
_CITED = re.compile(r" ?\[(F[0-9a-f]{10})\]")
_TARGET = re.compile(r'^\[(F[0-9a-f]{10})\]: #\S+ ".*n = (\d+)"$', re.MULTILINE)
_PICTURE = re.compile(r"^!\[.*\]\(.*\)$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\`*\[\]<>|#~&$@_.:=+-])")
_RULE = re.compile(r"^[|: -]+$")
_NAMES = re.compile(r"\bSHA-256\b|\b\d+ % intervals?\b|\bn \\?< \d+|\bp below \d+ %")
"""Digits of ours that are no measured number: names of a method."""
_DIGITS = re.compile(r"(?<![\w.:/^-])\d[\d.,]*")
"""A number that is no part of a name such as "p95" or "q4_0"."""


@dataclass(frozen=True)
class ShownSection:
    """One section, as written."""

    title: str
    markdown: str

    @property
    def text(self) -> str:
        """Its words and numbers without markup, links and ids of facts; a line for each row of a table."""
        lines = (_plain(line) for line in _PICTURE.sub("", self.markdown).splitlines())
        return "\n".join(line for line in lines if line)

    @property
    def prose(self) -> str:
        """Its text without whatever is quoted: code spans, fences, and the tables of facts."""
        kept = _FENCE.sub("", self.markdown.partition(_FACTS_HEADING)[0])
        return "\n".join(_plain(_CODE.sub("", line)) for line in _PICTURE.sub("", kept).splitlines())

    @property
    def words(self) -> int:
        """How many words its text has."""
        return len(self.text.split())

    @property
    def facts(self) -> tuple[str, ...]:
        """The ids of the facts that it cites, each once, in order."""
        body = self.markdown.partition(_FACTS_HEADING)[0]
        return tuple(dict.fromkeys(re.findall(r"\[(F[0-9a-f]{10})\]", body)))

    @property
    def bullets(self) -> tuple[str, ...]:
        """The items of its lists, as Markdown."""
        return tuple(line[2:] for line in self.markdown.splitlines() if line.startswith("- "))

    def loose_numbers(self, counts: Mapping[str, str]) -> tuple[str, ...]:
        """Each line with a number that no fact stands behind; `counts` are the n of facts by id, as digits."""
        kept = _FENCE.sub("", self.markdown.partition(_FACTS_HEADING)[0])
        lines = [_CODE.sub("", line) for line in _PICTURE.sub("", kept).splitlines()]
        return tuple(line.strip() for line in lines if _has_loose_number(line, counts))


@dataclass(frozen=True)
class Shown:
    """A whole report."""

    title: str
    header: str
    """Markdown between title and first section."""
    sections: tuple[ShownSection, ...]
    counts: Mapping[str, str] = field(default_factory=dict)
    """Id of each cited fact -> its n."""
    twin: Mapping[str, Any] | None = None
    """The JSON twin; None where only the Markdown is there."""

    @cached_property
    def by_title(self) -> dict[str, ShownSection]:
        """The sections by title."""
        return {each.title: each for each in self.sections}


def shown(report: Report | Path | str) -> Shown:
    """A report, or the Markdown or JSON file of one, as a reader sees it.

    Raises UserError where a file is not there or is no report.
    """
    if isinstance(report, Report):
        return _parsed(report.markdown, report.as_dict())
    path = Path(report)
    markdown, twin = (path.with_suffix(suffix) for suffix in (".md", ".json"))
    try:
        text = markdown.read_text(encoding="utf-8")
        read = json.loads(twin.read_text(encoding="utf-8")) if twin.exists() else None
    except (OSError, ValueError) as error:
        raise UserError(
            f"The report {path} cannot be read: {getattr(error, 'strerror', None) or error}.",
            "Accepted: a Report, or the path of its Markdown or JSON file, which lie beside each other.",
            "Give what `report.write(...)` returned, or .chimera/report.md.",
        ) from None
    return _parsed(text, read)


def _parsed(markdown: str, twin: Mapping[str, Any] | None) -> Shown:
    body, counts = _TARGET.sub("", markdown), dict(_TARGET.findall(markdown))
    titles: list[str] = []
    texts: list[list[str]] = []
    fence = ""
    for line in body.splitlines():
        # Within a fence, text from elsewhere may look like a heading.
        mark = re.match(r"(`{3,})(text)?$", line)
        if mark is not None and (not fence or line == fence):
            fence = "" if fence else mark[1]
        heading = None if fence else _HEADING.match(line)
        if heading is None and texts:
            texts[-1].append(line)
        elif heading is not None:
            titles.append(_plain(heading[3]))
            texts.append([])
    if not titles:
        raise UserError("This Markdown is no report.", "Accepted: what a report of ours writes.", "")
    parts = ["\n".join(lines).strip() for lines in texts]
    sections = tuple(ShownSection(*each) for each in zip(titles[1:], parts[1:], strict=True))
    return Shown(title=titles[0], header=parts[0], sections=sections, counts=counts, twin=twin)


def _plain(line: str) -> str:
    """A line of Markdown without its markup."""
    line = _CITED.sub("", _LINKED.sub(lambda found: found[1], line))
    line = re.sub(r"^(#{1,6}|-) ", "", line.strip()).replace("**", "")
    line = re.sub(r'<a id="f[0-9a-f]{10}"></a>', "", line)
    if line.startswith("|"):
        line = "" if _RULE.match(line) else " | ".join(cell.strip() for cell in line.strip("|").split(" | "))
    return _ESCAPED.sub(lambda found: found[1], _CODE.sub(lambda found: found[2].strip(), line))


def _has_loose_number(line: str, counts: Mapping[str, str]) -> bool:
    ids: Sequence[str] = [each[1] for each in _LINKED.findall(line)]
    if not ids:  # the ids stand behind the line, as in the list of metrics
        return len(_DIGITS.findall(_NAMES.sub("", _CITED.sub("", line)))) > len(_CITED.findall(line))
    rest = _NAMES.sub("", _CITED.sub("", _LINKED.sub("", line)))
    if line.startswith("|"):
        # The n of a row is that of a fact of the same row.
        known = {counts.get(name) for name in ids}
        rest = "|".join(cell for cell in rest.split("|") if cell.strip() not in known)
    return _DIGITS.search(rest) is not None
