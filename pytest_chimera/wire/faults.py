"""Errors as Ollama writes them, and as a proxy before it does: status and body in, a named Failure out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_chimera.records import Failure

if TYPE_CHECKING:
    from pytest_chimera.records import FailureCause
    from pytest_chimera.wire.http import HttpAnswer

_BY_STATUS: dict[int, FailureCause] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method",
    503: "busy",
}
_REDIRECTS = range(300, 400)
_SERVER_ERRORS = range(500, 600)
_BAD_REQUEST, _NOT_FOUND = 400, 404
_LONGEST_TEXT_CHARS = 500
_NESTING = 4
# 0.24 and 0.32 in their own words; the latter's is JSON inside a JSON string with this type.
_TOO_LONG = ("exceed_context_size_error", "exceeds the context length", "exceeds the available context size")


def http_failure(http: HttpAnswer) -> Failure:
    """What an answer with an error status means: the server's own words, or ours where it had none."""
    status, body = http.status or 0, http.body.decode("utf-8", "replace").strip()
    message = _body_text(http, body)
    return Failure(kind="http", cause=_cause(status, body), message=message, status=status)


def error_text(error: Any) -> str:
    """The words of an "error" value: a text, an object with a message, or either of them as JSON inside a string."""
    for _ in range(_NESTING):
        if isinstance(error, str):
            inner = _json_object(error)
            if inner is None:
                break
            error = inner
        if not isinstance(error, dict) or not ({"error", "message"} & error.keys()):
            break
        error = error.get("error", error.get("message"))
    text = error.strip() if isinstance(error, str) else json.dumps(error, ensure_ascii=False)
    return _shortened(text) or "an error without a text"


def _body_text(http: HttpAnswer, body: str) -> str:
    line = f"{http.status} {http.reason}".strip()
    if http.status in _REDIRECTS:
        return f"{line}: redirected to {http.headers.get('location', 'nowhere')}"
    if not body:
        return f"{line} with no body"
    found = _json_object(body)
    if found is not None:
        return error_text(found)
    if "html" in http.headers.get("content-type", "").lower():
        return f"{line}: an HTML page, so what answered is a proxy or another server and not Ollama"
    # Ollama's router says "404 page not found" and "405 method not allowed" in plain text.
    return _shortened(body if body.startswith(str(http.status)) else f"{line}: {body}")


def _cause(status: int, body: str) -> FailureCause:
    if status == _BAD_REQUEST and any(words in body for words in _TOO_LONG):
        return "too_long"
    if status == _NOT_FOUND and _json_object(body) is not None:
        return "model_missing"
    if status in _REDIRECTS:
        return "redirect"
    return _BY_STATUS.get(status, "server" if status in _SERVER_ERRORS else "status")


def _json_object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT_CHARS else text[:_LONGEST_TEXT_CHARS] + "..."
