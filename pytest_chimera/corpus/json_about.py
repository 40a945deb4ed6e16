"""Objects of JSON that describe what is around them: settings, a model, a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.corpus.cells import count_value, label_value, set_model, setting_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_chimera.corpus.bounds import Bounds
    from pytest_chimera.corpus.json_parts import Part
    from pytest_chimera.corpus.rows import Reading
    from pytest_chimera.corpus.vocabulary import Vocabulary

_ENVIRONMENTS = frozenset({"environment", "system_info", "machine_info", "hardware", "platform", "commit_info", "env"})
_TENSOR_WORDS = frozenset(
    {"dtype", "batch_size", "channels", "seq_len", "embed_dim", "input_dim", "hidden_dim", "height"}
)


class About:
    """Takes what such an object says into the part it stands in, and what it says of the machine into the reading."""

    def __init__(self, vocabulary: Vocabulary, bounds: Bounds, reading: Reading) -> None:
        self._vocabulary = vocabulary
        self._bounds = bounds
        self._reading = reading

    def special(self, part: Part, key: str, value: Mapping[str, Any]) -> bool:
        """Objects that describe what is around them: settings, a model, a machine."""
        kind, name = self._vocabulary.plain(key)
        if kind == "role" and name == "error":
            return True
        if kind == "role" and name == "options":
            self.settings(part, value)
        elif key.lower() in _ENVIRONMENTS:
            for inner, each in value.items():
                kind, canonical = self._vocabulary.plain(inner)
                self.environment(canonical if kind == "environment" else inner, each)
        elif kind == "role" and name == "model":
            self._model_of(part, value)
        else:
            return False
        return True

    def _model_of(self, part: Part, value: Mapping[str, Any]) -> None:
        """An object that describes a model: one of tensors, by its shapes, is a network and has no tag."""
        name = value.get("name", value.get("model"))
        if isinstance(name, str) and (bool(_TENSOR_WORDS & set(value)) or not set_model(part.outside, name)):
            part.outside.labels["network"] = label_value(name)
        self.settings(part, {key: each for key, each in value.items() if key not in {"name", "model"}})

    def settings(self, part: Part, options: Mapping[str, Any]) -> None:
        """Take settings, labels and numbers of values from a mapping of options."""
        for name, value in options.items():
            if isinstance(value, (dict, list)):
                continue
            kind, canonical = self._vocabulary.plain(name)
            known = setting_value(value)
            if kind == "role" and canonical == "n":
                part.outside.n = count_value(value) or part.outside.n
            elif kind == "label":
                part.outside.labels[canonical] = label_value(value)
            elif known is not None and kind != "ignored":
                part.outside.parameters[canonical if kind == "setting" else name[:80]] = known

    def environment(self, name: str, value: Any) -> None:
        """Take one thing that is said of the machine; the first stays."""
        if isinstance(value, (str, int, float)) and len(self._reading.environment) < self._bounds.names and value != "":
            self._reading.environment.setdefault(name[:80], str(value)[: self._bounds.quote])
