"""What stands between the HTTP server and whoever answers: the Backend protocol and the values that pass through it.

Here live no sockets, no encoding and no inference: the server makes a validated AnswerRequest, a backend yields chunk
dicts, and every way of ending other than the final chunk is an exception of this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

Endpoint = Literal["chat", "generate"]
Think = bool | Literal["low", "medium", "high", "max"]
Chunk = dict[str, Any]
"""One line of a stream without `model` and `created_at`, in Ollama's key order (see engine.chunks).

The server adds both, `created_at` just before the write; a chunk that brings its own `created_at` (RFC 3339) keeps it.
"""

FOREVER_S = float("inf")
"""`keep_alive_s` of a model that is to stay until it is unloaded (a negative keep_alive on the wire)."""
DEFAULT_KEEP_ALIVE_S = 300.0
"""What Ollama takes when a request says nothing."""


class ApiError(Exception):
    """An error as answer: before the first chunk an HTTP status, after it a last line `{"error": ...}` at 200."""

    def __init__(self, status: int, message: str, *, from_runner: bool = False) -> None:
        """`from_runner`: Ollama passes errors of its runner on chunked and as plain `application/json`."""
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.from_runner = from_runner


class StreamCutError(Exception):
    """The answer ends here, at status 200, without a final chunk and without an error line.

    `abrupt`: the connection is closed in the middle, as when the server dies; otherwise the HTTP answer ends properly,
    as when Ollama's guard against repetition stops it.
    """

    def __init__(self, *, abrupt: bool = False) -> None:
        super().__init__(abrupt)
        self.abrupt = abrupt


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a chat as it came in; unknown roles are let through, as Ollama does."""

    role: str = ""
    content: str = ""
    thinking: str = ""
    images: tuple[bytes, ...] = ()
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    """As sent: `{"function": {"name": ..., "arguments": {...}}}`."""
    tool_name: str = ""
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """A request for text whose types, names and capabilities the server has already checked against the model."""

    endpoint: Endpoint
    model: str
    """The backend's own name for it, always with its tag: `tiny:latest`."""
    asked_model: str
    """The name as the client wrote it."""
    received_ns: int
    """time.monotonic_ns() at the handler's entry: total_duration and load_duration count from here."""
    messages: tuple[Message, ...] = ()
    """Chat only."""
    prompt: str = ""
    """Generate only, as are the next five."""
    system: str = ""
    template: str = ""
    suffix: str = ""
    raw: bool = False
    context: tuple[int, ...] = ()
    images: tuple[bytes, ...] = ()
    """Of generate; a chat has them in its messages."""
    format: Literal["json"] | Mapping[str, Any] | None = None
    """`"json"` or a JSON schema object."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Only names that Ollama knows, of the right Python type (int, float, bool, str, tuple of str); others are gone."""
    think: Think | None = None
    """None: the request did not say, and a model that can think does. Never true for a model that cannot."""
    keep_alive_s: float = DEFAULT_KEEP_ALIVE_S
    """0 unloads after the answer, FOREVER_S never."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """Empty unless the model has the capability `tools`."""
    truncate: bool = True
    """False: a prompt that does not fit is a 400, see `prompt_too_long`."""
    logprobs: bool = False
    top_logprobs: int = 0
    stream: bool = True
    """The server collects when it is False; a backend may ignore it."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for but loading the model (the server then calls `load`, not `answer`)."""
        return not self.messages if self.endpoint == "chat" else not self.prompt and not self.images


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What is known of an installed model; `/api/tags`, `/api/show` and `/api/ps` are rendered from it."""

    name: str
    """With tag: `tiny:latest`."""
    digest: str
    """64 hex digits; of a GGUF the SHA-256 of the file."""
    size_bytes: int
    modified_at_ns: int
    """Wall clock, ns since the epoch."""
    family: str
    parameter_size: str
    """As Ollama writes it: `268.10M`, `677K`."""
    quantization: str
    """As Ollama writes it: `Q4_K_M`, `F16`, `unknown`."""
    context_length: int
    """What it was trained for."""
    embedding_length: int
    capabilities: tuple[str, ...] = ("completion",)
    """Of: completion, tools, thinking, insert, vision, embedding."""
    format: str = "gguf"
    template: str = ""
    parameters: str = ""
    modelfile: str = ""
    model_info: Mapping[str, Any] = field(default_factory=dict)
    tensors: Sequence[Mapping[str, Any]] = ()
    """`{"name", "type", "shape"}` each, Ollama's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningModel:
    """A loaded model, one row of `/api/ps`."""

    card: ModelCard
    size_bytes: int
    """In memory."""
    size_vram_bytes: int
    context_length: int
    """As loaded, after any cut to what the model was trained for."""
    expires_at_ns: int | None
    """Wall clock; None is for ever."""


class Backend(Protocol):
    """Whoever answers. All methods run on the server's event loop and must not block it.

    Model names that come in are normalised (tagged) and, except for `delete` and `copy`, name a card of `cards()`.
    """

    async def start(self) -> None:
        """Get ready; called once, before the server accepts connections."""

    async def stop(self) -> None:
        """Free everything; called once, after the last connection."""

    def cards(self) -> Sequence[ModelCard]:
        """The installed models; cheap, asked for with every request."""

    def running(self) -> Sequence[RunningModel]:
        """The loaded models, most recently used first."""

    def answer(self, request: AnswerRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of the answer, the last one with `done: true` and its durations.

        Raises ApiError or StreamCutError. Closed at once (cancelled, then `aclose()`) when the client has left.
        """

    async def load(self, request: AnswerRequest) -> None:
        """Load the model as the (empty) request says and set its keep_alive. Raises ApiError."""

    async def unload(self, model: str) -> None:
        """Unload the model; nothing happens when it is not loaded."""

    async def copy(self, source: str, destination: str) -> None:
        """Install `source`, which exists, under a second name."""

    async def delete(self, model: str) -> None:
        """Remove an installed model from the list (never a user's file) and unload it."""


def prompt_too_long(prompt_tokens: int, num_ctx: int) -> ApiError:
    """What Ollama answers to a prompt that does not fit with `truncate: false`: JSON inside a JSON string."""
    return ApiError(
        400,
        f'{{"error":{{"code":400,"message":"request ({prompt_tokens} tokens) exceeds the available context size '
        f'({num_ctx} tokens), try increasing it","type":"exceed_context_size_error",'
        f'"n_prompt_tokens":{prompt_tokens},"n_ctx":{num_ctx}}}}}',
        from_runner=True,
    )


def images_unsupported() -> ApiError:
    """What Ollama answers to an image for a model without eyes."""
    return ApiError(
        400,
        '{"error":{"code":400,"message":"Multimodal data provided, but model does not support multimodal requests.",'
        '"type":"invalid_request_error"}}',
        from_runner=True,
    )


def embeddings_unsupported() -> ApiError:
    """What Ollama answers to `/api/embed` of a model that only completes."""
    return ApiError(501, "This server does not support embeddings. Start it with `--embeddings`")


def server_busy() -> ApiError:
    """What Ollama answers when its queue is full."""
    return ApiError(503, "server busy, please try again.  maximum pending requests exceeded")


def runner_died() -> ApiError:
    """What Ollama answers when the process of a model ends during an answer."""
    return ApiError(500, "an error was encountered while running the model: unexpected EOF")
