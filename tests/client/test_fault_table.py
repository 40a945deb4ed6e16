"""Every fault that a server, a network or a proxy can show: what is recorded of it, as `docs/faults.md` says.

The faults are made by `engine.faults` before a scripted server; the page's tables are what the client made of them.
"""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from pytest_chimera.client import Client, Connection
from pytest_chimera.engine.faults import (
    Answer,
    Clump,
    Cut,
    Drip,
    EditLines,
    EndAfterLines,
    Fault,
    Garble,
    Gzip,
    InsertLine,
    Stall,
    error_answer,
)
from pytest_chimera.engine.proxy import FaultProxy
from pytest_chimera.engine.script import read_script
from pytest_chimera.engine.scripted import ScriptedBackend
from pytest_chimera.engine.serve import LocalServer
from pytest_chimera.errors import CAUSES
from pytest_chimera.records import FailureCause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_chimera.records import Case, Generation

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
REGENERATE = "CHIMERA_REGENERATE_EXPECTED"
"""Set it to write the tables of the page anew; then read the difference before it is committed."""

ELSEWHERE = {"unreachable", "connect_timeout", "tls", "proxy", "not_unloaded"}
"""Causes that no answer to a plain request on loopback can show."""

REPORT = {
    "total_duration": 9_000_000, "load_duration": 1_000_000, "prompt_eval_count": 3, "prompt_eval_duration": 2_000_000,
    "eval_count": 4, "eval_duration": 5_000_000,
}  # fmt: skip
ANSWERS = {
    "m": {"tokens": ["The", " sky", " is", " blue"], "report": REPORT},
    "silent": {"tokens": []},
    "loader": {"tokens": [], "done_reason": "load"},
    "leaver": {"tokens": [], "done_reason": "unload"},
    "thinker": {"tokens": [], "thinking": ["Hm", "."]},
    "long": {"tokens": ["The"], "done_reason": "length"},
}
SCRIPT = {
    "models": {
        name: {"answers": [answer], "capabilities": ["completion", "thinking"]} for name, answer in ANSWERS.items()
    }
}
NESTED = '{"error":{"code":500,"message":"unable to load model"}}'
TOO_LONG = '{"error":{"code":400,"message":"request (2010 tokens) exceeds","type":"exceed_context_size_error"}}'
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Trial:
    """One request that meets a fault."""

    name: str
    faults: tuple[Fault, ...] = ()
    model: str = "m"
    host: str | None = None
    """Who is asked in place of the server behind the faults."""
    timeout_s: float = 30.0
    idle_timeout_s: float | None = None


FAULTS = (
    Trial("no server", host="http://127.0.0.1:{closed}"),
    Trial("a name that does not resolve", host="http://nosuch.invalid"),
    Trial("a model that is not installed", model="gone"),
    Trial("a request that is refused", (error_answer(400, "missing request body"),)),
    Trial("a prompt that does not fit", (error_answer(400, TOO_LONG),)),
    Trial("no right to ask", (error_answer(401, "unauthorized"),)),
    Trial("403 without a body", (Answer(status=403),)),
    Trial("404 in plain text: no such route", (Answer(status=404, body=b"404 page not found", content_type=PLAIN),)),
    Trial("405 in plain text", (Answer(status=405, body=b"405 method not allowed", content_type=PLAIN),)),
    Trial("500 before the first chunk", (error_answer(500, "llama runner process has terminated"),)),
    Trial("an error that is JSON inside a string", (error_answer(500, NESTED),)),
    Trial("502 with a page of a proxy", (Answer(status=502, body=b"<html>", content_type="text/html"),)),
    Trial("503, the queue is full", (error_answer(503, "server busy, please try again"),)),
    Trial("a redirect", (Answer(status=307, headers={"Location": "https://elsewhere/"}),)),
    Trial("any other status", (Answer(status=429, body=b"slow down", content_type=PLAIN),)),
    Trial("an error line after the stream began", (InsertLine(data=b'{"error":"out of memory"}', after_lines=2),)),
    Trial("a stream that ends without its final chunk", (EndAfterLines(after_lines=2),)),
    Trial("a connection that is closed in the middle", (Drip(interval_s=0), Cut(after_bytes=500))),
    Trial("a connection that is closed without a byte", (Cut(),)),
    Trial("a connection that is reset", (Cut(reset=True),)),
    Trial("a line that is not JSON", (InsertLine(data=b"not JSON", after_lines=2, ends=False),)),
    Trial("a line that is not UTF-8", (InsertLine(data=b'{"response":"\xff"}', after_lines=2, ends=False),)),
    Trial("a line that is no object", (InsertLine(data=b"[]", after_lines=2, ends=False),)),
    Trial("a server that does not speak HTTP", (Answer(), Garble(at_byte=0, data=b"SMTP"))),
    Trial("no byte at all", (Stall(),), timeout_s=0.05),
    Trial("no further byte for the idle time", (Stall(after_bytes=500),), idle_timeout_s=1.0),
    Trial("an answer that takes too long", (Stall(after_bytes=500),), timeout_s=1.0),
    Trial("a negative duration", (EditLines(find=rb'"eval_duration":\d+', replace=rb'"eval_duration":-5'),)),
    Trial(
        "a duration above the total", (EditLines(find=rb'"eval_duration":\d+', replace=rb'"eval_duration":99000000'),)
    ),
    Trial("the model was loaded and not asked", model="loader"),
    Trial("the model was unloaded", model="leaver"),
)
NO_FAULTS = (
    Trial("a line split over packets", (Drip(size=7, interval_s=0),)),
    Trial("many lines in one packet", (Clump(),)),
    Trial("an answer that a proxy compressed", (Gzip(),)),
    Trial("an empty answer", model="silent"),
    Trial("thinking and no answer", model="thinker"),
    Trial("an answer cut at num_predict or num_ctx", model="long"),
)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A scripted server, before which the faults are put."""
    with LocalServer(ScriptedBackend(read_script(SCRIPT))) as running:
        yield running


@pytest.fixture(scope="module")
def closed_port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def made(trial: Trial, server: LocalServer, case: Case, closed_port: int) -> Generation:
    """What the client makes of one request that meets the fault."""
    asked = replace(
        case,
        model=replace(case.model, name=trial.model),
        timeout_s=trial.timeout_s,
        idle_timeout_s=trial.idle_timeout_s,
    )
    with FaultProxy(server.url, *trial.faults) as proxy:
        url = trial.host.format(closed=closed_port) if trial.host else proxy.url
        return Client(Connection.resolve(url, {}, {})).measure(asked, nonce=None)


def shown(text: str, closed_port: int) -> str:
    """A text without what differs from run to run, as a cell of a table."""
    fixed = text.replace(str(closed_port), "PORT")
    return re.sub(r"came after [0-9.e-]+ s", "came after N s", fixed).replace("|", "\\|")


def kept(seen: Generation) -> str:
    """What is left of the answer, in words."""
    said = [f"{len(seen.chunks)} chunks"] if seen.chunks else []
    said += [f"text `{seen.text}`"] if seen.text else []
    said += [f"thinking `{seen.thinking}`"] if seen.thinking else []
    said += [f"`done_reason` {seen.done_reason}"] if seen.done_reason else []
    return ", ".join(said) or "the request"


def held(name: str, table: list[str]) -> list[str]:
    """The table of this name on the page, written first when a person asks for it."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = page.partition(begin)
    old, _, after = rest.partition(end)
    if os.environ.get(REGENERATE):
        old = "".join(f"{line}\n" for line in table)
        PAGE.write_text(f"{before}{begin}{old}{end}{after}", encoding="utf-8")
    return old.splitlines()


def test_every_fault_is_recorded_as_the_page_says(server: LocalServer, case: Case, closed_port: int) -> None:
    """Each fault has its cause, its own text and what it leaves, and no cause that loopback can show is left out."""
    table = ["| fault | kind | cause | class | text | kept |", "|---|---|---|---|---|---|"]
    texts, causes = [], set()
    for trial in FAULTS:
        seen = made(trial, server, case, closed_port)
        failure = seen.failure
        assert failure is not None, trial.name
        kind = failure.kind if failure.status is None else f"{failure.kind}, {failure.status}"
        text = shown(failure.message, closed_port)
        named = f"`{failure.cause}` | `{failure.error.__name__}`"
        table.append(f"| {trial.name} | {kind} | {named} | {text} | {kept(seen)} |")
        texts.append(text)
        causes.add(failure.cause)
    assert held("faults", table) == table
    assert len(set(texts)) == len(texts)
    assert set(get_args(FailureCause)) - causes == ELSEWHERE


def test_every_cause_has_an_exception_class_of_its_own() -> None:
    """Each cause that can be recorded is a key of the one table of classes, and no two share a class."""
    assert sorted(CAUSES) == sorted(get_args(FailureCause))
    assert len(set(CAUSES.values())) == len(CAUSES)


def test_what_is_no_fault_is_recorded_as_the_page_says(server: LocalServer, case: Case, closed_port: int) -> None:
    """Packets and compression change nothing, and an odd answer is an answer that is recorded as it came."""
    table = ["| what comes | recorded |", "|---|---|"]
    for trial in NO_FAULTS:
        seen = made(trial, server, case, closed_port)
        assert seen.ok, trial.name
        table.append(f"| {trial.name} | {kept(seen)} |")
    assert held("no faults", table) == table
