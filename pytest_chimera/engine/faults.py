"""What can go wrong between a client and a server, as values that compose; engine.proxy puts them before any server.

Each fault turns a stream of actions (bytes of the HTTP answer, pauses, an end) into another one. No sockets, no
waiting.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from pytest_chimera.engine.framing import Answered, read_answer, write_answer
from pytest_chimera.wire.encode import encode_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """Nothing follows: the connection is closed, reset, or left open in silence."""

    how: Literal["close", "reset", "silence"]


Action = bytes | Pause | End
Actions = Iterator[Action]


class Fault(Protocol):
    """One thing that goes wrong."""

    def apply(self, actions: Actions) -> Actions:
        """The actions of one answer with this fault in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The answer waits once, before byte `after_bytes` of it (0: before its status line)."""

    seconds: float
    after_bytes: int = 0

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        return _at(actions, self.after_bytes, lambda rest: iter((Pause(self.seconds), rest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """After so many bytes silence, on a connection that stays open."""

    after_bytes: int = 0

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        return _at(actions, self.after_bytes, lambda _: iter((End("silence"),)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """After so many bytes the connection is closed, or reset."""

    after_bytes: int = 0
    reset: bool = False

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        return _at(actions, self.after_bytes, lambda _: iter((End("reset" if self.reset else "close"),)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Garble:
    """From byte `at_byte` on, other bytes stand in place of the true ones."""

    at_byte: int
    data: bytes

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        seen = 0
        for action in actions:
            if not isinstance(action, bytes):
                yield action
                continue
            changed = bytearray(action)
            for offset, byte in enumerate(self.data, start=self.at_byte - seen):
                if 0 <= offset < len(changed):
                    changed[offset] = byte
            seen += len(action)
            yield bytes(changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip:
    """The answer comes in pieces of `size` bytes with a pause before each: lines split over packets."""

    size: int = 1
    interval_s: float = 0.001

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        for action in actions:
            if not isinstance(action, bytes):
                yield action
                continue
            for start in range(0, len(action), self.size):
                yield Pause(self.interval_s)
                yield action[start : start + self.size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clump:
    """Bytes are held back until there are `size` of them, or the end: many lines in one packet."""

    size: int = 1 << 30

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        held = b""
        for action in actions:
            if isinstance(action, bytes):
                held += action
                if len(held) < self.size:
                    continue
            if held:
                yield held
                held = b""
            if not isinstance(action, bytes):
                yield action
        if held:
            yield held


@dataclass(frozen=True, slots=True, kw_only=True)
class EditLines:
    """In the lines of the body (all, or the one of number `line` from 0) what `find` matches is replaced.

    Patterns and replacements are those of `re.sub`, over bytes. The HTTP framing stays right.
    """

    find: bytes
    replace: bytes
    line: int | None = None

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""

        def edit(number: int, line: bytes) -> bytes:
            return re.sub(self.find, self.replace, line) if self.line in {None, number} else line

        return _edited(actions, edit)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertLine:
    """A line of one's own after so many lines; with `ends` the stream ends properly behind it."""

    data: bytes
    after_lines: int = 0
    ends: bool = True

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        answer = read_answer(actions)
        return write_answer(answer, self._parts(answer))

    def _parts(self, answer: Answered) -> Actions:
        line = self.data.rstrip(b"\n") + b"\n"
        count = 0
        for part in answer.parts:
            if count == self.after_lines and isinstance(part, bytes):
                yield line
                if self.ends:
                    return
            count += isinstance(part, bytes)
            yield part
        if count <= self.after_lines:
            yield line


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAfterLines:
    """The stream ends properly after so many lines: no final chunk, no error line."""

    after_lines: int

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        answer = read_answer(actions)
        return write_answer(answer, self._parts(answer))

    def _parts(self, answer: Answered) -> Actions:
        count = 0
        for part in answer.parts:
            if count == self.after_lines:
                return
            count += isinstance(part, bytes)
            yield part


@dataclass(frozen=True, slots=True, kw_only=True)
class Gzip:
    """The body is compressed, as a proxy in between may do; each line can still be read when it comes."""

    def apply(self, actions: Actions) -> Actions:
        """See Fault."""
        answer = read_answer(actions)
        return write_answer(answer, self._parts(answer), {b"content-encoding": b"gzip"})

    def _parts(self, answer: Answered) -> Actions:
        packer = zlib.compressobj(wbits=31)
        for part in answer.parts:
            yield packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) if isinstance(part, bytes) else part
        yield packer.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of one's own; the server is not asked."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    def apply(self, actions: Actions) -> Actions:  # noqa: ARG002  # the server's answer is what is replaced
        """See Fault."""
        fields = {"Content-Length": str(len(self.body)), "Connection": "close", **self.headers}
        if self.body:
            fields = {"Content-Type": self.content_type, **fields}
        lines = [f"HTTP/1.1 {self.status} Fault", *(f"{name}: {value}" for name, value in fields.items())]
        yield "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def error_answer(status: int, message: str) -> Answer:
    """An error as Ollama writes it."""
    return Answer(status=status, body=encode_error(message))


def apply_all(faults: tuple[Fault, ...], actions: Actions) -> Actions:
    """The actions with all faults in them, the first one nearest to the server."""
    for fault in faults:
        actions = fault.apply(actions)
    return actions


def _at(actions: Actions, position: int, then: Callable[[bytes], Actions]) -> Actions:
    """The actions with those of `then(rest)` at a position of the bytes; an End among them is the last."""
    seen = 0
    reached = False
    for action in actions:
        if reached or not isinstance(action, bytes) or seen + len(action) <= position:
            seen += len(action) if isinstance(action, bytes) else 0
            yield action
            continue
        reached = True
        head, rest = action[: position - seen], action[position - seen :]
        if head:
            yield head
        for new in then(rest):
            yield new
            if isinstance(new, End):
                return


def _edited(actions: Actions, edit: Callable[[int, bytes], bytes]) -> Actions:
    answer = read_answer(actions)

    def parts() -> Actions:
        number = 0
        for part in answer.parts:
            if not isinstance(part, bytes):
                yield part
                continue
            yield edit(number, part)
            number += 1

    return write_answer(answer, parts())
