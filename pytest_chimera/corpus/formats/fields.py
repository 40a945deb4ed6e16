"""Fields of documents that other programs wrote: each is looked at before it is used, and what is left out is told.

Nothing here raises for any JSON or YAML value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.models import is_tagged, model_of, read_model
from pytest_chimera.corpus.rows import Reading, Remark, Row, Term
from pytest_chimera.corpus.times import read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_chimera.records import Zone
    from pytest_chimera.units import Dimension

LONGEST_TEXT = 200
"""Characters of a label, a name or a reason that are kept."""

_NAMES_TOLD = 4
_MOST_REMARKS = 200
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?")
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
_HALF = "50"
_ASKED_FOR: tuple[tuple[str, Dimension], ...] = (("ttft", "time"), ("tok/s", "rate"), ("e2e", "time"))


class Notes:
    """What a reader leaves out of its `reading`, gathered so that a group of names costs one remark."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.models: set[tuple[str | None, str | None]] = set()
        """Models, each with its quantization, whose size was read: it stands with every test."""
        self._groups: dict[tuple[str, str], tuple[str, int, dict[str, None]]] = {}
        self._beyond = 0

    def leave(self, kind: str, why: str, *, name: str = "", place: str = "", count: int = 1) -> None:
        """`count` values are left out: `why` ends the sentence "... not kept: "; the first place stands for all."""
        self._gather(kind, f"not kept: {why}.", name or "Values", place, count)

    def say(self, kind: str, sentence: str, *, place: str = "", count: int = 1) -> None:
        """What must be known of `count` values: a whole sentence."""
        self._gather(kind, sentence, "", place, count)

    def broken(self, place: str, name: str, expected: str = "a number") -> None:
        """What stands at `place` under `name` is not what this format has there."""
        self.leave("broken", f"not {expected}", name=name, place=place)

    def _gather(self, kind: str, sentence: str, name: str, place: str, count: int) -> None:
        group = (kind, sentence)
        if group not in self._groups and len(self._groups) >= _MOST_REMARKS:
            self._beyond += count
            return
        first, before, names = self._groups.setdefault(group, (place, 0, {}))
        if name:
            names[name] = None
        self._groups[group] = (first, before + count, names)

    def close(self) -> Reading:
        """The reading, with a remark for each group."""
        for (kind, sentence), (place, count, names) in self._groups.items():
            self.reading.remarks.append(Remark(place, f"{_listed(names)}{sentence}", kind, count))
        if self._beyond:
            self.reading.remarks.append(Remark("", "Further values not kept.", "broken", self._beyond))
        return self.reading


def _listed(names: Mapping[str, None]) -> str:
    """Some names in quotes and how many more there are, before what is said of them."""
    if not names or list(names) == ["Values"]:
        return "Values " if names else ""
    told = ", ".join(repr(clean(name)) for name in list(names)[:_NAMES_TOLD])
    more = len(names) - _NAMES_TOLD
    return f"{told} and {more} more " if more > 0 else f"{told} "


def mapping(value: object) -> Mapping[str, Any]:
    """`value`, or an empty mapping where it is none."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    """`value`, or an empty list where it is none."""
    return value if isinstance(value, list) else ()


def named_items(value: object) -> Iterator[tuple[str, Any]]:
    """The entries of a mapping whose keys are text; YAML has others."""
    return ((key, each) for key, each in mapping(value).items() if isinstance(key, str))


def number(value: object) -> float | None:
    """A finite number of JSON; None for everything else, text and booleans included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def cell(value: object) -> float | None:
    """A finite number as a cell writes it, "1", "2.5e-05"; None for everything else."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not _NUMBER.fullmatch(value.strip()):
        return None
    return number(float(value))


def whole(value: object) -> int | None:
    """A count: a whole number from 0; None for everything else."""
    found = number(value)
    return int(found) if found is not None and found >= 0 and found == int(found) else None


def clean(value: str, longest: int = LONGEST_TEXT) -> str:
    """Text that every reader accepts, cut where it is too long."""
    short = value if len(value) <= longest else value[: longest - 3] + "..."
    return short.encode("utf-8", "replace").decode()


def step(key: str) -> str:
    """A key as a step of a JSON pointer."""
    return clean(key.replace("~", "~0").replace("/", "~1"))


def text(value: object) -> str | None:
    """A text that says something, cut; None for everything else."""
    return clean(value.strip()) or None if isinstance(value, str) else None


def setting(value: object) -> float | str | None:
    """A setting as parameters hold it: a number, 1 or 0 of a boolean, or a text; None of what is nested or null."""
    if isinstance(value, bool):
        return float(value)
    found = number(value)
    return text(value) if found is None else found


def written_setting(value: object) -> float | str | None:
    """As `setting`, of formats that write numbers as text."""
    found = cell(value)
    return setting(value) if found is None else found


def moment(value: object) -> tuple[str, Zone] | None:
    """A time as (ISO 8601, what is known of its zone), from text or from seconds or more since 1970; None of others."""
    found = text(value) if isinstance(value, str) else number(value)
    try:
        return None if found is None else read_time(found)
    except (ValueError, OverflowError, OSError):  # digits of other scripts; a moment that no calendar has
        return None


def date(row: Row | Reading, value: object) -> None:
    """Set the time of a row or reading, where `value` is one."""
    found = moment(value)
    if found is not None:
        row.time, row.zone = found


def date_by_rows(reading: Reading) -> None:
    """A reading without a time of its own takes that of its first row that has one."""
    first = next((row for row in reading.rows if row.time is not None), None)
    if first is not None and reading.time is None:
        reading.time, reading.zone = first.time, first.zone


def tell(known: dict[str, str], /, **values: object) -> None:
    """Add what `values` say to an environment or to labels; what is no text or number says nothing."""
    for name, value in values.items():
        found = text(value) if isinstance(value, str) else None
        count = number(value)
        if count is not None:
            found = f"{count:.15g}"
        if found is not None:
            known[name] = found


def set_model(row: Row, name: object) -> None:
    """Set the model of a row: the canonical tag where `name` has a tag, as Ollama's names do, else as it is written."""
    found = text(name)
    if found is None:
        return
    model = (read_model(found) if is_tagged(found) else None) or model_of(found)
    row.model, row.quantization, row.size = model


def fail(row: Row, why: str) -> None:
    """Make a row one of a failed request, which has no values: the metrics that people ask for stand without one."""
    row.failure = why
    row.numbers = [(Term(metric, "value", 1.0, dimension), None, "") for metric, dimension in _ASKED_FOR]


def put(row: Row, term: Term, record: Mapping[str, Any], key: str, notes: Notes, *, name: str | None = None) -> bool:
    """Add the number under `key` where there is one; a null or absent one is nothing, anything else is told."""
    value = record.get(key)
    if value is None:
        return False
    found = number(value)
    if found is None:
        notes.broken(row.place, key)
        return False
    row.add(term, found, key if name is None else name)
    return True


def put_summary(row: Row, term: Term, record: Mapping[str, Any], names: Mapping[str, str], notes: Notes) -> None:
    """Add the statistics of `record` by `names` (key -> statistic); the deviation of one value, or of none, is none."""
    for key, statistic in names.items():
        if statistic == "sd" and is_no_deviation(number(record.get(key)), row.n):
            continue
        put(row, term._replace(statistic=statistic), record, key, notes)


def is_no_deviation(value: float | None, n: int | None) -> bool:
    """Whether a deviation says nothing: of a single value, and 0 where it is not known of how many values."""
    return n == 1 or (n is None and value == 0)


def quantile(key: str) -> str | None:
    """The statistic that a key like "p95" names: "median" of p50; None of others."""
    found = _QUANTILE.fullmatch(key)
    if found is None:
        return None
    return "median" if found[1] == _HALF else f"p{found[1]}"


def sized(parameters: object, read: Callable[[object], float | None] = number) -> str | None:
    """A number of parameters as model tags have it: "268.10M", "8.03B"; None where there is none."""
    count = read(parameters)
    for letter, scale in (("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if count is not None and count >= scale:
            return f"{count / scale:.2f}{letter}"
    return None


def table_cells(line: str) -> list[str]:
    """The cells of a line of a Markdown table, without its borders."""
    return [part.strip().replace("\\|", "|") for part in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def plus_minus(value: str) -> tuple[float | None, float | None]:
    """The numbers of a cell "429.17 ± 8.79"; the second is None where there is none."""
    first, _, second = value.partition("±")
    return cell(first.strip()), cell(second.strip())


def records(rows: Sequence[Sequence[str]], notes: Notes) -> Iterator[tuple[int, dict[str, str]]]:
    """(number from 1, cells by the head) of each line of a table that has as many cells as its head."""
    filled = [row for row in rows if any(row)]
    for number, cells in enumerate(filled[1:], 1):
        if len(cells) == len(filled[0]):
            yield number, dict(zip(filled[0], cells, strict=True))
        else:
            notes.broken(f"row {number}", "", f"a row of {len(filled[0])} cells")
