"""What a model is asked, as the messages and questions from which llama.cpp's Jinja engine makes the prompt. Pure.

Templates are Jinja; of Ollama's Go templates only what a request may carry in one line (`{{ .System }} {{ .Prompt }}`)
is understood. Running a template is the child's work, cutting what does not fit is `engine.prompts`'.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine.backend import AnswerRequest, ApiError, Message, Think

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message.content }}"
    "{{ '\\n\\n' if message.role == 'system' else '\\n' }}{% endfor %}"
)
"""For a model without a template: the texts, one after the other."""

_CONDITIONAL = re.compile(r"\{\{-?\s*if\s+\.(System|Prompt)\s*-?\}\}(.*?)\{\{-?\s*end\s*-?\}\}", re.DOTALL)
_VARIABLE = re.compile(r"\{\{-?\s*\.(System|Prompt)\s*-?\}\}")


def conversation(request: AnswerRequest, system: str) -> tuple[Message, ...]:
    """The messages that the template is given; `system` is the model's own, used when the request brings none."""
    if request.endpoint == "generate":
        asked: tuple[Message, ...] = (Message(role="user", content=request.prompt),)
        system = request.system or system
    else:
        asked = request.messages
        system = "" if any(message.role == "system" for message in asked) else system
    return (Message(role="system", content=system), *asked) if system else asked


def template_question(
    messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = (), think: Think | None = None
) -> dict[str, Any]:
    """The body of an `/apply-template`.

    Tools go in as text in `tools_json`, so that llama.cpp adds no instructions of its own.
    """
    kwargs: dict[str, Any] = {}
    if think is not None:
        kwargs["enable_thinking"] = think is not False
        if isinstance(think, str):
            kwargs["reasoning_effort"] = think
    if tools:
        kwargs["tools_json"] = go_json(tools)
    return {"messages": [_message(message) for message in messages], "chat_template_kwargs": kwargs}


def _message(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {"role": message.role or "user", "content": message.content}
    if message.thinking:
        found["reasoning_content"] = message.thinking
    if message.tool_name:
        found["name"] = message.tool_name
    if message.tool_call_id:
        found["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        found["tool_calls"] = [_tool_call(call) for call in message.tool_calls]
    return found


def _tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function", {})
    return {
        "type": "function",
        "id": str(call.get("id", "")),
        "function": {"name": function.get("name", ""), "arguments": json.dumps(function.get("arguments", {}))},
    }


def go_json(value: Any) -> str:
    """JSON as Go writes it into a template: no blanks, and `<`, `>`, `&` as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def render_request_template(template: str, *, system: str, prompt: str) -> str:
    """The prompt from a template that a request brought: `.System`, `.Prompt` and `if` on one of them, no more."""
    values = {"System": system, "Prompt": prompt}
    text = _CONDITIONAL.sub(lambda found: found[2] if values[found[1]] else "", template)
    if "{{" in _VARIABLE.sub("", text):
        raise ApiError(
            400,
            "template error: the embedded engine knows {{ .System }}, {{ .Prompt }} and {{ if }} on them, "
            "and runs no other Go template; give the model a Jinja template instead",
        )
    return _VARIABLE.sub(lambda found: values[found[1]], text)
