"""A GGUF file written from its metadata and tensors, with nothing but Python: for the small models that we make.

The same input gives the same bytes everywhere. Reading headers is `engine.gguf`'s.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNKNOWN_TOKEN, CONTROL_TOKEN, BYTE_TOKEN, NORMAL_TOKEN, UNUSED_TOKEN = 2, 3, 6, 1, 5
"""llama.cpp's numbers in `tokenizer.ggml.token_type`."""

_F32, _Q8_0 = 0, 8
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_ALIGNMENT = 32
_BLOCK = 32


@dataclass(frozen=True, slots=True)
class Weights:
    """One tensor as it lies in the file."""

    kind: int
    """ggml's number of its type."""
    shape: tuple[int, ...]
    """Fastest dimension first."""
    data: bytes


def f32(values: Sequence[float]) -> Weights:
    """A vector of 32-bit floats."""
    return Weights(_F32, (len(values),), struct.pack(f"<{len(values)}f", *values))


def f32_matrix(rows: Sequence[Sequence[float]]) -> Weights:
    """A matrix of 32-bit floats."""
    data = b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)
    return Weights(_F32, (len(rows[0]), len(rows)), data)


def f32_zeros(columns: int, rows: int) -> Weights:
    """A matrix of 32-bit zeros."""
    return Weights(_F32, (columns, rows), bytes(4 * columns * rows))


def q8_0_matrix(rows: Sequence[Sequence[float]]) -> Weights:
    """A matrix in ggml's Q8_0: blocks of 32 numbers, each a half-precision scale and 32 signed bytes."""
    return Weights(_Q8_0, (len(rows[0]), len(rows)), b"".join(_q8_0(row) for row in rows))


def _q8_0(row: Sequence[float]) -> bytes:
    blocks = []
    for start in range(0, len(row), _BLOCK):
        block = row[start : start + _BLOCK]
        (scale,) = struct.unpack("<e", struct.pack("<e", max(map(abs, block)) / 127))
        numbers = [round(value / scale) if scale else 0 for value in block]
        blocks.append(struct.pack("<e32b", scale, *(max(-127, min(127, number)) for number in numbers)))
    return b"".join(blocks)


def gguf_file(metadata: Mapping[str, Any], tensors: Mapping[str, Weights]) -> bytes:
    """The whole file; int is written as uint32 (in lists as int32), float as float32."""
    head = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    for key, value in metadata.items():
        kind, packed = _typed(value)
        head.append(_text(key) + struct.pack("<I", kind) + packed)
    offset = 0
    for name, weights in tensors.items():
        size = len(weights.shape)
        head.append(_text(name) + struct.pack(f"<I{size}QIQ", size, *weights.shape, weights.kind, offset))
        offset += len(_padded(weights.data))
    return _padded(b"".join(head)) + b"".join(_padded(weights.data) for weights in tensors.values())


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _typed(value: Any) -> tuple[int, bytes]:
    if isinstance(value, bool):
        return _BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return _UINT32, struct.pack("<I", value)
    if isinstance(value, float):
        return _FLOAT32, struct.pack("<f", value)
    if isinstance(value, str):
        return _STRING, _text(value)
    kind = _INT32 if isinstance(value[0], int) else _typed(value[0])[0]
    items = b"".join(struct.pack("<i", item) if kind == _INT32 else _typed(item)[1] for item in value)
    return _ARRAY, struct.pack("<IQ", kind, len(value)) + items


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNMENT)
