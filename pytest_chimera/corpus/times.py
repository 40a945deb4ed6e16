"""When something was measured, as contents and names of files say it. What a file system says is never asked."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_chimera.records import Zone

_EARLIEST, _LATEST = 1_000_000_000, 4_000_000_000
"""Seconds since 1970 that are believed to be a time: 2001 to 2096."""
_IN_NAME = re.compile(
    r"(?<!\d)(20\d\d)[-_]?([01]\d)[-_]?([0-3]\d)(?:[-_T ]?([0-2]\d)[-:]?([0-5]\d)(?:[-:]?([0-5]\d))?)?(?!\d)"
)
_EPOCH_IN_NAME = re.compile(r"(?<!\d)(1[0-9]{9})(?:\d{3})?(?!\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SINCE_1970 = re.compile(r"[0-9]{10,20}(?:\.[0-9]+)?")
_FRACTION = re.compile(r"\.(\d+)")
_BY_MONTH = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}),? (20\d\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = 40


@lru_cache(maxsize=16_384)
def read_time(value: str | float) -> tuple[str, Zone] | None:
    """A time from a cell: (ISO 8601, what is known of its zone); None when it is no time.

    Seconds, milliseconds and nanoseconds since 1970 are UTC.
    """
    if isinstance(value, (int, float)):
        return _epoch(value)
    text = value.strip()
    if not text or len(text) > _LONGEST or not (text[:4].isdigit() or text[0].isalpha()):
        return None
    if _SINCE_1970.fullmatch(text) is not None:
        return _epoch(float(text))
    utc = text.upper().endswith((" UTC", " GMT"))
    plain = text[:-4].rstrip() if utc else text
    moment = _moment(plain)
    if moment is None:
        return None
    if ":" not in plain and moment == moment.replace(hour=0, minute=0, second=0):
        return moment.date().isoformat(), "unknown"  # a day, of which nobody said the hour
    if utc:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.isoformat(), _zone(moment)


def time_in_name(name: str) -> tuple[str, Zone] | None:
    """A time from the name of a file or folder: "20251002-151204" (zone unknown) or seconds since 1970 (UTC)."""
    epoch = _EPOCH_IN_NAME.search(name)
    if epoch is not None:
        return _epoch(float(epoch[1]))
    for match in _IN_NAME.finditer(name):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        try:
            moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # its zone is not known
        except ValueError:
            continue
        return (moment.isoformat() if match[4] else moment.date().isoformat()), "unknown"
    return None


def _moment(text: str) -> datetime | None:
    # Before Python 3.11 fromisoformat knows neither "Z" nor fractions of other than 3 or 6 digits.
    iso = f"{text[:-1]}+00:00" if text.endswith("Z") else text
    if "." in iso:
        iso = _FRACTION.sub(lambda match: f".{match[1][:6]:0<6}", iso, count=1)
    if _DATE.match(iso) is not None:  # newer Pythons take weeks for dates
        try:
            return datetime.fromisoformat(iso)
        except ValueError:
            return None
    named = _BY_MONTH.fullmatch(text)
    if named is not None and named[1].lower()[:3] in _MONTHS:
        parts = [int(named[3]), _MONTHS.index(named[1].lower()[:3]) + 1, int(named[2])]
    else:
        other = _IN_NAME.fullmatch(text.replace("/", "-"))
        if other is None:
            return None
        parts = [int(part or 0) for part in other.groups()]
    try:
        return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # whole numbers; its zone is not known
    except ValueError:
        return None


def _zone(moment: datetime) -> Zone:
    offset = moment.utcoffset()
    if offset is None:
        return "unknown"
    return "utc" if not offset else "offset"


def _epoch(value: float) -> tuple[str, Zone] | None:
    if not _EARLIEST <= value <= _LATEST * 1e9:
        return None
    for scale in (1.0, 1e3, 1e6, 1e9):
        if _EARLIEST <= value / scale <= _LATEST:
            return datetime.fromtimestamp(value / scale, tz=timezone.utc).isoformat(), "utc"
    return None
