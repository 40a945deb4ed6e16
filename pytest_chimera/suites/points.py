"""From a point of a sweep, or an arm, to what it asks and how: applied to what the call says.

A parameter is a model option, one of a few fields of a case, or a variable of its texts. Nothing is built or sent here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import MarkerError, nearest
from pytest_chimera.records import Message
from pytest_chimera.suites.arguments import ARGUMENT_NAMES, CaseArguments
from pytest_chimera.suites.cases import QUESTION_NAMES, Question
from pytest_chimera.suites.merging import IN_PLACE_OF
from pytest_chimera.suites.sweep import ARM, label, level_text
from pytest_chimera.suites.texts import fill, variables_of
from pytest_chimera.wire.options import LOAD_OPTIONS, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Sequence

    from pytest_chimera.records import Case
    from pytest_chimera.suites.sweep import Arm, Sweep

MODEL = "model"
FIELDS = (MODEL, "persona", "think", "prompt_tokens", "output_tokens", "prefix", "truncate", "keep_alive")
"""What a parameter may be called beside model options and variables."""

_IN_ARM = (MODEL, *QUESTION_NAMES, *(each for each in ARGUMENT_NAMES if each != "sweep"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One point or arm, put together."""

    point: Mapping[str, Any]
    """As `Case.point` keeps it."""
    question: Question
    said: CaseArguments
    """What it says over the call."""
    model: str | None = None
    """The model that answers, where it is not the one of the test."""
    drops: frozenset[str] = frozenset()
    """Arguments of the call that cannot stand beside what it says."""

    def over(self, below: CaseArguments) -> CaseArguments:
        """What it says, else what `below` says without what it drops."""
        unsaid: dict[str, Any] = dict.fromkeys(self.drops)
        return self.said.over(dataclasses.replace(below, **unsaid))


def of_sweep(
    question: Question,
    sweep: Sweep,
    make: Callable[[Mapping[str, Any]], Question] | None,
    *,
    where: str,
    allowed_options: Collection[str] = (),
) -> list[Variant]:
    """Every point of a sweep. `make` gives the question of a point where its texts are filled by others already.

    Raises MarkerError for a parameter that is neither option, field nor variable.
    """
    if make is None:
        _check_names(sweep.names, question, where, allowed_options)
    found = []
    for point in sweep.points:
        place = f"{where}, {label(point)}"
        asked = _filled(question, point, place) if make is None else make(point)
        options = {name: level for name, level in point.items() if _is_option(name, allowed_options)}
        fields = {name: level for name, level in point.items() if name in FIELDS and name != MODEL}
        said = {"options": {name: level for name, level in options.items() if level is not None}, **fields}
        model = _model(point.get(MODEL), place)
        found.append(Variant(point=point, question=asked, said=CaseArguments.parse(said, where=place), model=model))
    return found


def of_arms(
    question: Question, arms: Sequence[Arm], make: Callable[[Arm], Question] | None, *, where: str
) -> list[Variant]:
    """Every arm: its fields in place of those of the call, and without what cannot stand beside them.

    Raises MarkerError for a field that no call has.
    """
    found = []
    for arm in arms:
        place = f"{where}, arm {arm.name}"
        _check_fields(arm, place)
        asked = _in_place(question, arm) if make is None else make(arm)
        said = {name: value for name, value in arm.said.items() if name in ARGUMENT_NAMES}
        model = _model(arm.said.get(MODEL), place)
        parsed = CaseArguments.parse(said, where=place)
        drops = frozenset(_dropped(arm) & {"prompt_tokens"})
        found.append(Variant(point={ARM: arm.name}, question=asked, said=parsed, model=model, drops=drops))
    return found


def load_key(case: Case, url: str) -> Hashable:
    """What must be equal for two cases to be measured on one load of a model; `url` is that of its server."""
    return (url, case.model.name, case.start, *(case.options.get(name) for name in LOAD_OPTIONS))


def needing_load(points: Sequence[Mapping[str, Any]], keys: Sequence[Hashable]) -> tuple[str, ...]:
    """The parameters of which a change loads the model anew, as the keys of points show that differ in it alone.

    Where no two points differ in one alone, its name decides.
    """
    return tuple(name for name in points[0] if _needs_load(name, points, keys)) if points else ()


def _needs_load(name: str, points: Sequence[Mapping[str, Any]], keys: Sequence[Hashable]) -> bool:
    alike: dict[str, list[Hashable]] = {}
    for point, key in zip(points, keys, strict=True):
        alike.setdefault(label({other: level for other, level in point.items() if other != name}), []).append(key)
    compared = [group for group in alike.values() if len(group) > 1]
    if not compared:
        return name == MODEL or name in LOAD_OPTIONS
    return any(len(set(group)) > 1 for group in compared)


def _is_option(name: str, allowed: Collection[str]) -> bool:
    return name in OPTIONS or name in allowed


def _check_names(names: Sequence[str], question: Question, where: str, allowed: Collection[str]) -> None:
    used = {name for text in _texts(question) for name in variables_of(text)}
    for name in names:
        if _is_option(name, allowed) or name in FIELDS or name in used:
            continue
        raise MarkerError(
            f"{where} varies {name!r}, which is no model option, and no text has the variable {{{name}}}.",
            f"Accepted: model options, {', '.join(FIELDS)}, and variables of prompt, system and messages.",
            nearest(name, (*OPTIONS, *allowed, *FIELDS, *used)) or f"Write {{{name}}} where its value is to stand.",
        )


def _texts(question: Question) -> Iterator[str]:
    """The texts that may have variables."""
    contents = [_content(each) for each in question.messages or ()]
    yield from (each for each in (question.prompt, question.system, *contents) if isinstance(each, str))


def _content(message: object) -> object:
    if isinstance(message, Message):
        return message.content
    return message.get("content") if isinstance(message, Mapping) else None


def _filled(question: Question, point: Mapping[str, Any], where: str) -> Question:
    """The question with the levels of the point in its texts; what is no text is left for others to refuse."""
    levels = {name: level_text(level) for name, level in point.items()}

    def text(value: Any) -> Any:
        return fill(value, levels, where) if isinstance(value, str) else value

    def message(value: Any) -> Any:
        if isinstance(value, Message):
            return dataclasses.replace(value, content=text(value.content))
        return {**value, "content": text(value.get("content"))} if isinstance(value, Mapping) else value

    messages = question.messages
    if isinstance(messages, (list, tuple)):
        messages = [message(each) for each in messages]
    return dataclasses.replace(question, prompt=text(question.prompt), system=text(question.system), messages=messages)


def _in_place(question: Question, arm: Arm) -> Question:
    dropped: dict[str, Any] = {name: None for name in _dropped(arm) if name in QUESTION_NAMES}
    said = {name: value for name, value in arm.said.items() if name in QUESTION_NAMES}
    return dataclasses.replace(question, **{**dropped, **said})


def _dropped(arm: Arm) -> set[str]:
    """Fields of the case that do not hold beside those of the arm."""
    return {other for name in arm.said for other in IN_PLACE_OF.get(name, ())}


def _check_fields(arm: Arm, where: str) -> None:
    for name in arm.said:
        if name not in _IN_ARM:
            raise MarkerError(
                f"{where} has the unknown field {name!r}.",
                f"Known fields: {', '.join(_IN_ARM)}.",
                nearest(str(name), _IN_ARM),
            )


def _model(value: object, where: str) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise MarkerError(f"{where} has the model {value!r}.", "Accepted: the name of a model.", "Put it into quotes.")
