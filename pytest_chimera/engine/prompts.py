"""Prompts made to fit: rendered by the child, counted in tokens, and cut or refused as Ollama 0.32 does.

Two cuts, in this order: the oldest messages of a chat go (system messages and the last one stay), then the middle of
what is left. Short prompts are not counted at all, because that would cost a round trip before the first token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.engine.backend import Message, prompt_too_long

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pytest_chimera.engine.child import Child

    Render = Callable[[Sequence[Message]], Awaitable[str]]


async def tokenize(child: Child, text: str, *, special: bool) -> list[int]:
    """Token ids of the text; `special` puts the begin-of-text token in front where the model wants it."""
    answer = await child.ask("/tokenize", {"content": text, "add_special": special})
    tokens: list[int] = answer["tokens"]
    return tokens


async def detokenize(child: Child, tokens: Sequence[int]) -> str:
    """The text of token ids."""
    answer = await child.ask("/detokenize", {"tokens": list(tokens)})
    text: str = answer["content"]
    return text


def surely_fits(text: str, num_ctx: int) -> bool:
    """Whether the text has fewer tokens than the context, whatever the vocabulary: no token is less than a byte.

    A space counts three, because a vocabulary without it takes the bytes of the sign that stands for it.
    """
    return len(text.encode()) + 2 * text.count(" ") + 1 < num_ctx


async def fit_messages(
    child: Child, messages: Sequence[Message], render: Render, *, num_ctx: int, truncate: bool
) -> str:
    """The prompt of as many of the last messages as fit, and of all system messages."""
    prompt = ""
    for start in range(len(messages)):
        kept = [message for message in messages[:start] if message.role == "system"]
        prompt = await render([*kept, *messages[start:]])
        if not truncate or surely_fits(prompt, num_ctx):
            break
        if len(await tokenize(child, prompt, special=True)) <= num_ctx:
            break
    return prompt


async def fit_prompt(
    child: Child, prompt: str, *, num_ctx: int, num_keep: int, adds_begin: bool, truncate: bool
) -> str | list[int]:
    """The prompt as it is, or the tokens that are left of it; 400 when it may not be cut."""
    if surely_fits(prompt, num_ctx):
        return prompt
    tokens = await tokenize(child, prompt, special=True)
    if len(tokens) < num_ctx:
        return prompt
    if not truncate:
        raise prompt_too_long(len(tokens), num_ctx)
    return cut(tokens, num_ctx=num_ctx, num_keep=num_keep, adds_begin=adds_begin)


def cut(tokens: list[int], *, num_ctx: int, num_keep: int, adds_begin: bool) -> list[int]:
    """The first `num_keep` tokens and the last of the rest, so that half of what is not kept is free to answer in."""
    keep = len(tokens) if num_keep < 0 else num_keep + int(adds_begin)
    keep = min(keep, num_ctx - 1)
    length = num_ctx - max((num_ctx - keep) // 2, 1)
    return tokens[:keep] + tokens[len(tokens) - (length - keep) :] if length > keep else tokens[:keep]
