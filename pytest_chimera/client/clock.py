"""The clock as a seam: what measures asks it, and tests bring their own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks in one: for durations, and for comparing with what a server on this machine wrote."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump, from an arbitrary start."""

    def unix_ns(self) -> int:
        """Nanoseconds since the epoch."""


class SystemClock:
    """The clocks of this machine."""

    # The functions themselves: a method around them would cost as much again, once per read of a stream.
    monotonic_ns = staticmethod(time.monotonic_ns)
    unix_ns = staticmethod(time.time_ns)
