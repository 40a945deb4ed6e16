"""Every recorded answer of the other routes, put through the call that it belongs to, or read raw where none exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_chimera.client import Client, Connection, SystemClock
from pytest_chimera.client.exchange import Request, exchange
from pytest_chimera.client.foreign import as_host_errors
from pytest_chimera.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable


def wanted(recording: dict[str, Any]) -> bool:
    """Whether this module is about the recording."""
    request = recording["request"]
    return not (request["method"] == "POST" and request["path"] in {"/api/chat", "/api/generate"})


def call(client: Client, request: dict[str, Any]) -> Any:
    """What the call that belongs to the recorded route returns."""
    route, asked = f"{request['method']} {request['path']}", request.get("json", {})
    if route == "GET /api/version":
        return client.host_info().as_dict()
    if route == "GET /api/tags":
        return [each.as_dict() for each in client.models()]
    if route == "GET /api/ps":
        return [each.as_dict() for each in client.loaded()]
    if route == "POST /api/pull":
        steps: list[Any] = []
        client.pull(asked["model"], lambda *step: steps.append(step))
        return steps
    return others(client, route, asked, request)


def others(client: Client, route: str, asked: dict[str, Any], request: dict[str, Any]) -> Any:
    """Calls that users make through the `ollama` client, and routes that no client of ours has a call for."""
    if route not in {"POST /api/show", "POST /api/copy", "POST /api/embed", "DELETE /api/delete"}:
        seen = exchange(
            client.connection,
            Request(method=request["method"], path=request["path"], timeout_s=30.0),
            SystemClock(),
        )
        http = seen.http
        assert http.complete
        return {"status": http.status, "reason": http.reason, "body": http.body.decode()}
    plain = client.ollama()
    with as_host_errors(client.url), plain._client:  # older ones are no context manager themselves
        if route == "POST /api/show":
            shown = plain.show(asked["model"]).model_dump(mode="json")
            return {key: shown[key] for key in ("details", "parameters", "capabilities", "template")}
        if route == "POST /api/copy":
            return plain.copy(asked["source"], asked["destination"]).model_dump()
        if route == "POST /api/embed":
            return plain.embed(asked["model"], asked["input"]).model_dump()
        return plain.delete(asked["model"]).model_dump()


def test_a_call(recording: dict[str, Any], player: Any, expected: Callable[[dict[str, Any]], None]) -> None:
    """What the call gives for a recorded answer, or the text of the error that it raises, is the reviewed one."""
    client = Client(Connection.resolve(player.url, recording["request"]["headers"], {}))

    try:
        outcome = {"value": call(client, recording["request"])}
    except HostError as error:
        outcome = {"error": type(error).__name__, "text": str(error).replace(player.url, "URL")}
    if isinstance(outcome.get("value"), dict) and "url" in outcome["value"]:
        outcome["value"]["url"] = "URL"

    expected(outcome)
    assert player.requests[0].split(b" HTTP/1.1")[0].decode() == (
        f"{recording['request']['method']} {recording['request']['path']}"
    )
