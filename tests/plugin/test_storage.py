"""pytest-benchmark's storage as a folder: folders as they are, Elasticsearch as a copy, and what cannot be read."""

from __future__ import annotations

import importlib.util
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.errors import BaselineError
from pytest_chimera.gate.sources import Place, find_runs, parse_wanted
from pytest_chimera.plugin.storage import storage_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

TRY = (
    "Accepted: file://FOLDER, and elasticsearch+http(s)://... where pytest-benchmark reads it. "
    "Try it with pytest-benchmark itself: pytest-benchmark --storage URI list"
)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("file://./.benchmarks", "/here/.benchmarks"),
        ("file://runs/of main", "/here/runs/of main"),
        ("file:///store/runs", "/store/runs"),
        (".benchmarks", "/here/.benchmarks"),
        ("/store/runs", "/store/runs"),
        ("me@host:runs", "/here/me@host:runs"),
        ("", "/here"),
    ],
)
def test_a_folder_is_taken_as_it_is(tmp_path: Path, uri: str, folder: str) -> None:
    """A file:// URI or bare path is a folder counted from where one stands; it may be missing and is not made."""
    assert storage_folder(uri, Path("/here"), tmp_path / "copy") == Path(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "masked"),
    [
        ("ftp://host/runs", "ftp://host/runs"),
        ("ftp://me:secret@host/runs", "ftp://host/runs"),
        ("ftp://secret@host:21/runs?x=y@z", "ftp://host:21/runs?x=y@z"),
        ("elasticsearch://me:secret@host/runs", "elasticsearch://host/runs"),
        ("ftp://me:secret@one,you:secret@two/runs", "ftp://one,two/runs"),
        ("ftp://me:sec@ret@host/runs", "ftp://host/runs"),
    ],
)
def test_an_unknown_scheme_is_refused_without_credentials(tmp_path: Path, uri: str, masked: str) -> None:
    """What pytest-benchmark has no storage for is refused, and no name or password of a host is in the text."""
    with pytest.raises(BaselineError) as raised:
        storage_folder(uri, tmp_path, tmp_path / "copy")
    assert str(raised.value) == (
        f"The storage '{masked}' cannot be read: ArgumentTypeError: Storage must be in form of file://path or "
        f"elasticsearch+http[s]://host1,host2/index/doctype. {TRY}"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(importlib.util.find_spec("elasticsearch") is not None, reason="elasticsearch is installed here")
@pytest.mark.parametrize("login", ["", "me:secret@", "secret@"])
def test_without_the_client_elasticsearch_is_refused(tmp_path: Path, login: str) -> None:
    """Where the package elasticsearch is missing, the text says what to install, and has no credentials."""
    with pytest.raises(BaselineError) as raised:
        storage_folder(f"elasticsearch+https://{login}host:9200/benchmark", tmp_path, tmp_path / "copy")
    assert str(raised.value) == (
        "The storage 'elasticsearch+https://host:9200/benchmark' cannot be read: "
        "Please install elasticsearch or pytest-benchmark[elasticsearch]."
    )
    assert list(tmp_path.iterdir()) == []


CASE = "test_it.py::test_sky[toy]"


def stored(run: str, row: str, median: float, when: str, branch: str) -> dict[str, Any]:
    """A row as pytest-benchmark stores it: a document of its own, with what the whole run has in common."""
    numbers = {"min": median * 0.9, "max": median * 1.1, "mean": median * 1.01, "median": median, "stddev": 0.001}
    order = dict.fromkeys(("iqr", "q1", "q3", "ld15iqr", "hd15iqr"), median)
    counts = {"rounds": 5, "iterations": 1, "iqr_outliers": 0, "stddev_outliers": 0, "outliers": "0;0"}
    row_of = {"name": row, "fullname": row, "group": None, "param": None, "params": None, "options": {}}
    return {
        **row_of,
        "stats": numbers | order | counts | {"ops": 1 / median, "total": median * 5},
        "benchmark_id": f"{run}_toy",
        "extra_info": {"chimera": {"schema": 1}},
        "machine_info": {"node": "pc", "chimera": {"cpu": "Toy CPU"}},
        "commit_info": {"id": run * 40, "branch": branch, "project": "suite", "dirty": False},
        "datetime": when,
        "version": "5.3.1",
    }


RUNS = (("a", 1.0, "2026-11-01T09:50:32.293875", "main"), ("b", 1.2, "2026-11-02T09:50:32.293875", "dev"))
"""Digit of its commit, how much slower it is, time, branch."""


class Elastic:
    """An Elasticsearch 7.17 on loopback, as far as pytest-benchmark asks it: it has two runs of two rows."""

    def __init__(self) -> None:
        self.zone = ""
        """How the times of its runs end."""
        self.missing = False
        """Whether it has no index."""
        self.asked: list[tuple[str, str, Any]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_port

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        elastic = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Be silent."""

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                elastic.asked.append((self.command, self.path, json.loads(body or "null")))
                status, found = elastic.answer(self.path)
                data = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("X-Elastic-Product", "Elasticsearch")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = answer  # noqa: N815  # names of http.server's

        return Handler

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        if path == "/":
            return 200, {"version": {"number": "7.17.13", "build_flavor": "default"}, "tagline": "You Know, for Search"}
        if not path.endswith("/_search"):
            return 200, {"acknowledged": True}
        if self.missing:
            error = {"type": "index_not_found_exception", "reason": "no such index [speed]"}
            return 404, {"error": {**error, "root_cause": [error]}, "status": 404}
        documents = [
            stored(run, f"{CASE} {metric}", value * factor, f"{when}{self.zone}", branch)
            for run, factor, when, branch in reversed(RUNS)
            for metric, value in (("ttft", 0.05), ("time/token", 0.01))
        ]
        hits = [{"_id": str(number), "_source": each} for number, each in enumerate(documents)]
        return 200, {"timed_out": False, "hits": {"hits": hits}}


@pytest.fixture
def elastic() -> Iterator[Elastic]:
    """A server that the client of this environment, if it has one that pytest-benchmark can use, can be sent to."""
    client = pytest.importorskip("elasticsearch", reason="needs elasticsearch < 8, which the extra 'test' brings")
    if int(client.__version__[0]) >= 8:
        pytest.skip("pytest-benchmark uses what elasticsearch 8 has no more: needs elasticsearch < 8")
    found = Elastic()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_times_that_pytest_benchmark_cannot_read_back_are_refused_in_its_words(
    elastic: Elastic, tmp_path: Path
) -> None:
    """It stores times with their zone since version 5, and still reads those without: its own error is passed on."""
    elastic.zone = "+00:00"
    with pytest.raises(BaselineError, match="ValueError: unconverted data remains: \\+00:00"):
        storage_folder(f"elasticsearch+http://127.0.0.1:{elastic.port}/speed/rows", tmp_path, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_runs_in_elasticsearch_are_copied_and_read(elastic: Elastic, tmp_path: Path) -> None:
    """Each run becomes a file that is read like any other: oldest first, and with nothing known of its model."""
    uri = f"elasticsearch+http://me:secret@127.0.0.1:{elastic.port}/speed/rows?project_name=suite"
    folder = storage_folder(uri, tmp_path, tmp_path / "copy")
    assert folder == tmp_path / "copy"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{'a' * 40}_2026-11-01T09:50:32.293875.json",
        f"{'b' * 40}_2026-11-02T09:50:32.293875.json",
    ]
    assert [(method, path) for method, path, _ in elastic.asked] == [
        ("GET", "/"),
        ("PUT", "/speed"),
        ("POST", "/speed/rows/_search"),
    ]
    assert elastic.asked[2][2]["query"] == {"bool": {"filter": {"term": {"commit_info.project": "suite"}}}}
    found = find_runs(parse_wanted(["last:10"]), Place(folder=tmp_path, root=folder))
    assert found.notes == ()
    assert [
        (
            run.name,
            run.branch,
            run.time.isoformat() if run.time else None,
            run.foreign_rows,
            {
                (case.id, name): (series.statistic("median"), series.n, series.values)
                for case in run.cases.values()
                for name, series in case.series.items()
            },
            [case.conditions.known for case in run.cases.values()],
        )
        for run in found.runs
    ] == [
        (
            f"{run * 40}_{when}",
            branch,
            f"{when}+00:00",
            0,
            {
                (CASE, "ttft"): (0.05 * factor, 5, None),
                (CASE, "time/token"): (0.01 * factor, 5, None),
                (CASE, "tok/s"): (pytest.approx(100 / factor), 5, None),
            },
            [False],
        )
        for run, factor, when, branch in RUNS
    ]


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_an_elasticsearch_that_refuses_is_named(elastic: Elastic, tmp_path: Path) -> None:
    """What the client raises is told with its kind and without credentials, and nothing is copied."""
    elastic.missing = True
    uri = f"elasticsearch+http://me:secret@127.0.0.1:{elastic.port}/speed/rows?project_name=suite"
    with pytest.raises(BaselineError) as raised:
        storage_folder(uri, tmp_path, tmp_path / "copy")
    assert re.sub(r":\d+/", ":PORT/", str(raised.value)) == (
        "The storage 'elasticsearch+http://127.0.0.1:PORT/speed/rows?project_name=suite' cannot be read: "
        "NotFoundError: NotFoundError(404, 'index_not_found_exception', 'no such index [speed]'). "
        f"{TRY}"
    )
    assert list(tmp_path.iterdir()) == []
