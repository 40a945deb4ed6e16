"""Ollama's options and `format` as llama.cpp wants them: the fields of a `/completion`. Pure.

All sampling options are always sent, because llama.cpp's own defaults are others (min_p 0.05, top_p 0.95). What
changes how a model is loaded (num_ctx, num_thread, ...) is not here but in `engine.llama`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pytest_chimera.engine.backend import ApiError

DEFAULTS: Mapping[str, Any] = {
    "num_keep": 4,
    "seed": -1,
    "num_predict": -1,
    "temperature": 0.8,
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.0,
    "typical_p": 1.0,
    "repeat_last_n": 64,
    "repeat_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "stop": (),
}
"""What Ollama takes when neither the request nor the model says."""

_SAME_NAME = (
    "seed", "temperature", "top_k", "top_p", "min_p", "typical_p", "repeat_last_n", "repeat_penalty",
    "presence_penalty", "frequency_penalty",
)  # fmt: skip
_ONLY_IF_SET = ("mirostat", "mirostat_tau", "mirostat_eta")
_PREDICT_CONTEXTS = 10
_TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}
_CHILDREN = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_COMBINED = {"$ref", "anyOf", "oneOf", "allOf"}


def predict_limit(num_predict: int, num_ctx: int) -> int:
    """Tokens that may be generated: ten contexts at most, also when the request says without end (-1, -2, 0)."""
    limit = _PREDICT_CONTEXTS * num_ctx
    return limit if num_predict <= 0 else min(num_predict, limit)


def completion_fields(options: Mapping[str, Any], num_ctx: int) -> dict[str, Any]:
    """The sampling part of a `/completion` for the merged options of model and request."""
    merged = {**DEFAULTS, **options}
    fields = {name: merged[name] for name in _SAME_NAME}
    fields |= {name: merged[name] for name in _ONLY_IF_SET if name in merged}
    fields["n_predict"] = predict_limit(merged["num_predict"], num_ctx)
    fields["n_keep"] = merged["num_keep"]
    fields["stop"] = list(merged["stop"])
    return fields


def format_fields(
    wanted: Literal["json"] | Mapping[str, Any], bias: Sequence[tuple[int, float]] = ()
) -> dict[str, Any]:
    """The part of a `/completion` that holds the answer to JSON or to a schema; `bias` is the model's own help.

    White space is fixed: llama.cpp's grammar would let a model at temperature 0 emit blanks until its limit.
    """
    schema: dict[str, Any] = {"type": "object"} if wanted == "json" else closed(wanted)
    fields: dict[str, Any] = {"json_schema": {**schema, "x-guidance": {"whitespace_flexible": False}}}
    if bias:
        fields["logit_bias"] = [list(pair) for pair in bias]
    return fields


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with objects that take no properties but their own, as Ollama has it where nothing is said.

    Raises the 400 of a schema with a type that does not exist: llama.cpp would ignore it and let anything through.
    """
    found = schema.get("type", [])
    for name in found if isinstance(found, (list, tuple)) else [found]:
        if name not in _TYPES:
            raise ApiError(
                400,
                '{"error":{"code":400,"message":"JSON schema conversion failed:\\nUnrecognized schema type: '
                f'{name}","type":"invalid_request_error"}}}}',
                from_runner=True,
            )
    result = dict(schema)
    for key in _CHILDREN:
        if isinstance(result.get(key), Mapping):
            result[key] = closed(result[key])
    for key in _LISTS:
        if isinstance(result.get(key), (list, tuple)):
            result[key] = [closed(item) if isinstance(item, Mapping) else item for item in result[key]]
    for key in _MAPS:
        if isinstance(result.get(key), Mapping):
            children = result[key].items()
            result[key] = {name: closed(item) if isinstance(item, Mapping) else item for name, item in children}
    if "properties" in result and not _COMBINED & result.keys():
        result.setdefault("additionalProperties", False)
    return result
