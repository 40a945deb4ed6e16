"""`pytest-chimera compare BASE NEW [...]`: the command line, and where its output goes."""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.compare.formats import bencher, github_benchmark
from pytest_chimera.compare.picture import Distribution, draw_distributions
from pytest_chimera.compare.sides import Compared, Sides, Wish, compare_sides, paired_by
from pytest_chimera.compare.table import markdown_text, terminal_lines, title
from pytest_chimera.compare.trend import trend_line
from pytest_chimera.errors import BaselineError, ChimeraError, LimitError, SettingError
from pytest_chimera.gate import wording
from pytest_chimera.gate.expressions import DEFAULT_THRESHOLDS, parse_allowance, parse_expression, thresholds
from pytest_chimera.gate.rule import ALLOWANCE
from pytest_chimera.gate.series import UnusableError
from pytest_chimera.gate.sources import (
    DEFAULT_STORAGE,
    Found,
    Place,
    find_runs,
    parse_wanted,
    precedes,
    told_apart,
)
from pytest_chimera.records import UNJUDGED, Verdict
from pytest_chimera.report.escape import terminal
from pytest_chimera.report.files import write_whole
from pytest_chimera.trends import trend_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_chimera.gate.saved import SavedRun

FINE, WORSE, CANNOT = 0, 1, 2
"""Exit statuses."""

_FEWEST_FOR_A_TREND = 3

_DESCRIPTION = """\
Compare saved runs (files of pytest-benchmark's) by the rule of the gate. The last name is the new run, all before it
are the base: one run, or several as its history. Exit status: 0 fine, 1 worse (with --fail-on), 2 cannot compare."""


def compare_main(arguments: Sequence[str], storage_folder: Callable[[str, Path, Path], Path]) -> int:
    """Compare, print or write what was asked for; returns the exit status.

    `storage_folder` finds the folder of pytest-benchmark's storage, or copies it into one.
    """
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as copy:
            folder = storage_folder(options.storage, Path.cwd(), Path(copy))
            return _compare(options, Place(folder=Path.cwd(), root=folder))
    except ChimeraError as error:
        sys.stderr.write(f"{terminal(str(error))}\n")
        return CANNOT
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pytest-chimera compare", description=_DESCRIPTION)
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="run number or prefix, path or glob, last, last:K, branch:NAME")
    add("--fail-on", action="append", default=[], metavar="EXPR", help="such as 'tok/s:5%%'; may be repeated")
    add("--by", metavar="KEY", help="pair cases that differ in KEY: model, quantization, host, options.num_ctx, ...")
    add("--strict", action="store_true", help="what could not be judged counts as worse for --fail-on")
    add("--compare-anyway", action="store_true", help="also where prompt, options, prefix or think differ")
    add("--allowance", metavar="PERCENT", help="run-to-run spread assumed with one or two runs (default: 2%%)")
    add("--storage", default=DEFAULT_STORAGE, metavar="URI", help="pytest-benchmark's storage (default: %(default)s)")
    formats = ("table", "github-benchmark", "bencher")
    add("--format", choices=formats, default="table", help="what is printed; the last two are of the new run alone")
    one_direction = "which metrics github-benchmark gets: it takes one direction a file"
    add("--better", choices=("smaller", "bigger"), default="smaller", help=one_direction)
    add("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown, for a comment or a step summary")
    add("--json", type=Path, metavar="FILE", help="write every verdict")
    add("--svg", type=Path, metavar="FILE", help="write the distributions side by side")
    return parser


def _compare(options: argparse.Namespace, place: Place) -> int:
    sides = _sides(options, place)
    if options.format != "table":
        return _print_foreign(options, sides)
    compared = compare_sides(sides, _wish(options))
    trends = _trends(compared) if options.by is None else {}
    width = shutil.get_terminal_size().columns
    _print("\n".join(terminal_lines(compared, trends, width)))
    _write(options, compared, trends)
    return _status(compared, gated=bool(options.fail_on), strict=options.strict)


def _print(text: str) -> None:
    """Print what the terminal's encoding can show of it."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def _sides(options: argparse.Namespace, place: Place) -> Sides:
    """The runs of both sides; a single name is enough where cases are paired within it, or a format is of one run."""
    *before, last = options.runs
    if not all(text.strip() for text in options.runs):
        raise BaselineError("A name is empty.", "Accepted: a run number, a path, last, ...", "Name a run.")
    if not before and options.by is None and options.format == "table":
        raise BaselineError("There is one side only.", "Accepted: BASE NEW, or one with --by KEY.", "Name both.")
    wanted, of_new = parse_wanted(before), parse_wanted([last])
    new = find_runs(of_new, place)
    runs = new.runs[-of_new.last :] if of_new.last else new.runs
    if not runs:
        raise BaselineError(
            f"{last!r} names no saved run.", " ".join(new.notes), "Save one with --benchmark-save=NAME."
        )
    base = find_runs(wanted, place) if before else Found()
    earlier = [run for run in base.runs if run.source not in {each.source for each in runs}]
    if wanted.passed_only:  # chosen and not named: what is newer than the new run is no history of it
        earlier = [run for run in earlier if precedes(run, runs[0])]
    if before and not earlier:
        raise BaselineError(f"{', '.join(before)} names no other saved run than {last}.", "", "Name an earlier one.")
    if options.by is not None and wanted.passed_only:
        earlier = [run for run in earlier if run.passed][-(wanted.last or len(earlier)) :]
    named = told_apart([*earlier, *runs])
    sides = Sides(
        base=tuple(named[: len(earlier)]),
        new=tuple(named[len(earlier) :]),
        last=wanted.last,
        passed_only=wanted.passed_only,
        notes=(*base.notes, *new.notes),
    )
    return sides if options.by is None else paired_by(options.by, sides)


def _wish(options: argparse.Namespace) -> Wish:
    given = [parse_expression(text) for text in options.fail_on]
    expressions = thresholds(given)
    if len(expressions) < len(given):
        raise LimitError(
            "--fail-on of compare takes thresholds, and was given a limit.",
            "Accepted: METRIC[.STATISTIC]:PERCENT.",
            "Hold limits with pytest --chimera-fail-on or --chimera-limit, when the model is measured.",
        )
    allowance = ALLOWANCE if options.allowance is None else parse_allowance(options.allowance)
    return Wish(
        expressions=expressions or DEFAULT_THRESHOLDS,
        gated=bool(expressions),
        allowance=allowance,
        anyway=options.compare_anyway,
    )


def _status(compared: Compared, *, gated: bool, strict: bool) -> int:
    if all(each.outcome in UNJUDGED for each in compared.verdicts):
        reasons = dict.fromkeys(f"{each.outcome}: {each.reason}" for each in compared.verdicts)
        why = "; ".join(reasons) or "the new run has no case that is compared"
        sys.stderr.write(f"Nothing could be compared: {terminal(why)}.\n")
        return CANNOT
    return WORSE if gated and any(each.fails(strict=strict) for each in compared.verdicts) else FINE


def _print_foreign(options: argparse.Namespace, sides: Sides) -> int:
    """Print the newest run in the format of another tool; one that would be empty is refused by those tools."""
    ignored = [f"--{name}" for name in ("json", "markdown", "svg", "fail_on") if getattr(options, name)]
    if ignored:
        flags = ", ".join(ignored).replace("_", "-")
        raise SettingError(f"--format {options.format} is of one run, and cannot do {flags}.", "", "Leave one out.")
    run = sides.new[-1]
    found = github_benchmark(run, options.better) if options.format == "github-benchmark" else bencher(run)
    if not found:
        raise BaselineError(f"{run.name} has nothing to say in the format {options.format}.", "", "Name another run.")
    _print(json.dumps(found, indent=1))
    return FINE


def _trends(compared: Compared) -> dict[int, str]:
    """The line of each verdict's trend over the runs of both sides, by the `id` of the verdict."""
    runs = {run.name: run for run in (*compared.sides.base, *compared.sides.new)}
    found: dict[int, str] = {}
    for verdict in compared.verdicts:
        names = [*(point.run for point in verdict.baseline), *(run.name for run in compared.sides.new)]
        values = [_statistic(runs[name], verdict) for name in names]
        pairs = zip(names, values, strict=False)
        known = [(name, value) for name, value in pairs if value is not None and 0 < value < math.inf]
        if len(known) >= _FEWEST_FOR_A_TREND and verdict.baseline:
            trend = trend_of([value for _, value in known], [runs[name].time for name, _ in known])
            found[id(verdict)] = trend_line(trend, [name for name, _ in known])
    return found


def _statistic(run: SavedRun, verdict: Verdict) -> float | None:
    case = run.cases.get(verdict.case)
    series = case.series.get(verdict.metric) if case else None
    try:
        return series.statistic(verdict.statistic) if series else None
    except UnusableError:
        return None


def _distributions(compared: Compared) -> list[Distribution]:
    """Every comparison that has rounds on both sides, as shares of the base."""
    found = []
    for verdict in compared.verdicts:
        if verdict.before is None:
            continue
        names = {point.run for point in verdict.baseline}
        base, new = (
            tuple(value / verdict.before for run in side for value in _values(run, verdict))
            for side in ([run for run in compared.sides.base if run.name in names], compared.sides.new)
        )
        if base and new:
            found.append(Distribution(label=f"{verdict.name} {wording.subject(verdict)}", base=base, new=new))
    return found


def _values(run: SavedRun, verdict: Verdict) -> tuple[float, ...]:
    case = run.cases.get(verdict.case)
    series = case.series.get(verdict.metric) if case else None
    return series.values or () if series else ()


def _write(options: argparse.Namespace, compared: Compared, trends: Mapping[int, str]) -> None:
    texts: dict[Path, str] = {}
    files = [each for each in (options.markdown, options.json, options.svg) if each]
    if len(set(files)) < len(files):
        raise SettingError("Two outputs have one file.", "Accepted: a file for each.", "Name another one.")
    if options.markdown:
        texts[options.markdown] = markdown_text(compared, trends)
    if options.json:
        texts[options.json] = json.dumps(_as_dict(compared, trends), indent=1, allow_nan=False) + "\n"
    if options.svg:
        texts[options.svg] = draw_distributions(_distributions(compared), title(compared))
    for path, text in texts.items():
        _write_file(path, text)


def _write_file(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        what = f"{str(path)!r} cannot be written: {error.strerror or error}."
        raise SettingError(what, "Accepted: a file in a folder that is there.", "Name another one.") from None


def _as_dict(compared: Compared, trends: Mapping[int, str]) -> dict[str, Any]:
    return {
        "schema": "pytest-chimera-compare",
        "schema_version": 1,
        "base": [run.name for run in compared.sides.base],
        "new": [run.name for run in compared.sides.new],
        "verdicts": [{**each.as_dict(), "trend": trends.get(id(each))} for each in compared.verdicts],
        "notes": list(compared.notes),
    }
