"""A benchmark case, the model and host it is put to, and what came of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_chimera.records.base import Record
from pytest_chimera.records.generation import Generation
from pytest_chimera.records.verdict import Verdict

DEFAULT_ROUNDS = 10
DEFAULT_WARMUP = 1
DEFAULT_TIMEOUT_S = 300.0
DEFAULT_PREFIX: Literal["unique"] = "unique"
"""How a case is measured where nobody says otherwise."""

PromptFit = Literal["fitted", "cut", "unknown"]
"""Whether a prompt fitted into num_ctx, where that can be told."""

_REFUSES_SINCE = (0, 24, 0)
"""The oldest Ollama that was seen to answer `truncate: false` with a 400; what older ones do is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Record):
    """One message of a conversation."""

    role: str
    content: str
    images: tuple[str, ...] = ()
    """Base64 without a prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo(Record):
    """What a server says of an installed model (`/api/tags`, `/api/show`)."""

    name: str
    """Canonical, with its tag: "gemma3:latest"."""
    digest: str | None = None
    family: str | None = None
    parameter_size: str | None = None
    """As Ollama writes it: "268.10M"."""
    quantization: str | None = None
    context_length: int | None = None
    """Tokens that the model was trained for."""
    capabilities: tuple[str, ...] = ()
    format: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel(Record):
    """What a server says of a model in memory (`/api/ps`)."""

    name: str
    digest: str | None = None
    context_length: int | None = None
    """num_ctx as loaded, which may be less than was asked for."""
    size_bytes: int | None = None
    size_vram_bytes: int | None = None

    @property
    def gpu_share(self) -> float | None:
        """GPU share = size_vram / size."""
        if not self.size_bytes or self.size_vram_bytes is None:
            return None
        return self.size_vram_bytes / self.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInfo(Record):
    """The server that answered."""

    url: str
    """Without credentials."""
    version: str | None = None
    """As `/api/version` says."""
    engine: Literal["ollama", "embedded"] = "ollama"
    """A scripted engine is an embedded one too: its answers come from a server of ours."""
    shares_clock: bool = False

    @property
    def refuses_long_prompts(self) -> bool:
        """Whether this server is known to refuse a prompt that does not fit when it is sent `truncate: false`."""
        if self.engine != "ollama":
            return True
        numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", self.version or "")
        return numbers is not None and tuple(map(int, numbers.groups())) >= _REFUSES_SINCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Record):
    """One benchmark: what is asked of a model, how often, and what must hold."""

    id: str
    """Node id of the test, with " #2" for its second call and so on; unique within a run."""
    name: str
    """For people: the id without its path."""
    model: ModelInfo
    messages: tuple[Message, ...]
    """Before any nonce; a persona's or other system text is the first message."""
    endpoint: Literal["chat", "generate"] = "chat"
    suffix: str | None = None
    raw: bool = False
    persona: str | None = None
    persona_hash: str | None = None
    """SHA-256 (hex) of the persona's system text."""
    options: Mapping[str, Any]
    """As sent to the server, validated."""
    options_set: tuple[str, ...] = ()
    """Names among `options` that a person set; the others are defaults of ours."""
    think: bool | str | None = None
    format: str | Mapping[str, Any] | None = None
    """"json" or a JSON schema."""
    tools: tuple[dict[str, Any], ...] = ()
    keep_alive: str | int | None = None
    truncate: bool = False
    """Whether the server may cut a prompt that does not fit in silence; else such a request fails."""
    prefix: Literal["unique", "reuse"] = DEFAULT_PREFIX
    start: Literal["warm", "cold"] = "warm"
    rounds: int = DEFAULT_ROUNDS
    warmup: int = DEFAULT_WARMUP
    timeout_s: float = DEFAULT_TIMEOUT_S
    idle_timeout_s: float | None = None
    """The longest silence within an answer; None leaves it to `timeout_s`."""
    max_failed_rounds: int = 0
    limits: tuple[str, ...] = ()
    """What must hold, in the one grammar: "tok/s >= 30"."""
    gate: tuple[str, ...] | None = None
    """What it is gated by, "tok/s:5%", as its marker or call says; empty exempts it, None leaves it to the run."""
    confirms: str | None = None
    """Id of the case that is measured again here because it was found worse; such a result is in no baseline."""
    prompt_tokens: int | None = None
    """Prompt size asked for instead of a text; the text in `messages` was calibrated to it."""
    output_tokens: int | None = None
    """Answer size asked for; a round that ends before it is flagged."""
    expect: Mapping[str, Any] = field(default_factory=dict)
    """What must hold of each answer: name of the expectation -> what it says (`suites.expect`)."""
    sweep: str | None = None
    """Of a point of a sweep or an arm of a comparison: the id that all points share, and that begins theirs."""
    point: Mapping[str, Any] = field(default_factory=dict)
    """Of such a point: the parameters that vary, by name; an arm has {"arm": its name}."""

    @property
    def prompt_hash(self) -> str:
        """SHA-256 (hex) of the messages (and suffix), before any nonce."""
        content = [message.as_dict() for message in self.messages], self.suffix
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round(Record):
    """One request of a case."""

    number: int
    """From 1, warm-up rounds and counted rounds each for themselves."""
    warmup: bool
    cold: bool | None
    """Whether the model had to be loaded for this request; None when the server did not say."""
    generation: Generation
    block: int | None = None
    """Of a point of a sweep: the number of the block in which it was made, from 1, counted over all its points; rounds
    of one block share one load of the model."""
    busy_answers: int = 0
    """How often the server said that it was busy before it took this request; those attempts are in no time."""

    @property
    def counts(self) -> bool:
        """Whether its numbers enter any statistic: not a warm-up and not failed."""
        return not self.warmup and self.generation.ok


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult(Record):
    """A case with everything that was measured for it."""

    case: Case
    host: HostInfo
    loaded: LoadedModel | None = None
    """As `/api/ps` said after the first request that succeeded."""
    rounds: tuple[Round, ...] = ()
    started_unix_ns: int
    setup_ns: int = 0
    """Wall time before the first request: looking the model up, waiting for the host, unloading for a cold start."""
    warmup_ns: int = 0
    measuring_ns: int = 0
    """Wall time of the counted rounds, with what lies between them."""
    waited_ns: int = 0
    """Of `setup_ns`: waiting for other processes that measure on the same host."""
    complete: bool = False
    """Whether all rounds were made; False when it was interrupted or stopped."""
    stopped: str | None = None
    """Why it was ended before its last round, such as too many failed ones; None when it was not."""
    verdicts: tuple[Verdict, ...] = ()
    """What the gate says of it."""
    gate_broken: tuple[str, ...] = ()
    """What the gate wants to hold and does not: "tok/s >= 40"."""

    @property
    def counted(self) -> tuple[Round, ...]:
        """Rounds that count: those that went well and whose start (cold or warm) is the one that is measured."""
        off = self.case.start == "warm"
        return tuple(each for each in self.rounds if each.counts and each.cold is not off)

    @property
    def off_start(self) -> tuple[Round, ...]:
        """Rounds that went well but do not count: cold where warm is measured, or the other way round."""
        off = self.case.start == "warm"
        return tuple(each for each in self.rounds if each.counts and each.cold is off)

    @property
    def unmet(self) -> tuple[Round, ...]:
        """Counted rounds whose answer is not what was expected; failed rounds, which have none, are not among them."""
        return tuple(each for each in self.counted if each.generation.unmet)

    @property
    def stopped_early(self) -> tuple[Round, ...]:
        """Counted rounds whose answer ended before the `output_tokens` asked for."""
        asked = self.case.output_tokens
        return tuple(
            each
            for each in self.counted
            if asked is not None and each.generation.eval_count is not None and each.generation.eval_count < asked
        )

    def prompt_fit(self, generation: Generation) -> PromptFit:
        """Whether the server evaluated the whole prompt of `generation`.

        A cut prompt keeps at least half of num_ctx, and all of it on older servers: at most half means fitted, all
        of it cut. A server that refuses what does not fit (`truncate: false`) has said by its answer that it fitted.
        """
        count = generation.prompt_eval_count
        window = self.loaded.context_length if self.loaded else None
        if generation.ok and not self.case.truncate and self.host.refuses_long_prompts:
            return "fitted"
        if not generation.ok or count is None or window is None:
            return "unknown"
        if count >= window:
            return "cut"
        return "fitted" if count * 2 <= window else "unknown"

    @property
    def failed(self) -> tuple[Round, ...]:
        """Failed rounds, warm-up included."""
        return tuple(each for each in self.rounds if not each.generation.ok)
