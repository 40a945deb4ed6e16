"""What must hold of an answer: read from what a person wrote, and held against the text of each round.

Only the answer is judged, not the thinking before it, and only of a request that went well. How each expectation is
judged stands in `expectations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_chimera.errors import ChimeraError, MarkerError, nearest
from pytest_chimera.suites.expectations import values
from pytest_chimera.suites.expectations.outline import sections
from pytest_chimera.suites.expectations.patterns import matches
from pytest_chimera.suites.expectations.questions import no_question
from pytest_chimera.suites.expectations.schema import UnusableSchemaError, check_schema, json_schema
from pytest_chimera.suites.expectations.words import contains, max_words, min_words, stop_reason
from pytest_chimera.units import format_value

if TYPE_CHECKING:
    from pytest_chimera.records import Generation

MOST_UNMET = 20
"""Sentences that are kept of one answer."""
LONGEST_UNMET = 600
"""Characters that are kept of one of them."""

_MOST_CLAIMS = 3
_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """How the numbers of a text are held against facts."""

    share: float | None
    """Of the numeric claims, those that the facts support, 0 to 1; None of a text that makes none."""
    against: tuple[str, ...] = ()
    """The claims that they do not support, each with what is known, in words."""


Ground = Callable[[str, tuple[str, ...]], Grounding]
"""From the text of an answer and the paths of a corpus (none: the one of the run) to what came of its claims."""


class _Expectation(NamedTuple):
    """One thing that can be expected."""

    read: Callable[[object], Any]
    """From what a person wrote to a plain value; raises NotUsableError."""
    judge: Callable[[Any, Generation, Ground | None], Iterable[str]]
    """From that value to what does not hold of an answer."""


def _of_text(judge: Callable[[Any, str], Iterable[str]]) -> Callable[[Any, Generation, Ground | None], Iterable[str]]:
    return lambda value, generation, _: judge(value, generation.text)


def _grounded_in(value: Mapping[str, Any], generation: Generation, ground: Ground | None) -> Iterable[str]:
    """Facts support at least a share of the numeric claims of the answer; one without claims holds."""
    if ground is None:
        yield "grounded_in: there are no facts here to hold the answer against"
        return
    try:
        found = ground(generation.text, tuple(value["corpus"]))
    except ChimeraError as error:
        yield f"grounded_in: it cannot be judged: {error}"
        return
    if found.share is None or found.share >= value["share"]:
        return
    shares = [format_value(each, "ratio") for each in (found.share, value["share"])]
    more = len(found.against) - _MOST_CLAIMS
    claims = "; ".join([*found.against[:_MOST_CLAIMS], *([f"and {more} more"] if more > 0 else [])])
    yield f"grounded_in: facts support {shares[0]} of its numeric claims, and {shares[1]} must be: {claims}"


_KNOWN: Mapping[str, _Expectation] = {
    "contains": _Expectation(values.texts, _of_text(contains)),
    "matches": _Expectation(values.patterns, _of_text(matches)),
    "max_words": _Expectation(values.count, _of_text(max_words)),
    "min_words": _Expectation(values.count, _of_text(min_words)),
    "sections": _Expectation(values.titles, _of_text(sections)),
    "no_question": _Expectation(values.true, _of_text(no_question)),
    "stop_reason": _Expectation(values.texts, lambda value, each, _: stop_reason(value, each.done_reason, each.text)),
    "grounded_in": _Expectation(values.grounding, _grounded_in),
    "json_schema": _Expectation(values.schema, _of_text(json_schema)),
}

EXPECTATIONS: tuple[str, ...] = tuple(_KNOWN)
"""Every name, in the order of the documentation."""


def parse_expect(value: object, where: str) -> dict[str, Any]:
    """Expectations by name, checked, each in one plain form that this reads back as it is.

    None takes an expectation away that a persona or a setting below has. Raises MarkerError.
    """
    if not isinstance(value, Mapping):
        raise MarkerError(
            f"{where}: expect={_shown(value)} is not usable.",
            f"Accepted: expectations by name: {', '.join(EXPECTATIONS)}.",
            "Write it as in {'contains': 'blue', 'max_words': 100}.",
        )
    for name in value:
        if name not in _KNOWN:
            raise MarkerError(
                f"{where}: expect has the unknown name {name!r}.",
                f"Known: {', '.join(EXPECTATIONS)}.",
                nearest(str(name), EXPECTATIONS),
            )
    read = {name: _read(name, each, where) for name, each in value.items()}
    _refuse_impossible(read, where)
    return read


def merged(above: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """Expectations of a case over those of its persona, without those that are taken away. Both as they were parsed."""
    return {name: each for name, each in {**below, **above}.items() if each is not None}


def check_judgeable(expect: Mapping[str, Any], where: str) -> None:
    """Refuse, before anything is measured, what cannot be judged here.

    Raises MissingExtraError where a library is absent, and MarkerError for a schema that is none and for expectations
    that no answer meets.
    """
    _refuse_impossible(expect, where)
    if expect.get("json_schema") is None:
        return
    try:
        check_schema(expect["json_schema"])
    except UnusableSchemaError as error:
        raise MarkerError(
            f"{where}: expect json_schema is no JSON schema {error}.", "Accepted: a JSON schema.", "Correct it."
        ) from None


class Expectations:
    """What one case expects of its answers."""

    def __init__(self, said: Mapping[str, Any], ground: Ground | None = None) -> None:
        """`said` as `parse_expect` gave it; `ground` is asked for `grounded_in`."""
        self.said = {name: each for name, each in said.items() if each is not None}
        self.ground = ground

    def unmet(self, generation: Generation) -> tuple[str, ...] | None:
        """What does not hold of an answer, each in words that begin with the name of the expectation.

        None where nothing is expected or no answer came. Never raises, whatever the text is.
        """
        if not self.said or not generation.ok:
            return None
        found = [text for name, each in self.said.items() for text in _KNOWN[name].judge(each, generation, self.ground)]
        more = len(found) - MOST_UNMET
        if more > 0:
            found[MOST_UNMET - 1 :] = [f"{found[MOST_UNMET - 1].partition(':')[0]}: and {more + 1} more"]
        return tuple(_bounded(each) for each in found)


def _refuse_impossible(expect: Mapping[str, Any], where: str) -> None:
    fewest, most = expect.get("min_words"), expect.get("max_words")
    if fewest and most and fewest > most:
        raise MarkerError(
            f"{where}: expect has min_words={fewest} and max_words={most}, and no answer has both.",
            "Accepted: min_words up to max_words.",
            "Correct one of them.",
        )


def _read(name: str, value: object, where: str) -> Any:
    if value is None:
        return None
    try:
        return _KNOWN[name].read(value)
    except values.NotUsableError as error:
        wrong = f" ({error.wrong})" if error.wrong else ""
        raise MarkerError(
            f"{where}: expect {name}={_shown(value)} is not usable{wrong}.",
            f"Accepted: {error.accepted}.",
            f"Correct {name}.",
        ) from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def _bounded(text: str) -> str:
    return text if len(text) <= LONGEST_UNMET else f"{text[: LONGEST_UNMET - 3]}..."
