"""What the names of files say: their times, and the kind of file that is left when those are taken away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TIME = re.compile(
    r"(?<![0-9])(?:"
    r"(?:19|20)[0-9]{2}[-_.]?[01][0-9][-_.]?[0-3][0-9](?:[-_T .]?[0-2][0-9][-_:.]?[0-5][0-9](?:[-_:.]?[0-5][0-9])?Z?)?"
    r"|1[0-9]{9}(?:[0-9]{3}){0,2}"  # seconds, milliseconds or microseconds since 1970
    r")(?![0-9])"
)
_JOINTS = re.compile(r"[-_. ]+")


def folder_of(path: str) -> str:
    """The folder of a file; empty at the top."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """The name of a file with its ending."""
    return path.rpartition("/")[2]


def stem_of(path: str) -> str:
    """The name of a file without its ending."""
    name = name_of(path)
    return name.rpartition(".")[0] or name


def suffix_of(path: str) -> str:
    """The ending of a file with its dot; empty where there is none."""
    name = name_of(path)
    return name[len(stem_of(path)) :]


def without_times(text: str) -> str:
    """A name without dates, times and epochs, its parts joined by "_"."""
    return _JOINTS.sub("_", _TIME.sub("", text)).strip("_")


def times_in(text: str) -> list[str]:
    """Dates, times and epochs as a name carries them."""
    return _TIME.findall(text)


def has_time(text: str) -> bool:
    """Whether a name carries a date, a time or an epoch."""
    return _TIME.search(text) is not None


def kind_of(path: str) -> str:
    """What files of repeated runs have in common: folder and name without times, and the ending."""
    parts = [without_times(part) for part in folder_of(path).split("/")]
    return "/".join([*(part for part in parts if part), without_times(stem_of(path)) + suffix_of(path)])


def words_of(stem: str) -> list[str]:
    """The words of a name, without times."""
    return [word for word in without_times(stem).split("_") if word]


def common_folder(paths: Iterable[str]) -> str:
    """The deepest folder that holds all files; "." for the current one."""
    folders = [folder_of(path).split("/") for path in paths]
    if not folders:
        return "."
    shared = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "/".join(shared) or ("/" if shared == [""] else ".")
