"""What files of one shape (the keys of an object, the header of a table) mean, learned once and then only applied.

A plan is learned by asking the readers themselves: made-up files of the shape, each with another value in one place,
show which numbers are kept as what, which text names the model, and which says that a row failed. A shape whose meaning
hangs on values in any other way has no plan, and its files are read one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from pytest_chimera.corpus.fate import judge, said_error, said_success

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_chimera.corpus.rows import Remark, Row, Term

_MODEL = "probe:1b"
"""A model, and an error where errors stand."""
_FAILED, _MASKED, _NUMBER = "failed", "Error: no answer", "7.25"
_SAME = 0.02
"""As in `fate.settle_tokens`."""


class Slot(NamedTuple):
    """One place of a shape that holds a number."""

    at: Any
    """Column, or keys from the object inwards."""
    term: Term


class Whole(NamedTuple):
    """A rate, a time and a count in one row: where rate x time is the count, the rate is another metric."""

    rate: int
    """Index of a slot, as the two others."""
    time: int
    tokens: int
    term: Term
    """What the rate is then."""

    def holds(self, values: Sequence[float | None], slots: Sequence[Slot]) -> bool:
        """Whether it is so in a row of values as written."""
        rate, time, tokens = values[self.rate], values[self.time], values[self.tokens]
        if not rate or not time or not tokens:
            return False
        product = rate * slots[self.rate].term.scale * time * slots[self.time].term.scale
        number = tokens * slots[self.tokens].term.scale
        return abs(product - number) <= _SAME * max(abs(number), 1e-9)


class Plan(NamedTuple):
    """What a row of one shape means."""

    slots: tuple[Slot, ...]
    empty: tuple[Term, ...]
    """Numbers that are null in every row of the shape."""
    model: Any
    """Where the model stands; None where it does not."""
    named: bool
    """Whether the name of the file may say the model where the row does not."""
    checks: tuple[tuple[Any, Callable[[Any], bool]], ...]
    """(place, whether the value there says that the row failed)."""
    answer: Any
    timed: tuple[int, ...]
    """Slots that cannot all be zero unless the row failed; empty where zeros say nothing."""
    telling: tuple[int, ...]
    """Those of them of which one at least has a value where that is said."""
    whole: Whole | None
    load: int | None
    """The slot that tells cold from warm rows."""
    load_statistic: str
    series: str
    remarks: tuple[Remark, ...]
    """What of every row is not understood."""
    unnamed: tuple[tuple[Any, Remark], ...]
    """Of a table: columns that are not understood when they hold numbers."""

    @property
    def width(self) -> int:
        """Numbers of one row."""
        return len(self.slots) + len(self.empty)


class Answer(NamedTuple):
    """What the readers say of a made-up file."""

    row: Row | None
    remarks: tuple[Remark, ...]


class Subject(Protocol):
    """A shape that can be asked."""

    numbers: list[Any]
    """Places that hold numbers, or may."""
    texts: list[Any]
    flags: list[Any]
    """Places that hold true or false."""

    def ask(self, values: Mapping[Any, Any]) -> Answer | None:
        """What is read of a file with these values, nothing elsewhere; None when not one row or none comes of it."""

    def name(self, at: Any) -> str:
        """What the readers call the number at a place."""

    def arranged(self, slots: list[Slot]) -> list[Slot]:
        """Slots in the order in which their values are taken out of a file."""


def learn(subject: Subject) -> Plan | None:
    """The plan of a shape; None when it has none."""
    numbers = {at: 1_000_003.5 + 17 * index for index, at in enumerate(subject.numbers)}
    for flag in (True, False):
        base: dict[Any, Any] = dict.fromkeys(subject.texts, "")
        base |= numbers
        base |= dict.fromkeys(subject.flags, flag)
        said = subject.ask(base)
        if said is not None and (said.row is None or said.row.failure is None):
            return _Learning(subject, base, said).plan()
    return None


class _Learning:
    """One shape, with what is read of it when every number has a value of its own and all texts are empty."""

    def __init__(self, subject: Subject, base: dict[Any, Any], said: Answer) -> None:
        self._subject = subject
        self._base = base
        self._said = said
        self._slots: list[Slot] = []
        self._models: list[Any] = []
        self._checks: list[tuple[Any, Callable[[Any], bool]]] = []
        self._successes = 0
        self._errors = 0
        self._answers: list[Any] = []
        self._unnamed: list[tuple[Any, Remark]] = []

    def plan(self) -> Plan | None:
        """The plan, unless something speaks against one."""
        row, remarks = self._said
        if any(remark.kind == "ambiguous" for remark in remarks):
            return None
        empty = self._find_slots(row)
        if empty is None or not self._texts() or not self._flags() or not self._other_numbers():
            return None
        if max(len(self._models), len(self._answers), self._successes) > 1:
            return None
        whole = self._whole(row)
        if whole is False:
            return None
        terms = [slot.term for slot in self._slots]
        load = next((at for at, term in enumerate(terms) if _is_load(term)), None)
        return Plan(
            slots=tuple(self._slots),
            empty=empty,
            model=self._models[0] if self._models else None,
            named=row is not None and "network" not in row.labels and any(t.role == "performance" for t in terms),
            checks=tuple(self._checks),
            answer=self._answers[0] if self._answers else None,
            timed=_timed(terms),
            telling=tuple(at for at in _timed(terms) if terms[at].metric != "compile"),
            whole=whole,
            load=load,
            load_statistic="" if load is None else terms[load].statistic,
            series="" if row is None else row.series,
            remarks=tuple(remarks),
            unnamed=tuple(self._unnamed),
        )

    def _find_slots(self, row: Row | None) -> tuple[Term, ...] | None:
        """Fill the slots; returns the terms that are null. None when a number cannot be told from another."""
        if row is None:
            return ()
        if row.model is not None or row.provenance is not None or row.cold is not None or row.doubles:
            return None
        places = {self._subject.name(at): at for at in self._subject.numbers}
        if len(places) != len(self._subject.numbers):
            return None
        empty: list[Term] = []
        for term, value, name in row.numbers:
            at = places.get(name)
            if value is None:
                empty.append(term)
            elif at is None or value != self._base[at] * term.scale:
                return None
            else:
                self._slots.append(Slot(at, term))
        self._slots = self._subject.arranged(self._slots)
        known = [slot.term[:2] for slot in self._slots] + [term[:2] for term in empty]
        return tuple(empty) if len(set(known)) == len(known) else None

    def _texts(self) -> bool:
        """Ask what each text is; False when one of them decides what there is no plan for."""
        for at in self._subject.texts:
            number, model, failed, masked = (self._with(at, value) for value in (_NUMBER, _MODEL, _FAILED, _MASKED))
            if number is None or model is None or failed is None or masked is None:
                return False
            more = [remark for remark in number.remarks if remark not in self._said.remarks]
            if not self._same(number) or not self._same(model) or len(more) > 1:
                return False
            if more:
                self._unnamed.append((at, more[0]))
            if model.row is None:
                continue
            if model.row.failure is not None:
                self._checks.append((at, _says_error))
                self._errors += 1
            elif failed.row is not None and failed.row.failure is not None:
                self._checks.append((at, _says_no_success))
                self._successes += 1
            elif masked.row is not None and masked.row.failure is not None:
                self._answers.append(at)
            elif model.row.model == _MODEL:
                self._models.append(at)
        return True

    def _flags(self) -> bool:
        """Ask what each flag says; False when one of them changes the numbers."""
        for at in self._subject.flags:
            other = self._with(at, not self._base[at])
            if other is None or not self._same(other):
                return False
            if other.row is not None and other.row.failure is not None:
                self._checks.append((at, _is_false if self._base[at] else _is_true))
                self._successes += 1
        return True

    def _other_numbers(self) -> bool:
        """Whether the numbers that are not kept leave all else as it is, whatever they are."""
        kept = {slot.at for slot in self._slots}
        for at in self._subject.numbers:
            if at in kept:
                continue
            for value in (0, 1, 2.5):
                other = self._with(at, value)
                if other is None or not self._same(other) or (other.row is not None and other.row.failure is not None):
                    return False
        return True

    def _whole(self, row: Row | None) -> Whole | Literal[False] | None:
        """What becomes of a rate of whole requests; False when that cannot be told by one rate, time and count."""
        terms = [slot.term for slot in self._slots]
        found = [
            [at for at, term in enumerate(terms) if term.metric in metrics]
            for metrics in (("tok/s",), ("latency",), ("total_tokens", "output_tokens"))
        ]
        if not all(found) or row is None:
            return None
        if max(map(len, found)) > 1:
            return False
        rate, time, count = (at for each in found for at in each)
        values = ((rate, 8.0), (time, 4.0), (count, 32.0))
        asked = {self._slots[at].at: value / terms[at].scale for at, value in values}
        other = self._subject.ask({**self._base, **asked})
        if other is None or other.row is None:
            return False
        changed = [term for term, _, _ in other.row.numbers]
        before = [term for term, _, _ in row.numbers]
        different = [at for at, (one, two) in enumerate(zip(before, changed, strict=True)) if one != two]
        if not different:
            return None
        if [before[at] for at in different] != [terms[rate]]:
            return False
        return Whole(rate, time, count, changed[different[0]])

    def _with(self, at: Any, value: Any) -> Answer | None:
        return self._subject.ask({**self._base, at: value})

    def _same(self, other: Answer) -> bool:
        """Whether the same numbers were read."""
        row = self._said.row
        if row is None or other.row is None:
            return row is other.row
        return row.numbers == other.row.numbers and row.series == other.row.series


def masked(answer: str, row: Row) -> bool:
    """Whether an answer is the text of an error; `row` is one that nobody else uses, and without a failure."""
    judge(row, None, success=None, answer=answer, zeros=False)
    if row.failure is None:
        return False
    row.failure = None
    return True


def _is_load(term: Term) -> bool:
    return term.metric == "load" and term.statistic in {"value", "mean"}


def _timed(terms: Sequence[Term]) -> tuple[int, ...]:
    """Slots of which at least one is above zero in every row that did not fail, as in `fate.only_zeros`."""
    timed = [at for at, term in enumerate(terms) if term.role == "performance" and term.dimension in {"time", "rate"}]
    if any(terms[at].statistic == "delta" for at in timed) or all(terms[at].metric == "compile" for at in timed):
        return ()
    return tuple(timed)


def _says_error(value: Any) -> bool:
    return said_error(value) is not None


def _says_no_success(value: Any) -> bool:
    return said_success(value) is False


def _is_false(value: Any) -> bool:
    return value is False


def _is_true(value: Any) -> bool:
    return value is True
