"""The face of the client: measure, and ask a server about itself and its models.

Measuring goes its own way (`measuring`); everything else goes through the `ollama` package, which is imported when it
is first needed. Both use one Connection.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Literal

from pytest_chimera.client.clock import Clock, SystemClock
from pytest_chimera.client.exchange import Request, exchange
from pytest_chimera.client.foreign import as_host_errors, bad_answer, host_error
from pytest_chimera.client.measuring import measure
from pytest_chimera.client.stamps import keep_stamping
from pytest_chimera.errors import ModelError, nearest
from pytest_chimera.records import HostInfo, LoadedModel, ModelInfo
from pytest_chimera.units import s_to_ns
from pytest_chimera.wire.faults import http_failure
from pytest_chimera.wire.names import canonical_model, same_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx
    from ollama import Client as OllamaClient

    from pytest_chimera.client.connection import Connection
    from pytest_chimera.records import Case, Generation

_OK = 200
_OUR_ENGINE = "+chimera"
"""How the version that our own engine reports ends."""
_QUESTION_S = 30.0
"""For questions that no model has to answer."""
_UNLOADING_S = 30.0
_UNLOADING_STEP_S = 0.02


class Client:
    """One server, as everything above needs it; safe to use from several threads."""

    def __init__(self, connection: Connection, *, clock: Clock | None = None) -> None:
        """`clock` stamps what is sent and, where the kernel does not, what arrives; the machine's own by default."""
        self.connection = connection
        self._clock: Clock = clock if clock is not None else SystemClock()
        keep_stamping(self, self._clock)

    @property
    def url(self) -> str:
        """Address of the server, without credentials."""
        return self.connection.url

    def measure(self, case: Case, *, nonce: str | None) -> Generation:
        """One request of `case`, whose failure, if any, is `Generation.failure` and is not raised.

        `nonce`: 8 digits that are put before the prompt, or None. Raises MarkerError for a case that its endpoint
        cannot say.
        """
        return measure(self.connection, case, nonce=nonce, clock=self._clock)

    def host_info(self) -> HostInfo:
        """Who answers there; also the way to find out whether anybody does.

        Raises HostUnreachableError or HostAnswerError.
        """
        request = Request(method="GET", path="/api/version", timeout_s=_QUESTION_S)
        seen = exchange(self.connection, request, self._clock)
        failure = seen.failure
        if failure is None and seen.http.status != _OK and seen.http.problem is None:
            failure = http_failure(seen.http)
        if failure is not None:
            raise host_error(self.url, failure)
        version = _version(seen.http.body)
        if version is None:
            raise bad_answer(self.url, "its /api/version is not Ollama's")
        engine: Literal["ollama", "embedded"] = "embedded" if version.endswith(_OUR_ENGINE) else "ollama"
        return HostInfo(url=self.url, version=version, engine=engine, shares_clock=self.connection.shares_clock)

    def models(self) -> tuple[ModelInfo, ...]:
        """The installed models, as the server lists them.

        Raises HostError.
        """
        with as_host_errors(self.url):
            found = self._questions().list().models
        return tuple(_listed(each) for each in found if each.model)

    def model(self, name: str) -> ModelInfo:
        """All that is known of the installed model `name`.

        Raises ModelError that lists what is installed, or HostError.
        """
        canonical_model(name)  # refuses what is no name
        installed = self.models()
        listed = next((each for each in installed if same_model(each.name, name)), None)
        if listed is None:
            raise _not_installed(name, self.url, installed)
        with as_host_errors(self.url):
            shown = self._questions().show(listed.name)
        return _completed(listed, shown)

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory.

        Raises HostError.
        """
        with as_host_errors(self.url):
            found = self._questions().ps().models
        return tuple(_in_memory(each) for each in found if each.model or each.name)

    def unload(self, name: str) -> None:
        """Take the model out of memory and wait until it is gone.

        Raises HostError, also when it is still there after 30 s.
        """
        with as_host_errors(self.url):
            self._questions().generate(model=name, keep_alive=0)
        deadline = self._clock.monotonic_ns() + s_to_ns(_UNLOADING_S)
        while any(same_model(each.name, name) for each in self.loaded()):
            if self._clock.monotonic_ns() > deadline:
                raise bad_answer(self.url, f"it still has {name} in memory {_UNLOADING_S:g} s after unloading it")
            time.sleep(_UNLOADING_STEP_S)

    def pull(self, name: str, progress: Callable[[str, int | None, int | None], None]) -> None:
        """Let the server download the model; `progress` is told (what it is at, bytes done, bytes in all).

        Raises HostError.
        """
        status = "nothing"
        # Without a timeout: a layer of some GB may be verified for minutes without a word.
        steps = iter(self._client(timeout=None, limits=_no_keep_alive()).pull(name, stream=True))
        while True:
            with as_host_errors(self.url):
                step = next(steps, None)
            if step is None:
                break
            status = step.status or status
            progress(status, step.completed, step.total)
        if status != "success":
            raise bad_answer(self.url, f"pulling {name} ended with {status!r}")

    def ollama(self, *, timeout_s: float | None = None) -> OllamaClient:
        """A client of the `ollama` package that takes the same way: host, headers, TLS and proxy.

        `timeout_s` is None by default, as there: it waits for ever. Its open connections are the caller's to close.
        """
        return self._client(timeout=timeout_s)

    def _questions(self) -> OllamaClient:
        """A client that leaves no connection open behind it."""
        return self._client(timeout=_QUESTION_S, limits=_no_keep_alive())

    def _client(self, **httpx_arguments: Any) -> OllamaClient:
        import ollama  # noqa: PLC0415  # heavy: it brings httpx and pydantic

        connection = self.connection
        return ollama.Client(
            host=self.url,
            headers=dict(connection.headers),
            # Found out already, by the rules that httpx follows: both clients take the same way.
            trust_env=False,
            proxy=None if connection.proxy is None else connection.proxy.url,
            verify=connection.ssl_context(),
            **httpx_arguments,
        )


def _no_keep_alive() -> httpx.Limits:
    import httpx  # noqa: PLC0415  # heavy, and ollama brings it

    return httpx.Limits(max_keepalive_connections=0)


def _version(body: bytes) -> str | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    version = found.get("version") if isinstance(found, dict) else None
    return version if isinstance(version, str) else None


def _listed(found: Any) -> ModelInfo:
    details = found.details
    return ModelInfo(
        name=canonical_model(found.model),
        digest=found.digest,
        family=getattr(details, "family", None) or None,
        parameter_size=getattr(details, "parameter_size", None) or None,
        quantization=getattr(details, "quantization_level", None) or None,
        format=getattr(details, "format", None) or None,
        size_bytes=None if found.size is None else int(found.size),
    )


def _completed(listed: ModelInfo, shown: Any) -> ModelInfo:
    """What `/api/tags` said, with what only `/api/show` says."""
    facts = dict(shown.modelinfo or {})
    context_length = facts.get(f"{facts.get('general.architecture')}.context_length")
    return ModelInfo.from_dict(
        {
            **listed.as_dict(),
            "context_length": context_length if isinstance(context_length, int) else None,
            "capabilities": [str(each) for each in getattr(shown, "capabilities", None) or ()],
        }
    )


def _in_memory(found: Any) -> LoadedModel:
    return LoadedModel(
        name=canonical_model(found.model or found.name),
        digest=found.digest,
        context_length=getattr(found, "context_length", None),
        size_bytes=None if found.size is None else int(found.size),
        size_vram_bytes=None if found.size_vram is None else int(found.size_vram),
    )


def _not_installed(name: str, url: str, installed: Iterable[ModelInfo]) -> ModelError:
    names = [each.name for each in installed]
    accepted = f"Installed: {', '.join(names)}." if names else "No model is installed there."
    guess = nearest(canonical_model(name), names)
    advice = f"Get it with 'ollama pull {name}', or run with --chimera-pull."
    return ModelError(f"The model {name!r} is not installed at {url}.", accepted, f"{guess} {advice}".strip())
