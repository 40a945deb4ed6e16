"""HTTP/1.1 answers read from stamped bytes, cut in any way."""

from __future__ import annotations

import gzip
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.wire.http import HttpAnswer, Read, read_http

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nTransfer-Encoding: chunked\r\n\r\n"


def framed(bodies: list[bytes], trailer: bytes = b"") -> bytes:
    """Bodies as chunks of a whole answer."""
    return CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(body), body) for body in bodies) + b"0\r\n" + trailer + b"\r\n"


def cut(data: bytes, places: list[int]) -> list[Read]:
    """The data as reads that end at the places, stamped by their number."""
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [Read(index, data[start:end]) for index, (start, end) in enumerate(itertools.pairwise(ends))]


bodies = st.lists(st.binary(min_size=1, max_size=20), max_size=6)
places = st.lists(st.integers(min_value=0, max_value=400), max_size=12)


@given(bodies, places, st.sampled_from([b"", b"X-Trailer: 1\r\n"]))
def test_any_cut_of_a_chunked_answer_gives_the_same(bodies: list[bytes], places: list[int], trailer: bytes) -> None:
    """Wherever the reads end, head and body are the same, and the answer is complete with its last byte only."""
    reads = cut(framed(bodies, trailer), places)
    answer = read_http(reads, closed=False)
    assert (answer.status, answer.reason, answer.chunked, answer.problem) == (200, "OK", True, None)
    assert answer.body == b"".join(bodies)
    assert answer.complete
    short = [*reads[:-1], Read(reads[-1].ns, reads[-1].data[:-1])]
    assert not read_http(short, closed=False).complete


@given(bodies, places)
def test_pieces_keep_the_stamp_of_their_read(bodies: list[bytes], places: list[int]) -> None:
    """Every byte of the body carries the stamp of the read in which it came."""
    data = framed(bodies)
    reads = cut(data, places)
    position, stamps = len(CHUNKED), []
    owner = [read.ns for read in reads for _ in read.data]
    for body in bodies:
        position += len(b"%x\r\n" % len(body))
        stamps += owner[position : position + len(body)]
        position += len(body) + 2
    assert [piece.ns for piece in read_http(reads, closed=False).pieces for _ in piece.data] == stamps


@given(st.binary(max_size=60), places, st.sampled_from(["gzip", "deflate"]))
def test_a_compressed_body_is_unpacked(body: bytes, places: list[int], coding: str) -> None:
    """A proxy that compresses in spite of what was asked for changes nothing but the stamps' fineness."""
    packed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    answer = read_http(cut(head + packed, places), closed=False)
    assert answer.body == body
    assert answer.complete


@given(st.binary(max_size=80), places, st.booleans())
def test_no_bytes_at_all_break_it(data: bytes, places: list[int], closed: bool) -> None:
    """Whatever comes, the result is an answer or a problem and never an exception."""
    for start in (b"", b"HTTP/1.1 200 OK\r\n\r\n", CHUNKED, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"):
        assert isinstance(read_http(cut(start + data, places), closed=closed), HttpAnswer)


def test_a_body_without_framing_ends_with_the_connection() -> None:
    """Without a length the close of the connection completes the body."""
    reads = [Read(1, b"HTTP/1.0 200 OK\r\n\r\nab"), Read(2, b"cd")]
    assert read_http(reads, closed=False).complete is False
    assert read_http(reads, closed=True) == HttpAnswer(
        status=200, reason="OK", headers_ns=1, pieces=(Read(1, b"ab"), Read(2, b"cd")), complete=True
    )


def test_interim_answers_are_passed_over() -> None:
    """100 Continue is not the answer."""
    answer = read_http([Read(1, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")], closed=False)
    assert (answer.status, answer.complete) == (204, True)


def test_an_answer_to_head_has_no_body() -> None:
    """The length in an answer to HEAD speaks of a body that does not come."""
    answer = read_http([Read(1, b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n")], closed=False, head_only=True)
    assert (answer.body, answer.complete) == (b"", True)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "it does not begin as HTTP does: 'SSH-2.0-OpenSSH_9.6\\r\\n'"),
        (b"HTTP/2 200\r\n\r\n", "it does not begin as HTTP does: 'HTTP/2 200'"),
        (CHUNKED + b"xyz\r\n", "its chunked framing is broken at 'xyz'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "its Content-Length is '-1'"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            "its compressed body is broken (Error -3 while decompressing data: incorrect header check)",
        ),
    ],
)
def test_what_is_not_http_is_named(data: bytes, problem: str) -> None:
    """Bytes that are no HTTP answer come back as a problem in words."""
    answer = read_http([Read(1, data)], closed=True)
    assert (answer.problem, answer.complete) == (problem, False)
