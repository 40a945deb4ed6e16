"""Which model a text speaks of: tags as Ollama writes them, and what file names make of them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pytest_chimera.wire.names import parse_name

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)?[bm])(?![a-z0-9])")
_QUANTIZATION = re.compile(
    r"(?<![a-z0-9])(iq[1-8](?:_[a-z0-9]+)*|q[2-8](?:_(?:[01]|k(?:_[sml])?))?|mxfp4|bf16|fp?16|fp?32|int[48]|qat)(?![a-z0-9])"
)
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
    if not name or len(name) > 200 or " " in name:  # noqa: PLR2004  # Ollama's own names end before that
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
    words = [word for word in re.split(r"[^a-z0-9.-]+", stem.lower()) if word]
    text = f"_{'_'.join(words)}_"
    found = [tag for tag in known if _spelled(tag) and f"_{_spelled(tag)}_" in text]
    if found:
        return model_of(max(found, key=len))
    for index, word in enumerate(words):
        family = re.match(r"([a-z]+?)(\d+(?:\.\d+)*)?(?:-(\d.*))?$", word)
        if family is None or family[1] not in families:
            continue
        following = words[index + 1] if index + 1 < len(words) else ""
        tag = family[3] or (following if re.match(r"\d+(?:\.\d+)?[bm](?![a-z0-9])", following) else None)
        if family[2] is None and tag is None:
            continue
        name = f"{family[1]}{family[2] or ''}"
        if tag is None and any(other.partition(":")[0] == name for other in known) and f"{name}:latest" not in known:
            return None
        return model_of(f"{name}:{tag or 'latest'}")
    return None


def _spelled(tag: str) -> str:
    """A tag as file names spell it; nothing for one that says only `latest`."""
    name, _, version = tag.lower().rpartition("/")[2].partition(":")
    return "" if version in {"", "latest"} else f"{name}_{version}"


def known_models(models: Iterable[str | None]) -> frozenset[str]:
    """The different tags among `models`."""
    return frozenset(model for model in models if model is not None)
