"""Tables as text: any delimiter, quotes, a units row, grouped digits, several tables in one file, no header."""

from __future__ import annotations

import csv
import fnmatch
import io
from typing import TYPE_CHECKING

from pytest_chimera.corpus.quantities import is_nothing, parse_written, unit_of
from pytest_chimera.corpus.rows import Reading, Remark
from pytest_chimera.corpus.table import Ambient, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_chimera.corpus.bounds import Bounds
    from pytest_chimera.corpus.vocabulary import Vocabulary

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 20
_LONGEST_UNIT = 32
_DIGITS = frozenset("0123456789+-.")
_FEWEST_NAMES = 2


def cells_of(text: str, bounds: Bounds) -> tuple[list[list[str]], str, str | None]:
    """(lines of cells, delimiter, what is wrong or None); lines after a fault are left out."""
    delimiter = _delimiter(text)
    csv.field_size_limit(max(bounds.line_chars, 131_072))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    lines: list[list[str]] = []
    try:
        for line in reader:
            if len(line) > bounds.columns:
                return (
                    lines,
                    delimiter,
                    f"line {reader.line_num} has {len(line)} columns; at most {bounds.columns} are read",
                )
            lines.append(line)
    except csv.Error as error:
        return lines, delimiter, f"line {reader.line_num} cannot be read as CSV: {error}"
    if text.count('"') % 2:
        return lines, delimiter, "a quote is opened and never closed: lines after it may be in one cell"
    return lines, delimiter, None


def read_csv(
    lines: Sequence[Sequence[str]], delimiter: str, name: str, vocabulary: Vocabulary, bounds: Bounds
) -> Reading:
    """The rows of all tables among lines of cells."""
    reading = Reading("table")
    number = 0
    tables = list(_tables(lines, vocabulary))
    for index, (first, body) in enumerate(tables):
        header, units, data, offset = _header(body, name, vocabulary)
        series = f"table {index + 1}" if len(tables) > 1 else ""
        if header is None:
            _without_header(reading, body, first, number, vocabulary)
            continue
        table = Table(header, vocabulary, units=units, comma=delimiter == ";")
        if len(reading.schema) < bounds.names:
            reading.schema = list(dict.fromkeys((*reading.schema, *header)))
        ragged = 0
        for cells in data:
            if not any(cells) or list(cells) == header or cells[0].startswith("#"):
                continue
            number += 1
            ragged += len(cells) != len(header)
            row = table.row(f"row {number}", number, cells, Ambient(), series)
            if row.numbers:
                reading.rows.append(row)
            if row.time is not None and reading.time is None:
                reading.time, reading.zone = row.time, row.zone
        _say(reading, table, ragged=ragged, lines=len(data), line=first + offset)
    reading.schema = reading.schema[: bounds.names]
    if not lines:
        reading.remarks.append(Remark("", "the file holds no table", "empty"))
    return reading


def _say(reading: Reading, table: Table, *, ragged: int, lines: int, line: int) -> None:
    """What of a table was not understood."""
    reading.remarks.extend(table.remarks())
    if ragged:
        reading.remarks.append(Remark("", "lines with more or fewer cells than the header", "broken", ragged))
    if not lines:
        reading.remarks.append(Remark(f"line {line}", "the table has no rows", "empty"))
    elif not table.columns.speaks_of_performance:
        reading.remarks.append(
            Remark(f"line {line}", "no column is known to hold performance", "not performance", lines)
        )
    for column in table.columns.environment:
        reading.schema.append(column.name) if column.name not in reading.schema else None


def _delimiter(text: str) -> str:
    """The delimiter that splits the first lines into equally many cells, most of them."""
    sample = [line for line in text[:8192].splitlines()[:_SAMPLE_LINES] if line.strip()]
    best, most = ",", 0.0
    for delimiter in _DELIMITERS:
        counts = [line.count(delimiter) for line in sample]
        if not any(counts):
            continue
        usual = max(set(counts), key=counts.count)
        score = usual * counts.count(usual) / len(counts)
        if score > most:
            best, most = delimiter, score
    return best


def _tables(lines: Sequence[Sequence[str]], vocabulary: Vocabulary) -> Iterator[tuple[int, Sequence[Sequence[str]]]]:
    """(line of its first, lines) of each table.

    Another begins with a header after an empty line, or with a line that holds nothing but names that are known.
    """
    start = 0
    for index, line in enumerate(lines):
        if any(line):
            if (
                index > start + 1
                and line[0][:1] not in _DIGITS
                and line != lines[start]
                and _is_known(line, vocabulary)
            ):
                yield start + 1, lines[start:index]
                start = index
        elif index > start and index + 1 < len(lines) and _is_header(lines[index + 1]):
            yield start + 1, lines[start:index]
            start = index + 1
    rest = [line for line in lines[start:] if any(line)]
    if rest:
        yield start + 1, rest


def _is_known(line: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether a line of two or more cells holds names of the vocabulary and nothing else."""
    if len(line) < _FEWEST_NAMES or any(not cell or cell[0] in _DIGITS for cell in line):
        return False
    kinds = [vocabulary.meaning(cell).kind for cell in line]
    return "number" in kinds and not {"unknown", "statistic"} & set(kinds)


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a line holds names: texts, no number and no time among them."""
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and not any(parse_written(cell) or is_nothing(cell) for cell in filled)


def _header(
    body: Sequence[Sequence[str]], name: str, vocabulary: Vocabulary
) -> tuple[list[str] | None, Sequence[str], Sequence[Sequence[str]], int]:
    """(names, units, data, line of the first data) of a table; no names where it has no header."""
    given = next((columns for glob, columns in vocabulary.headers if fnmatch.fnmatch(name, glob)), None)
    if given is not None:
        return list(given), (), body, 0
    start = 0
    while start < len(body) - 1 and (not any(body[start]) or body[start][0].startswith("#")):
        start += 1
    if not _is_header(body[start]):
        return None, (), body, 0
    header = [cell.strip().lstrip("\ufeff") for cell in body[start]]
    following = body[start + 1] if start + 1 < len(body) else []
    units = [cell.strip() for cell in following]
    if _is_units(units) and start + 2 < len(body):
        return header, units, body[start + 2 :], 2
    return header, (), body[start + 1 :], 1


def _is_units(cells: Sequence[str]) -> bool:
    """Whether a line holds the units of the columns: short texts, some of them units, none a number."""
    filled = [cell for cell in cells if cell]
    known = sum(unit_of(cell) is not None for cell in filled)
    if not known or any(parse_written(cell) or len(cell) > _LONGEST_UNIT for cell in filled):
        return False
    return known * 2 >= len(filled) or any("/" in cell or "%" in cell for cell in filled)


def _without_header(
    reading: Reading, body: Sequence[Sequence[str]], line: int, number: int, vocabulary: Vocabulary
) -> None:
    """Numbers without names: those whose cell has a unit of its own are kept, the others counted."""
    left = 0
    for index, cells in enumerate(body):
        table = Table([], vocabulary)
        row = table.row(f"row {number + index + 1}", number + index + 1, cells, Ambient())
        for column, cell in enumerate(cells):
            written = parse_written(cell)
            if written is None:
                continue
            if written.unit is not None and unit_of(written.unit) == ("rate", 1.0):
                term = vocabulary.term("tok/s", "value", written.unit)
                assert term is not None, "the rate is a metric of every vocabulary"
                row.add(term, written.value, f"column {column + 1}")
            else:
                left += 1
        if row.numbers:
            reading.rows.append(row)
    if left:
        why = "numbers without names: the table has no header (a vocabulary's `headers` can give it one)"
        reading.remarks.append(Remark(f"line {line}", why, "unknown name", left))
