"""What measures for a test: runners with their journal, lock and live line, and the `Bench` behind the fixture."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_chimera.client import SystemClock
from pytest_chimera.errors import PersonaError, SettingError
from pytest_chimera.gate.expressions import parse_gate
from pytest_chimera.limits import parse_limit
from pytest_chimera.plugin.asked import OWN_MODELS
from pytest_chimera.plugin.grounding import ground_for
from pytest_chimera.plugin.junit import junit_properties
from pytest_chimera.plugin.marker import of_item, of_settings
from pytest_chimera.plugin.session import get_session, measured
from pytest_chimera.suites.bench import Bench
from pytest_chimera.suites.exclusive import HostLock
from pytest_chimera.suites.journal import Journal
from pytest_chimera.suites.persona import find_persona
from pytest_chimera.suites.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pytest_chimera.client import Client
    from pytest_chimera.plugin.model import ChimeraModel
    from pytest_chimera.plugin.session import ChimeraSession
    from pytest_chimera.records import Case, CaseResult, HostInfo, ModelInfo
    from pytest_chimera.suites.persona import Persona

PERSONAS = "personas"
"""The folder, beside a test or above it, in which a project keeps its own."""


class OneRound(Runner):
    """Under `--benchmark-disable`: one round shows that a case works, and is too few to hold limits against."""

    fewest_blocks = 1

    def as_measured(self, case: Case) -> Case:
        """The case with one round; where a share of answers suffices, one answer decides nothing."""
        said = [parse_limit(text) for text in case.limits] + list(parse_gate(case.gate))
        shared = any(each.metric == "accuracy" for each in said)
        return replace(case, rounds=1, limits=(), expect={} if shared else case.expect)


def make_runner(session: ChimeraSession, client: Client, host: HostInfo) -> Runner:
    """The runner for one server, writing to the journal of this process."""
    session.open_alone()
    session.folder.create()
    journal = Journal(session.folder.journal)
    lock = HostLock(host.url)
    session.config.add_cleanup(journal.close)
    session.config.add_cleanup(lock.discard)
    kind = OneRound if _is_disabled(session.config) else Runner
    return kind(
        client,
        host,
        journal=journal,
        observer=session.observer,
        exclusive=lock,
        clock=SystemClock(),
        ground=ground_for(session),
    )


def bench_for(item: pytest.Item, model: ChimeraModel) -> Bench:
    """The object that measures cases of `item` on `model`."""
    session = get_session(item.config)

    def deliver(result: CaseResult) -> None:
        measured(item).append(json.dumps(result.as_dict()))
        if result.case.confirms is None:
            item.user_properties.extend(junit_properties(result))
        session.note_problem(model.server.runner.journal)

    def other(name: str) -> tuple[ModelInfo, Runner]:
        folder = item.path.parent if hasattr(item, OWN_MODELS) else item.config.invocation_params.dir
        found = session.servers.other(name, folder, "model")
        return found.info, found.server.runner

    test_id = id_of(item)
    return Bench(
        model.server.runner,
        model.info,
        test_id=test_id,
        test_name=test_id.split("::", maxsplit=1)[-1],
        deliver=deliver,
        marker=of_item(item),
        settings=of_settings(session.settings),
        gating=None if _is_disabled(item.config) else session.gating,
        persona=_persona_of_run(item, session),
        persona_folders=persona_folders(item.path, item.config.rootpath),
        allowed_options=session.settings.allow_option,
        others=other,
    )


def _persona_of_run(item: pytest.Item, session: ChimeraSession) -> str | None:
    """The persona that stands over all, once it is known that `item` has it. Raises SettingError."""
    name = session.settings.persona
    if name is not None:
        try:
            persona_finder(item)(name)
        except PersonaError as error:
            source = session.settings.given["persona"].source
            raise SettingError(f"{source}: {error.what}", error.accepted, error.next_step) from None
    return name


def id_of(item: pytest.Item) -> str:
    """The node id as it is without workers: `--dist=loadgroup` adds a group, and rows would have other names."""
    in_group = hasattr(item.config, "workerinput") and item.get_closest_marker("xdist_group") is not None
    grouped = in_group and item.config.getoption("loadgroup", default=False)
    return item.nodeid.rpartition("@")[0] if grouped else item.nodeid


def persona_folders(path: Path, root: Path) -> list[Path]:
    """Where the personas of a test are looked for: beside it, then in each folder above, up to the root."""
    inside = [folder for folder in path.parents if folder == root or root in folder.parents]
    return [folder / PERSONAS for folder in inside or [path.parent]]


def persona_finder(item: pytest.Item) -> Callable[[str], Persona]:
    """A function that finds a persona as `item` would."""
    folders = persona_folders(item.path, item.config.rootpath)
    allowed = get_session(item.config).settings.allow_option

    def find(name: str) -> Persona:
        return find_persona(name, folders, allowed_options=allowed)

    return find


def _is_disabled(config: pytest.Config) -> bool:
    from pytest_chimera.plugin.record import benchmark_disabled  # noqa: PLC0415  # record imports pytest-benchmark

    return benchmark_disabled(config)
