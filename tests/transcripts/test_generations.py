"""Every recorded answer of /api/chat and /api/generate, put through `Client.measure` and compared whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_chimera.client import Client, Connection
from pytest_chimera.records import Case, Message, ModelInfo

if TYPE_CHECKING:
    from collections.abc import Callable

# Fields that a Case has no word for, or that it would refuse.
UNSAID = {"context", "logprobs", "top_logprobs", "stream"}
PLAIN = {"model", "messages", "prompt", "system", "options", "truncate"}
DERIVED = ("client_ttft_ns", "client_answer_ns", "client_e2e_ns", "stalls", "wait_ns", "decode_tokens_per_s", "tpot_ns")


def wanted(recording: dict[str, Any]) -> bool:
    """Whether this module is about the recording."""
    request = recording["request"]
    return request["method"] == "POST" and request["path"] in {"/api/chat", "/api/generate"}


def case_of(recording: dict[str, Any], timeout_s: float) -> Case:
    """The recorded request as a case; one that is no JSON object, which no case can be, as any case."""
    request = recording["request"]
    asked = request.get("json")
    asked = asked if isinstance(asked, dict) else {}
    messages = asked.get("messages")
    if not isinstance(messages, list):
        said = (("system", asked.get("system")), ("user", asked.get("prompt")))
        messages = [{"role": role, "content": text} for role, text in said if text]
        if asked.get("images"):
            messages[-1]["images"] = asked["images"]
    return Case(
        id=recording["name"],
        name=recording["name"],
        model=ModelInfo(name=asked.get("model", "")),
        messages=tuple(Message.from_dict(each) for each in messages),
        endpoint="chat" if request["path"] == "/api/chat" else "generate",
        suffix=asked.get("suffix"),
        raw=asked.get("raw", False),
        options=asked.get("options", {}),
        think=asked.get("think"),
        format=asked.get("format"),
        tools=tuple(asked.get("tools", ())),
        keep_alive=asked.get("keep_alive"),
        truncate=asked.get("truncate", True),
        timeout_s=timeout_s,
    )


def test_a_generation(
    recording: dict[str, Any], player: Any, stage: Any, expected: Callable[[dict[str, Any]], None]
) -> None:
    """The Generation of a recorded answer, stamps included, is the reviewed one."""
    timeout_s = 5.0 if recording["ended"].startswith("timeout") else 300.0
    client = Client(Connection.resolve(player.url, {}, {}), clock=stage)

    seen = client.measure(case_of(recording, timeout_s), nonce=None)

    assert seen.host == player.url
    assert [(each.ns, each.size_bytes) for each in seen.arrivals] == [
        (round(moment_ms * 1e6), len(text)) for moment_ms, text in recording["arrivals"]
    ]
    assert seen.groundedness is None  # whoever checks an answer sets it, never the client
    derived = {name: getattr(seen, name) for name in DERIVED}
    assert seen.unmet is None  # same
    left_out = {"host", "arrivals", "groundedness", "unmet"}
    expected({**{key: value for key, value in seen.as_dict().items() if key not in left_out}, **derived})


def test_a_request(recording: dict[str, Any], player: Any, stage: Any) -> None:
    """What is sent is what was recorded, where a case can say it, with `stream` and `truncate` always spelt out."""
    timeout_s = 5.0 if recording["ended"].startswith("timeout") else 300.0
    client = Client(Connection.resolve(player.url, {}, {}), clock=stage)
    client.measure(case_of(recording, timeout_s), nonce=None)

    head, _, body = player.requests[0].partition(b"\r\n\r\n")
    asked = recording["request"].get("json")
    if isinstance(asked, dict) and isinstance(asked.get("messages", []), list):
        said = {key: value for key, value in asked.items() if key not in UNSAID}
        assert json.loads(body) == {**said, "stream": True, "truncate": asked.get("truncate", True)} | (
            {"messages": asked.get("messages", [])} if "messages" in asked or "prompt" not in asked else {}
        )
    assert head.startswith(b"POST " + recording["request"]["path"].encode() + b" HTTP/1.1\r\n")
