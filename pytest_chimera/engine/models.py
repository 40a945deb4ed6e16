"""The models that the engine has installed: what a person names, what the file says of itself, the card of the two.

Reads headers and digests, loads nothing. A `ModelSpec` is what an Ollama Modelfile is: a file, a template, parameters.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine import tiny
from pytest_chimera.engine.backend import ModelCard
from pytest_chimera.engine.gguf import GgufHeader, read_header
from pytest_chimera.engine.templates import PLAIN_TEMPLATE
from pytest_chimera.errors import ModelError
from pytest_chimera.wire.names import parse_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_NUM_CTX = 4096
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]+")
_BLOCK_BYTES = 1 << 20
_THINKING_SIGNS = ("<think>", "enable_thinking", "reasoning_content")
_HIDDEN_KEYS = ("general.name", "tokenizer.chat_template")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A model to install."""

    name: str
    """Without a tag it is `:latest`."""
    path: Path
    template: str | None = None
    """Jinja, as llama.cpp runs it; None takes the one in the file, or a plain one where it has none."""
    system: str = ""
    """Put before the conversation when a request brings no system text."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Ollama's options that hold unless the request says otherwise (a Modelfile's PARAMETER lines)."""
    capabilities: tuple[str, ...] | None = None
    """Beside `completion`: thinking, tools. None: thinking where the template knows it, tools never."""
    format_bias: Sequence[tuple[int, float]] = ()
    """Token and what is added to its logit with `format`, for models too small to close a JSON string themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A model with all that is known of it."""

    spec: ModelSpec
    card: ModelCard
    template: str
    """The Jinja template that is used."""

    def num_ctx(self, asked: int | None) -> int:
        """The context to load with: what was asked, at least 4, at most what the model was trained for."""
        wanted = self.spec.options.get("num_ctx", DEFAULT_NUM_CTX) if asked is None else asked
        trained = self.card.context_length
        return min(max(wanted, 4), trained) if trained else max(wanted, 4)


def model_spec(named: str) -> ModelSpec:
    """The model that a person named: `tiny`, or the path of a GGUF file, which goes by the name of the file."""
    if named.removesuffix(":latest") == tiny.NAME:
        return tiny_spec()
    path = Path(named).expanduser()
    return ModelSpec(name=_NOT_IN_NAMES.sub("-", path.stem.lower()).strip("-") or "model", path=path)


def tiny_spec() -> ModelSpec:
    """The model that ships with the package."""
    return ModelSpec(name=tiny.NAME, path=tiny.PATH, options=tiny.OPTIONS, format_bias=tiny.FORMAT_BIAS)


def install(spec: ModelSpec) -> Installed:
    """Read header and digest of the model; ModelError when the file is missing or no GGUF. Takes 0.5 s for each GB."""
    header = read_header(spec.path)
    template = spec.template
    if template is None:
        template = header.metadata.get("tokenizer.chat_template") or PLAIN_TEMPLATE
    return Installed(spec=spec, card=_card(spec, header, template), template=template)


def _card(spec: ModelSpec, header: GgufHeader, template: str) -> ModelCard:
    stat = spec.path.stat()
    count = header.parameter_count
    info = {"general.parameter_count": count, "general.quantization_version": 2, **header.metadata}
    name = short_name(spec.name)
    return ModelCard(
        name=name,
        digest=_sha256(spec.path),
        size_bytes=stat.st_size,
        modified_at_ns=stat.st_mtime_ns,
        family=header.architecture,
        parameter_size=human_number(count),
        quantization=header.quantization,
        context_length=header.of_architecture("context_length"),
        embedding_length=header.of_architecture("embedding_length"),
        capabilities=("completion", *_capabilities(spec, template)),
        template=template,
        parameters="\n".join(f"{key:<30} {_parameter(value)}" for key, value in _parameter_lines(spec)),
        modelfile=_modelfile(spec, name, template),
        model_info={key: info[key] for key in sorted(info) if key not in _HIDDEN_KEYS},
        tensors=[{"name": tensor.name, "type": tensor.type, "shape": list(tensor.shape)} for tensor in header.tensors],
    )


def short_name(name: str) -> str:
    """The name with its tag, as models are listed: `tiny:latest`; ModelError when it cannot be a model's name."""
    parsed = parse_name(name)
    if parsed is None:
        raise ModelError(
            f"{name!r} cannot be the name of a model.",
            "A name is letters, digits, `_`, `-` and `.`, with a tag after a colon if one is wanted.",
            "Choose another name.",
        )
    return parsed.short


def _capabilities(spec: ModelSpec, template: str) -> tuple[str, ...]:
    if spec.capabilities is not None:
        return spec.capabilities
    return ("thinking",) if any(sign in template for sign in _THINKING_SIGNS) else ()


def _parameter_lines(spec: ModelSpec) -> list[tuple[str, Any]]:
    lines = []
    for key, value in spec.options.items():
        lines += [(key, each) for each in value] if isinstance(value, (list, tuple)) else [(key, value)]
    return lines


def _parameter(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _modelfile(spec: ModelSpec, name: str, template: str) -> str:
    lines = [
        "# What an Ollama Modelfile would say; the template is Jinja, as llama.cpp runs it, and no Go template.",
        f"# FROM {name}",
        "",
        f"FROM {spec.path}",
        f'TEMPLATE """{template}"""',
        *(f"PARAMETER {key} {value}" for key, value in _parameter_lines(spec)),
    ]
    return "\n".join(lines) + "\n"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def human_number(count: int) -> str:
    """A count of parameters as Ollama writes it: `677K`, `268.10M`, `4.3B`."""
    for size, letter, digits in ((10**9, "B", 1), (10**6, "M", 2), (10**3, "K", 0)):
        if count >= size:
            return f"{count / size:.{0 if count % size == 0 else digits}f}{letter}"
    return str(count)
