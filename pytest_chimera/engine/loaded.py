"""Which models are loaded, and which one makes room: on demand, for a time, so many at once. No text passes here.

A request that finds its model loaded as it wants it goes on at once. One that needs a load stands in a queue, loads one
after the other, and waits until the model that has to leave is idle: so that wait is part of the load's duration, while
the wait for a slot of a loaded model is not.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from pytest_chimera.engine.backend import FOREVER_S, ApiError, RunningModel, server_busy
from pytest_chimera.engine.child import RUNNER_COMMAND, Child, ChildLoadError, LoadParameters

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from pytest_chimera.engine.models import Installed


class Clock(Protocol):
    """The two clocks that expiry needs."""

    def monotonic_s(self) -> float:
        """Seconds that never jump."""

    def wall_ns(self) -> int:
        """ns since the epoch."""


class SystemClock:
    """The machine's clocks."""

    def monotonic_s(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def wall_ns(self) -> int:
        """ns since the epoch."""
        return time.time_ns()


class Loaded:
    """A loaded model with its child; `slots` is how many requests decode in it at once."""

    def __init__(self, installed: Installed, parameters: LoadParameters, child: Child) -> None:
        """Idle from the start."""
        self.installed = installed
        self.parameters = parameters
        self.child = child
        self.slots = asyncio.Semaphore(parameters.n_parallel)
        self.size_bytes = child.resident_bytes or installed.card.size_bytes
        self.idle = asyncio.Event()
        self.idle.set()
        self.users = 0
        self.leaving = False
        self.keep_alive_s = FOREVER_S
        self.due_s = FOREVER_S
        self.expires_at_ns: int | None = None
        self.timer: asyncio.TimerHandle | None = None

    def takes(self, parameters: LoadParameters) -> bool:
        """Whether it can answer a request that wants to be loaded so."""
        return not self.leaving and self.child.alive and self.parameters == parameters


class LoadedModels:
    """The loaded models of one engine."""

    def __init__(
        self,
        *,
        max_loaded: int = 3,
        max_queue: int = 512,
        command: Sequence[str] = RUNNER_COMMAND,
        clock: Clock | None = None,
    ) -> None:
        """`max_queue` requests may wait for a load beside the one that is loading; one more is a 503."""
        self._max_loaded = max_loaded
        self._max_queue = max_queue
        self._command = command
        self._clock = clock or SystemClock()
        self._models: dict[str, Loaded] = {}
        self._turn = asyncio.Lock()
        self._queued = 0
        self._stopping: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def use(
        self, installed: Installed, parameters: LoadParameters, keep_alive_s: float
    ) -> AsyncGenerator[Loaded, None]:
        """The model, loaded as wanted, kept from leaving while the block runs, and for `keep_alive_s` after it."""
        loaded = await self._get(installed, parameters)
        loaded.users += 1
        loaded.idle.clear()
        if loaded.timer is not None:
            loaded.timer.cancel()
        self._mark(loaded, keep_alive_s)
        try:
            yield loaded
        finally:
            self._release(loaded)

    async def _get(self, installed: Installed, parameters: LoadParameters) -> Loaded:
        name = installed.card.name
        found = self._models.get(name)
        if found is not None and found.takes(parameters):
            self._models[name] = self._models.pop(name)  # the most recently used is the last
            return found
        if self._turn.locked() and self._queued >= self._max_queue:
            raise server_busy()
        self._queued += 1
        try:
            await self._turn.acquire()
        finally:
            self._queued -= 1
        try:
            found = self._models.get(name)
            if found is None or not found.takes(parameters):
                await self._make_room(name)
                found = self._models[name] = await self._load(installed, parameters)
            return found
        finally:
            self._turn.release()

    async def _load(self, installed: Installed, parameters: LoadParameters) -> Loaded:
        try:
            return Loaded(installed, parameters, await Child.start(parameters, self._command))
        except (ChildLoadError, OSError) as error:
            raise ApiError(500, str(error)) from error

    async def _make_room(self, name: str) -> None:
        if name in self._models:
            await self._wait_and_drop(self._models[name])
        while len(self._models) >= self._max_loaded:
            idle = [loaded for loaded in self._models.values() if not loaded.users]
            await self._wait_and_drop(idle[0] if idle else next(iter(self._models.values())))

    async def _wait_and_drop(self, loaded: Loaded) -> None:
        loaded.leaving = True
        try:
            if loaded.child.alive:
                await loaded.idle.wait()
        finally:
            loaded.leaving = False
        await self.drop(loaded)

    def _mark(self, loaded: Loaded, keep_alive_s: float) -> None:
        loaded.keep_alive_s = keep_alive_s
        if keep_alive_s == FOREVER_S:
            loaded.due_s, loaded.expires_at_ns = FOREVER_S, None
            return
        loaded.due_s = self._clock.monotonic_s() + keep_alive_s
        loaded.expires_at_ns = self._clock.wall_ns() + int(keep_alive_s * 1e9)

    def _release(self, loaded: Loaded) -> None:
        loaded.users -= 1
        if loaded.users:
            return
        loaded.idle.set()
        self._mark(loaded, loaded.keep_alive_s)
        if loaded.keep_alive_s <= 0 or not loaded.child.alive:
            self._drop_soon(loaded)
        elif loaded.due_s != FOREVER_S:
            loop = asyncio.get_running_loop()
            loaded.timer = loop.call_later(loaded.keep_alive_s, self.sweep)

    def sweep(self) -> None:
        """Unload the idle models whose time is over; a timer calls it when the next one is due."""
        now_s = self._clock.monotonic_s()
        for loaded in list(self._models.values()):
            if not loaded.users and loaded.due_s <= now_s:
                self._drop_soon(loaded)

    def _drop_soon(self, loaded: Loaded) -> None:
        if self._models.get(loaded.installed.card.name) is loaded:
            task = asyncio.get_running_loop().create_task(self.drop(loaded))
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)
            # It is gone for whoever asks from now on, though its process may take some milliseconds to end.
            del self._models[loaded.installed.card.name]

    async def drop(self, loaded: Loaded) -> None:
        """Unload it now, whoever uses it."""
        if self._models.get(loaded.installed.card.name) is loaded:
            del self._models[loaded.installed.card.name]
        if loaded.timer is not None:
            loaded.timer.cancel()
        await loaded.child.stop()

    async def unload(self, name: str) -> None:
        """Unload the model of this name as soon as nobody uses it; nothing happens when it is not loaded."""
        loaded = self._models.get(name)
        if loaded is None:
            return
        if loaded.users:
            self._mark(loaded, 0.0)
        else:
            await self.drop(loaded)

    async def stop(self) -> None:
        """Unload everything."""
        for loaded in list(self._models.values()):
            await self.drop(loaded)
        if self._stopping:
            await asyncio.wait(self._stopping)

    def running(self) -> list[RunningModel]:
        """The loaded models, most recently used first."""
        return [
            RunningModel(
                card=loaded.installed.card,
                size_bytes=loaded.size_bytes,
                size_vram_bytes=0,
                context_length=loaded.parameters.n_ctx,
                expires_at_ns=loaded.expires_at_ns,
            )
            for loaded in reversed(self._models.values())
            if loaded.child.alive
        ]
