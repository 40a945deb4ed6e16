"""From a question to a case: messages, options, sizes, and what is refused."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from pytest_chimera.errors import MarkerError
from pytest_chimera.records import Case, Message
from pytest_chimera.suites.arguments import CaseArguments
from pytest_chimera.suites.cases import Question, build_case
from pytest_chimera.suites.persona import Persona

PNG = b"\x89PNG\r\n"


class Sky:
    """A class that describes itself, as those of pydantic do."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        """A schema."""
        return {"type": "object", "properties": {"colour": {"type": "string"}}}


@pytest.fixture
def build(house: Any) -> Any:
    """Build a case of a question and arguments."""

    def make(question: Question, persona: Persona | None = None, model: Any = None, **arguments: Any) -> Case:
        return build_case(
            case_id="t", name="t", model=model or house.model, question=question, persona=persona,
            arguments=CaseArguments.parse(arguments),
        )  # fmt: skip

    return make


def refused(build: Any, question: Question, **arguments: Any) -> str:
    """The whole text of the MarkerError."""
    with pytest.raises(MarkerError) as caught:
        build(question, **arguments)
    return str(caught.value)


def test_a_plain_prompt_takes_every_default(build: Any) -> None:
    """One user message, num_ctx as our default and not as set, 10 rounds and 1 warm-up, thinking as the server will."""
    case = build(Question(prompt="Why?"))
    assert case.messages == (Message(role="user", content="Why?"),)
    assert (case.endpoint, case.rounds, case.warmup, case.think, case.timeout_s) == ("chat", 10, 1, None, 300.0)
    assert (case.options, case.options_set, case.truncate) == ({"num_ctx": 4096}, (), False)


def test_the_default_window_stays_within_what_the_model_was_trained_for(build: Any, house: Any) -> None:
    """A model of 2048 tokens gets 2048, one that does not say gets our default, and what a person sets is sent."""
    small, silent = replace(house.model, context_length=2048), replace(house.model, context_length=None)
    assert build(Question(prompt="Why?"), model=small).options == {"num_ctx": 2048}
    assert build(Question(prompt="Why?"), model=silent).options == {"num_ctx": 4096}
    case = build(Question(prompt="Why?"), model=small, options={"num_ctx": 9999})
    assert (case.options, case.options_set) == ({"num_ctx": 9999}, ("num_ctx",))


def test_persona_and_system_text_are_one_system_message(build: Any) -> None:
    """The persona stands first, its options below those of the call."""
    persona = Persona(name="X", system="You are X.", options={"temperature": 0.5, "seed": 1})
    case = build(Question(prompt="Why?", system="Be brief."), persona, options={"seed": 2})
    assert case.messages[0] == Message(role="system", content="You are X.\n\nBe brief.")
    assert (case.persona, case.options) == ("X", {"num_ctx": 4096, "temperature": 0.5, "seed": 2})


def test_a_cold_start_has_no_warm_up(build: Any) -> None:
    """Each cold round begins with an empty memory, whatever the settings say of warm-up."""
    assert build(Question(prompt="Why?"), start="cold", warmup=3).warmup == 0


@pytest.mark.parametrize(
    ("question", "endpoint"),
    [
        (Question(prompt="a"), "chat"),
        (Question(prompt="a", raw=True), "generate"),
        (Question(prompt="a", suffix="b"), "generate"),
        (Question(prompt="a", endpoint="generate"), "generate"),
    ],
)
def test_the_endpoint_follows_from_the_question(build: Any, question: Question, endpoint: str) -> None:
    """Chat, except where only generate can do it."""
    assert build(question).endpoint == endpoint


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("json", "json"),
        ({"type": "object"}, {"type": "object"}),
        (Sky, {"type": "object", "properties": {"colour": {"type": "string"}}}),
    ],
)
def test_a_format_is_json_a_schema_or_a_class(build: Any, given: Any, kept: Any) -> None:
    """A class with model_json_schema() gives its schema."""
    assert build(Question(prompt="a", format=given)).format == kept


def test_images_are_bytes_paths_or_base64(build: Any, tmp_path: Any) -> None:
    """All three arrive as base64 without a prefix."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    encoded = base64.b64encode(PNG).decode()
    case = build(Question(prompt="a", images=[PNG, path, str(path), encoded]))
    assert case.messages[0].images == (encoded,) * 4


def test_a_conversation_is_kept_in_its_order(build: Any) -> None:
    """Messages may be mappings or Message values."""
    case = build(Question(messages=[{"role": "user", "content": "a"}, Message(role="assistant", content="b"),
                                    {"role": "user", "content": "c", "images": [PNG]}]))  # fmt: skip
    assert [each.content for each in case.messages] == ["a", "b", "c"]
    assert case.messages[2].images == (base64.b64encode(PNG).decode(),)


def test_fixed_sizes_set_the_window_and_the_length_of_the_answer(build: Any, house: Any) -> None:
    """The prompt is left to the runner; num_predict is what was asked for; num_ctx has room for both."""
    case = build(Question(), prompt_tokens=5000, output_tokens=128)
    assert case.messages == (Message(role="user", content=""),)
    assert case.options == {"num_ctx": 5384, "num_predict": 128}
    assert case.options_set == ("num_predict",)
    assert (case.prompt_tokens, case.output_tokens) == (5000, 128)


@pytest.mark.parametrize(
    ("question", "arguments", "message"),
    [
        (
            Question(),
            {},
            (
                "chimera(...) has prompt=None. Accepted: a text that is not empty (an empty one only loads the model), "
                "messages, or prompt_tokens. Write it as in chimera('Why is the sky blue?')."
            ),
        ),
        (
            Question(prompt="a", messages=[]),
            {},
            (
                "chimera(...) has messages and, beside them, a prompt, images or prompt_tokens. Accepted: messages "
                "that "
                "hold everything, or a prompt. Put the prompt and its images into the last message."
            ),
        ),
        (
            Question(messages=[]),
            {},
            "chimera(...) has no message. Accepted: one or more. Give a prompt or messages.",
        ),
        (
            Question(messages=[{"role": "sky", "content": "a"}]),
            {},
            (
                "chimera(...) has the message {'role': 'sky', 'content': 'a'}. Accepted: a mapping of role (system, "
                "user, "
                "assistant, tool), content (a text) and, if wanted, images. Write it as in {'role': 'user', 'content': "
                "'Hello'}."
            ),
        ),
        (
            Question(prompt="a", format="yaml"),
            {},
            (
                "chimera(...) has format='yaml'. Accepted: 'json', a JSON schema as a mapping, or a class with "
                "model_json_schema() such as a pydantic model."
            ),
        ),
        (
            Question(prompt="a", images=["/nowhere/a.png"]),
            {},
            (
                "chimera(...) has an image that cannot be read: '/nowhere/a.png' (No such file or directory). "
                "Accepted: bytes, a path, or base64. Correct the path; it counts from where pytest was started."
            ),
        ),
        (
            Question(prompt="a", images=[3]),  # type: ignore[list-item]  # what a person may write
            {},
            "chimera(...) has an image of type int. Accepted: bytes, a path, or base64.",
        ),
        (
            Question(prompt="a", images="a.png"),
            {},
            "chimera(...) has images='a.png'. Accepted: a list. Correct images.",
        ),
        (
            Question(prompt="a", system=3),  # type: ignore[arg-type]  # what a person may write
            {},
            "chimera(...) has system=3. Accepted: a text. Correct system.",
        ),
        (
            Question(prompt="a", tools=["clock"]),  # type: ignore[list-item]  # what a person may write
            {},
            "chimera(...) has tools='clock'. Accepted: mappings as Ollama's API describes tools. Correct tools.",
        ),
        (
            Question(prompt="a", raw="yes"),  # type: ignore[arg-type]  # what a person may write
            {},
            "chimera(...) has raw='yes'. Accepted: True or False. Correct raw.",
        ),
        (
            Question(prompt="a"),
            {"prompt_tokens": 5},
            (
                "chimera(...) has a prompt and prompt_tokens=5. Accepted: a prompt, or the size of one that is made "
                "for "
                "it. Leave one of them out."
            ),
        ),
        (
            Question(prompt="a"),
            {"output_tokens": 5, "options": {"num_predict": 6}},
            (
                "chimera(...) has both output_tokens=5 and num_predict=6. Accepted: one of them. "
                "Leave num_predict out: output_tokens sets it."
            ),
        ),
        (
            Question(prompt="a", endpoint="embed"),  # type: ignore[arg-type]  # what a person may write
            {},
            "chimera(...) has endpoint='embed'. Accepted: 'chat' or 'generate'. Leave it out for 'chat'.",
        ),
        (
            Question(prompt="a", raw=True, endpoint="chat"),
            {},
            (
                "The case 't' gives 'raw' to the endpoint 'chat'. Accepted: 'suffix' and 'raw' with "
                "endpoint='generate' "
                "only. Add endpoint='generate', or leave it out."
            ),
        ),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    build: Any, question: Question, arguments: dict[str, Any], message: str
) -> None:
    """The text says what came in, what is accepted and what to do."""
    assert refused(build, question, **arguments) == message
