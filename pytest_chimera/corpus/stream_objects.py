"""JSON files of known shapes, straight from their values into summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.coldness import FEWEST
from pytest_chimera.corpus.plans import masked
from pytest_chimera.corpus.rows import Row
from pytest_chimera.corpus.shapes import UnplannedError, lists_in, picker, plan_of, shape_of, value_at
from pytest_chimera.corpus.sinks import Sink, cold_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.corpus.gathered import Counts, Gathered
    from pytest_chimera.corpus.plans import Plan
    from pytest_chimera.corpus.shapes import Ask
    from pytest_chimera.corpus.sinks import Models
    from pytest_chimera.corpus.walk import Found

    Nodes = tuple[Any, ...]
    PlanOf = Callable[[Any, Callable[[], Plan | None]], Plan | None]
    """The plan of a key, made by the call when it is not known yet."""
    _Judged = tuple["_Rows", str | None, bool | None, bool, tuple[Any, ...], bool]
    """(owner, model, cold, whole, values, failed) of a row, before its file is known to be understood."""


class _Rows:
    """Rows of one plan."""

    def __init__(self, plan: Plan, scope: int) -> None:
        self.plan = plan
        self.sink = Sink(plan, "json")
        self.scope = scope
        self.silent = not plan.width
        self._pick = picker([slot.at for slot in plan.slots])
        self._telling = tuple(plan.telling)
        self._timed = tuple(plan.timed)

    def judge(self, nodes: Nodes, models: Models, found: Callable[[], Found], spare: Row) -> _Judged | None:
        """One row of (document, item); None when only the readers themselves can tell what it means."""
        plan = self.plan
        values = self._pick(nodes[self.scope])
        model = None if plan.model is None else models.named(value_at(nodes, plan.model))
        if model is None and plan.named:
            model = models.of_file(found())
        failed = any(check(value_at(nodes, place)) for place, check in plan.checks)
        answer = None if plan.answer is None else value_at(nodes, plan.answer)
        if not failed and answer:
            failed = masked(answer, spare)
        if not failed and self._telling:
            failed = not any([values[at] for at in self._timed])  # noqa: C419  # a list is faster than a generator
        whole = plan.whole is not None and plan.whole.holds(values, plan.slots)
        if whole and answer and plan.whole is not None and len(answer.split()) == values[plan.whole.tokens]:
            return None
        return self, model, None, whole, values, failed

    def note(self, found: Callable[[], Found]) -> None:
        """Count a file with such rows."""
        if not self.sink.files:
            self.sink.first = found().shown
        self.sink.files += 1


class _Shape:
    """Documents of one shape."""

    def __init__(self, outer: _Rows, at: tuple[str, ...] | None) -> None:
        self.outer = outer
        self.at = at
        """Where their list of objects is."""
        self.items: dict[Any, _Rows | None] = {}
        """Shape of an item -> what it means; None when that is not known."""


class Objects:
    """Reads the JSON objects of one task."""

    def __init__(self, ask: Ask, plan: PlanOf, models: Models, into: Gathered) -> None:
        self._ask = ask
        self._plan = plan
        self._models = models
        self._into = into
        self._shapes: dict[Any, _Shape | None] = {}
        """None: files of the shape are read by the readers."""
        self._once: set[Any] = set()
        """Shapes that were seen once: most of those that come once never come again, and learning takes a while."""
        self._spare = Row("")

    def take(self, document: Any, found: Callable[[], Found], counts: Counts) -> bool:
        """Summarise a parsed file; False when it is to be read by the readers."""
        if type(document) is not dict:
            return False
        try:
            key = shape_of(document)
            shape = self._shapes.get(key)
            if shape is None:
                shape = self._learn(key, document)
                if shape is None:
                    return False
            rows = self._judged(key, shape, document, found)
        except (UnplannedError, RecursionError):
            return False
        if rows is None:
            return False
        if len(rows) >= FEWEST:
            rows = _with_cold(rows)
        into = self._into
        for owner, model, cold, whole, values, failed in rows:
            counts.rows += 1
            counts.numbers += owner.plan.width
            if failed:
                counts.failed += 1
                owner.sink.add_failed(model, whole=whole)
            else:
                owner.sink.add_row((model, cold, whole), values, into)
        return True

    def finish(self) -> None:
        """Count what waits."""
        for shape in self._shapes.values():
            if shape is not None:
                for rows in (shape.outer, *shape.items.values()):
                    if rows is not None:
                        rows.sink.finish(self._into)

    def _learn(self, key: Any, document: dict[str, Any]) -> _Shape | None:
        if key in self._shapes:
            return None
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
        shape = self._shapes[key] = _Shape(_Rows(plan, 0), at)
        return shape

    def _judged(
        self, key: Any, shape: _Shape, document: dict[str, Any], found: Callable[[], Found]
    ) -> list[_Judged] | None:
        """All rows of a file; None when only the readers can tell what one of them means."""
        outer = shape.outer
        outer.note(found)
        rows: list[_Judged] = []
        if not outer.silent:
            row = outer.judge((document,), self._models, found, self._spare)
            if row is None:
                return None
            rows.append(row)
        if shape.at is None:
            return rows
        items: Any = document
        for name in shape.at:
            items = items[name]
        for item in items:
            owner = self._item(key, shape, document, item)
            if owner is None:
                return None
            if owner.silent:
                continue
            row = owner.judge((document, item), self._models, found, self._spare)
            if row is None:
                return None
            rows.append(row)
        return rows

    def _item(self, key: Any, shape: _Shape, document: dict[str, Any], item: dict[str, Any]) -> _Rows | None:
        form = shape_of(item)
        if form not in shape.items:
            plan = self._plan((key, form), lambda: plan_of(document, shape.at, item, self._ask))
            shape.items[form] = None if plan is None else _Rows(plan, 1)
        return shape.items[form]


def _with_cold(rows: list[_Judged]) -> list[_Judged]:
    """Rows of a file, the cold ones told from the warm ones by their loads."""
    loads: list[float | None] = []
    for owner, _, _, _, values, failed in rows:
        at = owner.plan.load
        loads.append(None if at is None or failed else values[at] * owner.plan.slots[at].term.scale)
    if len(loads) - loads.count(None) < FEWEST:
        return rows
    told = cold_rows([(row[1], row[0].plan.load_statistic) for row in rows], loads)
    return [(*row[:2], cold, *row[3:]) for row, cold in zip(rows, told, strict=True)]
