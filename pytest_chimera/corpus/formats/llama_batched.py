"""llama-batched-bench of llama.cpp (as of b10488): JSON Lines and Markdown.

One unrepeated value per row. Its rates are sums over all parallel sequences, so none of them is the tok/s of a request.
No model is named anywhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.formats.fields import Notes, cell, items, mapping, number, table_cells, tell, written_setting
from pytest_chimera.corpus.rows import Reading, Row, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT = "llama-batched-bench"

_TERMS = {
    "t_pp": Term("prompt_eval", "value", 1.0, "time"),
    "speed_pp": Term("prompt_throughput", "value", 1.0, "rate"),
    "t_tg": Term("eval", "value", 1.0, "time"),
    "speed_tg": Term("output_throughput", "value", 1.0, "rate"),
    "t": Term("total", "value", 1.0, "time"),
    "speed": Term("total_throughput", "value", 1.0, "rate"),
}
_SETTINGS = {
    "n_kv_max": "num_ctx", "n_batch": "num_batch", "n_ubatch": "n_ubatch", "flash_attn": "flash_attn",
    "is_pp_shared": "is_pp_shared", "is_tg_separate": "is_tg_separate", "n_gpu_layers": "num_gpu",
    "n_threads": "num_thread", "n_threads_batch": "n_threads_batch", "pp": "n_prompt", "tg": "n_gen",
    "pl": "concurrency", "n_kv": "n_kv",
}  # fmt: skip
_COLUMNS = {
    "PP": "pp", "TG": "tg", "B": "pl", "N_KV": "n_kv", "T_PP s": "t_pp", "S_PP t/s": "speed_pp", "T_TG s": "t_tg",
    "S_TG t/s": "speed_tg", "T s": "t", "S t/s": "speed",
}  # fmt: skip
_SETTING = re.compile(r"\b(\w{1,40}) = (-?\d{1,12})\b")


def read_json(document: Any) -> Reading:
    """The objects of JSON Lines."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    for index, record in enumerate(items(document)):
        _read_record(notes, Row(f"/{index}", number=index + 1, joint="/"), mapping(record), {}, number)
    return notes.close()


def read_markdown(content: str) -> Reading:
    """The table below the line of settings; rounded."""
    reading = Reading(FORMAT)
    notes = Notes(reading)
    given: dict[str, str] = {}
    header: list[str] = []
    found = 0
    for count, line in enumerate(content.splitlines(), 1):
        if line.startswith("llama_batched_bench:"):
            given = dict(_SETTING.findall(line[:4096]))
        if not line.startswith("|") or set(line) <= set("|-: "):
            continue
        cells = table_cells(line)
        if not header:
            header = [_COLUMNS.get(name, name) for name in cells]
            continue
        found += 1
        row = Row(f"line {count}", number=found)
        row.provenance = "aggregate"
        if len(cells) == len(header):
            _read_record(notes, row, dict(zip(header, cells, strict=True)), given, cell)
        else:
            notes.broken(row.place, "", f"a row of {len(header)} cells")
    return notes.close()


def _read_record(
    notes: Notes, row: Row, record: Mapping[str, Any], given: Mapping[str, str], read: Callable[[object], float | None]
) -> None:
    """One row: its settings, those `given` for the whole file, and its times and rates."""
    for known in (given, record):
        for name, canonical in _SETTINGS.items():
            value = written_setting(known.get(name))
            if value is not None:
                row.parameters[canonical] = value
    prompt, answer = read(record.get("pp")), read(record.get("tg"))
    if prompt is None or answer is None:
        notes.broken(row.place, "", "a row with pp and tg")
        return
    tell(row.labels, test=f"pp{prompt:.15g}+tg{answer:.15g}")
    for name, term in _TERMS.items():
        value = read(record.get(name))
        if value is None:
            notes.broken(row.place, name)
        elif value == 0:
            notes.leave("empty", "0 stands for a part that was not run", name=name, place=row.place)
        else:
            row.add(term, value, name)
    notes.reading.rows.append(row)
