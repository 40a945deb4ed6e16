"""What the fixture `chimera_model` gives: the model under test, and a way to ask it that others may time."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pytest_chimera.suites.cases import Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_chimera.plugin.servers import Server
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.records import Case, Generation, Message, ModelInfo
    from pytest_chimera.suites.bench import Bench

_QUESTION = {each.name for each in fields(Question)}


class ChimeraModel:
    """The model that a test measures; `str()` of it is its name."""

    def __init__(self, info: ModelInfo, session: ChimeraSession, server: Server) -> None:
        self.info = info
        self.server = server
        self._session = session
        self._last: tuple[Any, Bench, Case] | None = None

    @property
    def name(self) -> str:
        """With its tag, as the server lists it: "gemma3:latest"."""
        return self.info.name

    @property
    def digest(self) -> str | None:
        """SHA-256 (hex) by which the server knows it."""
        return self.info.digest

    @property
    def family(self) -> str | None:
        """Architecture: "gemma3", "llama"."""
        return self.info.family

    @property
    def parameter_size(self) -> str | None:
        """As Ollama writes it: "268.10M"."""
        return self.info.parameter_size

    @property
    def quantization(self) -> str | None:
        """As Ollama writes it: "Q4_K_M"."""
        return self.info.quantization

    @property
    def context_length(self) -> int | None:
        """Tokens that it was trained for."""
        return self.info.context_length

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Such as "completion", "tools", "thinking", "vision"."""
        return self.info.capabilities

    @property
    def host(self) -> str:
        """Address of the server that answers for it."""
        return self.server.host.url

    def generate(self, prompt: str, **arguments: Any) -> Generation:
        """One request to `/api/generate`, to be timed by others as in `benchmark(chimera_model.generate, "Why?")`.

        `arguments` are those of a `chimera(...)` call. Raises the HostError of its fault when the request fails.
        """
        return self._ask({"prompt": prompt, "endpoint": "generate", **arguments})

    def chat(self, messages: str | Sequence[Mapping[str, Any] | Message], **arguments: Any) -> Generation:
        """One request to `/api/chat`; a text is one message of the user. See `generate`."""
        asked = {"prompt": messages} if isinstance(messages, str) else {"messages": messages}
        return self._ask({"endpoint": "chat", **asked, **arguments})

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<ChimeraModel {self.name} at {self.host}>"

    def _ask(self, arguments: dict[str, Any]) -> Generation:
        from pytest_chimera.plugin.plain import calls_of  # noqa: PLC0415  # only where a plain benchmark runs

        bench, case = self._case(arguments)
        generation = bench.runner.once(case)
        item = self._session.item
        calls = calls_of(item) if item is not None else None
        if calls is not None:
            calls.add(generation, self.info, self.server.host)
        if generation.failure is not None:
            failure = generation.failure
            raise failure.error(f"The request to {self.name} at {self.host} failed: {failure.message}")
        return generation

    def _case(self, arguments: dict[str, Any]) -> tuple[Bench, Case]:
        """The same question is checked and built once: others time this call, and want the request in their numbers."""
        item = self._session.item
        assert item is not None, "a fixture of a running test gave this object"
        key = (item.nodeid, arguments)
        if self._last is None or self._last[0] != key:
            from pytest_chimera.plugin.runners import bench_for  # noqa: PLC0415  # which needs this module

            bench = bench_for(item, self)
            question = Question(**{name: value for name, value in arguments.items() if name in _QUESTION})
            rest = {name: value for name, value in arguments.items() if name not in _QUESTION}
            self._last = (key, bench, bench.case(question, **rest))
        return self._last[1], self._last[2]
