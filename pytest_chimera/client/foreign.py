"""Exceptions of `ollama` and `httpx` as ours, at the one place where they come in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_chimera.errors import HostAnswerError, HostError, HostUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_chimera.records import Failure

_START = (
    "Start Ollama with 'ollama serve', name another host with --chimera-host or OLLAMA_HOST, "
    "or measure without one: --chimera-model tiny."
)


def unreachable(url: str, why: str) -> HostUnreachableError:
    """The error for a server that could not be connected to."""
    return HostUnreachableError(f"No Ollama can be reached at {url}: {why}.", "", _START)


def bad_answer(url: str, why: str) -> HostAnswerError:
    """The error for a server that answered, but with an error or not as Ollama answers."""
    return HostAnswerError(
        f"The request to {url} failed: {why}.", "", "Look into the server's log, or check that it is an Ollama."
    )


def host_error(url: str, failure: Failure) -> HostError:
    """The error for a request of our own that failed, of the class of its fault."""
    general = unreachable(url, failure.message) if failure.kind == "connect" else bad_answer(url, failure.message)
    return failure.error(*general.args)


@contextmanager
def as_host_errors(url: str) -> Iterator[None]:
    """Turn whatever the `ollama` client raises within into a HostError about `url`."""
    import httpx  # noqa: PLC0415  # heavy, and here already because ollama is in use
    import ollama  # noqa: PLC0415  # same

    try:
        yield
    except ollama.ResponseError as error:
        text = str(error.error).strip().rstrip(".") or "an error with no body"
        status = f" (status {error.status_code})" if error.status_code > 0 else ""
        raise bad_answer(url, f"{text}{status}") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        raise unreachable(url, _words(error)) from error
    except ConnectionError as error:
        # The ollama package hides what happened behind an advertisement for itself; the cause is still attached.
        raise unreachable(url, _words(error.__context__ or error)) from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise bad_answer(url, f"it took too long ({type(error).__name__})") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
        raise bad_answer(url, _words(error)) from error
    except ollama.RequestError as error:
        raise bad_answer(url, error.error) from error
    except (ValueError, TypeError, AttributeError) as error:
        # No JSON, or JSON of another shape: pydantic's errors are ValueErrors, and a list where an object is expected
        # makes the ollama package stumble.
        raise bad_answer(url, "what it sent is not what Ollama sends") from error


def _words(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
