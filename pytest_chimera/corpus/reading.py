"""One file from its bytes to its rows; whatever it holds, it costs bounded memory and never an exception."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.corpus.csv_reader import cells_of, read_csv
from pytest_chimera.corpus.fate import settle_failed, settle_means, settle_words
from pytest_chimera.corpus.formats import CSV_FORMATS, JSON_FORMATS, TEXT_FORMATS
from pytest_chimera.corpus.json_reader import JsonReader
from pytest_chimera.corpus.markdown_reader import MarkdownReader
from pytest_chimera.corpus.rows import Reading, Remark
from pytest_chimera.corpus.text import decode
from pytest_chimera.corpus.times import time_in_name
from pytest_chimera.corpus.walk import shown
from pytest_chimera.errors import RecordError

if TYPE_CHECKING:
    from pytest_chimera.corpus.bounds import Bounds
    from pytest_chimera.corpus.rows import Row
    from pytest_chimera.corpus.vocabulary import Vocabulary
    from pytest_chimera.corpus.walk import Found

_BAD_LINES = 5
"""Lines of a JSON Lines file that are named when they cannot be read; the rest is counted."""


class FileReading(NamedTuple):
    """One file and what was made of it."""

    found: Found
    size_bytes: int
    digest: str | None
    reading: Reading


def read_one(found: Found, vocabulary: Vocabulary, bounds: Bounds) -> FileReading:
    """Read one file; what goes wrong is a remark."""
    if found.problem is not None:
        return _not_read(found, found.problem, "no data" if found.kind == "other" else "refused")
    try:
        data = _bytes(found.location, bounds)
    except OSError as error:
        return _not_read(found, f"cannot be read: {error.strerror or error}", "broken")
    if isinstance(data, int):
        why = f"{data:,} bytes; files above {bounds.file_bytes:,} bytes are not read"
        return _not_read(found, why, "refused", data)
    digest = hashlib.sha256(data).hexdigest()
    try:
        reading = _parse(found, data, vocabulary, bounds)
    except ValueError as error:
        reading = _only("unknown", Remark("", f"not read: {error}", "broken"))
    except (RecursionError, MemoryError) as error:
        reading = _only("unknown", Remark("", f"not read: it is nested too deep ({type(error).__name__})", "refused"))
    except RecordError as error:
        reading = _only("unknown", Remark("", str(error.what), "broken"))
    except Exception as error:  # noqa: BLE001  # one file must not end the reading of a folder
        why = f"not read: a fault of pytest-chimera ({type(error).__name__}); please report it with the file"
        reading = _only("unknown", Remark("", why, "broken"))
    settle_failed(reading.rows)
    settle_words(reading.rows, vocabulary)
    settle_means(reading.rows)
    _times(found, reading)
    _printable(reading)
    return FileReading(found, len(data), digest, reading)


def _printable(reading: Reading) -> None:
    """Names and remarks in one line that no terminal acts on."""
    if not "".join(reading.schema).isprintable():
        reading.schema = [shown(name) for name in reading.schema]
    reading.remarks = [
        each
        if each.place.isprintable() and each.reason.isprintable()
        else each._replace(place=shown(each.place), reason=shown(each.reason))
        for each in reading.remarks
    ]


def _bytes(path: str, bounds: Bounds) -> bytes | int:
    """The bytes of a file, or how many there are where they are too many. Raises OSError."""
    # A pipe that took a file's place since it was looked at would wait for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(descriptor).st_size
        if size > bounds.file_bytes:
            return size
        parts = []
        left = bounds.file_bytes + 1
        while left > 0 and (part := os.read(descriptor, min(left, size + 1))):
            parts.append(part)
            left -= len(part)
    finally:
        os.close(descriptor)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _parse(found: Found, data: bytes, vocabulary: Vocabulary, bounds: Bounds) -> Reading:
    if not data.strip():
        return _only("unknown", Remark("", "the file is empty", "empty"))
    if found.kind == "json" and data[:1] in b"{[":
        return _json(_loads(data, bounds), vocabulary, bounds)
    text, guessed = decode(data)
    if found.kind == "json":
        reading = _json(_loads(text, bounds), vocabulary, bounds)
    elif found.kind == "jsonl":
        reading = _lines(text, vocabulary, bounds)
    elif found.kind == "csv":
        reading = _csv(text, found, vocabulary, bounds)
    elif found.kind == "yaml":
        reading = _yaml(text, bounds)
    else:
        reading = _text(text, found, vocabulary, bounds)
    if guessed is not None:
        reading.remarks.append(Remark("", guessed, "broken", 1))
    return reading


def _loads(data: bytes | str, bounds: Bounds) -> Any:
    commas = (data.count(b",") + data.count(b"[") + data.count(b"{")) if isinstance(data, bytes) else (
        data.count(",") + data.count("[") + data.count("{")
    )  # fmt: skip
    if commas > bounds.json_values:
        raise ValueError(f"some {commas:,} values; at most {bounds.json_values:,} are read from one file")
    return json.loads(data)


def _json(document: Any, vocabulary: Vocabulary, bounds: Bounds) -> Reading:
    for each in JSON_FORMATS:
        if each.recognises(document):
            return each.read(document)
    reading = JsonReader(vocabulary, bounds).read(document)
    reading.format = "records" if reading.rows else "unknown"
    return reading


def _lines(text: str, vocabulary: Vocabulary, bounds: Bounds) -> Reading:
    """JSON Lines: every line that can be read, and which cannot."""
    objects: list[Any] = []
    where: list[int] = []
    bad: list[int] = []
    values = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        values += line.count(",") + line.count("[") + line.count("{")
        if values > bounds.json_values:
            raise ValueError(f"more than {bounds.json_values:,} values; that many are read from one file at most")
        try:
            objects.append(json.loads(line))
            where.append(number)
        except (ValueError, RecursionError):
            bad.append(number)
    reading = _json(objects, vocabulary, bounds)
    for row in reading.rows:
        _place_in_line(row, where)
    if bad:
        which = ", ".join(map(str, bad[:_BAD_LINES])) + (" ..." if len(bad) > _BAD_LINES else "")
        reading.remarks.append(Remark(f"line {which}", "no JSON", "broken", len(bad)))
    return reading


def _place_in_line(row: Row, where: list[int]) -> None:
    """ "/3/timings" of a list of objects is "line 4 /timings" of a file of lines."""
    _, index, *rest = row.place.split("/") if row.place.startswith("/") else ("", "")
    if index.isdigit() and int(index) < len(where):
        row.place = f"line {where[int(index)]}" + (f" /{'/'.join(rest)}" if rest else "")
        row.joint = row.joint if rest else " "


def _csv(text: str, found: Found, vocabulary: Vocabulary, bounds: Bounds) -> Reading:
    lines, delimiter, wrong = cells_of(text, bounds)
    known = next((each for each in CSV_FORMATS if each.recognises(lines)), None)
    if known is not None:
        reading = known.read(lines)
    else:
        reading = read_csv(lines, delimiter, found.shown.rpartition("/")[2], vocabulary, bounds)
        reading.format = "table" if reading.rows else "unknown"
    if wrong is not None:
        if not reading.rows:  # what is wrong is why
            reading.remarks.clear()
        reading.remarks.append(Remark("", wrong, "refused" if "columns" in wrong else "broken"))
    return reading


def _yaml(text: str, bounds: Bounds) -> Reading:
    """YAML is read where a tool writes its results in it; any other is configuration."""
    if len(text) > bounds.yaml_bytes:
        raise ValueError(f"{len(text):,} characters of YAML; at most {bounds.yaml_bytes:,} are read")
    from pytest_chimera.corpus.yaml_reader import parse_yaml  # noqa: PLC0415  # PyYAML only where it is needed

    document = parse_yaml(text)
    for each in JSON_FORMATS:
        if each.recognises(document):
            return each.read(document)
    return _only("unknown", Remark("", "YAML that no known tool writes its results in", "no data"))


def _text(text: str, found: Found, vocabulary: Vocabulary, bounds: Bounds) -> Reading:
    for each in TEXT_FORMATS:
        if each.recognises(text):
            return each.read(text)
    if found.kind == "markdown":
        return MarkdownReader(vocabulary, bounds).read(text)
    return _only("unknown", Remark("", "text that no known tool writes its results in", "no data"))


def _times(found: Found, reading: Reading) -> None:
    """Give a file, and those of its rows that have none, the time that its name or its folder's says."""
    if reading.time is None:
        for part in reversed(found.shown.split("/")):
            named = time_in_name(part)
            if named is not None:
                reading.time, reading.zone = named
                break
    if reading.time is not None:
        for row in reading.rows:
            if row.time is None:
                row.time, row.zone = reading.time, reading.zone


def _only(format_: str, remark: Remark) -> Reading:
    reading = Reading(format_)
    reading.remarks.append(remark)
    return reading


def _not_read(found: Found, why: str, kind: str, size: int = 0) -> FileReading:
    if not size:
        try:
            size = os.lstat(found.location).st_size
        except OSError:
            size = 0
    return FileReading(found, size, None, _only("unknown", Remark("", why, kind)))
