"""A case as the body of a request: bytes for `/api/chat` or `/api/generate`, with a nonce at the very start if wanted.

The nonce stands before persona and system text, so that no prefix cache can serve any part of the prompt. Reading
answers is `wire.stream`'s; where and when the bytes go is the client's.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import MarkerError

if TYPE_CHECKING:
    from pytest_chimera.records import Case, Message

NONCE_DIGITS = 8
_NONCE = re.compile(rf"[0-9]{{{NONCE_DIGITS}}}")


def format_nonce(number: int) -> str:
    """A nonce of fixed length, "00000042": digits, because tokenizers cut them at fixed places whatever they are."""
    return f"{number % 10**NONCE_DIGITS:0{NONCE_DIGITS}d}"


def nonce_prefix(nonce: str) -> str:
    """What a nonce puts before the prompt: "[00000042] "."""
    if _NONCE.fullmatch(nonce) is None:
        raise ValueError(f"a nonce is {NONCE_DIGITS} digits, not {nonce!r}: its length in tokens must not vary")
    return f"[{nonce}] "


def request_path(case: Case) -> str:
    """The route of the case's endpoint."""
    return f"/api/{case.endpoint}"


def encode_request(case: Case, nonce: str | None = None) -> bytes:
    """The JSON body for the case, with `nonce` (8 digits) at the start of its first message or of system and prompt.

    Raises MarkerError when the case cannot be said through its endpoint.
    """
    prefix = "" if nonce is None else nonce_prefix(nonce)
    specific = _chat(case, prefix) if case.endpoint == "chat" else _generate(case, prefix)
    body: dict[str, Any] = {"model": case.model.name, **specific, "stream": True, "truncate": case.truncate}
    optional = {
        "options": dict(case.options) or None,
        "think": case.think,
        "format": case.format,
        "keep_alive": case.keep_alive,
    }
    body.update({name: value for name, value in optional.items() if value is not None})
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _chat(case: Case, prefix: str) -> dict[str, Any]:
    for name, given in (("suffix", case.suffix is not None), ("raw", case.raw)):
        if given:
            raise MarkerError(
                f"The case {case.name!r} gives {name!r} to the endpoint 'chat'.",
                "Accepted: 'suffix' and 'raw' with endpoint='generate' only.",
                "Add endpoint='generate', or leave it out.",
            )
    messages = [_message(each) for each in case.messages]
    if messages:
        messages[0]["content"] = prefix + messages[0]["content"]
    return {"messages": messages, **({"tools": list(case.tools)} if case.tools else {})}


def _message(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        plain["images"] = list(message.images)
    return plain


def _generate(case: Case, prefix: str) -> dict[str, Any]:
    system = "\n\n".join(each.content for each in case.messages if each.role == "system")
    prompts = [each for each in case.messages if each.role != "system"]
    _refuse_what_generate_lacks(case, system, prompts)
    prompt = prompts[0].content if prompts else ""
    body: dict[str, Any] = {"prompt": prompt if system else prefix + prompt}
    if system:
        body["system"] = prefix + system
    if case.suffix is not None:
        body["suffix"] = case.suffix
    if case.raw:
        body["raw"] = True
    if prompts and prompts[0].images:
        body["images"] = list(prompts[0].images)
    return body


def _refuse_what_generate_lacks(case: Case, system: str, prompts: list[Message]) -> None:
    wrong = (
        (len(prompts) > 1 or any(each.role != "user" for each in prompts), "a conversation", "one prompt, of the user"),
        (bool(case.tools), "tools", "tools with endpoint='chat' only"),
        (case.raw and bool(system), "a persona or system text with raw=True", "raw prompts that hold all text"),
    )
    for given, what, accepted in wrong:
        if given:
            raise MarkerError(
                f"The case {case.name!r} gives {what} to the endpoint 'generate'.",
                f"Accepted: {accepted}.",
                "Use endpoint='chat', or leave it out.",
            )
