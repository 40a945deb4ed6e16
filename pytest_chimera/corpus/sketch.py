"""Quantiles of numbers that are not kept: counts in buckets whose width is a fixed share of the values in them."""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_UPPER = slice(1, None, 2) if sys.byteorder == "little" else slice(0, None, 2)
"""The upper of the two halves of each float32: sign, exponent and seven bits, 128 buckets from each power of two on."""
_WHOLE_POWERS = 7
"""Widenings after which a bucket holds all between two powers of two; only values of over 1000 of them need more."""
_LARGEST = 3.4e38
_UNSURE = 0x7F7F
"""The last bucket of positive values; all that are above hold negative ones."""
MOST_BUCKETS = 1024
"""Buckets of one sketch: eight powers of two at the finest; a wider range of values makes all buckets twice as wide."""


class Sketch:
    """Counts in buckets. Merging is exact, whatever the order: as if one sketch had seen all values."""

    __slots__ = ("buckets", "shift")

    def __init__(self, buckets: dict[int, int] | None = None, shift: int = 0) -> None:
        """`buckets` and `shift` as in another one; nothing else makes sense."""
        self.buckets: dict[int, int] = {} if buckets is None else buckets
        """Bucket -> values in it. A bucket is the upper half of a float32, read as a whole number."""
        self.shift = shift
        """How often the buckets were made twice as wide."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and (self.shift, self.buckets) == (other.shift, other.buckets)

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def relative_error(self) -> float:
        """What a quantile may be off by, as a share of it: 0.4 % of values within eight powers of two.

        Of values below 1e-38, which count as zero, and above 3e38 nothing is said.
        """
        return 2.0 ** (self.shift - 8) if self.shift <= _WHOLE_POWERS else math.inf

    def take(self, values: Sequence[float]) -> tuple[float, float]:
        """Count finite values; those beyond the range of a float32 as the last within it.

        Returns bounds of them that cost nothing to tell: none is below the first and none above the second.
        """
        try:
            singles = struct.pack(f"={len(values)}f", *values)
        except OverflowError:
            singles = struct.pack(f"={len(values)}f", *(max(min(value, _LARGEST), -_LARGEST) for value in values))
        counts = Counter(array("H", singles)[_UPPER])  # in C: there may be a million of them
        shift = self.shift
        if self.buckets or len(counts) > MOST_BUCKETS:
            self._add(counts.items() if not shift else ((bucket >> shift, count) for bucket, count in counts.items()))
        else:
            self.buckets = dict(counts)
        largest = max(counts)
        if largest >= _UNSURE:
            return -math.inf, math.inf
        # A value just below a bucket may have been rounded up into it.
        return _single(max(min(counts) - 1, 0) << 16), _single((largest + 1) << 16)

    def merge(self, other: Sketch) -> None:
        """Take in what another has seen; that one stays as it is."""
        while self.shift < other.shift:
            self._widen()
        steps = self.shift - other.shift
        self._add((bucket >> steps, count) for bucket, count in other.buckets.items())

    def quantile(self, share: float) -> float | None:
        """The value that a `share` (0 to 1) of all are below, between neighbours by their distance; None of nothing."""
        total = sum(self.buckets.values())
        if not total:
            return None
        rank = share * (total - 1)
        low, part = math.floor(rank), rank - math.floor(rank)
        seen, below = 0, None
        for middle, count in sorted((self._middle(bucket), count) for bucket, count in self.buckets.items()):
            seen += count
            if below is None and seen > low:
                below = middle
                if not part or seen > low + 1:
                    return middle
            elif below is not None:
                return below + (middle - below) * part
        return below

    def _add(self, counts: Iterable[tuple[int, int]]) -> None:
        buckets = self.buckets
        for bucket, count in counts:
            buckets[bucket] = buckets.get(bucket, 0) + count
        while len(self.buckets) > MOST_BUCKETS:
            self._widen()

    def _widen(self) -> None:
        wider: dict[int, int] = {}
        for bucket, count in self.buckets.items():
            wider[bucket >> 1] = wider.get(bucket >> 1, 0) + count
        self.buckets = wider
        self.shift += 1

    def _middle(self, bucket: int) -> float:
        """The middle of a bucket; of the one that begins with zero it is zero."""
        width = 16 + self.shift
        first, last = _single(bucket << width), _single(((bucket + 1) << width) - 1)
        if not math.isfinite(last):
            last = math.copysign(_LARGEST, first)
        return first / 2 + last / 2 if first else 0.0


def _single(bits: int) -> float:
    value: float = struct.unpack("<f", struct.pack("<I", bits))[0]
    return value
