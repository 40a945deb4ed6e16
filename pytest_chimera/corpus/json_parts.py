"""What an object of JSON says before it is known which row its numbers belong to, and how parts become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.corpus.cells import label_value, set_model
from pytest_chimera.corpus.models import is_tagged
from pytest_chimera.corpus.rows import Row

if TYPE_CHECKING:
    from pytest_chimera.corpus.rows import Term
    from pytest_chimera.corpus.vocabulary import Meaning, Vocabulary


class Held(NamedTuple):
    """One number of an object."""

    term: Term | None
    """None when neither its name nor its value says a unit."""
    meaning: Meaning
    value: float | None
    path: str
    """Pointer below the row's."""

    @property
    def si(self) -> float | None:
        """Its value in SI where the unit is known, else as written, without what computing leaves in the last digit."""
        if self.value is None or self.term is None:
            return self.value
        return float(f"{self.value * self.term.scale:.12g}")

    @property
    def key(self) -> tuple[str, str]:
        """What it is of: two different values of one key cannot stand in one row."""
        return self.meaning.name, self.meaning.statistic


class Part:
    """What an object and the objects within it say, as far as it is not yet a row."""

    __slots__ = ("answer", "error", "held", "named", "outside", "success", "unit", "value")

    def __init__(self, outside: Row) -> None:
        self.held: list[Held] = []
        self.error: str | None = None
        self.success: bool | None = None
        self.answer: str | None = None
        self.named: str | None = None
        """What stands under "name" or "metric"."""
        self.value: float | str | None = None
        """What stands under "value"."""
        self.unit: str | None = None
        """What stands under "unit": that of every number beside it which has none of its own."""
        self.outside = within(outside)
        """Model, settings, labels and time that hold here, as a row without numbers."""

    def take(self, key: str, inner: Part) -> None:
        """Make the numbers of an inner object, and what it says of its fate, part of this one."""
        above = escaped(key)
        self.held += [Held(term, meaning, value, f"{above}/{path}") for term, meaning, value, path in inner.held]
        self.error = self.error or inner.error
        self.success = inner.success if self.success is None else self.success and inner.success is not False
        self.answer = self.answer or inner.answer

    def hold(self, inner: Part) -> None:
        """Let what an inner object says of model, settings, labels and time hold here, where nothing else does."""
        mine, its = self.outside, inner.outside
        for name, label in its.labels.items():
            mine.labels.setdefault(name, label)
        for name, setting in its.parameters.items():
            mine.parameters.setdefault(name, setting)
        if mine.n is None:
            mine.n = its.n
        if mine.time is None:
            mine.time, mine.zone = its.time, its.zone
        if mine.model is None:
            mine.model, mine.quantization, mine.size = its.model, its.quantization, its.size


def agree(part: Part, inner: list[tuple[str, Part]]) -> bool:
    """Whether no two of several parts hold different values of one thing."""
    seen = {held.key: held for held in part.held}
    for _, each in inner:
        for held in each.held:
            known = seen.setdefault(held.key, held)
            if known is not held and known.si != held.si and known.si is not None and held.si is not None:
                return False
    return True


def in_all(held: Held) -> Held:
    """A count beside a list of rows is their sum: "total_tokens" beside "results"."""
    if held.term is None or held.term.statistic != "value" or held.term.dimension not in {"tokens", "count"}:
        return held
    return held._replace(term=held.term._replace(statistic="sum"), meaning=held.meaning._replace(statistic="sum"))


def named_by(part: Part, key: str, pointer: str, vocabulary: Vocabulary) -> None:
    """Give a part that its key tells from its neighbours that key: as its model, or as a label."""
    owner = pointer.rpartition("/")[2].rstrip("s")
    kind, name = vocabulary.plain(owner) if owner else ("unknown", "")
    if (kind == "role" and name == "model") or is_tagged(key):
        set_model(part.outside, key)
    else:
        part.outside.labels.setdefault(name if kind == "label" else "name", label_value(key))


def within(outside: Row) -> Row:
    """What holds within an object: as outside, until it says otherwise."""
    row = Row("")
    row.model, row.quantization, row.size = outside.model, outside.quantization, outside.size
    row.parameters, row.labels = dict(outside.parameters), dict(outside.labels)
    row.time, row.zone, row.n = outside.time, outside.zone, outside.n
    return row


def escaped(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1") if "/" in key or "~" in key else key


def series_of(pointer: str) -> str:
    """A pointer without the numbers of its rows."""
    return "/".join(part for part in pointer.split("/") if not part.isdigit())


def take(row: Row, term: Term, held: Held) -> None:
    """Add a number, or only its place when the row has the very same one already."""
    for other, value, name in row.numbers:
        if other[:2] == term[:2] and (held.value is None or value is None or f"{value:.12g}" == f"{held.si:.12g}"):
            if held.value is not None:
                row.doubles.setdefault(name, []).append(held.path)
            return
    row.add(term, held.value, held.path)
