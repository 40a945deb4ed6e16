"""The servers of one process, each reached on first use, and the models that they answer for.

The host is the person's Ollama. The embedded engine is started here, in a worker of xdist only looked up: there is one
for all, and it belongs to the controller.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.client import Client, Connection
from pytest_chimera.errors import ChimeraError, EngineError, HostError, HostUnreachableError, ModelError
from pytest_chimera.plugin.model import ChimeraModel
from pytest_chimera.plugin.models import NO_MODEL, plan_named
from pytest_chimera.plugin.runners import make_runner

if TYPE_CHECKING:
    from pathlib import Path

    import ollama

    from pytest_chimera.plugin.models import PlannedModel
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.records import HostInfo
    from pytest_chimera.suites.runner import Runner

WITHOUT_OLLAMA = "Measure without Ollama: pytest --chimera-model tiny"
ALLOW = "Measure without Ollama: leave --chimera-engine out"
INSTALL = "Measure without Ollama: pip install 'pytest-chimera[embedded]'"


@dataclass(frozen=True)
class Server:
    """One server that answered."""

    client: Client
    host: HostInfo
    runner: Runner


class Servers:
    """The servers of one process."""

    def __init__(self, session: ChimeraSession) -> None:
        self.session = session
        self._reached: dict[bool, Server] = {}
        self._failed: dict[bool, ChimeraError] = {}
        """What was found out once is not waited for again, model after model."""

    def reach(self, *, embedded: bool) -> Server:
        """The engine or the host, once it has answered.

        Raises HostUnreachableError that says how to go on, or EngineError.
        """
        if embedded in self._failed:
            failed = self._failed[embedded]
            raise type(failed)(*failed.args)
        if embedded not in self._reached:
            try:
                self._reached[embedded] = self._engine() if embedded else self._host()
            except ChimeraError as error:
                self._failed[embedded] = error
                raise
        return self._reached[embedded]

    def model(self, model_id: str) -> ChimeraModel:
        """The model that has this id in node ids, as its server describes it; skips the test where none is named.

        Raises HostError, EngineError or ModelError.
        """
        if model_id == NO_MODEL:
            pytest.skip(self.reason_to_skip())
        return self.planned(next(each for each in self.session.models if each.id == model_id))

    def planned(self, planned: PlannedModel) -> ChimeraModel:
        """A model that was planned, as its server describes it. Raises HostError, EngineError or ModelError."""
        server = self.reach(embedded=planned.embedded)
        return ChimeraModel(server.client.model(self.served_name(planned)), self.session, server)

    def other(self, name: str, folder: Path, source: str) -> ChimeraModel:
        """A further model that a case names; `source` says where, and the path of a file counts from `folder`.

        Raises SettingError, MissingExtraError, HostError, EngineError or ModelError.
        """
        (planned,) = plan_named([name], self.session.settings, folder, source)
        if planned.embedded and planned not in self._asked:
            raise ModelError(
                f"{source}: {name!r} is answered by the embedded engine, which serves what was known before it began.",
                "Accepted: models that --chimera-model or a suite in YAML names.",
                f"Name it there as well: --chimera-model {name}",
            )
        return self.planned(planned)

    def served_name(self, planned: PlannedModel) -> str:
        """The name by which the server knows the model; the engine names a file by its stem."""
        if not planned.embedded:
            return planned.name
        from pytest_chimera.engine.models import model_spec  # noqa: PLC0415  # the engine's own rule

        return model_spec(planned.name).name

    def client(self) -> Client:
        """The client of the server that answers for the first model, or of the host where none is named."""
        return self.reach(embedded=any(model.embedded for model in self._asked[:1])).client

    def ollama_client(self) -> ollama.Client:
        """The public client of that server; closed when the run ends."""
        found = self.client().ollama()
        self.session.config.add_cleanup(found._client.close)  # noqa: SLF001  # the package has no public way
        return found

    def host_client(self) -> Client:
        """The client of the host, connected to nothing yet."""
        settings = self.session.settings
        return Client(Connection.resolve(settings.host, settings.header, os.environ))

    def engine_url(self) -> str:
        """Where the engine of this run listens; started on first use, except in a worker.

        Raises EngineError.
        """
        if self.session.is_worker:
            return _told_url(self.session.folder.told("engine"))
        from pytest_chimera.engine.process import EmbeddedEngine  # noqa: PLC0415  # only where it is used

        engine = EmbeddedEngine([model.name for model in self._asked if model.embedded])
        self.session.config.add_cleanup(engine.stop)
        engine.start()
        return engine.url

    @property
    def _asked(self) -> tuple[PlannedModel, ...]:
        """The models of the cases that run; before these are known, those of the settings."""
        return self.session.models if self.session.asked is None else self.session.asked.models

    def reason_to_skip(self) -> str:
        """Why a case cannot run that has no model: what the host has, and the command to use."""
        client = self.host_client()
        why, advice = "no model is named, and the embedded engine is not installed", INSTALL
        if self.session.settings.engine == "ollama":
            why, advice = "no model is named, and --chimera-engine ollama lets no engine stand in", ALLOW
        try:
            names = [model.name.removesuffix(":latest") for model in client.models()]
        except HostError:
            return f"{why}; no Ollama answers at {client.url} either. {advice}"
        if not names:
            return f"{why}; {client.url} has no models. Get one: ollama pull gemma3"
        return f"{why}; {client.url} has {', '.join(names)}. Run: pytest --chimera-model {names[0]}"

    def _host(self) -> Server:
        client = self.host_client()
        try:
            host = client.host_info()
        except HostUnreachableError as error:
            raise type(error)(
                error.what,
                "",
                "Start Ollama there with 'ollama serve', or name another server with --chimera-host. " + WITHOUT_OLLAMA,
            ) from None
        return Server(client, host, make_runner(self.session, client, host))

    def _engine(self) -> Server:
        client = Client(Connection.resolve(self.engine_url(), {}, {}))
        host = replace(client.host_info(), engine="embedded")
        return Server(client, host, make_runner(self.session, client, host))


def _told_url(told: dict[str, str] | None) -> str:
    if told is None:
        raise EngineError(
            "The controller has started no engine for this worker.", "", "Run without -n, or report this."
        )
    if "error" in told:
        raise EngineError(told["error"])
    return told["url"]
