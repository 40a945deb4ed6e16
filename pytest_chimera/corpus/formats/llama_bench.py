"""llama-bench of llama.cpp (as of b10488): JSON, JSON Lines, CSV, SQL and Markdown.

One record per test with mean and deviation of its repetitions, and the repetitions where they stand with it. A prompt
test measures prefill, a generation test tok/s, and one of both neither of the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.corpus.formats.fields import (
    Notes,
    cell,
    date,
    date_by_rows,
    is_no_deviation,
    items,
    mapping,
    number,
    plus_minus,
    records,
    sized,
    table_cells,
    tell,
    text,
    written_setting,
)
from pytest_chimera.corpus.quantities import parse_written, unit_of
from pytest_chimera.corpus.rows import Reading, Row, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_chimera.units import Dimension

FORMAT = "llama-bench"

_SETTINGS = {
    "n_batch": "num_batch", "n_threads": "num_thread", "n_gpu_layers": "num_gpu",
    **{
        name: name
        for name in (
            "n_prompt", "n_gen", "n_depth", "n_ubatch", "cpu_mask", "cpu_strict", "poll", "type_k", "type_v",
            "n_cpu_moe", "split_mode", "main_gpu", "no_kv_offload", "flash_attn", "devices", "tensor_split",
            "tensor_buft_overrides", "load_mode", "embeddings", "no_op_offload", "no_host", "fit_target",
            "fit_min_ctx",
        )
    },
}  # fmt: skip
_OTHERS = frozenset({
    "build_commit", "build_number", "cpu_info", "gpu_info", "backends", "model_filename", "model_type", "model_size",
    "model_n_params", "test_time", "avg_ns", "stddev_ns", "avg_ts", "stddev_ts", "samples_ns", "samples_ts",
})  # fmt: skip
_COLUMNS = {"threads": "num_thread", "ngl": "num_gpu", "n_batch": "num_batch"}
"""Settings that the Markdown table names otherwise."""
_TEST = re.compile(r"(?:pp(\d{1,9}))?\+?(?:tg(\d{1,9}))?(?: @ d(\d{1,9}))?")
_QUANTIZED_STEM = re.compile(
    r"(.+?)[-_.]((?:I?Q[1-8]|TQ[12]|MXFP4|BF16|FP?16|FP?32)(?:_[A-Z0-9]{1,4}){0,3})", re.IGNORECASE
)
_QUANTIZED_TYPE = re.compile(
    r"\b(I?Q[1-8](?:_[A-Z0-9]{1,4}){0,3}|TQ[12]_\d|MXFP4|BF16|F16|F32)\b(?: - (Small|Medium|Large))?"
)
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_STATEMENT = re.compile(r"INSERT INTO \w{1,80} \(([\w, ]{1,8192})\) VALUES \((.{1,65536})\);\s*")
_QUOTED = re.compile(r"'([^']*(?:''[^']*)*)'")
_BUILD = re.compile(r"build: (\S{1,80} \(\d{1,12}\))\s*")


class _Test(NamedTuple):
    """What a test asks for, and what its two numbers are."""

    kind: str
    label: str
    rate: Term
    time: Term


def gguf_model(path: str) -> tuple[str, str | None]:
    """(stem of a model's file without the quantization at its end, that quantization or None)."""
    stem = re.split(r"[\\/]", path)[-1]
    stem = _SHARD.sub("", stem[:-5] if stem.lower().endswith(".gguf") else stem)
    found = _QUANTIZED_STEM.fullmatch(stem)
    return (found[1], found[2].upper()) if found else (stem, None)


def described_model(description: str) -> tuple[str, str | None]:
    """("gemma3 270M", "Q4_K_M") of what llama.cpp calls "gemma3 270M Q4_K - Medium"."""
    found = _QUANTIZED_TYPE.search(description)
    if found is None:
        return description, None
    letter = f"_{found[2][0]}" if found[2] else ""
    return description[: found.start()].strip() or description, found[1] + letter


def read_json(document: Any) -> Reading:
    """The records of a JSON list or of the lines of JSON Lines."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    for index, record in enumerate(items(document)):
        _read_record(notes, Row(f"/{index}", number=index + 1, joint="/"), record, number)
    date_by_rows(reading)
    return notes.close()


def read_csv(rows: Sequence[Sequence[str]]) -> Reading:
    """The rows of a CSV file, in which every value is a quoted text."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    for index, known in records(rows, notes):
        _read_record(notes, Row(f"row {index}", number=index), known, cell)
    date_by_rows(reading)
    return notes.close()


def read_sql(content: str) -> Reading:
    """The INSERT statements of an SQL file, one a line as it is written."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    found = 0
    for count, line in enumerate(content.splitlines(), 1):
        if not line.startswith("INSERT"):
            continue
        found += 1
        statement = _STATEMENT.fullmatch(line)
        names = statement[1].split(", ") if statement else []
        values = [value.replace("''", "'") for value in _QUOTED.findall(statement[2])] if statement else []
        if not values or len(names) != len(values):
            notes.broken(f"line {count}", "", "a statement with as many values as columns")
            continue
        _read_record(notes, Row(f"line {count}", number=found), dict(zip(names, values, strict=True)), cell)
    date_by_rows(reading)
    return notes.close()


def read_markdown(content: str) -> Reading:
    """The table that it prints; rounded, and without the repetitions."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    header: list[str] = []
    found = 0
    for count, line in enumerate(content.splitlines(), 1):
        build = _BUILD.fullmatch(line)
        if build:
            reading.environment["llama.cpp"] = build[1]
        if not line.startswith("|") or set(line) <= set("|-: "):
            continue
        if not header:
            header = table_cells(line)
            continue
        found += 1
        cells = table_cells(line)
        if len(cells) != len(header):
            notes.broken(f"line {count}", "", f"a row of {len(header)} cells")
            continue
        _read_line(notes, Row(f"line {count}", number=found), dict(zip(header, cells, strict=True)))
    reading.schema = header
    return notes.close()


def _read_line(notes: Notes, row: Row, record: Mapping[str, str]) -> None:
    """One line of the Markdown table."""
    found = _TEST.fullmatch(record.get("test", ""))
    test = _test_of(*(int(part or 0) for part in found.groups())) if found else None
    rate, deviation = plus_minus(record.get("t/s", ""))
    if test is None or found is None or rate is None:
        notes.broken(row.place, "test" if test is None else "t/s", "a test with its tokens/s")
        return
    row.provenance = "aggregate"
    row.series = test.kind
    model = text(record.get("model"))
    if model is not None:
        row.model, row.quantization = described_model(model)
    row.size = (text(record.get("params")) or "").replace(" ", "") or None
    tell(row.labels, test=test.label, backend=record.get("backend"))
    row.parameters |= {name: float(part or 0) for name, part in zip(_TEST_SETTINGS, found.groups(), strict=True)}
    for name, value in record.items():
        read = written_setting(value)
        if name not in {"model", "size", "params", "backend", "test", "t/s"} and read is not None:
            row.parameters[_COLUMNS.get(name, name)] = read
    row.add(test.rate._replace(statistic="mean"), rate, "t/s")
    if deviation is not None and not is_no_deviation(deviation, None):
        row.add(test.rate._replace(statistic="sd"), deviation, "t/s")
    _add_model_size(notes, row, _written_bytes(record.get("size", "")), "size")
    notes.reading.rows.append(row)


_TEST_SETTINGS = ("n_prompt", "n_gen", "n_depth")


def _read_record(notes: Notes, row: Row, record: object, read: Callable[[object], float | None]) -> None:
    """One test: a row of its mean and deviation, and one row for each repetition."""
    known = mapping(record)
    asked = [read(known.get(name)) for name in _TEST_SETTINGS]
    test = None if None in asked[:2] else _test_of(*(int(each or 0) for each in asked))
    if test is None:
        notes.broken(row.place, "", "a test with n_prompt and n_gen")
        return
    _describe(row, known, test, read)
    _tell_environment(notes.reading, known)
    repetitions = _repetitions(notes, row, known, test)
    row.n = len(repetitions) or None
    row.provenance = "aggregate"
    for term, mean, deviation in ((test.time, "avg_ns", "stddev_ns"), (test.rate, "avg_ts", "stddev_ts")):
        for statistic, name in (("mean", mean), ("sd", deviation)):
            value = read(known.get(name))
            if value is None:
                notes.broken(row.place, name)
            elif statistic == "mean" or not is_no_deviation(value, row.n):
                row.add(term._replace(statistic=statistic), value, name)
    _add_model_size(notes, row, read(known.get("model_size")), "model_size")
    notes.reading.rows += [row, *repetitions]
    for name in known:
        if isinstance(name, str) and name not in _OTHERS and name not in _SETTINGS:
            notes.leave("unknown name", "this version of the tool is not known", name=name, place=row.place)


def _test_of(prompt: int, answer: int, depth: int = 0) -> _Test | None:
    """What a test of so many tokens measures; None of one without tokens."""
    if prompt > 0 and answer > 0:
        kind, rate, time = "pp+tg", "total_throughput", "total"
    elif prompt > 0:
        kind, rate, time = "pp", "prefill", "prompt_eval"
    elif answer > 0:
        kind, rate, time = "tg", "tok/s", "eval"
    else:
        return None
    parts = [f"{name}{count}" for name, count in (("pp", prompt), ("tg", answer)) if count > 0]
    label = "+".join(parts) + (f" @ d{depth}" if depth > 0 else "")
    return _Test(kind, label, Term(rate, "value", 1.0, "rate"), Term(time, "value", 1e-9, "time"))


def _describe(row: Row, known: Mapping[str, Any], test: _Test, read: Callable[[object], float | None]) -> None:
    """Model, settings, labels and time of a test."""
    file, described = text(known.get("model_filename")), text(known.get("model_type"))
    if file is not None:
        row.model, row.quantization = gguf_model(file)
    if described is not None and row.quantization is None:
        row.quantization = described_model(described)[1]
    row.size = sized(known.get("model_n_params"), read)
    row.series = test.kind
    tell(row.labels, test=test.label, backend=known.get("backends"))
    for name, canonical in _SETTINGS.items():
        value = written_setting(known.get(name))
        if value is not None:
            row.parameters[canonical] = value
    date(row, known.get("test_time"))


def _repetitions(notes: Notes, row: Row, known: Mapping[str, Any], test: _Test) -> list[Row]:
    """A row for each repetition; only JSON has them."""
    rows: list[Row] = []
    for name, term in (("samples_ns", test.time), ("samples_ts", test.rate)):
        for index, value in enumerate(items(known.get(name))):
            if index == len(rows):
                rows.append(_repetition(row, index + 1))
            found = number(value)
            if found is None:
                notes.broken(f"{row.place}/{name}/{index}", name)
            else:
                rows[index].add(term, found, f"{name}/{index}")
    return rows


def _repetition(row: Row, count: int) -> Row:
    made = Row(row.place, number=count, series=row.series, joint=row.joint)
    made.model, made.quantization, made.size = row.model, row.quantization, row.size
    made.parameters, made.labels = row.parameters, row.labels
    made.time, made.zone, made.provenance = row.time, row.zone, "measured"
    return made


def _tell_environment(reading: Reading, known: Mapping[str, Any]) -> None:
    tell(reading.environment, cpu=known.get("cpu_info"), gpu=known.get("gpu_info"))
    commit = text(known.get("build_commit"))
    build = written_setting(known.get("build_number"))
    if commit is not None:
        reading.environment["llama.cpp"] = f"{commit} ({build:.0f})" if isinstance(build, float) else commit


def _add_model_size(notes: Notes, row: Row, size: float | None, name: str) -> None:
    """The size of each model, once."""
    model = (row.model, row.quantization)
    if size is None or model in notes.models:
        return
    notes.models.add(model)
    made = Row(row.place, series="model", joint=row.joint)
    made.model, made.quantization, made.size = row.model, row.quantization, row.size
    made.provenance = row.provenance if row.joint == " " and name == "size" else None
    made.add(Term("model_size", "value", 1.0, "bytes"), size, name)
    notes.reading.rows.append(made)


def _written_bytes(value: str) -> float | None:
    """Bytes of "235.16 MiB"."""
    written = parse_written(value)
    unit: tuple[Dimension, float] | None = unit_of(written.unit) if written and written.unit else None
    return written.value * unit[1] if written and unit and unit[0] == "bytes" else None
