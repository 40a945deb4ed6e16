"""What tests of the engine share: models made for them, and a client that reads whole answers."""

from __future__ import annotations

import importlib.util
import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PUPPETS = Path(__file__).resolve().parents[2] / "benchmarks" / "puppets.py"


class PuppetMaker(Protocol):
    """Makes a model that says a script."""

    def __call__(self, *script: str, **settings: Any) -> Path: ...


@dataclass(frozen=True)
class Reply:
    """One whole HTTP answer."""

    status: int
    text: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def said(self) -> str:
        """What the model said, all chunks joined."""
        return "".join(line.get("response") or line.get("message", {}).get("content", "") for line in self.lines)

    @property
    def last(self) -> dict[str, Any]:
        """The final chunk."""
        return self.lines[-1]


@pytest.fixture(scope="session")
def puppet_file(tmp_path_factory: pytest.TempPathFactory) -> PuppetMaker:
    """`puppet_file("a", " b")` is the path of a model that answers every prompt with "a b"."""
    spec = importlib.util.spec_from_file_location("puppets", PUPPETS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[str, Path] = {}

    def make(*script: str, **settings: Any) -> Path:
        key = repr((script, settings))
        if key not in made:
            made[key] = tmp_path_factory.mktemp("puppet") / "puppet.gguf"
            made[key].write_bytes(module.puppet(script, **settings))
        return made[key]

    return make


@pytest.fixture
def ask() -> Callable[..., Reply]:
    """`ask(url, "/api/ps")` or `ask(url, "/api/chat", model=..., ...)`: one request, its whole answer."""

    def send(url: str, path: str, **body: Any) -> Reply:
        with closing(HTTPConnection(url.removeprefix("http://"), timeout=60)) as connection:
            connection.request("POST" if body else "GET", path, json.dumps(body) if body else None)
            response = connection.getresponse()
            return Reply(response.status, response.read().decode())

    return send
