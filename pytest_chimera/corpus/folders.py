"""The files of large folders, a folder at a time: names only, nothing is opened and nothing asked that costs a call.

What `walk.find_files` says of that which is not read (links, hidden folders, what is no regular file) is said here too.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.corpus.walk import READ, Found, entry_of, file_of, in_glob, roots_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_chimera.corpus.bounds import Bounds


class Folder(NamedTuple):
    """Regular files of one folder, or some of them."""

    location: str
    """As it can be opened on this machine."""
    path: str
    """As people see it; empty is the one folder that was given."""
    names: list[str]
    """In order; names that end in `READ` and others."""

    def found(self, name: str) -> Found:
        """One of its files, as `find_files` finds it."""
        path = f"{self.path}/{name}" if self.path else name
        kind = kind_of(name)
        problem = None if kind != "other" else "not a kind of file that is read"
        return Found(shown(path), f"{self.location}/{name}", kind, problem)


class _Seen(NamedTuple):
    """What was yielded, when several paths were given."""

    files: set[str]
    """Those that were given themselves."""
    folders: set[str]


def kind_of(name: str) -> str:
    """The kind of file that a name tells."""
    return READ.get(f".{name.rpartition('.')[2].lower()}", "other")


def scan(paths: Sequence[str | Path], bounds: Bounds, most: int) -> Iterator[Folder | Found]:
    """Every file below the paths, up to `most` of a folder together, and every other entry by itself.

    A folder comes before those within it. Raises CorpusError for a path that is not there.
    """
    seen = _Seen(set(), set())
    left = bounds.files
    for root, pattern, prefix, skip in roots_of(paths):
        # Below a glob each folder may be looked at once more for another glob: only files are seen once then.
        for each in _below(root, prefix, bounds, _Seen(seen.files, set()) if pattern else seen):
            part = _matching(each, pattern, skip, seen) if pattern else each
            if part is None:
                continue
            if isinstance(part, Found):
                left -= 1
                yield part
                continue
            for start in range(0, min(len(part.names), left), most):
                yield part._replace(names=part.names[start : min(start + most, left)])
            left -= len(part.names)
            if left <= 0:
                yield Found("...", str(root), "other", f"more than {bounds.files} files; the rest is not read")
                return


def _matching(each: Folder | Found, pattern: tuple[str, ...], skip: int, seen: _Seen) -> Folder | Found | None:
    """What of a folder a glob matches; None of nothing."""
    if isinstance(each, Found):
        return each if in_glob(each.shown[skip:].split("/"), pattern) else None
    parts = each.path[skip:].split("/") if each.path[skip:] else []
    names = [name for name in each.names if in_glob([*parts, name], pattern)]
    seen.files.update(os.path.normpath(f"{each.location}/{name}") for name in names)
    return each._replace(names=names) if names else None


def _below(root: Path, prefix: str, bounds: Bounds, seen: _Seen) -> Iterator[Folder | Found]:
    """The folders below a root that were not there before."""
    if not root.is_dir():
        real = os.path.normpath(root)
        if real not in seen.files and os.path.dirname(real) not in seen.folders:  # noqa: PTH120  # as normpath wrote it
            seen.files.add(real)
            yield file_of(str(root), prefix, root.stat().st_mode)
        return
    boundary = os.path.realpath(root)
    stack = [(str(root), prefix, 0)]
    while stack:
        location, path, depth = stack.pop()
        real = os.path.normpath(location)
        if real in seen.folders:
            continue
        seen.folders.add(real)
        try:
            names, others = _listed(location)
        except OSError as error:
            yield Found(shown(path or "."), location, "other", f"the folder cannot be read: {error.strerror}")
            continue
        if seen.files:
            names = [each for each in names if os.path.normpath(f"{location}/{each}") not in seen.files]
        if names:
            yield Folder(location, path, names)
        within = []
        for entry in others:
            name = f"{path}/{entry.name}" if path else entry.name
            found = entry_of(entry, name, boundary, too_deep=depth >= bounds.depth)
            if found is None:
                within.append((entry.path, name, depth + 1))
            else:
                yield found
        stack.extend(reversed(within))


def _listed(location: str) -> tuple[list[str], list[os.DirEntry[str]]]:
    """(names of regular files, all other entries) of a folder, in order."""
    names: list[str] = []
    others: list[os.DirEntry[str]] = []
    with os.scandir(location) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                names.append(entry.name)
            else:
                others.append(entry)
    names.sort()
    others.sort(key=lambda entry: entry.name)
    return names, others


class Size(NamedTuple):
    """How large a corpus is, as far as it was looked at."""

    files: int
    bytes: int

    def exceeds(self, files: int, size: int) -> bool:
        """Whether it has more than so many files or bytes."""
        return self.files > files or self.bytes > size


def size_of(paths: Sequence[str | Path], bounds: Bounds, most: int) -> Size:
    """The size of a corpus; no more is looked at once it has more than `most` files.

    Raises CorpusError for a path that is not there.
    """
    files = size = 0
    for each in scan(paths, bounds, most):
        places = [each.location] if isinstance(each, Found) else [f"{each.location}/{name}" for name in each.names]
        files += len(places)
        if files > most:
            break
        for place in places:
            with suppress(OSError):
                size += os.stat(place, follow_symlinks=False).st_size  # noqa: PTH116  # twice as fast as a Path
    return Size(files, size)
