"""Which rows carry a model load, told from their load times; and what names of files say of models."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from pytest_chimera.corpus.models import model_in_name, model_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_chimera.corpus.reading import FileReading
    from pytest_chimera.corpus.rows import Row

FACTOR = 3.0
"""A load above so many times the median of the same model and file is a cold start."""
FEWEST = 3
"""Rows of a model in a file from which on their median says what is usual."""
_FAMILY = ("_summary", "-summary", "_report", "_aggregate", "_agg", "_results")


def mark_cold(rows: Iterable[Row]) -> None:
    """Set whether each row is cold: its load is above 3 x the median load of the same model and file.

    A fixed bound would cut through small models; quartiles fail where a third of the rows are cold.
    """
    groups: dict[tuple[str, str | None, str], list[tuple[Row, float]]] = defaultdict(list)
    for row in rows:
        if row.failure is not None or row.cold is not None:
            continue
        for term, value, _ in row.numbers:
            if term.metric == "load" and value is not None and term.statistic in {"value", "mean"}:
                groups[row.file, row.model, term.statistic].append((row, value))
                break
    for members in groups.values():
        if len(members) < FEWEST:
            continue
        bound = FACTOR * median(value for _, value in members)
        for row, value in members:
            row.cold = value > bound


def name_models(readings: Sequence[FileReading], families: tuple[str, ...]) -> None:
    """Give rows without a model the one that their file's name says, or that the raw file beside them has alone."""
    known = frozenset(
        row.model
        for each in readings
        if each.reading.format != "report"
        for row in each.reading.rows
        if row.model is not None
    )
    _spell_alike(readings, known)
    by_stem: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in readings:
        models = {row.model for row in each.reading.rows if row.model is not None}
        if models and each.reading.format != "report":
            by_stem[_folder_and_stem(each.found.shown)] |= models
    for each in readings:
        without = [row for row in each.reading.rows if row.model is None and _may_have_model(row)]
        if not without:
            continue
        folder, stem = _folder_and_stem(each.found.shown)
        beside = by_stem.get((folder, stem)) or by_stem.get((folder, _raw_stem(stem)))
        model = model_in_name(stem, families, known)
        if model is None and beside is not None and len(beside) == 1:
            model = model_of(next(iter(beside)))
        if model is None and each.reading.format == "report":
            continue
        if model is not None:
            for row in without:
                row.model, row.quantization, row.size = model


def _spell_alike(readings: Sequence[FileReading], known: frozenset[str]) -> None:
    """A report's "Gemma3:270m" is the data's "gemma3:270m": Ollama does not tell upper from lower case."""
    spelled = {model.lower(): model for model in sorted(known)}
    for each in readings:
        for row in each.reading.rows:
            if row.model is not None and row.model not in known:
                row.model = spelled.get(row.model.lower(), row.model)


def _may_have_model(row: Row) -> bool:
    """Whether a row speaks of a language model at all: not of a network by another name, nor of the machine."""
    return "network" not in row.labels and any(term.role == "performance" for term, _, _ in row.numbers)


def _folder_and_stem(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, name.partition(".")[0] if name.count(".") == 1 else name.rpartition(".")[0]


def _raw_stem(stem: str) -> str:
    for ending in _FAMILY:
        if stem.endswith(ending):
            return stem.removesuffix(ending)
    return stem
