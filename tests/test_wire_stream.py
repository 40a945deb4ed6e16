"""Ollama's answers read from stamped pieces."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_chimera.records import Chunk, Failure
from pytest_chimera.wire.encode import encode_line, format_time
from pytest_chimera.wire.faults import error_text
from pytest_chimera.wire.http import HttpAnswer, Read
from pytest_chimera.wire.stream import read_answer, unix_ns

CREATED = "2026-11-22T09:00:19.033999375Z"
CREATED_NS = 1795338019033999375


def answered(*lines: Any, complete: bool = True, problem: str | None = None) -> HttpAnswer:
    """An answer of status 200 whose pieces are the lines, stamped 1, 2, 3 ..."""
    data = [line if isinstance(line, bytes) else encode_line(line) for line in lines]
    pieces = tuple(Read(number, line) for number, line in enumerate(data, 1))
    return HttpAnswer(status=200, reason="OK", headers_ns=0, pieces=pieces, complete=complete, problem=problem)


def said(text: str, **more: Any) -> dict[str, Any]:
    """A chunk of a chat."""
    return {
        "model": "m",
        "created_at": CREATED,
        "message": {"role": "assistant", "content": text},
        "done": False,
    } | more


texts = st.text(max_size=8)


@given(st.lists(texts, max_size=6), st.lists(st.integers(0, 2000), max_size=10), st.integers(0, 2**61))
def test_any_cut_gives_the_same_text(words: list[str], places: list[int], created: int) -> None:
    """What the engine's encoder writes is read back, however the lines are cut into pieces."""
    lines = [said(word, created_at=format_time(created)) for word in words]
    data = b"".join(encode_line(line) for line in [*lines, said("", done=True, eval_count=len(words))])
    ends = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    pieces = tuple(Read(end, data[start:end]) for start, end in itertools.pairwise(ends) if end > start)
    answer = read_answer(HttpAnswer(status=200, headers_ns=0, pieces=pieces, complete=True))
    assert answer.failure is None
    assert answer.text == "".join(words)
    assert [chunk.answer_chars for chunk in answer.chunks] == [*map(len, words), 0]
    assert {chunk.created_unix_ns for chunk in answer.chunks[:-1]} <= {created}
    assert answer.metrics["eval_count"] == len(words)
    assert all(
        chunk.arrival_ns == next(end for end in ends if end >= position)
        for chunk, position in zip(answer.chunks, _line_ends(data), strict=True)
    )


def _line_ends(data: bytes) -> list[int]:
    return [index + 1 for index, byte in enumerate(data) if byte == ord("\n")]


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_at_all_break_it(data: bytes, complete: bool) -> None:
    """Whatever a body holds, the result is an answer or a named failure and never an exception."""
    answer = read_answer(answered(data, complete=complete))
    assert answer.failure is not None or answer.final_ns is not None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["message", "content", "thinking", "tool_calls", "done", "error", "response",
                                         "eval_count", "total_duration", "context", "logprobs", "created_at"]),
                        inner, max_size=5), max_leaves=12))  # fmt: skip
def test_no_json_at_all_breaks_it(value: Any) -> None:
    """Nor does JSON of any other shape."""
    answer = read_answer(answered(json.dumps(value).encode() + b"\n"))
    assert answer.failure is not None or answer.final_ns is not None


@given(st.integers(0, 2**62))
def test_times_are_read_as_the_engine_writes_them(moment: int) -> None:
    """RFC 3339 with up to nine digits and its reading are inverse to each other."""
    assert unix_ns(format_time(moment)) == moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CREATED, CREATED_NS),
        ("2026-11-22T09:00:19Z", CREATED_NS // 10**9 * 10**9),
        ("2026-11-22T10:00:19.033999375+01:00", CREATED_NS),
        ("2026-11-22T10:00:19.5+01:00", CREATED_NS // 10**9 * 10**9 + 500_000_000),
        ("2026-11-22T09:00:19.033999375", None),
        ("2026-11-22T09:00:19.Z", None),
        ("yesterday", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_a_time(text: object, expected: int | None) -> None:
    """Zones count, and what is no time is unknown."""
    assert unix_ns(text) == expected


def test_a_whole_chat() -> None:
    """Thinking, answer, tool call and the final chunk each go to their place."""
    call = {"function": {"name": "get_metric", "arguments": {"metric": "ttft"}}}
    answer = read_answer(
        answered(
            said("", message={"role": "assistant", "content": "", "thinking": "Hm."}),
            said("Blue.", logprobs=[{"token": "Blue", "logprob": 0}]),
            said("", message={"role": "assistant", "content": "", "tool_calls": [call]}),
            said("", done=True, done_reason="stop", total_duration=9, load_duration=1, prompt_eval_count=5,
                 prompt_eval_cached_count=2, prompt_eval_duration=3, eval_count=4, eval_duration=4),
        )
    )  # fmt: skip
    assert answer.failure is None
    assert (answer.text, answer.thinking, answer.tool_calls) == ("Blue.", "Hm.", [call])
    assert answer.logprobs == [{"token": "Blue", "logprob": 0}]
    assert answer.chunks == [
        Chunk(1, CREATED_NS, 3, 0, 0),
        Chunk(2, CREATED_NS, 0, 5, 0),
        Chunk(3, CREATED_NS, 0, 0, 1),
        Chunk(4, CREATED_NS, 0, 0, 0),
    ]
    assert (answer.final_ns, answer.done_reason) == (4, "stop")
    assert answer.metrics == {
        "total_duration_ns": 9, "load_duration_ns": 1, "prompt_eval_duration_ns": 3, "eval_duration_ns": 4,
        "prompt_eval_count": 5, "prompt_eval_cached_count": 2, "eval_count": 4,
    }  # fmt: skip


def test_absent_stays_unknown() -> None:
    """A field that the final chunk leaves out is None and not 0."""
    assert set(read_answer(answered(said("", done=True))).metrics.values()) == {None}


DONE = said("", done=True)
FAILURES: list[tuple[str, HttpAnswer, str, str, str]] = [
    ("error line", answered(said("a"), {"error": "out of memory"}), "stream", "error_line", "out of memory"),
    ("no final chunk", answered(said("a")), "cut", "no_final_chunk",
     "the stream ended after 1 chunk and without its final chunk"),
    ("closed", answered(said("a"), said("b"), b'{"mod', complete=False), "cut", "closed",
     "the connection was closed in the middle of the answer, after 2 chunks"),
    ("malformed", answered(said("a"), b"{'a': 1}\n", DONE), "protocol", "json",
     "line 2 of the answer is not JSON: \"{'a': 1}\""),
    ("html", answered(b"<html>" + b"x" * 80), "protocol", "json",
     "line 1 of the answer is not JSON: '<html>" + "x" * 54 + "'..."),
    ("utf8", answered(b'{"response":"\xff"}\n', DONE), "protocol", "utf8",
     "line 1 of the answer is not UTF-8 (invalid start byte)"),
    ("array", answered(b"[]\n", DONE), "protocol", "shape", "line 1 of the answer is no JSON object: '[]'"),
    ("type", answered(said("", message={"content": 5}), DONE), "protocol", "shape",
     "line 1 of the answer has 5 where str belongs"),
    ("message", answered(said("", message="hi"), DONE), "protocol", "shape",
     "line 1 of the answer has a message that is no object"),
    ("negative", answered(said("", done=True, eval_duration=-5)), "protocol", "durations",
     "the server reported eval_duration -5, which cannot be"),
    ("fraction", answered(said("", done=True, eval_count=1.5)), "protocol", "durations",
     "the server reported eval_count 1.5, which cannot be"),
    ("absurd", answered(said("", done=True, total_duration=10, eval_duration=11)), "protocol", "durations",
     "the server reported eval_duration 11 ns, which is more than its total_duration 10 ns"),
    ("cached", answered(said("", done=True, prompt_eval_count=5, prompt_eval_cached_count=6)), "protocol", "durations",
     "the server reported prompt_eval_cached_count 6, which is more than its prompt_eval_count 5"),
    ("framing", answered(said("a"), complete=False, problem="its chunked framing is broken at 'x'"), "protocol",
     "not_http", "the answer cannot be read: its chunked framing is broken at 'x'"),
    ("empty", answered(), "cut", "no_final_chunk", "the stream ended after 0 chunks and without its final chunk"),
]  # fmt: skip


@pytest.mark.parametrize(("http", "kind", "cause", "message"), [case[1:] for case in FAILURES],
                         ids=[case[0] for case in FAILURES])  # fmt: skip
def test_a_failure_has_its_own_name_and_text(http: HttpAnswer, kind: str, cause: str, message: str) -> None:
    """Each way in which a stream goes wrong is told from the others."""
    failure = read_answer(http).failure
    assert failure is not None
    assert (failure.kind, failure.cause, failure.message) == (kind, cause, message)


def test_what_came_before_a_failure_is_kept() -> None:
    """A failed answer still has its text and chunks, and metrics when the final chunk came."""
    broken = read_answer(answered(said("Blue"), {"error": "gone"}))
    assert (broken.text, len(broken.chunks), broken.final_ns) == ("Blue", 1, None)
    absurd = read_answer(answered(said("Blue"), said("", done=True, eval_duration=-1, eval_count=1)))
    assert (absurd.text, absurd.metrics["eval_duration_ns"], absurd.final_ns) == ("Blue", -1, 2)


def test_the_connection_has_the_last_word_only_when_the_server_had_none() -> None:
    """A failed connection is the failure unless the answer was whole or held an error."""
    lost = Failure(kind="cut", cause="reset", message="the connection was reset")
    assert read_answer(answered(said("a"), complete=False), lost).failure is lost
    assert read_answer(answered(DONE, complete=False), lost).failure is None
    told = read_answer(answered({"error": "gone"}, complete=False), lost).failure
    assert told is not None
    assert told.cause == "error_line"


def status(code: int, reason: str, body: str, **headers: str) -> HttpAnswer:
    """An answer with an error status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status=code, reason=reason, headers=named, pieces=(Read(1, body.encode()),), complete=True)


TOO_LONG = '{"error":{"code":400,"message":"request (2010 tokens) exceeds","type":"exceed_context_size_error"}}'
STATUSES: list[tuple[HttpAnswer, str, str]] = [
    (status(400, "Bad Request", '{"error":"missing request body"}'), "bad_request", "missing request body"),
    (status(400, "Bad Request", json.dumps({"error": TOO_LONG})), "too_long", "request (2010 tokens) exceeds"),
    (status(401, "Unauthorized", '{"error":"unauthorized","signin_url":"https://x"}'), "unauthorized", "unauthorized"),
    (status(403, "Forbidden", ""), "forbidden", "403 Forbidden with no body"),
    (status(404, "Not Found", '{"error":"model \'x\' not found"}'), "model_missing", "model 'x' not found"),
    (status(404, "Not Found", "404 page not found"), "not_found", "404 page not found"),
    (status(405, "Method Not Allowed", "405 method not allowed"), "method", "405 method not allowed"),
    (status(418, "I'm a teapot", "short and stout"), "status", "418 I'm a teapot: short and stout"),
    (status(500, "Internal Server Error", '{"error":"unexpected EOF"}'), "server", "unexpected EOF"),
    (status(502, "Bad Gateway", "<html>nginx", content_type="text/html"), "server",
     "502 Bad Gateway: an HTML page, so what answered is a proxy or another server and not Ollama"),
    (status(503, "Service Unavailable", '{"error":"server busy"}'), "busy", "server busy"),
    (status(307, "Temporary Redirect", "", location="https://x/"), "redirect",
     "307 Temporary Redirect: redirected to https://x/"),
]  # fmt: skip


@pytest.mark.parametrize(("http", "cause", "message"), STATUSES, ids=[str(case[0].status) for case in STATUSES])
def test_an_error_status(http: HttpAnswer, cause: str, message: str) -> None:
    """Each error status has its cause, and the server's own words where there are any."""
    failure = read_answer(http).failure
    assert failure == Failure(kind="http", cause=cause, message=message, status=http.status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("plain", "plain"),
        ({"message": "inner"}, "inner"),
        ('{"error":"nested"}', "nested"),
        ('{"error":{"message":"deeper"}}', "deeper"),
        ("{not json", "{not json"),
        ('{"other":1}', '{"other": 1}'),
        (None, "null"),
        ("", "an error without a text"),
        ("x" * 600, "x" * 500 + "..."),
    ],
)
def test_error_texts(error: Any, text: str) -> None:
    """The words of an error are found however deep they are wrapped."""
    assert error_text(error) == text
