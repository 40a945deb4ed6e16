"""An HTTP answer taken apart into head and body lines and put together again, so that faults can edit lines.

Written for what Ollama and our engine send (a length, chunks, or the connection's end); not an HTTP client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_chimera.wire.http import Chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Answered:
    """Head and body; whatever is not bytes passes through at its place."""

    status_line: bytes
    headers: Mapping[bytes, bytes]
    """Lower-case names."""
    parts: Iterator[Any]
    """Of the body: whole lines, with their newline where they have one."""


def read_answer(actions: Iterator[Any]) -> Answered:
    """Take the head off; an answer that ends within its head has no headers and no parts."""
    head = b""
    for action in actions:
        if not isinstance(action, bytes):
            return Answered(head, {}, iter((action,)))
        head += action
        if b"\r\n\r\n" in head:
            break
    block, _, rest = head.partition(b"\r\n\r\n")
    status_line, *lines = block.split(b"\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    return Answered(status_line, headers, _lines(_body(rest, actions, headers)))


def write_answer(answer: Answered, parts: Iterator[Any], headers: Mapping[bytes, bytes] | None = None) -> Iterator[Any]:
    """The answer with these parts as its body, each an HTTP chunk, and these headers added."""
    fields = {name: value for name, value in answer.headers.items() if name != b"content-length"}
    fields.update({b"transfer-encoding": b"chunked", **(headers or {})})
    lines = [answer.status_line, *(name + b": " + value for name, value in fields.items())]
    yield b"\r\n".join(lines) + b"\r\n\r\n"
    for part in parts:
        if not isinstance(part, bytes):
            yield part
        elif part:
            yield b"%x\r\n%b\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def _body(rest: bytes, actions: Iterator[Any], headers: Mapping[bytes, bytes]) -> Iterator[Any]:
    unchunk = Chunks().feed if b"chunked" in headers.get(b"transfer-encoding", b"") else bytes
    yield unchunk(rest)
    for action in actions:
        yield unchunk(action) if isinstance(action, bytes) else action


def _lines(parts: Iterator[Any]) -> Iterator[Any]:
    rest = b""
    for part in parts:
        if not isinstance(part, bytes):
            yield part
            continue
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest
