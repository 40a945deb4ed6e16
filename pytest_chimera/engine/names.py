"""Model names as Ollama reads them: `[host/][namespace/]model[:tag]`, with its defaults and its rules.

What to answer when a name is wrong is said in engine.requests; which models exist is the backend's affair.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_MODEL_OR_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_DEFAULT_HOST = "registry.ollama.ai"
_DEFAULT_NAMESPACE = "library"


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
        if self.host != _DEFAULT_HOST:
            return self.full
        if self.namespace != _DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"

    @property
    def full(self) -> str:
        """With everything: `registry.ollama.ai/library/gemma3:latest`; how some errors name it."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"


def parse_name(text: str) -> ModelName | None:
    """The parts of `text`, or None when it cannot be a model name."""
    path, tag = text, "latest"
    head, colon, tail = text.rpartition(":")
    if colon and "/" not in tail:  # a colon before a slash belongs to the host's port
        path, tag = head, tail
    parts = path.split("/")
    if len(parts) > 3:  # noqa: PLR2004  # host, namespace, model
        return None
    defaults = [_DEFAULT_HOST, _DEFAULT_NAMESPACE]
    host, namespace, model = defaults[: 3 - len(parts)] + parts
    valid = (
        _HOST.fullmatch(host)
        and _NAMESPACE.fullmatch(namespace)
        and _MODEL_OR_TAG.fullmatch(model)
        and _MODEL_OR_TAG.fullmatch(tag)
    )
    return ModelName(host, namespace, model, tag) if valid else None
