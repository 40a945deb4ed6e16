"""Files that are equal but for the times written in them, as of one report made twice."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_chimera.corpus.text import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.corpus.reading import FileReading

_TIME = re.compile(
    r"20\d\d-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-][0-2]\d:?[0-5]\d)?)?"
    r"|20\d\d[01]\d[0-3]\d[-_T][0-2]\d[0-5]\d[0-5]\d|(?<![\d.])1[5-9]\d{8}(?:\.\d+|\d{3})?(?![\d.])"
)
"""ISO 8601, the times of file names, and seconds or milliseconds since 1970."""
_OF_TIMES = b"0123456789-:.+_ TZ"
"""All characters that a time consists of: files that differ in others are no twins, which is told at little cost."""
_LARGEST = 1024**2
_MOST = 50
"""Files of one kind, folder depth and nearly one size that are compared."""
_NEARLY = 64
"""Bytes by which the sizes of two such files may differ: fractions of seconds are of any length."""


def mark_undated(readings: Sequence[FileReading]) -> dict[str, str]:
    """Path -> path of the file before it that is equal but for times. Only files that may be are opened again."""
    near: dict[tuple[str, str, int, int], list[FileReading]] = defaultdict(list)
    for each in readings:
        if each.digest is not None and 0 < each.size_bytes <= _LARGEST and each.found.kind != "other":
            reading = each.reading
            key = (each.found.kind, reading.format, len(reading.rows), each.size_bytes // _NEARLY)
            near[key].append(each)
    twins: dict[str, str] = {}
    for group in near.values():
        if len({each.digest for each in group}) > 1 and len(group) <= _MOST:
            _compare(group, twins)
    return twins


def _compare(group: Sequence[FileReading], twins: dict[str, str]) -> None:
    alike: dict[bytes, list[tuple[FileReading, str]]] = defaultdict(list)
    for each in group:
        try:
            text, _ = decode(Path(each.found.location).read_bytes())
        except (OSError, ValueError):
            continue
        left = text.encode("utf-8", "replace").translate(None, _OF_TIMES)
        alike[hashlib.sha256(left).digest()].append((each, text))
    for some in alike.values():
        if len(some) > 1:
            _pair(some, twins)


def _pair(some: Sequence[tuple[FileReading, str]], twins: dict[str, str]) -> None:
    """Find twins among files that are equal but for the characters that times are written in."""
    first: dict[str, FileReading] = {}
    for each, text in some:
        left, times = _TIME.subn("", text)
        if times:
            before = first.setdefault(left, each)
            if before is not each and before.digest != each.digest:
                twins[each.found.shown] = before.found.shown
