"""Turns on one host, between real processes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pytest_chimera.suites.exclusive import HostLock, host_key

HOLDER = """
import sys
from pathlib import Path
from pytest_chimera.suites.exclusive import HostLock
with HostLock(sys.argv[1], Path(sys.argv[2])).turn(lambda: print("waits", flush=True)):
    print("holds", flush=True)
    sys.stdin.readline()
print("done", flush=True)
"""


def holder(url: str, folder: Any) -> subprocess.Popen[str]:
    """A process that takes a turn and holds it until it gets a line."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, url, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_second_process_waits_for_its_turn(tmp_path: Any) -> None:
    """While one process holds a host, another is told that it waits, and goes on when the first has finished."""
    with holder("http://127.0.0.1:11434", tmp_path) as first, holder("http://other:11434", tmp_path) as elsewhere:
        assert first.stdout.readline() == "holds\n"
        assert elsewhere.stdout.readline() == "holds\n"
        with holder("http://localhost:11434", tmp_path) as second:
            assert second.stdout.readline() == "waits\n"
            first.communicate("\n")
            assert second.stdout.readline() == "holds\n"
            second.communicate("\n")
        elsewhere.communicate("\n")


def test_a_killed_holder_gives_its_turn_back(tmp_path: Any) -> None:
    """The system frees the lock of a process that was killed."""
    with holder("http://127.0.0.1:1", tmp_path) as first:
        assert first.stdout.readline() == "holds\n"
        first.kill()
        first.communicate()
    waits: list[str] = []
    with HostLock("http://127.0.0.1:1", tmp_path).turn(lambda: waits.append("waits")):
        assert len(list(tmp_path.iterdir())) == 1
    assert waits == []


def test_a_turn_ends_with_an_error_inside_it(tmp_path: Any) -> None:
    """After an exception the host is free again."""
    lock, waits = HostLock("http://h:1", tmp_path), []
    with pytest.raises(KeyboardInterrupt), lock.turn(lambda: waits.append("waits")):
        raise KeyboardInterrupt
    with lock.turn(lambda: waits.append("waits")):
        assert waits == []


def test_a_file_that_is_not_held_can_be_discarded(tmp_path: Any) -> None:
    """After the last turn no file is left; one that is held stays."""
    lock = HostLock("http://h:1", tmp_path)
    lock.discard()
    with lock.turn(lambda: None):
        lock.discard()
        assert lock.path.exists()
    lock.discard()
    assert list(tmp_path.iterdir()) == []


def test_who_waited_for_a_file_that_was_discarded_locks_the_new_one(tmp_path: Any) -> None:
    """A waiting process notices that its file is gone, and never holds a host beside another."""
    lock = HostLock("http://h:1", tmp_path)
    with lock.turn(lambda: None):
        second = holder("http://h:1", tmp_path)
        assert second.stdout.readline() == "waits\n"
        lock.path.unlink()
    with second:
        assert second.stdout.readline() == "holds\n"
        waits: list[str] = []
        with pytest.raises(KeyboardInterrupt), lock.turn(lambda: interrupt(waits)):
            pass
        assert waits == ["waits"]
        second.communicate("\n")


def interrupt(waits: list[str]) -> None:
    """Ctrl-C while waiting."""
    waits.append("waits")
    raise KeyboardInterrupt


def test_all_ways_to_write_this_machine_are_one_host() -> None:
    """Loopback addresses differ in nothing but their port; other hosts and schemes are told apart."""
    here = {host_key(url) for url in ("http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "LOCALHOST:1")}
    assert len(here) == 1
    assert len({host_key(url) for url in ("http://localhost:1", "http://localhost:2", "http://h:1", "https://h")}) == 4
    assert host_key("https://h") == host_key("https://H:443/ollama")
