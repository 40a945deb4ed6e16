"""JSON of any shape: an object and the objects within it are one row, unless they say the same thing differently.

Elements of a list are rows. Objects below one object become rows of their own, named by their keys, as soon as two of
them hold different values of one metric. What stands outside (model, settings, time) holds for everything within.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.corpus.cells import label_value, number_value, options_of, set_model, set_time, setting_value
from pytest_chimera.corpus.fate import has_model_metrics, judge, said_error, said_success, settle_tokens
from pytest_chimera.corpus.rows import Reading, Remark, Row, Term

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.corpus.bounds import Bounds
    from pytest_chimera.corpus.vocabulary import Meaning, Vocabulary

_ENVIRONMENTS = ("environment", "system_info", "machine_info", "hardware", "platform", "commit_info", "env")
_TENSOR_WORDS = frozenset(
    {"dtype", "batch_size", "channels", "seq_len", "embed_dim", "input_dim", "hidden_dim", "height"}
)
_NUMBERS_IN_A_ROW = 3
"""A list with as many numbers under the name of a metric holds the values of its rounds."""


class Held(NamedTuple):
    """One number of an object, before it is known which row it belongs to."""

    term: Term | None
    meaning: Meaning
    value: float | None
    path: str


class Part:
    """What an object and the objects within it say, as far as it is not yet a row."""

    __slots__ = ("answer", "error", "held", "outside", "success")

    def __init__(self, outside: Row) -> None:
        self.held: list[Held] = []
        self.error: str | None = None
        self.success: bool | None = None
        self.answer: str | None = None
        self.outside = outside
        """Model, settings, labels and time that hold here, as a row without numbers."""


class JsonReader:
    """Reads one document."""

    def __init__(self, vocabulary: Vocabulary, bounds: Bounds, *, lines: bool = False) -> None:
        self._vocabulary = vocabulary
        self._bounds = bounds
        self._lines = lines
        self.reading = Reading("records")
        self._unknown: dict[str, int] = {}
        self._left: dict[tuple[str, str], int] = {}

    def read(self, document: Any) -> Reading:
        """Everything that is understood of a parsed document."""
        outside = Row("")
        if isinstance(document, dict):
            self._emit(self._object(document, "", outside, "", 0), "", None, "")
        elif isinstance(document, list):
            self._list(document, "", outside, "", "", 0)
        else:
            self._left["", "neither an object nor a list"] = 1
        reading = self.reading
        reading.schema = reading.schema[: self._bounds.names]
        reading.remarks.extend(Remark(place, why, _kind(why), count) for (place, why), count in self._left.items())
        if self._unknown:
            names = list(self._unknown)
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""  # noqa: PLR2004  # as listed
            listed = ", ".join(name[:40] for name in names[:8])
            total = sum(self._unknown.values())
            reading.remarks.append(
                Remark("", f"numbers with names that are not known: {listed}{more}", "unknown name", total)
            )
        if not reading.rows and not reading.remarks:
            reading.remarks.append(Remark("", "no number of performance stands in it", "no data"))
        return reading

    # An object: what it says itself first, for that holds for everything within it.
    def _object(self, node: Mapping[str, Any], pointer: str, outside: Row, place: str, depth: int) -> Part:
        part = Part(_within(outside))
        if depth > self._bounds.depth:
            self._left[pointer[:80], f"nested deeper than {self._bounds.depth} levels"] = 1
            return part
        objects: list[tuple[str, Mapping[str, Any]]] = []
        lists: list[tuple[str, list[Any]]] = []
        parent = pointer.rpartition("/")[2]
        for key, value in node.items():
            if isinstance(value, dict):
                objects.append((key, value))
            elif isinstance(value, list):
                lists.append((key, value))
            else:
                self._scalar(part, key, value, place, parent)
        within = [
            (
                key,
                self._object(
                    value, f"{pointer}/{_escaped(key)}", part.outside, self._vocabulary.place(key, place), depth + 1
                ),
            )
            for key, value in objects
            if not self._special(part, key, value)
        ]
        self._join(part, within, pointer)
        for key, items in lists:
            self._list(
                items, f"{pointer}/{_escaped(key)}", part.outside, self._vocabulary.place(key, place), key, depth
            )
        return part

    def _scalar(self, part: Part, key: str, value: Any, place: str, parent: str) -> None:
        meaning = self._vocabulary.meaning(key, place)
        kind = meaning.kind
        if len(self.reading.schema) < self._bounds.names and key not in self.reading.schema:
            self.reading.schema.append(key[:80])
        if kind in {"statistic", "unknown"} and parent and not isinstance(value, (str, bool)):
            meaning = self._vocabulary.meaning(f"{parent}_{key}", place)
            kind = meaning.kind
        if kind == "role":
            self._role(part, meaning.name, key, value, parent, place)
        elif kind in {"number", "ambiguous"}:
            self._number(part, meaning, key, value)
        elif kind == "setting":
            known = setting_value(value)
            if known is not None:
                part.outside.parameters[meaning.name] = known
        elif kind == "label":
            if value is not None and not isinstance(value, (dict, list)):
                part.outside.labels[meaning.name] = label_value(value)
        elif kind == "environment":
            self._environment(meaning.name, value)
        elif kind == "unknown" and isinstance(value, (int, float)) and not isinstance(value, bool):
            if len(self._unknown) < self._bounds.columns:
                self._unknown[key] = self._unknown.get(key, 0) + 1

    def _role(self, part: Part, role: str, key: str, value: Any, parent: str, place: str) -> None:
        if role == "model" and isinstance(value, str):
            if not set_model(part.outside, value) and value:
                part.outside.labels["model"] = label_value(value)
        elif role == "time":
            if set_time(part.outside, value) and self.reading.time is None:
                self.reading.time, self.reading.zone = part.outside.time, part.outside.zone
        elif role == "error":
            part.error = part.error or said_error(value)
        elif role == "success":
            part.success = said_success(value) if part.success is None else part.success
        elif role == "answer" and isinstance(value, str):
            part.answer = part.answer or value
        elif role == "n" and isinstance(value, int) and not isinstance(value, bool):
            part.outside.n = value
        elif role == "options":
            self._settings(part, options_of(value) or {})
        elif role == "value" and parent:
            meaning = self._vocabulary.meaning(parent, place)
            if meaning.kind == "number":
                self._number(part, meaning, key, value)

    def _number(self, part: Part, meaning: Meaning, key: str, value: Any) -> None:
        written = number_value(value)
        term = meaning.term
        if written is None:
            if value is None and meaning.kind == "number":
                term = term or self._vocabulary.term(meaning.name, meaning.statistic, "s")
                part.held.append(Held(term, meaning, None, _escaped(key)))
            return
        if written.unit is not None and meaning.kind == "number":
            term = self._vocabulary.term(meaning.name, meaning.statistic, written.unit)
        part.held.append(Held(term, meaning, written.value, _escaped(key)))

    def _special(self, part: Part, key: str, value: Mapping[str, Any]) -> bool:
        """Objects that describe what is around them: settings, a model, a machine."""
        meaning = self._vocabulary.meaning(key)
        if meaning.kind == "role" and meaning.name == "options":
            self._settings(part, value)
            return True
        if key.lower() in _ENVIRONMENTS:
            for name, each in value.items():
                known = self._vocabulary.meaning(name)
                self._environment(known.name if known.kind == "environment" else name, each)
            return True
        if meaning.kind == "role" and meaning.name == "model":
            name = value.get("name", value.get("model"))
            if isinstance(name, str):
                tensor = bool(_TENSOR_WORDS & set(value))
                if tensor or not set_model(part.outside, name):
                    part.outside.labels["network"] = label_value(name)
            self._settings(part, {name: each for name, each in value.items() if name not in {"name", "model"}})
            return True
        return False

    def _settings(self, part: Part, options: Mapping[str, Any]) -> None:
        for name, value in options.items():
            if isinstance(value, (dict, list)):
                continue
            meaning = self._vocabulary.meaning(name)
            known = setting_value(value)
            if meaning.kind == "role" and meaning.name == "n" and isinstance(value, int):
                part.outside.n = value
            elif meaning.kind == "label":
                part.outside.labels[meaning.name] = label_value(value)
            elif known is not None and meaning.kind != "ignored":
                part.outside.parameters[meaning.name if meaning.kind == "setting" else name[:80]] = known

    def _environment(self, name: str, value: Any) -> None:
        if isinstance(value, (str, int, float)) and len(self.reading.environment) < self._bounds.names and value != "":
            self.reading.environment.setdefault(name[:80], str(value)[: self._bounds.quote])

    def _join(self, part: Part, within: list[tuple[str, Part]], pointer: str) -> None:
        """Take the numbers of inner objects into this one, or make rows of them where they contradict each other."""
        seen: dict[tuple[str, str], float | None] = {_key(each): each.value for each in part.held}
        together = True
        for _, inner in within:
            for held in inner.held:
                known = seen.setdefault(_key(held), held.value)
                if known != held.value and known is not None and held.value is not None:
                    together = False
        for key, inner in within:
            if together:
                part.held.extend(held._replace(path=f"{_escaped(key)}/{held.path}") for held in inner.held)
                part.error = part.error or inner.error
                part.success = inner.success if part.success is None else part.success and inner.success is not False
                part.answer = part.answer or inner.answer
                for name, label in inner.outside.labels.items():
                    part.outside.labels.setdefault(name, label)
                part.outside.n = part.outside.n if part.outside.n is not None else inner.outside.n
                if part.outside.model is None and inner.outside.model is not None:
                    part.outside.model, part.outside.quantization = inner.outside.model, inner.outside.quantization
                    part.outside.size = inner.outside.size
            elif inner.held:
                self._name(inner, key, pointer)
                self._emit(inner, f"{pointer}/{_escaped(key)}", None, pointer or "/")

    def _name(self, inner: Part, key: str, pointer: str) -> None:
        """Give a row that its key tells from its neighbours that key as a label."""
        owner = pointer.rpartition("/")[2].rstrip("s")
        meaning = self._vocabulary.meaning(owner) if owner else None
        if meaning is not None and meaning.kind == "role" and meaning.name == "model":
            set_model(inner.outside, key)
        elif meaning is not None and meaning.kind == "label":
            inner.outside.labels.setdefault(meaning.name, label_value(key))
        else:
            inner.outside.labels.setdefault("name", label_value(key))

    # A list: its objects are rows; its numbers are the values of rounds where its name is that of a metric.
    def _list(self, items: list[Any], pointer: str, outside: Row, place: str, key: str, depth: int) -> None:
        numbers = 0
        for index, item in enumerate(items):
            if isinstance(item, dict):
                part = self._object(item, f"{pointer}/{index}", outside, place, depth + 1)
                self._emit(part, f"{pointer}/{index}", index + 1, _series(pointer))
            elif isinstance(item, list):
                if depth > self._bounds.depth:
                    self._left[pointer[:80], f"nested deeper than {self._bounds.depth} levels"] = 1
                    return
                self._list(item, f"{pointer}/{index}", outside, place, key, depth + 1)
            elif isinstance(item, (int, float)) and not isinstance(item, bool):
                numbers += 1
        if numbers and numbers == len(items):
            self._values(items, pointer, outside, place, key)

    def _values(self, items: list[Any], pointer: str, outside: Row, place: str, key: str) -> None:
        meaning = self._vocabulary.meaning(key, place)
        if meaning.kind != "number" or meaning.statistic != "value" or meaning.term is None:
            if meaning.kind != "ignored":
                self._left[pointer[:80], "a list of numbers without a known name and unit"] = len(items)
            return
        for index, item in enumerate(items):
            row = _within(outside)
            row.place, row.number, row.series, row.joint = f"{pointer}/{index}", index + 1, _series(pointer), ""
            written = number_value(item)
            if written is not None:
                row.add(meaning.term, written.value, "")
                self.reading.rows.append(row)

    def _emit(self, part: Part, pointer: str, number: int | None, series: str) -> None:
        """Make a row of what an object says, if it holds any number."""
        if not part.held and (part.error is None or number is None):
            return
        row = part.outside
        row.place, row.number, row.series, row.joint = pointer, number, series, "/"
        ambiguous: list[Held] = []
        unit = next((held.term for held in part.held if held.term is not None and held.term.dimension == "time"), None)
        for held in part.held:
            term = held.term
            if term is None and held.meaning.kind == "number" and unit is not None and unit.metric == held.meaning.name:
                term = unit._replace(statistic=held.meaning.statistic)  # "p50" beside "mean_ms"
            if held.meaning.kind == "ambiguous":
                ambiguous.append(held)
            elif term is None:
                self._count(pointer, held, "has no unit that fits")
            else:
                self._take(row, term, held)
        self._resolve(row, part, ambiguous, pointer)
        judge(row, part.error, success=part.success, answer=part.answer)
        if row.numbers or row.failure is not None:
            self.reading.rows.append(row)

    def _take(self, row: Row, term: Term, held: Held) -> None:
        """Add a number, or only its place when the row has the very same one already."""
        for other, value, name in row.numbers:
            if other[:2] == term[:2] and (held.value is None or value == held.value * term.scale):
                if held.value is not None:
                    row.doubles.setdefault(name, []).append(held.path)
                return
        row.add(term, held.value, held.path)

    def _resolve(self, row: Row, part: Part, ambiguous: list[Held], pointer: str) -> None:
        tokens = None
        for held in ambiguous:
            name = held.meaning.name.partition(":")[0]
            if held.value is None:
                continue
            if name == "tokens":
                tokens = (held.value, held.path, held.meaning.statistic)
            elif name == "throughput" and has_model_metrics(row):
                row.add(Term("tok/s", held.meaning.statistic, 1.0, "rate"), held.value, held.path)
            else:
                self._count(pointer, held, f"is ambiguous: {held.meaning.name.partition(': ')[2]}")
        why = settle_tokens(row, tokens, part.answer, self._vocabulary)
        if why is not None and tokens is not None:
            self._count(pointer, ambiguous[0], f"is ambiguous: {why}")

    def _count(self, pointer: str, held: Held, why: str) -> None:
        key = (_series(pointer)[:80], f"{held.path[:80]} {why}")
        if key in self._left or len(self._left) < self._bounds.columns:
            self._left[key] = self._left.get(key, 0) + 1


def _kind(why: str) -> Any:
    if "is ambiguous" in why:
        return "ambiguous"
    if "no unit" in why:
        return "no unit"
    return "refused" if "nested" in why else "unknown name"


def _key(held: Held) -> tuple[str, str]:
    return held.meaning.name, held.meaning.statistic


def _within(outside: Row) -> Row:
    """What holds within an object: as outside, until it says otherwise."""
    row = Row("")
    row.model, row.quantization, row.size = outside.model, outside.quantization, outside.size
    row.parameters, row.labels = dict(outside.parameters), dict(outside.labels)
    row.time, row.zone, row.n = outside.time, outside.zone, outside.n
    return row


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1") if "/" in key or "~" in key else key


def _series(pointer: str) -> str:
    """A pointer without the numbers of its rows."""
    return "/".join(part for part in pointer.split("/") if not part.isdigit())
