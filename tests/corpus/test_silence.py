"""Nothing is skipped in silence: every file is an artifact, every number a measurement or counted as left."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.corpus import Vocabulary, read_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_chimera.corpus import Corpus

SOME = settings(max_examples=40, deadline=None)
VOCABULARY = Vocabulary.built_in()
ENDINGS = ("csv", "json", "jsonl", "md", "yaml", "txt", "png")
NAMES = st.sampled_from([
    "ttft_s", "ttft", "tokens_s", "load_ms", "mean_ttft_s", "throughput", "tokens", "size", "foo", "Bar (x)",
    "accuracy", "p95",
    "latency", "efficiency", "gpu_util", "words_per_second", "error_count", "speedup",
])  # fmt: skip
CELLS = st.one_of(
    st.integers(1, 10**6).map(str),
    st.floats(0.001, 1e6).map(lambda value: f"{value:.3f}"),
    st.sampled_from(["12.5 ms", "3 s", "50 tok/s", "1.5x", "80 %", "2 GB", "7 W"]),
)
CONTENTS = st.one_of(
    st.binary(max_size=60), st.text(max_size=60).map(str.encode), st.sampled_from([b"{}", b"[1]", b"a,b\n1,2\n"])
)


def counted(corpus: Corpus) -> int:
    """How many values are measurements or stand for something left."""
    numbers = sum(len(row.numbers) + sum(map(len, row.doubles.values())) for row in corpus.rows)
    return numbers + sum(each.count for each in corpus.left)


@SOME
@given(
    header=st.lists(NAMES, min_size=1, max_size=6, unique_by=lambda name: name),
    rows=st.lists(st.lists(CELLS, min_size=6, max_size=6), min_size=1, max_size=5),
)
def test_every_number_of_a_table(make_folder: Any, header: list[str], rows: list[list[str]]) -> None:
    """Every numeric cell of a table is in a measurement or counted in something left."""
    text = "prompt," + ",".join(header) + "\n"
    text += "".join("a," + ",".join(cells[: len(header)]) + "\n" for cells in rows)
    corpus = read_corpus([make_folder({"a.csv": text})], vocabulary=VOCABULARY)
    assert counted(corpus) >= len(header) * len(rows)


@SOME
@given(
    st.recursive(
        st.dictionaries(NAMES, st.integers(1, 1000), min_size=1, max_size=4),
        lambda inner: st.one_of(
            st.dictionaries(st.sampled_from(["run", "metrics", "a", "results", "gpu"]), inner, min_size=1, max_size=3),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=6,
    )
)
def test_every_number_of_json(make_folder: Any, document: Any) -> None:
    """Every number of JSON is in a measurement or counted in something left."""
    corpus = read_corpus([make_folder({"a.json": numbered(document, count(1))})], vocabulary=VOCABULARY)
    assert counted(corpus) >= numbers_in(document)


def numbered(document: Any, numbers: Iterator[int]) -> Any:
    """The document with a number of its own in each place: equal ones in one object are copies."""
    if isinstance(document, dict):
        return {key: numbered(value, numbers) for key, value in document.items()}
    return [numbered(value, numbers) for value in document] if isinstance(document, list) else next(numbers)


def numbers_in(document: Any) -> int:
    """How many numbers stand in a document."""
    if isinstance(document, dict):
        return sum(map(numbers_in, document.values()))
    return sum(map(numbers_in, document)) if isinstance(document, list) else 1


@SOME
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["", "x/", "x/y/"]), st.sampled_from("abc"), st.sampled_from(ENDINGS)).map(
            lambda parts: f"{parts[0]}{parts[1]}.{parts[2]}"
        ),
        CONTENTS,
        max_size=6,
    )
)
def test_every_file(make_folder: Any, files: dict[str, bytes]) -> None:
    """Every file is an artifact; one without numbers says why."""
    corpus = read_corpus([make_folder(files)], vocabulary=VOCABULARY)
    assert sorted(each.path for each in corpus.artifacts) == sorted(files)
    digits = {name for name, content in files.items() if any(48 <= byte < 58 for byte in content)}
    assert [
        each.path for each in corpus.artifacts if each.path in digits and not each.measurements and not each.left
    ] == []
