"""Cases as bodies of requests."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.errors import MarkerError
from pytest_chimera.records import Case, Message, ModelInfo
from pytest_chimera.wire.request import encode_request, format_nonce, nonce_prefix, request_path

SYSTEM = Message(role="system", content="You are terse.")
USER = Message(role="user", content="Why?")
CHAT = Case(id="t", name="t", model=ModelInfo(name="m:latest"), messages=(SYSTEM, USER), options={"num_ctx": 512})
GENERATE = replace(CHAT, endpoint="generate")


def body(case: Case, nonce: str | None = None) -> Any:
    """The body as an object."""
    return json.loads(encode_request(case, nonce))


def test_a_chat() -> None:
    """A chat is streamed and must not be cut; what was not set is not sent."""
    assert request_path(CHAT) == "/api/chat"
    assert body(CHAT) == {
        "model": "m:latest",
        "messages": [{"role": "system", "content": "You are terse."}, {"role": "user", "content": "Why?"}],
        "stream": True,
        "truncate": False,
        "options": {"num_ctx": 512},
    }


def test_a_chat_with_everything() -> None:
    """Every field that a chat may have is sent under Ollama's name for it."""
    tool = {"type": "function", "function": {"name": "f"}}
    image = Message(role="user", content="What?", images=("aGVsbG8=",))
    case = replace(
        CHAT, messages=(image,), tools=(tool,), think=False, format={"type": "object"}, keep_alive=0, truncate=True,
        options={},
    )  # fmt: skip
    assert body(case) == {
        "model": "m:latest",
        "messages": [{"role": "user", "content": "What?", "images": ["aGVsbG8="]}],
        "tools": [tool],
        "stream": True,
        "truncate": True,
        "think": False,
        "format": {"type": "object"},
        "keep_alive": 0,
    }


def test_a_generate() -> None:
    """System text and prompt go to their own fields, images with the prompt."""
    assert request_path(GENERATE) == "/api/generate"
    assert body(replace(GENERATE, think="high", keep_alive="5m")) == {
        "model": "m:latest",
        "prompt": "Why?",
        "system": "You are terse.",
        "stream": True,
        "truncate": False,
        "options": {"num_ctx": 512},
        "think": "high",
        "keep_alive": "5m",
    }
    image = Message(role="user", content="def f(", images=("aGVsbG8=",))
    plain = replace(GENERATE, messages=(image,), suffix="return x", raw=True, options={})
    assert body(plain) == {
        "model": "m:latest",
        "prompt": "def f(",
        "suffix": "return x",
        "raw": True,
        "images": ["aGVsbG8="],
        "stream": True,
        "truncate": False,
    }


@given(st.integers(min_value=0), st.booleans())
def test_a_nonce_stands_before_everything(number: int, with_system: bool) -> None:
    """The nonce is the very start of what the model sees first, always of one length, and nowhere else."""
    nonce = format_nonce(number)
    assert len(nonce_prefix(nonce)) == len("[12345678] ")
    messages = (SYSTEM, USER) if with_system else (USER,)
    chat = body(replace(CHAT, messages=messages), nonce)["messages"]
    assert [each["content"] for each in chat] == [
        nonce_prefix(nonce) + messages[0].content,
        *(each.content for each in messages[1:]),
    ]
    generate = body(replace(GENERATE, messages=messages), nonce)
    first = "system" if with_system else "prompt"
    assert generate[first] == nonce_prefix(nonce) + messages[0].content
    assert json.dumps(generate).count(nonce) == 1


@pytest.mark.parametrize("nonce", ["", "1234567", "123456789", "[12345678] ", "abcdefgh"])
def test_a_nonce_has_one_form(nonce: str) -> None:
    """A nonce of another length would make prompts of different lengths."""
    with pytest.raises(ValueError, match="a nonce is 8 digits"):
        encode_request(CHAT, nonce)


def test_nothing_to_say_loads_the_model() -> None:
    """A case without messages is Ollama's way to load a model."""
    assert body(replace(CHAT, messages=(), options={})) == {
        "model": "m:latest", "messages": [], "stream": True, "truncate": False,
    }  # fmt: skip
    assert body(replace(GENERATE, messages=(), options={}), "12345678")["prompt"] == "[12345678] "


@given(st.text(max_size=20))
def test_any_text_arrives(text: str) -> None:
    """Text of any script reaches the server unchanged."""
    assert body(replace(CHAT, messages=(Message(role="user", content=text),)))["messages"][0]["content"] == text


ASSISTANT = Message(role="assistant", content="So.")
REFUSED: list[tuple[Case, str]] = [
    (replace(CHAT, suffix="x"), ("The case 't' gives 'suffix' to the endpoint 'chat'. Accepted: 'suffix' and 'raw' "
     "with endpoint='generate' only. Add endpoint='generate', or leave it out.")),
    (replace(CHAT, raw=True), ("The case 't' gives 'raw' to the endpoint 'chat'. Accepted: 'suffix' and 'raw' "
     "with endpoint='generate' only. Add endpoint='generate', or leave it out.")),
    (replace(GENERATE, messages=(USER, ASSISTANT, USER)), ("The case 't' gives a conversation to the endpoint "
     "'generate'. Accepted: one prompt, of the user. Use endpoint='chat', or leave it out.")),
    (replace(GENERATE, tools=({"type": "function"},)), ("The case 't' gives tools to the endpoint 'generate'. "
     "Accepted: tools with endpoint='chat' only. Use endpoint='chat', or leave it out.")),
    (replace(GENERATE, raw=True), ("The case 't' gives a persona or system text with raw=True to the endpoint "
     "'generate'. Accepted: raw prompts that hold all text. Use endpoint='chat', or leave it out.")),
]  # fmt: skip


@pytest.mark.parametrize(("case", "message"), REFUSED)
def test_what_an_endpoint_cannot_say(case: Case, message: str) -> None:
    """A case that its endpoint has no words for is refused before anything is sent."""
    with pytest.raises(MarkerError) as caught:
        encode_request(case)
    assert str(caught.value) == message
