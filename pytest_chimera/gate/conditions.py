"""What a case was and on what it was measured: whether two runs of it may be compared, and where they differ.

What defines the case (prompt, options, prefix, think, ...) must agree; what one wants to compare (model digest, Ollama
version, driver, host, ...) may differ and is named. What is unknown on one side is not taken for a difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pytest_chimera.units import format_bytes, format_value

OPTION = "option "
"""Begins the name of an option of the model."""

_OPTIONS = "names of options"
_NOT_SET = "not set"
_DIGEST_DIGITS = 12
_LOOPBACK = ("localhost", "::1")
_HARDWARE = ("cpu", "cpu_count", "architecture")
_GPU = "gpu"
_MEMORY_STEP = 2**30
"""Machines of one kind differ by some MiB in the memory that their kernels leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Name for people -> value as text; what is unknown is absent."""

    defining: Mapping[str, str] = field(default_factory=dict)
    """What makes it this case."""
    model: Mapping[str, str] = field(default_factory=dict)
    """Which model, and how it was loaded."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Which server on which machine: the same for all cases of a run."""

    @property
    def known(self) -> bool:
        """Whether anything is known of them."""
        return bool(self.defining or self.model or self.environment)

    @property
    def circumstances(self) -> Mapping[str, str]:
        """What may be the very thing that one wants to compare."""
        return {**self.model, **self.environment}

    def redefined(self, earlier: Conditions) -> tuple[str, ...]:
        """Differences in what defines the case, each as "option temperature 0.8 instead of not set"."""
        return differences(self._with_options_of(earlier), earlier._with_options_of(self))

    def _with_options_of(self, other: Conditions) -> dict[str, str]:
        """What defines it, with what is said of each option that either has, where both tell their options."""
        found = {name: value for name, value in self.defining.items() if name != _OPTIONS}
        if _OPTIONS in self.defining and _OPTIONS in other.defining:
            found = {
                **found,
                **{name: _NOT_SET for name in other.defining if name.startswith(OPTION) and name not in found},
            }
        return found

    def changed(self, earlier: Conditions) -> tuple[str, ...]:
        """Differences in the circumstances."""
        return differences(self.circumstances, earlier.circumstances)


def differences(now: Mapping[str, str], before: Mapping[str, str]) -> tuple[str, ...]:
    """What both know and do not agree on."""
    return tuple(
        f"{name} {value} instead of {before[name]}"
        for name, value in now.items()
        if name in before and before[name] != value
    )


def conditions_of(info: Mapping[str, Any], machine: Mapping[str, Any]) -> Conditions:
    """From our part of a row's `extra_info` and of `machine_info`."""
    return Conditions(
        defining=_known(_defining(info)),
        model=_known(_model(info)),
        environment=_known(_environment(info, machine)),
    )


def _defining(info: Mapping[str, Any]) -> dict[str, str | None]:
    options = info.get("options")
    found = {
        "prompt": _digest(info.get("prompt_hash")),
        "endpoint": info.get("endpoint"),
        "raw": _json(info.get("raw")),
        "prefix": info.get("prefix"),
        "start": info.get("start"),
        "tools": _json(info.get("tools")),
    }
    found |= {name: _json(info[name]) or "default" for name in ("think", "format") if name in info}
    if "persona_hash" in info:
        found["persona"] = _digest(info["persona_hash"]) or "none"
    if "nonce_form" in info:
        found["nonce"] = info["nonce_form"] or "none"
    if isinstance(options, Mapping):
        found |= {f"{OPTION}{name}": _json(value) for name, value in options.items()}
        found[_OPTIONS] = ", ".join(sorted(options)) or "none"
    return found


def _model(info: Mapping[str, Any]) -> dict[str, str | None]:
    size, on_gpu = info.get("size_bytes"), info.get("size_vram_bytes")
    share = on_gpu / size if isinstance(size, int) and isinstance(on_gpu, int) and size > 0 else None
    return {
        "model digest": _digest(info.get("digest")),
        "quantization": info.get("quantization"),
        "family": info.get("family"),
        "parameters": info.get("parameter_size"),
        "num_ctx as loaded": _json(info.get("num_ctx_loaded")),
        "share on the GPU": None if share is None else format_value(round(share, 2), "ratio"),
    }


def _environment(info: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, str | None]:
    engine = info.get("engine")
    found: dict[str, str | None] = {
        "server": engine,
        "Ollama version" if engine == "ollama" else "server version": info.get("server_version"),
        "host": None if engine == "embedded" else _host(info.get("host")),
    }
    if info.get("shares_clock") is not True:  # the machine that pytest ran on is not the model's
        return found
    found |= {name.replace("_", " "): _json(machine.get(name)) for name in _HARDWARE}
    memory = machine.get("memory_bytes")
    found["memory"] = format_bytes(round(memory / _MEMORY_STEP) * _MEMORY_STEP) if isinstance(memory, int) else None
    for name, value in machine.items():
        if name.startswith(_GPU):
            label = name.replace("_", " ").replace("gpu", "GPU")
            found[label.removesuffix(" bytes")] = format_bytes(value) if name.endswith("_bytes") else str(value)
    return found


def _host(url: object) -> str | None:
    """The machine and port of a server; of one on this machine only that: its port may change from run to run."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return url
    if name in _LOOPBACK or name.startswith("127."):
        return "this machine"
    return f"{name}:{port}" if port else name


def _known(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _digest(value: object) -> str | None:
    return value.removeprefix("sha256:")[:_DIGEST_DIGITS] if isinstance(value, str) else None


def _json(value: object) -> str | None:
    """A value as one text, the same for 4 and 4.0."""
    if value is None:
        return None
    if isinstance(value, float) and value == round(value):
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
