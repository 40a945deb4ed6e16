"""The bytes of wire.encode are those of Ollama's Go server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.wire.encode import encode_error, encode_json, encode_line, format_time

if TYPE_CHECKING:
    from pathlib import Path

# Between 2**53 and 1e21 Go writes a float as a whole number, which Python reads as an int of other digits.
FLOATS = st.floats(-(2**53), 2**53) | st.floats(1e21, allow_infinity=False)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def body_of(recording: Path) -> bytes:
    """The body of a recorded answer without its HTTP framing; b"" when it is not JSON."""
    arrivals = json.loads(recording.read_text(encoding="utf-8"))["arrivals"]
    head, _, body = "".join(part for _, part in arrivals).encode("latin-1").partition(b"\r\n\r\n")
    if b"json" not in head:
        return b""
    if b"Transfer-Encoding: chunked" not in head:
        return body
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return whole


def test_every_recorded_line_is_written_again_byte_for_byte(shared: Path) -> None:
    """Each JSON line of all recordings of both versions, read and encoded, is the same bytes."""
    recordings = sorted((shared / "ollama-wire").glob("0.*/*.json"))
    lines = [line for recording in recordings for line in body_of(recording).splitlines() if line]
    assert [encode_json(json.loads(line)) for line in lines] == lines
    assert len(lines) > 2000


def test_html_and_line_separators_are_escaped() -> None:
    """What could end a script element or a JavaScript string is written as Go escapes it, in keys too."""
    value = {"<&>": 'a<b>&\u2028\u2029é\x7f\x01\b\f\n"\\'}
    assert encode_json(value) == (
        rb'{"\u003c\u0026\u003e":"a\u003cb\u003e\u0026\u2028\u2029' + "é\x7f".encode() + rb'\u0001\b\f\n\"\\"}'
    )


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    """Bytes that were no UTF-8 are written as U+FFFD, in Go's escaped form."""
    assert encode_json("a\ud800b") == rb'"a\ufffdb"'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, b"0"),
        (-0.0, b"-0"),
        (4.0, b"4"),
        (1e-05, b"0.00001"),
        (-1.25e-05, b"-0.0000125"),
        (1e-06, b"0.000001"),
        (1e-07, b"1e-7"),
        (1.5e-07, b"1.5e-7"),
        (1e16, b"10000000000000000"),
        (1.2345e17, b"123450000000000000"),
        (3.886434130596669e16, b"38864341305966690"),
        (1e21, b"1e+21"),
        (1.5e300, b"1.5e+300"),
        (-2.5, b"-2.5"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, written: bytes) -> None:
    """Fractions have no exponent between 1e-6 and 1e21 and no empty fraction; exponents have no leading zero."""
    assert encode_json(value) == written


@given(ANY_JSON)
def test_what_is_written_can_be_read_back(value: object) -> None:
    """Any JSON value without lone surrogates survives the way out and back."""
    assert json.loads(encode_json(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    """NaN and infinities raise ValueError."""
    with pytest.raises(ValueError, match="has no JSON form"):
        encode_json(value)


def test_other_types_are_refused() -> None:
    """An object that is no JSON value raises TypeError with its type."""
    with pytest.raises(TypeError, match=r"^bytes has no JSON form$"):
        encode_json({"image": b"x"})


def test_a_line_ends_with_a_newline() -> None:
    """A line of a stream is its JSON and a newline; an error body is one object without one."""
    assert encode_line({"done": False}) == b'{"done":false}\n'
    assert encode_error("model 'x' not found") == b'{"error":"model \'x\' not found"}'


@pytest.mark.parametrize(
    ("epoch_ns", "written"),
    [
        (1_795_338_040_123_456_789, "2026-11-22T09:00:40.123456789Z"),
        (1_795_338_040_120_000_000, "2026-11-22T09:00:40.12Z"),
        (1_795_338_040_000_000_000, "2026-11-22T09:00:40Z"),
        (0, "1970-01-01T00:00:00Z"),
    ],
)
def test_times_drop_trailing_zeros(epoch_ns: int, written: str) -> None:
    """A time is RFC 3339 in UTC with as many digits of the second as it needs."""
    assert format_time(epoch_ns) == written
