"""A worker process: calls that come in at standard input, their results at standard output, until the input ends.

It is started by `executors.WorkerProcesses` and by nobody else.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from typing import IO, Any

LENGTH = struct.Struct("<Q")
"""Bytes of the pickle that follows."""


def send(stream: IO[bytes], content: Any) -> None:
    """Write one pickled object with its length before it."""
    data = pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read what `send` wrote.

    Raises EOFError when the other end is gone.
    """
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)  # noqa: S301  # both ends are this program, joined by a pipe that nobody else has


def serve() -> None:
    """Answer calls until there are no more: when the controller is gone, however it went, the input ends."""
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints must not get between the answers
    while True:
        try:
            function, arguments = receive(calls)
        except EOFError:
            return
        try:
            send(answers, (True, function(*arguments)))
        except BrokenPipeError:
            return
        except Exception as error:  # noqa: BLE001  # it is raised where the call was made
            send(answers, (False, error))
