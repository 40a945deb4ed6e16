"""A GGUF file's header read without loading it: metadata, the table of tensors, and what Ollama says of them.

Only the first pages of the file are touched. Long arrays (the vocabulary) are stepped over, as `/api/show` does not
list them either. What the numbers mean to a server is `engine.models`' matter.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"GGUF"
_FLOAT32, _STRING, _ARRAY = 6, 8, 9
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_LONGEST_ARRAY = 64

TENSOR_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
"""ggml's numbers of tensor types."""

FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE",
}  # fmt: skip
"""llama.cpp's numbers in `general.file_type`: what a whole file is called by its quantization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One row of the table of tensors."""

    name: str
    type: str
    shape: tuple[int, ...]
    """Fastest dimension first, as GGUF and `/api/show` write it."""

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        product = 1
        for size in self.shape:
            product *= size
        return product


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What stands in front of the weights."""

    metadata: dict[str, Any]
    """Long arrays are None."""
    tensors: tuple[Tensor, ...]

    @property
    def architecture(self) -> str:
        """`general.architecture`: llama, gemma3, ..."""
        return str(self.metadata.get("general.architecture", "unknown"))

    @property
    def parameter_count(self) -> int:
        """Numbers in all tensors."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def quantization(self) -> str:
        """`Q4_K_M`, `F16`, ...; `unknown` where the file does not say."""
        return FILE_TYPES.get(self.metadata.get("general.file_type", -1), "unknown")

    def of_architecture(self, key: str, default: int = 0) -> int:
        """An integer below the architecture's own prefix, such as `llama.context_length`."""
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        return value if isinstance(value, int) else default


def read_header(path: Path) -> GgufHeader:
    """The header of the file at `path`; ModelError when it is missing or no GGUF file."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:4] != MAGIC:
                raise _unreadable(path, f"begins with {data[:4]!r}, not with {MAGIC!r}")
            return _Reader(data).header()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (struct.error, ValueError, KeyError, UnicodeDecodeError, IndexError) as error:
        raise _unreadable(path, f"its header is broken or cut ({error})") from error


def _unreadable(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path} cannot be used as a model: {why}.",
        "The embedded engine takes GGUF files, the format of llama.cpp.",
        "Give the path of such a file, or `tiny` for the model that ships with the package.",
    )


def _shortest(value: float) -> float:
    """The number with the fewest digits that is the same 32-bit float: 1e-05, not 9.999999747378752e-06."""
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if struct.pack("<f", short) == struct.pack("<f", value):
            return short
    return value


class _Reader:
    """A cursor over the header."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = len(MAGIC)

    def header(self) -> GgufHeader:
        version = self._scalar("<I")
        if version not in (2, 3):
            raise ValueError(f"version {version}")
        tensor_count, key_count = self._scalar("<Q"), self._scalar("<Q")
        metadata = {}
        for _ in range(key_count):
            key = self._text()
            metadata[key] = self._value(self._scalar("<I"))
        return GgufHeader(metadata=metadata, tensors=tuple(self._tensor() for _ in range(tensor_count)))

    def _tensor(self) -> Tensor:
        name = self._text()
        shape = tuple(self._scalar("<Q") for _ in range(self._scalar("<I")))
        kind = self._scalar("<I")
        self._scalar("<Q")  # where its numbers lie
        return Tensor(name=name, type=TENSOR_TYPES.get(kind, f"unknown({kind})"), shape=shape)

    def _scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return value

    def _text(self) -> str:
        size = self._scalar("<Q")
        if size > len(self._data) - self._at:
            raise ValueError("a text longer than the file")
        self._at += size
        return self._data[self._at - size : self._at].decode("utf-8", "replace")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            value = self._scalar(_SCALARS[kind])
            return _shortest(value) if kind == _FLOAT32 else value
        return self._array(self._scalar("<I"), self._scalar("<Q"))

    def _array(self, kind: int, count: int) -> list[Any] | None:
        if count <= _LONGEST_ARRAY:
            return [self._value(kind) for _ in range(count)]
        if kind == _STRING:
            for _ in range(count):
                size = self._scalar("<Q")
                self._at += size
        elif kind == _ARRAY:
            for _ in range(count):
                self._array(self._scalar("<I"), self._scalar("<Q"))
        else:
            self._at += count * struct.calcsize(_SCALARS[kind])
        return None
