"""The benchmark program in Ollama's own sources (`cmd/bench`, as of 0.32.15): benchstat text and CSV.

One line per step of an epoch; epochs have no number, so one ends where a step comes again. An epoch that failed is not
in the file at all. The text holds each rate with its inverse, the CSV also the tokens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.corpus.formats.fields import Notes, cell, fail, set_model, text, written_setting
from pytest_chimera.corpus.rows import Reading, Row, Term

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FORMAT = "ollama-bench"
HEADER = ["NAME", "STEP", "COUNT", "NS_PER_COUNT", "TOKEN_PER_SEC"]
"""Of its CSV files."""

_LINE = re.compile(
    r"BenchmarkModel/name=(\S{1,400})/step=(\w{1,20}) \d{1,9} "
    r"([\d.]{1,40}) ns/(?:op|token)(?: ([\d.]{1,40}) token/sec)?"
)
_HEAD = re.compile(r"# Model: ")
_TIMES = {"ttft": "ttft", "load": "load", "total": "total", "prefill": "time/prompt_token", "generate": "time/token"}
_RATES = {"prefill": "prefill", "generate": "tok/s"}
_COUNTS = {"prefill": "prompt_tokens", "generate": "output_tokens"}
_SIZES = {
    "Size": Term("model_size", "value", 1.0, "bytes"),
    "VRAM": Term("vram_used", "value", 1.0, "bytes", "resource"),
}
_ABSENT = "0 is written where the program did not see one"


class _Step(NamedTuple):
    """One line."""

    place: int
    model: str
    step: str
    time_ns: float | None
    rate: float | None
    tokens: float | None


class _Epochs:
    """Puts steps together to epochs, one row each."""

    def __init__(self, notes: Notes, unit: str) -> None:
        self._notes = notes
        self._unit = unit
        self._head: dict[str, Mapping[str, str]] = {}
        self._places: dict[str, str] = {}
        self._row: Row | None = None
        self._name: str | None = None
        self._first = 0
        self._seen: set[str] = set()
        self._counts: dict[str, int] = {}

    def head(self, line: str, place: str) -> None:
        """A line "# Model: gemma3:270m | Params: 268.10M | ...", which stands before the model's epochs."""
        told = dict(part.split(": ", 1) for part in line[2:4096].split(" | ") if ": " in part)
        known = {name: value.strip() for name, value in told.items() if value.strip() != "unknown"}
        self._head[known.get("Model", "")] = known
        self._places[known.get("Model", "")] = place
        row = Row(place, series="model")
        self._describe(row, known.get("Model"))
        for name, term in _SIZES.items():
            value = cell(known.get(name))
            if value is not None:
                row.add(term, value, name)
        if row.numbers:
            self._notes.reading.rows.append(row)

    def close(self) -> Reading:
        """The reading, with a failed row for each model that has no epoch: why is not in the file."""
        for name in [each for each in self._head if each not in self._counts]:
            row = Row(self._places[name], series="epochs")
            self._describe(row, name)
            fail(row, "no epoch of this model is in the file")
            self._notes.reading.rows.append(row)
        return self._notes.close()

    def add(self, each: _Step) -> None:
        """The next line."""
        if each.step not in _TIMES:
            self._notes.leave(
                "unknown name", "no step that is known", name=each.step, place=f"{self._unit} {each.place}"
            )
            return
        if self._row is None or each.model != self._name or each.step in self._seen:
            self._begin(each)
        assert self._row is not None, "an epoch was begun"
        self._seen.add(each.step)
        last = each.place
        self._row.place = (
            f"{self._unit} {self._first}" if last == self._first else f"{self._unit}s {self._first}-{last}"
        )
        self._put(self._row, each)

    def _begin(self, each: _Step) -> None:
        self._counts[each.model] = self._counts.get(each.model, 0) + 1
        self._row, self._name, self._first = (
            Row("", number=self._counts[each.model], series="epochs"),
            each.model,
            each.place,
        )
        self._seen = set()
        self._describe(self._row, each.model)
        self._notes.reading.rows.append(self._row)

    def _describe(self, row: Row, model: str | None) -> None:
        set_model(row, model)
        known = self._head.get(model or "", {})
        row.quantization = text(known.get("Quant")) or row.quantization
        row.size = text(known.get("Params")) or row.size
        window = written_setting(known.get("NumCtx"))
        if window is not None:
            row.parameters["num_ctx"] = window

    def _put(self, row: Row, each: _Step) -> None:
        numbers = (
            (Term(_TIMES[each.step], "value", 1e-9, "time"), each.time_ns),
            (Term(_RATES.get(each.step, ""), "value", 1.0, "rate"), each.rate),
            (Term(_COUNTS.get(each.step, ""), "value", 1.0, "tokens"), each.tokens),
        )
        for term, value in numbers:
            if not term.metric or value is None:
                continue
            if value == 0:
                place = f"{self._unit} {each.place}"
                self._notes.leave("empty", _ABSENT, name=each.step, place=place)
            else:
                row.add(term, value, each.step)


def read_text(content: str) -> Reading:
    """The lines of benchstat's format."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    epochs = _Epochs(notes, "line")
    for count, line in enumerate(content.splitlines(), 1):
        if _HEAD.match(line):
            epochs.head(line, f"line {count}")
        elif line.startswith(("goos: ", "goarch: ")):
            name, _, value = line.partition(": ")
            reading.environment[{"goos": "os", "goarch": "architecture"}[name]] = text(value) or ""
        elif line.strip():
            found = _LINE.fullmatch(line.strip())
            if found is None:
                notes.broken(f"line {count}", "", "a line of a benchmark")
                continue
            epochs.add(_Step(count, found[1], found[2], cell(found[3]), cell(found[4]), None))
    return epochs.close()


def read_csv(rows: Sequence[Sequence[str]]) -> Reading:
    """The rows of its CSV, in which the lines on models stand below the header."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    epochs = _Epochs(notes, "row")
    for place, cells in _data(rows, epochs):
        numbers = [cell(each) for each in cells[2:]]
        if len(cells) != len(HEADER) or None in numbers:
            notes.broken(f"row {place}", "", "a row of a benchmark")
            continue
        count, time_ns, rate = numbers
        # Only steps of tokens have a rate and a count; of the others the file says 0 and 1.
        step, tokens = cells[1], cells[1] in _RATES
        epochs.add(_Step(place, cells[0], step, time_ns, rate if tokens else None, count if tokens else None))
    reading.schema = list(HEADER)
    return epochs.close()


def _data(rows: Sequence[Sequence[str]], epochs: _Epochs) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows of data with their numbers, from 1; those on models go to `epochs`."""
    count = 0
    for cells in rows:
        line = ",".join(cells)
        if _HEAD.match(line):
            epochs.head(line, f"line before row {count + 1}")
        elif line and list(cells) != HEADER:
            count += 1
            yield count, cells
