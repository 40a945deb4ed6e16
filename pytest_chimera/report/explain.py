"""`pytest-chimera explain FACT`: one fact's way back to the rows it was computed from, read from a JSON twin."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import RecordError, UserError
from pytest_chimera.report.escape import terminal
from pytest_chimera.report.files import OWN_FOLDER
from pytest_chimera.report.statements import short
from pytest_chimera.report.twin import facts_from
from pytest_chimera.report.ways import FoundValue, Way, Ways
from pytest_chimera.stats import UNITS
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_chimera.records import Fact

_REPORTS = "reports"
_MOST_NEAR = 3
_MOST_VALUES = 200
_MOST_SAID = 5
_LONGEST_LINE = 400


def explain_main(arguments: Sequence[str]) -> int:
    """Print where a fact comes from; returns the exit status.

    Raises UserError where there is no report or no such fact, RecordError where the file is no report.
    """
    parser = argparse.ArgumentParser(
        prog="pytest-chimera explain",
        description="Print what a fact of a report says and each row or round it was computed from; nothing is run.",
    )
    parser.add_argument("fact", metavar="FACT", help="id of a fact, as reports print it: F1a2b3c4d")
    newest = f"default: the newest in {OWN_FOLDER}/{_REPORTS}"
    parser.add_argument("--report", type=Path, metavar="FILE.json", help=f"the JSON file of a report ({newest})")
    options = parser.parse_args(arguments)
    path = options.report or newest_twin(Path(OWN_FOLDER) / _REPORTS)
    lines = explain(read_twin(path), options.fact)
    try:
        sys.stdout.write("\n".join([*lines, f"report: {terminal(str(path))}"]) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def newest_twin(folder: Path) -> Path:
    """The JSON file of the newest report in a folder; raises UserError where there is none."""
    found = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    if not found:
        raise UserError(
            f"There is no report in {folder}.",
            "Accepted: the JSON file of a report.",
            "Run pytest with --chimera-corpus or measure a case, or name the file with --report.",
        )
    return found[-1]


def read_twin(path: Path) -> dict[str, Any]:
    """A twin from its file; raises UserError or RecordError."""
    try:
        twin = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"The report {path} cannot be read: {error.strerror}.",
            "Accepted: the JSON file of a report.",
            "Name it with --report.",
        ) from None
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON: {error}.", "Accepted: the JSON file of a report.", "") from None
    if not isinstance(twin, dict):
        raise RecordError(f"{path} is no report.", "Accepted: the JSON file of a report.", "")
    return twin


def explain(twin: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The lines that lead from a fact back to its rows; raises UserError that names the nearest ids."""
    facts = {fact.id: fact for fact in facts_from(twin)}
    fact = facts.get(name) or facts.get(f"F{name.lower().removeprefix('f')}")
    if fact is None:
        raise _unknown(name, facts)
    subject = ", ".join(f"{key} {value}" for key, value in fact.subject.items()) or "the whole session"
    head = f"{fact.id}: {fact.statistic} of {fact.metric}, {subject}"
    said = [f"  says     {terminal(short(text, _LONGEST_LINE))}" for text in _said(twin, fact.id)[:_MOST_SAID]]
    sections = ", ".join(each["title"] for each in twin["sections"] if fact.id in each["facts"])
    return (
        terminal(head),
        f"  value    {_value(fact)}",
        f"  n        {fact.n}",
        f"  formula  {terminal(fact.formula)}",
        *said,
        f"  printed  {terminal(sections) or 'nowhere in the Markdown'}",
        "  sources",
        *_sources(fact, Ways(twin)),
    )


def _sources(fact: Fact, ways: Ways) -> Iterator[str]:
    room = _MOST_VALUES
    for source in fact.sources:
        way = ways.of(source, fact.metric)
        yield f"    {terminal(source)}"
        yield from (f"      {line}" for line in _about(way))
        for each in way.values[:room]:
            yield f"      {terminal(_row(each))}"
        left = max(0, len(way.values) - room)
        room = max(0, room - len(way.values))
        if left + way.unnamed:
            yield f"      and {left + way.unnamed} more"


def _about(way: Way) -> Iterator[str]:
    if way.about:
        each = way.about
        yield terminal(f"{each['format']}, {each['size_bytes']} bytes, {each['rows']} rows, SHA-256 {each['digest']}")


def _row(each: FoundValue) -> str:
    value = f"failed: {each.failed}" if each.failed else format_value(each.value, each.dimension)
    if each.value is not None and not each.failed:
        value = f"{value} ({each.value:.9g} {UNITS[each.dimension]}".rstrip() + ")"
    more = ", ".join(f"{name}={short(text)}" for name, text in each.conditions.items())
    return f"{each.place}: {value}{'; ' if more else ''}{more}"


def _value(fact: Fact) -> str:
    if fact.value is None:
        return "unknown"
    exact = f"{fact.value:.12g} {UNITS[fact.dimension]}".rstrip()
    return f"{format_value(fact.value, fact.dimension)} ({exact})"


def _said(twin: Mapping[str, Any], name: str) -> list[str]:
    """Findings and recommendations that rest on the fact."""
    return [
        each["text"] for key in ("findings", "recommendations") for each in twin.get(key, ()) if name in each["facts"]
    ]


def _unknown(name: str, facts: Mapping[str, Fact]) -> UserError:
    """The error for an id that is not there, with those that share most of its beginning."""
    import difflib  # noqa: PLC0415  # only for a name that is not there

    near = difflib.get_close_matches(name, facts, n=_MOST_NEAR, cutoff=0.5)
    return UserError(
        f"The report has no fact {name!r}.",
        f"It has {len(facts)} facts, each with an id such as {next(iter(facts), 'F1a2b3c4d')!r}.",
        f"Nearest: {', '.join(near)}." if near else "Copy the id from the report's appendix.",
    )
