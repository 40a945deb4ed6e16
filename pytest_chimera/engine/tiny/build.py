"""Makes `tiny.gguf`, the language model that ships with the package, from `prose.txt`.

Run as `python -m pytest_chimera.engine.tiny.build [OUT]`. Needs only Python, draws no random number and solves no
equation, so the file is the same, byte for byte, wherever it is made. It is a llama of one layer whose attention and
feed-forward weights are zero. What is left is a table of successors: the embedding of a token is one-hot (all bytes
share one place), and the output matrix holds, for each, the logarithm of how often each word follows it in the prose.
llama.cpp runs it like any other model. What it says is grammatical more often than it is sensible, and never depends
on more than the last token of the prompt.
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine.gguf_write import (
    BYTE_TOKEN,
    CONTROL_TOKEN,
    NORMAL_TOKEN,
    UNKNOWN_TOKEN,
    Weights,
    f32,
    gguf_file,
    q8_0_matrix,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WIDTH = 96
"""Length of an embedding: one place for each word of the prose and one for everything else; a multiple of 32."""
HEAD = 32
CONTEXT_LENGTH = 32768
PEAK = 12.0
"""Logit of a certain successor; what never follows has 0, so a stray token comes about once in 500."""
END_SHARE = 0.5
"""How often a sentence is the last."""
LEAD = 1.15
"""How far the follower on the way out is ahead of the next likely one: more than Q8_0 can round away."""
UNKNOWN, BEGIN, END = 0, 1, 2
FIRST_BYTE = 3
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\\n' }}{% endif %}"
)
SPACE = "\u2581"
"""The space, as llama.cpp writes it in a vocabulary."""
STOP = "." + SPACE
"""A full stop that another sentence follows. The last one belongs to the last word: a token of a full stop alone would
be what a prompt ends with, and then the model would have nothing to say."""


def words_of(prose: str) -> list[list[str]]:
    """The paragraphs of the prose as tokens: a word inside a sentence carries the space before it."""
    paragraphs = []
    for paragraph in prose.strip().split("\n\n"):
        tokens = []
        for sentence in re.findall(r"[^.]+\.", paragraph):
            first, *rest = re.findall(r"[A-Za-z]+|,", sentence)
            tokens += [first, *(word if word == "," else SPACE + word for word in rest), STOP]
        paragraphs.append(tokens)
    return paragraphs


def successors(paragraphs: Iterable[list[str]]) -> dict[str, Counter[str]]:
    """How often each token follows each other; `""` stands for the prompt."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for tokens in paragraphs:
        before = ""
        for token in tokens:
            # A sentence begins after a prompt as it begins after another sentence.
            for key in ["", STOP] if before in ("", STOP) else [before]:
                table[key][token] += 1
            before = token
    return table


def chances(table: Mapping[str, Counter[str]]) -> dict[str, dict[str, float]]:
    """How likely each token follows each other, with the last words of a text (`" water."`) as tokens of their own."""
    last = {word: END_SHARE * counts[STOP] / counts.total() for word, counts in table.items()}
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for before, counts in table.items():
        # That this word was not the last one is known here.
        left = counts.total() * (1 - last[before])
        for token, count in counts.items():
            if token == STOP:
                found[before][token] = count * (1 - END_SHARE) / left
                continue
            found[before][token] = count * (1 - last[token]) / left
            if last[token]:
                found[before][token + "."] = count * last[token] / left
    return found


def way_out(found: Mapping[str, Mapping[str, float]], sentence: list[str]) -> dict[str, str]:
    """For each token the one that is to follow it at temperature 0, so that every way comes to an end.

    From the prompt it is the sentence, in which no word comes twice; from elsewhere the shortest way.
    """
    ahead = dict(zip(["", *sentence], [*sentence[:-2], sentence[-2] + "."], strict=False))
    steps = {token: 0 for followers in found.values() for token in followers if token.endswith(".")}
    while missing := [token for token in found if token not in steps]:
        known = dict(steps)
        for token in missing:
            near = [known[other] for other in found[token] if other in known]
            if near:
                steps[token] = min(near) + 1
    return {
        token: ahead.get(token) or min(followers, key=lambda other: (steps[other], -followers[other], other))
        for token, followers in found.items()
    }


def lead(found: dict[str, dict[str, float]], ahead: Mapping[str, str]) -> None:
    """Put each token's follower on the way out ahead of the others, by what rounding cannot take away."""
    for token, follower in ahead.items():
        followers = found[token]
        others = [chance for other, chance in followers.items() if other != follower]
        followers[follower] = max(followers[follower], LEAD * max(others, default=0.0))
        whole = sum(followers.values())
        found[token] = {other: chance / whole for other, chance in followers.items()}


def tensors(vocabulary: list[str], table: Mapping[str, Mapping[str, float]]) -> dict[str, Weights]:
    """The weights by name."""
    places = {word: index + 1 for index, word in enumerate(sorted(word for word in table if word))}
    if len(places) + 2 > WIDTH:
        raise ValueError(f"{len(places)} words do not fit into {WIDTH - 2} places")
    place_of = {token: places.get(token, WIDTH - 1 if token.endswith(".") else 0) for token in vocabulary}
    embedding = [[1.0 if column == place_of[token] else 0.0 for column in range(WIDTH)] for token in vocabulary]
    output = [[0.0] * WIDTH for _ in vocabulary]
    ids = {token: index for index, token in enumerate(vocabulary)}
    # The norm before the output makes every embedding sqrt(WIDTH) long.
    for before, followers in table.items():
        for token, chance in followers.items():
            output[ids[token]][places.get(before, 0)] = (PEAK + math.log(chance)) / math.sqrt(WIDTH)
    output[END][WIDTH - 1] = PEAK / math.sqrt(WIDTH)

    def zeros(columns: int, rows: int) -> Weights:
        return q8_0_matrix([[0.0] * columns] * rows)

    ones = f32([1.0] * WIDTH)
    layer = {f"attn_{part}": zeros(WIDTH, HEAD) for part in "qkv"}
    layer |= {"attn_output": zeros(HEAD, WIDTH), "ffn_gate": zeros(WIDTH, HEAD), "ffn_up": zeros(WIDTH, HEAD)}
    layer |= {"ffn_down": zeros(HEAD, WIDTH), "attn_norm": ones, "ffn_norm": ones}
    outer = {"token_embd": q8_0_matrix(embedding), "output": q8_0_matrix(output), "output_norm": ones}
    return {f"{name}.weight": found for name, found in outer.items()} | {
        f"blk.0.{name}.weight": found for name, found in layer.items()
    }


def metadata(vocabulary: list[str]) -> dict[str, Any]:
    """The keys of the file."""
    words = len(vocabulary) - FIRST_BYTE - 256
    return {
        "general.architecture": "llama",
        "general.name": "tiny",
        "general.file_type": 7,
        "general.quantization_version": 2,
        "general.license": "MIT",
        "llama.context_length": CONTEXT_LENGTH,
        "llama.embedding_length": WIDTH,
        "llama.block_count": 1,
        "llama.feed_forward_length": HEAD,
        "llama.attention.head_count": 1,
        "llama.attention.head_count_kv": 1,
        "llama.attention.key_length": HEAD,
        "llama.attention.value_length": HEAD,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": HEAD,
        "llama.vocab_size": len(vocabulary),
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": vocabulary,
        # Words score far below bytes: a prompt is taken byte by byte, an answer is made of words.
        "tokenizer.ggml.scores": [0.0] * (FIRST_BYTE + 256) + [-1e6] * words,
        "tokenizer.ggml.token_type": [UNKNOWN_TOKEN, CONTROL_TOKEN, CONTROL_TOKEN]
        + [BYTE_TOKEN] * 256
        + [NORMAL_TOKEN] * words,
        "tokenizer.ggml.bos_token_id": BEGIN,
        "tokenizer.ggml.eos_token_id": END,
        "tokenizer.ggml.unknown_token_id": UNKNOWN,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": CHAT_TEMPLATE,
    }


def build(prose: str) -> bytes:
    """The whole file."""
    paragraphs = words_of(prose)
    table = chances(successors(paragraphs))
    lead(table, way_out(table, paragraphs[0]))
    words = sorted({token for followers in table.values() for token in followers})
    vocabulary = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words, SPACE]
    return gguf_file(metadata(vocabulary), tensors(vocabulary, table))


def main() -> None:
    """Write the file named on the command line, or the one beside this script."""
    here = Path(__file__).parent
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "tiny.gguf"
    out.write_bytes(build((here / "prose.txt").read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
