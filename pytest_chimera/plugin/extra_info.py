"""What a recorded row carries besides its numbers: everything needed to compare it honestly, as bounded plain JSON.

Pure: from a case's result to a dict. No text of a prompt, answer or schema goes in, only their hashes and counts.
Where rows are made, and by whom they are saved, is `record`'s matter.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from pytest_chimera.gate.saved import KEY, SCHEMA
from pytest_chimera.metrics import METRICS, ROW_METRICS, Metric, result_statistic
from pytest_chimera.stats import STATISTICS
from pytest_chimera.units import ns_to_s

if TYPE_CHECKING:
    from pytest_chimera.records import Case, CaseResult, Generation, HostInfo, ModelInfo, Round, Verdict

__all__ = [
    "KEY",
    "LONGEST_KEY_BYTES",
    "LONGEST_TEXT",
    "MOST_ITEMS",
    "SCHEMA",
    "bounded_id",
    "case_infos",
    "generation_info",
    "host_info",
    "model_info",
    "plain",
    "row_info",
    "row_params",
]

LONGEST_KEY_BYTES = 1024
"""Of a row's `fullname`: one longer name and bencher reads nothing of the whole file."""

_HASH_DIGITS = 12
_REST_STANDS_WITH = "e2e"
"""The row in which the metrics stand that have no row: every counted round has it."""
_FOLLOWS_FROM = {"tok/s": "time/token"}
"""Metric -> the row from which it follows."""
_WITHOUT_ROW = tuple(
    metric
    for metric in METRICS.values()
    if not metric.row and metric.better is not None and metric.name not in _FOLLOWS_FROM
)

LONGEST_TEXT = 300
"""Characters kept of any text that came from outside, such as an error message of a server."""

MOST_ITEMS = 100
"""Entries kept of a list or mapping that came from outside, such as the stop words of an option."""


def row_info(result: CaseResult, metric: Metric) -> dict[str, Any]:
    """`extra_info` of the row of `metric`: {"chimera": {...}} with the values in seconds, one per round."""
    case = result.case
    info = {
        "schema": SCHEMA,
        "kind": "case",
        "case": case.id,
        "metric": metric.name,
        "formula": metric.formula,
        "seen_by": metric.seen_by,
        "unit": "s",
        **model_info(case.model),
        **host_info(result.host),
        **_request_info(case),
        **_loaded_info(result),
        "complete": result.complete,
        "stopped": result.stopped,
        "started_unix_s": ns_to_s(result.started_unix_ns),
        "waited_s": ns_to_s(result.waited_ns),
        "nonce_form": next((nonce_form(each.generation.nonce) for each in result.rounds), None),
        "gate": case.gate,
        "gate_broken": result.gate_broken,
        "confirms": case.confirms,
        "verdicts": [each.as_dict() for each in result.verdicts if _row_of(each) == metric.name],
    }
    if metric.name == _REST_STANDS_WITH:
        info["pooled"] = {each.name: _statistics(result, each) for each in _WITHOUT_ROW if each.pooled}
    rounds = [plain(_round_info(result, each, metric)) for each in result.rounds]
    return {KEY: {**plain(info), "case": bounded_id(case.id), "rounds": rounds}}


def bounded_id(nodeid: str, room: int = LONGEST_KEY_BYTES) -> str:
    """A node id of at most `room` bytes; one that is too long (a prompt as parameter) ends in a hash of itself."""
    whole = nodeid.encode("utf-8", "replace")
    if len(whole) > room:
        digest = hashlib.sha256(whole).hexdigest()[:_HASH_DIGITS]
        whole = whole[: room - _HASH_DIGITS - 1] + f"~{digest}".encode()
    return whole.decode("utf-8", "ignore")


def case_infos(result: CaseResult) -> list[dict[str, Any]]:
    """What the rows of a case say of it, each as it will be read back."""
    rows = [metric for metric in ROW_METRICS if result_statistic(metric, result).n]
    return [row_info(result, metric)[KEY] for metric in rows or (METRICS[_REST_STANDS_WITH],)]


def _row_of(verdict: Verdict) -> str:
    """The row with which a verdict is saved: that of its metric, where it has one."""
    row = _FOLLOWS_FROM.get(verdict.metric, verdict.metric)
    return row if METRICS[row].row else _REST_STANDS_WITH


def _statistics(result: CaseResult, metric: Metric) -> dict[str, float | int | None]:
    """What can be said of a metric with many values in each round, too many to be saved."""
    values = result_statistic(metric, result)
    return {"n": values.n, **{name: getattr(values, each.attribute) for name, each in STATISTICS.items()}}


def row_params(
    *, metric: str = "", model: ModelInfo | None = None, persona: str | None = None, prefix: str = ""
) -> dict[str, str]:
    """What `--benchmark-group-by=param:NAME` can group by; empty where a row has none or it is unknown."""
    return {
        "model": model.name if model else "",
        "metric": metric,
        "quantization": (model.quantization if model else None) or "",
        "parameter_size": (model.parameter_size if model else None) or "",
        "persona": persona or "",
        "prefix": prefix,
    }


def model_info(model: ModelInfo) -> dict[str, Any]:
    """Which model, down to the digest of its file."""
    return {
        "model": model.name,
        "digest": model.digest,
        "family": model.family,
        "parameter_size": model.parameter_size,
        "quantization": model.quantization,
        "model_format": model.format,
        "model_file_bytes": model.size_bytes,
        "trained_context_tokens": model.context_length,
    }


def host_info(host: HostInfo) -> dict[str, Any]:
    """Which server."""
    return {
        "host": host.url,
        "engine": host.engine,
        "server_version": host.version,
        "ollama_version": host.version if host.engine == "ollama" else None,
        "shares_clock": host.shares_clock,
    }


def _request_info(case: Case) -> dict[str, Any]:
    """What was asked, and how often."""
    return {
        "endpoint": case.endpoint,
        "raw": case.raw,
        "persona": case.persona,
        "persona_hash": case.persona_hash,
        "prompt_hash": case.prompt_hash,
        "options": case.options,
        "options_set": case.options_set,
        "think": case.think,
        "format": _format_name(case.format),
        "tools": len(case.tools),
        "keep_alive": case.keep_alive,
        "truncate": case.truncate,
        "prefix": case.prefix,
        "start": case.start,
        "rounds_asked": case.rounds,
        "warmup_asked": case.warmup,
        "timeout_s": case.timeout_s,
        "idle_timeout_s": case.idle_timeout_s,
        "limits": case.limits,
        "expect": _expected(case.expect),
        "sweep": None if case.sweep is None else bounded_id(case.sweep),
        "point": case.point,
        "prompt_tokens_asked": case.prompt_tokens,
        "output_tokens_asked": case.output_tokens,
    }


def _loaded_info(result: CaseResult) -> dict[str, Any]:
    """How the server had loaded the model: num_ctx and sizes as `/api/ps` said."""
    loaded = result.loaded
    return {
        "num_ctx_asked": result.case.options.get("num_ctx"),
        "num_ctx_loaded": loaded.context_length if loaded else None,
        "size_bytes": loaded.size_bytes if loaded else None,
        "size_vram_bytes": loaded.size_vram_bytes if loaded else None,
    }


def _round_info(result: CaseResult, one: Round, metric: Metric) -> dict[str, Any]:
    """One round: the row's value in seconds, whether it counts, and if not why."""
    generation = one.generation
    values = metric.read(generation)
    info: dict[str, Any] = {
        "round": one.number,
        "block": one.block,
        "value": values[0] if values else None,
        "counted": one in result.counted,
        "warmup": one.warmup,
        "cold": one.cold,
        "failed": failure_text(generation),
        "cause": generation.failure.cause if generation.failure else None,
        "busy_answers": one.busy_answers,
        "prompt_tokens": generation.prompt_eval_count,
        "cached_tokens": generation.prompt_eval_cached_count,
        "output_tokens": generation.eval_count,
        "done_reason": generation.done_reason,
        "prompt_fit": result.prompt_fit(generation),
        "unmet": None if generation.unmet is None else _names(generation.unmet),
        "nonce": generation.nonce,
    }
    if metric.name == _REST_STANDS_WITH:
        found = {each.name: each.read(generation) for each in _WITHOUT_ROW}
        info["metrics"] = {name: median(many) if many else None for name, many in found.items()}
    return info


def generation_info(generation: Generation) -> dict[str, Any]:
    """One request on its own: its times in seconds, its counts and its end, None where unknown."""
    durations = {
        "ttft_s": generation.client_ttft_ns,
        "e2e_s": generation.client_e2e_ns,
        "total_s": generation.total_duration_ns,
        "load_s": generation.load_duration_ns,
        "prompt_eval_s": generation.prompt_eval_duration_ns,
        "eval_s": generation.eval_duration_ns,
    }
    return {
        "model": generation.model,
        "prompt_hash": generation.prompt_hash,
        **{name: None if value is None else ns_to_s(value) for name, value in durations.items()},
        "tok_s": generation.decode_tokens_per_s,
        "prompt_tokens": generation.prompt_eval_count,
        "cached_tokens": generation.prompt_eval_cached_count,
        "output_tokens": generation.eval_count,
        "done_reason": generation.done_reason,
        "failed": failure_text(generation),
        "nonce": generation.nonce,
    }


def failure_text(generation: Generation) -> str | None:
    """How a request failed, in a few words: "http 500: out of memory"; None when it did not."""
    failure = generation.failure
    if failure is None:
        return None
    kind = failure.kind if failure.status is None else f"{failure.kind} {failure.status}"
    return f"{kind}: {failure.message}"


def nonce_form(nonce: str | None) -> str | None:
    """The shape that all nonces of a case share, its letters and digits as x: "[xxxxxxxx] "."""
    return None if nonce is None else re.sub(r"\w", "x", nonce)


def _format_name(value: str | Mapping[str, Any] | None) -> str | None:
    """ "json", or a schema by the hash of its content, so that two runs with different schemas show as different."""
    if value is None or isinstance(value, str):
        return value
    content = json.dumps(plain(value), sort_keys=True)
    return f"schema sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def _expected(expect: Mapping[str, Any]) -> dict[str, Any]:
    """What is expected, by name; a schema as a format has it."""
    return {name: _format_name(value) if name == "json_schema" else value for name, value in expect.items()}


def _names(unmet: Sequence[str]) -> list[str]:
    """Which expectations are not met, without the words of the answer that stand behind their names."""
    return list(dict.fromkeys(each.partition(":")[0] for each in unmet))


def plain(value: Any) -> Any:
    """`value` as bounded JSON that every reader accepts: no NaN or infinity, no lone surrogate, no long text."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_text(str(key)): plain(item) for key, item in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(item) for item in value[:MOST_ITEMS]]
    return _text(str(value))


def _text(text: str) -> str:
    """Whole characters only, cut where it is too long."""
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= LONGEST_TEXT else whole[: LONGEST_TEXT - 3] + "..."
