"""Tables as programs and people write them."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_chimera.corpus import Vocabulary

TABLE = "model,ttft_s,tokens_s,num_ctx\nm:1b,0.5,100,2048\nm:1b,0.6,101,4096\n"
READ = [
    ("row 1 ttft_s", "ttft", "value", 0.5),
    ("row 1 tokens_s", "tok/s", "value", 100.0),
    ("row 2 ttft_s", "ttft", "value", 0.6),
    ("row 2 tokens_s", "tok/s", "value", 101.0),
]


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        TABLE.replace(",", ";"),
        TABLE.replace(",", "\t"),
        TABLE.replace(",", "|"),
        TABLE.replace(",", ", "),
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\r"),
        TABLE.replace("\n", "\r\r\n"),
        TABLE.rstrip("\n"),
        "\n\n" + TABLE + "\n\n",
        "# written by a tool, version 3\n" + TABLE.replace("m:1b,0.6", "# half\nm:1b,0.6") + "# end\n",
        TABLE.replace("m:1b,0.6", "model,ttft_s,tokens_s,num_ctx\nm:1b,0.6"),
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in TABLE.splitlines()),
        b"\xef\xbb\xbf" + TABLE.encode(),
        TABLE.encode("utf-16"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
    ],
    ids=[
        "comma", "semicolon", "tab", "bar", "spaces", "crlf", "lone cr", "cr crlf", "no end", "blank lines", "comments",
        "repeated header", "quotes", "utf-8 mark", "utf-16", "utf-16-be", "utf-32",
    ],
)  # fmt: skip
def test_every_dialect(corpus_of: Any, content: str | bytes) -> None:
    """The same table says the same in every dialect and encoding, and nothing of it is left."""
    corpus = corpus_of("run.csv", content)
    found = corpus.measurements
    assert [(each.source.place, each.metric, each.statistic, each.value) for each in found] == READ
    assert {each.model for each in found} == {"m:1b"}
    assert [each.parameters["num_ctx"] for each in found] == [2048.0, 2048.0, 4096.0, 4096.0]
    assert corpus.left == ()
    assert corpus.artifacts[0].schema == ("model", "ttft_s", "tokens_s", "num_ctx")


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        (TABLE.encode("utf-16-le"), "utf-16-le without a byte order mark"),
        (TABLE.encode("utf-16-be"), "utf-16-be without a byte order mark"),
        (
            ("\ufeff" + TABLE).encode("utf-16-le").decode("latin-1").encode(),
            "UTF-16 that was encoded once more as UTF-8; decoded twice",
        ),
        (TABLE.replace("m:1b,0.6", "m:1b ,0.6").replace("model", "model").encode() + b"# \xe9",
        "not UTF-8; read as Windows-1252"),
    ],
    ids=["le", "be", "twice", "cp1252"],
)  # fmt: skip
def test_guessed_encodings(corpus_of: Any, content: bytes, remark: str) -> None:
    """An encoding that had to be guessed is read, and the guess is said."""
    corpus = corpus_of("run.csv", content)
    assert [each.value for each in corpus.measurements] == [0.5, 100.0, 0.6, 101.0]
    assert [each.reason for each in corpus.left] == [remark]


def test_quoted_cells(corpus_of: Any) -> None:
    """Delimiters, quotes and line ends within quotes are part of the cell."""
    corpus = corpus_of("run.csv", 'prompt,ttft_s\n"say ""hi"", you\nthere",0.5\n')
    (only,) = corpus.measurements
    assert (only.value, dict(only.labels)) == (0.5, {"prompt": 'say "hi", you there'})


def test_units_row(told: Any) -> None:
    """Units in the line below the header hold for their columns, also for a rate that only its unit tells."""
    content = "model,ttft,load,gpu__time_duration.sum,tok_rate\n,ms,s,us,tokens/s\nm:1b,500,1,20,30\n"
    assert told("run.csv", content) == [
        ("row 1 ttft", "ttft", "value", 0.5),
        ("row 1 load", "load", "value", 1.0),
        ("row 1 gpu__time_duration.sum", "kernel", "sum", 2e-05),
        ("row 1 tok_rate", "tok/s", "value", 30.0),
    ]


def test_a_words_row_is_no_units_row(told: Any) -> None:
    """A first line of data that holds a word and numbers stays data."""
    assert told("run.csv", "prompt,ttft_s\ns,1\nms,2\n") == [
        ("row 1 ttft_s", "ttft", "value", 1.0),
        ("row 2 ttft_s", "ttft", "value", 2.0),
    ]


def test_grouped_digits(told: Any) -> None:
    """Digits are grouped by thousands or as in India."""
    content = 'eval_count,ttft_ms,load_ms\n"1,234","22,80,000","1,234.5"\n'
    assert told("run.csv", content) == [
        ("row 1 eval_count", "output_tokens", "value", 1234.0),
        ("row 1 ttft_ms", "ttft", "value", 2280.0),
        ("row 1 load_ms", "load", "value", 1.2345),
    ]


def test_decimal_commas(told: Any) -> None:
    """Between semicolons a comma is a decimal one and a point groups."""
    assert told("run.csv", "ttft_s;tokens_s;load_s\n0,5;1.234,5;2\n") == [
        ("row 1 ttft_s", "ttft", "value", 0.5),
        ("row 1 tokens_s", "tok/s", "value", 1234.5),
        ("row 1 load_s", "load", "value", 2.0),
    ]


def test_points_between_semicolons(told: Any) -> None:
    """Between semicolons a number with a decimal point and none of the commas stays what it is."""
    assert told("run.csv", "ttft_s;tokens_s\n0.5;1234.5\n")[1] == ("row 1 tokens_s", "tok/s", "value", 1234.5)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("920.52 ms", 0.92052), ("0.06s", 0.06), ("**1.5 s**", 1.5), ("`2 min`", 120.0), ("~3 s", 3.0),
        ("1e-3 s", 0.001),
        ("500 µs", 0.0005), ("1,500 ms", 1.5), ("-5 ms", -0.005), ("\u22125 ms", -0.005),
    ],
)  # fmt: skip
def test_units_in_cells(told: Any, cell: str, value: float) -> None:
    """A cell's own unit counts, whatever the header says."""
    assert told("run.csv", f'ttft_s,x\n"{cell}",\n') == [("row 1 ttft_s", "ttft", "value", value)]


def test_numbers_without_names(told: Any, left: Any) -> None:
    """Without a header only numbers whose unit tells what they are become measurements; the others are counted."""
    content = "a,0.5,100 tok/s\na,0.6,101 tok/s\n"
    assert told("run.csv", content) == [
        ("row 1 column 3", "tok/s", "value", 100.0),
        ("row 2 column 3", "tok/s", "value", 101.0),
    ]
    assert left("run.csv", content) == [("line 1", "unknown name", 2)]
    assert left("run.csv", "1,0.5,100\n2,0.6,101\n") == [("line 1", "unknown name", 6)]


def test_header_of_a_vocabulary(told: Any) -> None:
    """A vocabulary gives a table without a header its names."""
    words = {**Vocabulary.built_in().words, "headers": [{"match": "bare*.csv", "columns": ["model", "ttft_ms"]}]}
    found = told("bare_1.csv", "m:1b,500\nm:1b,600\n", vocabulary=Vocabulary(words))
    assert found == [("row 1 ttft_ms", "ttft", "value", 0.5), ("row 2 ttft_ms", "ttft", "value", 0.6)]


@pytest.mark.parametrize("between", ["\n", ""], ids=["blank line", "nothing"])
def test_two_tables(told: Any, between: str) -> None:
    """A second header begins a second table, whether a blank line stands before it or not."""
    assert [each[1:] for each in told("run.csv", f"ttft_s,tokens_s\n1,100\n{between}load_s,eval_s\n3,4\n")] == [
        ("ttft", "value", 1.0),
        ("tok/s", "value", 100.0),
        ("load", "value", 3.0),
        ("eval", "value", 4.0),
    ]


def test_two_tables_below_a_blank_line(told: Any) -> None:
    """A blank first line does not hide that there are two tables."""
    found = told("run.csv", "\nttft_s,tokens_s\n1,2\n\nload_s,b\n3,4\n")
    assert [each[1:] for each in found] == [("ttft", "value", 1.0), ("tok/s", "value", 2.0), ("load", "value", 3.0)]


def test_series_of_two_tables(corpus_of: Any) -> None:
    """Numbers of two tables in one file belong to two series."""
    corpus = corpus_of("run.csv", "ttft_s,tokens_s\n1,100\n\nttft_s,load_s\n3,4\n")
    assert [(each.metric, each.series) for each in corpus.measurements] == [
        ("ttft", "table 1"), ("tok/s", "table 1"), ("ttft", "table 2"), ("load", "table 2"),
    ]  # fmt: skip


def test_ragged_lines(told: Any, left: Any) -> None:
    """Short and long lines are read as far as they have names, and counted."""
    content = "ttft_s,tokens_s,load_s\n1,100\n2,101,5,6\n3\n4,5,6\n"
    assert [each[3] for each in told("run.csv", content)] == [1.0, 100.0, 2.0, 101.0, 5.0, 3.0, 4.0, 5.0, 6.0]
    assert left("run.csv", content) == [("", "broken", 3)]


LONG = """metric,value,unit
model,m:1b,
num_ctx,2048,
TTFT,120,ms
Tokens/s,100,
Mean TTFT,0.1,s
foo,3,
accuracy,0.9,
"""


def test_names_and_values(told: Any) -> None:
    """A table of names with values holds a number a line."""
    assert [each[1:] for each in told("run.csv", LONG)] == [
        ("ttft", "value", 0.12),
        ("tok/s", "value", 100.0),
        ("ttft", "mean", 0.1),
        ("accuracy", "value", 0.9),
    ]


def test_names_that_are_not_known_among_values(left: Any) -> None:
    """A value whose name is not known is counted."""
    assert [each[1:] for each in left("run.csv", LONG)] == [("unknown name", 1)]


def test_conditions_among_values(corpus_of: Any) -> None:
    """A model and a setting that a table of names and values states hold for its numbers."""
    found = corpus_of("run.csv", LONG).measurements
    assert {(each.model, each.parameters.get("num_ctx")) for each in found} == {("m:1b", 2048.0)}


@pytest.mark.parametrize("cell", ["", "-", "n/a", "NaN", "null", "None", "—"])
def test_empty_cells(corpus_of: Any, cell: str) -> None:
    """A cell that says nothing is a value that is not there, never a zero."""
    corpus = corpus_of("run.csv", f"ttft_s,tokens_s\n{cell},100\n")
    assert [(each.metric, each.value, each.failure) for each in corpus.measurements] == [
        ("ttft", None, None), ("tok/s", 100.0, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "cells", "failure"),
    [
        ("error", "Failed to connect", "Failed to connect"),
        ("error", "", None),
        ("error", "None", None),
        ("error", "false", None),
        ("success", "false", "marked as not successful"),
        ("success", "True", None),
        ("status", "failed", "marked as not successful"),
        ("status", "running", None),
        ("status", "200", None),
        ("error", "no error", None),
        ("error", "[]", None),
        ("success,response", "true,Error generating the answer", "masked: the answer is 'Error generating the answer'"),
        ("success,response", "true,It is sunny.", None),
        ("success,error", "true,out of memory", "out of memory"),
        ("error_count", "2", None),
        ("response", "Error handling is what keeps a program alive.", None),
        ("response", "Exception safety has three levels.", None),
    ],
)
def test_failed_rows(corpus_of: Any, columns: str, cells: str, failure: str | None) -> None:
    """A row failed when an error, `success`, or an answer that is an error says so; then it has no value."""
    (only,) = [
        each for each in corpus_of("r.csv", f"ttft_s,{columns}\n1,{cells}\n").measurements if each.metric == "ttft"
    ]
    assert (only.failure, only.value) == (failure, 1.0 if failure is None else None)


def test_rows_of_zeros(corpus_of: Any) -> None:
    """A row whose times and rates are all zero failed; one zero among others is a value."""
    corpus = corpus_of("run.csv", "ttft_s,tokens_s,eval_count\n0,0,5\n0,3,5\n")
    assert [(each.value, each.failure) for each in corpus.measurements] == [
        (None, "every time and rate is zero"), (None, "every time and rate is zero"),
        (None, "every time and rate is zero"),
        (0.0, None), (3.0, None), (5.0, None),
    ]  # fmt: skip
    assert corpus.artifacts[0].failed_rows == 1


def test_options_in_a_cell(corpus_of: Any) -> None:
    """Settings in a cell of JSON are settings, float32 noise taken off."""
    content = 'ttft_s,options\n1,"{""num_ctx"": 2048, ""temperature"": 0.800000011920929, ""ngl"": 40}"\n'
    (only,) = corpus_of("run.csv", content).measurements
    assert dict(only.parameters) == {"num_ctx": 2048.0, "temperature": 0.8, "num_gpu": 40.0}


@pytest.mark.parametrize(
    ("header", "kind", "count"),
    [
        ("foo", "unknown name", 2), ("ttft", "no unit", 2), ("tokens", "ambiguous", 2), ("throughput", "ambiguous", 2),
        ("size", "ambiguous", 2),
    ],
)  # fmt: skip
def test_what_is_left(left: Any, header: str, kind: str, count: int) -> None:
    """Numbers without a known name, a unit, or one meaning are counted with their reason."""
    found = [each for each in left("run.csv", f"load_s,{header}\n1,2\n3,4\n") if each[1] == kind]
    if header == "throughput":
        assert left("run.csv", f"latency_s,{header}\n1,2\n3,4\n")[0][1:] == (kind, count)
    else:
        assert [each[2] for each in found] == [count]


def test_sizes_with_a_unit_in_the_name(told: Any) -> None:
    """A size whose column says the unit is no longer ambiguous."""
    assert [each[1:] for each in told("run.csv", "load_s,size_gb\n1,2\n")] == [
        ("load", "value", 1.0), ("model_size", "value", 2147483648.0),
    ]  # fmt: skip


def test_text_under_a_metric(left: Any) -> None:
    """Text where a number belongs is counted."""
    assert left("run.csv", "ttft_s,load_s\nfast,1\nslow,2\n") == [("ttft_s", "broken", 2)]


def test_another_table(corpus_of: Any) -> None:
    """A table without any performance is said to be one, and gives nothing."""
    corpus = corpus_of("people.csv", "surname,age\nSmith,40\nJones,50\n")
    assert corpus.measurements == ()
    assert corpus.artifacts[0].format == "unknown"
    assert {each.kind for each in corpus.left} == {"not performance", "unknown name"}


def test_names_of_rows(corpus_of: Any) -> None:
    """A column "name" tells rows apart: as their model where it holds tags, else as a label."""
    by_model = corpus_of("run.csv", "name,ttft_s\nm:1b,1\nm:2b,2\n").measurements
    assert [each.model for each in by_model] == ["m:1b", "m:2b"]
    by_label = corpus_of("run.csv", "name,ttft_s\nfirst try,1\nsecond try,2\n").measurements
    assert [each.labels.get("name") for each in by_label] == ["first try", "second try"]


def test_a_quote_that_is_never_closed(corpus_of: Any) -> None:
    """Lines that an unclosed quote swallows are said."""
    corpus = corpus_of("run.csv", 'ttft_s,prompt\n1,"unclosed\n2,b\n3,c\n')
    assert [each.kind for each in corpus.left] == ["broken"]


@pytest.mark.parametrize("cell", ["n/a", "None", "null", "-", "5"])
def test_cells_that_name_no_model(corpus_of: Any, cell: str) -> None:
    """Words that say nothing, and bare numbers, are no models."""
    (only,) = corpus_of("run.csv", f"model,ttft_s\n{cell},1\n").measurements
    assert only.model is None


def test_status_of_http(corpus_of: Any) -> None:
    """A row whose status is one of failed requests failed."""
    assert [each.ok for each in corpus_of("run.csv", "ttft_s,status\n1,200\n2,404\n3,500\n").measurements] == [
        True,
        False,
        False,
    ]


def test_times_under_a_metric(corpus_of: Any) -> None:
    """A column "time" of times of day is when its rows were measured; one of numbers is how long it took."""
    (only,) = corpus_of("run.csv", "time,ttft_s\n2025-10-01T10:00:00Z,1\n").measurements
    assert (only.metric, only.time) == ("ttft", "2025-10-01T10:00:00+00:00")
    found = corpus_of("run.csv", "time_s,ttft_s\n3,1\n").measurements
    assert [each.metric for each in found] == ["latency", "ttft"]


@pytest.mark.parametrize("word", ["Total", "Average", "Mean", "Median"])
def test_lines_at_the_foot(corpus_of: Any, word: str) -> None:
    """A line that sums up the lines above is no row of a model of that name."""
    found = corpus_of("run.csv", f"model,ttft_s\nm:1b,1\nm:2b,2\n{word},1.5\n").measurements
    assert {each.model for each in found} <= {"m:1b", "m:2b", None}
    assert [each.value for each in found if each.statistic == "value"] == [1.0, 2.0]
