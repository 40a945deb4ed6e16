"""llama.cpp's events taken apart, however the network cut them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.engine.events import EventLines


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data cut at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


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
