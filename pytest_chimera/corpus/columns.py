"""The columns of a table, understood once: which hold numbers, settings, labels, and what the others are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.corpus.rows import Term
    from pytest_chimera.corpus.vocabulary import Meaning, Vocabulary


_GROUPS = {
    "number": "numbers", "setting": "settings", "label": "labels", "ambiguous": "ambiguous",
    "environment": "environment",
}  # fmt: skip
"""Kind of meaning -> attribute of `Columns` that holds its columns."""


class Column(NamedTuple):
    """One column."""

    at: int
    """Its position, from 0."""
    name: str
    meaning: Meaning
    term: Term | None
    """Of a number whose unit the header says; None where the cell must."""


class Columns:
    """All columns of one table by what they are for."""

    def __init__(self, names: Sequence[str], vocabulary: Vocabulary, units: Sequence[str] = ()) -> None:
        self._vocabulary = vocabulary
        self.numbers: list[Column] = []
        self.settings: list[Column] = []
        self.labels: list[Column] = []
        self.roles: dict[str, list[Column]] = {}
        self.ambiguous: list[Column] = []
        self.unknown: list[Column] = []
        self.environment: list[Column] = []
        for at, name in enumerate(names):
            if name.strip():
                self._place(at, name.strip(), units[at].strip() if at < len(units) else "")

    @property
    def long(self) -> bool:
        """Whether its lines are names with values: "metric, value, unit"."""
        return "name" in self.roles and "value" in self.roles

    @property
    def speaks_of_performance(self) -> bool:
        """Whether any column can hold a number that is kept."""
        return bool(self.numbers or self.ambiguous or self.long)

    def _place(self, at: int, name: str, unit: str) -> None:
        meaning = self._vocabulary.meaning(name)
        if unit and meaning.kind == "unknown":
            meaning = self._vocabulary.meaning(f"{name} ({unit})")
        kind, term = meaning.kind, meaning.term
        if kind == "number" and unit:
            term = self._vocabulary.term(meaning.name, meaning.statistic, unit.lower(), in_name=True) or term
        column = Column(at, name, meaning, term)
        if kind in {"unknown", "statistic"}:
            self._place_unknown(column)
        elif kind == "role":
            self.roles.setdefault(meaning.name, []).append(column)
        elif kind != "ignored":
            getattr(self, _GROUPS[kind]).append(column)

    def _place_unknown(self, column: Column) -> None:
        """A setting with a word before it ("agent_a_num_ctx") keeps its whole name; all else stays unknown."""
        whole = self._vocabulary.setting_with_prefix(column.name)
        if whole is None:
            self.unknown.append(column)
        else:
            self.settings.append(column._replace(meaning=column.meaning._replace(name=whole)))
