"""Sweeps in a report: the section, its sentences, and every number's way back to the rounds."""

from __future__ import annotations

import itertools
import math
import re
import sys
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

from pytest_chimera.records import ModelInfo
from pytest_chimera.report import Report, ReportInput, assert_report, build_report
from pytest_chimera.report.document import plain
from pytest_chimera.report.sweep_sections import TITLE, lead_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from pytest_chimera.records import CaseResult, Fact

    Make = Callable[..., Any]
    MakeReport = Callable[..., Report]

ID = "tests/test_bench.py::test_sweep[gemma3:latest]"
HEAD = "Parameter | Levels | Best level | Worst level | Worst against best | 95 % interval | eta^2 | p"
POINTS = "Point | Median TTFT | Median tok/s | n | Failed"
ABOUT = (
    "Each parameter is looked at beside all others. Worst against best compares the geometric means of two levels; its "
    "interval holds for all pairs of levels of the parameter together. eta^2 is the share of all squares of logarithms "
    "that lies between the levels. p is of this parameter alone: among many parameters and metrics some are small by "
    "chance. A parameter that needs a load of the model is held against the spread between loads, every other against "
    "that of rounds within one."
)
ORDER = (
    "4 points: measured in 6 blocks in shuffled order, each of them one load of the model, within which points that "
    "share it alternated round by round. Each point with a counted round is in at least 3 of them."
)
BEST = "num_ctx=512,temperature=0.2"
SECOND = "num_ctx=512,temperature=0.8"


def grid(**parameters: list[Any]) -> list[dict[str, Any]]:
    """Every combination, the last parameter changing fastest."""
    return [dict(zip(parameters, levels, strict=True)) for levels in itertools.product(*parameters.values())]


GRID = grid(num_ctx=[512, 2048], temperature=[0.2, 0.8])


def by_num_ctx(point: Mapping[str, Any]) -> float:
    """A tenth slower with the larger window."""
    return 1.1 if point["num_ctx"] == 2048 else 1.0


@pytest.fixture
def make(created: datetime) -> MakeReport:
    """Makes the report on results."""

    def report(*results: CaseResult) -> Report:
        return build_report(ReportInput(results=results, created=created, suite="s"))

    return report


def lines(report: Report) -> list[str]:
    """The section, line by line."""
    return report.section(TITLE).text.splitlines()


def sentence(report: Report, start: str) -> str:
    """The first line of the section that starts so."""
    return next(line for line in lines(report) if line.startswith(start))


def of(report: Report, metric: str, statistic: str, **subject: str) -> Fact:
    """A fact of the sweep."""
    return report.book.get({"sweep": ID, "model": "gemma3:latest", **subject}, metric, statistic)


def test_a_report_without_a_sweep_has_no_section(session: ReportInput) -> None:
    """A session without a sweep has no section, no fact and no entry of the JSON file about one."""
    report = build_report(session)
    assert TITLE not in report.sections
    assert not [fact for fact in report.facts if "sweep" in fact.subject]
    assert report.as_dict()["sweeps"] == []


def test_the_whole_section(swept: Make, make: MakeReport) -> None:
    """It has the order of rounds, then of each metric the effects and the best point, then all points."""
    report = make(*swept(GRID, by_num_ctx, loads=["num_ctx"]))
    assert report.sections[2:4] == ("Performance Analysis", TITLE)
    assert lines(report) == [
        ABOUT,
        "test_sweep on gemma3:latest",
        ORDER,
        "tok/s of test_sweep on gemma3:latest",
        HEAD,
        "num_ctx | 512, 2048 | 512 (100 tok/s) | 2048 (90.4 tok/s) | -9.8 % | -10.2 % to -9.4 % | 99.4 % | < 0.0001",
        "temperature | 0.2, 0.8 | 0.8 (95.4 tok/s) | 0.2 (94.9 tok/s) | -0.5 % | -1.2 % to +0.1 % | 0.269 % | 0.08",
        (
            f"Highest tok/s: {SECOND} at 100 tok/s, +0.5 % against {BEST} (95 % interval -0.6 % to +1.6 %). "
            "They are not distinguishable (p 0.27)."
        ),
        "TTFT of test_sweep on gemma3:latest",
        HEAD,
        "num_ctx | 512, 2048 | 512 (50.0 ms) | 2048 (55.3 ms) | +10.7 % | +9.2 % to +12.1 % | 98.6 % | 0.00088",
        "temperature | 0.2, 0.8 | 0.8 (52.4 ms) | 0.2 (52.8 ms) | +0.6 % | -0.4 % to +1.6 % | 0.347 % | 0.17",
        (
            f"Lowest TTFT: {BEST} at 50.0 ms, +0.0 % against {SECOND} (95 % interval -1.2 % to +1.2 %). "
            "They are not distinguishable (p 1)."
        ),
        "prefill of test_sweep on gemma3:latest",
        HEAD,
        "num_ctx | 512, 2048 | 512 (2133 tok/s) | 2048 (1923 tok/s) | -9.8 % | -10.2 % to -9.4 % | 99.4 % | < 0.0001",
        "temperature | 0.2, 0.8 | 0.8 (2031 tok/s) | 0.2 (2020 tok/s) | -0.5 % | -1.2 % to +0.1 % | 0.269 % | 0.08",
        (
            f"Highest prefill: {SECOND} at 2138 tok/s, +0.5 % against {BEST} (95 % interval -0.6 % to +1.6 %). "
            "They are not distinguishable (p 0.27)."
        ),
        "E2E of test_sweep on gemma3:latest",
        HEAD,
        "num_ctx | 512, 2048 | 512 (242 ms) | 2048 (247 ms) | +2.2 % | +1.9 % to +2.5 % | 98.5 % | 0.00095",
        "temperature | 0.2, 0.8 | 0.8 (244 ms) | 0.2 (245 ms) | +0.1 % | -0.1 % to +0.4 % | 0.376 % | 0.17",
        (
            f"Lowest E2E: {BEST} at 242 ms, +0.0 % against {SECOND} (95 % interval -0.3 % to +0.3 %). "
            "They are not distinguishable (p 1)."
        ),
        "Points of test_sweep on gemma3:latest",
        POINTS,
        "num_ctx=512,temperature=0.2 | 50.0 ms | 100 tok/s | 3 | 0",
        "num_ctx=512,temperature=0.8 | 50.0 ms | 100 tok/s | 3 | 0",
        "num_ctx=2048,temperature=0.2 | 56.0 ms | 90.0 tok/s | 3 | 0",
        "num_ctx=2048,temperature=0.8 | 55.0 ms | 90.7 tok/s | 3 | 0",
    ]


def test_every_number_is_a_fact(swept: Make, failed: Make, make: MakeReport, tmp_path: Path) -> None:
    """No number stands there without its fact, and no failed round enters one, in the files as they are written."""
    results = swept(GRID, by_num_ctx, loads=["num_ctx"])
    files = make(*results[:-1], failed(results[-1])).write(tmp_path)
    checked = assert_report(files.json).has_sections("Performance Analysis", TITLE, "Metrics").no_empty_sections()
    checked.every_number_has_a_fact().no_failed_round_in_a_mean().no_questions().no_errors_as_findings()
    checked.section(TITLE).mentions("test_sweep", "num_ctx=2048,temperature=0.8").no_missing_data_where_it_is_there()


def test_numbers_are_those_of_the_rounds(swept: Make, make: MakeReport) -> None:
    """Means of levels and the change between them are what the rounds give by hand, and each names its rounds."""
    results = swept(GRID, by_num_ctx, loads=["num_ctx"])
    report = make(*results)

    def mean(level: int) -> float:
        points = [each for each in results if each.case.point["num_ctx"] == level]
        return math.exp(fmean(math.log(20e9 / each.generation.eval_duration_ns) for p in points for each in p.rounds))

    low, high = (of(report, "tok/s", "geometric mean", setting="num_ctx", level=level) for level in ("512", "2048"))
    assert (low.value, high.value) == (pytest.approx(mean(512)), pytest.approx(mean(2048)))
    assert (low.n, low.dimension) == (6, "rate")
    assert low.sources == (f"{ID} {BEST} rounds 1-3 tok/s", f"{ID} {SECOND} rounds 1-3 tok/s")
    change = of(report, "tok/s", "worst against best", setting="num_ctx")
    assert change.value == pytest.approx(mean(2048) / mean(512) - 1)
    assert (change.n, change.formula) == (12, "geometric mean at the worst level / at the best level - 1")
    assert change.sources == tuple(f"{each.case.id} rounds 1-3 tok/s" for each in results)


def test_which_points_are_best_rests_on_their_rounds(swept: Make, make: MakeReport) -> None:
    """The best point and the second have their means, and what is said of both names the rounds of both."""
    report = make(*swept(GRID, by_num_ctx, loads=["num_ctx"]))
    found = of(report, "tok/s", "best against second")
    assert (found.n, found.sources) == (6, (f"{ID} {SECOND} rounds 1-3 tok/s", f"{ID} {BEST} rounds 1-3 tok/s"))
    best, second = (
        report.book.get({"case": f"{ID} {label}", "model": "gemma3:latest"}, "tok/s", "geometric mean")
        for label in (SECOND, BEST)
    )
    assert best.value
    assert second.value
    assert found.value == pytest.approx(best.value / second.value - 1)
    assert of(report, "tok/s", "undecided").value == 1


@pytest.mark.parametrize(
    ("loads", "order"),
    [
        ([], "4 points: their rounds alternated in random order, and nothing was loaded between them."),
        (["num_ctx"], ORDER),
        (
            ["num_ctx", "temperature"],
            (
                "4 points: measured in 12 blocks in shuffled order, each of them one load of the model. Each point "
                "with a counted round is in at least 3 of them."
            ),
        ),
    ],
)
def test_the_order_of_rounds_is_told(swept: Make, make: MakeReport, loads: list[str], order: str) -> None:
    """A sentence says how often the model was loaded, and what alternated."""
    assert lines(make(*swept(GRID, loads=loads)))[2] == order


def test_an_order_that_nothing_tells_is_unknown(swept: Make, make: MakeReport) -> None:
    """Of rounds without a block no order is claimed."""
    results = [replace(each, rounds=tuple(replace(one, block=None) for one in each.rounds)) for each in swept(GRID[:2])]
    assert lines(make(*results))[2] == "2 points: in which order their rounds were made is unknown."


def test_a_clear_best_is_said_to_be_one(swept: Make, make: MakeReport) -> None:
    """Where each other point is told from the best, it is distinguishable, with the largest p."""
    report = make(*swept(grid(temperature=[0.2, 0.5, 0.8]), lambda point: 1 + point["temperature"], rounds=5))
    assert sentence(report, "Highest tok/s") == (
        "Highest tok/s: temperature=0.2 at 83.5 tok/s, +26.0 % against temperature=0.5 (95 % interval +24.7 % to "
        "+27.2 %). It is distinguishable from every other point (p < 0.0001 at most)."
    )


def test_several_that_cannot_be_told_are_counted(swept: Make, make: MakeReport) -> None:
    """Where no point is better than others, their number stands in the sentence and is a fact."""
    report = make(*swept(grid(top_k=[1, 2, 3, 4]), noise=0.05))
    assert sentence(report, "Highest tok/s") == (
        "Highest tok/s: top_k=2 at 103 tok/s, +2.5 % against top_k=1 (95 % interval -1.5 % to +6.7 %). They are not "
        "distinguishable (p 0.17), and the best is not told from 2 of the other points."
    )
    assert of(report, "tok/s", "undecided").value == 2


def test_a_second_that_is_told_with_others_that_are_not(swept: Make, make: MakeReport) -> None:
    """Where the best is told from the second and not from a noisier point behind it, that one is named."""
    report = make(*swept(grid(top_k=[1, 2, 3, 4, 5]), by_top_k))
    (found,) = (each for each in report.sweeps[0].analysed if each.metric.name == "tok/s")
    assert found.lead is not None
    lead = replace(found.lead, p=0.01, undecided=({"top_k": "3"},) * 5)
    said = plain(lead_line(report.sweeps[0], found, lead, report.book))
    assert re.search(r"\. They are distinguishable \(p [^)]+\), but the best is not distinguishable from "
                     r"top_k=3, top_k=3, top_k=3, among others \(p up to [^)]+\)\.$", said)  # fmt: skip


def by_top_k(point: Mapping[str, Any]) -> float:
    """Slower with each level."""
    return 1 + point["top_k"] / 10


def test_rounds_without_noise_prove_nothing(swept: Make, make: MakeReport) -> None:
    """One round of each point shows no noise: sizes are told, and neither an interval nor a p."""
    report = make(*swept(grid(top_k=[1, 2]), by_top_k, rounds=1))
    assert lines(report)[5:7] == [
        (
            "top_k | 1, 2 | 1 (91.1 tok/s) | 2 (82.9 tok/s) | -9.0 % | - | 100 % | its 2 rounds are too few to show "
            "how much rounds of one level differ"
        ),
        (
            "Highest tok/s: top_k=1 at 91.1 tok/s, +9.9 % against top_k=2. They cannot be told apart: nothing shows "
            "how much rounds of one point differ."
        ),
    ]


def test_parameters_that_changed_together_are_not_told_apart(swept: Make, make: MakeReport) -> None:
    """Of listed points in which two parameters go together neither has a level that is best, and the reason is said."""
    report = make(*swept([{"top_k": 1, "top_p": 0.1}, {"top_k": 2, "top_p": 0.2}], rounds=5))
    assert lines(report)[5:7] == [
        (
            "top_k | 1, 2 | - | - | - | - | 39.0 % | it changed only together with top_p, so that they cannot be told "
            "apart"
        ),
        (
            "top_p | 0.1, 0.2 | - | - | - | - | 39.0 % | it changed only together with top_k, so that they cannot be "
            "told apart"
        ),
    ]


def test_that_effects_depend_on_one_another_is_said(swept: Make, make: MakeReport) -> None:
    """Where one parameter matters only at one level of another, a sentence warns of the means."""

    def both(point: Mapping[str, Any]) -> float:
        return 1.5 if (point["top_k"], point["temperature"]) == (2, 0.8) else 1.0

    report = make(*swept(grid(top_k=[1, 2], temperature=[0.2, 0.8]), both, rounds=5))
    assert sentence(report, "Effects of the parameters depend on one another here, beyond chance: a mean")


def test_a_point_that_failed_stands_there(swept: Make, failed: Make, make: MakeReport) -> None:
    """A point without a counted round is in the table with its failures, and its rounds are in no effect."""
    first, second, third = swept(grid(temperature=[0.2, 0.5, 0.8]))
    report = make(first, second, failed(third))
    assert lines(report)[-3:] == [
        "temperature=0.2 | 50.0 ms | 100 tok/s | 3 | 0",
        "temperature=0.5 | 50.0 ms | 100 tok/s | 3 | 0",
        "temperature=0.8 | unknown | unknown | 0 | 3",
    ]
    assert of(report, "tok/s", "p", setting="temperature").n == 6


def test_answers_that_are_not_as_expected_are_counted(swept: Make, make: MakeReport) -> None:
    """Where something is expected of answers, the table has how many rounds do not hold it."""
    results = swept(grid(temperature=[0.2, 0.8]), case={"expect": {"contains": ["blue"]}})
    first = results[0]
    wrong = replace(first.rounds[0], generation=replace(first.rounds[0].generation, unmet=("no 'blue'",)))
    report = make(replace(first, rounds=(wrong, *first.rounds[1:])), results[1])
    assert lines(report)[-3:] == [
        f"{POINTS} | Unmet",
        "temperature=0.2 | 50.0 ms | 100 tok/s | 3 | 0 | 1",
        "temperature=0.8 | 50.0 ms | 100 tok/s | 3 | 0 | 0",
    ]


def test_a_single_point_says_nothing_of_parameters(swept: Make, make: MakeReport) -> None:
    """With one point only it is said that its parameters are unknown, and the point is told."""
    assert lines(make(*swept(GRID[:1])))[1:] == [
        "test_sweep on gemma3:latest",
        "1 point: their rounds alternated in random order, and nothing was loaded between them.",
        "What its parameters do is unknown: fewer than two points have a value of any metric that is analysed.",
        "Points of test_sweep on gemma3:latest",
        POINTS,
        "num_ctx=512,temperature=0.2 | 50.0 ms | 100 tok/s | 3 | 0",
    ]


def test_each_model_is_a_sweep_of_its_own_unless_it_varies(swept: Make, make: MakeReport) -> None:
    """The same points on two models are two sweeps; a sweep whose parameter is the model is one."""
    other = ModelInfo(name="tiny")
    twice = [*swept(GRID), *swept(GRID, case={"model": other})]
    assert [(each.name, each.model, len(each.points)) for each in make(*twice).sweeps] == [
        ("test_sweep", "gemma3:latest", 4),
        ("test_sweep[gemma3:latest]", "tiny", 4),
    ]
    first, second = swept(grid(model=["gemma3:latest", "tiny"]), loads=["model"])
    (one,) = make(first, replace(second, case=replace(second.case, model=other))).sweeps
    assert (one.model, one.names, [point.result.case.model.name for point in one.points]) == (
        None,
        ("model",),
        ["gemma3:latest", "tiny"],
    )


def test_a_case_that_is_measured_again_is_no_further_point(swept: Make, make: MakeReport) -> None:
    """What --chimera-confirm measured is not taken for a point."""
    results = swept(GRID)
    again = replace(results[0], case=replace(results[0].case, confirms=results[0].case.id))
    assert [len(each.points) for each in make(*results, again).sweeps] == [4]


def test_the_order_of_names_in_a_point_is_no_matter(swept: Make, make: MakeReport) -> None:
    """Points that come back from a journal with their names in another order belong to the same sweep."""
    first, *others = swept(GRID)
    turned = replace(first, case=replace(first.case, point=dict(reversed(first.case.point.items()))))
    (one,) = make(*others, turned).sweeps
    assert [tuple(point.levels) for point in one.points] == [("num_ctx", "temperature")] * 4


def test_a_sweep_that_ran_twice_is_two(swept: Make, make: MakeReport) -> None:
    """Results that stand twice (repeated tests) are kept apart, each with facts of its own."""
    report = make(*swept(GRID), *swept(GRID, by_num_ctx))
    assert [dict(each.subject) for each in report.sweeps] == [
        {"sweep": ID, "model": "gemma3:latest"},
        {"sweep": ID, "model": "gemma3:latest", "occurrence": "2"},
    ]


def test_long_tables_of_points_are_cut(swept: Make, make: MakeReport) -> None:
    """Of more than 200 points the first stand in the table, and where the others are is said."""
    found = lines(make(*swept(grid(seed=list(range(203))), rounds=1)))
    assert found[-2:] == [
        "seed=199 | 49.0 ms | 101 tok/s | 1 | 0",
        "The JSON file of the same name has the further points.",
    ]
    assert sum(line.startswith("seed=") for line in found) == 200


@pytest.mark.parametrize("text", ["<img src=x>|`y`\n## z", "](http://x) \x1b[31m \u202e", "**b** ![a](b)"])
def test_levels_and_names_do_not_act(swept: Make, make: MakeReport, tmp_path: Path, text: str) -> None:
    """Parameters, levels and names that hold markup stand in code spans or are escaped, titles of pictures included."""
    report = make(*swept(grid(**{text: [text, f"{text}2"]}), sweep=f"t.py::{text}"))
    files = report.write(tmp_path)
    markdown = files.markdown.read_text(encoding="utf-8")
    assert len(re.findall(r"^!\[Median .*\]\(gemma3.*\.sweep\..*\.svg\)$", markdown, re.MULTILINE)) == 2
    assert not any(line.startswith("## z") for line in markdown.splitlines())
    assert "\x1b" not in markdown
    assert "\u202e" not in markdown
    outside = re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)
    assert not re.search(r"(?<!\\)<img|(?<!\\)\]\(http|(?<!\\)!\[a|\*\*b", outside)


def test_the_short_form_has_the_best_points(swept: Make, make: MakeReport) -> None:
    """The page of a CI job has a sentence on tok/s and on TTFT, without links."""
    short = make(*swept(GRID, by_num_ctx, loads=["num_ctx"])).short()
    found = short[short.index(f"### {TITLE}") : short.index("| Case")].splitlines()
    assert found[:4] == [
        f"### {TITLE}",
        "",
        (
            f"- `test_sweep` on `gemma3:latest`: Highest tok/s: `{SECOND}` at 100 tok/s, +0.5 % against `{BEST}` (95 % "
            "interval -0.6 % to +1.6 %). They are not distinguishable (p 0.27)."
        ),
        (
            f"- `test_sweep` on `gemma3:latest`: Lowest TTFT: `{BEST}` at 50.0 ms, +0.0 % against `{SECOND}` (95 % "
            "interval -1.2 % to +1.2 %). They are not distinguishable (p 1)."
        ),
    ]
    assert "][" not in short


def test_the_pictures_stand_in_the_section(
    swept: Make, make: MakeReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two heat maps are written without any extra, and linked within the section and nowhere else."""
    monkeypatch.setitem(sys.modules, "pygal", None)
    report = make(*swept(GRID, by_num_ctx, loads=["num_ctx"]))
    files = report.write(tmp_path / ".chimera")
    stem = "gemma3-latest_4.3B_s_20261122-134705"
    assert [path.name for path in files.pictures] == [f"{stem}.sweep.tok_s.svg", f"{stem}.sweep.ttft.svg"]
    for path in (files.markdown, files.newest):
        text = path.read_text(encoding="utf-8")
        links = re.findall(r"!\[(.*)\]\((.*)\)", text)
        assert links == re.findall(r"!\[(.*)\]\((.*)\)", text[text.index(f"## {TITLE}") : text.index("## Metrics")])
        assert [title for title, _ in links] == [
            "Median tok/s of test_sweep on gemma3:latest by num_ctx and temperature",
            "Median TTFT of test_sweep on gemma3:latest by num_ctx and temperature",
        ]
        assert all((path.parent / link).is_file() for _, link in links)
