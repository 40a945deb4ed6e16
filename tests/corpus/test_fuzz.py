"""Whatever a file holds: reading it never raises and stays within its bounds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.corpus import Bounds, Vocabulary, read_corpus
from pytest_chimera.records import Artifact, Leftover, Measurement

if TYPE_CHECKING:
    from pytest_chimera.corpus import Corpus

SOME = settings(max_examples=100, deadline=None)
BOUNDS = Bounds(
    file_bytes=20_000, json_values=500, yaml_bytes=2000, columns=12, depth=6, line_chars=2000, names=8, remarks=5
)
VOCABULARY = Vocabulary.built_in()

VALID = {
    "csv": '# note\nmodel,ttft_s,tokens_s,num_ctx,error,response\n,s,tok/s,,,\nm:1b,0.5,100,2048,,hi\n'
    'm:1b,"1,234",0,4096,x,\n\na,b\n1,2\n',
    "json": json.dumps({
        "model": "m:1b", "options": {"num_ctx": 2048}, "ttft": {"mean": 100, "p95": 2, "unit": "ms"},
        "timestamp": 1759098967,
        "runs": [{"ttft_s": 0.5, "error": None}, {"tokens": 3, "latency_ms": [1, 2]}], "gpu": [{"temperature": 50}],
        "metrics": [{"metric": "ttft", "value": 1, "unit": "s"}], "by": {"a": {"ttft_s": 1}, "b": {"ttft_s": 2}},
    }),
    "jsonl": '{"ttft_s":1,"model":"m:1b"}\n{"tokens_s":2,"x":{"y":[1,2]}}\n',
    "md": "# mini:1b\n\nText. | A | TTFT (s) |\n|---|---|\n| a | 1 |\n| | 2 ms |\n\n- Throughput: 48.47 tok/s\n"
    "```\nx\n```\nModel: x | n: 3\n",
    "yaml": "models:\n  - name: m\n    ttft: 1\nother: [1, 2, {a: b}]\n",
    "txt": "Benchmark 1: sleep\n  Time (mean): 1.0 ms\n"
    "| model | test | t/s |\n| ----- | ---- | --- |\n| m | pp512 | 1.0 |\n",
}  # fmt: skip
PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([
        b",", b"|", b"\n", b"\r", b'"', b"{", b"}", b"[", b"]", b":", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"1e999",
        b"-", b"NaN", b"nan",
        b"9" * 400, b"#", b"---|", b"|--|--|", b"```", b"error=", b"error", b"model", b"name", b"value", b"unit",
        b"ttft_s", b"tokens", b"null",
        b"true", b"Infinity", b" ms", b"%", b"*", b"&a", b"\xc3\xbf\xc3\xbe\x00", b"/s", b"~", b"\\", b"\xe2\x80\xa8",
        b"1759098967", b"\xed\xa0\x80",
    ]),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, kind: str) -> bytes:
    """A valid file with some of its bytes taken out, doubled or replaced."""
    data = VALID[kind].encode()
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        data = data[:start] + draw(PIECES) * draw(st.integers(1, 3)) + data[end:]
    return data


def check(corpus: Corpus) -> None:
    """What holds of every corpus: bounded, printable, finite, and its records survive their dict form."""
    (artifact,) = corpus.artifacts
    assert len(corpus.left) <= BOUNDS.remarks + 1
    assert len(artifact.schema) <= BOUNDS.names
    assert artifact.rows == len(corpus.rows)
    assert artifact.failed_rows <= artifact.rows <= 20_000
    for left in corpus.left:
        assert left.count >= 1
        assert left.reason.isprintable()
        assert len(left.reason) < 1500
        assert Leftover.from_dict(json.loads(json.dumps(left.as_dict()))) == left
    for each in (*corpus.measurements, *corpus.others):
        assert each.value is None or each.value - each.value == 0
        assert each.failure is None or each.value is None
        assert all(isinstance(value, str) or value - value == 0 for value in each.parameters.values())
        assert Measurement.from_dict(json.loads(json.dumps(each.as_dict(), allow_nan=False))) == each
    assert Artifact.from_dict(json.loads(json.dumps(artifact.as_dict()))) == artifact


def read(make_folder: Any, kind: str, data: bytes) -> Corpus:
    """The corpus of one file, within small bounds."""
    return read_corpus([make_folder({f"a.{kind}": data})], vocabulary=VOCABULARY, bounds=BOUNDS)


@pytest.mark.parametrize("kind", sorted(VALID))
def test_the_files_are_valid(make_folder: Any, kind: str) -> None:
    """Before anything is done to them, the files that the fuzzer starts from are read."""
    corpus = read(make_folder, kind, VALID[kind].encode())
    check(corpus)
    assert kind in {"yaml", "txt"} or len(corpus.measurements) >= 2


@pytest.mark.parametrize("kind", sorted(VALID))
@SOME
@given(data=st.data())
def test_mutated_files(make_folder: Any, kind: str, data: st.DataObject) -> None:
    """A file that was valid and is damaged anywhere never raises and stays within the bounds."""
    check(read(make_folder, kind, data.draw(mutated(kind))))


@SOME
@given(
    kind=st.sampled_from(sorted(VALID)),
    data=st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=60).map(b"".join)),
)
def test_any_bytes(make_folder: Any, kind: str, data: bytes) -> None:
    """Bytes of any kind under any ending never raise and stay within the bounds."""
    check(read(make_folder, kind, data))


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.sampled_from(["1 ms", "5 tok/s", "m:1b", "error", 10**400, "2025-10-01"]),
)  # fmt: skip
KEYS = st.one_of(
    st.text(max_size=8),
    st.sampled_from([
        "ttft", "ttft_s", "unit", "value", "metric", "name", "model", "models", "options", "config", "error",
        "success", "response",
        "tokens", "timestamp", "n", "results", "benchmarks", "stats", "gpu", "mean", "p95", "environment", "runs",
        "throughput",
    ]),
)  # fmt: skip


@SOME
@given(
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(KEYS, inner, max_size=6)),
        max_leaves=25,
    )
)
def test_any_json(make_folder: Any, document: Any) -> None:
    """JSON of any shape, with names that readers look for, never raises and stays within the bounds."""
    check(read(make_folder, "json", json.dumps(document).encode()))
