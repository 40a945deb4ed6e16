"""Where files are read: in this process, in processes of our own, in threads, on a cluster; always with one result."""

from __future__ import annotations

import json
import operator
import os
import pickle
import select
import signal
import subprocess
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.corpus import Bounds, Vocabulary, read_corpus
from pytest_chimera.corpus.executors import IN_FLIGHT, WorkerProcesses, in_order, scheduler_executor
from pytest_chimera.corpus.streaming import summarise, tasks_of
from pytest_chimera.corpus.tasks import READ_TOGETHER
from pytest_chimera.errors import CorpusError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_chimera.corpus import Corpus

FILES = 2 * READ_TOGETHER + 7
"""Three tasks."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with more files than one task has, a broken one and a failed run among them."""
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(FILES):
        run: dict[str, Any] = {"model": "gemma3:270m", "ttft_s": 0.1 + number / 977, "tokens_s": 100 - number / 13}
        if number % 9 == 0:
            run["error"] = "Failed to connect"
        (folder / f"run-{number:04d}.json").write_text(json.dumps(run))
    (folder / "broken.json").write_text("{")
    (folder / "sweep.csv").write_text("model,num_gpu,ttft_s\n" + "".join(f"a:1b,{n},{n / 7}\n" for n in range(1, 60)))
    return folder


def all_of(corpus: Corpus) -> tuple[Any, ...]:
    """Everything that a corpus says, except how long it took."""
    return (corpus.roots, corpus.artifacts, corpus.measurements, corpus.others, corpus.left, corpus.summaries)


@pytest.mark.parametrize("stream", [False, True])
def test_who_reads_makes_no_difference(folder: Path, *, stream: bool) -> None:
    """One process, two processes, threads and the standard pool of processes give the same corpus to the last bit."""
    expected = all_of(read_corpus([folder], processes=1, stream=stream))
    assert all_of(read_corpus([folder], processes=2, stream=stream)) == expected
    with ThreadPoolExecutor(3) as threads:
        assert all_of(read_corpus([folder], executor=threads, stream=stream)) == expected
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert all_of(read_corpus([folder], executor=pool, stream=stream)) == expected


def test_a_call_comes_back_with_its_result() -> None:
    """Calls run in as many other processes as were asked for, and their results come in the order of the tasks."""
    with WorkerProcesses(2) as workers:
        assert list(in_order(workers, abs, range(-200, 0))) == list(range(200, 0, -1))
        assert len(set(in_order(workers, eval, ["__import__('os').getpid()"] * 20)) - {os.getpid()}) <= 2


def test_an_exception_of_a_call_is_raised_here() -> None:
    """What a call raises in a worker is raised where its result is asked for, and the worker goes on."""
    with WorkerProcesses(1) as workers:
        with pytest.raises(ZeroDivisionError):
            workers.submit(operator.truediv, 1, 0).result()
        with pytest.raises(TypeError, match="cannot pickle 'module' object"):
            workers.submit(__import__, "json").result()
        assert workers.submit(operator.truediv, 1, 2).result() == 0.5


def test_workers_know_nothing_of_pytest(folder: Path) -> None:
    """A worker that has read files has imported neither pytest nor the main module of this run."""
    names = "sorted({name.partition('.')[0] for name in __import__('sys').modules})"
    with WorkerProcesses(1) as workers:
        known = pickle.dumps((Vocabulary.built_in(), Bounds()))
        list(in_order(workers, summarise, tasks_of([folder], known, Bounds())))
        modules = workers.submit(eval, names).result()
    assert {"pytest", "_pytest", "__mp_main__"}.isdisjoint(modules)
    assert "pytest_chimera" in modules


def test_what_a_call_prints_does_not_get_between_the_answers(capfd: pytest.CaptureFixture[str]) -> None:
    """Text that is printed in a worker comes out at standard error."""
    with WorkerProcesses(1) as workers:
        assert workers.submit(print, "hello").result() is None
        assert workers.submit(abs, -1).result() == 1
    assert capfd.readouterr() == ("", "hello\n")


def test_a_worker_that_ends_is_an_error_in_three_parts() -> None:
    """When a worker is gone, the error says how it ended, what workers need and what to do."""
    with WorkerProcesses(1) as workers, pytest.raises(CorpusError) as caught:
        list(in_order(workers, os._exit, [3]))
    assert str(caught.value) == (
        "The corpus was not read to its end: a worker process ended with exit status 3."
        " Accepted: workers with some 100 MiB of memory each."
        " Read it with one process to see which file ends it, or with fewer processes."
    )


def test_tasks_are_taken_as_they_are_needed() -> None:
    """No more tasks are handed out than a bounded number beyond the results that were taken."""
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(1_000):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(1) as threads:
        results = in_order(threads, abs, tasks())
        assert next(results) == 0
        assert len(taken) == IN_FLIGHT
        results.close()
    assert len(taken) == IN_FLIGHT


BUSY = """
import os, sys, time
from pytest_chimera.corpus.executors import WorkerProcesses, in_order
workers = WorkerProcesses(2)
try:
    print(*set(in_order(workers, eval, ["__import__('os').getpid()"] * 2)), flush=True)
    if sys.argv[1] == "idle":
        sys.stdin.read()
    for _ in in_order(workers, time.sleep, [600, 600]):
        pass
except BaseException as error:
    workers.shutdown(cancel_futures=True)
    print(type(error).__name__, flush=True)
"""


def controller(what: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A process with two workers, and their ids."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    workers = [int(word) for word in process.stdout.readline().split()]
    return process, [os.pidfd_open(worker) for worker in workers]


def all_end(workers: list[int]) -> bool:
    """Whether processes end within ten seconds."""
    ended = []
    for descriptor in workers:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        ended.append(bool(waiting.poll(10_000)))
        os.close(descriptor)
    return all(ended) and bool(ended)


def test_ctrl_c_ends_busy_workers() -> None:
    """An interrupt ends the controller and workers in the middle of their work."""
    process, workers = controller("busy")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    assert output == "KeyboardInterrupt\n"
    assert all_end(workers)


def test_workers_do_not_outlive_a_controller_that_is_killed() -> None:
    """When the controller is gone without a word, its workers end."""
    process, workers = controller("idle")
    process.kill()
    process.communicate(timeout=10)
    assert all_end(workers)


def test_a_cluster_without_its_package_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where distributed is not installed, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError) as caught:
        scheduler_executor("tcp://127.0.0.1:8786")
    assert str(caught.value) == (
        "Reading on a Dask cluster needs the package 'distributed', which is not installed."
        " Install it with: pip install 'pytest-chimera[dask]'"
    )


class Elsewhere(Executor):
    """Workers that do not see a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the call while the folder is away."""
        future: Future[Any] = Future()
        away = self._folder.rename(self._folder.with_name("away"))
        try:
            future.set_result(fn(*args, **kwargs))
        finally:
            away.rename(self._folder)
        return future


@pytest.mark.parametrize("stream", [False, True])
def test_a_file_that_a_worker_does_not_see_is_an_error(tmp_path: Path, *, stream: bool) -> None:
    """A path that can be opened here and not where it is read is an error in three parts, not a remark."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    file = folder / "run.json"
    file.write_text('{"ttft_s": 1.5}')
    with pytest.raises(CorpusError) as caught:
        read_corpus([folder], executor=Elsewhere(folder), stream=stream)
    assert str(caught.value) == (
        f"A worker on {os.uname().nodename!r} cannot open {str(file)!r}, which can be read here:"
        " No such file or directory."
        " Accepted: a corpus that every worker sees under the same path, as on a shared file system."
        " Give its path as the workers see it, or read it here, without a scheduler."
    )


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of its scheduler."""
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1",
        dashboard_address=None, worker_dashboard_address=None,
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


@pytest.mark.parametrize("stream", [False, True])
def test_a_cluster_reads_the_same_corpus(address: str, folder: Path, *, stream: bool) -> None:
    """Two workers of a cluster give the corpus that one process gives, and the cluster goes on afterwards."""
    expected = all_of(read_corpus([folder], processes=1, stream=stream))
    for _ in range(2):
        with scheduler_executor(address) as executor:
            assert all_of(read_corpus([folder], executor=executor, stream=stream)) == expected


def test_a_scheduler_that_does_not_answer_is_an_error_in_three_parts() -> None:
    """Where nothing listens, the error comes soon and says what was tried, what is accepted and what to do."""
    pytest.importorskip("distributed", reason="needs the extra dask")
    with pytest.raises(CorpusError) as caught:
        scheduler_executor("tcp://127.0.0.1:9")
    assert caught.value.what.startswith("No Dask scheduler answers at 'tcp://127.0.0.1:9': ")
    assert caught.value.accepted == (
        "Accepted: the address that `dask scheduler` prints, as in 'tcp://127.0.0.1:8786'."
    )
    assert caught.value.next_step == (
        "Start it with `dask scheduler` and workers with `dask worker ADDRESS`, or use the cores here without it."
    )
