"""Models that say exactly what a script says, by true inference, written with nothing but Python.

The token embeddings are one-hot and the layers' weights zero, so the last token alone chooses the next: the output
matrix holds the table of successors. Every token outside the script leads to its first one (or to the end of text), the
last one to the end of text or to the token that is named. Prompts are tokenised byte by byte.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine.gguf_write import (
    BYTE_TOKEN,
    CONTROL_TOKEN,
    NORMAL_TOKEN,
    UNKNOWN_TOKEN,
    UNUSED_TOKEN,
    Weights,
    f32,
    f32_matrix,
    f32_zeros,
    gguf_file,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN, BEGIN, END = 0, 1, 2
FIRST_WORD = 3 + 256
HEAD = 64
CERTAIN = 4.0


def puppet(
    script: Sequence[str], *, first: str = "", last: str | None = None, name: str = "puppet", feed_forward: int = 64
) -> bytes:
    """The GGUF file of a model that says `script`, whose tokens differ from each other.

    first: "end" answers every prompt with nothing. last: the token that follows the last one, for ever. feed_forward:
    width of a layer of zeros; 64 decodes thousands of tokens per second, more makes it slower.
    """
    vocabulary = _vocabulary(script)
    size = len(vocabulary)
    ids = {text: FIRST_WORD + index for index, text in enumerate(script)}
    successor = [END if first == "end" else ids[script[0]]] * size
    for before, after in pairwise(script):
        successor[ids[before]] = ids[after]
    successor[ids[script[-1]]] = END if last is None else ids[last]
    metadata = _metadata(vocabulary, name=name, words=len(script), feed_forward=feed_forward)
    return gguf_file(metadata, _weights(successor, feed_forward))


def _vocabulary(script: Sequence[str]) -> list[str]:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += [text.replace(" ", "\u2581") for text in script]
    return tokens + [f"<pad{len(tokens) + index}>" for index in range(-len(tokens) % HEAD)]


def _metadata(vocabulary: list[str], *, name: str, words: int, feed_forward: int) -> dict[str, Any]:
    size = len(vocabulary)
    padding = size - FIRST_WORD - words
    types = [UNKNOWN_TOKEN, CONTROL_TOKEN, CONTROL_TOKEN] + [BYTE_TOKEN] * 256
    return {
        "general.architecture": "llama",
        "general.name": name,
        "llama.context_length": 4096,
        "llama.embedding_length": size,
        "llama.block_count": 1,
        "llama.feed_forward_length": feed_forward,
        "llama.attention.head_count": size // HEAD,
        "llama.attention.head_count_kv": size // HEAD,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": HEAD,
        "llama.vocab_size": size,
        "general.file_type": 0,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": vocabulary,
        "tokenizer.ggml.scores": [0.0] * FIRST_WORD + [-1e6] * words + [-1e9] * padding,
        "tokenizer.ggml.token_type": types + [NORMAL_TOKEN] * words + [UNUSED_TOKEN] * padding,
        "tokenizer.ggml.bos_token_id": BEGIN,
        "tokenizer.ggml.eos_token_id": END,
        "tokenizer.ggml.unknown_token_id": UNKNOWN,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False,
    }


def _weights(successor: list[int], feed_forward: int) -> dict[str, Weights]:
    size = len(successor)
    output = [[0.0] * size for _ in range(size)]
    for before, after in enumerate(successor):
        output[after][before] = CERTAIN
    identity = [[1.0 if row == column else 0.0 for column in range(size)] for row in range(size)]
    return {
        "token_embd.weight": f32_matrix(identity),
        "output.weight": f32_matrix(output),
        "output_norm.weight": f32([1.0] * size),
        "blk.0.attn_norm.weight": f32([1.0] * size),
        "blk.0.ffn_norm.weight": f32([1.0] * size),
        **{f"blk.0.attn_{part}.weight": f32_zeros(size, size) for part in ("q", "k", "v", "output")},
        "blk.0.ffn_gate.weight": f32_zeros(size, feed_forward),
        "blk.0.ffn_up.weight": f32_zeros(size, feed_forward),
        "blk.0.ffn_down.weight": f32_zeros(feed_forward, size),
    }
