"""What only xdist calls: settings and folder to each worker, one engine for all, the header once their cases are known.

Registered only where xdist is present. Workers print nothing; the controller knows no tests, so each worker leaves in
the run's folder how many cases it has and which models they ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.plugin.options import to_plain

if TYPE_CHECKING:
    from pytest_chimera.plugin.session import ChimeraSession


class WorkerHooks:
    """The controller's side."""

    def __init__(self, session: ChimeraSession) -> None:
        self.session = session

    def pytest_configure_node(self, node: Any) -> None:
        """Send the settings as they were given, and where to write."""
        node.workerinput["chimera"] = {
            "settings": to_plain(self.session.raw),
            "folder": str(self.session.folder.path),
            "worker": node.workerinput["workerid"],
            "workers": node.workerinput["workercount"],
        }

    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """Open the run once a worker has found cases; before any test is given out."""
        told = self.session.folder.told(f"cases-{node.workerinput['workerid']}")
        if told:
            from pytest_chimera.plugin.asked import from_plain  # noqa: PLC0415  # only where a case runs
            from pytest_chimera.plugin.opening import open_run  # noqa: PLC0415  # same

            self.session.asked = from_plain(told)
            open_run(self.session, workers=node.workerinput["workercount"])
