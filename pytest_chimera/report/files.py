"""Reports as files: names that say what was measured, each file whole or absent, no report over another.

.chimera/.gitignore
.chimera/report.md                                    the newest, links led to where its pictures are
.chimera/reports/gemma3-latest_268.10M_quickstart_20261122-134700.md, .json, .ttft.svg, .tok_s.svg
"""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_chimera.report.corpus_facts import models_of
from pytest_chimera.report.markdown import Picture, render
from pytest_chimera.report.plots import draw
from pytest_chimera.report.sweep_maps import draw_sweeps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_chimera.report.build import Report, ReportInput

OWN_FOLDER = ".chimera"
"""The folder that is ours by its name."""
_REPORTS = "reports"
_NEWEST = "report.md"
_BEGINS = (b"# Benchmark report", b"# Technical report")
_LONGEST_PART = 48
_SEVERAL = 3
"""From this many different models (or sizes) on, their number stands in the name in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """What was written."""

    markdown: Path
    json: Path
    pictures: tuple[Path, ...] = ()
    newest: Path
    """A copy of the Markdown file under a name that stays."""


def write_report(report: Report, directory: Path) -> ReportFiles:
    """Write the report below `directory`.

    Raises OSError where that cannot be done; a file that was begun is removed. A person's own `report.md` is not
    written over.
    """
    _prepare(directory)
    newest = directory / _NEWEST
    if newest.exists() and not newest.read_bytes().startswith(_BEGINS):
        raise FileExistsError(errno.EEXIST, "This file is no report of ours and stays as it is", str(newest))
    folder = directory / _REPORTS
    folder.mkdir(exist_ok=True)
    markdown = _reserve(folder, file_stem(report.given))
    stem = markdown.name.removesuffix(".md")
    twin = folder / f"{stem}.json"
    drawn = [*((*each, "") for each in draw(report)), *draw_sweeps(report.sweeps, report.book)]
    pictures = {f"{stem}.{name}.svg": svg for name, _, svg, _ in drawn}
    linked = [Picture(title, f"{stem}.{name}.svg", place) for name, title, _, place in drawn]
    text = render(report, linked)
    texts = {folder / name: svg for name, svg in pictures.items()}
    texts[twin] = _json(report.as_dict()) + "\n"
    texts[markdown] = text
    written = [markdown]
    try:
        for path, text in texts.items():
            write_whole(path, text)
            written.append(path)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    write_whole(newest, _from_above(text, pictures))
    return ReportFiles(markdown=markdown, json=twin, pictures=tuple(folder / name for name in pictures), newest=newest)


def file_stem(given: ReportInput) -> str:
    """`[Model]_[Size]_[Suite]_[Date-Time]`, each part of letters, digits, dots and hyphens only."""
    models = [(result.case.model.name, result.case.model.parameter_size) for result in given.results]
    if not models and given.corpus is not None:
        known = {each.model: each.size for each in given.corpus.measurements}
        models = [(name, known.get(name)) for name in models_of(given.corpus)]
    names = _several((name for name, _ in models), "models")
    sizes = _several((size or "unknown" for _, size in models), "sizes")
    when = given.created.strftime("%Y%m%d-%H%M%S")
    return "_".join([names, sizes, file_part(given.suite), when])


def file_part(text: str) -> str:
    """`text` as a part of a file's name on any system; "unknown" when nothing of it is left."""
    part = re.sub(r"[^A-Za-z0-9.+]+", "-", text)[:_LONGEST_PART].strip("-.")
    return re.sub(r"\.\.+", ".", part) or "unknown"


def _from_above(text: str, pictures: Iterable[str]) -> str:
    """The Markdown as it stands in the folder above its pictures: what comes from elsewhere has no link in it."""
    for name in pictures:
        text = text.replace(f"]({quote(name)})", f"]({quote(f'{_REPORTS}/{name}')})")
    return text


def _json(twin: Mapping[str, Any]) -> str:
    """The twin as JSON; of a corpus, which is large, a line for each part: indented it takes ten times as long."""
    if "corpus" not in twin:
        return json.dumps(twin, indent=1, allow_nan=False)
    parts = (f"{json.dumps(name)}: {json.dumps(part, allow_nan=False)}" for name, part in twin.items())
    return "{\n" + ",\n".join(parts) + "\n}"


def _several(texts: Iterable[str], noun: str) -> str:
    """The different ones joined, or how many there are."""
    different = list(dict.fromkeys(file_part(text) for text in texts))
    return "+".join(different) if 0 < len(different) < _SEVERAL else f"{len(different)}-{noun}"


def _prepare(directory: Path) -> None:
    """Make the folder; one that is ours alone is kept out of version control, a person's own is left as it is."""
    ours = directory.name == OWN_FOLDER or not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    ignore = directory / ".gitignore"
    if ours and not ignore.exists():
        write_whole(ignore, "# Made by pytest-chimera; remove this file to keep the reports.\n*\n")


def _reserve(folder: Path, stem: str) -> Path:
    """An empty file, new under its name: two sessions that end in the same second do not meet."""
    for number in count(1):
        path = folder / (f"{stem}.md" if number == 1 else f"{stem}-{number}.md")
        try:
            path.open("x").close()
        except FileExistsError:
            continue
        return path
    raise AssertionError("count() does not end")


def write_whole(path: Path, text: str) -> None:
    """Replace `path` by a file with `text`, so that nobody ever reads half of it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)  # mkstemp gives 0o600, which a CI job that uploads the report may not read
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
