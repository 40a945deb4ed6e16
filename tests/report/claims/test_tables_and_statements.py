"""Rows of one record, siblings of one basis, claims of order, completeness and absence, and which files count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_chimera.report.check import Evidence, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_chimera.records import Measurement
    from pytest_chimera.report.check import Checked

    Rows = Callable[..., list[Measurement]]


def sweep(rows: Rows, order: list[tuple[float, float]], *, timed: bool = True) -> list[Measurement]:
    """A sweep over two settings whose runs were made in this order."""
    return [
        each
        for number, (gpu, context) in enumerate(order, 1)
        for each in rows(
            "sweep.csv", number, {"tok/s": 70.0 + gpu / 10 + context / 1000, "ttft": 0.1 + number / 100},
            model="toy:a", parameters={"num_gpu": gpu, "num_ctx": context},
            time=f"2026-01-01T00:{number:02}:00" if timed else None,
        )
    ]  # fmt: skip


LOOPS = [(gpu, context) for gpu in (10.0, 20.0, 30.0) for context in (1024.0, 2048.0)]
MIXED = [LOOPS[index] for index in (3, 0, 5, 2, 4, 1)]


def test_a_row_with_its_settings_is_that_run_and_no_other(make_rows: Rows) -> None:
    """A row that names its settings is judged against the run with those settings, though others would fit."""
    evidence = Evidence.of(sweep(make_rows, LOOPS))
    table = "## Sweep (sweep.csv)\n\n| num_gpu | num_ctx | tok/s | TTFT (s) |\n|--|--|--|--|\n"
    checked = check(f"{table}| 10 | 2048 | 73.05 | 0.12 |\n| 20 | 1024 | 73.05 | 0.13 |\n", evidence)
    assert checked.verdict_of_lines(5) == "supported"
    assert checked.verdict_of_lines(6) == "contradicted"


def test_two_cells_of_one_row_must_be_of_one_run(make_rows: Rows) -> None:
    """A throughput of one run and a first-token time of another, in one row without a name, contradict."""
    evidence = Evidence.of(sweep(make_rows, LOOPS))
    table = "## Sweep (sweep.csv)\n\n| Run | tok/s | TTFT (s) |\n|--|--|--|\n"
    checked = check(f"{table}| first | 72.024 | 0.11 |\n| second | 72.024 | 0.16 |\n", evidence)
    assert checked.verdict_of_lines(5) == "supported"
    assert checked.verdict_of_lines(6) == "contradicted"


def test_differences_and_ratios_of_one_row_must_share_their_basis(judge: Callable[..., Checked]) -> None:
    """A difference of means beside a ratio of a best value to a mean contradicts."""
    table = "**Against toy:b (baseline):**\n\n| Model | Delta | Ratio |\n|--|--|--|\n"
    assert judge(f"{table}| toy:a | +28.8 tok/s | 1.56x |\n").verdict_of_lines(7) == "supported"
    assert judge(f"{table}| toy:a | +28.8 tok/s | 1.58x |\n").verdict_of_lines(7) == "contradicted"


def test_a_random_order_is_contradicted_by_times_in_the_order_of_loops(make_rows: Rows) -> None:
    """Runs whose times rise as nested loops do were not made in random order; mixed ones may have been."""
    text = "# Sweep (sweep.csv)\n\nThe runs were made in random order.\n"
    assert check(text, Evidence.of(sweep(make_rows, LOOPS))).verdict_of_lines(3) == "contradicted"
    assert check(text, Evidence.of(sweep(make_rows, MIXED))).verdict_of_lines(3) == "supported"
    assert check(text, Evidence.of(sweep(make_rows, LOOPS, timed=False))).verdict_of_lines(3) == "unsupported"


def test_a_list_of_folders_that_document_failures_must_be_all_of_them(make_rows: Rows) -> None:
    """A list without one of the failed folders is half true, a whole one holds, one with a good folder does not."""
    failed = [
        each for name in ("run-2026a", "run-2026b", "run-2026c")
        for each in make_rows(f"all/{name}/runs.csv", 1, {"tok/s": 0.0}, model="toy:a", failure="no connection")
    ]  # fmt: skip
    good = make_rows("all/run-2026d/runs.csv", 1, {"tok/s": 80.0}, model="toy:a")
    evidence = Evidence.of([*failed, *good])
    names = ["`run-2026a`", "`run-2026b`", "`run-2026c`", "`run-2026d`"]
    said = [f"{', '.join(names[:count])} document the connection issues." for count in (2, 3, 4)]
    found = [check(text, evidence).verdict_of_lines(1) for text in said]
    assert found == ["ambiguous", "supported", "contradicted"]


def test_the_level_that_is_called_best_must_have_the_best_mean(make_rows: Rows) -> None:
    """A setting is the best when the mean of its level is."""
    evidence = Evidence.of(sweep(make_rows, LOOPS))
    head = "# Sweep (sweep.csv)\n\n"
    assert check(f"{head}num_gpu=30 gives the best throughput.", evidence).verdict_of_lines(3) == "supported"
    assert check(f"{head}num_gpu=10 gives the best throughput.", evidence).verdict_of_lines(3) == "contradicted"


def test_only_what_the_text_names_or_lies_beside_can_contradict(make_rows: Rows) -> None:
    """A number that the data do not give is another experiment's, unless the data are proven to be its source."""
    evidence = Evidence.of(
        [each for n in (1, 2, 3) for each in make_rows("a/runs.csv", n, {"tok/s": 80.0}, model="toy:a")]
    )
    text = "toy:a averages 60.0 tok/s."
    assert check(text, evidence).verdict_of_lines(1) == "unsupported"
    assert check(text, evidence, document="b/notes.md").verdict_of_lines(1) == "unsupported"
    assert check(text, evidence, document="a/notes.md").verdict_of_lines(1) == "contradicted"
    assert check(f"See runs.csv: {text}", evidence).verdict_of_lines(1) == "contradicted"


def test_many_matches_prove_that_a_file_is_the_source(make_rows: Rows) -> None:
    """A file that agrees with a table far more often than chance allows is its source, so the rest contradicts."""
    rates = [81.37, 64.82, 90.15, 72.44, 58.91, 77.63]
    rows = [
        each for n, rate in enumerate(rates, 1)
        for each in make_rows("far/runs.csv", n, {"tok/s": rate}, model=f"toy:{n}b")
    ]  # fmt: skip
    lines = [f"- toy:{n}b reaches {rate} tok/s" for n, rate in enumerate(rates[:5], 1)]
    checked = check("\n".join([*lines, "- toy:6b reaches 70.01 tok/s"]), Evidence.of(rows))
    assert [each.verdict for each in checked.claims] == ["supported"] * 5 + ["contradicted"]
