"""Every exception of `httpx` and `ollama` has its place among ours."""

from __future__ import annotations

import json
from typing import Any

import httpx
import ollama
import pytest

from pytest_chimera.client.foreign import as_host_errors, host_error
from pytest_chimera.errors import ClosedMidAnswerError, HostAnswerError, HostUnreachableError, NothingListensError
from pytest_chimera.records import Failure

REQUEST = httpx.Request("GET", "http://x")
UNREACHABLE = {
    httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, ConnectionError,
    ConnectionRefusedError, ConnectionResetError,
}  # fmt: skip


def made(kind: type[Exception]) -> Exception:
    """An exception of the class, with the arguments that it insists on."""
    if kind is httpx.HTTPStatusError:
        return kind("status", request=REQUEST, response=httpx.Response(500, request=REQUEST))  # type: ignore[call-arg]
    if kind in {httpx.StreamConsumed, httpx.ResponseNotRead, httpx.RequestNotRead, httpx.StreamClosed}:
        return kind()
    if kind is json.JSONDecodeError:
        return kind("no JSON", "x", 0)  # type: ignore[call-arg]
    if kind is UnicodeDecodeError:
        return kind("utf-8", b"\xff", 0, 1, "invalid")  # type: ignore[call-arg]
    return kind("words")


def foreign_exceptions() -> list[type[Exception]]:
    """Every public exception of both packages, and what they let through of Python's own."""
    public = [getattr(module, name) for module in (httpx, ollama) for name in module.__all__]
    found = [each for each in public if isinstance(each, type) and issubclass(each, Exception)]
    return [
        *found,
        *(ConnectionError, ConnectionRefusedError, ConnectionResetError, TimeoutError, ValueError),
        *(json.JSONDecodeError, UnicodeDecodeError),
    ]


def test_the_list_is_not_empty() -> None:
    """The packages are seen to have the exceptions that are known of."""
    assert {httpx.ConnectError, httpx.ReadTimeout, httpx.InvalidURL, ollama.ResponseError} <= set(foreign_exceptions())


@pytest.mark.parametrize("kind", foreign_exceptions(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_a_foreign_exception_becomes_ours(kind: type[Exception]) -> None:
    """Each of them becomes a HostError that carries it as its cause."""
    foreign = made(kind)
    expected = HostUnreachableError if kind in UNREACHABLE else HostAnswerError
    with pytest.raises(expected) as caught, as_host_errors("http://x"):
        raise foreign
    assert caught.value.__cause__ is foreign
    assert str(caught.value).startswith(
        "No Ollama can be reached at http://x: " if kind in UNREACHABLE else "The request to http://x failed: "
    )


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError, HostAnswerError])
def test_what_is_not_foreign_passes(kind: Any) -> None:
    """Ctrl-C, mistakes of our own and errors of ours are left as they are."""
    with pytest.raises(kind), as_host_errors("http://x"):
        raise kind("words")


def test_failures_of_our_own_requests() -> None:
    """Each is the class of its fault: of a failed connection an unreachable host, of any other a bad answer."""
    refused = Failure(kind="connect", cause="refused", message="nothing listens")
    cut = Failure(kind="cut", cause="closed", message="it was cut")
    assert type(host_error("http://x", refused)) is NothingListensError
    assert type(host_error("http://x", cut)) is ClosedMidAnswerError
    assert issubclass(NothingListensError, HostUnreachableError)
    assert issubclass(ClosedMidAnswerError, HostAnswerError)
