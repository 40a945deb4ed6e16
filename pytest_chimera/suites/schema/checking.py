"""What must hold between the fields of one case: one question, one answer size, and names that mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.errors import SuiteError, nearest
from pytest_chimera.suites import variables
from pytest_chimera.suites.merging import IN_PLACE_OF
from pytest_chimera.suites.schema.measured import SWEPT
from pytest_chimera.suites.sources import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pytest_chimera.plain_yaml import Node
    from pytest_chimera.suites.schema.kinds import SuiteSource
    from pytest_chimera.suites.suite import SuiteCase

_QUESTIONS = ("prompt", "messages", "prompt_tokens")
_LONGEST_NAME = 60


def check_case(case: SuiteCase, source: SuiteSource, sweep: Node | None = None) -> None:
    """Raise SuiteError for a case that contradicts itself; `sweep` is the node of its own sweep, if it has one."""
    if case.arms:
        for arm in case.arms:
            _check_asked(case.with_arm(arm), f"the arm {shown(arm.name)}")
    else:
        _check_asked(case, "the case")
    if case.sweep is not None:
        _check_sweep(case, source, sweep)
    if case.variables:
        for each in (case, *(case.with_arm(arm) for arm in case.arms)):
            _check_texts(each)


def _check_asked(case: SuiteCase, what: str) -> None:
    swept = case.sweep.names if case.sweep else ()
    fields = case.fields
    for one in _QUESTIONS:
        if one in fields or one in swept:
            _check_alone(case, one, swept)
            break
    else:
        raise SuiteError(
            f"{case.place('')}: {what} {shown(case.name)} asks nothing."
            if not case.places.get("arms")
            else f"{case.place('arms')}: {what} asks nothing.",
            "Accepted: a prompt, messages or prompt_tokens, in the case or under defaults.",
            "Write it as in prompt: Why is the sky blue?",
        )
    _check_answer_size(case, swept)
    _check_words(case)


def _check_alone(case: SuiteCase, one: str, swept: Collection[str]) -> None:
    for other in IN_PLACE_OF[one]:
        if other in case.fields or (other in swept and other != one):
            second = other if other in case.fields else "sweep"
            raise case.refuse(
                second, f"{one} and {other} stand beside each other.", "Accepted: one of them.", f"Leave {other} out."
            )


def _check_answer_size(case: SuiteCase, swept: Collection[str]) -> None:
    if "output_tokens" not in case.fields and "output_tokens" not in swept:
        return
    if "num_predict" in case.fields.get("options", ()) or "num_predict" in swept:
        raise case.refuse(
            "options" if "num_predict" in case.fields.get("options", ()) else "sweep",
            "output_tokens and num_predict stand beside each other.",
            "Accepted: one of them.",
            "Leave num_predict out: output_tokens sets it.",
        )


def _check_words(case: SuiteCase) -> None:
    """Refuse numbers of words that are good each for itself, and not together: of `defaults` and of the case."""
    said = case.fields.get("expect", {})
    fewest, most = said.get("min_words"), said.get("max_words")
    if fewest is not None and most is not None and fewest > most:
        raise case.refuse(
            "expect", f"min_words is {fewest} and max_words {most}.", "Accepted: min_words up to max_words.", ""
        )


def _check_sweep(case: SuiteCase, source: SuiteSource, node: Node | None) -> None:
    """Every parameter is an option, a field, or a variable that a text uses."""
    assert case.sweep is not None, "asked of a case with a sweep only"
    used: set[str] | None = None
    twice = next((name for name in case.sweep.names if name in case.environment), None)
    if twice is not None:
        raise case.refuse("sweep", f"{twice!r} is a name of 'environment' too.", "Accepted: each once.", "Rename it.")
    for name in case.sweep.names:
        if name in SWEPT or name in source.options:
            continue
        if used is None:
            used = {each for _, text in case.texts() for each in variables.names_in(text)}
        if name not in used:
            raise _unknown_parameter(name, used, case, source, node)


def _unknown_parameter(
    name: str, used: set[str], case: SuiteCase, source: SuiteSource, node: Node | None
) -> SuiteError:
    known = [*source.options, *SWEPT, *sorted(used)]
    what = f"the sweep varies {shown(name)}, which is no model option, no field and in no text of this case."
    accepted = (
        f"Accepted: a model option, one of the fields {', '.join(SWEPT)}, or a variable that a text uses as {{name}}."
    )
    near = nearest(name, known) if len(name) <= _LONGEST_NAME else ""
    said: Mapping[str, Node] = node.value if node is not None else {}
    if name in said:
        return source.refuse_key(said[name], what, accepted, near)
    return case.refuse("sweep", what, accepted, near)


def _check_texts(case: SuiteCase) -> None:
    known = case.variables
    for name, text in case.texts():
        problem = variables.problem(text, known)
        if problem is not None:
            raise case.refuse(name, f"{name}: {problem[0]}", *problem[1:])
