"""Auditing: each Markdown file is a test that lists its claims and fails on those that the corpus contradicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import ChimeraError, CorpusError
from pytest_chimera.plugin.session import AUDITED, get_session
from pytest_chimera.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike
    from pathlib import Path

    from _pytest._code.code import ExceptionInfo, TerminalRepr

    from pytest_chimera.report.check import Checked

_SPELLED_OUT = {"contradicted", "misattributed", "ambiguous"}
"""Verdicts of which the lines of a check name every claim."""
_MOST = 20
"""Claims of one other verdict that a failure names."""
_LARGEST = 16 * 1024**2
_ACCEPTED = f"Accepted: text of at most {_LARGEST:,} bytes."
_LEAVE_OUT = "Leave the file out with pytest's --ignore, or by other names in --chimera-audit-glob."


class AuditError(Exception):
    """A file holds claims that must not stand; `str()` of it is the whole text for a person."""


def collect(path: Path, parent: pytest.Collector) -> AuditFile | None:
    """The audit of a file, where auditing is on and the file is one to audit."""
    settings = get_session(parent.config).settings
    if not any(path.match(glob) for glob in settings.audit_glob):
        return None
    found: AuditFile = AuditFile.from_parent(parent, path=path)
    return found


class AuditFile(pytest.File):
    """One Markdown file."""

    def collect(self) -> Iterator[AuditItem]:
        """Its one test."""
        yield AuditItem.from_parent(self, name="claims")


class AuditItem(pytest.Item):
    """The claims of one file against the corpus."""

    def runtest(self) -> None:
        """Check the file.

        Raises AuditError when it holds claims that must not stand, CorpusError when it or the corpus cannot be used.
        """
        from pytest_chimera.report.check import check, lines  # noqa: PLC0415  # only where claims are checked

        session = get_session(self.config)
        old = session.corpora.of(session.corpora.given)
        name = session.shown_path(self.path)
        try:
            text = _text(self.path, name)
        except CorpusError as error:
            self.stash[AUDITED] = json.dumps({"file": name, "problem": str(error), "claims": []})
            raise
        checked = check(text, old.evidence, document=old.document(self.path))
        told = terminal("\n".join(lines(checked, name)), keep_lines=True)
        claims = [each.as_dict() for each in checked.claims]
        self.stash[AUDITED] = json.dumps({"file": name, "problem": None, "claims": claims})
        bad = _count(checked, session.settings.audit_fail)
        if bad:
            raise AuditError("\n".join([bad, told, *_further(checked, session.settings.audit_fail, name)]))
        self.add_report_section("call", "claims", told)  # for -rA; a failure shows it as its text

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        """The text of what was found; of anything else the usual."""
        if isinstance(excinfo.value, (AuditError, ChimeraError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[PathLike[str] | str, int | None, str]:
        """File and name for the head line of a failure."""
        return self.path, None, f"claims of {self.path.name}"


def _text(path: Path, name: str) -> str:
    """The text of a file as the corpus reads it. Raises CorpusError for one that cannot be read or is no text."""
    from pytest_chimera.corpus.text import decode  # noqa: PLC0415  # only where claims are checked

    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= _LARGEST else b""
        text = decode(data)[0]
    except OSError as error:
        raise CorpusError(f"{name} cannot be read: {error.strerror}.", _ACCEPTED, _LEAVE_OUT) from None
    except ValueError as error:
        raise CorpusError(f"{name} is not audited: {error}.", _ACCEPTED, _LEAVE_OUT) from None
    if size > _LARGEST:
        raise CorpusError(f"{name} is not audited: it has {size:,} bytes.", _ACCEPTED, _LEAVE_OUT)
    return text


def _further(checked: Checked, failing: Sequence[str], name: str) -> Iterator[str]:
    """The claims that fail the file and that its summary only counts."""
    from pytest_chimera.report.check import line_of  # noqa: PLC0415  # only where claims are checked

    for verdict in failing:
        claims = [each for each in checked.claims if each.verdict == verdict]
        if claims and verdict not in _SPELLED_OUT:
            yield f"\n{verdict.capitalize()} ({len(claims)}):"
            yield from (f"  {terminal(line_of(each, name))}" for each in claims[:_MOST])
            if len(claims) > _MOST:
                yield f"  and {len(claims) - _MOST} more"


def _count(checked: Checked, failing: Sequence[str]) -> str:
    counts = {verdict: checked.counts[verdict] for verdict in failing if checked.counts[verdict]}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items())


def audit_as_text(found: Iterable[str]) -> str:
    """What `--chimera-audit-json` writes, of what the items found."""
    files = sorted((json.loads(each) for each in found), key=lambda each: str(each["file"]))
    return json.dumps({"schema": "pytest-chimera-audit", "schema_version": 1, "files": files}, indent=1) + "\n"
