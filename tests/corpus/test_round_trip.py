"""The same measurements from every format, in any order and unit, and through every form of themselves."""

from __future__ import annotations

import csv
import io
import json
import pickle
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_chimera.corpus import Vocabulary, read_corpus
from pytest_chimera.records import Artifact, Leftover, Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_chimera.corpus import Corpus

    Table = list[dict[str, Any]]

SOME = settings(max_examples=25, deadline=None)
VOCABULARY = Vocabulary.built_in()
COLUMNS = {
    "ttft_s": st.floats(0.001, 100).map(lambda value: round(value, 6)),
    "tokens_s": st.floats(0.1, 1000).map(lambda value: round(value, 4)),
    "load_s": st.floats(0.001, 10).map(lambda value: round(value, 6)),
    "eval_count": st.integers(1, 10_000),
    "mean_eval_s": st.floats(0.001, 100).map(lambda value: round(value, 6)),
    "accuracy": st.floats(0.01, 1).map(lambda value: round(value, 3)),
}
CONDITIONS = {
    "model": st.sampled_from(["gemma3:270m", "llama3.1:8b-instruct-q4_0", "tiny:latest"]),
    "num_ctx": st.sampled_from([512, 2048, 4096]),
    "temperature": st.sampled_from([0.0, 0.2, 0.8]),
    "prompt": st.sampled_from(["say hi", "write a poem, please", 'quote "this" | that', "Grüße"]),
    "error": st.sampled_from(["", "", "", "Failed to connect", "timed out after 5 s"]),
}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Rows of one table: conditions, then two or more numbers."""
    numbers = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=2, max_size=5, unique=True))
    conditions = draw(st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=5, unique=True))
    row = st.fixed_dictionaries(
        {name: CONDITIONS[name] for name in conditions} | {name: COLUMNS[name] for name in numbers}
    )
    return draw(st.lists(row, min_size=1, max_size=6))


def as_csv(rows: Table, delimiter: str = ",") -> str:
    """The table as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(rows: Table) -> str:
    """The table as Markdown; a blank first cell would repeat the one above, so conditions with blanks stand last."""
    names = sorted(rows[0], key=lambda name: name == "error")
    lines = [names, ["---"] * len(names)]
    lines += [[str(row[name]).replace("|", "\\|") for name in names] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


FORMATS: dict[str, Callable[[Table], str]] = {
    "a.csv": as_csv,
    "a.tsv": lambda rows: as_csv(rows, "\t"),
    "a.json": json.dumps,
    "b.json": lambda rows: json.dumps({"results": rows}),
    "a.jsonl": lambda rows: "".join(f"{json.dumps(row)}\n" for row in rows),
    "a.md": as_markdown,
}


def told(corpus: Corpus) -> Counter[Any]:
    """What measurements say, wherever they stand and in whatever order."""
    return Counter(
        (
            each.metric, None if each.value is None else float(f"{each.value:.9g}"), each.statistic, each.dimension,
            each.role,
            each.model, each.size, each.quantization, each.failure, tuple(sorted(each.parameters.items())),
            each.labels.get("prompt"),
        )
        for each in (*corpus.measurements, *corpus.others)
    )  # fmt: skip


def read(make_folder: Any, name: str, text: str) -> Corpus:
    """The corpus of one file."""
    return read_corpus([make_folder({name: text})], vocabulary=VOCABULARY)


@SOME
@given(tables())
def test_formats(make_folder: Any, rows: Table) -> None:
    """A table written as CSV, JSON, JSON Lines and Markdown reads back as the same measurements."""
    found = {name: told(read(make_folder, name, write(rows))) for name, write in FORMATS.items()}
    count = len(rows) * sum(name in COLUMNS for name in rows[0])
    assert {name: sum(each.values()) for name, each in found.items()} == dict.fromkeys(FORMATS, count)
    assert [name for name, each in found.items() if each != found["a.csv"]] == []


@SOME
@given(tables(), st.randoms())
def test_order_units_and_other_columns(make_folder: Any, rows: Table, random: Any) -> None:
    """Shuffled rows, milliseconds in names or cells, and columns of other things do not change what is measured."""
    expected = told(read(make_folder, "a.csv", as_csv(rows)))
    shuffled = random.sample(rows, len(rows))
    in_names = [
        {
            name.replace("_s", "_ms") if name in TIMES else name: row[name] * 1000 if name in TIMES else row[name]
            for name in row
        }
        for row in rows
    ]
    in_cells = [
        {
            name.removesuffix("_s") if name in TIMES else name: f"{row[name] * 1000:.9g} ms"
            if name in TIMES
            else row[name]
            for name in row
        }
        for row in rows
    ]
    wider = [{"id": index, **row, "surname": "Smith", "shoe": 42} for index, row in enumerate(rows)]
    for each in (shuffled, in_names, in_cells, wider):
        for name in ("a.csv", "a.json", "a.md"):
            assert told(read(make_folder, name, FORMATS[name](each))) == expected


TIMES = frozenset({"ttft_s", "load_s", "mean_eval_s"})


@SOME
@given(tables())
def test_places(make_folder: Any, rows: Table) -> None:
    """The place of a measurement in CSV leads back to the cell that its value was written in."""
    for each in read(make_folder, "a.csv", as_csv(rows)).measurements:
        _, number, name = each.source.place.split(" ")
        if each.value is not None:
            assert each.row == int(number)
            assert each.value == rows[int(number) - 1][name]


@SOME
@given(tables())
def test_copies(make_folder: Any, rows: Table) -> None:
    """A table that stands in two files is measured once, and each measurement names its other place."""
    corpus = read_corpus([make_folder({"a.csv": as_csv(rows), "b.csv": as_csv(rows)})])
    alone = read(make_folder, "a.csv", as_csv(rows))
    assert told(corpus) == told(alone)
    assert corpus.artifacts[1].identical_to == "a.csv"
    for each in corpus.measurements:
        assert [(copy.file, copy.place) for copy in each.copies] == [("b.csv", each.source.place)]


def same(ones: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether two sequences of records are equal."""
    return list(ones) == list(others)


@SOME
@given(tables())
def test_dictionaries_and_pickles(make_folder: Any, rows: Table) -> None:
    """Measurements, artifacts and what is left survive their dict form in JSON, and a corpus being pickled."""
    corpus = read_corpus([make_folder({"a.csv": as_csv(rows), "b.json": FORMATS["b.json"](rows), "c.csv": "foo\n1\n"})])
    for records, kind in ((corpus.measurements, Measurement), (corpus.artifacts, Artifact), (corpus.left, Leftover)):
        there: Any = kind
        assert same(records, [there.from_dict(json.loads(json.dumps(each.as_dict()))) for each in records])
    again = pickle.loads(pickle.dumps(corpus))
    assert same(again.measurements, corpus.measurements)
    assert same(again.artifacts, corpus.artifacts)
    assert same(again.left, corpus.left)
