"""How a case is measured: what a marker, a call or the settings may say about it, checked, and how they are merged.

What is asked of the model (prompt, messages, format, ...) is in `cases.py`; model options are checked there too,
because only then it is known which new names a person let through.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from pytest_chimera.errors import LimitError, MarkerError, QuantityError, nearest
from pytest_chimera.gate.expressions import Expression, parse_gate
from pytest_chimera.limits import Limit, parse_limits
from pytest_chimera.records import DEFAULT_PREFIX, DEFAULT_ROUNDS, DEFAULT_TIMEOUT_S, DEFAULT_WARMUP
from pytest_chimera.suites.expect import parse_expect
from pytest_chimera.suites.sweep import Sweep, parse_sweep
from pytest_chimera.units import parse_seconds

MARKER = "@pytest.mark.chimera(...)"
CALL = "chimera(...)"

_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
_NONE_IS_SAID = ("gate",)
"""Arguments of which None is a value and not silence."""
_THINK_LEVELS = ("low", "medium", "high", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseArguments:
    """What one source (settings, marker or call) says; None is "not said here"."""

    rounds: int | None = None
    warmup: int | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: _NO_OPTIONS)
    """Model options by name, not yet validated."""
    persona: str | None = None
    think: bool | str | None = None
    prefix: Literal["unique", "reuse"] | None = None
    start: Literal["warm", "cold"] | None = None
    timeout: float | None = None
    """Seconds for one request."""
    idle_timeout: float | None = None
    """Seconds without a byte."""
    max_failed_rounds: int | None = None
    limits: tuple[Limit, ...] = ()
    gate: tuple[Expression, ...] | None = None
    """What it is compared by, in place of what the run says; empty exempts it, which is written `gate=None`."""
    keep_alive: str | int | None = None
    truncate: bool | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    expect: Mapping[str, Any] = field(default_factory=lambda: _NO_OPTIONS)
    """What must hold of each answer, by name."""
    sweep: Sweep | None = None
    """What `chimera.sweep(...)` varies."""

    @classmethod
    def parse(
        cls,
        kwargs: Mapping[str, Any],
        *,
        where: str = MARKER,
        args: tuple[Any, ...] = (),
        beside: tuple[str, ...] = (),
    ) -> CaseArguments:
        """Check what was written at `where`, a marker or a call; `beside` are further names that it takes.

        Raises MarkerError for a positional or unknown argument or an unusable value, LimitError for a limit.
        """
        if args:
            raise MarkerError(
                f"{where} was given {args[0]!r} without a name.",
                f"Accepted: keyword arguments only: {', '.join(ARGUMENT_NAMES)}.",
                "Write it as in rounds=5.",
            )
        known = (*beside, *ARGUMENT_NAMES)
        for name in kwargs:
            if name not in _CHECKS:
                raise MarkerError(
                    f"{where} has the unknown argument {name!r}.",
                    f"Known arguments: {', '.join(known)}.",
                    nearest(name, known),
                )
        said = {name: value for name, value in kwargs.items() if value is not None or name in _NONE_IS_SAID}
        checked = {name: _CHECKS[name](name, value, where) for name, value in said.items()}
        return cls(**checked)

    def over(self, below: CaseArguments) -> CaseArguments:
        """These arguments where they say something, else those of `below`.

        Options and expectations are merged name by name; a limit replaces those of `below` on the same statistic in the
        same direction.
        """
        said = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        merged = {name: value for name, value in said.items() if value is not None}
        merged["options"] = {**below.options, **self.options}
        merged["expect"] = {**below.expect, **self.expect}
        bound = {_bounds(limit) for limit in self.limits}
        merged["limits"] = (*(limit for limit in below.limits if _bounds(limit) not in bound), *self.limits)
        return dataclasses.replace(below, **merged)


ARGUMENT_NAMES: tuple[str, ...] = tuple(each.name for each in dataclasses.fields(CaseArguments))
"""Everything that a marker may say, in the order of the documentation."""

BUILT_IN = CaseArguments(
    rounds=DEFAULT_ROUNDS,
    warmup=DEFAULT_WARMUP,
    prefix=DEFAULT_PREFIX,
    start="warm",
    timeout=DEFAULT_TIMEOUT_S,
    max_failed_rounds=0,
    truncate=False,
)
"""What holds where nobody says otherwise."""


def _bounds(limit: Limit) -> tuple[str, str, bool]:
    return limit.metric, limit.statistic, limit.operator.startswith("<")


def _refuse(name: str, value: object, where: str, accepted: str) -> MarkerError:
    return MarkerError(f"{where}: {name}={value!r} is not usable.", f"Accepted: {accepted}.", f"Correct {name}.")


def _whole(minimum: int) -> Callable[[str, Any, str], int]:
    def check(name: str, value: Any, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise _refuse(name, value, where, f"a whole number, {minimum} or more")
        return value

    return check


def _one_of(*accepted: str) -> Callable[[str, Any, str], str]:
    def check(name: str, value: Any, where: str) -> str:
        if not isinstance(value, str) or value not in accepted:
            raise _refuse(name, value, where, " or ".join(repr(each) for each in accepted))
        return value

    return check


def _options(name: str, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _refuse(name, value, where, "a mapping of model options, as in {'temperature': 0}")
    return dict(value)


def _text(name: str, value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refuse(name, value, where, "a name")
    return value


def _think(name: str, value: Any, where: str) -> bool | str:
    if isinstance(value, bool) or (isinstance(value, str) and value in _THINK_LEVELS):
        return value
    raise _refuse(name, value, where, f"True, False or one of {', '.join(repr(each) for each in _THINK_LEVELS)}")


def _seconds(name: str, value: Any, where: str) -> float:
    seconds = value
    if isinstance(value, str):
        try:
            seconds = parse_seconds(value)
        except QuantityError:
            seconds = None
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 < seconds < math.inf:
        return float(seconds)
    raise _refuse(name, value, where, "seconds above 0, or a text such as '90 s' or '2 min'")


def _flag(name: str, value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _refuse(name, value, where, "True or False")
    return value


def _keep_alive(name: str, value: Any, where: str) -> str | int:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _refuse(name, value, where, "seconds as a whole number, or a text such as '10m'")
    return value


def _limits(name: str, value: Any, where: str) -> tuple[Limit, ...]:
    try:
        return parse_limits(value)
    except LimitError as error:
        raise LimitError(f"{where}: {name}: {error.what}", error.accepted, error.next_step) from None


def _gate(name: str, value: Any, where: str) -> tuple[Expression, ...]:
    try:
        return parse_gate(value)
    except LimitError as error:
        raise LimitError(f"{where}: {name}: {error.what}", error.accepted, error.next_step) from None


_CHECKS: Mapping[str, Callable[[str, Any, str], Any]] = {
    "rounds": _whole(1),
    "warmup": _whole(0),
    "options": _options,
    "persona": _text,
    "think": _think,
    "prefix": _one_of("unique", "reuse"),
    "start": _one_of("warm", "cold"),
    "timeout": _seconds,
    "idle_timeout": _seconds,
    "max_failed_rounds": _whole(0),
    "limits": _limits,
    "gate": _gate,
    "keep_alive": _keep_alive,
    "truncate": _flag,
    "prompt_tokens": _whole(1),
    "output_tokens": _whole(1),
    "expect": lambda _, value, where: parse_expect(value, where),
    "sweep": lambda _, value, where: parse_sweep(value, where),
}
