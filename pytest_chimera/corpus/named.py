"""A value that stands beside its name: "Mean TTFT: 0.165 s", "num_ctx | 4096"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.corpus.cells import label_value, number_value, set_model, set_time, setting_value
from pytest_chimera.corpus.quantities import unit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.corpus.quantities import Written
    from pytest_chimera.corpus.rows import Row, Term
    from pytest_chimera.corpus.vocabulary import Meaning, Vocabulary

_LONGEST = 80


def read_named(
    row: Row,
    name: str,
    value: str,
    vocabulary: Vocabulary,
    remember: Callable[[str, str, str], None] | None = None,
) -> bool:
    """Read a named value into `row`; whether anything was understood. `remember` takes what was not."""
    meaning = vocabulary.meaning(name)
    if meaning.kind in {"setting", "role", "label"}:
        return _condition(row, meaning, value)
    written = number_value(value)
    if written is None:
        return False
    term = _term(meaning, written, vocabulary)
    shown = label_value(name)[:_LONGEST]
    if term is not None:
        row.add(term, written.value, shown)
    elif remember is not None and meaning.kind in {"number", "ambiguous"}:
        remember("no unit", f"{shown} has no unit that fits", shown)
    return term is not None


def _condition(row: Row, meaning: Meaning, value: str) -> bool:
    if meaning.kind == "setting":
        known = setting_value(value)
        if known is not None:
            row.parameters[meaning.name] = known
        return known is not None
    if meaning.kind == "label":
        row.labels.setdefault(meaning.name, label_value(value))
        return True
    return (meaning.name == "model" and set_model(row, value)) or (meaning.name == "time" and set_time(row, value))


def _term(meaning: Meaning, written: Written, vocabulary: Vocabulary) -> Term | None:
    term = None
    if meaning.kind == "number":
        term = vocabulary.term(meaning.name, meaning.statistic, written.unit) if written.unit else meaning.term
    if term is None and written.unit is not None and unit_of(written.unit) == ("rate", 1.0):
        known = meaning.kind == "number" or (meaning.kind == "ambiguous" and meaning.name.startswith("throughput"))
        return vocabulary.term("tok/s", meaning.statistic, written.unit) if known else None
    return term
