"""Where files are read: here, in processes of our own, or on a cluster; all behind the standard `Executor`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pytest_chimera.corpus.worker import receive, send
from pytest_chimera.errors import CorpusError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

IN_FLIGHT = 64
"""Tasks that are handed out before the first result is taken: enough for many workers, and few enough to hold."""
CONNECT_S = 5.0
"""How long a scheduler may take to answer."""
_START = "import sys; sys.path[:] = sys.argv[1:]; from pytest_chimera.corpus.worker import serve; serve()"


class WorkerProcesses(Executor):
    """Processes that run calls.

    `ProcessPoolExecutor` does the same with three drawbacks here: its workers import the program's main module again,
    which under pytest is pytest; forking instead is unsafe, because a pytest process has threads; and workers outlive
    a controller that is killed. These are bare interpreters that read calls from a pipe: they import nothing that a
    call does not need, and they end with the pipe. A call is a function of a module, and arguments that pickle.
    """

    def __init__(self, processes: int) -> None:
        """So many `processes`; they start while the caller prepares what they are to do."""
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="corpus")
        self._workers = [_start() for _ in range(processes)]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run `fn(*args)` in a process; keyword arguments are not taken."""
        assert not kwargs, "no call here has any"
        return self._threads.submit(self._call, fn, args)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all processes; with `cancel_futures` at once, in the middle of what they do."""
        if cancel_futures:
            for worker in self._workers:
                worker.kill()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for worker in self._workers:
            _end(worker)

    def _call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        worker = self._idle.get()
        assert worker.stdin is not None, "it was started with pipes"
        assert worker.stdout is not None, "it was started with pipes"
        try:
            send(worker.stdin, (function, arguments))
            fine, result = receive(worker.stdout)
        except (EOFError, OSError):
            raise BrokenExecutor(f"a worker process ended with exit status {worker.wait()}") from None
        finally:
            self._idle.put(worker)
        if not fine:
            raise result
        return result


def _start() -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in a terminal is for the controller, which ends its workers itself. No site module:
    # the controller's path is complete, and what hooks into every start of Python is not wanted here.
    return subprocess.Popen(  # noqa: S603  # this interpreter, our own module
        [sys.executable, "-I", "-S", "-c", _START, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close a worker's input, which ends it, and see that it went."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):  # what it was still to be told when it was killed
                stream.close()
    process.wait()


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    executor: Executor | None, function: Callable[[_Task], _Result], tasks: Iterable[_Task]
) -> Iterator[_Result]:
    """The result of each task, in the order of the tasks; without an executor each is worked on when it is its turn.

    Tasks are taken as they are needed, so that there may be more of them than fit into memory. When the caller stops,
    what was handed out is cancelled. Raises CorpusError when a worker ended.
    """
    if executor is None:
        yield from map(function, tasks)
        return
    handed: deque[Future[_Result]] = deque()
    try:
        for task in tasks:
            handed.append(executor.submit(function, task))
            if len(handed) >= IN_FLIGHT:
                yield _result(handed.popleft())
        while handed:
            yield _result(handed.popleft())
    finally:
        for future in handed:
            future.cancel()


def _result(future: Future[_Result]) -> _Result:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise CorpusError(
            f"The corpus was not read to its end: {error}.",
            "Accepted: workers with some 100 MiB of memory each.",
            "Read it with one process to see which file ends it, or with fewer processes.",
        ) from error


def scheduler_executor(address: str) -> Executor:
    """The workers of the Dask scheduler at `address` ("tcp://10.0.0.1:8786"); its `shutdown` leaves the cluster.

    Every worker needs this package in the same version, and the corpus under the same paths. Raises MissingExtraError
    without the package `distributed`, CorpusError when no scheduler answers.
    """
    try:
        distributed: Any = import_module("distributed")  # an extra, half a second to import
    except ImportError:
        raise MissingExtraError.of("distributed", "dask", "Reading on a Dask cluster") from None
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        why = str(error).strip().rstrip(".").partition("\n")[0] or type(error).__name__
        raise CorpusError(
            f"No Dask scheduler answers at {address!r}: {why}.",
            "Accepted: the address that `dask scheduler` prints, as in 'tcp://127.0.0.1:8786'.",
            "Start it with `dask scheduler` and workers with `dask worker ADDRESS`, or use the cores here without it.",
        ) from error
    return _Cluster(client)


class _Cluster(Executor):
    """A client of a cluster as an executor that closes the client when it is shut down."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call on any worker."""
        return cast("Future[Any]", self._executor.submit(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which goes on."""
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()
