"""What fools a reader of real artifacts, on data of our own making."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_chimera.corpus import Corpus


def values(corpus: Corpus, metric: str) -> list[float | None]:
    """The values of one metric, in order."""
    return [each.value for each in corpus.measurements if each.metric == metric]


def test_failed_rows_are_no_zeros(corpus_of: Any) -> None:
    """Trap 1: zeros beside an error, empty cells beside one, and a success whose answer is an error count as failed."""
    corpus = corpus_of({
        "a.csv": "ttft_s,tokens_s,error\n0.5,100,\n0,0,Failed to connect\n,,timed out\n",
        "b.json": [{"success": True, "response": "Error generating text: 404", "tokens_s": 3.5, "ttft_s": 0.1},
                   {"success": True, "response": "Good day.", "tokens_s": 101, "ttft_s": 0.2}],
        "c.json": {"backends": {"cpu": {"mean_ms": 5, "p95_ms": 6}, "missing": {"mean_ms": 0.0, "p95_ms": 0.0}}},
    })  # fmt: skip
    assert values(corpus, "tok/s") == [100.0, None, None, None, 101.0]
    assert [each.ok for each in corpus.measurements if each.metric == "latency"] == [True, True, False, False]
    assert [each.failed_rows for each in corpus.artifacts] == [2, 1, 1]


def cold_table(usual: float, loads: str) -> str:
    """A table with a load time for each letter: cold (c) 12 x the usual, warm (w) about it."""
    rows = [(usual * 12 if each == "c" else usual * (1 + index / 50), index) for index, each in enumerate(loads, 1)]
    return "model,load_s,ttft_s\n" + "".join(f"m:1b,{load:.4f},{0.1 + index / 1000}\n" for load, index in rows)


def test_cold_starts(corpus_of: Any) -> None:
    """Trap 2: cold is what loads 3 x longer than the median of its model and file, also a third of the rows."""
    for usual, loads in ((0.08, "cwwcwwcww"), (0.9, "cwwww"), (0.001, "wwwwwcww"), (2.0, "wwww")):
        corpus = corpus_of("a.csv", cold_table(usual, loads))
        found = [each.cold for each in corpus.measurements if each.metric == "load"]
        assert "".join("c" if each else "w" for each in found) == loads


def test_cold_is_told_by_file_and_model(corpus_of: Any) -> None:
    """Trap 2: a large model's usual load is no cold start beside a small one's."""
    rows = "".join(f"small:1b,0.1,{index}\nlarge:70b,3,{index + 100}\n" for index in range(1, 5))
    corpus = corpus_of({"a.csv": f"model,load_s,ttft_s\n{rows}", "b.csv": cold_table(3, "wwww")})
    assert {each.cold for each in corpus.measurements} == {False}


def test_too_few_to_tell(corpus_of: Any) -> None:
    """Trap 2: of two rows nobody can tell which is cold; a failed row is neither."""
    corpus = corpus_of("a.csv", "load_s,ttft_s\n0.1,1\n5,2\n")
    assert {each.cold for each in corpus.measurements} == {None}
    failed = corpus_of("a.csv", "load_s,ttft_s,error\n0.1,1,\n0.1,2,\n0.1,3,\n9,3,boom\n").measurements
    assert [each.cold for each in failed if each.metric == "load"] == [False, False, False, None]


def test_one_measurement_in_several_places(corpus_of: Any) -> None:
    """Trap 3: identical files, one run in three formats, and a value twice in one object are one measurement each."""
    table = "model,prompt,ttft_s,tokens_s\nm:1b,hi,0.5123,100.25\nm:1b,ho,0.6234,101.5\n"
    corpus = corpus_of({
        "a/run.csv": table,
        "b/run.csv": table,
        "run.json": {"model": "m:1b", "rows": [
            {"prompt": "hi", "ttft_s": 0.5123, "tokens_s": 100.25, "metrics": {"ttft_ms": 512.3}},
            {"prompt": "ho", "ttft_s": 0.6234, "tokens_s": 101.5}]},
        "run.md": "| Prompt | TTFT (s) | Tok/s |\n|---|---|---|\n| hi | 0.512 | 100.3 |\n| ho | 0.623 | 101.5 |\n",
    })  # fmt: skip
    assert values(corpus, "ttft") == [0.5123, 0.6234]
    assert values(corpus, "tok/s") == [100.25, 101.5]
    first = corpus.measurements[0]
    places = {str(first.source), *map(str, first.copies)}
    assert {place.partition(" ")[0] for place in places} == {"a/run.csv", "b/run.csv", "run.json", "run.md"}
    assert {each.path: each.identical_to for each in corpus.artifacts if each.identical_to} == {
        "b/run.csv": "a/run.csv"
    }


def test_rows_that_only_look_alike(corpus_of: Any) -> None:
    """Trap 3: equal numbers of other models, settings, prompts or times are measurements of their own."""
    row = "0.5123,100.25\n"
    for column, one, other in [
        ("model", "m:1b", "m:2b"), ("num_ctx", "1", "2"), ("prompt", "a", "b"),
        ("timestamp", "2025-10-01", "2025-10-02"),
    ]:  # fmt: skip
        header = f"{column},ttft_s,tokens_s\n"
        corpus = corpus_of({"a.csv": f"{header}{one},{row}", "b.csv": f"{header}{other},{row}"})
        assert len(corpus.measurements) == 4


def test_equal_rows_of_one_file(corpus_of: Any) -> None:
    """Trap 3: a file that measured the same value twice did so twice."""
    corpus = corpus_of("a.csv", "ttft_s,tokens_s\n0.5,100.5\n0.5,100.5\n")
    assert len(corpus.measurements) == 4


def test_summaries_stay_apart_from_raw_rows(corpus_of: Any) -> None:
    """Trap 4: a summary's mean is an aggregate with its count, beside the raw values and never among them."""
    corpus = corpus_of({
        "run.csv": "model,tokens_s,ttft_s\nm:1b,100,1\nm:1b,200,2\n",
        "run_summary.json": {"model": "m:1b", "count": 2, "mean_tokens_s": 175, "mean_ttft_s": 1.5},
    })  # fmt: skip
    rates = [each for each in corpus.measurements if each.metric == "tok/s"]
    assert [(each.statistic, each.provenance, each.n, each.value) for each in rates] == [
        ("value", "measured", None, 100.0), ("value", "measured", None, 200.0), ("mean", "aggregate", 2, 175.0),
    ]  # fmt: skip


def test_models_of_many_spellings(corpus_of: Any) -> None:
    """Trap 5: a tag, a family with its size in a file's name, and upper case are one model; a network is none."""
    corpus = corpus_of({
        "a.csv": "model,ttft_s\ngemma3:270m,1\n",
        "gemma3_270m_sweep.csv": "ttft_s\n2\n",
        "b.md": "# Gemma3:270m\n\nTTFT: 3 s\n",
        "c.json": {"model": {"name": "resnet", "batch_size": 4, "channels": 3}, "mean_ms": 4000},
    })  # fmt: skip
    assert {each.value: each.model for each in corpus.measurements} == {
        1.0: "gemma3:270m", 2.0: "gemma3:270m", 3.0: "gemma3:270m", 4.0: None,
    }  # fmt: skip
    assert corpus.measurements[-1].labels.get("network", corpus.measurements[0].labels.get("network")) in {
        "resnet",
        None,
    }


def test_units(corpus_of: Any) -> None:
    """Trap 6: units stand in names, cells and a units row; "tokens" can be words; 22,80,000 is a number."""
    corpus = corpus_of({
        "a.csv": "ttft_ms,tokens_s\n500,30\n",
        "b.md": "TTFT: 920.52 ms\n\nLoad Time: 0.06s\n",
        "c.json": {"tokens": 3, "response": "one two three", "generation_time_ms": 1500, "tokens_per_second": 2.0},
        "d.csv": 'kernel,gpu__time_duration.sum\n,nsecond\nk,"22,80,000"\n',
        "e.json": {"temperature": 0.800000011920929, "ttft_s": 7, "gpu": {"temperature": 61}},
        "f.csv": "Context,ttft_s\nplayer_died,8\n",
    })  # fmt: skip
    assert values(corpus, "ttft") == [0.5, 0.92052, 7.0, 8.0]
    assert values(corpus, "load") == [0.06]
    assert values(corpus, "tok/s") == [30.0]
    assert (values(corpus, "words"), values(corpus, "words/s")) == ([3.0], [2.0])
    assert [round(each or 0, 9) for each in values(corpus, "kernel")] == [0.00228]
    assert values(corpus, "gpu_temp") == [61.0]
    by_file = {each.source.file: each for each in corpus.measurements}
    assert by_file["e.json"].parameters["temperature"] == 0.8
    assert by_file["f.csv"].parameters == {}
    assert by_file["f.csv"].labels == {"context": "player_died"}


def test_times(corpus_of: Any) -> None:
    """Trap 7: a time is that of the content, else of the name with its zone unknown; never that of the file system."""
    corpus = corpus_of({
        "a_20251002-151204.csv": "timestamp,ttft_s\n2025-10-02T19:12:04Z,1\n",
        "b_20251002-151204.csv": "ttft_s\n2\n",
        "c_1759098967.json": {"ttft_s": 3},
        "d.csv": "ttft_s\n4\n",
    })  # fmt: skip
    assert [(each.time, each.zone) for each in corpus.measurements] == [
        ("2025-10-02T19:12:04+00:00", "utc"), ("2025-10-02T15:12:04", "unknown"), ("2025-09-28T22:36:07+00:00", "utc"),
        (None, "unknown"),
    ]  # fmt: skip


def test_files_that_are_not_what_they_seem(corpus_of: Any) -> None:
    """Trap 8: text that was encoded twice, a lone CR, glued headers, and summaries that are empty or null."""
    log = "==PROF== Connected to process 4711\nno table at all\n"
    corpus = corpus_of({
        "a.csv": ("\ufeff" + log).encode("utf-16-le").decode("latin-1").encode(),
        "b.csv": 'ttft_s,prompt\r\n1,"one\rtwo"\r\n2,x\r\n',
        "c.md": "As the table shows: | TTFT (s) | Tok/s |\n|---|---|\n| 3 | 30 |\n",
        "d.csv": "model,mean_ttft_s\n",
        "e.json": {"mean_ttft_s": None, "mean_tokens_s": None, "count": 0},
        "f.json": {},
    })  # fmt: skip
    assert values(corpus, "ttft") == [1.0, 2.0, 3.0, None]
    assert [each.path for each in corpus.artifacts if each.left] == ["a.csv", "d.csv", "f.json"]


def test_a_number_keeps_all_that_it_is_of(corpus_of: Any) -> None:
    """Trap 9: 253.9 of one metric, unit and model is found only as that."""
    corpus = corpus_of({
        "a.csv": "model,ttft_ms,tokens_s\nm:1b,253.9,80\nm:2b,90,120\n",
        "b.md": "# tiny:2b\n\nThroughput: 253.9 tok/s\n",
    })  # fmt: skip
    found = [
        (each.metric, round(each.value or 0, 6), each.model, each.provenance)
        for each in corpus.measurements
        if round(each.value or 0, 6) in {253.9, 0.2539}
    ]
    assert found == [("ttft", 0.2539, "m:1b", "measured"), ("tok/s", 253.9, "tiny:2b", "claim")]


def test_one_run_of_each_configuration(corpus_of: Any) -> None:
    """Traps 10 and 11: a sweep's rows keep their settings and order, so that runs of each can be counted."""
    corpus = corpus_of(
        "sweep.csv", "num_gpu,num_ctx,temperature,tokens_s\n40,1024,0.2,100\n40,1024,0.8,101\n999,2048,0.2,99\n"
    )
    assert [(each.row, dict(each.parameters)) for each in corpus.measurements] == [
        (1, {"num_gpu": 40.0, "num_ctx": 1024.0, "temperature": 0.2}),
        (2, {"num_gpu": 40.0, "num_ctx": 1024.0, "temperature": 0.8}),
        (3, {"num_gpu": 999.0, "num_ctx": 2048.0, "temperature": 0.2}),
    ]
