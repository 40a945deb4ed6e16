"""Ollama's options, formats and templates as llama.cpp takes them, and prompts cut as Ollama cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.engine.backend import AnswerRequest, ApiError, Message
from pytest_chimera.engine.prompts import cut, surely_fits
from pytest_chimera.engine.sampling import closed, completion_fields, format_fields, predict_limit
from pytest_chimera.engine.templates import conversation, go_json, render_request_template, template_question


@pytest.mark.parametrize(("asked", "limit"), [(-1, 640), (-2, 640), (0, 640), (5, 5), (640, 640), (10_000, 640)])
def test_an_answer_ends_at_ten_contexts(asked: int, limit: int) -> None:
    """Without a limit, and above it, num_predict is 10 x num_ctx, as recorded (640 at num_ctx 64)."""
    assert predict_limit(asked, 64) == limit


def test_every_sampling_option_is_sent() -> None:
    """Defaults are Ollama's, because llama.cpp's are others; a request's own win; unknown ones do not pass."""
    fields = completion_fields({"temperature": 0, "stop": ("a", "b"), "num_predict": 7, "num_ctx": 99}, 512)
    assert fields == {
        "seed": -1,
        "temperature": 0,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.0,
        "typical_p": 1.0,
        "repeat_last_n": 64,
        "repeat_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "n_predict": 7,
        "n_keep": 4,
        "stop": ["a", "b"],
    }


def test_a_schema_is_closed() -> None:
    """Objects at every depth take their own properties only, unless they say or combine otherwise."""
    item = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
    combined = {"anyOf": [item, {"type": "null"}], "properties": {}}
    opened = {"type": "object", "properties": {}, "additionalProperties": True}
    schema = {"$defs": {"x": item}, "properties": {"l": {"items": item}, "c": combined, "o": opened}}
    shut = {**item, "additionalProperties": False}
    assert closed(schema) == {
        "$defs": {"x": shut},
        "properties": {
            "l": {"items": shut},
            "c": {"anyOf": [shut, {"type": "null"}], "properties": {}},
            "o": opened,
        },
        "additionalProperties": False,
    }


def test_a_format_fixes_white_space_and_brings_the_models_bias() -> None:
    """JSON is held to no blanks, and the help that a small model needs goes along."""
    assert format_fields("json", [(37, 10.0)]) == {
        "json_schema": {"type": "object", "x-guidance": {"whitespace_flexible": False}},
        "logit_bias": [[37, 10.0]],
    }


def test_a_type_that_does_not_exist_is_refused() -> None:
    """llama.cpp would let anything through; the answer is a 400 that names the type."""
    with pytest.raises(ApiError) as refused:
        closed({"properties": {"a": {"type": "text"}}})
    assert refused.value.status == 400
    assert refused.value.message == (
        '{"error":{"code":400,"message":"JSON schema conversion failed:\\nUnrecognized schema type: text",'
        '"type":"invalid_request_error"}}'
    )


def test_the_recorded_prompts_are_cut_as_recorded() -> None:
    """2,010 tokens into num_ctx 512 leave 259, num_ctx 4 leaves 3: the first ones and the last."""
    tokens = list(range(2010))
    assert cut(tokens, num_ctx=512, num_keep=4, adds_begin=True) == [*range(5), *range(2010 - 254, 2010)]
    assert cut(tokens[:15], num_ctx=4, num_keep=4, adds_begin=True) == [0, 1, 2]


@given(st.integers(4, 600), st.integers(-1, 700), st.booleans(), st.integers(0, 900))
def test_what_is_left_fits_and_keeps_its_order(num_ctx: int, num_keep: int, adds_begin: bool, more: int) -> None:
    """Less than the context is left, in order, with the first tokens in front."""
    tokens = list(range(num_ctx + more))
    left = cut(tokens, num_ctx=num_ctx, num_keep=num_keep, adds_begin=adds_begin)
    assert 0 < len(left) < num_ctx
    assert left == sorted(set(left))
    kept = len(tokens) if num_keep < 0 else num_keep + adds_begin
    assert left[: min(kept, len(left))] == tokens[: min(kept, len(left))]


def test_a_prompt_is_counted_only_when_it_might_not_fit() -> None:
    """A byte is a token at most and a space three: below that no round trip is made."""
    assert surely_fits("ab cd", 9)
    assert not surely_fits("ab cd", 8)


def test_a_conversation_has_one_system_text() -> None:
    """A request's own system text wins over the model's; generate's prompt becomes a message."""
    user = Message(role="user", content="hi")
    chat = AnswerRequest(endpoint="chat", model="m:latest", asked_model="m", received_ns=0, messages=(user,))
    assert conversation(chat, "be kind") == (Message(role="system", content="be kind"), user)
    generate = AnswerRequest(
        endpoint="generate", model="m:latest", asked_model="m", received_ns=0, prompt="hi", system="mine"
    )
    assert conversation(generate, "be kind") == (Message(role="system", content="mine"), user)
    assert conversation(chat, "") == (user,)


def test_a_template_is_given_everything_a_message_has() -> None:
    """Thinking, tool calls and results, tools as Go's JSON, and whether to think."""
    call = {"function": {"name": "f", "arguments": {"a": "<&>"}}}
    messages = [
        Message(role="assistant", content="c", thinking="t", tool_calls=(call,)),
        Message(role="tool", content="1", tool_name="f", tool_call_id="call_1"),
    ]
    assert template_question(messages, tools=[{"a": "<&>"}], think="high") == {
        "messages": [
            {
                "role": "assistant",
                "content": "c",
                "reasoning_content": "t",
                "tool_calls": [{"type": "function", "id": "", "function": {"name": "f", "arguments": '{"a": "<&>"}'}}],
            },
            {"role": "tool", "content": "1", "name": "f", "tool_call_id": "call_1"},
        ],
        "chat_template_kwargs": {
            "enable_thinking": True,
            "reasoning_effort": "high",
            "tools_json": '[{"a":"\\u003c\\u0026\\u003e"}]',
        },
    }
    assert go_json({"é": 1}) == '{"é":1}'


def test_a_request_may_bring_a_simple_template() -> None:
    """System and prompt are filled in, `if` on them is understood, and anything more is a 400 that says so."""
    template = "{{ if .System }}S: {{ .System }}\n{{ end }}P: {{ .Prompt }}"
    assert render_request_template(template, system="", prompt="{{ .System }}") == "P: {{ .System }}"
    assert render_request_template(template, system="s", prompt="p") == "S: s\nP: p"
    with pytest.raises(ApiError) as refused:
        render_request_template("{{ range .Messages }}{{ end }}", system="", prompt="p")
    assert refused.value.status == 400
    assert refused.value.message == (
        "template error: the embedded engine knows {{ .System }}, {{ .Prompt }} and {{ if }} on them, "
        "and runs no other Go template; give the model a Jinja template instead"
    )
