"""Model names in their one form."""

from __future__ import annotations

import pytest

from pytest_chimera.errors import ModelError
from pytest_chimera.wire.names import canonical_model, same_model


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("gemma3", "gemma3:latest"),
        ("gemma3:latest", "gemma3:latest"),
        (" gemma3:270m ", "gemma3:270m"),
        ("library/gemma3", "gemma3:latest"),
        ("registry.ollama.ai/library/gemma3:270m", "gemma3:270m"),
        ("https://registry.ollama.ai/library/gemma3", "gemma3:latest"),
        ("someone/gemma3", "someone/gemma3:latest"),
        ("registry.ollama.ai/someone/gemma3:1", "someone/gemma3:1"),
        ("hf.co/user/model-GGUF:Q4_K_M", "hf.co/user/model-GGUF:Q4_K_M"),
        ("hf.co/user/model-GGUF", "hf.co/user/model-GGUF:latest"),
        ("localhost:5000/team/model", "localhost:5000/team/model:latest"),
        ("qwen2.5:0.5b", "qwen2.5:0.5b"),
    ],
)
def test_a_canonical_name(name: str, canonical: str) -> None:
    """All spellings of a model have one name, and that name is its own."""
    assert canonical_model(name) == canonical
    assert canonical_model(canonical) == canonical


@pytest.mark.parametrize("name", ["", ":", "gemma3:", "a b", "a/b/c/d", "-x", "x:y:z", "model@sha256:0", "a" * 81])
def test_what_is_no_name(name: str) -> None:
    """What Ollama would call an invalid model name is refused with what is accepted."""
    with pytest.raises(ModelError) as caught:
        canonical_model(name)
    assert str(caught.value) == (
        f"{name!r} is not a model name. Accepted: MODEL, MODEL:TAG, NAMESPACE/MODEL:TAG or HOST/NAMESPACE/MODEL:TAG, "
        "each of letters, digits, '_', '-' and '.'. 'ollama list' shows the names of installed models."
    )


def test_case_makes_no_other_model() -> None:
    """Ollama takes Gemma3 and gemma3 for one model; a tag makes another."""
    assert same_model("Gemma3", "gemma3:LATEST")
    assert not same_model("gemma3:270m", "gemma3")
