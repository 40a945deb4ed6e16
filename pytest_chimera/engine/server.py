"""Ollama's routes as an ASGI application over a Backend: names, statuses, bodies, streams, errors.

What a request body means is engine.requests', who answers is the backend's, and starting is engine.serve's.
"""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any

from pytest_chimera.engine import origins, requests
from pytest_chimera.engine.answers import Answering
from pytest_chimera.engine.backend import ApiError, embeddings_unsupported
from pytest_chimera.engine.catalog import openai_models_body, ps_body, show_body, tags_body
from pytest_chimera.engine.godecode import decode
from pytest_chimera.engine.http import NDJSON_TYPE, PLAIN_TYPE, RUNNER_JSON_TYPE, TEXT_TYPE, Call
from pytest_chimera.engine.openai import OpenAiAnswering
from pytest_chimera.wire.encode import encode_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pytest_chimera.engine.backend import Backend, Endpoint, ModelCard
    from pytest_chimera.engine.http import Receive, Scope, Send
    from pytest_chimera.wire.names import ModelName

    Handler = Callable[[Call], Awaitable[None]]

PROTOCOL_VERSION = "0.32.15+chimera"
"""What `/api/version` says: the Ollama whose recorded answers the protocol is held against, and that this is not it."""


class EngineApp:
    """The ASGI application; one per backend."""

    def __init__(
        self,
        backend: Backend,
        *,
        version: str = PROTOCOL_VERSION,
        wall_clock_ns: Callable[[], int] = time.time_ns,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`wall_clock_ns` stamps `created_at`; `clock_ns` is when a request came in, for the backend's durations."""
        self._backend = backend
        self._version = version
        self._wall_clock_ns = wall_clock_ns
        self._clock_ns = clock_ns
        self._answering = Answering(backend, wall_clock_ns)
        self._openai = OpenAiAnswering(backend, wall_clock_ns)
        self._routes = self._make_routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        call = Call(scope, receive, send)
        try:
            await self._route(call)
        except ApiError as error:
            await call.reply_error(error.status, error.message, from_runner=error.from_runner)
        except Exception as error:  # noqa: BLE001  # whatever it was, the client gets an answer and the log the trace
            traceback.print_exc()
            if not call.started:
                await call.reply_error(500, f"the engine failed: {error!r}")

    async def _route(self, call: Call) -> None:
        if not origins.is_allowed(call.header(b"origin"), call.header(b"host")):
            await call.reply(403)
            return
        methods = self._routes.get(call.path)
        if methods is None:
            await call.reply(404, b"404 page not found", PLAIN_TYPE)
        elif call.method not in methods:
            allow = {"allow": ", ".join(methods)}
            await call.reply(405, b"405 method not allowed", PLAIN_TYPE, headers=allow)
        else:
            await methods[call.method](call)

    def _make_routes(self) -> Mapping[str, Mapping[str, Handler]]:
        return {
            "/": {"GET": self._root, "HEAD": self._root},
            "/api/version": {"GET": self._api_version, "HEAD": self._api_version},
            "/api/tags": {"GET": self._tags, "HEAD": self._tags},
            "/api/ps": {"GET": self._ps},
            "/api/show": {"POST": self._show},
            "/api/chat": {"POST": self._chat},
            "/api/generate": {"POST": self._generate},
            "/api/embed": {"POST": self._embed},
            "/api/pull": {"POST": self._pull},
            "/api/copy": {"POST": self._copy},
            "/api/delete": {"DELETE": self._delete},
            "/api/create": {"POST": self._not_here},
            "/api/push": {"POST": self._not_here},
            "/v1/models": {"GET": self._openai_models},
            "/v1/chat/completions": {"POST": self._openai.chat},
        }

    async def _root(self, call: Call) -> None:
        await call.reply(200, b"Ollama is running", TEXT_TYPE)

    async def _api_version(self, call: Call) -> None:
        await call.reply_json({"version": self._version})

    async def _tags(self, call: Call) -> None:
        await call.reply_json(tags_body(self._backend.cards()))

    async def _ps(self, call: Call) -> None:
        await call.reply_json(ps_body(self._backend.running(), self._wall_clock_ns()))

    async def _openai_models(self, call: Call) -> None:
        # Another encoder than that of its own routes: no charset, and a newline at the end.
        await call.reply(200, encode_line(openai_models_body(self._backend.cards())), RUNNER_JSON_TYPE)

    async def _show(self, call: Call) -> None:
        body = decode(await call.body(), requests.SHOW_BODY)
        asked = _model_of(body)
        name = requests.valid_name(asked)
        card = self._card(name)
        if card is None:
            raise requests.model_not_found(name.short)
        await call.reply_json(show_body(card))

    async def _chat(self, call: Call) -> None:
        await self._answer("chat", call)

    async def _generate(self, call: Call) -> None:
        await self._answer("generate", call)

    async def _answer(self, endpoint: Endpoint, call: Call) -> None:
        received_ns = self._clock_ns()
        body = requests.decode_answer_body(endpoint, await call.body())
        asked = body.get("model") or ""
        name = requests.answer_model_name(endpoint, asked)
        card = self._card(name)
        if card is None:
            raise requests.model_not_found(asked)
        request = requests.answer_request(endpoint, body, name, card, received_ns)
        await call.while_connected(self._answering.answer(call, request))

    async def _embed(self, call: Call) -> None:
        body = decode(await call.body(), requests.EMBED_BODY)
        asked = _model_of(body)
        if self._card(requests.valid_name(asked)) is None:
            raise requests.model_not_found(asked)
        texts = body.get("input", "")
        if isinstance(texts, str):
            texts = [texts]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ApiError(400, "invalid input type")
        raise embeddings_unsupported()  # the models are loaded for completions alone

    async def _pull(self, call: Call) -> None:
        body = decode(await call.body(), requests.PULL_BODY)
        name = requests.valid_name(_model_of(body))
        last: dict[str, Any] = {"status": "success"}
        if self._card(name) is None:
            last = {
                "error": f"pull model manifest: {name.short}: the embedded engine downloads nothing; "
                "start it with --model PATH.gguf, or pull the model with Ollama"
            }
        if body.get("stream") is False:
            await call.reply_json(last, 500 if "error" in last else 200)
            return
        await call.begin(200, {"content-type": NDJSON_TYPE})
        await call.write(encode_line({"status": "pulling manifest"}))
        await call.write(encode_line(last))
        await call.end()

    async def _copy(self, call: Call) -> None:
        body = decode(await call.body(), requests.COPY_BODY)
        names = {}
        for part in ("source", "destination"):
            asked = body.get(part) or ""
            try:
                names[part] = requests.valid_name(asked)
            except ApiError:
                raise ApiError(400, f'{part} "{asked}" is invalid') from None
        card = self._card(names["source"])
        if card is None:
            raise ApiError(404, f'model "{body["source"]}" not found')
        await self._backend.copy(card.name, names["destination"].short)
        await call.reply(200)

    async def _delete(self, call: Call) -> None:
        body = decode(await call.body(), requests.DELETE_BODY)
        asked = body.get("model") or body.get("name") or ""
        try:
            name = requests.valid_name(asked)
        except ApiError:
            raise ApiError(400, f'name "{asked}" is invalid') from None
        card = self._card(name)
        if card is None:
            raise requests.model_not_found(asked)
        await self._backend.delete(card.name)
        await call.reply(200)

    async def _not_here(self, call: Call) -> None:
        raise ApiError(501, f"the embedded engine has no {call.path}; use Ollama for it")

    def _card(self, name: ModelName) -> ModelCard | None:
        wanted = name.short.casefold()
        return next((card for card in self._backend.cards() if card.name.casefold() == wanted), None)


def _model_of(body: Mapping[str, Any]) -> str:
    """The model's name under its new or its old key. Raises ApiError 400."""
    asked = body.get("model") or body.get("name") or ""
    if not asked:
        raise ApiError(400, "model is required")
    return str(asked)
