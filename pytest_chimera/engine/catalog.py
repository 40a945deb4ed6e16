"""Model cards as the bodies of `/api/tags`, `/api/show`, `/api/ps` and `/v1/models`, in Ollama's key order.

Pure: what is installed and loaded is the backend's to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.wire.encode import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_chimera.engine.backend import ModelCard, RunningModel

_GO_FOREVER_NS = 2**63 - 1
"""Go's longest duration, 292 years: when Ollama says a model without end expires."""


def tags_body(cards: Iterable[ModelCard]) -> dict[str, Any]:
    """The installed models, newest first."""
    return {"models": [_tag(card) for card in _newest_first(cards)]}


def show_body(card: ModelCard) -> dict[str, Any]:
    """Everything known of one model."""
    body: dict[str, Any] = {"modelfile": card.modelfile}
    if card.parameters:
        body["parameters"] = card.parameters
    body["template"] = card.template
    body["details"] = _details(card)
    body["model_info"] = dict(card.model_info)
    if card.tensors:
        body["tensors"] = [dict(tensor) for tensor in card.tensors]
    body["capabilities"] = list(card.capabilities)
    body["modified_at"] = format_time(card.modified_at_ns)
    return body


def ps_body(running: Iterable[RunningModel], now_ns: int) -> dict[str, Any]:
    """The loaded models; `now_ns` is the wall clock, from which "for ever" is counted."""
    return {"models": [_running(model, now_ns) for model in running]}


def openai_models_body(cards: Iterable[ModelCard]) -> dict[str, Any]:
    """The installed models as OpenAI lists them."""
    data = [
        {"id": card.name, "object": "model", "created": card.modified_at_ns // 1_000_000_000, "owned_by": "library"}
        for card in _newest_first(cards)
    ]
    return {"object": "list", "data": data}


def _newest_first(cards: Iterable[ModelCard]) -> list[ModelCard]:
    return sorted(cards, key=lambda card: card.modified_at_ns, reverse=True)


def _tag(card: ModelCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "model": card.name,
        "modified_at": format_time(card.modified_at_ns),
        "size": card.size_bytes,
        "digest": card.digest,
        "details": {
            **_details(card),
            "context_length": card.context_length,
            "embedding_length": card.embedding_length,
        },
        "capabilities": list(card.capabilities),
    }


def _details(card: ModelCard) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": card.format,
        "family": card.family,
        "families": [card.family],
        "parameter_size": card.parameter_size,
        "quantization_level": card.quantization,
    }


def _running(model: RunningModel, now_ns: int) -> dict[str, Any]:
    expires_ns = model.expires_at_ns if model.expires_at_ns is not None else now_ns + _GO_FOREVER_NS
    return {
        "name": model.card.name,
        "model": model.card.name,
        "size": model.size_bytes,
        "digest": model.card.digest,
        "details": _details(model.card),
        "expires_at": format_time(expires_ns),
        "size_vram": model.size_vram_bytes,
        "context_length": model.context_length,
    }
