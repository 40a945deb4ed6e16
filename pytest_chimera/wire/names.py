"""Model names in the one form that all spellings of a model share; what is installed is the client's to know."""

from __future__ import annotations

import re
from typing import NamedTuple

from pytest_chimera.errors import ModelError

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

# Ollama's own bounds (types/model/name.go): a first letter, digit or underscore, then what the part allows.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


class _Name(NamedTuple):
    host: str
    namespace: str
    model: str
    tag: str


def canonical_model(name: str) -> str:
    """The name with its tag and without the parts that Ollama would add: "gemma3" is "gemma3:latest".

    So is "registry.ollama.ai/library/gemma3"; "hf.co/user/model:Q4_K_M" stays. Raises ModelError for what is no name.
    """
    parsed = _parse(name)
    parts = (parsed.host, parsed.namespace, parsed.model, parsed.tag)
    patterns = (_HOST, _NAMESPACE, _PART, _PART)
    if not all(pattern.fullmatch(part) for pattern, part in zip(patterns, parts, strict=True)):
        raise ModelError(
            f"{name!r} is not a model name.",
            "Accepted: MODEL, MODEL:TAG, NAMESPACE/MODEL:TAG or HOST/NAMESPACE/MODEL:TAG, "
            "each of letters, digits, '_', '-' and '.'.",
            "'ollama list' shows the names of installed models.",
        )
    prefix = ""
    if parsed.host.lower() != DEFAULT_HOST:
        prefix = f"{parsed.host}/{parsed.namespace}/"
    elif parsed.namespace.lower() != DEFAULT_NAMESPACE:
        prefix = f"{parsed.namespace}/"
    return f"{prefix}{parsed.model}:{parsed.tag}"


def same_model(name: str, other: str) -> bool:
    """Whether two names mean one model; Ollama does not tell upper from lower case."""
    return canonical_model(name).lower() == canonical_model(other).lower()


def _parse(name: str) -> _Name:
    rest, tag = name.strip(), DEFAULT_TAG
    if rest.rfind(":") > rest.rfind("/"):
        rest, _, tag = rest.rpartition(":")
    rest, _, model = rest.rpartition("/")
    host, _, namespace = rest.rpartition("/")
    _, _, host = host.rpartition("://")  # a scheme says how a registry is reached, not which model is meant
    return _Name(host or DEFAULT_HOST, namespace or DEFAULT_NAMESPACE, model, tag)
