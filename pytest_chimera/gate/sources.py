"""Where saved runs are: what `--chimera-baseline` and `compare` may say, and the files it means, oldest first.

`0007` and other prefixes look into pytest-benchmark's storage, `last:10` and `branch:main` choose from it, a path or
glob names JSON files. Files are read by `saved`; which runs a case is compared with, is decided in `baseline`.
"""

from __future__ import annotations

import glob
import itertools
import platform
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_chimera.errors import BaselineError
from pytest_chimera.gate.saved import SavedRun, read_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

DEFAULT_STORAGE = "file://./.benchmarks"
"""pytest-benchmark's own default."""

FILE_SCHEME = "file://"
MOST_FILES = 500
"""So many of the newest files of a storage are read for `last` and `branch`."""

_LAST = re.compile(r"last(?::([0-9]{1,9}))?")
_DIGITS = 4
"""Of the number with which pytest-benchmark begins the name of a file."""
_ACCEPTED = "Accepted: a run number or prefix, a path or glob of JSON files, last, last:K, branch:NAME."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for, read but not yet looked up."""

    names: tuple[str, ...] = ()
    """Run numbers, prefixes, paths and globs as written."""
    branches: tuple[str, ...] = ()
    last: int | None = None
    """Per case, so many of the newest comparable runs; None for all."""

    @property
    def passed_only(self) -> bool:
        """Whether runs whose own gate failed are passed over: where runs are chosen and not named."""
        return self.last is not None or bool(self.branches)

    def __str__(self) -> str:
        last = [] if self.last is None else [f"last:{self.last}"]
        return ", ".join([*self.names, *(f"branch:{each}" for each in self.branches), *last])


def parse_wanted(texts: Iterable[str]) -> Wanted:
    """Read what `--chimera-baseline` was given, several of it or parted by commas.

    Raises BaselineError.
    """
    wanted = Wanted()
    for text in (part.strip() for each in texts for part in each.split(",")):
        if not text:
            continue
        last = _LAST.fullmatch(text)
        branch = text.removeprefix("branch:")
        if last is not None:
            number = int(last[1] or 1)
            if not number:
                raise BaselineError(f"{text!r} is no run at all.", _ACCEPTED, "Write it as in 'last:10'.")
            wanted = replace(wanted, last=number)
        elif text.startswith("last:") or not branch:
            raise BaselineError(f"{text!r} cannot be read.", _ACCEPTED, "Write it as in 'last:10' or 'branch:main'.")
        elif branch != text:
            wanted = replace(wanted, branches=(*wanted.branches, branch))
        else:
            wanted = replace(wanted, names=(*wanted.names, text))
    return wanted


def machine_id() -> str:
    """The name of this machine's folder, as pytest-benchmark makes it."""
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{platform.system()}-{platform.python_implementation()}-{version}-{platform.architecture()[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to look."""

    folder: Path
    """Relative paths count from here."""
    root: Path
    """The folder of pytest-benchmark's storage, which may be missing."""
    machine: str = field(default_factory=machine_id)
    """The folder of this machine within the storage, looked into first for a number or prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The runs that are meant, oldest first, and what must be said of those that were not taken."""

    runs: tuple[SavedRun, ...] = ()
    notes: tuple[str, ...] = ()


def find_runs(wanted: Wanted, place: Place) -> Found:
    """Look up what is wanted; `last`, a branch and a glob may find nothing yet, and pass over files they cannot use.

    Raises BaselineError for a number, prefix or path that leads nowhere or to a file that cannot be used.
    """
    notes = list[str]()
    chosen, named = _chosen(wanted, place.root, place)
    runs = [_read(file, place.root) for file in _once(named)]
    for file in _once(chosen, besides=named):
        try:
            runs.append(_read(file, place.root))
        except BaselineError as error:  # noqa: PERF203  # one bad file of a storage must not hide the others
            notes.append(f"Passed over: {error.what}")
    if wanted.branches:
        runs = [run for run in runs if run.branch in wanted.branches]
    ordered, by_number = _in_order(told_apart(runs))
    return Found(runs=ordered, notes=(*notes, *(_turned_round(ordered) if by_number else ())))


def _chosen(wanted: Wanted, root: Path, place: Place) -> tuple[list[Path], list[Path]]:
    """Files that a choice finds, and files that a name means, each once."""
    if not wanted.names:
        every = [*root.glob("*/*.json"), *root.glob("*.json")]
        return sorted(every, key=lambda file: (_number(file) or 0, file.name))[-MOST_FILES:], []
    choices = [name for name in wanted.names if _is_choice(name, place)]
    chosen = (file for name in choices for file in _globbed(name, root, place))
    named = dict.fromkeys(file for name in wanted.names if name not in choices for file in _files(name, root, place))
    return list(chosen), list(named)


def _once(files: Iterable[Path], besides: Iterable[Path] = ()) -> list[Path]:
    """Each file once, under the first of the names and links that lead to it, and none of `besides`."""
    seen = {file.resolve() for file in besides}
    first: dict[Path, Path] = {}
    for file in files:
        first.setdefault(file.resolve(), file)
    return [file for real, file in first.items() if real not in seen]


def _is_choice(name: str, place: Place) -> bool:
    """Whether a name is a glob or a folder, which may hold nothing."""
    path = _path(name, place)
    return _exists(path.is_dir) or (glob.has_magic(name) and not _exists(path.is_file))


def _globbed(name: str, root: Path, place: Place) -> list[Path]:
    path = _path(name, place)
    if _exists(path.is_dir):
        return sorted(path.glob("**/*.json"))
    # Path.glob refuses a pattern that is absolute
    found = sorted(Path(each) for each in glob.glob(str(path), recursive=True))  # noqa: PTH207  # see above
    return [each for each in found if each.is_file()] or _stored(name, root, place)


def _path(name: str, place: Place) -> Path:
    try:
        return place.folder / Path(name).expanduser()
    except RuntimeError:  # "~somebody" whom this machine does not know
        return place.folder / name


def _exists(asked: Callable[[], bool]) -> bool:
    """Whether the system says so; no file can have a name that it refuses."""
    try:
        return asked()
    except (OSError, ValueError):
        return False


def _files(name: str, root: Path, place: Place) -> list[Path]:
    """The file that a path means, or those of the storage with a number or prefix."""
    path = _path(name, place)
    if _exists(path.is_file):
        return [path]
    if path.suffix == ".json":
        raise BaselineError(
            f"There is no saved run {name!r}.",
            _ACCEPTED,
            "For a first run without a baseline use 'last' or a glob, which may find nothing.",
        )
    stored = _stored(name, root, place)
    if not stored:
        raise _nothing(name, root)
    return stored


def _stored(name: str, root: Path, place: Place) -> list[Path]:
    """Files of the storage by number, prefix or glob: of this machine if it has any, as pytest-benchmark does."""
    folder, _, stem = name.rpartition("/")
    pattern = f"{_prefix(stem)}*.json"
    where = [f"{folder}/"] if folder else [f"{place.machine}/", "*/", ""]
    if "\0" in name:  # no file can have such a name
        return []
    # Path.glob refuses a pattern that is absolute or has a "**x"
    found = (sorted(glob.glob(f"{each}{pattern}", root_dir=root)) for each in where)  # noqa: PTH207  # see above
    return [root / file for file in next(filter(None, found), [])]


def _prefix(stem: str) -> str:
    """What the names of the files begin with: "7" and "0007" mean one run, "00" is a prefix, "00[12]*" a glob."""
    if stem.isdecimal() and not (stem.startswith("0") and len(stem) < _DIGITS):
        return f"{stem.zfill(_DIGITS)}_"
    return stem.rstrip("*")


def _nothing(name: str, root: Path) -> BaselineError:
    kept = sorted(file.name for file in root.glob("**/*.json"))
    have = f"The storage has {', '.join(kept[-5:])}" if kept else "The storage is empty or missing"
    more = f" and {len(kept) - 5} older ones" if len(kept) > 5 else ""  # noqa: PLR2004  # as many as are shown
    return BaselineError(
        f"No saved run is called {name!r} in {str(root)!r}.",
        f"{have}{more}. {_ACCEPTED}",
        "Save one with --benchmark-save=NAME or --benchmark-autosave; a first run may use 'last'.",
    )


def _read(file: Path, root: Path) -> SavedRun:
    return read_run(file, name=_name(file, root), number=_number(file))


def _name(file: Path, root: Path) -> str:
    """Number and name of a run in the storage, without what pytest-benchmark adds to it; else the file."""
    if root not in file.parents:
        return file.name.removesuffix(".json")
    parts = file.stem.split("_")
    hashed = re.fullmatch(r"[0-9]{4,}_[0-9a-f]{40}_.*|[0-9]{4,}_un(?:known|versioned)_.*", file.stem)
    return parts[0] if hashed else file.stem


def _number(file: Path) -> int | None:
    found = re.match(r"([0-9]{4,})_", file.name)
    return int(found[1]) if found else None


def told_apart(runs: Sequence[SavedRun]) -> list[SavedRun]:
    """The runs, each with a name that no other has: files of one name by their folders, then by numbers."""
    count = Counter(run.name for run in runs)
    named = [
        run if count[run.name] == 1 else replace(run, name=f"{Path(run.source).parent.name}/{run.name}") for run in runs
    ]
    taken: set[str] = set()
    found = []
    for run in named:
        names = (run.name if number == 1 else f"{run.name} ({number})" for number in itertools.count(1))
        name = next(each for each in names if each not in taken)
        taken.add(name)
        found.append(replace(run, name=name))
    return found


def precedes(run: SavedRun, other: SavedRun) -> bool:
    """Whether a run is the earlier one, as far as their numbers or times say."""
    if run.number is not None and other.number is not None and Path(run.source).parent == Path(other.source).parent:
        return run.number < other.number
    return run.time is None or other.time is None or run.time < other.time


def _turned_round(runs: Sequence[SavedRun]) -> list[str]:
    """What to say of a run that was written before its predecessor: a clock was turned back."""
    return [
        f"{later.name} is dated before {earlier.name}: they are taken in the order of their numbers."
        for earlier, later in pairwise(runs)
        if earlier.time is not None and later.time is not None and later.time < earlier.time
    ]


def _in_order(runs: Sequence[SavedRun]) -> tuple[tuple[SavedRun, ...], bool]:
    """Oldest first, and whether their numbers said so: that is where all have one of their own, which a wrong clock
    cannot turn round. Else by their times; else as they were named.
    """
    numbers = {run.number for run in runs}
    if None not in numbers and len(numbers) == len(runs):
        return tuple(sorted(runs, key=lambda run: run.number or 0)), True
    if all(run.time is not None for run in runs):
        return tuple(sorted(runs, key=lambda run: run.time.timestamp() if run.time else 0.0)), False
    return tuple(runs), False
