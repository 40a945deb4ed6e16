"""`pytest-chimera read PATH...`: what was understood of some folders, as tables for people or as JSON."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.analysis.described import LOADED
from pytest_chimera.corpus import Vocabulary, read_corpus
from pytest_chimera.corpus.summaries import Summary
from pytest_chimera.corpus.vocabulary import built_in_text
from pytest_chimera.errors import ChimeraError
from pytest_chimera.report.columns import Columns, Row, narrowed, wrapped
from pytest_chimera.report.escape import terminal
from pytest_chimera.stats import Statistic
from pytest_chimera.units import format_bytes, format_seconds, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_chimera.corpus import Corpus
    from pytest_chimera.records import Measurement

SCHEMA = "pytest-chimera-corpus"
SCHEMA_VERSION = 1

_FINE, _NOT_READ, _NOT_UNDERSTOOD = 0, 1, 2
_WIDEST = 120
_EXAMPLES = 3
"""Things of one kind that were not understood which are named; `--all` names every one."""
_RULE = (
    "rows that were measured: copies counted once, failed rows in no statistic, cold rows in none of a time that "
    "loading changes"
)
_RULE_OF_SUMMARIES = "numbers that were measured, copies among them; failed rows in no statistic"
_DESCRIPTION = """\
Read every CSV, JSON and Markdown file below the paths (and what other benchmark tools export), and print what was
understood: a table per metric and model, then everything that was not understood, with the reason."""


def read_main(arguments: Sequence[str]) -> int:
    """Read, print; returns the exit status: 0 read, 1 a path or vocabulary that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        if options.vocabulary_form:
            sys.stdout.write(built_in_text())
            return _FINE
        if not options.paths:
            sys.stderr.write("No path was given. Accepted: folders, files, globs. pytest-chimera read reports/\n")
            return _NOT_UNDERSTOOD
        vocabulary = Vocabulary.from_file(options.vocabulary) if options.vocabulary else None
        corpus = read_corpus(options.paths, vocabulary=vocabulary, stream=True if options.stream else None)
        if options.json:
            _write_json(corpus)
        else:
            width = min(shutil.get_terminal_size().columns, _WIDEST)
            sys.stdout.writelines(f"{line}\n" for line in corpus_lines(corpus, width, everything=options.all))
        sys.stdout.flush()  # here, so that a pipe that was closed is noticed here
    except ChimeraError as error:
        sys.stderr.write(f"{terminal(str(error))}\n")
        return _NOT_READ
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pytest-chimera read", description=_DESCRIPTION)
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="folder, file or glob")
    add("--json", action="store_true", help="every measurement and everything not understood, as JSON")
    add("--all", action="store_true", help="name everything that was not understood, not only the first of each kind")
    add("--vocabulary", type=Path, metavar="FILE", help="names and their meanings, added to the built-in ones (YAML)")
    add("--vocabulary-form", action="store_true", help="print the built-in vocabulary and end")
    add("--stream", action="store_true", help="summaries only, for corpora of any size")
    return parser


def corpus_lines(corpus: Corpus, width: int, *, everything: bool = False) -> Iterator[str]:
    """What was understood, in lines of at most `width` characters, and what was not."""
    if not corpus.files:
        yield from wrapped(f"There is no file below {terminal(', '.join(corpus.roots))}.", width, indent="")
        return
    for text in _counts(corpus):
        yield from wrapped(text, width, indent="")
    rule = _RULE if corpus.streamed is None else _RULE_OF_SUMMARIES
    for title, role in ((f"Performance ({rule})", "performance"), ("Machine (likewise)", "resource")):
        if corpus.streamed is None:
            rows = list(_rows(each for each in corpus.measurements if each.role == role))
        else:
            rows = list(_summed(each for each in corpus.streamed if each.group.role == role))
        if rows:
            yield ""
            yield from wrapped(title, width, indent="")
            heads = ("model", "n", "failed", "cold", "median", "smallest", "largest")
            tiers = (("model", "n", "failed", "cold", "median"), ("model", "n", "median"))
            yield from narrowed(Columns(name="metric", heads=heads, left=(0,)), rows, width, tiers)
    for text in _understood_otherwise(corpus):
        yield from wrapped(text, width, indent="") or [""]
    yield from _not_understood(corpus, width, everything=everything)


def _counts(corpus: Corpus) -> Iterator[str]:
    kinds = sorted(corpus.files.items(), key=lambda each: (-each[1], each[0]))
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds)
    size = format_bytes(sum(each.size_bytes for each in corpus.artifacts))
    files = _plural(sum(corpus.files.values()), "file")
    yield f"{files} ({listed}), {size}, read in {format_seconds(corpus.seconds)}"
    rows = _plural(sum(each.rows for each in corpus.artifacts), "row")
    said = f"{rows}, {sum(each.failed_rows for each in corpus.artifacts)} of them failed; "
    if corpus.streamed is None:
        copies = _plural(sum(len(each.copies) for each in corpus.measurements), "copy", "copies")
        yield f"{said}{_plural(len(corpus.measurements), 'measurement')}, and {copies} of them"
    else:
        numbers = _plural(sum(each.n for each in corpus.streamed), "number")
        yield f"{said}{numbers} in {_plural(len(corpus.streamed), 'group')}, of which only summaries were kept"


def _plural(n: int, noun: str, many: str = "") -> str:
    """A number of things: "1 file", "2 files"."""
    return f"{n} {noun if n == 1 else many or noun + 's'}"


def _summed(summaries: Iterable[Summary]) -> Iterator[Row]:
    """A line per metric, model and kind of file, of a corpus of which only summaries were kept."""
    groups: dict[tuple[str, str], list[Summary]] = {}
    for each in summaries:
        if each.group.provenance == "measured" and each.n + each.failed:
            about = f"{each.group.model or each.group.series or '-'} ({each.group.kind})"
            groups.setdefault((each.group.metric, about), []).append(each)
    for (metric, about), members in sorted(groups.items()):
        cold = sum(each.n for each in members if each.group.cold)
        apart = metric in LOADED and 0 < cold < sum(each.n for each in members)
        told = reduce(Summary.merge, [each for each in members if not (apart and each.group.cold)])
        shown = (format_value(each, told.group.dimension) for each in (told.quantile(0.5), told.lowest, told.highest))
        failed = sum(each.failed for each in members)
        yield Row(terminal(metric), (terminal(about), str(told.n), str(failed), str(cold), *shown))


def _rows(measurements: Iterable[Measurement]) -> Iterator[Row]:
    """A line per metric and model, of what was measured itself."""
    groups: dict[tuple[str, str], list[Measurement]] = {}
    for each in measurements:
        if each.provenance == "measured":
            about = each.model or each.labels.get("network") or "-"
            groups.setdefault((each.metric, about), []).append(each)
    for (metric, model), members in sorted(groups.items()):
        good = [each for each in members if each.ok and each.value is not None]
        cold = sum(each.cold is True for each in good)
        apart = metric in LOADED and 0 < cold < len(good)
        values = tuple(each.value for each in good if each.value is not None and not (apart and each.cold))
        told = Statistic(values, members[0].dimension)
        failed = sum(each.failure is not None for each in members)
        if not good and not failed:  # empty cells
            continue
        shown = (format_value(value, told.dimension) for value in (told.median, told.minimum, told.maximum))
        yield Row(terminal(metric), (terminal(model), str(told.n), str(failed), str(cold), *shown))


def _understood_otherwise(corpus: Corpus) -> Iterator[str]:
    by: Counter[str] = Counter(each.provenance for each in corpus.measurements)
    told = (("aggregate", "aggregate", "aggregates"), ("claim", "claim of reports", "claims of reports"))
    unmeasured = [_plural(by[name], one, many) for name, one, many in told if by[name]]
    if unmeasured:
        yield ""
        yield f"In no table, because it was not measured: {', '.join(unmeasured)}."
    if corpus.others:
        names = ", ".join(sorted({each.metric for each in corpus.others}))
        yield f"Numbers that are not about performance: {len(corpus.others)} ({names})."


def _not_understood(corpus: Corpus, width: int, *, everything: bool) -> Iterator[str]:
    if not corpus.left:
        yield ""
        yield "Everything was understood."
        return
    kinds = Counter(each.kind for each in corpus.left)
    yield ""
    listed = ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common())
    yield from wrapped(f"Not understood: {listed}", width, indent="")
    for kind, count in kinds.most_common():
        of_kind = [each for each in corpus.left if each.kind == kind]
        shown = of_kind if everything else of_kind[:_EXAMPLES]
        for each in shown:
            times = f" ({each.count} values)" if each.count > 1 else ""
            place = f"{each.file} {each.place}".strip()
            yield from wrapped(terminal(f"{place}: {each.reason}{times}" if place else f"{each.reason}{times}"), width)
        if count > len(shown):
            yield from wrapped(f"... and {count - len(shown)} more of {kind}; --all names them", width)


def corpus_as_dict(corpus: Corpus) -> dict[str, Any]:
    """Everything as dicts, lists and primitives, ready for `json.dumps`."""
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "roots": list(corpus.roots),
        "artifacts": [each.as_dict() for each in corpus.artifacts],
        "measurements": [each.as_dict() for each in corpus.measurements],
        "others": [each.as_dict() for each in corpus.others],
        "summaries": None if corpus.streamed is None else [_summary_as_dict(each) for each in corpus.streamed],
        "not_understood": [each.as_dict() for each in corpus.left],
    }


def _summary_as_dict(each: Summary) -> dict[str, Any]:
    quantiles = {name: each.quantile(share) for name, share in (("p5", 0.05), ("median", 0.5), ("p95", 0.95))}
    counts = {"n": each.n, "failed": each.failed, "missing": each.missing}
    moments = {"mean": each.mean, "sd": each.sd, "smallest": each.lowest, "largest": each.highest}
    return {**each.group._asdict(), **counts, **moments, **quantiles}


def _write_json(corpus: Corpus) -> None:
    json.dump(corpus_as_dict(corpus), sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")
