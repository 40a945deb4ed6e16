"""From what a test asks for to a `Case`: the question, checked, and the arguments merged with their defaults.

Nothing is sent here. How often and under which conditions a case is measured is described in `arguments.py`.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pytest_chimera.errors import MarkerError
from pytest_chimera.limits import check_resolvable
from pytest_chimera.records import Case, Message, ModelInfo
from pytest_chimera.suites.arguments import BUILT_IN, CALL, CaseArguments
from pytest_chimera.suites.expect import check_judgeable, merged
from pytest_chimera.wire.options import validate_options
from pytest_chimera.wire.request import encode_request

if TYPE_CHECKING:
    from pytest_chimera.suites.persona import Persona

DEFAULT_NUM_CTX = 4096
"""Sent when nobody says otherwise, because a server's own default depends on its memory."""

_ROLES = ("system", "user", "assistant", "tool")
_SPARE_TOKENS = 256
"""Room for nonce, persona and template beside a prompt of a fixed size."""


@runtime_checkable
class HasSchema(Protocol):
    """A class that can describe itself as a JSON schema, as those of pydantic do."""

    def model_json_schema(self) -> dict[str, Any]:
        """The schema."""


Image = bytes | str | Path
"""The bytes of an image, its path, or its base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one call asks of the model."""

    prompt: str | None = None
    messages: Sequence[Mapping[str, Any] | Message] | None = None
    system: str | None = None
    format: Any = None
    """"json", a JSON schema, or a class with `model_json_schema()`."""
    images: Sequence[Image] | None = None
    tools: Sequence[Mapping[str, Any]] | None = None
    suffix: str | None = None
    raw: bool = False
    endpoint: Literal["chat", "generate"] | None = None
    """None picks generate where only that can do it (raw, suffix), else chat."""


QUESTION_NAMES = tuple(each.name for each in dataclasses.fields(Question))
"""What a call takes beside the arguments of a case."""


def build_case(
    *,
    case_id: str,
    name: str,
    model: ModelInfo,
    question: Question,
    arguments: CaseArguments,
    persona: Persona | None = None,
    allowed_options: Sequence[str] = (),
) -> Case:
    """The case that `question` and `arguments` (already merged: call over marker over settings) describe.

    Raises MarkerError, OptionError or LimitError for what cannot be measured as written, and MissingExtraError for an
    expectation that cannot be judged here.
    """
    said = arguments.over(BUILT_IN)
    _check_types(question)
    given = validate_options({**(persona.options if persona else {}), **said.options}, allowed_options)
    case = Case(
        id=case_id,
        name=name,
        model=model,
        messages=_messages(question, persona, said),
        endpoint=_endpoint(question),
        suffix=question.suffix,
        raw=question.raw,
        options=_options(given, said, model),
        options_set=(*given, *(() if said.output_tokens is None else ("num_predict",))),
        think=said.think,
        format=_format(_asked_format(question, persona)),
        tools=tuple(dict(tool) for tool in question.tools or ()),
        **_held_to(persona, said),
        **_measuring(said),
    )
    check_judgeable(case.expect, CALL)
    encode_request(case)  # refuses here, and not in the first round, what an endpoint cannot say
    for limit in said.limits:
        check_resolvable(limit, case.rounds)
    return case


def with_prompt(case: Case, text: str) -> Case:
    """The same case with `text` as its last message."""
    last = dataclasses.replace(case.messages[-1], content=text)
    return dataclasses.replace(case, messages=(*case.messages[:-1], last))


def _check_types(question: Question) -> None:
    """Refuse what is not of its declared type, because a test is seldom type-checked."""
    texts = {"system": question.system, "suffix": question.suffix}
    lists = {"messages": question.messages, "images": question.images, "tools": question.tools}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise _wrong(name, value, "a text")
    for name, items in lists.items():
        if items is not None and not isinstance(items, (list, tuple)):
            raise _wrong(name, items, "a list")
    if not isinstance(question.raw, bool):
        raise _wrong("raw", question.raw, "True or False")
    for tool in question.tools or ():
        if not isinstance(tool, Mapping):
            raise _wrong("tools", tool, "mappings as Ollama's API describes tools")


def _wrong(name: str, value: object, accepted: str) -> MarkerError:
    return MarkerError(f"{CALL} has {name}={value!r}.", f"Accepted: {accepted}.", f"Correct {name}.")


def _held_to(persona: Persona | None, said: CaseArguments) -> dict[str, Any]:
    """Who speaks, and what must hold: limits, gate, the persona's expectations and those of the case over them."""
    return {
        "persona": persona.name if persona else None,
        "persona_hash": persona.hash if persona else None,
        "expect": merged(said.expect, persona.expected if persona else {}),
        "limits": tuple(str(limit) for limit in said.limits),
        "gate": None if said.gate is None else tuple(str(each) for each in said.gate),
    }


def _asked_format(question: Question, persona: Persona | None) -> Any:
    """The format that the question asks for, else the one that its persona is bound to."""
    return question.format if question.format is not None or persona is None else persona.bounds.get("format")


def _measuring(said: CaseArguments) -> dict[str, Any]:
    cold = said.start == "cold"
    return {
        "prefix": said.prefix,
        "start": said.start,
        "rounds": said.rounds,
        "warmup": 0 if cold else said.warmup,  # each cold round begins with an empty memory anyway
        "timeout_s": said.timeout,
        "idle_timeout_s": said.idle_timeout,
        "max_failed_rounds": said.max_failed_rounds,
        "truncate": said.truncate,
        "keep_alive": said.keep_alive,
        "prompt_tokens": said.prompt_tokens,
        "output_tokens": said.output_tokens,
    }


def _options(given: dict[str, Any], said: CaseArguments, model: ModelInfo) -> dict[str, Any]:
    """The options as sent: num_ctx always, num_predict for a fixed answer size, and what a person set over both."""
    options: dict[str, Any] = {"num_ctx": _num_ctx(said, model)}
    if said.output_tokens is not None:
        if "num_predict" in given:
            raise MarkerError(
                f"{CALL} has both output_tokens={said.output_tokens} and num_predict={given['num_predict']}.",
                "Accepted: one of them.",
                "Leave num_predict out: output_tokens sets it.",
            )
        options["num_predict"] = said.output_tokens
    return {**options, **given}


def _num_ctx(said: CaseArguments, model: ModelInfo) -> int:
    """Our default, wider where fixed sizes need it, and never beyond what the model was trained for."""
    fixed = (said.prompt_tokens or 0) + (said.output_tokens or 0)
    wanted = max(DEFAULT_NUM_CTX, fixed + _SPARE_TOKENS if fixed else 0)
    return min(wanted, model.context_length) if model.context_length else wanted


def _endpoint(question: Question) -> Literal["chat", "generate"]:
    if question.endpoint not in {None, "chat", "generate"}:
        raise MarkerError(
            f"{CALL} has endpoint={question.endpoint!r}.", "Accepted: 'chat' or 'generate'.", "Leave it out for 'chat'."
        )
    if question.endpoint is not None:
        return question.endpoint
    return "generate" if question.raw or question.suffix is not None else "chat"


def _messages(question: Question, persona: Persona | None, said: CaseArguments) -> tuple[Message, ...]:
    system = _system(question, persona)
    images = tuple(_image(image) for image in question.images or ())
    if question.messages is not None:
        if question.prompt is not None or images or said.prompt_tokens is not None:
            raise MarkerError(
                f"{CALL} has messages and, beside them, a prompt, images or prompt_tokens.",
                "Accepted: messages that hold everything, or a prompt.",
                "Put the prompt and its images into the last message.",
            )
        asked = tuple(_message(each) for each in question.messages)
    elif said.prompt_tokens is not None:
        _refuse_prompt_and_size(question, said.prompt_tokens)
        asked = (Message(role="user", content="", images=images),)
    else:
        asked = (Message(role="user", content=_prompt(question.prompt), images=images),)
    if not asked:
        raise MarkerError(f"{CALL} has no message.", "Accepted: one or more.", "Give a prompt or messages.")
    return (*system, *asked)


def _refuse_prompt_and_size(question: Question, size: int) -> None:
    if question.prompt is not None:
        raise MarkerError(
            f"{CALL} has a prompt and prompt_tokens={size}.",
            "Accepted: a prompt, or the size of one that is made for it.",
            "Leave one of them out.",
        )


def _prompt(prompt: object) -> str:
    if isinstance(prompt, str) and prompt:
        return prompt
    raise MarkerError(
        f"{CALL} has prompt={prompt!r}.",
        "Accepted: a text that is not empty (an empty one only loads the model), messages, or prompt_tokens.",
        "Write it as in chimera('Why is the sky blue?').",
    )


def _system(question: Question, persona: Persona | None) -> tuple[Message, ...]:
    """Persona first, then the call's own system text, as one message."""
    texts = [text for text in (persona.system if persona else None, question.system) if text]
    return (Message(role="system", content="\n\n".join(texts)),) if texts else ()


def _message(message: object) -> Message:
    if isinstance(message, Message):
        return message
    if isinstance(message, Mapping):
        unknown = set(message) - {"role", "content", "images"}
        role, content = message.get("role"), message.get("content")
        if not unknown and role in _ROLES and isinstance(content, str):
            return Message(role=role, content=content, images=tuple(_image(each) for each in message.get("images", ())))
    raise MarkerError(
        f"{CALL} has the message {message!r}.",
        f"Accepted: a mapping of role ({', '.join(_ROLES)}), content (a text) and, if wanted, images.",
        "Write it as in {'role': 'user', 'content': 'Hello'}.",
    )


def _image(image: object) -> str:
    if isinstance(image, bytes):
        return base64.b64encode(image).decode()
    if isinstance(image, Path):
        return _read_image(image)
    if isinstance(image, str):
        try:
            base64.b64decode(image, validate=True)
        except (binascii.Error, ValueError):
            return _read_image(Path(image))
        return image
    raise MarkerError(f"{CALL} has an image of type {type(image).__name__}.", "Accepted: bytes, a path, or base64.", "")


def _read_image(path: Path) -> str:
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise MarkerError(
            f"{CALL} has an image that cannot be read: {str(path)[:80]!r} ({reason}).",
            "Accepted: bytes, a path, or base64.",
            "Correct the path; it counts from where pytest was started.",
        ) from None


def _format(value: object) -> str | Mapping[str, Any] | None:
    if value is None or value == "json":
        return None if value is None else "json"
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, type) and isinstance(value, HasSchema):
        schema: dict[str, Any] = value.model_json_schema()
        return schema
    raise MarkerError(
        f"{CALL} has format={value!r}.",
        "Accepted: 'json', a JSON schema as a mapping, or a class with model_json_schema() such as a pydantic model.",
        "",
    )
