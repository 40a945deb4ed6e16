"""Which files there are below what was given: folders, files and globs; no link out of a folder is followed."""

from __future__ import annotations

import fnmatch
import glob
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.errors import CorpusError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_chimera.corpus.bounds import Bounds

READ = {
    ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".md": "markdown",
    ".markdown": "markdown", ".yaml": "yaml", ".yml": "yaml", ".txt": "text", ".sql": "text",
}  # fmt: skip
"""Ending of a name -> kind of file; all others are listed and not opened."""


class Found(NamedTuple):
    """One file, or one thing that is not read as a file."""

    shown: str
    """As people see it: relative to what was given, without control characters."""
    location: str
    kind: str
    """A kind of `Artifact`."""
    problem: str | None
    """Why it is not opened; None when it is."""


class Root(NamedTuple):
    """A folder or file to begin at."""

    path: Path
    pattern: tuple[str, ...]
    """Parts of a glob below it; empty takes everything."""
    prefix: str
    """What its files are shown under; empty shows them from within it."""
    skip: int
    """Characters of a shown path that the glob does not see."""


def find_files(paths: Sequence[str | Path], bounds: Bounds) -> tuple[Found, ...]:
    """Every file below the paths, in the order of their names, each once.

    Of several folders that are given, each is shown under its own name ("reports/x.csv"); of a single one the files
    are shown from within it. Raises CorpusError for a path that is not there.
    """
    seen: set[str] = set()
    found: list[Found] = []
    for root in roots_of(paths):
        before = len(found)
        for each in _below(root.path, root.prefix, bounds):
            if root.pattern and not in_glob(each.shown[root.skip :].split("/"), root.pattern):
                continue
            real = os.path.normpath(each.location)
            if real in seen:
                continue
            if len(found) >= bounds.files:
                why = f"more than {bounds.files} files; the rest is not read"
                return (*found, Found("...", str(root.path), "other", why))
            seen.add(real)
            found.append(each)
        if root.pattern and len(found) == before and not seen:
            raise CorpusError(
                f"No file is named as in the corpus {str(root.path / Path(*root.pattern))!r}.",
                "Accepted: a folder, a file or a glob.",
                "Check the pattern.",
            )
    return tuple(found)


def roots_of(paths: Sequence[str | Path]) -> tuple[Root, ...]:
    """Where to begin for each path. Raises CorpusError for one that is not there."""
    begun = [_root(str(path)) for path in paths]
    prefixes = _told_apart([Path(os.path.normpath(path.absolute())) for path, _ in begun])
    return tuple(
        Root(path, pattern, prefix, len(prefix) + 1 if prefix else 0)
        for (path, pattern), prefix in zip(begun, prefixes, strict=True)
    )


def _told_apart(paths: Sequence[Path]) -> list[str]:
    """What the files below each are shown under: its name, with as many folders above as tell it from the others.

    Nothing for a single folder.
    """
    if len(set(paths)) == 1 and paths[0].is_dir():
        return [""] * len(paths)
    prefixes = []
    for path in paths:
        others = {each.parts for each in paths if each != path}
        size = 1
        while size < len(path.parts) and any(other[-size:] == path.parts[-size:] for other in others):
            size += 1
        prefixes.append("/".join(part.strip("/") for part in path.parts[-size:]))
    return prefixes


def shown(text: str) -> str:
    """A name in one line that no terminal acts on: characters that do not print are written as escapes."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape", "replace").decode() for each in text)


def _root(text: str) -> tuple[Path, tuple[str, ...]]:
    """The folder or file to start at, and the parts of the glob below it.

    A glob is matched here and not by the standard library, whose `**` follows links round in circles.
    """
    path = Path(text).expanduser()
    if path.exists():
        return path, ()
    fixed = list(path.parts)
    pattern: list[str] = []
    while fixed and any(glob.has_magic(part) for part in fixed):
        pattern.insert(0, fixed.pop())
    start = Path(*fixed) if fixed else Path()
    if pattern and start.is_dir():
        return start, tuple(pattern)
    siblings = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    raise CorpusError(
        f"There is no corpus at {text!r}.",
        "Accepted: a folder, a file or a glob of files.",
        nearest(path.name, siblings) or "Check the path; it is taken from the folder that pytest is run in.",
    )


def in_glob(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a glob matches a path or a folder that it lies in; "**" stands for any folders."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(in_glob(parts[start:], pattern[1:]) for start in range(len(parts)))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and in_glob(parts[1:], pattern[1:])


def _below(root: Path, prefix: str, bounds: Bounds) -> Iterator[Found]:
    if not root.is_dir():
        yield file_of(str(root), prefix or shown(root.name), root.stat().st_mode)
        return
    boundary = os.path.realpath(root)
    stack = [(str(root), prefix, 0)]
    while stack:
        folder, name, depth = stack.pop()
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Found(shown(name or "."), folder, "other", f"the folder cannot be read: {error.strerror}")
            continue
        folders = []
        for entry in listed:
            path = f"{name}/{entry.name}" if name else entry.name
            found = entry_of(entry, path, boundary, too_deep=depth >= bounds.depth)
            if found is None:
                folders.append((entry.path, path, depth + 1))
            else:
                yield found
        stack.extend(reversed(folders))


def entry_of(entry: os.DirEntry[str], path: str, boundary: str, *, too_deep: bool) -> Found | None:
    """One entry of a folder; None of a folder that is looked into."""
    problem = _link(entry.path, boundary) if entry.is_symlink() else None
    if problem is None and entry.is_dir(follow_symlinks=False):
        if not entry.name.startswith(".") and not too_deep:
            return None
        problem = "a folder below too many others" if too_deep else "a hidden folder, not looked into"
    if problem is None:
        try:
            return file_of(entry.path, path, entry.stat().st_mode)
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
    return Found(shown(path), entry.path, "other", problem)


def _link(path: str, boundary: str) -> str | None:
    """Why a link is not followed: it leads out, to a folder (which is read where it is), or nowhere."""
    target = os.path.realpath(path)
    leads_to = Path(target)
    if target != boundary and not target.startswith(boundary + os.sep):
        return "a link out of the folder, not followed"
    if leads_to.is_dir():
        return "a link to a folder, not followed"
    if not leads_to.exists():
        return "a link that leads nowhere"
    if any(part.startswith(".") for part in leads_to.relative_to(boundary).parts):
        return "a link to a hidden file, not followed"
    return "a link to a file that is read where it is"


def file_of(location: str, path: str, mode: int) -> Found:
    """What the file at `location` is by its name and mode, `path` being what it is called."""
    kind = READ.get(f".{path.rpartition('.')[2].lower()}", "other")
    if not stat.S_ISREG(mode):
        return Found(shown(path), location, "other", "not a regular file")
    problem = None if kind != "other" else "not a kind of file that is read"
    return Found(shown(path), location, kind, problem)
