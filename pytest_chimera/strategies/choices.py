"""Strategies for model options: values to choose among, ranges, or what people usually try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pytest_chimera.errors import MarkerError, OptionError
from pytest_chimera.wire.options import OPTIONS, validate_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_USUAL: Mapping[str, Callable[[], SearchStrategy[Any]]] = {
    "num_ctx": lambda: st.sampled_from([512, 1024, 2048, 4096, 8192]),
    "num_batch": lambda: st.sampled_from([64, 128, 256, 512]),
    "num_gpu": lambda: st.sampled_from([0, 8, 16, 32, 99]),
    "num_thread": lambda: st.integers(1, 16),
    "use_mmap": st.booleans,
    "num_predict": lambda: st.integers(1, 256),
    "seed": lambda: st.integers(0, 2**31 - 1),
    "temperature": lambda: _real(0.0, 2.0),
    "top_k": lambda: st.integers(1, 100),
    "top_p": lambda: _real(0.05, 1.0),
    "min_p": lambda: _real(0.0, 0.5),
    "typical_p": lambda: _real(0.05, 1.0),
    "repeat_last_n": lambda: st.integers(0, 256),
    "repeat_penalty": lambda: _real(0.8, 1.5),
    "presence_penalty": lambda: _real(-2.0, 2.0),
    "frequency_penalty": lambda: _real(-2.0, 2.0),
}
"""What is drawn for an option of which only the name is given. Those that load the model anew have few values."""
_PAIR = 2


def options(*names: str, **values: Any) -> SearchStrategy[dict[str, Any]]:
    """Model options, for `chimera_probe(options=...)`, as in `options("temperature", num_ctx=[512, 4096], seed=7)`.

    A value is a list to choose from (it shrinks towards the first), a pair `(low, high)` of numbers that stands for
    everything between, a strategy, or a single value. Of `names` usual values are drawn. An option that a server takes
    up only when it loads (num_ctx, num_batch, num_gpu, ...) costs a load, a request that is not counted as a
    measurement, wherever it differs from the example before.

    Raises OptionError for a name that Ollama does not know or a value of the wrong type, and MarkerError.
    """
    for name in (*names, *values):
        if not isinstance(name, str) or name not in OPTIONS:
            validate_options({str(name): None})  # refuses it with the nearest name
    twice = next((name for name in names if name in values or names.count(name) > 1), None)
    if twice is not None:
        raise MarkerError(f"options(...) names {twice!r} twice.", "Accepted: each option once.", "Leave one out.")
    if not names and not values:
        raise MarkerError(
            "options() names no option.", f"Known options: {', '.join(sorted(OPTIONS))}.", "Name one or more."
        )
    drawn = {name: _usual(name) for name in names} | {name: _strategy(name, value) for name, value in values.items()}
    return st.fixed_dictionaries(drawn)


def _usual(name: str) -> SearchStrategy[Any]:
    if name not in _USUAL:
        raise MarkerError(
            f"options(...) has {name!r} without values, and it has no usual ones.",
            f"Accepted by name alone: {', '.join(_USUAL)}.",
            f"Write it as in {name}=[...].",
        )
    return _USUAL[name]()


def _strategy(name: str, value: Any) -> SearchStrategy[Any]:
    if isinstance(value, SearchStrategy):
        return value.map(lambda each: _checked(name, each))
    if isinstance(value, tuple) and len(value) == _PAIR and all(map(_is_number, value)):
        return _range(name, *value)
    if OPTIONS[name] is list and all(isinstance(each, str) for each in value):  # one value that is a list
        return st.just(_checked(name, value))
    if isinstance(value, (list, tuple)):
        if not value:
            raise MarkerError(f"options(...) has {name}={value!r}.", "Accepted: one value or more.", f"Correct {name}.")
        return st.sampled_from([_checked(name, each) for each in value])
    return st.just(_checked(name, value))


def _range(name: str, low: Any, high: Any) -> SearchStrategy[Any]:
    low, high = _checked(name, low), _checked(name, high)
    if low > high:
        raise MarkerError(
            f"options(...) has {name}=({low}, {high}).", "Accepted: a pair (low, high).", "Exchange the two."
        )
    return _real(low, high) if OPTIONS[name] is float else st.integers(low, high)


def _real(low: float, high: float) -> SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _checked(name: str, value: Any) -> Any:
    try:
        return validate_options({name: value})[name]
    except OptionError as error:
        raise OptionError(f"options(...): {error.what}", error.accepted, error.next_step) from None
