"""The claim check as its users see it: verdicts, counts, groundedness, what is struck, and the lines for a person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_chimera.corpus import read_corpus
from pytest_chimera.records import Fact, Measurement, Source
from pytest_chimera.report.check import Checked, Claim, Evidence, check, lines
from pytest_chimera.report.claims.claim import speaking

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_chimera.units import Dimension


def fact(model: str, metric: str, statistic: str, value: float, dimension: Dimension = "rate", **more: str) -> Fact:
    """A fact about a model."""
    subject = {"model": model, **more}
    return Fact(
        subject=subject, metric=metric, statistic=statistic, value=value, dimension=dimension, n=5, formula="given"
    )  # fmt: skip


FACTS = (
    fact("toy:a", "tok/s", "mean", 80.0),
    fact("toy:a", "tok/s", "max", 81.0),
    fact("toy:a", "tok/s", "mean", 82.2, setting="num_ctx", level="1024"),
    fact("toy:b", "tok/s", "mean", 51.2),
    fact("toy:a", "ttft", "mean", 0.5212, "time"),
    fact("toy:a", "ttft", "median", 0.1144, "time", rows="warm"),
    fact("toy:a", "failed_rows", "count", 1.0, "count"),
    fact("toy:a", "rows", "count", 6.0, "count"),
)


def evidence() -> Evidence:
    """Three rows of one model in one file."""
    return Evidence.of(
        [
            Measurement(
                metric="tok/s", value=value, dimension="rate", model="toy:a", parameters={}, labels={}, row=number,
                source=Source("runs.csv", f"row {number}"),
            )
            for number, value in enumerate((78.4, 80.2, 81.4), 1)
        ]
    )  # fmt: skip


def test_facts_support_the_sentences_that_say_them() -> None:
    """Each number of a sentence is compared with the facts of its model, metric, statistic, condition and setting."""
    text = (
        "toy:a averages 80.0 tok/s, 56 % more than toy:b. It peaked at 81.0 tok/s. Its warm median TTFT is 114 ms.\n"
        "- With num_ctx=1024 toy:a reaches 82.2 tok/s.\n- 6 runs of toy:a, 1 failure.\n"
    )
    checked = check(text, FACTS)
    assert [(each.text, each.verdict) for each in checked.claims] == [
        ("80.0 tok/s", "supported"),
        ("56 %", "supported"),
        ("81.0 tok/s", "supported"),
        ("114 ms", "supported"),
        ("1024", "not checkable"),
        ("82.2 tok/s", "supported"),
        ("6", "supported"),
        ("1", "supported"),
    ]
    assert checked.claims[0].facts == (FACTS[0].id,)
    assert checked.claims[0].found == (FACTS[0],)


def test_groundedness_is_the_share_of_numeric_claims_that_are_supported_by_more_than_chance() -> None:
    """Weak supports, contradictions and numbers without data lower it; settings do not count."""
    checked = check("toy:a averages 80.0 tok/s at temperature=0.7.\ntoy:a averages 70.0 tok/s.", FACTS)
    assert (checked.groundedness, checked.numbers) == (0.5, 2)
    assert checked.counts == {
        "contradicted": 1, "misattributed": 0, "ambiguous": 0, "supported": 1, "unsupported": 0, "not checkable": 1
    }  # fmt: skip


def test_silence_has_no_groundedness() -> None:
    """A text without a numeric claim scores nothing, not one."""
    assert check("All is well.", FACTS).groundedness is None
    assert check("", FACTS) == Checked(claims=())


def test_sentences_that_do_not_hold_are_struck() -> None:
    """A sentence with a claim that is not supported goes, those around it stay, and a point in a number ends none."""
    text = (
        "toy:a averages 80.0 tok/s. It averages 3.5 tok/s. Fine.\n\n"
        "- toy:a averages 70.0 tok/s\n- toy:b averages 51.2 tok/s\n"
    )
    assert check(text, FACTS).struck(text) == (
        "toy:a averages 80.0 tok/s. Fine.\n\n- toy:b averages 51.2 tok/s\n",
        2,
    )


def test_a_text_without_bad_claims_is_left_as_it_is() -> None:
    """Nothing but whole sentences that do not hold is taken out of a text."""
    text = "toy:a averages\n80.0 tok/s.  \n\n\t* And so on.\r\n"
    assert check(text, FACTS).struck(text) == (text, 0)


def test_the_gravest_verdict_speaks_for_a_line() -> None:
    """A line is as its gravest claim is; a line without a claim cannot be checked."""
    checked = check("toy:a averages 80.0 tok/s; toy:b averages 80.0 tok/s\n\nnothing here\n", FACTS)
    assert checked.verdict_of_lines(1) == "contradicted"
    assert checked.verdict_of_lines(1, 3) == "contradicted"
    assert checked.verdict_of_lines(3) == "not checkable"
    assert checked.verdict_of_span(1, 0, 1, 26) == "supported"


def test_a_claim_says_how_it_was_understood() -> None:
    """Metric, entity, statistic, file and the value found stand in the reason, so that a wrong scope is seen."""
    (claim,) = check("# Runs (runs.csv)\n\nMean throughput of toy:a: 81.0 tok/s\n", evidence()).claims
    assert claim.reason == ("Read as mean tok/s of toy:a in runs.csv; mean of 3 rows of toy:a in runs.csv is 80 tok/s.")
    assert (claim.metric, claim.entity, claim.statistic, claim.unit, claim.value) == (
        "tok/s", "toy:a", "mean", "tok/s", 81.0
    )  # fmt: skip
    assert claim.found[0].sources == ("runs.csv row 1", "runs.csv row 2", "runs.csv row 3")


def test_claims_cross_files_as_json() -> None:
    """The dict form of a check is plain and reads back as the same check."""
    checked = check("toy:a averages 80.0 tok/s. No run failed.", evidence(), document="notes.md")
    assert Checked.from_dict(json.loads(json.dumps(checked.as_dict()))) == checked


def test_a_person_sees_contradictions_first_and_many_of_one_cause_once() -> None:
    """The lines say how much can be checked, then what is contradicted, with many claims of one file summed up."""
    text = "# Runs (runs.csv)\n" + "".join(f"- toy:a averages 7{n}.5 tok/s\n" for n in range(8)) + "- 2 GB were used\n"
    shown = lines(check(text, evidence()), "notes.md")
    assert shown[:4] == (
        "notes.md: checkable: 9 of 9 numbers, grounded: 0 %",
        "",
        "Contradicted by the data (8):",
        "  8 claims disagree with runs.csv; was it written anew after the text?",
    )
    assert shown[4].startswith('    notes.md:2: "70.5 tok/s" contradicted: Read as mean tok/s of toy:a in runs.csv;')
    assert shown[9:] == ("    and 3 more in lines 7-9", "", "No data judge it (1): lines 10.")


PARTS = st.sampled_from(
    [
        "toy:a", "toy:b", "80.0 tok/s", "0.5212 s", "| ", "\n", "|--|--|\n", "# ", "- ", "**", "`", "vs", "than",
        "56 %", "1.5x", "(", ")", "num_ctx=1024", "```\n", "~", "<= ", "->", "no run failed", "mean", "cold", "65-70",
        "+", "=", "\r", "\t", "randomized order", "\u2212", "é", "\x00", "1e999", "9" * 400, "all", "{a,b}", "...",
        "runs.csv", "?",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.lists(PARTS | st.text(max_size=8), max_size=40).map(" ".join))
def test_no_text_makes_it_raise(text: str) -> None:
    """Whatever a text holds, it is checked, its claims stand within it, and what is struck is part of it."""
    for given_facts in (FACTS, evidence()):
        checked = check(text, given_facts, document="a/notes.md")
        kept, count = checked.struck(text)
        assert len(kept) <= len(text) + count
        assert all(each.line >= 1 and 0 <= each.start < each.end for each in checked.claims)
        assert lines(checked, "notes.md")


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 200_000,
        "9" * 1_000_000,
        "|" * 500_000,
        "| a | b |\n|--|--|\n" + "| toy:a | 80.0 tok/s |\n" * 10_000,
        "".join(f"{' ' * n}- toy:a 80.0 tok/s\n" for n in range(600)),
        "-" * 500_000 + "\n===",
        "(" * 300_000 + "80.0 tok/s",
        "toy:a vs toy:b 1.5x than " * 20_000,
    ],
    ids=["numbers", "digits", "bars", "rows", "nesting", "rule", "brackets", "comparisons"],
)
def test_a_hostile_text_costs_a_bounded_amount_of_work(text: str) -> None:
    """However large or deep a text is, no more than a bounded part of it is read, and the rest is said to be unread."""
    claims = check(text, evidence()).claims  # one quadratic step takes hours on these
    assert len(claims) <= 5_001
    assert [each.text for each in claims if len(each.text) > 100] == []


def test_what_was_not_read_is_said() -> None:
    """A text with more numbers than are read ends in a claim that names the line from which on nothing was."""
    last = check("5 s\n" * 6_000, evidence()).claims[-1]
    assert (last.verdict, last.line) == ("not checkable", 5_001)
    assert last.reason == "Only the first 5000 numbers of a text are read; from here on nothing was."


def judged(shared: Path) -> tuple[list[dict[str, Any]], Path]:
    """The judged claims of the real corpus, and its folder."""
    folder = shared / "corpus"
    if not (folder / "claims.json").is_file():
        pytest.skip(f"the judged claims are not here: {folder}")
    claims: list[dict[str, Any]] = json.loads((folder / "claims.json").read_text(encoding="utf-8"))["claims"]
    return claims, folder / "chimera"


def within(claims: tuple[Claim, ...], text: str, judged_claim: dict[str, Any]) -> list[Claim]:
    """Our claims within the quote of a judged one."""
    rows = text.split("\n")
    tail = "\n".join(rows[judged_claim["line"] - 1 :])
    start = tail.index(judged_claim["quote"])
    head = tail[: start + len(judged_claim["quote"])]
    end = (judged_claim["line"] + head.count("\n"), len(head.rpartition("\n")[2]))
    first = (judged_claim["line"] + tail[:start].count("\n"), len(tail[:start].rpartition("\n")[2]))
    return [each for each in claims if first <= (each.line, each.end - 1) and (each.line, each.start) < end]


def test_it_agrees_with_people_on_the_claims_of_a_real_corpus(shared: Path) -> None:
    """Of the claims of real reports that people judged, at least 90 % get the same verdict."""
    claims, folder = judged(shared)
    corpus = read_corpus([str(folder)])
    known = Evidence.of(corpus.measurements, corpus.others, corpus.artifacts)
    texts = {file: (folder / file).read_text(encoding="utf-8") for file in {claim["file"] for claim in claims}}
    checked = {file: check(text, known, document=file).claims for file, text in texts.items()}
    verdicts = [speaking(within(checked[claim["file"]], texts[claim["file"]], claim)) for claim in claims]
    agreed = sum(verdict == claim["verdict"] for verdict, claim in zip(verdicts, claims, strict=True))
    assert agreed >= 0.9 * len(claims)
