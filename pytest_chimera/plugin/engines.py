"""What the fixture `chimera_engine` gives: engines for people's own tests, all stopped when the test ends."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine.process import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from pytest_chimera.engine.script import Script


class Engines:
    """Starts engines, each an Ollama-protocol server at its `.url`, and stops them all."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def scripted(self, script: Script | Mapping[str, Any]) -> EmbeddedEngine:
        """An engine that says what the script says; raises UserError when the script is not usable."""
        return self._stack.enter_context(EmbeddedEngine.scripted(script))

    def llama(self, *models: str | Path, **settings: Any) -> EmbeddedEngine:
        """An engine that answers by llama.cpp, for `tiny` or .gguf files; `settings` as of EmbeddedEngine."""
        return self._stack.enter_context(EmbeddedEngine(models or ("tiny",), **settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
