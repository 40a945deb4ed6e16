"""From bytes to text: byte order marks, UTF-16, text that was encoded twice, and what is no text at all."""

from __future__ import annotations

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LOOKED_AT = 8192
_MANY_ZEROS = 0.2


def decode(data: bytes) -> tuple[str, str | None]:
    """(text, remark or None) of a file's bytes; the remark says what had to be guessed.

    Raises ValueError, in a sentence, when they are no text.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(name), None
            except UnicodeDecodeError as error:
                raise ValueError(f"it starts as {name} and is not: {error.reason}") from error
    start = data[:_LOOKED_AT]
    if start.startswith("\u00ff\u00fe".encode()) and b"\0" in start:
        return _decoded_twice(data), "UTF-16 that was encoded once more as UTF-8; decoded twice"
    if b"\0" in start:
        zeros = start.count(b"\0") / len(start)
        if zeros > _MANY_ZEROS:
            name = "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
            try:
                return data.decode(name), f"{name} without a byte order mark"
            except UnicodeDecodeError:
                pass
        raise ValueError("it is binary")
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    control = sum(byte < 9 or 13 < byte < 32 for byte in start)  # noqa: PLR2004  # tab to carriage return, space
    if control > len(start) * 0.02:
        raise ValueError("it is binary")
    return data.decode("cp1252", "replace"), "not UTF-8; read as Windows-1252"


def _decoded_twice(data: bytes) -> str:
    return data.decode("utf-8", "replace").encode("latin-1", "replace").decode("utf-16", "replace").lstrip("\ufeff")
