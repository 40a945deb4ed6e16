"""The entry point: pytest's hooks in pytest's order, each a signpost to the module that does it.

It imports next to nothing, because every run of every project that has the plugin installed pays for it; where a hook
has something to do only when a case runs, it imports what does it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.plugin import collecting, marker, options, probing, sending
from pytest_chimera.plugin import session as _session
from pytest_chimera.plugin.fixtures import (
    chimera,
    chimera_case,
    chimera_corpus,
    chimera_corpus_paths,
    chimera_engine,
    chimera_model,
    chimera_narrate,
    chimera_persona,
    chimera_probe,
    chimera_report,
    ollama_client,
)
from pytest_chimera.plugin.session import get_session

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import ModuleType

__all__ = [
    "chimera",
    "chimera_case",
    "chimera_corpus",
    "chimera_corpus_paths",
    "chimera_engine",
    "chimera_model",
    "chimera_narrate",
    "chimera_persona",
    "chimera_probe",
    "chimera_report",
    "ollama_client",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and their ini twins."""
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Show what there is, and run nothing, where that is asked for; before workers are thought of."""
    if not options.wants_list(config, os.environ) or config.option.help:
        return None
    from pytest_chimera.plugin.listing import show  # noqa: PLC0415  # only where it is asked for

    return show(config)


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings once, declare the marker, register the session."""
    _session.start(config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Show the settings where a person set any; of a run that may have no case nothing is said."""
    session = get_session(config)
    if not session.raw:
        return []
    from pytest_chimera.plugin.places import root_lines  # noqa: PLC0415  # only where something is set

    return [*session.settings.lines(), *root_lines(config, session.raw)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Make tests of the cases of a suite, and one of each Markdown file that is to be audited."""
    if collecting.is_suite(file_path.name):
        from pytest_chimera.plugin.suites import collect  # noqa: PLC0415  # only where there is one

        return collect(file_path, parent)
    if not get_session(parent.config).raw.get("audit"):
        return None
    from pytest_chimera.plugin import audit  # noqa: PLC0415  # only where auditing is on

    return audit.collect(file_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make each measuring test one per model."""
    collecting.parametrize(metafunc)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark whatever uses a fixture of ours, before pytest looks at `-m`."""
    session = get_session(item.config)
    marker.mark(item, no_narrative="no_narrative" in session.raw and session.settings.no_narrative)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Group suites by model, and let `--benchmark-only` and `--benchmark-skip` see measuring tests as benchmarks."""
    if get_session(config).has_suites:
        from pytest_chimera.plugin.suites import grouped  # noqa: PLC0415  # only where there is one

        grouped(items)
    with collecting.named_as_benchmarks(config, items):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Count the cases that are left; before xdist tells the controller that the worker is ready."""
    get_session(session.config).count([item for item in session.items if collecting.is_case(item)])


@pytest.hookimpl(trylast=True)
def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Say before the first case who will be measured; under xdist `workers` does it."""
    if not config.option.collectonly:
        get_session(config).open_alone()
    return []


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Fail a test with the text of what a fixture of ours raised; innermost, so that xfail sees that failure."""
    with get_session(item.config).speaking(item):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test with the text of what was raised here; innermost, so that xfail and others see that failure."""
    with get_session(item.config).speaking(item), probing.closed(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send what the test measured along with its report."""
    report = yield
    sending.attach(item, report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Record rows and write the report before pytest-benchmark saves its files, and tidy up after all have finished."""
    with get_session(session.config).ending(session):
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table and the way to the report; last, below the rows of pytest-benchmark."""
    get_session(config).summarise(terminalreporter)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Add the hardware to what pytest-benchmark saves, where rows of ours are among it."""
    if get_session(config).cases:  # of a plain benchmark of a model too, which has no result
        _record().update_machine_info(config, machine_info)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_benchmark_compare_machine_info(machine_info: dict[str, Any], compared_benchmark: dict[str, Any]) -> None:
    """Before pytest-benchmark compares machines: have our part exactly where the saved run has it."""
    _record().match_machine_info(machine_info, compared_benchmark)


def _record() -> ModuleType:
    from pytest_chimera.plugin import record  # noqa: PLC0415  # only where rows are recorded or compared

    return record
