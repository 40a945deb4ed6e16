"""Which model a text speaks of: tags as Ollama writes them, and what file names make of them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pytest_chimera.corpus.quantities import is_nothing
from pytest_chimera.wire.names import parse_name

_SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)?[bm])(?![a-z0-9])")
_QUANTIZATION = re.compile(
    r"(?<![a-z0-9])(iq[1-8](?:_[a-z0-9]+)*|q[2-8](?:_(?:[01]|k(?:_[sml])?))?|mxfp4|bf16|fp?16|fp?32|int[48]|qat)(?![a-z0-9])"
)
_FAMILY = re.compile(r"([a-z]+?)(\d+(?:\.\d+)*)?(?:-(\d+(?:\.\d+)?[bm](?![a-z0-9]).*)|-.*)?")
_STARTS_WITH_SIZE = re.compile(r"\d+(?:\.\d+)?[bm](?![a-z0-9])")
_CUT_QUANTIZATION = re.compile(r"(?:^|-)i?q[2-8]$")
_JOINTS = re.compile(r"[^a-z0-9.]+")
_WORDS = re.compile(r"[a-z0-9.-]+")
_TAGGED = re.compile(r"[A-Za-z0-9_][\w./-]*:[A-Za-z0-9_][\w.-]*")


class Model(NamedTuple):
    """A model as a measurement names it."""

    tag: str
    """Canonical: "gemma3:latest"."""
    quantization: str | None
    """In upper case as in tags: "Q4_0"; None when the tag does not say."""
    size: str | None
    """Parameters: "8B"; None when the tag does not say."""


@lru_cache(maxsize=4096)
def read_model(text: str) -> Model | None:
    """The model that a cell names, or None when it cannot be the name of one."""
    name = text.strip().strip("`*\"' ")
    if is_nothing(name) or name.replace(".", "").isdigit() or len(name) > 200 or " " in name:  # noqa: PLR2004  # Ollama's own names end before that
        return None
    if name.lower().endswith(".gguf"):
        name = re.split(r"[\\/]", name)[-1][:-5]
    parsed = parse_name(name.rpartition("://")[2])
    return None if parsed is None else model_of(parsed.short)


@lru_cache(maxsize=4096)
def model_of(tag: str) -> Model:
    """A canonical tag with what it says of size and quantization."""
    low = tag.lower()
    size, quantization = _SIZE.search(low), _QUANTIZATION.search(low)
    return Model(
        tag,
        None if quantization is None else quantization[1].upper(),
        None if size is None else size[1].upper(),
    )


def is_tagged(text: str) -> bool:
    """Whether a text is a model with its tag and nothing else."""
    return _TAGGED.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def model_in_name(stem: str, families: tuple[str, ...], known: frozenset[str] = frozenset()) -> Model | None:
    """The model that the name of a file or folder speaks of: "gemma3_270m_sweep" -> gemma3:270m.

    `known` are tags that the corpus names elsewhere: they are found in any spelling. Else a family, with the size (and
    what hangs on it by "-") that follows it; without a size it is `latest`. A bare family without a version
    ("llama_results") says too little.
    """
    low = stem.lower()
    text = f"_{_JOINTS.sub('_', low)}_"
    found = [tag for tag in known if (spelled := _spelled(tag)) and f"_{spelled}_" in text]
    if found:
        return model_of(max(found, key=len))
    words = _WORDS.findall(low)
    for index, word in enumerate(words):
        family = _FAMILY.fullmatch(word)
        if family is None or family[1] not in families:
            continue
        following = words[index + 1] if index + 1 < len(words) else ""
        tag = family[3]
        if tag is None and _STARTS_WITH_SIZE.match(following):
            tag, index = following, index + 1  # noqa: PLW2901  # what follows belongs to the name
        if tag is not None:
            tag = _with_quantization(tag, words[index + 1 :])
        name = f"{family[1]}{family[2] or ''}"
        if family[2] is None and tag is None:
            continue
        if tag is None and any(other.partition(":")[0] == name for other in known) and f"{name}:latest" not in known:
            return None
        return model_of(f"{name}:{tag or 'latest'}")
    return None


def _with_quantization(tag: str, following: list[str]) -> str:
    """A tag whose quantization was cut at its "_": "8b-q4" and "k", "m" are "8b-q4_k_m"."""
    if _CUT_QUANTIZATION.search(tag) is None:
        return tag
    if following[:1] and following[0] in {"0", "1"}:
        return f"{tag}_{following[0]}"
    if following[:1] == ["k"]:
        return f"{tag}_k_{following[1]}" if following[1:2] and following[1] in {"s", "m", "l"} else f"{tag}_k"
    return tag


def _spelled(tag: str) -> str:
    """A tag as file names spell it, joined by "_"; nothing for one that says only `latest`."""
    name, _, version = tag.lower().rpartition("/")[2].partition(":")
    return "" if version in {"", "latest"} else _JOINTS.sub("_", f"{name}_{version}")
