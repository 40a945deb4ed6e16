"""Shapes of JSON objects: which keys there are, what kind of value each has, and what to make of those of one shape."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.plans import Answer, learn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_chimera.corpus.plans import Plan, Slot
    from pytest_chimera.corpus.rows import Reading

    Keys = tuple[str, ...]
    Place = tuple[int, Keys]
    """(0 for the document or 1 for an item of its list, keys from there inwards)."""
    Ask = Callable[[bytes], Reading]

MOST_KEYS = 200
"""Keys of one object that has a shape; tables of names that are data have none."""
_CONTAINERS = frozenset({dict, list})


class UnplannedError(Exception):
    """A document that has no shape."""


def shape_of(node: dict[str, Any]) -> tuple[Any, ...]:
    """The keys of an object and the types of their values, and the same of the objects within.

    Raises UnplannedError for one with too many keys or with lists of anything but texts or objects.
    """
    types = tuple(map(type, node.values()))
    if _CONTAINERS.isdisjoint(types):
        return tuple(node), types
    if len(types) > MOST_KEYS:
        raise UnplannedError
    inner: list[Any] = []
    for value in node.values():
        if type(value) is dict:
            inner.append(shape_of(value))
        elif type(value) is list:
            inner.append(_shape_of_list(value))
    return tuple(node), types, *inner


def _shape_of_list(items: list[Any]) -> str:
    types = set(map(type, items))
    if not types:
        return "nothing"
    if types == {dict}:
        return "objects"
    if types == {str}:
        return "texts"
    raise UnplannedError


def kept_shape(shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """One shape for all that are read alike: whole numbers and others make no difference.

    Raises UnplannedError for one with too many keys.
    """
    keys, types, *inner = shape
    if len(keys) > MOST_KEYS:
        raise UnplannedError
    numbers = tuple(float if each is int else each for each in types)
    return keys, numbers, *(kept_shape(each) if isinstance(each, tuple) else each for each in inner)


def lists_in(node: dict[str, Any], keys: Keys = ()) -> Iterator[Keys]:
    """Where an object holds lists of objects."""
    for key, value in node.items():
        if type(value) is dict:
            yield from lists_in(value, (*keys, key))
        elif type(value) is list and value and type(value[0]) is dict:
            yield (*keys, key)


def plan_of(document: dict[str, Any], at: Keys | None, item: dict[str, Any] | None, ask: Ask) -> Plan | None:
    """What the document itself says, or each item of its list `at`; None when there is no plan for its shape."""
    subject = _Objects(document, at, item, ask)
    plan = learn(subject) if subject.plain else None
    return None if plan is None or plan.unnamed else plan


class _Objects:
    """A document, with one item of its list or with none."""

    def __init__(self, document: dict[str, Any], at: Keys | None, item: dict[str, Any] | None, ask: Ask) -> None:
        self._document = document
        self._at = at
        self._item = item
        self._ask = ask
        self.numbers: list[Any] = []
        self.texts: list[Any] = []
        self.flags: list[Any] = []
        self.plain = item is None or not any(lists_in(item))
        # Of the document around an item only texts and flags matter to it; its numbers are spoken of elsewhere.
        outer = () if item is None else _leaves(document)
        self._fixed = {(0, keys): None for keys, value in outer if type(value) in {int, float}}
        for scope, node in enumerate((document,) if item is None else (document, item)):
            for keys, value in _leaves(node):
                places = {int: self.numbers, float: self.numbers, str: self.texts, bool: self.flags}.get(type(value))
                if places is not None and (scope, keys) not in self._fixed:
                    places.append((scope, keys))

    def ask(self, values: Mapping[Any, Any]) -> Answer | None:
        """Let the readers read the document with these values."""
        known: Mapping[Any, Any] = {**values, **self._fixed}
        document = _filled(self._document, 0, (), known, self._at)
        if self._item is not None:
            assert self._at is not None, "an item is one of a list"
            holder = document
            for key in self._at[:-1]:
                holder = holder[key]
            holder[self._at[-1]] = [_filled(self._item, 1, (), known, None)]
        reading = self._ask(json.dumps(document).encode())
        if reading.format not in {"records", "unknown"}:
            return None
        rows = [row for row in reading.rows if (row.number is not None) is (self._item is not None)]
        if len(rows) > 1 or (self._item is None and len(reading.rows) > 1):
            return None
        return Answer(rows[0] if rows else None, tuple(reading.remarks))

    def name(self, at: Any) -> str:
        """Keys below the row, joined as in a JSON pointer."""
        scope, keys = at
        name = "/".join(key.replace("~", "~0").replace("/", "~1") for key in keys)
        return name if scope or self._item is None else f"/{name}"

    def arranged(self, slots: list[Slot]) -> list[Slot]:
        """In the order in which `picker` takes them out: those of one object together."""
        order = grouped([slot.at for slot in slots])
        return sorted(slots, key=lambda slot: order.index(slot.at))


def _leaves(node: dict[str, Any], keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    for key, value in node.items():
        if type(value) is dict:
            yield from _leaves(value, (*keys, key))
        else:
            yield (*keys, key), value


def _filled(node: dict[str, Any], scope: int, keys: Keys, values: Mapping[Any, Any], at: Keys | None) -> dict[str, Any]:
    """A copy of an object with other values; its list `at` is empty."""
    filled: dict[str, Any] = {}
    for key, value in node.items():
        inner = (*keys, key)
        if type(value) is dict:
            filled[key] = _filled(value, scope, inner, values, at)
        else:
            filled[key] = [] if inner == at else values.get((scope, inner), value)
    return filled


def getter(place: Place) -> Callable[[Any, Any], Any]:
    """A function of (document, item) that takes the value at a place out of one of them."""
    scope, keys = place
    if len(keys) == 1:
        key = keys[0]
        return (lambda _, item: item[key]) if scope else (lambda document, _: document[key])

    def get(document: Any, item: Any) -> Any:
        node = item if scope else document
        for key in keys:
            node = node[key]
        return node

    return get


def picker(places: Sequence[Place]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that takes the values at places of one object out of it, as fast as they can be had."""
    groups: dict[Keys, list[str]] = {}
    for _, keys in places:
        groups.setdefault(keys[:-1], []).append(keys[-1])
    parts = [(outer, _getter(keys)) for outer, keys in groups.items()]
    if not parts:
        return lambda _: ()
    first, get = parts[0]
    if len(parts) == 1 and not first:
        return get
    if len(parts) == 1 and len(first) == 1:
        key = first[0]
        return lambda node: get(node[key])

    def pick(node: Any) -> tuple[Any, ...]:
        values: tuple[Any, ...] = ()
        for outer, get in parts:
            within = node
            for key in outer:
                within = within[key]
            values += get(within)
        return values

    return pick


def grouped(places: Sequence[Place]) -> list[Place]:
    """Places in the order in which `picker` gives their values."""
    first = [keys[:-1] for _, keys in places]
    return sorted(places, key=lambda place: first.index(place[1][:-1]))


def _getter(keys: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(keys) == 1:
        key = keys[0]
        return lambda node: (node[key],)
    return itemgetter(*keys)
