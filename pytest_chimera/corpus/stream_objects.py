"""JSON files of known shapes, straight from their values into summaries."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.blocks import failed_rows, rows_of_words, whole_rows
from pytest_chimera.corpus.coldness import FEWEST
from pytest_chimera.corpus.plans import masked
from pytest_chimera.corpus.rows import Row
from pytest_chimera.corpus.shapes import (
    UnplannedError,
    getter,
    grouped,
    kept_shape,
    lists_in,
    picker,
    plan_of,
    shape_of,
)
from pytest_chimera.corpus.sinks import Sink, cold_rows

_MOST_FORMS = 5000

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_chimera.corpus.folders import Folder
    from pytest_chimera.corpus.gathered import Counts, Gathered
    from pytest_chimera.corpus.plans import Plan
    from pytest_chimera.corpus.shapes import Ask
    from pytest_chimera.corpus.sinks import Key, Models
    from pytest_chimera.corpus.walk import Found

    PlanOf = Callable[[Any, Callable[[], Plan | None]], Plan | None]
    """The plan of a key, made by the call when it is not known yet."""
    _Judged = tuple["_Rows", Key, tuple[Any, ...]]
    """(owner, key, values) of a row, before its whole file is understood."""


class _Rows:
    """Rows of one plan."""

    def __init__(self, plan: Plan, scope: int, first: str) -> None:
        self.plan = plan
        self.width = plan.width
        self.sink = Sink(plan, "json")
        self.sink.first = first
        self._scope = scope
        self._pick = picker([slot.at for slot in plan.slots])
        self._model = None if plan.model is None else getter(plan.model)
        self._answer = None if plan.answer is None else getter(plan.answer)
        self._checks: list[tuple[Any, Any, dict[Any, bool]]] = [(getter(at), check, {}) for at, check in plan.checks]
        """(what takes a value out, whether it says that the row failed, values that were asked)."""
        self._timed = _indexes(plan.timed) if plan.telling else None

    def judge(self, document: Any, item: Any, models: Models, found: Callable[[], Found], spare: Row) -> _Judged | None:
        """One row; None when only the readers themselves can tell what it means."""
        plan = self.plan
        values = self._pick(item if self._scope else document)
        model = None if self._model is None else models.named(self._model(document, item))
        if model is None and plan.named:
            model = models.of_file(found())
        failed = False
        for get, check, known in self._checks:
            value = get(document, item)
            bad = known.get(value)
            if bad is None:
                bad = known[value] = check(value)
            failed = failed or bad
        answer = None if self._answer is None else self._answer(document, item)
        if not failed and answer:
            failed = masked(answer, spare)
        if not failed and self._timed is not None:
            failed = not any(self._timed(values))
        whole = plan.whole is not None and plan.whole.holds(values, plan.slots)
        if whole and answer and plan.whole is not None and len(answer.split()) == values[plan.whole.tokens]:
            return None
        return self, (model, None, whole, failed), values


def _indexes(wanted: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    if len(wanted) == 1:
        at = wanted[0]
        return lambda values: (values[at],)
    return itemgetter(*wanted)


class _Singles:
    """Files that are one row each and wait to be looked at together."""

    def __init__(self, plan: Plan, first: str) -> None:
        self.plan = plan
        self.sink = Sink(plan, "json")
        self.sink.first = first
        fate = [place for place, _ in plan.checks] + [each for each in (plan.model, plan.answer) if each is not None]
        self._places = grouped([*(slot.at for slot in plan.slots), *fate])
        self.pick = picker(self._places)
        self.rows: list[tuple[Any, ...]] = []
        """Values at the places."""
        self.names: list[str] = []
        """The file of each."""

    def settle(self, folder: Folder, models: Models, spare: Row, counts: Counts, into: Gathered) -> list[str]:
        """Summarise the rows that wait; returns the files among them that only the readers understand."""
        if not self.rows:
            return []
        plan, names = self.plan, self.names
        fields = dict(zip(self._places, zip(*self.rows, strict=True), strict=True)) if self._places else {}
        self.rows, self.names = [], []
        columns = [fields[slot.at] for slot in plan.slots]
        failed = failed_rows(plan, fields, columns, spare)
        whole = whole_rows(plan, columns)
        left = set(rows_of_words(plan, fields, columns, whole))
        texts = fields[plan.model] if plan.model is not None else [None] * len(names)
        known = {text: models.named(text) for text in set(texts)}
        keyed: dict[Key, list[int]] = {}
        for row, text in enumerate(texts):
            if row not in left:
                model = known[text]
                if model is None and plan.named:
                    model = models.of_file(folder.found(names[row]))
                keyed.setdefault((model, None, bool(whole) and whole[row], row in failed), []).append(row)
        self.sink.add_columns(keyed, columns, len(names), into, gaps=False)
        fine = len(names) - len(left)
        self.sink.files += fine
        counts.rows += fine
        counts.numbers += fine * plan.width
        counts.failed += len(failed - left)
        return [names[row] for row in sorted(left)]


class _Shape:
    """Documents of one shape that hold a list of rows, or no number at all."""

    def __init__(self, key: Any, outer: _Rows, at: tuple[str, ...] | None) -> None:
        self.key = key
        self.outer = outer
        self.at = at
        """Where their list of objects is."""
        self.items: dict[Any, _Rows | None] = {}
        """`kept_shape` of an item -> what it means; None when that is not known."""
        self.known: dict[Any, _Rows] = {}
        """The same by `shape_of`."""


class Objects:
    """Reads the JSON objects of one task."""

    def __init__(self, ask: Ask, plan: PlanOf, models: Models, into: Gathered) -> None:
        self._ask = ask
        self._plan = plan
        self._models = models
        self._into = into
        self._shapes: dict[Any, _Shape | _Singles | None] = {}
        """By `kept_shape`; None: files of the shape are read by the readers."""
        self._known: dict[Any, _Shape | _Singles] = {}
        """The same by `shape_of`, which is quicker to tell."""
        self._once: set[Any] = set()
        """Shapes that were seen once: most of those that come once never come again, and learning takes a while."""
        self._spare = Row("")

    def take(self, document: Any, folder: Folder, name: str, counts: Counts) -> bool:
        """Summarise a parsed file, now or by `settle`; False when it is to be read by the readers."""
        if type(document) is not dict:
            return False
        try:
            form = shape_of(document)
            shape = self._known.get(form)
            if shape is None:
                shape = self._learn(kept_shape(form), document, folder, name)
                if shape is None:
                    return False
                _remember(self._known, form, shape)
            if type(shape) is _Singles:
                shape.rows.append(shape.pick(document))
                shape.names.append(name)
                return True
            assert isinstance(shape, _Shape), "it is one or the other"
            rows = self._judged(shape, document, partial(folder.found, name))
        except (UnplannedError, RecursionError):
            return False
        if rows is None:
            return False
        if len(rows) >= FEWEST:
            rows = _with_cold(rows)
        if not shape.outer.width:
            shape.outer.sink.files += 1
        for owner, row, values in rows:
            owner.sink.files += 1
            counts.rows += 1
            counts.numbers += owner.width
            counts.failed += row[3]
            owner.sink.add_row(row, values, self._into)
        return True

    def settle(self, folder: Folder, counts: Counts) -> list[str]:
        """Summarise what waits of a folder; returns names of its files that are to be read by the readers."""
        left = []
        for shape in self._shapes.values():
            if type(shape) is _Singles:
                left += shape.settle(folder, self._models, self._spare, counts, self._into)
        return left

    def finish(self) -> None:
        """Count what waits."""
        for shape in self._shapes.values():
            if type(shape) is _Singles:
                shape.sink.finish(self._into)
            elif type(shape) is _Shape:
                for rows in (shape.outer, *shape.items.values()):
                    if rows is not None:
                        rows.sink.finish(self._into)

    def _learn(self, key: Any, document: dict[str, Any], folder: Folder, name: str) -> _Shape | _Singles | None:
        if key in self._shapes:
            return self._shapes[key]
        if key not in self._once:
            self._once.add(key)
            return None
        self._shapes[key] = None
        lists = list(lists_in(document))
        if len(lists) > 1:
            return None
        at = lists[0] if lists else None
        plan = self._plan(key, lambda: plan_of(document, at, None, self._ask))
        if plan is None:
            return None
        if at is not None:
            plan = plan._replace(remarks=tuple(each for each in plan.remarks if each.kind != "no data"))
        first = folder.found(name).shown
        shape = _Singles(plan, first) if at is None and plan.width else _Shape(key, _Rows(plan, 0, first), at)
        self._shapes[key] = shape
        return shape

    def _judged(self, shape: _Shape, document: dict[str, Any], found: Callable[[], Found]) -> list[_Judged] | None:
        """All rows of a file; None when only the readers can tell what one of them means."""
        outer = shape.outer
        rows: list[_Judged] = []
        if outer.width:
            row = outer.judge(document, None, self._models, found, self._spare)
            if row is None:
                return None
            rows.append(row)
        if shape.at is None:
            return rows
        items: Any = document
        for name in shape.at:
            items = items[name]
        for item in items:
            form = shape_of(item)
            owner = shape.known.get(form)
            if owner is None:
                owner = self._learn_item(kept_shape(form), shape, document, item, found().shown)
                if owner is None:
                    return None
                _remember(shape.known, form, owner)
            if not owner.width:
                continue
            row = owner.judge(document, item, self._models, found, self._spare)
            if row is None:
                return None
            rows.append(row)
        return rows

    def _learn_item(self, form: Any, shape: _Shape, document: Any, item: Any, first: str) -> _Rows | None:
        if form not in shape.items:
            plan = self._plan((shape.key, form), lambda: plan_of(document, shape.at, item, self._ask))
            shape.items[form] = None if plan is None else _Rows(plan, 1, first)
        return shape.items[form]


def _remember(known: dict[Any, Any], form: Any, what: Any) -> None:
    """Keep a bounded number: each number that may be whole or not doubles how many there can be."""
    if len(known) >= _MOST_FORMS:
        known.clear()
    known[form] = what


def _with_cold(rows: list[_Judged]) -> list[_Judged]:
    """Rows of a file, the cold ones told from the warm ones by their loads."""
    loads: list[float | None] = []
    groups: list[Any] = []
    for owner, key, values in rows:
        at = owner.plan.load
        loads.append(None if at is None or key[3] else values[at] * owner.plan.slots[at].term.scale)
        groups.append((key[0], owner.plan.load_statistic))
    if len(loads) - loads.count(None) < FEWEST:
        return rows
    told = cold_rows(groups, loads)
    return [
        (owner, (key[0], cold, key[2], key[3]), values) for (owner, key, values), cold in zip(rows, told, strict=True)
    ]
