"""What names mean: metric, statistic and unit, settings, labels, and what is left out."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from pytest_chimera.corpus import Vocabulary
from pytest_chimera.corpus.vocabulary import built_in_text
from pytest_chimera.errors import CorpusError

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = Vocabulary.built_in()

NUMBERS = [
    ("ttft_s", "ttft", "value", 1.0), ("ttft_ms", "ttft", "value", 1e-3), ("TTFT (s)", "ttft", "value", 1.0),
    ("ttft[ms]", "ttft", "value", 1e-3), ("ttft_sec", "ttft", "value", 1.0), ("ttft_seconds", "ttft", "value", 1.0),
    ("ttft_milliseconds", "ttft", "value", 1e-3), ("time_to_first_token_ms", "ttft", "value", 1e-3),
    ("timeToFirstTokenMs", "ttft", "value", 1e-3), ("Time to First Token (ms)", "ttft", "value", 1e-3),
    ("mean_ttft_s", "ttft", "mean", 1.0), ("ttft_mean_ms", "ttft", "mean", 1e-3),
    ("Mean TTFT (s)", "ttft", "mean", 1.0),
    ("ttft_p95_s", "ttft", "p95", 1.0), ("p99_ttft_ms", "ttft", "p99", 1e-3), ("ttft_delta_ms", "ttft", "delta", 1e-3),
    ("TTFT Δ (ms)", "ttft", "delta", 1e-3), ("load_s", "load", "value", 1.0), ("Load Time (s)", "load", "value", 1.0),
    ("load_duration_ns", "load", "value", 1e-9), ("prompt_eval_duration", "prompt_eval", "value", 1.0),
    ("prompt_eval_count", "prompt_tokens", "value", 1.0), ("eval_count", "output_tokens", "value", 1.0),
    ("eval_s", "eval", "value", 1.0), ("eval_s_mean", "eval", "mean", 1.0), ("eval_duration_ns", "eval", "value", 1e-9),
    ("total_duration_ns", "total", "value", 1e-9), ("e2e_latency_s", "e2e", "value", 1.0),
    ("itl_ms", "itl", "value", 1e-3),
    ("inter_token_latency_p99_ms", "itl", "p99", 1e-3), ("tpot_ms", "time/token", "value", 1e-3),
    ("tokens_s", "tok/s", "value", 1.0), ("tokens/s", "tok/s", "value", 1.0), ("Tok/s", "tok/s", "value", 1.0),
    ("tps", "tok/s", "value", 1.0), ("tokensPerSecond", "tok/s", "value", 1.0),
    ("Throughput (tok/s)", "tok/s", "value", 1.0),
    ("throughput_tok_s", "tok/s", "value", 1.0), ("Tokens per Second", "tok/s", "value", 1.0),
    ("output_tokens_per_second", "tok/s", "value", 1.0), ("decode_tok_per_s", "tok/s", "value", 1.0),
    ("mean_tokens_s", "tok/s", "mean", 1.0), ("overall_tokens_per_second", "tok/s", "mean", 1.0),
    ("Peak Tokens/s", "tok/s", "max", 1.0), ("tokens_s_std", "tok/s", "sd", 1.0), ("P05 Tokens/s", "tok/s", "p5", 1.0),
    ("TP Δ (tok/s)", "tok/s", "delta", 1.0), ("prefill_tokens_s", "prefill", "value", 1.0),
    ("prompt_tokens/s", "prefill", "value", 1.0), ("prompt_tokens_per_second", "prefill", "value", 1.0),
    ("latency_us", "latency", "value", 1e-6), ("Generation Time (ms)", "latency", "value", 1e-3),
    ("mean_time_ms", "latency", "mean", 1e-3), ("p50_ms", "latency", "median", 1e-3),
    ("stdev_ms", "latency", "sd", 1e-3),
    ("compile_time_s", "compile", "value", 1.0), ("speedup", "speedup", "value", 1.0),
    ("efficiency", "efficiency", "value", 0.01), ("Efficiency (%)", "efficiency", "value", 0.01),
    ("words_per_second", "words/s", "value", 1.0), ("word_count", "words", "value", 1.0),
    ("requests_per_second", "request_rate", "value", 1.0), ("total_tokens", "total_tokens", "value", 1.0),
    ("model_size_bytes", "model_size", "value", 1.0), ("model_size_gb", "model_size", "value", 1024.0**3),
    ("size_mb", "model_size", "value", 1024.0**2), ("response_chars", "answer_chars", "value", 1.0),
    ("cpu_percent", "cpu", "value", 0.01), ("memory_used_mb", "ram_used", "value", 1024.0**2),
    ("gpu_memory_used_mb", "vram_used", "value", 1024.0**2), ("utilization_gpu", "gpu_util", "value", 0.01),
    ("utilization_memory", "gpu_membw", "value", 0.01), ("power_draw_w", "power", "value", 1.0),
    ("gpu_temp", "gpu_temp", "value", 1.0), ("gpu_temp_c", "gpu_temp", "value", 1.0),
    ("clock_graphics", "gpu_clock", "value", 1e6), ("disk_usage_percent", "disk", "value", 0.01),
    ("accuracy", "accuracy", "value", 1.0), ("refusal_rate", "rate", "value", 1.0),
    ("error_rate", "rate", "value", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "metric", "statistic", "scale"), NUMBERS, ids=[each[0] for each in NUMBERS])
def test_numbers(name: str, metric: str, statistic: str, scale: float) -> None:
    """A name says the metric, the statistic, and the unit of a bare number under it."""
    meaning = VOCABULARY.meaning(name)
    assert meaning.kind == "number"
    assert meaning.term is not None
    assert (meaning.name, meaning.statistic) == (meaning.term.metric, meaning.term.statistic) == (metric, statistic)
    assert meaning.term.scale == scale


@pytest.mark.parametrize(
    ("name", "kind", "canonical"),
    [
        ("num_ctx", "setting", "num_ctx"), ("context_length", "setting", "num_ctx"),
        ("Temperature", "setting", "temperature"),
        ("ngl", "setting", "num_gpu"), ("max_tokens", "setting", "num_predict"),
        ("batch_size", "setting", "batch_size"),
        ("seed", "setting", "seed"), ("Context", "label", "context"), ("prompt", "label", "prompt"),
        ("config_name", "label", "config"), ("Model", "role", "model"), ("timestamp", "role", "time"),
        ("error_message", "role", "error"), ("success", "role", "success"), ("Response", "role", "answer"),
        ("runs", "role", "n"), ("python_version", "environment", "python"), ("gpu_name", "environment", "gpu"),
        ("id", "ignored", "id"), ("p95", "statistic", "p95"), ("Mean", "statistic", "mean"),
        ("median", "statistic", "median"),
        ("foo", "unknown", ""), ("foo_ms", "unknown", ""), ("", "unknown", ""), ("ttft_p99.9", "unknown", ""),
        ("error_count", "unknown", ""), ("prompt_s", "unknown", ""), ("ttft" * 40, "unknown", ""),
    ],
)  # fmt: skip
def test_other_names(name: str, kind: str, canonical: str) -> None:
    """Settings, labels, roles and machines have names of their own, and nobody guesses at others."""
    meaning = VOCABULARY.meaning(name)
    assert (meaning.kind, meaning.name) == (kind, canonical)


def test_a_spread_is_its_own_statistic() -> None:
    """A coefficient of variation says what an aggregate is, and is never a value of a metric."""
    term = VOCABULARY.meaning("cv_percent").term
    assert term is not None
    assert (term.metric, term.statistic, term.scale) == ("cv", "cv", 0.01)


@pytest.mark.parametrize("name", ["throughput", "tokens", "size", "memory", "throughput_delta"])
def test_ambiguous_names(name: str) -> None:
    """A name that may mean several things says why it is left out."""
    meaning = VOCABULARY.meaning(name)
    assert meaning.kind == "ambiguous"
    assert ": " in meaning.name
    assert meaning.term is None


@pytest.mark.parametrize("name", ["ttft", "latency", "Mean TTFT", "load_duration"])
def test_numbers_without_a_unit(name: str) -> None:
    """A time whose name says no unit has none until its value brings one."""
    meaning = VOCABULARY.meaning(name)
    assert (meaning.kind, meaning.term) == ("number", None)


@pytest.mark.parametrize(
    ("name", "place", "metric"),
    [
        ("temperature", "gpu", "gpu_temp"), ("temp", "gpu", "gpu_temp"), ("memory_used_mb", "gpu", "vram_used"),
        ("power", "gpu", "power"), ("cpu", "process", "process_cpu"), ("cpu", "", "cpu"),
    ],
)  # fmt: skip
def test_names_below_others(name: str, place: str, metric: str) -> None:
    """What a name means can depend on what it stands below."""
    assert VOCABULARY.meaning(name, place).name == metric


def test_places() -> None:
    """Keys with the word in them, and all that stands below, are such places."""
    assert [VOCABULARY.place(key) for key in ("gpu", "GPUs", "nvidia_gpu", "process_info", "run")] == [
        "gpu", "gpu", "gpu", "process", "",
    ]  # fmt: skip
    assert VOCABULARY.place("stats", "gpu") == "gpu"


def test_form() -> None:
    """Every metric of the built-in vocabulary has a title, a known dimension, and a bare unit of that dimension."""
    for name in VOCABULARY.metrics:
        words = VOCABULARY.metrics[name]
        assert words.title
        assert words.role in {"performance", "resource", "other"}
        assert words.better in {None, "lower", "higher"}
        if words.unit is not None:
            term = VOCABULARY.term(name, "value", None)
            assert term is not None
            assert term.dimension == words.dimension


def test_pickle() -> None:
    """A vocabulary goes to another process and means the same there."""
    there = pickle.loads(pickle.dumps(VOCABULARY))
    assert [there.meaning(name) for name, *_ in NUMBERS] == [VOCABULARY.meaning(name) for name, *_ in NUMBERS]


def written(folder: Path, text: str) -> Path:
    """A vocabulary file with this text."""
    path = folder / "words.yaml"
    path.write_text(text, encoding="utf-8")
    return path


USERS = """
metrics:
  ttft: {names: [erste_antwort]}
  frames: {dimension: per_second, title: frames per second, better: higher, unit: /s, names: [fps]}
within:
  disk: {busy: disk}
settings: {num_ctx: [kontext]}
labels: {prompt: [frage]}
roles: {model: [modell]}
environment: {gpu: [karte]}
ambiguous: {speed: "it may be anything"}
ignored: [nummer]
families: [eule]
headers: [{match: "bare*.csv", columns: [modell, erste_antwort_ms]}]
"""


def test_users_words(tmp_path: Path) -> None:
    """A user's file adds names to what is known, and metrics of its own; all else stays."""
    words = Vocabulary.from_file(written(tmp_path, USERS))
    frames = words.meaning("mean_fps").term
    assert frames is not None
    assert (frames.metric, frames.statistic, frames.dimension) == ("frames", "mean", "per_second")
    assert words.meaning("p95_erste_antwort_ms").term == words.meaning("p95_ttft_ms").term
    assert [words.meaning(name)[:2] for name in ("kontext", "frage", "modell", "karte", "nummer")] == [
        ("setting", "num_ctx"), ("label", "prompt"), ("role", "model"), ("environment", "gpu"), ("ignored", "nummer"),
    ]  # fmt: skip
    assert words.meaning("speed").kind == "ambiguous"
    assert words.meaning("busy", words.place("disks")).name == "disk"
    assert words.families[-1] == "eule"
    assert words.headers == (("bare*.csv", ("modell", "erste_antwort_ms")),)
    assert words.meaning("tokens_s") == VOCABULARY.meaning("tokens_s")


def test_built_in_is_a_users_file(tmp_path: Path) -> None:
    """The built-in vocabulary's own text is one that a user can start from."""
    words = Vocabulary.from_file(written(tmp_path, built_in_text()))
    assert [words.meaning(name) for name, *_ in NUMBERS] == [VOCABULARY.meaning(name) for name, *_ in NUMBERS]


@pytest.mark.parametrize(
    ("text", "what", "then"),
    [
        ("metricks: {}", "has 'metricks' at its top.", "Did you mean 'metrics'?"),
        ("metrics: {ttft: {nams: [x]}}", "metrics.ttft in ", "Did you mean 'names'?"),
        ("metrics: {new: {dimension: tyme, names: [x]}}", "is 'tyme'.", "Did you mean 'time'?"),
        ("metrics: {new: {dimension: time, unit: parsec, names: [x]}}", "is 'parsec'.", ""),
        ("metrics: {new: {dimension: time, better: up, names: [x]}}", "is 'up'.", ""),
        ("within: {gpu: {heat: gpu_tempp}}", "names the metric 'gpu_tempp'.", "Did you mean 'gpu_temp'?"),
        ("settings: {num_ctx: 5}", "settings.num_ctx in ", ""),
        ("settings: [a]", "settings in ", ""),
        ("headers: [{columns: [a]}]", "headers in ", ""),
        ("headers: {match: a, columns: [b]}", "headers in ", ""),
        ("headers: 5", "headers in ", ""),
        ("families: [5]", "families in ", ""),
        ("ignored: {a: b}", "ignored in ", ""),
        ("[a, b]", "is no mapping.", ""),
        ("", "is no mapping.", ""),
        ("a: &a [x]\nb: *a\n", "is not usable: ", ""),
        ("a: [", "is not usable: ", ""),
        ("metrics: 5", "metrics in ", ""),
        ("metrics: {ttft: 5}", "metrics.ttft in ", ""),
        ("metrics: {ttft: {dimension: [1]}}", "metrics.ttft.dimension in ", ""),
        ("metrics: {ttft: {unit: MHz}}", "metrics.ttft.unit in ", ""),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used(tmp_path: Path, text: str, what: str, then: str) -> None:
    """A file with something that no vocabulary has is refused: what came, what is accepted, what is nearest."""
    with pytest.raises(CorpusError) as caught:
        Vocabulary.from_file(written(tmp_path, text))
    assert what in caught.value.what
    assert caught.value.accepted
    assert then in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    """A vocabulary that is not there, a folder, and one that is no text are refused."""
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("none.yaml", ".", "binary.yaml"):
        with pytest.raises(CorpusError, match="cannot be read"):
            Vocabulary.from_file(tmp_path / name)
