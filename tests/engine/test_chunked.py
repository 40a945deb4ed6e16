"""llama.cpp's answers taken apart, however the network cut them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.engine.chunked import EventLines, Unchunker, parse_head


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data cut at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


@given(st.lists(st.binary(min_size=1), max_size=6), st.lists(st.integers(0, 10_000), max_size=8))
def test_a_chunked_body_is_whole_however_it_arrives(chunks: list[bytes], cuts: list[int]) -> None:
    """The bytes of all chunks come out in order, and the end is seen with the final chunk alone."""
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    unchunker = Unchunker()
    assert b"".join(unchunker.feed(piece) for piece in pieces(framed, cuts)) == b"".join(chunks)
    assert unchunker.ended


def test_a_body_that_was_cut_has_not_ended() -> None:
    """Without the final chunk the body is known to be incomplete."""
    unchunker = Unchunker()
    assert unchunker.feed(b"3\r\nabc\r\n5\r\nde") == b"abc"
    assert not unchunker.ended


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))),
    st.lists(st.integers(0, 10_000), max_size=8),
)
def test_events_are_whole_however_they_arrive(payloads: list[str], cuts: list[int]) -> None:
    """Every event's payload comes out once; comments and blank lines do not."""
    stream = "".join(f": ping\n\ndata: {payload}\n\n" for payload in payloads).encode()
    events = EventLines()
    found = [payload for piece in pieces(stream, cuts) for payload in events.feed(piece)]
    assert found == [payload.encode() for payload in payloads]


def test_the_head_of_an_answer_is_read() -> None:
    """Status is a number and header names are lower-case."""
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\nX-Empty:"
    assert parse_head(head) == (400, {"content-type": "application/json; charset=utf-8", "x-empty": ""})
