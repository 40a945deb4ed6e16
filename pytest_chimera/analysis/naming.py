"""Names of files against the template `[Model]_[Size]_[Benchmark]_[Date-Time]`, and a better name for each.

A plan, which nothing here carries out. Of one file's proposal only its content and its name decide, and a number where
two files of one folder would meet.
"""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_chimera.analysis.described import counted
from pytest_chimera.analysis.evidence import moment
from pytest_chimera.analysis.filenames import common_folder, folder_of, has_time, name_of, stem_of, suffix_of, words_of
from pytest_chimera.analysis.form import Finding, Part, Quoted, Recommendation
from pytest_chimera.analysis.sentences import table
from pytest_chimera.units import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.analysis.evidence import Evidence
    from pytest_chimera.records import Artifact, Measurement

TEMPLATE = "[Model]_[Size]_[Benchmark]_[Date-Time]"
_PART = r"[A-Za-z0-9.+-]+"
_FITS = re.compile(
    rf"{_PART}_(?:[0-9.]+[KMBT](?:\+[0-9.]+[KMBT])*|[0-9]+-sizes|unknown)_{_PART}_[0-9]{{8}}(?:-[0-9]{{6}})?(?:-[0-9]+)?"
)
_SIZE = re.compile(r"(?<![a-z0-9.])[0-9]+(?:\.[0-9]+)?[bm](?![a-z0-9])", re.IGNORECASE)
_KEPT = re.compile(r"readme|license|licence|copying|notice|changelog|contributing|manifest|source|index", re.IGNORECASE)
"""Names that mean something to everybody as they are."""
_LONGEST_PART = 48
_SEVERAL = 3
_DATE = 3
"""Year, month and day; an hour and a minute follow."""
_MOST_FACTS = 4


def safe_part(text: str) -> str:
    """A text as a part of a file's name on any system; "unknown" when nothing of it is left."""
    part = re.sub(r"[^A-Za-z0-9.+]+", "-", text)[:_LONGEST_PART].strip("-.")
    return re.sub(r"\.\.+", ".", part) or UNKNOWN


def proposals(evidence: Evidence) -> dict[str, tuple[str, str]]:
    """Path of every file -> (proposed path, why); a file that keeps its name is proposed as it is."""
    told: dict[str, list[Measurement]] = defaultdict(list)
    for each in (*evidence.ordered, *evidence.others):
        for file in {each.source.file, *(copy.file for copy in each.copies)}:
            told[file].append(each)
    found: dict[str, tuple[str, str]] = {}
    taken = {each.path.lower(): 1 for each in evidence.files if _keeps(each.path)}
    for artifact in evidence.files:
        if _keeps(artifact.path):
            found[artifact.path] = (artifact.path, _why_kept(artifact.path))
            continue
        own = told.get(artifact.path) or told.get(artifact.identical_to or "", [])
        stem, why = _proposed(artifact, own)
        path = _free(folder_of(artifact.path), stem, suffix_of(artifact.path), taken)
        found[artifact.path] = (path, why)
    return found


def rename_plan(evidence: Evidence) -> str:
    """The plan as CSV: path, proposed, why; files that keep their names are in it too."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("path", "proposed", "why"))
    writer.writerows((path, *proposed) for path, proposed in proposals(evidence).items())
    return out.getvalue()


def naming(evidence: Evidence) -> Part:
    """The part of the report about the names of files."""
    plan = proposals(evidence)
    if not plan:
        return Part(
            name="naming",
            title="Names of files",
            findings=(Finding(kind="naming", statement=("There is no file.",), notable=False),),
        )
    finding = _finding(plan)
    rows = [((Quoted(path),), (Quoted(name_of(new)),), (why,)) for path, (new, why) in plan.items() if new != path]
    return Part(
        name="naming",
        title="Names of files",
        findings=(finding,),
        grids=(table(f"Proposed names, by {TEMPLATE}", ("File", "Proposed name", "Why"), rows, ()),) if rows else (),
        recommendations=_recommendations(evidence, finding) if rows else (),
    )


def _finding(plan: Mapping[str, tuple[str, str]]) -> Finding:
    fits = [path for path in plan if _fits(path)]
    kept = [path for path in plan if _KEPT.fullmatch(stem_of(path))]
    subject = {"part": "naming"}
    files = counted(subject, "files", len(plan), "files", tuple(list(plan)[:_MOST_FACTS]))
    good = counted(subject, "names_by_template", len(fits), f"files named by {TEMPLATE}", tuple(fits[:_MOST_FACTS]))
    usual = counted(
        subject, "usual_names", len(kept), "files with a usual name such as README", tuple(kept[:_MOST_FACTS])
    )
    dated = [path for path in plan if has_time(stem_of(path))]
    times = counted(
        subject, "names_with_time", len(dated), "files whose name carries a time", tuple(dated[:_MOST_FACTS])
    )
    return Finding(
        kind="naming",
        statement=(
            "Of ", files, " files ", good, f" are named by the template {TEMPLATE}; the names of ", times,
            " carry a time, and ", usual, " have a usual name that says enough.",
        ),
        notable=len(fits) + len(kept) < len(plan),
    )  # fmt: skip


def _recommendations(evidence: Evidence, finding: Finding) -> tuple[Recommendation, ...]:
    folder = common_folder(each.location for each in evidence.files)
    return (
        Recommendation(
            statement=("Read the plan for better names before anything is renamed; it renames nothing.",),
            findings=(finding,),
            command=f"pytest --chimera-corpus {shlex.quote(folder)} --chimera-rename-plan rename-plan.csv",
        ),
    )


def _fits(path: str) -> bool:
    return _FITS.fullmatch(stem_of(path)) is not None


def _keeps(path: str) -> bool:
    return _fits(path) or _KEPT.fullmatch(stem_of(path)) is not None


def _why_kept(path: str) -> str:
    return "it fits the template" if _fits(path) else "a usual name"


def _proposed(artifact: Artifact, own: Sequence[Measurement]) -> tuple[str, str]:
    """The stem and why, from what a file says and what its name says."""
    stem = stem_of(artifact.path)
    models = sorted({each.model for each in own if each.model})
    sizes = sorted({each.size or _size_in(each.model) or "" for each in own if each.model} - {""})
    model = _joined(models, "models")
    size = _joined(sizes, "sizes") if sizes else (_size_in(stem) or UNKNOWN)
    benchmark = _benchmark(stem, models)
    when, told = _when(artifact, own)
    missing = [name for name, part in (("model", model), ("size", size), ("benchmark", benchmark)) if part == UNKNOWN]
    why = [f"{', '.join(missing)} not known"] if missing else []
    why.append(told)
    return f"{model}_{size}_{benchmark}_{when}", "; ".join(why)


def _joined(texts: Sequence[str], noun: str) -> str:
    if not texts:
        return UNKNOWN
    parts = list(dict.fromkeys(safe_part(text) for text in texts))
    return "+".join(parts) if len(parts) < _SEVERAL else f"{len(parts)}-{noun}"


def _size_in(text: str | None) -> str | None:
    """A size as in a tag: "8b" of "llama3.1:8b-instruct-q4_0"."""
    found = _SIZE.search((text or "").replace("_", " ").replace(":", " ").replace("-", " "))
    return found[0].upper() if found else None


def _benchmark(stem: str, models: Sequence[str]) -> str:
    """The words of a name that do not repeat its model, its size or its time."""
    said = {word for model in models for word in re.split(r"[^a-z0-9.]+", model.lower()) if word}
    left = [
        word
        for word in words_of(stem)
        if not _SIZE.fullmatch(word) and not any(each.startswith(word.lower()) and not word.isdigit() for each in said)
    ]
    return safe_part("-".join(left)) if left else UNKNOWN


def _when(artifact: Artifact, own: Sequence[Measurement]) -> tuple[str, str]:
    """The time of the first measurement, else of the file, as it stands there."""
    known = [(found, each.time, each.zone) for each in own if (found := moment(each.time)) is not None]
    text, zone = min(known, key=lambda each: each[0])[1:] if known else (artifact.time, artifact.zone)
    digits = re.findall(r"[0-9]+", text or "")
    if moment(text) is None or len(digits) < _DATE:
        return UNKNOWN, "time not known"
    where = {"utc": "UTC", "offset": "at its offset", "local": "local, zone not known"}.get(zone, "zone not known")
    if len(digits) < _DATE + 2:
        return "".join(digits[:_DATE]), "hour not known"
    return f"{''.join(digits[:_DATE])}-{''.join([*digits[_DATE:], '00'][:_DATE])}", f"time {where}"


def _free(folder: str, stem: str, suffix: str, taken: dict[str, int]) -> str:
    """A path that no other proposal of the folder has, on systems that do not tell cases apart either.

    `taken` counts how often each path was asked for.
    """
    base = f"{folder}/{stem}" if folder else stem
    path, first = base + suffix, (base + suffix).lower()
    while path.lower() in taken:
        taken[first] += 1
        path = f"{base}-{taken[first]}{suffix}"
    taken[path.lower()] = 1
    return path
