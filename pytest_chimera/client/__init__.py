"""Talk to an Ollama server: measure requests on sockets of our own, and ask everything else through `ollama`.

`measuring` and below (`exchange`, `dial`) is the path that is timed: stamp first, parse later. `api` is the face.
Neither httpx nor ollama is imported before something other than measuring is asked for.
"""

from __future__ import annotations

from pytest_chimera.client.api import Client
from pytest_chimera.client.clock import Clock, SystemClock
from pytest_chimera.client.connection import Connection

__all__ = ["Client", "Clock", "Connection", "SystemClock"]
