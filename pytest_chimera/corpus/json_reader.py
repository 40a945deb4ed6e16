"""JSON of any shape: an object and the objects within it are one row, unless they say the same thing differently.

Elements of a list are rows. Objects below one object become rows of their own, named by their keys, as soon as two of
them hold different values of one metric. What stands outside (model, settings, time) holds for everything within.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pytest_chimera.corpus.cells import (
    count_value,
    label_value,
    number_value,
    options_of,
    set_model,
    set_time,
    setting_value,
)
from pytest_chimera.corpus.fate import has_model_metrics, judge, only_zeros, said_error, said_success, settle_tokens
from pytest_chimera.corpus.json_about import About
from pytest_chimera.corpus.json_parts import Held, Part, agree, escaped, in_all, named_by, series_of, take, within
from pytest_chimera.corpus.models import is_tagged
from pytest_chimera.corpus.quantities import is_nothing
from pytest_chimera.corpus.rows import Reading, Remark, Row, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_chimera.corpus.bounds import Bounds
    from pytest_chimera.corpus.vocabulary import Meaning, Vocabulary

_LISTED = 8
_SAYS_LITTLE = frozenset({"statistic", "unknown"})
"""Kinds of keys that may mean something together with the key around them."""


class JsonReader:
    """Reads one document."""

    def __init__(self, vocabulary: Vocabulary, bounds: Bounds) -> None:
        self._vocabulary = vocabulary
        self._bounds = bounds
        self.reading = Reading("records")
        self._schema: dict[str, None] = {}
        self._about = About(vocabulary, bounds, self.reading)
        self._unknown: dict[str, int] = {}
        self._left: dict[tuple[str, str, str], int] = {}

    def read(self, document: Any) -> Reading:
        """Everything that is understood of a parsed document."""
        outside = Row("")
        if isinstance(document, dict):
            self._emit(self._object(document, "", outside, "", 0), "", None, "")
        elif isinstance(document, list):
            self._list(document, "", outside, "", 0)
        else:
            self._leave("", "unknown name", "neither an object nor a list")
        reading = self.reading
        reading.schema = list(self._schema)
        reading.remarks.extend(Remark(place, why, kind, count) for (place, kind, why), count in self._left.items())
        if self._unknown:
            names = list(self._unknown)
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            why = f"numbers with names that are not known: {', '.join(name[:40] for name in names[:_LISTED])}{more}"
            reading.remarks.append(Remark("", why, "unknown name", sum(self._unknown.values())))
        if not reading.rows and not reading.remarks:
            reading.remarks.append(Remark("", "no number of performance stands in it", "no data"))
        return reading

    # An object: what it says itself first, for that holds for everything within it.
    def _object(self, node: Mapping[str, Any], pointer: str, outside: Row, place: str, depth: int) -> Part:
        part = Part(outside)
        before = len(self.reading.rows)
        if depth > self._bounds.depth:
            self._too_deep(pointer)
            return part
        parent = pointer.rpartition("/")[2]
        inner, lists = self._scalars(part, node, parent, place)
        parts = []
        for key in inner:
            if not self._about.special(part, key, node[key]):
                below = self._vocabulary.place(key, place)
                parts.append(
                    (key, self._object(node[key], f"{pointer}/{escaped(key)}", part.outside, below, depth + 1))
                )
        if parts:
            self._join(part, parts, pointer)
        for key in lists:
            below = self._vocabulary.place(key, place)
            self._list(node[key], f"{pointer}/{escaped(key)}", part.outside, below, depth)
        if part.held and lists and len(self.reading.rows) > before:
            part.held = [in_all(held) for held in part.held]
        return part

    def _scalars(
        self, part: Part, node: Mapping[str, Any], parent: str, place: str
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Take what an object itself says, and an error that is an object or a list; (keys of objects, of lists)."""
        inner: list[str] = []
        lists: list[str] = []
        meanings, schema, names = self._vocabulary.meanings, self._schema, self._bounds.names
        for key, value in node.items():
            of = value.__class__
            if of is dict or of is list:
                (inner if of is dict else lists).append(key)
                if value and self._vocabulary.plain(key) == ("role", "error"):
                    part.error = part.error or said_error(value)
                continue
            meaning = meanings[key, place]
            if key not in schema and len(schema) < names:
                schema[key[:80]] = None
            kind = meaning.kind
            if kind in _SAYS_LITTLE and parent and of is not str and of is not bool:
                meaning = meanings[f"{parent}_{key}", place]
                kind = meaning.kind
            if kind == "number" and of is float and value - value == 0:  # as most are
                part.held.append(Held(meaning.term, meaning, value, escaped(key)))
            elif kind in self._READERS:
                self._READERS[kind](self, part, key, value, meaning)
        if part.named is not None or part.unit is not None:
            self._beside(part, place, parent)
        return inner, lists

    def _join(self, part: Part, inner: list[tuple[str, Part]], pointer: str) -> None:
        """Take the numbers of inner objects into this one, or make rows of them where they contradict each other."""
        together = agree(part, inner)
        for key, each in inner:
            if together:
                part.take(key, each)
            if not each.held or together:
                part.hold(each)
            if each.held and not together:
                named_by(each, key, pointer, self._vocabulary)
                self._emit(each, f"{pointer}/{escaped(key)}", None, pointer or "/")

    def _role(self, part: Part, _key: str, value: Any, meaning: Meaning) -> None:
        role = meaning.name
        if role == "error":
            part.error = part.error or said_error(value)
        elif role == "success":
            part.success = said_success(value) if part.success is None else part.success
        elif role == "answer":
            part.answer = part.answer or (value if isinstance(value, str) else None)
        elif role == "time":
            if set_time(part.outside, value) and self.reading.time is None:
                self.reading.time, self.reading.zone = part.outside.time, part.outside.zone
        elif role == "options":
            self._about.settings(part, options_of(value) or {})
        else:
            self._naming_role(part, role, value)

    def _naming_role(self, part: Part, role: str, value: Any) -> None:
        if role == "model" and isinstance(value, str) and value:
            if not set_model(part.outside, value):
                part.outside.labels["model"] = label_value(value)
        elif role == "n":
            part.outside.n = count_value(value) or part.outside.n
        elif role == "unit" and isinstance(value, str):
            part.unit = value.strip().lower()
        elif role == "name" and isinstance(value, str):
            part.named = value
        elif role == "value" and isinstance(value, (int, float, str)):
            part.value = value

    def _beside(self, part: Part, place: str, parent: str) -> None:
        """Numbers beside their name or unit: {"metric": "ttft", "value": 0.5, "unit": "s"}, {"p95": 3, "unit": "s"}."""
        if part.value is not None:
            name = part.named or parent
            meaning = self._vocabulary.meaning(name, place)
            if meaning.kind in {"number", "ambiguous"}:
                self._number(part, "value", part.value, meaning)
            elif number_value(part.value) is not None:
                self._count_unknown(name)
        elif part.named is not None and not (is_tagged(part.named) and set_model(part.outside, part.named)):
            part.outside.labels.setdefault("name", label_value(part.named))
        if part.unit is not None:
            for index, held in enumerate(part.held):
                if held.term is None and held.meaning.kind == "number":
                    meaning = held.meaning
                    term = self._vocabulary.term(meaning.name, meaning.statistic, part.unit, in_name=True)
                    part.held[index] = held._replace(term=term)

    def _number(self, part: Part, key: str, value: Any, meaning: Meaning) -> None:
        term = meaning.term
        written = number_value(value)
        if written is None:
            if isinstance(value, str) and not is_nothing(value):
                if set_time(part.outside, value):  # "time" may be a time of day
                    return
                self._leave("", "broken", f"{key[:80]} holds text that is no number")
            elif meaning.kind == "number" and not isinstance(value, bool):
                term = term or self._vocabulary.term(meaning.name, meaning.statistic, "s")
                part.held.append(Held(term, meaning, None, escaped(key)))
            return
        if written.unit is not None and meaning.kind == "number":
            term = self._vocabulary.term(meaning.name, meaning.statistic, written.unit)
        part.held.append(Held(term, meaning, written.value, escaped(key)))

    def _setting(self, part: Part, _key: str, value: Any, meaning: Meaning) -> None:
        known = setting_value(value)
        if known is not None:
            part.outside.parameters[meaning.name] = known

    def _label(self, part: Part, _key: str, value: Any, meaning: Meaning) -> None:
        if value is not None:
            part.outside.labels[meaning.name] = label_value(value)

    def _of_machine(self, _part: Part, _key: str, value: Any, meaning: Meaning) -> None:
        self._about.environment(meaning.name, value)

    def _nameless(self, _part: Part, key: str, value: Any, _meaning: Meaning) -> None:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self._count_unknown(key)

    def _count_unknown(self, name: str, count: int = 1) -> None:
        if name in self._unknown or len(self._unknown) < self._bounds.columns:
            self._unknown[name] = self._unknown.get(name, 0) + count

    # A list: its objects are rows; its numbers are the values of rounds where its name is that of a metric.
    def _list(self, items: list[Any], pointer: str, outside: Row, place: str, depth: int) -> None:
        if depth > self._bounds.depth:
            self._too_deep(pointer)
            return
        numbers = missing = 0
        series = series_of(pointer)
        for index, item in enumerate(items):
            if isinstance(item, dict):
                part = self._object(item, f"{pointer}/{index}", outside, place, depth + 1)
                self._emit(part, f"{pointer}/{index}", index + 1, series)
            elif isinstance(item, list):
                self._list(item, f"{pointer}/{index}", outside, place, depth + 1)
            elif isinstance(item, (int, float)) and not isinstance(item, bool):
                numbers += 1
            elif item is None:
                missing += 1
        if numbers and numbers + missing == len(items):
            self._values(items, pointer, outside, place)
        elif numbers:
            self._leave(pointer, "unknown name", "numbers in a list of other things", numbers)

    def _values(self, items: list[Any], pointer: str, outside: Row, place: str) -> None:
        key = next((part for part in reversed(pointer.split("/")) if not part.isdigit()), "")
        meaning = self._vocabulary.meaning(key, place)
        if meaning.kind != "number" or meaning.statistic != "value" or meaning.term is None:
            if meaning.kind != "ignored":
                self._leave(pointer, "unknown name", "a list of numbers without a known name and unit", len(items))
            return
        for index, item in enumerate(items):
            written = number_value(item)
            row = within(outside)
            row.place, row.number, row.series, row.joint = f"{pointer}/{index}", index + 1, series_of(pointer), ""
            row.add(meaning.term, None if written is None else written.value, "")
            self.reading.rows.append(row)

    def _emit(self, part: Part, pointer: str, number: int | None, series: str) -> None:
        """Make a row of what an object says, if it holds any number or the reason why it holds none."""
        if not part.held and (part.error is None or number is None):
            return
        row = part.outside
        row.place, row.number, row.series, row.joint = pointer, number, series, "/"
        ambiguous: list[Held] = []
        unit = next((held.term for held in part.held if held.term is not None and held.term.dimension == "time"), None)
        seen: set[tuple[str, str]] = set()
        for held in part.held:
            term = held.term
            if term is None and unit is not None and unit.metric == held.meaning.name:
                term = unit._replace(statistic=held.meaning.statistic)  # "p50" beside "mean_ms"
            if held.meaning.kind == "ambiguous":
                ambiguous.append(held)
            elif term is None:
                self._leave(series_of(pointer), "no unit", f"{held.path[:80]} has no unit that fits")
            elif term[:2] in seen:
                take(row, term, held)
            else:
                seen.add(term[:2])
                row.add(term, held.value, held.path)
        self._resolve(row, part, ambiguous, pointer)
        judge(row, part.error, success=part.success, answer=part.answer, zeros=only_zeros(row))
        if row.numbers or row.failure is not None:
            self.reading.rows.append(row)

    def _resolve(self, row: Row, part: Part, ambiguous: list[Held], pointer: str) -> None:
        """Decide what stands beside the ambiguous numbers of a row."""
        tokens = None
        for held in ambiguous:
            name, _, why = held.meaning.name.partition(": ")
            if held.value is None:
                continue
            if name == "tokens":
                tokens = (held.value, held.path, held.meaning.statistic)
            elif name == "throughput" and has_model_metrics(row):
                row.add(Term("tok/s", held.meaning.statistic, 1.0, "rate"), held.value, held.path)
            else:
                self._leave(series_of(pointer), "ambiguous", f"{held.path[:80]} is ambiguous: {why}")
        reason = settle_tokens(row, tokens, part.answer, self._vocabulary)
        if reason is not None and tokens is not None:
            self._leave(series_of(pointer), "ambiguous", f"{tokens[1][:80]} is ambiguous: {reason}")

    def _too_deep(self, pointer: str) -> None:
        self._leave(pointer, "refused", f"nested deeper than {self._bounds.depth} levels")

    def _leave(self, pointer: str, kind: str, why: str, count: int = 1) -> None:
        key = (pointer[:80], kind, why)
        if key in self._left or len(self._left) < self._bounds.columns:
            self._left[key] = self._left.get(key, 0) + count

    _READERS: ClassVar[Mapping[str, Callable[[JsonReader, Part, str, Any, Meaning], None]]] = {
        "role": _role, "number": _number, "ambiguous": _number, "setting": _setting, "label": _label,
        "environment": _of_machine, "unknown": _nameless, "statistic": _nameless,
    }  # fmt: skip
    """Kind of meaning -> what takes such a value; of the class, for of each reader it would be a cycle."""
