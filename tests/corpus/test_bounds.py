"""What hostile and broken files cost: bounded memory, and a line in the report."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from pytest_chimera.corpus import Bounds, read_corpus

MIB = 1024**2

HOSTILE = [
    ("columns.csv", "ttft_s," * 1_000_000 + "x\n" + "1," * 1_000_000 + "1\n", "refused"),
    ("cell.csv", "ttft_s,x\n1," + "9" * 3 * MIB + "\n", "broken"),
    ("line.csv", "9" * 3 * MIB, "broken"),
    ("quote.csv", 'ttft_s,x\n1,"' + "9,\n" * MIB, "broken"),
    ("deep.json", "[" * 100_000 + "]" * 100_000, "refused"),
    ("deep_objects.json", '{"a":' * 100_000 + "1" + "}" * 100_000, "refused"),
    ("open.json", "[" * 100_000, "refused"),
    ("levels.json", '{"a":' * 200 + '{"ttft_s":1}' + "}" * 200, "refused"),
    ("digits.json", '{"ttft_s": ' + "9" * 5000 + "}", "broken"),
    ("binary.json", b"\x00\x01\x02\x03\xff\xfe" * 1000, "broken"),
    ("binary.csv", bytes(range(256)) * 100, "broken"),
    ("binary.md", bytes(range(256)) * 100, "broken"),
    ("half.csv", b"\xff\xfea", "broken"),
    ("bomb.yaml", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "broken"),
    ("deep.yaml", "[" * 10_000, "broken"),
    ("tag.yaml", "!!python/object/apply:os.system ['true']\n", "broken"),
    ("line.md", "1" * 3 * MIB, "refused"),
    ("columns.md", "|aa" * 10_000 + "|\n" + "|--" * 10_000 + "|\n" + "|1" * 10_000 + "|\n", "refused"),
]


@pytest.mark.parametrize(("name", "content", "kind"), HOSTILE, ids=[each[0] for each in HOSTILE])
def test_one_line(make_folder: Any, name: str, content: str | bytes, kind: str) -> None:
    """A hostile file gives nothing, costs one line, and memory of some times its size."""
    folder = make_folder({name: content})
    size = (folder / name).stat().st_size
    tracemalloc.start()
    try:
        corpus = read_corpus([folder])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [each.value for each in corpus.measurements if each.value != 1.0] == []
    assert [each.kind for each in corpus.left] == [kind]
    assert peak < 24 * MIB + 16 * size


@pytest.mark.parametrize(
    ("name", "content", "bounds", "reason"),
    [
        ("a.csv", "ttft_s\n" + "1\n" * 100, Bounds(file_bytes=100), "207 bytes; files above 100 bytes are not read"),
        ("a.json", "[" + "1," * 999 + "1]", Bounds(json_values=100),
        "not read: some 1,000 values; at most 100 are read from one file"),
        ("a.jsonl", '{"a":[1,2,3]}\n' * 100, Bounds(json_values=100),
         "not read: more than 100 values; that many are read from one file at most"),
        ("a.yaml", "a: 1\n" * 100, Bounds(yaml_bytes=100), "not read: 500 characters of YAML; at most 100 are read"),
        ("a.csv", "a,b,c\n1,2,3\n", Bounds(columns=2), "line 1 has 3 columns; at most 2 are read"),
        ("a.json", {"a": {"b": {"c": {"ttft_s": 1}}}}, Bounds(depth=2), "nested deeper than 2 levels"),
        ("a.json", [[[[{"ttft_s": 1}]]]], Bounds(depth=2), "nested deeper than 2 levels"),
        ("a.md", "TTFT: 1 s " + "x" * 200, Bounds(line_chars=100), "longer than lines that are read"),
    ],
)  # fmt: skip
def test_bounds(corpus_of: Any, name: str, content: Any, bounds: Bounds, reason: str) -> None:
    """Each bound refuses what is beyond it and says so in one line."""
    corpus = corpus_of(name, content, bounds=bounds)
    assert corpus.measurements == ()
    assert [each.reason for each in corpus.left] == [reason]


def test_many_remarks(corpus_of: Any) -> None:
    """Of 10,000 remarks some are listed and the others counted in one line, no value lost."""
    text = "".join(f"| TTFT (s) | Foo{index} |\n|---|---|\n| 1 | {index} |\n\n" for index in range(10_000))
    left = corpus_of("a.md", text).left
    assert len(left) == Bounds().remarks + 1
    assert sum(each.count for each in left) == 10_000
    assert left[-1].reason == "9950 more remarks: 9950 unknown name"


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_many_names(corpus_of: Any, kind: str) -> None:
    """A file of thousands of unknown names costs one line, its schema is cut, and every value is counted."""
    names = [f"{index}{'x' * 200}" for index in range(2000)]
    content = ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n" if kind == "csv" else dict.fromkeys(names, 1)
    corpus = corpus_of(f"a.{kind}", content)
    assert sum(each.count for each in corpus.left if each.kind == "unknown name") == 2000
    assert all(len(each.reason) < 1000 for each in corpus.left)
    assert len(corpus.artifacts[0].schema) == Bounds().names
    assert max(map(len, corpus.artifacts[0].schema)) <= 120


@pytest.mark.parametrize(
    "line",
    [
        "# a" + " " * 50_000 + "b",
        "# " + "#" * 50_000 + "x",
        "|||| --" + " " * 50_000 + "x",
        "|\n| --" + " " * 50_000 + "x|",
        "|" + "-" * 50_000 + "x|||",
        "a:" + " " * 50_000 + "x",
        "a: " + "1" * 50_000,
        " " * 50_000 + "a:b 1",
        "Generated: 2025-10-01." + "1" * 50_000,
        "# " + "a-" * 50_000,
        "# " + "a:" * 50_000,
        "a: b" + ", A" * 50_000,
        "(" * 50_000 + ": 5 s",
    ],
)
def test_hostile_lines(told: Any, line: str) -> None:
    """A line that is made to keep a pattern busy gives nothing, and what stands below it is read."""
    assert told("a.md", f"{line}\n\nTTFT: 6 s\n") == [(f"line {line.count(chr(10)) + 3} TTFT", "ttft", "value", 6.0)]


@pytest.mark.parametrize("text", ["\x1b[31mred", "bell\x07", "two\u2028lines", "back\u202ewards"])
def test_characters_that_do_not_print(corpus_of: Any, text: str) -> None:
    """What a report shows of a file's names and faults holds no character that a terminal acts on."""
    files = {
        "a.csv": f"ttft_s,{text}\nfast,1\n", "b.json": {text: 1, f"ttft{text}": "x"},
        "c.md": f"| {text} |\n|---|\n| 1 |\n",
        "d.json": f'{{"{text}"', "e.csv": f"load_{text}_s,ttft\n1,2\n",
    }  # fmt: skip
    corpus = corpus_of(files)
    assert corpus.left
    shown = [text for each in corpus.left for text in (each.file, each.place, each.reason)]
    shown += [name for each in corpus.artifacts for name in each.schema]
    assert [each for each in shown if not each.isprintable()] == []


def test_long_texts(corpus_of: Any) -> None:
    """Labels, reasons of failures and settings are cut."""
    long = "x" * 100_000
    content = f"prompt,ttft_s,error,temperature,name\n{long},1,{long},{long},{long}\n"
    (only,) = corpus_of("a.csv", content).measurements
    assert len(only.labels["prompt"]) <= 400
    assert len(only.failure) <= 300
    assert all(len(str(each)) <= 400 for each in only.parameters.values())
