"""Stamps of the kernel on our clock, and where they are not used."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.client import SystemClock
from pytest_chimera.client.stamps import CONTROL_BYTES, Ancillary, arrived, kernel_stamps, wall_offset_ns
from pytest_chimera.wire.http import Read

OFFSET_NS = 1_795_338_019 * 10**9
SENT_NS = 1_000


def by_kernel(arrival_ns: int) -> Ancillary:
    """What the kernel says of a packet that came at a moment of our clock."""
    return [(socket.SOL_SOCKET, 35, struct.pack("@ll", *divmod(arrival_ns + OFFSET_NS, 10**9)))]


def stamps(ours: list[int], ancillary: list[Ancillary], *, step_ns: int = 0) -> list[int]:
    """The stamps that are used."""
    reads = [Read(ns, b"x") for ns in ours]
    after = OFFSET_NS + step_ns
    return [
        read.ns for read in arrived(reads, ancillary, earliest_ns=SENT_NS, offset_ns=OFFSET_NS, offset_after_ns=after)
    ]


def test_the_kernels_stamps_are_used() -> None:
    """A read that was picked up late has the moment at which it came."""
    assert stamps([5_000, 9_000], [by_kernel(2_000), by_kernel(6_000)]) == [2_000, 6_000]


def test_where_they_are_missing() -> None:
    """A read without a stamp of the kernel keeps ours."""
    other: Ancillary = [(socket.SOL_SOCKET, 99, b"x")]
    assert stamps([5_000, 9_000, 9_500], [by_kernel(2_000), [], other]) == [2_000, 9_000, 9_500]


@pytest.mark.parametrize("wrong", [500, 8_000, -(10**9)])
def test_where_they_cannot_be_right(wrong: int) -> None:
    """A stamp before the request was sent, or after our own, is another clock's."""
    assert stamps([5_000], [by_kernel(wrong)]) == [5_000]


def test_when_the_wall_clock_was_set() -> None:
    """A wall clock that was set meanwhile makes all of the kernel's stamps useless."""
    assert stamps([5_000], [by_kernel(2_000)], step_ns=5_000_000) == [5_000]


@given(st.lists(st.tuples(st.integers(1_000, 10**6), st.none() | st.integers(-(10**6), 2 * 10**6)), max_size=20))
def test_order_is_kept(reads: list[tuple[int, int | None]]) -> None:
    """Whatever the kernel says, arrivals never go backwards and are never after our own stamps."""
    ours = sorted(ns for ns, _ in reads)
    used = stamps(ours, [() if kernel is None else by_kernel(kernel) for _, kernel in reads])
    assert used == sorted(used)
    assert all(use <= own for use, own in zip(used, ours, strict=True))


def test_on_a_real_socket() -> None:
    """Where the kernel stamps what arrives, its stamp lies between sending and our own."""
    clock = SystemClock()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sock:
        if not kernel_stamps(sock, clock):
            pytest.skip("needs a kernel that stamps what arrives (Linux)")
        offset = wall_offset_ns(clock)
        peer, _ = server.accept()
        with peer:
            sent = clock.monotonic_ns()
            peer.sendall(b"token")
            data, ancillary, *_ = sock.recvmsg(100, CONTROL_BYTES)
        ours = clock.monotonic_ns()
    (read,) = arrived(
        [Read(ours, data)], [ancillary], earliest_ns=sent, offset_ns=offset, offset_after_ns=wall_offset_ns(clock)
    )
    assert sent <= read.ns <= ours
    assert read.data == b"token"
