"""When bytes arrived, as the kernel says: its stamp is made as a packet comes in, ours when the interpreter gets to it.

The difference is small for one stream on an idle machine (0.03 ms) and is milliseconds when a model keeps all cores
busy or another thread holds the interpreter's lock. Where the kernel gives no stamps (not Linux, TLS, a clock of a
test) the client's own are used.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import weakref
from typing import TYPE_CHECKING, TypeAlias

from pytest_chimera.client.clock import SystemClock
from pytest_chimera.units import NS_PER_MS, NS_PER_S
from pytest_chimera.wire.http import Read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_chimera.client.clock import Clock

Ancillary: TypeAlias = "Sequence[tuple[int, int, bytes]]"

CONTROL_BYTES = 64
_SO_TIMESTAMPNS = 35  # the socket module has no name for it
_TIMESPEC = struct.Struct("@ll")
_TRIES = 3
_STEP_NS = NS_PER_MS


def kernel_stamps(sock: socket.socket, clock: Clock) -> bool:
    """Let the kernel stamp what arrives on `sock`; False where it cannot, or where `clock` is not the machine's."""
    if sys.platform != "linux" or type(sock) is not socket.socket or not isinstance(clock, SystemClock):
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def keep_stamping(owner: object, clock: Clock) -> None:
    """Let the kernel go on stamping, for all sockets, as long as `owner` lives.

    It patches its own code when the first socket asks for stamps and when the last one is closed, which takes 0.5 ms
    and halts all cores for a moment: never again at the start of a request while an idle socket of ours asks for them.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as idle:
        if kernel_stamps(idle, clock):
            weakref.finalize(owner, os.close, idle.detach())


def wall_offset_ns(clock: Clock) -> int:
    """Wall clock minus monotonic clock: of several looks the one that was interrupted least."""
    looks = []
    for _ in range(_TRIES):
        before, unix, after = clock.monotonic_ns(), clock.unix_ns(), clock.monotonic_ns()
        looks.append((after - before, unix - (before + after) // 2))
    return min(looks)[1]


def arrived(
    reads: Sequence[Read], ancillary: Sequence[Ancillary], *, earliest_ns: int, offset_ns: int, offset_after_ns: int
) -> list[Read]:
    """The reads with the kernel's stamps on our monotonic clock, where they make sense.

    A stamp before `earliest_ns`, before its predecessor or after our own is not used, and none is when the wall clock
    was set meanwhile.
    """
    if abs(offset_after_ns - offset_ns) > _STEP_NS:
        return list(reads)
    stamped, last_ns = [], earliest_ns
    for read, messages in zip(reads, ancillary, strict=True):
        unix = _unix_ns(messages)
        arrival = read.ns if unix is None else unix - offset_ns
        if not last_ns <= arrival <= read.ns:
            arrival = max(read.ns, last_ns)
        stamped.append(Read(arrival, read.data))
        last_ns = arrival
    return stamped


def _unix_ns(messages: Ancillary) -> int | None:
    for level, kind, data in messages:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds) * NS_PER_S + int(nanoseconds)
    return None
