"""GGUF files written by us and read by us, and what is said of files that are none."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.engine.gguf import GgufHeader, Tensor, read_header
from pytest_chimera.engine.gguf_write import f32, f32_zeros, gguf_file, q8_0_matrix
from pytest_chimera.engine.models import human_number
from pytest_chimera.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

ACCEPTED = (
    "The embedded engine takes GGUF files, the format of llama.cpp. "
    "Give the path of such a file, or `tiny` for the model that ships with the package."
)
VALUES = (
    st.booleans()
    | st.integers(0, 2**32 - 1)
    | st.floats(width=32, allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=64)
)


def narrow(value: Any) -> Any:
    """A float as 32 bits hold it: it is read as the shortest number that they stand for."""
    return struct.unpack("<f", struct.pack("<f", value))[0] if isinstance(value, float) else value


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), VALUES))
def test_metadata_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, metadata: dict[str, Any]) -> None:
    """Every key and value of a written file comes back."""
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    path.write_bytes(gguf_file(metadata, {}))
    assert {key: narrow(value) for key, value in read_header(path).metadata.items()} == metadata


def test_a_header_tells_what_a_model_is(tmp_path: Path) -> None:
    """Architecture, quantization, tensors and parameters are the file's; a long list is None, as in /api/show."""
    metadata = {
        "general.architecture": "llama",
        "general.file_type": 15,
        "llama.context_length": 4096,
        "tokenizer.ggml.tokens": [f"token {index}" for index in range(300)],
        "tokenizer.ggml.scores": [0.5] * 300,
        "llama.rms": 1e-5,
    }
    tensors = {"output_norm.weight": f32([1.0] * 32), "a": f32_zeros(32, 3), "b": q8_0_matrix([[0.25] * 64] * 2)}
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_file(metadata, tensors))
    header = read_header(path)
    assert header == GgufHeader(
        metadata={**metadata, "tokenizer.ggml.tokens": None, "tokenizer.ggml.scores": None},
        tensors=(
            Tensor(name="output_norm.weight", type="F32", shape=(32,)),
            Tensor(name="a", type="F32", shape=(32, 3)),
            Tensor(name="b", type="Q8_0", shape=(64, 2)),
        ),
    )
    assert (header.architecture, header.quantization, header.parameter_count) == ("llama", "Q4_K_M", 256)
    assert (header.of_architecture("context_length"), header.of_architecture("expert_count", 7)) == (4096, 7)


def test_a_file_that_is_no_model_is_refused_in_words(tmp_path: Path) -> None:
    """What came in, what is accepted and what to do stand in the text, for a missing, foreign, cut and empty file."""
    path = tmp_path / "model.gguf"
    refusals = []
    for content in (None, b"<html>", gguf_file({"general.architecture": "llama"}, {"a": f32([1.0])})[:40], b""):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ModelError) as refused:
            read_header(path)
        refusals.append(str(refused.value).removesuffix(ACCEPTED).replace(str(path), "FILE").strip())
    assert refusals == [
        "FILE cannot be used as a model: No such file or directory.",
        "FILE cannot be used as a model: begins with b'<htm', not with b'GGUF'.",
        "FILE cannot be used as a model: its header is broken or cut (a text longer than the file).",
        "FILE cannot be used as a model: its header is broken or cut (cannot mmap an empty file).",
    ]


@pytest.mark.parametrize(
    ("count", "text"),
    [(999, "999"), (676_800, "677K"), (268_098_176, "268.10M"), (4_000_000, "4M"), (4_299_915_632, "4.3B")],
)
def test_parameters_are_counted_as_ollama_writes_them(count: int, text: str) -> None:
    """The recorded sizes come out as recorded."""
    assert human_number(count) == text
