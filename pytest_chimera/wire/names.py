"""Model names as Ollama reads them: `[host/][namespace/]model[:tag]`, with its defaults, its rules and its short form.

What is installed is the server's to know, and what to answer when a name is wrong is said where one is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_chimera.errors import ModelError

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

# Ollama's own bounds (types/model/name.go): a first letter, digit or underscore, then what the part allows.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_MODEL_OR_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_MOST_PARTS = 3


@dataclass(frozen=True, slots=True)
class ModelName:
    """A valid model name in its parts, defaults filled in."""

    host: str
    namespace: str
    model: str
    tag: str

    @property
    def short(self) -> str:
        """Without default host and namespace, with the tag: `gemma3:latest`; how models are listed."""
        if self.host.lower() != DEFAULT_HOST:
            return self.full
        if self.namespace.lower() != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"

    @property
    def full(self) -> str:
        """With every part; how some errors name it."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"


def parse_name(text: str) -> ModelName | None:
    """The parts of `text`, or None when it cannot be a model name."""
    path, tag = text, DEFAULT_TAG
    if path.rfind(":") > path.rfind("/"):  # a colon before a slash belongs to the host's port
        path, _, tag = path.rpartition(":")
    parts = path.split("/")
    if len(parts) > _MOST_PARTS:
        return None
    host, namespace, model = [DEFAULT_HOST, DEFAULT_NAMESPACE][: _MOST_PARTS - len(parts)] + parts
    valid = (
        _HOST.fullmatch(host)
        and _NAMESPACE.fullmatch(namespace)
        and _MODEL_OR_TAG.fullmatch(model)
        and _MODEL_OR_TAG.fullmatch(tag)
    )
    return ModelName(host, namespace, model, tag) if valid else None


def canonical_model(name: str) -> str:
    """The one form that all spellings of a model share: "gemma3" is "gemma3:latest".

    So it is with Ollama's own host and namespace before it; "hf.co/user/model:Q4_K_M" stays. Raises ModelError for
    what is no name.
    """
    # A scheme says how a registry is reached, not which model is meant.
    parsed = parse_name(name.strip().rpartition("://")[2])
    if parsed is None:
        raise ModelError(
            f"{name!r} is not a model name.",
            "Accepted: MODEL, MODEL:TAG, NAMESPACE/MODEL:TAG or HOST/NAMESPACE/MODEL:TAG, "
            "each of letters, digits, '_', '-' and '.'.",
            "'ollama list' shows the names of installed models.",
        )
    return parsed.short


def same_model(name: str, other: str) -> bool:
    """Whether two names mean one model; Ollama does not tell upper from lower case."""
    return canonical_model(name).lower() == canonical_model(other).lower()
