"""What a scripted engine says: plain frozen values, and their dict form for JSON and YAML.

Nothing is answered here; the backend that plays a script is engine.scripted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from pytest_chimera.errors import UserError
from pytest_chimera.wire.names import parse_name

_WORD = re.compile(r"\s*\S+|\s+")
_CAPABILITIES = ("completion", "tools", "thinking", "insert", "vision", "embedding")
_REPORTED = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_cached_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedAnswer:
    """One answer: chunks at moments, what is reported of them, and how it fails, if it does.

    Chunks go out in the order thinking, tokens, tool calls (one chunk each); moments count from the end of loading and
    waiting, on an absolute schedule.
    """

    tokens: tuple[str, ...] = ()
    """The visible text, a chunk each."""
    repeat: int = 1
    """How often `tokens` are said; a long answer in few words."""
    thinking: tuple[str, ...] = ()
    """Left out when the request says `think: false`."""
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    """`{"name": ..., "arguments": {...}}` each."""
    ttft_s: float = 0.0
    """Moment of the first chunk."""
    ttft_per_word_s: float = 0.0
    """Added to it for each word of the prompt (that the prompt cache does not hold)."""
    interval_s: float = 0.0
    """Between two chunks."""
    at_s: tuple[float, ...] = ()
    """The moment of each chunk instead of the three above; chunks beyond it follow at `interval_s`."""
    jitter_s: float = 0.0
    """Each chunk is up to this much late, never out of order."""
    seed: int = 0
    """Of the jitter."""
    done_reason: str = "stop"
    """`num_predict` below the number of chunks cuts the answer and makes it `length`."""
    report: Mapping[str, int | None] = field(default_factory=dict)
    """Fields of the final chunk by their wire names (durations in ns) instead of the true ones; None leaves one out."""
    error: str = ""
    """An error text: instead of the answer, or after `error_after` chunks as a last line."""
    error_status: int = 500
    """HTTP status of an error before the first chunk."""
    error_after: int | None = None
    """How many chunks come before the error; None makes it an HTTP error."""
    cut_after: int | None = None
    """The stream ends after so many chunks, without a final one."""
    cut_abrupt: bool = False
    """With `cut_after`: the connection is closed in the middle of the HTTP answer, as when a server dies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedModel:
    """An installed model and its answers."""

    answers: tuple[ScriptedAnswer, ...]
    """Given in turn, by order of arrival."""
    after_last: Literal["first", "last"] = "first"
    """What follows the last answer: the first again, or the last for ever."""
    load_s: float = 0.0
    """Of a cold start: not loaded, expired, unloaded, or loaded with another num_ctx."""
    warm_load_s: float = 0.0
    """What load_duration is when nothing is loaded."""
    slots: int = 1
    """Answers at once; more requests wait, as with OLLAMA_NUM_PARALLEL."""
    prompt_cache: bool = False
    """Whether words shared with the start of the last prompt are reported as cached and cost no time."""
    context_length: int = 4096
    """What it was "trained" for: num_ctx is cut down to it. One word is one token."""
    capabilities: tuple[str, ...] = ("completion",)
    """Of: completion, tools, thinking, insert, vision, embedding."""
    family: str = "scripted"
    parameter_size: str = "1K"
    quantization: str = "F16"
    size_bytes: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Models by name; a name without tag is `:latest`."""

    models: Mapping[str, ScriptedModel]

    def as_dict(self) -> dict[str, Any]:
        """The form for JSON and YAML; `read_script` takes it back."""
        return {"models": {name: _without_defaults(model) for name, model in self.models.items()}}


def split_words(text: str) -> tuple[str, ...]:
    """Text as a model would stream it, a word with the space before it at a time."""
    return tuple(_WORD.findall(text))


def read_script(value: Any) -> Script:
    """A script from its dict form; `tokens` and `thinking` may be one text, which is split into words.

    Raises UserError with the place, what is accepted there and what came.
    """
    top = _mapping(value, "script", ("models",))
    models = top.get("models")
    if not isinstance(models, Mapping) or not models:
        raise _wrong("script.models", models, "a mapping of at least one model name to its answers")
    read = {}
    for name, model in models.items():
        parsed = parse_name(str(name))
        if parsed is None:
            raise _wrong("script.models", name, "model names such as 'storyteller' or 'storyteller:7b'")
        read[parsed.short] = _read_model(model, f"script.models.{name}")
    return Script(models=read)


def _read_model(value: Any, place: str) -> ScriptedModel:
    known = {item.name: item.type for item in fields(ScriptedModel)}
    given = dict(_mapping(value, place, tuple(known)))
    answers = given.pop("answers", None)
    if not isinstance(answers, Sequence) or isinstance(answers, str) or not answers:
        raise _wrong(f"{place}.answers", answers, "a list of at least one answer")
    checked = {name: _value(item, known[name], f"{place}.{name}") for name, item in given.items()}
    model = ScriptedModel(
        answers=tuple(_read_answer(answer, f"{place}.answers[{index}]") for index, answer in enumerate(answers)),
        **checked,
    )
    if model.slots < 1:
        raise _wrong(f"{place}.slots", model.slots, "a whole number from 1")
    if model.after_last not in {"first", "last"}:
        raise _wrong(f"{place}.after_last", model.after_last, "'first' or 'last'")
    unknown = [name for name in model.capabilities if name not in _CAPABILITIES]
    if unknown:
        raise _wrong(f"{place}.capabilities", unknown[0], ", ".join(_CAPABILITIES))
    return model


def _read_answer(value: Any, place: str) -> ScriptedAnswer:
    known = {item.name: item.type for item in fields(ScriptedAnswer)}
    given = dict(_mapping(value, place, tuple(known)))
    for name in ("tokens", "thinking"):
        if isinstance(given.get(name), str):
            given[name] = split_words(given[name])
    answer = ScriptedAnswer(**{name: _value(item, known[name], f"{place}.{name}") for name, item in given.items()})
    unknown = [name for name in answer.report if name not in _REPORTED]
    if unknown:
        raise _wrong(f"{place}.report", unknown[0], ", ".join(_REPORTED))
    return answer


def _value(value: Any, annotation: Any, place: str) -> Any:
    """`value` as a field annotated so takes it; annotations are strings here."""
    kind = str(annotation)
    if kind.startswith("tuple["):
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise _wrong(place, value, "a list")
        item_kind = kind.removeprefix("tuple[").removesuffix(", ...]")
        return tuple(_value(item, item_kind, place) for item in value)
    if kind.startswith("Mapping"):
        if not isinstance(value, Mapping):
            raise _wrong(place, value, "a mapping")
        return dict(value)
    if value is None and kind.endswith("| None"):
        return None
    return _scalar(value, kind.removesuffix(" | None"), place)


def _scalar(value: Any, kind: str, place: str) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "float" and is_number and value >= 0:
        return float(value)
    if kind == "int" and is_number and isinstance(value, int):
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind not in {"float", "int", "bool"} and isinstance(value, str):
        return value
    accepted = {"float": "a number of seconds from 0", "int": "a whole number", "bool": "true or false"}
    raise _wrong(place, value, accepted.get(kind, "a text"))


def _mapping(value: Any, place: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(place, value, f"a mapping with the keys {', '.join(known)}")
    for name in value:
        if name not in known:
            raise UserError(f"{place}: unknown key {name!r}.", f"Known keys: {', '.join(known)}.", "")
    return value


def _wrong(place: str, value: Any, accepted: str) -> UserError:
    return UserError(f"{place}: {value!r} is not usable.", f"Accepted: {accepted}.", "")


def _without_defaults(value: Any) -> dict[str, Any]:
    """The fields that differ from their defaults, tuples as lists, so that a script stays readable."""
    blank = type(value)() if isinstance(value, ScriptedAnswer) else ScriptedModel(answers=())
    shown: dict[str, Any] = {}
    for item in fields(value):
        current = getattr(value, item.name)
        if item.name == "answers":
            shown["answers"] = [_without_defaults(answer) for answer in current]
        elif current != getattr(blank, item.name):
            shown[item.name] = list(current) if isinstance(current, tuple) else current
    return shown
