"""The entry point: pytest's hooks in pytest's order, each a signpost to the module that does it.

It imports next to nothing, because every run of every project that has the plugin installed pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_chimera.plugin import session as _session
from pytest_chimera.plugin import settings as _settings

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and their ini twins."""
    _settings.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings once and register the session."""
    _session.start(config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send what the test measured along with its report."""
    report = yield
    _session.attach(item, report)
    return report
