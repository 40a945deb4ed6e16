"""Corpora that are only summarised: the same numbers as in full mode, whatever form the files have."""

from __future__ import annotations

import csv
import io
import json
import pickle
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_chimera.corpus import Bounds, Vocabulary, read_corpus
from pytest_chimera.corpus.corpus import STREAM_BYTES
from pytest_chimera.corpus.folders import Folder, scan
from pytest_chimera.corpus.gathered import MOST_FOLDERS, Gathered
from pytest_chimera.corpus.streaming import NOT_TOLD, Task, summarise
from pytest_chimera.corpus.summaries import Group, Tally, summaries_of, tally_rows
from pytest_chimera.corpus.tasks import known_of
from pytest_chimera.corpus.walk import find_files

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_chimera.corpus import Corpus
    from pytest_chimera.corpus.summaries import Summary

MASKED = "Error generating response: connection refused"


def in_full(folder: Path) -> tuple[Corpus, list[Summary]]:
    """A folder in full mode, and the summaries of its rows with copies as often as they stand there."""
    corpus = read_corpus([folder], stream=False, processes=1)
    kinds = {artifact.path: artifact.kind for artifact in corpus.artifacts}
    tallies: dict[Group, Tally] = {}
    tally_rows(((row, kinds[row.file]) for row in corpus.rows), tallies)
    return corpus, list(summaries_of(tallies))


def agree(folder: Path) -> Corpus:
    """Read a folder in both modes, and see that they say the same."""
    corpus, expected = in_full(folder)
    streamed = read_corpus([folder], stream=True, processes=1)
    assert [each.group for each in streamed.summaries] == [each.group for each in expected]
    for one, other in zip(streamed.summaries, expected, strict=True):
        for name in ("n", "failed", "missing", "lowest", "highest", "sketch"):
            assert getattr(one, name) == getattr(other, name), (name, one.group)
        assert one.mean == (None if other.mean is None else pytest.approx(other.mean, rel=1e-9, abs=1e-12))
        assert one.m2 == pytest.approx(other.m2, rel=1e-6, abs=1e-12)
    for name in ("rows", "failed_rows", "measurements", "size_bytes"):
        totals = [sum(getattr(each, name) for each in found.artifacts) for found in (streamed, corpus)]
        assert totals[0] == totals[1], name
    assert streamed.files == corpus.files
    assert left_of(streamed) == left_of(corpus)
    return streamed


def left_of(corpus: Corpus) -> Counter[str]:
    """How many values of each kind were not understood."""
    left: Counter[str] = Counter()
    for each in corpus.left:
        left[each.kind] += each.count * (each.reason != NOT_TOLD)
    return +left


def planned(folder: Path) -> int:
    """Into how many shapes with a plan the files of one folder fall."""
    known_of.cache_clear()  # nothing that was learned before counts
    known = pickle.dumps((Vocabulary.built_in(), Bounds()))
    names = sorted(each.name for each in folder.iterdir())
    summarise(Task(known, (Folder(str(folder), "", names),), ()))
    return sum(plan is not None for plan in known_of(known).plans.values())


# Forms of a run, each of which a program may write.
def flat(run: dict[str, Any]) -> Any:
    """One object."""
    return run


def nested(run: dict[str, Any]) -> Any:
    """Settings and numbers in objects of their own."""
    outside = {key: value for key, value in run.items() if key in {"model", "error", "success", "response", "note"}}
    options = {key: value for key, value in run.items() if key.startswith("num_")}
    numbers = {key: value for key, value in run.items() if key not in outside and key not in options}
    return {**outside, "options": options, "metrics": numbers, "tags": ["a", "b"]}


def listed(run: dict[str, Any]) -> Any:
    """A list of rounds below what they share; the run's own numbers are those of its rounds."""
    dice = random.Random(str(run))
    shared = {key: value for key, value in run.items() if key in {"model", "num_gpu"}}
    rest = {key: value for key, value in run.items() if key not in shared}
    rounds = [
        {key: value * dice.uniform(0.5, 2) if isinstance(value, float) else value for key, value in rest.items()}
        for _ in range(4)
    ]
    return {**shared, "results": [*rounds, rest]}


NUMBER = st.floats(0.001, 1000).map(lambda value: float(f"{value:.6g}"))
NUMBERS = st.one_of(NUMBER, NUMBER, NUMBER, st.just(0.0), st.integers(0, 5), st.none())
RUNS = st.fixed_dictionaries(
    {"ttft_s": NUMBERS, "tokens_s": NUMBERS},
    optional={
        "model": st.sampled_from(["gemma3:270m", "llama3.1:8b-instruct-q4_0", "no model", "", None]),
        "load_s": NUMBERS,
        "latency_ms": NUMBERS,
        "eval_count": st.integers(0, 300),
        "num_gpu": st.integers(1, 99),
        "loops": st.integers(0, 9),
        "note": st.sampled_from(["fine", ""]),
        "error": st.sampled_from(["", None, "none", "Failed to connect", False]),
        "success": st.sampled_from([True, False, "ok", "failed", None]),
        "response": st.sampled_from(["The sky is blue.", "", MASKED]),
        "accuracy": st.floats(0, 1),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(RUNS, min_size=1, max_size=4),
    form=st.sampled_from([flat, nested, listed]),
    times=st.integers(1, 4),
    seed=st.integers(0, 2**32),
)
def test_json_is_the_same_in_both_modes(
    tmp_path_factory: pytest.TempPathFactory, runs: list[dict[str, Any]], form: Any, times: int, seed: int
) -> None:
    """Of any JSON files, however many have one shape, both modes give the same summaries."""
    folder = tmp_path_factory.mktemp("json")
    dice = random.Random(seed)
    for number in range(times * len(runs)):
        run = {
            key: value * dice.uniform(0.5, 2) if isinstance(value, float) else value
            for key, value in runs[number % len(runs)].items()
        }
        (folder / f"{number}.json").write_text(json.dumps(form(run)))
    agree(folder)


def as_csv(runs: list[dict[str, Any]], delimiter: str, ending: str) -> str:
    """Rows under the names of the first."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending)
    names = list(runs[0])
    writer.writerow(names)
    writer.writerows(["" if run.get(name) is None else run[name] for name in names] for run in runs)
    return text.getvalue()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(RUNS, min_size=1, max_size=12),
    form=st.tuples(st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"])),
    times=st.integers(1, 4),
    seed=st.integers(0, 2**32),
)
def test_tables_are_the_same_in_both_modes(
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[dict[str, Any]],
    form: tuple[str, str],
    times: int,
    seed: int,
) -> None:
    """Of any CSV files, however many have one header, both modes give the same summaries."""
    folder = tmp_path_factory.mktemp("csv")
    dice = random.Random(seed)
    for number in range(times):
        rows = [
            {key: value * dice.uniform(0.5, 2) if isinstance(value, float) else value for key, value in run.items()}
            for run in runs
        ]
        (folder / f"{number}.csv").write_text(as_csv(rows, *form), newline="")
    agree(folder)


def write(folder: Path, documents: list[Any]) -> None:
    """A JSON file for each document."""
    for number, document in enumerate(documents):
        (folder / f"{number:03d}.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    "failure",
    [{"error": "Failed to connect"}, {"success": False}, {"status": "timeout"}, {"response": MASKED}, {"ttft_s": 0.0}],
)
def test_a_failed_run_never_enters_a_mean(tmp_path: Path, failure: dict[str, Any]) -> None:
    """A file that says that its run failed, in any of the ways to say it, is counted as failed and not as a value."""
    fine: dict[str, Any] = {"error": "", "response": "Because."}
    fine |= {"status": "ok"} if "status" in failure else {"success": True}
    runs = [{**fine, "ttft_s": 1.0 + number / 7} for number in range(9)]
    write(tmp_path, [*runs[:5], {**fine, "ttft_s": 99.0, **failure}, *runs[5:]])
    (found,) = agree(tmp_path).summaries
    assert (found.n, found.failed, found.mean) == (9, 1, pytest.approx(1 + 4 / 7))
    assert planned(tmp_path) == 1


def test_files_of_known_shapes_do_not_go_through_the_readers(tmp_path: Path) -> None:
    """Flat objects, nested ones, lists of objects and tables have plans once their shape has come twice."""
    run = {"model": "gemma3:1b", "ttft_s": 0.5, "tokens_s": 90.5, "num_gpu": 20}
    for number in range(3):
        each = {**run, "ttft_s": 0.5 + number / 7}
        for name, form in (("flat", flat), ("nested", nested), ("listed", listed)):
            (tmp_path / f"{name}{number}.json").write_text(json.dumps(form(each)))
        (tmp_path / f"{number}.csv").write_text(as_csv([each], ",", "\n"))
    assert planned(tmp_path) == 5  # of the list what is around it, and its items
    agree(tmp_path)


UNUSUAL = {
    "tokens that may be words": {"ttft_s": 0.5, "tokens": 3, "response": "Because of air."},
    "a rate of whole requests": {"latency_s": 2.0, "tokens_s": 50.0, "output_tokens": 100},
    "a rate of words": {"latency_s": 2.0, "tokens_s": 1.5, "output_tokens": 3, "response": "Because of air."},
    "numbers as text": {"ttft_ms": "920.5 ms", "tokens_s": "48.5"},
    "one value twice": {"ttft_s": 0.5, "metrics": {"ttft_s": 0.5, "ttft_ms": 500.0}},
    "models as keys": {"models": {"gemma3:1b": {"ttft_s": 0.5}, "gemma3:4b": {"ttft_s": 0.7}}},
    "rounds as numbers": {"model": "gemma3:1b", "ttft_s": [0.5, 0.25, 0.75]},
    "lists in a list": {"results": [{"ttft_s": 0.5, "rounds": [{"load_s": 1.0}, {"load_s": 2.0}]}]},
    "a network": {"model": {"name": "net", "dtype": "float32"}, "latency_ms": 0.25},
    "nothing": {"name": "x"},
    "a number that is no number": {"ttft_s": float("nan"), "load_s": float("inf"), "tokens_s": 4.5},
}


@pytest.mark.parametrize("document", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_unusual_objects_are_the_same_in_both_modes(tmp_path: Path, document: dict[str, Any]) -> None:
    """Where the meaning of a shape hangs on its values, both modes give the same all the same."""
    write(tmp_path, [document] * 4)
    agree(tmp_path)


TABLES = {
    "a units row": "ttft,tokens_s\nms,tok/s\n500,90.5\n250,91.5\n",
    "units in cells": "ttft,tokens_s\n500 ms,90.5\n250 ms,91.5\n",
    "grouped digits": 'ttft_ms,tokens_s\n"1,500.5",90.5\n250,91.5\n',
    "underscores": "ttft_ms,tokens_s\n1_500,90.5\n250,91.5\n",
    "quotes": 'prompt,ttft_ms,error\n"a, ""b""",1.5,\n"c\nd",2.5,"Failed, again"\n',
    "ragged": "ttft_ms,tokens_s\n1.5\n250,91.5,7\n",
    "two tables": "ttft_ms\n1.5\n\nload_s,ttft_s\n2,3\n",
    "comments": "ttft_ms,tokens_s\n# warm\n1.5,90.5\n",
    "blank lines": "ttft_ms,tokens_s\n1.5,90.5\n\n2.5,91.5\n,\n",
    "a header again": "ttft_ms,tokens_s\n1.5,90.5\nttft_ms,tokens_s\n2.5,91.5\n",
    "old line ends": "ttft_ms,tokens_s\r1.5,90.5\r",
    "mixed line ends": "ttft_ms,tokens_s\r\n1.5,90.5\n2.5,91.5\r\n",
    "no last line end": "ttft_ms,tokens_s\n1.5,90.5\n2.5,91.5",
    "a header alone": "ttft_ms,tokens_s\n",
    "names and values": "metric,value,unit\nttft,0.5,s\nload,1.5,s\n",
    "no numbers": "name,city\na,b\n",
    "no names": "1.5,2.5\n3.5,4.5\n",
    "the same name twice": "ttft_ms,ttft_ms\n1.5,2.5\n",
    "several models": "model,load_s\na:1b,0.1\nb:1b,9\na:1b,0.2\na:1b,5\nb:1b,8\n,7\nb:1b,99\n",
    "whole requests": "latency_s,tokens_s,output_tokens\n2,50,100\n3,50,100\n4,20,80\n",
    "words": "latency_s,tokens_s,output_tokens,response\n2,1.5,3,because of air\n3,50,100,x\n",
    "infinite": "ttft_ms,tokens_s\ninf,90.5\nnan,91.5\n1e999,2\n",
    "a null byte": "ttft_ms,tokens_s\n1.5,90.5\n2.5,9\x001.5\n",
    "decimal commas": "ttft_ms;tokens_s\n1,5;90,5\n",
    "compile times": "compile_s,kernel_ms\n0,0\n1.5,0\n0,2.5\n",
    "another encoding": "ttft_ms,prompt\n1.5,caf\udce9\n",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES.keys())
def test_unusual_tables_are_the_same_in_both_modes(tmp_path: Path, text: str) -> None:
    """Tables that are not simply a header and full rows of numbers are the same in both modes."""
    for number in range(4):
        (tmp_path / f"{number}.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    agree(tmp_path)


def test_a_shape_is_no_promise(tmp_path: Path) -> None:
    """A file that breaks with what others of its header or keys held is read for what it is."""
    for number in range(4):
        (tmp_path / f"{number}.csv").write_text("ttft_ms,load_s\n1.5,90.5\n2.5,91.5\n")
    (tmp_path / "4.csv").write_text("ttft_ms,load_s\n1.5 s,90.5\n2.5 s,oops\n")
    write(tmp_path, [{"ttft_ms": 1.5, "note": "x"}] * 4 + [{"ttft_ms": "1.5 s", "note": "x"}])
    ttft = [each for each in agree(tmp_path).summaries if each.group.metric == "ttft"]
    assert [(each.group.kind, each.n, each.highest) for each in ttft] == [("csv", 10, 2.5), ("json", 5, 1.5)]


def test_a_streamed_corpus_holds_no_rows(tmp_path: Path) -> None:
    """Nothing is kept per number: no measurements, one artifact for each folder and kind, each remark once."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, [{"ttft_s": number / 7 + 1, "loops": 3, "model": "x:1b"} for number in range(5)])
        (tmp_path / name / "broken.json").write_text("{")
        (tmp_path / name / "notes.bin").write_bytes(b"\0")
    corpus = read_corpus([tmp_path], stream=True)
    assert (corpus.measurements, corpus.others, corpus.rows) == ((), (), ())
    assert [
        (each.path, each.kind, each.format, each.files, each.rows, each.measurements) for each in corpus.artifacts
    ] == [
        ("a/*", "json", "summaries", 6, 5, 5),
        ("a/*", "other", "summaries", 1, 0, 0),
        ("b/*", "json", "summaries", 6, 5, 5),
        ("b/*", "other", "summaries", 1, 0, 0),
    ]
    assert corpus.files == {"json": 12, "other": 2}
    not_read = "not read: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
    assert [(each.file, each.reason, each.kind, each.count) for each in corpus.left] == [
        (
            "a/000.json",
            "numbers with names that are not known: loops (here and in 9 more files)",
            "unknown name",
            10,
        ),
        ("a/broken.json", f"{not_read} (here and in 1 more files)", "broken", 2),
        ("a/notes.bin", "not a kind of file that is read (here and in 1 more files)", "no data", 2),
        ("", NOT_TOLD, "refused", 0),
    ]
    assert repr(corpus) == "<Corpus of 14 files, 10 numbers in 1 summaries>"


def test_a_small_corpus_is_kept_and_a_large_one_is_streamed(tmp_path: Path) -> None:
    """Above a size a corpus is streamed by itself, below it is not, and what was asked for counts more."""
    write(tmp_path, [{"ttft_s": 1.5}])
    assert read_corpus([tmp_path]).streamed is None
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(STREAM_BYTES + 1)
    assert read_corpus([tmp_path], processes=1).streamed is not None
    assert read_corpus([tmp_path], processes=1, stream=False).streamed is None


def test_summaries_of_a_kept_corpus_leave_copies_out(tmp_path: Path) -> None:
    """In full mode a copy is known as one and enters no summary; in stream mode it counts, and that is said."""
    write(tmp_path, [{"ttft_s": 1.5, "load_s": 0.25}] * 2)
    assert [each.n for each in read_corpus([tmp_path], stream=False).summaries] == [1, 1]
    streamed = read_corpus([tmp_path], stream=True)
    assert [each.n for each in streamed.summaries] == [2, 2]
    assert NOT_TOLD in [each.reason for each in streamed.left]


def test_folders_are_bounded() -> None:
    """Beyond the bound the deepest folders are counted with those around them, and no file is lost."""
    gathered = Gathered()
    for number in range(MOST_FOLDERS + 50):
        gathered.count(f"runs/{number % 40}/{number}", "json").files += 1
    artifacts = gathered.artifacts()
    assert len(artifacts) == 40
    assert gathered.files() == {"json": MOST_FOLDERS + 50}
    assert artifacts[0].path == "runs/0/*"


def test_the_same_files_are_found_in_both_modes(tmp_path: Path) -> None:
    """Links, hidden folders, globs and paths that overlap are taken alike by both walks."""
    for name in ("a", "a/b", ".hidden", "c"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, [{"ttft_s": 1.5}] * 3)
    (tmp_path / "a" / "out.json").symlink_to("/etc/hostname")
    (tmp_path / "round").symlink_to(tmp_path)
    for paths in (
        [tmp_path],
        [tmp_path / "a", tmp_path / "a" / "b", tmp_path],
        [tmp_path / "a" / "000.json", tmp_path / "a"],
        [tmp_path / "a", tmp_path / "a" / "000.json"],
        [tmp_path / "**" / "00[01].json"],
        [tmp_path / "*" / "000.json", tmp_path / "a" / "*.json"],
    ):
        expected = sorted(each.location for each in find_files(paths, Bounds()))
        found = [
            place
            for each in scan(paths, Bounds(), 2)
            for place in ([f"{each.location}/{n}" for n in each.names] if isinstance(each, Folder) else [each.location])
        ]
        assert sorted(found) == expected


def test_a_real_folder_is_the_same_in_both_modes(shared: Path) -> None:
    """Of a folder of a user, both modes find as many numbers and failures of each metric in each kind of file."""
    totals = []
    for stream in (False, True):
        folder = shared / "corpus" / "chimera"
        summaries = read_corpus([folder], stream=True).summaries if stream else in_full(folder)[1]
        total: dict[Any, list[float]] = {}
        for each in summaries:
            counts = total.setdefault((each.group.metric, each.group.statistic, each.group.kind), [0, 0, 0.0])
            counts[0] += each.n
            counts[1] += each.failed
            counts[2] += each.total
        totals.append(total)
    assert totals[0].keys() == totals[1].keys()
    for key, counts in totals[0].items():
        assert totals[1][key] == [counts[0], counts[1], pytest.approx(counts[2])], key
