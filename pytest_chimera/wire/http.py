"""HTTP/1.1 answers, read after the fact: stamped reads of a socket in, status, headers and stamped body pieces out.

No sockets and no clock. The client stamps raw reads and leaves all parsing to this module, when the answer has ended.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_END_OF_HEAD = b"\r\n\r\n"
_NO_BODY = {204, 304}
_FIRST_FINAL_STATUS = 200
_LONGEST_HEAD_BYTES = 1 << 18
_GZIP_WINDOW = zlib.MAX_WBITS | 32  # 32: gzip and zlib headers are both recognised


class Read(NamedTuple):
    """Bytes that came out of the socket at once, and when."""

    ns: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What stamped reads hold."""

    status: int | None = None
    """None while the head is incomplete or is not HTTP."""
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case; of repeated names the last."""
    headers_ns: int | None = None
    """Stamp of the read that completed the head."""
    pieces: tuple[Read, ...] = ()
    """The body without its framing and compression, each piece with the stamp of its read."""
    complete: bool = False
    """Whether the body ended as its framing says."""
    chunked: bool = False
    problem: str | None = None
    """Why the bytes are not an HTTP answer, or their framing is broken."""

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(piece.data for piece in self.pieces)


def read_http(reads: Sequence[Read], *, closed: bool, head_only: bool = False) -> HttpAnswer:
    """The answer that `reads` hold so far.

    `closed`: the other side has ended the connection, which ends a body that has no framing. `head_only`: the request
    was a HEAD, whose answer has no body.
    """
    buffer = b""
    for index, (ns, data) in enumerate(reads):
        buffer += data
        while (end := buffer.find(_END_OF_HEAD)) >= 0:
            status, reason, headers = read_head(buffer[:end])
            buffer = buffer[end + len(_END_OF_HEAD) :]
            if status is None:
                return HttpAnswer(problem=reason)
            if status >= _FIRST_FINAL_STATUS:  # before it stand interim answers such as 100 Continue
                body = [Read(ns, buffer), *reads[index + 1 :]]
                return _with_body(HttpAnswer(status=status, reason=reason, headers=headers, headers_ns=ns), body,
                                  closed=closed, head_only=head_only)  # fmt: skip
        if not buffer.startswith(b"HTTP/"[: len(buffer)]) or len(buffer) > _LONGEST_HEAD_BYTES:
            return HttpAnswer(problem=f"it does not begin as HTTP does: {_excerpt(buffer)}")
    return HttpAnswer()


def read_head(head: bytes) -> tuple[int | None, str, dict[str, str]]:
    """Status, reason and headers (lower case) of a head without the blank line that ends it.

    The status is None, and the reason says why, where it is not a head of HTTP/1.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit()):
        return None, f"it does not begin as HTTP does: {_excerpt(head)}", {}
    pairs = (line.partition(":") for line in lines)
    return int(code), reason.strip(), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _with_body(answer: HttpAnswer, reads: list[Read], *, closed: bool, head_only: bool) -> HttpAnswer:
    headers = answer.headers
    chunked = headers.get("transfer-encoding", "").lower().endswith("chunked")
    problem: str | None = None
    if head_only or answer.status in _NO_BODY:
        pieces, complete = [], True
    elif chunked:
        frames = Chunks()
        pieces = [Read(ns, body) for ns, data in reads if (body := frames.feed(data))]
        complete, problem = frames.complete, frames.problem
    elif "content-length" in headers:
        pieces, complete, problem = _of_length(headers["content-length"], reads)
    else:
        pieces, complete = [read for read in reads if read.data], closed
    if headers.get("content-encoding", "").lower() in {"gzip", "x-gzip", "deflate"}:
        pieces, unpacking = _unpacked(pieces)
        problem = problem or unpacking
    return HttpAnswer(
        status=answer.status, reason=answer.reason, headers=headers, headers_ns=answer.headers_ns,
        pieces=tuple(pieces), complete=complete and problem is None, chunked=chunked, problem=problem,
    )  # fmt: skip


def _of_length(length: str, reads: Sequence[Read]) -> tuple[list[Read], bool, str | None]:
    if not (length.isascii() and length.isdigit()):
        return [], False, f"its Content-Length is {length!r}"
    left, pieces = int(length), []
    for ns, data in reads:
        body = data[:left]
        left -= len(body)
        if body:
            pieces.append(Read(ns, body))
    return pieces, left == 0, None


def _unpacked(pieces: Sequence[Read]) -> tuple[list[Read], str | None]:
    """Pieces of a compressed body, unpacked one by one so that each keeps its stamp."""
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    unpacked: list[Read] = []
    for ns, data in pieces:
        try:
            body = unpacker.decompress(data)
        except zlib.error as error:
            return unpacked, f"its compressed body is broken ({error})"
        if body:
            unpacked.append(Read(ns, body))
    return unpacked, None


class Chunks:
    """The chunked framing, fed read by read, cut anywhere."""

    __slots__ = ("_in_trailer", "_left", "_pending", "complete", "problem")

    def __init__(self) -> None:
        """`complete` becomes true with the final chunk; `problem` says why the framing cannot be read on."""
        self._pending = b""
        self._left = 0
        """Bytes of the current chunk still to come, its closing CRLF included."""
        self._in_trailer = False
        self.complete = False
        self.problem: str | None = None

    def feed(self, data: bytes) -> bytes:
        """The body bytes among `data`."""
        if not (self._pending or self._left or self._in_trailer):
            # What streams are made of, one chunk in one read, in a third of the time that the general way takes.
            head, _, rest = data.partition(b"\r\n")
            if head.isalnum() and _size(head) == len(rest) - 2 != 0:
                return rest[:-2]
        if self._pending:
            data, self._pending = self._pending + data, b""
        position, body = 0, []
        while position < len(data) and not self.complete and self.problem is None:
            if self._left:
                take = min(self._left, len(data) - position)
                self._left -= take
                # The last two bytes of what is left are CRLF, of which any part may already be here.
                visible = take - max(0, 2 - self._left)
                if visible > 0:
                    body.append(data[position : position + visible])
                position += take
                continue
            end = data.find(b"\r\n", position)
            if end < 0:
                self._pending = data[position:]
                break
            self._line(data[position:end])
            position = end + 2
            if 0 < self._left <= len(data) - position:  # a whole chunk at once
                body.append(data[position : position + self._left - 2])
                position += self._left
                self._left = 0
        return b"".join(body)

    def _line(self, line: bytes) -> None:
        """A line between chunks: a size, or after the last chunk a trailer or the empty line that ends it all."""
        if self._in_trailer:
            self.complete = not line
            return
        size = _size(line.split(b";")[0])
        if size < 0:
            self.problem = f"its chunked framing is broken at {_excerpt(line)}"
        self._in_trailer = size == 0
        self._left = size + 2 if size > 0 else 0


def _size(digits: bytes) -> int:
    try:
        return int(digits, 16)
    except ValueError:
        return -1


def _excerpt(data: bytes, length: int = 40) -> str:
    text = data[:length].decode("latin-1")
    return repr(text) + ("..." if len(data) > length else "")
